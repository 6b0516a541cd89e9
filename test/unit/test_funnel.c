/*
 * test_funnel.c - every mode of the funnel against a search of all chains.
 *
 * The oracle follows doc/behavior.md word by word and shares no code: events
 * become a list of meetings (an event and one condition that it meets), the
 * level after each is found by trying all chains of meetings, and the rules by
 * which a mode stops are applied to those levels.
 */
#include "unit.h"

#include "kernel/funnel.h"

#define MAX_MEETINGS 64

typedef struct meeting
{
	int64_t		at;
	int			condition;		/* 0: the event meets none */
	int			event;
} meeting;

static uint64_t seed = 88172645463325252u;

static uint64_t
random_bits(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * UINT64_C(0x2545F4914F6CDD1D);
}

static int
compare_meetings(const void *left, const void *right)
{
	const meeting *a = left;
	const meeting *b = right;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return a->condition != b->condition ? a->condition - b->condition : a->event - b->event;
}

static int
list_meetings(const crm_event *events, int count, int conditions, meeting *list)
{
	int			used = 0;

	for (int i = 0; i < count; i++)
	{
		if (events[i].met == 0)
			list[used++] = (meeting) {events[i].at, 0, i};
		for (int c = 1; c <= conditions; c++)
			if (events[i].met >> (c - 1) & 1)
				list[used++] = (meeting) {events[i].at, c, i};
	}
	qsort(list, used, sizeof(meeting), compare_meetings);
	return used;
}

/* For each prefix of the list the longest chain in it, into longest[number of meetings]. */
static void
try_chains(const meeting *list, int count, int within, unsigned mode, int next, int length, int first, int last,
		   uint64_t used, int *longest)
{
	for (int i = next; i < count; i++)
	{
		if (list[i].condition != length + 1)
			continue;
		if (length > 0 && list[i].at - list[first].at > within)
			continue;
		if (length > 0 && (mode & CRM_FUNNEL_INCREASE) && list[i].at <= list[last].at)
			continue;
		if ((mode & CRM_FUNNEL_ONCE) && (used >> list[i].event & 1))
			continue;
		for (int k = i + 1; k <= count && longest[k] < length + 1; k++)
			longest[k] = length + 1;
		try_chains(list, count, within, mode, i + 1, length + 1, length > 0 ? first : i, i,
				   used | UINT64_C(1) << list[i].event, longest);
	}
}

static int
stopped_level(const meeting *list, int count, int conditions, unsigned mode, const int *longest)
{
	for (int i = 0; i < count;)
	{
		int			c = list[i].condition;
		int			level = longest[i];
		int			end = i;

		while (end < count && list[end].at == list[i].at && list[end].condition == c)
			end++;
		if (level == conditions)
			return level;
		if (c == 0)
		{
			if ((mode & CRM_FUNNEL_ORDER) && level > 0)
				return level;
		}
		else if (c > 1)
		{
			if ((mode & CRM_FUNNEL_DEDUPLICATION) && level >= c)
				return level;
			if ((mode & CRM_FUNNEL_ORDER) && !(mode & CRM_FUNNEL_REENTRY) && level > 0 && level < c - 1)
				return level;
			if ((mode & CRM_FUNNEL_DEDUPLICATION) && end - i > 1 && longest[end] >= c)
				return longest[end];
		}
		i = end;
	}
	return longest[count];
}

/* The level by the walk that keeps no events. */
static int
walked_level(const crm_event *events, int count, int conditions, uint64_t within)
{
	crm_funnel_walk walk = {0, within, {0}};

	for (int i = 0; i < count;)
	{
		int64_t		at = events[i].at;
		uint64_t	any = 0;

		for (; i < count && events[i].at == at; i++)
			any |= events[i].met & ~UINT64_C(0) >> (CRM_MAX_CONDITIONS - conditions);
		crm_funnel_instant(&walk, at, any);
	}
	return walk.level;
}

#define MAX_PACKED 16

/* One sequence in all modes. */
static void
check_events(const crm_event *events, int count, int conditions, int within)
{
	crm_env		env = unit_env();
	meeting		list[MAX_MEETINGS];
	int			used = list_meetings(events, count, conditions, list);
	int			longest[3][MAX_MEETINGS + 1];
	static const unsigned chain_modes[3] = {0, CRM_FUNNEL_ONCE, CRM_FUNNEL_INCREASE};

	for (int k = 0; k < 3; k++)
	{
		memset(longest[k], 0, sizeof(longest[k]));
		try_chains(list, used, within, chain_modes[k], 0, 0, 0, 0, 0, longest[k]);
	}
	for (unsigned mode = 0; mode <= CRM_FUNNEL_MODES; mode++)
	{
		/* Strictly later implies another event. */
		int			k = mode & CRM_FUNNEL_INCREASE ? 2 : mode & CRM_FUNNEL_ONCE ? 1 : 0;
		int			level = -1;

		if ((mode & CRM_FUNNEL_REENTRY) && !(mode & CRM_FUNNEL_ORDER))
			continue;
		CHECK_EQUAL(crm_funnel_level(&env, events, count, conditions, within, mode, &level), CRM_OK);
		if (mode == 0)
		{
			uint64_t	packed[MAX_PACKED];

			for (int i = 0; i < count; i++)
				packed[i] = crm_event_pack(&events[i]);
			CHECK_EQUAL(walked_level(events, count, conditions, within), level);
			CHECK_EQUAL(crm_funnel_level_packed(&env, packed, count, conditions, within), level);
		}
		if (!CHECK_EQUAL(level, stopped_level(list, used, conditions, mode, longest[k])))
		{
			fprintf(stderr, "mode %u, within %d:", mode, within);
			for (int i = 0; i < count; i++)
				fprintf(stderr, " %d:%x", (int) events[i].at, (int) events[i].met);
			fprintf(stderr, "\n");
		}
	}
}

