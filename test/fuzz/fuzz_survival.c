/*
 * fuzz_survival.c - any numbers as rows of customers who left or stayed, as states
 * of kaplan_meier, log_rank, concordance_agg and cox_fit may hold: figures within
 * their bounds, or out of range, in a time that does not hang on the numbers.
 *
 * The first byte says how many groups and features there are, and what is asked:
 * one thing as a rule, so that an input takes no longer than it must.
 */
#include "fuzz.h"

#include "kernel/concordance.h"
#include "kernel/cox.h"
#include "kernel/survival.h"

#define MOST_ROWS 24

static int
by_time(const void *a, const void *b)
{
	double		x = ((const crm_survival_count *) a)->time;
	double		y = ((const crm_survival_count *) b)->time;

	return x < y ? -1 : x > y;
}

static void
use_curves(fuzz_input in, const crm_env *env, uint32_t groups, size_t n)
{
	crm_survival_count counts[MOST_ROWS];
	crm_survival_point *points;
	size_t		point_count;
	crm_log_rank test;
	double		last = 1;

	for (size_t i = 0; i < n; i++)
	{
		counts[i].group = (uint32_t) fuzz_take(&in, 1) % groups;
		counts[i].time = fabs(fuzz_finite(&in));
		counts[i].events = fuzz_take(&in, 1) % 8;
		counts[i].censored = fuzz_take(&in, 1) % 4 == 3 ? fuzz_take(&in, 6) : 1;
	}
	qsort(counts, n, sizeof(crm_survival_count), by_time);
	REQUIRE(crm_kaplan_meier(env, counts, n, 0.95, &points, &point_count) == CRM_OK);
	for (size_t i = 0; i < point_count; i++)
	{
		REQUIRE(points[i].survival >= 0 && points[i].survival <= last && points[i].events <= points[i].at_risk && points[i].events > 0);
		if (points[i].survival > 0)
			REQUIRE(points[i].lower >= 0 && points[i].lower <= points[i].survival && points[i].upper >= points[i].survival && points[i].upper <= 1);
		last = points[i].survival;
	}
	REQUIRE(crm_log_rank_test(env, counts, n, groups, (double) (n % 3) / 2, &test) == CRM_OK);
	if (!isnan(test.chi_square))
		REQUIRE(test.chi_square >= 0 && test.p_value >= 0 && test.p_value <= 1 && test.degrees < groups);
}

static void
use_scores(fuzz_input in, const crm_env *env, size_t n)
{
	crm_survivor rows[MOST_ROWS];
	crm_concordance c;

	for (size_t i = 0; i < n; i++)
	{
		rows[i].time = fuzz_finite(&in);
		rows[i].score = fuzz_finite(&in);
		rows[i].other = fuzz_finite(&in);
		rows[i].event = fuzz_take(&in, 1) & 1;
	}
	REQUIRE(crm_concordance_of(env, rows, n, true, &c) == CRM_OK);
	if (c.pairs > 0)
		REQUIRE(c.value >= 0 && c.value <= 1 && c.other >= 0 && c.other <= 1 && fabs(c.gain - (c.other - c.value)) < 1e-12);
	else
		REQUIRE(isnan(c.value));
}

static void
use_hazards(fuzz_input in, const crm_env *env, uint32_t features, size_t n)
{
	double		numbers[MOST_ROWS * 6];
	crm_cox_rows rows = {numbers, n, features};
	crm_cox_fit fit;
	crm_status	status;

	for (size_t i = 0; i < n; i++)
	{
		double	   *row = numbers + i * (features + 2);

		row[0] = fabs(fuzz_finite(&in));
		row[1] = (double) (fuzz_take(&in, 1) & 1);
		for (uint32_t j = 0; j < features; j++)
			row[2 + j] = fuzz_finite(&in);
	}
	status = crm_cox_train(env, &rows, n % 2 ? CRM_COX_EFRON : CRM_COX_BRESLOW, &fit);
	REQUIRE(status == CRM_OK || status == CRM_OUT_OF_RANGE);
	if (status != CRM_OK)
		return;
	REQUIRE(fit.events > 0 && fit.events <= n && fit.time_count > 0 && fit.time_count <= n);
	REQUIRE(isnan(fit.concordance) || (fit.concordance >= 0 && fit.concordance <= 1));
	for (size_t i = 1; i < fit.time_count; i++)
		REQUIRE(fit.times[i - 1] < fit.times[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	fuzz_input	in = {data, size};
	uint32_t	first = (uint32_t) fuzz_take(&in, 1);
	uint32_t	groups = 1 + first % 4;
	uint32_t	asked = first / 4 % 8;
	size_t		n = fuzz_take(&in, 1) % MOST_ROWS;

	if (n > 0 && in.left > 0)
	{
		if (asked == 0 || asked > 6)
			use_curves(in, &env, groups, n);
		if (asked == 1 || asked == 2 || asked > 6)
			use_scores(in, &env, n);
		if (asked >= 3)
			use_hazards(in, &env, groups, n);
	}
	unit_pool_free(&pool);
	return 0;
}
