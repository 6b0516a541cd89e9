/*
 * test_itemsets.c - baskets, frequent itemsets and rules against plain counting of
 * every subset; measures against their definitions.
 */
#include "unit.h"

#include <math.h>

#include "kernel/baskets.h"
#include "kernel/itemsets.h"
#include "kernel/significance.h"

#define ITEMS 9
#define MANY (SIZE_MAX / 4)

static uint64_t seed = 1;

static uint32_t
draw(uint32_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t) ((seed >> 33) % below);
}

/* ---- baskets --------------------------------------------------------------- */

static void
add(crm_baskets *b, int64_t basket, const char *item, double weight)
{
	char		name[32];

	if (b->named)
	{
		int			length = snprintf(name, sizeof(name), "b%" PRId64, basket);

		CHECK(crm_baskets_add_named(b, name, (size_t) length, item, strlen(item), weight) == CRM_OK);
	}
	else
		CHECK(crm_baskets_add(b, basket, item, strlen(item), weight) == CRM_OK);
}

static bool
same_index(const crm_basket_index *x, const crm_basket_index *y)
{
	if (x->item_count != y->item_count || x->basket_count != y->basket_count)
		return false;
	for (uint32_t i = 0; i < x->item_count; i++)
		if (strcmp(x->items[i]->text, y->items[i]->text) != 0 || x->item_baskets[i] != y->item_baskets[i])
			return false;
	for (uint32_t b = 0; b <= x->basket_count; b++)
		if (x->starts[b] != y->starts[b])
			return false;
	for (size_t i = 0; i < x->starts[x->basket_count]; i++)
		if (x->entries[i] != y->entries[i] || (x->weights != NULL && x->weights[i] != y->weights[i]))
			return false;
	return true;
}

/* Rows in another order, in two parts, one of them sent as bytes: the same baskets. */
static void
test_baskets(bool named, bool weighted, bool wide)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	crm_baskets whole;
	crm_baskets part;
	crm_baskets other;
	crm_basket_index a;
	crm_basket_index b;
	enum {ROWS = 400};
	int64_t		basket[ROWS];
	char		item[ROWS][8];
	double		weight[ROWS];
	size_t		size;
	uint8_t    *bytes;

	crm_baskets_init(&whole, &env, named, weighted, MANY);
	crm_baskets_init(&part, &env, named, weighted, MANY);
	crm_baskets_init(&other, &env, named, weighted, MANY);
	for (int i = 0; i < ROWS; i++)
	{
		basket[i] = wide ? (draw(2) ? INT64_MAX : INT64_MIN) / (int64_t) (1 + draw(5)) : (int64_t) draw(30) - 15;
		snprintf(item[i], sizeof(item[i]), "i%u", draw(12));
		weight[i] = draw(2) ? 1 + draw(9) : 0.1 * (1 + draw(50));
		add(&whole, basket[i], item[i], weight[i]);
	}
	for (int i = ROWS - 1; i >= 0; i--)
		add(i % 3 == 0 ? &part : &other, basket[i], item[i], weight[i]);
	size = crm_baskets_size(&part);
	bytes = malloc(size);
	crm_baskets_write(&part, bytes);
	CHECK(crm_baskets_read(&other, bytes, size) == CRM_OK);
	CHECK_EQUAL(other.rows, ROWS);
	CHECK(crm_baskets_index(&whole, &env, true, &a) == CRM_OK);
	CHECK(crm_baskets_index(&other, &env, true, &b) == CRM_OK);
	CHECK(same_index(&a, &b));

	/* Against plain looking through the rows. */
	for (uint32_t i = 0; i < a.item_count; i++)
		CHECK(i == 0 || strcmp(a.items[i - 1]->text, a.items[i]->text) < 0);
	for (uint32_t k = 0; k < a.basket_count; k++)
		for (size_t e = a.starts[k]; e < a.starts[k + 1]; e++)
		{
			double		sum = 0;

			CHECK(e == a.starts[k] || a.entries[e - 1] < a.entries[e]);
			if (weighted && !named && !wide)
			{
				/* baskets ascend by number: the k-th of those that occur */
				int64_t		number = -16;

				for (uint32_t seen = 0; seen <= k;)
				{
					number++;
					for (int i = 0; i < ROWS; i++)
						if (basket[i] == number)
						{
							seen++;
							break;
						}
				}
				for (int i = 0; i < ROWS; i++)
					if (basket[i] == number && strcmp(item[i], a.items[a.entries[e]]->text) == 0)
						sum += weight[i];
				CHECK(fabs(sum - a.weights[e]) < 1e-9);
			}
		}

	/* Prefixes are refused, changed bytes refused or used without harm. */
	for (size_t less = 0; less < size; less++)
	{
		crm_baskets_init(&part, &env, named, weighted, MANY);
		CHECK(crm_baskets_read(&part, bytes, less) == CRM_CORRUPT);
	}
	for (size_t i = 0; i < size * 8; i++)
	{
		bytes[i / 8] ^= (uint8_t) (1 << (i % 8));
		crm_baskets_init(&part, &env, named, weighted, MANY);
		if (crm_baskets_read(&part, bytes, size) == CRM_OK)
			CHECK(crm_baskets_index(&part, &env, true, &b) != CRM_CORRUPT);
		bytes[i / 8] ^= (uint8_t) (1 << (i % 8));
	}
	free(bytes);
	unit_pool_free(&pool);
}

