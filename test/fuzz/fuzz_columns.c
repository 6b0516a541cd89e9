/*
 * fuzz_columns.c - any bytes as rows in compact columns: refused, or rows that
 * are written and read again as the same numbers.
 *
 * The first byte gives the number of columns.
 */
#include "fuzz.h"

#include "kernel/columns.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	crm_columns columns,
				again;
	double		numbers[CRM_COLUMNS_MAX_BLOCK],
				same[CRM_COLUMNS_MAX_BLOCK];

	if (size == 0)
		return 0;
	crm_columns_init(&columns, &env, 1 + data[0], SIZE_MAX);
	if (crm_columns_merge(&columns, data + 1, size - 1) == CRM_OK)
	{
		size_t		written = crm_columns_size(&columns);
		uint8_t    *bytes = env.alloc(env.arg, written + 1);

		REQUIRE(written == size - 1);
		crm_columns_write(&columns, bytes);
		REQUIRE(memcmp(bytes, data + 1, written) == 0);
		crm_columns_init(&again, &env, columns.width, SIZE_MAX);
		for (size_t part = 0; part < crm_columns_parts(&columns); part++)
			for (uint32_t i = 0; i < crm_columns_part_rows(&columns, part); i++)
			{
				double	   *row;

				REQUIRE(crm_columns_add(&again, &row) == CRM_OK);
				for (uint32_t c = 0; c < columns.width; c++)
				{
					crm_columns_read(&columns, part, c, numbers);
					row[c] = numbers[i];
				}
				crm_columns_added(&again);
				if (again.rows > 64)
					break;
			}
		for (uint32_t c = 0; columns.rows <= 64 && c < columns.width; c++)
		{
			uint32_t	row = 0;

			crm_columns_read(&again, 0, c, same);
			for (size_t part = 0; part < crm_columns_parts(&columns); part++)
			{
				crm_columns_read(&columns, part, c, numbers);
				for (uint32_t i = 0; i < crm_columns_part_rows(&columns, part); i++, row++)
					REQUIRE(isnan(numbers[i]) ? isnan(same[row]) : numbers[i] == same[row]);
			}
		}
	}
	unit_pool_free(&pool);
	return 0;
}
