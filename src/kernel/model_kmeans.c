/*
 * model_kmeans.c - the kinds "k_means" and "k_prototypes": fields, groups, reasons.
 */
#include "kernel/model_kmeans.h"

#include <math.h>

#define KMEANS_FIELDS \
	{"centers", CRM_FIELD_NUMBERS}, \
	{"sizes", CRM_FIELD_INTEGERS}, \
	{"within", CRM_FIELD_NUMBERS}, \
	{"scales", CRM_FIELD_NUMBERS, 0, true}, \
	{"means", CRM_FIELD_NUMBERS, 0, true}, \
	{"inertia", CRM_FIELD_NUMBER}, \
	{"total", CRM_FIELD_NUMBER}, \
	{"rows", CRM_FIELD_INTEGER}, \
	{"weights", CRM_FIELD_NUMBERS, CRM_FIELD_OPTIONAL}, \
	{"rows_skipped", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL}, \
	{"takes_missing", CRM_FIELD_BOOLEAN, CRM_FIELD_OPTIONAL}, \
	{"sampled", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL}, \
	{"iterations", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL}, \
	{"converged", CRM_FIELD_BOOLEAN, CRM_FIELD_OPTIONAL}, \
	{"starts", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL}, \
	{"seed", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL}, \
	{"standardized", CRM_FIELD_BOOLEAN, CRM_FIELD_OPTIONAL}, \
	{"numbers", CRM_FIELD_INTEGERS, CRM_FIELD_OPTIONAL}, \
	{"numbers_used", CRM_FIELD_INTEGER, CRM_FIELD_OPTIONAL}

static const crm_model_field k_means_fields[] = {
	KMEANS_FIELDS,
	{NULL}
};

static const crm_model_field k_prototypes_fields[] = {
	KMEANS_FIELDS,
	{"categorical", CRM_FIELD_INTEGERS},
	{"gamma", CRM_FIELD_NUMBER},
	{NULL}
};

/* ---- checking -------------------------------------------------------------- */

static bool
are_not_negative(const crm_model_value *value)
{
	for (uint32_t i = 0; value->present && value->integers != NULL && i < value->count; i++)
		if (value->integers[i] < 0)
			return false;
	for (uint32_t i = 0; value->present && value->numbers != NULL && i < value->count; i++)
		if (value->numbers[i] < 0)
			return false;
	return !value->present || (value->integer >= 0 && value->number >= 0);
}

static bool
ascend_from_1(const crm_model_value *value, int64_t most)
{
	for (uint32_t i = 0; i < value->count; i++)
		if (value->integers[i] < 1 || value->integers[i] > most || (i > 0 && value->integers[i] <= value->integers[i - 1]))
			return false;
	return true;
}

static const char *
check_k_means(const crm_model *m)
{
	static const int counts[] = {CRM_KMEANS_SIZES, CRM_KMEANS_WITHIN, CRM_KMEANS_INERTIA, CRM_KMEANS_TOTAL, CRM_KMEANS_ROWS,
	CRM_KMEANS_WEIGHTS, CRM_KMEANS_SKIPPED, CRM_KMEANS_SAMPLED, CRM_KMEANS_ITERATIONS, CRM_KMEANS_STARTS};
	uint32_t	groups = crm_model_groups(m);
	const crm_model_value *scales = crm_model_get(m, CRM_KMEANS_SCALES);
	const crm_model_value *weights = crm_model_get(m, CRM_KMEANS_WEIGHTS);
	const crm_model_value *numbers = crm_model_get(m, CRM_KMEANS_NUMBERS);
	const crm_model_value *used = crm_model_get(m, CRM_KMEANS_NUMBERS_USED);

	if (m->features < 1 || m->features > CRM_KMEANS_MAX_FEATURES)
		return "A model of groups has from 1 to 5000 features.";
	if (groups < 1 || groups > CRM_KMEANS_MAX_GROUPS)
		return "A model of groups has from 1 to 10000 groups.";
	if ((uint64_t) crm_model_get(m, CRM_KMEANS_CENTERS)->count != (uint64_t) groups * m->features)
		return "\"centers\" does not have a number for each group and feature.";
	if (crm_model_get(m, CRM_KMEANS_WITHIN)->count != groups || (weights->present && weights->count != groups) ||
		(numbers->present && numbers->count != groups))
		return "\"within\", \"weights\" and \"numbers\" have one element for each group.";
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (!are_not_negative(crm_model_get(m, counts[i])))
			return "A count, a weight or a sum of squares is negative.";
	for (uint32_t j = 0; j < m->features; j++)
		if (!(scales->numbers[j] > 0))
			return "A scale is not above 0.";
	/* float8 holds them all: the number is a score */
	if (numbers->present && !ascend_from_1(numbers, INT32_MAX))
		return "\"numbers\" are ascending numbers of groups, from 1.";
	if (used->present && (used->integer < crm_model_group_number(m, groups - 1) || used->integer > INT32_MAX))
		return "\"numbers_used\" is less than the number of a group, or too large.";
	return NULL;
}