static void
test_limits(void)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	crm_baskets b;
	crm_basket_index index;
	crm_status	status = CRM_OK;
	int			rows = 0;

	crm_baskets_init(&b, &env, false, false, 2000);
	while (status == CRM_OK && rows < 100000)
		status = crm_baskets_add(&b, rows++, "a", 1, 1);
	CHECK(status == CRM_LIMIT && rows > 200 && rows < 2000);
	CHECK(crm_baskets_memory(&b) <= 2000);
	CHECK(crm_baskets_index(&b, &env, false, &index) == CRM_LIMIT);

	crm_baskets_init(&b, &env, false, false, MANY);
	CHECK(crm_baskets_index(&b, &env, false, &index) == CRM_OK);
	CHECK_EQUAL(index.basket_count, 0);
	crm_basket_index_free(&index, &env);
	unit_pool_free(&pool);
}

/* ---- itemsets --------------------------------------------------------------- */

static uint32_t
count_mask(const uint32_t *baskets, uint32_t count, uint32_t mask)
{
	uint32_t	found = 0;

	for (uint32_t i = 0; i < count; i++)
		found += (baskets[i] & mask) == mask;
	return found;
}

/* The mask of a set's items; the index has them in the order of their letters. */
static uint32_t
mask_of(const crm_itemsets *found, const crm_basket_index *index, uint32_t set)
{
	uint32_t	places[CRM_ITEMSET_MAX_ITEMS];
	uint32_t	count = crm_itemset_items(found, set, places);
	uint32_t	mask = 0;

	for (uint32_t i = 0; i < count; i++)
		mask |= 1u << (index->items[found->items[places[i]]]->text[0] - 'a');
	return mask;
}

