/*
 * timeline_reader.c - reading stored timelines, erasing and dropping them.
 */
#include "behavior/timeline_store.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_readable_timelines);
CRM_FUNCTION(crm_whole_timeline);
CRM_FUNCTION(crm_timeline_of_text);
CRM_FUNCTION(crm_timeline_of_bigint);
CRM_FUNCTION(crm_timeline_of_uuid);
CRM_FUNCTION(crm_erase_events_text);
CRM_FUNCTION(crm_erase_events_bigint);
CRM_FUNCTION(crm_erase_events_uuid);
CRM_FUNCTION(crm_drop_timelines);

/* May the current user read the timelines of all customers of the population? */
static bool
may_read_all(const crm_population *population)
{
	timeline_mapping *mapping = timeline_mapping_read(population, true);

	return mapping == NULL ? crm_rights_may_read_all(population, InvalidOid, 0, NULL) :
		crm_rights_may_read_all(population, mapping->relation, mapping->columns, mapping->column);
}

void
timeline_require_all(const crm_population *population)
{
	if (!may_read_all(population))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for the timelines of population \"%s\"", population->name),
				 errhint("Its owner may run %s.grant_population('%s', '%s').", crm_schema(), population->name,
						 GetUserNameFromId(GetUserId(), false))));
}

/* readable_timelines() */
Datum
crm_readable_timelines(PG_FUNCTION_ARGS)
{
	crm_catalogue_session session;
	uint64		n;
	int32	   *ids;
	Datum	   *readable;
	int			count = 0;

	crm_catalogue_begin(&session);
	n = crm_catalogue_read("SELECT population_id FROM @.timeline_store ORDER BY population_id", 0);
	ids = MemoryContextAlloc(session.caller, (n + 1) * sizeof(int32));
	for (uint64 row = 0; row < n; row++)
		ids[row] = (int32) crm_catalogue_number(row, 1, NULL);
	crm_catalogue_end(&session);
	readable = palloc((n + 1) * sizeof(Datum));
	for (uint64 i = 0; i < n; i++)
		if (may_read_all(crm_population_find_by_id(ids[i])))
			readable[count++] = Int32GetDatum(ids[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(readable, count, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

/* What a call of whole_timeline keeps: for whom rights were asked last. */
typedef struct whole_cache
{
	crm_timeline_writer *writer;
	bool		known;
	int32		population;
	Oid			user;
} whole_cache;

/* whole_timeline(population_id, customer_id, events): what stands in customer_timeline, with what the archive has. */
Datum
crm_whole_timeline(PG_FUNCTION_ARGS)
{
	whole_cache *cache = behavior_cache(fcinfo, sizeof(whole_cache));
	int32		population = PG_GETARG_INT32(0);
	timeline_table archive;
	timeline_piece *pieces;
	int			count;
	Datum		result;

	if (!cache->known || cache->population != population || cache->user != GetUserId())
	{
		timeline_require_all(crm_population_find_by_id(population));
		cache->population = population;
		cache->user = GetUserId();
		cache->known = true;
	}
	timeline_table_open(&archive, true, AccessShareLock);
	pieces = timeline_fetch_archive(&archive, population, PG_GETARG_INT64(1), &count);
	timeline_table_close(&archive, AccessShareLock);
	result = count == 0 ? PG_GETARG_DATUM(2) :
		timeline_join_pieces(behavior_writer(fcinfo, &cache->writer), pieces, count, PG_GETARG_DATUM(2));
	PG_RETURN_DATUM(result);
}

/* timeline_of(key, population) */
static Datum
timeline_of(FunctionCallInfo fcinfo, Oid key_type)
{
	whole_cache *cache = behavior_cache(fcinfo, sizeof(whole_cache));
	crm_population *population;
	timeline_table customers;
	timeline_table archive;
	timeline_piece newest;
	timeline_piece *pieces;
	int64		id;
	int			count = 0;
	bool		found;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	population = crm_population_find(PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1)));
	/* whole timelines of some customers are for those with a grant: row-level security may hide a customer's events from others */
	if (!may_read_all(population))
	{
		if (!crm_rights_may_read_some(population))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("permission denied for the timelines of population \"%s\"", population->name),
					 errdetail("You have neither a grant on the population nor SELECT on the columns of its events without row-level security."),
					 errhint("Its owner may run %s.grant_population('%s', '%s').", crm_schema(), population->name,
							 GetUserNameFromId(GetUserId(), false))));
		if (!crm_key_visible(population, PG_GETARG_DATUM(0), key_type))
			PG_RETURN_NULL();
	}
	if (!crm_key_id(population, PG_GETARG_DATUM(0), key_type, &id))
		PG_RETURN_NULL();
	timeline_table_open(&customers, false, AccessShareLock);
	found = timeline_fetch(&customers, population->id, id, &newest);
	timeline_table_close(&customers, AccessShareLock);
	if (!found)
		PG_RETURN_NULL();
	if (!newest.archived)
		PG_RETURN_DATUM(newest.events);
	timeline_table_open(&archive, true, AccessShareLock);
	pieces = timeline_fetch_archive(&archive, population->id, id, &count);
	timeline_table_close(&archive, AccessShareLock);
	PG_RETURN_DATUM(timeline_join_pieces(behavior_writer(fcinfo, &cache->writer), pieces, count, newest.events));
}

