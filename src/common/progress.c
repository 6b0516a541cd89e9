/*
 * progress.c - how far long commands are: written into the session's own slot of
 * the server's statistics, whose commands are numbered, under a number that the
 * server does not use; read from there as pg_stat_progress_copy and its like are,
 * under the rules of pg_stat_activity.
 *
 * A slot is an array of integers.  Names travel in it as bytes, so that whoever
 * reads needs no list of commands and phases.
 */
#include "common/progress.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/backend_progress.h"
#include "utils/backend_status.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

CRM_FUNCTION(crm_progress_rows);
CRM_FUNCTION(crm_show_progress);

/* Numbers far from those of the server's commands: of a command, and of a parallel worker of one. */
#define OUR_COMMAND ((ProgressCommandType) 0x63726D)
#define OUR_WORKER ((ProgressCommandType) 0x63726E)

/* Places in a slot; a name takes several, eight bytes each. */
enum
{
	PLACE_STARTED,
	PLACE_DONE,
	PLACE_TOTAL,
	PLACE_PART,
	PLACE_PARTS,
	PLACE_COMMAND,
	PLACE_PHASE = PLACE_COMMAND + 3,
	PLACE_UNIT = PLACE_PHASE + 4,
	PLACE_TARGET = PLACE_UNIT + 2,
	PLACES = PLACE_TARGET + 6
};

StaticAssertDecl(PLACES <= PGSTAT_NUM_PROGRESS_PARAM, "a command's progress fits a slot");

/* Places of a worker's slot. */
enum
{
	WORKER_LEADER,
	WORKER_DONE,
	WORKER_PLACES
};

/* A command under way. */
typedef struct work
{
	int64		slot[PLACES];
	int			level;			/* of the subtransaction whose abort ends it */
	bool		from_sql;		/* by show_progress, which may forget to end it */
} work;

/* Deeper ones are counted, and not shown. */
#define MOST_WORKS 16

static work works[MOST_WORKS];
static int	depth;

/* ---- the slot ------------------------------------------------------------------------ */

static void
set_name(int64 *places, int count, const char *name)
{
	int			room = count * (int) sizeof(int64);

	memset(places, 0, room);
	if (name != NULL)
		memcpy(places, name, pg_mbcliplen(name, (int) strlen(name), room));
}

static work *
innermost(void)
{
	return depth > 0 && depth <= MOST_WORKS ? &works[depth - 1] : NULL;
}

/*
 * Writes some places of the innermost command.  Within a command of the server's
 * that shows its own progress, such as COPY, ours is not shown; and where the slot
 * was cleared meanwhile, all of it is written anew.
 */
static void
publish(int first, int count)
{
	const work *w = innermost();
	int			places[PLACES];
	bool		ours;

	if (w == NULL || MyBEEntry == NULL)
		return;
	ours = MyBEEntry->st_progress_command == OUR_COMMAND;
	if (!ours && MyBEEntry->st_progress_command != PROGRESS_COMMAND_INVALID)
		return;
	if (!ours)
	{
		pgstat_progress_start_command(OUR_COMMAND, InvalidOid);
		first = 0;
		count = PLACES;
	}
	for (int i = 0; i < count; i++)
		places[i] = first + i;
	pgstat_progress_update_multi_param(count, places, w->slot + first);
}

static void
clear(void)
{
	if (MyBEEntry != NULL && MyBEEntry->st_progress_command == OUR_COMMAND)
		pgstat_progress_end_command();
}

/* What is shown after some commands have ended. */
static void
show_rest(void)
{
	if (depth > 0)
		publish(0, PLACES);
	else
		clear();
}

/* ---- transactions ---------------------------------------------------------------------- */

static void
at_transaction_end(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			depth = 0;
			clear();
			break;
		default:
			break;
	}
}

/* The server has cleared the slot of an aborted subtransaction; what was under way around it still is. */
static void
at_subtransaction_end(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	int			level = GetCurrentTransactionNestLevel();

	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		int			before = depth;

		while (depth > 0 && works[Min(depth, MOST_WORKS) - 1].level >= level)
			depth--;
		if (before > 0)
			show_rest();
	}
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
		for (int i = 0; i < Min(depth, MOST_WORKS); i++)
			works[i].level = Min(works[i].level, level - 1);
}

