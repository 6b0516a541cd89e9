/*
 * store_patch.c - putting customers who were evaluated again into the stored
 * sets.
 *
 * Only the chunks that hold one of them are read, in every scope, since a
 * customer may have come from another one.  What a refresh would have written is
 * written, and what it would have left alone is.
 */
#include "common/crm.h"

#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "common/progress.h"
#include "kernel/chunk_patch.h"
#include "tag/store_writer.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

/* Up to so many customers of a chunk are looked for one by one before the set is decoded. */
#define FEW 16

typedef struct patcher
{
	crm_store_writer writer;
	crm_env		env;
	int			bits;
	/* the customers evaluated in the chunk at hand: their offsets */
	uint64	   *offsets;
	int			count;
	void		(*on_delta) (void *arg, int32 tag_id, int32 value_no, int32 scope_no, int64 delta);
	void	   *arg;
} patcher;

static void
refuse(const patcher *p, const crm_set_key *key)
{
	crm_store_damaged(p->writer.population, key->tag_id, key->chunk);
}

/* Does the set hold none of those evaluated? */
static bool
holds_none(const patcher *p, const crm_set_key *key, const uint8 *data, Size size)
{
	if (p->count > FEW)
		return false;
	for (int i = 0; i < p->count; i++)
	{
		bool		found;

		if (crm_chunk_contains(data, size, p->offsets[i], &found) != CRM_OK)
			refuse(p, key);
		if (found)
			return false;
	}
	return true;
}

/* The old set at hand becomes what it is now; NULL: none of those evaluated is in it. */
static void
patch_old(patcher *p, const bytea *now)
{
	crm_store_writer *writer = &p->writer;
	crm_store_change *change = writer->change;
	const crm_set_key key = writer->old_key;
	MemoryContext context = MemoryContextSwitchTo(writer->row_context);
	bytea	   *stored = DatumGetByteaPP(writer->old_members);
	const uint8 *old = (const uint8 *) VARDATA_ANY(stored);
	Size		size = VARSIZE_ANY_EXHDR(stored);
	Size		now_size = now == NULL ? 0 : VARSIZE(now) - VARHDRSZ;
	crm_chunk_patched patched;
	bytea	   *members;

	if (now == NULL && holds_none(p, &key, old, size))
		goto done;
	members = palloc(VARHDRSZ + crm_chunk_patch_bound(p->bits, size, now_size));
	if (crm_chunk_patch(&p->env, p->bits, old, size, p->offsets, p->count,
						now == NULL ? NULL : (const uint8 *) VARDATA(now), now_size,
						(uint8 *) VARDATA(members), &patched) != CRM_OK)
		refuse(p, &key);
	SET_VARSIZE(members, VARHDRSZ + patched.size);
	if (patched.size == size && memcmp(VARDATA(members), old, size) == 0)
		goto done;
	if (!crm_store_is_slice(change, &key))
		p->on_delta(p->arg, key.tag_id, key.value_no, key.scope_no, (int64) patched.after - (int64) patched.before);
	if (patched.size == 0)
	{
		MemoryContextSwitchTo(context);
		crm_store_delete_old(writer);
		return;
	}
	if (!crm_store_is_slice(change, &key))
		crm_value_change_count(crm_store_value_change(change, key.tag_id, key.value_no), writer->population, key.tag_id,
							   key.chunk, old, size, (const uint8 *) VARDATA(members), patched.size, writer->moves);
	crm_store_note_history(writer, &key, old, size, members);
	crm_store_update_old(writer, &key, members);
done:
	MemoryContextSwitchTo(context);
	MemoryContextReset(writer->row_context);
}

/* Takes the next set that holds some of those evaluated, in the order of the key. */
static void
put_now(void *arg, const crm_set_key *key, bytea *members, uint32 count)
{
	patcher    *p = arg;
	crm_store_writer *writer = &p->writer;
	crm_store_change *change = writer->change;
	MemoryContext context;
	int			order = 1;

	while (HeapTupleIsValid(writer->old) && (order = crm_set_key_compare(&writer->old_key, key)) < 0)
	{
		patch_old(p, NULL);
		crm_store_next_old(writer);
	}
	if (HeapTupleIsValid(writer->old) && order == 0)
	{
		patch_old(p, members);
		crm_store_next_old(writer);
		return;
	}
	context = MemoryContextSwitchTo(writer->row_context);
	if (!crm_store_is_slice(change, key))
	{
		p->on_delta(p->arg, key->tag_id, key->value_no, key->scope_no, count);
		crm_value_change_count(crm_store_value_change(change, key->tag_id, key->value_no), writer->population, key->tag_id,
							   key->chunk, NULL, 0, (const uint8 *) VARDATA(members), VARSIZE(members) - VARHDRSZ, writer->moves);
	}
	crm_store_note_history(writer, key, NULL, 0, members);
	MemoryContextSwitchTo(context);
	MemoryContextReset(writer->row_context);
	crm_store_insert(writer, key, members);
}

