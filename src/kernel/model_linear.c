/*
 * model_linear.c - the kinds "linear" and "logistic": fields, score, reasons.
 */
#include "kernel/model_linear.h"

#include <math.h>

#include "kernel/special.h"

#define LINEAR_FIELDS \
	{"intercept", CRM_FIELD_NUMBER}, \
	{"coefficients", CRM_FIELD_NUMBERS, 0, true}, \
	{"means", CRM_FIELD_NUMBERS, 0, true}, \
	{"intercept_standard_error", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL}, \
	{"standard_errors", CRM_FIELD_NUMBERS, CRM_FIELD_OPTIONAL | CRM_FIELD_GAPS, true}, \
	{"rows", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL}, \
	{"weight", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL}, \
	{"rows_skipped", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL}, \
	{"missing_as_mean", CRM_FIELD_BOOLEAN, CRM_FIELD_OPTIONAL}, \
	{"constant_features", CRM_FIELD_INTEGERS, CRM_FIELD_OPTIONAL}, \
	{"collinear_features", CRM_FIELD_INTEGERS, CRM_FIELD_OPTIONAL}, \
	{"l1", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL}, \
	{"l2", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL}, \
	{"log_likelihood", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL}, \
	{"null_log_likelihood", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL}, \
	{"parameters", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL}

static const crm_model_field linear_fields[] = {
	LINEAR_FIELDS,
	{"residual_degrees_of_freedom", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL},
	{"residual_standard_error", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL},
	{"r_squared", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL},
	{NULL}
};

static const crm_model_field logistic_fields[] = {
	LINEAR_FIELDS,
	{"positives", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL},
	{"iterations", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL},
	{"converged", CRM_FIELD_BOOLEAN, CRM_FIELD_OPTIONAL},
	{"separation", CRM_FIELD_TEXT, CRM_FIELD_OPTIONAL},
	{NULL}
};

/* ---- checking ------------------------------------------------------------ */

static bool
is_negative(const crm_model *m, int field)
{
	const crm_model_value *value = crm_model_get(m, field);

	return value->present && (value->integer < 0 || value->number < 0);
}

static double
base_of(const crm_model *m)
{
	double		base = crm_model_get(m, CRM_LINEAR_INTERCEPT)->number;
	const double *coefficients = crm_model_get(m, CRM_LINEAR_COEFFICIENTS)->numbers;
	const double *means = crm_model_get(m, CRM_LINEAR_MEANS)->numbers;

	for (uint32_t j = 0; j < m->features; j++)
		base += coefficients[j] * means[j];
	return base;
}

static const char *
check_linear(const crm_model *m)
{
	static const int counts[] = {CRM_LINEAR_ROWS, CRM_LINEAR_WEIGHT, CRM_LINEAR_SKIPPED, CRM_LINEAR_L1, CRM_LINEAR_L2, CRM_LINEAR_PARAMETERS,
	CRM_LINEAR_INTERCEPT_ERROR};
	const crm_model_value *errors = crm_model_get(m, CRM_LINEAR_ERRORS);

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (is_negative(m, counts[i]))
			return "A count, a penalty or a standard error is negative.";
	for (uint32_t j = 0; errors->present && j < errors->count; j++)
		if (errors->numbers[j] < 0)
			return "A count, a penalty or a standard error is negative.";
	if (!crm_model_are_features(m, crm_model_get(m, CRM_LINEAR_CONSTANT)) || !crm_model_are_features(m, crm_model_get(m, CRM_LINEAR_COLLINEAR)))
		return "\"constant_features\" and \"collinear_features\" are ascending numbers of features, counted from 1.";
	if (!isfinite(base_of(m)))
		return "The score of the average row is not finite.";
	return NULL;
}

static const char *
check_logistic(const crm_model *m)
{
	crm_model_text separation = crm_model_get(m, CRM_LOGISTIC_SEPARATION)->text;

	if (is_negative(m, CRM_LOGISTIC_POSITIVES) || is_negative(m, CRM_LOGISTIC_ITERATIONS))
		return "A count, a penalty or a standard error is negative.";
	if (crm_model_get(m, CRM_LOGISTIC_SEPARATION)->present && !crm_model_text_is(separation, "none") &&
		!crm_model_text_is(separation, "quasi") && !crm_model_text_is(separation, "complete"))
		return "\"separation\" is none, quasi or complete.";
	return check_linear(m);
}

static bool
takes_missing(const crm_model *m)
{
	return crm_model_get(m, CRM_LINEAR_MISSING_AS_MEAN)->integer != 0;
}

/* ---- scoring ------------------------------------------------------------- */

