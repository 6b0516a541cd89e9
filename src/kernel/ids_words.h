/*
 * ids_words.h - loops over the 1,024 words of a bitmap container.
 *
 * Private to the ids_*.c files.  Operands are bytes at any address, little-endian
 * as stored; results are words in host order.
 */
#ifndef CRM_KERNEL_IDS_WORDS_H
#define CRM_KERNEL_IDS_WORDS_H

#include "kernel/ids.h"

/* RoaringFormatSpec's numbers. */
#define CRM_COOKIE_RUNS 12347
#define CRM_COOKIE_PLAIN 12346
#define CRM_OFFSETS_FROM 4		/* containers from which a bitmap with runs has an offset table */

extern uint32_t crm_words_and_count(const uint8_t *a, const uint8_t *b);
extern void crm_words_stats(const uint64_t *words, uint32_t *cardinality, uint32_t *runs);
extern void crm_words_load(uint64_t *words, const uint8_t *bytes);
extern void crm_words_or_bytes(uint64_t *words, const uint8_t *bytes);
/* a takes the result. */
extern void crm_words_combine(crm_ids_op op, uint64_t *a, const uint64_t *b);
/* Bits first ... last set, and how many of them are set in the bytes. */
extern void crm_words_fill(uint64_t *words, uint32_t first, uint32_t last);
extern uint32_t crm_words_count_between(const uint8_t *bytes, uint32_t first, uint32_t last);

/* The bucket that begins at p, and the byte behind a bucket. */
extern void crm_ids_open_bucket(const uint8_t *p, crm_ids_bucket *bucket);
extern const uint8_t *crm_ids_bucket_end(const crm_ids_bucket *bucket);

/* The first container at or behind from whose 16-bit key is not below key; their number where there is none. */
extern uint32_t crm_ids_find_container(const crm_ids_bucket *bucket, uint32_t from, uint32_t key);
/* Describes container i whose payload begins at p; returns the byte behind it. */
extern const uint8_t *crm_ids_read_container(const crm_ids_bucket *bucket, uint32_t i, const uint8_t *p, crm_container *container);
extern uint32_t crm_container_and_count(const crm_container *a, const crm_container *b);

/* Bytes of a container's payload as stored. */
static inline size_t
crm_container_payload(crm_container_kind kind, uint32_t cardinality, uint32_t runs)
{
	switch (kind)
	{
		case CRM_ARRAY:
			return (size_t) cardinality * 2;
		case CRM_BITMAP:
			return CRM_CONTAINER_BYTES;
		case CRM_RUN:
			break;
	}
	return 2 + (size_t) runs * 4;
}

/* The one rule of the canonical form, CRoaring's run_optimize: ties go to the form without runs. */
static inline crm_container_kind
crm_container_smallest(uint32_t cardinality, uint32_t runs)
{
	size_t		plain = cardinality <= CRM_ARRAY_MAX ? 2 + (size_t) cardinality * 2 : CRM_CONTAINER_BYTES;

	if (2 + (size_t) runs * 4 < plain)
		return CRM_RUN;
	return cardinality <= CRM_ARRAY_MAX ? CRM_ARRAY : CRM_BITMAP;
}

#endif							/* CRM_KERNEL_IDS_WORDS_H */
