/*
 * rule_bind_call.c - what stands in the place of a call: parameters, lists,
 * segments, and the functions that read a base's or a statistic's value.
 */
#include "common/crm.h"

#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_func.h"
#include "tag/rule_bind_internal.h"
#include "tag/rule_internal.h"
#include "tag/segment_read.h"
#include "tag/tag_list.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* ---- parameters -------------------------------------------------------------------------- */

int
crm_bound_add_slot(crm_bound *bound, Oid type, int level)
{
	MemoryContext old = MemoryContextSwitchTo(bound->context);
	crm_bound_slot *param = palloc0(sizeof(crm_bound_slot));

	param->type = type;
	param->level = level;
	param->isnull = true;
	bound->params = lappend(bound->params, param);
	MemoryContextSwitchTo(old);
	return CRM_RULE_FIRST_BOUND + list_length(bound->params) - 1;
}

static crm_bound_slot *
slot_of(const crm_bound *bound, int number)
{
	return list_nth(bound->params, number - CRM_RULE_FIRST_BOUND);
}

Node *
crm_bound_node(const crm_bound *bound, int number)
{
	Param	   *param = (Param *) crm_rule_param(number, slot_of(bound, number)->type, -1);

	param->paramcollid = get_typcollation(param->paramtype);
	return (Node *) param;
}

Node *
crm_bound_value_node(const crm_bound *bound, int number)
{
	Const	   *value;
	const crm_bound_slot *param = slot_of(bound, number);
	int16		length;
	bool		byval;

	get_typlenbyval(param->type, &length, &byval);
	value = makeConst(param->type, -1, get_typcollation(param->type), length, param->value, param->isnull, byval);
	value->location = CRM_BOUND_LOCATION;
	return (Node *) value;
}

void
crm_bound_set(crm_bound *bound, int number, Datum value, bool isnull)
{
	crm_bound_slot *param = slot_of(bound, number);
	MemoryContext old = MemoryContextSwitchTo(bound->context);
	int16		length;
	bool		byval;

	get_typlenbyval(param->type, &length, &byval);
	param->isnull = isnull;
	param->value = isnull ? (Datum) 0 :
		length == -1 ? PointerGetDatum(PG_DETOAST_DATUM_COPY(value)) : datumCopy(value, byval, length);
	MemoryContextSwitchTo(old);
}

/* ---- calls -------------------------------------------------------------------------- */

bool
crm_rule_has_call(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr) && crm_rule_call(((FuncExpr *) node)->funcid) != CRM_CALL_NONE)
		return true;
	return expression_tree_walker(node, crm_rule_has_call, context);
}

Node *
crm_call_ours(const char *name, List *args, bool variadic_any)
{
	Oid			types[FUNC_MAX_ARGS];
	int			count = 0;
	Oid			function;
	char	   *schema = get_namespace_name(get_rel_namespace(crm_relation("tag_definition")));
	ListCell   *cell;

	foreach(cell, args)
		if (count < FUNC_MAX_ARGS)
			types[count++] = exprType(lfirst(cell));
	if (variadic_any)
	{
		types[1] = ANYOID;
		count = 2;
	}
	function = LookupFuncName(list_make2(makeString(schema), makeString(pstrdup(name))), count, types, false);
	return (Node *) makeFuncExpr(function, get_func_rettype(function), args, InvalidOid, DEFAULT_COLLATION_OID, COERCE_EXPLICIT_CALL);
}

/* ---- bases -------------------------------------------------------------------------- */

crm_bound_base *
crm_bound_find_base(const crm_bound *bound, const char *name)
{
	ListCell   *cell;

	foreach(cell, bound->bases)
		if (strcmp(((crm_bound_base *) lfirst(cell))->tag->name, name) == 0)
			return lfirst(cell);
	return NULL;
}

static CRM_NORETURN void
refuse_type(const crm_tag *tag, const char *wanted, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("tag \"%s\" is %s, not %s", tag->name, crm_value_type_name(tag->type), wanted),
			 errhint("%s", hint)));
}

