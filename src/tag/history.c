/*
 * history.c - the changes of a population's sets: begun, ended, forgotten.
 *
 * All of it happens under the population's lock, which is held until the
 * transaction ends: changes become visible in the order of their numbers.  The
 * instant is the clock's when the change is written, not the transaction's
 * beginning, as readers ask what was in the sets then.
 */
#include "common/crm.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "tag/history_private.h"
#include "tag/segment_follow.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

crm_history *
crm_history_begin(const crm_population *population)
{
	crm_catalogue_session session;
	crm_history *history = NULL;
	bool		isnull;

	crm_catalogue_begin(&session);
	if (crm_catalogue_write("SELECT change_no, changed_at FROM @.population_definition WHERE population_id = $1 AND keep_history IS NOT NULL",
							1, INT4OID, Int32GetDatum(population->id), false) > 0)
	{
		MemoryContext context = AllocSetContextCreate(session.caller, "crm history", ALLOCSET_DEFAULT_SIZES);

		history = MemoryContextAllocZero(context, sizeof(crm_history));
		history->context = context;
		history->row_context = AllocSetContextCreate(context, "crm change of a chunk", ALLOCSET_DEFAULT_SIZES);
		history->population = population;
		history->change_no = crm_catalogue_number(0, 1, NULL) + 1;
		history->last = crm_catalogue_number(0, 2, &isnull);
		if (isnull)
			history->last = DT_NOBEGIN;
		history->tag_count = (int) crm_catalogue_write("SELECT DISTINCT tag_id FROM @.tag_state WHERE population_id = $1 ORDER BY tag_id",
													   1, INT4OID, Int32GetDatum(population->id), false);
		history->tags = MemoryContextAlloc(context, (history->tag_count + 1) * sizeof(int32));
		for (int i = 0; i < history->tag_count; i++)
			history->tags[i] = (int32) crm_catalogue_number(i, 1, NULL);
	}
	crm_catalogue_end(&session);
	return history;
}

/*
 * Notes in which form the sets of the tags are from this change on, where that
 * is new: how many.  first: they had none before.
 */
static uint64
note_states(const crm_history *history, ArrayType *tags, bool first)
{
	uint64		noted;

	noted = crm_catalogue_write("INSERT INTO @.tag_state "
								"SELECT d.population_id, d.tag_id, $2, $4 AND s.tag_id IS NULL, d.refreshed_version, d.refreshed_at, d.as_of, "
								" d.number_scale, d.number_slices "
								"FROM @.tag_definition d "
								"LEFT JOIN LATERAL (SELECT * FROM @.tag_state s WHERE s.tag_id = d.tag_id ORDER BY s.change_no DESC LIMIT 1) s ON true "
								"WHERE d.population_id = $1 AND ($3 IS NULL OR d.tag_id = ANY ($3)) AND d.refreshed_version IS NOT NULL "
								" AND (s.tag_id IS NULL OR (s.version, s.number_scale, s.number_slices) IS DISTINCT FROM "
								"  (d.refreshed_version, d.number_scale, d.number_slices))",
								4, INT4OID, Int32GetDatum(history->population->id), false,
								INT8OID, Int64GetDatum(history->change_no), false,
								INT4ARRAYOID, PointerGetDatum(tags), tags == NULL,
								BOOLOID, BoolGetDatum(first), false);
	noted += crm_catalogue_write("INSERT INTO @.tag_state (population_id, tag_id, change_no, first) SELECT $1, -$1, $2, $3 "
								"WHERE NOT EXISTS (SELECT FROM @.tag_state WHERE tag_id = -$1)",
								 3, INT4OID, Int32GetDatum(history->population->id), false,
								INT8OID, Int64GetDatum(history->change_no), false,
								BOOLOID, BoolGetDatum(first), false);
	return noted;
}

