/*
 * rule_check.c - what a rule must not hold, each refusal with its position and
 * the remedy.
 */
#include "common/crm.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_relation.h"
#include "tag/rule_calls.h"
#include "tag/rule_internal.h"
#include "utils/fmgroids.h"
#include "utils/formatting.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/typcache.h"
#include "utils/varlena.h"

#define REMEDY_AS_OF "Use as_of, the time of evaluation, such as as_of::date or as_of - interval '30 days'."

/* ---- syntax ---------------------------------------------------------------- */

const char *
crm_rule_syntax_hint(const char *text, int position)
{
	static const char *const statements[] = {"select", "with", "values", "insert", "update", "delete", "create", "drop", "table", "call", "do"};
	static const char *const sets[] = {"union", "intersect", "except"};
	const char *here = text;
	int			length = 0;

	for (int i = 1; i < position && *here; i++)
		here += pg_mblen(here);
	if (*here == '\0')
		return "The rule ends before its expression is complete.";
	if (*here == ';')
		return "A rule is one expression: leave out the semicolon and what follows it, and make another tag for another rule.";
	while (isalpha((unsigned char) here[length]))
		length++;
	for (int i = 0; i < lengthof(statements); i++)
		if (strlen(statements[i]) == length && pg_strncasecmp(here, statements[i], length) == 0)
			return "A rule is an expression, not a statement: write age >= 18, not SELECT age >= 18.";
	for (int i = 0; i < lengthof(sets); i++)
		if (strlen(sets[i]) == length && pg_strncasecmp(here, sets[i], length) == 0)
			return "Combine conditions with AND, OR and NOT.";
	if (length == 4 && pg_strncasecmp(here, "into", 4) == 0)
		return "A rule only says who belongs: refresh_tags stores the result.";
	return "A rule is exactly one SQL expression over the columns of customer, such as age >= 18 AND city = 'Paris'.";
}

static void
refuse_clause(ParseState *pstate, const char *clause, Node *where, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("%s is not allowed in a rule", clause),
			 errhint("%s", hint),
			 parser_errposition(pstate, Max(exprLocation(where), 0))));
}

static bool
is_star(Node *node)
{
	if (node && IsA(node, ColumnRef))
		return IsA(llast(((ColumnRef *) node)->fields), A_Star);
	if (node && IsA(node, A_Indirection))
		return IsA(llast(((A_Indirection *) node)->indirection), A_Star);
	return false;
}

/* Sub-SELECTs and window functions are refused before their insides are looked up. */
static bool
raw_walker(Node *node, void *context)
{
	ParseState *pstate = context;

	if (node == NULL)
		return false;
	check_stack_depth();
	if (IsA(node, SubLink))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a sub-SELECT is not allowed in a rule"),
				 errhint("Put it into the population's view and use its column."),
				 parser_errposition(pstate, ((SubLink *) node)->location)));
	if (IsA(node, FuncCall) && ((FuncCall *) node)->over != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a window function is not allowed in a rule"),
				 errhint("A rule sees one customer's row: compute it in the population's view and use its column."),
				 parser_errposition(pstate, ((FuncCall *) node)->location)));
	return raw_expression_tree_walker(node, raw_walker, context);
}

