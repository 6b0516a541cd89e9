/*
 * test_robust.c - medians against sorting, slopes and seasons against their
 * definitions and against series whose answer is known.
 */
#include "unit.h"

#include <math.h>

#include "kernel/robust.h"

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
compare_numbers(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

static double
sorted_median(const double *values, size_t count)
{
	double	   *copy = malloc(count * sizeof(double));
	double		median;

	memcpy(copy, values, count * sizeof(double));
	qsort(copy, count, sizeof(double), compare_numbers);
	median = count % 2 ? copy[count / 2] : (copy[count / 2 - 1] + copy[count / 2]) / 2;
	free(copy);
	return median;
}

static void
test_medians(void)
{
	for (int round = 0; round < 3000; round++)
	{
		size_t		count = 1 + random_bits() % (round % 10 == 0 ? 500 : 12);
		uint64_t	different = 1 + random_bits() % (round % 3 == 0 ? 3 : 1000);
		double		values[500];
		uint64_t	whole[500];
		double		expected;

		for (size_t i = 0; i < count; i++)
		{
			switch (round % 5)
			{
				case 0:
					whole[i] = i;
					break;
				case 1:
					whole[i] = count - i;
					break;
				default:
					whole[i] = random_bits() % different;
			}
			values[i] = (double) whole[i];
		}
		expected = sorted_median(values, count);
		CHECK(crm_median(values, count) == expected);
		CHECK(crm_median_whole(whole, count) == (uint64_t) floor(expected));
	}
	{
		uint64_t	large[] = {UINT64_MAX, UINT64_MAX - 2};
		double		huge[] = {1.7e308, 1.7e308};

		CHECK(crm_median_whole(large, 2) == UINT64_MAX - 1);
		CHECK(crm_median(huge, 2) == 1.7e308);
	}
}

/* All pairs, in the other order, by their definition. */
static double
slope_by_definition(const double *values, size_t count, size_t season)
{
	double	   *slopes = malloc(count * count * sizeof(double));
	size_t		pairs = 0;
	double		slope;

	for (size_t j = 0; j < count; j++)
		for (size_t i = 0; i < j; i++)
			if ((j - i) % season == 0)
				slopes[pairs++] = (values[j] - values[i]) / (double) (j - i);
	slope = sorted_median(slopes, pairs);
	free(slopes);
	return slope;
}

static void
test_slopes(void)
{
	crm_env		env = unit_env();
	double		values[200];
	double		slope;

	for (int round = 0; round < 500; round++)
	{
		size_t		count = 2 + random_bits() % 60;
		size_t		season = 1 + random_bits() % 12;

		if (season >= count)
			season = 1;
		for (size_t i = 0; i < count; i++)
			values[i] = (double) (random_bits() % 1000) / 8;
		CHECK(crm_robust_slope(&env, values, count, season, &slope) == CRM_OK);
		CHECK(slope == slope_by_definition(values, count, season));
	}

	/* A line, three odd values in it, and a season upon it. */
	for (size_t i = 0; i < 48; i++)
		values[i] = 100 + 2.5 * (double) i + (i == 7 || i == 20 || i == 33 ? 1e6 : 0);
	CHECK(crm_robust_slope(&env, values, 48, 1, &slope) == CRM_OK);
	CHECK(slope == 2.5);
	for (size_t i = 0; i < 48; i++)
		values[i] = 100 + 2.5 * (double) i + (i % 12 == 11 ? 500 : 0);
	CHECK(crm_robust_slope(&env, values, 48, 12, &slope) == CRM_OK);
	CHECK(slope == 2.5);
}

static void
test_seasons(void)
{
	static const double factor[12] = {0.5, 0.5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2};
	static const double week[7] = {1, 1, 1, 1, 1, 1, 8};
	crm_env		env = unit_env();
	double		values[100];
	double		ratios[12];
	bool		found;

	/* Without trend the averages are level, and the factors come back: from any first place, for even and odd seasons. */
	for (size_t first = 0; first < 12; first++)
		for (size_t count = 24; count < 60; count += 5)
		{
			for (size_t i = 0; i < count; i++)
				values[i] = 40 * factor[(first + i) % 12];
			CHECK(crm_seasonal_ratios(&env, values, count, 12, first, ratios, &found) == CRM_OK);
			CHECK(found);
			for (size_t place = 0; place < 12; place++)
				CHECK(fabs(ratios[place] - factor[place]) < 1e-12);
		}
	for (size_t first = 0; first < 7; first++)
	{
		for (size_t i = 0; i < 14; i++)
			values[i] = 3 * week[(first + i) % 7];
		CHECK(crm_seasonal_ratios(&env, values, 14, 7, first, ratios, &found) == CRM_OK);
		CHECK(found);
		for (size_t place = 0; place < 7; place++)
			CHECK(fabs(ratios[place] - week[place] / 2) < 1e-12);
	}

	/* Nothing spent: no ratios. */
	memset(values, 0, sizeof(values));
	CHECK(crm_seasonal_ratios(&env, values, 24, 12, 3, ratios, &found) == CRM_OK);
	CHECK(!found);
}

int
main(void)
{
	test_medians();
	test_slopes();
	test_seasons();
	return unit_done();
}
