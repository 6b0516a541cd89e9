/*
 * explain_events.c - the customer's events: which of them count for which call
 * of the rule, and timelines made of some of them.
 */
#include "common/crm.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "nodes/nodeFuncs.h"
#include "tag/explain_events.h"
#include "utils/array.h"
#include "utils/datum.h"

#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#define TIMELINE_TYPE "crm.timeline"
/* Events that are written for one explanation at most: about a second's work. */
#define MAX_WRITTEN 20000000.0

/* A value of an expression of the rule, for the customer's row as it is. */
typedef struct value_work
{
	crm_explanation *e;
	Node	   *expr;
	Datum		value;
	bool		isnull;
} value_work;

static void
evaluate(void *arg)
{
	value_work *work = arg;
	ExprState  *state = ExecPrepareExpr((Expr *) work->expr, work->e->estate);
	MemoryContext caller = CurrentMemoryContext;

	work->value = ExecEvalExprSwitchContext(state, work->e->econtext, &work->isnull);
	MemoryContextSwitchTo(caller);
	if (!work->isnull)
	{
		int16		length;
		bool		byval;

		get_typlenbyval(exprType(work->expr), &length, &byval);
		if (length == -1)
			work->value = PointerGetDatum(PG_DETOAST_DATUM_COPY(work->value));
		else if (!byval)
			work->value = datumCopy(work->value, byval, length);
	}
	ResetExprContext(work->e->econtext);
}

/* ---- a call ---------------------------------------------------------------------------------- */

static bool
is_timeline(const Node *node)
{
	return node != NULL && IsA(node, Param) && ((const Param *) node)->paramid == CRM_RULE_TIMELINE_PARAM;
}

/* Functions of which since and until say which events count, and nothing else. */
static bool
takes_range(const char *symbol)
{
	static const char *const symbols[] = {"crm_event_count", "crm_event_sum", "crm_first_event", "crm_last_event", "crm_last_event_of",
	"crm_active_days", "crm_velocity", "crm_value_velocity", "crm_rfm", "crm_timeline_slice"};

	for (int i = 0; i < lengthof(symbols); i++)
		if (strcmp(symbol, symbols[i]) == 0)
			return true;
	return false;
}

/* since or until of a call: false when it cannot be evaluated. */
static bool
read_bound(crm_explanation *e, const FuncExpr *call, const char *name, TimestampTz *bound)
{
	value_work	work = {e, crm_rule_argument(call, name)};

	if (work.expr == NULL)
		return true;
	if (exprType(work.expr) != TIMESTAMPTZOID || !crm_explain_guarded(evaluate, &work))
		return false;
	if (!work.isnull)
		*bound = DatumGetTimestampTz(work.value);
	return true;
}

/* The selectors of a call, from its argument of whatever name says which events it looks at. */
static bool
read_selectors(crm_explanation *e, crm_event_call *call)
{
	static const char *const arrays[] = {"steps", "events", "states"};
	value_work	work = {e, crm_rule_argument(call->expr, "event")};
	Datum	   *elements;
	bool	   *nulls;
	crm_selector_error error;

	call->selectors = palloc(sizeof(crm_text) * CRM_MAX_SELECTORS);
	for (int i = 0; work.expr == NULL && i < lengthof(arrays); i++)
		work.expr = crm_rule_argument(call->expr, arrays[i]);
	if (work.expr != NULL && !crm_explain_guarded(evaluate, &work))
		return false;
	if (work.expr == NULL || work.isnull)
		call->selectors[call->selector_count++] = (crm_text) {"*", 1};
	else if (exprType(work.expr) == TEXTOID)
		call->selectors[call->selector_count++] = (crm_text) {VARDATA_ANY(DatumGetPointer(work.value)), VARSIZE_ANY_EXHDR(DatumGetPointer(work.value))};
	else if (exprType(work.expr) == TEXTARRAYOID)
	{
		int			count;

		deconstruct_array(DatumGetArrayTypeP(work.value), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
		for (int i = 0; i < count && i < CRM_MAX_SELECTORS; i++)
			if (!nulls[i])
				call->selectors[call->selector_count++] = (crm_text) {VARDATA_ANY(DatumGetPointer(elements[i])), VARSIZE_ANY_EXHDR(DatumGetPointer(elements[i]))};
	}
	else
		return false;
	return call->selector_count > 0 &&
		crm_selectors_parse(&e->env, call->selectors, call->selector_count, &call->parsed, &error) == CRM_OK;
}

/* Does any of the function's arguments say which events it looks at? */
static bool
selects_events(const FuncExpr *call)
{
	static const char *const names[] = {"event", "steps", "events", "states", "since"};
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(call->funcid));
	Oid		   *types;
	char	  **argument_names;
	char	   *modes;
	int			count;
	bool		found = false;

	if (!HeapTupleIsValid(tuple))
		return false;
	count = get_func_arg_info(tuple, &types, &argument_names, &modes);
	ReleaseSysCache(tuple);
	for (int i = 0; argument_names != NULL && i < count; i++)
		for (int j = 0; j < lengthof(names); j++)
			found |= argument_names[i] != NULL && strcmp(argument_names[i], names[j]) == 0;
	return found;
}

