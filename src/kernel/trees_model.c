/*
 * trees_model.c - boosted trees as a kind of model: fields, checks, scores and
 * reasons.
 *
 * Trees are stored node by node, the left part below a node before the right
 * one, so that no places of children are needed: for each node the number of
 * its feature, from 1, or 0 for a leaf; for each split its bin (0 for a
 * category) and whether missing ones go right; for each leaf its value and cover;
 * for each split of a category four words of 64 bits, the values that go left.
 */
#include "kernel/trees_private.h"

#include <math.h>

enum
{
	FIELD_LOSS,
	FIELD_QUANTILE,
	FIELD_BASE,
	FIELD_TREES,
	FIELD_GROWN,
	FIELD_DEPTH,
	FIELD_RATE,
	FIELD_L2,
	FIELD_CHILD_WEIGHT,
	FIELD_MIN_GAIN,
	FIELD_ROW_SAMPLE,
	FIELD_COLUMN_SAMPLE,
	FIELD_BINS,
	FIELD_SEED,
	FIELD_EARLY_STOPPING,
	FIELD_HELD_OUT,
	FIELD_ROWS,
	FIELD_HELD_ROWS,
	FIELD_WEIGHT,
	FIELD_TRAINING_LOSS,
	FIELD_HELD_LOSS,
	FIELD_CATEGORICAL,
	FIELD_MONOTONE,
	FIELD_SPLITS,
	FIELD_GAIN,
	FIELD_COVER,
	FIELD_CUT_COUNTS,
	FIELD_CUTS,
	FIELD_NODES,
	FIELD_NODE_BINS,
	FIELD_MISSING_RIGHT,
	FIELD_SETS,
	FIELD_LEAF_VALUES,
	FIELD_LEAF_COVERS
};

static const crm_model_field trees_fields[] = {
	{"loss", CRM_FIELD_TEXT},
	{"quantile", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL},
	{"base", CRM_FIELD_NUMBER},
	{"trees", CRM_FIELD_INTEGER},
	{"trees_grown", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL},
	{"depth", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL},
	{"learning_rate", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL},
	{"l2", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL},
	{"min_child_weight", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL},
	{"min_gain", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL},
	{"row_sample", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL},
	{"column_sample", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL},
	{"bins", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL},
	{"seed", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL},
	{"early_stopping", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL},
	{"held_out", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL},
	{"rows", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL},
	{"held_rows", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL},
	{"weight", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL},
	{"training_loss", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL},
	{"held_loss", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL},
	{"categorical", CRM_FIELD_INTEGERS, CRM_FIELD_OPTIONAL},
	{"monotone", CRM_FIELD_INTEGERS, CRM_FIELD_OPTIONAL, true},
	{"importance_splits", CRM_FIELD_INTEGERS, CRM_FIELD_OPTIONAL, true},
	{"importance_gain", CRM_FIELD_NUMBERS, CRM_FIELD_OPTIONAL, true},
	{"importance_cover", CRM_FIELD_NUMBERS, CRM_FIELD_OPTIONAL, true},
	{"cut_counts", CRM_FIELD_INTEGERS, CRM_FIELD_BULK, true},
	{"cuts", CRM_FIELD_NUMBERS, CRM_FIELD_BULK},
	{"node_features", CRM_FIELD_INTEGERS, CRM_FIELD_BULK},
	{"node_bins", CRM_FIELD_INTEGERS, CRM_FIELD_BULK},
	{"missing_right", CRM_FIELD_INTEGERS, CRM_FIELD_BULK},
	{"category_sets", CRM_FIELD_INTEGERS, CRM_FIELD_BULK | CRM_FIELD_OPTIONAL},
	{"leaf_values", CRM_FIELD_NUMBERS, CRM_FIELD_BULK},
	{"leaf_covers", CRM_FIELD_NUMBERS, CRM_FIELD_BULK},
	{NULL}
};

/* In the order of crm_trees_loss. */
static const char *const loss_names[] = {"", "logistic", "squared", "quantile", "poisson"};

#define LOSSES 4
#define WORDS_OF_SET 4
/* Sums of as many leaves as there may be stay finite, and shares of covers exact enough. */
#define MAX_VALUE 1e31
#define MIN_COVER 1e-30

