/*
 * test_kmeans.c - k-means against all partitions of small sets, against its own
 * definition on larger ones (each row at its nearest center, each center in the
 * middle of its rows), with and without categories, gaps and weights; the order of
 * rows, equal rows and parts change nothing; samples by hash merge; groups are
 * matched as the best of all pairings matches them.
 */
#include "unit.h"

#include <math.h>

#include "kernel/group_match.h"
#include "kernel/kmeans_step.h"

static uint64_t seed = 88172645463325252u;

static double
random_number(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (double) ((seed * UINT64_C(0x2545F4914F6CDD1D)) >> 11) * 0x1p-53;
}

typedef struct rows
{
	int			count;
	int			features;
	double	   *x;				/* features, then the weight */
} rows;

static rows
make_rows(int count, int features)
{
	rows		r = {count, features, malloc(sizeof(double) * (size_t) count * (features + 1))};

	for (int i = 0; i < count; i++)
		r.x[i * (features + 1) + features] = 1;
	return r;
}

static double *
row_of(const rows *r, int i)
{
	return r->x + (size_t) i * (r->features + 1);
}

/* Rows from first on, every step-th and around, as columns; what is more is nothing. */
static void
to_columns(const rows *r, int first, int step, int count, crm_columns *columns, const crm_env *env)
{
	crm_columns_init(columns, env, (uint32_t) r->features + 2, SIZE_MAX / 4);
	for (int i = 0; i < count; i++)
	{
		const double *row = row_of(r, (int) ((first + (int64_t) i * step) % r->count));
		double	   *out;

		CHECK(crm_columns_add(columns, &out) == CRM_OK);
		out[CRM_KMEANS_COPIES] = 1;
		out[CRM_KMEANS_WEIGHT] = row[r->features];
		memcpy(out + 2, row, sizeof(double) * r->features);
		crm_columns_added(columns);
	}
}

static crm_kmeans_options
options_for(uint32_t groups)
{
	crm_kmeans_options options = {.groups = groups, .starts = 20, .iterations = 1000, .tolerance = 0, .gamma = -1, .seed = 7};

	return options;
}

static double
fit_inertia(const rows *r, const crm_kmeans_options *options, int first, int step)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	crm_columns columns;
	crm_kmeans_result result;
	double		inertia;

	to_columns(r, first, step, r->count, &columns, &env);
	CHECK(crm_kmeans_fit(&columns, options, &env, &result) == CRM_OK);
	inertia = result.inertia;
	unit_pool_free(&pool);
	return inertia;
}

/* ---- all partitions ------------------------------------------------------------- */

/* Sum of squares of a partition, from its definition. */
static double
partition_inertia(const rows *r, const int *group, int groups)
{
	double		sum = 0;

	for (int c = 0; c < groups; c++)
		for (int j = 0; j < r->features; j++)
		{
			double		weight = 0;
			double		mean = 0;

			for (int i = 0; i < r->count; i++)
				if (group[i] == c)
				{
					weight += row_of(r, i)[r->features];
					mean += row_of(r, i)[r->features] * row_of(r, i)[j];
				}
			for (int i = 0; weight > 0 && i < r->count; i++)
				if (group[i] == c)
					sum += row_of(r, i)[r->features] * (row_of(r, i)[j] - mean / weight) * (row_of(r, i)[j] - mean / weight);
		}
	return sum;
}

static double
best_partition(const rows *r, int groups)
{
	int			group[16] = {0};
	double		best = INFINITY;

	for (;;)
	{
		double		inertia = partition_inertia(r, group, groups);
		int			i = 0;

		if (inertia < best)
			best = inertia;
		while (i < r->count && ++group[i] == groups)
			group[i++] = 0;
		if (i == r->count)
			return best;
	}
}

static void
test_all_partitions(void)
{
	for (int trial = 0; trial < 60; trial++)
	{
		int			features = 1 + trial % 3;
		rows		r = make_rows(8, features);
		crm_kmeans_options options = options_for(2 + trial % 2);
		double		best;

		for (int i = 0; i < r.count; i++)
		{
			for (int j = 0; j < features; j++)
				row_of(&r, i)[j] = trial % 4 == 3 ? floor(random_number() * 4) : random_number();
			if (trial % 5 == 4)
				row_of(&r, i)[features] = 0.25 + random_number() * 3;
		}
		best = best_partition(&r, (int) options.groups);
		options.starts = 50;
		CHECK(fabs(fit_inertia(&r, &options, 0, 1) - best) <= 1e-12 * (1 + best));
		free(r.x);
	}
}

