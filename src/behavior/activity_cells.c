/*
 * activity_cells.c - counts by cell, and rows of the answer.
 *
 * Only cells that have customers take place, so that one customer of 1970 does
 * not make a table of weeks since then.
 */
#include "behavior/activity_cells.h"


#include "common/int.h"
#define CELLS_VERSION 1
#define FIRST_BITS 6
#define MAX_ROWS 5000000
/* What all cells count together: more was never counted, and times the days of a year it fits 64 bits. */
#define MAX_CUSTOMERS (INT64CONST(1) << 53)

StaticAssertDecl(offsetof(activity_cells, data) % 8 == 0, "cells are not aligned");

static inline activity_cell *
places(const activity_cells *cells)
{
	return (activity_cell *) (cells->data + MAXALIGN(cells->head_size));
}

static Size
state_size(Size head_size, int room_bits)
{
	return offsetof(activity_cells, data) + MAXALIGN(head_size) + ((Size) 1 << room_bits) * sizeof(activity_cell);
}

activity_cells *
activity_cells_fetch(Datum value, activity_table table)
{
	activity_cells *cells = (activity_cells *) crm_agg_state_fetch(value, CRM_STATE_ACTIVITY, CELLS_VERSION,
																   offsetof(activity_cells, data));

	if (cells->table != table || cells->room_bits < FIRST_BITS || cells->room_bits > ACTIVITY_MAX_CELL_BITS ||
		cells->head_size < ACTIVITY_HEAD || cells->head_size > ACTIVITY_MAX_HEAD || cells->used > 1u << cells->room_bits ||
		VARSIZE(cells) != state_size(cells->head_size, cells->room_bits))
		crm_agg_state_damaged("A number in a state of counts is out of its range.");
	if (!activity_head_is_valid((const uint8 *) cells->data, cells->head_size))
		crm_agg_state_damaged("The head of a state of counts is none.");
	return cells;
}

static activity_cells *
new_state(activity_table table, const uint8 *head, Size head_size, int room_bits)
{
	Size		size = state_size(head_size, room_bits);
	activity_cells *cells = palloc0(size);

	crm_agg_state_init(cells, size, CRM_STATE_ACTIVITY, CELLS_VERSION);
	cells->table = table;
	cells->room_bits = room_bits;
	cells->head_size = head_size;
	cells->first = 1;
	cells->last = 0;
	memcpy(cells->data, head, head_size);
	return cells;
}

static void
check_same(const activity_cells *cells, const uint8 *head, Size head_size, int32 option, int32 option2)
{
	if (cells->head_size != head_size || memcmp(cells->data, head, head_size) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("activities of one group differ in period or zone: %s in %.*s, then %s in %.*s",
						activity_period_name((const uint8 *) cells->data), (uint8) cells->data[3], cells->data + ACTIVITY_HEAD,
						activity_period_name(head), head[3], (const char *) head + ACTIVITY_HEAD),
				 errhint("Make all of them with one period and zone, or group by what they differ in.")));
	if (cells->option != option || cells->option2 != option2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("arguments before the activity must be the same for all rows of a group")));
}

activity_cells *
activity_cells_argument(FunctionCallInfo fcinfo, activity_table table, const activity *a, int32 option, int32 option2)
{
	activity_cells *cells;

	if (PG_ARGISNULL(0))
	{
		cells = new_state(table, a->bytes, a->head_size, FIRST_BITS);
		cells->option = option;
		cells->option2 = option2;
		return cells;
	}
	cells = activity_cells_fetch(PG_GETARG_DATUM(0), table);
	check_same(cells, a->bytes, a->head_size, option, option2);
	return cells;
}

static inline uint64
cell_key(int32 row, int32 column)
{
	return ((uint64) (uint32) row << 32 | (uint32) column) + 1;
}

/* The place of a key, or a free one. */
static inline activity_cell *
find_place(const activity_cells *cells, uint64 key)
{
	activity_cell *all = places(cells);
	uint32		mask = (1u << cells->room_bits) - 1;
	uint32		at = (uint32) (key * UINT64CONST(0x9E3779B97F4A7C15) >> (64 - cells->room_bits));

	for (uint32 tried = 0; tried <= mask; tried++, at = (at + 1) & mask)
		if (all[at].key == key || all[at].key == 0)
			return &all[at];
	crm_agg_state_damaged("A state of counts has no free place.");
}

