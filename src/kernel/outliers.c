/*
 * outliers.c - how far one value is from the others.
 */
#include "kernel/outliers.h"

#include <math.h>

/* Deviations are 1 in a normal distribution: of the median absolute one, the quantile 0.75; of the mean one, sqrt(2 / pi). */
#define NORMAL_MAD 0.67448975019608171
#define NORMAL_MEAN_DEVIATION 0.79788456080286536

crm_status
crm_robust_scale_of(const crm_env *env, const crm_rfm_values *values, crm_robust_scale *scale)
{
	double		quartiles[3];
	double		parts[64];
	uint32_t	part_count = 0;
	crm_rfm_values distances = {0};

	CRM_TRY(crm_rfm_values_borders(env, values, 4, quartiles));
	*scale = (crm_robust_scale) {(int64_t) values->total, quartiles[1], quartiles[0], quartiles[2]};
	for (const crm_rfm_chunk *chunk = values->first; chunk != NULL; chunk = chunk->next)
	{
		for (uint32_t i = 0; i < chunk->used; i++)
		{
			double		distance = fabs(chunk->values[i] - scale->median);

			if (!isfinite(distance))
				return CRM_OUT_OF_RANGE;
			CRM_TRY(crm_rfm_values_add(env, &distances, distance));
			CRM_TRY(crm_sum_add(parts, &part_count, distance));
		}
		crm_progress(env);
	}
	CRM_TRY(crm_rfm_values_borders(env, &distances, 2, &scale->mad));
	scale->mean_deviation = crm_sum_round(parts, part_count) / (double) values->total;
	return CRM_OK;
}

double
crm_robust_z(const crm_robust_scale *scale, double value)
{
	double		distance = value - scale->median;

	if (scale->mad > 0)
		return NORMAL_MAD * distance / scale->mad;
	if (scale->mean_deviation > 0)
		return NORMAL_MEAN_DEVIATION * distance / scale->mean_deviation;
	return distance == 0 ? 0 : distance > 0 ? INFINITY : -INFINITY;
}