/* ---- checking ------------------------------------------------------------ */

static crm_trees_loss
loss_of(const crm_model *m)
{
	for (int loss = 1; loss <= LOSSES; loss++)
		if (crm_model_text_is(crm_model_get(m, FIELD_LOSS)->text, loss_names[loss]))
			return (crm_trees_loss) loss;
	return (crm_trees_loss) 0;
}

static bool
is_category(const crm_model *m, uint32_t feature)
{
	const crm_model_value *numbers = crm_model_get(m, FIELD_CATEGORICAL);
	uint32_t	low = 0,
				high = numbers->count;

	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (numbers->integers[middle] < (int64_t) feature + 1)
			low = middle + 1;
		else
			high = middle;
	}
	return low < numbers->count && numbers->integers[low] == (int64_t) feature + 1;
}

static const char *
check_numbers(const crm_model *m)
{
	static const int counts[] = {FIELD_GROWN, FIELD_DEPTH, FIELD_BINS, FIELD_EARLY_STOPPING, FIELD_ROWS, FIELD_HELD_ROWS,
	FIELD_RATE, FIELD_L2, FIELD_CHILD_WEIGHT, FIELD_MIN_GAIN, FIELD_ROW_SAMPLE, FIELD_COLUMN_SAMPLE, FIELD_HELD_OUT, FIELD_WEIGHT};
	const crm_model_value *quantile = crm_model_get(m, FIELD_QUANTILE);
	const crm_model_value *monotone = crm_model_get(m, FIELD_MONOTONE);
	const crm_model_value *splits = crm_model_get(m, FIELD_SPLITS);
	const crm_model_value *categorical = crm_model_get(m, FIELD_CATEGORICAL);

	if (loss_of(m) == 0)
		return "\"loss\" is logistic, squared, quantile or poisson.";
	if (quantile->present != (loss_of(m) == CRM_TREES_QUANTILE) ||
		(quantile->present && !(quantile->number > 0 && quantile->number < 1)))
		return "\"quantile\" is a number between 0 and 1, for the loss quantile only.";
	if (fabs(crm_model_get(m, FIELD_BASE)->number) > MAX_VALUE)
		return "\"base\" is too large.";
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (crm_model_get(m, counts[i])->integer < 0 || crm_model_get(m, counts[i])->number < 0)
			return "A count, a share or an option is negative.";
	for (uint32_t i = 0; i < monotone->count; i++)
		if (monotone->integers[i] < -1 || monotone->integers[i] > 1)
			return "\"monotone\" has -1, 0 or 1 for each feature.";
	for (uint32_t i = 0; i < splits->count; i++)
		if (splits->integers[i] < 0 || splits->integers[i] > UINT32_MAX)
			return "\"importance_splits\" has a number of splits for each feature.";
	for (int field = FIELD_GAIN; field <= FIELD_COVER; field++)
		for (uint32_t i = 0; i < crm_model_get(m, field)->count; i++)
			if (crm_model_get(m, field)->numbers[i] < 0)
				return "An importance is negative.";
	for (uint32_t i = 0; i < categorical->count; i++)
		if (categorical->integers[i] < 1 || categorical->integers[i] > m->features ||
			(i > 0 && categorical->integers[i] <= categorical->integers[i - 1]))
			return "\"categorical\" has ascending numbers of features, counted from 1.";
	return NULL;
}

static const char *
check_cuts(const crm_model *m)
{
	const crm_model_value *counts = crm_model_get(m, FIELD_CUT_COUNTS);
	const crm_model_value *cuts = crm_model_get(m, FIELD_CUTS);
	uint64_t	next = 0;

	for (uint32_t f = 0; f < counts->count; f++)
	{
		if (counts->integers[f] < 0 || counts->integers[f] > CRM_TREES_MAX_CUTS)
			return "\"cut_counts\" has at most 254 cuts for each feature.";
		if (next + (uint64_t) counts->integers[f] > cuts->count)
			return "\"cuts\" has another length than \"cut_counts\" says.";
		for (int64_t i = 1; i < counts->integers[f]; i++)
			if (!(cuts->numbers[next + i - 1] < cuts->numbers[next + i]))
				return "\"cuts\" of a feature are not ascending.";
		next += (uint64_t) counts->integers[f];
	}
	if (next != cuts->count)
		return "\"cuts\" has another length than \"cut_counts\" says.";
	return NULL;
}

