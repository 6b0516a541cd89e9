/*
 * test_significance.c - Fisher's exact test against published tables, exact
 * rational arithmetic and its own definition; false discovery rates against the
 * paper's example and the definition; control groups against their formula.
 */
#include "unit.h"

#include <math.h>

#include "kernel/holdout.h"
#include "kernel/significance.h"

static uint64_t seed = 88172645463325252u;

static uint64_t
random_bits(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * UINT64_C(0x2545F4914F6CDD1D);
}

static double
fisher(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	crm_env		env = unit_env();
	double		p = -1;

	CHECK(crm_fisher_exact(&env, a, b, c, d, &p) == CRM_OK);
	return p;
}

static bool
near(double value, double expected, double relative)
{
	return fabs(value - expected) <= relative * fabs(expected);
}

static void
test_known_tables(void)
{
	/* Fisher 1935, the lady tasting tea: 34 of 70. */
	CHECK(near(fisher(3, 1, 1, 3), 34.0 / 70, 1e-14));
	/* Fisher 1962 by way of R's fisher.test: convictions of like-sex twins, published as 0.0005367. */
	CHECK(near(fisher(2, 10, 15, 3), 0.0005367, 1e-4));

	/* Exact rational arithmetic, rounded once. */
	CHECK(near(fisher(2, 10, 15, 3), 0.0005367241191434358, 1e-13));
	CHECK(near(fisher(8, 2, 1, 5), 0.03496503496503497, 1e-13));
	CHECK(near(fisher(0, 10, 10, 0), 1.082508822446903e-05, 1e-13));
	CHECK(near(fisher(1, 9, 11, 3), 0.0027594561852200836, 1e-13));
	CHECK(near(fisher(5, 0, 1, 4), 0.047619047619047616, 1e-13));
	CHECK(near(fisher(120, 880, 900, 8100), 0.05369266918020736, 1e-12));
	CHECK(near(fisher(30, 970, 400, 8600), 0.03236919124359728, 1e-12));
	CHECK(near(fisher(500, 500, 480, 520), 0.3953996780940272, 1e-12));
	CHECK(near(fisher(1000, 9000, 9500, 80500), 0.08871593773155602, 1e-12));
	CHECK(near(fisher(10, 0, 0, 1000), 3.435263087769455e-24, 1e-13));
	CHECK(near(fisher(0, 5, 5, 0), 0.007936507936507936, 1e-13));
	CHECK(near(fisher(1, 999, 0, 9000), 0.1, 1e-13));
	CHECK(near(fisher(700, 9300, 9000, 81000), 1.6317778513020643e-23, 1e-11));
	CHECK(near(fisher(2000, 3000, 20000, 75000), 1.1025682995642029e-190, 1e-11));

	/* Nothing to tell apart. */
	CHECK(fisher(0, 0, 3, 4) == 1);
	CHECK(fisher(3, 4, 0, 0) == 1);
	CHECK(fisher(0, 3, 0, 4) == 1);
	CHECK(fisher(3, 0, 4, 0) == 1);
	CHECK(fisher(0, 0, 0, 0) == 1);
	CHECK(fisher(100, 900, 1000, 9000) == 1);
}

/* By the definition: all tables with these margins, products of binomial coefficients in long double. */
static void
test_definition(void)
{
	for (int round = 0; round < 20000; round++)
	{
		uint64_t	a = random_bits() % 12,
					b = random_bits() % 12,
					c = random_bits() % 12,
					d = random_bits() % 12;
		long double all = 0;
		long double unlikely = 0;
		long double weights[48];
		uint64_t	highest = a + b < a + c ? a + b : a + c;
		uint64_t	lowest = a > d ? a - d : 0;

		for (uint64_t x = lowest; x <= highest; x++)
		{
			/* (a + c choose x) (b + d choose a + b - x) */
			uint64_t	y = a + b - x;

			weights[x] = 1;
			for (uint64_t i = 0; i < x; i++)
				weights[x] = weights[x] * (long double) (a + c - i) / (long double) (i + 1);
			for (uint64_t i = 0; i < y; i++)
				weights[x] = weights[x] * (long double) (b + d - i) / (long double) (i + 1);
			all += weights[x];
		}
		for (uint64_t x = lowest; x <= highest; x++)
			if (weights[x] <= weights[a] * (1 + 1e-7L))
				unlikely += weights[x];
		CHECK(near(fisher(a, b, c, d), (double) (unlikely / all), 1e-12));
		/* The table is the same whichever way it is held. */
		CHECK(near(fisher(a, b, c, d), fisher(a, c, b, d), 1e-12));
		CHECK(near(fisher(a, b, c, d), fisher(d, c, b, a), 1e-12));
		CHECK(near(fisher(a, b, c, d), fisher(b, a, d, c), 1e-12));
	}
}

