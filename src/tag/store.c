/*
 * store.c - reading the stored sets, straight from the table by its indexes.
 *
 * Readers use the active snapshot: a refresh that commits meanwhile is seen
 * whole by the next statement, never in part by this one.
 */
#include "common/crm.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "common/bridge.h"
#include "kernel/tag_chunk.h"
#include "tag/history.h"
#include "tag/store.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

typedef struct stored_chunk
{
	int64		chunk;
	const uint8 *data;
	Size		size;
} stored_chunk;

typedef struct chunk_list
{
	stored_chunk *chunks;
	int			count;
	int			room;
	bool		sorted;
} chunk_list;

static int
compare_chunks(const void *a, const void *b)
{
	int64		x = ((const stored_chunk *) a)->chunk;
	int64		y = ((const stored_chunk *) b)->chunk;

	return x < y ? -1 : x > y;
}

void
crm_store_damaged(const crm_population *population, int32 tag_id, int64 chunk)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("stored set of population \"%s\" is damaged", population->name),
			 errdetail("Tag number %d, chunk " INT64_FORMAT ".", tag_id, chunk),
			 errhint("Refresh the population's tags.")));
}

static void
add_chunk(chunk_list *list, int64 number, Datum value)
{
	bytea	   *members = DatumGetByteaPCopy(value);	/* the tuple's page is not ours for long */
	stored_chunk *chunk;

	if (list->count == list->room)
	{
		list->room *= 2;
		list->chunks = repalloc_huge(list->chunks, list->room * sizeof(stored_chunk));
	}
	chunk = &list->chunks[list->count++];
	chunk->chunk = number;
	chunk->data = (const uint8 *) VARDATA(members);
	chunk->size = VARSIZE(members) - VARHDRSZ;
	if (list->count > 1 && chunk[-1].chunk > chunk->chunk)
		list->sorted = false;
}

/*
 * Adds one set's chunks in the scopes allowed, from tag_set, or from tag_change
 * what the changes after a number did to it; their columns begin alike.
 */
static void
fetch_chunks(chunk_list *list, int32 tag_id, int32 value_no, const crm_scopes *scopes, const int64 *after)
{
	Relation	table = crm_catalogue_open(after == NULL ? "tag_set" : "tag_change", AccessShareLock);
	Relation	index = crm_catalogue_index(table, after == NULL ? "tag_set_by_tag" : "tag_change_by_tag");
	TupleDesc	desc = RelationGetDescr(table);
	ScanKeyData keys[3];
	int			n = 2;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], CRM_SET_TAG, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(tag_id));
	ScanKeyInit(&keys[1], CRM_SET_VALUE, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(value_no));
	if (after != NULL)
		ScanKeyInit(&keys[n++], CRM_CHANGE_NO, BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(*after));
	else if (!scopes->all && scopes->count == 1)
		ScanKeyInit(&keys[n++], CRM_SET_SCOPE, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(scopes->numbers[0]));
	scan = systable_beginscan_ordered(table, index, GetActiveSnapshot(), n, keys);
	while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		Datum		values[CRM_CHANGE_COLUMNS];
		bool		nulls[CRM_CHANGE_COLUMNS];
		int64		chunk;

		CHECK_FOR_INTERRUPTS();
		heap_deform_tuple(tuple, desc, values, nulls);
		if (!crm_scopes_include(scopes, DatumGetInt32(values[CRM_SET_SCOPE - 1])))
			continue;
		chunk = DatumGetInt64(values[CRM_SET_CHUNK - 1]);
		if (after == NULL)
			add_chunk(list, chunk, values[CRM_SET_MEMBERS - 1]);
		else
			for (int i = CRM_CHANGE_ENTERED - 1; i <= CRM_CHANGE_EXITED - 1; i++)
				if (!nulls[i])
					add_chunk(list, chunk, values[i]);
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(table, AccessShareLock);
}

/*
 * Dense chunks: eight make one container of the audience.  Scopes share no
 * customer, and what changes did is undone by doing it again: in both cases an
 * exclusive or.
 */
