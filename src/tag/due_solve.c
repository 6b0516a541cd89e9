/*
 * due_solve.c - a customer's next instant: the tree of a rule's sources, asked
 * for one row at one time.
 *
 * Every answer is a time before which nothing changes.  It is exact where that
 * costs little, and too early elsewhere: whoever is due is evaluated, and asked
 * anew.
 */
#include "common/crm.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "tag/due_plan.h"
#include "utils/date.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* To within this the first moment of another value is looked for by halving. */
#define PRECISION USECS_PER_MINUTE
/* A calendar's answers are kept by its operands' values, as far as these fit. */
#define MEMO_BYTES 40
#define MEMO_MOST 100000
/* Where answers are hardly ever asked for twice, it is looked ahead less far. */
#define SHORT_SIGHT 30

typedef struct memo_entry
{
	char		key[MEMO_BYTES];
	TimestampTz next;
} memo_entry;

/* What one value came to: a table that the latest answers overwrite. */
#define ANSWERS 1024

typedef struct crm_due_answer
{
	int64		value;
	TimestampTz next;			/* DT_NOBEGIN: not asked for yet */
} crm_due_answer;

static Datum value_at(crm_due_run *run, ExprState *state, TimestampTz at, bool *isnull);

/* ---- preparing ------------------------------------------------------------------- */

static ExprState *
prepare(crm_due_run *run, Expr *expr)
{
	return expr == NULL ? NULL : ExecPrepareExpr(expr, run->estate);
}

typedef struct now_context
{
	crm_due_run *run;
	bool		row;			/* met: a column, or another parameter than as_of */
	bool		as_of;
} now_context;

static bool
needs_more_than_as_of(Node *node, void *context)
{
	now_context *now = context;

	if (node == NULL)
		return false;
	if (IsA(node, Var) || IsA(node, CaseTestExpr) || (IsA(node, Param) && ((Param *) node)->paramid != CRM_RULE_AS_OF_PARAM))
		now->row = true;
	now->as_of |= IsA(node, Param);
	return expression_tree_walker(node, needs_more_than_as_of, context);
}

/* What needs nothing but as_of is the same for all customers: computed once. */
static Node *
compute_now(Node *node, void *context)
{
	now_context now = {((now_context *) context)->run};

	if (node == NULL)
		return NULL;
	if (!IsA(node, List) && !IsA(node, CaseWhen))
	{
		(void) needs_more_than_as_of(node, &now);
		if (!now.as_of)
			return node;
		if (!now.row)
		{
			bool		isnull;
			Datum		value = value_at(now.run, prepare(now.run, (Expr *) node), now.run->as_of, &isnull);
			int16		length;
			bool		by_value;

			get_typlenbyval(exprType(node), &length, &by_value);
			return (Node *) makeConst(exprType(node), -1, exprCollation(node), length,
									  isnull ? (Datum) 0 : datumCopy(value, by_value, length), isnull, by_value);
		}
	}
	return expression_tree_mutator(node, compute_now, context);
}

/* A value that is asked for at as_of only. */
static ExprState *
prepare_now(crm_due_run *run, Expr *expr)
{
	now_context context = {run};

	return prepare(run, (Expr *) compute_now((Node *) expr, &context));
}

