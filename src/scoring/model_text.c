/*
 * model_text.c - the text form of crm.model, and crm.model_params.
 *
 * The text form is JSON, numbers with the fewest digits that give them back:
 *
 *   {"kind": "linear", "features": 2, "intercept": 1, "coefficients": [2, 0.5], "means": [0, 0]}
 *
 * Which keys there are, the table of the kind says; what is read is checked as
 * stored bytes are.
 */
#include "scoring/scoring.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "mb/pg_wchar.h"
#include "utils/float.h"
#include "utils/json.h"
#include "utils/numeric.h"

CRM_FUNCTION(crm_model_in);
CRM_FUNCTION(crm_model_out);
CRM_FUNCTION(crm_model_params);
CRM_FUNCTION(crm_model_kind_name);

/* ---- writing ------------------------------------------------------------- */

void
scoring_append_number(StringInfo text, double number)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (isnan(number))
		appendStringInfoString(text, "null");
	else
	{
		double_to_shortest_decimal_buf(number + 0.0, digits);
		appendStringInfoString(text, digits);
	}
}

static void
append_text(StringInfo text, crm_model_text value)
{
	escape_json(text, pnstrdup(value.bytes, value.length));
}

void
scoring_append_value(StringInfo text, const crm_model_field *field, const crm_model_value *value)
{
	switch (field->type)
	{
		case CRM_FIELD_BOOLEAN:
			appendStringInfoString(text, value->integer ? "true" : "false");
			return;
		case CRM_FIELD_INTEGER:
			appendStringInfo(text, INT64_FORMAT, value->integer);
			return;
		case CRM_FIELD_NUMBER:
			scoring_append_number(text, value->number);
			return;
		case CRM_FIELD_TEXT:
			append_text(text, value->text);
			return;
		default:
			break;
	}
	appendStringInfoChar(text, '[');
	for (uint32 i = 0; i < value->count; i++)
	{
		if (i > 0)
			appendStringInfoString(text, ", ");
		if (field->type == CRM_FIELD_INTEGERS)
			appendStringInfo(text, INT64_FORMAT, value->integers[i]);
		else if (field->type == CRM_FIELD_NUMBERS)
			scoring_append_number(text, value->numbers[i]);
		else
			append_text(text, value->texts[i]);
		if (i % 1024 == 1023)
			CHECK_FOR_INTERRUPTS();
	}
	appendStringInfoChar(text, ']');
}

/* All of the model, or what is of interest to people. */
static StringInfo
model_text(const crm_model *m, bool everything)
{
	StringInfo	text = makeStringInfo();
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_model_value derived[CRM_MODEL_MAX_FIELDS] = {{0}};

	appendStringInfo(text, "{\"kind\": \"%s\", \"features\": %u", m->kind->name, m->features);
	for (int place = 0; place < CRM_MODEL_MAX_FIELDS; place++)
	{
		const crm_model_field *field = crm_model_field_at(m->kind, place);

		if (field == NULL || !m->values[place].present || (!everything && (field->flags & CRM_FIELD_BULK)))
			continue;
		appendStringInfo(text, ", \"%s\": ", field->name);
		scoring_append_value(text, field, &m->values[place]);
	}
	if (!everything && m->kind->derive != NULL)
	{
		crm_check(m->kind->derive(m, &env, derived), CRM_MODEL_TYPE, false);
		for (int i = 0; m->kind->derived_fields[i].name != NULL; i++)
			if (derived[i].present)
			{
				appendStringInfo(text, ", \"%s\": ", m->kind->derived_fields[i].name);
				scoring_append_value(text, &m->kind->derived_fields[i], &derived[i]);
			}
	}
	appendStringInfoChar(text, '}');
	return text;
}

Datum
crm_model_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(model_text(scoring_model_fetch(PG_GETARG_DATUM(0), CurrentMemoryContext), true)->data);
}

/* model_params(m) */
Datum
crm_model_params(PG_FUNCTION_ARGS)
{
	StringInfo	text = model_text(scoring_model_fetch(PG_GETARG_DATUM(0), CurrentMemoryContext), false);

	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(text->data)));
}

/* model_kind(m) */
Datum
crm_model_kind_name(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(scoring_model_fetch(PG_GETARG_DATUM(0), CurrentMemoryContext)->kind->name));
}

/* ---- reading ------------------------------------------------------------- */

static void bad_text(const char *text, const char *detail) CRM_NORETURN;

static void
bad_text(const char *text, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%.*s\"", CRM_MODEL_TYPE, pg_mbcliplen(text, (int) strlen(text), 100), text),
			 errdetail("%s", detail),
			 errhint("A model is written by a trainer such as logistic_fit, and its text form by a cast to text.")));
}

static void
bad_field(const char *text, const crm_model_field *field, const char *expected)
{
	bad_text(text, psprintf("\"%s\" is not %s.", field->name, expected));
}

static double
take_number(const char *text, const crm_model_field *field, const JsonbValue *json)
{
	if (json->type == jbvNull && (field->flags & CRM_FIELD_GAPS))
		return get_float8_nan();
	if (json->type != jbvNumeric)
		bad_field(text, field, field->type == CRM_FIELD_NUMBER ? "a number" : "an array of numbers");
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(json->val.numeric)));
}