static bool
is_single(double number)
{
	return fabs(number) <= MAX_VALUE && (double) (float) number == number;
}

/* A split: its bin among those of its feature, and its set. */
static const char *
check_split(const crm_model *m, uint32_t feature, uint32_t split, uint32_t *sets)
{
	int64_t		count = crm_model_get(m, FIELD_CUT_COUNTS)->integers[feature];
	int64_t		bin = crm_model_get(m, FIELD_NODE_BINS)->integers[split];
	int64_t		missing_right = crm_model_get(m, FIELD_MISSING_RIGHT)->integers[split];
	const crm_model_value *words = crm_model_get(m, FIELD_SETS);

	if (missing_right < 0 || missing_right > 1)
		return "\"missing_right\" has 0 or 1 for each split.";
	if (!is_category(m, feature))
	{
		if (bin < 0 || bin > count || (bin == count && !missing_right))
			return "\"node_bins\" has a bin that its feature has not.";
		return NULL;
	}
	if (bin != 0)
		return "\"node_bins\" has 0 for splits of categories.";
	if ((uint64_t) words->count < ((uint64_t) *sets + 1) * WORDS_OF_SET || *sets > UINT16_MAX)
		return "\"category_sets\" has not four words for each split of a category.";
	for (int64_t bit = count; bit < WORDS_OF_SET * 64; bit++)
		if ((uint64_t) words->integers[*sets * WORDS_OF_SET + bit / 64] >> (bit % 64) & 1)
			return "\"category_sets\" has a value that its feature has not.";
	(*sets)++;
	return NULL;
}

static const char *
check_nodes(const crm_model *m)
{
	const crm_model_value *nodes = crm_model_get(m, FIELD_NODES);
	const crm_model_value *values = crm_model_get(m, FIELD_LEAF_VALUES);
	const crm_model_value *covers = crm_model_get(m, FIELD_LEAF_COVERS);
	int64_t		trees = crm_model_get(m, FIELD_TREES)->integer;
	uint32_t	splits = 0,
				leaves = 0,
				sets = 0,
				depth = 0;
	int64_t		finished = 0;
	bool		right[CRM_TREES_MAX_DEPTH + 1];	/* on the way to the next node, whether it goes right */

	if (trees < 0 || trees > CRM_TREES_MAX_TREES)
		return "\"trees\" is a number from 0 to 10000.";
	if (crm_model_get(m, FIELD_NODE_BINS)->count != crm_model_get(m, FIELD_MISSING_RIGHT)->count ||
		values->count != covers->count)
		return "Arrays of splits or of leaves have different lengths.";
	for (uint32_t i = 0; i < nodes->count; i++)
	{
		int64_t		feature = nodes->integers[i];

		if (finished == trees)
			return "\"node_features\" has more nodes than the trees have.";
		if (feature < 0 || feature > m->features)
			return "\"node_features\" has a number that no feature has.";
		if (feature > 0)
		{
			const char *problem;

			if (splits == crm_model_get(m, FIELD_NODE_BINS)->count)
				return "There are fewer bins than splits.";
			problem = check_split(m, (uint32_t) feature - 1, splits++, &sets);
			if (problem != NULL)
				return problem;
			if (depth == CRM_TREES_MAX_DEPTH)
				return "A tree is deeper than 12.";
			right[depth++] = false;
			continue;
		}
		if (leaves == values->count)
			return "There are fewer values than leaves.";
		if (!is_single(values->numbers[leaves]) || !is_single(covers->numbers[leaves]) || covers->numbers[leaves] < MIN_COVER)
			return "A leaf's value or cover is not a number of single precision in its range.";
		leaves++;
		while (depth > 0 && right[depth - 1])
			depth--;
		if (depth > 0)
			right[depth - 1] = true;
		else
			finished++;
	}
	if (finished != trees || depth != 0)
		return "\"node_features\" has fewer nodes than the trees have.";
	if (splits != crm_model_get(m, FIELD_NODE_BINS)->count || leaves != values->count ||
		(uint64_t) sets * WORDS_OF_SET != crm_model_get(m, FIELD_SETS)->count)
		return "Arrays of splits, of leaves or of sets are longer than the trees need.";
	return NULL;
}

