/*
 * explain.c - crm.explain_tag: why a customer has a tag or has not, and what
 * would change it.
 *
 * The customer's row is looked up with the caller's own rights.  The rule is
 * evaluated as the tag's owner in a security-restricted operation, in the
 * caller's snapshot, for this one row.  What the caller may not read himself is
 * not shown: neither the value of such a column, nor what a condition over it
 * says, nor what would have to change.
 */
#include "common/crm.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/language.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "tag/customer.h"
#include "tag/explain_events.h"
#include "tag/readers.h"
#include "tag/statistic.h"
#include "tag/tag_list.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/* What is known of the tag beside its rule. */
typedef struct stored_tag
{
	int32		tag_id;
	bool		had;			/* the customer is in a stored set of the tag */
	int32		value_no;
	crm_held_number number;		/* of a numeric tag: of the slices that hold him */
	char	   *value;
	bool		refreshed;
	TimestampTz refreshed_at;
	bool		expires;
	TimestampTz until;
	bool		event_values;	/* the population's events have values */
} stored_tag;

/* Events that are shown of each call. */
#define SHOWN_EVENTS 10

typedef struct output
{
	ReturnSetInfo *rsinfo;
} output;

static void
put(const output *out, const char *part, const char *detail, const char *value)
{
	Datum		values[3];
	bool		nulls[3] = {false, detail == NULL, value == NULL};

	values[0] = CStringGetTextDatum(part);
	values[1] = detail != NULL ? CStringGetTextDatum(detail) : (Datum) 0;
	values[2] = value != NULL ? CStringGetTextDatum(value) : (Datum) 0;
	tuplestore_putvalues(out->rsinfo->setResult, out->rsinfo->setDesc, values, nulls);
}

static char *
show_time(TimestampTz time)
{
	return pstrdup(timestamptz_to_str(time));
}

static const char *
column_name(const crm_explanation *e, AttrNumber attribute)
{
	return quote_identifier(NameStr(TupleDescAttr(RelationGetDescr(e->source), attribute - 1)->attname));
}

/* ---- what is stored --------------------------------------------------------------------- */

static void
remember_value(void *arg, int32 tag_id, int32 value_no, int32 scope_no)
{
	stored_tag *stored = arg;

	if (tag_id != stored->tag_id)
		return;
	stored->had = true;
	stored->value_no = value_no;
	crm_held_number_toggle(&stored->number, value_no);
}

static stored_tag
read_stored(const crm_population *population, const crm_tag *tag, Datum key, Oid key_type, int64 *id)
{
	stored_tag	stored = {.tag_id = tag->id};
	crm_catalogue_session session;
	bool		isnull;

	if (crm_key_id(population, key, key_type, id))
		crm_store_sets_of(population, *id, tag->id, remember_value, &stored);
	crm_catalogue_begin(&session);
	if (crm_catalogue_read("SELECT d.refreshed_at, d.refreshed_at + d.valid_for, v.value, p.event_value IS NOT NULL "
						   "FROM @.tag_definition d JOIN @.population_definition p USING (population_id) LEFT JOIN @.tag_value v ON v.tag_id = d.tag_id AND v.value_no = $2 "
						   "WHERE d.tag_id = $1",
						   2, INT4OID, Int32GetDatum(tag->id), false, INT4OID, Int32GetDatum(stored.value_no), false) > 0)
	{
		stored.refreshed_at = crm_catalogue_number(0, 1, &isnull);
		stored.refreshed = !isnull;
		stored.until = crm_catalogue_number(0, 2, &isnull);
		stored.expires = !isnull;
		stored.value = crm_catalogue_text(&session, 0, 3);
		if (tag->type == CRM_VALUE_NUMERIC && stored.had)
		{
			MemoryContext old = MemoryContextSwitchTo(session.caller);

			stored.value = crm_held_number_text(&stored.number, tag->number_scale);
			MemoryContextSwitchTo(old);
		}
		stored.event_values = crm_catalogue_number(0, 4, NULL) != 0;
	}
	crm_catalogue_end(&session);
	return stored;
}

