/*
 * measures.c - aggregates that judge scores: AUC, KS, gain and calibration
 * tables, log loss and Brier score, each with its uncertainty.
 *
 * Those that rank keep label and score of each row, and share one state in a
 * query; the two sums keep sums.
 */
#include "scoring/rows_state.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/agg_state.h"
#include "common/result_rows.h"
#include "funcapi.h"
#include "kernel/scores.h"
#include "kernel/significance.h"
#include "kernel/twofold.h"
#include "scoring/measures.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

CRM_FUNCTION(crm_scores_transfn);
CRM_FUNCTION(crm_scores_combinefn);
CRM_FUNCTION(crm_auc_finalfn);
CRM_FUNCTION(crm_auc_interval_finalfn);
CRM_FUNCTION(crm_ks_finalfn);
CRM_FUNCTION(crm_score_bins_transfn);
CRM_FUNCTION(crm_score_bins_combinefn);
CRM_FUNCTION(crm_gain_table_finalfn);
CRM_FUNCTION(crm_calibration_table_finalfn);
CRM_FUNCTION(crm_log_loss_transfn);
CRM_FUNCTION(crm_brier_transfn);
CRM_FUNCTION(crm_losses_combinefn);
CRM_FUNCTION(crm_losses_finalfn);
CRM_FUNCTION(crm_losses_interval_finalfn);

/* ---- composite results ------------------------------------------------------- */

Datum
scoring_estimate_of(FunctionCallInfo fcinfo, double estimate, double error, double lower, double upper)
{
	TupleDesc	desc = lookup_rowtype_tupdesc_copy(get_func_rettype(fcinfo->flinfo->fn_oid), -1);
	Datum		values[4] = {Float8GetDatum(estimate), Float8GetDatum(error), Float8GetDatum(lower), Float8GetDatum(upper)};
	bool		nulls[4] = {false, isnan(error), isnan(error), isnan(error)};

	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

Datum
scoring_estimate(FunctionCallInfo fcinfo, double estimate, double error, double least, double most)
{
	double		reach = SCORING_CERTAINTY * error;

	return scoring_estimate_of(fcinfo, estimate, error, Max(estimate - reach, least), Min(estimate + reach, most));
}

/* ---- rows of label and score --------------------------------------------------- */

typedef struct bins_options
{
	int64		bins;			/* 0 where there are none */
} bins_options;

StaticAssertDecl(sizeof(bins_options) <= SCORING_ROWS_OPTIONS, "options do not fit the state");

#define MAX_BINS 10000

static bool
bins_are_valid(const void *bytes)
{
	bins_options options;

	memcpy(&options, bytes, sizeof(options));
	return options.bins >= 0 && options.bins <= MAX_BINS;
}

static const scoring_rows_use scores_use = {
	.number = 2,
	.function = "scores",
	.most_features = 1,
	.options_size = sizeof(bins_options),
	.options_are_valid = bins_are_valid,
	.labels = true
};

static Datum
add_score(FunctionCallInfo fcinfo, int label, const bins_options *options)
{
	MemoryContext aggcontext;
	scoring_rows *state;
	double		score;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "transition function of scores called in non-aggregate context");
	if (PG_ARGISNULL(label) || PG_ARGISNULL(label + 1))
		return crm_agg_unchanged(fcinfo);
	score = scoring_number(PG_GETARG_FLOAT8(label + 1), "score");
	state = scoring_rows_state(fcinfo, aggcontext, &scores_use, options, 1);
	scoring_rows_add(state, PG_GETARG_BOOL(label), 1, &score);
	return EOHPGetRWDatum(&state->header);
}

/* scores_transfn(state, label, score) */
Datum
crm_scores_transfn(PG_FUNCTION_ARGS)
{
	bins_options options = {0};

	return add_score(fcinfo, 1, &options);
}

