/*
 * rule_bind.c - finds what rules' calls stand for, and puts its parameters in
 * their place (rule_bind.h).
 */
#include "common/crm.h"

#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "tag/rule_bind_internal.h"
#include "tag/rule_internal.h"
#include "tag/scan_query.h"
#include "tag/tag_base.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* What the rule at hand needs; gathered while it is bound. */
typedef struct binding
{
	crm_bound  *bound;
	int			level;			/* a column of this rule would have */
	int			statistic_level;
	bool		timeline;
	List	   *names;			/* of tags */
	List	   *rests;			/* tags, by way of others too */
	List	   *statistics;		/* of crm_bound_statistic * */
} binding;

static Node *bind_mutator(Node *node, void *context);

/* ---- bases ----------------------------------------------------------------------------------- */

static char *
path_text(const crm_bound *bound, const char *name)
{
	StringInfoData text;
	bool		within = false;
	ListCell   *cell;

	initStringInfo(&text);
	foreach(cell, bound->path)
	{
		within |= strcmp(lfirst(cell), name) == 0;
		if (within)
			appendStringInfo(&text, "\"%s\" rests on ", (char *) lfirst(cell));
	}
	appendStringInfo(&text, "\"%s\"", name);
	return text.data;
}

static void
check_cycle(const crm_bound *bound, const char *name)
{
	ListCell   *cell;

	foreach(cell, bound->path)
		if (strcmp(lfirst(cell), name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_RECURSION),
					 errmsg("tag \"%s\" would rest on itself", name),
					 errdetail("Tag %s.", path_text(bound, name)),
					 errhint("Leave one of them out of the rule of another.")));
}

static void
check_owner(const crm_bound *bound, const crm_tag *tag)
{
	if (tag->owner == bound->owner)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("a tag of role \"%s\" cannot rest on tag \"%s\" of role \"%s\"", GetUserNameFromId(bound->owner, false), tag->name,
					GetUserNameFromId(tag->owner, false)),
			 errdetail("Rules run with the rights of their tag's owner, and both would run as one."),
			 errhint("Let \"%s\" create the tag, or repeat the rule of \"%s\" in a tag of your own.",
					 GetUserNameFromId(tag->owner, false), tag->name)));
}

static void
rule_of_base(void *arg)
{
	errcontext("rule of tag \"%s\"", (const char *) arg);
}

static Oid
type_of_tag(const crm_tag *tag)
{
	return tag->type == CRM_VALUE_BOOLEAN ? BOOLOID : tag->type == CRM_VALUE_TEXT ? TEXTOID : NUMERICOID;
}

/* A tag as it is, or as it was when the stored sets that rest on it were evaluated. */
static crm_tag *
tag_that_counts(const crm_bound *bound, const char *name)
{
	crm_tag    *tag = crm_tag_find(bound->population, name);
	crm_tag    *earlier;
	ListCell   *cell;

	foreach(cell, bound->versions)
	{
		const crm_base_version *version = lfirst(cell);

		if (version->base_tag_id == tag->id && version->version != tag->version &&
			(earlier = crm_tag_in_version(tag, version->version)) != NULL)
			return earlier;
	}
	return tag;
}

static void
add_name(binding *b, const char *name)
{
	ListCell   *cell;

	foreach(cell, b->names)
		if (strcmp(lfirst(cell), name) == 0)
			return;
	b->names = lappend(b->names, pstrdup(name));
}

static crm_bound_base *
require_base(binding *b, const char *name)
{
	crm_bound  *bound = b->bound;
	crm_bound_base *base;

	check_stack_depth();
	check_cycle(bound, name);
	base = crm_bound_find_base(bound, name);
	if (base == NULL)
	{
		binding		inner = {.bound = bound};
		ErrorContextCallback callback = {error_context_stack, rule_of_base, (void *) name};
		Node	   *expr;

		base = palloc0(sizeof(crm_bound_base));
		base->tag = tag_that_counts(bound, name);
		check_owner(bound, base->tag);
		callback.previous = error_context_stack;
		error_context_stack = &callback;
		base->rule = crm_rule_read(bound->source, base->tag->qualified);
		crm_rule_check_type(base->tag, base->rule);
		bound->path = lappend(bound->path, pstrdup(name));
		expr = bind_mutator(base->rule->expr, &inner);
		bound->path = list_delete_last(bound->path);
		error_context_stack = callback.previous;

		base->text = crm_rule_write(bound->source, expr);
		base->level = inner.level;
		base->statistic_level = inner.statistic_level;
		base->rule->timeline |= inner.timeline;
		base->rule->statistics = inner.statistics;
		base->rule->rests = inner.rests;
		base->param = crm_bound_add_slot(bound, type_of_tag(base->tag), base->level);
		base->used = true;
		bound->levels = Max(bound->levels, base->level + 1);
		bound->bases = lappend(bound->bases, base);
	}
	b->level = Max(b->level, base->level + 1);
	b->statistic_level = Max(b->statistic_level, base->statistic_level);
	b->timeline |= base->rule->timeline;
	b->statistics = list_concat_unique_ptr(b->statistics, base->rule->statistics);
	b->rests = list_append_unique_ptr(list_concat_unique_ptr(b->rests, base->rule->rests), base->tag);
	add_name(b, name);
	return base;
}

