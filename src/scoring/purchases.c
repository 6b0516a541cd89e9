/*
 * purchases.c - models of repeat purchases: their trainers, and what they say of
 * one customer.
 */
#include "scoring/scoring.h"

#include <math.h>

#include "common/progress.h"
#include "funcapi.h"
#include "kernel/model_purchase.h"
#include "miscadmin.h"
#include "scoring/counts.h"

CRM_FUNCTION(crm_purchases_transfn);
CRM_FUNCTION(crm_bg_nbd_finalfn);
CRM_FUNCTION(crm_mbg_nbd_finalfn);
CRM_FUNCTION(crm_pareto_nbd_finalfn);
CRM_FUNCTION(crm_gamma_gamma_transfn);
CRM_FUNCTION(crm_gamma_gamma_finalfn);
CRM_FUNCTION(crm_p_alive);
CRM_FUNCTION(crm_expected_purchases);
CRM_FUNCTION(crm_expected_purchases_interval);
CRM_FUNCTION(crm_lifetime_value);
CRM_FUNCTION(crm_expected_value);

#define MAX_PERIODS 10000

/* ---- arguments ---------------------------------------------------------------- */

static const char *
number_text(double number)
{
	return DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(number)));
}

/* 22023 for numbers that contradict each other. */
static void
check_customer(const double *customer)
{
	if (!crm_purchase_valid(customer[0], customer[1], customer[2]))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("frequency %s, recency %s and age %s do not describe a customer",
						number_text(customer[0]), number_text(customer[1]), number_text(customer[2])),
				 errdetail("Frequency is the whole number of purchases after the first, recency the time from the first purchase to the last, 0 where there is only one, age the time from the first purchase to the end of the observation, at least recency."),
				 errhint("Count several purchases of one day as one.")));
}

/* Three arguments that describe a customer. */
static void
customer_arguments(FunctionCallInfo fcinfo, int first, double *customer)
{
	customer[0] = scoring_number(PG_GETARG_FLOAT8(first), "frequency");
	customer[1] = scoring_number(PG_GETARG_FLOAT8(first + 1), "recency");
	customer[2] = scoring_number(PG_GETARG_FLOAT8(first + 2), "age");
	check_customer(customer);
}

static void
check_value(double frequency, double mean)
{
	if (frequency < 0 || frequency != floor(frequency))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("frequency must be a whole number, 0 or more: %s", number_text(frequency))));
	if (frequency > 0 && mean <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mean value of purchases must be above 0: %s", number_text(mean)),
				 errdetail("The Gamma-Gamma model knows purchases of positive value only."),
				 errhint("Leave gifts and refunds out before averaging.")));
}

static void
value_arguments(FunctionCallInfo fcinfo, int first, double *frequency, double *mean)
{
	*frequency = scoring_number(PG_GETARG_FLOAT8(first), "frequency");
	*mean = scoring_number(PG_GETARG_FLOAT8(first + 1), "mean_value");
	check_value(*frequency, *mean);
}

/* ---- trainers ------------------------------------------------------------------- */

/* purchases_transfn(state, frequency float8, recency float8, age float8): of bg_nbd_fit, mbg_nbd_fit and pareto_nbd_fit */
Datum
crm_purchases_transfn(PG_FUNCTION_ARGS)
{
	counts_state *state = counts_of_transition(fcinfo, COUNTS_PURCHASES, 0, "a model of purchases");
	double		customer[3];

	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2) && !PG_ARGISNULL(3))
	{
		customer_arguments(fcinfo, 1, customer);
		counts_add(state, customer);
	}
	return EOHPGetRWDatum(&state->header);
}

static void
warn_not_converged(const char *name, bool converged)
{
	if (!converged)
		ereport(WARNING,
				(errmsg("%s did not converge", name),
				 errdetail("Customers differ too little, or there are too few of them, for all parameters to be told; the model says \"converged\": false."),
				 errhint("Train on more customers or a longer time, or take another kind of model.")));
}

