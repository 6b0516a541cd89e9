/*
 * rule_compare.c - comparisons of a column with what needs no row.
 *
 * Only operators and functions of PostgreSQL itself are understood, known by
 * their oids: what a user calls = may do anything.
 */
#include "common/crm.h"

#include "access/stratnum.h"
#include "access/transam.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "tag/rule_internal.h"
#include "utils/array.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* Families of operators whose order is the keys' order; PostgreSQL names some of them only by number. */
#define FLOAT_BTREE_FAMILY 1970
#define NUMERIC_BTREE_FAMILY 1988
#define DATETIME_BTREE_FAMILY 434

#define NOT_EQUAL CRM_STRATEGY_NOT_EQUAL

/* Numbers of decimal groups of a numeric key, in the order in which they are tried. */
static const int fractions[] = {1, 2, 3, 0};

/* A list of ranges under way. */
typedef struct range_list
{
	crm_range  *ranges;
	int			count;
} range_list;

static void
check_program(crm_status status)
{
	crm_check(status, "scan plan", false);
}

/* ---- constants ------------------------------------------------------------------ */

static bool
is_foreign_function(Oid function, void *context)
{
	return function >= FirstUnpinnedObjectId;
}

static bool
needs_row_or_foreign_code(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var) || IsA(node, CaseTestExpr) || IsA(node, CoerceToDomain) || IsA(node, CoerceToDomainValue))
		return true;
	if (IsA(node, Param) && ((Param *) node)->paramid != CRM_RULE_AS_OF_PARAM)
		return true;
	if (check_functions_in_node(node, is_foreign_function, context))
		return true;
	return expression_tree_walker(node, needs_row_or_foreign_code, context);
}

static Node *
replace_as_of(Node *node, void *context)
{
	const crm_compiler *compiler = context;

	if (node == NULL)
		return NULL;
	if (IsA(node, Param) && ((Param *) node)->paramid == CRM_RULE_AS_OF_PARAM)
		return (Node *) makeConst(TIMESTAMPTZOID, -1, InvalidOid, sizeof(TimestampTz),
								  TimestampTzGetDatum(compiler->as_of), false, FLOAT8PASSBYVAL);
	return expression_tree_mutator(node, replace_as_of, context);
}

Node *
crm_evaluate_alone(Node *expr)
{
	EState	   *estate = CreateExecutorState();
	ExprState  *state = ExecPrepareExpr((Expr *) expr, estate);
	Datum		value;
	bool		isnull;
	int16		length;
	bool		byval;

	get_typlenbyval(exprType(expr), &length, &byval);
	value = ExecEvalExprSwitchContext(state, GetPerTupleExprContext(estate), &isnull);
	/* Out of the executor's memory, and flat: keys are read from its bytes. */
	if (!isnull)
		value = length == -1 ? PointerGetDatum(PG_DETOAST_DATUM_COPY(value)) : datumCopy(value, byval, length);
	FreeExecutorState(estate);
	return (Node *) makeConst(exprType(expr), -1, exprCollation(expr), length, value, isnull, byval);
}

/* The value of an expression that needs no row; NULL when it needs one, or code that is not PostgreSQL's. */
Const *
crm_compile_fold(crm_compiler *compiler, Node *expr)
{
	if (IsA(expr, Const))
		return (Const *) expr;
	if (needs_row_or_foreign_code(expr, NULL))
		return NULL;
	return (Const *) crm_evaluate_alone(replace_as_of(expr, compiler));
}

/* ---- columns --------------------------------------------------------------------- */

