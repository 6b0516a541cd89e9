/*
 * logistic_fit.c - the aggregate logistic_fit.
 */
#include "scoring/rows_state.h"

#include <math.h>

#include "common/agg_state.h"
#include "common/progress.h"
#include "kernel/logistic_fit.h"
#include "kernel/model_linear.h"

CRM_FUNCTION(crm_logistic_fit_transfn);
CRM_FUNCTION(crm_logistic_fit_combinefn);
CRM_FUNCTION(crm_logistic_fit_finalfn);

typedef struct logistic_options
{
	double		l1;
	double		l2;
	double		tolerance;
	int64		max_iterations;
	int			missing;
	bool		intercept;
	bool		standardize;
	bool		unused[2];
} logistic_options;

StaticAssertDecl(sizeof(logistic_options) <= SCORING_ROWS_OPTIONS, "options do not fit the state");

static const char *const missing_words[] = {"error", "skip", "mean", NULL};

static const scoring_option known_options[] = {
	{"l1", SCORING_NUMBER, offsetof(logistic_options, l1), 0, 1e15},
	{"l2", SCORING_NUMBER, offsetof(logistic_options, l2), 0, 1e15},
	{"intercept", SCORING_BOOLEAN, offsetof(logistic_options, intercept)},
	{"standardize", SCORING_BOOLEAN, offsetof(logistic_options, standardize)},
	{"missing", SCORING_WORD, offsetof(logistic_options, missing), 0, 0, missing_words},
	{"tolerance", SCORING_NUMBER, offsetof(logistic_options, tolerance), 1e-12, 0.1},
	{"max_iterations", SCORING_WHOLE, offsetof(logistic_options, max_iterations), 1, 10000},
	{NULL}
};

static const logistic_options default_options = {.tolerance = 1e-8, .max_iterations = 100, .intercept = true, .standardize = true};

static bool
options_are_valid(const void *bytes)
{
	logistic_options options;
	const uint8 *flags = (const uint8 *) bytes + offsetof(logistic_options, intercept);

	for (int i = 0; i < 4; i++)
		if (flags[i] > 1)
			return false;
	memcpy(&options, bytes, sizeof(options));
	return options.l1 >= 0 && options.l1 <= 1e15 && options.l2 >= 0 && options.l2 <= 1e15 &&
		options.tolerance >= 1e-12 && options.tolerance <= 0.1 && options.max_iterations >= 1 && options.max_iterations <= 10000 &&
		options.missing >= SCORING_MISSING_ERROR && options.missing <= SCORING_MISSING_MEAN;
}

static const scoring_rows_use logistic_use = {
	.number = 1,
	.function = "logistic_fit",
	.most_features = CRM_LOGISTIC_FIT_MAX_FEATURES,
	.options_size = sizeof(logistic_options),
	.options_are_valid = options_are_valid,
	.labels = true
};

/* logistic_fit_transfn(state, label boolean, features float8[] [, options jsonb] | [, weight float8, options jsonb]) */
Datum
crm_logistic_fit_transfn(PG_FUNCTION_ARGS)
{
	MemoryContext aggcontext;
	const logistic_options *options = &default_options;
	int			nargs = PG_NARGS();
	scoring_rows *state;
	const double *features;
	double		weight = 1;
	int			count;
	bool		nulls;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "logistic_fit_transfn called in non-aggregate context");
	if (nargs > 3)
		options = scoring_options_of(fcinfo, nargs - 1, known_options, "logistic_fit", &default_options, sizeof(logistic_options));
	/* Without label, features or weight it is not an observation. */
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || (nargs == 5 && PG_ARGISNULL(3)))
		return crm_agg_unchanged(fcinfo);
	if (nargs == 5)
		weight = scoring_weight(PG_GETARG_FLOAT8(3));
	features = scoring_features(PG_GETARG_ARRAYTYPE_P(2), &count, &nulls);
	state = scoring_rows_state(fcinfo, aggcontext, &logistic_use, options, count);
	if (nulls && options->missing == SCORING_MISSING_ERROR)
		scoring_feature_missing(features, count, "Replace nulls with coalesce(), or take the option \"missing\": \"skip\" or \"mean\".");
	if (nulls && options->missing == SCORING_MISSING_SKIP)
		state->skipped++;
	else if (weight > 0)
		scoring_rows_add(state, PG_GETARG_BOOL(1), weight, features);
	return EOHPGetRWDatum(&state->header);
}

Datum
crm_logistic_fit_combinefn(PG_FUNCTION_ARGS)
{
	return scoring_rows_combine(fcinfo, &logistic_use);
}

static void
allocate_result(crm_logistic_result *result, int features)
{
	Size		room = Max(features, 1);

	memset(result, 0, sizeof(*result));
	result->coefficients = palloc(sizeof(double) * room);
	result->means = palloc(sizeof(double) * room);
	result->errors = palloc(sizeof(double) * room);
	result->constant = palloc(room);
	result->collinear = palloc(room);
}

