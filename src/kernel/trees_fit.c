/*
 * trees_fit.c - boosting: losses and their gradients, samples, early stopping.
 */
#include "kernel/trees_private.h"

#include <float.h>
#include <math.h>

#define ROWS_A_STEP 16384

/* Sums of gradients stay below 2^30 in whole numbers, and rounding adds at most one a row. */
#define GRADIENT_ROOM 0x1p30
#define CURVATURE_ROOM 0x1p30

/* Greatest step of a leaf where the margin is a logarithm: more is no better, only unstable. */
#define MAX_LOG_STEP 10
#define MAX_POISSON_STEP 0.7
/* Margins of counts beyond it, more than CRM_TREES_MAX_TARGET, could overflow single precision. */
#define MAX_LOG_MEAN 70

typedef struct ranked
{
	double		value;
	double		weight;
} ranked;

typedef struct boosting
{
	crm_env		env;
	const crm_trees_options *options;
	trees_data	data;
	crm_trees  *trees;
	trees_grower grower;
	double	   *margin;			/* of all rows */
	float	   *gradient;		/* of the rows to train on, before they become whole numbers */
	float	   *curvature;
	ranked	   *ranked;			/* for quantiles */
} boosting;

size_t
crm_trees_fit_bytes(uint64_t rows, uint32_t features)
{
	/* Bins twice; keys, orders, labels, weights, margins, gradients, rows by leaf. */
	return (size_t) rows * (2 * (size_t) features + 64) +
		sizeof(uint64_t) * 256 * (size_t) features * (CRM_TREES_MAX_DEPTH + 1);
}

/* ---- quantiles ------------------------------------------------------- */

/*
 * The smallest value below or at which the wanted share of the weight lies.
 * Quickselect; which pivot is taken does not change the answer.
 */
static double
weighted_quantile(ranked *values, uint32_t count, double share)
{
	double		total = 0,
				before = 0,
				wanted;
	uint32_t	begin = 0,
				end = count;

	for (uint32_t i = 0; i < count; i++)
		total += values[i].weight;
	wanted = total * share;
	for (uint64_t round = 0; end - begin > 1; round++)
	{
		double		pivot = values[begin + trees_mix(round + end) % (end - begin)].value;
		double		below = 0,
					equal = 0;
		uint32_t	low = begin,
					next = begin,
					high = end;

		while (next < high)
		{
			ranked		one = values[next];

			if (one.value < pivot)
			{
				below += one.weight;
				values[next++] = values[low];
				values[low++] = one;
			}
			else if (one.value > pivot)
			{
				values[next] = values[--high];
				values[high] = one;
			}
			else
			{
				equal += one.weight;
				next++;
			}
		}
		if (low > begin && wanted <= before + below)
			end = low;
		else if (wanted <= before + below + equal || high == end)
			return pivot;
		else
		{
			before += below + equal;
			begin = high;
		}
	}
	return values[begin].value;
}

/* ---- losses ---------------------------------------------------------- */

static double
sigmoid(double margin)
{
	return 1 / (1 + exp(-margin));
}

double
crm_trees_answer(const crm_trees *trees, double margin)
{
	switch (trees->options.loss)
	{
		case CRM_TREES_LOGISTIC:
			return sigmoid(margin);
		case CRM_TREES_POISSON:
			return exp(margin > MAX_LOG_MEAN ? MAX_LOG_MEAN : margin);
		default:
			return margin;
	}
}

static double
row_loss(const boosting *b, uint32_t row)
{
	double		margin = b->margin[row],
				label = b->data.label[row];

	switch (b->options->loss)
	{
		case CRM_TREES_LOGISTIC:
			if (label == 0)
				margin = -margin;
			return margin < -30 ? -margin : log1p(exp(-margin));
		case CRM_TREES_POISSON:
			return crm_trees_answer(b->trees, margin) - label * margin;
		case CRM_TREES_QUANTILE:
			return label >= margin ? (label - margin) * b->options->quantile :
				(margin - label) * (1 - b->options->quantile);
		default:
			return (label - margin) * (label - margin);
	}
}

