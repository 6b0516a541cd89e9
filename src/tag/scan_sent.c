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

/* Lists go within the text of a query, up to 42 bytes for a member by passing id. */
#define MOST_LISTED ((int64) (MaxAllocSize / 64))

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

/* rule: expanded for where it goes */
static bool
travels(const crm_scan_job *job, Relation source, crm_rule *rule)
{
	if (rule->timeline || reads_whole_row(rule))
		return false;
	return crm_scan_plan_batched(source, rule, job->as_of) ||
		(!contain_mutable_functions(rule->expr) && (rule->type != TEXTOID || any_text_column(rule->expr, NULL)));
}

/* The parts, whatever the rules are. */
static List *
parts_of_job(const crm_scan_job *job)
{
	if (job->chosen || job->due || (job->dictionary && !job->passing))
		return NIL;
	return crm_shards_of(job->population->source, job->owner);
}

/* ---- what scans share ----------------------------------------------------------------- */

struct crm_scan_shared
{
	MemoryContext context;
	Relation	source;
	List	   *tags;
	List	   *rules;			/* one for each tag */
	crm_bound  *bound;
	bool	   *travels;		/* each rule */
	bool		keys_read;
	crm_passing_ids *ids;
};

/* Asks of every rule whether it goes. */
static void
find_travelling(crm_scan_shared *shared, const crm_scan_job *job)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "crm rules expanded", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	ListCell   *cell;

	if (shared->bound != NULL)
		crm_bound_send(shared->bound, job->population->key_form != CRM_KEY_INTEGER ? "" : NULL);
	foreach(cell, shared->rules)
	{
		crm_rule	rule = *(crm_rule *) lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (shared->bound != NULL)
			crm_bound_expand(shared->bound, list_make1(&rule));
		shared->travels[foreach_current_index(cell)] = travels(job, shared->source, &rule);
	}
	if (shared->bound != NULL)
		crm_bound_forget(shared->bound);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

crm_scan_shared *
crm_scan_share(const crm_scan_job *job)
{
	MemoryContext context;
	MemoryContext old;
	crm_scan_shared *shared;
	crm_owner_session session;

	if (parts_of_job(job) == NIL)
		return NULL;
	context = AllocSetContextCreate(CurrentMemoryContext, "crm rules of scans", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	shared = palloc0(sizeof(crm_scan_shared));
	shared->context = context;
	shared->source = relation_open(job->population->source, AccessShareLock);
	shared->tags = list_copy(job->tags);
	shared->rules = crm_scan_read_rules(job, shared->source);
	shared->travels = palloc0(list_length(shared->rules) + 1);
	crm_owner_begin(&session, job->owner);
	shared->bound = crm_rules_bind(job->population, shared->source, job->owner, shared->rules, job->learn ? NIL : job->tags);
	find_travelling(shared, job);
	crm_owner_end(&session);
	MemoryContextSwitchTo(old);
	return shared;
}

void
crm_scan_share_end(crm_scan_shared *shared)
{
	relation_close(shared->source, NoLock);
	MemoryContextDelete(shared->context);
}

void
crm_scan_share_numbered(crm_scan_shared *shared)
{
	if (shared->ids != NULL)
		crm_passing_ids_free(shared->ids);
	shared->ids = NULL;
	shared->keys_read = false;
	if (shared->bound != NULL)
		crm_bound_pass_again(shared->bound);
}

crm_passing_ids *
crm_scan_shared_ids(const crm_scan_job *job)
{
	crm_scan_shared *shared = job->shared;

	if (!shared->keys_read)
	{
		MemoryContext old = MemoryContextSwitchTo(shared->context);

		shared->ids = crm_passing_ids_read(job);
		shared->keys_read = true;
		MemoryContextSwitchTo(old);
	}
	return shared->ids;
}

/* The tag's place among all; jobs have tags that are shared. */
static int
place_of(const crm_scan_shared *shared, const crm_tag *tag)
{
	ListCell   *cell;

	foreach(cell, shared->tags)
		if (lfirst(cell) == tag)
			return foreach_current_index(cell);
	elog(ERROR, "tag \"%s\" is not one of the refresh", tag->name);
}

List *
crm_scan_shared_rules(const crm_scan_job *job)
{
	List	   *rules = NIL;
	ListCell   *cell;

	foreach(cell, job->tags)
	{
		crm_rule   *rule = palloc(sizeof(crm_rule));

		*rule = *(crm_rule *) list_nth(job->shared->rules, place_of(job->shared, lfirst(cell)));
		rules = lappend(rules, rule);
	}
	return rules;
}

crm_bound *
crm_scan_shared_bound(const crm_scan_job *job, List *rules)
{
	return job->shared->bound != NULL ? crm_bound_choose(job->shared->bound, rules) : NULL;
}

List *
crm_scan_parts(const crm_scan_job *job)
{
	ListCell   *cell;

	foreach(cell, job->tags)
		if (!job->shared->travels[place_of(job->shared, lfirst(cell))])
			return NIL;
	if (job->dictionary && job->shared->bound != NULL && crm_bound_listed(job->shared->bound) > MOST_LISTED)
		return NIL;
	return parts_of_job(job);
}

List *
crm_scan_travelling(const crm_scan_shared *shared, List **rest)
{
	List	   *travelling = NIL;
	ListCell   *cell;

	*rest = NIL;
	foreach(cell, shared->tags)
		if (shared->travels[foreach_current_index(cell)])
			travelling = lappend(travelling, lfirst(cell));
		else
			*rest = lappend(*rest, lfirst(cell));
	return travelling;
}
