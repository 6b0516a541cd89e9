/*
 * timeline_funnel.c - funnels and sequences over a timeline: the same kernels,
 * and so the same answers, as the aggregates over raw rows.
 */
#include "behavior/timeline_events.h"

#include "behavior/behavior.h"
#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "kernel/funnel.h"
#include "utils/array.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_window_funnel);
CRM_FUNCTION(crm_sequence_match);
CRM_FUNCTION(crm_timeline_sequence_count);
CRM_FUNCTION(crm_sequence_match_events);

typedef struct funnel_memory
{
	behavior_selectors select;
	behavior_scratch scratch;
} funnel_memory;

/*
 * No mode, the usual case: event after event while they are unpacked, no
 * further than to the last step that the timeline has a name for.
 */
static int
plain_level(const crm_timeline *timeline, const behavior_selectors *select, uint64 within)
{
	uint64		missing = ~select->bound->possible;
	int			reach = missing == 0 ? CRM_MAX_CONDITIONS : crm_ctz64(missing);
	behavior_events events = behavior_events_begin(timeline, select, BEHAVIOR_ALWAYS);
	crm_funnel_walk walk;
	int64		at = 0;
	uint64		met,
				any = 0;

	walk.level = 0;
	walk.within = within;
	while ((met = behavior_events_next(&events)) != 0)
	{
		if (events.cursor.at != at)
		{
			crm_funnel_instant(&walk, at, any);
			if (walk.level == reach)
				return reach;
			at = events.cursor.at;
			any = 0;
		}
		any |= met;
	}
	crm_funnel_instant(&walk, at, any);
	return walk.level;
}

/* window_funnel(t, within interval, steps text[], mode text) */
Datum
crm_window_funnel(PG_FUNCTION_ARGS)
{
	funnel_memory *memory = behavior_cache(fcinfo, sizeof(funnel_memory));
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_timeline timeline;
	crm_timeline_cursor cursor;
	crm_event  *events;
	uint64		within;
	size_t		count = 0;
	unsigned	mode;
	int			level;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	within = behavior_interval(PG_ARGISNULL(1) ? NULL : PG_GETARG_INTERVAL_P(1), "within");
	mode = behavior_funnel_mode(behavior_text(fcinfo, 3, "mode"));
	behavior_timeline_open(PG_GETARG_DATUM(0), &timeline);
	behavior_select(fcinfo, 2, true, &timeline, &memory->select);

	/* In every mode it begins with step 1. */
	if ((memory->select.bound->possible & 1) == 0)
		PG_RETURN_INT32(0);
	if (mode == 0)
		PG_RETURN_INT32(plain_level(&timeline, &memory->select, within));

	events = behavior_scratch_get(fcinfo, &memory->scratch, timeline.count * sizeof(crm_event));
	crm_timeline_begin(&timeline, &cursor);
	while (crm_timeline_next(&cursor))
	{
		uint64		met = behavior_selected(&memory->select, &cursor);

		/* Events that meet no step are of interest only where they end the search. */
		if (met != 0 || (mode & CRM_FUNNEL_ORDER))
			events[count++] = (crm_event) {cursor.at, met};
		if (cursor.index % BEHAVIOR_INTERRUPT_STEP == BEHAVIOR_INTERRUPT_STEP - 1)
			CHECK_FOR_INTERRUPTS();
	}
	crm_check(crm_funnel_level(&env, events, count, crm_selectors_count(memory->select.selectors), within, mode, &level),
			  CRM_TIMELINE_TYPE, false);
	PG_RETURN_INT32(level);
}

/* ---- sequences -------------------------------------------------------------- */

typedef struct sequence_memory
{
	behavior_selectors select;
	behavior_scratch scratch;
	text	   *text;			/* of the pattern that was parsed */
	int			conditions;
	uint64		needed;			/* conditions without which there is no match */
	crm_pattern pattern;
} sequence_memory;

