/*
 * purchase_value.c - the Gamma-Gamma model of what a purchase is worth.
 */
#include <math.h>
#include <stdlib.h>

#include "kernel/optimize.h"
#include "kernel/purchase.h"
#include "kernel/special.h"

#define TOLERANCE 1e-9
#define MAX_ITERATIONS 500
#define PROGRESS_GROUPS 4096
#define MAX_LOG 30.0

typedef struct work
{
	const crm_env *env;
	const crm_value_group *groups;
	size_t		count;
	double		customers;
} work;

static double
likelihood(const work *w, const double *parameter, double *gradient)
{
	double		p = parameter[0];
	double		q = parameter[1];
	double		gamma = parameter[2];
	double		sum = 0;
	double		frequency = -1;
	double		constant = 0;
	double		digamma_sum = 0;
	double		digamma_px = 0;
	double		digamma_q = crm_digamma(q);

	gradient[0] = gradient[1] = gradient[2] = 0;
	for (size_t k = 0; k < w->count; k++)
	{
		const crm_value_group *g = &w->groups[k];
		double		px = p * g->frequency;
		double		all = gamma + g->mean * g->frequency;
		double		log_all = log(all);
		double		log_mean = log(g->mean);
		double		log_frequency = log(g->frequency);

		if (k % PROGRESS_GROUPS == 0)
			crm_progress(w->env);
		if (g->frequency != frequency)
		{
			frequency = g->frequency;
			/* ln Gamma(px + q) - ln Gamma(px) - ln Gamma(q), as a beta function */
			constant = -crm_lbeta(px, q) + q * log(gamma);
			digamma_sum = crm_digamma(px + q);
			digamma_px = crm_digamma(px);
		}
		sum += g->count * (constant + (px - 1) * log_mean + px * log_frequency - (px + q) * log_all);
		gradient[0] += g->count * g->frequency * (digamma_sum - digamma_px + log_mean + log_frequency - log_all);
		gradient[1] += g->count * (digamma_sum - digamma_q + log(gamma) - log_all);
		gradient[2] += g->count * (q / gamma - (px + q) / all);
	}
	return sum;
}

static double
objective(void *arg, const double *x, double *gradient)
{
	const work *w = arg;
	double		p[3];
	double		value;

	for (int i = 0; i < 3; i++)
	{
		if (!(fabs(x[i]) < MAX_LOG))
			return NAN;
		p[i] = exp(x[i]);
	}
	value = likelihood(w, p, gradient);
	for (int i = 0; i < 3; i++)
		gradient[i] *= -p[i] / w->customers;
	return -value / w->customers;
}

static int
compare_groups(const void *a, const void *b)
{
	const crm_value_group *x = a;
	const crm_value_group *y = b;

	if (x->frequency != y->frequency)
		return x->frequency < y->frequency ? -1 : 1;
	return x->mean < y->mean ? -1 : x->mean > y->mean;
}

static crm_status
prepare(work *w, const crm_env *env, crm_value_group *groups, size_t count)
{
	*w = (work) {.env = env,.groups = groups,.count = count};
	for (size_t i = 0; i < count; i++)
	{
		if (!(groups[i].frequency >= 1) || !isfinite(groups[i].frequency) || !(groups[i].mean > 0) ||
			!isfinite(groups[i].mean) || !(groups[i].count > 0))
			return CRM_OUT_OF_RANGE;
		w->customers += groups[i].count;
	}
	qsort(groups, count, sizeof(crm_value_group), compare_groups);
	return CRM_OK;
}

crm_status
crm_value_likelihood(const crm_env *env, const double *parameter, crm_value_group *groups, size_t count,
					 double *log_likelihood)
{
	work		w;
	double		gradient[3];

	CRM_TRY(prepare(&w, env, groups, count));
	*log_likelihood = likelihood(&w, parameter, gradient);
	return CRM_OK;
}

crm_status
crm_value_fit(const crm_env *env, crm_value_group *groups, size_t count, crm_value_model *model)
{
	work		w;
	crm_minimum found;
	double		x[3];
	double		value = 0;

	CRM_TRY(prepare(&w, env, groups, count));
	if (count == 0)
		return CRM_OUT_OF_RANGE;
	for (size_t i = 0; i < count; i++)
		value += groups[i].count * groups[i].mean;
	/* p gamma / (q - 1) is the mean of all */
	x[0] = log(2);
	x[1] = log(3);
	x[2] = log(value / w.customers);
	crm_minimize(env, objective, &w, 3, x, TOLERANCE, MAX_ITERATIONS, &found);
	for (int i = 0; i < 3; i++)
		model->parameter[i] = exp(x[i]);
	model->log_likelihood = -found.value * w.customers;
	model->customers = w.customers;
	model->iterations = found.iterations;
	model->converged = found.converged;
	crm_parameter_uncertainty(env, objective, &w, 3, x, w.customers, model->covariance, &model->converged);
	return CRM_OK;
}

double
crm_value_expected(const double *p, double x, double mean)
{
	double		q = p[0] * x + p[1] - 1;

	if (x == 0)
		mean = 0;
	return q > 0 ? p[0] * (p[2] + x * mean) / q : INFINITY;
}
