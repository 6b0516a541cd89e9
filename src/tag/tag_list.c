/*
 * tag_list.c - imported lists.
 *
 * A list is what a tag's rule asks, listed_until('name') > as_of: so a list has
 * everything that tags have, and there is one way in which sets come about.
 * Kept are the members, by the instant until which they are on it.
 */
#include "common/crm.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "tag/readers.h"
#include "tag/tag_list.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* So many unknown keys are told. */
#define TOLD_KEYS 10

typedef struct given_list
{
	const crm_population *population;
	char	   *name;
	char	   *mode;
	char	   *query;			/* or keys */
	ArrayType  *keys;
	TimestampTz expires;		/* of those who have no instant of their own; infinity: none */
	/* what was given */
	ArrayType  *given_keys;		/* text[] */
	ArrayType  *given_until;	/* timestamptz[] */
	int64		given;
	/* who that is */
	ArrayBuildState *ids;
	ArrayBuildState *until;
	int64		unknown;
	ArrayBuildState *unknown_keys;
} given_list;

/* ---- as rules read it ------------------------------------------------------------------- */

static bool
find_list(const crm_population *population, const char *name, int32 *list_id, Oid *owner)
{
	crm_catalogue_session session;
	bool		found;

	crm_catalogue_begin(&session);
	found = crm_catalogue_read("SELECT list_id, owner::pg_catalog.oid::int FROM @.tag_list WHERE population_id = $1 AND name = $2",
							   2, INT4OID, Int32GetDatum(population->id), false, TEXTOID, CStringGetTextDatum(name), false) > 0;
	if (found)
	{
		*list_id = (int32) crm_catalogue_number(0, 1, NULL);
		*owner = (Oid) crm_catalogue_number(0, 2, NULL);
	}
	crm_catalogue_end(&session);
	return found;
}

static void
require_list(const crm_population *population, const char *name, int32 *list_id, Oid *owner)
{
	if (!find_list(population, name, list_id, owner))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("population \"%s\" has no list \"%s\"", population->name, name),
				 errhint("%s.create_list_tag makes a tag of a list.", crm_schema())));
}

static Datum
copy_value(crm_catalogue_session *session, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull);
	MemoryContext old;

	if (isnull)
		return (Datum) 0;
	old = MemoryContextSwitchTo(session->caller);
	value = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	MemoryContextSwitchTo(old);
	return value;
}

/* Its number; 42501 unless it is that owner's. */
static int32
require_own_list(const crm_population *population, const char *name, Oid owner)
{
	int32		list_id;
	Oid			list_owner;

	require_list(population, name, &list_id, &list_owner);
	if (list_owner != owner)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("list \"%s\" belongs to another role than the tag", name),
				 errhint("Let its owner \"%s\" create the tag.", GetUserNameFromId(list_owner, true))));
	return list_id;
}

void
crm_tag_list_read(const crm_population *population, const char *name, Oid owner, Datum *forever, Datum *until, int64 *count)
{
	crm_catalogue_session session;
	int32		list_id = require_own_list(population, name, owner);

	crm_catalogue_begin(&session);
	(void) crm_catalogue_read("SELECT (SELECT members::@.audience FROM @.tag_list_member WHERE list_id = $1 AND expires = 'infinity'), "
							  "(SELECT @.bsi_agg(m, (extract(epoch FROM expires) * 1000000)::bigint) "
							  " FROM @.tag_list_member, @.members(members) AS m WHERE list_id = $1 AND isfinite(expires)), "
							  "(SELECT coalesce(sum(@.cardinality(members)), 0)::bigint FROM @.tag_list_member WHERE list_id = $1)",
							  1, INT4OID, Int32GetDatum(list_id), false);
	*forever = copy_value(&session, 1);
	*until = copy_value(&session, 2);
	*count = crm_catalogue_number(0, 3, NULL);
	crm_catalogue_end(&session);
}

