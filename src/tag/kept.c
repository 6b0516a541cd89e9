/*
 * kept.c - answers kept for the query, see kept.h.
 *
 * A snapshot is compared by its contents: the same place in memory may hold
 * another one, and the counter of finished transactions is not copied with it.
 * The subtransaction is part of the comparison since a rolled back one may have
 * written under the same command number.
 *
 * Besides at its call site, an answer is kept for the transaction, as long as
 * there is room: the planner asks for the size of a set before the executor asks
 * for its members, and each partition of a table has a call site of its own.
 * Call sites take copies, since what the transaction keeps may have to go while a
 * cursor still reads.
 */
#include "common/crm.h"

#include "access/xact.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "tag/kept.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_kept_support);

#define KEPT_ARGUMENTS 4

/* What reading a set costs, and what looking up the kept one does, in operators: about as measured. */
#define READING_OPERATORS 20000
#define LOOKUP_OPERATORS 4

typedef struct kept_argument
{
	bool		isnull;
	Datum		value;			/* passed by value */
	char	   *data;			/* text */
	Size		length;
} kept_argument;

/* What an answer depends on besides the function and the data: the question. */
typedef struct question
{
	Oid			user;
	SubTransactionId subxact;
	TimestampTz now;			/* tags change by the clock, too */
	SnapshotData snapshot;		/* with own copies of the arrays */
	kept_argument args[KEPT_ARGUMENTS];
} question;

typedef struct kept
{
	MemoryContext context;		/* of the answer and all below */
	void	   *answer;			/* a varlena; NULL: none */
	question	asked;
} kept;

/* An answer that the transaction keeps. */
typedef struct shared_answer
{
	MemoryContext context;		/* of everything below; NULL: no entry */
	Oid			function;
	void	   *answer;
	question	asked;
} shared_answer;

/* How many, each of at most this size or a part of work_mem. */
#define SHARED_ANSWERS 16
#define SHARED_SIZE (2 * 1024 * 1024)

static shared_answer shared[SHARED_ANSWERS];
static int	next_shared;
static MemoryContext shared_context;

static bool
same_snapshot(const SnapshotData *a, const SnapshotData *b)
{
	return a->snapshot_type == b->snapshot_type &&
		a->xmin == b->xmin &&
		a->xmax == b->xmax &&
		a->curcid == b->curcid &&
		a->xcnt == b->xcnt &&
		a->subxcnt == b->subxcnt &&
		a->suboverflowed == b->suboverflowed &&
		a->takenDuringRecovery == b->takenDuringRecovery &&
		(a->xcnt == 0 || memcmp(a->xip, b->xip, a->xcnt * sizeof(TransactionId)) == 0) &&
		(a->subxcnt <= 0 || memcmp(a->subxip, b->subxip, a->subxcnt * sizeof(TransactionId)) == 0);
}

static bool
same_arguments(const question *q, FunctionCallInfo fcinfo, int nargs, int strings)
{
	for (int i = 0; i < nargs; i++)
	{
		const kept_argument *arg = &q->args[i];

		if (arg->isnull != PG_ARGISNULL(i))
			return false;
		if (arg->isnull)
			continue;
		if (i < strings)
		{
			text	   *string = PG_GETARG_TEXT_PP(i);

			if (arg->length != VARSIZE_ANY_EXHDR(string) ||
				memcmp(arg->data, VARDATA_ANY(string), arg->length) != 0)
				return false;
		}
		else if (arg->value != PG_GETARG_DATUM(i))
			return false;
	}
	return true;
}

static bool
same_question(const question *q, FunctionCallInfo fcinfo, int nargs, int strings)
{
	return q->user == GetUserId() &&
		q->subxact == GetCurrentSubTransactionId() &&
		q->now == GetCurrentTransactionStartTimestamp() &&
		same_arguments(q, fcinfo, nargs, strings) &&
		same_snapshot(&q->snapshot, GetActiveSnapshot());
}

/* Writes the question down, in the current context. */
static void
note_question(question *q, FunctionCallInfo fcinfo, int nargs, int strings)
{
	Snapshot	snapshot = GetActiveSnapshot();

	q->user = GetUserId();
	q->subxact = GetCurrentSubTransactionId();
	q->now = GetCurrentTransactionStartTimestamp();
	q->snapshot = *snapshot;
	if (snapshot->xcnt > 0)
	{
		q->snapshot.xip = palloc(snapshot->xcnt * sizeof(TransactionId));
		memcpy(q->snapshot.xip, snapshot->xip, snapshot->xcnt * sizeof(TransactionId));
	}
	if (snapshot->subxcnt > 0)
	{
		q->snapshot.subxip = palloc(snapshot->subxcnt * sizeof(TransactionId));
		memcpy(q->snapshot.subxip, snapshot->subxip, snapshot->subxcnt * sizeof(TransactionId));
	}
	for (int i = 0; i < nargs; i++)
	{
		kept_argument *arg = &q->args[i];

		arg->isnull = PG_ARGISNULL(i);
		if (arg->isnull)
			continue;
		if (i < strings)
		{
			text	   *string = PG_GETARG_TEXT_PP(i);

			arg->length = VARSIZE_ANY_EXHDR(string);
			arg->data = palloc(arg->length + 1);
			memcpy(arg->data, VARDATA_ANY(string), arg->length);
		}
		else
			arg->value = PG_GETARG_DATUM(i);
	}
}

