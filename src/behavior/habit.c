/*
 * habit.c - the hours and days of the week at which a customer does things.
 */
#include "behavior/personal.h"

#include "behavior/calendar.h"
#include "funcapi.h"

CRM_FUNCTION(crm_habit);
CRM_FUNCTION(crm_habit_hour);
CRM_FUNCTION(crm_habit_weekday);

#define WEEKDAYS 7
#define HOURS 24

typedef struct habit_cache
{
	behavior_selectors select;
	behavior_calendar calendar;
} habit_cache;

typedef struct habit_counts
{
	int64		all;
	int64		at[WEEKDAYS][HOURS];	/* local time, Monday first */
} habit_counts;

/* Counts the events that (t, event, since, until, zone) say. */
static void
count_habit(FunctionCallInfo fcinfo, habit_cache *cache, habit_counts *counts)
{
	crm_timeline timeline;
	behavior_events events;

	memset(counts, 0, sizeof(*counts));
	if (PG_ARGISNULL(4))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", "zone")));
	behavior_calendar_set(&cache->calendar, BEHAVIOR_HOUR, PG_GETARG_TEXT_PP(4), 1);
	behavior_timeline_open(PG_GETARG_DATUM(0), &timeline);
	behavior_select(fcinfo, 1, false, &timeline, &cache->select);
	events = behavior_events_begin(&timeline, &cache->select, behavior_range_arguments(fcinfo, 2, 3));
	while (behavior_events_next(&events) != 0)
	{
		int			hour;
		int			weekday;

		behavior_calendar_clock(&cache->calendar, events.cursor.at, &hour, &weekday);
		counts->at[weekday - 1][hour]++;
		counts->all++;
	}
}

/* habit(t, event, since, until, zone): a row for each hour of the week with events. */
Datum
crm_habit(PG_FUNCTION_ARGS)
{
	habit_cache *cache = behavior_cache(fcinfo, sizeof(habit_cache));
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	habit_counts counts;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	count_habit(fcinfo, cache, &counts);
	for (int weekday = 0; weekday < WEEKDAYS; weekday++)
		for (int hour = 0; hour < HOURS; hour++)
		{
			int64		events = counts.at[weekday][hour];
			Datum		row[4];
			bool		nulls[4] = {false};

			if (events == 0)
				continue;
			row[0] = Int32GetDatum(weekday + 1);
			row[1] = Int32GetDatum(hour);
			row[2] = Int64GetDatum(events);
			row[3] = Float8GetDatum((double) events / (double) counts.all);
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, nulls);
		}
	return (Datum) 0;
}

/* The place of the greatest number, the first of equals, or -1 when all are zero. */
static int
greatest(const int64 *numbers, int count)
{
	int			place = -1;

	for (int i = 0; i < count; i++)
		if (numbers[i] > (place < 0 ? 0 : numbers[place]))
			place = i;
	return place;
}

/* habit_hour(t, event, since, until, zone) */
Datum
crm_habit_hour(PG_FUNCTION_ARGS)
{
	habit_cache *cache = behavior_cache(fcinfo, sizeof(habit_cache));
	habit_counts counts;
	int64		hours[HOURS] = {0};
	int			hour;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	count_habit(fcinfo, cache, &counts);
	for (int weekday = 0; weekday < WEEKDAYS; weekday++)
		for (int h = 0; h < HOURS; h++)
			hours[h] += counts.at[weekday][h];
	hour = greatest(hours, HOURS);
	if (hour < 0)
		PG_RETURN_NULL();
	PG_RETURN_INT32(hour);
}

/* habit_weekday(t, event, since, until, zone) */
Datum
crm_habit_weekday(PG_FUNCTION_ARGS)
{
	habit_cache *cache = behavior_cache(fcinfo, sizeof(habit_cache));
	habit_counts counts;
	int64		weekdays[WEEKDAYS] = {0};
	int			weekday;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	count_habit(fcinfo, cache, &counts);
	for (int w = 0; w < WEEKDAYS; w++)
		for (int h = 0; h < HOURS; h++)
			weekdays[w] += counts.at[w][h];
	weekday = greatest(weekdays, WEEKDAYS);
	if (weekday < 0)
		PG_RETURN_NULL();
	PG_RETURN_INT32(weekday + 1);
}
