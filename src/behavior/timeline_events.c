/*
 * timeline_events.c - questions about single events of a timeline: how many,
 * what sum, the first, the last, on how many days, how many at most at a time.
 */
#include "behavior/timeline_events.h"

#include "access/htup_details.h"
#include "behavior/behavior.h"
#include "behavior/calendar.h"
#include "funcapi.h"
#include "kernel/rfm.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_event_count);
CRM_FUNCTION(crm_event_sum);
CRM_FUNCTION(crm_first_event);
CRM_FUNCTION(crm_last_event);
CRM_FUNCTION(crm_last_event_of);
CRM_FUNCTION(crm_first_event_of);
CRM_FUNCTION(crm_active_days);
CRM_FUNCTION(crm_velocity);
CRM_FUNCTION(crm_value_velocity);
CRM_FUNCTION(crm_rfm);

/* Scratch beyond this size belongs to the call, not to the call site. */
#define SCRATCH_KEPT (256 * 1024)

void *
behavior_scratch_get(FunctionCallInfo fcinfo, behavior_scratch *scratch, Size size)
{
	if (size <= scratch->size)
		return scratch->memory;
	if (size > SCRATCH_KEPT)
		return MemoryContextAllocHuge(CurrentMemoryContext, size);
	size = Min(Max(size * 2, 1024), SCRATCH_KEPT);
	if (scratch->memory != NULL)
		pfree(scratch->memory);
	scratch->memory = NULL;
	scratch->size = 0;
	scratch->memory = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, size);
	scratch->size = size;
	return scratch->memory;
}

TupleDesc
behavior_row_type(FunctionCallInfo fcinfo, TupleDesc *slot, int columns)
{
	if (*slot == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		TupleDesc	tupdesc;

		if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE || tupdesc->natts != columns)
			elog(ERROR, "function must return a row of %d columns", columns);
		*slot = BlessTupleDesc(CreateTupleDescCopy(tupdesc));
		MemoryContextSwitchTo(old);
	}
	return *slot;
}

void
behavior_sum_add(behavior_sum *sum, float8 value)
{
	if (crm_sum_add(sum->part, &sum->parts, value) != CRM_OK)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("sum of values is out of range for double precision")));
}

float8
behavior_sum_round(const behavior_sum *sum)
{
	return crm_sum_round(sum->part, sum->parts);
}

/*
 * What (t, event, since, until) say: the events to look at.  "select" is kept
 * by the call site.
 */
static inline behavior_events
events_arguments(FunctionCallInfo fcinfo, int event, crm_timeline *timeline, behavior_selectors *select)
{
	behavior_timeline_open(PG_GETARG_DATUM(0), timeline);
	behavior_select(fcinfo, event, false, timeline, select);
	return behavior_events_begin(timeline, select, behavior_range_arguments(fcinfo, event + 1, event + 2));
}

/* Are all events meant, which is to be seen without looking at them? */
static bool
means_all(const crm_timeline *timeline, const behavior_events *events)
{
	if (events->bound->tested != 0 || events->range.since != PG_INT64_MIN || events->range.until != PG_INT64_MAX)
		return false;
	for (uint32 code = 0; code < timeline->names; code++)
		if (events->bound->by_code[code] == 0)
			return false;
	return true;
}

/* event_count(t, event, since, until) */
Datum
crm_event_count(PG_FUNCTION_ARGS)
{
	behavior_selectors *select = behavior_cache(fcinfo, sizeof(behavior_selectors));
	crm_timeline timeline;
	behavior_events events;
	int64		count = 0;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	events = events_arguments(fcinfo, 1, &timeline, select);
	if (events.bound->possible == 0)
		PG_RETURN_INT64(0);
	if (means_all(&timeline, &events))
		PG_RETURN_INT64(timeline.count);
	while (behavior_events_next(&events) != 0)
		count++;
	PG_RETURN_INT64(count);
}

/* event_sum(t, event, since, until): an event without value adds nothing */
Datum
crm_event_sum(PG_FUNCTION_ARGS)
{
	behavior_selectors *select = behavior_cache(fcinfo, sizeof(behavior_selectors));
	crm_timeline timeline;
	crm_timeline_values values;
	behavior_events events;
	behavior_sum sum = {0};
	double		value;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	events = events_arguments(fcinfo, 1, &timeline, select);
	crm_timeline_values_begin(&timeline, &values);
	if (events.bound->possible == 0 || !values.any)
		PG_RETURN_FLOAT8(0);
	while (behavior_events_next(&events) != 0)
		if (crm_timeline_value(&values, events.cursor.index, &value))
			behavior_sum_add(&sum, value);
	PG_RETURN_FLOAT8(behavior_sum_round(&sum));
}