static const char *
check_k_prototypes(const crm_model *m)
{
	if (!ascend_from_1(crm_model_get(m, CRM_KPROTOTYPES_CATEGORICAL), m->features))
		return "\"categorical\" are ascending numbers of features, counted from 1.";
	if (crm_model_get(m, CRM_KPROTOTYPES_GAMMA)->number < 0)
		return "\"gamma\" is negative.";
	return check_k_means(m);
}

static bool
takes_missing(const crm_model *m)
{
	return crm_model_get(m, CRM_KMEANS_TAKES_MISSING)->integer != 0;
}

/* ---- scoring ---------------------------------------------------------------- */

static crm_status
prepare(const crm_model *m, const crm_env *env, void **scorer)
{
	crm_kmeans_scorer *s = env->alloc(env->arg, sizeof(crm_kmeans_scorer));
	const double *centers = crm_model_get(m, CRM_KMEANS_CENTERS)->numbers;
	const double *scales = crm_model_get(m, CRM_KMEANS_SCALES)->numbers;
	uint32_t	groups = crm_model_groups(m);

	if (s == NULL)
		return CRM_NO_MEMORY;
	CRM_TRY(crm_kmeans_space_open(&s->space, env, groups, m->features));
	for (uint32_t c = 0; c < groups; c++)
		for (uint32_t j = 0; j < m->features; j++)
			crm_kmeans_space_set(&s->space, c, j, centers[(size_t) c * m->features + j]);
	for (uint32_t j = 0; j < m->features; j++)
		if (scales[j] != 1)
			s->space.scales = scales;
	if (m->kind == &crm_model_k_prototypes)
	{
		const crm_model_value *categorical = crm_model_get(m, CRM_KPROTOTYPES_CATEGORICAL);
		uint8_t    *marks = env->alloc(env->arg, m->features);

		if (marks == NULL)
			return CRM_NO_MEMORY;
		memset(marks, 0, m->features);
		for (uint32_t i = 0; i < categorical->count; i++)
			marks[categorical->integers[i] - 1] = 1;
		s->space.categorical = marks;
		s->space.gamma = crm_model_get(m, CRM_KPROTOTYPES_GAMMA)->number;
	}
	s->model = m;
	s->distances = env->alloc(env->arg, sizeof(double) * s->space.padded);
	if (s->distances == NULL)
		return CRM_NO_MEMORY;
	*scorer = s;
	return CRM_OK;
}

static bool
has_gaps(const double *x, uint32_t features)
{
	for (uint32_t j = 0; j < features; j++)
		if (isnan(x[j]))
			return true;
	return false;
}

uint32_t
crm_kmeans_score(const crm_kmeans_scorer *scorer, const double *x)
{
	crm_kmeans_distances(&scorer->space, x, has_gaps(x, scorer->space.features), scorer->distances);
	return crm_kmeans_nearest(scorer->distances, scorer->space.groups);
}

static double
predict(const void *scorer, const double *x)
{
	const crm_kmeans_scorer *s = scorer;

	return (double) crm_model_group_number(s->model, crm_kmeans_score(s, x));
}

