/*
 * model_recommend.c - the kinds "item_item", "als" and "popularity": fields, and
 * what they recommend.
 */
#include "kernel/recommend.h"

#include <math.h>
#include <stdlib.h>

#include "kernel/als.h"
#include "kernel/sort.h"

#define ITEMS_A_STEP 1024

#define COMMON_FIELDS \
	{"items", CRM_FIELD_TEXTS, CRM_FIELD_BULK}, \
	{"item_customers", CRM_FIELD_INTEGERS, CRM_FIELD_BULK}, \
	{"customers", CRM_FIELD_INTEGER}, \
	{"rows", CRM_FIELD_INTEGER}

static const crm_model_field popularity_fields[] = {
	COMMON_FIELDS,
	{NULL}
};

static const crm_model_field item_item_fields[] = {
	COMMON_FIELDS,
	{"similarity", CRM_FIELD_TEXT},
	{"shrinkage", CRM_FIELD_NUMBER},
	{"neighbours", CRM_FIELD_INTEGER},
	{"neighbour_counts", CRM_FIELD_INTEGERS, CRM_FIELD_BULK},
	{"neighbour_items", CRM_FIELD_INTEGERS, CRM_FIELD_BULK},
	{"neighbour_weights", CRM_FIELD_NUMBERS, CRM_FIELD_BULK},
	{NULL}
};

static const crm_model_field als_fields[] = {
	COMMON_FIELDS,
	{"factors", CRM_FIELD_INTEGER},
	{"regularization", CRM_FIELD_NUMBER},
	{"penalty", CRM_FIELD_NUMBER},
	{"alpha", CRM_FIELD_NUMBER},
	{"iterations", CRM_FIELD_INTEGER},
	{"seed", CRM_FIELD_INTEGER},
	{"loss", CRM_FIELD_NUMBER},
	{"vectors", CRM_FIELD_NUMBERS, CRM_FIELD_BULK},
	{NULL}
};

/* ---- checks ---------------------------------------------------------------- */

/* Texts by their bytes, a beginning before what goes on. */
static int
compare_text(crm_model_text x, const char *bytes, size_t length)
{
	size_t		shorter = x.length < length ? x.length : length;
	int			order = shorter == 0 ? 0 : memcmp(x.bytes, bytes, shorter);

	return order != 0 ? order : (x.length > length) - (x.length < length);
}

static const char *
check_items(const crm_model *m)
{
	const crm_model_value *items = crm_model_get(m, CRM_RECOMMEND_ITEMS);
	const crm_model_value *customers = crm_model_get(m, CRM_RECOMMEND_ITEM_CUSTOMERS);

	if (m->features != 0)
		return "The model recommends: it has no features.";
	if (items->count != customers->count)
		return "\"items\" and \"item_customers\" are not equally long.";
	if (crm_model_get(m, CRM_RECOMMEND_CUSTOMERS)->integer < 0 || crm_model_get(m, CRM_RECOMMEND_ROWS)->integer < 0)
		return "A count is negative.";
	for (uint32_t i = 0; i < items->count; i++)
	{
		if (i > 0 && compare_text(items->texts[i - 1], items->texts[i].bytes, items->texts[i].length) >= 0)
			return "\"items\" do not ascend by their bytes.";
		if (customers->integers[i] < 0 || customers->integers[i] > crm_model_get(m, CRM_RECOMMEND_CUSTOMERS)->integer)
			return "An item has more customers than there are, or less than none.";
	}
	return NULL;
}

static bool
is_similarity(crm_model_text text)
{
	for (int i = 0; crm_similarity_names[i] != NULL; i++)
		if (crm_model_text_is(text, crm_similarity_names[i]))
			return true;
	return false;
}

