/*
 * bins_agg.c - aggregates that find cuts: quantiles, equal widths, and those
 * that a label asks for.
 */
#include "segment/bins.h"

#include <math.h>

#include "segment/values_state.h"

CRM_FUNCTION(crm_quantile_bins_agg_transfn);
CRM_FUNCTION(crm_quantile_bins_agg_combinefn);
CRM_FUNCTION(crm_quantile_bins_agg_finalfn);
CRM_FUNCTION(crm_equal_width_bins_agg_transfn);
CRM_FUNCTION(crm_equal_width_bins_agg_combinefn);
CRM_FUNCTION(crm_equal_width_bins_agg_finalfn);
CRM_FUNCTION(crm_tree_bins_agg_transfn);
CRM_FUNCTION(crm_tree_bins_agg_combinefn);
CRM_FUNCTION(crm_tree_bins_agg_finalfn);
CRM_FUNCTION(crm_monotone_bins_agg_transfn);
CRM_FUNCTION(crm_monotone_bins_agg_combinefn);
CRM_FUNCTION(crm_monotone_bins_agg_finalfn);

static const segment_values_use quantile_use = {CRM_STATE_QUANTILE_BINS, 1, "quantile_bins_agg", true};
static const segment_values_use tree_use = {CRM_STATE_TREE_BINS, 1, "tree_bins_agg", true};
static const segment_values_use monotone_use = {CRM_STATE_MONOTONE_BINS, 1, "monotone_bins_agg", true};

/* Of the rows, in a bin that a label asks for, unless said. */
#define USUAL_SHARE 0.05

static int32
bins_argument(FunctionCallInfo fcinfo, const char *function)
{
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of bins of %s must not be NULL", function)));
	return PG_GETARG_INT32(1);
}

/* ---- quantiles ------------------------------------------------------------- */

/* quantile_bins_agg_transfn(state, n int, value float8) */
Datum
crm_quantile_bins_agg_transfn(PG_FUNCTION_ARGS)
{
	int32		bins = bins_argument(fcinfo, quantile_use.function);

	if (PG_ARGISNULL(2))
		return crm_agg_unchanged(fcinfo);
	return segment_values_add(segment_values_state(fcinfo, &quantile_use, bins, 0), false, PG_GETARG_FLOAT8(2));
}

Datum
crm_quantile_bins_agg_combinefn(PG_FUNCTION_ARGS)
{
	return segment_values_combine(fcinfo, &quantile_use);
}

/* No values: NULL. */
Datum
crm_quantile_bins_agg_finalfn(PG_FUNCTION_ARGS)
{
	const segment_values *state = segment_values_final(fcinfo, &quantile_use);
	crm_env		env = crm_env_in(CurrentMemoryContext);
	double		cuts[CRM_BINS_MAX_CUTS];
	uint32		count;

	if (state == NULL)
		PG_RETURN_NULL();
	crm_check(crm_bins_quantiles(&env, &state->values[0], (uint32) state->bins, cuts, &count), "crm.agg_state", false);
	PG_RETURN_POINTER(segment_bins_value(true, cuts, count));
}

/* ---- equal widths -------------------------------------------------------------- */

#define WIDTH_STATE_VERSION 1
#define WIDTH_STATE_SIZE (CRM_AGG_STATE_HEADER + 24)

/* After the header: number of bins (4 bytes), 4 bytes 0, least and greatest number. */
typedef struct width_state
{
	int32		bins;
	double		low;
	double		high;
} width_state;

static width_state
read_width(Datum value, crm_agg_state **flat)
{
	width_state state;
	uint64		bits[2];

	*flat = crm_agg_state_fetch(value, CRM_STATE_EQUAL_WIDTH, WIDTH_STATE_VERSION, WIDTH_STATE_SIZE);
	state.bins = (int32) crm_load32((*flat)->data);
	bits[0] = crm_load64((*flat)->data + 8);
	bits[1] = crm_load64((*flat)->data + 16);
	memcpy(&state.low, &bits[0], sizeof(double));
	memcpy(&state.high, &bits[1], sizeof(double));
	if (VARSIZE(*flat) != WIDTH_STATE_SIZE || state.bins < 1 || state.bins > CRM_RFM_MAX_BINS ||
		!isfinite(state.low) || !isfinite(state.high) || state.low > state.high)
		crm_agg_state_damaged("A state of equal_width_bins_agg is impossible.");
	return state;
}

static void
write_width(char *data, const width_state *state)
{
	uint64		bits[2];

	memcpy(&bits[0], &state->low, sizeof(double));
	memcpy(&bits[1], &state->high, sizeof(double));
	crm_store32(data, (uint32) state->bins);
	crm_store32(data + 4, 0);
	crm_store64(data + 8, bits[0]);
	crm_store64(data + 16, bits[1]);
}

/* The state with another range: in place where it lies in the aggregate's memory, as arguments of a transition do. */
static Datum
widen(FunctionCallInfo fcinfo, const width_state *more)
{
	MemoryContext aggcontext;
	crm_agg_state *flat;
	width_state state;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "transition function of equal_width_bins_agg called in non-aggregate context");
	if (PG_ARGISNULL(0))
	{
		flat = MemoryContextAllocZero(aggcontext, WIDTH_STATE_SIZE);
		crm_agg_state_init(flat, WIDTH_STATE_SIZE, CRM_STATE_EQUAL_WIDTH, WIDTH_STATE_VERSION);
		state = *more;
	}
	else
	{
		state = read_width(PG_GETARG_DATUM(0), &flat);
		if (state.bins != more->bins)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("number of bins of equal_width_bins_agg must be the same for all rows of one group")));
		state.low = Min(state.low, more->low);
		state.high = Max(state.high, more->high);
	}
	write_width(flat->data, &state);
	PG_RETURN_POINTER(flat);
}