/* score_bins_transfn(state, bins, label, score) */
Datum
crm_score_bins_transfn(PG_FUNCTION_ARGS)
{
	bins_options options;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("number of bins must not be null")));
	options.bins = PG_GETARG_INT32(1);
	if (options.bins < 1 || options.bins > MAX_BINS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid number of bins: %d", (int) options.bins),
				 errdetail("It is a number from 1 to %d.", MAX_BINS)));
	return add_score(fcinfo, 2, &options);
}

Datum
crm_scores_combinefn(PG_FUNCTION_ARGS)
{
	return scoring_rows_combine(fcinfo, &scores_use);
}

Datum
crm_score_bins_combinefn(PG_FUNCTION_ARGS)
{
	return scoring_rows_combine(fcinfo, &scores_use);
}

/* The scores of a state, sorted; false when there are no rows. */
static bool
sorted_scores(FunctionCallInfo fcinfo, crm_scores *scores, bins_options *options)
{
	const scoring_rows *state = scoring_rows_final(fcinfo, &scores_use);
	crm_env		env = crm_env_in(CurrentMemoryContext);
	double		labels[CRM_COLUMNS_MAX_BLOCK];
	double		values[CRM_COLUMNS_MAX_BLOCK];
	double	   *sorted;
	uint64		low = 0;
	uint64		high;

	if (state == NULL)
		return false;
	memcpy(options, state->options, sizeof(*options));
	/* Positives from the front, negatives from the back. */
	high = state->columns.rows;
	sorted = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * high);
	for (Size part = 0; part < crm_columns_parts(&state->columns); part++)
	{
		crm_columns_read(&state->columns, part, SCORING_ROWS_LABEL, labels);
		crm_columns_read(&state->columns, part, SCORING_ROWS_FEATURES, values);
		for (uint32 i = 0; i < crm_columns_part_rows(&state->columns, part); i++)
		{
			if (!isfinite(values[i]))
				crm_agg_state_damaged("A score in a state is not a finite number.");
			if (labels[i] > 0)
				sorted[low++] = values[i];
			else
				sorted[--high] = values[i];
		}
		CHECK_FOR_INTERRUPTS();
	}
	scores->positives = sorted;
	scores->positive_count = low;
	scores->negatives = sorted + low;
	scores->negative_count = state->columns.rows - low;
	crm_check(crm_scores_sort(&env, scores), "crm.agg_state", false);
	return true;
}

/* auc_agg(label, score) */
Datum
crm_auc_finalfn(PG_FUNCTION_ARGS)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_scores	scores;
	bins_options options;
	double		auc = sorted_scores(fcinfo, &scores, &options) ? crm_scores_auc(&env, &scores) : get_float8_nan();

	if (isnan(auc))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(auc);
}

/* auc_interval_agg(label, score) */
Datum
crm_auc_interval_finalfn(PG_FUNCTION_ARGS)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_scores	scores;
	bins_options options;
	double		auc = sorted_scores(fcinfo, &scores, &options) ? crm_scores_auc(&env, &scores) : get_float8_nan();

	if (isnan(auc))
		PG_RETURN_NULL();
	return scoring_estimate(fcinfo, auc, crm_scores_auc_error(&env, &scores, auc), 0, 1);
}

/* ks_agg(label, score) */
Datum
crm_ks_finalfn(PG_FUNCTION_ARGS)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_scores	scores;
	bins_options options;
	double		ks = sorted_scores(fcinfo, &scores, &options) ? crm_scores_ks(&env, &scores) : get_float8_nan();

	if (isnan(ks))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(ks);
}

/* ---- tables ---------------------------------------------------------------- */

static crm_score_bin *
score_bins(FunctionCallInfo fcinfo, bool descending, uint64 *bins, uint64 *rows, uint64 *positives)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_scores	scores;
	bins_options options;
	crm_score_bin *out;

	*bins = *rows = *positives = 0;
	if (!sorted_scores(fcinfo, &scores, &options))
		return NULL;
	*bins = (uint64) options.bins;
	*positives = scores.positive_count;
	*rows = scores.positive_count + scores.negative_count;
	out = palloc(sizeof(crm_score_bin) * Max(*bins, 1));
	crm_scores_bins(&env, &scores, descending, *bins, out);
	return out;
}

