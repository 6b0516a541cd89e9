/*
 * catalogue.c - access to the extension's own tables.
 */
#include "common/crm.h"

#include <stdarg.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "nodes/value.h"
#include "tag/segment_define.h"
#include "tag/tag.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/formatting.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

/* Namespace of the extension; it is looked up each time, as the extension may be dropped and made again elsewhere. */
static Oid
extension_namespace(void)
{
	Relation	relation = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			result = InvalidOid;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum("crm_analytics"));
	scan = systable_beginscan(relation, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		result = ((Form_pg_extension) GETSTRUCT(tuple))->extnamespace;
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	if (!OidIsValid(result))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("extension \"crm_analytics\" is not installed in this database")));
	return result;
}

const char *
crm_schema(void)
{
	return quote_identifier(get_namespace_name(extension_namespace()));
}

/* Dropped by its owner; or this library is newer than the catalogue that it finds. */
static void
is_missing(const char *kind, const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("%s \"%s\" of extension crm_analytics is missing", kind, name),
			 errhint("Where the extension was installed by an older version, run ALTER EXTENSION crm_analytics UPDATE.")));
}

Oid
crm_relation(const char *name)
{
	Oid			relation = get_relname_relid(name, extension_namespace());

	if (!OidIsValid(relation))
		is_missing("relation", name);
	return relation;
}

Oid
crm_type(const char *name)
{
	Oid			type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(name),
									   ObjectIdGetDatum(extension_namespace()));

	if (!OidIsValid(type))
		is_missing("type", name);
	return type;
}

static void
table_was_altered(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" of extension crm_analytics was altered", name),
			 errhint("Give it the columns, constraints and indexes back that the extension's script gives it.")));
}

/* The tables that the library reads and writes directly, with the types of their columns. */
typedef struct direct_table
{
	const char *name;
	int			count;
	int			nullable;		/* of the last columns, so many */
	Oid			types[8];
} direct_table;

static const direct_table direct_tables[] = {
	{"tag_set", 6, 0, {INT4OID, INT4OID, INT8OID, INT4OID, INT4OID, BYTEAOID}},
	{"population_key", 3, 0, {INT4OID, INT8OID, TEXTOID}},
	{"tag_due", 3, 0, {INT4OID, TIMESTAMPTZOID, BYTEAOID}},
	{"tag_change", 8, 2, {INT4OID, INT4OID, INT8OID, INT4OID, INT4OID, INT8OID, BYTEAOID, BYTEAOID}},
};

Relation
crm_catalogue_open(const char *name, LOCKMODE mode)
{
	const direct_table *table = direct_tables;
	Relation	relation = table_open(crm_relation(name), mode);
	TupleDesc	desc = RelationGetDescr(relation);
	bool		intact;

	while (strcmp(table->name, name) != 0)
		table++;
	intact = relation->rd_rel->relkind == RELKIND_RELATION && desc->natts == table->count;
	for (int i = 0; intact && i < table->count; i++)
		intact = TupleDescAttr(desc, i)->atttypid == table->types[i] && !TupleDescAttr(desc, i)->attisdropped &&
			(TupleDescAttr(desc, i)->attnotnull || i >= table->count - table->nullable);
	if (!intact)
		table_was_altered(name);
	return relation;
}

Relation
crm_catalogue_index(Relation table, const char *name)
{
	Relation	index = index_open(crm_relation(name), AccessShareLock);

	if (index->rd_rel->relkind != RELKIND_INDEX || index->rd_rel->relam != BTREE_AM_OID ||
		index->rd_index->indrelid != RelationGetRelid(table) || !index->rd_index->indisvalid ||
		RelationGetIndexPredicate(index) != NIL || RelationGetIndexExpressions(index) != NIL)
		table_was_altered(RelationGetRelationName(table));
	return index;
}

Oid
crm_catalogue_owner(void)
{
	Relation	relation = table_open(crm_relation("tag_definition"), AccessShareLock);
	Oid			owner = relation->rd_rel->relowner;

	table_close(relation, AccessShareLock);
	return owner;
}

