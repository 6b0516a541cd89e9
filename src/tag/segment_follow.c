/*
 * segment_follow.c - recording who entered and who left segments with a name.
 *
 * At the end of each change every followed segment is evaluated and compared
 * with the members that it had.  Both are kept by scope: a reader of some
 * scopes gets the difference of the sets that he would have read, and for a
 * reader of all of them a customer who only moved between scopes cancels out.
 */
#include "common/crm.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/async.h"
#include "common/bridge.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "tag/history.h"
#include "tag/readers.h"
#include "tag/segment_follow.h"
#include "tag/segment_read.h"
#include "utils/json.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#define MEMBERS_NAME "segment_followed"
#define CHANNEL "crm_segment_changes"

typedef struct scope_set
{
	int32		scope_no;
	crm_ids		ids;
} scope_set;

typedef struct follower
{
	const crm_population *population;
	crm_past	now;			/* the sets as they are stored after this change */
	TimestampTz changed_at;
	crm_env		env;			/* of what all segments share */
	scope_set  *bases;			/* the population itself by scope; without scope column none */
	int			scopes;
} follower;

crm_ids
crm_segment_stored_ids(Datum value, bool isnull)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_ids		ids = {NULL, 0};
	struct varlena *bytes;
	uint64_t	cardinality;
	bool		canonical;

	if (isnull)
		return ids;
	bytes = PG_DETOAST_DATUM_COPY(value);
	ids.data = (const uint8_t *) VARDATA(bytes);
	ids.size = VARSIZE(bytes) - VARHDRSZ;
	/* the tables' owner may have written them */
	crm_check(crm_ids_validate_long(&env, ids.data, ids.size, &cardinality, &canonical), MEMBERS_NAME, false);
	if (!canonical)
		crm_check(CRM_CORRUPT, MEMBERS_NAME, false);
	return ids;
}

/* ---- sets ------------------------------------------------------------------------------- */

static crm_ids
combine(crm_ids_op op, crm_ids a, crm_ids b)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_ids_builder *builder;

	crm_check(crm_ids_builder_new(&env, &builder), CRM_AUDIENCE_NAME, false);
	crm_check(crm_ids_combine(&env, op, a, b, builder), CRM_AUDIENCE_NAME, false);
	return crm_ids_take(&env, builder);
}

static crm_ids
nobody(void)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_ids_builder *builder;

	crm_check(crm_ids_builder_new(&env, &builder), CRM_AUDIENCE_NAME, false);
	return crm_ids_take(&env, builder);
}

static void
read_bases(follower *f)
{
	crm_catalogue_session session;
	uint64		n;

	if (f->population->scope_column == NULL)
		return;
	crm_catalogue_begin(&session);
	n = crm_catalogue_read("SELECT DISTINCT scope_no FROM @.tag_size WHERE tag_id = $1 ORDER BY scope_no",
						   1, INT4OID, Int32GetDatum(CRM_BASE_TAG(f->population)), false);
	f->bases = MemoryContextAlloc(session.caller, (n + 1) * sizeof(scope_set));
	f->scopes = (int) n;
	for (uint64 row = 0; row < n; row++)
		f->bases[row].scope_no = crm_catalogue_place(row, 1);
	crm_catalogue_end(&session);
	for (int i = 0; i < f->scopes; i++)
	{
		crm_scopes	one = {false, 1, &f->bases[i].scope_no};
		crm_ids_builder *builder;

		crm_check(crm_ids_builder_new(&f->env, &builder), CRM_AUDIENCE_NAME, false);
		crm_store_read(f->population, CRM_BASE_TAG(f->population), CRM_NO_VALUE, &one, builder);
		f->bases[i].ids = crm_ids_take(&f->env, builder);
	}
}

/* ---- one segment --------------------------------------------------------------------------- */

/* Errors that are the segment's: a tag that is gone, or without sets so far. */
static bool
is_of_the_segment(int code)
{
	return code == ERRCODE_UNDEFINED_OBJECT || code == ERRCODE_DATATYPE_MISMATCH ||
		code == ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE || code == ERRCODE_INVALID_RECURSION ||
		code == ERRCODE_FEATURE_NOT_SUPPORTED || code == ERRCODE_SYNTAX_ERROR;
}

/*
 * The members of a segment, in the current context; false, and a warning, when
 * it cannot be evaluated.  It must not keep the refresh from ending.  One whose
 * tags are still to be refreshed for the first time waits without a word.
 */
