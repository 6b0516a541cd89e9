/*
 * personal.h - what the functions about one customer's ways share: decayed
 * sums, habits, rhythm, preferences, trend.
 */
#ifndef CRM_BEHAVIOR_PERSONAL_H
#define CRM_BEHAVIOR_PERSONAL_H

#include "behavior/timeline_events.h"

/* The events before as_of, which must be there and finite. */
extern behavior_range behavior_as_of_argument(FunctionCallInfo fcinfo, int argument);

/* An interval of fixed length above zero in microseconds. */
extern int64 behavior_positive_interval(const Interval *interval, const char *name);

/* What is left of one after some time: 2 ^ -(age / half_life). */
extern double behavior_decay(int64 at, int64 as_of, int64 half_life);

/* An attribute by its name; false when no event has it. */
extern bool behavior_channel(const crm_timeline *timeline, const text *name, crm_timeline_channel *channel);

/* Days and the rest, a day being 24 hours. */
extern Datum behavior_interval_datum(uint64 microseconds);

#endif							/* CRM_BEHAVIOR_PERSONAL_H */
