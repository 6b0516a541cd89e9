/*
 * test_outliers.c - robust scales and isolation forests, against the plainest way.
 */
#include "unit.h"

#include <math.h>

#include "kernel/outliers.h"

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
compare_numbers(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

static double
quantile(double *values, size_t n, double q)
{
	double		place = (double) (n - 1) * q;
	size_t		low = (size_t) place;

	qsort(values, n, sizeof(double), compare_numbers);
	return values[low] + (low + 1 < n ? (place - (double) low) * (values[low + 1] - values[low]) : 0);
}

/* ---- one value ------------------------------------------------------------------ */

static void
check_scale(crm_env *env)
{
	for (int round = 0; round < 300; round++)
	{
		size_t		n = 1 + next_random() % 500;
		double		copy[500];
		crm_rfm_values values = {0};
		crm_robust_scale scale;
		double		sum = 0;
		double		median;

		for (size_t i = 0; i < n; i++)
		{
			copy[i] = round % 3 == 0 ? (double) (next_random() % 3) : (double) (next_random() % 100000) / 7 - 5000;
			if (next_random() % 20 == 0)
				copy[i] *= 1e6;
			CHECK(crm_rfm_values_add(env, &values, copy[i]) == CRM_OK);
		}
		CHECK(crm_robust_scale_of(env, &values, &scale) == CRM_OK);
		CHECK_EQUAL(scale.count, n);
		median = quantile(copy, n, 0.5);
		CHECK(fabs(scale.median - median) <= 1e-12 * fabs(median));
		CHECK(fabs(scale.lower_quartile - quantile(copy, n, 0.25)) <= 1e-9 * (1 + fabs(scale.lower_quartile)));
		CHECK(fabs(scale.upper_quartile - quantile(copy, n, 0.75)) <= 1e-9 * (1 + fabs(scale.upper_quartile)));
		for (size_t i = 0; i < n; i++)
		{
			copy[i] = fabs(copy[i] - scale.median);
			sum += copy[i];
		}
		CHECK(fabs(scale.mad - quantile(copy, n, 0.5)) <= 1e-9 * (1 + scale.mad));
		CHECK(fabs(scale.mean_deviation - sum / (double) n) <= 1e-9 * (1 + scale.mean_deviation));
	}
}

static void
check_z(crm_env *env)
{
	/* 1, 2, 3, 4, 100: median 3, distances 2 1 0 1 97, MAD 1 */
	static const double five[] = {4, 100, 1, 3, 2};
	static const double same[] = {7, 7, 7, 7, 9};
	crm_rfm_values values = {0};
	crm_robust_scale scale;

	for (int i = 0; i < 5; i++)
		CHECK(crm_rfm_values_add(env, &values, five[i]) == CRM_OK);
	CHECK(crm_robust_scale_of(env, &values, &scale) == CRM_OK);
	CHECK(scale.median == 3 && scale.mad == 1 && fabs(scale.mean_deviation - 20.2) < 1e-12);
	CHECK(fabs(crm_robust_z(&scale, 100) - 0.6744897501960817 * 97) < 1e-9);
	CHECK(fabs(crm_robust_z(&scale, 1) + 0.6744897501960817 * 2) < 1e-12 && crm_robust_z(&scale, 3) == 0);

	/* more than half equal: by the mean deviation, 0.4 */
	memset(&values, 0, sizeof(values));
	for (int i = 0; i < 5; i++)
		CHECK(crm_rfm_values_add(env, &values, same[i]) == CRM_OK);
	CHECK(crm_robust_scale_of(env, &values, &scale) == CRM_OK);
	CHECK(scale.mad == 0 && fabs(crm_robust_z(&scale, 9) - 2 / 0.4 * sqrt(2 / 3.14159265358979323846)) < 1e-9);
	/* all equal */
	memset(&values, 0, sizeof(values));
	CHECK(crm_rfm_values_add(env, &values, 7) == CRM_OK);
	CHECK(crm_robust_scale_of(env, &values, &scale) == CRM_OK);
	CHECK(crm_robust_z(&scale, 7) == 0 && crm_robust_z(&scale, 8) == INFINITY && crm_robust_z(&scale, 6) == -INFINITY);
	/* too far apart */
	CHECK(crm_rfm_values_add(env, &values, 1.7e308) == CRM_OK && crm_rfm_values_add(env, &values, -1.7e308) == CRM_OK &&
		  crm_rfm_values_add(env, &values, -1.7e308) == CRM_OK);
	CHECK(crm_robust_scale_of(env, &values, &scale) == CRM_OUT_OF_RANGE);
}

/* ---- rows ------------------------------------------------------------------------- */

static void
add_rows(crm_env *env, crm_columns *columns, const double *x, const size_t *order, size_t n, uint32_t width)
{
	crm_columns_init(columns, env, width + 2, (size_t) 1 << 30);
	for (size_t i = 0; i < n; i++)
	{
		double	   *row;

		CHECK(crm_columns_add(columns, &row) == CRM_OK);
		row[0] = 0;
		row[1] = 1;
		memcpy(row + 2, x + order[i] * width, width * sizeof(double));
		crm_columns_added(columns);
	}
}

static uint8_t *
bytes_of(const crm_model *m, size_t *size)
{
	uint8_t    *bytes;

	*size = crm_model_size(m);
	bytes = malloc(*size);
	crm_model_write(m, bytes);
	return bytes;
}

/* Steps to the leaf of a row, by the fields alone. */
static double
walk(const crm_model *m, uint32_t *node, uint32_t *split, uint32_t *leaf, const double *x, int depth, double *rows)
{
	int64_t		feature = crm_model_get(m, CRM_ISOLATION_NODES)->integers[(*node)++];
	double		threshold;
	double		left;
	double		right;
	double		left_rows;
	double		right_rows;

	if (feature == 0)
	{
		*rows = (double) crm_model_get(m, CRM_ISOLATION_LEAF_SIZES)->integers[(*leaf)++];
		return depth + crm_isolation_path(*rows);
	}
	threshold = crm_model_get(m, CRM_ISOLATION_THRESHOLDS)->numbers[(*split)++];
	left = walk(m, node, split, leaf, x, depth + 1, &left_rows);
	right = walk(m, node, split, leaf, x, depth + 1, &right_rows);
	*rows = left_rows + right_rows;
	if (isnan(x[feature - 1]))
		return left_rows >= right_rows ? left : right;
	return x[feature - 1] < threshold ? left : right;
}

static double
plain_score(const crm_model *m, const double *x)
{
	uint32_t	node = 0;
	uint32_t	split = 0;
	uint32_t	leaf = 0;
	double		steps = 0;
	double		rows;
	int64_t		trees = crm_model_get(m, CRM_ISOLATION_TREES)->integer;

	for (int64_t tree = 0; tree < trees; tree++)
	{
		steps += walk(m, &node, &split, &leaf, x, 0, &rows);
		CHECK_EQUAL(rows, crm_model_get(m, CRM_ISOLATION_SAMPLE)->integer);
	}
	return pow(2, -steps / (double) trees / crm_isolation_path((double) crm_model_get(m, CRM_ISOLATION_SAMPLE)->integer));
}

static void
check_forest(crm_env *env, size_t n, uint32_t width, int kind)
{
	crm_isolation_options options = {30, 64, 7};
	double	   *x = malloc(n * width * sizeof(double));
	size_t	   *order = malloc(n * sizeof(size_t));
	crm_columns columns;
	crm_model	m;
	crm_model	shuffled;
	crm_scorer	scorer;
	char		room[CRM_MODEL_PROBLEM];
	const char *problem;
	size_t		size;
	size_t		other_size;
	uint8_t    *bytes;
	uint8_t    *other;
	double		parts[32];

	for (size_t i = 0; i < n; i++)
	{
		order[i] = i;
		for (uint32_t j = 0; j < width; j++)
			x[i * width + j] = kind == 0 ? (double) (next_random() % 1000000) / 1e4 : kind == 1 ? (double) (next_random() % 2) :
				kind == 2 ? 5 : next_random() % 4 == 0 ? NAN : (double) (next_random() % 100) * (j + 1);
	}
	add_rows(env, &columns, x, order, n, width);
	CHECK(crm_isolation_fit(&columns, &options, env, &m) == CRM_OK);
	if (!CHECK(crm_model_check(&m, env, room, &problem) == CRM_OK))
		fprintf(stderr, "%s\n", problem);
	for (size_t i = n - 1; i > 0; i--)
	{
		size_t		j = next_random() % (i + 1);
		size_t		swap = order[i];

		order[i] = order[j];
		order[j] = swap;
	}
	add_rows(env, &columns, x, order, n, width);
	CHECK(crm_isolation_fit(&columns, &options, env, &shuffled) == CRM_OK);
	bytes = bytes_of(&m, &size);
	other = bytes_of(&shuffled, &other_size);
	CHECK(size == other_size && memcmp(bytes, other, size) == 0);
	free(other);
	options.seed++;
	CHECK(crm_isolation_fit(&columns, &options, env, &shuffled) == CRM_OK);
	other = bytes_of(&shuffled, &other_size);
	CHECK(size != other_size || memcmp(bytes, other, size) != 0);

	CHECK(crm_scorer_open(&scorer, &m, env) == CRM_OK && scorer.takes_missing);
	for (size_t i = 0; i < n && i < 100; i++)
	{
		double		score = crm_score(&scorer, x + i * width);
		double		margin = 0;

		CHECK(fabs(score - plain_score(&m, x + i * width)) < 1e-12);
		CHECK(m.kind->explain(scorer.prepared, env, x + i * width, parts) == CRM_OK);
		for (uint32_t j = 0; j <= width; j++)
			margin += parts[j];
		CHECK(fabs(exp2(margin) - score) < 1e-12 && score > 0 && score < 1);
		if (kind == 2)
			CHECK(fabs(score - 0.5) < 1e-12);
	}
	free(bytes);
	free(other);
	free(x);
	free(order);
}

/* A cloud, and a few rows far from it: those come first. */
static void
check_planted(crm_env *env)
{
	enum
	{
		ROWS = 20000, FAR = 10
	};
	crm_isolation_options options = {100, 256, 1};
	static double x[ROWS * 2];
	static size_t order[ROWS];
	crm_columns columns;
	crm_model	m;
	crm_scorer	scorer;
	double		least_far = 1;
	double		most_near = 0;

	for (size_t i = 0; i < ROWS; i++)
	{
		order[i] = i;
		for (int j = 0; j < 2; j++)
		{
			x[2 * i + j] = 0;
			for (int k = 0; k < 6; k++)
				x[2 * i + j] += (double) (next_random() % 1000) / 1000;
			if (i < FAR)
				x[2 * i + j] += (i % 2 ? -1 : 1) * (8 + (double) i);
		}
	}
	add_rows(env, &columns, x, order, ROWS, 2);
	CHECK(crm_isolation_fit(&columns, &options, env, &m) == CRM_OK);
	CHECK(crm_scorer_open(&scorer, &m, env) == CRM_OK);
	for (size_t i = 0; i < ROWS; i++)
	{
		double		score = crm_score(&scorer, x + 2 * i);

		if (i < FAR && score < least_far)
			least_far = score;
		if (i >= FAR && score > most_near)
			most_near = score;
	}
	CHECK(least_far > most_near && least_far > 0.6);
}

/* Each row is sampled as often as others, also where rows are equal. */
static void
check_samples(crm_env *env)
{
	crm_isolation_options options = {2000, 10, 3};
	double		x[40];
	size_t		order[40];
	crm_columns columns;
	crm_model	m;
	const crm_model_value *sizes;
	double		ones = 0;
	double		all = 0;

	/* 30 zeros, 10 ones: of a tree's ten rows 2.5 are ones; it splits them in its root, where both are there */
	for (size_t i = 0; i < 40; i++)
	{
		x[i] = i >= 30;
		order[i] = i;
	}
	add_rows(env, &columns, x, order, 40, 1);
	CHECK(crm_isolation_fit(&columns, &options, env, &m) == CRM_OK);
	sizes = crm_model_get(&m, CRM_ISOLATION_LEAF_SIZES);
	for (uint32_t node = 0, leaf = 0; node < crm_model_get(&m, CRM_ISOLATION_NODES)->count; node++)
		if (crm_model_get(&m, CRM_ISOLATION_NODES)->integers[node] == 1)
		{
			/* zeros on the left, ones on the right */
			all += 10;
			ones += (double) sizes->integers[leaf + 1];
			leaf += 2;
			node += 2;
		}
		else
		{
			all += 10;
			leaf++;
		}
	CHECK(all == 20000 && fabs(ones / all - 0.25) < 0.006);
}

int
main(void)
{
	unit_pool	pool = {0};
	crm_env		env = unit_pool_env(&pool);

	check_scale(&env);
	check_z(&env);
	CHECK(crm_isolation_path(1) == 0 && crm_isolation_path(2) == 1 && fabs(crm_isolation_path(256) - 10.244770920119917) < 1e-12);
	for (int kind = 0; kind < 4; kind++)
	{
		check_forest(&env, 2, 1, kind);
		check_forest(&env, 50, 3, kind);
		check_forest(&env, 9000, 5, kind);
	}
	check_planted(&env);
	check_samples(&env);
	unit_pool_free(&pool);
	return unit_done();
}
