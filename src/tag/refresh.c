/*
 * refresh.c - refresh_tags: evaluates the tags of a population, one scan for
 * each owner, and replaces their stored sets.
 *
 * Everything happens in the caller's transaction and in one snapshot: readers
 * see the sets before or after, whole, and an error leaves those before.
 */
#include "common/crm.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "common/progress.h"
#include "common/settings.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "tag/evaluate.h"
#include "tag/inputs.h"
#include "tag/past.h"
#include "tag/due.h"
#include "tag/refresh.h"
#include "tag/scan_query.h"
#include "tag/set_numbers.h"
#include "tag/track.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/hsearch.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

typedef crm_refresh refresh;

/* ---- keys ------------------------------------------------------------------------- */

static crm_scan_job
new_job(const refresh *r, Oid owner, List *tags)
{
	crm_scan_job job = {0};

	job.population = r->population;
	job.owner = owner;
	job.tags = tags;
	job.as_of = r->as_of;
	job.columns_today = r->columns_today;
	job.chunk_bits = r->population->chunk_bits;
	job.dictionary = r->dictionary;
	job.learn = true;
	job.passing = !r->fetched;
	job.shared = r->shared;
	job.due = r->population->tracked;
	job.own_zone = r->whole;
	return job;
}

/* Numbers the keys that the dictionary does not know yet; false when there are none. */
static bool
number_new_keys(refresh *r, Oid owner)
{
	crm_scan_job job = new_job(r, owner, NIL);

	r->numbered = true;
	crm_progress_phase("numbering keys", NULL, 0);
	if (!crm_keys_add(r->population, crm_scan_new_keys(&job)))
		return false;
	if (r->shared != NULL)
		crm_scan_share_numbered(r->shared);
	return true;
}

/* ---- the width of chunks --------------------------------------------------------------- */

static int
compare_keys(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return x < y ? -1 : x > y;
}

/*
 * Dense ids get the narrow chunks; where ids lie far apart (snowflake ids),
 * chunks wide enough for some thousand customers.  The middle half of the keys,
 * by the planner's statistics or else by a sample, decides, so that a few odd
 * ids do not.
 */
static int
choose_chunk_bits(const refresh *r, Oid owner)
{
	crm_scan_job job = new_job(r, owner, NIL);
	int64		one_in = 1;
	int64	   *keys;
	int			count;
	double		rows;
	double		gap;
	int			bits = CRM_CHUNK_BITS;

	if (r->population->key_form != CRM_KEY_INTEGER)
		return bits;			/* the dictionary numbers densely */
	rows = crm_scan_expected_rows(&job);
	keys = crm_scan_key_quantiles(&job, &count);
	if (keys == NULL)
	{
		while (rows / (double) one_in > 20000)
			one_in *= 2;
		keys = crm_scan_sample_keys(&job, one_in, &count);
		qsort(keys, count, sizeof(int64), compare_keys);
		rows = (double) count * (double) one_in;
	}
	if (count < 50)
		return bits;
	gap = ((double) keys[count / 4 * 3] - (double) keys[count / 4]) / (rows / 2);
	pfree(keys);
	while (gap > 8 && bits < 62)
	{
		gap /= 2;
		bits++;
	}
	return bits;
}

/* ---- one scan ---------------------------------------------------------------------------------------- */

static int
compare_tag_changes(const void *a, const void *b)
{
	int32		x = ((const crm_tag_change *) a)->tag_id;
	int32		y = ((const crm_tag_change *) b)->tag_id;

	return x < y ? -1 : x > y;
}

static crm_tag_change *
find_change(crm_store_change *change, int32 tag_id)
{
	for (int i = 0; i < change->tag_count; i++)
		if (change->tags[i].tag_id == tag_id)
			return &change->tags[i];
	return NULL;
}

