/*
 * model_row.c - the columns of a row, by name, as numbers and texts; and what SQL
 * makes of rows while a model is trained.
 */
#include "scoring/train.h"

#include <math.h>

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "common/decimal.h"
#include "common/progress.h"
#include "tag/tag.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

CRM_FUNCTION(crm_model_features);
CRM_FUNCTION(crm_row_is_held);
CRM_FUNCTION(crm_row_is_taken);

const char *const scoring_column_kinds[] = {"number", "boolean", "time", "instant", "text"};

/* ---- types ---------------------------------------------------------------------- */

bool
scoring_kind_of_type(Oid type, scoring_column_kind *kind)
{
	switch (getBaseType(type))
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			*kind = SCORING_COLUMN_NUMBER;
			return true;
		case BOOLOID:
			*kind = SCORING_COLUMN_BOOLEAN;
			return true;
		case DATEOID:
		case TIMESTAMPOID:
			*kind = SCORING_COLUMN_TIME;
			return true;
		case TIMESTAMPTZOID:
			*kind = SCORING_COLUMN_INSTANT;
			return true;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID:
		case UUIDOID:
			*kind = SCORING_COLUMN_TEXT;
			return true;
		default:
			*kind = SCORING_COLUMN_TEXT;
			return get_typtype(getBaseType(type)) == TYPTYPE_ENUM;
	}
}

int
scoring_find_attribute(TupleDesc desc, const char *name)
{
	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped && strcmp(NameStr(TupleDescAttr(desc, i)->attname), name) == 0)
			return i;
	return -1;
}

/* row(a, b) calls its columns f1, f2: nobody named them. */
static bool
has_no_names(TupleDesc desc)
{
	for (int i = 0; i < desc->natts; i++)
		if (strcmp(NameStr(TupleDescAttr(desc, i)->attname), psprintf("f%d", i + 1)) != 0)
			return false;
	return desc->tdtypeid == RECORDOID;
}

static void
missing_column(TupleDesc desc, const char *name)
{
	List	   *names = NIL;
	char	   *nearest;

	if (has_no_names(desc))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the row has no names of columns, \"%s\" is needed", name),
				 errhint("Give a row of a table or of a sub-SELECT, as in SELECT predict('churn', c) FROM customers AS c, not row(...).")));
	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped)
			names = lappend(names, pstrdup(NameStr(TupleDescAttr(desc, i)->attname)));
	nearest = crm_nearest_names(name, names);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("the row has no column \"%s\"", name),
			 errdetail("The model was trained with it."),
			 nearest != NULL ? errhint("Nearest names: %s.", nearest) : 0));
}

void
scoring_open_reader(scoring_reader *reader, TupleDesc desc, const char *name, scoring_column_kind kind)
{
	Oid			output;
	bool		is_varlena;
	scoring_column_kind given;

	memset(reader, 0, sizeof(*reader));
	reader->attribute = scoring_find_attribute(desc, name);
	if (reader->attribute < 0)
		missing_column(desc, name);
	reader->type = getBaseType(TupleDescAttr(desc, reader->attribute)->atttypid);
	/* NULL written without a type */
	if (reader->type == UNKNOWNOID)
		reader->type = TEXTOID;
	if (!scoring_kind_of_type(reader->type, &given))
		given = SCORING_COLUMN_KINDS;
	if (given != kind && !(given == SCORING_COLUMN_BOOLEAN && kind == SCORING_COLUMN_NUMBER) &&
		!(given == SCORING_COLUMN_NUMBER && kind == SCORING_COLUMN_BOOLEAN))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" is of type %s", name, format_type_be(reader->type)),
				 errdetail("The model was trained with a column of kind \"%s\".", scoring_column_kinds[kind]),
				 errhint("Cast it.")));
	if (kind == SCORING_COLUMN_TEXT)
	{
		reader->padded = reader->type == BPCHAROID;
		getTypeOutputInfo(reader->type, &output, &is_varlena);
		fmgr_info(output, &reader->output);
	}
}

static double
number_of(const scoring_reader *reader, Datum value)
{
	switch (reader->type)
	{
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		case INT8OID:
			return (double) DatumGetInt64(value);
		case FLOAT4OID:
			return DatumGetFloat4(value);
		case NUMERICOID:
			return crm_numeric_to_float8(value);
		case BOOLOID:
			return DatumGetBool(value);
		case DATEOID:
			return DATE_NOT_FINITE(DatumGetDateADT(value)) ? INFINITY : DatumGetDateADT(value);
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return TIMESTAMP_NOT_FINITE(DatumGetTimestamp(value)) ? INFINITY : (double) DatumGetTimestamp(value) / USECS_PER_DAY;
		default:
			return DatumGetFloat8(value);
	}
}

void
scoring_read_cell(scoring_reader *reader, const char *name, scoring_column_kind kind, Datum value, bool isnull, scoring_cell *cell)
{
	memset(cell, 0, sizeof(*cell));
	cell->missing = isnull;
	if (isnull)
		return;
	if (kind != SCORING_COLUMN_TEXT)
	{
		cell->number = number_of(reader, value);
		if (!isfinite(cell->number))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("value of column \"%s\" is not finite", name),
					 errhint("Write NULL where a value is unknown, as in nullif(%s, 'NaN').", quote_identifier(name))));
		/* one zero */
		cell->number += 0.0;
	}
	else if (reader->type == TEXTOID || reader->type == VARCHAROID)
	{
		struct varlena *bytes = PG_DETOAST_DATUM_PACKED(value);

		cell->text = VARDATA_ANY(bytes);
		cell->size = VARSIZE_ANY_EXHDR(bytes);
	}
	else
	{
		cell->text = OutputFunctionCall(&reader->output, value);
		cell->size = strlen(cell->text);
		while (reader->padded && cell->size > 0 && cell->text[cell->size - 1] == ' ')
			cell->size--;
	}
}

