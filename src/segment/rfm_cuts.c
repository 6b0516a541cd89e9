/*
 * rfm_cuts.c - the type crm.rfm_cuts: the borders between scores, as a value.
 *
 * Stored form, in the machine's byte order, behind the length word:
 *
 *   uint8   version
 *   uint8   flags: 1 has an as_of, 2 inclusive, 4, 8, 16 the measure is present
 *   uint16  borders of recency, of frequency, of monetary value
 *   int64   as_of, 0 when there is none
 *   float8  the borders, measure after measure, ascending in each
 *
 * The text form is JSON, with the time in UTC and the shortest digits that
 * give back the same float8 whatever the session's settings are.
 */
#include "segment/rfm.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "kernel/scanner.h"
#include "libpq/pqformat.h"
#include "utils/array.h"
#include "utils/datetime.h"

CRM_FUNCTION(crm_rfm_cuts_in);
CRM_FUNCTION(crm_rfm_cuts_out);
CRM_FUNCTION(crm_rfm_cuts_recv);
CRM_FUNCTION(crm_rfm_cuts_send);
CRM_FUNCTION(crm_rfm_cuts);

#define CUTS_VERSION 1
#define HAS_AS_OF 1
#define INCLUSIVE 2
#define PRESENT(measure) (4 << (measure))
#define ALL_FLAGS (HAS_AS_OF | INCLUSIVE | PRESENT(0) | PRESENT(1) | PRESENT(2))
#define CUTS_HEADER 16
#define MAX_BORDERS (CRM_RFM_MAX_BINS - 1)

static const char *const measure_names[RFM_MEASURES] = {"recency", "frequency", "monetary"};

/* ---- stored form ------------------------------------------------------- */

static void
damaged(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("damaged value of type crm.rfm_cuts"),
			 errdetail("%s", detail)));
}

void
rfm_cuts_read(struct varlena *value, rfm_cuts *cuts)
{
	const char *data = VARDATA_ANY(value);
	Size		size = VARSIZE_ANY_EXHDR(value);
	uint8		flags;
	Size		expected = CUTS_HEADER;

	if (size < CUTS_HEADER || data[0] != CUTS_VERSION)
		damaged("The header is not that of borders.");
	flags = (uint8) data[1];
	cuts->has_as_of = (flags & HAS_AS_OF) != 0;
	cuts->inclusive = (flags & INCLUSIVE) != 0;
	memcpy(&cuts->as_of, data + 8, sizeof(cuts->as_of));
	for (int i = 0; i < RFM_MEASURES; i++)
	{
		uint16		count;

		memcpy(&count, data + 2 + 2 * i, sizeof(count));
		cuts->present[i] = (flags & PRESENT(i)) != 0;
		cuts->count[i] = count;
		cuts->borders[i] = data + expected;
		expected += count * sizeof(float8);
	}
	if (size != expected)
		damaged("The number of borders does not fit the size.");
}

struct varlena *
rfm_cuts_write(const rfm_cuts *cuts)
{
	Size		size = VARHDRSZ + CUTS_HEADER;
	struct varlena *value;
	char	   *data;
	uint8		flags = (cuts->has_as_of ? HAS_AS_OF : 0) | (cuts->inclusive ? INCLUSIVE : 0);

	for (int i = 0; i < RFM_MEASURES; i++)
		size += cuts->count[i] * sizeof(float8);
	value = palloc0(size);
	SET_VARSIZE(value, size);
	data = VARDATA(value);
	if (cuts->has_as_of)
		memcpy(data + 8, &cuts->as_of, sizeof(cuts->as_of));
	for (int i = 0, at = CUTS_HEADER; i < RFM_MEASURES; i++)
	{
		uint16		count = (uint16) cuts->count[i];

		if (cuts->present[i])
			flags |= PRESENT(i);
		memcpy(data + 2 + 2 * i, &count, sizeof(count));
		if (count > 0)
			memcpy(data + at, cuts->borders[i], count * sizeof(float8));
		at += count * sizeof(float8);
	}
	data[0] = CUTS_VERSION;
	data[1] = (char) flags;
	return value;
}

