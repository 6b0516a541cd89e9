/*
 * due_at.c - tag_due_at: the next instant at which rules can change for one
 * customer, asked in the scan that evaluates them.
 *
 * The columns that the rules name are arguments, so that it needs no more rights
 * than the rules do.
 */
#include "common/crm.h"

#include "access/relation.h"
#include "access/sysattr.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "nodes/bitmapset.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "tag/due.h"
#include "tag/due_plan.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#define ARG_SOURCE 0
#define ARG_RULES 1
#define ARG_COLUMNS 2
#define ARG_AS_OF 3
#define ARG_TIMELINE 4
#define ARG_NEXT_EVENT 5
#define ARG_FIRST 6

typedef struct due_call
{
	crm_due_plan plan;
	crm_due_run run;
	MemoryContext context;
	TupleTableSlot *slot;
	AttrNumber *columns;
	int			column_count;
	int			bound_count;	/* arguments behind the columns: parameters of the rules */
} due_call;

/* ---- for the scan ----------------------------------------------------------------- */

/* The rules that the clock changes, as they are handed over. */
typedef struct clock_rules
{
	List	   *exprs;			/* with parameters of our own for what rules were bound to */
	bool		timeline;
	List	   *bound;			/* numbers of these parameters in the query */
} clock_rules;

/* Our parameters follow on the timeline's, in the order of clock_rules.bound. */
static Node *
own_params(Node *node, void *context)
{
	clock_rules *rules = context;

	if (node == NULL)
		return NULL;
	if (IsA(node, Param) && ((Param *) node)->paramid >= CRM_RULE_FIRST_BOUND)
	{
		Param	   *param = copyObject((Param *) node);
		int			place = 0;
		ListCell   *cell;

		rules->bound = list_append_unique_int(rules->bound, param->paramid);
		foreach(cell, rules->bound)
		{
			place++;
			if (lfirst_int(cell) == param->paramid)
				break;
		}
		param->paramid = CRM_RULE_TIMELINE_PARAM + place;
		return (Node *) param;
	}
	return expression_tree_mutator(node, own_params, context);
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

static clock_rules
find_clock_rules(List *rules)
{
	clock_rules result = {NIL};
	ListCell   *cell;

	foreach(cell, rules)
	{
		const crm_rule *rule = lfirst(cell);
		Node	   *expr = rule->clock != NULL ? rule->clock : rule->expr;

		/* what rests on the whole population is as of the last refresh */
		if (rule->statistics != NIL || !crm_due_depends(expr))
			continue;
		result.timeline |= find_timeline(expr, NULL);
		result.exprs = lappend(result.exprs, own_params(expr, &result));
	}
	return result;
}

/* The columns that expressions read, by attribute number; all of them for one that reads the row. */
static Bitmapset *
columns_of(Relation source, List *exprs)
{
	Bitmapset  *attributes = NULL;
	Bitmapset  *columns = NULL;
	int			attribute = -1;
	bool		whole_row = false;

	pull_varattnos((Node *) exprs, 1, &attributes);
	while ((attribute = bms_next_member(attributes, attribute)) >= 0)
	{
		if (attribute + FirstLowInvalidHeapAttributeNumber == InvalidAttrNumber)
			whole_row = true;
		else
			columns = bms_add_member(columns, attribute + FirstLowInvalidHeapAttributeNumber);
	}
	if (whole_row)
		for (int i = 0; i < RelationGetDescr(source)->natts; i++)
			if (!TupleDescAttr(RelationGetDescr(source), i)->attisdropped)
				columns = bms_add_member(columns, i + 1);
	return columns;
}

bool
crm_due_append(StringInfo sql, Relation source, List *rules, const char *key)
{
	clock_rules clock = find_clock_rules(rules);
	Bitmapset  *columns;
	int			column = -1;
	ListCell   *cell;
	StringInfoData numbers;
	StringInfoData values;

	if (clock.exprs == NIL)
		return false;

	appendStringInfo(sql, "%s.tag_due_at(%u::pg_catalog.regclass, ARRAY[", crm_schema(), RelationGetRelid(source));
	foreach(cell, clock.exprs)
		appendStringInfo(sql, "%s%s", foreach_current_index(cell) == 0 ? "" : ", ",
						 quote_literal_cstr(crm_rule_write(source, lfirst(cell))));
	initStringInfo(&numbers);
	initStringInfo(&values);
	columns = columns_of(source, clock.exprs);
	while ((column = bms_next_member(columns, column)) >= 0)
	{
		appendStringInfo(&numbers, "%s%d", numbers.len == 0 ? "" : ", ", column);
		appendStringInfo(&values, ", customer.%s",
						 quote_identifier(NameStr(TupleDescAttr(RelationGetDescr(source), column - 1)->attname)));
	}
	foreach(cell, clock.bound)
		appendStringInfo(&values, ", $%d", lfirst_int(cell));
	/* a variadic call needs an argument */
	if (values.len == 0)
	{
		appendStringInfo(&numbers, "%d", get_attnum(RelationGetRelid(source), key));
		appendStringInfo(&values, ", customer.%s", quote_identifier(key));
	}
	appendStringInfo(sql, "]::pg_catalog.text[], ARRAY[%s]::pg_catalog.int2[], $%d, ", numbers.data, CRM_RULE_AS_OF_PARAM);
	if (clock.timeline)
		appendStringInfo(sql, "$%d, $%d", CRM_RULE_TIMELINE_PARAM, CRM_RULE_NEXT_EVENT_PARAM);
	else
		appendStringInfo(sql, "NULL::%s.timeline, NULL::pg_catalog.timestamptz", crm_schema());
	appendStringInfo(sql, "%s)", values.data);
	return true;
}

/* ---- the function -------------------------------------------------------------------- */

static CRM_NORETURN void
refuse(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid arguments of tag_due_at: %s", what),
			 errhint("The function is called by refresh_tags and fold_tags.")));
}

