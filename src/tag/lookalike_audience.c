/*
 * lookalike_audience.c - who is like the customers of an audience, by the tags
 * of a population.
 *
 * All of it is counted on stored sets; no customer's row is read.
 */
#include "common/crm.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "common/progress.h"
#include "common/settings.h"
#include "funcapi.h"
#include "kernel/likeness.h"
#include "tag/number_tag.h"
#include "tag/readers.h"
#include "tag/segment_read.h"
#include "utils/array.h"
#include "utils/tuplestore.h"

CRM_FUNCTION(crm_lookalike);
CRM_FUNCTION(crm_lookalike_quality);
CRM_FUNCTION(crm_lookalike_traits);

/* A number of customers becomes at most so many bins, nearly equally large. */
#define NUMBER_BINS 10
#define USUAL_FOLDS 5
#define POINTS_OF_ONE 1000		/* 10 ^ CRM_LIKENESS_DIGITS */

typedef struct likeness
{
	crm_set_reader reader;
	crm_ids		seed;
	crm_ids		base;
	uint64		seed_size;
	uint64		base_size;
	List	   *names;			/* of the tags asked for; NIL: all */
	crm_likeness *counts;
	Size		bytes;			/* of the sets that are kept */

	/* what is made of each group, once it is weighed; NULL: nothing */
	void		(*take) (struct likeness *l, const crm_tag *tag, char **values, const crm_likeness_set *sets, uint32 count, double none);
	crm_bsi_collector *points;
	int64		everybody;		/* points of those who are in no set */
	ReturnSetInfo *rsinfo;
} likeness;

/* ---- groups ------------------------------------------------------------------------- */

/* A tag whose customers are exactly the seed is what is looked for, not how to find it. */
static bool
is_seed_itself(const likeness *l, const crm_likeness_set *set)
{
	return set->seed == l->seed_size && set->base == l->seed_size;
}

static void
weigh(likeness *l, const crm_tag *tag, char **values, crm_likeness_set *sets, uint32 count)
{
	double		none;

	CHECK_FOR_INTERRUPTS();
	l->bytes = 0;
	for (uint32 i = 0; i < count; i++)
	{
		sets[i].seed = crm_ids_and_count(&l->reader.env, l->seed, sets[i].ids);
		sets[i].base = crm_ids_and_count(&l->reader.env, l->base, sets[i].ids);
		l->bytes += sets[i].ids.size;
		if (l->names == NIL && is_seed_itself(l, &sets[i]))
		{
			for (uint32 k = 0; k < count; k++)
				crm_set_reader_release(&l->reader, sets[k].ids);
			return;
		}
	}
	if (l->bytes > (Size) crm_training_memory * 1024)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the sets of tag \"%s\" need more than crm_analytics.training_memory", tag->name),
				 errhint("Raise crm_analytics.training_memory, or name the tags to look at by the argument tags.")));
	crm_check(crm_likeness_add(l->counts, sets, count, &none), CRM_AUDIENCE_NAME, false);
	if (l->take != NULL)
		l->take(l, tag, values, sets, count, none);
	for (uint32 i = 0; i < count; i++)
		crm_set_reader_release(&l->reader, sets[i].ids);
}

static void
weigh_boolean(likeness *l, const crm_tag *tag)
{
	crm_likeness_set set = {crm_set_reader_tag(&l->reader, tag, CRM_NO_VALUE, NULL)};
	char	   *value = NULL;

	weigh(l, tag, &value, &set, 1);
}

static void
weigh_texts(likeness *l, const crm_tag *tag)
{
	uint64		count;
	crm_named_value *named = crm_set_reader_named_values(&l->reader, tag, &count);
	crm_likeness_set *sets = MemoryContextAllocHuge(CurrentMemoryContext, (count + 1) * sizeof(crm_likeness_set));
	char	  **values = MemoryContextAllocHuge(CurrentMemoryContext, (count + 1) * sizeof(char *));

	for (uint64 i = 0; i < count; i++)
	{
		sets[i] = (crm_likeness_set) {crm_set_reader_tag(&l->reader, tag, named[i].number, named[i].value)};
		values[i] = named[i].value;
	}
	weigh(l, tag, values, sets, (uint32) count);
}

