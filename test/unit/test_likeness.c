/*
 * test_likeness.c - weights of sets, scores without the customers asked, and points
 * of whole sets, against counting customer by customer.
 */
#include "unit.h"

#include <math.h>

#include "kernel/likeness.h"
#include "kernel/lookalike.h"

static uint64_t seed = 88172645463325252ULL;

static uint64_t
next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static crm_ids
set_of(crm_env *env, const bool *member, uint64_t n, uint64_t step)
{
	crm_ids_builder *builder;
	uint64_t   *ids = malloc((n + 1) * sizeof(uint64_t));
	size_t		count = 0;
	crm_ids		set;
	uint8_t    *data;

	for (uint64_t i = 0; i < n; i++)
		if (member[i])
			ids[count++] = i * step;
	CHECK(crm_ids_builder_new(env, &builder) == CRM_OK && crm_ids_builder_ids(builder, ids, count) == CRM_OK);
	set.size = crm_ids_builder_size(builder);
	data = unit_pool_alloc(env->arg, set.size);
	crm_ids_builder_write(builder, data);
	set.data = data;
	free(ids);
	return set;
}

/* ---- points of sets ------------------------------------------------------------------ */

static void
check_points(crm_env *env, uint64_t n, uint64_t step)
{
	enum
	{
		SETS = 12
	};
	crm_bsi_collector *collector;
	const crm_bsi_image *image;
	crm_bsi	   *bsi = malloc(sizeof(crm_bsi));
	int64_t    *sums = calloc(n, sizeof(int64_t));
	bool	   *present = calloc(n, sizeof(bool));
	bool	   *member = malloc(n);

	CHECK(crm_bsi_collector_new(env, &collector) == CRM_OK);
	for (int s = 0; s < SETS; s++)
	{
		uint64_t	one_in = 1 + next_random() % 40;
		crm_int128	points = (crm_int128) (next_random() % 2000) - 1000;
		uint32_t	scale = s == 7 ? 3 : 2;

		if (s == 9)
			points = (crm_int128) 1 << 50;	/* too large for the quick way */
		for (uint64_t i = 0; i < n; i++)
		{
			member[i] = next_random() % one_in == 0;
			if (member[i])
			{
				present[i] = true;
				sums[i] += (int64_t) points * (scale == 2 ? 10 : 1);
			}
		}
		CHECK(crm_bsi_collector_add_set(collector, set_of(env, member, n, step), points, scale) == CRM_OK);
	}
	CHECK(crm_bsi_collector_build(collector, &image) == CRM_OK);
	crm_bsi_image_view(image, bsi);
	for (uint64_t i = 0; i < n; i++)
	{
		crm_int128	value;
		bool		found = crm_bsi_lookup(bsi, i * step, &value);

		CHECK(found == present[i]);
		if (found)
			CHECK(value * (bsi->scale == 2 ? 10 : 1) == sums[i]);
	}
	free(bsi);
	free(sums);
	free(present);
	free(member);
}

/* ---- weights -------------------------------------------------------------------------- */

static double
weight(double s, double o, double seeds, double others)
{
	double		usual = (s + o) / (seeds + others);

	return s + o == 0 ? 0 : log((s + CRM_LOOKALIKE_PRIOR * usual) / (seeds + CRM_LOOKALIKE_PRIOR)) - log((o + CRM_LOOKALIKE_PRIOR * usual) / (others + CRM_LOOKALIKE_PRIOR));
}

/* One group of exclusive sets says who is of the seed, the other nothing. */
static void
check_likeness(crm_env *env)
{
	enum
	{
		N = 6000, GROUPS = 2, SETS = 4, FOLDS = 4
	};
	static bool is_seed[N];
	static bool everybody[N];
	static int	place[GROUPS][N];	/* of each customer in each group: 0 none */
	static bool member[N];
	crm_likeness *likeness;
	crm_likeness_fold folds[FOLDS];
	double		seeds = 0;
	uint64_t	asked = 0;

	for (int i = 0; i < N; i++)
	{
		everybody[i] = true;
		is_seed[i] = next_random() % 4 == 0;
		seeds += is_seed[i];
		place[0][i] = next_random() % 10 < (is_seed[i] ? 7 : 2) ? 1 : (int) (next_random() % (SETS + 1));
		place[1][i] = (int) (next_random() % (SETS + 1));
	}
	CHECK(crm_likeness_new(env, set_of(env, is_seed, N, 3), set_of(env, everybody, N, 3), FOLDS, &likeness) == CRM_OK);
	for (int g = 0; g < GROUPS; g++)
	{
		crm_likeness_set sets[SETS] = {{{0}}};
		double		none;
		double		s[SETS + 1] = {0};
		double		o[SETS + 1] = {0};

		for (int i = 0; i < N; i++)
			if (is_seed[i])
				s[place[g][i]]++;
			else
				o[place[g][i]]++;
		for (int k = 0; k < SETS; k++)
		{
			for (int i = 0; i < N; i++)
				member[i] = place[g][i] == k + 1;
			sets[k].ids = set_of(env, member, N, 3);
		}
		CHECK(crm_likeness_add(likeness, sets, SETS, &none) == CRM_OK);
		CHECK(fabs(none - weight(s[0], o[0], seeds, N - seeds)) < 1e-12);
		for (int k = 0; k < SETS; k++)
			CHECK(sets[k].seed == s[k + 1] && sets[k].base == s[k + 1] + o[k + 1] && fabs(sets[k].weight - weight(s[k + 1], o[k + 1], seeds, N - seeds)) < 1e-12);
	}
	CHECK(crm_likeness_judge(likeness, folds) == CRM_OK);
	for (int f = 0; f < FOLDS; f++)
	{
		asked += folds[f].seed + folds[f].others;
		CHECK(folds[f].auc > 0.65 && folds[f].auc < 0.9 && folds[f].top_tenth >= 0 && folds[f].top_tenth <= 1);
	}
	CHECK_EQUAL(asked, N);
}

/* Nothing to learn, in many sets: held out customers are in no better order than by chance. */
static void
check_chance(crm_env *env)
{
	enum
	{
		N = 3000
	};
	static bool is_seed[N];
	static bool everybody[N];
	static bool member[N];
	crm_likeness *likeness;
	crm_likeness_fold folds[5];
	double		auc = 0;

	for (int i = 0; i < N; i++)
	{
		everybody[i] = true;
		is_seed[i] = next_random() % 10 == 0;
	}
	CHECK(crm_likeness_new(env, set_of(env, is_seed, N, 1), set_of(env, everybody, N, 1), 5, &likeness) == CRM_OK);
	for (int g = 0; g < 100; g++)
	{
		crm_likeness_set set = {{0}};
		double		none;

		for (int i = 0; i < N; i++)
			member[i] = next_random() % 20 == 0;
		set.ids = set_of(env, member, N, 1);
		CHECK(crm_likeness_add(likeness, &set, 1, &none) == CRM_OK);
	}
	CHECK(crm_likeness_judge(likeness, folds) == CRM_OK);
	for (int f = 0; f < 5; f++)
		auc += folds[f].auc / 5;
	CHECK(fabs(auc - 0.5) < 0.06);
}

int
main(void)
{
	unit_pool	pool = {0};
	crm_env		env = unit_pool_env(&pool);

	check_points(&env, 70000, 1);
	check_points(&env, 3000, 100003);
	check_points(&env, 200000, 3);
	check_likeness(&env);
	check_chance(&env);
	unit_pool_free(&pool);
	return unit_done();
}
