/*
 * test_scores.c - sorting against qsort, measures against their definitions over
 * all pairs.
 */
#include "unit.h"

#include <math.h>

#include "kernel/scores.h"

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
random_number(int kind)
{
	uint64_t	bits = random_bits();
	double		number;

	switch (kind % 4)
	{
		case 0:
			return (double) (int64_t) (bits % 7) - 3;
		case 1:
			return (double) (bits >> 11) / 9007199254740992.0;
		case 2:
			return bits % 2 ? -0.0 : 0.0;
		default:
			do
			{
				memcpy(&number, &bits, sizeof(number));
				bits = random_bits();
			} while (!isfinite(number));
			return number;
	}
}

static void
test_sort(void)
{
	crm_env		env = unit_env();

	for (int round = 0; round < 400; round++)
	{
		uint64_t	count = random_bits() % (round % 20 == 0 ? 5000 : 40);
		double	   *numbers = malloc(sizeof(double) * (count + 1));
		double	   *expected = malloc(sizeof(double) * (count + 1));
		bool		same = true;

		for (uint64_t i = 0; i < count; i++)
			numbers[i] = expected[i] = random_number(round);
		qsort(expected, count, sizeof(double), compare_numbers);
		CHECK(crm_sort_numbers(&env, numbers, count) == CRM_OK);
		for (uint64_t i = 0; i < count; i++)
			same = same && numbers[i] == expected[i] && !(numbers[i] == 0 && signbit(numbers[i]));
		CHECK(same);
		free(numbers);
		free(expected);
	}
}

static void
test_measures(void)
{
	crm_env		env = unit_env();
	double		positives[60];
	double		negatives[60];

	for (int round = 0; round < 500; round++)
	{
		crm_scores	s = {positives, negatives, 1 + random_bits() % 60, 1 + random_bits() % 60};
		double		auc = 0;
		double		ks = 0;
		double		of_positives = 0;
		double		of_negatives = 0;
		double		found;

		for (uint64_t i = 0; i < s.positive_count; i++)
			positives[i] = random_number(round) + (round % 3 == 0);
		for (uint64_t i = 0; i < s.negative_count; i++)
			negatives[i] = random_number(round);
		for (uint64_t i = 0; i < s.positive_count; i++)
			for (uint64_t j = 0; j < s.negative_count; j++)
				auc += positives[i] > negatives[j] ? 1 : positives[i] == negatives[j] ? 0.5 : 0;
		auc /= (double) (s.positive_count * s.negative_count);
		for (uint64_t k = 0; k < s.positive_count + s.negative_count; k++)
		{
			double		at = k < s.positive_count ? positives[k] : negatives[k - s.positive_count];
			double		below_1 = 0;
			double		below_0 = 0;
			double		place = 0;

			for (uint64_t i = 0; i < s.positive_count; i++)
				below_1 += positives[i] <= at;
			for (uint64_t j = 0; j < s.negative_count; j++)
				below_0 += negatives[j] <= at;
			ks = fmax(ks, fabs(below_1 / (double) s.positive_count - below_0 / (double) s.negative_count));
			if (k < s.positive_count)
			{
				for (uint64_t j = 0; j < s.negative_count; j++)
					place += at > negatives[j] ? 1 : at == negatives[j] ? 0.5 : 0;
				of_positives += pow(place / (double) s.negative_count - auc, 2);
			}
			else
			{
				for (uint64_t i = 0; i < s.positive_count; i++)
					place += positives[i] > at ? 1 : positives[i] == at ? 0.5 : 0;
				of_negatives += pow(place / (double) s.positive_count - auc, 2);
			}
		}
		CHECK(crm_scores_sort(&env, &s) == CRM_OK);
		found = crm_scores_auc(&env, &s);
		CHECK(fabs(found - auc) < 1e-14);
		CHECK(fabs(crm_scores_ks(&env, &s) - ks) < 1e-14);
		found = crm_scores_auc_error(&env, &s, found);
		if (s.positive_count < 2 || s.negative_count < 2)
			CHECK(isnan(found));
		else
			CHECK(fabs(found - sqrt(of_positives / (double) (s.positive_count - 1) / (double) s.positive_count +
									of_negatives / (double) (s.negative_count - 1) / (double) s.negative_count)) < 1e-12);
	}
}

/* Every row is in one bin; a bin begins no earlier than its share of the rows, and equal scores are together. */
static void
test_bins(void)
{
	crm_env		env = unit_env();
	double		positives[60];
	double		negatives[60];
	crm_score_bin bins[20];

	for (int round = 0; round < 500; round++)
	{
		crm_scores	s = {positives, negatives, random_bits() % 60, random_bits() % 60};
		uint64_t	rows = s.positive_count + s.negative_count;
		uint64_t	count = 1 + random_bits() % 20;
		bool		descending = round % 2;
		uint64_t	before = 0;
		uint64_t	found = 0;
		double		last = 0;

		for (uint64_t i = 0; i < s.positive_count; i++)
			positives[i] = random_number(round / 2);
		for (uint64_t i = 0; i < s.negative_count; i++)
			negatives[i] = random_number(round / 2);
		CHECK(crm_scores_sort(&env, &s) == CRM_OK);
		crm_scores_bins(&env, &s, descending, count, bins);
		for (uint64_t k = 0; k < count; k++)
		{
			if (bins[k].rows == 0)
				continue;
			CHECK(k == 0 || before >= k * rows / count);
			CHECK(before < (k + 1) * rows / count || k + 1 == count);
			if (before > 0)
				CHECK(descending ? bins[k].high < last : bins[k].low > last);
			last = descending ? bins[k].low : bins[k].high;
			before += bins[k].rows;
			found += bins[k].positives;
		}
		CHECK_EQUAL(before, rows);
		CHECK_EQUAL(found, s.positive_count);
	}
}

int
main(void)
{
	test_sort();
	test_measures();
	test_bins();
	return unit_done();
}
