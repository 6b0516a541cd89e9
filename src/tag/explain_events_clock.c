/*
 * explain_events_clock.c - when a condition over events changes by the clock.
 *
 * An event counts from its own time on: that is when the timeline at as_of gets
 * it.  It begins or ends to count for a call when the call's since or until,
 * which grow with as_of, pass its time; and where the time of a first or last
 * event is compared with something that grows with as_of, when that passes it.
 * Between such moments nothing changes.  The rule is asked at each of them, over
 * the timeline as it was then, or will be if nothing else happens.
 */
#include "common/crm.h"

#include "access/stratnum.h"
#include "access/transam.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "tag/explain_events.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/* With more events than these it is too much work to tell. */
#define MAX_EVENTS 20000
/* Moments that have to be searched for, and do not just follow from the length of an interval. */
#define MAX_SEARCHED 300
/* Clocks and months do not jump twice within this time. */
#define AROUND (4 * USECS_PER_DAY)

typedef struct moment_work
{
	crm_explanation *e;
	const crm_leaf *leaf;
	crm_moments *moments;
	bool	   *relevant;		/* by number of an event, of all that are stored */
	Node	   *bound;			/* a call's since or until */
	Node	   *comparison;		/* with the time of an event in place of the call */
	const FuncExpr *call;		/* whose place that is */
	bool		steady;
} moment_work;

bool
crm_explain_events_at(crm_explanation *e, TimestampTz moment, Datum *timeline)
{
	crm_event_history *history = e->history;
	size_t		low = 0;
	size_t		high = history->count;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (history->events[middle].at <= moment)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == history->now)
		*timeline = e->timeline;
	else if (low == history->cut)
		*timeline = history->cut_timeline;
	else
	{
		if (!crm_explain_events_afford(e, low))
			return false;
		memcpy(history->scratch, history->events, sizeof(crm_timeline_event) * low);
		*timeline = crm_explain_events_write(e, low);
		history->cut = low;
		history->cut_timeline = *timeline;
	}
	return true;
}

/* ---- which events ---------------------------------------------------------------------------- */

