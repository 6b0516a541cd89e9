/*
 * sequence.c - matching of patterns.
 *
 * A pattern is a row of states, one for each of its events, and all states
 * that are possible are followed at once.  What a state has to remember of the
 * past is bounded by what its gap asks for, so the cost is events times length
 * of the pattern, whatever both are: there is nothing to go back to.
 */
#include "kernel/sequence.h"

#define PROGRESS_STEP 4096

/*
 * The times at which a state was reached, as far as the next gap still needs
 * them: the earliest where only a least time is asked for, the latest where
 * only a most, all within the most where both are (times at a ring's places).
 */
typedef struct reached
{
	bool		any;
	bool		last;			/* reached by the event just before the current one */
	int64_t		time;
	int64_t    *ring;
	size_t		room;
	size_t		first;
	size_t		used;
} reached;

typedef struct machine
{
	const crm_env *env;
	const crm_pattern *pattern;
	int			deepest;		/* states from here on were not reached */
	reached    *state;			/* by element */
} machine;

static inline bool
fits(const crm_pattern_element *element, const crm_event *event)
{
	return element->condition == 0 || (event->met >> (element->condition - 1) & 1) != 0;
}

static inline bool
needs_ring(const crm_pattern_element *element)
{
	return element->least > 0 && element->most < UINT64_MAX;
}

/* May the event come after the state, by the gap of the element behind it? */
static bool
follows(reached *state, const crm_pattern_element *element, int64_t at)
{
	if (!element->gap)
		return state->last;
	if (element->least > element->most)
		return false;
	if (needs_ring(element))
	{
		while (state->used > 0 && crm_time_between(state->ring[state->first], at) > element->most)
		{
			state->first = (state->first + 1) % state->room;
			state->used--;
		}
		return state->used > 0 && crm_time_between(state->ring[state->first], at) >= element->least;
	}
	if (!state->any)
		return false;
	return element->least > 0 ? crm_time_between(state->time, at) >= element->least :
		crm_time_between(state->time, at) <= element->most;
}

/* The state is reached at this time; "next" is the element behind it. */
static crm_status
reach(machine *m, reached *state, const crm_pattern_element *next, int64_t at)
{
	if (needs_ring(next))
	{
		if (state->used > 0 && state->ring[(state->first + state->used - 1) % state->room] == at)
			return CRM_OK;
		if (state->used == state->room)
		{
			size_t		room = state->room == 0 ? 16 : state->room * 2;
			int64_t    *ring = m->env->alloc(m->env->arg, room * sizeof(int64_t));

			if (ring == NULL)
				return CRM_NO_MEMORY;
			for (size_t i = 0; i < state->used; i++)
				ring[i] = state->ring[(state->first + i) % state->room];
			if (state->ring != NULL)
				m->env->release(m->env->arg, state->ring);
			state->ring = ring;
			state->room = room;
			state->first = 0;
		}
		state->ring[(state->first + state->used++) % state->room] = at;
	}
	else if (next->least == 0 || !state->any)
		state->time = at;
	state->any = true;
	return CRM_OK;
}

/* Nothing was seen yet; rings are kept for later. */
static void
forget(machine *m)
{
	for (int i = 0; i < m->deepest; i++)
	{
		m->state[i].any = m->state[i].last = false;
		m->state[i].first = m->state[i].used = 0;
	}
	m->deepest = 0;
}

/* One event; says whether it ends a match.  From the last state on, so that no event follows itself. */
static crm_status
step(machine *m, const crm_event *event, bool *matched)
{
	const crm_pattern_element *element = m->pattern->element;
	int			last = m->pattern->count - 1;

	*matched = false;
	for (int i = m->deepest < last ? m->deepest : last; i >= 0; i--)
	{
		bool		now = fits(&element[i], event) && (i == 0 || follows(&m->state[i - 1], &element[i], event->at));

		if (now && i == last)
		{
			*matched = true;
			return CRM_OK;
		}
		if (i == last)
			continue;
		m->state[i].last = now;
		if (now)
		{
			CRM_TRY(reach(m, &m->state[i], &element[i + 1], event->at));
			if (m->deepest <= i)
				m->deepest = i + 1;
		}
	}
	return CRM_OK;
}

