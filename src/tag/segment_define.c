/*
 * segment_define.c - segments with a name: dynamic ones, which stand for their
 * expression, and frozen ones, which keep the members of one moment.
 */
#include "common/crm.h"

#include "common/bridge.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "tag/history.h"
#include "tag/readers.h"
#include "tag/segment_define.h"
#include "tag/segment_follow.h"
#include "tag/segment_read.h"
#include "utils/acl.h"
#include "utils/snapmgr.h"

#define MAX_SEGMENT_NAME 200
/* Stands in messages. */
#define MEMBERS_NAME "segment_members"

/* ---- the catalogue ------------------------------------------------------------ */

#define SEGMENT_COLUMNS \
	"SELECT segment_id, name, expression, frozen, owner::pg_catalog.oid::int, refreshed_at FROM @.segment_definition "

static crm_defined_segment *
read_definition(crm_catalogue_session *session, uint64 row)
{
	crm_defined_segment *segment = MemoryContextAllocZero(session->caller, sizeof(crm_defined_segment));

	segment->id = (int32) crm_catalogue_number(row, 1, NULL);
	segment->name = crm_catalogue_required(session, row, 2);
	segment->expression = crm_catalogue_required(session, row, 3);
	segment->frozen = crm_catalogue_number(row, 4, NULL) != 0;
	segment->owner = (Oid) crm_catalogue_number(row, 5, NULL);
	segment->refreshed_at = crm_catalogue_number(row, 6, NULL);
	return segment;
}

crm_defined_segment *
crm_defined_segment_find(const crm_population *population, const char *name)
{
	crm_catalogue_session session;
	crm_defined_segment *segment = NULL;

	crm_catalogue_begin(&session);
	if (crm_catalogue_read(SEGMENT_COLUMNS "WHERE population_id = $1 AND name = $2",
						   2, INT4OID, Int32GetDatum(population->id), false,
						   TEXTOID, CStringGetTextDatum(name), false) > 0)
		segment = read_definition(&session, 0);
	crm_catalogue_end(&session);
	return segment;
}

List *
crm_defined_segments_followed(const crm_population *population)
{
	crm_catalogue_session session;
	List	   *segments = NIL;
	uint64		n;

	crm_catalogue_begin(&session);
	n = crm_catalogue_read(SEGMENT_COLUMNS "WHERE population_id = $1 AND followed ORDER BY segment_id",
						   1, INT4OID, Int32GetDatum(population->id), false);
	for (uint64 row = 0; row < n; row++)
	{
		MemoryContext old = MemoryContextSwitchTo(session.caller);

		segments = lappend(segments, read_definition(&session, row));
		MemoryContextSwitchTo(old);
	}
	crm_catalogue_end(&session);
	return segments;
}

List *
crm_defined_segment_names(const crm_population *population)
{
	crm_catalogue_session session;
	List	   *names = NIL;
	uint64		n;

	crm_catalogue_begin(&session);
	n = crm_catalogue_read("SELECT name FROM @.segment_definition WHERE population_id = $1 ORDER BY name COLLATE \"C\"",
						   1, INT4OID, Int32GetDatum(population->id), false);
	for (uint64 row = 0; row < n; row++)
	{
		MemoryContext old = MemoryContextSwitchTo(session.caller);

		names = lappend(names, crm_catalogue_required(&session, row, 1));
		MemoryContextSwitchTo(old);
	}
	crm_catalogue_end(&session);
	return names;
}

crm_ids
crm_defined_segment_members(const crm_defined_segment *segment)
{
	crm_catalogue_session session;
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_ids		ids = {NULL, 0};
	uint64_t	cardinality;
	bool		canonical;

	crm_catalogue_begin(&session);
	/* cast: whoever altered the column is to get an error, not a crash */
	if (crm_catalogue_read("SELECT members::bytea FROM @.segment_members WHERE segment_id = $1",
						   1, INT4OID, Int32GetDatum(segment->id), false) > 0)
	{
		MemoryContext old = MemoryContextSwitchTo(session.caller);
		bool		isnull;
		Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
		struct varlena *members = isnull ? NULL : PG_DETOAST_DATUM_COPY(value);

		if (members != NULL)
		{
			ids.data = (const uint8_t *) VARDATA(members);
			ids.size = VARSIZE(members) - VARHDRSZ;
		}
		MemoryContextSwitchTo(old);
	}
	crm_catalogue_end(&session);

	/* The tables' owner may have written them. */
	if (ids.data == NULL)
		crm_check(CRM_CORRUPT, MEMBERS_NAME, false);
	crm_check(crm_ids_validate_long(&env, ids.data, ids.size, &cardinality, &canonical), MEMBERS_NAME, false);
	if (!canonical)
		crm_check(CRM_CORRUPT, MEMBERS_NAME, false);
	return ids;
}

