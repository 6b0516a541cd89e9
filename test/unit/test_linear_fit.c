/*
 * test_linear_fit.c - least squares and logistic regression on rows whose answer
 * is known, merged in parts, and their conditions of optimality; the quadratic
 * steps against plain elimination.
 */
#include "unit.h"

#include <math.h>

#include "kernel/linear_fit.h"
#include "kernel/logistic_fit.h"
#include "kernel/quadratic.h"
#include "kernel/twofold.h"

static uint64_t seed = 88172645463325252u;

static double
uniform(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (double) ((seed * UINT64_C(0x2545F4914F6CDD1D)) >> 11) / 9007199254740992.0;
}

/* 1/3 in 31 digits, and sums that a double loses. */
static void
test_twofold(void)
{
	crm_twofold third = crm_twofold_divide(crm_twofold_of(1), crm_twofold_of(3));
	crm_twofold one = crm_twofold_multiply(third, crm_twofold_of(3));
	crm_twofold sum = crm_twofold_of(1e16);
	crm_twofold root = crm_twofold_root(crm_twofold_of(2));

	CHECK(fabs(crm_twofold_round(crm_twofold_subtract(one, crm_twofold_of(1)))) < 1e-31);
	for (int i = 0; i < 1000; i++)
		sum = crm_twofold_add(sum, crm_twofold_of(0.1));
	sum = crm_twofold_subtract(sum, crm_twofold_of(1e16));
	CHECK(fabs(crm_twofold_round(sum) - 100) < 1e-12);
	root = crm_twofold_subtract(crm_twofold_multiply(root, root), crm_twofold_of(2));
	CHECK(fabs(crm_twofold_round(root)) < 1e-30);
}

static void
test_quadratic(void)
{
	crm_env		env = unit_env();

	for (int round = 0; round < 200; round++)
	{
		size_t		n = 1 + (size_t) (uniform() * 6);
		double		x[36];
		double		a[36] = {0};
		double		factors[36];
		double		c[6];
		double		b[6];
		double		l1[6];
		double		l2[6];
		double		diagonal[6];
		double		work[6];
		bool		use[6];

		for (size_t i = 0; i < n * n; i++)
			x[i] = uniform() - 0.5;
		for (size_t i = 0; i < n; i++)
		{
			for (size_t j = 0; j < n; j++)
			{
				a[i * n + j] = i == j ? 0.1 : 0;
				for (size_t k = 0; k < n; k++)
					a[i * n + j] += x[k * n + i] * x[k * n + j];
			}
			c[i] = uniform() - 0.5;
			use[i] = true;
			l1[i] = round % 2 ? 0.05 : 0;
			l2[i] = uniform() * 0.1;
			b[i] = 0;
		}
		memcpy(factors, a, sizeof(double) * n * n);
		for (size_t i = 0; i < n; i++)
			factors[i * n + i] += l2[i];
		crm_factor(&env, factors, n, 0, use);
		crm_inverse_diagonal(&env, factors, n, use, diagonal, work);
		CHECK(crm_descend(&env, a, c, n, l1, l2, use, 1e-15, 100000, b, work));
		for (size_t i = 0; i < n; i++)
		{
			double		gradient = c[i] - l2[i] * b[i];
			double		unit[6] = {0};

			for (size_t j = 0; j < n; j++)
				gradient -= a[i * n + j] * b[j];
			CHECK(b[i] == 0 ? fabs(gradient) <= l1[i] + 1e-12 : fabs(gradient - (b[i] > 0 ? l1[i] : -l1[i])) < 1e-10);
			unit[i] = 1;
			crm_solve_factored(factors, n, use, unit);
			CHECK(fabs(unit[i] - diagonal[i]) < 1e-9 * diagonal[i]);
		}
		if (round % 2 == 0)
		{
			crm_solve_factored(factors, n, use, c);
			for (size_t i = 0; i < n; i++)
				CHECK(fabs(c[i] - b[i]) < 1e-9);
		}
	}
}

typedef struct linear
{
	double		coefficients[5];
	double		means[5];
	double		errors[5];
	bool		constant[5];
	bool		collinear[5];
	crm_linear_result result;
} linear;

static void
fit_linear(const crm_products *m, linear *out)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	crm_linear_options options = {true, true, 0, 0};

	out->result = (crm_linear_result) {.coefficients = out->coefficients, .means = out->means, .errors = out->errors,
	.constant = out->constant, .collinear = out->collinear};
	CHECK(crm_linear_fit(m, &options, &env, &out->result) == CRM_OK);
	unit_pool_free(&pool);
}

