/*
 * scan_agg.c - the aggregate tag_scan_agg(plan, chunk_bits, id, scope, ...): one
 * scan, the sets of all rules.
 *
 * Its state is an own type rather than internal, so that it also merges across
 * nodes.  Only refresh_tags calls it; whoever else does gets an opaque value.
 */
#include "common/crm.h"

#include "catalog/pg_type.h"
#include "common/agg_state.h"
#include "common/bridge.h"
#include "common/progress.h"
#include "common/settings.h"
#include "tag/scan_row.h"

/* Arguments of the transition function. */
#define ARG_STATE 0
#define ARG_PLAN 1
#define ARG_BITS 2
#define ARG_ID 3
#define ARG_SCOPE 4
#define ARG_FIRST 5

static crm_scan_state *
new_state(FunctionCallInfo fcinfo, MemoryContext context, bool declared)
{
	Oid			scope;
	crm_scan_state *state;
	int			bits;

	if (PG_ARGISNULL(ARG_PLAN) || PG_ARGISNULL(ARG_BITS))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("plan and chunk_bits must not be NULL")));
	scope = declared ? TEXTOID : PG_NARGS() <= ARG_SCOPE ? InvalidOid : get_fn_expr_argtype(fcinfo->flinfo, ARG_SCOPE);
	if (scope != TEXTOID && scope != INT4OID)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the scope must be of type text"),
				 errdetail("Where there are no scopes, it is a NULL of type integer.")));
	bits = PG_GETARG_INT32(ARG_BITS);
	if (bits < CRM_CHUNK_BITS || bits > 62)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("chunk_bits must be between %d and 62", CRM_CHUNK_BITS)));
	state = crm_scan_state_new(context, PG_GETARG_BYTEA_PP(ARG_PLAN), bits);
	state->scoped = scope == TEXTOID;
	return state;
}

static void
check_memory(crm_scan_state *state)
{
	/* estimates of the planner decide how many tags go into a scan: leave them room to be wrong */
	if (crm_tag_sets_memory(state->sets) / 1024 > (Size) crm_refresh_memory * 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the sets of one scan need more than twice crm_analytics.refresh_memory (%d kB)", crm_refresh_memory),
				 errhint("Raise crm_analytics.refresh_memory, ANALYZE the population's source, or refresh fewer tags at a time.")));
}

/* declared: the arguments' types are those of the declaration, and the caller need not have told what they are. */
static crm_scan_state *
the_state(FunctionCallInfo fcinfo, bool declared)
{
	MemoryContext aggregate_context;

	if (!AggCheckCallContext(fcinfo, &aggregate_context))
		elog(ERROR, "tag scan called in non-aggregate context");
	return PG_ARGISNULL(ARG_STATE) ? new_state(fcinfo, aggregate_context, declared) :
		crm_scan_state_get(PG_GETARG_DATUM(ARG_STATE), aggregate_context);
}