/* ---- what every door checks -------------------------------------------- */

/* The first thing that is wrong with a measure's borders, or NULL. */
static const char *
border_fault(const float8 *borders, int count, int *sqlstate)
{
	*sqlstate = ERRCODE_INVALID_PARAMETER_VALUE;
	if (count > MAX_BORDERS)
		return "There are more borders than 999.";
	for (int i = 0; i < count; i++)
	{
		if (!isfinite(borders[i]))
		{
			*sqlstate = ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE;
			return "A border is not a finite number.";
		}
		if (i > 0 && borders[i] < borders[i - 1])
			return "The borders do not ascend.";
	}
	return NULL;
}

/* Takes over a measure's borders; as_error is 0 where each fault keeps its own code. */
static void
set_borders(rfm_cuts *cuts, int measure, const float8 *borders, int count, int as_error)
{
	int			sqlstate;
	const char *fault = border_fault(borders, count, &sqlstate);

	if (fault)
		ereport(ERROR,
				(errcode(as_error ? as_error : sqlstate),
				 errmsg("invalid borders of %s for type crm.rfm_cuts", measure_names[measure]),
				 errdetail("%s", fault),
				 errhint("Borders are finite numbers in ascending order.")));
	cuts->present[measure] = true;
	cuts->count[measure] = (uint32) count;
	cuts->borders[measure] = (const char *) borders;
}

static void
set_as_of(rfm_cuts *cuts, TimestampTz as_of, int as_error)
{
	if (!IS_VALID_TIMESTAMP(as_of))
		ereport(ERROR,
				(errcode(as_error),
				 errmsg("as_of of type crm.rfm_cuts must be a finite time")));
	cuts->has_as_of = true;
	cuts->as_of = as_of;
}

/* ---- text -------------------------------------------------------------- */

static void
append_as_of(StringInfo text, TimestampTz as_of)
{
	struct pg_tm tm;
	fsec_t		fsec;
	char		buffer[MAXDATELEN + 1];

	if (timestamp2tm(as_of, NULL, &tm, &fsec, NULL, NULL) != 0)
		damaged("as_of is out of range.");
	tm.tm_isdst = 0;
	EncodeDateTime(&tm, fsec, true, 0, NULL, USE_ISO_DATES, buffer);
	appendStringInfo(text, "\"%s\"", buffer);
}

Datum
crm_rfm_cuts_out(PG_FUNCTION_ARGS)
{
	rfm_cuts	cuts;
	StringInfoData text;

	rfm_cuts_read(PG_GETARG_VARLENA_PP(0), &cuts);
	initStringInfo(&text);
	appendStringInfoString(&text, "{\"as_of\": ");
	if (cuts.has_as_of)
		append_as_of(&text, cuts.as_of);
	else
		appendStringInfoString(&text, "null");
	appendStringInfo(&text, ", \"inclusive\": %s", cuts.inclusive ? "true" : "false");
	for (int i = 0; i < RFM_MEASURES; i++)
	{
		appendStringInfo(&text, ", \"%s\": ", measure_names[i]);
		if (!cuts.present[i])
		{
			appendStringInfoString(&text, "null");
			continue;
		}
		appendStringInfoChar(&text, '[');
		for (uint32 j = 0; j < cuts.count[i]; j++)
		{
			char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];
			float8		border;

			memcpy(&border, cuts.borders[i] + j * sizeof(border), sizeof(border));
			double_to_shortest_decimal_buf(border, digits);
			appendStringInfo(&text, "%s%s", j > 0 ? ", " : "", digits);
		}
		appendStringInfoChar(&text, ']');
	}
	appendStringInfoChar(&text, '}');
	PG_RETURN_CSTRING(text.data);
}

static void
syntax_error(const crm_scanner *scan, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type crm.rfm_cuts: \"%s\"", scan->text),
			 errdetail("%s", detail),
			 errhint("Write {\"recency\": [30, 90], \"frequency\": [1, 3], \"monetary\": [100, 500]}, with \"as_of\" and \"inclusive\" where needed.")));
}

