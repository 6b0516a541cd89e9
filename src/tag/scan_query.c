/*
 * scan_query.c - the queries of a refresh: built here, run by the executor, so
 * that views, joins, partitions, foreign tables and row-level security just
 * work.
 *
 * They run as the tags' owner in a security-restricted operation, as a
 * materialized view's query does, inside a subtransaction, so that a failing
 * rule can be looked for afterwards.
 */
#include "common/crm.h"

#include "access/relation.h"
#include "access/sysattr.h"
#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "common/settings.h"
#include "executor/spi.h"
#include "nodes/nodeFuncs.h"
#include "nodes/params.h"
#include "optimizer/optimizer.h"
#include "tag/due.h"
#include "tag/rule_bind.h"
#include "tag/rule_internal.h"
#include "tag/scan_query.h"
#include "tag/scan_run.h"
#include "tag/statistic.h"
#include "tag/tag_base.h"
#include "miscadmin.h"
#include "tcop/dest.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* ---- as the owner ----------------------------------------------------------------- */

void
crm_owner_begin(crm_owner_session *session, Oid owner)
{
	GetUserIdAndSecContext(&session->saved_user, &session->saved_context);
	SetUserIdAndSecContext(owner, session->saved_context | SECURITY_RESTRICTED_OPERATION);
	session->settings = crm_rule_enter();
}

void
crm_owner_end(crm_owner_session *session)
{
	crm_rule_leave(session->settings);
	SetUserIdAndSecContext(session->saved_user, session->saved_context);
}

void
crm_lookup_begin(crm_owner_session *session, const crm_population *population)
{
	session->settings = 0;
	if (!superuser() || superuser_arg(population->owner) || GetUserNameFromId(population->owner, true) == NULL)
		return;
	crm_rights_check_owner(population->owner);
	crm_owner_begin(session, population->owner);
}

void
crm_lookup_end(crm_owner_session *session)
{
	if (session->settings != 0)
		crm_owner_end(session);
}

/* ---- rows into a callback ------------------------------------------------------------ */

typedef struct row_receiver
{
	DestReceiver pub;
	void		(*take) (TupleTableSlot *slot, void *arg);
	void	   *arg;
} row_receiver;

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	row_receiver *receiver = (row_receiver *) self;

	receiver->take(slot, receiver->arg);
	return true;
}

static void
receiver_startup(DestReceiver *self, int operation, TupleDesc typeinfo)
{
}

static void
receiver_nothing(DestReceiver *self)
{
}

/* Rights that are missing are those of the tags' owner, not of the caller. */
static void
rights_of_owner(void *arg)
{
	if (geterrcode() == ERRCODE_INSUFFICIENT_PRIVILEGE)
		errcontext("the rights are those of role \"%s\", who owns the tags", (const char *) arg);
}

