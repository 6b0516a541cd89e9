/*
 * likeness.c - weights of sets by their intersections with a seed, and how good
 * they are.
 */
#include "kernel/likeness.h"

#include <math.h>
#include <stdlib.h>

#include "kernel/lookalike.h"
#include "kernel/scores.h"

/* Any number will do: the same customers are drawn each time. */
#define DRAW_SEED 20

typedef struct asked
{
	uint64_t	id;
	double		score;			/* by the weights of his fold */
	uint32_t	set;			/* of the group at hand: from 1, or 0 for none */
	uint8_t		fold;
	bool		seed;
} asked;

/* Customers of the seed and others. */
typedef struct totals
{
	double		seed;
	double		others;
} totals;

struct crm_likeness
{
	crm_env		env;
	crm_ids		seed;
	crm_ids		base;
	totals		whole;
	uint32_t	folds;
	totals		out[CRM_LIKENESS_MAX_FOLDS];	/* who were asked, of each fold */
	asked	   *asked;			/* by id */
	uint32_t	asked_count;
};

/* The finaliser of splitmix64 (Steele, Lea & Flood 2014). */
static uint64_t
mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xBF58476D1CE4E5B9);
	x ^= x >> 27;
	x *= UINT64_C(0x94D049BB133111EB);
	return x ^ (x >> 31);
}

static crm_status
take(const crm_env *env, crm_ids_builder *builder, crm_ids *ids)
{
	uint8_t    *data;

	ids->size = crm_ids_builder_size(builder);
	data = env->alloc(env->arg, ids->size);
	if (data == NULL)
		return CRM_NO_MEMORY;
	crm_ids_builder_write(builder, data);
	crm_ids_builder_free(builder);
	ids->data = data;
	return CRM_OK;
}

/* Some of a set, drawn by hash. */
static crm_status
draw(crm_likeness *l, crm_ids set, bool seed)
{
	crm_ids_builder *builder;
	crm_ids_runs runs;
	crm_ids		drawn;
	uint64_t	first;
	uint64_t	last;

	CRM_TRY(crm_ids_builder_new(&l->env, &builder));
	CRM_TRY(crm_ids_sample(&l->env, set, CRM_LIKENESS_SAMPLE, DRAW_SEED, builder));
	CRM_TRY(take(&l->env, builder, &drawn));
	crm_ids_runs_first(&runs, drawn);
	while (crm_ids_runs_next(&runs, &first, &last))
		for (uint64_t id = first; id <= last; id++)
		{
			asked	   *a = &l->asked[l->asked_count++];

			*a = (asked) {.id = id, .seed = seed, .fold = (uint8_t) (mix(id + UINT64_C(0x9E3779B97F4A7C15)) % l->folds)};
			if (seed)
				l->out[a->fold].seed++;
			else
				l->out[a->fold].others++;
		}
	l->env.release(l->env.arg, (void *) drawn.data);
	return CRM_OK;
}

static int
compare_asked(const void *a, const void *b)
{
	uint64_t	x = ((const asked *) a)->id;
	uint64_t	y = ((const asked *) b)->id;

	return (x > y) - (x < y);
}

crm_status
crm_likeness_new(const crm_env *env, crm_ids seed, crm_ids base, uint32_t folds, crm_likeness **likeness)
{
	crm_likeness *l = env->alloc(env->arg, sizeof(crm_likeness));
	crm_ids_builder *builder;
	crm_ids		others;

	if (l == NULL)
		return CRM_NO_MEMORY;
	memset(l, 0, sizeof(*l));
	l->env = *env;
	l->seed = seed;
	l->base = base;
	l->folds = folds;
	l->whole.seed = (double) crm_ids_count(seed);
	l->whole.others = (double) (crm_ids_count(base) - crm_ids_count(seed));
	l->asked = env->alloc(env->arg, 2 * CRM_LIKENESS_SAMPLE * sizeof(asked));
	if (l->asked == NULL)
		return CRM_NO_MEMORY;
	CRM_TRY(crm_ids_builder_new(env, &builder));
	CRM_TRY(crm_ids_combine(env, CRM_ANDNOT, base, seed, builder));
	CRM_TRY(take(env, builder, &others));
	CRM_TRY(draw(l, seed, true));
	CRM_TRY(draw(l, others, false));
	env->release(env->arg, (void *) others.data);
	if (l->asked_count > 1)
		qsort(l->asked, l->asked_count, sizeof(asked), compare_asked);
	*likeness = l;
	return CRM_OK;
}

/* As of a bin in lookalike.h: with CRM_LOOKALIKE_PRIOR more of each kind, spread as all are. */
static double
weight_of(totals here, totals whole)
{
	double		usual = (here.seed + here.others) / (whole.seed + whole.others);

	if (!(here.seed + here.others > 0))
		return 0;
	return log((here.seed + CRM_LOOKALIKE_PRIOR * usual) / (whole.seed + CRM_LOOKALIKE_PRIOR)) -
		log((here.others + CRM_LOOKALIKE_PRIOR * usual) / (whole.others + CRM_LOOKALIKE_PRIOR));
}