/* ---- the row ---------------------------------------------------------------------------- */

static bool
may_read(const crm_explanation *e, AttrNumber attribute)
{
	Oid			relid = RelationGetRelid(e->source);

	return pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
		pg_attribute_aclcheck(relid, attribute, GetUserId(), ACL_SELECT) == ACLCHECK_OK;
}

/* All columns of a rule that names the whole row. */
static void
spread_whole_row(crm_explanation *e)
{
	TupleDesc	desc = RelationGetDescr(e->source);

	if (!bms_is_member(0, e->columns))
		return;
	for (AttrNumber attribute = 1; attribute <= desc->natts; attribute++)
		if (!TupleDescAttr(desc, attribute - 1)->attisdropped)
			e->columns = bms_add_member(e->columns, attribute);
	e->columns = bms_del_member(e->columns, 0);
}

/* Selects the columns given of the customer's row, behind expressions for a moment, as whoever is the current user. */
static bool
select_row(const crm_explanation *e, const char *key, const char *first, TimestampTz moment, bool with_timeline, const Bitmapset *columns)
{
	StringInfoData sql;
	SPIExecuteOptions options = {.params = crm_bound_query_params(moment, NULL, e->bound),.read_only = true,.tcount = 1};
	int			attribute = -1;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT %s", first);
	while ((attribute = bms_next_member(columns, attribute)) >= 0)
		appendStringInfo(&sql, ", customer.%s", column_name(e, attribute));
	appendStringInfo(&sql, " FROM %s", crm_population_rows(e->population, "customer", e->as_of));
	/* Where readers take changes into account, the reasons are those of the rows as they are, too. */
	if (with_timeline && e->population->tracked)
	{
		Datum		id = Int64GetDatum(e->id);

		crm_rule_query_choose(options.params, (Datum) 0,
							  PointerGetDatum(construct_array(&id, 1, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)));
		crm_rule_join_fresh_timelines(&sql, e->population, true, psprintf("'" INT64_FORMAT "'::pg_catalog.int8", e->id));
	}
	else if (with_timeline)
		crm_rule_join_timelines(&sql, e->population, psprintf("'" INT64_FORMAT "'::pg_catalog.int8", e->id));
	if (crm_bound_named(e->bound, first))
		crm_bound_join(&sql, e->bound, psprintf("'" INT64_FORMAT "'::pg_catalog.int8", e->id));
	appendStringInfo(&sql, " WHERE customer.%s OPERATOR(pg_catalog.=) %s LIMIT 1",
					 quote_identifier(e->population->key_column), quote_literal_cstr(key));
	if (SPI_execute_extended(sql.data, &options) != SPI_OK_SELECT)
		elog(ERROR, "reading a customer's row failed");
	return SPI_processed > 0;
}

/* The row as the caller sees it; columns that he may not read are noted as hidden. */
static void
read_as_caller(crm_explanation *e, const char *key, char **seen)
{
	Bitmapset  *readable = NULL;
	int			attribute = -1;
	int			column = 2;
	crm_owner_session session;
	int			level;

	crm_lookup_begin(&session, e->population);
	level = crm_rule_enter();
	while ((attribute = bms_next_member(e->columns, attribute)) >= 0)
		if (may_read(e, attribute))
			readable = bms_add_member(readable, attribute);
		else
			e->hidden = bms_add_member(e->hidden, attribute);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (select_row(e, key, "true", e->as_of, false, readable))
	{
		attribute = -1;
		while ((attribute = bms_next_member(readable, attribute)) >= 0)
		{
			char	   *text = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column++);

			if (text != NULL)
			{
				seen[attribute - 1] = SPI_palloc(strlen(text) + 1);
				strcpy(seen[attribute - 1], text);
			}
		}
	}
	if (e->rule->timeline)
		e->timeline_hidden = !crm_rule_may_read_timelines(e->population);
	SPI_finish();
	crm_rule_leave(level);
	crm_lookup_end(&session);
}

