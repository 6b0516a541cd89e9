/*
 * purchase.c - what fitted models of repeat purchases say of one customer.
 */
#include <math.h>

#include "kernel/purchase_private.h"
#include "kernel/special.h"

/* ---- the integral of Pareto/NBD ------------------------------------------------------ */

/* Gauss and Legendre's rule of 16 points on -1 ... 1: one half. */
static const double nodes[8] = {
	0.0950125098376374401853193354249581, 0.2816035507792589132304605014604961,
	0.4580167776572273863424194429835776, 0.6178762444026437484466717640487911,
	0.7554044083550030338951011948474422, 0.8656312023878317438804678977123931,
	0.9445750230732325760779884155346083, 0.9894009349916499325961541734503326
};
static const double weights[8] = {
	0.1894506104550684962853967232082831, 0.1826034150449235888667636679692199,
	0.1691565193950025381893120790303599, 0.1495959888165767320815017305474785,
	0.1246289712555338720524762821920164, 0.0951585116824927848099251076022462,
	0.0622535239386478928628438369943777, 0.0271524594117540948517805724560181
};

/* Behind this many powers of e the rest is nothing. */
#define NEGLIGIBLE 45.0

/*
 * In the variable y = ln((m + t) / (m + tx)), m the smaller of alpha and beta,
 * the integrand falls like an exponential and is smooth on pieces of any
 * parameters: no cancellation, as two hypergeometric functions would bring.
 */
void
crm_pareto_integrate(const double *p, double x, double tx, double age, crm_pareto_integral *integral)
{
	double		n = p[0] + x;
	double		m = fmin(p[1], p[3]);
	double		above = fabs(p[1] - p[3]);
	double		rate = p[1] <= p[3] ? n - 1 : p[2];
	double		end = log1p((age - tx) / (m + tx));
	double		slowest = fmax(rate, 0) + (p[1] <= p[3] ? (p[2] + 1) * (m + tx) / (m + tx + above) : n * (m + tx) / (m + tx + above));
	double		steepest = p[1] <= p[3] ? n + (p[2] + 1) * (m + age) / (m + age + above) : p[2] + 1 + n * (m + age) / (m + age + above);
	int			pieces;
	double		sums[5] = {0};

	*integral = (crm_pareto_integral) {.log_value = -INFINITY};
	if (!(end > 0))
		return;
	if (slowest * end > NEGLIGIBLE)
		end = NEGLIGIBLE / slowest;
	pieces = (int) fmin(64, ceil(fmax(steepest * end / 8, end / 3)));
	for (int piece = 0; piece < pieces; piece++)
	{
		double		half = end / pieces / 2;
		double		middle = (2 * piece + 1) * half;

		for (int k = 0; k < 16; k++)
		{
			double		y = middle + (k < 8 ? -half : half) * nodes[k & 7];
			double		grown = (m + tx) * exp(y);	/* m + t */
			double		alpha = p[1] <= p[3] ? grown : grown + above;
			double		beta = p[1] <= p[3] ? grown + above : grown;
			double		log_alpha = log(alpha);
			double		log_beta = log(beta);
			double		f = weights[k & 7] * half * grown *
				exp(-n * (log_alpha - log(p[1] + tx)) - (p[2] + 1) * (log_beta - log(p[3] + tx)));

			sums[0] += f;
			sums[1] += f * log_alpha;
			sums[2] += f * log_beta;
			sums[3] += f / alpha;
			sums[4] += f / beta;
		}
	}
	if (!(sums[0] > 0))
		return;
	integral->log_value = log(p[2] * sums[0]) - n * log(p[1] + tx) - (p[2] + 1) * log(p[3] + tx);
	integral->log_alpha = sums[1] / sums[0];
	integral->log_beta = sums[2] / sums[0];
	integral->per_alpha = sums[3] / sums[0];
	integral->per_beta = sums[4] / sums[0];
}

/* ---- alive -------------------------------------------------------------------------------- */

/* The odds of having been lost against being alive. */
static double
odds_lost(crm_purchase_kind kind, const double *p, double x, double tx, double age)
{
	double		n = p[0] + x;
	crm_pareto_integral since;

	switch (kind)
	{
		case CRM_BG_NBD:
			if (x == 0)
				return 0;
			return p[2] / (p[3] + x - 1) * exp(n * log((p[1] + age) / (p[1] + tx)));
		case CRM_MBG_NBD:
			return p[2] / (p[3] + x) * exp(n * log((p[1] + age) / (p[1] + tx)));
		case CRM_PARETO_NBD:
			crm_pareto_integrate(p, x, tx, age, &since);
			return exp(since.log_value + n * log(p[1] + age) + p[2] * log(p[3] + age));
	}
	return NAN;
}

