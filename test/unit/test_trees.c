/*
 * test_trees.c - boosted trees against brute force: the best split of all
 * splits, the walk node by node, Shapley's formula over all coalitions; and
 * what must hold whatever the data: order and parts of the rows do not matter,
 * monotone is monotone, nothing is NaN.
 */
#include "unit.h"

#include <math.h>

#include "kernel/trees.h"

static uint64_t random_state = 1;

static uint32_t
random_below(uint32_t limit)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t) (random_state >> 33) % limit;
}

static double
random_unit(void)
{
	return random_below(1 << 30) / (double) (1 << 30);
}

static crm_trees_options
default_options(crm_trees_loss loss)
{
	return (crm_trees_options) {
		.loss = loss, .quantile = 0.5, .trees = 20, .depth = 4, .learning_rate = 0.3, .l2 = 1, .min_child_weight = 1,
		.row_sample = 1, .column_sample = 1, .bins = 255, .held_out = 0.2
	};
}

/* Rows of: features, label, weight. */
typedef struct table
{
	uint32_t	rows;
	uint32_t	features;
	double	   *numbers;
} table;

static table
new_table(uint32_t rows, uint32_t features)
{
	return (table) {rows, features, malloc(sizeof(double) * rows * (features + 2))};
}

static double *
row_of(const table *t, uint32_t row)
{
	return t->numbers + (size_t) row * (t->features + 2);
}

static void
collect(const table *t, const crm_env *env, uint32_t begin, uint32_t end, crm_columns *columns)
{
	crm_columns_init(columns, env, t->features + 2, SIZE_MAX);
	for (uint32_t i = begin; i < end; i++)
	{
		double	   *row;

		CHECK(crm_columns_add(columns, &row) == CRM_OK);
		memcpy(row, row_of(t, i), sizeof(double) * (t->features + 2));
		crm_columns_added(columns);
	}
}

static crm_status
fit(const table *t, const crm_env *env, const crm_trees_options *options, crm_trees *trees)
{
	crm_columns columns;

	collect(t, env, 0, t->rows, &columns);
	return crm_trees_fit(env, &columns, options, SIZE_MAX, trees);
}

/* A table with missing ones, whole numbers and a label that hangs on them. */
static table
mixed_table(uint32_t rows, bool classes)
{
	table		t = new_table(rows, 6);

	for (uint32_t i = 0; i < rows; i++)
	{
		double	   *x = row_of(&t, i);
		double		margin;

		x[0] = random_unit() * 2 - 1;
		x[1] = random_below(5);
		x[2] = random_below(4) == 0 ? NAN : random_unit() * 100;
		x[3] = random_below(12);
		x[4] = 7;
		x[5] = random_below(2) == 0 ? NAN : 1;
		margin = 2 * x[0] + (x[1] == 3) - (isnan(x[2]) ? 1.5 : x[2] / 50) + (((int) x[3] * 7) % 12 > 5) * 2 + 0.4 * isnan(x[5]);
		x[6] = classes ? random_unit() < 1 / (1 + exp(-margin)) : margin + random_unit() * 0.1;
		x[7] = 1 + random_below(3);
	}
	return t;
}

/* ---- one tree against the best of all splits ---------------------------- */

typedef struct brute
{
	const table *t;
	double	   *gradient;
	double	   *prediction;
	double		least;
	int			depth;
} brute;

static double
brute_score(double gradient, double weight)
{
	return gradient * gradient / (weight + 1);
}

static bool
brute_left(double x, double cut, bool missing_right)
{
	return isnan(x) ? !missing_right : x < cut;
}

