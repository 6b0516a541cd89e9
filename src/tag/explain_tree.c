/*
 * explain_tree.c - a rule, taken apart into its conditions.
 *
 * What is understood is what runs over batches (rule_compile.c), and by the same
 * functions: comparisons of one column with what needs no row, NULL tests, and
 * what logic makes of them.  Everything else is one leaf of which only the
 * value is known.
 */
#include "common/crm.h"

#include "access/sysattr.h"
#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "tag/explain.h"
#include "tag/rule_bind.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

/* ---- how it is written --------------------------------------------------------- */

/* Parameters of the stored text by their names; what stands in quotes stays. */
static char *
name_parameters(const char *text)
{
	StringInfoData out;
	char		quote = 0;

	initStringInfo(&out);
	for (const char *c = text; *c != '\0'; c++)
	{
		if (quote != 0)
			quote = *c == quote ? 0 : quote;
		else if (*c == '\'' || *c == '"')
			quote = *c;
		else if (*c == '$' && (c[1] == '0' + CRM_RULE_AS_OF_PARAM || c[1] == '0' + CRM_RULE_TIMELINE_PARAM || c[1] == '0' + CRM_RULE_FIRST_BOUND) &&
				 !isdigit((unsigned char) c[2]))
		{
			c++;
			appendStringInfoString(&out, *c == '0' + CRM_RULE_AS_OF_PARAM ? "as_of" : *c == '0' + CRM_RULE_TIMELINE_PARAM ? "timeline" : "population");
			continue;
		}
		appendStringInfoChar(&out, *c);
	}
	return out.data;
}

/* Functions in SQL's own syntax whose text constant is a word of it, EXTRACT(month FROM ...): it is read as text there. */
static bool
has_keyword(const FuncExpr *call)
{
	if (call->funcformat != COERCE_SQL_SYNTAX)
		return false;
	switch (call->funcid)
	{
		case F_EXTRACT_TEXT_DATE:
		case F_EXTRACT_TEXT_TIME:
		case F_EXTRACT_TEXT_TIMETZ:
		case F_EXTRACT_TEXT_TIMESTAMP:
		case F_EXTRACT_TEXT_TIMESTAMPTZ:
		case F_EXTRACT_TEXT_INTERVAL:
		case F_IS_NORMALIZED:
		case F_NORMALIZE:
			return true;
	}
	return false;
}

/* Constants without the types that their place gives them anyway. */
static Node *
plain_constants(Node *node, void *context)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Const))
	{
		Const	   *constant = (Const *) node;

		if (constant->location == CRM_BOUND_LOCATION)
			return crm_rule_param(CRM_RULE_FIRST_BOUND, constant->consttype, -1);
		if (constant->consttype != TEXTOID || constant->constisnull)
			return node;
		return (Node *) makeConst(UNKNOWNOID, -1, InvalidOid, -2,
								  CStringGetDatum(TextDatumGetCString(constant->constvalue)), false, false);
	}
	if (IsA(node, FuncExpr) && list_length(((FuncExpr *) node)->args) == 1 &&
		IsA(linitial(((FuncExpr *) node)->args), Const) && ((FuncExpr *) node)->funcformat == COERCE_EXPLICIT_CAST)
	{
		Const	   *constant = linitial(((FuncExpr *) node)->args);

		if (constant->consttype == INT4OID &&
			(((FuncExpr *) node)->funcresulttype == NUMERICOID || ((FuncExpr *) node)->funcresulttype == FLOAT8OID))
			return (Node *) constant;
	}
	if (IsA(node, FuncExpr) && has_keyword((FuncExpr *) node))
	{
		FuncExpr   *call = copyObject((FuncExpr *) node);
		ListCell   *cell;

		foreach(cell, call->args)
		{
			if (!IsA(lfirst(cell), Const))
				lfirst(cell) = plain_constants(lfirst(cell), context);
		}
		return (Node *) call;
	}
	return expression_tree_mutator(node, plain_constants, context);
}

