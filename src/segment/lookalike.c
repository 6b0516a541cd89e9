/*
 * lookalike.c - lookalike_fit, lookalike_score: who looks like those of a seed.
 *
 * The model is jsonb: it is small, and it says by itself what weighs how much.
 */
#include "common/crm.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/agg_state.h"
#include "common/bridge.h"
#include "common/decimal.h"
#include "common/expanded_state.h"
#include "common/hashfn.h"
#include "kernel/lookalike.h"
#include "mb/pg_wchar.h"
#include "parser/parse_coerce.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_lookalike_fit_transfn);
CRM_FUNCTION(crm_lookalike_fit_combinefn);
CRM_FUNCTION(crm_lookalike_fit_finalfn);
CRM_FUNCTION(crm_lookalike_score_of);

#define LOOKALIKE_STATE_VERSION 1
/* Longer texts are no categories. */
#define MAX_TEXT_BYTES 1000

/* ---- features ------------------------------------------------------------------- */

/* How the features of one call are read. */
typedef struct feature_reader
{
	int			count;
	Oid			types[CRM_LOOKALIKE_MAX_FEATURES];	/* base types */
	crm_feature_kind kinds[CRM_LOOKALIKE_MAX_FEATURES];
	FmgrInfo	output[CRM_LOOKALIKE_MAX_FEATURES]; /* of enums */
} feature_reader;

static bool
kind_of_type(Oid type, crm_feature_kind *kind)
{
	char		category;
	bool		preferred;

	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			*kind = CRM_FEATURE_NUMBER;
			return true;
		case BOOLOID:
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			*kind = CRM_FEATURE_TEXT;
			return true;
	}
	get_type_category_preferred(type, &category, &preferred);
	*kind = CRM_FEATURE_TEXT;
	return category == TYPCATEGORY_ENUM;
}

/* The arguments from number first on are features. */
static void
read_types(FunctionCallInfo fcinfo, int first, feature_reader *reader)
{
	reader->count = PG_NARGS() - first;
	if (get_fn_expr_variadic(fcinfo->flinfo))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("features are given one by one, not as an array")));
	if (reader->count < 1 || reader->count > CRM_LOOKALIKE_MAX_FEATURES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("there are %d features, and may be 1 to %d", reader->count, CRM_LOOKALIKE_MAX_FEATURES)));
	for (int i = 0; i < reader->count; i++)
	{
		Oid			type = get_fn_expr_argtype(fcinfo->flinfo, first + i);
		bool		is_varlena;
		Oid			output;

		if (!OidIsValid(type) || type == UNKNOWNOID)
			ereport(ERROR,
					(errcode(ERRCODE_INDETERMINATE_DATATYPE),
					 errmsg("could not determine the type of feature %d", i + 1),
					 errhint("Cast it, such as to text.")));
		reader->types[i] = getBaseType(type);
		if (!kind_of_type(reader->types[i], &reader->kinds[i]))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("feature %d cannot have type %s", i + 1, format_type_be(type)),
					 errdetail("Features are numbers, dates and times, boolean, text, or of an enumerated type."),
					 errhint("Cast it to numeric or text.")));
		getTypeOutputInfo(reader->types[i], &output, &is_varlena);
		fmgr_info_cxt(output, &reader->output[i], fcinfo->flinfo->fn_mcxt);
	}
}

static void
read_features(FunctionCallInfo fcinfo, int first, feature_reader *reader, crm_feature_value *values)
{
	for (int i = 0; i < reader->count; i++)
	{
		crm_feature_value *value = &values[i];
		Datum		datum = fcinfo->args[first + i].value;
		struct varlena *text;

		*value = (crm_feature_value) {.missing = fcinfo->args[first + i].isnull};
		if (value->missing)
			continue;
		switch (reader->types[i])
		{
			case INT2OID:
				value->number = DatumGetInt16(datum);
				break;
			case INT4OID:
				value->number = DatumGetInt32(datum);
				break;
			case INT8OID:
				value->number = (double) DatumGetInt64(datum);
				break;
			case FLOAT4OID:
				value->number = DatumGetFloat4(datum);
				break;
			case FLOAT8OID:
				value->number = DatumGetFloat8(datum);
				break;
			case NUMERICOID:
				value->number = crm_numeric_to_float8(datum);
				break;
			case DATEOID:
				value->number = DATE_NOT_FINITE(DatumGetDateADT(datum)) ? NAN : DatumGetDateADT(datum);
				break;
			case TIMESTAMPOID:
			case TIMESTAMPTZOID:
				value->number = TIMESTAMP_NOT_FINITE(DatumGetTimestamp(datum)) ? NAN : (double) DatumGetTimestamp(datum);
				break;
			case BOOLOID:
				value->text = DatumGetBool(datum) ? "true" : "false";
				value->length = strlen(value->text);
				break;
			case TEXTOID:
			case VARCHAROID:
			case BPCHAROID:
				text = PG_DETOAST_DATUM_PACKED(datum);
				value->text = VARDATA_ANY(text);
				value->length = VARSIZE_ANY_EXHDR(text);
				if (reader->types[i] == BPCHAROID)
					while (value->length > 0 && value->text[value->length - 1] == ' ')
						value->length--;
				break;
			default:
				value->text = OutputFunctionCall(&reader->output[i], datum);
				value->length = strlen(value->text);
				break;
		}
		if (reader->kinds[i] == CRM_FEATURE_NUMBER && !isfinite(value->number))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("feature %d is not finite", i + 1),
					 errhint("Make it NULL, which is a kind of its own.")));
		if (reader->kinds[i] == CRM_FEATURE_TEXT && value->length > MAX_TEXT_BYTES)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("a value of feature %d is too long", i + 1),
					 errdetail("It has %zu bytes, at most %d are allowed.", value->length, MAX_TEXT_BYTES)));
	}
}

