/*
 * cox.c - the partial likelihood, its maximum, and what follows from it.
 *
 * Rows stand in descending order of time, so that those at risk at a time are
 * all rows before the end of its block.  Features are centred and scaled while
 * fitting.
 */
#include "kernel/cox.h"
#include "kernel/concordance.h"

#include <math.h>
#include <stdlib.h>

#define MAX_ITERATIONS 50
#define TOLERANCE 1e-11			/* of the log likelihood, relative */
#define MAX_HALVINGS 30
#define ALIASED 1e-9			/* share of a feature's own information that others leave it */
#define INFINITE 1e4				/* growth of a coefficient's variance on the way from 0: the likelihood goes flat, there is no top */
#define PROGRESS_ROWS 4096

typedef struct work
{
	const crm_env *env;
	const crm_cox_rows *rows;
	crm_cox_ties ties;
	uint32_t	p;
	const double *center;
	const double *scale;		/* 0: constant */
	double	   *x;				/* one row's features, centred and scaled */
	double	   *risk;			/* e^(x beta) of each row */
	/* sums over those at risk, and over those with an event at one time */
	double	   *s1;
	double	   *s2;
	double	   *d1;
	double	   *d2;
	double	   *score;
	double	   *information;
} work;

static inline const double *
row_at(const crm_cox_rows *rows, size_t i)
{
	return rows->rows + i * (rows->features + 2);
}

static inline double
time_at(const work *w, size_t i)
{
	return row_at(w->rows, i)[0];
}

static inline bool
event_at(const work *w, size_t i)
{
	return row_at(w->rows, i)[1] != 0;
}

static inline void
load(const work *w, size_t i)
{
	const double *row = row_at(w->rows, i) + 2;

	for (uint32_t j = 0; j < w->p; j++)
		w->x[j] = w->scale[j] > 0 ? (row[j] - w->center[j]) / w->scale[j] : 0;
}

static double
margin(const work *w, const double *beta)
{
	double		sum = 0;

	for (uint32_t j = 0; j < w->p; j++)
		sum += beta[j] * w->x[j];
	return sum;
}

/* The log likelihood; score and information too. */
static double
likelihood(const work *w, const double *beta)
{
	uint32_t	p = w->p;
	double		value = 0;
	double		s0 = 0;

	memset(w->s1, 0, sizeof(double) * p);
	memset(w->s2, 0, sizeof(double) * p * p);
	memset(w->score, 0, sizeof(double) * p);
	memset(w->information, 0, sizeof(double) * p * p);
	for (size_t i = 0; i < w->rows->count;)
	{
		double		time = time_at(w, i);
		double		d0 = 0;
		double		events = 0;

		memset(w->d1, 0, sizeof(double) * p);
		memset(w->d2, 0, sizeof(double) * p * p);
		for (; i < w->rows->count && time_at(w, i) == time; i++)
		{
			double		eta;
			double		risk;
			bool		event = event_at(w, i);

			if (i % PROGRESS_ROWS == 0)
				crm_progress(w->env);
			load(w, i);
			eta = margin(w, beta);
			risk = exp(eta);
			s0 += risk;
			for (uint32_t j = 0; j < p; j++)
			{
				double		part = risk * w->x[j];

				w->s1[j] += part;
				for (uint32_t k = 0; k <= j; k++)
					w->s2[(size_t) j * p + k] += part * w->x[k];
				if (!event)
					continue;
				w->score[j] += w->x[j];
				w->d1[j] += part;
				for (uint32_t k = 0; k <= j; k++)
					w->d2[(size_t) j * p + k] += part * w->x[k];
			}
			if (event)
			{
				value += eta;
				d0 += risk;
				events++;
			}
		}
		for (double e = 0; e < events; e++)
		{
			double		share = w->ties == CRM_COX_EFRON ? e / events : 0;
			double		denominator = s0 - share * d0;

			value -= log(denominator);
			for (uint32_t j = 0; j < p; j++)
			{
				double		mean = (w->s1[j] - share * w->d1[j]) / denominator;

				w->score[j] -= mean;
				for (uint32_t k = 0; k <= j; k++)
					w->information[(size_t) j * p + k] += (w->s2[(size_t) j * p + k] - share * w->d2[(size_t) j * p + k]) / denominator -
						mean * (w->s1[k] - share * w->d1[k]) / denominator;
			}
			if (p > 0 && (size_t) e % PROGRESS_ROWS == 0)
				crm_progress(w->env);
		}
	}
	return value;
}

