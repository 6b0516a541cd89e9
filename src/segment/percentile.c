/*
 * percentile.c - percentile_agg, percentile_at and band: the position of a value
 * among all values, and the band that a value falls into.
 */
#include "segment/values_state.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "kernel/percentile.h"
#include "utils/array.h"

CRM_FUNCTION(crm_percentile_agg_transfn);
CRM_FUNCTION(crm_percentile_agg_combinefn);
CRM_FUNCTION(crm_percentile_agg_finalfn);
CRM_FUNCTION(crm_percentile_at_borders);
CRM_FUNCTION(crm_band);

static const segment_values_use percentile_use = {CRM_STATE_PERCENTILE, 2, "percentile_agg"};

/* ---- the aggregate --------------------------------------------------------- */

/* percentile_agg_transfn(state, value float8); NULL has no place */
Datum
crm_percentile_agg_transfn(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	return segment_values_add(segment_values_state(fcinfo, &percentile_use, 0, 0), false, PG_GETARG_FLOAT8(1));
}

Datum
crm_percentile_agg_combinefn(PG_FUNCTION_ARGS)
{
	return segment_values_combine(fcinfo, &percentile_use);
}

/* No values: NULL. */
Datum
crm_percentile_agg_finalfn(PG_FUNCTION_ARGS)
{
	const segment_values *state = segment_values_final(fcinfo, &percentile_use);
	crm_env		env = crm_env_in(CurrentMemoryContext);
	double	   *numbers;
	size_t		count;
	Datum	   *elements;

	if (state == NULL)
		PG_RETURN_NULL();
	crm_check(crm_percentile_borders(&env, &state->values[0], &numbers, &count), "crm.agg_state", false);
	elements = palloc(count * sizeof(Datum));
	for (size_t i = 0; i < count; i++)
		elements[i] = Float8GetDatum(numbers[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, (int) count, FLOAT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* ---- asking ----------------------------------------------------------------- */

static const float8 *
numbers_of(ArrayType *array, int *count)
{
	*count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (ARR_NDIM(array) > 1 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("borders must be a list of numbers without NULL")));
	return (const float8 *) ARR_DATA_PTR(array);
}

/* percentile_at(value float8, borders float8[]) */
Datum
crm_percentile_at_borders(PG_FUNCTION_ARGS)
{
	float8		value = PG_GETARG_FLOAT8(0);
	int			count;
	const float8 *numbers = numbers_of(PG_GETARG_ARRAYTYPE_P(1), &count);

	if (count < CRM_PERCENTILE_HEADER + 2 || count % 2 != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("these are no borders of percentiles"),
				 errdetail("They have %d numbers.", count),
				 errhint("Give what percentile_agg gives.")));
	if (isnan(value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("NaN has no place among numbers")));
	PG_RETURN_FLOAT8(crm_percentile_at(numbers, (size_t) count, value));
}

/* band(value float8, borders float8[], labels text[]) */
Datum
crm_band(PG_FUNCTION_ARGS)
{
	const float8 *borders;
	float8		value;
	int			count;
	int			band = 0;
	ArrayType  *labels;
	Datum		label;
	bool		isnull;
	int			place;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	value = PG_GETARG_FLOAT8(0);
	borders = numbers_of(PG_GETARG_ARRAYTYPE_P(1), &count);
	for (int i = 0; i < count; i++)
	{
		if (isnan(borders[i]) || (i > 0 && borders[i] <= borders[i - 1]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("borders must ascend"),
					 errdetail("Border %d is %g.", i + 1, borders[i])));
		band += value >= borders[i] || isnan(value);
	}
	if (PG_ARGISNULL(2))
		PG_RETURN_TEXT_P(cstring_to_text(psprintf("%d", band + 1)));
	labels = PG_GETARG_ARRAYTYPE_P(2);
	if (ARR_NDIM(labels) != 1 || ARR_DIMS(labels)[0] != count + 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%d borders make %d bands, and there are %d labels", count, count + 1,
						ArrayGetNItems(ARR_NDIM(labels), ARR_DIMS(labels))),
				 errhint("Give one label more than borders, from the lowest band.")));
	place = ARR_LBOUND(labels)[0] + band;
	label = array_get_element(PointerGetDatum(labels), 1, &place, -1, -1, false, TYPALIGN_INT, &isnull);
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(label);
}
