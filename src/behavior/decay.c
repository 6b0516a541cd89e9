/*
 * decay.c - sums in which an event counts less the longer ago it was, and the
 * arguments that functions about one customer's ways share.
 */
#include "behavior/personal.h"

#include <math.h>

#include "behavior/behavior.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_decayed_sum);
CRM_FUNCTION(crm_decayed_count);

behavior_range
behavior_as_of_argument(FunctionCallInfo fcinfo, int argument)
{
	behavior_range range = {PG_INT64_MIN, 0};

	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", "as_of")));
	range.until = PG_GETARG_TIMESTAMPTZ(argument);
	if (TIMESTAMP_NOT_FINITE(range.until))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("argument \"%s\" must be finite", "as_of")));
	return range;
}

int64
behavior_positive_interval(const Interval *interval, const char *name)
{
	int64		width = behavior_interval(interval, name);

	if (width == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be greater than zero", name)));
	return width;
}

double
behavior_decay(int64 at, int64 as_of, int64 half_life)
{
	return exp2(-(double) crm_time_between(at, as_of) / (double) half_life);
}

bool
behavior_channel(const crm_timeline *timeline, const text *name, crm_timeline_channel *channel)
{
	crm_timeline_channel channels[CRM_TIMELINE_MAX_CHANNELS];

	if (timeline->channels == 0)
		return false;
	crm_timeline_channels(timeline, channels);
	for (uint32 c = 0; c < timeline->channels; c++)
		if (channels[c].name.size == VARSIZE_ANY_EXHDR(name) &&
			memcmp(channels[c].name.data, VARDATA_ANY(name), channels[c].name.size) == 0)
		{
			*channel = channels[c];
			return true;
		}
	return false;
}

Datum
behavior_interval_datum(uint64 microseconds)
{
	Interval   *interval = palloc(sizeof(Interval));

	interval->month = 0;
	interval->day = (int32) (microseconds / USECS_PER_DAY);
	interval->time = (TimeOffset) (microseconds % USECS_PER_DAY);
	return IntervalPGetDatum(interval);
}

/* decayed_...(t, half_life, event, as_of) */
static Datum
decayed(FunctionCallInfo fcinfo, bool counted)
{
	behavior_selectors *select = behavior_cache(fcinfo, sizeof(behavior_selectors));
	crm_timeline timeline;
	crm_timeline_values values;
	behavior_events events;
	behavior_range range;
	int64		half_life;
	double		sum = 0;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	half_life = behavior_positive_interval(PG_ARGISNULL(1) ? NULL : PG_GETARG_INTERVAL_P(1), "half_life");
	range = behavior_as_of_argument(fcinfo, 3);
	behavior_timeline_open(PG_GETARG_DATUM(0), &timeline);
	behavior_select(fcinfo, 2, false, &timeline, select);
	crm_timeline_values_begin(&timeline, &values);
	events = behavior_events_begin(&timeline, select, range);
	while (behavior_events_next(&events) != 0)
	{
		double		value = 1;

		if (counted || crm_timeline_value(&values, events.cursor.index, &value))
			sum += value * behavior_decay(events.cursor.at, range.until, half_life);
	}
	if (!isfinite(sum))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("sum of values is out of range for double precision")));
	PG_RETURN_FLOAT8(sum);
}

Datum
crm_decayed_sum(PG_FUNCTION_ARGS)
{
	return decayed(fcinfo, false);
}

Datum
crm_decayed_count(PG_FUNCTION_ARGS)
{
	return decayed(fcinfo, true);
}
