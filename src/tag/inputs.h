/*
 * inputs.h - what rules are made from, how it looked when they were evaluated,
 * and whether it has changed since.
 */
#ifndef CRM_TAG_INPUTS_H
#define CRM_TAG_INPUTS_H

#include "tag/scan_plan.h"
#include "tag/tag.h"

typedef struct crm_input
{
	const char *kind;			/* column, events, event, function, model, moment, table column, tag, view */
	char	   *name;
	char	   *definition;		/* a type, or a hash of what defines it; NULL: nothing that changes */
	char	   *mark;			/* which row of the system's catalogue that was; NULL as the definition */
} crm_input;

/* What a parsed rule is made from, each once, by kind and name.  To be called as the tag's owner. */
extern List *crm_rule_inputs(const crm_population *population, const crm_rule *rule);
/* Keeps them with the tag, in place of those kept before. */
extern void crm_inputs_store(int32 tag_id, List *inputs);
/* What has changed since, in words; NULL when nothing has. */
extern char *crm_inputs_cause(const crm_population *population, int32 tag_id);
/* A warning for each tag of which something has, once in a statement. */
extern void crm_inputs_warn(const crm_population *population, Datum *tag_ids, int tag_count);
extern void crm_inputs_warn_list(const crm_population *population, List *tags);
/*
 * Before a refresh, a warning for each tag of which something has changed.
 * Behind it, what those returned are made from is kept anew: the sets are of it.
 */
extern List *crm_inputs_before_refresh(const crm_population *population, List *tags);
extern void crm_inputs_after_refresh(const crm_population *population, List *changed);

#endif							/* CRM_TAG_INPUTS_H */
