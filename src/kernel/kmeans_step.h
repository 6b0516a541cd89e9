/*
 * kmeans_step.h - one step of Lloyd's over any number of rows, in memory for the
 * groups only: what a sample of the rows taught is corrected by all of them.
 *
 * The sums of a step are numbers: for each group its rows, the sum of squared
 * distances (a twofold) and, for each feature, the weight of the rows that have it and
 * the weighted sum of their differences from the center (a twofold).  Parts merge by
 * addition.
 */
#ifndef CRM_KERNEL_KMEANS_STEP_H
#define CRM_KERNEL_KMEANS_STEP_H

#include "kernel/model_kmeans.h"

/* How many numbers. */
static inline size_t
crm_kmeans_step_count(uint32_t groups, uint32_t features)
{
	return (size_t) groups * (3 + 3 * (size_t) features);
}

/* Adds a row, whose features are NaN where missing, to the sums of its group. */
extern void crm_kmeans_step_add(double *sums, const crm_kmeans_scorer *scorer, const double *x, double weight);
extern void crm_kmeans_step_merge(double *sums, const double *more, uint32_t groups, uint32_t features);
/* Are these such sums?  They may come from anywhere. */
extern bool crm_kmeans_step_is_valid(const double *sums, uint32_t groups, uint32_t features);

/*
 * The model with its centers moved into the middle of the rows that were nearest to
 * them.  A group without rows keeps its center.  CRM_OUT_OF_RANGE when sums went
 * beyond the range of a double.
 */
extern crm_status crm_kmeans_step_finish(const crm_env *env, const double *sums, const crm_model *m, crm_model *result);

#endif							/* CRM_KERNEL_KMEANS_STEP_H */
