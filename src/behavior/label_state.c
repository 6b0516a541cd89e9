/*
 * label_state.c - one customer's events, each with a text, as an aggregate's
 * state.
 */
#include "behavior/label_state.h"

#include "common/bridge.h"
#include "mb/pg_wchar.h"

#define LABEL_STATE_VERSION 1
#define FIRST_ROOM 128

/* One event in the state; its text follows, padded to eight bytes. */
typedef struct label_record
{
	int64		at;
	uint64		met;
	int32		length;			/* of the text; -1: none */
	uint32		mark;
} label_record;

static Size
state_size(Size constant_size, Size room)
{
	return offsetof(label_state, data) + MAXALIGN(constant_size) + room;
}

static char *
records(const label_state *state)
{
	return (char *) state->data + MAXALIGN(state->constant_size);
}

label_state *
label_state_fetch(Datum value, crm_state_kind kind)
{
	label_state *state = (label_state *) crm_agg_state_fetch(value, kind, LABEL_STATE_VERSION, state_size(0, 0));

	if (state->used > state->room || state->room > MaxAllocSize || state->constant_size > MaxAllocSize ||
		VARSIZE(state) != state_size(state->constant_size, state->room))
		crm_agg_state_damaged("A number in a state of events with texts is out of its range.");
	return state;
}

static label_state *
new_state(crm_state_kind kind, const void *constant, Size constant_size, Size room)
{
	Size		size = state_size(constant_size, room);
	label_state *state;

	crm_check_size(size, "crm.agg_state");
	/* All of it is copied about, so all of it must hold something. */
	state = palloc0(size);
	crm_agg_state_init(state, size, kind, LABEL_STATE_VERSION);
	state->room = room;
	state->constant_size = constant_size;
	memcpy(state->data, constant, constant_size);
	return state;
}

/*
 * The state with place for more bytes.  A larger one is made in short-lived
 * memory: the executor copies it and frees the old one.
 */
static label_state *
make_room(label_state *state, Size more)
{
	Size		needed = state->used + more;
	Size		most = MAXALIGN_DOWN(MaxAllocSize - state_size(state->constant_size, 0));
	label_state *larger;

	if (needed <= state->room)
		return state;
	if (needed > most)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many events in one group"),
				 errdetail("The events of a group take at most %zu bytes.", most)));
	larger = new_state(state->kind, state->data, state->constant_size, Min(Max(needed, (Size) state->room * 2), most));
	larger->count = state->count;
	larger->used = state->used;
	memcpy(records(larger), records(state), state->used);
	return larger;
}

static void
check_constant(const label_state *state, const void *constant, Size constant_size)
{
	if (state->constant_size != constant_size || memcmp(state->data, constant, constant_size) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("arguments before the time and the number of conditions must be the same for all rows of a group")));
}

Datum
label_state_add(FunctionCallInfo fcinfo, crm_state_kind kind, const void *constant, Size constant_size,
				const label_event *event)
{
	Size		size = 0;
	label_state *state;
	label_record record;
	char	   *place;

	if (event != NULL)
		size = sizeof(label_record) + MAXALIGN(event->text == NULL ? 0 : event->length);
	if (PG_ARGISNULL(0))
		state = new_state(kind, constant, constant_size, Max(size, FIRST_ROOM));
	else
	{
		state = label_state_fetch(PG_GETARG_DATUM(0), kind);
		check_constant(state, constant, constant_size);
		state = make_room(state, size);
	}
	if (event == NULL)
		PG_RETURN_POINTER(state);
	record.at = event->at;
	record.met = event->met;
	record.mark = event->mark;
	record.length = event->text == NULL ? -1 : (int32) event->length;
	place = records(state) + state->used;
	memcpy(place, &record, sizeof(record));
	if (event->text != NULL)
	{
		memset(place + size - MAXIMUM_ALIGNOF, 0, event->length > 0 ? MAXIMUM_ALIGNOF : 0);
		memcpy(place + sizeof(record), event->text, event->length);
	}
	state->used += size;
	state->count++;
	PG_RETURN_POINTER(state);
}

label_event *
label_state_events(const label_state *state)
{
	label_event *events;
	const char *at = records(state);
	Size		left = state->used;

	if (state->count > left / sizeof(label_record))
		crm_agg_state_damaged("There are more events than there is room for.");
	events = MemoryContextAllocHuge(CurrentMemoryContext, Max(state->count, 1) * sizeof(label_event));
	for (uint32 i = 0; i < state->count; i++)
	{
		label_record record;
		Size		size;

		if (left < sizeof(record))
			crm_agg_state_damaged("An event in a state has no room.");
		memcpy(&record, at, sizeof(record));
		size = sizeof(record) + (record.length > 0 ? MAXALIGN(record.length) : 0);
		if (record.length < -1 || record.mark > 1 || size > left || !IS_VALID_TIMESTAMP(record.at))
			crm_agg_state_damaged("An event in a state is out of its range.");
		events[i].at = record.at;
		events[i].met = record.met;
		events[i].mark = record.mark;
		events[i].text = record.length < 0 ? NULL : at + sizeof(record);
		events[i].length = Max(record.length, 0);
		at += size;
		left -= size;
	}
	if (left != 0)
		crm_agg_state_damaged("There are bytes behind the events of a state.");
	return events;
}

Datum
label_state_combine(FunctionCallInfo fcinfo, crm_state_kind kind)
{
	label_state *state;
	label_state *other;
	label_event *events;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "combine function called in non-aggregate context");
	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	other = label_state_fetch(PG_GETARG_DATUM(1), kind);
	/* It may come from another server: the events are read to see that they are good. */
	events = label_state_events(other);
	for (uint32 i = 0; i < other->count; i++)
		pg_verifymbstr(events[i].text == NULL ? "" : events[i].text, events[i].length, false);
	pfree(events);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(other);
	state = label_state_fetch(PG_GETARG_DATUM(0), kind);
	check_constant(state, other->data, other->constant_size);
	if (other->used == 0)
		PG_RETURN_POINTER(state);
	state = make_room(state, other->used);
	memcpy(records(state) + state->used, records(other), other->used);
	state->used += other->used;
	state->count += other->count;
	PG_RETURN_POINTER(state);
}