static void
prepare_calendar(crm_due_run *run, crm_due_node *node)
{
	HASHCTL		control = {.keysize = MEMO_BYTES,.entrysize = sizeof(memo_entry),.hcxt = CurrentMemoryContext};
	int			count = list_length(node->operands);

	node->memo = hash_create("crm calendar", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	node->operand_states = palloc(sizeof(ExprState *) * (count + 1));
	node->operand_lengths = palloc(sizeof(int16) * (count + 1));
	node->operands_by_value = palloc(sizeof(bool) * (count + 1));
	for (int i = 0; i < count; i++)
	{
		Expr	   *operand = list_nth(node->operands, i);

		node->operand_states[i] = prepare(run, operand);
		get_typlenbyval(exprType((Node *) operand), &node->operand_lengths[i], &node->operands_by_value[i]);
	}
}

void
crm_due_prepare(crm_due_run *run, crm_due_node *node)
{
	ListCell   *cell;

	check_stack_depth();
	node->state = prepare(run, node->expr);
	node->interval_state = prepare(run, node->interval);
	node->target_state = prepare(run, node->target);
	if (node->expr != NULL)
		get_typlenbyval(exprType((Node *) node->expr), &node->length, &node->by_value);
	if (node->kind == CRM_DUE_CALENDAR)
		prepare_calendar(run, node);
	if ((node->kind == CRM_DUE_PASS && node->same_for_all) ||
		(node->kind == CRM_DUE_CALENDAR && list_length(node->operands) == 1 && node->operands_by_value[0]))
	{
		node->answers = palloc(sizeof(crm_due_answer) * ANSWERS);
		for (int i = 0; i < ANSWERS; i++)
			node->answers[i] = (crm_due_answer) {0, DT_NOBEGIN};
	}
	foreach(cell, node->children)
	{
		crm_due_node *child = lfirst(cell);

		crm_due_prepare(run, child);
		/* the logic asks its children for their values */
		if (node->kind != CRM_DUE_ALL)
			child->value_state = prepare_now(run, child->value);
	}
}

/* ---- values ------------------------------------------------------------------------- */

static Datum
value_at(crm_due_run *run, ExprState *state, TimestampTz at, bool *isnull)
{
	ParamExternData *as_of = &run->params->params[CRM_RULE_AS_OF_PARAM - 1];
	Datum		value;

	as_of->value = TimestampTzGetDatum(at);
	value = ExecEvalExprSwitchContext(state, run->econtext, isnull);
	as_of->value = TimestampTzGetDatum(run->as_of);
	return value;
}

static void
set_param(crm_due_run *run, int number, Datum value, bool isnull)
{
	ParamExternData *param = &run->params->params[number - 1];

	param->value = value;
	param->isnull = isnull;
}

static TimestampTz
behind(TimestampTz at)
{
	return at >= END_TIMESTAMP - 1 ? DT_NOEND : at + 1;
}

static TimestampTz
horizon(const crm_due_run *run)
{
	return run->as_of >= END_TIMESTAMP - CRM_DUE_HORIZON ? DT_NOEND : run->as_of + CRM_DUE_HORIZON;
}

static const crm_due_changes *
changes_of(crm_due_run *run)
{
	if (!run->changes_known)
	{
		MemoryContext old = MemoryContextSwitchTo(run->estate->es_query_cxt);

		crm_due_changes_find(&run->changes, run->as_of);
		run->changes_known = true;
		MemoryContextSwitchTo(old);
	}
	return &run->changes;
}

/* ---- passing a time ------------------------------------------------------------------ */

/* How far apart the moments may lie at which it comes to one time. */
static int64
wobble(crm_due_run *run, const crm_due_mover *mover)
{
	if (mover->by.month != 0)
		return CRM_DUE_MONTHS + CRM_DUE_CLOCKS;
	if (mover->by.day == 0)
		return 0;
	/* without changes of clocks, as far as they are known, days have 24 hours */
	return changes_of(run)->count > 0 || mover->moved < changes_of(run)->first || mover->moved > changes_of(run)->last ? CRM_DUE_CLOCKS : 0;
}

/*
 * Around this time, and where it is moved to, is every moment moved by the same
 * length of time?  There no clock changes, and no month ends.
 */
static bool
is_even(crm_due_run *run, const crm_due_mover *mover, TimestampTz at, TimestampTz moved)
{
	if (wobble(run, mover) == 0)
		return true;
	if (!crm_due_calm(changes_of(run), at) || !crm_due_calm(changes_of(run), moved))
		return false;
	if (mover->by.month != 0)
	{
		int			here = crm_due_day(at);
		int			there = crm_due_day(moved);

		return mover->by.day == 0 && here >= 3 && here <= 25 && there >= 3 && there <= 25;
	}
	return true;
}

static const crm_due_mover *
mover_of(crm_due_run *run, crm_due_node *node)
{
	crm_due_mover *mover = &node->mover;
	bool		isnull;

	if (node->mover_known)
		return mover;
	memset(mover, 0, sizeof(crm_due_mover));
	if (node->interval != NULL)
	{
		Interval   *interval = DatumGetIntervalP(value_at(run, node->interval_state, run->as_of, &mover->null));

		if (!mover->null)
			mover->by = *interval;
		if (node->minus)
		{
			mover->by.month = -mover->by.month;
			mover->by.day = -mover->by.day;
			mover->by.time = -mover->by.time;
		}
	}
	if (!mover->null)
	{
		mover->moved = DatumGetTimestampTz(value_at(run, node->state, run->as_of, &isnull));
		mover->null = isnull || TIMESTAMP_NOT_FINITE(mover->moved);
	}
	if (!mover->null)
	{
		mover->even = is_even(run, mover, run->as_of, mover->moved);
	}
	node->mover_known = node->same_for_all;
	return mover;
}

/* The time from which one comes to the target, near enough; false beyond the end of time. */
static bool
move_back(const crm_due_mover *mover, TimestampTz target, TimestampTz *at)
{
	const int64 most = END_TIMESTAMP / 4;

	/* a clumsy interval, or a time that calendars do not reach with it: not worth exactness */
	if (target > most || target < MIN_TIMESTAMP / 2 ||
		fabs((double) mover->by.month * DAYS_PER_MONTH * USECS_PER_DAY) + fabs((double) mover->by.day * USECS_PER_DAY) +
		fabs((double) mover->by.time) > (double) most)
		return false;
	*at = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval, TimestampTzGetDatum(target),
												  IntervalPGetDatum(&mover->by)));
	return true;
}