/*
 * The inverse of a symmetric matrix (lower half given), 0 in rows and columns of
 * features that follow from those before them.
 */
static void
invert(double *matrix, uint32_t p, bool *aliased)
{
	/* Gauss and Jordan's sweeps, which leave the generalized inverse on the swept features (Goodnight 1979) */
	for (uint32_t j = 0; j < p; j++)
		for (uint32_t k = 0; k < j; k++)
			matrix[(size_t) k * p + j] = matrix[(size_t) j * p + k];
	for (uint32_t j = 0; j < p; j++)
	{
		double		pivot = matrix[(size_t) j * p + j];

		if (aliased[j])
			continue;
		for (uint32_t k = 0; k < p; k++)
			matrix[(size_t) j * p + k] /= pivot;
		for (uint32_t i = 0; i < p; i++)
		{
			double		factor = matrix[(size_t) i * p + j];

			if (i == j || aliased[i])
				continue;
			for (uint32_t k = 0; k < p; k++)
				matrix[(size_t) i * p + k] -= factor * matrix[(size_t) j * p + k];
			matrix[(size_t) i * p + j] = -factor / pivot;
		}
		matrix[(size_t) j * p + j] = 1 / pivot;
	}
	for (uint32_t i = 0; i < p; i++)
		for (uint32_t j = 0; j < p; j++)
			if (aliased[i] || aliased[j])
				matrix[(size_t) i * p + j] = 0;
}

/* Which features follow from those before them?  By what is left of their information. */
static void
find_aliased(const double *information, uint32_t p, double *copy, bool *aliased)
{
	memcpy(copy, information, sizeof(double) * p * p);
	for (uint32_t j = 0; j < p; j++)
	{
		double		own = information[(size_t) j * p + j];
		double		pivot = copy[(size_t) j * p + j];

		aliased[j] = !(own > 0) || !(pivot > ALIASED * own);
		if (aliased[j])
			continue;
		for (uint32_t i = j + 1; i < p; i++)
		{
			double		factor = copy[(size_t) i * p + j] / pivot;

			for (uint32_t k = j + 1; k <= i; k++)
				copy[(size_t) i * p + k] -= factor * copy[(size_t) k * p + j];
		}
	}
}

/* ---- order ---------------------------------------------------------------- */

