/*
 * trees.h - gradient boosted trees over histograms: fitting, predicting,
 * explaining, and the stored form.
 *
 * Each feature is cut into at most 255 bins; a tree is grown depth first, each
 * node split where the second-order gain (Chen, Guestrin 2016) is largest.
 * Missing numbers go to the side where the training rows gained more by it.
 * A category feature is split into two sets of its values, found along the
 * order of their gradient statistics (Fisher 1958; Ke et al. 2017).
 *
 * Determinism: rows are first put into an order that depends on their content
 * and the seed only, and gradients are whole numbers, whose sums know no
 * order.  So the same rows, in any order and from any number of workers, give
 * the same trees on one kind of machine; on another, the last digit of exp()
 * may differ and with it, rarely, a split.
 */
#ifndef CRM_KERNEL_TREES_H
#define CRM_KERNEL_TREES_H

#include "kernel/columns.h"
#include "kernel/kernel.h"
#include "kernel/model.h"

#define CRM_TREES_MAX_FEATURES 9990
#define CRM_TREES_MAX_TREES 10000
#define CRM_TREES_MAX_DEPTH 12
#define CRM_TREES_MAX_CUTS 254	/* of a number, or values of a category */
#define CRM_TREES_MAX_BINS (CRM_TREES_MAX_CUTS + 1)
#define CRM_TREES_MAX_TARGET 1e30
#define CRM_TREES_MAX_WEIGHT 1e6	/* times a target it stays within single precision */
#define CRM_TREES_MAX_ROWS (UINT64_C(1) << 30)

typedef enum crm_trees_loss
{
	CRM_TREES_LOGISTIC = 1,		/* a class; the margin is the log odds */
	CRM_TREES_SQUARED = 2,
	CRM_TREES_QUANTILE = 3,		/* absolute error at the quantile 0.5 */
	CRM_TREES_POISSON = 4		/* a count; the margin is the logarithm of its mean */
} crm_trees_loss;

typedef struct crm_trees_options
{
	crm_trees_loss loss;
	double		quantile;		/* above 0, below 1 */
	uint32_t	trees;
	uint32_t	depth;
	double		learning_rate;	/* above 0, at most 1 */
	double		l2;				/* added to the sum of curvature of a leaf */
	double		min_child_weight;	/* least sum of curvature of a leaf */
	double		min_gain;		/* a split gains more than this */
	double		row_sample;		/* share of rows of each tree */
	double		column_sample;	/* share of features of each tree */
	uint32_t	bins;			/* of a number; 2 to CRM_TREES_MAX_BINS */
	uint64_t	seed;
	uint32_t	early_stopping; /* rounds without a better held part; 0: no held part */
	double		held_out;		/* share of rows, with early_stopping */
	const int8_t *monotone;		/* for each feature -1, 0, 1; or NULL */
	const bool *categorical;	/* for each feature; or NULL */
} crm_trees_options;

/*
 * A node.  The left child follows its parent, the right one stands at right.
 * A leaf has feature CRM_TREES_LEAF; its bin, missing_right and right are 0.
 */
#define CRM_TREES_LEAF UINT32_MAX
typedef struct crm_trees_node
{
	uint32_t	feature;
	uint32_t	right;			/* place in all nodes */
	uint16_t	bin;			/* bins up to it go left; of a category, the number of its set */
	bool		missing_right;
	float		value;			/* of a leaf: what it adds to the margin */
	float		cover;			/* weight of the training rows in it */
} crm_trees_node;

/* Categories that go left, by their place in the feature's values. */
typedef struct crm_trees_set
{
	uint64_t	words[4];
} crm_trees_set;

/*
 * A feature: borders of numbers, or values of categories, ascending.  Number x
 * has the bin "how many cuts are <= x".
 */
typedef struct crm_trees_feature
{
	bool		category;
	uint16_t	count;			/* of cuts or values */
	double	   *cuts;
	uint32_t	splits;			/* importance: number of splits, */
	double		gain;			/* what they gained, */
	double		cover;			/* and the weight of the rows they parted */
} crm_trees_feature;

/* What was found while fitting. */
typedef struct crm_trees_report
{
	uint64_t	rows;			/* with a label */
	uint64_t	held_rows;
	double		weight;			/* of the rows that were trained on */
	double		loss;			/* mean of these rows */
	double		held_loss;		/* NaN without a held part */
	uint32_t	grown;			/* trees before those after the best one were dropped */
} crm_trees_report;

typedef struct crm_trees
{
	crm_trees_options options;	/* without the two arrays */
	uint32_t	features;
	crm_trees_feature *feature;
	double		base;			/* margin before the first tree */
	uint32_t	trees;
	uint32_t   *root;			/* place of each tree's root, and the end */
	crm_trees_node *nodes;
	uint32_t	node_count;
	crm_trees_set *sets;
	uint32_t	set_count;
	crm_trees_report report;
} crm_trees;

/*
 * Fits trees to rows of: features, label (class 0 or 1, number or count),
 * weight above 0, within the limits above.  The rows stay as they are.  CRM_LIMIT when more than
 * max_bytes would be needed; CRM_OUT_OF_RANGE when the labels are all of one
 * class, or no row was left to train on.
 */
extern crm_status crm_trees_fit(const crm_env *env, const crm_columns *rows, const crm_trees_options *options,
								size_t max_bytes, crm_trees *trees);

/* Bytes that a fit of so many rows needs beside the rows themselves. */
extern size_t crm_trees_fit_bytes(uint64_t rows, uint32_t features);

/* The prediction that belongs to a margin: a probability, a number, a mean count. */
extern double crm_trees_answer(const crm_trees *trees, double margin);

/*
 * A predictor: the trees padded to full ones over bytes, so that a row goes
 * down many of them at once without a branch.  Read-only once made, but for
 * its scratch: one predictor serves one caller.
 */
typedef struct crm_trees_predictor crm_trees_predictor;

extern crm_status crm_trees_compile(const crm_env *env, const crm_trees *trees, crm_trees_predictor **predictor);
/* The margin of a row; NaN is missing. */
extern double crm_trees_margin(crm_trees_predictor *predictor, const double *features);

/*
 * Exact Shapley values of the trees' conditional expectations (path-dependent
 * TreeSHAP, Lundberg et al. 2018).  contributions[0] is the mean margin by
 * the training rows' weights, contributions[1 + f] that of feature f; their sum
 * is the margin up to rounding.
 */
extern crm_status crm_trees_explain(const crm_env *env, const crm_trees *trees, const double *features,
									double *contributions);

/*
 * The trees as a model of kind crm_model_boosted_trees (trees_model.c), whose
 * arrays lie in memory of env, and back from a checked one.
 */
extern crm_status crm_trees_to_model(const crm_env *env, const crm_trees *trees, const crm_trees_options *options,
									 crm_model *m);
extern crm_status crm_trees_from_model(const crm_env *env, const crm_model *m, crm_trees *trees);

#endif							/* CRM_KERNEL_TREES_H */