/* The timeline with what is dated behind as_of: by the clock alone that will count. */
static Datum
read_whole_timeline(const crm_explanation *e, const char *key, MemoryContext context)
{
	MemoryContext old;
	Datum		timeline;
	bool		isnull;

	if (!select_row(e, key, psprintf("$%d", CRM_RULE_TIMELINE_PARAM), END_TIMESTAMP - 2 * USECS_PER_DAY, true, NULL))
		return e->timeline;
	old = MemoryContextSwitchTo(context);
	timeline = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	timeline = PointerGetDatum(PG_DETOAST_DATUM_COPY(timeline));
	MemoryContextSwitchTo(old);
	return timeline;
}

/* The row as the tag's owner sees it, and what the rule says of it; false when he sees none. */
static bool
read_as_owner(crm_explanation *e, const char *key, char **seen)
{
	TupleDesc	desc = RelationGetDescr(e->source);
	MemoryContext caller = CurrentMemoryContext;
	int			attribute = -1;
	int			column = 1;
	bool		found;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (e->rule->timeline)
		crm_rule_require_timelines(e->population);
	/* cast: columns may have another type by now, which the rule takes for its own as it is read */
	found = select_row(e, key, psprintf("(%s)::%s%s", e->rule->qualified, format_type_be_qualified(e->rule->type), e->rule->timeline ? psprintf(", $%d", CRM_RULE_TIMELINE_PARAM) : ""),
					   e->as_of, e->rule->timeline, e->columns);
	if (found)
	{
		HeapTuple	row = SPI_tuptable->vals[0];
		TupleDesc	row_desc = SPI_tuptable->tupdesc;
		MemoryContext old = MemoryContextSwitchTo(caller);
		Datum		value = SPI_getbinval(row, row_desc, column++, &e->result_is_null);

		if (!e->result_is_null)
			e->result = datumCopy(value, TupleDescAttr(row_desc, 0)->attbyval, TupleDescAttr(row_desc, 0)->attlen);
		if (e->rule->timeline)
		{
			bool		isnull;

			e->timeline = PointerGetDatum(PG_DETOAST_DATUM_COPY(SPI_getbinval(row, row_desc, column++, &isnull)));
		}
		while ((attribute = bms_next_member(e->columns, attribute)) >= 0)
		{
			Form_pg_attribute type = TupleDescAttr(desc, attribute - 1);
			char	   *text = SPI_getvalue(row, row_desc, column);

			value = SPI_getbinval(row, row_desc, column, &e->nulls[attribute - 1]);
			if (!e->nulls[attribute - 1])
			{
				/* Flat, since keys and texts are read from its bytes. */
				e->row[attribute - 1] = type->attlen == -1 ? PointerGetDatum(PG_DETOAST_DATUM_COPY(value)) :
					datumCopy(value, type->attbyval, type->attlen);
				e->shown[attribute - 1] = getBaseType(type->atttypid) != BOOLOID ? text : DatumGetBool(value) ? "true" : "false";
			}
			column++;
			/* A view may show one user other values than another. */
			if (text == NULL ? seen[attribute - 1] != NULL :
				seen[attribute - 1] == NULL || strcmp(text, seen[attribute - 1]) != 0)
				e->hidden = bms_add_member(e->hidden, attribute);
		}
		MemoryContextSwitchTo(old);
	}
	if (found && e->rule->timeline)
		e->whole_timeline = read_whole_timeline(e, key, caller);
	SPI_finish();
	return found;
}

/* ---- what is said ------------------------------------------------------------------------- */

static const char *
outcome_name(const crm_explanation *e, int outcome)
{
	switch (outcome)
	{
		case CRM_REASON_FALSE:
			return "false";
		case CRM_REASON_TRUE:
			return "true";
		case CRM_REASON_NULL:
			return e->rule->type == BOOLOID ? "unknown" : NULL;
		case CRM_REASON_OPEN:
			return NULL;
		default:
			return crm_explain_value(e, outcome);
	}
}

