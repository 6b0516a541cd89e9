/*
 * fuzz_funnel_value.c - any bytes as a stored funnel: refused, or read and
 * written again to the same bytes.
 */
#include "fuzz.h"

#include "kernel/funnel_value.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	crm_funnel_reader reader;
	crm_funnel_entry entry;
	uint8_t    *copy;
	size_t		used;

	if (crm_funnel_open(&reader, data, size) != CRM_OK)
		return 0;
	REQUIRE(reader.left <= size);
	copy = malloc(CRM_FUNNEL_HEAD_SIZE + size + CRM_FUNNEL_ENTRY_SIZE(CRM_MAX_CONDITIONS, size));
	used = crm_funnel_put_head(copy, &reader.head, reader.left);
	while (reader.left > 0)
	{
		size_t		written;

		if (crm_funnel_read(&reader, &entry) != CRM_OK)
			break;
		REQUIRE(entry.level >= 1 && entry.level <= reader.head.steps);
		for (int i = 1; i < entry.level; i++)
			REQUIRE(entry.times[i - 1] <= entry.times[i]);
		written = crm_funnel_put_entry(copy + used, &reader.head, &entry);
		REQUIRE(written <= CRM_FUNNEL_ENTRY_SIZE(entry.level, entry.label_length));
		used += written;
		REQUIRE(used <= size);
		if (reader.left == 0)
			REQUIRE(used == size && memcmp(copy, data, size) == 0);
	}
	free(copy);
	return 0;
}
