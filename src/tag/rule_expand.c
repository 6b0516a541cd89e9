/*
 * rule_expand.c - bound rules as expressions that stand for themselves: in place
 * of a call stands the other tag's rule, or a function of the row and a constant.
 */
#include "common/crm.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_expr.h"
#include "tag/rule_bind_internal.h"
#include "tag/rule_internal.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* Rules that grow beyond so many nodes, their bases put in, are refused. */
#define MAX_NODES 100000

static Node *expand_mutator(Node *node, void *context);

/* The customer's id, of his row alone. */
static Node *
id_of_row(const crm_bound *bound)
{
	const crm_population *population = bound->population;
	AttrNumber	attribute = get_attnum(population->source, population->key_column);
	Form_pg_attribute column = TupleDescAttr(RelationGetDescr(bound->source), attribute - 1);
	Node	   *key = (Node *) makeVar(1, attribute, column->atttypid, column->atttypmod, column->attcollation, 0);
	bool		integer = population->key_form == CRM_KEY_INTEGER;

	if (bound->sent && integer)
		return coerce_to_target_type(make_parsestate(NULL), key, column->atttypid, INT8OID, -1, COERCION_EXPLICIT, COERCE_EXPLICIT_CAST, -1);
	key = coerce_to_target_type(make_parsestate(NULL), key, column->atttypid, integer ? INT8OID : TEXTOID, -1, COERCION_EXPLICIT, COERCE_EXPLICIT_CAST, -1);
	return crm_call_ours("customer_id", list_make2(key, makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1, CStringGetTextDatum(population->name), false, false)), false);
}

/* What is known of the population or of a list: a value, or a parameter, so that errors that quote the query tell nobody who is on a list. */
static Node *
known(const crm_bound *bound, int number)
{
	return bound->sent ? crm_bound_node(bound, number) : crm_bound_value_node(bound, number);
}

/* Until when one customer is on a list: as a value, so that nobody is told who else is. */
static Node *
expiry_of_customer(const crm_bound *bound, const crm_bound_asked *list)
{
	List	   *args = list_make3(crm_bound_value_node(bound, list->forever), crm_bound_value_node(bound, list->until),
								  makeConst(INT8OID, -1, InvalidOid, 8, Int64GetDatum(bound->customer), false, FLOAT8PASSBYVAL));

	return crm_evaluate_alone(crm_call_ours("list_expiry", args, false));
}

void
crm_bound_for_customer(crm_bound *bound, int64 id)
{
	bound->customer = id;
}

void
crm_bound_send(crm_bound *bound, const char *passing)
{
	bound->sent = true;
	bound->passing = passing;
}

void
crm_bound_forget(crm_bound *bound)
{
	ListCell   *cell;

	foreach(cell, bound->bases)
		((crm_bound_base *) lfirst(cell))->expanded = NULL;
	bound->nodes = 0;
	bound->sent = false;
	bound->passing = NULL;
}

void
crm_bound_columns(const crm_bound *bound, Bitmapset **columns)
{
	ListCell   *cell;

	foreach(cell, bound->bases)
		if (((crm_bound_base *) lfirst(cell))->used)
			pull_varattnos(((crm_bound_base *) lfirst(cell))->rule->expr, 1, columns);
	foreach(cell, bound->segments)
		pull_varattnos(((crm_bound_segment *) lfirst(cell))->expr, 1, columns);
}

static void
check_growth(const crm_bound *bound)
{
	if (bound->nodes > MAX_NODES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("rules that rest on one another grow too large"),
				 errdetail("With the rules of their bases in them they have more than %d parts.", MAX_NODES),
				 errhint("Put what many tags share into a column of the population's view.")));
}

static Node *
expand_base(crm_bound *bound, crm_bound_base *base)
{
	Node	   *value;

	if (base->expanded == NULL)
	{
		int			before = bound->nodes;

		base->expanded = expand_mutator(base->rule->expr, bound);
		base->nodes = bound->nodes - before;
	}
	else
	{
		bound->nodes += base->nodes;
		check_growth(bound);
	}
	value = copyObject(base->expanded);
	/* a comparison of tags is one of the database's ordinary texts, whatever the column's collation */
	if (base->tag->type == CRM_VALUE_TEXT && exprCollation(value) != DEFAULT_COLLATION_OID)
		value = (Node *) makeRelabelType((Expr *) value, TEXTOID, -1, DEFAULT_COLLATION_OID, COERCE_EXPLICIT_CAST);
	return value;
}

static Node *
expand_mutator(Node *node, void *context)
{
	crm_bound  *bound = context;
	crm_rule_call_kind kind;

	if (node == NULL)
		return NULL;
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	bound->nodes++;
	check_growth(bound);
	if (IsA(node, FuncExpr) && (kind = crm_rule_call(((FuncExpr *) node)->funcid)) != CRM_CALL_NONE)
	{
		FuncExpr   *call = (FuncExpr *) node;
		char	   *name = crm_rule_call_name(call, kind);

		if (kind == CRM_CALL_LISTED_UNTIL)
		{
			crm_bound_asked *list = crm_bound_ask_list(bound, name);

			if (bound->lists_named)
				return crm_bound_node(bound, list->param);
			if (bound->customer >= 0)
				return expiry_of_customer(bound, list);
			if (bound->passing != NULL)
				return crm_bound_ask_passing(bound, list);
			return crm_call_ours("list_expiry", list_make3(known(bound, list->forever), known(bound, list->until), id_of_row(bound)), false);
		}
		if (kind == CRM_CALL_IN_SEGMENT)
			return expand_mutator(crm_bound_segment_expr(bound, name), bound);
		if (name != NULL)
		{
			crm_bound_base *base = crm_bound_find_base(bound, name);

			if (base == NULL)
				elog(ERROR, "tag \"%s\" is not bound", name);
			return crm_bound_use_base(base, kind, expand_base(bound, base),
							kind == CRM_CALL_HAS_VALUE ? expand_mutator(lsecond(call->args), bound) : NULL);
		}
		else
		{
			crm_bound_statistic *statistic = crm_bound_find_statistic(bound, crm_rule_write(bound->source, (Node *) call));

			if (statistic == NULL)
				elog(ERROR, "a statistic of the population is not bound");
			return crm_bound_use_statistic(kind, (List *) expression_tree_mutator((Node *) call->args, expand_mutator, bound),
								 known(bound, statistic->param));
		}
	}
	return expression_tree_mutator(node, expand_mutator, context);
}

void
crm_bound_expand(crm_bound *bound, List *rules)
{
	ListCell   *cell;

	foreach(cell, rules)
	{
		crm_rule   *rule = lfirst(cell);

		if (crm_rule_has_call(rule->expr, NULL))
			rule->expr = expand_mutator(rule->expr, bound);
	}
}

void
crm_bound_expand_clock(crm_bound *bound, List *rules)
{
	ListCell   *cell;

	bound->lists_named = true;
	foreach(cell, rules)
	{
		crm_rule   *rule = lfirst(cell);

		/* what rests on the whole population does not change by the clock alone */
		if (rule->statistics == NIL && crm_rule_has_call(rule->expr, NULL))
			rule->clock = expand_mutator(rule->expr, bound);
	}
	bound->lists_named = false;
	crm_bound_forget(bound);
}
