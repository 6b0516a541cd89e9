/*
 * test_lookalike.c - models of similarity against their definition, by parts and
 * in any order, and bytes that were changed.
 */
#include "unit.h"

#include <math.h>

#include "kernel/lookalike.h"

#define CUSTOMERS 6000
#define FEATURES 3

static uint64_t state = 88172645463325252ULL;
static unit_pool pool;

static uint64_t
next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * UINT64_C(0x2545F4914F6CDD1D);
}

typedef struct customer
{
	uint64_t	hash;
	bool		seed;
	crm_feature_value values[FEATURES];
} customer;

static customer customers[CUSTOMERS];
static const char *const texts[] = {"alpha", "beta", "gamma", "", "rare"};
static const crm_feature_kind kinds[FEATURES] = {CRM_FEATURE_TEXT, CRM_FEATURE_NUMBER, CRM_FEATURE_NUMBER};

static void
make_customers(void)
{
	for (int i = 0; i < CUSTOMERS; i++)
	{
		customer   *c = &customers[i];
		uint64_t	kind = next_random() % 100;
		const char *text = texts[kind < 40 ? 0 : kind < 70 ? 1 : kind < 90 ? 2 : 3];

		c->hash = next_random();
		if (i < 5)
			text = texts[4];
		c->values[0] = (crm_feature_value) {next_random() % 20 == 0, 0, text, strlen(text)};
		c->values[1] = (crm_feature_value) {next_random() % 10 == 0, (double) (next_random() % 100000) / 7 - 5000, NULL, 0};
		c->values[2] = (crm_feature_value) {false, 3, NULL, 0};
		c->seed = next_random() % 100 < (text == texts[0] ? 30 : 5) + (c->values[1].number > 4000 ? 20 : 0);
	}
}

static crm_lookalike *
count_customers(crm_env *env, int from, int to, int step)
{
	crm_lookalike *counts;
	uint32_t	feature;

	CHECK(crm_lookalike_new(env, kinds, FEATURES, &counts) == CRM_OK);
	for (int i = from; i != to; i += step)
		CHECK(crm_lookalike_add(counts, customers[i].seed, customers[i].hash, customers[i].values, &feature) == CRM_OK);
	return counts;
}

static bool
same_model(const crm_lookalike_model *a, const crm_lookalike_model *b)
{
	bool		same = a->count == b->count && a->seeds == b->seeds && a->others == b->others && a->auc == b->auc &&
		a->held_seeds == b->held_seeds && a->held_others == b->held_others;

	for (uint32_t i = 0; same && i < a->count; i++)
	{
		const crm_lookalike_feature *f = &a->features[i];
		const crm_lookalike_feature *g = &b->features[i];

		same = f->kind == g->kind && f->count == g->count && f->missing == g->missing && f->other == g->other;
		for (uint32_t k = 0; same && k < f->count; k++)
		{
			same = f->weights[k] == g->weights[k];
			if (f->kind == CRM_FEATURE_TEXT)
				same = same && f->texts[k].length == g->texts[k].length && memcmp(f->texts[k].text, g->texts[k].text, f->texts[k].length) == 0;
			else if (k + 1 < f->count)
				same = same && f->borders[k] == g->borders[k];
		}
	}
	return same;
}

/* The definition, for a bin given by a condition. */
static double
expected_weight(double seed, double other, double seeds, double others)
{
	double		usual = (seed + other) / (seeds + others);

	if (seed + other == 0)
		return 0;
	return log((seed + 20 * usual) / (seeds + 20)) - log((other + 20 * usual) / (others + 20));
}

static bool
near(double a, double b)
{
	return fabs(a - b) <= 1e-12 * (1 + fabs(b));
}

