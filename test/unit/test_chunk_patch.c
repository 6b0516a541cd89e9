/*
 * test_chunk_patch.c - patched sets against arrays of truth, dense and wide; sets
 * that are damaged or hold others than those evaluated are refused.
 */
#include "unit.h"

#include <string.h>

#include "kernel/chunk_patch.h"

#define WIDE_BITS 20
#define SPAN 40000

static uint64_t random_state = 20261128;

static uint32_t
next_random(uint32_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t) ((random_state >> 33) % below);
}

/* Encodes the truths below limit. */
static size_t
encode(int bits, const bool *set, uint32_t limit, uint8_t *out)
{
	static uint64_t offsets[SPAN];
	size_t		count = 0;

	if (bits == CRM_CHUNK_BITS)
	{
		uint64_t	words[CRM_CHUNK_WORDS] = {0};

		for (uint32_t i = 0; i < limit; i++)
			if (set[i])
				words[i / 64] |= UINT64_C(1) << (i % 64);
		return crm_chunk_encode(words, out);
	}
	for (uint32_t i = 0; i < limit; i++)
		if (set[i])
			offsets[count++] = i;
	return crm_chunk_encode_wide(offsets, count, out);
}

static uint32_t
count_true(const bool *set, uint32_t limit)
{
	uint32_t	count = 0;

	for (uint32_t i = 0; i < limit; i++)
		count += set[i];
	return count;
}

static void
check(int bits, uint32_t limit, uint32_t density, uint32_t evaluated_one_in)
{
	static bool old[SPAN];
	static bool now[SPAN];
	static bool expected[SPAN];
	static uint64_t evaluated[SPAN];
	static uint8_t old_data[CRM_CHUNK_WIDE_MAX(SPAN)];
	static uint8_t new_data[CRM_CHUNK_WIDE_MAX(SPAN)];
	static uint8_t expected_data[CRM_CHUNK_WIDE_MAX(SPAN)];
	static uint8_t out[CRM_CHUNK_WIDE_MAX(2 * SPAN) * 2];
	size_t		count = 0;
	size_t		old_size;
	size_t		new_size;
	size_t		expected_size;
	crm_chunk_patched patched;
	crm_env		env = unit_env();

	for (uint32_t i = 0; i < limit; i++)
	{
		bool		looked_at = next_random(evaluated_one_in) == 0;

		old[i] = next_random(100) < density;
		now[i] = looked_at && next_random(2) == 0;
		expected[i] = looked_at ? now[i] : old[i];
		if (looked_at)
			evaluated[count++] = i;
	}
	old_size = encode(bits, old, limit, old_data);
	new_size = encode(bits, now, limit, new_data);
	expected_size = encode(bits, expected, limit, expected_data);
	CHECK(crm_chunk_patch_bound(bits, old_size, new_size) <= sizeof(out));
	CHECK(crm_chunk_patch(&env, bits, old_data, old_size, evaluated, count, new_data, new_size, out, &patched) == CRM_OK &&
	   patched.size == expected_size && memcmp(out, expected_data, expected_size) == 0 &&
	   patched.before == count_true(old, limit) && patched.after == count_true(expected, limit));
	/* somebody new who was not looked at */
	if (count > 0 && new_size > 0)
	{
		for (uint32_t i = 0; i < limit; i++)
			if (now[i])
			{
				size_t		n = 0;

				for (size_t k = 0; k < count; k++)
					if (evaluated[k] != i)
						evaluated[n++] = evaluated[k];
				CHECK(crm_chunk_patch(&env, bits, old_data, old_size, evaluated, n, new_data, new_size, out, &patched) == CRM_CORRUPT);
				break;
			}
	}
	/* damaged */
	if (old_size > 1)
	{
		old_data[0] = 0x7F;
		CHECK(crm_chunk_patch(&env, bits, old_data, old_size, evaluated, count, NULL, 0, out, &patched) == CRM_CORRUPT);
	}
}

int
main(void)
{
	static const uint32_t densities[] = {0, 1, 30, 99, 100};
	static const uint32_t one_in[] = {1, 2, 50, 4000};

	for (int round = 0; round < 3; round++)
		for (size_t d = 0; d < sizeof(densities) / sizeof(densities[0]); d++)
			for (size_t o = 0; o < sizeof(one_in) / sizeof(one_in[0]); o++)
			{
				check(CRM_CHUNK_BITS, CRM_CHUNK_IDS, densities[d], one_in[o]);
				check(CRM_CHUNK_BITS, 1 + next_random(CRM_CHUNK_IDS), densities[d], one_in[o]);
				check(WIDE_BITS, SPAN, densities[d], one_in[o]);
				check(WIDE_BITS, 1 + next_random(20), densities[d], one_in[o]);
			}
	return unit_done();
}
