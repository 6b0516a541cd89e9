/*
 * model_kmeans.h - fields of the kinds "k_means" and "k_prototypes".
 *
 * Their score is the number of a group.  A group keeps its number when models are
 * matched (group_match.h), so that numbers need not be 1 ... k: "numbers" tells
 * them then, ascending as the groups are.
 *
 * The parts of a score tell why this group and not the next one: for each feature
 * how much nearer the row is, in squared distance, to the center of its group than
 * to that of the second nearest.  They add up to the lead.
 */
#ifndef CRM_KERNEL_MODEL_KMEANS_H
#define CRM_KERNEL_MODEL_KMEANS_H

#include "kernel/kmeans.h"
#include "kernel/model.h"

enum
{
	CRM_KMEANS_CENTERS,			/* a group after the other */
	CRM_KMEANS_SIZES,			/* rows of each group */
	CRM_KMEANS_WITHIN,			/* sum of squared distances within each */
	CRM_KMEANS_SCALES,			/* what differences of a feature are multiplied by */
	CRM_KMEANS_MEANS,			/* of all rows */
	CRM_KMEANS_INERTIA,
	CRM_KMEANS_TOTAL,			/* the inertia of one group */
	CRM_KMEANS_ROWS,
	CRM_KMEANS_WEIGHTS,			/* of each group; where weights were given */
	CRM_KMEANS_SKIPPED,			/* rows left out since a feature was missing */
	CRM_KMEANS_TAKES_MISSING,	/* a missing feature adds nothing to a distance */
	CRM_KMEANS_SAMPLED,			/* the share of different rows that were kept to learn from */
	CRM_KMEANS_ITERATIONS,
	CRM_KMEANS_CONVERGED,
	CRM_KMEANS_STARTS,
	CRM_KMEANS_SEED,
	CRM_KMEANS_STANDARDIZED,
	CRM_KMEANS_NUMBERS,			/* of the groups; 1 ... k where absent */
	CRM_KMEANS_NUMBERS_USED,	/* the highest number that a group of this line of models ever had */

	/* k_prototypes only */
	CRM_KPROTOTYPES_CATEGORICAL,	/* features, counted from 1 */
	CRM_KPROTOTYPES_GAMMA
};

/* Groups of a model that is one of these. */
static inline uint32_t
crm_model_groups(const crm_model *m)
{
	return crm_model_get(m, CRM_KMEANS_SIZES)->count;
}

static inline bool
crm_model_has_groups(const crm_model *m)
{
	return m->kind == &crm_model_k_means || m->kind == &crm_model_k_prototypes;
}

/* The number of a group, counted from 0. */
static inline int64_t
crm_model_group_number(const crm_model *m, uint32_t group)
{
	const crm_model_value *numbers = crm_model_get(m, CRM_KMEANS_NUMBERS);

	return numbers->present ? numbers->integers[group] : (int64_t) group + 1;
}

/* What a prepared scorer knows. */
typedef struct crm_kmeans_scorer
{
	crm_kmeans_space space;
	const crm_model *model;
	double	   *distances;		/* of the row at hand, squared; padded */
} crm_kmeans_scorer;

/* The group of a row, from 0; its distances are in the scorer then. */
extern uint32_t crm_kmeans_score(const crm_kmeans_scorer *scorer, const double *x);

#endif							/* CRM_KERNEL_MODEL_KMEANS_H */
