/*
 * itemset_rules.c - rules with one consequent from frequent itemsets, and the
 * measures of a rule.
 *
 * Every subset of a frequent itemset is one, so whatever a rule needs is found by
 * walking down from the single items.
 */
#include "kernel/itemsets.h"

#include <math.h>

#include "kernel/significance.h"
#include "kernel/sort.h"

#define SETS_A_STEP 4096

/* The set that has one item more, behind all of its own; it is there. */
static uint32_t
child_of(const crm_itemsets *found, uint32_t set, uint32_t place)
{
	uint32_t	low;
	uint32_t	high;

	if (set == CRM_ITEMSET_NONE)
		return place;
	low = found->sets[set].first;
	high = low + found->sets[set].children;
	while (high - low > 1)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (found->sets[middle].place <= place)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* ---- is there a more general rule? ------------------------------------------ */

typedef struct general
{
	const crm_env *env;
	const crm_itemsets *found;
	const uint32_t *antecedent; /* places */
	uint32_t	count;
	uint32_t	consequent;
	uint64_t	baskets;		/* of the rule */
	uint64_t	antecedent_baskets;
} general;

/*
 * Tries all antecedents that have some of the items from number i on, beside those
 * chosen before: "without" is the set of the chosen, "with" the same and, once its
 * turn has come, the consequent.
 */
static bool
is_matched(const general *g, uint32_t i, uint32_t without, uint32_t with, bool joined, bool proper)
{
	if (!joined && (i == g->count || g->antecedent[i] > g->consequent))
	{
		with = child_of(g->found, without, g->consequent);
		joined = true;
	}
	if (i == g->count)
	{
		uint64_t	among = without == CRM_ITEMSET_NONE ? g->found->baskets : g->found->sets[without].baskets;

		return proper && g->found->sets[with].baskets * g->antecedent_baskets >= g->baskets * among;
	}
	crm_progress(g->env);
	if (is_matched(g, i + 1, without, with, joined, true))
		return true;
	without = child_of(g->found, without, g->antecedent[i]);
	with = joined ? child_of(g->found, with, g->antecedent[i]) : without;
	return is_matched(g, i + 1, without, with, joined, proper);
}

/* ---- the rules ------------------------------------------------------------- */

/* A rule with what it is sorted by. */
typedef struct ranked
{
	const crm_itemsets *found;
	double		lift;
	uint32_t	baskets;
	uint32_t	items;
	crm_rule	rule;
} ranked;

/* The antecedent's items as the index numbers them, ascending. */
static uint32_t
antecedent_items(const ranked *r, uint32_t *items)
{
	uint32_t	places[CRM_ITEMSET_MAX_ITEMS];
	uint32_t	count = crm_itemset_items(r->found, r->rule.set, places);
	uint32_t	kept = 0;

	for (uint32_t i = 0; i < count; i++)
	{
		uint32_t	item = r->found->items[places[i]];
		uint32_t	k = kept;

		if (places[i] == r->rule.consequent)
			continue;
		for (; k > 0 && items[k - 1] > item; k--)
			items[k] = items[k - 1];
		items[k] = item;
		kept++;
	}
	return kept;
}

static bool
ranked_before(const void *a, const void *b)
{
	const ranked *x = a;
	const ranked *y = b;
	uint32_t	items_x[CRM_ITEMSET_MAX_ITEMS];
	uint32_t	items_y[CRM_ITEMSET_MAX_ITEMS];
	uint32_t	count;

	if (x->lift != y->lift)
		return x->lift > y->lift;
	if (x->baskets != y->baskets)
		return x->baskets > y->baskets;
	if (x->items != y->items)
		return x->items < y->items;
	count = antecedent_items(x, items_x);
	antecedent_items(y, items_y);
	for (uint32_t i = 0; i < count; i++)
		if (items_x[i] != items_y[i])
			return items_x[i] < items_y[i];
	return x->found->items[x->rule.consequent] < y->found->items[y->rule.consequent];
}

typedef struct collector
{
	const crm_env *env;
	const crm_itemsets *found;
	const crm_rule_limits *limits;
	ranked	   *rules;
	size_t		count;
	size_t		room;
} collector;

static crm_status
add_rule(collector *c, const ranked *rule)
{
	if (c->count == c->room)
	{
		size_t		room = c->room == 0 ? 256 : c->room * 2;
		ranked	   *rules;

		/* sorting needs two pointers a rule, the result a rule */
		if (room > (c->found->max_bytes - c->found->bytes) / (sizeof(ranked) + 2 * sizeof(void *) + sizeof(crm_rule)))
			return CRM_LIMIT;
		rules = c->env->resize(c->env->arg, c->rules, sizeof(ranked) * c->room, sizeof(ranked) * room);
		if (rules == NULL)
			return CRM_NO_MEMORY;
		c->rules = rules;
		c->room = room;
	}
	c->rules[c->count++] = *rule;
	return CRM_OK;
}

static bool
is_redundant(const collector *c, const ranked *rule, const uint32_t *places, uint32_t count)
{
	uint32_t	antecedent[CRM_ITEMSET_MAX_ITEMS];
	general		g = {c->env, c->found, antecedent, 0, rule->rule.consequent, rule->baskets, rule->rule.antecedent_baskets};

	for (uint32_t i = 0; i < count; i++)
		if (places[i] != rule->rule.consequent)
			antecedent[g.count++] = places[i];
	return is_matched(&g, 0, CRM_ITEMSET_NONE, CRM_ITEMSET_NONE, false, false);
}

/* The rules of one set. */
static crm_status
rules_of(collector *c, uint32_t set)
{
	const crm_itemsets *found = c->found;
	uint32_t	places[CRM_ITEMSET_MAX_ITEMS];
	uint32_t	count = crm_itemset_items(found, set, places);
	uint32_t	front = CRM_ITEMSET_NONE;	/* the set of the items before the consequent */

	if (count < c->limits->min_items)
		return CRM_OK;
	for (uint32_t i = 0; i < count; front = child_of(found, front, places[i]), i++)
	{
		uint32_t	rest = front;
		crm_rule_counts counts;
		ranked		rule = {found, 0, found->sets[set].baskets, count, {set, places[i], 0, false}};

		for (uint32_t k = i + 1; k < count; k++)
			rest = child_of(found, rest, places[k]);
		rule.rule.antecedent_baskets = found->sets[rest].baskets;
		counts = (crm_rule_counts) {found->sets[rest].baskets, found->sets[places[i]].baskets, rule.baskets, found->baskets};
		if (crm_rule_confidence(&counts) < c->limits->min_confidence)
			continue;
		rule.lift = crm_rule_lift(&counts);
		if (rule.lift < c->limits->min_lift)
			continue;
		if (c->limits->mark || !c->limits->redundant)
			rule.rule.redundant = is_redundant(c, &rule, places, count);
		if (!rule.rule.redundant || c->limits->redundant)
			CRM_TRY(add_rule(c, &rule));
	}
	return CRM_OK;
}

crm_status
crm_itemsets_rules(const crm_env *env, const crm_itemsets *found, const crm_rule_limits *limits, crm_rule **rules, size_t *count)
{
	collector	c = {.env = env, .found = found, .limits = limits};
	const void **order;

	for (uint32_t set = found->item_count; set < found->count; set++)
	{
		CRM_TRY(rules_of(&c, set));
		if (set % SETS_A_STEP == 0)
			crm_progress(env);
	}
	CRM_ALLOC(order, env, sizeof(void *) * (c.count + 1));
	CRM_ALLOC(*rules, env, sizeof(crm_rule) * (c.count + 1));
	for (size_t i = 0; i < c.count; i++)
		order[i] = &c.rules[i];
	CRM_TRY(crm_sort_pointers(env, order, c.count, ranked_before));
	for (size_t i = 0; i < c.count; i++)
		(*rules)[i] = ((const ranked *) order[i])->rule;
	*count = c.count;
	env->release(env->arg, order);
	env->release(env->arg, c.rules);
	return CRM_OK;
}

/* ---- measures -------------------------------------------------------------- */

double
crm_rule_confidence(const crm_rule_counts *counts)
{
	return counts->both / counts->antecedent;
}

double
crm_rule_lift(const crm_rule_counts *counts)
{
	return crm_rule_confidence(counts) / (counts->consequent / counts->all);
}

double
crm_rule_conviction(const crm_rule_counts *counts)
{
	if (counts->both == counts->antecedent)
		return INFINITY;
	return (1 - counts->consequent / counts->all) / (1 - crm_rule_confidence(counts));
}

/* x ln(x / y), which is 0 for x = 0 */
static double
information(double x, double y)
{
	return x > 0 ? log(x / y) : 0;
}

static double
square(double x)
{
	return x * x;
}

crm_status
crm_rule_measure_all(const crm_env *env, const crm_rule_counts *counts, double measures[CRM_RULE_MEASURES])
{
	double		n = counts->all;
	double		a = counts->antecedent;
	double		c = counts->consequent;
	double		both = counts->both;
	double		only_a = a - both;
	double		only_c = c - both;
	double		neither = n - a - c + both;
	double		confidence = both / a;
	double		share = c / n;
	double		otherwise = only_c / (n - a);	/* confidence of the consequent without the antecedent */
	double		by_chance = a / n * share + (1 - a / n) * (1 - share);

	measures[CRM_RULE_COVERAGE] = a / n;
	measures[CRM_RULE_CONSEQUENT] = share;
	measures[CRM_RULE_LEVERAGE] = both / n - a / n * share;
	measures[CRM_RULE_ADDED_VALUE] = confidence - share;
	measures[CRM_RULE_CERTAINTY] = confidence > share ? (confidence - share) / (1 - share) : confidence < share ? (confidence - share) / share : 0;
	/* Zhang 2000; all counts multiplied by n squared, so that independence is exactly 0 */
	measures[CRM_RULE_ZHANG] = (both * n - a * c) / fmax(both * (n - a), a * only_c);
	measures[CRM_RULE_JACCARD] = both / (a + only_c);
	measures[CRM_RULE_COSINE] = both / sqrt(a * c);
	measures[CRM_RULE_KULCZYNSKI] = (both / a + both / c) / 2;
	measures[CRM_RULE_IMBALANCE] = fabs(a - c) / (a + only_c);
	measures[CRM_RULE_ALL_CONFIDENCE] = both / fmax(a, c);
	measures[CRM_RULE_MAX_CONFIDENCE] = both / fmin(a, c);
	measures[CRM_RULE_ODDS_RATIO] = both * neither / (only_a * only_c);
	measures[CRM_RULE_YULE_Q] = (both * neither - only_a * only_c) / (both * neither + only_a * only_c);
	measures[CRM_RULE_PHI] = (n * both - a * c) / sqrt(a * c * (n - a) * (n - c));
	measures[CRM_RULE_KAPPA] = ((both + neither) / n - by_chance) / (1 - by_chance);
	measures[CRM_RULE_GINI] = a / n * (square(confidence) + square(1 - confidence)) +
		(n > a ? (1 - a / n) * (square(otherwise) + square(1 - otherwise)) : 0) - square(share) - square(1 - share);
	measures[CRM_RULE_J_MEASURE] = both / n * information(confidence, share) + only_a / n * information(1 - confidence, 1 - share);
	measures[CRM_RULE_LAPLACE] = (both + 1) / (a + 2);
	measures[CRM_RULE_COUNTER] = both / only_a;
	measures[CRM_RULE_CHI_SQUARED] = n * square(measures[CRM_RULE_PHI]);
	return crm_fisher_greater(env, (uint64_t) both, (uint64_t) only_a, (uint64_t) only_c, (uint64_t) neither, &measures[CRM_RULE_FISHER]);
}
