/*
 * concordance.c - the aggregates concordance_agg, concordance_interval_agg and
 * concordance_gain_agg.
 *
 * Rows are kept as trainers keep theirs: the label is the time, the weight tells who
 * left, the features are one score or two.
 */
#include "scoring/rows_state.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/agg_state.h"
#include "kernel/concordance.h"
#include "scoring/training.h"

CRM_FUNCTION(crm_concordance_transfn);
CRM_FUNCTION(crm_concordance_combinefn);
CRM_FUNCTION(crm_concordance_finalfn);
CRM_FUNCTION(crm_concordance_interval_finalfn);
CRM_FUNCTION(crm_concordance_gain_finalfn);

#define STAYED 1
#define LEFT 2

static const scoring_rows_use concordance_use = {
	.number = 12,
	.function = "concordance_agg",
	.most_features = 2,
	.options_size = 0
};

/* concordance_transfn(state, duration float8, event boolean, score float8 [, other float8]) */
Datum
crm_concordance_transfn(PG_FUNCTION_ARGS)
{
	MemoryContext aggcontext;
	scoring_rows *state;
	int			scores = PG_NARGS() - 3;
	double		score[2];
	double		duration;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "concordance_transfn called in non-aggregate context");
	for (int i = 1; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i))
			return crm_agg_unchanged(fcinfo);
	duration = scoring_number(PG_GETARG_FLOAT8(1), "duration");
	if (duration < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("duration must not be negative: %g", duration)));
	for (int i = 0; i < scores; i++)
		score[i] = scoring_number(PG_GETARG_FLOAT8(3 + i), "score");
	state = scoring_rows_state(fcinfo, aggcontext, &concordance_use, "", scores);
	scoring_rows_add(state, duration, PG_GETARG_BOOL(2) ? LEFT : STAYED, score);
	return EOHPGetRWDatum(&state->header);
}

Datum
crm_concordance_combinefn(PG_FUNCTION_ARGS)
{
	return scoring_rows_combine(fcinfo, &concordance_use);
}

static crm_survivor *
gather(const scoring_rows *state, int scores)
{
	crm_survivor *rows;
	crm_survivor *row;

	if (scoring_rows_features(state) != scores)
		crm_agg_state_damaged("A state of concordance_agg has another number of scores.");
	scoring_require_work("concordance_agg", (double) state->columns.bytes + (double) crm_concordance_bytes(state->columns.rows),
						 psprintf("%llu rows are kept; to compare them takes %zu bytes for each besides.", (unsigned long long) state->columns.rows,
								  crm_concordance_bytes(1000) / 1000),
						 "take a sample of the rows, such as those with hashint8extended(id, 0) & 7 = 0");
	row = rows = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(crm_survivor) * (Size) (state->columns.rows + 1));
	for (Size part = 0; part < crm_columns_parts(&state->columns); part++)
	{
		uint32		count = crm_columns_part_rows(&state->columns, part);
		double		times[CRM_COLUMNS_MAX_BLOCK];
		double		events[CRM_COLUMNS_MAX_BLOCK];
		double		first[CRM_COLUMNS_MAX_BLOCK];
		double		second[CRM_COLUMNS_MAX_BLOCK] = {0};

		CHECK_FOR_INTERRUPTS();
		crm_columns_read(&state->columns, part, SCORING_ROWS_LABEL, times);
		crm_columns_read(&state->columns, part, SCORING_ROWS_WEIGHT, events);
		crm_columns_read(&state->columns, part, SCORING_ROWS_FEATURES, first);
		if (scores > 1)
			crm_columns_read(&state->columns, part, SCORING_ROWS_FEATURES + 1, second);
		for (uint32 i = 0; i < count; i++)
		{
			if (!isfinite(times[i]) || !isfinite(first[i]) || !isfinite(second[i]))
				crm_agg_state_damaged("A number in a state of concordance_agg is not one.");
			*row++ = (crm_survivor) {times[i], first[i], second[i], events[i] == LEFT};
		}
	}
	return rows;
}

static bool
measure(FunctionCallInfo fcinfo, int scores, crm_concordance *result)
{
	const scoring_rows *state = scoring_rows_final(fcinfo, &concordance_use);
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_survivor *rows;

	if (state == NULL)
		return false;
	rows = gather(state, scores);
	crm_check(crm_concordance_of(&env, rows, (size_t) state->columns.rows, scores > 1, result), "crm.agg_state", false);
	pfree(rows);
	return !isnan(result->value);
}

Datum
crm_concordance_finalfn(PG_FUNCTION_ARGS)
{
	crm_concordance result;

	if (!measure(fcinfo, 1, &result))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(result.value);
}

static Datum
numbers(const double *values, int count)
{
	Datum		elements[3];

	for (int i = 0; i < count; i++)
		elements[i] = Float8GetDatum(values[i]);
	return PointerGetDatum(construct_array(elements, count, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* {value, lower, upper} */
Datum
crm_concordance_interval_finalfn(PG_FUNCTION_ARGS)
{
	crm_concordance result;

	if (!measure(fcinfo, 1, &result))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(numbers((double[]) {result.value, fmax(result.value - SCORING_CERTAINTY * result.error, 0), fmin(result.value + SCORING_CERTAINTY * result.error, 1)}, 3));
}

/* {other - score, standard error} */
Datum
crm_concordance_gain_finalfn(PG_FUNCTION_ARGS)
{
	crm_concordance result;

	if (!measure(fcinfo, 2, &result))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(numbers((double[]) {result.gain, result.gain_error}, 2));
}
