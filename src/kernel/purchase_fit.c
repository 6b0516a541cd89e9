/*
 * purchase_fit.c - likelihoods of the models of repeat purchases, with their
 * gradients, and their maximum.
 *
 * What depends on the number of purchases alone (the gamma functions), or on it and
 * the time of the last one, is computed once for each: groups are sorted by them.
 */
#include <math.h>
#include <stdlib.h>

#include "kernel/optimize.h"
#include "kernel/purchase_private.h"
#include "kernel/special.h"

#define TOLERANCE 1e-9			/* of the mean log likelihood's slope */
#define MAX_ITERATIONS 500
#define PROGRESS_GROUPS 4096
/* Parameters beyond e^+-18 differ from no parameter by nothing that data could tell. */
#define MAX_LOG 18.0

typedef struct work
{
	const crm_env *env;
	crm_purchase_kind kind;
	const crm_purchase_group *groups;
	size_t		count;
	double		customers;
} work;

bool
crm_purchase_valid(double frequency, double recency, double age)
{
	return isfinite(frequency) && isfinite(recency) && isfinite(age) && frequency >= 0 && frequency == floor(frequency) &&
		recency >= 0 && age >= recency && (frequency > 0 || recency == 0);
}

/* ---- one group -------------------------------------------------------------------- */

/* What a number of purchases gives to the likelihood, whatever their times. */
typedef struct by_frequency
{
	double		constant;
	double		gradient[CRM_PURCHASE_PARAMETERS];
} by_frequency;

static void
of_frequency(crm_purchase_kind kind, const double *p, double x, by_frequency *f)
{
	double		r = p[0];

	f->constant = (x > 0 ? crm_lgamma(r + x) - crm_lgamma(r) : 0) + r * log(p[1]);
	f->gradient[0] = crm_digamma(r + x) - crm_digamma(r) + log(p[1]);
	f->gradient[1] = r / p[1];
	if (kind == CRM_PARETO_NBD)
	{
		f->constant += p[2] * log(p[3]);
		f->gradient[2] = log(p[3]);
		f->gradient[3] = p[2] / p[3];
	}
	else
	{
		double		a = p[2];
		double		b = p[3];
		double		survived = kind == CRM_MBG_NBD ? x + 1 : x; /* chances to be lost that were not taken */

		f->constant += crm_lbeta(a, b + survived) - crm_lbeta(a, b);
		f->gradient[2] = crm_digamma(a + b) - crm_digamma(a + b + survived);
		f->gradient[3] = f->gradient[2] + crm_digamma(b + survived) - crm_digamma(b);
	}
}

/* ln(e^a + e^b), and the shares of both. */
static double
log_sum(double a, double b, double *share_a, double *share_b)
{
	double		max = a >= b ? a : b;
	double		less = exp((a >= b ? b : a) - max);
	double		sum = 1 + less;

	*share_a = (a >= b ? 1 : less) / sum;
	*share_b = (a >= b ? less : 1) / sum;
	return max + log(sum);
}

/* The same of a last purchase, whatever the age. */
typedef struct by_recency
{
	double		left;			/* chances to be lost that were not taken, and b */
	double		log_recency;
	double		lost;			/* logarithm of what being lost at the last purchase gives; -infinity where nobody can be */
} by_recency;

static void
of_recency(crm_purchase_kind kind, const double *p, const crm_purchase_group *g, by_recency *r)
{
	r->left = p[3] + g->frequency - (kind == CRM_BG_NBD ? 1 : 0);
	r->log_recency = log(p[1] + g->recency);
	r->lost = -INFINITY;
	if (kind == CRM_MBG_NBD || g->frequency > 0)
		r->lost = log(p[2] / r->left) - (p[0] + g->frequency) * r->log_recency;
}

/* Alive at the end, or lost at the last purchase. */
static double
of_times_beta(const double *p, const crm_purchase_group *g, const by_recency *r, double *gradient)
{
	double		n = p[0] + g->frequency;
	double		log_age = log(p[1] + g->age);
	double		alive;
	double		lost;
	double		value = log_sum(-n * log_age, r->lost, &alive, &lost);

	gradient[0] = -(alive * log_age + lost * r->log_recency);
	gradient[1] = -n * (alive / (p[1] + g->age) + lost / (p[1] + g->recency));
	gradient[2] = lost / p[2];
	gradient[3] = isfinite(r->lost) ? -lost / r->left : 0;
	return value;
}

/* Alive at the end, or lost at some time since the last purchase. */
static double
of_times_pareto(const double *p, const crm_purchase_group *g, double *gradient)
{
	double		n = p[0] + g->frequency;
	double		log_alpha = log(p[1] + g->age);
	double		log_beta = log(p[3] + g->age);
	crm_pareto_integral since;
	double		alive;
	double		lost;
	double		value;

	crm_pareto_integrate(p, g->frequency, g->recency, g->age, &since);
	value = log_sum(-n * log_alpha - p[2] * log_beta, since.log_value, &alive, &lost);
	gradient[0] = -(alive * log_alpha + lost * since.log_alpha);
	gradient[1] = -n * (alive / (p[1] + g->age) + lost * since.per_alpha);
	gradient[2] = -alive * log_beta + lost * (1 / p[2] - since.log_beta);
	gradient[3] = -(alive * p[2] / (p[3] + g->age) + lost * (p[2] + 1) * since.per_beta);
	return value;
}

