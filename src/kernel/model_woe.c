/*
 * model_woe.c - the kinds "naive_bayes" and "scorecard": fields, score, reasons,
 * points.
 */
#include "kernel/woe_bins.h"

#include <math.h>

#define WOE_FIELDS \
	{"intercept", CRM_FIELD_NUMBER}, \
	{"coefficients", CRM_FIELD_NUMBERS, 0, true}, \
	{"cut_counts", CRM_FIELD_INTEGERS, CRM_FIELD_BULK, true}, \
	{"cuts", CRM_FIELD_NUMBERS, CRM_FIELD_BULK}, \
	{"woe", CRM_FIELD_NUMBERS, CRM_FIELD_BULK}, \
	{"bin_rows", CRM_FIELD_INTEGERS, CRM_FIELD_BULK}, \
	{"bin_positives", CRM_FIELD_INTEGERS, CRM_FIELD_BULK}, \
	{"information_values", CRM_FIELD_NUMBERS, 0, true}, \
	{"rows", CRM_FIELD_INTEGER}, \
	{"positives", CRM_FIELD_INTEGER}, \
	{"log_likelihood", CRM_FIELD_NUMBER, CRM_FIELD_OPTIONAL}, \
	{"converged", CRM_FIELD_BOOLEAN, CRM_FIELD_OPTIONAL}

static const crm_model_field naive_bayes_fields[] = {
	WOE_FIELDS,
	{NULL}
};

static const crm_model_field scorecard_fields[] = {
	WOE_FIELDS,
	{"pdo", CRM_FIELD_NUMBER},
	{"base_points", CRM_FIELD_NUMBER},
	{"base_odds", CRM_FIELD_NUMBER},
	{NULL}
};

/* ---- checking ------------------------------------------------------------------ */

static double
mean_woe(const double *woe, const int64_t *rows, uint32_t bins, double all)
{
	double		sum = 0;

	for (uint32_t i = 0; i < bins; i++)
		sum += woe[i] * (double) rows[i];
	return sum / all;
}

/* Margin of the average row. */
static double
base_of(const crm_model *m)
{
	const double *coefficients = crm_model_get(m, CRM_WOE_COEFFICIENTS)->numbers;
	const int64_t *cut_counts = crm_model_get(m, CRM_WOE_CUT_COUNTS)->integers;
	const double *woe = crm_model_get(m, CRM_WOE_WOE)->numbers;
	const int64_t *rows = crm_model_get(m, CRM_WOE_BIN_ROWS)->integers;
	double		base = crm_model_get(m, CRM_WOE_INTERCEPT)->number;

	for (uint32_t j = 0; j < m->features; j++)
	{
		uint32_t	bins = (uint32_t) cut_counts[j] + 2;

		base += coefficients[j] * mean_woe(woe, rows, bins, (double) crm_model_get(m, CRM_WOE_ROWS)->integer);
		woe += bins;
		rows += bins;
	}
	return base;
}

static const char *
check_bins(const crm_model *m)
{
	const crm_model_value *cut_counts = crm_model_get(m, CRM_WOE_CUT_COUNTS);
	const crm_model_value *cuts = crm_model_get(m, CRM_WOE_CUTS);
	const crm_model_value *rows = crm_model_get(m, CRM_WOE_BIN_ROWS);
	const crm_model_value *positives = crm_model_get(m, CRM_WOE_BIN_POSITIVES);
	int64_t		all = crm_model_get(m, CRM_WOE_ROWS)->integer;
	uint64_t	cut = 0;
	uint64_t	bin = 0;

	if (all < 1 || crm_model_get(m, CRM_WOE_POSITIVES)->integer < 0 || crm_model_get(m, CRM_WOE_POSITIVES)->integer > all)
		return "\"rows\" is not positive, or \"positives\" is not a part of it.";
	for (uint32_t j = 0; j < m->features; j++)
	{
		int64_t		count = cut_counts->integers[j];

		if (count < 0 || count > cuts->count || cut + (uint64_t) count > cuts->count)
			return "\"cut_counts\" and \"cuts\" do not fit.";
		for (int64_t i = 1; i < count; i++)
			if (!(cuts->numbers[cut + i] > cuts->numbers[cut + i - 1]))
				return "The cuts of a feature do not ascend.";
		cut += (uint64_t) count;
		bin += (uint64_t) count + 2;
	}
	if (cut != cuts->count || bin != crm_model_get(m, CRM_WOE_WOE)->count || bin != rows->count || bin != positives->count)
		return "\"woe\", \"bin_rows\" and \"bin_positives\" do not have one element for each bin.";
	for (uint64_t i = 0; i < bin; i++)
		if (rows->integers[i] < 0 || rows->integers[i] > all || positives->integers[i] < 0 || positives->integers[i] > rows->integers[i])
			return "A bin has an impossible number of rows or positives.";
	return isfinite(base_of(m)) ? NULL : "The score of the average row is not finite.";
}