/* ---- at the call site ------------------------------------------------------------ */

void *
crm_kept_find(FunctionCallInfo fcinfo, int nargs, int strings)
{
	kept	   *k = fcinfo->flinfo != NULL ? fcinfo->flinfo->fn_extra : NULL;

	return k != NULL && k->answer != NULL && same_question(&k->asked, fcinfo, nargs, strings) ? k->answer : NULL;
}

MemoryContext
crm_kept_context(FunctionCallInfo fcinfo, int nargs, int strings)
{
	MemoryContext old;
	kept	   *k;

	if (fcinfo->flinfo == NULL)
		return CurrentMemoryContext;

	Assert(nargs <= KEPT_ARGUMENTS && nargs <= PG_NARGS());
	k = fcinfo->flinfo->fn_extra;
	if (k == NULL)
	{
		k = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(kept));
		k->context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "kept answer", ALLOCSET_SMALL_SIZES);
		fcinfo->flinfo->fn_extra = k;
	}

	/* An error on the way leaves no answer. */
	k->answer = NULL;
	MemoryContextReset(k->context);

	old = MemoryContextSwitchTo(k->context);
	note_question(&k->asked, fcinfo, nargs, strings);
	MemoryContextSwitchTo(old);
	return k->context;
}

void
crm_kept_store(FunctionCallInfo fcinfo, void *answer)
{
	if (fcinfo->flinfo != NULL)
		((kept *) fcinfo->flinfo->fn_extra)->answer = answer;
}

/* ---- for the transaction ----------------------------------------------------------- */

static void
forget_shared(void *arg)
{
	memset(shared, 0, sizeof(shared));
	next_shared = 0;
	shared_context = NULL;
}

/* Keeps a copy for the transaction, in the place of the oldest, unless it is too large. */
static void
share_answer(FunctionCallInfo fcinfo, int nargs, int strings, const void *answer)
{
	Size		limit = (Size) work_mem * 1024 / SHARED_ANSWERS;
	shared_answer *entry = &shared[next_shared];
	MemoryContext context;
	MemoryContext old;
	void	   *copy;

	if (VARSIZE_ANY(answer) > Max(limit, SHARED_SIZE))
		return;
	if (shared_context == NULL)
	{
		MemoryContextCallback *callback;

		shared_context = AllocSetContextCreate(TopTransactionContext, "kept answers", ALLOCSET_SMALL_SIZES);
		callback = MemoryContextAllocZero(shared_context, sizeof(MemoryContextCallback));
		callback->func = forget_shared;
		MemoryContextRegisterResetCallback(shared_context, callback);
	}
	if (entry->context != NULL)
	{
		context = entry->context;
		entry->context = NULL;
		MemoryContextDelete(context);
	}
	context = AllocSetContextCreate(shared_context, "kept answer", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	copy = palloc(VARSIZE_ANY(answer));
	memcpy(copy, answer, VARSIZE_ANY(answer));
	note_question(&entry->asked, fcinfo, nargs, strings);
	entry->function = fcinfo->flinfo->fn_oid;
	entry->answer = copy;
	entry->context = context;
	MemoryContextSwitchTo(old);
	next_shared = (next_shared + 1) % SHARED_ANSWERS;
}

void *
crm_kept_find_value(FunctionCallInfo fcinfo, int nargs, int strings)
{
	void	   *known = crm_kept_find(fcinfo, nargs, strings);

	if (known != NULL || fcinfo->flinfo == NULL)
		return known;
	for (int i = 0; i < SHARED_ANSWERS; i++)
	{
		const shared_answer *entry = &shared[i];

		if (entry->context == NULL || entry->function != fcinfo->flinfo->fn_oid ||
			!same_question(&entry->asked, fcinfo, nargs, strings))
			continue;
		known = MemoryContextAlloc(crm_kept_context(fcinfo, nargs, strings), VARSIZE_ANY(entry->answer));
		memcpy(known, entry->answer, VARSIZE_ANY(entry->answer));
		crm_kept_store(fcinfo, known);
		return known;
	}
	return NULL;
}

void
crm_kept_store_value(FunctionCallInfo fcinfo, int nargs, int strings, void *answer)
{
	crm_kept_store(fcinfo, answer);
	if (fcinfo->flinfo != NULL)
		share_answer(fcinfo, nargs, strings, answer);
}

/* ---- for the planner ------------------------------------------------------------------ */

Datum
crm_kept_support(PG_FUNCTION_ARGS)
{
	Node	   *raw = (Node *) PG_GETARG_POINTER(0);
	SupportRequestCost *request = (SupportRequestCost *) raw;

	if (!IsA(raw, SupportRequestCost))
		PG_RETURN_POINTER(NULL);
	request->startup = READING_OPERATORS * cpu_operator_cost;
	request->per_tuple = LOOKUP_OPERATORS * cpu_operator_cost;
	PG_RETURN_POINTER(request);
}
