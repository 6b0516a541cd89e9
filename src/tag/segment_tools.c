/*
 * segment_tools.c - segments compared: how they overlap, what sets one apart
 * from its base, and control groups.
 *
 * All of it is counted on stored sets; no customer's row is read.
 */
#include "common/crm.h"

#include <math.h>

#include "common/bridge.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "kernel/holdout.h"
#include "kernel/significance.h"
#include "mb/pg_wchar.h"
#include "tag/readers.h"
#include "tag/segment_read.h"
#include "utils/array.h"

/* A matrix of so many segments has a million rows. */
#define MAX_OVERLAP 1000

/* part of whole, or NULL where the whole is empty */
static Datum
share(uint64 part, uint64 whole, bool *isnull)
{
	*isnull = whole == 0;
	return whole == 0 ? (Datum) 0 : Float8GetDatum((double) part / (double) whole);
}

/* ---- overlap ---------------------------------------------------------------------- */

static void
put_overlap(ReturnSetInfo *rsinfo, const Datum *expressions, const uint64 *members, int a, int b, uint64 both)
{
	Datum		values[8];
	bool		nulls[8] = {false};

	values[0] = expressions[a];
	values[1] = expressions[b];
	values[2] = Int64GetDatum((int64) members[a]);
	values[3] = Int64GetDatum((int64) members[b]);
	values[4] = Int64GetDatum((int64) both);
	values[5] = share(both, members[a], &nulls[5]);
	values[6] = share(both, members[b], &nulls[6]);
	values[7] = share(both, members[a] + members[b] - both, &nulls[7]);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* crm.segment_overlap(expressions, population) */
CRM_FUNCTION(crm_segment_overlap);
Datum
crm_segment_overlap(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	crm_set_reader reader;
	Datum	   *expressions;
	bool	   *missing;
	int			count;
	crm_ids    *sets;
	uint64	   *members;
	uint64	   *both;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument expressions must not be NULL")));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &expressions, &missing, &count);
	if (count > MAX_OVERLAP)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many segments to compare: %d", count),
				 errdetail("At most %d are allowed.", MAX_OVERLAP)));
	InitMaterializedSRF(fcinfo, 0);
	crm_set_reader_begin(&reader, crm_text_argument(fcinfo, 1));

	sets = palloc(Max(count, 1) * sizeof(crm_ids));
	members = palloc(Max(count, 1) * sizeof(uint64));
	both = palloc0(Max(count, 1) * Max(count, 1) * sizeof(uint64));
	for (int i = 0; i < count; i++)
	{
		if (missing[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a segment expression must not be NULL")));
		sets[i] = crm_set_reader_segment(&reader, TextDatumGetCString(expressions[i]));
		members[i] = crm_ids_count(sets[i]);
	}
	for (int a = 0; a < count; a++)
	{
		for (int b = 0; b < count; b++)
		{
			CHECK_FOR_INTERRUPTS();
			if (b < a)
				both[a * count + b] = both[b * count + a];
			else
				both[a * count + b] = a == b ? members[a] : crm_ids_and_count(&reader.env, sets[a], sets[b]);
			put_overlap(rsinfo, expressions, members, a, b, both[a * count + b]);
		}
	}
	return (Datum) 0;
}

/* ---- profile ---------------------------------------------------------------------- */

typedef struct profile_row
{
	const char *tag;
	const char *value;			/* NULL: boolean tag */
	uint64		segment_members;
	uint64		base_members;
} profile_row;

typedef struct profile
{
	crm_set_reader reader;
	crm_ids		segment;		/* part of the base */
	crm_ids		base;
	uint64		segment_size;
	uint64		base_size;
	double		fdr;
	profile_row *rows;
	double	   *p;				/* beside the rows */
	size_t		count;
	size_t		room;
} profile;

static void
count_set(profile *f, const crm_tag *tag, const char *value, int32 value_no)
{
	crm_ids		set = crm_set_reader_tag(&f->reader, tag, value_no, value);
	profile_row row = {tag->name, value, 0, 0};

	CHECK_FOR_INTERRUPTS();
	row.segment_members = crm_ids_and_count(&f->reader.env, f->segment, set);
	row.base_members = crm_ids_and_count(&f->reader.env, f->base, set);
	crm_set_reader_release(&f->reader, set);
	if (row.base_members == 0)	/* nobody has it: nothing to compare */
		return;
	if (f->count == f->room)
	{
		f->room *= 2;
		f->rows = repalloc_huge(f->rows, f->room * sizeof(profile_row));
		f->p = repalloc_huge(f->p, f->room * sizeof(double));
	}
	/* segment and the rest of the base, with and without */
	crm_check(crm_fisher_exact(&f->reader.env, row.segment_members, f->segment_size - row.segment_members,
							   row.base_members - row.segment_members,
							   f->base_size - f->segment_size - (row.base_members - row.segment_members),
							   &f->p[f->count]), "segment profile", false);
	f->rows[f->count++] = row;
}

static int
compare_values(const void *a, const void *b)
{
	return strcmp(((const crm_named_value *) a)->value, ((const crm_named_value *) b)->value);
}

crm_named_value *
crm_set_reader_named_values(crm_set_reader *reader, const crm_tag *tag, uint64 *count)
{
	List	   *now = crm_set_reader_values(reader, tag);
	crm_catalogue_session session;
	uint64		n;
	uint64		known;
	crm_named_value *values;
	ListCell   *cell;

	crm_catalogue_begin(&session);
	n = crm_catalogue_read("SELECT value_no, value FROM @.tag_value WHERE tag_id = $1 ORDER BY value COLLATE \"C\"",
						   1, INT4OID, Int32GetDatum(tag->id), false);
	values = MemoryContextAllocHuge(session.caller, (n + list_length(now) + 1) * sizeof(crm_named_value));
	for (uint64 row = 0; row < n; row++)
	{
		values[row].number = (int32) crm_catalogue_number(row, 1, NULL);
		values[row].value = crm_catalogue_required(&session, row, 2);
	}
	crm_catalogue_end(&session);
	known = n;
	foreach(cell, now)
	{
		crm_named_value value = {lfirst(cell), -1};

		if (bsearch(&value, values, known, sizeof(crm_named_value), compare_values) == NULL)
			values[n++] = value;
	}
	if (n > known)
		qsort(values, n, sizeof(crm_named_value), compare_values);
	*count = n;
	return values;
}

static void
count_values(profile *f, const crm_tag *tag)
{
	uint64		n;
	crm_named_value *values = crm_set_reader_named_values(&f->reader, tag, &n);

	for (uint64 i = 0; i < n; i++)
		count_set(f, tag, values[i].value, values[i].number);
}

static void
put_profile(const profile *f, ReturnSetInfo *rsinfo)
{
	double	   *q = palloc_extended(Max(f->count, 1) * sizeof(double), MCXT_ALLOC_HUGE);

	crm_check(crm_benjamini_hochberg(&f->reader.env, f->p, f->count, q), "segment profile", false);
	for (size_t i = 0; i < f->count; i++)
	{
		const profile_row *row = &f->rows[i];
		Datum		values[10];
		bool		nulls[10] = {false};

		values[0] = CStringGetTextDatum(row->tag);
		nulls[1] = row->value == NULL;
		values[1] = row->value == NULL ? (Datum) 0 : CStringGetTextDatum(row->value);
		values[2] = Int64GetDatum((int64) row->segment_members);
		values[3] = share(row->segment_members, f->segment_size, &nulls[3]);
		values[4] = Int64GetDatum((int64) row->base_members);
		values[5] = share(row->base_members, f->base_size, &nulls[5]);
		nulls[6] = nulls[3];
		values[6] = nulls[6] ? (Datum) 0 : Float8GetDatum(DatumGetFloat8(values[3]) / DatumGetFloat8(values[5]) * 100);
		values[7] = Float8GetDatum(f->p[i]);
		values[8] = Float8GetDatum(q[i]);
		values[9] = BoolGetDatum(q[i] <= f->fdr);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		pfree(DatumGetPointer(values[0]));
		if (!nulls[1])
			pfree(DatumGetPointer(values[1]));
	}
}

/* The segment and base are set; the rest of both functions. */
static Datum
make_profile(FunctionCallInfo fcinfo, profile *f)
{
	List	   *tags;
	ListCell   *cell;

	f->segment = crm_set_reader_combine(&f->reader, CRM_AND, f->segment, f->base);
	f->segment_size = crm_ids_count(f->segment);
	f->base_size = crm_ids_count(f->base);
	f->fdr = PG_ARGISNULL(3) ? 0.05 : PG_GETARG_FLOAT8(3);
	if (isnan(f->fdr))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("argument fdr must not be NaN")));
	if (f->fdr < 0 || f->fdr > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument fdr must be from 0 to 1, not %g", f->fdr)));
	f->count = 0;
	f->room = 64;
	f->rows = palloc(f->room * sizeof(profile_row));
	f->p = palloc(f->room * sizeof(double));

	tags = crm_tag_list(f->reader.population);
	crm_set_reader_want(&f->reader, tags);
	foreach(cell, tags)
	{
		const crm_tag *tag = lfirst(cell);

		if (tag->refreshed_version == 0 || tag->state == CRM_TAG_RETIRED)
			continue;
		if (tag->type == CRM_VALUE_BOOLEAN)
			count_set(f, tag, NULL, CRM_NO_VALUE);
		else if (tag->type == CRM_VALUE_TEXT)
			count_values(f, tag);
	}
	InitMaterializedSRF(fcinfo, 0);
	put_profile(f, (ReturnSetInfo *) fcinfo->resultinfo);
	return (Datum) 0;
}