/* ---- by its definition --------------------------------------------------------------- */

/* Blobs, with what a trial asks for: whole numbers, gaps, categories, weights, a far offset. */
static rows
random_blobs(int trial, int count, int features, uint8_t *categorical)
{
	rows		r = make_rows(count, features);

	for (int j = 0; j < features; j++)
		categorical[j] = trial % 3 == 2 && j % 2 == 1;
	for (int i = 0; i < count; i++)
	{
		int			blob = (int) (random_number() * 6);

		for (int j = 0; j < features; j++)
		{
			double		x = (blob * (j + 2) % 5) * 2 + random_number() * 3 + (trial % 5 == 1 ? 1e6 : 0);

			if (trial % 4 == 1)
				x = floor(x);
			if (categorical[j])
				x = floor(random_number() * 3) == 0 ? floor(random_number() * 5) * 10 : blob * 10;
			if (trial % 4 == 2 && random_number() < 0.2)
				x = NAN;
			row_of(&r, i)[j] = x;
		}
		if (trial % 6 == 5)
			row_of(&r, i)[features] = 0.5 + random_number() * 4;
	}
	return r;
}

static double
distance(const crm_kmeans_result *result, const uint8_t *categorical, int features, const double *x, uint32_t c)
{
	double		sum = 0;

	for (int j = 0; j < features; j++)
	{
		double		center = result->centers[(size_t) c * features + j];

		if (isnan(x[j]))
			continue;
		if (categorical[j])
			sum += x[j] != center ? result->gamma : 0;
		else
			sum += (x[j] - center) * result->scales[j] * (x[j] - center) * result->scales[j];
	}
	return sum;
}

static void
check_definition(int trial, int count, int features, uint32_t groups)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	uint8_t		categorical[64];
	rows		r = random_blobs(trial, count, features, categorical);
	crm_kmeans_options options = options_for(groups);
	crm_kmeans_result result;
	crm_columns columns;
	double		inertia = 0;
	uint64_t	sizes[64] = {0};
	uint32_t   *group = malloc(sizeof(uint32_t) * (size_t) count);

	options.starts = 4;
	options.standardize = trial % 2 == 1;
	options.categorical = trial % 3 == 2 ? categorical : NULL;
	to_columns(&r, 0, 1, count, &columns, &env);
	CHECK(crm_kmeans_fit(&columns, &options, &env, &result) == CRM_OK);
	CHECK(result.groups == groups && result.converged);
	CHECK_EQUAL(result.rows, count);
	for (int i = 0; i < count; i++)
	{
		double		least = INFINITY;

		group[i] = 0;
		for (uint32_t c = 0; c < groups; c++)
			if (distance(&result, categorical, features, row_of(&r, i), c) < least)
			{
				least = distance(&result, categorical, features, row_of(&r, i), c);
				group[i] = c;
			}
		sizes[group[i]]++;
		inertia += row_of(&r, i)[features] * least;
	}
	CHECK(fabs(inertia - result.inertia) <= 1e-9 * inertia);
	for (uint32_t c = 0; c < groups; c++)
		CHECK_EQUAL(sizes[c], result.sizes[c]);
	for (uint32_t c = 1; c < groups; c++)
		CHECK(result.weights[c - 1] >= result.weights[c] * (1 - 1e-12));
	/* the middle: means of what is there, and no category more frequent than the center's */
	for (uint32_t c = 0; c < groups; c++)
		for (int j = 0; j < features; j++)
		{
			double		center = result.centers[(size_t) c * features + j];
			double		weight = 0;
			double		sum = 0;
			double		counts[6] = {0};

			for (int i = 0; i < count; i++)
				if (group[i] == c && !isnan(row_of(&r, i)[j]))
				{
					weight += row_of(&r, i)[features];
					sum += row_of(&r, i)[features] * (row_of(&r, i)[j] - center);
					if (categorical[j])
						counts[(int) (row_of(&r, i)[j] / 10)] += row_of(&r, i)[features];
				}
			if (!categorical[j])
				CHECK(fabs(sum) <= 1e-8 * (weight + 1) * (1 + fabs(center) * 1e-6));
			else
				for (int v = 0; v < 6; v++)
					CHECK(counts[v] <= counts[(int) (center / 10)] * (1 + 1e-9));
		}
	free(group);
	free(r.x);
	unit_pool_free(&pool);
}

