/*
 * als.c - alternating least squares for implicit feedback.
 *
 * Customers and items take turns: with the vectors of one side fixed, each vector
 * of the other is the solution of a small system.  Where a customer has fewer items
 * than a vector has numbers, the system is solved in the items instead, which is
 * the same solution for less work.
 */
#include "kernel/als.h"

#include <math.h>

#include "kernel/holdout.h"
#include "kernel/recommend.h"

#define LANES 8
#define VECTORS_A_STEP 256
#define SQUARES_A_STEP 64

/* ---- linear algebra -------------------------------------------------------- */

CRM_TARGET_CLONES double
crm_als_dot(const double *a, const double *b, uint32_t n)
{
	double		lane[LANES] = {0};
	double		rest = 0;
	uint32_t	i = 0;

	for (; i + LANES <= n; i += LANES)
		for (int k = 0; k < LANES; k++)
			lane[k] += a[i + k] * b[i + k];
	for (; i < n; i++)
		rest += a[i] * b[i];
	return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7])) + rest;
}

void
crm_als_add(double *to, const double *from, double factor, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		to[i] += factor * from[i];
}

/* Whole lanes: what they add above the diagonal nobody reads. */
CRM_TARGET_CLONES void
crm_als_add_square(double *matrix, const double *x, double factor, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
	{
		double	   *row = matrix + (size_t) i * n;
		double		of_row = factor * x[i];
		uint32_t	j = 0;

		for (; j <= i && j + LANES <= n; j += LANES)
			for (int k = 0; k < LANES; k++)
				row[j + k] += of_row * x[j + k];
		for (; j <= i; j++)
			row[j] += of_row * x[j];
	}
}

bool
crm_als_factorize(double *matrix, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
	{
		double	   *row = matrix + (size_t) i * n;

		for (uint32_t j = 0; j <= i; j++)
		{
			const double *above = matrix + (size_t) j * n;
			double		rest = row[j] - crm_als_dot(row, above, j);

			if (j < i)
				row[j] = rest / above[j];
			else if (!(rest > 0) || isinf(rest))
				return false;
			else
				row[j] = sqrt(rest);
		}
	}
	return true;
}

void
crm_als_solve(const double *factor, double *x, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		x[i] = (x[i] - crm_als_dot(factor + (size_t) i * n, x, i)) / factor[(size_t) i * n + i];
	for (uint32_t i = n; i-- > 0;)
	{
		x[i] /= factor[(size_t) i * n + i];
		crm_als_add(x, factor + (size_t) i * n, -x[i], i);
	}
}

void
crm_als_gram(const crm_env *env, const double *vectors, uint32_t count, uint32_t n, double regularization, double *gram)
{
	memset(gram, 0, sizeof(double) * n * n);
	for (uint32_t i = 0; i < count; i++)
	{
		crm_als_add_square(gram, vectors + (size_t) i * n, 1, n);
		if (i % VECTORS_A_STEP == 0)
			crm_progress(env);
	}
	for (uint32_t i = 0; i < n; i++)
		gram[(size_t) i * n + i] += regularization;
}

bool
crm_als_fold_in(const crm_env *env, const double *gram, const double *vectors, uint32_t n, double alpha, const uint32_t *entries,
				const double *weights, size_t count, double *work, double *x)
{
	memcpy(work, gram, sizeof(double) * n * n);
	memset(x, 0, sizeof(double) * n);
	for (size_t i = 0; i < count; i++)
	{
		const double *y = vectors + (size_t) entries[i] * n;
		double		more = alpha * (weights == NULL ? 1 : weights[i]);

		crm_als_add_square(work, y, more, n);
		crm_als_add(x, y, 1 + more, n);
		if (i % SQUARES_A_STEP == 0)
			crm_progress(env);
	}
	if (!crm_als_factorize(work, n))
		return false;
	crm_als_solve(work, x, n);
	return true;
}

/* ---- training ---------------------------------------------------------------- */

typedef struct trainer
{
	const crm_env *env;
	const crm_basket_index *index;
	const crm_als_options *options;
	uint32_t	n;				/* numbers of a vector */
	double		penalty;
	double	   *customers;		/* vectors */
	double	   *items;
	double	   *solved;			/* of each item: its vector divided by the items' gram matrix */
	size_t	   *item_starts;	/* the index turned about */
	uint32_t   *item_customers;
	double	   *item_weights;	/* NULL: all 1 */
	double	   *gram;
	double	   *work;			/* n * n */
	double	   *right;			/* n */
} trainer;

