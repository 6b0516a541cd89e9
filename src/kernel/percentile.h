/*
 * percentile.h - the position of a value among all values.
 *
 * Of n values the position of one is the number of those below it divided by
 * n - 1: 0 for the least, 1 for a greatest that stands alone, the same for equal
 * values; what SQL calls percent_rank.  Of a single value it is 0.
 *
 * What is kept of the values are borders with their positions: all different
 * values where there are few, and exact; else, for each k of CRM_PERCENTILE_STEPS,
 * the least value whose position is at least k / CRM_PERCENTILE_STEPS.  So a
 * comparison with such a number is exact in either case, and every position
 * within 1 / CRM_PERCENTILE_STEPS below the true one.
 */
#ifndef CRM_KERNEL_PERCENTILE_H
#define CRM_KERNEL_PERCENTILE_H

#include "kernel/rfm.h"

#define CRM_PERCENTILE_STEPS 10000

/*
 * Numbers: how many values there were, 1 when the borders are all of them (else
 * 0), then for each border itself and its position.
 */
#define CRM_PERCENTILE_HEADER 2

/* The borders of at least one value; count is the number of numbers.  Memory: 16 bytes a value. */
extern crm_status crm_percentile_borders(const crm_env *env, const crm_rfm_values *values, double **numbers, size_t *count);
/* The position of a value, also of one that was not among them; numbers hold at least one border. */
extern double crm_percentile_at(const double *numbers, size_t count, double value);

#endif							/* CRM_KERNEL_PERCENTILE_H */