/* ---- order, copies, samples --------------------------------------------------------------- */

static bool
same_numbers(const double *a, const double *b, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

/* The same rows in another order give the same bits; each row four times the same centers. */
static void
check_order(int trial, int count, int features)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	uint8_t		categorical[64];
	rows		r = random_blobs(trial, count, features, categorical);
	crm_kmeans_options options = options_for(5);
	crm_kmeans_result result[3];
	crm_columns columns[3];

	options.starts = 3;
	options.categorical = trial % 3 == 2 ? categorical : NULL;
	to_columns(&r, 0, 1, count, &columns[0], &env);
	to_columns(&r, count / 3, 991, count, &columns[1], &env);
	to_columns(&r, 11, 991, 4 * count, &columns[2], &env);
	for (int i = 0; i < 3; i++)
		CHECK(crm_kmeans_fit(&columns[i], &options, &env, &result[i]) == CRM_OK);
	for (int i = 1; i < 3; i++)
		CHECK(result[i].groups == result[0].groups && result[i].iterations == result[0].iterations);
	CHECK(same_numbers(result[0].centers, result[1].centers, (size_t) result[0].groups * features));
	CHECK(same_numbers(result[0].within, result[1].within, result[0].groups));
	CHECK(result[0].inertia == result[1].inertia && result[0].total == result[1].total);
	CHECK_EQUAL(result[2].rows, 4 * count);
	CHECK_EQUAL(result[2].different, result[0].different);
	/* four times a sum is a power of two more: nothing is rounded in another way */
	CHECK(same_numbers(result[0].centers, result[2].centers, (size_t) result[0].groups * features));
	CHECK(result[2].inertia == 4 * result[0].inertia);
	free(r.x);
	unit_pool_free(&pool);
}

/* Of so many rows some have hashes that begin alike: what decides then is not their order. */
static void
test_alike(void)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	rows		r = make_rows(300000, 1);
	crm_columns columns[2];
	crm_columns thin[2];
	uint8_t		levels[2] = {0, 0};

	for (int i = 0; i < r.count; i++)
		row_of(&r, i)[0] = random_number();
	to_columns(&r, 0, 1, r.count, &columns[0], &env);
	to_columns(&r, 7, 7919, r.count, &columns[1], &env);
	for (int i = 0; i < 2; i++)
	{
		CHECK(crm_kmeans_thin(&columns[i], 1000000, &levels[i], &env, &thin[i]) == CRM_OK && levels[i] == 0);
		CHECK_EQUAL(thin[i].rows, r.count);
	}
	for (size_t part = 0; part < crm_columns_parts(&thin[0]); part++)
	{
		double		numbers[CRM_COLUMNS_MAX_BLOCK];
		double		again[CRM_COLUMNS_MAX_BLOCK];

		crm_columns_read(&thin[0], part, CRM_KMEANS_FEATURES, numbers);
		crm_columns_read(&thin[1], part, CRM_KMEANS_FEATURES, again);
		CHECK(same_numbers(numbers, again, crm_columns_part_rows(&thin[0], part)));
	}
	free(r.x);
	unit_pool_free(&pool);
}

