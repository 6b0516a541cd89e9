/*
 * funnel_agg.c - the aggregate funnel_agg: rows to a value of type crm.funnel.
 */
#include "behavior/funnel.h"
#include "behavior/funnel_options.h"
#include "behavior/label_state.h"

#include "common/bridge.h"
#include "kernel/sort.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_funnel_agg_transfn);
CRM_FUNCTION(crm_funnel_agg_combinefn);
CRM_FUNCTION(crm_funnel_agg_finalfn);

/* What the row before asked for, and the plan that came of it; kept in fn_extra. */
typedef struct known_plan
{
	int64		within;
	int			conditions;
	Size		options_size;
	Size		plan_size;
	funnel_options *plan;
	char		options[FLEXIBLE_ARRAY_MEMBER];
} known_plan;

static const known_plan *
find_plan(FunctionCallInfo fcinfo, int64 within, const Jsonb *options, int conditions)
{
	known_plan *known = fcinfo->flinfo->fn_extra;
	Size		options_size = options == NULL ? 0 : VARSIZE(options);
	MemoryContext previous;
	funnel_options *plan;

	if (known != NULL && known->within == within && known->conditions == conditions && known->options_size == options_size &&
		(options_size == 0 || memcmp(known->options, options, options_size) == 0))
		return known;
	plan = funnel_options_parse(within, options, conditions);
	if (plan->needs_attribute && PG_NARGS() < 6)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options \"hold\" and \"breakdown\" need an attribute"),
				 errhint("Write funnel_agg(within, options, ts, attribute, steps ...).")));
	previous = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	known = palloc(offsetof(known_plan, options) + options_size);
	known->within = within;
	known->conditions = conditions;
	known->options_size = options_size;
	known->plan_size = funnel_options_size(plan);
	known->plan = palloc(known->plan_size);
	memcpy(known->plan, plan, known->plan_size);
	if (options_size > 0)
		memcpy(known->options, options, options_size);
	MemoryContextSwitchTo(previous);
	/* A row before asked for something else: that is an error soon, so the old one may stay where it is. */
	fcinfo->flinfo->fn_extra = known;
	return known;
}

/* funnel_agg_transfn(state, within interval [, options jsonb], ts timestamptz [, attribute text], steps boolean[]) */
Datum
crm_funnel_agg_transfn(PG_FUNCTION_ARGS)
{
	int			last = PG_NARGS() - 1;
	int			time_argument = last < 4 ? 2 : 3;
	const Jsonb *options = NULL;
	const known_plan *known;
	label_event event = {0};
	int64		within;
	int			conditions;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "funnel_agg_transfn called in non-aggregate context");
	within = behavior_interval(PG_ARGISNULL(1) ? NULL : PG_GETARG_INTERVAL_P(1), "within");
	if (last >= 4)
	{
		if (PG_ARGISNULL(2))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"%s\" must not be null", "options"),
					 errhint("Write '{}' for none.")));
		options = PG_GETARG_JSONB_P(2);
	}
	event.met = behavior_conditions(fcinfo, last, &conditions);
	known = find_plan(fcinfo, within, options, conditions);
	if (!PG_ARGISNULL(time_argument))
		event.at = behavior_finite(PG_GETARG_TIMESTAMPTZ(time_argument));
	if (PG_ARGISNULL(time_argument) || event.met == 0)
		return label_state_add(fcinfo, CRM_STATE_FUNNEL_SUMMARY, known->plan, known->plan_size, NULL);
	if (known->plan->needs_attribute && !PG_ARGISNULL(4))
	{
		text	   *attribute = PG_GETARG_TEXT_PP(4);

		event.text = VARDATA_ANY(attribute);
		event.length = VARSIZE_ANY_EXHDR(attribute);
	}
	return label_state_add(fcinfo, CRM_STATE_FUNNEL_SUMMARY, known->plan, known->plan_size, &event);
}

