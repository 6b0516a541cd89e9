/*
 * scan_passing.c - ids for customers of whom other servers told a passing one
 * (scan_sent.h).
 *
 * Of a text or uuid key it is a hash.  Of n keys any two share a hash of 62 bits
 * with a probability of n * n / 2^63, and nobody can choose two that do, as the
 * seed is a new one each time.  Two keys of the dictionary that share one are
 * seen; then the rows come here instead.
 *
 * Integers from 0 to 2^62 - 1 are their own ids, and a negative one down to -2^62
 * passes as what it is without its sign: from 2^62 on.  Others pass as -1, which
 * is nobody's id.
 */
#include "tag/scan_sent.h"

#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "common/settings.h"
#include "tag/rule_bind.h"
#include "tag/scan_run.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

/* Of a passing id what follows the ids that are their own. */
#define PASSING_BITS 62
#define PASSING_MASK INT64CONST(0x3FFFFFFFFFFFFFFF)
#define PASSING_FROM (PASSING_MASK + 1)

typedef struct passing_id
{
	uint64		passing;		/* PASSING_BITS of it */
	uint64		id;
} passing_id;

struct crm_passing_ids
{
	MemoryContext context;
	int64		seed;
	uint64		own;			/* ids below pass as they are */
	passing_id *entries;		/* ascending */
	Size		count;
	Size		room;
	Size		most;			/* that may be kept */
	bool		refused;
	int			shift;			/* of a passing id, to its bucket */
	uint32	   *bucket;			/* first entry of each, and the end */
};

/* ---- what passes -------------------------------------------------------------------- */

static void
append_hash(StringInfo sql, const char *key, bool uuid, int64 seed)
{
	appendStringInfo(sql, "(pg_catalog.%s(%s, (" INT64_FORMAT ")::pg_catalog.int8) OPERATOR(pg_catalog.&) " INT64_FORMAT "::pg_catalog.int8)",
					 uuid ? "uuid_hash_extended" : "hashtextextended", key, seed, PASSING_MASK);
}

static void
append_without_sign(StringInfo sql, const char *key, bool may_be_wide)
{
	if (may_be_wide)
		appendStringInfo(sql, "CASE WHEN %s OPERATOR(pg_catalog.<) (" INT64_FORMAT ")::pg_catalog.int8 OR %s OPERATOR(pg_catalog.>) " INT64_FORMAT "::pg_catalog.int8 "
						 "THEN (-1)::pg_catalog.int8 ELSE ", key, -PASSING_FROM, key, PASSING_MASK);
	appendStringInfo(sql, "(%s OPERATOR(pg_catalog.&) " INT64_FORMAT "::pg_catalog.int8)", key, PG_INT64_MAX);
	if (may_be_wide)
		appendStringInfoString(sql, " END");
}

void
crm_passing_append(StringInfo sql, const crm_scan_job *job, const crm_passing_ids *ids)
{
	const crm_population *population = job->population;
	const char *key = quote_identifier(population->key_column);
	Oid			type = getBaseType(crm_population_key_type(population));

	switch (population->key_form)
	{
		case CRM_KEY_INTEGER:
			append_without_sign(sql, psprintf("customer.%s::pg_catalog.int8", key), type == INT8OID);
			break;
		case CRM_KEY_UUID:
			append_hash(sql, psprintf("customer.%s", key), true, ids->seed);
			break;
		case CRM_KEY_TEXT:
			/* as text the key that the dictionary has: char(n) without its padding */
			append_hash(sql, psprintf(type == TEXTOID ? "customer.%s" : "customer.%s::pg_catalog.text", key), false, ids->seed);
			break;
	}
}

int
crm_passing_chunk_bits(const crm_scan_job *job)
{
	/* integers tend to be dense; hashes come numbered in order of arrival (kernel/tag_sets.h) */
	return job->population->key_form == CRM_KEY_INTEGER ? job->chunk_bits : PASSING_BITS;
}

/* ---- the dictionary by what passes ------------------------------------------------------ */