static TimestampTz
note_change(const crm_history *history, ArrayType *tags, TimestampTz as_of)
{
	TimestampTz now = GetCurrentTimestamp();

	if (now <= history->last)
		now = history->last + 1;
	(void) crm_catalogue_write("UPDATE @.population_definition SET change_no = $2, changed_at = $3 WHERE population_id = $1",
							   3, INT4OID, Int32GetDatum(history->population->id), false,
							   INT8OID, Int64GetDatum(history->change_no), false,
							   TIMESTAMPTZOID, TimestampTzGetDatum(now), false);
	(void) crm_catalogue_write("INSERT INTO @.population_change VALUES ($1, $2, $3, now(), $4, $5)",
							   5, INT4OID, Int32GetDatum(history->population->id), false,
							   INT8OID, Int64GetDatum(history->change_no), false,
							   TIMESTAMPTZOID, TimestampTzGetDatum(now), false,
							   TIMESTAMPTZOID, TimestampTzGetDatum(as_of), TIMESTAMP_NOT_FINITE(as_of),
							   INT4ARRAYOID, PointerGetDatum(tags), tags == NULL);
	return now;
}

/*
 * Forgets the changes that are older than the population keeps.  The newest of
 * them stays as the mark of how far back the sets can be told.
 */
static void
prune(const crm_population *population, TimestampTz now)
{
	crm_catalogue_session session;
	int64		mark;
	bool		isnull;

	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("SELECT max(c.change_no) FROM @.population_change c JOIN @.population_definition p USING (population_id) "
							   "WHERE population_id = $1 AND c.changed_at <= $2 - p.keep_history "
							   " AND c.change_no > (SELECT min(change_no) FROM @.population_change WHERE population_id = $1)",
							   2, INT4OID, Int32GetDatum(population->id), false,
							   TIMESTAMPTZOID, TimestampTzGetDatum(now), false);
	mark = crm_catalogue_number(0, 1, &isnull);
	if (isnull)
	{
		crm_catalogue_end(&session);
		return;
	}
	/* by the index that starts with tag and value */
	(void) crm_catalogue_write("DELETE FROM @.tag_change c USING ("
							   " SELECT d.tag_id, v.value_no FROM @.tag_definition d JOIN @.tag_value v USING (tag_id) "
							   "  WHERE d.population_id = $1 AND d.value_type = 'text' "
							   " UNION ALL SELECT d.tag_id, n FROM @.tag_definition d, "
							   "  generate_series(0, CASE d.value_type WHEN 'numeric' THEN 129 ELSE 0 END) n "
							   "  WHERE d.population_id = $1 AND d.value_type <> 'text' "
							   " UNION ALL SELECT -$1, 0) k "
							   "WHERE c.tag_id = k.tag_id AND c.value_no = k.value_no AND c.change_no <= $2",
							   2, INT4OID, Int32GetDatum(population->id), false, INT8OID, Int64GetDatum(mark), false);
	/* a tag's last refresh before the mark is told by its state from now on */
	(void) crm_catalogue_write("UPDATE @.tag_state s SET refreshed_at = c.refreshed_at, as_of = c.as_of FROM ("
							   " SELECT DISTINCT ON (s.tag_id) s.tag_id, s.change_no, c.refreshed_at, c.as_of "
							   " FROM @.tag_state s JOIN @.population_change c ON c.population_id = s.population_id "
							   "  AND c.change_no >= s.change_no AND (c.tags IS NULL OR s.tag_id = ANY (c.tags)) "
							   " WHERE s.population_id = $1 AND c.change_no <= $2 "
							   " ORDER BY s.tag_id, s.change_no DESC, c.change_no DESC) c "
							   "WHERE s.tag_id = c.tag_id AND s.change_no = c.change_no",
							   2, INT4OID, Int32GetDatum(population->id), false, INT8OID, Int64GetDatum(mark), false);
	(void) crm_catalogue_write("DELETE FROM @.tag_state s WHERE population_id = $1 AND EXISTS ("
							   " SELECT FROM @.tag_state l WHERE l.tag_id = s.tag_id AND l.change_no > s.change_no AND l.change_no <= $2)",
							   2, INT4OID, Int32GetDatum(population->id), false, INT8OID, Int64GetDatum(mark), false);
	(void) crm_catalogue_write("DELETE FROM @.population_change WHERE population_id = $1 AND change_no < $2",
							   2, INT4OID, Int32GetDatum(population->id), false, INT8OID, Int64GetDatum(mark), false);
	crm_catalogue_end(&session);
	crm_segments_forget(population, &mark);
}

