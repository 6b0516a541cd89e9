/*
 * kept.c - answers kept for the query, see kept.h.
 *
 * A snapshot is compared by its contents: the same place in memory may hold
 * another one, and the counter of finished transactions is not copied with it.
 * The subtransaction is part of the comparison since a rolled back one may have
 * written under the same command number.
 */
#include "common/crm.h"

#include "access/xact.h"
#include "tag/kept.h"
#include "utils/snapmgr.h"

#define KEPT_ARGUMENTS 4

typedef struct kept_argument
{
	bool		isnull;
	Datum		value;			/* passed by value */
	char	   *data;			/* text */
	Size		length;
} kept_argument;

typedef struct kept
{
	MemoryContext context;		/* of the answer and all below */
	void	   *answer;			/* NULL: none */
	Oid			user;
	SubTransactionId subxact;
	SnapshotData snapshot;		/* with own copies of the arrays */
	kept_argument args[KEPT_ARGUMENTS];
} kept;

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
same_arguments(const kept *k, FunctionCallInfo fcinfo, int nargs, int strings)
{
	for (int i = 0; i < nargs; i++)
	{
		const kept_argument *arg = &k->args[i];

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

void *
crm_kept_find(FunctionCallInfo fcinfo, int nargs, int strings)
{
	kept	   *k = fcinfo->flinfo != NULL ? fcinfo->flinfo->fn_extra : NULL;

	if (k == NULL || k->answer == NULL ||
		k->user != GetUserId() ||
		k->subxact != GetCurrentSubTransactionId() ||
		!same_arguments(k, fcinfo, nargs, strings) ||
		!same_snapshot(&k->snapshot, GetActiveSnapshot()))
		return NULL;
	return k->answer;
}

MemoryContext
crm_kept_context(FunctionCallInfo fcinfo, int nargs, int strings)
{
	Snapshot	snapshot = GetActiveSnapshot();
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
	k->user = GetUserId();
	k->subxact = GetCurrentSubTransactionId();
	k->snapshot = *snapshot;
	if (snapshot->xcnt > 0)
	{
		k->snapshot.xip = palloc(snapshot->xcnt * sizeof(TransactionId));
		memcpy(k->snapshot.xip, snapshot->xip, snapshot->xcnt * sizeof(TransactionId));
	}
	if (snapshot->subxcnt > 0)
	{
		k->snapshot.subxip = palloc(snapshot->subxcnt * sizeof(TransactionId));
		memcpy(k->snapshot.subxip, snapshot->subxip, snapshot->subxcnt * sizeof(TransactionId));
	}
	for (int i = 0; i < nargs; i++)
	{
		kept_argument *arg = &k->args[i];

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
	MemoryContextSwitchTo(old);
	return k->context;
}

void
crm_kept_store(FunctionCallInfo fcinfo, void *answer)
{
	if (fcinfo->flinfo != NULL)
		((kept *) fcinfo->flinfo->fn_extra)->answer = answer;
}
