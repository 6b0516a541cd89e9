/*
 * timeline_store.c - the tables of stored timelines.
 */
#include "behavior/timeline_store.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/index.h"
#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "executor/nodeHash.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/datetime.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* Rows that go to the table together, and entries that go to its index together. */
#define BULK_ROWS 500
#define BULK_BYTES (64 * 1024)
#define BULK_ENTRIES (1024 * 1024)

typedef struct index_entry
{
	int64		customer;
	int64		at;				/* the start of the period; 0 in customer_timeline */
	ItemPointerData tid;
} index_entry;

struct timeline_bulk
{
	MemoryContext context;
	MemoryContext rows;			/* reset when they are written */
	BulkInsertState state;
	IndexInfo  *info;
	int32		population;
	TupleTableSlot *slots[BULK_ROWS];
	int64		customer[BULK_ROWS];
	int64		at[BULK_ROWS];
	int			count;
	Size		bytes;
	index_entry *entries;
	int			entry_count;
	int			entry_room;
};

/* ---- what the catalogue says ------------------------------------------------------------ */

timeline_mapping *
timeline_mapping_read(const crm_population *population, bool missing_ok)
{
	crm_catalogue_session session;
	timeline_mapping *mapping = palloc0(sizeof(timeline_mapping));
	char	   *relation;
	bool		isnull;
	uint64		n;

	crm_catalogue_begin(&session);
	n = crm_catalogue_read("SELECT events::oid::int, event_key::text, event_time::text, event_name::text, event_value::text, a::text "
						   "FROM @.population_definition LEFT JOIN unnest(event_attributes) WITH ORDINALITY AS u (a, n) ON true "
						   "WHERE population_id = $1 ORDER BY u.n",
						   1, INT4OID, Int32GetDatum(population->id), false);
	if (n > 0)
	{
		mapping->relation = (Oid) crm_catalogue_number(0, 1, &isnull);
		if (isnull)
			n = 0;
	}
	if (n > CRM_TIMELINE_MAX_CHANNELS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("population \"%s\" has too many columns of events' attributes", population->name),
				 errdetail("There may be at most %d.", CRM_TIMELINE_MAX_CHANNELS)));
	for (uint64 row = 0; row < n; row++)
	{
		char	   *channel = crm_catalogue_text(&session, row, 6);

		if (row == 0)
		{
			mapping->column[mapping->columns++] = mapping->key = crm_catalogue_required(&session, 0, 2);
			mapping->column[mapping->columns++] = mapping->time = crm_catalogue_required(&session, 0, 3);
			mapping->column[mapping->columns++] = mapping->name = crm_catalogue_required(&session, 0, 4);
			mapping->value = crm_catalogue_text(&session, 0, 5);
			if (mapping->value != NULL)
				mapping->column[mapping->columns++] = mapping->value;
		}
		if (channel != NULL)
			mapping->column[mapping->columns++] = mapping->channel[mapping->channels++] = channel;
	}
	crm_catalogue_end(&session);
	if (n == 0)
		return NULL;
	relation = get_rel_name(mapping->relation);
	if (relation == NULL)
	{
		if (missing_ok)
			return NULL;
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the relation of events of population \"%s\" no longer exists", population->name),
				 errhint("Drop the population and create it anew.")));
	}
	mapping->relation_name = quote_qualified_identifier(get_namespace_name(get_rel_namespace(mapping->relation)), relation);
	return mapping;
}

void
timeline_settings_read(const crm_population *population, timeline_settings *settings)
{
	crm_catalogue_session session;
	char	   *lateness = NULL;
	bool		isnull;

	memset(settings, 0, sizeof(*settings));
	crm_catalogue_begin(&session);
	settings->exists = crm_catalogue_read("SELECT period, lateness::text, arrival::text, zone, watermark, coalesce(kept_from, '-infinity') "
										  "FROM @.timeline_store WHERE population_id = $1",
										  1, INT4OID, Int32GetDatum(population->id), false) > 0;
	if (settings->exists)
	{
		settings->months = timeline_period_months(crm_catalogue_required(&session, 0, 1));
		lateness = crm_catalogue_required(&session, 0, 2);
		settings->arrival = crm_catalogue_text(&session, 0, 3);
		settings->zone = crm_catalogue_required(&session, 0, 4);
		settings->watermark = crm_catalogue_number(0, 5, &isnull);
		settings->has_watermark = !isnull;
		settings->kept_from = crm_catalogue_number(0, 6, NULL);
	}
	crm_catalogue_end(&session);
	if (settings->exists)
		settings->lateness = DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(lateness),
																   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

/* ---- periods ------------------------------------------------------------------------------ */

static const struct
{
	const char *name;
	int			months;
} periods[] = {{"month", 1}, {"quarter", 3}, {"year", 12}};

int
timeline_period_months(const char *name)
{
	for (int i = 0; i < lengthof(periods); i++)
		if (strcmp(periods[i].name, name) == 0)
			return periods[i].months;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown period \"%s\"", name),
			 errhint("The periods are 'month', 'quarter' and 'year'.")));
	return 0;
}

