/*
 * model_encoding.c - how the columns of a row become features.
 */
#include "scoring/train.h"

#include <math.h>

#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/numeric.h"

/* ---- from cells to features -------------------------------------------------- */

void
scoring_encoding_finish(scoring_encoding *encoding)
{
	int64		first = 0;

	for (int i = 0; i < encoding->count; i++)
	{
		scoring_column *column = &encoding->columns[i];

		column->first = (int) first;
		if (!encoding->spread)
			column->width = 1;
		else if (column->kind == SCORING_COLUMN_TEXT)
			column->width = column->count - (column->base >= 0) + column->other + column->missing;
		else
			column->width = 1 + column->missing;
		first += column->width;
		if (first > CRM_MODEL_MAX_FEATURES)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("the columns make more than %d features", CRM_MODEL_MAX_FEATURES),
					 errhint("Leave columns out, or give \"max_categories\".")));
	}
	encoding->features = (int) first;
}

int
scoring_find_value(const scoring_column *column, const scoring_cell *cell)
{
	int			low = 0;
	int			high = column->count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;
		const char *value = column->values[middle];
		int			size = (int) strlen(value);
		int			order = memcmp(value, cell->text, Min(size, cell->size));

		if (order == 0)
			order = size - cell->size;
		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

static void
spread_cell(const scoring_column *column, const scoring_cell *cell, double *x)
{
	if (column->kind != SCORING_COLUMN_TEXT)
	{
		x[0] = cell->missing ? column->mean : cell->number;
		if (column->missing)
			x[1] = cell->missing;
		return;
	}
	memset(x, 0, sizeof(double) * column->width);
	if (cell->missing)
	{
		if (column->missing)
			x[column->width - 1] = 1;
	}
	else
	{
		int			place = scoring_find_value(column, cell);

		if (place < 0 && column->other)
			x[column->count - (column->base >= 0)] = 1;
		else if (place >= 0 && place != column->base)
			x[place - (column->base >= 0 && place > column->base)] = 1;
	}
}

void
scoring_encode_cell(const scoring_encoding *encoding, const scoring_column *column, const scoring_cell *cell, double *features)
{
	double	   *x = features + column->first;

	if (encoding->spread)
		spread_cell(column, cell, x);
	else if (cell->missing)
		x[0] = get_float8_nan();
	else if (column->kind != SCORING_COLUMN_TEXT)
		x[0] = cell->number;
	else
	{
		int			place = scoring_find_value(column, cell);

		x[0] = place >= 0 ? column->codes[place] : column->other ? column->count : get_float8_nan();
	}
}

/* ---- the form that is stored ---------------------------------------------------- */

Jsonb *
scoring_encoding_write(const scoring_encoding *encoding)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "{\"spread\": %s, ", encoding->spread ? "true" : "false");
	if (encoding->horizon > 0)
		appendStringInfo(&text, "\"horizon\": %s, ", float8out_internal(encoding->horizon));
	appendStringInfoString(&text, "\"columns\": [");
	for (int i = 0; i < encoding->count; i++)
	{
		const scoring_column *column = &encoding->columns[i];

		appendStringInfo(&text, "%s{\"name\": ", i > 0 ? ", " : "");
		escape_json(&text, column->name);
		appendStringInfo(&text, ", \"kind\": \"%s\", \"missing\": %s", scoring_column_kinds[column->kind], column->missing ? "true" : "false");
		if (column->kind == SCORING_COLUMN_TEXT)
		{
			appendStringInfo(&text, ", \"other\": %s, \"base\": %d, \"values\": [", column->other ? "true" : "false", column->base);
			for (int j = 0; j < column->count; j++)
			{
				if (j > 0)
					appendStringInfoString(&text, ", ");
				escape_json(&text, column->values[j]);
			}
			appendStringInfoString(&text, "], \"codes\": [");
			for (int j = 0; j < column->count; j++)
				appendStringInfo(&text, "%s%d", j > 0 ? ", " : "", column->codes[j]);
			appendStringInfoChar(&text, ']');
		}
		else
			appendStringInfo(&text, ", \"mean\": %s", float8out_internal(column->mean));
		appendStringInfoChar(&text, '}');
	}
	appendStringInfoString(&text, "]}");
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data)));
}

static void invalid_encoding(const char *detail) CRM_NORETURN;

static void
invalid_encoding(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid encoding of a model"),
			 errdetail("%s", detail),
			 errhint("Give the encoding that stands in model_version.")));
}

