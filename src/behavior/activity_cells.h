/*
 * activity_cells.h - the state of the tables over activities: exact counts of
 * customers in the cells that have any, and rows of the answer.
 */
#ifndef CRM_ACTIVITY_CELLS_H
#define CRM_ACTIVITY_CELLS_H

#include "behavior/activity.h"

#include "common/agg_state.h"
#include "common/result_rows.h"

/* Which table; stored in states. */
typedef enum activity_table
{
	ACTIVITY_RETENTION = 1, ACTIVITY_LIFE_CYCLE, ACTIVITY_STICKINESS, ACTIVITY_USERS
} activity_table;

typedef struct activity_cell
{
	uint64		key;			/* 0: free */
	int64		customers;
} activity_cell;

/*
 * Few groups, each with one flat state that is changed in place: 40 bytes, the
 * head, and 16 bytes for each cell's place, at most ACTIVITY_MAX_CELLS places.
 */
typedef struct activity_cells
{
	/* the header of crm_agg_state, which cannot be a member as it ends openly */
	int32		vl_len_;
	uint16		magic;
	uint8		kind;
	uint8		version;
	uint8		table;
	uint8		room_bits;		/* of the number of places */
	uint16		head_size;
	int32		option;			/* arguments that are constant for a group */
	int32		option2;
	int32		first;			/* least and greatest period met in any activity ... */
	int32		last;			/* ... less than first: none */
	uint32		used;
	uint32		unused[2];		/* the cells behind the head begin at a multiple of eight */
	char		data[FLEXIBLE_ARRAY_MEMBER];	/* the head, padded to eight bytes, then the places */
} activity_cells;

#define ACTIVITY_MAX_CELL_BITS 23

/* Argument 0, or a new state; refuses activities of another head and other options than before. */
extern activity_cells *activity_cells_argument(FunctionCallInfo fcinfo, activity_table table, const activity *a,
											   int32 option, int32 option2);
/* Adds to a cell; column is not negative.  The state may move. */
extern activity_cells *activity_cells_add(activity_cells *cells, int32 row, int32 column, int64 customers);
extern Datum activity_cells_combine(FunctionCallInfo fcinfo, activity_table table);
extern activity_cells *activity_cells_fetch(Datum value, activity_table table);

static inline void
activity_cells_met(activity_cells *cells, int32 from, int32 to)
{
	if (cells->first > cells->last)
	{
		cells->first = from;
		cells->last = to;
	}
	else
	{
		cells->first = Min(cells->first, from);
		cells->last = Max(cells->last, to);
	}
}

/* A cell as final functions read it, in order of row and column. */
typedef struct activity_count
{
	int32		row;
	int32		column;
	int64		customers;
} activity_count;

extern activity_count *activity_cells_sorted(const activity_cells *cells, int *count);

/* Room for the rows of an answer; 54000 for more than it may have. */
extern crm_result_rows activity_rows(FunctionCallInfo fcinfo, int64 room);

#endif							/* CRM_ACTIVITY_CELLS_H */
