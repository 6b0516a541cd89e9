/*
 * scan_sent.c - which rules the servers that hold the rows can evaluate.
 *
 * A rule goes where the rows are when it is one of the row alone: columns,
 * constants, as_of and functions that depend on no setting.  Other tags, lists
 * and what is known of the population are put into it as expressions and
 * constants first (rule_expand.c).
 */
#include "tag/scan_sent.h"

#include "access/relation.h"
#include "access/sysattr.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "tag/rule_bind.h"
#include "tag/scan_plan.h"
#include "tag/scan_run.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* Does the rule read the customer as a whole?  A part's row is of a type of its own. */
static bool
reads_whole_row(const crm_rule *rule)
{
	Bitmapset  *columns = NULL;

	pull_varattnos(rule->expr, 1, &columns);
	return bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, columns);
}

/* postgres_fdw sends a text whose collation comes from a column of the server's. */
static bool
any_text_column(Node *node, void *none)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var) && ((Var *) node)->varcollid == DEFAULT_COLLATION_OID)
		return true;
	return expression_tree_walker(node, any_text_column, none);
}

static bool
travels(const crm_scan_job *job, Relation source, const crm_rule *given)
{
	crm_rule	rule = *given;
	List	   *alone = list_make1(&rule);
	crm_bound  *bound = crm_rules_bind(job->population, source, job->owner, alone, job->learn ? NIL : job->tags);

	if (bound != NULL)
	{
		crm_bound_send(bound);
		crm_bound_expand(bound, alone);
	}
	if (rule.timeline || reads_whole_row(&rule))
		return false;
	return crm_scan_plan_batched(source, &rule, job->as_of) ||
		(!contain_mutable_functions(rule.expr) && (rule.type != TEXTOID || any_text_column(rule.expr, NULL)));
}

/* The parts, whatever the rules are. */
static List *
parts_of_job(const crm_scan_job *job)
{
	if (job->chosen || job->due)
		return NIL;
	if (job->dictionary && !(job->hashed && crm_key_hashes(getBaseType(crm_population_key_type(job->population)))))
		return NIL;
	return crm_shards_of(job->population->source, job->owner);
}

List *
crm_scan_parts(const crm_scan_job *job, Relation source, List *rules)
{
	List	   *parts = parts_of_job(job);
	crm_owner_session session;
	ListCell   *rule;

	if (parts == NIL)
		return NIL;
	crm_owner_begin(&session, job->owner);
	foreach(rule, rules)
		if (!travels(job, source, lfirst(rule)))
			break;
	crm_owner_end(&session);
	return rule == NULL ? parts : NIL;
}

List *
crm_scan_travelling(const crm_scan_job *job, List **rest)
{
	List	   *travelling = NIL;
	List	   *rules;
	Relation	source;
	crm_owner_session session;
	ListCell   *rule;
	ListCell   *tag;

	*rest = NIL;
	if (parts_of_job(job) == NIL)
		return list_copy(job->tags);
	source = relation_open(job->population->source, AccessShareLock);
	rules = crm_scan_read_rules(job, source);
	crm_owner_begin(&session, job->owner);
	forboth(rule, rules, tag, job->tags)
	{
		if (travels(job, source, lfirst(rule)))
			travelling = lappend(travelling, lfirst(tag));
		else
			*rest = lappend(*rest, lfirst(tag));
	}
	crm_owner_end(&session);
	relation_close(source, NoLock);
	return travelling;
}
