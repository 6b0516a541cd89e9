/*
 * Models of repeat purchases: gradients against differences, the integral
 * against Simpson's rule, expectations against simulated customers, published
 * figures, and the cases in which nothing can be fitted.
 */
#include <math.h>

#include "kernel/optimize.h"
#include "kernel/purchase.h"
#include "kernel/purchase_private.h"
#include "unit.h"

static unit_pool pool;
static crm_env env;
static uint64_t seed = 4101842887655102017;

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
	if (fabs(actual - expected) <= tolerance * fmax(fabs(expected), 1e-12))
		return true;
	fprintf(stderr, "%.12g is not %.12g\n", actual, expected);
	return false;
}

/* Marsaglia and Tsang's method, with the power for shapes below 1. */
static double
gamma_variate(double shape)
{
	double		d;
	double		c;

	if (shape < 1)
		return gamma_variate(shape + 1) * pow(uniform(), 1 / shape);
	d = shape - 1.0 / 3;
	c = 1 / sqrt(9 * d);
	for (;;)
	{
		double		normal = sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
		double		v = pow(1 + c * normal, 3);

		if (v > 0 && log(uniform()) < 0.5 * normal * normal + d - d * v + d * log(v))
			return d * v;
	}
}

static double
beta_variate(double a, double b)
{
	double		x = gamma_variate(a);

	return x / (x + gamma_variate(b));
}

/* One customer: his purchases until age, and those of the horizon behind it. */
static crm_purchase_group
simulate(crm_purchase_kind kind, const double *p, double age, double horizon, double *later)
{
	crm_purchase_group g = {.age = age,.count = 1};
	double		rate = gamma_variate(p[0]) / p[1];
	double		chance = kind == CRM_PARETO_NBD ? 0 : beta_variate(p[2], p[3]);
	double		death = kind == CRM_PARETO_NBD ? -log(uniform()) / (gamma_variate(p[2]) / p[3]) : INFINITY;
	double		at = 0;

	*later = 0;
	if (kind == CRM_MBG_NBD && uniform() < chance)
		return g;
	for (;;)
	{
		at -= log(uniform()) / rate;
		if (at > age + horizon || at > death)
			return g;
		if (at <= age)
		{
			g.frequency++;
			g.recency = at;
		}
		else
			++*later;
		if (kind != CRM_PARETO_NBD && uniform() < chance)
			return g;
	}
}

/* Parameters are found again, and the expectations of all customers come true. */
static void
simulated(crm_purchase_kind kind, const double *p, int customers)
{
	crm_purchase_group *groups = malloc(sizeof(crm_purchase_group) * customers);
	crm_purchase_model model;
	double		later = 0;
	double		expected = 0;
	double		alive = 0;
	double		likelihood;
	double		variance = 0;

	for (int i = 0; i < customers; i++)
	{
		double		own;

		groups[i] = simulate(kind, p, 20 + 20 * uniform(), 26, &own);
		later += own;
		variance += own * own;
		expected += crm_purchase_expected(kind, p, 26, groups[i].frequency, groups[i].recency, groups[i].age);
		alive += crm_purchase_alive(kind, p, groups[i].frequency, groups[i].recency, groups[i].age);
	}
	CHECK(fabs(later - expected) < 4 * sqrt(variance));
	CHECK(alive > 0 && alive < customers);
	CHECK_EQUAL(crm_purchase_fit(&env, kind, groups, customers, &model), CRM_OK);
	CHECK(model.converged);
	CHECK_EQUAL(crm_purchase_likelihood(&env, kind, p, groups, customers, &likelihood), CRM_OK);
	/* twice the gain is about chi-square with four degrees of freedom */
	CHECK(model.log_likelihood >= likelihood && model.log_likelihood - likelihood < 15);
	for (int i = 0; i < CRM_PURCHASE_PARAMETERS; i++)
	{
		double		se = sqrt(model.covariance[i * 5]);

		CHECK(se > 0 && fabs(log(model.parameter[i] / p[i])) < 4.5 * se);
	}
	/* in another order and grouped twice: the same */
	{
		crm_purchase_group swap;
		crm_purchase_model again;

		for (int i = 0; i < customers / 2; i++)
		{
			swap = groups[i];
			groups[i] = groups[customers - 1 - i];
			groups[customers - 1 - i] = swap;
		}
		CHECK_EQUAL(crm_purchase_fit(&env, kind, groups, customers, &again), CRM_OK);
		CHECK(memcmp(again.parameter, model.parameter, sizeof(again.parameter)) == 0);
		for (int i = 0; i < customers; i++)
			groups[i].count = 3;
		CHECK_EQUAL(crm_purchase_fit(&env, kind, groups, customers, &again), CRM_OK);
		for (int i = 0; i < CRM_PURCHASE_PARAMETERS; i++)
			CHECK(near(again.parameter[i], model.parameter[i], 1e-6));
		CHECK(near(again.log_likelihood, 3 * model.log_likelihood, 1e-9));
	}
	free(groups);
}