static crm_status
turn_about(trainer *t)
{
	const crm_basket_index *index = t->index;
	size_t		total = index->starts[index->basket_count];
	size_t	   *next;
	size_t		at = 0;

	CRM_ALLOC(t->item_starts, t->env, sizeof(size_t) * ((size_t) index->item_count + 1));
	CRM_ALLOC(next, t->env, sizeof(size_t) * ((size_t) index->item_count + 1));
	CRM_ALLOC(t->item_customers, t->env, sizeof(uint32_t) * (total + 1));
	if (index->weights != NULL)
		CRM_ALLOC(t->item_weights, t->env, sizeof(double) * (total + 1));
	for (uint32_t i = 0; i < index->item_count; i++)
	{
		t->item_starts[i] = next[i] = at;
		at += index->item_baskets[i];
	}
	t->item_starts[index->item_count] = at;
	for (uint32_t u = 0; u < index->basket_count; u++)
	{
		for (size_t e = index->starts[u]; e < index->starts[u + 1]; e++)
		{
			size_t		place = next[index->entries[e]]++;

			t->item_customers[place] = u;
			if (index->weights != NULL)
				t->item_weights[place] = index->weights[e];
		}
		if (u % VECTORS_A_STEP == 0)
			crm_progress(t->env);
	}
	t->env->release(t->env->arg, next);
	return CRM_OK;
}

/* Small numbers of either sign, by the item's text, the seed and the place: not by the item's number, so that other items change nothing. */
static void
first_vectors(trainer *t)
{
	uint8_t		key[24];

	crm_store64(key, (uint64_t) t->options->seed);
	for (uint32_t i = 0; i < t->index->item_count; i++)
	{
		const crm_value_entry *item = t->index->items[i];

		crm_store64(key + 8, crm_holdout_seed((const uint8_t *) item->text, item->length));
		if (i % VECTORS_A_STEP == 0)
			crm_progress(t->env);
		for (uint32_t k = 0; k < t->n; k++)
		{
			crm_store64(key + 16, k);
			t->items[(size_t) i * t->n + k] = ((double) (crm_holdout_seed(key, sizeof(key)) >> 11) * 0x1p-53 - 0.5) / sqrt(t->n);
		}
	}
}

/* The vector of a customer who has fewer items than it has numbers. */
static bool
solve_few(trainer *t, size_t first, uint32_t count, double *x)
{
	const crm_basket_index *index = t->index;
	double	   *matrix = t->work;

	for (uint32_t i = 0; i < count; i++)
	{
		double		more = t->options->alpha * (index->weights == NULL ? 1 : index->weights[first + i]);

		for (uint32_t j = 0; j <= i; j++)
			matrix[(size_t) i * count + j] = crm_als_dot(t->items + (size_t) index->entries[first + i] * t->n,
														 t->solved + (size_t) index->entries[first + j] * t->n, t->n);
		matrix[(size_t) i * count + i] += 1 / more;
		t->right[i] = (1 + more) / more;
	}
	if (!crm_als_factorize(matrix, count))
		return false;
	crm_als_solve(matrix, t->right, count);
	memset(x, 0, sizeof(double) * t->n);
	for (uint32_t i = 0; i < count; i++)
		crm_als_add(x, t->solved + (size_t) index->entries[first + i] * t->n, t->right[i], t->n);
	return true;
}

static crm_status
solve_customers(trainer *t)
{
	const crm_basket_index *index = t->index;

	crm_als_gram(t->env, t->items, index->item_count, t->n, t->penalty, t->gram);
	memcpy(t->work, t->gram, sizeof(double) * t->n * t->n);
	if (!crm_als_factorize(t->work, t->n))
		return CRM_OUT_OF_RANGE;
	memcpy(t->solved, t->items, sizeof(double) * t->n * index->item_count);
	for (uint32_t i = 0; i < index->item_count; i++)
	{
		if (i % VECTORS_A_STEP == 0)
			crm_progress(t->env);
		crm_als_solve(t->work, t->solved + (size_t) i * t->n, t->n);
	}
	for (uint32_t u = 0; u < index->basket_count; u++)
	{
		size_t		first = index->starts[u];
		size_t		count = index->starts[u + 1] - first;
		double	   *x = t->customers + (size_t) u * t->n;

		crm_progress(t->env);
		if (!(count < t->n ? solve_few(t, first, (uint32_t) count, x) :
			  crm_als_fold_in(t->env, t->gram, t->items, t->n, t->options->alpha, index->entries + first,
							  index->weights == NULL ? NULL : index->weights + first, count, t->work, x)))
			return CRM_OUT_OF_RANGE;
	}
	return CRM_OK;
}

static crm_status
solve_items(trainer *t)
{
	crm_als_gram(t->env, t->customers, t->index->basket_count, t->n, t->penalty, t->gram);
	for (uint32_t i = 0; i < t->index->item_count; i++)
	{
		size_t		first = t->item_starts[i];

		crm_progress(t->env);
		if (!crm_als_fold_in(t->env, t->gram, t->customers, t->n, t->options->alpha, t->item_customers + first,
							 t->item_weights == NULL ? NULL : t->item_weights + first, t->item_starts[i + 1] - first, t->work,
							 t->items + (size_t) i * t->n))
			return CRM_OUT_OF_RANGE;
	}
	return CRM_OK;
}

