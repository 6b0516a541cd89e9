/*
 * scan_sent.h - scans whose rules are evaluated by the servers that hold the rows.
 */
#ifndef CRM_SCAN_SENT_H
#define CRM_SCAN_SENT_H

#include "common/crm.h"
#include "lib/stringinfo.h"
#include "tag/scan_query.h"
#include "utils/relcache.h"

/*
 * The parts of the source (crm_shards_of) that evaluate the rules by themselves;
 * NIL where the rows have to come here.  The rules are not bound yet.
 */
extern List *crm_scan_parts(const crm_scan_job *job, Relation source, List *rules);

/* ---- keys that the dictionary numbers (scan_hashed.c) -------------------- */

/*
 * Another server does not know the dictionary, so that hashes of the keys, of so
 * many bits, stand for ids there.  Sets over them come back numbered in order of
 * arrival (kernel/tag_sets.h), and get the ids here.
 */
#define CRM_HASHED_BITS 62

typedef struct crm_hashed_ids crm_hashed_ids;

/* Can keys of this type be hashed to the same number everywhere? */
extern bool crm_key_hashes(Oid type);
/* The hash of the customer's key. */
extern void crm_hashed_append(StringInfo sql, const crm_scan_job *job);
/*
 * The dictionary by hash, with a seed that is new each time, in the current
 * context; it goes into the job.  NULL where two keys share a hash, or where it
 * would take more memory than crm_analytics.refresh_memory.
 */
extern crm_hashed_ids *crm_hashed_ids_read(crm_scan_job *job);
/*
 * The state with the customers' ids, in place of the one with hashes.  Customers
 * whose hash is of no key count among those without a key, and as unknown_keys.
 */
extern crm_scan_state *crm_hashed_ids_apply(crm_hashed_ids *ids, crm_scan_state *hashed, int chunk_bits);

#endif							/* CRM_SCAN_SENT_H */
