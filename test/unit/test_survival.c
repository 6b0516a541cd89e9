/*
 * Survival: the remission times of Freireich and others (1963) with figures that
 * textbooks print, brute force over random customers, and the cases in which
 * there is nothing to say.
 */
#include <math.h>

#include "kernel/cox.h"
#include "kernel/survival.h"
#include "unit.h"

static unit_pool pool;
static crm_env env;
static uint64_t seed = 1181783497276652981;

static double
uniform(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return ((double) (seed >> 11) + 0.5) / 9007199254740992.0;
}

static bool
near(double actual, double expected, double tolerance)
{
	if (fabs(actual - expected) <= tolerance * fmax(fabs(expected), 1e-9))
		return true;
	fprintf(stderr, "%.12g is not %.12g\n", actual, expected);
	return false;
}

/* Weeks of remission; below zero: still in remission. */
static const int treated[21] = {6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35};
static const int control[21] = {1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23};

static int
by_time(const void *a, const void *b)
{
	const crm_survival_count *x = a;
	const crm_survival_count *y = b;

	return x->time < y->time ? -1 : x->time > y->time;
}

static size_t
remissions(crm_survival_count *counts, bool with_treated, bool with_control)
{
	size_t		n = 0;

	for (int i = 0; i < 21; i++)
	{
		if (with_treated)
			counts[n++] = (crm_survival_count) {0, abs(treated[i]), treated[i] > 0, treated[i] < 0};
		if (with_control)
			counts[n++] = (crm_survival_count) {1, control[i], 1, 0};
	}
	qsort(counts, n, sizeof(counts[0]), by_time);
	return n;
}

static const crm_survival_point *
point_at(const crm_survival_point *points, size_t n, double time)
{
	const crm_survival_point *last = NULL;

	for (size_t i = 0; i < n && points[i].time <= time; i++)
		last = &points[i];
	return last;
}

static void
published(void)
{
	crm_survival_count counts[42];
	crm_survival_point *points;
	size_t		n;
	crm_log_rank test;
	double		rows[42][3];
	crm_cox_rows cox = {rows[0], 42, 1};
	crm_cox_fit fit;

	CHECK_EQUAL(crm_kaplan_meier(&env, counts, remissions(counts, true, false), 0.95, &points, &n), CRM_OK);
	CHECK_EQUAL(n, 7);
	CHECK(near(point_at(points, n, 6)->survival, 0.857143, 1e-6));
	CHECK(near(point_at(points, n, 12)->survival, 0.752941, 1e-6));
	CHECK(near(point_at(points, n, 23)->survival, 0.448179, 1e-6));
	CHECK(near(point_at(points, n, 23)->lower, 0.248788, 2e-6));
	CHECK(near(point_at(points, n, 23)->upper, 0.807372, 2e-6));
	CHECK(point_at(points, n, 5) == NULL);
	CHECK_EQUAL(points[0].at_risk, 21);
	CHECK_EQUAL(points[0].events, 3);
	CHECK_EQUAL(crm_kaplan_meier(&env, counts, remissions(counts, false, true), 0.95, &points, &n), CRM_OK);
	CHECK(near(point_at(points, n, 8)->survival, 0.380952381, 1e-8));
	CHECK(points[n - 1].survival == 0 && isnan(points[n - 1].lower) && isnan(points[n - 1].upper));

	CHECK_EQUAL(crm_log_rank_test(&env, counts, remissions(counts, true, true), 2, 0, &test), CRM_OK);
	CHECK(near(test.chi_square, 16.79294099, 1e-8));
	CHECK(test.observed[0] == 9 && test.observed[1] == 21);
	CHECK(near(test.expected[0], 19.2505, 1e-5) && near(test.expected[1], 10.7495, 1e-5));
	CHECK_EQUAL(test.degrees, 1);

	for (int i = 0; i < 21; i++)
	{
		rows[i][0] = abs(treated[i]);
		rows[i][1] = treated[i] > 0;
		rows[i][2] = 1;
		rows[21 + i][0] = control[i];
		rows[21 + i][1] = 1;
		rows[21 + i][2] = 0;
	}
	CHECK_EQUAL(crm_cox_train(&env, &cox, CRM_COX_BRESLOW, &fit), CRM_OK);
	CHECK(near(fit.coefficients[0], -1.509191413, 1e-8) && near(fit.standard_errors[0], 0.4095644064, 1e-8));
	CHECK(near(fit.null_log_likelihood, -93.98505048, 1e-9) && near(fit.log_likelihood, -86.37962207, 1e-9));
	CHECK_EQUAL(crm_cox_train(&env, &cox, CRM_COX_EFRON, &fit), CRM_OK);
	CHECK(near(fit.coefficients[0], -1.572125149, 1e-8) && near(fit.standard_errors[0], 0.4123967177, 1e-8));
	CHECK(fit.converged && !fit.infinite[0] && !fit.aliased[0] && fit.events == 30);
}

