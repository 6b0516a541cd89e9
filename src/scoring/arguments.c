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
		case SCORING_WHOLES:
			return psprintf("It is an array of whole numbers from %.0f to %.0f.", option->least, option->most);
	}
	return "";
}

static bool
take_number(const scoring_option *option, const JsonbValue *value, double *number)
{
	if (value->type != jbvNumeric)
		return false;
	*number = DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric)));
	return *number >= option->least && *number <= option->most;
}

static bool
take_wholes(const scoring_option *option, const JsonbValue *value, scoring_wholes *wholes)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	element;
	int64	   *numbers;
	double		number;

	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		return false;
	wholes->numbers = numbers = palloc(sizeof(int64) * Max(JsonContainerSize(value->val.binary.data), 1));
	wholes->count = 0;
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (!take_number(option, &element, &number) || number != floor(number))
			return false;
		numbers[wholes->count++] = (int64) number;
	}
	return true;
}

static bool
take_option(const scoring_option *option, const JsonbValue *value, void *place)
{
	double		number;

	switch (option->type)
	{
		case SCORING_NUMBER:
		case SCORING_WHOLE:
			if (!take_number(option, value, &number))
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
		case SCORING_WHOLES:
			return take_wholes(option, value, place);
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

/* What fn_extra keeps of options. */
typedef struct kept_options
{
	struct varlena *json;		/* as given; NULL for null */
	void	   *options;
} kept_options;

const void *
scoring_options_of(FunctionCallInfo fcinfo, int argument, const scoring_option *known, const char *function,
				   const void *defaults, Size size)
{
	FmgrInfo   *flinfo = fcinfo->flinfo;
	kept_options *kept = flinfo->fn_extra;
	struct varlena *json = PG_ARGISNULL(argument) ? NULL : (struct varlena *) PG_GETARG_POINTER(argument);

	if (kept != NULL && (json == NULL) == (kept->json == NULL) &&
		(json == NULL || (VARSIZE_ANY(json) == VARSIZE_ANY(kept->json) && memcmp(json, kept->json, VARSIZE_ANY(json)) == 0)))
		return kept->options;
	flinfo->fn_extra = NULL;
	kept = MemoryContextAlloc(flinfo->fn_mcxt, sizeof(kept_options));
	kept->options = MemoryContextAlloc(flinfo->fn_mcxt, size);
	memcpy(kept->options, defaults, size);
	kept->json = NULL;
	if (json != NULL)
	{
		/* arrays among them live as long */
		MemoryContext before = MemoryContextSwitchTo(flinfo->fn_mcxt);

		scoring_read_options(DatumGetJsonbP(PointerGetDatum(json)), known, function, kept->options);
		MemoryContextSwitchTo(before);
		kept->json = MemoryContextAlloc(flinfo->fn_mcxt, VARSIZE_ANY(json));
		memcpy(kept->json, json, VARSIZE_ANY(json));
	}
	flinfo->fn_extra = kept;
	return kept->options;
}

/* ---- numbers --------------------------------------------------------------- */

double
scoring_number(double number, const char *name)
{
	if (!isfinite(number))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s must be finite: %s", name, DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(number))))));
	return number;
}

double
scoring_weight(double weight)
{
	if (scoring_number(weight, "weight") < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weight must not be negative: %s", DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(weight))))));
	return weight;
}

void
scoring_feature_missing(const double *x, int count, const char *hint)
{
	int			first = 0;

	while (first < count - 1 && !isnan(x[first]))
		first++;
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("feature %d of a row is null", first + 1),
			 errhint("%s", hint)));
}

void
scoring_set_places(crm_model *m, int field, const bool *marks, int count)
{
	int64	   *places = palloc(sizeof(int64) * Max(count, 1));
	uint32		found = 0;

	for (int i = 0; i < count; i++)
		if (marks[i])
			places[found++] = i + 1;
	if (found > 0)
		crm_model_set_integers(m, field, places, found);
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