/* Mean loss of some rows. */
static double
mean_loss(const boosting *b, uint32_t begin, uint32_t end)
{
	double		sum = 0,
				weight = 0;

	for (uint32_t i = begin; i < end; i++)
	{
		if (i % ROWS_A_STEP == 0)
			crm_progress(&b->env);
		sum += row_loss(b, i) * b->data.weight[i];
		weight += b->data.weight[i];
	}
	return weight > 0 ? sum / weight : NAN;
}

/* The best margin that is the same for all. */
static crm_status
find_base(boosting *b)
{
	double		sum = 0,
				weight = 0,
				mean;

	for (uint32_t i = 0; i < b->data.train; i++)
	{
		sum += b->data.label[i] * b->data.weight[i];
		weight += b->data.weight[i];
	}
	b->trees->report.weight = weight;
	mean = sum / weight;
	switch (b->options->loss)
	{
		case CRM_TREES_LOGISTIC:
			if (!(mean > 0 && mean < 1))
				return CRM_OUT_OF_RANGE;
			b->trees->base = log(mean / (1 - mean));
			break;
		case CRM_TREES_POISSON:
			b->trees->base = mean > 0 ? log(mean) : -MAX_LOG_MEAN;
			break;
		case CRM_TREES_QUANTILE:
			for (uint32_t i = 0; i < b->data.train; i++)
				b->ranked[i] = (ranked) {b->data.label[i], b->data.weight[i]};
			b->trees->base = weighted_quantile(b->ranked, b->data.train, b->options->quantile);
			break;
		default:
			b->trees->base = mean;
	}
	return CRM_OK;
}

/* Gradients and curvatures of some rows, and what they sum to without signs. */
static void
find_gradients(boosting *b, uint32_t begin, uint32_t end, double *gradients, double *curvatures)
{
	double		gradient_sum = 0,
				curvature_sum = 0;

	for (uint32_t i = begin; i < end; i++)
	{
		double		label = b->data.label[i],
					margin = b->margin[i],
					weight = b->data.weight[i],
					gradient,
					curvature,
					p;

		switch (b->options->loss)
		{
			case CRM_TREES_LOGISTIC:
				p = sigmoid(margin);
				gradient = p - label;
				curvature = p * (1 - p);
				break;
			case CRM_TREES_POISSON:
				p = crm_trees_answer(b->trees, margin);
				gradient = p - label;
				curvature = p;
				break;
			case CRM_TREES_QUANTILE:
				gradient = margin > label ? 1 - b->options->quantile : margin < label ? -b->options->quantile : 0;
				curvature = 1;
				break;
			default:
				gradient = margin - label;
				curvature = 1;
		}
		gradient *= weight;
		curvature *= weight;
		b->gradient[i] = (float) gradient;
		b->curvature[i] = (float) curvature;
		gradient_sum += fabs(gradient);
		curvature_sum += curvature;
	}
	*gradients += gradient_sum;
	*curvatures += curvature_sum;
}

/* The largest power of two that keeps a sum within its room. */
static double
unit_for(double sum, double room)
{
	int			exponent;

	if (!(sum > 0))
		return 1;
	(void) frexp(room / sum, &exponent);
	return ldexp(1, exponent - 1);
}

/*
 * Gradients as whole numbers.  They are rounded up or down by a hash of the
 * row's place and the round, so that sums are right on average whatever their
 * size: rounding to the nearest would lose the many small ones beside a few
 * large.
 */
