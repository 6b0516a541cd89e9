/*
 * store_write.c - replacing stored sets by new ones.
 *
 * Old and new sets are walked together in the order of the table's key.  What
 * is equal stays; only chunks that changed are written, so that a refresh
 * costs the change and not the size.
 */
#include "common/crm.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "common/bridge.h"
#include "executor/tuptable.h"
#include "kernel/tag_chunk.h"
#include "tag/store_write.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#define INSERT_BATCH 100
/* Longer rows may be toasted, and the batched insert would then index the wrong place. */
#define BATCHED_MEMBERS 1500

/* One set within one chunk, as the table's key orders them. */
typedef struct set_key
{
	int32		scope_no;
	int64		chunk;
	int32		tag_id;
	int32		value_no;
} set_key;

typedef struct store_writer
{
	const crm_population *population;
	crm_store_change *change;

	Relation	table;
	Relation	index;
	TupleDesc	desc;
	CatalogIndexState indexes;

	/* the old sets, read ahead by one */
	SysScanDesc scan;
	HeapTuple	old;
	set_key		old_key;
	Datum		old_members;

	/* new rows on their way */
	TupleTableSlot *slots[INSERT_BATCH];
	int			pending;
	MemoryContext row_context;
	MemoryContext moves;		/* ids of those who may just have changed their scope; NULL: nobody can have */
} store_writer;

static int
compare_keys(const set_key *a, const set_key *b)
{
	if (a->scope_no != b->scope_no)
		return a->scope_no < b->scope_no ? -1 : 1;
	if (a->chunk != b->chunk)
		return a->chunk < b->chunk ? -1 : 1;
	if (a->tag_id != b->tag_id)
		return a->tag_id < b->tag_id ? -1 : 1;
	if (a->value_no != b->value_no)
		return a->value_no < b->value_no ? -1 : 1;
	return 0;
}

