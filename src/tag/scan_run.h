/*
 * scan_run.h - for the scan itself: its queries, and the scans whose errors say
 * all that they know (scan_withhold.c tells them on).
 */
#ifndef CRM_SCAN_RUN_H
#define CRM_SCAN_RUN_H

#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "tag/scan_query.h"
#include "utils/relcache.h"

extern crm_scan_state *crm_scan_run_whole(const crm_scan_job *job);
extern TimestampTz crm_scan_find_next_change(const crm_scan_job *job);

/* Runs a query over the job's source as the tags' owner; crm_rule_query_params says what its parameters are. */
extern void crm_scan_run_query(const crm_scan_job *job, const char *query, const bytea *plan,
							   void (*take) (TupleTableSlot *slot, void *arg), void *arg);
/*
 * The same in a subtransaction: NULL when it went well, else its error, with
 * everything undone.  The reader's errors and those of rules come this way.
 */
extern ErrorData *crm_scan_try_query(const crm_scan_job *job, const char *query, const bytea *plan, bool serial,
									 void (*take) (TupleTableSlot *slot, void *arg), void *arg);
/* An expression for the customer's id. */
extern void crm_scan_append_id(StringInfo sql, const crm_scan_job *job);
/* FROM clause: the source as customer, with the dictionary and the timelines where they are needed. */
extern void crm_scan_append_from(StringInfo sql, const crm_scan_job *job, bool with_timelines, bool with_bound);

/* ---- the rules of a scan (scan_rules.c) ----------------------------------- */

/* Of crm_rule *, one for each of the job's tags. */
extern List *crm_scan_read_rules(const crm_scan_job *job, Relation source);
/* Puts into the rules what they call for. */
extern void crm_scan_bind_rules(crm_scan_job *job, Relation source, List *rules);
/* Does one of them read the customer's events? */
extern bool crm_rules_read_timeline(List *rules);

/*
 * Runs the rules once more, one process, each behind a note of its tag and the
 * customer, until the same kind of error comes again; then raises it with both
 * (scan_place.c).
 */
extern CRM_NORETURN void crm_scan_raise_with_place(const crm_scan_job *job, Relation source, List *rules, ErrorData *error);

#endif							/* CRM_SCAN_RUN_H */