void
crm_refresh_return(refresh *r, const char *tag, const char *value, const crm_value_change *change)
{
	Datum		values[5];
	bool		nulls[5] = {false};

	if (r->result == NULL)
		return;					/* nobody asked */
	values[0] = CStringGetTextDatum(tag);
	nulls[1] = value == NULL;
	values[1] = value == NULL ? (Datum) 0 : CStringGetTextDatum(value);
	values[2] = Int64GetDatum((int64) change->members);
	values[3] = Int64GetDatum((int64) change->entered);
	values[4] = Int64GetDatum((int64) change->exited);
	tuplestore_putvalues(r->result->setResult, r->result->setDesc, values, nulls);
}

static void
return_tag(refresh *r, const crm_tag *tag, const crm_tag_change *change)
{
	crm_catalogue_session session;
	char	  **values;
	int32	   *numbers;
	uint64		n;

	if (tag->type != CRM_VALUE_TEXT)
	{
		crm_refresh_return(r, tag->name, NULL, &change->values[CRM_NO_VALUE]);
		return;
	}
	crm_catalogue_begin(&session);
	n = crm_catalogue_write("SELECT value_no, value FROM @.tag_value WHERE tag_id = $1 ORDER BY value COLLATE \"C\"",
							1, INT4OID, Int32GetDatum(tag->id), false);
	values = MemoryContextAlloc(session.caller, (n + 1) * sizeof(char *));
	numbers = MemoryContextAlloc(session.caller, (n + 1) * sizeof(int32));
	for (uint64 row = 0; row < n; row++)
	{
		numbers[row] = crm_catalogue_place(row, 1);
		values[row] = crm_catalogue_required(&session, row, 2);
	}
	crm_catalogue_end(&session);
	for (uint64 row = 0; row < n; row++)
	{
		crm_value_change none = {0};

		crm_refresh_return(r, tag->name, values[row], numbers[row] < change->value_count ? &change->values[numbers[row]] : &none);
	}
}

static void
scan_once(refresh *r, Oid owner, List *tags, bool base)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "crm refresh", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	crm_scan_job job = new_job(r, owner, tags);
	crm_scan_state *state;
	crm_store_change change = {0};
	HTAB	   *sizes;
	ListCell   *cell;
	int			rule = 0;

	crm_progress_part(r->scans + 1, Max(r->scans + 1, r->all_scans));
	crm_progress_phase("evaluating rules", "customers", (int64) r->expected_rows);
	state = crm_scan_run_job(&job);

	/*
	 * The first negative keys of an integer population, or keys that the
	 * dictionary has not met (they look like NULL): number them, and once more.
	 */
	if (!r->numbered && (r->dictionary ? state->null_keys > 0 : state->negative_keys > 0))
	{
		bool		had_dictionary = r->dictionary;

		r->dictionary = true;
		if (number_new_keys(r, owner) || !had_dictionary)
		{
			job.dictionary = true;
			MemoryContextDelete(state->context);
			crm_progress_phase("evaluating rules", "customers", (int64) r->expected_rows);
			state = crm_scan_run_job(&job);
		}
	}
	if (state->unknown_keys > 0)
	{
		/* another server's hashes are not ours, or integers are too large to pass: the rows come here */
		r->fetched = true;
		job.passing = false;
		MemoryContextDelete(state->context);
		state = crm_scan_run_job(&job);
	}
	r->customers = Max(r->customers, crm_tag_sets_customers(state->sets));
	r->null_keys = Max(r->null_keys, state->null_keys);

	change.scope_numbers = crm_number_scopes(r->population, state);
	change.tags = palloc0((list_length(tags) + 1) * sizeof(crm_tag_change));
	foreach(cell, tags)
	{
		crm_tag    *tag = lfirst(cell);
		crm_tag_change *one = &change.tags[change.tag_count++];
		int			highest = 0;

		one->tag_id = tag->id;
		one->rule = rule++;
		if (tag->type == CRM_VALUE_TEXT)
			one->value_numbers = crm_number_values(tag, state, one->rule, &highest);
		one->number = tag->type == CRM_VALUE_NUMERIC;
		one->value_count = highest + 1;
		one->values = palloc0(one->value_count * sizeof(crm_value_change));
	}
	if (base)
	{
		crm_tag_change *one = &change.tags[change.tag_count++];

		one->tag_id = CRM_BASE_TAG(r->population);
		one->rule = -1;
		one->value_count = 1;
		one->values = palloc0(sizeof(crm_value_change));
	}
	qsort(change.tags, change.tag_count, sizeof(crm_tag_change), compare_tag_changes);

	crm_evaluation_finish(r->population, state, change.scope_numbers);
	rule = 0;
	foreach(cell, tags)
	{
		if (((crm_tag *) lfirst(cell))->type == CRM_VALUE_NUMERIC)
			crm_number_slices(lfirst(cell), state, rule);
		rule++;
	}

	if (change.tag_count > 0)
	{
		sizes = crm_sizes_new();
		change.history = r->history;
		change.on_size = crm_sizes_count;
		change.arg = sizes;
		crm_store_replace(r->population, state->sets, &change);
		crm_sizes_store(r->population, &change, sizes);
		r->chunks_written += change.chunks_written;
	}
	crm_due_add(r->population, state);

	MemoryContextSwitchTo(old);
	foreach(cell, tags)
		return_tag(r, lfirst(cell), find_change(&change, ((crm_tag *) lfirst(cell))->id));
	MemoryContextDelete(context);
	r->scans++;
	/* further scans see the same customers, and the numbers that this one gave to values and scopes */
	UpdateActiveSnapshotCommandId();
}

