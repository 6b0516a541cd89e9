/*
 * rule_locate.c - where a constant stands among the keys of a column.
 *
 * PostgreSQL compares values of different types by rules of its own (a date is
 * its midnight in the session's time zone, an integer beside a fraction becomes
 * numeric).  Each of these is monotone in the column's key, so that the keys
 * equal to a constant are one range, which may be empty; what is less lies
 * below it, what is greater above.
 */
#include "common/crm.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "tag/rule_internal.h"
#include "tag/scan_keys.h"
#include "utils/date.h"
#include "utils/timestamp.h"

/* Offsets of a zone stay within a day of each other; beyond two days around an instant none can matter. */
#define ZONE_WINDOW_HOURS 50
#define DATE_WINDOW 3

static bool
at(crm_position *position, int64 key)
{
	position->side = 0;
	position->low = position->high = key;
	return true;
}

/* Between key - 1 and key. */
static bool
before(crm_position *position, int64 key)
{
	position->side = 0;
	position->low = key;
	position->high = key - 1;
	return true;
}

static bool
beyond(crm_position *position, int side)
{
	position->side = side;
	return true;
}

static bool
integer_of(Oid type, Datum value, int64 *number)
{
	switch (type)
	{
		case INT2OID:
			*number = DatumGetInt16(value);
			return true;
		case INT4OID:
			*number = DatumGetInt32(value);
			return true;
		case INT8OID:
			*number = DatumGetInt64(value);
			return true;
	}
	return false;
}

static bool
numeric_among_integers(crm_argument_kind kind, Datum value, crm_position *position)
{
	int64		key = crm_numeric_key(value, 0);

	if (key >= 2 * CRM_NUMERIC_KEY_LIMIT || key <= -2 * CRM_NUMERIC_KEY_LIMIT)
	{
		/* Large, but a bigint may be as large. */
		if (kind == CRM_ARGUMENT_INT8 && (key == CRM_NUMERIC_KEY_LARGE || key == CRM_NUMERIC_KEY_SMALL))
			return false;
		return beyond(position, key > 0 ? 1 : -1);
	}
	/* An odd key lies between two whole numbers: key - 1 is twice the lower one. */
	return (key & 1) ? before(position, (key - 1) / 2 + 1) : at(position, key / 2);
}

static bool
float_among_integers(double value, crm_position *position)
{
	/* Two- and four-byte integers only: they all are exact as float8. */
	if (isnan(value) || value > 1e15)
		return beyond(position, 1);
	if (value < -1e15)
		return beyond(position, -1);
	return floor(value) == value ? at(position, (int64) value) : before(position, (int64) floor(value) + 1);
}

/* A date is less than, equal to or greater than an instant by its midnight in the session's zone. */
static bool
instant_among_dates(TimestampTz instant, crm_position *position)
{
	DateADT		around;
	DateADT		low,
				high;

	if (TIMESTAMP_IS_NOEND(instant))
		return at(position, DATEVAL_NOEND);
	if (TIMESTAMP_IS_NOBEGIN(instant))
		return at(position, DATEVAL_NOBEGIN);
	around = DatumGetDateADT(DirectFunctionCall1(timestamptz_date, TimestampTzGetDatum(instant)));
	if (date_cmp_timestamptz_internal(around - DATE_WINDOW, instant) >= 0 ||
		date_cmp_timestamptz_internal(around + DATE_WINDOW, instant) <= 0)
		return false;
	for (low = around - DATE_WINDOW; date_cmp_timestamptz_internal(low, instant) < 0;)
		low++;
	for (high = around + DATE_WINDOW; date_cmp_timestamptz_internal(high, instant) > 0;)
		high--;
	position->side = 0;
	position->low = low;
	position->high = high;
	return low <= high + 1;
}

/*
 * A time without zone is compared with an instant as if it stood in the
 * session's zone.  Where clocks are put forward that is not monotone: then the
 * rule is left to the executor.
 */