static const char *
check_item_item(const crm_model *m)
{
	const crm_model_value *counts = crm_model_get(m, CRM_ITEM_ITEM_COUNTS);
	const crm_model_value *neighbours = crm_model_get(m, CRM_ITEM_ITEM_NEIGHBOURS);
	const crm_model_value *weights = crm_model_get(m, CRM_ITEM_ITEM_WEIGHTS);
	const char *problem = check_items(m);
	uint32_t	items = crm_model_get(m, CRM_RECOMMEND_ITEMS)->count;
	uint64_t	used = 0;

	if (problem != NULL)
		return problem;
	if (!is_similarity(crm_model_get(m, CRM_ITEM_ITEM_SIMILARITY)->text))
		return "\"similarity\" is cosine, jaccard or conditional.";
	if (crm_model_get(m, CRM_ITEM_ITEM_SHRINKAGE)->number < 0 || crm_model_get(m, CRM_ITEM_ITEM_MOST)->integer < 1)
		return "\"shrinkage\" is negative, or \"neighbours\" less than 1.";
	if (counts->count != items || neighbours->count != weights->count)
		return "There is not a number of neighbours for each item, or not a weight for each neighbour.";
	for (uint32_t i = 0; i < items; i++)
	{
		if (counts->integers[i] < 0 || counts->integers[i] > neighbours->count - used)
			return "\"neighbour_counts\" is not how many neighbours each item has.";
		for (uint64_t k = used; k < used + (uint64_t) counts->integers[i]; k++)
			if (neighbours->integers[k] < 1 || neighbours->integers[k] > items || neighbours->integers[k] == i + 1 || !(weights->numbers[k] > 0))
				return "A neighbour is no other item, or has no weight above 0.";
		used += (uint64_t) counts->integers[i];
	}
	if (used != neighbours->count)
		return "\"neighbour_counts\" is not how many neighbours each item has.";
	return NULL;
}

static const char *
check_als(const crm_model *m)
{
	const char *problem = check_items(m);
	int64_t		factors = crm_model_get(m, CRM_ALS_FACTORS)->integer;

	if (problem != NULL)
		return problem;
	if (factors < 1 || factors > CRM_ALS_MAX_FACTORS)
		return "\"factors\" is a number from 1 to 256.";
	if (crm_model_get(m, CRM_ALS_ITERATIONS)->integer < 0 || !(crm_model_get(m, CRM_ALS_PENALTY)->number > 0) ||
		!(crm_model_get(m, CRM_ALS_ALPHA)->number > 0))
		return "\"iterations\" is negative, or \"penalty\" or \"alpha\" not above 0.";
	if (crm_model_get(m, CRM_ALS_VECTORS)->count != (uint64_t) factors * crm_model_get(m, CRM_RECOMMEND_ITEMS)->count)
		return "\"vectors\" does not have as many numbers as factors for each item.";
	return NULL;
}

/* ---- what recommending keeps ------------------------------------------------- */

struct crm_recommender
{
	const crm_model *m;
	uint32_t	count;			/* items */
	uint32_t   *rank;			/* of each item by its customers, 0 the first */
	uint32_t   *by_rank;
	size_t	   *starts;			/* of neighbours; of an als the gram matrix is there instead */
	double	   *gram;

	/* room for one customer; empty between two */
	double	   *scores;
	uint8_t    *marks;
	uint32_t   *met;			/* items with a score */
	uint32_t   *place;			/* in the list, from 1 */
};

enum
{
	MET = 1,
	EXCLUDED = 2
};

typedef struct ranked_item
{
	int64_t		customers;
	uint32_t	item;
} ranked_item;

static bool
more_customers(const void *a, const void *b)
{
	const ranked_item *x = a;
	const ranked_item *y = b;

	return x->customers != y->customers ? x->customers > y->customers : x->item < y->item;
}

static crm_status
rank_items(crm_recommender *r, const crm_env *env)
{
	const int64_t *customers = crm_model_get(r->m, CRM_RECOMMEND_ITEM_CUSTOMERS)->integers;
	ranked_item *items;
	const void **order;

	CRM_ALLOC(items, env, sizeof(ranked_item) * ((size_t) r->count + 1));
	CRM_ALLOC(order, env, sizeof(void *) * ((size_t) r->count + 1));
	for (uint32_t i = 0; i < r->count; i++)
	{
		items[i] = (ranked_item) {customers[i], i};
		order[i] = &items[i];
	}
	CRM_TRY(crm_sort_pointers(env, order, r->count, more_customers));
	for (uint32_t i = 0; i < r->count; i++)
	{
		r->by_rank[i] = ((const ranked_item *) order[i])->item;
		r->rank[r->by_rank[i]] = i;
	}
	env->release(env->arg, order);
	env->release(env->arg, items);
	return CRM_OK;
}

