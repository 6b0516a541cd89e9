/*
 * test_funnel_summary.c - the deepest way through a funnel against a search
 * that tries every chain of events, one by one, for every period.
 */
#include "unit.h"

#include "kernel/funnel.h"
#include "kernel/funnel_summary.h"

#define MAX_EVENTS 12
#define MAX_STEPS 4
#define MAX_PERIODS 8

static uint64_t seed = 88172645463325252u;

static uint64_t
random_bits(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * UINT64_C(0x2545F4914F6CDD1D);
}

typedef struct answer
{
	int			level;
	int64_t		times[MAX_STEPS];
	uint32_t	label;
} answer;

static bool
better(const answer *a, const answer *b)
{
	if (a->level != b->level)
		return a->level > b->level;
	for (int i = 0; i < a->level; i++)
		if (a->times[i] != b->times[i])
			return a->times[i] < b->times[i];
	return a->label < b->label;
}

/* May "next" take the step behind the one that "last" took? */
static bool
pair_is_allowed(const crm_funnel_plan *plan, const crm_funnel_event *events, int count, int step,
				const crm_funnel_event *last, const crm_funnel_event *next)
{
	const crm_funnel_pair *pair = &plan->pair[step - 1];

	if (next->at < last->at || next->at - last->at < (int64_t) pair->least || (uint64_t) (next->at - last->at) > pair->most)
		return false;
	if (plan->hold && next->label != last->label)
		return false;
	for (int i = 0; i < count; i++)
	{
		if (events[i].at <= last->at || events[i].at >= next->at)
			continue;
		if (events[i].met & pair->excluded_any)
			return false;
		if ((events[i].met & pair->excluded) && (!plan->hold || events[i].label == last->label))
			return false;
	}
	return true;
}

/* All chains that begin as the one given, each an answer for the period of its first event. */
static void
try_chains(const crm_funnel_plan *plan, const crm_funnel_event *events, int count, const crm_funnel_event **chain, int length,
		   answer *best)
{
	answer		found = {length, {0}, CRM_FUNNEL_NO_LABEL};
	int			told = plan->breakdown == CRM_FUNNEL_BREAKDOWN_LAST ? length : plan->breakdown;

	if (length > 0)
	{
		for (int i = 0; i < length; i++)
			found.times[i] = chain[i]->at;
		if (told > 0 && told <= length)
			found.label = chain[told - 1]->label;
		if (better(&found, &best[chain[0]->period]))
			best[chain[0]->period] = found;
	}
	if (length == plan->steps)
		return;
	for (int i = 0; i < count; i++)
	{
		if (!(events[i].met >> length & 1) || (plan->hold && events[i].label == CRM_FUNNEL_NO_LABEL))
			continue;
		if (length > 0 && (events[i].at - chain[0]->at > (int64_t) plan->within ||
						   !pair_is_allowed(plan, events, count, length, chain[length - 1], &events[i])))
			continue;
		chain[length] = &events[i];
		try_chains(plan, events, count, chain, length + 1, best);
	}
}

static void
check_events(const crm_funnel_plan *plan, const crm_funnel_event *events, int count)
{
	crm_env		env = unit_env();
	const crm_funnel_event *chain[MAX_STEPS];
	answer		best[MAX_PERIODS];
	crm_funnel_path *paths;
	size_t		found;
	size_t		next = 0;
	bool		good = true;

	for (int i = 0; i < MAX_PERIODS; i++)
		best[i] = (answer) {0, {0}, CRM_FUNNEL_NO_LABEL};
	try_chains(plan, events, count, chain, 0, best);
	CHECK_EQUAL(crm_funnel_search(&env, plan, events, count, &paths, &found), CRM_OK);
	for (int period = 0; period < MAX_PERIODS; period++)
	{
		if (best[period].level == 0)
			continue;
		good = good && next < found && paths[next].period == period && paths[next].level == best[period].level &&
			paths[next].label == best[period].label &&
			memcmp(paths[next].times, best[period].times, best[period].level * sizeof(int64_t)) == 0;
		next++;
	}
	if (!CHECK(good && next == found))
	{
		fprintf(stderr, "steps %d, within %d, hold %d, breakdown %d;", plan->steps, (int) plan->within, plan->hold, plan->breakdown);
		for (int k = 0; k + 1 < plan->steps; k++)
			fprintf(stderr, " gap %d..%d not %x or %x", (int) plan->pair[k].least, (int) plan->pair[k].most,
					(int) plan->pair[k].excluded, (int) plan->pair[k].excluded_any);
		for (int i = 0; i < count; i++)
			fprintf(stderr, "; %d: %x period %d label %d", (int) events[i].at, (int) events[i].met, (int) events[i].period, (int) events[i].label);
		fprintf(stderr, "\n");
		for (size_t i = 0; i < found; i++)
			fprintf(stderr, "  found period %d level %d label %d from %d\n", (int) paths[i].period, paths[i].level, (int) paths[i].label,
					(int) paths[i].times[0]);
	}
	for (size_t i = 0; i < found; i++)
		free(paths[i].times);
	free(paths);
}

