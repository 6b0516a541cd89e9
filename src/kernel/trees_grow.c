/*
 * trees_grow.c - one tree: histograms, the best split of a node, and the parting
 * of its rows.
 */
#include "kernel/trees_private.h"

#include <float.h>
#include <math.h>

/* Rows between two calls of the progress callback. */
#define ROWS_A_STEP 16384
#define PREFETCH 12

/* What is added to the curvature of a category's set, and of one category in their order. */
#define CATEGORY_L2 10
#define CATEGORY_SMOOTH 10

/* A node to be grown. */
typedef struct growing
{
	uint32_t	begin;			/* its rows in grower->rows */
	uint32_t	end;
	uint32_t	level;
	int64_t		gradient;
	int64_t		curvature;
	double		low;			/* bounds of values below it, from monotone features above */
	double		high;
	uint32_t	histogram;		/* number of its histogram, filled if it may be split */
	uint32_t	free_histogram; /* the first that nobody uses */
} growing;

typedef struct split
{
	double		gain;			/* 0: none found */
	uint32_t	feature;
	uint16_t	bin;			/* of a number */
	bool		missing_right;
	bool		category;
	crm_trees_set set;
	int64_t		left_gradient;
	int64_t		left_curvature;
} split;

crm_status
crm_trees_grower_init(trees_grower *grower, const crm_env *env, const trees_data *data,
					  const crm_trees_options *options, crm_trees *trees)
{
	memset(grower, 0, sizeof(*grower));
	grower->env = *env;
	grower->data = data;
	grower->options = options;
	grower->trees = trees;
	CRM_ALLOC(grower->rows, env, sizeof(uint32_t) * data->train);
	CRM_ALLOC(grower->scratch, env, sizeof(uint32_t) * data->train);
	CRM_ALLOC(grower->active, env, sizeof(uint32_t) * data->features);
	CRM_ALLOC(grower->histograms, env, sizeof(uint64_t *) * (options->depth + 1));
	for (uint32_t i = 0; i <= options->depth; i++)
		CRM_ALLOC(grower->histograms[i], env, sizeof(uint64_t) * data->first_entry[data->features]);
	return CRM_OK;
}

/* ---- histograms ------------------------------------------------------ */

/* All features of some rows. */
static void
add_rows(uint64_t *restrict histogram, const uint32_t *restrict first_entry, const uint8_t *restrict bins,
		 uint32_t features, const uint32_t *restrict rows, uint32_t count, const uint64_t *restrict packed)
{
	for (uint32_t i = 0; i < count; i++)
	{
		const uint8_t *row = bins + (size_t) rows[i] * features;
		uint64_t	gradient = packed[rows[i]];
		uint32_t	f = 0;

		if (i + PREFETCH < count)
		{
			const uint8_t *ahead = bins + (size_t) rows[i + PREFETCH] * features;

			__builtin_prefetch(ahead);
			__builtin_prefetch(ahead + features - 1);
			__builtin_prefetch(&packed[rows[i + PREFETCH]]);
		}
		for (; f + 4 <= features; f += 4)
		{
			uint32_t	four;

			memcpy(&four, row + f, 4);
			four = CRM_LE32(four);
			histogram[first_entry[f] + (four & 255)] += gradient;
			histogram[first_entry[f + 1] + (four >> 8 & 255)] += gradient;
			histogram[first_entry[f + 2] + (four >> 16 & 255)] += gradient;
			histogram[first_entry[f + 3] + (four >> 24)] += gradient;
		}
		for (; f < features; f++)
			histogram[first_entry[f] + row[f]] += gradient;
	}
}

/* Only some features. */
static void
add_active(uint64_t *restrict histogram, const trees_grower *grower, const uint32_t *restrict rows, uint32_t count)
{
	const trees_data *data = grower->data;

	for (uint32_t i = 0; i < count; i++)
	{
		const uint8_t *row = data->by_row + (size_t) rows[i] * data->features;
		uint64_t	gradient = grower->gradients.packed[rows[i]];

		for (uint32_t a = 0; a < grower->active_count; a++)
		{
			uint32_t	f = grower->active[a];

			histogram[data->first_entry[f] + row[f]] += gradient;
		}
	}
}