typedef struct linear_scorer
{
	uint32_t	features;
	double		base;			/* score of the average row */
	const double *coefficients;
	const double *means;
} linear_scorer;

static crm_status
prepare(const crm_model *m, const crm_env *env, void **scorer)
{
	linear_scorer *s = env->alloc(env->arg, sizeof(linear_scorer));

	if (s == NULL)
		return CRM_NO_MEMORY;
	s->features = m->features;
	s->base = base_of(m);
	s->coefficients = crm_model_get(m, CRM_LINEAR_COEFFICIENTS)->numbers;
	s->means = crm_model_get(m, CRM_LINEAR_MEANS)->numbers;
	*scorer = s;
	return CRM_OK;
}

/* A missing feature stands at its mean, where its part is 0. */
static inline double
part_of(const linear_scorer *s, const double *x, uint32_t j)
{
	return isnan(x[j]) ? 0 : s->coefficients[j] * (x[j] - s->means[j]);
}

/* Summed one after the other, as the parts that explain gives are: the sums are equal to the last bit. */
static double
predict_linear(const void *scorer, const double *x)
{
	const linear_scorer *s = scorer;
	double		sum = s->base;

	for (uint32_t j = 0; j < s->features; j++)
		sum += part_of(s, x, j);
	return sum;
}

static double
predict_logistic(const void *scorer, const double *x)
{
	double		margin = predict_linear(scorer, x);

	/* Neither branch overflows. */
	if (margin >= 0)
		return 1 / (1 + exp(-margin));
	margin = exp(margin);
	return margin / (1 + margin);
}

static crm_status
explain(const void *scorer, const crm_env *env, const double *x, double *parts)
{
	const linear_scorer *s = scorer;

	parts[0] = s->base;
	for (uint32_t j = 0; j < s->features; j++)
		parts[j + 1] = part_of(s, x, j);
	return CRM_OK;
}

/* ---- what follows from the fit ------------------------------------------------ */

enum
{
	DERIVED_TEST_VALUES,		/* t or z: coefficient over standard error */
	DERIVED_P_VALUES,
	DERIVED_INTERCEPT_P,
	DERIVED_AIC,
	DERIVED_FIELDS,

	/* linear */
	DERIVED_ADJUSTED_R_SQUARED = DERIVED_FIELDS,
	DERIVED_F,
	DERIVED_F_P,

	/* logistic */
	DERIVED_ODDS_RATIOS = DERIVED_FIELDS,
	DERIVED_PSEUDO_R_SQUARED	/* McFadden 1974 */
};

#define DERIVED_FIELDS_AFTER(test) \
	{test, CRM_FIELD_NUMBERS, CRM_FIELD_GAPS}, \
	{"p_values", CRM_FIELD_NUMBERS, CRM_FIELD_GAPS}, \
	{"intercept_p_value", CRM_FIELD_NUMBER, CRM_FIELD_GAPS}, \
	{"aic", CRM_FIELD_NUMBER}

static const crm_model_field linear_derived[] = {
	DERIVED_FIELDS_AFTER("t_values"),
	{"adjusted_r_squared", CRM_FIELD_NUMBER},
	{"f_statistic", CRM_FIELD_NUMBER},
	{"f_p_value", CRM_FIELD_NUMBER},
	{NULL}
};

static const crm_model_field logistic_derived[] = {
	DERIVED_FIELDS_AFTER("z_values"),
	{"odds_ratios", CRM_FIELD_NUMBERS, CRM_FIELD_GAPS},
	{"pseudo_r_squared", CRM_FIELD_NUMBER},
	{NULL}
};

static void
set_derived(crm_model_value *value, double number)
{
	value->number = number;
	value->present = isfinite(number);
}

/* Two-sided, of Student's t, or of a normal number without degrees of freedom; NaN where there is no error. */
static double
p_value(double estimate, double error, double df)
{
	if (!(error > 0))
		return NAN;
	return 2 * (df > 0 ? crm_t_cdf(df, -fabs(estimate / error)) : crm_normal_cdf(-fabs(estimate / error)));
}

