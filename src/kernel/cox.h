/*
 * cox.h - what makes customers leave sooner: proportional hazards (Cox 1972),
 * ties after Efron (1977).
 */
#ifndef CRM_KERNEL_COX_H
#define CRM_KERNEL_COX_H

#include "kernel/kernel.h"

typedef enum crm_cox_ties
{
	CRM_COX_EFRON,
	CRM_COX_BRESLOW
} crm_cox_ties;

/* Rows of 2 + features numbers: time, 1 for an event or 0, features. */
typedef struct crm_cox_rows
{
	double	   *rows;
	size_t		count;
	uint32_t	features;
} crm_cox_rows;

typedef struct crm_cox_fit
{
	/* one for each feature; 0 and NaN where it is constant or follows from those before it */
	double	   *coefficients;
	double	   *standard_errors;
	double	   *robust_errors;	/* Lin and Wei 1989 */
	double	   *means;			/* of the features */
	bool	   *aliased;		/* constant, or follows from those before it */
	bool	   *infinite;		/* its coefficient runs off to infinity: a group without events, or with all of them */
	double		log_likelihood;
	double		null_log_likelihood;
	double		concordance;	/* Harrell's C; NaN where no two rows can be compared */
	uint64_t	events;
	int			iterations;
	bool		converged;
	/* cumulative hazard of a row whose features are the means, at each time with an event */
	double	   *times;
	double	   *hazards;
	size_t		time_count;
} crm_cox_fit;

/*
 * Rows are put into one order, so that the answer does not depend on theirs.
 * CRM_OUT_OF_RANGE where there is no event.
 */
extern crm_status crm_cox_train(const crm_env *env, crm_cox_rows *rows, crm_cox_ties ties, crm_cox_fit *fit);

#endif							/* CRM_KERNEL_COX_H */