/* How many of an owner's tags fit one scan. */
static int
tags_per_scan(const refresh *r, List *tags)
{
	double		rows = r->expected_rows;
	double		bytes = 0;
	double		limit = (double) crm_refresh_memory * 1024.0;
	ListCell   *cell;

	foreach(cell, tags)
		switch (((crm_tag *) lfirst(cell))->type)
		{
			case CRM_VALUE_BOOLEAN:
				bytes += rows * 0.125;
				break;
			case CRM_VALUE_TEXT:
				bytes += rows * 2.0;
				break;
			case CRM_VALUE_NUMERIC:
				bytes += rows * 4.0;	/* amounts of up to nine digits and a sign */
				break;
		}
	if (bytes <= limit)
		return list_length(tags);
	return Max(1, (int) (list_length(tags) * limit / bytes));
}

static void
scan_in_parts(refresh *r, Oid owner, List *tags, bool base)
{
	int			at_once;

	if (tags == NIL)
		return;
	at_once = tags_per_scan(r, tags);
	for (int from = 0; from < list_length(tags); from += at_once)
	{
		List	   *part = NIL;

		for (int i = from; i < list_length(tags) && i < from + at_once; i++)
			part = lappend(part, list_nth(tags, i));
		scan_once(r, owner, part, base && from == 0);
	}
}

void
crm_refresh_owner(refresh *r, Oid owner, List *tags, bool base)
{
	crm_scan_job job = new_job(r, owner, tags);
	List	   *rest = NIL;
	List	   *travelling;

	r->expected_rows = crm_scan_expected_rows(&job);
	if (tags == NIL)
	{
		scan_once(r, owner, NIL, base);
		return;
	}
	r->shared = crm_scan_share(&job);
	/* one rule that cannot be sent would fetch the rows for all */
	travelling = r->shared != NULL ? crm_scan_travelling(r->shared, &rest) : tags;
	scan_in_parts(r, owner, travelling, base);
	scan_in_parts(r, owner, rest, base && travelling == NIL);
	if (r->shared != NULL)
		crm_scan_share_end(r->shared);
	r->shared = NULL;
}

/* ---- all of it ------------------------------------------------------------------------------------------- */

