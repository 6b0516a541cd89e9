/*
 * progress.c - how far trainings are: written into the session's own slot of
 * the server's statistics, whose commands are numbered, under a number that the
 * server does not use; read from there as pg_stat_progress_copy and its like
 * are, under the rules of pg_stat_activity.
 */
#include "scoring/progress.h"

#include "catalog/pg_authid.h"
#include "funcapi.h"
#include "utils/acl.h"
#include "utils/backend_progress.h"
#include "utils/backend_status.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

CRM_FUNCTION(crm_training_progress_rows);

/* A number far from those of the server's commands. */
#define TRAINING_COMMAND ((ProgressCommandType) 0x63726D)

enum
{
	PARAM_ALGORITHM,
	PARAM_ROWS,
	PARAM_FEATURES,
	PARAM_STEPS,
	PARAM_DONE,
	PARAM_STARTED
};

static const char *const algorithm_names[] = {"boosted_trees"};

/* Whether the session's slot shows a training; an error clears the slot but not this, so it is asked too. */
static bool shown = false;

static bool
slot_is_ours(void)
{
	return shown && MyBEEntry != NULL && MyBEEntry->st_progress_command == TRAINING_COMMAND;
}

void
scoring_progress_begin(scoring_algorithm algorithm, int64 rows, int64 features, int64 steps)
{
	const int	params[] = {PARAM_ALGORITHM, PARAM_ROWS, PARAM_FEATURES, PARAM_STEPS, PARAM_STARTED};
	int64		values[] = {algorithm, rows, features, steps, GetCurrentTimestamp()};

	shown = MyBEEntry != NULL && MyBEEntry->st_progress_command == PROGRESS_COMMAND_INVALID;
	if (!shown)
		return;
	pgstat_progress_start_command(TRAINING_COMMAND, InvalidOid);
	pgstat_progress_update_multi_param(lengthof(params), params, values);
}

void
scoring_progress_step(int64 done)
{
	if (slot_is_ours())
		pgstat_progress_update_param(PARAM_DONE, done);
}

void
scoring_progress_end(void)
{
	if (slot_is_ours())
		pgstat_progress_end_command();
	shown = false;
}

static bool
may_see(Oid role)
{
	return has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS) || has_privs_of_role(GetUserId(), role);
}

/* training_progress_rows() -> (pid, datname, algorithm, rows, features, steps, done, started_at) */
Datum
crm_training_progress_rows(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int			backends = pgstat_fetch_stat_numbackends();

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 1; i <= backends; i++)
	{
		LocalPgBackendStatus *local = crm_local_backend_status(i);
		PgBackendStatus *backend = local == NULL ? NULL : &local->backendStatus;
		const int64 *params;
		Datum		values[8] = {0};
		bool		nulls[8] = {false};

		if (backend == NULL || backend->st_progress_command != TRAINING_COMMAND)
			continue;
		params = backend->st_progress_param;
		values[0] = Int32GetDatum(backend->st_procpid);
		values[1] = ObjectIdGetDatum(backend->st_databaseid);
		if (may_see(backend->st_userid) && params[PARAM_ALGORITHM] >= 0 && params[PARAM_ALGORITHM] < lengthof(algorithm_names))
		{
			values[2] = CStringGetTextDatum(algorithm_names[params[PARAM_ALGORITHM]]);
			values[3] = Int64GetDatum(params[PARAM_ROWS]);
			values[4] = Int64GetDatum(params[PARAM_FEATURES]);
			values[5] = Int64GetDatum(params[PARAM_STEPS]);
			values[6] = Int64GetDatum(params[PARAM_DONE]);
			values[7] = TimestampTzGetDatum(params[PARAM_STARTED]);
		}
		else
			memset(nulls + 2, true, sizeof(nulls) - 2);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
