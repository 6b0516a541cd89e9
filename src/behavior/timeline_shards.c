/*
 * timeline_shards.c - events that other servers hold.
 *
 * A timeline takes a tenth of its rows, so it is made where they are and comes
 * here whole; parts that share a customer are joined like any other events.
 */
#include "behavior/timeline_shards.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "tag/tag.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static Oid
type_of(const timeline_mapping *mapping, const char *column)
{
	return getBaseType(get_atttype(mapping->relation, get_attnum(mapping->relation, column)));
}

/* What an attribute's value is cast to; NULL for one whose text depends on settings. */
static const char *
attribute_type(Oid type)
{
	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
			return "pg_catalog.text";
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
			return "pg_catalog.numeric";
		case FLOAT8OID:
			return "pg_catalog.float8";
		case BOOLOID:
			return "pg_catalog.bool";
	}
	return NULL;
}

/* Whatever a cast or a name needs a setting for stays here. */
static bool
same_everywhere(const timeline_mapping *mapping)
{
	Oid			name = type_of(mapping, mapping->name);

	if (type_of(mapping, mapping->time) != TIMESTAMPTZOID || (name != TEXTOID && name != VARCHAROID))
		return false;
	for (int i = 0; i < mapping->channels; i++)
		if (attribute_type(type_of(mapping, mapping->channel[i])) == NULL)
			return false;
	return true;
}

/* Every argument is cast to the very type that is declared: no overload of another's making fits better. */
static void
append_timeline(StringInfo sql, const timeline_mapping *mapping)
{
	appendStringInfo(sql, "%s.timeline_agg(event.%s, event.%s::pg_catalog.text", crm_schema(), quote_identifier(mapping->time),
					 quote_identifier(mapping->name));
	if (mapping->value != NULL)
		appendStringInfo(sql, ", event.%s::pg_catalog.%s", quote_identifier(mapping->value),
						 type_of(mapping, mapping->value) == NUMERICOID ? "numeric" : "float8");
	else if (mapping->channels > 0)
		appendStringInfoString(sql, ", NULL::pg_catalog.float8");
	for (int i = 0; i < mapping->channels; i++)
	{
		const char *column = mapping->channel[i];

		appendStringInfo(sql, "%s%s.event_attribute(%s, event.%s::%s)", i == 0 ? ", " : " OPERATOR(pg_catalog.||) ", crm_schema(),
						 quote_literal_cstr(column), quote_identifier(column), attribute_type(type_of(mapping, column)));
	}
	appendStringInfoChar(sql, ')');
}

char *
timeline_shards_query(const timeline_mapping *mapping, Oid reader, const char *condition)
{
	List	   *leaves = same_everywhere(mapping) ? crm_shards_of(mapping->relation, reader) : NIL;
	const char *key = quote_identifier(mapping->key);
	StringInfoData sql;
	ListCell   *cell;

	if (leaves == NIL)
		return NULL;
	initStringInfo(&sql);
	foreach(cell, leaves)
	{
		Oid			leaf = lfirst_oid(cell);

		appendStringInfo(&sql, "%sSELECT event.%s::pg_catalog.int8, ", foreach_current_index(cell) > 0 ? " UNION ALL " : "", key);
		append_timeline(&sql, mapping);
		appendStringInfo(&sql, " FROM %s AS event%s GROUP BY event.%s",
						 quote_qualified_identifier(get_namespace_name(get_rel_namespace(leaf)), get_rel_name(leaf)), condition, key);
	}
	return sql.data;
}