/* The log likelihood of all, and its gradient. */
static double
likelihood(const work *w, const double *p, double *gradient)
{
	double		sum = 0;
	double		frequency = -1;
	double		recency = -1;
	by_frequency f = {0};
	by_recency	r = {0};

	for (int i = 0; i < CRM_PURCHASE_PARAMETERS; i++)
		gradient[i] = 0;
	for (size_t k = 0; k < w->count; k++)
	{
		const crm_purchase_group *g = &w->groups[k];
		double		own[CRM_PURCHASE_PARAMETERS];

		if (k % PROGRESS_GROUPS == 0)
			crm_progress(w->env);
		if (w->kind != CRM_PARETO_NBD && (g->frequency != frequency || g->recency != recency))
		{
			recency = g->recency;
			of_recency(w->kind, p, g, &r);
		}
		if (g->frequency != frequency)
		{
			frequency = g->frequency;
			of_frequency(w->kind, p, frequency, &f);
		}
		sum += g->count * (f.constant + (w->kind == CRM_PARETO_NBD ? of_times_pareto(p, g, own) : of_times_beta(p, g, &r, own)));
		for (int i = 0; i < CRM_PURCHASE_PARAMETERS; i++)
			gradient[i] += g->count * (f.gradient[i] + own[i]);
	}
	return sum;
}

/* What is minimized: the mean over customers, as a function of the parameters' logarithms. */
static double
objective(void *arg, const double *x, double *gradient)
{
	const work *w = arg;
	double		p[CRM_PURCHASE_PARAMETERS];
	double		value;

	for (int i = 0; i < CRM_PURCHASE_PARAMETERS; i++)
	{
		if (!(fabs(x[i]) < MAX_LOG))
			return NAN;
		p[i] = exp(x[i]);
	}
	value = likelihood(w, p, gradient);
	for (int i = 0; i < CRM_PURCHASE_PARAMETERS; i++)
		gradient[i] *= -p[i] / w->customers;
	return -value / w->customers;
}

/* ---- the whole ----------------------------------------------------------------------- */

static int
compare_groups(const void *a, const void *b)
{
	const crm_purchase_group *x = a;
	const crm_purchase_group *y = b;

	if (x->frequency != y->frequency)
		return x->frequency < y->frequency ? -1 : 1;
	if (x->recency != y->recency)
		return x->recency < y->recency ? -1 : 1;
	return x->age < y->age ? -1 : x->age > y->age;
}

static crm_status
prepare(work *w, const crm_env *env, crm_purchase_kind kind, crm_purchase_group *groups, size_t count)
{
	bool		ordered = true;

	*w = (work) {.env = env,.kind = kind,.groups = groups,.count = count};
	for (size_t i = 0; i < count; i++)
	{
		if (!crm_purchase_valid(groups[i].frequency, groups[i].recency, groups[i].age) || !(groups[i].count > 0))
			return CRM_OUT_OF_RANGE;
		w->customers += groups[i].count;
		ordered = ordered && (i == 0 || compare_groups(&groups[i - 1], &groups[i]) <= 0);
	}
	/* in one order, so that sums do not depend on that in which groups were met */
	if (!ordered)
		qsort(groups, count, sizeof(crm_purchase_group), compare_groups);
	return CRM_OK;
}

crm_status
crm_purchase_likelihood(const crm_env *env, crm_purchase_kind kind, const double *parameter,
						crm_purchase_group *groups, size_t count, double *log_likelihood)
{
	work		w;
	double		gradient[CRM_PURCHASE_PARAMETERS];

	CRM_TRY(prepare(&w, env, kind, groups, count));
	*log_likelihood = likelihood(&w, parameter, gradient);
	return CRM_OK;
}

crm_status
crm_purchase_fit(const crm_env *env, crm_purchase_kind kind, crm_purchase_group *groups, size_t count,
				 crm_purchase_model *model)
{
	work		w;
	crm_minimum best = {.value = INFINITY};
	double		at[CRM_PURCHASE_PARAMETERS] = {0};
	double		purchases = 0;
	double		time = 0;

	CRM_TRY(prepare(&w, env, kind, groups, count));
	for (size_t i = 0; i < count; i++)
	{
		purchases += groups[i].count * groups[i].frequency;
		time += groups[i].count * groups[i].age;
	}
	if (!(purchases > 0) || !(time > 0))
		return CRM_OUT_OF_RANGE;

	/* alike or unlike customers, easily or hardly lost: the surface has one top as a rule, but long ridges */
	for (int start = 0; start < 2; start++)
	{
		double		shape = start == 0 ? 0.5 : 2;
		double		x[CRM_PURCHASE_PARAMETERS];
		crm_minimum found;

		x[0] = log(shape);
		x[1] = log(shape * time / purchases);
		x[2] = log(shape);
		x[3] = kind == CRM_PARETO_NBD ? log(shape * time / w.customers) : log(4 * shape);
		crm_minimize(env, objective, &w, CRM_PURCHASE_PARAMETERS, x, TOLERANCE, MAX_ITERATIONS, &found);
		if (start == 0 || (isfinite(found.value) && found.value < best.value - 1e-12 * fabs(best.value)) ||
			(found.converged && !best.converged && found.value <= best.value + 1e-9 * fabs(best.value)))
		{
			best = found;
			memcpy(at, x, sizeof(at));
		}
		if (best.converged)
			break;
	}
	model->kind = kind;
	for (int i = 0; i < CRM_PURCHASE_PARAMETERS; i++)
		model->parameter[i] = exp(at[i]);
	model->log_likelihood = -best.value * w.customers;
	model->customers = w.customers;
	model->iterations = best.iterations;
	model->converged = best.converged;
	crm_parameter_uncertainty(env, objective, &w, CRM_PURCHASE_PARAMETERS, at, w.customers, model->covariance, &model->converged);
	return CRM_OK;
}
