/*
 * timeline_edit.c - making timelines of timelines: joining, cutting by time.
 */
#include "behavior/timeline.h"

#include "common/bridge.h"

CRM_FUNCTION(crm_timeline_concat);
CRM_FUNCTION(crm_timeline_distinct);
CRM_FUNCTION(crm_timeline_slice);

static crm_timeline_event *
event_array(size_t count)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(count, 1) * sizeof(crm_timeline_event));
}

/* Writes the events as the function's result. */
static Datum
write_events(crm_timeline_writer *writer, crm_timeline_event *events, size_t count, bool distinct)
{
	Datum		result = behavior_timeline_write(writer, events, count, distinct);

	pfree(events);
	return result;
}

/* timeline_concat(a, b): the events of both. */
Datum
crm_timeline_concat(PG_FUNCTION_ARGS)
{
	crm_timeline_writer **slot = behavior_cache(fcinfo, sizeof(crm_timeline_writer *));
	crm_timeline_writer *writer;
	crm_timeline a;
	crm_timeline b;
	crm_timeline_event *events;
	size_t		count_a;
	size_t		count_b;

	behavior_timeline_open(PG_GETARG_DATUM(0), &a);
	behavior_timeline_open(PG_GETARG_DATUM(1), &b);
	if (a.count == 0)
		PG_RETURN_DATUM(PG_GETARG_DATUM(1));
	if (b.count == 0)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	writer = behavior_writer(fcinfo, slot);
	events = event_array(a.count + b.count);
	crm_check(crm_timeline_load(writer, &a, PG_INT64_MIN, PG_INT64_MAX, events, &count_a), CRM_TIMELINE_TYPE, false);
	crm_check(crm_timeline_load(writer, &b, PG_INT64_MIN, PG_INT64_MAX, events + count_a, &count_b), CRM_TIMELINE_TYPE, false);
	return write_events(writer, events, count_a + count_b, false);
}

/* timeline_distinct(t): of events that are equal in everything, one. */
Datum
crm_timeline_distinct(PG_FUNCTION_ARGS)
{
	crm_timeline_writer **slot = behavior_cache(fcinfo, sizeof(crm_timeline_writer *));
	crm_timeline_writer *writer = behavior_writer(fcinfo, slot);
	crm_timeline timeline;
	crm_timeline_event *events;
	size_t		count;

	behavior_timeline_open(PG_GETARG_DATUM(0), &timeline);
	events = event_array(timeline.count);
	crm_check(crm_timeline_load(writer, &timeline, PG_INT64_MIN, PG_INT64_MAX, events, &count), CRM_TIMELINE_TYPE, false);
	return write_events(writer, events, count, true);
}

/* timeline_slice(t, since, until): the events of a range of time. */
Datum
crm_timeline_slice(PG_FUNCTION_ARGS)
{
	crm_timeline_writer **slot = behavior_cache(fcinfo, sizeof(crm_timeline_writer *));
	behavior_range range = behavior_range_arguments(fcinfo, 1, 2);
	crm_timeline_writer *writer;
	crm_timeline timeline;
	crm_timeline_event *events;
	size_t		count;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	behavior_timeline_open(PG_GETARG_DATUM(0), &timeline);
	if (timeline.count == 0)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	writer = behavior_writer(fcinfo, slot);
	events = event_array(timeline.count);
	crm_check(crm_timeline_load(writer, &timeline, range.since, range.until, events, &count), CRM_TIMELINE_TYPE, false);
	return write_events(writer, events, count, false);
}