/* What a careful user wants to hear at once; the model keeps it, too. */
static void
warn(const crm_logistic_result *result)
{
	if (result->separation != CRM_SEPARATION_NONE)
		ereport(WARNING,
				(errmsg("features of logistic_fit separate the labels %s", result->separation == CRM_SEPARATION_COMPLETE ? "completely" : "in part"),
				 errdetail("Without a penalty coefficients would grow without end; one of \"l2\": %g was taken, and there are no standard errors.", result->l2),
				 errhint("Look for a feature that knows the label, or choose \"l2\".")));
	if (!result->converged)
		ereport(WARNING,
				(errmsg("logistic_fit did not converge in %d iterations", result->iterations),
				 errhint("Raise \"max_iterations\", or take a penalty \"l2\".")));
}

Datum
crm_logistic_fit_finalfn(PG_FUNCTION_ARGS)
{
	const scoring_rows *state = scoring_rows_final(fcinfo, &logistic_use);
	crm_env		env;
	logistic_options options;
	crm_logistic_options wanted;
	crm_logistic_result result;
	crm_status	status;
	uint32		features;
	crm_model	m;

	if (state == NULL)
		PG_RETURN_NULL();
	features = (uint32) scoring_rows_features(state);
	memcpy(&options, state->options, sizeof(options));
	scoring_require_both_labels(state);

	wanted = (crm_logistic_options) {options.intercept, options.standardize, options.l1, options.l2, options.tolerance, (int) options.max_iterations};
	allocate_result(&result, (int) features);
	crm_progress_begin("logistic_fit", NULL);
	crm_progress_phase("iterating", "iterations", 0);
	env = crm_progress_env(CurrentMemoryContext);
	status = crm_logistic_fit(&state->columns, &wanted, &env, &result);
	crm_progress_end();
	if (status == CRM_OUT_OF_RANGE)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("features of logistic_fit are too large"),
				 errdetail("Their squares, summed, are beyond the range of double precision."),
				 errhint("Divide them by a large number first.")));
	scoring_rows_check(state, status);

	crm_model_begin(&m, &crm_model_logistic, features);
	crm_model_set_number(&m, CRM_LINEAR_INTERCEPT, result.intercept);
	crm_model_set_numbers(&m, CRM_LINEAR_COEFFICIENTS, result.coefficients, features);
	crm_model_set_numbers(&m, CRM_LINEAR_MEANS, result.means, features);
	if (result.has_errors)
	{
		if (options.intercept)
			crm_model_set_number(&m, CRM_LINEAR_INTERCEPT_ERROR, result.intercept_error);
		crm_model_set_numbers(&m, CRM_LINEAR_ERRORS, result.errors, features);
	}
	crm_model_set_integer(&m, CRM_LINEAR_ROWS, (int64) state->columns.rows);
	crm_model_set_number(&m, CRM_LINEAR_WEIGHT, result.weight);
	if (state->skipped > 0)
		crm_model_set_integer(&m, CRM_LINEAR_SKIPPED, (int64) state->skipped);
	if (options.missing == SCORING_MISSING_MEAN)
		crm_model_set_integer(&m, CRM_LINEAR_MISSING_AS_MEAN, 1);
	scoring_set_places(&m, CRM_LINEAR_CONSTANT, result.constant, (int) features);
	scoring_set_places(&m, CRM_LINEAR_COLLINEAR, result.collinear, (int) features);
	if (options.l1 > 0)
		crm_model_set_number(&m, CRM_LINEAR_L1, options.l1);
	if (result.l2 > 0)
		crm_model_set_number(&m, CRM_LINEAR_L2, result.l2);
	crm_model_set_number(&m, CRM_LINEAR_LOG_LIKELIHOOD, result.log_likelihood);
	crm_model_set_number(&m, CRM_LINEAR_NULL_LOG_LIKELIHOOD, result.null_log_likelihood);
	crm_model_set_integer(&m, CRM_LINEAR_PARAMETERS, result.parameters);
	crm_model_set_integer(&m, CRM_LOGISTIC_POSITIVES, (int64) result.positives);
	crm_model_set_integer(&m, CRM_LOGISTIC_ITERATIONS, result.iterations);
	crm_model_set_integer(&m, CRM_LOGISTIC_CONVERGED, result.converged);
	if (options.l1 == 0 && options.l2 == 0)
		crm_model_set_text(&m, CRM_LOGISTIC_SEPARATION, result.separation == CRM_SEPARATION_NONE ? "none" :
						   result.separation == CRM_SEPARATION_QUASI ? "quasi" : "complete");
	warn(&result);
	PG_RETURN_POINTER(scoring_model_value(&m, CurrentMemoryContext));
}
