/*
 * due_derive.c - from a rule to the tree of sources that tells when it can
 * change by the clock.
 *
 * The logic of the rule is kept in the tree: while one condition of an AND is
 * false, the others may come and go without changing anything, so only what is
 * false has to be waited for.
 */
#include "common/crm.h"

#include "access/stratnum.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "tag/due_plan.h"
#include "tag/tag.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

static crm_due_node *derive(crm_due_plan *plan, Node *expr, bool positive);
static crm_clock look_at(crm_due_plan *plan, Node *expr, List **sources);

/* ---- making nodes ------------------------------------------------------------- */

static crm_due_node *
new_node(crm_due_kind kind, Node *expr)
{
	crm_due_node *node = palloc0(sizeof(crm_due_node));

	node->kind = kind;
	node->expr = (Expr *) expr;
	return node;
}

static Node *
new_param(crm_due_plan *plan, Oid type, Oid collation)
{
	Param	   *param;

	plan->param_types = lappend_oid(plan->param_types, type);
	param = (Param *) crm_rule_param(++plan->params, type, -1);
	param->paramcollid = collation;
	return (Node *) param;
}

static crm_clock
of_kind(crm_clock_kind kind)
{
	crm_clock	clock = {kind};

	return clock;
}

static crm_clock
cannot_tell(crm_due_plan *plan, Node *expr)
{
	if (plan->underivable == NULL)
		plan->underivable = expr;
	return of_kind(CRM_CLOCK_UNKNOWN);
}

/* ---- calendars ------------------------------------------------------------------ */

typedef struct fix_context
{
	crm_due_plan *plan;
	crm_due_node *node;
} fix_context;

static bool
has_var(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var) || IsA(node, Param))
		return true;
	return expression_tree_walker(node, has_var, context);
}

/* Parameters take the place of the largest parts that are fixed and need the row. */
static Node *
fix_operands(Node *node, void *arg)
{
	fix_context *context = arg;

	if (node == NULL)
		return NULL;
	/* a WHEN or a list is no value */
	if (!crm_due_names_as_of(node) && !IsA(node, List) && !IsA(node, CaseWhen) && !IsA(node, CaseTestExpr))
	{
		ListCell   *cell;
		int			n = 0;

		if (!has_var(node, NULL))
			return node;
		foreach(cell, context->node->operands)
		{
			if (equal(lfirst(cell), node))
				return crm_rule_param(context->node->first_operand + n, exprType(node), -1);
			n++;
		}
		context->node->operands = lappend(context->node->operands, node);
		return new_param(context->plan, exprType(node), exprCollation(node));
	}
	return expression_tree_mutator(node, fix_operands, arg);
}

static void
add_calendar(crm_due_plan *plan, Node *expr, const crm_clock *clock, List **sources)
{
	crm_due_node *node = new_node(CRM_DUE_CALENDAR, expr);
	fix_context context = {plan, node};

	node->unit = clock->unit;
	node->zone = clock->zone;
	node->ahead = clock->ahead;
	node->first_operand = plan->params + 1;
	if (node->ahead)
		node->expr = (Expr *) fix_operands(expr, &context);
	*sources = lappend(*sources, node);
}

/* ---- crossings ------------------------------------------------------------------- */

/* as_of, or as_of plus or minus an interval that does not move. */
static bool
is_moved_as_of(Node *expr, Node **interval, bool *minus)
{
	OpExpr	   *op = (OpExpr *) expr;

	*interval = NULL;
	*minus = false;
	if (IsA(expr, Param))
		return ((Param *) expr)->paramid == CRM_RULE_AS_OF_PARAM;
	if (!IsA(expr, OpExpr))
		return false;
	set_opfuncid(op);
	switch (op->opfuncid)
	{
		case F_TIMESTAMPTZ_PL_INTERVAL:
		case F_TIMESTAMPTZ_MI_INTERVAL:
			*interval = lsecond(op->args);
			*minus = op->opfuncid == F_TIMESTAMPTZ_MI_INTERVAL;
			expr = linitial(op->args);
			break;
		case F_INTERVAL_PL_TIMESTAMPTZ:
			*interval = linitial(op->args);
			expr = lsecond(op->args);
			break;
		default:
			return false;
	}
	return IsA(expr, Param) && ((Param *) expr)->paramid == CRM_RULE_AS_OF_PARAM && !crm_due_depends(*interval);
}