/* The types that batches know; varchar is stored and compared as text. */
static const struct
{
	crm_argument_kind kind;
	Oid			type;
}			column_types[] = {
	{CRM_ARGUMENT_BOOL, BOOLOID},
	{CRM_ARGUMENT_INT2, INT2OID},
	{CRM_ARGUMENT_INT4, INT4OID},
	{CRM_ARGUMENT_INT8, INT8OID},
	{CRM_ARGUMENT_FLOAT4, FLOAT4OID},
	{CRM_ARGUMENT_FLOAT8, FLOAT8OID},
	{CRM_ARGUMENT_NUMERIC, NUMERICOID},
	{CRM_ARGUMENT_DATE, DATEOID},
	{CRM_ARGUMENT_TIMESTAMP, TIMESTAMPOID},
	{CRM_ARGUMENT_TIMESTAMPTZ, TIMESTAMPTZOID},
	{CRM_ARGUMENT_TEXT, TEXTOID},
	{CRM_ARGUMENT_TEXT, VARCHAROID},
	{CRM_ARGUMENT_BPCHAR, BPCHAROID},
};

static bool
kind_of_type(Oid type, crm_argument_kind *kind)
{
	for (int i = 0; i < lengthof(column_types); i++)
		if (column_types[i].type == type)
		{
			*kind = column_types[i].kind;
			return true;
		}
	return false;
}

static Oid
type_of_kind(crm_argument_kind kind)
{
	for (int i = 0; i < lengthof(column_types); i++)
		if (column_types[i].kind == kind)
			return column_types[i].type;
	return InvalidOid;
}

/* A column, also inside casts that keep its order and cannot fail. */
bool
crm_compile_operand(Node *expr, crm_operand *result)
{
	/* The comparison says which collation it uses. */
	if (IsA(expr, CollateExpr))
		return crm_compile_operand((Node *) ((CollateExpr *) expr)->arg, result);
	if (IsA(expr, RelabelType))
	{
		crm_argument_kind kind;

		/* From a domain or from varchar to text; other types of the same bytes compare otherwise. */
		return crm_compile_operand((Node *) ((RelabelType *) expr)->arg, result) &&
			kind_of_type(getBaseType(((RelabelType *) expr)->resulttype), &kind) &&
			kind == result->kind && type_of_kind(kind) == result->seen_as;
	}
	if (IsA(expr, Var))
	{
		const Var  *var = (const Var *) expr;

		result->attribute = var->varattno;
		if (var->varattno <= 0 || var->varlevelsup != 0 || !kind_of_type(getBaseType(var->vartype), &result->kind))
			return false;
		result->seen_as = type_of_kind(result->kind);
		return true;
	}
	if (IsA(expr, FuncExpr) && list_length(((FuncExpr *) expr)->args) == 1)
	{
		const FuncExpr *cast = (const FuncExpr *) expr;

		switch (cast->funcid)
		{
			case F_INT4_INT2:
			case F_INT8_INT2:
			case F_INT8_INT4:
			case F_NUMERIC_INT2:
			case F_NUMERIC_INT4:
			case F_NUMERIC_INT8:
			case F_FLOAT8_INT2:
			case F_FLOAT8_INT4:
			case F_FLOAT8_FLOAT4:
			case F_TEXT_BPCHAR:
				if (!crm_compile_operand(linitial(cast->args), result) ||
					(cast->funcid == F_TEXT_BPCHAR && result->seen_as != BPCHAROID))
					return false;
				result->seen_as = cast->funcresulttype;
				return true;
		}
	}
	return false;
}

/* The program's column for an operand; false when the scan has no argument left. */
bool
crm_compile_column(crm_compiler *compiler, const crm_operand *source, int fraction, crm_compiled_column **result)
{
	crm_program *program = &compiler->program;
	crm_column	column = {0};
	crm_compiled_column *compiled;
	uint32		argument;
	ListCell   *cell;

	foreach(cell, compiler->columns)
	{
		compiled = lfirst(cell);
		if (compiled->attribute == source->attribute && compiled->fraction == fraction)
		{
			*result = compiled;
			return true;
		}
	}
	for (argument = 0; argument < program->argument_count; argument++)
		if (compiler->attributes[argument] == source->attribute)
			break;
	if (argument == program->argument_count)
	{
		if (crm_program_add_argument(program, source->kind, &argument) == CRM_LIMIT)
			return false;
		compiler->attributes[argument] = source->attribute;
	}
	column.argument = argument;
	column.fraction = fraction;
	compiled = palloc0(sizeof(crm_compiled_column));
	compiled->attribute = source->attribute;
	compiled->fraction = fraction;
	check_program(crm_program_add_column(program, &compiler->env, &column, &compiled->number));
	compiler->columns = lappend(compiler->columns, compiled);
	*result = compiled;
	return true;
}

