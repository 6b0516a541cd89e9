/*
 * explain_line.c - the values of a column's type: their order, their steps, and
 * how far they lie apart.
 *
 * All types but numeric are seen as whole numbers, which keep their order:
 * floats by their bits, times as microseconds.  What compares equal there
 * compares equal by the type's own operator, and the other way round.
 */
#include "common/crm.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "tag/explain.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#define NUMERIC_CALL2(function, a, b) DirectFunctionCall2(function, a, b)

crm_line
crm_line_of(Oid type, int32 typmod)
{
	crm_line	line = {CRM_LINE_NONE, InvalidOid, typmod};

	line.type = getBaseTypeAndTypmod(type, &line.typmod);
	switch (line.type)
	{
		case BOOLOID:
			line.kind = CRM_LINE_BOOL;
			break;
		case INT2OID:
		case INT4OID:
		case INT8OID:
			line.kind = CRM_LINE_INTEGER;
			break;
		case FLOAT4OID:
		case FLOAT8OID:
			line.kind = CRM_LINE_FLOAT;
			break;
		case NUMERICOID:
			line.kind = CRM_LINE_NUMERIC;
			break;
		case DATEOID:
			line.kind = CRM_LINE_DATE;
			break;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			line.kind = CRM_LINE_TIME;
			break;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			line.kind = CRM_LINE_TEXT;
			break;
	}
	return line;
}

bool
crm_line_ordered(const crm_line *line)
{
	return line->kind >= CRM_LINE_INTEGER;
}

/* numeric(p, s) has p digits, s of them behind the point; false for plain numeric. */
static bool
numeric_digits(const crm_line *line, int *precision, int *scale)
{
	if (line->typmod < (int32) VARHDRSZ)
		return false;
	*precision = ((line->typmod - VARHDRSZ) >> 16) & 0xffff;
	*scale = (((line->typmod - VARHDRSZ) & 0x7ff) ^ 1024) - 1024;
	return true;
}

bool
crm_line_stepped(const crm_line *line)
{
	int			precision,
				scale;

	return line->kind == CRM_LINE_INTEGER || line->kind == CRM_LINE_DATE ||
		(line->kind == CRM_LINE_NUMERIC && numeric_digits(line, &precision, &scale));
}

/* ---- whole numbers that keep the order ---------------------------------------------- */

static int64
key_of_bits(int64 bits)
{
	return bits >= 0 ? bits : (int64) ((uint64) PG_INT64_MIN - (uint64) bits);
}

static int64
key_of(const crm_line *line, Datum value)
{
	switch (line->type)
	{
		case BOOLOID:
			return DatumGetBool(value);
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		case DATEOID:
			return DatumGetDateADT(value);
		case FLOAT4OID:
			{
				float4		number = DatumGetFloat4(value);
				int32		bits;

				/* NaN comes next to infinity. */
				if (isnan(number))
					return key_of(line, Float4GetDatum(get_float4_infinity())) + 1;
				memcpy(&bits, &number, sizeof(bits));
				return bits >= 0 ? bits : (int64) PG_INT32_MIN - bits;
			}
		case FLOAT8OID:
			{
				float8		number = DatumGetFloat8(value);
				int64		bits;

				if (isnan(number))
					return key_of(line, Float8GetDatum(get_float8_infinity())) + 1;
				memcpy(&bits, &number, sizeof(bits));
				return key_of_bits(bits);
			}
		default:
			return DatumGetInt64(value);
	}
}

/* The value of a number, which is one of the type's. */
static Datum
value_of(const crm_line *line, int64 key)
{
	switch (line->type)
	{
		case BOOLOID:
			return BoolGetDatum(key != 0);
		case INT2OID:
			return Int16GetDatum((int16) key);
		case INT4OID:
			return Int32GetDatum((int32) key);
		case DATEOID:
			return DateADTGetDatum((DateADT) key);
		case FLOAT4OID:
			{
				int32		bits = (int32) (key >= 0 ? key : PG_INT32_MIN - key);
				float4		number;

				memcpy(&number, &bits, sizeof(number));
				return Float4GetDatum(number);
			}
		case FLOAT8OID:
			{
				int64		bits = key_of_bits(key);
				float8		number;

				memcpy(&number, &bits, sizeof(number));
				return Float8GetDatum(number);
			}
		default:
			return Int64GetDatum(key);
	}
}

