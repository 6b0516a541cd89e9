/*
 * ids_pick.c - parts of a set: by place, by hash; and the radix sort that
 * brings ids into order.
 */
#include "kernel/ids_words.h"

/* ---- sorting ------------------------------------------------------------- */

/* Below this many, moving each id to its place is quicker than counting digits. */
#define INSERTION_BELOW 48

void
crm_sort_ids(const crm_env *env, uint64_t *ids, uint64_t *scratch, size_t count)
{
	size_t		counts[8][256];
	uint64_t   *from = ids;
	uint64_t   *to = scratch;

	if (count < INSERTION_BELOW)
	{
		for (size_t i = 1; i < count; i++)
		{
			uint64_t	id = ids[i];
			size_t		k = i;

			for (; k > 0 && ids[k - 1] > id; k--)
				ids[k] = ids[k - 1];
			ids[k] = id;
		}
		return;
	}

	memset(counts, 0, sizeof(counts));
	for (size_t i = 0; i < count; i++)
	{
		for (int digit = 0; digit < 8; digit++)
			counts[digit][(ids[i] >> (8 * digit)) & 0xff]++;
		if (i % 65536 == 65535)
			crm_progress(env);
	}
	for (int digit = 0; digit < 8; digit++)
	{
		size_t		place = 0;
		uint64_t   *swap;

		/* All ids agree in this digit. */
		if (counts[digit][(from[0] >> (8 * digit)) & 0xff] == count)
			continue;
		for (int value = 0; value < 256; value++)
		{
			size_t		here = counts[digit][value];

			counts[digit][value] = place;
			place += here;
		}
		for (size_t i = 0; i < count; i++)
		{
			to[counts[digit][(from[i] >> (8 * digit)) & 0xff]++] = from[i];
			if (i % 65536 == 65535)
				crm_progress(env);
		}
		swap = from;
		from = to;
		to = swap;
	}
	if (from != ids)
		memcpy(ids, from, count * sizeof(uint64_t));
}

/* ---- by place --------------------------------------------------------------- */

/* Clears all but the set bits of places skip ... skip + take - 1. */
static void
keep_places(uint64_t *words, uint32_t skip, uint32_t take)
{
	uint32_t	before = 0;

	for (int i = 0; i < CRM_CONTAINER_WORDS; i++)
	{
		uint32_t	here = crm_popcount64(words[i]);

		if (before + here <= skip || before >= skip + take)
			words[i] = 0;
		else if (before < skip || before + here > skip + take)
		{
			uint64_t	kept = 0;
			uint32_t	place = before;

			for (uint64_t w = words[i]; w != 0; w &= w - 1, place++)
			{
				if (place >= skip && place < skip + take)
					kept |= w & (~w + 1);
			}
			words[i] = kept;
		}
		before += here;
	}
}

crm_status
crm_ids_slice(const crm_env *env, crm_ids set, uint64_t skip, uint64_t take, crm_ids_builder *out)
{
	crm_ids_cursor cursor;
	uint32_t	steps = 0;

	for (crm_ids_first(&cursor, set); cursor.valid && take > 0; crm_ids_next(&cursor))
	{
		uint32_t	here = cursor.current.cardinality;

		if (++steps % 256 == 0)
			crm_progress(env);
		if (skip >= here)
		{
			skip -= here;
			continue;
		}
		if (skip == 0 && take >= here)
		{
			CRM_TRY(crm_ids_builder_copy(out, &cursor.current));
			take -= here;
		}
		else
		{
			uint64_t	words[CRM_CONTAINER_WORDS];
			uint32_t	some = here - (uint32_t) skip;

			if (take < some)
				some = (uint32_t) take;
			crm_container_words(&cursor.current, words);
			keep_places(words, (uint32_t) skip, some);
			CRM_TRY(crm_ids_builder_words(out, cursor.current.key, words));
			take -= some;
			skip = 0;
		}
	}
	return CRM_OK;
}

/* ---- by hash ------------------------------------------------------------------ */

/* The finaliser of splitmix64 (Steele, Lea, Flood 2014): one to one, so different ids never tie. */
static inline uint64_t
mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/*
 * Hashes not above the limit are collected, as many as fit; more may pass
 * than there is room for, which the caller sees.  The hash can be undone, but
 * keeping the id beside it is simpler: pairs lie in two arrays.
 */
static size_t
collect_below(const crm_env *env, crm_ids set, uint64_t salt, uint64_t limit,
			  uint64_t *hashes, uint64_t *ids, size_t room)
{
	crm_ids_runs runs;
	uint64_t	first;
	uint64_t	last;
	size_t		count = 0;
	uint32_t	steps = 0;

	crm_ids_runs_first(&runs, set);
	while (crm_ids_runs_next(&runs, &first, &last))
	{
		for (uint64_t id = first;; id++)
		{
			uint64_t	hash = mix(id ^ salt);

			if (hash <= limit)
			{
				if (count < room)
				{
					hashes[count] = hash;
					ids[count] = id;
				}
				count++;
			}
			if (++steps % 65536 == 0)
				crm_progress(env);
			if (id == last)
				break;
		}
	}
	return count;
}

crm_status
crm_ids_sample(const crm_env *env, crm_ids set, uint64_t count, uint64_t seed, crm_ids_builder *out)
{
	uint64_t	total = crm_ids_count(set);
	uint64_t	salt = mix(seed + UINT64_C(0x9e3779b97f4a7c15));
	size_t		room;
	size_t		found;
	size_t		kept = 0;
	uint64_t	slack;
	uint64_t	limit;
	uint64_t   *hashes;
	uint64_t   *sorted;
	uint64_t   *ids;
	crm_status	status;

	if (count == 0)
		return CRM_OK;
	if (count >= total)
		return crm_ids_slice(env, set, 0, total, out);

	/*
	 * The limit lets through a little more than is wanted: eight standard
	 * deviations of a binomial count, so that a second pass is a rarity.
	 */
	slack = 16;
	while (slack * slack < 64 * count)
		slack *= 2;
	for (;;)
	{
		double		share = ((double) count + (double) slack) / (double) total;

		limit = share >= 1.0 ? UINT64_MAX : (uint64_t) (share * 18446744073709549568.0);
		room = (size_t) (count + 2 * slack > total || share >= 1.0 ? total : count + 2 * slack);
		hashes = env->alloc(env->arg, room * sizeof(uint64_t));
		sorted = env->alloc(env->arg, room * sizeof(uint64_t));
		ids = env->alloc(env->arg, room * sizeof(uint64_t));
		if (hashes == NULL || sorted == NULL || ids == NULL)
			return CRM_NO_MEMORY;
		found = collect_below(env, set, salt, limit, hashes, ids, room);
		if (found >= count && found <= room)
			break;
		env->release(env->arg, hashes);
		env->release(env->arg, sorted);
		env->release(env->arg, ids);
		slack *= 4;
	}

	/* The hash of the last one wanted; ids stand in ascending order already. */
	{
		uint64_t   *scratch = env->alloc(env->arg, found * sizeof(uint64_t));

		if (scratch == NULL)
			return CRM_NO_MEMORY;
		memcpy(sorted, hashes, found * sizeof(uint64_t));
		crm_sort_ids(env, sorted, scratch, found);
		limit = sorted[count - 1];
		env->release(env->arg, scratch);
	}
	for (size_t i = 0; i < found; i++)
	{
		if (hashes[i] <= limit)
			ids[kept++] = ids[i];
	}
	status = crm_ids_builder_ids(out, ids, kept);
	env->release(env->arg, hashes);
	env->release(env->arg, sorted);
	env->release(env->arg, ids);
	return status;
}
