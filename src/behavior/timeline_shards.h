/*
 * timeline_shards.h - events that other servers hold: each makes the timelines of
 * its rows.
 */
#ifndef CRM_BEHAVIOR_TIMELINE_SHARDS_H
#define CRM_BEHAVIOR_TIMELINE_SHARDS_H

#include "behavior/timeline_store.h"

/*
 * A query for timeline_build_timelines over the parts of the events' relation
 * that meet the condition (on "event"), where a part at least lies on another
 * server and its timelines are the same wherever they are made; NULL elsewhere.
 * Its first column is the key as the relation has it.
 */
extern char *timeline_shards_query(const timeline_mapping *mapping, Oid reader, const char *condition);
/* A query for the keys of such events, each once for a part; NULL where no part lies on another server. */
extern char *timeline_shards_keys(const timeline_mapping *mapping, Oid reader, const char *condition);

#endif							/* CRM_BEHAVIOR_TIMELINE_SHARDS_H */