Datum
crm_funnel_agg_combinefn(PG_FUNCTION_ARGS)
{
	return label_state_combine(fcinfo, CRM_STATE_FUNNEL_SUMMARY);
}

/* In the order of their bytes. */
static bool
text_before(const void *left, const void *right)
{
	const label_event *a = left,
			   *b = right;
	int			order = memcmp(a->text, b->text, Min(a->length, b->length));

	return order != 0 ? order < 0 : a->length < b->length;
}

/* Numbers the attributes in their order; returns one event for each number. */
static const label_event **
number_attributes(const crm_env *env, const label_event *events, uint32 count, crm_funnel_event *numbered)
{
	const label_event **order = MemoryContextAllocHuge(CurrentMemoryContext, Max(count, 1) * sizeof(*order));
	uint32		known = 0,
				numbers = 0;

	for (uint32 i = 0; i < count; i++)
		if (events[i].text != NULL)
			order[known++] = &events[i];
	crm_check(crm_sort_pointers(env, (const void **) order, known, text_before), "crm.agg_state", false);
	for (uint32 i = 0; i < known; i++)
	{
		const label_event *event = order[i];

		if (i == 0 || text_before(order[numbers - 1], event))
			order[numbers++] = event;
		numbered[event - events].label = numbers - 1;
	}
	return order;
}

/* NULL for no rows, as the number of steps is not known. */
Datum
crm_funnel_agg_finalfn(PG_FUNCTION_ARGS)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	const label_state *state;
	const funnel_options *options;
	const label_event *events;
	const label_event **attributes = NULL;
	crm_funnel_event *numbered;
	crm_funnel_plan plan;
	crm_funnel_path *paths;
	crm_status	status;
	size_t		found;
	funnel		f = {{0}};

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "funnel_agg_finalfn called in non-aggregate context");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = label_state_fetch(PG_GETARG_DATUM(0), CRM_STATE_FUNNEL_SUMMARY);
	options = funnel_options_fetch(state->data, state->constant_size, &plan);
	events = label_state_events(state);
	numbered = MemoryContextAllocHuge(CurrentMemoryContext, Max(state->count, 1) * sizeof(crm_funnel_event));
	for (uint32 i = 0; i < state->count; i++)
	{
		numbered[i] = (crm_funnel_event) {events[i].at, events[i].met, 0, CRM_FUNNEL_NO_LABEL};
		if (options->unit != FUNNEL_NO_PERIODS && (events[i].met & 1) != 0)
			numbered[i].period = funnel_period(options, events[i].at);
	}
	if (options->needs_attribute)
		attributes = number_attributes(&env, events, state->count, numbered);
	status = crm_funnel_search(&env, &plan, numbered, state->count, &paths, &found);
	if (status == CRM_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many events in one group"),
				 errdetail("Different times, multiplied by steps, are at most " UINT64_FORMAT ".", CRM_FUNNEL_MAX_CELLS)));
	crm_check(status, "crm.agg_state", false);

	f.head.steps = plan.steps;
	f.head.periods = options->unit != FUNNEL_NO_PERIODS;
	f.head.breakdown = plan.breakdown != CRM_FUNNEL_NO_BREAKDOWN;
	f.count = found;
	f.entries = MemoryContextAllocHuge(CurrentMemoryContext, Max(found, 1) * sizeof(crm_funnel_entry));
	for (size_t i = 0; i < found; i++)
	{
		crm_funnel_entry *entry = &f.entries[i];

		entry->period = paths[i].period;
		entry->label = NULL;
		entry->label_length = 0;
		if (paths[i].label != CRM_FUNNEL_NO_LABEL)
		{
			entry->label = attributes[paths[i].label]->text;
			entry->label_length = attributes[paths[i].label]->length;
		}
		entry->level = paths[i].level;
		memcpy(entry->times, paths[i].times, entry->level * sizeof(int64_t));
	}
	PG_RETURN_POINTER(funnel_write(&f));
}
