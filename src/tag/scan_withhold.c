/*
 * scan_withhold.c - errors of rules, and who is told what they say.
 *
 * A reader of some scopes makes rules run over customers of all of them, and
 * whoever may define tags makes the rules of others run.  What a rule says when
 * it fails may quote the customer's row: it is for those who may act for the
 * owner of the tag or of the population.  Others learn which tag fails.
 */
#include "common/crm.h"

#include "miscadmin.h"
#include "tag/scan_query.h"
#include "tag/scan_run.h"
#include "utils/acl.h"

/* So many tags are named where it is not known which one fails. */
#define NAMED_TAGS 10

/* Is the error that is on its way one that withhold has raised? */
static bool withheld;

bool
crm_scan_error_of_a_rule(const ErrorData *error)
{
	switch (ERRCODE_TO_CATEGORY(error->sqlerrcode))
	{
		case ERRCODE_TO_CATEGORY(ERRCODE_OPERATOR_INTERVENTION):
		case ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES):
		case ERRCODE_TO_CATEGORY(ERRCODE_PROGRAM_LIMIT_EXCEEDED):
		case ERRCODE_TO_CATEGORY(ERRCODE_TRANSACTION_ROLLBACK):
		case ERRCODE_TO_CATEGORY(ERRCODE_INTERNAL_ERROR):
		case ERRCODE_TO_CATEGORY(ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION):
			return false;
		default:
			return true;
	}
}

bool
crm_scan_is_told(const crm_population *population, Oid owner)
{
	return has_privs_of_role(GetUserId(), owner) || has_privs_of_role(GetUserId(), population->owner);
}

static char *
names_of_tags(const crm_scan_job *job)
{
	StringInfoData names;
	ListCell   *cell;

	initStringInfo(&names);
	foreach(cell, job->tags)
	{
		if (foreach_current_index(cell) == NAMED_TAGS)
		{
			appendStringInfoString(&names, ", ...");
			break;
		}
		appendStringInfo(&names, "%s\"%s\"", names.len == 0 ? "" : ", ", ((const crm_tag *) lfirst(cell))->name);
	}
	return names.data;
}

/* Raises in the place of an error of a rule one that tells nothing of the customer. */
static void
withhold(const crm_scan_job *job, const char *failed, const ErrorData *error)
{
	char	   *names = names_of_tags(job);

	if (failed == NULL && list_length(job->tags) == 1)
		failed = ((const crm_tag *) linitial(job->tags))->name;
	ereport(LOG_SERVER_ONLY,
			(errcode(error->sqlerrcode),
			 errmsg("evaluation of %s in population \"%s\" fails: %s", names, job->population->name, error->message),
			 errhidecontext(true)));
	withheld = true;
	ereport(ERROR,
			(errcode(error->sqlerrcode),
			 job->tags == NIL ? errmsg("the source of population \"%s\" cannot be read", job->population->name) :
			 failed != NULL ? errmsg("tag \"%s\" fails for a customer of population \"%s\"", failed, job->population->name) :
			 errmsg("one of the tags %s fails for a customer of population \"%s\"", names, job->population->name),
			 errdetail("What exactly is wrong may tell of the customer, and is for role \"%s\", whose rights the evaluation has.",
					   GetUserNameFromId(job->owner, true)),
			 errhint("Let that role, or the owner of the population, call %s.refresh_tags.", crm_schema())));
}

/* ---- scans ------------------------------------------------------------------------------ */

typedef struct guarded_scan
{
	crm_scan_job job;
	crm_scan_state *state;
	TimestampTz next;
} guarded_scan;

static void
guard(guarded_scan *scan, void (*run) (guarded_scan *scan))
{
	MemoryContext context = CurrentMemoryContext;
	const char *volatile failed = NULL;

	if (crm_scan_is_told(scan->job.population, scan->job.owner))
	{
		run(scan);
		return;
	}
	withheld = false;
	scan->job.failed = &failed;
	PG_TRY();
	{
		run(scan);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		if (withheld)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (!crm_scan_error_of_a_rule(error))
			PG_RE_THROW();
		FlushErrorState();
		withhold(&scan->job, failed, error);
	}
	PG_END_TRY();
}

static void
run_job(guarded_scan *scan)
{
	scan->state = crm_scan_run_whole(&scan->job);
}

crm_scan_state *
crm_scan_run_job(const crm_scan_job *job)
{
	guarded_scan scan = {*job};

	guard(&scan, run_job);
	return scan.state;
}

static void
find_next(guarded_scan *scan)
{
	scan->next = crm_scan_find_next_change(&scan->job);
}

TimestampTz
crm_scan_next_change(const crm_scan_job *job)
{
	guarded_scan scan = {*job};

	guard(&scan, find_next);
	return scan.next;
}