static int
compare_numbers(const double *a, const double *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

/* Heap sort: rows are wide and of a width that qsort's comparison cannot know. */
static void
swap_rows(double *a, double *b, uint32_t width)
{
	for (uint32_t i = 0; i < width; i++)
	{
		double		kept = a[i];

		a[i] = b[i];
		b[i] = kept;
	}
}

static void
sift_down(double *rows, size_t width, size_t from, size_t count)
{
	for (size_t parent = from;;)
	{
		size_t		child = 2 * parent + 1;

		if (child >= count)
			return;
		/* smallest on top: descending in the end */
		if (child + 1 < count && compare_numbers(rows + (child + 1) * width, rows + child * width, (uint32_t) width) < 0)
			child++;
		if (compare_numbers(rows + child * width, rows + parent * width, (uint32_t) width) >= 0)
			return;
		swap_rows(rows + child * width, rows + parent * width, (uint32_t) width);
		parent = child;
	}
}

static void
sort_descending(const crm_env *env, crm_cox_rows *rows)
{
	size_t		width = rows->features + 2;

	for (size_t i = rows->count / 2; i-- > 0;)
	{
		if (i % PROGRESS_ROWS == 0)
			crm_progress(env);
		sift_down(rows->rows, width, i, rows->count);
	}
	for (size_t end = rows->count; end-- > 1;)
	{
		if (end % PROGRESS_ROWS == 0)
			crm_progress(env);
		swap_rows(rows->rows, rows->rows + end * width, (uint32_t) width);
		sift_down(rows->rows, width, 0, end);
	}
}

/* ---- what follows from the coefficients ------------------------------------- */

/*
 * Cumulative hazard at the means, and the robust covariance: the sum of squares
 * of each row's influence on the coefficients.  From the last time to the first
 * for what is at risk, then from the first to the last for what has been suffered.
 */
static crm_status
influences(work *w, const double *beta, const double *inverse, crm_cox_fit *fit, double *robust)
{
	const crm_env *env = w->env;
	size_t		n = w->rows->count;
	uint32_t	p = w->p;
	size_t		blocks = 0;
	size_t	   *ends;
	double	   *hazard;			/* of each block: all of it, and of one who has the event then */
	double	   *own_hazard;
	double	   *mean;			/* hazard times mean of features at risk, likewise */
	double	   *own_mean;
	double	   *observed_mean;	/* mean of features at risk, over the block's events */
	double	   *cumulated;
	double	   *residual;
	double		s0 = 0;
	double		total = 0;
	size_t		block;

	for (size_t i = 0; i < n; i++)
		blocks += i == 0 || time_at(w, i) != time_at(w, i - 1);
	ends = env->alloc(env->arg, sizeof(size_t) * (blocks + 1));
	hazard = env->alloc(env->arg, sizeof(double) * (blocks + 1));
	own_hazard = env->alloc(env->arg, sizeof(double) * (blocks + 1));
	mean = env->alloc(env->arg, sizeof(double) * (blocks * p + 1));
	own_mean = env->alloc(env->arg, sizeof(double) * (blocks * p + 1));
	observed_mean = env->alloc(env->arg, sizeof(double) * (blocks * p + 1));
	cumulated = env->alloc(env->arg, sizeof(double) * (p + 1));
	residual = env->alloc(env->arg, sizeof(double) * (p + 1));
	fit->times = env->alloc(env->arg, sizeof(double) * (blocks + 1));
	fit->hazards = env->alloc(env->arg, sizeof(double) * (blocks + 1));
	if (ends == NULL || hazard == NULL || own_hazard == NULL || mean == NULL || own_mean == NULL || observed_mean == NULL ||
		cumulated == NULL || residual == NULL || fit->times == NULL || fit->hazards == NULL)
		return CRM_NO_MEMORY;

	memset(w->s1, 0, sizeof(double) * p);
	block = 0;
	for (size_t i = 0; i < n; block++)
	{
		double		time = time_at(w, i);
		double		d0 = 0;
		double		events = 0;

		memset(w->d1, 0, sizeof(double) * p);
		for (; i < n && time_at(w, i) == time; i++)
		{
			if (i % PROGRESS_ROWS == 0)
				crm_progress(env);
			load(w, i);
			w->risk[i] = exp(margin(w, beta));
			s0 += w->risk[i];
			for (uint32_t j = 0; j < p; j++)
				w->s1[j] += w->risk[i] * w->x[j];
			if (!event_at(w, i))
				continue;
			events++;
			d0 += w->risk[i];
			for (uint32_t j = 0; j < p; j++)
				w->d1[j] += w->risk[i] * w->x[j];
		}
		ends[block] = i;
		hazard[block] = own_hazard[block] = 0;
		for (uint32_t j = 0; j < p; j++)
			mean[block * p + j] = own_mean[block * p + j] = observed_mean[block * p + j] = 0;
		for (double e = 0; e < events; e++)
		{
			double		share = w->ties == CRM_COX_EFRON ? e / events : 0;
			double		step = 1 / (s0 - share * d0);

			hazard[block] += step;
			own_hazard[block] += (1 - share) * step;
			for (uint32_t j = 0; j < p; j++)
			{
				double		at_risk = (w->s1[j] - share * w->d1[j]) * step;

				mean[block * p + j] += step * at_risk;
				own_mean[block * p + j] += (1 - share) * step * at_risk;
				observed_mean[block * p + j] += at_risk / events;
			}
		}
	}

	memset(cumulated, 0, sizeof(double) * p);
	memset(robust, 0, sizeof(double) * p);
	fit->time_count = 0;
	for (size_t b = blocks; b-- > 0;)
	{
		for (size_t i = b == 0 ? 0 : ends[b - 1]; i < ends[b]; i++)
		{
			bool		event = event_at(w, i);
			double		suffered = total + (event ? own_hazard[b] : hazard[b]);

			if (i % PROGRESS_ROWS == 0)
				crm_progress(env);
			load(w, i);
			for (uint32_t j = 0; j < p; j++)
			{
				double		expected = cumulated[j] + (event ? own_mean : mean)[b * p + j];

				residual[j] = (event ? w->x[j] - observed_mean[b * p + j] : 0) - w->risk[i] * (w->x[j] * suffered - expected);
			}
			for (uint32_t j = 0; j < p; j++)
			{
				double		influence = 0;

				for (uint32_t k = 0; k < p; k++)
					influence += inverse[(size_t) j * p + k] * residual[k];
				robust[j] += influence * influence;
			}
		}
		total += hazard[b];
		for (uint32_t j = 0; j < p; j++)
			cumulated[j] += mean[b * p + j];
		if (hazard[b] > 0)
		{
			fit->times[fit->time_count] = time_at(w, ends[b] - 1);
			fit->hazards[fit->time_count++] = total;
		}
	}
	return CRM_OK;
}

static crm_status
concord(const work *w, double *concordance)
{
	const crm_env *env = w->env;
	size_t		n = w->rows->count;
	crm_survivor *rows = env->alloc(env->arg, sizeof(crm_survivor) * (n + 1));
	crm_concordance result;

	if (rows == NULL)
		return CRM_NO_MEMORY;
	for (size_t i = 0; i < n; i++)
		rows[i] = (crm_survivor) {.time = time_at(w, i),.score = w->risk[i],.event = event_at(w, i)};
	CRM_TRY(crm_concordance_of(env, rows, n, false, &result));
	env->release(env->arg, rows);
	*concordance = result.value;
	return CRM_OK;
}

/* ---- the whole ----------------------------------------------------------------- */

/* Means and standard deviations, in two passes. */
static void
describe(const work *w, double *center, double *scale)
{
	size_t		n = w->rows->count;

	memset(center, 0, sizeof(double) * w->p);
	memset(scale, 0, sizeof(double) * w->p);
	for (size_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < w->p; j++)
			center[j] += row_at(w->rows, i)[2 + j] / (double) n;
	for (size_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < w->p; j++)
		{
			double		off = row_at(w->rows, i)[2 + j] - center[j];

			scale[j] += off * off / (double) n;
		}
	for (uint32_t j = 0; j < w->p; j++)
	{
		scale[j] = sqrt(scale[j]);
		/* what is left of a constant is rounding */
		if (!(scale[j] > 1e-14 * fabs(center[j])))
			scale[j] = 0;
	}
}

static void *
room(const crm_env *env, size_t numbers, bool *missing)
{
	void	   *memory = env->alloc(env->arg, sizeof(double) * (numbers + 1));

	*missing = *missing || memory == NULL;
	return memory;
}

/* Newton's steps from 0; beta, the inverse information and its first diagonal are of scaled features. */
static void
maximize(work *w, double *beta, double *next, double *inverse, double *first_variance, crm_cox_fit *fit)
{
	uint32_t	p = w->p;
	double		value;
	int			settled = 0;	/* steps since the likelihood stands: one more doubles the digits */

	memset(beta, 0, sizeof(double) * p);
	value = fit->null_log_likelihood = likelihood(w, beta);
	find_aliased(w->information, p, inverse, fit->aliased);
	for (fit->iterations = 0; fit->iterations < MAX_ITERATIONS; fit->iterations++)
	{
		double		step = 1;
		double		moved = NAN;

		crm_step(w->env, (uint64_t) fit->iterations);
		memcpy(inverse, w->information, sizeof(double) * p * p);
		invert(inverse, p, fit->aliased);
		for (uint32_t j = 0; fit->iterations == 0 && j < p; j++)
			first_variance[j] = inverse[(size_t) j * p + j];
		for (uint32_t j = 0; j < p; j++)
		{
			next[p + j] = 0;
			for (uint32_t k = 0; k < p; k++)
				next[p + j] += inverse[(size_t) j * p + k] * w->score[k];
		}
		for (int halving = 0; halving < MAX_HALVINGS; halving++, step /= 2)
		{
			for (uint32_t j = 0; j < p; j++)
				next[j] = beta[j] + step * next[p + j];
			moved = likelihood(w, next);
			if (moved >= value - TOLERANCE * fabs(value))
				break;
		}
		if (!(moved >= value - TOLERANCE * fabs(value)))
			break;
		fit->converged = fabs(moved - value) <= TOLERANCE * fabs(value);
		memcpy(beta, next, sizeof(double) * p);
		value = moved;
		if (fit->converged && ++settled == 2)
			break;
	}
	fit->log_likelihood = value;
	(void) likelihood(w, beta);
	memcpy(inverse, w->information, sizeof(double) * p * p);
	invert(inverse, p, fit->aliased);
}

crm_status
crm_cox_train(const crm_env *env, crm_cox_rows *rows, crm_cox_ties ties, crm_cox_fit *fit)
{
	uint32_t	p = rows->features;
	work		w = {.env = env,.rows = rows,.ties = ties,.p = p};
	bool		missing = false;
	double	   *center = room(env, p, &missing);
	double	   *scale = room(env, p, &missing);
	double	   *beta = room(env, p, &missing);
	double	   *next = room(env, 2 * (size_t) p, &missing);
	double	   *inverse = room(env, (size_t) p * p, &missing);
	double	   *robust = room(env, p, &missing);
	double	   *first_variance = room(env, p, &missing);

	w.x = room(env, p, &missing);
	w.risk = room(env, rows->count, &missing);
	w.s1 = room(env, p, &missing);
	w.s2 = room(env, (size_t) p * p, &missing);
	w.d1 = room(env, p, &missing);
	w.d2 = room(env, (size_t) p * p, &missing);
	w.score = room(env, p, &missing);
	w.information = room(env, (size_t) p * p, &missing);
	*fit = (crm_cox_fit) {.means = center};
	fit->coefficients = room(env, p, &missing);
	fit->standard_errors = room(env, p, &missing);
	fit->robust_errors = room(env, p, &missing);
	fit->aliased = room(env, p, &missing);
	fit->infinite = room(env, p, &missing);
	if (missing)
		return CRM_NO_MEMORY;
	for (size_t i = 0; i < rows->count; i++)
		fit->events += row_at(rows, i)[1] != 0;
	if (fit->events == 0)
		return CRM_OUT_OF_RANGE;

	sort_descending(env, rows);
	w.center = center;
	w.scale = scale;
	describe(&w, center, scale);
	maximize(&w, beta, next, inverse, first_variance, fit);
	CRM_TRY(influences(&w, beta, inverse, fit, robust));
	CRM_TRY(concord(&w, &fit->concordance));
	for (uint32_t j = 0; j < p; j++)
	{
		double		variance = inverse[(size_t) j * p + j];

		fit->infinite[j] = !fit->aliased[j] && !(variance < INFINITE * first_variance[j]);
		fit->converged = fit->converged && !fit->infinite[j];
		fit->coefficients[j] = fit->aliased[j] ? 0 : beta[j] / scale[j];
		fit->standard_errors[j] = fit->aliased[j] || !(variance >= 0) ? NAN : sqrt(variance) / scale[j];
		fit->robust_errors[j] = fit->aliased[j] ? NAN : sqrt(robust[j]) / scale[j];
	}
	return CRM_OK;
}
