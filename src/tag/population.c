/*
 * population.c - looking up, creating and dropping populations, and grants on
 * them.
 */
#include "common/crm.h"

#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "kernel/tag_chunk.h"
#include "tag/history.h"
#include "tag/tag.h"
#include "tag/track.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

/* Longest name of a population or tag, in bytes: it stays indexable and fits a line. */
#define MAX_NAME 200

#define POPULATION_COLUMNS \
	"SELECT population_id, name, source::oid::int, source_name, key_column::text, key_form, " \
	"       scope_column::text, owner::oid::int, chunk_bits, (events IS NOT NULL)::int, " \
	"       EXISTS (SELECT FROM @.tracked_relation t WHERE t.population_id = p.population_id), valid_from::text, valid_to::text, zone FROM @.population_definition p "

static bool
is_source_kind(char kind)
{
	return kind == RELKIND_RELATION || kind == RELKIND_VIEW || kind == RELKIND_MATVIEW ||
		kind == RELKIND_FOREIGN_TABLE || kind == RELKIND_PARTITIONED_TABLE;
}

/*
 * A view that was dropped and made again has another oid.  The relation that
 * bears the name now takes its place, when it belongs to the population's owner
 * or to a superuser: nobody else may put rows under his rules.
 */
static Oid
standing_source(Oid source, const char *source_name, Oid owner)
{
	List	   *names;
	Oid			schema;
	HeapTuple	tuple;

	if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(source)))
		return source;
	names = textToQualifiedNameList(cstring_to_text(source_name));
	schema = get_namespace_oid(strVal(linitial(names)), true);
	tuple = SearchSysCache2(RELNAMENSP, CStringGetDatum(strVal(llast(names))), ObjectIdGetDatum(schema));
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_class again = (Form_pg_class) GETSTRUCT(tuple);

		if (is_source_kind(again->relkind) && (again->relowner == owner || superuser_arg(again->relowner)))
			source = again->oid;
		ReleaseSysCache(tuple);
	}
	return source;
}

static crm_population *
read_population(crm_catalogue_session *session, uint64 row)
{
	crm_population *population = MemoryContextAllocZero(session->caller, sizeof(crm_population));
	char	   *form;

	population->id = (int32) crm_catalogue_number(row, 1, NULL);
	population->name = crm_catalogue_required(session, row, 2);
	population->source_name = crm_catalogue_required(session, row, 4);
	population->key_column = crm_catalogue_required(session, row, 5);
	form = crm_catalogue_required(session, row, 6);
	population->key_form = strcmp(form, "integer") == 0 ? CRM_KEY_INTEGER :
		strcmp(form, "uuid") == 0 ? CRM_KEY_UUID : CRM_KEY_TEXT;
	population->scope_column = crm_catalogue_text(session, row, 7);
	population->owner = (Oid) crm_catalogue_number(row, 8, NULL);
	population->chunk_bits = (int) crm_catalogue_number(row, 9, NULL);
	if (population->chunk_bits != 0 && (population->chunk_bits < CRM_CHUNK_BITS || population->chunk_bits > 62))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the catalogue of crm_analytics is damaged"),
				 errdetail("Population \"%s\" has chunks of %d bits.", population->name, population->chunk_bits)));
	population->has_events = crm_catalogue_number(row, 10, NULL) != 0;
	population->tracked = crm_catalogue_number(row, 11, NULL) != 0;
	population->valid_from = crm_catalogue_text(session, row, 12);
	population->valid_to = crm_catalogue_text(session, row, 13);
	population->zone = crm_catalogue_text(session, row, 14);
	population->source = standing_source((Oid) crm_catalogue_number(row, 3, NULL), population->source_name, population->owner);
	return population;
}

static void
unknown_population(const char *name, List *names)
{
	char	   *nearest = crm_nearest_names(name, names);

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("population \"%s\" does not exist", name),
			 nearest != NULL ? errhint("Nearest names: %s.", nearest) :
			 errhint("%s.create_population(name, source, key) registers one.", crm_schema())));
}

