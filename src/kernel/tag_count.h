/*
 * tag_count.h - how many sets each customer of a chunk is in, as a histogram.
 *
 * A dense chunk is counted with a bit-sliced adder: adding a set to 64 customers
 * takes about two word operations, whatever the set is.  Only reading the sums
 * out looks at customers one by one.
 */
#ifndef CRM_KERNEL_TAG_COUNT_H
#define CRM_KERNEL_TAG_COUNT_H

#include "kernel/tag_chunk.h"

/* Sums have this many bits: more sets than a population can have. */
#define CRM_TAG_COUNT_PLANES 24

typedef struct crm_tag_count
{
	int			used;			/* planes that are not all zero */
	uint64_t	planes[CRM_TAG_COUNT_PLANES][CRM_CHUNK_WORDS];
} crm_tag_count;

extern void crm_tag_count_reset(crm_tag_count *count);
/* Adds one to every customer of a set; CRM_LIMIT past 2^24 - 1. */
extern crm_status crm_tag_count_add(crm_tag_count *count, const uint64_t *words);
/*
 * Calls emit with the sum of each customer in base, 64 at a time: sums[i] of the
 * n customers that are in it.
 */
typedef void (*crm_tag_count_emit) (void *arg, const uint32_t *sums, int n);
extern void crm_tag_count_read(const crm_tag_count *count, const uint64_t *base, crm_tag_count_emit emit, void *arg);

#endif							/* CRM_KERNEL_TAG_COUNT_H */