/* The place of a tag among those replaced, -1 when it is not among them. */
static int
replaced_tag(const crm_store_change *change, int32 tag_id)
{
	int			low = 0;
	int			high = change->tag_count;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (change->tags[middle].tag_id < tag_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < change->tag_count && change->tags[low].tag_id == tag_id ? low : -1;
}

static crm_value_change *
value_change(crm_store_change *change, int32 tag_id, int32 value_no)
{
	crm_tag_change *tag = &change->tags[replaced_tag(change, tag_id)];

	if (value_no >= tag->value_count)
	{
		int			room = Max(value_no + 1, tag->value_count * 2);

		tag->values = repalloc(tag->values, room * sizeof(crm_value_change));
		memset(tag->values + tag->value_count, 0, (room - tag->value_count) * sizeof(crm_value_change));
		tag->value_count = room;
	}
	return &tag->values[value_no];
}

/* A slice of numbers tells nothing of who came and went. */
static bool
is_slice(const crm_store_change *change, const set_key *key)
{
	return key->value_no != CRM_NO_VALUE && change->tags[replaced_tag(change, key->tag_id)].number;
}

/* ---- the old sets ---------------------------------------------------------------------- */

/* The next old set of a replaced tag. */
static void
next_old(store_writer *writer)
{
	while (HeapTupleIsValid(writer->old = systable_getnext_ordered(writer->scan, ForwardScanDirection)))
	{
		Datum		values[CRM_SET_COLUMNS];
		bool		nulls[CRM_SET_COLUMNS];

		heap_deform_tuple(writer->old, writer->desc, values, nulls);
		writer->old_key.scope_no = DatumGetInt32(values[CRM_SET_SCOPE - 1]);
		writer->old_key.chunk = DatumGetInt64(values[CRM_SET_CHUNK - 1]);
		writer->old_key.tag_id = DatumGetInt32(values[CRM_SET_TAG - 1]);
		writer->old_key.value_no = DatumGetInt32(values[CRM_SET_VALUE - 1]);
		writer->old_members = values[CRM_SET_MEMBERS - 1];
		if (writer->old_key.scope_no < 0 || writer->old_key.scope_no > CRM_MAX_PLACE ||
			writer->old_key.value_no < 0 || writer->old_key.value_no > CRM_MAX_PLACE)
			crm_store_damaged(writer->population, writer->old_key.tag_id, writer->old_key.chunk);
		if (replaced_tag(writer->change, writer->old_key.tag_id) >= 0)
			return;
		CHECK_FOR_INTERRUPTS();
	}
}

/* Keeps what happens to a set; NULL stands for no members. */
static void
note_history(store_writer *writer, const set_key *key, const uint8 *old, Size old_size, const bytea *members)
{
	crm_history_note(writer->change->history, key->scope_no, key->chunk, key->tag_id, key->value_no, old, old_size,
					 members == NULL ? NULL : (const uint8 *) VARDATA(members), members == NULL ? 0 : VARSIZE(members) - VARHDRSZ);
}

static void
delete_old(store_writer *writer)
{
	MemoryContext old = MemoryContextSwitchTo(writer->row_context);
	bytea	   *members = DatumGetByteaPP(writer->old_members);

	if (!is_slice(writer->change, &writer->old_key))
		crm_value_change_count(value_change(writer->change, writer->old_key.tag_id, writer->old_key.value_no),
							   writer->population, writer->old_key.tag_id, writer->old_key.chunk,
							   (uint8 *) VARDATA_ANY(members), VARSIZE_ANY_EXHDR(members), NULL, 0, writer->moves);
	note_history(writer, &writer->old_key, (uint8 *) VARDATA_ANY(members), VARSIZE_ANY_EXHDR(members), NULL);
	MemoryContextSwitchTo(old);
	MemoryContextReset(writer->row_context);
	CatalogTupleDelete(writer->table, &writer->old->t_self);
	writer->change->chunks_written++;
}

/* ---- the new sets ------------------------------------------------------------------------- */

static void
fill_values(const crm_population *population, const set_key *key, bytea *members, Datum *values)
{
	values[CRM_SET_POPULATION - 1] = Int32GetDatum(population->id);
	values[CRM_SET_SCOPE - 1] = Int32GetDatum(key->scope_no);
	values[CRM_SET_CHUNK - 1] = Int64GetDatum(key->chunk);
	values[CRM_SET_TAG - 1] = Int32GetDatum(key->tag_id);
	values[CRM_SET_VALUE - 1] = Int32GetDatum(key->value_no);
	values[CRM_SET_MEMBERS - 1] = PointerGetDatum(members);
}

static void
flush(store_writer *writer)
{
	if (writer->pending == 0)
		return;
	CatalogTuplesMultiInsertWithInfo(writer->table, writer->slots, writer->pending, writer->indexes);
	for (int i = 0; i < writer->pending; i++)
		ExecClearTuple(writer->slots[i]);
	writer->pending = 0;
	CHECK_FOR_INTERRUPTS();
}

static void
insert_new(store_writer *writer, const set_key *key, bytea *members)
{
	TupleTableSlot *slot = writer->slots[writer->pending];

	writer->change->chunks_written++;
	if (VARSIZE(members) > BATCHED_MEMBERS)
	{
		Datum		values[CRM_SET_COLUMNS];
		bool		nulls[CRM_SET_COLUMNS] = {false};
		HeapTuple	tuple;

		flush(writer);
		fill_values(writer->population, key, members, values);
		tuple = heap_form_tuple(writer->desc, values, nulls);
		CatalogTupleInsertWithInfo(writer->table, tuple, writer->indexes);
		heap_freetuple(tuple);
		return;
	}
	fill_values(writer->population, key, members, slot->tts_values);
	memset(slot->tts_isnull, false, CRM_SET_COLUMNS * sizeof(bool));
	ExecStoreVirtualTuple(slot);
	ExecMaterializeSlot(slot);	/* members is the caller's buffer */
	if (++writer->pending == INSERT_BATCH)
		flush(writer);
}

static void
update_old(store_writer *writer, const set_key *key, bytea *members)
{
	Datum		values[CRM_SET_COLUMNS];
	bool		nulls[CRM_SET_COLUMNS] = {false};
	HeapTuple	tuple;

	fill_values(writer->population, key, members, values);
	tuple = heap_form_tuple(writer->desc, values, nulls);
	CatalogTupleUpdateWithInfo(writer->table, &writer->old->t_self, tuple, writer->indexes);
	heap_freetuple(tuple);
	writer->change->chunks_written++;
}

/* Takes the next new set, in ascending order of key; members' length is set. */
static void
put(store_writer *writer, const set_key *key, bytea *members, uint32 count)
{
	crm_value_change *value = NULL;
	int			order = -1;

	while (HeapTupleIsValid(writer->old) && (order = compare_keys(&writer->old_key, key)) < 0)
	{
		delete_old(writer);
		next_old(writer);
	}
	if (!is_slice(writer->change, key))
	{
		value = value_change(writer->change, key->tag_id, key->value_no);
		value->members += count;
		if (writer->change->on_size != NULL)
			writer->change->on_size(writer->change->arg, key->tag_id, key->value_no, key->scope_no, count);
	}
	if (HeapTupleIsValid(writer->old) && order == 0)
	{
		MemoryContext old_context = MemoryContextSwitchTo(writer->row_context);
		bytea	   *stored = DatumGetByteaPP(writer->old_members);
		Size		size = VARSIZE_ANY_EXHDR(stored);

		if (size != VARSIZE(members) - VARHDRSZ || memcmp(VARDATA_ANY(stored), VARDATA(members), size) != 0)
		{
			if (value != NULL)
				crm_value_change_count(value, writer->population, key->tag_id, key->chunk, (uint8 *) VARDATA_ANY(stored), size,
									   (uint8 *) VARDATA(members), VARSIZE(members) - VARHDRSZ, writer->moves);
			note_history(writer, key, (uint8 *) VARDATA_ANY(stored), size, members);
			update_old(writer, key, members);
		}
		MemoryContextSwitchTo(old_context);
		MemoryContextReset(writer->row_context);
		next_old(writer);
	}
	else
	{
		if (value != NULL && writer->moves == NULL)
			value->entered += count;
		else if (value != NULL)
			crm_value_change_count(value, writer->population, key->tag_id, key->chunk, NULL, 0,
								   (uint8 *) VARDATA(members), VARSIZE(members) - VARHDRSZ, writer->moves);
		note_history(writer, key, NULL, 0, members);
		insert_new(writer, key, members);
	}
}

/* ---- all of it ------------------------------------------------------------------------------ */

typedef struct present_value
{
	int32		value_no;
	int			present;
} present_value;

static int
compare_present(const void *a, const void *b)
{
	return ((const present_value *) a)->value_no - ((const present_value *) b)->value_no;
}

static void
put_chunk(store_writer *writer, crm_tag_sets *sets, int chunk, bytea *members,
		  uint16 *codes, present_value *present)
{
	crm_store_change *change = writer->change;
	uint8	   *out = (uint8 *) VARDATA(members);
	uint32		scope;
	uint64		number;
	uint32		customers;
	set_key		key;

	crm_tag_sets_chunk(sets, chunk, &scope, &number, &customers);
	key.scope_no = change->scope_numbers[scope];
	key.chunk = (int64) number;
	for (int t = 0; t < change->tag_count; t++)
	{
		crm_tag_change *tag = &change->tags[t];
		Size		size;
		uint32		count;

		key.tag_id = tag->tag_id;
		key.value_no = CRM_NO_VALUE;
		if (tag->rule < 0)
		{
			SET_VARSIZE(members, VARHDRSZ + crm_tag_sets_encode_base(sets, chunk, out));
			put(writer, &key, members, customers);
		}
		else if (tag->number)
		{
			int			slices = crm_tag_sets_slices(sets, chunk, tag->rule);

			for (int i = 0; i < slices; i++)
			{
				size = crm_tag_sets_encode_slice(sets, chunk, tag->rule, i, out, &count);
				if (count == 0)
					continue;
				key.value_no = i;
				SET_VARSIZE(members, VARHDRSZ + size);
				put(writer, &key, members, count);
			}
		}
		else if (tag->value_numbers == NULL)
		{
			size = crm_tag_sets_encode_rule(sets, chunk, tag->rule, out, &count);
			if (size == 0)
				continue;
			SET_VARSIZE(members, VARHDRSZ + size);
			put(writer, &key, members, count);
		}
		else
		{
			int			n = crm_tag_sets_codes_present(sets, chunk, tag->rule, codes);

			for (int i = 0; i < n; i++)
			{
				present[i].value_no = tag->value_numbers[codes[i]];
				present[i].present = i;
			}
			qsort(present, n, sizeof(present_value), compare_present);
			for (int i = 0; i < n; i++)
			{
				key.value_no = present[i].value_no;
				size = crm_tag_sets_encode_code(sets, chunk, present[i].present, out, &count);
				SET_VARSIZE(members, VARHDRSZ + size);
				put(writer, &key, members, count);
			}
		}
	}
}

void
crm_store_replace(const crm_population *population, crm_tag_sets *sets, crm_store_change *change)
{
	store_writer writer = {0};
	ScanKeyData key;
	Snapshot	snapshot;
	int			chunks = crm_tag_sets_chunks(sets);
	Size		room = 0;
	bytea	   *members = NULL;
	uint16	   *codes = palloc(65536 * sizeof(uint16));
	present_value *present = palloc(65536 * sizeof(present_value));

	writer.population = population;
	writer.change = change;
	writer.table = crm_catalogue_open("tag_set", RowExclusiveLock);
	writer.index = crm_catalogue_index(writer.table, "tag_set_pkey");
	writer.desc = RelationGetDescr(writer.table);
	writer.indexes = CatalogOpenIndexes(writer.table);
	writer.row_context = AllocSetContextCreate(CurrentMemoryContext, "crm stored chunk", ALLOCSET_DEFAULT_SIZES);
	for (int i = 0; i < INSERT_BATCH; i++)
		writer.slots[i] = MakeSingleTupleTableSlot(writer.desc, &TTSOpsHeapTuple);

	/* our own inserts must not come back as old sets */
	snapshot = RegisterSnapshot(GetActiveSnapshot());
	ScanKeyInit(&key, CRM_SET_POPULATION, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(population->id));
	writer.scan = systable_beginscan_ordered(writer.table, writer.index, snapshot, 1, &key);
	next_old(&writer);
	if (population->scope_column != NULL && HeapTupleIsValid(writer.old))
		writer.moves = AllocSetContextCreate(CurrentMemoryContext, "crm moves between scopes", ALLOCSET_DEFAULT_SIZES);

	for (int chunk = 0; chunk < chunks; chunk++)
	{
		Size		bound = VARHDRSZ + crm_tag_sets_bound(sets, chunk);

		CHECK_FOR_INTERRUPTS();
		crm_check_size(bound, "bytea");
		if (bound > room)
		{
			if (members != NULL)
				pfree(members);
			members = palloc(bound);
			room = bound;
		}
		put_chunk(&writer, sets, chunk, members, codes, present);
	}
	while (HeapTupleIsValid(writer.old))
	{
		delete_old(&writer);
		next_old(&writer);
	}
	flush(&writer);
	crm_history_flush(change->history);
	if (writer.moves != NULL)
	{
		for (int t = 0; t < change->tag_count; t++)
			for (int v = 0; v < change->tags[t].value_count; v++)
				crm_value_change_settle(&change->tags[t].values[v]);
		MemoryContextDelete(writer.moves);
	}

	systable_endscan_ordered(writer.scan);
	UnregisterSnapshot(snapshot);
	for (int i = 0; i < INSERT_BATCH; i++)
		ExecDropSingleTupleTableSlot(writer.slots[i]);
	CatalogCloseIndexes(writer.indexes);
	index_close(writer.index, AccessShareLock);
	table_close(writer.table, NoLock);
	MemoryContextDelete(writer.row_context);
	pfree(codes);
	pfree(present);
	CommandCounterIncrement();
}
