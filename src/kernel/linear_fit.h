/*
 * linear_fit.h - least squares from sums: what a regression needs of its rows is
 * their products, summed, and sums merge.
 *
 * Products and sums are kept to twice a double's digits (twofold.h), so the
 * normal equations, which square the condition of the problem, lose no digits
 * that the features had: NIST's Longley comes out to the last digits.
 */
#ifndef CRM_KERNEL_LINEAR_FIT_H
#define CRM_KERNEL_LINEAR_FIT_H

#include "kernel/kernel.h"

#define CRM_LINEAR_FIT_MAX_FEATURES 1000

/*
 * Sums over rows of the products of (1, features, target): entry (j, k), k <= j, at
 * j (j + 1) / 2 + k.  The arrays are the caller's.
 */
typedef struct crm_products
{
	uint32_t	features;
	uint64_t	rows;
	double		log_weights;	/* sum of the logarithms of the weights */
	double	   *high;
	double	   *low;
} crm_products;

#define CRM_PRODUCTS_COUNT(features) (((size_t) (features) + 2) * ((size_t) (features) + 3) / 2)

/*
 * Adds a row of so many features; weight > 0.  work has CRM_PRODUCTS_WORK numbers.
 * CRM_OUT_OF_RANGE, leaving the sums unusable, when a product overflows.
 */
#define CRM_PRODUCTS_WORK(features) (6 * ((size_t) (features) + 2))
extern crm_status crm_products_add(crm_products *m, const double *features, double target, double weight, double *work);
extern crm_status crm_products_merge(crm_products *m, const crm_products *other);

typedef struct crm_linear_options
{
	bool		intercept;
	bool		standardize;	/* penalties are on features divided by their standard deviation */
	double		l1;
	double		l2;
} crm_linear_options;

/* Arrays have one element for each feature and are the caller's. */
typedef struct crm_linear_result
{
	double		intercept;
	double	   *coefficients;	/* 0 for features left out */
	double	   *means;
	double		intercept_error;
	double	   *errors;			/* NaN for features left out */
	bool	   *constant;		/* features left out: one value only */
	bool	   *collinear;		/* features left out: they follow from those before them */
	bool		has_errors;		/* not with penalties, nor without residual degrees of freedom */
	uint32_t	parameters;		/* numbers fitted, the intercept among them */
	double		weight;			/* sum of weights */
	double		residual_sum;	/* of squares, weighted */
	double		total_sum;		/* of squares about the mean (without intercept: about 0) */
	double		log_likelihood; /* -inf to +inf; NaN where there is none: no residuals */
	double		null_log_likelihood;
	bool		converged;		/* of the descent with l1 */
} crm_linear_result;

extern crm_status crm_linear_fit(const crm_products *m, const crm_linear_options *options, const crm_env *env, crm_linear_result *result);

#endif							/* CRM_KERNEL_LINEAR_FIT_H */
