/*
 * training_members.c - columns of type jsonb: the members of their objects stand
 * for columns.
 *
 * The query is wrapped into one that takes them out, so that everything behind it
 * knows ordinary columns only.  What kind a member is, all rows have to agree on.
 */
#include "scoring/training.h"

#include "catalog/pg_type.h"
#include "utils/lsyscache.h"

#define MOST_MEMBERS 1500

/* One place for each column of type jsonb. */
static int
find_objects(TupleDesc desc, int *places)
{
	int			count = 0;

	for (int i = 0; i < desc->natts; i++)
		if (getBaseType(TupleDescAttr(desc, i)->atttypid) == JSONBOID)
			places[count++] = i;
	return count;
}

static const char *
column_name(TupleDesc desc, int place)
{
	return quote_identifier(NameStr(TupleDescAttr(desc, place)->attname));
}

static void
append_member(StringInfo sql, const char *object, const char *name, const char *type)
{
	appendStringInfo(sql, ", pg_catalog.jsonb_object_field_text(q.%s, %s)::pg_catalog.%s AS %s", object, quote_literal_cstr(name), type,
					 quote_identifier(name));
}

/* The members of one column's objects, with the type that their values have in common. */
static void
append_found(StringInfo sql, const char *query, const char *object)
{
	MemoryContext before = CurrentMemoryContext;
	uint64		count;

	if (SPI_execute(psprintf("SELECT m.key, pg_catalog.bool_or(m.kind OPERATOR(pg_catalog.=) 'number'), pg_catalog.bool_or(m.kind OPERATOR(pg_catalog.=) 'string'), "
							 "pg_catalog.bool_or(m.kind OPERATOR(pg_catalog.=) 'boolean'), pg_catalog.bool_or(m.kind OPERATOR(pg_catalog.=) 'object' OR m.kind OPERATOR(pg_catalog.=) 'array') "
							 "FROM (SELECT e.key COLLATE pg_catalog.\"C\" AS key, pg_catalog.jsonb_typeof(e.value) AS kind FROM (%s\n) AS q, pg_catalog.jsonb_each(q.%s) AS e) AS m "
							 "GROUP BY m.key ORDER BY m.key", query, object), true, 0) != SPI_OK_SELECT)
		elog(ERROR, "cannot look for members");
	count = SPI_processed;
	if (count > MOST_MEMBERS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("objects of column %s have more than %d different members", object, MOST_MEMBERS),
				 errhint("Take out those that are to be learned from, as in %s -> 'age'.", object)));
	for (uint64 i = 0; i < count; i++)
	{
		bool		is[4];
		char	   *name = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
		bool		isnull;

		for (int j = 0; j < lengthof(is); j++)
			is[j] = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, j + 2, &isnull));
		/* null in all rows: nothing to learn */
		if (!is[0] && !is[1] && !is[2] && !is[3])
			continue;
		if (is[3] || is[0] + is[1] + is[2] > 1)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("member \"%s\" of column %s is not of one kind", name, object),
					 errdetail("A member that a model learns from is a number, a string or a boolean in all rows, or null."),
					 errhint("Take it out as a column of its own, or leave it out as in %s - '%s'.", object, name)));
		if (strlen(name) >= NAMEDATALEN)
			ereport(ERROR,
					(errcode(ERRCODE_NAME_TOO_LONG),
					 errmsg("member \"%s\" of column %s is longer than the name of a column", name, object),
					 errdetail("A column's name has at most %d bytes.", NAMEDATALEN - 1)));
		append_member(sql, object, name, is[0] ? "float8" : is[1] ? "text" : "bool");
	}
	SPI_freetuptable(SPI_tuptable);
	MemoryContextSwitchTo(before);
}

/* The columns of a trained model that the query has not, from its objects. */
static void
append_known(StringInfo sql, TupleDesc desc, const int *places, int count, const scoring_encoding *known)
{
	static const char *const types[] = {"float8", "bool", "timestamp", "timestamptz", "text"};

	for (int i = 0; i < known->count; i++)
	{
		const scoring_column *column = &known->columns[i];

		if (scoring_find_attribute(desc, column->name) >= 0)
			continue;
		appendStringInfoString(sql, ", COALESCE(");
		for (int j = 0; j < count; j++)
			appendStringInfo(sql, "%spg_catalog.jsonb_object_field_text(q.%s, %s)", j > 0 ? ", " : "", column_name(desc, places[j]),
							 quote_literal_cstr(column->name));
		appendStringInfo(sql, ")::pg_catalog.%s AS %s", types[column->kind], quote_identifier(column->name));
	}
}

bool
scoring_has_objects(TupleDesc desc)
{
	int		   *places = palloc(sizeof(int) * Max(desc->natts, 1));

	return find_objects(desc, places) > 0;
}

char *
scoring_without_objects(const char *query, TupleDesc desc, const scoring_encoding *known)
{
	int		   *places = palloc(sizeof(int) * Max(desc->natts, 1));
	int			count = find_objects(desc, places);
	StringInfoData list;
	int			next = 0;

	initStringInfo(&list);
	for (int i = 0; i < desc->natts; i++)
		if (next < count && places[next] == i)
			next++;
		else
			appendStringInfo(&list, ", q.%s", column_name(desc, i));
	if (known != NULL)
		append_known(&list, desc, places, count, known);
	else
		for (int i = 0; i < count; i++)
			append_found(&list, query, column_name(desc, places[i]));
	return psprintf("SELECT %s FROM (%s\n) AS q", list.len > 2 ? list.data + 2 : "", query);
}