static void
require_segment(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the segment must not be NULL")));
}

void
crm_set_reader_begin_stamped(crm_set_reader *reader, const char *population, uint32 stamp)
{
	/* A stamped audience knows its population. */
	if (population == NULL && stamp != 0)
		population = crm_population_find_by_id((int32) stamp)->name;
	crm_set_reader_begin(reader, population);
	if (stamp != 0 && (int32) stamp != reader->population->id)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the audience is of another population than \"%s\"", reader->population->name)));
}

/* crm.segment_profile(audience, base, population, fdr) */
CRM_FUNCTION(crm_segment_profile_audience);
Datum
crm_segment_profile_audience(PG_FUNCTION_ARGS)
{
	profile		f;
	crm_audience *segment;
	crm_audience *base = NULL;
	uint32		stamp;
	char	   *population = crm_text_argument(fcinfo, 2);

	require_segment(fcinfo);
	segment = crm_audience_fetch(PG_GETARG_DATUM(0), NULL, 0);
	stamp = segment->population;
	if (!PG_ARGISNULL(1))
	{
		base = crm_audience_fetch(PG_GETARG_DATUM(1), NULL, 1);
		stamp = crm_audience_common_stamp(stamp, base->population);
	}
	crm_set_reader_begin_stamped(&f.reader, population, stamp);
	f.segment = crm_audience_ids(segment);
	f.base = crm_set_reader_base(&f.reader);
	if (base != NULL)			/* those of it who are customers, in readable scopes */
		f.base = crm_set_reader_combine(&f.reader, CRM_AND, f.base, crm_audience_ids(base));
	return make_profile(fcinfo, &f);
}

