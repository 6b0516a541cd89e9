/*
 * activity_make.c - activities from rows and from timelines.
 *
 * The state of activity_agg is a state of events: for periods of the calendar
 * an event's time is its period's number, and equal periods are put together
 * before the state grows.  For 24 hours it is the time, as only the end tells
 * which start was the first.
 */
#include "behavior/activity.h"
#include "behavior/behavior.h"

#include "common/bridge.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_activity_agg_transfn);
CRM_FUNCTION(crm_activity_agg_combinefn);
CRM_FUNCTION(crm_activity_agg_finalfn);

/* Sorts what a full state of calendar periods holds, and puts equal periods together. */
static void
compact(event_state *state)
{
	const crm_event *events = event_state_sorted(state);
	uint32		kept = 0;

	for (uint32 i = 0; i < state->count;)
	{
		crm_event	period = events[i++];

		for (; i < state->count && events[i].at == period.at; i++)
			period.met |= events[i].met;
		event_state_put(state, kept++, &period);
	}
	state->count = kept;
	pfree((crm_event *) events);
}

/*
 * activity_agg_transfn(state, period text, zone text, ts timestamptz [, start boolean [, back boolean]])
 *
 * Without zone: activity_agg_transfn(state, period text, ts timestamptz).  Without
 * conditions every row is both a start and a return; with start alone every
 * row is a return.
 */
Datum
crm_activity_agg_transfn(PG_FUNCTION_ARGS)
{
	int			ts = PG_NARGS() == 3 ? 2 : 3;
	event_parameters parameters = {.conditions = 2};
	activity_maker *maker;
	uint64		met;
	int64		at;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "activity_agg_transfn called in non-aggregate context");
	if (PG_ARGISNULL(1) || (ts == 3 && PG_ARGISNULL(2)))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", PG_ARGISNULL(1) ? "period" : "zone")));
	maker = fcinfo->flinfo->fn_extra;
	if (maker == NULL)
		maker = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(activity_maker));
	if (ts == 3)
		activity_maker_set(maker, PG_GETARG_TEXT_PP(1), PG_GETARG_TEXT_PP(2));
	else
	{
		text	   *utc = cstring_to_text("UTC");

		activity_maker_set(maker, PG_GETARG_TEXT_PP(1), utc);
		pfree(utc);
	}
	parameters.pattern = (const char *) maker->head.bytes;
	parameters.pattern_length = maker->head.size;

	met = PG_NARGS() <= 4 || (!PG_ARGISNULL(4) && PG_GETARG_BOOL(4)) ? ACTIVITY_STARTED : 0;
	if (PG_NARGS() <= 5 || (!PG_ARGISNULL(5) && PG_GETARG_BOOL(5)))
		met |= ACTIVITY_BACK;
	if (PG_ARGISNULL(ts) || met == 0)
		return event_state_unchanged(fcinfo, CRM_STATE_ACTIVITY, &parameters);

	at = behavior_finite(PG_GETARG_TIMESTAMPTZ(ts));
	if (maker->period != ACTIVITY_24_HOURS)
	{
		at = behavior_calendar_number(&maker->calendar, at);
		if (!PG_ARGISNULL(0))
		{
			event_state *state = event_state_fetch(PG_GETARG_DATUM(0), CRM_STATE_ACTIVITY);
			crm_event	last = {0};

			if (state->count > 0)
				last = event_state_get(state, state->count - 1);
			/* The last row's period, as it mostly is; a change of parameters is noticed with the next other one. */
			if (state->count > 0 && last.at == at &&
				state->pattern_length == parameters.pattern_length &&
				memcmp(state->data, parameters.pattern, parameters.pattern_length) == 0)
			{
				last.met |= met;
				event_state_put(state, state->count - 1, &last);
				PG_RETURN_POINTER(state);
			}
			if (state->count == state->room)
			{
				compact(state);
				/* Leave place for as many rows as were just put together, lest each one more be sorted anew. */
				state = event_state_room(state, state->count);
				fcinfo->args[0].value = PointerGetDatum(state);
			}
		}
	}
	return event_state_add(fcinfo, CRM_STATE_ACTIVITY, &parameters, at, met);
}

Datum
crm_activity_agg_combinefn(PG_FUNCTION_ARGS)
{
	return event_state_combine(fcinfo, CRM_STATE_ACTIVITY);
}

Datum
crm_activity_agg_finalfn(PG_FUNCTION_ARGS)
{
	const event_state *state;
	activity_maker *maker;
	activity_writer writer = {.context = CurrentMemoryContext};
	text	   *period;
	text	   *zone;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "activity_agg_finalfn called in non-aggregate context");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = event_state_fetch(PG_GETARG_DATUM(0), CRM_STATE_ACTIVITY);
	maker = fcinfo->flinfo->fn_extra;
	if (maker == NULL)
		maker = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(activity_maker));
	if (maker->head.size != state->pattern_length || memcmp(maker->head.bytes, state->data, state->pattern_length) != 0)
	{
		const uint8 *head = (const uint8 *) state->data;

		if (state->pattern_length < ACTIVITY_HEAD || state->pattern_length != ACTIVITY_HEAD + head[3] ||
			head[0] != ACTIVITY_VERSION || head[1] < ACTIVITY_DAY || head[1] > ACTIVITY_24_HOURS || head[2] < 1 || head[2] > 7)
			crm_agg_state_damaged("The head of a state of activity is none.");
		period = cstring_to_text(activity_period_name(head));
		zone = cstring_to_text_with_len((const char *) head + ACTIVITY_HEAD, head[3]);
		activity_maker_set(maker, period, zone);
	}
	activity_write_events(&writer, maker, event_state_sorted(state), state->count);
	PG_RETURN_DATUM(activity_written(&writer));
}
