/*
 * calendar.h - cutting time into hours, days, weeks, months, quarters and years of a zone.
 *
 * Periods are numbered, so that "the next" is one more: hours and days from
 * 2000-01-01, weeks from the week that holds it, months, quarters and years
 * from January 2000.  They are periods of the local clock and calendar: an hour
 * that a clock set back shows twice is one period, one that it leaps over has a
 * number and no times.  The offset of the zone and the period met last are kept,
 * so a time costs two comparisons, or a division or two.
 */
#ifndef CRM_BEHAVIOR_CALENDAR_H
#define CRM_BEHAVIOR_CALENDAR_H

#include "common/crm.h"

#include "datatype/timestamp.h"
#include "pgtime.h"
#include "utils/date.h"

#define BEHAVIOR_CALENDAR_SPANS 16	/* eight years of summer and winter */

typedef enum behavior_period
{
	BEHAVIOR_HOUR, BEHAVIOR_DAY, BEHAVIOR_WEEK, BEHAVIOR_MONTH, BEHAVIOR_QUARTER, BEHAVIOR_YEAR
} behavior_period;

/* Instants from, included, to until, not included, between which a zone has one offset. */
typedef struct behavior_span
{
	int64		from;
	int64		until;
	int64		offset;			/* microseconds to add to get local time */
} behavior_span;

typedef struct behavior_calendar
{
	behavior_period period;
	int			week_start;		/* 1 Monday ... 7 Sunday */
	pg_tz	   *zone;			/* NULL: UTC */
	char		zone_name[TZ_STRLEN_MAX + 1];
	behavior_span span;			/* of the time asked for last */
	behavior_span spans[BEHAVIOR_CALENDAR_SPANS];	/* met before, in a ring */
	int			spans_next;
	int64		held_from;		/* times from here ... */
	int64		held_until;		/* ... before here lie in this period */
	int64		held_number;
} behavior_calendar;

/* 'day', 'week', ... ; 22023 listing them. */
extern behavior_period behavior_period_argument(const text *period);
/* Prepares the calendar unless it is prepared so already; 22023 for an unknown zone or a week_start outside 1 .. 7. */
extern void behavior_calendar_set(behavior_calendar *calendar, behavior_period period, const text *zone, int week_start);
/* Number of the period that holds a finite time. */
extern int64 behavior_calendar_number(behavior_calendar *calendar, TimestampTz at);
/* The local date on which a period begins (for hours: the day that holds it). */
extern DateADT behavior_calendar_date(const behavior_calendar *calendar, int64 number);
/* The instant at which a period begins: where the local clock leaps, the first instant of the period. */
extern TimestampTz behavior_calendar_begin(behavior_calendar *calendar, int64 number);
/* Local hour of the day 0 .. 23 and day of the week 1 Monday .. 7 Sunday. */
extern void behavior_calendar_clock(behavior_calendar *calendar, TimestampTz at, int *hour, int *weekday);

#endif							/* CRM_BEHAVIOR_CALENDAR_H */
