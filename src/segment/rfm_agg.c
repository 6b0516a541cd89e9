/*
 * rfm_agg.c - the aggregate rfm_agg: one customer's last event, number of
 * events and sum of amounts.
 *
 * There may be millions of customers, so the state is one flat value that is
 * changed in place: 64 bytes, what the allocator takes for less, too, unless
 * amounts of very different size need more parts to be summed exactly.  A state
 * that grew would no longer lie beside the group's entry of the hash table.
 */
#include "segment/rfm.h"

#include <math.h>

#include "common/agg_state.h"
#include "common/decimal.h"
#include "common/int.h"
#include "funcapi.h"

CRM_FUNCTION(crm_rfm_agg_transfn);
CRM_FUNCTION(crm_rfm_agg_numeric_transfn);
CRM_FUNCTION(crm_rfm_agg_combinefn);
CRM_FUNCTION(crm_rfm_agg_finalfn);
CRM_FUNCTION(crm_rfm_summary);
CRM_FUNCTION(crm_rfm_summary_numeric);

#define RFM_STATE_VERSION 1
#define FIRST_ROOM 4
#define MAX_ROOM 4096

typedef struct rfm_state
{
	/* the header of crm_agg_state, which cannot be a member as it ends openly */
	int32		vl_len_;
	uint16		magic;
	uint8		kind;
	uint8		version;
	TimestampTz last_at;
	int64		frequency;
	uint32		parts;
	uint32		room;
	float8		part[FLEXIBLE_ARRAY_MEMBER];
} rfm_state;

static Size
state_size(uint32 room)
{
	return offsetof(rfm_state, part) + room * sizeof(float8);
}

static rfm_state *
new_state(uint32 room)
{
	rfm_state  *state = palloc0(state_size(room));

	crm_agg_state_init(state, state_size(room), CRM_STATE_RFM, RFM_STATE_VERSION);
	state->last_at = DT_NOBEGIN;
	state->room = room;
	return state;
}

static rfm_state *
fetch_state(Datum value)
{
	rfm_state  *state = (rfm_state *) crm_agg_state_fetch(value, CRM_STATE_RFM, RFM_STATE_VERSION, state_size(0));

	if (state->parts > state->room || state->room > MAX_ROOM || VARSIZE(state) != state_size(state->room) ||
		state->frequency < 1 || !IS_VALID_TIMESTAMP(state->last_at))
		crm_agg_state_damaged("A number in a state of rfm_agg is out of its range.");
	return state;
}

/* The state with the amount added, in a larger piece of memory if it needs one. */
static rfm_state *
add_amount(rfm_state *state, float8 amount)
{
	if (state->parts == state->room)
	{
		rfm_state  *larger = new_state(state->room * 2);

		larger->last_at = state->last_at;
		larger->frequency = state->frequency;
		larger->parts = state->parts;
		memcpy(larger->part, state->part, state->parts * sizeof(float8));
		state = larger;
	}
	if (crm_sum_add(state->part, &state->parts, amount) != CRM_OK)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("sum of amounts is out of range for double precision")));
	return state;
}

/* One event: amount is NULL or points to a number. */
static Datum
add_event(FunctionCallInfo fcinfo, const float8 *amount)
{
	rfm_state  *state;
	TimestampTz ts = PG_GETARG_TIMESTAMPTZ(1);

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "transition function of rfm_agg called in non-aggregate context");
	if (TIMESTAMP_NOT_FINITE(ts))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("time of an event must be finite")));

	/* A larger state is made in short-lived memory: the executor copies it and frees the old one. */
	state = PG_ARGISNULL(0) ? new_state(FIRST_ROOM) : fetch_state(PG_GETARG_DATUM(0));
	if (amount != NULL)
	{
		if (!isfinite(*amount))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("amount \"%g\" is not a finite number", *amount)));
		state = add_amount(state, *amount);
	}
	if (ts > state->last_at)
		state->last_at = ts;
	state->frequency++;
	PG_RETURN_POINTER(state);
}