/* Stores the members of a frozen segment in place of those that it had. */
static void
store_members(int32 segment_id, crm_ids ids)
{
	crm_catalogue_session session;
	bytea	   *members;

	crm_check_size(VARHDRSZ + ids.size, MEMBERS_NAME);
	members = palloc(VARHDRSZ + ids.size);
	SET_VARSIZE(members, VARHDRSZ + ids.size);
	memcpy(VARDATA(members), ids.data, ids.size);

	crm_catalogue_begin(&session);
	crm_catalogue_write("INSERT INTO @.segment_members (segment_id, members) VALUES ($1, $2) "
						"ON CONFLICT (segment_id) DO UPDATE SET members = excluded.members",
						2, INT4OID, Int32GetDatum(segment_id), false,
						BYTEAOID, PointerGetDatum(members), false);
	crm_catalogue_write("UPDATE @.segment_definition SET refreshed_at = pg_catalog.now() WHERE segment_id = $1",
						1, INT4OID, Int32GetDatum(segment_id), false);
	crm_catalogue_end(&session);
	pfree(members);
}

/* ---- arguments and rights -------------------------------------------------------- */

static char *
required_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument %s must not be NULL", name)));
	return crm_text_argument(fcinfo, argument);
}

/* The population, locked against other writers; the active snapshot, to be popped, sees what they did. */
static crm_population *
lock_population(const char *name)
{
	crm_population *population;

	crm_catalogue_newest();
	population = crm_population_find(name);
	crm_population_lock(population);
	PopActiveSnapshot();
	crm_catalogue_newest();
	return crm_population_find_by_id(population->id);
}

static void
require_segment_owner(const crm_defined_segment *segment)
{
	if (!has_privs_of_role(GetUserId(), segment->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of segment \"%s\"", segment->name)));
}

crm_defined_segment *
crm_defined_segment_get(const crm_population *population, const char *name)
{
	crm_defined_segment *segment = crm_defined_segment_find(population, name);
	char	   *nearest;

	if (segment == NULL)
	{
		nearest = crm_nearest_names(name, crm_defined_segment_names(population));
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("segment \"%s\" does not exist in population \"%s\"", name, population->name),
				 nearest != NULL ? errhint("Nearest names: %s.", nearest) :
				 errhint("SELECT segment FROM %s.segment_catalog lists the segments.", crm_schema())));
	}
	return segment;
}

/* A segment that exists and that the current user may change. */
static crm_defined_segment *
own_segment(const crm_population *population, const char *name)
{
	crm_defined_segment *segment = crm_defined_segment_get(population, name);

	require_segment_owner(segment);
	return segment;
}

/* The members of segments have changed without a refresh; the active snapshot becomes one that sees it. */
static void
note_change(const crm_population *population)
{
	crm_catalogue_newest();
	if (population->chunk_bits != 0)
		crm_history_end(crm_history_begin(population), NIL, false, DT_NOBEGIN);
	PopActiveSnapshot();
}

/* One name stands for one set: a tag's name is taken. */
static void
require_no_tag(const crm_population *population, const char *name)
{
	ListCell   *cell;

	foreach(cell, crm_tag_list(population))
		if (strcmp(((crm_tag *) lfirst(cell))->name, name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_OBJECT),
					 errmsg("population \"%s\" has a tag named \"%s\"", population->name, name),
					 errdetail("Tags and segments of a population share their names: both stand in segment expressions.")));
}

/* ---- functions ---------------------------------------------------------------------- */

