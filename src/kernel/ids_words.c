/*
 * ids_words.c - loops over the 1,024 words of a bitmap container.
 */
#include "kernel/ids_words.h"

CRM_TARGET_CLONES uint32_t
crm_words_and_count(const uint8_t *a, const uint8_t *b)
{
	uint32_t	count = 0;

	for (int i = 0; i < CRM_CONTAINER_WORDS; i++)
		count += crm_popcount64(crm_load64(a + 8 * i) & crm_load64(b + 8 * i));
	return count;
}

/* A run begins where a bit is set whose lower neighbour is not. */
CRM_TARGET_CLONES void
crm_words_stats(const uint64_t *words, uint32_t *cardinality, uint32_t *runs)
{
	uint32_t	bits = crm_popcount64(words[0]);
	uint32_t	starts = crm_popcount64(words[0] & ~(words[0] << 1));

	for (int i = 1; i < CRM_CONTAINER_WORDS; i++)
	{
		uint64_t	w = words[i];

		bits += crm_popcount64(w);
		starts += crm_popcount64(w & ~(w << 1 | words[i - 1] >> 63));
	}
	*cardinality = bits;
	*runs = starts;
}

void
crm_words_load(uint64_t *words, const uint8_t *bytes)
{
	memcpy(words, bytes, CRM_CONTAINER_BYTES);
	for (int i = 0; i < CRM_CONTAINER_WORDS; i++)
		words[i] = CRM_LE64(words[i]);
}

CRM_TARGET_CLONES void
crm_words_or_bytes(uint64_t *words, const uint8_t *bytes)
{
	for (int i = 0; i < CRM_CONTAINER_WORDS; i++)
		words[i] |= crm_load64(bytes + 8 * i);
}

CRM_TARGET_CLONES void
crm_words_combine(crm_ids_op op, uint64_t *a, const uint64_t *b)
{
	switch (op)
	{
		case CRM_OR:
			for (int i = 0; i < CRM_CONTAINER_WORDS; i++)
				a[i] |= b[i];
			break;
		case CRM_AND:
			for (int i = 0; i < CRM_CONTAINER_WORDS; i++)
				a[i] &= b[i];
			break;
		case CRM_ANDNOT:
			for (int i = 0; i < CRM_CONTAINER_WORDS; i++)
				a[i] &= ~b[i];
			break;
		case CRM_XOR:
			for (int i = 0; i < CRM_CONTAINER_WORDS; i++)
				a[i] ^= b[i];
			break;
	}
}

void
crm_words_fill(uint64_t *words, uint32_t first, uint32_t last)
{
	uint32_t	from = first >> 6;
	uint32_t	to = last >> 6;
	uint64_t	low = ~UINT64_C(0) << (first & 63);
	uint64_t	high = ~UINT64_C(0) >> (63 - (last & 63));

	if (from == to)
	{
		words[from] |= low & high;
		return;
	}
	words[from] |= low;
	for (uint32_t i = from + 1; i < to; i++)
		words[i] = ~UINT64_C(0);
	words[to] |= high;
}

CRM_TARGET_CLONES uint32_t
crm_words_count_between(const uint8_t *bytes, uint32_t first, uint32_t last)
{
	uint32_t	from = first >> 6;
	uint32_t	to = last >> 6;
	uint64_t	low = ~UINT64_C(0) << (first & 63);
	uint64_t	high = ~UINT64_C(0) >> (63 - (last & 63));
	uint32_t	count;

	if (from == to)
		return crm_popcount64(crm_load64(bytes + 8 * from) & low & high);
	count = crm_popcount64(crm_load64(bytes + 8 * from) & low);
	for (uint32_t i = from + 1; i < to; i++)
		count += crm_popcount64(crm_load64(bytes + 8 * i));
	return count + crm_popcount64(crm_load64(bytes + 8 * to) & high);
}
