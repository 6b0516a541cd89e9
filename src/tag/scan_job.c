/*
 * scan_job.c - a scan from its rules to its state: the statement that aggregates
 * all customers, whole or each server's part by itself, and its result.
 */
#include "common/crm.h"

#include "access/relation.h"
#include "commands/extension.h"
#include "common/settings.h"
#include "executor/spi.h"
#include "tag/due.h"
#include "tag/rule_bind.h"
#include "tag/rule_internal.h"
#include "tag/scan_run.h"
#include "tag/scan_sent.h"
#include "utils/rel.h"

/* ---- the statement ------------------------------------------------------------------------- */

/* When the clock may change the rules for each customer, beside what they give now. */
static void
append_due(StringInfo sql, const crm_scan_job *job, Relation source, List *rules)
{
	StringInfoData next;
	int			settings = crm_rule_enter();
	bool		any;

	initStringInfo(&next);
	any = crm_due_append(&next, source, rules, job->population->key_column);
	crm_rule_leave(settings);
	if (!any)
		return;
	appendStringInfo(sql, ", %s.tag_due_agg(", crm_schema());
	crm_scan_append_id(sql, job);
	appendStringInfo(sql, ", %s)", next.data);
}

static void
append_scan(StringInfo sql, const crm_scan_job *job, Relation source, List *rules, const char *arguments)
{
	/* Citus sends no aggregate whose arguments may be of any type */
	bool		as_row = OidIsValid(get_extension_oid("citus", true));
	const char *scope = job->population->scope_column;

	appendStringInfo(sql, "SELECT %s.%s($%d, %d, ", crm_schema(), as_row ? "tag_scan_rows_agg" : "tag_scan_agg",
					 CRM_RULE_PLAN_PARAM, job->sent && job->dictionary ? crm_passing_chunk_bits(job) : job->chunk_bits);
	crm_scan_append_id(sql, job);
	if (scope != NULL)
		appendStringInfo(sql, ", customer.%s::pg_catalog.text", quote_identifier(scope));
	else
		/* no text: an aggregate with a collation that no column gives it is not sent to another server */
		appendStringInfo(sql, ", NULL::pg_catalog.%s", as_row ? "text" : "int4");
	if (as_row && arguments[0] != '\0')
		appendStringInfo(sql, ", %s.tag_scan_values(%s))", crm_schema(), arguments + strlen(", "));
	else if (as_row)
		appendStringInfoString(sql, ", NULL)");
	else
		appendStringInfo(sql, "%s)", arguments);
	if (job->due)
		append_due(sql, job, source, rules);
	crm_scan_append_from(sql, job, crm_rules_read_timeline(rules), !job->sent && crm_bound_named(job->bound, sql->data));
}

/*
 * Each part by itself, so that its server runs the aggregate, and what they send
 * merged.  Of one part the aggregate's own engine merges.
 */
static void
append_parts(StringInfo sql, const crm_scan_job *job, List *parts, Relation source, List *rules, const char *arguments)
{
	crm_population population = *job->population;
	crm_scan_job of_part = *job;
	ListCell   *cell;

	of_part.population = &population;
	if (list_length(parts) > 1)
		appendStringInfo(sql, "SELECT %s.tag_scan_merge_agg(part.state) FROM (", crm_schema());
	foreach(cell, parts)
	{
		population.source = lfirst_oid(cell);
		if (foreach_current_index(cell) > 0)
			appendStringInfoString(sql, " UNION ALL ");
		append_scan(sql, &of_part, source, rules, arguments);
	}
	if (list_length(parts) > 1)
		appendStringInfoString(sql, ") AS part (state)");
}

/* ---- the scan ------------------------------------------------------------------------------ */

typedef struct scan_result
{
	MemoryContext context;
	crm_scan_state *state;
	crm_due_sets *due;
} scan_result;

/* Takes the aggregate's state over from the executor, which would free it. */
static void
take_state(TupleTableSlot *slot, void *arg)
{
	scan_result *result = arg;
	bool		isnull;
	Datum		value = slot_getattr(slot, 1, &isnull);

	if (isnull)
		return;					/* no row at all */
	result->state = crm_scan_state_get(value, result->context);
	MemoryContextSetParent(result->state->context, result->context);
	if (slot->tts_tupleDescriptor->natts > 1)
	{
		value = slot_getattr(slot, 2, &isnull);
		if (!isnull)
			result->due = crm_due_sets_of(value, result->state->context);
	}
}

