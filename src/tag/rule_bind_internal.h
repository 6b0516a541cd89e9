/*
 * rule_bind_internal.h - what rules were bound to, for the files that bind them
 * and that write their queries.
 */
#ifndef CRM_TAG_RULE_BIND_INTERNAL_H
#define CRM_TAG_RULE_BIND_INTERNAL_H

#include "common/crm.h"
#include "tag/rule_bind.h"

/* A tag that a rule rests on. */
typedef struct crm_bound_base
{
	crm_tag    *tag;
	crm_rule   *rule;			/* as stored */
	char	   *text;			/* for the executor */
	Node	   *expanded;
	int			nodes;			/* of it */
	int			param;
	int			level;			/* 0: rests on no other */
	int			statistic_level;	/* of what it needs to know of the population, from 1; 0: nothing */
} crm_bound_base;

/* A list that a rule asks. */
typedef struct crm_bound_asked
{
	char	   *name;
	int			forever;		/* parameters that hold the list */
	int			until;
	int			param;			/* column: until when the customer is on it */
} crm_bound_asked;

/* A segment that a rule asks, as an expression that is not bound. */
typedef struct crm_bound_segment
{
	char	   *segment;
	Node	   *expr;
} crm_bound_segment;

/* What a parameter of number CRM_RULE_FIRST_BOUND or more stands for. */
typedef struct crm_bound_slot
{
	Oid			type;
	int			level;			/* column of the bases of this level, or -1: a value */
	Datum		value;
	bool		isnull;
} crm_bound_slot;

struct crm_bound
{
	const crm_population *population;
	Relation	source;
	Oid			owner;
	MemoryContext context;
	List	   *params;			/* of crm_bound_slot * */
	List	   *bases;			/* of crm_bound_base * */
	List	   *lists;			/* of crm_bound_asked * */
	List	   *statistics;		/* of crm_bound_statistic * */
	List	   *segments;		/* of crm_bound_segment * */
	List	   *versions;		/* of bases, that count; else the current ones (crm_base_version *) */
	int			levels;			/* of columns */
	int64		customer;		/* expressions are for this one; -1: for all */
	bool		lists_named;	/* expressions have lists as parameters */
	List	   *path;			/* names of the tags whose rules are being bound */
	int			nodes;
};

/* A parameter that was bound, as a node. */
extern Node *crm_bound_node(const crm_bound *bound, int number);

#endif							/* CRM_TAG_RULE_BIND_INTERNAL_H */