static bool
evaluate(const follower *f, const crm_defined_segment *segment, crm_ids *members)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		if (segment->frozen)
			*members = crm_defined_segment_members(segment);
		else
		{
			crm_set_reader reader;

			crm_set_reader_begin_stored(&reader, &f->now);
			*members = crm_set_reader_segment(&reader, segment->expression);
		}
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
		return true;
	if (!is_of_the_segment(error->sqlerrcode))
		ReThrowError(error);
	if (error->sqlerrcode != ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE)
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("changes of segment \"%s\" are not recorded: %s", segment->name, error->message),
				 errhint("Give it another expression with %1$s.define_segment(..., replace => true), or drop it.", crm_schema())));
	return false;
}

/* The members that it had after the change before, by scope; started false: none were kept. */
static scope_set *
read_before(const crm_defined_segment *segment, int *count, bool *started)
{
	crm_catalogue_session session;
	scope_set  *sets;
	uint64		n;

	crm_catalogue_begin(&session);
	*started = crm_catalogue_write("SELECT FROM @.segment_follow WHERE segment_id = $1 AND started",
								   1, INT4OID, Int32GetDatum(segment->id), false) > 0;
	/* cast: whoever altered the column is to get an error, not a crash */
	n = crm_catalogue_write("SELECT scope_no, members::bytea FROM @.segment_followed WHERE segment_id = $1 ORDER BY scope_no",
							1, INT4OID, Int32GetDatum(segment->id), false);
	sets = MemoryContextAlloc(session.caller, (n + 1) * sizeof(scope_set));
	for (uint64 row = 0; row < n; row++)
	{
		MemoryContext old = MemoryContextSwitchTo(session.caller);
		bool		isnull;
		Datum		value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 2, &isnull);

		sets[row].scope_no = crm_catalogue_place(row, 1);
		sets[row].ids = crm_segment_stored_ids(value, isnull);
		if (isnull)
			crm_check(CRM_CORRUPT, MEMBERS_NAME, false);
		MemoryContextSwitchTo(old);
	}
	crm_catalogue_end(&session);
	*count = (int) n;
	return sets;
}

static Datum
as_bytea(crm_ids ids)
{
	bytea	   *bytes;

	crm_check_size(VARHDRSZ + ids.size, MEMBERS_NAME);
	bytes = palloc(VARHDRSZ + ids.size);
	SET_VARSIZE(bytes, VARHDRSZ + ids.size);
	memcpy(VARDATA(bytes), ids.data, ids.size);
	return PointerGetDatum(bytes);
}

static void
store_scope(const follower *f, const crm_defined_segment *segment, int32 scope_no, crm_ids before, crm_ids after, bool started)
{
	crm_catalogue_session session;

	crm_catalogue_begin(&session);
	if (started)
		(void) crm_catalogue_write("INSERT INTO @.segment_change VALUES ($1, $2, $3, $4, $5, $6)",
								   6, INT4OID, Int32GetDatum(segment->id), false,
								   INT8OID, Int64GetDatum(f->now.change_no), false,
								   INT4OID, Int32GetDatum(scope_no), false,
								   TIMESTAMPTZOID, TimestampTzGetDatum(f->changed_at), false,
								   BYTEAOID, as_bytea(combine(CRM_ANDNOT, after, before)), false,
								   BYTEAOID, as_bytea(combine(CRM_ANDNOT, before, after)), false);
	if (crm_ids_count(after) == 0)
		(void) crm_catalogue_write("DELETE FROM @.segment_followed WHERE segment_id = $1 AND scope_no = $2",
								   2, INT4OID, Int32GetDatum(segment->id), false, INT4OID, Int32GetDatum(scope_no), false);
	else
		(void) crm_catalogue_write("INSERT INTO @.segment_followed VALUES ($1, $2, $3) "
								   "ON CONFLICT (segment_id, scope_no) DO UPDATE SET members = excluded.members",
								   3, INT4OID, Int32GetDatum(segment->id), false,
								   INT4OID, Int32GetDatum(scope_no), false, BYTEAOID, as_bytea(after), false);
	crm_catalogue_end(&session);
}

/* Told when the transaction commits, and once however many changes it makes. */
static void
notify(const crm_population *population, const crm_defined_segment *segment)
{
	StringInfoData payload;

	initStringInfo(&payload);
	appendStringInfoString(&payload, "{\"population\": ");
	escape_json(&payload, population->name);
	appendStringInfoString(&payload, ", \"segment\": ");
	escape_json(&payload, segment->name);
	appendStringInfoChar(&payload, '}');
	Async_Notify(CHANNEL, payload.data);
}

