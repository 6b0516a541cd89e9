/*
 * cox_fit.c - the aggregate cox_fit, and survival by its models.
 *
 * Rows are kept as other trainers keep theirs: the label is the duration, the
 * weight tells who left.
 */
#include "scoring/rows_state.h"

#include <math.h>

#include "kernel/cox.h"
#include "kernel/model_cox.h"
#include "common/agg_state.h"
#include "common/progress.h"
#include "miscadmin.h"
#include "utils/memutils.h"

CRM_FUNCTION(crm_cox_fit_transfn);
CRM_FUNCTION(crm_cox_fit_combinefn);
CRM_FUNCTION(crm_cox_fit_finalfn);
CRM_FUNCTION(crm_survival_probability);

#define MOST_FEATURES 200
#define STAYED 1
#define LEFT 2

typedef struct cox_options
{
	int			ties;			/* crm_cox_ties */
	int			missing;
} cox_options;

static const char *const ties_words[] = {"efron", "breslow", NULL};
static const char *const missing_words[] = {"error", "skip", NULL};

static const scoring_option known_options[] = {
	{"ties", SCORING_WORD, offsetof(cox_options, ties), 0, 0, ties_words},
	{"missing", SCORING_WORD, offsetof(cox_options, missing), 0, 0, missing_words},
	{NULL}
};

static const cox_options default_options = {0};

static bool
options_are_valid(const void *bytes)
{
	cox_options options;

	memcpy(&options, bytes, sizeof(options));
	return (options.ties == CRM_COX_EFRON || options.ties == CRM_COX_BRESLOW) &&
		(options.missing == SCORING_MISSING_ERROR || options.missing == SCORING_MISSING_SKIP);
}

static const scoring_rows_use cox_use = {
	.number = 10,
	.function = "cox_fit",
	.most_features = MOST_FEATURES,
	.options_size = sizeof(cox_options),
	.options_are_valid = options_are_valid
};

/* cox_fit_transfn(state, duration float8, event boolean, features float8[] [, options jsonb]) */
Datum
crm_cox_fit_transfn(PG_FUNCTION_ARGS)
{
	MemoryContext aggcontext;
	const cox_options *options = &default_options;
	scoring_rows *state;
	const double *features;
	double		duration;
	int			count;
	bool		nulls;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "cox_fit_transfn called in non-aggregate context");
	if (PG_NARGS() > 4)
		options = scoring_options_of(fcinfo, 4, known_options, "cox_fit", &default_options, sizeof(cox_options));
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		return crm_agg_unchanged(fcinfo);
	duration = scoring_number(PG_GETARG_FLOAT8(1), "duration");
	if (duration < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("duration must not be negative: %g", duration),
				 errdetail("It is the time from a customer's beginning to his leaving, or to when he was last seen.")));
	features = scoring_features(PG_GETARG_ARRAYTYPE_P(3), &count, &nulls);
	state = scoring_rows_state(fcinfo, aggcontext, &cox_use, options, count);
	if (!nulls)
		scoring_rows_add(state, duration, PG_GETARG_BOOL(2) ? LEFT : STAYED, features);
	else if (options->missing == SCORING_MISSING_SKIP)
		state->skipped++;
	else
		scoring_feature_missing(features, count, "Replace nulls with coalesce(), or leave such rows out by the option \"missing\": \"skip\".");
	return EOHPGetRWDatum(&state->header);
}

Datum
crm_cox_fit_combinefn(PG_FUNCTION_ARGS)
{
	return scoring_rows_combine(fcinfo, &cox_use);
}

/* The rows as the kernel wants them. */
static void
gather(const scoring_rows *state, crm_cox_rows *rows)
{
	Size		width = scoring_rows_features(state) + 2;
	Size		n = (Size) state->columns.rows;
	double	   *row;

	rows->features = (uint32) scoring_rows_features(state);
	rows->count = n;
	rows->rows = row = MemoryContextAllocHuge(CurrentMemoryContext, Max(n * width, 1) * sizeof(double));
	for (Size part = 0; part < crm_columns_parts(&state->columns); part++)
	{
		uint32		part_rows = crm_columns_part_rows(&state->columns, part);
		double		numbers[CRM_COLUMNS_MAX_BLOCK];

		CHECK_FOR_INTERRUPTS();
		for (Size column = 0; column < width; column++)
		{
			crm_columns_read(&state->columns, part, (uint32) column, numbers);
			for (uint32 i = 0; i < part_rows; i++)
			{
				if (column == SCORING_ROWS_WEIGHT && numbers[i] != STAYED && numbers[i] != LEFT)
					crm_agg_state_damaged("A row in a state of cox_fit neither left nor stayed.");
				if (!isfinite(numbers[i]) || (column == SCORING_ROWS_LABEL && numbers[i] < 0))
					crm_agg_state_damaged("A number in a state of cox_fit is not one.");
				row[i * width + column] = column == SCORING_ROWS_WEIGHT ? numbers[i] == LEFT : numbers[i];
			}
		}
		row += part_rows * width;
	}
}

