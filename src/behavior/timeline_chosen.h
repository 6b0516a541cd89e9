/*
 * timeline_chosen.h - the events of some customers as they are now, and what the
 * queries over events share.
 */
#ifndef CRM_BEHAVIOR_TIMELINE_CHOSEN_H
#define CRM_BEHAVIOR_TIMELINE_CHOSEN_H

#include "behavior/timeline_build.h"
#include "behavior/timeline_store.h"

/* An instant in a query: no setting changes how it is read. */
extern char *timeline_time_literal(TimestampTz at);
/* The columns of an event behind the customer's, and the FROM clause: the relation as "event". */
extern void timeline_append_events(StringInfo sql, const timeline_mapping *mapping);
/*
 * The events of these customers, or of all (ids NULL), read as the population's
 * owner in the active snapshot.
 */
extern timeline_build *timeline_read_chosen(const crm_population *population, timeline_mapping *mapping,
											const timeline_settings *settings, const int64 *ids, int count);

#endif							/* CRM_BEHAVIOR_TIMELINE_CHOSEN_H */
