/*
 * members.c - the members of an audience by their keys.
 *
 * Keys tell who the members are, so they need as much right as whole sets do,
 * and stay within the scopes that the caller may read.
 */
#include "common/crm.h"

#include "common/bridge.h"
#include "funcapi.h"
#include "tag/overlay.h"
#include "tag/readers.h"

/* A walk over the members, one a call. */
typedef struct member_walk
{
	crm_population *population;
	crm_ids_runs runs;
	uint64		next;			/* within the run at hand */
	uint64		last;
	bool		more;
} member_walk;

/* The members in the scopes whose whole sets the current user may read; 42501 when there are none. */
static crm_ids
readable_members(const crm_population *population, const crm_audience *audience)
{
	crm_scopes *scopes = crm_rights_readable(population);
	crm_ids_builder *builder;
	crm_overlay *overlay;
	crm_env		env;

	if (scopes->all)
		return crm_audience_ids(audience);
	env = crm_env_in(CurrentMemoryContext);
	crm_check(crm_ids_builder_new(&env, &builder), CRM_AUDIENCE_NAME, false);
	crm_store_read(population, CRM_BASE_TAG(population), CRM_NO_VALUE, scopes, builder);
	overlay = crm_overlay_begin(population, scopes, &env);
	if (overlay != NULL)
		builder = crm_overlay_base(overlay, builder);
	return crm_audience_ids(crm_audience_combine(CRM_AND, audience, crm_audience_finish(builder, population->id)));
}

/* Starts the walk over (audience, population), in the current context. */
static member_walk *
begin_walk(FunctionCallInfo fcinfo)
{
	member_walk *walk = palloc(sizeof(member_walk));
	crm_audience *audience = crm_audience_fetch(PG_GETARG_DATUM(0), NULL, 0);

	/* A stamped audience knows its population. */
	walk->population = PG_ARGISNULL(1) && audience->population != 0 ?
		crm_population_find_by_id((int32) audience->population) :
		crm_population_find(crm_text_argument(fcinfo, 1));
	if (audience->population != 0 && (int32) audience->population != walk->population->id)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the audience is of another population than \"%s\"", walk->population->name)));
	crm_ids_runs_first(&walk->runs, readable_members(walk->population, audience));
	walk->more = crm_ids_runs_next(&walk->runs, &walk->next, &walk->last);
	return walk;
}

/* The next member and his key (NULL when the dictionary has none); false at the end. */
static bool
next_member(member_walk *walk, int64 *id, char **key)
{
	if (!walk->more)
		return false;
	*id = (int64) walk->next;
	*key = crm_key_of_id(walk->population, *id);
	if (walk->next < walk->last)
		walk->next++;
	else
		walk->more = crm_ids_runs_next(&walk->runs, &walk->next, &walk->last);
	return true;
}

/* crm.member_keys(audience, population) */
CRM_FUNCTION(crm_member_keys);
Datum
crm_member_keys(PG_FUNCTION_ARGS)
{
	FuncCallContext *context;
	int64		id;
	char	   *key;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;

		context = SRF_FIRSTCALL_INIT();
		if (PG_ARGISNULL(0))
			SRF_RETURN_DONE(context);
		old = MemoryContextSwitchTo(context->multi_call_memory_ctx);
		context->user_fctx = begin_walk(fcinfo);
		MemoryContextSwitchTo(old);
	}

	context = SRF_PERCALL_SETUP();
	while (next_member(context->user_fctx, &id, &key))
	{
		CHECK_FOR_INTERRUPTS();
		if (key != NULL)
			SRF_RETURN_NEXT(context, CStringGetTextDatum(key));
	}
	SRF_RETURN_DONE(context);
}

/* crm.member_rows(audience, population) */
CRM_FUNCTION(crm_member_rows);
Datum
crm_member_rows(PG_FUNCTION_ARGS)
{
	FuncCallContext *context;
	int64		id;
	char	   *key;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;

		context = SRF_FIRSTCALL_INIT();
		if (PG_ARGISNULL(0))
			SRF_RETURN_DONE(context);
		old = MemoryContextSwitchTo(context->multi_call_memory_ctx);
		if (get_call_result_type(fcinfo, NULL, &context->tuple_desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		context->tuple_desc = BlessTupleDesc(context->tuple_desc);
		context->user_fctx = begin_walk(fcinfo);
		MemoryContextSwitchTo(old);
	}

	context = SRF_PERCALL_SETUP();
	if (next_member(context->user_fctx, &id, &key))
	{
		Datum		values[2];
		bool		nulls[2] = {false};

		values[0] = Int64GetDatum(id);
		nulls[1] = key == NULL;
		values[1] = nulls[1] ? (Datum) 0 : CStringGetTextDatum(key);
		SRF_RETURN_NEXT(context, HeapTupleGetDatum(heap_form_tuple(context->tuple_desc, values, nulls)));
	}
	SRF_RETURN_DONE(context);
}