static bool
round_gradients(boosting *b, uint32_t round)
{
	trees_gradients *gradients = &b->grower.gradients;
	double		gradient_sum = 0,
				curvature_sum = 0,
				scale,
				curvature_scale;

	for (uint32_t begin = 0; begin < b->data.train; begin += ROWS_A_STEP)
	{
		uint32_t	end = b->data.train - begin < ROWS_A_STEP ? b->data.train : begin + ROWS_A_STEP;

		crm_progress(&b->env);
		find_gradients(b, begin, end, &gradient_sum, &curvature_sum);
	}
	if (!(gradient_sum > 0) || !(curvature_sum > 0) || !isfinite(gradient_sum) || !isfinite(curvature_sum))
		return false;
	scale = unit_for(gradient_sum, GRADIENT_ROOM);
	curvature_scale = unit_for(curvature_sum, CURVATURE_ROOM);
	gradients->unit = 1 / scale;
	gradients->curvature_unit = 1 / curvature_scale;
	for (uint32_t i = 0; i < b->data.train; i++)
	{
		uint32_t	hash = (i ^ (round * UINT32_C(0x9e3779b9))) * UINT32_C(0x85ebca6b);
		int64_t		gradient;
		uint64_t	curvature;

		hash = (hash ^ hash >> 15) * UINT32_C(0x2c1b3c6d);
		hash ^= hash >> 13;
		gradient = (int64_t) (b->gradient[i] * scale + (hash & 65535) * 0x1p-16 + GRADIENT_ROOM * 2) -
			(INT64_C(1) << 31);
		curvature = (uint64_t) (b->curvature[i] * curvature_scale + (hash >> 16) * 0x1p-16);
		gradients->packed[i] = ((uint64_t) gradient << 32) + curvature;
	}
	return true;
}

/* ---- leaves ---------------------------------------------------------- */

static double
leaf_value(void *arg, const uint32_t *rows, uint32_t count, double newton)
{
	boosting   *b = arg;
	double		most = b->options->loss == CRM_TREES_POISSON ? MAX_POISSON_STEP : MAX_LOG_STEP;

	if (b->options->loss == CRM_TREES_SQUARED)
		return newton;
	if (b->options->loss != CRM_TREES_QUANTILE)
		return newton > most ? most : newton < -most ? -most : newton;
	for (uint32_t i = 0; i < count; i++)
		b->ranked[i] = (ranked) {b->data.label[rows[i]] - b->margin[rows[i]], b->data.weight[rows[i]]};
	return weighted_quantile(b->ranked, count, b->options->quantile);
}

static void
leaf_done(void *arg, const uint32_t *rows, uint32_t count, float value)
{
	boosting   *b = arg;

	for (uint32_t i = 0; i < count; i++)
		b->margin[rows[i]] += value;
}

/* Adds the last tree to the margins of rows that it was not grown on. */
static void
add_tree(boosting *b, uint32_t begin, uint32_t end, const uint8_t *skip)
{
	const crm_trees *trees = b->trees;

	for (uint32_t i = begin; i < end; i++)
	{
		const crm_trees_node *node = &trees->nodes[trees->root[trees->trees - 1]];

		if (i % ROWS_A_STEP == 0)
			crm_progress(&b->env);
		if (skip != NULL && skip[i])
			continue;
		while (node->feature != CRM_TREES_LEAF)
			node = trees_goes_right(trees, node, b->data.by_row[(size_t) i * b->data.features + node->feature],
									b->data.missing[node->feature]) ? &trees->nodes[node->right] : node + 1;
		b->margin[i] += node->value;
	}
}

/* ---- samples --------------------------------------------------------- */

/* The rows of a tree; drawn, where there are any, by hashes of round and seed. */
static void
sample_rows(boosting *b, uint32_t round, uint8_t *drawn)
{
	uint64_t	salt = trees_mix(b->options->seed * 2 + 1) + round;

	b->grower.row_count = 0;
	for (uint32_t i = 0; i < b->data.train; i++)
	{
		if (drawn != NULL)
		{
			drawn[i] = trees_unit(trees_mix(trees_mix(salt) + i)) < b->options->row_sample;
			if (!drawn[i])
				continue;
		}
		b->grower.rows[b->grower.row_count++] = i;
	}
}

/* At least one feature, ascending. */
static void
sample_columns(boosting *b, uint32_t round)
{
	uint32_t	features = b->data.features;
	uint32_t	wanted = (uint32_t) ceil(features * b->options->column_sample);
	uint32_t	left = wanted < 1 ? 1 : wanted;
	uint64_t	salt = trees_mix(b->options->seed * 2 + 2) + round;

	b->grower.active_count = 0;
	for (uint32_t f = 0; f < features && left > 0; f++)
		if (trees_unit(trees_mix(trees_mix(salt) + f)) * (features - f) < left)
		{
			b->grower.active[b->grower.active_count++] = f;
			left--;
		}
}

