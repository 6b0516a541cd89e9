/*
 * rule_calls.h - functions that mean something in a rule only: what stands in
 * their place is known when the rule is bound to its population (rule_bind.c).
 */
#ifndef CRM_TAG_RULE_CALLS_H
#define CRM_TAG_RULE_CALLS_H

#include "common/crm.h"
#include "nodes/primnodes.h"
#include "parser/parse_node.h"

typedef enum crm_rule_call_kind
{
	CRM_CALL_NONE,
	CRM_CALL_HAS_TAG,			/* has_tag(tag) */
	CRM_CALL_HAS_VALUE,			/* has_tag(tag, value) */
	CRM_CALL_TAG_VALUE,			/* tag_value(tag) */
	CRM_CALL_TAG_NUMERIC,		/* tag_numeric(tag) */
	CRM_CALL_PERCENTILE,		/* percentile(value) */
	CRM_CALL_RFM,				/* rfm_in_population(summary, bins) */
	CRM_CALL_LOOKALIKE,			/* lookalike(seed, features...) */
	CRM_CALL_IN_SEGMENT,		/* in_segment(expression) */
	CRM_CALL_LISTED_UNTIL		/* listed_until(list) */
} crm_rule_call_kind;

/* Which of them is a function?  CRM_CALL_NONE: an ordinary one. */
extern crm_rule_call_kind crm_rule_call(Oid function);
/* The name of the tag or list that a call gives as its first argument; NULL for calls that name none. */
extern char *crm_rule_call_name(const FuncExpr *call, crm_rule_call_kind kind);
/* Refuses a call whose name is not written out, with its place. */
extern void crm_rule_check_call(ParseState *pstate, FuncExpr *call, int location);

#endif							/* CRM_TAG_RULE_CALLS_H */
