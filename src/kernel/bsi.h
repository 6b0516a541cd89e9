/*
 * bsi.h - one exact number per id, bit-sliced.
 *
 * Numbers are integers of up to 128 bits in two's complement, each standing
 * for itself divided by 10^scale.  Slice i is the set of the ids whose number
 * has bit i set; the last slice is the sign, whose bit counts negatively.  The
 * set of all ids that have a number stands beside them, so that zero is
 * something else than no number.  Slices are sets as in ids.h: a question is
 * answered by counting and combining a few dozen sets, never number by number.
 *
 * A value is canonical: its sets are, and no slice is there that only repeats
 * the sign.  Equal numbers at equal scales are therefore equal bytes.
 *
 * Sources: O'Neil, Quass, "Improved query performance with variant indexes"
 * (SIGMOD 1997): sums and ranges; Rinfret, O'Neil, O'Neil, "Bit-sliced index
 * arithmetic" (SIGMOD 2001): addition and the greatest k.
 */
#ifndef CRM_KERNEL_BSI_H
#define CRM_KERNEL_BSI_H

#include "kernel/ids.h"

#define CRM_BSI_SLICES 128		/* at most, with the sign's */
#define CRM_BSI_SCALE 38		/* digits behind the point, at most */

typedef __int128 crm_int128;
typedef unsigned __int128 crm_uint128;

/* Where the parts of a value lie. */
typedef struct crm_bsi
{
	uint32_t	slices;			/* 1 ... CRM_BSI_SLICES */
	uint32_t	scale;
	crm_ids		present;
	crm_ids		slice[CRM_BSI_SLICES];
} crm_bsi;

/* A value that was made, in the environment's memory: the sizes of its sets, those present first, and their bytes. */
typedef struct crm_bsi_image
{
	uint32_t	slices;
	uint32_t	scale;
	uint64_t	cardinality;
	uint32_t	sizes[CRM_BSI_SLICES + 1];
	uint8_t    *data;
	size_t		size;
} crm_bsi_image;

extern void crm_bsi_image_view(const crm_bsi_image *image, crm_bsi *bsi);
extern void crm_bsi_image_free(const crm_env *env, crm_bsi_image *image);

/* ---- the stored form ------------------------------------------------------- */

/* Bytes: the sizes, 4 each, little-endian, then the sets. */
#define CRM_BSI_TABLE(slices) (4 * ((size_t) (slices) + 1))

extern size_t crm_bsi_image_size(const crm_bsi_image *image);
extern void crm_bsi_image_write(const crm_bsi_image *image, uint8_t *out);

/* Finds the parts of stored bytes; their sizes are checked against the whole, their insides are not. */
extern crm_status crm_bsi_open(const uint8_t *data, size_t size, uint32_t slices, uint32_t scale, crm_bsi *bsi);
/* Checks every byte of an opened value and that it is canonical; tells how many ids have a number. */
extern crm_status crm_bsi_validate(const crm_env *env, const crm_bsi *bsi, uint64_t *cardinality);

/* ---- questions -------------------------------------------------------------- */

/* The sum of 2^63 numbers of 128 bits: two's complement, lowest limb first. */
#define CRM_BSI_SUM_LIMBS 4
typedef struct crm_bsi_total
{
	uint64_t	limb[CRM_BSI_SUM_LIMBS];
	uint64_t	count;			/* ids summed over */
} crm_bsi_total;

/* In all that follows, among restricts the question to a set; NULL: all ids that have a number. */
extern void crm_bsi_sum_up(const crm_env *env, const crm_bsi *bsi, const crm_ids *among, crm_bsi_total *total);
extern uint64_t crm_bsi_tally(const crm_env *env, const crm_bsi *bsi, const crm_ids *among);
/* The number of one id; false: it has none. */
extern bool crm_bsi_lookup(const crm_bsi *bsi, uint64_t id, crm_int128 *value);
/* The number at a place, from 0, in ascending order; CRM_OUT_OF_RANGE behind the last. */
extern crm_status crm_bsi_select(const crm_env *env, const crm_bsi *bsi, const crm_ids *among, uint64_t place, crm_int128 *value);
/* The k ids with the greatest numbers; of equal numbers the lowest ids. */
extern crm_status crm_bsi_greatest(const crm_env *env, const crm_bsi *bsi, const crm_ids *among, uint64_t k, crm_ids_builder *out);
/* The ids whose number lies between two bounds, both included; NULL: no bound. */
extern crm_status crm_bsi_between(const crm_env *env, const crm_bsi *bsi, const crm_ids *among,
								const crm_int128 *low, const crm_int128 *high, crm_ids_builder *out);
