/*
 * fuzz_trees.c - any numbers as rows of boosted trees, as their state may hold
 * them, with any options: trees that are a model, answer within the bounds of their
 * loss, and explain what they answer; or rows that have nothing to learn from.
 */
#include "fuzz.h"

#include "kernel/trees.h"

#define MOST_ROWS 48
#define MOST_FEATURES 4

typedef struct choices
{
	crm_trees_options options;
	int8_t		monotone[MOST_FEATURES];
	bool		categorical[MOST_FEATURES];
} choices;

static void
choose(fuzz_input *in, choices *c)
{
	static const double rates[] = {0.1, 0.5, 1, 1e-6};
	static const double shares[] = {1, 0.5, 0.1, 1};
	crm_trees_options *o = &c->options;

	o->loss = (crm_trees_loss) (CRM_TREES_LOGISTIC + fuzz_take(in, 1) % 4);
	o->quantile = (1 + (double) (fuzz_take(in, 1) % 9)) / 10;
	o->trees = 1 + (uint32_t) fuzz_take(in, 1) % 4;
	o->depth = 1 + (uint32_t) fuzz_take(in, 1) % 4;
	o->learning_rate = rates[fuzz_take(in, 1) % 4];
	o->l2 = (double) (fuzz_take(in, 1) % 3);
	o->min_child_weight = (double) (fuzz_take(in, 1) % 3);
	o->min_gain = (double) (fuzz_take(in, 1) % 2);
	o->row_sample = shares[fuzz_take(in, 1) % 4];
	o->column_sample = shares[fuzz_take(in, 1) % 4];
	o->bins = 2 + (uint32_t) fuzz_take(in, 1) % (CRM_TREES_MAX_BINS - 1);
	o->seed = fuzz_take(in, 2);
	o->early_stopping = (uint32_t) fuzz_take(in, 1) % 3;
	o->held_out = 0.3;
	for (int j = 0; j < MOST_FEATURES; j++)
	{
		uint8_t		marks = (uint8_t) fuzz_take(in, 1);

		c->categorical[j] = marks % 4 == 3;
		c->monotone[j] = c->categorical[j] ? 0 : (int8_t) (marks / 4 % 3) - 1;
	}
	o->monotone = fuzz_take(in, 1) & 1 ? c->monotone : NULL;
	o->categorical = c->categorical;
}

/* A label that the loss takes, within the limits that the bindings hold. */
static double
label_of(fuzz_input *in, crm_trees_loss loss)
{
	double		label = fuzz_finite(in);

	if (loss == CRM_TREES_LOGISTIC)
		return label > 0;
	if (loss == CRM_TREES_POISSON)
		label = fabs(label);
	return fabs(label) <= CRM_TREES_MAX_TARGET ? label : 0;
}

static void
use(const crm_env *env, const crm_trees *trees, const choices *c, double x[][MOST_FEATURES], size_t rows)
{
	crm_trees_predictor *predictor;
	crm_model	m,
				read;
	crm_trees	again;
	crm_scorer	scorer;
	double		parts[MOST_FEATURES + 1];

	REQUIRE(trees->trees <= c->options.trees && trees->root[trees->trees] == trees->node_count);
	REQUIRE(crm_trees_to_model(env, trees, &c->options, &m) == CRM_OK);
	if (!fuzz_reread(&m, env, &read))
		return;
	REQUIRE(crm_trees_from_model(env, &read, &again) == CRM_OK);
	REQUIRE(crm_trees_compile(env, trees, &predictor) == CRM_OK);
	REQUIRE(crm_scorer_open(&scorer, &read, env) == CRM_OK);
	for (size_t i = 0; i < rows; i++)
	{
		double		margin = crm_trees_margin(predictor, x[i]);
		double		score = crm_score(&scorer, x[i]);
		double		sum = 0;
		double		all = 0;

		REQUIRE(score == crm_trees_answer(trees, margin) || (isnan(score) && isnan(margin)));
		if (trees->options.loss == CRM_TREES_LOGISTIC)
			REQUIRE(score >= 0 && score <= 1);
		if (trees->options.loss == CRM_TREES_POISSON)
			REQUIRE(score >= 0);
		if (i >= 4)
			continue;
		REQUIRE(crm_trees_explain(env, &again, x[i], parts) == CRM_OK);
		for (uint32_t j = 0; j <= again.features; j++)
			sum += parts[j];
		/* leaves without curvature to hold them may be huge, and make up for each other */
		for (uint32_t j = 0; j <= again.features; j++)
			all += fabs(parts[j]);
		REQUIRE(!(fabs(sum - margin) > 1e-6 * all + 1e-5));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	fuzz_input	in = {data, size};
	choices		c = {0};
	double		x[MOST_ROWS][MOST_FEATURES] = {{0}};
	uint32_t	features = 1 + (uint32_t) fuzz_take(&in, 1) % MOST_FEATURES;
	crm_columns columns;
	crm_trees	trees;
	crm_status	status;
	size_t		rows = 0;

	choose(&in, &c);
	crm_columns_init(&columns, &env, features + 2, 1 << 26);
	for (; rows < MOST_ROWS && in.left > 0; rows++)
	{
		double	   *row;

		REQUIRE(crm_columns_add(&columns, &row) == CRM_OK);
		for (uint32_t j = 0; j < features; j++)
			row[j] = x[rows][j] = fuzz_number(&in);
		row[features] = label_of(&in, c.options.loss);
		row[features + 1] = fuzz_take(&in, 1) % 8 == 7 ? CRM_TREES_MAX_WEIGHT : 1;
		crm_columns_added(&columns);
	}
	if (rows > 0)
	{
		status = crm_trees_fit(&env, &columns, &c.options, 1 << 28, &trees);
		REQUIRE(status == CRM_OK || status == CRM_OUT_OF_RANGE);
		if (status == CRM_OK)
			use(&env, &trees, &c, x, rows);
	}
	unit_pool_free(&pool);
	return 0;
}
