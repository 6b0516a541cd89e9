/*
 * scan_place.c - which rule has failed, and for which customer.
 */
#include "common/crm.h"

#include "catalog/pg_type.h"
#include "tag/rule_bind.h"
#include "tag/rule_internal.h"
#include "tag/scan_run.h"

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

void
crm_scan_raise_with_place(const crm_scan_job *job, Relation source, List *rules, ErrorData *error)
{
	crm_scan_job here = *job;
	StringInfoData sql;
	crm_owner_session session;
	ErrorData  *again;
	crm_rule   *rule;
	ListCell   *cell;
	int			n = 0;

	here.sent = false;			/* the note is made in this process */
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
	crm_scan_append_from(&sql, &here, crm_rules_read_timeline(rules), crm_bound_named(job->bound, sql.data));

	trace_rule = -1;
	again = crm_scan_try_query(&here, sql.data, NULL, true, ignore_row, NULL);
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
