/*
 * fuzz_trainers.c - any numbers as the rows of trainers that read them more than
 * once, as their states may hold: groups have finite centers, isolation forests are
 * models that check, are read again and score their rows, regressions are finite; or the
 * numbers are out of range.
 *
 * The second byte says which trainer: one as a rule, so that an input takes no
 * longer than it must.
 */
#include "fuzz.h"

#include "kernel/columns.h"
#include "kernel/kmeans.h"
#include "kernel/logistic_fit.h"
#include "kernel/outliers.h"

#define MOST_ROWS 20
#define MOST_FEATURES 4

typedef struct fuzz_rows
{
	size_t		count;
	uint32_t	features;
	double		x[MOST_ROWS][MOST_FEATURES];
} fuzz_rows;

/* The rows as columns, with two numbers in front of the features. */
static void
to_columns(const fuzz_rows *rows, const crm_env *env, double first, double second, crm_columns *columns)
{
	crm_columns_init(columns, env, rows->features + 2, 1 << 26);
	for (size_t i = 0; i < rows->count; i++)
	{
		double	   *row;

		REQUIRE(crm_columns_add(columns, &row) == CRM_OK);
		row[0] = first;
		row[1] = second;
		memcpy(row + 2, rows->x[i], sizeof(double) * rows->features);
		crm_columns_added(columns);
	}
}

static void
use_groups(const fuzz_rows *rows, const crm_env *env, uint32_t k, const uint8_t *categorical)
{
	crm_kmeans_options options = {.groups = k, .starts = 2, .iterations = 8, .tolerance = 1e-4, .seed = k,
	.standardize = k % 2, .categorical = categorical, .gamma = -1};
	crm_kmeans_result result;
	crm_columns columns;
	uint64_t	grouped = 0;
	crm_status	status;

	to_columns(rows, env, 1, 1, &columns);
	status = crm_kmeans_fit(&columns, &options, env, &result);
	REQUIRE(status == CRM_OK || status == CRM_OUT_OF_RANGE);
	if (status != CRM_OK)
		return;
	REQUIRE(result.groups >= 1 && result.groups <= k && result.groups <= result.different && result.rows == rows->count);
	for (uint32_t c = 0; c < result.groups; c++)
	{
		grouped += result.sizes[c];
		REQUIRE(c == 0 || result.sizes[c] <= result.sizes[c - 1]);
		REQUIRE(result.within[c] >= 0);
		for (uint32_t j = 0; j < rows->features; j++)
			REQUIRE(isfinite(result.centers[(size_t) c * rows->features + j]));
	}
	REQUIRE(grouped == rows->count && isfinite(result.inertia) && isfinite(result.total));
}

static void
use_forest(const fuzz_rows *rows, const crm_env *env)
{
	crm_isolation_options options = {3, 2 + (int) rows->count % 20, 1};
	crm_columns columns;
	crm_scorer	scorer;
	crm_model	m,
				again;
	crm_status	status;

	if (rows->count < 2)
		return;
	to_columns(rows, env, 0, 1, &columns);
	status = crm_isolation_fit(&columns, &options, env, &m);
	REQUIRE(status == CRM_OK);
	REQUIRE(fuzz_reread(&m, env, &again));
	REQUIRE(crm_scorer_open(&scorer, &again, env) == CRM_OK);
	for (size_t i = 0; i < rows->count; i++)
	{
		double		score = crm_score(&scorer, rows->x[i]);

		REQUIRE(score > 0 && score < 1);
	}
}

static void
use_regression(const fuzz_rows *rows, const crm_env *env)
{
	crm_logistic_options options = {.intercept = true, .standardize = true, .tolerance = 1e-6, .max_iterations = 20};
	double		numbers[3][MOST_FEATURES];
	bool		marks[2][MOST_FEATURES];
	crm_logistic_result result = {.coefficients = numbers[0], .means = numbers[1], .errors = numbers[2],
	.constant = marks[0], .collinear = marks[1]};
	crm_columns columns;
	crm_status	status;

	if (rows->count < 2)
		return;
	crm_columns_init(&columns, env, rows->features + 2, 1 << 26);
	for (size_t i = 0; i < rows->count; i++)
	{
		double	   *row;

		REQUIRE(crm_columns_add(&columns, &row) == CRM_OK);
		row[CRM_ROWS_LABEL] = (double) (i % 2);
		row[CRM_ROWS_WEIGHT] = 1;
		memcpy(row + CRM_ROWS_FEATURES, rows->x[i], sizeof(double) * rows->features);
		for (uint32_t j = 0; j < rows->features; j++)
			if (isnan(row[CRM_ROWS_FEATURES + j]))
				row[CRM_ROWS_FEATURES + j] = 0;
		crm_columns_added(&columns);
	}
	status = crm_logistic_fit(&columns, &options, env, &result);
	REQUIRE(status == CRM_OK || status == CRM_OUT_OF_RANGE);
	if (status == CRM_OK)
		REQUIRE(isfinite(result.intercept) && result.log_likelihood <= 1e-9);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	fuzz_input	in = {data, size};
	uint8_t		categorical[MOST_FEATURES] = {0};
	uint32_t	k = 1 + (uint32_t) fuzz_take(&in, 1) % 5;
	uint32_t	marks = (uint32_t) fuzz_take(&in, 1);
	fuzz_rows	rows = {0};

	rows.features = 1 + (uint32_t) fuzz_take(&in, 1) % MOST_FEATURES;
	for (; in.left > 0 && rows.count < MOST_ROWS; rows.count++)
		for (uint32_t j = 0; j < rows.features; j++)
		{
			double		value = fuzz_number(&in);

			rows.x[rows.count][j] = isinf(value) ? 0 : value;
		}
	for (uint32_t j = 0; j < rows.features; j++)
		categorical[j] = marks >> j & 1;
	if (rows.count > 0)
	{
		uint32_t	trainer = marks >> 4 & 7;

		if (trainer < 3 || trainer == 7)
			use_groups(&rows, &env, k, marks & 0x80 ? categorical : NULL);
		if (trainer == 3)
			use_forest(&rows, &env);
		if (trainer > 3)
			use_regression(&rows, &env);
	}
	unit_pool_free(&pool);
	return 0;
}
