/*
 * selector_example.c - an event that a selector means.
 *
 * The tests of one attribute are looked at together.  Tried are its absence,
 * the values that the tests name, numbers just above, below and between them,
 * and a text that none of them names.
 */
#include "kernel/selector_example.h"

#include <math.h>
#include <stdio.h>

#include "kernel/selector_private.h"

/* The tests of one attribute among a selector's. */
typedef struct channel_tests
{
	const crm_selectors *selectors;
	const selector *selector;
	crm_text	channel;
} channel_tests;

static bool
same_text(crm_text a, crm_text b)
{
	return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

static bool
is_of_channel(const channel_tests *c, int test)
{
	return same_text(c->selectors->test[test].channel, c->channel);
}

static bool
absence_meets(const channel_tests *c)
{
	for (int i = c->selector->first; i < c->selector->first + c->selector->tests; i++)
	{
		test_operator operator = c->selectors->test[i].operator;

		if (is_of_channel(c, i) && operator != TEST_ABSENT && operator != TEST_NOT_EQUAL)
			return false;
	}
	return true;
}

static bool
attribute_meets(const channel_tests *c, const crm_attribute_value *value)
{
	for (int i = c->selector->first; i < c->selector->first + c->selector->tests; i++)
		if (is_of_channel(c, i) && !crm_selector_attribute_meets(&c->selectors->test[i], value))
			return false;
	return true;
}

static bool
number_meets(const channel_tests *c, double value)
{
	for (int i = c->selector->first; i < c->selector->first + c->selector->tests; i++)
	{
		const selector_test *test = &c->selectors->test[i];

		if (!is_of_channel(c, i))
			continue;
		if (test->operator == TEST_PRESENT)
			continue;
		if (test->operator == TEST_ABSENT || (!test->is_number && test->operator != TEST_NOT_EQUAL))
			return false;
		if (test->is_number &&
			!crm_selector_order_meets(test->operator, value < test->rounded ? -1 : value > test->rounded))
			return false;
	}
	return isfinite(value);
}

/* Numbers to try: those named, then beside them, then between; the count of tries is the tests' squared. */
static bool
next_number(const channel_tests *c, int round, double *number, const selector_test **literal)
{
	int			tests = c->selector->tests;
	int			i = round % tests;
	int			step = round / tests;
	const selector_test *test = &c->selectors->test[c->selector->first + i];
	const selector_test *other;

	if (step >= 5 + tests)
		return false;
	*literal = NULL;
	*number = NAN;
	if (!is_of_channel(c, c->selector->first + i) || !test->is_number)
		return true;
	switch (step)
	{
		case 0:
			*number = test->rounded;
			*literal = test;
			break;
		case 1:
			*number = test->rounded + 1;
			break;
		case 2:
			*number = test->rounded - 1;
			break;
		case 3:
			*number = nextafter(test->rounded, HUGE_VAL);
			break;
		case 4:
			*number = nextafter(test->rounded, -HUGE_VAL);
			break;
		default:
			other = &c->selectors->test[c->selector->first + step - 5];
			if (is_of_channel(c, c->selector->first + step - 5) && other->is_number)
				*number = test->rounded / 2 + other->rounded / 2;
			break;
	}
	return true;
}

static crm_status
example_value(const channel_tests *c, crm_selector_event *event)
{
	const selector_test *literal;
	double		number = 1;

	event->value_tested = true;
	if (absence_meets(c))
		return CRM_OK;
	event->has_value = true;
	for (int round = 0; next_number(c, round, &number, &literal); round++)
		if (number_meets(c, number))
		{
			event->value = number;
			return CRM_OK;
		}
	event->value = 1;			/* it only has to be there */
	return number_meets(c, event->value) ? CRM_OK : CRM_OUT_OF_RANGE;
}

static crm_status
example_attribute(const channel_tests *c, const crm_env *env, crm_selector_event *event)
{
	crm_attribute_value value = {CRM_ATTRIBUTE_TEXT, {"x", 1}};
	const selector_test *literal;
	double		number;
	bool		found;

	if (absence_meets(c))
		return CRM_OK;
	found = attribute_meets(c, &value);
	for (int i = c->selector->first; !found && i < c->selector->first + c->selector->tests; i++)
	{
		const selector_test *test = &c->selectors->test[i];

		if (!is_of_channel(c, i) || test->is_number)
			continue;
		value.kind = test->kind >= 0 ? (crm_attribute_kind) test->kind : CRM_ATTRIBUTE_TEXT;
		value.text = value.kind == CRM_ATTRIBUTE_TEXT ? test->literal : (crm_text) {"", 0};
		found = attribute_meets(c, &value);
	}
	for (int round = 0; !found && next_number(c, round, &number, &literal); round++)
	{
		value.kind = CRM_ATTRIBUTE_NUMBER;
		if (literal != NULL)
			value.text = literal->literal;
		else if (isfinite(number))
		{
			char	   *spelled = env->alloc(env->arg, 40);

			if (spelled == NULL)
				return CRM_NO_MEMORY;
			value.text = (crm_text) {spelled, (size_t) snprintf(spelled, 40, "%.17g", number)};
		}
		else
			continue;
		found = attribute_meets(c, &value);
	}
	if (!found || event->attribute_count == CRM_TIMELINE_MAX_CHANNELS)
		return CRM_OUT_OF_RANGE;
	event->attributes[event->attribute_count++] = (crm_attribute) {c->channel, value};
	return CRM_OK;
}

crm_status
crm_selector_example(const crm_selectors *selectors, int number, const crm_env *env, bool own_value,
					 crm_selector_event *event)
{
	const selector *one = &selectors->selectors[number];

	memset(event, 0, sizeof(*event));
	event->any_name = one->any;
	event->name = one->name;
	for (int i = one->first; i < one->first + one->tests; i++)
	{
		channel_tests c = {selectors, one, selectors->test[i].channel};
		bool		seen = false;

		for (int j = one->first; j < i; j++)
			seen |= is_of_channel(&c, j);
		if (seen)
			continue;
		if (own_value && c.channel.size == 5 && memcmp(c.channel.data, "value", 5) == 0)
			CRM_TRY(example_value(&c, event));
		else
			CRM_TRY(example_attribute(&c, env, event));
	}
	return CRM_OK;
}