static void
expect(crm_scanner *scan, const char *word)
{
	if (!crm_scan_take(scan, word))
		syntax_error(scan, psprintf("Expected '%s' at character %d.", word, (int) crm_scan_place(scan)));
}

/* A string without escapes. */
static char *
take_string(crm_scanner *scan)
{
	const char *start;
	char	   *string;

	expect(scan, "\"");
	start = scan->at;
	while (*scan->at != '\0' && *scan->at != '"' && *scan->at != '\\')
		scan->at++;
	string = pnstrdup(start, scan->at - start);
	if (*scan->at != '"')
		syntax_error(scan, "A string has no end.");
	scan->at++;
	return string;
}

static float8
take_number(crm_scanner *scan)
{
	size_t		length;
	float8		number = 0;
	crm_status	status = crm_scan_number(scan, &number, &length);

	if (status == CRM_CORRUPT)
		syntax_error(scan, psprintf("Expected a number at character %d.", (int) crm_scan_place(scan)));
	if (status == CRM_OUT_OF_RANGE)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("\"%.*s\" is out of range for a border of type crm.rfm_cuts", (int) length, scan->at)));
	return number;
}

static void
take_borders(crm_scanner *scan, rfm_cuts *cuts, int measure)
{
	float8	   *borders = palloc(MAX_BORDERS * sizeof(float8));
	int			count = 0;

	if (crm_scan_take(scan, "null"))
		return;
	expect(scan, "[");
	if (!crm_scan_take(scan, "]"))
	{
		do
		{
			if (count == MAX_BORDERS)
				syntax_error(scan, "There are more borders than 999.");
			borders[count++] = take_number(scan);
		} while (crm_scan_take(scan, ","));
		expect(scan, "]");
	}
	set_borders(cuts, measure, borders, count, ERRCODE_INVALID_TEXT_REPRESENTATION);
}

Datum
crm_rfm_cuts_in(PG_FUNCTION_ARGS)
{
	crm_scanner scan = {PG_GETARG_CSTRING(0), PG_GETARG_CSTRING(0)};
	rfm_cuts	cuts = {0};
	int			seen = 0;

	expect(&scan, "{");
	if (!crm_scan_take(&scan, "}"))
	{
		do
		{
			char	   *key = take_string(&scan);
			int			field;

			for (field = 0; field < RFM_MEASURES && strcmp(key, measure_names[field]) != 0; field++)
				;
			if (strcmp(key, "as_of") == 0)
				field = RFM_MEASURES + 1;
			else if (strcmp(key, "inclusive") == 0)
				field = RFM_MEASURES + 2;
			if (field == RFM_MEASURES)
				syntax_error(&scan, psprintf("There is no \"%s\"; known are as_of, inclusive, recency, frequency, monetary.", key));
			if (seen & (1 << field))
				syntax_error(&scan, psprintf("\"%s\" is given twice.", key));
			seen |= 1 << field;

			expect(&scan, ":");
			if (field < RFM_MEASURES)
				take_borders(&scan, &cuts, field);
			else if (field == RFM_MEASURES + 2)
			{
				cuts.inclusive = crm_scan_take(&scan, "true");
				if (!cuts.inclusive)
					expect(&scan, "false");
			}
			else if (!crm_scan_take(&scan, "null"))
			{
				Datum		as_of = DirectFunctionCall3(timestamptz_in, CStringGetDatum(take_string(&scan)),
														ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));

				set_as_of(&cuts, DatumGetTimestampTz(as_of), ERRCODE_INVALID_TEXT_REPRESENTATION);
			}
		} while (crm_scan_take(&scan, ","));
		expect(&scan, "}");
	}
	if (!crm_scan_end(&scan))
		syntax_error(&scan, psprintf("Unexpected text after the end, at character %d.", (int) crm_scan_place(&scan)));
	PG_RETURN_POINTER(rfm_cuts_write(&cuts));
}

/* ---- binary ------------------------------------------------------------ */

