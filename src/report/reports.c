/*
 * reports.c - stored reports: defined by name, counted as their owner, kept.
 *
 * What a report counts is said by a query that report_query.sql makes of its
 * kind and options.  Here that query is run in a security-restricted operation
 * as the report's owner, as a tag's rule is, and what it gives is written as
 * the owner of the catalogue.
 */
#include "common/crm.h"

#include "common/progress.h"
#include "common/settings.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "tag/tag.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/snapmgr.h"

/* Scopes that the results of one report may have. */
#define MAX_SCOPES 100000

typedef struct report
{
	int32		id;
	char	   *name;
	char	   *kind;
	char	   *options;		/* jsonb as text */
	Oid			owner;
} report;

/* What the query gave for one scope. */
typedef struct part
{
	bool		whole;
	char	   *scope;			/* NULL: of customers without one */
	Datum		results;		/* jsonb */
} part;

typedef struct count
{
	const crm_population *population;
	const report *report;
	TimestampTz as_of;
	bool		run;			/* false: look whether it could be run */
	List	   *parts;
	uint64		rows;
	MemoryContext context;		/* where parts are kept */
} count;

/* crm.minimum_group_size() */
CRM_FUNCTION(crm_minimum_group_size);
Datum
crm_minimum_group_size(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(crm_minimum_group);
}

/* ---- arguments and definitions ------------------------------------------------------ */

static char *
text_argument(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

static void
require_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument %s must not be NULL", name)));
}

/* The reports of a population by name, or the one named; 42704 with what there is. */
static List *
read_reports(const crm_population *population, const char *name)
{
	crm_catalogue_session session;
	List	   *found = NIL;
	List	   *names = NIL;
	uint64		n;

	crm_catalogue_begin(&session);
	n = crm_catalogue_read("SELECT report_id, name, kind, options::text, owner::oid FROM @.report_definition WHERE population_id = $1 ORDER BY name COLLATE \"C\"",
						   1, INT4OID, Int32GetDatum(population->id), false);
	for (uint64 row = 0; row < n; row++)
	{
		MemoryContext old = MemoryContextSwitchTo(session.caller);
		report	   *r = palloc(sizeof(report));

		r->id = (int32) crm_catalogue_number(row, 1, NULL);
		r->name = crm_catalogue_required(&session, row, 2);
		r->kind = crm_catalogue_required(&session, row, 3);
		r->options = crm_catalogue_required(&session, row, 4);
		r->owner = (Oid) crm_catalogue_number(row, 5, NULL);
		names = lappend(names, r->name);
		if (name == NULL || strcmp(r->name, name) == 0)
			found = lappend(found, r);
		MemoryContextSwitchTo(old);
	}
	crm_catalogue_end(&session);
	if (name != NULL && found == NIL)
	{
		char	   *near = crm_nearest_names(name, names);

		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("report \"%s\" does not exist in population \"%s\"", name, population->name),
				 near != NULL ? errhint("Perhaps you meant %s.", near) : 0));
	}
	return found;
}

/* ---- counting ---------------------------------------------------------------------------- */

static void
keep_part(count *c, uint64 row)
{
	HeapTuple	tuple = SPI_tuptable->vals[row];
	TupleDesc	desc = SPI_tuptable->tupdesc;
	MemoryContext old;
	part	   *p;
	Datum		whole,
				results;
	bool		isnull;

	whole = SPI_getbinval(tuple, desc, 1, &isnull);
	results = SPI_getbinval(tuple, desc, 3, &isnull);
	if (isnull)
		return;
	old = MemoryContextSwitchTo(c->context);
	p = palloc(sizeof(part));
	p->whole = DatumGetBool(whole);
	p->scope = SPI_getvalue(tuple, desc, 2);
	if (p->scope != NULL)
		p->scope = pstrdup(p->scope);
	p->results = PointerGetDatum(PG_DETOAST_DATUM_COPY(results));
	c->rows += JB_ROOT_COUNT(DatumGetJsonbP(p->results));
	c->parts = lappend(c->parts, p);
	MemoryContextSwitchTo(old);
}

