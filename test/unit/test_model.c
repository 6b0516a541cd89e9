/*
 * test_model.c - models of any kind: written and read, refused when a byte is
 * wrong; scores and parts of linear ones against their formula.
 */
#include "unit.h"

#include <math.h>

#include "kernel/model.h"
#include "kernel/model_linear.h"

static const double coefficients[3] = {2, -0.5, 0.125};
static const double means[3] = {1, 10, -4};
static const int64_t constant[1] = {3};
static const crm_model_text names[3] = {{"age", 3}, {"\xE5\xB9\xB4", 3}, {"", 0}};

static void
fill(crm_model *m, const crm_model_kind *kind)
{
	crm_model_begin(m, kind, 3);
	m->values[CRM_MODEL_FEATURE_NAMES] = (crm_model_value) {.present = true, .count = 3, .texts = names};
	crm_model_set_number(m, CRM_LINEAR_INTERCEPT, 0.25);
	crm_model_set_numbers(m, CRM_LINEAR_COEFFICIENTS, coefficients, 3);
	crm_model_set_numbers(m, CRM_LINEAR_MEANS, means, 3);
	crm_model_set_integer(m, CRM_LINEAR_ROWS, 1000);
	crm_model_set_integers(m, CRM_LINEAR_CONSTANT, constant, 1);
	if (kind == &crm_model_logistic)
		crm_model_set_text(m, CRM_LOGISTIC_SEPARATION, "none");
}

static uint8_t *
written(const crm_model *m, size_t *size)
{
	uint8_t    *bytes;

	*size = crm_model_size(m);
	bytes = malloc(*size);
	crm_model_write(m, bytes);
	return bytes;
}

static void
test_round_trip(const crm_model_kind *kind)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	crm_model	m;
	crm_model	again;
	char		room[CRM_MODEL_PROBLEM];
	const char *problem;
	size_t		size;
	size_t		size_again;
	uint8_t    *bytes;
	uint8_t    *bytes_again;

	fill(&m, kind);
	CHECK(crm_model_check(&m, &env, room, &problem) == CRM_OK);
	bytes = written(&m, &size);
	CHECK(crm_model_read(&again, &env, bytes, size, room, &problem) == CRM_OK);
	CHECK(again.kind == kind && again.features == 3);
	CHECK(crm_model_get(&again, CRM_LINEAR_COEFFICIENTS)->numbers[1] == -0.5);
	CHECK_EQUAL(crm_model_get(&again, CRM_LINEAR_CONSTANT)->integers[0], 3);
	CHECK(!crm_model_get(&again, CRM_LINEAR_L1)->present);
	bytes_again = written(&again, &size_again);
	CHECK(size == size_again && memcmp(bytes, bytes_again, size) == 0);

	/* Every prefix and every changed byte is noticed. */
	for (size_t less = 0; less < size; less++)
		CHECK(crm_model_read(&again, &env, bytes, less, room, &problem) == CRM_CORRUPT);
	for (size_t i = 0; i < size; i++)
	{
		bytes[i] ^= 0x10;
		CHECK(crm_model_read(&again, &env, bytes, size, room, &problem) == CRM_CORRUPT && problem != NULL);
		bytes[i] ^= 0x10;
	}
	/* With a fingerprint that fits, the bytes are refused or give themselves again. */
	for (size_t i = 0; i < size * 8; i++)
	{
		bytes[i / 8] ^= (uint8_t) (1 << (i % 8));
		crm_store64(bytes + CRM_MODEL_FINGERPRINT, crm_model_fingerprint(bytes, size));
		if (crm_model_read(&again, &env, bytes, size, room, &problem) == CRM_OK)
		{
			free(bytes_again);
			bytes_again = written(&again, &size_again);
			CHECK(size == size_again && memcmp(bytes, bytes_again, size) == 0);
		}
		bytes[i / 8] ^= (uint8_t) (1 << (i % 8));
	}
	free(bytes);
	free(bytes_again);
	unit_pool_free(&pool);
}

/* A number is never that of two kinds. */
static void
test_numbers(void)
{
	for (int i = 0; crm_model_kinds[i] != NULL; i++)
	{
		CHECK(crm_model_kind_numbered(crm_model_kinds[i]->number) == crm_model_kinds[i]);
		CHECK(crm_model_kind_named(crm_model_kinds[i]->name, strlen(crm_model_kinds[i]->name)) == crm_model_kinds[i]);
	}
}

