/*
 * rule_compile.c - rules that are comparisons of columns with constants, and
 * what logic makes of them, become nodes of a program over batches.
 *
 * Every expression is compiled for what is asked of it: the rows where it is
 * true, or the rows where it is false.  NOT changes the question, AND and OR
 * change places, and NULL is neither, as SQL has it.
 */
#include "common/crm.h"

#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "nodes/nodeFuncs.h"
#include "tag/rule_internal.h"
#include "utils/lsyscache.h"

/*
 * IS UNKNOWN and COALESCE ask their arguments twice; nested, that doubles at
 * every level.  A rule that asks more often than this is the executor's.
 */
#define MAX_STEPS 20000

static void
check_program(crm_status status)
{
	crm_check(status, "scan plan", false);
}

uint32
crm_compile_constant(crm_compiler *compiler, bool all)
{
	uint32		node;

	check_program(crm_program_constant(&compiler->program, &compiler->env, all, &node));
	return node;
}

uint32
crm_compile_join(crm_compiler *compiler, bool all, const uint32 *nodes, int count)
{
	uint32		node;

	check_program(crm_program_join(&compiler->program, &compiler->env, all, nodes, count, &node));
	return node;
}

uint32
crm_compile_join2(crm_compiler *compiler, bool all, uint32 a, uint32 b)
{
	uint32		nodes[2] = {a, b};

	return crm_compile_join(compiler, all, nodes, 2);
}

static uint32
negation(crm_compiler *compiler, uint32 inner)
{
	uint32		node;

	check_program(crm_program_not(&compiler->program, &compiler->env, inner, &node));
	return node;
}

/* ---- logic ---------------------------------------------------------------------------- */

static bool
compile_list(crm_compiler *compiler, List *args, bool all, bool wanted, uint32 *node)
{
	uint32	   *nodes = palloc(sizeof(uint32) * list_length(args));
	int			count = 0;
	ListCell   *cell;

	foreach(cell, args)
		if (!crm_compile_condition(compiler, lfirst(cell), wanted, &nodes[count++]))
			return false;
	*node = crm_compile_join(compiler, all, nodes, count);
	pfree(nodes);
	return true;
}

/* Rows where a condition is neither true nor false, or one of them. */
static bool
compile_unknown(crm_compiler *compiler, Node *expr, bool unknown, uint32 *node)
{
	uint32		truth,
				falsehood;

	if (!crm_compile_condition(compiler, expr, true, &truth) || !crm_compile_condition(compiler, expr, false, &falsehood))
		return false;
	*node = crm_compile_join2(compiler, false, truth, falsehood);
	if (unknown)
		*node = negation(compiler, *node);
	return true;
}

static bool
compile_boolean_test(crm_compiler *compiler, BooleanTest *test, bool wanted, uint32 *node)
{
	Node	   *arg = (Node *) test->arg;
	bool		of_true = test->booltesttype == IS_TRUE || test->booltesttype == IS_NOT_TRUE;
	bool		negated = test->booltesttype == IS_NOT_TRUE || test->booltesttype == IS_NOT_FALSE ||
		test->booltesttype == IS_NOT_UNKNOWN;

	if (test->booltesttype == IS_UNKNOWN || test->booltesttype == IS_NOT_UNKNOWN)
		return compile_unknown(compiler, arg, wanted != negated, node);
	if (!crm_compile_condition(compiler, arg, of_true, node))
		return false;
	if (wanted == negated)
		*node = negation(compiler, *node);
	return true;
}

static bool
compile_null_test(crm_compiler *compiler, NullTest *test, bool wanted, uint32 *node)
{
	bool		null = (test->nulltesttype == IS_NULL) == wanted;
	crm_operand source;

	if (test->argisrow)
		return false;
	if (crm_compile_operand((Node *) test->arg, &source))
		return crm_compile_null(compiler, &source, null, node);
	if (exprType((Node *) test->arg) == BOOLOID)
		return compile_unknown(compiler, (Node *) test->arg, null, node);
	return false;
}

/* The first that is not NULL decides. */
static bool
compile_coalesce(crm_compiler *compiler, List *args, bool wanted, uint32 *node)
{
	uint32		undecided = crm_compile_constant(compiler, true);
	ListCell   *cell;

	*node = crm_compile_constant(compiler, false);
	foreach(cell, args)
	{
		uint32		here,
					unknown;

		if (!crm_compile_condition(compiler, lfirst(cell), wanted, &here) ||
			!compile_unknown(compiler, lfirst(cell), true, &unknown))
			return false;
		*node = crm_compile_join2(compiler, false, *node, crm_compile_join2(compiler, true, undecided, here));
		undecided = crm_compile_join2(compiler, true, undecided, unknown);
	}
	return true;
}

