/*
 * history_read.c - finding the change that an instant stands for, and one
 * customer's sets as of it.
 */
#include "common/crm.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "kernel/tag_chunk.h"
#include "tag/history.h"
#include "tag/store.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* ---- from an instant to a change ------------------------------------------------- */

static void
no_history(const crm_population *population)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("population \"%s\" keeps no history of its sets", population->name),
			 errdetail("Only the sets of now are there."),
			 errhint("Leave as_of out. To be able to ask from now on: SELECT %s.keep_history(%s, '90 days');",
					 crm_schema(), quote_literal_cstr(population->name))));
}

static void
too_early(const char *what, const char *name, TimestampTz as_of, TimestampTz earliest)
{
	char	   *asked = pstrdup(timestamptz_to_str(as_of));

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the history of %s \"%s\" does not reach back to %s", what, name, asked),
			 errdetail("The earliest instant kept is %s.", timestamptz_to_str(earliest)),
			 errhint("What the sets were before is not known. For rules over the timeline, %s.evaluate_tag gives what is known now of then.",
					 crm_schema())));
}

crm_past *
crm_past_find(const crm_population *population, TimestampTz as_of)
{
	crm_catalogue_session session;
	crm_past   *past = NULL;
	bool		kept;
	bool		never;
	bool		early;
	TimestampTz earliest;
	TimestampTz latest;
	int64		change_no;

	if (TIMESTAMP_NOT_FINITE(as_of))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("as_of must be a finite time")));
	crm_catalogue_begin(&session);
	(void) crm_catalogue_read("SELECT p.keep_history IS NOT NULL, p.changed_at, "
							  " (SELECT min(c.changed_at) FROM @.population_change c WHERE c.population_id = $1), "
							  " (SELECT max(c.change_no) FROM @.population_change c WHERE c.population_id = $1 AND c.changed_at <= $2) "
							  "FROM @.population_definition p WHERE p.population_id = $1",
							  2, INT4OID, Int32GetDatum(population->id), false, TIMESTAMPTZOID, TimestampTzGetDatum(as_of), false);
	kept = crm_catalogue_number(0, 1, NULL) != 0;
	latest = crm_catalogue_number(0, 2, NULL);
	earliest = crm_catalogue_number(0, 3, &never);
	change_no = crm_catalogue_number(0, 4, &early);
	crm_catalogue_end(&session);

	/* now, and nothing changed since: the sets as they are, with what has been written to their sources meanwhile */
	if (as_of >= GetCurrentTransactionStartTimestamp() && (never || as_of >= latest))
		return NULL;
	if (!kept || never)
		no_history(population);
	if (early)
		too_early("population", population->name, as_of, earliest);
	past = palloc(sizeof(crm_past));
	past->population = population;
	past->as_of = as_of;
	past->change_no = change_no;
	return past;
}

void
crm_past_tag(const crm_past *past, crm_tag *tag)
{
	crm_catalogue_session session;
	TimestampTz begins = 0;
	bool		known;

	crm_catalogue_begin(&session);
	known = crm_catalogue_read("SELECT version, coalesce(number_scale, 0) AS number_scale, coalesce(number_slices, 0) AS number_slices FROM @.tag_state "
							   "WHERE tag_id = $1 AND change_no <= $2 ORDER BY change_no DESC LIMIT 1",
							   2, INT4OID, Int32GetDatum(tag->id), false, INT8OID, Int64GetDatum(past->change_no), false) > 0;
	if (known)
	{
		tag->refreshed_version = (int32) crm_catalogue_number(0, 1, NULL);
		tag->number_scale = crm_catalogue_within(0, 2, CRM_MAX_NUMBER_SCALE);
		tag->number_slices = crm_catalogue_within(0, 3, CRM_MAX_NUMBER_SLICES);
	}
	else if (tag->refreshed_version != 0)
	{
		(void) crm_catalogue_read("SELECT min(c.changed_at) FROM @.tag_state s "
								  "JOIN @.population_change c ON c.population_id = s.population_id AND c.change_no >= s.change_no "
								  "WHERE s.tag_id = $1", 1, INT4OID, Int32GetDatum(tag->id), false);
		begins = crm_catalogue_number(0, 1, NULL);
	}
	crm_catalogue_end(&session);
	/* one that was never refreshed is refused by its reader */
	if (!known && tag->refreshed_version != 0)
		too_early("tag", tag->name, past->as_of, begins);
}

/* ---- one customer ------------------------------------------------------------------ */

typedef struct held_set
{
	int32		scope_no;		/* the first three are the key */
	int32		tag_id;
	int32		value_no;
	bool		held;
} held_set;

static void
toggle(HTAB *sets, int32 scope_no, int32 tag_id, int32 value_no)
{
	held_set	key = {.scope_no = scope_no,.tag_id = tag_id,.value_no = value_no};
	bool		found;
	held_set   *set = hash_search(sets, &key, HASH_ENTER, &found);

	set->held = !(found && set->held);
}

