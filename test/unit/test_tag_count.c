/*
 * test_tag_count.c - the bit-sliced adder against counting one by one.
 */
#include "unit.h"

#include "kernel/tag_count.h"

static uint64_t seed = 7;

static uint64_t
random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

typedef struct sums
{
	int			n;
	uint32_t	of[CRM_CHUNK_IDS];
} sums;

static void
gather(void *arg, const uint32_t *values, int n)
{
	sums	   *s = arg;

	memcpy(s->of + s->n, values, n * sizeof(uint32_t));
	s->n += n;
}

static void
compare(int sets, int density)
{
	static crm_tag_count count;
	static uint32_t expected[CRM_CHUNK_IDS];
	static sums actual;
	uint64_t	base[CRM_CHUNK_WORDS];
	int			n = 0;

	crm_tag_count_reset(&count);
	memset(expected, 0, sizeof(expected));
	for (int s = 0; s < sets; s++)
	{
		uint64_t	words[CRM_CHUNK_WORDS];

		for (int w = 0; w < CRM_CHUNK_WORDS; w++)
		{
			words[w] = density < 0 ? 0 : UINT64_MAX;
			for (int d = 0; d < density; d++)
				words[w] &= random64();
			for (int i = 0; i < 64; i++)
				expected[w * 64 + i] += words[w] >> i & 1;
		}
		CHECK_EQUAL(crm_tag_count_add(&count, words), CRM_OK);
	}
	for (int w = 0; w < CRM_CHUNK_WORDS; w++)
		base[w] = w % 5 == 0 ? 0 : random64() | random64();

	actual.n = 0;
	crm_tag_count_read(&count, base, gather, &actual);
	for (int i = 0; i < CRM_CHUNK_IDS; i++)
		if (base[i / 64] >> (i % 64) & 1)
		{
			if (!CHECK(n < actual.n && actual.of[n] == expected[i]))
				return;
			n++;
		}
	CHECK_EQUAL(actual.n, n);
}

int
main(void)
{
	compare(0, 0);
	compare(5, -1);				/* empty sets */
	for (int density = 0; density <= 4; density++)
	{
		compare(1, density);
		compare(2, density);
		compare(63, density);
		compare(64, density);
		compare(1000, density);
	}
	return unit_done();
}
