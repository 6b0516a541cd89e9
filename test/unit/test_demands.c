/*
 * test_demands.c - which demands a purchase followed, against looking at each pair.
 */
#include "unit.h"

#include <math.h>

#include "kernel/demands.h"
#include "kernel/significance.h"

static uint64_t seed = 88172645463325252ULL;

static uint64_t
next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static int
compare_events(const void *a, const void *b)
{
	int64_t		x = ((const crm_demand_event *) a)->at;
	int64_t		y = ((const crm_demand_event *) b)->at;

	return (x > y) - (x < y);
}

static size_t
draw_events(crm_demand_event *events, uint32_t things, bool anything)
{
	size_t		n = next_random() % 40;

	for (size_t i = 0; i < n; i++)
		events[i] = (crm_demand_event) {(int64_t) (next_random() % 60) - 20, anything && next_random() % 5 == 0 ? CRM_ANYTHING : (uint32_t) (next_random() % things)};
	qsort(events, n, sizeof(crm_demand_event), compare_events);
	return n;
}

static void
check_round(crm_env *env, int round)
{
	crm_demand_event wanted[40];
	crm_demand_event bought[40];
	uint32_t	things = 1 + (uint32_t) (next_random() % 6);
	size_t		w = draw_events(wanted, things, false);
	size_t		b = draw_events(bought, things, true);
	int64_t		within = (int64_t) (next_random() % 15);
	int64_t		until = round % 3 == 0 ? INT64_MAX : (int64_t) (next_random() % 60) - 20;
	uint8_t		matches[36];
	bool		matching = round % 2;
	crm_demand_tally tallies[6] = {{0}};
	crm_demand_tally plain[6] = {{0}};

	for (int i = 0; i < 36; i++)
		matches[i] = next_random() % 4 == 0;
	CHECK(crm_demands_judge(env, wanted, w, bought, b, things, matching ? matches : NULL, within, until, tallies) == CRM_OK);
	for (size_t i = 0; i < w; i++)
	{
		crm_demand_tally *t = &plain[wanted[i].thing];
		bool		met = false;

		if (until != INT64_MAX && wanted[i].at + within > until)
			continue;
		for (size_t k = 0; k < b; k++)
			met = met || (bought[k].at >= wanted[i].at && bought[k].at <= wanted[i].at + within &&
						  (bought[k].thing == CRM_ANYTHING || (matching ? matches[bought[k].thing * things + wanted[i].thing] : bought[k].thing == wanted[i].thing)));
		t->first = t->demands == 0 || wanted[i].at < t->first ? wanted[i].at : t->first;
		t->last = t->demands == 0 || wanted[i].at > t->last ? wanted[i].at : t->last;
		t->demands++;
		t->met += met;
	}
	for (uint32_t i = 0; i < things; i++)
		CHECK(tallies[i].demands == plain[i].demands && tallies[i].met == plain[i].met && tallies[i].first == plain[i].first && tallies[i].last == plain[i].last);
}

int
main(void)
{
	unit_pool	pool = {0};
	crm_env		env = unit_pool_env(&pool);
	double		lower;
	double		upper;

	for (int round = 0; round < 5000; round++)
		check_round(&env, round);
	/* Newcombe 1998, "Two-sided confidence intervals for the single proportion", method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29 */
	crm_wilson(81 / 263.0, 263, &lower, &upper);
	CHECK(fabs(lower - 0.2553) < 5e-5 && fabs(upper - 0.3662) < 5e-5);
	crm_wilson(15 / 148.0, 148, &lower, &upper);
	CHECK(fabs(lower - 0.0624) < 5e-5 && fabs(upper - 0.1605) < 5e-5);
	crm_wilson(0, 20, &lower, &upper);
	CHECK(lower == 0 && fabs(upper - 0.1611) < 5e-5);
	crm_wilson(1 / 29.0, 29, &lower, &upper);
	CHECK(fabs(lower - 0.0061) < 5e-5 && fabs(upper - 0.1718) < 5e-5);
	unit_pool_free(&pool);
	return unit_done();
}