static void
parse_pattern(FunctionCallInfo fcinfo, sequence_memory *memory, const text *pattern)
{
	int			conditions = crm_selectors_count(memory->select.selectors);
	text	   *kept = memory->text;

	if (kept != NULL && memory->conditions == conditions && VARSIZE_ANY(kept) == VARSIZE_ANY(pattern) &&
		memcmp(kept, pattern, VARSIZE_ANY(pattern)) == 0)
		return;
	memory->text = NULL;
	if (kept != NULL)
		pfree(kept);
	behavior_pattern(VARDATA_ANY(pattern), VARSIZE_ANY_EXHDR(pattern), conditions, &memory->pattern);
	memory->needed = 0;
	for (int i = 0; i < memory->pattern.count; i++)
		if (memory->pattern.element[i].condition > 0)
			memory->needed |= UINT64CONST(1) << (memory->pattern.element[i].condition - 1);
	kept = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, VARSIZE_ANY(pattern));
	memcpy(kept, pattern, VARSIZE_ANY(pattern));
	memory->conditions = conditions;
	memory->text = kept;
}

/*
 * The arguments (t, pattern, events): the timeline's events that meet one of
 * the conditions, in the order that the aggregates have them in.  NULL where
 * the pattern needs one that the timeline has not, and nothing but a match is
 * asked for.
 */
static const crm_event *
sequence_events(FunctionCallInfo fcinfo, sequence_memory *memory, bool match_only, size_t *count)
{
	const text *pattern = behavior_text(fcinfo, 1, "pattern");
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_timeline timeline;
	behavior_events selected;
	crm_event  *events;
	uint64		met;
	bool		sorted = true;

	behavior_timeline_open(PG_GETARG_DATUM(0), &timeline);
	behavior_select(fcinfo, 2, true, &timeline, &memory->select);
	parse_pattern(fcinfo, memory, pattern);
	*count = 0;
	if (match_only && (memory->needed & ~memory->select.bound->possible) != 0)
		return NULL;
	events = behavior_scratch_get(fcinfo, &memory->scratch, timeline.count * sizeof(crm_event));
	selected = behavior_events_begin(&timeline, &memory->select, BEHAVIOR_ALWAYS);
	while ((met = behavior_events_next(&selected)) != 0)
	{
		crm_event	event = {selected.cursor.at, met};

		/* Only within an instant: there the timeline is in order of names, not of conditions. */
		if (*count > 0 && crm_event_before(&event, &events[*count - 1]))
			sorted = false;
		events[(*count)++] = event;
	}
	if (!sorted)
		crm_check(crm_events_sort(&env, events, *count), CRM_TIMELINE_TYPE, false);
	return events;
}

static uint64
count_matches(FunctionCallInfo fcinfo, uint64 most)
{
	sequence_memory *memory = behavior_cache(fcinfo, sizeof(sequence_memory));
	crm_env		env = crm_env_in(CurrentMemoryContext);
	size_t		count;
	const crm_event *events = sequence_events(fcinfo, memory, true, &count);
	uint64_t	matches;

	if (count == 0)
		return 0;
	crm_check(crm_sequence_count(&env, &memory->pattern, events, count, most, &matches), CRM_TIMELINE_TYPE, false);
	return matches;
}

/* sequence_match(t, pattern text, events text[]) */
Datum
crm_sequence_match(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(count_matches(fcinfo, 1) > 0);
}

/* sequence_count(t, pattern text, events text[]); the kernel has the plain name */
Datum
crm_timeline_sequence_count(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_INT64(count_matches(fcinfo, PG_INT64_MAX));
}

/* sequence_match_events(t, pattern text, events text[]) */
Datum
crm_sequence_match_events(PG_FUNCTION_ARGS)
{
	sequence_memory *memory = behavior_cache(fcinfo, sizeof(sequence_memory));
	crm_env		env = crm_env_in(CurrentMemoryContext);
	const crm_event *events;
	int64_t		times[CRM_PATTERN_MAX_ELEMENTS];
	Datum		elements[CRM_PATTERN_MAX_ELEMENTS];
	size_t		count;
	int			found;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	events = sequence_events(fcinfo, memory, false, &count);
	crm_check(crm_sequence_events(&env, &memory->pattern, events, count, times, &found), CRM_TIMELINE_TYPE, false);
	for (int i = 0; i < found; i++)
		elements[i] = TimestampTzGetDatum(times[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, found, TIMESTAMPTZOID, sizeof(TimestampTz), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
