/*
 * calendar.c - cutting time into periods of a zone's calendar.
 */
#include "behavior/calendar.h"

#include "common/int.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_period_number);
CRM_FUNCTION(crm_period_start);

/* 2000-01-01, day 0, was a Saturday, day 6 of a week that begins on Monday. */
#define DAY_0_WEEKDAY 6
#define EPOCH_SECONDS ((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)
#define LONGEST_OFFSET (INT64CONST(2) * USECS_PER_DAY)

static const char *const period_names[] = {"hour", "day", "week", "month", "quarter", "year"};

static inline int64
floor_divide(int64 a, int64 b)
{
	return a / b - (a % b < 0);
}

behavior_period
behavior_period_argument(const text *period)
{
	const char *data = VARDATA_ANY(period);
	Size		size = VARSIZE_ANY_EXHDR(period);

	for (int i = 0; i < lengthof(period_names); i++)
		if (strlen(period_names[i]) == size && memcmp(period_names[i], data, size) == 0)
			return (behavior_period) i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown period: \"%s\"", text_to_cstring(period)),
			 errhint("Periods are hour, day, week, month, quarter and year.")));
}

/* A zone by its name, as pg_timezone_names has it, or in POSIX form. */
static pg_tz *
find_zone(const char *name)
{
	pg_tz	   *zone = pg_tzset(name);

	if (zone == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" not recognized", name),
				 errhint("Names of time zones are in the view pg_timezone_names, for example Asia/Shanghai.")));
	if (!pg_tz_acceptable(zone))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" appears to use leap seconds", name),
				 errdetail("PostgreSQL does not support leap seconds.")));
	return zone;
}

void
behavior_calendar_set(behavior_calendar *calendar, behavior_period period, const text *zone, int week_start)
{
	const char *name = VARDATA_ANY(zone);
	Size		size = VARSIZE_ANY_EXHDR(zone);

	if (calendar->zone_name[0] != '\0' && calendar->period == period && calendar->week_start == week_start &&
		size <= TZ_STRLEN_MAX && calendar->zone_name[size] == '\0' && memcmp(calendar->zone_name, name, size) == 0)
		return;

	if (week_start < 1 || week_start > 7)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a week cannot begin on day %d", week_start),
				 errhint("Days of the week are 1 for Monday to 7 for Sunday.")));
	if (size == 0 || size > TZ_STRLEN_MAX || memchr(name, '\0', size) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" not recognized", text_to_cstring(zone))));

	memset(calendar, 0, sizeof(*calendar));
	calendar->period = period;
	calendar->week_start = week_start;
	memcpy(calendar->zone_name, name, size);
	if (pg_strcasecmp(calendar->zone_name, "UTC") == 0)
	{
		calendar->span.from = PG_INT64_MIN;
		calendar->span.until = PG_INT64_MAX;
	}
	else
	{
		char		copy[TZ_STRLEN_MAX + 1];

		/* A name counts as set only once the zone is found: the struct outlives an error that somebody catches. */
		strlcpy(copy, calendar->zone_name, sizeof(copy));
		calendar->zone_name[0] = '\0';
		calendar->zone = find_zone(copy);
		strlcpy(calendar->zone_name, copy, sizeof(copy));
	}
}

/*
 * The offset around a time.  The server's library tells the offset at an
 * instant and the next change after it, so one starts half a year before.
 */
static behavior_span
measure_span(const behavior_calendar *calendar, int64 at)
{
	pg_time_t	second = floor_divide(at, USECS_PER_SEC) + EPOCH_SECONDS;
	pg_time_t	probe = second - 180 * SECS_PER_DAY;
	behavior_span span;

	for (;;)
	{
		long int	before,
					after;
		int			before_dst,
					after_dst;
		pg_time_t	boundary = 0;
		int			found = pg_next_dst_boundary(&probe, &before, &before_dst, &boundary, &after, &after_dst, calendar->zone);

		if (found < 0)
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("timestamp out of range")));
		if (found == 0 || boundary > second)
		{
			span.from = (probe - EPOCH_SECONDS) * USECS_PER_SEC;
			if (found == 0 || pg_mul_s64_overflow(boundary - EPOCH_SECONDS, USECS_PER_SEC, &span.until))
				span.until = PG_INT64_MAX;
			span.offset = (int64) before * USECS_PER_SEC;
			return span;
		}
		probe = boundary;
	}
}

