/*
 * bins.c - the type crm.bins: ascending cuts as a value, and what is asked of
 * them.  The stored form is in kernel/bins.h.
 *
 * The text form is JSON, with the shortest digits that give back the same float8
 * whatever the session's settings are.
 */
#include "segment/bins.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "common/shortest_dec.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "utils/array.h"
#include "utils/tuplestore.h"

CRM_FUNCTION(crm_bins_in);
CRM_FUNCTION(crm_bins_out);
CRM_FUNCTION(crm_bins_recv);
CRM_FUNCTION(crm_bins_send);
CRM_FUNCTION(crm_make_bins);
CRM_FUNCTION(crm_bin);
CRM_FUNCTION(crm_bin_label);
CRM_FUNCTION(crm_bin_count);
CRM_FUNCTION(crm_bin_cuts);
CRM_FUNCTION(crm_bin_ranges);

/* ---- values ------------------------------------------------------------------ */

struct varlena *
segment_bins_value(bool inclusive, const double *cuts, uint32 count)
{
	Size		size = VARHDRSZ + crm_bins_size(count);
	struct varlena *value = palloc(size);

	SET_VARSIZE(value, size);
	crm_bins_write(inclusive, cuts, count, (uint8 *) VARDATA(value));
	return value;
}

/* The bins of an argument; XX001 if they are damaged. */
static crm_bins
bins_of(struct varlena *value)
{
	crm_bins	bins;

	crm_check(crm_bins_open((const uint8 *) VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), &bins), "crm.bins", false);
	return bins;
}

#define PG_GETARG_BINS(n) bins_of(PG_GETARG_VARLENA_PP(n))

/* ---- in and out ---------------------------------------------------------------- */

static void
append_number(StringInfo text, double number)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(number, digits);
	appendStringInfoString(text, digits);
}

Datum
crm_bins_out(PG_FUNCTION_ARGS)
{
	crm_bins	bins = PG_GETARG_BINS(0);
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, "{\"cuts\": [");
	for (uint32 i = 0; i < bins.count; i++)
	{
		if (i > 0)
			appendStringInfoString(&text, ", ");
		append_number(&text, crm_bins_cut(&bins, i));
	}
	appendStringInfo(&text, "], \"inclusive\": %s}", bins.inclusive ? "true" : "false");
	PG_RETURN_CSTRING(text.data);
}

Datum
crm_bins_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	double		cuts[CRM_BINS_MAX_CUTS];
	uint32		count;
	bool		inclusive;
	char		problem[CRM_BINS_PROBLEM];
	crm_status	status = crm_bins_parse(text, cuts, &count, &inclusive, problem);

	if (status != CRM_OK)
		ereport(ERROR,
				(errcode(status == CRM_OUT_OF_RANGE ? ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE : ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type crm.bins: \"%s\"", text),
				 errdetail("%s", problem),
				 errhint("Write {\"cuts\": [18, 30, 65]}, ascending, with \"inclusive\": true where a cut belongs to the bin below it.")));
	PG_RETURN_POINTER(segment_bins_value(inclusive, cuts, count));
}

/* version, inclusive, number of cuts, cuts */
Datum
crm_bins_send(PG_FUNCTION_ARGS)
{
	crm_bins	bins = PG_GETARG_BINS(0);
	StringInfoData buffer;

	pq_begintypsend(&buffer);
	pq_sendint8(&buffer, CRM_BINS_VERSION);
	pq_sendint8(&buffer, bins.inclusive);
	pq_sendint16(&buffer, (uint16) bins.count);
	for (uint32 i = 0; i < bins.count; i++)
		pq_sendfloat8(&buffer, crm_bins_cut(&bins, i));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

static void
bad_binary(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid binary value for type crm.bins"),
			 errdetail("%s", detail)));
}

Datum
crm_bins_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buffer = (StringInfo) PG_GETARG_POINTER(0);
	double		cuts[CRM_BINS_MAX_CUTS];
	int			inclusive;
	uint32		count;
	const char *fault;

	if (pq_getmsgbyte(buffer) != CRM_BINS_VERSION)
		bad_binary("The version is unknown.");
	inclusive = pq_getmsgbyte(buffer);
	if (inclusive > 1)
		bad_binary("An unknown flag is set.");
	count = pq_getmsgint(buffer, 2);
	if (count > CRM_BINS_MAX_CUTS)
		bad_binary("There are more cuts than 999.");
	for (uint32 i = 0; i < count; i++)
		cuts[i] = pq_getmsgfloat8(buffer);
	fault = crm_bins_fault(cuts, count);
	if (fault != NULL)
		bad_binary(fault);
	PG_RETURN_POINTER(segment_bins_value(inclusive == 1, cuts, count));
}

