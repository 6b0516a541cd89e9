/*
 * fold.c - crm.fold_tags: evaluates the customers of a tracked population whose
 * rows have changed or whom the clock has reached, for all tags, puts them into
 * the stored sets, and empties the log.
 *
 * It waits for other folds and refreshes, then takes its snapshot: so the sets
 * it patches are those of that snapshot, and of the log exactly the rows that it
 * sees are deleted.  Who writes meanwhile is in the log of the next fold.
 */
#include "common/crm.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "common/progress.h"
#include "common/settings.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "tag/change_log.h"
#include "tag/due.h"
#include "tag/evaluate.h"
#include "tag/fold.h"
#include "tag/inputs.h"
#include "tag/past.h"
#include "tag/refresh.h"
#include "tag/set_numbers.h"
#include "tag/track.h"
#include "utils/array.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

typedef struct folding
{
	crm_refresh r;				/* its tags bear the rules of their stored sets */
	crm_pending *pending;
	List	   *rescaled;		/* numeric tags whose stored numbers have too few decimals */
	List	   *changes;		/* crm_tag_change of the others */
} folding;

/* ---- one owner ---------------------------------------------------------------------- */

static int
compare_changes(const void *a, const void *b)
{
	int32		x = ((const crm_tag_change *) a)->tag_id;
	int32		y = ((const crm_tag_change *) b)->tag_id;

	return x < y ? -1 : x > y;
}

/*
 * Brings a numeric rule's numbers to the scale of the stored ones, and notes how
 * many slices there are by now; false when that scale is too small.
 */
static bool
fit_numbers(const crm_evaluation *evaluation, int rule, const crm_tag *tag)
{
	crm_catalogue_session session;
	uint32		scale;
	int			slices = crm_evaluation_scale(evaluation, rule, tag->number_scale, &scale);

	if (slices == 0)
		return true;
	if (tag->number_slices > 0 && (int) scale != tag->number_scale)
		return false;
	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("UPDATE @.tag_definition SET number_scale = $2, number_slices = greatest(number_slices, $3) "
							   "WHERE tag_id = $1 AND (number_slices IS NULL OR number_slices < $3 OR number_scale IS DISTINCT FROM $2)",
							   3, INT4OID, Int32GetDatum(tag->id), false,
							   INT4OID, Int32GetDatum((int32) scale), false,
							   INT4OID, Int32GetDatum(slices), false);
	crm_catalogue_end(&session);
	return true;
}

static void
fold_owner(folding *f, Oid owner, List *tags)
{
	crm_refresh *r = &f->r;
	MemoryContext context = CurrentMemoryContext;
	crm_evaluation *evaluation;
	crm_scan_state *state;
	crm_store_change change = {0};
	HTAB	   *sizes = crm_sizes_new();
	ListCell   *cell;

	crm_progress_phase("evaluating rules", "customers", f->pending->count);
	evaluation = crm_evaluate(r->population, owner, tags, f->pending, r->as_of, false, true);
	state = evaluation->state;
	change.scope_numbers = crm_number_scopes(r->population, state);
	crm_evaluation_finish(r->population, state, change.scope_numbers);
	change.tags = palloc0((list_length(tags) + 1) * sizeof(crm_tag_change));
	foreach(cell, tags)
	{
		crm_tag    *tag = lfirst(cell);
		int			rule = foreach_current_index(cell);
		crm_tag_change *one = &change.tags[change.tag_count];
		int			highest = 0;

		if (tag->type == CRM_VALUE_NUMERIC && !fit_numbers(evaluation, rule, tag))
		{
			f->rescaled = lappend(f->rescaled, tag);
			continue;
		}
		one->tag_id = tag->id;
		one->rule = rule;
		if (tag->type == CRM_VALUE_TEXT)
			one->value_numbers = crm_number_values(tag, state, rule, &highest);
		one->number = tag->type == CRM_VALUE_NUMERIC;
		one->value_count = highest + 1;
		one->values = palloc0(one->value_count * sizeof(crm_value_change));
		change.tag_count++;
	}
	if (owner == r->population->owner)
	{
		crm_tag_change *one = &change.tags[change.tag_count++];

		one->tag_id = CRM_BASE_TAG(r->population);
		one->rule = -1;
		one->value_count = 1;
		one->values = palloc0(sizeof(crm_value_change));
	}
	qsort(change.tags, change.tag_count, sizeof(crm_tag_change), compare_changes);
	change.history = r->history;
	if (change.tag_count > 0)
		crm_store_patch(r->population, state->sets, &change, f->pending->ids, f->pending->count, crm_sizes_count_delta, sizes);
	crm_sizes_add(r->population, sizes);
	r->chunks_written += change.chunks_written;
	crm_due_add(r->population, state);
	hash_destroy(sizes);
	MemoryContextSwitchTo(context);
	for (int t = 0; t < change.tag_count; t++)
		f->changes = lappend(f->changes, &change.tags[t]);
	/* further owners see the numbers that this one gave to values and scopes */
	UpdateActiveSnapshotCommandId();
}