void
crm_scan_run_query(const crm_scan_job *job, const char *query, const bytea *plan,
				   void (*take) (TupleTableSlot *slot, void *arg), void *arg)
{
	crm_owner_session session;
	row_receiver receiver = {{receive_row, receiver_startup, receiver_nothing, receiver_nothing, DestNone}, take, arg};
	SPIExecuteOptions options = {0};
	ParamListInfo params;
	ErrorContextCallback callback = {error_context_stack, rights_of_owner, GetUserNameFromId(job->owner, false)};

	/* what our queries call of our own */
	crm_require_alone("tag_scan_agg");
	crm_require_alone("tag_scan_merge_agg");
	crm_require_alone("tag_scan_rows_agg");
	crm_require_alone("tag_scan_values");
	crm_require_alone("tag_trace");
	crm_require_alone("rule_number");
	crm_require_alone("population_keys");
	crm_require_alone("timeline_slice");
	crm_require_alone("whole_timeline");
	crm_require_alone("timelines_now");
	if (job->due)
	{
		crm_require_alone("tag_due_agg");
		crm_require_alone("tag_due_at");
		crm_require_alone("first_event");
	}
	error_context_stack = &callback;
	params = crm_bound_query_params(job->as_of, plan, job->bound);
	if (job->chosen)
		crm_scan_choose(job, params);
	crm_owner_begin(&session, job->owner);
	if (job->chosen)
		(void) set_config_option("jit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	else if (job->dictionary)
	{
		/* the planner cannot know that keys are unique on both sides: it would sort them, and compile for rows that never come */
		(void) set_config_option("enable_mergejoin", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
		(void) set_config_option("jit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
		/* what rules were bound to is joined row by row */
		if (job->bound == NULL)
			(void) set_config_option("enable_nestloop", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	}
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	options.params = params;
	options.read_only = true;	/* the active snapshot, the same for all queries of the refresh */
	options.dest = &receiver.pub;
	if (SPI_execute_extended(query, &options) < 0)
		elog(ERROR, "a query of the refresh failed");
	SPI_finish();
	crm_owner_end(&session);
	error_context_stack = callback.previous;
}

/*
 * The same in a subtransaction: NULL when it went well, else its error, with
 * everything undone.  The reader's errors and those of rules come this way.
 */
static ErrorData *
try_query(const crm_scan_job *job, const char *query, const bytea *plan, bool serial,
		  void (*take) (TupleTableSlot *slot, void *arg), void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		int			level = NewGUCNestLevel();

		if (serial)
			(void) set_config_option("max_parallel_workers_per_gather", "0", PGC_USERSET, PGC_S_SESSION,
									 GUC_ACTION_SAVE, true, 0, false);
		crm_scan_run_query(job, query, plan, take, arg);
		AtEOXact_GUC(false, level);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return error;
}

char *
crm_scan_rows(const crm_scan_job *job)
{
	return crm_population_rows(job->population, "customer",
							   job->columns_today ? GetCurrentTransactionStartTimestamp() : job->as_of);
}

static void
append_id(StringInfo sql, const crm_scan_job *job)
{
	const char *key = quote_identifier(job->population->key_column);

	if (job->population->key_form != CRM_KEY_INTEGER || (job->chosen && job->dictionary))
		appendStringInfoString(sql, "dictionary.id");
	else if (job->dictionary)
		appendStringInfo(sql, "CASE WHEN customer.%s OPERATOR(pg_catalog.<) 0 THEN dictionary.id ELSE customer.%s::pg_catalog.int8 END", key, key);
	else
		appendStringInfo(sql, "customer.%s::pg_catalog.int8", key);
}

/* The joins with the customers' timelines, and with what rules are bound to. */
static char *
further_joins(const crm_scan_job *job, bool with_timelines, bool with_bound)
{
	StringInfoData sql;
	StringInfoData id;

	initStringInfo(&sql);
	initStringInfo(&id);
	append_id(&id, job);
	if (with_timelines && job->fresh)
		crm_rule_join_fresh_timelines(&sql, job->population, job->chosen, id.data);
	else if (with_timelines)
		crm_rule_join_timelines(&sql, job->population, id.data);
	if (with_bound)
		crm_bound_join(&sql, job->bound, id.data);
	return sql.data;
}

void
crm_scan_append_from(StringInfo sql, const crm_scan_job *job, bool with_timelines, bool with_bound)
{
	const crm_population *population = job->population;
	const char *key = quote_identifier(population->key_column);

	if (job->chosen)
	{
		crm_scan_append_chosen(sql, job, further_joins(job, with_timelines, with_bound));
		return;
	}
	appendStringInfo(sql, " FROM %s", crm_scan_rows(job));
	if (job->dictionary)
		appendStringInfo(sql, " LEFT JOIN %s.population_keys(%s) AS dictionary ON dictionary.key OPERATOR(pg_catalog.=) customer.%s::pg_catalog.text%s%s%s",
						 crm_schema(), quote_literal_cstr(population->name), key,
						 population->key_form == CRM_KEY_INTEGER ? " AND customer." : "",
						 population->key_form == CRM_KEY_INTEGER ? key : "",
						 population->key_form == CRM_KEY_INTEGER ? " OPERATOR(pg_catalog.<) 0" : "");
	if (with_timelines || with_bound)
		appendStringInfoString(sql, further_joins(job, with_timelines, with_bound));
}

static bool
any_timeline(List *rules)
{
	ListCell   *cell;

	foreach(cell, rules)
		if (((crm_rule *) lfirst(cell))->timeline)
			return true;
	return false;
}

/* ---- finding the rule and the customer that failed ------------------------------------- */

static int	trace_rule = -1;
static char trace_key[200];

/* Notes which rule is evaluated for whom; always true. */
CRM_FUNCTION(crm_tag_trace);
Datum
crm_tag_trace(PG_FUNCTION_ARGS)
{
	trace_rule = PG_GETARG_INT32(0);
	if (PG_ARGISNULL(1))
		snprintf(trace_key, sizeof(trace_key), "NULL");
	else
		text_to_cstring_buffer(PG_GETARG_TEXT_PP(1), trace_key, sizeof(trace_key));
	PG_RETURN_BOOL(true);
}

static void
ignore_row(TupleTableSlot *slot, void *arg)
{
	slot_getallattrs(slot);
	CHECK_FOR_INTERRUPTS();
}

/*
 * Runs the rules once more, one process, each behind a note of its tag and the
 * customer, until the same kind of error comes again; then raises it with both.
 */
static void
raise_with_place(const crm_scan_job *job, Relation source, List *rules, ErrorData *error)
{
	StringInfoData sql;
	crm_owner_session session;
	ErrorData  *again;
	crm_rule   *rule;
	ListCell   *cell;
	int			n = 0;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ARRAY[");
	crm_owner_begin(&session, job->owner);
	foreach(cell, rules)
	{
		const crm_rule *one = lfirst(cell);
		char	   *checked = one->type != NUMERICOID ? "" : psprintf("%s.rule_number", crm_schema());

		appendStringInfo(&sql, "%sCASE WHEN %s.tag_trace(%d, customer.%s::pg_catalog.text) THEN %s(%s) IS NULL END",
						 n == 0 ? "" : ", ", crm_schema(), n, quote_identifier(job->population->key_column),
						 checked, job->bound == NULL ? one->qualified : crm_rule_write(source, one->expr));
		n++;
	}
	crm_owner_end(&session);
	appendStringInfoString(&sql, "]::pg_catalog.bool[]");
	crm_scan_append_from(&sql, job, any_timeline(rules), crm_bound_named(job->bound, sql.data));

	trace_rule = -1;
	again = try_query(job, sql.data, NULL, true, ignore_row, NULL);
	if (again == NULL || trace_rule < 0 || trace_rule >= list_length(rules))
		ReThrowError(error);
	if (!crm_scan_error_of_a_rule(again))
		ReThrowError(again);
	rule = list_nth(rules, trace_rule);
	if (job->failed != NULL)
		*job->failed = rule->tag_name;
	ereport(ERROR,
			(errcode(again->sqlerrcode),
			 errmsg("tag \"%s\" fails for customer \"%s\": %s", rule->tag_name, trace_key, again->message),
			 errdetail("Nothing of the refresh is kept. The rule is: %s", rule->text),
			 errhint("Make the rule hold for every customer, for instance with NULLIF or CASE, and %s.replace_tag it.",
					 crm_schema())));
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

/* What the rule names may be gone by now, or of another type. */
static void
rule_of_tag(void *arg)
{
	errcontext("rule of tag \"%s\", which replace_tag can mend and drop_tag remove", ((const crm_tag *) arg)->name);
}

crm_value_type
crm_rule_value_type(const crm_rule *rule)
{
	return rule->type == BOOLOID ? CRM_VALUE_BOOLEAN : rule->type == TEXTOID ? CRM_VALUE_TEXT : CRM_VALUE_NUMERIC;
}

/* The state of the scan and the stored sets take a tag's type for granted. */
void
crm_rule_check_type(const crm_tag *tag, const crm_rule *rule)
{
	if (crm_rule_value_type(rule) == tag->type)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("the rule of tag \"%s\" gives %s now, and gave %s when it was created", tag->name,
					crm_value_type_name(crm_rule_value_type(rule)), crm_value_type_name(tag->type)),
			 errdetail("A column or function that it names has another type by now. The rule is: %s", tag->qualified),
			 errhint("Write the type into the rule, such as column::text, and %s.replace_tag it; or drop the tag.", crm_schema())));
}

static List *
read_rules(const crm_scan_job *job, Relation source)
{
	crm_owner_session session;
	List	   *rules = NIL;
	ListCell   *cell;
	ErrorContextCallback callback = {error_context_stack, rule_of_tag, NULL};

	crm_owner_begin(&session, job->owner);
	foreach(cell, job->tags)
	{
		crm_tag    *tag = lfirst(cell);
		crm_rule   *rule;

		callback.arg = tag;
		error_context_stack = &callback;
		rule = crm_rule_read(source, tag->qualified);
		error_context_stack = callback.previous;
		crm_rule_check_type(tag, rule);
		rule->tag_name = tag->name;
		rules = lappend(rules, rule);
	}
	crm_owner_end(&session);
	return rules;
}

/* ---- what rules need to know of the population ---------------------------------------------- */

typedef struct learning
{
	crm_bound  *bound;
	List	   *statistics;		/* of one pass */
} learning;

static void
take_statistics(TupleTableSlot *slot, void *arg)
{
	learning   *l = arg;
	ListCell   *cell;

	slot_getallattrs(slot);
	foreach(cell, l->statistics)
	{
		int			column = foreach_current_index(cell);

		crm_bound_learn(l->bound, lfirst(cell), slot->tts_values[column], slot->tts_isnull[column]);
	}
}

/* Whose rules need it: an error of the look itself knows no customer. */
static void
tags_that_learn(void *arg)
{
	StringInfoData names;
	ListCell   *cell;

	initStringInfo(&names);
	foreach(cell, (List *) arg)
	{
		const crm_rule *rule = lfirst(cell);

		if (rule->statistics != NIL)
			appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? ", " : "", rule->tag_name);
	}
	errcontext("look at all customers for %s", names.data);
}

/*
 * One more look at all customers finds everything; only what needs to know
 * something of the population itself takes a further one.
 */
static void
learn(const crm_scan_job *job, List *rules)
{
	ErrorContextCallback callback = {error_context_stack, tags_that_learn, rules};
	List	   *all = crm_bound_list(job->bound);
	learning	l = {job->bound, NIL};

	error_context_stack = &callback;
	for (int level = 0, done = 0; done < list_length(all); level++)
	{
		StringInfoData sql;
		ListCell   *cell;

		l.statistics = NIL;
		initStringInfo(&sql);
		foreach(cell, all)
		{
			crm_bound_statistic *statistic = lfirst(cell);

			if (statistic->level != level)
				continue;
			appendStringInfo(&sql, "%s%s", l.statistics == NIL ? "SELECT " : ", ", statistic->aggregate);
			l.statistics = lappend(l.statistics, statistic);
		}
		crm_scan_append_from(&sql, job, any_timeline(rules), true);
		appendStringInfo(&sql, " WHERE customer.%s IS NOT NULL", quote_identifier(job->population->key_column));
		crm_scan_run_query(job, sql.data, NULL, take_statistics, &l);
		done += list_length(l.statistics);
	}
	error_context_stack = callback.previous;
}

/* Puts into the rules what they call for. */
static void
bind_rules(crm_scan_job *job, Relation source, List *rules)
{
	crm_owner_session session;

	crm_owner_begin(&session, job->owner);
	job->bound = crm_rules_bind(job->population, source, job->owner, rules, job->learn ? NIL : job->tags);
	crm_owner_end(&session);
	if (job->bound != NULL && !job->learn)
		crm_statistics_read(job->tags, job->bound);
	else if (job->bound != NULL)
		learn(job, rules);
	if (job->learn && job->tags != NIL)
	{
		crm_statistics_store(job->tags, rules, job->bound, job->as_of);
		crm_bases_store_refreshed(job->tags, rules);
	}
	if (job->bound != NULL)
	{
		crm_owner_begin(&session, job->owner);
		if (job->due)
			crm_bound_expand_clock(job->bound, rules);
		crm_bound_expand(job->bound, rules);
		crm_owner_end(&session);
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
	append_id(sql, job);
	appendStringInfo(sql, ", %s)", next.data);
}

static void
append_scan(StringInfo sql, const crm_scan_job *job, Relation source, List *rules, const char *arguments)
{
	/* Citus sends no aggregate whose arguments may be of any type */
	bool		as_row = OidIsValid(get_extension_oid("citus", true));
	const char *scope = job->population->scope_column;

	appendStringInfo(sql, "SELECT %s.%s($%d, %d, ", crm_schema(), as_row ? "tag_scan_rows_agg" : "tag_scan_agg",
					 CRM_RULE_PLAN_PARAM, job->chunk_bits);
	append_id(sql, job);
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
	crm_scan_append_from(sql, job, any_timeline(rules), crm_bound_named(job->bound, sql->data));
}

/* Does a rule read the customer as a whole?  A leaf's row is of a type of its own. */
static bool
any_whole_row(List *rules)
{
	ListCell   *cell;

	foreach(cell, rules)
	{
		Bitmapset  *columns = NULL;

		pull_varattnos(((crm_rule *) lfirst(cell))->expr, 1, &columns);
		if (bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, columns))
			return true;
	}
	return false;
}

static bool
any_text_column(Node *node, void *none)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var) && ((Var *) node)->varcollid == DEFAULT_COLLATION_OID)
		return true;
	return expression_tree_walker(node, any_text_column, none);
}