static bool
add_pass(Node *moving, Node *target, List **sources)
{
	crm_due_node *node;
	Node	   *interval;
	bool		minus;
	Oid			type = getBaseType(exprType(target));

	/* dates and local times are compared as instants with what moves */
	if ((type != TIMESTAMPTZOID && type != TIMESTAMPOID && type != DATEOID) || !is_moved_as_of(moving, &interval, &minus))
		return false;
	node = new_node(CRM_DUE_PASS, moving);
	node->interval = (Expr *) interval;
	node->minus = minus;
	node->same_for_all = !has_var(interval, NULL);
	node->target = (Expr *) target;
	node->target_type = type;
	*sources = lappend(*sources, node);
	return true;
}

static void
add_cross(Node *expr, const crm_clock *clock, int direction, List **sources)
{
	crm_due_node *node = new_node(CRM_DUE_CROSS, expr);

	node->wobble = clock->wobble;
	node->quarters = clock->unit <= CRM_UNIT_QUARTER;
	node->direction = direction;
	*sources = lappend(*sources, node);
}

/* One side of a comparison moves, the other stays: the answer changes as it passes. */
static bool
add_comparison(crm_due_plan *plan, OpExpr *expr, const crm_clock *clocks, List **sources)
{
	int			place = clocks[0].kind == CRM_CLOCK_MOVING ? 0 : 1;
	const crm_clock *moving = &clocks[place];
	Oid			family,
				left,
				right;
	int			strategy = crm_due_strategy(expr->opno, &family, &left, &right);
	static const int of_strategy[][2] = {
		[BTLessStrategyNumber] = {BTLessStrategyNumber, 0},
		[BTLessEqualStrategyNumber] = {BTLessEqualStrategyNumber, 0},
		[BTEqualStrategyNumber] = {BTLessStrategyNumber, BTLessEqualStrategyNumber},
		[BTGreaterEqualStrategyNumber] = {BTLessStrategyNumber, 0},
		[BTGreaterStrategyNumber] = {BTLessEqualStrategyNumber, 0},
		[CRM_STRATEGY_NOT_EQUAL] = {BTLessStrategyNumber, BTLessEqualStrategyNumber}
	};

	if (strategy == 0 || clocks[1 - place].kind == CRM_CLOCK_MOVING)
		return false;
	if (add_pass(list_nth(expr->args, place), list_nth(expr->args, 1 - place), sources))
		return true;
	for (int i = 0; i < 2 && of_strategy[strategy][i] != 0; i++)
	{
		Oid			op = get_opfamily_member(family, left, right, of_strategy[strategy][i]);
		Expr	   *passed;

		if (!OidIsValid(op))
			return false;
		passed = make_opclause(op, BOOLOID, false, linitial(expr->args), lsecond(expr->args), InvalidOid, expr->inputcollid);
		/* moving < x becomes false for good as it goes up */
		add_cross((Node *) passed, moving, place == 0 ? -moving->direction : moving->direction, sources);
	}
	return true;
}

/* as_of within a range. */
static bool
add_range(OpExpr *expr, const crm_clock *clocks, List **sources)
{
	int			place = expr->opfuncid == F_ELEM_CONTAINED_BY_RANGE ? 0 : 1;
	Node	   *range = list_nth(expr->args, 1 - place);
	static const Oid bounds[] = {F_LOWER_ANYRANGE, F_UPPER_ANYRANGE};

	if (clocks[1 - place].kind == CRM_CLOCK_MOVING || get_range_subtype(exprType(range)) != TIMESTAMPTZOID)
		return false;
	for (int i = 0; i < lengthof(bounds); i++)
		if (!add_pass(list_nth(expr->args, place),
					  (Node *) makeFuncExpr(bounds[i], TIMESTAMPTZOID, list_make1(range), InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL),
					  sources))
			return false;
	return true;
}

