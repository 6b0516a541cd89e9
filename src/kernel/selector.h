/*
 * selector.h - which events of a timeline are meant: 'order',
 * 'order[channel=app]', 'order[channel=app,amount>=100]', '*', '*[channel=app]'.
 *
 *		selector = name [ "[" test { "," test } "]" ]
 *		test = channel ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) literal  |  channel  |  "!" channel
 *
 * A name, channel or literal that holds one of  [ ] , = ! < > "  or a space at its
 * end stands in double quotes, doubled within.  * is any event.  The pseudo channel "value" is
 * the event's own value unless a channel of that name exists.  A literal that is a number is compared
 * as one with number attributes and values; = and != otherwise compare text, true and
 * false.  The order comparisons hold for numbers only.  "channel" alone: the attribute is there; "!channel": it is not.
 * != holds for an absent attribute too.
 */
#ifndef CRM_KERNEL_SELECTOR_H
#define CRM_KERNEL_SELECTOR_H

#include "kernel/timeline.h"

#define CRM_MAX_SELECTORS 64

typedef struct crm_selectors crm_selectors;

typedef struct crm_selector_error
{
	int			selector;		/* which one, from 0 */
	size_t		position;		/* in bytes from 0 */
	const char *expected;		/* what should stand there, in English */
} crm_selector_error;

/*
 * Parses up to CRM_MAX_SELECTORS selectors (CRM_LIMIT beyond); CRM_CORRUPT with the
 * error filled in.  All memory, that of binding too, belongs to the environment.
 */
extern crm_status crm_selectors_parse(const crm_env *env, const crm_text *texts, int count, crm_selectors **selectors,
									  crm_selector_error *error);
extern void crm_selectors_free(crm_selectors *selectors);
extern int	crm_selectors_count(const crm_selectors *selectors);

/*
 * Resolves names and channels against a timeline's dictionaries.  Fast when the
 * dictionary's bytes are those of the timeline bound before.
 */
extern crm_status crm_selectors_bind(crm_selectors *selectors, const crm_timeline *timeline);

/* For the inline function below: selectors whose name an event's code has, and those of them with tests still to make. */
typedef struct crm_selectors_bound
{
	const uint64_t *by_code;	/* 2^code_bits entries */
	uint64_t	tested;			/* selectors with tests */
	uint64_t	possible;		/* union of by_code */
} crm_selectors_bound;

extern const crm_selectors_bound *crm_selectors_current(const crm_selectors *selectors);
extern uint64_t crm_selectors_test(crm_selectors *selectors, uint64_t candidates, size_t index);

/* Bit i: the cursor's event is one that selector i means. */
static inline uint64_t
crm_selectors_met(crm_selectors *selectors, const crm_selectors_bound *bound, const crm_timeline_cursor *cursor)
{
	uint64_t	met = bound->by_code[cursor->code];

	if (met & bound->tested)
		met = (met & ~bound->tested) | crm_selectors_test(selectors, met & bound->tested, cursor->index);
	return met;
}

#endif							/* CRM_KERNEL_SELECTOR_H */
