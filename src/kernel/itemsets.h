/*
 * itemsets.h - items that are often in one basket, and the rules that follow.
 *
 * Eclat (Zaki 2000, "Scalable algorithms for association mining") over bitsets:
 * the baskets of an item's are numbered from 0, so that each item that often comes
 * with it is a bitset of just so many bits, and itemsets grow by intersecting two.
 * Where few baskets of a prefix are left, the bitsets are made anew over those
 * alone.  Pairs are counted before, in one pass over the baskets.
 */
#ifndef CRM_KERNEL_ITEMSETS_H
#define CRM_KERNEL_ITEMSETS_H

#include "kernel/baskets.h"

#define CRM_ITEMSET_MAX_ITEMS 32

/* An itemset: what its parent has, and one item more. */
typedef struct crm_itemset
{
	uint32_t	parent;			/* CRM_ITEMSET_NONE for single items */
	uint32_t	place;			/* the item's place among frequent ones, the rarest first; above the parent's */
	uint32_t	baskets;
	uint32_t	first;			/* its children, one after another by place */
	uint32_t	children;
} crm_itemset;

#define CRM_ITEMSET_NONE UINT32_MAX

typedef struct crm_itemsets
{
	uint32_t	baskets;		/* of all */
	uint32_t	item_count;		/* frequent ones: the first so many itemsets, by place */
	uint32_t   *items;			/* in the index, by place */
	uint32_t	count;
	uint32_t	room;
	crm_itemset *sets;
	size_t		bytes;			/* memory taken */
	size_t		max_bytes;
} crm_itemsets;

/* The least number of baskets whose share is min_support or more, at least 1 and min_baskets. */
extern uint32_t crm_itemsets_least(uint32_t baskets, double min_support, uint64_t min_baskets);

/*
 * All sets of at most max_items items that least baskets or more have.  CRM_LIMIT
 * when they and the work on them would need more than max_bytes.
 */
extern crm_status crm_itemsets_mine(const crm_env *env, const crm_basket_index *index, uint32_t least, uint32_t max_items,
									size_t max_bytes, crm_itemsets *found);

/* The items of a set, by place; how many. */
extern uint32_t crm_itemset_items(const crm_itemsets *found, uint32_t set, uint32_t *places);

/* ---- rules ------------------------------------------------------------- */

typedef struct crm_rule
{
	uint32_t	set;			/* antecedent and consequent */
	uint32_t	consequent;		/* place */
	uint32_t	antecedent_baskets;
	bool		redundant;		/* a more general rule, with less in the antecedent, is as confident or more */
} crm_rule;

typedef struct crm_rule_limits
{
	double		min_confidence;
	double		min_lift;
	uint32_t	min_items;		/* of antecedent and consequent */
	bool		mark;			/* find out which rules are redundant */
	bool		redundant;		/* keep them; without, they are found out and dropped */
} crm_rule_limits;

/*
 * The rules of sets of two or more items, those of greatest lift first; among
 * equals the more frequent, then the shorter, then by the items' bytes.
 */
extern crm_status crm_itemsets_rules(const crm_env *env, const crm_itemsets *found, const crm_rule_limits *limits,
									 crm_rule **rules, size_t *count);

/* ---- measures of a rule ---------------------------------------------------- */

/* In how many baskets are the antecedent, the consequent, both; and of how many baskets. */
typedef struct crm_rule_counts
{
	double		antecedent;
	double		consequent;
	double		both;
	double		all;
} crm_rule_counts;

typedef enum crm_rule_measure
{
	CRM_RULE_COVERAGE,			/* share of the antecedent */
	CRM_RULE_CONSEQUENT,		/* share of the consequent */
	CRM_RULE_LEVERAGE,			/* support less what independence would give */
	CRM_RULE_ADDED_VALUE,		/* confidence less the consequent's share */
	CRM_RULE_CERTAINTY,			/* certainty factor, -1 ... 1 */
	CRM_RULE_ZHANG,				/* Zhang's metric, -1 ... 1 */
	CRM_RULE_JACCARD,
	CRM_RULE_COSINE,
	CRM_RULE_KULCZYNSKI,
	CRM_RULE_IMBALANCE,			/* imbalance ratio, 0 ... 1 */
	CRM_RULE_ALL_CONFIDENCE,
	CRM_RULE_MAX_CONFIDENCE,
	CRM_RULE_ODDS_RATIO,
	CRM_RULE_YULE_Q,
	CRM_RULE_PHI,				/* correlation */
	CRM_RULE_KAPPA,
	CRM_RULE_GINI,
	CRM_RULE_J_MEASURE,
	CRM_RULE_LAPLACE,
	CRM_RULE_COUNTER,			/* confidence of the antecedent without the consequent turned about: Sebag and Schoenauer */
	CRM_RULE_CHI_SQUARED,
	CRM_RULE_FISHER,			/* p value: chance alone puts them together so often or more */
	CRM_RULE_MEASURES
} crm_rule_measure;

extern double crm_rule_confidence(const crm_rule_counts *counts);
extern double crm_rule_lift(const crm_rule_counts *counts);
/* Infinite for a rule without exception. */
extern double crm_rule_conviction(const crm_rule_counts *counts);
/* NaN for a measure that is not defined, such as one that divides 0 by 0. */
extern crm_status crm_rule_measure_all(const crm_env *env, const crm_rule_counts *counts, double measures[CRM_RULE_MEASURES]);

#endif							/* CRM_KERNEL_ITEMSETS_H */
