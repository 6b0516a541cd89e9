/*
 * holdout.c - control groups by hash, see holdout.h.
 */
#include "kernel/holdout.h"

static inline uint64_t
mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

uint64_t
crm_holdout_seed(const uint8_t *salt, size_t size)
{
	uint64_t	hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ salt[i]) * UINT64_C(1099511628211);
	return mix(hash);
}

/*
 * The first place that is not held out.  A product with 2^64 is exact; a share
 * of 1 has none, which UINT64_MAX with "all" stands for.
 */
static uint64_t
first_kept(double share, bool *all)
{
	double		limit = share * 18446744073709551616.0;
	uint64_t	whole;

	*all = limit >= 18446744073709551616.0;
	if (*all)
		return UINT64_MAX;
	whole = (uint64_t) limit;
	return (double) whole < limit ? whole + 1 : whole;
}

crm_status
crm_ids_holdout(const crm_env *env, crm_ids set, double share, uint64_t seed, crm_ids_builder *out)
{
	bool		all;
	uint64_t	limit = first_kept(share, &all);
	crm_ids_cursor cursor;

	if (all)
		return crm_ids_builder_set(out, set);
	if (limit == 0)
		return CRM_OK;
	for (crm_ids_first(&cursor, set); cursor.valid; crm_ids_next(&cursor))
	{
		uint64_t	words[CRM_CONTAINER_WORDS];

		crm_container_words(&cursor.current, words);
		for (uint64_t i = 0; i < CRM_CONTAINER_WORDS; i++)
			for (uint64_t left = words[i]; left != 0; left &= left - 1)
			{
				uint64_t	id = (cursor.current.key << 16) + i * 64 + crm_ctz64(left);

				if (mix(mix(id ^ seed) + seed) >= limit)
					words[i] &= ~(left & (~left + 1));
			}
		CRM_TRY(crm_ids_builder_words(out, cursor.current.key, words));
		crm_progress(env);
	}
	return CRM_OK;
}
