/*
 * kmeans_fit.c - seeds, starts, and the result.
 *
 * Seeds are those of k-means++ (Arthur & Vassilvitskii 2007, "k-means++: the
 * advantages of careful seeding").  Of many rows the starts see an even part, and
 * the best of them goes on with all: which valley is the deepest, some thousand
 * rows tell as well.
 */
#include "kernel/kmeans_private.h"

#include <math.h>

/* Times that groups are put in order of their weights. */
#define ORDERINGS 5

/* ---- seeds ------------------------------------------------------------------------------ */

/* A row, by chance in proportion to those numbers, which sum up to total. */
static uint32_t
draw(const double *numbers, uint32_t count, double total, uint64_t *random)
{
	double		target = kmeans_random(random) * total;
	double		sum = 0;
	uint32_t	last = 0;

	for (uint32_t i = 0; i < count; i++)
		if (numbers[i] > 0)
		{
			sum += numbers[i];
			last = i;
			if (sum > target)
				break;
		}
	return last;
}

/*
 * Centers of k-means++ into l->space: rows drawn by their squared distance from the
 * centers before; if it shall be careful, the best of a few of them.  How many
 * there are: fewer than k where there are fewer different rows.
 */
static crm_status
seed(kmeans_lloyd *l, bool careful, uint64_t *random, uint32_t *found)
{
	const kmeans_rows *rows = l->rows;
	const crm_env *env = l->env;
	uint32_t	trials = careful ? 2 + (uint32_t) log((double) l->k) : 1;
	uint32_t	stride = kmeans_stride((size_t) l->d * CRM_KMEANS_LANES);
	crm_kmeans_space candidates;
	double	   *nearest = kmeans_alloc(env, rows->count, sizeof(double));	/* squared distance from the centers, weighted */
	double	   *distances;
	double	   *potential;
	uint32_t	chosen;
	double		total = 0;

	CRM_TRY(kmeans_space(&candidates, rows, trials, env));
	distances = kmeans_alloc(env, candidates.padded, sizeof(double));
	potential = kmeans_alloc(env, candidates.padded, sizeof(double));
	if (nearest == NULL || distances == NULL || potential == NULL)
		return CRM_NO_MEMORY;
	chosen = draw(rows->weights, rows->count, rows->weight, random);
	for (uint32_t i = 0; i < rows->count; i++)
		nearest[i] = INFINITY;
	for (*found = 0; *found < l->k; ++*found)
	{
		uint32_t	rows_drawn[64] = {0};
		uint32_t	best = 0;

		kmeans_space_take(&l->space, *found, rows, rows->x + (size_t) chosen * l->d);
		if (*found > 0 && total == 0)
			break;
		if (*found + 1 == l->k)
			continue;
		/* one center in the first lane */
		kmeans_space_take(&candidates, 0, rows, rows->x + (size_t) chosen * l->d);
		total = 0;
		for (uint32_t i = 0; i < rows->count; i++)
		{
			if (i % stride == 0)
				crm_progress(env);
			crm_kmeans_distances(&candidates, rows->x + (size_t) i * l->d, rows->gaps, distances);
			if (rows->weights[i] * distances[0] < nearest[i])
				nearest[i] = rows->weights[i] * distances[0];
			total += nearest[i];
		}
		if (total == 0)
		{
			++*found;
			break;
		}
		for (uint32_t t = 0; t < trials; t++)
		{
			rows_drawn[t] = draw(nearest, rows->count, total, random);
			kmeans_space_take(&candidates, t, rows, rows->x + (size_t) rows_drawn[t] * l->d);
			potential[t] = 0;
		}
		for (uint32_t i = 0; i < rows->count && trials > 1; i++)
		{
			if (i % stride == 0)
				crm_progress(env);
			crm_kmeans_distances(&candidates, rows->x + (size_t) i * l->d, rows->gaps, distances);
			for (uint32_t t = 0; t < trials; t++)
			{
				double		distance = rows->weights[i] * distances[t];

				potential[t] += distance < nearest[i] ? distance : nearest[i];
			}
		}
		for (uint32_t t = 1; t < trials; t++)
			if (potential[t] < potential[best])
				best = t;
		chosen = rows_drawn[best];
	}
	env->release(env->arg, nearest);
	env->release(env->arg, distances);
	env->release(env->arg, potential);
	env->release(env->arg, candidates.centers);
	return CRM_OK;
}

/* ---- starts -------------------------------------------------------------------------------- */

/* Makes the centers at hand those of so many groups. */
static crm_status
shrink(kmeans_lloyd *l, uint32_t k)
{
	crm_kmeans_space fewer;

	if (k == l->k)
		return CRM_OK;
	CRM_TRY(kmeans_space(&fewer, l->rows, k, l->env));
	for (uint32_t c = 0; c < k; c++)
		for (uint32_t j = 0; j < l->d; j++)
			crm_kmeans_space_set(&fewer, c, j, crm_kmeans_space_get(&l->space, c, j));
	l->env->release(l->env->arg, l->space.centers);
	l->space = fewer;
	l->k = k;
	return CRM_OK;
}