static totals
without(totals all, totals part)
{
	return (totals) {all.seed - part.seed, all.others - part.others};
}

crm_status
crm_likeness_add(crm_likeness *l, crm_likeness_set *sets, uint32_t count, double *none)
{
	totals		rest = l->whole;
	totals	   *all = l->env.alloc(l->env.arg, (count + 1) * sizeof(totals));
	totals	   *out = l->env.alloc(l->env.arg, (size_t) (count + 1) * l->folds * sizeof(totals));

	if (all == NULL || out == NULL)
		return CRM_NO_MEMORY;
	memset(out, 0, (size_t) (count + 1) * l->folds * sizeof(totals));
	for (uint32_t i = 0; i < l->asked_count; i++)
		l->asked[i].set = 0;
	for (uint32_t s = 0; s < count; s++)
	{
		crm_ids_lookup lookup;

		sets[s].seed = crm_ids_and_count(&l->env, l->seed, sets[s].ids);
		sets[s].base = crm_ids_and_count(&l->env, l->base, sets[s].ids);
		all[s + 1] = (totals) {(double) sets[s].seed, (double) (sets[s].base - sets[s].seed)};
		rest = without(rest, all[s + 1]);
		sets[s].weight = weight_of(all[s + 1], l->whole);
		CRM_TRY(crm_ids_lookup_init(&l->env, &lookup, sets[s].ids));
		for (uint32_t i = 0; i < l->asked_count; i++)
			if (crm_ids_lookup_contains(&lookup, l->asked[i].id))
				l->asked[i].set = s + 1;
		if (lookup.directory != NULL)
			l->env.release(l->env.arg, lookup.directory);
		crm_progress(&l->env);
	}
	all[0] = rest;
	*none = weight_of(rest, l->whole);
	for (uint32_t i = 0; i < l->asked_count; i++)
	{
		const asked *a = &l->asked[i];
		totals	   *here = &out[(size_t) a->set * l->folds + a->fold];

		if (a->seed)
			here->seed++;
		else
			here->others++;
	}
	for (uint32_t i = 0; i < l->asked_count; i++)
	{
		asked	   *a = &l->asked[i];

		a->score += weight_of(without(all[a->set], out[(size_t) a->set * l->folds + a->fold]), without(l->whole, l->out[a->fold]));
	}
	l->env.release(l->env.arg, all);
	l->env.release(l->env.arg, out);
	return CRM_OK;
}

/* Of the seed's, the share with at most a tenth of the others above them; equal ones count half. */
static double
found_in_top_tenth(const crm_scores *scores)
{
	uint64_t	found = 0;
	uint64_t	below = 0;		/* others that score less, and not more */
	uint64_t	up_to = 0;

	for (uint64_t i = 0; i < scores->positive_count; i++)
	{
		while (below < scores->negative_count && scores->negatives[below] < scores->positives[i])
			below++;
		while (up_to < scores->negative_count && scores->negatives[up_to] <= scores->positives[i])
			up_to++;
		found += (double) (scores->negative_count - up_to) + (double) (up_to - below) / 2 <= (double) scores->negative_count / 10;
	}
	return (double) found / (double) scores->positive_count;
}

crm_status
crm_likeness_judge(crm_likeness *l, crm_likeness_fold *folds)
{
	for (uint32_t f = 0; f < l->folds; f++)
	{
		crm_scores	scores = {0};

		scores.positives = l->env.alloc(l->env.arg, ((size_t) l->out[f].seed + 1) * sizeof(double));
		scores.negatives = l->env.alloc(l->env.arg, ((size_t) l->out[f].others + 1) * sizeof(double));
		if (scores.positives == NULL || scores.negatives == NULL)
			return CRM_NO_MEMORY;
		for (uint32_t i = 0; i < l->asked_count; i++)
			if (l->asked[i].fold != f)
				continue;
			else if (l->asked[i].seed)
				scores.positives[scores.positive_count++] = l->asked[i].score;
			else
				scores.negatives[scores.negative_count++] = l->asked[i].score;
		CRM_TRY(crm_scores_sort(&l->env, &scores));
		folds[f] = (crm_likeness_fold) {scores.positive_count, scores.negative_count, NAN, NAN};
		if (scores.positive_count > 0 && scores.negative_count > 0)
		{
			folds[f].auc = crm_scores_auc(&l->env, &scores);
			folds[f].top_tenth = found_in_top_tenth(&scores);
		}
		l->env.release(l->env.arg, scores.positives);
		l->env.release(l->env.arg, scores.negatives);
	}
	return CRM_OK;
}