const char *
timeline_period_name(int months)
{
	for (int i = 0; i < lengthof(periods); i++)
		if (periods[i].months == months)
			return periods[i].name;
	return NULL;
}

static TimestampTz
month_start(int month)
{
	return (TimestampTz) (date2j(month / 12, month % 12 + 1, 1) - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY;
}

void
timeline_period_find(timeline_period *period, TimestampTz at)
{
	int64		day;
	int			year;
	int			month;
	int			mday;

	if (at >= period->start && at < period->end)
		return;
	day = at / USECS_PER_DAY - (at % USECS_PER_DAY < 0);
	j2date((int) day + POSTGRES_EPOCH_JDATE, &year, &month, &mday);
	/* all before the year 1 is one period */
	month = Max(year, 0) * 12 + month - 1;
	month -= month % period->months;
	period->start = year < 1 ? DT_NOBEGIN : month_start(month);
	period->end = year < 1 ? month_start(12) : month_start(month + period->months);
}

/* ---- opening ---------------------------------------------------------------------------------- */

void
timeline_table_open(timeline_table *table, bool archive, LOCKMODE mode)
{
	const char *name = archive ? "timeline_archive" : "customer_timeline";
	Oid			type = InvalidOid;	/* of the extension: any varlena */
	Oid			customers[] = {INT8OID, TIMESTAMPTZOID, INT4OID, BOOLOID, type};
	Oid			pieces[] = {INT8OID, TIMESTAMPTZOID, INT4OID, type};
	const Oid  *types = archive ? pieces : customers;
	int			count = archive ? lengthof(pieces) : lengthof(customers);
	TupleDesc	desc;
	bool		intact;

	memset(table, 0, sizeof(*table));
	table->archive = archive;
	table->relation = table_open(crm_relation(name), mode);
	desc = RelationGetDescr(table->relation);
	intact = table->relation->rd_rel->relkind == RELKIND_RELATION && desc->natts == count;
	for (int i = 0; intact && i < count; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		/* the last is a timeline: a varlena of a type that the extension made */
		intact = !attribute->attisdropped && attribute->attnotnull &&
			(OidIsValid(types[i]) ? attribute->atttypid == types[i] : attribute->attlen == -1);
	}
	if (!intact)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" of extension crm_analytics was altered", name),
				 errhint("Give it the columns, constraints and indexes back that the extension's script gives it.")));
	table->index = crm_catalogue_index(table->relation, archive ? "timeline_archive_pkey" : "customer_timeline_pkey");
	if (mode != AccessShareLock)
	{
		table->indexes = CatalogOpenIndexes(table->relation);
		table->may_bulk = list_length(RelationGetIndexList(table->relation)) == 1;
	}
}

/* ---- writing many rows ----------------------------------------------------------------------- */

static timeline_bulk *
bulk_new(timeline_table *table, int32 population)
{
	timeline_bulk *bulk = palloc0(sizeof(timeline_bulk));

	bulk->context = CurrentMemoryContext;
	bulk->rows = AllocSetContextCreate(CurrentMemoryContext, "crm stored timelines", ALLOCSET_DEFAULT_SIZES);
	bulk->state = GetBulkInsertState();
	bulk->info = BuildIndexInfo(table->index);
	bulk->population = population;
	for (int i = 0; i < BULK_ROWS; i++)
		bulk->slots[i] = MakeSingleTupleTableSlot(RelationGetDescr(table->relation), &TTSOpsHeapTuple);
	/* within what a hash table may take */
	bulk->entry_room = (int) Max(Min(get_hash_memory_limit() / sizeof(index_entry), BULK_ENTRIES), 10000);
	bulk->entries = palloc(bulk->entry_room * sizeof(index_entry));
	return bulk;
}