static void
brute_grow(const brute *b, const uint32_t *rows, uint32_t count, int depth)
{
	double		gradient = 0,
				weight = 0,
				best = 1e-9,
				best_cut = 0;
	uint32_t	best_feature = 0;
	bool		best_missing = false,
				found = false;

	for (uint32_t i = 0; i < count; i++)
	{
		gradient += b->gradient[rows[i]];
		weight += row_of(b->t, rows[i])[b->t->features + 1];
	}
	for (uint32_t f = 0; depth < b->depth && f < b->t->features; f++)
		for (uint32_t c = 0; c <= count; c++)
			for (int missing_right = 0; missing_right < 2; missing_right++)
			{
				double		cut = c < count ? row_of(b->t, rows[c])[f] : INFINITY;
				double		lg = 0,
							lw = 0,
							gain;

				if (isnan(cut))
					continue;
				for (uint32_t i = 0; i < count; i++)
					if (brute_left(row_of(b->t, rows[i])[f], cut, missing_right))
					{
						lg += b->gradient[rows[i]];
						lw += row_of(b->t, rows[i])[b->t->features + 1];
					}
				if (lw < 1 || weight - lw < 1)
					continue;
				gain = brute_score(lg, lw) + brute_score(gradient - lg, weight - lw) - brute_score(gradient, weight);
				if (gain > best * (1 + 1e-9))
				{
					best = gain;
					best_feature = f;
					best_cut = cut;
					best_missing = missing_right;
					found = true;
				}
			}
	if (!found)
	{
		for (uint32_t i = 0; i < count; i++)
			b->prediction[rows[i]] += -gradient / (weight + 1) * 0.3;
		return;
	}
	{
		uint32_t   *parts[2] = {malloc(sizeof(uint32_t) * count), malloc(sizeof(uint32_t) * count)};
		uint32_t	counts[2] = {0, 0};

		for (uint32_t i = 0; i < count; i++)
		{
			int			right = !brute_left(row_of(b->t, rows[i])[best_feature], best_cut, best_missing);

			parts[right][counts[right]++] = rows[i];
		}
		for (int side = 0; side < 2; side++)
		{
			brute_grow(b, parts[side], counts[side], depth + 1);
			free(parts[side]);
		}
	}
}

static void
test_brute_force(void)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	table		t = mixed_table(150, false);
	crm_trees_options options = default_options(CRM_TREES_SQUARED);
	crm_trees	trees;
	crm_trees_predictor *predictor;
	double		gradient[150],
				prediction[150],
				base = 0,
				weight = 0,
				worst = 0;
	uint32_t	rows[150];
	brute		b = {&t, gradient, prediction, 1, 3};

	options.trees = 2;
	options.depth = 3;
	CHECK(fit(&t, &env, &options, &trees) == CRM_OK);
	CHECK(crm_trees_compile(&env, &trees, &predictor) == CRM_OK);
	for (uint32_t i = 0; i < t.rows; i++)
	{
		base += row_of(&t, i)[6] * row_of(&t, i)[7];
		weight += row_of(&t, i)[7];
		rows[i] = i;
	}
	for (uint32_t i = 0; i < t.rows; i++)
		prediction[i] = base / weight;
	for (int round = 0; round < 2; round++)
	{
		for (uint32_t i = 0; i < t.rows; i++)
			gradient[i] = (prediction[i] - row_of(&t, i)[6]) * row_of(&t, i)[7];
		brute_grow(&b, rows, t.rows, 0);
	}
	for (uint32_t i = 0; i < t.rows; i++)
		worst = fmax(worst, fabs(crm_trees_margin(predictor, row_of(&t, i)) - prediction[i]));
	CHECK(worst < 1e-6);
	CHECK_EQUAL(trees.trees, 2);
	free(t.numbers);
	unit_pool_free(&pool);
}

/* ---- order and parts ------------------------------------------------------ */

static bool
same_trees(const crm_trees *a, const crm_trees *b)
{
	bool		same = a->node_count == b->node_count && a->base == b->base && a->trees == b->trees;

	for (uint32_t i = 0; same && i < a->node_count; i++)
		same = a->nodes[i].feature == b->nodes[i].feature && a->nodes[i].bin == b->nodes[i].bin &&
			a->nodes[i].value == b->nodes[i].value && a->nodes[i].cover == b->nodes[i].cover &&
			a->nodes[i].missing_right == b->nodes[i].missing_right && a->nodes[i].right == b->nodes[i].right;
	return same && a->report.loss == b->report.loss &&
		(a->report.held_loss == b->report.held_loss || (isnan(a->report.held_loss) && isnan(b->report.held_loss)));
}

