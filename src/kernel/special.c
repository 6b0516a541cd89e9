/*
 * special.c - special functions.
 *
 * Powers times gamma functions are computed as Loader does ("Fast and accurate
 * computation of binomial probabilities", 2000): as a deviance and corrections
 * of Stirling's formula, so that arguments of a million lose no digits.
 */
#include "kernel/special.h"

#include <math.h>
#include <stdbool.h>

#define EPSILON 2.220446049250313e-16
#define LN_SQRT_2PI 0.91893853320467274178
/* Iterations of series and continued fractions; those for a = 1e8 end after some ten thousand. */
#define MAX_STEPS 1000000

double
crm_lgamma(double x)
{
	int			sign;

	return lgamma_r(x, &sign);
}

/* Asymptotic series above this argument have errors below one unit in the last place. */
#define ASYMPTOTIC 15.0

double
crm_digamma(double x)
{
	double		sum = 0;
	double		y;

	if (isnan(x) || (x <= 0 && x == floor(x)))
		return NAN;
	if (x < 0)
		return crm_digamma(1 - x) - M_PI / tan(M_PI * x);
	while (x < ASYMPTOTIC)
		sum -= 1 / x++;
	y = 1 / (x * x);
	/* Bernoulli numbers over 2k */
	return sum + log(x) - 0.5 / x -
		y * (1.0 / 12 - y * (1.0 / 120 - y * (1.0 / 252 - y * (1.0 / 240 - y * (1.0 / 132 - y * (691.0 / 32760 - y / 12))))));
}

double
crm_trigamma(double x)
{
	double		sum = 0;
	double		y;

	if (isnan(x) || (x <= 0 && x == floor(x)))
		return NAN;
	if (x < 0)
	{
		double		s = M_PI / sin(M_PI * x);

		return s * s - crm_trigamma(1 - x);
	}
	for (; x < ASYMPTOTIC; x++)
		sum += 1 / (x * x);
	y = 1 / (x * x);
	/* Bernoulli numbers */
	return sum + 1 / x + 0.5 * y +
		y / x * (1.0 / 6 - y * (1.0 / 30 - y * (1.0 / 42 - y * (1.0 / 30 - y * (5.0 / 66 - y * (691.0 / 2730 - y * 7.0 / 6))))));
}

/* ln Gamma(x + 1) less Stirling's formula for it. */
static double
stirling_error(double x)
{
	double		y;

	if (x < ASYMPTOTIC)
		return crm_lgamma(x + 1) - (x + 0.5) * log(x) + x - LN_SQRT_2PI;
	y = 1 / (x * x);
	return (1.0 / 12 - y * (1.0 / 360 - y * (1.0 / 1260 - y * (1.0 / 1680 - y * (1.0 / 1188 - y * 691.0 / 360360))))) / x;
}

/* x ln(x / m) + m - x, without cancellation where x is near m. */
static double
deviance(double x, double m)
{
	if (fabs(x - m) < 0.1 * (x + m))
	{
		double		v = (x - m) / (x + m);
		double		sum = (x - m) * v;
		double		term = 2 * x * v;

		for (int j = 1; j < 1000; j++)
		{
			double		next;

			term *= v * v;
			next = sum + term / (2 * j + 1);
			if (next == sum)
				break;
			sum = next;
		}
		return sum;
	}
	return x * log(x / m) + m - x;
}

double
crm_lbeta(double a, double b)
{
	double		small = fmin(a, b);
	double		large = fmax(a, b);

	if (!(small > 0))
		return NAN;
	if (large < ASYMPTOTIC)
		return crm_lgamma(a) + crm_lgamma(b) - crm_lgamma(a + b);
	/* ln Gamma(large) - ln Gamma(large + small), of Stirling's formulas */
	{
		double		sum = large + small;
		double		ratio = -small * log(sum) + small - (large - 0.5) * log1p(small / large);

		/* stirling_error is of Gamma(x + 1) = x Gamma(x) */
		ratio += stirling_error(large) - stirling_error(sum);
		return crm_lgamma(small) + ratio;
	}
}

/* ---- the incomplete gamma function ---------------------------------------------- */

/* x^a e^-x / Gamma(a) */
static double
gamma_power(double a, double x)
{
	return a * exp(-deviance(a, x) - stirling_error(a)) / sqrt(2 * M_PI * a);
}

