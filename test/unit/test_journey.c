/*
 * test_journey.c - paths from events and cleaned-up paths against their
 * definition, touch by touch.
 */
#include "unit.h"

#include "kernel/journey.h"

#define MAX_EVENTS 12

static uint64_t seed = 88172645463325252u;

static int
random_below(int n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (int) ((seed * UINT64_C(0x2545F4914F6CDD1D) >> 33) % (uint64_t) n);
}

/* Does conversion k end the journey before touch or conversion i?  At one instant touches come first, then conversions in order. */
static bool
ends_before(const crm_touch *events, int k, int i, bool i_converts)
{
	if (!events[k].converts)
		return false;
	if (events[k].at != events[i].at)
		return events[k].at < events[i].at;
	return i_converts && k < i;
}

static void
check_journeys(const crm_touch *events, int count, int64_t lookback)
{
	crm_env		env = unit_env();
	size_t		places[MAX_EVENTS];
	crm_journey journeys[MAX_EVENTS + 1];
	size_t		found,
				next = 0;
	int			last = -1;

	crm_journeys(&env, events, (size_t) count, lookback, places, journeys, &found);
	for (int i = 0; i < count; i++)
		if (events[i].channel > 0)
			last = i;
	for (int end = 0; end <= count; end++)
	{
		/* A conversion, or at last what no conversion ended. */
		bool		converts = end < count;
		bool		ended = false;
		int64_t		until;
		size_t		at;

		if (converts ? !events[end].converts : last < 0)
			continue;
		if (!converts)
			for (int k = 0; k < count; k++)
				ended |= events[k].converts && events[k].at >= events[last].at;
		if (ended)
			continue;
		until = converts ? events[end].at : events[last].at;
		if (!CHECK(next < found))
			return;
		CHECK_EQUAL(journeys[next].converts, converts);
		if (converts)
			CHECK_EQUAL(journeys[next].conversion, end);
		at = journeys[next].from;
		for (int i = 0; i < count; i++)
		{
			bool		before = false;

			if (events[i].channel == 0 || events[i].at > until || until - events[i].at > lookback)
				continue;
			/* A conversion between the touch and the end takes the touch away. */
			for (int k = 0; k < count; k++)
				if (events[k].converts && !ends_before(events, k, i, false) && k != end &&
					(!converts || ends_before(events, k, end, true)))
					before = true;
			if (before)
				continue;
			CHECK(at < journeys[next].to && places[at] == (size_t) i);
			at++;
		}
		CHECK_EQUAL(at, journeys[next].to);
		next++;
	}
	CHECK_EQUAL(found, next);
}

static void
test_journeys(void)
{
	const crm_touch far[] = {{INT64_C(-211813488000000000), 1, false}, {INT64_C(9223371331199999999), 2, true}};
	crm_touch	events[MAX_EVENTS];

	for (int round = 0; round < 200000; round++)
	{
		int			count = random_below(MAX_EVENTS + 1);
		int64_t		at = 0;

		for (int i = 0; i < count; i++)
		{
			at += random_below(4);
			events[i] = (crm_touch) {at, (uint32_t) random_below(3), random_below(3) == 0};
		}
		check_journeys(events, count, random_below(12));
	}

	/* The two ends of time are further apart than a signed difference holds. */
	{
		crm_env		env = unit_env();
		size_t		places[2];
		crm_journey journeys[3];
		size_t		found;

		crm_journeys(&env, far, 2, INT64_MAX, places, journeys, &found);
		CHECK(found == 1 && journeys[0].from == 1 && journeys[0].to == 2 && journeys[0].converts);
	}
}

static void
test_cleaning(void)
{
	uint32_t	path[MAX_EVENTS];
	size_t		places[MAX_EVENTS];
	uint32_t	counts[4];

	for (int round = 0; round < 100000; round++)
	{
		int			count = random_below(MAX_EVENTS + 1);
		bool		others = false;
		size_t		kept,
					at;

		for (int i = 0; i < count; i++)
		{
			path[i] = (uint32_t) (1 + random_below(3));
			others |= path[i] != 2;
		}

		kept = crm_journey_exposure(path, (size_t) count, places);
		at = 0;
		for (int i = 0; i < count; i++)
			if (i == 0 || path[i] != path[i - 1])
				CHECK(at < kept && places[at++] == (size_t) i);
		CHECK_EQUAL(kept, at);

		kept = crm_journey_first(path, (size_t) count, places, counts, 3);
		at = 0;
		for (int i = 0; i < count; i++)
		{
			bool		seen = false;
			uint32_t	times = 0;

			for (int k = 0; k < count; k++)
			{
				seen |= k < i && path[k] == path[i];
				times += path[k] == path[i];
			}
			CHECK_EQUAL(counts[path[i]], times);
			if (!seen)
				CHECK(at < kept && places[at++] == (size_t) i);
		}
		CHECK_EQUAL(kept, at);

		for (int trailing = 0; trailing < 2; trailing++)
		{
			kept = crm_journey_drop(path, (size_t) count, 2, trailing, places);
			at = 0;
			for (int i = 0; i < count; i++)
			{
				bool		other_follows = path[i] != 2;

				for (int k = i; k < count; k++)
					other_follows |= trailing && path[k] != 2;
				if (other_follows || !others)
					CHECK(at < kept && places[at++] == (size_t) i);
			}
			CHECK_EQUAL(kept, at);
		}
	}
}

int
main(void)
{
	test_journeys();
	test_cleaning();
	return unit_done();
}