static void
test_order(crm_trees_loss loss)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	table		t = mixed_table(3000, loss == CRM_TREES_LOGISTIC);
	crm_trees_options options = default_options(loss);
	crm_trees	whole,
				parts,
				other;
	crm_columns columns,
				part;
	bool		categorical[6] = {false, false, false, true, false, false};

	options.row_sample = 0.7;
	options.column_sample = 0.6;
	options.early_stopping = 5;
	options.seed = 7;
	options.categorical = categorical;
	if (loss == CRM_TREES_POISSON)
		for (uint32_t i = 0; i < t.rows; i++)
			row_of(&t, i)[6] = floor(fabs(row_of(&t, i)[6]) * 3);
	/* Rows that are the same as others. */
	for (uint32_t i = 0; i < 500; i++)
		memcpy(row_of(&t, i), row_of(&t, i % 3), sizeof(double) * 8);
	CHECK(fit(&t, &env, &options, &whole) == CRM_OK);
	CHECK(whole.report.held_rows > 400 && whole.report.held_rows < 800);
	CHECK(whole.trees <= whole.report.grown && whole.trees > 0);
	for (uint32_t i = t.rows - 1; i > 0; i--)
	{
		uint32_t	j = random_below(i + 1);
		double		row[8];

		memcpy(row, row_of(&t, i), sizeof(row));
		memcpy(row_of(&t, i), row_of(&t, j), sizeof(row));
		memcpy(row_of(&t, j), row, sizeof(row));
	}
	crm_columns_init(&columns, &env, 8, SIZE_MAX);
	for (uint32_t begin = 0; begin < t.rows; begin += 700)
	{
		uint8_t    *bytes;

		collect(&t, &env, begin, begin + 700 < t.rows ? begin + 700 : t.rows, &part);
		bytes = malloc(crm_columns_size(&part));
		crm_columns_write(&part, bytes);
		CHECK(crm_columns_merge(&columns, bytes, crm_columns_size(&part)) == CRM_OK);
		free(bytes);
	}
	CHECK(crm_trees_fit(&env, &columns, &options, SIZE_MAX, &parts) == CRM_OK);
	CHECK(same_trees(&whole, &parts));
	options.seed = 8;
	CHECK(crm_trees_fit(&env, &columns, &options, SIZE_MAX, &other) == CRM_OK);
	CHECK(!same_trees(&whole, &other));
	free(t.numbers);
	unit_pool_free(&pool);
}

/* ---- the stored form, the predictor, Shapley ------------------------------ */

static double
walk(const crm_trees *trees, const double *x)
{
	double		margin = trees->base;

	for (uint32_t i = 0; i < trees->trees; i++)
	{
		const crm_trees_node *node = &trees->nodes[trees->root[i]];

		while (node->feature != CRM_TREES_LEAF)
		{
			const crm_trees_feature *feature = &trees->feature[node->feature];
			double		value = x[node->feature];
			bool		right = node->missing_right;

			if (feature->category)
			{
				for (uint32_t c = 0; c < feature->count; c++)
					if (feature->cuts[c] == value)
						right = !(trees->sets[node->bin].words[c / 64] >> (c % 64) & 1);
			}
			else if (!isnan(value))
				right = node->bin < feature->count && value >= feature->cuts[node->bin];
			node = right ? &trees->nodes[node->right] : node + 1;
		}
		margin += node->value;
	}
	return margin;
}

/* The mean of the leaves that remain when only some features are known. */
static double
conditional(const crm_trees *trees, uint32_t place, const double *x, uint32_t known)
{
	const crm_trees_node *node = &trees->nodes[place];
	double		left,
				right;

	if (node->feature == CRM_TREES_LEAF)
		return node->value;
	left = trees->nodes[place + 1].cover;
	right = trees->nodes[node->right].cover;
	if (known >> node->feature & 1)
	{
		/* A tree of this one split says which way it is. */
		const crm_trees_feature *feature = &trees->feature[node->feature];
		double		value = x[node->feature];
		bool		goes = node->missing_right;

		if (feature->category)
		{
			for (uint32_t c = 0; c < feature->count; c++)
				if (feature->cuts[c] == value)
					goes = !(trees->sets[node->bin].words[c / 64] >> (c % 64) & 1);
		}
		else if (!isnan(value))
			goes = node->bin < feature->count && value >= feature->cuts[node->bin];
		return conditional(trees, goes ? node->right : place + 1, x, known);
	}
	return (left * conditional(trees, place + 1, x, known) + right * conditional(trees, node->right, x, known)) / (left + right);
}

