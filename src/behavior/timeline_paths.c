/*
 * timeline_paths.c - a timeline as rows of what lies between its events:
 * sessions, stays in states, transitions from period to period, edges of
 * paths.
 *
 * Rows are few for each customer, so they are all put into the result at once;
 * fn_extra is free for what the call site keeps.
 */
#include "behavior/timeline_events.h"

#include "behavior/behavior.h"
#include "behavior/calendar.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_session_count);
CRM_FUNCTION(crm_sessions);
CRM_FUNCTION(crm_time_in_state);
CRM_FUNCTION(crm_state_transitions);
CRM_FUNCTION(crm_path_edges);

#define PATH_START "(start)"
#define PATH_END "(end)"

static void
put_row(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	CHECK_FOR_INTERRUPTS();
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* ---- sessions --------------------------------------------------------------- */

/* session_count(t, gap interval) */
Datum
crm_session_count(PG_FUNCTION_ARGS)
{
	crm_timeline timeline;
	crm_timeline_cursor cursor;
	uint64		gap;
	int64		sessions = 0,
				before = 0;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	gap = behavior_interval(PG_ARGISNULL(1) ? NULL : PG_GETARG_INTERVAL_P(1), "gap");
	behavior_timeline_open(PG_GETARG_DATUM(0), &timeline);
	crm_timeline_begin(&timeline, &cursor);
	while (crm_timeline_next(&cursor))
	{
		sessions += cursor.index == 0 || crm_time_between(before, cursor.at) > gap;
		before = cursor.at;
		if (cursor.index % BEHAVIOR_INTERRUPT_STEP == BEHAVIOR_INTERRUPT_STEP - 1)
			CHECK_FOR_INTERRUPTS();
	}
	PG_RETURN_INT64(sessions);
}

static void
put_session(FunctionCallInfo fcinfo, int64 session, int64 started, int64 ended, int64 events, const behavior_sum *sum)
{
	Datum		values[5] = {Int64GetDatum(session), TimestampTzGetDatum(started), TimestampTzGetDatum(ended),
	Int64GetDatum(events), Float8GetDatum(behavior_sum_round(sum))};
	bool		nulls[5] = {false};

	put_row(fcinfo, values, nulls);
}

/* sessions(t, gap interval) -> (session, started, ended, events, value) */
Datum
crm_sessions(PG_FUNCTION_ARGS)
{
	crm_timeline timeline;
	crm_timeline_cursor cursor;
	crm_timeline_values values;
	behavior_sum sum = {0};
	uint64		gap;
	int64		session = 1,
				started = 0,
				ended = 0,
				events = 0;
	double		value;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	gap = behavior_interval(PG_ARGISNULL(1) ? NULL : PG_GETARG_INTERVAL_P(1), "gap");
	behavior_timeline_open(PG_GETARG_DATUM(0), &timeline);
	crm_timeline_values_begin(&timeline, &values);
	crm_timeline_begin(&timeline, &cursor);
	while (crm_timeline_next(&cursor))
	{
		if (events > 0 && crm_time_between(ended, cursor.at) > gap)
		{
			put_session(fcinfo, session++, started, ended, events, &sum);
			sum.parts = 0;
			events = 0;
		}
		if (events++ == 0)
			started = cursor.at;
		ended = cursor.at;
		if (crm_timeline_value(&values, cursor.index, &value))
			behavior_sum_add(&sum, value);
		if (cursor.index % BEHAVIOR_INTERRUPT_STEP == BEHAVIOR_INTERRUPT_STEP - 1)
			CHECK_FOR_INTERRUPTS();
	}
	if (events > 0)
		put_session(fcinfo, session, started, ended, events, &sum);
	return (Datum) 0;
}

/* ---- states ----------------------------------------------------------------- */

/* The elements of the array of selectors, which are the names of the states; checked when they were parsed. */
static Datum *
selector_labels(FunctionCallInfo fcinfo, int argument)
{
	Datum	   *labels;
	bool	   *nulls;
	int			count;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), TEXTOID, -1, false, TYPALIGN_INT, &labels, &nulls, &count);
	return labels;
}

