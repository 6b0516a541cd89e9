/*
 * recommend.h - what a customer is likely to want next, learned from who has what.
 *
 * item_item: items that the same customers have are alike (Sarwar, Karypis, Konstan
 * and Riedl 2001, "Item-based collaborative filtering recommendation algorithms");
 * an item's score is the sum of its likeness to what the customer has.
 *
 * als: customers and items as vectors whose products are the preferences (Hu, Koren
 * and Volinsky 2008, "Collaborative filtering for implicit feedback datasets"), by
 * alternating least squares; a customer's vector is made anew from what he has, so
 * that the model holds items only.
 *
 * popularity: what most customers have; what the others must be better than.
 */
#ifndef CRM_KERNEL_RECOMMEND_H
#define CRM_KERNEL_RECOMMEND_H

#include "kernel/baskets.h"
#include "kernel/model.h"

/* Fields of all three kinds. */
enum
{
	CRM_RECOMMEND_ITEMS,		/* texts, ascending by their bytes */
	CRM_RECOMMEND_ITEM_CUSTOMERS,	/* customers that have each */
	CRM_RECOMMEND_CUSTOMERS,
	CRM_RECOMMEND_ROWS,			/* different pairs of customer and item */
	CRM_RECOMMEND_OWN			/* the first field of a kind's own */
};

/* Of item_item. */
enum
{
	CRM_ITEM_ITEM_SIMILARITY = CRM_RECOMMEND_OWN,
	CRM_ITEM_ITEM_SHRINKAGE,
	CRM_ITEM_ITEM_MOST,			/* neighbours of an item, at most */
	CRM_ITEM_ITEM_COUNTS,		/* neighbours that each item has */
	CRM_ITEM_ITEM_NEIGHBOURS,	/* item after item, the nearest first; numbers of items from 1 */
	CRM_ITEM_ITEM_WEIGHTS		/* above 0 */
};

/* Of als. */
enum
{
	CRM_ALS_FACTORS = CRM_RECOMMEND_OWN,
	CRM_ALS_REGULARIZATION,
	CRM_ALS_PENALTY,			/* what that came to */
	CRM_ALS_ALPHA,
	CRM_ALS_ITERATIONS,
	CRM_ALS_SEED,
	CRM_ALS_LOSS,
	CRM_ALS_VECTORS				/* item after item */
};

static inline bool
crm_model_recommends(const crm_model *m)
{
	return m->kind == &crm_model_item_item || m->kind == &crm_model_als || m->kind == &crm_model_popularity;
}

/* ---- training ---------------------------------------------------------- */

typedef enum crm_similarity
{
	CRM_SIMILARITY_COSINE,
	CRM_SIMILARITY_JACCARD,
	CRM_SIMILARITY_CONDITIONAL, /* the share of an item's customers that have the other one */
	CRM_SIMILARITIES
} crm_similarity;

extern const char *const crm_similarity_names[];	/* ended by NULL */

#define CRM_RECOMMEND_MAX_NEIGHBOURS 10000
#define CRM_ALS_MAX_FACTORS 256
#define CRM_ALS_MAX_ITERATIONS 1000

typedef struct crm_item_item_options
{
	crm_similarity similarity;
	uint32_t	neighbours;
	double		shrinkage;		/* likeness of two items with n customers in common counts n / (n + shrinkage) */
} crm_item_item_options;

typedef struct crm_als_options
{
	uint32_t	factors;
	uint32_t	iterations;
	double		regularization; /* above 0; 1 is as strong as chance alone, see penalty_of in als.c */
	double		alpha;			/* above 0: a row of weight w has the confidence 1 + alpha * w */
	int64_t		seed;
} crm_als_options;

/*
 * Fill a model, whose arrays are memory of env; the index, ordered, must live as
 * long.  CRM_LIMIT where that takes more than max_bytes.
 */
extern crm_status crm_popularity_fit(const crm_env *env, const crm_basket_index *index, crm_model *m);
extern crm_status crm_item_item_fit(const crm_env *env, const crm_basket_index *index, const crm_item_item_options *options,
									size_t max_bytes, crm_model *m);
extern crm_status crm_als_fit(const crm_env *env, const crm_basket_index *index, const crm_als_options *options,
							  size_t max_bytes, crm_model *m);

/* ---- recommending ---------------------------------------------------------- */

#define CRM_RECOMMEND_REASONS 3

typedef struct crm_recommendation
{
	uint32_t	item;
	double		score;
	uint32_t	reasons;		/* items of the customer's that argued most for this one, with a positive part of its score */
	uint32_t	because[CRM_RECOMMEND_REASONS];
	double		parts[CRM_RECOMMEND_REASONS];
} crm_recommendation;

#define CRM_RECOMMEND_UNKNOWN UINT32_MAX

/* What prepare of these kinds makes. */
typedef struct crm_recommender crm_recommender;

/* The number of an item, CRM_RECOMMEND_UNKNOWN when the model has not met it. */
extern uint32_t crm_recommend_item(const crm_recommender *r, const char *text, size_t length);
extern uint32_t crm_recommend_item_count(const crm_recommender *r);
extern crm_model_text crm_recommend_text(const crm_recommender *r, uint32_t item);

/*
 * The n items of the highest score, fewer when there are no more; among equals those
 * with more customers, then by their bytes.  Neither what the customer has nor what
 * is suppressed is among them.  Numbers may repeat.
 */
extern crm_status crm_recommend(const crm_recommender *r, const crm_env *env, const uint32_t *owned, uint32_t owned_count,
								const uint32_t *suppressed, uint32_t suppressed_count, uint32_t n,
								crm_recommendation **list, uint32_t *count);

#endif							/* CRM_KERNEL_RECOMMEND_H */