static void
within_query(void *arg)
{
	const crm_scan_job *job = arg;
	StringInfoData names;
	ListCell   *cell;

	initStringInfo(&names);
	foreach(cell, job->tags)
		appendStringInfo(&names, "%s\"%s\"", names.len == 0 ? "" : ", ", ((const crm_tag *) lfirst(cell))->name);
	errcontext("evaluation of tags %s for customers of population \"%s\" whose rows have changed", names.data, job->population->name);
}

static crm_scan_state *
run_job(const crm_scan_job *given)
{
	crm_scan_job bound_job = *given;
	crm_scan_job *job = &bound_job;
	Relation	source;
	List	   *rules;
	List	   *parts;
	bytea	   *plan;
	char	   *arguments;
	StringInfoData sql;
	scan_result result = {CurrentMemoryContext, NULL};
	crm_owner_session session;
	ErrorData  *error;

	(void) crm_population_key_type(job->population);
	source = relation_open(job->population->source, AccessShareLock);
	if (job->shared == NULL)
		job->shared = crm_scan_share(job);
	rules = job->shared != NULL ? crm_scan_shared_rules(job) : crm_scan_read_rules(job, source);
	parts = job->shared != NULL ? crm_scan_parts(job) : NIL;
	if (parts != NIL && job->dictionary && (job->passed = crm_scan_shared_ids(job)) == NULL)
		parts = NIL;
	job->sent = parts != NIL;
	crm_scan_bind_rules(job, source, rules);
	crm_owner_begin(&session, job->owner);
	if (crm_rules_read_timeline(rules))
	{
		SPI_connect();
		crm_rule_require_timelines(job->population);
		SPI_finish();
	}
	crm_scan_plan_make(source, rules, job->as_of, !crm_batch_rules, &plan, &arguments);
	crm_owner_end(&session);

	initStringInfo(&sql);
	if (job->sent)
		append_parts(&sql, job, parts, source, rules, arguments);
	else
		append_scan(&sql, job, source, rules, arguments);

	if (job->within)
	{
		ErrorContextCallback callback = {error_context_stack, within_query, (void *) job};

		error_context_stack = &callback;
		crm_scan_run_query(job, sql.data, plan, take_state, &result);
		error_context_stack = callback.previous;
		error = NULL;
	}
	else
		error = crm_scan_try_query(job, sql.data, plan, false, take_state, &result);
	if (error != NULL)
	{
		if (!crm_scan_error_of_a_rule(error) || rules == NIL)
			ReThrowError(error);
		crm_scan_raise_with_place(job, source, rules, error);
	}
	relation_close(source, NoLock);
	if (result.state == NULL)
		result.state = crm_scan_state_new(CurrentMemoryContext, plan, job->passed != NULL ? crm_passing_chunk_bits(job) : job->chunk_bits);
	crm_scan_state_flush(result.state);
	if (job->passed != NULL)
		result.state = crm_passing_ids_apply(job->passed, result.state, job->chunk_bits);
	result.state->due = result.due;
	if (job->shared != given->shared)
		crm_scan_share_end(job->shared);
	return result.state;
}

crm_scan_state *
crm_scan_run_whole(const crm_scan_job *job)
{
	int			level = job->own_zone ? 0 : crm_population_enter_zone(job->population);
	crm_scan_state *state = run_job(job);

	crm_population_leave_zone(level);
	return state;
}

static void
take_next_change(TupleTableSlot *slot, void *arg)
{
	bool		isnull;
	Datum		value = slot_getattr(slot, 1, &isnull);

	if (!isnull)
		*(TimestampTz *) arg = Min(*(TimestampTz *) arg, DatumGetTimestampTz(value));
}

TimestampTz
crm_scan_find_next_change(const crm_scan_job *given)
{
	crm_scan_job bound_job = *given;
	crm_scan_job *job = &bound_job;
	TimestampTz next = DT_NOEND;
	int			level = crm_population_enter_zone(job->population);
	int			settings;
	Relation	source;
	List	   *rules;
	StringInfoData sql;
	bool		any;

	job->due = true;
	source = relation_open(job->population->source, AccessShareLock);
	rules = crm_scan_read_rules(job, source);
	crm_scan_bind_rules(job, source, rules);
	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	settings = crm_rule_enter();
	any = crm_due_append(&sql, source, rules, job->population->key_column);
	crm_rule_leave(settings);
	crm_scan_append_from(&sql, job, crm_rules_read_timeline(rules), crm_bound_named(job->bound, sql.data));
	if (any)
		crm_scan_run_query(job, sql.data, NULL, take_next_change, &next);
	relation_close(source, NoLock);
	crm_population_leave_zone(level);
	return next;
}
