/*
 * survival.h - how long customers stay: the Kaplan-Meier curve and the log-rank
 * test, from counts of customers who left or were still there at each age.
 */
#ifndef CRM_KERNEL_SURVIVAL_H
#define CRM_KERNEL_SURVIVAL_H

#include "kernel/kernel.h"

/* Customers of one group who left (or were last seen) at one time; those who left at a time were at risk until then. */
typedef struct crm_survival_count
{
	uint32_t	group;
	double		time;			/* from 0 on */
	uint64_t	events;
	uint64_t	censored;
} crm_survival_count;

typedef struct crm_survival_point
{
	double		time;
	uint64_t	at_risk;		/* just before it */
	uint64_t	events;			/* at it; at least 1 */
	double		survival;		/* just after it */
	double		lower;			/* NaN where survival is 0 */
	double		upper;
} crm_survival_point;

/*
 * The curve (Kaplan and Meier 1958) at each time with an event, with bounds that
 * hold it with probability `confidence` at each single time: Greenwood's variance
 * of its logarithm, as R's survfit does by default.  counts ascend by time; groups
 * are not looked at.
 */
extern crm_status crm_kaplan_meier(const crm_env *env, const crm_survival_count *counts, size_t n, double confidence,
								   crm_survival_point **points, size_t *point_count);

/* What the log-rank test says. */
typedef struct crm_log_rank
{
	double	   *observed;		/* events of each group, weighted */
	double	   *expected;		/* had all groups the same risk */
	double		chi_square;		/* NaN where no two groups can be compared */
	uint32_t	degrees;
	double		p_value;
} crm_log_rank;

/*
 * Do groups leave at the same rate (Mantel 1966)?  Differences at each time are
 * weighted by S(t-)^rho (Harrington and Fleming 1982): rho 0 is the log-rank
 * test, rho 1 Peto and Peto's, which looks at the early times.  counts ascend by
 * time; groups are 0 ... groups - 1.
 */
extern crm_status crm_log_rank_test(const crm_env *env, const crm_survival_count *counts, size_t n, uint32_t groups,
									double rho, crm_log_rank *result);

#endif							/* CRM_KERNEL_SURVIVAL_H */