static void
fill_histogram(const trees_grower *grower, uint64_t *histogram, uint32_t begin, uint32_t end)
{
	const trees_data *data = grower->data;

	memset(histogram, 0, sizeof(uint64_t) * data->first_entry[data->features]);
	while (begin < end)
	{
		uint32_t	count = end - begin < ROWS_A_STEP ? end - begin : ROWS_A_STEP;

		crm_progress(&grower->env);
		if (grower->active_count == data->features)
			add_rows(histogram, data->first_entry, data->by_row, data->features, grower->rows + begin, count,
					 grower->gradients.packed);
		else
			add_active(histogram, grower, grower->rows + begin, count);
		begin += count;
	}
}

/* ---- the best split -------------------------------------------------- */

typedef struct judge
{
	const trees_grower *grower;
	const growing *node;
	double		unit;
	double		curvature_unit;
	double		l2;
	double		parent;			/* score of the whole node */
	int			monotone;
	bool		bounded;
} judge;

static double
newton(const judge *judge, double gradient, double curvature, double l2)
{
	double		value = curvature + l2 > 0 ? -gradient / (curvature + l2) : 0;

	if (value < judge->node->low)
		return judge->node->low;
	return value > judge->node->high ? judge->node->high : value;
}

/* What a leaf with these sums takes off the loss, doubled. */
static double
score(const judge *judge, double gradient, double curvature, double l2)
{
	double		value;

	if (!judge->bounded)
		return curvature + l2 > 0 ? gradient * gradient / (curvature + l2) : 0;
	value = newton(judge, gradient, curvature, l2);
	return -(2 * gradient * value + (curvature + l2) * value * value);
}

/* The gain of a split, 0 if it is not allowed. */
static double
gain_of(const judge *judge, int64_t left_gradient, int64_t left_curvature, double l2)
{
	const growing *node = judge->node;
	double		least = judge->grower->options->min_child_weight;
	double		lg = left_gradient * judge->unit,
				lc = left_curvature * judge->curvature_unit,
				rg = (node->gradient - left_gradient) * judge->unit,
				rc = (node->curvature - left_curvature) * judge->curvature_unit;
	double		both;

	if (left_curvature <= 0 || left_curvature >= node->curvature || lc < least || rc < least)
		return 0;
	if (judge->monotone != 0)
	{
		double		left = newton(judge, lg, lc, l2),
					right = newton(judge, rg, rc, l2);

		if (judge->monotone > 0 ? left > right : left < right)
			return 0;
	}
	both = score(judge, lg, lc, l2) + score(judge, rg, rc, l2);
	/* What rounding alone could make is no gain. */
	if (both - judge->parent <= 1e-9 * both)
		return 0;
	return both - judge->parent;
}

static void
try_split(const judge *judge, uint32_t feature, uint32_t bin, bool missing_right, int64_t gradient, int64_t curvature,
		  split *best)
{
	double		gain = gain_of(judge, gradient, curvature, judge->l2);

	if (gain > best->gain)
	{
		best->gain = gain;
		best->feature = feature;
		best->bin = (uint16_t) bin;
		best->missing_right = missing_right;
		best->category = false;
		best->left_gradient = gradient;
		best->left_curvature = curvature;
	}
}

static void
split_number(const judge *judge, uint32_t feature, const uint64_t *entries, uint32_t bins, split *best)
{
	const growing *node = judge->node;
	uint64_t	missing = entries[bins];
	int64_t		gradient = 0,
				curvature = 0;

	for (uint32_t bin = 0; bin < bins; bin++)
	{
		if (entries[bin] == 0)
			continue;
		gradient += trees_gradient(entries[bin]);
		curvature += trees_curvature(entries[bin]);
		if (missing == 0)
			/* None to learn from: later ones go where most rows went. */
			try_split(judge, feature, bin, curvature * 2 < node->curvature, gradient, curvature, best);
		else
		{
			try_split(judge, feature, bin, true, gradient, curvature, best);
			try_split(judge, feature, bin, false, gradient + trees_gradient(missing),
					  curvature + trees_curvature(missing), best);
		}
	}
}