/* crm.segment_profile(expression, base, population, fdr) */
CRM_FUNCTION(crm_segment_profile_expression);
Datum
crm_segment_profile_expression(PG_FUNCTION_ARGS)
{
	profile		f;

	require_segment(fcinfo);
	crm_set_reader_begin(&f.reader, crm_text_argument(fcinfo, 2));
	f.segment = crm_set_reader_segment(&f.reader, crm_text_argument(fcinfo, 0));
	f.base = crm_set_reader_base(&f.reader);
	if (!PG_ARGISNULL(1))
		f.base = crm_set_reader_combine(&f.reader, CRM_AND, f.base,
										crm_set_reader_segment(&f.reader, crm_text_argument(fcinfo, 1)));
	return make_profile(fcinfo, &f);
}

/* ---- the tests by themselves --------------------------------------------------------- */

/* crm.fisher_exact(a, b, c, d) */
CRM_FUNCTION(crm_fisher_exact_test);
Datum
crm_fisher_exact_test(PG_FUNCTION_ARGS)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	uint64		counts[4];
	double		p;

	for (int i = 0; i < 4; i++)
	{
		if (PG_GETARG_INT64(i) < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a count must not be negative: " INT64_FORMAT, PG_GETARG_INT64(i))));
		counts[i] = (uint64) PG_GETARG_INT64(i);
	}
	if (crm_fisher_exact(&env, counts[0], counts[1], counts[2], counts[3], &p) == CRM_OUT_OF_RANGE)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("counts of a table are too large"),
				 errdetail("Together they are at most " UINT64_FORMAT ".", (uint64) CRM_FISHER_MAX_TOTAL)));
	PG_RETURN_FLOAT8(p);
}