/* The values of the type that have neighbours, as numbers. */
static void
key_range(const crm_line *line, int64 *low, int64 *high)
{
	switch (line->type)
	{
		case INT2OID:
			*low = PG_INT16_MIN;
			*high = PG_INT16_MAX;
			break;
		case INT4OID:
			*low = PG_INT32_MIN;
			*high = PG_INT32_MAX;
			break;
		case DATEOID:
			*low = DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE;
			*high = DATE_END_JULIAN - POSTGRES_EPOCH_JDATE - 1;
			break;
		case FLOAT4OID:
			*high = key_of(line, Float4GetDatum(get_float4_nan()));
			*low = 1 - *high;
			break;
		case FLOAT8OID:
			*high = key_of(line, Float8GetDatum(get_float8_nan()));
			*low = 1 - *high;
			break;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			*low = MIN_TIMESTAMP;
			*high = END_TIMESTAMP - 1;
			break;
		default:
			*low = PG_INT64_MIN;
			*high = PG_INT64_MAX;
			break;
	}
}

/* ---- numeric --------------------------------------------------------------------------- */

static bool
is_number(Datum value)
{
	return !numeric_is_nan(DatumGetNumeric(value)) && !numeric_is_inf(DatumGetNumeric(value));
}

static Datum
power_of_ten(int exponent)
{
	return DirectFunctionCall3(numeric_in, CStringGetDatum(psprintf("1e%d", exponent)),
							   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

#define NAN_NUMERIC DirectFunctionCall3(numeric_in, CStringGetDatum("NaN"), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1))

static int
numeric_compare(Datum a, Datum b)
{
	return DatumGetInt32(NUMERIC_CALL2(numeric_cmp, a, b));
}

/* Does a number fit numeric(p, s)? */
static bool
numeric_fits(const crm_line *line, Datum value)
{
	int			precision,
				scale;

	return !numeric_digits(line, &precision, &scale) || !is_number(value) ||
		numeric_compare(DirectFunctionCall1(numeric_abs, value), power_of_ten(precision - scale)) < 0;
}

/* ---- order ------------------------------------------------------------------------------ */

int
crm_line_compare(const crm_line *line, Datum a, Datum b)
{
	int64		x,
				y;

	if (line->kind == CRM_LINE_NUMERIC)
		return numeric_compare(a, b);
	if (line->kind == CRM_LINE_TEXT)
	{
		char	   *s = TextDatumGetCString(a);
		char	   *t = TextDatumGetCString(b);
		int			result = strcmp(s, t);

		pfree(s);
		pfree(t);
		return result;
	}
	x = key_of(line, a);
	y = key_of(line, b);
	return x < y ? -1 : x > y;
}

bool
crm_line_step(const crm_line *line, Datum value, int direction, Datum *next)
{
	int64		low,
				high,
				key;
	int			precision,
				scale;

	if (line->kind == CRM_LINE_NUMERIC)
	{
		if (!numeric_digits(line, &precision, &scale) || !is_number(value))
			return false;
		*next = NUMERIC_CALL2(direction > 0 ? numeric_add : numeric_sub, value, power_of_ten(-scale));
		return numeric_fits(line, *next);
	}
	key_range(line, &low, &high);
	key = key_of(line, value);
	if (key < low || key > high || key == (direction > 0 ? high : low))
		return false;
	*next = value_of(line, key + direction);
	return true;
}

/* Some number between two, infinity and NaN among them; NaN is the greatest. */
static bool
numeric_between(const crm_line *line, Datum low, Datum high, Datum *value)
{
	int			precision,
				scale;

	if (numeric_digits(line, &precision, &scale))
		return is_number(low) ? crm_line_step(line, low, 1, value) && numeric_compare(*value, high) < 0 : false;
	if (is_number(low) && is_number(high))
	{
		*value = NUMERIC_CALL2(numeric_mul, NUMERIC_CALL2(numeric_add, low, high), power_of_ten(-1));
		*value = NUMERIC_CALL2(numeric_mul, *value, DirectFunctionCall1(int8_numeric, Int64GetDatum(5)));
		return true;
	}
	if (is_number(low) || is_number(high))
		*value = is_number(low) ? NUMERIC_CALL2(numeric_add, low, power_of_ten(0)) : NUMERIC_CALL2(numeric_sub, high, power_of_ten(0));
	else
		*value = crm_line_origin(line);
	return numeric_compare(*value, low) > 0 && numeric_compare(*value, high) < 0;
}

bool
crm_line_between(const crm_line *line, Datum low, Datum high, Datum *value)
{
	int64		lowest,
				highest;

	if (line->kind == CRM_LINE_NUMERIC)
		return numeric_between(line, low, high, value);
	key_range(line, &lowest, &highest);
	lowest = Max(lowest, key_of(line, low) < PG_INT64_MAX ? key_of(line, low) + 1 : PG_INT64_MAX);
	highest = Min(highest, key_of(line, high) > PG_INT64_MIN ? key_of(line, high) - 1 : PG_INT64_MIN);
	if (lowest > highest)
		return false;
	*value = value_of(line, lowest);
	return true;
}

static bool
numeric_beyond(const crm_line *line, Datum value, int direction, Datum *beyond)
{
	int			precision,
				scale;
	bool		stepped = numeric_digits(line, &precision, &scale);

	if (!is_number(value))
	{
		/* Below NaN and infinity, and above what is less than every number, all numbers lie. */
		*beyond = crm_line_origin(line);
		if (numeric_compare(*beyond, value) == (direction > 0 ? 1 : -1))
			return true;
		*beyond = NAN_NUMERIC;
		return direction > 0 && numeric_compare(*beyond, value) > 0;
	}
	if (!stepped)
	{
		*beyond = NUMERIC_CALL2(direction > 0 ? numeric_add : numeric_sub, value, power_of_ten(0));
		return true;
	}
	if (crm_line_step(line, value, direction, beyond))
		return true;
	*beyond = NAN_NUMERIC;
	return direction > 0;
}

bool
crm_line_beyond(const crm_line *line, Datum value, int direction, Datum *beyond)
{
	int64		low,
				high,
				key;

	if (line->kind == CRM_LINE_NUMERIC)
		return numeric_beyond(line, value, direction, beyond);
	key_range(line, &low, &high);
	key = key_of(line, value);
	if (direction > 0 ? key < high : key > low)
	{
		*beyond = value_of(line, direction > 0 ? Max(key + 1, low) : Min(key - 1, high));
		return true;
	}
	/* Behind the last day comes infinity. */
	if (line->kind == CRM_LINE_DATE)
		*beyond = DateADTGetDatum(direction > 0 ? DATEVAL_NOEND : DATEVAL_NOBEGIN);
	else if (line->kind == CRM_LINE_TIME)
		*beyond = Int64GetDatum(direction > 0 ? DT_NOEND : DT_NOBEGIN);
	else
		return false;
	return crm_line_compare(line, *beyond, value) != 0;
}

Datum
crm_line_origin(const crm_line *line)
{
	return line->kind == CRM_LINE_NUMERIC ? DirectFunctionCall1(int8_numeric, Int64GetDatum(0)) : value_of(line, 0);
}

/* ---- constants ----------------------------------------------------------------------------- */

/* Into the range of the column, whatever the constant is. */
static bool
place_key(const crm_line *line, int64 key, bool inexact_already, Datum *value, bool *inexact)
{
	int64		low,
				high;

	key_range(line, &low, &high);
	*inexact = inexact_already || key < low || key > high;
	*value = value_of(line, Min(Max(key, low), high));
	return true;
}

static bool
place_on_integers(const crm_line *line, Oid type, Datum constant, Datum *value, bool *inexact)
{
	switch (type)
	{
		case INT2OID:
			return place_key(line, DatumGetInt16(constant), false, value, inexact);
		case INT4OID:
			return place_key(line, DatumGetInt32(constant), false, value, inexact);
		case INT8OID:
			return place_key(line, DatumGetInt64(constant), false, value, inexact);
		case NUMERICOID:
			{
				Datum		low = DirectFunctionCall1(int8_numeric, Int64GetDatum(PG_INT64_MIN));
				Datum		high = DirectFunctionCall1(int8_numeric, Int64GetDatum(PG_INT64_MAX));

				if (numeric_compare(constant, low) <= 0)
					return place_key(line, PG_INT64_MIN, true, value, inexact);
				if (numeric_compare(constant, high) >= 0)
					return place_key(line, PG_INT64_MAX, true, value, inexact);
				return place_key(line, DatumGetInt64(DirectFunctionCall1(numeric_int8, constant)), true, value, inexact);
			}
		case FLOAT4OID:
		case FLOAT8OID:
			{
				double		number = type == FLOAT4OID ? DatumGetFloat4(constant) : DatumGetFloat8(constant);

				/* NaN is greater than every number */
				if (isnan(number) || number >= 9.2e18)
					return place_key(line, PG_INT64_MAX, true, value, inexact);
				if (number <= -9.2e18)
					return place_key(line, PG_INT64_MIN, true, value, inexact);
				return place_key(line, (int64) rint(number), true, value, inexact);
			}
	}
	return false;
}

static bool
place_on_floats(const crm_line *line, Oid type, Datum constant, Datum *value, bool *inexact)
{
	double		number;

	if (type == FLOAT8OID)
		number = DatumGetFloat8(constant);
	else if (type == FLOAT4OID)
		number = DatumGetFloat4(constant);
	else
		return false;
	if (line->type == FLOAT8OID)
	{
		*value = Float8GetDatum(number);
		*inexact = false;
		return true;
	}
	*value = Float4GetDatum((float4) number);
	*inexact = !isnan(number) && (double) (float4) number != number;
	return true;
}

static bool
place_on_days(Oid type, Datum constant, Datum *value, bool *inexact)
{
	*inexact = type != DATEOID;
	switch (type)
	{
		case DATEOID:
			*value = constant;
			return true;
		case TIMESTAMPOID:
			*value = DirectFunctionCall1(timestamp_date, constant);
			return true;
		case TIMESTAMPTZOID:
			*value = DirectFunctionCall1(timestamptz_date, constant);
			return true;
	}
	return false;
}

static bool
place_on_times(const crm_line *line, Oid type, Datum constant, Datum *value, bool *inexact)
{
	int			overflow = 0;
	bool		with_zone = line->type == TIMESTAMPTZOID;

	*inexact = false;
	if (type == line->type)
		*value = constant;
	else if (type == DATEOID)
		*value = Int64GetDatum(with_zone ? date2timestamptz_opt_overflow(DatumGetDateADT(constant), &overflow) :
							   date2timestamp_opt_overflow(DatumGetDateADT(constant), &overflow));
	else if (type == TIMESTAMPOID)
		*value = Int64GetDatum(timestamp2timestamptz_opt_overflow(DatumGetTimestamp(constant), &overflow));
	else if (type == TIMESTAMPTZOID)
		*value = DirectFunctionCall1(timestamptz_timestamp, constant);
	else
		return false;
	return overflow == 0;
}

bool
crm_line_place(const crm_line *line, Oid type, Datum constant, Datum *value, bool *inexact)
{
	*inexact = false;
	switch (line->kind)
	{
		case CRM_LINE_NONE:
			return false;
		case CRM_LINE_BOOL:
			*value = constant;
			return type == BOOLOID;
		case CRM_LINE_TEXT:
			{
				char	   *string;
				size_t		length;

				if (type != TEXTOID && type != VARCHAROID && type != BPCHAROID)
					return false;
				string = TextDatumGetCString(constant);
				length = strlen(string);
				/* Blanks at the end of char(n) are nothing. */
				if (line->type == BPCHAROID && type == BPCHAROID)
					while (length > 0 && string[length - 1] == ' ')
						string[--length] = '\0';
				*value = CStringGetTextDatum(string);
				return true;
			}
		case CRM_LINE_INTEGER:
			return place_on_integers(line, type, constant, value, inexact);
		case CRM_LINE_FLOAT:
			return place_on_floats(line, type, constant, value, inexact);
		case CRM_LINE_DATE:
			return place_on_days(type, constant, value, inexact);
		case CRM_LINE_TIME:
			return place_on_times(line, type, constant, value, inexact);
		case CRM_LINE_NUMERIC:
			{
				int			precision,
							scale;

				if (type != NUMERICOID)
					return false;
				*value = constant;
				if (!numeric_digits(line, &precision, &scale) || numeric_is_nan(DatumGetNumeric(constant)))
					return true;
				/* To the digits that the column has, and within them. */
				if (is_number(constant))
					*value = NUMERIC_CALL2(numeric_round, constant, Int32GetDatum(scale));
				if (!is_number(constant) || !numeric_fits(line, *value))
				{
					Datum		most = NUMERIC_CALL2(numeric_sub, power_of_ten(precision - scale), power_of_ten(-scale));

					*value = numeric_compare(*value, most) > 0 ? most : DirectFunctionCall1(numeric_uminus, most);
				}
				*inexact = numeric_compare(*value, constant) != 0;
				return true;
			}
	}
	return false;
}

bool
crm_line_holds(const crm_line *line, Datum value)
{
	text	   *string;

	if (line->kind != CRM_LINE_TEXT || line->type == TEXTOID || line->typmod < (int32) VARHDRSZ)
		return true;
	string = DatumGetTextPP(value);
	return pg_mbstrlen_with_len(VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string)) <= line->typmod - (int32) VARHDRSZ;
}

/* ---- distances ------------------------------------------------------------------------------ */

static double
number_of(const crm_line *line, Datum value)
{
	switch (line->type)
	{
		case FLOAT4OID:
			return DatumGetFloat4(value);
		case FLOAT8OID:
			return DatumGetFloat8(value);
		case NUMERICOID:
			return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
		default:
			return (double) key_of(line, value);
	}
}

double
crm_line_distance(const crm_line *line, Datum a, Datum b)
{
	double		distance;

	if (line->kind == CRM_LINE_NUMERIC && is_number(a) && is_number(b))
		return fabs(number_of(line, NUMERIC_CALL2(numeric_sub, a, b)));
	distance = fabs(number_of(line, a) - number_of(line, b));
	return isnan(distance) ? get_float8_infinity() : distance;
}

double
crm_line_proportion(const crm_line *line, Datum from, double distance, TimestampTz as_of)
{
	double		size = fabs(number_of(line, from));

	/* Times have no size, but an age. */
	if (line->kind == CRM_LINE_TIME)
		size = fabs(number_of(line, from) - (double) as_of);
	else if (line->kind == CRM_LINE_DATE)
		size = fabs(number_of(line, from) - (double) as_of / USECS_PER_DAY);
	if (distance == 0)
		return 0;
	if (!isfinite(distance) || !isfinite(size))
		return 1;
	return distance / (size + distance);
}

char *
crm_line_show(const crm_line *line, Datum value)
{
	Oid			output;
	bool		is_varlena;
	char	   *text;

	if (line->kind == CRM_LINE_BOOL)
		return DatumGetBool(value) ? "true" : "false";
	getTypeOutputInfo(line->type, &output, &is_varlena);
	text = OidOutputFunctionCall(output, value);
	return line->kind == CRM_LINE_TEXT ? quote_literal_cstr(text) : text;
}