/* Groups of random customers: the curve and the test, straight from their definitions. */
static void
brute_force(uint32_t groups, double rho)
{
	enum {CUSTOMERS = 300};
	crm_survival_count counts[CUSTOMERS];
	crm_survival_point *points;
	size_t		n;
	crm_log_rank test;
	double		survival = 1;
	double		observed[8] = {0};
	double		expected[8] = {0};

	for (int i = 0; i < CUSTOMERS; i++)
	{
		bool		event = uniform() < 0.6;

		counts[i] = (crm_survival_count) {(uint32_t) (uniform() * groups), floor(uniform() * 40), event ? 1 + (uniform() < 0.2) : 0, !event};
	}
	qsort(counts, CUSTOMERS, sizeof(counts[0]), by_time);
	CHECK_EQUAL(crm_kaplan_meier(&env, counts, CUSTOMERS, 0.9, &points, &n), CRM_OK);
	CHECK_EQUAL(crm_log_rank_test(&env, counts, CUSTOMERS, groups, rho, &test), CRM_OK);
	for (double time = 0; time < 40; time++)
	{
		double		risk = 0;
		double		died = 0;
		const crm_survival_point *point = point_at(points, n, time);

		for (int i = 0; i < CUSTOMERS; i++)
		{
			if (counts[i].time >= time)
				risk += (double) (counts[i].events + counts[i].censored);
			if (counts[i].time == time)
				died += (double) counts[i].events;
		}
		if (died == 0)
			continue;
		for (uint32_t g = 0; g < groups; g++)
		{
			double		own = 0;

			for (int i = 0; i < CUSTOMERS; i++)
				if (counts[i].group == g && counts[i].time >= time)
					own += (double) (counts[i].events + counts[i].censored);
			expected[g] += pow(survival, rho) * died * own / risk;
			for (int i = 0; i < CUSTOMERS; i++)
				if (counts[i].group == g && counts[i].time == time)
					observed[g] += pow(survival, rho) * (double) counts[i].events;
		}
		survival *= 1 - died / risk;
		CHECK(point != NULL && point->time == time && fabs(point->survival - survival) < 1e-12 && point->at_risk == (uint64_t) risk);
		CHECK(survival == 0 || (point->lower <= survival && point->upper >= survival && point->upper <= 1));
	}
	for (uint32_t g = 0; g < groups; g++)
		CHECK(near(test.observed[g], observed[g], 1e-10) && near(test.expected[g], expected[g], 1e-10));
	CHECK(test.chi_square >= 0 && test.p_value >= 0 && test.p_value <= 1 && test.degrees == groups - 1);
}

/* The partial likelihood from its definition, for one feature. */
static double
partial(const double (*rows)[4], int n, double a, double b)
{
	double		value = 0;

	for (int i = 0; i < n; i++)
	{
		double		risk = 0;
		double		tied = 0;
		int			events = 0;
		int			place = 0;

		if (rows[i][1] == 0)
			continue;
		for (int k = 0; k < n; k++)
		{
			double		r = exp(a * rows[k][2] + b * rows[k][3]);

			if (rows[k][0] >= rows[i][0])
				risk += r;
			if (rows[k][0] == rows[i][0] && rows[k][1] != 0)
			{
				place += k < i;
				events++;
				tied += r;
			}
		}
		value += a * rows[i][2] + b * rows[i][3] - log(risk - (double) place / events * tied);
	}
	return value;
}