static void
plain_plan(crm_funnel_plan *plan, int steps, int within)
{
	memset(plan, 0, sizeof(*plan));
	plan->steps = steps;
	plan->within = within;
	for (int k = 0; k < CRM_MAX_CONDITIONS; k++)
		plan->pair[k].most = UINT64_MAX;
}

/* All sequences of so many events over two steps and one more condition, two attributes and none, under every plan of a list. */
static void
check_all(int count)
{
	crm_funnel_event events[MAX_EVENTS];
	crm_funnel_plan plans[8];
	long		total = 1;

	for (int i = 0; i < 8; i++)
		plain_plan(&plans[i], 2, i % 4 + 1);
	plans[1].pair[0].least = 1;
	plans[2].pair[0].most = 1;
	plans[3].pair[0].excluded = 4;
	plans[4].hold = true;
	plans[5].hold = true;
	plans[5].pair[0].excluded = 4;
	plans[6].hold = true;
	plans[6].pair[0].excluded_any = 4;
	plans[6].breakdown = 2;
	plans[7].pair[0].least = 1;
	plans[7].pair[0].most = 2;
	plans[7].pair[0].excluded = 4;
	plans[7].breakdown = CRM_FUNNEL_BREAKDOWN_LAST;
	for (int i = 0; i < count; i++)
		total *= i == 0 ? 16 : 32;
	for (long n = 0; n < total; n++)
	{
		long		rest = n;
		int64_t		at = 0;
		int			labels = 0;

		for (int i = 0; i < count; i++)
		{
			events[i].met = rest % 8;
			events[i].label = rest / 8 % 2;
			labels += events[i].label;
			rest /= 16;
			if (i > 0)
			{
				at += rest % 2;
				rest /= 2;
			}
			events[i].at = at;
			events[i].period = at / 2;
		}
		/* Four plans do not look at attributes. */
		for (int i = labels == 0 ? 0 : 4; i < 8; i++)
			check_events(&plans[i], events, count);
	}
}

/* All sequences of three steps at instants that follow each other, under every pair of gaps. */
static void
check_gaps(int count)
{
	crm_funnel_event events[MAX_EVENTS];
	crm_funnel_plan plan;
	long		total = 1;

	for (int i = 0; i < count; i++)
		total *= 4;
	for (long n = 0; n < total; n++)
	{
		for (int i = 0; i < count; i++)
			events[i] = (crm_funnel_event) {i, UINT64_C(1) << (n >> (2 * i) & 3), 0, CRM_FUNNEL_NO_LABEL};
		for (int gaps = 0; gaps < 36; gaps++)
		{
			plain_plan(&plan, 3, 3 + gaps % 4);
			plan.pair[0].least = gaps % 3;
			plan.pair[0].most = gaps % 3 + gaps / 3 % 2;
			plan.pair[1].least = gaps / 6 % 2;
			plan.pair[1].most = gaps / 6 % 2 + gaps / 12;
			plan.pair[gaps % 2].excluded = 8;
			check_events(&plan, events, count);
		}
	}
}

static void
check_random(void)
{
	for (int round = 0; round < 50000; round++)
	{
		crm_funnel_event events[MAX_EVENTS];
		crm_funnel_plan plan;
		int			steps = 1 + random_bits() % MAX_STEPS;
		int			count = random_bits() % (MAX_EVENTS + 1);
		int			width = 1 + random_bits() % 3;
		int			range = 2 + random_bits() % 14;
		uint64_t	others = random_bits() % 4 << steps;

		plain_plan(&plan, steps, random_bits() % 16);
		plan.hold = random_bits() % 2;
		plan.breakdown = (int) (random_bits() % (steps + 2)) - 1;
		for (int k = 0; k + 1 < steps; k++)
		{
			if (random_bits() % 2)
				plan.pair[k].least = random_bits() % 4;
			if (random_bits() % 2)
				plan.pair[k].most = random_bits() % 6;
			plan.pair[k].excluded = others & random_bits() & random_bits();
			plan.pair[k].excluded_any = others & random_bits() & random_bits();
		}
		for (int i = 0; i < count; i++)
		{
			events[i].at = random_bits() % range;
			events[i].met = random_bits() & random_bits() & 0x3f;
			if (random_bits() % 2)
				events[i].met = UINT64_C(1) << random_bits() % (steps + 1);
			events[i].period = events[i].at / (2 * width);
			events[i].label = random_bits() % 4;
			if (events[i].label == 3)
				events[i].label = CRM_FUNNEL_NO_LABEL;
		}
		check_events(&plan, events, count);
	}
}