/* Which of the events up to as_of a call looks at. */
static void
mark_events(crm_explanation *e, crm_event_call *call)
{
	struct varlena *bytes = (struct varlena *) DatumGetPointer(e->timeline);
	crm_timeline timeline;
	crm_timeline_cursor cursor;

	call->counts = palloc0(e->history->now + 1);
	crm_check(crm_timeline_open((const uint8_t *) VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &timeline), TIMELINE_TYPE, false);
	crm_check(crm_selectors_bind(call->parsed, &timeline), TIMELINE_TYPE, false);
	crm_timeline_begin(&timeline, &cursor);
	while (crm_timeline_next(&cursor) && cursor.index < e->history->now)
	{
		if (cursor.index % 4096 == 4095)
			CHECK_FOR_INTERRUPTS();
		if (cursor.at >= call->since && cursor.at < call->until &&
			crm_selectors_met(call->parsed, crm_selectors_current(call->parsed), &cursor) != 0)
		{
			call->counts[cursor.index] = true;
			call->count++;
		}
	}
}

/* What a call gives, as text. */
static void
read_value(crm_explanation *e, crm_event_call *call)
{
	value_work	work = {e, (Node *) call->expr};
	Oid			output;
	bool		is_varlena;

	if (exprType(work.expr) == crm_type("timeline"))
		return;					/* its events are shown */
	if (!crm_explain_guarded(evaluate, &work))
	{
		call->failed = true;
		return;
	}
	if (work.isnull)
		return;
	getTypeOutputInfo(exprType(work.expr), &output, &is_varlena);
	call->value = exprType(work.expr) == BOOLOID ? DatumGetBool(work.value) ? "true" : "false" : OidOutputFunctionCall(output, work.value);
}

static void
add_call(crm_explanation *e, FuncExpr *expr)
{
	crm_event_call *call = palloc0(sizeof(crm_event_call));
	char	   *symbol = crm_rule_our_function(expr->funcid);
	ListCell   *cell;

	foreach(cell, e->history->calls)
		if (equal(((crm_event_call *) lfirst(cell))->expr, expr))
			return;
	call->expr = expr;
	call->text = crm_explain_write(e, (Node *) expr);
	call->since = DT_NOBEGIN;
	call->until = DT_NOEND;
	read_value(e, call);
	if (symbol != NULL && !call->failed)
	{
		call->by_range = takes_range(symbol);
		call->selects = selects_events(expr) && read_selectors(e, call) &&
			read_bound(e, expr, "since", &call->since) && read_bound(e, expr, "until", &call->until);
		if (call->selects)
			mark_events(e, call);
	}
	e->history->calls = lappend(e->history->calls, call);
}

static bool
find_calls(Node *node, void *context)
{
	if (node == NULL)
		return false;
	CHECK_FOR_INTERRUPTS();
	if (IsA(node, FuncExpr) && ((FuncExpr *) node)->args != NIL)
	{
		Node	   *first = linitial(((FuncExpr *) node)->args);

		if (is_timeline(IsA(first, NamedArgExpr) ? (Node *) ((NamedArgExpr *) first)->arg : first))
			add_call(context, (FuncExpr *) node);
	}
	return expression_tree_walker(node, find_calls, context);
}

/* ---- the events -------------------------------------------------------------------------------- */