static const crm_event_call *
known_call(const crm_explanation *e, const Node *expr)
{
	ListCell   *cell;

	foreach(cell, e->history->calls)
		if (equal(((crm_event_call *) lfirst(cell))->expr, expr))
			return lfirst(cell);
	return NULL;
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

/* Marks the events that a call looks at, whenever they were. */
static void
mark_all(moment_work *work, const crm_event_call *call)
{
	crm_explanation *e = work->e;
	struct varlena *bytes = (struct varlena *) DatumGetPointer(e->whole_timeline);
	crm_timeline timeline;
	crm_timeline_cursor cursor;

	crm_check(crm_timeline_open((const uint8_t *) VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &timeline), "crm.timeline", false);
	crm_check(crm_selectors_bind(call->parsed, &timeline), "crm.timeline", false);
	crm_timeline_begin(&timeline, &cursor);
	while (crm_timeline_next(&cursor))
	{
		if (cursor.index % 4096 == 4095)
			CHECK_FOR_INTERRUPTS();
		if (crm_selectors_met(call->parsed, crm_selectors_current(call->parsed), &cursor) != 0)
			work->relevant[cursor.index] = true;
	}
}

/* ---- expressions that grow with as_of ------------------------------------------------------------ */

static TimestampTz
bound_at(crm_explanation *e, ExprState *state, TimestampTz moment, bool *known)
{
	ParamExternData *as_of = &e->estate->es_param_list_info->params[CRM_RULE_AS_OF_PARAM - 1];
	bool		isnull;
	Datum		value;

	as_of->value = TimestampTzGetDatum(moment);
	value = ExecEvalExprSwitchContext(state, e->econtext, &isnull);
	as_of->value = TimestampTzGetDatum(e->as_of);
	ResetExprContext(e->econtext);
	*known &= !isnull;
	return isnull ? 0 : DatumGetTimestampTz(value);
}

static Const *
time_constant(TimestampTz time)
{
	return makeConst(TIMESTAMPTZOID, -1, InvalidOid, sizeof(TimestampTz), TimestampTzGetDatum(time), false, FLOAT8PASSBYVAL);
}

/* Is the bound behind the time, or at least at it? */
static ExprState *
compared_with(crm_explanation *e, Node *bound, TimestampTz time, int strategy)
{
	Oid			family = lookup_type_cache(TIMESTAMPTZOID, TYPECACHE_BTREE_OPFAMILY)->btree_opf;
	Oid			op = get_opfamily_member(family, TIMESTAMPTZOID, TIMESTAMPTZOID, strategy);

	return ExecPrepareExpr(make_opclause(op, BOOLOID, false, (Expr *) bound, (Expr *) time_constant(time), InvalidOid, InvalidOid), e->estate);
}

/*
 * The moments at which a bound comes to each event's time, and passes it.  Where
 * it runs with the clock they follow from how far it is from as_of.
 */
static void
find_bound_moments(void *arg)
{
	moment_work *work = arg;
	crm_explanation *e = work->e;
	const crm_event_history *history = e->history;
	ExprState  *state = ExecPrepareExpr((Expr *) work->bound, e->estate);
	TimestampTz last_found = DT_NOBEGIN;
	int			searched = 0;
	int			looked_at = 0;

	for (size_t i = history->count; i-- > 0;)
	{
		TimestampTz time = history->events[i].at;
		TimestampTz guess;
		bool		known = true;

		if (!work->relevant[i])
			continue;
		if (looked_at++ == MAX_EVENTS)
		{
			work->steady = false;
			return;
		}
		CHECK_FOR_INTERRUPTS();
		guess = time + (e->as_of - bound_at(e, state, e->as_of, &known));
		if (!known)
			return;				/* NULL: open, whatever the moment */
		if (guess < MIN_TIMESTAMP + AROUND || guess >= END_TIMESTAMP - AROUND)
			continue;
		if (bound_at(e, state, guess, &known) == time && bound_at(e, state, guess - AROUND, &known) == time - AROUND &&
			bound_at(e, state, guess + AROUND, &known) == time + AROUND)
		{
			crm_moments_add(work->moments, guess);
			crm_moments_add(work->moments, guess + 1);
			continue;
		}
		/* Days and months that begin together are found once. */
		if (last_found != DT_NOBEGIN && bound_at(e, state, last_found, &known) > time && bound_at(e, state, last_found - 1, &known) < time)
			continue;
		if (searched++ == MAX_SEARCHED)
		{
			work->steady = false;
			return;
		}
		crm_moments_find(work->moments, e, compared_with(e, work->bound, time, BTGreaterEqualStrategyNumber));
		if (work->moments->count > 0)
			last_found = work->moments->at[work->moments->count - 1];
		crm_moments_find(work->moments, e, compared_with(e, work->bound, time, BTGreaterStrategyNumber));
	}
}

/* A time in place of the call. */
typedef struct place_work
{
	const FuncExpr *call;
	TimestampTz time;
} place_work;

static Node *
put_time(Node *node, void *context)
{
	const place_work *work = context;

	if (node == NULL)
		return NULL;
	if (IsA(node, FuncExpr) && equal(node, work->call))
		return (Node *) time_constant(work->time);
	return expression_tree_mutator(node, put_time, context);
}

/* The moments at which a comparison with the time of an event turns, for each event whose time it may be. */
static void
find_time_moments(void *arg)
{
	moment_work *work = arg;
	crm_explanation *e = work->e;
	const crm_event_history *history = e->history;
	bool		first = strcmp(crm_rule_our_function(work->call->funcid), "crm_first_event") == 0;
	int			searched = 0;
	TimestampTz before = DT_NOEND;

	for (size_t n = 0; n < history->count; n++)
	{
		size_t		i = first ? n : history->count - 1 - n;
		TimestampTz time = history->events[i].at;
		place_work	place = {work->call, time};
		crm_leaf	leaf = *work->leaf;
		ExprState  *states[2];
		int			count;

		if (!work->relevant[i] || time == before)
			continue;
		if (searched++ == MAX_SEARCHED)
		{
			/* It was the last one until the next came. */
			work->moments->from = Max(work->moments->from, before);
			break;
		}
		before = time;
		leaf.expr = put_time(work->leaf->expr, &place);
		count = crm_explain_order(e, &leaf, states);
		for (int s = 0; s < count; s++)
			crm_moments_find(work->moments, e, states[s]);
		if (first && history->events[i].at <= e->as_of)
			break;
	}
}

/* ---- one condition ------------------------------------------------------------------------------------ */

static bool
is_unsteady_function(Oid function, void *context)
{
	return function >= FirstNormalObjectId && func_volatile(function) != PROVOLATILE_IMMUTABLE;
}

static bool
calls_unsteady(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, is_unsteady_function, NULL))
		return true;
	return expression_tree_walker(node, calls_unsteady, context);
}

