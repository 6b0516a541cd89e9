/*
 * ids.h - sets of ids 0 ... 2^63-1 in RoaringFormatSpec's portable 64-bit form.
 *
 * The stored form is the working form: questions and set operations read the
 * bytes where they lie, and write new bytes in ascending order.  Nothing is
 * turned into a tree first.
 *
 *   uint64  number of buckets
 *   bucket: uint32 high half of the ids, then a 32-bit Roaring bitmap
 *
 * All numbers are little-endian and unaligned.  Our own sets are canonical:
 * each container takes the smallest form, a run container only where
 * 2 + 4 * runs is less than 2 + 2 * cardinality (up to 4,096 ids) or 8,192
 * bytes (above), the rule of CRoaring's run_optimize.  Equal sets are therefore
 * equal bytes.
 *
 * Source: Chambi, Lemire, Kaser, Godin, "Better bitmap performance with
 * Roaring bitmaps" (2016); Lemire, Ssi-Yan-Kai, Kaser, "Consistently faster
 * and smaller compressed bitmaps with Roaring" (2016); RoaringFormatSpec.
 */
#ifndef CRM_KERNEL_IDS_H
#define CRM_KERNEL_IDS_H

#include "kernel/kernel.h"

#define CRM_ID_MAX INT64_MAX
#define CRM_CONTAINER_BITS 65536
#define CRM_CONTAINER_WORDS 1024
#define CRM_CONTAINER_BYTES 8192
#define CRM_ARRAY_MAX 4096

/* ---- reading ------------------------------------------------------- */

/* A validated set where it lies. */
typedef struct crm_ids
{
	const uint8_t *data;
	size_t		size;
} crm_ids;

typedef enum crm_container_kind
{
	CRM_ARRAY, CRM_BITMAP, CRM_RUN
} crm_container_kind;

/* One container; its ids are (key << 16) + offset. */
typedef struct crm_container
{
	uint64_t	key;
	crm_container_kind kind;
	uint32_t	cardinality;	/* 1 ... 65,536 */
	uint32_t	runs;			/* CRM_RUN only */
	const uint8_t *data;		/* u16 offsets; 1,024 u64 words; u16 pairs (start, length - 1) */
} crm_container;

/* The 32-bit bitmap of one bucket, its parts found. */
typedef struct crm_ids_bucket
{
	uint32_t	key;			/* high half of the ids */
	uint32_t	containers;
	const uint8_t *base;		/* where the 32-bit bitmap begins; offsets count from here */
	const uint8_t *run_flags;	/* NULL: no run container */
	const uint8_t *descriptors;
	const uint8_t *offsets;		/* NULL: fewer than four containers, no table */
	const uint8_t *payload;
} crm_ids_bucket;

/* Walks the containers in ascending order of key. */
typedef struct crm_ids_cursor
{
	crm_ids_bucket bucket;
	uint64_t	buckets_left;	/* behind the current one */
	const uint8_t *after;		/* end of the current container */
	uint32_t	position;		/* of the current container in its bucket */
	crm_container current;
	bool		valid;			/* false: past the last container */
} crm_ids_cursor;

/*
 * Checks every byte of a set from outside: counts, order, bounds, offsets,
 * overlapping or adjacent runs, no empty container, ids below 2^63, no bytes
 * left over.  Also tells its cardinality and whether it is canonical.
 */
extern crm_status crm_ids_validate(const uint8_t *data, size_t size, uint64_t *cardinality, bool *canonical);
/* The same for bytes that may be many, with progress reported. */
extern crm_status crm_ids_validate_long(const crm_env *env, const uint8_t *data, size_t size,
										uint64_t *cardinality, bool *canonical);

extern void crm_ids_first(crm_ids_cursor *cursor, crm_ids set);
extern void crm_ids_next(crm_ids_cursor *cursor);
/* The first container whose key is not below key, by the offset table. */
extern void crm_ids_seek(crm_ids_cursor *cursor, crm_ids set, uint64_t key);
/* The same, forward from where the cursor stands. */
extern void crm_ids_advance(crm_ids_cursor *cursor, uint64_t key);
extern uint64_t crm_ids_count(crm_ids set);

