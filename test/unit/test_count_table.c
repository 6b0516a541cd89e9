/*
 * Counted rows against sorting and counting them one by one; whatever the order
 * and the parts, one form; damaged bytes are refused.
 */
#include <math.h>

#include "kernel/count_table.h"
#include "unit.h"

static unit_pool pool;
static crm_env env;
static uint64_t seed = 2463534242;

static uint64_t
next(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

static uint8_t *
written(const crm_count_table *table, size_t *size)
{
	uint8_t    *bytes = malloc(crm_counts_size(table));

	*size = crm_counts_size(table);
	CHECK_EQUAL(crm_counts_write(table, bytes), CRM_OK);
	return bytes;
}

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, 2 * sizeof(double));
}

static void
exact(void)
{
	enum {ROWS = 5000};
	static double rows[ROWS][2];
	crm_count_table table;
	crm_count  *entries;
	uint32_t	count;
	uint32_t	at = 0;

	crm_counts_init(&table, &env, 2, 0, 1 << 16);
	for (int i = 0; i < ROWS; i++)
	{
		rows[i][0] = (double) next(20);
		rows[i][1] = (double) next(30) / 7;
		CHECK_EQUAL(crm_counts_add(&table, rows[i], 1), CRM_OK);
	}
	/* numbers that are not negative sort like their bytes do, from the highest: use values' order */
	qsort(rows, ROWS, sizeof(rows[0]), compare);
	CHECK_EQUAL(crm_counts_sorted(&table, &env, &entries, &count), CRM_OK);
	CHECK_EQUAL(table.rows, ROWS);
	for (uint32_t i = 1; i < count; i++)
		CHECK(entries[i - 1].key[0] < entries[i].key[0] ||
			  (entries[i - 1].key[0] == entries[i].key[0] && entries[i - 1].key[1] < entries[i].key[1]));
	for (int i = 0; i < ROWS;)
	{
		int			same = i;
		bool		found = false;

		while (same < ROWS && compare(rows[i], rows[same]) == 0)
			same++;
		for (uint32_t k = 0; k < count; k++)
			if (entries[k].key[0] == rows[i][0] && entries[k].key[1] == rows[i][1])
				found = entries[k].rows == (uint64_t) (same - i);
		CHECK(found);
		at++;
		i = same;
	}
	CHECK_EQUAL(at, count);
}

/* Rows of a stream in parts of random sizes, merged in random order, with a cap that is met. */
static void
parts(uint32_t cap, double scale)
{
	enum {ROWS = 3000, PARTS = 7};
	static double rows[ROWS][3];
	crm_count_table whole;
	crm_count_table merged;
	crm_count_table part[PARTS];
	uint8_t    *a;
	uint8_t    *b;
	size_t		size_a;
	size_t		size_b;
	uint64_t	total = 0;

	crm_counts_init(&whole, &env, 3, 0, cap);
	crm_counts_init(&merged, &env, 3, 0, cap);
	for (int p = 0; p < PARTS; p++)
		crm_counts_init(&part[p], &env, 3, 0, cap);
	for (int i = 0; i < ROWS; i++)
	{
		uint64_t	n = 1 + next(3);

		for (int k = 0; k < 3; k++)
			rows[i][k] = next(5) == 0 ? 0 : scale * (500 + (double) next(1000000) / 1000) * (k == 0 && next(2) ? -1 : 1);
		if (i > 0 && next(3) == 0)
			memcpy(rows[i], rows[next(i)], sizeof(rows[i]));
		CHECK_EQUAL(crm_counts_add(&whole, rows[i], n), CRM_OK);
		CHECK_EQUAL(crm_counts_add(&part[next(PARTS)], rows[i], n), CRM_OK);
		total += n;
	}
	for (int p = PARTS - 1; p >= 0; p--)
	{
		a = written(&part[p], &size_a);
		CHECK_EQUAL(crm_counts_read(&merged, a, size_a), CRM_OK);
		free(a);
	}
	a = written(&whole, &size_a);
	b = written(&merged, &size_b);
	CHECK(whole.count <= cap);
	CHECK_EQUAL(merged.rows, total);
	CHECK(size_a == size_b && memcmp(a, b, size_a) == 0);
	/* the middle is within half of what was dropped */
	{
		crm_count  *entries;
		uint32_t	count;

		CHECK_EQUAL(crm_counts_sorted(&whole, &env, &entries, &count), CRM_OK);
		for (int i = 0; i < ROWS; i += 97)
		{
			double		nearest = INFINITY;

			for (uint32_t k = 0; k < count; k++)
			{
				double		off = 0;

				for (int j = 0; j < 3; j++)
					off = fmax(off, fabs(entries[k].key[j] - rows[i][j]) / fmax(fabs(rows[i][j]), 1e-300));
				nearest = fmin(nearest, off);
			}
			CHECK(nearest <= (whole.dropped == 0 ? 0 : ldexp(1, (int) whole.dropped - 52)));
		}
	}
	free(a);
	free(b);
}

