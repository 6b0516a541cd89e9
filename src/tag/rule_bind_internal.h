/*
 * rule_bind_internal.h - what rules were bound to, for the files that bind them
 * and that write their queries.
 */
#ifndef CRM_TAG_RULE_BIND_INTERNAL_H
#define CRM_TAG_RULE_BIND_INTERNAL_H

#include "common/crm.h"
#include "tag/rule_bind.h"
#include "tag/rule_calls.h"

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
	bool		used;			/* by the rules at hand */
} crm_bound_base;

/* A list that a rule asks. */
typedef struct crm_bound_asked
{
	char	   *name;
	int64		members;
	int			forever;		/* parameters that hold the list */
	int			until;
	int			param;			/* column: until when the customer is on it */
	bool		used;			/* by the rules at hand */
	int			passing;		/* parameters that hold the list by passing ids; 0: nobody has asked */
	int			passing_until;
	bool		passed;			/* they have been filled */
} crm_bound_asked;

/* A segment that a rule asks, as an expression that is not bound. */
typedef struct crm_bound_segment
{
	char	   *segment;
	Node	   *expr;
} crm_bound_segment;

#define CRM_BOUND_VALUE (-1)
#define CRM_BOUND_PASSING (-2)	/* the expression for the customer's passing id */

/* What a parameter of number CRM_RULE_FIRST_BOUND or more stands for. */
typedef struct crm_bound_slot
{
	Oid			type;
	int			level;			/* column of the bases of this level, CRM_BOUND_VALUE, or CRM_BOUND_PASSING */
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
	bool		sent;			/* expressions are for servers that know no keys */
	const char *passing;		/* an expression for the customer's id there, where his key is not his id */
	int			passing_param;	/* that stands for it; 0: none yet */
	List	   *path;			/* names of the tags whose rules are being bound */
	int			nodes;
};

/* ---- parameters (rule_bind_call.c) ------------------------------------------ */

/* A new parameter's number. */
extern int	crm_bound_add_slot(crm_bound *bound, Oid type, int level);
extern void crm_bound_set(crm_bound *bound, int number, Datum value, bool isnull);
/* A parameter that was bound, as a node; its value as one. */
extern Node *crm_bound_node(const crm_bound *bound, int number);
extern Node *crm_bound_value_node(const crm_bound *bound, int number);

/* ---- calls ------------------------------------------------------------------ */

/* Does an expression call for something beyond its customer's row?  A walker. */
extern bool crm_rule_has_call(Node *node, void *context);
/* A call of one of our functions; variadic_any: its arguments but the first may be of any type. */
extern Node *crm_call_ours(const char *name, List *args, bool variadic_any);

extern crm_bound_base *crm_bound_find_base(const crm_bound *bound, const char *name);
/* 42804 where a tag's values are not of the type that the call reads. */
extern void crm_bound_check_use(const crm_tag *tag, crm_rule_call_kind kind);
/* What a call says, of the base's value. */
extern Node *crm_bound_use_base(const crm_bound_base *base, crm_rule_call_kind kind, Node *value, Node *compared);

/* The list of this name, read when it is asked first. */
extern crm_bound_asked *crm_bound_ask_list(crm_bound *bound, const char *name);
extern Node *crm_bound_ask_passing(crm_bound *bound, crm_bound_asked *list);

/* A segment's expression, its own calls not bound. */
extern Node *crm_bound_segment_expr(crm_bound *bound, const char *segment);

extern crm_bound_statistic *crm_bound_find_statistic(const crm_bound *bound, const char *call);
/* The function that reads a statistic, its value put among the call's arguments. */
extern Node *crm_bound_use_statistic(crm_rule_call_kind kind, List *args, Node *value);

#endif							/* CRM_TAG_RULE_BIND_INTERNAL_H */