static const char *
check_trees(const crm_model *m)
{
	const char *problem;

	if (m->features > CRM_TREES_MAX_FEATURES)
		return "There are more than 9990 features.";
	problem = check_numbers(m);
	if (problem == NULL)
		problem = check_cuts(m);
	if (problem == NULL)
		problem = check_nodes(m);
	return problem;
}

static bool
takes_missing(const crm_model *m)
{
	return true;
}

/* ---- reading --------------------------------------------------------------- */

/* Where the reader of the nodes stands. */
typedef struct node_reader
{
	const crm_model *m;
	crm_trees  *trees;
	uint32_t	splits;
	uint32_t	leaves;
} node_reader;

static void
read_node(node_reader *reader)
{
	crm_trees  *trees = reader->trees;
	crm_trees_node *node = &trees->nodes[trees->node_count];
	int64_t		feature = crm_model_get(reader->m, FIELD_NODES)->integers[trees->node_count++];
	const crm_trees_node *left;

	memset(node, 0, sizeof(*node));
	if (feature == 0)
	{
		node->feature = CRM_TREES_LEAF;
		node->value = (float) crm_model_get(reader->m, FIELD_LEAF_VALUES)->numbers[reader->leaves];
		node->cover = (float) crm_model_get(reader->m, FIELD_LEAF_COVERS)->numbers[reader->leaves++];
		return;
	}
	node->feature = (uint32_t) feature - 1;
	node->bin = (uint16_t) crm_model_get(reader->m, FIELD_NODE_BINS)->integers[reader->splits];
	node->missing_right = crm_model_get(reader->m, FIELD_MISSING_RIGHT)->integers[reader->splits++] != 0;
	if (trees->feature[node->feature].category)
	{
		for (int i = 0; i < WORDS_OF_SET; i++)
			trees->sets[trees->set_count].words[i] =
				(uint64_t) crm_model_get(reader->m, FIELD_SETS)->integers[trees->set_count * WORDS_OF_SET + i];
		node->bin = (uint16_t) trees->set_count++;
	}
	left = node + 1;
	read_node(reader);
	node->right = trees->node_count;
	read_node(reader);
	node->cover = (float) ((double) left->cover + trees->nodes[node->right].cover);
}

crm_status
crm_trees_from_model(const crm_env *env, const crm_model *m, crm_trees *trees)
{
	node_reader reader = {m, trees};
	const crm_model_value *cuts = crm_model_get(m, FIELD_CUTS);
	uint32_t	next = 0;

	memset(trees, 0, sizeof(*trees));
	trees->options.loss = loss_of(m);
	trees->options.quantile = crm_model_get(m, FIELD_QUANTILE)->number;
	trees->features = m->features;
	trees->base = crm_model_get(m, FIELD_BASE)->number;
	CRM_ALLOC(trees->feature, env, sizeof(crm_trees_feature) * m->features);
	memset(trees->feature, 0, sizeof(crm_trees_feature) * m->features);
	for (uint32_t f = 0; f < m->features; f++)
	{
		trees->feature[f].category = is_category(m, f);
		trees->feature[f].count = (uint16_t) crm_model_get(m, FIELD_CUT_COUNTS)->integers[f];
		CRM_ALLOC(trees->feature[f].cuts, env, sizeof(double) * (trees->feature[f].count + 1));
		if (trees->feature[f].count > 0)
			memcpy(trees->feature[f].cuts, cuts->numbers + next, sizeof(double) * trees->feature[f].count);
		next += trees->feature[f].count;
	}
	CRM_ALLOC(trees->root, env, sizeof(uint32_t) * ((size_t) crm_model_get(m, FIELD_TREES)->integer + 1));
	CRM_ALLOC(trees->nodes, env, sizeof(crm_trees_node) * crm_model_get(m, FIELD_NODES)->count);
	CRM_ALLOC(trees->sets, env, sizeof(crm_trees_set) * (crm_model_get(m, FIELD_SETS)->count / WORDS_OF_SET + 1));
	while (trees->trees < (uint32_t) crm_model_get(m, FIELD_TREES)->integer)
	{
		trees->root[trees->trees++] = trees->node_count;
		read_node(&reader);
	}
	trees->root[trees->trees] = trees->node_count;
	return CRM_OK;
}

