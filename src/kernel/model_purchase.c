/*
 * model_purchase.c - models of repeat purchases and of their value as fields.
 */
#include "kernel/model_purchase.h"

#include <math.h>

/* Behind the parameters. */
#define REST \
	{"covariance", CRM_FIELD_NUMBERS, CRM_FIELD_OPTIONAL | CRM_FIELD_BULK}, \
	{"log_likelihood", CRM_FIELD_NUMBER}, \
	{"customers", CRM_FIELD_NUMBER}, \
	{"iterations", CRM_FIELD_INTEGER}, \
	{"converged", CRM_FIELD_BOOLEAN}, \
	{"rounding", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL}, \
	{NULL}

enum
{
	COVARIANCE,					/* counted from the number of parameters on */
	LOG_LIKELIHOOD,
	CUSTOMERS,
	ITERATIONS,
	CONVERGED,
	ROUNDING
};

static const crm_model_field beta_fields[] = {
	{"r", CRM_FIELD_NUMBER}, {"alpha", CRM_FIELD_NUMBER}, {"a", CRM_FIELD_NUMBER}, {"b", CRM_FIELD_NUMBER}, REST
};
static const crm_model_field pareto_fields[] = {
	{"r", CRM_FIELD_NUMBER}, {"alpha", CRM_FIELD_NUMBER}, {"s", CRM_FIELD_NUMBER}, {"beta", CRM_FIELD_NUMBER}, REST
};
static const crm_model_field value_fields[] = {
	{"p", CRM_FIELD_NUMBER}, {"q", CRM_FIELD_NUMBER}, {"gamma", CRM_FIELD_NUMBER}, REST
};
static const crm_model_field error_fields[] = {
	{"standard_errors", CRM_FIELD_NUMBERS, CRM_FIELD_OPTIONAL},
	{NULL}
};

static const char *
check(const crm_model *m, int parameters)
{
	const crm_model_value *covariance = crm_model_get(m, parameters + COVARIANCE);

	if (m->features != 0)
		return "A model of purchases has no features.";
	for (int i = 0; i < parameters; i++)
		if (!(crm_model_get(m, i)->number > 0))
			return "The parameters of a model of purchases are above 0.";
	if (covariance->present && covariance->count != parameters * parameters)
		return "\"covariance\" has a row and a column for each parameter.";
	for (int i = 0; covariance->present && i < parameters; i++)
		if (covariance->numbers[i * (parameters + 1)] < 0)
			return "A variance is negative.";
	if (!(crm_model_get(m, parameters + CUSTOMERS)->number >= 0) || crm_model_get(m, parameters + ITERATIONS)->integer < 0 ||
		(crm_model_get(m, parameters + ROUNDING)->present && !(crm_model_get(m, parameters + ROUNDING)->number >= 0)))
		return "A count is negative.";
	return NULL;
}

static const char *
check_purchases(const crm_model *m)
{
	return check(m, CRM_PURCHASE_PARAMETERS);
}

static const char *
check_values(const crm_model *m)
{
	return check(m, 3);
}

/* Standard errors of the parameters from those of their logarithms. */
static crm_status
derive(const crm_model *m, int parameters, const crm_env *env, crm_model_value *derived)
{
	const crm_model_value *covariance = crm_model_get(m, parameters + COVARIANCE);
	double	   *errors;

	if (!covariance->present)
		return CRM_OK;
	errors = env->alloc(env->arg, sizeof(double) * parameters);
	if (errors == NULL)
		return CRM_NO_MEMORY;
	for (int i = 0; i < parameters; i++)
		errors[i] = crm_model_get(m, i)->number * sqrt(covariance->numbers[i * (parameters + 1)]);
	derived[0].present = true;
	derived[0].numbers = errors;
	derived[0].count = parameters;
	return CRM_OK;
}

static crm_status
derive_purchases(const crm_model *m, const crm_env *env, crm_model_value *derived)
{
	return derive(m, CRM_PURCHASE_PARAMETERS, env, derived);
}

