/*
 * expanded_state.c - what aggregates with an expanded state do alike.
 */
#include "common/expanded_state.h"

#include "common/agg_state.h"

Datum
crm_expanded_combine(FunctionCallInfo fcinfo, const crm_expanded_kind *kind, const void *use, const char *aggregate)
{
	MemoryContext aggcontext;
	void	   *state;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "combine function of %s called in non-aggregate context", aggregate);
	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	state = PG_ARGISNULL(0) ? NULL : crm_expanded_writable(kind, use, PG_GETARG_DATUM(0), aggcontext);
	state = kind->add_flat(state, PG_GETARG_DATUM(1), aggcontext, use);
	return EOHPGetRWDatum((ExpandedObjectHeader *) state);
}

const void *
crm_expanded_final(FunctionCallInfo fcinfo, const crm_expanded_kind *kind, const void *use, const char *aggregate)
{
	const void *state;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "final function of %s called in non-aggregate context", aggregate);
	if (PG_ARGISNULL(0))
		return NULL;
	state = crm_expanded_at_hand(kind, use, PG_GETARG_DATUM(0));
	return state != NULL ? state : kind->add_flat(NULL, PG_GETARG_DATUM(0), CurrentMemoryContext, use);
}
