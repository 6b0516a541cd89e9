/*
 * explain_evaluate.c - the conditions of a rule, evaluated by PostgreSQL's
 * executor over the customer's row: as it is, with another value in one column,
 * or at another moment.
 *
 * All of it runs as the tag's owner in a security-restricted operation.
 */
#include "common/crm.h"

#include "access/stratnum.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/params.h"
#include "tag/explain_events.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/resowner.h"

char *
crm_explain_try(void (*action) (void *arg), void *arg, int *sqlstate)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	char	   *volatile problem = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		action(arg);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		/* That the user wants to stop is no error of the rule, nor that the transaction must be tried again. */
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_TO_CATEGORY(ERRCODE_OPERATOR_INTERVENTION) ||
			ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_TO_CATEGORY(ERRCODE_TRANSACTION_ROLLBACK) ||
			ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES))
			ReThrowError(error);
		problem = pstrdup(error->message);
		if (sqlstate != NULL)
			*sqlstate = error->sqlerrcode;
		FreeErrorData(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return problem;
}

bool
crm_explain_guarded(void (*action) (void *arg), void *arg)
{
	char	   *problem = crm_explain_try(action, arg, NULL);

	if (problem != NULL)
		pfree(problem);
	return problem == NULL;
}

static void
set_row(crm_explanation *e)
{
	ExecClearTuple(e->slot);
	memcpy(e->slot->tts_values, e->row, sizeof(Datum) * RelationGetDescr(e->source)->natts);
	memcpy(e->slot->tts_isnull, e->nulls, sizeof(bool) * RelationGetDescr(e->source)->natts);
	ExecStoreVirtualTuple(e->slot);
}

void
crm_explain_begin(crm_explanation *e)
{
	ParamListInfo params = makeParamList(CRM_RULE_TIMELINE_PARAM);

	params->params[CRM_RULE_AS_OF_PARAM - 1] = (ParamExternData) {
		.value = TimestampTzGetDatum(e->as_of),.pflags = PARAM_FLAG_CONST,.ptype = TIMESTAMPTZOID
	};
	params->params[CRM_RULE_TIMELINE_PARAM - 1] = (ParamExternData) {
		.value = e->timeline,.isnull = !e->rule->timeline,.pflags = PARAM_FLAG_CONST,.ptype = crm_type("timeline")
	};
	e->estate = CreateExecutorState();
	e->estate->es_param_list_info = params;
	e->econtext = GetPerTupleExprContext(e->estate);
	e->slot = MakeSingleTupleTableSlot(RelationGetDescr(e->source), &TTSOpsVirtual);
	e->econtext->ecxt_scantuple = e->slot;
	set_row(e);
}

void
crm_explain_end(crm_explanation *e)
{
	ExecDropSingleTupleTableSlot(e->slot);
	FreeExecutorState(e->estate);
}

const char *
crm_explain_value(const crm_explanation *e, int outcome)
{
	return list_nth(e->values, outcome - CRM_REASON_VALUE);
}

int
crm_explain_value_code(crm_explanation *e, const char *value)
{
	int			code = CRM_REASON_VALUE;
	ListCell   *cell;

	foreach(cell, e->values)
	{
		if (strcmp(lfirst(cell), value) == 0)
			return code;
		code++;
	}
	e->values = lappend(e->values, pstrdup(value));
	return code;
}

/* ---- one leaf ------------------------------------------------------------------------- */

typedef struct leaf_work
{
	crm_explanation *e;
	crm_leaf   *leaf;
	int			outcome;
} leaf_work;

static void
evaluate(void *arg)
{
	leaf_work  *work = arg;
	crm_explanation *e = work->e;
	crm_leaf   *leaf = work->leaf;
	MemoryContext context = CurrentMemoryContext;
	Datum		value;
	bool		isnull;

	if (leaf->state == NULL)
		leaf->state = ExecPrepareExpr((Expr *) leaf->expr, e->estate);
	value = ExecEvalExprSwitchContext(leaf->state, e->econtext, &isnull);
	MemoryContextSwitchTo(context);
	if (isnull)
		work->outcome = CRM_REASON_NULL;
	else if (leaf->is_text)
	{
		Oid			output;
		bool		is_varlena;

		getTypeOutputInfo(exprType(leaf->expr), &output, &is_varlena);
		work->outcome = crm_explain_value_code(e, OidOutputFunctionCall(output, value));
	}
	else
		work->outcome = DatumGetBool(value) ? CRM_REASON_TRUE : CRM_REASON_FALSE;
	ResetExprContext(e->econtext);
}