void
crm_tag_list_members(const crm_population *population, const char *name, Oid owner, Datum *members, Datum *until)
{
	crm_catalogue_session session;
	int32		list_id = require_own_list(population, name, owner);

	crm_catalogue_begin(&session);
	(void) crm_catalogue_read("SELECT coalesce(array_agg(m ORDER BY m), '{}'), coalesce(array_agg(until ORDER BY m), '{}') "
							  "FROM (SELECT m, CASE WHEN isfinite(expires) THEN (extract(epoch FROM expires) * 1000000)::bigint ELSE $2 END AS until "
							  " FROM @.tag_list_member, @.members(members) AS m WHERE list_id = $1) AS on_list",
							  2, INT4OID, Int32GetDatum(list_id), false, INT8OID, Int64GetDatum(PG_INT64_MAX), false);
	*members = copy_value(&session, 1);
	*until = copy_value(&session, 2);
	crm_catalogue_end(&session);
}

/* passing_list_expiry(passing, until, id): anybody may call it. */
CRM_FUNCTION(crm_passing_list_expiry);
Datum
crm_passing_list_expiry(PG_FUNCTION_ARGS)
{
	ArrayType  *passing = PG_GETARG_ARRAYTYPE_P(0);
	ArrayType  *until = PG_GETARG_ARRAYTYPE_P(1);
	const int64 *ids = (const int64 *) ARR_DATA_PTR(passing);
	int64		id = PG_GETARG_INT64(2);
	int			count = ArrayGetNItems(ARR_NDIM(passing), ARR_DIMS(passing));
	int			low = 0;
	int			high = count;
	int64		expires;

	if (ARR_HASNULL(passing) || ARR_HASNULL(until) || ArrayGetNItems(ARR_NDIM(until), ARR_DIMS(until)) != count)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("passing and until must have an element for each member of the list")));
	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low >= count || ids[low] != id)
		PG_RETURN_NULL();
	expires = ((const int64 *) ARR_DATA_PTR(until))[low];
	if (expires == PG_INT64_MAX)
		PG_RETURN_TIMESTAMPTZ(DT_NOEND);
	if (pg_sub_s64_overflow(expires, (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY, &expires) || !IS_VALID_TIMESTAMP(expires))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	PG_RETURN_TIMESTAMPTZ(expires);
}

char *
crm_tag_list_origin(const crm_population *population, const char *name)
{
	crm_catalogue_session session;
	char	   *origin = NULL;
	int32		list_id;
	Oid			owner;

	require_list(population, name, &list_id, &owner);
	crm_catalogue_begin(&session);
	if (crm_catalogue_read("SELECT format('imported by %s on %s (%s)', imported_by, imported_at, mode) FROM @.tag_list_import "
						   "WHERE list_id = $1 ORDER BY import_no DESC LIMIT 1", 1, INT4OID, Int32GetDatum(list_id), false) > 0)
		origin = crm_catalogue_text(&session, 0, 1);
	crm_catalogue_end(&session);
	return origin;
}

/* ---- what is given ------------------------------------------------------------------------ */

static bool
is_one_select(SPIPlanPtr plan)
{
	List	   *sources = plan != NULL ? SPI_plan_get_plan_sources(plan) : NIL;
	const Query *query;

	if (list_length(sources) != 1 || list_length(((CachedPlanSource *) linitial(sources))->query_list) != 1)
		return false;
	query = linitial_node(Query, ((CachedPlanSource *) linitial(sources))->query_list);
	return query->commandType == CMD_SELECT && query->utilityStmt == NULL && !query->hasModifyingCTE && query->rowMarks == NIL;
}