static void
put_result(const output *out, const crm_explanation *e, const stored_tag *stored)
{
	char	   *detail = psprintf(CRM_SAY(e, "as of %s", "截至%s"), show_time(e->as_of));

	if (e->rule->type == BOOLOID)
		put(out, "now", e->result_is_null ? psprintf(CRM_SAY(e, "%s; the rule is unknown, which counts as no", "%s；规则结果未知，视为否"), detail) : detail,
			!e->result_is_null && DatumGetBool(e->result) ? "true" : "false");
	else
	{
		Oid			function;
		bool		is_varlena;

		getTypeOutputInfo(e->rule->type, &function, &is_varlena);
		put(out, "now", detail, e->result_is_null ? NULL : OidOutputFunctionCall(function, e->result));
	}

	if (!stored->refreshed)
		put(out, "stored", CRM_SAY(e, "never refreshed", "尚未刷新"), NULL);
	else
		put(out, "stored", psprintf(CRM_SAY(e, "since the refresh of %s%s", "自%s刷新起%s"), show_time(stored->refreshed_at),
									e->tag->version != e->tag->refreshed_version ? CRM_SAY(e, ", by an earlier rule", "，按早先的规则") : ""),
			e->tag->type == CRM_VALUE_BOOLEAN ? (stored->had ? "true" : "false") : stored->had ? stored->value : NULL);
	if (stored->expires)
		put(out, "valid until", NULL, show_time(stored->until));
}

/* The tags that the rule names, and the lists that it asks. */
static void
put_bound(const output *out, const crm_explanation *e)
{
	ListCell   *cell;

	foreach(cell, e->rule->bases)
		put(out, "rests on", "tag", lfirst(cell));
	if (e->bound != NULL)
		foreach(cell, crm_bound_lists(e->bound))
			put(out, "list", crm_tag_list_origin(e->population, lfirst(cell)), lfirst(cell));
}

static void
put_columns(const output *out, const crm_explanation *e)
{
	int			attribute = -1;

	while ((attribute = bms_next_member(e->columns, attribute)) >= 0)
	{
		if (bms_is_member(attribute, e->hidden))
			put(out, "column not shown", column_name(e, attribute), NULL);
		else
			put(out, "column", column_name(e, attribute), e->shown[attribute - 1]);
	}
}

/* Has an earlier call of the rule shown the same events? */
static bool
shown_before(const crm_explanation *e, const crm_event_call *call)
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

/* What the rule asks of the timeline, the answers, and the events that count for them. */
static void
put_events(const output *out, const crm_explanation *e)
{
	ListCell   *cell;

	if (e->timeline_hidden)
	{
		put(out, "events not shown", "timeline", NULL);
		return;
	}
	foreach(cell, e->history->calls)
	{
		const crm_event_call *call = lfirst(cell);
		size_t		shown = 0;

		put(out, "measure", call->text, call->failed ? "error" : call->value);
		if (!call->selects || shown_before(e, call))
			continue;
		for (size_t i = e->history->now; i-- > 0 && shown < SHOWN_EVENTS;)
			if (call->counts[i])
			{
				put(out, "event", show_time(e->history->events[i].at), crm_explain_event_text(e, i));
				shown++;
			}
		if (call->count > shown)
			put(out, "events before", NULL, psprintf("%zu", call->count - shown));
	}
}

/* What decided would tell of what is not shown. */
static bool
is_partly_hidden(const crm_explanation *e)
{
	return e->hidden != NULL || (e->rule->timeline && e->timeline_hidden);
}

/* Each condition once, however often the rule says it. */
static bool
is_new(List **said, const crm_leaf *leaf)
{
	ListCell   *cell;

	if (leaf->is_text || IsA(leaf->expr, Const))
		return false;
	foreach(cell, *said)
		if (strcmp(lfirst(cell), leaf->text) == 0)
			return false;
	*said = lappend(*said, (void *) leaf->text);
	return true;
}

static const char *
truth_of(const crm_leaf *leaf)
{
	if (leaf->failed)
		return "error";
	return !leaf->asked ? "not needed" : leaf->outcome == CRM_REASON_TRUE ? "true" :
		leaf->outcome == CRM_REASON_FALSE ? "false" : "unknown";
}

