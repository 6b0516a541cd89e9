/*
 * sort.c - a merge sort of pointers that takes runs as it finds them.
 */
#include "kernel/sort.h"

#define PROGRESS_STEP 4096

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