static crm_status
prepare(const crm_model *m, const crm_env *env, void **scorer)
{
	crm_recommender *r;
	size_t		items;

	CRM_ALLOC(r, env, sizeof(crm_recommender));
	memset(r, 0, sizeof(*r));
	r->m = m;
	r->count = crm_model_get(m, CRM_RECOMMEND_ITEMS)->count;
	items = (size_t) r->count + 1;
	CRM_ALLOC(r->rank, env, sizeof(uint32_t) * items);
	CRM_ALLOC(r->by_rank, env, sizeof(uint32_t) * items);
	CRM_ALLOC(r->scores, env, sizeof(double) * items);
	CRM_ALLOC(r->marks, env, items);
	CRM_ALLOC(r->met, env, sizeof(uint32_t) * items);
	CRM_ALLOC(r->place, env, sizeof(uint32_t) * items);
	memset(r->scores, 0, sizeof(double) * items);
	memset(r->marks, 0, items);
	memset(r->place, 0, sizeof(uint32_t) * items);
	CRM_TRY(rank_items(r, env));
	if (m->kind == &crm_model_item_item)
	{
		CRM_ALLOC(r->starts, env, sizeof(size_t) * items);
		r->starts[0] = 0;
		for (uint32_t i = 0; i < r->count; i++)
			r->starts[i + 1] = r->starts[i] + (size_t) crm_model_get(m, CRM_ITEM_ITEM_COUNTS)->integers[i];
	}
	if (m->kind == &crm_model_als)
	{
		uint32_t	factors = (uint32_t) crm_model_get(m, CRM_ALS_FACTORS)->integer;

		CRM_ALLOC(r->gram, env, sizeof(double) * factors * factors);
		crm_als_gram(env, crm_model_get(m, CRM_ALS_VECTORS)->numbers, r->count, factors, crm_model_get(m, CRM_ALS_PENALTY)->number, r->gram);
	}
	*scorer = r;
	return CRM_OK;
}

uint32_t
crm_recommend_item(const crm_recommender *r, const char *text, size_t length)
{
	const crm_model_text *items = crm_model_get(r->m, CRM_RECOMMEND_ITEMS)->texts;
	uint32_t	low = 0;
	uint32_t	high = r->count;

	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;
		int			order = compare_text(items[middle], text, length);

		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return CRM_RECOMMEND_UNKNOWN;
}

uint32_t
crm_recommend_item_count(const crm_recommender *r)
{
	return r->count;
}

crm_model_text
crm_recommend_text(const crm_recommender *r, uint32_t item)
{
	return crm_model_get(r->m, CRM_RECOMMEND_ITEMS)->texts[item];
}

/* ---- the best n ---------------------------------------------------------------- */

/* Is x to be recommended before y? */
static inline bool
is_before(const crm_recommender *r, uint32_t x, uint32_t y)
{
	if (r->scores[x] != r->scores[y])
		return r->scores[x] > r->scores[y];
	return r->rank[x] < r->rank[y];
}

/* A heap of items, at its head the one that would be recommended last. */
static void
sink(const crm_recommender *r, uint32_t *heap, uint32_t count, uint32_t at)
{
	for (;;)
	{
		uint32_t	child = 2 * at + 1;
		uint32_t	item = heap[at];

		if (child >= count)
			return;
		if (child + 1 < count && is_before(r, heap[child], heap[child + 1]))
			child++;
		if (!is_before(r, item, heap[child]))
			return;
		heap[at] = heap[child];
		heap[child] = item;
		at = child;
	}
}

static void
offer(const crm_recommender *r, uint32_t *heap, uint32_t *count, uint32_t n, uint32_t item)
{
	uint32_t	at = *count;

	if (r->marks[item] & EXCLUDED)
		return;
	if (*count < n)
	{
		heap[(*count)++] = item;
		while (at > 0 && is_before(r, heap[(at - 1) / 2], heap[at]))
		{
			uint32_t	up = (at - 1) / 2;

			item = heap[up];
			heap[up] = heap[at];
			heap[at] = item;
			at = up;
		}
	}
	else if (n > 0 && is_before(r, item, heap[0]))
	{
		heap[0] = item;
		sink(r, heap, n, 0);
	}
}

/* Adds an item of the customer's to the reasons for one in the list; the largest part first, then by the items' bytes. */
static void
argue(crm_recommendation *list, uint32_t owned, double part)
{
	uint32_t	at = list->reasons;

	if (!(part > 0))
		return;
	while (at > 0 && (list->parts[at - 1] < part || (list->parts[at - 1] == part && list->because[at - 1] > owned)))
		at--;
	if (at == CRM_RECOMMEND_REASONS)
		return;
	if (list->reasons < CRM_RECOMMEND_REASONS)
		list->reasons++;
	for (uint32_t k = list->reasons - 1; k > at; k--)
	{
		list->because[k] = list->because[k - 1];
		list->parts[k] = list->parts[k - 1];
	}
	list->because[at] = owned;
	list->parts[at] = part;
}

