/*
 * timeline.h - the type crm.timeline for the room's functions: fetching it,
 * making it, and what its functions' arguments have in common.
 *
 * A function keeps what it has parsed in a struct of its own in fn_extra
 * (behavior_cache), so that a query over a million timelines parses its
 * constants once.
 */
#ifndef CRM_BEHAVIOR_TIMELINE_H
#define CRM_BEHAVIOR_TIMELINE_H

#include "common/crm.h"

#include "datatype/timestamp.h"
#include "kernel/selector.h"
#include "kernel/timeline.h"
#include "kernel/timeline_write.h"
#include "utils/jsonb.h"

#define CRM_TIMELINE_TYPE "crm.timeline"

/* Opens an argument (detoasted without a copy where possible); XX001 when it is damaged. */
extern void behavior_timeline_open(Datum value, crm_timeline *timeline);

/* A value of the type from bytes with VARHDRSZ bytes left free in front, copied into the current context. */
extern Datum behavior_timeline_datum(const uint8_t *bytes, Size size);

/* The events of an array (which sorting reorders), named by the writer's numbers, as a value of the type. */
extern Datum behavior_timeline_write(crm_timeline_writer *writer, crm_timeline_event *events, size_t count, bool distinct);

/* Every check there is, for bytes from outside: 22P03. */
extern void behavior_timeline_check(const uint8_t *bytes, Size size);

/* Parts of it: valid in the database's encoding and not too long; of its kind and spelled as that is; both for all of a value. */
extern bool behavior_name_is_valid(crm_text name);
extern bool behavior_attribute_is_valid(const crm_attribute_value *value);
extern bool behavior_texts_are_valid(const crm_timeline *timeline);

/* The function's own struct, zeroed on the first call; it lives as long as the call site. */
extern void *behavior_cache(FunctionCallInfo fcinfo, Size size);

/* A writer at this slot of the cache, made on the first call and emptied when its dictionaries have grown large. */
extern crm_timeline_writer *behavior_writer(FunctionCallInfo fcinfo, crm_timeline_writer **slot);

/* ---- attributes as jsonb ---------------------------------------------------- */

/*
 * The attributes of an object of scalars, room for CRM_TIMELINE_MAX_CHANNELS;
 * returns how many.  Texts point into the object or into the current context.
 * 22023 for what is no object or is nested, 54000 beyond the limits.
 */
extern int	behavior_attributes(Jsonb *object, crm_attribute *attributes);

/* The way back, event by event; in the memory that it was begun in. */
typedef struct behavior_attribute_reader
{
	uint32		channels;
	crm_timeline_channel *channel;
	crm_attribute_value **values;	/* the dictionary of each channel */
} behavior_attribute_reader;

extern void behavior_attributes_begin(const crm_timeline *timeline, behavior_attribute_reader *reader);
/* The attributes of one event, NULL if it has none. */
extern Jsonb *behavior_event_attributes(const behavior_attribute_reader *reader, size_t index);

/* ---- arguments ----------------------------------------------------------------- */

/* Selectors parsed from a text, from a text[], or, where the argument is NULL, the one that means every event. */
typedef struct behavior_selectors
{
	struct varlena *source;		/* as given, NULL for every event */
	bool		ready;
	crm_selectors *selectors;
	const crm_selectors_bound *bound;
} behavior_selectors;

/*
 * Parses the argument unless the slot holds it parsed already, and binds it to
 * the timeline.  22023 with position and hint for a selector that is none;
 * 22004 for a NULL array or element.
 */
extern void behavior_select(FunctionCallInfo fcinfo, int argument, bool is_array, const crm_timeline *timeline,
							behavior_selectors *slot);

/* Selectors from texts, in the environment's memory; 22023 as above. */
extern crm_selectors *behavior_parse_selectors(const crm_env *env, const crm_text *texts, int count);

static inline uint64
behavior_selected(const behavior_selectors *s, const crm_timeline_cursor *cursor)
{
	return crm_selectors_met(s->selectors, s->bound, cursor);
}

/*
 * since and until as arguments (NULL is open), until not included.  A cursor
 * loop reads while at < until and skips while at < since.
 */
typedef struct behavior_range
{
	int64		since;
	int64		until;
} behavior_range;

extern behavior_range behavior_range_arguments(FunctionCallInfo fcinfo, int since, int until);

#endif							/* CRM_BEHAVIOR_TIMELINE_H */
