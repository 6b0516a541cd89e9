/*
 * model_cox.c - the kind "cox": fields, score, reasons.
 *
 * The score is the hazard ratio against a row whose features are the means; its
 * logarithm is the margin, a sum over features.
 */
#include "kernel/model_cox.h"

#include <math.h>

static const crm_model_field fields[] = {
	{"coefficients", CRM_FIELD_NUMBERS, 0, true},
	{"means", CRM_FIELD_NUMBERS, 0, true},
	{"standard_errors", CRM_FIELD_NUMBERS, CRM_FIELD_OPTIONAL | CRM_FIELD_GAPS, true},
	{"robust_standard_errors", CRM_FIELD_NUMBERS, CRM_FIELD_OPTIONAL | CRM_FIELD_GAPS, true},
	{"collinear_features", CRM_FIELD_INTEGERS, CRM_FIELD_OPTIONAL},
	{"infinite_features", CRM_FIELD_INTEGERS, CRM_FIELD_OPTIONAL},
	{"rows", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL},
	{"events", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL},
	{"rows_skipped", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL},
	{"ties", CRM_FIELD_TEXT, CRM_FIELD_OPTIONAL},
	{"log_likelihood", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL},
	{"null_log_likelihood", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL},
	{"concordance", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL},
	{"iterations", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL},
	{"converged", CRM_FIELD_BOOLEAN, CRM_FIELD_OPTIONAL},
	{"times", CRM_FIELD_NUMBERS, CRM_FIELD_BULK},
	{"hazards", CRM_FIELD_NUMBERS, CRM_FIELD_BULK},
	{NULL}
};

static const char *
check(const crm_model *m)
{
	static const int counts[] = {CRM_COX_ROWS, CRM_COX_EVENTS, CRM_COX_SKIPPED, CRM_COX_ITERATIONS};
	static const int errors[] = {CRM_COX_ERRORS, CRM_COX_ROBUST_ERRORS};
	const crm_model_value *times = crm_model_get(m, CRM_COX_TIMES);
	const crm_model_value *hazards = crm_model_get(m, CRM_COX_HAZARDS);
	crm_model_text ties = crm_model_get(m, CRM_COX_TIES)->text;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (crm_model_get(m, counts[i])->present && crm_model_get(m, counts[i])->integer < 0)
			return "A count is negative.";
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		for (uint32_t j = 0; j < crm_model_get(m, errors[i])->count; j++)
			if (crm_model_get(m, errors[i])->numbers[j] < 0)
				return "A standard error is negative.";
	if (!crm_model_are_features(m, crm_model_get(m, CRM_COX_COLLINEAR)) || !crm_model_are_features(m, crm_model_get(m, CRM_COX_INFINITE)))
		return "\"collinear_features\" and \"infinite_features\" are ascending numbers of features, counted from 1.";
	if (crm_model_get(m, CRM_COX_TIES)->present && !crm_model_text_is(ties, "efron") && !crm_model_text_is(ties, "breslow"))
		return "\"ties\" is efron or breslow.";
	if (times->count != hazards->count)
		return "\"times\" and \"hazards\" are not equally long.";
	for (uint32_t i = 0; i < times->count; i++)
		if (times->numbers[i] < 0 || hazards->numbers[i] < 0 ||
			(i > 0 && (times->numbers[i] <= times->numbers[i - 1] || hazards->numbers[i] < hazards->numbers[i - 1])))
			return "\"times\" and \"hazards\" do not ascend from 0 on.";
	return NULL;
}

typedef struct cox_scorer
{
	uint32_t	features;
	const double *coefficients;
	const double *means;
} cox_scorer;

static crm_status
prepare(const crm_model *m, const crm_env *env, void **scorer)
{
	cox_scorer *s = env->alloc(env->arg, sizeof(cox_scorer));

	if (s == NULL)
		return CRM_NO_MEMORY;
	s->features = m->features;
	s->coefficients = crm_model_get(m, CRM_COX_COEFFICIENTS)->numbers;
	s->means = crm_model_get(m, CRM_COX_MEANS)->numbers;
	*scorer = s;
	return CRM_OK;
}

static double
predict(const void *scorer, const double *x)
{
	const cox_scorer *s = scorer;
	double		margin = 0;

	for (uint32_t j = 0; j < s->features; j++)
		margin += s->coefficients[j] * (x[j] - s->means[j]);
	return exp(margin);
}

static crm_status
explain(const void *scorer, const crm_env *env, const double *x, double *parts)
{
	const cox_scorer *s = scorer;

	parts[0] = 0;
	for (uint32_t j = 0; j < s->features; j++)
		parts[j + 1] = s->coefficients[j] * (x[j] - s->means[j]);
	return CRM_OK;
}

double
crm_cox_survival(const crm_model *m, double ratio, double time)
{
	const crm_model_value *times = crm_model_get(m, CRM_COX_TIMES);
	uint32_t	low = 0;
	uint32_t	high = times->count;

	/* the first time behind the one asked for */
	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (times->numbers[middle] <= time)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? 1 : exp(-ratio * crm_model_get(m, CRM_COX_HAZARDS)->numbers[low - 1]);
}

const crm_model_kind crm_model_cox = {
	.number = 34,
	.name = "cox",
	.fields = fields,
	.check = check,
	.prepare = prepare,
	.predict = predict,
	.explain = explain
};
