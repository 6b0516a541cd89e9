/*
 * fuzz_selector.c - any bytes as selectors, separated by zeros: refused at a
 * place inside the text, or bound to a timeline whose events they must part
 * into those met and those not met in the same way each time; the event that is made up
 * for one must be met by it.
 */
#include "fuzz.h"

#include "kernel/selector.h"
#include "kernel/selector_example.h"
#include "kernel/timeline_write.h"

#define TEXT(literal) {literal, sizeof(literal) - 1}

/* Events of all sorts: names usual and odd, with and without values and attributes. */
static void
make_timeline(const crm_env *env, crm_timeline *timeline)
{
	static const crm_text names[] = {TEXT("order"), TEXT("view"), TEXT("a[b]"), TEXT(""), TEXT("*")};
	static const crm_attribute attributes[] = {
		{TEXT("channel"), {CRM_ATTRIBUTE_TEXT, TEXT("app")}}, {TEXT("amount"), {CRM_ATTRIBUTE_NUMBER, TEXT("-12.50")}},
		{TEXT("vip"), {CRM_ATTRIBUTE_TRUE, TEXT("")}}, {TEXT("value"), {CRM_ATTRIBUTE_NULL, TEXT("")}},
		{TEXT("a,b"), {CRM_ATTRIBUTE_NUMBER, TEXT("0.000")}}};
	static crm_timeline_writer *writer;	/* holds the bytes */
	crm_timeline_event events[40];
	uint8_t    *bytes;
	size_t		size;

	REQUIRE(crm_timeline_writer_new(env, &writer) == CRM_OK);
	for (int i = 0; i < 40; i++)
	{
		memset(&events[i], 0, sizeof(events[i]));
		events[i].at = i / 2;
		REQUIRE(crm_timeline_writer_name(writer, names[i % 5], &events[i].name) == CRM_OK);
		REQUIRE(crm_timeline_writer_attributes(writer, attributes + i % 3, i % 4, &events[i].attributes) == CRM_OK);
		events[i].has_value = i % 3 == 0;
		events[i].value = i % 3 == 0 ? i / 4.0 - 2 : 0;
	}
	REQUIRE(crm_timeline_write(writer, events, 40, false, 0, &bytes, &size) == CRM_OK);
	REQUIRE(crm_timeline_open(bytes, size, timeline) == CRM_OK);
}

/* What is made up for a selector is an event that it means. */
static void
use_example(const crm_text *text, bool own_value)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	crm_selectors *selectors;
	crm_selector_error error;
	crm_selector_event event;
	crm_status	status;

	REQUIRE(crm_selectors_parse(&env, text, 1, &selectors, &error) == CRM_OK);
	status = crm_selector_example(selectors, 0, &env, own_value, &event);
	REQUIRE(status == CRM_OK || status == CRM_OUT_OF_RANGE);
	if (status == CRM_OK)
	{
		crm_timeline_event one = {0};
		crm_timeline_writer *writer;
		crm_timeline timeline;
		crm_timeline_cursor cursor;
		uint8_t    *bytes;
		size_t		size;

		REQUIRE(crm_timeline_writer_new(&env, &writer) == CRM_OK);
		/* a name or a text may be longer than those of a timeline are */
		if (crm_timeline_writer_name(writer, event.any_name ? (crm_text) TEXT("x") : event.name, &one.name) == CRM_OK &&
			crm_timeline_writer_attributes(writer, event.attributes, event.attribute_count, &one.attributes) == CRM_OK)
		{
			one.has_value = event.has_value;
			one.value = event.value;
			REQUIRE(crm_timeline_write(writer, &one, 1, false, 0, &bytes, &size) == CRM_OK);
			REQUIRE(crm_timeline_open(bytes, size, &timeline) == CRM_OK);
			REQUIRE(crm_selectors_bind(selectors, &timeline) == CRM_OK);
			crm_timeline_begin(&timeline, &cursor);
			REQUIRE(crm_timeline_next(&cursor));
			REQUIRE(crm_selectors_met(selectors, crm_selectors_current(selectors), &cursor) == 1);
		}
	}
	unit_pool_free(&pool);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static crm_timeline timeline;
	crm_env		env = unit_env();
	crm_text	texts[CRM_MAX_SELECTORS];
	crm_selectors *selectors;
	crm_selector_error error;
	crm_timeline_cursor cursor;
	uint64_t	met[40],
				valid;
	int			count = 0;
	size_t		begin = 0;

	if (timeline.count == 0)
		make_timeline(&env, &timeline);
	for (size_t i = 0; i <= size && count < CRM_MAX_SELECTORS; i++)
		if (i == size || data[i] == 0)
		{
			texts[count++] = (crm_text) {(const char *) data + begin, i - begin};
			begin = i + 1;
		}
	if (crm_selectors_parse(&env, texts, count, &selectors, &error) != CRM_OK)
	{
		REQUIRE(selectors == NULL && error.selector >= 0 && error.selector < count);
		REQUIRE(error.position <= texts[error.selector].size && error.expected != NULL);
		return 0;
	}
	REQUIRE(crm_selectors_count(selectors) == count);
	valid = ~UINT64_C(0) >> (64 - count);
	for (int round = 0; round < 2; round++)
	{
		const crm_selectors_bound *bound = crm_selectors_current(selectors);

		REQUIRE(crm_selectors_bind(selectors, &timeline) == CRM_OK);
		crm_timeline_begin(&timeline, &cursor);
		while (crm_timeline_next(&cursor))
		{
			uint64_t	now = crm_selectors_met(selectors, bound, &cursor);

			REQUIRE((now & ~(valid & bound->possible)) == 0);
			REQUIRE(round == 0 || now == met[cursor.index]);
			met[cursor.index] = now;
		}
	}
	crm_selectors_free(selectors);
	for (int i = 0; i < count && i < 3; i++)
		use_example(&texts[i], size & 1);
	return 0;
}
