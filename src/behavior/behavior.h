/*
 * behavior.h - what the room's aggregates over raw rows share: their
 * arguments, and a state that holds one customer's events.
 *
 * There may be millions of customers, so the state is one flat value that is
 * changed in place and grows by doubling from 256 bytes: 32 bytes, the pattern
 * where there is one, and 8 bytes for each event kept, or 16 where there are
 * many conditions or times are far.
 */
#ifndef CRM_BEHAVIOR_H
#define CRM_BEHAVIOR_H

#include "common/crm.h"

#include "common/agg_state.h"
#include "datatype/timestamp.h"
#include "kernel/events.h"
#include "kernel/sequence.h"

typedef struct event_state
{
	/* the header of crm_agg_state, which cannot be a member as it ends openly */
	int32		vl_len_;
	uint16		magic;
	uint8		kind;
	uint8		version;
	int64		within;			/* a funnel's width in microseconds */
	uint32		count;
	uint32		room;
	uint8		conditions;
	uint8		mode;			/* a funnel's */
	bool		wide;			/* events are crm_event, not packed into a word each */
	uint8		unused;
	uint32		pattern_length;
	char		data[FLEXIBLE_ARRAY_MEMBER];	/* the pattern, padded to eight bytes, then room for events */
} event_state;

/* What is constant for a group. */
typedef struct event_parameters
{
	int64		within;
	unsigned	mode;
	const char *pattern;
	Size		pattern_length;
	int			conditions;
} event_parameters;

/* Where the events are, in either form. */
static inline void *
event_state_events(const event_state *state)
{
	return (char *) state->data + MAXALIGN(state->pattern_length);
}

static inline crm_event
event_state_get(const event_state *state, uint32 i)
{
	if (state->wide)
		return ((const crm_event *) event_state_events(state))[i];
	return crm_event_unpack(((const uint64 *) event_state_events(state))[i]);
}

/* Writes an event that the state's form can hold. */
static inline void
event_state_put(event_state *state, uint32 i, const crm_event *event)
{
	if (state->wide)
		((crm_event *) event_state_events(state))[i] = *event;
	else
		((uint64 *) event_state_events(state))[i] = crm_event_pack(event);
}

/*
 * Asks for the state of argument 0 before the other arguments are looked at.
 * With many groups it is in no cache, and waiting for it was a seventh of the
 * time of a whole query.
 */
static inline void
behavior_prefetch_state(FunctionCallInfo fcinfo)
{
	const char *state = (const char *) DatumGetPointer(fcinfo->args[0].value);

	if (fcinfo->args[0].isnull)
		return;
	__builtin_prefetch(state, 1);
	__builtin_prefetch(state + 64, 1);
}

/* The state of one aggregate's kind; XX001 for one whose inside is wrong. */
extern event_state *event_state_fetch(Datum value, crm_state_kind kind);

/*
 * The state of argument 0 with one event more; made if there is none yet.
 * Parameters that differ from those of the rows before are refused.
 */
extern Datum event_state_add(FunctionCallInfo fcinfo, crm_state_kind kind, const event_parameters *parameters,
							 TimestampTz at, uint64 met);

/* The state with place for so many more events: itself, or a larger one in the current context. */
extern event_state *event_state_room(event_state *state, Size more);

/* Argument 0 as it is, even absent; parameters that differ from those of the rows before are refused. */
extern Datum event_state_unchanged(FunctionCallInfo fcinfo, crm_state_kind kind, const event_parameters *parameters);

/* A combine function's whole work. */
extern Datum event_state_combine(FunctionCallInfo fcinfo, crm_state_kind kind);

/* The events in order: a copy, as a final function leaves its state alone. */
extern const crm_event *event_state_sorted(const event_state *state);

/* The same as they are packed, of a state that is not wide. */
extern uint64 *event_state_sorted_packed(const event_state *state);

/* The last argument of an aggregate as bits; NULL is false.  Sets their number. */
extern uint64 behavior_conditions(FunctionCallInfo fcinfo, int argument, int *conditions);

/* A time of an event: finite. */
extern TimestampTz behavior_finite(TimestampTz at);

/* An interval of fixed length in microseconds, not negative; NULL is refused. */
extern int64 behavior_interval(const Interval *interval, const char *name);

/* A text that must not be NULL: 22004. */
extern const text *behavior_text(FunctionCallInfo fcinfo, int argument, const char *name);

/* The bits of a funnel's mode from a comma list of names; 22023 listing them. */
extern unsigned behavior_funnel_mode(const text *names);

/* Parses a pattern over so many conditions; 22023 with the position, 54000 when it is too long. */
extern void behavior_pattern(const char *text, Size length, int conditions, crm_pattern *pattern);

/* Stored timelines become what the rows of events are, of these customers or of all (timeline_refresh.c). */
struct crm_population;
extern void crm_timelines_rebuild(const struct crm_population *population, const int64 *ids, int count);

#endif							/* CRM_BEHAVIOR_H */