char *
crm_explain_write(const crm_explanation *e, Node *expr)
{
	List	   *context = deparse_context_for("customer", RelationGetRelid(e->source));
	char	   *text = name_parameters(deparse_expression(plain_constants(expr, NULL), context, false, false));
	size_t		length = strlen(text);
	int			depth = 0;
	char		quote = 0;

	/* One pair of brackets around all of it says nothing. */
	if (text[0] != '(' || text[length - 1] != ')')
		return text;
	for (const char *c = text; *c != '\0'; c++)
	{
		if (quote != 0)
			quote = *c == quote ? 0 : quote;
		else if (*c == '\'' || *c == '"')
			quote = *c;
		else
			depth += *c == '(' ? 1 : *c == ')' ? -1 : 0;
		if (depth == 0 && c[1] != '\0')
			return text;
	}
	text[length - 1] = '\0';
	return text + 1;
}

/* ---- leaves ------------------------------------------------------------------------ */

static bool
find_as_of(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
		return ((Param *) node)->paramid == CRM_RULE_AS_OF_PARAM;
	return expression_tree_walker(node, find_as_of, context);
}

static bool
find_timeline(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
		return ((Param *) node)->paramid == CRM_RULE_TIMELINE_PARAM;
	return expression_tree_walker(node, find_timeline, context);
}

static bool
needs_row(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var) || IsA(node, CaseTestExpr) || (IsA(node, Param) && ((Param *) node)->paramid != CRM_RULE_AS_OF_PARAM))
		return true;
	return expression_tree_walker(node, needs_row, context);
}

Bitmapset *
crm_explain_columns(Node *expr)
{
	Bitmapset  *attributes = NULL;
	Bitmapset  *columns = NULL;
	int			attribute = -1;

	pull_varattnos(expr, 1, &attributes);
	while ((attribute = bms_next_member(attributes, attribute)) >= 0)
		columns = bms_add_member(columns, attribute + FirstLowInvalidHeapAttributeNumber);
	return columns;
}

bool
crm_explain_names_as_of(Node *expr)
{
	return find_as_of(expr, NULL);
}

/* Jumps back of hours and month ends are looked after in explain_clock.c. */
bool
crm_explain_grows(Node *expr)
{
	Oid			function;
	List	   *args;
	int			moving = 0;

	if (IsA(expr, Param))
		return true;
	if (!find_as_of(expr, NULL))
		return true;
	if (IsA(expr, RelabelType))
		return crm_explain_grows((Node *) ((RelabelType *) expr)->arg);
	if (IsA(expr, OpExpr))
	{
		function = get_opcode(((OpExpr *) expr)->opno);
		args = ((OpExpr *) expr)->args;
	}
	else if (IsA(expr, FuncExpr))
	{
		function = ((FuncExpr *) expr)->funcid;
		args = ((FuncExpr *) expr)->args;
	}
	else
		return false;
	switch (function)
	{
		case F_TIMESTAMPTZ_PL_INTERVAL:
		case F_TIMESTAMPTZ_MI_INTERVAL:
		case F_TIMESTAMP_PL_INTERVAL:
		case F_TIMESTAMP_MI_INTERVAL:
		case F_DATE_PL_INTERVAL:
		case F_DATE_MI_INTERVAL:
		case F_DATE_PLI:
		case F_DATE_MII:
		case F_DATE_TIMESTAMP:
		case F_DATE_TIMESTAMPTZ:
		case F_TIMESTAMP_DATE:
		case F_TIMESTAMP_TIMESTAMPTZ:
		case F_TIMESTAMPTZ_DATE:
		case F_TIMESTAMPTZ_TIMESTAMP:
			break;
		case F_DATE_TRUNC_TEXT_TIMESTAMP:
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ:
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ_TEXT:
		case F_TIMEZONE_TEXT_TIMESTAMPTZ:
			moving = 1;
			break;
		default:
			return false;
	}
	for (int i = 0; i < list_length(args); i++)
		if (i != moving && find_as_of(list_nth(args, i), NULL))
			return false;
	return crm_explain_grows(list_nth(args, moving));
}

