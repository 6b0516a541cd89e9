/*
 * window_funnel.c - the aggregate window_funnel.
 */
#include "behavior/behavior.h"

#include "common/bridge.h"
#include "kernel/funnel.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_window_funnel_transfn);
CRM_FUNCTION(crm_window_funnel_steps_transfn);
CRM_FUNCTION(crm_window_funnel_mode_transfn);
CRM_FUNCTION(crm_window_funnel_combinefn);
CRM_FUNCTION(crm_window_funnel_finalfn);

static const struct
{
	const char *name;
	unsigned	bit;
}			mode_names[] = {
	{"strict_deduplication", CRM_FUNNEL_DEDUPLICATION},
	{"strict_order", CRM_FUNNEL_ORDER},
	{"strict_increase", CRM_FUNNEL_INCREASE},
	{"strict_once", CRM_FUNNEL_ONCE},
	{"allow_reentry", CRM_FUNNEL_REENTRY}
};

/* Blanks around the names are allowed; nothing is the mode without any. */
unsigned
behavior_funnel_mode(const text *names)
{
	unsigned	mode = 0;
	const char *at = VARDATA_ANY(names);
	const char *end = at + VARSIZE_ANY_EXHDR(names);

	while (at < end && *at == ' ')
		at++;
	if (at == end)
		return 0;
	for (;;)
	{
		const char *name;
		int			size;
		unsigned	bit = 0;

		while (at < end && *at == ' ')
			at++;
		name = at;
		while (at < end && *at != ',')
			at++;
		size = at - name;
		while (size > 0 && name[size - 1] == ' ')
			size--;
		for (int i = 0; i < lengthof(mode_names); i++)
			if (strlen(mode_names[i].name) == size && memcmp(mode_names[i].name, name, size) == 0)
				bit = mode_names[i].bit;
		if (bit == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unknown mode of a funnel: \"%.*s\"", size, name),
					 errhint("A mode is a comma list of strict_deduplication, strict_order, strict_increase, strict_once, allow_reentry.")));
		mode |= bit;
		if (at == end)
			break;
		at++;
	}
	if ((mode & CRM_FUNNEL_REENTRY) && !(mode & CRM_FUNNEL_ORDER))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mode \"allow_reentry\" needs mode \"strict_order\""),
				 errdetail("It says which events do not end the search that strict_order ends.")));
	return mode;
}

/* One row: the time and the conditions that it meets. */
static inline Datum
add_row(FunctionCallInfo fcinfo, unsigned mode, int time_argument, uint64 met, int conditions)
{
	event_parameters parameters = {0, mode, NULL, 0, conditions};
	TimestampTz at = 0;

	parameters.within = behavior_interval(PG_ARGISNULL(1) ? NULL : PG_GETARG_INTERVAL_P(1), "within");
	if (!PG_ARGISNULL(time_argument))
		at = behavior_finite(PG_GETARG_TIMESTAMPTZ(time_argument));

	/* Events that meet no condition are of interest only where they end the search. */
	if (PG_ARGISNULL(time_argument) || (met == 0 && !(mode & CRM_FUNNEL_ORDER)))
		return event_state_unchanged(fcinfo, CRM_STATE_FUNNEL, &parameters);
	return event_state_add(fcinfo, CRM_STATE_FUNNEL, &parameters, at, met);
}

static void
check_context(FunctionCallInfo fcinfo)
{
	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "transition function of window_funnel called in non-aggregate context");
	behavior_prefetch_state(fcinfo);
}

/* window_funnel_transfn(state, within interval, ts timestamptz, steps boolean[]) */
Datum
crm_window_funnel_transfn(PG_FUNCTION_ARGS)
{
	int			conditions;
	uint64		met;

	check_context(fcinfo);
	met = behavior_conditions(fcinfo, 3, &conditions);
	return add_row(fcinfo, 0, 2, met, conditions);
}

/* window_funnel_transfn(state, within interval, ts timestamptz, step1 boolean, step2 boolean ...) */
Datum
crm_window_funnel_steps_transfn(PG_FUNCTION_ARGS)
{
	int			conditions = PG_NARGS() - 3;
	uint64		met = 0;

	check_context(fcinfo);
	if (conditions < 1 || conditions > CRM_MAX_CONDITIONS)
		elog(ERROR, "window_funnel_transfn called with %d arguments", PG_NARGS());
	for (int i = 0; i < conditions; i++)
		if (!PG_ARGISNULL(3 + i) && PG_GETARG_BOOL(3 + i))
			met |= UINT64CONST(1) << i;
	return add_row(fcinfo, 0, 2, met, conditions);
}

/* window_funnel_transfn(state, within interval, mode text, ts timestamptz, steps boolean[]) */
Datum
crm_window_funnel_mode_transfn(PG_FUNCTION_ARGS)
{
	int			conditions;
	unsigned	mode;
	uint64		met;

	check_context(fcinfo);
	mode = behavior_funnel_mode(behavior_text(fcinfo, 2, "mode"));
	met = behavior_conditions(fcinfo, 4, &conditions);
	return add_row(fcinfo, mode, 3, met, conditions);
}

Datum
crm_window_funnel_combinefn(PG_FUNCTION_ARGS)
{
	return event_state_combine(fcinfo, CRM_STATE_FUNNEL);
}

/* No events: level 0. */
Datum
crm_window_funnel_finalfn(PG_FUNCTION_ARGS)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	const event_state *state;
	int			level;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "window_funnel_finalfn called in non-aggregate context");
	if (PG_ARGISNULL(0))
		PG_RETURN_INT32(0);
	state = event_state_fetch(PG_GETARG_DATUM(0), CRM_STATE_FUNNEL);
	if (state->mode == 0 && !state->wide)
		level = crm_funnel_level_packed(&env, event_state_sorted_packed(state), state->count, state->conditions, state->within);
	else
		crm_check(crm_funnel_level(&env, event_state_sorted(state), state->count, state->conditions, state->within,
								   state->mode, &level), "crm.agg_state", false);
	PG_RETURN_INT32(level);
}