/* CASE a WHEN b is written with a placeholder for a. */
static Node *
replace_case_test(Node *node, void *context)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, CaseTestExpr))
		return copyObject((Node *) context);
	return expression_tree_mutator(node, replace_case_test, context);
}

Node *
crm_compile_when(const CaseExpr *expr, const CaseWhen *when)
{
	Node	   *condition = (Node *) when->expr;

	if (expr->arg == NULL)
		return condition;
	/* Placeholders inside another CASE are that one's own. */
	return IsA(condition, OpExpr) ? replace_case_test(condition, expr->arg) : NULL;
}

static bool
compile_when(crm_compiler *compiler, const CaseExpr *expr, const CaseWhen *when, uint32 *node)
{
	Node	   *condition = crm_compile_when(expr, when);

	return condition != NULL && crm_compile_condition(compiler, condition, true, node);
}

static bool
compile_case(crm_compiler *compiler, CaseExpr *expr, bool wanted, uint32 *node)
{
	uint32		open = crm_compile_constant(compiler, true);
	uint32		here;
	ListCell   *cell;

	*node = crm_compile_constant(compiler, false);
	foreach(cell, expr->args)
	{
		const CaseWhen *when = lfirst_node(CaseWhen, cell);
		uint32		taken;

		if (!compile_when(compiler, expr, when, &taken) ||
			!crm_compile_condition(compiler, (Node *) when->result, wanted, &here))
			return false;
		*node = crm_compile_join2(compiler, false, *node, crm_compile_join2(compiler, true, open, crm_compile_join2(compiler, true, taken, here)));
		open = crm_compile_join2(compiler, true, open, negation(compiler, taken));
	}
	if (expr->defresult == NULL)
		return true;
	if (!crm_compile_condition(compiler, (Node *) expr->defresult, wanted, &here))
		return false;
	*node = crm_compile_join2(compiler, false, *node, crm_compile_join2(compiler, true, open, here));
	return true;
}

bool
crm_compile_condition(crm_compiler *compiler, Node *expr, bool wanted, uint32 *node)
{
	crm_operand source;
	Const	   *value;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (++compiler->steps > MAX_STEPS)
		return false;
	switch (nodeTag(expr))
	{
		case T_BoolExpr:
			{
				BoolExpr   *logic = (BoolExpr *) expr;

				if (logic->boolop == NOT_EXPR)
					return crm_compile_condition(compiler, linitial(logic->args), !wanted, node);
				return compile_list(compiler, logic->args, (logic->boolop == AND_EXPR) == wanted, wanted, node);
			}
		case T_OpExpr:
			if (crm_compile_operator(compiler, (OpExpr *) expr, wanted, node))
				return true;
			break;
		case T_DistinctExpr:
			if (crm_compile_distinct(compiler, (DistinctExpr *) expr, wanted, node))
				return true;
			break;
		case T_ScalarArrayOpExpr:
			if (crm_compile_array(compiler, (ScalarArrayOpExpr *) expr, wanted, node))
				return true;
			break;
		case T_BooleanTest:
			return compile_boolean_test(compiler, (BooleanTest *) expr, wanted, node);
		case T_NullTest:
			if (compile_null_test(compiler, (NullTest *) expr, wanted, node))
				return true;
			break;
		case T_CoalesceExpr:
			return compile_coalesce(compiler, ((CoalesceExpr *) expr)->args, wanted, node);
		case T_CaseExpr:
			return compile_case(compiler, (CaseExpr *) expr, wanted, node);
		case T_Var:
		case T_RelabelType:
			if (crm_compile_operand(expr, &source) && source.kind == CRM_ARGUMENT_BOOL)
			{
				crm_compiled_column *column;
				crm_range	is = {wanted, wanted};

				if (!crm_compile_column(compiler, &source, 0, &column))
					return false;
				check_program(crm_program_ranges(&compiler->program, &compiler->env, column->number, true, &is, 1, node));
				return true;
			}
			return false;
		default:
			break;
	}
	/* What needs no row is the same for all. */
	value = crm_compile_fold(compiler, expr);
	if (value == NULL || getBaseType(value->consttype) != BOOLOID)
		return false;
	*node = crm_compile_constant(compiler, !value->constisnull && DatumGetBool(value->constvalue) == wanted);
	return true;
}

