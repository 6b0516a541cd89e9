/*
 * attribution_solve.c - what a Markov chain of journeys leads to, with and
 * without each channel.
 *
 * The probability of converting from a state is that of converting next, plus
 * that of each next touch times the probability from there: one linear
 * equation a state.  Without a channel, whoever would touch it is lost: the
 * unknowns of its states are zero.
 */
#include "kernel/attribution_private.h"

#include <math.h>

/* The states of each channel: those that it touched last, as lists. */
typedef struct channel_states
{
	uint32_t   *first;			/* by rank, a state + 1, or 0 */
	uint32_t   *next;			/* by state */
} channel_states;

static crm_status
list_states(const crm_env *env, const crm_chain *chain, uint32_t channels, channel_states *lists)
{
	lists->first = env->alloc(env->arg, sizeof(uint32_t) * ((size_t) channels + 1));
	lists->next = env->alloc(env->arg, sizeof(uint32_t) * ((size_t) chain->count + 1));
	if (lists->first == NULL || lists->next == NULL)
		return CRM_NO_MEMORY;
	memset(lists->first, 0, sizeof(uint32_t) * ((size_t) channels + 1));
	for (uint32_t i = chain->count; i-- > 1;)
	{
		uint32_t	channel = chain->states[i].history[chain->states[i].length - 1];

		lists->next[i] = lists->first[channel];
		lists->first[channel] = i + 1;
	}
	return CRM_OK;
}

/* ---- elimination ------------------------------------------------------ */

/*
 * The inverse of I - Q in its place: element (i, j) becomes the number of
 * times that a journey at state i is expected to be at j.  No pivot has to be
 * looked for, as the matrix is dominated by its diagonal; one that vanishes
 * means a state that is never left, which no journeys give.
 */
static crm_status
invert(const crm_env *env, double *a, size_t n)
{
	for (size_t k = 0; k < n; k++)
	{
		double		pivot = a[k * n + k];

		if (!(pivot > 0))
			return CRM_CORRUPT;
		a[k * n + k] = 1;
		for (size_t j = 0; j < n; j++)
			a[k * n + j] /= pivot;
		for (size_t i = 0; i < n; i++)
		{
			double		factor = a[i * n + k];

			if (i == k || factor == 0)
				continue;
			a[i * n + k] = 0;
			for (size_t j = 0; j < n; j++)
				a[i * n + j] -= factor * a[k * n + j];
		}
		crm_progress(env);
	}
	return CRM_OK;
}

/* Solves a x = b of n unknowns into b, with pivots, destroying a. */
static crm_status
solve_dense(double *a, double *b, size_t n)
{
	for (size_t k = 0; k < n; k++)
	{
		size_t		best = k;

		for (size_t i = k + 1; i < n; i++)
			if (fabs(a[i * n + k]) > fabs(a[best * n + k]))
				best = i;
		if (a[best * n + k] == 0)
			return CRM_CORRUPT;
		for (size_t j = 0; best != k && j < n; j++)
		{
			double		kept = a[k * n + j];

			a[k * n + j] = a[best * n + j];
			a[best * n + j] = kept;
		}
		if (best != k)
		{
			double		kept = b[k];

			b[k] = b[best];
			b[best] = kept;
		}
		for (size_t i = k + 1; i < n; i++)
		{
			double		factor = a[i * n + k] / a[k * n + k];

			for (size_t j = k + 1; factor != 0 && j < n; j++)
				a[i * n + j] -= factor * a[k * n + j];
			b[i] -= factor * b[k];
		}
	}
	for (size_t k = n; k-- > 0;)
	{
		for (size_t j = k + 1; j < n; j++)
			b[k] -= a[k * n + j] * b[j];
		b[k] /= a[k * n + k];
	}
	return CRM_OK;
}

/*
 * What a channel's removal loses: each journey that reaches the channel, by
 * the state in which it does so first, times what is expected from there.
 * The visits to the channel's states are those first ones times the visits
 * that follow from them, which gives the first ones.
 */
