/*
 * attribution_chain.c - the Markov chain of journeys, built from the sums.
 *
 * A state is what was touched last: nothing at the start, then up to as many
 * touches as the order says.  From it a journey goes to its next touch, or
 * ends with a conversion or without.  Channels are numbered by rank here, and
 * states are in the order of their histories, so that the same journeys give
 * the same floats whatever order they came in.
 */
#include "kernel/attribution_private.h"

#include "kernel/sort.h"

typedef struct chain_key
{
	const uint32_t *ranks;		/* the history, then the next touch or 0 */
	uint32_t	length;			/* of the history */
	const crm_attribution_entry *entry;
} chain_key;

static int
compare_histories(const uint32_t *a, uint32_t a_length, const uint32_t *b, uint32_t b_length)
{
	for (uint32_t i = 0; i < a_length && i < b_length; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return (a_length > b_length) - (a_length < b_length);
}

static bool
key_before(const void *left, const void *right)
{
	const chain_key *a = left;
	const chain_key *b = right;
	int			order = compare_histories(a->ranks, a->length, b->ranks, b->length);

	return order < 0 || (order == 0 && a->ranks[a->length] < b->ranks[b->length]);
}

static crm_status
sorted_keys(const crm_attribution *state, const crm_env *env, const uint32_t *ranks, chain_key **result)
{
	uint32_t   *arena = env->alloc(env->arg, sizeof(uint32_t) * state->codes_used);
	chain_key  *keys = env->alloc(env->arg, sizeof(chain_key) * (size_t) state->count);
	chain_key  *sorted = env->alloc(env->arg, sizeof(chain_key) * (size_t) state->count);
	const void **order = env->alloc(env->arg, sizeof(void *) * (size_t) state->count);

	if (arena == NULL || keys == NULL || sorted == NULL || order == NULL)
		return CRM_NO_MEMORY;
	for (uint32_t i = 0; i < state->count; i++)
	{
		const crm_attribution_entry *entry = &state->entries[i];

		for (uint32_t k = 0; k < entry->length; k++)
			arena[entry->at + k] = ranks[state->codes[entry->at + k]];
		keys[i] = (chain_key) {arena + entry->at, entry->length - 1, entry};
		order[i] = &keys[i];
		if (i % 4096 == 4095)
			crm_progress(env);
	}
	CRM_TRY(crm_sort_pointers(env, order, state->count, key_before));
	for (uint32_t i = 0; i < state->count; i++)
	{
		sorted[i] = *(const chain_key *) order[i];
		if (i % 4096 == 4095)
			crm_progress(env);
	}
	env->release(env->arg, order);
	env->release(env->arg, keys);
	*result = sorted;
	return CRM_OK;
}

/* All journeys that took a step, converting or not. */
static crm_status
add_journeys(const crm_env *env, const crm_attribution_entry *entry, crm_exact *sum)
{
	CRM_TRY(crm_exact_merge(sum, env, &entry->sums[CRM_CONVERSIONS]));
	return crm_exact_merge(sum, env, &entry->sums[CRM_NON_CONVERSIONS]);
}

static crm_status
key_journeys(const crm_env *env, const crm_attribution_entry *entry, double *journeys)
{
	crm_exact	sum = {0};

	CRM_TRY(add_journeys(env, entry, &sum));
	*journeys = crm_exact_round(&sum);
	if (sum.room > 0)
		env->release(env->arg, sum.more);
	return CRM_OK;
}

/* The state of a history, by halving. */
static bool
find_state(const crm_chain *chain, const uint32_t *history, uint32_t length, uint32_t *found)
{
	uint32_t	low = 0;
	uint32_t	high = chain->count;

	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;
		int			order = compare_histories(chain->states[middle].history, chain->states[middle].length, history, length);

		if (order == 0)
		{
			*found = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* One state from the keys of its history, which are neighbours. */
static crm_status
build_state(const crm_env *env, crm_chain *chain, const chain_key *keys, uint32_t count)
{
	crm_chain_state *s = &chain->states[chain->count++];
	crm_exact	journeys = {0};

	for (uint32_t i = 0; i < count; i++)
		CRM_TRY(add_journeys(env, keys[i].entry, &journeys));
	*s = (crm_chain_state) {keys->ranks, keys->length, chain->step_count, crm_exact_round(&journeys), 0, 0, 0};
	if (journeys.room > 0)
		env->release(env->arg, journeys.more);
	if (!(s->journeys > 0))
		return CRM_CORRUPT;
	for (uint32_t i = 0; i < count; i++)
	{
		uint32_t	next = keys[i].ranks[keys[i].length];

		if (next == CRM_JOURNEY_ENDS)
		{
			s->converts = crm_exact_round(&keys[i].entry->sums[CRM_CONVERSIONS]) / s->journeys;
			s->value = crm_exact_round(&keys[i].entry->sums[CRM_VALUE]) / s->journeys;
			CRM_TRY(key_journeys(env, keys[i].entry, &s->leaves));
		}
		else
		{
			crm_chain_step *step = &chain->steps[chain->step_count++];

			step->next = next;
			CRM_TRY(key_journeys(env, keys[i].entry, &step->journeys));
			step->probability = step->journeys / s->journeys;
		}
	}
	return CRM_OK;
}

crm_status
crm_chain_build(const crm_attribution *state, const crm_env *env, const uint32_t *ranks, crm_chain *chain)
{
	chain_key  *keys;
	uint32_t   *history = env->alloc(env->arg, sizeof(uint32_t) * (CRM_ATTRIBUTION_MAX_ORDER + 1));

	chain->count = 0;
	chain->step_count = 0;
	chain->states = env->alloc(env->arg, sizeof(crm_chain_state) * ((size_t) state->count + 1));
	chain->steps = env->alloc(env->arg, sizeof(crm_chain_step) * ((size_t) state->count + 1));
	if (history == NULL || chain->states == NULL || chain->steps == NULL)
		return CRM_NO_MEMORY;
	CRM_TRY(sorted_keys(state, env, ranks, &keys));
	for (uint32_t i = 0, end; i < state->count; i = end)
	{
		for (end = i + 1; end < state->count; end++)
			if (compare_histories(keys[i].ranks, keys[i].length, keys[end].ranks, keys[end].length) != 0)
				break;
		CRM_TRY(build_state(env, chain, keys + i, end - i));
		if (i / 1024 != end / 1024)
			crm_progress(env);
	}
	chain->states[chain->count].from = chain->step_count;
	if (chain->count > 0 && chain->states[0].length > 0)
		return CRM_CORRUPT;

	/* A touch is appended to the history, and the oldest is forgotten. */
	for (uint32_t i = 0; i < chain->count; i++)
	{
		crm_chain_state *s = &chain->states[i];
		uint32_t	forgotten = s->length == state->method.order ? 1 : 0;

		memcpy(history, s->history + forgotten, (s->length - forgotten) * sizeof(uint32_t));
		for (uint32_t k = s->from; k < s[1].from; k++)
		{
			history[s->length - forgotten] = chain->steps[k].next;
			if (!find_state(chain, history, s->length - forgotten + 1, &chain->steps[k].to))
				return CRM_CORRUPT;
			if (chain->steps[k].to != i)
				s->leaves += chain->steps[k].journeys;
		}
		if (!(s->leaves > 0))
			return CRM_CORRUPT;
		if (i % 1024 == 1023)
			crm_progress(env);
	}
	return CRM_OK;
}

crm_status
crm_attribution_transitions(const crm_attribution *state, const crm_env *env,
							crm_attribution_transition **transitions, uint32_t *count)
{
	crm_attribution_name *names;
	uint32_t   *ranks;
	chain_key  *keys;
	crm_attribution_transition *out;
	crm_chain	chain;
	uint32_t	s = 0;

	CRM_TRY(crm_attribution_order(state, env, &names, &ranks));
	CRM_TRY(crm_chain_build(state, env, ranks, &chain));
	CRM_TRY(sorted_keys(state, env, ranks, &keys));
	/* The end of journeys may count twice: with a conversion and without. */
	out = env->alloc(env->arg, sizeof(*out) * ((size_t) state->count * 2 + 1));
	if (out == NULL)
		return CRM_NO_MEMORY;
	*transitions = out;
	*count = 0;
	for (uint32_t i = 0; i < state->count; i++)
	{
		const crm_attribution_entry *entry = keys[i].entry;
		crm_attribution_transition t = {state->codes + entry->at, keys[i].length, state->codes[entry->at + keys[i].length]};
		double		journeys[2];

		while (compare_histories(chain.states[s].history, chain.states[s].length, keys[i].ranks, keys[i].length) != 0)
			s++;
		if (t.next != CRM_JOURNEY_ENDS)
		{
			CRM_TRY(key_journeys(env, entry, &t.journeys));
			t.probability = t.journeys / chain.states[s].journeys;
			out[(*count)++] = t;
			continue;
		}
		journeys[0] = crm_exact_round(&entry->sums[CRM_CONVERSIONS]);
		journeys[1] = crm_exact_round(&entry->sums[CRM_NON_CONVERSIONS]);
		for (int k = 0; k < 2; k++)
		{
			if (journeys[k] == 0)
				continue;
			t.converts = k == 0;
			t.journeys = journeys[k];
			t.probability = journeys[k] / chain.states[s].journeys;
			out[(*count)++] = t;
		}
	}
	return CRM_OK;
}
