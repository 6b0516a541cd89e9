/*
 * trees_predict.c - margins of rows, many trees at once and without a branch.
 *
 * A row first becomes bytes: the bin of each number, once as 0 where it is
 * missing and once as 255, for splits that send missing ones left and right;
 * and for each split of a category a byte of its own, 1 for right.  Then every
 * split of every tree is the same question, whether a byte is above a
 * threshold, and a tree padded to its full depth is a walk of so many steps
 * over an array.  Eight trees are walked together, so that one waits for
 * memory while the others go on.
 */
#include "kernel/trees_private.h"

#include <math.h>

#define LANES 8
#define STRIDE 16				/* squared it is more than the cuts of a feature */

/* A split: is the byte at this place above the threshold? */
typedef struct short_node
{
	uint8_t		place;
	uint8_t		threshold;
} short_node;

typedef struct long_node
{
	uint32_t	place;
	uint8_t		threshold;
} long_node;

/* Trees walked together, one behind the other, each padded to the depth of the deepest.  The root is node 1. */
typedef struct tree_group
{
	uint32_t	depth;
	short_node *short_nodes;
	long_node  *long_nodes;		/* instead, where there are so many features that a place needs more than a byte */
	float	   *values;			/* of the leaves */
} tree_group;

/* A feature that splits use. */
typedef struct used_number
{
	uint32_t	feature;
	const double *cuts;			/* STRIDE * STRIDE, infinite behind the last */
	double		leaders[STRIDE];	/* the last cut of each STRIDE of them */
	uint32_t	low;			/* places of its bytes */
	uint32_t	high;
} used_number;

typedef struct used_category
{
	uint32_t	feature;
	uint32_t	first;			/* place of the byte of its first split */
	uint32_t	splits;
	uint8_t    *bytes;			/* for each value, and last for others: the bytes of all splits */
} used_category;

struct crm_trees_predictor
{
	double		base;
	bool		is_short;		/* has short nodes */
	uint32_t	group_count;
	tree_group *groups;
	uint32_t	number_count;
	used_number *numbers;
	uint32_t	category_count;
	used_category *categories;
	const crm_trees *trees;		/* for the categories' values */
	uint8_t    *bytes;			/* of the row at hand */
};

/* Where the bytes of splits are found while compiling. */
typedef struct places
{
	uint32_t   *low;			/* of each feature */
	uint32_t   *high;
	uint32_t   *next;			/* of each category, the byte of the next split */
} places;

static crm_status
compile_cuts(const crm_env *env, const crm_trees_feature *feature, used_number *number)
{
	double	   *cuts;

	CRM_ALLOC(cuts, env, sizeof(double) * STRIDE * STRIDE);
	for (uint32_t i = 0; i < STRIDE * STRIDE; i++)
		cuts[i] = i < feature->count ? feature->cuts[i] : INFINITY;
	for (uint32_t i = 0; i < STRIDE; i++)
		number->leaders[i] = cuts[i * STRIDE + STRIDE - 1];
	number->cuts = cuts;
	return CRM_OK;
}

static crm_status
compile_features(const crm_env *env, const crm_trees *trees, crm_trees_predictor *predictor, places *places)
{
	uint32_t   *splits;
	uint32_t	bytes = 0;

	CRM_ALLOC(splits, env, sizeof(uint32_t) * trees->features);
	memset(splits, 0, sizeof(uint32_t) * trees->features);
	for (uint32_t i = 0; i < trees->node_count; i++)
		if (trees->nodes[i].feature != CRM_TREES_LEAF)
			splits[trees->nodes[i].feature]++;
	CRM_ALLOC(predictor->numbers, env, sizeof(used_number) * trees->features);
	CRM_ALLOC(predictor->categories, env, sizeof(used_category) * trees->features);
	CRM_ALLOC(places->low, env, sizeof(uint32_t) * trees->features);
	CRM_ALLOC(places->high, env, sizeof(uint32_t) * trees->features);
	CRM_ALLOC(places->next, env, sizeof(uint32_t) * trees->features);
	for (uint32_t f = 0; f < trees->features; f++)
	{
		const crm_trees_feature *feature = &trees->feature[f];

		if (splits[f] == 0)
			continue;
		if (feature->category)
		{
			used_category *category = &predictor->categories[predictor->category_count++];

			category->feature = f;
			category->first = bytes;
			category->splits = splits[f];
			CRM_ALLOC(category->bytes, env, (size_t) splits[f] * (feature->count + 1));
			places->next[f] = bytes;
			places->low[f] = predictor->category_count - 1;
			bytes += splits[f];
		}
		else
		{
			used_number *number = &predictor->numbers[predictor->number_count++];

			number->feature = f;
			CRM_TRY(compile_cuts(env, feature, number));
			number->low = places->low[f] = bytes++;
			number->high = places->high[f] = bytes++;
		}
	}
	predictor->is_short = bytes <= 256;
	CRM_ALLOC(predictor->bytes, env, bytes + 1);
	memset(predictor->bytes, 0, bytes + 1);
	env->release(env->arg, splits);
	return CRM_OK;
}