/* ---- the whole ------------------------------------------------------- */

/* Drops trees behind the best one, and what they added to importance. */
static void
keep_trees(crm_trees *trees, uint32_t count, const crm_trees_feature *importance)
{
	trees->trees = count;
	trees->node_count = trees->root[count];
	for (uint32_t f = 0; f < trees->features; f++)
	{
		trees->feature[f].splits = importance[f].splits;
		trees->feature[f].gain = importance[f].gain;
		trees->feature[f].cover = importance[f].cover;
	}
	trees->set_count = 0;
	for (uint32_t i = 0; i < trees->node_count; i++)
		if (trees->nodes[i].feature != CRM_TREES_LEAF && trees->feature[trees->nodes[i].feature].category)
			trees->set_count++;
}

/* Drops cuts that no split uses; numbers of bins change. */
static crm_status
drop_cuts(const crm_env *env, crm_trees *trees)
{
	uint16_t	(*new_bin)[CRM_TREES_MAX_BINS + 1];
	crm_trees_feature *feature;

	CRM_ALLOC(new_bin, env, sizeof(*new_bin) * trees->features);
	memset(new_bin, 0, sizeof(*new_bin) * trees->features);
	for (uint32_t i = 0; i < trees->node_count; i++)
	{
		const crm_trees_node *node = &trees->nodes[i];

		if (node->feature != CRM_TREES_LEAF && !trees->feature[node->feature].category)
			new_bin[node->feature][node->bin] = 1;
	}
	for (uint32_t f = 0; f < trees->features; f++)
	{
		uint16_t	kept = 0;

		feature = &trees->feature[f];
		if (feature->category)
		{
			if (feature->splits == 0)
				feature->count = 0;
			continue;
		}
		for (uint32_t bin = 0; bin < feature->count; bin++)
		{
			bool		used = new_bin[f][bin] != 0;

			new_bin[f][bin] = kept;
			if (used)
				feature->cuts[kept++] = feature->cuts[bin];
		}
		/* Behind the last cut: all numbers. */
		new_bin[f][feature->count] = kept;
		feature->count = kept;
	}
	for (uint32_t i = 0; i < trees->node_count; i++)
	{
		crm_trees_node *node = &trees->nodes[i];

		if (node->feature != CRM_TREES_LEAF && !trees->feature[node->feature].category)
			node->bin = new_bin[node->feature][node->bin];
	}
	env->release(env->arg, new_bin);
	return CRM_OK;
}

static crm_status
boost(boosting *b)
{
	const crm_trees_options *options = b->options;
	crm_trees  *trees = b->trees;
	uint8_t    *drawn = NULL;
	crm_trees_feature *importance;
	size_t		importance_size = sizeof(crm_trees_feature) * trees->features;
	double		best_loss = INFINITY;
	uint32_t	best = 0;

	if (options->row_sample < 1)
		CRM_ALLOC(drawn, &b->env, b->data.train);
	CRM_ALLOC(importance, &b->env, importance_size);
	memcpy(importance, trees->feature, importance_size);
	if (b->data.train < b->data.rows)
		best_loss = mean_loss(b, b->data.train, b->data.rows);
	for (uint32_t round = 0; round < options->trees; round++)
	{
		if (!round_gradients(b, round))
			break;
		sample_rows(b, round, drawn);
		sample_columns(b, round);
		if (b->grower.row_count == 0)
			continue;
		CRM_TRY(crm_trees_grow(&b->grower));
		crm_step(&b->env, trees->trees);
		if (drawn != NULL)
			add_tree(b, 0, b->data.train, drawn);
		if (b->data.train < b->data.rows)
		{
			double		loss;

			add_tree(b, b->data.train, b->data.rows, NULL);
			loss = mean_loss(b, b->data.train, b->data.rows);
			if (loss < best_loss)
			{
				best_loss = loss;
				best = trees->trees;
				memcpy(importance, trees->feature, importance_size);
			}
			else if (trees->trees - best >= options->early_stopping)
				break;
		}
		/* A tree that parts nothing will not part anything later, unless another sample does. */
		else if (trees->root[trees->trees] - trees->root[trees->trees - 1] == 1 && options->row_sample >= 1 &&
				 options->column_sample >= 1 && options->loss != CRM_TREES_QUANTILE)
			break;
	}
	trees->report.grown = trees->trees;
	if (b->data.train < b->data.rows)
	{
		keep_trees(trees, best, importance);
		trees->report.held_loss = best_loss;
	}
	return CRM_OK;
}