static JsonbValue *
member(JsonbContainer *container, const char *name, enum jbvType type)
{
	JsonbValue	key = {.type = jbvString};
	JsonbValue *value;

	key.val.string.val = (char *) name;
	key.val.string.len = (int) strlen(name);
	value = findJsonbValueFromContainer(container, JB_FOBJECT, &key);
	if (value == NULL || value->type != type)
		invalid_encoding(psprintf("\"%s\" is missing or of another type.", name));
	return value;
}

static char *
string_of(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static JsonbContainer *
array_of(JsonbContainer *container, const char *name)
{
	JsonbValue *value = member(container, name, jbvBinary);

	if (!JsonContainerIsArray(value->val.binary.data))
		invalid_encoding(psprintf("\"%s\" is no array.", name));
	return value->val.binary.data;
}

static double
number_of(JsonbContainer *container, const char *name)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(member(container, name, jbvNumeric)->val.numeric)));
}

static void
read_values(JsonbContainer *container, scoring_column *column)
{
	JsonbContainer *values = array_of(container, "values");
	JsonbContainer *codes = array_of(container, "codes");
	double		base = number_of(container, "base");

	column->count = JsonContainerSize(values);
	column->values = palloc(sizeof(char *) * Max(column->count, 1));
	column->codes = palloc(sizeof(int) * Max(column->count, 1));
	if (JsonContainerSize(codes) != column->count)
		invalid_encoding("There is not one code for each value.");
	for (int i = 0; i < column->count; i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(values, i);

		if (value->type != jbvString)
			invalid_encoding("A value of a text is no string.");
		column->values[i] = string_of(value);
		if (i > 0 && strcmp(column->values[i - 1], column->values[i]) >= 0)
			invalid_encoding("The values of a text do not ascend.");
		value = getIthJsonbValueFromContainer(codes, i);
		column->codes[i] = value->type != jbvNumeric ? -1 :
			(int) DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric)));
		if (column->codes[i] < 0 || column->codes[i] >= column->count)
			invalid_encoding("A code is out of range.");
	}
	if (!(base >= -1 && base < column->count) || base != floor(base))
		invalid_encoding("\"base\" is no place of a value.");
	column->base = (int) base;
	column->other = member(container, "other", jbvBool)->val.boolean;
}

static void
read_column(JsonbContainer *container, scoring_column *column)
{
	char	   *kind = string_of(member(container, "kind", jbvString));

	column->name = string_of(member(container, "name", jbvString));
	column->missing = member(container, "missing", jbvBool)->val.boolean;
	column->base = -1;
	for (column->kind = 0; strcmp(scoring_column_kinds[column->kind], kind) != 0;)
		if (++column->kind == SCORING_COLUMN_KINDS)
			invalid_encoding(psprintf("There is no kind \"%s\" of columns.", kind));
	if (column->kind == SCORING_COLUMN_TEXT)
		read_values(container, column);
	else
		column->mean = number_of(container, "mean");
}

scoring_encoding *
scoring_encoding_read(Jsonb *json)
{
	scoring_encoding *encoding = palloc0(sizeof(scoring_encoding));
	JsonbContainer *columns;

	if (!JB_ROOT_IS_OBJECT(json))
		invalid_encoding("It is no object.");
	encoding->spread = member(&json->root, "spread", jbvBool)->val.boolean;
	if (scoring_member(json, "horizon") != NULL)
	{
		encoding->horizon = number_of(&json->root, "horizon");
		if (!(encoding->horizon > 0))
			invalid_encoding("\"horizon\" is not above 0.");
	}
	columns = array_of(&json->root, "columns");
	encoding->count = JsonContainerSize(columns);
	encoding->columns = palloc0(sizeof(scoring_column) * Max(encoding->count, 1));
	for (int i = 0; i < encoding->count; i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(columns, i);

		if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
			invalid_encoding("A column is no object.");
		read_column(value->val.binary.data, &encoding->columns[i]);
	}
	scoring_encoding_finish(encoding);
	return encoding;
}

JsonbValue *
scoring_member(Jsonb *json, const char *name)
{
	JsonbValue	key = {.type = jbvString};

	if (json == NULL || !JB_ROOT_IS_OBJECT(json))
		return NULL;
	key.val.string.val = (char *) name;
	key.val.string.len = (int) strlen(name);
	return findJsonbValueFromContainer(&json->root, JB_FOBJECT, &key);
}