static void
check_fit(crm_status status, uint32 feature)
{
	if (status == CRM_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("feature %u of lookalike has too many different values", feature + 1),
				 errdetail("At most %d different texts are counted, or cells of numbers %d.", CRM_LOOKALIKE_MAX_TEXTS, CRM_LOOKALIKE_MAX_CELLS),
				 errhint("Group its values, or leave it out: what nearly everybody has for himself tells nothing.")));
	crm_check(status, "crm.agg_state", false);
}

/* ---- the state -------------------------------------------------------------------- */

typedef struct fit_state
{
	ExpandedObjectHeader header;
	crm_env		env;
	crm_lookalike *counts;
} fit_state;

static Size
flat_size(ExpandedObjectHeader *header)
{
	Size		size = CRM_AGG_STATE_HEADER + crm_lookalike_size(((fit_state *) header)->counts);

	crm_check_size(size, "crm.agg_state");
	return size;
}

static void
flatten_into(ExpandedObjectHeader *header, void *result, Size size)
{
	crm_agg_state_init(result, size, CRM_STATE_LOOKALIKE, LOOKALIKE_STATE_VERSION);
	crm_lookalike_write(((fit_state *) header)->counts, (uint8 *) ((crm_agg_state *) result)->data);
}

static void *add_flat(void *at_hand, Datum value, MemoryContext parent, const void *use);

static const crm_expanded_kind fit_kind = {{flat_size, flatten_into}, add_flat};

static fit_state *
new_state(MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "lookalike_fit", ALLOCSET_DEFAULT_SIZES);
	fit_state  *state = MemoryContextAllocZero(context, sizeof(fit_state));

	EOH_init_header(&state->header, &fit_kind.methods, context);
	state->env = crm_env_in(context);
	return state;
}

static void *
add_flat(void *at_hand, Datum value, MemoryContext parent, const void *use)
{
	fit_state  *state = at_hand;
	crm_agg_state *flat = crm_agg_state_fetch(value, CRM_STATE_LOOKALIKE, LOOKALIKE_STATE_VERSION, CRM_AGG_STATE_HEADER);
	uint32		feature;

	if (state == NULL)
		state = new_state(parent);
	check_fit(crm_lookalike_read(&state->env, (const uint8 *) flat->data, VARSIZE(flat) - CRM_AGG_STATE_HEADER, &state->counts, &feature), feature);
	return state;
}

/* lookalike_fit_transfn(state, seed boolean, key text, VARIADIC features "any"); a row without a key is nobody */
Datum
crm_lookalike_fit_transfn(PG_FUNCTION_ARGS)
{
	MemoryContext aggcontext;
	feature_reader *reader = fcinfo->flinfo->fn_extra;
	crm_feature_value values[CRM_LOOKALIKE_MAX_FEATURES];
	fit_state  *state;
	text	   *key;
	uint32		feature = 0;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "lookalike_fit_transfn called in non-aggregate context");
	if (reader == NULL)
	{
		reader = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(feature_reader));
		read_types(fcinfo, 3, reader);
		fcinfo->flinfo->fn_extra = reader;
	}
	if (PG_ARGISNULL(2))
		return crm_agg_unchanged(fcinfo);
	read_features(fcinfo, 3, reader, values);
	if (PG_ARGISNULL(0))
	{
		state = new_state(aggcontext);
		crm_check(crm_lookalike_new(&state->env, reader->kinds, reader->count, &state->counts), "crm.agg_state", false);
	}
	else
		state = crm_expanded_writable(&fit_kind, NULL, PG_GETARG_DATUM(0), aggcontext);
	if ((int) crm_lookalike_features(state->counts) != reader->count)
		crm_agg_state_damaged("A state of lookalike_fit has other features.");
	for (int i = 0; i < reader->count; i++)
		if (crm_lookalike_kind(state->counts, i) != reader->kinds[i])
			crm_agg_state_damaged("A state of lookalike_fit has other features.");
	key = PG_GETARG_TEXT_PP(2);
	check_fit(crm_lookalike_add(state->counts, !PG_ARGISNULL(1) && PG_GETARG_BOOL(1),
								hash_bytes_extended((const unsigned char *) VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key), 0x6c6f6f6b),
								values, &feature), feature);
	return EOHPGetRWDatum(&state->header);
}

