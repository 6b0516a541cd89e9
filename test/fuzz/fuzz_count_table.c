/*
 * fuzz_count_table.c - any bytes as rows counted by a few numbers: refused, or
 * counts that no row is lost from, and the same again by way of bytes.
 *
 * The first byte gives the width, and how many of the numbers stay exact; the
 * second the cap.  What is taken is read into a second table twice: the rows
 * are then twice as many.
 */
#include "fuzz.h"

#include "kernel/count_table.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	crm_count_table table;
	crm_count_table again;
	uint32_t	width;
	uint32_t	exact;
	uint32_t	cap;

	if (size < 2 || size > 65536)
		return 0;
	width = 1 + data[0] % CRM_COUNT_WIDTH;
	exact = data[0] / CRM_COUNT_WIDTH % (width + 1);
	cap = 1 + data[1];
	crm_counts_init(&table, &env, width, exact, cap);
	crm_counts_init(&again, &env, width, exact, cap);
	if (crm_counts_read(&table, data + 2, size - 2) == CRM_OK)
	{
		uint8_t    *bytes = malloc(crm_counts_size(&table));
		uint8_t    *second;
		crm_count  *entries;
		uint32_t	count;
		uint64_t	rows = 0;

		REQUIRE(table.count <= cap);
		REQUIRE(crm_counts_sorted(&table, &env, &entries, &count) == CRM_OK && count == table.count);
		for (uint32_t i = 0; i < count; i++)
		{
			REQUIRE(entries[i].rows > 0);
			rows += entries[i].rows;
			for (uint32_t k = 0; k < width; k++)
				REQUIRE(isfinite(entries[i].key[k]));
		}
		REQUIRE(rows == table.rows && rows <= CRM_COUNT_MAX_ROWS);

		REQUIRE(crm_counts_write(&table, bytes) == CRM_OK);
		REQUIRE(crm_counts_read(&again, bytes, crm_counts_size(&table)) == CRM_OK);
		REQUIRE(again.count == table.count && again.dropped == table.dropped);
		second = malloc(crm_counts_size(&again));
		REQUIRE(crm_counts_write(&again, second) == CRM_OK);
		REQUIRE(memcmp(bytes, second, crm_counts_size(&table)) == 0);
		if (rows > CRM_COUNT_MAX_ROWS / 2)
			REQUIRE(crm_counts_read(&again, bytes, crm_counts_size(&table)) == CRM_OUT_OF_RANGE);
		else
		{
			REQUIRE(crm_counts_read(&again, bytes, crm_counts_size(&table)) == CRM_OK);
			REQUIRE(again.rows == 2 * rows && again.count == table.count);
		}
		free(bytes);
		free(second);
	}
	unit_pool_free(&pool);
	return 0;
}