static void
put_stay(FunctionCallInfo fcinfo, Datum state, int64 entered, int64 exited, bool is_over, bool has_end)
{
	Datum		values[4] = {state, TimestampTzGetDatum(entered), TimestampTzGetDatum(exited), 0};
	bool		nulls[4] = {false, false, !is_over, !has_end};

	if (has_end)
		values[3] = DirectFunctionCall2(timestamp_mi, TimestampGetDatum(exited), TimestampGetDatum(entered));
	put_row(fcinfo, values, nulls);
}

/*
 * time_in_state(t, states text[], until) -> (state, entered, exited, duration)
 *
 * The first state that an event means begins with it and lasts until another
 * one begins.
 */
Datum
crm_time_in_state(PG_FUNCTION_ARGS)
{
	behavior_selectors *select = behavior_cache(fcinfo, sizeof(behavior_selectors));
	behavior_range range = BEHAVIOR_ALWAYS;
	crm_timeline timeline;
	behavior_events events;
	Datum	   *labels;
	uint64		met;
	int			state = -1;
	int64		entered = 0;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	if (!PG_ARGISNULL(2))
		range.until = PG_GETARG_TIMESTAMPTZ(2);
	behavior_timeline_open(PG_GETARG_DATUM(0), &timeline);
	behavior_select(fcinfo, 1, true, &timeline, select);
	labels = selector_labels(fcinfo, 1);
	events = behavior_events_begin(&timeline, select, range);
	while ((met = behavior_events_next(&events)) != 0)
	{
		if (crm_ctz64(met) == state)
			continue;
		if (state >= 0)
			put_stay(fcinfo, labels[state], entered, events.cursor.at, true, true);
		state = crm_ctz64(met);
		entered = events.cursor.at;
	}
	if (state >= 0)
		put_stay(fcinfo, labels[state], entered, range.until, false, !TIMESTAMP_NOT_FINITE(range.until));
	return (Datum) 0;
}

/* Days of more than two centuries: an end in the far future is a mistake. */
#define MOST_TRANSITION_PERIODS 100000

typedef struct transitions_memory
{
	behavior_selectors select;
	behavior_calendar calendar;
} transitions_memory;

/*
 * state_transitions(t, states text[], period, zone, until, week_start)
 *		-> (period, from_state, to_state)
 *
 * A row for each period from that of the first state to that of the last, or
 * to the one that "until" lies in: the state before the period began, and the
 * one at its end.
 */
Datum
crm_state_transitions(PG_FUNCTION_ARGS)
{
	transitions_memory *memory = behavior_cache(fcinfo, sizeof(transitions_memory));
	behavior_range range = BEHAVIOR_ALWAYS;
	crm_timeline timeline;
	behavior_events events;
	behavior_period period;
	Datum	   *labels;
	uint64		met;
	int			state = -1;
	int64		number;
	int64		last;
	bool		open;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	period = behavior_period_argument(behavior_text(fcinfo, 2, "period"));
	if (period == BEHAVIOR_HOUR)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("period \"hour\" is too short for transitions"),
				 errhint("Periods of transitions are day, week, month, quarter and year.")));
	if (PG_ARGISNULL(5))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", "week_start")));
	behavior_calendar_set(&memory->calendar, period, behavior_text(fcinfo, 3, "zone"), PG_GETARG_INT32(5));
	if (!PG_ARGISNULL(4))
		range.until = PG_GETARG_TIMESTAMPTZ(4);
	open = TIMESTAMP_NOT_FINITE(range.until);

	behavior_timeline_open(PG_GETARG_DATUM(0), &timeline);
	behavior_select(fcinfo, 1, true, &timeline, &memory->select);
	labels = selector_labels(fcinfo, 1);
	events = behavior_events_begin(&timeline, &memory->select, range);
	met = behavior_events_next(&events);
	if (met == 0)
		return (Datum) 0;
	number = behavior_calendar_number(&memory->calendar, events.cursor.at);
	for (last = number + MOST_TRANSITION_PERIODS;
		 met != 0 || (!open && behavior_calendar_begin(&memory->calendar, number) < range.until);
		 number++)
	{
		int64		next = behavior_calendar_begin(&memory->calendar, number + 1);
		int			from = state;
		Datum		values[3];
		bool		nulls[3] = {false, false, false};

		if (number == last)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("state_transitions would give more than %d periods", MOST_TRANSITION_PERIODS),
					 errdetail("They go from that of the first state to that of the last, or to the one that \"until\" lies in."),
					 errhint("Give an \"until\" that is not so far away, or longer periods.")));
		for (; met != 0 && events.cursor.at < next; met = behavior_events_next(&events))
			state = crm_ctz64(met);
		if (state < 0)
			continue;
		values[0] = DateADTGetDatum(behavior_calendar_date(&memory->calendar, number));
		nulls[1] = from < 0;
		values[1] = from < 0 ? (Datum) 0 : labels[from];
		values[2] = labels[state];
		put_row(fcinfo, values, nulls);
	}
	return (Datum) 0;
}

