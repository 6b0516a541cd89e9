/*
 * logistic_fit.c - logistic regression by Newton's method.
 *
 * A pass over the rows gives the log-likelihood, its gradient and its curvature
 * at a point.  Rows are standardised on the way, some hundreds at a time, each
 * feature in one stretch: all sums are products of such stretches.
 */
#include "kernel/logistic_fit.h"

#include <math.h>

#include "kernel/quadratic.h"

#define TILE 256
/* Less than this of a feature's variance, left by those before it, is none. */
#define COLLINEAR_SHARE 1e-11
/* Labels that are separated completely are so by then; a row's weight falls by a factor of e a step and is still a number. */
#define LAST_SEPARATION_CHECK 18

/*
 * Four numbers at once, with whatever the processor has; the same lanes, and so
 * the same sums, everywhere.
 */
typedef double lanes __attribute__((vector_size(32), aligned(8)));

#define LANES(x) (*(lanes *) (x))
#define CONST_LANES(x) (*(const lanes *) (x))

typedef struct fit
{
	const crm_columns *rows;
	const crm_logistic_options *options;
	const crm_env *env;
	size_t		p;				/* features */
	size_t		n;				/* and the intercept, which comes first */
	bool		penalised;
	double	   *centre;			/* of each feature: what is subtracted, what is multiplied by, what stands for a missing one */
	double	   *unit;
	double	   *filler;
	bool	   *use;			/* n */
	double	   *l1;				/* n: penalties of each */
	double	   *l2;
	/* room for a part of the rows, and for one tile */
	double	   *part;
	double	   *tile;			/* n x TILE; the first stretch is ones */
	double	   *weighted;		/* TILE */
	/* what a pass gives */
	double		log_likelihood;
	double		least_margin;	/* of the labels, over rows: positive where all are on their side */
	double		least_step;		/* the same for the direction given */
	double		largest_step;
	double	   *gradient;		/* n */
	double	   *curvature;		/* n x n, whole */
} fit;

static crm_status
allocate(const crm_env *env, void **place, size_t size)
{
	*place = env->alloc(env->arg, size == 0 ? 1 : size);
	if (*place == NULL)
		return CRM_NO_MEMORY;
	memset(*place, 0, size);
	return CRM_OK;
}

static uint32_t
largest_part(const crm_columns *rows)
{
	uint32_t	most = 1;

	for (size_t i = 0; i < crm_columns_parts(rows); i++)
		if (crm_columns_part_rows(rows, i) > most)
			most = crm_columns_part_rows(rows, i);
	return most;
}

/* ---- means and spread ---------------------------------------------------------- */

/* Sum of weight * (x - about)^power over rows that have the feature; range of it. */
static void
sum_column(fit *f, size_t feature, double about, bool squared, double *sum, double *weight, double *low, double *high)
{
	double	   *x = f->part;
	double	   *w = f->part + largest_part(f->rows);

	*sum = *weight = 0;
	*low = INFINITY;
	*high = -INFINITY;
	for (size_t part = 0; part < crm_columns_parts(f->rows); part++)
	{
		uint32_t	count = crm_columns_part_rows(f->rows, part);
		double		part_sum = 0;
		double		part_weight = 0;

		crm_columns_read(f->rows, part, (uint32_t) (CRM_ROWS_FEATURES + feature), x);
		crm_columns_read(f->rows, part, CRM_ROWS_WEIGHT, w);
		for (uint32_t i = 0; i < count; i++)
		{
			double		d = x[i] - about;

			if (isnan(x[i]))
				continue;
			part_sum += w[i] * (squared ? d * d : d);
			part_weight += w[i];
			*low = x[i] < *low ? x[i] : *low;
			*high = x[i] > *high ? x[i] : *high;
		}
		*sum += part_sum;
		*weight += part_weight;
		crm_progress(f->env);
	}
}