Datum
crm_lookalike_fit_combinefn(PG_FUNCTION_ARGS)
{
	return crm_expanded_combine(fcinfo, &fit_kind, NULL, "lookalike_fit");
}

/* ---- the model ---------------------------------------------------------------------- */

static void
put_number(StringInfo json, double number)
{
	char	   *text = float8out_internal(number);

	appendStringInfoString(json, text);
	pfree(text);
}

static void
put_numbers(StringInfo json, const char *name, const double *numbers, uint32 count)
{
	appendStringInfo(json, ", \"%s\": [", name);
	for (uint32 i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoString(json, ", ");
		put_number(json, numbers[i]);
	}
	appendStringInfoChar(json, ']');
}

static void
put_feature(StringInfo json, const crm_lookalike_feature *feature)
{
	appendStringInfo(json, "{\"kind\": \"%s\", \"missing\": ", feature->kind == CRM_FEATURE_NUMBER ? "number" : "text");
	put_number(json, feature->missing);
	if (feature->kind == CRM_FEATURE_NUMBER)
		put_numbers(json, "borders", feature->borders, feature->count > 0 ? feature->count - 1 : 0);
	else
	{
		appendStringInfoString(json, ", \"other\": ");
		put_number(json, feature->other);
		appendStringInfoString(json, ", \"texts\": [");
		for (uint32 i = 0; i < feature->count; i++)
		{
			char	   *text = pnstrdup(feature->texts[i].text, feature->texts[i].length);

			if (!pg_verifymbstr(feature->texts[i].text, (int) feature->texts[i].length, true))
				crm_agg_state_damaged("A text in a state of lookalike_fit is not one of the database's encoding.");
			if (i > 0)
				appendStringInfoString(json, ", ");
			escape_json(json, text);
			pfree(text);
		}
		appendStringInfoChar(json, ']');
	}
	put_numbers(json, "weights", feature->weights, feature->count);
	appendStringInfoChar(json, '}');
}

/* Without customers of the seed, or without others: NULL. */
Datum
crm_lookalike_fit_finalfn(PG_FUNCTION_ARGS)
{
	const fit_state *state;
	crm_lookalike_model model;
	bool		found;
	StringInfoData json;

	state = crm_expanded_final(fcinfo, &fit_kind, NULL, "lookalike_fit");
	if (state == NULL)
		PG_RETURN_NULL();
	crm_check(crm_lookalike_finish(state->counts, &model, &found), "crm.agg_state", false);
	if (!found)
		PG_RETURN_NULL();
	initStringInfo(&json);
	appendStringInfo(&json, "{\"model\": \"lookalike\", \"version\": 1, \"seed\": " UINT64_FORMAT ", \"others\": " UINT64_FORMAT
					 ", \"held_out_seed\": " UINT64_FORMAT ", \"held_out_others\": " UINT64_FORMAT ", \"auc\": ",
					 model.seeds, model.others, model.held_seeds, model.held_others);
	if (model.validated)
		put_number(&json, model.auc);
	else
		appendStringInfoString(&json, "null");
	appendStringInfoString(&json, ", \"features\": [");
	for (uint32 i = 0; i < model.count; i++)
	{
		if (i > 0)
			appendStringInfoString(&json, ", ");
		put_feature(&json, &model.features[i]);
	}
	appendStringInfoString(&json, "]}");
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data)));
}

/* ---- scores -------------------------------------------------------------------------- */

static CRM_NORETURN void
refuse_model(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("this is no model of similarity"),
			 errdetail("%s", detail),
			 errhint("Give what lookalike_fit gives.")));
}

static JsonbValue *
member_of(JsonbContainer *object, const char *name, enum jbvType type)
{
	JsonbValue *value = getKeyJsonValueFromContainer(object, name, (int) strlen(name), NULL);

	if (value == NULL || value->type != type)
		refuse_model(psprintf("Its member \"%s\" is missing or of another type.", name));
	return value;
}

static double
number_in(JsonbContainer *object, const char *name)
{
	return crm_numeric_to_float8(NumericGetDatum(member_of(object, name, jbvNumeric)->val.numeric));
}

