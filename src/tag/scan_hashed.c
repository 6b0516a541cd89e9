/*
 * scan_hashed.c - ids for customers of whom other servers told the hash of their
 * key (scan_sent.h).
 *
 * Of n keys any two share a hash of 62 bits with a probability of n * n / 2^63,
 * and nobody can choose two that do, as the seed is a new one each time.  Two keys
 * of the dictionary that share one are seen; then the rows come here instead.
 */
#include "tag/scan_sent.h"

#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "common/settings.h"
#include "tag/scan_run.h"
#include "utils/lsyscache.h"

#define HASH_MASK INT64CONST(0x3FFFFFFFFFFFFFFF)

typedef struct hashed_id
{
	uint64		hash;
	uint64		id;
} hashed_id;

struct crm_hashed_ids
{
	MemoryContext context;
	hashed_id  *entries;		/* ascending by hash */
	Size		count;
	Size		room;
	Size		most;			/* that may be kept */
	bool		refused;
	int			shift;			/* of a hash, to its bucket */
	uint32	   *bucket;			/* first entry of each, and the end */
};

bool
crm_key_hashes(Oid type)
{
	return type == TEXTOID || type == VARCHAROID || type == UUIDOID;
}

static void
append_hash(StringInfo sql, const crm_scan_job *job, const char *key, bool uuid)
{
	appendStringInfo(sql, "(pg_catalog.%s(%s, (" INT64_FORMAT ")::pg_catalog.int8) OPERATOR(pg_catalog.&) " INT64_FORMAT "::pg_catalog.int8)",
					 uuid ? "uuid_hash_extended" : "hashtextextended", key, job->hash_seed, HASH_MASK);
}

static bool
keys_are_uuid(const crm_scan_job *job)
{
	return job->population->key_form == CRM_KEY_UUID;
}

void
crm_hashed_append(StringInfo sql, const crm_scan_job *job)
{
	append_hash(sql, job, psprintf("customer.%s", quote_identifier(job->population->key_column)), keys_are_uuid(job));
}

/* ---- the dictionary by hash -------------------------------------------------------- */

static void
take_key(TupleTableSlot *slot, void *arg)
{
	crm_hashed_ids *ids = arg;

	CHECK_FOR_INTERRUPTS();
	slot_getallattrs(slot);
	if (ids->count >= ids->most)
		ids->refused = true;
	if (ids->refused)
		return;
	if (ids->count == ids->room)
	{
		ids->room *= 2;
		ids->entries = repalloc_huge(ids->entries, ids->room * sizeof(hashed_id));
	}
	ids->entries[ids->count].hash = (uint64) DatumGetInt64(slot->tts_values[0]);
	ids->entries[ids->count++].id = (uint64) DatumGetInt64(slot->tts_values[1]);
}

static int
compare_hashes(const void *left, const void *right)
{
	uint64		a = ((const hashed_id *) left)->hash;
	uint64		b = ((const hashed_id *) right)->hash;

	return a < b ? -1 : a > b;
}

/* About four entries a bucket, by the leading bits of the hash. */
static void
fill_buckets(crm_hashed_ids *ids)
{
	int			bits = 1;
	Size		buckets;
	Size		next = 0;

	while (bits < 31 && ids->count >> (bits + 2) > 0)
		bits++;
	buckets = (Size) 1 << bits;
	ids->shift = CRM_HASHED_BITS - bits;
	ids->bucket = MemoryContextAllocHuge(ids->context, (buckets + 1) * sizeof(uint32));
	for (Size i = 0; i < ids->count; i++)
		while (next <= ids->entries[i].hash >> ids->shift)
			ids->bucket[next++] = (uint32) i;
	while (next <= buckets)
		ids->bucket[next++] = (uint32) ids->count;
}

crm_hashed_ids *
crm_hashed_ids_read(crm_scan_job *job)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "crm ids by hash", ALLOCSET_DEFAULT_SIZES);
	crm_hashed_ids *ids = MemoryContextAllocZero(context, sizeof(crm_hashed_ids));
	StringInfoData sql;

	if (!pg_strong_random(&job->hash_seed, sizeof(job->hash_seed)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate a random seed")));
	ids->context = context;
	ids->room = 1024;
	ids->most = Min((Size) crm_refresh_memory * 1024 / sizeof(hashed_id), PG_INT32_MAX);
	ids->entries = MemoryContextAllocHuge(context, ids->room * sizeof(hashed_id));
	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	append_hash(&sql, job, keys_are_uuid(job) ? "dictionary.key::pg_catalog.uuid" : "dictionary.key", keys_are_uuid(job));
	appendStringInfo(&sql, ", dictionary.id FROM %s.population_keys(%s) AS dictionary", crm_schema(), quote_literal_cstr(job->population->name));
	crm_scan_run_query(job, sql.data, NULL, take_key, ids);
	qsort(ids->entries, ids->count, sizeof(hashed_id), compare_hashes);
	for (Size i = 1; i < ids->count; i++)
		ids->refused |= ids->entries[i].hash == ids->entries[i - 1].hash;
	if (ids->refused)
	{
		MemoryContextDelete(context);
		return NULL;
	}
	fill_buckets(ids);
	return ids;
}

/* ---- sets ----------------------------------------------------------------------------- */

static bool
id_of_hash(void *arg, uint64_t hash, uint64_t *id)
{
	const crm_hashed_ids *ids = arg;
	Size		bucket = hash >> ids->shift;

	for (uint32 i = ids->bucket[bucket]; i < ids->bucket[bucket + 1]; i++)
		if (ids->entries[i].hash == hash)
		{
			*id = ids->entries[i].id;
			return true;
		}
	return false;
}

crm_scan_state *
crm_hashed_ids_apply(crm_hashed_ids *ids, crm_scan_state *hashed, int chunk_bits)
{
	crm_scan_state *state = crm_scan_state_new(MemoryContextGetParent(hashed->context), hashed->plan, chunk_bits);
	uint32	   *scope_map;
	uint16	  **code_maps;
	uint64		unknown;
	crm_status	status;

	crm_scan_state_maps(state, hashed, &scope_map, &code_maps);
	status = crm_tag_sets_merge_renamed(state->sets, hashed->sets, scope_map, code_maps, id_of_hash, ids, &unknown);
	crm_scan_check_numbers(state, crm_tag_sets_crowded(state->sets), status);
	state->null_keys = hashed->null_keys + unknown;
	state->unknown_keys = unknown;
	MemoryContextDelete(hashed->context);
	MemoryContextDelete(ids->context);
	return state;
}
