/*
 * funnel_table.c - the aggregate funnel_table: many customers' funnels to one
 * table.
 *
 * There are few groups.  Medians are exact, so the state keeps the paths of all
 * values, in the short form that the values have: about 10 bytes and 5 more
 * for each step taken; a state ends at 1 GB.
 */
#include "behavior/funnel.h"

#include "access/htup_details.h"
#include "common/agg_state.h"
#include "common/bridge.h"
#include "funcapi.h"
#include "kernel/sort.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

CRM_FUNCTION(crm_funnel_table_transfn);
CRM_FUNCTION(crm_funnel_table_combinefn);
CRM_FUNCTION(crm_funnel_table_finalfn);

#define TABLE_STATE_VERSION 1
#define FIRST_ROOM 1024
#define COLUMNS 10

#define ST_SORT sort_widths
#define ST_ELEMENT_TYPE uint64
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

typedef struct table_state
{
	/* the header of crm_agg_state, which cannot be a member as it ends openly */
	int32		vl_len_;
	uint16		magic;
	uint8		kind;
	uint8		version;
	uint8		steps;
	uint8		periods;
	uint8		breakdown;
	uint8		reserved;
	uint32		count;			/* paths */
	uint32		used;			/* bytes of paths */
	uint32		room;
	uint8		data[FLEXIBLE_ARRAY_MEMBER];
} table_state;

/* One path, for sorting into groups. */
typedef struct table_path
{
	int64		period;
	const char *label;
	Size		label_length;
	const uint8 *bytes;
} table_path;

/* Goes through the paths of one group. */
typedef struct group_cursor
{
	const crm_funnel_head *head;
	const table_path *const *paths; /* NULL: those that lie one after the other */
	const uint8 *bytes;
	const uint8 *end;
	uint32		left;
} group_cursor;

static table_state *
fetch_state(Datum value)
{
	table_state *state = (table_state *) crm_agg_state_fetch(value, CRM_STATE_FUNNEL_TABLE, TABLE_STATE_VERSION,
															 offsetof(table_state, data));

	if (state->steps < 1 || state->steps > CRM_MAX_CONDITIONS || state->periods > 1 || state->breakdown > 1 ||
		state->used > state->room || VARSIZE(state) != offsetof(table_state, data) + (Size) state->room)
		crm_agg_state_damaged("A number in a state of funnel_table is out of its range.");
	return state;
}

static table_state *
new_state(const crm_funnel_head *head, Size room)
{
	Size		size = offsetof(table_state, data) + room;
	table_state *state = palloc0(size);

	crm_agg_state_init(state, size, CRM_STATE_FUNNEL_TABLE, TABLE_STATE_VERSION);
	state->steps = head->steps;
	state->periods = head->periods;
	state->breakdown = head->breakdown;
	state->room = room;
	return state;
}

/* The state with more paths, larger if it has to be: then in short-lived memory, from which the executor copies it. */
static table_state *
append_paths(table_state *state, const crm_funnel_head *head, const uint8 *bytes, Size size, uint32 count)
{
	Size		most = MaxAllocSize - offsetof(table_state, data);

	if (state == NULL)
		state = new_state(head, Max(size, FIRST_ROOM));
	else if (state->steps != head->steps)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of steps changes within a group: %d, then %d", state->steps, head->steps),
				 errhint("Make a table for each funnel, as with GROUP BY.")));
	else if (state->periods != head->periods || state->breakdown != head->breakdown)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("funnels with and without periods or breakdown do not go into one table")));
	if (size > state->room - state->used)
	{
		table_state *larger;

		if (size > most - state->used)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many funnels in one table"),
					 errdetail("The paths of a table take at most %zu bytes.", most)));
		larger = new_state(head, Min(Max((Size) state->used + size, (Size) state->room * 2), most));
		larger->count = state->count;
		larger->used = state->used;
		memcpy(larger->data, state->data, state->used);
		state = larger;
	}
	memcpy(state->data + state->used, bytes, size);
	state->used += size;
	state->count += count;
	return state;
}