/* Is the column NULL?  Any of its keys tells; a numeric one may have several. */
bool
crm_compile_null(crm_compiler *compiler, const crm_operand *source, bool null, uint32 *node)
{
	crm_compiled_column *column = NULL;
	ListCell   *cell;

	foreach(cell, compiler->columns)
	{
		column = lfirst(cell);
		if (column->attribute == source->attribute)
			break;
		column = NULL;
	}
	if (column == NULL && !crm_compile_column(compiler, source, source->kind == CRM_ARGUMENT_NUMERIC ? fractions[0] : 0, &column))
		return false;
	check_program(crm_program_null(&compiler->program, &compiler->env, column->number, null, node));
	return true;
}

/* ---- comparisons -------------------------------------------------------------------- */

/* The strategy of an operator of PostgreSQL's whose order is that of keys; 0 for any other. */
int
crm_compile_strategy(Oid op, Oid collation, Oid *family)
{
	static const Oid families[] = {
		INTEGER_BTREE_FAM_OID, FLOAT_BTREE_FAMILY, NUMERIC_BTREE_FAMILY, DATETIME_BTREE_FAMILY,
		BOOL_BTREE_FAM_OID, TEXT_BTREE_FAM_OID, BPCHAR_BTREE_FAM_OID
	};
	Oid			negator;

	if (op >= FirstUnpinnedObjectId)
		return 0;
	negator = get_negator(op);
	for (int i = 0; i < lengthof(families); i++)
	{
		int			strategy = get_op_opfamily_strategy(op, families[i]);

		if (strategy == 0 && OidIsValid(negator) &&
			get_op_opfamily_strategy(negator, families[i]) == BTEqualStrategyNumber)
			strategy = NOT_EQUAL;
		if (strategy == 0)
			continue;
		*family = families[i];
		if (families[i] == TEXT_BTREE_FAM_OID || families[i] == BPCHAR_BTREE_FAM_OID)
		{
			/* Codes of texts have no order, and are equal only where bytes are. */
			if ((strategy != BTEqualStrategyNumber && strategy != NOT_EQUAL) ||
				!OidIsValid(collation) || !get_collation_isdeterministic(collation))
				return 0;
		}
		return strategy;
	}
	return 0;
}

static int
commuted(int strategy)
{
	switch (strategy)
	{
		case BTLessStrategyNumber:
			return BTGreaterStrategyNumber;
		case BTLessEqualStrategyNumber:
			return BTGreaterEqualStrategyNumber;
		case BTGreaterEqualStrategyNumber:
			return BTLessEqualStrategyNumber;
		case BTGreaterStrategyNumber:
			return BTLessStrategyNumber;
	}
	return strategy;
}

static void
add_range(range_list *list, int64 low, int64 high)
{
	if (low <= high)
		list->ranges[list->count++] = (crm_range) {low, high};
}

/* Keys that compare so with the constant's place; NOT_EQUAL is asked as equality. */
static void
add_keys(range_list *list, int strategy, const crm_position *position)
{
	bool		less = strategy == BTLessStrategyNumber || strategy == BTLessEqualStrategyNumber;
	bool		greater = strategy == BTGreaterStrategyNumber || strategy == BTGreaterEqualStrategyNumber;

	if (position->side != 0)
	{
		if (position->side > 0 ? less : greater)
			add_range(list, PG_INT64_MIN, PG_INT64_MAX);
		return;
	}
	switch (strategy)
	{
		case BTLessStrategyNumber:
			if (position->low > PG_INT64_MIN)
				add_range(list, PG_INT64_MIN, position->low - 1);
			break;
		case BTLessEqualStrategyNumber:
			add_range(list, PG_INT64_MIN, position->high);
			break;
		case BTEqualStrategyNumber:
			add_range(list, position->low, position->high);
			break;
		case BTGreaterEqualStrategyNumber:
			add_range(list, position->low, PG_INT64_MAX);
			break;
		case BTGreaterStrategyNumber:
			if (position->high < PG_INT64_MAX)
				add_range(list, position->high + 1, PG_INT64_MAX);
			break;
	}
}