static double
coalition(const crm_trees *trees, const double *x, uint32_t known)
{
	double		sum = trees->base;

	for (uint32_t i = 0; i < trees->trees; i++)
		sum += conditional(trees, trees->root[i], x, known);
	return sum;
}

static void
check_shapley(const crm_trees *trees, const crm_env *env, const double *x)
{
	double		parts[7],
				sum = 0;
	static const double share[6] = {1. / 6, 1. / 30, 1. / 60, 1. / 60, 1. / 30, 1. / 6};	/* s! (5 - s)! / 6! */

	CHECK(crm_trees_explain(env, trees, x, parts) == CRM_OK);
	CHECK(fabs(parts[0] - coalition(trees, x, 0)) < 1e-9);
	for (uint32_t f = 0; f < 6; f++)
	{
		double		value = 0;

		for (uint32_t others = 0; others < 64; others++)
			if (!(others >> f & 1))
				value += share[crm_popcount64(others)] * (coalition(trees, x, others | 1u << f) - coalition(trees, x, others));
		CHECK(fabs(value - parts[f + 1]) < 1e-9);
	}
	for (int i = 0; i < 7; i++)
		sum += parts[i];
	CHECK(fabs(sum - walk(trees, x)) < 1e-9);
}

static void
test_stored(crm_trees_loss loss, uint32_t depth)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	table		t = mixed_table(2000, loss == CRM_TREES_LOGISTIC);
	bool		categorical[6] = {false, true, false, true, false, true};
	crm_trees_options options = default_options(loss);
	crm_trees	trees,
				again;
	crm_trees_predictor *predictor;
	crm_model	m,
				m_again;
	char		room[CRM_MODEL_PROBLEM];
	const char *problem = "";
	uint8_t    *bytes;
	size_t		size;
	double		worst = 0;

	options.depth = depth;
	options.trees = 13;
	options.categorical = categorical;
	CHECK(fit(&t, &env, &options, &trees) == CRM_OK);
	CHECK(trees.set_count > 0);
	CHECK(crm_trees_to_model(&env, &trees, &options, &m) == CRM_OK);
	if (!CHECK(crm_model_check(&m, &env, room, &problem) == CRM_OK))
		fprintf(stderr, "%s\n", problem);
	size = crm_model_size(&m);
	bytes = malloc(size);
	crm_model_write(&m, bytes);
	CHECK(crm_model_read(&m_again, &env, bytes, size, room, &problem) == CRM_OK);
	CHECK(crm_trees_from_model(&env, &m_again, &again) == CRM_OK);
	CHECK(crm_trees_compile(&env, &again, &predictor) == CRM_OK);
	for (uint32_t i = 0; i < t.rows; i++)
	{
		double	   *x = row_of(&t, i);

		if (i % 10 == 0)
			x[3] = 99;			/* never seen */
		worst = fmax(worst, fabs(crm_trees_margin(predictor, x) - walk(&trees, x)));
		if (i % 100 == 0)
			check_shapley(&again, &env, x);
	}
	CHECK(worst < 1e-9);

	/* A single wrong bit is refused or harmless. */
	for (size_t i = 0; i < size * 8 && i < 40000; i++)
	{
		size_t		bit = size * 8 < 40000 ? i : i * 7919 % (size * 8);
		unit_pool	small = {{0}};
		crm_env		small_env = unit_pool_env(&small);
		crm_scorer	scorer;

		if (depth > 3 && i % 40 != 0)
			continue;
		bytes[bit / 8] ^= (uint8_t) (1 << (bit % 8));
		crm_store64(bytes + CRM_MODEL_FINGERPRINT, crm_model_fingerprint(bytes, size));
		if (crm_model_read(&m_again, &small_env, bytes, size, room, &problem) == CRM_OK && m_again.features == 6 &&
			m_again.kind == &crm_model_boosted_trees)
		{
			CHECK(crm_scorer_open(&scorer, &m_again, &small_env) == CRM_OK);
			CHECK(!isnan(crm_score(&scorer, row_of(&t, 0))));
		}
		bytes[bit / 8] ^= (uint8_t) (1 << (bit % 8));
		unit_pool_free(&small);
	}
	free(bytes);
	free(t.numbers);
	unit_pool_free(&pool);
}

