/*
 * kmeans_fit.c - the aggregates kmeans_fit and kprototypes_fit.
 */
#include "segment/kmeans.h"

#include <math.h>

#include "common/progress.h"

CRM_FUNCTION(crm_kmeans_fit_transfn);
CRM_FUNCTION(crm_kmeans_fit_combinefn);
CRM_FUNCTION(crm_kmeans_fit_finalfn);
CRM_FUNCTION(crm_kprototypes_fit_transfn);
CRM_FUNCTION(crm_kprototypes_fit_combinefn);
CRM_FUNCTION(crm_kprototypes_fit_finalfn);

/* kmeans_fit_transfn(state, k int, features float8[] [, options jsonb] | [, weight float8, options jsonb]) */
Datum
crm_kmeans_fit_transfn(PG_FUNCTION_ARGS)
{
	return kmeans_transition(fcinfo, &kmeans_fit_use);
}

Datum
crm_kmeans_fit_combinefn(PG_FUNCTION_ARGS)
{
	return kmeans_combine(fcinfo, &kmeans_fit_use);
}

/* kprototypes_fit_transfn(state, k int, features float8[] [, weight float8], options jsonb) */
Datum
crm_kprototypes_fit_transfn(PG_FUNCTION_ARGS)
{
	return kmeans_transition(fcinfo, &kprototypes_fit_use);
}

Datum
crm_kprototypes_fit_combinefn(PG_FUNCTION_ARGS)
{
	return kmeans_combine(fcinfo, &kprototypes_fit_use);
}

/* What a careful user wants to hear at once. */
static void
warn(const kmeans_input *input, const crm_kmeans_result *result)
{
	const char *function = input->state->use->function;

	if (result->groups < input->wanted.groups)
		ereport(WARNING,
				(errmsg("%s made fewer groups than asked for: %u of %u", function, result->groups, input->wanted.groups),
				 errdetail("Different rows: %llu.", (unsigned long long) result->different),
				 errhint("Ask for fewer groups.")));
	if (!result->converged)
		ereport(WARNING,
				(errmsg("%s did not converge in %u iterations", function, result->iterations),
				 errhint("Raise \"max_iter\" or \"tolerance\".")));
}

static void
show_step(void *arg, uint32_t iteration)
{
	crm_progress_done(iteration);
}

static Datum
fit(FunctionCallInfo fcinfo, const kmeans_use *use)
{
	kmeans_input *input = kmeans_rows_of(fcinfo, use);
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_kmeans_result result;
	crm_status	status;
	uint32		features;
	int64	   *sizes;
	bool		weighted = false;
	crm_model	m;

	if (input == NULL)
		PG_RETURN_NULL();
	features = (uint32) scoring_rows_features(input->state);
	input->wanted.step = show_step;
	crm_progress_begin(use->rows.function, NULL);
	crm_progress_phase("moving centers", "iterations", input->wanted.iterations);
	status = crm_kmeans_fit(&input->columns, &input->wanted, &env, &result);
	crm_progress_end();
	kmeans_check(input, status, result.needed);
	sizes = palloc(sizeof(int64) * result.groups);
	for (uint32 c = 0; c < result.groups; c++)
	{
		sizes[c] = (int64) result.sizes[c];
		weighted = weighted || result.weights[c] != (double) result.sizes[c];
	}
	crm_model_begin(&m, use->prototypes ? &crm_model_k_prototypes : &crm_model_k_means, features);
	crm_model_set_numbers(&m, CRM_KMEANS_CENTERS, result.centers, result.groups * features);
	crm_model_set_integers(&m, CRM_KMEANS_SIZES, sizes, result.groups);
	crm_model_set_numbers(&m, CRM_KMEANS_WITHIN, result.within, result.groups);
	crm_model_set_numbers(&m, CRM_KMEANS_SCALES, result.scales, features);
	crm_model_set_numbers(&m, CRM_KMEANS_MEANS, result.means, features);
	crm_model_set_number(&m, CRM_KMEANS_INERTIA, result.inertia);
	crm_model_set_number(&m, CRM_KMEANS_TOTAL, result.total);
	crm_model_set_integer(&m, CRM_KMEANS_ROWS, (int64) result.rows);
	if (weighted)
		crm_model_set_numbers(&m, CRM_KMEANS_WEIGHTS, result.weights, result.groups);
	if (input->state->skipped > 0)
		crm_model_set_integer(&m, CRM_KMEANS_SKIPPED, (int64) input->state->skipped);
	if (kmeans_takes_missing(&input->options))
		crm_model_set_integer(&m, CRM_KMEANS_TAKES_MISSING, 1);
	if (input->level > 0)
		crm_model_set_number(&m, CRM_KMEANS_SAMPLED, ldexp(1, -(int) input->level));
	crm_model_set_integer(&m, CRM_KMEANS_ITERATIONS, result.iterations);
	crm_model_set_integer(&m, CRM_KMEANS_CONVERGED, result.converged);
	crm_model_set_integer(&m, CRM_KMEANS_STARTS, input->wanted.starts);
	crm_model_set_integer(&m, CRM_KMEANS_SEED, (int64) input->wanted.seed);
	crm_model_set_integer(&m, CRM_KMEANS_STANDARDIZED, input->wanted.standardize);
	if (use->prototypes)
	{
		bool	   *marks = palloc0(features);

		for (uint32 j = 0; input->wanted.categorical != NULL && j < features; j++)
			marks[j] = input->wanted.categorical[j];
		crm_model_set_integers(&m, CRM_KPROTOTYPES_CATEGORICAL, NULL, 0);
		scoring_set_places(&m, CRM_KPROTOTYPES_CATEGORICAL, marks, (int) features);
		crm_model_set_number(&m, CRM_KPROTOTYPES_GAMMA, result.gamma);
	}
	warn(input, &result);
	PG_RETURN_POINTER(scoring_model_value(&m, CurrentMemoryContext));
}

Datum
crm_kmeans_fit_finalfn(PG_FUNCTION_ARGS)
{
	return fit(fcinfo, &kmeans_fit_use);
}

Datum
crm_kprototypes_fit_finalfn(PG_FUNCTION_ARGS)
{
	return fit(fcinfo, &kprototypes_fit_use);
}
