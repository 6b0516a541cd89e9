/*
 * optimize.h - the minimum of a smooth function of few variables.
 */
#ifndef CRM_KERNEL_OPTIMIZE_H
#define CRM_KERNEL_OPTIMIZE_H

#include "kernel/kernel.h"

#define CRM_MINIMIZE_MAX 16		/* variables */

/* The value at x, and its gradient; NaN or an infinity where the function is not defined. */
typedef double (*crm_objective) (void *arg, const double *x, double *gradient);

typedef struct crm_minimum
{
	double		value;
	double		slope;			/* greatest component of the gradient, in absolute terms */
	int			iterations;
	int			evaluations;
	bool		converged;		/* slope is at most the tolerance */
} crm_minimum;

/*
 * Quasi-Newton steps (Broyden, Fletcher, Goldfarb and Shanno) from x, which
 * becomes the best point found.  The function should be scaled so that its
 * variables and its second derivatives are of the order of one, as log
 * likelihoods per row over logarithms of parameters are.
 */
extern void crm_minimize(const crm_env *env, crm_objective objective, void *arg, int n, double *x,
						 double tolerance, int max_iterations, crm_minimum *result);

/*
 * The inverse of the matrix of second derivatives at x (n * n, symmetric), from
 * differences of gradients; false where that matrix is not positive definite.
 */
extern bool crm_inverse_hessian(const crm_env *env, crm_objective objective, void *arg, int n, const double *x,
								double *inverse);

/*
 * The covariance of logarithms of parameters at the maximum of a likelihood, the
 * objective being the mean over rows of its negative logarithm.  Where a standard
 * error is so large that the data say nothing of the parameter (it runs off to
 * infinity), or there is no maximum, *converged becomes false and all are NaN.
 */
extern void crm_parameter_uncertainty(const crm_env *env, crm_objective objective, void *arg, int n, const double *x,
									  double rows, double *covariance, bool *converged);

/* Inverts a symmetric positive definite matrix in place (Cholesky); false where it is not. */
extern bool crm_invert_definite(double *matrix, int n);

#endif							/* CRM_KERNEL_OPTIMIZE_H */