/* A split as a question about a byte. */
static long_node
compile_split(const crm_trees *trees, const crm_trees_node *node, crm_trees_predictor *predictor, places *places)
{
	const crm_trees_feature *feature = &trees->feature[node->feature];
	uint32_t	byte;

	if (!feature->category)
		return (long_node) {(node->missing_right ? places->high : places->low)[node->feature], (uint8_t) node->bin};
	byte = places->next[node->feature]++;
	{
		used_category *category = &predictor->categories[places->low[node->feature]];

		for (uint32_t bin = 0; bin <= feature->count; bin++)
			category->bytes[(size_t) bin * category->splits + byte - category->first] =
				trees_goes_right(trees, node, (uint8_t) bin, (uint8_t) feature->count);
	}
	return (long_node) {byte, 0};
}

static uint32_t
depth_of(const crm_trees *trees, uint32_t place)
{
	const crm_trees_node *node = &trees->nodes[place];
	uint32_t	left,
				right;

	if (node->feature == CRM_TREES_LEAF)
		return 0;
	left = depth_of(trees, place + 1);
	right = depth_of(trees, node->right);
	return 1 + (left > right ? left : right);
}

static void
put_node(const crm_trees_predictor *predictor, tree_group *group, size_t i, long_node node)
{
	if (predictor->is_short)
		group->short_nodes[i] = (short_node) {(uint8_t) node.place, node.threshold};
	else
		group->long_nodes[i] = node;
}

/* Fills lane by lane the full tree below node i; above a leaf that comes early all questions are answered "left". */
static void
compile_node(const crm_trees *trees, crm_trees_predictor *predictor, places *places, tree_group *group, uint32_t lane,
			 uint32_t place, uint32_t i)
{
	const crm_trees_node *node = &trees->nodes[place];

	if (node->feature == CRM_TREES_LEAF)
	{
		while (i < UINT32_C(1) << group->depth)
			i *= 2;
		group->values[((size_t) lane << group->depth) + i - ((size_t) 1 << group->depth)] = node->value;
		return;
	}
	put_node(predictor, group, ((size_t) lane << group->depth) + i, compile_split(trees, node, predictor, places));
	compile_node(trees, predictor, places, group, lane, place + 1, i * 2);
	compile_node(trees, predictor, places, group, lane, node->right, i * 2 + 1);
}

crm_status
crm_trees_compile(const crm_env *env, const crm_trees *trees, crm_trees_predictor **result)
{
	crm_trees_predictor *predictor;
	places		places;

	CRM_ALLOC(predictor, env, sizeof(*predictor));
	memset(predictor, 0, sizeof(*predictor));
	predictor->base = trees->base;
	predictor->trees = trees;
	CRM_TRY(compile_features(env, trees, predictor, &places));
	predictor->group_count = (trees->trees + LANES - 1) / LANES;
	CRM_ALLOC(predictor->groups, env, sizeof(tree_group) * predictor->group_count);
	for (uint32_t g = 0; g < predictor->group_count; g++)
	{
		tree_group *group = &predictor->groups[g];
		size_t		slots;

		crm_progress(env);
		group->depth = 0;
		for (uint32_t t = g * LANES; t < trees->trees && t < (g + 1) * LANES; t++)
		{
			uint32_t	depth = depth_of(trees, trees->root[t]);

			if (depth > group->depth)
				group->depth = depth;
		}
		slots = ((size_t) 1 << group->depth) * LANES;
		group->short_nodes = NULL;
		group->long_nodes = NULL;
		if (predictor->is_short)
			CRM_ALLOC(group->short_nodes, env, sizeof(short_node) * slots);
		else
			CRM_ALLOC(group->long_nodes, env, sizeof(long_node) * slots);
		CRM_ALLOC(group->values, env, sizeof(float) * slots);
		/* No byte is above 255: left. */
		for (size_t i = 0; i < slots; i++)
			put_node(predictor, group, i, (long_node) {0, 255});
		memset(group->values, 0, sizeof(float) * slots);
		for (uint32_t t = g * LANES; t < trees->trees && t < (g + 1) * LANES; t++)
			compile_node(trees, predictor, &places, group, t - g * LANES, trees->root[t], 1);
	}
	env->release(env->arg, places.low);
	env->release(env->arg, places.high);
	env->release(env->arg, places.next);
	*result = predictor;
	return CRM_OK;
}