static void
no_single_population(List *names)
{
	StringInfoData list;
	ListCell   *cell;

	if (names == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no population yet, or none that you may use"),
				 errhint("%1$s.create_population('customers', 'public.customers', 'customer_id') registers the relation with one row per customer; "
						 "of one that exists, the owner may run %1$s.grant_population.", crm_schema())));
	initStringInfo(&list);
	foreach(cell, names)
		appendStringInfo(&list, "%s\"%s\"", list.len == 0 ? "" : ", ", (char *) lfirst(cell));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the population must be named"),
			 errdetail("There are several: %s.", list.data),
			 errhint("Add population => '%s'.", (char *) linitial(names))));
}

/*
 * Without a name the only population counts that the user may see: another
 * tenant's must neither disturb nor show.
 */
crm_population *
crm_population_find(const char *name)
{
	crm_catalogue_session session;
	crm_population *found = NULL;
	List	   *all = NIL;
	List	   *names = NIL;
	ListCell   *cell;
	uint64		n;

	crm_catalogue_begin(&session);
	n = name == NULL ? crm_catalogue_read(POPULATION_COLUMNS "ORDER BY name", 0) :
		crm_catalogue_read(POPULATION_COLUMNS "WHERE name = $1", 1, TEXTOID, CStringGetTextDatum(name), false);
	if (n == 0 && name != NULL)
		n = crm_catalogue_read(POPULATION_COLUMNS "ORDER BY name", 0);
	for (uint64 row = 0; row < n; row++)
	{
		MemoryContext old = MemoryContextSwitchTo(session.caller);

		all = lappend(all, read_population(&session, row));
		MemoryContextSwitchTo(old);
	}
	crm_catalogue_end(&session);

	foreach(cell, all)
	{
		crm_population *population = lfirst(cell);

		if (!crm_rights_may_see(population))
		{
			if (name != NULL && strcmp(population->name, name) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						 errmsg("permission denied for population \"%s\"", name),
						 errhint("Its owner may run %s.grant_population('%s', '%s').", crm_schema(), name,
								 GetUserNameFromId(GetUserId(), false))));
			continue;
		}
		names = lappend(names, population->name);
		if (name == NULL || strcmp(population->name, name) == 0)
			found = population;
	}
	if (name == NULL && list_length(names) != 1)
		no_single_population(names);
	if (found == NULL)
		unknown_population(name, names);
	return found;
}

crm_population *
crm_population_find_by_id(int32 id)
{
	crm_catalogue_session session;
	crm_population *found = NULL;

	crm_catalogue_begin(&session);
	if (crm_catalogue_read(POPULATION_COLUMNS "WHERE population_id = $1", 1, INT4OID, Int32GetDatum(id), false) > 0)
		found = read_population(&session, 0);
	crm_catalogue_end(&session);
	if (found == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no population with number %d", id)));
	return found;
}

char *
crm_population_source(const crm_population *population)
{
	char	   *relation = get_rel_name(population->source);

	if (relation == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the source %s of population \"%s\" no longer exists",
						population->source_name, population->name),
				 errhint("Make it again under the same name, owned by the population's owner: the population goes on with it.")));
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(population->source)), relation);
}

bool
crm_key_form_fits(Oid type, crm_key_form form)
{
	switch (form)
	{
		case CRM_KEY_INTEGER:
			return type == INT2OID || type == INT4OID || type == INT8OID;
		case CRM_KEY_UUID:
			return type == UUIDOID;
		case CRM_KEY_TEXT:
			return type == TEXTOID || type == VARCHAROID || type == BPCHAROID;
	}
	return false;
}