static void
test_samples(void)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	uint8_t		categorical[64];
	rows		r = random_blobs(0, 5000, 3, categorical);
	crm_columns whole;
	crm_columns thin;
	crm_columns parts[2];
	crm_columns thin_parts[2];
	uint8_t		level = 0;
	uint8_t		levels[2] = {0, 0};
	uint8_t    *bytes;
	double		numbers[CRM_COLUMNS_MAX_BLOCK];
	double		again[CRM_COLUMNS_MAX_BLOCK];

	/* every row twice */
	to_columns(&r, 0, 1, 10000, &whole, &env);
	CHECK(crm_kmeans_thin(&whole, 700, &level, &env, &thin) == CRM_OK);
	CHECK(thin.rows <= 700 && thin.rows > 300);
	CHECK_EQUAL(level, 3);
	/* parts thinned, put together and thinned again */
	to_columns(&r, 0, 3, 4000, &parts[0], &env);
	to_columns(&r, 4000 * 3 % 5000, 3, 6000, &parts[1], &env);
	for (int i = 0; i < 2; i++)
		CHECK(crm_kmeans_thin(&parts[i], 700, &levels[i], &env, &thin_parts[i]) == CRM_OK && levels[i] <= level);
	bytes = malloc(crm_columns_size(&thin_parts[1]));
	crm_columns_write(&thin_parts[1], bytes);
	CHECK(crm_columns_merge(&thin_parts[0], bytes, crm_columns_size(&thin_parts[1])) == CRM_OK);
	levels[0] = levels[0] > levels[1] ? levels[0] : levels[1];
	CHECK(crm_kmeans_thin(&thin_parts[0], 700, &levels[0], &env, &parts[0]) == CRM_OK);
	CHECK_EQUAL(levels[0], level);
	CHECK_EQUAL(parts[0].rows, thin.rows);
	for (uint32_t c = 0; c < thin.width; c++)
	{
		crm_columns_read(&thin, 0, c, numbers);
		crm_columns_read(&parts[0], 0, c, again);
		CHECK(same_numbers(numbers, again, thin.rows));
		if (c == CRM_KMEANS_COPIES)
			for (uint64_t i = 0; i < thin.rows; i++)
				CHECK(numbers[i] == 2);
	}
	free(bytes);
	free(r.x);
	unit_pool_free(&pool);
}

/* ---- edges ------------------------------------------------------------------------------------ */

static void
test_edges(void)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	rows		r = make_rows(6, 2);
	crm_kmeans_options options = options_for(5);
	crm_kmeans_result result;
	crm_columns columns;

	/* three different rows are three groups, whatever is asked for */
	for (int i = 0; i < 6; i++)
		row_of(&r, i)[0] = row_of(&r, i)[1] = i % 3;
	to_columns(&r, 0, 1, 6, &columns, &env);
	CHECK(crm_kmeans_fit(&columns, &options, &env, &result) == CRM_OK);
	CHECK(result.groups == 3 && result.inertia == 0 && result.converged);
	/* all alike */
	for (int i = 0; i < 6; i++)
		row_of(&r, i)[0] = row_of(&r, i)[1] = 1e300;
	to_columns(&r, 0, 1, 6, &columns, &env);
	CHECK(crm_kmeans_fit(&columns, &options, &env, &result) == CRM_OK && result.groups == 1);
	/* squares beyond a double */
	row_of(&r, 0)[0] = -1e300;
	to_columns(&r, 0, 1, 6, &columns, &env);
	CHECK(crm_kmeans_fit(&columns, &options, &env, &result) == CRM_OUT_OF_RANGE);
	/* nothing but gaps */
	for (int i = 0; i < 6; i++)
		row_of(&r, i)[0] = row_of(&r, i)[1] = NAN;
	to_columns(&r, 0, 1, 6, &columns, &env);
	CHECK(crm_kmeans_fit(&columns, &options, &env, &result) == CRM_OK && result.groups == 1);
	/* -0 is 0 */
	row_of(&r, 0)[0] = -0.0;
	row_of(&r, 1)[0] = 0.0;
	CHECK(crm_kmeans_hash(row_of(&r, 0), 2) == crm_kmeans_hash(row_of(&r, 1), 2));
	/* memory */
	to_columns(&r, 0, 1, 6, &columns, &env);
	columns.max_bytes = columns.bytes + 100;
	CHECK(crm_kmeans_fit(&columns, &options, &env, &result) == CRM_LIMIT && result.needed > columns.max_bytes);
	free(r.x);
	unit_pool_free(&pool);
}