/*
 * Can a server of its own evaluate the rule?  It can where only columns are sent,
 * or functions that depend on no setting; a text must have its collation from a
 * column of the server's.
 */
static bool
travels(Relation source, crm_rule *rule, TimestampTz as_of)
{
	if (rule->timeline || any_whole_row(list_make1(rule)))
		return false;
	return crm_scan_plan_batched(source, rule, as_of) ||
		(!contain_mutable_functions(rule->expr) && (rule->type != TEXTOID || any_text_column(rule->expr, NULL)));
}

List *
crm_scan_travelling(const crm_scan_job *job, List **rest)
{
	List	   *travelling = NIL;
	List	   *rules;
	Relation	source;
	crm_owner_session session;
	ListCell   *rule;
	ListCell   *tag;

	*rest = NIL;
	if (job->dictionary || job->due || crm_shards_of(job->population->source, job->owner) == NIL)
		return list_copy(job->tags);
	source = relation_open(job->population->source, AccessShareLock);
	rules = read_rules(job, source);
	crm_owner_begin(&session, job->owner);
	forboth(rule, rules, tag, job->tags)
	{
		if (travels(source, lfirst(rule), job->as_of))
			travelling = lappend(travelling, lfirst(tag));
		else
			*rest = lappend(*rest, lfirst(tag));
	}
	crm_owner_end(&session);
	relation_close(source, NoLock);
	return travelling;
}