/* first_event(t, event, since, until) */
Datum
crm_first_event(PG_FUNCTION_ARGS)
{
	behavior_selectors *select = behavior_cache(fcinfo, sizeof(behavior_selectors));
	crm_timeline timeline;
	behavior_events events;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	events = events_arguments(fcinfo, 1, &timeline, select);
	if (events.bound->possible == 0 || behavior_events_next(&events) == 0)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(events.cursor.at);
}

/* Goes to the last event of a loop; false when there is none. */
static inline bool
last_of(behavior_events *events, crm_timeline_cursor *last)
{
	bool		any = false;

	if (events->bound->possible == 0)
		return false;
	while (behavior_events_next(events) != 0)
	{
		*last = events->cursor;
		any = true;
	}
	return any;
}

/* last_event(t, event, since, until) */
Datum
crm_last_event(PG_FUNCTION_ARGS)
{
	behavior_selectors *select = behavior_cache(fcinfo, sizeof(behavior_selectors));
	crm_timeline timeline;
	crm_timeline_cursor last;
	behavior_events events;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	events = events_arguments(fcinfo, 1, &timeline, select);
	if (!last_of(&events, &last))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(last.at);
}

typedef struct last_event_memory
{
	behavior_selectors select;
	TupleDesc	row;
} last_event_memory;

/* One event of a timeline as a row. */
static Datum
event_row(FunctionCallInfo fcinfo, last_event_memory *memory, const crm_timeline *timeline, const crm_timeline_cursor *event)
{
	crm_timeline_values values;
	behavior_attribute_reader attributes;
	Datum		columns[4] = {0};
	bool		nulls[4] = {false, false, true, true};
	size_t		position = timeline->names_at;
	crm_text	name = {NULL, 0};
	double		value;
	Jsonb	   *object;

	for (uint32 code = 0; code <= event->code; code++)
		name = crm_timeline_next_name(timeline, &position);
	columns[0] = TimestampTzGetDatum(event->at);
	columns[1] = PointerGetDatum(cstring_to_text_with_len(name.data, name.size));
	crm_timeline_values_begin(timeline, &values);
	if (crm_timeline_value(&values, event->index, &value))
	{
		columns[2] = Float8GetDatum(value);
		nulls[2] = false;
	}
	behavior_attributes_begin(timeline, &attributes);
	object = behavior_event_attributes(&attributes, event->index);
	if (object != NULL)
	{
		columns[3] = JsonbPGetDatum(object);
		nulls[3] = false;
	}
	return HeapTupleGetDatum(heap_form_tuple(behavior_row_type(fcinfo, &memory->row, 4), columns, nulls));
}

/* last_event_of(t, event, since, until) -> timeline_event; of events at one instant, the last in the timeline's order */
Datum
crm_last_event_of(PG_FUNCTION_ARGS)
{
	last_event_memory *memory = behavior_cache(fcinfo, sizeof(last_event_memory));
	crm_timeline timeline;
	crm_timeline_cursor last;
	behavior_events events;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	events = events_arguments(fcinfo, 1, &timeline, &memory->select);
	if (!last_of(&events, &last))
		PG_RETURN_NULL();
	return event_row(fcinfo, memory, &timeline, &last);
}

/* first_event_of(t, event, since, until) -> timeline_event; of events at one instant, the first in the timeline's order */
Datum
crm_first_event_of(PG_FUNCTION_ARGS)
{
	last_event_memory *memory = behavior_cache(fcinfo, sizeof(last_event_memory));
	crm_timeline timeline;
	behavior_events events;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	events = events_arguments(fcinfo, 1, &timeline, &memory->select);
	if (events.bound->possible == 0 || behavior_events_next(&events) == 0)
		PG_RETURN_NULL();
	return event_row(fcinfo, memory, &timeline, &events.cursor);
}

typedef struct active_days_memory
{
	behavior_selectors select;
	behavior_calendar calendar;
} active_days_memory;

/* active_days(t, event, since, until, zone) */
Datum
crm_active_days(PG_FUNCTION_ARGS)
{
	active_days_memory *memory = behavior_cache(fcinfo, sizeof(active_days_memory));
	crm_timeline timeline;
	behavior_events events;
	int64		days = 0;
	int64		latest = PG_INT64_MIN;
	bool		before_latest = false;	/* the day before it was met, too */

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	behavior_calendar_set(&memory->calendar, BEHAVIOR_DAY, behavior_text(fcinfo, 4, "zone"), 1);
	events = events_arguments(fcinfo, 1, &timeline, &memory->select);
	if (events.bound->possible == 0)
		PG_RETURN_INT64(0);
	while (behavior_events_next(&events) != 0)
	{
		int64		day = behavior_calendar_number(&memory->calendar, events.cursor.at);

		if (day > latest)
		{
			before_latest = days > 0 && latest == day - 1;
			latest = day;
			days++;
		}
		else if (day < latest && !before_latest)
		{
			/* A clock that is put back at midnight leads into the day before once more. */
			before_latest = true;
			days++;
		}
	}
	PG_RETURN_INT64(days);
}