static Datum
fit_purchases(FunctionCallInfo fcinfo, crm_purchase_kind kind, const char *name)
{
	const counts_state *state = counts_of_final(fcinfo, COUNTS_PURCHASES, name);
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_count  *entries;
	uint32		count;
	crm_purchase_group *groups;
	crm_purchase_model fit;
	crm_model	m;
	crm_status	status;

	if (state == NULL)
		PG_RETURN_NULL();
	crm_check(crm_counts_sorted(&state->table, &env, &entries, &count), "crm.agg_state", false);
	groups = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(crm_purchase_group) * count);
	for (uint32 i = 0; i < count; i++)
		groups[i] = (crm_purchase_group) {entries[i].key[0], entries[i].key[1], entries[i].key[2], (double) entries[i].rows};
	crm_progress_begin(name, NULL);
	crm_progress_phase("iterating", "iterations", 0);
	env = crm_progress_env(CurrentMemoryContext);
	status = crm_purchase_fit(&env, kind, groups, count, &fit);
	crm_progress_end();
	if (status == CRM_OUT_OF_RANGE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s has nothing to learn from: no customer bought again", name),
				 errhint("Frequency counts the purchases after the first.")));
	crm_check(status, CRM_MODEL_TYPE, false);
	warn_not_converged(name, fit.converged);
	crm_model_of_purchases(&m, &fit, counts_rounding(state));
	PG_RETURN_POINTER(scoring_model_value(&m, CurrentMemoryContext));
}

Datum
crm_bg_nbd_finalfn(PG_FUNCTION_ARGS)
{
	return fit_purchases(fcinfo, CRM_BG_NBD, "bg_nbd_fit");
}

Datum
crm_mbg_nbd_finalfn(PG_FUNCTION_ARGS)
{
	return fit_purchases(fcinfo, CRM_MBG_NBD, "mbg_nbd_fit");
}

Datum
crm_pareto_nbd_finalfn(PG_FUNCTION_ARGS)
{
	return fit_purchases(fcinfo, CRM_PARETO_NBD, "pareto_nbd_fit");
}

/* gamma_gamma_transfn(state, frequency float8, mean_value float8): customers without purchases tell nothing */
Datum
crm_gamma_gamma_transfn(PG_FUNCTION_ARGS)
{
	counts_state *state = counts_of_transition(fcinfo, COUNTS_VALUES, 0, "gamma_gamma_fit");
	double		key[2];

	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
	{
		value_arguments(fcinfo, 1, &key[0], &key[1]);
		if (key[0] > 0)
			counts_add(state, key);
	}
	return EOHPGetRWDatum(&state->header);
}

Datum
crm_gamma_gamma_finalfn(PG_FUNCTION_ARGS)
{
	const counts_state *state = counts_of_final(fcinfo, COUNTS_VALUES, "gamma_gamma_fit");
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_count  *entries;
	uint32		count;
	crm_value_group *groups;
	crm_value_model fit;
	crm_model	m;

	if (state == NULL)
		PG_RETURN_NULL();
	crm_check(crm_counts_sorted(&state->table, &env, &entries, &count), "crm.agg_state", false);
	groups = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(crm_value_group) * count);
	for (uint32 i = 0; i < count; i++)
		groups[i] = (crm_value_group) {entries[i].key[0], entries[i].key[1], (double) entries[i].rows};
	crm_progress_begin("gamma_gamma_fit", NULL);
	crm_progress_phase("iterating", "iterations", 0);
	env = crm_progress_env(CurrentMemoryContext);
	crm_check(crm_value_fit(&env, groups, count, &fit), CRM_MODEL_TYPE, false);
	crm_progress_end();
	warn_not_converged("gamma_gamma_fit", fit.converged);
	crm_model_of_values(&m, &fit, counts_rounding(state));
	PG_RETURN_POINTER(scoring_model_value(&m, CurrentMemoryContext));
}

/* ---- one customer ------------------------------------------------------------------ */

static void
purchases_of(FunctionCallInfo fcinfo, crm_purchase_model *fit)
{
	const crm_model *m = scoring_site_of(fcinfo, 0)->model;

	if (!crm_purchases_of_model(m, fit))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model is of kind \"%s\", not one of repeat purchases", m->kind->name),
				 errhint("Such models are made by bg_nbd_fit, mbg_nbd_fit and pareto_nbd_fit.")));
}

static double
horizon_argument(FunctionCallInfo fcinfo, int argument)
{
	double		horizon = scoring_number(PG_GETARG_FLOAT8(argument), "horizon");

	if (horizon < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("horizon must not be negative: %s", number_text(horizon))));
	return horizon;
}

/* p_alive(m, frequency, recency, age) */
Datum
crm_p_alive(PG_FUNCTION_ARGS)
{
	crm_purchase_model fit;
	double		customer[3];

	purchases_of(fcinfo, &fit);
	customer_arguments(fcinfo, 1, customer);
	PG_RETURN_FLOAT8(scoring_finite(crm_purchase_alive(fit.kind, fit.parameter, customer[0], customer[1], customer[2])));
}

