/*
 * change_log.c - the log of changed customers, see change_log.h.
 *
 * The table is written directly, as store_write.c does: writers of the user's
 * tables need no right on it, and a trigger that ran as its owner would be
 * SECURITY DEFINER for the sake of one insert.
 */
#include "common/crm.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "tag/change_log.h"
#include "tag/log_write.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Columns. */
enum
{
	LOG_POPULATION = 1, LOG_RELATION, LOG_EVERYBODY, LOG_IDS, LOG_KEYS
};
#define LOG_COLUMNS 5

static Relation
open_log(Oid relid, LOCKMODE mode)
{
	static const Oid types[LOG_COLUMNS] = {INT4OID, INT4OID, BOOLOID, INT8ARRAYOID, TEXTARRAYOID};
	Relation	log = table_open(relid, mode);
	TupleDesc	desc = RelationGetDescr(log);
	bool		intact = log->rd_rel->relkind == RELKIND_RELATION && log->rd_rel->relam == HEAP_TABLE_AM_OID &&
		!log->rd_rel->relhasindex && desc->natts == LOG_COLUMNS;

	for (int i = 0; intact && i < LOG_COLUMNS; i++)
		intact = TupleDescAttr(desc, i)->atttypid == types[i] && TupleDescAttr(desc, i)->attnotnull;
	if (!intact)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"change_log\" of extension crm_analytics was altered"),
				 errhint("Give it the columns and constraints back that the extension's script gives it, and no index.")));
	return log;
}

/* ---- writing ---------------------------------------------------------------------- */

void
crm_log_open(crm_log_writer *writer, Oid log, int32 population, int32 relation_no)
{
	writer->log = open_log(log, RowExclusiveLock);
	writer->population = population;
	writer->relation_no = relation_no;
}

void
crm_log_append(crm_log_writer *writer, bool everybody, Datum *ids, int id_count, Datum *keys, int key_count)
{
	Datum		values[LOG_COLUMNS];
	bool		nulls[LOG_COLUMNS] = {false};
	HeapTuple	tuple;

	values[LOG_POPULATION - 1] = Int32GetDatum(writer->population);
	values[LOG_RELATION - 1] = Int32GetDatum(writer->relation_no);
	values[LOG_EVERYBODY - 1] = BoolGetDatum(everybody);
	values[LOG_IDS - 1] = PointerGetDatum(construct_array(ids, id_count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	values[LOG_KEYS - 1] = PointerGetDatum(construct_array(keys, key_count, TEXTOID, -1, false, TYPALIGN_INT));
	tuple = heap_form_tuple(RelationGetDescr(writer->log), values, nulls);
	simple_heap_insert(writer->log, tuple);
	heap_freetuple(tuple);
}

void
crm_log_close(crm_log_writer *writer)
{
	table_close(writer->log, NoLock);
}

void
crm_log_everybody(int32 population)
{
	crm_log_writer writer;

	crm_log_open(&writer, crm_relation("change_log"), population, 0);
	crm_log_append(&writer, true, NULL, 0, NULL, 0);
	crm_log_close(&writer);
	CommandCounterIncrement();
}

/* ---- reading ------------------------------------------------------------------------- */

static crm_logged_relation *
logged_relation(crm_logged *logged, int32 relation_no)
{
	crm_logged_relation *relation;
	ListCell   *cell;

	foreach(cell, logged->relations)
	{
		relation = lfirst(cell);
		if (relation->relation_no == relation_no)
			return relation;
	}
	relation = palloc0(sizeof(crm_logged_relation));
	relation->relation_no = relation_no;
	logged->relations = lappend(logged->relations, relation);
	return relation;
}

/* Room for so many more elements. */
static void *
make_room(void *array, int count, int more, int *room, Size size)
{
	if (count + more <= *room)
		return array;
	*room = Max(Max(count + more, *room * 2), 256);
	return array == NULL ? palloc(*room * size) : repalloc_huge(array, *room * size);
}

static void
take_row(crm_logged *logged, const Datum *values)
{
	crm_logged_relation *relation;
	ArrayType  *ids;
	ArrayType  *keys;
	Datum	   *elements;
	int			n;

	logged->rows++;
	if (DatumGetBool(values[LOG_EVERYBODY - 1]))
	{
		logged->everybody = true;
		return;
	}
	relation = logged_relation(logged, DatumGetInt32(values[LOG_RELATION - 1]));
	ids = DatumGetArrayTypeP(values[LOG_IDS - 1]);
	keys = DatumGetArrayTypeP(values[LOG_KEYS - 1]);
	n = ArrayGetNItems(ARR_NDIM(ids), ARR_DIMS(ids));
	if (n > 0 && !ARR_HASNULL(ids))
	{
		relation->ids = make_room(relation->ids, relation->id_count, n, &relation->id_room, sizeof(int64));
		memcpy(relation->ids + relation->id_count, ARR_DATA_PTR(ids), n * sizeof(int64));
		relation->id_count += n;
	}
	n = ArrayGetNItems(ARR_NDIM(keys), ARR_DIMS(keys));
	if (n > 0 && !ARR_HASNULL(keys))
	{
		deconstruct_array(keys, TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, &n);
		relation->keys = make_room(relation->keys, relation->key_count, n, &relation->key_room, sizeof(char *));
		for (int i = 0; i < n; i++)
			relation->keys[relation->key_count++] = TextDatumGetCString(elements[i]);
		pfree(elements);
	}
	if ((Pointer) ids != DatumGetPointer(values[LOG_IDS - 1]))
		pfree(ids);
	if ((Pointer) keys != DatumGetPointer(values[LOG_KEYS - 1]))
		pfree(keys);
}

static SysScanDesc
begin_scan(Relation log, const crm_population *population, ScanKey key)
{
	ScanKeyInit(key, LOG_POPULATION, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(population->id));
	return systable_beginscan(log, InvalidOid, false, GetActiveSnapshot(), 1, key);
}

void
crm_log_read(const crm_population *population, crm_logged *logged)
{
	Relation	log = open_log(crm_relation("change_log"), AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan = begin_scan(log, population, &key);
	HeapTuple	tuple;

	memset(logged, 0, sizeof(*logged));
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Datum		values[LOG_COLUMNS];
		bool		nulls[LOG_COLUMNS];

		CHECK_FOR_INTERRUPTS();
		heap_deform_tuple(tuple, RelationGetDescr(log), values, nulls);
		take_row(logged, values);
	}
	systable_endscan(scan);
	table_close(log, AccessShareLock);
}

void
crm_log_delete(const crm_population *population)
{
	Relation	log = open_log(crm_relation("change_log"), RowExclusiveLock);
	ScanKeyData key;
	SysScanDesc scan = begin_scan(log, population, &key);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CHECK_FOR_INTERRUPTS();
		simple_heap_delete(log, &tuple->t_self);
	}
	systable_endscan(scan);
	table_close(log, NoLock);
	CommandCounterIncrement();
}
