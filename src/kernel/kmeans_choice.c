/*
 * kmeans_choice.c - how many groups: what each number of them leaves unexplained,
 * and three opinions of it.
 *
 * The silhouette of a row (Rousseeuw 1987, "Silhouettes") compares its mean
 * distance to the rows of its group with that to the rows of the next one.  The
 * gap (Tibshirani, Walther & Hastie 2001, "Estimating the number of clusters in a
 * data set via the gap statistic") compares what is left with what would be left of
 * as many rows that have no groups: drawn evenly from the box around the rows,
 * categories as often as they are.  The elbow is where the last group saved most,
 * compared with what one more would save.
 * Silhouette and gap are of a sample, evenly spread over the rows in order of their
 * hashes.
 */
#include "kernel/kmeans_private.h"

#include <math.h>

/* ---- silhouettes ------------------------------------------------------------- */

typedef struct sample_groups
{
	uint32_t	groups;
	uint32_t   *group;			/* of each row of the sample */
	double	   *weights;		/* of each group */
	double	   *sums;			/* of distances from the row at hand, by group */
	double		silhouette;		/* weighted sum */
} sample_groups;

static crm_status
group_sample(const kmeans_rows *sample, const crm_kmeans_space *space, const crm_env *env, sample_groups *g)
{
	double	   *distances = kmeans_alloc(env, space->padded, sizeof(double));

	g->groups = space->groups;
	g->silhouette = 0;
	g->group = kmeans_alloc(env, sample->count, sizeof(uint32_t));
	g->weights = kmeans_alloc(env, g->groups, sizeof(double));
	g->sums = kmeans_alloc(env, g->groups, sizeof(double));
	if (distances == NULL || g->group == NULL || g->weights == NULL || g->sums == NULL)
		return CRM_NO_MEMORY;
	for (uint32_t c = 0; c < g->groups; c++)
		g->weights[c] = 0;
	for (uint32_t i = 0; i < sample->count; i++)
	{
		crm_kmeans_distances(space, sample->x + (size_t) i * sample->features, sample->gaps, distances);
		g->group[i] = crm_kmeans_nearest(distances, g->groups);
		g->weights[g->group[i]] += sample->weights[i];
	}
	env->release(env->arg, distances);
	return CRM_OK;
}

/* The silhouette of row i from its distances to all rows of the sample. */
static double
silhouette_of(const kmeans_rows *sample, sample_groups *g, uint32_t i, const double *distances)
{
	uint32_t	own = g->group[i];
	double		others = g->weights[own] - sample->weights[i] / (double) sample->copies[i];
	double		inside;
	double		outside = INFINITY;

	/* alone in its group: 0, says Rousseeuw */
	if (g->weights[own] == sample->weights[i] && sample->copies[i] == 1)
		return 0;
	for (uint32_t c = 0; c < g->groups; c++)
		g->sums[c] = 0;
	for (uint32_t j = 0; j < sample->count; j++)
		g->sums[g->group[j]] += distances[j];
	inside = g->sums[own] / others;
	for (uint32_t c = 0; c < g->groups; c++)
		if (c != own && g->weights[c] > 0 && g->sums[c] / g->weights[c] < outside)
			outside = g->sums[c] / g->weights[c];
	if (isinf(outside) || (inside == 0 && outside == 0))
		return 0;
	return (outside - inside) / (inside > outside ? inside : outside);
}

/* Mean silhouettes of the sample for each number of groups; 0 groups are not there. */
static crm_status
measure_silhouettes(const kmeans_rows *sample, sample_groups *all, uint32_t count, const crm_env *env, crm_kmeans_choice *choices)
{
	crm_kmeans_space rows;
	double	   *distances;

	/* the rows of the sample as the centers that a row's distances are measured from */
	CRM_TRY(kmeans_space(&rows, sample, sample->count, env));
	distances = kmeans_alloc(env, rows.padded, sizeof(double));
	if (distances == NULL)
		return CRM_NO_MEMORY;
	for (uint32_t i = 0; i < sample->count; i++)
		kmeans_space_take(&rows, i, sample, sample->x + (size_t) i * sample->features);
	for (uint32_t i = 0; i < sample->count; i++)
	{
		crm_progress(env);
		crm_kmeans_distances(&rows, sample->x + (size_t) i * sample->features, sample->gaps, distances);
		for (uint32_t j = 0; j < sample->count; j++)
			distances[j] = sqrt(distances[j]) * sample->weights[j];
		for (uint32_t k = 1; k < count; k++)
			all[k].silhouette += sample->weights[i] * silhouette_of(sample, &all[k], i, distances);
	}
	for (uint32_t k = 1; k < count; k++)
		choices[k].silhouette = all[k].silhouette / sample->weight;
	env->release(env->arg, distances);
	env->release(env->arg, rows.centers);
	return CRM_OK;
}