/* ---- events ------------------------------------------------------------------------ */

static Oid
own_function(const char *name, int nargs, const Oid *types)
{
	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
						   PointerGetDatum(buildoidvector(types, nargs)),
						   ObjectIdGetDatum(get_rel_namespace(crm_relation("tag_due"))));
}

/* The names of a function's arguments. */
static char **
argument_names(Oid function, int *count)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	char	  **names = NULL;
	Datum		value;
	bool		isnull;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	value = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_proargnames, &isnull);
	*count = 0;
	if (!isnull)
	{
		Datum	   *texts;

		deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &texts, NULL, count);
		names = palloc(sizeof(char *) * (*count + 1));
		for (int i = 0; i < *count; i++)
			names[i] = TextDatumGetCString(texts[i]);
	}
	ReleaseSysCache(tuple);
	return names;
}

/* An event enters or leaves as a bound that moves passes it. */
static bool
add_window(crm_due_plan *plan, Node *timeline, Node *event, Node *bound, List **sources)
{
	const Oid	types[] = {crm_type("timeline"), TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID};
	crm_due_node *node;
	Node	   *interval;
	bool		minus;

	if (!is_moved_as_of(bound, &interval, &minus))
		return false;
	node = new_node(CRM_DUE_WINDOW, bound);
	node->interval = (Expr *) interval;
	node->minus = minus;
	node->same_for_all = !has_var(interval, NULL);
	node->first_operand = plan->params + 1;
	if (event == NULL)
		event = (Node *) makeNullConst(TEXTOID, -1, DEFAULT_COLLATION_OID);
	node->target = (Expr *) makeFuncExpr(own_function("first_event", 4, types), TIMESTAMPTZOID,
										 list_make4(timeline, event, new_param(plan, TIMESTAMPTZOID, InvalidOid),
													makeNullConst(TIMESTAMPTZOID, -1, InvalidOid)),
										 InvalidOid, DEFAULT_COLLATION_OID, COERCE_EXPLICIT_CALL);
	*sources = lappend(*sources, node);
	return true;
}

/* overdue becomes true behind rhythm's overdue_at. */
static bool
add_overdue(Node *as_of, List *args, List **sources)
{
	const Oid	types[] = {crm_type("timeline"), TEXTOID, TIMESTAMPTZOID, INTERVALOID};
	FuncExpr   *rhythm = makeFuncExpr(own_function("rhythm", 4, types), RECORDOID, args, InvalidOid, DEFAULT_COLLATION_OID, COERCE_EXPLICIT_CALL);
	FieldSelect *overdue_at = makeNode(FieldSelect);

	overdue_at->arg = (Expr *) rhythm;
	overdue_at->fieldnum = 6;
	overdue_at->resulttype = TIMESTAMPTZOID;
	overdue_at->resulttypmod = -1;
	return add_pass(as_of, (Node *) overdue_at, sources);
}

/* How the measure of a trend's window moves on: at the beginnings of its periods. */
static bool
add_periods(crm_due_plan *plan, Node *period, Node *zone, Node *as_of, List **sources)
{
	List	   *args = list_make3(period, as_of, zone);
	crm_clock	clocks[3] = {{CRM_CLOCK_FIXED}, {CRM_CLOCK_MOVING}, {CRM_CLOCK_FIXED}};
	crm_clock	clock;

	clocks[1].direction = 1;
	clock = crm_due_move(F_DATE_TRUNC_TEXT_TIMESTAMPTZ_TEXT, args, clocks, 1);
	if (clock.kind != CRM_CLOCK_CALENDAR)
		return false;
	/* its weeks may begin with another day */
	clock.ahead = false;
	add_calendar(plan, (Node *) makeFuncExpr(F_DATE_TRUNC_TEXT_TIMESTAMPTZ_TEXT, TIMESTAMPTZOID, args, InvalidOid,
											 DEFAULT_COLLATION_OID, COERCE_EXPLICIT_CALL), &clock, sources);
	return true;
}

