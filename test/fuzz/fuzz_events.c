/*
 * fuzz_events.c - any bytes as the events of one customer, as states of funnels, of
 * paths and of demands may hold them: at any times there are, in any order.
 *
 * The first bytes choose steps, widths and bases; then come events of ten bytes and
 * less, few of them and close together, or at the ends of time.
 */
#include "fuzz.h"

#include "kernel/demands.h"
#include "kernel/funnel.h"
#include "kernel/funnel_summary.h"
#include "kernel/journey.h"
#include "kernel/next_node.h"

#define MOST_EVENTS 40

typedef struct events
{
	size_t		count;
	int			steps;
	uint64_t	within;
	crm_event	event[MOST_EVENTS];	/* sorted */
	uint8_t		extra[MOST_EVENTS];
} events;

/* Never the last number there is, which stands for "not at all". */
static int64_t
time_of(fuzz_input *in)
{
	uint8_t		first = (uint8_t) fuzz_take(in, 1);
	int64_t		at;

	if (first < 200)
		return first % 50;
	if (first < 225)
		return INT64_MIN + first % 3;
	if (first < 250)
		return INT64_MAX - 1 - first % 3;
	at = (int64_t) fuzz_take(in, 8);
	return at == INT64_MAX ? 0 : at;
}

static void
use_funnels(const events *e, const crm_env *env, unsigned mode)
{
	crm_funnel_walk walk = {.within = e->within};
	crm_funnel_plan plan = {.steps = e->steps, .breakdown = mode & 1 ? CRM_FUNNEL_BREAKDOWN_LAST : CRM_FUNNEL_NO_BREAKDOWN,
	.hold = mode & 1, .within = e->within};
	crm_funnel_event events[MOST_EVENTS];
	crm_funnel_path *paths;
	size_t		found;
	int			level,
				deepest = 0;

	for (size_t i = 0, end; i < e->count; i = end)
	{
		uint64_t	met = 0;

		for (end = i; end < e->count && e->event[end].at == e->event[i].at; end++)
			met |= e->event[end].met;
		crm_funnel_instant(&walk, e->event[i].at, met & (UINT64_MAX >> (64 - e->steps)));
		if (walk.level == e->steps)
			break;
	}
	REQUIRE(crm_funnel_level(env, e->event, e->count, e->steps, e->within, 0, &level) == CRM_OK);
	REQUIRE(level == walk.level);
	REQUIRE(crm_funnel_level(env, e->event, e->count, e->steps, e->within, mode & CRM_FUNNEL_MODES, &level) == CRM_OK);
	REQUIRE(level >= 0 && level <= e->steps);

	for (size_t i = 0; i < e->count; i++)
		events[i] = (crm_funnel_event) {e->event[i].at, e->event[i].met, e->extra[i] % 3, e->extra[i] % 5 == 0 ? CRM_FUNNEL_NO_LABEL : e->extra[i] % 5};
	for (int k = 0; k + 1 < e->steps; k++)
		plan.pair[k] = (crm_funnel_pair) {mode & 2 ? 1 : 0, mode & 4 ? 20 : UINT64_MAX, mode & 8 ? UINT64_C(1) << e->steps : 0,
			mode & 16 ? UINT64_C(2) << e->steps : 0};
	REQUIRE(crm_funnel_search(env, &plan, events, e->count, &paths, &found) == CRM_OK);
	for (size_t i = 0; i < found; i++)
	{
		REQUIRE(paths[i].level >= 1 && paths[i].level <= e->steps);
		REQUIRE(i == 0 || paths[i - 1].period < paths[i].period);
		for (int k = 1; k < paths[i].level; k++)
			REQUIRE(paths[i].times[k - 1] <= paths[i].times[k] && crm_time_between(paths[i].times[0], paths[i].times[k]) <= e->within);
		deepest = paths[i].level > deepest ? paths[i].level : deepest;
	}
	/* without restrictions it is the plain funnel, where an event may fill several steps */
	if ((mode & 31) == 0)
		REQUIRE(deepest == walk.level);
}

static void
use_paths(const events *e, const crm_env *env, unsigned mode)
{
	crm_touch	touches[MOST_EVENTS];
	crm_journey journeys[MOST_EVENTS + 1];
	size_t		places[MOST_EVENTS],
				kept[MOST_EVENTS];
	uint32_t	path[MOST_EVENTS],
				counts[8],
				sum = 0;
	size_t		count,
				left,
				again;

	for (size_t i = 0; i < e->count; i++)
		touches[i] = (crm_touch) {e->event[i].at, e->extra[i] % 8, e->extra[i] / 8 % 4 == 0};
	crm_journeys(env, touches, e->count, (int64_t) (e->within >> 1), places, journeys, &count);
	for (size_t i = 0; i < count; i++)
	{
		crm_journey *j = &journeys[i];
		size_t		length = j->to - j->from;

		REQUIRE(j->from <= j->to && j->to <= e->count && (j->converts || j->from < j->to) && (j->converts || i == count - 1));
		REQUIRE(!j->converts || touches[j->conversion].converts);
		for (size_t k = 0; k < length; k++)
		{
			REQUIRE(places[j->from + k] < e->count && touches[places[j->from + k]].channel > 0);
			path[k] = touches[places[j->from + k]].channel;
		}
		left = crm_journey_exposure(path, length, kept);
		for (size_t k = 1; k < left; k++)
			REQUIRE(kept[k - 1] < kept[k] && path[kept[k - 1]] != path[kept[k]]);
		left = crm_journey_first(path, length, kept, counts, 7);
		for (uint32_t k = sum = 0; k < 8; k++)
			sum += counts[k];
		REQUIRE(sum == length && left <= 7);
		left = crm_journey_drop(path, length, 1 + mode % 7, false, kept);
		again = crm_journey_drop(path, length, 1 + mode % 7, true, kept);
		REQUIRE(left <= again && again <= length && (length == 0 || left > 0));
	}
}