double
crm_purchase_alive(crm_purchase_kind kind, const double *p, double x, double tx, double age)
{
	return 1 / (1 + odds_lost(kind, p, x, tx, age));
}

/* ---- expected purchases -------------------------------------------------------------------- */

/* BG/NBD and MBG/NBD with a not too near to 1, where the formula is 0 / 0. */
static double
expected_beta(crm_purchase_kind kind, const double *p, double horizon, double x, double tx, double age)
{
	double		n = p[0] + x;
	double		b = p[3] + x + (kind == CRM_MBG_NBD ? 1 : 0);
	double		all = p[2] + b - 1;
	double		later = p[1] + age + horizon;
	double		unborn = exp(n * log((p[1] + age) / later)) * crm_hyp2f1(n, b, all, horizon / later);

	return all / (p[2] - 1) * (1 - unborn) / (1 + odds_lost(kind, p, x, tx, age));
}

double
crm_purchase_expected(crm_purchase_kind kind, const double *p, double horizon, double x, double tx, double age)
{
	if (!(horizon >= 0))
		return NAN;
	if (horizon == 0)
		return 0;
	if (kind == CRM_PARETO_NBD)
	{
		double		log_ratio = log1p(horizon / (p[3] + age));
		double		s = p[2] - 1;
		double		lasting = fabs(s) < 1e-8 ? log_ratio : -expm1(-s * log_ratio) / s;

		return crm_purchase_alive(kind, p, x, tx, age) * (p[0] + x) * (p[3] + age) / (p[1] + age) * lasting;
	}
	/* by continuity: the error of the mean is that of the third derivative */
	if (fabs(p[2] - 1) < 1e-4)
	{
		double		low[CRM_PURCHASE_PARAMETERS] = {p[0], p[1], 1 - 2e-4, p[3]};
		double		high[CRM_PURCHASE_PARAMETERS] = {p[0], p[1], 1 + 2e-4, p[3]};

		return (expected_beta(kind, low, horizon, x, tx, age) + expected_beta(kind, high, horizon, x, tx, age)) / 2;
	}
	return expected_beta(kind, p, horizon, x, tx, age);
}

void
crm_purchase_expected_interval(const crm_purchase_model *model, double level, double horizon,
							   double x, double tx, double age, double *expected, double *lower, double *upper)
{
	double		slope[CRM_PURCHASE_PARAMETERS];
	double		variance = 0;
	double		width;

	*expected = crm_purchase_expected(model->kind, model->parameter, horizon, x, tx, age);
	*lower = *upper = NAN;
	if (!(*expected > 0) || !isfinite(*expected))
		return;
	for (int i = 0; i < CRM_PURCHASE_PARAMETERS; i++)
	{
		const double step = 1e-5;
		double		p[CRM_PURCHASE_PARAMETERS];
		double		up;
		double		down;

		memcpy(p, model->parameter, sizeof(p));
		p[i] = model->parameter[i] * exp(step);
		up = crm_purchase_expected(model->kind, p, horizon, x, tx, age);
		p[i] = model->parameter[i] * exp(-step);
		down = crm_purchase_expected(model->kind, p, horizon, x, tx, age);
		slope[i] = (log(up) - log(down)) / (2 * step);
	}
	for (int i = 0; i < CRM_PURCHASE_PARAMETERS; i++)
		for (int j = 0; j < CRM_PURCHASE_PARAMETERS; j++)
			variance += slope[i] * model->covariance[i * CRM_PURCHASE_PARAMETERS + j] * slope[j];
	if (!(variance >= 0))
		return;
	width = sqrt(variance) * crm_normal_quantile(0.5 + level / 2);
	*lower = *expected * exp(-width);
	*upper = *expected * exp(width);
}

double
crm_purchase_lifetime_value(crm_purchase_kind kind, const double *p, int periods, double rate, double value,
							double x, double tx, double age)
{
	double		before = 0;
	double		sum = 0;
	double		factor = 1;

	for (int i = 1; i <= periods; i++)
	{
		double		until = crm_purchase_expected(kind, p, i, x, tx, age);

		factor /= 1 + rate;
		sum += (until - before) * factor;
		before = until;
	}
	return sum * value;
}