static void
cox(void)
{
	enum {ROWS = 200};
	static double rows[ROWS][4];
	static double shuffled[ROWS][4];
	crm_cox_rows all = {shuffled[0], ROWS, 2};
	crm_cox_fit fit;
	crm_cox_fit again;
	double		best;
	double		pairs = 0;
	double		good = 0;

	for (int i = 0; i < ROWS; i++)
	{
		rows[i][2] = uniform() * 4 + 100;
		rows[i][3] = floor(uniform() * 3);
		rows[i][0] = ceil(-log(uniform()) * 20 * exp(-0.5 * (rows[i][2] - 102) + 0.3 * rows[i][3]));
		rows[i][1] = uniform() < 0.7;
	}
	memcpy(shuffled, rows, sizeof(rows));
	CHECK_EQUAL(crm_cox_train(&env, &all, CRM_COX_EFRON, &fit), CRM_OK);
	CHECK(fit.converged);
	best = partial((const double (*)[4]) rows, ROWS, fit.coefficients[0], fit.coefficients[1]);
	CHECK(near(fit.log_likelihood, best, 1e-10));
	for (int k = 0; k < 4; k++)
		CHECK(partial((const double (*)[4]) rows, ROWS, fit.coefficients[0] + (k == 0 ? 1e-4 : k == 1 ? -1e-4 : 0),
					  fit.coefficients[1] + (k == 2 ? 1e-4 : k == 3 ? -1e-4 : 0)) < best);
	for (int i = 0; i < ROWS; i++)
		for (int k = 0; k < ROWS; k++)
			if (rows[i][1] != 0 && (rows[k][0] > rows[i][0] || (rows[k][0] == rows[i][0] && rows[k][1] == 0)))
			{
				double		a = fit.coefficients[0] * rows[i][2] + fit.coefficients[1] * rows[i][3];
				double		b = fit.coefficients[0] * rows[k][2] + fit.coefficients[1] * rows[k][3];

				pairs++;
				good += fabs(a - b) < 1e-12 ? 0.5 : a > b;
			}
	CHECK(near(fit.concordance, good / pairs, 1e-9));
	/* hazards grow; at the means, Nelson and Aalen's estimate with risks as weights */
	for (size_t i = 1; i < fit.time_count; i++)
		CHECK(fit.times[i] > fit.times[i - 1] && fit.hazards[i] > fit.hazards[i - 1]);

	/* another order of rows: the same to the last bit */
	for (int i = 0; i < ROWS; i++)
		memcpy(shuffled[i], rows[ROWS - 1 - i], sizeof(rows[i]));
	CHECK_EQUAL(crm_cox_train(&env, &all, CRM_COX_EFRON, &again), CRM_OK);
	CHECK(memcmp(again.coefficients, fit.coefficients, 2 * sizeof(double)) == 0);
	CHECK(memcmp(again.robust_errors, fit.robust_errors, 2 * sizeof(double)) == 0);

	/* a feature that follows from another, and a constant */
	for (int i = 0; i < ROWS; i++)
	{
		memcpy(shuffled[i], rows[i], sizeof(rows[i]));
		shuffled[i][3] = 7 - 3 * rows[i][2];
	}
	CHECK_EQUAL(crm_cox_train(&env, &all, CRM_COX_EFRON, &again), CRM_OK);
	CHECK(!again.aliased[0] && again.aliased[1] && again.coefficients[1] == 0 && isnan(again.standard_errors[1]));
	for (int i = 0; i < ROWS; i++)
		shuffled[i][3] = 1e9;
	CHECK_EQUAL(crm_cox_train(&env, &all, CRM_COX_EFRON, &again), CRM_OK);
	CHECK(!again.aliased[0] && again.aliased[1]);

	/* whoever has the feature never leaves: its coefficient has no end */
	for (int i = 0; i < ROWS; i++)
	{
		memcpy(shuffled[i], rows[i], sizeof(rows[i]));
		shuffled[i][3] = rows[i][1] == 0 && i % 2 == 0;
	}
	CHECK_EQUAL(crm_cox_train(&env, &all, CRM_COX_EFRON, &again), CRM_OK);
	CHECK(isfinite(again.coefficients[0]) && isfinite(again.coefficients[1]));
	CHECK(!again.infinite[0] && again.infinite[1] && !again.converged);

	/* nobody leaves */
	for (int i = 0; i < ROWS; i++)
		shuffled[i][1] = 0;
	CHECK_EQUAL(crm_cox_train(&env, &all, CRM_COX_EFRON, &again), CRM_OUT_OF_RANGE);
	all.count = 0;
	CHECK_EQUAL(crm_cox_train(&env, &all, CRM_COX_EFRON, &again), CRM_OUT_OF_RANGE);
	all.count = ROWS;
	all.features = 0;
}

static void
nothing(void)
{
	crm_survival_count alone[2] = {{0, 5, 0, 3}, {0, 9, 0, 1}};
	crm_survival_point *points;
	size_t		n;
	crm_log_rank test;

	CHECK_EQUAL(crm_kaplan_meier(&env, alone, 0, 0.95, &points, &n), CRM_OK);
	CHECK_EQUAL(n, 0);
	CHECK_EQUAL(crm_kaplan_meier(&env, alone, 2, 0.95, &points, &n), CRM_OK);
	CHECK_EQUAL(n, 0);
	CHECK_EQUAL(crm_log_rank_test(&env, alone, 2, 1, 0, &test), CRM_OK);
	CHECK(isnan(test.chi_square) && test.degrees == 0);
	CHECK_EQUAL(crm_log_rank_test(&env, alone, 0, 3, 0, &test), CRM_OK);
	CHECK(isnan(test.chi_square));
}

int
main(void)
{
	env = unit_pool_env(&pool);
	published();
	for (int i = 0; i < 20; i++)
		brute_force(2 + (uint32_t) i % 6, i % 3 == 0 ? 0 : i % 3 == 1 ? 1 : 0.5);
	cox();
	nothing();
	unit_pool_free(&pool);
	return unit_done();
}
