/*
 * fuzz_purchase.c - any customers as those of models of purchases, as states of
 * bg_nbd_fit and its like may hold them, and any parameters as those of a stored
 * model: fits end, what they give can be stored, probabilities are such.
 *
 * The first byte chooses the model, the second how many groups of customers follow.
 */
#include "fuzz.h"

#include "kernel/model_purchase.h"

#define MOST_GROUPS 12

static double
count_of(fuzz_input *in)
{
	uint8_t		first = (uint8_t) fuzz_take(in, 1);

	return first < 250 ? 1 + first % 20 : (double) (fuzz_take(in, 7) | 1);
}

/* A number that is none, or beyond its bounds, fails. */
static void
ask(crm_purchase_kind kind, const double *parameter, const crm_purchase_group *g)
{
	double		alive = crm_purchase_alive(kind, parameter, g->frequency, g->recency, g->age);
	double		expected = crm_purchase_expected(kind, parameter, 10, g->frequency, g->recency, g->age);
	double		value = crm_purchase_lifetime_value(kind, parameter, 5, 0.1, 3, g->frequency, g->recency, g->age);

	/* parameters at the ends of their range may leave 0/0 */
	REQUIRE(isnan(alive) || (alive >= 0 && alive <= 1));
	REQUIRE(!(expected < 0) && !(value < 0));
}

static void
use_purchases(fuzz_input *in, const crm_env *env, crm_purchase_kind kind, size_t count)
{
	crm_purchase_group groups[MOST_GROUPS];
	crm_purchase_model fit,
				again;
	crm_model	m,
				read;
	double		parameter[CRM_PURCHASE_PARAMETERS];
	double		likelihood;
	bool		ordinary = true;
	size_t		n = 0;
	crm_status	status;

	for (size_t i = 0; i < count; i++)
	{
		crm_purchase_group g = {floor(fabs(fuzz_finite(in))), fabs(fuzz_finite(in)), fabs(fuzz_finite(in)), 0};

		g.count = count_of(in);
		if (g.frequency == 0)
			g.recency = 0;
		if (crm_purchase_valid(g.frequency, g.recency, g.age))
			groups[n++] = g;
	}
	for (size_t i = 0; i < n; i++)
		ordinary = ordinary && groups[i].frequency <= 1000 && groups[i].age <= 1e5 && (groups[i].age >= 1e-3 || groups[i].age == 0) &&
			(groups[i].recency >= 1e-3 || groups[i].frequency == 0);
	for (int i = 0; i < CRM_PURCHASE_PARAMETERS; i++)
	{
		parameter[i] = fabs(fuzz_finite(in));
		if (parameter[i] == 0)
			parameter[i] = 1;
		ordinary = ordinary && parameter[i] > 1e-3 && parameter[i] < 1e3;
	}
	for (size_t i = 0; i < n; i++)
		if (ordinary)
			ask(kind, parameter, &groups[i]);
		else
		{
			(void) crm_purchase_alive(kind, parameter, groups[i].frequency, groups[i].recency, groups[i].age);
			(void) crm_purchase_expected(kind, parameter, 10, groups[i].frequency, groups[i].recency, groups[i].age);
		}
	if (n == 0)
		return;
	status = crm_purchase_likelihood(env, kind, parameter, groups, n, &likelihood);
	REQUIRE(status == CRM_OK || status == CRM_OUT_OF_RANGE);
	status = crm_purchase_fit(env, kind, groups, n, &fit);
	REQUIRE(status == CRM_OK || status == CRM_OUT_OF_RANGE);
	if (status != CRM_OK)
		return;
	crm_model_of_purchases(&m, &fit, 0);
	if (!fuzz_reread(&m, env, &read))
		return;
	REQUIRE(crm_purchases_of_model(&read, &again) && memcmp(again.parameter, fit.parameter, sizeof(fit.parameter)) == 0);
	for (size_t i = 0; i < n; i++)
	{
		double		expected,
					lower,
					upper;

		if (ordinary)
			ask(kind, fit.parameter, &groups[i]);
		crm_purchase_expected_interval(&again, 0.9, 5, groups[i].frequency, groups[i].recency, groups[i].age, &expected, &lower, &upper);
		if (isfinite(lower) && isfinite(upper))
			REQUIRE(lower <= upper);
	}
}

static void
use_values(fuzz_input *in, const crm_env *env, size_t count)
{
	crm_value_group groups[MOST_GROUPS];
	crm_value_model fit,
				again;
	crm_model	m,
				read;
	double		likelihood;
	crm_status	status;

	for (size_t i = 0; i < count; i++)
	{
		groups[i].frequency = 1 + floor(fabs(fuzz_finite(in)));
		groups[i].mean = fabs(fuzz_finite(in));
		groups[i].count = count_of(in);
		if (groups[i].mean == 0)
			groups[i].mean = 1;
	}
	status = crm_value_fit(env, groups, count, &fit);
	REQUIRE(status == CRM_OK || status == CRM_OUT_OF_RANGE);
	if (status != CRM_OK)
		return;
	status = crm_value_likelihood(env, fit.parameter, groups, count, &likelihood);
	REQUIRE(status == CRM_OK || status == CRM_OUT_OF_RANGE);
	crm_model_of_values(&m, &fit, 0);
	if (!fuzz_reread(&m, env, &read))
		return;
	REQUIRE(crm_values_of_model(&read, &again) && memcmp(again.parameter, fit.parameter, sizeof(fit.parameter)) == 0);
	for (size_t i = 0; i < count; i++)
		REQUIRE(!(crm_value_expected(again.parameter, groups[i].frequency, groups[i].mean) < 0));
	REQUIRE(!(crm_value_expected(again.parameter, 0, 0) < 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	fuzz_input	in = {data, size};
	uint32_t	kind = (uint32_t) fuzz_take(&in, 1) % 4;
	size_t		count = 1 + fuzz_take(&in, 1) % MOST_GROUPS;

	if (kind < 3)
		use_purchases(&in, &env, (crm_purchase_kind) kind, count);
	else
		use_values(&in, &env, count);
	unit_pool_free(&pool);
	return 0;
}