static void
add_dense(const crm_population *population, int32 tag_id, stored_chunk *chunks, int count, crm_ids_builder *builder)
{
	uint64	   *words = palloc(CRM_CONTAINER_BYTES);
	int			per_container = CRM_CONTAINER_BITS / CRM_CHUNK_IDS;

	for (int i = 0; i < count;)
	{
		int64		container = chunks[i].chunk / per_container;

		CHECK_FOR_INTERRUPTS();
		memset(words, 0, CRM_CONTAINER_BYTES);
		for (; i < count && chunks[i].chunk / per_container == container; i++)
		{
			uint64		part[CRM_CHUNK_WORDS];
			uint64	   *target = words + chunks[i].chunk % per_container * CRM_CHUNK_WORDS;

			if (chunks[i].chunk < 0 || crm_chunk_decode(chunks[i].data, chunks[i].size, part) != CRM_OK)
				crm_store_damaged(population, tag_id, chunks[i].chunk);
			for (int w = 0; w < CRM_CHUNK_WORDS; w++)
				target[w] ^= part[w];
		}
		crm_check(crm_ids_builder_words(builder, (uint64) container, words), "crm.audience", false);
	}
	pfree(words);
}

static int
compare_ids(const void *a, const void *b)
{
	uint64		x = *(const uint64 *) a;
	uint64		y = *(const uint64 *) b;

	return x < y ? -1 : x > y;
}

/* Keeps what stands there an odd number of times; returns how many. */
static size_t
keep_odd(uint64 *ids, size_t count)
{
	size_t		kept = 0;

	qsort(ids, count, sizeof(uint64), compare_ids);
	for (size_t i = 0; i < count;)
	{
		size_t		end = i + 1;

		while (end < count && ids[end] == ids[i])
			end++;
		if ((end - i) % 2 == 1)
			ids[kept++] = ids[i];
		i = end;
	}
	return kept;
}

/* Wide chunks: ids one by one, gathered into containers' arrays. */
static void
add_wide(const crm_population *population, int32 tag_id, stored_chunk *chunks, int count, crm_ids_builder *builder)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_ids_collector *collector;
	uint64	   *ids = NULL;
	Size		room = 0;

	/* a chunk may reach over many containers: the collector sorts it out */
	crm_check(crm_ids_collector_new(&env, &collector), "crm.audience", false);
	for (int i = 0; i < count;)
	{
		int64		number = chunks[i].chunk;
		Size		most = 0;
		size_t		n = 0;
		int			end = i;

		CHECK_FOR_INTERRUPTS();
		for (; end < count && chunks[end].chunk == number; end++)
			most += chunks[end].size;
		if (room < most)
		{
			room = most * 2;
			if (ids != NULL)
				pfree(ids);
			ids = MemoryContextAllocHuge(CurrentMemoryContext, room * sizeof(uint64));
		}
		for (; i < end; i++)
		{
			size_t		decoded;

			if (number < 0 ||
				crm_chunk_decode_wide(chunks[i].data, chunks[i].size, population->chunk_bits, ids + n, &decoded) != CRM_OK)
				crm_store_damaged(population, tag_id, number);
			n += decoded;
		}
		n = keep_odd(ids, n);
		for (size_t k = 0; k < n; k++)
			ids[k] |= (uint64) number << population->chunk_bits;
		crm_check(crm_ids_collector_add_many(collector, ids, n), "crm.audience", false);
	}
	crm_check(crm_ids_collector_build(collector, builder), "crm.audience", false);
	crm_ids_collector_free(collector);
}

void
crm_past_read(const crm_population *population, const crm_past *past, int32 tag_id, int32 value_no,
			  const crm_scopes *scopes, crm_ids_builder *builder)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "crm stored set", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	chunk_list	list = {palloc(1024 * sizeof(stored_chunk)), 0, 1024, true};

	fetch_chunks(&list, tag_id, value_no, scopes, NULL);
	if (past != NULL)
		fetch_chunks(&list, tag_id, value_no, scopes, &past->change_no);
	if (!list.sorted)
		qsort(list.chunks, list.count, sizeof(stored_chunk), compare_chunks);
	if (population->chunk_bits <= CRM_CHUNK_BITS)
		add_dense(population, tag_id, list.chunks, list.count, builder);
	else
		add_wide(population, tag_id, list.chunks, list.count, builder);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