/* Each value of width class comes back; the narrowest width is taken. */
static void
test_integers(void)
{
	static const int64_t edges[] = {0, 127, -128, 128, -129, 32767, -32768, 32768, -32769, INT32_MAX, INT32_MIN,
	(int64_t) INT32_MAX + 1, (int64_t) INT32_MIN - 1, INT64_MAX, INT64_MIN};
	static const int width[] = {1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 8, 8, 8, 8};
	static const crm_model_field fields[] = {{"list", CRM_FIELD_INTEGERS}, {NULL}};

	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
	{
		crm_model	m;
		crm_model_kind kind = {.number = 1, .fields = fields};

		crm_model_begin(&m, &kind, 0);
		crm_model_set_integers(&m, 0, &edges[i], 1);
		CHECK_EQUAL(crm_model_size(&m), CRM_MODEL_HEADER + 1 + 4 + 1 + width[i]);
	}
}

static void
test_checks(void)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	crm_model	m;
	char		room[CRM_MODEL_PROBLEM];
	const char *problem;
	const double bad[3] = {0, NAN, 0};
	const double huge[3] = {1e300, 1e300, 0};
	const int64_t wrong[2] = {2, 2};
	crm_model_text same[3] = {{"a", 1}, {"b", 1}, {"a", 1}};

#define REFUSED(words) \
	CHECK(crm_model_check(&m, &env, room, &problem) == CRM_CORRUPT && strstr(problem, words) != NULL)

	crm_model_begin(&m, &crm_model_linear, 3);
	REFUSED("\"intercept\" is missing.");
	fill(&m, &crm_model_linear);
	crm_model_set_numbers(&m, CRM_LINEAR_COEFFICIENTS, bad, 3);
	REFUSED("\"coefficients\" has an element");
	fill(&m, &crm_model_linear);
	crm_model_set_numbers(&m, CRM_LINEAR_COEFFICIENTS, coefficients, 2);
	REFUSED("\"coefficients\" does not have one element");
	fill(&m, &crm_model_linear);
	crm_model_set_numbers(&m, CRM_LINEAR_ERRORS, bad, 3);
	CHECK(crm_model_check(&m, &env, room, &problem) == CRM_OK);
	crm_model_set_numbers(&m, CRM_LINEAR_COEFFICIENTS, huge, 3);
	crm_model_set_numbers(&m, CRM_LINEAR_MEANS, huge, 3);
	REFUSED("average row");
	fill(&m, &crm_model_linear);
	crm_model_set_integers(&m, CRM_LINEAR_COLLINEAR, wrong, 2);
	REFUSED("ascending");
	fill(&m, &crm_model_linear);
	m.values[CRM_MODEL_FEATURE_NAMES].texts = same;
	REFUSED("same name");
	fill(&m, &crm_model_logistic);
	crm_model_set_text(&m, CRM_LOGISTIC_SEPARATION, "some");
	REFUSED("separation");
	unit_pool_free(&pool);
}

static void
test_scores(void)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	crm_model	m;
	crm_scorer	scorer;
	const double x[3] = {3, NAN, 1};
	double		parts[4];
	double		margin = 0.25 + 2 * 3 - 0.5 * 10 + 0.125 * 1;
	const double far[3] = {1e6, 0, 0};

	fill(&m, &crm_model_linear);
	crm_model_set_integer(&m, CRM_LINEAR_MISSING_AS_MEAN, 1);
	CHECK(crm_scorer_open(&scorer, &m, &env) == CRM_OK && scorer.takes_missing);
	CHECK(crm_score(&scorer, x) == margin);
	CHECK(m.kind->explain(scorer.prepared, &env, x, parts) == CRM_OK);
	CHECK(parts[0] == 0.25 + 2 - 5 - 0.5 && parts[1] == 4 && parts[2] == 0 && parts[3] == 0.625);

	fill(&m, &crm_model_logistic);
	CHECK(crm_scorer_open(&scorer, &m, &env) == CRM_OK && !scorer.takes_missing);
	CHECK(fabs(crm_score(&scorer, x) - 1 / (1 + exp(-margin))) < 1e-15);
	CHECK(crm_score(&scorer, far) == 1);
	unit_pool_free(&pool);
}

int
main(void)
{
	test_round_trip(&crm_model_linear);
	test_round_trip(&crm_model_logistic);
	test_numbers();
	test_integers();
	test_checks();
	test_scores();
	return unit_done();
}