/* P(a, x) by its series, for x < a + 1. */
static double
gamma_series(double a, double x)
{
	double		term = 1 / a;
	double		sum = term;

	for (int n = 1; n < MAX_STEPS; n++)
	{
		term *= x / (a + n);
		sum += term;
		if (term < sum * EPSILON / 4)
			break;
	}
	return sum * gamma_power(a, x);
}

/* Q(a, x) by its continued fraction (Lentz's method), for x >= a + 1. */
static double
gamma_fraction(double a, double x)
{
	const double tiny = 1e-300;
	double		b = x + 1 - a;
	double		c = 1 / tiny;
	double		d = 1 / b;
	double		h = d;

	for (int n = 1; n < MAX_STEPS; n++)
	{
		double		an = -n * (n - a);
		double		factor;

		b += 2;
		d = an * d + b;
		if (fabs(d) < tiny)
			d = tiny;
		c = b + an / c;
		if (fabs(c) < tiny)
			c = tiny;
		d = 1 / d;
		factor = d * c;
		h *= factor;
		if (fabs(factor - 1) < EPSILON)
			break;
	}
	return h * gamma_power(a, x);
}

double
crm_gamma_p(double a, double x)
{
	if (!(a > 0) || !(x >= 0))
		return NAN;
	if (x == 0)
		return 0;
	if (isinf(x))
		return 1;
	return x < a + 1 ? gamma_series(a, x) : 1 - gamma_fraction(a, x);
}

double
crm_gamma_q(double a, double x)
{
	if (!(a > 0) || !(x >= 0))
		return NAN;
	if (x == 0)
		return 1;
	if (isinf(x))
		return 0;
	return x < a + 1 ? 1 - gamma_series(a, x) : gamma_fraction(a, x);
}

/* ---- the incomplete beta function -------------------------------------------------- */

/* x^a y^b / B(a, b), y = 1 - x */
static double
beta_power(double a, double b, double x, double y)
{
	double		n = a + b;
	double		corrections;

	if (a < 1e-3 || b < 1e-3)
		return exp(a * log(x) + b * log(y) - crm_lbeta(a, b));
	corrections = stirling_error(n) - stirling_error(a) - stirling_error(b) - deviance(a, n * x) - deviance(b, n * y);
	return exp(corrections) * sqrt(a * b / (2 * M_PI * n));
}

/* The continued fraction of I_x(a, b), for x < (a + 1) / (a + b + 2). */
static double
beta_fraction(double a, double b, double x)
{
	const double tiny = 1e-300;
	double		c = 1;
	double		d = 1 - (a + b) * x / (a + 1);
	double		h;

	if (fabs(d) < tiny)
		d = tiny;
	d = 1 / d;
	h = d;
	for (int m = 1; m < MAX_STEPS; m++)
	{
		double		even = m * (b - m) * x / ((a + 2.0 * m - 1) * (a + 2.0 * m));
		double		odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1));
		double		factor;

		d = 1 + even * d;
		if (fabs(d) < tiny)
			d = tiny;
		c = 1 + even / c;
		if (fabs(c) < tiny)
			c = tiny;
		d = 1 / d;
		h *= d * c;
		d = 1 + odd * d;
		if (fabs(d) < tiny)
			d = tiny;
		c = 1 + odd / c;
		if (fabs(c) < tiny)
			c = tiny;
		d = 1 / d;
		factor = d * c;
		h *= factor;
		if (fabs(factor - 1) < EPSILON)
			break;
	}
	return h;
}

/* I_x(a, b) with y = 1 - x known to all its digits. */
static double
beta_both(double a, double b, double x, double y)
{
	if (!(a > 0) || !(b > 0) || !(x >= 0) || !(y >= 0))
		return NAN;
	if (x == 0)
		return 0;
	if (y == 0)
		return 1;
	if (x < (a + 1) / (a + b + 2))
		return beta_power(a, b, x, y) * beta_fraction(a, b, x) / a;
	return 1 - beta_power(a, b, x, y) * beta_fraction(b, a, y) / b;
}

double
crm_beta_i(double a, double b, double x)
{
	return beta_both(a, b, x, 1 - x);
}

/* ---- distributions --------------------------------------------------------------------- */

double
crm_normal_cdf(double x)
{
	return 0.5 * erfc(-x * M_SQRT1_2);
}

/*
 * A start from a rational function (Abramowitz and Stegun 26.2.23, error below
 * 4.5e-4), then Newton's steps for the logarithm of the smaller tail, which is
 * smooth however small the tail.
 */