static bool
take_bound(moment_work *work, Node *bound)
{
	if (bound == NULL || !crm_explain_names_as_of(bound))
		return true;
	if (exprType(bound) != TIMESTAMPTZOID || !crm_explain_grows(bound))
		return false;
	work->bound = bound;
	return crm_explain_guarded(find_bound_moments, work) && work->steady;
}

/* The calls of an expression: true when as_of, or the timeline, stands where nothing is known of it. */
static bool
look_at_calls(Node *node, void *context)
{
	moment_work *work = context;
	const crm_event_call *call;

	if (node == NULL)
		return false;
	if (IsA(node, Param))
	{
		if (((Param *) node)->paramid == CRM_RULE_TIMELINE_PARAM)
			memset(work->relevant, true, work->e->history->count);
		return ((Param *) node)->paramid == CRM_RULE_AS_OF_PARAM;
	}
	if (IsA(node, FuncExpr) && (call = known_call(work->e, node)) != NULL && call->selects)
	{
		ListCell   *cell;

		mark_all(work, call);
		foreach(cell, call->expr->args)
		{
			Node	   *arg = lfirst(cell);

			if (IsA(arg, NamedArgExpr))
				arg = (Node *) ((NamedArgExpr *) arg)->arg;
			if (!crm_explain_names_as_of(arg))
				continue;
			if (!call->by_range || (arg != crm_rule_argument(call->expr, "since") && arg != crm_rule_argument(call->expr, "until")) ||
				!take_bound(work, arg))
				return true;
		}
		return false;
	}
	return expression_tree_walker(node, look_at_calls, context);
}

/* The only call of one side of a comparison, when that is for the time of a first or last event. */
typedef struct only_call
{
	const FuncExpr *call;
	int			count;
} only_call;

static bool
find_only_call(Node *node, void *context)
{
	only_call  *only = context;

	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr) && find_timeline((Node *) ((FuncExpr *) node)->args, NULL))
	{
		char	   *symbol = crm_rule_our_function(((FuncExpr *) node)->funcid);

		if (symbol != NULL && (strcmp(symbol, "crm_first_event") == 0 || strcmp(symbol, "crm_last_event") == 0))
		{
			only->call = (const FuncExpr *) node;
			only->count++;
			return false;
		}
	}
	if (IsA(node, Param) && ((Param *) node)->paramid == CRM_RULE_TIMELINE_PARAM)
		only->count = 2;		/* something else */
	return expression_tree_walker(node, find_only_call, context);
}

/* Compares the time of an event with something that grows with as_of; false when it does anything else with as_of. */
static bool
look_at_comparison(moment_work *work)
{
	const OpExpr *expr = (const OpExpr *) work->leaf->expr;
	Node	   *sides[2];

	if (!IsA(expr, OpExpr) || list_length(expr->args) != 2)
		return false;
	sides[0] = linitial(expr->args);
	sides[1] = lsecond(expr->args);
	for (int i = 0; i < 2; i++)
	{
		only_call	only = {NULL, 0};

		if (!crm_explain_names_as_of(sides[i]) || find_timeline(sides[i], NULL) || !crm_explain_grows(sides[i]))
			continue;
		if (look_at_calls(sides[1 - i], work))
			return false;
		(void) find_only_call(sides[1 - i], &only);
		if (only.count != 1)
			return false;
		work->call = only.call;
		return crm_explain_guarded(find_time_moments, work);
	}
	return false;
}

bool
crm_explain_event_moments(crm_explanation *e, const crm_leaf *leaf, crm_moments *moments)
{
	const crm_event_history *history = e->history;
	moment_work work = {.e = e,.leaf = leaf,.moments = moments,.steady = true};
	int			looked_at = 0;

	if (calls_unsteady(leaf->expr, NULL))
		return false;
	work.relevant = palloc0(history->count + 1);
	if (look_at_calls(leaf->expr, &work) && !look_at_comparison(&work))
		return false;
	if (!work.steady)
		return false;
	/* each event comes into the timeline at its own time */
	for (size_t i = history->count; i-- > 0;)
	{
		if (!work.relevant[i])
			continue;
		if (looked_at++ == MAX_EVENTS)
			return false;
		crm_moments_add(moments, history->events[i].at);
	}
	return true;
}