static void
follow_transactions(void)
{
	static bool following = false;

	if (following)
		return;
	RegisterXactCallback(at_transaction_end, NULL);
	RegisterSubXactCallback(at_subtransaction_end, NULL);
	following = true;
}

/* ---- commands ------------------------------------------------------------------------- */

static void
begin(const char *command, const char *target, bool from_sql)
{
	const work *outer = innermost();
	work	   *w;

	if (IsParallelWorker())
		return;
	follow_transactions();
	depth++;
	w = innermost();
	if (w == NULL)
		return;
	memset(w, 0, sizeof(*w));
	w->level = GetCurrentTransactionNestLevel();
	w->from_sql = from_sql;
	if (outer != NULL)
		memcpy(w->slot, outer->slot, sizeof(w->slot));
	else
	{
		w->slot[PLACE_STARTED] = GetCurrentTimestamp();
		set_name(w->slot + PLACE_COMMAND, PLACE_PHASE - PLACE_COMMAND, command);
		set_name(w->slot + PLACE_TARGET, PLACES - PLACE_TARGET, target);
	}
	publish(0, PLACES);
}

void
crm_progress_begin(const char *command, const char *target)
{
	begin(command, target, false);
}

void
crm_progress_phase(const char *phase, const char *unit, int64 total)
{
	work	   *w = innermost();

	if (w == NULL)
		return;
	w->slot[PLACE_DONE] = 0;
	w->slot[PLACE_TOTAL] = total;
	set_name(w->slot + PLACE_PHASE, PLACE_UNIT - PLACE_PHASE, phase);
	set_name(w->slot + PLACE_UNIT, PLACE_TARGET - PLACE_UNIT, unit);
	publish(PLACE_DONE, PLACE_TARGET - PLACE_DONE);
}

void
crm_progress_part(int part, int parts)
{
	work	   *w = innermost();

	if (w == NULL)
		return;
	w->slot[PLACE_PART] = part;
	w->slot[PLACE_PARTS] = parts;
	publish(PLACE_PART, 2);
}

void
crm_progress_done(int64 done)
{
	work	   *w = innermost();

	if (w == NULL)
		return;
	w->slot[PLACE_DONE] = done;
	publish(PLACE_DONE, 1);
}

/* In a worker's slot, which the server clears when the worker exits. */
static void
add_in_worker(int64 more)
{
	static int64 done = 0;

	if (MyBEEntry == NULL || MyProc->lockGroupLeader == NULL)
		return;
	done += more;
	if (MyBEEntry->st_progress_command == PROGRESS_COMMAND_INVALID)
	{
		pgstat_progress_start_command(OUR_WORKER, InvalidOid);
		pgstat_progress_update_param(WORKER_LEADER, MyProc->lockGroupLeader->pid);
	}
	if (MyBEEntry->st_progress_command == OUR_WORKER)
		pgstat_progress_update_param(WORKER_DONE, done);
}

void
crm_progress_add(const char *unit, int64 more)
{
	const work *w = innermost();

	if (IsParallelWorker())
		add_in_worker(more);
	else if (w != NULL && strncmp((const char *) (w->slot + PLACE_UNIT), unit, (PLACE_TARGET - PLACE_UNIT) * sizeof(int64)) == 0)
		crm_progress_done(w->slot[PLACE_DONE] + more);
}

static void
show_step(void *arg, uint64_t done)
{
	crm_progress_done((int64) done);
}

crm_env
crm_progress_env(MemoryContext context)
{
	crm_env		env = crm_env_in(context);

	env.step = show_step;
	return env;
}

void
crm_progress_end(void)
{
	while (innermost() != NULL && innermost()->from_sql)
		depth--;
	if (depth == 0)
		return;
	depth--;
	show_rest();
}

/* ---- from SQL ---------------------------------------------------------------------------- */

