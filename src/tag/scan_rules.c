/*
 * scan_rules.c - the rules of a scan: read as stored, bound to what they call
 * for, and what they have to know of the whole population learnt first.
 */
#include "common/crm.h"

#include "catalog/pg_type.h"
#include "optimizer/optimizer.h"
#include "tag/due.h"
#include "tag/rule_bind.h"
#include "tag/rule_internal.h"
#include "tag/scan_run.h"
#include "tag/scan_sent.h"
#include "tag/statistic.h"
#include "tag/tag_base.h"

bool
crm_rules_read_timeline(List *rules)
{
	ListCell   *cell;

	foreach(cell, rules)
		if (((crm_rule *) lfirst(cell))->timeline)
			return true;
	return false;
}

/* What the rule names may be gone by now, or of another type. */
static void
rule_of_tag(void *arg)
{
	errcontext("rule of tag \"%s\", which replace_tag can mend and drop_tag remove", ((const crm_tag *) arg)->name);
}

crm_value_type
crm_rule_value_type(const crm_rule *rule)
{
	return rule->type == BOOLOID ? CRM_VALUE_BOOLEAN : rule->type == TEXTOID ? CRM_VALUE_TEXT : CRM_VALUE_NUMERIC;
}

/* The state of the scan and the stored sets take a tag's type for granted. */
void
crm_rule_check_type(const crm_tag *tag, const crm_rule *rule)
{
	if (crm_rule_value_type(rule) == tag->type)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("the rule of tag \"%s\" gives %s now, and gave %s when it was created", tag->name,
					crm_value_type_name(crm_rule_value_type(rule)), crm_value_type_name(tag->type)),
			 errdetail("A column or function that it names has another type by now. The rule is: %s", tag->qualified),
			 errhint("Write the type into the rule, such as column::text, and %s.replace_tag it; or drop the tag.", crm_schema())));
}

List *
crm_scan_read_rules(const crm_scan_job *job, Relation source)
{
	crm_owner_session session;
	List	   *rules = NIL;
	ListCell   *cell;
	ErrorContextCallback callback = {error_context_stack, rule_of_tag, NULL};

	crm_owner_begin(&session, job->owner);
	foreach(cell, job->tags)
	{
		crm_tag    *tag = lfirst(cell);
		crm_rule   *rule;

		callback.arg = tag;
		error_context_stack = &callback;
		rule = crm_rule_read(source, tag->qualified);
		error_context_stack = callback.previous;
		crm_rule_check_type(tag, rule);
		rule->tag_name = tag->name;
		rules = lappend(rules, rule);
	}
	crm_owner_end(&session);
	return rules;
}

/* ---- what rules need to know of the population ---------------------------------------------- */

typedef struct learning
{
	crm_bound  *bound;
	List	   *statistics;		/* of one pass */
} learning;

static void
take_statistics(TupleTableSlot *slot, void *arg)
{
	learning   *l = arg;
	ListCell   *cell;

	slot_getallattrs(slot);
	foreach(cell, l->statistics)
	{
		int			column = foreach_current_index(cell);

		crm_bound_learn(l->bound, lfirst(cell), slot->tts_values[column], slot->tts_isnull[column]);
	}
}

/* Whose rules need it: an error of the look itself knows no customer. */
static void
tags_that_learn(void *arg)
{
	StringInfoData names;
	ListCell   *cell;

	initStringInfo(&names);
	foreach(cell, (List *) arg)
	{
		const crm_rule *rule = lfirst(cell);

		if (rule->statistics != NIL)
			appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? ", " : "", rule->tag_name);
	}
	errcontext("look at all customers for %s", names.data);
}

/* What rules read of the row: all of them, or those that need to know something of the population. */
static Bitmapset *
columns_of(const crm_scan_job *job, List *rules, bool learning_alone)
{
	Bitmapset  *columns = NULL;
	ListCell   *cell;

	foreach(cell, rules)
	{
		const crm_rule *rule = lfirst(cell);

		if (!learning_alone || rule->statistics != NIL)
			pull_varattnos(rule->expr, 1, &columns);
	}
	if (job->bound != NULL)
		crm_bound_columns(job->bound, &columns);
	return columns;
}