/*
 * Whoever may create functions in the extension's schema may overload ours, and
 * a query that runs as somebody else must not call his.
 */
void
crm_require_alone(const char *function)
{
	List	   *name = list_make2(makeString(get_namespace_name(extension_namespace())), makeString(pstrdup(function)));
	FuncCandidateList candidates = FuncnameGetCandidates(name, -1, NIL, false, false, false, false);

	if (candidates != NULL && candidates->next != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_FUNCTION),
				 errmsg("schema %s holds another function named \"%s\"", crm_schema(), function),
				 errdetail("Functions of extension crm_analytics must not be overloaded where they run with the rights of others."),
				 errhint("Drop or rename the one that is not the extension's, and revoke CREATE on the schema.")));
}

void
crm_catalogue_begin(crm_catalogue_session *session)
{
	Oid			owner = crm_catalogue_owner();

	session->caller = CurrentMemoryContext;
	GetUserIdAndSecContext(&session->saved_user, &session->saved_context);
	/* restricted, as the owner may have put triggers on his tables: nothing of theirs outlives the session, to run as the caller */
	SetUserIdAndSecContext(owner, session->saved_context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
	session->guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

void
crm_catalogue_end(crm_catalogue_session *session)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	AtEOXact_GUC(false, session->guc_level);
	SetUserIdAndSecContext(session->saved_user, session->saved_context);
}

static uint64
execute(const char *statement, bool read_only, int nargs, va_list arguments)
{
	StringInfoData sql;
	const char *schema = crm_schema();
	Oid			types[32];
	Datum		values[32];
	char		nulls[32];
	int			result;

	Assert(nargs <= 32);
	for (int i = 0; i < nargs; i++)
	{
		types[i] = va_arg(arguments, Oid);
		values[i] = va_arg(arguments, Datum);
		nulls[i] = va_arg(arguments, int) ? 'n' : ' ';
	}

	initStringInfo(&sql);
	for (const char *p = statement; *p != '\0'; p++)
	{
		if (p[0] == '@' && p[1] == '.')
		{
			appendStringInfo(&sql, "%s.", schema);
			p++;
		}
		else
			appendStringInfoChar(&sql, *p);
	}
	result = SPI_execute_with_args(sql.data, nargs, types, values, nulls, read_only, 0);
	if (result < 0)
		elog(ERROR, "statement on the catalogue failed: %s", SPI_result_code_string(result));
	pfree(sql.data);
	return SPI_processed;
}

uint64
crm_catalogue_read(const char *statement, int nargs,...)
{
	va_list		arguments;
	uint64		processed;

	va_start(arguments, nargs);
	processed = execute(statement, true, nargs, arguments);
	va_end(arguments);
	return processed;
}

uint64
crm_catalogue_write(const char *statement, int nargs,...)
{
	va_list		arguments;
	uint64		processed;

	va_start(arguments, nargs);
	processed = execute(statement, false, nargs, arguments);
	va_end(arguments);
	return processed;
}

char *
crm_catalogue_text(crm_catalogue_session *session, uint64 row, int column)
{
	char	   *value;

	/* most are text, which needs no output function to be looked up */
	if (SPI_gettypeid(SPI_tuptable->tupdesc, column) == TEXTOID)
	{
		bool		isnull;
		Datum		datum = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);
		MemoryContext old = MemoryContextSwitchTo(session->caller);

		value = isnull ? NULL : TextDatumGetCString(datum);
		MemoryContextSwitchTo(old);
		return value;
	}
	value = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
	return value == NULL ? NULL : MemoryContextStrdup(session->caller, value);
}

char *
crm_catalogue_required(crm_catalogue_session *session, uint64 row, int column)
{
	char	   *value = crm_catalogue_text(session, row, column);

	if (value == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the catalogue of crm_analytics is damaged"),
				 errdetail("Column \"%s\" is NULL.", SPI_fname(SPI_tuptable->tupdesc, column))));
	return value;
}

int32
crm_catalogue_within(uint64 row, int column, int32 greatest)
{
	int64		number = crm_catalogue_number(row, column, NULL);

	if (number < 0 || number > greatest)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the catalogue of crm_analytics is damaged"),
				 errdetail("Column \"%s\" is " INT64_FORMAT ".", SPI_fname(SPI_tuptable->tupdesc, column), number)));
	return (int32) number;
}