static crm_leaf *
new_leaf(crm_explanation *e, crm_leaf_kind kind, Node *expr, uint32 *node)
{
	crm_leaf   *leaf = palloc0(sizeof(crm_leaf));

	leaf->kind = kind;
	leaf->expr = expr;
	leaf->by_clock = find_as_of(expr, NULL);
	leaf->by_events = find_timeline(expr, NULL);
	leaf->columns = crm_explain_columns(expr);
	leaf->is_text = exprType(expr) != BOOLOID;
	e->leaves = lappend(e->leaves, leaf);
	crm_check(crm_reason_leaf(&e->reason, &e->env, node), "rule", false);
	return leaf;
}

/* What an expression is compared with, as a value for the moment of the explanation. */
typedef struct fold_work
{
	crm_explanation *e;
	Node	   *expr;
	Const	   *value;
} fold_work;

static void
fold(void *arg)
{
	fold_work  *work = arg;
	crm_compiler compiler = {.as_of = work->e->as_of};

	work->value = crm_compile_fold(&compiler, work->expr);
}

static Const *
fold_constant(crm_explanation *e, Node *expr)
{
	fold_work	work = {e, expr, NULL};

	if (IsA(expr, Const))
		return (Const *) expr;
	if (needs_row(expr, NULL) || !crm_explain_guarded(fold, &work))
		return NULL;
	return work.value;
}

/* The column of a comparison's side, which COALESCE may give another value for NULL. */
static bool
column_of(Node *side, crm_operand *operand)
{
	Node	   *core = side;

	if (crm_compile_operand(side, operand))
		return true;
	while (IsA(core, RelabelType))
		core = (Node *) ((RelabelType *) core)->arg;
	return IsA(core, CoalesceExpr) && list_length(((CoalesceExpr *) core)->args) == 2 &&
		crm_compile_operand(linitial(((CoalesceExpr *) core)->args), operand) &&
		!needs_row(lsecond(((CoalesceExpr *) core)->args), NULL);
}

/* The elements of an array of constants. */
static List *
elements_of(Const *array)
{
	ArrayType  *elements;
	List	   *constants = NIL;
	int16		length;
	bool		byval;
	char		align;
	Datum	   *values;
	bool	   *nulls;
	int			count;

	if (array->constisnull)
		return NIL;
	elements = DatumGetArrayTypeP(array->constvalue);
	get_typlenbyvalalign(ARR_ELEMTYPE(elements), &length, &byval, &align);
	deconstruct_array(elements, ARR_ELEMTYPE(elements), length, byval, align, &values, &nulls, &count);
	for (int i = 0; i < count; i++)
		if (!nulls[i])
			constants = lappend(constants, makeConst(ARR_ELEMTYPE(elements), -1, InvalidOid, length, values[i], false, byval));
	return constants;
}

/* Can the place of each constant among the column's values be told? */
static bool
can_place(crm_explanation *e, const crm_operand *operand, List *constants)
{
	Form_pg_attribute column = TupleDescAttr(RelationGetDescr(e->source), operand->attribute - 1);
	crm_line	line = crm_line_of(column->atttypid, column->atttypmod);
	ListCell   *cell;

	foreach(cell, constants)
	{
		const Const *constant = lfirst(cell);
		Datum		value;
		bool		inexact;
		crm_position position;

		if (!crm_line_place(&line, getBaseType(constant->consttype), constant->constvalue, &value, &inexact))
			return false;
		/* A local time near a change of clocks is not in the order of instants. */
		if (line.type == TIMESTAMPOID && getBaseType(constant->consttype) == TIMESTAMPTZOID &&
			!crm_rule_locate(operand->kind, operand->seen_as, 0, TIMESTAMPTZOID, constant->constvalue, &position))
			return false;
	}
	return true;
}

