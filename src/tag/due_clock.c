/*
 * due_clock.c - the calendar ahead: when the days, months and hours of a zone
 * begin, and when its clocks change.
 *
 * A point too many does no harm.  Where a local time comes twice or never, both
 * readings of it are therefore points, and so is every change of the clocks.
 */
#include "common/crm.h"

#include "datatype/timestamp.h"
#include "tag/due_plan.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#define UNIX_EPOCH (((int64) POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

/* The years before and behind in which changes of clocks are looked up. */
#define CHANGES_YEARS 12

/* ---- changes of the clocks ------------------------------------------------------- */

static TimestampTz
from_unix(pg_time_t at)
{
	return ((TimestampTz) at - UNIX_EPOCH) * USECS_PER_SEC;
}

static pg_time_t
to_unix(TimestampTz at)
{
	int64		seconds = at / USECS_PER_SEC;

	if (at % USECS_PER_SEC < 0)
		seconds--;
	return (pg_time_t) (seconds + UNIX_EPOCH);
}

/* The first change of a zone's offset behind a time and not behind the end; DT_NOEND for none. */
static TimestampTz
next_change(pg_tz *zone, TimestampTz after, TimestampTz end)
{
	pg_time_t	at = to_unix(after);

	for (;;)
	{
		pg_time_t	boundary;
		long		before_offset,
					after_offset;
		int			before_summer,
					after_summer;

		if (pg_next_dst_boundary(&at, &before_offset, &before_summer, &boundary, &after_offset, &after_summer, zone) != 1 ||
			from_unix(boundary) > end)
			return DT_NOEND;
		if (before_offset != after_offset)
			return from_unix(boundary);
		at = boundary;
	}
}

void
crm_due_changes_find(crm_due_changes *changes, TimestampTz around)
{
	TimestampTz at;

	changes->first = around - CHANGES_YEARS * INT64CONST(366) * USECS_PER_DAY;
	changes->last = around + CHANGES_YEARS * INT64CONST(366) * USECS_PER_DAY;
	changes->count = 0;
	changes->room = 64;
	changes->at = palloc(changes->room * sizeof(TimestampTz));
	for (at = changes->first; (at = next_change(session_timezone, at, changes->last)) != DT_NOEND;)
	{
		if (changes->count == changes->room)
		{
			changes->room *= 2;
			changes->at = repalloc(changes->at, changes->room * sizeof(TimestampTz));
		}
		changes->at[changes->count++] = at;
	}
}

bool
crm_due_calm(const crm_due_changes *changes, TimestampTz at)
{
	int			low = 0;
	int			high = changes->count;

	if (at < changes->first + CRM_DUE_CLOCKS || at > changes->last - CRM_DUE_CLOCKS)
		return false;
	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (changes->at[middle] < at - CRM_DUE_CLOCKS)
			low = middle + 1;
		else
			high = middle;
	}
	return low == changes->count || changes->at[low] > at + CRM_DUE_CLOCKS;
}

int
crm_due_day(TimestampTz at)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			offset;

	return timestamp2tm(at, &offset, &tm, &fsec, NULL, NULL) == 0 ? tm.tm_mday : 0;
}

/* ---- beginnings of units ------------------------------------------------------------ */

TimestampTz
crm_due_round_up(TimestampTz after, int64 unit)
{
	int64		down = after - after % unit;

	if (down > after)
		down -= unit;
	return down + unit;
}

/* Moves a local time to the next beginning of a unit. */
static void
next_local(struct pg_tm *tm, crm_clock_unit unit)
{
	tm->tm_min = tm->tm_sec = 0;
	switch (unit)
	{
		case CRM_UNIT_YEAR:
			tm->tm_year++;
			tm->tm_mon = 1;
			tm->tm_mday = 1;
			tm->tm_hour = 0;
			break;
		case CRM_UNIT_MONTH:
			if (++tm->tm_mon > MONTHS_PER_YEAR)
			{
				tm->tm_mon = 1;
				tm->tm_year++;
			}
			tm->tm_mday = 1;
			tm->tm_hour = 0;
			break;
		case CRM_UNIT_DAY:
			j2date(date2j(tm->tm_year, tm->tm_mon, tm->tm_mday) + 1, &tm->tm_year, &tm->tm_mon, &tm->tm_mday);
			tm->tm_hour = 0;
			break;
		default:
			if (++tm->tm_hour == HOURS_PER_DAY)
			{
				j2date(date2j(tm->tm_year, tm->tm_mon, tm->tm_mday) + 1, &tm->tm_year, &tm->tm_mon, &tm->tm_mday);
				tm->tm_hour = 0;
			}
			break;
	}
}

/* The first point behind a time. */
static TimestampTz
next_point(crm_clock_unit unit, pg_tz *zone, TimestampTz after)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			offset;
	int			there;
	Timestamp	local;
	TimestampTz best;
	TimestampTz as_now;
	TimestampTz as_there;

	if (unit == CRM_UNIT_MINUTE)
		return crm_due_round_up(after, USECS_PER_MINUTE);
	if (unit == CRM_UNIT_QUARTER || timestamp2tm(after, &offset, &tm, &fsec, NULL, zone) != 0)
		return crm_due_round_up(after, CRM_DUE_QUARTER);
	next_local(&tm, unit);
	there = DetermineTimeZoneOffset(&tm, zone);
	if (tm2timestamp(&tm, 0, NULL, &local) != 0)
		return crm_due_round_up(after, CRM_DUE_QUARTER);
	/* the local time by today's clock, and by that of then; and where the clock changes, whatever it says */
	as_now = local + offset * USECS_PER_SEC;
	as_there = local + there * USECS_PER_SEC;
	best = next_change(zone, after, Max(as_now, as_there));
	if (as_now > after)
		best = Min(best, as_now);
	if (as_there > after)
		best = Min(best, as_there);
	return best > after && best != DT_NOEND ? best : crm_due_round_up(after, CRM_DUE_QUARTER);
}

crm_due_points *
crm_due_points_new(crm_clock_unit unit, pg_tz *zone)
{
	/* about the horizon, or what is worth the time: whoever is not due within is due at the last */
	static const int most[] = {
		[CRM_UNIT_YEAR] = 6,[CRM_UNIT_MONTH] = 20,[CRM_UNIT_DAY] = 400,[CRM_UNIT_HOUR] = 200,
		[CRM_UNIT_QUARTER] = 200,[CRM_UNIT_MINUTE] = 60
	};
	crm_due_points *points = palloc(offsetof(crm_due_points, at) + most[unit] * sizeof(TimestampTz));

	points->unit = unit;
	points->zone = zone;
	points->count = 0;
	points->most = most[unit];
	return points;
}

TimestampTz
crm_due_point(crm_due_points *points, TimestampTz after, int n)
{
	while (points->count <= n)
	{
		points->at[points->count] = next_point(points->unit, points->zone != NULL ? points->zone : session_timezone,
											   points->count == 0 ? after : points->at[points->count - 1]);
		points->count++;
	}
	return points->at[n];
}
