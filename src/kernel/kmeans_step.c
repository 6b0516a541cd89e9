/*
 * kmeans_step.c - a step of Lloyd's from sums.
 */
#include "kernel/kmeans_step.h"

#include <math.h>

#include "kernel/twofold.h"

#define OF_GROUP(features) (3 + 3 * (size_t) (features))
#define ROWS 0
#define WITHIN 1
#define FEATURES 3
/* Centers that move less, squared, than this share of the inertia for a row rest. */
#define AT_REST 1e-12

static void
add_to(double *sum, crm_twofold more)
{
	crm_twofold result = crm_twofold_add((crm_twofold) {sum[0], sum[1]}, more);

	sum[0] = result.high;
	sum[1] = result.low;
}

void
crm_kmeans_step_add(double *sums, const crm_kmeans_scorer *scorer, const double *x, double weight)
{
	uint32_t	features = scorer->space.features;
	uint32_t	c = crm_kmeans_score(scorer, x);
	double	   *group = sums + c * OF_GROUP(features);

	group[ROWS]++;
	add_to(group + WITHIN, crm_twofold_of(weight * scorer->distances[c]));
	for (uint32_t j = 0; j < features; j++)
		if (!isnan(x[j]))
		{
			group[FEATURES + 3 * j] += weight;
			add_to(group + FEATURES + 3 * j + 1, crm_twofold_of(weight * (x[j] - crm_kmeans_space_get(&scorer->space, c, j))));
		}
}

void
crm_kmeans_step_merge(double *sums, const double *more, uint32_t groups, uint32_t features)
{
	for (uint32_t c = 0; c < groups; c++, sums += OF_GROUP(features), more += OF_GROUP(features))
	{
		sums[ROWS] += more[ROWS];
		add_to(sums + WITHIN, (crm_twofold) {more[WITHIN], more[WITHIN + 1]});
		for (uint32_t j = 0; j < features; j++)
		{
			sums[FEATURES + 3 * j] += more[FEATURES + 3 * j];
			add_to(sums + FEATURES + 3 * j + 1, (crm_twofold) {more[FEATURES + 3 * j + 1], more[FEATURES + 3 * j + 2]});
		}
	}
}

bool
crm_kmeans_step_is_valid(const double *sums, uint32_t groups, uint32_t features)
{
	for (uint32_t c = 0; c < groups; c++, sums += OF_GROUP(features))
	{
		if (!(sums[ROWS] >= 0 && sums[ROWS] <= 0x1p53 && sums[ROWS] == floor(sums[ROWS])) || isnan(sums[WITHIN]) || isnan(sums[WITHIN + 1]))
			return false;
		for (uint32_t j = 0; j < features; j++)
			if (!(sums[FEATURES + 3 * j] >= 0) || isnan(sums[FEATURES + 3 * j + 1]) || isnan(sums[FEATURES + 3 * j + 2]))
				return false;
	}
	return true;
}

/* Memory of the result, all of it at once. */
typedef struct step_result
{
	double	   *centers;
	double	   *within;
	double	   *weights;
	double	   *means;
	int64_t    *sizes;
} step_result;

static crm_status
allocate(const crm_env *env, uint32_t groups, uint32_t features, step_result *r)
{
	r->centers = env->alloc(env->arg, sizeof(double) * groups * features);
	r->within = env->alloc(env->arg, sizeof(double) * groups);
	r->weights = env->alloc(env->arg, sizeof(double) * groups);
	r->means = env->alloc(env->arg, sizeof(double) * features);
	r->sizes = env->alloc(env->arg, sizeof(int64_t) * groups);
	return r->centers == NULL || r->within == NULL || r->weights == NULL || r->means == NULL || r->sizes == NULL ? CRM_NO_MEMORY : CRM_OK;
}