static crm_status
try_start(const kmeans_rows *rows, const crm_kmeans_options *options, uint64_t start, bool last, const crm_env *env, kmeans_run *run)
{
	kmeans_lloyd l;
	uint64_t	random = kmeans_mix(options->seed ^ kmeans_mix(start + 1));
	uint32_t	found;

	CRM_TRY(kmeans_lloyd_open(&l, rows, options->groups, env));
	/* the best of a few is better on average, a single one is less often the same again */
	CRM_TRY(seed(&l, start % 2 == 0, &random, &found));
	CRM_TRY(shrink(&l, found));
	kmeans_iterate(&l, options, last, run);
	run->space = l.space;
	if (run->groups != NULL)
		memcpy(run->groups, l.group, sizeof(uint32_t) * rows->count);
	kmeans_lloyd_close(&l);
	return CRM_OK;
}

/* The best of all starts; equally good ones differ in nothing that matters, and the first counts. */
static crm_status
best_start(const kmeans_rows *rows, const crm_kmeans_options *options, bool last, const crm_env *env, kmeans_run *best)
{
	kmeans_run	run = {0};

	if (best->groups != NULL)
	{
		run.groups = kmeans_alloc(env, rows->count, sizeof(uint32_t));
		if (run.groups == NULL)
			return CRM_NO_MEMORY;
	}
	for (uint32_t start = 0; start < options->starts; start++)
	{
		CRM_TRY(try_start(rows, options, start, last, env, &run));
		if (start == 0 || run.inertia < best->inertia)
		{
			kmeans_run	kept = *best;

			*best = run;
			run.groups = kept.groups;
			run.space = kept.space;
		}
		if (run.space.centers != NULL)
			env->release(env->arg, run.space.centers);
		run.space.centers = NULL;
	}
	return CRM_OK;
}

/* From given centers, with all rows. */
static crm_status
carry_on(const kmeans_rows *rows, const crm_kmeans_options *options, const crm_env *env, kmeans_run *run)
{
	kmeans_lloyd l;
	crm_kmeans_space from = run->space;

	CRM_TRY(kmeans_lloyd_open(&l, rows, from.groups, env));
	memcpy(l.space.centers, from.centers, sizeof(double) * from.padded * from.features);
	env->release(env->arg, from.centers);
	kmeans_iterate(&l, options, true, run);
	run->space = l.space;
	if (run->groups != NULL)
		memcpy(run->groups, l.group, sizeof(uint32_t) * rows->count);
	kmeans_lloyd_close(&l);
	return CRM_OK;
}

crm_status
kmeans_solve(const kmeans_rows *rows, const crm_kmeans_options *options, const crm_env *env, kmeans_run *run)
{
	kmeans_rows sample;
	uint32_t   *groups = run->groups;
	bool		unmeasured = run->unmeasured;

	memset(run, 0, sizeof(*run));
	run->groups = groups;
	if (rows->count <= KMEANS_START_ROWS || rows->count < 4 * options->groups)
		return best_start(rows, options, true, env, run);
	CRM_TRY(kmeans_rows_sample(rows, KMEANS_START_ROWS < 4 * options->groups ? 4 * options->groups : KMEANS_START_ROWS, env, &sample));
	run->groups = NULL;
	CRM_TRY(best_start(&sample, options, false, env, run));
	kmeans_rows_free(&sample, env);
	run->groups = groups;
	run->unmeasured = unmeasured;
	return carry_on(rows, options, env, run);
}

/* ---- the result ------------------------------------------------------------------------------- */

/* Which group comes before: the heavier one, then the one with the smaller center. */
static bool
comes_before(const double *weights, const crm_kmeans_space *space, uint32_t a, uint32_t b)
{
	if (weights[a] != weights[b])
		return weights[a] > weights[b];
	for (uint32_t j = 0; j < space->features; j++)
	{
		double		x = crm_kmeans_space_get(space, a, j);
		double		y = crm_kmeans_space_get(space, b, j);

		if (x != y)
			return x < y;
	}
	return a < b;
}

