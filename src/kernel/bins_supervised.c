/*
 * bins_supervised.c - cuts that a label asks for: a tree over one number, and
 * bins whose rate of positives is monotone.
 */
#include "kernel/bins.h"

#include <math.h>

#include "kernel/woe_bins.h"

/* Beyond so many rows, neighbouring numbers begin in one bin. */
#define TREE_FINE_BINS 65536
/* Merging is quadratic in them. */
#define MONOTONE_FINE_BINS 4096

/* A bin of the tree: fine bins from begin to before end, and the best cut in it. */
typedef struct leaf
{
	uint32_t	begin;
	uint32_t	end;
	uint32_t	cut;			/* the fine bin that begins the right part */
	double		gain;			/* of the logarithm of the likelihood; not above 0: no cut */
} leaf;

/* Logarithm of the likelihood of labels by their own rate. */
static double
log_likelihood(uint64_t rows, uint64_t positives)
{
	double		n = (double) rows;
	double		p = (double) positives;
	double		q = n - p;

	return (p > 0 ? p * log(p / n) : 0) + (q > 0 ? q * log(q / n) : 0);
}

/* The first of the best cuts that leave enough rows on both sides. */
static void
find_cut(const crm_label_bins *fine, double least, leaf *l)
{
	uint64_t	rows = 0;
	uint64_t	positives = 0;
	uint64_t	left_rows = 0;
	uint64_t	left_positives = 0;
	double		whole;

	for (uint32_t i = l->begin; i < l->end; i++)
	{
		rows += fine->rows[i];
		positives += fine->positives[i];
	}
	whole = log_likelihood(rows, positives);
	l->gain = 0;
	l->cut = l->begin;
	for (uint32_t i = l->begin; i + 1 < l->end; i++)
	{
		double		gain;

		left_rows += fine->rows[i];
		left_positives += fine->positives[i];
		if ((double) left_rows < least || (double) (rows - left_rows) < least)
			continue;
		gain = log_likelihood(left_rows, left_positives) +
			log_likelihood(rows - left_rows, positives - left_positives) - whole;
		if (gain > l->gain)
		{
			l->gain = gain;
			l->cut = i + 1;
		}
	}
}

static void
sort_cuts(double *cuts, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++)
	{
		double		cut = cuts[i];
		uint32_t	j = i;

		for (; j > 0 && cuts[j - 1] > cut; j--)
			cuts[j] = cuts[j - 1];
		cuts[j] = cut;
	}
}

crm_status
crm_bins_tree(const crm_env *env, const crm_scores *sorted, uint32_t bins, double min_share, double *cuts, uint32_t *count)
{
	uint64_t	rows = sorted->positive_count + sorted->negative_count;
	double		price = log((double) rows) / 2;
	double		least = min_share * (double) rows;
	leaf		leaves[CRM_RFM_MAX_BINS];
	uint32_t	leaf_count = 1;
	crm_label_bins fine;

	*count = 0;
	if (sorted->positive_count == 0 || sorted->negative_count == 0)
		return CRM_OK;
	CRM_TRY(crm_label_bins_room(env, TREE_FINE_BINS, &fine));
	crm_label_bins_cut(sorted, TREE_FINE_BINS, &fine);
	leaves[0] = (leaf) {0, fine.count};
	find_cut(&fine, least, &leaves[0]);
	while (leaf_count < bins)
	{
		leaf	   *best = &leaves[0];
		leaf	   *right = &leaves[leaf_count];

		/* of equal gains that of the lower numbers */
		for (uint32_t i = 1; i < leaf_count; i++)
			if (leaves[i].gain > best->gain || (leaves[i].gain == best->gain && leaves[i].begin < best->begin))
				best = &leaves[i];
		if (!(best->gain > price))
			break;
		cuts[(*count)++] = fine.starts[best->cut];
		*right = (leaf) {best->cut, best->end};
		best->end = best->cut;
		find_cut(&fine, least, best);
		find_cut(&fine, least, right);
		leaf_count++;
		crm_progress(env);
	}
	sort_cuts(cuts, *count);
	return CRM_OK;
}

crm_status
crm_bins_monotone(const crm_env *env, const crm_scores *sorted, uint32_t bins, double min_share, double *cuts, uint32_t *count)
{
	/* as a scorecard: both labels in each bin */
	crm_woe_options options = {.scorecard = true, .max_bins = (int) bins, .min_share = min_share, .monotone = true};
	crm_label_bins fine;

	*count = 0;
	if (sorted->positive_count == 0 || sorted->negative_count == 0)
		return CRM_OK;
	CRM_TRY(crm_label_bins_room(env, MONOTONE_FINE_BINS, &fine));
	crm_label_bins_cut(sorted, MONOTONE_FINE_BINS, &fine);
	crm_label_bins_merge(&fine, &options);
	for (uint32_t i = 1; i < fine.count; i++)
		cuts[(*count)++] = fine.starts[i];
	return CRM_OK;
}