static int
order(TimestampTz a, TimestampTz b)
{
	return a < b ? -1 : a > b;
}

/* From quarter to quarter of an hour, until as_of moved stands otherwise to the target. */
static TimestampTz
walk(crm_due_run *run, crm_due_node *node, TimestampTz target, int before, TimestampTz end)
{
	TimestampTz last = run->as_of;

	if (node->mover.by.time % CRM_DUE_QUARTER != 0)
		return behind(run->as_of);
	for (TimestampTz at = crm_due_round_up(last, CRM_DUE_QUARTER); last < end; at += CRM_DUE_QUARTER)
	{
		bool		isnull;

		if (order(DatumGetTimestampTz(value_at(run, node->state, at, &isnull)), target) != before)
			return behind(last);
		last = at;
	}
	return DT_NOEND;
}

/* When as_of, moved, comes to a time or leaves it. */
static TimestampTz
pass(crm_due_run *run, crm_due_node *node, TimestampTz target)
{
	const crm_due_mover *mover = &node->mover;
	TimestampTz at;
	int64		around;
	int			before;

	if (TIMESTAMP_NOT_FINITE(target))
		return DT_NOEND;
	around = wobble(run, mover);
	before = order(mover->moved, target);
	if (before == 0)
		return behind(run->as_of);
	if (around == 0 && before > 0)
		return DT_NOEND;
	if (around == 0 && (mover->by.day == 0 || target < changes_of(run)->last))
		return run->as_of + (target - mover->moved);
	if (around == 0)
		return run->as_of + (target - mover->moved) - CRM_DUE_CLOCKS;
	if (before > 0 && mover->moved - target > 2 * around)
		return DT_NOEND;
	if (!move_back(mover, target, &at))
		return before > 0 ? DT_NOEND : behind(run->as_of);
	if (is_even(run, mover, at, target))
		return at > run->as_of ? at : at < run->as_of ? DT_NOEND : behind(run->as_of);
	if (run->as_of < at - around)
		return at - around;
	if (run->as_of > at + around)
		return DT_NOEND;
	return walk(run, node, target, before, at + around);
}

