/*
 * bsi_block.h - the slices of one container's ids as words.
 *
 * Private to the bsi_*.c files.  Where many ids of a container have numbers,
 * bit i of a slice's words stands for offset i; where up to 4,096 have, it
 * stands for the i-th of them, so that a few ids take a few words.  The loops
 * over words are the same.
 */
#ifndef CRM_KERNEL_BSI_BLOCK_H
#define CRM_KERNEL_BSI_BLOCK_H

#include "kernel/bsi.h"

/* The ids that the bits of a block stand for. */
typedef struct crm_bsi_universe
{
	uint64_t	key;			/* of the container */
	uint32_t	count;			/* ids */
	uint32_t	words;
	bool		ranked;			/* bits stand for places in offsets */
	uint16_t	offsets[CRM_ARRAY_MAX]; /* where ranked: count of them */
	uint64_t	all[CRM_CONTAINER_WORDS];	/* the bits that stand for an id */
} crm_bsi_universe;

extern void crm_bsi_universe_of(crm_bsi_universe *u, const crm_container *container);
/* Ids of either container, or of both; in the latter case none may be left: count 0. */
extern void crm_bsi_universe_combine(crm_bsi_universe *u, crm_ids_op op, const crm_container *a, const crm_container *b);
/* Consecutive pairs of one key, ids ascending. */
extern void crm_bsi_universe_of_pairs(crm_bsi_universe *u, const crm_bsi_pair *pairs, uint32_t count);

/* A slice's words in the universe; NULL: no id has the bit. */
extern void crm_bsi_load(const crm_bsi_universe *u, const crm_container *container, uint64_t *words);
/* Adds the ids that the words stand for to a set. */
extern crm_status crm_bsi_store(const crm_bsi_universe *u, const uint64_t *words, crm_ids_builder *out);

/* Walks over all slices of a value, container by container. */
typedef struct crm_bsi_walk
{
	const crm_bsi *bsi;
	crm_ids_cursor present;
	crm_ids_cursor slice[CRM_BSI_SLICES];
} crm_bsi_walk;

extern void crm_bsi_walk_first(crm_bsi_walk *walk, const crm_bsi *bsi);

/* The slice's container with that key, which must not be below that of the call before; NULL: there is none. */
static inline const crm_container *
crm_bsi_walk_slice(crm_bsi_walk *walk, uint32_t slice, uint64_t key)
{
	crm_ids_cursor *cursor = &walk->slice[slice];

	if (cursor->valid && cursor->current.key < key)
		crm_ids_advance(cursor, key);
	return cursor->valid && cursor->current.key == key ? &cursor->current : NULL;
}

/* Writes a value block by block, in ascending order of keys. */
typedef struct crm_bsi_writer
{
	crm_env		env;
	uint32_t	slices;
	uint32_t	scale;
	crm_ids_builder *present;
	crm_ids_builder *slice[CRM_BSI_SLICES + 1]; /* one more than a value may keep: the carry of an addition */
	uint64_t   *bits;			/* slices of one block */
	size_t		room;			/* words in it */
} crm_bsi_writer;

extern crm_status crm_bsi_writer_init(const crm_env *env, crm_bsi_writer *writer, uint32_t slices, uint32_t scale);
/* Drops slices that repeat the sign and frees the builders; CRM_OUT_OF_RANGE where too many are left. */
extern crm_status crm_bsi_writer_finish(crm_bsi_writer *writer, crm_bsi_image *image);
/* Writes the numbers of the universe's ids, in their order. */
extern crm_status crm_bsi_writer_values(crm_bsi_writer *writer, const crm_bsi_universe *u, const crm_bsi_pair *pairs);

/* The reader's next container as a whole; false: no more. */
extern bool crm_bsi_reader_block(crm_bsi_reader *reader, const crm_bsi_universe **u, crm_bsi_pair **pairs);

/* Slices that numbers between the two need, sign included. */
extern uint32_t crm_bsi_width(crm_int128 least, crm_int128 greatest);

#endif							/* CRM_KERNEL_BSI_BLOCK_H */