static bool
instant_among_local_times(TimestampTz instant, crm_position *position)
{
	Timestamp	local;
	int64		offset = 0;

	if (TIMESTAMP_NOT_FINITE(instant))
		return at(position, instant);
	local = DatumGetTimestamp(DirectFunctionCall1(timestamptz_timestamp, TimestampTzGetDatum(instant)));
	for (int hour = -ZONE_WINDOW_HOURS; hour <= ZONE_WINDOW_HOURS; hour++)
	{
		Timestamp	sample = local + hour * USECS_PER_HOUR;
		int			overflow = 0;
		TimestampTz converted;

		if (!IS_VALID_TIMESTAMP(sample))
			return false;
		converted = timestamp2timestamptz_opt_overflow(sample, &overflow);
		if (overflow != 0)
			return false;
		if (hour == -ZONE_WINDOW_HOURS)
			offset = converted - sample;
		else if (converted - sample != offset)
			return false;
	}
	return at(position, instant - offset);
}

static bool
locate_time(crm_argument_kind kind, Oid type, Datum value, crm_position *position)
{
	int			overflow = 0;
	int64		key;

	switch (kind)
	{
		case CRM_ARGUMENT_DATE:
			if (type == DATEOID)
				return at(position, DatumGetDateADT(value));
			if (type == TIMESTAMPTZOID)
				return instant_among_dates(DatumGetTimestampTz(value), position);
			if (type == TIMESTAMPOID)
			{
				Timestamp	local = DatumGetTimestamp(value);

				if (TIMESTAMP_IS_NOEND(local))
					return at(position, DATEVAL_NOEND);
				if (TIMESTAMP_IS_NOBEGIN(local))
					return at(position, DATEVAL_NOBEGIN);
				key = local / USECS_PER_DAY;
				if (key * USECS_PER_DAY == local)
					return at(position, key);
				return before(position, local < 0 ? key : key + 1);
			}
			return false;
		case CRM_ARGUMENT_TIMESTAMP:
			if (type == TIMESTAMPOID)
				return at(position, DatumGetTimestamp(value));
			if (type == TIMESTAMPTZOID)
				return instant_among_local_times(DatumGetTimestampTz(value), position);
			if (type == DATEOID)
			{
				key = date2timestamp_opt_overflow(DatumGetDateADT(value), &overflow);
				return overflow == 0 && at(position, key);
			}
			return false;
		case CRM_ARGUMENT_TIMESTAMPTZ:
			if (type == TIMESTAMPTZOID)
				return at(position, DatumGetTimestampTz(value));
			if (type == TIMESTAMPOID)
				key = timestamp2timestamptz_opt_overflow(DatumGetTimestamp(value), &overflow);
			else if (type == DATEOID)
				key = date2timestamptz_opt_overflow(DatumGetDateADT(value), &overflow);
			else
				return false;
			return overflow == 0 && at(position, key);
		default:
			return false;
	}
}

bool
crm_rule_locate(crm_argument_kind kind, Oid seen_as, int fraction, Oid type, Datum value, crm_position *position)
{
	int64		number;

	switch (kind)
	{
		case CRM_ARGUMENT_BOOL:
			return type == BOOLOID && at(position, DatumGetBool(value));
		case CRM_ARGUMENT_INT2:
		case CRM_ARGUMENT_INT4:
		case CRM_ARGUMENT_INT8:
			if (seen_as == NUMERICOID)
				return type == NUMERICOID && numeric_among_integers(kind, value, position);
			if (seen_as == FLOAT8OID)
				return type == FLOAT8OID && float_among_integers(DatumGetFloat8(value), position);
			return integer_of(type, value, &number) && at(position, number);
		case CRM_ARGUMENT_FLOAT4:
		case CRM_ARGUMENT_FLOAT8:
			if (type == FLOAT4OID)
				return at(position, crm_float_key(DatumGetFloat4(value)));
			return type == FLOAT8OID && at(position, crm_float_key(DatumGetFloat8(value)));
		case CRM_ARGUMENT_NUMERIC:
			if (type != NUMERICOID)
				return false;
			number = crm_numeric_key(value, fraction);
			if (number == CRM_NUMERIC_KEY_NAN || number == CRM_NUMERIC_KEY_PLUS_INFINITY ||
				number == CRM_NUMERIC_KEY_MINUS_INFINITY)
				return at(position, number);
			/* Exact, with no decimals cut off. */
			return (number & 1) == 0 && number < 2 * CRM_NUMERIC_KEY_LIMIT && number > -2 * CRM_NUMERIC_KEY_LIMIT &&
				at(position, number);
		case CRM_ARGUMENT_DATE:
		case CRM_ARGUMENT_TIMESTAMP:
		case CRM_ARGUMENT_TIMESTAMPTZ:
			return locate_time(kind, type, value, position);
		default:
			return false;
	}
}