typedef struct category_order
{
	double		key;
	uint32_t	bin;
} category_order;

static void
split_category(const judge *judge, uint32_t feature, const uint64_t *entries, uint32_t bins, split *best)
{
	const growing *node = judge->node;
	uint64_t	missing = entries[bins];
	category_order order[CRM_TREES_MAX_BINS];
	uint32_t	count = 0;
	int64_t		gradient = 0,
				curvature = 0;
	crm_trees_set set = {{0, 0, 0, 0}};

	for (uint32_t bin = 0; bin < bins; bin++)
	{
		double		key;
		uint32_t	place;

		if (entries[bin] == 0)
			continue;
		key = trees_gradient(entries[bin]) * judge->unit /
			(trees_curvature(entries[bin]) * judge->curvature_unit + CATEGORY_SMOOTH);
		for (place = count++; place > 0 && order[place - 1].key > key; place--)
			order[place] = order[place - 1];
		order[place].key = key;
		order[place].bin = bin;
	}
	for (uint32_t i = 0; i < count; i++)
	{
		uint64_t	entry = entries[order[i].bin];

		gradient += trees_gradient(entry);
		curvature += trees_curvature(entry);
		set.words[order[i].bin / 64] |= UINT64_C(1) << (order[i].bin % 64);
		for (int with = 0; with <= (missing != 0); with++)
		{
			int64_t		left_gradient = gradient + (with ? trees_gradient(missing) : 0);
			int64_t		left_curvature = curvature + (with ? trees_curvature(missing) : 0);
			double		gain = gain_of(judge, left_gradient, left_curvature, judge->l2 + CATEGORY_L2);

			if (gain <= best->gain)
				continue;
			best->gain = gain;
			best->feature = feature;
			best->category = true;
			best->set = set;
			best->missing_right = missing == 0 ? left_curvature * 2 < node->curvature : !with;
			best->left_gradient = left_gradient;
			best->left_curvature = left_curvature;
		}
	}
}

static split
find_split(const trees_grower *grower, const growing *node)
{
	const trees_data *data = grower->data;
	const crm_trees_options *options = grower->options;
	const uint64_t *histogram = grower->histograms[node->histogram];
	judge		judge = {grower, node, grower->gradients.unit, grower->gradients.curvature_unit, options->l2};
	split		best = {options->min_gain};

	judge.bounded = node->low > -INFINITY || node->high < INFINITY;
	judge.parent = score(&judge, node->gradient * judge.unit, node->curvature * judge.curvature_unit, options->l2);
	for (uint32_t a = 0; a < grower->active_count; a++)
	{
		uint32_t	f = grower->active[a];
		const uint64_t *entries = histogram + data->first_entry[f];
		uint32_t	bins = data->missing[f];

		judge.monotone = options->monotone == NULL ? 0 : options->monotone[f];
		if (grower->trees->feature[f].category)
			split_category(&judge, f, entries, bins, &best);
		else
			split_number(&judge, f, entries, bins, &best);
	}
	if (best.gain <= options->min_gain)
		best.gain = 0;
	else if (!best.category && best.missing_right)
	{
		uint32_t	last = data->missing[best.feature] - 1;
		int64_t		missing = trees_curvature(histogram[data->first_entry[best.feature] + last + 1]);

		/* All numbers left, the missing ones right: written with the last bin. */
		if (missing > 0 && best.left_curvature == node->curvature - missing)
			best.bin = (uint16_t) last;
	}
	return best;
}

/* ---- nodes ----------------------------------------------------------- */