/* The query as the owner gets it, run or only prepared. */
static void
count_as_owner(count *c)
{
	Oid			types[5] = {INT4OID, TEXTOID, TEXTOID, TIMESTAMPTZOID, INT4OID};
	Datum		values[5] = {Int32GetDatum(c->population->id), CStringGetTextDatum(c->report->kind), CStringGetTextDatum(c->report->options),
	TimestampTzGetDatum(c->as_of), Int32GetDatum(crm_minimum_group)};
	crm_owner_session session;
	SPIPlanPtr	plan;
	char	   *query;

	crm_owner_begin(&session, c->report->owner);
	SPI_connect();
	if (SPI_execute_with_args(psprintf("SELECT %s.report_query($1, $2, $3::jsonb, $4, $5)", crm_schema()), 5, types, values, NULL, true, 1) != SPI_OK_SELECT ||
		SPI_processed != 1 || (query = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)) == NULL)
		elog(ERROR, "a report has no query");
	plan = SPI_prepare_cursor(query, 0, NULL, CURSOR_OPT_PARALLEL_OK);
	if (plan == NULL)
		elog(ERROR, "the query of a report cannot be prepared");
	if (c->run)
	{
		if (SPI_execute_plan(plan, NULL, NULL, true, 0) != SPI_OK_SELECT)
			elog(ERROR, "the query of a report failed");
		if (SPI_processed > MAX_SCOPES)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("a report cannot be stored for more than %d scopes", MAX_SCOPES)));
		for (uint64 row = 0; row < SPI_processed; row++)
			keep_part(c, row);
	}
	SPI_finish();
	crm_owner_end(&session);
}

/* Puts the results in the place of the earlier ones; of sizes, of those of the same day.  A look ahead makes nothing old. */
static void
store_parts(const count *c, double seconds)
{
	Datum		report_id = Int32GetDatum(c->report->id);
	Datum		as_of = TimestampTzGetDatum(c->as_of);
	crm_catalogue_session session;
	ListCell   *cell;

	crm_catalogue_begin(&session);
	crm_catalogue_write("DELETE FROM @.report_result r USING @.report_definition d WHERE d.report_id = $1 AND r.report_id = $1 "
						"AND (d.kind <> 'sizes' OR (r.as_of AT TIME ZONE 'UTC')::date = ($2 AT TIME ZONE 'UTC')::date "
						" OR r.as_of < least($2, now()) - (d.options ->> 'keep')::interval)",
						2, INT4OID, report_id, false, TIMESTAMPTZOID, as_of, false);
	/* nothing to count is a result, too */
	if (c->parts == NIL)
		crm_catalogue_write("INSERT INTO @.report_result (report_id, as_of, refreshed_at, minimum_group, results) VALUES ($1, $2, now(), $3, '[]')",
							3, INT4OID, report_id, false, TIMESTAMPTZOID, as_of, false, INT4OID, Int32GetDatum(crm_minimum_group), false);
	foreach(cell, c->parts)
	{
		const part *p = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		/* a scope that no refresh of tags has met has no number, and nobody who might read it */
		crm_catalogue_write("INSERT INTO @.report_result (report_id, scope_no, as_of, refreshed_at, minimum_group, results) "
							"SELECT $1, s.scope_no, $2, now(), $3, $4 FROM (SELECT NULL::int AS scope_no WHERE $5 UNION ALL SELECT c.scope_no FROM @.population_scope c "
							"WHERE NOT $5 AND c.population_id = $6 AND c.scope IS NOT DISTINCT FROM $7) s",
							7, INT4OID, report_id, false, TIMESTAMPTZOID, as_of, false, INT4OID, Int32GetDatum(crm_minimum_group), false,
							JSONBOID, p->results, false, BOOLOID, BoolGetDatum(p->whole), false, INT4OID, Int32GetDatum(c->population->id), false,
							TEXTOID, p->scope != NULL ? CStringGetTextDatum(p->scope) : (Datum) 0, p->scope == NULL);
	}
	crm_catalogue_write("UPDATE @.report_definition SET refreshed_at = now(), seconds = $2, problem = NULL WHERE report_id = $1",
						2, INT4OID, report_id, false, FLOAT8OID, Float8GetDatum(seconds), false);
	crm_catalogue_end(&session);
}

/* Texts about a report's definition and rights are told; those about values may quote a row that only its owner sees. */
static bool
is_public(int sqlstate)
{
	switch (ERRCODE_TO_CATEGORY(sqlstate))
	{
		case MAKE_SQLSTATE('4', '2', '0', '0', '0'):
		case MAKE_SQLSTATE('5', '4', '0', '0', '0'):
		case MAKE_SQLSTATE('5', '5', '0', '0', '0'):
			return true;
		default:
			return false;
	}
}

/* Why a report failed, for those who may know of the population. */
static char *
public_problem(char *problem, int sqlstate)
{
	return is_public(sqlstate) ? problem :
		psprintf("error %s: %s.refresh_reports tells members of its owner more", unpack_sql_state(sqlstate), crm_schema());
}

static void
note_problem(const report *r, const char *problem)
{
	crm_catalogue_session session;

	crm_catalogue_begin(&session);
	crm_catalogue_write("UPDATE @.report_definition SET problem = $2 WHERE report_id = $1",
						2, INT4OID, Int32GetDatum(r->id), false, TEXTOID, CStringGetTextDatum(problem), false);
	crm_catalogue_end(&session);
}

