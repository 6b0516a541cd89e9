/*
 * trees_private.h - what the parts of the trees share while fitting.
 */
#ifndef CRM_KERNEL_TREES_PRIVATE_H
#define CRM_KERNEL_TREES_PRIVATE_H

#include "kernel/trees.h"

/* The bin of missing numbers, and of categories without a bin of their own. */
#define TREES_MISSING 255

/* Bins of the feature's own, without that of missing ones. */
static inline uint32_t
trees_bins(const crm_trees_feature *feature)
{
	return feature->category ? feature->count : feature->count + 1;
}

/*
 * The rows in their canonical order as bins.  Those to train on come first,
 * the held ones behind them.  Here missing ones have the bin behind the
 * feature's own, so that histograms are short.
 */
typedef struct trees_data
{
	uint32_t	rows;
	uint32_t	train;			/* rows to train on */
	uint32_t	features;
	uint8_t    *by_row;			/* rows x features */
	uint8_t    *by_column;		/* features x rows */
	double	   *label;
	float	   *weight;
	uint8_t    *missing;		/* of each feature, the bin of missing ones */
	uint32_t   *first_entry;	/* of each feature in a histogram, and the end */
} trees_data;

/* Orders, cuts and bins the rows; fills the model's features. */
extern crm_status crm_trees_bin(const crm_env *env, const crm_columns *rows, const crm_trees_options *options,
								trees_data *data, crm_trees *trees);

/* Gradient in the upper half, curvature in the lower: one addition adds both. */
typedef struct trees_gradients
{
	uint64_t   *packed;			/* of each row */
	double		unit;			/* what 1 of the gradient is worth */
	double		curvature_unit;
} trees_gradients;

static inline int64_t
trees_gradient(uint64_t packed)
{
	return (int64_t) packed >> 32;
}

static inline int64_t
trees_curvature(uint64_t packed)
{
	return (int64_t) (packed & UINT32_MAX);
}

/* What growing a tree needs and leaves. */
typedef struct trees_grower
{
	crm_env		env;
	const trees_data *data;
	const crm_trees_options *options;
	crm_trees  *trees;			/* receives nodes and sets */
	trees_gradients gradients;
	uint32_t   *rows;			/* those of the tree, by leaf once it is grown */
	uint32_t   *scratch;
	uint32_t	row_count;
	uint32_t   *active;			/* features of this tree */
	uint32_t	active_count;
	uint64_t  **histograms;		/* one a level */
	uint32_t	node_room;
	uint32_t	set_room;
	/* Called for each leaf with its rows; says the value. */
	double		(*leaf_value) (void *arg, const uint32_t *rows, uint32_t count, double newton);
	/* Called with the leaf's final value. */
	void		(*leaf_done) (void *arg, const uint32_t *rows, uint32_t count, float value);
	void	   *arg;
} trees_grower;

extern crm_status crm_trees_grower_init(trees_grower *grower, const crm_env *env, const trees_data *data,
										const crm_trees_options *options, crm_trees *trees);
/* Grows one more tree behind the others. */
extern crm_status crm_trees_grow(trees_grower *grower);

/* Whether a node's rows of this bin go right. */
static inline bool
trees_goes_right(const crm_trees *trees, const crm_trees_node *node, uint8_t bin, uint8_t missing)
{
	if (bin == missing)
		return node->missing_right;
	if (trees->feature[node->feature].category)
		return (trees->sets[node->bin].words[bin / 64] >> (bin % 64) & 1) == 0;
	return bin > node->bin;
}

/* How many cuts are at most the number; without a branch that depends on it. */
static inline uint32_t
trees_count_cuts(const double *cuts, uint32_t count, double number)
{
	size_t		place = 0;

	if (count == 0)
		return 0;
	while (count > 1)
	{
		uint32_t	half = count / 2;

		place += half & -(size_t) (cuts[place + half - 1] <= number);
		count -= half;
	}
	return (uint32_t) place + (cuts[place] <= number);
}

/* The bin of a number under a model's feature. */
extern uint8_t crm_trees_bin_of(const crm_trees_feature *feature, double number);

/* A well mixed hash. */
static inline uint64_t
trees_mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* From 0 to below 1. */
static inline double
trees_unit(uint64_t hash)
{
	return (double) (hash >> 11) * 0x1p-53;
}

#endif							/* CRM_KERNEL_TREES_PRIVATE_H */
