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

static void
append_part(StringInfo sql, Oid part, const char *what, const char *condition, const char *key)
{
	appendStringInfo(sql, "%sSELECT %s FROM %s AS event%s GROUP BY event.%s", sql->len > 0 ? " UNION ALL " : "", what,
					 quote_qualified_identifier(get_namespace_name(get_rel_namespace(part)), get_rel_name(part)), condition, key);
}

char *
timeline_shards_query(const timeline_mapping *mapping, Oid reader, const char *condition)
{
	List	   *parts = same_everywhere(mapping) ? crm_shards_of(mapping->relation, reader) : NIL;
	const char *key = quote_identifier(mapping->key);
	StringInfoData made;
	StringInfoData sql;
	ListCell   *cell;

	if (parts == NIL)
		return NULL;
	initStringInfo(&made);
	appendStringInfo(&made, "event.%s, ", key);
	append_timeline(&made, mapping);
	initStringInfo(&sql);
	foreach(cell, parts)
		append_part(&sql, lfirst_oid(cell), made.data, condition, key);
	return sql.data;
}

char *
timeline_shards_keys(const timeline_mapping *mapping, Oid reader, const char *condition)
{
	const char *key = quote_identifier(mapping->key);
	StringInfoData sql;
	ListCell   *cell;

	initStringInfo(&sql);
	foreach(cell, crm_shards_of(mapping->relation, reader))
		append_part(&sql, lfirst_oid(cell), psprintf("event.%s", key), condition, key);
	return sql.len > 0 ? sql.data : NULL;
}
