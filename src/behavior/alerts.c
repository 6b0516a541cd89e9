/*
 * alerts.c - alerts of a daily number.
 */
#include "behavior/behavior.h"

#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "funcapi.h"
#include "kernel/alert.h"
#include "utils/array.h"
#include "utils/date.h"

#include <math.h>

CRM_FUNCTION(crm_alerts);

#define MOST_WEEKS 104

static int
compare_points(const void *a, const void *b)
{
	int32		x = ((const crm_alert_point *) a)->day;
	int32		y = ((const crm_alert_point *) b)->day;

	return x < y ? -1 : x > y;
}

/* The elements of an array argument of one dimension. */
static int
elements_of(FunctionCallInfo fcinfo, int argument, Oid type, Datum **elements, bool **nulls)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(argument);
	int			count;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("arrays of days and values must have one dimension")));
	deconstruct_array(array, type, type == DATEOID ? sizeof(DateADT) : sizeof(float8), true,
					  type == DATEOID ? TYPALIGN_INT : TYPALIGN_DOUBLE, elements, nulls, &count);
	return count;
}

/* Rows with a day and a value, in order of the day. */
static crm_alert_point *
points_of(FunctionCallInfo fcinfo, int *count)
{
	Datum	   *days,
			   *values,
			   *noises = NULL;
	bool	   *no_day,
			   *no_value,
			   *no_noise = NULL;
	int			n = elements_of(fcinfo, 0, DATEOID, &days, &no_day);
	crm_alert_point *points = palloc(Max(n, 1) * sizeof(crm_alert_point));
	int			kept = 0;

	if (elements_of(fcinfo, 1, FLOAT8OID, &values, &no_value) != n ||
		(!PG_ARGISNULL(2) && elements_of(fcinfo, 2, FLOAT8OID, &noises, &no_noise) != n))
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("arrays of days, values and noise must be of the same length"),
				 errhint("Aggregate all of them over the same rows, as in array_agg(day), array_agg(value).")));
	for (int i = 0; i < n; i++)
	{
		crm_alert_point *point = &points[kept];

		if (no_day[i] || no_value[i])
			continue;
		point->day = DatumGetDateADT(days[i]);
		point->value = DatumGetFloat8(values[i]);
		point->noise = noises == NULL || no_noise[i] ? 0 : DatumGetFloat8(noises[i]);
		if (DATE_NOT_FINITE(point->day) || !isfinite(point->value) || !isfinite(point->noise) || point->noise < 0)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("days, values and noise must be finite, and noise not negative"),
					 errdetail("Value %d is %g, with noise %g.", i + 1, point->value, point->noise),
					 errhint("Leave the day out, or give NULL, where there is no value.")));
		kept++;
	}
	qsort(points, kept, sizeof(crm_alert_point), compare_points);
	for (int i = 1; i < kept; i++)
		if (points[i].day == points[i - 1].day)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("day \"%s\" has two values",
							DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(points[i].day)))),
					 errhint("Group by the metric, so that each day stands once.")));
	*count = kept;
	return points;
}

/* alerts(days date[], observed float8[], noise float8[], weeks int, threshold float8, least_share float8) */
Datum
crm_alerts(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_alert_rule rule;
	crm_alert_point *points;
	crm_alert  *alerts;
	int			count;
	size_t		found;

	/* A rule that is NULL by mistake must not look like days without an alert. */
	for (int i = 3; i < 6; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"%s\" must not be null", i == 3 ? "weeks" : i == 4 ? "threshold" : "least_share")));
	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	rule.weeks = PG_GETARG_INT32(3);
	rule.threshold = PG_GETARG_FLOAT8(4);
	rule.least_share = PG_GETARG_FLOAT8(5);
	if (rule.weeks < 4 || rule.weeks > MOST_WEEKS || !(rule.threshold > 0) || !isfinite(rule.threshold) ||
		!(rule.least_share >= 0) || !isfinite(rule.least_share))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rule of alerts is out of its range: weeks %d, threshold %g, least_share %g", rule.weeks, rule.threshold, rule.least_share),
				 errhint("weeks lies between 4 and %d, threshold is positive, least_share not negative.", MOST_WEEKS)));
	points = points_of(fcinfo, &count);
	alerts = palloc(Max(count, 1) * sizeof(crm_alert));
	crm_check(crm_alerts_find(&env, &rule, points, count, alerts, &found), "alerts", false);
	for (size_t i = 0; i < found; i++)
	{
		Datum		values[6];
		bool		nulls[6] = {false};

		values[0] = DateADTGetDatum(alerts[i].started);
		values[1] = DateADTGetDatum(alerts[i].ended);
		values[2] = Int32GetDatum(alerts[i].days);
		values[3] = Float8GetDatum(alerts[i].expected);
		values[4] = Float8GetDatum(alerts[i].observed);
		values[5] = Float8GetDatum(alerts[i].severity);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
