/*
 * sequence_next_node.c - the aggregate sequence_next_node.
 */
#include "behavior/label_state.h"

#include "common/bridge.h"
#include "kernel/next_node.h"
#include "utils/array.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_sequence_next_node_transfn);
CRM_FUNCTION(crm_sequence_next_node_combinefn);
CRM_FUNCTION(crm_sequence_next_node_finalfn);

/* What is constant for a group. */
typedef struct node_search
{
	int32		steps;
	int16		backward;
	int16		base;			/* crm_node_base */
} node_search;

static const char *const direction_names[] = {"forward", "backward"};
static const char *const base_names[] = {"head", "tail", "first_match", "last_match"};

static int
take_name(FunctionCallInfo fcinfo, int argument, const char *title, const char *const *names, int count, const char *hint)
{
	text	   *name;

	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", title)));
	name = PG_GETARG_TEXT_PP(argument);
	for (int i = 0; i < count; i++)
		if (VARSIZE_ANY_EXHDR(name) == strlen(names[i]) && memcmp(VARDATA_ANY(name), names[i], strlen(names[i])) == 0)
			return i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown %s: \"%s\"", title, text_to_cstring(name)),
			 errhint("%s", hint)));
}

static bool
is_condition(FunctionCallInfo fcinfo, int argument)
{
	return !PG_ARGISNULL(argument) && PG_GETARG_BOOL(argument);
}

/*
 * sequence_next_node_transfn(state, direction text, base text, ts timestamptz,
 *		value text, base_condition boolean [, steps boolean[]])
 */
Datum
crm_sequence_next_node_transfn(PG_FUNCTION_ARGS)
{
	node_search search = {0};
	label_event event = {0};
	int			conditions = 0;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "sequence_next_node_transfn called in non-aggregate context");
	search.backward = take_name(fcinfo, 1, "direction", direction_names, lengthof(direction_names),
								"A direction is one of forward, backward.");
	search.base = take_name(fcinfo, 2, "base", base_names, lengthof(base_names),
							"A base is one of head, tail, first_match, last_match.");
	if (search.base == (search.backward ? CRM_BASE_HEAD : CRM_BASE_TAIL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("direction \"%s\" does not go with base \"%s\"",
						direction_names[search.backward], base_names[search.base]),
				 errdetail(search.backward ? "Nothing lies before the first event." : "Nothing lies after the last event.")));
	if (PG_NARGS() > 6)
	{
		if (PG_ARGISNULL(6) || ARR_NDIM(PG_GETARG_ARRAYTYPE_P(6)) > 0)
			event.met = behavior_conditions(fcinfo, 6, &conditions);
	}
	search.steps = conditions;
	if (PG_ARGISNULL(3))
		return label_state_add(fcinfo, CRM_STATE_SEQUENCE_NODE, &search, sizeof(search), NULL);
	event.at = behavior_finite(PG_GETARG_TIMESTAMPTZ(3));
	event.mark = is_condition(fcinfo, 5);
	if (!PG_ARGISNULL(4))
	{
		text	   *value = PG_GETARG_TEXT_PP(4);

		event.text = VARDATA_ANY(value);
		event.length = VARSIZE_ANY_EXHDR(value);
	}
	return label_state_add(fcinfo, CRM_STATE_SEQUENCE_NODE, &search, sizeof(search), &event);
}

Datum
crm_sequence_next_node_combinefn(PG_FUNCTION_ARGS)
{
	return label_state_combine(fcinfo, CRM_STATE_SEQUENCE_NODE);
}

Datum
crm_sequence_next_node_finalfn(PG_FUNCTION_ARGS)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	const label_state *state;
	const label_event *events;
	const crm_node *next;
	node_search search;
	crm_node   *nodes;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "sequence_next_node_finalfn called in non-aggregate context");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = label_state_fetch(PG_GETARG_DATUM(0), CRM_STATE_SEQUENCE_NODE);
	if (state->constant_size != sizeof(search))
		crm_agg_state_damaged("A state of sequence_next_node does not say what is looked for.");
	memcpy(&search, state->data, sizeof(search));
	if (search.steps < 0 || search.steps > CRM_MAX_CONDITIONS || search.backward < 0 || search.backward > 1 ||
		search.base < 0 || search.base >= lengthof(base_names))
		crm_agg_state_damaged("A number in a state of sequence_next_node is out of its range.");
	events = label_state_events(state);
	nodes = MemoryContextAllocHuge(CurrentMemoryContext, Max(state->count, 1) * sizeof(crm_node));
	for (uint32 i = 0; i < state->count; i++)
		nodes[i] = (crm_node) {events[i].at, events[i].met, events[i].mark, events[i].text, events[i].length};
	crm_check(crm_next_node(&env, nodes, state->count, search.steps, search.backward, search.base, &next),
			  "crm.agg_state", false);
	if (next == NULL || next->value == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(next->value, next->length));
}
