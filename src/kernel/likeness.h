/*
 * likeness.h - who is like those of a seed, by the sets that he is in.
 *
 * Sets come in groups, of which a customer is in one or in none: those who have a
 * tag; those with each of the values of one. Each set, and being in none, weighs as
 * much as lookalike.h says: the logarithm of how much more often it is met in the seed than among others. A
 * customer's score is the sum, so that it is counted from sizes of intersections alone.
 *
 * It is judged while it is made: customers of the seed and others are drawn by hash and dealt
 * into folds, and those of a fold are scored by weights that were counted without them.
 */
#ifndef CRM_KERNEL_LIKENESS_H
#define CRM_KERNEL_LIKENESS_H

#include "kernel/bsi.h"
#include "kernel/ids.h"

/* Customers who are asked, of the seed and of the others. */
#define CRM_LIKENESS_SAMPLE 20000
#define CRM_LIKENESS_MAX_FOLDS 20
/* Scores are kept with so many digits behind the point. */
#define CRM_LIKENESS_DIGITS 3

typedef struct crm_likeness_set
{
	crm_ids		ids;
	uint64_t	seed;			/* members of both */
	uint64_t	base;
	double		weight;
} crm_likeness_set;

typedef struct crm_likeness_fold
{
	uint64_t	seed;			/* who were asked */
	uint64_t	others;
	double		auc;			/* NaN without either */
	double		top_tenth;		/* share of the seed that scores among the highest tenth of the others */
} crm_likeness_fold;

typedef struct crm_likeness crm_likeness;

/* The seed is part of the base.  2 ... CRM_LIKENESS_MAX_FOLDS folds. */
extern crm_status crm_likeness_new(const crm_env *env, crm_ids seed, crm_ids base, uint32_t folds, crm_likeness **likeness);
/* A group: fills what is counted of its sets, and the weight of being in none.  Only the ids of sets are given. */
extern crm_status crm_likeness_add(crm_likeness *likeness, crm_likeness_set *sets, uint32_t count, double *none);
/* Of each fold how well its customers of the seed are found. */
extern crm_status crm_likeness_judge(crm_likeness *likeness, crm_likeness_fold *folds);

#endif							/* CRM_KERNEL_LIKENESS_H */