static void
test_mining(uint32_t basket_count, uint32_t density, uint32_t least, uint32_t max_items)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	uint32_t   *baskets = malloc(sizeof(uint32_t) * basket_count);
	bool		seen[1 << ITEMS] = {false};
	uint32_t	nonempty = 0;
	uint32_t	expected = 0;
	uint32_t	rules_expected = 0;
	crm_baskets b;
	crm_basket_index index;
	crm_itemsets found;
	crm_rule_limits limits = {0.3, 0, 2, true, true};
	crm_rule   *rules;
	size_t		rule_count;
	size_t		not_redundant;

	crm_baskets_init(&b, &env, false, false, MANY);
	for (uint32_t i = 0; i < basket_count; i++)
	{
		uint32_t	kind = draw(3);

		baskets[i] = 0;
		for (uint32_t item = 0; item < ITEMS; item++)
			if (draw(100) < (item % 3 == kind ? density * 2 : density))
			{
				char		name[2] = {(char) ('a' + item), 0};

				baskets[i] |= 1u << item;
				add(&b, i, name, 1);
				if (draw(4) == 0)
					add(&b, i, name, 1);
			}
		if (baskets[i] != 0)
			baskets[nonempty++] = baskets[i];
	}
	CHECK(crm_baskets_index(&b, &env, false, &index) == CRM_OK);
	CHECK_EQUAL(index.basket_count, nonempty);
	CHECK(crm_itemsets_mine(&env, &index, least, max_items, MANY, &found) == CRM_OK);
	for (uint32_t mask = 1; mask < 1 << ITEMS; mask++)
		expected += __builtin_popcount(mask) <= (int) max_items && count_mask(baskets, nonempty, mask) >= least;
	CHECK_EQUAL(found.count, expected);
	for (uint32_t set = 0; set < found.count; set++)
	{
		uint32_t	mask = mask_of(&found, &index, set);

		CHECK(!seen[mask]);
		seen[mask] = true;
		CHECK_EQUAL(found.sets[set].baskets, count_mask(baskets, nonempty, mask));
	}

	CHECK(crm_itemsets_rules(&env, &found, &limits, &rules, &rule_count) == CRM_OK);
	for (uint32_t mask = 1; mask < 1 << ITEMS; mask++)
		for (uint32_t item = 0; seen[mask] && __builtin_popcount(mask) > 1 && item < ITEMS; item++)
			rules_expected += (mask >> item & 1) &&
				count_mask(baskets, nonempty, mask) / (double) count_mask(baskets, nonempty, mask & ~(1u << item)) >= 0.3;
	CHECK_EQUAL(rule_count, rules_expected);
	not_redundant = 0;
	for (size_t i = 0; i < rule_count; i++)
	{
		uint32_t	mask = mask_of(&found, &index, rules[i].set);
		uint32_t	consequent = 1u << (index.items[found.items[rules[i].consequent]]->text[0] - 'a');
		uint32_t	antecedent = mask & ~consequent;
		double		confidence = count_mask(baskets, nonempty, mask) / (double) count_mask(baskets, nonempty, antecedent);
		bool		redundant = false;

		CHECK((mask & consequent) != 0);
		CHECK_EQUAL(rules[i].antecedent_baskets, count_mask(baskets, nonempty, antecedent));
		for (uint32_t less = (antecedent - 1) & antecedent;; less = (less - 1) & antecedent)
		{
			redundant |= count_mask(baskets, nonempty, less | consequent) / (double) count_mask(baskets, nonempty, less) >= confidence;
			if (less == 0)
				break;
		}
		CHECK(rules[i].redundant == redundant);
		not_redundant += !redundant;
	}
	limits.redundant = false;
	CHECK(crm_itemsets_rules(&env, &found, &limits, &rules, &rule_count) == CRM_OK);
	CHECK_EQUAL(rule_count, not_redundant);

	/* Too little memory is said, at any point. */
	for (size_t bytes = 100; bytes < 20000; bytes += 333)
	{
		crm_status	status = crm_itemsets_mine(&env, &index, least, max_items, bytes, &found);

		CHECK(status == CRM_LIMIT || status == CRM_OK);
		CHECK(found.bytes <= bytes);
	}
	free(baskets);
	unit_pool_free(&pool);
}

static void
test_least(void)
{
	CHECK_EQUAL(crm_itemsets_least(9835, 0.001, 1), 10);
	CHECK_EQUAL(crm_itemsets_least(10, 0.1, 1), 1);
	CHECK_EQUAL(crm_itemsets_least(10, 0.3, 1), 3);
	CHECK_EQUAL(crm_itemsets_least(10, 0, 1), 1);
	CHECK_EQUAL(crm_itemsets_least(10, 1, 1), 10);
	CHECK_EQUAL(crm_itemsets_least(10, 0.1, 7), 7);
	CHECK_EQUAL(crm_itemsets_least(10, 0.1, UINT64_MAX), UINT32_MAX);
}

/* ---- measures ----------------------------------------------------------------- */

static double
choose(uint64_t n, uint64_t k)
{
	return lgamma((double) n + 1) - lgamma((double) k + 1) - lgamma((double) (n - k) + 1);
}