crm_status
crm_chain_eliminate(const crm_env *env, const crm_chain *chain, uint32_t channels, double *conversions, double *value)
{
	size_t		n = chain->count;
	double	   *visits = env->alloc(env->arg, sizeof(double) * n * n);
	double	   *part = env->alloc(env->arg, sizeof(double) * n * n);
	double	   *converts = env->alloc(env->arg, sizeof(double) * n);
	double	   *earns = env->alloc(env->arg, sizeof(double) * n);
	double	   *reached = env->alloc(env->arg, sizeof(double) * n);
	uint32_t   *members = env->alloc(env->arg, sizeof(uint32_t) * n);
	channel_states lists;

	if (visits == NULL || part == NULL || converts == NULL || earns == NULL || reached == NULL || members == NULL)
		return CRM_NO_MEMORY;
	CRM_TRY(list_states(env, chain, channels, &lists));
	memset(visits, 0, sizeof(double) * n * n);
	for (size_t i = 0; i < n; i++)
	{
		for (uint32_t k = chain->states[i].from; k < chain->states[i + 1].from; k++)
			visits[i * n + chain->steps[k].to] = -chain->steps[k].probability;
		/* One less the probability of staying, without the digits that a subtraction would lose. */
		visits[i * n + i] = chain->states[i].leaves / chain->states[i].journeys;
	}
	CRM_TRY(invert(env, visits, n));
	for (size_t i = 0; i < n; i++)
	{
		converts[i] = 0;
		earns[i] = 0;
		for (size_t j = 0; j < n; j++)
		{
			converts[i] += visits[i * n + j] * chain->states[j].converts;
			earns[i] += visits[i * n + j] * chain->states[j].value;
		}
	}
	conversions[0] = converts[0];
	value[0] = earns[0];

	for (uint32_t c = 1; c <= channels; c++)
	{
		size_t		count = 0;

		for (uint32_t s = lists.first[c]; s > 0; s = lists.next[s - 1])
			members[count++] = s - 1;
		for (size_t i = 0; i < count; i++)
		{
			for (size_t j = 0; j < count; j++)
				part[i * count + j] = visits[(size_t) members[j] * n + members[i]];
			reached[i] = visits[members[i]];
		}
		CRM_TRY(solve_dense(part, reached, count));
		conversions[c] = 0;
		value[c] = 0;
		for (size_t i = 0; i < count; i++)
		{
			conversions[c] += reached[i] * converts[members[i]];
			value[c] += reached[i] * earns[members[i]];
		}
		crm_progress(env);
	}
	return CRM_OK;
}

/* ---- iteration -------------------------------------------------------- */

/* Difference of the bounds at the start, relative to what is expected there, that ends the iteration. */
#define CLOSE_ENOUGH 1e-12
/* The same when rounding keeps the bounds from coming closer. */
#define STILL_GOOD 1e-9

/* Bounds of what is expected from a state. */
typedef struct chain_bounds
{
	double		low_conversions;
	double		high_conversions;
	double		low_value;
	double		high_value;
} chain_bounds;

/* One state from those it leads to, by Gauss and Seidel's rule; whether anything changed. */
static inline bool
improve(const crm_chain *chain, uint32_t i, chain_bounds *bounds)
{
	const crm_chain_state *s = &chain->states[i];
	chain_bounds sum = {s->converts, s->converts, s->value, s->value};
	double		leaves = s->leaves / s->journeys;
	bool		changed;

	for (uint32_t k = s->from; k < s[1].from; k++)
	{
		const crm_chain_step *step = &chain->steps[k];
		const chain_bounds *to = &bounds[step->to];

		if (step->to == i)
			continue;
		sum.low_conversions += step->probability * to->low_conversions;
		sum.high_conversions += step->probability * to->high_conversions;
		sum.low_value += step->probability * to->low_value;
		sum.high_value += step->probability * to->high_value;
	}
	sum.low_conversions /= leaves;
	sum.high_conversions /= leaves;
	sum.low_value /= leaves;
	sum.high_value /= leaves;
	changed = memcmp(&sum, &bounds[i], sizeof(sum)) != 0;
	bounds[i] = sum;
	return changed;
}

static inline bool
is_close(const chain_bounds *start, double conversions, double value, double tolerance)
{
	return start->high_conversions - start->low_conversions <= conversions * tolerance &&
		start->high_value - start->low_value <= value * tolerance;
}