/* A row without a time is no event and leaves the state as it is, even absent. */

/* rfm_agg_transfn(state, ts timestamptz, amount float8) */
Datum
crm_rfm_agg_transfn(PG_FUNCTION_ARGS)
{
	float8		amount;

	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	if (PG_ARGISNULL(2))
		return add_event(fcinfo, NULL);
	amount = PG_GETARG_FLOAT8(2);
	return add_event(fcinfo, &amount);
}

/* rfm_agg_transfn(state, ts timestamptz, amount numeric) */
Datum
crm_rfm_agg_numeric_transfn(PG_FUNCTION_ARGS)
{
	float8		amount;

	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	if (PG_ARGISNULL(2))
		return add_event(fcinfo, NULL);
	amount = crm_numeric_to_float8(PG_GETARG_DATUM(2));
	return add_event(fcinfo, &amount);
}

Datum
crm_rfm_agg_combinefn(PG_FUNCTION_ARGS)
{
	rfm_state  *state;
	rfm_state  *other;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "rfm_agg_combinefn called in non-aggregate context");
	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	other = fetch_state(PG_GETARG_DATUM(1));
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(other);
	state = fetch_state(PG_GETARG_DATUM(0));
	for (uint32 i = 0; i < other->parts; i++)
		state = add_amount(state, other->part[i]);
	state->last_at = Max(state->last_at, other->last_at);
	if (pg_add_s64_overflow(state->frequency, other->frequency, &state->frequency))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("number of events is out of range for bigint")));
	PG_RETURN_POINTER(state);
}

/* A crm.rfm_summary; its row type is kept in fn_extra. */
static Datum
summary_datum(FunctionCallInfo fcinfo, const rfm_summary *summary)
{
	TupleDesc	tupdesc = fcinfo->flinfo->fn_extra;
	Datum		values[RFM_MEASURES] = {0};

	if (tupdesc == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE || tupdesc->natts != RFM_MEASURES)
			elog(ERROR, "a summary must be a row of three columns");
		tupdesc = BlessTupleDesc(CreateTupleDescCopy(tupdesc));
		fcinfo->flinfo->fn_extra = tupdesc;
		MemoryContextSwitchTo(old);
	}
	if (!summary->isnull[RFM_RECENCY])
		values[RFM_RECENCY] = TimestampTzGetDatum(summary->last_at);
	if (!summary->isnull[RFM_FREQUENCY])
		values[RFM_FREQUENCY] = Int64GetDatum(summary->frequency);
	if (!summary->isnull[RFM_MONETARY])
		values[RFM_MONETARY] = Float8GetDatum(summary->monetary);
	return HeapTupleGetDatum(heap_form_tuple(tupdesc, values, (bool *) summary->isnull));
}

/* No events: no last one, none counted, nothing spent. */
Datum
crm_rfm_agg_finalfn(PG_FUNCTION_ARGS)
{
	rfm_summary summary = {{true, false, false}, 0, 0, 0};

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "rfm_agg_finalfn called in non-aggregate context");
	if (!PG_ARGISNULL(0))
	{
		const rfm_state *state = fetch_state(PG_GETARG_DATUM(0));

		summary.isnull[RFM_RECENCY] = false;
		summary.last_at = state->last_at;
		summary.frequency = state->frequency;
		summary.monetary = crm_sum_round(state->part, state->parts);
	}
	return summary_datum(fcinfo, &summary);
}

/* rfm_summary(last_at timestamptz, frequency bigint, monetary float8) */
Datum
crm_rfm_summary(PG_FUNCTION_ARGS)
{
	rfm_summary summary;

	rfm_summary_from_arguments(fcinfo, 0, false, &summary);
	return summary_datum(fcinfo, &summary);
}

/* rfm_summary(last_at timestamptz, frequency bigint, monetary numeric) */
Datum
crm_rfm_summary_numeric(PG_FUNCTION_ARGS)
{
	rfm_summary summary;

	rfm_summary_from_arguments(fcinfo, 0, true, &summary);
	return summary_datum(fcinfo, &summary);
}