static int
compare_ranges(const void *a, const void *b)
{
	int64		low_a = ((const crm_range *) a)->low;
	int64		low_b = ((const crm_range *) b)->low;

	return low_a < low_b ? -1 : low_a > low_b;
}

/* Ascending, and one where they touch. */
static void
tidy_ranges(range_list *list)
{
	int			kept = 0;

	qsort(list->ranges, list->count, sizeof(crm_range), compare_ranges);
	for (int i = 1; i < list->count; i++)
	{
		crm_range  *last = &list->ranges[kept];
		crm_range	next = list->ranges[i];

		if (last->high == PG_INT64_MAX || next.low <= last->high + 1)
			last->high = Max(last->high, next.high);
		else
			list->ranges[++kept] = next;
	}
	if (list->count > 0)
		list->count = kept + 1;
}

/* Code of a text value that rules name. */
static int64
text_code(crm_compiler *compiler, const crm_operand *source, crm_compiled_column *column, Datum datum)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(datum);
	const char *text = VARDATA_ANY(value);
	Size		length = VARSIZE_ANY_EXHDR(value);
	uint32		code;

	/* To char(n), trailing blanks are nothing; to a char(n) seen as text they are characters that it never has. */
	if (source->seen_as == BPCHAROID)
		while (length > 0 && text[length - 1] == ' ')
			length--;
	check_program(crm_value_add(&column->values, &compiler->env, text, length, UINT32_MAX, &code));
	return code;
}

/*
 * The keys of a column that compare so with any of the constants, none of which
 * is NULL.  A numeric column's keys get as many decimals as the constants need.
 */
static bool
collect_keys(crm_compiler *compiler, const crm_operand *source, int strategy, Oid type, const Datum *values, int count,
			 crm_compiled_column **column, range_list *list)
{
	int			tries = source->kind == CRM_ARGUMENT_NUMERIC ? lengthof(fractions) : 1;

	list->ranges = palloc(sizeof(crm_range) * (count + 1));
	if (source->kind == CRM_ARGUMENT_TEXT || source->kind == CRM_ARGUMENT_BPCHAR)
	{
		list->count = 0;
		if (!crm_compile_column(compiler, source, 0, column))
			return false;
		for (int i = 0; i < count; i++)
		{
			int64		code = text_code(compiler, source, *column, values[i]);

			add_range(list, code, code);
		}
		tidy_ranges(list);
		return true;
	}
	for (int try = 0; try < tries; try++)
	{
		int			fraction = source->kind == CRM_ARGUMENT_NUMERIC ? fractions[try] : 0;
		int			i;

		list->count = 0;
		for (i = 0; i < count; i++)
		{
			crm_position position;

			if (!crm_rule_locate(source->kind, source->seen_as, fraction, type, values[i], &position))
				break;
			add_keys(list, strategy, &position);
		}
		if (i < count)
			continue;
		tidy_ranges(list);
		return crm_compile_column(compiler, source, fraction, column);
	}
	return false;
}

/* Do the operator's input types fit what stands there? */
static bool
types_fit(const crm_operand *source, Oid column_type, Oid constant_type, Oid given)
{
	given = getBaseType(given);
	if (given == VARCHAROID)
		given = TEXTOID;
	return source->seen_as == column_type && given == constant_type;
}

/* column op constant; the constant is not NULL. */
static bool
compile_comparison(crm_compiler *compiler, const crm_operand *source, int strategy, Oid type, Datum value, bool wanted, uint32 *node)
{
	crm_compiled_column *column;
	range_list	list;
	bool		inside = wanted;

	if (strategy == NOT_EQUAL)
	{
		strategy = BTEqualStrategyNumber;
		inside = !inside;
	}
	if (!collect_keys(compiler, source, strategy, getBaseType(type), &value, 1, &column, &list))
		return false;
	check_program(crm_program_ranges(&compiler->program, &compiler->env, column->number, inside,
									 list.ranges, list.count, node));
	return true;
}