/* ---- all of it ------------------------------------------------------------------------ */

/* The refreshed tags, with the rules that they were refreshed by. */
static List *
refreshed_tags(const crm_population *population)
{
	List	   *tags = NIL;
	ListCell   *cell;

	foreach(cell, crm_tag_list_in_use(population))
	{
		crm_tag    *tag = crm_tag_as_refreshed(lfirst(cell));

		if (tag != NULL)
			tags = lappend(tags, tag);
	}
	return tags;
}

/* A row for each value, with the members that it has by now. */
static void
return_tag(folding *f, const crm_tag *tag)
{
	crm_catalogue_session session;
	crm_tag_change *change = NULL;
	ListCell   *cell;
	uint64		n;
	char	  **values;
	crm_value_change *rows;

	if (list_member_ptr(f->rescaled, tag))
		return;					/* the refresh has returned it */
	foreach(cell, f->changes)
		if (((crm_tag_change *) lfirst(cell))->tag_id == tag->id)
			change = lfirst(cell);
	crm_catalogue_begin(&session);
	n = crm_catalogue_write(tag->type == CRM_VALUE_TEXT ?
							"SELECT v.value_no, v.value, coalesce(sum(z.members), 0)::int8 FROM @.tag_value v "
							"LEFT JOIN @.tag_size z ON z.tag_id = v.tag_id AND z.value_no = v.value_no "
							"WHERE v.tag_id = $1 GROUP BY v.value_no, v.value ORDER BY v.value COLLATE \"C\"" :
							"SELECT 0, NULL, coalesce(sum(members), 0)::int8 FROM @.tag_size WHERE tag_id = $1",
							1, INT4OID, Int32GetDatum(tag->id), false);
	values = MemoryContextAlloc(session.caller, (n + 1) * sizeof(char *));
	rows = MemoryContextAllocZero(session.caller, (n + 1) * sizeof(crm_value_change));
	for (uint64 row = 0; row < n; row++)
	{
		int32		number = crm_catalogue_place(row, 1);

		if (change != NULL && number < change->value_count)
			rows[row] = change->values[number];
		values[row] = crm_catalogue_text(&session, row, 2);
		rows[row].members = (uint64) crm_catalogue_number(row, 3, NULL);
	}
	crm_catalogue_end(&session);
	for (uint64 row = 0; row < n; row++)
		crm_refresh_return(&f->r, tag->name, values[row], &rows[row]);
}

static void
note_fold(const folding *f, TimestampTz started)
{
	const crm_refresh *r = &f->r;
	crm_catalogue_session session;
	Datum	   *ids = palloc((list_length(r->tags) + 1) * sizeof(Datum));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, r->tags)
		ids[n++] = Int32GetDatum(((crm_tag *) lfirst(cell))->id);
	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("UPDATE @.tag_definition SET refreshed_at = now(), as_of = $2 WHERE tag_id = ANY ($1)",
							   2, INT4ARRAYOID, PointerGetDatum(construct_array(ids, n, INT4OID, 4, true, TYPALIGN_INT)), false,
							   TIMESTAMPTZOID, TimestampTzGetDatum(r->as_of), false);
	(void) crm_catalogue_write("INSERT INTO @.refresh_history (population_id, as_of, seconds, customers, tags, chunks_written) "
							   "SELECT $1, $2, $3, coalesce(sum(members), 0), $4, $5 FROM @.tag_size WHERE tag_id = $6",
							   6, INT4OID, Int32GetDatum(r->population->id), false,
							   TIMESTAMPTZOID, TimestampTzGetDatum(r->as_of), false,
							   FLOAT8OID, Float8GetDatum((double) (GetCurrentTimestamp() - started) / 1e6), false,
							   INT4OID, Int32GetDatum(n), false,
							   INT8OID, Int64GetDatum((int64) r->chunks_written), false,
							   INT4OID, Int32GetDatum(CRM_BASE_TAG(r->population)), false);
	crm_catalogue_end(&session);
}

static void
fold_pending(folding *f)
{
	crm_refresh *r = &f->r;
	TimestampTz started = GetCurrentTimestamp();
	List	   *rest = r->tags;
	Oid			owner = r->population->owner;

	crm_refresh_check_owners(r);
	r->history = crm_history_begin(r->population);
	crm_due_clear(r->population, &r->as_of);
	crm_pending_store_timelines(r->population, f->pending);
	/* the population's owner first: his rows are the population */
	do
	{
		List	   *own = NIL;
		List	   *others = NIL;
		ListCell   *cell;

		foreach(cell, rest)
			if (((crm_tag *) lfirst(cell))->owner == owner)
				own = lappend(own, lfirst(cell));
			else
				others = lappend(others, lfirst(cell));
		fold_owner(f, owner, own);
		rest = others;
		if (rest != NIL)
			owner = ((crm_tag *) linitial(rest))->owner;
	} while (rest != NIL);
	r->dictionary = r->population->key_form != CRM_KEY_INTEGER || crm_keys_any(r->population);
	for (int i = 0; i < list_length(f->rescaled); i++)
	{
		crm_tag    *tag = list_nth(f->rescaled, i);

		crm_refresh_owner(r, tag->owner, list_make1(tag), false);
	}
	note_fold(f, started);
	crm_history_end(r->history, r->tags, true, r->as_of);
}