/* ---- writing --------------------------------------------------------------- */

static crm_status
put_integers(const crm_env *env, crm_model *m, int field, uint32_t count, int64_t **integers)
{
	CRM_ALLOC(*integers, env, sizeof(int64_t) * count);
	crm_model_set_integers(m, field, *integers, count);
	return CRM_OK;
}

static crm_status
put_numbers(const crm_env *env, crm_model *m, int field, uint32_t count, double **numbers)
{
	CRM_ALLOC(*numbers, env, sizeof(double) * count);
	crm_model_set_numbers(m, field, *numbers, count);
	return CRM_OK;
}

static crm_status
put_features(const crm_env *env, const crm_trees *trees, const crm_trees_options *options, crm_model *m)
{
	int64_t    *splits,
			   *counts,
			   *listed;
	double	   *gains,
			   *covers,
			   *cuts;
	uint32_t	categories = 0,
				all_cuts = 0;

	CRM_TRY(put_integers(env, m, FIELD_SPLITS, trees->features, &splits));
	CRM_TRY(put_numbers(env, m, FIELD_GAIN, trees->features, &gains));
	CRM_TRY(put_numbers(env, m, FIELD_COVER, trees->features, &covers));
	CRM_TRY(put_integers(env, m, FIELD_CUT_COUNTS, trees->features, &counts));
	for (uint32_t f = 0; f < trees->features; f++)
	{
		const crm_trees_feature *feature = &trees->feature[f];

		splits[f] = feature->splits;
		gains[f] = feature->gain;
		covers[f] = feature->cover;
		counts[f] = feature->count;
		all_cuts += feature->count;
		categories += feature->category;
	}
	CRM_TRY(put_numbers(env, m, FIELD_CUTS, all_cuts, &cuts));
	for (uint32_t f = 0; f < trees->features; f++)
	{
		if (trees->feature[f].count > 0)
			memcpy(cuts, trees->feature[f].cuts, sizeof(double) * trees->feature[f].count);
		cuts += trees->feature[f].count;
	}
	if (categories > 0)
	{
		CRM_TRY(put_integers(env, m, FIELD_CATEGORICAL, categories, &listed));
		for (uint32_t f = 0; f < trees->features; f++)
			if (trees->feature[f].category)
				*listed++ = f + 1;
	}
	if (options->monotone != NULL)
	{
		CRM_TRY(put_integers(env, m, FIELD_MONOTONE, trees->features, &listed));
		for (uint32_t f = 0; f < trees->features; f++)
			listed[f] = options->monotone[f];
	}
	return CRM_OK;
}

static crm_status
put_nodes(const crm_env *env, const crm_trees *trees, crm_model *m)
{
	uint32_t	leaves = 0;
	int64_t    *nodes,
			   *bins,
			   *missing_right,
			   *words = NULL;
	double	   *values,
			   *covers;

	for (uint32_t i = 0; i < trees->node_count; i++)
		leaves += trees->nodes[i].feature == CRM_TREES_LEAF;
	CRM_TRY(put_integers(env, m, FIELD_NODES, trees->node_count, &nodes));
	CRM_TRY(put_integers(env, m, FIELD_NODE_BINS, trees->node_count - leaves, &bins));
	CRM_TRY(put_integers(env, m, FIELD_MISSING_RIGHT, trees->node_count - leaves, &missing_right));
	CRM_TRY(put_numbers(env, m, FIELD_LEAF_VALUES, leaves, &values));
	CRM_TRY(put_numbers(env, m, FIELD_LEAF_COVERS, leaves, &covers));
	if (trees->set_count > 0)
		CRM_TRY(put_integers(env, m, FIELD_SETS, trees->set_count * WORDS_OF_SET, &words));
	for (uint32_t i = 0; i < trees->node_count; i++)
	{
		const crm_trees_node *node = &trees->nodes[i];

		if (node->feature == CRM_TREES_LEAF)
		{
			*nodes++ = 0;
			/* No -0: one model has one form. */
			*values++ = (double) node->value + 0.0;
			*covers++ = node->cover < MIN_COVER ? (double) (float) (2 * MIN_COVER) : node->cover;
			continue;
		}
		*nodes++ = (int64_t) node->feature + 1;
		*missing_right++ = node->missing_right;
		*bins++ = trees->feature[node->feature].category ? 0 : node->bin;
		if (trees->feature[node->feature].category)
			for (int word = 0; word < WORDS_OF_SET; word++)
				*words++ = (int64_t) trees->sets[node->bin].words[word];
	}
	return CRM_OK;
}

