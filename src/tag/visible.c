/*
 * visible.c - what the row-level security of the catalogue tables asks, and the
 * keys of members for the views.
 *
 * A policy asks for every row; the answer is worked out once for each population
 * and kept for the query.
 */
#include "common/crm.h"

#include "common/bridge.h"
#include "funcapi.h"
#include "tag/kept.h"
#include "tag/readers.h"

/* crm.can_see_population(population_id) */
CRM_FUNCTION(crm_can_see_population);
Datum
crm_can_see_population(PG_FUNCTION_ARGS)
{
	bool	   *known = crm_kept_find(fcinfo, 1, 0);

	if (known == NULL)
	{
		known = MemoryContextAlloc(crm_kept_context(fcinfo, 1, 0), sizeof(bool));
		*known = crm_rights_may_see(crm_population_find_by_id(PG_GETARG_INT32(0)));
		crm_kept_store(fcinfo, known);
	}
	PG_RETURN_BOOL(*known);
}

/* What is kept of a population whose sets may be read in some scopes, or not at all. */
typedef struct readable
{
	crm_scopes *scopes;			/* NULL: not at all */
} readable;

/* crm.can_read_sets(population_id, scope_no); a NULL scope asks for any. */
CRM_FUNCTION(crm_can_read_sets);
Datum
crm_can_read_sets(PG_FUNCTION_ARGS)
{
	readable   *known;

	if (PG_ARGISNULL(0))
		PG_RETURN_BOOL(false);
	known = crm_kept_find(fcinfo, 1, 0);
	if (known == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(crm_kept_context(fcinfo, 1, 0));

		known = palloc(sizeof(readable));
		known->scopes = crm_rights_try_readable(crm_population_find_by_id(PG_GETARG_INT32(0)));
		MemoryContextSwitchTo(old);
		crm_kept_store(fcinfo, known);
	}
	PG_RETURN_BOOL(known->scopes != NULL &&
				   (PG_ARGISNULL(1) || crm_scopes_include(known->scopes, PG_GETARG_INT32(1))));
}

/* ---- members with their keys ------------------------------------------- */

crm_ids
crm_readable_members(const crm_population *population, const crm_audience *audience)
{
	crm_scopes *scopes = crm_rights_readable(population);
	crm_ids		members = crm_audience_ids(audience);
	crm_ids_builder *builder;
	crm_env		env;

	if (scopes->all)
		return members;
	env = crm_env_in(CurrentMemoryContext);
	crm_check(crm_ids_builder_new(&env, &builder), CRM_AUDIENCE_NAME, false);
	crm_store_read(population, CRM_BASE_TAG(population), CRM_NO_VALUE, scopes, builder);
	return crm_audience_ids(crm_audience_combine(CRM_AND, audience, crm_audience_finish(builder, population->id)));
}

typedef struct member_rows
{
	crm_population *population;
	crm_ids_runs runs;
	uint64		next;			/* the run at hand */
	uint64		last;
	bool		more;
} member_rows;

/* crm.member_rows(audience, population) */
CRM_FUNCTION(crm_member_rows);
Datum
crm_member_rows(PG_FUNCTION_ARGS)
{
	FuncCallContext *context;
	member_rows *state;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;
		crm_audience *audience;

		context = SRF_FIRSTCALL_INIT();
		if (PG_ARGISNULL(0))
			SRF_RETURN_DONE(context);
		old = MemoryContextSwitchTo(context->multi_call_memory_ctx);
		if (get_call_result_type(fcinfo, NULL, &context->tuple_desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		context->tuple_desc = BlessTupleDesc(context->tuple_desc);
		state = palloc(sizeof(member_rows));
		audience = crm_audience_fetch(PG_GETARG_DATUM(0), NULL, 0);
		/* A stamped audience knows its population. */
		state->population = PG_ARGISNULL(1) && audience->population != 0 ?
			crm_population_find_by_id((int32) audience->population) :
			crm_population_find(crm_text_argument(fcinfo, 1));
		if (audience->population != 0 && (int32) audience->population != state->population->id)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("the audience is of another population than \"%s\"", state->population->name)));
		crm_ids_runs_first(&state->runs, crm_readable_members(state->population, audience));
		state->more = crm_ids_runs_next(&state->runs, &state->next, &state->last);
		context->user_fctx = state;
		MemoryContextSwitchTo(old);
	}

	context = SRF_PERCALL_SETUP();
	state = context->user_fctx;
	if (state->more)
	{
		uint64		id = state->next;
		char	   *key = crm_key_of_id(state->population, (int64) id);
		Datum		values[2];
		bool		nulls[2] = {false};

		if (id < state->last)
			state->next = id + 1;
		else
			state->more = crm_ids_runs_next(&state->runs, &state->next, &state->last);
		values[0] = Int64GetDatum((int64) id);
		nulls[1] = key == NULL;
		values[1] = nulls[1] ? (Datum) 0 : CStringGetTextDatum(key);
		SRF_RETURN_NEXT(context, HeapTupleGetDatum(heap_form_tuple(context->tuple_desc, values, nulls)));
	}
	SRF_RETURN_DONE(context);
}
