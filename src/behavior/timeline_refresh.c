/*
 * timeline_refresh.c - crm.refresh_timelines: stores the timelines of a
 * population's customers, and later what is new of them.
 *
 * Everything happens in the caller's transaction and in one snapshot.  The
 * events are read with the rights of the population's owner.
 *
 * What is new is found by time: events from `lateness` before the newest one
 * stored on are read again, and take the place of what was stored of that time.
 * So a row that was committed late, changed or deleted within that time is
 * right afterwards, and a refresh may be repeated at will.  Where the events
 * have a column that says when a row came, customers with rows that came since
 * the last refresh, but are of an earlier time, are read anew altogether.
 */
#include "behavior/timeline_build.h"

#include "access/xact.h"
#include "behavior/behavior.h"
#include "behavior/timeline_chosen.h"
#include "behavior/timeline_shards.h"
#include "behavior/timeline_store.h"
#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "common/progress.h"
#include "executor/tstoreReceiver.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

CRM_FUNCTION(crm_refresh_timelines);

/* The writer that joins old and new events forgets its names beyond this. */
#define JOINER_MEMORY (1024 * 1024)

typedef struct refresh
{
	crm_population *population;
	timeline_mapping *mapping;
	timeline_settings settings;
	bool		whole;			/* everything is read anew */
	TimestampTz from;			/* events from here on are read anew: DT_NOBEGIN, all */
	TimestampTz arrived;		/* rows since then may be late */
	bool		dictionary;		/* keys are looked up */
	timeline_table customers;
	timeline_table archive;
	timeline_period period;
	crm_timeline_writer *joiner;	/* for old and new events of one customer */
	TimestampTz newest;
	bool		any;			/* newest is set */
	uint64		customers_met;
	uint64		changed;
} refresh;

/* ---- a customer's events ------------------------------------------------------------------ */

static int
compare_times(const void *left, const void *right)
{
	TimestampTz a = ((const crm_timeline_event *) left)->at;
	TimestampTz b = ((const crm_timeline_event *) right)->at;

	return a < b ? -1 : a > b;
}

static void
sort_by_time(crm_timeline_event *events, Size count)
{
	for (Size i = 1; i < count; i++)
		if (events[i].at < events[i - 1].at)
		{
			qsort(events, count, sizeof(crm_timeline_event), compare_times);
			return;
		}
}

/* The end of the events that share the period of the first. */
static Size
period_end(refresh *r, const crm_timeline_event *events, Size first, Size count)
{
	Size		end = first + 1;

	timeline_period_find(&r->period, events[first].at);
	if (events[count - 1].at < r->period.end)
		return count;
	while (end < count && events[end].at < r->period.end)
		end++;
	return end;
}

/* A customer of whom nothing was stored. */
static void
store_new(refresh *r, int64 customer, crm_timeline_writer *writer, crm_timeline_event *events, Size count)
{
	for (Size first = 0; first < count;)
	{
		Size		end = period_end(r, events, first, count);
		TimestampTz start = r->period.start;
		TimestampTz last = events[end - 1].at;
		Datum		packed = timeline_build_pack(writer, customer, events + first, end - first);

		if (end < count)
			timeline_insert(&r->archive, r->population->id, customer, start, false, packed);
		else
			timeline_insert(&r->customers, r->population->id, customer, last, first > 0, packed);
		first = end;
		r->changed++;
	}
}

static bool
same_events(Datum old, Datum new)
{
	Pointer		a = DatumGetPointer(old);
	Pointer		b = DatumGetPointer(new);

	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) && memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

/* Appends a stored piece's events before a time. */
static void
load_before(refresh *r, const timeline_piece *piece, TimestampTz until, crm_timeline_event *events, Size *count)
{
	crm_timeline timeline;
	size_t		loaded;

	behavior_timeline_open(piece->events, &timeline);
	crm_check(crm_timeline_load(r->joiner, &timeline, PG_INT64_MIN, until, events + *count, &loaded), CRM_TIMELINE_TYPE, false);
	*count += loaded;
}

static Size
events_of(const timeline_piece *piece)
{
	crm_timeline timeline;

	behavior_timeline_open(piece->events, &timeline);
	return timeline.count;
}