/* For crm_explain_try. */
static void
refresh_report(void *arg)
{
	count	   *c = arg;
	instr_time	begin,
				end;

	INSTR_TIME_SET_CURRENT(begin);
	crm_rights_check_owner(c->report->owner);
	count_as_owner(c);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, begin);
	store_parts(c, INSTR_TIME_GET_DOUBLE(end));
}

/* The same for somebody who may not act for the report's owner: an error that may quote a row becomes one that does not. */
static void
refresh_for_another(count *c)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		refresh_report(c);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (is_public(error->sqlerrcode) || !crm_scan_error_of_a_rule(error))
			PG_RE_THROW();
		FlushErrorState();
		ereport(LOG_SERVER_ONLY,
				(errcode(error->sqlerrcode),
				 errmsg("report \"%s\" of population \"%s\" fails: %s", c->report->name, c->population->name, error->message),
				 errhidecontext(true)));
		ereport(ERROR,
				(errcode(error->sqlerrcode),
				 errmsg("report \"%s\" of population \"%s\" cannot be counted", c->report->name, c->population->name),
				 errdetail("What exactly is wrong may tell of a customer, and is for role \"%s\", whose rights the counting has.",
						   GetUserNameFromId(c->report->owner, true)),
				 errhint("Let that role call %s.refresh_reports.", crm_schema())));
	}
	PG_END_TRY();
}

/* ---- functions --------------------------------------------------------------------------- */

/* crm.define_report(name, kind, options, population, description, replace) */
CRM_FUNCTION(crm_define_report);
Datum
crm_define_report(PG_FUNCTION_ARGS)
{
	crm_catalogue_session session;
	crm_population *population;
	report		r = {0};
	count		c = {0};
	Oid			owner = InvalidOid;
	bool		replace = !PG_ARGISNULL(5) && PG_GETARG_BOOL(5);

	require_argument(fcinfo, 0, "name");
	require_argument(fcinfo, 1, "kind");
	require_argument(fcinfo, 2, "options");
	r.name = text_argument(fcinfo, 0);
	r.kind = text_argument(fcinfo, 1);
	if (r.name[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a report must have a name")));
	if (!JB_ROOT_IS_OBJECT(PG_GETARG_JSONB_P(2)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be a JSON object")));
	r.options = JsonbToCString(NULL, &PG_GETARG_JSONB_P(2)->root, VARSIZE(PG_GETARG_JSONB_P(2)));
	r.owner = GetUserId();

	crm_catalogue_newest();
	population = crm_population_find(text_argument(fcinfo, 3));
	crm_rights_require_define(population);
	crm_rights_check_owner(r.owner);
	crm_population_lock(population);
	PopActiveSnapshot();
	crm_catalogue_newest();
	crm_catalogue_begin(&session);
	if (crm_catalogue_read("SELECT owner::oid FROM @.report_definition WHERE population_id = $1 AND name = $2",
						   2, INT4OID, Int32GetDatum(population->id), false, TEXTOID, PG_GETARG_DATUM(0), false) > 0)
		owner = (Oid) crm_catalogue_number(0, 1, NULL);
	crm_catalogue_end(&session);
	if (OidIsValid(owner) && !replace)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("report \"%s\" already exists in population \"%s\"", r.name, population->name),
				 errhint("Add replace => true.")));
	if (OidIsValid(owner) && !has_privs_of_role(GetUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of report \"%s\"", r.name)));

	c.population = population;
	c.report = &r;
	c.as_of = GetCurrentTransactionStartTimestamp();
	count_as_owner(&c);

	crm_catalogue_begin(&session);
	/* of sizes that stay sizes the past is kept */
	if (OidIsValid(owner))
		crm_catalogue_write("DELETE FROM @.report_result r USING @.report_definition d WHERE d.report_id = r.report_id AND d.population_id = $1 AND d.name = $2 "
							"AND (d.kind <> 'sizes' OR $3 <> 'sizes')",
							3, INT4OID, Int32GetDatum(population->id), false, TEXTOID, PG_GETARG_DATUM(0), false, TEXTOID, PG_GETARG_DATUM(1), false);
	crm_catalogue_write("INSERT INTO @.report_definition (population_id, name, kind, options, owner, description) VALUES ($1, $2, $3, $4, $5::regrole, $6) "
						"ON CONFLICT (population_id, name) DO UPDATE SET kind = excluded.kind, options = excluded.options, owner = excluded.owner, "
						"description = excluded.description, refreshed_at = NULL, seconds = NULL, problem = NULL",
						6, INT4OID, Int32GetDatum(population->id), false, TEXTOID, PG_GETARG_DATUM(0), false, TEXTOID, PG_GETARG_DATUM(1), false,
						JSONBOID, PG_GETARG_DATUM(2), false, OIDOID, ObjectIdGetDatum(r.owner), false,
						TEXTOID, PG_ARGISNULL(4) ? (Datum) 0 : PG_GETARG_DATUM(4), PG_ARGISNULL(4));
	crm_catalogue_end(&session);
	PopActiveSnapshot();
	PG_RETURN_VOID();
}

/* The report of that name, if the user may drop it. */
static const report *
require_own_report(const crm_population *population, const char *name)
{
	const report *r = linitial(read_reports(population, name));

	if (!has_privs_of_role(GetUserId(), r->owner) && !has_privs_of_role(GetUserId(), population->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of report \"%s\"", r->name)));
	return r;
}