/* ---- gaps ------------------------------------------------------------------------ */

/* As many rows without groups. */
static void
draw_reference(const kmeans_rows *sample, const double *least, const double *most, uint64_t *random, kmeans_rows *reference)
{
	for (uint32_t i = 0; i < sample->count; i++)
		for (uint32_t j = 0; j < sample->features; j++)
		{
			double	   *x = &reference->x[(size_t) i * sample->features + j];

			if (sample->category_count[j] > 0)
			{
				uint32_t	row = (uint32_t) (kmeans_random(random) * sample->count);

				*x = sample->x[(size_t) row * sample->features + j];
				if (isnan(*x))
					*x = sample->means[j];
			}
			else
				*x = least[j] + kmeans_random(random) * (most[j] - least[j]);
		}
}

static void
find_box(const kmeans_rows *sample, double *least, double *most)
{
	for (uint32_t j = 0; j < sample->features; j++)
	{
		bool		first = true;

		least[j] = most[j] = sample->means[j];
		for (uint32_t i = 0; i < sample->count; i++)
		{
			double		x = sample->x[(size_t) i * sample->features + j];

			if (isnan(x))
				continue;
			if (first || x < least[j])
				least[j] = x;
			if (first || x > most[j])
				most[j] = x;
			first = false;
		}
	}
}

/* The logarithm of what is left of rows by so many groups, for a row. */
static crm_status
log_left(const kmeans_rows *rows, const crm_kmeans_options *options, const crm_env *env, double *result)
{
	kmeans_run	run = {0};

	CRM_TRY(kmeans_solve(rows, options, env, &run));
	*result = log(run.inertia / rows->weight);
	env->release(env->arg, run.space.centers);
	return CRM_OK;
}

static crm_status
measure_gaps(const kmeans_rows *sample, const crm_kmeans_options *options, uint32_t references, uint32_t count, const crm_env *env,
			 crm_kmeans_choice *choices)
{
	kmeans_rows reference = *sample;
	double	   *box = kmeans_alloc(env, (size_t) sample->features * 2, sizeof(double));
	double	   *left = kmeans_alloc(env, (size_t) references * count, sizeof(double));
	crm_kmeans_options once = *options;
	uint64_t	random = kmeans_mix(options->seed + 1);

	reference.x = kmeans_alloc(env, (size_t) sample->count * sample->features, sizeof(double));
	reference.weights = kmeans_alloc(env, sample->count, sizeof(double));
	if (box == NULL || left == NULL || reference.x == NULL || reference.weights == NULL)
		return CRM_NO_MEMORY;
	for (uint32_t i = 0; i < sample->count; i++)
		reference.weights[i] = 1;
	reference.weight = sample->count;
	reference.gaps = false;
	find_box(sample, box, box + sample->features);
	once.step = NULL;
	once.starts = 4;
	for (uint32_t r = 0; r < references; r++)
	{
		draw_reference(sample, box, box + sample->features, &random, &reference);
		for (uint32_t k = 0; k < count; k++)
		{
			once.groups = k + 1;
			CRM_TRY(log_left(&reference, &once, env, &left[(size_t) r * count + k]));
		}
	}
	once.starts = options->starts;
	for (uint32_t k = 0; k < count; k++)
	{
		double		own;
		double		mean = 0;
		double		squares = 0;

		once.groups = k + 1;
		CRM_TRY(log_left(sample, &once, env, &own));
		for (uint32_t r = 0; r < references; r++)
			mean += left[(size_t) r * count + k] / references;
		for (uint32_t r = 0; r < references; r++)
			squares += (left[(size_t) r * count + k] - mean) * (left[(size_t) r * count + k] - mean);
		if (!isfinite(mean - own) || !isfinite(squares))
			continue;
		choices[k].gap = mean - own;
		choices[k].gap_error = sqrt(squares / references) * sqrt(1 + 1.0 / references);
	}
	env->release(env->arg, box);
	env->release(env->arg, left);
	env->release(env->arg, reference.x);
	env->release(env->arg, reference.weights);
	return CRM_OK;
}

