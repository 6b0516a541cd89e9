/*
 * arguments.c - arguments that the room's functions share.
 */
#include "behavior/behavior.h"

#include "common/int.h"
#include "utils/array.h"
#include "utils/timestamp.h"

uint64
behavior_conditions(FunctionCallInfo fcinfo, int argument, int *conditions)
{
	ArrayType  *array;
	const char *values;
	const bits8 *nulls;
	uint64		met = 0;
	int			count;

	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("array of conditions must not be null"),
				 errhint("Single conditions may be null: they count as false.")));
	array = PG_GETARG_ARRAYTYPE_P(argument);
	if (ARR_NDIM(array) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("array of conditions must have one dimension and at least one element")));
	count = ARR_DIMS(array)[0];
	if (count > CRM_MAX_CONDITIONS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many conditions: %d", count),
				 errdetail("There may be at most %d conditions.", CRM_MAX_CONDITIONS)));

	/* A boolean is a byte without alignment, and a null takes no place. */
	values = ARR_DATA_PTR(array);
	nulls = ARR_NULLBITMAP(array);
	if (nulls == NULL)
	{
		for (int i = 0; i < count; i++)
			met |= (uint64) (values[i] != 0) << i;
	}
	else
	{
		for (int i = 0; i < count; i++)
			if (nulls[i / 8] & (1 << i % 8))
				met |= (uint64) (*values++ != 0) << i;
	}
	*conditions = count;
	return met;
}

TimestampTz
behavior_finite(TimestampTz at)
{
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("time of an event must be finite")));
	return at;
}

const text *
behavior_text(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", name)));
	return PG_GETARG_TEXT_PP(argument);
}

int64
behavior_interval(const Interval *interval, const char *name)
{
	int64		width;

	if (interval == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", name)));
	if (interval->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must not have months or years: \"%s\"", name,
						DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(interval)))),
				 errdetail("Months differ in length."),
				 errhint("Write days, as in interval '30 days'.")));
	if (pg_mul_s64_overflow(interval->day, USECS_PER_DAY, &width) ||
		pg_add_s64_overflow(width, interval->time, &width) || width < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must not be negative or too long: \"%s\"", name,
						DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(interval))))));
	return width;
}
