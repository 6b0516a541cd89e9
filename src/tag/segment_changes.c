/*
 * segment_changes.c - reading the changes of segments, and consuming them once.
 *
 * Changes get their numbers under the population's lock, which is held until
 * the transaction ends: whoever sees one sees all before it.  So a position in
 * them is all that a consumer has to keep.
 */
#include "common/crm.h"

#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tag/readers.h"
#include "tag/segment_follow.h"
#include "utils/acl.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* One change of a segment as the current user may see it. */
typedef struct seen_change
{
	int64		change_no;
	TimestampTz changed_at;
	crm_ids		entered;
	crm_ids		exited;
} seen_change;

typedef struct change_reader
{
	crm_population *population;
	crm_defined_segment *segment;
	crm_scopes *scopes;
	crm_env		env;
	int64		lost_no;
	TimestampTz lost_at;
	bool		any_lost;
} change_reader;

static char *
required(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument %s must not be NULL", name)));
	return crm_text_argument(fcinfo, argument);
}

/* The segment and what of it the current user may read. */
static void
begin_reading(change_reader *r, const char *population, const char *segment)
{
	crm_catalogue_session session;
	bool		kept;
	bool		followed;
	bool		isnull;

	memset(r, 0, sizeof(*r));
	r->population = crm_population_find(population);
	r->scopes = crm_rights_readable(r->population);
	r->segment = crm_defined_segment_get(r->population, segment);
	r->env = crm_env_in(CurrentMemoryContext);
	crm_catalogue_begin(&session);
	(void) crm_catalogue_read("SELECT p.keep_history IS NOT NULL, d.followed, coalesce(f.lost_no, 0), f.lost_at "
							  "FROM @.segment_definition d JOIN @.population_definition p USING (population_id) "
							  "LEFT JOIN @.segment_follow f USING (segment_id) WHERE d.segment_id = $1",
							  1, INT4OID, Int32GetDatum(r->segment->id), false);
	kept = crm_catalogue_number(0, 1, NULL) != 0;
	followed = crm_catalogue_number(0, 2, NULL) != 0;
	r->lost_no = crm_catalogue_number(0, 3, NULL);
	r->lost_at = crm_catalogue_number(0, 4, &isnull);
	r->any_lost = !isnull;
	crm_catalogue_end(&session);
	if (!kept)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("population \"%s\" keeps no history, and so no changes of its segments", r->population->name),
				 errhint("To have them from now on: SELECT %s.keep_history(%s, '90 days');", crm_schema(),
						 quote_literal_cstr(r->population->name))));
	if (!followed)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("changes of segment \"%s\" are not recorded", segment),
				 errhint("To have them from now on: SELECT %s.follow_segment(%s, population => %s);", crm_schema(),
						 quote_literal_cstr(segment), quote_literal_cstr(r->population->name))));
}

static void
report_lost(const change_reader *r, const char *since)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("changes of segment \"%s\" since %s are no longer kept", r->segment->name, since),
			 errdetail("Those up to %s are forgotten.", r->any_lost ? timestamptz_to_str(r->lost_at) : "the first one kept"),
			 errhint("Read the segment as it is now, and the changes from then on.")));
}

static crm_ids
combine(const change_reader *r, crm_ids_op op, crm_ids a, crm_ids b)
{
	crm_ids_builder *builder;

	crm_check(crm_ids_builder_new(&r->env, &builder), CRM_AUDIENCE_NAME, false);
	crm_check(crm_ids_combine(&r->env, op, a, b, builder), CRM_AUDIENCE_NAME, false);
	return crm_ids_take(&r->env, builder);
}

static void
add(const change_reader *r, crm_ids *sum, Datum value, bool isnull)
{
	crm_ids		ids = crm_segment_stored_ids(value, isnull);

	if (ids.data == NULL)
		crm_check(CRM_CORRUPT, "segment_change", false);
	*sum = sum->data == NULL ? ids : combine(r, CRM_OR, *sum, ids);
}

/*
 * The first change after a number, in the current context; false at the end.
 * Who left in one scope and entered in another has done neither.  It may be
 * empty, when it was of other scopes alone.
 */