/* expected_purchases(m, horizon, frequency, recency, age) */
Datum
crm_expected_purchases(PG_FUNCTION_ARGS)
{
	crm_purchase_model fit;
	double		horizon = horizon_argument(fcinfo, 1);
	double		customer[3];

	purchases_of(fcinfo, &fit);
	customer_arguments(fcinfo, 2, customer);
	PG_RETURN_FLOAT8(scoring_finite(crm_purchase_expected(fit.kind, fit.parameter, horizon, customer[0], customer[1], customer[2])));
}

/* expected_purchases_interval(m, horizon, frequency, recency, age, confidence) */
Datum
crm_expected_purchases_interval(PG_FUNCTION_ARGS)
{
	crm_purchase_model fit;
	double		horizon = horizon_argument(fcinfo, 1);
	double		customer[3];
	double		confidence = scoring_number(PG_GETARG_FLOAT8(5), "confidence");
	double		bounds[3];
	TupleDesc	desc;
	Datum		values[3];
	bool		nulls[3];

	if (!(confidence > 0 && confidence < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("confidence must lie between 0 and 1: %s", number_text(confidence))));
	purchases_of(fcinfo, &fit);
	customer_arguments(fcinfo, 2, customer);
	crm_purchase_expected_interval(&fit, confidence, horizon, customer[0], customer[1], customer[2], &bounds[0], &bounds[1], &bounds[2]);
	scoring_finite(bounds[0]);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "expected_purchases_interval returns a row");
	for (int i = 0; i < 3; i++)
	{
		values[i] = Float8GetDatum(bounds[i]);
		nulls[i] = !isfinite(bounds[i]);
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* lifetime_value(m, value_of_purchase, periods, discount, frequency, recency, age) */
Datum
crm_lifetime_value(PG_FUNCTION_ARGS)
{
	crm_purchase_model fit;
	double		value = scoring_number(PG_GETARG_FLOAT8(1), "value_of_purchase");
	int32		periods = PG_GETARG_INT32(2);
	double		discount = scoring_number(PG_GETARG_FLOAT8(3), "discount");
	double		customer[3];

	if (periods < 0 || periods > MAX_PERIODS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("periods must be from 0 to %d: %d", MAX_PERIODS, periods)));
	if (discount <= -1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("discount must be above -1: %s", number_text(discount)),
				 errdetail("It is the rate of one period: 0.01 means that a later period is worth 1 %% less.")));
	purchases_of(fcinfo, &fit);
	customer_arguments(fcinfo, 4, customer);
	CHECK_FOR_INTERRUPTS();
	PG_RETURN_FLOAT8(scoring_finite(crm_purchase_lifetime_value(fit.kind, fit.parameter, periods, discount, value,
																customer[0], customer[1], customer[2])));
}

/* expected_value(m, frequency, mean_value) */
Datum
crm_expected_value(PG_FUNCTION_ARGS)
{
	crm_value_model fit;
	const crm_model *m;
	double		frequency;
	double		mean;
	double		expected;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	m = scoring_site_of(fcinfo, 0)->model;
	if (!crm_values_of_model(m, &fit))
		scoring_require_kind(m, &crm_model_gamma_gamma);
	/* who never bought has no mean */
	if (PG_ARGISNULL(2) && PG_GETARG_FLOAT8(1) != 0)
		PG_RETURN_NULL();
	if (PG_ARGISNULL(2))
		frequency = mean = 0;
	else
		value_arguments(fcinfo, 1, &frequency, &mean);
	expected = crm_value_expected(fit.parameter, frequency, mean);
	if (!isfinite(expected))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(expected);
}

/* ---- models by name ------------------------------------------------------------------ */

static void
require_numbers(const double *numbers, int count)
{
	for (int i = 0; i < count; i++)
		if (isnan(numbers[i]))
			scoring_feature_missing(numbers, count, "A customer is known by all of frequency, recency and age.");
}

double
scoring_purchases_score(const crm_purchase_model *fit, double horizon, const double *customer)
{
	require_numbers(customer, 3);
	check_customer(customer);
	return scoring_finite(crm_purchase_expected(fit->kind, fit->parameter, horizon, customer[0], customer[1], customer[2]));
}

double
scoring_value_score(const crm_value_model *fit, const double *customer)
{
	double		mean = customer[1];

	require_numbers(customer, 1);
	/* who never bought has no mean */
	if (customer[0] == 0 && isnan(mean))
		mean = 0;
	require_numbers(&mean, 1);
	check_value(customer[0], mean);
	return scoring_finite(crm_value_expected(fit->parameter, customer[0], mean));
}