/* ---- what is known of the population ------------------------------------------------ */

/* A seed that is named is one of the segment language. */
static List *
with_seed(crm_bound *bound, List *args)
{
	const Const *seed = linitial(args);

	if (exprType((const Node *) seed) != TEXTOID)
		return args;
	return lcons(crm_bound_segment_expr(bound, TextDatumGetCString(seed->constvalue)), list_copy_tail(args, 1));
}

static const struct
{
	crm_rule_call_kind call;
	const char *kind;
	const char *aggregate;
	const char *function;
	const char *type;			/* of ours, or NULL */
	Oid			builtin;
}			statistic_kinds[] = {
	{CRM_CALL_PERCENTILE, "percentile", "percentile_agg", "percentile_at", NULL, FLOAT8ARRAYOID},
	{CRM_CALL_RFM, "rfm", "rfm_cuts_agg", "rfm_score", "rfm_cuts", InvalidOid},
	{CRM_CALL_LOOKALIKE, "lookalike", "lookalike_fit", "lookalike_score", NULL, JSONBOID},
};

static char *
write_aggregate(const crm_bound *bound, crm_rule_call_kind kind, const char *aggregate, List *args)
{
	StringInfoData sql;
	ListCell   *cell;

	initStringInfo(&sql);
	appendStringInfo(&sql, "%s.%s(", crm_schema(), aggregate);
	if (kind == CRM_CALL_RFM)
		appendStringInfo(&sql, "%s, $%d, %s", list_length(args) > 1 ? crm_rule_write(bound->source, lsecond(args)) : "5", CRM_RULE_AS_OF_PARAM,
						 crm_rule_write(bound->source, linitial(args)));
	else
		foreach(cell, args)
		{
			appendStringInfo(&sql, "%s%s", foreach_current_index(cell) > 0 ? ", " : "", crm_rule_write(bound->source, lfirst(cell)));
			/* rows are told apart by their key, so that chance hangs on nothing else */
			if (kind == CRM_CALL_LOOKALIKE && foreach_current_index(cell) == 0)
				appendStringInfo(&sql, ", customer.%s::pg_catalog.text", quote_identifier(bound->population->key_column));
		}
	appendStringInfoChar(&sql, ')');
	return sql.data;
}

/* args: the call's arguments, bound; inner: what they need. */
static crm_bound_statistic *
require_statistic(binding *b, const FuncExpr *call, crm_rule_call_kind kind, List *args, const binding *inner)
{
	crm_bound  *bound = b->bound;
	char	   *text = crm_rule_write(bound->source, (Node *) call);
	crm_bound_statistic *statistic = crm_bound_find_statistic(bound, text);
	ListCell   *cell;

	if (statistic == NULL)
	{
		int			i = 0;

		while (statistic_kinds[i].call != kind)
			i++;
		statistic = palloc0(sizeof(crm_bound_statistic));
		statistic->call = text;
		statistic->kind = statistic_kinds[i].kind;
		statistic->type = statistic_kinds[i].type != NULL ? crm_type(statistic_kinds[i].type) : statistic_kinds[i].builtin;
		if (kind != CRM_CALL_RFM)	/* whose functions have several signatures, of which ours is the exact one */
		{
			crm_require_alone(statistic_kinds[i].aggregate);
			crm_require_alone(statistic_kinds[i].function);
		}
		statistic->aggregate = write_aggregate(bound, kind, statistic_kinds[i].aggregate, args);
		statistic->param = crm_bound_add_slot(bound, statistic->type, CRM_BOUND_VALUE);
		statistic->level = inner->statistic_level;
		bound->statistics = lappend(bound->statistics, statistic);
	}
	b->level = Max(b->level, inner->level);
	b->statistic_level = Max(b->statistic_level, statistic->level + 1);
	b->timeline |= inner->timeline;
	b->rests = list_concat_unique_ptr(b->rests, inner->rests);
	foreach(cell, inner->names)
		add_name(b, lfirst(cell));
	b->statistics = list_append_unique_ptr(list_concat_unique_ptr(b->statistics, inner->statistics), statistic);
	return statistic;
}