/* Bins between deciles of those who have a number, each cut in the bin below it. */
static void
weigh_deciles(likeness *l, const crm_tag *tag)
{
	const crm_bsi *numbers = crm_set_reader_numbers(&l->reader, tag);
	uint64		total = crm_bsi_tally(&l->reader.env, numbers, NULL);
	crm_int128	cuts[NUMBER_BINS];
	char	   *values[NUMBER_BINS];
	crm_likeness_set sets[NUMBER_BINS];
	crm_int128	greatest;
	uint32		count = 0;

	if (total == 0)
		return;
	crm_check(crm_bsi_select(&l->reader.env, numbers, NULL, total - 1, &greatest), "crm.bsi", false);
	for (uint64 k = 1; k < NUMBER_BINS; k++)
	{
		crm_int128	cut;

		crm_check(crm_bsi_select(&l->reader.env, numbers, NULL, (uint64) ((crm_uint128) (total - 1) * k / NUMBER_BINS), &cut), "crm.bsi", false);
		if (cut < greatest && (count == 0 || cut > cuts[count - 1]))
			cuts[count++] = cut;
	}
	for (uint32 i = 0; i <= count; i++)
	{
		crm_ids_builder *builder;
		crm_int128	low = i == 0 ? 0 : cuts[i - 1] + 1;

		crm_check(crm_ids_builder_new(&l->reader.env, &builder), CRM_AUDIENCE_NAME, false);
		crm_check(crm_bsi_between(&l->reader.env, numbers, NULL, i == 0 ? NULL : &low, i == count ? NULL : &cuts[i], builder), "crm.bsi", false);
		sets[i] = (crm_likeness_set) {crm_ids_take(&l->reader.env, builder)};
		values[i] = psprintf("(%s,%s%s", i == 0 ? "" : crm_number_text(cuts[i - 1], (int) numbers->scale),
							 i == count ? "" : crm_number_text(cuts[i], (int) numbers->scale), i == count ? ")" : "]");
	}
	weigh(l, tag, values, sets, count + 1);
}

/* The numbers of a tag are large: they are gone before the next one's are read. */
static void
weigh_numbers(likeness *l, const crm_tag *tag)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "crm numbers", ALLOCSET_DEFAULT_SIZES);
	crm_env		env = l->reader.env;

	l->reader.env = crm_env_in(context);
	weigh_deciles(l, tag);
	l->reader.env = env;
	l->reader.numbers_of = 0;
	l->reader.numbers = NULL;
	MemoryContextDelete(context);
}

/* ---- all of them ---------------------------------------------------------------------- */

static List *
tags_to_look_at(likeness *l)
{
	List	   *found = NIL;
	ListCell   *cell;

	foreach(cell, l->names)
	{
		crm_tag    *tag = crm_tag_find(l->reader.population, lfirst(cell));

		crm_tag_require_in_use(tag);
		if (tag->refreshed_version == 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("tag \"%s\" has not been refreshed yet", tag->name),
					 errhint("Call refresh_tags first.")));
		found = lappend(found, tag);
	}
	if (found != NIL)
		return found;
	foreach(cell, crm_tag_list(l->reader.population))
	{
		crm_tag    *tag = lfirst(cell);

		if (tag->refreshed_version != 0 && tag->state != CRM_TAG_RETIRED)
			found = lappend(found, tag);
	}
	return found;
}

/* Names of an argument, each once; NULL: all tags. */
static List *
names_argument(FunctionCallInfo fcinfo, int argument)
{
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	List	   *names = NIL;

	if (PG_ARGISNULL(argument))
		return NIL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	if (count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no tags to look at"),
				 errhint("Leave the argument tags out, or give NULL, to look at all of them.")));
	for (int i = 0; i < count; i++)
	{
		ListCell   *cell;
		char	   *name;
		bool		known = false;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a name in the argument tags must not be NULL")));
		name = TextDatumGetCString(elements[i]);
		foreach(cell, names)
			known = known || strcmp(lfirst(cell), name) == 0;
		if (!known)
			names = lappend(names, name);
	}
	return names;
}

