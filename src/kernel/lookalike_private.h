/*
 * lookalike_private.h - the state of lookalike.h, for its files.
 */
#ifndef CRM_KERNEL_LOOKALIKE_PRIVATE_H
#define CRM_KERNEL_LOOKALIKE_PRIVATE_H

#include "kernel/lookalike.h"
#include "kernel/value_table.h"

/* Customers by held out (0, 2) and of the seed (0, 1). */
typedef struct lookalike_counts
{
	uint64_t	n[4];
} lookalike_counts;

/* Numbers: a hash table by cell.  Texts: one for each code, cells[code - 1]. */
typedef struct lookalike_cell
{
	int64_t		key;
	lookalike_counts counts;	/* all zero: a free slot */
} lookalike_cell;

typedef struct lookalike_feature
{
	crm_feature_kind kind;
	crm_value_table texts;
	lookalike_cell *cells;
	uint32_t	room;			/* numbers: a power of two */
	uint32_t	used;
	lookalike_counts missing;
} lookalike_feature;

/* Rows of held out customers: hash, then a number for each feature; the smallest hashes stay. */
typedef struct lookalike_held
{
	uint64_t   *rows;
	uint32_t	count;
	uint32_t	room;
	uint64_t	limit;			/* once full: hashes from here on are not needed */
} lookalike_held;

/* In a row: what is missing.  Cells are far from it. */
#define LOOKALIKE_MISSING INT64_MIN

struct crm_lookalike
{
	crm_env		env;
	uint32_t	count;
	lookalike_feature *features;
	uint64_t	customers[4];
	lookalike_held held[2];		/* others, seed */
};

/* Drops all but the CRM_LOOKALIKE_HELD smallest hashes, and puts them in order. */
extern void crm_lookalike_prune(crm_lookalike *state, lookalike_held *held);

/* The least number of a cell. */
static inline double
lookalike_cell_begin(int64_t key)
{
	int64_t		order = (int64_t) ((uint64_t) key << 41);
	int64_t		bits = order ^ (int64_t) ((uint64_t) (order >> 63) >> 1);
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

#endif							/* CRM_KERNEL_LOOKALIKE_PRIVATE_H */