static crm_status
new_node(trees_grower *grower, uint32_t *place)
{
	crm_trees  *trees = grower->trees;

	if (trees->node_count == grower->node_room)
	{
		uint32_t	room = grower->node_room == 0 ? 1024 : grower->node_room * 2;

		trees->nodes = grower->env.resize(grower->env.arg, trees->nodes, sizeof(crm_trees_node) * grower->node_room,
										  sizeof(crm_trees_node) * room);
		if (trees->nodes == NULL)
			return CRM_NO_MEMORY;
		grower->node_room = room;
	}
	*place = trees->node_count++;
	memset(&trees->nodes[*place], 0, sizeof(crm_trees_node));
	return CRM_OK;
}

static crm_status
new_set(trees_grower *grower, const crm_trees_set *set, uint16_t *number)
{
	crm_trees  *trees = grower->trees;

	if (trees->set_count > UINT16_MAX)
		return CRM_LIMIT;
	if (trees->set_count == grower->set_room)
	{
		uint32_t	room = grower->set_room == 0 ? 64 : grower->set_room * 2;

		trees->sets = grower->env.resize(grower->env.arg, trees->sets, sizeof(crm_trees_set) * grower->set_room,
										 sizeof(crm_trees_set) * room);
		if (trees->sets == NULL)
			return CRM_NO_MEMORY;
		grower->set_room = room;
	}
	trees->sets[trees->set_count] = *set;
	*number = (uint16_t) trees->set_count++;
	return CRM_OK;
}

/* Puts rows that go left before those that go right, each in their order; the number of the left ones. */
static uint32_t
part_rows(const trees_grower *grower, const crm_trees_node *node, uint32_t begin, uint32_t end)
{
	const trees_data *data = grower->data;
	const uint8_t *bins = data->by_column + (size_t) node->feature * data->rows;
	uint32_t   *rows = grower->rows + begin;
	uint32_t   *scratch = grower->scratch;
	uint32_t	left = 0,
				right = 0;
	uint8_t		goes_right[256];

	for (int bin = 0; bin < 256; bin++)
		goes_right[bin] = trees_goes_right(grower->trees, node, (uint8_t) bin, data->missing[node->feature]);
	crm_progress(&grower->env);
	for (uint32_t i = 0; i < end - begin; i++)
	{
		uint32_t	row = rows[i];
		uint8_t		goes = goes_right[bins[row]];

		rows[left] = row;
		scratch[right] = row;
		left += 1 - goes;
		right += goes;
	}
	memcpy(rows + left, scratch, sizeof(uint32_t) * right);
	return left;
}

static crm_status
grow_leaf(trees_grower *grower, const growing *node, uint32_t place)
{
	const uint32_t *rows = grower->rows + node->begin;
	uint32_t	count = node->end - node->begin;
	crm_trees_node *leaf = &grower->trees->nodes[place];
	double		curvature = node->curvature * grower->gradients.curvature_unit + grower->options->l2;
	double		value = curvature > 0 ? -(node->gradient * grower->gradients.unit) / curvature : 0;
	double		cover = 0;

	value = grower->leaf_value(grower->arg, rows, count, value);
	if (value < node->low)
		value = node->low;
	if (value > node->high)
		value = node->high;
	for (uint32_t i = 0; i < count; i++)
		cover += grower->data->weight[rows[i]];
	leaf->feature = CRM_TREES_LEAF;
	leaf->value = (float) (value * grower->options->learning_rate);
	leaf->cover = cover > FLT_MIN ? (float) cover : FLT_MIN;
	grower->leaf_done(grower->arg, rows, count, leaf->value);
	return CRM_OK;
}

/* Whether a node's histogram is worth having. */
static bool
may_split(const trees_grower *grower, const growing *node)
{
	return node->level < grower->options->depth && node->end - node->begin > 1 &&
		node->curvature * grower->gradients.curvature_unit >= 2 * grower->options->min_child_weight;
}

/*
 * The children's histograms: the one with fewer rows is counted, the other is
 * what the parent has more.
 */
