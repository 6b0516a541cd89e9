/*
 * trend.c - where one customer's spending goes: its slope per period, its
 * season, and whether it moves to other categories.
 */
#include "behavior/personal.h"

#include <math.h>

#include "access/htup_details.h"
#include "behavior/calendar.h"
#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "funcapi.h"
#include "kernel/robust.h"
#include "utils/array.h"

CRM_FUNCTION(crm_trend);

#define MAX_PERIODS 1000
#define SLOPE_PERIODS 3
#define MAX_SEASON 24
#define COLUMNS 7

typedef struct trend_cache
{
	behavior_selectors select;
	behavior_calendar calendar;
	TupleDesc	row;
} trend_cache;

/* The periods looked at: first ... first + count - 1. */
typedef struct trend_window
{
	int64		first;
	int			count;
	double	   *sums;
} trend_window;

/* How many periods make a season, 0 for those that make none. */
static int
season_of(behavior_period period)
{
	switch (period)
	{
		case BEHAVIOR_HOUR:
			return 24;
		case BEHAVIOR_DAY:
			return 7;
		case BEHAVIOR_MONTH:
			return 12;
		case BEHAVIOR_QUARTER:
			return 4;
		default:
			return 0;
	}
}

/* A period's place in its season, from 0: January, the first quarter, Monday, midnight. */
static int
season_place(behavior_period period, int64 number)
{
	int			season = season_of(period);
	/* Months and hours are counted from the first of a season; 2000-01-01 was a Saturday. */
	int64		place = (period == BEHAVIOR_DAY ? number + 5 : number) % season;

	return (int) (place < 0 ? place + season : place);
}

/* Sums the values of the events of each period; the window's first is set, its end given by the range. */
static void
sum_periods(trend_cache *cache, const crm_timeline *timeline, behavior_range range, int most, trend_window *window)
{
	int64		end = behavior_calendar_number(&cache->calendar, range.until);
	behavior_events events = behavior_events_begin(timeline, &cache->select, range);
	crm_timeline_values values;
	bool		begun = false;

	window->count = 0;
	crm_timeline_values_begin(timeline, &values);
	while (behavior_events_next(&events) != 0)
	{
		int64		number = behavior_calendar_number(&cache->calendar, events.cursor.at);
		double		value;

		/* The period that holds as_of is not over. */
		if (number >= end)
			continue;
		if (!begun)
		{
			begun = true;
			window->first = Max(number, end - most);
			window->count = (int) (end - window->first);
			window->sums = palloc0(window->count * sizeof(double));
		}
		if (number >= window->first && crm_timeline_value(&values, events.cursor.index, &value))
			window->sums[number - window->first] += value;
	}
}

/* Total variation distance between the shares of spending of two halves; false when a half spent nothing. */
static bool
category_shift(trend_cache *cache, const crm_timeline *timeline, const crm_timeline_channel *channel, behavior_range range,
			   const trend_window *window, double *shift)
{
	Size		codes = (Size) channel->values + 1;
	double	   *spent = MemoryContextAllocExtended(CurrentMemoryContext, 2 * codes * sizeof(double), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	double		total[2] = {0, 0};
	behavior_events events = behavior_events_begin(timeline, &cache->select, range);
	crm_timeline_values values;
	double		distance = 0;

	crm_timeline_values_begin(timeline, &values);
	while (behavior_events_next(&events) != 0)
	{
		int64		place = behavior_calendar_number(&cache->calendar, events.cursor.at) - window->first;
		double		value;

		/* Of an odd number of periods the middle one belongs to neither half. */
		if (place >= 0 && place < window->count && (place < window->count / 2 || place >= (window->count + 1) / 2) &&
			crm_timeline_value(&values, events.cursor.index, &value))
			spent[(place < window->count / 2 ? 0 : codes) + crm_timeline_channel_code(channel, events.cursor.index)] += value;
	}
	for (int half = 0; half < 2; half++)
		for (Size code = 0; code < codes; code++)
		{
			double	   *part = &spent[half * codes + code];

			/* More given back than bought is nothing spent. */
			*part = Max(*part, 0);
			total[half] += *part;
		}
	if (!(total[0] > 0) || !(total[1] > 0) || !isfinite(total[0]) || !isfinite(total[1]))
		return false;
	for (Size code = 0; code < codes; code++)
		distance += fabs(spent[code] / total[0] - spent[codes + code] / total[1]);
	*shift = Min(distance / 2, 1);
	return true;
}

static text *
text_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", name)));
	return PG_GETARG_TEXT_PP(argument);
}