static void
warn(const crm_cox_fit *fit, uint32 features)
{
	for (uint32 j = 0; j < features; j++)
		if (fit->infinite[j])
		{
			ereport(WARNING,
					(errmsg("the coefficient of feature %u of cox_fit runs off to infinity", j + 1),
					 errdetail("Some value of it comes with no event at all, or with all of them first."),
					 errhint("Leave the feature out, or put its values together with others.")));
			return;
		}
	if (!fit->converged)
		ereport(WARNING, (errmsg("cox_fit did not converge in %d iterations", fit->iterations)));
}

Datum
crm_cox_fit_finalfn(PG_FUNCTION_ARGS)
{
	const scoring_rows *state = scoring_rows_final(fcinfo, &cox_use);
	crm_env		env;
	cox_options options;
	crm_cox_rows rows;
	crm_cox_fit fit;
	crm_status	status;
	crm_model	m;

	if (state == NULL)
		PG_RETURN_NULL();
	memcpy(&options, state->options, sizeof(options));
	gather(state, &rows);
	crm_progress_begin("cox_fit", NULL);
	crm_progress_phase("iterating", "iterations", 0);
	env = crm_progress_env(CurrentMemoryContext);
	status = crm_cox_train(&env, &rows, options.ties, &fit);
	crm_progress_end();
	if (status == CRM_OUT_OF_RANGE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cox_fit has nothing to learn from: nobody left"),
				 errdetail("event is true for nobody of %zu rows.", rows.count)));
	crm_check(status, CRM_MODEL_TYPE, false);
	for (uint32 j = 0; j < rows.features; j++)
		if (!isfinite(fit.coefficients[j]) || !isfinite(fit.means[j]))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("features of cox_fit are too large"),
					 errhint("Divide them by a large number first.")));

	crm_model_begin(&m, &crm_model_cox, rows.features);
	crm_model_set_numbers(&m, CRM_COX_COEFFICIENTS, fit.coefficients, rows.features);
	crm_model_set_numbers(&m, CRM_COX_MEANS, fit.means, rows.features);
	if (fit.converged)
	{
		crm_model_set_numbers(&m, CRM_COX_ERRORS, fit.standard_errors, rows.features);
		crm_model_set_numbers(&m, CRM_COX_ROBUST_ERRORS, fit.robust_errors, rows.features);
	}
	scoring_set_places(&m, CRM_COX_COLLINEAR, fit.aliased, (int) rows.features);
	scoring_set_places(&m, CRM_COX_INFINITE, fit.infinite, (int) rows.features);
	crm_model_set_integer(&m, CRM_COX_ROWS, (int64) rows.count);
	crm_model_set_integer(&m, CRM_COX_EVENTS, (int64) fit.events);
	if (state->skipped > 0)
		crm_model_set_integer(&m, CRM_COX_SKIPPED, (int64) state->skipped);
	crm_model_set_text(&m, CRM_COX_TIES, ties_words[options.ties]);
	crm_model_set_number(&m, CRM_COX_LOG_LIKELIHOOD, fit.log_likelihood);
	crm_model_set_number(&m, CRM_COX_NULL_LOG_LIKELIHOOD, fit.null_log_likelihood);
	if (!isnan(fit.concordance))
		crm_model_set_number(&m, CRM_COX_CONCORDANCE, fit.concordance);
	crm_model_set_integer(&m, CRM_COX_ITERATIONS, fit.iterations);
	crm_model_set_integer(&m, CRM_COX_CONVERGED, fit.converged);
	crm_model_set_numbers(&m, CRM_COX_TIMES, fit.times, (uint32) fit.time_count);
	crm_model_set_numbers(&m, CRM_COX_HAZARDS, fit.hazards, (uint32) fit.time_count);
	warn(&fit, rows.features);
	PG_RETURN_POINTER(scoring_model_value(&m, CurrentMemoryContext));
}

/* survival_probability(m, features float8[], time float8) */
Datum
crm_survival_probability(PG_FUNCTION_ARGS)
{
	scoring_site *site = scoring_site_of(fcinfo, 0);
	double		time = scoring_number(PG_GETARG_FLOAT8(2), "time");

	scoring_require_kind(site->model, &crm_model_cox);
	PG_RETURN_FLOAT8(scoring_finite(crm_cox_survival(site->model, crm_score(&site->scorer, scoring_row(site, PG_GETARG_ARRAYTYPE_P(1))), time)));
}