/* funnel_table_transfn(state, f crm.funnel); a NULL is ignored */
Datum
crm_funnel_table_transfn(PG_FUNCTION_ARGS)
{
	table_state *state = NULL;
	struct varlena *value;
	crm_funnel_reader reader;
	crm_funnel_entry entry;
	const uint8 *first;
	uint32		count;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "funnel_table_transfn called in non-aggregate context");
	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	if (!PG_ARGISNULL(0))
		state = fetch_state(PG_GETARG_DATUM(0));
	value = PG_GETARG_VARLENA_PP(1);
	crm_check(crm_funnel_open(&reader, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)), "crm.funnel", false);
	first = reader.at;
	count = reader.left;
	while (reader.left > 0)
		crm_check(crm_funnel_read(&reader, &entry), "crm.funnel", false);
	PG_RETURN_POINTER(append_paths(state, &reader.head, first, reader.end - first, count));
}

Datum
crm_funnel_table_combinefn(PG_FUNCTION_ARGS)
{
	table_state *state = NULL;
	table_state *other;
	crm_funnel_head head;
	crm_funnel_entry entry;
	const uint8 *at;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "funnel_table_combinefn called in non-aggregate context");
	if (!PG_ARGISNULL(0))
		state = fetch_state(PG_GETARG_DATUM(0));
	if (PG_ARGISNULL(1))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	other = fetch_state(PG_GETARG_DATUM(1));
	head = (crm_funnel_head) {other->steps, other->periods, other->breakdown};
	at = other->data;
	for (uint32 i = 0; i < other->count; i++)
	{
		if (crm_funnel_read_entry(&head, &at, other->data + other->used, &entry) != CRM_OK ||
			!IS_VALID_TIMESTAMP(entry.period) || !IS_VALID_TIMESTAMP(entry.times[0]) || !IS_VALID_TIMESTAMP(entry.times[entry.level - 1]))
			crm_agg_state_damaged("A path in a state of funnel_table is out of its range.");
		CHECK_FOR_INTERRUPTS();
	}
	if (at != other->data + other->used)
		crm_agg_state_damaged("There are bytes behind the paths of a state of funnel_table.");
	PG_RETURN_POINTER(append_paths(state, &head, other->data, other->used, other->count));
}

/* ---- the table ------------------------------------------------------------- */

/* By period, then attribute in the order of its bytes, none last. */
static bool
path_before(const void *left, const void *right)
{
	const table_path *a = left,
			   *b = right;
	int			order;

	if (a->period != b->period)
		return a->period < b->period;
	if (a->label == NULL || b->label == NULL)
		return a->label != NULL && b->label == NULL;
	order = memcmp(a->label, b->label, Min(a->label_length, b->label_length));
	return order != 0 ? order < 0 : a->label_length < b->label_length;
}

static bool
next_path(group_cursor *cursor, crm_funnel_entry *entry)
{
	const uint8 *at;

	if (cursor->left == 0)
		return false;
	cursor->left--;
	CHECK_FOR_INTERRUPTS();
	if (cursor->paths != NULL)
	{
		at = (*cursor->paths++)->bytes;
		crm_check(crm_funnel_read_entry(cursor->head, &at, cursor->end, entry), "crm.agg_state", false);
	}
	else
		crm_check(crm_funnel_read_entry(cursor->head, &cursor->bytes, cursor->end, entry), "crm.agg_state", false);
	return true;
}

/* Median and mean of times from one step to a later one, for those who took it. */
static void
describe_widths(group_cursor cursor, int from, int to, uint64 *widths, Datum *values, bool *nulls)
{
	crm_funnel_entry entry;
	uint64		count = 0,
				whole = 0,
				rest = 0,
				low,
				high;

	while (next_path(&cursor, &entry))
		if (entry.level >= to)
			widths[count++] = crm_time_between(entry.times[from - 1], entry.times[to - 1]);
	nulls[0] = nulls[1] = count == 0;
	if (count == 0)
		return;
	sort_widths(widths, count);
	low = widths[(count - 1) / 2];
	high = widths[count / 2];
	values[0] = IntervalPGetDatum(funnel_interval(low + (high - low) / 2));
	/* The sum would not fit. */
	for (uint64 i = 0; i < count; i++)
	{
		whole += widths[i] / count;
		rest += widths[i] % count;
	}
	values[1] = IntervalPGetDatum(funnel_interval(whole + (rest + count / 2) / count));
}