static void
check_weights(const crm_lookalike_model *model)
{
	const crm_lookalike_feature *f = &model->features[0];
	double		seeds = (double) model->seeds;
	double		others = (double) model->others;

	CHECK_EQUAL(f->count, 4);	/* "rare" has too few */
	CHECK(f->texts[0].length == 0 && strcmp(f->texts[3].text, "gamma") == 0);
	for (uint32_t k = 0; k < f->count; k++)
	{
		double		n[2] = {0};

		for (int i = 0; i < CUSTOMERS; i++)
			if (!customers[i].values[0].missing && strcmp(customers[i].values[0].text, f->texts[k].text) == 0)
				n[customers[i].seed]++;
		CHECK(near(f->weights[k], expected_weight(n[1], n[0], seeds, others)));
	}
	f = &model->features[1];
	CHECK(f->count > 15 && f->count <= CRM_LOOKALIKE_BINS);
	for (uint32_t k = 0; k < f->count; k++)
	{
		double		n[2] = {0};

		for (int i = 0; i < CUSTOMERS; i++)
			if (!customers[i].values[1].missing && (k == 0 || customers[i].values[1].number >= f->borders[k - 1]) &&
				(k + 1 == f->count || customers[i].values[1].number < f->borders[k]))
				n[customers[i].seed]++;
		CHECK(n[0] + n[1] > CUSTOMERS / 60.0 && n[0] + n[1] < CUSTOMERS / 10.0);
		CHECK(near(f->weights[k], expected_weight(n[1], n[0], seeds, others)));
	}
	/* one value for all says nothing */
	CHECK_EQUAL(model->features[2].count, 1);
	CHECK(near(model->features[2].weights[0], 0));
}

/* The validation: weights without the held out, pairs one by one. */
static void
check_validation(const crm_lookalike_model *model)
{
	crm_env		env = unit_pool_env(&pool);
	static double margin[CUSTOMERS];
	double		right = 0;
	double		pairs = 0;
	double		whole[2] = {0};

	for (int i = 0; i < CUSTOMERS; i++)
		if (customers[i].hash % 5 != 0)
			whole[customers[i].seed]++;
	for (int i = 0; i < CUSTOMERS; i++)
	{
		double		sum = 0;

		if (customers[i].hash % 5 != 0)
			continue;
		for (int f = 0; f < FEATURES; f++)
		{
			const crm_lookalike_feature *bins = &model->features[f];
			double		n[2] = {0};

			/* who shares the bin with this customer */
			for (int j = 0; j < CUSTOMERS; j++)
			{
				const crm_feature_value *a = &customers[i].values[f];
				const crm_feature_value *b = &customers[j].values[f];
				bool		same = a->missing == b->missing;

				if (customers[j].hash % 5 == 0)
					continue;
				if (same && !a->missing)
				{
					if (bins->kind == CRM_FEATURE_TEXT)
						same = strcmp(a->text, b->text) == 0;
					else
						for (uint32_t k = 0; k + 1 < bins->count; k++)
							same = same && (a->number >= bins->borders[k]) == (b->number >= bins->borders[k]);
				}
				if (same)
					n[customers[j].seed]++;
			}
			sum += expected_weight(n[1], n[0], whole[1], whole[0]);
		}
		margin[i] = sum;
	}
	for (int i = 0; i < CUSTOMERS; i++)
		for (int j = 0; customers[i].seed && customers[i].hash % 5 == 0 && j < CUSTOMERS; j++)
			if (!customers[j].seed && customers[j].hash % 5 == 0)
			{
				pairs++;
				right += fabs(margin[i] - margin[j]) < 1e-12 ? 0.5 : margin[i] > margin[j];
			}
	CHECK(model->validated && fabs(model->auc - right / pairs) < 1e-6);
	CHECK(model->auc > 0.65 && model->auc < 0.95);
	(void) env;
}

static void
check_scores(const crm_lookalike_model *model)
{
	crm_feature_value unknown[FEATURES] = {{false, 0, "never met", 9}, {true, 0, NULL, 0}, {true, 0, NULL, 0}};
	double		mean[2] = {0};

	for (int i = 0; i < CUSTOMERS; i++)
	{
		double		score = crm_lookalike_score(model, customers[i].values);

		CHECK(score > 0 && score < 1);
		mean[customers[i].seed] += score / (double) (customers[i].seed ? model->seeds : model->others);
	}
	CHECK(mean[1] > mean[0] + 0.1);
	CHECK(near(crm_lookalike_score(model, unknown), 1 / (1 + exp(-(model->features[0].other + model->features[1].missing)))));
}