/* A date or local time as the instant for which comparisons with instants take it. */
static TimestampTz
instant_of(Datum value, Oid type)
{
	int			overflow;

	switch (type)
	{
		case DATEOID:
			return date2timestamptz_opt_overflow(DatumGetDateADT(value), &overflow);
		case TIMESTAMPOID:
			return timestamp2timestamptz_opt_overflow(DatumGetTimestamp(value), &overflow);
	}
	return DatumGetTimestampTz(value);
}

/* The place where the answer for a value is kept, or another one's. */
static crm_due_answer *
answer_of(crm_due_node *node, int64 value)
{
	uint64		mixed = (uint64) value * UINT64CONST(0x9e3779b97f4a7c15);

	return &node->answers[mixed >> 54];
}

static TimestampTz
next_pass(crm_due_run *run, crm_due_node *node)
{
	bool		isnull;
	Datum		value;
	int64		target;
	crm_due_answer *answer = NULL;
	TimestampTz next;

	if (mover_of(run, node)->null)
		return DT_NOEND;
	value = value_at(run, node->target_state, run->as_of, &isnull);
	if (isnull)
		return DT_NOEND;
	target = node->target_type == DATEOID ? DatumGetDateADT(value) : DatumGetInt64(value);
	if (node->answers != NULL)
	{
		answer = answer_of(node, target);
		if (answer->next != DT_NOBEGIN && answer->value == target)
			return answer->next;
	}
	next = pass(run, node, instant_of(value, node->target_type));
	if (answer != NULL)
		*answer = (crm_due_answer) {target, next};
	return next;
}

/* When as_of, moved, passes the next event: or one that it may come back to. */
static TimestampTz
next_window(crm_due_run *run, crm_due_node *node)
{
	const crm_due_mover *mover = mover_of(run, node);
	bool		isnull;
	TimestampTz event;
	int64		around;

	if (mover->null)
		return DT_NOEND;
	around = mover->even ? 0 : wobble(run, mover);
	set_param(run, node->first_operand, TimestampTzGetDatum(mover->moved - around), false);
	event = DatumGetTimestampTz(value_at(run, node->target_state, run->as_of, &isnull));
	if (isnull)
		return DT_NOEND;
	/* where days and months are uneven, events close by are looked at all the time */
	if (around > 0 && event <= mover->moved + around)
		return behind(run->as_of);
	return pass(run, node, event);
}

/* ---- calendars ------------------------------------------------------------------------- */

static crm_due_points *
points_of(crm_due_run *run, crm_due_node *node)
{
	MemoryContext old;
	ListCell   *cell;
	crm_due_points *points;

	foreach(cell, run->points)
	{
		points = lfirst(cell);
		if (points->unit == node->unit && points->zone == node->zone)
			return points;
	}
	old = MemoryContextSwitchTo(run->estate->es_query_cxt);
	points = crm_due_points_new(node->unit, node->zone);
	run->points = lappend(run->points, points);
	MemoryContextSwitchTo(old);
	return points;
}

/* Evaluates the operands into their parameters, and into a key; false when that is too short for them. */
static bool
take_operands(crm_due_run *run, crm_due_node *node, char *key)
{
	int			count = list_length(node->operands);
	Size		used = 0;
	bool		fits = true;

	memset(key, 0, MEMO_BYTES);
	for (int i = 0; i < count; i++)
	{
		bool		isnull;
		Datum		value = value_at(run, node->operand_states[i], run->as_of, &isnull);
		int16		length = node->operand_lengths[i];
		bool		by_value = node->operands_by_value[i];
		Size		size;

		if (!isnull && length == -1)
			value = PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
		set_param(run, node->first_operand + i, value, isnull);
		size = isnull ? 0 : datumGetSize(value, by_value, length);
		if (!fits || used + 2 + size > MEMO_BYTES || size > 250)
		{
			fits = false;
			continue;
		}
		key[used++] = (char) (isnull ? 255 : size);
		if (by_value && !isnull)
			memcpy(key + used, &value, size);
		else if (!isnull)
			memcpy(key + used, DatumGetPointer(value), size);
		used += size;
	}
	return fits;
}