double
crm_normal_quantile(double p)
{
	bool		upper = p > 0.5;
	double		tail = upper ? 1 - p : p;
	double		log_tail = log(tail);
	double		t = sqrt(-2 * log_tail);
	double		x;

	if (!(p >= 0 && p <= 1))
		return NAN;
	if (tail == 0)
		return upper ? INFINITY : -INFINITY;
	if (tail == 0.5)
		return 0;
	x = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))));
	for (int i = 0; i < 4; i++)
	{
		double		cdf = crm_normal_cdf(x);

		/* beyond the smallest normal numbers the start has to do */
		if (cdf < 1e-305)
			break;
		x -= (log(cdf) - log_tail) * cdf * 2.50662827463100050242 * exp(0.5 * x * x);
	}
	return upper ? -x : x;
}

double
crm_t_cdf(double df, double x)
{
	double		square = x * x;
	double		tail;

	if (!(df > 0) || isnan(x))
		return NAN;
	if (isinf(x))
		return x > 0;
	tail = 0.5 * beta_both(df / 2, 0.5, df / (df + square), square / (df + square));
	return x > 0 ? 1 - tail : tail;
}

double
crm_t_quantile(double df, double p)
{
	bool		upper = p > 0.5;
	double		tail = upper ? 1 - p : p;
	double		low = -1;
	double		high = 0;

	if (!(df > 0) || !(p >= 0 && p <= 1))
		return NAN;
	if (tail == 0)
		return upper ? INFINITY : -INFINITY;
	if (tail == 0.5)
		return 0;
	/* the distribution is smooth and steady: bracket, then halve, with Newton's step where it stays inside */
	while (crm_t_cdf(df, low) > tail && low > -1e300)
	{
		high = low;
		low *= 2;
	}
	{
		double		x = 0.5 * (low + high);
		double		log_norm = -crm_lbeta(df / 2, 0.5) - 0.5 * log(df);

		for (int i = 0; i < 200; i++)
		{
			double		error = crm_t_cdf(df, x) - tail;
			double		step;
			double		next;

			if (error > 0)
				high = x;
			else
				low = x;
			step = error / exp(log_norm - (df + 1) / 2 * log1p(x * x / df));
			next = x - step;
			if (!(next > low && next < high))
				next = 0.5 * (low + high);
			if (fabs(next - x) <= 4 * EPSILON * fabs(next))
			{
				x = next;
				break;
			}
			x = next;
		}
		return upper ? -x : x;
	}
}

double
crm_chi2_sf(double df, double x)
{
	return x <= 0 ? (df > 0 ? 1 : NAN) : crm_gamma_q(df / 2, x / 2);
}

double
crm_f_sf(double df1, double df2, double x)
{
	if (!(df1 > 0) || !(df2 > 0) || isnan(x))
		return NAN;
	if (x <= 0)
		return 1;
	if (isinf(x))
		return 0;
	return beta_both(df2 / 2, df1 / 2, df2 / (df2 + df1 * x), df1 * x / (df2 + df1 * x));
}

/* ---- Gauss's function --------------------------------------------------------------------- */

static double
hyp_series(double a, double b, double c, double x)
{
	double		term = 1;
	double		sum = 1;

	for (int n = 0; n < MAX_STEPS; n++)
	{
		term *= (a + n) * (b + n) / ((c + n) * (n + 1)) * x;
		sum += term;
		/* terms may grow first: the ratio of neighbours has to be below one for good */
		if (term == 0 || (fabs(term) < fabs(sum) * EPSILON / 8 && n > -a && n > -b))
			return sum;
	}
	return NAN;
}

double
crm_hyp2f1(double a, double b, double c, double x)
{
	if (!(x < 1) || isnan(a) || isnan(b) || isnan(c) || (c <= 0 && c == floor(c)))
		return NAN;
	if (x == 0)
		return 1;
	/* Abramowitz and Stegun 15.3.4, into 0 ... 1; and 15.3.3 where it makes the terms small */
	if (x < 0)
		return pow(1 - x, -a) * crm_hyp2f1(a, c - b, c, x / (x - 1));
	if (c - a - b < 0 && c > a && c > b)
		return exp((c - a - b) * log1p(-x)) * hyp_series(c - a, c - b, c, x);
	return hyp_series(a, b, c, x);
}
