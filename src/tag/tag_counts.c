/*
 * tag_counts.c - crm.tag_counts: how many customers have how many tags.
 *
 * One walk over the stored chunks by their primary key: the sets of one chunk
 * follow each other, the population's own first, so that the sums of one chunk
 * are all there is in memory.
 */
#include "common/crm.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "common/bridge.h"
#include "funcapi.h"
#include "kernel/tag_count.h"
#include "tag/readers.h"
#include "tag/store.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

typedef struct counting
{
	const crm_population *population;
	bool		wide;
	/* of the current chunk */
	bool		started;
	int32		scope;
	int64		chunk;
	uint64		base[CRM_CHUNK_WORDS];
	crm_tag_count *dense;
	uint64	   *customers;		/* wide: their offsets, ascending */
	size_t		count;
	size_t		room;
	uint32	   *sums;
	uint64	   *offsets;		/* wide: of the set at hand */
	size_t		offsets_room;
	/* the answer */
	uint64	   *histogram;
	size_t		histogram_room;
} counting;

/* Counts customers by their sums. */
static void
add_sums(void *arg, const uint32_t *sums, int n)
{
	counting   *c = arg;

	for (int i = 0; i < n; i++)
	{
		if (sums[i] >= c->histogram_room)
		{
			size_t		room = Max((size_t) sums[i] + 1, c->histogram_room * 2);

			c->histogram = repalloc(c->histogram, room * sizeof(uint64));
			memset(c->histogram + c->histogram_room, 0, (room - c->histogram_room) * sizeof(uint64));
			c->histogram_room = room;
		}
		c->histogram[sums[i]]++;
	}
}

static void
finish_chunk(counting *c)
{
	if (!c->started)
		return;
	if (!c->wide)
		crm_tag_count_read(c->dense, c->base, add_sums, c);
	else
		for (size_t i = 0; i < c->count; i += 1024)
			add_sums(c, c->sums + i, (int) Min(c->count - i, 1024));
	c->started = false;
}

/* Decodes a wide set into the offsets at hand. */
static size_t
decode_wide(counting *c, int32 tag_id, const uint8 *data, size_t size)
{
	size_t		n;

	if (c->offsets_room < size)
	{
		pfree(c->offsets);
		c->offsets_room = size * 2;
		c->offsets = MemoryContextAllocHuge(CurrentMemoryContext, c->offsets_room * sizeof(uint64));
	}
	if (crm_chunk_decode_wide(data, size, c->population->chunk_bits, c->offsets, &n) != CRM_OK)
		crm_store_damaged(c->population, tag_id, c->chunk);
	return n;
}

/* The population's own set starts a chunk. */
static void
start_chunk(counting *c, int32 tag_id, const uint8 *data, size_t size)
{
	c->started = true;
	if (!c->wide)
	{
		crm_tag_count_reset(c->dense);
		if (crm_chunk_decode(data, size, c->base) != CRM_OK)
			crm_store_damaged(c->population, tag_id, c->chunk);
		return;
	}

	c->count = decode_wide(c, tag_id, data, size);
	if (c->room < c->count)
	{
		pfree(c->customers);
		pfree(c->sums);
		c->room = c->count * 2;
		c->customers = MemoryContextAllocHuge(CurrentMemoryContext, c->room * sizeof(uint64));
		c->sums = MemoryContextAllocHuge(CurrentMemoryContext, c->room * sizeof(uint32));
	}
	memcpy(c->customers, c->offsets, c->count * sizeof(uint64));
	memset(c->sums, 0, c->count * sizeof(uint32));
}