/* Old and new events together: from `from` on the new ones alone count.  In the joiner's numbers. */
static crm_timeline_event *
join_events(refresh *r, const timeline_piece *newest, const timeline_piece *pieces, int piece_count, TimestampTz from,
			crm_timeline_writer *writer, const crm_timeline_event *events, Size count, Size *joined)
{
	Size		room = count + events_of(newest);
	crm_timeline_event *all;

	for (int i = 0; i < piece_count; i++)
		room += events_of(&pieces[i]);
	all = MemoryContextAllocHuge(CurrentMemoryContext, Max(room, 1) * sizeof(crm_timeline_event));
	*joined = 0;
	if (crm_timeline_writer_memory(r->joiner) > JOINER_MEMORY)
		crm_timeline_writer_reset(r->joiner);
	for (int i = 0; i < piece_count; i++)
		load_before(r, &pieces[i], from, all, joined);
	load_before(r, newest, from, all, joined);
	for (Size i = 0; i < count; i++)
	{
		crm_timeline_event *event = &all[(*joined)++];
		const crm_attribute *attributes;
		size_t		n;

		*event = events[i];
		crm_check(crm_timeline_writer_name(r->joiner, crm_timeline_writer_name_text(writer, events[i].name), &event->name),
				  CRM_TIMELINE_TYPE, false);
		attributes = crm_timeline_writer_attribute_list(writer, events[i].attributes, &n);
		crm_check(crm_timeline_writer_attributes(r->joiner, attributes, n, &event->attributes), CRM_TIMELINE_TYPE, false);
	}
	sort_by_time(all, *joined);
	return all;
}

/* The customer's row becomes this. */
static void
store_newest(refresh *r, const timeline_piece *old, TimestampTz last, bool archived, Datum events)
{
	if (old->at == last && old->archived == archived && same_events(old->events, events))
		return;
	timeline_update(&r->customers, old, last, archived, events);
	r->changed++;
}

/* A piece goes to the archive, where the period may have one already. */
static void
store_archived(refresh *r, int64 customer, timeline_piece *pieces, int piece_count, Datum events)
{
	for (int i = 0; i < piece_count; i++)
		if (pieces[i].tuple != NULL && pieces[i].at == r->period.start)
		{
			if (!same_events(pieces[i].events, events))
			{
				timeline_update(&r->archive, &pieces[i], pieces[i].at, false, events);
				r->changed++;
			}
			pieces[i].tuple = NULL;
			return;
		}
	timeline_insert(&r->archive, r->population->id, customer, r->period.start, false, events);
	r->changed++;
}

/* No events are left in the periods read: the one before becomes the newest, or the customer is gone. */
static void
store_nothing(refresh *r, const timeline_piece *newest, const timeline_piece *older, int older_count)
{
	const timeline_piece *last;
	crm_timeline timeline;
	crm_timeline_cursor cursor;

	r->changed++;
	if (older_count == 0)
	{
		timeline_delete(&r->customers, newest);
		return;
	}
	last = &older[older_count - 1];
	behavior_timeline_open(last->events, &timeline);
	crm_timeline_begin(&timeline, &cursor);
	while (crm_timeline_next(&cursor))
		;
	timeline_update(&r->customers, newest, cursor.at, older_count > 1, last->events);
	timeline_delete(&r->archive, last);
}