/* version, flags, as_of, then for each measure the number of its borders and the borders. */
Datum
crm_rfm_cuts_send(PG_FUNCTION_ARGS)
{
	rfm_cuts	cuts;
	StringInfoData buffer;
	uint8		flags;

	rfm_cuts_read(PG_GETARG_VARLENA_PP(0), &cuts);
	flags = (cuts.has_as_of ? HAS_AS_OF : 0) | (cuts.inclusive ? INCLUSIVE : 0);
	for (int i = 0; i < RFM_MEASURES; i++)
		flags |= cuts.present[i] ? PRESENT(i) : 0;
	pq_begintypsend(&buffer);
	pq_sendint8(&buffer, CUTS_VERSION);
	pq_sendint8(&buffer, flags);
	pq_sendint64(&buffer, cuts.has_as_of ? cuts.as_of : 0);
	for (int i = 0; i < RFM_MEASURES; i++)
	{
		pq_sendint16(&buffer, (uint16) cuts.count[i]);
		for (uint32 j = 0; j < cuts.count[i]; j++)
		{
			float8		border;

			memcpy(&border, cuts.borders[i] + j * sizeof(border), sizeof(border));
			pq_sendfloat8(&buffer, border);
		}
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

static void
bad_binary(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid binary value for type crm.rfm_cuts"),
			 errdetail("%s", detail)));
}

Datum
crm_rfm_cuts_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buffer = (StringInfo) PG_GETARG_POINTER(0);
	rfm_cuts	cuts = {0};
	int			flags;
	TimestampTz as_of;

	if (pq_getmsgbyte(buffer) != CUTS_VERSION)
		bad_binary("The version is unknown.");
	flags = pq_getmsgbyte(buffer);
	if (flags & ~ALL_FLAGS)
		bad_binary("An unknown flag is set.");
	as_of = pq_getmsgint64(buffer);
	if (flags & HAS_AS_OF)
		set_as_of(&cuts, as_of, ERRCODE_INVALID_BINARY_REPRESENTATION);
	else if (as_of != 0)
		bad_binary("There is a time although none is announced.");
	cuts.inclusive = (flags & INCLUSIVE) != 0;
	for (int i = 0; i < RFM_MEASURES; i++)
	{
		int			count = (int) pq_getmsgint(buffer, 2);
		float8	   *borders;

		if (!(flags & PRESENT(i)))
		{
			if (count != 0)
				bad_binary("There are borders of a measure that is not scored.");
			continue;
		}
		if (count > MAX_BORDERS)
			bad_binary("There are more borders than 999.");
		borders = palloc(Max(count, 1) * sizeof(float8));
		for (int j = 0; j < count; j++)
			borders[j] = pq_getmsgfloat8(buffer);
		set_borders(&cuts, i, borders, count, ERRCODE_INVALID_BINARY_REPRESENTATION);
	}
	PG_RETURN_POINTER(rfm_cuts_write(&cuts));
}

/* ---- own borders --------------------------------------------------------- */

static void
set_from_array(rfm_cuts *cuts, int measure, ArrayType *array)
{
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("borders of %s must be a one-dimensional array", measure_names[measure])));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("borders of %s must not contain NULL", measure_names[measure]),
				 errhint("Leave out the whole array, as NULL, for a measure that is not to be scored.")));
	set_borders(cuts, measure, (const float8 *) ARR_DATA_PTR(array),
				ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)), 0);
}

/* rfm_cuts(recency, frequency, monetary float8[], as_of timestamptz, inclusive boolean): own borders. */
Datum
crm_rfm_cuts(PG_FUNCTION_ARGS)
{
	rfm_cuts	cuts = {0};

	for (int i = 0; i < RFM_MEASURES; i++)
	{
		if (!PG_ARGISNULL(i))
			set_from_array(&cuts, i, PG_GETARG_ARRAYTYPE_P(i));
	}
	if (!PG_ARGISNULL(3))
		set_as_of(&cuts, PG_GETARG_TIMESTAMPTZ(3), ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE);
	cuts.inclusive = !PG_ARGISNULL(4) && PG_GETARG_BOOL(4);
	PG_RETURN_POINTER(rfm_cuts_write(&cuts));
}
