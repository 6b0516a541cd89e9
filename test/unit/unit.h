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

/* The value to return from main. */
static inline int
unit_done(void)
{
	printf("%ld checks, %ld failed\n", unit_checks, unit_failures);
	return unit_checks > 0 && unit_failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif							/* CRM_UNIT_H */
