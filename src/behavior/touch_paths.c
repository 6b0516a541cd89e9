/*
 * touch_paths.c - paths of touches from a timeline, for attribution.
 */
#include "behavior/behavior.h"
#include "behavior/timeline.h"

#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "funcapi.h"
#include "kernel/journey.h"
#include "utils/array.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_touch_paths);

#define PATH_COLUMNS 6

/* What a call site keeps: the arguments, parsed. */
typedef struct touch_cache
{
	behavior_selectors channels;
	behavior_selectors conversion;
} touch_cache;

/* The events that matter, in order, and what they are worth. */
typedef struct touch_list
{
	crm_touch  *events;
	double	   *values;
	size_t		count;
} touch_list;

/* An event that several channels mean is a touch of the first of them. */
static touch_list
read_touches(const crm_timeline *timeline, const touch_cache *cache)
{
	touch_list	list = {0};
	crm_timeline_cursor cursor;
	crm_timeline_values values;

	list.events = MemoryContextAllocHuge(CurrentMemoryContext, Max(timeline->count, 1) * sizeof(crm_touch));
	list.values = MemoryContextAllocHuge(CurrentMemoryContext, Max(timeline->count, 1) * sizeof(double));
	crm_timeline_values_begin(timeline, &values);
	crm_timeline_begin(timeline, &cursor);
	while (crm_timeline_next(&cursor))
	{
		uint64		channels = behavior_selected(&cache->channels, &cursor);
		bool		converts = behavior_selected(&cache->conversion, &cursor) != 0;
		double		value = 0;

		if (cursor.index % 4096 == 4095)
			CHECK_FOR_INTERRUPTS();
		if (channels == 0 && !converts)
			continue;
		if (converts && !crm_timeline_value(&values, cursor.index, &value))
			value = 0;
		list.events[list.count] = (crm_touch) {cursor.at, channels == 0 ? 0 : (uint32) crm_ctz64(channels) + 1, converts};
		list.values[list.count++] = value;
	}
	return list;
}

/* One path as a row. */
static void
put_journey(ReturnSetInfo *result, const touch_list *list, const size_t *places, const crm_journey *journey, const Datum *channels)
{
	size_t		count = journey->to - journey->from;
	Datum	   *touches = palloc(sizeof(Datum) * Max(count, 1));
	ArrayType  *path;
	Datum		values[PATH_COLUMNS];
	bool		nulls[PATH_COLUMNS] = {false, false, false, false, count == 0, !journey->converts};

	for (size_t i = 0; i < count; i++)
		touches[i] = channels[list->events[places[journey->from + i]].channel - 1];
	path = construct_array(touches, (int) count, TEXTOID, -1, false, TYPALIGN_INT);
	values[0] = PointerGetDatum(path);
	values[1] = Float8GetDatum(journey->converts ? 1 : 0);
	values[2] = Float8GetDatum(journey->converts ? 0 : 1);
	values[3] = Float8GetDatum(journey->converts ? list->values[journey->conversion] : 0);
	values[4] = count == 0 ? (Datum) 0 : TimestampTzGetDatum(list->events[places[journey->from]].at);
	values[5] = journey->converts ? TimestampTzGetDatum(list->events[journey->conversion].at) : (Datum) 0;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	pfree(path);
	pfree(touches);
}

/* touch_paths(t timeline, channels text[], conversion text, lookback interval) */
Datum
crm_touch_paths(PG_FUNCTION_ARGS)
{
	touch_cache *cache = behavior_cache(fcinfo, sizeof(touch_cache));
	int64		lookback = PG_ARGISNULL(3) ? PG_INT64_MAX : behavior_interval(PG_GETARG_INTERVAL_P(3), "lookback");
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_timeline timeline;
	touch_list	list;
	Datum	   *channels;
	bool	   *channel_nulls;
	int			channel_count;
	size_t	   *places;
	crm_journey *journeys;
	size_t		count;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("conversion must not be null"),
				 errhint("Name the event that is a conversion, as in 'order'.")));
	behavior_timeline_open(PG_GETARG_DATUM(0), &timeline);
	behavior_select(fcinfo, 1, true, &timeline, &cache->channels);
	behavior_select(fcinfo, 2, false, &timeline, &cache->conversion);
	list = read_touches(&timeline, cache);

	/* Touches bear the names by which they were asked for. */
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &channels, &channel_nulls, &channel_count);
	places = MemoryContextAllocHuge(CurrentMemoryContext, Max(list.count, 1) * sizeof(size_t));
	journeys = MemoryContextAllocHuge(CurrentMemoryContext, (list.count + 1) * sizeof(crm_journey));
	crm_journeys(&env, list.events, list.count, lookback, places, journeys, &count);
	for (size_t i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_journey((ReturnSetInfo *) fcinfo->resultinfo, &list, places, &journeys[i], channels);
	}
	return (Datum) 0;
}