static crm_status
standardise(fit *f, crm_logistic_result *result)
{
	for (size_t j = 0; j < f->p; j++)
	{
		double		sum;
		double		weight;
		double		low;
		double		high;
		double		mean;
		double		deviation;

		sum_column(f, j, 0, false, &sum, &weight, &low, &high);
		mean = weight > 0 ? sum / weight : 0;
		if (!isfinite(mean))
			return CRM_OUT_OF_RANGE;
		/* rounding may put the mean of equal numbers beside them */
		if (low == high)
			mean = low;
		result->means[j] = mean;
		result->constant[j] = f->options->intercept ? !(low < high) : !(low < 0 || high > 0);
		f->centre[j] = f->options->intercept ? mean : 0;
		sum_column(f, j, f->centre[j], true, &sum, &weight, &low, &high);
		deviation = weight > 0 ? sqrt(sum / weight) : 0;
		if (!isfinite(deviation))
			return CRM_OUT_OF_RANGE;
		result->constant[j] = result->constant[j] || !(deviation > 0) || !isfinite(1 / deviation);
		f->use[j + 1] = !result->constant[j];
		f->unit[j] = result->constant[j] ? 0 : 1 / deviation;
		f->filler[j] = (mean - f->centre[j]) * f->unit[j];
	}
	f->use[0] = f->options->intercept;
	return CRM_OK;
}

static void
count_labels(fit *f, crm_logistic_result *result)
{
	double	   *y = f->part;
	double	   *w = f->part + largest_part(f->rows);

	for (size_t part = 0; part < crm_columns_parts(f->rows); part++)
	{
		crm_columns_read(f->rows, part, CRM_ROWS_LABEL, y);
		crm_columns_read(f->rows, part, CRM_ROWS_WEIGHT, w);
		for (uint32_t i = 0; i < crm_columns_part_rows(f->rows, part); i++)
		{
			result->weight += w[i];
			result->positive_weight += y[i] * w[i];
			result->positives += y[i] > 0;
		}
	}
}

/* ---- a pass over the rows -------------------------------------------------------- */

/* out += factor * x, over a tile */
CRM_TARGET_CLONES static void
add_stretch(double *out, const double *x, double factor)
{
	for (int i = 0; i < TILE; i += 4)
		LANES(out + i) += CONST_LANES(x + i) * factor;
}

#define LANE_SUM(a, b) (((a)[0] + (b)[0]) + ((a)[1] + (b)[1]) + (((a)[2] + (b)[2]) + ((a)[3] + (b)[3])))

/* Adds to sums[k] the product of w * x with each of the first count stretches; out keeps w * x. */
CRM_TARGET_CLONES static void
add_row_products(double *sums, const double *stretches, size_t count, const double *x, const double *w, double *out)
{
	size_t		k = 0;

	for (int i = 0; i < TILE; i += 4)
		LANES(out + i) = CONST_LANES(x + i) * CONST_LANES(w + i);
	/* Four stretches, each with two sums, keep the processor's units busy. */
	for (; k + 4 <= count; k += 4)
	{
		const double *at = stretches + k * TILE;
		lanes		a0 = {0}, a1 = {0}, b0 = {0}, b1 = {0}, c0 = {0}, c1 = {0}, d0 = {0}, d1 = {0};

		for (int i = 0; i < TILE; i += 8)
		{
			const lanes first = CONST_LANES(out + i);
			const lanes second = CONST_LANES(out + i + 4);

			a0 += first * CONST_LANES(at + i);
			a1 += second * CONST_LANES(at + i + 4);
			b0 += first * CONST_LANES(at + TILE + i);
			b1 += second * CONST_LANES(at + TILE + i + 4);
			c0 += first * CONST_LANES(at + 2 * TILE + i);
			c1 += second * CONST_LANES(at + 2 * TILE + i + 4);
			d0 += first * CONST_LANES(at + 3 * TILE + i);
			d1 += second * CONST_LANES(at + 3 * TILE + i + 4);
		}
		sums[k] += LANE_SUM(a0, a1);
		sums[k + 1] += LANE_SUM(b0, b1);
		sums[k + 2] += LANE_SUM(c0, c1);
		sums[k + 3] += LANE_SUM(d0, d1);
	}
	for (; k < count; k++)
	{
		const double *at = stretches + k * TILE;
		lanes		a0 = {0}, a1 = {0};

		for (int i = 0; i < TILE; i += 8)
		{
			a0 += CONST_LANES(out + i) * CONST_LANES(at + i);
			a1 += CONST_LANES(out + i + 4) * CONST_LANES(at + i + 4);
		}
		sums[k] += LANE_SUM(a0, a1);
	}
}

