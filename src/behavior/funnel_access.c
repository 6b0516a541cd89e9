/*
 * funnel_access.c - questions to a value of type crm.funnel.
 */
#include "behavior/funnel.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_max_step);
CRM_FUNCTION(crm_step_times);
CRM_FUNCTION(crm_step_durations);
CRM_FUNCTION(crm_funnel_paths);

static Datum
times_array(const crm_funnel_entry *entry)
{
	Datum		elements[CRM_MAX_CONDITIONS];
	int			count = entry == NULL ? 0 : entry->level;

	for (int i = 0; i < count; i++)
		elements[i] = TimestampTzGetDatum(entry->times[i]);
	return PointerGetDatum(construct_array(elements, count, TIMESTAMPTZOID, sizeof(TimestampTz), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static Datum
durations_array(const crm_funnel_entry *entry)
{
	Datum		elements[CRM_MAX_CONDITIONS];
	int			count = entry == NULL ? 0 : entry->level - 1;

	for (int i = 0; i < count; i++)
		elements[i] = IntervalPGetDatum(funnel_interval(crm_time_between(entry->times[i], entry->times[i + 1])));
	return PointerGetDatum(construct_array(elements, count, INTERVALOID, sizeof(Interval), false, TYPALIGN_DOUBLE));
}

Datum
crm_max_step(PG_FUNCTION_ARGS)
{
	const crm_funnel_entry *best = funnel_best(funnel_fetch(PG_GETARG_DATUM(0)));

	PG_RETURN_INT32(best == NULL ? 0 : best->level);
}

Datum
crm_step_times(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(times_array(funnel_best(funnel_fetch(PG_GETARG_DATUM(0)))));
}

Datum
crm_step_durations(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(durations_array(funnel_best(funnel_fetch(PG_GETARG_DATUM(0)))));
}

Datum
crm_funnel_paths(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const funnel *f;

	InitMaterializedSRF(fcinfo, 0);
	f = funnel_fetch(PG_GETARG_DATUM(0));
	for (int i = 0; i < f->count; i++)
	{
		const crm_funnel_entry *entry = &f->entries[i];
		Datum		values[5];
		bool		nulls[5] = {false};

		values[0] = TimestampTzGetDatum(entry->period);
		nulls[0] = !f->head.periods;
		nulls[1] = entry->label == NULL;
		values[1] = nulls[1] ? (Datum) 0 : PointerGetDatum(cstring_to_text_with_len(entry->label, entry->label_length));
		values[2] = Int32GetDatum(entry->level);
		values[3] = times_array(entry);
		values[4] = durations_array(entry);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