void
crm_store_read(const crm_population *population, int32 tag_id, int32 value_no,
			   const crm_scopes *scopes, crm_ids_builder *builder)
{
	crm_past_read(population, NULL, tag_id, value_no, scopes, builder);
}

/*
 * Visits the sets of one chunk in one scope, of one tag or of all; false when the
 * customer is not in this scope, of which the population's own set tells.
 */
static bool
visit_scope(const crm_population *population, Relation table, Relation index,
			int32 scope_no, int64 id, int32 only_tag, bool here, crm_store_visit visit, void *arg)
{
	TupleDesc	desc = RelationGetDescr(table);
	int			bits = population->chunk_bits;
	uint64		offset = (uint64) id & ((UINT64CONST(1) << bits) - 1);
	ScanKeyData keys[4];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], CRM_SET_POPULATION, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(population->id));
	ScanKeyInit(&keys[1], CRM_SET_SCOPE, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(scope_no));
	ScanKeyInit(&keys[2], CRM_SET_CHUNK, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(id >> bits));
	ScanKeyInit(&keys[3], CRM_SET_TAG, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(only_tag));
	scan = systable_beginscan_ordered(table, index, GetActiveSnapshot(), only_tag != CRM_ALL_TAGS ? 4 : 3, keys);
	while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		Datum		values[CRM_SET_COLUMNS];
		bool		nulls[CRM_SET_COLUMNS];
		struct varlena *members;
		int32		tag_id;
		bool		found;

		CHECK_FOR_INTERRUPTS();
		heap_deform_tuple(tuple, desc, values, nulls);
		members = PG_DETOAST_DATUM_PACKED(values[CRM_SET_MEMBERS - 1]);
		tag_id = DatumGetInt32(values[CRM_SET_TAG - 1]);
		if (crm_chunk_contains((const uint8 *) VARDATA_ANY(members), VARSIZE_ANY_EXHDR(members), offset, &found) != CRM_OK)
			crm_store_damaged(population, tag_id, id >> bits);
		if ((Pointer) members != DatumGetPointer(values[CRM_SET_MEMBERS - 1]))
			pfree(members);
		/* the population's own set sorts first: not in it, not in this scope */
		if (tag_id == CRM_BASE_TAG(population))
			here = found;
		if (!here)
			break;
		if (found)
			visit(arg, tag_id, DatumGetInt32(values[CRM_SET_VALUE - 1]), scope_no);
	}
	systable_endscan_ordered(scan);
	return here;
}

void
crm_store_sets_of(const crm_population *population, int64 id, int32 only_tag, crm_store_visit visit, void *arg)
{
	crm_catalogue_session session;
	Relation	table;
	Relation	index;
	uint64		n;
	int32	   *scopes;

	if (population->chunk_bits == 0)
		return;					/* never refreshed */
	crm_catalogue_begin(&session);
	n = crm_catalogue_read("SELECT scope_no FROM @.population_scope WHERE population_id = $1 ORDER BY scope_no",
						   1, INT4OID, Int32GetDatum(population->id), false);
	scopes = MemoryContextAlloc(session.caller, (n + 1) * sizeof(int32));
	for (uint64 row = 0; row < n; row++)
		scopes[row] = (int32) crm_catalogue_number(row, 1, NULL);
	crm_catalogue_end(&session);

	table = crm_catalogue_open("tag_set", AccessShareLock);
	index = crm_catalogue_index(table, "tag_set_pkey");
	for (uint64 i = 0; i < n; i++)
	{
		int32		first = only_tag != CRM_ALL_TAGS ? CRM_BASE_TAG(population) : CRM_ALL_TAGS;

		if (!visit_scope(population, table, index, scopes[i], id, first, false, visit, arg))
			continue;
		if (only_tag != CRM_ALL_TAGS)
			(void) visit_scope(population, table, index, scopes[i], id, only_tag, true, visit, arg);
		break;
	}
	index_close(index, AccessShareLock);
	table_close(table, AccessShareLock);
}
