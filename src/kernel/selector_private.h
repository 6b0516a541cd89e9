/*
 * selector_private.h - a selector as parsed, for the files that know its inside.
 */
#ifndef CRM_KERNEL_SELECTOR_PRIVATE_H
#define CRM_KERNEL_SELECTOR_PRIVATE_H

#include "kernel/selector.h"

#define KEPT_DICTIONARIES 128	/* a power of two */

typedef enum test_operator
{
	TEST_EQUAL, TEST_NOT_EQUAL, TEST_LESS, TEST_NOT_MORE, TEST_MORE, TEST_NOT_LESS, TEST_PRESENT, TEST_ABSENT
} test_operator;

/* A number as it is written: 0.d1d2... times ten to the exponent. */
typedef struct decimal
{
	bool		negative;
	bool		zero;
	int64_t		exponent;
	const char *digits;			/* from the first digit that is not 0; points in between are skipped */
	size_t		size;
} decimal;

typedef struct selector_test
{
	crm_text	channel;
	test_operator operator;
	crm_text	literal;
	bool		is_number;
	int			kind;			/* what true, false and null are besides text, else -1 */
	decimal		number;
	double		rounded;		/* the number as a float8 */

	/* bound: */
	bool		is_value;		/* the event's own value */
	bool		absent_met;		/* the answer where the channel is absent */
	const crm_timeline_channel *at;	/* NULL: the timeline has no such channel */
	uint64_t   *met;			/* by code of the channel's value */
	size_t		met_room;
} selector_test;

typedef struct selector
{
	bool		any;			/* whatever the name */
	crm_text	name;
	int			first;			/* of its tests */
	int			tests;
} selector;

/* What the names of a dictionary mean. */
typedef struct dictionary
{
	size_t		room;			/* bytes allocated */
	uint32_t	names;
	unsigned	code_bits;
	size_t		size;			/* bytes of the names */
	uint64_t	possible;
	uint64_t	by_code[];		/* then the names as they lie in the timeline */
} dictionary;

struct crm_selectors
{
	crm_env		env;
	int			count;
	selector   *selectors;
	int			tests;
	int			tests_room;
	selector_test *test;
	char	   *text;			/* names and literals, each with a 0 behind it */
	size_t		text_used;

	crm_selectors_bound bound;
	dictionary *current;
	dictionary *kept[KEPT_DICTIONARIES];
	dictionary *large;

	/* the timeline's attributes, where some event may be tested */
	crm_timeline_values values;
	crm_timeline_channel *channels;
	size_t		channels_room;
	crm_attribute_value *entries;
	size_t		entries_room;
};

/* What an order of two makes of a test. */
static inline bool
crm_selector_order_meets(test_operator operator, int order)
{
	switch (operator)
	{
		case TEST_EQUAL:
			return order == 0;
		case TEST_NOT_EQUAL:
			return order != 0;
		case TEST_LESS:
			return order < 0;
		case TEST_NOT_MORE:
			return order <= 0;
		case TEST_MORE:
			return order > 0;
		case TEST_NOT_LESS:
			return order >= 0;
		default:
			return operator == TEST_PRESENT;
	}
}

/* Does an attribute of this value meet the test? */
extern bool crm_selector_attribute_meets(const selector_test *test, const crm_attribute_value *value);

#endif							/* CRM_KERNEL_SELECTOR_PRIVATE_H */