/* One chunk in one scope; sets_chunk: its number in the sets, -1 when none of those evaluated is there now. */
static void
patch_chunk(patcher *p, crm_tag_sets *sets, crm_store_buffers *buffers, int32 scope_no, int64 chunk, int sets_chunk)
{
	crm_store_writer *writer = &p->writer;
	ScanKeyData keys[3];

	ScanKeyInit(&keys[0], CRM_SET_POPULATION, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(writer->population->id));
	ScanKeyInit(&keys[1], CRM_SET_SCOPE, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(scope_no));
	ScanKeyInit(&keys[2], CRM_SET_CHUNK, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(chunk));
	writer->scan = systable_beginscan_ordered(writer->table, writer->index, writer->snapshot, 3, keys);
	crm_store_next_old(writer);
	if (sets_chunk >= 0)
		crm_store_put_chunk(writer->change, sets, sets_chunk, buffers, put_now, p);
	while (HeapTupleIsValid(writer->old))
	{
		patch_old(p, NULL);
		crm_store_next_old(writer);
	}
	systable_endscan_ordered(writer->scan);
}

/* Those that this fold has numbered among them. */
static int32 *
all_scopes(const crm_population *population, int *count)
{
	crm_catalogue_session session;
	int32	   *scopes;

	crm_catalogue_begin(&session);
	*count = (int) crm_catalogue_write("SELECT scope_no FROM @.population_scope WHERE population_id = $1 ORDER BY scope_no",
									   1, INT4OID, Int32GetDatum(population->id), false);
	scopes = MemoryContextAlloc(session.caller, (*count + 1) * sizeof(int32));
	for (int i = 0; i < *count; i++)
		scopes[i] = crm_catalogue_place(i, 1);
	crm_catalogue_end(&session);
	return scopes;
}

void
crm_store_patch(const crm_population *population, crm_tag_sets *sets, crm_store_change *change, const int64 *ids, int count,
				void (*on_delta) (void *arg, int32 tag_id, int32 value_no, int32 scope_no, int64 delta), void *arg)
{
	patcher		p = {.env = crm_env_in(CurrentMemoryContext),.bits = population->chunk_bits,.on_delta = on_delta,.arg = arg};
	crm_store_buffers buffers = {0};
	int			scope_count;
	int32	   *scopes = all_scopes(population, &scope_count);
	int			sets_count = crm_tag_sets_chunks(sets);
	int			at = 0;

	crm_progress_phase("writing sets", "customers", (int64) count * scope_count);
	p.offsets = palloc((count + 1) * sizeof(uint64));
	crm_store_writer_open(&p.writer, population, change);
	crm_store_collect_moves(&p.writer);
	for (int s = 0; s < scope_count; s++)
		for (int from = 0; from < count;)
		{
			int64		chunk = ids[from] >> p.bits;
			int			here = -1;

			CHECK_FOR_INTERRUPTS();
			for (p.count = 0; from < count && ids[from] >> p.bits == chunk; from++)
				p.offsets[p.count++] = (uint64) ids[from] & ((UINT64CONST(1) << p.bits) - 1);
			/* both are in the order of scopes and chunks */
			if (at < sets_count)
			{
				uint32		scope;
				uint64		number;
				uint32		customers;

				crm_tag_sets_chunk(sets, at, &scope, &number, &customers);
				if (change->scope_numbers[scope] == scopes[s] && (int64) number == chunk)
					here = at++;
			}
			patch_chunk(&p, sets, &buffers, scopes[s], chunk, here);
			crm_progress_done((int64) s * count + from);
		}
	if (at < sets_count)
		elog(ERROR, "customers were evaluated who were not asked for");
	crm_store_writer_close(&p.writer);
	pfree(p.offsets);
}
