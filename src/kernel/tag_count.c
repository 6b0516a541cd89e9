/*
 * tag_count.c - the bit-sliced adder of tag_count.h.
 */
#include "kernel/tag_count.h"

void
crm_tag_count_reset(crm_tag_count *count)
{
	memset(count->planes, 0, sizeof(count->planes[0]) * count->used);
	count->used = 0;
}

/* plane += carry, carry becomes what overflows; tells whether anything does. */
static bool
add_plane(uint64_t *plane, uint64_t *carry)
{
	uint64_t	any = 0;

	for (int w = 0; w < CRM_CHUNK_WORDS; w++)
	{
		uint64_t	overflow = plane[w] & carry[w];

		plane[w] ^= carry[w];
		carry[w] = overflow;
		any |= overflow;
	}
	return any != 0;
}

crm_status
crm_tag_count_add(crm_tag_count *count, const uint64_t *words)
{
	uint64_t	carry[CRM_CHUNK_WORDS];

	memcpy(carry, words, sizeof(carry));
	for (int p = 0; p < count->used; p++)
		if (!add_plane(count->planes[p], carry))
			return CRM_OK;
	if (count->used == CRM_TAG_COUNT_PLANES)
		return CRM_LIMIT;
	memcpy(count->planes[count->used++], carry, sizeof(carry));
	return CRM_OK;
}

void
crm_tag_count_read(const crm_tag_count *count, const uint64_t *base, crm_tag_count_emit emit, void *arg)
{
	for (int w = 0; w < CRM_CHUNK_WORDS; w++)
	{
		uint64_t	left = base[w];
		uint32_t	sums[64];
		uint32_t	wanted[64];
		int			n = 0;

		if (left == 0)
			continue;
		memset(sums, 0, sizeof(sums));
		for (int p = 0; p < count->used; p++)
		{
			uint64_t	plane = count->planes[p][w];

			if (plane == 0)
				continue;
			for (int i = 0; i < 64; i++)
				sums[i] |= (uint32_t) (plane >> i & 1) << p;
		}
		for (; left != 0; left &= left - 1)
			wanted[n++] = sums[crm_ctz64(left)];
		emit(arg, wanted, n);
	}
}
