/*
 * due_store.c - the due list as it is stored: rows of a set of ids and an hour.
 *
 * An hour may have several rows: a fold adds the few customers that it looked
 * at without rewriting the many that a refresh found.  Once there are
 * MAX_PIECES of them, the next addition makes one of all.
 */
#include "common/crm.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "executor/spi.h"
#include "tag/due.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Columns of tag_due. */
#define DUE_POPULATION 1
#define DUE_BUCKET 2
#define DUE_MEMBERS 3
#define DUE_COLUMNS 3

#define MAX_PIECES 8
/* How much goes into one statement. */
#define BATCH_BYTES (32 * 1024 * 1024)

static void
check_ids(crm_status status)
{
	crm_check(status, CRM_AUDIENCE_TYPE, false);
}

/* ---- reading ------------------------------------------------------------------ */

/* The set of a row, checked. */
static crm_ids
set_of_row(const crm_population *population, bytea *members)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_ids		set = {(const uint8 *) VARDATA_ANY(members), VARSIZE_ANY_EXHDR(members)};
	uint64		cardinality;
	bool		canonical;

	if (crm_ids_validate_long(&env, set.data, set.size, &cardinality, &canonical) != CRM_OK)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the due list of population \"%s\" is damaged", population->name),
				 errhint("Refresh the population's tags.")));
	return set;
}

void
crm_due_read(const crm_population *population, TimestampTz until, crm_ids_collector *collector)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "crm due list", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Relation	table = crm_catalogue_open("tag_due", AccessShareLock);
	Relation	index = crm_catalogue_index(table, "tag_due_by_bucket");
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], DUE_POPULATION, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(population->id));
	ScanKeyInit(&keys[1], DUE_BUCKET, BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE, TimestampTzGetDatum(until));
	scan = systable_beginscan_ordered(table, index, GetActiveSnapshot(), 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		Datum		values[DUE_COLUMNS];
		bool		nulls[DUE_COLUMNS];
		bytea	   *members;

		CHECK_FOR_INTERRUPTS();
		heap_deform_tuple(tuple, RelationGetDescr(table), values, nulls);
		members = DatumGetByteaPP(values[DUE_MEMBERS - 1]);
		check_ids(crm_ids_collector_merge(collector, set_of_row(population, members)));
		if ((Pointer) members != DatumGetPointer(values[DUE_MEMBERS - 1]))
			pfree(members);
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(table, AccessShareLock);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* ---- writing ------------------------------------------------------------------ */

void
crm_due_clear(const crm_population *population, const TimestampTz *until)
{
	crm_catalogue_session session;

	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("DELETE FROM @.tag_due WHERE population_id = $1 AND ($2 IS NULL OR bucket <= $2)",
							   2, INT4OID, Int32GetDatum(population->id), false,
							   TIMESTAMPTZOID, until != NULL ? TimestampTzGetDatum(*until) : (Datum) 0, until == NULL);
	crm_catalogue_end(&session);
}

static Datum
bucket_datum(int64 hour)
{
	return TimestampTzGetDatum(hour * CRM_DUE_HOUR);
}

/* Takes the rows of hours that have many back into the sets that are to be written. */
static void
take_pieces(const crm_population *population, crm_due_sets *sets)
{
	crm_catalogue_session session;
	uint32		hours = crm_due_sets_hours(sets);
	Datum	   *buckets = palloc(sizeof(Datum) * (hours + 1));
	uint64		n;

	for (uint32 i = 0; i < hours; i++)
		buckets[i] = bucket_datum(crm_due_sets_hour(sets, i));
	crm_catalogue_begin(&session);
	n = crm_catalogue_write("DELETE FROM @.tag_due WHERE population_id = $1 AND bucket = ANY ("
							"SELECT bucket FROM @.tag_due WHERE population_id = $1 AND bucket = ANY ($2) GROUP BY bucket HAVING pg_catalog.count(*) >= $3) "
							"RETURNING bucket, members",
							3, INT4OID, Int32GetDatum(population->id), false,
							TIMESTAMPTZARRAYOID, PointerGetDatum(construct_array(buckets, hours, TIMESTAMPTZOID, 8, true, TYPALIGN_DOUBLE)), false,
							INT8OID, Int64GetDatum(MAX_PIECES), false);
	for (uint64 row = 0; row < n; row++)
	{
		bool		isnull;
		bytea	   *members = DatumGetByteaPP(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 2, &isnull));

		CHECK_FOR_INTERRUPTS();
		check_ids(crm_due_sets_add_set(sets, crm_catalogue_number(row, 1, NULL) / CRM_DUE_HOUR,
									   set_of_row(population, members)));
	}
	crm_catalogue_end(&session);
	crm_due_sets_sort(sets);
}

static void
insert_rows(const crm_population *population, Datum *buckets, Datum *members, int count)
{
	crm_catalogue_session session;

	if (count == 0)
		return;
	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("INSERT INTO @.tag_due (population_id, bucket, members) SELECT $1, u.bucket, u.members "
							   "FROM unnest($2, $3) AS u (bucket, members)",
							   3, INT4OID, Int32GetDatum(population->id), false,
							   TIMESTAMPTZARRAYOID, PointerGetDatum(construct_array(buckets, count, TIMESTAMPTZOID, 8, true, TYPALIGN_DOUBLE)), false,
							   BYTEAARRAYOID, PointerGetDatum(construct_array(members, count, BYTEAOID, -1, false, TYPALIGN_INT)), false);
	crm_catalogue_end(&session);
}

void
crm_due_add(const crm_population *population, crm_scan_state *state)
{
	MemoryContext context;
	MemoryContext batch;
	MemoryContext old;
	crm_due_sets *sets = state->due;
	Datum	   *buckets;
	Datum	   *members;
	int			count = 0;
	Size		bytes = 0;
	uint32		hours;

	if (sets == NULL || crm_due_sets_hours(sets) == 0)
		return;
	context = AllocSetContextCreate(CurrentMemoryContext, "crm due list", ALLOCSET_DEFAULT_SIZES);
	batch = AllocSetContextCreate(context, "crm due list batch", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	crm_due_sets_sort(sets);
	take_pieces(population, sets);
	hours = crm_due_sets_hours(sets);
	buckets = palloc(sizeof(Datum) * hours);
	members = palloc(sizeof(Datum) * hours);
	MemoryContextSwitchTo(batch);
	for (uint32 i = 0; i < hours; i++)
	{
		crm_env		env = crm_env_in(batch);
		crm_ids_builder *builder;
		Size		size;
		bytea	   *set;

		CHECK_FOR_INTERRUPTS();
		check_ids(crm_ids_builder_new(&env, &builder));
		check_ids(crm_due_sets_build(sets, i, builder));
		size = crm_ids_builder_size(builder) + VARHDRSZ;
		crm_check_size(size, "bytea");
		if (bytes > 0 && bytes + size > BATCH_BYTES)
		{
			insert_rows(population, buckets, members, count);
			/* the builder at hand lies in this memory: it is made anew */
			MemoryContextReset(batch);
			count = 0;
			bytes = 0;
			i--;
			continue;
		}
		set = palloc(size);
		SET_VARSIZE(set, size);
		crm_ids_builder_write(builder, (uint8 *) VARDATA(set));
		crm_ids_builder_free(builder);
		buckets[count] = bucket_datum(crm_due_sets_hour(sets, i));
		members[count++] = PointerGetDatum(set);
		bytes += size;
	}
	insert_rows(population, buckets, members, count);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