/* (x - centre) * unit, and the filler where x is missing. */
CRM_TARGET_CLONES static void
standardise_stretch(double *out, const double *x, uint32_t count, double centre, double unit, double filler)
{
	for (uint32_t i = 0; i < count; i++)
		out[i] = x[i] == x[i] ? (x[i] - centre) * unit : filler;
}

/* One tile of count rows, the rest of it zeros with weight 0. */
static void
add_tile(fit *f, const double *y, const double *w, uint32_t count, const double *at, const double *direction)
{
	double		margin[TILE] = {0};
	double		step[TILE] = {0};
	double		residual[TILE] = {0};
	double		bend[TILE] = {0};
	double		product = 1;

	for (size_t j = 0; j < f->n; j++)
	{
		if (!f->use[j])
			continue;
		add_stretch(margin, f->tile + j * TILE, at[j]);
		if (direction != NULL)
			add_stretch(step, f->tile + j * TILE, direction[j]);
	}
	for (uint32_t i = 0; i < count; i++)
	{
		double		e = exp(-fabs(margin[i]));
		double		near = 1 / (1 + e);	/* probability of the likelier label */
		double		probability = margin[i] >= 0 ? near : e * near;
		double		side = y[i] > 0 ? margin[i] : -margin[i];

		/* Factors from 1 to 2: their product over a tile stays in range, and one logarithm serves for all. */
		f->log_likelihood += side >= 0 ? 0 : w[i] * side;
		if (w[i] == 1)
			product *= 1 + e;
		else
			f->log_likelihood -= w[i] * log1p(e);
		residual[i] = w[i] * (y[i] - probability);
		bend[i] = w[i] * (e * near * near);
		f->least_margin = side < f->least_margin ? side : f->least_margin;
		if (direction != NULL)
		{
			side = y[i] > 0 ? step[i] : -step[i];
			f->least_step = side < f->least_step ? side : f->least_step;
			f->largest_step = side > f->largest_step ? side : f->largest_step;
		}
	}
	f->log_likelihood -= log(product);
	/* The first stretch is ones: w * 1 with all stretches gives the gradient, and row 0 of the curvature. */
	add_row_products(f->gradient, f->tile, f->n, f->tile, residual, f->weighted);
	for (size_t j = 0; j < f->n; j++)
		if (f->use[j])
			add_row_products(f->curvature + j * f->n, f->tile, j + 1, f->tile + j * TILE, bend, f->weighted);
}