static void
fold_sets(folding *f)
{
	crm_refresh *r = &f->r;
	ListCell   *cell;

	f->pending = crm_pending_read(r->population, r->as_of);
	if (r->population->chunk_bits == 0 || (f->pending != NULL && f->pending->everybody))
	{
		r->whole = true;
		r->tags = crm_tag_list_in_use(r->population);
		crm_past_check(r->population, r->tags, r->as_of);
		crm_refresh_run(r);
		return;
	}
	r->tags = refreshed_tags(r->population);
	crm_inputs_warn_list(r->population, r->tags);
	if (f->pending != NULL)
	{
		crm_past_check(r->population, r->tags, r->as_of);
		fold_pending(f);
	}
	crm_log_delete(r->population);
	if (r->result != NULL)
		foreach(cell, r->tags)
			return_tag(f, lfirst(cell));
}

/* The lock is held, and the snapshot active. */
static void
fold(folding *f)
{
	crm_progress_begin("fold_tags", f->r.population->name);
	crm_progress_phase("reading the change log", NULL, 0);
	fold_sets(f);
	crm_progress_end();
}

/* ---- by readers ------------------------------------------------------------------------ */

/* Is nobody else about to change the population's sets?  Then nobody will be until the transaction ends. */
static bool
lock_at_once(const crm_population *population)
{
	crm_catalogue_session session;
	bool		locked;

	crm_catalogue_begin(&session);
	locked = crm_catalogue_write("SELECT FROM @.population_definition WHERE population_id = $1 FOR NO KEY UPDATE SKIP LOCKED",
								 1, INT4OID, Int32GetDatum(population->id), false) > 0;
	crm_catalogue_end(&session);
	return locked;
}

/*
 * Of the last population that this session could not fold, and when: not every
 * read tries again.
 */
static int32 failed_population;
static TimestampTz failed_at;

#define TRY_AGAIN_MS (60 * 1000)

/*
 * Folds in a subtransaction: that some tag cannot be evaluated is no error of
 * whoever reads another one.
 */
static void
try_fold(const char *name)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		folding		f = {{0}};

		f.r.as_of = GetCurrentTransactionStartTimestamp();
		f.r.population = crm_refresh_begin(name);
		if (f.r.population->tracked)
			fold(&f);
		PopActiveSnapshot();
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
	if (error == NULL)
		return;
	if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_TO_CATEGORY(ERRCODE_OPERATOR_INTERVENTION) ||
		ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES))
		ReThrowError(error);
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("the change log of population \"%s\" is long and cannot be folded: %s", name, error->message),
			 error->hint != NULL ? errhint("%s", error->hint) : 0));
	failed_at = GetCurrentTimestamp();
}

/*
 * Within a transaction block the lock would be held until its end, and at
 * REPEATABLE READ the next statement would not see the folded sets.
 */
void
crm_fold_if_long(const crm_population *population, uint64 rows)
{
	if (crm_fold_after <= 0 || rows <= (uint64) crm_fold_after || population->chunk_bits == 0 ||
		IsTransactionBlock() || IsolationUsesXactSnapshot() || XactReadOnly || RecoveryInProgress() || IsInParallelMode() ||
		InSecurityRestrictedOperation() || TransactionIdIsValid(GetTopTransactionIdIfAny()) ||
		!crm_rights_may_define(population))
		return;
	if (population->id == failed_population && !TimestampDifferenceExceeds(failed_at, GetCurrentTimestamp(), TRY_AGAIN_MS))
		return;
	if (!lock_at_once(population))
		return;
	failed_population = population->id;
	failed_at = 0;
	try_fold(population->name);
}

CRM_FUNCTION(crm_fold_tags);
Datum
crm_fold_tags(PG_FUNCTION_ARGS)
{
	folding		f = {{0}};

	InitMaterializedSRF(fcinfo, 0);
	f.r.result = (ReturnSetInfo *) fcinfo->resultinfo;
	f.r.as_of = PG_ARGISNULL(1) ? GetCurrentTransactionStartTimestamp() : PG_GETARG_TIMESTAMPTZ(1);
	if (TIMESTAMP_NOT_FINITE(f.r.as_of) || f.r.as_of > GetCurrentTransactionStartTimestamp())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("as_of must not lie in the future: \"%s\"", timestamptz_to_str(f.r.as_of)),
				 errdetail("Readers take folded sets for those of now.")));
	f.r.population = crm_refresh_begin(PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0)));
	if (!f.r.population->tracked)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("population \"%s\" is not tracked", f.r.population->name),
				 errhint("Call %1$s.track_population('%2$s') first, or %1$s.refresh_tags('%2$s') as often as you need.",
						 crm_schema(), f.r.population->name)));
	fold(&f);
	PopActiveSnapshot();
	return (Datum) 0;
}
