/*
 * selector_example.h - an event that a selector means: for saying what would
 * have to happen.
 */
#ifndef CRM_KERNEL_SELECTOR_EXAMPLE_H
#define CRM_KERNEL_SELECTOR_EXAMPLE_H

#include "kernel/selector.h"
#include "kernel/timeline_write.h"

typedef struct crm_selector_event
{
	bool		any_name;		/* whatever it is called */
	crm_text	name;
	size_t		attribute_count;
	crm_attribute attributes[CRM_TIMELINE_MAX_CHANNELS];
	bool		has_value;
	double		value;
	bool		value_tested;	/* the selector asks for the event's own value */
} crm_selector_event;

/*
 * Makes up an event that meets all tests of a selector, with as few attributes
 * as possible.  own_value: "value" means the event's own, as no event has an
 * attribute of that name.  Texts belong to the selectors or to the environment.
 * CRM_OUT_OF_RANGE where none is found: the tests contradict each other, or leave so little
 * room between numbers that none of those tried lies there.
 */
extern crm_status crm_selector_example(const crm_selectors *selectors, int number, const crm_env *env, bool own_value,
									   crm_selector_event *event);

#endif							/* CRM_KERNEL_SELECTOR_EXAMPLE_H */