/* A customer who has a row: what was read takes the place of what is stored from r->from on. */
static void
store_again(refresh *r, int64 customer, const timeline_piece *newest, crm_timeline_writer *writer,
			crm_timeline_event *events, Size count)
{
	TimestampTz from = r->whole || (count > 0 && events[0].at < r->from) ? DT_NOBEGIN : r->from;
	timeline_piece *pieces = NULL;
	int			piece_count = 0;
	int			older = 0;
	crm_timeline_event *all;
	Size		total;

	if (newest->archived)
	{
		pieces = timeline_fetch_archive(&r->archive, r->population->id, customer, &piece_count);
		if (from != DT_NOBEGIN)
			timeline_period_find(&r->period, from);
		/* periods that end before are left alone */
		while (from != DT_NOBEGIN && older < piece_count && pieces[older].at < r->period.start)
			older++;
	}
	all = join_events(r, newest, pieces + older, piece_count - older, from, writer, events, count, &total);
	if (total == 0)
		store_nothing(r, newest, pieces, older);
	for (Size first = 0; first < total;)
	{
		Size		end = period_end(r, all, first, total);
		TimestampTz last = all[end - 1].at;
		Datum		packed = timeline_build_pack(r->joiner, customer, all + first, end - first);

		if (end < total)
			store_archived(r, customer, pieces + older, piece_count - older, packed);
		else
			store_newest(r, newest, last, older > 0 || first > 0, packed);
		first = end;
	}
	for (int i = older; i < piece_count; i++)
		if (pieces[i].tuple != NULL)
		{
			timeline_delete(&r->archive, &pieces[i]);
			r->changed++;
		}
	pfree(all);
}

static void
store_customer(void *arg, int64 customer, bool marked, crm_timeline_writer *writer, crm_timeline_event *events, Size count)
{
	refresh    *r = arg;
	timeline_piece newest;

	sort_by_time(events, count);
	if (count > 0)
	{
		r->customers_met++;
		r->newest = r->any ? Max(r->newest, events[count - 1].at) : events[count - 1].at;
		r->any = true;
	}
	if (r->settings.exists && timeline_fetch(&r->customers, r->population->id, customer, &newest))
		store_again(r, customer, &newest, writer, events, count);
	else
		store_new(r, customer, writer, events, count);
}

/* ---- the query ------------------------------------------------------------------------------- */

/* Conditions on the rows of `alias`: wanted at all, and of the time given. */
static void
append_conditions(StringInfo sql, const refresh *r, const char *alias, const char *operator)
{
	const char *time = quote_identifier(r->mapping->time);

	appendStringInfo(sql, " WHERE %s.%s IS NOT NULL", alias, quote_identifier(r->mapping->key));
	if (r->settings.kept_from > DT_NOBEGIN)
		appendStringInfo(sql, " AND %s.%s OPERATOR(pg_catalog.>=) %s", alias, time, timeline_time_literal(r->settings.kept_from));
	if (!r->whole)
		appendStringInfo(sql, " AND %s.%s OPERATOR(pg_catalog.%s) %s", alias, time, operator, timeline_time_literal(r->from));
}

static void
append_dictionary(StringInfo sql, const refresh *r)
{
	const char *key = quote_identifier(r->mapping->key);

	appendStringInfo(sql, " LEFT JOIN %s.population_keys(%s) AS dictionary ON dictionary.key OPERATOR(pg_catalog.=) event.%s::pg_catalog.text",
					 crm_schema(), quote_literal_cstr(r->population->name), key);
	if (r->population->key_form == CRM_KEY_INTEGER)
		appendStringInfo(sql, " AND event.%s OPERATOR(pg_catalog.<) 0", key);
}

static void
append_select(StringInfo sql, const refresh *r)
{
	const timeline_mapping *m = r->mapping;
	const char *key = quote_identifier(m->key);

	if (r->population->key_form != CRM_KEY_INTEGER)
		appendStringInfoString(sql, "SELECT dictionary.id");
	else if (r->dictionary)
		appendStringInfo(sql, "SELECT CASE WHEN event.%s OPERATOR(pg_catalog.<) 0 THEN dictionary.id ELSE event.%s::pg_catalog.int8 END", key, key);
	else
		appendStringInfo(sql, "SELECT event.%s", key);
	timeline_append_events(sql, m);
	if (r->dictionary)
		append_dictionary(sql, r);
}

/* Which rows came late: since the last refresh, and are of an earlier time. */
static void
append_late(StringInfo sql, const refresh *r)
{
	append_conditions(sql, r, "late", "<");
	appendStringInfo(sql, " AND late.%s OPERATOR(pg_catalog.>=) %s", quote_identifier(r->settings.arrival), timeline_time_literal(r->arrived));
}