/* The keys and instants of a query of the caller's: one SELECT, which writes nothing. */
static void
read_query(given_list *list)
{
	MemoryContext caller = CurrentMemoryContext;
	ArrayBuildState *keys = initArrayResult(TEXTOID, caller, false);
	ArrayBuildState *until = initArrayResult(TIMESTAMPTZOID, caller, false);
	SPIPlanPtr	plan;
	Portal		portal;
	MemoryContext batch = AllocSetContextCreate(caller, "import of a list", ALLOCSET_DEFAULT_SIZES);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	plan = SPI_prepare(list->query, 0, NULL);
	if (!is_one_select(plan))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("the query of a list must be one SELECT that writes nothing"),
				 errhint("Its first column is the key, its second, if there is one, until when.")));
	portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	if (portal->tupDesc == NULL || portal->tupDesc->natts > 2 || portal->tupDesc->natts < 1 ||
		(portal->tupDesc->natts == 2 && TupleDescAttr(portal->tupDesc, 1)->atttypid != TIMESTAMPTZOID))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the query of a list must give a key and, if it has a second column, a timestamptz"),
				 errhint("Cast the second column: valid_until::timestamptz.")));
	for (;;)
	{
		MemoryContext old;

		SPI_cursor_fetch(portal, true, 4096);
		if (SPI_processed == 0)
			break;
		old = MemoryContextSwitchTo(batch);
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			char	   *key = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
			bool		isnull = true;
			Datum		instant = portal->tupDesc->natts == 2 ?
				SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2, &isnull) : (Datum) 0;

			if (key == NULL)
				continue;
			keys = accumArrayResult(keys, CStringGetTextDatum(key), false, TEXTOID, caller);
			until = accumArrayResult(until, isnull ? TimestampTzGetDatum(list->expires) : instant, false, TIMESTAMPTZOID, caller);
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(batch);
		SPI_freetuptable(SPI_tuptable);
		CHECK_FOR_INTERRUPTS();
	}
	SPI_cursor_close(portal);
	list->given_keys = DatumGetArrayTypeP(makeArrayResult(keys, caller));
	list->given_until = DatumGetArrayTypeP(makeArrayResult(until, caller));
	SPI_finish();
	MemoryContextDelete(batch);
	list->given = ArrayGetNItems(ARR_NDIM(list->given_keys), ARR_DIMS(list->given_keys));
}