/* Is one of them found by an aggregate of any arguments? */
static bool
any_of_any(List *statistics)
{
	ListCell   *cell;

	foreach(cell, statistics)
		if (strcmp(((crm_bound_statistic *) lfirst(cell))->kind, "lookalike") == 0)
			return true;
	return false;
}

/* What the rules need to know and no scan before has found. */
static List *
unknown_statistics(const crm_bound *bound, List *rules)
{
	List	   *unknown = NIL;
	ListCell   *cell;
	ListCell   *rule;

	foreach(cell, crm_bound_list(bound))
		foreach(rule, rules)
			if (!((crm_bound_statistic *) lfirst(cell))->known && list_member_ptr(((crm_rule *) lfirst(rule))->statistics, lfirst(cell)))
			{
				unknown = lappend(unknown, lfirst(cell));
				break;
			}
	return unknown;
}

/*
 * One more look at all customers finds everything; only what needs to know
 * something of the population itself takes a further one.
 */
static void
learn(const crm_scan_job *job, List *rules)
{
	ErrorContextCallback callback = {error_context_stack, tags_that_learn, rules};
	List	   *all = unknown_statistics(job->bound, rules);
	learning	l = {job->bound, NIL};
	crm_scan_job here = *job;

	if (all == NIL)
		return;
	here.columns = columns_of(job, rules, true);
	error_context_stack = &callback;
	for (int level = 0, done = 0; done < list_length(all); level++)
	{
		StringInfoData sql;
		ListCell   *cell;

		l.statistics = NIL;
		initStringInfo(&sql);
		foreach(cell, all)
		{
			crm_bound_statistic *statistic = lfirst(cell);

			if (statistic->level != level)
				continue;
			appendStringInfo(&sql, "%s%s", l.statistics == NIL ? "SELECT " : ", ", statistic->aggregate);
			l.statistics = lappend(l.statistics, statistic);
		}
		if (l.statistics == NIL)
			continue;
		/* what Citus can combine of every server's part, it may */
		here.sent = job->sent && !any_of_any(l.statistics) && !crm_bound_named(job->bound, sql.data);
		crm_scan_append_from(&sql, &here, crm_rules_read_timeline(rules), !here.sent);
		appendStringInfo(&sql, " WHERE customer.%s IS NOT NULL", quote_identifier(job->population->key_column));
		crm_scan_run_query(&here, sql.data, NULL, take_statistics, &l);
		done += list_length(l.statistics);
	}
	error_context_stack = callback.previous;
}

/* For a server that has none of what they were bound to: as expressions that stand for themselves. */
static void
write_rules(Relation source, List *rules)
{
	ListCell   *cell;

	foreach(cell, rules)
	{
		crm_rule   *rule = lfirst(cell);

		rule->qualified = crm_rule_write(source, rule->expr);
	}
}

/* The customer's id where his row is, if his key is not it. */
static const char *
passing_text(const crm_scan_job *job)
{
	StringInfoData text;

	if (job->passed == NULL)
		return NULL;
	initStringInfo(&text);
	crm_passing_append(&text, job, job->passed);
	return text.data;
}

void
crm_scan_bind_rules(crm_scan_job *job, Relation source, List *rules)
{
	crm_owner_session session;

	crm_owner_begin(&session, job->owner);
	job->bound = job->shared != NULL ? crm_scan_shared_bound(job, rules) :
		crm_rules_bind(job->population, source, job->owner, rules, job->learn ? NIL : job->tags);
	crm_owner_end(&session);
	job->columns = columns_of(job, rules, false);
	if (job->bound != NULL && !job->learn)
		crm_statistics_read(job->tags, job->bound);
	else if (job->bound != NULL)
		learn(job, rules);
	if (job->learn && job->tags != NIL)
	{
		crm_statistics_store(job->tags, rules, job->bound, job->as_of);
		crm_bases_store_refreshed(job->tags, rules);
	}
	if (job->bound != NULL)
	{
		crm_owner_begin(&session, job->owner);
		if (job->due)
			crm_bound_expand_clock(job->bound, rules);
		if (job->shared != NULL)
			crm_bound_forget(job->bound);
		if (job->sent)
			crm_bound_send(job->bound, passing_text(job));
		crm_bound_expand(job->bound, rules);
		if (job->sent)
			write_rules(source, rules);
		if (job->passed != NULL)
			crm_bound_pass_lists(job->bound, crm_passing_ids_list, job->passed);
		crm_owner_end(&session);
	}
}
