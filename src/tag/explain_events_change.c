/*
 * explain_events_change.c - the fewest events more, or fewer, that give another
 * result.
 *
 * What is tried is a timeline: with n more events of one kind at as_of, one of
 * them with a value where values matter, or without k of the events that a
 * call counts.  Counts, sums, first and last times, days and levels only grow
 * or only shrink with n, k or the value, so that the places where a comparison
 * of them turns are found by halving; the rule as a whole is then asked there,
 * and at the first few n and k in any case, as a rule may hold anything.
 */
#include "common/crm.h"

#include <math.h>

#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "kernel/selector_example.h"
#include "tag/explain_events.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

/* So many events more or fewer are tried whatever the rule is. */
#define ALWAYS_TRIED 4
#define MAX_KINDS 32
/* Sums are looked at up to this value of one event. */
#define MAX_VALUE 1e15
/* Below it, nobody would call a value another than zero. */
#define SMALLEST_VALUE 1e-290

/* A kind of events that might happen. */
typedef struct event_kind
{
	const char *text;			/* the selector as written; NULL: whatever event */
	crm_selector_event example;
	crm_timeline_event event;	/* the example, numbered by the writer */
	const crm_event_call *call; /* which looks at it; NULL: none says which it looks at */
} event_kind;

typedef struct search
{
	crm_explanation *e;
	int			class_now;
	/* more: */
	const event_kind *kind;
	size_t		more;
	int			sign;			/* of the value; 0: none is looked for */
	/* fewer: */
	const crm_event_call *call;
	const size_t *order;		/* numbers of events, in the order in which they are left out */
	bool	   *left_out;
	/* found */
	List	   *changes;
	bool		unsure;
} search;

static double
value_of(int64 bits)
{
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static int64
bits_of(double value)
{
	int64		bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

/* ---- timelines that are tried ------------------------------------------------------------ */

/* x is the number of events more or fewer, or the bits of the absolute value of one. */
static Datum
make_timeline(search *s, int64 x)
{
	crm_explanation *e = s->e;
	size_t		more = s->sign != 0 ? s->more : (size_t) x;
	size_t		count;

	if (s->kind == NULL)
	{
		memset(s->left_out, 0, e->history->now);
		for (int64 i = 0; i < x; i++)
			s->left_out[s->order[i]] = true;
		count = crm_explain_events_without(e, s->left_out);
	}
	else
	{
		count = crm_explain_events_without(e, NULL);
		for (size_t i = 0; i < more; i++)
			e->history->scratch[count++] = s->kind->event;
		if (s->sign != 0)
		{
			e->history->scratch[count - 1].has_value = true;
			e->history->scratch[count - 1].value = s->sign * value_of(x);
		}
	}
	if (!crm_explain_events_afford(e, count))
	{
		s->unsure = true;
		return (Datum) 0;
	}
	return crm_explain_events_write(e, count);
}

static int
outcome_at(search *s, int64 x)
{
	Datum		timeline = make_timeline(s, x);
	int			class;

	if (timeline == (Datum) 0)
		return s->class_now;
	class = crm_explain_class(s->e, crm_explain_try_events(s->e, timeline));
	if (class == CRM_REASON_OPEN)
		s->unsure = true;
	return class;
}

/* ---- where comparisons turn --------------------------------------------------------------- */

typedef struct turn_work
{
	search	   *s;
	const crm_leaf *leaf;
	int64		low,
				high;
	int64	   *points;
	int			count;
} turn_work;

static int
truth_at(turn_work *work, ExprState *state, int64 x)
{
	Datum		timeline = make_timeline(work->s, x);

	return timeline == (Datum) 0 ? -1 : crm_explain_with_events(work->s->e, state, timeline);
}

/* The first x above low at which the comparison says something else than at low. */
static void
find_turns(void *arg)
{
	turn_work  *work = arg;
	ExprState  *states[2];
	int			count = crm_explain_order(work->s->e, work->leaf, states);

	for (int i = 0; i < count; i++)
	{
		int64		low = work->low;
		int64		high = work->high;
		int			before = truth_at(work, states[i], low);

		if (truth_at(work, states[i], high) == before)
			continue;
		while (high - low > 1 && !work->s->unsure)
		{
			int64		middle = low + (high - low) / 2;

			if (truth_at(work, states[i], middle) == before)
				low = middle;
			else
				high = middle;
		}
		work->points[work->count++] = high;
	}
}

static int
compare_points(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return x < y ? -1 : x > y;
}

/* All x between, both included, at which some comparison turns, and the first few of always; each once, ascending. */
static int64 *
points_between(search *s, int64 low, int64 high, int always, int *count)
{
	turn_work	work = {.s = s,.low = low,.high = high};
	ListCell   *cell;
	int			kept = 0;

	work.points = palloc(sizeof(int64) * (2 * list_length(s->e->leaves) + always + 1));
	for (int i = 1; i <= always && low + i <= high; i++)
		work.points[work.count++] = low + i;
	foreach(cell, s->e->leaves)
	{
		work.leaf = lfirst(cell);
		if (work.leaf->by_events && high > low && !crm_explain_guarded(find_turns, &work))
			s->unsure = true;
	}
	qsort(work.points, work.count, sizeof(int64), compare_points);
	for (int i = 0; i < work.count; i++)
		if (kept == 0 || work.points[kept - 1] != work.points[i])
			work.points[kept++] = work.points[i];
	*count = kept;
	return work.points;
}

/* ---- what was found -------------------------------------------------------------------------- */

static bool
is_found(const search *s, int class)
{
	ListCell   *cell;

	foreach(cell, s->changes)
		if (((crm_change *) lfirst(cell))->outcome == class)
			return true;
	return false;
}

static void
add_change(search *s, int class, double proportion, char *text)
{
	crm_change *change = palloc0(sizeof(crm_change));

	change->outcome = class;
	change->differing = s->e->differing;
	change->proportion = proportion;
	change->text = text;
	s->changes = lappend(s->changes, change);
}

/* For a rule that is true or not one other result is all there is. */
static bool
is_enough(const search *s)
{
	return s->e->rule->type == BOOLOID && s->changes != NIL;
}

static char *
show_number(double value)
{
	return DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(value)));
}