/* Simpson's rule in the variable ln(m + t), far finer than needed. */
static double
simpson(const double *p, double x, double tx, double age)
{
	enum {STEPS = 200000};
	double		m = fmin(p[1], p[3]);
	double		low = log(m + tx);
	double		high = log(m + age);
	double		sum = 0;

	for (int i = 0; i <= STEPS; i++)
	{
		double		u = low + (high - low) * i / STEPS;
		double		t = exp(u) - m;
		double		f = exp(u - (p[0] + x) * log((p[1] + t) / (p[1] + tx)) - (p[2] + 1) * log((p[3] + t) / (p[3] + tx)));

		sum += f * (i == 0 || i == STEPS ? 1 : i % 2 == 1 ? 4 : 2);
	}
	return log(p[2] * sum * (high - low) / STEPS / 3) - (p[0] + x) * log(p[1] + tx) - (p[2] + 1) * log(p[3] + tx);
}

static void
integral(void)
{
	for (int i = 0; i < 60; i++)
	{
		double		p[4];
		double		age = exp(uniform() * 8 - 1);
		double		tx = age * uniform();
		double		x = floor(exp(uniform() * 5) - 1);
		crm_pareto_integral found;

		for (int k = 0; k < 4; k++)
			p[k] = exp(uniform() * 7 - 3.5);
		crm_pareto_integrate(p, x, x == 0 ? 0 : tx, age, &found);
		CHECK(fabs(found.log_value - simpson(p, x, x == 0 ? 0 : tx, age)) < 1e-9);
	}
}

/* Gradients, by way of the maximum: at a point that is none, likelihoods of neighbours differ as the fit's slope says. */
static void
likelihood_is_greatest(crm_purchase_kind kind, const double *p)
{
	crm_purchase_group groups[400];
	crm_purchase_model model;
	double		other;

	for (int i = 0; i < 400; i++)
		groups[i] = simulate(kind, p, 30, 0, &other);
	CHECK_EQUAL(crm_purchase_fit(&env, kind, groups, 400, &model), CRM_OK);
	if (!model.converged)
		return;					/* small samples may have no maximum */
	for (int i = 0; i < CRM_PURCHASE_PARAMETERS; i++)
		for (int sign = -1; sign <= 1; sign += 2)
		{
			double		moved[CRM_PURCHASE_PARAMETERS];

			memcpy(moved, model.parameter, sizeof(moved));
			moved[i] *= exp(sign * 1e-3);
			CHECK_EQUAL(crm_purchase_likelihood(&env, kind, moved, groups, 400, &other), CRM_OK);
			CHECK(other <= model.log_likelihood + 1e-8);
		}
}

/* Schmittlein and others' and Fader, Hardie and Lee's own figures for customers of CDNOW. */
static void
published(void)
{
	const double bg[] = {0.243, 4.414, 0.793, 2.426};
	const double pareto[] = {0.5534, 10.5802, 0.6061, 11.6562};
	const double worth[] = {6.25, 3.74, 15.44};

	CHECK(near(crm_purchase_expected(CRM_BG_NBD, bg, 39, 2, 30.43, 38.86), 1.226, 5e-4));
	CHECK(near(crm_purchase_alive(CRM_PARETO_NBD, pareto, 26, 30.86, 31), 0.9979, 5e-5));
	CHECK(near(crm_purchase_expected(CRM_PARETO_NBD, pareto, 52, 26, 30.86, 31), 25.46, 5e-4));
	CHECK(near(crm_value_expected(worth, 0, 0), 6.25 * 15.44 / 2.74, 1e-12));
	/* who has never come again is alive for BG/NBD, and may be lost for the others */
	CHECK(crm_purchase_alive(CRM_BG_NBD, bg, 0, 0, 30) == 1);
	CHECK(crm_purchase_alive(CRM_MBG_NBD, bg, 0, 0, 30) < 1);
}

static void
smooth(void)
{
	for (int kind = CRM_BG_NBD; kind <= CRM_PARETO_NBD; kind++)
	{
		double		before = NAN;

		/* the third parameter passes 1, where both formulas are 0 / 0 */
		for (int i = -40; i <= 40; i++)
		{
			double		p[4] = {0.5, 8, 1 + i * 2e-5, 3};
			double		now = crm_purchase_expected(kind, p, 30, 3, 12, 25);

			CHECK(now > 0 && (i == -40 || fabs(now / before - 1) < 1e-4));
			before = now;
		}
		/* grows with the horizon, from nothing; certain values are sums */
		{
			const double p[4] = {0.5, 8, 0.8, 3};
			double		sum = 0;
			double		last = 0;

			CHECK(crm_purchase_expected(kind, p, 0, 3, 12, 25) == 0);
			CHECK(isnan(crm_purchase_expected(kind, p, -1, 3, 12, 25)));
			for (int h = 1; h <= 100; h++)
			{
				double		now = crm_purchase_expected(kind, p, h, 3, 12, 25);

				CHECK(now > last);
				sum += (now - last) * 10 / pow(1.01, h);
				last = now;
			}
			CHECK(near(crm_purchase_lifetime_value(kind, p, 100, 0.01, 10, 3, 12, 25), sum, 1e-12));
			CHECK(near(crm_purchase_lifetime_value(kind, p, 100, 0, 10, 3, 12, 25), last * 10, 1e-12));
		}
	}
}