/* crm.define_segment(name, expression, population, frozen, description, replace) */
CRM_FUNCTION(crm_define_segment);
Datum
crm_define_segment(PG_FUNCTION_ARGS)
{
	char	   *name = required_argument(fcinfo, 0, "name");
	char	   *expression = required_argument(fcinfo, 1, "expression");
	bool		frozen = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);
	bool		replace = !PG_ARGISNULL(5) && PG_GETARG_BOOL(5);
	crm_population *population;
	crm_defined_segment *segment;
	crm_catalogue_session session;
	crm_ids		members = {NULL, 0};
	Oid			owner;

	if (name[0] == '\0' || strlen(name) > MAX_SEGMENT_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid name for a segment: \"%s\"", name),
				 errdetail("A name has 1 to %d bytes.", MAX_SEGMENT_NAME)));
	population = lock_population(crm_text_argument(fcinfo, 2));
	crm_rights_require_define(population);
	require_no_tag(population, name);
	segment = crm_defined_segment_find(population, name);
	if (segment != NULL && !replace)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("segment \"%s\" already exists in population \"%s\"", name, population->name),
				 errhint("%s.define_segment(..., replace => true) gives it a new expression.", crm_schema())));
	if (segment != NULL)
		require_segment_owner(segment);
	crm_segment_check(population, expression, name);
	if (frozen)
	{
		crm_set_reader reader;

		crm_set_reader_begin(&reader, population->name);
		members = crm_set_reader_segment(&reader, expression);
	}

	/* as with tags: the population's owner where he may be acted for */
	owner = crm_rights_rule_owner(population);
	crm_catalogue_begin(&session);
	if (segment == NULL)
		crm_catalogue_write("INSERT INTO @.segment_definition (population_id, name, expression, frozen, owner, description) "
							"VALUES ($1, $2, $3, $4, $5::oid, $6)",
							6, INT4OID, Int32GetDatum(population->id), false,
							TEXTOID, PG_GETARG_DATUM(0), false,
							TEXTOID, PG_GETARG_DATUM(1), false,
							BOOLOID, BoolGetDatum(frozen), false,
							OIDOID, ObjectIdGetDatum(owner), false,
							TEXTOID, PG_GETARG_DATUM(4), PG_ARGISNULL(4));
	else
	{
		crm_catalogue_write("UPDATE @.segment_definition SET expression = $2, frozen = $3, refreshed_at = NULL, "
							" description = coalesce($4, description) WHERE segment_id = $1",
							4, INT4OID, Int32GetDatum(segment->id), false,
							TEXTOID, PG_GETARG_DATUM(1), false,
							BOOLOID, BoolGetDatum(frozen), false,
							TEXTOID, PG_GETARG_DATUM(4), PG_ARGISNULL(4));
		crm_catalogue_write("DELETE FROM @.segment_members WHERE segment_id = $1",
							1, INT4OID, Int32GetDatum(segment->id), false);
	}
	crm_catalogue_end(&session);
	PopActiveSnapshot();

	if (frozen)
	{
		crm_catalogue_newest();
		store_members(crm_defined_segment_find(population, name)->id, members);
		PopActiveSnapshot();
	}
	note_change(population);
	PG_RETURN_VOID();
}

/* crm.refresh_segment(name, population) */
CRM_FUNCTION(crm_refresh_segment);
Datum
crm_refresh_segment(PG_FUNCTION_ARGS)
{
	char	   *name = required_argument(fcinfo, 0, "name");
	crm_population *population = lock_population(crm_text_argument(fcinfo, 1));
	crm_defined_segment *segment = own_segment(population, name);
	crm_set_reader reader;
	crm_ids		before;
	crm_ids		after;
	uint64		kept;
	TupleDesc	desc;
	Datum		values[3];
	bool		nulls[3] = {false, false, false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (!segment->frozen)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("segment \"%s\" is not frozen", segment->name),
				 errdetail("A dynamic segment keeps no members: it is evaluated whenever it is asked for.")));
	crm_set_reader_begin(&reader, population->name);
	before = crm_defined_segment_members(segment);
	after = crm_set_reader_segment(&reader, segment->expression);
	kept = crm_ids_and_count(&reader.env, before, after);
	store_members(segment->id, after);
	PopActiveSnapshot();
	note_change(population);

	values[0] = Int64GetDatum((int64) crm_ids_count(after));
	values[1] = Int64GetDatum((int64) (crm_ids_count(after) - kept));
	values[2] = Int64GetDatum((int64) (crm_ids_count(before) - kept));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* crm.follow_segment(name, follow, population) */
CRM_FUNCTION(crm_follow_segment);
Datum
crm_follow_segment(PG_FUNCTION_ARGS)
{
	char	   *name = required_argument(fcinfo, 0, "name");
	bool		follow = PG_ARGISNULL(1) || PG_GETARG_BOOL(1);
	crm_population *population = lock_population(crm_text_argument(fcinfo, 2));
	crm_defined_segment *segment = own_segment(population, name);
	crm_catalogue_session session;

	crm_catalogue_begin(&session);
	crm_catalogue_write("UPDATE @.segment_definition SET followed = $2 WHERE segment_id = $1",
						2, INT4OID, Int32GetDatum(segment->id), false, BOOLOID, BoolGetDatum(follow), false);
	crm_catalogue_end(&session);
	PopActiveSnapshot();
	if (!follow)
		crm_segment_forget(segment);
	else
		note_change(population);
	PG_RETURN_VOID();
}

/* crm.drop_segment(name, population) */
CRM_FUNCTION(crm_drop_segment);
Datum
crm_drop_segment(PG_FUNCTION_ARGS)
{
	char	   *name = required_argument(fcinfo, 0, "name");
	crm_population *population = lock_population(crm_text_argument(fcinfo, 1));
	crm_defined_segment *segment = own_segment(population, name);
	crm_catalogue_session session;

	crm_catalogue_begin(&session);
	crm_catalogue_write("DELETE FROM @.segment_definition WHERE segment_id = $1",
						1, INT4OID, Int32GetDatum(segment->id), false);
	crm_catalogue_end(&session);
	PopActiveSnapshot();
	PG_RETURN_VOID();
}