/* The events to be read. */
static char *
events_query(const refresh *r)
{
	StringInfoData sql;

	initStringInfo(&sql);
	append_select(&sql, r);
	append_conditions(&sql, r, "event", ">=");
	if (!r->whole && r->settings.arrival != NULL)
	{
		appendStringInfoString(&sql, " UNION ALL ");
		append_select(&sql, r);
		append_conditions(&sql, r, "event", "<");
		appendStringInfo(&sql, " AND event.%s IN (SELECT late.%s FROM %s AS late", quote_identifier(r->mapping->key),
						 quote_identifier(r->mapping->key), r->mapping->relation_name);
		append_late(&sql, r);
		appendStringInfoChar(&sql, ')');
	}
	return sql.data;
}

/* So many keys, at 32 bytes, may stand in a query before they take more than work_mem. */
static int64
most_late_customers(void)
{
	return (int64) work_mem * 1024 / 32;
}

/*
 * The customers of late rows, as a literal array of the key's type; NULL when there
 * are none.  False where they are too many to be named.  Within SPI.
 */
static bool
late_customers(const refresh *r, char **literal)
{
	MemoryContext context = CurrentMemoryContext;
	const char *key = quote_identifier(r->mapping->key);
	StringInfoData sql;
	char	   *keys;
	bool		isnull;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT pg_catalog.count(*), pg_catalog.array_agg(found.%s) FROM (SELECT DISTINCT late.%s FROM %s AS late", key, key,
					 r->mapping->relation_name);
	append_late(&sql, r);
	appendStringInfo(&sql, " LIMIT " INT64_FORMAT ") AS found", most_late_customers() + 1);
	if (SPI_execute(sql.data, true, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "looking for late events failed");
	*literal = NULL;
	if (DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull)) > most_late_customers())
		return false;
	keys = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	if (keys != NULL)
		*literal = MemoryContextStrdup(context, psprintf("%s::%s[]", quote_literal_cstr(keys),
														 crm_key_cast(get_element_type(SPI_gettypeid(SPI_tuptable->tupdesc, 2)))));
	return true;
}

/* Does a key of the events, as it is, say who the customer is?  What has to be cast is cast here. */
static bool
keys_are_alike(const refresh *r)
{
	return crm_key_form_fits(getBaseType(get_atttype(r->mapping->relation, get_attnum(r->mapping->relation, r->mapping->key))), r->population->key_form);
}

/* The timelines of events that other servers hold; NULL where rows have to be read.  Within SPI. */
static char *
shards_query(const refresh *r)
{
	StringInfoData condition;
	char	   *query;
	char	   *late;

	if (!keys_are_alike(r))
		return NULL;
	initStringInfo(&condition);
	append_conditions(&condition, r, "event", ">=");
	query = timeline_shards_query(r->mapping, r->population->owner, condition.data);
	if (query == NULL || r->whole || r->settings.arrival == NULL)
		return query;
	if (!late_customers(r, &late))
		return NULL;
	if (late == NULL)
		return query;
	resetStringInfo(&condition);
	append_conditions(&condition, r, "event", "<");
	appendStringInfo(&condition, " AND event.%s OPERATOR(pg_catalog.=) ANY (%s)", quote_identifier(r->mapping->key), late);
	return psprintf("%s UNION ALL %s", query, timeline_shards_query(r->mapping, r->population->owner, condition.data));
}

