/*
 * survival.c - Kaplan-Meier and log-rank.
 */
#include "kernel/survival.h"

#include <math.h>

#include "kernel/optimize.h"
#include "kernel/special.h"

#define PROGRESS_COUNTS 65536

crm_status
crm_kaplan_meier(const crm_env *env, const crm_survival_count *counts, size_t n, double confidence,
				 crm_survival_point **points, size_t *point_count)
{
	double		z = crm_normal_quantile(0.5 + confidence / 2);
	double		survival = 1;
	double		variance = 0;
	uint64_t	at_risk = 0;

	*point_count = 0;
	*points = env->alloc(env->arg, sizeof(crm_survival_point) * (n + 1));
	if (*points == NULL)
		return CRM_NO_MEMORY;
	for (size_t i = 0; i < n; i++)
		at_risk += counts[i].events + counts[i].censored;
	for (size_t i = 0; i < n;)
	{
		uint64_t	events = 0;
		uint64_t	gone = 0;
		double		time = counts[i].time;

		for (; i < n && counts[i].time == time; i++)
		{
			if (i % PROGRESS_COUNTS == 0)
				crm_progress(env);
			events += counts[i].events;
			gone += counts[i].events + counts[i].censored;
		}
		if (events > 0)
		{
			crm_survival_point *point = &(*points)[(*point_count)++];

			survival *= (double) (at_risk - events) / (double) at_risk;
			variance += (double) events / ((double) at_risk * (double) (at_risk - events));
			*point = (crm_survival_point) {time, at_risk, events, survival, NAN, NAN};
			if (survival > 0)
			{
				point->lower = survival * exp(-z * sqrt(variance));
				point->upper = fmin(1, survival * exp(z * sqrt(variance)));
			}
		}
		at_risk -= gone;
	}
	return CRM_OK;
}

/* At one time: what each group's events are, and should be. */
static void
compare_at(const uint64_t *at_risk, const uint64_t *events, uint32_t groups, double weight, crm_log_rank *result, double *covariance)
{
	double		risk = 0;
	double		died = 0;
	double		spread;

	for (uint32_t g = 0; g < groups; g++)
	{
		risk += (double) at_risk[g];
		died += (double) events[g];
	}
	if (died == 0)
		return;
	spread = risk > 1 ? weight * weight * died * (risk - died) / (risk - 1) : 0;
	for (uint32_t g = 0; g < groups; g++)
	{
		double		share = (double) at_risk[g] / risk;

		result->observed[g] += weight * (double) events[g];
		result->expected[g] += weight * died * share;
		for (uint32_t h = 0; h < groups; h++)
			covariance[(size_t) g * groups + h] += spread * share * ((g == h) - (double) at_risk[h] / risk);
	}
}

/* The quadratic form of the differences over all groups but the last of those that can be compared. */
static crm_status
conclude(const crm_env *env, uint32_t groups, const double *covariance, crm_log_rank *result)
{
	uint32_t   *used = env->alloc(env->arg, sizeof(uint32_t) * (groups + 1));
	double	   *inverse = env->alloc(env->arg, sizeof(double) * ((size_t) groups * groups + 1));
	uint32_t	n = 0;

	if (used == NULL || inverse == NULL)
		return CRM_NO_MEMORY;
	for (uint32_t g = 0; g < groups; g++)
		if (result->expected[g] > 0)
			used[n++] = g;
	result->chi_square = result->p_value = NAN;
	result->degrees = n > 0 ? n - 1 : 0;
	if (n < 2)
		return CRM_OK;
	n--;
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < n; j++)
			inverse[(size_t) i * n + j] = covariance[(size_t) used[i] * groups + used[j]];
	if (!crm_invert_definite(inverse, (int) n))
		return CRM_OK;
	result->chi_square = 0;
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < n; j++)
			result->chi_square += (result->observed[used[i]] - result->expected[used[i]]) * inverse[(size_t) i * n + j] *
				(result->observed[used[j]] - result->expected[used[j]]);
	result->p_value = crm_chi2_sf(n, result->chi_square);
	return CRM_OK;
}

crm_status
crm_log_rank_test(const crm_env *env, const crm_survival_count *counts, size_t n, uint32_t groups,
				  double rho, crm_log_rank *result)
{
	uint64_t   *at_risk = env->alloc(env->arg, sizeof(uint64_t) * (groups + 1));
	uint64_t   *events = env->alloc(env->arg, sizeof(uint64_t) * (groups + 1));
	uint64_t   *gone = env->alloc(env->arg, sizeof(uint64_t) * (groups + 1));
	double	   *covariance = env->alloc(env->arg, sizeof(double) * ((size_t) groups * groups + 1));
	double		survival = 1;
	uint64_t	all = 0;

	result->observed = env->alloc(env->arg, sizeof(double) * (groups + 1));
	result->expected = env->alloc(env->arg, sizeof(double) * (groups + 1));
	if (at_risk == NULL || events == NULL || gone == NULL || covariance == NULL || result->observed == NULL || result->expected == NULL)
		return CRM_NO_MEMORY;
	memset(at_risk, 0, sizeof(uint64_t) * groups);
	memset(covariance, 0, sizeof(double) * groups * groups);
	for (uint32_t g = 0; g < groups; g++)
		result->observed[g] = result->expected[g] = 0;
	for (size_t i = 0; i < n; i++)
	{
		at_risk[counts[i].group] += counts[i].events + counts[i].censored;
		all += counts[i].events + counts[i].censored;
	}
	for (size_t i = 0; i < n;)
	{
		double		time = counts[i].time;
		uint64_t	died = 0;
		uint64_t	left = 0;

		memset(events, 0, sizeof(uint64_t) * groups);
		memset(gone, 0, sizeof(uint64_t) * groups);
		crm_progress(env);
		for (; i < n && counts[i].time == time; i++)
		{
			events[counts[i].group] += counts[i].events;
			gone[counts[i].group] += counts[i].events + counts[i].censored;
			died += counts[i].events;
			left += counts[i].events + counts[i].censored;
		}
		compare_at(at_risk, events, groups, pow(survival, rho), result, covariance);
		survival *= (double) (all - died) / (double) all;
		all -= left;
		for (uint32_t g = 0; g < groups; g++)
			at_risk[g] -= gone[g];
	}
	return conclude(env, groups, covariance, result);
}
