/*
 * tag_sets_private.h - the insides of sets under construction, shared by
 * tag_sets.c (filling), tag_sets_rename.c (filling from passing ids), tag_numbers.c
 * (numeric rules), tag_sets_wire.c (sending) and tag_sets_read.c (reading).
 */
#ifndef CRM_KERNEL_TAG_SETS_PRIVATE_H
#define CRM_KERNEL_TAG_SETS_PRIVATE_H

#include "kernel/tag_sets.h"

typedef struct tag_chunk
{
	uint64_t	key;			/* id >> chunk_bits */
	uint32_t	scope;
	uint32_t	count;			/* customers; in a wide chunk also the next number */
	uint32_t	capacity;		/* customers that the cells have room for, a multiple of 64 */
	uint64_t   *seen;			/* dense: one bit an offset */
	uint64_t   *offsets;		/* wide: offset of each number */
	uint32_t   *order;			/* wide, once finished: numbers by ascending offset */
	void	  **cells;			/* a rule: uint64_t bits, uint16_t codes or a number_cell; NULL while nobody has it */
} tag_chunk;

/* The numbers of one rule in one chunk. */
typedef struct number_cell
{
	uint32_t	scale;
	int			used;			/* slices up to the last that is there */
	uint64_t   *slice[CRM_TAG_SLICES];	/* one bit a place; NULL: none set */
} number_cell;

/* Consecutive rows of a batch with consecutive places in one chunk. */
typedef struct placed_run
{
	tag_chunk  *chunk;
	uint32_t	row;
	uint32_t	length;
	uint32_t	place;
} placed_run;

struct crm_tag_sets
{
	crm_env		env;
	int			bits;
	int			rules;
	bool	   *is_text;
	bool	   *is_number;

	tag_chunk **chunks;
	int			chunk_count;
	int			chunk_room;
	uint32_t   *table;			/* open addressing: chunk number + 1 */
	uint32_t	table_size;		/* a power of two */
	tag_chunk  *last;

	uint64_t	customers;
	size_t		memory;
	bool		has_duplicate;
	uint64_t	duplicate;

	int			crowded;		/* the rule whose numbers found no common scale in a merge */

	/* the batch placed last */
	int			rows;
	int			run_count;
	placed_run	runs[CRM_BATCH_ROWS];
	tag_chunk  *row_chunk[CRM_BATCH_ROWS];
	uint32_t	row_place[CRM_BATCH_ROWS];

	/* reading text rules: members of one chunk by code */
	uint32_t   *by_code;		/* places */
	uint32_t   *code_start;
	uint32_t	by_code_room;
	uint32_t	code_room;
};

static inline bool
tag_sets_wide(const crm_tag_sets *sets)
{
	return sets->bits > CRM_CHUNK_BITS;
}

extern crm_status tag_sets_find_chunk(crm_tag_sets *sets, uint32_t scope, uint64_t key, tag_chunk **chunk);
extern crm_status tag_sets_cell(crm_tag_sets *sets, tag_chunk *chunk, int rule, void **cell);
extern crm_status tag_sets_reserve(crm_tag_sets *sets, tag_chunk *chunk, uint32_t customers);
/* Adds another's chunk, as crm_tag_sets_merge does all of them. */
extern crm_status tag_sets_merge_chunk(crm_tag_sets *sets, const tag_chunk *from, const uint32_t *scope_map, uint16_t *const *code_maps);
extern void tag_sets_note_duplicate(crm_tag_sets *sets, uint64_t id);
/* Frees who is in a chunk, and leaves how many. */
extern void tag_sets_forget_members(crm_tag_sets *sets, tag_chunk *chunk);
/* Adds what another says of all its customers. */
extern void tag_sets_merge_totals(crm_tag_sets *sets, const crm_tag_sets *other);

/* ORs length bits from source bit `from` on into target bits from `to` on. */
extern void tag_sets_or_bits(uint64_t *target, uint32_t to, const uint64_t *source, uint32_t from,
							 uint32_t length, uint32_t source_words);
extern size_t tag_sets_encode_bits(const crm_tag_sets *sets, int chunk, const uint64_t *bits, uint8_t *out, uint32_t *members);

extern crm_status tag_numbers_slice(crm_tag_sets *sets, const tag_chunk *chunk, number_cell *cell, int i, uint64_t **slice);
extern void tag_numbers_release(crm_tag_sets *sets, number_cell *cell, uint32_t capacity);
extern crm_status tag_numbers_grow(crm_tag_sets *sets, number_cell *cell, uint32_t old_capacity, uint32_t capacity);
/* The number at a place, if it has one. */
extern void tag_numbers_get(const number_cell *cell, uint32_t place, crm_tag_number *number);
extern crm_status tag_numbers_merge(crm_tag_sets *sets, const tag_chunk *to, number_cell *target,
									const tag_chunk *from, const number_cell *source, uint32_t shift);

#endif							/* CRM_KERNEL_TAG_SETS_PRIVATE_H */
