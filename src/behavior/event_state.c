/*
 * event_state.c - one customer's events as an aggregate's state.
 */
#include "behavior/behavior.h"

#include "common/bridge.h"
#include "kernel/funnel.h"

#define EVENT_STATE_VERSION 1
#define FIRST_ROOM 4
#define MAX_MODE CRM_FUNNEL_MODES

static Size
state_size(Size pattern_length, Size room)
{
	return offsetof(event_state, data) + MAXALIGN(pattern_length) + room * sizeof(crm_event);
}

event_state *
event_state_fetch(Datum value, crm_state_kind kind)
{
	event_state *state = (event_state *) crm_agg_state_fetch(value, kind, EVENT_STATE_VERSION, state_size(0, 0));

	if (state->count > state->room || state->mode > MAX_MODE || state->conditions < 1 || state->conditions > CRM_MAX_CONDITIONS ||
		state->within < 0 || state->pattern_length > MaxAllocSize || *(const uint8 *) &state->sorted > 1 ||
		VARSIZE(state) != state_size(state->pattern_length, state->room))
		crm_agg_state_damaged("A number in a state of events is out of its range.");
	return state;
}

static event_state *
new_state(crm_state_kind kind, const event_parameters *parameters, Size room)
{
	Size		size = state_size(parameters->pattern_length, room);
	event_state *state;

	crm_check_size(size, "crm.agg_state");
	state = palloc(size);
	crm_agg_state_init(state, size, kind, EVENT_STATE_VERSION);
	state->within = parameters->within;
	state->count = 0;
	state->room = room;
	state->conditions = parameters->conditions;
	state->mode = parameters->mode;
	state->sorted = true;
	state->pattern_length = parameters->pattern_length;
	memset(state->data, 0, MAXALIGN(parameters->pattern_length));
	if (parameters->pattern_length > 0)
		memcpy(state->data, parameters->pattern, parameters->pattern_length);
	return state;
}

/*
 * The state with place for more events.  A larger one is made in short-lived
 * memory: the executor copies it and frees the old one.
 */
event_state *
event_state_room(event_state *state, Size more)
{
	Size		needed = state->count + more;
	event_parameters parameters = {state->within, state->mode, state->data, state->pattern_length, state->conditions};
	Size		most = (MaxAllocSize - state_size(state->pattern_length, 0)) / sizeof(crm_event);
	event_state *larger;

	if (needed <= state->room)
		return state;
	if (needed > most)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many events in one group"),
				 errdetail("A group holds at most %zu events that meet a condition.", most)));
	larger = new_state(state->kind, &parameters, Min(Max(needed, (Size) state->room * 2), most));
	larger->count = state->count;
	larger->sorted = state->sorted;
	memcpy(event_state_events(larger), event_state_events(state), state->count * sizeof(crm_event));
	/* The rest is copied along with the state, so it must hold something. */
	memset(event_state_events(larger) + larger->count, 0, (larger->room - larger->count) * sizeof(crm_event));
	return larger;
}

static void
check_parameters(const event_state *state, const event_parameters *parameters)
{
	if (state->conditions != parameters->conditions)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of conditions changes within a group: %d, then %d",
						state->conditions, parameters->conditions)));
	if (state->within != parameters->within || state->mode != parameters->mode ||
		state->pattern_length != parameters->pattern_length ||
		(state->pattern_length > 0 && memcmp(state->data, parameters->pattern, state->pattern_length) != 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("arguments before the time must be the same for all rows of a group")));
}

Datum
event_state_unchanged(FunctionCallInfo fcinfo, crm_state_kind kind, const event_parameters *parameters)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	check_parameters(event_state_fetch(PG_GETARG_DATUM(0), kind), parameters);
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

Datum
event_state_add(FunctionCallInfo fcinfo, crm_state_kind kind, const event_parameters *parameters,
				TimestampTz at, uint64 met)
{
	crm_event	event = {at, met};
	event_state *state;
	crm_event  *events;

	if (PG_ARGISNULL(0))
	{
		state = new_state(kind, parameters, FIRST_ROOM);
		memset(event_state_events(state), 0, FIRST_ROOM * sizeof(crm_event));
	}
	else
	{
		state = event_state_fetch(PG_GETARG_DATUM(0), kind);
		check_parameters(state, parameters);
		state = event_state_room(state, 1);
	}
	events = event_state_events(state);
	if (state->count > 0 && crm_event_before(&event, &events[state->count - 1]))
		state->sorted = false;
	events[state->count++] = event;
	PG_RETURN_POINTER(state);
}

/* Appends the other side's events; runs that were in order are merged as such when the result is asked for. */
Datum
event_state_combine(FunctionCallInfo fcinfo, crm_state_kind kind)
{
	event_state *state;
	event_state *other;
	event_parameters parameters;
	crm_event  *events;
	const crm_event *others;
	uint64		valid;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "combine function called in non-aggregate context");
	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	other = event_state_fetch(PG_GETARG_DATUM(1), kind);
	others = event_state_events(other);
	valid = ~UINT64CONST(0) >> (CRM_MAX_CONDITIONS - other->conditions);
	for (uint32 i = 0; i < other->count; i++)
		if ((others[i].met & ~valid) != 0 || !IS_VALID_TIMESTAMP(others[i].at) ||
			(other->sorted && i > 0 && crm_event_before(&others[i], &others[i - 1])))
			crm_agg_state_damaged("An event in a state is out of its range.");
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(other);
	state = event_state_fetch(PG_GETARG_DATUM(0), kind);
	parameters = (event_parameters) {other->within, other->mode, other->data, other->pattern_length, other->conditions};
	check_parameters(state, &parameters);
	if (other->count == 0)
		PG_RETURN_POINTER(state);
	state = event_state_room(state, other->count);
	events = event_state_events(state);
	if (!other->sorted || (state->count > 0 && crm_event_before(&others[0], &events[state->count - 1])))
		state->sorted = false;
	memcpy(events + state->count, others, other->count * sizeof(crm_event));
	state->count += other->count;
	PG_RETURN_POINTER(state);
}

const crm_event *
event_state_sorted(const event_state *state)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_event  *copy;

	if (state->sorted)
		return event_state_events(state);
	copy = MemoryContextAllocHuge(CurrentMemoryContext, Max(state->count, 1) * sizeof(crm_event));
	memcpy(copy, event_state_events(state), state->count * sizeof(crm_event));
	crm_check(crm_events_sort(&env, copy, state->count), "crm.agg_state", false);
	return copy;
}