/* Columns by number, and arguments of their types. */
static void
take_columns(due_call *call, FunctionCallInfo fcinfo, TupleDesc desc)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(ARG_COLUMNS);
	const int16 *numbers = (const int16 *) ARR_DATA_PTR(array);

	call->column_count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (ARR_HASNULL(array) || call->column_count > PG_NARGS() - ARG_FIRST)
		refuse("columns do not fit their values");
	call->columns = palloc(sizeof(AttrNumber) * (call->column_count + 1));
	for (int i = 0; i < call->column_count; i++)
	{
		if (numbers[i] < 1 || numbers[i] > desc->natts || TupleDescAttr(desc, numbers[i] - 1)->attisdropped ||
			TupleDescAttr(desc, numbers[i] - 1)->atttypid != get_fn_expr_argtype(fcinfo->flinfo, ARG_FIRST + i))
			refuse("columns do not fit their values");
		call->columns[i] = numbers[i];
	}
	call->bound_count = PG_NARGS() - ARG_FIRST - call->column_count;
}


/* Every column that a rule names must be among the arguments. */
static void
check_columns(const due_call *call, TupleDesc desc, List *rules)
{
	Bitmapset  *given = NULL;
	Bitmapset  *named = NULL;
	int			attribute = -1;
	ListCell   *cell;

	for (int i = 0; i < call->column_count; i++)
		given = bms_add_member(given, call->columns[i]);
	foreach(cell, rules)
		pull_varattnos(((crm_rule *) lfirst(cell))->expr, 1, &named);
	while ((attribute = bms_next_member(named, attribute)) >= 0)
	{
		int			column = attribute + FirstLowInvalidHeapAttributeNumber;

		if (column != InvalidAttrNumber && !bms_is_member(column, given))
			refuse("a rule names a column without a value");
		for (int i = 1; column == InvalidAttrNumber && i <= desc->natts; i++)
			if (!TupleDescAttr(desc, i - 1)->attisdropped && !bms_is_member(i, given))
				refuse("a rule names a column without a value");
	}
}

static void
set_type(ParamListInfo params, int number, Oid type)
{
	params->params[number - 1] = (ParamExternData) {
		.isnull = true,.pflags = PARAM_FLAG_CONST,.ptype = type
	};
}