static void
follow_one(const follower *f, const crm_defined_segment *segment)
{
	crm_catalogue_session session;
	crm_ids		members;
	crm_ids		none;
	scope_set	whole = {0};
	const scope_set *scopes = f->population->scope_column == NULL ? &whole : f->bases;
	int			scope_count = f->population->scope_column == NULL ? 1 : f->scopes;
	scope_set  *before;
	int			before_count;
	int			b = 0;
	bool		started;
	bool		changed = false;

	if (!evaluate(f, segment, &members))
		return;
	none = nobody();
	before = read_before(segment, &before_count, &started);
	/* both lists ascend by scope; a scope may have lost all its customers */
	for (int s = 0; s < scope_count || b < before_count;)
	{
		bool		has_now = s < scope_count && (b == before_count || scopes[s].scope_no <= before[b].scope_no);
		bool		had = b < before_count && (s == scope_count || before[b].scope_no <= scopes[s].scope_no);
		int32		scope_no = has_now ? scopes[s].scope_no : before[b].scope_no;
		crm_ids		old = had ? before[b].ids : none;
		crm_ids		new = !has_now ? none : f->population->scope_column == NULL ? members :
			combine(CRM_AND, members, scopes[s].ids);

		CHECK_FOR_INTERRUPTS();
		s += has_now;
		b += had;
		if (old.size == new.size && memcmp(old.data, new.data, old.size) == 0)
			continue;
		store_scope(f, segment, scope_no, old, new, started);
		changed = true;
	}
	if (!started)
	{
		crm_catalogue_begin(&session);
		(void) crm_catalogue_write("INSERT INTO @.segment_follow VALUES ($1, true, $2, NULL) "
								   "ON CONFLICT (segment_id) DO UPDATE SET started = true, lost_no = $2, lost_at = $3",
								   3, INT4OID, Int32GetDatum(segment->id), false,
								   INT8OID, Int64GetDatum(f->now.change_no), false,
								   TIMESTAMPTZOID, TimestampTzGetDatum(f->changed_at), false);
		crm_catalogue_end(&session);
	}
	else if (changed)
		notify(f->population, segment);
}

/* ---- all segments ------------------------------------------------------------------------------ */

void
crm_segments_follow(const crm_population *population, int64 change_no, TimestampTz changed_at)
{
	MemoryContext shared = AllocSetContextCreate(CurrentMemoryContext, "crm followed segments", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(shared);
	MemoryContext own = AllocSetContextCreate(shared, "crm followed segment", ALLOCSET_DEFAULT_SIZES);
	follower	f = {population, {population, DT_NOEND, change_no}, changed_at, crm_env_in(shared), NULL, 0};
	List	   *segments;
	ListCell   *cell;

	/* this change's sets and definitions */
	CommandCounterIncrement();
	UpdateActiveSnapshotCommandId();
	segments = crm_defined_segments_followed(population);
	if (segments != NIL)
		read_bases(&f);
	foreach(cell, segments)
	{
		MemoryContextSwitchTo(own);
		follow_one(&f, lfirst(cell));
		MemoryContextReset(own);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(shared);
}

void
crm_segments_forget(const crm_population *population, const int64 *mark)
{
	crm_catalogue_session session;

	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("WITH gone AS ("
							   " DELETE FROM @.segment_change c USING @.segment_definition d "
							   " WHERE c.segment_id = d.segment_id AND d.population_id = $1 AND ($2 IS NULL OR c.change_no <= $2) "
							   " RETURNING c.segment_id, c.change_no, c.changed_at) "
							   "UPDATE @.segment_follow f SET lost_no = g.change_no, lost_at = g.changed_at "
							   "FROM (SELECT segment_id, max(change_no) AS change_no, max(changed_at) AS changed_at FROM gone GROUP BY segment_id) g "
							   "WHERE f.segment_id = g.segment_id",
							   2, INT4OID, Int32GetDatum(population->id), false,
							   INT8OID, Int64GetDatum(mark == NULL ? 0 : *mark), mark == NULL);
	if (mark == NULL)
	{
		(void) crm_catalogue_write("DELETE FROM @.segment_followed m USING @.segment_definition d "
								   "WHERE m.segment_id = d.segment_id AND d.population_id = $1",
								   1, INT4OID, Int32GetDatum(population->id), false);
		(void) crm_catalogue_write("UPDATE @.segment_follow f SET started = false FROM @.segment_definition d "
								   "WHERE f.segment_id = d.segment_id AND d.population_id = $1",
								   1, INT4OID, Int32GetDatum(population->id), false);
	}
	crm_catalogue_end(&session);
}

void
crm_segment_forget(const crm_defined_segment *segment)
{
	crm_catalogue_session session;
	Datum		id = Int32GetDatum(segment->id);

	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("DELETE FROM @.segment_change WHERE segment_id = $1", 1, INT4OID, id, false);
	(void) crm_catalogue_write("DELETE FROM @.segment_followed WHERE segment_id = $1", 1, INT4OID, id, false);
	(void) crm_catalogue_write("UPDATE @.segment_follow SET started = false WHERE segment_id = $1", 1, INT4OID, id, false);
	crm_catalogue_end(&session);
}
