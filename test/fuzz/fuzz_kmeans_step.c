/*
 * fuzz_kmeans_step.c - any bytes as a model of groups and as the sums of a step
 * over rows, as a state of kmeans_refine has them: refused, or a model that checks
 * and scores.
 *
 * The first two bytes are the size of the model, the sums are behind it.
 */
#include "fuzz.h"

#include "kernel/kmeans_step.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	fuzz_input	in = {data, size};
	size_t		model_size = fuzz_take(&in, 2);
	char		room[CRM_MODEL_PROBLEM];
	const char *problem;
	uint8_t    *bytes;
	crm_model	m,
				moved;

	if (model_size > in.left)
		return 0;
	bytes = unit_pool_alloc(&pool, model_size + 1);
	memcpy(bytes, in.data, model_size);
	in.data += model_size;
	in.left -= model_size;
	/* The fingerprint would stop nearly all inputs. */
	if (model_size >= CRM_MODEL_HEADER)
		crm_store64(bytes + CRM_MODEL_FINGERPRINT, crm_model_fingerprint(bytes, model_size));
	if (crm_model_read(&m, &env, bytes, model_size, room, &problem) == CRM_OK && crm_model_has_groups(&m))
	{
		uint32_t	groups = crm_model_groups(&m);
		size_t		numbers = crm_kmeans_step_count(groups, m.features);
		double	   *sums = unit_pool_alloc(&pool, sizeof(double) * numbers);
		double	   *x = unit_pool_alloc(&pool, sizeof(double) * (m.features + (size_t) 1));
		crm_scorer	scorer;
		crm_status	status;

		/* as many as there are, further ones 0; a model says how many within few bytes */
		for (size_t i = 0; i < numbers; i++)
			sums[i] = fuzz_number(&in);
		if (crm_kmeans_step_is_valid(sums, groups, m.features))
		{
			/* a row more, and all of it twice */
			REQUIRE(crm_scorer_open(&scorer, &m, &env) == CRM_OK);
			for (uint32_t j = 0; j < m.features; j++)
				x[j] = fuzz_finite(&in);
			if (m.kind == &crm_model_k_means)
			{
				crm_kmeans_step_add(sums, scorer.prepared, x, 1);
				crm_kmeans_step_merge(sums, sums, groups, m.features);
				status = crm_kmeans_step_finish(&env, sums, &m, &moved);
				REQUIRE(status == CRM_OK || status == CRM_OUT_OF_RANGE);
				if (status == CRM_OK)
				{
					REQUIRE(crm_model_check(&moved, &env, room, &problem) == CRM_OK);
					REQUIRE(crm_model_groups(&moved) == groups && moved.features == m.features);
					REQUIRE(crm_scorer_open(&scorer, &moved, &env) == CRM_OK);
					REQUIRE(crm_kmeans_score(scorer.prepared, x) < groups);
				}
			}
		}
	}
	unit_pool_free(&pool);
	return 0;
}