/* crm.benjamini_hochberg(p) */
CRM_FUNCTION(crm_false_discovery_rates);
Datum
crm_false_discovery_rates(PG_FUNCTION_ARGS)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	Datum	   *values;
	bool	   *nulls;
	int			count;
	int			used = 0;
	double	   *p;
	double	   *q;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("p values must be an array of one dimension")));
	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, &nulls, &count);
	if (count == 0)
		PG_RETURN_ARRAYTYPE_P(array);
	p = palloc(count * sizeof(double));
	q = palloc(count * sizeof(double));
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			continue;
		p[used] = DatumGetFloat8(values[i]);
		if (!(p[used] >= 0 && p[used] <= 1))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("a p value must be from 0 to 1, not %g", p[used])));
		used++;
	}
	crm_check(crm_benjamini_hochberg(&env, p, used, q), "p values", false);
	used = 0;
	for (int i = 0; i < count; i++)
		if (!nulls[i])
			values[i] = Float8GetDatum(q[used++]);
	PG_RETURN_ARRAYTYPE_P(construct_md_array(values, nulls, 1, ARR_DIMS(array), ARR_LBOUND(array),
											 FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* ---- control groups ------------------------------------------------------------------ */

/* crm.holdout(audience, share, salt) */
CRM_FUNCTION(crm_holdout);
Datum
crm_holdout(PG_FUNCTION_ARGS)
{
	crm_audience *audience = crm_audience_fetch(PG_GETARG_DATUM(0), fcinfo->flinfo, 0);
	double		part = PG_GETARG_FLOAT8(1);
	char	   *salt = text_to_cstring(PG_GETARG_TEXT_PP(2));
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_ids_builder *builder;
	uint64		seed;

	if (isnan(part))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("argument share must not be NaN")));
	if (part < 0 || part > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument share must be from 0 to 1, not %g", part)));
	/* the same salt is the same in databases of every encoding */
	salt = pg_server_to_any(salt, (int) strlen(salt), PG_UTF8);
	seed = crm_holdout_seed((const uint8_t *) salt, strlen(salt));
	crm_check(crm_ids_builder_new(&env, &builder), CRM_AUDIENCE_NAME, false);
	crm_check(crm_ids_holdout(&env, crm_audience_ids(audience), part, seed, builder), CRM_AUDIENCE_NAME, false);
	PG_RETURN_AUDIENCE(crm_audience_finish(builder, audience->population));
}