/* The first point at which the value is another. */
static TimestampTz
look_ahead(crm_due_run *run, crm_due_node *node, crm_due_points *points, int most)
{
	bool		isnull;
	Datum		value = value_at(run, node->state, run->as_of, &isnull);

	for (int i = 0; i < most; i++)
	{
		TimestampTz at = crm_due_point(points, run->as_of, i);
		bool		now_null;
		Datum		now = value_at(run, node->state, at, &now_null);

		if (now_null != isnull || (!isnull && !datum_image_eq(now, value, node->by_value, node->length)))
			return at;
		if (i % 64 == 63)
			CHECK_FOR_INTERRUPTS();
	}
	return crm_due_point(points, run->as_of, most - 1);
}

static TimestampTz
next_calendar(crm_due_run *run, crm_due_node *node)
{
	crm_due_points *points = points_of(run, node);
	char		key[MEMO_BYTES];
	memo_entry *entry;
	crm_due_answer *answer = NULL;
	TimestampTz next;
	bool		fits;

	if (!node->ahead)
		return crm_due_point(points, run->as_of, 0);
	fits = take_operands(run, node, key);
	if (node->answers != NULL && !run->params->params[node->first_operand - 1].isnull)
	{
		answer = answer_of(node, (int64) run->params->params[node->first_operand - 1].value);
		if (answer->next != DT_NOBEGIN && answer->value == (int64) run->params->params[node->first_operand - 1].value)
			return answer->next;
	}
	node->asked++;
	if (fits && (entry = hash_search(node->memo, key, HASH_FIND, NULL)) != NULL)
	{
		node->found++;
		if (answer != NULL)
			*answer = (crm_due_answer) {(int64) run->params->params[node->first_operand - 1].value, entry->next};
		return entry->next;
	}
	next = look_ahead(run, node, points,
					  node->asked > 10000 && node->found < node->asked / 2 ? Min(points->most, SHORT_SIGHT) : points->most);
	if (fits && hash_get_num_entries(node->memo) < MEMO_MOST)
	{
		entry = hash_search(node->memo, key, HASH_ENTER, NULL);
		entry->next = next;
	}
	if (answer != NULL)
		*answer = (crm_due_answer) {(int64) run->params->params[node->first_operand - 1].value, next};
	return next;
}

/* ---- crossings ---------------------------------------------------------------------------- */

typedef struct crossing
{
	crm_due_run *run;
	crm_due_node *node;
	Datum		value;
	bool		isnull;
} crossing;

static bool
same_at(const crossing *c, TimestampTz at)
{
	bool		isnull;
	Datum		value = value_at(c->run, c->node->state, at, &isnull);

	return isnull == c->isnull && (isnull || datum_image_eq(value, c->value, c->node->by_value, c->node->length));
}

