/*
 * timeline_build.c - timelines of many customers from the rows of a query.
 */
#include "behavior/timeline_build.h"

#include "behavior/timeline_source.h"
#include "common/bridge.h"
#include "common/progress.h"
#include "common/query.h"
#include "executor/nodeHash.h"
#include "storage/buffile.h"
#include "utils/lsyscache.h"

struct timeline_build
{
	MemoryContext context;
	crm_env		env;
	crm_event_partition *partition;
	crm_timeline_writer *writer;	/* names and attributes of all rows */
	Size		dictionary;		/* bytes that it may take: beyond, they travel with the rows */
	BufFile    *file;			/* blocks that do not fit, one behind the other */
	long		blocks;			/* of BLCKSZ, written so far */
	uint64		ignored;
	uint64		negative;
	bool		shown;			/* in progress */
	uint64		rows;			/* met, or events visited, since that was told last */
	timeline_source *source;
	const crm_population *keyed_by; /* whose dictionary the keys of timelines are looked up in; NULL: they are integers */

	/* while customers are visited */
	timeline_build_visit visit;
	void	   *arg;
	MemoryContext row_context;
	crm_timeline_writer *local; /* names and attributes of a piece in which some travelled with the rows */
	bool		is_local;
	StringInfoData packed;		/* of a row */
};

/* A number given by the piece's own writer, in an event under way. */
#define LOCAL_NAME (UINT32_C(1) << 31)

StaticAssertDecl(CRM_EVENT_BLOCK % BLCKSZ == 0 || BLCKSZ % CRM_EVENT_BLOCK == 0, "blocks of events and of files fit each other");

/* ---- storage ---------------------------------------------------------------------- */

#define FILE_BLOCKS (CRM_EVENT_BLOCK > BLCKSZ ? CRM_EVENT_BLOCK / BLCKSZ : 1)

