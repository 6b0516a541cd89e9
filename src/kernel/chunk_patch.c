/*
 * chunk_patch.c - a stored set after some of its customers were looked at again.
 */
#include "kernel/chunk_patch.h"

size_t
crm_chunk_patch_bound(int bits, size_t old_size, size_t new_size)
{
	/* an offset of a wide chunk takes at least a byte */
	return bits <= CRM_CHUNK_BITS ? CRM_CHUNK_MAX : CRM_CHUNK_WIDE_MAX(old_size + new_size);
}

static uint32_t
count_words(const uint64_t *words)
{
	uint32_t	count = 0;

	for (int i = 0; i < CRM_CHUNK_WORDS; i++)
		count += (uint32_t) crm_popcount64(words[i]);
	return count;
}

static crm_status
patch_dense(const uint8_t *old_data, size_t old_size, const uint64_t *evaluated, size_t count,
			const uint8_t *new_data, size_t new_size, uint8_t *out, crm_chunk_patched *patched)
{
	uint64_t	set[CRM_CHUNK_WORDS] = {0};
	uint64_t	now[CRM_CHUNK_WORDS] = {0};

	if ((old_size > 0 && crm_chunk_decode(old_data, old_size, set) != CRM_OK) ||
		(new_size > 0 && crm_chunk_decode(new_data, new_size, now) != CRM_OK))
		return CRM_CORRUPT;
	patched->before = count_words(set);
	for (size_t i = 0; i < count; i++)
	{
		uint64_t	bit;
		uint64_t   *word;
		uint64_t   *from;

		if (evaluated[i] >= CRM_CHUNK_IDS)
			return CRM_CORRUPT;
		bit = UINT64_C(1) << (evaluated[i] & 63);
		word = &set[evaluated[i] >> 6];
		from = &now[evaluated[i] >> 6];
		*word = (*word & ~bit) | (*from & bit);
		*from &= ~bit;
	}
	/* somebody who was not looked at cannot be new */
	if (count_words(now) > 0)
		return CRM_CORRUPT;
	patched->after = count_words(set);
	patched->size = crm_chunk_encode(set, out);
	return CRM_OK;
}

static crm_status
patch_wide(int bits, const uint8_t *old_data, size_t old_size, const uint64_t *evaluated, size_t count,
		   const uint8_t *new_data, size_t new_size, uint64_t *set, uint64_t *now, uint8_t *out, crm_chunk_patched *patched)
{
	crm_wide_writer writer;
	size_t		set_count = 0;
	size_t		now_count = 0;
	size_t		at = 0;
	size_t		taken = 0;

	if ((old_size > 0 && crm_chunk_decode_wide(old_data, old_size, bits, set, &set_count) != CRM_OK) ||
		(new_size > 0 && crm_chunk_decode_wide(new_data, new_size, bits, now, &now_count) != CRM_OK))
		return CRM_CORRUPT;
	patched->before = (uint32_t) set_count;
	patched->after = 0;
	crm_wide_begin(&writer, out);
	for (size_t i = 0; i < set_count || taken < now_count;)
	{
		uint64_t	next;

		if (taken < now_count && (i == set_count || now[taken] <= set[i]))
		{
			next = now[taken++];
			while (at < count && evaluated[at] < next)
				at++;
			if (at == count || evaluated[at] != next)
				return CRM_CORRUPT;
			if (i < set_count && set[i] == next)
				i++;
		}
		else
		{
			next = set[i++];
			while (at < count && evaluated[at] < next)
				at++;
			if (at < count && evaluated[at] == next)
				continue;
		}
		crm_wide_put(&writer, next);
		patched->after++;
	}
	patched->size = crm_wide_size(&writer);
	return CRM_OK;
}

crm_status
crm_chunk_patch(const crm_env *env, int bits, const uint8_t *old_data, size_t old_size, const uint64_t *evaluated, size_t count,
				const uint8_t *new_data, size_t new_size, uint8_t *out, crm_chunk_patched *patched)
{
	uint64_t   *set;
	uint64_t   *now;
	crm_status	status;

	if (bits <= CRM_CHUNK_BITS)
		return patch_dense(old_data, old_size, evaluated, count, new_data, new_size, out, patched);
	set = env->alloc(env->arg, (old_size + new_size + 1) * sizeof(uint64_t));
	if (set == NULL)
		return CRM_NO_MEMORY;
	now = set + old_size;
	status = patch_wide(bits, old_data, old_size, evaluated, count, new_data, new_size, set, now, out, patched);
	env->release(env->arg, set);
	return status;
}