/* make_bins(cuts float8[], inclusive boolean) */
Datum
crm_make_bins(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	int			count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	double		cuts[CRM_BINS_MAX_CUTS];
	const char *fault;
	bool		finite = true;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("cuts must be a one-dimensional array")));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("cuts must not contain NULL")));
	if (count > 0)
		memcpy(cuts, ARR_DATA_PTR(array), Min(count, CRM_BINS_MAX_CUTS) * sizeof(double));
	for (int i = 0; i < Min(count, CRM_BINS_MAX_CUTS); i++)
		finite = finite && isfinite(cuts[i]);
	fault = count > CRM_BINS_MAX_CUTS ? "There are more cuts than 999." : crm_bins_fault(cuts, count);
	if (fault != NULL)
		ereport(ERROR,
				(errcode(finite ? ERRCODE_INVALID_PARAMETER_VALUE : ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("invalid cuts for type crm.bins"),
				 errdetail("%s", fault),
				 errhint("Cuts are at most 999 finite numbers, each above the one before.")));
	PG_RETURN_POINTER(segment_bins_value(PG_GETARG_BOOL(1), cuts, count));
}

/* ---- asking ---------------------------------------------------------------------- */

static int
find_bin(float8 value, const crm_bins *bins)
{
	if (isnan(value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("NaN lies in no bin"),
				 errhint("Make it NULL: its bin is NULL then.")));
	return crm_bins_find(bins, value);
}

/* As PostgreSQL writes ranges: '[18,30)', without a number where there is no end. */
static text *
label_of(const crm_bins *bins, int bin)
{
	StringInfoData label;
	uint32		place = (uint32) bin;

	initStringInfo(&label);
	appendStringInfoChar(&label, place == 1 || bins->inclusive ? '(' : '[');
	if (place > 1)
		append_number(&label, crm_bins_cut(bins, place - 2));
	appendStringInfoChar(&label, ',');
	if (place <= bins->count)
		append_number(&label, crm_bins_cut(bins, place - 1));
	appendStringInfoChar(&label, place <= bins->count && bins->inclusive ? ']' : ')');
	return cstring_to_text_with_len(label.data, label.len);
}

/* bin(value float8, bins) */
Datum
crm_bin(PG_FUNCTION_ARGS)
{
	crm_bins	bins = PG_GETARG_BINS(1);

	PG_RETURN_INT32(find_bin(PG_GETARG_FLOAT8(0), &bins));
}

/* bin_label(value float8, bins) */
Datum
crm_bin_label(PG_FUNCTION_ARGS)
{
	crm_bins	bins = PG_GETARG_BINS(1);

	PG_RETURN_TEXT_P(label_of(&bins, find_bin(PG_GETARG_FLOAT8(0), &bins)));
}

Datum
crm_bin_count(PG_FUNCTION_ARGS)
{
	crm_bins	bins = PG_GETARG_BINS(0);

	PG_RETURN_INT32((int32) bins.count + 1);
}

Datum
crm_bin_cuts(PG_FUNCTION_ARGS)
{
	crm_bins	bins = PG_GETARG_BINS(0);
	Datum		cuts[CRM_BINS_MAX_CUTS];

	for (uint32 i = 0; i < bins.count; i++)
		cuts[i] = Float8GetDatum(crm_bins_cut(&bins, i));
	PG_RETURN_ARRAYTYPE_P(construct_array(cuts, (int) bins.count, FLOAT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* bin_ranges(bins): bin, label, lower, upper */
Datum
crm_bin_ranges(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	crm_bins	bins = PG_GETARG_BINS(0);

	InitMaterializedSRF(fcinfo, 0);
	for (uint32 i = 0; i <= bins.count; i++)
	{
		Datum		values[4];
		bool		nulls[4] = {false, false, i == 0, i == bins.count};

		values[0] = Int32GetDatum((int32) i + 1);
		values[1] = PointerGetDatum(label_of(&bins, (int) i + 1));
		values[2] = nulls[2] ? (Datum) 0 : Float8GetDatum(crm_bins_cut(&bins, i - 1));
		values[3] = nulls[3] ? (Datum) 0 : Float8GetDatum(crm_bins_cut(&bins, i));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