/* equal_width_bins_agg_transfn(state, n int, value float8) */
Datum
crm_equal_width_bins_agg_transfn(PG_FUNCTION_ARGS)
{
	width_state more = {bins_argument(fcinfo, "equal_width_bins_agg")};

	segment_check_bins(more.bins, "equal_width_bins_agg");
	if (PG_ARGISNULL(2))
		return crm_agg_unchanged(fcinfo);
	more.low = more.high = PG_GETARG_FLOAT8(2) + 0.0;
	if (!isfinite(more.low))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value \"%g\" of equal_width_bins_agg is not a finite number", more.low),
				 errhint("Make it NULL: it has no place among the others then.")));
	return widen(fcinfo, &more);
}

Datum
crm_equal_width_bins_agg_combinefn(PG_FUNCTION_ARGS)
{
	crm_agg_state *flat;
	width_state more;

	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	more = read_width(PG_GETARG_DATUM(1), &flat);
	return widen(fcinfo, &more);
}

/* No values: NULL. */
Datum
crm_equal_width_bins_agg_finalfn(PG_FUNCTION_ARGS)
{
	crm_agg_state *flat;
	width_state state;
	double		cuts[CRM_BINS_MAX_CUTS];
	uint32		count;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = read_width(PG_GETARG_DATUM(0), &flat);
	crm_bins_equal_width(state.low, state.high, (uint32) state.bins, cuts, &count);
	PG_RETURN_POINTER(segment_bins_value(false, cuts, count));
}

/* ---- with a label ---------------------------------------------------------------- */

/* (state, n int, [min_share float8,] value float8, label boolean) */
static Datum
add_labelled(FunctionCallInfo fcinfo, const segment_values_use *use)
{
	int			value = PG_NARGS() - 2;
	int32		bins = bins_argument(fcinfo, use->function);
	float8		min_share = USUAL_SHARE;

	if (value == 3)
	{
		if (PG_ARGISNULL(2))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("min_share of %s must not be NULL", use->function)));
		min_share = PG_GETARG_FLOAT8(2);
	}
	if (PG_ARGISNULL(value) || PG_ARGISNULL(value + 1))
		return crm_agg_unchanged(fcinfo);
	return segment_values_add(segment_values_state(fcinfo, use, bins, min_share), PG_GETARG_BOOL(value + 1), PG_GETARG_FLOAT8(value));
}

static double *
numbers_of(const crm_rfm_values *values)
{
	double	   *numbers = MemoryContextAllocHuge(CurrentMemoryContext, Max(values->total, 1) * sizeof(double));
	uint64		at = 0;

	for (const crm_rfm_chunk *chunk = values->first; chunk != NULL; chunk = chunk->next)
	{
		memcpy(numbers + at, chunk->values, chunk->used * sizeof(double));
		at += chunk->used;
	}
	return numbers;
}

typedef crm_status (*supervised) (const crm_env *env, const crm_scores *sorted, uint32_t bins, double min_share, double *cuts, uint32_t *count);

/* No rows: NULL. */
static Datum
finish_labelled(FunctionCallInfo fcinfo, const segment_values_use *use, supervised find)
{
	const segment_values *state = segment_values_final(fcinfo, use);
	MemoryContext work;
	MemoryContext old;
	crm_env		env;
	crm_scores	scores;
	double		cuts[CRM_BINS_MAX_CUTS];
	uint32		count;

	if (state == NULL)
		PG_RETURN_NULL();
	work = AllocSetContextCreate(CurrentMemoryContext, "crm bins", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(work);
	env = crm_env_in(work);
	scores = (crm_scores) {numbers_of(&state->values[1]), numbers_of(&state->values[0]), state->values[1].total, state->values[0].total};
	crm_check(crm_scores_sort(&env, &scores), "crm.agg_state", false);
	crm_check(find(&env, &scores, (uint32) state->bins, state->min_share, cuts, &count), "crm.agg_state", false);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);
	PG_RETURN_POINTER(segment_bins_value(false, cuts, count));
}

Datum
crm_tree_bins_agg_transfn(PG_FUNCTION_ARGS)
{
	return add_labelled(fcinfo, &tree_use);
}

Datum
crm_tree_bins_agg_combinefn(PG_FUNCTION_ARGS)
{
	return segment_values_combine(fcinfo, &tree_use);
}

Datum
crm_tree_bins_agg_finalfn(PG_FUNCTION_ARGS)
{
	return finish_labelled(fcinfo, &tree_use, crm_bins_tree);
}

Datum
crm_monotone_bins_agg_transfn(PG_FUNCTION_ARGS)
{
	return add_labelled(fcinfo, &monotone_use);
}

Datum
crm_monotone_bins_agg_combinefn(PG_FUNCTION_ARGS)
{
	return segment_values_combine(fcinfo, &monotone_use);
}

Datum
crm_monotone_bins_agg_finalfn(PG_FUNCTION_ARGS)
{
	return finish_labelled(fcinfo, &monotone_use, crm_bins_monotone);
}
