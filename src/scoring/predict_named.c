/*
 * predict_named.c - scores by a model's name, of rows with ordinary columns.
 *
 * The model is found, checked and read once for a query, and so is where its
 * columns lie in the rows.
 */
#include "scoring/train.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "kernel/model_purchase.h"
#include "tag/tag.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/tuplestore.h"
#include "utils/typcache.h"

CRM_FUNCTION(crm_predict_record);
CRM_FUNCTION(crm_predict_jsonb);
CRM_FUNCTION(crm_cluster_record);
CRM_FUNCTION(crm_cluster_jsonb);
CRM_FUNCTION(crm_explain_record);
CRM_FUNCTION(crm_predict_reasons_record);

typedef struct named_site
{
	MemoryContext context;
	char	   *name;			/* set last */
	Size		name_size;
	scoring_encoding *encoding;
	crm_model  *model;
	crm_scorer	scorer;
	bool		is_purchases;	/* scored by functions of their own */
	crm_purchase_model purchases;
	bool		is_values;
	crm_value_model worth;
	double	   *features;
	double	   *parts;
	scoring_cell *cells;
	/* of rows of one shape */
	MemoryContext shape;
	bool		has_shape;
	Oid			type;
	int32		typmod;
	TupleDesc	desc;
	scoring_reader *readers;
	Datum	   *values;
	bool	   *nulls;
} named_site;

static named_site *
site_of(FunctionCallInfo fcinfo)
{
	FmgrInfo   *flinfo = fcinfo->flinfo;
	named_site *site = flinfo->fn_extra;
	text	   *name = PG_GETARG_TEXT_PP(0);
	Size		size = VARSIZE_ANY_EXHDR(name);
	scoring_version *version;
	MemoryContext before;
	crm_env		env;

	if (site != NULL && site->name != NULL && site->name_size == size && memcmp(site->name, VARDATA_ANY(name), size) == 0)
		return site;
	if (site == NULL)
	{
		site = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(named_site));
		site->context = AllocSetContextCreate(flinfo->fn_mcxt, "crm named model", ALLOCSET_DEFAULT_SIZES);
		flinfo->fn_extra = site;
	}
	site->name = NULL;
	site->has_shape = false;
	MemoryContextReset(site->context);
	before = MemoryContextSwitchTo(site->context);
	site->shape = AllocSetContextCreate(site->context, "crm shape of rows", ALLOCSET_SMALL_SIZES);
	version = scoring_find_version(text_to_cstring(name), 0);
	if (version->encoding == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" knows no names of columns", version->name),
				 errdetail("Its value was stored, not trained from a query."),
				 errhint("Write predict(model('%s'), ARRAY[...]).", version->name)));
	site->encoding = scoring_encoding_read(version->encoding);
	site->model = scoring_model_fetch(version->model, site->context);
	env = crm_env_in(site->context);
	crm_check(crm_scorer_open(&site->scorer, site->model, &env), CRM_MODEL_TYPE, false);
	site->is_purchases = crm_purchases_of_model(site->model, &site->purchases);
	site->is_values = crm_values_of_model(site->model, &site->worth);
	if (site->is_purchases || site->is_values ? site->encoding->features != (site->is_purchases ? 3 : 2) || (site->is_purchases && !(site->encoding->horizon > 0)) :
		(int) site->scorer.features != site->encoding->features)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("model \"%s\" and its encoding have different numbers of features", version->name)));
	site->features = palloc(sizeof(double) * (site->encoding->features + 1));
	site->parts = palloc(sizeof(double) * (site->encoding->features + 1));
	site->cells = palloc(sizeof(scoring_cell) * Max(site->encoding->count, 1));
	site->name_size = size;
	site->name = palloc(size + 1);
	memcpy(site->name, VARDATA_ANY(name), size);
	MemoryContextSwitchTo(before);
	return site;
}

/* ---- rows ---------------------------------------------------------------------------- */