static bool
next_change(const change_reader *r, int64 after, seen_change *change)
{
	crm_catalogue_session session;
	crm_ids		entered = {NULL, 0};
	crm_ids		exited = {NULL, 0};
	uint64		n;

	crm_catalogue_begin(&session);
	n = crm_catalogue_read("SELECT scope_no, change_no, changed_at, entered::bytea, exited::bytea FROM @.segment_change "
						   "WHERE segment_id = $1 AND change_no = "
						   " (SELECT min(change_no) FROM @.segment_change WHERE segment_id = $1 AND change_no > $2) ORDER BY scope_no",
						   2, INT4OID, Int32GetDatum(r->segment->id), false, INT8OID, Int64GetDatum(after), false);
	for (uint64 row = 0; row < n; row++)
	{
		MemoryContext old = MemoryContextSwitchTo(session.caller);
		Datum		value;
		bool		isnull;

		change->change_no = crm_catalogue_number(row, 2, NULL);
		change->changed_at = crm_catalogue_number(row, 3, NULL);
		if (crm_scopes_include(r->scopes, crm_catalogue_place(row, 1)))
		{
			value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 4, &isnull);
			add(r, &entered, value, isnull);
			value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 5, &isnull);
			add(r, &exited, value, isnull);
		}
		MemoryContextSwitchTo(old);
	}
	crm_catalogue_end(&session);
	if (n == 0)
		return false;
	if (entered.data == NULL)
	{
		crm_ids_builder *builder;

		crm_check(crm_ids_builder_new(&r->env, &builder), CRM_AUDIENCE_NAME, false);
		entered = exited = crm_ids_take(&r->env, builder);
	}
	change->entered = combine(r, CRM_ANDNOT, entered, exited);
	change->exited = combine(r, CRM_ANDNOT, exited, entered);
	return true;
}

/* ---- as rows ------------------------------------------------------------------------------ */

/* How far somebody has come: all of change_no, and within the next one what the rest says. */
typedef struct position
{
	int64		change_no;
	bool		partial;
	bool		exited;			/* those who entered are done */
	int64		id;				/* the last one, among those who entered or exited */
} position;

/* Returns ids of the set beyond `after`, at most *room; the last one in *last. */
static void
return_ids(const change_reader *r, ReturnSetInfo *rsinfo, const seen_change *change, crm_ids ids, const char *action,
		   int64 after, int64 *room, int64 *last)
{
	crm_ids_runs runs;
	uint64		from;
	uint64		to;

	crm_ids_runs_first(&runs, ids);
	while (*room > 0 && crm_ids_runs_next(&runs, &from, &to))
	{
		if ((int64) to <= after)
			continue;
		from = Max(from, (uint64) (after + 1));
		for (uint64 id = from; *room > 0; id++)
		{
			char	   *key = crm_key_of_id(r->population, (int64) id);
			Datum		values[5];
			bool		nulls[5] = {false};

			CHECK_FOR_INTERRUPTS();
			values[0] = Int64GetDatum(change->change_no);
			values[1] = TimestampTzGetDatum(change->changed_at);
			values[2] = CStringGetTextDatum(action);
			values[3] = Int64GetDatum((int64) id);
			nulls[4] = key == NULL;
			values[4] = nulls[4] ? (Datum) 0 : CStringGetTextDatum(key);
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
			*last = (int64) id;
			(*room)--;
			if (id == to)
				break;
		}
	}
}