static void
pass(fit *f, const double *at, const double *direction)
{
	uint32_t	room = largest_part(f->rows);
	double	   *y = f->part;
	double	   *w = f->part + room;
	double	   *x = f->part + 2 * (size_t) room;

	f->log_likelihood = 0;
	f->least_margin = f->least_step = INFINITY;
	f->largest_step = -INFINITY;
	memset(f->gradient, 0, sizeof(double) * f->n);
	memset(f->curvature, 0, sizeof(double) * f->n * f->n);
	for (size_t part = 0; part < crm_columns_parts(f->rows); part++)
	{
		uint32_t	count = crm_columns_part_rows(f->rows, part);

		crm_columns_read(f->rows, part, CRM_ROWS_LABEL, y);
		crm_columns_read(f->rows, part, CRM_ROWS_WEIGHT, w);
		for (size_t j = 0; j < f->p; j++)
			if (f->use[j + 1])
				crm_columns_read(f->rows, part, (uint32_t) (CRM_ROWS_FEATURES + j), x + j * room);
		for (uint32_t from = 0; from < count; from += TILE)
		{
			uint32_t	rows = count - from < TILE ? count - from : TILE;

			for (size_t j = 0; j < f->p; j++)
			{
				double	   *stretch = f->tile + (j + 1) * TILE;

				if (!f->use[j + 1])
					continue;
				standardise_stretch(stretch, x + j * room + from, rows, f->centre[j], f->unit[j], f->filler[j]);
				memset(stretch + rows, 0, sizeof(double) * (TILE - rows));
			}
			add_tile(f, y + from, w + from, rows, at, direction);
		}
		crm_progress(f->env);
	}
	for (size_t j = 0; j < f->n; j++)
		for (size_t k = 0; k < j; k++)
			f->curvature[k * f->n + j] = f->curvature[j * f->n + k];
}

/* ---- Newton's method -------------------------------------------------------------- */

static double
objective(const fit *f, const double *b, double weight)
{
	double		value = -f->log_likelihood / weight;

	for (size_t j = 0; j < f->n; j++)
		value += f->l1[j] * fabs(b[j]) + f->l2[j] * b[j] * b[j] / 2;
	return value;
}

typedef struct steps
{
	double	   *b;
	double	   *before;
	double	   *next;
	double	   *direction;
	double	   *pull;
	double	   *factors;		/* n x n */
	double	   *work;
	bool	   *kept;
} steps;

static crm_status
allocate_steps(const fit *f, steps *s)
{
	size_t		size = sizeof(double) * f->n;

	CRM_TRY(allocate(f->env, (void **) &s->b, size));
	CRM_TRY(allocate(f->env, (void **) &s->before, size));
	CRM_TRY(allocate(f->env, (void **) &s->next, size));
	CRM_TRY(allocate(f->env, (void **) &s->direction, size));
	CRM_TRY(allocate(f->env, (void **) &s->pull, size));
	CRM_TRY(allocate(f->env, (void **) &s->work, size));
	CRM_TRY(allocate(f->env, (void **) &s->factors, size * f->n));
	return allocate(f->env, (void **) &s->kept, f->n);
}

/* The curvature a row, and its factors where there is no l1, which are left in s->factors. */
static void
factor_curvature(const fit *f, steps *s, double weight, double tolerance)
{
	for (size_t i = 0; i < f->n * f->n; i++)
		s->factors[i] = f->curvature[i] / weight;
	for (size_t j = 0; j < f->n; j++)
		s->factors[j * f->n + j] += f->l2[j];
	memcpy(s->kept, f->use, f->n);
	crm_factor(f->env, s->factors, f->n, tolerance, s->kept);
}

/* Where the quadratic function that fits here is least. */
static void
next_point(const fit *f, steps *s, double weight, bool l1)
{
	/* gradient + curvature * b, a row */
	for (size_t j = 0; j < f->n; j++)
	{
		s->pull[j] = f->gradient[j];
		for (size_t k = 0; k < f->n; k++)
			s->pull[j] += f->curvature[j * f->n + k] * s->b[k];
		s->pull[j] /= weight;
	}
	if (l1)
	{
		for (size_t i = 0; i < f->n * f->n; i++)
			s->factors[i] = f->curvature[i] / weight;
		memcpy(s->next, s->b, sizeof(double) * f->n);
		crm_descend(f->env, s->factors, s->pull, f->n, f->l1, f->l2, f->use, f->options->tolerance * 1e-3, 100000, s->next, s->work);
	}
	else
	{
		memcpy(s->next, s->pull, sizeof(double) * f->n);
		crm_solve_factored(s->factors, f->n, s->kept, s->next);
	}
}

