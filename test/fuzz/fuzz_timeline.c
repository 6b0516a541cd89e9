/*
 * fuzz_timeline.c - any bytes as a timeline.  What validates is read in full
 * and written again to the same bytes; what merely opens, as a damaged stored
 * value may, is read and taken apart all the same.
 */
#include "fuzz.h"

#include "kernel/timeline_write.h"

/* Damage within few bytes may promise many events; no more are looked at. */
#define MOST_EVENTS 100000

/* A number that hangs on all that reading gives, so that nothing is left out. */
static uint64_t
read_all(const crm_timeline *t)
{
	crm_text   *names = malloc(sizeof(crm_text) * (t->names + (size_t) 1));
	crm_timeline_channel channels[CRM_TIMELINE_MAX_CHANNELS];
	crm_timeline_cursor cursor;
	crm_timeline_values values;
	uint64_t	sum = 0;

	crm_timeline_names(t, names);
	for (uint32_t i = 0; i < t->names; i++)
		for (size_t j = 0; j < names[i].size; j++)
			sum = sum * 31 + (uint8_t) names[i].data[j];
	crm_timeline_channels(t, channels);
	for (uint32_t c = 0; c < t->channels; c++)
	{
		crm_attribute_value *dictionary = malloc(sizeof(crm_attribute_value) * (channels[c].values + (size_t) 1));

		crm_timeline_channel_values(&channels[c], dictionary);
		for (uint32_t v = 0; v < channels[c].values; v++)
			for (size_t j = 0; j < dictionary[v].text.size; j++)
				sum = sum * 31 + (uint8_t) dictionary[v].text.data[j];
		free(dictionary);
	}
	crm_timeline_begin(t, &cursor);
	crm_timeline_values_begin(t, &values);
	while (cursor.next < MOST_EVENTS && crm_timeline_next(&cursor))
	{
		double		value;

		REQUIRE(cursor.code < t->names);
		sum = sum * 31 + (uint64_t) cursor.at + cursor.code;
		if (crm_timeline_value(&values, cursor.index, &value))
			sum += value > 0;
		for (uint32_t c = 0; c < t->channels; c++)
		{
			uint32_t	code = crm_timeline_channel_code(&channels[c], cursor.index);

			REQUIRE(code <= channels[c].values);
			sum = sum * 31 + code;
		}
	}
	/* in any order */
	for (size_t i = t->count; i-- > 0 && t->count < MOST_EVENTS;)
	{
		double		value;

		sum += crm_timeline_value(&values, i * 7 % t->count, &value);
	}
	free(names);
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	crm_env		env = unit_env();
	uint8_t    *copy = malloc(size ? size : 1);		/* a sanitizer sees a step beyond it */
	crm_timeline t;

	memcpy(copy, data, size);
	if (crm_timeline_open(copy, size, &t) == CRM_OK && t.count < MOST_EVENTS)
	{
		bool		valid = crm_timeline_validate(&env, copy, size) == CRM_OK;
		crm_timeline_event *events = malloc(sizeof(crm_timeline_event) * (t.count + 1));
		crm_timeline_writer *writer;
		uint8_t    *bytes;
		size_t		again,
					count;
		crm_status	status;

		(void) read_all(&t);
		REQUIRE(crm_timeline_writer_new(&env, &writer) == CRM_OK);
		status = crm_timeline_load(writer, &t, INT64_MIN, INT64_MAX, events, &count);
		REQUIRE(status == CRM_OK || !valid);
		if (status == CRM_OK)
		{
			/* Even what is damaged becomes a sound timeline, or is refused. */
			status = crm_timeline_write(writer, events, count, false, 3, &bytes, &again);
			REQUIRE(status == CRM_OK || !valid);
			if (valid)
				REQUIRE(count == t.count && again == size + 3 && memcmp(bytes + 3, copy, size) == 0);
			if (status == CRM_OK)
			{
				crm_timeline rewritten;

				REQUIRE(crm_timeline_open(bytes + 3, again - 3, &rewritten) == CRM_OK);
				REQUIRE(rewritten.count == count);
				REQUIRE(read_all(&rewritten) == read_all(&t) || !valid);
			}
		}
		crm_timeline_writer_free(writer);
		free(events);
	}
	else
		REQUIRE(size > 0 || crm_timeline_validate(&env, copy, size) == CRM_CORRUPT);
	free(copy);
	return 0;
}