Node *
crm_rule_check_raw(ParseState *pstate, List *statements)
{
	SelectStmt *stmt = castNode(SelectStmt, linitial_node(RawStmt, statements)->stmt);
	ResTarget  *target;

	if (stmt->distinctClause)
		refuse_clause(pstate, "DISTINCT", NULL, "A rule sees one customer's row: leave it out.");
	if (stmt->fromClause)
		refuse_clause(pstate, "FROM", (Node *) stmt->fromClause,
					  "The rule's row is the population's customer: join other tables in the population's view.");
	if (stmt->whereClause)
		refuse_clause(pstate, "WHERE", stmt->whereClause,
					  "The rule is the condition itself: write age >= 18, not WHERE age >= 18.");
	if (stmt->groupClause || stmt->havingClause)
		refuse_clause(pstate, stmt->groupClause ? "GROUP BY" : "HAVING",
					  stmt->groupClause ? (Node *) stmt->groupClause : stmt->havingClause,
					  "A rule sees one customer's row: group in the population's view.");
	if (stmt->windowClause)
		refuse_clause(pstate, "WINDOW", NULL, "A rule sees one customer's row: compute it in the population's view.");
	if (stmt->sortClause)
		refuse_clause(pstate, "ORDER BY", (Node *) stmt->sortClause, "A rule sees one customer's row: leave it out.");
	if (stmt->limitCount || stmt->limitOffset)
		refuse_clause(pstate, stmt->limitCount ? "LIMIT" : "OFFSET",
					  stmt->limitCount ? stmt->limitCount : stmt->limitOffset,
					  "A rule sees one customer's row: leave it out.");
	if (stmt->lockingClause)
		refuse_clause(pstate, "FOR UPDATE", NULL, "A rule only reads: leave it out.");

	if (stmt->targetList == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("rule is empty"),
				 errhint("A rule is an SQL expression over the columns of customer, such as age >= 18 AND city = 'Paris'.")));
	if (list_length(stmt->targetList) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("a rule is exactly one expression"),
				 errdetail("There are %d, separated by commas.", list_length(stmt->targetList)),
				 errhint("Combine conditions with AND or OR, or make a tag of each."),
				 parser_errposition(pstate, exprLocation(lsecond(stmt->targetList)))));
	target = linitial_node(ResTarget, stmt->targetList);
	/* "vip AND" reads as the column vip under the name of "and" */
	if (target->name &&
		(strcmp(target->name, "and") == 0 || strcmp(target->name, "or") == 0 ||
		 strcmp(target->name, "not") == 0 || strcmp(target->name, "in") == 0 ||
		 strcmp(target->name, "like") == 0 || strcmp(target->name, "between") == 0 || strcmp(target->name, "is") == 0))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("nothing follows %s in the rule", asc_toupper(target->name, strlen(target->name))),
				 errhint("The rule ends before its expression is complete."),
				 parser_errposition(pstate, exprLocation((Node *) target))));
	if (target->name)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("a rule cannot give its result the name \"%s\"", target->name),
				 errhint("Leave the name out: the tag has its own."),
				 parser_errposition(pstate, exprLocation((Node *) target))));
	if (target->indirection != NIL || is_star(target->val))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("a rule is exactly one expression"),
				 errhint("Name one column in place of the star."),
				 parser_errposition(pstate, exprLocation((Node *) target))));
	(void) raw_walker(target->val, pstate);
	return target->val;
}

/* ---- columns ---------------------------------------------------------------- */

/* "Perhaps you meant ..." by edit distance, else a list of the columns. */
static char *
column_hint(Relation source, const char *name, bool maybe_text)
{
	TupleDesc	desc = RelationGetDescr(source);
	int			length = pg_mbstrlen(name);
	int			best = (length <= 2 ? 1 : length <= 5 ? 2 : 3) + 1;
	const char *nearest = NULL;
	StringInfoData list;
	int			listed = 0;

	initStringInfo(&list);
	for (int i = 0; i < desc->natts; i++)
	{
		const char *column = NameStr(TupleDescAttr(desc, i)->attname);
		int			distance;

		if (TupleDescAttr(desc, i)->attisdropped)
			continue;
		if (pg_strcasecmp(column, name) == 0)
			distance = 0;
		else
			distance = varstr_levenshtein_less_equal(name, strlen(name), column, strlen(column), 1, 1, 1, best, true);
		if (distance < best)
		{
			best = distance;
			nearest = column;
		}
		if (listed++ < 20)
			appendStringInfo(&list, "%s%s", listed > 1 ? ", " : "", quote_identifier(column));
	}
	if (listed > 20)
		appendStringInfoString(&list, ", ...");
	if (nearest)
		return psprintf("Perhaps you meant %s.", quote_identifier(nearest));
	return psprintf("The columns are %s; as_of is the time of evaluation.%s", list.data,
					maybe_text ? " Text stands in single quotes, as in city = 'Paris'." : "");
}

void
crm_rule_unknown_column(ParseState *pstate, Relation source, ColumnRef *cref)
{
	const char *first = IsA(linitial(cref->fields), String) ? strVal(linitial(cref->fields)) : NULL;
	const char *last = IsA(llast(cref->fields), String) ? strVal(llast(cref->fields)) : NULL;

	if (list_length(cref->fields) == 1 && last)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" does not exist", last),
				 errhint("%s", column_hint(source, last, true)),
				 parser_errposition(pstate, cref->location)));
	if (list_length(cref->fields) == 2 && first && last && strcmp(first, "customer") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column customer.%s does not exist", quote_identifier(last)),
				 errhint("%s", column_hint(source, last, false)),
				 parser_errposition(pstate, cref->location)));
	if (first)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("a rule knows no table \"%s\"", first),
				 errhint("Its row is called customer; join other tables in the population's view."),
				 parser_errposition(pstate, cref->location)));
}