/* ---- the kinds' scores --------------------------------------------------------- */

/* What one customer has, each item once, and room for the vectors of an als. */
typedef struct basket
{
	const uint32_t *items;
	uint32_t	count;
	double	   *factor;
	double	   *x;
} basket;

/* Sums of likeness; how many items met. */
static uint32_t
score_neighbours(const crm_recommender *r, const basket *owned)
{
	const int64_t *neighbours = crm_model_get(r->m, CRM_ITEM_ITEM_NEIGHBOURS)->integers;
	const double *weights = crm_model_get(r->m, CRM_ITEM_ITEM_WEIGHTS)->numbers;
	uint32_t	met = 0;

	for (uint32_t i = 0; i < owned->count; i++)
		for (size_t k = r->starts[owned->items[i]]; k < r->starts[owned->items[i] + 1]; k++)
		{
			uint32_t	other = (uint32_t) neighbours[k] - 1;

			r->scores[other] += weights[k];
			if (!(r->marks[other] & MET))
			{
				r->marks[other] |= MET;
				r->met[met++] = other;
			}
		}
	return met;
}

static void
argue_neighbours(const crm_recommender *r, const basket *owned, crm_recommendation *list)
{
	const int64_t *neighbours = crm_model_get(r->m, CRM_ITEM_ITEM_NEIGHBOURS)->integers;
	const double *weights = crm_model_get(r->m, CRM_ITEM_ITEM_WEIGHTS)->numbers;

	for (uint32_t i = 0; i < owned->count; i++)
		for (size_t k = r->starts[owned->items[i]]; k < r->starts[owned->items[i] + 1]; k++)
			if (r->place[neighbours[k] - 1] > 0)
				argue(&list[r->place[neighbours[k] - 1] - 1], owned->items[i], weights[k]);
}

/* Products of the customer's vector with all items'. */
static crm_status
score_vectors(const crm_recommender *r, const crm_env *env, basket *owned)
{
	const double *vectors = crm_model_get(r->m, CRM_ALS_VECTORS)->numbers;
	uint32_t	factors = (uint32_t) crm_model_get(r->m, CRM_ALS_FACTORS)->integer;

	CRM_ALLOC(owned->factor, env, sizeof(double) * factors * factors);
	CRM_ALLOC(owned->x, env, sizeof(double) * factors);
	if (owned->count == 0)
		return CRM_OK;
	if (!crm_als_fold_in(env, r->gram, vectors, factors, crm_model_get(r->m, CRM_ALS_ALPHA)->number, owned->items, NULL, owned->count,
						 owned->factor, owned->x))
		return CRM_OUT_OF_RANGE;
	for (uint32_t i = 0; i < r->count; i++)
	{
		r->scores[i] = crm_als_dot(owned->x, vectors + (size_t) i * factors, factors);
		if (i % ITEMS_A_STEP == 0)
			crm_progress(env);
	}
	return CRM_OK;
}

/*
 * The score is linear in what the customer has, once the matrix that says how he
 * weighs is fixed: each item's part of it (section 5 of the paper).
 */
static void
argue_vectors(const crm_recommender *r, const crm_env *env, const basket *owned, crm_recommendation *list, uint32_t count)
{
	const double *vectors = crm_model_get(r->m, CRM_ALS_VECTORS)->numbers;
	uint32_t	factors = (uint32_t) crm_model_get(r->m, CRM_ALS_FACTORS)->integer;
	double		confidence = 1 + crm_model_get(r->m, CRM_ALS_ALPHA)->number;

	for (uint32_t i = 0; i < owned->count; i++)
	{
		memcpy(owned->x, vectors + (size_t) owned->items[i] * factors, sizeof(double) * factors);
		crm_als_solve(owned->factor, owned->x, factors);
		for (uint32_t k = 0; k < count; k++)
		{
			argue(&list[k], owned->items[i], confidence * crm_als_dot(owned->x, vectors + (size_t) list[k].item * factors, factors));
			if (k % ITEMS_A_STEP == 0)
				crm_progress(env);
		}
	}
}

static void
score_popularity(const crm_recommender *r)
{
	const int64_t *customers = crm_model_get(r->m, CRM_RECOMMEND_ITEM_CUSTOMERS)->integers;
	double		all = (double) crm_model_get(r->m, CRM_RECOMMEND_CUSTOMERS)->integer;

	for (uint32_t i = 0; i < r->count; i++)
		r->scores[i] = all > 0 ? (double) customers[i] / all : 0;
}