/* To the digits that sums of float8 can be trusted with. */
static double
rounded(double value)
{
	return value < SMALLEST_VALUE ? 0 : strtod(psprintf("%.12g", value), NULL);
}

/* A bound of the values that give a result; where it gives it itself, it is included. */
static char *
describe_bound(search *s, int class, int64 bits, bool above)
{
	double		bound = rounded(value_of(bits));
	bool		included = outcome_at(s, bits_of(bound)) == class;

	return crm_explain_bound(s->e, above, included, show_number(bound == 0 ? 0 : s->sign * bound));
}

/* From a value at which the result turns to the one at which it turns back, away from zero. */
static char *
describe_values(search *s, int class, int64 from, int64 to)
{
	bool		up = s->sign > 0;
	double		one = s->sign * rounded(value_of(from));
	char	   *text;

	if (to != 0 && rounded(value_of(from)) == rounded(value_of(to)))
		return show_number(one);
	text = describe_bound(s, class, from, up);
	if (to != 0)
		text = psprintf(CRM_SAY(s->e, "%s and %s", "%s且%s"), text, describe_bound(s, class, to, !up));
	return text;
}

static char *
describe_more(const search *s, const event_kind *kind, size_t more, const char *value)
{
	StringInfoData text;

	initStringInfo(&text);
	if (s->e->chinese)
	{
		appendStringInfo(&text, "再有%zu个%s事件", more, kind->text != NULL ? kind->text : "");
		if (value != NULL)
			appendStringInfo(&text, more == 1 ? "，值为%s" : "，其中一个值为%s", value);
		return text.data;
	}
	appendStringInfo(&text, "%zu more %s", more, more == 1 ? "event" : "events");
	if (kind->text != NULL)
		appendStringInfo(&text, " %s", kind->text);
	if (value != NULL)
		appendStringInfo(&text, "%s of %s", more == 1 ? "" : ", one", value);
	return text.data;
}

