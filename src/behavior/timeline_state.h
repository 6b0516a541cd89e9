/*
 * timeline_state.h - the state of timeline_agg and merge_agg: one customer's
 * history as a log that is only appended to.
 *
 * There may be millions of customers, so the state is one flat value that is
 * changed in place and grows by doubling.  Behind its head of 32 bytes stands
 * a hash table of the texts in the log, then the log:
 *
 *		text	a name, or the attributes of an event, each written once
 *		event	the time since the event before, numbers of its texts, value
 *		piece	a whole timeline
 *
 * An event takes about eight bytes, or sixteen with its value.
 */
#ifndef CRM_BEHAVIOR_TIMELINE_STATE_H
#define CRM_BEHAVIOR_TIMELINE_STATE_H

#include "behavior/timeline.h"
#include "common/agg_state.h"

typedef struct timeline_state
{
	/* the header of crm_agg_state, which cannot be a member as it ends openly */
	int32		vl_len_;
	uint16		magic;
	uint8		kind;
	uint8		version;
	int64		last;			/* time of the event written last */
	uint32		events;			/* those of pieces included */
	uint32		texts;
	uint32		slots;			/* of the hash table: a power of two, or none yet */
	uint32		used;			/* bytes of the log */
	uint32		slot[FLEXIBLE_ARRAY_MEMBER];	/* offset of a text in the log + 1, or 0 */
} timeline_state;

/* An event on its way into a state; name and attributes in the form that the log has. */
typedef struct timeline_row
{
	int64		at;
	crm_text	name;
	crm_text	attributes;		/* empty: none */
	bool		has_value;
	double		value;
} timeline_row;

/* The state of argument 0, NULL if there is none yet; XX001 for one whose head is wrong. */
extern timeline_state *timeline_state_argument(FunctionCallInfo fcinfo, int argument);

/* The state, NULL for a new one, with one event or piece more: where it was, or larger in the current context. */
extern timeline_state *timeline_state_add(timeline_state *state, const timeline_row *row);
extern timeline_state *timeline_state_add_piece(timeline_state *state, const crm_timeline *piece);
/* ... with all of another state, every byte of which is checked. */
extern timeline_state *timeline_state_append(timeline_state *state, const timeline_state *other);

/* The history as a value; XX001 when the log is damaged. */
extern Datum timeline_state_pack(const timeline_state *state, crm_timeline_writer *writer, bool distinct);

/* Attributes as the log has them, into an empty buffer. */
extern void timeline_state_attributes(StringInfo out, const crm_attribute *attributes, int count);

#endif							/* CRM_BEHAVIOR_TIMELINE_STATE_H */