static void
add_set(counting *c, int32 tag_id, const uint8 *data, size_t size)
{
	if (!c->wide)
	{
		uint64		words[CRM_CHUNK_WORDS];

		if (crm_chunk_decode(data, size, words) != CRM_OK)
			crm_store_damaged(c->population, tag_id, c->chunk);
		crm_check(crm_tag_count_add(c->dense, words), CRM_AUDIENCE_NAME, false);
	}
	else
	{
		size_t		n = decode_wide(c, tag_id, data, size);

		/* both ascend */
		for (size_t i = 0, at = 0; i < n; i++)
		{
			while (at < c->count && c->customers[at] < c->offsets[i])
				at++;
			if (at < c->count && c->customers[at] == c->offsets[i])
				c->sums[at]++;
		}
	}
}

static void
count_all(counting *c, const crm_scopes *scopes)
{
	Relation	table = crm_catalogue_open("tag_set", AccessShareLock);
	Relation	index = crm_catalogue_index(table, "tag_set_pkey");
	TupleDesc	desc = RelationGetDescr(table);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	int32		whole = 0;		/* the tag whose set of this chunk has been counted: a boolean one, or a numeric one's whole */

	ScanKeyInit(&key, CRM_SET_POPULATION, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(c->population->id));
	scan = systable_beginscan_ordered(table, index, GetActiveSnapshot(), 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		Datum		values[CRM_SET_COLUMNS];
		bool		nulls[CRM_SET_COLUMNS];
		int32		scope,
					tag_id;
		int64		chunk;
		struct varlena *members;

		CHECK_FOR_INTERRUPTS();
		heap_deform_tuple(tuple, desc, values, nulls);
		scope = DatumGetInt32(values[CRM_SET_SCOPE - 1]);
		chunk = DatumGetInt64(values[CRM_SET_CHUNK - 1]);
		tag_id = DatumGetInt32(values[CRM_SET_TAG - 1]);
		if (!crm_scopes_include(scopes, scope))
			continue;
		if (c->started && (scope != c->scope || chunk != c->chunk))
		{
			finish_chunk(c);
			whole = 0;
		}
		c->scope = scope;
		c->chunk = chunk;
		/* slices of numbers behind the set of those who have one */
		if (tag_id == whole)
			continue;
		if (DatumGetInt32(values[CRM_SET_VALUE - 1]) == CRM_NO_VALUE)
			whole = tag_id;

		members = PG_DETOAST_DATUM_PACKED(values[CRM_SET_MEMBERS - 1]);
		if (tag_id == CRM_BASE_TAG(c->population))
			start_chunk(c, tag_id, (const uint8 *) VARDATA_ANY(members), VARSIZE_ANY_EXHDR(members));
		else if (c->started)
			add_set(c, tag_id, (const uint8 *) VARDATA_ANY(members), VARSIZE_ANY_EXHDR(members));
		if ((Pointer) members != DatumGetPointer(values[CRM_SET_MEMBERS - 1]))
			pfree(members);
	}
	finish_chunk(c);
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(table, AccessShareLock);
}

/* crm.tag_counts(population) */
CRM_FUNCTION(crm_tag_counts);
Datum
crm_tag_counts(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	counting	c = {0};
	crm_scopes *scopes;

	InitMaterializedSRF(fcinfo, 0);
	c.population = crm_population_find(crm_text_argument(fcinfo, 0));
	scopes = crm_rights_readable(c.population);
	c.wide = c.population->chunk_bits > CRM_CHUNK_BITS;
	c.dense = palloc0(sizeof(crm_tag_count));
	c.room = c.offsets_room = 1024;
	c.customers = palloc(c.room * sizeof(uint64));
	c.offsets = palloc(c.offsets_room * sizeof(uint64));
	c.sums = palloc(c.room * sizeof(uint32));
	c.histogram_room = 64;
	c.histogram = palloc0(c.histogram_room * sizeof(uint64));
	count_all(&c, scopes);

	for (size_t tags = 0; tags < c.histogram_room; tags++)
	{
		Datum		values[2];
		bool		nulls[2] = {false, false};

		if (c.histogram[tags] == 0)
			continue;
		values[0] = Int64GetDatum((int64) tags);
		values[1] = Int64GetDatum((int64) c.histogram[tags]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
