/*
 * timeline_rows.c - crm.events: a timeline as rows.
 */
#include "behavior/timeline.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_events);

/* Where events() stands. */
typedef struct event_walk
{
	crm_timeline timeline;
	crm_timeline_cursor cursor;
	crm_timeline_values values;
	behavior_attribute_reader attributes;
	Datum	   *names;			/* texts by code */
} event_walk;

/* Opens the value in the context that lives as long as the rows come. */
static event_walk *
begin_events(Datum value)
{
	event_walk *walk = palloc0(sizeof(event_walk));
	crm_text   *names;

	/* The argument may live no longer than the first row. */
	behavior_timeline_open(PointerGetDatum(PG_DETOAST_DATUM_COPY(value)), &walk->timeline);
	names = palloc(Max(walk->timeline.names, 1) * sizeof(crm_text));
	walk->names = palloc(Max(walk->timeline.names, 1) * sizeof(Datum));
	crm_timeline_names(&walk->timeline, names);
	for (uint32 code = 0; code < walk->timeline.names; code++)
		walk->names[code] = PointerGetDatum(cstring_to_text_with_len(names[code].data, names[code].size));
	crm_timeline_values_begin(&walk->timeline, &walk->values);
	behavior_attributes_begin(&walk->timeline, &walk->attributes);
	crm_timeline_begin(&walk->timeline, &walk->cursor);
	return walk;
}

Datum
crm_events(PG_FUNCTION_ARGS)
{
	FuncCallContext *funcctx;
	event_walk *walk;
	Datum		values[4];
	bool		nulls[4] = {false, false, true, true};
	double		value;
	Jsonb	   *attributes;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext before;

		funcctx = SRF_FIRSTCALL_INIT();
		before = MemoryContextSwitchTo(funcctx->multi_call_memory_ctx);
		if (get_call_result_type(fcinfo, NULL, &funcctx->tuple_desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "events called in a context that takes no rows");
		funcctx->tuple_desc = BlessTupleDesc(funcctx->tuple_desc);
		funcctx->user_fctx = begin_events(PG_GETARG_DATUM(0));
		MemoryContextSwitchTo(before);
	}

	funcctx = SRF_PERCALL_SETUP();
	walk = (event_walk *) funcctx->user_fctx;
	if (!crm_timeline_next(&walk->cursor))
		SRF_RETURN_DONE(funcctx);
	values[0] = TimestampTzGetDatum(walk->cursor.at);
	values[1] = walk->names[walk->cursor.code];
	if (crm_timeline_value(&walk->values, walk->cursor.index, &value))
	{
		values[2] = Float8GetDatum(value);
		nulls[2] = false;
	}
	attributes = behavior_event_attributes(&walk->attributes, walk->cursor.index);
	if (attributes != NULL)
	{
		values[3] = JsonbPGetDatum(attributes);
		nulls[3] = false;
	}
	SRF_RETURN_NEXT(funcctx, HeapTupleGetDatum(heap_form_tuple(funcctx->tuple_desc, values, nulls)));
}
