/*
 * scan_plan.h - how the rules of one population run in one scan.
 *
 * refresh_tags runs
 *
 *   SELECT tag_scan_agg(plan, id, scope, <arguments>) FROM source AS customer
 *
 * Rules that are comparisons of columns with constants, ranges, IN, NULL tests
 * and their and/or/not (and CASE over such conditions with constant results)
 * are compiled into a program over batches of column values; the arguments then
 * hold just the columns.  All other rules stand among the arguments as
 * expressions, gathered in one boolean[], one text[] and one numeric[], and are
 * evaluated by the executor.  The plan says which is which and travels as a
 * constant, so that parallel workers have it.
 */
#ifndef CRM_SCAN_PLAN_H
#define CRM_SCAN_PLAN_H

#include "common/crm.h"
#include "kernel/rule_batch.h"
#include "kernel/tag_sets.h"
#include "lib/stringinfo.h"
#include "nodes/params.h"
#include "nodes/pg_list.h"
#include "tag/tag.h"
#include "utils/relcache.h"
#include "utils/timestamp.h"

/*
 * Parameters of a rule's stored text and of the arguments: as_of, of type
 * timestamptz, and the customer's timeline.  Queries have the plan beside them,
 * and the customer's first event behind as_of.
 */
#define CRM_RULE_AS_OF_PARAM 1
#define CRM_RULE_TIMELINE_PARAM 2
#define CRM_RULE_PLAN_PARAM 3
#define CRM_RULE_KEYS_PARAM 4	/* of a scan of chosen customers: their keys as text, where they are not their own ids, and their ids */
#define CRM_RULE_IDS_PARAM 5
#define CRM_RULE_NEXT_EVENT_PARAM 6
/* What rules were bound to (rule_bind.h) has numbers from here on. */
#define CRM_RULE_FIRST_BOUND 7

/* A rule as parsed from its author's or from its stored text. */
typedef struct crm_rule
{
	const char *text;			/* what was parsed */
	Node	   *expr;			/* analysed; Vars of the source have varno 1; as_of is Param 1 */
	Oid			type;			/* BOOLOID, TEXTOID or NUMERICOID (coerced) */
	char	   *qualified;		/* deparsed with an empty search_path; as_of stands as $1, timeline as $2 */
	bool		timeline;		/* it reads the timeline */
	Node	   *clock;			/* expr for the due list, where it is another one (rule_bind.h) */
	const char *tag_name;		/* for errors of the scan; filled in by the caller, may be NULL */
	List	   *bases;			/* bound: names of the tags that its calls name */
	List	   *rests;			/* bound: the tags that it rests on, by way of others too; crm_tag * */
	List	   *statistics;		/* bound: what it needs to know of the population, crm_bound_statistic *, by way of its bases too */
} crm_rule;

/*
 * The settings under which stored text is written and read: nothing but
 * pg_catalog on the search_path, and fixed forms of dates and numbers.  Enter
 * returns what leave takes; an error in between undoes them by itself.  A query
 * that holds stored text is to be parsed between the two.
 */
extern int	crm_rule_enter(void);
extern void crm_rule_leave(int level);

/*
 * Parses and checks one rule with the current search_path: exactly one SQL
 * expression of an allowed kind over the source's columns, customer, as_of
 * and, where the population has events, timeline.  Everything else is refused
 * with its position and a hint.
 */
extern crm_rule *crm_rule_parse(Relation source, const char *text, bool with_timeline);
/*
 * Parses a stored rule again (empty search_path, $1 is as_of, $2 timeline).
 * Like all parsing it runs input functions of types: call it as the tag's owner.
 */
extern crm_rule *crm_rule_read(Relation source, const char *qualified);

/*
 * Plans the rules for one moment: what depends on as_of alone is computed now,
 * with the session's TimeZone, and only functions of PostgreSQL itself are run
 * for it.  force_executor keeps every rule out of the batch (for the property
 * test that both ways agree).  The argument list starts with a comma when it is
 * not empty: ", customer.age, customer.spent, ARRAY[...]".
 */
extern void crm_scan_plan_make(Relation source, List *rules, TimestampTz as_of, bool force_executor,
							   bytea **plan, char **arguments);
