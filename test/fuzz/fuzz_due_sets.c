/*
 * fuzz_due_sets.c - any bytes as sets by hour on their way between processes:
 * refused, or the same sets when they are written and read again.
 */
#include "fuzz.h"

#include "kernel/due_sets.h"

/* The kernel's memory is freed as a whole: an arena for each input. */
#define MAX_BLOCKS 1000000
static void *blocks[MAX_BLOCKS];
static int	block_count;

static void *
arena_alloc(void *arg, size_t size)
{
	REQUIRE(block_count < MAX_BLOCKS);
	return blocks[block_count++] = malloc(size == 0 ? 1 : size);
}

static void *
arena_resize(void *arg, void *ptr, size_t old_size, size_t new_size)
{
	void	   *p = arena_alloc(arg, new_size);

	if (ptr != NULL)
		memcpy(p, ptr, old_size < new_size ? old_size : new_size);
	return p;
}

static void
arena_release(void *arg, void *ptr)
{
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	crm_env		env = {arena_alloc, arena_resize, arena_release, NULL, NULL};
	crm_due_sets *sets;
	crm_due_sets *again;

	if (size > 65536)
		return 0;
	REQUIRE(crm_due_sets_new(&env, &sets) == CRM_OK);
	REQUIRE(crm_due_sets_new(&env, &again) == CRM_OK);
	if (crm_due_sets_read(sets, data, size) == CRM_OK)
	{
		uint8_t    *first;
		uint8_t    *second;
		size_t		first_size;
		size_t		second_size;

		REQUIRE(crm_due_sets_write(sets, &first, &first_size) == CRM_OK);
		REQUIRE(crm_due_sets_read(again, first, first_size) == CRM_OK);
		/* the same once more changes nothing */
		REQUIRE(crm_due_sets_read(again, data, size) == CRM_OK);
		REQUIRE(crm_due_sets_hours(again) == crm_due_sets_hours(sets));
		REQUIRE(crm_due_sets_write(again, &second, &second_size) == CRM_OK);
		REQUIRE(first_size == second_size && memcmp(first, second, first_size) == 0);
	}
	while (block_count > 0)
		free(blocks[--block_count]);
	return 0;
}