/* Makes calendar->span the one that holds a time. */
static void
find_span(behavior_calendar *calendar, int64 at)
{
	const behavior_span *kept = calendar->spans;

	for (int i = 0; i < BEHAVIOR_CALENDAR_SPANS; i++)
	{
		if (at >= kept[i].from && at < kept[i].until)
		{
			calendar->span = kept[i];
			return;
		}
	}
	calendar->span = measure_span(calendar, at);
	calendar->spans[calendar->spans_next] = calendar->span;
	calendar->spans_next = (calendar->spans_next + 1) % BEHAVIOR_CALENDAR_SPANS;
}

static inline int64
local_time(behavior_calendar *calendar, TimestampTz at)
{
	if (at < calendar->span.from || at >= calendar->span.until)
		find_span(calendar, at);
	return at + calendar->span.offset;
}

/* How many days of the week that holds 2000-01-01 lie before it. */
static inline int
days_before_day_0(const behavior_calendar *calendar)
{
	return (DAY_0_WEEKDAY - calendar->week_start + 7) % 7;
}

static int
months_of_period(behavior_period period)
{
	return period == BEHAVIOR_MONTH ? 1 : period == BEHAVIOR_QUARTER ? 3 : 12;
}

static int64
number_of_day(const behavior_calendar *calendar, int64 day)
{
	int			year,
				month,
				day_of_month;

	switch (calendar->period)
	{
		case BEHAVIOR_WEEK:
			return floor_divide(day + days_before_day_0(calendar), 7);
		case BEHAVIOR_MONTH:
		case BEHAVIOR_QUARTER:
		case BEHAVIOR_YEAR:
			j2date((int) (day + POSTGRES_EPOCH_JDATE), &year, &month, &day_of_month);
			return floor_divide((int64) (year - 2000) * 12 + month - 1, months_of_period(calendar->period));
		default:
			return day;
	}
}

/* Days from 2000-01-01 to the first day of a period; hours have no say here. */
static int64
first_day(const behavior_calendar *calendar, int64 number)
{
	int64		months;

	switch (calendar->period)
	{
		case BEHAVIOR_HOUR:
			return floor_divide(number, HOURS_PER_DAY);
		case BEHAVIOR_DAY:
			return number;
		case BEHAVIOR_WEEK:
			return number * 7 - days_before_day_0(calendar);
		default:
			months = number * months_of_period(calendar->period);
			return date2j((int) (2000 + floor_divide(months, 12)), (int) (months - floor_divide(months, 12) * 12) + 1, 1) -
				POSTGRES_EPOCH_JDATE;
	}
}

/* Local time, in microseconds from 2000-01-01, at which a period begins. */
static inline int64
local_begin(const behavior_calendar *calendar, int64 number)
{
	if (calendar->period == BEHAVIOR_HOUR)
		return number * USECS_PER_HOUR;
	return first_day(calendar, number) * USECS_PER_DAY;
}