/* The value goes one way, apart from the wobble: by halving, the last time at which it is still the same. */
static TimestampTz
last_same(const crossing *c, TimestampTz low, TimestampTz high)
{
	while (high - low > PRECISION)
	{
		TimestampTz middle = low + (high - low) / 2;

		if (same_at(c, middle))
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Close to a crossing: quarter by quarter where the value goes one way within each, else all the time. */
static TimestampTz
walk_values(const crossing *c)
{
	TimestampTz now = c->run->as_of;
	TimestampTz last = now;
	TimestampTz at = crm_due_round_up(now, CRM_DUE_QUARTER);

	if (!c->node->quarters)
		return behind(now);
	for (; last < now + 2 * c->node->wobble && same_at(c, at); at += CRM_DUE_QUARTER)
		last = at;
	return behind(last);
}

static TimestampTz
next_cross(crm_due_run *run, crm_due_node *node)
{
	TimestampTz now = run->as_of;
	TimestampTz end = horizon(run);
	TimestampTz last;
	crossing	c = {run, node};

	c.value = value_at(run, node->state, now, &c.isnull);
	/* what is missing does not come by the clock */
	if (c.isnull)
		return DT_NOEND;
	if (end == DT_NOEND)
		return behind(now);
	if (node->wobble > 0 && !same_at(&c, now - node->wobble))
		return walk_values(&c);
	/* a condition that has come to its end */
	if (node->direction != 0 && DatumGetBool(c.value) == (node->direction > 0))
		return DT_NOEND;
	last = same_at(&c, end) ? end : last_same(&c, now, end);
	if (last - node->wobble > now)
		return last - node->wobble;
	return node->wobble > 0 ? walk_values(&c) : behind(last);
}

/* ---- the tree ------------------------------------------------------------------------------ */

/* True, false or NULL as 1, 0 and -1. */
static int
truth(crm_due_run *run, crm_due_node *node)
{
	bool		isnull;
	Datum		value = value_at(run, node->value_state, run->as_of, &isnull);

	return isnull ? -1 : DatumGetBool(value);
}

/*
 * AND stays false as long as one of its false children does, OR true as long as
 * one of its true ones: the last of those that decide.  Where none does, the
 * first of all.
 */
static TimestampTz
next_logic(crm_due_run *run, crm_due_node *node)
{
	bool		all = node->kind == CRM_DUE_AND;
	bool		decided = false;
	TimestampTz latest = DT_NOBEGIN;
	TimestampTz first = DT_NOEND;
	ListCell   *cell;

	foreach(cell, node->children)
	{
		int			value = truth(run, lfirst(cell));

		if (all ? value == 0 || (value < 0 && node->positive) : value == 1)
		{
			TimestampTz next = crm_due_next(run, lfirst(cell));

			decided = true;
			latest = Max(latest, next);
			if (latest == DT_NOEND)
				return DT_NOEND;
		}
	}
	if (decided)
		return latest;
	foreach(cell, node->children)
		first = crm_due_sooner(first, crm_due_next(run, lfirst(cell)));
	return first;
}

static TimestampTz
next_case(crm_due_run *run, crm_due_node *node)
{
	TimestampTz first = DT_NOEND;

	for (int i = 0; i < list_length(node->children); i += 2)
	{
		crm_due_node *condition = list_nth(node->children, i);

		first = crm_due_sooner(first, crm_due_next(run, condition));
		if (i + 1 == list_length(node->children))
			break;				/* it was ELSE */
		if (truth(run, condition) == 1)
			return crm_due_sooner(first, crm_due_next(run, list_nth(node->children, i + 1)));
	}
	return first;
}

static TimestampTz
next_coalesce(crm_due_run *run, crm_due_node *node)
{
	TimestampTz first = DT_NOEND;
	ListCell   *cell;

	foreach(cell, node->children)
	{
		bool		isnull;

		first = crm_due_sooner(first, crm_due_next(run, lfirst(cell)));
		(void) value_at(run, ((crm_due_node *) lfirst(cell))->value_state, run->as_of, &isnull);
		if (!isnull)
			break;
	}
	return first;
}

TimestampTz
crm_due_next(crm_due_run *run, crm_due_node *node)
{
	TimestampTz first = DT_NOEND;
	ListCell   *cell;

	check_stack_depth();
	switch (node->kind)
	{
		case CRM_DUE_ALL:
			foreach(cell, node->children)
				first = crm_due_sooner(first, crm_due_next(run, lfirst(cell)));
			return first;
		case CRM_DUE_AND:
		case CRM_DUE_OR:
			return next_logic(run, node);
		case CRM_DUE_CASE:
			return next_case(run, node);
		case CRM_DUE_COALESCE:
			return next_coalesce(run, node);
		case CRM_DUE_FIXED:
			return DT_NOEND;
		case CRM_DUE_EVENT:
			return run->next_event;
		case CRM_DUE_CALENDAR:
			return next_calendar(run, node);
		case CRM_DUE_PASS:
			return next_pass(run, node);
		case CRM_DUE_WINDOW:
			return next_window(run, node);
		case CRM_DUE_CROSS:
			return next_cross(run, node);
	}
	return behind(run->as_of);
}