/* Only what runs other code than PostgreSQL's comparisons may fail. */
static int
evaluate_leaf(crm_explanation *e, crm_leaf *leaf, bool *failed)
{
	leaf_work	work = {e, leaf, CRM_REASON_OPEN};

	*failed = false;
	if (leaf->state != NULL && (leaf->kind == CRM_LEAF_COMPARISON || leaf->kind == CRM_LEAF_NULL_TEST) && !e->moved && !e->altered)
		evaluate(&work);
	else if (!crm_explain_guarded(evaluate, &work))
	{
		*failed = true;
		return CRM_REASON_OPEN;
	}
	return work.outcome;
}

int
crm_explain_leaf(crm_explanation *e, crm_leaf *leaf)
{
	if (!leaf->asked)
	{
		Assert(e->changed == 0 && !e->moved);
		leaf->outcome = evaluate_leaf(e, leaf, &leaf->failed);
		leaf->asked = true;
	}
	return leaf->outcome;
}

/* ---- the tree --------------------------------------------------------------------------- */

static int
ask_as_it_is(void *arg, uint32 number)
{
	crm_explanation *e = arg;

	return crm_explain_leaf(e, list_nth(e->leaves, number));
}

int
crm_explain_outcome(crm_explanation *e)
{
	return crm_reason_outcome(&e->reason, e->root, ask_as_it_is, e);
}

void
crm_explain_decisive(crm_explanation *e, bool *marks)
{
	crm_reason_decisive(&e->reason, e->root, ask_as_it_is, e, marks);
}

/* Does a leaf name what is tried: the column, by itself or as part of the row; the clock; the events? */
static bool
names_changed(const crm_explanation *e, const crm_leaf *leaf)
{
	if (e->altered)
		return leaf->by_events;
	if (e->moved)
		return leaf->by_clock || leaf->by_events;
	return bms_is_member(e->changed, leaf->columns) || bms_is_member(0, leaf->columns);
}

/* Asks for what the row as it is did not need, and goes back to what is tried. */
static void
ask_untried(crm_explanation *e, crm_leaf *leaf)
{
	ParamExternData *params = e->estate->es_param_list_info->params;
	AttrNumber	changed = e->changed;
	bool		moved = e->moved;
	bool		altered = e->altered;
	Datum		moment = params[CRM_RULE_AS_OF_PARAM - 1].value;
	Datum		timeline = params[CRM_RULE_TIMELINE_PARAM - 1].value;
	Datum		value = 0;
	bool		isnull = false;

	if (changed != 0)
	{
		value = e->slot->tts_values[changed - 1];
		isnull = e->slot->tts_isnull[changed - 1];
		e->slot->tts_values[changed - 1] = e->row[changed - 1];
		e->slot->tts_isnull[changed - 1] = e->nulls[changed - 1];
	}
	e->changed = 0;
	e->moved = e->altered = false;
	params[CRM_RULE_AS_OF_PARAM - 1].value = TimestampTzGetDatum(e->as_of);
	params[CRM_RULE_TIMELINE_PARAM - 1].value = e->timeline;
	(void) crm_explain_leaf(e, leaf);
	e->changed = changed;
	e->moved = moved;
	e->altered = altered;
	params[CRM_RULE_AS_OF_PARAM - 1].value = moment;
	params[CRM_RULE_TIMELINE_PARAM - 1].value = timeline;
	if (changed != 0)
	{
		e->slot->tts_values[changed - 1] = value;
		e->slot->tts_isnull[changed - 1] = isnull;
	}
}

/* A leaf as it would be: what does not depend on the change is as it is. */
static int
ask_changed(void *arg, uint32 number)
{
	crm_explanation *e = arg;
	crm_leaf   *leaf = list_nth(e->leaves, number);
	bool		failed;

	if (!names_changed(e, leaf))
	{
		if (!leaf->asked)
			ask_untried(e, leaf);
		return leaf->outcome;
	}
	if (e->altered)
		return e->events_unknown ? CRM_REASON_OPEN : evaluate_leaf(e, leaf, &failed);
	if (e->moved)
		return leaf->steady ? evaluate_leaf(e, leaf, &failed) : CRM_REASON_OPEN;
	switch (leaf->kind)
	{
		case CRM_LEAF_COMPARISON:
			return evaluate_leaf(e, leaf, &failed);
		case CRM_LEAF_NULL_TEST:
			return e->slot->tts_isnull[e->changed - 1] == leaf->is_null ? CRM_REASON_TRUE : CRM_REASON_FALSE;
		default:
			return CRM_REASON_OPEN;
	}
}