/* All sequences of so many events: any set of conditions each, the same instant or one or two later. */
static void
check_all(int count, int conditions, int gaps)
{
	int			masks = 1 << conditions;
	crm_event	events[8];
	long		total = 1;

	for (int i = 0; i < count; i++)
		total *= i == 0 ? masks : masks * gaps;
	for (long n = 0; n < total; n++)
	{
		long		rest = n;
		int64_t		at = 0;

		for (int i = 0; i < count; i++)
		{
			events[i].met = rest % masks;
			rest /= masks;
			if (i > 0)
			{
				at += rest % gaps;
				rest /= gaps;
			}
			events[i].at = at;
		}
		for (int within = 0; within <= 2; within++)
			check_events(events, count, conditions, within);
	}
}

static void
check_random(void)
{
	for (int round = 0; round < 20000; round++)
	{
		int			conditions = 1 + random_bits() % 6;
		int			count = random_bits() % 9;
		crm_event	events[9];
		int64_t		at = 0;

		for (int i = 0; i < count; i++)
		{
			at += random_bits() % 3;
			events[i].at = at;
			events[i].met = random_bits() & random_bits() & ((1 << conditions) - 1);
		}
		check_events(events, count, conditions, random_bits() % 8);
	}
}

/* The widest: 64 conditions, one event each, and all of them met by many events of one instant. */
static void
check_wide(void)
{
	crm_env		env = unit_env();
	crm_event	events[200];
	int			level;

	for (int i = 0; i < 64; i++)
		events[i] = (crm_event) {INT64_MIN + i, UINT64_C(1) << i};
	CHECK_EQUAL(crm_funnel_level(&env, events, 64, 64, 63, CRM_FUNNEL_INCREASE, &level), CRM_OK);
	CHECK_EQUAL(level, 64);
	CHECK_EQUAL(crm_funnel_level(&env, events, 64, 64, 62, 0, &level), CRM_OK);
	CHECK_EQUAL(level, 63);
	events[63].at = INT64_MAX;
	CHECK_EQUAL(crm_funnel_level(&env, events, 64, 64, UINT64_MAX - 1, 0, &level), CRM_OK);
	CHECK_EQUAL(level, 63);
	CHECK_EQUAL(crm_funnel_level(&env, events, 64, 64, UINT64_MAX, 0, &level), CRM_OK);
	CHECK_EQUAL(level, 64);
	for (int count = 1; count <= 200; count += 37)
	{
		for (int i = 0; i < count; i++)
			events[i] = (crm_event) {5, ~UINT64_C(0)};
		CHECK_EQUAL(crm_funnel_level(&env, events, count, 64, 0, CRM_FUNNEL_ONCE, &level), CRM_OK);
		CHECK_EQUAL(level, count < 64 ? count : 64);
		CHECK_EQUAL(crm_funnel_level(&env, events, count, 64, 0, 0, &level), CRM_OK);
		CHECK_EQUAL(level, 64);
	}
	/* An augmenting path through all of them: event i meets conditions i and i + 1. */
	for (int i = 0; i < 64; i++)
		events[i] = (crm_event) {5, UINT64_C(1) << i | (i > 0 ? UINT64_C(1) << (i - 1) : 0)};
	CHECK_EQUAL(crm_funnel_level(&env, events, 64, 64, 0, CRM_FUNNEL_ONCE, &level), CRM_OK);
	CHECK_EQUAL(level, 64);
	CHECK_EQUAL(crm_funnel_level(&env, events, 63, 64, 0, CRM_FUNNEL_ONCE, &level), CRM_OK);
	CHECK_EQUAL(level, 63);
	CHECK_EQUAL(crm_funnel_level(&env, NULL, 0, 1, 0, 0, &level), CRM_OK);
	CHECK_EQUAL(level, 0);
}

static int
compare_events(const void *left, const void *right)
{
	const crm_event *a = left;
	const crm_event *b = right;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	for (int c = 0; c < 64; c++)
		if ((a->met >> c & 1) != (b->met >> c & 1))
			return a->met >> c & 1 ? -1 : 1;
	return 0;
}

static void
check_sort(void)
{
	static crm_event events[5000];
	static crm_event expected[5000];
	crm_env		env = unit_env();

	for (int round = 0; round < 400; round++)
	{
		int			count = random_bits() % (round % 20 == 0 ? 5000 : 12);
		int			kind = round % 4;

		for (int i = 0; i < count; i++)
		{
			events[i].at = kind == 0 ? (int64_t) random_bits() : kind == 1 ? i : kind == 2 ? -i : (int64_t) (i % 700);
			events[i].met = kind == 1 ? 1 : random_bits() % 8;
		}
		memcpy(expected, events, sizeof(events));
		qsort(expected, count, sizeof(crm_event), compare_events);
		CHECK_EQUAL(crm_events_sort(&env, events, count), CRM_OK);
		CHECK(memcmp(events, expected, count * sizeof(crm_event)) == 0);
	}
}

int
main(void)
{
	check_sort();
	for (int count = 0; count <= 3; count++)
		check_all(count, 3, 2);
	check_all(3, 3, 3);
	check_all(5, 2, 2);
	check_random();
	check_wide();
	return unit_done();
}