/* What a feature adds to the squared distance from a center. */
static double
part_of(const crm_kmeans_space *space, const double *x, uint32_t c, uint32_t j)
{
	double		center = crm_kmeans_space_get(space, c, j);
	double		difference = x[j] - center;

	if (isnan(x[j]))
		return 0;
	if (space->categorical != NULL && space->categorical[j])
		return x[j] != center ? space->gamma : 0;
	if (space->scales != NULL)
		difference *= space->scales[j];
	return difference * difference;
}

static crm_status
explain(const void *scorer, const crm_env *env, const double *x, double *parts)
{
	const crm_kmeans_scorer *s = scorer;
	uint32_t	group;
	uint32_t	second;

	(void) crm_kmeans_score(s, x);
	group = crm_kmeans_nearest_two(s->distances, s->space.groups, &second);
	parts[0] = 0;
	for (uint32_t j = 0; j < s->space.features; j++)
		parts[j + 1] = second == s->space.groups ? 0 : part_of(&s->space, x, second, j) - part_of(&s->space, x, group, j);
	return CRM_OK;
}

/* ---- what follows from the fit --------------------------------------------------- */

enum
{
	DERIVED_GROUPS,
	DERIVED_SHARES,
	DERIVED_EXPLAINED,
	DERIVED_CALINSKI_HARABASZ
};

static const crm_model_field derived_fields[] = {
	{"k", CRM_FIELD_INTEGER},
	{"shares", CRM_FIELD_NUMBERS},
	{"explained", CRM_FIELD_NUMBER},
	{"calinski_harabasz", CRM_FIELD_NUMBER},
	{NULL}
};

static crm_status
derive(const crm_model *m, const crm_env *env, crm_model_value *derived)
{
	uint32_t	groups = crm_model_groups(m);
	const crm_model_value *sizes = crm_model_get(m, CRM_KMEANS_SIZES);
	const crm_model_value *weights = crm_model_get(m, CRM_KMEANS_WEIGHTS);
	double		inertia = crm_model_get(m, CRM_KMEANS_INERTIA)->number;
	double		total = crm_model_get(m, CRM_KMEANS_TOTAL)->number;
	double		rows = (double) crm_model_get(m, CRM_KMEANS_ROWS)->integer;
	double	   *shares = env->alloc(env->arg, sizeof(double) * groups);
	double		sum = 0;
	double		ratio = (total - inertia) / (groups - 1.0) / (inertia / (rows - groups));

	if (shares == NULL)
		return CRM_NO_MEMORY;
	for (uint32_t c = 0; c < groups; c++)
	{
		shares[c] = weights->present ? weights->numbers[c] : (double) sizes->integers[c];
		sum += shares[c];
	}
	for (uint32_t c = 0; c < groups; c++)
		shares[c] = sum > 0 ? shares[c] / sum : 0;
	derived[DERIVED_GROUPS] = (crm_model_value) {.present = true, .integer = groups};
	if (isfinite(sum))
		derived[DERIVED_SHARES] = (crm_model_value) {.present = true, .count = groups, .numbers = shares};
	if (total > 0 && isfinite(inertia / total))
		derived[DERIVED_EXPLAINED] = (crm_model_value) {.present = true, .number = 1 - inertia / total};
	/* Calinski & Harabasz 1974: of rows that count alike */
	if (!weights->present && groups > 1 && rows > groups && isfinite(ratio))
		derived[DERIVED_CALINSKI_HARABASZ] = (crm_model_value) {.present = true, .number = ratio};
	return CRM_OK;
}

const crm_model_kind crm_model_k_means = {
	.number = 50,
	.name = "k_means",
	.fields = k_means_fields,
	.check = check_k_means,
	.takes_missing = takes_missing,
	.prepare = prepare,
	.predict = predict,
	.explain = explain,
	.derived_fields = derived_fields,
	.derive = derive
};

const crm_model_kind crm_model_k_prototypes = {
	.number = 51,
	.name = "k_prototypes",
	.fields = k_prototypes_fields,
	.check = check_k_prototypes,
	.takes_missing = takes_missing,
	.prepare = prepare,
	.predict = predict,
	.explain = explain,
	.derived_fields = derived_fields,
	.derive = derive
};