/* So many features that the predictor's places need more than a byte; and trees that are deep on one side only. */
static void
test_wide(void)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	table		t = new_table(1500, 300);
	crm_trees_options options = default_options(CRM_TREES_SQUARED);
	crm_trees	trees;
	crm_trees_predictor *predictor;
	uint32_t	used = 0;
	double		worst = 0;

	for (uint32_t i = 0; i < t.rows; i++)
	{
		double	   *x = row_of(&t, i);

		x[300] = 0;
		x[301] = 1;
		for (uint32_t f = 0; f < 300; f++)
		{
			x[f] = random_below(20) == 0 ? NAN : random_below(1000);
			x[300] += x[f] > 500 ? 0.05 + 0.001 * (f % 7) : 0;
		}
		x[300] += isnan(x[0]) ? 0 : pow(x[0], 4) * 1e-11;
	}
	options.trees = 100;
	options.depth = 12;
	options.column_sample = 0.02;
	CHECK(fit(&t, &env, &options, &trees) == CRM_OK);
	for (uint32_t f = 0; f < 300; f++)
		used += trees.feature[f].splits > 0;
	CHECK(used > 128 && trees.trees == 100);
	CHECK(crm_trees_compile(&env, &trees, &predictor) == CRM_OK);
	for (uint32_t i = 0; i < t.rows; i++)
		worst = fmax(worst, fabs(crm_trees_margin(predictor, row_of(&t, i)) - walk(&trees, row_of(&t, i))));
	CHECK(worst < 1e-9);
	free(t.numbers);
	unit_pool_free(&pool);
}

/* ---- what must hold ------------------------------------------------------- */

static void
test_monotone(void)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	table		t = new_table(3000, 3);
	int8_t		monotone[3] = {1, -1, 0};
	crm_trees_options options = default_options(CRM_TREES_LOGISTIC);
	crm_trees	trees;
	crm_trees_predictor *predictor;
	long		wrong = 0;
	double		range = 0;

	for (uint32_t i = 0; i < t.rows; i++)
	{
		double	   *x = row_of(&t, i);

		for (int f = 0; f < 3; f++)
			x[f] = random_unit() * 2 - 1;
		/* Neither rises nor falls all the way. */
		x[3] = random_unit() < 0.5 + 0.4 * sin(4 * x[0]) * cos(3 * x[2]) - 0.1 * x[1] + 0.1 * sin(9 * x[1]);
		x[4] = 1;
	}
	options.trees = 50;
	options.monotone = monotone;
	CHECK(fit(&t, &env, &options, &trees) == CRM_OK);
	CHECK(crm_trees_compile(&env, &trees, &predictor) == CRM_OK);
	for (uint32_t i = 0; i < 200; i++)
	{
		double	   *x = row_of(&t, i);
		double		kept[3] = {x[0], x[1], x[2]};

		for (int f = 0; f < 2; f++)
		{
			double		before = f == 0 ? -INFINITY : INFINITY;

			for (double value = -1; value <= 1; value += 0.01)
			{
				double		margin;

				x[f] = value;
				margin = crm_trees_margin(predictor, x);
				wrong += f == 0 ? margin < before - 1e-12 : margin > before + 1e-12;
				if (isfinite(before))
					range += fabs(margin - before);
				before = margin;
			}
			x[f] = kept[f];
		}
	}
	CHECK_EQUAL(wrong, 0);
	CHECK(range > 10);
	free(t.numbers);
	unit_pool_free(&pool);
}

