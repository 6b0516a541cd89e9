/*
 * rule_bind.h - rules that look beyond their customer's row: at other tags, at
 * the whole population, at imported lists.
 *
 * Such a rule names what it needs by calls (rule_calls.h).  Bound, it exists
 * twice.  As an expression that stands for itself: in place of a call stands
 * the other tag's rule, or a function of the row and a constant.  Batches are
 * compiled from it, explanations and lineage read it.  And as text for the
 * executor: there another tag is a column, computed once for a customer however
 * many rules rest on it, and what is known of the population is a parameter.
 */
#ifndef CRM_TAG_RULE_BIND_H
#define CRM_TAG_RULE_BIND_H

#include "common/crm.h"
#include "lib/stringinfo.h"
#include "nodes/bitmapset.h"
#include "nodes/params.h"
#include "nodes/pg_list.h"
#include "tag/scan_plan.h"
#include "tag/tag.h"

typedef struct crm_bound crm_bound;

/*
 * Binds the rules: their expr and qualified are replaced, bases and timeline
 * filled in.  NULL, and rules as they were, when none of them needs it.  To be
 * called as the owner of the tags.  stored: NIL for bases as they are now, else
 * tags for whose stored sets single customers are evaluated.  42704 for what is not there, 42P19 for a tag
 * that rests on itself, 42501 for tags of another owner.
 *
 * Expressions are complete after crm_bound_expand only, which wants what is
 * known of the population first: crm_bound_statistics (statistic.h).
 */
extern crm_bound *crm_rules_bind(const crm_population *population, Relation source, Oid owner, List *rules, List *stored);
extern void crm_bound_expand(crm_bound *bound, List *rules);
/* Before crm_bound_expand: fills in the rules' clock, which no list stands in. */
extern void crm_bound_expand_clock(crm_bound *bound, List *rules);
/* Before crm_bound_expand: the expressions are for this customer only, and hold nothing of others. */
extern void crm_bound_for_customer(crm_bound *bound, int64 id);
/*
 * Before crm_bound_expand: the expressions are evaluated by servers that have
 * neither our catalogue nor the dictionary.  What is known stands in them as
 * parameters; the text passing, where it is not NULL, for the customer's id, as an
 * expression of his row.
 */
extern void crm_bound_send(crm_bound *bound, const char *passing);
/* Before crm_bound_expand, after another: what that made is not used again; the expressions are evaluated here. */
extern void crm_bound_forget(crm_bound *bound);
/*
 * Of rules that are bound together, some that a query holds: the bound, for which
 * only what they need counts from now on; NULL when they need nothing.
 */
extern crm_bound *crm_bound_choose(crm_bound *bound, List *rules);
/*
 * Behind crm_bound_send and crm_bound_expand: makes the lists that the rules ask
 * ones of passing ids, once; members (bigint[], ascending) and
 * until when they are on it (bigint[], microseconds since 1970, the greatest number:
 * for ever) become the same of passing ids.
 */
typedef void (*crm_bound_pass_list) (void *arg, Datum members, Datum until, Datum *passing, Datum *passing_until);
extern void crm_bound_pass_lists(crm_bound *bound, crm_bound_pass_list pass, void *arg);
/* Members of all lists that the rules ask. */
extern int64 crm_bound_listed(const crm_bound *bound);
/* Passing ids are others by now. */
extern void crm_bound_pass_again(crm_bound *bound);
/* The columns, as pull_varattnos has them, of the rules that the bound ones rest on are added. */
extern void crm_bound_columns(const crm_bound *bound, Bitmapset **columns);
/* The names of the lists that the rules ask. */
extern List *crm_bound_lists(const crm_bound *bound);
/* Constants of expressions that hold what is known of the population or of lists have this location: they are not for showing. */
#define CRM_BOUND_LOCATION (-100)
/* Both, for a look at the expressions only: nothing is known of the population. */
extern void crm_rule_bind_alone(const crm_population *population, Relation source, Oid owner, crm_rule *rule);

/* ---- in queries ------------------------------------------------------------- */

/* Does a text of a query name what was bound? */
extern bool crm_bound_named(const crm_bound *bound, const char *text);
/* What the FROM of such a query has to hold, behind the timelines; id is an expression for the customer's id. */
extern void crm_bound_join(StringInfo sql, const crm_bound *bound, const char *id);
/* crm_rule_query_params with what was bound; bound may be NULL. */
extern ParamListInfo crm_bound_query_params(TimestampTz as_of, const bytea *plan, const crm_bound *bound);

/* ---- what is known of the population (for statistic.c) -------------------------- */

typedef struct crm_bound_statistic
{
	char	   *call;			/* as rules write it: the same text is the same statistic */
	const char *kind;			/* for the catalogue */
	char	   *aggregate;		/* the call of the aggregate that finds it */
	Oid			type;			/* of its result */
	int			param;
	int			level;			/* 0: needs no other statistic */
	bool		known;
	Datum		value;
	bool		isnull;
} crm_bound_statistic;

extern List *crm_bound_list(const crm_bound *bound);	/* of crm_bound_statistic *, ascending by level */
extern void crm_bound_learn(crm_bound *bound, crm_bound_statistic *statistic, Datum value, bool isnull);

/* Within SPI: all of it is found as of an instant in the rows that FROM, a clause, gives. */
extern void crm_bound_learn_from(crm_bound *bound, const char *from, TimestampTz as_of);

#endif							/* CRM_TAG_RULE_BIND_H */