static void
put_conditions(const output *out, crm_explanation *e)
{
	bool	   *marks = palloc0(sizeof(bool) * list_length(e->leaves));
	List	   *said = NIL;
	ListCell   *cell;

	foreach(cell, e->leaves)
	{
		const crm_leaf *leaf = lfirst(cell);

		if (!is_new(&said, leaf))
			continue;
		if (leaf->hidden)
			put(out, "condition not shown", leaf->text, NULL);
		else
			put(out, "condition", leaf->text, truth_of(leaf));
	}
	if (is_partly_hidden(e) || e->outcome == CRM_REASON_OPEN)
		return;
	crm_explain_decisive(e, marks);
	said = NIL;
	foreach(cell, e->leaves)
	{
		const crm_leaf *leaf = lfirst(cell);

		if (marks[foreach_current_index(cell)] && is_new(&said, leaf))
			put(out, "decided by", leaf->text, truth_of(leaf));
	}
}

static Node *
without_relabel(Node *expr)
{
	while (expr != NULL && IsA(expr, RelabelType))
		expr = (Node *) ((RelabelType *) expr)->arg;
	return expr;
}

/* A result of a CASE: a text as it is, anything else as it is written. */
static char *
write_result(const crm_explanation *e, Node *expr)
{
	expr = without_relabel(expr);
	if (!IsA(expr, Const) || ((Const *) expr)->consttype != TEXTOID)
		return crm_explain_write(e, expr);
	return ((Const *) expr)->constisnull ? NULL : TextDatumGetCString(((Const *) expr)->constvalue);
}

/* Under which condition a text rule gives which value. */
static void
put_values(const output *out, const crm_explanation *e)
{
	Node	   *expr = without_relabel(e->rule->expr);

	while (expr != NULL && IsA(expr, CaseExpr))
	{
		const CaseExpr *choice = (const CaseExpr *) expr;
		ListCell   *cell;

		foreach(cell, choice->args)
		{
			const CaseWhen *when = lfirst_node(CaseWhen, cell);
			Node	   *condition = crm_compile_when(choice, when);

			if (condition != NULL)
				put(out, "value if", write_result(e, (Node *) when->result), crm_explain_write(e, condition));
		}
		expr = without_relabel((Node *) choice->defresult);
		if (expr != NULL && !IsA(expr, CaseExpr))
			put(out, "value if", write_result(e, expr), CRM_SAY(e, "none of these", "以上皆非"));
	}
}

/* The column whose value is the tag's; 0 for other rules. */
static AttrNumber
column_as_value(const crm_explanation *e)
{
	Node	   *expr = without_relabel(e->rule->expr);

	if (IsA(expr, CoalesceExpr) && list_length(((CoalesceExpr *) expr)->args) == 2 && IsA(lsecond(((CoalesceExpr *) expr)->args), Const))
		expr = without_relabel(linitial(((CoalesceExpr *) expr)->args));
	return IsA(expr, Var) && e->rule->type != BOOLOID ? Max(((Var *) expr)->varattno, 0) : 0;
}

static void
put_span(const output *out, crm_explanation *e)
{
	crm_span	span = crm_explain_span(e);
	const char *clock;
	const char *always;
	const char *unknown;

	if (!span.by_clock)
		return;
	clock = e->history != NULL ? CRM_SAY(e, "by the clock and the events", "由时间与事件决定") :
		CRM_SAY(e, "by the clock, for the columns as they are", "由时间决定，各列保持现值");
	always = e->history != NULL ? CRM_SAY(e, "as long as columns and events are as they are", "只要各列与事件不变") :
		CRM_SAY(e, "as long as the columns are as they are", "只要各列不变");
	unknown = CRM_SAY(e, "cannot be told from this rule", "无法由此规则得知");
	if (!span.since_known)
		put(out, "since", unknown, NULL);
	else
		put(out, "since", span.since != DT_NOBEGIN ? clock : always,
			span.since == DT_NOBEGIN ? NULL : show_time(span.since));
	if (e->history != NULL)
		clock = CRM_SAY(e, "by the clock, if nothing else happens", "由时间决定，若无其他变化");
	if (!span.until_known)
		put(out, "until", unknown, NULL);
	else
		put(out, "until", span.until != DT_NOEND ? clock : always,
			span.until == DT_NOEND ? NULL : show_time(span.until));
}