static void
nothing_to_fit(void)
{
	crm_purchase_group never[2] = {{0, 0, 10, 5}, {0, 0, 20, 5}};
	crm_purchase_group wrong[1] = {{1, 11, 10, 1}};
	crm_purchase_group alike[1] = {{4, 10, 10, 1000}};
	crm_purchase_model model;
	crm_value_group values[3] = {{1, 10, 5}, {2, -1, 5}, {3, 10, 5}};
	crm_value_model worth;

	for (int kind = CRM_BG_NBD; kind <= CRM_PARETO_NBD; kind++)
	{
		CHECK_EQUAL(crm_purchase_fit(&env, kind, never, 2, &model), CRM_OUT_OF_RANGE);
		CHECK_EQUAL(crm_purchase_fit(&env, kind, never, 0, &model), CRM_OUT_OF_RANGE);
		CHECK_EQUAL(crm_purchase_fit(&env, kind, wrong, 1, &model), CRM_OUT_OF_RANGE);
		/* customers that do not differ: no maximum, said and not looped */
		CHECK_EQUAL(crm_purchase_fit(&env, kind, alike, 1, &model), CRM_OK);
		CHECK(!model.converged && isnan(model.covariance[0]));
	}
	CHECK(!crm_purchase_valid(1.5, 1, 2) && !crm_purchase_valid(0, 1, 2) && !crm_purchase_valid(-1, 0, 2));
	CHECK(!crm_purchase_valid(NAN, 0, 2) && !crm_purchase_valid(1, 1, INFINITY) && crm_purchase_valid(1, 0, 0));
	CHECK_EQUAL(crm_value_fit(&env, values, 3, &worth), CRM_OUT_OF_RANGE);
	CHECK_EQUAL(crm_value_fit(&env, values, 0, &worth), CRM_OUT_OF_RANGE);
	values[1].mean = 10;
	CHECK_EQUAL(crm_value_fit(&env, values, 3, &worth), CRM_OK);
	CHECK(!worth.converged);
}

static void
worth_simulated(void)
{
	enum {CUSTOMERS = 20000};
	const double p[] = {6, 4, 15};
	crm_value_group *groups = malloc(sizeof(crm_value_group) * CUSTOMERS);
	crm_value_model model;
	double		likelihood;

	for (int i = 0; i < CUSTOMERS; i++)
	{
		double		scale = gamma_variate(p[1]) / p[2];
		double		x = 1 + floor(10 * uniform() * uniform());

		groups[i] = (crm_value_group) {x, gamma_variate(p[0] * x) / scale / x, 1};
	}
	CHECK_EQUAL(crm_value_fit(&env, groups, CUSTOMERS, &model), CRM_OK);
	CHECK(model.converged);
	CHECK_EQUAL(crm_value_likelihood(&env, p, groups, CUSTOMERS, &likelihood), CRM_OK);
	CHECK(model.log_likelihood >= likelihood && model.log_likelihood - likelihood < 12);
	for (int i = 0; i < 3; i++)
		CHECK(fabs(log(model.parameter[i] / p[i])) < 4.5 * sqrt(model.covariance[i * 4]));
	free(groups);
}

static void
definite(void)
{
	double		m[9] = {4, 2, 0.6, 2, 5, 1, 0.6, 1, 3};
	double		inverse[9];
	double		singular[4] = {1, 2, 2, 4};
	double		indefinite[4] = {1, 2, 2, 1};

	memcpy(inverse, m, sizeof(m));
	CHECK(crm_invert_definite(inverse, 3));
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
		{
			double		sum = 0;

			for (int k = 0; k < 3; k++)
				sum += m[i * 3 + k] * inverse[k * 3 + j];
			CHECK(fabs(sum - (i == j)) < 1e-14);
		}
	CHECK(!crm_invert_definite(singular, 2));
	CHECK(!crm_invert_definite(indefinite, 2));
}

int
main(void)
{
	const double bg[] = {0.25, 4.5, 0.8, 2.5};
	const double pareto[] = {0.55, 10, 0.6, 12};

	env = unit_pool_env(&pool);
	definite();
	integral();
	published();
	smooth();
	nothing_to_fit();
	worth_simulated();
	simulated(CRM_BG_NBD, bg, 20000);
	simulated(CRM_MBG_NBD, bg, 20000);
	simulated(CRM_PARETO_NBD, pareto, 4000);
	for (int i = 0; i < 5; i++)
	{
		likelihood_is_greatest(CRM_BG_NBD, bg);
		likelihood_is_greatest(CRM_MBG_NBD, bg);
		likelihood_is_greatest(CRM_PARETO_NBD, pareto);
	}
	unit_pool_free(&pool);
	return unit_done();
}