/* Would the rule run over batches of column values? */
extern bool crm_scan_plan_batched(Relation source, crm_rule *rule, TimestampTz as_of);

/*
 * The parameters of a query that holds stored rules, for SPI: they tell the
 * parser, too, what each of them is.  Where a rule reads the timeline, the
 * query's FROM has to hold what crm_rule_join_timelines appends.
 */
extern ParamListInfo crm_rule_query_params(TimestampTz as_of, const bytea *plan);
/* Gives the keys and ids of a scan of chosen customers; as parameters they show in no error. */
extern void crm_rule_query_choose(ParamListInfo params, Datum keys, Datum ids);
/* Joins the customers' timelines, cut at as_of, on an expression for the customer's id. */
extern void crm_rule_join_timelines(StringInfo sql, const crm_population *population, const char *id);
/* The same, cut at what an expression gives. */
extern void crm_rule_join_timelines_at(StringInfo sql, const crm_population *population, const char *id, const char *at);
/*
 * Timelines cut at as_of, and beside them cut at what an expression gives.  Behind
 * that, joins what a rule's text says of the later ones, a column of that name; an
 * alias has to follow.
 */
extern void crm_rule_join_two_timelines(StringInfo sql, const crm_population *population, const char *id, const char *later);
extern void crm_rule_append_later(StringInfo sql, const char *expression, const char *name);
/* As the first, made from the rows of events as the active snapshot sees them; of the ids alone when they are chosen. */
extern void crm_rule_join_fresh_timelines(StringInfo sql, const crm_population *population, bool chosen, const char *id);
/* Within SPI: 55000 unless timelines are stored, 42501 unless the current user may read them all. */
extern void crm_rule_require_timelines(const crm_population *population);
/* Within SPI: may the current user read them all? */
extern bool crm_rule_may_read_timelines(const crm_population *population);

/* ---- in the aggregate -------------------------------------------------- */

typedef struct crm_scan crm_scan;	/* decoded plan, one batch of rows, results */

/* Decodes and checks a plan (hostile until validated: anybody may call the aggregate). */
extern crm_scan *crm_scan_new(const bytea *plan, MemoryContext context);
extern int	crm_scan_rules(const crm_scan *scan);
extern bool crm_scan_rule_is_text(const crm_scan *scan, int rule);
extern bool crm_scan_rule_is_number(const crm_scan *scan, int rule);
/* The tag's name, for errors; empty when none was given. */
extern const char *crm_scan_rule_name(const crm_scan *scan, int rule);
/* Are the arguments of these types?  42804 otherwise; to be asked before the first row. */
extern void crm_scan_check(crm_scan *scan, const Oid *types, int count);
extern bool crm_scan_checked(const crm_scan *scan);
/* Takes the arguments as row `row` (0 ... CRM_BATCH_ROWS - 1) of the batch. */
extern void crm_scan_row(crm_scan *scan, const NullableDatum *arguments, int row);
/* Evaluates all rules over the first `rows` rows of the batch. */
extern void crm_scan_run(crm_scan *scan, int rows);
/* Boolean rule: one bit a row, CRM_BATCH_WORDS words, bits past `rows` zero. */
extern const uint64 *crm_scan_truth(const crm_scan *scan, int rule);
/* Text rule: code of each row's value, 0 for none; codes stay valid for the scan's life. */
extern const uint16 *crm_scan_codes(const crm_scan *scan, int rule);
/* Numeric rule: the number of each row. */
extern const crm_tag_number *crm_scan_numbers(const crm_scan *scan, int rule);
/* The values of a text rule met so far: codes 1 ... count. */
extern int	crm_scan_value_count(const crm_scan *scan, int rule);
extern const char *crm_scan_value(const crm_scan *scan, int rule, int code);
/*
 * Code of a value, added when it is new (54000 past
 * crm_analytics.max_tag_values): merging another scan's codes.
 */
extern uint16 crm_scan_value_code(crm_scan *scan, int rule, const char *value);

/* ---- define.c -------------------------------------------------------------- */

/* 42501 unless the owner can read what his rule reads: else every refresh of the population would fail. */
extern void crm_rule_require_columns(const crm_population *population, const crm_rule *rule, Oid owner);

#endif							/* CRM_SCAN_PLAN_H */