/* A question to the timeline in which times move: since, until or as_of. */
static crm_clock
look_at_question(crm_due_plan *plan, FuncExpr *call, const char *name, List **sources)
{
	static const char *const questions[] = {
		"event_count", "event_sum", "first_event", "last_event", "last_event_of", "active_days", "velocity", "value_velocity", "rfm",
		"timeline_slice", "timeline_erase", "habit_hour", "habit_weekday", "rhythm", "overdue", "decayed_sum", "decayed_count",
		"preferred", "trend"
	};
	List	   *args = call->args;
	int			count;
	char	  **names = argument_names(call->funcid, &count);
	crm_clock	result = {CRM_CLOCK_STEP};
	Node	   *event = NULL;
	bool		known = false;
	int			n = 0;
	ListCell   *cell;

	for (int i = 0; i < lengthof(questions); i++)
		known |= strcmp(questions[i], name) == 0;
	known = known && count >= list_length(args);
	foreach(cell, args)
		if (known && strcmp(names[n++], "event") == 0)
			event = lfirst(cell);
	n = 0;
	foreach(cell, args)
	{
		Node	   *arg = lfirst(cell);
		const char *argument = known ? names[n++] : "";
		crm_clock	clock;

		if (!crm_due_depends(arg))
			continue;
		clock = look_at(plan, arg, sources);
		if (clock.kind == CRM_CLOCK_CALENDAR)
			add_calendar(plan, arg, &clock, sources);
		else if (clock.kind == CRM_CLOCK_MOVING)
		{
			bool		as_of = strcmp(argument, "as_of") == 0;

			if ((!as_of && strcmp(argument, "since") != 0 && strcmp(argument, "until") != 0) ||
				!add_window(plan, linitial(args), event, arg, sources))
				return cannot_tell(plan, (Node *) call);
			if (strcmp(name, "overdue") == 0 && !add_overdue(arg, args, sources))
				return cannot_tell(plan, (Node *) call);
			if (strcmp(name, "trend") == 0 && !add_periods(plan, list_nth(args, 2), list_nth(args, 6), arg, sources))
				return cannot_tell(plan, (Node *) call);
			/* weights that fade alike change no order among them, but what they are added to may */
			if (strcmp(name, "preferred") == 0 &&
				!(IsA(list_nth(args, 3), Const) && ((Const *) list_nth(args, 3))->constisnull))
				return cannot_tell(plan, (Node *) call);
			if (strcmp(name, "decayed_sum") == 0 || strcmp(name, "decayed_count") == 0)
			{
				/* all weights fade alike: the sum goes to zero from one side */
				if (!IsA(arg, Param))
					return cannot_tell(plan, (Node *) call);
				result = of_kind(CRM_CLOCK_MOVING);
				result.shifted = true;
				/* what rounding may do */
				result.wobble = USECS_PER_MINUTE;
				result.unit = CRM_UNIT_NONE;
			}
		}
		else if (clock.kind == CRM_CLOCK_UNKNOWN)
			return clock;
	}
	return result;
}

/* ---- functions and operators ----------------------------------------------------------- */

/* A part of which only its being one value or another counts. */
static bool
settle(crm_due_plan *plan, Node *expr, const crm_clock *clock, List **sources)
{
	switch (clock->kind)
	{
		case CRM_CLOCK_CALENDAR:
			add_calendar(plan, expr, clock, sources);
			return true;
		case CRM_CLOCK_MOVING:
			if (!clock->discrete)
				break;
			add_cross(expr, clock, 0, sources);
			return true;
		case CRM_CLOCK_UNKNOWN:
			break;
		default:
			return true;
	}
	return false;
}

