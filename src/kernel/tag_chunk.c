/*
 * tag_chunk.c - encoding and decoding of stored chunks.
 */
#include "kernel/tag_chunk.h"

#define CHUNK_ARRAY 0x11
#define CHUNK_BITMAP 0x12
#define CHUNK_RUNS 0x13
#define CHUNK_WIDE CRM_CHUNK_WIDE

CRM_TARGET_CLONES size_t
crm_chunk_encode(const uint64_t *words, uint8_t *out)
{
	uint32_t	cardinality = 0;
	uint32_t	runs = 0;
	uint64_t	carry = 0;
	int			last = -1;
	size_t		bitmap_size;
	size_t		array_size;
	size_t		runs_size;
	uint8_t    *p = out + 1;

	for (int i = 0; i < CRM_CHUNK_WORDS; i++)
	{
		uint64_t	w = words[i];

		cardinality += crm_popcount64(w);
		runs += crm_popcount64(w & ~((w << 1) | carry));
		carry = w >> 63;
		if (w != 0)
			last = i;
	}
	if (last < 0)
		return 0;

	bitmap_size = (size_t) last * 8 + 8 - (size_t) (__builtin_clzll(words[last]) / 8);
	array_size = (size_t) cardinality * 2;
	runs_size = (size_t) runs * 4;

	if (array_size <= bitmap_size && array_size <= runs_size)
	{
		out[0] = CHUNK_ARRAY;
		for (int i = 0; i <= last; i++)
			for (uint64_t w = words[i]; w != 0; w &= w - 1)
			{
				crm_store16(p, (uint16_t) (i * 64 + crm_ctz64(w)));
				p += 2;
			}
	}
	else if (bitmap_size <= runs_size)
	{
		uint8_t		tail[8];

		out[0] = CHUNK_BITMAP;
		for (int i = 0; i < last; i++)
			crm_store64(p + i * 8, words[i]);
		crm_store64(tail, words[last]);
		memcpy(p + last * 8, tail, bitmap_size - (size_t) last * 8);
		p += bitmap_size;
	}
	else
	{
		int			start = -1;

		out[0] = CHUNK_RUNS;
		for (int i = 0; i <= CRM_CHUNK_IDS; i++)
		{
			bool		set;

			/* whole words inside or outside a run are passed at once */
			if ((i & 63) == 0 && i < CRM_CHUNK_IDS && words[i >> 6] == (start < 0 ? 0 : ~UINT64_C(0)))
			{
				i += 63;
				continue;
			}
			set = i < CRM_CHUNK_IDS && ((words[i >> 6] >> (i & 63)) & 1) != 0;
			if (set && start < 0)
				start = i;
			else if (!set && start >= 0)
			{
				crm_store16(p, (uint16_t) start);
				crm_store16(p + 2, (uint16_t) (i - start - 1));
				p += 4;
				start = -1;
			}
		}
	}
	return (size_t) (p - out);
}

size_t
crm_chunk_encode_wide(const uint64_t *offsets, size_t count, uint8_t *out)
{
	crm_wide_writer writer;

	crm_wide_begin(&writer, out);
	for (size_t i = 0; i < count; i++)
		crm_wide_put(&writer, offsets[i]);
	return crm_wide_size(&writer);
}

/* Sets the bits start ... start + length of the words. */
static void
set_run(uint64_t *words, uint32_t start, uint32_t length)
{
	uint32_t	end = start + length;
	uint32_t	first = start >> 6;
	uint32_t	last = end >> 6;
	uint64_t	head = ~UINT64_C(0) << (start & 63);
	uint64_t	tail = ~UINT64_C(0) >> (63 - (end & 63));

	if (first == last)
	{
		words[first] |= head & tail;
		return;
	}
	words[first] |= head;
	for (uint32_t i = first + 1; i < last; i++)
		words[i] = ~UINT64_C(0);
	words[last] |= tail;
}

