/*
 * linear_fit.c - the aggregate linear_fit.
 *
 * The state is sums of products of fixed size, which merge: nothing is kept of
 * the rows.  It is flat, made at the first row and changed in place.
 */
#include "scoring/scoring.h"

#include <math.h>

#include "common/agg_state.h"
#include "common/progress.h"
#include "kernel/linear_fit.h"
#include "kernel/model_linear.h"

CRM_FUNCTION(crm_linear_fit_transfn);
CRM_FUNCTION(crm_linear_fit_combinefn);
CRM_FUNCTION(crm_linear_fit_finalfn);

#define LINEAR_STATE_VERSION 1

typedef struct linear_options
{
	double		l1;
	double		l2;
	bool		intercept;
	bool		standardize;
	int			missing;
} linear_options;

/* In the state, where bytes may come from anywhere, options are numbers. */
typedef struct linear_state
{
	char		header[CRM_AGG_STATE_HEADER];
	double		l1;
	double		l2;
	uint8		intercept;
	uint8		standardize;
	uint8		missing;
	uint8		unused;
	uint32		features;
	uint64		rows;
	uint64		skipped;
	double		log_weights;
	double		sums[FLEXIBLE_ARRAY_MEMBER];	/* the higher parts, then the lower ones */
} linear_state;

#define STATE_SIZE(features) (offsetof(linear_state, sums) + 2 * sizeof(double) * CRM_PRODUCTS_COUNT(features))

static const char *const missing_words[] = {"error", "skip", NULL};

static const scoring_option known_options[] = {
	{"l1", SCORING_NUMBER, offsetof(linear_options, l1), 0, 1e15},
	{"l2", SCORING_NUMBER, offsetof(linear_options, l2), 0, 1e15},
	{"intercept", SCORING_BOOLEAN, offsetof(linear_options, intercept)},
	{"standardize", SCORING_BOOLEAN, offsetof(linear_options, standardize)},
	{"missing", SCORING_WORD, offsetof(linear_options, missing), 0, 0, missing_words},
	{NULL}
};

static const linear_options default_options = {.intercept = true, .standardize = true};

/* ---- the state ------------------------------------------------------------- */

static crm_products
moments_of(linear_state *state)
{
	crm_products m = {
		.features = state->features,
		.rows = state->rows,
		.log_weights = state->log_weights,
		.high = state->sums,
		.low = state->sums + CRM_PRODUCTS_COUNT(state->features)
	};

	return m;
}

static void
keep_moments(linear_state *state, const crm_products *m)
{
	state->rows = m->rows;
	state->log_weights = m->log_weights;
}

static void
check_sums(crm_status status)
{
	if (status == CRM_OUT_OF_RANGE)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("features or target of linear_fit are too large"),
				 errdetail("Their squares, summed, are beyond the range of double precision."),
				 errhint("Divide them by a large number first.")));
	crm_check(status, "crm.agg_state", false);
}

static linear_state *
fetch_state(Datum value)
{
	linear_state *state = (linear_state *) crm_agg_state_fetch(value, CRM_STATE_LINEAR, LINEAR_STATE_VERSION,
															   offsetof(linear_state, sums));

	if (state->features > CRM_LINEAR_FIT_MAX_FEATURES || VARSIZE(state) != STATE_SIZE(state->features))
		crm_agg_state_damaged("A state of linear_fit does not have the size of its features.");
	if (state->rows > SCORING_MAX_ROWS || state->skipped > SCORING_MAX_ROWS)
		crm_agg_state_damaged("The number of rows in a state of linear_fit is impossible.");
	if (state->intercept > 1 || state->standardize > 1 || state->missing > SCORING_MISSING_SKIP || state->unused != 0 ||
		!(state->l1 >= 0) || !(state->l2 >= 0) || !isfinite(state->l1) || !isfinite(state->l2) || !isfinite(state->log_weights))
		crm_agg_state_damaged("The options in a state of linear_fit are not such.");
	return state;
}

