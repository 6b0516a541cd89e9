/*
 * test_due_sets.c - sets by hour against a plain list of pairs: filled in any
 * order, sent between processes, merged.
 */
#include "unit.h"

#include "kernel/due_sets.h"

static uint64_t seed = 88172645463325252u;

static uint64_t
random_bits(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * UINT64_C(0x2545F4914F6CDD1D);
}

static const crm_env env = {unit_alloc, unit_resize, unit_release, NULL, NULL};

typedef struct pair
{
	int64_t		hour;
	uint64_t	id;
} pair;

static int
compare_pairs(const void *a, const void *b)
{
	const pair *x = a;
	const pair *y = b;

	if (x->hour != y->hour)
		return x->hour < y->hour ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Sorted, each pair once. */
static size_t
distinct(pair *pairs, size_t count)
{
	size_t		n = 0;

	qsort(pairs, count, sizeof(pair), compare_pairs);
	for (size_t i = 0; i < count; i++)
		if (n == 0 || compare_pairs(&pairs[n - 1], &pairs[i]) != 0)
			pairs[n++] = pairs[i];
	return n;
}

/* The same pairs, hours ascending? */
static void
check_same(crm_due_sets *sets, const pair *pairs, size_t count)
{
	size_t		n = 0;
	bool		same = true;

	crm_due_sets_sort(sets);
	for (uint32_t i = 0; i < crm_due_sets_hours(sets); i++)
	{
		crm_ids_builder *builder;
		crm_ids_runs runs;
		uint8_t    *bytes;
		size_t		size;
		uint64_t	first,
					last;

		CHECK(i == 0 || crm_due_sets_hour(sets, i - 1) < crm_due_sets_hour(sets, i));
		CHECK(crm_ids_builder_new(&env, &builder) == CRM_OK);
		CHECK(crm_due_sets_build(sets, i, builder) == CRM_OK);
		size = crm_ids_builder_size(builder);
		bytes = malloc(size);
		crm_ids_builder_write(builder, bytes);
		crm_ids_builder_free(builder);
		crm_ids_runs_first(&runs, (crm_ids) {bytes, size});
		while (crm_ids_runs_next(&runs, &first, &last))
			for (uint64_t id = first; id <= last; id++, n++)
				same &= n < count && pairs[n].hour == crm_due_sets_hour(sets, i) && pairs[n].id == id;
		free(bytes);
	}
	CHECK(same);
	CHECK_EQUAL(n, count);
}

static void
test_random(size_t count, int64_t hours, uint64_t ids)
{
	pair	   *pairs = malloc(sizeof(pair) * (count + 1));
	crm_due_sets *parts[3];
	crm_due_sets *whole;

	for (int i = 0; i < 3; i++)
		CHECK(crm_due_sets_new(&env, &parts[i]) == CRM_OK);
	CHECK(crm_due_sets_new(&env, &whole) == CRM_OK);
	for (size_t i = 0; i < count; i++)
	{
		pairs[i].hour = (int64_t) (random_bits() % (uint64_t) hours) - hours / 3;
		pairs[i].id = random_bits() % ids;
		CHECK(crm_due_sets_add(parts[random_bits() % 3], pairs[i].hour, pairs[i].id) == CRM_OK);
	}
	count = distinct(pairs, count);
	/* in whatever order the parts come, one of them twice */
	for (int i = 0; i < 4; i++)
	{
		uint8_t    *bytes;
		size_t		size;

		CHECK(crm_due_sets_write(parts[(i + 1) % 3], &bytes, &size) == CRM_OK);
		CHECK(crm_due_sets_read(whole, bytes, size) == CRM_OK);
		for (size_t cut = 1; cut < size && cut < 40; cut++)
		{
			crm_due_sets *damaged;

			CHECK(crm_due_sets_new(&env, &damaged) == CRM_OK);
			CHECK(crm_due_sets_read(damaged, bytes, size - cut) != CRM_OK);
			crm_due_sets_free(damaged);
		}
		free(bytes);
	}
	check_same(whole, pairs, count);
	CHECK(crm_due_sets_memory(whole) > 0);
	for (int i = 0; i < 3; i++)
		crm_due_sets_free(parts[i]);
	crm_due_sets_free(whole);
	free(pairs);
}

static void
test_order(void)
{
	crm_due_sets *sets;
	uint8_t    *bytes;
	size_t		size;

	CHECK(crm_due_sets_new(&env, &sets) == CRM_OK);
	CHECK_EQUAL(crm_due_sets_hours(sets), 0);
	CHECK(crm_due_sets_write(sets, &bytes, &size) == CRM_OK);
	CHECK_EQUAL(size, 0);
	free(bytes);
	for (int64_t hour = 1000; hour > 0; hour--)
		CHECK(crm_due_sets_add(sets, hour * 7 % 1009, 5) == CRM_OK);
	CHECK_EQUAL(crm_due_sets_hours(sets), 1000);
	CHECK(crm_due_sets_write(sets, &bytes, &size) == CRM_OK);
	/* hours that do not ascend are refused */
	crm_store64(bytes, UINT64_C(100000));
	CHECK(crm_due_sets_read(sets, bytes, size) == CRM_CORRUPT);
	/* what was sorted goes on being filled */
	CHECK(crm_due_sets_add(sets, 3, 5) == CRM_OK);
	CHECK_EQUAL(crm_due_sets_hours(sets), 1001);
	free(bytes);
	crm_due_sets_free(sets);
}

int
main(void)
{
	test_order();
	test_random(0, 1, 1);
	test_random(1, 1, 1);
	test_random(2000, 10, 500);
	test_random(20000, 9000, 100000);
	test_random(50000, 3, 40000);
	test_random(3000, 1500, UINT64_C(1) << 62);
	return unit_done();
}