static void
part_histograms(const trees_grower *grower, const growing *node, growing *left, growing *right)
{
	bool		left_wanted = may_split(grower, left),
				right_wanted = may_split(grower, right);
	growing    *smaller = left->end - left->begin <= right->end - right->begin ? left : right;
	growing    *larger = smaller == left ? right : left;
	uint64_t   *from,
			   *to;

	left->free_histogram = right->free_histogram = node->free_histogram;
	if (!left_wanted && !right_wanted)
		return;
	smaller->histogram = node->free_histogram;
	larger->histogram = node->histogram;
	left->free_histogram = right->free_histogram = node->free_histogram + 1;
	from = grower->histograms[smaller->histogram];
	to = grower->histograms[larger->histogram];
	fill_histogram(grower, from, smaller->begin, smaller->end);
	for (uint32_t i = 0; i < grower->data->first_entry[grower->data->features]; i++)
		to[i] -= from[i];
}

/* Bounds of the children of a node that a monotone feature parts: the middle of their values. */
static void
part_bounds(const trees_grower *grower, const split *split, growing *left, growing *right)
{
	int			monotone = grower->options->monotone == NULL ? 0 : grower->options->monotone[split->feature];
	double		values[2],
				middle;
	const growing *nodes[2] = {left, right};

	if (monotone == 0)
		return;
	for (int i = 0; i < 2; i++)
	{
		judge		judge = {grower, nodes[i]};

		values[i] = newton(&judge, nodes[i]->gradient * grower->gradients.unit,
						   nodes[i]->curvature * grower->gradients.curvature_unit, grower->options->l2);
	}
	middle = values[0] / 2 + values[1] / 2;
	if (monotone > 0)
	{
		left->high = middle;
		right->low = middle;
	}
	else
	{
		left->low = middle;
		right->high = middle;
	}
}

static crm_status
grow_node(trees_grower *grower, const growing *node)
{
	crm_trees  *trees = grower->trees;
	uint32_t	place,
				left_rows,
				right_place;
	split		split = {0};
	growing		left = *node,
				right = *node;
	crm_trees_node *inner;

	CRM_TRY(new_node(grower, &place));
	if (may_split(grower, node))
		split = find_split(grower, node);
	if (split.gain == 0)
		return grow_leaf(grower, node, place);

	inner = &trees->nodes[place];
	inner->feature = split.feature;
	inner->missing_right = split.missing_right;
	inner->bin = split.bin;
	if (split.category)
		CRM_TRY(new_set(grower, &split.set, &inner->bin));
	left_rows = part_rows(grower, inner, node->begin, node->end);

	left.level = right.level = node->level + 1;
	left.end = right.begin = node->begin + left_rows;
	left.gradient = split.left_gradient;
	left.curvature = split.left_curvature;
	right.gradient -= split.left_gradient;
	right.curvature -= split.left_curvature;
	part_histograms(grower, node, &left, &right);
	part_bounds(grower, &split, &left, &right);

	CRM_TRY(grow_node(grower, &left));
	right_place = trees->node_count;
	CRM_TRY(grow_node(grower, &right));
	inner = &trees->nodes[place];
	inner->right = right_place;
	inner->cover = (float) ((double) trees->nodes[place + 1].cover + trees->nodes[right_place].cover);
	trees->feature[split.feature].splits++;
	trees->feature[split.feature].gain += split.gain;
	trees->feature[split.feature].cover += inner->cover;
	return CRM_OK;
}

crm_status
crm_trees_grow(trees_grower *grower)
{
	growing		root = {0, grower->row_count, 0, 0, 0, -INFINITY, INFINITY, 0, 1};

	for (uint32_t i = 0; i < grower->row_count; i++)
	{
		uint64_t	packed = grower->gradients.packed[grower->rows[i]];

		root.gradient += trees_gradient(packed);
		root.curvature += trees_curvature(packed);
	}
	fill_histogram(grower, grower->histograms[0], 0, grower->row_count);
	grower->trees->root[grower->trees->trees++] = grower->trees->node_count;
	CRM_TRY(grow_node(grower, &root));
	grower->trees->root[grower->trees->trees] = grower->trees->node_count;
	return CRM_OK;
}
