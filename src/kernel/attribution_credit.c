/*
 * attribution_credit.c - from sums to credits that add up to the totals.
 */
#include "kernel/attribution_private.h"

#include <math.h>
#include <stdlib.h>

/* ---- the order of channels ------------------------------------------- */

static int
compare_names(const void *left, const void *right)
{
	const crm_attribution_name *a = left;
	const crm_attribution_name *b = right;
	uint32_t	shorter = a->length < b->length ? a->length : b->length;
	int			order = memcmp(a->text, b->text, shorter);

	return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

crm_status
crm_attribution_order(const crm_attribution *state, const crm_env *env, crm_attribution_name **names, uint32_t **ranks)
{
	uint32_t	count = state->channels.count;

	*names = env->alloc(env->arg, sizeof(crm_attribution_name) * ((size_t) count + 1));
	*ranks = env->alloc(env->arg, sizeof(uint32_t) * ((size_t) count + 1));
	if (*names == NULL || *ranks == NULL)
		return CRM_NO_MEMORY;
	for (uint32_t i = 0; i < count; i++)
	{
		const crm_value_entry *entry = &state->channels.entries[i];

		(*names)[i] = (crm_attribution_name) {entry->text, entry->length, i + 1};
	}
	qsort(*names, count, sizeof(crm_attribution_name), compare_names);
	(*ranks)[0] = 0;
	for (uint32_t i = 0; i < count; i++)
		(*ranks)[(*names)[i].code] = i + 1;
	return CRM_OK;
}

/* ---- shares ---------------------------------------------------------- */

/*
 * The part of a key's sum that its touch earns.  A touch of decay weighs
 * factor^distance of what all touches of its path weigh together.
 */
static double
touch_share(const crm_attribution_method *method, const uint32_t *key, uint32_t length, double sum)
{
	double		f = method->factor;

	switch (method->rule)
	{
		case CRM_ATTRIBUTION_LINEAR:
			return sum / key[1];
		case CRM_ATTRIBUTION_POSITION:
			if (key[1] == CRM_POSITION_WHOLE)
				return sum;
			if (key[1] == CRM_POSITION_HALF)
				return sum / 2;
			return key[1] == CRM_POSITION_END ? sum * 2 / 5 : sum / (5 * ((double) key[1] - 2));
		case CRM_ATTRIBUTION_DECAY:
			if (f == 1)
				return sum / key[2];
			/* (1 - f) / (1 - f^n); the numerator is exact from one half on */
			return sum * pow(f, key[1]) * (1 - f) / -expm1(key[2] * log(f));
		case CRM_ATTRIBUTION_SHAPLEY:
			/* A path's conversions are the dividend of its set of channels, which they share alike. */
			return sum / length;
		default:
			return sum;
	}
}

/* Credits by rules of position and by Shapley's value: exact sums of shares. */
static crm_status
add_shares(const crm_attribution *state, const crm_env *env, const uint32_t *ranks, crm_channel_credit *credits)
{
	crm_exact (*sums)[2];
	size_t		size = sizeof(*sums) * ((size_t) state->channels.count + 1);

	sums = env->alloc(env->arg, size);
	if (sums == NULL)
		return CRM_NO_MEMORY;
	memset(sums, 0, size);
	for (uint32_t i = 0; i < state->count; i++)
	{
		const crm_attribution_entry *entry = &state->entries[i];
		const uint32_t *key = state->codes + entry->at;
		uint32_t	touches = state->method.rule == CRM_ATTRIBUTION_SHAPLEY ? entry->length : 1;
		double		conversions = touch_share(&state->method, key, entry->length, crm_exact_round(&entry->sums[CRM_CONVERSIONS]));
		double		value = touch_share(&state->method, key, entry->length, crm_exact_round(&entry->sums[CRM_VALUE]));

		if (i % 1024 == 1023)
			crm_progress(env);
		for (uint32_t k = 0; k < touches; k++)
		{
			CRM_TRY(crm_exact_add(&sums[ranks[key[k]]][0], env, conversions));
			CRM_TRY(crm_exact_add(&sums[ranks[key[k]]][1], env, value));
		}
	}
	for (uint32_t i = 0; i < state->channels.count; i++)
	{
		credits[i].conversions = crm_exact_round(&sums[i + 1][0]);
		credits[i].value = crm_exact_round(&sums[i + 1][1]);
	}
	return CRM_OK;
}

/* Total without the journeys that nobody touched. */
static crm_status
touched_total(const crm_attribution *state, const crm_env *env, int which, double *total)
{
	crm_exact	sum = {0};
	const crm_exact *untouched = &state->untouched[which];
	const double *parts = untouched->room == 0 ? &untouched->first : untouched->more;

	CRM_TRY(crm_exact_merge(&sum, env, &state->totals[which]));
	for (uint32_t i = 0; i < untouched->count; i++)
		CRM_TRY(crm_exact_add(&sum, env, -parts[i]));
	*total = crm_exact_round(&sum);
	return *total < 0 ? CRM_CORRUPT : CRM_OK;
}

/* Credits in proportion to the effects of removal. */
static crm_status
share_by_effect(const crm_attribution *state, const crm_env *env, const uint32_t *ranks,
				crm_channel_credit *credits)
{
	uint32_t	count = state->channels.count;
	double	   *conversions = env->alloc(env->arg, sizeof(double) * ((size_t) count + 1));
	double	   *value = env->alloc(env->arg, sizeof(double) * ((size_t) count + 1));
	double		conversion_sum = 0,
				value_sum = 0,
				total_conversions,
				total_value;
	crm_chain	chain;

	if (conversions == NULL || value == NULL)
		return CRM_NO_MEMORY;
	memset(conversions, 0, sizeof(double) * ((size_t) count + 1));
	memset(value, 0, sizeof(double) * ((size_t) count + 1));
	CRM_TRY(crm_chain_build(state, env, ranks, &chain));
	CRM_TRY(crm_chain_solve(env, &chain, count, conversions, value));
	CRM_TRY(touched_total(state, env, CRM_CONVERSIONS, &total_conversions));
	CRM_TRY(touched_total(state, env, CRM_VALUE, &total_value));
	for (uint32_t i = 1; i <= count; i++)
	{
		conversion_sum += conversions[i];
		value_sum += value[i];
	}
	for (uint32_t i = 0; i < count; i++)
	{
		if (conversions[0] > 0)
			credits[i].conversion_effect = conversions[i + 1] / conversions[0];
		if (value[0] > 0)
			credits[i].value_effect = value[i + 1] / value[0];
		if (conversion_sum > 0)
			credits[i].conversions = total_conversions * (conversions[i + 1] / conversion_sum);
		if (value_sum > 0)
			credits[i].value = total_value * (value[i + 1] / value_sum);
	}
	return CRM_OK;
}

/* ---- adding up to the total ------------------------------------------- */

static inline double *
part_of(crm_channel_credit *credit, bool value)
{
	return value ? &credit->value : &credit->conversions;
}

/* How much rounding took from a part. */
typedef struct part_loss
{
	double		loss;			/* below 0: rounding gave */
	uint32_t	part;
} part_loss;

static int
compare_losses(const void *left, const void *right)
{
	const part_loss *a = left;
	const part_loss *b = right;

	if (a->loss != b->loss)
		return a->loss > b->loss ? -1 : 1;
	return (a->part > b->part) - (a->part < b->part);
}

/*
 * Rounds the parts to whole multiples of the total's last place, which floats
 * add without rounding up to 2^53 of them.  What is then missing goes, one
 * unit each, to the parts from which rounding took most; what is too much
 * comes from those to which it gave most.
 */
static crm_status
add_up(const crm_env *env, crm_channel_credit *credits, uint32_t count, double total, bool value)
{
	part_loss  *losses = env->alloc(env->arg, sizeof(part_loss) * ((size_t) count + 1));
	double		sum = 0,
				missing;
	int			exponent;

	if (losses == NULL)
		return CRM_NO_MEMORY;
	for (uint32_t i = 0; i < count; i++)
	{
		double		part = *part_of(&credits[i], value);

		if (!(part >= 0) || part > total * (1 + 1e-9))
			return CRM_CORRUPT;
		sum += part;
	}
	if (fabs(sum - total) > total * 1e-9)
		return CRM_CORRUPT;
	if (total == 0)
		return CRM_OK;

	frexp(total, &exponent);
	exponent -= 53;
	if (exponent < -1074)
		exponent = -1074;
	missing = ldexp(total, -exponent);
	for (uint32_t i = 0; i < count; i++)
	{
		double	   *part = part_of(&credits[i], value);
		double		units = ldexp(*part, -exponent);

		*part = rint(units);
		losses[i] = (part_loss) {units - *part, i};
		missing -= *part;
	}
	qsort(losses, count, sizeof(part_loss), compare_losses);
	while (missing != 0)
	{
		for (uint32_t i = 0; i < count && missing != 0; i++)
		{
			double	   *part = part_of(&credits[losses[missing > 0 ? i : count - 1 - i].part], value);
			double		unit = missing > 0 ? 1 : -1;

			if (*part + unit < 0)
				continue;
			*part += unit;
			missing -= unit;
		}
		crm_progress(env);
	}
	for (uint32_t i = 0; i < count; i++)
		*part_of(&credits[i], value) = ldexp(*part_of(&credits[i], value), exponent);
	return CRM_OK;
}

crm_status
crm_attribution_credits(const crm_attribution *state, const crm_env *env, crm_channel_credit **credits, uint32_t *count)
{
	uint32_t	channels = state->channels.count;
	size_t		size = sizeof(crm_channel_credit) * ((size_t) channels + 1);
	crm_attribution_name *names;
	uint32_t   *ranks;

	CRM_TRY(crm_attribution_order(state, env, &names, &ranks));
	*credits = env->alloc(env->arg, size);
	if (*credits == NULL)
		return CRM_NO_MEMORY;
	memset(*credits, 0, size);
	for (uint32_t i = 0; i < channels; i++)
	{
		(*credits)[i].name = names[i].text;
		(*credits)[i].length = names[i].length;
	}
	if (state->method.rule == CRM_ATTRIBUTION_MARKOV)
		CRM_TRY(share_by_effect(state, env, ranks, *credits));
	else
		CRM_TRY(add_shares(state, env, ranks, *credits));

	*count = channels;
	if (state->untouched[CRM_CONVERSIONS].count > 0)
	{
		crm_channel_credit *nobody = &(*credits)[(*count)++];

		nobody->conversions = crm_exact_round(&state->untouched[CRM_CONVERSIONS]);
		nobody->value = crm_exact_round(&state->untouched[CRM_VALUE]);
	}
	CRM_TRY(add_up(env, *credits, *count, crm_exact_round(&state->totals[CRM_CONVERSIONS]), false));
	return add_up(env, *credits, *count, crm_exact_round(&state->totals[CRM_VALUE]), true);
}
