/*
 * fuzz_sequence.c - any bytes as a pattern: refused at a place inside the text,
 * or matched over events that the same bytes give, where the two matchers must
 * agree.
 *
 * The first byte is the number of conditions, the second how many bytes of
 * events follow (two for each); the rest is the pattern.
 */
#include "fuzz.h"

#include "kernel/sequence.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	crm_env		env = unit_env();
	static crm_pattern pattern;
	crm_pattern_error error;
	crm_event	events[128];
	int64_t		times[CRM_PATTERN_MAX_ELEMENTS];
	uint64_t	matches,
				any;
	size_t		count;
	int			conditions,
				found,
				asked = 0;
	crm_status	status;

	if (size < 2)
		return 0;
	conditions = data[0] % CRM_MAX_CONDITIONS + 1;
	count = data[1] / 2;
	data += 2;
	size -= 2;
	if (count > size / 2)
		count = size / 2;
	for (size_t i = 0; i < count; i++)
	{
		events[i].at = (i == 0 ? 0 : events[i - 1].at) + data[2 * i] * INT64_C(250000);
		events[i].met = UINT64_C(1) << data[2 * i + 1] % conditions | 1;
	}
	data += 2 * count;
	size -= 2 * count;
	status = crm_pattern_parse((const char *) data, size, conditions, &pattern, &error);
	if (status != CRM_OK)
	{
		REQUIRE(error.position <= size);
		REQUIRE((status == CRM_LIMIT) == (error.fault == CRM_PATTERN_TOO_LONG));
		return 0;
	}
	REQUIRE(pattern.count >= 0 && pattern.count <= CRM_PATTERN_MAX_ELEMENTS);
	for (int i = 0; i < pattern.count; i++)
	{
		REQUIRE(pattern.element[i].condition >= 0 && pattern.element[i].condition <= conditions);
		asked += pattern.element[i].condition > 0;
	}
	REQUIRE(crm_events_sort(&env, events, count) == CRM_OK);
	REQUIRE(crm_sequence_count(&env, &pattern, events, count, UINT64_MAX, &matches) == CRM_OK);
	REQUIRE(crm_sequence_count(&env, &pattern, events, count, 1, &any) == CRM_OK);
	REQUIRE(crm_sequence_events(&env, &pattern, events, count, times, &found) == CRM_OK);
	REQUIRE(matches <= count && any == (matches > 0));
	REQUIRE(found <= asked && (matches == 0 || found == asked));
	for (int i = 1; i < found; i++)
		REQUIRE(times[i - 1] <= times[i]);
	return 0;
}
