/*
 * trees_explain.c - exact Shapley values of trees: path-dependent TreeSHAP,
 * after algorithm 2 of Lundberg, Erion, Lee, "Consistent individualized feature
 * attribution for tree ensembles" (2018).
 *
 * The game: a coalition knows some features; where a split asks for another,
 * both children are weighted by the training rows that went there.
 */
#include "kernel/trees_private.h"

#include <math.h>

/* Features on the way to a node, with the share of rows that goes the way if the feature is not known, and if it is. */
typedef struct path_element
{
	uint32_t	feature;
	double		zero;
	double		one;
	double		weight;			/* of subsets of this size */
} path_element;

typedef struct explaining
{
	const crm_trees *trees;
	const uint8_t *bins;
	double	   *contributions;	/* of features from 0 */
} explaining;

static void
extend(path_element *path, uint32_t length, double zero, double one, uint32_t feature)
{
	path[length].feature = feature;
	path[length].zero = zero;
	path[length].one = one;
	path[length].weight = length == 0 ? 1 : 0;
	for (uint32_t i = length; i-- > 0;)
	{
		path[i + 1].weight += one * path[i].weight * (i + 1) / (length + 1);
		path[i].weight = zero * path[i].weight * (length - i) / (length + 1);
	}
}

/* Takes element k out of a path of so many elements behind the first. */
static void
unwind(path_element *path, uint32_t length, uint32_t k)
{
	double		one = path[k].one,
				zero = path[k].zero,
				next = path[length].weight;

	for (uint32_t i = length; i-- > 0;)
	{
		if (one != 0)
		{
			double		weight = path[i].weight;

			path[i].weight = next * (length + 1) / ((i + 1) * one);
			next = weight - path[i].weight * zero * (length - i) / (length + 1);
		}
		else
			path[i].weight = zero > 0 ? path[i].weight * (length + 1) / (zero * (length - i)) : 0;
	}
	for (uint32_t i = k; i < length; i++)
	{
		path[i].feature = path[i + 1].feature;
		path[i].zero = path[i + 1].zero;
		path[i].one = path[i + 1].one;
	}
}

/* The sum of weights that unwinding element k would leave. */
static double
unwound_sum(const path_element *path, uint32_t length, uint32_t k)
{
	double		one = path[k].one,
				zero = path[k].zero,
				next = path[length].weight,
				sum = 0;

	for (uint32_t i = length; i-- > 0;)
	{
		if (one != 0)
		{
			double		weight = next * (length + 1) / ((i + 1) * one);

			sum += weight;
			next = path[i].weight - weight * zero * (length - i) / (length + 1);
		}
		else if (zero > 0)
			sum += path[i].weight * (length + 1) / (zero * (length - i));
	}
	return sum;
}

/* length is the number of elements at hand; the first stands for no feature. */
static void
descend(const explaining *e, uint32_t place, const path_element *parent, uint32_t length, double zero, double one,
		uint32_t feature)
{
	const crm_trees_node *node = &e->trees->nodes[place];
	path_element path[CRM_TREES_MAX_DEPTH + 2];
	uint32_t	hot,
				cold;
	double		both,
				incoming_zero = 1,
				incoming_one = 1;

	memcpy(path, parent, sizeof(path_element) * length);
	extend(path, length, zero, one, feature);
	if (node->feature == CRM_TREES_LEAF)
	{
		for (uint32_t k = 1; k <= length; k++)
			e->contributions[path[k].feature] += unwound_sum(path, length, k) * (path[k].one - path[k].zero) * node->value;
		return;
	}
	hot = place + 1;
	cold = node->right;
	if (trees_goes_right(e->trees, node, e->bins[node->feature], TREES_MISSING))
	{
		hot = node->right;
		cold = place + 1;
	}
	both = (double) e->trees->nodes[hot].cover + e->trees->nodes[cold].cover;
	for (uint32_t k = 1; k <= length; k++)
		if (path[k].feature == node->feature)
		{
			incoming_zero = path[k].zero;
			incoming_one = path[k].one;
			unwind(path, length, k);
			length--;
			break;
		}
	descend(e, hot, path, length + 1, incoming_zero * e->trees->nodes[hot].cover / both, incoming_one, node->feature);
	descend(e, cold, path, length + 1, incoming_zero * e->trees->nodes[cold].cover / both, 0, node->feature);
}

static double
mean_of(const crm_trees *trees, uint32_t place)
{
	const crm_trees_node *node = &trees->nodes[place];
	double		left,
				right;

	if (node->feature == CRM_TREES_LEAF)
		return node->value;
	left = trees->nodes[place + 1].cover;
	right = trees->nodes[node->right].cover;
	return left / (left + right) * mean_of(trees, place + 1) + right / (left + right) * mean_of(trees, node->right);
}

crm_status
crm_trees_explain(const crm_env *env, const crm_trees *trees, const double *features, double *contributions)
{
	uint8_t    *bins = env->alloc(env->arg, trees->features);
	explaining	e = {trees, bins, contributions + 1};
	const path_element none = {0};

	if (bins == NULL)
		return CRM_NO_MEMORY;
	memset(contributions, 0, sizeof(double) * (trees->features + 1));
	contributions[0] = trees->base;
	for (uint32_t f = 0; f < trees->features; f++)
		bins[f] = crm_trees_bin_of(&trees->feature[f], features[f]);
	for (uint32_t t = 0; t < trees->trees; t++)
	{
		crm_progress(env);
		contributions[0] += mean_of(trees, trees->root[t]);
		descend(&e, trees->root[t], &none, 0, 1, 1, CRM_TREES_LEAF);
	}
	env->release(env->arg, bins);
	return CRM_OK;
}
