/*
 * test_selector_example.c - events made up for selectors: each is written into
 * a timeline, and the selector itself must mean it.
 */
#include "unit.h"

#include "kernel/selector_example.h"

static crm_text
text_of(const char *text)
{
	return (crm_text) {text, strlen(text)};
}

/* What is left behind where nothing is found is given back as a whole. */
static unit_pool pool;

/* 1: an event was found and is meant; 0: none was found; -1: one was found that is not meant. */
static int
example_of(const char *given, bool own_value, crm_selector_event *event)
{
	crm_env		env = unit_pool_env(&pool);
	crm_text	text = text_of(given);
	crm_selectors *parsed;
	crm_selector_error error;
	crm_timeline_writer *writer;
	crm_timeline_event one = {0, 0, 0, 0, false};
	crm_timeline timeline;
	crm_timeline_cursor cursor;
	uint8_t    *bytes;
	size_t		size;
	int			result = 0;

	CHECK_EQUAL(crm_selectors_parse(&env, &text, 1, &parsed, &error), CRM_OK);
	if (crm_selector_example(parsed, 0, &env, own_value, event) == CRM_OK)
	{
		CHECK_EQUAL(crm_timeline_writer_new(&env, &writer), CRM_OK);
		CHECK_EQUAL(crm_timeline_writer_name(writer, event->any_name ? text_of("whatever") : event->name, &one.name), CRM_OK);
		CHECK_EQUAL(crm_timeline_writer_attributes(writer, event->attributes, event->attribute_count, &one.attributes), CRM_OK);
		one.has_value = event->has_value;
		one.value = event->value;
		CHECK_EQUAL(crm_timeline_write(writer, &one, 1, false, 0, &bytes, &size), CRM_OK);
		CHECK_EQUAL(crm_timeline_open(bytes, size, &timeline), CRM_OK);
		CHECK_EQUAL(crm_selectors_bind(parsed, &timeline), CRM_OK);
		crm_timeline_begin(&timeline, &cursor);
		CHECK(crm_timeline_next(&cursor));
		result = crm_selectors_met(parsed, crm_selectors_current(parsed), &cursor) ? 1 : -1;
		crm_timeline_writer_free(writer);
	}
	/* a spelled number is the environment's, which the process gives back */
	crm_selectors_free(parsed);
	return result;
}

static void
test_found(void)
{
	static const char *const selectors[] = {
		"order", "*", "order[channel]", "order[!channel]", "order[channel=app]", "order[channel!=app]", "order[channel,channel!=x]",
		"order[channel=\"12\"]", "order[channel=12]", "order[channel=true]", "order[channel=null]", "order[channel!=null,channel]",
		"order[amount>5,amount<7]", "order[amount>5,amount<6]", "order[amount>5,amount<5.0000001]", "order[amount>=5,amount<=5]",
		"order[amount>=-3.5,amount!=-3.5,amount<-3]", "*[channel=app,amount>=100,!coupon]", "order[value>100]", "order[value>=100,value<=100]",
		"order[value>1,value<2]", "order[!value]", "order[value]", "order[value=0.1]", "order[value!=7]", "order[value!=7,value]", "order[value!=app,value>3]",
		"\"a [b]\"[\"c,d\"=\"e\"\"f\"]", "order[amount=1e2]", "order[amount!=0,amount!=1,amount!=2,amount>=0]"
	};

	for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++)
		for (int own_value = 0; own_value <= 1; own_value++)
		{
			crm_selector_event event;

			if (!CHECK_EQUAL(example_of(selectors[i], own_value, &event), 1) || (own_value == 0 && event.value_tested))
				fprintf(stderr, "%s, own value %d\n", selectors[i], own_value);
		}
}

static void
test_none(void)
{
	static const char *const selectors[] = {
		"order[channel=app,channel=web]", "order[amount>5,amount<5]", "order[amount,!amount]", "order[channel=app,channel>3]",
		"order[value>5,value<=5]", "order[value,!value]", "order[value=app,value>3]"
	};

	for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++)
		for (int own_value = 0; own_value <= 1; own_value++)
		{
			crm_selector_event event;

			if (!CHECK_EQUAL(example_of(selectors[i], own_value, &event), 0))
				fprintf(stderr, "%s, own value %d\n", selectors[i], own_value);
		}
}

/* As little as possible: what need not be there is not. */
static void
test_sparing(void)
{
	crm_selector_event event;

	CHECK_EQUAL(example_of("order[channel!=app,!coupon]", true, &event), 1);
	CHECK_EQUAL(event.attribute_count, 0);
	CHECK(!event.has_value && !event.value_tested && !event.any_name);
	CHECK_EQUAL(example_of("*[value>=100]", true, &event), 1);
	CHECK(event.any_name && event.has_value && event.value_tested && event.value == 100);
	CHECK_EQUAL(event.attribute_count, 0);
}

int
main(void)
{
	test_found();
	test_none();
	test_sparing();
	unit_pool_free(&pool);
	return unit_done();
}