/* Returns at most so many customers from a position on, and moves it. */
static void
return_changes(const change_reader *r, ReturnSetInfo *rsinfo, position *at, int64 room)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "crm segment change", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	change_reader reader = *r;
	seen_change change;

	reader.env = crm_env_in(context);
	while (room > 0 && next_change(&reader, at->change_no, &change))
	{
		int64		last = at->partial ? at->id : -1;

		if (!at->partial || !at->exited)
		{
			return_ids(&reader, rsinfo, &change, change.entered, "entered", last, &room, &last);
			at->partial = true;
			at->exited = false;
			at->id = last;
			last = -1;
		}
		if (room > 0)
		{
			return_ids(&reader, rsinfo, &change, change.exited, "exited", last, &room, &last);
			at->exited = true;
			at->id = last;
		}
		/* with room left there was no more of this change */
		if (room > 0)
		{
			at->change_no = change.change_no;
			at->partial = false;
		}
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* Number of the last change of the population up to an instant; 55000 when later ones are forgotten. */
static int64
change_until(const change_reader *r, TimestampTz since)
{
	crm_catalogue_session session;
	int64		change_no;

	if (r->any_lost && since < r->lost_at)
		report_lost(r, timestamptz_to_str(since));
	crm_catalogue_begin(&session);
	(void) crm_catalogue_read("SELECT coalesce(max(change_no), 0) FROM @.segment_change WHERE segment_id = $1 AND changed_at <= $2",
							  2, INT4OID, Int32GetDatum(r->segment->id), false, TIMESTAMPTZOID, TimestampTzGetDatum(since), false);
	change_no = crm_catalogue_number(0, 1, NULL);
	crm_catalogue_end(&session);
	return change_no;
}

/* crm.segment_changes(name, since, population) */
CRM_FUNCTION(crm_segment_changes);
Datum
crm_segment_changes(PG_FUNCTION_ARGS)
{
	change_reader r;
	position	at = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	begin_reading(&r, crm_text_argument(fcinfo, 2), crm_text_argument(fcinfo, 0));
	if (!PG_ARGISNULL(1))
		at.change_no = change_until(&r, PG_GETARG_TIMESTAMPTZ(1));
	return_changes(&r, (ReturnSetInfo *) fcinfo->resultinfo, &at, PG_INT64_MAX);
	return (Datum) 0;
}

static Datum
as_audience(const change_reader *r, crm_ids ids)
{
	crm_ids_builder *builder;

	crm_check(crm_ids_builder_new(&r->env, &builder), CRM_AUDIENCE_NAME, false);
	crm_check(crm_ids_builder_set(builder, ids), CRM_AUDIENCE_NAME, false);
	return PointerGetDatum(crm_audience_finish(builder, (uint32) r->population->id));
}

/* crm.segment_change_sets(name, since, population) */
CRM_FUNCTION(crm_segment_change_sets);
Datum
crm_segment_change_sets(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext context;
	MemoryContext old;
	change_reader r;
	seen_change change;
	int64		after = 0;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	begin_reading(&r, crm_text_argument(fcinfo, 2), crm_text_argument(fcinfo, 0));
	if (!PG_ARGISNULL(1))
		after = change_until(&r, PG_GETARG_TIMESTAMPTZ(1));
	context = AllocSetContextCreate(CurrentMemoryContext, "crm segment change", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	r.env = crm_env_in(context);
	while (next_change(&r, after, &change))
	{
		Datum		values[4];
		bool		nulls[4] = {false};

		after = change.change_no;
		if (crm_ids_count(change.entered) > 0 || crm_ids_count(change.exited) > 0)
		{
			values[0] = Int64GetDatum(change.change_no);
			values[1] = TimestampTzGetDatum(change.changed_at);
			values[2] = as_audience(&r, change.entered);
			values[3] = as_audience(&r, change.exited);
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return (Datum) 0;
}

/* ---- once --------------------------------------------------------------------------------------- */

/*
 * The consumer's position, locked until the transaction ends: another session
 * that asks for it waits, or fails at REPEATABLE READ if it has moved meanwhile.
 */
static position
lock_consumer(const change_reader *r, const char *consumer)
{
	crm_catalogue_session session;
	position	at = {0};
	Oid			owner;
	bool		isnull;

	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("INSERT INTO @.segment_consumer (segment_id, consumer, owner, change_no) VALUES ($1, $2, $3::oid, $4) "
							   "ON CONFLICT (segment_id, consumer) DO NOTHING",
							   4, INT4OID, Int32GetDatum(r->segment->id), false,
							   TEXTOID, CStringGetTextDatum(consumer), false,
							   OIDOID, ObjectIdGetDatum(session.saved_user), false,
							   INT8OID, Int64GetDatum(r->lost_no), false);
	if (crm_catalogue_write("SELECT owner::oid::int, change_no, partial_exited, partial_id FROM @.segment_consumer "
							"WHERE segment_id = $1 AND consumer = $2 FOR UPDATE",
							2, INT4OID, Int32GetDatum(r->segment->id), false, TEXTOID, CStringGetTextDatum(consumer), false) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("consumer \"%s\" of segment \"%s\" was dropped meanwhile", consumer, r->segment->name)));
	owner = (Oid) crm_catalogue_number(0, 1, NULL);
	at.change_no = crm_catalogue_number(0, 2, NULL);
	at.exited = crm_catalogue_number(0, 3, &isnull) != 0;
	at.partial = !isnull;
	at.id = crm_catalogue_number(0, 4, NULL);
	crm_catalogue_end(&session);
	if (!has_privs_of_role(GetUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of consumer \"%s\" of segment \"%s\"", consumer, r->segment->name),
				 errhint("Consume under a name of your own.")));
	return at;
}

static void
store_position(const change_reader *r, const char *consumer, const position *at)
{
	crm_catalogue_session session;

	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("UPDATE @.segment_consumer SET change_no = $3, partial_exited = $4, partial_id = $5, consumed_at = now() "
							   "WHERE segment_id = $1 AND consumer = $2",
							   5, INT4OID, Int32GetDatum(r->segment->id), false,
							   TEXTOID, CStringGetTextDatum(consumer), false,
							   INT8OID, Int64GetDatum(at->change_no), false,
							   BOOLOID, BoolGetDatum(at->exited), !at->partial,
							   INT8OID, Int64GetDatum(at->id), !at->partial);
	crm_catalogue_end(&session);
}

/* crm.consume_segment_changes(name, consumer, max_changes, population) */
CRM_FUNCTION(crm_consume_segment_changes);
Datum
crm_consume_segment_changes(PG_FUNCTION_ARGS)
{
	char	   *name = required(fcinfo, 0, "name");
	char	   *consumer = required(fcinfo, 1, "consumer");
	int64		room = PG_ARGISNULL(2) ? PG_INT64_MAX : PG_GETARG_INT32(2);
	change_reader r;
	position	at;

	InitMaterializedSRF(fcinfo, 0);
	if (room < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_changes must be at least 1, not " INT64_FORMAT, room)));
	if (consumer[0] == '\0' || strlen(consumer) > 200)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid name for a consumer: \"%s\"", consumer),
				 errdetail("A name has 1 to 200 bytes.")));
	crm_catalogue_newest();
	begin_reading(&r, crm_text_argument(fcinfo, 3), name);
	at = lock_consumer(&r, consumer);
	PopActiveSnapshot();

	/* what was committed while we waited counts */
	crm_catalogue_newest();
	begin_reading(&r, crm_text_argument(fcinfo, 3), name);
	if (at.change_no < r.lost_no)
		report_lost(&r, psprintf("change " INT64_FORMAT ", where consumer \"%s\" stands,", at.change_no, consumer));
	return_changes(&r, (ReturnSetInfo *) fcinfo->resultinfo, &at, room);
	store_position(&r, consumer, &at);
	PopActiveSnapshot();
	return (Datum) 0;
}

