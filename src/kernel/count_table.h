/*
 * count_table.h - how many rows have the same few numbers: what many statistics
 * need of millions of customers, who collapse to thousands of kinds.
 *
 * Exact up to a cap of different keys.  Beyond it the last digits of the numbers
 * behind the first few are dropped, as few bits as will do; which ones depends on the rows alone, not
 * on their order or on the parts they came in: dropping bits puts keys together
 * and never apart, so a part needs no more of it than the whole.
 */
#ifndef CRM_KERNEL_COUNT_TABLE_H
#define CRM_KERNEL_COUNT_TABLE_H

#include "kernel/kernel.h"

#define CRM_COUNT_WIDTH 3		/* numbers of a key, at most */
/* Rows of a table: more were never counted, and what is summed of so many, one by one, is exact. */
#define CRM_COUNT_MAX_ROWS (UINT64_C(1) << 53)

typedef struct crm_count
{
	double		key[CRM_COUNT_WIDTH];	/* those past the table's width are 0 */
	uint64_t	rows;			/* 0: an empty place */
} crm_count;

typedef struct crm_count_table
{
	crm_env		env;
	uint32_t	width;
	uint32_t	exact;			/* numbers at the front of a key that stay as they are */
	uint32_t	cap;			/* different keys */
	uint32_t	dropped;		/* bits of each number's fraction */
	uint32_t	count;
	uint32_t	places;			/* a power of two; 0 before the first row */
	uint64_t	rows;			/* of all entries */
	crm_count  *entries;
} crm_count_table;

/* Takes no memory yet. */
extern void crm_counts_init(crm_count_table *table, const crm_env *env, uint32_t width, uint32_t exact, uint32_t cap);
/*
 * Keys are finite.  CRM_LIMIT where even keys without fraction bits are too many;
 * CRM_OUT_OF_RANGE where there would be more than CRM_COUNT_MAX_ROWS rows.
 */
extern crm_status crm_counts_add(crm_count_table *table, const double *key, uint64_t rows);
/*
 * The entries, ascending by key; numbers that lost bits stand in the middle of
 * what they may have been (0 stays 0).  Memory of env.
 */
extern crm_status crm_counts_sorted(const crm_count_table *table, const crm_env *env, crm_count **entries, uint32_t *count);

/* On the way to another process: one form for one content. */
extern size_t crm_counts_size(const crm_count_table *table);
extern crm_status crm_counts_write(const crm_count_table *table, uint8_t *out);
/* Adds what was written of a table of the same width; hostile until validated. */
extern crm_status crm_counts_read(crm_count_table *table, const uint8_t *bytes, size_t size);

#endif							/* CRM_KERNEL_COUNT_TABLE_H */
