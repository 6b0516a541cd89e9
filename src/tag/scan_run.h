/*
 * scan_run.h - for the scan itself: its queries, and the scans whose errors say
 * all that they know (scan_withhold.c tells them on).
 */
#ifndef CRM_SCAN_RUN_H
#define CRM_SCAN_RUN_H

#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "tag/scan_query.h"

extern crm_scan_state *crm_scan_run_whole(const crm_scan_job *job);
extern TimestampTz crm_scan_find_next_change(const crm_scan_job *job);

/* Runs a query over the job's source as the tags' owner; crm_rule_query_params says what its parameters are. */
extern void crm_scan_run_query(const crm_scan_job *job, const char *query, const bytea *plan,
							   void (*take) (TupleTableSlot *slot, void *arg), void *arg);
/* FROM clause: the source as customer, with the dictionary and the timelines where they are needed. */
extern void crm_scan_append_from(StringInfo sql, const crm_scan_job *job, bool with_timelines, bool with_bound);

#endif							/* CRM_SCAN_RUN_H */
