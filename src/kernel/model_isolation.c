/*
 * model_isolation.c - the kind "isolation_forest": fields, scores and reasons.
 *
 * Trees are stored node by node, the left part below a node before the right
 * one: for each node the number of its feature, from 1, or 0 for a leaf; for each split
 * its threshold, below which numbers go left; for each leaf the rows of the sample that lie in it.
 * A missing number goes where more rows of the sample went.
 *
 * With h the mean number of steps to a row's leaves, and c the mean of a search tree over as many rows,
 * the score is 2^(-h / c): near 1 for rows that are soon alone, well below 0.5 for those among many.
 */
#include "kernel/outliers.h"

#include <math.h>

/* A hostile model is not deeper than any that was fitted. */
#define MAX_DEPTH 16
#define EULER 0.57721566490153286

static const crm_model_field fields[] = {
	{"trees", CRM_FIELD_INTEGER},
	{"sample", CRM_FIELD_INTEGER},
	{"seed", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL},
	{"rows", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL},
	{"node_features", CRM_FIELD_INTEGERS, CRM_FIELD_BULK},
	{"thresholds", CRM_FIELD_NUMBERS, CRM_FIELD_BULK},
	{"leaf_sizes", CRM_FIELD_INTEGERS, CRM_FIELD_BULK},
	{NULL}
};

double
crm_isolation_path(double rows)
{
	if (rows < 2)
		return 0;
	if (rows == 2)
		return 1;
	return 2 * (log(rows - 1) + EULER) - 2 * (rows - 1) / rows;
}

static const char *
check(const crm_model *m)
{
	const crm_model_value *nodes = crm_model_get(m, CRM_ISOLATION_NODES);
	const crm_model_value *sizes = crm_model_get(m, CRM_ISOLATION_LEAF_SIZES);
	int64_t		trees = crm_model_get(m, CRM_ISOLATION_TREES)->integer;
	int64_t		sample = crm_model_get(m, CRM_ISOLATION_SAMPLE)->integer;
	uint32_t	splits = 0;
	uint32_t	leaves = 0;
	uint32_t	depth = 0;
	int64_t		finished = 0;
	int64_t		rows = 0;
	bool		right[MAX_DEPTH + 1];	/* on the way to the next node, whether it goes right */

	if (m->features < 1)
		return "An isolation forest has at least one feature.";
	if (trees < 1 || trees > CRM_ISOLATION_MAX_TREES)
		return "\"trees\" is a number from 1 to 10000.";
	if (sample < 2 || sample > CRM_ISOLATION_MAX_SAMPLE)
		return "\"sample\" is a number from 2 to 65536.";
	if (crm_model_get(m, CRM_ISOLATION_ROWS)->present && crm_model_get(m, CRM_ISOLATION_ROWS)->integer < sample)
		return "\"rows\" is less than \"sample\".";
	for (uint32_t i = 0; i < nodes->count; i++)
	{
		int64_t		feature = nodes->integers[i];

		if (finished == trees)
			return "\"node_features\" has more nodes than the trees have.";
		if (feature < 0 || feature > m->features)
			return "\"node_features\" has a feature that the model has not.";
		if (feature > 0)
		{
			if (depth == MAX_DEPTH)
				return "A tree is deeper than 16.";
			right[depth++] = false;
			splits++;
			continue;
		}
		if (leaves == sizes->count || sizes->integers[leaves] < 0 || sizes->integers[leaves] > sample)
			return "\"leaf_sizes\" has a number of rows for each leaf.";
		rows += sizes->integers[leaves++];
		while (depth > 0 && right[depth - 1])
			depth--;
		if (depth > 0)
			right[depth - 1] = true;
		else if (rows != sample)
			return "The leaves of a tree do not hold the sample.";
		else
		{
			finished++;
			rows = 0;
		}
	}
	if (finished != trees)
		return "\"node_features\" has fewer nodes than the trees have.";
	if (splits != crm_model_get(m, CRM_ISOLATION_THRESHOLDS)->count || leaves != sizes->count)
		return "\"thresholds\" has one element for each split, \"leaf_sizes\" one for each leaf.";
	return NULL;
}

static bool
takes_missing(const crm_model *m)
{
	return true;
}

/* Trees that are walked side by side: their loads do not wait for each other. */
#define LANES 8

/* A leaf is its own right part and has no left one, so walks need not look where they end. */
typedef struct forest_node
{
	double		threshold;
	uint32_t	right;			/* the left part is the next node */
	uint16_t	feature;		/* from 0 */
	bool		missing_left;
} forest_node;

typedef struct forest
{
	uint32_t	features;
	uint32_t	trees;
	uint32_t	depth;			/* of the deepest */
	double		usual;			/* steps to a row in all trees together, of a search tree */
	forest_node *nodes;
	double	   *steps;			/* of each node: mean number of steps from the root of the rows of the sample that come there */
	uint32_t   *roots;
} forest;