static void
read_keys(given_list *list)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	int			given = 0;
	Datum	   *until;

	deconstruct_array(list->keys, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	until = palloc((n + 1) * sizeof(Datum));
	for (int i = 0; i < n; i++)
		if (!nulls[i])
		{
			elements[given] = elements[i];
			until[given++] = TimestampTzGetDatum(list->expires);
		}
	list->given_keys = construct_array(elements, given, TEXTOID, -1, false, TYPALIGN_INT);
	list->given_until = construct_array(until, given, TIMESTAMPTZOID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
	list->given = given;
}

/* ---- who that is ----------------------------------------------------------------------------- */

/* A customer whom the dictionary has not met. */
typedef struct unmet_customer
{
	char	   *key;
	TimestampTz until;
} unmet_customer;

static void
add_customer(given_list *list, int64 id, TimestampTz until, MemoryContext context)
{
	list->ids = accumArrayResult(list->ids, Int64GetDatum(id), false, INT8OID, context);
	list->until = accumArrayResult(list->until, TimestampTzGetDatum(until), false, TIMESTAMPTZOID, context);
}

/*
 * The customers of the keys, as the caller sees them, each once; keys that he
 * sees nobody of are unknown.  Those whom the dictionary has not met are numbered.
 */
static void
find_customers(given_list *list)
{
	const crm_population *population = list->population;
	const char *key = quote_identifier(population->key_column);
	Oid			types[2] = {TEXTARRAYOID, TIMESTAMPTZARRAYOID};
	Datum		values[2] = {PointerGetDatum(list->given_keys), PointerGetDatum(list->given_until)};
	MemoryContext caller = CurrentMemoryContext;
	Tuplestorestate *unmet = tuplestore_begin_heap(false, false, work_mem);
	TupleDesc	desc = CreateTemplateTupleDesc(1);
	StringInfoData sql;
	List	   *waiting = NIL;
	ListCell   *cell;
	char	   *rows = crm_population_rows(population, "customer", GetCurrentTransactionStartTimestamp());
	int			level = crm_caller_begin();

	TupleDescInitEntry(desc, 1, "key", TEXTOID, -1, 0);
	list->ids = initArrayResult(INT8OID, caller, false);
	list->until = initArrayResult(TIMESTAMPTZOID, caller, false);
	list->unknown_keys = initArrayResult(TEXTOID, caller, false);
	if (population->valid_from != NULL || population->valid_to != NULL)
		rows = psprintf("(%s)", rows);
	initStringInfo(&sql);
	appendStringInfo(&sql,
					 "SELECT pg_catalog.min(g.key COLLATE pg_catalog.\"C\"), pg_catalog.max(g.until), customer.%1$s::pg_catalog.text "
					 "FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS g (key, until) LEFT JOIN %2$s "
					 "ON customer.%1$s OPERATOR(pg_catalog.=) g.key::%3$s "
					 "GROUP BY customer.%1$s, CASE WHEN customer.%1$s IS NULL THEN g.key END ORDER BY 1",
					 key, rows, crm_key_cast(crm_population_key_type(population)));
	if (SPI_execute_with_args(sql.data, 2, types, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "looking for the customers of a list failed");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		bool		isnull;
		TimestampTz until = DatumGetTimestampTz(SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &isnull));
		char	   *own = SPI_getvalue(row, SPI_tuptable->tupdesc, 3);
		int64		id;

		CHECK_FOR_INTERRUPTS();
		if (own == NULL)
		{
			if (list->unknown++ < TOLD_KEYS)
				list->unknown_keys = accumArrayResult(list->unknown_keys, CStringGetTextDatum(SPI_getvalue(row, SPI_tuptable->tupdesc, 1)),
													  false, TEXTOID, caller);
		}
		else if (crm_key_id(population, CStringGetTextDatum(own), TEXTOID, &id))
			add_customer(list, id, until, caller);
		else
		{
			unmet_customer *customer = palloc(sizeof(unmet_customer));
			Datum		text = CStringGetTextDatum(own);
			bool		null = false;

			customer->key = own;
			customer->until = until;
			tuplestore_putvalues(unmet, desc, &text, &null);
			waiting = lappend(waiting, customer);
		}
	}
	(void) crm_keys_add(population, unmet);
	foreach(cell, waiting)
	{
		const unmet_customer *customer = lfirst(cell);
		int64		id;

		if (!crm_key_id(population, CStringGetTextDatum(customer->key), TEXTOID, &id))
			elog(ERROR, "a key of a list was not numbered");
		add_customer(list, id, customer->until, caller);
	}
	crm_caller_end(level);
}

/* ---- what is kept ------------------------------------------------------------------------------- */

typedef struct import_result
{
	int64		members;
	int64		added;
	int64		removed;
} import_result;

static Datum
everybody(crm_catalogue_session *session, int32 list_id)
{
	(void) crm_catalogue_write("SELECT coalesce(@.union_agg(members), '{}') FROM @.tag_list_member WHERE list_id = $1",
							   1, INT4OID, Int32GetDatum(list_id), false);
	return copy_value(session, 1);
}