/* A tag that is among those kept for the first time had no sets before, unless history was switched on later. */
void
crm_history_end(crm_history *history, List *tags, bool whole, TimestampTz as_of)
{
	crm_catalogue_session session;
	ArrayType  *numbers = NULL;
	TimestampTz now;
	bool		changed;

	if (history == NULL)
		return;
	crm_history_flush(history);
	if (!whole)
	{
		Datum	   *ids = palloc((list_length(tags) + 1) * sizeof(Datum));
		int			n = 0;
		ListCell   *cell;

		foreach(cell, tags)
			ids[n++] = Int32GetDatum(((crm_tag *) lfirst(cell))->id);
		numbers = construct_array(ids, n, INT4OID, sizeof(int32), true, TYPALIGN_INT);
	}
	crm_catalogue_begin(&session);
	now = note_change(history, numbers, as_of);
	changed = note_states(history, numbers, true) > 0 || history->noted > 0;
	crm_catalogue_end(&session);
	/* without tags it is the segments that have changed */
	if (changed || (tags == NIL && !whole))
		crm_segments_follow(history->population, history->change_no, now);
	prune(history->population, now);
	MemoryContextDelete(history->context);
}

void
crm_history_forget_tag(int32 tag_id)
{
	crm_catalogue_session session;

	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("DELETE FROM @.tag_change WHERE tag_id = $1", 1, INT4OID, Int32GetDatum(tag_id), false);
	(void) crm_catalogue_write("DELETE FROM @.tag_state WHERE tag_id = $1", 1, INT4OID, Int32GetDatum(tag_id), false);
	crm_catalogue_end(&session);
}

void
crm_history_forget(const crm_population *population)
{
	crm_catalogue_session session;
	Datum		id = Int32GetDatum(population->id);

	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("DELETE FROM @.tag_change WHERE population_id = $1", 1, INT4OID, id, false);
	(void) crm_catalogue_write("DELETE FROM @.tag_state WHERE population_id = $1", 1, INT4OID, id, false);
	(void) crm_catalogue_write("DELETE FROM @.population_change WHERE population_id = $1", 1, INT4OID, id, false);
	crm_catalogue_end(&session);
	crm_segments_forget(population, NULL);
}

/* ---- for how long -------------------------------------------------------------------------- */

/* The sets that there are become the beginning of the history. */
static void
begin_here(const crm_population *population)
{
	crm_history *history = crm_history_begin(population);
	crm_catalogue_session session;
	TimestampTz now;

	crm_catalogue_begin(&session);
	now = note_change(history, construct_empty_array(INT4OID), DT_NOBEGIN);
	(void) note_states(history, NULL, false);
	crm_catalogue_end(&session);
	crm_segments_follow(population, history->change_no, now);
	MemoryContextDelete(history->context);
}

/* crm.keep_history(population, keep) */
CRM_FUNCTION(crm_keep_history);
Datum
crm_keep_history(PG_FUNCTION_ARGS)
{
	crm_population *population;
	crm_catalogue_session session;
	bool		kept;

	crm_catalogue_newest();
	population = crm_population_find(PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0)));
	crm_rights_require_owner(population);
	if (!PG_ARGISNULL(1))
	{
		TimestampTz then = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval, TimestampTzGetDatum(0),
																   PG_GETARG_DATUM(1)));

		if (then < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("history cannot be kept for a negative time: \"%s\"",
							DatumGetCString(DirectFunctionCall1(interval_out, PG_GETARG_DATUM(1)))),
					 errhint("NULL keeps none.")));
	}
	crm_population_lock(population);
	PopActiveSnapshot();
	crm_catalogue_newest();
	population = crm_population_find_by_id(population->id);

	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("SELECT keep_history IS NOT NULL FROM @.population_definition WHERE population_id = $1",
							   1, INT4OID, Int32GetDatum(population->id), false);
	kept = crm_catalogue_number(0, 1, NULL) != 0;
	(void) crm_catalogue_write("UPDATE @.population_definition SET keep_history = $2 WHERE population_id = $1",
							   2, INT4OID, Int32GetDatum(population->id), false,
							   INTERVALOID, PG_GETARG_DATUM(1), PG_ARGISNULL(1));
	crm_catalogue_end(&session);
	if (PG_ARGISNULL(1))
		crm_history_forget(population);
	else if (kept)
		prune(population, GetCurrentTimestamp());
	else if (population->chunk_bits != 0)
		begin_here(population);
	PopActiveSnapshot();
	PG_RETURN_VOID();
}
