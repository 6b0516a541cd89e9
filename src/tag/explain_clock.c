/*
 * explain_clock.c - since when and until when a rule gives what it gives, where
 * only the clock moves.
 *
 * A comparison with something that grows with as_of changes its answer once,
 * when that passes the customer's value.  The moment is found by halving the
 * time around as_of.  Local hours that come twice and months of different
 * length make such an expression go back now and then, by less than four days;
 * the time around the moment is therefore gone through in quarters of an hour.
 * The rule is then asked at each of these moments.
 */
#include "common/crm.h"

#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "tag/explain.h"
#include "utils/lsyscache.h"

/* How far is looked, into the past and into the future. */
#define HORIZON (INT64CONST(200) * 366 * USECS_PER_DAY)
#define AROUND (4 * USECS_PER_DAY)
#define QUARTER (15 * USECS_PER_MINUTE)

typedef struct clock_work
{
	crm_explanation *e;
	crm_leaf   *leaf;
	TimestampTz *moments;
	int			count;
	int			room;
} clock_work;

static void
add_moment(clock_work *work, TimestampTz moment)
{
	if (work->count == work->room)
	{
		work->room *= 2;
		work->moments = repalloc(work->moments, sizeof(TimestampTz) * work->room);
	}
	work->moments[work->count++] = moment;
}

/* What a condition says at a moment; NULL is neither before nor behind anything. */
static int
at_moment(crm_explanation *e, ExprState *state, TimestampTz moment)
{
	ParamExternData *as_of = &e->estate->es_param_list_info->params[CRM_RULE_AS_OF_PARAM - 1];
	bool		isnull;
	Datum		value;

	as_of->value = TimestampTzGetDatum(moment);
	value = ExecEvalExprSwitchContext(state, e->econtext, &isnull);
	as_of->value = TimestampTzGetDatum(e->as_of);
	ResetExprContext(e->econtext);
	return isnull ? -1 : DatumGetBool(value);
}

/* The first moment behind low at which the condition says something else than at low, as it does at high. */
static TimestampTz
halve(crm_explanation *e, ExprState *state, TimestampTz low, TimestampTz high)
{
	int			before = at_moment(e, state, low);

	while (high - low > 1)
	{
		TimestampTz middle = low + (high - low) / 2;

		if (at_moment(e, state, middle) == before)
			low = middle;
		else
			high = middle;
	}
	return high;
}

static void
find_moments_of(clock_work *work, ExprState *state)
{
	crm_explanation *e = work->e;
	TimestampTz low = Max(e->as_of - HORIZON, MIN_TIMESTAMP);
	TimestampTz high = Min(e->as_of + HORIZON, END_TIMESTAMP - 1);
	TimestampTz crossing;
	int			before;

	if (at_moment(e, state, low) == at_moment(e, state, high))
		return;
	crossing = halve(e, state, low, high);
	add_moment(work, crossing);
	/* From whole quarters to whole quarters. */
	low = (crossing - AROUND) / QUARTER * QUARTER;
	before = at_moment(e, state, low);
	for (; low < crossing + AROUND; low += QUARTER)
	{
		int			after = at_moment(e, state, low + QUARTER);

		if (after != before)
			add_moment(work, halve(e, state, low, low + QUARTER));
		before = after;
	}
}

/* The moments at which one side of a comparison passes the other: when it comes to it, and when it leaves it. */
static void
find_moments(void *arg)
{
	clock_work *work = arg;
	const OpExpr *expr = (const OpExpr *) work->leaf->expr;
	static const int strategies[] = {BTLessStrategyNumber, BTLessEqualStrategyNumber};
	Oid			left,
				right,
				family;

	if (crm_compile_strategy(expr->opno, expr->inputcollid, &family) == 0)
		elog(ERROR, "a comparison has lost its operator");
	op_input_types(expr->opno, &left, &right);
	for (int i = 0; i < lengthof(strategies); i++)
	{
		Oid			op = get_opfamily_member(family, left, right, strategies[i]);
		Expr	   *passed;

		if (!OidIsValid(op))
			elog(ERROR, "a comparison has no order");
		passed = make_opclause(op, BOOLOID, false, linitial(expr->args), lsecond(expr->args), InvalidOid, expr->inputcollid);
		find_moments_of(work, ExecPrepareExpr(passed, work->e->estate));
	}
}

static int
compare_moments(const void *a, const void *b)
{
	TimestampTz x = *(const TimestampTz *) a;
	TimestampTz y = *(const TimestampTz *) b;

	return x < y ? -1 : x > y;
}

/* Does the rule say the same at a moment?  1: yes; 0: no; -1: that cannot be told. */
static int
same_at(crm_explanation *e, TimestampTz moment)
{
	int			outcome = crm_explain_try_moment(e, moment);

	if (outcome == CRM_REASON_OPEN)
		return -1;
	if (e->rule->type == BOOLOID)
		return (outcome == CRM_REASON_TRUE) == (e->outcome == CRM_REASON_TRUE);
	return outcome == e->outcome;
}

crm_span
crm_explain_span(crm_explanation *e)
{
	crm_span	span = {.since = DT_NOBEGIN,.until = DT_NOEND};
	clock_work	work = {.e = e,.room = 16};
	ListCell   *cell;
	int			same;

	work.moments = palloc(sizeof(TimestampTz) * work.room);
	foreach(cell, e->leaves)
	{
		work.leaf = lfirst(cell);
		if (!work.leaf->by_clock && !work.leaf->by_events)
			continue;
		span.by_clock = true;
		if (work.leaf->steady && !crm_explain_guarded(find_moments, &work))
			work.leaf->steady = false;
	}
	if (!span.by_clock || e->outcome == CRM_REASON_OPEN)
		return span;
	qsort(work.moments, work.count, sizeof(TimestampTz), compare_moments);

	same = same_at(e, e->as_of + 1);
	for (int i = 0; same > 0 && i < work.count; i++)
		if (work.moments[i] > e->as_of && (same = same_at(e, work.moments[i])) == 0)
			span.until = work.moments[i];
	if (same == 0 && span.until == DT_NOEND)
		span.until = e->as_of + 1;
	span.until_known = same >= 0;

	same = same_at(e, e->as_of - 1);
	if (same == 0)
		span.since = e->as_of;
	for (int i = work.count - 1; same > 0 && i >= 0; i--)
		if (work.moments[i] <= e->as_of && (same = same_at(e, work.moments[i] - 1)) == 0)
			span.since = work.moments[i];
	span.since_known = same >= 0;
	return span;
}