/* The same numbers for the same ids? */
extern crm_status crm_bsi_equal(const crm_env *env, const crm_bsi *a, const crm_bsi *b, bool *equal);

/* ---- making ------------------------------------------------------------------- */

/* An id and its number, in two halves so that a pair takes 24 bytes. */
typedef struct crm_bsi_pair
{
	uint64_t	id;
	uint64_t	low;
	int64_t		high;
} crm_bsi_pair;

static inline crm_int128
crm_bsi_pair_value(const crm_bsi_pair *pair)
{
	return (crm_int128) ((crm_uint128) (uint64_t) pair->high << 64 | pair->low);
}

static inline void
crm_bsi_pair_set(crm_bsi_pair *pair, uint64_t id, crm_int128 value)
{
	pair->id = id;
	pair->low = (uint64_t) value;
	pair->high = (int64_t) (value >> 64);
}

/* Sorts pairs by id, those of one id in the order they came; scratch is of the same length. */
extern void crm_bsi_pairs_sort(const crm_env *env, crm_bsi_pair *pairs, crm_bsi_pair *scratch, size_t count);
/* The same, and adds up those of one id. */
extern crm_status crm_bsi_pairs_settle(const crm_env *env, crm_bsi_pair *pairs, crm_bsi_pair *scratch, size_t *count);
/* Multiplies numbers by 10^digits; CRM_OUT_OF_RANGE, and nothing changed, where one would not fit. */
extern crm_status crm_bsi_pairs_rescale(crm_bsi_pair *pairs, size_t count, uint32_t digits);
/* Pairs with ascending ids, each once. */
extern crm_status crm_bsi_build(const crm_env *env, const crm_bsi_pair *pairs, size_t count, uint32_t scale, crm_bsi_image *image);
/* The sum for each id that is in either; the greater scale. */
extern crm_status crm_bsi_plus(const crm_env *env, const crm_bsi *a, const crm_bsi *b, crm_bsi_image *image);
/* The same numbers at a scale that is not smaller. */
extern crm_status crm_bsi_rescale(const crm_env *env, const crm_bsi *bsi, uint32_t scale, crm_bsi_image *image);

/* Gathers numbers in any order; those of one id add up. */
typedef struct crm_bsi_collector crm_bsi_collector;

extern crm_status crm_bsi_collector_new(const crm_env *env, crm_bsi_collector **collector);
extern crm_status crm_bsi_collector_add(crm_bsi_collector *collector, uint64_t id, crm_int128 value, uint32_t scale);
/* The same number for each id of a set; quick where sets are large and many. */
extern crm_status crm_bsi_collector_add_set(crm_bsi_collector *collector, crm_ids set, crm_int128 value, uint32_t scale);
extern crm_status crm_bsi_collector_merge(crm_bsi_collector *collector, const crm_bsi *bsi);
/* Everything gathered so far; the image belongs to the collector, which stays usable. */
extern crm_status crm_bsi_collector_build(crm_bsi_collector *collector, const crm_bsi_image **image);

/* ---- reading number by number, for output -------------------------------------- */

typedef struct crm_bsi_reader crm_bsi_reader;

extern crm_status crm_bsi_reader_new(const crm_env *env, const crm_bsi *bsi, crm_bsi_reader **reader);
/* Ascending ids; false: no more. */
extern bool crm_bsi_reader_next(crm_bsi_reader *reader, uint64_t *id, crm_int128 *value);
extern void crm_bsi_reader_free(crm_bsi_reader *reader);

/* ---- decimals -------------------------------------------------------------------- */

/* Room for the longest number with sign, point and the byte that ends it. */
#define CRM_BSI_TEXT 96

/* Multiplies by 10^digits; false: it would not fit. */
extern bool crm_bsi_scale_up(crm_int128 *value, uint32_t digits);
/* Writes a number with scale digits behind the point; returns its length. */
extern size_t crm_bsi_print(crm_int128 value, uint32_t scale, char *out);
extern size_t crm_bsi_print_total(const crm_bsi_total *total, uint32_t scale, char *out);

#endif							/* CRM_KERNEL_BSI_H */