/* The tags that the caller named, or all. */
static void
choose_tags(refresh *r, ArrayType *names)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	r->whole = names == NULL || r->population->chunk_bits == 0;
	if (names == NULL)
	{
		r->tags = crm_tag_list_in_use(r->population);
		return;
	}
	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		crm_tag    *tag;
		bool		twice = false;
		ListCell   *cell;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("tags must not contain NULL")));
		tag = crm_tag_find(r->population, TextDatumGetCString(elements[i]));
		crm_tag_require_in_use(tag);
		foreach(cell, r->tags)
			twice |= ((crm_tag *) lfirst(cell))->id == tag->id;
		if (!twice)
			r->tags = lappend(r->tags, tag);
	}
	/* the chunks' width is chosen once for all sets of a population */
	if (r->population->chunk_bits == 0)
		r->tags = crm_tag_list_in_use(r->population);
}

/* A role may be dropped although tags are its own: then there is nobody to run their rules as. */
void
crm_refresh_check_owners(const refresh *r)
{
	ListCell   *cell;

	if (GetUserNameFromId(r->population->owner, true) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the owner of population \"%s\" no longer exists", r->population->name),
				 errhint("Drop the population and create it anew.")));
	crm_rights_check_owner(r->population->owner);
	foreach(cell, r->tags)
		crm_rights_check_tag(lfirst(cell));
}

/* The owner's tags among the list; rest gets the others. */
static List *
tags_of_owner(List *tags, Oid owner, List **rest)
{
	List	   *own = NIL;
	ListCell   *cell;

	*rest = NIL;
	foreach(cell, tags)
		if (((crm_tag *) lfirst(cell))->owner == owner)
			own = lappend(own, lfirst(cell));
		else
			*rest = lappend(*rest, lfirst(cell));
	return own;
}

static void
note_refresh(const refresh *r, TimestampTz started)
{
	crm_catalogue_session session;
	Datum	   *ids = palloc((list_length(r->tags) + 1) * sizeof(Datum));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, r->tags)
		ids[n++] = Int32GetDatum(((crm_tag *) lfirst(cell))->id);
	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("UPDATE @.tag_definition SET refreshed_version = version, refreshed_at = now(), as_of = $2 "
							   "WHERE tag_id = ANY ($1)",
							   2, INT4ARRAYOID, PointerGetDatum(construct_array(ids, n, INT4OID, 4, true, TYPALIGN_INT)), false,
							   TIMESTAMPTZOID, TimestampTzGetDatum(r->as_of), false);
	(void) crm_catalogue_write("UPDATE @.population_definition SET chunk_bits = $2, zone = coalesce($3, zone) WHERE population_id = $1",
							   3, INT4OID, Int32GetDatum(r->population->id), false,
							   INT4OID, Int32GetDatum(r->population->chunk_bits), false,
							   TEXTOID, CStringGetTextDatum(pg_get_timezone_name(session_timezone)), !r->whole);
	(void) crm_catalogue_write("INSERT INTO @.refresh_history (population_id, as_of, seconds, customers, tags, chunks_written) "
							   "VALUES ($1, $2, $3, $4, $5, $6)",
							   6, INT4OID, Int32GetDatum(r->population->id), false,
							   TIMESTAMPTZOID, TimestampTzGetDatum(r->as_of), false,
							   FLOAT8OID, Float8GetDatum((double) (GetCurrentTimestamp() - started) / 1e6), false,
							   INT8OID, Int64GetDatum((int64) r->customers), false,
							   INT4OID, Int32GetDatum(n), false,
							   INT8OID, Int64GetDatum((int64) r->chunks_written), false);
	crm_catalogue_end(&session);
}

crm_population *
crm_refresh_begin(const char *name)
{
	crm_population *population;

	/* wait for other writers first, then look: what they did counts */
	crm_catalogue_newest();
	population = crm_population_find(name);
	crm_rights_require_define(population);
	crm_population_lock(population);
	if (population->tracked)
		(void) crm_track_renew(population);
	PopActiveSnapshot();
	CommandCounterIncrement();
	PushCopiedSnapshot(GetTransactionSnapshot());
	UpdateActiveSnapshotCommandId();
	return crm_population_find_by_id(population->id);
}