/* Does the last step go on for ever?  For labels not separated, steps become small. */
static bool
goes_on(const fit *f)
{
	return f->largest_step > 0.5 && f->least_step >= -1e-3 * f->largest_step;
}

static crm_separation
separation_of(const fit *f, int iteration)
{
	if (f->penalised || f->n == 0)
		return CRM_SEPARATION_NONE;
	if (f->least_margin > 0)
		return CRM_SEPARATION_COMPLETE;
	if (iteration >= LAST_SEPARATION_CHECK && goes_on(f))
		return CRM_SEPARATION_QUASI;
	return CRM_SEPARATION_NONE;
}

static bool
maximise(fit *f, steps *s, crm_logistic_result *result)
{
	bool		l1 = f->options->l1 > 0;
	double		weight = result->weight;
	double		least = INFINITY;
	int			halvings = 0;

	memset(s->b, 0, sizeof(double) * f->n);
	memset(s->direction, 0, sizeof(double) * f->n);
	if (f->use[0])
		s->b[0] = log(result->positive_weight / (weight - result->positive_weight));
	result->converged = false;
	for (result->iterations = 0; result->iterations < f->options->max_iterations; result->iterations++)
	{
		double		value;
		double		largest = 0;

		crm_step(f->env, (uint64_t) result->iterations);
		pass(f, s->b, s->direction);
		value = objective(f, s->b, weight);
		if (result->iterations == 0 && !f->penalised)
		{
			/* All rows have the same curvature here: which features follow from others is a matter of the features alone. */
			factor_curvature(f, s, weight, COLLINEAR_SHARE);
			for (size_t j = 1; j < f->n; j++)
			{
				result->collinear[j - 1] = f->use[j] && !s->kept[j];
				f->use[j] = f->use[j] && s->kept[j];
			}
		}
		/* A step too far, or into infinity: go half way back. */
		if (!(value <= least + 1e-12 * fabs(least)) && halvings < 40)
		{
			for (size_t j = 0; j < f->n; j++)
			{
				s->b[j] = (s->b[j] + s->before[j]) / 2;
				s->direction[j] /= 2;
			}
			halvings++;
			continue;
		}
		halvings = 0;
		least = value;
		result->separation = separation_of(f, result->iterations);
		if (result->separation != CRM_SEPARATION_NONE)
			return false;
		if (!l1)
			factor_curvature(f, s, weight, 0);
		next_point(f, s, weight, l1);
		for (size_t j = 0; j < f->n; j++)
		{
			double		size = fabs(s->next[j] - s->b[j]) / (fabs(s->b[j]) > 1 ? fabs(s->b[j]) : 1);

			s->direction[j] = s->next[j] - s->b[j];
			s->before[j] = s->b[j];
			s->b[j] = s->next[j];
			largest = size > largest ? size : largest;
		}
		if (largest <= f->options->tolerance)
		{
			result->converged = true;
			result->iterations++;
			break;
		}
	}
	return true;
}

