/*
 * segment_follow.h - the changes of segments with a name.
 */
#ifndef CRM_TAG_SEGMENT_FOLLOW_H
#define CRM_TAG_SEGMENT_FOLLOW_H

#include "tag/segment_define.h"
#include "tag/tag.h"

/*
 * Evaluates the population's followed segments over the sets as they are after
 * a change, and records who entered and who left since the change before.
 */
extern void crm_segments_follow(const crm_population *population, int64 change_no, TimestampTz changed_at);
/* Forgets what the changes up to a number did; NULL mark: all of it, until following starts anew. */
extern void crm_segments_forget(const crm_population *population, const int64 *mark);
/* Forgets one segment's changes. */
extern void crm_segment_forget(const crm_defined_segment *segment);

/* A set kept in the catalogue, checked; data NULL stands for none. */
extern crm_ids crm_segment_stored_ids(Datum value, bool isnull);

#endif							/* CRM_TAG_SEGMENT_FOLLOW_H */
