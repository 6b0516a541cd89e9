/*
 * test_columns.c - rows in compact columns: every number comes back, whatever
 * form its column took; written forms merge; wrong ones are refused.
 */
#include "unit.h"

#include <math.h>

#include "kernel/columns.h"

#define WIDTH 7
#define ROWS 10000

static double
number_at(uint32_t row, uint32_t column)
{
	uint32_t	hash = (row * 2654435761u) ^ (column * 40503u);

	hash ^= hash >> 13;
	switch (column)
	{
		case 0:
			return 42.5;
		case 1:
			return hash % 3 == 0 ? NAN : (double) (hash % 255) - 100;
		case 2:
			return (double) (hash % 65535) - 30000;
		case 3:
			return hash % 7 == 0 ? NAN : (float) (hash % 1000) * 0.25f - 3;
		case 4:
			return hash % 5 == 0 ? NAN : hash * 1e290 + 0.1;
		case 5:
			return NAN;
		default:
			/* Forms change from block to block. */
			return row < 5000 ? 1 : row * 0.1;
	}
}

static void
fill(crm_columns *columns, uint32_t begin, uint32_t end)
{
	for (uint32_t i = begin; i < end; i++)
	{
		double	   *row;

		CHECK(crm_columns_add(columns, &row) == CRM_OK);
		for (uint32_t c = 0; c < WIDTH; c++)
			row[c] = number_at(i, c);
		crm_columns_added(columns);
	}
}

static bool
same(double a, double b)
{
	return isnan(a) ? isnan(b) : a == b;
}

static void
check_rows(const crm_columns *columns, uint32_t count)
{
	double		numbers[CRM_COLUMNS_MAX_BLOCK];
	long		wrong = 0;

	CHECK_EQUAL(columns->rows, count);
	for (uint32_t c = 0; c < WIDTH; c++)
	{
		uint32_t	row = 0;

		for (size_t part = 0; part < crm_columns_parts(columns); part++)
		{
			crm_columns_read(columns, part, c, numbers);
			for (uint32_t i = 0; i < crm_columns_part_rows(columns, part); i++)
				wrong += !same(numbers[i], number_at(row++, c));
		}
		CHECK_EQUAL(row, count);
	}
	CHECK_EQUAL(wrong, 0);
}

static void
test_round_trip(uint32_t count)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	crm_columns a,
				b,
				c;
	uint8_t    *bytes,
			   *more;
	size_t		size,
				more_size;

	crm_columns_init(&a, &env, WIDTH, SIZE_MAX);
	fill(&a, 0, count);
	check_rows(&a, count);
	size = crm_columns_size(&a);
	bytes = malloc(size + 1);
	crm_columns_write(&a, bytes);

	/* Two parts put together are the whole. */
	crm_columns_init(&b, &env, WIDTH, SIZE_MAX);
	fill(&b, 0, count / 3);
	more_size = crm_columns_size(&b);
	more = malloc(more_size + 1);
	crm_columns_write(&b, more);
	crm_columns_init(&c, &env, WIDTH, SIZE_MAX);
	CHECK(crm_columns_merge(&c, more, more_size) == CRM_OK);
	fill(&c, count / 3, count);
	check_rows(&c, count);
	crm_columns_init(&b, &env, WIDTH, SIZE_MAX);
	CHECK(crm_columns_merge(&b, bytes, size) == CRM_OK);
	check_rows(&b, count);
	CHECK_EQUAL(crm_columns_size(&b), size);
	free(more);
	free(bytes);
	unit_pool_free(&pool);
}

static void
test_wrong_bytes(void)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	crm_columns a;
	size_t		size;
	uint8_t    *bytes;
	long		refused = 0;

	crm_columns_init(&a, &env, WIDTH, SIZE_MAX);
	fill(&a, 0, 100);
	size = crm_columns_size(&a);
	bytes = malloc(size);
	crm_columns_write(&a, bytes);
	for (size_t less = 1; less < size; less++)
	{
		uint8_t    *copy = malloc(less);	/* so that a sanitizer sees reads behind it */
		crm_columns b;

		memcpy(copy, bytes, less);
		crm_columns_init(&b, &env, WIDTH, SIZE_MAX);
		CHECK(crm_columns_merge(&b, copy, less) == CRM_CORRUPT);
		free(copy);
	}
	for (size_t i = 0; i < size * 8; i++)
	{
		crm_columns b;

		bytes[i / 8] ^= 1 << (i % 8);
		crm_columns_init(&b, &env, WIDTH, SIZE_MAX);
		refused += crm_columns_merge(&b, bytes, size) == CRM_CORRUPT;
		bytes[i / 8] ^= 1 << (i % 8);
	}
	CHECK(refused > 64);
	free(bytes);
	unit_pool_free(&pool);
}

static void
test_limit(void)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	crm_columns a;
	crm_status	status = CRM_OK;

	crm_columns_init(&a, &env, WIDTH, 1000000);
	for (uint32_t i = 0; i < 1000000 && status == CRM_OK; i++)
	{
		double	   *row;

		status = crm_columns_add(&a, &row);
		if (status == CRM_OK)
		{
			for (uint32_t c = 0; c < WIDTH; c++)
				row[c] = i * 0.1;
			crm_columns_added(&a);
		}
	}
	CHECK(status == CRM_LIMIT);
	CHECK(a.bytes <= 1000000 && a.rows > 8000);
	unit_pool_free(&pool);
}

int
main(void)
{
	test_round_trip(0);
	test_round_trip(1);
	test_round_trip(4096);
	test_round_trip(ROWS);
	test_wrong_bytes();
	test_limit();
	return unit_done();
}