static due_call *
begin_call(FunctionCallInfo fcinfo)
{
	MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	due_call   *call = palloc0(sizeof(due_call));
	Relation	source;
	TupleDesc	desc;
	Datum	   *texts;
	bool	   *nulls;
	int			count;
	int			number = CRM_RULE_TIMELINE_PARAM;
	List	   *bound_types;
	List	   *rules = NIL;
	ListCell   *cell;

	for (int i = 0; i < ARG_TIMELINE; i++)
		if (PG_ARGISNULL(i) || !get_fn_expr_arg_stable(fcinfo->flinfo, i))
			refuse("what to look at must be constant");
	/* what the arguments behind the columns are to the rules */
	call->plan.params = CRM_RULE_TIMELINE_PARAM;
	source = crm_rule_open_source(PG_GETARG_OID(ARG_SOURCE));
	desc = CreateTupleDescCopyConstr(RelationGetDescr(source));
	take_columns(call, fcinfo, desc);
	for (int i = 0; i < call->bound_count; i++)
	{
		call->plan.param_types = lappend_oid(call->plan.param_types, get_fn_expr_argtype(fcinfo->flinfo, ARG_FIRST + call->column_count + i));
		call->plan.params++;
	}
	bound_types = list_copy(call->plan.param_types);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(ARG_RULES), TEXTOID, -1, false, TYPALIGN_INT, &texts, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		crm_rule   *rule;

		if (nulls[i])
			refuse("a rule is NULL");
		rule = crm_rule_read_bound(source, TextDatumGetCString(texts[i]), bound_types);
		rules = lappend(rules, rule);
		(void) crm_due_derive(&call->plan, rule);
	}
	relation_close(source, NoLock);
	check_columns(call, desc, rules);

	call->run.as_of = PG_GETARG_TIMESTAMPTZ(ARG_AS_OF);
	if (TIMESTAMP_NOT_FINITE(call->run.as_of))
		refuse("as_of must be finite");
	call->run.params = makeParamList(Max(call->plan.params, CRM_RULE_TIMELINE_PARAM));
	set_type(call->run.params, CRM_RULE_AS_OF_PARAM, TIMESTAMPTZOID);
	call->run.params->params[CRM_RULE_AS_OF_PARAM - 1].isnull = false;
	set_type(call->run.params, CRM_RULE_TIMELINE_PARAM, crm_type("timeline"));
	foreach(cell, call->plan.param_types)
		set_type(call->run.params, ++number, lfirst_oid(cell));
	call->run.estate = CreateExecutorState();
	call->run.estate->es_param_list_info = call->run.params;
	call->run.econtext = GetPerTupleExprContext(call->run.estate);
	call->slot = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	call->run.econtext->ecxt_scantuple = call->slot;
	foreach(cell, call->plan.rules)
		crm_due_prepare(&call->run, lfirst(cell));
	MemoryContextSwitchTo(old);
	fcinfo->flinfo->fn_extra = call;
	return call;
}

CRM_FUNCTION(crm_tag_due_at);
Datum
crm_tag_due_at(PG_FUNCTION_ARGS)
{
	due_call   *call = fcinfo->flinfo->fn_extra;
	ParamExternData *timeline;
	TimestampTz next = DT_NOEND;
	ListCell   *cell;

	if (call == NULL)
		call = begin_call(fcinfo);
	if (PG_ARGISNULL(ARG_AS_OF) || PG_GETARG_TIMESTAMPTZ(ARG_AS_OF) != call->run.as_of)
		refuse("as_of must be the same for all");
	call->run.next_event = PG_ARGISNULL(ARG_NEXT_EVENT) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(ARG_NEXT_EVENT);
	timeline = &call->run.params->params[CRM_RULE_TIMELINE_PARAM - 1];
	timeline->isnull = PG_ARGISNULL(ARG_TIMELINE);
	timeline->value = timeline->isnull ? (Datum) 0 : PG_GETARG_DATUM(ARG_TIMELINE);

	ExecClearTuple(call->slot);
	memset(call->slot->tts_isnull, true, sizeof(bool) * call->slot->tts_tupleDescriptor->natts);
	for (int i = 0; i < call->column_count; i++)
	{
		call->slot->tts_isnull[call->columns[i] - 1] = PG_ARGISNULL(ARG_FIRST + i);
		call->slot->tts_values[call->columns[i] - 1] = PG_ARGISNULL(ARG_FIRST + i) ? (Datum) 0 : PG_GETARG_DATUM(ARG_FIRST + i);
	}
	ExecStoreVirtualTuple(call->slot);
	for (int i = 0; i < call->bound_count; i++)
	{
		ParamExternData *param = &call->run.params->params[CRM_RULE_TIMELINE_PARAM + i];
		int			place = ARG_FIRST + call->column_count + i;

		param->isnull = PG_ARGISNULL(place);
		param->value = param->isnull ? (Datum) 0 : PG_GETARG_DATUM(place);
	}
	foreach(cell, call->plan.rules)
		next = crm_due_sooner(next, crm_due_next(&call->run, lfirst(cell)));
	ResetExprContext(call->run.econtext);
	if (next == DT_NOEND)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(next);
}
