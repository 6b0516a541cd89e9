/*
 * rule_bind.c - puts into rules what their calls stand for (rule_bind.h).
 */
#include "common/crm.h"

#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "nodes/bitmapset.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_expr.h"
#include "parser/parse_func.h"
#include "tag/rule_bind_internal.h"
#include "tag/rule_calls.h"
#include "tag/rule_internal.h"
#include "tag/scan_query.h"
#include "tag/segment_read.h"
#include "tag/tag_base.h"
#include "tag/tag_list.h"
#include "utils/acl.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* Rules that grow beyond so many nodes, their bases put in, are refused. */
#define MAX_NODES 100000

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
static Node *expand_mutator(Node *node, void *context);

/* ---- parameters -------------------------------------------------------------------------- */

static int
add_param(crm_bound *bound, Oid type, int level)
{
	crm_bound_slot *param = palloc0(sizeof(crm_bound_slot));

	param->type = type;
	param->level = level;
	param->isnull = true;
	bound->params = lappend(bound->params, param);
	return CRM_RULE_FIRST_BOUND + list_length(bound->params) - 1;
}

static crm_bound_slot *
param_of(const crm_bound *bound, int number)
{
	return list_nth(bound->params, number - CRM_RULE_FIRST_BOUND);
}

Node *
crm_bound_node(const crm_bound *bound, int number)
{
	Param	   *param = (Param *) crm_rule_param(number, param_of(bound, number)->type, -1);

	param->paramcollid = get_typcollation(param->paramtype);
	return (Node *) param;
}

static Node *
value_node(const crm_bound *bound, int number)
{
	Const	   *value;
	const crm_bound_slot *param = param_of(bound, number);
	int16		length;
	bool		byval;

	get_typlenbyval(param->type, &length, &byval);
	value = makeConst(param->type, -1, get_typcollation(param->type), length, param->value, param->isnull, byval);
	value->location = CRM_BOUND_LOCATION;
	return (Node *) value;
}

static void
set_value(crm_bound *bound, int number, Datum value, bool isnull)
{
	crm_bound_slot *param = param_of(bound, number);
	MemoryContext old = MemoryContextSwitchTo(bound->context);
	int16		length;
	bool		byval;

	get_typlenbyval(param->type, &length, &byval);
	param->isnull = isnull;
	param->value = isnull ? (Datum) 0 :
		length == -1 ? PointerGetDatum(PG_DETOAST_DATUM_COPY(value)) : datumCopy(value, byval, length);
	MemoryContextSwitchTo(old);
}

/* ---- functions of ours --------------------------------------------------------------------- */

static Node *
call_ours(const char *name, List *args, bool variadic_any)
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

static crm_bound_base *
find_base(const crm_bound *bound, const char *name)
{
	ListCell   *cell;

	foreach(cell, bound->bases)
		if (strcmp(((crm_bound_base *) lfirst(cell))->tag->name, name) == 0)
			return lfirst(cell);
	return NULL;
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
	base = find_base(bound, name);
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
		base->param = add_param(bound, type_of_tag(base->tag), base->level);
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

static CRM_NORETURN void
refuse_type(const crm_tag *tag, const char *wanted, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("tag \"%s\" is %s, not %s", tag->name, crm_value_type_name(tag->type), wanted),
			 errhint("%s", hint)));
}

static void
check_use(const crm_tag *tag, crm_rule_call_kind kind)
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

/* What a call says, of the base's value. */
static Node *
use_base(const crm_bound_base *base, crm_rule_call_kind kind, Node *value, Node *compared)
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

/* ---- lists ------------------------------------------------------------------------------------ */

static crm_bound_asked *
require_list(binding *b, const char *name)
{
	crm_bound  *bound = b->bound;
	crm_bound_asked *list;
	Datum		forever;
	Datum		until;
	ListCell   *cell;

	b->level = Max(b->level, 1);
	foreach(cell, bound->lists)
	{
		list = lfirst(cell);
		if (strcmp(list->name, name) == 0)
			return list;
	}
	list = palloc(sizeof(crm_bound_asked));
	list->name = pstrdup(name);
	crm_require_alone("list_expiry");
	crm_tag_list_read(bound->population, name, bound->owner, &forever, &until);
	list->forever = add_param(bound, crm_type("audience"), -1);
	list->until = add_param(bound, crm_type("bsi"), -1);
	set_value(bound, list->forever, forever, forever == (Datum) 0);
	set_value(bound, list->until, until, until == (Datum) 0);
	list->param = add_param(bound, TIMESTAMPTZOID, 0);
	bound->levels = Max(bound->levels, 1);
	bound->lists = lappend(bound->lists, list);
	return list;
}

