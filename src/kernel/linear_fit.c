/*
 * linear_fit.c - sums of products, and least squares from them.
 *
 * Summation after Ogita, Rump, Oishi, "Accurate sum and dot product", SIAM J. Sci. Comput. 26 (2005), algorithm Dot2: as
 * if computed in twice the precision.  Elimination on correlations, in twofold numbers.
 */
#include "kernel/linear_fit.h"

#include <math.h>

#include "kernel/quadratic.h"
#include "kernel/twofold.h"

/* ---- sums ---------------------------------------------------------------- */

/*
 * Row j of the sums: products of u + rest with v[0 ... j].  Only sums and
 * products, so the compiler can do several at once.
 */
CRM_TARGET_CLONES static void
add_products(double *restrict high, double *restrict low, size_t count, double u, double rest,
			 const double *restrict v, const double *restrict v_high, const double *restrict v_low)
{
	double		u_high = crm_upper_bits(u);
	double		u_low = u - u_high;

	for (size_t k = 0; k < count; k++)
	{
		double		product = u * v[k];
		double		error = crm_product_error(u_high, u_low, v_high[k], v_low[k], product);
		double		sum = high[k] + product;

		low[k] += error + rest * v[k] + crm_sum_error(high[k], product, sum);
		high[k] = sum;
	}
}

crm_status
crm_products_add(crm_products *m, const double *features, double target, double weight, double *work)
{
	size_t		n = (size_t) m->features + 2;
	double	   *v = work;
	double	   *v_high = work + n;
	double	   *v_low = work + 2 * n;

	v[0] = 1;
	memcpy(v + 1, features, sizeof(double) * m->features);
	v[n - 1] = target;
	for (size_t k = 0; k < n; k++)
	{
		v_high[k] = crm_upper_bits(v[k]);
		v_low[k] = v[k] - v_high[k];
	}
	for (size_t j = 0; j < n; j++)
	{
		size_t		at = j * (j + 1) / 2;
		double		weighted = weight * v[j];
		double		weight_high = crm_upper_bits(weight);
		double		rest = crm_product_error(weight_high, weight - weight_high, v_high[j], v_low[j], weighted);

		add_products(m->high + at, m->low + at, j + 1, weighted, weight == 1 ? 0 : rest, v, v_high, v_low);
		/* A product too large for its square shows on the diagonal. */
		if (!isfinite(m->high[at + j]) || !isfinite(m->low[at + j]))
			return CRM_OUT_OF_RANGE;
	}
	m->rows++;
	m->log_weights += weight == 1 ? 0 : log(weight);
	return CRM_OK;
}

crm_status
crm_products_merge(crm_products *m, const crm_products *other)
{
	for (size_t i = 0; i < CRM_PRODUCTS_COUNT(m->features); i++)
	{
		double		sum = m->high[i] + other->high[i];

		m->low[i] += other->low[i] + crm_sum_error(m->high[i], other->high[i], sum);
		m->high[i] = sum;
		if (!isfinite(sum) || !isfinite(m->low[i]))
			return CRM_OUT_OF_RANGE;
	}
	m->rows += other->rows;
	m->log_weights += other->log_weights;
	return CRM_OK;
}

/* ---- the fit --------------------------------------------------------------- */

/*
 * A feature counts as constant when its variance is below this share of its mean
 * square: 13 of a double's 16 digits are the same.  One follows from others when less than this is left of its
 * variance, or less than what rounding its values to doubles can leave.
 */
#define CONSTANT_SHARE 1e-26
#define COLLINEAR_SHARE 1e-22
#define COLLINEAR_NOISE 1e-29
/* Of the target's variance, when the fit is perfect. */
#define RESIDUAL_NOISE 1e-29

typedef struct fit
{
	const crm_products *m;
	const crm_linear_options *options;
	const crm_env *env;
	size_t		n;				/* features and the target */
	crm_twofold weight;
	crm_twofold *mean;			/* of features and target; 0 without intercept */
	crm_twofold *scale;			/* root of the sum of squares about the mean */
	double	   *noise;			/* what rounding may leave of the variance, relative */
	crm_twofold *a;				/* n x n, below and on the diagonal: correlations, then factors */
	bool	   *use;
} fit;