/* Without restrictions the level is that of the plain funnel: many events, so that the tree of ends has several levels. */
static void
check_long(void)
{
	static crm_funnel_event events[20000];
	static crm_event plain[20000];
	crm_env		env = unit_env();

	for (int round = 0; round < 40; round++)
	{
		int			count = 1 + random_bits() % 20000;
		int			steps = 1 + random_bits() % 6;
		uint64_t	within = random_bits() % 40;
		crm_funnel_plan plan;
		crm_funnel_path *paths;
		size_t		found;
		int			level;
		int64_t		at = INT64_MIN;

		plain_plan(&plan, steps, 0);
		plan.within = within;
		for (int i = 0; i < count; i++)
		{
			at += random_bits() % 16 == 0 ? 0 : 1 + random_bits() % 8;
			plain[i] = (crm_event) {at, random_bits() % 3 == 0 ? UINT64_C(1) << random_bits() % (steps + 2) : 0};
			events[i] = (crm_funnel_event) {at, plain[i].met, 7, 0};
		}
		CHECK_EQUAL(crm_funnel_level(&env, plain, count, steps, within, 0, &level), CRM_OK);
		CHECK_EQUAL(crm_funnel_search(&env, &plan, events, count, &paths, &found), CRM_OK);
		CHECK_EQUAL(found == 0 ? 0 : paths[0].level, level);
		for (size_t i = 0; i < found; i++)
			free(paths[i].times);
		free(paths);

		/* Each event a period of its own: the level from each start is that of the events from it on that are in the window. */
		for (int i = 0; i < count; i++)
			events[i].period = events[i].at;
		CHECK_EQUAL(crm_funnel_search(&env, &plan, events, count, &paths, &found), CRM_OK);
		for (size_t i = 0; i < found; i++)
		{
			if (i % 97 == 0)
			{
				int			first = 0,
							last;

				while (plain[first].at < paths[i].period)
					first++;
				for (last = first; last < count && crm_time_between(plain[first].at, plain[last].at) <= within; last++)
					;
				CHECK_EQUAL(paths[i].times[0], paths[i].period);
				CHECK_EQUAL(crm_funnel_level(&env, plain + first, last - first, steps, 0, 0, &level), CRM_OK);
				{
					/* Starts behind the first one are not this period's. */
					static crm_event window[64];
					int			used = 0;

					for (int k = first; k < last; k++)
						if (plain[k].at == paths[i].period || !(plain[k].met & 1))
							window[used++] = plain[k];
						else
							window[used++] = (crm_event) {plain[k].at, plain[k].met & ~UINT64_C(1)};
					CHECK_EQUAL(crm_funnel_level(&env, window, used, steps, within, 0, &level), CRM_OK);
					CHECK_EQUAL(paths[i].level, level);
				}
			}
			free(paths[i].times);
		}
		free(paths);
	}
}

/* The widest times and 64 steps. */
static void
check_wide(void)
{
	crm_env		env = unit_env();
	crm_funnel_event events[64];
	crm_funnel_plan plan;
	crm_funnel_path *paths;
	size_t		found;

	plain_plan(&plan, 64, 0);
	plan.within = UINT64_MAX;
	for (int i = 0; i < 64; i++)
		events[63 - i] = (crm_funnel_event) {i == 63 ? INT64_MAX : INT64_MIN + i, UINT64_C(1) << i, 0, CRM_FUNNEL_NO_LABEL};
	CHECK_EQUAL(crm_funnel_search(&env, &plan, events, 64, &paths, &found), CRM_OK);
	CHECK_EQUAL(found, 1);
	CHECK_EQUAL(paths[0].level, 64);
	CHECK(paths[0].times[63] == INT64_MAX);
	free(paths[0].times);
	free(paths);
	plan.within = UINT64_MAX - 1;
	CHECK_EQUAL(crm_funnel_search(&env, &plan, events, 64, &paths, &found), CRM_OK);
	CHECK_EQUAL(paths[0].level, 63);
	free(paths[0].times);
	free(paths);
	CHECK_EQUAL(crm_funnel_search(&env, &plan, NULL, 0, &paths, &found), CRM_OK);
	CHECK_EQUAL(found, 0);
}

int
main(void)
{
	for (int count = 0; count <= 4; count++)
		check_all(count);
	for (int count = 1; count <= 6; count++)
		check_gaps(count);
	check_random();
	check_long();
	check_wide();
	return unit_done();
}