static void
read_record(named_site *site, HeapTupleHeader row)
{
	HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(row), .t_data = row};
	scoring_encoding *encoding = site->encoding;

	ItemPointerSetInvalid(&tuple.t_self);
	if (!site->has_shape || site->type != HeapTupleHeaderGetTypeId(row) || site->typmod != HeapTupleHeaderGetTypMod(row))
	{
		MemoryContext before;
		TupleDesc	desc;

		site->has_shape = false;
		MemoryContextReset(site->shape);
		before = MemoryContextSwitchTo(site->shape);
		site->type = HeapTupleHeaderGetTypeId(row);
		site->typmod = HeapTupleHeaderGetTypMod(row);
		desc = lookup_rowtype_tupdesc(site->type, site->typmod);
		site->desc = CreateTupleDescCopy(desc);
		ReleaseTupleDesc(desc);
		site->readers = palloc(sizeof(scoring_reader) * Max(encoding->count, 1));
		site->values = palloc(sizeof(Datum) * Max(site->desc->natts, 1));
		site->nulls = palloc(sizeof(bool) * Max(site->desc->natts, 1));
		for (int i = 0; i < encoding->count; i++)
			scoring_open_reader(&site->readers[i], site->desc, encoding->columns[i].name, encoding->columns[i].kind);
		MemoryContextSwitchTo(before);
		site->has_shape = true;
	}
	heap_deform_tuple(&tuple, site->desc, site->values, site->nulls);
	for (int i = 0; i < encoding->count; i++)
	{
		int			place = site->readers[i].attribute;

		scoring_read_cell(&site->readers[i], encoding->columns[i].name, encoding->columns[i].kind, site->values[place],
						  site->nulls[place], &site->cells[i]);
		scoring_encode_cell(encoding, &encoding->columns[i], &site->cells[i], site->features);
	}
}

static void wrong_member(const scoring_column *column) CRM_NORETURN;

static void
wrong_member(const scoring_column *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("\"%s\" of the customer is of another type", column->name),
			 errdetail("The model was trained with a column of kind \"%s\".", scoring_column_kinds[column->kind])));
}

static void
read_member(const scoring_column *column, const JsonbValue *value, scoring_cell *cell)
{
	memset(cell, 0, sizeof(*cell));
	if (value->type == jbvNull)
		cell->missing = true;
	else if (column->kind == SCORING_COLUMN_TEXT)
	{
		if (value->type == jbvString)
		{
			cell->text = value->val.string.val;
			cell->size = value->val.string.len;
		}
		else if (value->type == jbvNumeric)
		{
			cell->text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
			cell->size = strlen(cell->text);
		}
		else
			wrong_member(column);
	}
	else if (value->type == jbvString && (column->kind == SCORING_COLUMN_TIME || column->kind == SCORING_COLUMN_INSTANT))
	{
		char	   *text = pnstrdup(value->val.string.val, value->val.string.len);
		PGFunction	input = column->kind == SCORING_COLUMN_TIME ? timestamp_in : timestamptz_in;
		int64		at = DatumGetInt64(DirectFunctionCall3(input, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));

		if (TIMESTAMP_NOT_FINITE(at))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("value of column \"%s\" is not finite", column->name)));
		cell->number = (double) at / USECS_PER_DAY;
	}
	else if (value->type == jbvNumeric && column->kind <= SCORING_COLUMN_BOOLEAN)
		cell->number = DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric)));
	else if (value->type == jbvBool && column->kind <= SCORING_COLUMN_BOOLEAN)
		cell->number = value->val.boolean;
	else
		wrong_member(column);
}

/* ---- scores ------------------------------------------------------------------------------ */

static double
score(named_site *site)
{
	if (site->is_purchases)
		return scoring_purchases_score(&site->purchases, site->encoding->horizon, site->features);
	if (site->is_values)
		return scoring_value_score(&site->worth, site->features);
	if (site->scorer.kind->predict == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a model of kind \"%s\" has no predict", site->scorer.kind->name)));
	if (!site->scorer.takes_missing)
		for (int i = 0; i < site->encoding->features; i++)
			if (isnan(site->features[i]))
				scoring_feature_missing(site->features, site->encoding->features, "The model was not trained with missing features.");
	return scoring_finite(crm_score(&site->scorer, site->features));
}

/* predict(name, record) */
Datum
crm_predict_record(PG_FUNCTION_ARGS)
{
	named_site *site = site_of(fcinfo);

	read_record(site, PG_GETARG_HEAPTUPLEHEADER(1));
	PG_RETURN_FLOAT8(score(site));
}