static crm_twofold
moment(const crm_products *m, size_t j, size_t k)
{
	size_t		at = j * (j + 1) / 2 + k;

	return crm_twofold_join(m->high[at], m->low[at]);
}

static crm_status
allocate(const crm_env *env, void **place, size_t size)
{
	*place = env->alloc(env->arg, size);
	if (*place == NULL)
		return CRM_NO_MEMORY;
	memset(*place, 0, size);
	return CRM_OK;
}

/* Sums about the means, scaled to a diagonal of ones. */
static void
correlate(fit *f, crm_linear_result *result)
{
	const crm_products *m = f->m;
	size_t		n = f->n;

	f->weight = moment(m, 0, 0);
	for (size_t j = 0; j < n; j++)
	{
		crm_twofold square = moment(m, j + 1, j + 1);
		crm_twofold sum = moment(m, j + 1, 0);

		f->use[j] = true;
		if (f->options->intercept)
			f->mean[j] = crm_twofold_divide(sum, f->weight);
		for (size_t k = 0; k <= j; k++)
		{
			crm_twofold product = moment(m, j + 1, k + 1);

			if (f->options->intercept)
				product = crm_twofold_subtract(product, crm_twofold_multiply(f->mean[k], sum));
			f->a[j * n + k] = product;
		}
		if (!(f->a[j * n + j].high > CONSTANT_SHARE * square.high))
		{
			/* the target has no variance: all coefficients are 0 */
			f->use[j] = false;
			if (j < n - 1)
				result->constant[j] = true;
			continue;
		}
		f->scale[j] = crm_twofold_root(f->a[j * n + j]);
		f->noise[j] = COLLINEAR_NOISE * square.high / f->a[j * n + j].high;
		crm_progress(f->env);
	}
	for (size_t j = 0; j < n; j++)
		for (size_t k = 0; k <= j; k++)
			f->a[j * n + k] = f->use[j] && f->use[k] ?
				crm_twofold_divide(crm_twofold_divide(f->a[j * n + k], f->scale[j]), f->scale[k]) : crm_twofold_of(0);
}

/* A = L D L' as in quadratic.c; the target is the last variable, whose D is what the features leave of it. */
static void
factor(fit *f, crm_linear_result *result)
{
	size_t		n = f->n;

	for (size_t j = 0; j < n; j++)
	{
		crm_twofold *row = f->a + j * n;
		double		share = f->noise[j] > COLLINEAR_SHARE ? f->noise[j] : COLLINEAR_SHARE;

		if (!f->use[j])
			continue;
		for (size_t k = 0; k < j; k++)
		{
			if (!f->use[k])
				continue;
			for (size_t i = 0; i < k; i++)
				if (f->use[i])
					row[k] = crm_twofold_subtract(row[k], crm_twofold_multiply(row[i], f->a[k * n + i]));
		}
		for (size_t k = 0; k < j; k++)
			if (f->use[k])
			{
				crm_twofold whole = row[k];

				row[k] = crm_twofold_divide(whole, f->a[k * n + k]);
				row[j] = crm_twofold_subtract(row[j], crm_twofold_multiply(whole, row[k]));
			}
		if (j < n - 1 && !(row[j].high > share))
		{
			f->use[j] = false;
			result->collinear[j] = true;
		}
		crm_progress(f->env);
		crm_step(f->env, j + 1);
	}
}

/* Coefficients of standardised features from the factors, into b. */
static void
substitute_back(const fit *f, crm_twofold *b)
{
	size_t		n = f->n;
	size_t		last = n - 1;

	for (size_t j = last; j-- > 0;)
	{
		b[j] = crm_twofold_of(0);
		if (!f->use[j] || !f->use[last])
			continue;
		b[j] = f->a[last * n + j];
		for (size_t k = j + 1; k < last; k++)
			if (f->use[k])
				b[j] = crm_twofold_subtract(b[j], crm_twofold_multiply(f->a[k * n + j], b[k]));
	}
}

/*
 * Diagonal of the inverse of the correlations, which gives the standard errors;
 * of the intercept also what the means add: means' inverse means.
 */