/* Five features, the fourth the sum of two others, the fifth constant; far from 0, where sums of squares lose digits. */
static void
test_linear(void)
{
	enum {P = 5, COUNT = CRM_PRODUCTS_COUNT(5)};
	double		sums[4][2 * COUNT] = {{0}};
	crm_products m[4];
	double		work[CRM_PRODUCTS_WORK(5)];
	linear		whole;
	linear		parts;

	for (int i = 0; i < 4; i++)
		m[i] = (crm_products) {.features = P, .high = sums[i], .low = sums[i] + COUNT};
	for (int row = 0; row < 2000; row++)
	{
		double		x[P] = {1e6 + uniform(), floor(uniform() * 1e4), uniform() - 0.5, 0, 1e8};
		double		y;

		x[3] = x[1] + x[2];
		y = 3 + 0.5 * x[0] - 2 * x[1] + 7 * x[2];
		CHECK(crm_products_add(&m[0], x, y, 1, work) == CRM_OK);
		CHECK(crm_products_add(&m[1 + row % 3], x, y, 1, work) == CRM_OK);
	}
	CHECK(crm_products_merge(&m[2], &m[3]) == CRM_OK && crm_products_merge(&m[1], &m[2]) == CRM_OK);
	fit_linear(&m[0], &whole);
	fit_linear(&m[1], &parts);
	CHECK(fabs(whole.coefficients[0] / 0.5 - 1) < 1e-9 && fabs(whole.coefficients[1] / -2 - 1) < 1e-12);
	CHECK(fabs(whole.coefficients[2] / 7 - 1) < 1e-9);
	CHECK(whole.collinear[3] && whole.coefficients[3] == 0 && isnan(whole.errors[3]));
	CHECK(whole.constant[4] && !whole.constant[0]);
	CHECK_EQUAL(whole.result.parameters, 4);
	for (int j = 0; j < P; j++)
		CHECK(fabs(whole.coefficients[j] - parts.coefficients[j]) <= 1e-13 * fabs(whole.coefficients[j]));
}

/* Rows whose labels follow a known law; at the maximum residuals are orthogonal to the features. */
static void
test_logistic(void)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	crm_columns rows;
	crm_logistic_options options = {true, true, 0, 0, 1e-8, 100};
	double		coefficients[2];
	double		means[2];
	double		errors[2];
	bool		constant[2];
	bool		collinear[2];
	crm_logistic_result result = {.coefficients = coefficients, .means = means, .errors = errors, .constant = constant, .collinear = collinear};
	double		gradient[3] = {0};
	enum {ROWS = 9001};			/* several blocks, the last tile not full */
	static double x[ROWS][2];
	static double y[ROWS];

	crm_columns_init(&rows, &env, 4, SIZE_MAX / 2);
	for (int i = 0; i < ROWS; i++)
	{
		double	   *row;

		x[i][0] = uniform() * 4 - 2;
		x[i][1] = floor(uniform() * 5);
		y[i] = uniform() < 1 / (1 + exp(-(0.5 + x[i][0] - 0.7 * x[i][1])));
		CHECK(crm_columns_add(&rows, &row) == CRM_OK);
		row[CRM_ROWS_LABEL] = y[i];
		row[CRM_ROWS_WEIGHT] = 1;
		row[CRM_ROWS_FEATURES] = x[i][0];
		row[CRM_ROWS_FEATURES + 1] = x[i][1];
		crm_columns_added(&rows);
	}
	CHECK(crm_logistic_fit(&rows, &options, &env, &result) == CRM_OK);
	CHECK(result.converged && result.separation == CRM_SEPARATION_NONE && result.has_errors);
	CHECK(fabs(coefficients[0] - 1) < 4 * errors[0] && fabs(coefficients[1] + 0.7) < 4 * errors[1] && fabs(result.intercept - 0.5) < 4 * result.intercept_error);
	for (int i = 0; i < ROWS; i++)
	{
		double		residual = y[i] - 1 / (1 + exp(-(result.intercept + coefficients[0] * x[i][0] + coefficients[1] * x[i][1])));

		gradient[0] += residual;
		gradient[1] += residual * x[i][0];
		gradient[2] += residual * x[i][1];
	}
	for (int j = 0; j < 3; j++)
		CHECK(fabs(gradient[j]) < 1e-8);
	unit_pool_free(&pool);
}

int
main(void)
{
	test_twofold();
	test_quadratic();
	test_linear();
	test_logistic();
	return unit_done();
}
