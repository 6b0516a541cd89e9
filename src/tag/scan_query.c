/*
 * scan_query.c - the queries of a refresh: what they read from, and how they
 * run: by the executor, so that views, joins, partitions, foreign tables and
 * row-level security just work.
 *
 * They run as the tags' owner in a security-restricted operation, as a
 * materialized view's query does, inside a subtransaction, so that a failing
 * rule can be looked for afterwards.
 */
#include "common/crm.h"

#include "access/sysattr.h"
#include "access/xact.h"
#include "executor/spi.h"
#include "nodes/params.h"
#include "tag/rule_bind.h"
#include "tag/rule_internal.h"
#include "tag/scan_query.h"
#include "tag/scan_run.h"
#include "tag/scan_sent.h"
#include "tcop/dest.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

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
	crm_require_alone("list_expiry");
	crm_require_alone("passing_list_expiry");
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

ErrorData *
crm_scan_try_query(const crm_scan_job *job, const char *query, const bytea *plan, bool serial,
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

void
crm_scan_append_id(StringInfo sql, const crm_scan_job *job)
{
	const char *key = quote_identifier(job->population->key_column);

	if (job->sent && job->dictionary)
		crm_passing_append(sql, job, job->passed);
	else if (job->population->key_form != CRM_KEY_INTEGER || (job->chosen && job->dictionary))
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
	crm_scan_append_id(&id, job);
	if (with_timelines && job->fresh)
		crm_rule_join_fresh_timelines(&sql, job->population, job->chosen, id.data);
	else if (with_timelines)
		crm_rule_join_timelines(&sql, job->population, id.data);
	if (with_bound)
		crm_bound_join(&sql, job->bound, id.data);
	return sql.data;
}

/*
 * The source in FROM where what the query calls must run here.  Citus would run it
 * where the rows are, with the settings and the catalogue of there: OFFSET keeps it
 * to fetching the rows, and of them no columns but those that are read.
 */
static char *
rows_to_come(const crm_scan_job *job)
{
	const crm_population *population = job->population;
	char	   *rows = crm_scan_rows(job);
	StringInfoData sql;
	Bitmapset  *columns = bms_copy(job->columns);
	int			column = -1;
	int			count = 0;

	if (!crm_citus_holds(population->source))
		return rows;
	columns = bms_add_member(columns, get_attnum(population->source, population->key_column) - FirstLowInvalidHeapAttributeNumber);
	if (population->scope_column != NULL && !job->new_keys)
		columns = bms_add_member(columns, get_attnum(population->source, population->scope_column) - FirstLowInvalidHeapAttributeNumber);
	initStringInfo(&sql);
	appendStringInfoString(&sql, "(SELECT ");
	while ((column = bms_next_member(columns, column)) >= 0)
	{
		AttrNumber	attribute = (AttrNumber) (column + FirstLowInvalidHeapAttributeNumber);

		/* a row as a whole has the source's type there alone */
		if (attribute <= 0)
			return rows;
		appendStringInfo(&sql, "%scustomer.%s", count++ > 0 ? ", " : "", quote_identifier(get_attname(population->source, attribute, false)));
	}
	appendStringInfo(&sql, " FROM %s", rows);
	if (job->new_keys && population->key_form == CRM_KEY_INTEGER)
		appendStringInfo(&sql, " WHERE customer.%s OPERATOR(pg_catalog.<) 0", quote_identifier(population->key_column));
	appendStringInfoString(&sql, " OFFSET 0) AS customer");
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
	appendStringInfo(sql, " FROM %s", job->sent ? crm_scan_rows(job) : rows_to_come(job));
	if (job->dictionary && !job->sent)
		appendStringInfo(sql, " LEFT JOIN %s.population_keys(%s) AS dictionary ON dictionary.key OPERATOR(pg_catalog.=) customer.%s::pg_catalog.text%s%s%s",
						 crm_schema(), quote_literal_cstr(population->name), key,
						 population->key_form == CRM_KEY_INTEGER ? " AND customer." : "",
						 population->key_form == CRM_KEY_INTEGER ? key : "",
						 population->key_form == CRM_KEY_INTEGER ? " OPERATOR(pg_catalog.<) 0" : "");
	if (with_timelines || with_bound)
		appendStringInfoString(sql, further_joins(job, with_timelines, with_bound));
}