/* ---- the analysed expression -------------------------------------------------- */

typedef struct literal
{
	int			location;
	const char *value;
} literal;

typedef struct check_context
{
	ParseState *pstate;
	List	   *literals;		/* string literals of the text, by location */
	int			location;		/* of the node whose functions are looked at */
	int			call;			/* while a default argument is looked at: where its function is called; else -1 */
} check_context;

static bool
collect_literals(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, A_Const) && !((A_Const *) node)->isnull && IsA(&((A_Const *) node)->val, String))
	{
		literal    *found = palloc(sizeof(literal));

		found->location = ((A_Const *) node)->location;
		found->value = strVal(&((A_Const *) node)->val);
		*(List **) context = lappend(*(List **) context, found);
	}
	return raw_expression_tree_walker(node, collect_literals, context);
}

/* Does the text hold one of the words that mean the present in a date or time? */
static bool
names_the_present(const char *value)
{
	static const char *const words[] = {"now", "today", "tomorrow", "yesterday"};

	while (*value)
	{
		int			length = 0;

		while (isalpha((unsigned char) value[length]))
			length++;
		for (int i = 0; i < lengthof(words); i++)
			if (strlen(words[i]) == length && pg_strncasecmp(value, words[i], length) == 0)
				return true;
		value += Max(length, 1);
	}
	return false;
}

/* Is a value of the type, or a part of it, a date or time? */
static bool
holds_time(Oid type)
{
	char		category;
	bool		preferred;
	Oid			part;

	check_stack_depth();
	type = getBaseType(type);
	get_type_category_preferred(type, &category, &preferred);
	if (category == TYPCATEGORY_DATETIME)
		return true;
	if (OidIsValid(part = get_element_type(type)) ||
		OidIsValid(part = get_range_subtype(type)) ||
		OidIsValid(part = get_multirange_range(type)))
		return holds_time(part);
	if (type_is_rowtype(type) && type != RECORDOID)
	{
		TupleDesc	desc = lookup_rowtype_tupdesc_copy(type, -1);

		for (int i = 0; i < desc->natts; i++)
			if (!TupleDescAttr(desc, i)->attisdropped && holds_time(TupleDescAttr(desc, i)->atttypid))
				return true;
	}
	return false;
}

/* A default argument has no place of its own in the rule. */
static int
place(const check_context *context, int location)
{
	return context->call >= 0 ? context->call : location;
}

static void
refuse_frozen(check_context *context, int location)
{
	ListCell   *cell;

	foreach(cell, context->literals)
	{
		const literal *known = lfirst(cell);

		if (known->location == location && names_the_present(known->value))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("the literal '%s' is not allowed in a rule", known->value),
					 errdetail("It would stay at the time at which the rule was written."),
					 errhint(REMEDY_AS_OF),
					 parser_errposition(context->pstate, location)));
	}
}

static void
refuse_clock(check_context *context, const char *what, int location)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("%s is not allowed in a rule", what),
			 errdetail("A rule does not read the clock, so that it can be evaluated as of any time."),
			 errhint(REMEDY_AS_OF),
			 parser_errposition(context->pstate, place(context, location))));
}

static bool
check_function(Oid function, void *arg)
{
	check_context *context = arg;

	switch (function)
	{
		case F_NOW:
		case F_TRANSACTION_TIMESTAMP:
		case F_STATEMENT_TIMESTAMP:
		case F_CLOCK_TIMESTAMP:
		case F_TIMEOFDAY:
			refuse_clock(context, psprintf("%s()", get_func_name(function)), context->location);
			break;
		case F_AGE_TIMESTAMP:
		case F_AGE_TIMESTAMPTZ:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("age() of one argument is not allowed in a rule"),
					 errdetail("It counts from the current date."),
					 errhint("Give the time to count from: age(as_of, ...)."),
					 parser_errposition(context->pstate, place(context, context->location))));
			break;
	}
	if (get_func_retset(function))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-returning function %s is not allowed in a rule", format_procedure(function)),
				 errhint("A rule has one value: compute it in the population's view, or use = ANY (...) over an array."),
				 parser_errposition(context->pstate, place(context, context->location))));
	if (func_volatile(function) == PROVOLATILE_VOLATILE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("volatile function %s is not allowed in a rule", format_procedure(function)),
				 errdetail("A rule must give the same answer for the same row and as_of."),
				 errhint("Store its result in a column, or declare the function STABLE or IMMUTABLE if it is."),
				 parser_errposition(context->pstate, place(context, context->location))));
	return false;
}