/* gain_table(bins, label, score): bin, rows, positives, rate, lift, cumulative_share */
Datum
crm_gain_table_finalfn(PG_FUNCTION_ARGS)
{
	uint64		bins;
	uint64		rows;
	uint64		positives;
	crm_score_bin *bin = score_bins(fcinfo, true, &bins, &rows, &positives);
	crm_result_rows table = crm_result_rows_begin(fcinfo, bins);
	uint64		reached = 0;

	for (uint64 i = 0; i < bins; i++)
	{
		double		rate = bin[i].rows > 0 ? (double) bin[i].positives / (double) bin[i].rows : 0;
		Datum		values[6];
		bool		nulls[6] = {false, false, false, bin[i].rows == 0, bin[i].rows == 0 || positives == 0, positives == 0};

		reached += bin[i].positives;
		values[0] = Int32GetDatum((int32) i + 1);
		values[1] = Int64GetDatum((int64) bin[i].rows);
		values[2] = Int64GetDatum((int64) bin[i].positives);
		values[3] = Float8GetDatum(rate);
		values[4] = Float8GetDatum(rate / ((double) positives / (double) rows));
		values[5] = Float8GetDatum((double) reached / (double) positives);
		crm_result_rows_add(&table, values, nulls);
	}
	PG_RETURN_DATUM(crm_result_rows_end(&table));
}

/* calibration_table(bins, label, score): bin, rows, positives, mean_score, rate, lower, upper; empty bins are left out */
Datum
crm_calibration_table_finalfn(PG_FUNCTION_ARGS)
{
	uint64		bins;
	uint64		rows;
	uint64		positives;
	crm_score_bin *bin = score_bins(fcinfo, false, &bins, &rows, &positives);
	crm_result_rows table = crm_result_rows_begin(fcinfo, bins);

	for (uint64 i = 0; i < bins; i++)
	{
		double		n = (double) bin[i].rows;
		double		rate = (double) bin[i].positives / n;
		double		lower;
		double		upper;
		Datum		values[7];
		bool		nulls[7] = {false};

		if (bin[i].rows == 0)
			continue;
		crm_wilson(rate, n, &lower, &upper);
		values[0] = Int32GetDatum((int32) i + 1);
		values[1] = Int64GetDatum((int64) bin[i].rows);
		values[2] = Int64GetDatum((int64) bin[i].positives);
		values[3] = Float8GetDatum(bin[i].sum / n);
		values[4] = Float8GetDatum(rate);
		values[5] = Float8GetDatum(lower);
		values[6] = Float8GetDatum(upper);
		crm_result_rows_add(&table, values, nulls);
	}
	PG_RETURN_DATUM(crm_result_rows_end(&table));
}

/* ---- sums of losses ----------------------------------------------------------- */

#define LOSSES_STATE_VERSION 1

typedef struct losses_state
{
	char		header[CRM_AGG_STATE_HEADER];
	uint64		rows;
	crm_twofold sum;
	crm_twofold squares;
} losses_state;

static losses_state *
fetch_losses(Datum value)
{
	losses_state *state = (losses_state *) crm_agg_state_fetch(value, CRM_STATE_LOSSES, LOSSES_STATE_VERSION, sizeof(losses_state));

	if (VARSIZE(state) != sizeof(losses_state) || state->rows > SCORING_MAX_ROWS || !(state->sum.high >= 0) || !(state->squares.high >= 0) ||
		!isfinite(state->sum.high) || !isfinite(state->squares.high) || !isfinite(state->sum.low) || !isfinite(state->squares.low))
		crm_agg_state_damaged("A state of losses is not one.");
	return state;
}