static double
mean_loss(const crm_trees *trees, const table *t)
{
	double		sum = 0;

	for (uint32_t i = 0; i < t->rows; i++)
	{
		const double *x = row_of(t, i);
		double		margin = walk(trees, x);

		sum += trees->options.loss == CRM_TREES_LOGISTIC ? log1p(exp(x[t->features] ? -margin : margin)) :
			(margin - x[t->features]) * (margin - x[t->features]);
	}
	return sum / t->rows;
}

/* Categories known as such are told apart by fewer splits than as numbers. */
static void
test_categories(void)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	table		t = new_table(4000, 2);
	bool		categorical[2] = {true, false};
	crm_trees_options options = default_options(CRM_TREES_SQUARED);
	crm_trees	by_number,
				by_set;
	double		other[2] = {NAN, 0.5},
				unseen[2] = {123456, 0.5};

	for (uint32_t i = 0; i < t.rows; i++)
	{
		double	   *x = row_of(&t, i);
		uint32_t	category = random_below(3) == 0 ? 1000 + random_below(5000) : random_below(40);

		x[0] = category;
		x[1] = random_unit();
		x[2] = (category * 17 % 40 < 20) + 0.1 * x[1];
		x[3] = 1;
	}
	options.trees = 3;
	options.depth = 2;
	options.learning_rate = 1;
	CHECK(fit(&t, &env, &options, &by_number) == CRM_OK);
	options.categorical = categorical;
	CHECK(fit(&t, &env, &options, &by_set) == CRM_OK);
	CHECK(mean_loss(&by_set, &t) < 0.7 * mean_loss(&by_number, &t));
	CHECK_EQUAL(by_set.feature[0].count, CRM_TREES_MAX_CUTS);
	CHECK(walk(&by_set, other) == walk(&by_set, unseen));
	free(t.numbers);
	unit_pool_free(&pool);
}

static void
test_quantile(double quantile)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	table		t = new_table(4000, 2);
	crm_trees_options options = default_options(CRM_TREES_QUANTILE);
	crm_trees	trees;
	uint32_t	below[2] = {0, 0},
				rows[2] = {0, 0};

	for (uint32_t i = 0; i < t.rows; i++)
	{
		double	   *x = row_of(&t, i);

		x[0] = random_below(2);
		x[1] = random_unit();
		x[2] = (x[0] ? 10 : 1) * random_unit() + 3 * x[1];
		x[3] = 1;
	}
	options.quantile = quantile;
	options.depth = 3;
	options.trees = 40;
	CHECK(fit(&t, &env, &options, &trees) == CRM_OK);
	for (uint32_t i = 0; i < t.rows; i++)
	{
		const double *x = row_of(&t, i);

		rows[(int) x[0]]++;
		below[(int) x[0]] += x[2] <= walk(&trees, x);
	}
	for (int group = 0; group < 2; group++)
		CHECK(fabs(below[group] / (double) rows[group] - quantile) < 0.04);
	free(t.numbers);
	unit_pool_free(&pool);
}

static void
test_counts(void)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	table		t = new_table(5000, 2);
	crm_trees_options options = default_options(CRM_TREES_POISSON);
	crm_trees	trees;
	double		sums[3] = {0, 0, 0},
				answers[3] = {0, 0, 0};

	for (uint32_t i = 0; i < t.rows; i++)
	{
		double	   *x = row_of(&t, i);
		double		left = exp(-(0.5 + 2 * (x[0] = random_below(3))));
		double		p = random_unit();

		x[1] = random_unit();
		x[3] = 1;
		for (x[2] = 0; (p *= random_unit()) > left; x[2]++)
			;
		sums[(int) x[0]] += x[2];
	}
	options.trees = 60;
	CHECK(fit(&t, &env, &options, &trees) == CRM_OK);
	for (uint32_t i = 0; i < t.rows; i++)
		answers[(int) row_of(&t, i)[0]] += crm_trees_answer(&trees, walk(&trees, row_of(&t, i)));
	for (int group = 0; group < 3; group++)
		CHECK(fabs(answers[group] / sums[group] - 1) < 0.02);
	free(t.numbers);
	unit_pool_free(&pool);
}