crm_status
crm_chunk_decode(const uint8_t *data, size_t size, uint64_t *words)
{
	const uint8_t *p = data + 1;
	size_t		left;

	if (size < 2)
		return CRM_CORRUPT;
	left = size - 1;
	memset(words, 0, CRM_CHUNK_WORDS * sizeof(uint64_t));
	switch (data[0])
	{
		case CHUNK_ARRAY:
			{
				int			previous = -1;

				if (left % 2 != 0)
					return CRM_CORRUPT;
				for (; left > 0; left -= 2, p += 2)
				{
					int			offset = crm_load16(p);

					if (offset <= previous || offset >= CRM_CHUNK_IDS)
						return CRM_CORRUPT;
					words[offset >> 6] |= UINT64_C(1) << (offset & 63);
					previous = offset;
				}
				return CRM_OK;
			}
		case CHUNK_BITMAP:
			{
				uint8_t		tail[8] = {0};
				size_t		whole = left / 8;

				if (left > CRM_CHUNK_IDS / 8 || p[left - 1] == 0)
					return CRM_CORRUPT;
				for (size_t i = 0; i < whole; i++)
					words[i] = crm_load64(p + i * 8);
				if (left % 8 != 0)
				{
					memcpy(tail, p + whole * 8, left % 8);
					words[whole] = crm_load64(tail);
				}
				return CRM_OK;
			}
		case CHUNK_RUNS:
			{
				int			previous_end = -2;

				if (left % 4 != 0)
					return CRM_CORRUPT;
				for (; left > 0; left -= 4, p += 4)
				{
					int			start = crm_load16(p);
					int			length = crm_load16(p + 2);

					if (start <= previous_end + 1 || start + length >= CRM_CHUNK_IDS)
						return CRM_CORRUPT;
					set_run(words, (uint32_t) start, (uint32_t) length);
					previous_end = start + length;
				}
				return CRM_OK;
			}
		default:
			return CRM_CORRUPT;
	}
}

/* One number of a wide chunk, below 2^63 and in as few bytes as it needs; false for anything else. */
static inline bool
get_gap(const uint8_t **at, const uint8_t *end, uint64_t *gap)
{
	const uint8_t *p = *at;
	uint64_t	v = 0;

	for (int shift = 0; shift <= 56; shift += 7)
	{
		uint8_t		byte;

		if (p == end)
			return false;
		byte = *p++;
		v |= (uint64_t) (byte & 0x7f) << shift;
		if (byte < 0x80)
		{
			*at = p;
			*gap = v;
			return byte != 0 || shift == 0;
		}
	}
	return false;
}

crm_status
crm_chunk_decode_wide(const uint8_t *data, size_t size, int bits, uint64_t *out, size_t *count)
{
	const uint8_t *p = data + 1;
	const uint8_t *end = data + size;
	size_t		n = 0;
	uint64_t	next = 0;

	if (size < 2 || data[0] != CHUNK_WIDE)
		return CRM_CORRUPT;
	while (p < end)
	{
		uint64_t	v;

		if (!get_gap(&p, end, &v))
			return CRM_CORRUPT;
		/* v and next are below 2^63: the sum does not wrap */
		v += next;
		if (v >> bits != 0)
			return CRM_CORRUPT;
		out[n++] = v;
		next = v + 1;
	}
	*count = n;
	return CRM_OK;
}

crm_status
crm_chunk_contains(const uint8_t *data, size_t size, uint64_t offset, bool *found)
{
	const uint8_t *p = data + 1;
	size_t		left;

	*found = false;
	if (size < 2)
		return CRM_CORRUPT;
	left = size - 1;
	switch (data[0])
	{
		case CHUNK_ARRAY:
			{
				size_t		low = 0;
				size_t		high = left / 2;

				while (low < high)
				{
					size_t		middle = (low + high) / 2;

					if (crm_load16(p + middle * 2) < offset)
						low = middle + 1;
					else
						high = middle;
				}
				*found = low < left / 2 && crm_load16(p + low * 2) == offset;
				return CRM_OK;
			}
		case CHUNK_BITMAP:
			*found = offset / 8 < left && ((p[offset / 8] >> (offset % 8)) & 1) != 0;
			return CRM_OK;
		case CHUNK_RUNS:
			for (; left >= 4; left -= 4, p += 4)
			{
				uint32_t	start = crm_load16(p);

				if (start > offset)
					break;
				if (offset <= start + crm_load16(p + 2))
				{
					*found = true;
					break;
				}
			}
			return CRM_OK;
		case CHUNK_WIDE:
			{
				const uint8_t *end = data + size;
				uint64_t	next = 0;

				while (p < end)
				{
					uint64_t	v;

					if (!get_gap(&p, end, &v))
						return CRM_CORRUPT;
					v += next;
					if (v >= offset)
					{
						*found = v == offset;
						break;
					}
					next = v + 1;
				}
				return CRM_OK;
			}
		default:
			return CRM_CORRUPT;
	}
}