Datum
crm_timeline_of_text(PG_FUNCTION_ARGS)
{
	return timeline_of(fcinfo, TEXTOID);
}

Datum
crm_timeline_of_bigint(PG_FUNCTION_ARGS)
{
	return timeline_of(fcinfo, INT8OID);
}

Datum
crm_timeline_of_uuid(PG_FUNCTION_ARGS)
{
	return timeline_of(fcinfo, UUIDOID);
}

/* ---- erasing and dropping ------------------------------------------------------------------- */

/* The population of argument 0, locked against other writers; the newest snapshot is active. */
static crm_population *
begin_change(FunctionCallInfo fcinfo)
{
	crm_population *population;

	for (int i = 0; i < 2; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("population and what to remove must not be NULL")));
	crm_catalogue_newest();
	population = crm_population_find(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	crm_rights_require_owner(population);
	crm_population_lock(population);
	PopActiveSnapshot();
	crm_catalogue_newest();
	return population;
}

/* erase_events(population, key) */
static Datum
erase_events(FunctionCallInfo fcinfo, Oid key_type)
{
	crm_population *population = begin_change(fcinfo);
	crm_catalogue_session session;
	bool		erased = false;
	int64		id;

	if (crm_key_id(population, PG_GETARG_DATUM(1), key_type, &id))
	{
		crm_catalogue_begin(&session);
		erased = crm_catalogue_write("DELETE FROM @.customer_timeline WHERE population_id = $1 AND customer_id = $2",
									 2, INT4OID, Int32GetDatum(population->id), false, INT8OID, Int64GetDatum(id), false) > 0;
		(void) crm_catalogue_write("DELETE FROM @.timeline_archive WHERE population_id = $1 AND customer_id = $2",
								   2, INT4OID, Int32GetDatum(population->id), false, INT8OID, Int64GetDatum(id), false);
		crm_catalogue_end(&session);
	}
	PopActiveSnapshot();
	PG_RETURN_BOOL(erased);
}

Datum
crm_erase_events_text(PG_FUNCTION_ARGS)
{
	return erase_events(fcinfo, TEXTOID);
}

Datum
crm_erase_events_bigint(PG_FUNCTION_ARGS)
{
	return erase_events(fcinfo, INT8OID);
}

Datum
crm_erase_events_uuid(PG_FUNCTION_ARGS)
{
	return erase_events(fcinfo, UUIDOID);
}

/* drop_timelines(population, before) */
Datum
crm_drop_timelines(PG_FUNCTION_ARGS)
{
	crm_population *population = begin_change(fcinfo);
	crm_catalogue_session session;
	timeline_settings settings;
	timeline_period period = {0};
	TimestampTz before = PG_GETARG_TIMESTAMPTZ(1);
	Datum		from;

	if (TIMESTAMP_NOT_FINITE(before))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("before must be a finite time")));
	timeline_settings_read(population, &settings);
	if (!settings.exists)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("population \"%s\" has no stored timelines", population->name),
				 errhint("%s.refresh_timelines('%s') stores them.", crm_schema(), population->name)));
	period.months = settings.months;
	timeline_period_find(&period, before);
	from = TimestampTzGetDatum(Max(period.start, settings.kept_from));
	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("DELETE FROM @.timeline_archive WHERE population_id = $1 AND period_start < $2",
							   2, INT4OID, Int32GetDatum(population->id), false, TIMESTAMPTZOID, from, false);
	(void) crm_catalogue_write("DELETE FROM @.customer_timeline WHERE population_id = $1 AND last_at < $2",
							   2, INT4OID, Int32GetDatum(population->id), false, TIMESTAMPTZOID, from, false);
	(void) crm_catalogue_write("UPDATE @.timeline_store SET kept_from = $2 WHERE population_id = $1",
							   2, INT4OID, Int32GetDatum(population->id), false, TIMESTAMPTZOID, from, false);
	crm_catalogue_end(&session);
	if (population->tracked)
		crm_log_everybody(population->id);
	PopActiveSnapshot();
	PG_RETURN_DATUM(from);
}