/* Orders the groups; whether that changed anything. */
static crm_status
order_groups(const kmeans_rows *rows, const double *weights, crm_kmeans_space *space, const crm_env *env, bool *changed)
{
	uint32_t	k = space->groups;
	uint32_t   *order = kmeans_alloc(env, k, sizeof(uint32_t));
	crm_kmeans_space ordered;

	if (order == NULL)
		return CRM_NO_MEMORY;
	CRM_TRY(kmeans_space(&ordered, rows, k, env));
	*changed = false;
	for (uint32_t c = 0; c < k; c++)
	{
		uint32_t	place = c;

		for (; place > 0 && comes_before(weights, space, c, order[place - 1]); place--)
			order[place] = order[place - 1];
		order[place] = c;
		*changed = *changed || place != c;
	}
	for (uint32_t c = 0; c < k; c++)
		for (uint32_t j = 0; j < space->features; j++)
			crm_kmeans_space_set(&ordered, c, j, crm_kmeans_space_get(space, order[c], j));
	env->release(env->arg, space->centers);
	env->release(env->arg, order);
	*space = ordered;
	return CRM_OK;
}

/* What the groups hold, by the very distances that scoring computes. */
static crm_status
measure_groups(const kmeans_rows *rows, const crm_kmeans_space *space, const crm_env *env, crm_kmeans_result *result)
{
	uint32_t	k = space->groups;
	uint32_t	stride = kmeans_stride((size_t) space->padded * space->features);
	double	   *distances = kmeans_alloc(env, space->padded, sizeof(double));

	if (distances == NULL)
		return CRM_NO_MEMORY;
	result->rows = 0;
	result->inertia = 0;
	for (uint32_t c = 0; c < k; c++)
	{
		result->sizes[c] = 0;
		result->weights[c] = result->within[c] = 0;
	}
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t	c;

		if (i % stride == 0)
			crm_progress(env);
		crm_kmeans_distances(space, rows->x + (size_t) i * rows->features, rows->gaps, distances);
		c = crm_kmeans_nearest(distances, k);
		result->sizes[c] += rows->copies[i];
		result->rows += rows->copies[i];
		result->weights[c] += rows->weights[i];
		result->within[c] += rows->weights[i] * distances[c];
	}
	for (uint32_t c = 0; c < k; c++)
		result->inertia += result->within[c];
	env->release(env->arg, distances);
	return CRM_OK;
}

/* The number of a category as the value it stands for. */
static double
original(const kmeans_rows *rows, uint32_t j, double number)
{
	return rows->category_count[j] > 0 ? rows->category_values[j][(uint32_t) number] : number;
}

crm_status
crm_kmeans_fit(const crm_columns *columns, const crm_kmeans_options *options, const crm_env *env, crm_kmeans_result *result)
{
	kmeans_rows rows;
	kmeans_run	run = {.unmeasured = true};
	size_t		run_bytes;
	bool		unordered = true;

	memset(result, 0, sizeof(*result));
	CRM_TRY(kmeans_rows_load(&rows, columns, options, env, &result->needed));
	/* rows in order, what a step knows of each, and what it knows of groups */
	run_bytes = rows.count * (sizeof(double) * ((size_t) rows.features + 4) + 2 * sizeof(uint32_t)) +
		2 * sizeof(double) * options->groups * (rows.features * 3 + (size_t) rows.category_total);
	result->needed = columns->bytes + run_bytes;
	if (result->needed > columns->max_bytes)
		return CRM_LIMIT;
	CRM_TRY(kmeans_solve(&rows, options, env, &run));
	result->groups = run.space.groups;
	result->sizes = kmeans_alloc(env, result->groups, sizeof(uint64_t));
	result->weights = kmeans_alloc(env, result->groups, sizeof(double));
	result->within = kmeans_alloc(env, result->groups, sizeof(double));
	if (result->sizes == NULL || result->weights == NULL || result->within == NULL)
		return CRM_NO_MEMORY;
	/* rows as near to two centers are in the first one: a new order may send them elsewhere, and ask for another */
	for (int times = 0; unordered && times < ORDERINGS; times++)
	{
		CRM_TRY(measure_groups(&rows, &run.space, env, result));
		CRM_TRY(order_groups(&rows, result->weights, &run.space, env, &unordered));
	}
	if (unordered)
		CRM_TRY(measure_groups(&rows, &run.space, env, result));
	result->gamma = rows.gamma;
	result->total = rows.total;
	result->weight = rows.weight;
	result->different = rows.count;
	result->iterations = run.iterations;
	result->converged = run.converged;
	result->scales = rows.scales;
	result->means = kmeans_alloc(env, rows.features, sizeof(double));
	result->centers = kmeans_alloc(env, (size_t) result->groups * rows.features, sizeof(double));
	if (result->means == NULL || result->centers == NULL)
		return CRM_NO_MEMORY;
	for (uint32_t j = 0; j < rows.features; j++)
	{
		result->means[j] = original(&rows, j, rows.means[j]);
		for (uint32_t c = 0; c < result->groups; c++)
			result->centers[(size_t) c * rows.features + j] = original(&rows, j, crm_kmeans_space_get(&run.space, c, j));
	}
	env->release(env->arg, run.space.centers);
	kmeans_rows_free(&rows, env);
	return CRM_OK;
}