/* (seed audience, population text, tags text[]): reads and counts; false where there is no seed or nobody else. */
static bool
begin(FunctionCallInfo fcinfo, likeness *l, uint32 folds)
{
	crm_audience *seed;

	memset(l, 0, sizeof(*l));
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the seed must not be NULL")));
	seed = crm_audience_fetch(PG_GETARG_DATUM(0), NULL, 0);
	l->names = names_argument(fcinfo, 2);
	crm_set_reader_begin_stamped(&l->reader, crm_text_argument(fcinfo, 1), seed->population);
	l->base = crm_set_reader_base(&l->reader);
	l->seed = crm_set_reader_combine(&l->reader, CRM_AND, l->base, crm_audience_ids(seed));
	l->seed_size = crm_ids_count(l->seed);
	l->base_size = crm_ids_count(l->base);
	if (l->seed_size == 0 || l->seed_size == l->base_size)
		return false;
	crm_check(crm_likeness_new(&l->reader.env, l->seed, l->base, folds, &l->counts), CRM_AUDIENCE_NAME, false);
	return true;
}

static void
look(likeness *l)
{
	List	   *tags = tags_to_look_at(l);
	ListCell   *cell;

	crm_set_reader_want(&l->reader, tags);
	crm_progress_begin("lookalike", l->reader.population->name);
	crm_progress_phase("weighing tags", "tags", list_length(tags));
	foreach(cell, tags)
	{
		const crm_tag *tag = lfirst(cell);

		crm_progress_done(foreach_current_index(cell));
		if (tag->type == CRM_VALUE_BOOLEAN)
			weigh_boolean(l, tag);
		else if (tag->type == CRM_VALUE_TEXT)
			weigh_texts(l, tag);
		else
			weigh_numbers(l, tag);
	}
	crm_progress_end();
}

/* ---- scores ------------------------------------------------------------------------------ */

static int64
points_of(double weight)
{
	return (int64) rint(weight * POINTS_OF_ONE);
}

static void
take_points(likeness *l, const crm_tag *tag, char **values, const crm_likeness_set *sets, uint32 count, double none)
{
	l->everybody += points_of(none);
	for (uint32 i = 0; i < count; i++)
		crm_check(crm_bsi_collector_add_set(l->points, sets[i].ids, points_of(sets[i].weight) - points_of(none), CRM_LIKENESS_DIGITS), "crm.bsi", false);
}

/* lookalike(seed, population, tags); NULL without a seed or anybody else */
Datum
crm_lookalike(PG_FUNCTION_ARGS)
{
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "crm lookalike", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(work);
	likeness	l;
	const crm_bsi_image *image;
	crm_bsi    *scores;
	void	   *result;

	if (!begin(fcinfo, &l, USUAL_FOLDS))
	{
		MemoryContextSwitchTo(caller);
		MemoryContextDelete(work);
		PG_RETURN_NULL();
	}
	l.take = take_points;
	crm_check(crm_bsi_collector_new(&l.reader.env, &l.points), "crm.bsi", false);
	look(&l);
	crm_check(crm_bsi_collector_add_set(l.points, l.base, l.everybody, CRM_LIKENESS_DIGITS), "crm.bsi", false);
	crm_check(crm_bsi_collector_build(l.points, &image), "crm.bsi", false);
	scores = palloc(sizeof(crm_bsi));
	crm_bsi_image_view(image, scores);
	MemoryContextSwitchTo(caller);
	result = crm_bsi_of_sets(scores);
	MemoryContextDelete(work);
	PG_RETURN_POINTER(result);
}

/* ---- how good they are ------------------------------------------------------------------------ */

