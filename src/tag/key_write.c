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
#include "storage/lmgr.h"
#include "tag/tag.h"
#include "utils/array.h"
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

static void
refuse_long_key(const crm_population *population, const char *key, int length)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("key of a customer in population \"%s\" is too long: \"%.*s...\"", population->name,
					pg_mbcliplen(key, length, 60), key),
			 errdetail("It has %d bytes, a key at most %d.", length, MAX_KEY_BYTES)));
}

/* One row of the dictionary. */
static void
add_key(const crm_population *population, TupleTableSlot *slot, TupleTableSlot *key_slot, int64 number)
{
	bool		isnull;
	text	   *key = DatumGetTextPP(slot_getattr(key_slot, 1, &isnull));
	int			length = (int) VARSIZE_ANY_EXHDR(key);

	if (length > MAX_KEY_BYTES)
		refuse_long_key(population, VARDATA_ANY(key), length);
	slot->tts_values[0] = Int32GetDatum(population->id);
	slot->tts_values[1] = Int64GetDatum(number);
	slot->tts_values[2] = PointerGetDatum(key);
	memset(slot->tts_isnull, false, 3 * sizeof(bool));
	ExecStoreVirtualTuple(slot);
	ExecMaterializeSlot(slot);	/* the key is the other slot's */
}

/* The same snapshot of everybody else's work, with ours of just now. */
static bool
see_new_keys(void)
{
	CommandCounterIncrement();
	UpdateActiveSnapshotCommandId();
	return true;
}

bool
crm_keys_any(const crm_population *population)
{
	int64		last;

	return last_number(population, &last);
}

/* ---- of tracked populations ---------------------------------------------------- */

/*
 * Of a tracked population each writer numbers the keys that he brings, and must
 * not wait for another: numbers come from a sequence.  Those that were rolled
 * back stay unused.
 */
void
crm_keys_number(const crm_population *population, char **keys, int count)
{
	Datum	   *elements = palloc(count * sizeof(Datum));
	crm_catalogue_session session;

	for (int i = 0; i < count; i++)
	{
		Size		length = strlen(keys[i]);

		if (length > MAX_KEY_BYTES)
			refuse_long_key(population, keys[i], (int) length);
		elements[i] = CStringGetTextDatum(keys[i]);
	}
	crm_catalogue_begin(&session);
	/* in one order, so that two writers of the same keys wait one for the other and not each for both */
	(void) crm_catalogue_write("INSERT INTO @.population_key "
							   "SELECT $1, CASE WHEN $2 THEN $3 - n ELSE n END, k "
							   "FROM (SELECT nextval($4) AS n, k FROM (SELECT k FROM unnest($5) k ORDER BY k COLLATE \"C\") AS o) AS u "
							   "ON CONFLICT (population_id, key) DO NOTHING",
							   5, INT4OID, Int32GetDatum(population->id), false,
							   BOOLOID, BoolGetDatum(population->key_form == CRM_KEY_INTEGER), false,
							   INT8OID, Int64GetDatum(CRM_ID_MAX), false,
							   REGCLASSOID, ObjectIdGetDatum(crm_relation("population_key_number_seq")), false,
							   TEXTARRAYOID, PointerGetDatum(construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT)), false);
	crm_catalogue_end(&session);
}

void
crm_keys_clear_sequence(const crm_population *population)
{
	Oid			sequence = crm_relation("population_key_number_seq");
	crm_catalogue_session session;
	int64		used;

	if (!last_number(population, &used))
		return;
	if (population->key_form == CRM_KEY_INTEGER)
		used = CRM_ID_MAX - used;
	/* nobody takes a number between the look and the leap */
	LockRelationOid(sequence, ShareRowExclusiveLock);
	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("SELECT setval($1, $2) FROM @.population_key_number_seq WHERE last_value <= $2",
							   2, REGCLASSOID, ObjectIdGetDatum(sequence), false,
							   INT8OID, Int64GetDatum(used), false);
	crm_catalogue_end(&session);
}

/* Numbers the keys of a tuplestore, and ends it; false when there are none. */
static bool
number_stored(const crm_population *population, Tuplestorestate *keys, TupleTableSlot *slot)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "crm keys", ALLOCSET_DEFAULT_SIZES);
	char	   *batch[1000];
	int			count = 0;
	bool		any = false;
	bool		more;

	do
	{
		more = tuplestore_gettupleslot(keys, true, false, slot);
		if (more)
		{
			MemoryContext old = MemoryContextSwitchTo(context);
			bool		isnull;

			batch[count++] = TextDatumGetCString(slot_getattr(slot, 1, &isnull));
			MemoryContextSwitchTo(old);
			any = true;
		}
		if (count == lengthof(batch) || (!more && count > 0))
		{
			MemoryContext old = MemoryContextSwitchTo(context);

			CHECK_FOR_INTERRUPTS();
			crm_keys_number(population, batch, count);
			MemoryContextSwitchTo(old);
			MemoryContextReset(context);
			count = 0;
		}
	} while (more);
	MemoryContextDelete(context);
	return any;
}

/* ---- of all -------------------------------------------------------------------- */

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

	key_desc = CreateTemplateTupleDesc(1);
	TupleDescInitEntry(key_desc, 1, "key", TEXTOID, -1, 0);
	key_slot = MakeSingleTupleTableSlot(key_desc, &TTSOpsMinimalTuple);
	if (population->tracked)
	{
		any = number_stored(population, keys, key_slot);
		ExecDropSingleTupleTableSlot(key_slot);
		tuplestore_end(keys);
		return any && see_new_keys();
	}
	if (!last_number(population, &number))
		number = integer ? CRM_ID_MAX : 1;
	else
		number += integer ? -1 : 1;

	table = crm_catalogue_open("population_key", RowExclusiveLock);
	indexes = CatalogOpenIndexes(table);
	for (int i = 0; i < lengthof(slots); i++)
		slots[i] = MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsHeapTuple);
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
	return any && see_new_keys();
}