/* What a function of parts does that change at known times. */
static crm_clock
join_clocks(crm_due_plan *plan, Node *expr, List *nodes, const crm_clock *clocks, bool harmless, List **sources)
{
	crm_clock	result = {CRM_CLOCK_CALENDAR,.ahead = harmless};
	bool		first = true;
	int			n = 0;
	ListCell   *cell;

	for (int i = 0; i < list_length(nodes); i++)
		if (clocks[i].kind != CRM_CLOCK_FIXED && clocks[i].kind != CRM_CLOCK_CALENDAR)
			result.kind = CRM_CLOCK_STEP;
	foreach(cell, nodes)
	{
		const crm_clock *clock = &clocks[n++];

		if (clock->kind == CRM_CLOCK_FIXED)
			continue;
		if (result.kind == CRM_CLOCK_STEP)
		{
			if (!settle(plan, lfirst(cell), clock, sources))
				return cannot_tell(plan, clock->kind == CRM_CLOCK_UNKNOWN ? lfirst(cell) : expr);
			continue;
		}
		result.ahead &= clock->ahead;
		result.unit = Max(result.unit, clock->unit);
		if (!first && result.zone != clock->zone)
			result.unit = Max(result.unit, CRM_UNIT_QUARTER);
		result.zone = clock->zone;
		first = false;
	}
	return result;
}

static crm_clock
look_at_call(crm_due_plan *plan, Node *expr, Oid function, List *args, List **sources)
{
	const char *own = crm_due_own_function(function);
	crm_clock  *clocks;
	int			moving = -1;
	int			n = 0;
	ListCell   *cell;

	if (own != NULL && IsA(expr, FuncExpr) && args != NIL && exprType(linitial(args)) == crm_type("timeline"))
	{
		bool		times = false;

		foreach(cell, args)
			times |= lfirst(cell) != linitial(args) && crm_due_depends(lfirst(cell));
		if (times)
			return look_at_question(plan, (FuncExpr *) expr, own, sources);
	}
	clocks = palloc0(sizeof(crm_clock) * (list_length(args) + 1));
	foreach(cell, args)
	{
		clocks[n] = look_at(plan, lfirst(cell), sources);
		if (clocks[n].kind == CRM_CLOCK_UNKNOWN)
			return clocks[n];
		if (clocks[n].kind == CRM_CLOCK_MOVING)
			moving = n;
		n++;
	}
	if (moving >= 0)
	{
		crm_clock	clock;

		if (IsA(expr, OpExpr) && add_comparison(plan, (OpExpr *) expr, clocks, sources))
			clock = of_kind(CRM_CLOCK_STEP);
		else if (IsA(expr, OpExpr) &&
				 (function == F_ELEM_CONTAINED_BY_RANGE || function == F_RANGE_CONTAINS_ELEM) &&
				 add_range((OpExpr *) expr, clocks, sources))
			clock = of_kind(CRM_CLOCK_STEP);
		else
			clock = crm_due_move(function, args, clocks, moving);
		if (clock.kind != CRM_CLOCK_UNKNOWN)
		{
			/* what stands beside it may change, too */
			n = 0;
			foreach(cell, args)
			{
				if (n != moving && !settle(plan, lfirst(cell), &clocks[n], sources))
					return cannot_tell(plan, lfirst(cell));
				n++;
			}
			return clock;
		}
	}
	return join_clocks(plan, expr, args, clocks, crm_due_harmless(function), sources);
}

/* ---- expressions ------------------------------------------------------------------------ */

static bool
collect_children(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, List))
		return expression_tree_walker(node, collect_children, context);
	*(List **) context = lappend(*(List **) context, node);
	return false;
}

static bool
no_harmless_function(Oid function, void *context)
{
	return !crm_due_harmless(function);
}