char *
crm_population_rows(const crm_population *population, const char *alias, TimestampTz at)
{
	StringInfoData rows;
	char	   *instant;

	initStringInfo(&rows);
	appendStringInfo(&rows, "%s AS %s", crm_population_source(population), alias);
	if (population->valid_from == NULL && population->valid_to == NULL)
		return rows.data;

	/* a join with one row of nothing, so that it fits any FROM, and a row's type stays the source's */
	instant = psprintf("%s::pg_catalog.timestamptz", quote_literal_cstr(timestamptz_to_str(at)));
	appendStringInfoString(&rows, " JOIN (SELECT) AS rows_of_the_time ON (true");
	if (population->valid_from != NULL)
		appendStringInfo(&rows, " AND (%1$s.%2$s IS NULL OR %1$s.%2$s OPERATOR(pg_catalog.<=) %3$s)", alias,
						 quote_identifier(population->valid_from), instant);
	if (population->valid_to != NULL)
		appendStringInfo(&rows, " AND (%1$s.%2$s IS NULL OR %1$s.%2$s OPERATOR(pg_catalog.>) %3$s)", alias,
						 quote_identifier(population->valid_to), instant);
	appendStringInfoChar(&rows, ')');
	return rows.data;
}

char *
crm_population_row_id(const crm_population *population, const char *alias)
{
	const char *key = quote_identifier(population->key_column);

	return psprintf(population->key_form == CRM_KEY_INTEGER ?
					"CASE WHEN %4$s.%2$s OPERATOR(pg_catalog.>=) 0 THEN %4$s.%2$s::pg_catalog.int8 "
					"ELSE %1$s.customer_id(%4$s.%2$s::pg_catalog.int8, %3$s) END" : "%1$s.customer_id(%4$s.%2$s::pg_catalog.text, %3$s)",
					crm_schema(), key, quote_literal_cstr(population->name), alias);
}

Oid
crm_population_key_type(const crm_population *population)
{
	AttrNumber	attribute;
	Oid			type;

	(void) crm_population_source(population);
	attribute = get_attnum(population->source, population->key_column);
	if (attribute == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the source %s of population \"%s\" has no column \"%s\" any more",
						population->source_name, population->name, population->key_column),
				 errhint("Give the column its name back.")));
	type = get_atttype(population->source, attribute);
	if (!crm_key_form_fits(getBaseType(type), population->key_form))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("key column \"%s\" of population \"%s\" has type %s now",
						population->key_column, population->name, format_type_be(type)),
				 errdetail("The population was created with %s keys, and its sets hold those.",
						   population->key_form == CRM_KEY_INTEGER ? "integer" :
						   population->key_form == CRM_KEY_UUID ? "uuid" : "text"),
				 errhint("Give the column its type back, or drop the population and create it anew.")));
	return type;
}

void
crm_population_lock(const crm_population *population)
{
	crm_catalogue_session session;

	/*
	 * An update rather than a lock of our own: at REPEATABLE READ it raises the
	 * usual serialization failure when another writer was first.  Foreign keys
	 * to the population do not wait for it.
	 */
	crm_catalogue_begin(&session);
	if (crm_catalogue_write("UPDATE @.population_definition SET chunk_bits = chunk_bits WHERE population_id = $1",
							1, INT4OID, Int32GetDatum(population->id), false) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("population \"%s\" was dropped meanwhile", population->name)));
	/* a source that was made again */
	if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(population->source)))
		crm_catalogue_write("UPDATE @.population_definition SET source = $2 WHERE population_id = $1 AND source <> $2",
							2, INT4OID, Int32GetDatum(population->id), false,
							REGCLASSOID, ObjectIdGetDatum(population->source), false);
	crm_catalogue_end(&session);
}

/* ---- definition ---------------------------------------------------------------------- */

static void
check_name(const char *what, const char *name)
{
	if (name[0] == '\0' || strlen(name) > MAX_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid name for a %s: \"%s\"", what, name),
				 errdetail("A name has 1 to %d bytes.", MAX_NAME)));
}