crm_status
crm_kmeans_step_finish(const crm_env *env, const double *sums, const crm_model *m, crm_model *result)
{
	uint32_t	groups = crm_model_groups(m);
	uint32_t	d = m->features;
	const double *before = crm_model_get(m, CRM_KMEANS_CENTERS)->numbers;
	const double *scales = crm_model_get(m, CRM_KMEANS_SCALES)->numbers;
	int64_t		iterations = crm_model_get(m, CRM_KMEANS_ITERATIONS)->integer;
	step_result r;
	double		inertia = 0;
	double		total = 0;
	double		moved = 0;
	double		rows = 0;
	bool		weighted = false;

	CRM_TRY(allocate(env, groups, d, &r));
	for (uint32_t c = 0; c < groups; c++)
	{
		const double *group = sums + c * OF_GROUP(d);
		crm_twofold within = {group[WITHIN], group[WITHIN + 1]};

		r.weights[c] = 0;
		for (uint32_t j = 0; j < d; j++)
		{
			double		weight = group[FEATURES + 3 * j];
			double		shift = weight > 0 ? (group[FEATURES + 3 * j + 1] + group[FEATURES + 3 * j + 2]) / weight : 0;

			r.centers[(size_t) c * d + j] = before[(size_t) c * d + j] + shift;
			/* about its mean a sum of squares is least */
			within = crm_twofold_subtract(within, crm_twofold_of(weight * (shift * scales[j]) * (shift * scales[j])));
			moved += weight * (shift * scales[j]) * (shift * scales[j]);
			if (weight > r.weights[c])
				r.weights[c] = weight;
		}
		r.within[c] = fmax(crm_twofold_round(within), 0);
		r.sizes[c] = (int64_t) group[ROWS];
		weighted = weighted || r.weights[c] != group[ROWS];
		inertia += r.within[c];
		rows += group[ROWS];
	}
	total = inertia;
	for (uint32_t j = 0; j < d; j++)
	{
		double		weight = 0;

		r.means[j] = 0;
		for (uint32_t c = 0; c < groups; c++)
		{
			double		of_group = sums[c * OF_GROUP(d) + FEATURES + 3 * j];

			weight += of_group;
			r.means[j] += weight > 0 ? of_group / weight * (r.centers[(size_t) c * d + j] - r.means[j]) : 0;
		}
		for (uint32_t c = 0; c < groups; c++)
		{
			double		apart = (r.centers[(size_t) c * d + j] - r.means[j]) * scales[j];

			total += sums[c * OF_GROUP(d) + FEATURES + 3 * j] * apart * apart;
		}
	}
	if (!isfinite(total) || rows > 0x1p53)
		return CRM_OUT_OF_RANGE;
	*result = *m;
	crm_model_set_numbers(result, CRM_KMEANS_CENTERS, r.centers, groups * d);
	crm_model_set_numbers(result, CRM_KMEANS_WITHIN, r.within, groups);
	crm_model_set_numbers(result, CRM_KMEANS_MEANS, r.means, d);
	crm_model_set_integers(result, CRM_KMEANS_SIZES, r.sizes, groups);
	crm_model_put(result, CRM_KMEANS_WEIGHTS)->present = weighted;
	if (weighted)
		crm_model_set_numbers(result, CRM_KMEANS_WEIGHTS, r.weights, groups);
	crm_model_put(result, CRM_KMEANS_SAMPLED)->present = false;
	crm_model_put(result, CRM_KMEANS_SKIPPED)->present = false;
	crm_model_set_number(result, CRM_KMEANS_INERTIA, inertia);
	crm_model_set_number(result, CRM_KMEANS_TOTAL, total);
	crm_model_set_integer(result, CRM_KMEANS_ROWS, (int64_t) rows);
	crm_model_set_integer(result, CRM_KMEANS_ITERATIONS, iterations < INT64_MAX ? iterations + 1 : iterations);
	crm_model_set_integer(result, CRM_KMEANS_CONVERGED, moved <= AT_REST * inertia);
	return CRM_OK;
}