int32
crm_catalogue_place(uint64 row, int column)
{
	return crm_catalogue_within(row, column, CRM_MAX_PLACE);
}

int64
crm_catalogue_number(uint64 row, int column, bool *isnull)
{
	bool		null;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &null);

	if (isnull != NULL)
		*isnull = null;
	if (null)
		return 0;
	switch (SPI_gettypeid(SPI_tuptable->tupdesc, column))
	{
		case INT8OID:
		case TIMESTAMPTZOID:
			return DatumGetInt64(value);
		case BOOLOID:
			return DatumGetBool(value);
		default:				/* int, oid and its aliases */
			return DatumGetInt32(value);
	}
}

void
crm_catalogue_newest(void)
{
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
}

/* ---- tags --------------------------------------------------------------------- */

const char *
crm_value_type_name(crm_value_type type)
{
	return type == CRM_VALUE_BOOLEAN ? "boolean" : type == CRM_VALUE_TEXT ? "text" : "numeric";
}

#define TAG_COLUMNS \
	"SELECT d.tag_id, d.name, d.kind, d.value_type, d.owner::pg_catalog.oid::int, d.version, " \
	"       coalesce(d.refreshed_version, 0), d.refreshed_at, v.rule, v.rule_qualified, " \
	"       coalesce(d.number_scale, 0) AS number_scale, coalesce(d.number_slices, 0) AS number_slices, d.state " \
	"FROM @.tag_definition d JOIN @.tag_version v ON v.tag_id = d.tag_id AND v.version = d.version "

static crm_tag *
read_tag(crm_catalogue_session *session, uint64 row)
{
	crm_tag    *tag = MemoryContextAllocZero(session->caller, sizeof(crm_tag));
	char	   *type;

	tag->id = (int32) crm_catalogue_number(row, 1, NULL);
	tag->name = crm_catalogue_required(session, row, 2);
	tag->kind = crm_catalogue_required(session, row, 3);
	type = crm_catalogue_required(session, row, 4);
	tag->type = strcmp(type, "boolean") == 0 ? CRM_VALUE_BOOLEAN :
		strcmp(type, "text") == 0 ? CRM_VALUE_TEXT : CRM_VALUE_NUMERIC;
	tag->owner = (Oid) crm_catalogue_number(row, 5, NULL);
	tag->version = (int32) crm_catalogue_number(row, 6, NULL);
	tag->refreshed_version = (int32) crm_catalogue_number(row, 7, NULL);
	tag->refreshed_at = crm_catalogue_number(row, 8, NULL);
	tag->rule = crm_catalogue_required(session, row, 9);
	tag->qualified = crm_catalogue_required(session, row, 10);
	tag->number_scale = crm_catalogue_within(row, 11, CRM_MAX_NUMBER_SCALE);
	tag->number_slices = crm_catalogue_within(row, 12, CRM_MAX_NUMBER_SLICES);
	tag->state = crm_tag_state_of(crm_catalogue_required(session, row, 13));
	return tag;
}

List *
crm_tag_list(const crm_population *population)
{
	crm_catalogue_session session;
	List	   *tags = NIL;
	uint64		n;

	crm_catalogue_begin(&session);
	n = crm_catalogue_read(TAG_COLUMNS "WHERE d.population_id = $1 ORDER BY d.name COLLATE \"C\"",
						   1, INT4OID, Int32GetDatum(population->id), false);
	for (uint64 row = 0; row < n; row++)
	{
		MemoryContext old = MemoryContextSwitchTo(session.caller);

		tags = lappend(tags, read_tag(&session, row));
		MemoryContextSwitchTo(old);
	}
	crm_catalogue_end(&session);
	return tags;
}