static void
test_large(void)
{
	crm_env		env = unit_env();
	double		p;
	double		before = 1;

	/* A normal approximation is good here, near the middle: 1 % of 10 million, of which 10 % are marked; standard deviation 94.4. */
	for (int z = 0; z <= 2; z++)
	{
		uint64_t	a = 10000 + (uint64_t) lround(94.3919 * z);
		double		normal = erfc(((double) a - 10000 - 0.5) / 94.3919 / sqrt(2));

		p = fisher(a, 100000 - a, 1000000 - a, 10000000 - 100000 - 1000000 + a);
		CHECK(z == 0 ? p == 1 : near(p, normal, 0.02));
		CHECK(z == 0 || p < before);
		before = p;
	}
	/* So unlikely that a double cannot say. */
	CHECK(fisher(1000000, 0, 0, 9000000) == 0);
	CHECK(fisher(0, 1000000, 5000000, 4000000) == 0);
	/* A hundred millions against a billion, even. */
	CHECK(fisher(100000000, 900000000, 100000000, 900000000) == 1);

	CHECK(crm_fisher_exact(&env, CRM_FISHER_MAX_TOTAL, 1, 0, 0, &p) == CRM_OUT_OF_RANGE);
	CHECK(crm_fisher_exact(&env, UINT64_MAX, 1, UINT64_MAX, 1, &p) == CRM_OUT_OF_RANGE);
	CHECK(crm_fisher_exact(&env, 1, 0, 0, CRM_FISHER_MAX_TOTAL - 1, &p) == CRM_OK && near(p, 1 / (double) CRM_FISHER_MAX_TOTAL, 1e-12));
}

static void
test_discoveries(void)
{
	/* The example of section 3.2 of the paper: at 5 % four are discovered. */
	static const double paper[15] = {0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459,
	0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000};
	crm_env		env = unit_env();
	double		q[200];
	int			found = 0;

	CHECK(crm_benjamini_hochberg(&env, paper, 15, q) == CRM_OK);
	for (int i = 0; i < 15; i++)
		found += q[i] <= 0.05;
	CHECK_EQUAL(found, 4);
	CHECK(near(q[0], 0.0015, 1e-12));
	CHECK(near(q[3], 0.035625, 1e-12));
	/* 0.0344 * 15 / 8 is less than what the three before would have by themselves */
	CHECK(near(q[4], 0.0603, 1e-12));
	CHECK(near(q[5], 15 * 0.0298 / 7, 1e-12) && q[5] == q[6]);
	CHECK(q[14] == 1);
	CHECK(crm_benjamini_hochberg(&env, paper, 0, q) == CRM_OK);

	for (int round = 0; round < 500; round++)
	{
		double		p[200];
		size_t		count = 1 + random_bits() % 200;

		for (size_t i = 0; i < count; i++)
			p[i] = (double) (random_bits() % (round % 2 ? 20 : 1000000)) / (round % 2 ? 20 : 1000000);
		CHECK(crm_benjamini_hochberg(&env, p, count, q) == CRM_OK);
		/* The least, over thresholds not below p, of threshold * count / how many p are within it. */
		for (size_t i = 0; i < count; i++)
		{
			double		least = 1;

			for (size_t j = 0; j < count; j++)
				if (p[j] >= p[i])
				{
					size_t		within = 0;
					double		value;

					for (size_t k = 0; k < count; k++)
						within += p[k] <= p[j];
					value = p[j] * (double) count / (double) within;
					if (value < least)
						least = value;
				}
			CHECK(q[i] == least);
		}
	}
}

static uint64_t
mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static crm_ids
finish(crm_ids_builder *builder)
{
	crm_ids		ids;
	uint8_t    *data;

	ids.size = crm_ids_builder_size(builder);
	data = malloc(ids.size);
	crm_ids_builder_write(builder, data);
	crm_ids_builder_free(builder);
	ids.data = data;
	return ids;
}

static void
test_holdout(void)
{
	static const double shares[] = {0, 1e-18, 0.001, 0.1, 0.5, 0.999, 1};
	crm_env		env = unit_env();
	uint64_t	ids[5000];
	crm_ids_builder *builder;
	crm_ids		set;
	uint64_t	at = 0;

	/* Published value of FNV-1a-64 of "foobar". */
	CHECK(crm_holdout_seed((const uint8_t *) "foobar", 6) == mix(UINT64_C(0x85944171f73967e8)));
	for (int i = 0; i < 5000; i++)
		ids[i] = at += 1 + (i % 7 == 0 ? random_bits() % (UINT64_C(1) << 40) : random_bits() % 100);
	CHECK(crm_ids_builder_new(&env, &builder) == CRM_OK);
	CHECK(crm_ids_builder_ids(builder, ids, 5000) == CRM_OK);
	set = finish(builder);
	for (int i = 0; i < 7; i++)
	{
		uint64_t	salt = crm_holdout_seed((const uint8_t *) "spring", 6);
		crm_ids		held;
		uint64_t	count = 0;

		CHECK(crm_ids_builder_new(&env, &builder) == CRM_OK);
		CHECK(crm_ids_holdout(&env, set, shares[i], salt, builder) == CRM_OK);
		held = finish(builder);
		for (int k = 0; k < 5000; k++)
		{
			bool		expected = (long double) mix(mix(ids[k] ^ salt) + salt) / 18446744073709551616.0L < shares[i];

			CHECK(crm_ids_contains(held, ids[k]) == expected);
			count += expected;
		}
		CHECK_EQUAL(crm_ids_count(held), count);
		free((void *) held.data);
	}
	free((void *) set.data);
}

int
main(void)
{
	test_known_tables();
	test_definition();
	test_large();
	test_discoveries();
	test_holdout();
	return unit_done();
}
