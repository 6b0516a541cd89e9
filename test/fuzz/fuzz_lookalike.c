/*
 * fuzz_lookalike.c - any bytes as counts for a model of similarity: refused, or
 * good for a model whose scores lie between 0 and 1, and the same again by way
 * of bytes.
 */
#include "fuzz.h"

#include "kernel/lookalike.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unit_pool	pool = {0};
	crm_env		env = unit_pool_env(&pool);
	crm_lookalike *counts = NULL;
	crm_lookalike *again = NULL;
	crm_lookalike_model model;
	crm_lookalike_model copy;
	uint32_t	feature;
	bool		found;

	if (crm_lookalike_read(&env, data, size, &counts, &feature) == CRM_OK)
	{
		crm_feature_value values[CRM_LOOKALIKE_MAX_FEATURES] = {{0}};
		size_t		bytes = crm_lookalike_size(counts);
		uint8_t    *out = unit_pool_alloc(&pool, bytes);

		crm_lookalike_write(counts, out);
		REQUIRE(crm_lookalike_read(&env, out, bytes, &again, &feature) == CRM_OK);
		REQUIRE(crm_lookalike_finish(counts, &model, &found) == CRM_OK);
		if (found)
		{
			double		score;

			REQUIRE(crm_lookalike_finish(again, &copy, &found) == CRM_OK && found);
			for (uint32_t i = 0; i < model.count; i++)
				if (model.features[i].kind == CRM_FEATURE_TEXT)
					values[i] = (crm_feature_value) {false, 0, "a", 1};
			score = crm_lookalike_score(&model, values);
			REQUIRE(score >= 0 && score <= 1 && score == crm_lookalike_score(&copy, values));
			REQUIRE(!model.validated || (model.auc >= 0 && model.auc <= 1 && model.auc == copy.auc));
		}
	}
	unit_pool_free(&pool);
	return 0;
}
