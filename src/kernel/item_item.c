/*
 * item_item.c - which items the same customers have, and how many have each.
 */
#include "kernel/recommend.h"

#include <math.h>
#include <stdlib.h>

const char *const crm_similarity_names[] = {"cosine", "jaccard", "conditional", NULL};

crm_status
crm_popularity_fit(const crm_env *env, const crm_basket_index *index, crm_model *m)
{
	crm_model_text *items;
	int64_t    *customers;

	CRM_ALLOC(items, env, sizeof(crm_model_text) * ((size_t) index->item_count + 1));
	CRM_ALLOC(customers, env, sizeof(int64_t) * ((size_t) index->item_count + 1));
	for (uint32_t i = 0; i < index->item_count; i++)
	{
		items[i] = (crm_model_text) {index->items[i]->text, index->items[i]->length};
		customers[i] = index->item_baskets[i];
	}
	crm_model_begin(m, &crm_model_popularity, 0);
	crm_model_set_texts(m, CRM_RECOMMEND_ITEMS, items, index->item_count);
	crm_model_set_integers(m, CRM_RECOMMEND_ITEM_CUSTOMERS, customers, index->item_count);
	crm_model_set_integer(m, CRM_RECOMMEND_CUSTOMERS, index->basket_count);
	crm_model_set_integer(m, CRM_RECOMMEND_ROWS, (int64_t) index->starts[index->basket_count]);
	return CRM_OK;
}

/* ---- neighbours ------------------------------------------------------------ */

typedef struct neighbour
{
	double		weight;
	uint32_t	item;
	uint32_t	customers;
} neighbour;

/* The nearest first, among equals the item with more customers, then by the items' bytes. */
static int
compare_neighbours(const void *a, const void *b)
{
	const neighbour *x = a;
	const neighbour *y = b;

	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	if (x->customers != y->customers)
		return x->customers > y->customers ? -1 : 1;
	return (x->item > y->item) - (x->item < y->item);
}

typedef struct counter
{
	uint32_t   *common;			/* customers in common with the item at hand, by item */
	double	   *products;		/* of weights; NULL: as many as customers */
	uint32_t   *met;			/* items with common > 0 */
	uint32_t	met_count;
	neighbour  *near;
} counter;

static double
likeness(const crm_item_item_options *options, const crm_basket_index *index, const counter *c, const double *norms, uint32_t i, uint32_t j)
{
	double		common = c->common[j];
	double		product = c->products != NULL ? c->products[j] : common;
	double		customers = index->item_baskets[i];
	double		value = 0;

	switch (options->similarity)
	{
		case CRM_SIMILARITY_COSINE:
			value = product / (norms[i] * norms[j]);
			break;
		case CRM_SIMILARITY_JACCARD:
			value = common / (customers + index->item_baskets[j] - common);
			break;
		case CRM_SIMILARITY_CONDITIONAL:
		case CRM_SIMILARITIES:
			value = common / customers;
			break;
	}
	return value * (common / (common + options->shrinkage));
}

/* Counts what the customers of one item have besides. */
static void
count_common(const crm_env *env, const crm_basket_index *index, const size_t *places, size_t count, const uint32_t *baskets, uint32_t item, counter *c)
{
	for (size_t k = 0; k < count; k++)
	{
		uint32_t	u = baskets[k];
		double		weight = c->products != NULL ? index->weights[places[k]] : 0;

		for (size_t e = index->starts[u]; e < index->starts[u + 1]; e++)
		{
			uint32_t	other = index->entries[e];

			if (other == item)
				continue;
			if (c->common[other]++ == 0)
				c->met[c->met_count++] = other;
			if (c->products != NULL)
				c->products[other] += weight * index->weights[e];
		}
		if (k % 256 == 0 || index->starts[u + 1] - index->starts[u] > 256)
			crm_progress(env);
	}
}

typedef struct lists
{
	int64_t    *counts;
	int64_t    *neighbours;
	double	   *weights;
	size_t		used;
	size_t		room;
	size_t		max_bytes;
} lists;

static crm_status
make_room(const crm_env *env, lists *l, size_t more)
{
	size_t		room = l->room == 0 ? 1024 : l->room;
	void	   *grown;

	while (room < l->used + more)
		room *= 2;
	if (room == l->room)
		return CRM_OK;
	if (room > l->max_bytes / (sizeof(int64_t) + sizeof(double)) || room > UINT32_MAX)
		return CRM_LIMIT;
	grown = env->resize(env->arg, l->neighbours, sizeof(int64_t) * l->room, sizeof(int64_t) * room);
	if (grown == NULL)
		return CRM_NO_MEMORY;
	l->neighbours = grown;
	grown = env->resize(env->arg, l->weights, sizeof(double) * l->room, sizeof(double) * room);
	if (grown == NULL)
		return CRM_NO_MEMORY;
	l->weights = grown;
	l->room = room;
	return CRM_OK;
}