/*
 * COALESCE(a, b) under a comparison: the comparison of a where a is not NULL,
 * else that of b.  The casts that stand around it go around each.
 */
static Node *
rewrap(Node *shell, Node *coalesce, Node *core)
{
	RelabelType *copy;

	if (shell == coalesce)
		return core;
	copy = makeNode(RelabelType);
	*copy = *castNode(RelabelType, shell);
	copy->arg = (Expr *) rewrap((Node *) copy->arg, coalesce, core);
	return (Node *) copy;
}

static bool
compile_coalesced(crm_compiler *compiler, Node *expr, List **args, ListCell *place, bool wanted, uint32 *node)
{
	Node	   *shell = lfirst(place);
	Node	   *core = shell;
	List	   *choices;
	crm_operand first;
	uint32		from_first,
				from_rest,
				null;
	bool		compiled;

	while (IsA(core, RelabelType))
		core = (Node *) ((RelabelType *) core)->arg;
	if (!IsA(core, CoalesceExpr))
		return false;
	choices = ((CoalesceExpr *) core)->args;
	if (list_length(choices) != 2 || !crm_compile_operand(linitial(choices), &first))
		return false;

	lfirst(place) = rewrap(shell, core, linitial(choices));
	compiled = crm_compile_condition(compiler, expr, wanted, &from_first);
	lfirst(place) = rewrap(shell, core, lsecond(choices));
	compiled = compiled && crm_compile_condition(compiler, expr, wanted, &from_rest);
	lfirst(place) = shell;
	if (!compiled || !crm_compile_null(compiler, &first, true, &null))
		return false;
	/* Where the first is NULL its comparison is neither true nor false. */
	*node = crm_compile_join2(compiler, false, from_first, crm_compile_join2(compiler, true, null, from_rest));
	return true;
}

bool
crm_compile_operator(crm_compiler *compiler, OpExpr *expr, bool wanted, uint32 *node)
{
	Node	   *left;
	Node	   *right;
	Oid			left_type,
				right_type,
				family;
	crm_operand source;
	Const	   *value;
	int			strategy = crm_compile_strategy(expr->opno, expr->inputcollid, &family);

	if (strategy == 0 || list_length(expr->args) != 2)
		return false;
	left = linitial(expr->args);
	right = lsecond(expr->args);
	op_input_types(expr->opno, &left_type, &right_type);
	if (crm_compile_operand(left, &source) && (value = crm_compile_fold(compiler, right)) != NULL)
	{
		if (!types_fit(&source, left_type, right_type, value->consttype))
			return false;
	}
	else if (crm_compile_operand(right, &source) && (value = crm_compile_fold(compiler, left)) != NULL)
	{
		if (!types_fit(&source, right_type, left_type, value->consttype))
			return false;
		strategy = commuted(strategy);
	}
	else
		return compile_coalesced(compiler, (Node *) expr, &expr->args, list_head(expr->args), wanted, node) ||
			compile_coalesced(compiler, (Node *) expr, &expr->args, list_tail(expr->args), wanted, node);
	if (value->constisnull)
	{
		*node = crm_compile_constant(compiler, false);
		return true;
	}
	return compile_comparison(compiler, &source, strategy, value->consttype, value->constvalue, wanted, node);
}

