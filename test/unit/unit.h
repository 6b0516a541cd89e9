/*
 * unit.h - the little that unit tests of the kernels need: checks that go on
 * after a failure, and an environment over malloc.
 *
 *		int main(void) { CHECK(1 + 1 == 2); return unit_done(); }
 */
#ifndef CRM_UNIT_H
#define CRM_UNIT_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/kernel.h"

static long unit_checks = 0;
static long unit_failures = 0;

#define CHECK(condition) \
	unit_check((condition), __FILE__, __LINE__, #condition)

/* Both sides are integers of at most 64 bits; the message shows them. */
#define CHECK_EQUAL(actual, expected) \
	unit_check_equal((int64_t) (actual), (int64_t) (expected), __FILE__, __LINE__, #actual)

static inline bool
unit_check(bool good, const char *file, int line, const char *what)
{
	unit_checks++;
	if (!good && ++unit_failures <= 20)
		fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
	return good;
}

static inline bool
unit_check_equal(int64_t actual, int64_t expected, const char *file, int line, const char *what)
{
	unit_checks++;
	if (actual != expected && ++unit_failures <= 20)
		fprintf(stderr, "%s:%d: %s is %" PRId64 ", expected %" PRId64 "\n", file, line, what, actual, expected);
	return actual == expected;
}

static inline void *
unit_alloc(void *arg, size_t size)
{
	return malloc(size == 0 ? 1 : size);
}

static inline void *
unit_resize(void *arg, void *ptr, size_t old_size, size_t new_size)
{
	return realloc(ptr, new_size == 0 ? 1 : new_size);
}

static inline void
unit_release(void *arg, void *ptr)
{
	free(ptr);
}

static inline crm_env
unit_env(void)
{
	crm_env		env = {unit_alloc, unit_resize, unit_release, NULL, NULL};

	return env;
}

/*
 * Memory that is given back as a whole, as kernels may count on: what they leave
 * behind after an error is nobody's leak.
 */
typedef struct unit_block
{
	struct unit_block *previous;
	struct unit_block *next;
} unit_block;

typedef struct unit_pool
{
	unit_block	blocks;			/* head of a ring, once used */
} unit_pool;

static inline void *
unit_pool_link(unit_pool *pool, unit_block *block)
{
	if (block == NULL)
		return NULL;
	if (pool->blocks.next == NULL)
		pool->blocks.next = pool->blocks.previous = &pool->blocks;
	block->next = pool->blocks.next;
	block->previous = &pool->blocks;
	block->next->previous = block;
	pool->blocks.next = block;
	return block + 1;
}

static inline unit_block *
unit_pool_unlink(void *ptr)
{
	unit_block *block = (unit_block *) ptr - 1;

	block->previous->next = block->next;
	block->next->previous = block->previous;
	return block;
}

static inline void *
unit_pool_alloc(void *arg, size_t size)
{
	return unit_pool_link(arg, malloc(sizeof(unit_block) + size));
}

static inline void *
unit_pool_resize(void *arg, void *ptr, size_t old_size, size_t new_size)
{
	return unit_pool_link(arg, realloc(ptr == NULL ? NULL : unit_pool_unlink(ptr), sizeof(unit_block) + new_size));
}

static inline void
unit_pool_release(void *arg, void *ptr)
{
	if (ptr != NULL)
		free(unit_pool_unlink(ptr));
}

static inline crm_env
unit_pool_env(unit_pool *pool)
{
	crm_env		env = {unit_pool_alloc, unit_pool_resize, unit_pool_release, NULL, pool};

	return env;
}

static inline void
unit_pool_free(unit_pool *pool)
{
	while (pool->blocks.next != NULL && pool->blocks.next != &pool->blocks)
		free(unit_pool_unlink(pool->blocks.next + 1));
}

/* The value to return from main. */
static inline int
unit_done(void)
{
	printf("%ld checks, %ld failed\n", unit_checks, unit_failures);
	return unit_checks > 0 && unit_failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif							/* CRM_UNIT_H */