static void
put_changes(const output *out, crm_explanation *e)
{
	Bitmapset  *unsure = NULL;
	List	   *changes;
	ListCell   *cell;
	bool		events_unsure = false;
	int			attribute = column_as_value(e);

	if (attribute > 0)
	{
		put(out, "value of", column_name(e, attribute), NULL);
		return;
	}
	changes = crm_explain_changes(e, &unsure);
	if (e->history != NULL)
		changes = crm_explain_event_changes(e, changes, &events_unsure);

	foreach(cell, changes)
	{
		const crm_change *change = lfirst(cell);
		const char *result = change->outcome == CRM_REASON_NULL && e->rule->type == BOOLOID ? "false" : outcome_name(e, change->outcome);

		put(out, "change", result, change->attribute == 0 ? change->text :
			psprintf("%s %s", column_name(e, change->attribute), change->text));
	}
	attribute = -1;
	while ((attribute = bms_next_member(unsure, attribute)) >= 0)
		put(out, "change not known", column_name(e, attribute),
			CRM_SAY(e, "that depends on a condition of which only the value is known", "取决于一个只知其值的条件"));
	if (events_unsure)
		put(out, "change not known", "timeline", CRM_SAY(e, "not all that might happen could be tried", "未能试遍所有可能的事件"));
	if (changes == NIL && unsure == NULL && !events_unsure)
		put(out, "no change", e->history == NULL ? CRM_SAY(e, "no other value of a single column gives another result", "任何单列取其他值都不会改变结果") :
			CRM_SAY(e, "none was found among other values of one column, up to 1000 events more of one kind, and events fewer",
					"试过单列的其他值、同类事件至多增加1000个以及减少事件，均未改变结果"), NULL);
}

/* ---- the function ----------------------------------------------------------------------------- */

/* Errors of a rule that is evaluated for one customer. */
static void
rule_of_tag(void *arg)
{
	const crm_tag *tag = arg;

	if (geterrcode() == ERRCODE_INSUFFICIENT_PRIVILEGE)
		errcontext("the rights are those of role \"%s\", who owns the tag", GetUserNameFromId(tag->owner, true));
	errcontext("rule of tag \"%s\", which replace_tag can mend and drop_tag remove", tag->name);
}

/* All that runs as the tag's owner, up to what is said of it. */
static bool
examine(crm_explanation *e, const char *key, char **seen)
{
	ErrorContextCallback callback = {error_context_stack, rule_of_tag, (void *) e->tag};
	crm_owner_session session;
	ListCell   *cell;
	bool		found;

	error_context_stack = &callback;
	crm_owner_begin(&session, e->tag->owner);
	found = read_as_owner(e, key, seen);
	if (found)
	{
		crm_explain_take_apart(e);
		crm_explain_begin(e);
		if (e->rule->timeline)
			crm_explain_events_begin(e);
		foreach(cell, e->leaves)
		{
			crm_leaf   *leaf = lfirst(cell);

			leaf->hidden = bms_overlap(leaf->columns, e->hidden) || (e->hidden != NULL && bms_is_member(0, leaf->columns)) ||
				(leaf->by_events && e->timeline_hidden);
			if (leaf->kind != CRM_LEAF_OTHER)
				(void) crm_explain_leaf(e, leaf);
		}
		e->outcome = crm_explain_outcome(e);
	}
	crm_owner_end(&session);
	error_context_stack = callback.previous;
	return found;
}