static void
seek_block(timeline_build *build, uint64 place)
{
	if (BufFileSeekBlock(build->file, (long) place) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not seek in a temporary file of events: %m")));
}

static crm_status
store_block(void *arg, const void *block, uint64_t *place)
{
	timeline_build *build = arg;

	if (build->file == NULL)
	{
		MemoryContext before = MemoryContextSwitchTo(build->context);

		build->file = BufFileCreateTemp(false);
		MemoryContextSwitchTo(before);
	}
	*place = (uint64) build->blocks;
	seek_block(build, *place);
	BufFileWrite(build->file, unconstify(void *, block), CRM_EVENT_BLOCK);
	build->blocks += FILE_BLOCKS;
	return CRM_OK;
}

static crm_status
fetch_block(void *arg, uint64_t place, void *block)
{
	timeline_build *build = arg;

	seek_block(build, place);
	crm_buffile_read(build->file, block, CRM_EVENT_BLOCK);
	return CRM_OK;
}

/* ---- rows ------------------------------------------------------------------------------ */

timeline_build *
timeline_build_new(void)
{
	timeline_build *build = palloc0(sizeof(timeline_build));
	Size		memory = get_hash_memory_limit();
	crm_event_storage storage = {store_block, fetch_block, build};

	build->context = CurrentMemoryContext;
	build->env = crm_env_in(CurrentMemoryContext);
	/* a quarter for names and attributes: usually they take nothing */
	build->dictionary = Max(memory / 4, CRM_EVENT_LEAST_MEMORY);
	crm_check(crm_timeline_writer_new(&build->env, &build->writer), CRM_TIMELINE_TYPE, false);
	crm_check(crm_event_partition_new(&build->env, &storage, memory - memory / 4, &build->partition), CRM_TIMELINE_TYPE, false);
	return build;
}

void
timeline_build_show(timeline_build *build)
{
	build->shown = true;
}

static void
show_progress(timeline_build *build, const char *unit, uint64 more)
{
	build->rows += more;
	if (build->shown && build->rows >= CRM_PROGRESS_ROWS)
	{
		crm_progress_add(unit, (int64) build->rows);
		build->rows = 0;
	}
}

uint64
timeline_build_ignored(const timeline_build *build)
{
	return build->ignored;
}

uint64
timeline_build_negative(const timeline_build *build)
{
	return build->negative;
}

uint64
timeline_build_count(const timeline_build *build)
{
	return crm_event_partition_count(build->partition);
}

void
timeline_build_mark(timeline_build *build, int64 customer)
{
	crm_check(crm_event_partition_mark(build->partition, customer), CRM_TIMELINE_TYPE, false);
}

static void
take_row(TupleTableSlot *slot, void *arg)
{
	timeline_build *build = arg;
	crm_event_row row;

	show_progress(build, "rows", 1);
	if (!timeline_source_row(build->source, slot, &row))
	{
		build->ignored += slot->tts_isnull[0];
		return;
	}
	build->negative += row.customer < 0;
	crm_check(crm_event_partition_add(build->partition, &row), CRM_TIMELINE_TYPE, false);
}

void
timeline_build_query(timeline_build *build, const char *query, ParamListInfo params, int channels, char **channel_names)
{
	build->source = timeline_source_open(query, params, channels, channel_names, build->writer, build->dictionary);
	if (build->shown)
		crm_progress_phase("reading events", "rows", timeline_source_rows(build->source));
	build->rows = 0;
	timeline_source_run(build->source, take_row, build);
	timeline_source_close(build->source);
	build->source = NULL;
}

/* ---- timelines ---------------------------------------------------------------------- */

static crm_status
begin_piece(void *arg, bool packed)
{
	timeline_build *build = arg;

	build->is_local = packed;
	if (!packed)
		return CRM_OK;
	if (build->local == NULL)
		return crm_timeline_writer_new(&build->env, &build->local);
	crm_timeline_writer_reset(build->local);
	return CRM_OK;
}

/* Name and attributes, so far numbers of the passing writer, go with the row, unless they are too large for that. */
static void
pack_event(timeline_build *build, crm_event_row *row)
{
	crm_text	name = crm_timeline_writer_name_text(build->local, row->name);
	size_t		count;
	const crm_attribute *attributes = crm_timeline_writer_attribute_list(build->local, row->attributes, &count);

	timeline_source_pack(&build->packed, name, attributes, (int) count);
	if (build->packed.len <= CRM_EVENT_MAX_PACKED)
	{
		row->packed = build->packed.data;
		row->attributes = build->packed.len;
		row->name = 0;
		return;
	}
	crm_check(crm_timeline_writer_name(build->writer, name, &row->name), CRM_TIMELINE_TYPE, false);
	crm_check(crm_timeline_writer_attributes(build->writer, attributes, count, &row->attributes), CRM_TIMELINE_TYPE, false);
}

/* The customer of a row; false for one whose key the dictionary has not met. */
static bool
customer_of_key(const timeline_build *build, TupleTableSlot *slot, int64 *customer)
{
	Datum		key = slot->tts_values[0];
	Oid			type = TupleDescAttr(slot->tts_tupleDescriptor, 0)->atttypid;

	/* the dictionary has char(n) without its padding */
	if (build->keyed_by != NULL && getBaseType(type) == BPCHAROID)
		return crm_key_id(build->keyed_by, DirectFunctionCall1(rtrim1, key), TEXTOID, customer);
	if (build->keyed_by != NULL)
		return crm_key_id(build->keyed_by, key, type, customer);
	switch (getBaseType(type))
	{
		case INT2OID:
			*customer = DatumGetInt16(key);
			break;
		case INT4OID:
			*customer = DatumGetInt32(key);
			break;
		default:
			*customer = DatumGetInt64(key);
	}
	return true;
}

/*
 * The events of a timeline, in the numbers of the common writer as long as it
 * keeps within its memory; else in those of a passing one, from which name and
 * attributes go with each row.
 */
static void
take_events(timeline_build *build, int64 customer, Datum value)
{
	bool		full = crm_timeline_writer_memory(build->writer) > build->dictionary;
	crm_timeline_writer *writer = build->writer;
	crm_timeline timeline;
	crm_timeline_event *events;
	size_t		count;

	if (full)
	{
		crm_check(begin_piece(build, true), CRM_TIMELINE_TYPE, false);
		writer = build->local;
	}
	behavior_timeline_open(value, &timeline);
	events = MemoryContextAllocHuge(build->row_context, Max(timeline.count, 1) * sizeof(crm_timeline_event));
	crm_check(crm_timeline_load(writer, &timeline, PG_INT64_MIN, PG_INT64_MAX, events, &count), CRM_TIMELINE_TYPE, false);
	for (size_t i = 0; i < count; i++)
	{
		crm_event_row row = {0};

		row.customer = customer;
		row.at = events[i].at;
		row.has_value = events[i].has_value;
		row.value = events[i].value;
		row.name = events[i].name;
		row.attributes = events[i].attributes;
		build->negative += row.customer < 0;
		if (full)
			pack_event(build, &row);
		crm_check(crm_event_partition_add(build->partition, &row), CRM_TIMELINE_TYPE, false);
	}
}

static void
take_timeline(TupleTableSlot *slot, void *arg)
{
	timeline_build *build = arg;
	MemoryContext before = MemoryContextSwitchTo(build->row_context);
	int64		customer;

	show_progress(build, "timelines", 1);
	slot_getsomeattrs(slot, 2);
	if (slot->tts_isnull[0] || !customer_of_key(build, slot, &customer))
		build->ignored++;
	else if (!slot->tts_isnull[1])
		take_events(build, customer, slot->tts_values[1]);
	MemoryContextSwitchTo(before);
	MemoryContextReset(build->row_context);
}

void
timeline_build_timelines(timeline_build *build, const char *query, const crm_population *population)
{
	SPIPlanPtr	plan = SPI_prepare(query, 0, NULL);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	(void) crm_select_columns(plan, "timelines", query);
	build->row_context = AllocSetContextCreate(build->context, "crm timeline of a customer", ALLOCSET_DEFAULT_SIZES);
	initStringInfo(&build->packed);
	build->keyed_by = population;
	if (build->shown)
		crm_progress_phase("fetching timelines", "timelines", (int64) crm_select_rows(plan));
	build->rows = 0;
	crm_select_run(plan, NULL, take_timeline, build);
	MemoryContextDelete(build->row_context);
	SPI_freeplan(plan);
}

/* ---- customers --------------------------------------------------------------------------- */

static crm_status
unpack_event(void *arg, const void *packed, size_t size, crm_timeline_event *event)
{
	timeline_build *build = arg;
	crm_attribute attributes[CRM_TIMELINE_MAX_CHANNELS];
	crm_text	name;
	int			count = timeline_source_unpack(packed, size, &name, attributes);

	CRM_TRY(crm_timeline_writer_name(build->local, name, &event->name));
	event->name |= LOCAL_NAME;
	return crm_timeline_writer_attributes(build->local, attributes, count, &event->attributes);
}

/* In a piece with a writer of its own, the events whose names are known to all are still numbered by the common one. */
static crm_status
make_local(timeline_build *build, crm_timeline_event *events, Size count)
{
	for (Size i = 0; i < count; i++)
	{
		const crm_attribute *attributes;
		size_t		n;

		if (events[i].name & LOCAL_NAME)
		{
			events[i].name &= ~LOCAL_NAME;
			continue;
		}
		CRM_TRY(crm_timeline_writer_name(build->local, crm_timeline_writer_name_text(build->writer, events[i].name),
										 &events[i].name));
		attributes = crm_timeline_writer_attribute_list(build->writer, events[i].attributes, &n);
		CRM_TRY(crm_timeline_writer_attributes(build->local, attributes, n, &events[i].attributes));
	}
	return CRM_OK;
}

static crm_status
visit_customer(void *arg, int64_t customer, bool marked, crm_timeline_event *events, size_t count)
{
	timeline_build *build = arg;
	MemoryContext before;

	if (build->is_local)
		CRM_TRY(make_local(build, events, count));
	show_progress(build, "events", count);
	before = MemoryContextSwitchTo(build->row_context);
	build->visit(build->arg, customer, marked, build->is_local ? build->local : build->writer, events, count);
	MemoryContextSwitchTo(before);
	MemoryContextReset(build->row_context);
	return CRM_OK;
}

void
timeline_build_free(timeline_build *build)
{
	if (build->file != NULL)
		BufFileClose(build->file);
	crm_event_partition_free(build->partition);
	crm_timeline_writer_free(build->writer);
	if (build->local != NULL)
		crm_timeline_writer_free(build->local);
	pfree(build);
}

void
timeline_build_finish(timeline_build *build, timeline_build_visit visit, void *arg)
{
	crm_event_visitor visitor = {begin_piece, unpack_event, visit_customer, build};

	build->visit = visit;
	build->arg = arg;
	build->row_context = AllocSetContextCreate(build->context, "crm timeline of a customer", ALLOCSET_DEFAULT_SIZES);
	if (build->shown)
		crm_progress_phase("making timelines", "events", (int64) timeline_build_count(build));
	build->rows = 0;
	crm_check(crm_event_partition_visit(build->partition, &visitor), CRM_TIMELINE_TYPE, false);
	MemoryContextDelete(build->row_context);
	timeline_build_free(build);
}

Datum
timeline_build_pack(crm_timeline_writer *writer, int64 customer, crm_timeline_event *events, Size count)
{
	uint8_t    *bytes;
	size_t		size;
	crm_status	status = crm_timeline_write(writer, events, count, false, VARHDRSZ, &bytes, &size);

	if (status == CRM_LIMIT || (status == CRM_OK && size > MaxAllocSize))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the timeline of customer " INT64_FORMAT " would exceed the limits", customer),
				 errdetail("He has %zu events. A timeline has at most %d events, %d names, %d channels and %zu bytes.",
						   count, CRM_TIMELINE_MAX_EVENTS, CRM_TIMELINE_MAX_NAMES, CRM_TIMELINE_MAX_CHANNELS, (Size) MaxAllocSize),
				 errhint("Leave customers out that are none, such as a crawler.")));
	crm_check(status, CRM_TIMELINE_TYPE, false);
	SET_VARSIZE(bytes, size);
	return PointerGetDatum(bytes);
}