static crm_status
derive_tests(const crm_model *m, const crm_env *env, double df, int further, crm_model_value *derived)
{
	const double *coefficients = crm_model_get(m, CRM_LINEAR_COEFFICIENTS)->numbers;
	const crm_model_value *errors = crm_model_get(m, CRM_LINEAR_ERRORS);
	const crm_model_value *log_likelihood = crm_model_get(m, CRM_LINEAR_LOG_LIKELIHOOD);
	double	   *tests;
	double	   *p;

	if (errors->present)
	{
		tests = env->alloc(env->arg, sizeof(double) * ((size_t) m->features + 1));
		p = env->alloc(env->arg, sizeof(double) * ((size_t) m->features + 1));
		if (tests == NULL || p == NULL)
			return CRM_NO_MEMORY;
		for (uint32_t j = 0; j < m->features; j++)
		{
			double		test = coefficients[j] / errors->numbers[j];

			tests[j] = errors->numbers[j] > 0 && isfinite(test) ? test : NAN;
			p[j] = p_value(coefficients[j], errors->numbers[j], df);
		}
		derived[DERIVED_TEST_VALUES] = (crm_model_value) {.present = true, .count = m->features, .numbers = tests};
		derived[DERIVED_P_VALUES] = (crm_model_value) {.present = true, .count = m->features, .numbers = p};
		if (crm_model_get(m, CRM_LINEAR_INTERCEPT_ERROR)->present)
			set_derived(&derived[DERIVED_INTERCEPT_P],
						p_value(crm_model_get(m, CRM_LINEAR_INTERCEPT)->number, crm_model_get(m, CRM_LINEAR_INTERCEPT_ERROR)->number, df));
	}
	/* The variance of a linear model is a number that was fitted, too. */
	if (log_likelihood->present && crm_model_get(m, CRM_LINEAR_PARAMETERS)->present)
		set_derived(&derived[DERIVED_AIC], 2 * ((double) crm_model_get(m, CRM_LINEAR_PARAMETERS)->integer + further) - 2 * log_likelihood->number);
	return CRM_OK;
}

static crm_status
derive_linear(const crm_model *m, const crm_env *env, crm_model_value *derived)
{
	double		df = (double) crm_model_get(m, CRM_LINEAR_RESIDUAL_DF)->integer;
	double		r_squared = crm_model_get(m, CRM_LINEAR_R_SQUARED)->number;
	double		slopes = (double) crm_model_get(m, CRM_LINEAR_PARAMETERS)->integer - 1;
	double		f = r_squared / slopes / ((1 - r_squared) / df);

	CRM_TRY(derive_tests(m, env, df, 1, derived));
	/* Against the mean: only with an intercept. */
	if (crm_model_get(m, CRM_LINEAR_R_SQUARED)->present && crm_model_get(m, CRM_LINEAR_INTERCEPT_ERROR)->present && df > 0)
	{
		set_derived(&derived[DERIVED_ADJUSTED_R_SQUARED], 1 - (1 - r_squared) * (df + slopes) / df);
		if (slopes > 0 && f >= 0 && isfinite(f))
		{
			set_derived(&derived[DERIVED_F], f);
			set_derived(&derived[DERIVED_F_P], crm_f_sf(slopes, df, f));
		}
	}
	return CRM_OK;
}

static crm_status
derive_logistic(const crm_model *m, const crm_env *env, crm_model_value *derived)
{
	const double *coefficients = crm_model_get(m, CRM_LINEAR_COEFFICIENTS)->numbers;
	const crm_model_value *log_likelihood = crm_model_get(m, CRM_LINEAR_LOG_LIKELIHOOD);
	const crm_model_value *null = crm_model_get(m, CRM_LINEAR_NULL_LOG_LIKELIHOOD);
	double	   *odds = env->alloc(env->arg, sizeof(double) * ((size_t) m->features + 1));

	if (odds == NULL)
		return CRM_NO_MEMORY;
	CRM_TRY(derive_tests(m, env, 0, 0, derived));
	for (uint32_t j = 0; j < m->features; j++)
	{
		odds[j] = exp(coefficients[j]);
		odds[j] = isfinite(odds[j]) ? odds[j] : NAN;
	}
	derived[DERIVED_ODDS_RATIOS] = (crm_model_value) {.present = true, .count = m->features, .numbers = odds};
	if (log_likelihood->present && null->present)
		set_derived(&derived[DERIVED_PSEUDO_R_SQUARED], 1 - log_likelihood->number / null->number);
	return CRM_OK;
}

const crm_model_kind crm_model_linear = {
	.number = 1,
	.name = "linear",
	.fields = linear_fields,
	.check = check_linear,
	.takes_missing = takes_missing,
	.prepare = prepare,
	.predict = predict_linear,
	.explain = explain,
	.derived_fields = linear_derived,
	.derive = derive_linear
};

const crm_model_kind crm_model_logistic = {
	.number = 2,
	.name = "logistic",
	.fields = logistic_fields,
	.check = check_logistic,
	.takes_missing = takes_missing,
	.prepare = prepare,
	.predict = predict_logistic,
	.explain = explain,
	.derived_fields = logistic_derived,
	.derive = derive_logistic
};