/* ---- paths ------------------------------------------------------------------ */

typedef struct paths_memory
{
	behavior_selectors select;
	behavior_scratch scratch;
} paths_memory;

/* What a path's edges are written with. */
typedef struct path_writer
{
	FunctionCallInfo fcinfo;
	Datum	   *labels;
	Datum		start;
	Datum		end;
	int64		depth;
	bool		reverse;
} path_writer;

/*
 * The edges of one path, from its start through its nodes to its end; as many
 * as "depth" from the one end or the other.
 */
static void
put_path(const path_writer *writer, const uint32 *nodes, size_t count)
{
	int64		edges = (int64) count + 1;
	int64		shown = Min(edges, writer->depth);

	for (int64 step = 1; step <= shown; step++)
	{
		int64		edge = writer->reverse ? edges - step : step - 1;
		Datum		values[3];
		bool		nulls[3] = {false, false, false};

		values[0] = Int32GetDatum((int32) step);
		values[1] = edge == 0 ? writer->start : writer->labels[nodes[edge - 1]];
		values[2] = edge == count ? writer->end : writer->labels[nodes[edge]];
		put_row(writer->fcinfo, values, nulls);
	}
}

/* path_edges(t, events text[], depth int, idle_gap interval, reverse boolean) -> (step, source, target) */
Datum
crm_path_edges(PG_FUNCTION_ARGS)
{
	paths_memory *memory = behavior_cache(fcinfo, sizeof(paths_memory));
	path_writer writer = {fcinfo, NULL, 0, 0, PG_INT32_MAX, false};
	bool		by_name = PG_ARGISNULL(1);
	crm_timeline timeline;
	behavior_events events;
	uint64		met,
				gap = PG_UINT64_MAX;
	uint32	   *nodes;
	size_t		count = 0;
	int64		before = 0;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	if (!PG_ARGISNULL(2))
		writer.depth = PG_GETARG_INT32(2);
	if (writer.depth < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be at least 1: %d", "depth", (int) writer.depth)));
	if (!PG_ARGISNULL(3))
		gap = behavior_interval(PG_GETARG_INTERVAL_P(3), "idle_gap");
	writer.reverse = !PG_ARGISNULL(4) && PG_GETARG_BOOL(4);

	behavior_timeline_open(PG_GETARG_DATUM(0), &timeline);
	behavior_select(fcinfo, 1, !by_name, &timeline, &memory->select);
	writer.start = PointerGetDatum(cstring_to_text(PATH_START));
	writer.end = PointerGetDatum(cstring_to_text(PATH_END));
	if (by_name)
	{
		size_t		position = timeline.names_at;

		writer.labels = palloc(Max(timeline.names, 1) * sizeof(Datum));
		for (uint32 code = 0; code < timeline.names; code++)
		{
			crm_text	name = crm_timeline_next_name(&timeline, &position);

			writer.labels[code] = PointerGetDatum(cstring_to_text_with_len(name.data, name.size));
		}
	}
	else
		writer.labels = selector_labels(fcinfo, 1);

	nodes = behavior_scratch_get(fcinfo, &memory->scratch, timeline.count * sizeof(uint32));
	events = behavior_events_begin(&timeline, &memory->select, BEHAVIOR_ALWAYS);
	while ((met = behavior_events_next(&events)) != 0)
	{
		if (count > 0 && crm_time_between(before, events.cursor.at) > gap)
		{
			put_path(&writer, nodes, count);
			count = 0;
		}
		nodes[count++] = by_name ? events.cursor.code : (uint32) crm_ctz64(met);
		before = events.cursor.at;
	}
	if (count > 0)
		put_path(&writer, nodes, count);
	return (Datum) 0;
}
