/*
 * fuzz_tag_chunk.c - any bytes as a stored chunk: refused, or one set whichever
 * way it is read, which encodes again to itself.
 *
 * Patched with nobody evaluated it stays what it is, with everybody evaluated
 * nobody is left.  The first byte gives the width of a wide chunk.
 */
#include "fuzz.h"

#include "kernel/chunk_patch.h"

static void
patch(const uint8_t *data, size_t size, int bits, const uint64_t *offsets, size_t count)
{
	crm_env		env = unit_env();
	crm_chunk_patched patched;
	uint8_t    *out = malloc(crm_chunk_patch_bound(bits, size, size));

	REQUIRE(crm_chunk_patch(&env, bits, data, size, offsets, count, NULL, 0, out, &patched) == CRM_OK);
	REQUIRE(patched.size == 0 && patched.after == 0 && patched.before == count);
	REQUIRE(crm_chunk_patch(&env, bits, data, size, offsets, count, data, size, out, &patched) == CRM_OK);
	REQUIRE(patched.after == count);
	REQUIRE(crm_chunk_patch(&env, bits, data, size, NULL, 0, NULL, 0, out, &patched) == CRM_OK);
	REQUIRE(patched.before == count && patched.after == count);
	free(out);
}

static void
use_dense(const uint8_t *data, size_t size)
{
	uint64_t	words[CRM_CHUNK_WORDS];
	uint64_t	again[CRM_CHUNK_WORDS];
	uint8_t		bytes[CRM_CHUNK_MAX];
	size_t		length;
	bool		found;

	if (crm_chunk_decode(data, size, words) != CRM_OK)
		return;
	for (uint64_t i = 0; i < CRM_CHUNK_IDS; i++)
	{
		REQUIRE(crm_chunk_contains(data, size, i, &found) == CRM_OK);
		REQUIRE(found == (words[i / 64] >> (i % 64) & 1));
	}
	length = crm_chunk_encode(words, bytes);
	REQUIRE(length > 1 && length <= size);
	REQUIRE(crm_chunk_decode(bytes, length, again) == CRM_OK);
	REQUIRE(memcmp(words, again, sizeof(words)) == 0);
	{
		static uint64_t offsets[CRM_CHUNK_IDS];
		size_t		count = 0;

		for (uint64_t i = 0; i < CRM_CHUNK_IDS; i++)
			if (words[i / 64] >> (i % 64) & 1)
				offsets[count++] = i;
		patch(data, size, CRM_CHUNK_BITS, offsets, count);
	}
}

static void
use_wide(const uint8_t *data, size_t size, int bits)
{
	uint64_t   *offsets = malloc(size * sizeof(uint64_t) + 1);
	uint8_t    *bytes;
	size_t		count;
	bool		found;

	if (crm_chunk_decode_wide(data, size, bits, offsets, &count) == CRM_OK)
	{
		REQUIRE(count > 0 && offsets[count - 1] >> bits == 0);
		bytes = malloc(CRM_CHUNK_WIDE_MAX(count));
		REQUIRE(crm_chunk_encode_wide(offsets, count, bytes) == size);
		REQUIRE(memcmp(bytes, data, size) == 0);
		for (size_t i = 0; i < count; i += count / 16 + 1)
		{
			REQUIRE(i == 0 || offsets[i - 1] < offsets[i]);
			REQUIRE(crm_chunk_contains(data, size, offsets[i], &found) == CRM_OK && found);
		}
		free(bytes);
		patch(data, size, bits, offsets, count);
	}
	free(offsets);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t    *bytes;
	bool		found;

	if (size < 1)
		return 0;
	/* a block of its own: a sanitizer sees a step beyond it */
	bytes = malloc(size > 1 ? size - 1 : 1);
	memcpy(bytes, data + 1, size - 1);
	(void) crm_chunk_contains(bytes, size - 1, data[0] * UINT64_C(31), &found);
	use_dense(bytes, size - 1);
	use_wide(bytes, size - 1, 14 + data[0] % 49);
	free(bytes);
	return 0;
}