extern bool crm_ids_contains(crm_ids set, uint64_t id);
extern bool crm_container_contains(const crm_container *container, uint16_t offset);
/* Writes the container as 1,024 words (host order). */
extern void crm_container_words(const crm_container *container, uint64_t *words);
/* Adds its ids to the words. */
extern void crm_container_or_into(const crm_container *container, uint64_t *words);

/* Smallest and largest id; false for the empty set. */
extern bool crm_ids_min(crm_ids set, uint64_t *id);
extern bool crm_ids_max(crm_ids set, uint64_t *id);

/* Walks the longest runs of consecutive ids, across containers and buckets. */
typedef struct crm_ids_runs
{
	crm_ids_cursor cursor;
	uint32_t	at;				/* in the current container: element, bit or run */
	bool		pending;
	uint64_t	first;
	uint64_t	last;
} crm_ids_runs;

extern void crm_ids_runs_first(crm_ids_runs *runs, crm_ids set);
extern bool crm_ids_runs_next(crm_ids_runs *runs, uint64_t *first, uint64_t *last);

/*
 * Many questions to one set that stays where it is: the last container is
 * kept, and sets of many buckets get a directory, because a bucket can
 * otherwise be found only by walking over those before it.
 */
typedef struct crm_ids_lookup
{
	crm_ids		set;
	uint64_t	key;			/* of the last question; UINT64_MAX: none yet */
	bool		present;		/* the set has a container with that key */
	crm_container current;
	size_t		buckets;		/* entries of the directory, 0: none */
	uint64_t   *directory;		/* two each: bucket key, distance from the set's first byte */
} crm_ids_lookup;

extern crm_status crm_ids_lookup_init(const crm_env *env, crm_ids_lookup *lookup, crm_ids set);
extern void crm_ids_lookup_find(crm_ids_lookup *lookup, uint64_t key);

static inline bool
crm_ids_lookup_contains(crm_ids_lookup *lookup, uint64_t id)
{
	if (lookup->key != id >> 16)
		crm_ids_lookup_find(lookup, id >> 16);
	if (!lookup->present)
		return false;
	if (lookup->current.kind == CRM_BITMAP)
		return (lookup->current.data[(id & 0xffff) >> 3] >> (id & 7)) & 1;
	return crm_container_contains(&lookup->current, (uint16_t) id);
}

/* ---- building in ascending order ------------------------------------ */

typedef struct crm_ids_builder crm_ids_builder;

/* A finished set is at most this long: what a PostgreSQL value can hold, less room for its header. */
#define CRM_IDS_MAX_BYTES ((size_t) 0x3fffff00)

/* Consecutive ids, both ends included. */
typedef struct crm_interval
{
	uint64_t	first;
	uint64_t	last;
} crm_interval;

extern crm_status crm_ids_builder_new(const crm_env *env, crm_ids_builder **builder);
/* Keys must ascend.  The words (host order) are copied in the smallest form; an empty container is left out. */
extern crm_status crm_ids_builder_words(crm_ids_builder *builder, uint64_t key, const uint64_t *words);
/* count ascending, different offsets. */
extern crm_status crm_ids_builder_array(crm_ids_builder *builder, uint64_t key, const uint16_t *offsets, uint32_t count);
/* runs of (start, length - 1), ascending, neither touching nor overlapping. */
extern crm_status crm_ids_builder_runs(crm_ids_builder *builder, uint64_t key, const uint16_t *runs, uint32_t count);
/* A canonical container of another set, copied as it is. */
extern crm_status crm_ids_builder_copy(crm_ids_builder *builder, const crm_container *container);
/* Ascending ids, repetitions allowed, all above what the builder holds, up to whole containers. */
extern crm_status crm_ids_builder_ids(crm_ids_builder *builder, const uint64_t *ids, size_t count);
/* Ascending intervals that neither touch nor overlap; CRM_LIMIT at once where the result could not fit. */
extern crm_status crm_ids_builder_intervals(crm_ids_builder *builder, const crm_interval *intervals, size_t count);
/* A validated set, canonical or not, re-encoded. */
extern crm_status crm_ids_builder_set(crm_ids_builder *builder, crm_ids set);
extern uint64_t crm_ids_builder_cardinality(const crm_ids_builder *builder);
/* Bytes of the finished set, and the finished set written to a place of that size. */
extern size_t crm_ids_builder_size(crm_ids_builder *builder);
extern void crm_ids_builder_write(crm_ids_builder *builder, uint8_t *out);
extern void crm_ids_builder_free(crm_ids_builder *builder);

