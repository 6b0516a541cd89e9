/*
 * baskets.h - who has what: pairs of a basket (an order, a customer) and an item,
 * collected in any order and then put together basket by basket.
 *
 * While they are collected, a row takes a few bytes: the difference to the basket
 * of the row before and the number of the item, both of variable length.  Rows
 * that come basket by basket take two or three.  Two collections merge by adding
 * the rows of one to the other.
 */
#ifndef CRM_KERNEL_BASKETS_H
#define CRM_KERNEL_BASKETS_H

#include "kernel/kernel.h"
#include "kernel/value_table.h"

typedef struct crm_baskets
{
	crm_env		env;
	bool		named;			/* baskets are texts, numbered as they come */
	bool		weighted;
	size_t		max_bytes;		/* beyond it CRM_LIMIT */
	crm_value_table items;
	crm_value_table names;
	size_t		table_bytes;	/* of both, about */
	uint8_t    *bytes;
	size_t		used;
	size_t		room;
	uint64_t	rows;
	int64_t		last;			/* basket of the last row */
} crm_baskets;

/* Takes no memory yet. */
extern void crm_baskets_init(crm_baskets *b, const crm_env *env, bool named, bool weighted, size_t max_bytes);

/*
 * One row; the weight, above 0 and finite, counts where the collection is
 * weighted.  A row given twice is one row of the sum of the weights.
 */
extern crm_status crm_baskets_add(crm_baskets *b, int64_t basket, const char *item, size_t length, double weight);
extern crm_status crm_baskets_add_named(crm_baskets *b, const char *name, size_t name_length,
										const char *item, size_t length, double weight);

/* Bytes of memory in use, about. */
static inline size_t
crm_baskets_memory(const crm_baskets *b)
{
	return b->table_bytes + b->room;
}

/* On the way to another process; and what was written, hostile until validated, added to a collection of the same sort. */
extern size_t crm_baskets_size(const crm_baskets *b);
extern void crm_baskets_write(const crm_baskets *b, uint8_t *out);
extern crm_status crm_baskets_read(crm_baskets *b, const uint8_t *bytes, size_t size);

/* ---- basket by basket -------------------------------------------------- */

/*
 * Items are numbered from 0 in the order of their bytes; a basket's items ascend.
 * Baskets ascend by their numbers, or by their names' bytes where it was asked
 * for: then nothing hangs on the order in which the rows came.
 */
typedef struct crm_basket_index
{
	uint32_t	item_count;
	const crm_value_entry **items;
	uint32_t   *item_baskets;	/* baskets that have each item */
	uint32_t	basket_count;
	size_t	   *starts;			/* of each basket, and the end */
	uint32_t   *entries;		/* items */
	double	   *weights;		/* of the entries; NULL unless weighted */
} crm_basket_index;

/* The collection must live as long.  CRM_LIMIT when more than its max_bytes would be needed. */
extern crm_status crm_baskets_index(const crm_baskets *b, const crm_env *env, bool ordered, crm_basket_index *index);
extern void crm_basket_index_free(crm_basket_index *index, const crm_env *env);

#endif							/* CRM_KERNEL_BASKETS_H */
