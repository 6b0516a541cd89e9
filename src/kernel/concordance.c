/*
 * concordance.c - do scores tell who leaves sooner?
 *
 * Rows go by time, once backwards, when each event meets those who outlived it,
 * and once forwards, when each row meets the events before it; a tree of counts by
 * rank of score (Fenwick 1994) says how many of them are lower.  So each row knows its pairs and how
 * many are right, and what the measure would be without it: that gives its error,
 * and the error of a difference by the same pairs.
 */
#include "kernel/concordance.h"

#include <math.h>

#include "kernel/sort.h"

#define ROWS_A_STEP 4096

/* Room for one pass. */
typedef struct work
{
	const crm_env *env;
	crm_survivor *rows;			/* by time, events before those last seen */
	size_t		count;
	uint64_t   *keys;			/* to sort by, and rows in that order */
	uint32_t   *order;
	size_t	   *rank;
	uint64_t   *tree;
	double	   *good;			/* of each row: pairs that are right, and all */
	double	   *pairs;
} work;

typedef enum row_key
{
	KEY_TIME, KEY_EVENT, KEY_SCORE, KEY_OTHER
} row_key;

/* A whole number that ascends as the key does: the bits of a float8, those of negative ones turned about. */
static uint64_t
key_of(const crm_survivor *row, row_key key)
{
	double		number = (key == KEY_TIME ? row->time : key == KEY_SCORE ? row->score : row->other) + 0.0;	/* no -0 */
	uint64_t	bits;

	if (key == KEY_EVENT)
		return !row->event;
	memcpy(&bits, &number, sizeof(bits));
	return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

/* Sorts w->order by one key more, those that are equal by it as they are. */
static crm_status
order_by(work *w, row_key key)
{
	for (size_t i = 0; i < w->count; i++)
		w->keys[i] = key_of(&w->rows[w->order[i]], key);
	return crm_sort_keys(w->env, w->keys, w->order, w->count);
}

static void
order_as_given(work *w)
{
	for (size_t i = 0; i < w->count; i++)
		w->order[i] = (uint32_t) i;
}

/* Rows as w->order says, in their own room: along each cycle of places; the order is that of places then. */
static void
put_in_order(work *w)
{
	for (size_t i = 0; i < w->count; i++)
	{
		crm_survivor first = w->rows[i];
		size_t		place = i;

		while (w->order[place] != i)
		{
			size_t		from = w->order[place];

			w->rows[place] = w->rows[from];
			w->order[place] = (uint32_t) place;
			place = from;
		}
		w->rows[place] = first;
		w->order[place] = (uint32_t) place;
	}
}

/* By time, events first, then by scores: in whatever order the rows came, sums are the same. */
static crm_status
sort_rows(work *w)
{
	order_as_given(w);
	CRM_TRY(order_by(w, KEY_OTHER));
	CRM_TRY(order_by(w, KEY_SCORE));
	CRM_TRY(order_by(w, KEY_EVENT));
	CRM_TRY(order_by(w, KEY_TIME));
	put_in_order(w);
	return CRM_OK;
}

static void
tree_add(uint64_t *tree, size_t size, size_t place)
{
	for (place++; place <= size; place += place & -place)
		tree[place]++;
}

static uint64_t
tree_below(const uint64_t *tree, size_t place)
{
	uint64_t	sum = 0;

	for (; place > 0; place -= place & -place)
		sum += tree[place];
	return sum;
}

static crm_status
rank_rows(work *w, bool other)
{
	size_t		ranks = 0;

	order_as_given(w);
	CRM_TRY(order_by(w, other ? KEY_OTHER : KEY_SCORE));
	for (size_t i = 0; i < w->count; i++)
	{
		if (i > 0 && w->keys[i] != w->keys[i - 1])
			ranks++;
		w->rank[w->order[i]] = ranks;
	}
	memset(w->tree, 0, sizeof(uint64_t) * (w->count + 2));
	return CRM_OK;
}

/* Adds to an event, or else to who outlived it, the pairs with the `met` rows in the tree. */
static void
meet(work *w, size_t row, uint64_t met, bool is_event)
{
	uint64_t	below = tree_below(w->tree, w->rank[row]);
	uint64_t	equal = tree_below(w->tree, w->rank[row] + 1) - below;

	if (row % ROWS_A_STEP == 0)
		crm_progress(w->env);
	w->pairs[row] += (double) met;
	w->good[row] += (double) (is_event ? below : met - below - equal) + (double) equal / 2;
}

static crm_status
look(work *w, bool other)
{
	const crm_survivor *rows = w->rows;
	size_t		n = w->count;
	uint64_t	met = 0;

	memset(w->good, 0, sizeof(double) * n);
	memset(w->pairs, 0, sizeof(double) * n);
	CRM_TRY(rank_rows(w, other));
	/* backwards: events with those who outlived them */
	for (size_t end = n; end > 0;)
	{
		size_t		start = end;
		size_t		seen;

		crm_progress(w->env);
		while (start > 0 && rows[start - 1].time == rows[end - 1].time)
			start--;
		/* behind the events of a time stand those last seen then */
		for (seen = end; seen > start && !rows[seen - 1].event; seen--)
		{
			tree_add(w->tree, n, w->rank[seen - 1]);
			met++;
		}
		for (size_t i = start; i < seen; i++)
			meet(w, i, met, true);
		for (size_t i = start; i < seen; i++)
		{
			tree_add(w->tree, n, w->rank[i]);
			met++;
		}
		end = start;
	}
	/* forwards: rows with the events that they outlived */
	memset(w->tree, 0, sizeof(uint64_t) * (n + 2));
	met = 0;
	for (size_t start = 0; start < n;)
	{
		size_t		end = start;
		uint64_t	events = 0;

		crm_progress(w->env);
		while (end < n && rows[end].time == rows[start].time && rows[end].event)
			meet(w, end++, met, false);
		for (size_t i = start; i < end; i++)
		{
			tree_add(w->tree, n, w->rank[i]);
			events++;
		}
		met += events;
		for (; end < n && rows[end].time == rows[start].time; end++)
			meet(w, end, met, false);
		start = end;
	}
	return CRM_OK;
}

/* A sum in which each pair stands twice. */
static double
half_sum(const double *numbers, size_t count)
{
	double		sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += numbers[i];
	return sum / 2;
}

size_t
crm_concordance_bytes(size_t count)
{
	/* first, good and pairs, ranks and the tree of their counts */
	const size_t numbers = 3 * sizeof(double) + sizeof(size_t) + sizeof(uint64_t);
	/* and, twice while they are sorted */
	const size_t keys = sizeof(uint64_t) + sizeof(uint32_t);

	return (count + 2) * (sizeof(crm_survivor) + numbers + 2 * keys);
}

crm_status
crm_concordance_of(const crm_env *env, crm_survivor *rows, size_t count, bool compare, crm_concordance *result)
{
	work		w = {.env = env,.rows = rows,.count = count};
	double	   *first;

	*result = (crm_concordance) {NAN, NAN, NAN, NAN, NAN, 0, 0};
	if (count >= UINT32_MAX)
		return CRM_LIMIT;
	first = env->alloc(env->arg, sizeof(double) * (count + 1));
	w.keys = env->alloc(env->arg, sizeof(uint64_t) * (count + 1));
	w.order = env->alloc(env->arg, sizeof(uint32_t) * (count + 1));
	w.rank = env->alloc(env->arg, sizeof(size_t) * (count + 1));
	w.tree = env->alloc(env->arg, sizeof(uint64_t) * (count + 2));
	w.good = env->alloc(env->arg, sizeof(double) * (count + 1));
	w.pairs = env->alloc(env->arg, sizeof(double) * (count + 1));
	if (first == NULL || w.keys == NULL || w.order == NULL || w.rank == NULL || w.tree == NULL || w.good == NULL || w.pairs == NULL)
		return CRM_NO_MEMORY;
	CRM_TRY(sort_rows(&w));
	for (size_t i = 0; i < count; i++)
		result->events += rows[i].event;
	CRM_TRY(look(&w, false));
	result->pairs = half_sum(w.pairs, count);
	if (result->pairs > 0)
	{
		double		sum = 0;
		double		difference = 0;

		result->value = half_sum(w.good, count) / result->pairs;
		for (size_t i = 0; i < count; i++)
		{
			first[i] = (w.good[i] - result->value * w.pairs[i]) / result->pairs;
			sum += first[i] * first[i];
		}
		result->error = sqrt(sum);
		if (compare)
		{
			CRM_TRY(look(&w, true));
			result->other = half_sum(w.good, count) / result->pairs;
			result->gain = result->other - result->value;
			for (size_t i = 0; i < count; i++)
			{
				double		more = (w.good[i] - result->other * w.pairs[i]) / result->pairs - first[i];

				difference += more * more;
			}
			result->gain_error = sqrt(difference);
		}
	}
	env->release(env->arg, w.pairs);
	env->release(env->arg, w.good);
	env->release(env->arg, w.tree);
	env->release(env->arg, w.rank);
	env->release(env->arg, w.order);
	env->release(env->arg, w.keys);
	env->release(env->arg, first);
	return CRM_OK;
}