static JsonbContainer *
list_in(JsonbContainer *object, const char *name)
{
	JsonbValue *value = member_of(object, name, jbvBinary);

	if (!JsonContainerIsArray(value->val.binary.data))
		refuse_model(psprintf("Its member \"%s\" is no array.", name));
	return value->val.binary.data;
}

static double *
numbers_in(JsonbContainer *object, const char *name, uint32 *count)
{
	JsonbContainer *array = list_in(object, name);
	double	   *numbers;

	*count = JsonContainerSize(array);
	numbers = palloc((*count + 1) * sizeof(double));
	for (uint32 i = 0; i < *count; i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(array, i);

		if (value->type != jbvNumeric)
			refuse_model(psprintf("Its member \"%s\" holds something else than numbers.", name));
		numbers[i] = crm_numeric_to_float8(NumericGetDatum(value->val.numeric));
	}
	return numbers;
}

static void
read_feature(JsonbContainer *object, crm_lookalike_feature *feature)
{
	JsonbValue *kind = member_of(object, "kind", jbvString);
	uint32		count;

	feature->kind = kind->val.string.len == 6 && memcmp(kind->val.string.val, "number", 6) == 0 ? CRM_FEATURE_NUMBER : CRM_FEATURE_TEXT;
	feature->missing = number_in(object, "missing");
	feature->weights = numbers_in(object, "weights", &feature->count);
	if (feature->kind == CRM_FEATURE_NUMBER)
	{
		feature->borders = numbers_in(object, "borders", &count);
		if (count != (feature->count > 0 ? feature->count - 1 : 0))
			refuse_model("A feature has other borders than weights.");
	}
	else
	{
		JsonbContainer *texts = list_in(object, "texts");

		feature->other = number_in(object, "other");
		if (JsonContainerSize(texts) != feature->count)
			refuse_model("A feature has other texts than weights.");
		feature->texts = palloc((feature->count + 1) * sizeof(crm_feature_value));
		for (uint32 i = 0; i < feature->count; i++)
		{
			JsonbValue *text = getIthJsonbValueFromContainer(texts, i);

			if (text->type != jbvString)
				refuse_model("A feature's texts hold something else.");
			feature->texts[i] = (crm_feature_value) {false, 0, text->val.string.val, (size_t) text->val.string.len};
		}
	}
}

typedef struct scorer
{
	feature_reader reader;
	crm_lookalike_model model;
	bool		ready;
	bool		stays;			/* the model is the same for all calls */
} scorer;

static void
read_model(Jsonb *jsonb, crm_lookalike_model *model)
{
	JsonbContainer *features;

	if (!JB_ROOT_IS_OBJECT(jsonb))
		refuse_model("It is no object.");
	features = list_in(&jsonb->root, "features");
	memset(model, 0, sizeof(*model));
	model->count = JsonContainerSize(features);
	if (model->count > CRM_LOOKALIKE_MAX_FEATURES)
		refuse_model("It has too many features.");
	model->features = palloc0((model->count + 1) * sizeof(crm_lookalike_feature));
	for (uint32 i = 0; i < model->count; i++)
	{
		JsonbValue *feature = getIthJsonbValueFromContainer(features, i);

		if (feature->type != jbvBinary || !JsonContainerIsObject(feature->val.binary.data))
			refuse_model("A feature is no object.");
		read_feature(feature->val.binary.data, &model->features[i]);
	}
}

/* lookalike_score(model jsonb, VARIADIC features "any"); NULL without a model */
Datum
crm_lookalike_score_of(PG_FUNCTION_ARGS)
{
	scorer	   *s = fcinfo->flinfo->fn_extra;
	crm_feature_value values[CRM_LOOKALIKE_MAX_FEATURES];

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (s == NULL)
	{
		s = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(scorer));
		read_types(fcinfo, 1, &s->reader);
		s->stays = get_fn_expr_arg_stable(fcinfo->flinfo, 0);
		fcinfo->flinfo->fn_extra = s;
	}
	if (!s->ready || !s->stays)
	{
		MemoryContext old = s->stays ? MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt) : CurrentMemoryContext;

		read_model(s->stays ? DatumGetJsonbPCopy(PG_GETARG_DATUM(0)) : PG_GETARG_JSONB_P(0), &s->model);
		MemoryContextSwitchTo(old);
		s->ready = true;
	}
	if ((int) s->model.count != s->reader.count)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the model has %u features, %d are given", s->model.count, s->reader.count)));
	for (uint32 i = 0; i < s->model.count; i++)
		if (s->model.features[i].kind != s->reader.kinds[i])
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("feature %u is %s in the model", i + 1, s->model.features[i].kind == CRM_FEATURE_NUMBER ? "a number" : "text")));
	read_features(fcinfo, 1, &s->reader, values);
	PG_RETURN_FLOAT8(crm_lookalike_score(&s->model, values));
}