/* What is minimized: squared errors over all customers and items, by confidence, and the regularization. */
static double
loss_of(trainer *t)
{
	const crm_basket_index *index = t->index;
	double		loss = 0;

	/* Errors as if nobody had anything, from the gram matrix of the items ... */
	crm_als_gram(t->env, t->items, index->item_count, t->n, t->penalty, t->gram);
	for (uint32_t u = 0; u < index->basket_count; u++)
	{
		const double *x = t->customers + (size_t) u * t->n;

		for (uint32_t i = 0; i < t->n; i++)
		{
			const double *row = t->gram + (size_t) i * t->n;

			loss += x[i] * (2 * crm_als_dot(row, x, i) + row[i] * x[i]);
		}
		/* ... and what those that he has change. */
		for (size_t e = index->starts[u]; e < index->starts[u + 1]; e++)
		{
			double		guess = crm_als_dot(x, t->items + (size_t) index->entries[e] * t->n, t->n);
			double		confidence = 1 + t->options->alpha * (index->weights == NULL ? 1 : index->weights[e]);

			loss += confidence * (1 - guess) * (1 - guess) - guess * guess;
		}
		if (u % VECTORS_A_STEP == 0)
			crm_progress(t->env);
	}
	for (size_t i = 0; i < (size_t) index->item_count * t->n; i++)
		loss += t->penalty * t->items[i] * t->items[i];
	return loss;
}

/*
 * The penalty is told in units of what it takes to silence chance.  Minimizing both
 * sides' squares shrinks the singular values of the confidences by the penalty, and
 * those of as many entries thrown in at random reach about the root of a row's mean
 * number of entries plus that of a column's, times the mean confidence of one.  So one
 * setting suits small data and large ones.
 */
static double
penalty_of(const trainer *t)
{
	const crm_basket_index *index = t->index;
	size_t		total = index->starts[index->basket_count];
	double		weight = 1;

	if (index->weights != NULL)
	{
		weight = 0;
		for (size_t i = 0; i < total; i++)
			weight += index->weights[i] / (double) total;
	}
	return t->options->regularization * (1 + t->options->alpha * weight) *
		(sqrt((double) total / index->basket_count) + sqrt((double) total / index->item_count));
}

crm_status
crm_als_fit(const crm_env *env, const crm_basket_index *index, const crm_als_options *options, size_t max_bytes, crm_model *m)
{
	trainer		t = {.env = env, .index = index, .options = options, .n = options->factors};
	size_t		a_vector = sizeof(double) * options->factors;
	size_t		entry_bytes = sizeof(uint32_t) + (index->weights == NULL ? 0 : sizeof(double));
	double		needed = (double) a_vector * (index->basket_count + 2.0 * index->item_count + 2.0 * options->factors) +
		(double) entry_bytes * (double) index->starts[index->basket_count] + 2.0 * sizeof(size_t) * index->item_count;
	double		loss;

	if (needed > (double) max_bytes)
		return CRM_LIMIT;
	CRM_TRY(crm_popularity_fit(env, index, m));
	m->kind = &crm_model_als;
	CRM_ALLOC(t.customers, env, a_vector * index->basket_count);
	CRM_ALLOC(t.items, env, a_vector * index->item_count);
	CRM_ALLOC(t.solved, env, a_vector * index->item_count);
	CRM_ALLOC(t.gram, env, a_vector * t.n);
	CRM_ALLOC(t.work, env, a_vector * t.n);
	CRM_ALLOC(t.right, env, a_vector);
	t.penalty = penalty_of(&t);
	CRM_TRY(turn_about(&t));
	first_vectors(&t);
	for (uint32_t i = 0; i < options->iterations; i++)
	{
		CRM_TRY(solve_customers(&t));
		CRM_TRY(solve_items(&t));
		crm_step(env, (uint64_t) i + 1);
	}
	loss = loss_of(&t);
	if (!isfinite(loss) || !isfinite(t.penalty))
		return CRM_OUT_OF_RANGE;
	crm_model_set_integer(m, CRM_ALS_FACTORS, options->factors);
	crm_model_set_number(m, CRM_ALS_REGULARIZATION, options->regularization);
	crm_model_set_number(m, CRM_ALS_PENALTY, t.penalty);
	crm_model_set_number(m, CRM_ALS_ALPHA, options->alpha);
	crm_model_set_integer(m, CRM_ALS_ITERATIONS, options->iterations);
	crm_model_set_integer(m, CRM_ALS_SEED, options->seed);
	crm_model_set_number(m, CRM_ALS_LOSS, loss);
	crm_model_set_numbers(m, CRM_ALS_VECTORS, t.items, index->item_count * t.n);
	env->release(env->arg, t.customers);
	env->release(env->arg, t.solved);
	env->release(env->arg, t.gram);
	env->release(env->arg, t.work);
	env->release(env->arg, t.right);
	env->release(env->arg, t.item_starts);
	env->release(env->arg, t.item_customers);
	env->release(env->arg, t.item_weights);
	return CRM_OK;
}