static crm_status
invert(const fit *f, double *diagonal, double *of_means)
{
	size_t		n = f->n;
	size_t		last = n - 1;
	crm_twofold *column;
	crm_twofold *shifted;

	CRM_TRY(allocate(f->env, (void **) &column, sizeof(crm_twofold) * n));
	CRM_TRY(allocate(f->env, (void **) &shifted, sizeof(crm_twofold) * n));
	for (size_t i = 0; i < last; i++)
	{
		crm_twofold sum = crm_twofold_of(0);

		if (!f->use[i])
			continue;
		for (size_t j = i; j < last; j++)
		{
			column[j] = crm_twofold_of(j == i);
			if (!f->use[j])
				continue;
			for (size_t k = i; k < j; k++)
				if (f->use[k])
					column[j] = crm_twofold_subtract(column[j], crm_twofold_multiply(f->a[j * n + k], column[k]));
			sum = crm_twofold_add(sum, crm_twofold_divide(crm_twofold_multiply(column[j], column[j]), f->a[j * n + j]));
			/* L^-1 of the scaled means, column by column */
			shifted[j] = crm_twofold_add(shifted[j],
										 crm_twofold_multiply(column[j], crm_twofold_divide(f->mean[i], f->scale[i])));
		}
		diagonal[i] = crm_twofold_round(sum);
		crm_progress(f->env);
		crm_step(f->env, n + i + 1);
	}
	*of_means = 0;
	for (size_t j = 0; j < last; j++)
		if (f->use[j])
			*of_means += crm_twofold_round(crm_twofold_divide(crm_twofold_multiply(shifted[j], shifted[j]), f->a[j * n + j]));
	return CRM_OK;
}

/* Coefficients with penalties, in doubles: the penalties move them by more than rounding does. */
static crm_status
fit_penalised(const fit *f, crm_linear_result *result, crm_twofold *b)
{
	size_t		n = f->n - 1;
	double		weight = f->weight.high;
	double		target_scale = crm_twofold_round(f->scale[n]) / sqrt(weight);
	double	   *a;
	double	   *c;
	double	   *l1;
	double	   *l2;
	double	   *x;
	double	   *work;

	CRM_TRY(allocate(f->env, (void **) &a, sizeof(double) * (n * n + 1)));
	CRM_TRY(allocate(f->env, (void **) &c, sizeof(double) * (5 * n + 1)));
	l1 = c + n;
	l2 = c + 2 * n;
	x = c + 3 * n;
	work = c + 4 * n;
	result->converged = true;
	if (!f->use[n])
		return CRM_OK;
	for (size_t j = 0; j < n; j++)
	{
		/* standard deviation of the feature, by which its coefficient is scaled here; the target's scales the whole */
		double		sd = crm_twofold_round(f->scale[j]) / sqrt(weight);
		double		unit = f->options->standardize ? 1 : sd;

		if (!f->use[j])
			continue;
		for (size_t k = 0; k <= j; k++)
			a[j * n + k] = a[k * n + j] = crm_twofold_round(f->a[j * f->n + k]);
		c[j] = crm_twofold_round(f->a[n * f->n + j]);
		l1[j] = f->options->l1 / target_scale / unit;
		l2[j] = f->options->l2 / (unit * unit);
	}
	if (f->options->l1 > 0)
		result->converged = crm_descend(f->env, a, c, n, l1, l2, f->use, 1e-12, 100000, x, work);
	else
	{
		for (size_t j = 0; j < n; j++)
			a[j * n + j] += l2[j];
		memcpy(x, c, sizeof(double) * n);
		crm_factor(f->env, a, n, 0, f->use);
		crm_solve_factored(a, n, f->use, x);
	}
	for (size_t j = 0; j < n; j++)
		b[j] = crm_twofold_of(x[j]);
	return CRM_OK;
}

