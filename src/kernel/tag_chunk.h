/*
 * tag_chunk.h - the stored form of one set within one chunk of ids.
 *
 * A chunk holds the ids that share id >> bits; the offsets below are the low
 * bits.  Dense populations have bits = 13, and a chunk is at most about 1 kB;
 * populations with sparse ids (snowflake ids, say) have wider chunks, so that a
 * chunk still holds about 8,192 customers.
 *
 * First byte: version 1 in the high half, kind in the low half.
 *   1 array    u16 offsets, ascending
 *   2 bitmap   bit i of the little-endian bits; trailing zero bytes are cut
 *   3 runs     u16 pairs (start, length - 1), ascending, not touching
 *   4 wide     LEB128 of the first offset, then of each gap minus one
 * The smallest of 1 to 3 is taken, in that order when equal; equal sets are
 * therefore equal bytes.  An empty set is not stored.
 */
#ifndef CRM_KERNEL_TAG_CHUNK_H
#define CRM_KERNEL_TAG_CHUNK_H

#include "kernel/kernel.h"

#define CRM_CHUNK_BITS 13
#define CRM_CHUNK_IDS (1 << CRM_CHUNK_BITS)
#define CRM_CHUNK_WORDS (CRM_CHUNK_IDS / 64)
/* Longest encoding of a dense chunk, and of n offsets of a wide one. */
#define CRM_CHUNK_MAX (1 + CRM_CHUNK_IDS / 8)
#define CRM_CHUNK_WIDE_MAX(n) (1 + (size_t) (n) * 10)

#define CRM_CHUNK_WIDE 0x14

/* Writes a wide chunk, offset by offset in ascending order. */
typedef struct crm_wide_writer
{
	uint8_t    *start;
	uint8_t    *end;
	uint64_t	next;			/* the least offset that may follow */
} crm_wide_writer;

static inline void
crm_wide_begin(crm_wide_writer *writer, uint8_t *out)
{
	writer->start = out;
	writer->end = out + 1;
	writer->next = 0;
	out[0] = CRM_CHUNK_WIDE;
}

static inline void
crm_wide_put(crm_wide_writer *writer, uint64_t offset)
{
	uint64_t	gap = offset - writer->next;

	while (gap >= 0x80)
	{
		*writer->end++ = (uint8_t) (gap | 0x80);
		gap >>= 7;
	}
	*writer->end++ = (uint8_t) gap;
	writer->next = offset + 1;
}

/* Bytes written; 0 for an empty set. */
static inline size_t
crm_wide_size(const crm_wide_writer *writer)
{
	size_t		size = (size_t) (writer->end - writer->start);

	return size == 1 ? 0 : size;
}

/* Both return the bytes written; 0 for an empty set. */
extern size_t crm_chunk_encode(const uint64_t *words, uint8_t *out);
extern size_t crm_chunk_encode_wide(const uint64_t *offsets, size_t count, uint8_t *out);

/* A dense chunk as CRM_CHUNK_WORDS words; CRM_CORRUPT for a wide or damaged one. */
extern crm_status crm_chunk_decode(const uint8_t *data, size_t size, uint64_t *words);
/* A wide chunk as ascending offsets below 2^bits; out has room for size offsets. */
extern crm_status crm_chunk_decode_wide(const uint8_t *data, size_t size, int bits,
										uint64_t *out, size_t *count);
extern crm_status crm_chunk_contains(const uint8_t *data, size_t size, uint64_t offset, bool *found);

#endif							/* CRM_KERNEL_TAG_CHUNK_H */