/* How large a change is against what is there: from 0 to 1. */
static double
share_of(double change, double whole)
{
	return change / (change + whole);
}

/* ---- events more -------------------------------------------------------------------------------- */

static double
absolute_sum(const crm_explanation *e, const crm_event_call *call)
{
	double		sum = 0;

	for (size_t i = 0; call != NULL && i < e->history->now; i++)
		if (call->counts[i] && e->history->events[i].has_value)
			sum += fabs(e->history->events[i].value);
	return sum;
}

/* Orders do not have values below zero where none ever had. */
static bool
may_be_negative(const crm_explanation *e, const crm_event_call *call)
{
	bool		positive = false;

	for (size_t i = 0; call != NULL && i < e->history->now; i++)
		if (call->counts[i] && e->history->events[i].has_value)
		{
			if (e->history->events[i].value < 0)
				return true;
			positive = true;
		}
	return !positive;
}

/* One of the events more has a value: of those that give a result, the nearest to zero. */
static void
search_values(search *s)
{
	int			lowest = may_be_negative(s->e, s->kind->call) ? -1 : 1;

	for (s->sign = 1; s->sign >= lowest; s->sign -= 2)
	{
		int			count;
		int64	   *points = points_between(s, bits_of(0.0), bits_of(MAX_VALUE), 0, &count);

		for (int i = 0; i < count; i++)
		{
			int			class = outcome_at(s, points[i]);
			int			differing = s->e->differing;
			int64		to = 0;
			double		value = value_of(points[i]);
			char	   *text;

			if (class == s->class_now || class == CRM_REASON_OPEN || is_found(s, class))
				continue;
			for (int j = i + 1; j < count && to == 0; j++)
				if (outcome_at(s, points[j]) != class)
					to = points[j];
			text = describe_more(s, s->kind, s->more, describe_values(s, class, points[i], to));
			s->e->differing = differing;
			add_change(s, class, Max(share_of((double) s->more, s->kind->call != NULL ? (double) s->kind->call->count : 0),
									 share_of(value, absolute_sum(s->e, s->kind->call))), text);
		}
	}
	s->sign = 0;
}

static void
search_more(search *s, const event_kind *kind, bool only_one)
{
	bool		with_value = s->e->history->has_values && !kind->example.value_tested && !only_one;
	int64		one = 1;
	int64	   *points = &one;
	int			count = 1;

	s->kind = kind;
	if (!only_one)
		points = points_between(s, 0, CRM_MORE_EVENTS, ALWAYS_TRIED, &count);
	for (int i = 0; i < count && !is_enough(s); i++)
	{
		int			class = outcome_at(s, points[i]);

		if (class != s->class_now && class != CRM_REASON_OPEN && !is_found(s, class))
			add_change(s, class, share_of((double) points[i], kind->call != NULL ? (double) kind->call->count : 0),
					   describe_more(s, kind, points[i], NULL));
		s->more = points[i];
		if (with_value && !is_enough(s))
			search_values(s);
	}
	s->kind = NULL;
}

