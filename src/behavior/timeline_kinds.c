/*
 * timeline_kinds.c - keeping, dropping and erasing kinds of a timeline's
 * events.
 */
#include "behavior/timeline.h"

#include "common/bridge.h"

CRM_FUNCTION(crm_timeline_only);
CRM_FUNCTION(crm_timeline_without);
CRM_FUNCTION(crm_timeline_erase);

typedef struct kinds_cache
{
	crm_timeline_writer *writer;
	behavior_selectors selectors;
} kinds_cache;

/*
 * Keeps the events of the kinds that argument 1 names, or drops them; those
 * outside the range are kept.
 */
static Datum
keep_or_drop(FunctionCallInfo fcinfo, bool keep, behavior_range range)
{
	kinds_cache *cache = behavior_cache(fcinfo, sizeof(kinds_cache));
	bool		every = PG_ARGISNULL(1);
	crm_timeline_writer *writer;
	crm_timeline timeline;
	crm_timeline_cursor cursor;
	crm_timeline_event *events;
	size_t		loaded;
	size_t		kept = 0;
	Datum		result;

	behavior_timeline_open(PG_GETARG_DATUM(0), &timeline);
	if (!every)
		behavior_select(fcinfo, 1, true, &timeline, &cache->selectors);
	if (timeline.count == 0)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	writer = behavior_writer(fcinfo, &cache->writer);
	events = MemoryContextAllocHuge(CurrentMemoryContext, timeline.count * sizeof(crm_timeline_event));
	crm_check(crm_timeline_load(writer, &timeline, PG_INT64_MIN, PG_INT64_MAX, events, &loaded), CRM_TIMELINE_TYPE, false);

	/* Loading and the cursor go through the same events in the same order. */
	crm_timeline_begin(&timeline, &cursor);
	while (crm_timeline_next(&cursor) && cursor.index < loaded)
	{
		bool		inside = cursor.at >= range.since && cursor.at < range.until;
		bool		met = every || behavior_selected(&cache->selectors, &cursor) != 0;

		if (!inside || met == keep)
			events[kept++] = events[cursor.index];
		if (cursor.index % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	if (kept == timeline.count)
	{
		pfree(events);
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	result = behavior_timeline_write(writer, events, kept, false);
	pfree(events);
	return result;
}

static const behavior_range always = {PG_INT64_MIN, PG_INT64_MAX};

/* timeline_only(t, events) */
Datum
crm_timeline_only(PG_FUNCTION_ARGS)
{
	return keep_or_drop(fcinfo, true, always);
}

/* timeline_without(t, events) */
Datum
crm_timeline_without(PG_FUNCTION_ARGS)
{
	return keep_or_drop(fcinfo, false, always);
}

/* timeline_erase(t, events, since, until): without events, all of them. */
Datum
crm_timeline_erase(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	return keep_or_drop(fcinfo, false, behavior_range_arguments(fcinfo, 2, 3));
}