/* From coefficients of standardised features to those of the features. */
static void
unstandardise(fit *f, steps *s, crm_logistic_result *result)
{
	double		weight = result->weight;

	result->intercept = f->use[0] ? s->b[0] : 0;
	result->parameters = f->use[0];
	result->has_errors = !f->penalised && result->converged;
	for (size_t j = 0; j < f->p; j++)
	{
		result->coefficients[j] = f->use[j + 1] ? s->b[j + 1] * f->unit[j] : 0;
		result->intercept -= result->coefficients[j] * f->centre[j];
		result->parameters += f->use[j + 1];
		result->errors[j] = NAN;
	}
	if (!result->has_errors)
		return;
	factor_curvature(f, s, weight, 0);
	crm_inverse_diagonal(f->env, s->factors, f->n, s->kept, s->next, s->work);
	for (size_t j = 0; j < f->p; j++)
		if (f->use[j + 1])
			result->errors[j] = sqrt(s->next[j + 1] / weight) * f->unit[j];
	/* the intercept is b[0] - sum of coefficient * centre: its variance is that of this combination */
	s->pull[0] = 1;
	for (size_t j = 0; j < f->p; j++)
		s->pull[j + 1] = f->use[j + 1] ? -f->centre[j] * f->unit[j] : 0;
	memcpy(s->next, s->pull, sizeof(double) * f->n);
	crm_solve_factored(s->factors, f->n, s->kept, s->next);
	result->intercept_error = 0;
	for (size_t j = 0; j < f->n; j++)
		result->intercept_error += s->pull[j] * s->next[j];
	result->intercept_error = result->intercept_error > 0 ? sqrt(result->intercept_error / weight) : 0;
}

/* Penalties of each coefficient; none of the intercept. */
static void
set_penalties(fit *f, double l1, double l2, bool standardised)
{
	f->penalised = l1 > 0 || l2 > 0;
	for (size_t j = 0; j < f->p; j++)
	{
		double		scale = standardised ? 1 : f->unit[j];

		f->l1[j + 1] = l1 * scale;
		f->l2[j + 1] = l2 * scale * scale;
	}
}

crm_status
crm_logistic_fit(const crm_columns *rows, const crm_logistic_options *options, const crm_env *env, crm_logistic_result *result)
{
	size_t		p = rows->width - CRM_ROWS_FEATURES;
	fit			f = {.rows = rows, .options = options, .env = env, .p = p, .n = p + 1};
	steps		s;
	size_t		room = largest_part(rows);

	CRM_TRY(allocate(env, (void **) &f.centre, sizeof(double) * p));
	CRM_TRY(allocate(env, (void **) &f.unit, sizeof(double) * p));
	CRM_TRY(allocate(env, (void **) &f.filler, sizeof(double) * p));
	CRM_TRY(allocate(env, (void **) &f.use, f.n));
	CRM_TRY(allocate(env, (void **) &f.l1, sizeof(double) * f.n));
	CRM_TRY(allocate(env, (void **) &f.l2, sizeof(double) * f.n));
	CRM_TRY(allocate(env, (void **) &f.part, sizeof(double) * room * (p + 2)));
	CRM_TRY(allocate(env, (void **) &f.tile, sizeof(double) * TILE * f.n));
	CRM_TRY(allocate(env, (void **) &f.weighted, sizeof(double) * TILE));
	CRM_TRY(allocate(env, (void **) &f.gradient, sizeof(double) * f.n));
	CRM_TRY(allocate(env, (void **) &f.curvature, sizeof(double) * f.n * f.n));
	CRM_TRY(allocate_steps(&f, &s));
	for (int i = 0; i < TILE; i++)
		f.tile[i] = 1;
	memset(result->collinear, 0, p);
	result->weight = result->positive_weight = 0;
	result->positives = 0;
	result->separation = CRM_SEPARATION_NONE;
	result->l2 = options->l2;

	count_labels(&f, result);
	CRM_TRY(standardise(&f, result));
	set_penalties(&f, options->l1, options->l2, options->standardize);
	if (!maximise(&f, &s, result))
	{
		crm_separation found = result->separation;

		result->l2 = 1 / result->weight;
		set_penalties(&f, 0, result->l2, true);
		maximise(&f, &s, result);
		result->separation = found;
	}
	result->log_likelihood = f.log_likelihood;
	result->null_log_likelihood = f.use[0] ?
		result->positive_weight * log(result->positive_weight / result->weight) +
		(result->weight - result->positive_weight) * log(1 - result->positive_weight / result->weight) :
		-result->weight * 0.69314718055994530942;
	unstandardise(&f, &s, result);
	return CRM_OK;
}