/* Sums from another process: whatever they are, they must be numbers, and a sum of squares is not negative. */
static void
check_foreign(linear_state *state)
{
	crm_products m = moments_of(state);

	for (Size i = 0; i < 2 * CRM_PRODUCTS_COUNT(state->features); i++)
		if (!isfinite(state->sums[i]))
			crm_agg_state_damaged("A sum in a state of linear_fit is not a number.");
	for (Size j = 0; j < (Size) state->features + 2; j++)
		if (m.high[j * (j + 1) / 2 + j] < 0)
			crm_agg_state_damaged("A sum of squares in a state of linear_fit is negative.");
}

static linear_state *
new_state(MemoryContext aggcontext, const linear_options *options, int features)
{
	Size		size = STATE_SIZE(features);
	linear_state *state;

	if (features > CRM_LINEAR_FIT_MAX_FEATURES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("linear_fit takes at most %d features, not %d", CRM_LINEAR_FIT_MAX_FEATURES, features)));
	state = MemoryContextAllocZero(aggcontext, size);
	crm_agg_state_init(state, size, CRM_STATE_LINEAR, LINEAR_STATE_VERSION);
	state->l1 = options->l1;
	state->l2 = options->l2;
	state->intercept = options->intercept;
	state->standardize = options->standardize;
	state->missing = (uint8) options->missing;
	state->features = (uint32) features;
	return state;
}

static void
check_same(const linear_state *state, const linear_options *options)
{
	if (state->l1 != options->l1 || state->l2 != options->l2 || state->intercept != options->intercept ||
		state->standardize != options->standardize || state->missing != options->missing)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options of linear_fit change within a group")));
}

static void
check_features(const linear_state *state, int features)
{
	if (state->features != features)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("number of features of linear_fit changes within a group: %u, then %d", state->features, features)));
}

/* ---- the aggregate's functions ----------------------------------------------- */

/* linear_fit_transfn(state, target float8, features float8[] [, options jsonb] | [, weight float8, options jsonb]) */
Datum
crm_linear_fit_transfn(PG_FUNCTION_ARGS)
{
	MemoryContext aggcontext;
	const linear_options *options = &default_options;
	int			nargs = PG_NARGS();
	linear_state *state;
	const double *features;
	double		target;
	double		weight = 1;
	int			count;
	bool		nulls;
	crm_products m;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "linear_fit_transfn called in non-aggregate context");
	if (nargs > 3)
		options = scoring_options_of(fcinfo, nargs - 1, known_options, "linear_fit", &default_options, sizeof(linear_options));
	state = PG_ARGISNULL(0) ? NULL : fetch_state(PG_GETARG_DATUM(0));
	if (state != NULL)
		check_same(state, options);
	/* Without target, features or weight it is not an observation. */
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || (nargs == 5 && PG_ARGISNULL(3)))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	target = scoring_number(PG_GETARG_FLOAT8(1), "target");
	if (nargs == 5)
		weight = scoring_weight(PG_GETARG_FLOAT8(3));
	features = scoring_features(PG_GETARG_ARRAYTYPE_P(2), &count, &nulls);
	if (state == NULL)
		state = new_state(aggcontext, options, count);
	check_features(state, count);
	if (nulls)
	{
		if (options->missing == SCORING_MISSING_ERROR)
			scoring_feature_missing(features, count, "Replace nulls with coalesce(), or leave such rows out by the option \"missing\": \"skip\".");
		state->skipped++;
	}
	else if (weight > 0)
	{
		m = moments_of(state);
		check_sums(crm_products_add(&m, features, target, weight, palloc(sizeof(double) * CRM_PRODUCTS_WORK(count))));
		keep_moments(state, &m);
	}
	PG_RETURN_POINTER(state);
}

Datum
crm_linear_fit_combinefn(PG_FUNCTION_ARGS)
{
	MemoryContext aggcontext;
	MemoryContext old;
	linear_state *state;
	linear_state *other;
	linear_options options;
	crm_products m;
	crm_products more;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "linear_fit_combinefn called in non-aggregate context");
	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	other = fetch_state(PG_GETARG_DATUM(1));
	check_foreign(other);
	if (PG_ARGISNULL(0))
	{
		old = MemoryContextSwitchTo(aggcontext);
		state = (linear_state *) PG_DETOAST_DATUM_COPY(PointerGetDatum(other));
		MemoryContextSwitchTo(old);
		PG_RETURN_POINTER(state);
	}
	state = fetch_state(PG_GETARG_DATUM(0));
	options = (linear_options) {other->l1, other->l2, other->intercept, other->standardize, other->missing};
	check_same(state, &options);
	check_features(state, (int) other->features);
	m = moments_of(state);
	more = moments_of(other);
	check_sums(crm_products_merge(&m, &more));
	keep_moments(state, &m);
	state->skipped += other->skipped;
	PG_RETURN_POINTER(state);
}