/* ---- calls -------------------------------------------------------------------------- */

static Node *
bind_mutator(Node *node, void *context)
{
	binding    *b = context;
	crm_rule_call_kind kind;

	if (node == NULL)
		return NULL;
	check_stack_depth();
	if (IsA(node, Param) && ((Param *) node)->paramid == CRM_RULE_TIMELINE_PARAM)
		b->timeline = true;
	if (IsA(node, FuncExpr) && (kind = crm_rule_call(((FuncExpr *) node)->funcid)) != CRM_CALL_NONE)
	{
		FuncExpr   *call = (FuncExpr *) node;
		char	   *name = crm_rule_call_name(call, kind);

		if (kind == CRM_CALL_LISTED_UNTIL)
		{
			b->level = Max(b->level, 1);
			return crm_bound_node(b->bound, crm_bound_ask_list(b->bound, name)->param);
		}
		if (kind == CRM_CALL_IN_SEGMENT)
			return bind_mutator(crm_bound_segment_expr(b->bound, name), b);
		if (name != NULL)
		{
			crm_bound_base *base = require_base(b, name);

			crm_bound_check_use(base->tag, kind);
			return crm_bound_use_base(base, kind, crm_bound_node(b->bound, base->param),
							kind == CRM_CALL_HAS_VALUE ? bind_mutator(lsecond(call->args), b) : NULL);
		}
		else
		{
			binding		inner = {.bound = b->bound};
			List	   *given = kind == CRM_CALL_LOOKALIKE ? with_seed(b->bound, call->args) : call->args;
			List	   *args = (List *) expression_tree_mutator((Node *) given, bind_mutator, &inner);
			crm_bound_statistic *statistic = require_statistic(b, call, kind, args, &inner);

			return crm_bound_use_statistic(kind, args, crm_bound_node(b->bound, statistic->param));
		}
	}
	return expression_tree_mutator(node, bind_mutator, context);
}

/* ---- rules -------------------------------------------------------------------------- */

crm_bound *
crm_rules_bind(const crm_population *population, Relation source, Oid owner, List *rules, List *stored)
{
	crm_bound  *bound;
	bool		any = false;
	ListCell   *cell;

	foreach(cell, rules)
		any |= crm_rule_has_call(((crm_rule *) lfirst(cell))->expr, NULL);
	if (!any)
		return NULL;

	bound = palloc0(sizeof(crm_bound));
	bound->population = population;
	bound->source = source;
	bound->owner = owner;
	bound->customer = -1;
	bound->versions = stored != NIL ? crm_bases_versions(stored) : NIL;
	bound->context = CurrentMemoryContext;
	foreach(cell, rules)
	{
		crm_rule   *rule = lfirst(cell);
		binding		b = {.bound = bound};
		Node	   *expr;

		if (!crm_rule_has_call(rule->expr, NULL))
			continue;
		if (rule->tag_name != NULL)
			bound->path = list_make1((char *) rule->tag_name);
		expr = bind_mutator(rule->expr, &b);
		bound->path = NIL;
		rule->qualified = crm_rule_write(source, expr);
		rule->timeline |= b.timeline;
		rule->bases = b.names;
		rule->statistics = b.statistics;
		rule->rests = b.rests;
	}
	/* a tag that others rest on is computed for them already */
	foreach(cell, rules)
	{
		crm_rule   *rule = lfirst(cell);
		crm_bound_base *base = rule->tag_name != NULL ? crm_bound_find_base(bound, rule->tag_name) : NULL;

		if (base != NULL && equal(base->rule->expr, rule->expr))
			rule->qualified = psprintf("$%d", base->param);
	}
	return bound;
}

void
crm_rule_bind_alone(const crm_population *population, Relation source, Oid owner, crm_rule *rule)
{
	crm_bound  *bound = crm_rules_bind(population, source, owner, list_make1(rule), NIL);

	if (bound != NULL)
		crm_bound_expand(bound, list_make1(rule));
}