/* ---- rows of a query ------------------------------------------------------------- */

/* What a call keeps: the columns that it reads, for the shape of rows at hand. */
typedef struct row_site
{
	MemoryContext context;
	uint64		rows;			/* whose features were asked for */
	Size		key_size;		/* the argument that tells the columns */
	void	   *key;
	Oid			type;
	int32		typmod;
	TupleDesc	desc;
	scoring_encoding *encoding; /* one of these two */
	scoring_split *split;
	int			count;
	scoring_reader *readers;
	scoring_cell *cells;
	Datum	   *values;
	bool	   *nulls;
	double	   *features;
	Datum	   *numbers;
	bool	   *gaps;
} row_site;

static const char *
site_column(const row_site *site, int i, scoring_column_kind *kind)
{
	if (site->encoding != NULL)
	{
		*kind = site->encoding->columns[i].kind;
		return site->encoding->columns[i].name;
	}
	*kind = site->split->kinds[i];
	return site->split->names[i];
}

static void
open_rows(row_site *site, TupleDesc desc)
{
	site->desc = CreateTupleDescCopy(desc);
	site->readers = palloc(sizeof(scoring_reader) * Max(site->count, 1));
	site->cells = palloc(sizeof(scoring_cell) * Max(site->count, 1));
	site->values = palloc(sizeof(Datum) * Max(desc->natts, 1));
	site->nulls = palloc(sizeof(bool) * Max(desc->natts, 1));
	for (int i = 0; i < site->count; i++)
	{
		scoring_column_kind kind;
		const char *name = site_column(site, i, &kind);

		scoring_open_reader(&site->readers[i], desc, name, kind);
	}
}

/* Reads the cells of the row that is the second argument, as the jsonb that is the first one tells. */
static row_site *
read_row(FunctionCallInfo fcinfo, bool is_encoding)
{
	FmgrInfo   *flinfo = fcinfo->flinfo;
	row_site   *site = flinfo->fn_extra;
	Jsonb	   *json = PG_GETARG_JSONB_P(0);
	HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(1);
	HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(row), .t_data = row};
	MemoryContext before;

	ItemPointerSetInvalid(&tuple.t_self);
	if (site == NULL)
	{
		site = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(row_site));
		site->context = AllocSetContextCreate(flinfo->fn_mcxt, "crm row of a model", ALLOCSET_SMALL_SIZES);
		flinfo->fn_extra = site;
	}
	if (site->key == NULL || site->key_size != VARSIZE(json) || memcmp(site->key, json, site->key_size) != 0 ||
		site->type != HeapTupleHeaderGetTypeId(row) || site->typmod != HeapTupleHeaderGetTypMod(row))
	{
		TupleDesc	desc;

		site->key = NULL;
		MemoryContextReset(site->context);
		before = MemoryContextSwitchTo(site->context);
		site->encoding = is_encoding ? scoring_encoding_read(json) : NULL;
		site->split = is_encoding ? NULL : scoring_split_read(json);
		site->count = is_encoding ? site->encoding->count : site->split->count;
		site->type = HeapTupleHeaderGetTypeId(row);
		site->typmod = HeapTupleHeaderGetTypMod(row);
		desc = lookup_rowtype_tupdesc(site->type, site->typmod);
		open_rows(site, desc);
		ReleaseTupleDesc(desc);
		if (is_encoding)
		{
			site->features = palloc(sizeof(double) * Max(site->encoding->features, 1));
			site->numbers = palloc(sizeof(Datum) * Max(site->encoding->features, 1));
			site->gaps = palloc(sizeof(bool) * Max(site->encoding->features, 1));
		}
		site->key_size = VARSIZE(json);
		site->key = palloc(site->key_size);
		memcpy(site->key, json, site->key_size);
		MemoryContextSwitchTo(before);
	}
	heap_deform_tuple(&tuple, site->desc, site->values, site->nulls);
	for (int i = 0; i < site->count; i++)
	{
		scoring_column_kind kind;
		const char *name = site_column(site, i, &kind);
		int			place = site->readers[i].attribute;

		scoring_read_cell(&site->readers[i], name, kind, site->values[place], site->nulls[place], &site->cells[i]);
	}
	return site;
}

/* model_features(encoding, row) */
Datum
crm_model_features(PG_FUNCTION_ARGS)
{
	row_site   *site = read_row(fcinfo, true);
	int			dims[1] = {site->encoding->features};
	int			lower[1] = {1};

	/* training and measuring read their rows through here */
	if (++site->rows % CRM_PROGRESS_ROWS == 0)
		crm_progress_add("rows", CRM_PROGRESS_ROWS);
	for (int i = 0; i < site->count; i++)
		scoring_encode_cell(site->encoding, &site->encoding->columns[i], &site->cells[i], site->features);
	for (int i = 0; i < site->encoding->features; i++)
	{
		site->gaps[i] = isnan(site->features[i]);
		site->numbers[i] = Float8GetDatum(site->features[i]);
	}
	PG_RETURN_ARRAYTYPE_P(construct_md_array(site->numbers, site->gaps, 1, dims, lower, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
											 TYPALIGN_DOUBLE));
}

/* row_is_held(split, row) */
Datum
crm_row_is_held(PG_FUNCTION_ARGS)
{
	row_site   *site = read_row(fcinfo, false);

	PG_RETURN_BOOL(scoring_split_holds(site->split, site->cells));
}

/* row_is_taken(split, row) */
Datum
crm_row_is_taken(PG_FUNCTION_ARGS)
{
	row_site   *site = read_row(fcinfo, false);

	PG_RETURN_BOOL(scoring_split_takes(site->split, site->cells));
}
