/*
 * activity_timeline.c - the activity of a timeline.
 */
#include "behavior/activity.h"
#include "behavior/timeline.h"

#include "common/bridge.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_activity);

/* What a call site keeps; the writer's and the events' memory lives as long. */
typedef struct activity_cache
{
	activity_maker maker;
	behavior_selectors start;
	behavior_selectors back;
	activity_writer writer;
	crm_event  *events;
	Size		room;
} activity_cache;

/* Which marks an event makes; bits where the selectors are absent. */
typedef struct activity_marks
{
	unsigned	always;
	const behavior_selectors *start;
	const behavior_selectors *back;
} activity_marks;

static inline unsigned
marks_of(const activity_marks *by, const crm_timeline_cursor *cursor)
{
	unsigned	marks = by->always;

	if (by->start && behavior_selected(by->start, cursor))
		marks |= ACTIVITY_STARTED;
	if (by->back && behavior_selected(by->back, cursor))
		marks |= ACTIVITY_BACK;
	return marks;
}

static inline int64
number_at(behavior_calendar *calendar, int64 at)
{
	if (at >= calendar->held_from && at < calendar->held_until)
		return calendar->held_number;
	return behavior_calendar_number(calendar, at);
}

/* False when a clock set back over midnight shows a period again: entries would not ascend. */
static bool
write_calendar(activity_cache *cache, const crm_timeline *timeline, const activity_marks *by)
{
	behavior_calendar *calendar = &cache->maker.calendar;
	crm_timeline_cursor cursor;
	int64		number = PG_INT64_MIN;
	unsigned	marks = 0;

	crm_timeline_begin(timeline, &cursor);
	while (crm_timeline_next(&cursor))
	{
		int64		this = number_at(calendar, cursor.at);

		if (this != number)
		{
			if (this < number)
				return false;
			if (marks)
				activity_write_entry(&cache->writer, number, marks);
			number = this;
			marks = 0;
		}
		if (marks != ACTIVITY_MARKS)
			marks |= marks_of(by, &cursor);
	}
	if (marks)
		activity_write_entry(&cache->writer, number, marks);
	return true;
}

/* Collects periods in the order of time and sorts them. */
static void
write_sorted(FunctionCallInfo fcinfo, activity_cache *cache, const crm_timeline *timeline, const activity_marks *by)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_timeline_cursor cursor;
	Size		count = 0;

	if (cache->room < timeline->count)
	{
		if (cache->events)
			pfree(cache->events);
		cache->room = 0;
		cache->events = MemoryContextAllocHuge(fcinfo->flinfo->fn_mcxt, timeline->count * sizeof(crm_event));
		cache->room = timeline->count;
	}
	crm_timeline_begin(timeline, &cursor);
	while (crm_timeline_next(&cursor))
	{
		unsigned	marks = marks_of(by, &cursor);

		if (marks)
			cache->events[count++] = (crm_event) {number_at(&cache->maker.calendar, cursor.at), marks};
	}
	crm_check(crm_events_sort(&env, cache->events, count), "crm.activity", false);
	activity_write_events(&cache->writer, &cache->maker, cache->events, count);
}

static void
write_24_hours(activity_cache *cache, const crm_timeline *timeline, const activity_marks *by)
{
	crm_timeline_cursor cursor;
	int64		from = 0;
	int64		number = 0;
	unsigned	pending = 0;	/* marks of the instant before the first start is found */
	int64		instant = PG_INT64_MIN;
	unsigned	marks = 0;
	bool		started = false;

	crm_timeline_begin(timeline, &cursor);
	while (crm_timeline_next(&cursor))
	{
		unsigned	these = marks_of(by, &cursor);
		int64		this;

		if (!started)
		{
			/* Of events of one instant none comes first. */
			pending = cursor.at == instant ? pending | these : these;
			instant = cursor.at;
			if (!(these & ACTIVITY_STARTED))
				continue;
			started = true;
			from = cursor.at;
			marks = pending;
			activity_write_anchor(&cache->writer, behavior_calendar_number(&cache->maker.calendar, from));
			continue;
		}
		this = (int64) (crm_time_between(from, cursor.at) / USECS_PER_DAY);
		if (this != number)
		{
			if (marks)
				activity_write_entry(&cache->writer, number, marks);
			number = this;
			marks = 0;
		}
		marks |= these;
	}
	if (marks)
		activity_write_entry(&cache->writer, number, marks);
}

/* activity(t timeline, period text, zone text, start text, back text); without start or back every event is one. */
Datum
crm_activity(PG_FUNCTION_ARGS)
{
	activity_cache *cache;
	crm_timeline timeline;
	activity_marks by = {0};

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	for (int i = 1; i <= 2; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"%s\" must not be null", i == 1 ? "period" : "zone")));
	cache = behavior_cache(fcinfo, sizeof(activity_cache));
	cache->writer.context = fcinfo->flinfo->fn_mcxt;
	activity_maker_set(&cache->maker, PG_GETARG_TEXT_PP(1), PG_GETARG_TEXT_PP(2));
	behavior_timeline_open(PG_GETARG_DATUM(0), &timeline);
	if (PG_ARGISNULL(3))
		by.always |= ACTIVITY_STARTED;
	else
	{
		behavior_select(fcinfo, 3, false, &timeline, &cache->start);
		by.start = &cache->start;
	}
	if (PG_ARGISNULL(4))
		by.always |= ACTIVITY_BACK;
	else
	{
		behavior_select(fcinfo, 4, false, &timeline, &cache->back);
		by.back = &cache->back;
	}

	activity_write_head(&cache->writer, cache->maker.head.bytes, cache->maker.head.size);
	if (cache->maker.period == ACTIVITY_24_HOURS)
		write_24_hours(cache, &timeline, &by);
	else if (!write_calendar(cache, &timeline, &by))
		write_sorted(fcinfo, cache, &timeline, &by);
	PG_RETURN_DATUM(activity_written(&cache->writer));
}