/* An object as a row; members may be null, but not left out. */
static void
read_object(named_site *site, Jsonb *customer)
{
	if (!JB_ROOT_IS_OBJECT(customer))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a customer must be a jsonb object"),
				 errhint("Write as in '{\"age\": 41, \"city\": \"Graz\"}'::jsonb.")));
	for (int i = 0; i < site->encoding->count; i++)
	{
		const scoring_column *column = &site->encoding->columns[i];
		JsonbValue *value = scoring_member(customer, column->name);

		if (value == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("the customer has no \"%s\"", column->name),
					 errdetail("The model was trained with it."),
					 errhint("Give null where it is unknown.")));
		read_member(column, value, &site->cells[i]);
		scoring_encode_cell(site->encoding, column, &site->cells[i], site->features);
	}
}

/* predict(name, jsonb) */
Datum
crm_predict_jsonb(PG_FUNCTION_ARGS)
{
	named_site *site = site_of(fcinfo);

	read_object(site, PG_GETARG_JSONB_P(1));
	PG_RETURN_FLOAT8(score(site));
}

/* cluster(name, record) */
Datum
crm_cluster_record(PG_FUNCTION_ARGS)
{
	named_site *site = site_of(fcinfo);

	scoring_require_groups(site->model);
	read_record(site, PG_GETARG_HEAPTUPLEHEADER(1));
	PG_RETURN_INT32((int32) score(site));
}

/* cluster(name, jsonb) */
Datum
crm_cluster_jsonb(PG_FUNCTION_ARGS)
{
	named_site *site = site_of(fcinfo);

	scoring_require_groups(site->model);
	read_object(site, PG_GETARG_JSONB_P(1));
	PG_RETURN_INT32((int32) score(site));
}

/* explain(name, record) */
Datum
crm_explain_record(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	named_site *site = site_of(fcinfo);
	crm_env		env = crm_env_in(CurrentMemoryContext);

	read_record(site, PG_GETARG_HEAPTUPLEHEADER(1));
	if (site->scorer.kind->explain == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a model of kind \"%s\" has no explain", site->scorer.kind->name)));
	(void) score(site);
	crm_check(site->scorer.kind->explain(site->scorer.prepared, &env, site->features, site->parts), CRM_MODEL_TYPE, false);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = -1; i < site->encoding->count; i++)
	{
		const scoring_column *column = i < 0 ? NULL : &site->encoding->columns[i];
		int			place = i < 0 ? 0 : site->readers[i].attribute;
		Datum		values[3] = {0};
		bool		nulls[3] = {i < 0, i < 0 || site->nulls[place], false};
		double		sum = 0;

		for (int j = 0; column != NULL && j < column->width; j++)
			sum += site->parts[1 + column->first + j];
		if (column != NULL)
			values[0] = CStringGetTextDatum(column->name);
		if (!nulls[1])
		{
			Oid			output;
			bool		is_varlena;

			getTypeOutputInfo(TupleDescAttr(site->desc, place)->atttypid, &output, &is_varlena);
			values[1] = CStringGetTextDatum(OidOutputFunctionCall(output, site->values[place]));
		}
		values[2] = Float8GetDatum(scoring_finite(column == NULL ? site->parts[0] : sum));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* predict_reasons(name, record, n int, direction text) -> (score, base, reasons), a reason being a column */
Datum
crm_predict_reasons_record(PG_FUNCTION_ARGS)
{
	named_site *site = site_of(fcinfo);
	scoring_encoding *encoding = site->encoding;
	crm_env		env = crm_env_in(CurrentMemoryContext);
	double	   *parts = palloc0(sizeof(double) * (encoding->count + 1));
	crm_model_text *names = palloc(sizeof(crm_model_text) * Max(encoding->count, 1));
	double		result;

	read_record(site, PG_GETARG_HEAPTUPLEHEADER(1));
	scoring_require_reasons(site->scorer.kind);
	result = score(site);
	crm_check(site->scorer.kind->explain(site->scorer.prepared, &env, site->features, site->parts), CRM_MODEL_TYPE, false);
	parts[0] = site->parts[0];
	for (int i = 0; i < encoding->count; i++)
	{
		const scoring_column *column = &encoding->columns[i];

		names[i] = (crm_model_text) {column->name, strlen(column->name)};
		for (int j = 0; j < column->width; j++)
			parts[i + 1] += site->parts[1 + column->first + j];
	}
	PG_RETURN_DATUM(scoring_reasons(fcinfo, result, parts, encoding->count, names, PG_GETARG_INT32(2), PG_GETARG_TEXT_PP(3)));
}