static int
compare_entries(const void *left, const void *right)
{
	const index_entry *a = left;
	const index_entry *b = right;

	if (a->customer != b->customer)
		return a->customer < b->customer ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

/* In the order of the index neighbours come to the same page. */
static void
bulk_index(timeline_table *table)
{
	timeline_bulk *bulk = table->bulk;
	Form_pg_index index = table->index->rd_index;

	qsort(bulk->entries, bulk->entry_count, sizeof(index_entry), compare_entries);
	for (int i = 0; i < bulk->entry_count; i++)
	{
		index_entry *entry = &bulk->entries[i];
		Datum		values[INDEX_MAX_KEYS];
		bool		nulls[INDEX_MAX_KEYS] = {false};

		for (int k = 0; k < index->indnkeyatts; k++)
			switch (index->indkey.values[k])
			{
				case CUSTOMER_ID:
					values[k] = Int64GetDatum(entry->customer);
					break;
				case CUSTOMER_POPULATION:
					values[k] = Int32GetDatum(bulk->population);
					break;
				default:
					values[k] = TimestampTzGetDatum(entry->at);
					break;
			}
		(void) index_insert(table->index, values, nulls, &entry->tid, table->relation, UNIQUE_CHECK_YES, false, bulk->info);
		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	bulk->entry_count = 0;
}

/* Rows go to the table; their entries wait. */
static void
bulk_write(timeline_table *table)
{
	timeline_bulk *bulk = table->bulk;
	MemoryContext before;

	if (bulk->count == 0)
		return;
	CHECK_FOR_INTERRUPTS();
	if (bulk->entry_count + bulk->count > bulk->entry_room)
		bulk_index(table);
	before = MemoryContextSwitchTo(bulk->rows);
	heap_multi_insert(table->relation, bulk->slots, bulk->count, GetCurrentCommandId(true), 0, bulk->state);
	MemoryContextSwitchTo(before);
	for (int i = 0; i < bulk->count; i++)
	{
		bulk->entries[bulk->entry_count++] = (index_entry) {bulk->customer[i], bulk->at[i], bulk->slots[i]->tts_tid};
		ExecClearTuple(bulk->slots[i]);
	}
	MemoryContextReset(bulk->rows);
	bulk->count = 0;
	bulk->bytes = 0;
}

void
timeline_table_close(timeline_table *table, LOCKMODE mode)
{
	timeline_bulk *bulk = table->bulk;

	if (bulk != NULL)
	{
		bulk_write(table);
		bulk_index(table);
		FreeBulkInsertState(bulk->state);
		for (int i = 0; i < BULK_ROWS; i++)
			ExecDropSingleTupleTableSlot(bulk->slots[i]);
		MemoryContextDelete(bulk->rows);
		pfree(bulk->entries);
		pfree(bulk);
	}
	if (table->indexes != NULL)
		CatalogCloseIndexes(table->indexes);
	index_close(table->index, AccessShareLock);
	table_close(table->relation, mode);
}

/* ---- rows one by one --------------------------------------------------------------------------- */

static HeapTuple
form_row(const timeline_table *table, int32 population, int64 customer, TimestampTz at, bool archived, Datum events)
{
	Datum		values[MOST_COLUMNS];
	bool		nulls[MOST_COLUMNS] = {false};

	values[CUSTOMER_ID - 1] = Int64GetDatum(customer);
	values[CUSTOMER_LAST_AT - 1] = TimestampTzGetDatum(at);
	values[CUSTOMER_POPULATION - 1] = Int32GetDatum(population);
	if (table->archive)
		values[ARCHIVE_EVENTS - 1] = events;
	else
	{
		values[CUSTOMER_ARCHIVED - 1] = BoolGetDatum(archived);
		values[CUSTOMER_EVENTS - 1] = events;
	}
	return heap_form_tuple(RelationGetDescr(table->relation), values, nulls);
}

void
timeline_insert(timeline_table *table, int32 population, int64 customer, TimestampTz at, bool archived, Datum events)
{
	timeline_bulk *bulk = table->bulk;
	MemoryContext before;
	HeapTuple	tuple;

	if (!table->may_bulk)
	{
		/* somebody's own index: the usual way */
		CatalogTupleInsertWithInfo(table->relation, form_row(table, population, customer, at, archived, events), table->indexes);
		return;
	}
	if (bulk == NULL)
	{
		before = MemoryContextSwitchTo(GetMemoryChunkContext(table->indexes));
		bulk = table->bulk = bulk_new(table, population);
		MemoryContextSwitchTo(before);
	}
	before = MemoryContextSwitchTo(bulk->rows);
	tuple = form_row(table, population, customer, at, archived, events);
	MemoryContextSwitchTo(before);
	bulk->customer[bulk->count] = customer;
	bulk->at[bulk->count] = table->archive ? at : 0;
	bulk->bytes += tuple->t_len;
	ExecStoreHeapTuple(tuple, bulk->slots[bulk->count++], true);
	if (bulk->count == BULK_ROWS || bulk->bytes > BULK_BYTES)
		bulk_write(table);
}

void
timeline_update(timeline_table *table, const timeline_piece *old, TimestampTz at, bool archived, Datum events)
{
	TupleDesc	desc = RelationGetDescr(table->relation);
	bool		isnull;
	int64		customer = DatumGetInt64(heap_getattr(old->tuple, CUSTOMER_ID, desc, &isnull));
	int32		population = DatumGetInt32(heap_getattr(old->tuple, CUSTOMER_POPULATION, desc, &isnull));
	HeapTuple	tuple = form_row(table, population, customer, at, archived, events);
	ItemPointerData tid = old->tuple->t_self;

	CatalogTupleUpdateWithInfo(table->relation, &tid, tuple, table->indexes);
}

void
timeline_delete(timeline_table *table, const timeline_piece *old)
{
	ItemPointerData tid = old->tuple->t_self;

	CatalogTupleDelete(table->relation, &tid);
}

/* ---- reading ---------------------------------------------------------------------------------------- */

static SysScanDesc
scan_customer(const timeline_table *table, int32 population, int64 customer)
{
	ScanKeyData keys[2];

	/* in the order of the index */
	ScanKeyInit(&keys[0], CUSTOMER_ID, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(customer));
	ScanKeyInit(&keys[1], CUSTOMER_POPULATION, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(population));
	return systable_beginscan_ordered(table->relation, table->index, GetActiveSnapshot(), 2, keys);
}

static void
copy_piece(const timeline_table *table, HeapTuple tuple, timeline_piece *piece)
{
	TupleDesc	desc = RelationGetDescr(table->relation);
	Datum		values[MOST_COLUMNS];
	bool		nulls[MOST_COLUMNS];

	piece->tuple = heap_copytuple(tuple);
	heap_deform_tuple(piece->tuple, desc, values, nulls);
	piece->at = DatumGetTimestampTz(values[CUSTOMER_LAST_AT - 1]);
	piece->archived = !table->archive && DatumGetBool(values[CUSTOMER_ARCHIVED - 1]);
	piece->events = PointerGetDatum(PG_DETOAST_DATUM_PACKED(values[desc->natts - 1]));
}

bool
timeline_fetch(const timeline_table *customers, int32 population, int64 customer, timeline_piece *piece)
{
	SysScanDesc scan = scan_customer(customers, population, customer);
	HeapTuple	tuple = systable_getnext_ordered(scan, ForwardScanDirection);
	bool		found = HeapTupleIsValid(tuple);

	if (found)
		copy_piece(customers, tuple, piece);
	systable_endscan_ordered(scan);
	return found;
}

timeline_piece *
timeline_fetch_archive(const timeline_table *archive, int32 population, int64 customer, int *count)
{
	SysScanDesc scan = scan_customer(archive, population, customer);
	int			room = 8;
	timeline_piece *pieces = palloc(room * sizeof(timeline_piece));
	HeapTuple	tuple;

	*count = 0;
	while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		if (*count == room)
		{
			room *= 2;
			pieces = repalloc(pieces, room * sizeof(timeline_piece));
		}
		copy_piece(archive, tuple, &pieces[(*count)++]);
	}
	systable_endscan_ordered(scan);
	return pieces;
}

void
timeline_each_since(const timeline_table *customers, int32 population, TimestampTz since,
					void (*visit) (void *arg, int64 customer), void *arg)
{
	TupleDesc	desc = RelationGetDescr(customers->relation);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, CUSTOMER_POPULATION, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(population));
	scan = systable_beginscan(customers->relation, InvalidOid, false, GetActiveSnapshot(), 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		if (DatumGetTimestampTz(heap_getattr(tuple, CUSTOMER_LAST_AT, desc, &isnull)) >= since)
			visit(arg, DatumGetInt64(heap_getattr(tuple, CUSTOMER_ID, desc, &isnull)));
	}
	systable_endscan(scan);
}

Datum
timeline_join_pieces(crm_timeline_writer *writer, const timeline_piece *pieces, int count, Datum newest)
{
	crm_timeline *timelines = palloc((count + 1) * sizeof(crm_timeline));
	crm_timeline_event *events;
	Size		room = 0;
	Size		total = 0;
	uint8_t    *bytes;
	size_t		size;

	for (int i = 0; i <= count; i++)
	{
		behavior_timeline_open(i < count ? pieces[i].events : newest, &timelines[i]);
		room += timelines[i].count;
	}
	events = MemoryContextAllocHuge(CurrentMemoryContext, Max(room, 1) * sizeof(crm_timeline_event));
	for (int i = 0; i <= count; i++)
	{
		size_t		loaded;

		crm_check(crm_timeline_load(writer, &timelines[i], PG_INT64_MIN, PG_INT64_MAX, events + total, &loaded),
				  CRM_TIMELINE_TYPE, false);
		total += loaded;
	}
	crm_check(crm_timeline_write(writer, events, total, false, VARHDRSZ, &bytes, &size), CRM_TIMELINE_TYPE, false);
	pfree(events);
	return behavior_timeline_datum(bytes, size);
}
