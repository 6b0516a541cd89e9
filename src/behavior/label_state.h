/*
 * label_state.h - a state that holds one customer's events, each with a text.
 *
 * There may be millions of customers, so the state is one flat value that is
 * changed in place and grows by doubling: 32 bytes, what is constant for the
 * group, and 24 bytes and the text for each event.
 */
#ifndef CRM_BEHAVIOR_LABEL_STATE_H
#define CRM_BEHAVIOR_LABEL_STATE_H

#include "behavior/behavior.h"

typedef struct label_state
{
	/* the header of crm_agg_state, which cannot be a member as it ends openly */
	int32		vl_len_;
	uint16		magic;
	uint8		kind;
	uint8		version;
	uint32		count;			/* events */
	uint32		used;			/* bytes of events */
	uint32		room;			/* bytes for events */
	uint32		constant_size;
	char		data[FLEXIBLE_ARRAY_MEMBER];	/* the constant part, padded to eight bytes, then room for events */
} label_state;

typedef struct label_event
{
	int64		at;
	uint64		met;			/* conditions */
	bool		mark;			/* whatever the aggregate has to note */
	const char *text;			/* NULL: none */
	Size		length;
} label_event;

/* The state of one aggregate's kind; XX001 for one whose inside is wrong.  The constant part is the aggregate's to check. */
extern label_state *label_state_fetch(Datum value, crm_state_kind kind);

/*
 * The state of argument 0, made if there is none yet, with one event more
 * where one is given.  A constant part that differs from that of the rows
 * before is refused.
 */
extern Datum label_state_add(FunctionCallInfo fcinfo, crm_state_kind kind, const void *constant, Size constant_size,
							 const label_event *event);

/* A combine function's whole work. */
extern Datum label_state_combine(FunctionCallInfo fcinfo, crm_state_kind kind);

/* The events in the order in which they came; their texts point into the state. */
extern label_event *label_state_events(const label_state *state);

#endif							/* CRM_BEHAVIOR_LABEL_STATE_H */
