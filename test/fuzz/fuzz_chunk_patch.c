/*
 * fuzz_chunk_patch.c - any bytes as a stored chunk, as what was evaluated again of
 * it, and as who is a member now: refused, or the set that plain bits give.
 *
 * Four bytes in front: the width of the chunk, how many customers were evaluated, and
 * where the rest is cut; the evaluated ones come first, two bytes each, what is behind
 * is the old set and the new one.
 */
#include "fuzz.h"

#include "kernel/chunk_patch.h"

static bool
decode(const uint8_t *data, size_t size, int bits, uint64_t *offsets, size_t *count)
{
	*count = 0;
	if (size == 0)
		return true;
	if (bits > CRM_CHUNK_BITS)
		return crm_chunk_decode_wide(data, size, bits, offsets, count) == CRM_OK;
	{
		uint64_t	words[CRM_CHUNK_WORDS];

		if (crm_chunk_decode(data, size, words) != CRM_OK)
			return false;
		for (uint64_t i = 0; i < CRM_CHUNK_IDS; i++)
			if (words[i / 64] >> (i % 64) & 1)
				offsets[(*count)++] = i;
	}
	return true;
}

static bool
is_among(const uint64_t *offsets, size_t count, uint64_t offset)
{
	size_t		low = 0;

	for (size_t high = count; low < high;)
	{
		size_t		middle = low + (high - low) / 2;

		if (offsets[middle] < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && offsets[low] == offset;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	crm_env		env = unit_env();
	fuzz_input	in = {data, size};
	int			bits = fuzz_take(&in, 1) % 3 > 0 ? CRM_CHUNK_BITS : 14 + (int) (size % 49);
	size_t		wanted = fuzz_take(&in, 1);
	size_t		cut = fuzz_take(&in, 2);
	uint64_t	evaluated[256];
	size_t		count = 0;
	size_t		old_size,
				new_size;
	uint8_t    *old_data,
			   *new_data,
			   *out;
	uint64_t   *sets[3];
	size_t		counts[3];
	bool		sound;
	crm_chunk_patched patched;
	crm_status	status;

	for (uint64_t at = 0; count < wanted && in.left >= 2; at = evaluated[count - 1] + 1)
		evaluated[count++] = at + fuzz_take(&in, 2) % (bits > CRM_CHUNK_BITS ? 65536 : 256);
	old_size = in.left == 0 ? 0 : cut % (in.left + 1);
	new_size = in.left - old_size;
	/* blocks of their own: a sanitizer sees a step beyond them */
	old_data = malloc(old_size + 1);
	new_data = malloc(new_size + 1);
	memcpy(old_data, in.data, old_size);
	memcpy(new_data, in.data + old_size, new_size);
	old_data = realloc(old_data, old_size ? old_size : 1);
	new_data = realloc(new_data, new_size ? new_size : 1);
	out = malloc(crm_chunk_patch_bound(bits, old_size, new_size));
	for (int i = 0; i < 3; i++)
		sets[i] = malloc(sizeof(uint64_t) * (CRM_CHUNK_IDS + old_size + new_size));

	status = crm_chunk_patch(&env, bits, old_data, old_size, evaluated, count, new_data, new_size, out, &patched);
	REQUIRE(status == CRM_OK || status == CRM_CORRUPT);
	sound = decode(old_data, old_size, bits, sets[0], &counts[0]) && decode(new_data, new_size, bits, sets[1], &counts[1]);
	for (size_t i = 0; sound && i < counts[1]; i++)
		sound = is_among(evaluated, count, sets[1][i]);
	if (bits <= CRM_CHUNK_BITS && count > 0 && evaluated[count - 1] >= CRM_CHUNK_IDS)
		sound = false;
	REQUIRE(sound == (status == CRM_OK));
	if (status == CRM_OK)
	{
		size_t		kept = 0;

		REQUIRE(patched.size <= crm_chunk_patch_bound(bits, old_size, new_size));
		REQUIRE(decode(out, patched.size, bits, sets[2], &counts[2]));
		REQUIRE(patched.before == counts[0] && patched.after == counts[2]);
		for (size_t i = 0; i < counts[0]; i++)
			if (!is_among(evaluated, count, sets[0][i]))
			{
				REQUIRE(is_among(sets[2], counts[2], sets[0][i]));
				kept++;
			}
		for (size_t i = 0; i < counts[1]; i++)
			REQUIRE(is_among(sets[2], counts[2], sets[1][i]));
		REQUIRE(kept + counts[1] == counts[2]);
	}
	for (int i = 0; i < 3; i++)
		free(sets[i]);
	free(out);
	free(old_data);
	free(new_data);
	return 0;
}