/* crm.drop_report(name, population) */
CRM_FUNCTION(crm_drop_report);
Datum
crm_drop_report(PG_FUNCTION_ARGS)
{
	crm_catalogue_session session;
	crm_population *population;
	const report *r;

	require_argument(fcinfo, 0, "name");
	crm_catalogue_newest();
	population = crm_population_find(text_argument(fcinfo, 1));
	(void) require_own_report(population, text_argument(fcinfo, 0));
	/* a refresh that is counting it puts its results where they belong first */
	crm_population_lock(population);
	PopActiveSnapshot();
	crm_catalogue_newest();
	r = require_own_report(population, text_argument(fcinfo, 0));
	crm_catalogue_begin(&session);
	crm_catalogue_write("DELETE FROM @.report_definition WHERE report_id = $1", 1, INT4OID, Int32GetDatum(r->id), false);
	crm_catalogue_end(&session);
	PopActiveSnapshot();
	PG_RETURN_VOID();
}

/* crm.refresh_reports(population, name, as_of) */
CRM_FUNCTION(crm_refresh_reports);
Datum
crm_refresh_reports(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	crm_population *population;
	List	   *reports;
	ListCell   *cell;
	MemoryContext context;

	require_argument(fcinfo, 2, "as_of");
	if (TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(2)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("as_of must be a finite time")));
	InitMaterializedSRF(fcinfo, 0);
	crm_catalogue_newest();
	population = crm_population_find(text_argument(fcinfo, 0));
	crm_population_lock(population);
	PopActiveSnapshot();
	crm_catalogue_newest();
	reports = read_reports(population, text_argument(fcinfo, 1));
	context = AllocSetContextCreate(CurrentMemoryContext, "results of a report", ALLOCSET_DEFAULT_SIZES);
	crm_progress_begin("refresh_reports", population->name);
	foreach(cell, reports)
	{
		const report *r = lfirst(cell);
		count		c = {population, r, PG_GETARG_TIMESTAMPTZ(2), true, NIL, 0, context};
		MemoryContext old;
		instr_time	begin,
					end;
		Datum		values[5];
		bool		nulls[5] = {false};
		char	   *problem = NULL;
		char	   *told = NULL;
		int			sqlstate = 0;

		CHECK_FOR_INTERRUPTS();
		if (!has_privs_of_role(GetUserId(), r->owner) && !crm_rights_may_define(population))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("must be owner of report \"%s\"", r->name),
					 errhint("Its owner, or who may define tags of the population, refreshes it.")));
		crm_progress_phase(psprintf("counting %s", r->name), "reports", list_length(reports));
		crm_progress_done(foreach_current_index(cell));
		INSTR_TIME_SET_CURRENT(begin);
		old = MemoryContextSwitchTo(context);
		if (PG_ARGISNULL(1))
			problem = crm_explain_try(refresh_report, &c, &sqlstate);
		else if (has_privs_of_role(GetUserId(), r->owner))
			refresh_report(&c);
		else
			refresh_for_another(&c);
		INSTR_TIME_SET_CURRENT(end);
		INSTR_TIME_SUBTRACT(end, begin);
		if (problem != NULL)
		{
			told = public_problem(problem, sqlstate);
			note_problem(r, told);
			if (has_privs_of_role(GetUserId(), r->owner))
				told = problem;
		}
		values[0] = CStringGetTextDatum(r->name);
		values[1] = CStringGetTextDatum(r->kind);
		values[2] = Int64GetDatum((int64) c.rows);
		values[3] = Float8GetDatum(INSTR_TIME_GET_DOUBLE(end));
		values[4] = told != NULL ? CStringGetTextDatum(told) : (Datum) 0;
		nulls[2] = problem != NULL;
		nulls[4] = problem == NULL;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		MemoryContextSwitchTo(old);
		MemoryContextReset(context);
	}
	crm_progress_end();
	MemoryContextDelete(context);
	PopActiveSnapshot();
	return (Datum) 0;
}