/* The rows of one group, a step each. */
static void
describe_group(const group_cursor *cursor, const table_path *group, TupleDesc desc, uint64 *widths, Datum *rows)
{
	int64		reached[CRM_MAX_CONDITIONS + 1] = {0};
	group_cursor first = *cursor;
	crm_funnel_entry entry;

	while (next_path(&first, &entry))
		for (int step = 1; step <= entry.level; step++)
			reached[step]++;
	for (int step = 1; step <= cursor->head->steps; step++)
	{
		Datum		values[COLUMNS] = {0};
		bool		nulls[COLUMNS] = {false};

		nulls[0] = !cursor->head->periods;
		values[0] = TimestampTzGetDatum(group->period);
		nulls[1] = group->label == NULL;
		if (!nulls[1])
			values[1] = PointerGetDatum(cstring_to_text_with_len(group->label, group->label_length));
		values[2] = Int32GetDatum(step);
		values[3] = Int64GetDatum(reached[step]);
		nulls[4] = reached[1] == 0;
		values[4] = Float8GetDatum(nulls[4] ? 0 : (float8) reached[step] / reached[1]);
		nulls[5] = step == 1 || reached[step - 1] == 0;
		values[5] = Float8GetDatum(nulls[5] ? 0 : (float8) reached[step] / reached[step - 1]);
		if (step == 1)
			memset(&nulls[6], true, 4);
		else
		{
			describe_widths(*cursor, step - 1, step, widths, &values[6], &nulls[6]);
			describe_widths(*cursor, 1, step, widths, &values[8], &nulls[8]);
		}
		rows[step - 1] = HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
	}
}

static const table_path **
sort_paths(const table_state *state, const crm_funnel_head *head)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	table_path *paths = MemoryContextAllocHuge(CurrentMemoryContext, Max(state->count, 1) * sizeof(table_path));
	const table_path **order = MemoryContextAllocHuge(CurrentMemoryContext, Max(state->count, 1) * sizeof(table_path *));
	const uint8 *at = state->data;

	for (uint32 i = 0; i < state->count; i++)
	{
		crm_funnel_entry entry;

		paths[i].bytes = at;
		crm_check(crm_funnel_read_entry(head, &at, state->data + state->used, &entry), "crm.agg_state", false);
		paths[i].period = entry.period;
		paths[i].label = entry.label;
		paths[i].label_length = entry.label_length;
		order[i] = &paths[i];
		CHECK_FOR_INTERRUPTS();
	}
	crm_check(crm_sort_pointers(&env, (const void **) order, state->count, path_before), "crm.agg_state", false);
	return order;
}

/* No value: NULL, as the number of steps is not known. */
Datum
crm_funnel_table_finalfn(PG_FUNCTION_ARGS)
{
	const table_state *state;
	const table_path **order = NULL;
	crm_funnel_head head;
	Oid			row_type;
	TupleDesc	desc;
	uint64	   *widths;
	Datum	   *rows;
	Size		groups = 1,
				group = 0;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "funnel_table_finalfn called in non-aggregate context");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = fetch_state(PG_GETARG_DATUM(0));
	head = (crm_funnel_head) {state->steps, state->periods, state->breakdown};
	row_type = get_element_type(get_func_rettype(fcinfo->flinfo->fn_oid));
	desc = lookup_rowtype_tupdesc_copy(row_type, -1);
	if (desc->natts != COLUMNS)
		elog(ERROR, "type funnel_row has %d columns", desc->natts);

	/* Without periods and breakdown there is one group, even if nobody took the first step. */
	if (head.periods || head.breakdown)
	{
		order = sort_paths(state, &head);
		groups = state->count > 0;
		for (uint32 i = 1; i < state->count; i++)
			groups += path_before(order[i - 1], order[i]);
	}
	widths = MemoryContextAllocHuge(CurrentMemoryContext, Max(state->count, 1) * sizeof(uint64));
	rows = MemoryContextAllocHuge(CurrentMemoryContext, Max(groups * head.steps, 1) * sizeof(Datum));
	for (uint32 first = 0; group < groups; group++)
	{
		static const table_path everything = {0};
		group_cursor cursor = {&head, NULL, state->data, state->data + state->used, state->count};

		if (order != NULL)
		{
			uint32		end = first + 1;

			while (end < state->count && !path_before(order[first], order[end]))
				end++;
			cursor.paths = order + first;
			cursor.left = end - first;
			describe_group(&cursor, order[first], desc, widths, rows + group * head.steps);
			first = end;
		}
		else
			describe_group(&cursor, &everything, desc, widths, rows);
	}
	if (groups == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(row_type));
	PG_RETURN_ARRAYTYPE_P(construct_array(rows, groups * head.steps, row_type, -1, false, TYPALIGN_DOUBLE));
}