/* How many scans there will be, by what the planner expects of the population's owner. */
static int
count_scans(refresh *r, bool base)
{
	crm_scan_job job = new_job(r, r->population->owner, NIL);
	List	   *rest = r->tags;
	int			scans = 0;

	r->expected_rows = crm_scan_expected_rows(&job);
	while (rest != NIL)
	{
		Oid			owner = ((crm_tag *) linitial(rest))->owner;
		List	   *own = tags_of_owner(rest, owner, &rest);
		int			at_once = tags_per_scan(r, own);

		scans += (list_length(own) + at_once - 1) / at_once;
		base &= owner != r->population->owner;
	}
	return scans + base;
}

/* The scans, one owner after the other: the population's first, since his rows are the population. */
static void
refresh_owners(refresh *r)
{
	List	   *rest;
	List	   *own = tags_of_owner(r->tags, r->population->owner, &rest);
	bool		base = r->whole || own != NIL;

	r->all_scans = count_scans(r, base);
	if (base)
		crm_refresh_owner(r, r->population->owner, own, true);
	while (rest != NIL)
	{
		Oid			owner = ((crm_tag *) linitial(rest))->owner;

		own = tags_of_owner(rest, owner, &rest);
		crm_refresh_owner(r, owner, own, false);
	}
}

void
crm_refresh_run(crm_refresh *r)
{
	TimestampTz started = GetCurrentTimestamp();
	bool		any_numbers;
	List	   *changed;

	crm_progress_begin("refresh_tags", r->population->name);
	crm_refresh_check_owners(r);
	changed = crm_inputs_before_refresh(r->population, r->tags);
	r->history = crm_history_begin(r->population);

	if (r->population->chunk_bits == 0)
		r->population->chunk_bits = choose_chunk_bits(r, r->population->owner);
	any_numbers = crm_keys_any(r->population);
	r->dictionary = r->population->key_form != CRM_KEY_INTEGER || any_numbers;
	if (r->dictionary && !any_numbers)
		(void) number_new_keys(r, r->population->owner);
	if (r->population->tracked && r->whole)
		crm_pending_store_timelines(r->population, crm_pending_read(r->population, DT_NOBEGIN));

	if (r->whole)
		crm_due_clear(r->population, NULL);
	refresh_owners(r);
	crm_progress_phase("noting the refresh", NULL, 0);
	note_refresh(r, started);
	crm_history_end(r->history, r->tags, r->whole, r->as_of);
	if (r->population->tracked && r->whole)
		crm_track_refreshed(r->population, r->as_of);
	crm_inputs_after_refresh(r->population, changed);
	crm_progress_end();
}

CRM_FUNCTION(crm_refresh_tags);
Datum
crm_refresh_tags(PG_FUNCTION_ARGS)
{
	refresh		r = {0};

	InitMaterializedSRF(fcinfo, 0);
	r.result = (ReturnSetInfo *) fcinfo->resultinfo;
	r.as_of = PG_ARGISNULL(2) ? GetCurrentTransactionStartTimestamp() : PG_GETARG_TIMESTAMPTZ(2);
	if (TIMESTAMP_NOT_FINITE(r.as_of))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("as_of must be a finite time")));
	r.columns_today = crm_past_columns_today(PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3)));

	r.population = crm_refresh_begin(PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0)));
	choose_tags(&r, PG_ARGISNULL(1) ? NULL : PG_GETARG_ARRAYTYPE_P(1));
	if (!r.columns_today)
		crm_past_check(r.population, r.tags, r.as_of);
	crm_refresh_run(&r);
	PopActiveSnapshot();

	if (r.null_keys > 0)
		ereport(NOTICE,
				(errmsg_plural(UINT64_FORMAT " row of %s has no key and is no customer",
							   UINT64_FORMAT " rows of %s have no key and are no customers",
							   (unsigned long) r.null_keys, r.null_keys, r.population->source_name)));
	return (Datum) 0;
}