/* As ask_changed, and counts the leaves that differ from the row as it is. */
static int
count_differing(crm_explanation *e)
{
	int			differing = 0;
	ListCell   *cell;

	foreach(cell, e->leaves)
	{
		crm_leaf   *leaf = lfirst(cell);

		if (!e->altered && leaf->kind != CRM_LEAF_COMPARISON && leaf->kind != CRM_LEAF_NULL_TEST)
			continue;
		if (names_changed(e, leaf) && ask_changed(e, foreach_current_index(cell)) != leaf->outcome)
			differing++;
	}
	return differing;
}

int
crm_explain_try_value(crm_explanation *e, AttrNumber attribute, Datum value, bool isnull)
{
	int			outcome;

	CHECK_FOR_INTERRUPTS();
	e->slot->tts_values[attribute - 1] = value;
	e->slot->tts_isnull[attribute - 1] = isnull;
	e->changed = attribute;
	outcome = crm_reason_outcome(&e->reason, e->root, ask_changed, e);
	e->differing = outcome == CRM_REASON_OPEN ? 0 : count_differing(e);
	e->changed = 0;
	e->slot->tts_values[attribute - 1] = e->row[attribute - 1];
	e->slot->tts_isnull[attribute - 1] = e->nulls[attribute - 1];
	return outcome;
}

int
crm_explain_try_moment(crm_explanation *e, TimestampTz moment)
{
	ParamExternData *params = e->estate->es_param_list_info->params;
	int			outcome;

	CHECK_FOR_INTERRUPTS();
	params[CRM_RULE_AS_OF_PARAM - 1].value = TimestampTzGetDatum(moment);
	if (e->history != NULL && !crm_explain_events_at(e, moment, &params[CRM_RULE_TIMELINE_PARAM - 1].value))
		outcome = CRM_REASON_OPEN;
	else
	{
		e->moved = true;
		outcome = crm_reason_outcome(&e->reason, e->root, ask_changed, e);
		e->moved = false;
	}
	params[CRM_RULE_AS_OF_PARAM - 1].value = TimestampTzGetDatum(e->as_of);
	params[CRM_RULE_TIMELINE_PARAM - 1].value = e->timeline;
	return outcome;
}

int
crm_explain_try_events(crm_explanation *e, Datum timeline)
{
	ParamExternData *param = &e->estate->es_param_list_info->params[CRM_RULE_TIMELINE_PARAM - 1];
	int			outcome;

	CHECK_FOR_INTERRUPTS();
	param->value = timeline;
	e->altered = true;
	e->events_unknown = timeline == (Datum) 0;
	outcome = crm_reason_outcome(&e->reason, e->root, ask_changed, e);
	e->differing = outcome == CRM_REASON_OPEN ? 0 : count_differing(e);
	e->altered = false;
	param->value = e->timeline;
	return outcome;
}

int
crm_explain_with_events(crm_explanation *e, ExprState *state, Datum timeline)
{
	ParamExternData *param = &e->estate->es_param_list_info->params[CRM_RULE_TIMELINE_PARAM - 1];
	bool		isnull;
	Datum		value;

	CHECK_FOR_INTERRUPTS();
	param->value = timeline;
	value = ExecEvalExprSwitchContext(state, e->econtext, &isnull);
	param->value = e->timeline;
	ResetExprContext(e->econtext);
	return isnull ? -1 : DatumGetBool(value);
}

int
crm_explain_order(crm_explanation *e, const crm_leaf *leaf, ExprState **states)
{
	static const int strategies[] = {BTLessStrategyNumber, BTLessEqualStrategyNumber};
	const OpExpr *expr = (const OpExpr *) leaf->expr;
	Oid			left,
				right,
				family;

	if ((!IsA(expr, OpExpr) && !IsA(expr, DistinctExpr)) || list_length(expr->args) != 2 ||
		crm_compile_strategy(expr->opno, expr->inputcollid, &family) == 0)
		return 0;
	op_input_types(expr->opno, &left, &right);
	for (int i = 0; i < lengthof(strategies); i++)
	{
		Oid			op = get_opfamily_member(family, left, right, strategies[i]);

		if (!OidIsValid(op))
			return 0;
		states[i] = ExecPrepareExpr(make_opclause(op, BOOLOID, false, linitial(expr->args), lsecond(expr->args), InvalidOid, expr->inputcollid), e->estate);
	}
	return lengthof(strategies);
}
