/*
 * tag_sets.h - the sets of many rules under construction, filled batch by batch.
 *
 * Customers are kept by (scope, chunk of ids).  A dense chunk (bits = 13) has a
 * bitmap for the customers seen, one for each boolean rule that holds for
 * somebody, and a code for each customer and text rule.  A wide chunk (bits >
 * 13, sparse ids) numbers its customers in order of arrival and has the same
 * over these numbers.  Merging two is OR, or appending.
 *
 * A customer met twice is remembered (the smallest id, so that the answer does
 * not hang on the order of rows).
 */
#ifndef CRM_KERNEL_TAG_SETS_H
#define CRM_KERNEL_TAG_SETS_H

#include "kernel/rule_batch.h"
#include "kernel/tag_chunk.h"

typedef struct crm_tag_sets crm_tag_sets;

extern crm_status crm_tag_sets_new(const crm_env *env, int chunk_bits, int rules, const bool *is_text,
								   crm_tag_sets **sets);
/* Before anything is added: the rule gives a number for each customer, not truth. */
extern void crm_tag_sets_set_numeric(crm_tag_sets *sets, int rule);

/* ---- filling: place the rows of a batch, then add each rule's result ---- */

extern crm_status crm_tag_sets_place(crm_tag_sets *sets, const uint32_t *scopes, const uint64_t *ids, int rows);
extern crm_status crm_tag_sets_add_truth(crm_tag_sets *sets, int rule, const uint64_t *truth);
extern crm_status crm_tag_sets_add_codes(crm_tag_sets *sets, int rule, const uint16_t *codes);

/* A number of up to 128 bits, in halves so that arrays of it need no alignment of their own, divided by 10^scale. */
typedef struct crm_tag_number
{
	uint64_t	low;
	int64_t		high;
	uint8_t		scale;
	bool		present;		/* false: no number */
} crm_tag_number;

static inline __int128
crm_tag_number_value(const crm_tag_number *number)
{
	return (__int128) ((unsigned __int128) (uint64_t) number->high << 64 | number->low);
}

/* CRM_OUT_OF_RANGE when the numbers of one chunk have no common scale within 128 bits. */
extern crm_status crm_tag_sets_add_numbers(crm_tag_sets *sets, int rule, const crm_tag_number *numbers);

/*
 * Adds all of another, whose scope s is scope_map[s] here and whose code c of
 * rule r is code_maps[r][c] here (NULL: the same).
 */
extern crm_status crm_tag_sets_merge(crm_tag_sets *sets, const crm_tag_sets *other,
									 const uint32_t *scope_map, uint16_t *const *code_maps);
/*
 * The same for another whose ids from `own` on are passing ones: the customer is
 * who `rename` says.  Those of whom it says false are left out, and counted.
 * CRM_CORRUPT unless both have chunks of one width, or all ids are passing ones
 * (own is 0).
 */
extern crm_status crm_tag_sets_merge_renamed(crm_tag_sets *sets, const crm_tag_sets *other,
											 const uint32_t *scope_map, uint16_t *const *code_maps, uint64_t own,
											 bool (*rename) (void *arg, uint64_t passing, uint64_t *id), void *arg,
											 uint64_t *unknown);
/* After CRM_OUT_OF_RANGE from a merge: the numeric rule whose numbers have no common scale. */
extern int	crm_tag_sets_crowded(const crm_tag_sets *sets);

extern uint64_t crm_tag_sets_customers(const crm_tag_sets *sets);
extern size_t crm_tag_sets_memory(const crm_tag_sets *sets);

/* ---- sending -------------------------------------------------------------- */

/* The bytes are allocated from the environment. */
extern crm_status crm_tag_sets_write(const crm_tag_sets *sets, uint8_t **data, size_t *size);
/* Reads and checks; scopes and codes must be below the limits given. */
extern crm_status crm_tag_sets_read(crm_tag_sets *empty, const uint8_t *data, size_t size,
									uint32_t scopes, const uint32_t *codes);
/*
 * What reading and merging would do, with one chunk in memory at a time.  What
 * was empty knows how many customers there are, and no more who they are.  After
 * an error some chunks may be in.
 */
extern crm_status crm_tag_sets_merge_read(crm_tag_sets *sets, const uint32_t *scope_map, uint16_t *const *code_maps,
										  crm_tag_sets *empty, const uint8_t *data, size_t size,
										  uint32_t scopes, const uint32_t *codes);

/* ---- reading, once everything is in --------------------------------------- */

/* Sorts by scope and chunk; looks for customers that stand in two scopes. */
extern crm_status crm_tag_sets_finish(crm_tag_sets *sets, const uint32_t *scope_order);
extern bool crm_tag_sets_duplicate(const crm_tag_sets *sets, uint64_t *id);
extern int	crm_tag_sets_chunks(const crm_tag_sets *sets);
extern void crm_tag_sets_chunk(const crm_tag_sets *sets, int chunk, uint32_t *scope, uint64_t *key, uint32_t *customers);
/* Room that an encoding of this chunk may need. */
extern size_t crm_tag_sets_bound(const crm_tag_sets *sets, int chunk);
extern size_t crm_tag_sets_encode_base(const crm_tag_sets *sets, int chunk, uint8_t *out);
extern size_t crm_tag_sets_encode_rule(crm_tag_sets *sets, int chunk, int rule, uint8_t *out, uint32_t *members);
/*
 * A text rule's values within a chunk: codes present (ascending, into codes,
 * room for 65,535; -1 when memory is out), then each one's set.
 */
extern int	crm_tag_sets_codes_present(crm_tag_sets *sets, int chunk, int rule, uint16_t *codes);
extern size_t crm_tag_sets_encode_code(crm_tag_sets *sets, int chunk, int present, uint8_t *out, uint32_t *members);

/*
 * A numeric rule: first bring all numbers to one scale, the one wanted if all
 * fit and it is not too small, else the smallest possible.  CRM_OUT_OF_RANGE
 * when there is none.
 */
extern crm_status crm_tag_sets_same_scale(crm_tag_sets *sets, int rule, uint32_t wanted, uint32_t *scale);
/* Then each slice below the number of slices (tag_numbers.c says what they are); 0 bytes for an empty one. */
#define CRM_TAG_SLICES 129
#define CRM_TAG_SCALE 38		/* digits behind the point, at most */
extern int	crm_tag_sets_slices(const crm_tag_sets *sets, int chunk, int rule);
extern size_t crm_tag_sets_encode_slice(crm_tag_sets *sets, int chunk, int rule, int slice, uint8_t *out, uint32_t *members);

#endif							/* CRM_KERNEL_TAG_SETS_H */