Oid
crm_column_type(Oid relation, const char *column)
{
	AttrNumber	attribute = get_attnum(relation, column);

	if (attribute == InvalidAttrNumber)
	{
		List	   *names = NIL;
		char	   *nearest;

		for (AttrNumber i = 1; i <= 1600; i++)
		{
			char	   *name = get_attname(relation, i, true);

			if (name == NULL && !SearchSysCacheExists2(ATTNUM, ObjectIdGetDatum(relation), Int16GetDatum(i)))
				break;
			if (name != NULL)
				names = lappend(names, name);
		}
		nearest = crm_nearest_names(column, names);
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist", column, get_rel_name(relation)),
				 nearest != NULL ? errhint("Nearest names: %s.", nearest) : 0));
	}
	return get_atttype(relation, attribute);
}

static const char *
key_form(Oid type, const char *column)
{
	switch (getBaseType(type))
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return "integer";
		case UUIDOID:
			return "uuid";
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			return "text";
		default:
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of type %s cannot be a population's key", column, format_type_be(type)),
					 errdetail("A key is an integer, a uuid or text."),
					 errhint("Cast it in a view, and register the view.")));
	}
	return NULL;
}

static Oid
check_relation(Oid relation, const char *role)
{
	char		kind;

	if (get_rel_name(relation) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relation)));
	kind = get_rel_relkind(relation);
	if (!is_source_kind(kind))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" cannot be a population's %s", get_rel_name(relation), role),
				 errdetail("A table, view, materialized view or foreign table can.")));
	if (pg_class_aclcheck(relation, GetUserId(), ACL_SELECT) != ACLCHECK_OK &&
		pg_attribute_aclcheck_all(relation, GetUserId(), ACL_SELECT, ACLMASK_ANY) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(kind), get_rel_name(relation));
	return relation;
}

#define ARG_NAME(n) (PG_ARGISNULL(n) ? NULL : NameStr(*PG_GETARG_NAME(n)))

/* The mapping of events is checked and kept here, and used by the timelines. */
static void
check_events(FunctionCallInfo fcinfo)
{
	static const char *const names[] = {"event_key", "event_time", "event_name", "event_value"};
	Oid			events;

	if (PG_ARGISNULL(5))
	{
		for (int i = 6; i <= 10; i++)
			if (!PG_ARGISNULL(i))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("columns of events are named, but no relation of events"),
						 errhint("Add events => 'public.events'.")));
		return;
	}
	events = check_relation(PG_GETARG_OID(5), "events");
	for (int i = 0; i < 4; i++)
	{
		Oid			type;

		if (PG_ARGISNULL(6 + i))
		{
			if (i < 3)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("argument %s is missing", names[i]),
						 errhint("A relation of events needs event_key, event_time and event_name.")));
			continue;
		}
		type = getBaseType(crm_column_type(events, ARG_NAME(6 + i)));
		if (i == 0)
			(void) key_form(type, ARG_NAME(6));
		if (i == 1 && type != TIMESTAMPTZOID && type != TIMESTAMPOID && type != DATEOID)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of type %s cannot be the time of events", ARG_NAME(7), format_type_be(type)),
					 errhint("It is a timestamp with time zone, a timestamp or a date.")));
	}
	if (!PG_ARGISNULL(10))
	{
		Datum	   *columns;
		bool	   *nulls;
		int			n;

		deconstruct_array(PG_GETARG_ARRAYTYPE_P(10), NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR, &columns, &nulls, &n);
		for (int i = 0; i < n; i++)
		{
			if (nulls[i])
				ereport(ERROR,
						(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						 errmsg("event_attributes must not contain NULL")));
			(void) crm_column_type(events, NameStr(*DatumGetName(columns[i])));
		}
	}
}

/* One of the columns that say when a row of the source was valid. */
static void
check_history_column(Oid source, const char *column)
{
	Oid			type;

	if (column == NULL)
		return;
	type = getBaseType(crm_column_type(source, column));
	if (type != TIMESTAMPTZOID && type != TIMESTAMPOID && type != DATEOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of type %s cannot say when a row is valid", column, format_type_be(type)),
				 errhint("It is a timestamp with time zone, a timestamp or a date.")));
}