/* IS DISTINCT FROM: NULL is a value like others, and the answer never NULL. */
bool
crm_compile_distinct(crm_compiler *compiler, DistinctExpr *expr, bool wanted, uint32 *node)
{
	Node	   *left = linitial(expr->args);
	Node	   *right = lsecond(expr->args);
	Oid			left_type,
				right_type,
				family;
	crm_operand source;
	Const	   *value;
	uint32		null,
				differs;

	/* Its operator is the equality. */
	if (crm_compile_strategy(expr->opno, expr->inputcollid, &family) != BTEqualStrategyNumber)
		return false;
	op_input_types(expr->opno, &left_type, &right_type);
	if (crm_compile_operand(left, &source) && (value = crm_compile_fold(compiler, right)) != NULL)
	{
		if (!types_fit(&source, left_type, right_type, value->consttype))
			return false;
	}
	else if (crm_compile_operand(right, &source) && (value = crm_compile_fold(compiler, left)) != NULL)
	{
		if (!types_fit(&source, right_type, left_type, value->consttype))
			return false;
	}
	else
		return false;
	if (value->constisnull)
		return crm_compile_null(compiler, &source, !wanted, node);
	if (!wanted)
		return compile_comparison(compiler, &source, BTEqualStrategyNumber, value->consttype, value->constvalue, true, node);
	if (!compile_comparison(compiler, &source, BTEqualStrategyNumber, value->consttype, value->constvalue, false, &differs) ||
		!crm_compile_null(compiler, &source, true, &null))
		return false;
	*node = crm_compile_join2(compiler, false, null, differs);
	return true;
}

/* column op ANY (array), column op ALL (array). */
bool
crm_compile_array(crm_compiler *compiler, ScalarArrayOpExpr *expr, bool wanted, uint32 *node)
{
	Oid			left_type,
				right_type,
				family;
	crm_operand source;
	Const	   *array;
	int			strategy = crm_compile_strategy(expr->opno, expr->inputcollid, &family);
	ArrayType  *elements;
	int16		length;
	bool		byval;
	char		align;
	Datum	   *values;
	bool	   *nulls;
	int			count,
				present = 0;
	bool		inside;

	if (strategy == 0)
		return false;
	if (!crm_compile_operand(linitial(expr->args), &source))
		return compile_coalesced(compiler, (Node *) expr, &expr->args, list_head(expr->args), wanted, node);
	if ((array = crm_compile_fold(compiler, lsecond(expr->args))) == NULL)
		return false;
	op_input_types(expr->opno, &left_type, &right_type);
	if (array->constisnull)
	{
		*node = crm_compile_constant(compiler, false);
		return true;
	}
	elements = DatumGetArrayTypeP(array->constvalue);
	if (!types_fit(&source, left_type, right_type, ARR_ELEMTYPE(elements)))
		return false;
	get_typlenbyvalalign(ARR_ELEMTYPE(elements), &length, &byval, &align);
	deconstruct_array(elements, ARR_ELEMTYPE(elements), length, byval, align, &values, &nulls, &count);
	if (count == 0)
	{
		/* Of no elements nothing is true, and everything, even for NULL. */
		*node = crm_compile_constant(compiler, wanted != expr->useOr);
		return true;
	}
	for (int i = 0; i < count; i++)
		if (!nulls[i])
			values[present++] = values[i];

	/* = ANY is one set of keys, <> ALL its opposite; with a NULL among the elements the opposite is never sure. */
	if (strategy == (expr->useOr ? BTEqualStrategyNumber : NOT_EQUAL))
	{
		crm_compiled_column *column;
		range_list	list;

		inside = wanted == expr->useOr;
		if (!inside && present < count)
		{
			*node = crm_compile_constant(compiler, false);
			return true;
		}
		if (!collect_keys(compiler, &source, BTEqualStrategyNumber, getBaseType(ARR_ELEMTYPE(elements)),
						  values, present, &column, &list))
			return false;
		check_program(crm_program_ranges(&compiler->program, &compiler->env, column->number, inside,
										 list.ranges, list.count, node));
		return true;
	}

	/* Others are the OR or the AND of single comparisons, each asked for the same. */
	{
		uint32	   *nodes = palloc(sizeof(uint32) * (count + 1));
		bool		all = expr->useOr != wanted;

		for (int i = 0; i < present; i++)
			if (!compile_comparison(compiler, &source, strategy, ARR_ELEMTYPE(elements), values[i], wanted, &nodes[i]))
				return false;
		if (present < count)
			nodes[present++] = crm_compile_constant(compiler, false);
		*node = crm_compile_join(compiler, all, nodes, present);
		return true;
	}
}

