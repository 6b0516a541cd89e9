/*
 * test_rfm.c - exact sums, quantiles and bins against brute force: sums
 * against long integers, quantiles against a full sort, bins against the
 * definition, and bytes that were changed at random.
 */
#include "unit.h"

#include <float.h>
#include <math.h>

#include "kernel/rfm.h"

static uint64_t seed = 20240229;

static uint64_t
random_bits(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * UINT64_C(0x2545F4914F6CDD1D);
}

static double
random_unit(void)
{
	return (double) (random_bits() >> 11) / 9007199254740992.0;
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* ---- sums -------------------------------------------------------------- */

static double
sum_of(const double *terms, int count, int first, int step)
{
	double		parts[4096];
	uint32_t	used = 0;

	for (int i = 0; i < count; i++)
		CHECK_EQUAL(crm_sum_add(parts, &used, terms[(first + i * step) % count]), CRM_OK);
	return crm_sum_round(parts, used);
}

static void
test_sums(void)
{
	double		terms[997];
	double		big[] = {1e100, 1, -1e100, 1e-100, 3};
	double		ties[] = {1, DBL_EPSILON / 2, DBL_EPSILON / 4 * DBL_EPSILON};
	double		parts[8] = {0};
	uint32_t	used = 0;

	CHECK(crm_sum_round(parts, 0) == 0);
	CHECK(sum_of(big, 5, 0, 1) == 4);
	/* Half a unit in the last place, and a little more: up, not to even. */
	CHECK(sum_of(ties, 3, 0, 1) == 1 + DBL_EPSILON);
	CHECK(sum_of(ties, 2, 0, 1) == 1);

	/* Whole multiples of 2^-20: exact in 128 bits, so the rounded sum is known. */
	for (int round = 0; round < 200; round++)
	{
		__int128	exact = 0;

		for (int i = 0; i < 997; i++)
		{
			int64_t		whole = (int64_t) (random_bits() >> (12 + random_bits() % 40));

			if (random_bits() & 1)
				whole = -whole;
			exact += whole;
			terms[i] = ldexp((double) whole, -20);
		}
		CHECK(sum_of(terms, 997, 0, 1) == ldexp((double) exact, -20));
		CHECK(sum_of(terms, 997, 5, 13) == sum_of(terms, 997, 100, 996));
	}

	/* Any magnitudes: the order does not matter, and merging parts is adding terms. */
	for (int round = 0; round < 200; round++)
	{
		double		left[4096];
		double		right[4096];
		uint32_t	left_count = 0;
		uint32_t	right_count = 0;

		for (int i = 0; i < 997; i++)
			terms[i] = ldexp(random_unit() - 0.5, (int) (random_bits() % 1800) - 900);
		for (int i = 0; i < 997; i++)
		{
			if (i % 3 == 0)
				crm_sum_add(left, &left_count, terms[i]);
			else
				crm_sum_add(right, &right_count, terms[i]);
		}
		for (uint32_t i = 0; i < right_count; i++)
			CHECK_EQUAL(crm_sum_add(left, &left_count, right[i]), CRM_OK);
		CHECK(sum_of(terms, 997, 0, 1) == sum_of(terms, 997, 3, 7));
		CHECK(sum_of(terms, 997, 0, 1) == crm_sum_round(left, left_count));
	}

	used = 0;
	CHECK_EQUAL(crm_sum_add(parts, &used, DBL_MAX), CRM_OK);
	CHECK_EQUAL(crm_sum_add(parts, &used, DBL_MAX), CRM_OUT_OF_RANGE);
}

/* ---- quantiles ----------------------------------------------------------- */

/* By definition, from a full sort; the place in whole numbers. */
static double
quantile(const double *sorted, uint64_t count, uint32_t bins, uint32_t k)
{
	uint64_t	at = (count - 1) * k / bins;
	uint64_t	rest = (count - 1) * k % bins;

	if (rest == 0)
		return sorted[at];
	return sorted[at] + (double) rest / bins * (sorted[at + 1] - sorted[at]);
}

/* One kind of values after the other: few different, many, equal leading bits, negative, tiny. */
static double
value_of_kind(int kind)
{
	switch (kind)
	{
		case 0:
			return 42.5;
		case 1:
			return (double) (random_bits() % 7);
		case 2:
			return exp(3 + 2 * random_unit());
		case 3:
			return 1 + ldexp((double) (random_bits() % 1000), -40);
		case 4:
			return (random_unit() - 0.5) * 1e6;
		case 5:
			return ldexp(random_unit() - 0.5, -1040);
		case 6:
			return random_bits() % 2 ? -0.0 : 0.0;
		default:
			return floor(random_unit() * 100) / 100;
	}
}

static void
test_quantiles(void)
{
	static const uint64_t sizes[] = {1, 2, 3, 4, 5, 6, 10, 11, 24, 25, 100, 1999, 2000, 2001, 5000, 40000};
	static const uint32_t bin_counts[] = {1, 2, 3, 5, 10, 100, 1000};
	crm_env		env = unit_env();

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
	{
		for (int kind = 0; kind < 8; kind++)
		{
			uint64_t	count = sizes[s];
			double	   *sorted = malloc(count * sizeof(double));
			double	   *whole = malloc(count * sizeof(double));
			crm_rfm_sample sample;
			crm_rfm_sample copy;
			uint8_t    *bytes;
			size_t		size;

			crm_rfm_sample_init(&sample, &env);
			crm_rfm_sample_init(&copy, &env);
			for (uint64_t i = 0; i < count; i++)
			{
				sorted[i] = value_of_kind(kind);
				whole[i] = floor(fmod(sorted[i] * 1000, 1e15));
				CHECK_EQUAL(crm_rfm_values_add(&env, &sample.monetary, sorted[i]), CRM_OK);
				CHECK_EQUAL(crm_rfm_counts_add(&env, &sample.recency, (int64_t) whole[i], 1), CRM_OK);
			}
			CHECK_EQUAL(crm_rfm_counts_add(&env, &sample.frequency, -1, 3), CRM_OK);
			qsort(sorted, count, sizeof(double), compare_doubles);
			qsort(whole, count, sizeof(double), compare_doubles);

			/* Its bytes, read twice over, are the sample with each value doubled. */
			size = crm_rfm_sample_size(&sample);
			bytes = malloc(size);
			crm_rfm_sample_write(&sample, bytes);
			CHECK_EQUAL(crm_rfm_sample_read(&copy, bytes, size), CRM_OK);
			CHECK_EQUAL(copy.monetary.total, count);
			CHECK_EQUAL(copy.recency.total, count);
			CHECK_EQUAL(copy.frequency.total, 3);
			CHECK_EQUAL(copy.recency.used, sample.recency.used);

			for (size_t b = 0; b < sizeof(bin_counts) / sizeof(bin_counts[0]); b++)
			{
				uint32_t	bins = bin_counts[b];
				double		borders[1000];
				double		other[1000];

				CHECK_EQUAL(crm_rfm_values_borders(&env, &sample.monetary, bins, borders), CRM_OK);
				CHECK_EQUAL(crm_rfm_values_borders(&env, &copy.monetary, bins, other), CRM_OK);
				CHECK(memcmp(borders, other, (bins - 1) * sizeof(double)) == 0);
				for (uint32_t k = 1; k < bins; k++)
				{
					double		expected = quantile(sorted, count, bins, k);

					CHECK(fabs(borders[k - 1] - expected) <= 4 * DBL_EPSILON * fabs(expected) + DBL_TRUE_MIN);
				}
				CHECK_EQUAL(crm_rfm_counts_borders(&env, &copy.recency, bins, borders), CRM_OK);
				for (uint32_t k = 1; k < bins; k++)
				{
					double		expected = quantile(whole, count, bins, k);

					CHECK(fabs(borders[k - 1] - expected) <= 4 * DBL_EPSILON * fabs(expected));
				}
			}
			free(bytes);
			free(sorted);
			free(whole);
			free(sample.recency.slots);
			free(sample.frequency.slots);
			free(copy.recency.slots);
			free(copy.frequency.slots);
			for (int i = 0; i < 2; i++)
			{
				crm_rfm_chunk *chunk = i ? copy.monetary.first : sample.monetary.first;

				while (chunk != NULL)
				{
					crm_rfm_chunk *next = chunk->next;

					free(chunk);
					chunk = next;
				}
			}
		}
	}
}

/* A border between two neighbouring floats stays below the higher one. */
static void
test_neighbours(void)
{
	crm_env		env = unit_env();
	crm_rfm_sample sample;
	double		low = 1e15 + 0.125;
	double		high = nextafter(low, INFINITY);
	double		borders[999];

	crm_rfm_sample_init(&sample, &env);
	crm_rfm_values_add(&env, &sample.monetary, low);
	crm_rfm_values_add(&env, &sample.monetary, high);
	CHECK_EQUAL(crm_rfm_values_borders(&env, &sample.monetary, 1000, borders), CRM_OK);
	for (int k = 0; k < 999; k++)
		CHECK(borders[k] >= low && borders[k] < high);
	free(sample.monetary.first);

	/* With one float between them: several borders lie on it, and none steps back. */
	crm_rfm_sample_init(&sample, &env);
	high = nextafter(high, INFINITY);
	crm_rfm_values_add(&env, &sample.monetary, low);
	crm_rfm_values_add(&env, &sample.monetary, high);
	CHECK_EQUAL(crm_rfm_values_borders(&env, &sample.monetary, 1000, borders), CRM_OK);
	for (int k = 0; k < 999; k++)
		CHECK(borders[k] >= (k == 0 ? low : borders[k - 1]) && borders[k] < high);
	CHECK(borders[0] == low && borders[998] > low);
	free(sample.monetary.first);

	crm_rfm_sample_init(&sample, &env);
	crm_rfm_values_add(&env, &sample.monetary, -DBL_MAX);
	crm_rfm_values_add(&env, &sample.monetary, DBL_MAX);
	CHECK_EQUAL(crm_rfm_values_borders(&env, &sample.monetary, 2, borders), CRM_OK);
	CHECK(borders[0] == 0);
	free(sample.monetary.first);
}

/* ---- bins and days --------------------------------------------------------- */

static void
test_bins(void)
{
	double		borders[999];

	for (int round = 0; round < 20000; round++)
	{
		uint32_t	count = (uint32_t) (random_bits() % (round % 10 ? 12 : 999));
		double		value = (double) (random_bits() % 50);
		uint32_t	below = 0;
		uint32_t	not_above = 0;

		for (uint32_t i = 0; i < count; i++)
			borders[i] = (double) (random_bits() % 50);
		qsort(borders, count, sizeof(double), compare_doubles);
		for (uint32_t i = 0; i < count; i++)
		{
			below += borders[i] < value;
			not_above += borders[i] <= value;
		}
		CHECK_EQUAL(crm_rfm_bin(borders, count, true, value), below + 1);
		CHECK_EQUAL(crm_rfm_bin(borders, count, false, value), not_above + 1);
	}
}

static void
test_days(void)
{
	const int64_t day = INT64_C(86400000000);

	CHECK_EQUAL(crm_rfm_days(0, 0), 0);
	CHECK_EQUAL(crm_rfm_days(day, 0), 1);
	CHECK_EQUAL(crm_rfm_days(day - 1, 0), 0);
	CHECK_EQUAL(crm_rfm_days(0, 1), -1);
	CHECK_EQUAL(crm_rfm_days(0, day), -1);
	CHECK_EQUAL(crm_rfm_days(0, day + 1), -2);
	/* The ends of PostgreSQL's calendar are further apart than 63 bits. */
	CHECK_EQUAL(crm_rfm_days(INT64_C(9223371331199999999), INT64_C(-211813488000000000)), 109203527);
	CHECK_EQUAL(crm_rfm_days(INT64_C(-211813488000000000), INT64_C(9223371331199999999)), -109203528);
}

/* ---- bytes from outside ------------------------------------------------------ */

static void
test_damage(void)
{
	crm_env		env = unit_env();
	uint8_t		good[24 + 32 + 8];
	long		refused = 0;

	memset(good, 0, sizeof(good));
	crm_store64(good, 1);
	crm_store64(good + 8, 1);
	crm_store64(good + 16, 1);
	crm_store64(good + 32, 1);
	crm_store64(good + 48, 1);
	for (int round = 0; round < 20000; round++)
	{
		uint8_t    *bytes = malloc(sizeof(good));
		size_t		size = round == 0 ? sizeof(good) : random_bits() % (sizeof(good) + 1);
		crm_rfm_sample sample;
		crm_status	status;

		memcpy(bytes, good, sizeof(good));
		if (round % 2)
			size = sizeof(good);
		for (int i = 0; round > 0 && i < round % 4; i++)
			bytes[random_bits() % sizeof(good)] = (uint8_t) random_bits();
		bytes = realloc(bytes, size == 0 ? 1 : size);
		crm_rfm_sample_init(&sample, &env);
		status = crm_rfm_sample_read(&sample, bytes, size);
		CHECK(round > 0 || status == CRM_OK);
		refused += status != CRM_OK;
		if (status == CRM_OK)
		{
			double		borders[4];

			/* What was let in can be used. */
			if (sample.recency.total > 0)
				CHECK_EQUAL(crm_rfm_counts_borders(&env, &sample.recency, 5, borders), CRM_OK);
			if (sample.monetary.total > 0)
				CHECK_EQUAL(crm_rfm_values_borders(&env, &sample.monetary, 5, borders), CRM_OK);
		}
		free(sample.recency.slots);
		free(sample.frequency.slots);
		free(sample.monetary.first);
		free(bytes);
	}
	CHECK(refused > 2000);
}

int
main(void)
{
	test_sums();
	test_quantiles();
	test_neighbours();
	test_bins();
	test_days();
	test_damage();
	return unit_done();
}
