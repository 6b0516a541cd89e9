/*
 * kmeans_space.c - distances of a row from all centers.
 *
 * Eight centers are compared at once, one in each lane: a row needs no other
 * layout than its own, and what a lane computes is the same whatever the width of
 * the processor's registers.
 */
#include "kernel/kmeans.h"

#include <math.h>

#define LANES CRM_KMEANS_LANES

crm_status
crm_kmeans_space_open(crm_kmeans_space *space, const crm_env *env, uint32_t groups, uint32_t features)
{
	size_t		size;

	memset(space, 0, sizeof(*space));
	space->groups = groups;
	space->padded = (groups + LANES - 1) / LANES * LANES;
	space->features = features;
	size = sizeof(double) * ((size_t) space->padded * features + 1);
	space->centers = env->alloc(env->arg, size);
	if (space->centers == NULL)
		return CRM_NO_MEMORY;
	memset(space->centers, 0, size);
	return CRM_OK;
}

CRM_TARGET_CLONES_512F static void
plain_distances(const double *restrict centers, size_t padded, uint32_t features, const double *restrict x, double *restrict distances)
{
	for (size_t c = 0; c < padded; c += LANES)
	{
		const double *center = centers + c;
		double		sum[LANES] = {0};

		for (uint32_t j = 0; j < features; j++)
		{
			for (int l = 0; l < LANES; l++)
			{
				double		d = x[j] - center[l];

				sum[l] += d * d;
			}
			center += padded;
		}
		memcpy(distances + c, sum, sizeof(sum));
	}
}

CRM_TARGET_CLONES_512F static void
scaled_distances(const double *restrict centers, size_t padded, uint32_t features, const double *restrict scales,
				 const double *restrict x, double *restrict distances)
{
	for (size_t c = 0; c < padded; c += LANES)
	{
		const double *center = centers + c;
		double		sum[LANES] = {0};

		for (uint32_t j = 0; j < features; j++)
		{
			for (int l = 0; l < LANES; l++)
			{
				double		d = (x[j] - center[l]) * scales[j];

				sum[l] += d * d;
			}
			center += padded;
		}
		memcpy(distances + c, sum, sizeof(sum));
	}
}

/* With categories and with features that the row lacks. */
static void
mixed_distances(const crm_kmeans_space *space, const double *x, double *distances)
{
	for (uint32_t c = 0; c < space->padded; c++)
		distances[c] = 0;
	for (uint32_t j = 0; j < space->features; j++)
	{
		const double *center = space->centers + (size_t) j * space->padded;
		double		scale = space->scales == NULL ? 1 : space->scales[j];

		if (isnan(x[j]))
			continue;
		if (space->categorical != NULL && space->categorical[j])
			for (uint32_t c = 0; c < space->padded; c++)
				distances[c] += x[j] != center[c] ? space->gamma : 0;
		else
			for (uint32_t c = 0; c < space->padded; c++)
			{
				double		d = (x[j] - center[c]) * scale;

				distances[c] += d * d;
			}
	}
}

void
crm_kmeans_distances(const crm_kmeans_space *space, const double *x, bool gaps, double *distances)
{
	if (gaps || space->categorical != NULL)
		mixed_distances(space, x, distances);
	else if (space->scales != NULL)
		scaled_distances(space->centers, space->padded, space->features, space->scales, x, distances);
	else
		plain_distances(space->centers, space->padded, space->features, x, distances);
}

uint32_t
crm_kmeans_nearest_two(const double *distances, uint32_t groups, uint32_t *second)
{
	uint32_t	nearest = 0;
	uint32_t	next = groups;

	for (uint32_t c = 1; c < groups; c++)
		if (distances[c] < distances[nearest])
		{
			next = nearest;
			nearest = c;
		}
		else if (next == groups || distances[c] < distances[next])
			next = c;
	*second = next;
	return nearest;
}