/* An expression of any kind: a function of its children. */
static crm_clock
look_at_other(crm_due_plan *plan, Node *expr, List **sources)
{
	List	   *children = NIL;
	crm_clock  *clocks;
	bool		harmless = IsA(expr, RelabelType) || IsA(expr, CollateExpr) || IsA(expr, ArrayExpr) || IsA(expr, NullTest) ||
		IsA(expr, BooleanTest) || IsA(expr, CoerceToDomainValue) ||
		((IsA(expr, ScalarArrayOpExpr) || IsA(expr, DistinctExpr) || IsA(expr, NullIfExpr)) &&
		 !check_functions_in_node(expr, no_harmless_function, NULL)) ||
		(IsA(expr, CoerceViaIO) && ((CoerceViaIO *) expr)->resulttype == TEXTOID);
	int			n = 0;
	ListCell   *cell;

	(void) expression_tree_walker(expr, collect_children, &children);
	clocks = palloc0(sizeof(crm_clock) * (list_length(children) + 1));
	foreach(cell, children)
	{
		clocks[n] = look_at(plan, lfirst(cell), sources);
		if (clocks[n].kind == CRM_CLOCK_UNKNOWN)
			return clocks[n];
		n++;
	}
	return join_clocks(plan, expr, children, clocks, harmless, sources);
}

static crm_clock
look_at(crm_due_plan *plan, Node *expr, List **sources)
{
	crm_due_node *node;

	check_stack_depth();
	if (!crm_due_depends(expr))
		return of_kind(CRM_CLOCK_FIXED);
	if (!crm_due_names_as_of(expr))
	{
		*sources = lappend(*sources, new_node(CRM_DUE_EVENT, NULL));
		return of_kind(CRM_CLOCK_FIXED);
	}
	switch (nodeTag(expr))
	{
		case T_Param:
			{
				crm_clock	clock = {CRM_CLOCK_MOVING,.direction = 1};

				return clock;
			}
		case T_OpExpr:
			set_opfuncid((OpExpr *) expr);
			return look_at_call(plan, expr, ((OpExpr *) expr)->opfuncid, ((OpExpr *) expr)->args, sources);
		case T_FuncExpr:
			return look_at_call(plan, expr, ((FuncExpr *) expr)->funcid, ((FuncExpr *) expr)->args, sources);
		case T_RelabelType:
			{
				crm_clock	clock = look_at(plan, (Node *) ((RelabelType *) expr)->arg, sources);

				if (clock.kind == CRM_CLOCK_MOVING || clock.kind == CRM_CLOCK_CALENDAR)
					return clock;
				break;
			}
		case T_NullTest:
			{
				crm_clock	clock = look_at(plan, (Node *) ((NullTest *) expr)->arg, sources);

				/* what moves is NULL, or not, whatever the time */
				return clock.kind == CRM_CLOCK_MOVING ? of_kind(CRM_CLOCK_STEP) : clock;
			}
		case T_BoolExpr:
		case T_CaseExpr:
		case T_CoalesceExpr:
			node = derive(plan, expr, false);
			if (node != NULL)
				*sources = lappend(*sources, node);
			return of_kind(CRM_CLOCK_STEP);
		default:
			break;
	}
	return look_at_other(plan, expr, sources);
}

/*
 * Each part of the logic is evaluated by itself, so that nested logic is
 * evaluated again at every level.  Deeper than this all parts are waited for.
 */
#define MAX_DEPTH 30

/* A child of the logic: never NULL, so that its value can be asked for. */
static crm_due_node *
child(crm_due_plan *plan, Node *expr, bool positive)
{
	crm_due_node *node;

	plan->depth++;
	node = derive(plan, expr, positive);
	plan->depth--;
	if (node == NULL)
	{
		node = new_node(CRM_DUE_FIXED, NULL);
		node->value = (Expr *) expr;
	}
	return node;
}

static crm_due_node *
derive_case(crm_due_plan *plan, CaseExpr *expr)
{
	crm_due_node *node = new_node(plan->depth < MAX_DEPTH ? CRM_DUE_CASE : CRM_DUE_ALL, NULL);
	ListCell   *cell;

	node->value = (Expr *) expr;
	foreach(cell, expr->args)
	{
		const CaseWhen *when = lfirst_node(CaseWhen, cell);
		Node	   *condition = crm_compile_when(expr, when);

		if (condition == NULL)
		{
			(void) cannot_tell(plan, (Node *) expr);
			node->children = NIL;
			return node;
		}
		node->children = lappend(node->children, child(plan, condition, true));
		node->children = lappend(node->children, child(plan, (Node *) when->result, false));
	}
	if (expr->defresult != NULL)
		node->children = lappend(node->children, child(plan, (Node *) expr->defresult, false));
	return node;
}

