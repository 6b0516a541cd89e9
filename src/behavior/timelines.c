/*
 * timelines.c - crm.timelines(query): the timelines of a query's customers,
 * nothing stored.
 */
#include "behavior/timeline_build.h"

#include "common/progress.h"
#include "funcapi.h"
#include "utils/tuplestore.h"

CRM_FUNCTION(crm_timelines);

static void
put_timeline(void *arg, int64 customer, bool marked, crm_timeline_writer *writer, crm_timeline_event *events, Size count)
{
	ReturnSetInfo *result = arg;
	Datum		values[2];
	bool		nulls[2] = {false, false};

	values[0] = Int64GetDatum(customer);
	values[1] = timeline_build_pack(writer, customer, events, count);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * timelines(query text).  In FROM, where it usually stands, the executor keeps
 * the rows of any function for itself: so they are put there at once.
 */
Datum
crm_timelines(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	MemoryContext before;
	timeline_build *build;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", "query")));
	context = AllocSetContextCreate(CurrentMemoryContext, "crm timelines", ALLOCSET_DEFAULT_SIZES);
	before = MemoryContextSwitchTo(context);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(context);
	crm_progress_begin("timelines", NULL);
	build = timeline_build_new();
	timeline_build_show(build);
	timeline_build_query(build, text_to_cstring(PG_GETARG_TEXT_PP(0)), NULL, 0, NULL);
	timeline_build_finish(build, put_timeline, fcinfo->resultinfo);
	crm_progress_end();
	SPI_finish();
	MemoryContextSwitchTo(before);
	MemoryContextDelete(context);
	return (Datum) 0;
}