typedef struct velocity_memory
{
	behavior_selectors select;
	behavior_scratch scratch;
} velocity_memory;

typedef struct timed_value
{
	int64		at;
	double		value;
} timed_value;

/* velocity(t, width, event, since, until): the most events in a window */
Datum
crm_velocity(PG_FUNCTION_ARGS)
{
	velocity_memory *memory = behavior_cache(fcinfo, sizeof(velocity_memory));
	crm_timeline timeline;
	behavior_events events;
	uint64		width;
	int64	   *times;
	size_t		low = 0,
				high = 0,
				most = 0;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	width = behavior_interval(PG_ARGISNULL(1) ? NULL : PG_GETARG_INTERVAL_P(1), "width");
	events = events_arguments(fcinfo, 2, &timeline, &memory->select);
	if (events.bound->possible == 0)
		PG_RETURN_INT64(0);
	times = behavior_scratch_get(fcinfo, &memory->scratch, timeline.count * sizeof(int64));
	while (behavior_events_next(&events) != 0)
	{
		times[high++] = events.cursor.at;
		while (crm_time_between(times[low], events.cursor.at) > width)
			low++;
		most = Max(most, high - low);
	}
	PG_RETURN_INT64(most);
}

/*
 * value_velocity(t, width, event, since, until): the greatest sum of values in
 * a window that begins at an event.  The sum is exact, so what leaves the
 * window leaves nothing behind.
 */
Datum
crm_value_velocity(PG_FUNCTION_ARGS)
{
	velocity_memory *memory = behavior_cache(fcinfo, sizeof(velocity_memory));
	crm_timeline timeline;
	crm_timeline_values values;
	behavior_events events;
	uint64		width;
	timed_value *event;
	size_t		count = 0,
				high = 0;
	behavior_sum sum = {0};
	float8		greatest = 0;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	width = behavior_interval(PG_ARGISNULL(1) ? NULL : PG_GETARG_INTERVAL_P(1), "width");
	events = events_arguments(fcinfo, 2, &timeline, &memory->select);
	crm_timeline_values_begin(&timeline, &values);
	if (events.bound->possible == 0 || !values.any)
		PG_RETURN_FLOAT8(0);
	event = behavior_scratch_get(fcinfo, &memory->scratch, timeline.count * sizeof(timed_value));
	while (behavior_events_next(&events) != 0)
	{
		event[count].at = events.cursor.at;
		if (crm_timeline_value(&values, events.cursor.index, &event[count].value))
			count++;
	}
	for (size_t low = 0; low < count; low++)
	{
		if (low % BEHAVIOR_INTERRUPT_STEP == BEHAVIOR_INTERRUPT_STEP - 1)
			CHECK_FOR_INTERRUPTS();
		for (; high < count && crm_time_between(event[low].at, event[high].at) <= width; high++)
			behavior_sum_add(&sum, event[high].value);
		/* A window holds all events of its first instant. */
		if (low == 0 || event[low].at != event[low - 1].at)
		{
			float8		now = behavior_sum_round(&sum);

			if (low == 0 || now > greatest)
				greatest = now;
		}
		behavior_sum_add(&sum, -event[low].value);
	}
	PG_RETURN_FLOAT8(greatest);
}

/* rfm(t, event, since, until) -> rfm_summary; none: no last one, none counted, nothing spent */
Datum
crm_rfm(PG_FUNCTION_ARGS)
{
	last_event_memory *memory = behavior_cache(fcinfo, sizeof(last_event_memory));
	crm_timeline timeline;
	crm_timeline_values values;
	behavior_events events;
	behavior_sum sum = {0};
	int64		last = 0,
				count = 0;
	double		value;
	Datum		columns[3];
	bool		nulls[3] = {false, false, false};

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	events = events_arguments(fcinfo, 1, &timeline, &memory->select);
	crm_timeline_values_begin(&timeline, &values);
	while (events.bound->possible != 0 && behavior_events_next(&events) != 0)
	{
		last = events.cursor.at;
		count++;
		if (crm_timeline_value(&values, events.cursor.index, &value))
			behavior_sum_add(&sum, value);
	}
	nulls[0] = count == 0;
	columns[0] = TimestampTzGetDatum(last);
	columns[1] = Int64GetDatum(count);
	columns[2] = Float8GetDatum(behavior_sum_round(&sum));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(behavior_row_type(fcinfo, &memory->row, 3), columns, nulls)));
}