static void
check_clock_value(check_context *context, SQLValueFunction *value)
{
	static const struct
	{
		SQLValueFunctionOp op;
		const char *name;
	}			clocks[] = {
		{SVFOP_CURRENT_DATE, "current_date"},
		{SVFOP_CURRENT_TIME, "current_time"},
		{SVFOP_CURRENT_TIME_N, "current_time"},
		{SVFOP_CURRENT_TIMESTAMP, "current_timestamp"},
		{SVFOP_CURRENT_TIMESTAMP_N, "current_timestamp"},
		{SVFOP_LOCALTIME, "localtime"},
		{SVFOP_LOCALTIME_N, "localtime"},
		{SVFOP_LOCALTIMESTAMP, "localtimestamp"},
		{SVFOP_LOCALTIMESTAMP_N, "localtimestamp"},
	};

	for (int i = 0; i < lengthof(clocks); i++)
		if (clocks[i].op == value->op)
			refuse_clock(context, clocks[i].name, value->location);
}

static bool check_walker(Node *node, void *arg);

/* Arguments that the call leaves to their defaults are filled in by the planner only. */
static void
check_defaults(check_context *context, FuncExpr *call)
{
	HeapTuple	function = SearchSysCache1(PROCOID, ObjectIdGetDatum(call->funcid));

	if (!HeapTupleIsValid(function))
		elog(ERROR, "cache lookup failed for function %u", call->funcid);
	if (list_length(call->args) < ((Form_pg_proc) GETSTRUCT(function))->pronargs)
	{
		check_context inner = *context;
		List	   *args = expand_function_arguments(copyObject(call->args), false, call->funcresulttype, function);

		/* Literals in them were the business of whoever declared the function. */
		inner.literals = NIL;
		inner.call = place(context, call->location);
		(void) check_walker((Node *) args, &inner);
	}
	ReleaseSysCache(function);
}

static bool
check_walker(Node *node, void *arg)
{
	check_context *context = arg;

	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Aggref:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("aggregate function %s is not allowed in a rule", format_procedure(((Aggref *) node)->aggfnoid)),
					 errhint("A rule sees one customer's row: compute it in the population's view and use its column."),
					 parser_errposition(context->pstate, place(context, ((Aggref *) node)->location))));
			break;
		case T_GroupingFunc:
			refuse_clause(context->pstate, "GROUPING", node, "A rule sees one customer's row: group in the population's view.");
			break;
		case T_WindowFunc:
		case T_SubLink:
		case T_NextValueExpr:
		case T_CurrentOfExpr:
		case T_SetToDefault:
			/* The grammar or the look at the raw tree stops these earlier. */
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("such an expression is not allowed in a rule"),
					 parser_errposition(context->pstate, place(context, exprLocation(node)))));
			break;
		case T_Var:
			if (((Var *) node)->varattno < 0)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("a system column is not allowed in a rule"),
						 errhint("Use the population's own columns."),
						 parser_errposition(context->pstate, place(context, ((Var *) node)->location))));
			break;
		case T_Const:
			if (holds_time(((Const *) node)->consttype))
				refuse_frozen(context, ((Const *) node)->location);
			break;
		case T_CoerceViaIO:
			if (holds_time(((CoerceViaIO *) node)->resulttype) && IsA(((CoerceViaIO *) node)->arg, Const))
				refuse_frozen(context, ((Const *) ((CoerceViaIO *) node)->arg)->location);
			break;
		case T_SQLValueFunction:
			check_clock_value(context, (SQLValueFunction *) node);
			break;
		default:
			break;
	}
	context->location = exprLocation(node);
	if (IsA(node, FuncExpr))
		context->location = ((FuncExpr *) node)->location;
	else if (IsA(node, OpExpr))
		context->location = ((OpExpr *) node)->location;
	(void) check_functions_in_node(node, check_function, context);
	(void) expression_tree_walker(node, check_walker, arg);
	if (IsA(node, FuncExpr))
		crm_rule_check_call(context->pstate, (FuncExpr *) node, place(context, ((FuncExpr *) node)->location));
	if (IsA(node, FuncExpr))
		check_defaults(context, (FuncExpr *) node);
	return false;
}

List *
crm_rule_literals(Node *raw)
{
	List	   *literals = NIL;

	(void) collect_literals(raw, &literals);
	return literals;
}

void
crm_rule_check(ParseState *pstate, List *literals, Node *expr)
{
	check_context context = {pstate, literals, -1, -1};

	(void) check_walker(expr, &context);
}