/* The sum of squares of residuals, scaled, for any coefficients: 1 - 2 c'b + b'Ab. */
static double
residual_share(const fit *f, const crm_twofold *b)
{
	size_t		n = f->n;
	size_t		last = n - 1;
	crm_twofold sum = crm_twofold_of(1);

	for (size_t j = 0; j < last; j++)
	{
		crm_twofold pull = crm_twofold_multiply(crm_twofold_of(-2), f->a[last * n + j]);

		for (size_t k = 0; k < last; k++)
			pull = crm_twofold_add(pull, crm_twofold_multiply(b[k], k <= j ? f->a[j * n + k] : f->a[k * n + j]));
		sum = crm_twofold_add(sum, crm_twofold_multiply(b[j], pull));
	}
	return crm_twofold_round(sum);
}

/* Of rows with normal errors, whose variance is estimated, too. */
static double
normal_log_likelihood(const crm_products *m, double sum)
{
	double		rows = (double) m->rows;

	return sum > 0 ? 0.5 * (m->log_weights - rows * (log(2 * 3.14159265358979323846 * sum / rows) + 1)) : NAN;
}

crm_status
crm_linear_fit(const crm_products *m, const crm_linear_options *options, const crm_env *env, crm_linear_result *result)
{
	fit			f = {.m = m, .options = options, .env = env, .n = (size_t) m->features + 1};
	size_t		n = f.n;
	size_t		last = n - 1;
	bool		penalised = options->l1 > 0 || options->l2 > 0;
	crm_twofold *b;
	crm_twofold intercept;
	double		share = 0;

	CRM_TRY(allocate(env, (void **) &f.mean, sizeof(crm_twofold) * n));
	CRM_TRY(allocate(env, (void **) &f.scale, sizeof(crm_twofold) * n));
	CRM_TRY(allocate(env, (void **) &f.noise, sizeof(double) * n));
	CRM_TRY(allocate(env, (void **) &f.a, sizeof(crm_twofold) * n * n));
	CRM_TRY(allocate(env, (void **) &f.use, n));
	CRM_TRY(allocate(env, (void **) &b, sizeof(crm_twofold) * n));
	memset(result->constant, 0, last);
	memset(result->collinear, 0, last);
	result->converged = true;
	result->weight = crm_twofold_round(moment(m, 0, 0));

	correlate(&f, result);
	result->total_sum = crm_twofold_round(crm_twofold_multiply(f.scale[last], f.scale[last]));
	if (penalised)
	{
		CRM_TRY(fit_penalised(&f, result, b));
		share = residual_share(&f, b);
	}
	else
	{
		factor(&f, result);
		substitute_back(&f, b);
		share = crm_twofold_round(f.a[last * n + last]);
	}
	result->residual_sum = f.use[last] && share > RESIDUAL_NOISE ? share * result->total_sum : 0;

	intercept = f.mean[last];
	result->parameters = options->intercept;
	for (size_t j = 0; j < last; j++)
	{
		crm_twofold coefficient = crm_twofold_of(0);

		if (f.use[j])
			coefficient = crm_twofold_divide(crm_twofold_multiply(b[j], f.scale[last]), f.scale[j]);
		intercept = crm_twofold_subtract(intercept, crm_twofold_multiply(coefficient, f.mean[j]));
		result->coefficients[j] = crm_twofold_round(coefficient);
		result->means[j] = crm_twofold_round(crm_twofold_divide(moment(m, j + 1, 0), f.weight));
		result->errors[j] = NAN;
		result->parameters += f.use[j];
	}
	result->intercept = options->intercept ? crm_twofold_round(intercept) : 0;
	result->intercept_error = 0;

	result->has_errors = !penalised && m->rows > result->parameters;
	if (result->has_errors)
	{
		double		of_means;
		double		variance = result->residual_sum / (double) (m->rows - result->parameters);
		double	   *diagonal;

		CRM_TRY(allocate(env, (void **) &diagonal, sizeof(double) * n));
		CRM_TRY(invert(&f, diagonal, &of_means));
		for (size_t j = 0; j < last; j++)
			if (f.use[j])
				result->errors[j] = sqrt(variance * diagonal[j]) / crm_twofold_round(f.scale[j]);
		if (options->intercept)
			result->intercept_error = sqrt(variance * (1 / result->weight + of_means));
	}
	result->log_likelihood = normal_log_likelihood(m, result->residual_sum);
	result->null_log_likelihood = normal_log_likelihood(m, result->total_sum);
	return CRM_OK;
}