/* Toggles each set of one chunk and scope for each value that holds the customer. */
static void
toggle_scope(const crm_population *population, HTAB *sets, Relation table, Relation index, const int64 *after, int32 scope_no, int64 id)
{
	TupleDesc	desc = RelationGetDescr(table);
	int			bits = population->chunk_bits;
	uint64		offset = (uint64) id & ((UINT64CONST(1) << bits) - 1);
	int			first = after == NULL ? CRM_SET_MEMBERS : CRM_CHANGE_ENTERED;
	int			last = after == NULL ? CRM_SET_MEMBERS : CRM_CHANGE_EXITED;
	ScanKeyData keys[4];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], CRM_SET_POPULATION, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(population->id));
	ScanKeyInit(&keys[1], CRM_SET_SCOPE, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(scope_no));
	ScanKeyInit(&keys[2], CRM_SET_CHUNK, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(id >> bits));
	if (after != NULL)
		ScanKeyInit(&keys[3], CRM_CHANGE_NO, BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(*after));
	scan = systable_beginscan_ordered(table, index, GetActiveSnapshot(), after == NULL ? 3 : 4, keys);
	while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		Datum		values[CRM_CHANGE_COLUMNS];
		bool		nulls[CRM_CHANGE_COLUMNS];
		int32		tag_id;

		CHECK_FOR_INTERRUPTS();
		heap_deform_tuple(tuple, desc, values, nulls);
		tag_id = DatumGetInt32(values[CRM_SET_TAG - 1]);
		for (int i = first - 1; i < last; i++)
		{
			struct varlena *members;
			bool		found;

			if (nulls[i])
				continue;
			members = PG_DETOAST_DATUM_PACKED(values[i]);
			if (crm_chunk_contains((const uint8 *) VARDATA_ANY(members), VARSIZE_ANY_EXHDR(members), offset, &found) != CRM_OK)
				crm_store_damaged(population, tag_id, id >> bits);
			if ((Pointer) members != DatumGetPointer(values[i]))
				pfree(members);
			if (found)
				toggle(sets, scope_no, tag_id, DatumGetInt32(values[CRM_SET_VALUE - 1]));
		}
	}
	systable_endscan_ordered(scan);
}

static int
compare_sets(const void *a, const void *b)
{
	const held_set *x = a;
	const held_set *y = b;

	if (x->scope_no != y->scope_no)
		return x->scope_no < y->scope_no ? -1 : 1;
	if (x->tag_id != y->tag_id)
		return x->tag_id < y->tag_id ? -1 : 1;
	return x->value_no < y->value_no ? -1 : x->value_no > y->value_no;
}

void
crm_past_sets_of(const crm_population *population, const crm_past *past, int64 id, crm_store_visit visit, void *arg)
{
	crm_catalogue_session session;
	HASHCTL		control = {0};
	HASH_SEQ_STATUS status;
	HTAB	   *sets;
	held_set   *set;
	held_set   *held;
	Relation	tables[2];
	Relation	indexes[2];
	uint64		n;
	int32	   *scopes;
	int			count = 0;

	if (past == NULL)
	{
		crm_store_sets_of(population, id, CRM_ALL_TAGS, visit, arg);
		return;
	}
	crm_catalogue_begin(&session);
	n = crm_catalogue_read("SELECT scope_no FROM @.population_scope WHERE population_id = $1 ORDER BY scope_no",
						   1, INT4OID, Int32GetDatum(population->id), false);
	scopes = MemoryContextAlloc(session.caller, (n + 1) * sizeof(int32));
	for (uint64 row = 0; row < n; row++)
		scopes[row] = (int32) crm_catalogue_number(row, 1, NULL);
	crm_catalogue_end(&session);

	control.keysize = offsetof(held_set, held);
	control.entrysize = sizeof(held_set);
	control.hcxt = CurrentMemoryContext;
	sets = hash_create("sets of a customer", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	tables[0] = crm_catalogue_open("tag_set", AccessShareLock);
	indexes[0] = crm_catalogue_index(tables[0], "tag_set_pkey");
	tables[1] = crm_catalogue_open("tag_change", AccessShareLock);
	indexes[1] = crm_catalogue_index(tables[1], "tag_change_pkey");
	/* he may have been in another scope then: all are looked at */
	for (uint64 i = 0; i < n; i++)
		for (int t = 0; t < 2; t++)
			toggle_scope(population, sets, tables[t], indexes[t], t == 0 ? NULL : &past->change_no, scopes[i], id);
	for (int t = 0; t < 2; t++)
	{
		index_close(indexes[t], AccessShareLock);
		table_close(tables[t], AccessShareLock);
	}

	held = palloc((hash_get_num_entries(sets) + 1) * sizeof(held_set));
	hash_seq_init(&status, sets);
	while ((set = hash_seq_search(&status)) != NULL)
		if (set->held)
			held[count++] = *set;
	/* as crm_store_sets_of: of the scope that he was in, where the population's own set comes first */
	qsort(held, count, sizeof(held_set), compare_sets);
	for (int i = 0, base = -1; i < count; i++)
	{
		if (held[i].tag_id == CRM_BASE_TAG(population))
			base = i;
		if (base >= 0 && held[base].scope_no == held[i].scope_no)
			visit(arg, held[i].tag_id, held[i].value_no, held[i].scope_no);
	}
	hash_destroy(sets);
	pfree(held);
}
