/*
 * explain_events.h - what crm.explain_tag knows of the customer's events.
 *
 * Rules call functions over the timeline, and each call says by its arguments
 * (event, steps, events, states; since, until) which events it looks at.  What
 * follows from other events is never reasoned about: they are really put into
 * the timeline, or left out of it, and the rule is evaluated over that.
 */
#ifndef CRM_TAG_EXPLAIN_EVENTS_H
#define CRM_TAG_EXPLAIN_EVENTS_H

#include "tag/explain.h"
#include "kernel/selector.h"
#include "kernel/timeline_write.h"

/* A call over the timeline in the rule. */
typedef struct crm_event_call
{
	FuncExpr   *expr;
	const char *text;			/* as it is written */
	char	   *value;			/* what it gives, as text; NULL for NULL */
	bool		failed;			/* its arguments or itself cannot be evaluated */
	bool		selects;		/* its arguments say which events it looks at */
	bool		by_range;		/* since and until say nothing but which events count */
	int			selector_count;
	crm_text   *selectors;		/* as written; '*' for every event */
	crm_selectors *parsed;
	TimestampTz since,			/* included; DT_NOBEGIN: open */
				until;			/* not included; DT_NOEND: open */
	bool	   *counts;			/* by number of an event up to as_of: it is one of them */
	size_t		count;
} crm_event_call;

struct crm_event_history
{
	crm_timeline_writer *writer;
	crm_timeline_event *events;	/* all that are stored, in order; numbered from 0 */
	size_t		count;
	size_t		now;			/* of them up to as_of */
	crm_timeline_event *scratch;	/* place for all of them and CRM_MORE_EVENTS */
	List	   *calls;			/* of crm_event_call *, each once */
	bool		has_values;		/* the population's events have values */
	bool		value_attribute;	/* some event has an attribute named value, which selectors mean then */
	double		budget;			/* events that may still be written */
	size_t		cut;			/* of the timeline last written for a moment: its events; SIZE_MAX: none */
	Datum		cut_timeline;
};

/* Events that are added at most. */
#define CRM_MORE_EVENTS 1000

/* Takes the timeline apart, and finds the calls of the rule over it. */
extern void crm_explain_events_begin(crm_explanation *e);
/* Takes the work of writing so many events from what is left: false when more events were written than an explanation is worth. */
extern bool crm_explain_events_afford(crm_explanation *e, size_t count);
/* The first count events of the scratch memory as a timeline, which lasts until the next one. */
extern Datum crm_explain_events_write(crm_explanation *e, size_t count);
/* Puts the events up to as_of into the scratch memory but those marked; how many there are. */
extern size_t crm_explain_events_without(crm_explanation *e, const bool *left_out);
/* "order, 19.9, {"channel": "app"}" */
extern char *crm_explain_event_text(const crm_explanation *e, size_t number);

/* ---- explain_events_change.c ---------------------------------------------------- */

/* The fewest events more, or fewer, that give another result, added to the changes. */
extern List *crm_explain_event_changes(crm_explanation *e, List *changes, bool *unsure);

/* ---- explain_events_clock.c -------------------------------------------------------- */

/* The timeline as it was, or will be without further events, at a moment; false when that is too much work. */
extern bool crm_explain_events_at(crm_explanation *e, TimestampTz moment, Datum *timeline);
/* Adds the moments at which a condition over events may change; false when they cannot be told. */
extern bool crm_explain_event_moments(crm_explanation *e, const crm_leaf *leaf, crm_moments *moments);

#endif							/* CRM_TAG_EXPLAIN_EVENTS_H */