/* A comparison of one column with what needs no row becomes a leaf; false when it is none. */
static bool
take_comparison(crm_explanation *e, Node *expr, Oid op, Oid collation, List *args, bool array, uint32 *node)
{
	Oid			family;
	crm_operand operand;
	Node	   *other;
	Const	   *value;
	List	   *constants = NIL;
	crm_leaf   *leaf;

	if (list_length(args) != 2 || crm_compile_strategy(op, collation, &family) == 0)
		return false;
	if (column_of(linitial(args), &operand))
		other = lsecond(args);
	else if (!array && column_of(lsecond(args), &operand))
		other = linitial(args);
	else
		return false;
	if ((value = fold_constant(e, other)) == NULL)
		return false;
	if (array)
		constants = elements_of(value);
	else if (!value->constisnull)
		constants = list_make1(value);
	if (!can_place(e, &operand, constants))
		return false;

	leaf = new_leaf(e, CRM_LEAF_COMPARISON, expr, node);
	leaf->attribute = operand.attribute;
	leaf->constants = constants;
	leaf->steady = !array && crm_explain_grows(other);
	return true;
}

/* ---- the tree ---------------------------------------------------------------------- */

static void take(crm_explanation *e, Node *expr, uint32 *node);

static void
join(crm_explanation *e, crm_reason_kind kind, int tested, const uint32 *children, int count, uint32 *node)
{
	crm_check(crm_reason_join(&e->reason, &e->env, kind, tested, children, count, node), "rule", false);
}

static void
take_list(crm_explanation *e, crm_reason_kind kind, List *args, uint32 *node)
{
	uint32	   *children = palloc(sizeof(uint32) * list_length(args));
	int			count = 0;
	ListCell   *cell;

	foreach(cell, args)
		take(e, lfirst(cell), &children[count++]);
	join(e, kind, 0, children, count, node);
}

static void
take_test(crm_explanation *e, crm_reason_kind kind, int tested, Node *arg, uint32 *node)
{
	uint32		child;

	take(e, arg, &child);
	join(e, kind, tested, &child, 1, node);
}

static bool
take_null_test(crm_explanation *e, NullTest *test, uint32 *node)
{
	Node	   *arg = (Node *) test->arg;
	bool		is_null = test->nulltesttype == IS_NULL;
	crm_operand operand;
	crm_leaf   *leaf;

	if (test->argisrow)
		return false;
	if (IsA(arg, Var) && ((Var *) arg)->varattno > 0)
		operand.attribute = ((Var *) arg)->varattno;
	else if (!crm_compile_operand(arg, &operand))
	{
		if (exprType(arg) != BOOLOID)
			return false;
		take_test(e, is_null ? CRM_REASON_IS : CRM_REASON_IS_NOT, CRM_REASON_NULL, arg, node);
		return true;
	}
	leaf = new_leaf(e, CRM_LEAF_NULL_TEST, (Node *) test, node);
	leaf->attribute = operand.attribute;
	leaf->is_null = is_null;
	return true;
}

static void
take_boolean_test(crm_explanation *e, BooleanTest *test, uint32 *node)
{
	bool		negated = test->booltesttype == IS_NOT_TRUE || test->booltesttype == IS_NOT_FALSE ||
		test->booltesttype == IS_NOT_UNKNOWN;
	int			tested = test->booltesttype == IS_TRUE || test->booltesttype == IS_NOT_TRUE ? CRM_REASON_TRUE :
		test->booltesttype == IS_FALSE || test->booltesttype == IS_NOT_FALSE ? CRM_REASON_FALSE : CRM_REASON_NULL;

	take_test(e, negated ? CRM_REASON_IS_NOT : CRM_REASON_IS, tested, (Node *) test->arg, node);
}

static bool
take_case(crm_explanation *e, CaseExpr *expr, uint32 *node)
{
	uint32	   *children = palloc(sizeof(uint32) * (2 * list_length(expr->args) + 1));
	int			count = 0;
	ListCell   *cell;

	foreach(cell, expr->args)
		if (crm_compile_when(expr, lfirst_node(CaseWhen, cell)) == NULL)
			return false;
	foreach(cell, expr->args)
	{
		const CaseWhen *when = lfirst_node(CaseWhen, cell);

		take(e, crm_compile_when(expr, when), &children[count++]);
		take(e, (Node *) when->result, &children[count++]);
	}
	if (expr->defresult != NULL)
		take(e, (Node *) expr->defresult, &children[count++]);
	join(e, CRM_REASON_CHOICE, 0, children, count, node);
	return true;
}

