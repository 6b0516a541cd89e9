/*
 * robust.h - medians, and what is made of them: a slope, spread and season
 * that a few odd values do not move.
 */
#ifndef CRM_KERNEL_ROBUST_H
#define CRM_KERNEL_ROBUST_H

#include "kernel/kernel.h"

/* The mean of the two middle numbers where their count is even; the array is reordered.  At least one. */
extern double crm_median(double *values, size_t count);
/* The same for whole numbers; a mean that is not whole is rounded down. */
extern uint64_t crm_median_whole(uint64_t *values, size_t count);

/*
 * Slope per step of equally spaced values: the median of the slopes of all
 * pairs (Theil 1950, Sen 1968).  With a season of more than one step, of the
 * pairs that lie whole seasons apart (Hirsch, Slack & Smith 1982, "Techniques
 * of trend analysis for monthly water quality data").  At least two values,
 * with a season more than one season.
 */
extern crm_status crm_robust_slope(const crm_env *env, const double *values, size_t count, size_t season, double *slope);

/*
 * Classical multiplicative decomposition: the ratios of values to the centred
 * moving average over a season; of each place in the season the median; all
 * scaled so that their mean is 1.  The first value has place first_place, 0 ..
 * season - 1.  found is false when some place has no ratio (its averages are
 * not positive) or when there is nothing to scale.  At least two seasons.
 */
extern crm_status crm_seasonal_ratios(const crm_env *env, const double *values, size_t count, size_t season, size_t first_place,
									  double *ratios, bool *found);

#endif							/* CRM_KERNEL_ROBUST_H */