/* AND, OR and COALESCE. */
static crm_due_node *
derive_list(crm_due_plan *plan, crm_due_kind kind, Node *expr, List *args, bool positive)
{
	crm_due_node *node = new_node(plan->depth < MAX_DEPTH ? kind : CRM_DUE_ALL, NULL);
	ListCell   *cell;

	node->value = (Expr *) expr;
	node->positive = positive;
	/* what never changes comes first: the cheapest to ask, and for good */
	for (int round = kind == CRM_DUE_COALESCE ? 1 : 0; round < 2; round++)
		foreach(cell, args)
			if (kind == CRM_DUE_COALESCE || crm_due_depends(lfirst(cell)) == (round == 1))
				node->children = lappend(node->children, child(plan, lfirst(cell), positive));
	return node;
}

/* The sources of an expression's value, positive where NULL is as good as false; NULL when the clock does not change it. */
static crm_due_node *
derive(crm_due_plan *plan, Node *expr, bool positive)
{
	List	   *sources = NIL;
	crm_due_node *node;
	crm_clock	clock;

	check_stack_depth();
	if (!crm_due_depends(expr))
		return NULL;
	if (IsA(expr, CaseExpr))
		return derive_case(plan, (CaseExpr *) expr);
	if (IsA(expr, CoalesceExpr))
		return derive_list(plan, CRM_DUE_COALESCE, expr, ((CoalesceExpr *) expr)->args, false);
	if (IsA(expr, BoolExpr) && ((BoolExpr *) expr)->boolop != NOT_EXPR)
		return derive_list(plan, ((BoolExpr *) expr)->boolop == AND_EXPR ? CRM_DUE_AND : CRM_DUE_OR, expr,
						   ((BoolExpr *) expr)->args, positive);
	node = new_node(CRM_DUE_ALL, NULL);
	node->value = (Expr *) expr;
	if (IsA(expr, BoolExpr))
	{
		node->children = list_make1(derive(plan, linitial(((BoolExpr *) expr)->args), false));
		return node;
	}
	clock = look_at(plan, expr, &sources);
	if (!settle(plan, expr, &clock, &sources))
		(void) cannot_tell(plan, expr);
	node->children = sources;
	return node;
}

/* ---- rules ---------------------------------------------------------------------------------- */

/* Calls with all their arguments, in their order. */
static Node *
expand_calls(Node *node, void *context)
{
	if (node == NULL)
		return NULL;
	node = expression_tree_mutator(node, expand_calls, context);
	if (IsA(node, FuncExpr))
	{
		FuncExpr   *call = (FuncExpr *) node;
		HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(call->funcid));

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for function %u", call->funcid);
		call->args = expand_function_arguments(call->args, false, call->funcresulttype, tuple);
		ReleaseSysCache(tuple);
	}
	return node;
}

/* Functions of users that may read the clock or tables: nobody knows when these change. */
static bool
foreign_stable(Oid function, void *context)
{
	return get_func_namespace(function) != PG_CATALOG_NAMESPACE && func_volatile(function) != PROVOLATILE_IMMUTABLE &&
		crm_due_own_function(function) == NULL;
}

static bool
find_foreign_stable(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, foreign_stable, NULL))
	{
		*(Node **) context = node;
		return true;
	}
	return expression_tree_walker(node, find_foreign_stable, context);
}

bool
crm_due_derive(crm_due_plan *plan, const crm_rule *rule)
{
	Node	   *expr = expand_calls(rule->expr, NULL);
	crm_due_node *node;

	if (plan->params < CRM_RULE_TIMELINE_PARAM)
		plan->params = CRM_RULE_TIMELINE_PARAM;
	if (plan->underivable == NULL)
		(void) find_foreign_stable(expr, &plan->underivable);
	node = derive(plan, expr, rule->type == BOOLOID);
	if (node == NULL)
		return false;
	plan->rules = lappend(plan->rules, node);
	return true;
}