crm_status
crm_trees_to_model(const crm_env *env, const crm_trees *trees, const crm_trees_options *options, crm_model *m)
{
	crm_model_begin(m, &crm_model_boosted_trees, trees->features);
	crm_model_set_text(m, FIELD_LOSS, loss_names[options->loss]);
	if (options->loss == CRM_TREES_QUANTILE)
		crm_model_set_number(m, FIELD_QUANTILE, options->quantile);
	crm_model_set_number(m, FIELD_BASE, trees->base + 0.0);
	crm_model_set_integer(m, FIELD_TREES, trees->trees);
	crm_model_set_integer(m, FIELD_GROWN, trees->report.grown);
	crm_model_set_integer(m, FIELD_DEPTH, options->depth);
	crm_model_set_number(m, FIELD_RATE, options->learning_rate);
	crm_model_set_number(m, FIELD_L2, options->l2);
	crm_model_set_number(m, FIELD_CHILD_WEIGHT, options->min_child_weight);
	crm_model_set_number(m, FIELD_MIN_GAIN, options->min_gain);
	crm_model_set_number(m, FIELD_ROW_SAMPLE, options->row_sample);
	crm_model_set_number(m, FIELD_COLUMN_SAMPLE, options->column_sample);
	crm_model_set_integer(m, FIELD_BINS, options->bins);
	crm_model_set_integer(m, FIELD_SEED, (int64_t) options->seed);
	if (options->early_stopping > 0)
	{
		crm_model_set_integer(m, FIELD_EARLY_STOPPING, options->early_stopping);
		crm_model_set_number(m, FIELD_HELD_OUT, options->held_out);
	}
	crm_model_set_integer(m, FIELD_ROWS, (int64_t) trees->report.rows);
	crm_model_set_integer(m, FIELD_HELD_ROWS, (int64_t) trees->report.held_rows);
	crm_model_set_number(m, FIELD_WEIGHT, trees->report.weight);
	if (isfinite(trees->report.loss))
		crm_model_set_number(m, FIELD_TRAINING_LOSS, trees->report.loss + 0.0);
	if (isfinite(trees->report.held_loss))
		crm_model_set_number(m, FIELD_HELD_LOSS, trees->report.held_loss + 0.0);
	CRM_TRY(put_features(env, trees, options, m));
	return put_nodes(env, trees, m);
}

/* ---- scoring --------------------------------------------------------------- */

typedef struct trees_scorer
{
	crm_trees	trees;
	crm_trees_predictor *predictor;
} trees_scorer;

static crm_status
prepare(const crm_model *m, const crm_env *env, void **scorer)
{
	trees_scorer *s;

	CRM_ALLOC(s, env, sizeof(*s));
	CRM_TRY(crm_trees_from_model(env, m, &s->trees));
	CRM_TRY(crm_trees_compile(env, &s->trees, &s->predictor));
	*scorer = s;
	return CRM_OK;
}

static double
predict(const void *scorer, const double *x)
{
	const trees_scorer *s = scorer;

	return crm_trees_answer(&s->trees, crm_trees_margin(s->predictor, x));
}

static crm_status
explain(const void *scorer, const crm_env *env, const double *x, double *parts)
{
	return crm_trees_explain(env, &((const trees_scorer *) scorer)->trees, x, parts);
}

const crm_model_kind crm_model_boosted_trees = {
	.number = 10,
	.name = "boosted_trees",
	.fields = trees_fields,
	.check = check_trees,
	.takes_missing = takes_missing,
	.prepare = prepare,
	.predict = predict,
	.explain = explain
};
