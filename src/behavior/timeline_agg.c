/*
 * timeline_agg.c - the aggregates timeline_agg, merge_agg and
 * merge_distinct_agg.
 */
#include "behavior/timeline_state.h"

#include <math.h>

#include "behavior/behavior.h"
#include "common/decimal.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_timeline_agg_transfn);
CRM_FUNCTION(crm_timeline_agg_numeric_transfn);
CRM_FUNCTION(crm_timeline_agg_combinefn);
CRM_FUNCTION(crm_timeline_agg_finalfn);
CRM_FUNCTION(crm_merge_agg_transfn);
CRM_FUNCTION(crm_merge_distinct_agg_finalfn);

/* Argument 0 as it is, even absent. */
/* Arguments: state, ts, event [, value [, attributes]]. */
static Datum
add_row(FunctionCallInfo fcinfo, bool numeric)
{
	timeline_row row = {0};
	text	   *name;
	StringInfoData attributes;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "transition function of timeline_agg called in non-aggregate context");
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return crm_agg_unchanged(fcinfo);
	row.at = behavior_finite(PG_GETARG_TIMESTAMPTZ(1));
	name = PG_GETARG_TEXT_PP(2);
	row.name = (crm_text) {VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)};
	if (row.name.size > CRM_TIMELINE_MAX_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("name of an event is too long: %zu bytes", row.name.size),
				 errdetail("It has at most %d bytes.", CRM_TIMELINE_MAX_NAME),
				 errhint("What differs from event to event belongs into attributes.")));
	if (PG_NARGS() > 3 && !PG_ARGISNULL(3))
	{
		row.has_value = true;
		row.value = numeric ? crm_numeric_to_float8(PG_GETARG_DATUM(3)) : PG_GETARG_FLOAT8(3);
		if (!isfinite(row.value))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("value of an event is not a finite number: \"%g\"", row.value)));
	}
	if (PG_NARGS() > 4 && !PG_ARGISNULL(4))
	{
		crm_attribute list[CRM_TIMELINE_MAX_CHANNELS];
		int			count = behavior_attributes(PG_GETARG_JSONB_P(4), list);

		initStringInfo(&attributes);
		timeline_state_attributes(&attributes, list, count);
		row.attributes = (crm_text) {attributes.data, attributes.len};
	}
	PG_RETURN_POINTER(timeline_state_add(timeline_state_argument(fcinfo, 0), &row));
}

Datum
crm_timeline_agg_transfn(PG_FUNCTION_ARGS)
{
	return add_row(fcinfo, false);
}

Datum
crm_timeline_agg_numeric_transfn(PG_FUNCTION_ARGS)
{
	return add_row(fcinfo, true);
}

/* merge_agg_transfn(state, t): the whole value goes into the log as it is. */
Datum
crm_merge_agg_transfn(PG_FUNCTION_ARGS)
{
	crm_timeline timeline;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "transition function of merge_agg called in non-aggregate context");
	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	behavior_timeline_open(PG_GETARG_DATUM(1), &timeline);
	if (timeline.count == 0)
		return crm_agg_unchanged(fcinfo);
	PG_RETURN_POINTER(timeline_state_add_piece(timeline_state_argument(fcinfo, 0), &timeline));
}

Datum
crm_timeline_agg_combinefn(PG_FUNCTION_ARGS)
{
	timeline_state *other;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "combine function called in non-aggregate context");
	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	other = timeline_state_argument(fcinfo, 1);
	PG_RETURN_POINTER(timeline_state_append(timeline_state_argument(fcinfo, 0), other));
}

static Datum
pack(FunctionCallInfo fcinfo, bool distinct)
{
	crm_timeline_writer **slot = behavior_cache(fcinfo, sizeof(crm_timeline_writer *));

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "final function of a timeline called in non-aggregate context");
	return timeline_state_pack(timeline_state_argument(fcinfo, 0), behavior_writer(fcinfo, slot), distinct);
}

/* No events: the empty timeline. */
Datum
crm_timeline_agg_finalfn(PG_FUNCTION_ARGS)
{
	return pack(fcinfo, false);
}

Datum
crm_merge_distinct_agg_finalfn(PG_FUNCTION_ARGS)
{
	return pack(fcinfo, true);
}