/* trend(t, event, period, periods, category, as_of, zone, week_start) */
Datum
crm_trend(PG_FUNCTION_ARGS)
{
	trend_cache *cache = behavior_cache(fcinfo, sizeof(trend_cache));
	TupleDesc	row = behavior_row_type(fcinfo, &cache->row, COLUMNS);
	crm_env		env = crm_env_in(CurrentMemoryContext);
	Datum		result[COLUMNS] = {0};
	bool		nulls[COLUMNS] = {false, true, true, true, true, true, true};
	behavior_range range;
	behavior_period period;
	trend_window window = {0};
	crm_timeline timeline;
	crm_timeline_channel channel;
	double		total = 0;
	double		mean;
	double		slope;
	int			season;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	period = behavior_period_argument(text_argument(fcinfo, 2, "period"));
	if (PG_ARGISNULL(3) || PG_GETARG_INT32(3) < SLOPE_PERIODS || PG_GETARG_INT32(3) > MAX_PERIODS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must lie between %d and %d", "periods", SLOPE_PERIODS, MAX_PERIODS)));
	range = behavior_as_of_argument(fcinfo, 5);
	if (PG_ARGISNULL(7))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", "week_start")));
	behavior_calendar_set(&cache->calendar, period, text_argument(fcinfo, 6, "zone"), PG_GETARG_INT32(7));
	behavior_timeline_open(PG_GETARG_DATUM(0), &timeline);
	behavior_select(fcinfo, 1, false, &timeline, &cache->select);

	sum_periods(cache, &timeline, range, PG_GETARG_INT32(3), &window);
	result[0] = Int32GetDatum(window.count);
	for (int i = 0; i < window.count; i++)
		total += window.sums[i];
	if (!isfinite(total))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("sum of values is out of range for double precision")));
	mean = window.count == 0 ? 0 : total / window.count;
	if (window.count > 0)
	{
		result[1] = Float8GetDatum(total);
		result[2] = Float8GetDatum(mean);
		nulls[1] = nulls[2] = false;
	}

	season = season_of(period);
	if (season > 0 && window.count < 2 * season)
		season = 0;
	if (window.count >= SLOPE_PERIODS)
	{
		crm_check(crm_robust_slope(&env, window.sums, window.count, season, &slope), CRM_TIMELINE_TYPE, false);
		if (isfinite(slope))
		{
			result[3] = Float8GetDatum(slope);
			nulls[3] = false;
			if (mean > 0)
			{
				result[4] = Float8GetDatum(slope / mean);
				nulls[4] = false;
			}
		}
	}
	if (season > 0)
	{
		double		ratios[MAX_SEASON];
		Datum		elements[MAX_SEASON];
		bool		found;

		crm_check(crm_seasonal_ratios(&env, window.sums, window.count, season, season_place(period, window.first), ratios, &found),
				  CRM_TIMELINE_TYPE, false);
		if (found)
		{
			for (int i = 0; i < season; i++)
				elements[i] = Float8GetDatum(ratios[i]);
			result[5] = PointerGetDatum(construct_array(elements, season, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
			nulls[5] = false;
		}
	}
	if (!PG_ARGISNULL(4) && window.count >= 2 && behavior_channel(&timeline, PG_GETARG_TEXT_PP(4), &channel))
	{
		double		shift;

		if (category_shift(cache, &timeline, &channel, range, &window, &shift))
		{
			result[6] = Float8GetDatum(shift);
			nulls[6] = false;
		}
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(row, result, nulls)));
}
