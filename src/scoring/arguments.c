/*
 * arguments.c - arguments that trainers and scorers share: options, features.
 */
#include "scoring/scoring.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/float.h"
#include "utils/numeric.h"

/* ---- options ------------------------------------------------------------- */

static const char *
name_list(const scoring_option *known)
{
	StringInfo	list = makeStringInfo();

	for (int i = 0; known[i].name != NULL; i++)
		appendStringInfo(list, "%s%s", i > 0 ? ", " : "", known[i].name);
	return list->data;
}

static const char *
word_list(const char *const *words)
{
	StringInfo	list = makeStringInfo();

	for (int i = 0; words[i] != NULL; i++)
		appendStringInfo(list, "%s\"%s\"", i > 0 ? ", " : "", words[i]);
	return list->data;
}

static const char *
expected(const scoring_option *option)
{
	switch (option->type)
	{
		case SCORING_NUMBER:
			return isinf(option->most) ? psprintf("It is a number from %g on.", option->least) :
				psprintf("It is a number from %g to %g.", option->least, option->most);
		case SCORING_WHOLE:
			return psprintf("It is a whole number from %.0f to %.0f.", option->least, option->most);
		case SCORING_BOOLEAN:
			return "It is true or false.";
		case SCORING_WORD:
			return psprintf("It is one of %s.", word_list(option->words));
	}
	return "";
}

static bool
take_option(const scoring_option *option, const JsonbValue *value, void *place)
{
	double		number;

	switch (option->type)
	{
		case SCORING_NUMBER:
		case SCORING_WHOLE:
			if (value->type != jbvNumeric)
				return false;
			number = DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric)));
			if (!(number >= option->least && number <= option->most))
				return false;
			if (option->type == SCORING_NUMBER)
				*(double *) place = number;
			else
				*(int64 *) place = (int64) number;
			return option->type == SCORING_NUMBER || number == floor(number);
		case SCORING_BOOLEAN:
			if (value->type != jbvBool)
				return false;
			*(bool *) place = value->val.boolean;
			return true;
		case SCORING_WORD:
			for (int i = 0; value->type == jbvString && option->words[i] != NULL; i++)
				if (strlen(option->words[i]) == value->val.string.len &&
					memcmp(option->words[i], value->val.string.val, value->val.string.len) == 0)
				{
					*(int *) place = i;
					return true;
				}
			return false;
	}
	return false;
}

void
scoring_read_options(const Jsonb *json, const scoring_option *known, const char *function, void *options)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options of %s must be a JSON object", function),
				 errhint("Known options are %s.", name_list(known))));
	iterator = JsonbIteratorInit(unconstify(JsonbContainer *, &json->root));
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		const scoring_option *option = known;

		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&iterator, &value, true);
		while (option->name != NULL &&
			   !(strlen(option->name) == key.val.string.len && memcmp(option->name, key.val.string.val, key.val.string.len) == 0))
			option++;
		if (option->name == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unknown option \"%.*s\" of %s", pg_mbcliplen(key.val.string.val, key.val.string.len, 64),
							key.val.string.val, function),
					 errhint("Known options are %s.", name_list(known))));
		if (!take_option(option, &value, (char *) options + option->offset))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("invalid value of option \"%s\" of %s", option->name, function),
					 errdetail("%s", expected(option))));
	}
}

/* ---- features ------------------------------------------------------------ */

const double *
scoring_features(ArrayType *array, int *count, bool *nulls)
{
	const double *numbers;
	double	   *copy;
	const bits8 *bitmap = ARR_NULLBITMAP(array);

	if (ARR_NDIM(array) > 1 || (ARR_NDIM(array) == 1 && ARR_ELEMTYPE(array) != FLOAT8OID))
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("features must be an array of one dimension, not %d", ARR_NDIM(array))));
	*count = ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
	*nulls = false;
	numbers = (const double *) ARR_DATA_PTR(array);
	if (bitmap != NULL)
	{
		int			next = 0;

		copy = palloc(sizeof(double) * Max(*count, 1));
		for (int i = 0; i < *count; i++)
		{
			bool		null = (bitmap[i / 8] & (1 << (i % 8))) == 0;

			copy[i] = null ? get_float8_nan() : numbers[next++];
			*nulls |= null;
		}
		numbers = copy;
	}
	for (int i = 0; i < *count; i++)
		if (!isfinite(numbers[i]) && (bitmap == NULL || (bitmap[i / 8] & (1 << (i % 8)))))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("features must be finite: %s", DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(numbers[i])))),
					 errdetail("Feature %d of a row is not a finite number.", i + 1),
					 errhint("Make it null where nothing is known, or replace it by a number.")));
	return numbers;
}