/* The kinds of events that the rule's calls look at. */
static int
gather_kinds(crm_explanation *e, event_kind *kinds, bool *unsure)
{
	int			count = 0;
	bool		whatever = e->history->calls == NIL;
	const crm_event_call *any = NULL;
	StringInfoData name;
	ListCell   *cell;

	foreach(cell, e->history->calls)
	{
		const crm_event_call *call = lfirst(cell);

		whatever |= !call->selects;
		for (int i = 0; call->selects && i < call->selector_count; i++)
		{
			event_kind *kind = &kinds[count];
			char	   *text = pnstrdup(call->selectors[i].data, call->selectors[i].size);
			bool		known = false;

			if (strcmp(text, "*") == 0)
			{
				whatever = true;
				any = call;
				continue;
			}
			for (int j = 0; j < count; j++)
				known |= strcmp(kinds[j].text, text) == 0;
			if (known)
				continue;
			if (count == MAX_KINDS - 1 ||
				crm_selector_example(call->parsed, i, &e->env, !e->history->value_attribute, &kind->example) != CRM_OK)
			{
				*unsure = true;
				continue;
			}
			kind->text = text;
			kind->call = call;
			count++;
		}
	}
	if (whatever)
	{
		memset(&kinds[count], 0, sizeof(event_kind));
		kinds[count].example.any_name = true;
		kinds[count].text = count > 0 ? CRM_SAY(e, "of another name", "其他名称的") : NULL;
		kinds[count++].call = any;
	}

	/* Whatever event is one of a name that nothing else asks for. */
	initStringInfo(&name);
	appendStringInfoString(&name, "event");
	for (int i = 0; i < count; i++)
		if (!kinds[i].example.any_name && kinds[i].example.name.size == name.len &&
			memcmp(kinds[i].example.name.data, name.data, name.len) == 0)
		{
			appendStringInfoChar(&name, '~');
			i = -1;
		}
	for (int i = 0; i < count; i++)
	{
		event_kind *kind = &kinds[i];

		if (kind->example.any_name)
			kind->example.name = (crm_text) {name.data, name.len};
		kind->event.at = e->as_of;
		kind->event.has_value = kind->example.has_value;
		kind->event.value = kind->example.value;
		crm_check(crm_timeline_writer_name(e->history->writer, kind->example.name, &kind->event.name), "crm.timeline", false);
		crm_check(crm_timeline_writer_attributes(e->history->writer, kind->example.attributes, kind->example.attribute_count,
												 &kind->event.attributes), "crm.timeline", false);
	}
	return count;
}

/* ---- events fewer ---------------------------------------------------------------------------------- */

static int
compare_values(const void *a, const void *b, void *arg)
{
	const crm_timeline_event *events = arg;
	const crm_timeline_event *x = &events[*(const size_t *) a];
	const crm_timeline_event *y = &events[*(const size_t *) b];

	if (x->has_value != y->has_value)
		return x->has_value ? -1 : 1;
	if (x->has_value && x->value != y->value)
		return x->value > y->value ? -1 : 1;
	return *(const size_t *) a < *(const size_t *) b ? 1 : -1;
}

static char *
describe_one(const search *s, size_t number)
{
	return psprintf(CRM_SAY(s->e, "without the event %s of %s", "去掉事件%s（%s）"), crm_explain_event_text(s->e, number),
					timestamptz_to_str(s->e->history->events[number].at));
}

static void
note_fewer(search *s, int class, int64 fewer, const char *which)
{
	char	   *text;

	if (fewer == 1)
		text = describe_one(s, s->order[0]);
	else if (fewer == s->call->count)
		text = psprintf(CRM_SAY(s->e, "without all %zu events of %s", "去掉全部%zu个事件：%s"), s->call->count, s->call->text);
	else
		text = psprintf(CRM_SAY(s->e, "without the %1$lld %2$s events of %3$s", "去掉%2$s的%1$lld个事件：%3$s"),
						(long long) fewer, which, s->call->text);
	add_change(s, class, (double) fewer / (double) s->call->count, text);
}

/* One event fewer, whichever it is; the newest first. */
static void
search_singles(search *s, const size_t *newest)
{
	for (size_t i = 0; i < s->call->count && !is_enough(s) && !s->unsure; i++)
	{
		int			class;

		s->order = &newest[i];
		class = outcome_at(s, 1);
		if (class != s->class_now && class != CRM_REASON_OPEN && !is_found(s, class))
			note_fewer(s, class, 1, NULL);
	}
}

/* More than one: the newest, the oldest, or those of the largest values. */
static void
search_several(search *s, const size_t *order, const char *which)
{
	int			count;
	int64	   *points;

	s->order = order;
	points = points_between(s, 0, (int64) s->call->count, ALWAYS_TRIED, &count);
	for (int i = 0; i < count; i++)
	{
		int			class = points[i] > 1 ? outcome_at(s, points[i]) : s->class_now;
		crm_change *found = NULL;
		ListCell   *cell;

		if (class == s->class_now || class == CRM_REASON_OPEN)
			continue;
		foreach(cell, s->changes)
			if (((crm_change *) lfirst(cell))->outcome == class)
				found = lfirst(cell);
		if (found != NULL && found->proportion <= (double) points[i] / (double) s->call->count)
			continue;
		if (found != NULL)
			s->changes = list_delete_ptr(s->changes, found);
		note_fewer(s, class, points[i], which);
	}
}

