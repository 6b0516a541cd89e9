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

#include "tag/explain_events.h"
#include "utils/memutils.h"

/* How far is looked, into the past and into the future. */
#define HORIZON (INT64CONST(200) * 366 * USECS_PER_DAY)
#define AROUND (4 * USECS_PER_DAY)
#define QUARTER (15 * USECS_PER_MINUTE)

typedef struct clock_work
{
	crm_explanation *e;
	crm_leaf   *leaf;
	crm_moments *moments;
} clock_work;

void
crm_moments_add(crm_moments *moments, TimestampTz moment)
{
	if (moments->count == moments->room)
	{
		moments->room = Max(16, moments->room * 2);
		moments->at = moments->at == NULL ? MemoryContextAllocHuge(CurrentMemoryContext, sizeof(TimestampTz) * moments->room) :
			repalloc_huge(moments->at, sizeof(TimestampTz) * moments->room);
	}
	moments->at[moments->count++] = moment;
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

void
crm_moments_find(crm_moments *moments, crm_explanation *e, ExprState *state)
{
	TimestampTz low = Max(e->as_of - HORIZON, MIN_TIMESTAMP);
	TimestampTz high = Min(e->as_of + HORIZON, END_TIMESTAMP - 1);
	TimestampTz crossing;
	int			before;

	if (at_moment(e, state, low) == at_moment(e, state, high))
		return;
	crossing = halve(e, state, low, high);
	crm_moments_add(moments, crossing);
	/* From whole quarters to whole quarters. */
	low = (crossing - AROUND) / QUARTER * QUARTER;
	before = at_moment(e, state, low);
	for (; low < crossing + AROUND; low += QUARTER)
	{
		int			after = at_moment(e, state, low + QUARTER);

		if (after != before)
			crm_moments_add(moments, halve(e, state, low, low + QUARTER));
		before = after;
	}
}

/* The moments at which one side of a comparison passes the other: when it comes to it, and when it leaves it. */
static void
find_moments(void *arg)
{
	clock_work *work = arg;
	ExprState  *states[2];
	int			count = crm_explain_order(work->e, work->leaf, states);

	if (count == 0)
		elog(ERROR, "a comparison has lost its order");
	for (int i = 0; i < count; i++)
		crm_moments_find(work->moments, work->e, states[i]);
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

/* Can the leaf be asked at other moments?  Adds those at which it may change. */
static void
look_at(clock_work *work)
{
	crm_leaf   *leaf = work->leaf;

	if (leaf->by_events)
		leaf->steady = work->e->history != NULL && crm_explain_event_moments(work->e, leaf, work->moments);
	else if (leaf->steady && !crm_explain_guarded(find_moments, work))
		leaf->steady = false;
}

crm_span
crm_explain_span(crm_explanation *e)
{
	crm_span	span = {.since = DT_NOBEGIN,.until = DT_NOEND};
	crm_moments moments = {.from = DT_NOBEGIN};
	clock_work	work = {.e = e,.moments = &moments};
	ListCell   *cell;
	int			same;

	foreach(cell, e->leaves)
	{
		work.leaf = lfirst(cell);
		if (!work.leaf->by_clock && !work.leaf->by_events)
			continue;
		span.by_clock = true;
		look_at(&work);
	}
	if (!span.by_clock || e->outcome == CRM_REASON_OPEN)
		return span;
	qsort(moments.at, moments.count, sizeof(TimestampTz), compare_moments);

	same = same_at(e, e->as_of + 1);
	for (int i = 0; same > 0 && i < moments.count; i++)
		if (moments.at[i] > e->as_of && (same = same_at(e, moments.at[i])) == 0)
			span.until = moments.at[i];
	if (same == 0 && span.until == DT_NOEND)
		span.until = e->as_of + 1;
	span.until_known = same >= 0;

	same = same_at(e, e->as_of - 1);
	if (same == 0)
		span.since = e->as_of;
	for (int i = moments.count - 1; same > 0 && i >= 0; i--)
		if (moments.at[i] <= e->as_of && (same = moments.at[i] < moments.from ? -1 : same_at(e, moments.at[i] - 1)) == 0)
			span.since = moments.at[i];
	/* What lies before may be otherwise without our knowing. */
	if (same > 0 && moments.from != DT_NOBEGIN)
		same = -1;
	span.since_known = same >= 0;
	return span;
}