static void
take_key(TupleTableSlot *slot, void *arg)
{
	crm_passing_ids *ids = arg;

	CHECK_FOR_INTERRUPTS();
	slot_getallattrs(slot);
	if (ids->count >= ids->most)
		ids->refused = true;
	if (ids->refused)
		return;
	if (ids->count == ids->room)
	{
		ids->room *= 2;
		ids->entries = repalloc_huge(ids->entries, ids->room * sizeof(passing_id));
	}
	ids->entries[ids->count].passing = (uint64) DatumGetInt64(slot->tts_values[0]);
	ids->entries[ids->count++].id = (uint64) DatumGetInt64(slot->tts_values[1]);
}

static int
compare_passing(const void *left, const void *right)
{
	uint64		a = ((const passing_id *) left)->passing;
	uint64		b = ((const passing_id *) right)->passing;

	return a < b ? -1 : a > b;
}

/* About four entries a bucket, by the leading bits, where they are hashes. */
static void
fill_buckets(crm_passing_ids *ids)
{
	int			bits = 1;
	Size		buckets;
	Size		next = 0;

	while (bits < 31 && ids->count >> (bits + 2) > 0)
		bits++;
	buckets = (Size) 1 << bits;
	ids->shift = PASSING_BITS - bits;
	ids->bucket = MemoryContextAllocHuge(ids->context, (buckets + 1) * sizeof(uint32));
	for (Size i = 0; i < ids->count; i++)
		while (next <= ids->entries[i].passing >> ids->shift)
			ids->bucket[next++] = (uint32) i;
	while (next <= buckets)
		ids->bucket[next++] = (uint32) ids->count;
}

static void
append_dictionary(StringInfo sql, const crm_population *population, int64 seed)
{
	appendStringInfoString(sql, "SELECT ");
	if (population->key_form == CRM_KEY_INTEGER)
		appendStringInfo(sql, "dictionary.key::pg_catalog.int8 OPERATOR(pg_catalog.&) " INT64_FORMAT "::pg_catalog.int8", PASSING_MASK);
	else
		append_hash(sql, population->key_form == CRM_KEY_UUID ? "dictionary.key::pg_catalog.uuid" : "dictionary.key",
					population->key_form == CRM_KEY_UUID, seed);
	appendStringInfo(sql, ", dictionary.id FROM %s.population_keys(%s) AS dictionary", crm_schema(), quote_literal_cstr(population->name));
	if (population->key_form == CRM_KEY_INTEGER)
		appendStringInfo(sql, " WHERE dictionary.key::pg_catalog.int8 OPERATOR(pg_catalog.>=) (" INT64_FORMAT ")::pg_catalog.int8", -PASSING_FROM);
}

crm_passing_ids *
crm_passing_ids_read(const crm_scan_job *job)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "crm passing ids", ALLOCSET_DEFAULT_SIZES);
	crm_passing_ids *ids = MemoryContextAllocZero(context, sizeof(crm_passing_ids));
	StringInfoData sql;

	if (!pg_strong_random(&ids->seed, sizeof(ids->seed)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate a random seed")));
	ids->context = context;
	ids->own = job->population->key_form == CRM_KEY_INTEGER ? PASSING_FROM : 0;
	ids->room = 1024;
	ids->most = Min((Size) crm_refresh_memory * 1024 / sizeof(passing_id), PG_INT32_MAX);
	ids->entries = MemoryContextAllocHuge(context, ids->room * sizeof(passing_id));
	initStringInfo(&sql);
	append_dictionary(&sql, job->population, ids->seed);
	crm_scan_run_query(job, sql.data, NULL, take_key, ids);
	qsort(ids->entries, ids->count, sizeof(passing_id), compare_passing);
	for (Size i = 1; i < ids->count; i++)
		ids->refused |= ids->entries[i].passing == ids->entries[i - 1].passing;
	if (ids->refused)
	{
		MemoryContextDelete(context);
		return NULL;
	}
	fill_buckets(ids);
	return ids;
}

void
crm_passing_ids_free(crm_passing_ids *ids)
{
	MemoryContextDelete(ids->context);
}

/* ---- sets ----------------------------------------------------------------------------- */

static bool
id_of_passing(void *arg, uint64_t passing, uint64_t *id)
{
	const crm_passing_ids *ids = arg;
	uint64		wanted = passing - ids->own;
	uint32		low;
	uint32		high;

	if (wanted > PASSING_MASK)
		return false;
	low = ids->bucket[wanted >> ids->shift];
	high = ids->bucket[(wanted >> ids->shift) + 1];
	/* integers lie close together, and all in one bucket */
	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;

		if (ids->entries[middle].passing < wanted)
			low = middle + 1;
		else
			high = middle;
	}
	if (low >= ids->count || ids->entries[low].passing != wanted)
		return false;
	*id = ids->entries[low].id;
	return true;
}

