/*
 * key_write.c - numbering keys that are not their own ids.
 */
#include "common/crm.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "mb/pg_wchar.h"
#include "tag/tag.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* A longer row of the dictionary might be toasted, and the batched insert would then index the wrong place. */
#define MAX_KEY_BYTES 1500

/* The last number given out, and whether there is any. */
static bool
last_number(const crm_population *population, int64 *last)
{
	crm_catalogue_session session;
	bool		integer = population->key_form == CRM_KEY_INTEGER;
	bool		none;

	crm_catalogue_begin(&session);
	(void) crm_catalogue_write(integer ?
							   "SELECT min(id) FROM @.population_key WHERE population_id = $1" :
							   "SELECT max(id) FROM @.population_key WHERE population_id = $1",
							   1, INT4OID, Int32GetDatum(population->id), false);
	*last = crm_catalogue_number(0, 1, &none);
	crm_catalogue_end(&session);
	return !none;
}

/* One row of the dictionary. */
static void
add_key(const crm_population *population, TupleTableSlot *slot, TupleTableSlot *key_slot, int64 number)
{
	bool		isnull;
	text	   *key = DatumGetTextPP(slot_getattr(key_slot, 1, &isnull));
	int			length = (int) VARSIZE_ANY_EXHDR(key);

	if (length > MAX_KEY_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("key of a customer in population \"%s\" is too long: \"%.*s...\"", population->name,
						pg_mbcliplen(VARDATA_ANY(key), length, 60), VARDATA_ANY(key)),
				 errdetail("It has %d bytes, a key at most %d.", length, MAX_KEY_BYTES)));
	slot->tts_values[0] = Int32GetDatum(population->id);
	slot->tts_values[1] = Int64GetDatum(number);
	slot->tts_values[2] = PointerGetDatum(key);
	memset(slot->tts_isnull, false, 3 * sizeof(bool));
	ExecStoreVirtualTuple(slot);
	ExecMaterializeSlot(slot);	/* the key is the other slot's */
}

bool
crm_keys_any(const crm_population *population)
{
	int64		last;

	return last_number(population, &last);
}

bool
crm_keys_add(const crm_population *population, Tuplestorestate *keys)
{
	bool		integer = population->key_form == CRM_KEY_INTEGER;
	bool		any = false;
	int64		number;
	Relation	table;
	CatalogIndexState indexes;
	TupleDesc	key_desc;
	TupleTableSlot *key_slot;
	TupleTableSlot *slots[100];
	int			pending = 0;

	if (!last_number(population, &number))
		number = integer ? CRM_ID_MAX : 1;
	else
		number += integer ? -1 : 1;

	table = crm_catalogue_open("population_key", RowExclusiveLock);
	indexes = CatalogOpenIndexes(table);
	for (int i = 0; i < lengthof(slots); i++)
		slots[i] = MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsHeapTuple);
	key_desc = CreateTemplateTupleDesc(1);
	TupleDescInitEntry(key_desc, 1, "key", TEXTOID, -1, 0);
	key_slot = MakeSingleTupleTableSlot(key_desc, &TTSOpsMinimalTuple);
	for (;;)
	{
		bool		more = tuplestore_gettupleslot(keys, true, false, key_slot);

		if (pending == lengthof(slots) || (!more && pending > 0))
		{
			CHECK_FOR_INTERRUPTS();
			CatalogTuplesMultiInsertWithInfo(table, slots, pending, indexes);
			for (int i = 0; i < pending; i++)
				ExecClearTuple(slots[i]);
			pending = 0;
		}
		if (!more)
			break;
		add_key(population, slots[pending++], key_slot, number);
		number += integer ? -1 : 1;
		any = true;
	}
	for (int i = 0; i < lengthof(slots); i++)
		ExecDropSingleTupleTableSlot(slots[i]);
	ExecDropSingleTupleTableSlot(key_slot);
	CatalogCloseIndexes(indexes);
	table_close(table, NoLock);
	tuplestore_end(keys);
	if (!any)
		return false;

	/* the same snapshot of everybody else's work, with ours of just now */
	CommandCounterIncrement();
	UpdateActiveSnapshotCommandId();
	return true;
}
