/*
 * fuzz_linear.c - any numbers as sums of products, as a state of linear_fit may
 * hold them, and as rows added to them: a regression whose figures are such, or
 * out of range.
 *
 * The first byte gives the number of features, the second the options, the third
 * whether the sums begin with zeros, the fourth how many sums are forged.
 */
#include "fuzz.h"

#include "kernel/linear_fit.h"
#include "kernel/model_linear.h"

#define MOST_FEATURES 6
#define MOST_ROWS 40
#define MOST_SUMS CRM_PRODUCTS_COUNT(MOST_FEATURES)

/* What the bindings ask of sums from another process. */
static bool
pass(const crm_products *m)
{
	for (size_t i = 0; i < CRM_PRODUCTS_COUNT(m->features); i++)
		if (!isfinite(m->high[i]) || !isfinite(m->low[i]))
			return false;
	for (size_t j = 0; j < (size_t) m->features + 2; j++)
		if (m->high[j * (j + 1) / 2 + j] < 0)
			return false;
	return isfinite(m->log_weights);
}

static crm_status
add_rows(fuzz_input *in, crm_products *m)
{
	double		work[CRM_PRODUCTS_WORK(MOST_FEATURES)];
	double		x[MOST_FEATURES];

	for (int n = 0; n < MOST_ROWS && in->left > 0; n++)
	{
		double		weight = 1 + (double) (fuzz_take(in, 1) % 3);
		double		target = fuzz_finite(in);

		for (uint32_t j = 0; j < m->features; j++)
			x[j] = fuzz_finite(in);
		CRM_TRY(crm_products_add(m, x, target, weight, work));
	}
	return CRM_OK;
}

static void
use(const crm_products *m, const crm_linear_options *options, const crm_env *env)
{
	double		numbers[3][MOST_FEATURES];
	bool		marks[2][MOST_FEATURES];
	crm_linear_result result = {.coefficients = numbers[0], .means = numbers[1], .errors = numbers[2],
	.constant = marks[0], .collinear = marks[1]};
	crm_model	fitted,
				again;
	crm_scorer	scorer;
	crm_status	status = crm_linear_fit(m, options, env, &result);

	REQUIRE(status == CRM_OK || status == CRM_OUT_OF_RANGE);
	if (status != CRM_OK)
		return;
	REQUIRE(result.parameters <= m->features + 1);
	if (result.has_errors)
		REQUIRE(m->rows > result.parameters);
	crm_model_begin(&fitted, &crm_model_linear, m->features);
	crm_model_set_number(&fitted, CRM_LINEAR_INTERCEPT, result.intercept);
	crm_model_set_numbers(&fitted, CRM_LINEAR_COEFFICIENTS, result.coefficients, m->features);
	crm_model_set_numbers(&fitted, CRM_LINEAR_MEANS, result.means, m->features);
	if (result.has_errors)
		crm_model_set_numbers(&fitted, CRM_LINEAR_ERRORS, result.errors, m->features);
	if (!fuzz_reread(&fitted, env, &again))
		return;
	REQUIRE(crm_scorer_open(&scorer, &again, env) == CRM_OK);
	(void) crm_score(&scorer, result.means);
	for (uint32_t j = 0; j < m->features; j++)
		if (marks[0][j] || marks[1][j])
			REQUIRE(result.coefficients[j] == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	fuzz_input	in = {data, size};
	double		sums[4][MOST_SUMS] = {{0}};
	crm_products m = {.high = sums[0], .low = sums[1]};
	crm_products other = {.high = sums[2], .low = sums[3]};
	crm_linear_options options = {0};
	uint32_t	chosen,
				forged;

	m.features = other.features = (uint32_t) fuzz_take(&in, 1) % (MOST_FEATURES + 1);
	chosen = (uint32_t) fuzz_take(&in, 1);
	options.intercept = chosen & 1;
	options.standardize = chosen >> 1 & 1;
	options.l1 = chosen & 4 ? (chosen & 8 ? 1e15 : 0.1) : 0;
	options.l2 = chosen & 16 ? (chosen & 32 ? 1e15 : 0.01) : 0;
	if (fuzz_take(&in, 1) & 1)
	{
		other.rows = fuzz_take(&in, 1);
		if (other.rows == 255)
			other.rows = fuzz_take(&in, 8);
		other.log_weights = fuzz_number(&in);
		forged = (uint32_t) fuzz_take(&in, 1);
		for (size_t i = 0; i < CRM_PRODUCTS_COUNT(m.features) && i < forged; i++)
		{
			other.high[i] = fuzz_number(&in);
			other.low[i] = forged & 1 ? 0 : fuzz_number(&in);
		}
	}
	if (pass(&other) && add_rows(&in, &m) == CRM_OK && crm_products_merge(&m, &other) == CRM_OK && m.rows > 0)
		use(&m, &options, &env);
	unit_pool_free(&pool);
	return 0;
}
