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
#include "common/progress.h"
#include "executor/tuptable.h"
#include "kernel/tag_chunk.h"
#include "tag/store_writer.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Longer rows may be toasted, and the batched insert would then index the wrong place. */
#define BATCHED_MEMBERS 1500

int
crm_set_key_compare(const crm_set_key *a, const crm_set_key *b)
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
int
crm_store_replaced_tag(const crm_store_change *change, int32 tag_id)
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

crm_value_change *
crm_store_value_change(crm_store_change *change, int32 tag_id, int32 value_no)
{
	crm_tag_change *tag = &change->tags[crm_store_replaced_tag(change, tag_id)];

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
bool
crm_store_is_slice(const crm_store_change *change, const crm_set_key *key)
{
	return key->value_no != CRM_NO_VALUE && change->tags[crm_store_replaced_tag(change, key->tag_id)].number;
}

/* ---- the old sets ---------------------------------------------------------------------- */

/* The next old set of a replaced tag. */
void
crm_store_next_old(crm_store_writer *writer)
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
		if (crm_store_replaced_tag(writer->change, writer->old_key.tag_id) >= 0)
			return;
		CHECK_FOR_INTERRUPTS();
	}
}

/* Keeps what happens to a set; NULL stands for no members. */
void
crm_store_note_history(crm_store_writer *writer, const crm_set_key *key, const uint8 *old, Size old_size, const bytea *members)
{
	crm_history_note(writer->change->history, key->scope_no, key->chunk, key->tag_id, key->value_no, old, old_size,
					 members == NULL ? NULL : (const uint8 *) VARDATA(members), members == NULL ? 0 : VARSIZE(members) - VARHDRSZ);
}

void
crm_store_delete_old(crm_store_writer *writer)
{
	MemoryContext old = MemoryContextSwitchTo(writer->row_context);
	bytea	   *members = DatumGetByteaPP(writer->old_members);

	if (!crm_store_is_slice(writer->change, &writer->old_key))
		crm_value_change_count(crm_store_value_change(writer->change, writer->old_key.tag_id, writer->old_key.value_no),
							   writer->population, writer->old_key.tag_id, writer->old_key.chunk,
							   (uint8 *) VARDATA_ANY(members), VARSIZE_ANY_EXHDR(members), NULL, 0, writer->moves);
	crm_store_note_history(writer, &writer->old_key, (uint8 *) VARDATA_ANY(members), VARSIZE_ANY_EXHDR(members), NULL);
	MemoryContextSwitchTo(old);
	MemoryContextReset(writer->row_context);
	CatalogTupleDelete(writer->table, &writer->old->t_self);
	writer->change->chunks_written++;
}

/* ---- the new sets ------------------------------------------------------------------------- */

static void
fill_values(const crm_population *population, const crm_set_key *key, bytea *members, Datum *values)
{
	values[CRM_SET_POPULATION - 1] = Int32GetDatum(population->id);
	values[CRM_SET_SCOPE - 1] = Int32GetDatum(key->scope_no);
	values[CRM_SET_CHUNK - 1] = Int64GetDatum(key->chunk);
	values[CRM_SET_TAG - 1] = Int32GetDatum(key->tag_id);
	values[CRM_SET_VALUE - 1] = Int32GetDatum(key->value_no);
	values[CRM_SET_MEMBERS - 1] = PointerGetDatum(members);
}

void
crm_store_flush(crm_store_writer *writer)
{
	if (writer->pending == 0)
		return;
	CatalogTuplesMultiInsertWithInfo(writer->table, writer->slots, writer->pending, writer->indexes);
	for (int i = 0; i < writer->pending; i++)
		ExecClearTuple(writer->slots[i]);
	writer->pending = 0;
	CHECK_FOR_INTERRUPTS();
}