void
crm_explain_events_begin(crm_explanation *e)
{
	struct varlena *bytes = (struct varlena *) DatumGetPointer(e->whole_timeline);
	crm_event_history *history = palloc0(sizeof(crm_event_history));
	crm_timeline timeline;
	crm_timeline_channel *channels;

	e->history = history;
	history->has_values = e->event_values;
	history->budget = MAX_WRITTEN;
	history->cut = SIZE_MAX;
	crm_check(crm_timeline_open((const uint8_t *) VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &timeline), TIMELINE_TYPE, false);
	crm_check(crm_timeline_writer_new(&e->env, &history->writer), TIMELINE_TYPE, false);
	history->events = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(crm_timeline_event) * (timeline.count + 1));
	history->scratch = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(crm_timeline_event) * (timeline.count + CRM_MORE_EVENTS + 1));
	crm_check(crm_timeline_load(history->writer, &timeline, PG_INT64_MIN, PG_INT64_MAX, history->events, &history->count), TIMELINE_TYPE, false);
	while (history->now < history->count && history->events[history->now].at <= e->as_of)
		history->now++;
	channels = palloc(sizeof(crm_timeline_channel) * (timeline.channels + 1));
	if (timeline.channels > 0)
		crm_timeline_channels(&timeline, channels);
	for (uint32 i = 0; i < timeline.channels; i++)
		history->value_attribute |= channels[i].name.size == 5 && memcmp(channels[i].name.data, "value", 5) == 0;
	(void) find_calls(e->rule->expr, e);
}

bool
crm_explain_events_afford(crm_explanation *e, size_t count)
{
	e->history->budget -= count + 20;
	return e->history->budget > 0;
}

Datum
crm_explain_events_write(crm_explanation *e, size_t count)
{
	uint8	   *bytes;
	size_t		size;

	CHECK_FOR_INTERRUPTS();
	e->history->cut = SIZE_MAX;
	crm_check(crm_timeline_write(e->history->writer, e->history->scratch, count, false, VARHDRSZ, &bytes, &size), TIMELINE_TYPE, false);
	crm_check_size(size, TIMELINE_TYPE);
	SET_VARSIZE(bytes, size);
	return PointerGetDatum(bytes);
}

size_t
crm_explain_events_without(crm_explanation *e, const bool *left_out)
{
	size_t		count = 0;

	for (size_t i = 0; i < e->history->now; i++)
		if (left_out == NULL || !left_out[i])
			e->history->scratch[count++] = e->history->events[i];
	return count;
}

static void
append_text(StringInfo out, crm_text text)
{
	char	   *copy = pnstrdup(text.data, text.size);

	escape_json(out, copy);
	pfree(copy);
}

char *
crm_explain_event_text(const crm_explanation *e, size_t number)
{
	const crm_event_history *history = e->history;
	const crm_timeline_event *event = &history->events[number];
	crm_text	name = crm_timeline_writer_name_text(history->writer, event->name);
	StringInfoData out;
	size_t		count;
	const crm_attribute *attributes = crm_timeline_writer_attribute_list(history->writer, event->attributes, &count);

	initStringInfo(&out);
	appendBinaryStringInfo(&out, name.data, (int) name.size);
	if (event->has_value)
		appendStringInfo(&out, ", %s", DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(event->value))));
	for (size_t i = 0; i < count; i++)
	{
		appendStringInfoString(&out, i == 0 ? ", {" : ", ");
		append_text(&out, attributes[i].name);
		appendStringInfoString(&out, ": ");
		switch (attributes[i].value.kind)
		{
			case CRM_ATTRIBUTE_NULL:
				appendStringInfoString(&out, "null");
				break;
			case CRM_ATTRIBUTE_FALSE:
				appendStringInfoString(&out, "false");
				break;
			case CRM_ATTRIBUTE_TRUE:
				appendStringInfoString(&out, "true");
				break;
			case CRM_ATTRIBUTE_NUMBER:
				appendBinaryStringInfo(&out, attributes[i].value.text.data, (int) attributes[i].value.text.size);
				break;
			case CRM_ATTRIBUTE_TEXT:
				append_text(&out, attributes[i].value.text);
				break;
		}
		if (i + 1 == count)
			appendStringInfoChar(&out, '}');
	}
	return out.data;
}
