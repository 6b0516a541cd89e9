/*
 * timeline_build.h - timelines of many customers from the rows of a query.
 *
 * The rows come from the executor and are brought together by customer
 * (kernel/event_partition.h), within the memory that a hash table may take
 * (work_mem * hash_mem_multiplier), beyond it by way of temporary files.
 */
#ifndef CRM_BEHAVIOR_TIMELINE_BUILD_H
#define CRM_BEHAVIOR_TIMELINE_BUILD_H

#include "behavior/timeline.h"
#include "executor/spi.h"
#include "tag/tag.h"

typedef struct timeline_build timeline_build;

/* The events of one customer, in the order of their rows, and the writer that knows their names; both are the callee's to use. */
typedef void (*timeline_build_visit) (void *arg, int64 customer, bool marked, crm_timeline_writer *writer,
									  crm_timeline_event *events, Size count);

/* Everything lies in the current memory context. */
extern timeline_build *timeline_build_new(void);
/* The command under way shows in progress how far reading and visiting are. */
extern void timeline_build_show(timeline_build *build);
/*
 * Takes the rows of a query: exactly one SELECT that changes nothing, run as the
 * current user in the active snapshot.  Its columns by position: customer, time,
 * event [, value [, attributes]]; with channels, instead of the last, one column for
 * each of these names.  SPI is connected by the caller.
 */
extern void timeline_build_query(timeline_build *build, const char *query, ParamListInfo params, int channels, char **channel_names);
/*
 * Takes the events of timelines: rows of a customer's key and a timeline, NULL
 * being none.  Else as above.  Keys are looked up in the population's dictionary,
 * and count as ignored where it has not met them; population NULL: they are
 * integers, and their own ids.
 */
extern void timeline_build_timelines(timeline_build *build, const char *query, const crm_population *population);
/* The customer is to be visited, events or not. */
extern void timeline_build_mark(timeline_build *build, int64 customer);
/* Rows ignored as they have no customer. */
extern uint64 timeline_build_ignored(const timeline_build *build);
/* Rows with a negative customer. */
extern uint64 timeline_build_negative(const timeline_build *build);
/* Forgets the rows. */
extern void timeline_build_free(timeline_build *build);
/* Rows taken. */
extern uint64 timeline_build_count(const timeline_build *build);
/* Visits all customers, in no particular order. */
extern void timeline_build_finish(timeline_build *build, timeline_build_visit visit, void *arg);

/* The events as a value that the writer owns; the error names the customer. */
extern Datum timeline_build_pack(crm_timeline_writer *writer, int64 customer, crm_timeline_event *events, Size count);

#endif							/* CRM_BEHAVIOR_TIMELINE_BUILD_H */
