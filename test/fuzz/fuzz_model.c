/*
 * fuzz_model.c - any bytes as a model: refused, or read, written again to the
 * same bytes, and safe to score by.
 */
#include "fuzz.h"

#include "kernel/model.h"
#include "kernel/recommend.h"

/* Scores and explains a row; the parts must be those of the score. */
static void
use(const crm_model *m, const crm_env *env, double value)
{
	crm_scorer	scorer;
	double	   *x = env->alloc(env->arg, sizeof(double) * ((size_t) m->features + 1));
	double	   *parts = env->alloc(env->arg, sizeof(double) * ((size_t) m->features + 1));

	REQUIRE(crm_scorer_open(&scorer, m, env) == CRM_OK);
	for (uint32_t j = 0; j < m->features; j++)
		x[j] = scorer.takes_missing && j % 3 == 2 ? NAN : value;
	if (m->kind->predict != NULL)
		(void) crm_score(&scorer, x);
	if (m->kind->explain != NULL)
		REQUIRE(m->kind->explain(scorer.prepared, env, x, parts) == CRM_OK);
	if (crm_model_recommends(m))
	{
		uint32_t	items = crm_recommend_item_count(scorer.prepared);
		uint32_t	owned[3] = {0, items / 2, CRM_RECOMMEND_UNKNOWN};
		crm_recommendation *list;
		uint32_t	count;
		crm_status	status = crm_recommend(scorer.prepared, env, owned, items > 0 ? 3 : 0, &items, 0, 10, &list, &count);

		REQUIRE(status == CRM_OK || status == CRM_OUT_OF_RANGE);
		REQUIRE(count <= 10 && count <= items);
		for (uint32_t i = 0; i < count; i++)
			REQUIRE(list[i].item < items && list[i].item != 0 && list[i].item != items / 2 && list[i].reasons <= CRM_RECOMMEND_REASONS);
	}
	if (m->kind->derive != NULL)
	{
		crm_model_value derived[CRM_MODEL_MAX_FIELDS] = {{0}};

		REQUIRE(m->kind->derive(m, env, derived) == CRM_OK);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	uint8_t    *bytes = malloc(size + 1);
	char		room[CRM_MODEL_PROBLEM];
	const char *problem;
	crm_model	m;
	crm_status	status;

	/* The fingerprint would stop nearly all inputs. */
	memcpy(bytes, data, size);
	if (size >= CRM_MODEL_HEADER)
		crm_store64(bytes + CRM_MODEL_FINGERPRINT, crm_model_fingerprint(bytes, size));
	status = crm_model_read(&m, &env, bytes, size, room, &problem);
	REQUIRE(status == CRM_OK || status == CRM_CORRUPT);
	if (status == CRM_CORRUPT)
		REQUIRE(problem != NULL);
	else
	{
		uint8_t    *copy = malloc(size);

		REQUIRE(crm_model_size(&m) == size);
		crm_model_write(&m, copy);
		REQUIRE(memcmp(copy, bytes, size) == 0);
		free(copy);
		use(&m, &env, 0);
		use(&m, &env, -1e300);
		use(&m, &env, 2.5);
	}
	unit_pool_free(&pool);
	free(bytes);
	return 0;
}