static const char *
check_scorecard(const crm_model *m)
{
	if (!(crm_model_get(m, CRM_WOE_PDO)->number > 0) || !(crm_model_get(m, CRM_WOE_BASE_ODDS)->number > 0))
		return "\"pdo\" or \"base_odds\" is not positive.";
	return check_bins(m);
}

static bool
takes_missing(const crm_model *m)
{
	return true;
}

/* ---- scoring --------------------------------------------------------------------- */

/* Of each feature: where its cuts begin, how many there are, and what each bin adds. */
typedef struct woe_scorer
{
	uint32_t	features;
	double		base;
	uint32_t   *cut_at;
	uint32_t   *cut_counts;
	uint32_t   *bin_at;
	const double *cuts;
	double	   *parts;			/* of all bins */
} woe_scorer;

static crm_status
prepare(const crm_model *m, const crm_env *env, void **scorer)
{
	const double *coefficients = crm_model_get(m, CRM_WOE_COEFFICIENTS)->numbers;
	const double *woe = crm_model_get(m, CRM_WOE_WOE)->numbers;
	const int64_t *rows = crm_model_get(m, CRM_WOE_BIN_ROWS)->integers;
	uint32_t	bin_total = crm_model_get(m, CRM_WOE_WOE)->count;
	woe_scorer *s = env->alloc(env->arg, sizeof(woe_scorer));
	uint32_t   *places;
	uint32_t	cut = 0;
	uint32_t	bin = 0;

	if (s == NULL)
		return CRM_NO_MEMORY;
	places = env->alloc(env->arg, sizeof(uint32_t) * (3 * (size_t) m->features + 1));
	s->parts = env->alloc(env->arg, sizeof(double) * ((size_t) bin_total + 1));
	if (places == NULL || s->parts == NULL)
		return CRM_NO_MEMORY;
	s->features = m->features;
	s->base = base_of(m);
	s->cut_at = places;
	s->cut_counts = places + m->features;
	s->bin_at = places + 2 * (size_t) m->features;
	s->cuts = crm_model_get(m, CRM_WOE_CUTS)->numbers;
	for (uint32_t j = 0; j < m->features; j++)
	{
		uint32_t	cuts = (uint32_t) crm_model_get(m, CRM_WOE_CUT_COUNTS)->integers[j];
		double		mean = mean_woe(woe + bin, rows + bin, cuts + 2, (double) crm_model_get(m, CRM_WOE_ROWS)->integer);

		s->cut_at[j] = cut;
		s->cut_counts[j] = cuts;
		s->bin_at[j] = bin;
		for (uint32_t i = bin; i < bin + cuts + 2; i++)
			s->parts[i] = coefficients[j] * (woe[i] - mean);
		cut += cuts;
		bin += cuts + 2;
	}
	*scorer = s;
	return CRM_OK;
}

static inline double
part_of(const woe_scorer *s, const double *x, uint32_t j)
{
	return s->parts[s->bin_at[j] + crm_woe_bin(s->cuts + s->cut_at[j], s->cut_counts[j], x[j])];
}

static double
predict(const void *scorer, const double *x)
{
	const woe_scorer *s = scorer;
	double		margin = s->base;

	for (uint32_t j = 0; j < s->features; j++)
		margin += part_of(s, x, j);
	return margin >= 0 ? 1 / (1 + exp(-margin)) : exp(margin) / (1 + exp(margin));
}

static crm_status
explain(const void *scorer, const crm_env *env, const double *x, double *parts)
{
	const woe_scorer *s = scorer;

	parts[0] = s->base;
	for (uint32_t j = 0; j < s->features; j++)
		parts[j + 1] = part_of(s, x, j);
	return CRM_OK;
}

/* ---- points ------------------------------------------------------------------------ */

/* Points of one unit of log odds; more points are fewer positives. */
static double
points_of_unit(const crm_model *m)
{
	return -crm_model_get(m, CRM_WOE_PDO)->number / 0.69314718055994530942;
}

double
crm_scorecard_points(const crm_model *m, uint32_t feature, uint32_t bin)
{
	return points_of_unit(m) * crm_model_get(m, CRM_WOE_COEFFICIENTS)->numbers[feature] * crm_model_get(m, CRM_WOE_WOE)->numbers[bin];
}

double
crm_scorecard_base(const crm_model *m)
{
	return crm_model_get(m, CRM_WOE_BASE_POINTS)->number +
		points_of_unit(m) * (log(crm_model_get(m, CRM_WOE_BASE_ODDS)->number) + crm_model_get(m, CRM_WOE_INTERCEPT)->number);
}

const crm_model_kind crm_model_naive_bayes = {
	.number = 20,
	.name = "naive_bayes",
	.fields = naive_bayes_fields,
	.check = check_bins,
	.takes_missing = takes_missing,
	.prepare = prepare,
	.predict = predict,
	.explain = explain
};

const crm_model_kind crm_model_scorecard = {
	.number = 21,
	.name = "scorecard",
	.fields = scorecard_fields,
	.check = check_scorecard,
	.takes_missing = takes_missing,
	.prepare = prepare,
	.predict = predict,
	.explain = explain
};