/* Numbers the keys of the events to be read that the dictionary has not met. */
static bool
number_new_keys(refresh *r)
{
	const char *key = quote_identifier(r->mapping->key);
	Tuplestorestate *keys = tuplestore_begin_heap(false, false, work_mem);
	DestReceiver *receiver = CreateDestReceiver(DestTuplestore);
	SPIExecuteOptions options = {0};
	crm_owner_session session;
	StringInfoData condition;
	StringInfoData sql;
	char	   *shards;

	crm_progress_phase("numbering keys", NULL, 0);
	initStringInfo(&condition);
	appendStringInfo(&condition, " WHERE event.%s IS NOT NULL", key);
	if (r->population->key_form == CRM_KEY_INTEGER)
		appendStringInfo(&condition, " AND event.%s OPERATOR(pg_catalog.<) 0", key);
	/* with arrivals, keys of all times: late rows may be of any */
	if (!r->whole && r->settings.arrival == NULL)
		appendStringInfo(&condition, " AND event.%s OPERATOR(pg_catalog.>=) %s", quote_identifier(r->mapping->time), timeline_time_literal(r->from));
	shards = timeline_shards_keys(r->mapping, r->population->owner, condition.data);
	initStringInfo(&sql);
	if (shards != NULL)
		appendStringInfo(&sql, "WITH met AS MATERIALIZED (%s) ", shards);
	appendStringInfo(&sql, "SELECT DISTINCT event.%s::pg_catalog.text COLLATE pg_catalog.\"C\" FROM %s AS event", key,
					 shards != NULL ? "met" : r->mapping->relation_name);
	append_dictionary(&sql, r);
	appendStringInfo(&sql, "%s AND dictionary.id IS NULL ORDER BY 1", shards != NULL ? " WHERE true" : condition.data);

	SetTuplestoreDestReceiverParams(receiver, keys, CurrentMemoryContext, true, NULL, NULL);
	crm_owner_begin(&session, r->population->owner);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	options.read_only = true;
	options.dest = receiver;
	if (SPI_execute_extended(sql.data, &options) < 0)
		elog(ERROR, "a query of refresh_timelines failed");
	SPI_finish();
	crm_owner_end(&session);
	return crm_keys_add(r->population, keys);
}