/* Mean loss of the training rows under the trees that were kept. */
static void
final_loss(boosting *b)
{
	crm_trees  *trees = b->trees;

	if (trees->trees < trees->report.grown)
	{
		uint32_t	kept = trees->trees;

		for (uint32_t i = 0; i < b->data.train; i++)
			b->margin[i] = trees->base;
		for (trees->trees = 1; trees->trees <= kept; trees->trees++)
			add_tree(b, 0, b->data.train, NULL);
		trees->trees = kept;
	}
	trees->report.loss = mean_loss(b, 0, b->data.train);
}

crm_status
crm_trees_fit(const crm_env *env, const crm_columns *rows, const crm_trees_options *options, size_t max_bytes,
			  crm_trees *trees)
{
	boosting	state = {*env, options};
	boosting   *b = &state;

	memset(trees, 0, sizeof(*trees));
	trees->options = *options;
	trees->options.monotone = NULL;
	trees->options.categorical = NULL;
	trees->features = rows->width - 2;
	trees->report.rows = rows->rows;
	trees->report.held_loss = NAN;
	if (rows->rows == 0)
		return CRM_OUT_OF_RANGE;
	if (rows->rows > CRM_TREES_MAX_ROWS || crm_trees_fit_bytes(rows->rows, trees->features) > max_bytes)
		return CRM_LIMIT;
	CRM_ALLOC(trees->feature, env, sizeof(crm_trees_feature) * trees->features);
	memset(trees->feature, 0, sizeof(crm_trees_feature) * trees->features);
	CRM_ALLOC(trees->root, env, sizeof(uint32_t) * (options->trees + 1));
	trees->root[0] = 0;
	b->trees = trees;

	CRM_TRY(crm_trees_bin(env, rows, options, &b->data, trees));
	trees->report.held_rows = b->data.rows - b->data.train;
	CRM_TRY(crm_trees_grower_init(&b->grower, env, &b->data, options, trees));
	b->grower.leaf_value = leaf_value;
	b->grower.leaf_done = leaf_done;
	b->grower.arg = b;
	CRM_ALLOC(b->margin, env, sizeof(double) * b->data.rows);
	CRM_ALLOC(b->gradient, env, sizeof(float) * b->data.train);
	CRM_ALLOC(b->curvature, env, sizeof(float) * b->data.train);
	CRM_ALLOC(b->grower.gradients.packed, env, sizeof(uint64_t) * b->data.train);
	if (options->loss == CRM_TREES_QUANTILE)
		CRM_ALLOC(b->ranked, env, sizeof(ranked) * b->data.train);
	CRM_TRY(find_base(b));
	for (uint32_t i = 0; i < b->data.rows; i++)
		b->margin[i] = trees->base;
	CRM_TRY(boost(b));
	final_loss(b);
	CRM_TRY(drop_cuts(env, trees));

	env->release(env->arg, b->data.by_row);
	env->release(env->arg, b->data.by_column);
	env->release(env->arg, b->data.label);
	env->release(env->arg, b->data.weight);
	env->release(env->arg, b->data.first_entry);
	env->release(env->arg, b->data.missing);
	env->release(env->arg, b->margin);
	env->release(env->arg, b->gradient);
	env->release(env->arg, b->curvature);
	env->release(env->arg, b->grower.gradients.packed);
	env->release(env->arg, b->grower.rows);
	env->release(env->arg, b->grower.scratch);
	env->release(env->arg, b->grower.active);
	for (uint32_t i = 0; i <= options->depth; i++)
		env->release(env->arg, b->grower.histograms[i]);
	env->release(env->arg, b->grower.histograms);
	if (b->ranked != NULL)
		env->release(env->arg, b->ranked);
	return CRM_OK;
}
