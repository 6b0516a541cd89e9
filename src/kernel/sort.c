/*
 * sort.c - a merge sort of pointers that takes runs as it finds them, and a radix
 * sort of numbers.
 */
#include "kernel/sort.h"

#define PROGRESS_STEP 4096

/* Of the radix sort: bits of a digit, and numbers between two calls of the progress callback. */
#define RADIX_BITS 11
#define RADIX_SIZE (1 << RADIX_BITS)
#define RADIX_PASSES 6
#define KEYS_A_STEP 65536

static size_t
run_end(const void *const *items, size_t first, size_t count, crm_before before)
{
	size_t		end = first + 1;

	while (end < count && !before(items[end], items[end - 1]))
		end++;
	return end;
}

crm_status
crm_sort_pointers(const crm_env *env, const void **items, size_t count, crm_before before)
{
	const void **scratch;
	const void **from = items,
			  **to;

	if (count < 2 || run_end(items, 0, count, before) == count)
		return CRM_OK;
	to = scratch = env->alloc(env->arg, count * sizeof(void *));
	if (scratch == NULL)
		return CRM_NO_MEMORY;
	for (size_t runs = 2; runs > 1;)
	{
		const void **swap = from;

		runs = 0;
		for (size_t first = 0; first < count; runs++)
		{
			size_t		left = first,
						middle = run_end(from, first, count, before),
						right = middle,
						end = middle < count ? run_end(from, middle, count, before) : count;

			for (size_t i = first; i < end; i++)
			{
				bool		take_left = left < middle && (right >= end || !before(from[right], from[left]));

				to[i] = from[take_left ? left++ : right++];
				if (i % PROGRESS_STEP == 0)
					crm_progress(env);
			}
			first = end;
		}
		from = to;
		to = swap;
	}
	if (from != items)
		memcpy(items, from, count * sizeof(void *));
	env->release(env->arg, scratch);
	return CRM_OK;
}

/* ---- numbers --------------------------------------------------------- */

crm_status
crm_sort_keys(const crm_env *env, uint64_t *keys, uint32_t *companions, size_t count)
{
	uint32_t	(*counts)[RADIX_SIZE];
	uint64_t   *from = keys,
			   *to;
	uint32_t   *companions_from = companions,
			   *companions_to = NULL;

	CRM_ALLOC(counts, env, sizeof(uint32_t) * RADIX_SIZE * RADIX_PASSES);
	CRM_ALLOC(to, env, sizeof(uint64_t) * count);
	if (companions != NULL)
		CRM_ALLOC(companions_to, env, sizeof(uint32_t) * count);
	memset(counts, 0, sizeof(uint32_t) * RADIX_SIZE * RADIX_PASSES);
	for (size_t i = 0; i < count; i++)
	{
		if (i % KEYS_A_STEP == 0)
			crm_progress(env);
		for (int pass = 0; pass < RADIX_PASSES; pass++)
			counts[pass][keys[i] >> (pass * RADIX_BITS) & (RADIX_SIZE - 1)]++;
	}
	for (int pass = 0; pass < RADIX_PASSES; pass++)
	{
		int			shift = pass * RADIX_BITS;
		uint32_t	place = 0;
		bool		one_digit = false;

		for (int digit = 0; digit < RADIX_SIZE; digit++)
		{
			uint32_t	number = counts[pass][digit];

			one_digit = one_digit || number == count;
			counts[pass][digit] = place;
			place += number;
		}
		if (one_digit)
			continue;
		for (size_t i = 0; i < count; i++)
		{
			uint32_t	target = counts[pass][from[i] >> shift & (RADIX_SIZE - 1)]++;

			if (i % KEYS_A_STEP == 0)
				crm_progress(env);
			to[target] = from[i];
			if (companions != NULL)
				companions_to[target] = companions_from[i];
		}
		{
			uint64_t   *swapped = from;
			uint32_t   *companions_swapped = companions_from;

			from = to;
			to = swapped;
			companions_from = companions_to;
			companions_to = companions_swapped;
		}
	}
	if (from != keys)
	{
		memcpy(keys, from, sizeof(uint64_t) * count);
		if (companions != NULL)
			memcpy(companions, companions_from, sizeof(uint32_t) * count);
		to = from;
		companions_to = companions_from;
	}
	env->release(env->arg, to);
	if (companions != NULL)
		env->release(env->arg, companions_to);
	env->release(env->arg, counts);
	return CRM_OK;
}
