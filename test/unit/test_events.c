/*
 * test_events.c - packed events are the events, and only those that fit pack; sorting.
 */
#include "unit.h"

#include "kernel/events.h"

static uint64_t seed = 88172645463325252u;

static uint64_t
random_bits(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * UINT64_C(0x2545F4914F6CDD1D);
}

static void
check_packing(void)
{
	crm_env		env = unit_env();
	const int64_t limit = INT64_C(1) << 55;
	const int64_t times[] = {0, 1, -1, 255, -256, limit - 1, -limit, 946684800000000, -13919904000000000};
	const int64_t far[] = {limit, -limit - 1, INT64_MAX, INT64_MIN};
	uint64_t	packed[5000];
	crm_event	events[5000];
	crm_event	unpacked[5000];

	for (int i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		for (unsigned met = 0; met < 256; met++)
		{
			crm_event	event = {times[i], met};
			crm_event	again;

			CHECK(crm_event_packs(&event));
			again = crm_event_unpack(crm_event_pack(&event));
			CHECK_EQUAL(again.at, event.at);
			CHECK_EQUAL(again.met, met);
			event.met |= 256;
			CHECK(!crm_event_packs(&event));
			event.met = met | UINT64_C(1) << 63;
			CHECK(!crm_event_packs(&event));
		}
	for (int i = 0; i < sizeof(far) / sizeof(far[0]); i++)
	{
		crm_event	event = {far[i], 1};

		CHECK(!crm_event_packs(&event));
	}

	for (int i = 0; i < 5000; i++)
	{
		events[i] = (crm_event) {(int64_t) random_bits() >> 8, random_bits() & 255};
		CHECK(crm_event_packs(&events[i]));
		packed[i] = crm_event_pack(&events[i]);
	}
	for (int i = 1; i < 5000; i++)
	{
		crm_event	again = events[i];

		again.met = random_bits() & 255;
		CHECK((packed[i] < packed[i - 1]) == crm_event_before(&events[i], &events[i - 1]));
		CHECK((crm_event_pack(&again) < packed[i]) == crm_event_before(&again, &events[i]));
	}
	crm_events_unpack(&env, packed, 5000, unpacked);
	for (int i = 0; i < 5000; i++)
	{
		CHECK_EQUAL(unpacked[i].at, events[i].at);
		CHECK_EQUAL(unpacked[i].met, events[i].met);
	}
}

static int
compare(const void *left, const void *right)
{
	const crm_event *a = left;
	const crm_event *b = right;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	for (int i = 0; i < CRM_MAX_CONDITIONS; i++)
		if ((a->met >> i & 1) != (b->met >> i & 1))
			return a->met >> i & 1 ? -1 : 1;
	return 0;
}

/* Beside the library's sort with the order written out, of runs of several lengths. */
static void
check_sorting(void)
{
	crm_env		env = unit_env();
	crm_event	events[600];
	crm_event	expected[600];

	for (int round = 0; round < 2000; round++)
	{
		size_t		count = random_bits() % 600;
		int			times = 1 + random_bits() % 1000;
		int			run = 1 + random_bits() % 50;

		for (size_t i = 0; i < count; i++)
		{
			events[i] = (crm_event) {random_bits() % times, random_bits() & random_bits() & 7};
			if (i % run != 0)
				events[i].at = events[i - 1].at + random_bits() % 3;
			expected[i] = events[i];
		}
		CHECK_EQUAL(crm_events_sort(&env, events, count), CRM_OK);
		qsort(expected, count, sizeof(crm_event), compare);
		for (size_t i = 0; i < count; i++)
		{
			CHECK_EQUAL(events[i].at, expected[i].at);
			CHECK_EQUAL(events[i].met, expected[i].met);
		}
	}
}

/* Packed events of all degrees of disorder, few and many, come out as the others do. */
static void
check_sorting_packed(void)
{
	static crm_event events[6000];
	static uint64_t packed[6000];
	crm_env		env = unit_env();

	for (int round = 0; round < 600; round++)
	{
		size_t		count = random_bits() % (round % 10 == 0 ? 6000 : 40);
		int64_t		far = round % 7 == 0 ? INT64_C(1) << 54 : 0;
		uint64_t	jitter = UINT64_C(1) << random_bits() % 14;
		int			way = round % 3 - 1;

		for (size_t i = 0; i < count; i++)
		{
			events[i] = (crm_event) {way * (int64_t) i * 3 + (int64_t) (random_bits() % jitter), random_bits() & random_bits() & 255};
			if (random_bits() % 2)
				events[i].at -= far;
			packed[i] = crm_event_pack(&events[i]);
		}
		CHECK_EQUAL(crm_events_sort_packed(&env, packed, count), CRM_OK);
		qsort(events, count, sizeof(crm_event), compare);
		for (size_t i = 0; i < count; i++)
		{
			crm_event	event = crm_event_unpack(packed[i]);

			CHECK_EQUAL(event.at, events[i].at);
			CHECK_EQUAL(event.met, events[i].met);
		}
	}
}

int
main(void)
{
	check_packing();
	check_sorting();
	check_sorting_packed();
	return unit_done();
}