/* crm.drop_segment_consumer(name, consumer, population) */
CRM_FUNCTION(crm_drop_segment_consumer);
Datum
crm_drop_segment_consumer(PG_FUNCTION_ARGS)
{
	char	   *name = required(fcinfo, 0, "name");
	char	   *consumer = required(fcinfo, 1, "consumer");
	crm_population *population;
	crm_defined_segment *segment;
	crm_catalogue_session session;
	Oid			owner = InvalidOid;
	bool		found;

	crm_catalogue_newest();
	population = crm_population_find(crm_text_argument(fcinfo, 2));
	segment = crm_defined_segment_get(population, name);
	crm_catalogue_begin(&session);
	found = crm_catalogue_write("SELECT owner::oid::int FROM @.segment_consumer WHERE segment_id = $1 AND consumer = $2 FOR UPDATE",
								2, INT4OID, Int32GetDatum(segment->id), false, TEXTOID, CStringGetTextDatum(consumer), false) > 0;
	if (found)
		owner = (Oid) crm_catalogue_number(0, 1, NULL);
	crm_catalogue_end(&session);
	if (!found)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("segment \"%s\" has no consumer \"%s\"", name, consumer),
				 errhint("SELECT consumer FROM %s.segment_consumers lists them.", crm_schema())));
	if (!has_privs_of_role(GetUserId(), owner) && !has_privs_of_role(GetUserId(), segment->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of consumer \"%s\" or of segment \"%s\"", consumer, name)));
	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("DELETE FROM @.segment_consumer WHERE segment_id = $1 AND consumer = $2",
							   2, INT4OID, Int32GetDatum(segment->id), false, TEXTOID, CStringGetTextDatum(consumer), false);
	crm_catalogue_end(&session);
	PopActiveSnapshot();
	PG_RETURN_VOID();
}