static import_result
store(given_list *list, int32 list_id)
{
	Datum		ids = makeArrayResult(list->ids, CurrentMemoryContext);
	Datum		until = makeArrayResult(list->until, CurrentMemoryContext);
	import_result result;
	crm_catalogue_session session;
	Datum		before;
	Datum		after;

	crm_catalogue_begin(&session);
	before = everybody(&session, list_id);
	if (strcmp(list->mode, "replace") == 0)
		(void) crm_catalogue_write("DELETE FROM @.tag_list_member WHERE list_id = $1", 1, INT4OID, Int32GetDatum(list_id), false);
	else
	{
		(void) crm_catalogue_write("UPDATE @.tag_list_member SET members = @.audience_except(members, (SELECT @.audience_agg(id) FROM unnest($2) AS u (id))) "
								   "WHERE list_id = $1",
								   2, INT4OID, Int32GetDatum(list_id), false, INT8ARRAYOID, ids, false);
		(void) crm_catalogue_write("DELETE FROM @.tag_list_member WHERE list_id = $1 AND @.is_empty(members)",
								   1, INT4OID, Int32GetDatum(list_id), false);
	}
	if (strcmp(list->mode, "remove") != 0)
		(void) crm_catalogue_write("INSERT INTO @.tag_list_member AS m (list_id, expires, members) "
								   "SELECT $1, expires, @.audience_agg(id) FROM unnest($2, $3) AS u (id, expires) GROUP BY expires "
								   "ON CONFLICT (list_id, expires) DO UPDATE SET members = @.audience_union(m.members, excluded.members)",
								   3, INT4OID, Int32GetDatum(list_id), false, INT8ARRAYOID, ids, false, TIMESTAMPTZARRAYOID, until, false);
	after = everybody(&session, list_id);
	(void) crm_catalogue_write("SELECT @.cardinality(a), @.andnot_cardinality(a, b), @.andnot_cardinality(b, a) FROM (VALUES ($1, $2)) AS v (a, b)",
							   2, crm_type("audience"), after, false, crm_type("audience"), before, false);
	result.members = crm_catalogue_number(0, 1, NULL);
	result.added = crm_catalogue_number(0, 2, NULL);
	result.removed = crm_catalogue_number(0, 3, NULL);
	(void) crm_catalogue_write("INSERT INTO @.tag_list_import (list_id, import_no, mode, imported_by, origin, given, added, removed, unknown) "
							   "SELECT $1, coalesce(max(import_no), 0) + 1, $2, $3::oid, $4, $5, $6, $7, $8 FROM @.tag_list_import WHERE list_id = $1",
							   8, INT4OID, Int32GetDatum(list_id), false,
							   TEXTOID, CStringGetTextDatum(list->mode), false,
							   OIDOID, ObjectIdGetDatum(session.saved_user), false,
							   TEXTOID, CStringGetTextDatum(list->query != NULL ? list->query : "keys"), false,
							   INT8OID, Int64GetDatum(list->given), false,
							   INT8OID, Int64GetDatum(result.added), false,
							   INT8OID, Int64GetDatum(result.removed), false,
							   INT8OID, Int64GetDatum(list->unknown), false);
	crm_catalogue_end(&session);
	return result;
}

/* The tag's set follows at once. */
static void
refresh(const given_list *list)
{
	Oid			types[2] = {TEXTOID, TEXTOID};
	Datum		values[2] = {CStringGetTextDatum(list->population->name), CStringGetTextDatum(list->name)};
	int			level = crm_caller_begin();

	if (SPI_execute_with_args(psprintf("SELECT FROM %s.refresh_tags($1, ARRAY[$2])", crm_schema()), 2, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "refreshing the tag of a list failed");
	crm_caller_end(level);
}

static void
import(given_list *list, int32 list_id, ReturnSetInfo *rsinfo)
{
	import_result result;
	Datum		values[6];
	bool		nulls[6] = {false};

	if (list->query != NULL)
		read_query(list);
	else
		read_keys(list);
	find_customers(list);
	result = store(list, list_id);
	refresh(list);
	values[0] = Int64GetDatum(list->given);
	values[1] = Int64GetDatum(result.members);
	values[2] = Int64GetDatum(result.added);
	values[3] = Int64GetDatum(result.removed);
	values[4] = Int64GetDatum(list->unknown);
	values[5] = makeArrayResult(list->unknown_keys, CurrentMemoryContext);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* ---- calls -------------------------------------------------------------------------------------------- */

static given_list
read_arguments(FunctionCallInfo fcinfo, int mode, int population, int expires)
{
	given_list	list = {0};

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument name must not be NULL")));
	list.name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	if (PG_ARGISNULL(1) == PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a list is given by its keys or by a query"),
				 errdetail(PG_ARGISNULL(1) ? "Neither is given." : "Both are given."),
				 errhint("Give keys => ARRAY[...] or query => 'SELECT ...'.")));
	if (!PG_ARGISNULL(1))
		list.keys = PG_GETARG_ARRAYTYPE_P(1);
	else
		list.query = text_to_cstring(PG_GETARG_TEXT_PP(2));
	list.mode = mode < 0 || PG_ARGISNULL(mode) ? "replace" : text_to_cstring(PG_GETARG_TEXT_PP(mode));
	if (strcmp(list.mode, "replace") != 0 && strcmp(list.mode, "append") != 0 && strcmp(list.mode, "remove") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown mode of import: \"%s\"", list.mode),
				 errhint("The modes are replace, append and remove.")));
	list.expires = PG_ARGISNULL(expires) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(expires);
	list.population = crm_population_find(crm_text_argument(fcinfo, population));
	crm_rights_require_define(list.population);
	crm_population_lock(list.population);
	PopActiveSnapshot();
	crm_catalogue_newest();
	list.population = crm_population_find_by_id(list.population->id);
	return list;
}

