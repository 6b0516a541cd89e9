/*
 * sequence.c - the aggregates sequence_match, sequence_count and
 * sequence_match_events.  They have one state, so a query that asks for all
 * three gathers the events once.
 */
#include "behavior/behavior.h"

#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_sequence_transfn);
CRM_FUNCTION(crm_sequence_combinefn);
CRM_FUNCTION(crm_sequence_match_finalfn);
CRM_FUNCTION(crm_sequence_count_finalfn);
CRM_FUNCTION(crm_sequence_match_events_finalfn);

/* The pattern of the row before, found good for so many conditions; kept in fn_extra. */
typedef struct checked_pattern
{
	int			conditions;
	Size		length;
	char		text[FLEXIBLE_ARRAY_MEMBER];
} checked_pattern;

void
behavior_pattern(const char *text, Size length, int conditions, crm_pattern *pattern)
{
	crm_pattern_error error;
	crm_status	status = crm_pattern_parse(text, length, conditions, pattern, &error);
	int			position;

	if (status == CRM_OK)
		return;
	position = pg_mbstrlen_with_len(text, error.position) + 1;
	if (status == CRM_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("pattern is too long"),
				 errdetail("A pattern asks for at most %d events.", CRM_PATTERN_MAX_ELEMENTS)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid pattern \"%.*s\" at position %d", pg_mbcliplen(text, (int) length, 200), text, position),
			 error.fault == CRM_PATTERN_UNEXPECTED ? errdetail("Expected \"(?\", \".\" or \".*\".") :
			 error.fault == CRM_PATTERN_NO_OPERATOR ? errdetail("Expected one of <=, <, >=, >, ==.") :
			 error.fault == CRM_PATTERN_NO_NUMBER ? errdetail("Expected a whole number.") :
			 error.fault == CRM_PATTERN_NO_BRACKET ? errdetail("Expected a closing bracket.") :
			 error.fault == CRM_PATTERN_NO_CONDITION ? errdetail("There is no condition " UINT64_FORMAT ", only 1 to %d.",
																 error.number, conditions) :
			 errdetail("A condition on time stands between two events."),
			 errhint("A pattern is made of (?1) for an event that meets condition 1, . for any event, .* for any number of events, and (?t<=3600) for seconds between two events.")));
}

/* sequence_transfn(state, pattern text, ts timestamptz, conditions boolean[]) */
Datum
crm_sequence_transfn(PG_FUNCTION_ARGS)
{
	event_parameters parameters = {0, 0, NULL, 0, 0};
	checked_pattern *checked = fcinfo->flinfo->fn_extra;
	TimestampTz at = 0;
	const text *pattern;
	uint64		met;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "sequence_transfn called in non-aggregate context");
	pattern = behavior_text(fcinfo, 1, "pattern");
	parameters.pattern = VARDATA_ANY(pattern);
	parameters.pattern_length = VARSIZE_ANY_EXHDR(pattern);
	met = behavior_conditions(fcinfo, 3, &parameters.conditions);
	if (checked == NULL || checked->conditions != parameters.conditions || checked->length != parameters.pattern_length ||
		memcmp(checked->text, parameters.pattern, checked->length) != 0)
	{
		crm_pattern parsed;

		behavior_pattern(parameters.pattern, parameters.pattern_length, parameters.conditions, &parsed);
		if (checked != NULL)
			pfree(checked);
		fcinfo->flinfo->fn_extra = NULL;
		checked = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, offsetof(checked_pattern, text) + parameters.pattern_length);
		checked->conditions = parameters.conditions;
		checked->length = parameters.pattern_length;
		memcpy(checked->text, parameters.pattern, parameters.pattern_length);
		fcinfo->flinfo->fn_extra = checked;
	}
	if (!PG_ARGISNULL(2))
		at = behavior_finite(PG_GETARG_TIMESTAMPTZ(2));
	if (PG_ARGISNULL(2) || met == 0)
		return event_state_unchanged(fcinfo, CRM_STATE_SEQUENCE, &parameters);
	return event_state_add(fcinfo, CRM_STATE_SEQUENCE, &parameters, at, met);
}

Datum
crm_sequence_combinefn(PG_FUNCTION_ARGS)
{
	return event_state_combine(fcinfo, CRM_STATE_SEQUENCE);
}

/* The state of a final function and its pattern; NULL when there are no events. */
static const event_state *
final_state(FunctionCallInfo fcinfo, crm_pattern *pattern)
{
	const event_state *state;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "final function of a sequence aggregate called in non-aggregate context");
	if (PG_ARGISNULL(0))
		return NULL;
	state = event_state_fetch(PG_GETARG_DATUM(0), CRM_STATE_SEQUENCE);
	behavior_pattern(state->data, state->pattern_length, state->conditions, pattern);
	return state;
}

static uint64
count_matches(FunctionCallInfo fcinfo, uint64 most)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_pattern pattern;
	const event_state *state = final_state(fcinfo, &pattern);
	uint64		matches;

	if (state == NULL)
		return 0;
	crm_check(crm_sequence_count(&env, &pattern, event_state_sorted(state), state->count, most, &matches),
			  "crm.agg_state", false);
	return matches;
}

Datum
crm_sequence_match_finalfn(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(count_matches(fcinfo, 1) > 0);
}

Datum
crm_sequence_count_finalfn(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(count_matches(fcinfo, PG_INT64_MAX));
}

Datum
crm_sequence_match_events_finalfn(PG_FUNCTION_ARGS)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_pattern pattern;
	const event_state *state = final_state(fcinfo, &pattern);
	int64_t		times[CRM_PATTERN_MAX_ELEMENTS];
	Datum		elements[CRM_PATTERN_MAX_ELEMENTS];
	int			found = 0;

	if (state != NULL)
		crm_check(crm_sequence_events(&env, &pattern, event_state_sorted(state), state->count, times, &found),
				  "crm.agg_state", false);
	for (int i = 0; i < found; i++)
		elements[i] = TimestampTzGetDatum(times[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, found, TIMESTAMPTZOID, sizeof(TimestampTz), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