/*
 * Sweeps over the states until the bounds meet at the start.  Bounds that hold
 * come closer with each sweep and go on holding, so that the distance between
 * them is the greatest error, not an estimate of it.  The states of a channel
 * that is removed (rank 0: none) stay zero.
 */
static crm_status
sweep(const crm_env *env, const crm_chain *chain, uint32_t removed, double conversions, double value, chain_bounds *bounds)
{
	uint64_t	work = 0;

	for (uint32_t round = 0; round < CRM_ATTRIBUTION_MAX_SWEEPS; round++)
	{
		bool		changed = false;

		/* Now from the end to the start, now the other way: neither order is good for all chains. */
		for (uint32_t n = 0; n < chain->count; n++)
		{
			uint32_t	i = round % 2 == 0 ? chain->count - 1 - n : n;
			const crm_chain_state *s = &chain->states[i];

			if (removed > 0 && s->length > 0 && s->history[s->length - 1] == removed)
				continue;
			if (improve(chain, i, bounds))
				changed = true;
			work += s[1].from - s->from + 1;
			if (work > 65536)
			{
				crm_progress(env);
				work = 0;
			}
		}
		if (removed == 0)
		{
			conversions = bounds[0].low_conversions;
			value = bounds[0].low_value;
		}
		if (is_close(&bounds[0], conversions, value, CLOSE_ENOUGH))
			return CRM_OK;
		if (!changed)
			return is_close(&bounds[0], conversions, value, STILL_GOOD) ? CRM_OK : CRM_LIMIT;
	}
	return is_close(&bounds[0], conversions, value, STILL_GOOD) ? CRM_OK : CRM_LIMIT;
}

crm_status
crm_chain_iterate(const crm_env *env, const crm_chain *chain, uint32_t channels, double *conversions, double *value)
{
	chain_bounds *whole = env->alloc(env->arg, sizeof(chain_bounds) * (size_t) chain->count);
	chain_bounds *bounds = env->alloc(env->arg, sizeof(chain_bounds) * (size_t) chain->count);
	double		dearest = 0;

	if (whole == NULL || bounds == NULL)
		return CRM_NO_MEMORY;

	/* No state converts more than surely, or earns more than the dearest conversion. */
	for (uint32_t i = 0; i < chain->count; i++)
		if (chain->states[i].converts > 0)
			dearest = fmax(dearest, chain->states[i].value / chain->states[i].converts);
	for (uint32_t i = 0; i < chain->count; i++)
		whole[i] = (chain_bounds) {0, 1, 0, dearest};
	CRM_TRY(sweep(env, chain, 0, 0, 0, whole));
	conversions[0] = (whole[0].low_conversions + whole[0].high_conversions) / 2;
	value[0] = (whole[0].low_value + whole[0].high_value) / 2;

	/* Without a channel there is no more than with it. */
	for (uint32_t c = 1; c <= channels; c++)
	{
		for (uint32_t i = 0; i < chain->count; i++)
		{
			const crm_chain_state *s = &chain->states[i];

			if (s->length > 0 && s->history[s->length - 1] == c)
				bounds[i] = (chain_bounds) {0, 0, 0, 0};
			else
				bounds[i] = (chain_bounds) {0, whole[i].high_conversions, 0, whole[i].high_value};
		}
		CRM_TRY(sweep(env, chain, c, conversions[0], value[0], bounds));
		conversions[c] = fmax(conversions[0] - (bounds[0].low_conversions + bounds[0].high_conversions) / 2, 0);
		value[c] = fmax(value[0] - (bounds[0].low_value + bounds[0].high_value) / 2, 0);
	}
	return CRM_OK;
}

crm_status
crm_chain_solve(const crm_env *env, const crm_chain *chain, uint32_t channels, double *conversions, double *value)
{
	if (chain->count == 0)
		return CRM_OK;
	if (chain->count <= CRM_ATTRIBUTION_DENSE_STATES)
		return crm_chain_eliminate(env, chain, channels, conversions, value);
	return crm_chain_iterate(env, chain, channels, conversions, value);
}