static void
explain(const output *out, crm_explanation *e, const stored_tag *stored, const char *key)
{
	TupleDesc	desc = RelationGetDescr(e->source);
	char	  **seen = palloc0(sizeof(char *) * desc->natts);
	ErrorContextCallback callback = {error_context_stack, rule_of_tag, (void *) e->tag};
	crm_owner_session session;

	e->row = palloc0(sizeof(Datum) * desc->natts);
	e->nulls = palloc(sizeof(bool) * desc->natts);
	e->shown = palloc0(sizeof(char *) * desc->natts);
	memset(e->nulls, true, sizeof(bool) * desc->natts);

	error_context_stack = &callback;
	crm_owner_begin(&session, e->tag->owner);
	e->rule = crm_rule_read(e->source, e->tag->qualified);
	e->rule->tag_name = e->tag->name;
	e->bound = crm_rules_bind(e->population, e->source, e->tag->owner, list_make1(e->rule), NIL);
	if (e->bound != NULL)
	{
		crm_statistics_read(list_make1((void *) e->tag), e->bound);
		crm_bound_for_customer(e->bound, e->id);
		crm_bound_expand(e->bound, list_make1(e->rule));
	}
	crm_owner_end(&session);
	error_context_stack = callback.previous;

	e->columns = crm_explain_columns(e->rule->expr);
	spread_whole_row(e);
	read_as_caller(e, key, seen);
	if (!examine(e, key, seen))
		return;

	put(out, "rule", NULL, e->tag->rule);
	crm_owner_begin(&session, e->tag->owner);
	put_result(out, e, stored);
	put_bound(out, e);
	put_columns(out, e);
	if (e->history != NULL)
		put_events(out, e);
	put_conditions(out, e);
	if (e->rule->type != BOOLOID)
		put_values(out, e);
	if (is_partly_hidden(e))
		put(out, "change not shown", CRM_SAY(e, "the rule names columns or events that you may not read", "规则涉及您无权读取的列或事件"), NULL);
	else if (e->outcome != CRM_REASON_OPEN)
	{
		put_span(out, e);
		put_changes(out, e);
	}
	crm_explain_end(e);
	crm_owner_end(&session);
}

/* crm.explain_tag(key, tag, population, language) */
static Datum
explain_tag(FunctionCallInfo fcinfo, Oid key_type)
{
	output		out = {(ReturnSetInfo *) fcinfo->resultinfo};
	crm_explanation e = {.id = -1,.as_of = GetCurrentTransactionStartTimestamp()};
	stored_tag	stored;
	Oid			output_function;
	bool		is_varlena;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	e.population = crm_population_find(crm_text_argument(fcinfo, 2));
	crm_rights_require_tags(e.population);
	e.chinese = !PG_ARGISNULL(3) && crm_language_is_chinese(crm_text_argument(fcinfo, 3));
	e.tag = crm_tag_find(e.population, crm_text_argument(fcinfo, 1));
	if (!crm_key_visible(e.population, PG_GETARG_DATUM(0), key_type))
		return (Datum) 0;
	stored = read_stored(e.population, e.tag, PG_GETARG_DATUM(0), key_type, &e.id);
	e.event_values = stored.event_values;

	(void) crm_population_key_type(e.population);
	e.source = relation_open(e.population->source, AccessShareLock);
	crm_rights_check_tag(e.tag);
	/* what our query calls of our own */
	crm_require_alone("timeline_slice");
	crm_require_alone("whole_timeline");
	crm_require_alone("timelines_now");
	getTypeOutputInfo(key_type, &output_function, &is_varlena);
	explain(&out, &e, &stored, OidOutputFunctionCall(output_function, PG_GETARG_DATUM(0)));
	relation_close(e.source, NoLock);
	return (Datum) 0;
}

CRM_FUNCTION(crm_explain_tag_text);
Datum
crm_explain_tag_text(PG_FUNCTION_ARGS)
{
	return explain_tag(fcinfo, TEXTOID);
}

CRM_FUNCTION(crm_explain_tag_bigint);
Datum
crm_explain_tag_bigint(PG_FUNCTION_ARGS)
{
	return explain_tag(fcinfo, INT8OID);
}

CRM_FUNCTION(crm_explain_tag_uuid);
Datum
crm_explain_tag_uuid(PG_FUNCTION_ARGS)
{
	return explain_tag(fcinfo, UUIDOID);
}