/*
 * The scan of a source whose rows lie on other servers: each part by itself, so
 * that its server runs the aggregate, and what they send merged.  False where
 * the rows have to come here all the same.
 */
static bool
append_shards(StringInfo sql, const crm_scan_job *job, Relation source, List *rules, const char *arguments)
{
	crm_population population = *job->population;
	crm_scan_job of_leaf = *job;
	List	   *leaves;
	ListCell   *cell;

	if (job->dictionary || job->chosen || job->due || job->bound != NULL || any_timeline(rules) || any_whole_row(rules))
		return false;
	leaves = crm_shards_of(population.source, job->owner);
	if (leaves == NIL)
		return false;
	of_leaf.population = &population;
	appendStringInfo(sql, "SELECT %s.tag_scan_merge_agg(shard.state) FROM (", crm_schema());
	foreach(cell, leaves)
	{
		population.source = lfirst_oid(cell);
		if (foreach_current_index(cell) > 0)
			appendStringInfoString(sql, " UNION ALL ");
		append_scan(sql, &of_leaf, source, rules, arguments);
	}
	appendStringInfoString(sql, ") AS shard (state)");
	return true;
}

static crm_scan_state *
run_job(const crm_scan_job *given)
{
	crm_scan_job bound_job = *given;
	crm_scan_job *job = &bound_job;
	Relation	source;
	List	   *rules;
	bytea	   *plan;
	char	   *arguments;
	StringInfoData sql;
	scan_result result = {CurrentMemoryContext, NULL};
	crm_owner_session session;
	ErrorData  *error;

	(void) crm_population_key_type(job->population);
	source = relation_open(job->population->source, AccessShareLock);
	rules = read_rules(job, source);
	bind_rules(job, source, rules);
	crm_owner_begin(&session, job->owner);
	if (any_timeline(rules))
	{
		SPI_connect();
		crm_rule_require_timelines(job->population);
		SPI_finish();
	}
	crm_scan_plan_make(source, rules, job->as_of, !crm_batch_rules, &plan, &arguments);
	crm_owner_end(&session);

	initStringInfo(&sql);
	if (!append_shards(&sql, job, source, rules, arguments))
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
		error = try_query(job, sql.data, plan, false, take_state, &result);
	if (error != NULL)
	{
		if (!crm_scan_error_of_a_rule(error) || rules == NIL)
			ReThrowError(error);
		raise_with_place(job, source, rules, error);
	}
	relation_close(source, NoLock);
	if (result.state == NULL)
		result.state = crm_scan_state_new(CurrentMemoryContext, plan, job->chunk_bits);
	crm_scan_state_flush(result.state);
	result.state->due = result.due;
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
	rules = read_rules(job, source);
	bind_rules(job, source, rules);
	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	settings = crm_rule_enter();
	any = crm_due_append(&sql, source, rules, job->population->key_column);
	crm_rule_leave(settings);
	crm_scan_append_from(&sql, job, any_timeline(rules), crm_bound_named(job->bound, sql.data));
	if (any)
		crm_scan_run_query(job, sql.data, NULL, take_next_change, &next);
	relation_close(source, NoLock);
	crm_population_leave_zone(level);
	return next;
}
