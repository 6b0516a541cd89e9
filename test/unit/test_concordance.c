/*
 * Concordance against pairs counted one by one, and its error against leaving each
 * row out.
 */
#include <math.h>

#include "kernel/concordance.h"
#include "unit.h"

static uint64_t seed = 1;

static double
draw(int values)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double) ((seed >> 33) % (uint64_t) values);
}

/* Right pairs and all pairs, without the row left out (count: none). */
static void
count_pairs(const crm_survivor *rows, size_t count, size_t without, bool other, double *good, double *pairs)
{
	*good = *pairs = 0;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++)
		{
			double		a = other ? rows[i].other : rows[i].score;
			double		b = other ? rows[j].other : rows[j].score;

			if (i == j || i == without || j == without || !rows[i].event || rows[j].time < rows[i].time || (rows[j].time == rows[i].time && rows[j].event))
				continue;
			*pairs += 1;
			*good += a > b ? 1 : a == b ? 0.5 : 0;
		}
}

static double
value_without(const crm_survivor *rows, size_t count, size_t without, bool other)
{
	double		good;
	double		pairs;

	count_pairs(rows, count, without, other, &good, &pairs);
	return good / pairs;
}

static bool
near(double a, double b, double tolerance)
{
	return fabs(a - b) <= tolerance * fmax(fabs(b), 1e-12);
}

static void
random_rows(size_t count, int times, int scores)
{
	crm_survivor *rows = malloc(sizeof(crm_survivor) * count);
	crm_survivor *turned = malloc(sizeof(crm_survivor) * count);
	crm_concordance result;
	crm_concordance again;
	crm_env		env = unit_env();
	double		good;
	double		pairs;

	for (size_t i = 0; i < count; i++)
	{
		double		time = draw(times);

		rows[i] = (crm_survivor) {time, times - time + draw(scores), times - time / 2 + draw(scores * 2), draw(3) > 0};
	}
	for (size_t i = 0; i < count; i++)
		turned[i] = rows[count - 1 - i];
	CHECK(crm_concordance_of(&env, rows, count, true, &result) == CRM_OK);
	CHECK(crm_concordance_of(&env, turned, count, true, &again) == CRM_OK);
	count_pairs(rows, count, count, false, &good, &pairs);
	CHECK(result.pairs == pairs);
	if (pairs == 0)
	{
		CHECK(isnan(result.value));
		free(rows);
		free(turned);
		return;
	}
	CHECK(near(result.value, good / pairs, 1e-12));
	CHECK(near(result.other, value_without(rows, count, count, true), 1e-12));
	CHECK(near(result.gain, result.other - result.value, 1e-12));
	/* the order of rows does not matter */
	CHECK(again.value == result.value && again.other == result.other);
	CHECK(near(again.error, result.error, 1e-12) && near(again.gain_error, result.gain_error, 1e-9));
	/* the jackknife of leaving rows out one by one is nearly the infinitesimal one */
	if (count >= 100)
	{
		double		sum = 0;
		double		gains = 0;

		for (size_t i = 0; i < count; i++)
		{
			double		value = value_without(rows, count, i, false);
			double		other = value_without(rows, count, i, true);

			sum += (value - result.value) * (value - result.value);
			gains += (other - value - result.gain) * (other - value - result.gain);
		}
		CHECK(near(result.error, sqrt(sum), 0.05));
		CHECK(near(result.gain_error, sqrt(gains), 0.05));
	}
	free(rows);
	free(turned);
}

static void
known(void)
{
	crm_env		env = unit_env();
	crm_concordance result;
	crm_survivor rows[] = {{1, 3, 0, true}, {2, 1, 0, true}, {3, 2, 0, false}};
	crm_survivor last[] = {{5, 1, 0, true}, {5, 2, 0, false}, {5, 0, 0, true}};

	CHECK(crm_concordance_of(&env, rows, 3, false, &result) == CRM_OK);
	CHECK(result.pairs == 3 && near(result.value, 2.0 / 3, 1e-15) && result.events == 2 && isnan(result.other));
	/* who is last seen at the time of events outlived them; they do not outlive each other */
	CHECK(crm_concordance_of(&env, last, 3, false, &result) == CRM_OK);
	CHECK(result.pairs == 2 && result.value == 0);
	CHECK(crm_concordance_of(&env, rows, 0, true, &result) == CRM_OK);
	CHECK(isnan(result.value) && result.pairs == 0);
	CHECK(crm_concordance_bytes(1000) >= 1000 * (sizeof(crm_survivor) + 5 * 8 + 24) && crm_concordance_bytes(1000) < 100 * 1002);
}

int
main(void)
{
	known();
	for (int i = 0; i < 300; i++)
		random_rows(1 + (size_t) draw(30), 1 + (int) draw(20), 1 + (int) draw(5));
	random_rows(150, 40, 30);
	random_rows(200, 1000, 500);
	return unit_done();
}
