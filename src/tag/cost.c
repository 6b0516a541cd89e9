/*
 * cost.c - what each tag costs: its share of the scan's time, measured over a
 * sample, and the bytes that are stored of it.
 *
 * The scan is run as refreshes run it, over the same customers each time: once
 * for no tag, and once for each alone.  What a tag takes beyond no tag is its
 * own.  The shortest of a few runs counts, as anything else that happens on the
 * machine only makes a run longer.
 */
#include "common/crm.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "funcapi.h"
#include "portability/instr_time.h"
#include "tag/readers.h"
#include "tag/scan_plan.h"
#include "tag/scan_query.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#define RUNS 3
#define MAX_SAMPLE 100000

typedef struct report
{
	crm_population *population;
	int64	   *ids;
	int			id_count;
	bool		dictionary;
} report;

/* So many of the population's customers as of the last refresh, evenly among their numbers. */
static void
choose_customers(report *r, int sample)
{
	crm_scopes	all = {.all = true};
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_ids_builder *builder;
	crm_ids		set;
	crm_ids_runs runs;
	uint64		first,
				last,
				count,
				seen = 0,
				next = 0;

	crm_check(crm_ids_builder_new(&env, &builder), CRM_AUDIENCE_NAME, false);
	crm_store_read(r->population, CRM_BASE_TAG(r->population), CRM_NO_VALUE, &all, builder);
	set = crm_ids_take(&env, builder);
	count = crm_ids_count(set);
	r->ids = palloc(sizeof(int64) * (sample + 1));
	crm_ids_runs_first(&runs, set);
	while (crm_ids_runs_next(&runs, &first, &last))
	{
		while (r->id_count < sample && next >= seen && next - seen <= last - first)
		{
			r->ids[r->id_count++] = (int64) (first + (next - seen));
			next = Max(next + 1, (uint64) ((double) r->id_count * (double) count / sample));
		}
		seen += last - first + 1;
	}
}

static double
run_once(const report *r, Oid owner, List *tags, TimestampTz as_of)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "cost of tags", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	crm_scan_job job = {0};
	instr_time	begin,
				end;

	job.population = r->population;
	job.owner = owner;
	job.tags = tags;
	job.as_of = as_of;
	job.chunk_bits = r->population->chunk_bits;
	job.dictionary = r->dictionary;
	job.chosen = true;
	job.ids = r->ids;
	job.id_count = r->id_count;
	INSTR_TIME_SET_CURRENT(begin);
	(void) crm_scan_run_job(&job);
	INSTR_TIME_SET_CURRENT(end);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	INSTR_TIME_SUBTRACT(end, begin);
	return INSTR_TIME_GET_DOUBLE(end) * 1e6;
}

static double
shortest(const report *r, Oid owner, List *tags, TimestampTz as_of)
{
	double		best = run_once(r, owner, tags, as_of);

	for (int i = 1; i < RUNS; i++)
	{
		double		again = run_once(r, owner, tags, as_of);

		best = Min(best, again);
	}
	return best;
}

static bool
is_batched(const report *r, const crm_tag *tag, TimestampTz as_of)
{
	Relation	source = relation_open(r->population->source, AccessShareLock);
	crm_owner_session session;
	bool		batched;

	crm_owner_begin(&session, tag->owner);
	batched = crm_scan_plan_batched(source, crm_rule_read(source, tag->qualified), as_of);
	crm_owner_end(&session);
	relation_close(source, NoLock);
	return batched;
}

/* Bytes of a tag's chunks in one of the tables of sets. */
static int64
stored_bytes(const crm_tag *tag, const char *statement)
{
	crm_catalogue_session session;
	int64		bytes;

	crm_catalogue_begin(&session);
	(void) crm_catalogue_read(statement, 1, INT4OID, Int32GetDatum(tag->id), false);
	bytes = crm_catalogue_number(0, 1, NULL);
	crm_catalogue_end(&session);
	return bytes;
}

/* crm.tag_cost_report(population, sample) */
CRM_FUNCTION(crm_tag_cost_report);
Datum
crm_tag_cost_report(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz as_of = GetCurrentTransactionStartTimestamp();
	report		r = {0};
	List	   *tags;
	double	   *times;
	double		total = 0;
	int			n = 0;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	r.population = crm_population_find(crm_text_argument(fcinfo, 0));
	crm_rights_require_define(r.population);
	if (PG_ARGISNULL(1) || PG_GETARG_INT32(1) < 1 || PG_GETARG_INT32(1) > MAX_SAMPLE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument sample must be from 1 to %d", MAX_SAMPLE)));
	if (r.population->chunk_bits == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("population \"%s\" has never been refreshed", r.population->name),
				 errhint("Evaluate its tags first: SELECT * FROM %s.refresh_tags('%s');", crm_schema(), r.population->name)));
	tags = crm_tag_list_in_use(r.population);
	foreach(cell, tags)
		crm_rights_check_tag(lfirst(cell));
	choose_customers(&r, PG_GETARG_INT32(1));
	r.dictionary = r.population->key_form != CRM_KEY_INTEGER || crm_keys_any(r.population);

	times = palloc(sizeof(double) * (list_length(tags) + 1));
	foreach(cell, tags)
	{
		crm_tag    *tag = lfirst(cell);
		double		alone;

		CHECK_FOR_INTERRUPTS();
		alone = shortest(&r, tag->owner, list_make1(tag), as_of) - shortest(&r, tag->owner, NIL, as_of);
		times[n] = Max(alone, 0) / Max(r.id_count, 1);
		total += times[n++];
	}
	n = 0;
	foreach(cell, tags)
	{
		crm_tag    *tag = lfirst(cell);
		Datum		values[6];
		bool		nulls[6] = {false};

		values[0] = CStringGetTextDatum(tag->name);
		values[1] = Float8GetDatum(times[n]);
		nulls[2] = total == 0;
		values[2] = Float8GetDatum(total == 0 ? 0 : times[n] / total);
		n++;
		values[3] = BoolGetDatum(is_batched(&r, tag, as_of));
		values[4] = Int64GetDatum(stored_bytes(tag, "SELECT coalesce(sum(pg_column_size(members)), 0)::bigint FROM @.tag_set WHERE tag_id = $1"));
		values[5] = Int64GetDatum(stored_bytes(tag, "SELECT coalesce(sum(coalesce(pg_column_size(entered), 0) + coalesce(pg_column_size(exited), 0)), 0)::bigint "
											   "FROM @.tag_change WHERE tag_id = $1"));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