/* show_progress(phase text, done bigint, total bigint, command text, target text) */
Datum
crm_show_progress(PG_FUNCTION_ARGS)
{
	char	   *phase = PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0));
	int64		done = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT64(1);
	int64		total = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2);
	bool		begun = innermost() != NULL && innermost()->from_sql;
	bool		over = total > 0 && done >= total;

	if (done < 0 || total < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("done and total must not be negative: " INT64_FORMAT " of " INT64_FORMAT, done, total)));
	if (over && begun)
	{
		depth--;
		show_rest();
	}
	if (over || IsParallelWorker())
		PG_RETURN_VOID();
	if (!begun)
		begin(PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3)),
			  PG_ARGISNULL(4) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(4)), true);
	crm_progress_phase(phase, "steps", total);
	crm_progress_done(done);
	PG_RETURN_VOID();
}

static bool
may_see(Oid role)
{
	return has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS) || has_privs_of_role(GetUserId(), role);
}

/* A name of a slot; NULL where there is none, or its bytes are of another database and may be of another encoding. */
static Datum
get_name(const PgBackendStatus *backend, const int64 *places, int count, bool *isnull)
{
	const char *bytes = (const char *) places;
	int			size = (int) strnlen(bytes, count * sizeof(int64));

	*isnull = size == 0;
	for (int i = 0; i < size && backend->st_databaseid != MyDatabaseId; i++)
		*isnull |= IS_HIGHBIT_SET(bytes[i]);
	return *isnull ? (Datum) 0 : PointerGetDatum(cstring_to_text_with_len(bytes, size));
}

static int64
done_by_workers(int backends, int leader)
{
	int64		done = 0;

	for (int i = 1; i <= backends; i++)
	{
		LocalPgBackendStatus *local = crm_local_backend_status(i);

		if (local != NULL && local->backendStatus.st_progress_command == OUR_WORKER &&
			local->backendStatus.st_progress_param[WORKER_LEADER] == leader)
			done += local->backendStatus.st_progress_param[WORKER_DONE];
	}
	return done;
}

/* progress_rows() -> (pid, datid, usesysid, command, target, phase, part, parts, done, total, unit, started_at) */
Datum
crm_progress_rows(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int			backends = pgstat_fetch_stat_numbackends();

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 1; i <= backends; i++)
	{
		LocalPgBackendStatus *local = crm_local_backend_status(i);
		const PgBackendStatus *backend = local == NULL ? NULL : &local->backendStatus;
		const int64 *slot;
		Datum		values[12] = {0};
		bool		nulls[12] = {false};

		/* a command that begins at this moment has no name yet */
		if (backend == NULL || backend->st_progress_command != OUR_COMMAND || backend->st_progress_param[PLACE_COMMAND] == 0)
			continue;
		slot = backend->st_progress_param;
		values[0] = Int32GetDatum(backend->st_procpid);
		values[1] = ObjectIdGetDatum(backend->st_databaseid);
		values[2] = ObjectIdGetDatum(backend->st_userid);
		if (may_see(backend->st_userid))
		{
			values[3] = get_name(backend, slot + PLACE_COMMAND, PLACE_PHASE - PLACE_COMMAND, &nulls[3]);
			values[4] = get_name(backend, slot + PLACE_TARGET, PLACES - PLACE_TARGET, &nulls[4]);
			values[5] = get_name(backend, slot + PLACE_PHASE, PLACE_UNIT - PLACE_PHASE, &nulls[5]);
			nulls[6] = nulls[7] = slot[PLACE_PARTS] <= 1;
			values[6] = Int32GetDatum((int32) slot[PLACE_PART]);
			values[7] = Int32GetDatum((int32) slot[PLACE_PARTS]);
			nulls[8] = slot[PLACE_UNIT] == 0;
			values[8] = Int64GetDatum(slot[PLACE_DONE] + done_by_workers(backends, backend->st_procpid));
			nulls[9] = slot[PLACE_TOTAL] <= 0;
			values[9] = Int64GetDatum(slot[PLACE_TOTAL]);
			values[10] = get_name(backend, slot + PLACE_UNIT, PLACE_TARGET - PLACE_UNIT, &nulls[10]);
			values[11] = TimestampTzGetDatum(slot[PLACE_STARTED]);
		}
		else
			memset(nulls + 3, true, sizeof(nulls) - 3);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
