/*
 * scan_sent.h - scans whose rules are evaluated by the servers that hold the rows.
 */
#ifndef CRM_SCAN_SENT_H
#define CRM_SCAN_SENT_H

#include "common/crm.h"
#include "lib/stringinfo.h"
#include "tag/scan_query.h"
#include "utils/relcache.h"

/* ---- who evaluates what (scan_sent.c) ------------------------------------ */

/*
 * The parts of the source (crm_shards_of) that evaluate the job's rules by
 * themselves; NIL where the rows have to come here.
 */
extern List *crm_scan_parts(const crm_scan_job *job);
/* The job's rules, and what they are bound to, which job->shared has; the rules are copies, to be expanded. */
extern List *crm_scan_shared_rules(const crm_scan_job *job);
extern struct crm_bound *crm_scan_shared_bound(const crm_scan_job *job, List *rules);

/* ---- keys that the dictionary numbers (scan_passing.c) ------------------- */

/*
 * Another server does not know the dictionary, so that there a passing id, which
 * anybody can tell from the key, stands for the one that the dictionary has.
 * Sets over passing ids get the true ones here.
 */
typedef struct crm_passing_ids crm_passing_ids;

/*
 * The dictionary by passing ids, in a memory context of its own below the current
 * one.  NULL where two keys share one, or where it would take more memory than
 * crm_analytics.refresh_memory.
 */
extern crm_passing_ids *crm_passing_ids_read(const crm_scan_job *job);
extern void crm_passing_ids_free(crm_passing_ids *ids);
/* The same of the refresh, read when it is asked for first. */
extern crm_passing_ids *crm_scan_shared_ids(const crm_scan_job *job);
/* An expression for the passing id of the customer. */
extern void crm_passing_append(StringInfo sql, const crm_scan_job *job, const crm_passing_ids *ids);
/* The width of chunks of sets over passing ids. */
extern int	crm_passing_chunk_bits(const crm_scan_job *job);
/*
 * The state with the customers' ids, in place of the one with passing ones.
 * Customers whose passing id is of no key count among those without a key, and as
 * unknown_keys.
 */
extern crm_scan_state *crm_passing_ids_apply(crm_passing_ids *ids, crm_scan_state *passed, int chunk_bits);
/* A list by passing ids: crm_bound_pass_lists calls it. */
extern void crm_passing_ids_list(void *ids, Datum members, Datum until, Datum *passing, Datum *passing_until);

#endif							/* CRM_SCAN_SENT_H */