/* How many cuts are at most the number: whole strides first, then the rest in one more. */
static inline __attribute__((always_inline)) uint32_t
bin_of(const used_number *number, double value)
{
	uint32_t	strides = 0,
				rest = 0;
	const double *cuts;

	for (int i = 0; i < STRIDE; i++)
		strides += number->leaders[i] <= value;
	cuts = number->cuts + strides * STRIDE;
	for (int i = 0; i < STRIDE; i++)
		rest += cuts[i] <= value;
	return strides * STRIDE + rest;
}

static inline __attribute__((always_inline)) void
fill_bytes(crm_trees_predictor *predictor, const double *features)
{
	uint8_t    *bytes = predictor->bytes;

	for (uint32_t i = 0; i < predictor->number_count; i++)
	{
		const used_number *number = &predictor->numbers[i];
		double		value = features[number->feature];
		bool		missing = isnan(value);
		uint32_t	bin = bin_of(number, value);

		bytes[number->low] = missing ? 0 : (uint8_t) bin;
		bytes[number->high] = missing ? TREES_MISSING : (uint8_t) bin;
	}
	for (uint32_t i = 0; i < predictor->category_count; i++)
	{
		const used_category *category = &predictor->categories[i];
		const crm_trees_feature *feature = &predictor->trees->feature[category->feature];
		uint8_t		bin = crm_trees_bin_of(feature, features[category->feature]);
		size_t		line = bin == TREES_MISSING ? feature->count : bin;

		memcpy(bytes + category->first, category->bytes + line * category->splits, category->splits);
	}
}

/*
 * The sum of a group's leaves.  Called with constants for the usual depths, the
 * compiler makes a straight line of it.
 */
#define STEP(i, lane) \
	do { \
		node = &nodes[((size_t) (lane) << depth) + i]; \
		i = i + i + (node->threshold < bytes[node->place]); \
	} while (0)
#define LEAF(i, lane) (double) values[((size_t) (lane) << depth) + i - ((size_t) 1 << depth)]

#define WALK(name, type, member) \
static inline __attribute__((always_inline)) double \
name(const tree_group *group, const uint8_t *bytes, const uint32_t depth) \
{ \
	const type *nodes = group->member; \
	const float *values = group->values; \
	size_t		a = 1, b = 1, c = 1, d = 1, e = 1, f = 1, g = 1, h = 1; \
	const type *node; \
	\
	for (uint32_t level = 0; level < depth; level++) \
	{ \
		STEP(a, 0); \
		STEP(b, 1); \
		STEP(c, 2); \
		STEP(d, 3); \
		STEP(e, 4); \
		STEP(f, 5); \
		STEP(g, 6); \
		STEP(h, 7); \
	} \
	return LEAF(a, 0) + LEAF(b, 1) + LEAF(c, 2) + LEAF(d, 3) + LEAF(e, 4) + LEAF(f, 5) + LEAF(g, 6) + LEAF(h, 7); \
}

WALK(walk_short, short_node, short_nodes)
WALK(walk_long, long_node, long_nodes)

CRM_TARGET_CLONES_512F double
crm_trees_margin(crm_trees_predictor *predictor, const double *features)
{
	const uint8_t *bytes = predictor->bytes;
	double		margin = predictor->base;

	fill_bytes(predictor, features);
	for (uint32_t g = 0; g < predictor->group_count; g++)
	{
		const tree_group *group = &predictor->groups[g];

		if (!predictor->is_short)
			margin += walk_long(group, bytes, group->depth);
		else
			switch (group->depth)
			{
				case 3:
					margin += walk_short(group, bytes, 3);
					break;
				case 4:
					margin += walk_short(group, bytes, 4);
					break;
				case 5:
					margin += walk_short(group, bytes, 5);
					break;
				case 6:
					margin += walk_short(group, bytes, 6);
					break;
				default:
					margin += walk_short(group, bytes, group->depth);
			}
	}
	return margin;
}
