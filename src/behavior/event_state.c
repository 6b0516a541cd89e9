/*
 * event_state.c - one customer's events as an aggregate's state.
 */
#include "behavior/behavior.h"

#include "common/bridge.h"
#include "kernel/funnel.h"
#include "port/pg_bitutils.h"

#define EVENT_STATE_VERSION 3
/*
 * The size of a new state, a whole chunk of PostgreSQL's allocator.  Twice as much would
 * spare customers of a dozen events and more a move, but most have fewer, and a state in
 * the hash table is memory for each of them.
 */
#define FIRST_SIZE 128
#define MAX_MODE CRM_FUNNEL_MODES
#define PROGRESS_STEP 4096

static inline Size
event_size(bool wide)
{
	return wide ? sizeof(crm_event) : sizeof(uint64);
}

/* What stands before the events. */
static inline Size
head_size(Size pattern_length)
{
	return offsetof(event_state, data) + MAXALIGN(pattern_length);
}

event_state *
event_state_fetch(Datum value, crm_state_kind kind)
{
	event_state *state = (event_state *) crm_agg_state_fetch(value, kind, EVENT_STATE_VERSION, head_size(0));

	if (state->count > state->room || state->mode > MAX_MODE || state->conditions < 1 || state->conditions > CRM_MAX_CONDITIONS ||
		state->within < 0 || state->pattern_length > MaxAllocSize || *(const uint8 *) &state->wide > 1 ||
		(!state->wide && state->conditions > CRM_PACKED_CONDITIONS) ||
		VARSIZE(state) != head_size(state->pattern_length) + state->room * event_size(state->wide))
		crm_agg_state_damaged("A number in a state of events is out of its range.");
	return state;
}

/* A state without events, with room for so many at least: as many as fit what the allocator takes for them anyway. */
static event_state *
new_state(crm_state_kind kind, const event_parameters *parameters, bool wide, Size room)
{
	Size		head = head_size(parameters->pattern_length);
	Size		most = head > MaxAllocSize ? 0 : (MaxAllocSize - head) / event_size(wide);
	Size		size;
	event_state *state;

	if (room > most)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many events in one group"),
				 errdetail("A group holds at most %zu events that meet a condition.", most)));
	size = Max(FIRST_SIZE, pg_nextpower2_size_t(head + room * event_size(wide)));
	room = Min((size - head) / event_size(wide), most);
	size = head + room * event_size(wide);
	/* The rest is copied along with the state, so it must hold something. */
	state = palloc0(size);
	crm_agg_state_init(state, size, kind, EVENT_STATE_VERSION);
	state->within = parameters->within;
	state->room = room;
	state->conditions = parameters->conditions;
	state->mode = parameters->mode;
	state->wide = wide;
	state->pattern_length = parameters->pattern_length;
	if (parameters->pattern_length > 0)
		memcpy(state->data, parameters->pattern, parameters->pattern_length);
	return state;
}

/*
 * The state in a form, with place for more events.  Another one is made in
 * short-lived memory: the executor copies it and frees the old one.
 */
static event_state *
make_room(event_state *state, Size more, bool wide)
{
	Size		needed = state->count + more;
	event_parameters parameters = {state->within, state->mode, state->data, state->pattern_length, state->conditions};
	event_state *larger;

	if (needed <= state->room && wide == state->wide)
		return state;
	larger = new_state(state->kind, &parameters, wide, needed);
	larger->count = state->count;
	if (wide == state->wide)
		memcpy(event_state_events(larger), event_state_events(state), state->count * event_size(wide));
	else
	{
		crm_env		env = crm_env_in(CurrentMemoryContext);

		crm_events_unpack(&env, event_state_events(state), state->count, event_state_events(larger));
	}
	return larger;
}

event_state *
event_state_room(event_state *state, Size more)
{
	return make_room(state, more, state->wide);
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
	bool		wide = parameters->conditions > CRM_PACKED_CONDITIONS || !crm_event_packs(&event);
	event_state *state;

	if (PG_ARGISNULL(0))
		state = new_state(kind, parameters, wide, 1);
	else
	{
		state = event_state_fetch(PG_GETARG_DATUM(0), kind);
		check_parameters(state, parameters);
		state = make_room(state, 1, wide || state->wide);
	}
	event_state_put(state, state->count++, &event);
	PG_RETURN_POINTER(state);
}

/* Appends the other side's events, which are sorted when the result is asked for: quickly, where each side was in order. */
Datum
event_state_combine(FunctionCallInfo fcinfo, crm_state_kind kind)
{
	event_state *state;
	event_state *other;
	event_parameters parameters;
	uint64		valid;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "combine function called in non-aggregate context");
	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	other = event_state_fetch(PG_GETARG_DATUM(1), kind);
	valid = ~UINT64CONST(0) >> (CRM_MAX_CONDITIONS - other->conditions);
	for (uint32 i = 0; i < other->count; i++)
	{
		crm_event	event = event_state_get(other, i);

		if ((event.met & ~valid) != 0 || !IS_VALID_TIMESTAMP(event.at))
			crm_agg_state_damaged("An event in a state is out of its range.");
		if (i % PROGRESS_STEP == 0)
			CHECK_FOR_INTERRUPTS();
	}
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(other);
	state = event_state_fetch(PG_GETARG_DATUM(0), kind);
	parameters = (event_parameters) {other->within, other->mode, other->data, other->pattern_length, other->conditions};
	check_parameters(state, &parameters);
	if (other->count == 0)
		PG_RETURN_POINTER(state);
	state = make_room(state, other->count, state->wide || other->wide);
	if (state->wide == other->wide)
		memcpy((char *) event_state_events(state) + state->count * event_size(state->wide), event_state_events(other),
			   other->count * event_size(other->wide));
	else
	{
		crm_env		env = crm_env_in(CurrentMemoryContext);

		crm_events_unpack(&env, event_state_events(other), other->count, (crm_event *) event_state_events(state) + state->count);
	}
	state->count += other->count;
	PG_RETURN_POINTER(state);
}

uint64 *
event_state_sorted_packed(const event_state *state)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	uint64	   *packed = MemoryContextAllocHuge(CurrentMemoryContext, Max(state->count, 1) * sizeof(uint64));

	memcpy(packed, event_state_events(state), state->count * sizeof(uint64));
	crm_check(crm_events_sort_packed(&env, packed, state->count), "crm.agg_state", false);
	return packed;
}

const crm_event *
event_state_sorted(const event_state *state)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_event  *events = MemoryContextAllocHuge(CurrentMemoryContext, Max(state->count, 1) * sizeof(crm_event));

	if (state->wide)
	{
		memcpy(events, event_state_events(state), state->count * sizeof(crm_event));
		crm_check(crm_events_sort(&env, events, state->count), "crm.agg_state", false);
	}
	else
	{
		uint64	   *packed = event_state_sorted_packed(state);

		crm_events_unpack(&env, packed, state->count, events);
		pfree(packed);
	}
	return events;
}
