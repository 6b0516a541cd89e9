/*
 * columns.h - rows of numbers, kept column by column and as small as they go
 * without loss.
 *
 * What a trainer must read more than once is kept here: rows come one by one,
 * every few thousand become a block, and in a block each column takes the
 * narrowest form that gives its numbers back exactly: one number for all, a
 * byte or two above the smallest whole number, a float, or a double.  A number
 * may be missing (NaN in memory).  Two collections of the same width merge by
 * putting their blocks together.
 */
#ifndef CRM_KERNEL_COLUMNS_H
#define CRM_KERNEL_COLUMNS_H

#include "kernel/kernel.h"

#define CRM_COLUMNS_MAX_WIDTH 10000
/* Rows of a block; wide rows have fewer. */
#define CRM_COLUMNS_MAX_BLOCK 4096

typedef struct crm_columns_block
{
	uint32_t	rows;
	uint32_t	size;			/* bytes of data */
	uint8_t    *data;
} crm_columns_block;

typedef struct crm_columns
{
	crm_env		env;
	uint32_t	width;			/* numbers of a row */
	uint64_t	rows;			/* of all blocks and the pending ones */
	size_t		bytes;			/* memory in use */
	size_t		max_bytes;		/* beyond it CRM_LIMIT */
	crm_columns_block *blocks;
	size_t		block_count;
	size_t		block_room;
	double	   *pending;		/* row by row, not yet a block */
	uint32_t	pending_rows;
	uint32_t	pending_room;
} crm_columns;

/* No rows yet; nothing is allocated before the first. */
extern void crm_columns_init(crm_columns *columns, const crm_env *env, uint32_t width, size_t max_bytes);

/*
 * Room for one more row, to be filled with width numbers, NaN where one is
 * missing; it counts once crm_columns_added is called.
 */
extern crm_status crm_columns_add(crm_columns *columns, double **row);
static inline void
crm_columns_added(crm_columns *columns)
{
	columns->pending_rows++;
	columns->rows++;
}

/* Parts in which to read the rows: the blocks, and what is pending. */
static inline size_t
crm_columns_parts(const crm_columns *columns)
{
	return columns->block_count + (columns->pending_rows > 0);
}

static inline uint32_t
crm_columns_part_rows(const crm_columns *columns, size_t part)
{
	return part < columns->block_count ? columns->blocks[part].rows : columns->pending_rows;
}

/* The numbers of one column of a part. */
extern void crm_columns_read(const crm_columns *columns, size_t part, uint32_t column, double *numbers);

/* The bytes of all rows, and their reader, which adds them to rows at hand of the same width. */
extern size_t crm_columns_size(const crm_columns *columns);
extern void crm_columns_write(const crm_columns *columns, uint8_t *data);
extern crm_status crm_columns_merge(crm_columns *columns, const uint8_t *data, size_t size);

#endif							/* CRM_KERNEL_COLUMNS_H */