static void
test_fisher(void)
{
	crm_env		env = unit_env();

	for (int round = 0; round < 300; round++)
	{
		uint64_t	a = draw(12);
		uint64_t	b = draw(30);
		uint64_t	c = draw(30);
		uint64_t	d = draw(200);
		double		expected = 0;
		double		p;

		for (uint64_t x = a; x <= a + b && x <= a + c; x++)
			expected += exp(choose(a + b, x) + choose(c + d, a + c - x) - choose(a + b + c + d, a + c));
		CHECK(crm_fisher_greater(&env, a, b, c, d, &p) == CRM_OK);
		CHECK(fabs(p - expected) < 1e-9 * expected + 1e-12);
	}
	{
		double		p;

		/* beyond what floats hold, on either side */
		CHECK(crm_fisher_greater(&env, 1000000, 0, 0, 1000000, &p) == CRM_OK && p == 0);
		CHECK(crm_fisher_greater(&env, 0, 1000000, 1000000, 0, &p) == CRM_OK && p == 1);
	}
}

static void
test_measures(void)
{
	crm_env		env = unit_env();
	/* 1000 baskets: 200 have the antecedent, 300 the consequent, 120 both */
	crm_rule_counts counts = {200, 300, 120, 1000};
	crm_rule_counts always = {100, 100, 100, 100};
	double		m[CRM_RULE_MEASURES];
	static const struct
	{
		crm_rule_measure measure;
		double		value;
	}			expected[] =
	{
		{CRM_RULE_COVERAGE, 0.2}, {CRM_RULE_CONSEQUENT, 0.3}, {CRM_RULE_LEVERAGE, 0.06}, {CRM_RULE_ADDED_VALUE, 0.3},
		{CRM_RULE_CERTAINTY, 3.0 / 7}, {CRM_RULE_ZHANG, 0.625}, {CRM_RULE_JACCARD, 12.0 / 38}, {CRM_RULE_COSINE, 0.48989794855663562},
		{CRM_RULE_KULCZYNSKI, 0.5}, {CRM_RULE_IMBALANCE, 10.0 / 38}, {CRM_RULE_ALL_CONFIDENCE, 0.4}, {CRM_RULE_MAX_CONFIDENCE, 0.6},
		{CRM_RULE_ODDS_RATIO, 120.0 * 620 / (80 * 180)}, {CRM_RULE_YULE_Q, (120.0 * 620 - 80 * 180) / (120.0 * 620 + 80 * 180)},
		{CRM_RULE_PHI, 60000 / 183303.02779823359}, {CRM_RULE_KAPPA, (0.74 - 0.62) / 0.38}, {CRM_RULE_GINI, 0.2 * 0.52 + 0.8 * (0.225 * 0.225 + 0.775 * 0.775) - 0.58},
		{CRM_RULE_J_MEASURE, 0.038408398632359619}, {CRM_RULE_LAPLACE, 121.0 / 202}, {CRM_RULE_COUNTER, 1.5}, {CRM_RULE_CHI_SQUARED, 107.14285714285714}
	};

	CHECK(crm_rule_confidence(&counts) == 0.6);
	CHECK(fabs(crm_rule_lift(&counts) - 2) < 1e-15);
	CHECK(fabs(crm_rule_conviction(&counts) - 1.75) < 1e-15);
	CHECK(isinf(crm_rule_conviction(&always)));
	CHECK(crm_rule_measure_all(&env, &counts, m) == CRM_OK);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (!CHECK(fabs(m[expected[i].measure] - expected[i].value) < 1e-12))
			fprintf(stderr, "measure %d is %.17g, not %.17g\n", expected[i].measure, m[expected[i].measure], expected[i].value);
	CHECK(crm_rule_measure_all(&env, &always, m) == CRM_OK);
	CHECK(isnan(m[CRM_RULE_ZHANG]) && isnan(m[CRM_RULE_PHI]) && m[CRM_RULE_GINI] == 0 && m[CRM_RULE_FISHER] == 1 && m[CRM_RULE_JACCARD] == 1);
}

int
main(void)
{
	for (int i = 0; i < 8; i++)
		test_baskets(i & 1, i & 2, i & 4);
	test_limits();
	for (uint32_t max_items = 1; max_items <= ITEMS; max_items++)
		for (uint32_t least = 1; least < 40; least = least * 3 + 1)
		{
			test_mining(60, 15, least, max_items);
			test_mining(700, 25, least * 10, max_items);
			test_mining(700, 45, least * 10, max_items);
		}
	test_least();
	test_fisher();
	test_measures();
	return unit_done();
}