crm_tag *
crm_tag_find(const crm_population *population, const char *name)
{
	crm_catalogue_session session;
	crm_tag    *tag = NULL;

	crm_catalogue_begin(&session);
	if (crm_catalogue_read(TAG_COLUMNS "WHERE d.population_id = $1 AND d.name = $2",
						   2, INT4OID, Int32GetDatum(population->id), false,
						   TEXTOID, CStringGetTextDatum(name), false) > 0)
		tag = read_tag(&session, 0);
	crm_catalogue_end(&session);

	if (tag == NULL)
	{
		List	   *names = NIL;
		ListCell   *cell;
		char	   *nearest;

		foreach(cell, crm_tag_list(population))
			names = lappend(names, ((crm_tag *) lfirst(cell))->name);
		nearest = crm_nearest_names(name, list_concat(names, crm_defined_segment_names(population)));
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("tag \"%s\" does not exist in population \"%s\"", name, population->name),
				 nearest != NULL ? errhint("Nearest names: %s.", nearest) :
				 errhint("SELECT tag FROM %s.tag_catalog lists the tags.", crm_schema())));
	}
	return tag;
}

crm_tag *
crm_tag_as_refreshed(const crm_tag *tag)
{
	crm_catalogue_session session;
	crm_tag    *copy;

	if (tag->refreshed_version == 0)
		return NULL;
	copy = palloc(sizeof(crm_tag));
	*copy = *tag;
	if (tag->version == tag->refreshed_version)
		return copy;
	crm_catalogue_begin(&session);
	if (crm_catalogue_read("SELECT rule, rule_qualified FROM @.tag_version WHERE tag_id = $1 AND version = $2",
						   2, INT4OID, Int32GetDatum(tag->id), false, INT4OID, Int32GetDatum(tag->refreshed_version), false) == 0)
		copy = NULL;
	else
	{
		copy->rule = crm_catalogue_required(&session, 0, 1);
		copy->qualified = crm_catalogue_required(&session, 0, 2);
	}
	crm_catalogue_end(&session);
	return copy;
}

int32
crm_tag_value_no(const crm_tag *tag, const char *value)
{
	crm_catalogue_session session;
	int32		number = -1;

	crm_catalogue_begin(&session);
	if (crm_catalogue_read("SELECT value_no FROM @.tag_value WHERE tag_id = $1 AND value = $2",
						   2, INT4OID, Int32GetDatum(tag->id), false,
						   TEXTOID, CStringGetTextDatum(value), false) > 0)
		number = (int32) crm_catalogue_number(0, 1, NULL);
	crm_catalogue_end(&session);
	return number;
}

/* ---- names ---------------------------------------------------------------------- */

char *
crm_nearest_names(const char *name, List *names)
{
	/* more than a third of the letters wrong is another name, apart from their case and one swap */
	char	   *lower = str_tolower(name, strlen(name), DEFAULT_COLLATION_OID);
	int			length = (int) strlen(lower);
	int			limit = length < 3 ? 1 : Max(2, Min(length, 60) / 3);
	char	   *best[3] = {NULL, NULL, NULL};
	int			distance[3] = {INT_MAX, INT_MAX, INT_MAX};
	StringInfoData list;
	ListCell   *cell;

	if (length > 200)
		return NULL;
	foreach(cell, names)
	{
		char	   *candidate = lfirst(cell);
		char	   *folded = str_tolower(candidate, strlen(candidate), DEFAULT_COLLATION_OID);
		int			size = (int) strlen(folded);
		int			d;

		if (size > 200 || abs(size - length) > limit * 4)
			continue;
		d = varstr_levenshtein_less_equal(lower, length, folded, size, 1, 1, 1, limit, true);
		if (d > limit)
			continue;
		for (int i = 0; i < 3; i++)
			if (d < distance[i] || (d == distance[i] && strcmp(candidate, best[i]) < 0))
			{
				for (int j = 2; j > i; j--)
				{
					best[j] = best[j - 1];
					distance[j] = distance[j - 1];
				}
				best[i] = candidate;
				distance[i] = d;
				break;
			}
	}
	if (best[0] == NULL)
		return NULL;
	initStringInfo(&list);
	for (int i = 0; i < 3 && best[i] != NULL; i++)
		appendStringInfo(&list, "%s\"%s\"", i == 0 ? "" : ", ", best[i]);
	return list.data;
}