static double
probability_argument(FunctionCallInfo fcinfo, int argument)
{
	double		p = PG_GETARG_FLOAT8(argument);

	if (!(p >= 0 && p <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("score must be a probability, 0 to 1: %s", DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(p))))));
	return p;
}

static Datum
add_loss(FunctionCallInfo fcinfo, double (*loss_of) (bool label, double p))
{
	MemoryContext aggcontext;
	losses_state *state;
	double		loss;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "transition function of losses called in non-aggregate context");
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return crm_agg_unchanged(fcinfo);
	loss = loss_of(PG_GETARG_BOOL(1), probability_argument(fcinfo, 2));
	if (PG_ARGISNULL(0))
	{
		state = MemoryContextAllocZero(aggcontext, sizeof(losses_state));
		crm_agg_state_init(state, sizeof(losses_state), CRM_STATE_LOSSES, LOSSES_STATE_VERSION);
	}
	else
		state = fetch_losses(PG_GETARG_DATUM(0));
	state->rows++;
	state->sum = crm_twofold_add(state->sum, crm_twofold_of(loss));
	state->squares = crm_twofold_add(state->squares, crm_twofold_multiply(crm_twofold_of(loss), crm_twofold_of(loss)));
	PG_RETURN_POINTER(state);
}

/* As usual: a probability of exactly 0 or 1 counts as 1e-15 away from it. */
static double
log_loss(bool label, double p)
{
	p = label ? p : 1 - p;
	return -log(Max(p, 1e-15));
}

static double
brier_loss(bool label, double p)
{
	return (label - p) * (label - p);
}

Datum
crm_log_loss_transfn(PG_FUNCTION_ARGS)
{
	return add_loss(fcinfo, log_loss);
}

Datum
crm_brier_transfn(PG_FUNCTION_ARGS)
{
	return add_loss(fcinfo, brier_loss);
}

Datum
crm_losses_combinefn(PG_FUNCTION_ARGS)
{
	MemoryContext aggcontext;
	losses_state *state;
	losses_state *other;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "losses_combinefn called in non-aggregate context");
	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	other = fetch_losses(PG_GETARG_DATUM(1));
	if (PG_ARGISNULL(0))
	{
		state = MemoryContextAlloc(aggcontext, sizeof(losses_state));
		memcpy(state, other, sizeof(losses_state));
		PG_RETURN_POINTER(state);
	}
	state = fetch_losses(PG_GETARG_DATUM(0));
	state->rows += other->rows;
	state->sum = crm_twofold_add(state->sum, other->sum);
	state->squares = crm_twofold_add(state->squares, other->squares);
	PG_RETURN_POINTER(state);
}

static bool
mean_loss(FunctionCallInfo fcinfo, double *mean, double *error)
{
	losses_state *state;
	crm_twofold rows;
	crm_twofold about;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "final function of losses called in non-aggregate context");
	if (PG_ARGISNULL(0))
		return false;
	state = fetch_losses(PG_GETARG_DATUM(0));
	if (state->rows == 0)
		return false;
	rows = crm_twofold_of((double) state->rows);
	*mean = crm_twofold_round(crm_twofold_divide(state->sum, rows));
	about = crm_twofold_subtract(state->squares, crm_twofold_divide(crm_twofold_multiply(state->sum, state->sum), rows));
	*error = state->rows < 2 ? get_float8_nan() : sqrt(Max(crm_twofold_round(about), 0) / (rows.high - 1) / rows.high);
	return true;
}

/* log_loss_agg, brier_agg */
Datum
crm_losses_finalfn(PG_FUNCTION_ARGS)
{
	double		mean;
	double		error;

	if (!mean_loss(fcinfo, &mean, &error))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(mean);
}

/* log_loss_interval_agg, brier_interval_agg */
Datum
crm_losses_interval_finalfn(PG_FUNCTION_ARGS)
{
	double		mean;
	double		error;

	if (!mean_loss(fcinfo, &mean, &error))
		PG_RETURN_NULL();
	return scoring_estimate(fcinfo, mean, error, 0, get_float8_infinity());
}