/* What was read, in the current context. */
static timeline_build *
read_events(refresh *r)
{
	MemoryContext context = CurrentMemoryContext;
	timeline_build *build = timeline_build_new();
	crm_owner_session session;
	char	   *shards;

	timeline_build_show(build);
	crm_require_alone("population_keys");
	crm_owner_begin(&session, r->population->owner);
	(void) set_config_option("TimeZone", r->settings.zone, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	if (r->dictionary)
	{
		/* the planner cannot know that keys are unique in the dictionary */
		(void) set_config_option("enable_mergejoin", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
		(void) set_config_option("enable_nestloop", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	}
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(context);
	shards = shards_query(r);
	if (shards != NULL)
	{
		/* fetching the rows looks cheaper to the planner, which does not know what making a timeline of them costs */
		(void) set_config_option("enable_hashagg", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
		(void) set_config_option("enable_sort", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
		timeline_build_timelines(build, shards, r->dictionary ? r->population : NULL);
	}
	else
		timeline_build_query(build, events_query(r), NULL, r->mapping->channels, r->mapping->channel);
	SPI_finish();
	MemoryContextSwitchTo(context);
	crm_owner_end(&session);
	return build;
}

/* ---- all of it ---------------------------------------------------------------------------------- */

static void
check_arrival(const refresh *r)
{
	AttrNumber	attribute = get_attnum(r->mapping->relation, r->settings.arrival);
	Oid			type = attribute == InvalidAttrNumber ? InvalidOid : getBaseType(get_atttype(r->mapping->relation, attribute));

	if (type != TIMESTAMPTZOID && type != TIMESTAMPOID)
		ereport(ERROR,
				(errcode(OidIsValid(type) ? ERRCODE_DATATYPE_MISMATCH : ERRCODE_UNDEFINED_COLUMN),
				 OidIsValid(type) ?
				 errmsg("column \"%s\" of type %s cannot say when a row came", r->settings.arrival, format_type_be(type)) :
				 errmsg("column \"%s\" of relation %s does not exist", r->settings.arrival, r->mapping->relation_name),
				 errhint("It is a timestamp that the database sets, such as one with DEFAULT now().")));
}

/* What is asked for, what was stored, and so: what is to be read. */
static void
decide(refresh *r, FunctionCallInfo fcinfo)
{
	timeline_settings *s = &r->settings;
	int			months;

	timeline_settings_read(r->population, s);
	r->whole = !s->exists || !s->has_watermark || (!PG_ARGISNULL(1) && PG_GETARG_BOOL(1));
	if (!s->exists)
	{
		s->months = 3;
		s->lateness = palloc0(sizeof(Interval));
		s->lateness->day = 3;
		s->zone = pstrdup(pg_get_timezone_name(session_timezone));
		s->kept_from = DT_NOBEGIN;
	}
	months = PG_ARGISNULL(2) ? s->months : timeline_period_months(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	if (months != s->months)
		r->whole = true;
	s->months = months;
	if (!PG_ARGISNULL(3))
	{
		s->lateness = PG_GETARG_INTERVAL_P(3);
		if (s->lateness->month < 0 || s->lateness->day < 0 || s->lateness->time < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("lateness must not be negative")));
	}
	if (!PG_ARGISNULL(4))
		s->arrival = pstrdup(NameStr(*PG_GETARG_NAME(4)));
	if (s->arrival != NULL)
		check_arrival(r);
	r->period.months = s->months;
	r->from = DT_NOBEGIN;
	if (!r->whole)
	{
		r->from = Max(s->kept_from,
					  DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval, TimestampTzGetDatum(s->watermark),
															  IntervalPGetDatum(s->lateness))));
		r->newest = s->watermark;
		r->any = true;
	}
}

static void
mark_customer(void *arg, int64 customer)
{
	timeline_build_mark(arg, customer);
}

static void
note_refresh(const refresh *r)
{
	crm_catalogue_session session;
	/* an event of the future must not keep the past from being read */
	TimestampTz watermark = Min(r->newest, GetCurrentTransactionStartTimestamp());

	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("INSERT INTO @.timeline_store AS s (population_id, period, lateness, arrival, zone, watermark, refreshed_at) "
							   "VALUES ($1, $2, $3, $4::name, $5, $6, now()) "
							   "ON CONFLICT (population_id) DO UPDATE SET period = excluded.period, lateness = excluded.lateness, "
							   " arrival = excluded.arrival, watermark = excluded.watermark, refreshed_at = excluded.refreshed_at",
							   6, INT4OID, Int32GetDatum(r->population->id), false,
							   TEXTOID, CStringGetTextDatum(timeline_period_name(r->settings.months)), false,
							   INTERVALOID, IntervalPGetDatum(r->settings.lateness), false,
							   TEXTOID, r->settings.arrival == NULL ? (Datum) 0 : CStringGetTextDatum(r->settings.arrival),
							   r->settings.arrival == NULL,
							   TEXTOID, CStringGetTextDatum(r->settings.zone), false,
							   TIMESTAMPTZOID, TimestampTzGetDatum(watermark), !r->any);
	crm_catalogue_end(&session);
}

/* Rows that may be late are those that came after the last refresh, less what a long transaction may take. */
static TimestampTz
arrivals_since(const refresh *r)
{
	crm_catalogue_session session;
	TimestampTz last;

	crm_catalogue_begin(&session);
	(void) crm_catalogue_read("SELECT refreshed_at FROM @.timeline_store WHERE population_id = $1",
							  1, INT4OID, Int32GetDatum(r->population->id), false);
	last = crm_catalogue_number(0, 1, NULL);
	crm_catalogue_end(&session);
	return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval, TimestampTzGetDatum(last),
												   IntervalPGetDatum(r->settings.lateness)));
}

static void
return_row(const refresh *r, ReturnSetInfo *result, uint64 events)
{
	Datum		values[5];
	bool		nulls[5] = {false};

	values[0] = CStringGetTextDatum(r->population->name);
	nulls[1] = r->whole;
	values[1] = TimestampTzGetDatum(r->from);
	values[2] = Int64GetDatum((int64) events);
	values[3] = Int64GetDatum((int64) r->customers_met);
	values[4] = Int64GetDatum((int64) r->changed);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* Reads and stores all customers' events, or what is new of them; returns how many were read. */
static uint64
store_all(refresh *r)
{
	timeline_build *build;
	uint64		events;
	crm_env		env = crm_env_in(CurrentMemoryContext);

	r->dictionary = r->population->key_form != CRM_KEY_INTEGER || crm_keys_any(r->population);
	if (r->dictionary && !crm_keys_any(r->population))
		(void) number_new_keys(r);
	build = read_events(r);
	if (r->dictionary ? timeline_build_ignored(build) > 0 : timeline_build_negative(build) > 0)
	{
		/* keys that the dictionary has not met, or the first negative ones: number them, and once more */
		bool		had_dictionary = r->dictionary;

		r->dictionary = true;
		if (number_new_keys(r) || !had_dictionary)
		{
			timeline_build_free(build);
			build = read_events(r);
		}
	}
	events = timeline_build_count(build);

	timeline_table_open(&r->customers, false, RowExclusiveLock);
	timeline_table_open(&r->archive, true, RowExclusiveLock);
	crm_check(crm_timeline_writer_new(&env, &r->joiner), CRM_TIMELINE_TYPE, false);
	if (r->settings.exists)
		timeline_each_since(&r->customers, r->population->id, r->from, mark_customer, build);
	timeline_build_finish(build, store_customer, r);
	timeline_table_close(&r->customers, NoLock);
	timeline_table_close(&r->archive, NoLock);
	CommandCounterIncrement();
	note_refresh(r);
	return events;
}

/* refresh_timelines(population, rebuild, period, lateness, arrival) */
Datum
crm_refresh_timelines(PG_FUNCTION_ARGS)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "crm refresh of timelines", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before;
	refresh		r = {0};
	uint64		events;

	InitMaterializedSRF(fcinfo, 0);
	before = MemoryContextSwitchTo(context);

	/* wait for other writers first, then look: what they did counts */
	crm_catalogue_newest();
	r.population = crm_population_find(PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0)));
	crm_rights_require_define(r.population);
	crm_population_lock(r.population);
	PopActiveSnapshot();
	CommandCounterIncrement();
	PushCopiedSnapshot(GetTransactionSnapshot());
	UpdateActiveSnapshotCommandId();
	r.population = crm_population_find_by_id(r.population->id);
	crm_rights_check_owner(r.population->owner);
	r.mapping = timeline_mapping_read(r.population, false);
	if (r.mapping == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("population \"%s\" has no events", r.population->name),
				 errhint("Create it with events => 'public.events', event_key, event_time and event_name.")));
	decide(&r, fcinfo);
	if (r.settings.exists)
		r.arrived = arrivals_since(&r);

	crm_progress_begin("refresh_timelines", r.population->name);
	events = store_all(&r);
	crm_progress_end();
	PopActiveSnapshot();
	return_row(&r, (ReturnSetInfo *) fcinfo->resultinfo, events);
	MemoryContextSwitchTo(before);
	MemoryContextDelete(context);
	return (Datum) 0;
}