static void
search_fewer(search *s, const crm_event_call *call, bool only_one)
{
	size_t		count = 0;
	size_t	   *newest = palloc(sizeof(size_t) * call->count);
	size_t	   *other = palloc(sizeof(size_t) * call->count);

	s->call = call;
	for (size_t i = s->e->history->now; i-- > 0;)
		if (call->counts[i])
			newest[count++] = i;
	if (only_one)
	{
		s->order = newest;
		if (outcome_at(s, 1) != s->class_now && !s->unsure)
			note_fewer(s, outcome_at(s, 1), 1, NULL);
		return;
	}
	search_singles(s, newest);
	if (is_enough(s) || count == 1)
		return;
	search_several(s, newest, CRM_SAY(s->e, "newest", "最新"));
	for (size_t i = 0; i < count; i++)
		other[i] = newest[count - 1 - i];
	search_several(s, other, CRM_SAY(s->e, "oldest", "最早"));
	if (s->e->history->has_values)
	{
		memcpy(other, newest, sizeof(size_t) * count);
		qsort_arg(other, count, sizeof(size_t), compare_values, s->e->history->events);
		search_several(s, other, CRM_SAY(s->e, "largest", "值最大"));
	}
}

/* Has a call before looked at the same events? */
static bool
looked_at_before(const crm_explanation *e, const crm_event_call *call)
{
	ListCell   *cell;

	foreach(cell, e->history->calls)
	{
		const crm_event_call *other = lfirst(cell);

		if (other == call)
			return false;
		if (other->selects && other->count == call->count && memcmp(other->counts, call->counts, e->history->now) == 0)
			return true;
	}
	return false;
}

/* Two calls may count the same event. */
static List *
without_repeats(List *changes)
{
	List	   *kept = NIL;
	ListCell   *cell,
			   *other;

	foreach(cell, changes)
	{
		const crm_change *change = lfirst(cell);
		bool		repeated = false;

		foreach(other, kept)
		{
			const crm_change *before = lfirst(other);

			repeated |= before->attribute == change->attribute && before->outcome == change->outcome && strcmp(before->text, change->text) == 0;
		}
		if (!repeated)
			kept = lappend(kept, lfirst(cell));
	}
	return kept;
}

/* ---- all of them -------------------------------------------------------------------------------------- */

List *
crm_explain_event_changes(crm_explanation *e, List *changes, bool *unsure)
{
	event_kind *kinds = palloc0(sizeof(event_kind) * MAX_KINDS);
	bool		only_one = e->rule->type != BOOLOID && list_length(e->leaves) == 1;
	int			count;
	ListCell   *cell;

	/* What the events say may not matter at all. */
	if (crm_explain_try_events(e, (Datum) 0) != CRM_REASON_OPEN)
		return changes;
	count = gather_kinds(e, kinds, unsure);
	for (int i = 0; i < count; i++)
	{
		search		s = {.e = e,.class_now = crm_explain_class(e, e->outcome)};

		search_more(&s, &kinds[i], only_one);
		changes = list_concat(changes, s.changes);
		*unsure |= s.unsure;
	}
	foreach(cell, e->history->calls)
	{
		const crm_event_call *call = lfirst(cell);
		search		s = {.e = e,.class_now = crm_explain_class(e, e->outcome)};

		if (!call->selects || call->count == 0 || looked_at_before(e, call))
			continue;
		s.left_out = palloc0(e->history->now + 1);
		search_fewer(&s, call, only_one);
		changes = list_concat(changes, s.changes);
		*unsure |= s.unsure;
	}
	crm_explain_sort_changes(changes);
	return without_repeats(changes);
}