/* ---- segments --------------------------------------------------------------------------------- */

static Node *
segment_expr(crm_bound *bound, const char *segment)
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

/* A seed that is named is one of the segment language. */
static List *
with_seed(crm_bound *bound, List *args)
{
	const Const *seed = linitial(args);

	if (exprType((const Node *) seed) != TEXTOID)
		return args;
	return lcons(segment_expr(bound, TextDatumGetCString(seed->constvalue)), list_copy_tail(args, 1));
}

/* The customer's id, of his row alone. */
static Node *
id_of_row(const crm_bound *bound)
{
	const crm_population *population = bound->population;
	AttrNumber	attribute = get_attnum(population->source, population->key_column);
	Form_pg_attribute column = TupleDescAttr(RelationGetDescr(bound->source), attribute - 1);
	Node	   *key = (Node *) makeVar(1, attribute, column->atttypid, column->atttypmod, column->attcollation, 0);
	bool		integer = population->key_form == CRM_KEY_INTEGER;

	key = coerce_to_target_type(make_parsestate(NULL), key, column->atttypid, integer ? INT8OID : TEXTOID, -1, COERCION_EXPLICIT, COERCE_EXPLICIT_CAST, -1);
	return call_ours("customer_id", list_make2(key, makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1, CStringGetTextDatum(population->name), false, false)), false);
}

/* Until when one customer is on a list: as a value, so that nobody is told who else is. */
static Node *
expiry_of_customer(const crm_bound *bound, const crm_bound_asked *list)
{
	FuncExpr   *call = (FuncExpr *) call_ours("list_expiry", list_make3(value_node(bound, list->forever), value_node(bound, list->until),
																		makeConst(INT8OID, -1, InvalidOid, 8, Int64GetDatum(bound->customer), false, FLOAT8PASSBYVAL)), false);

	return crm_evaluate_alone((Node *) call);
}