void
crm_bound_check_use(const crm_tag *tag, crm_rule_call_kind kind)
{
	char	   *name = quote_literal_cstr(tag->name);

	if (kind == CRM_CALL_HAS_VALUE && tag->type == CRM_VALUE_BOOLEAN)
		refuse_type(tag, "text", psprintf("A customer has it or not: has_tag(%s).", name));
	if (kind == CRM_CALL_HAS_VALUE && tag->type == CRM_VALUE_NUMERIC)
		refuse_type(tag, "text", psprintf("Compare its number: tag_numeric(%s) = 5.", name));
	if (kind == CRM_CALL_TAG_VALUE && tag->type != CRM_VALUE_TEXT)
		refuse_type(tag, "text", tag->type == CRM_VALUE_BOOLEAN ? psprintf("Ask has_tag(%s).", name) : psprintf("Ask tag_numeric(%s).", name));
	if (kind == CRM_CALL_TAG_NUMERIC && tag->type != CRM_VALUE_NUMERIC)
		refuse_type(tag, "numeric", tag->type == CRM_VALUE_BOOLEAN ? psprintf("Ask has_tag(%s).", name) : psprintf("Ask tag_value(%s).", name));
}

static Node *
is_true(Node *condition)
{
	BooleanTest *test = makeNode(BooleanTest);

	test->arg = (Expr *) condition;
	test->booltesttype = IS_TRUE;
	test->location = -1;
	return (Node *) test;
}

Node *
crm_bound_use_base(const crm_bound_base *base, crm_rule_call_kind kind, Node *value, Node *compared)
{
	NullTest   *known;
	OpExpr	   *equal;

	switch (kind)
	{
		case CRM_CALL_HAS_TAG:
			if (base->tag->type == CRM_VALUE_BOOLEAN)
				return is_true(value);
			known = makeNode(NullTest);
			known->arg = (Expr *) value;
			known->nulltesttype = IS_NOT_NULL;
			known->location = -1;
			return (Node *) known;
		case CRM_CALL_HAS_VALUE:
			equal = (OpExpr *) make_opclause(TextEqualOperator, BOOLOID, false, (Expr *) value, (Expr *) compared,
											 InvalidOid, DEFAULT_COLLATION_OID);
			equal->opfuncid = F_TEXTEQ;
			return is_true((Node *) equal);
		default:
			return value;
	}
}

/* ---- lists -------------------------------------------------------------------------- */

crm_bound_asked *
crm_bound_ask_list(crm_bound *bound, const char *name)
{
	crm_bound_asked *list;
	Datum		forever;
	Datum		until;
	ListCell   *cell;

	foreach(cell, bound->lists)
	{
		list = lfirst(cell);
		if (strcmp(list->name, name) == 0)
			return list;
	}
	list = palloc0(sizeof(crm_bound_asked));
	list->name = pstrdup(name);
	list->used = true;
	crm_require_alone("list_expiry");
	crm_tag_list_read(bound->population, name, bound->owner, &forever, &until, &list->members);
	list->forever = crm_bound_add_slot(bound, crm_type("audience"), CRM_BOUND_VALUE);
	list->until = crm_bound_add_slot(bound, crm_type("bsi"), CRM_BOUND_VALUE);
	crm_bound_set(bound, list->forever, forever, forever == (Datum) 0);
	crm_bound_set(bound, list->until, until, until == (Datum) 0);
	list->param = crm_bound_add_slot(bound, TIMESTAMPTZOID, 0);
	bound->levels = Max(bound->levels, 1);
	bound->lists = lappend(bound->lists, list);
	return list;
}

/* Until when the customer is on a list, told by his passing id. */
Node *
crm_bound_ask_passing(crm_bound *bound, crm_bound_asked *list)
{
	if (bound->passing_param == 0)
		bound->passing_param = crm_bound_add_slot(bound, INT8OID, CRM_BOUND_PASSING);
	if (list->passing == 0)
	{
		crm_require_alone("passing_list_expiry");
		list->passing = crm_bound_add_slot(bound, INT8ARRAYOID, CRM_BOUND_VALUE);
		list->passing_until = crm_bound_add_slot(bound, INT8ARRAYOID, CRM_BOUND_VALUE);
	}
	return crm_call_ours("passing_list_expiry", list_make3(crm_bound_node(bound, list->passing), crm_bound_node(bound, list->passing_until),
														   crm_bound_node(bound, bound->passing_param)), false);
}

