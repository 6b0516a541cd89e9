/*
 * quadratic.h - the least value of a quadratic function with penalties, the
 * step that trainers of linear models repeat:
 *
 *		b'Ab / 2 - c'b + sum of l1[j] |b[j]| + sum of l2[j] b[j]^2 / 2
 *
 * A is symmetric and has no negative directions; it is given whole, row by row.
 */
#ifndef CRM_KERNEL_QUADRATIC_H
#define CRM_KERNEL_QUADRATIC_H

#include "kernel/kernel.h"

/*
 * The factors of A with l2 upon its diagonal, A = L D L' with ones in the
 * diagonal of L, in place: L below the diagonal, D on it.  A variable whose D is
 * not above tolerance * its own diagonal before follows from those before it: it is left out, its
 * D is 0 and it counts as not there.  Variables with use[j] false are left out from
 * the beginning; use is set to what is in.
 */
extern void crm_factor(const crm_env *env, double *a, size_t n, double tolerance, bool *use);

/* Solves for c in place; the values of variables left out become 0. */
extern void crm_solve_factored(const double *factors, size_t n, const bool *use, double *c);

/* The diagonal of the inverse, from the factors; work has n numbers.  0 for variables left out. */
extern void crm_inverse_diagonal(const crm_env *env, const double *factors, size_t n, const bool *use, double *diagonal, double *work);

/*
 * Coordinate descent (Friedman, Hastie, Tibshirani, "Regularization paths for
 * generalized linear models via coordinate descent", 2010) from the b given, over
 * the variables with use[j], until no step is larger than tolerance.  False when
 * max_rounds did not suffice.  work has n numbers.
 */
extern bool crm_descend(const crm_env *env, const double *a, const double *c, size_t n, const double *l1, const double *l2,
						const bool *use, double tolerance, int max_rounds, double *b, double *work);

#endif							/* CRM_KERNEL_QUADRATIC_H */
