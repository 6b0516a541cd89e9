/*
 * robust.c - medians, slopes and seasons.
 */
#include "kernel/robust.h"

#include <math.h>

/* Moves the k-th smallest, from 0, to its place: smaller ones before it, greater ones behind (Hoare's selection). */
#define DEFINE_SELECT(name, type) \
static void \
name(type *values, size_t count, size_t k) \
{ \
	size_t		low = 0; \
	size_t		high = count - 1; \
\
	while (low < high) \
	{ \
		type		a = values[low]; \
		type		b = values[low + (high - low) / 2]; \
		type		c = values[high]; \
		/* The middle one of three, so that runs in order are no worst case. */ \
		type		pivot = a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b); \
		size_t		i = low - 1; \
		size_t		j = high + 1; \
\
		for (;;) \
		{ \
			type		swap; \
\
			do \
				i++; \
			while (values[i] < pivot); \
			do \
				j--; \
			while (pivot < values[j]); \
			if (i >= j) \
				break; \
			swap = values[i]; \
			values[i] = values[j]; \
			values[j] = swap; \
		} \
		/* All up to j are at most the pivot, all behind at least; a middle one of three, it leaves j before the end. */ \
		if (k <= j) \
			high = j; \
		else \
			low = j + 1; \
	} \
}

DEFINE_SELECT(select_number, double)
DEFINE_SELECT(select_whole, uint64_t)

double
crm_median(double *values, size_t count)
{
	double		upper;
	double		lower;

	select_number(values, count, count / 2);
	upper = values[count / 2];
	if (count % 2 == 1)
		return upper;
	lower = values[0];
	for (size_t i = 1; i < count / 2; i++)
		if (values[i] > lower)
			lower = values[i];
	/* Half of each first: the sum of two large ones may be too large. */
	return lower / 2 + upper / 2;
}

uint64_t
crm_median_whole(uint64_t *values, size_t count)
{
	uint64_t	upper;
	uint64_t	lower;

	select_whole(values, count, count / 2);
	upper = values[count / 2];
	if (count % 2 == 1)
		return upper;
	lower = values[0];
	for (size_t i = 1; i < count / 2; i++)
		if (values[i] > lower)
			lower = values[i];
	return lower + (upper - lower) / 2;
}

crm_status
crm_robust_slope(const crm_env *env, const double *values, size_t count, size_t season, double *slope)
{
	size_t		step = season > 1 ? season : 1;
	size_t		room = 0;
	size_t		pairs = 0;
	double	   *slopes;

	for (size_t apart = step; apart < count; apart += step)
		room += count - apart;
	slopes = env->alloc(env->arg, room * sizeof(double));
	if (slopes == NULL)
		return CRM_NO_MEMORY;
	for (size_t apart = step; apart < count; apart += step)
	{
		crm_progress(env);
		for (size_t i = 0; i + apart < count; i++)
			slopes[pairs++] = (values[i + apart] - values[i]) / (double) apart;
	}
	*slope = crm_median(slopes, pairs);
	env->release(env->arg, slopes);
	return CRM_OK;
}

crm_status
crm_seasonal_ratios(const crm_env *env, const double *values, size_t count, size_t season, size_t first_place,
					double *ratios, bool *found)
{
	size_t		half = season / 2;
	double	   *of_place = env->alloc(env->arg, (count / season + 1) * sizeof(double));
	double		total = 0;

	if (of_place == NULL)
		return CRM_NO_MEMORY;
	*found = true;
	for (size_t place = 0; place < season && *found; place++)
	{
		size_t		there = 0;

		/* The first value at this place, and then one in each season. */
		for (size_t i = (place + season - first_place) % season; i + half < count; i += season)
		{
			double		average = 0;

			if (i < half)
				continue;
			/* An even season has no middle: its two ends count half. */
			for (size_t j = i - half; j <= i + half; j++)
				average += values[j] * (season % 2 == 0 && (j == i - half || j == i + half) ? 0.5 : 1);
			average /= (double) season;
			if (average > 0)
				of_place[there++] = values[i] / average;
		}
		if (there == 0)
			*found = false;
		else
			total += ratios[place] = crm_median(of_place, there);
	}
	env->release(env->arg, of_place);
	if (!*found || !(total > 0) || !isfinite(total))
		*found = false;
	else
		for (size_t place = 0; place < season; place++)
			ratios[place] *= (double) season / total;
	return CRM_OK;
}