/* ---- rules -------------------------------------------------------------------------------- */

/* A text that needs no row, as a string of the program; CRM_PROGRAM_NONE for NULL. */
static bool
text_result(crm_compiler *compiler, Node *expr, uint32 *string)
{
	Const	   *value;
	struct varlena *text;

	*string = CRM_PROGRAM_NONE;
	if (expr == NULL)
		return true;
	value = crm_compile_fold(compiler, expr);
	if (value == NULL || (value->consttype != TEXTOID && value->consttype != VARCHAROID))
		return false;
	if (value->constisnull)
		return true;
	text = PG_DETOAST_DATUM_PACKED(value->constvalue);
	check_program(crm_program_add_string(&compiler->program, &compiler->env, VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text), string));
	return true;
}

static Node *
without_relabel(Node *expr)
{
	while (expr && IsA(expr, RelabelType))
		expr = (Node *) ((RelabelType *) expr)->arg;
	return expr;
}

/* CASE with constant results, and CASE in its ELSE. */
static bool
compile_text_case(crm_compiler *compiler, CaseExpr *expr, crm_program_rule *compiled)
{
	compiled->kind = CRM_RULE_CASE;
	compiled->first_arm = compiler->program.arm_count;
	for (;;)
	{
		ListCell   *cell;
		Node	   *otherwise;

		foreach(cell, expr->args)
		{
			const CaseWhen *when = lfirst_node(CaseWhen, cell);
			uint32		node,
						value;

			if (!compile_when(compiler, expr, when, &node) ||
				!text_result(compiler, without_relabel((Node *) when->result), &value))
				return false;
			check_program(crm_program_add_arm(&compiler->program, &compiler->env, node, value));
			compiled->arm_count++;
		}
		otherwise = without_relabel((Node *) expr->defresult);
		if (otherwise == NULL || !IsA(otherwise, CaseExpr))
			return text_result(compiler, otherwise, &compiled->otherwise);
		expr = (CaseExpr *) otherwise;
	}
}

static bool
compile_text(crm_compiler *compiler, Node *expr, crm_program_rule *compiled)
{
	Node	   *core = without_relabel(expr);
	Node	   *column_expr = expr;
	crm_operand source;
	crm_compiled_column *column;

	if (IsA(core, CaseExpr))
		return compile_text_case(compiler, (CaseExpr *) core, compiled);
	if (IsA(core, CoalesceExpr) && list_length(((CoalesceExpr *) core)->args) == 2)
	{
		column_expr = linitial(((CoalesceExpr *) core)->args);
		if (!text_result(compiler, without_relabel(lsecond(((CoalesceExpr *) core)->args)), &compiled->otherwise))
			return false;
	}
	if (crm_compile_operand(column_expr, &source) && source.seen_as == TEXTOID)
	{
		if (!crm_compile_column(compiler, &source, 0, &column))
			return false;
		compiler->program.columns[column->number].intern = true;
		compiled->kind = CRM_RULE_COLUMN;
		compiled->target = column->number;
		return true;
	}
	/* One value for all, or none. */
	compiled->kind = CRM_RULE_CASE;
	compiled->first_arm = compiler->program.arm_count;
	return text_result(compiler, expr, &compiled->otherwise);
}

bool
crm_rule_compile(crm_compiler *compiler, const crm_rule *rule, crm_program_rule *compiled)
{
	crm_program before = compiler->program;
	int			columns = list_length(compiler->columns);
	bool		done = false;

	compiler->steps = 0;
	memset(compiled, 0, sizeof(*compiled));
	compiled->otherwise = CRM_PROGRAM_NONE;
	if (rule->type == BOOLOID)
	{
		compiled->kind = CRM_RULE_NODE;
		done = crm_compile_condition(compiler, rule->expr, true, &compiled->target);
	}
	else if (rule->type == TEXTOID)
		done = compile_text(compiler, rule->expr, compiled);
	if (!done)
	{
		crm_program_rewind(&compiler->program, &before);
		compiler->columns = list_truncate(compiler->columns, columns);
		memset(compiled, 0, sizeof(*compiled));
		compiled->otherwise = CRM_PROGRAM_NONE;
	}
	return done;
}