/* A text that passes through casts between text types unchanged. */
static Node *
without_relabel(Node *expr)
{
	while (IsA(expr, RelabelType))
		expr = (Node *) ((RelabelType *) expr)->arg;
	return expr;
}

static bool
take_known(crm_explanation *e, Node *expr, uint32 *node)
{
	switch (nodeTag(expr))
	{
		case T_BoolExpr:
			{
				BoolExpr   *logic = (BoolExpr *) expr;

				take_list(e, logic->boolop == NOT_EXPR ? CRM_REASON_NOT :
						  logic->boolop == AND_EXPR ? CRM_REASON_AND : CRM_REASON_OR, logic->args, node);
				return true;
			}
		case T_OpExpr:
			return take_comparison(e, expr, ((OpExpr *) expr)->opno, ((OpExpr *) expr)->inputcollid,
								   ((OpExpr *) expr)->args, false, node);
		case T_DistinctExpr:
			return take_comparison(e, expr, ((DistinctExpr *) expr)->opno, ((DistinctExpr *) expr)->inputcollid,
								   ((DistinctExpr *) expr)->args, false, node);
		case T_ScalarArrayOpExpr:
			return take_comparison(e, expr, ((ScalarArrayOpExpr *) expr)->opno, ((ScalarArrayOpExpr *) expr)->inputcollid,
								   ((ScalarArrayOpExpr *) expr)->args, true, node);
		case T_NullTest:
			return take_null_test(e, (NullTest *) expr, node);
		case T_BooleanTest:
			take_boolean_test(e, (BooleanTest *) expr, node);
			return true;
		case T_CoalesceExpr:
			take_list(e, CRM_REASON_FIRST, ((CoalesceExpr *) expr)->args, node);
			return true;
		case T_CaseExpr:
			return take_case(e, (CaseExpr *) expr, node);
		case T_RelabelType:
			if (IsA(without_relabel(expr), CaseExpr) || IsA(without_relabel(expr), CoalesceExpr))
			{
				take(e, without_relabel(expr), node);
				return true;
			}
			break;
		default:
			break;
	}
	if (exprType(expr) == BOOLOID)
	{
		crm_operand operand;

		if (crm_compile_operand(expr, &operand) && operand.kind == CRM_ARGUMENT_BOOL)
		{
			new_leaf(e, CRM_LEAF_COMPARISON, expr, node)->attribute = operand.attribute;
			return true;
		}
	}
	return false;
}

static void
take(crm_explanation *e, Node *expr, uint32 *node)
{
	crm_leaf   *leaf;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	e->depth++;
	if (e->depth > CRM_REASON_MAX_DEPTH || !take_known(e, expr, node))
	{
		bool		constant = !needs_row(expr, NULL);
		Oid			family;

		leaf = new_leaf(e, constant ? CRM_LEAF_CONSTANT : CRM_LEAF_OTHER, expr, node);
		/* Of two things that need no row, one may move. */
		if (constant && IsA(expr, OpExpr) && list_length(((OpExpr *) expr)->args) == 2)
		{
			Node	   *left = linitial(((OpExpr *) expr)->args);
			Node	   *right = lsecond(((OpExpr *) expr)->args);

			leaf->steady = crm_compile_strategy(((OpExpr *) expr)->opno, ((OpExpr *) expr)->inputcollid, &family) != 0 &&
				find_as_of(left, NULL) != find_as_of(right, NULL) && crm_explain_grows(left) && crm_explain_grows(right);
		}
	}
	e->depth--;
}

void
crm_explain_take_apart(crm_explanation *e)
{
	ListCell   *cell;

	e->env = crm_env_in(CurrentMemoryContext);
	take(e, e->rule->expr, &e->root);
	foreach(cell, e->leaves)
	{
		crm_leaf   *leaf = lfirst(cell);

		leaf->text = crm_explain_write(e, leaf->expr);
	}
}
