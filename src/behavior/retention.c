/*
 * retention.c - the aggregate retention: which conditions a customer met whose
 * first condition was met.
 *
 * The state says which conditions were met by any row, so it has one size and
 * parts of it merge by union.
 */
#include "behavior/behavior.h"

#include "catalog/pg_type.h"
#include "utils/array.h"

CRM_FUNCTION(crm_retention_transfn);
CRM_FUNCTION(crm_retention_combinefn);
CRM_FUNCTION(crm_retention_finalfn);

#define RETENTION_STATE_VERSION 1

typedef struct retention_state
{
	/* the header of crm_agg_state, which cannot be a member as it ends openly */
	int32		vl_len_;
	uint16		magic;
	uint8		kind;
	uint8		version;
	uint64		met;
	uint64		conditions;
} retention_state;

static retention_state *
fetch_state(Datum value)
{
	retention_state *state = (retention_state *) crm_agg_state_fetch(value, CRM_STATE_RETENTION, RETENTION_STATE_VERSION,
																	 sizeof(retention_state));

	if (VARSIZE(state) != sizeof(retention_state) || state->conditions < 1 || state->conditions > CRM_MAX_CONDITIONS ||
		(state->met & ~(~UINT64CONST(0) >> (CRM_MAX_CONDITIONS - state->conditions))) != 0)
		crm_agg_state_damaged("A number in a state of retention is out of its range.");
	return state;
}

static void
check_number(const retention_state *state, uint64 conditions)
{
	if (state->conditions != conditions)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of conditions changes within a group: %d, then %d",
						(int) state->conditions, (int) conditions)));
}

/* retention_transfn(state, conditions boolean[]) */
Datum
crm_retention_transfn(PG_FUNCTION_ARGS)
{
	retention_state *state;
	int			conditions;
	uint64		met;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "retention_transfn called in non-aggregate context");
	met = behavior_conditions(fcinfo, 1, &conditions);
	if (PG_ARGISNULL(0))
	{
		state = palloc0(sizeof(retention_state));
		crm_agg_state_init(state, sizeof(retention_state), CRM_STATE_RETENTION, RETENTION_STATE_VERSION);
		state->conditions = conditions;
	}
	else
	{
		state = fetch_state(PG_GETARG_DATUM(0));
		check_number(state, conditions);
	}
	state->met |= met;
	PG_RETURN_POINTER(state);
}

Datum
crm_retention_combinefn(PG_FUNCTION_ARGS)
{
	retention_state *state;
	retention_state *other;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "retention_combinefn called in non-aggregate context");
	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	other = fetch_state(PG_GETARG_DATUM(1));
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(other);
	state = fetch_state(PG_GETARG_DATUM(0));
	check_number(state, other->conditions);
	state->met |= other->met;
	PG_RETURN_POINTER(state);
}

/* No rows: how many conditions there are is not known, so NULL. */
Datum
crm_retention_finalfn(PG_FUNCTION_ARGS)
{
	const retention_state *state;
	Datum		elements[CRM_MAX_CONDITIONS];

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "retention_finalfn called in non-aggregate context");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = fetch_state(PG_GETARG_DATUM(0));
	for (int i = 0; i < state->conditions; i++)
		elements[i] = BoolGetDatum((state->met & 1) && (state->met >> i & 1));
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, state->conditions, BOOLOID, 1, true, TYPALIGN_CHAR));
}