/* ---- opinions ------------------------------------------------------------------------ */

static void
mark_choices(crm_kmeans_choice *choices, uint32_t count)
{
	uint32_t	best = 0;
	uint32_t	elbow = 0;
	double		sharpest = 1;

	for (uint32_t k = 1; k < count; k++)
		if (best == 0 || choices[k].silhouette > choices[best].silhouette)
			best = k;
	if (best > 0)
		choices[best].best_silhouette = true;
	for (uint32_t k = 1; k + 1 < count; k++)
	{
		double		least = 1e-9 * choices[0].inertia;
		double		saved = choices[k - 1].inertia - choices[k].inertia;
		double		more = choices[k].inertia - choices[k + 1].inertia;

		/* next to nothing is told from nothing by rounding only */
		if (saved > least && saved / (more > least ? more : least) > sharpest)
		{
			sharpest = saved / (more > least ? more : least);
			elbow = k;
		}
	}
	if (elbow > 0)
		choices[elbow].elbow = true;
	/* the first that is not told from the next one by more than its error */
	for (uint32_t k = 0; k + 1 < count; k++)
		if (!isnan(choices[k].gap) && !isnan(choices[k + 1].gap) && choices[k].gap >= choices[k + 1].gap - choices[k + 1].gap_error)
		{
			choices[k].gap_choice = true;
			break;
		}
}

crm_status
crm_kmeans_choose(const crm_columns *columns, const crm_kmeans_options *options, const crm_kmeans_choice_options *wanted, const crm_env *env,
				  crm_kmeans_choice *choices, uint32_t *count, size_t *needed)
{
	kmeans_rows rows;
	kmeans_rows sample;
	sample_groups *all;
	crm_kmeans_options of_k = *options;

	*count = 0;
	CRM_TRY(kmeans_rows_load(&rows, columns, options, env, needed));
	CRM_TRY(kmeans_rows_sample(&rows, wanted->sample, env, &sample));
	all = kmeans_alloc(env, options->groups, sizeof(sample_groups));
	if (all == NULL)
		return CRM_NO_MEMORY;
	for (uint32_t k = 0; k < options->groups; k++)
	{
		kmeans_run	run = {0};

		of_k.groups = k + 1;
		CRM_TRY(kmeans_solve(&rows, &of_k, env, &run));
		if (run.space.groups < k + 1)
		{
			env->release(env->arg, run.space.centers);
			break;
		}
		choices[k] = (crm_kmeans_choice) {
			.groups = k + 1, .inertia = run.inertia, .explained = rows.total > 0 ? fmax(1 - run.inertia / rows.total, 0) : NAN,
			.silhouette = NAN, .gap = NAN, .gap_error = NAN
		};
		CRM_TRY(group_sample(&sample, &run.space, env, &all[k]));
		env->release(env->arg, run.space.centers);
		++*count;
		crm_step(env, k + 1);
	}
	CRM_TRY(measure_silhouettes(&sample, all, *count, env, choices));
	if (wanted->references > 0)
		CRM_TRY(measure_gaps(&sample, &of_k, wanted->references, *count, env, choices));
	mark_choices(choices, *count);
	for (uint32_t k = 0; k < *count; k++)
	{
		env->release(env->arg, all[k].group);
		env->release(env->arg, all[k].weights);
		env->release(env->arg, all[k].sums);
	}
	env->release(env->arg, all);
	kmeans_rows_free(&sample, env);
	kmeans_rows_free(&rows, env);
	return CRM_OK;
}