CRM_FUNCTION(crm_create_population);
Datum
crm_create_population(PG_FUNCTION_ARGS)
{
	static const char *const required[] = {"name", "source", "key"};
	crm_catalogue_session session;
	char	   *name;
	char	   *key;
	Oid			source;
	const char *form;

	for (int i = 0; i < 3; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument %s must not be NULL", required[i])));
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	check_name("population", name);
	source = check_relation(PG_GETARG_OID(1), "source");
	key = ARG_NAME(2);
	form = key_form(crm_column_type(source, key), key);
	if (!PG_ARGISNULL(3))
		(void) crm_column_type(source, ARG_NAME(3));
	check_events(fcinfo);
	check_history_column(source, ARG_NAME(11));
	check_history_column(source, ARG_NAME(12));

	crm_catalogue_begin(&session);
	if (crm_catalogue_write("INSERT INTO @.population_definition (name, source, source_name, key_column, key_form, "
							" scope_column, description, owner, events, event_key, event_time, event_name, event_value, event_attributes, "
							" valid_from, valid_to) "
							"VALUES ($1, $2, $3, $4, $5, $6, $7, $8::oid, $9, $10, $11, $12, $13, $14, $15, $16) "
							"ON CONFLICT (name) DO NOTHING",
							16, TEXTOID, PG_GETARG_DATUM(0), false,
							REGCLASSOID, PG_GETARG_DATUM(1), false,
							TEXTOID, CStringGetTextDatum(quote_qualified_identifier(get_namespace_name(get_rel_namespace(source)),
																						get_rel_name(source))), false,
							NAMEOID, PG_GETARG_DATUM(2), false,
							TEXTOID, CStringGetTextDatum(form), false,
							NAMEOID, PG_GETARG_DATUM(3), PG_ARGISNULL(3),
							TEXTOID, PG_GETARG_DATUM(4), PG_ARGISNULL(4),
							OIDOID, ObjectIdGetDatum(session.saved_user), false,
							REGCLASSOID, PG_GETARG_DATUM(5), PG_ARGISNULL(5),
							NAMEOID, PG_GETARG_DATUM(6), PG_ARGISNULL(6),
							NAMEOID, PG_GETARG_DATUM(7), PG_ARGISNULL(7),
							NAMEOID, PG_GETARG_DATUM(8), PG_ARGISNULL(8),
							NAMEOID, PG_GETARG_DATUM(9), PG_ARGISNULL(9),
							NAMEARRAYOID, PG_GETARG_DATUM(10), PG_ARGISNULL(10),
							NAMEOID, PG_GETARG_DATUM(11), PG_ARGISNULL(11),
							NAMEOID, PG_GETARG_DATUM(12), PG_ARGISNULL(12)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("population \"%s\" already exists", name),
				 errhint("Take another name, or %s.drop_population('%s') first.", crm_schema(), name)));
	crm_catalogue_end(&session);
	PG_RETURN_VOID();
}

CRM_FUNCTION(crm_drop_population);
Datum
crm_drop_population(PG_FUNCTION_ARGS)
{
	crm_population *population;
	crm_catalogue_session session;

	/* without a name, crm_population_find would take the only one there is */
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument name must not be NULL")));
	crm_catalogue_newest();
	population = crm_population_find(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	crm_rights_require_owner(population);
	crm_population_lock(population);
	if (population->tracked)
		crm_track_end(population);
	crm_history_forget(population);
	crm_catalogue_begin(&session);
	crm_catalogue_write("DELETE FROM @.tag_set WHERE population_id = $1", 1, INT4OID, Int32GetDatum(population->id), false);
	crm_catalogue_write("DELETE FROM @.customer_timeline WHERE population_id = $1", 1, INT4OID, Int32GetDatum(population->id), false);
	crm_catalogue_write("DELETE FROM @.timeline_archive WHERE population_id = $1", 1, INT4OID, Int32GetDatum(population->id), false);
	crm_catalogue_write("DELETE FROM @.population_definition WHERE population_id = $1",
						1, INT4OID, Int32GetDatum(population->id), false);
	crm_catalogue_end(&session);
	PopActiveSnapshot();
	PG_RETURN_VOID();
}

/* ---- the zone of its days ------------------------------------------------------------------ */

int
crm_population_enter_zone(const crm_population *population)
{
	int			level;

	if (!population->tracked || population->zone == NULL ||
		strcmp(population->zone, pg_get_timezone_name(session_timezone)) == 0)
		return 0;
	level = NewGUCNestLevel();
	(void) set_config_option("TimeZone", population->zone, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return level;
}

void
crm_population_leave_zone(int level)
{
	if (level != 0)
		AtEOXact_GUC(true, level);
}

/* ---- grants ------------------------------------------------------------------------------ */

static void
change_grants(FunctionCallInfo fcinfo, const char *all_statement, const char *scope_statement)
{
	crm_population *population;
	crm_catalogue_session session;
	char	   *role = NameStr(*PG_GETARG_NAME(1));
	Oid			grantee = strcmp(role, "public") == 0 ? InvalidOid : get_role_oid(role, false);
	char	   *privilege = text_to_cstring(PG_GETARG_TEXT_PP(2));

	crm_catalogue_newest();
	population = crm_population_find(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	crm_rights_require_owner(population);
	if (strcmp(privilege, "read") != 0 && strcmp(privilege, "define") != 0 && strcmp(privilege, "approve") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown privilege \"%s\"", privilege),
				 errhint("The privileges are 'read', 'define' and 'approve'.")));
	if (!PG_ARGISNULL(3) && (population->scope_column == NULL || strcmp(privilege, "read") != 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 population->scope_column == NULL ?
				 errmsg("population \"%s\" has no scope column", population->name) :
				 errmsg("the privilege to %s tags has no scopes", privilege),
				 errhint("Leave scopes out.")));

	crm_catalogue_begin(&session);
	if (PG_ARGISNULL(3))
		crm_catalogue_write(all_statement, 3, INT4OID, Int32GetDatum(population->id), false,
							OIDOID, ObjectIdGetDatum(grantee), false, TEXTOID, PG_GETARG_DATUM(2), false);
	else
		crm_catalogue_write(scope_statement, 4, INT4OID, Int32GetDatum(population->id), false,
							OIDOID, ObjectIdGetDatum(grantee), false, TEXTOID, PG_GETARG_DATUM(2), false,
							TEXTARRAYOID, PG_GETARG_DATUM(3), false);
	crm_catalogue_end(&session);
	PopActiveSnapshot();
}

CRM_FUNCTION(crm_grant_population);
Datum
crm_grant_population(PG_FUNCTION_ARGS)
{
	for (int i = 0; i < 3; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("population, grantee and privilege must not be NULL")));
	change_grants(fcinfo,
				  "INSERT INTO @.population_grant VALUES ($1, $2, $3, NULL, true) ON CONFLICT DO NOTHING",
				  "INSERT INTO @.population_grant SELECT $1, $2, $3, s, false FROM unnest($4) s ON CONFLICT DO NOTHING");
	PG_RETURN_VOID();
}

CRM_FUNCTION(crm_revoke_population);
Datum
crm_revoke_population(PG_FUNCTION_ARGS)
{
	for (int i = 0; i < 3; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("population, grantee and privilege must not be NULL")));
	change_grants(fcinfo,
				  "DELETE FROM @.population_grant WHERE population_id = $1 AND grantee::oid = $2 AND privilege = $3",
				  "DELETE FROM @.population_grant WHERE population_id = $1 AND grantee::oid = $2 AND privilege = $3 "
				  " AND NOT all_scopes AND EXISTS (SELECT FROM unnest($4) s WHERE s IS NOT DISTINCT FROM scope)");
	PG_RETURN_VOID();
}