static void
use_next(const events *e, const crm_env *env, unsigned mode)
{
	static const char *const values[] = {"", "a", "ab", "b"};
	crm_node	nodes[2][MOST_EVENTS];
	const crm_node *next[2];

	for (size_t i = 0; i < e->count; i++)
	{
		const char *value = values[e->extra[i] / 2 % 4];

		nodes[0][i] = (crm_node) {e->event[i].at, e->event[i].met, e->extra[i] & 1, e->extra[i] / 8 % 5 == 0 ? NULL : value, strlen(value)};
		nodes[1][e->count - 1 - i] = nodes[0][i];
	}
	/* whatever order they come in */
	for (int k = 0; k < 2; k++)
		REQUIRE(crm_next_node(env, nodes[k], e->count, e->steps % 5, mode & 1, (crm_node_base) (mode / 2 % 4), &next[k]) == CRM_OK);
	REQUIRE((next[0] == NULL) == (next[1] == NULL));
	if (next[0] != NULL)
		REQUIRE(next[0]->at == next[1]->at && next[0]->met == next[1]->met && next[0]->base == next[1]->base && next[0]->value == next[1]->value);
}

static void
use_demands(const events *e, const crm_env *env, int64_t until)
{
	crm_demand_event all[2][MOST_EVENTS];
	crm_demand_tally tallies[4] = {{0}};
	size_t		counts[2] = {0};
	int64_t		within = (int64_t) (e->within >> 1);
	uint64_t	demands = 0,
				met = 0,
				met_plain = 0,
				plain = 0;

	for (size_t i = 0; i < e->count; i++)
	{
		bool		bought = e->extra[i] & 1;

		all[bought][counts[bought]++] = (crm_demand_event) {e->event[i].at, bought && e->extra[i] / 2 % 8 == 7 ? CRM_ANYTHING : e->extra[i] / 2 % 4};
	}
	REQUIRE(crm_demands_judge(env, all[0], counts[0], all[1], counts[1], 4, NULL, within, until, tallies) == CRM_OK);
	for (size_t i = 0; i < counts[0]; i++)
	{
		bool		is_met = false;

		if (all[0][i].at > until || crm_time_between(all[0][i].at, until) < (uint64_t) within)
			continue;
		plain++;
		for (size_t k = 0; k < counts[1] && !is_met; k++)
			is_met = all[1][k].at >= all[0][i].at && crm_time_between(all[0][i].at, all[1][k].at) <= (uint64_t) within &&
				(all[1][k].thing == CRM_ANYTHING || all[1][k].thing == all[0][i].thing);
		met_plain += is_met;
	}
	for (int i = 0; i < 4; i++)
	{
		demands += tallies[i].demands;
		met += tallies[i].met;
	}
	REQUIRE(demands == plain && met == met_plain);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	fuzz_input	in = {data, size};
	events		e = {0};
	unsigned	mode = (unsigned) fuzz_take(&in, 1);
	uint8_t		extra[MOST_EVENTS];
	uint64_t	packed[MOST_EVENTS];
	bool		packs = true;
	int64_t		until;

	e.steps = 1 + (int) fuzz_take(&in, 1) % 5;
	e.within = fuzz_take(&in, 1);
	if (e.within > 200)
		e.within = e.within % 2 ? UINT64_MAX : (uint64_t) fuzz_take(&in, 8);
	until = time_of(&in);
	for (; in.left > 0 && e.count < MOST_EVENTS; e.count++)
	{
		e.event[e.count].at = time_of(&in);
		e.event[e.count].met = fuzz_take(&in, 1);
		extra[e.count] = (uint8_t) fuzz_take(&in, 1);
	}
	for (size_t i = 0; i < e.count; i++)
	{
		packs = packs && crm_event_packs(&e.event[i]);
		packed[i] = crm_event_pack(&e.event[i]);
	}
	REQUIRE(crm_events_sort(&env, e.event, e.count) == CRM_OK);
	for (size_t i = 1; i < e.count; i++)
		REQUIRE(!crm_event_before(&e.event[i], &e.event[i - 1]));
	if (packs)
	{
		int			level;

		REQUIRE(crm_events_sort_packed(&env, packed, e.count) == CRM_OK);
		for (size_t i = 0; i < e.count; i++)
			REQUIRE(packed[i] == crm_event_pack(&e.event[i]));
		REQUIRE(crm_funnel_level(&env, e.event, e.count, e.steps, e.within, 0, &level) == CRM_OK);
		REQUIRE(crm_funnel_level_packed(&env, packed, e.count, e.steps, e.within) == level);
	}
	memcpy(e.extra, extra, sizeof(extra[0]) * e.count);
	use_funnels(&e, &env, mode);
	use_paths(&e, &env, mode);
	use_next(&e, &env, mode);
	use_demands(&e, &env, until);
	unit_pool_free(&pool);
	return 0;
}
