/*
 * scores.h - how well scores tell positives from negatives.
 *
 * Scores of positives and of negatives are sorted apart; all measures come from
 * one walk over both, equal scores together, so ties are exact and no answer
 * depends on the order of rows.
 */
#ifndef CRM_KERNEL_SCORES_H
#define CRM_KERNEL_SCORES_H

#include "kernel/kernel.h"

typedef struct crm_scores
{
	double	   *positives;		/* ascending */
	double	   *negatives;
	uint64_t	positive_count;
	uint64_t	negative_count;
} crm_scores;

/* Ascending, without -0; finite numbers.  Radix sort, linear in their number. */
extern crm_status crm_sort_numbers(const crm_env *env, double *numbers, uint64_t count);

/* Sorts the arrays that the caller filled. */
extern crm_status crm_scores_sort(const crm_env *env, crm_scores *scores);

/*
 * Area under the ROC curve: the probability that a positive scores higher than
 * a negative, ties counted half (Mann, Whitney 1947); NaN when either is absent.
 */
extern double crm_scores_auc(const crm_env *env, const crm_scores *scores);

/*
 * Its standard error by DeLong, DeLong, Clarke-Pearson, "Comparing the areas
 * under two or more correlated receiver operating characteristic curves",
 * Biometrics 44 (1988); NaN with fewer than two of either.
 */
extern double crm_scores_auc_error(const crm_env *env, const crm_scores *scores, double auc);

/* Largest difference between the distributions of both (Kolmogorov-Smirnov); NaN when either is absent. */
extern double crm_scores_ks(const crm_env *env, const crm_scores *scores);

typedef struct crm_score_bin
{
	uint64_t	rows;
	uint64_t	positives;
	double		low;			/* least and greatest score, and the sum, of its rows */
	double		high;
	double		sum;
} crm_score_bin;

/*
 * Bins of nearly as many rows each, from the highest scores down or from the lowest up.
 * Bin k ends behind row k * rows / bins, rounded down; equal scores are all in the bin of the
 * first of them, so bins may be larger or empty.
 */
extern void crm_scores_bins(const crm_env *env, const crm_scores *scores, bool descending, uint64_t bins, crm_score_bin *out);

#endif							/* CRM_KERNEL_SCORES_H */
