/*
 * test_percentile.c - positions among all values, against counting.
 */
#include "unit.h"

#include "kernel/percentile.h"

static uint64_t seed = 88172645463325252ULL;

static uint64_t
next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void
fill(crm_env *env, crm_rfm_values *values, double *copy, size_t n, int kind)
{
	memset(values, 0, sizeof(*values));
	for (size_t i = 0; i < n; i++)
	{
		switch (kind)
		{
			case 0:
				copy[i] = (double) (next_random() % 50) - 25;
				break;
			case 1:
				copy[i] = (double) (int64_t) next_random() / 1e5;
				break;
			case 2:
				copy[i] = 7;
				break;
			case 3:				/* half of all are one value */
				copy[i] = next_random() % 2 ? 0 : (double) next_random();
				break;
			default:
				copy[i] = (next_random() % 2 ? 1 : -1) * 1e300 / (double) (next_random() % 1000 + 1);
		}
		CHECK(crm_rfm_values_add(env, values, copy[i]) == CRM_OK);
	}
}

static double
count_below(const double *values, size_t n, double value)
{
	size_t		below = 0;

	for (size_t i = 0; i < n; i++)
		below += values[i] < value;
	return (double) below / (double) (n - 1);
}

int
main(void)
{
	unit_pool	pool = {0};
	crm_env		env = unit_pool_env(&pool);
	static double copy[60000];

	for (int kind = 0; kind < 5; kind++)
		for (size_t n = 2; n <= 60000; n = n * 5 + 1)
		{
			crm_rfm_values values;
			double	   *numbers;
			size_t		count;
			double		step = 1.0 / CRM_PERCENTILE_STEPS;

			fill(&env, &values, copy, n, kind);
			CHECK(crm_percentile_borders(&env, &values, &numbers, &count) == CRM_OK);
			CHECK(numbers[0] == (double) n && count % 2 == 0 && count >= CRM_PERCENTILE_HEADER + 2);
			for (size_t i = CRM_PERCENTILE_HEADER + 2; i < count; i += 2)
				CHECK(numbers[i] > numbers[i - 2] && numbers[i + 1] > numbers[i - 1]);
			for (int probe = 0; probe < 300; probe++)
			{
				double		value = copy[next_random() % n];
				double		position = crm_percentile_at(numbers, count, value);
				double		expected = count_below(copy, n, value);

				if (numbers[1] == 1)
					CHECK(position == expected);
				else
				{
					CHECK(position <= expected && position > expected - step);
					/* the same side of every step */
					for (int k = 0; k <= 10; k++)
						CHECK((position >= k / 10.0) == (expected >= k / 10.0));
				}
			}
			/* values that were not there; the order is kept */
			for (int probe = 0; probe < 100; probe++)
			{
				double		a = (double) (int64_t) next_random() / 1e4;
				double		b = a + (double) (next_random() % 1000);

				CHECK(crm_percentile_at(numbers, count, a) <= crm_percentile_at(numbers, count, b));
			}
			CHECK(crm_percentile_at(numbers, count, -1e308) == 0);
			CHECK(crm_percentile_at(numbers, count, 1e308) <= 1);
		}
	{
		crm_rfm_values one = {0};
		double	   *numbers;
		size_t		count;

		CHECK(crm_rfm_values_add(&env, &one, -3) == CRM_OK);
		CHECK(crm_percentile_borders(&env, &one, &numbers, &count) == CRM_OK);
		CHECK(count == 4 && crm_percentile_at(numbers, count, -3) == 0 && crm_percentile_at(numbers, count, -4) == 0 &&
			  crm_percentile_at(numbers, count, 0) == 1);
	}
	unit_pool_free(&pool);
	return unit_done();
}