/* The nearest of the items met go to the lists; the counter is empty again. */
static crm_status
keep_nearest(const crm_env *env, const crm_basket_index *index, const crm_item_item_options *options, const double *norms,
			 uint32_t item, counter *c, lists *l)
{
	uint32_t	kept = 0;

	for (uint32_t k = 0; k < c->met_count; k++)
	{
		uint32_t	other = c->met[k];
		double		weight = likeness(options, index, c, norms, item, other);

		/* Numbers too small for a float8 are no likeness. */
		if (weight > 0)
			c->near[kept++] = (neighbour) {weight, other, index->item_baskets[other]};
		c->common[other] = 0;
		if (c->products != NULL)
			c->products[other] = 0;
	}
	c->met_count = 0;
	qsort(c->near, kept, sizeof(neighbour), compare_neighbours);
	kept = kept < options->neighbours ? kept : options->neighbours;
	CRM_TRY(make_room(env, l, kept));
	for (uint32_t k = 0; k < kept; k++)
	{
		l->neighbours[l->used] = (int64_t) c->near[k].item + 1;
		l->weights[l->used++] = c->near[k].weight;
	}
	l->counts[item] = kept;
	return CRM_OK;
}

crm_status
crm_item_item_fit(const crm_env *env, const crm_basket_index *index, const crm_item_item_options *options, size_t max_bytes, crm_model *m)
{
	size_t		items = (size_t) index->item_count + 1;
	size_t		total = index->starts[index->basket_count];
	size_t		work = items * (sizeof(uint32_t) * 2 + sizeof(double) * 2 + sizeof(neighbour) + sizeof(int64_t) + sizeof(size_t)) +
		total * (sizeof(uint32_t) + sizeof(size_t));
	counter		c = {0};
	lists		l = {0};
	double	   *norms;
	size_t	   *next;
	size_t	   *places;
	uint32_t   *baskets;
	size_t		at = 0;

	if (work > max_bytes)
		return CRM_LIMIT;
	l.max_bytes = max_bytes - work;
	CRM_TRY(crm_popularity_fit(env, index, m));
	m->kind = &crm_model_item_item;
	CRM_ALLOC(c.common, env, sizeof(uint32_t) * items);
	CRM_ALLOC(c.met, env, sizeof(uint32_t) * items);
	CRM_ALLOC(c.near, env, sizeof(neighbour) * items);
	CRM_ALLOC(norms, env, sizeof(double) * items);
	CRM_ALLOC(l.counts, env, sizeof(int64_t) * items);
	CRM_ALLOC(next, env, sizeof(size_t) * items);
	CRM_ALLOC(places, env, sizeof(size_t) * (total + 1));
	CRM_ALLOC(baskets, env, sizeof(uint32_t) * (total + 1));
	memset(c.common, 0, sizeof(uint32_t) * items);
	memset(norms, 0, sizeof(double) * items);
	if (index->weights != NULL && options->similarity == CRM_SIMILARITY_COSINE)
	{
		CRM_ALLOC(c.products, env, sizeof(double) * items);
		memset(c.products, 0, sizeof(double) * items);
	}

	/* The entries of each item, customers ascending. */
	for (uint32_t i = 0; i < index->item_count; i++)
	{
		next[i] = at;
		at += index->item_baskets[i];
	}
	for (uint32_t u = 0; u < index->basket_count; u++)
	{
		for (size_t e = index->starts[u]; e < index->starts[u + 1]; e++)
		{
			uint32_t	item = index->entries[e];
			double		weight = c.products != NULL ? index->weights[e] : 1;

			places[next[item]] = e;
			baskets[next[item]++] = u;
			norms[item] += weight * weight;
		}
		if (u % 4096 == 0)
			crm_progress(env);
	}
	for (uint32_t i = 0; i < index->item_count; i++)
	{
		norms[i] = sqrt(norms[i]);
		if (!isfinite(norms[i]))
			return CRM_OUT_OF_RANGE;
	}
	for (uint32_t i = 0; i < index->item_count; i++)
	{
		size_t		first = next[i] - index->item_baskets[i];

		count_common(env, index, places + first, index->item_baskets[i], baskets + first, i, &c);
		CRM_TRY(keep_nearest(env, index, options, norms, i, &c, &l));
		crm_step(env, (uint64_t) i + 1);
	}
	crm_model_set_text(m, CRM_ITEM_ITEM_SIMILARITY, crm_similarity_names[options->similarity]);
	crm_model_set_number(m, CRM_ITEM_ITEM_SHRINKAGE, options->shrinkage);
	crm_model_set_integer(m, CRM_ITEM_ITEM_MOST, options->neighbours);
	crm_model_set_integers(m, CRM_ITEM_ITEM_COUNTS, l.counts, index->item_count);
	crm_model_set_integers(m, CRM_ITEM_ITEM_NEIGHBOURS, l.neighbours, (uint32_t) l.used);
	crm_model_set_numbers(m, CRM_ITEM_ITEM_WEIGHTS, l.weights, (uint32_t) l.used);
	env->release(env->arg, c.common);
	env->release(env->arg, c.met);
	env->release(env->arg, c.near);
	env->release(env->arg, c.products);
	env->release(env->arg, norms);
	env->release(env->arg, next);
	env->release(env->arg, places);
	env->release(env->arg, baskets);
	return CRM_OK;
}