void
crm_store_insert(crm_store_writer *writer, const crm_set_key *key, bytea *members)
{
	TupleTableSlot *slot = writer->slots[writer->pending];

	writer->change->chunks_written++;
	if (VARSIZE(members) > BATCHED_MEMBERS)
	{
		Datum		values[CRM_SET_COLUMNS];
		bool		nulls[CRM_SET_COLUMNS] = {false};
		HeapTuple	tuple;

		crm_store_flush(writer);
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
	if (++writer->pending == CRM_STORE_BATCH)
		crm_store_flush(writer);
}

void
crm_store_update_old(crm_store_writer *writer, const crm_set_key *key, bytea *members)
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
put_new(void *arg, const crm_set_key *key, bytea *members, uint32 count)
{
	crm_store_writer *writer = arg;
	crm_value_change *value = NULL;
	int			order = -1;

	while (HeapTupleIsValid(writer->old) && (order = crm_set_key_compare(&writer->old_key, key)) < 0)
	{
		crm_store_delete_old(writer);
		crm_store_next_old(writer);
	}
	if (!crm_store_is_slice(writer->change, key))
	{
		value = crm_store_value_change(writer->change, key->tag_id, key->value_no);
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
			crm_store_note_history(writer, key, (uint8 *) VARDATA_ANY(stored), size, members);
			crm_store_update_old(writer, key, members);
		}
		MemoryContextSwitchTo(old_context);
		MemoryContextReset(writer->row_context);
		crm_store_next_old(writer);
	}
	else
	{
		if (value != NULL && writer->moves == NULL)
			value->entered += count;
		else if (value != NULL)
			crm_value_change_count(value, writer->population, key->tag_id, key->chunk, NULL, 0,
								   (uint8 *) VARDATA(members), VARSIZE(members) - VARHDRSZ, writer->moves);
		crm_store_note_history(writer, key, NULL, 0, members);
		crm_store_insert(writer, key, members);
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

void
crm_store_put_chunk(const crm_store_change *change, crm_tag_sets *sets, int chunk, crm_store_buffers *buffers,
					crm_store_put put, void *arg)
{
	Size		bound = VARHDRSZ + crm_tag_sets_bound(sets, chunk);
	bytea	   *members;
	uint16	   *codes;
	present_value *present;
	uint8	   *out;
	uint32		scope;
	uint64		number;
	uint32		customers;
	crm_set_key key;

	crm_check_size(bound, "bytea");
	if (bound > buffers->room)
	{
		if (buffers->members != NULL)
			pfree(buffers->members);
		buffers->members = palloc(bound);
		buffers->room = bound;
	}
	if (buffers->codes == NULL)
	{
		buffers->codes = palloc(65536 * sizeof(uint16));
		buffers->present = palloc(65536 * sizeof(present_value));
	}
	members = buffers->members;
	codes = buffers->codes;
	present = buffers->present;
	out = (uint8 *) VARDATA(members);
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
			put(arg, &key, members, customers);
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
				put(arg, &key, members, count);
			}
		}
		else if (tag->value_numbers == NULL)
		{
			size = crm_tag_sets_encode_rule(sets, chunk, tag->rule, out, &count);
			if (size == 0)
				continue;
			SET_VARSIZE(members, VARHDRSZ + size);
			put(arg, &key, members, count);
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
				put(arg, &key, members, count);
			}
		}
	}
}

void
crm_store_writer_open(crm_store_writer *writer, const crm_population *population, crm_store_change *change)
{
	memset(writer, 0, sizeof(*writer));
	writer->population = population;
	writer->change = change;
	writer->table = crm_catalogue_open("tag_set", RowExclusiveLock);
	writer->index = crm_catalogue_index(writer->table, "tag_set_pkey");
	writer->desc = RelationGetDescr(writer->table);
	writer->indexes = CatalogOpenIndexes(writer->table);
	writer->row_context = AllocSetContextCreate(CurrentMemoryContext, "crm stored chunk", ALLOCSET_DEFAULT_SIZES);
	for (int i = 0; i < CRM_STORE_BATCH; i++)
		writer->slots[i] = MakeSingleTupleTableSlot(writer->desc, &TTSOpsHeapTuple);
	/* our own inserts must not come back as old sets */
	writer->snapshot = RegisterSnapshot(GetActiveSnapshot());
}

void
crm_store_writer_close(crm_store_writer *writer)
{
	crm_store_change *change = writer->change;

	crm_store_flush(writer);
	crm_history_flush(change->history);
	if (writer->moves != NULL)
	{
		for (int t = 0; t < change->tag_count; t++)
			for (int v = 0; v < change->tags[t].value_count; v++)
				crm_value_change_settle(&change->tags[t].values[v]);
		MemoryContextDelete(writer->moves);
	}
	UnregisterSnapshot(writer->snapshot);
	for (int i = 0; i < CRM_STORE_BATCH; i++)
		ExecDropSingleTupleTableSlot(writer->slots[i]);
	CatalogCloseIndexes(writer->indexes);
	index_close(writer->index, AccessShareLock);
	table_close(writer->table, NoLock);
	MemoryContextDelete(writer->row_context);
	CommandCounterIncrement();
}

void
crm_store_collect_moves(crm_store_writer *writer)
{
	if (writer->moves == NULL && writer->population->scope_column != NULL)
		writer->moves = AllocSetContextCreate(CurrentMemoryContext, "crm moves between scopes", ALLOCSET_DEFAULT_SIZES);
}

void
crm_store_replace(const crm_population *population, crm_tag_sets *sets, crm_store_change *change)
{
	crm_store_writer writer;
	crm_store_buffers buffers = {0};
	ScanKeyData key;
	int			chunks = crm_tag_sets_chunks(sets);

	crm_progress_phase("writing sets", "chunks", chunks);
	crm_store_writer_open(&writer, population, change);
	ScanKeyInit(&key, CRM_SET_POPULATION, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(population->id));
	writer.scan = systable_beginscan_ordered(writer.table, writer.index, writer.snapshot, 1, &key);
	crm_store_next_old(&writer);
	if (HeapTupleIsValid(writer.old))
		crm_store_collect_moves(&writer);

	for (int chunk = 0; chunk < chunks; chunk++)
	{
		CHECK_FOR_INTERRUPTS();
		crm_store_put_chunk(change, sets, chunk, &buffers, put_new, &writer);
		crm_progress_done(chunk + 1);
	}
	while (HeapTupleIsValid(writer.old))
	{
		crm_store_delete_old(&writer);
		crm_store_next_old(&writer);
	}
	systable_endscan_ordered(writer.scan);
	crm_store_writer_close(&writer);
}