/*
 * Of a tracked population: the stored timelines of these customers, or of all
 * (ids NULL), become what the rows of events are in the active snapshot.  The
 * population's lock is held.  Nothing where no timelines are stored.
 */
void
crm_timelines_rebuild(const crm_population *population, const int64 *ids, int count)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "crm rebuild of timelines", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(context);
	refresh		r = {0};
	crm_env		env = crm_env_in(context);

	r.population = unconstify(crm_population *, population);
	r.mapping = timeline_mapping_read(population, false);
	timeline_settings_read(population, &r.settings);
	r.whole = true;
	r.from = DT_NOBEGIN;
	r.period.months = r.settings.months;
	if (r.mapping != NULL && r.settings.exists && ids == NULL)
	{
		r.newest = r.settings.watermark;
		r.any = r.settings.has_watermark;
		(void) store_all(&r);
	}
	else if (r.mapping != NULL && r.settings.exists && count > 0)
	{
		timeline_build *build = timeline_read_chosen(population, r.mapping, &r.settings, ids, count);

		timeline_table_open(&r.customers, false, RowExclusiveLock);
		timeline_table_open(&r.archive, true, RowExclusiveLock);
		crm_check(crm_timeline_writer_new(&env, &r.joiner), CRM_TIMELINE_TYPE, false);
		for (int i = 0; i < count; i++)
			timeline_build_mark(build, ids[i]);
		timeline_build_finish(build, store_customer, &r);
		timeline_table_close(&r.customers, NoLock);
		timeline_table_close(&r.archive, NoLock);
		CommandCounterIncrement();
	}
	MemoryContextSwitchTo(before);
	MemoryContextDelete(context);
	UpdateActiveSnapshotCommandId();
}