/* Values far apart, alone, always the same: an answer that is a number, or a status. */
static void
test_dirty(void)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	table		t = mixed_table(1000, true);
	crm_trees_options options = default_options(CRM_TREES_LOGISTIC);
	crm_trees	trees;
	double		clean;

	CHECK(fit(&t, &env, &options, &trees) == CRM_OK);
	clean = mean_loss(&trees, &t);
	for (uint32_t i = 0; i < t.rows; i++)
	{
		double	   *x = row_of(&t, i);

		if (i % 100 == 0)
			x[0] = i % 200 ? 1e300 : -1e300;
		if (i % 5 == 0)
			x[2] = NAN;
	}
	CHECK(fit(&t, &env, &options, &trees) == CRM_OK);
	CHECK(mean_loss(&trees, &t) < clean * 1.25);
	CHECK(trees.feature[4].splits == 0);

	/* Without any penalty, classes that a feature tells apart: margins stay bounded. */
	options.l2 = 0;
	options.min_child_weight = 0;
	options.trees = 200;
	for (uint32_t i = 0; i < t.rows; i++)
		row_of(&t, i)[6] = row_of(&t, i)[1] > 2;
	CHECK(fit(&t, &env, &options, &trees) == CRM_OK);
	CHECK(mean_loss(&trees, &t) < 1e-3);

	for (uint32_t i = 0; i < t.rows; i++)
		row_of(&t, i)[6] = 1;
	CHECK(fit(&t, &env, &options, &trees) == CRM_OUT_OF_RANGE);
	options = default_options(CRM_TREES_SQUARED);
	CHECK(fit(&t, &env, &options, &trees) == CRM_OK);
	CHECK(trees.base == 1 && walk(&trees, row_of(&t, 0)) == 1);

	/* One number beyond all others. */
	for (uint32_t i = 0; i < t.rows; i++)
		row_of(&t, i)[6] = i == 17 ? 1e30 : row_of(&t, i)[1];
	CHECK(fit(&t, &env, &options, &trees) == CRM_OK);
	for (uint32_t i = 0; i < t.rows; i++)
		CHECK(isfinite(walk(&trees, row_of(&t, i))));
	/* The most that targets and weights may be, for each loss. */
	for (int loss = CRM_TREES_SQUARED; loss <= CRM_TREES_POISSON; loss++)
	{
		options = default_options((crm_trees_loss) loss);
		for (uint32_t i = 0; i < t.rows; i++)
		{
			row_of(&t, i)[6] = i % 7 == 0 ? CRM_TREES_MAX_TARGET : loss == CRM_TREES_POISSON || i % 2 ? 0 : -CRM_TREES_MAX_TARGET;
			row_of(&t, i)[7] = i % 3 == 0 ? CRM_TREES_MAX_WEIGHT : 1e-30;
		}
		CHECK(fit(&t, &env, &options, &trees) == CRM_OK);
		for (uint32_t i = 0; i < t.rows; i++)
			CHECK(fabs(crm_trees_answer(&trees, walk(&trees, row_of(&t, i)))) < 1e31);
	}
	options = default_options(CRM_TREES_SQUARED);
	t.rows = 1;
	CHECK(fit(&t, &env, &options, &trees) == CRM_OK);
	CHECK(walk(&trees, row_of(&t, 0)) == row_of(&t, 0)[6]);
	{
		crm_columns columns;

		collect(&t, &env, 0, 1, &columns);
		CHECK(crm_trees_fit(&env, &columns, &options, 1000, &trees) == CRM_LIMIT);
	}
	free(t.numbers);
	unit_pool_free(&pool);
}

int
main(void)
{
	for (int i = 0; i < 5; i++)
		test_brute_force();
	test_order(CRM_TREES_LOGISTIC);
	test_order(CRM_TREES_SQUARED);
	test_order(CRM_TREES_QUANTILE);
	test_order(CRM_TREES_POISSON);
	test_stored(CRM_TREES_LOGISTIC, 2);
	test_stored(CRM_TREES_SQUARED, 6);
	test_stored(CRM_TREES_QUANTILE, 9);
	test_wide();
	test_monotone();
	test_categories();
	test_quantile(0.5);
	test_quantile(0.9);
	test_counts();
	test_dirty();
	return unit_done();
}