static crm_status
derive_values(const crm_model *m, const crm_env *env, crm_model_value *derived)
{
	return derive(m, 3, env, derived);
}

const crm_model_kind crm_model_bg_nbd = {
	.number = 30,.name = "bg_nbd",.fields = beta_fields,.check = check_purchases,
	.derived_fields = error_fields,.derive = derive_purchases
};
const crm_model_kind crm_model_mbg_nbd = {
	.number = 31,.name = "mbg_nbd",.fields = beta_fields,.check = check_purchases,
	.derived_fields = error_fields,.derive = derive_purchases
};
const crm_model_kind crm_model_pareto_nbd = {
	.number = 32,.name = "pareto_nbd",.fields = pareto_fields,.check = check_purchases,
	.derived_fields = error_fields,.derive = derive_purchases
};
const crm_model_kind crm_model_gamma_gamma = {
	.number = 33,.name = "gamma_gamma",.fields = value_fields,.check = check_values,
	.derived_fields = error_fields,.derive = derive_values
};

const crm_model_kind *const crm_model_purchase_kinds[] = {
	[CRM_BG_NBD] = &crm_model_bg_nbd,
	[CRM_MBG_NBD] = &crm_model_mbg_nbd,
	[CRM_PARETO_NBD] = &crm_model_pareto_nbd
};

static void
fill(crm_model *m, const double *parameter, int parameters, const double *covariance, double log_likelihood, double customers,
	 int iterations, bool converged, double rounding)
{
	for (int i = 0; i < parameters; i++)
		crm_model_set_number(m, i, parameter[i]);
	if (!isnan(covariance[0]))
		crm_model_set_numbers(m, parameters + COVARIANCE, covariance, parameters * parameters);
	crm_model_set_number(m, parameters + LOG_LIKELIHOOD, log_likelihood);
	crm_model_set_number(m, parameters + CUSTOMERS, customers);
	crm_model_set_integer(m, parameters + ITERATIONS, iterations);
	crm_model_set_integer(m, parameters + CONVERGED, converged);
	if (rounding > 0)
		crm_model_set_number(m, parameters + ROUNDING, rounding);
}

void
crm_model_of_purchases(crm_model *m, const crm_purchase_model *fit, double rounding)
{
	crm_model_begin(m, crm_model_purchase_kinds[fit->kind], 0);
	fill(m, fit->parameter, CRM_PURCHASE_PARAMETERS, fit->covariance, fit->log_likelihood, fit->customers,
		 fit->iterations, fit->converged, rounding);
}

void
crm_model_of_values(crm_model *m, const crm_value_model *fit, double rounding)
{
	crm_model_begin(m, &crm_model_gamma_gamma, 0);
	fill(m, fit->parameter, 3, fit->covariance, fit->log_likelihood, fit->customers, fit->iterations, fit->converged, rounding);
}

static void
take(const crm_model *m, int parameters, double *parameter, double *covariance)
{
	const crm_model_value *stored = crm_model_get(m, parameters + COVARIANCE);

	for (int i = 0; i < parameters; i++)
		parameter[i] = crm_model_get(m, i)->number;
	for (int i = 0; i < parameters * parameters; i++)
		covariance[i] = stored->present ? stored->numbers[i] : NAN;
}

bool
crm_purchases_of_model(const crm_model *m, crm_purchase_model *fit)
{
	for (int kind = CRM_BG_NBD; kind <= CRM_PARETO_NBD; kind++)
		if (m->kind == crm_model_purchase_kinds[kind])
		{
			*fit = (crm_purchase_model) {.kind = kind};
			take(m, CRM_PURCHASE_PARAMETERS, fit->parameter, fit->covariance);
			return true;
		}
	return false;
}

bool
crm_values_of_model(const crm_model *m, crm_value_model *fit)
{
	if (m->kind != &crm_model_gamma_gamma)
		return false;
	*fit = (crm_value_model) {.converged = true};
	take(m, 3, fit->parameter, fit->covariance);
	return true;
}