void
crm_bound_for_customer(crm_bound *bound, int64 id)
{
	bound->customer = id;
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

/* ---- what is known of the population --------------------------------------------------------------- */

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

/* The function's arguments, with the statistic among them. */
static Node *
use_statistic(crm_rule_call_kind kind, List *args, Node *value)
{
	switch (kind)
	{
		case CRM_CALL_PERCENTILE:
			return call_ours("percentile_at", list_make2(linitial(args), value), false);
		case CRM_CALL_RFM:
			return call_ours("rfm_score", list_make3(linitial(args), value, crm_rule_param(CRM_RULE_AS_OF_PARAM, TIMESTAMPTZOID, -1)), false);
		default:
			return call_ours("lookalike_score", lcons(value, list_copy_tail(args, 1)), true);
	}
}

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

static crm_bound_statistic *
find_statistic(const crm_bound *bound, const char *call)
{
	ListCell   *cell;

	foreach(cell, bound->statistics)
		if (strcmp(((crm_bound_statistic *) lfirst(cell))->call, call) == 0)
			return lfirst(cell);
	return NULL;
}

/* args: the call's arguments, bound; inner: what they need. */
static crm_bound_statistic *
require_statistic(binding *b, const FuncExpr *call, crm_rule_call_kind kind, List *args, const binding *inner)
{
	crm_bound  *bound = b->bound;
	char	   *text = crm_rule_write(bound->source, (Node *) call);
	crm_bound_statistic *statistic = find_statistic(bound, text);
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
		statistic->param = add_param(bound, statistic->type, -1);
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
	set_value(bound, statistic->param, value, isnull);
	statistic->value = param_of(bound, statistic->param)->value;
	statistic->isnull = isnull;
	statistic->known = true;
}

/* ---- both ways of reading a call ----------------------------------------------------------------------- */

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
			return crm_bound_node(b->bound, require_list(b, name)->param);
		if (kind == CRM_CALL_IN_SEGMENT)
			return bind_mutator(segment_expr(b->bound, name), b);
		if (name != NULL)
		{
			crm_bound_base *base = require_base(b, name);

			check_use(base->tag, kind);
			return use_base(base, kind, crm_bound_node(b->bound, base->param),
							kind == CRM_CALL_HAS_VALUE ? bind_mutator(lsecond(call->args), b) : NULL);
		}
		else
		{
			binding		inner = {.bound = b->bound};
			List	   *given = kind == CRM_CALL_LOOKALIKE ? with_seed(b->bound, call->args) : call->args;
			List	   *args = (List *) expression_tree_mutator((Node *) given, bind_mutator, &inner);
			crm_bound_statistic *statistic = require_statistic(b, call, kind, args, &inner);

			return use_statistic(kind, args, crm_bound_node(b->bound, statistic->param));
		}
	}
	return expression_tree_mutator(node, bind_mutator, context);
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
			binding		unused = {.bound = bound};

			crm_bound_asked *list = require_list(&unused, name);

			if (bound->lists_named)
				return crm_bound_node(bound, list->param);
			if (bound->customer >= 0)
				return expiry_of_customer(bound, list);
			return call_ours("list_expiry", list_make3(value_node(bound, list->forever), value_node(bound, list->until), id_of_row(bound)), false);
		}
		if (kind == CRM_CALL_IN_SEGMENT)
			return expand_mutator(segment_expr(bound, name), bound);
		if (name != NULL)
		{
			crm_bound_base *base = find_base(bound, name);

			if (base == NULL)
				elog(ERROR, "tag \"%s\" is not bound", name);
			return use_base(base, kind, expand_base(bound, base),
							kind == CRM_CALL_HAS_VALUE ? expand_mutator(lsecond(call->args), bound) : NULL);
		}
		else
		{
			crm_bound_statistic *statistic = find_statistic(bound, crm_rule_write(bound->source, (Node *) call));

			if (statistic == NULL)
				elog(ERROR, "a statistic of the population is not bound");
			return use_statistic(kind, (List *) expression_tree_mutator((Node *) call->args, expand_mutator, bound),
								 value_node(bound, statistic->param));
		}
	}
	return expression_tree_mutator(node, expand_mutator, context);
}

/* ---- rules ----------------------------------------------------------------------------------------------- */

static bool
has_call(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr) && crm_rule_call(((FuncExpr *) node)->funcid) != CRM_CALL_NONE)
		return true;
	return expression_tree_walker(node, has_call, context);
}

crm_bound *
crm_rules_bind(const crm_population *population, Relation source, Oid owner, List *rules, List *stored)
{
	crm_bound  *bound;
	bool		any = false;
	ListCell   *cell;

	foreach(cell, rules)
		any |= has_call(((crm_rule *) lfirst(cell))->expr, NULL);
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

		if (!has_call(rule->expr, NULL))
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
		crm_bound_base *base = rule->tag_name != NULL ? find_base(bound, rule->tag_name) : NULL;

		if (base != NULL && equal(base->rule->expr, rule->expr))
			rule->qualified = psprintf("$%d", base->param);
	}
	return bound;
}

void
crm_bound_expand(crm_bound *bound, List *rules)
{
	ListCell   *cell;

	foreach(cell, rules)
	{
		crm_rule   *rule = lfirst(cell);

		if (has_call(rule->expr, NULL))
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
		if (rule->statistics == NIL && has_call(rule->expr, NULL))
			rule->clock = expand_mutator(rule->expr, bound);
	}
	foreach(cell, bound->bases)
		((crm_bound_base *) lfirst(cell))->expanded = NULL;
	bound->lists_named = false;
	bound->nodes = 0;
}

void
crm_rule_bind_alone(const crm_population *population, Relation source, Oid owner, crm_rule *rule)
{
	crm_bound  *bound = crm_rules_bind(population, source, owner, list_make1(rule), NIL);

	if (bound != NULL)
		crm_bound_expand(bound, list_make1(rule));
}