crm_status
crm_sequence_count(const crm_env *env, const crm_pattern *pattern, const crm_event *events, size_t count,
				   uint64_t most, uint64_t *matches)
{
	machine		m = {env, pattern, 0, NULL};
	crm_status	status = CRM_OK;

	/* A pattern that asks for no event matches each one. */
	*matches = 0;
	if (pattern->count == 0)
	{
		*matches = count < most ? count : most;
		return CRM_OK;
	}
	m.state = env->alloc(env->arg, pattern->count * sizeof(reached));
	if (m.state == NULL)
		return CRM_NO_MEMORY;
	memset(m.state, 0, pattern->count * sizeof(reached));
	for (size_t i = 0; i < count && *matches < most; i++)
	{
		bool		matched;

		status = step(&m, &events[i], &matched);
		if (status != CRM_OK)
			break;
		if (matched)
		{
			(*matches)++;
			forget(&m);
		}
		if (i % PROGRESS_STEP == 0)
			crm_progress(env);
	}
	for (int i = 0; i < pattern->count; i++)
		if (m.state[i].ring != NULL)
			env->release(env->arg, m.state[i].ring);
	env->release(env->arg, m.state);
	return status;
}

/* ---- the events of a match ------------------------------------------------ */

static inline bool
get_bit(const uint64_t *bits, size_t i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

/* May event i follow event k by the gap of the element that event i fills? */
static inline bool
may_follow(const crm_pattern_element *element, const crm_event *events, size_t k, size_t i)
{
	uint64_t	between = crm_time_between(events[k].at, events[i].at);

	if (!element->gap)
		return k + 1 == i;
	return between >= element->least && between <= element->most;
}

/*
 * All events at which a state is reached, from those of the state before: two
 * places that only move on enclose the earlier events whose time fits, and
 * it is counted how many of them reached the state before.
 */
static bool
next_state(const crm_env *env, const crm_pattern_element *element, const crm_event *events, size_t count,
		   const uint64_t *before, uint64_t *now)
{
	size_t		low = 0,
				high = 0,
				inside = 0;
	bool		any = false;

	for (size_t i = 0; i < count; i++)
	{
		bool		good;

		if (i % PROGRESS_STEP == 0)
			crm_progress(env);
		if (before == NULL)
			good = true;
		else if (!element->gap)
			good = i > 0 && get_bit(before, i - 1);
		else if (element->least > element->most)
			good = false;
		else
		{
			for (; high < i && crm_time_between(events[high].at, events[i].at) >= element->least; high++)
				inside += get_bit(before, high);
			for (; low < high && crm_time_between(events[low].at, events[i].at) > element->most; low++)
				inside -= get_bit(before, low);
			good = inside > 0;
		}
		if (good && fits(element, &events[i]))
		{
			now[i / 64] |= UINT64_C(1) << (i % 64);
			any = true;
		}
	}
	return any;
}

crm_status
crm_sequence_events(const crm_env *env, const crm_pattern *pattern, const crm_event *events, size_t count,
					int64_t *times, int *found)
{
	size_t		words = count / 64 + 1;
	uint64_t   *bits[CRM_PATTERN_MAX_ELEMENTS];
	int			length = 0,
				made = 0;
	crm_status	status = CRM_OK;

	*found = 0;
	while (length < pattern->count)
	{
		bits[made] = env->alloc(env->arg, words * sizeof(uint64_t));
		if (bits[made] == NULL)
		{
			status = CRM_NO_MEMORY;
			break;
		}
		memset(bits[made++], 0, words * sizeof(uint64_t));
		if (!next_state(env, &pattern->element[length], events, count, length > 0 ? bits[length - 1] : NULL, bits[length]))
			break;
		length++;
	}
	if (status == CRM_OK && length > 0)
	{
		size_t		at = 0;

		while (!get_bit(bits[length - 1], at))
			at++;
		for (int i = length - 1; i >= 0; i--)
		{
			size_t		earlier = pattern->element[i].gap || at == 0 ? 0 : at - 1;

			if (pattern->element[i].condition != 0)
				times[(*found)++] = events[at].at;
			if (i == 0)
				break;
			while (!get_bit(bits[i - 1], earlier) || !may_follow(&pattern->element[i], events, earlier, at))
				if (++earlier % PROGRESS_STEP == 0)
					crm_progress(env);
			at = earlier;
		}
		for (int i = 0; i < *found / 2; i++)
		{
			int64_t		swap = times[i];

			times[i] = times[*found - 1 - i];
			times[*found - 1 - i] = swap;
		}
	}
	while (made > 0)
		env->release(env->arg, bits[--made]);
	return status;
}
