/*
 * timeline_chosen.c - the events of some customers as they are now.
 */
#include "behavior/timeline_chosen.h"

#include "catalog/pg_type.h"
#include "nodes/params.h"
#include "utils/array.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* A constant, as conditions with one go to other servers; in UTC and ISO form, which every DateStyle reads alike. */
char *
timeline_time_literal(TimestampTz at)
{
	struct pg_tm tm;
	fsec_t		fsec;
	char		text[MAXDATELEN + 1];

	if (timestamp2tm(at, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	/* else the zone would be left out, and the reader's taken */
	tm.tm_isdst = 0;
	EncodeDateTime(&tm, fsec, true, 0, NULL, USE_ISO_DATES, text);
	return psprintf("'%s'::pg_catalog.timestamptz", text);
}

void
timeline_append_events(StringInfo sql, const timeline_mapping *mapping)
{
	appendStringInfo(sql, ", event.%s, event.%s", quote_identifier(mapping->time), quote_identifier(mapping->name));
	if (mapping->value != NULL)
		appendStringInfo(sql, ", event.%s", quote_identifier(mapping->value));
	else if (mapping->channels > 0)
		appendStringInfoString(sql, ", NULL::pg_catalog.float8");
	for (int i = 0; i < mapping->channels; i++)
		appendStringInfo(sql, ", event.%s", quote_identifier(mapping->channel[i]));
	appendStringInfo(sql, " FROM %s AS event", mapping->relation_name);
}

static void
set_param(ParamListInfo params, int number, Oid type, Datum value)
{
	params->params[number - 1] = (ParamExternData) {value, false, PARAM_FLAG_CONST, type};
}

/* $1 the keys as text, $2 the ids; without those whose key the dictionary does not know. */
static ParamListInfo
chosen_params(const crm_population *population, const int64 *ids, int count)
{
	ParamListInfo params = makeParamList(2);
	Datum	   *keys = MemoryContextAllocHuge(CurrentMemoryContext, (count + 1) * sizeof(Datum));
	Datum	   *numbers = MemoryContextAllocHuge(CurrentMemoryContext, (count + 1) * sizeof(Datum));
	int			n = 0;

	for (int i = 0; i < count; i++)
	{
		char	   *key = crm_key_of_id(population, ids[i]);

		CHECK_FOR_INTERRUPTS();
		if (key == NULL)
			continue;
		keys[n] = CStringGetTextDatum(key);
		numbers[n++] = Int64GetDatum(ids[i]);
	}
	set_param(params, 1, TEXTARRAYOID, PointerGetDatum(construct_array(keys, n, TEXTOID, -1, false, TYPALIGN_INT)));
	set_param(params, 2, INT8ARRAYOID, PointerGetDatum(construct_array(numbers, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)));
	return params;
}

/* The keys stand in it twice: as a condition, which an index on them answers, and with their ids. */
static void
append_chosen(StringInfo sql, const crm_population *population, const timeline_mapping *mapping)
{
	const char *key = quote_identifier(mapping->key);
	Oid			type = getBaseType(crm_column_type(mapping->relation, mapping->key));
	/* any integer can be compared with a bigint */
	const char *type_name = population->key_form == CRM_KEY_INTEGER ? "pg_catalog.int8" :
		crm_key_cast(type);

	appendStringInfoString(sql, "SELECT chosen.id");
	timeline_append_events(sql, mapping);
	appendStringInfo(sql, " JOIN ROWS FROM (pg_catalog.unnest($1::%1$s[]), pg_catalog.unnest($2)) AS chosen (key, id) "
					 "ON chosen.key OPERATOR(pg_catalog.=) event.%2$s WHERE event.%2$s OPERATOR(pg_catalog.=) ANY ($1::%1$s[])",
					 type_name, key);
}

static void
append_all(StringInfo sql, const crm_population *population, const timeline_mapping *mapping)
{
	const char *key = quote_identifier(mapping->key);
	bool		integer = population->key_form == CRM_KEY_INTEGER;

	if (integer)
		appendStringInfo(sql, "SELECT CASE WHEN event.%1$s OPERATOR(pg_catalog.<) 0 THEN dictionary.id ELSE event.%1$s::pg_catalog.int8 END", key);
	else
		appendStringInfoString(sql, "SELECT dictionary.id");
	timeline_append_events(sql, mapping);
	appendStringInfo(sql, " LEFT JOIN %s.population_keys(%s) AS dictionary ON dictionary.key OPERATOR(pg_catalog.=) event.%s::pg_catalog.text",
					 crm_schema(), quote_literal_cstr(population->name), key);
	if (integer)
		appendStringInfo(sql, " AND event.%s OPERATOR(pg_catalog.<) 0", key);
	appendStringInfo(sql, " WHERE event.%s IS NOT NULL", key);
}

timeline_build *
timeline_read_chosen(const crm_population *population, timeline_mapping *mapping, const timeline_settings *settings,
					 const int64 *ids, int count)
{
	MemoryContext context = CurrentMemoryContext;
	timeline_build *build = timeline_build_new();
	ParamListInfo params = ids == NULL ? NULL : chosen_params(population, ids, count);
	crm_owner_session session;
	StringInfoData sql;

	initStringInfo(&sql);
	if (ids != NULL)
		append_chosen(&sql, population, mapping);
	else
		append_all(&sql, population, mapping);
	if (settings->kept_from > DT_NOBEGIN)
		appendStringInfo(&sql, " AND event.%s OPERATOR(pg_catalog.>=) %s", quote_identifier(mapping->time),
						 timeline_time_literal(settings->kept_from));
	crm_require_alone("population_keys");
	crm_rights_check_owner(population->owner);
	crm_owner_begin(&session, population->owner);
	if (settings->zone != NULL)
		(void) set_config_option("TimeZone", settings->zone, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("jit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	if (ids == NULL)
	{
		/* the planner cannot know that keys are unique in the dictionary */
		(void) set_config_option("enable_mergejoin", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
		(void) set_config_option("enable_nestloop", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	}
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(context);
	timeline_build_query(build, sql.data, params, mapping->channels, mapping->channel);
	SPI_finish();
	MemoryContextSwitchTo(context);
	crm_owner_end(&session);
	return build;
}