/* ---- set operations ------------------------------------------------- */

typedef enum crm_ids_op
{
	CRM_OR, CRM_AND, CRM_ANDNOT, CRM_XOR
} crm_ids_op;

extern crm_status crm_ids_combine(const crm_env *env, crm_ids_op op, crm_ids a, crm_ids b, crm_ids_builder *out);
/* Cardinality of the result without building it. */
extern uint64_t crm_ids_and_count(const crm_env *env, crm_ids a, crm_ids b);
extern bool crm_ids_intersects(crm_ids a, crm_ids b);

/*
 * A set whose payload is read as it is needed: its first bytes, up to the
 * payload of its only bucket, and a function for the rest.
 */
typedef struct crm_ids_pages
{
	crm_ids		head;
	size_t		size;			/* of the whole set */
	/* The bytes from ... from + length - 1, good until the next call; never more than a container at once. */
	const uint8_t *(*read) (void *arg, size_t from, size_t length);
	void	   *arg;
} crm_ids_pages;

/* Can the set be read so: one bucket, with offsets, whose head lies in the given bytes? */
extern bool crm_ids_can_page(crm_ids head);
/* crm_ids_and_count, reading the containers of a that b has as well and no others; b may be paged, too, or NULL and flat. */
extern uint64_t crm_ids_and_count_paged(const crm_env *env, const crm_ids_pages *a, const crm_ids_pages *b, crm_ids flat);
extern bool crm_ids_is_subset(crm_ids a, crm_ids b);

/* The ids of places skip ... skip + take - 1 in ascending order. */
extern crm_status crm_ids_slice(const crm_env *env, crm_ids set, uint64_t skip, uint64_t take, crm_ids_builder *out);
/*
 * The count ids with the smallest hash under this seed: the same ids whatever
 * else is in the set, so that samples of one seed nest.
 */
extern crm_status crm_ids_sample(const crm_env *env, crm_ids set, uint64_t count, uint64_t seed, crm_ids_builder *out);

/* Sorts in place by radix, scratch of the same length; linear, no memory of its own. */
extern void crm_sort_ids(const crm_env *env, uint64_t *ids, uint64_t *scratch, size_t count);

/* ---- building in any order ------------------------------------------ */

typedef struct crm_ids_collector crm_ids_collector;

extern crm_status crm_ids_collector_new(const crm_env *env, crm_ids_collector **collector);
extern crm_status crm_ids_collector_add(crm_ids_collector *collector, uint64_t id);
extern crm_status crm_ids_collector_add_many(crm_ids_collector *collector, const uint64_t *ids, size_t count);
extern crm_status crm_ids_collector_merge(crm_ids_collector *collector, crm_ids set);
extern size_t crm_ids_collector_memory(const crm_ids_collector *collector);
/* Everything collected so far, in ascending order; the collector stays usable. */
extern crm_status crm_ids_collector_build(crm_ids_collector *collector, crm_ids_builder *out);
extern void crm_ids_collector_free(crm_ids_collector *collector);

#endif							/* CRM_KERNEL_IDS_H */