void
crm_bound_pass_lists(crm_bound *bound, crm_bound_pass_list pass, void *arg)
{
	ListCell   *cell;

	foreach(cell, bound->lists)
	{
		crm_bound_asked *list = lfirst(cell);
		Datum		members;
		Datum		until;
		Datum		passing;
		Datum		passing_until;

		if (!list->used || list->passing == 0 || list->passed)
			continue;
		crm_tag_list_members(bound->population, list->name, bound->owner, &members, &until);
		pass(arg, members, until, &passing, &passing_until);
		crm_bound_set(bound, list->passing, passing, false);
		crm_bound_set(bound, list->passing_until, passing_until, false);
		list->passed = true;
	}
}

int64
crm_bound_listed(const crm_bound *bound)
{
	int64		members = 0;
	ListCell   *cell;

	foreach(cell, bound->lists)
		members += ((crm_bound_asked *) lfirst(cell))->members;
	return members;
}

void
crm_bound_pass_again(crm_bound *bound)
{
	ListCell   *cell;

	foreach(cell, bound->lists)
		((crm_bound_asked *) lfirst(cell))->passed = false;
}

List *
crm_bound_lists(const crm_bound *bound)
{
	List	   *names = NIL;
	ListCell   *cell;

	foreach(cell, bound->lists)
		names = lappend(names, ((crm_bound_asked *) lfirst(cell))->name);
	return names;
}

/* ---- segments ----------------------------------------------------------------------- */

Node *
crm_bound_segment_expr(crm_bound *bound, const char *segment)
{
	crm_bound_segment *met;
	ListCell   *cell;

	foreach(cell, bound->segments)
		if (strcmp(((crm_bound_segment *) lfirst(cell))->segment, segment) == 0)
			return ((crm_bound_segment *) lfirst(cell))->expr;
	met = palloc(sizeof(crm_bound_segment));
	met->segment = pstrdup(segment);
	met->expr = crm_rule_read(bound->source, crm_segment_rule(bound->population, segment))->expr;
	bound->segments = lappend(bound->segments, met);
	return met->expr;
}

/* ---- what is known of the population ------------------------------------------------ */

crm_bound_statistic *
crm_bound_find_statistic(const crm_bound *bound, const char *call)
{
	ListCell   *cell;

	foreach(cell, bound->statistics)
		if (strcmp(((crm_bound_statistic *) lfirst(cell))->call, call) == 0)
			return lfirst(cell);
	return NULL;
}

Node *
crm_bound_use_statistic(crm_rule_call_kind kind, List *args, Node *value)
{
	switch (kind)
	{
		case CRM_CALL_PERCENTILE:
			return crm_call_ours("percentile_at", list_make2(linitial(args), value), false);
		case CRM_CALL_RFM:
			return crm_call_ours("rfm_score", list_make3(linitial(args), value, crm_rule_param(CRM_RULE_AS_OF_PARAM, TIMESTAMPTZOID, -1)), false);
		default:
			return crm_call_ours("lookalike_score", lcons(value, list_copy_tail(args, 1)), true);
	}
}

List *
crm_bound_list(const crm_bound *bound)
{
	List	   *result = NIL;
	ListCell   *cell;

	for (int level = 0; list_length(result) < list_length(bound->statistics); level++)
		foreach(cell, bound->statistics)
			if (((crm_bound_statistic *) lfirst(cell))->level == level)
				result = lappend(result, lfirst(cell));
	return result;
}

void
crm_bound_learn(crm_bound *bound, crm_bound_statistic *statistic, Datum value, bool isnull)
{
	crm_bound_set(bound, statistic->param, value, isnull);
	statistic->value = slot_of(bound, statistic->param)->value;
	statistic->isnull = isnull;
	statistic->known = true;
}