crm_scan_state *
crm_passing_ids_apply(crm_passing_ids *ids, crm_scan_state *passed, int chunk_bits)
{
	crm_scan_state *state = crm_scan_state_new(MemoryContextGetParent(passed->context), passed->plan, chunk_bits);
	uint32	   *scope_map;
	uint16	  **code_maps;
	uint64		unknown;
	crm_status	status;

	crm_scan_state_maps(state, passed, &scope_map, &code_maps);
	status = crm_tag_sets_merge_renamed(state->sets, passed->sets, scope_map, code_maps, ids->own, id_of_passing, ids, &unknown);
	crm_scan_check_numbers(state, crm_tag_sets_crowded(state->sets), status);
	state->unknown_keys = unknown + passed->negative_keys;
	state->null_keys = passed->null_keys + state->unknown_keys;
	MemoryContextDelete(passed->context);
	return state;
}

/* ---- lists ---------------------------------------------------------------------------- */

typedef struct passing_list
{
	const int64 *ids;			/* ascending */
	const int64 *until;
	int			count;
	Datum	   *passing;
	Datum	   *passing_until;
	int			passed;
} passing_list;

static void
pass_member(passing_list *list, uint64 passing, int place)
{
	list->passing[list->passed] = Int64GetDatum((int64) passing);
	list->passing_until[list->passed++] = Int64GetDatum(list->until[place]);
}

/* The place of an id among the members, or -1. */
static int
place_of(const passing_list *list, int64 id)
{
	int			low = 0;
	int			high = list->count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (list->ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < list->count && list->ids[low] == id ? low : -1;
}

static Datum
array_of(const Datum *elements, int count)
{
	return PointerGetDatum(construct_array((Datum *) elements, count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static int
numbers_of(Datum array, const int64 **numbers)
{
	ArrayType  *values = DatumGetArrayTypeP(array);

	*numbers = (const int64 *) ARR_DATA_PTR(values);
	return ArrayGetNItems(ARR_NDIM(values), ARR_DIMS(values));
}

void
crm_passing_ids_list(void *arg, Datum ids, Datum until, Datum *passing, Datum *passing_until)
{
	const crm_passing_ids *dictionary = arg;
	passing_list list = {0};

	list.count = numbers_of(ids, &list.ids);
	(void) numbers_of(until, &list.until);
	list.passing = MemoryContextAllocHuge(CurrentMemoryContext, (list.count + 1) * sizeof(Datum));
	list.passing_until = MemoryContextAllocHuge(CurrentMemoryContext, (list.count + 1) * sizeof(Datum));
	for (int i = 0; i < list.count && (uint64) list.ids[i] < dictionary->own; i++)
		pass_member(&list, list.ids[i], i);
	/* every entry by what passes, so that this ascends as well */
	for (Size i = 0; i < dictionary->count && list.passed < list.count; i++)
	{
		int			place = place_of(&list, (int64) dictionary->entries[i].id);

		CHECK_FOR_INTERRUPTS();
		if (place >= 0)
			pass_member(&list, dictionary->own + dictionary->entries[i].passing, place);
	}
	*passing = array_of(list.passing, list.passed);
	*passing_until = array_of(list.passing_until, list.passed);
}