/* crm.create_list_tag(name, keys, query, population, expires, kind, description) */
CRM_FUNCTION(crm_create_list_tag);
Datum
crm_create_list_tag(PG_FUNCTION_ARGS)
{
	given_list	list;
	crm_catalogue_session session;
	Oid			types[5] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	Datum		values[5];
	char		nulls[5] = {' ', ' ', ' ', ' ', ' '};
	int32		list_id;
	Oid			owner;
	int			level;

	InitMaterializedSRF(fcinfo, 0);
	crm_catalogue_newest();
	list = read_arguments(fcinfo, -1, 3, 4);
	owner = crm_rights_rule_owner(list.population);
	crm_catalogue_begin(&session);
	if (crm_catalogue_write("INSERT INTO @.tag_list (population_id, name, owner) VALUES ($1, $2, $3::oid) "
							"ON CONFLICT (population_id, name) DO NOTHING RETURNING list_id",
							3, INT4OID, Int32GetDatum(list.population->id), false,
							TEXTOID, CStringGetTextDatum(list.name), false,
							OIDOID, ObjectIdGetDatum(owner), false) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("population \"%s\" has a list \"%s\" already", list.population->name, list.name),
				 errhint("%s.import_list('%s', ...) replaces, appends or removes its members.", crm_schema(), list.name)));
	list_id = (int32) crm_catalogue_number(0, 1, NULL);
	crm_catalogue_end(&session);

	values[0] = CStringGetTextDatum(list.name);
	values[1] = CStringGetTextDatum(psprintf("%s.listed_until(%s) > as_of", crm_schema(), quote_literal_cstr(list.name)));
	values[2] = PG_ARGISNULL(5) ? CStringGetTextDatum("base") : PG_GETARG_DATUM(5);
	values[3] = CStringGetTextDatum(list.population->name);
	values[4] = PG_ARGISNULL(6) ? (Datum) 0 : PG_GETARG_DATUM(6);
	nulls[4] = PG_ARGISNULL(6) ? 'n' : ' ';
	level = crm_caller_begin();
	if (SPI_execute_with_args(psprintf("SELECT %s.create_tag($1, $2, $3, $4, NULL, $5)", crm_schema()), 5, types, values, nulls, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "creating the tag of a list failed");
	crm_caller_end(level);
	PopActiveSnapshot();
	crm_catalogue_newest();
	import(&list, list_id, (ReturnSetInfo *) fcinfo->resultinfo);
	PopActiveSnapshot();
	return (Datum) 0;
}

/* crm.import_list(name, keys, query, mode, population, expires) */
CRM_FUNCTION(crm_import_list);
Datum
crm_import_list(PG_FUNCTION_ARGS)
{
	given_list	list;
	int32		list_id;
	Oid			owner;

	InitMaterializedSRF(fcinfo, 0);
	crm_catalogue_newest();
	list = read_arguments(fcinfo, 3, 4, 5);
	require_list(list.population, list.name, &list_id, &owner);
	if (!has_privs_of_role(GetUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of list \"%s\"", list.name)));
	import(&list, list_id, (ReturnSetInfo *) fcinfo->resultinfo);
	PopActiveSnapshot();
	return (Datum) 0;
}
