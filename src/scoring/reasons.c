/*
 * reasons.c - predict_reasons: a score and the features that moved it most, in
 * one call, for models of any kind that can be explained.
 */
#include "scoring/scoring.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

CRM_FUNCTION(crm_predict_reasons);

typedef enum reason_direction
{
	DIRECTION_ANY,
	DIRECTION_UP,
	DIRECTION_DOWN
} reason_direction;

static reason_direction
read_direction(text *word)
{
	static const char *const words[] = {"any", "up", "down"};

	for (int i = 0; i < lengthof(words); i++)
		if (VARSIZE_ANY_EXHDR(word) == strlen(words[i]) && memcmp(VARDATA_ANY(word), words[i], strlen(words[i])) == 0)
			return (reason_direction) i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid direction of reasons: \"%.*s\"",
					pg_mbcliplen(VARDATA_ANY(word), (int) VARSIZE_ANY_EXHDR(word), 64), VARDATA_ANY(word)),
			 errhint("It is any, up (what raised the score) or down (what lowered it).")));
}

/* Does part a move the score more than part b?  Of equal ones the first feature does. */
static bool
moves_more(const double *parts, int a, int b)
{
	return fabs(parts[a]) > fabs(parts[b]) || (fabs(parts[a]) == fabs(parts[b]) && a < b);
}

/* The features that moved the score most, largest first; how many. */
static int
top_features(const double *parts, int features, reason_direction direction, int most, int *top)
{
	int			count = 0;

	for (int f = 1; f <= features; f++)
	{
		int			place;

		if (parts[f] == 0 || (direction == DIRECTION_UP && parts[f] < 0) || (direction == DIRECTION_DOWN && parts[f] > 0))
			continue;
		if (count == most && (most == 0 || !moves_more(parts, f, top[count - 1])))
			continue;
		if (count < most)
			count++;
		for (place = count - 1; place > 0 && moves_more(parts, f, top[place - 1]); place--)
			top[place] = top[place - 1];
		top[place] = f;
	}
	return count;
}

static Datum
reasons_array(Oid element, const crm_model_text *names, const double *parts, const int *top, int count)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(element, -1);
	Datum	   *rows = palloc(sizeof(Datum) * Max(count, 1));
	int16		length;
	bool		by_value;
	char		align;
	ArrayType  *result;

	for (int i = 0; i < count; i++)
	{
		Datum		values[3] = {Int32GetDatum(top[i]), (Datum) 0, Float8GetDatum(parts[top[i]])};
		bool		nulls[3] = {false, names == NULL, false};

		if (names != NULL)
			values[1] = PointerGetDatum(cstring_to_text_with_len(names[top[i] - 1].bytes, (int) names[top[i] - 1].length));
		rows[i] = HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
	}
	get_typlenbyvalalign(element, &length, &by_value, &align);
	result = count == 0 ? construct_empty_array(element) : construct_array(rows, count, element, length, by_value, align);
	ReleaseTupleDesc(desc);
	return PointerGetDatum(result);
}

void
scoring_require_reasons(const crm_model_kind *kind)
{
	if (kind->predict == NULL || kind->explain == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a model of kind \"%s\" gives no reasons", kind->name)));
}

Datum
scoring_reasons(FunctionCallInfo fcinfo, double score, const double *parts, int features, const crm_model_text *names, int32 most, text *direction)
{
	reason_direction which = read_direction(direction);
	TupleDesc	desc;
	Datum		values[3];
	bool		nulls[3] = {false, false, false};
	int		   *top;

	if (most < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of reasons must not be negative: %d", most)));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "predict_reasons must return a row");
	for (int j = 0; j <= features; j++)
		(void) scoring_finite(parts[j]);
	most = Min(most, features);
	top = palloc(sizeof(int) * (most + 1));
	values[0] = Float8GetDatum(scoring_finite(score));
	values[1] = Float8GetDatum(parts[0]);
	values[2] = reasons_array(get_element_type(TupleDescAttr(desc, 2)->atttypid), names, parts, top,
							  top_features(parts, features, which, most, top));
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* predict_reasons(m, features, n int, direction text) -> (score, base, reasons) */
Datum
crm_predict_reasons(PG_FUNCTION_ARGS)
{
	scoring_site *site = scoring_site_of(fcinfo, 0);
	const crm_model_kind *kind = site->scorer.kind;
	const crm_model_value *names = &site->model->values[CRM_MODEL_FEATURE_NAMES];
	crm_env		env = crm_env_in(CurrentMemoryContext);
	const double *x = scoring_row(site, PG_GETARG_ARRAYTYPE_P(1));

	scoring_require_reasons(kind);
	crm_check(kind->explain(site->scorer.prepared, &env, x, site->row), CRM_MODEL_TYPE, false);
	PG_RETURN_DATUM(scoring_reasons(fcinfo, crm_score(&site->scorer, x), site->row, (int) site->scorer.features,
									names->present ? names->texts : NULL, PG_GETARG_INT32(2), PG_GETARG_TEXT_PP(3)));
}
