/*
 * outliers.c - robust_scale_agg, and how far a value is from the others.
 */
#include "segment/values_state.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "kernel/outliers.h"

CRM_FUNCTION(crm_robust_scale_agg_transfn);
CRM_FUNCTION(crm_robust_scale_agg_combinefn);
CRM_FUNCTION(crm_robust_scale_agg_finalfn);
CRM_FUNCTION(crm_outlier_score);

static const segment_values_use scale_use = {CRM_STATE_ROBUST_SCALE, 1, "robust_scale_agg"};

/* Columns of crm.robust_scale. */
#define SCALE_COLUMNS 6

/* robust_scale_agg_transfn(state, value float8) */
Datum
crm_robust_scale_agg_transfn(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	return segment_values_add(segment_values_state(fcinfo, &scale_use, 0, 0), false, PG_GETARG_FLOAT8(1));
}

Datum
crm_robust_scale_agg_combinefn(PG_FUNCTION_ARGS)
{
	return segment_values_combine(fcinfo, &scale_use);
}

/* No values: NULL. */
Datum
crm_robust_scale_agg_finalfn(PG_FUNCTION_ARGS)
{
	const segment_values *state = segment_values_final(fcinfo, &scale_use);
	MemoryContext work;
	crm_env		env;
	crm_robust_scale scale;
	crm_status	status;
	TupleDesc	desc;
	Datum		values[SCALE_COLUMNS];
	bool		nulls[SCALE_COLUMNS] = {false};

	if (state == NULL)
		PG_RETURN_NULL();
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "robust_scale_agg returns a row");
	work = AllocSetContextCreate(CurrentMemoryContext, "crm robust scale", ALLOCSET_DEFAULT_SIZES);
	env = crm_env_in(work);
	status = crm_robust_scale_of(&env, &state->values[0], &scale);
	if (status == CRM_OUT_OF_RANGE)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("values of robust_scale_agg lie too far apart: their distances are out of the range of float8")));
	crm_check(status, "crm.agg_state", false);
	MemoryContextDelete(work);
	values[0] = Int64GetDatum(scale.count);
	values[1] = Float8GetDatum(scale.median);
	values[2] = Float8GetDatum(scale.mad);
	values[3] = Float8GetDatum(scale.mean_deviation);
	values[4] = Float8GetDatum(scale.lower_quartile);
	values[5] = Float8GetDatum(scale.upper_quartile);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* A crm.robust_scale; its columns take eight bytes each, so no tuple descriptor is needed.  False where one of them is NULL. */
static bool
read_scale(HeapTupleHeader tuple, crm_robust_scale *scale)
{
	const char *at = (const char *) tuple + tuple->t_hoff;

	if (HeapTupleHeaderGetNatts(tuple) < SCALE_COLUMNS)
		return false;
	for (int i = 0; i < SCALE_COLUMNS; i++)
		if ((tuple->t_infomask & HEAP_HASNULL) && att_isnull(i, tuple->t_bits))
			return false;
	memcpy(&scale->count, at, 8);
	memcpy(&scale->median, at + 8, 8);
	memcpy(&scale->mad, at + 16, 8);
	memcpy(&scale->mean_deviation, at + 24, 8);
	memcpy(&scale->lower_quartile, at + 32, 8);
	memcpy(&scale->upper_quartile, at + 40, 8);
	return true;
}

/* outlier_score(value float8, scale robust_scale) */
Datum
crm_outlier_score(PG_FUNCTION_ARGS)
{
	float8		value = PG_GETARG_FLOAT8(0);
	crm_robust_scale scale;

	if (!read_scale(PG_GETARG_HEAPTUPLEHEADER(1), &scale))
		PG_RETURN_NULL();
	if (isnan(value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("NaN is not far from anything")));
	if (!isfinite(scale.median) || !(scale.mad >= 0) || !(scale.mean_deviation >= 0))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a median that is not finite, or a deviation below 0, is no scale"),
				 errhint("Give what robust_scale_agg gives.")));
	PG_RETURN_FLOAT8(crm_robust_z(&scale, value));
}