/* ---- recommending ---------------------------------------------------------------- */

static int
compare_numbers(const void *a, const void *b)
{
	uint32_t	x = *(const uint32_t *) a;
	uint32_t	y = *(const uint32_t *) b;

	return (x > y) - (x < y);
}

crm_status
crm_recommend(const crm_recommender *r, const crm_env *env, const uint32_t *owned, uint32_t owned_count,
			  const uint32_t *suppressed, uint32_t suppressed_count, uint32_t n, crm_recommendation **list, uint32_t *count)
{
	bool		sparse = r->m->kind == &crm_model_item_item;
	basket		b = {0};
	uint32_t   *items;
	uint32_t   *heap;
	uint32_t	met = 0;
	uint32_t	taken = 0;
	crm_status	status = CRM_OK;

	n = n < r->count ? n : r->count;
	CRM_ALLOC(items, env, sizeof(uint32_t) * ((size_t) owned_count + 1));
	CRM_ALLOC(heap, env, sizeof(uint32_t) * ((size_t) n + 1));
	CRM_ALLOC(*list, env, sizeof(crm_recommendation) * ((size_t) n + 1));
	for (uint32_t i = 0; i < owned_count; i++)
		if (owned[i] != CRM_RECOMMEND_UNKNOWN && !(r->marks[owned[i]] & EXCLUDED))
		{
			r->marks[owned[i]] |= EXCLUDED;
			items[b.count++] = owned[i];
		}
	/* By number: sums come out the same in whatever order the items were given. */
	qsort(items, b.count, sizeof(uint32_t), compare_numbers);
	b.items = items;
	for (uint32_t i = 0; i < suppressed_count; i++)
		if (suppressed[i] != CRM_RECOMMEND_UNKNOWN)
			r->marks[suppressed[i]] |= EXCLUDED;

	if (sparse)
		met = score_neighbours(r, &b);
	else if (r->m->kind == &crm_model_als)
		status = score_vectors(r, env, &b);
	else
		score_popularity(r);
	if (sparse)
	{
		for (uint32_t i = 0; i < met; i++)
			offer(r, heap, &taken, n, r->met[i]);
		/* What nothing speaks for comes after, the popular first. */
		for (uint32_t i = 0; i < r->count && taken < n; i++)
			if (!(r->marks[r->by_rank[i]] & MET))
				offer(r, heap, &taken, n, r->by_rank[i]);
	}
	else
		for (uint32_t i = 0; i < r->count; i++)
			offer(r, heap, &taken, n, r->by_rank[i]);

	/* From the heap's head, the last comes first. */
	*count = taken;
	for (uint32_t left = taken; left > 0; left--)
	{
		(*list)[left - 1] = (crm_recommendation) {.item = heap[0], .score = r->scores[heap[0]]};
		r->place[heap[0]] = left;
		heap[0] = heap[left - 1];
		sink(r, heap, left - 1, 0);
	}
	if (sparse)
		argue_neighbours(r, &b, *list);
	else if (r->m->kind == &crm_model_als && status == CRM_OK)
		argue_vectors(r, env, &b, *list, taken);

	/* Leave the room empty. */
	for (uint32_t i = 0; i < taken; i++)
		r->place[(*list)[i].item] = 0;
	for (uint32_t i = 0; i < met; i++)
	{
		r->marks[r->met[i]] = 0;
		r->scores[r->met[i]] = 0;
	}
	if (!sparse)
		memset(r->scores, 0, sizeof(double) * r->count);
	for (uint32_t i = 0; i < b.count; i++)
		r->marks[items[i]] = 0;
	for (uint32_t i = 0; i < suppressed_count; i++)
		if (suppressed[i] != CRM_RECOMMEND_UNKNOWN)
			r->marks[suppressed[i]] = 0;
	env->release(env->arg, items);
	env->release(env->arg, heap);
	env->release(env->arg, b.factor);
	env->release(env->arg, b.x);
	return status;
}

const crm_model_kind crm_model_item_item = {
	.number = 40,
	.name = "item_item",
	.fields = item_item_fields,
	.check = check_item_item,
	.prepare = prepare
};

const crm_model_kind crm_model_als = {
	.number = 41,
	.name = "als",
	.fields = als_fields,
	.check = check_als,
	.prepare = prepare
};

const crm_model_kind crm_model_popularity = {
	.number = 42,
	.name = "popularity",
	.fields = popularity_fields,
	.check = check_items,
	.prepare = prepare
};