static activity_cells *
grow(activity_cells *cells)
{
	activity_cells *larger;
	const activity_cell *old = places(cells);

	if (cells->room_bits == ACTIVITY_MAX_CELL_BITS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many counts in one table over activities"),
				 errdetail("At most %u different cells may have customers.", (1u << ACTIVITY_MAX_CELL_BITS) / 4 * 3),
				 errhint("Count longer periods, or ask for fewer periods after the start.")));
	larger = new_state((activity_table) cells->table, (const uint8 *) cells->data, cells->head_size, cells->room_bits + 1);
	larger->option = cells->option;
	larger->option2 = cells->option2;
	larger->first = cells->first;
	larger->last = cells->last;
	larger->used = cells->used;
	for (uint32 i = 0; i < 1u << cells->room_bits; i++)
		if (old[i].key != 0)
			*find_place(larger, old[i].key) = old[i];
	return larger;
}

static activity_cells *
add_key(activity_cells *cells, uint64 key, int64 customers)
{
	activity_cell *cell = find_place(cells, key);

	if (cell->key == 0)
	{
		if (cells->used >= (1u << cells->room_bits) / 4 * 3)
		{
			cells = grow(cells);
			cell = find_place(cells, key);
		}
		cell->key = key;
		cells->used++;
	}
	if (pg_add_s64_overflow(cell->customers, customers, &cell->customers))
		crm_agg_state_damaged("The counts in a state of counts are impossible.");
	return cells;
}

activity_cells *
activity_cells_add(activity_cells *cells, int32 row, int32 column, int64 customers)
{
	return add_key(cells, cell_key(row, column), customers);
}

Datum
activity_cells_combine(FunctionCallInfo fcinfo, activity_table table)
{
	activity_cells *cells;
	const activity_cells *other;
	const activity_cell *others;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "combine function called in non-aggregate context");
	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	other = activity_cells_fetch(PG_GETARG_DATUM(1), table);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(other);
	cells = activity_cells_fetch(PG_GETARG_DATUM(0), table);
	check_same(cells, (const uint8 *) other->data, other->head_size, other->option, other->option2);
	if (other->first <= other->last)
		activity_cells_met(cells, other->first, other->last);
	others = places(other);
	for (uint32 i = 0; i < 1u << other->room_bits; i++)
		if (others[i].key != 0)
			cells = add_key(cells, others[i].key, others[i].customers);
	PG_RETURN_POINTER(cells);
}

static int
compare_counts(const void *a, const void *b)
{
	const activity_count *x = a;
	const activity_count *y = b;

	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}

activity_count *
activity_cells_sorted(const activity_cells *cells, int *count)
{
	const activity_cell *all = places(cells);
	activity_count *sorted = palloc(Max(((Size) 1 << cells->room_bits), 1) * sizeof(activity_count));
	int64		left = MAX_CUSTOMERS;
	int			n = 0;

	for (uint32 i = 0; i < 1u << cells->room_bits; i++)
	{
		activity_count place = {(int32) ((all[i].key - 1) >> 32), (int32) (all[i].key - 1), all[i].customers};

		if (all[i].key == 0)
			continue;
		/* Final functions count in arrays by column. */
		if (place.column < 0)
			crm_agg_state_damaged("A count in a state of counts has no column.");
		/* Below zero where a cell is what a time begins with less what it ends with. */
		if (place.customers > left || place.customers < -left)
			crm_agg_state_damaged("The counts in a state of counts are impossible.");
		left -= place.customers < 0 ? -place.customers : place.customers;
		sorted[n++] = place;
	}
	qsort(sorted, n, sizeof(activity_count), compare_counts);
	*count = n;
	return sorted;
}

/* ---- rows of the answer --------------------------------------------------------- */

crm_result_rows
activity_rows(FunctionCallInfo fcinfo, int64 room)
{
	if (room > MAX_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("table over activities would have " INT64_FORMAT " rows", room),
				 errdetail("It has at most %d rows.", MAX_ROWS),
				 errhint("Count longer periods, or ask for fewer periods after the start; look for events with a wrong date.")));
	return crm_result_rows_begin(fcinfo, (Size) room);
}