/* One customer: id and scope of the call, and what the rules need. */
static Datum
take_row(FunctionCallInfo fcinfo, crm_scan_state *state, const NullableDatum *arguments)
{
	int64		id;

	if (PG_ARGISNULL(ARG_ID))
		state->null_keys++;
	else if ((id = PG_GETARG_INT64(ARG_ID)) < 0)
	{
		if (state->negative_keys++ == 0 || id > state->negative_key)
			state->negative_key = id;
	}
	else
	{
		uint32		scope;

		/* customers of one scope tend to come together, and most populations have none */
		if (PG_ARGISNULL(ARG_SCOPE))
			scope = state->null_scope != UINT32_MAX ? state->null_scope : crm_scan_state_scope(state, NULL, 0);
		else if (!state->scoped)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the scope must be of type text")));
		else
		{
			text	   *name = PG_GETARG_TEXT_PP(ARG_SCOPE);

			scope = crm_scan_state_scope(state, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
		}
		state->ids[state->rows] = (uint64) id;
		state->row_scopes[state->rows] = scope;
		crm_scan_row(state->scan, arguments, state->rows);
		if (++state->rows == CRM_BATCH_ROWS)
		{
			CHECK_FOR_INTERRUPTS();
			crm_scan_state_flush(state);
			check_memory(state);
			crm_progress_add("customers", CRM_BATCH_ROWS);
		}
	}
	PG_RETURN_DATUM(EOHPGetRWDatum(&state->header));
}

CRM_FUNCTION(crm_tag_scan_transfn);
Datum
crm_tag_scan_transfn(PG_FUNCTION_ARGS)
{
	crm_scan_state *state = the_state(fcinfo, false);

	if (unlikely(!crm_scan_checked(state->scan)))
	{
		Oid			types[FUNC_MAX_ARGS];

		for (int i = ARG_FIRST; i < PG_NARGS(); i++)
			types[i - ARG_FIRST] = get_fn_expr_argtype(fcinfo->flinfo, i);
		crm_scan_check(state->scan, types, PG_NARGS() - ARG_FIRST);
	}
	return take_row(fcinfo, state, fcinfo->args + ARG_FIRST);
}

/* The same for an aggregate whose arguments are of declared types, the rules' as one value (scan_row.c). */
CRM_FUNCTION(crm_tag_scan_rows_transfn);
Datum
crm_tag_scan_rows_transfn(PG_FUNCTION_ARGS)
{
	crm_scan_state *state = the_state(fcinfo, true);
	NullableDatum arguments[FUNC_MAX_ARGS];

	/* no row where the rules need nothing of the customer */
	if (PG_ARGISNULL(ARG_FIRST))
		crm_scan_check(state->scan, NULL, 0);
	else
		crm_scan_row_open(PG_GETARG_DATUM(ARG_FIRST), state, arguments);
	return take_row(fcinfo, state, arguments);
}

CRM_FUNCTION(crm_tag_scan_combinefn);
Datum
crm_tag_scan_combinefn(PG_FUNCTION_ARGS)
{
	MemoryContext aggregate_context;
	crm_scan_state *state;
	uint64		customers;

	if (!AggCheckCallContext(fcinfo, &aggregate_context))
		elog(ERROR, "crm_tag_scan_combinefn called in non-aggregate context");
	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	if (PG_ARGISNULL(0))
	{
		/* a flat state is read into our context; another node's object in this process is merged into a new one */
		state = crm_scan_state_get(PG_GETARG_DATUM(1), aggregate_context);
		if (MemoryContextGetParent(state->context) == aggregate_context)
			PG_RETURN_DATUM(EOHPGetRWDatum(&state->header));
		state = crm_scan_state_new(aggregate_context, state->plan, state->chunk_bits);
	}
	else
		state = crm_scan_state_get(PG_GETARG_DATUM(0), aggregate_context);

	customers = crm_scan_state_merge(state, PG_GETARG_DATUM(1));
	/* what comes from another process was counted there, and is forgotten with it */
	if (!VARATT_IS_EXTERNAL_EXPANDED(PG_GETARG_POINTER(1)))
		crm_progress_add("customers", (int64) customers);
	PG_RETURN_DATUM(EOHPGetRWDatum(&state->header));
}

/*
 * The state itself, not a flat copy: PostgreSQL 15 copies every result that does
 * not lie in the current context, so a pointer to the object is made there.
 */
CRM_FUNCTION(crm_tag_scan_finalfn);
Datum
crm_tag_scan_finalfn(PG_FUNCTION_ARGS)
{
	Datum		state;
	void	   *pointer;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = PG_GETARG_DATUM(0);
	if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(state)))
		PG_RETURN_DATUM(state);
	pointer = palloc(EXPANDED_POINTER_SIZE);
	memcpy(pointer, DatumGetPointer(MakeExpandedObjectReadOnly(state, false, -1)), EXPANDED_POINTER_SIZE);
	PG_RETURN_POINTER(pointer);
}
