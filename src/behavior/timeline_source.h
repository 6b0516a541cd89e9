/*
 * timeline_source.h - the rows of a query as events.
 */
#ifndef CRM_BEHAVIOR_TIMELINE_SOURCE_H
#define CRM_BEHAVIOR_TIMELINE_SOURCE_H

#include "behavior/timeline.h"
#include "executor/tuptable.h"
#include "kernel/event_partition.h"
#include "lib/stringinfo.h"
#include "nodes/params.h"

typedef struct timeline_source timeline_source;

/*
 * Prepares and checks the query (timeline_build.h).  Names and attributes are
 * numbered by the writer, as long as it takes no more than `memory` bytes.
 */
extern timeline_source *timeline_source_open(const char *query, ParamListInfo params, int channels, char **channel_names,
											 crm_timeline_writer *writer, Size memory);
/* How many the planner expects; 0 where it depends on parameters. */
extern int64 timeline_source_rows(const timeline_source *source);
extern void timeline_source_run(timeline_source *source, void (*take) (TupleTableSlot *slot, void *arg), void *arg);
/* The event of a row, which lasts until the next; false for a row to be ignored. */
extern bool timeline_source_row(timeline_source *source, TupleTableSlot *slot, crm_event_row *row);
extern void timeline_source_close(timeline_source *source);

/* Name and attributes as bytes that travel with a row, instead of what is in the buffer. */
extern void timeline_source_pack(StringInfo out, crm_text name, const crm_attribute *attributes, int count);
/* Name and attributes that travel with a row; room for CRM_TIMELINE_MAX_CHANNELS.  Returns how many. */
extern int	timeline_source_unpack(const void *packed, Size size, crm_text *name, crm_attribute *attributes);

#endif							/* CRM_BEHAVIOR_TIMELINE_SOURCE_H */