static void
put_fold(ReturnSetInfo *rsinfo, int32 number, const crm_likeness_fold *fold)
{
	Datum		values[6];
	bool		nulls[6] = {number == 0, false, false, isnan(fold->auc), isnan(fold->auc), isnan(fold->auc)};

	values[0] = Int32GetDatum(number);
	values[1] = Int64GetDatum((int64) fold->seed);
	values[2] = Int64GetDatum((int64) fold->others);
	values[3] = Float8GetDatum(fold->auc);
	values[4] = Float8GetDatum(fold->top_tenth);
	values[5] = Float8GetDatum(fold->top_tenth * 10);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* lookalike_quality(seed, population, tags, folds): fold, seed, others, auc, top_tenth, lift; the means last */
Datum
crm_lookalike_quality(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int32		folds = PG_ARGISNULL(3) ? USUAL_FOLDS : PG_GETARG_INT32(3);
	likeness	l;
	crm_likeness_fold results[CRM_LIKENESS_MAX_FOLDS];
	crm_likeness_fold mean = {0};
	int			judged = 0;

	if (folds < 2 || folds > CRM_LIKENESS_MAX_FOLDS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of folds \"%d\" is out of range", folds),
				 errdetail("It lies between 2 and %d.", CRM_LIKENESS_MAX_FOLDS)));
	InitMaterializedSRF(fcinfo, 0);
	if (!begin(fcinfo, &l, (uint32) folds))
		return (Datum) 0;
	look(&l);
	crm_check(crm_likeness_judge(l.counts, results), CRM_AUDIENCE_NAME, false);
	for (int32 f = 0; f < folds; f++)
	{
		put_fold(rsinfo, f + 1, &results[f]);
		mean.seed += results[f].seed;
		mean.others += results[f].others;
		if (isnan(results[f].auc))
			continue;
		judged++;
		mean.auc += results[f].auc;
		mean.top_tenth += results[f].top_tenth;
	}
	mean.auc = judged == 0 ? NAN : mean.auc / judged;
	mean.top_tenth = judged == 0 ? NAN : mean.top_tenth / judged;
	put_fold(rsinfo, 0, &mean);
	return (Datum) 0;
}

/* ---- what they are made of ---------------------------------------------------------------------- */

static void
put_trait(likeness *l, const crm_tag *tag, const char *value, bool none, uint64 seed, uint64 base, double weight)
{
	Datum		values[6];
	bool		nulls[6] = {false, value == NULL};

	if (base == 0)
		return;
	values[0] = CStringGetTextDatum(tag->name);
	values[1] = value == NULL ? (Datum) 0 : CStringGetTextDatum(value);
	values[2] = BoolGetDatum(!none);
	values[3] = Float8GetDatum((double) seed / (double) l->seed_size);
	values[4] = Float8GetDatum((double) (base - seed) / (double) (l->base_size - l->seed_size));
	values[5] = Float8GetDatum(weight);
	tuplestore_putvalues(l->rsinfo->setResult, l->rsinfo->setDesc, values, nulls);
}

static void
take_traits(likeness *l, const crm_tag *tag, char **values, const crm_likeness_set *sets, uint32 count, double none)
{
	uint64		seed = l->seed_size;
	uint64		base = l->base_size;

	for (uint32 i = 0; i < count; i++)
	{
		put_trait(l, tag, values[i], false, sets[i].seed, sets[i].base, sets[i].weight);
		seed -= sets[i].seed;
		base -= sets[i].base;
	}
	put_trait(l, tag, NULL, true, seed, base, none);
}

/* lookalike_traits(seed, population, tags): tag, value, has, seed_share, others_share, weight */
Datum
crm_lookalike_traits(PG_FUNCTION_ARGS)
{
	likeness	l;

	InitMaterializedSRF(fcinfo, 0);
	if (!begin(fcinfo, &l, USUAL_FOLDS))
		return (Datum) 0;
	l.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	l.take = take_traits;
	look(&l);
	return (Datum) 0;
}