/* Where the reading of the fields has got to. */
typedef struct filler
{
	const crm_model *m;
	forest	   *f;
	uint32_t	node;
	uint32_t	split;
	uint32_t	leaf;
} filler;

/* Fills the node and those below it; the number of its rows. */
static double
fill(filler *from, uint32_t depth)
{
	forest	   *f = from->f;
	uint32_t	at = from->node++;
	forest_node *n = &f->nodes[at];
	int64_t		feature = crm_model_get(from->m, CRM_ISOLATION_NODES)->integers[at];
	double		left;
	double		right;

	if (feature == 0)
	{
		double		rows = (double) crm_model_get(from->m, CRM_ISOLATION_LEAF_SIZES)->integers[from->leaf++];

		*n = (forest_node) {.threshold = -INFINITY, .right = at};
		f->steps[at] = depth + crm_isolation_path(rows);
		if (depth > f->depth)
			f->depth = depth;
		return rows;
	}
	n->feature = (uint16_t) (feature - 1);
	n->threshold = crm_model_get(from->m, CRM_ISOLATION_THRESHOLDS)->numbers[from->split++];
	left = fill(from, depth + 1);
	n->right = from->node;
	right = fill(from, depth + 1);
	n->missing_left = left >= right;
	f->steps[at] = left + right == 0 ? (f->steps[at + 1] + f->steps[n->right]) / 2 :
		(left * f->steps[at + 1] + right * f->steps[n->right]) / (left + right);
	return left + right;
}

static crm_status
prepare(const crm_model *m, const crm_env *env, void **scorer)
{
	forest	   *f = env->alloc(env->arg, sizeof(forest));
	filler		from = {m, f};
	size_t		count = crm_model_get(m, CRM_ISOLATION_NODES)->count;

	if (f == NULL)
		return CRM_NO_MEMORY;
	memset(f, 0, sizeof(*f));
	f->features = m->features;
	f->trees = (uint32_t) crm_model_get(m, CRM_ISOLATION_TREES)->integer;
	f->usual = f->trees * crm_isolation_path((double) crm_model_get(m, CRM_ISOLATION_SAMPLE)->integer);
	f->nodes = env->alloc(env->arg, sizeof(forest_node) * count);
	f->steps = env->alloc(env->arg, sizeof(double) * count);
	f->roots = env->alloc(env->arg, sizeof(uint32_t) * f->trees);
	if (f->nodes == NULL || f->steps == NULL || f->roots == NULL)
		return CRM_NO_MEMORY;
	memset(f->nodes, 0, sizeof(forest_node) * count);
	for (uint32_t tree = 0; tree < f->trees; tree++)
	{
		f->roots[tree] = from.node;
		fill(&from, 0);
	}
	*scorer = f;
	return CRM_OK;
}

static inline uint32_t
step(const forest_node *nodes, uint32_t at, const double *x)
{
	const forest_node *n = &nodes[at];
	double		value = x[n->feature];

	return (value < n->threshold) | (n->missing_left & (value != value)) ? at + 1 : n->right;
}

static double
predict(const void *scorer, const double *x)
{
	const forest *f = scorer;
	double		steps = 0;

	for (uint32_t tree = 0; tree < f->trees; tree += LANES)
	{
		uint32_t	lanes = f->trees - tree < LANES ? f->trees - tree : LANES;
		uint32_t	at[LANES] = {0};

		memcpy(at, f->roots + tree, lanes * sizeof(uint32_t));
		for (uint32_t i = 0; i < f->depth; i++)
			for (int lane = 0; lane < LANES; lane++)
				at[lane] = step(f->nodes, at[lane], x);
		for (uint32_t lane = 0; lane < lanes; lane++)
			steps += f->steps[at[lane]];
	}
	return exp2(-steps / f->usual);
}

/* The margin is -h / c; each step's part in it is by how much it changes the steps to be expected (Saabas 2014). */
static crm_status
explain(const void *scorer, const crm_env *env, const double *x, double *parts)
{
	const forest *f = scorer;

	memset(parts, 0, sizeof(double) * ((size_t) f->features + 1));
	for (uint32_t tree = 0; tree < f->trees; tree++)
	{
		uint32_t	at = f->roots[tree];
		uint32_t	next;

		parts[0] -= f->steps[at];
		while ((next = step(f->nodes, at, x)) != at)
		{
			parts[f->nodes[at].feature + 1] -= f->steps[next] - f->steps[at];
			at = next;
		}
	}
	for (uint32_t j = 0; j <= f->features; j++)
		parts[j] /= f->usual;
	return CRM_OK;
}

const crm_model_kind crm_model_isolation_forest = {
	.number = 60,
	.name = "isolation_forest",
	.fields = fields,
	.check = check,
	.takes_missing = takes_missing,
	.prepare = prepare,
	.predict = predict,
	.explain = explain
};
