/*
 * als.h - the linear algebra of alternating least squares, which training and
 * recommending share.
 */
#ifndef CRM_KERNEL_ALS_H
#define CRM_KERNEL_ALS_H

#include "kernel/kernel.h"

/* The sum of products, in one order on all processors. */
extern double crm_als_dot(const double *a, const double *b, uint32_t n);
/* to += factor * from */
extern void crm_als_add(double *to, const double *from, double factor, uint32_t n);
/* The lower half of matrix += factor * x * transposed x */
extern void crm_als_add_square(double *matrix, const double *x, double factor, uint32_t n);

/* The lower half of a positive definite matrix becomes its Cholesky factor; false where it is not positive definite. */
extern bool crm_als_factorize(double *matrix, uint32_t n);
/* Solves for x in place by that factor. */
extern void crm_als_solve(const double *factor, double *x, uint32_t n);

/* The lower half of the products of vectors with each other, with the regularization on the diagonal. */
extern void crm_als_gram(const crm_env *env, const double *vectors, uint32_t count, uint32_t n, double regularization, double *gram);

/*
 * The vector of whoever has these entries, x: work (n * n) is left as the Cholesky
 * factor.  weights NULL: all 1.
 */
extern bool crm_als_fold_in(const crm_env *env, const double *gram, const double *vectors, uint32_t n, double alpha, const uint32_t *entries,
							const double *weights, size_t count, double *work, double *x);

#endif							/* CRM_KERNEL_ALS_H */