static void
allocate_result(crm_linear_result *result, int features)
{
	Size		room = Max(features, 1);

	memset(result, 0, sizeof(*result));
	result->coefficients = palloc(sizeof(double) * room);
	result->means = palloc(sizeof(double) * room);
	result->errors = palloc(sizeof(double) * room);
	result->constant = palloc(room);
	result->collinear = palloc(room);
}

Datum
crm_linear_fit_finalfn(PG_FUNCTION_ARGS)
{
	crm_env		env;
	linear_state *state;
	crm_linear_options options;
	crm_linear_result result;
	crm_products moments;
	crm_model	m;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "linear_fit_finalfn called in non-aggregate context");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = fetch_state(PG_GETARG_DATUM(0));
	if (state->rows == 0)
		PG_RETURN_NULL();
	options = (crm_linear_options) {state->intercept, state->standardize, state->l1, state->l2};
	moments = moments_of(state);
	allocate_result(&result, (int) state->features);
	crm_progress_begin("linear_fit", NULL);
	crm_progress_phase("solving", "features", 2 * ((int64) state->features + 1));
	env = crm_progress_env(CurrentMemoryContext);
	crm_check(crm_linear_fit(&moments, &options, &env, &result), CRM_MODEL_TYPE, false);
	crm_progress_end();

	crm_model_begin(&m, &crm_model_linear, state->features);
	crm_model_set_number(&m, CRM_LINEAR_INTERCEPT, result.intercept);
	crm_model_set_numbers(&m, CRM_LINEAR_COEFFICIENTS, result.coefficients, state->features);
	crm_model_set_numbers(&m, CRM_LINEAR_MEANS, result.means, state->features);
	if (result.has_errors)
	{
		if (options.intercept)
			crm_model_set_number(&m, CRM_LINEAR_INTERCEPT_ERROR, result.intercept_error);
		crm_model_set_numbers(&m, CRM_LINEAR_ERRORS, result.errors, state->features);
		crm_model_set_number(&m, CRM_LINEAR_RESIDUAL_ERROR, sqrt(result.residual_sum / (double) (state->rows - result.parameters)));
	}
	crm_model_set_integer(&m, CRM_LINEAR_ROWS, (int64) state->rows);
	crm_model_set_number(&m, CRM_LINEAR_WEIGHT, result.weight);
	if (state->skipped > 0)
		crm_model_set_integer(&m, CRM_LINEAR_SKIPPED, (int64) state->skipped);
	scoring_set_places(&m, CRM_LINEAR_CONSTANT, result.constant, (int) state->features);
	scoring_set_places(&m, CRM_LINEAR_COLLINEAR, result.collinear, (int) state->features);
	if (options.l1 > 0)
		crm_model_set_number(&m, CRM_LINEAR_L1, options.l1);
	if (options.l2 > 0)
		crm_model_set_number(&m, CRM_LINEAR_L2, options.l2);
	if (isfinite(result.log_likelihood))
		crm_model_set_number(&m, CRM_LINEAR_LOG_LIKELIHOOD, result.log_likelihood);
	if (isfinite(result.null_log_likelihood))
		crm_model_set_number(&m, CRM_LINEAR_NULL_LOG_LIKELIHOOD, result.null_log_likelihood);
	crm_model_set_integer(&m, CRM_LINEAR_PARAMETERS, result.parameters);
	crm_model_set_integer(&m, CRM_LINEAR_RESIDUAL_DF, Max((int64) state->rows - result.parameters, 0));
	if (result.total_sum > 0)
		crm_model_set_number(&m, CRM_LINEAR_R_SQUARED, 1 - result.residual_sum / result.total_sum);
	if (!result.converged)
		ereport(WARNING,
				(errmsg("linear_fit did not converge"),
				 errhint("Take a larger \"l2\" beside \"l1\", or leave out features that nearly follow from others.")));
	PG_RETURN_POINTER(scoring_model_value(&m, CurrentMemoryContext));
}