/* The first number stays exact however many bits the others lose. */
static void
exact_first(void)
{
	crm_count_table table;
	crm_count  *entries;
	uint32_t	count;
	uint64_t	rows[40] = {0};

	crm_counts_init(&table, &env, 2, 1, 400);
	for (int i = 0; i < 20000; i++)
	{
		double		key[2] = {(double) next(40), 1 + (double) next(1000000) / 1000000};

		rows[(int) key[0]]++;
		CHECK_EQUAL(crm_counts_add(&table, key, 1), CRM_OK);
	}
	CHECK(table.dropped > 40);
	CHECK_EQUAL(crm_counts_sorted(&table, &env, &entries, &count), CRM_OK);
	for (uint32_t i = 0; i < count; i++)
		rows[(int) entries[i].key[0]] -= entries[i].rows;
	for (int i = 0; i < 40; i++)
		CHECK_EQUAL(rows[i], 0);
}

/* Counts that a state has and no rows could have given: refused in one entry, in several, and in several tables. */
static void
bounded(void)
{
	crm_count_table table;
	crm_count_table other;
	crm_count  *entries;
	uint8_t    *bytes;
	uint32_t	count;
	size_t		size;
	double		key[3] = {1, 2, 0};

	crm_counts_init(&table, &env, 2, 0, 100);
	CHECK_EQUAL(crm_counts_add(&table, key, CRM_COUNT_MAX_ROWS - 1), CRM_OK);
	key[0] = 3;
	CHECK_EQUAL(crm_counts_add(&table, key, 2), CRM_OUT_OF_RANGE);
	CHECK_EQUAL(crm_counts_add(&table, key, 1), CRM_OK);
	CHECK_EQUAL(crm_counts_add(&table, key, 1), CRM_OUT_OF_RANGE);
	bytes = written(&table, &size);
	crm_counts_init(&other, &env, 2, 0, 100);
	CHECK_EQUAL(crm_counts_read(&other, bytes, size), CRM_OK);
	CHECK(other.rows == CRM_COUNT_MAX_ROWS && other.count == 2);
	CHECK_EQUAL(crm_counts_read(&other, bytes, size), CRM_OUT_OF_RANGE);
	/* the last number of the bytes are the rows of the last key */
	crm_store64(bytes + size - 8, 2);
	crm_counts_init(&other, &env, 2, 0, 100);
	CHECK_EQUAL(crm_counts_read(&other, bytes, size), CRM_OUT_OF_RANGE);
	free(bytes);

	/* keys that fall together when bits are dropped */
	crm_counts_init(&other, &env, 2, 0, 1);
	for (int i = 0; i < 4; i++)
	{
		key[1] = 2 + ldexp(i, -51);
		CHECK_EQUAL(crm_counts_add(&other, key, CRM_COUNT_MAX_ROWS / 4), CRM_OK);
	}
	CHECK_EQUAL(crm_counts_sorted(&other, &env, &entries, &count), CRM_OK);
	CHECK(count == 1 && entries[0].rows == CRM_COUNT_MAX_ROWS);
}

static void
refused(void)
{
	crm_count_table table;
	crm_count_table other;
	uint8_t    *bytes;
	size_t		size;
	double		key[3] = {1, 2, 0};

	crm_counts_init(&table, &env, 2, 0, 100);
	for (int i = 0; i < 50; i++)
	{
		key[0] = i % 7;
		key[1] = i % 5 - 2.5;
		CHECK_EQUAL(crm_counts_add(&table, key, 1 + i), CRM_OK);
	}
	CHECK_EQUAL(crm_counts_add(&table, key, 0), CRM_OK);
	CHECK_EQUAL(crm_counts_add(&table, key, UINT64_MAX), CRM_OUT_OF_RANGE);
	CHECK_EQUAL(table.rows, 50 * 51 / 2);
	bytes = written(&table, &size);
	for (size_t cut = 0; cut < size; cut++)
	{
		uint8_t    *copy = malloc(cut + 1);

		memcpy(copy, bytes, cut);
		crm_counts_init(&other, &env, 2, 0, 100);
		CHECK_EQUAL(crm_counts_read(&other, copy, cut), CRM_CORRUPT);
		free(copy);
	}
	crm_counts_init(&other, &env, 3, 0, 100);
	CHECK_EQUAL(crm_counts_read(&other, bytes, size), CRM_CORRUPT);
	for (int i = 0; i < 20000; i++)
	{
		uint8_t    *copy = malloc(size);
		crm_status	status;

		memcpy(copy, bytes, size);
		for (uint64_t k = 1 + next(3); k > 0; k--)
			copy[next(size)] ^= (uint8_t) (1 << next(8));
		crm_counts_init(&other, &env, 2, 0, 100);
		status = crm_counts_read(&other, copy, size);
		CHECK(status == CRM_OK || status == CRM_CORRUPT || status == CRM_OUT_OF_RANGE);
		free(copy);
	}
	free(bytes);
	/* more kinds of whole powers of two than may be: nothing is left to drop */
	crm_counts_init(&table, &env, 1, 0, 10);
	for (int i = 0; i < 11; i++)
	{
		double		power = ldexp(1, i);

		CHECK_EQUAL(crm_counts_add(&table, &power, 1), i < 10 ? CRM_OK : CRM_LIMIT);
	}
}

int
main(void)
{
	env = unit_pool_env(&pool);
	exact();
	parts(1 << 20, 1);
	parts(500, 1);
	parts(200, 1e6);
	parts(2000, 1e-9);
	exact_first();
	bounded();
	refused();
	unit_pool_free(&pool);
	return unit_done();
}
