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

/* Walks the containers in ascending order of key. */
typedef struct crm_ids_cursor
{
	const uint8_t *next_bucket;
	uint64_t	buckets_left;
	/* of the current bucket */
	const uint8_t *descriptors;
	const uint8_t *run_flags;
	const uint8_t *payload;
	uint32_t	bucket_key;
	uint32_t	containers;
	uint32_t	position;
	crm_container current;
	bool		valid;
} crm_ids_cursor;

/*
 * Checks every byte of a set from outside: counts, order, bounds, offsets,
 * overlapping or adjacent runs, no empty container, ids below 2^63, no bytes
 * left over.  Also tells its cardinality and whether it is canonical.
 */
extern crm_status crm_ids_validate(const uint8_t *data, size_t size, uint64_t *cardinality, bool *canonical);

extern void crm_ids_first(crm_ids_cursor *cursor, crm_ids set);
extern void crm_ids_next(crm_ids_cursor *cursor);
/* The first container whose key is not below key, by the offset table. */
extern void crm_ids_seek(crm_ids_cursor *cursor, crm_ids set, uint64_t key);

extern bool crm_ids_contains(crm_ids set, uint64_t id);
extern bool crm_container_contains(const crm_container *container, uint16_t offset);
/* Writes the container as 1,024 words (host order). */
extern void crm_container_words(const crm_container *container, uint64_t *words);

/* ---- building in ascending order ------------------------------------ */

typedef struct crm_ids_builder crm_ids_builder;

extern crm_status crm_ids_builder_new(const crm_env *env, crm_ids_builder **builder);
/* Keys must ascend.  The words (host order) are copied in the smallest form; an empty container is left out. */
extern crm_status crm_ids_builder_words(crm_ids_builder *builder, uint64_t key, const uint64_t *words);
/* count ascending, different offsets. */
extern crm_status crm_ids_builder_array(crm_ids_builder *builder, uint64_t key, const uint16_t *offsets, uint32_t count);
/* runs of (start, length - 1), ascending, neither touching nor overlapping. */
extern crm_status crm_ids_builder_runs(crm_ids_builder *builder, uint64_t key, const uint16_t *runs, uint32_t count);
/* A canonical container of another set, copied as it is. */
extern crm_status crm_ids_builder_copy(crm_ids_builder *builder, const crm_container *container);
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
extern bool crm_ids_is_subset(crm_ids a, crm_ids b);

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