/* Rows that fall out of a group leave it empty: it is mended, and all groups have rows. */
static void
test_mending(void)
{
	rows		r = make_rows(40, 1);

	for (int trial = 0; trial < 200; trial++)
	{
		unit_pool	pool = {{0}};
		crm_env		env = unit_pool_env(&pool);
		crm_kmeans_options options = options_for(12);
		crm_kmeans_result result;
		crm_columns columns;

		for (int i = 0; i < 40; i++)
			row_of(&r, i)[0] = floor(random_number() * random_number() * 30);
		options.starts = 1;
		options.seed = (uint64_t) trial;
		to_columns(&r, 0, 1, 40, &columns, &env);
		CHECK(crm_kmeans_fit(&columns, &options, &env, &result) == CRM_OK);
		for (uint32_t c = 0; c < result.groups; c++)
			CHECK(result.sizes[c] > 0);
		unit_pool_free(&pool);
	}
	free(r.x);
}

/* Weights and numbers of any size end, with groups whose numbers are numbers. */
static void
test_extremes(void)
{
	rows		r = make_rows(60, 2);

	for (int trial = 0; trial < 400; trial++)
	{
		unit_pool	pool = {{0}};
		crm_env		env = unit_pool_env(&pool);
		crm_kmeans_options options = options_for(2 + (uint32_t) trial % 6);
		crm_kmeans_result result;
		crm_columns columns;
		crm_status	status;
		double		spread = trial % 4 * 40 + 5;

		for (int i = 0; i < 60; i++)
		{
			row_of(&r, i)[0] = (random_number() - 0.5) * pow(10, (random_number() - 0.5) * spread / 2);
			row_of(&r, i)[1] = trial % 3 == 0 ? floor(random_number() * 4) : random_number();
			row_of(&r, i)[2] = trial % 2 == 0 && i % 9 > 0 ? 1 : pow(10, (random_number() - 0.5) * spread);
		}
		options.starts = 5;
		options.standardize = trial % 5 == 0;
		to_columns(&r, 0, 1, 60, &columns, &env);
		status = crm_kmeans_fit(&columns, &options, &env, &result);
		CHECK(status == CRM_OK || status == CRM_OUT_OF_RANGE);
		if (status == CRM_OK)
			CHECK(isfinite(result.inertia) && isfinite(result.centers[0]) && result.rows == 60);
		unit_pool_free(&pool);
	}
	free(r.x);
}

/* A step from sums is the step by its definition, whole or in parts, weighted, with gaps. */
static void
test_steps(void)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	uint8_t		categorical[64];

	for (int trial = 0; trial < 12; trial++)
	{
		int			count = 500;
		rows		r = random_blobs(trial % 3 == 0 ? 0 : trial % 3 == 1 ? 5 : 4, count, 3, categorical);
		crm_kmeans_options options = options_for(4);
		crm_kmeans_result fit;
		crm_columns columns;
		crm_model	m;
		crm_model	stepped;
		int64_t		sizes[4];
		void	   *scorer;
		double		whole[64] = {0};
		double		parts[2][64] = {{0}};
		double		sums[4][3] = {{0}};
		double		weights[4] = {0};

		options.iterations = 1;
		options.starts = 1;
		options.categorical = NULL;
		if (trial % 3 == 1)
			for (int i = 0; i < count; i++)
				row_of(&r, i)[1] = random_number() * 3;
		to_columns(&r, 0, 1, count, &columns, &env);
		CHECK(crm_kmeans_fit(&columns, &options, &env, &fit) == CRM_OK);
		crm_model_begin(&m, &crm_model_k_means, 3);
		for (uint32_t c = 0; c < fit.groups; c++)
			sizes[c] = (int64_t) fit.sizes[c];
		/* centers that are not at rest */
		for (uint32_t i = 0; i < fit.groups * 3; i++)
			fit.centers[i] += random_number() - 0.5;
		crm_model_set_numbers(&m, CRM_KMEANS_CENTERS, fit.centers, fit.groups * 3);
		crm_model_set_integers(&m, CRM_KMEANS_SIZES, sizes, fit.groups);
		crm_model_set_numbers(&m, CRM_KMEANS_WITHIN, fit.within, fit.groups);
		crm_model_set_numbers(&m, CRM_KMEANS_SCALES, fit.scales, 3);
		crm_model_set_numbers(&m, CRM_KMEANS_MEANS, fit.means, 3);
		crm_model_set_number(&m, CRM_KMEANS_INERTIA, fit.inertia);
		crm_model_set_number(&m, CRM_KMEANS_TOTAL, fit.total);
		crm_model_set_integer(&m, CRM_KMEANS_ROWS, count);
		CHECK(crm_kmeans_step_count(fit.groups, 3) <= 64);
		CHECK(m.kind->prepare(&m, &env, &scorer) == CRM_OK);
		for (int i = 0; i < count; i++)
		{
			const double *x = row_of(&r, i);
			uint32_t	c = crm_kmeans_score(scorer, x);

			crm_kmeans_step_add(whole, scorer, x, x[3]);
			crm_kmeans_step_add(parts[i % 7 == 0], scorer, x, x[3]);
			weights[c] += x[3];
			for (int j = 0; j < 3; j++)
				sums[c][j] += x[3] * x[j];
		}
		crm_kmeans_step_merge(parts[0], parts[1], fit.groups, 3);
		for (size_t i = 0; i < crm_kmeans_step_count(fit.groups, 3); i++)
			CHECK(fabs(whole[i] - parts[0][i]) <= 1e-12 * (1 + fabs(whole[i])));
		CHECK(crm_kmeans_step_is_valid(whole, fit.groups, 3));
		CHECK(crm_kmeans_step_finish(&env, whole, &m, &stepped) == CRM_OK);
		for (uint32_t c = 0; c < fit.groups; c++)
			for (int j = 0; weights[c] > 0 && j < 3; j++)
				CHECK(fabs(crm_model_get(&stepped, CRM_KMEANS_CENTERS)->numbers[c * 3 + (uint32_t) j] - sums[c][j] / weights[c]) < 1e-9);
		whole[0] = NAN;
		CHECK(!crm_kmeans_step_is_valid(whole, fit.groups, 3));
		free(r.x);
	}
	unit_pool_free(&pool);
}