/* Parts, passed on as bytes, make the whole; changed bytes do no harm. */
static void
check_bytes(const crm_lookalike_model *whole)
{
	crm_env		env = unit_pool_env(&pool);
	crm_lookalike *sum = NULL;
	crm_lookalike_model model;
	bool		found;
	uint32_t	feature;

	for (int part = 0; part < 4; part++)
	{
		crm_lookalike *counts = count_customers(&env, (part + 1) * (CUSTOMERS / 4) - 1, part * (CUSTOMERS / 4) - 1, -1);
		size_t		size = crm_lookalike_size(counts);
		uint8_t    *bytes = unit_pool_alloc(&pool, size);

		crm_lookalike_write(counts, bytes);
		CHECK(crm_lookalike_read(&env, bytes, size, &sum, &feature) == CRM_OK);
		for (int trial = 0; trial < 300; trial++)
		{
			uint8_t    *changed = unit_pool_alloc(&pool, size);
			size_t		length = trial % 3 == 0 ? next_random() % size : size;
			crm_lookalike *damaged = NULL;

			memcpy(changed, bytes, size);
			for (int i = 0; i < 3; i++)
				changed[next_random() % (trial % 2 ? size : 200)] = (uint8_t) next_random();
			if (crm_lookalike_read(&env, changed, length, &damaged, &feature) == CRM_OK)
				CHECK(crm_lookalike_finish(damaged, &model, &found) == CRM_OK);
			unit_pool_release(&pool, changed);
		}
	}
	CHECK(crm_lookalike_finish(sum, &model, &found) == CRM_OK && found);
	CHECK(same_model(whole, &model));
}

static void
check_ends(void)
{
	crm_env		env = unit_pool_env(&pool);
	crm_lookalike *counts;
	crm_lookalike_model model;
	crm_feature_value value = {false, 1e300, NULL, 0};
	crm_feature_kind number = CRM_FEATURE_NUMBER;
	uint32_t	feature;
	bool		found = true;

	CHECK(crm_lookalike_new(&env, &number, 0, &counts) == CRM_OUT_OF_RANGE);
	CHECK(crm_lookalike_new(&env, &number, 1, &counts) == CRM_OK);
	CHECK(crm_lookalike_finish(counts, &model, &found) == CRM_OK && !found);
	CHECK(crm_lookalike_add(counts, true, 1, &value, &feature) == CRM_OK);
	CHECK(crm_lookalike_finish(counts, &model, &found) == CRM_OK && !found);
	value.number = -1e300;
	CHECK(crm_lookalike_add(counts, false, 2, &value, &feature) == CRM_OK);
	CHECK(crm_lookalike_finish(counts, &model, &found) == CRM_OK && found);
	CHECK(!model.validated && model.seeds == 1 && model.others == 1);
	CHECK(crm_lookalike_score(&model, &value) < 0.5);
	value.number = 1e308;
	CHECK(crm_lookalike_score(&model, &value) > 0.5);
	/* too many texts */
	{
		crm_feature_kind text = CRM_FEATURE_TEXT;
		crm_status	status = CRM_OK;
		char		name[32];

		CHECK(crm_lookalike_new(&env, &text, 1, &counts) == CRM_OK);
		for (int i = 0; status == CRM_OK && i <= CRM_LOOKALIKE_MAX_TEXTS; i++)
		{
			value = (crm_feature_value) {false, 0, name, (size_t) sprintf(name, "%d", i)};
			status = crm_lookalike_add(counts, false, (uint64_t) i, &value, &feature);
		}
		CHECK(status == CRM_LIMIT && feature == 0);
	}
}

int
main(void)
{
	crm_env		env = unit_pool_env(&pool);
	crm_lookalike_model model;
	bool		found;

	make_customers();
	CHECK(crm_lookalike_finish(count_customers(&env, 0, CUSTOMERS, 1), &model, &found) == CRM_OK && found);
	check_weights(&model);
	check_validation(&model);
	check_scores(&model);
	check_bytes(&model);
	check_ends();
	unit_pool_free(&pool);
	return unit_done();
}
