/*
 * rhythm.c - how often a customer does something by habit, and whether it is
 * overdue by that habit.
 */
#include "behavior/personal.h"

#include <math.h>

#include "access/htup_details.h"
#include "behavior/behavior.h"
#include "funcapi.h"
#include "kernel/robust.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_rhythm);
CRM_FUNCTION(crm_overdue);

/* The median absolute deviation times this is the standard deviation where gaps are normal (Rousseeuw & Croux 1993). */
#define NORMAL_SPREAD 1.4826

/* Gaps beyond the median by so many spreads are outliers by Hampel's rule (Davies & Gather 1993). */
#define OUTLYING 3

/* Gaps that it takes to call something overdue. */
#define OVERDUE_GAPS 3

typedef struct rhythm_cache
{
	behavior_selectors select;
	behavior_scratch gaps;
	TupleDesc	row;
} rhythm_cache;

typedef struct rhythm
{
	int64		occasions;
	int64		last;			/* if there is an occasion */
	uint64		median;			/* if there are two */
	uint64		spread;			/* if there are three */
	uint64		allowed;		/* gap that is not overdue yet, if there are OVERDUE_GAPS + 1 */
} rhythm;

/* Measures what (t, event, as_of, occasion) say; argument 0 is there. */
static rhythm
measure(FunctionCallInfo fcinfo, rhythm_cache *cache)
{
	behavior_range range = behavior_as_of_argument(fcinfo, 2);
	uint64		width = behavior_interval(PG_ARGISNULL(3) ? NULL : PG_GETARG_INTERVAL_P(3), "occasion");
	crm_timeline timeline;
	behavior_events events;
	uint64	   *gaps;
	Size		count = 0;
	int64		before = 0;
	rhythm		r = {0};

	behavior_timeline_open(PG_GETARG_DATUM(0), &timeline);
	behavior_select(fcinfo, 1, false, &timeline, &cache->select);
	gaps = behavior_scratch_get(fcinfo, &cache->gaps, timeline.count * sizeof(uint64));
	events = behavior_events_begin(&timeline, &cache->select, range);
	while (behavior_events_next(&events) != 0)
	{
		int64		at = events.cursor.at;

		/* What follows soon upon the event before belongs to the same occasion. */
		if (r.occasions == 0 || crm_time_between(before, at) > width)
		{
			if (r.occasions++ > 0)
				gaps[count++] = crm_time_between(r.last, at);
			r.last = at;
		}
		before = at;
	}
	if (count == 0)
		return r;
	r.median = crm_median_whole(gaps, count);
	if (count == 1)
		return r;
	for (Size i = 0; i < count; i++)
		gaps[i] = gaps[i] > r.median ? gaps[i] - r.median : r.median - gaps[i];
	r.spread = (uint64) rint(NORMAL_SPREAD * (double) crm_median_whole(gaps, count));
	/* A clock-like customer has no spread: half a gap late is still not overdue. */
	r.allowed = r.median + Max(OUTLYING * r.spread, r.median / 2);
	return r;
}

/* A time after another; false beyond the end of time. */
static bool
later(int64 at, uint64 gap, TimestampTz *result)
{
	if (gap >= crm_time_between(at, END_TIMESTAMP))
		return false;
	*result = (int64) ((uint64) at + gap);
	return true;
}

/* rhythm(t, event, as_of, occasion) */
Datum
crm_rhythm(PG_FUNCTION_ARGS)
{
	rhythm_cache *cache = behavior_cache(fcinfo, sizeof(rhythm_cache));
	TupleDesc	row = behavior_row_type(fcinfo, &cache->row, 6);
	Datum		values[6] = {0};
	bool		nulls[6] = {false, true, true, true, true, true};
	TimestampTz at;
	rhythm		r;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	r = measure(fcinfo, cache);
	values[0] = Int64GetDatum(r.occasions);
	if (r.occasions > 0)
	{
		values[1] = TimestampTzGetDatum(r.last);
		nulls[1] = false;
	}
	if (r.occasions > 1)
	{
		values[2] = behavior_interval_datum(r.median);
		nulls[2] = false;
		if (later(r.last, r.median, &at))
		{
			values[4] = TimestampTzGetDatum(at);
			nulls[4] = false;
		}
	}
	if (r.occasions > 2)
	{
		values[3] = behavior_interval_datum(r.spread);
		nulls[3] = false;
	}
	if (r.occasions > OVERDUE_GAPS && later(r.last, r.allowed, &at))
	{
		values[5] = TimestampTzGetDatum(at);
		nulls[5] = false;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(row, values, nulls)));
}

/* overdue(t, event, as_of, occasion): NULL when there are too few events to tell. */
Datum
crm_overdue(PG_FUNCTION_ARGS)
{
	rhythm_cache *cache = behavior_cache(fcinfo, sizeof(rhythm_cache));
	rhythm		r;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	r = measure(fcinfo, cache);
	if (r.occasions <= OVERDUE_GAPS)
		PG_RETURN_NULL();
	PG_RETURN_BOOL(crm_time_between(r.last, PG_GETARG_TIMESTAMPTZ(2)) > r.allowed);
}