/* Distances are the same in any place of any number of centers, with the fast loops and the general one. */
static void
test_distances(void)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	crm_kmeans_space space;
	double		x[5];
	double		scales[5];
	double		fast[32];
	double		general[32];

	CHECK(crm_kmeans_space_open(&space, &env, 19, 5) == CRM_OK);
	for (int trial = 0; trial < 100; trial++)
	{
		for (int j = 0; j < 5; j++)
		{
			x[j] = random_number() * 100;
			scales[j] = random_number() + 0.1;
			for (uint32_t c = 0; c < 19; c++)
				crm_kmeans_space_set(&space, c, (uint32_t) j, random_number() * 100);
		}
		space.scales = trial % 2 ? scales : NULL;
		crm_kmeans_distances(&space, x, false, fast);
		crm_kmeans_distances(&space, x, true, general);
		CHECK(same_numbers(fast, general, 19));
	}
	unit_pool_free(&pool);
}

/* ---- matching ---------------------------------------------------------------------------- */

/* The least cost of all ways to pair rows i ... with columns that are free. */
static double
best_pairing(const double *costs, int rows, int columns, int i, unsigned taken, int left)
{
	double		best = INFINITY;

	if (left == 0)
		return 0;
	if (i == rows)
		return INFINITY;
	if (rows - i > left)
		best = best_pairing(costs, rows, columns, i + 1, taken, left);
	for (int j = 0; j < columns; j++)
		if (!(taken >> j & 1))
			best = fmin(best, costs[i * columns + j] + best_pairing(costs, rows, columns, i + 1, taken | 1u << j, left - 1));
	return best;
}

static void
test_pairings(void)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);

	for (int trial = 0; trial < 400; trial++)
	{
		int			rows = 1 + (int) (random_number() * 6);
		int			columns = 1 + (int) (random_number() * 6);
		double		costs[36];
		uint32_t	matched[6];
		unsigned	taken = 0;
		int			pairs = 0;
		double		sum = 0;

		for (int i = 0; i < rows * columns; i++)
			costs[i] = trial % 3 == 0 ? floor(random_number() * 3) : random_number() * 10 - 5;
		CHECK(crm_assign_least(&env, costs, (uint32_t) rows, (uint32_t) columns, matched) == CRM_OK);
		for (int i = 0; i < rows; i++)
			if (matched[i] != CRM_MATCH_NONE)
			{
				CHECK(matched[i] < (uint32_t) columns && !(taken >> matched[i] & 1));
				taken |= 1u << matched[i];
				sum += costs[i * columns + matched[i]];
				pairs++;
			}
		CHECK_EQUAL(pairs, rows < columns ? rows : columns);
		CHECK(fabs(sum - best_pairing(costs, rows, columns, 0, 0, pairs)) < 1e-9);
	}
	unit_pool_free(&pool);
}

