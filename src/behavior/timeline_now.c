/*
 * timeline_now.c - timelines from the rows of events as the active snapshot has
 * them, for rules over customers whose stored timelines may be out of date.
 */
#include "behavior/timeline_chosen.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

CRM_FUNCTION(crm_timelines_now);

typedef struct timelines_now
{
	ReturnSetInfo *result;
	TimestampTz as_of;
} timelines_now;

static void
put_timeline(void *arg, int64 customer, bool marked, crm_timeline_writer *writer, crm_timeline_event *events, Size count)
{
	timelines_now *now = arg;
	Datum		values[3];
	bool		nulls[3] = {false, true, true};
	TimestampTz next = DT_NOEND;
	Size		n = 0;

	/* the future is not read, but for when it begins */
	for (Size i = 0; i < count; i++)
		if (events[i].at <= now->as_of)
			events[n++] = events[i];
		else
			next = Min(next, events[i].at);
	values[0] = Int64GetDatum(customer);
	if (n > 0)
	{
		nulls[1] = false;
		values[1] = timeline_build_pack(writer, customer, events, n);
	}
	if (next != DT_NOEND)
	{
		nulls[2] = false;
		values[2] = TimestampTzGetDatum(next);
	}
	tuplestore_putvalues(now->result->setResult, now->result->setDesc, values, nulls);
}

/* timelines_now(population_id, as_of, ids) */
Datum
crm_timelines_now(PG_FUNCTION_ARGS)
{
	timelines_now now = {(ReturnSetInfo *) fcinfo->resultinfo, 0};
	MemoryContext context;
	MemoryContext before;
	crm_population *population;
	timeline_mapping *mapping;
	timeline_settings settings;
	int64	   *ids = NULL;
	int			count = 0;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	context = AllocSetContextCreate(CurrentMemoryContext, "crm timelines", ALLOCSET_DEFAULT_SIZES);
	before = MemoryContextSwitchTo(context);
	population = crm_population_find_by_id(PG_GETARG_INT32(0));
	now.as_of = PG_GETARG_TIMESTAMPTZ(1);
	timeline_require_all(population);
	if (!PG_ARGISNULL(2))
	{
		ArrayType  *array = PG_GETARG_ARRAYTYPE_P(2);

		count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
		if (array_contains_nulls(array))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("ids must not contain NULL")));
		ids = (int64 *) ARR_DATA_PTR(array);
	}
	mapping = timeline_mapping_read(population, false);
	timeline_settings_read(population, &settings);
	if (mapping != NULL && (PG_ARGISNULL(2) || count > 0))
		timeline_build_finish(timeline_read_chosen(population, mapping, &settings, ids, count), put_timeline, &now);
	MemoryContextSwitchTo(before);
	MemoryContextDelete(context);
	return (Datum) 0;
}
