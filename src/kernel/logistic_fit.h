/*
 * logistic_fit.h - logistic regression by maximum likelihood, with penalties or
 * without.
 *
 * Minimises, over an intercept and a coefficient for each feature,
 *
 *		- log-likelihood / weight + l1 sum |b| + l2 / 2 sum b^2
 *
 * where weight is the sum of the rows' weights and b are the coefficients of features divided
 * by their standard deviation (or of the features themselves).  Newton's method; with l1 each step is found by
 * coordinate descent (Lee, Sun, Saunders, "Proximal Newton-type methods", 2014).
 *
 * Sums are plain doubles over rows in the order at hand: other orders give the
 * same numbers to about 1e-10 of their standard errors.
 */
#ifndef CRM_KERNEL_LOGISTIC_FIT_H
#define CRM_KERNEL_LOGISTIC_FIT_H

#include "kernel/columns.h"

#define CRM_LOGISTIC_FIT_MAX_FEATURES 1000

/* Columns of the rows: the label, 0 or 1, the weight, above 0, then the features. */
#define CRM_ROWS_LABEL 0
#define CRM_ROWS_WEIGHT 1
#define CRM_ROWS_FEATURES 2

typedef struct crm_logistic_options
{
	bool		intercept;
	bool		standardize;	/* penalties are on features divided by their standard deviation */
	double		l1;
	double		l2;
	double		tolerance;		/* largest step, in standard deviations of a feature, at which it has converged */
	int			max_iterations;
} crm_logistic_options;

typedef enum crm_separation
{
	CRM_SEPARATION_NONE,
	CRM_SEPARATION_QUASI,		/* some direction separates the labels but for rows on its border */
	CRM_SEPARATION_COMPLETE
} crm_separation;

/* Arrays have one element for each feature and are the caller's. */
typedef struct crm_logistic_result
{
	double		intercept;
	double	   *coefficients;	/* 0 for features left out */
	double	   *means;			/* of rows where the feature is there */
	double		intercept_error;
	double	   *errors;			/* NaN for features left out */
	bool	   *constant;
	bool	   *collinear;
	bool		has_errors;		/* not with penalties */
	uint32_t	parameters;
	uint64_t	positives;
	double		weight;
	double		positive_weight;
	double		log_likelihood;
	double		null_log_likelihood;
	int			iterations;
	bool		converged;

	/*
	 * Where the labels are separated, the likelihood grows without end.  Without
	 * a penalty asked for, one of l2 = 1 / weight is taken: that of a standard
	 * normal prior on standardised coefficients.
	 */
	crm_separation separation;
	double		l2;				/* the one taken */
} crm_logistic_result;

/* CRM_OUT_OF_RANGE when squares of a feature, summed, overflow.  There must be both labels. */
extern crm_status crm_logistic_fit(const crm_columns *rows, const crm_logistic_options *options, const crm_env *env,
								   crm_logistic_result *result);

#endif							/* CRM_KERNEL_LOGISTIC_FIT_H */