int64
behavior_calendar_number(behavior_calendar *calendar, TimestampTz at)
{
	int64		local;
	int64		number;
	int64		begin,
				end;

	if (at >= calendar->held_from && at < calendar->held_until)
		return calendar->held_number;

	local = local_time(calendar, at);
	if (calendar->period == BEHAVIOR_WEEK || calendar->period == BEHAVIOR_DAY)
	{
		/* The usual cases, with divisions by constants. */
		int64		shift = calendar->period == BEHAVIOR_DAY ? 0 : days_before_day_0(calendar) * USECS_PER_DAY;
		int64		width = calendar->period == BEHAVIOR_DAY ? USECS_PER_DAY : 7 * USECS_PER_DAY;

		number = calendar->period == BEHAVIOR_DAY ? floor_divide(local, USECS_PER_DAY) : floor_divide(local + shift, 7 * USECS_PER_DAY);
		begin = number * width - shift - calendar->span.offset;
		calendar->held_from = Max(begin, calendar->span.from);
		calendar->held_until = at < END_TIMESTAMP - 8 * USECS_PER_DAY ? Min(begin + width, calendar->span.until) : at;
		calendar->held_number = number;
		return number;
	}
	if (calendar->period == BEHAVIOR_HOUR)
		number = floor_divide(local, USECS_PER_HOUR);
	else
		number = number_of_day(calendar, floor_divide(local, USECS_PER_DAY));

	/* The period's last instants may lie behind what a timestamp can tell. */
	begin = local_begin(calendar, number) - calendar->span.offset;
	end = at < END_TIMESTAMP - INT64CONST(400) * USECS_PER_DAY ?
		local_begin(calendar, number + 1) - calendar->span.offset : at;
	calendar->held_from = Max(begin, calendar->span.from);
	calendar->held_until = Min(end, calendar->span.until);
	calendar->held_number = number;
	return number;
}

DateADT
behavior_calendar_date(const behavior_calendar *calendar, int64 number)
{
	return (DateADT) first_day(calendar, number);
}

/* The first instant at which the local clock shows the period's beginning or more. */
TimestampTz
behavior_calendar_begin(behavior_calendar *calendar, int64 number)
{
	int64		begin = local_begin(calendar, number);
	int64		at = Max(begin - LONGEST_OFFSET, MIN_TIMESTAMP);

	for (;;)
	{
		behavior_span *span = &calendar->span;

		(void) local_time(calendar, at);
		if (span->until == PG_INT64_MAX || span->until + span->offset > begin)
		{
			at = Max(begin - span->offset, at);
			break;
		}
		at = span->until;
	}
	if (!IS_VALID_TIMESTAMP(at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return at;
}

void
behavior_calendar_clock(behavior_calendar *calendar, TimestampTz at, int *hour, int *weekday)
{
	int64		local = local_time(calendar, at);
	int64		day = floor_divide(local, USECS_PER_DAY);
	int64		weeks = floor_divide(day + DAY_0_WEEKDAY - 1, 7);

	*hour = (int) ((local - day * USECS_PER_DAY) / USECS_PER_HOUR);
	*weekday = (int) (day + DAY_0_WEEKDAY - 1 - weeks * 7) + 1;
}

/* The calendar of a call site, prepared for the arguments period, ts, zone, week_start. */
static behavior_calendar *
calendar_arguments(FunctionCallInfo fcinfo)
{
	behavior_calendar *calendar = fcinfo->flinfo->fn_extra;

	if (calendar == NULL)
		calendar = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(behavior_calendar));
	behavior_calendar_set(calendar, behavior_period_argument(PG_GETARG_TEXT_PP(0)), PG_GETARG_TEXT_PP(2), PG_GETARG_INT32(3));
	if (TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(1)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("time must be finite")));
	return calendar;
}

/* period_number(period text, ts timestamptz, zone text, week_start int) */
Datum
crm_period_number(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(behavior_calendar_number(calendar_arguments(fcinfo), PG_GETARG_TIMESTAMPTZ(1)));
}

/* period_start(period text, ts timestamptz, zone text, week_start int) */
Datum
crm_period_start(PG_FUNCTION_ARGS)
{
	behavior_calendar *calendar = calendar_arguments(fcinfo);

	PG_RETURN_TIMESTAMPTZ(behavior_calendar_begin(calendar, behavior_calendar_number(calendar, PG_GETARG_TIMESTAMPTZ(1))));
}
