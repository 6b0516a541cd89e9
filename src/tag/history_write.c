/*
 * history_write.c - writing who entered and who left, chunk by chunk.
 */
#include "common/crm.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "common/bridge.h"
#include "executor/tuptable.h"
#include "kernel/tag_chunk.h"
#include "tag/history_private.h"
#include "tag/store.h"
#include "utils/rel.h"

/* Longer rows may be toasted, and the batched insert would then index the wrong place. */
#define BATCHED_BYTES 1500

static bool
records(const crm_history *history, int32 tag_id)
{
	int			low = 0;
	int			high = history->tag_count;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (history->tags[middle] < tag_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < history->tag_count && history->tags[low] == tag_id;
}

static void
open_table(crm_history *history)
{
	MemoryContext old = MemoryContextSwitchTo(history->context);

	history->table = crm_catalogue_open("tag_change", RowExclusiveLock);
	history->indexes = CatalogOpenIndexes(history->table);
	for (int i = 0; i < CRM_HISTORY_BATCH; i++)
		history->slots[i] = MakeSingleTupleTableSlot(RelationGetDescr(history->table), &TTSOpsHeapTuple);
	MemoryContextSwitchTo(old);
}

static void
write_pending(crm_history *history)
{
	if (history->pending == 0)
		return;
	CHECK_FOR_INTERRUPTS();
	CatalogTuplesMultiInsertWithInfo(history->table, history->slots, history->pending, history->indexes);
	for (int i = 0; i < history->pending; i++)
		ExecClearTuple(history->slots[i]);
	history->pending = 0;
}

static bytea *
as_bytea(const uint8 *data, Size size)
{
	bytea	   *result = palloc(VARHDRSZ + size);

	SET_VARSIZE(result, VARHDRSZ + size);
	memcpy(VARDATA(result), data, size);
	return result;
}

/* The members of a that b has not, encoded; NULL for nobody. */
static bytea *
difference(const uint64 *a, const uint64 *b)
{
	uint64		words[CRM_CHUNK_WORDS];
	uint8		out[CRM_CHUNK_MAX];
	Size		size;

	for (int i = 0; i < CRM_CHUNK_WORDS; i++)
		words[i] = a[i] & ~b[i];
	size = crm_chunk_encode(words, out);
	return size == 0 ? NULL : as_bytea(out, size);
}

/* The same of ascending offsets. */
static bytea *
difference_wide(const uint64 *a, size_t na, const uint64 *b, size_t nb)
{
	bytea	   *result;
	crm_wide_writer writer;
	Size		size;

	crm_check_size(VARHDRSZ + CRM_CHUNK_WIDE_MAX(na), "bytea");
	result = palloc(VARHDRSZ + CRM_CHUNK_WIDE_MAX(na));
	crm_wide_begin(&writer, (uint8 *) VARDATA(result));
	for (size_t i = 0, j = 0; i < na; i++)
	{
		while (j < nb && b[j] < a[i])
			j++;
		if (j == nb || b[j] != a[i])
			crm_wide_put(&writer, a[i]);
	}
	size = crm_wide_size(&writer);
	SET_VARSIZE(result, VARHDRSZ + size);
	return size == 0 ? NULL : result;
}

static void
compare(const crm_history *history, int64 chunk, int32 tag_id, const uint8 *old, Size old_size,
		const uint8 *new, Size new_size, bytea **entered, bytea **exited)
{
	int			bits = history->population->chunk_bits;

	if (old == NULL || new == NULL)
	{
		*entered = new == NULL ? NULL : as_bytea(new, new_size);
		*exited = old == NULL ? NULL : as_bytea(old, old_size);
	}
	else if (bits <= CRM_CHUNK_BITS)
	{
		uint64		a[CRM_CHUNK_WORDS];
		uint64		b[CRM_CHUNK_WORDS];

		if (crm_chunk_decode(old, old_size, a) != CRM_OK || crm_chunk_decode(new, new_size, b) != CRM_OK)
			crm_store_damaged(history->population, tag_id, chunk);
		*entered = difference(b, a);
		*exited = difference(a, b);
	}
	else
	{
		uint64	   *a = MemoryContextAllocHuge(CurrentMemoryContext, (old_size + 1) * sizeof(uint64));
		uint64	   *b = MemoryContextAllocHuge(CurrentMemoryContext, (new_size + 1) * sizeof(uint64));
		size_t		na;
		size_t		nb;

		if (crm_chunk_decode_wide(old, old_size, bits, a, &na) != CRM_OK ||
			crm_chunk_decode_wide(new, new_size, bits, b, &nb) != CRM_OK)
			crm_store_damaged(history->population, tag_id, chunk);
		*entered = difference_wide(b, nb, a, na);
		*exited = difference_wide(a, na, b, nb);
	}
}

static void
insert_change(crm_history *history, Datum *values, const bool *nulls, Size bytes)
{
	TupleTableSlot *slot;

	if (bytes > BATCHED_BYTES)
	{
		HeapTuple	tuple;

		write_pending(history);
		tuple = heap_form_tuple(RelationGetDescr(history->table), values, (bool *) nulls);
		CatalogTupleInsertWithInfo(history->table, tuple, history->indexes);
		return;
	}
	slot = history->slots[history->pending];
	memcpy(slot->tts_values, values, CRM_CHANGE_COLUMNS * sizeof(Datum));
	memcpy(slot->tts_isnull, nulls, CRM_CHANGE_COLUMNS * sizeof(bool));
	ExecStoreVirtualTuple(slot);
	ExecMaterializeSlot(slot);	/* the row's memory is reset */
	if (++history->pending == CRM_HISTORY_BATCH)
		write_pending(history);
}

void
crm_history_note(crm_history *history, int32 scope_no, int64 chunk, int32 tag_id, int32 value_no,
				 const uint8 *old, Size old_size, const uint8 *new, Size new_size)
{
	MemoryContext caller;
	bytea	   *entered;
	bytea	   *exited;
	Datum		values[CRM_CHANGE_COLUMNS];
	bool		nulls[CRM_CHANGE_COLUMNS] = {false};

	if (history == NULL || !records(history, tag_id))
		return;
	if (history->table == NULL)
		open_table(history);
	caller = MemoryContextSwitchTo(history->row_context);
	compare(history, chunk, tag_id, old, old_size, new, new_size, &entered, &exited);
	values[CRM_CHANGE_POPULATION - 1] = Int32GetDatum(history->population->id);
	values[CRM_CHANGE_SCOPE - 1] = Int32GetDatum(scope_no);
	values[CRM_CHANGE_CHUNK - 1] = Int64GetDatum(chunk);
	values[CRM_CHANGE_TAG - 1] = Int32GetDatum(tag_id);
	values[CRM_CHANGE_VALUE - 1] = Int32GetDatum(value_no);
	values[CRM_CHANGE_NO - 1] = Int64GetDatum(history->change_no);
	values[CRM_CHANGE_ENTERED - 1] = PointerGetDatum(entered);
	nulls[CRM_CHANGE_ENTERED - 1] = entered == NULL;
	values[CRM_CHANGE_EXITED - 1] = PointerGetDatum(exited);
	nulls[CRM_CHANGE_EXITED - 1] = exited == NULL;
	if (entered != NULL || exited != NULL)
	{
		history->noted++;
		insert_change(history, values, nulls, (entered != NULL ? VARSIZE(entered) : 0) + (exited != NULL ? VARSIZE(exited) : 0));
	}
	MemoryContextSwitchTo(caller);
	MemoryContextReset(history->row_context);
}

void
crm_history_flush(crm_history *history)
{
	if (history == NULL || history->table == NULL)
		return;
	write_pending(history);
	for (int i = 0; i < CRM_HISTORY_BATCH; i++)
		ExecDropSingleTupleTableSlot(history->slots[i]);
	CatalogCloseIndexes(history->indexes);
	table_close(history->table, NoLock);
	history->table = NULL;
	CommandCounterIncrement();
}