static int64
take_integer(const char *text, const crm_model_field *field, const JsonbValue *json)
{
	Numeric		number;
	int64		integer;

	if (json->type != jbvNumeric)
		bad_field(text, field, field->type == CRM_FIELD_INTEGER ? "a whole number" : "an array of whole numbers");
	number = json->val.numeric;
	integer = DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(number)));
	/* 2.5 would be rounded. */
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(number), NumericGetDatum(int64_to_numeric(integer)))))
		bad_field(text, field, field->type == CRM_FIELD_INTEGER ? "a whole number" : "an array of whole numbers");
	return integer;
}

static crm_model_text
take_text(const char *text, const crm_model_field *field, const JsonbValue *json)
{
	if (json->type != jbvString)
		bad_field(text, field, field->type == CRM_FIELD_TEXT ? "a string" : "an array of strings");
	return (crm_model_text) {json->val.string.val, (uint32) json->val.string.len};
}

static void
take_array(const char *text, const crm_model_field *field, JsonbContainer *container, crm_model_value *value)
{
	JsonbIterator *iterator = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue	element;
	uint32		count = JsonContainerSize(container);
	int64	   *integers = NULL;
	double	   *numbers = NULL;
	crm_model_text *texts = NULL;
	uint32		i = 0;

	if (field->type == CRM_FIELD_INTEGERS)
		value->integers = integers = MemoryContextAllocHuge(CurrentMemoryContext, Max(count, 1) * sizeof(int64));
	else if (field->type == CRM_FIELD_NUMBERS)
		value->numbers = numbers = MemoryContextAllocHuge(CurrentMemoryContext, Max(count, 1) * sizeof(double));
	else
		value->texts = texts = MemoryContextAllocHuge(CurrentMemoryContext, Max(count, 1) * sizeof(crm_model_text));
	value->count = count;
	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (integers != NULL)
			integers[i] = take_integer(text, field, &element);
		else if (numbers != NULL)
			numbers[i] = take_number(text, field, &element);
		else
			texts[i] = take_text(text, field, &element);
		if (++i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	}
}

static void
take_value(const char *text, const crm_model_field *field, const JsonbValue *json, crm_model_value *value)
{
	value->present = true;
	switch (field->type)
	{
		case CRM_FIELD_BOOLEAN:
			if (json->type != jbvBool)
				bad_field(text, field, "true or false");
			value->integer = json->val.boolean;
			break;
		case CRM_FIELD_INTEGER:
			value->integer = take_integer(text, field, json);
			break;
		case CRM_FIELD_NUMBER:
			value->number = take_number(text, field, json);
			break;
		case CRM_FIELD_TEXT:
			value->text = take_text(text, field, json);
			break;
		default:
			if (json->type != jbvBinary || !JsonContainerIsArray(json->val.binary.data))
				bad_field(text, field, "an array");
			take_array(text, field, json->val.binary.data, value);
			break;
	}
}

static const char *
kind_list(void)
{
	StringInfo	list = makeStringInfo();

	for (int i = 0; crm_model_kinds[i] != NULL; i++)
		appendStringInfo(list, "%s%s", i > 0 ? ", " : "", crm_model_kinds[i]->name);
	return list->data;
}

/* The kind and the number of features, which everything else hangs on. */
static void
take_head(const char *text, Jsonb *json, crm_model *m)
{
	static const crm_model_field features_field = {"features", CRM_FIELD_INTEGER};
	JsonbValue *kind_name = getKeyJsonValueFromContainer(&json->root, "kind", strlen("kind"), NULL);
	JsonbValue *features = getKeyJsonValueFromContainer(&json->root, "features", strlen("features"), NULL);
	const crm_model_kind *kind;
	int64		count;

	if (kind_name == NULL || kind_name->type != jbvString)
		bad_text(text, "\"kind\" is missing or not a string.");
	kind = crm_model_kind_named(kind_name->val.string.val, kind_name->val.string.len);
	if (kind == NULL)
		bad_text(text, psprintf("There is no kind of model \"%.*s\"; there are %s.",
								pg_mbcliplen(kind_name->val.string.val, kind_name->val.string.len, 64), kind_name->val.string.val,
								kind_list()));
	if (features == NULL)
		bad_text(text, "\"features\", their number, is missing.");
	count = take_integer(text, &features_field, features);
	if (count < 0 || count > CRM_MODEL_MAX_FEATURES)
		bad_text(text, psprintf("\"features\" is not a number from 0 to %d.", CRM_MODEL_MAX_FEATURES));
	crm_model_begin(m, kind, (uint32) count);
}

Datum
crm_model_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	Jsonb	   *json = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
	crm_model	m;
	uint32		taken = 2;
	crm_env		env = crm_env_in(CurrentMemoryContext);
	char		room[CRM_MODEL_PROBLEM];
	const char *problem;

	if (!JB_ROOT_IS_OBJECT(json))
		bad_text(text, "It is not a JSON object.");
	take_head(text, json, &m);
	for (int place = 0; place < CRM_MODEL_MAX_FIELDS; place++)
	{
		const crm_model_field *field = crm_model_field_at(m.kind, place);
		JsonbValue *found = field == NULL ? NULL :
			getKeyJsonValueFromContainer(&json->root, field->name, strlen(field->name), NULL);

		if (found == NULL)
			continue;
		take_value(text, field, found, &m.values[place]);
		taken++;
	}
	if (taken != JB_ROOT_COUNT(json))
		bad_text(text, psprintf("There is a key that a model of kind \"%s\" does not have.", m.kind->name));
	if (crm_model_check(&m, &env, room, &problem) != CRM_OK)
		bad_text(text, problem);
	PG_RETURN_POINTER(scoring_model_value(&m, CurrentMemoryContext));
}