/* Numbers stay with their groups, come back to none, and new groups get new ones. */
static void
test_numbers(void)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	static const double old_centers[] = {10, 20, 30};
	static const double new_centers[] = {31, 11, 50, 70};
	static const int64_t sizes[] = {4, 3, 2, 1};
	static const double zeros[] = {0, 0, 0, 0};
	static const double one[] = {1};
	static const uint32_t matched[] = {1, CRM_MATCH_NONE, 0};
	static const uint32_t again[] = {0, 1, CRM_MATCH_NONE, CRM_MATCH_NONE};
	crm_model	old;
	crm_model	new_model;
	crm_model	result;
	crm_model	later;
	double		distances[12];
	char		room[CRM_MODEL_PROBLEM];
	const char *problem;

	crm_model_begin(&old, &crm_model_k_means, 1);
	crm_model_set_numbers(&old, CRM_KMEANS_CENTERS, old_centers, 3);
	crm_model_set_integers(&old, CRM_KMEANS_SIZES, sizes, 3);
	crm_model_set_numbers(&old, CRM_KMEANS_WITHIN, zeros, 3);
	crm_model_set_numbers(&old, CRM_KMEANS_SCALES, one, 1);
	crm_model_set_numbers(&old, CRM_KMEANS_MEANS, one, 1);
	crm_model_set_number(&old, CRM_KMEANS_INERTIA, 0);
	crm_model_set_number(&old, CRM_KMEANS_TOTAL, 0);
	crm_model_set_integer(&old, CRM_KMEANS_ROWS, 9);
	new_model = old;
	crm_model_set_numbers(&new_model, CRM_KMEANS_CENTERS, new_centers, 4);
	crm_model_set_integers(&new_model, CRM_KMEANS_SIZES, sizes, 4);
	crm_model_set_numbers(&new_model, CRM_KMEANS_WITHIN, zeros, 4);
	CHECK(crm_center_distances(&env, &old, &new_model, distances) == CRM_OK);
	CHECK(distances[0] == 441 && distances[1] == 1 && distances[8] == 1);

	/* 2 is gone; 4 and 5 are new */
	CHECK(crm_renumber_groups(&env, &old, &new_model, matched, &result) == CRM_OK);
	CHECK(crm_model_check(&result, &env, room, &problem) == CRM_OK);
	CHECK_EQUAL(crm_model_group_number(&result, 0), 1);
	CHECK_EQUAL(crm_model_group_number(&result, 1), 3);
	CHECK_EQUAL(crm_model_group_number(&result, 2), 4);
	CHECK_EQUAL(crm_model_group_number(&result, 3), 5);
	CHECK(crm_model_get(&result, CRM_KMEANS_CENTERS)->numbers[0] == 11 && crm_model_get(&result, CRM_KMEANS_CENTERS)->numbers[1] == 31);
	CHECK_EQUAL(crm_model_get(&result, CRM_KMEANS_SIZES)->integers[0], 3);
	/* with two groups of these left and one new, 4 and 5 are not used again */
	CHECK(crm_renumber_groups(&env, &result, &old, again, &later) == CRM_OK);
	CHECK_EQUAL(crm_model_group_number(&later, 1), 3);
	CHECK_EQUAL(crm_model_group_number(&later, 2), 6);
	unit_pool_free(&pool);
}

int
main(void)
{
	test_pairings();
	test_numbers();
	test_all_partitions();
	for (int trial = 0; trial < 30; trial++)
		check_definition(trial, 300, 1 + trial % 9, 2 + trial % 11);
	/* beyond what starts are made on */
	check_definition(0, 40000, 4, 6);
	check_definition(14, 20000, 4, 6);
	for (int trial = 0; trial < 12; trial++)
		check_order(trial, 400 + trial, 3);
	test_alike();
	test_samples();
	test_edges();
	test_mending();
	test_extremes();
	test_steps();
	test_distances();
	return unit_done();
}
