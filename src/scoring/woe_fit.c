/*
 * woe_fit.c - the aggregates naive_bayes_fit and scorecard_fit, and what is
 * asked of a scorecard.
 */
#include "scoring/rows_state.h"

#include <math.h>

#include "common/agg_state.h"
#include "common/progress.h"
#include "funcapi.h"
#include "kernel/woe_bins.h"
#include "utils/float.h"
#include "utils/tuplestore.h"

CRM_FUNCTION(crm_naive_bayes_fit_transfn);
CRM_FUNCTION(crm_naive_bayes_fit_combinefn);
CRM_FUNCTION(crm_naive_bayes_fit_finalfn);
CRM_FUNCTION(crm_scorecard_fit_transfn);
CRM_FUNCTION(crm_scorecard_fit_combinefn);
CRM_FUNCTION(crm_scorecard_fit_finalfn);
CRM_FUNCTION(crm_scorecard);
CRM_FUNCTION(crm_points);
CRM_FUNCTION(crm_reason_codes);

typedef struct woe_options
{
	double		min_share;
	double		smoothing;
	double		l2;
	double		pdo;
	double		base_points;
	double		base_odds;
	int64		fine_bins;
	int64		max_bins;
	uint64		monotone;		/* 0 or 1: a whole number, since bytes of a state may be anything */
} woe_options;

StaticAssertDecl(sizeof(woe_options) <= SCORING_ROWS_OPTIONS, "options do not fit the state");

/* What options are read into, with the types that scoring_read_options knows. */
typedef struct woe_arguments
{
	double		min_share;
	double		smoothing;
	double		l2;
	double		pdo;
	double		base_points;
	double		base_odds;
	int64		fine_bins;
	int64		max_bins;
	bool		monotone;
} woe_arguments;

#define COMMON_OPTIONS \
	{"fine_bins", SCORING_WHOLE, offsetof(woe_arguments, fine_bins), 2, 1000}, \
	{"max_bins", SCORING_WHOLE, offsetof(woe_arguments, max_bins), 1, 1000}, \
	{"min_share", SCORING_NUMBER, offsetof(woe_arguments, min_share), 0, 0.5}, \
	{"monotone", SCORING_BOOLEAN, offsetof(woe_arguments, monotone)}

static const scoring_option naive_bayes_known[] = {
	COMMON_OPTIONS,
	{"smoothing", SCORING_NUMBER, offsetof(woe_arguments, smoothing), 1e-6, 1e9},
	{NULL}
};

static const scoring_option scorecard_known[] = {
	COMMON_OPTIONS,
	{"l2", SCORING_NUMBER, offsetof(woe_arguments, l2), 0, 1e15},
	{"pdo", SCORING_NUMBER, offsetof(woe_arguments, pdo), 1e-3, 1e6},
	{"base_points", SCORING_NUMBER, offsetof(woe_arguments, base_points), -1e6, 1e6},
	{"base_odds", SCORING_NUMBER, offsetof(woe_arguments, base_odds), 1e-6, 1e6},
	{NULL}
};

static const woe_arguments naive_bayes_defaults = {.min_share = 0.01, .smoothing = 10, .fine_bins = 50, .max_bins = 20};
static const woe_arguments scorecard_defaults = {.min_share = 0.05, .pdo = 20, .base_points = 600, .base_odds = 50, .fine_bins = 50,
.max_bins = 6, .monotone = true};

static bool
options_are_valid(const void *bytes)
{
	woe_options o;

	memcpy(&o, bytes, sizeof(o));
	return o.min_share >= 0 && o.min_share <= 0.5 && o.smoothing >= 0 && o.smoothing <= 1e9 && o.l2 >= 0 && o.l2 <= 1e15 &&
		o.pdo >= 0 && o.pdo <= 1e6 && fabs(o.base_points) <= 1e6 && o.base_odds >= 0 && o.base_odds <= 1e6 &&
		o.fine_bins >= 2 && o.fine_bins <= 1000 && o.max_bins >= 1 && o.max_bins <= 1000 && o.monotone <= 1;
}

static const scoring_rows_use naive_bayes_use = {
	.number = 3,
	.function = "naive_bayes_fit",
	.most_features = CRM_WOE_MAX_FEATURES,
	.options_size = sizeof(woe_options),
	.options_are_valid = options_are_valid,
	.labels = true
};

static const scoring_rows_use scorecard_use = {
	.number = 4,
	.function = "scorecard_fit",
	.most_features = CRM_WOE_MAX_FEATURES,
	.options_size = sizeof(woe_options),
	.options_are_valid = options_are_valid,
	.labels = true
};

/* ---- the aggregates ---------------------------------------------------------------- */

/* (state, label boolean, features float8[] [, options jsonb]) */
static Datum
add_row(FunctionCallInfo fcinfo, const scoring_rows_use *use, const scoring_option *known, const woe_arguments *defaults)
{
	MemoryContext aggcontext;
	const woe_arguments *a = defaults;
	woe_options options;
	scoring_rows *state;
	const double *features;
	int			count;
	bool		nulls;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "transition function of %s called in non-aggregate context", use->function);
	if (PG_NARGS() == 4)
		a = scoring_options_of(fcinfo, 3, known, use->function, defaults, sizeof(*defaults));
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return crm_agg_unchanged(fcinfo);
	options = (woe_options) {a->min_share, a->smoothing, a->l2, a->pdo, a->base_points, a->base_odds, a->fine_bins, a->max_bins, a->monotone};
	features = scoring_features(PG_GETARG_ARRAYTYPE_P(2), &count, &nulls);
	state = scoring_rows_state(fcinfo, aggcontext, use, &options, count);
	scoring_rows_add(state, PG_GETARG_BOOL(1), 1, features);
	return EOHPGetRWDatum(&state->header);
}

static Datum
fit(FunctionCallInfo fcinfo, const scoring_rows_use *use)
{
	const scoring_rows *state = scoring_rows_final(fcinfo, use);
	MemoryContext work;
	MemoryContext old;
	woe_options o;
	crm_woe_options options;
	crm_env		env;
	crm_model	m;
	struct varlena *value;

	if (state == NULL)
		PG_RETURN_NULL();
	scoring_require_both_labels(state);
	memcpy(&o, state->options, sizeof(o));
	options = (crm_woe_options) {use == &scorecard_use, (int) o.fine_bins, (int) o.max_bins, o.min_share, o.monotone != 0, o.smoothing, o.l2, o.pdo,
	o.base_points, o.base_odds};
	work = AllocSetContextCreate(CurrentMemoryContext, "crm evidence", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(work);
	crm_progress_begin(use->function, NULL);
	crm_progress_phase("binning", "features", scoring_rows_features(state));
	env = crm_progress_env(work);
	scoring_rows_check(state, crm_woe_fit(&state->columns, &options, &env, &m));
	crm_progress_end();
	value = scoring_model_value(&m, old);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);
	PG_RETURN_POINTER(value);
}

Datum
crm_naive_bayes_fit_transfn(PG_FUNCTION_ARGS)
{
	return add_row(fcinfo, &naive_bayes_use, naive_bayes_known, &naive_bayes_defaults);
}

Datum
crm_naive_bayes_fit_combinefn(PG_FUNCTION_ARGS)
{
	return scoring_rows_combine(fcinfo, &naive_bayes_use);
}

Datum
crm_naive_bayes_fit_finalfn(PG_FUNCTION_ARGS)
{
	return fit(fcinfo, &naive_bayes_use);
}

Datum
crm_scorecard_fit_transfn(PG_FUNCTION_ARGS)
{
	return add_row(fcinfo, &scorecard_use, scorecard_known, &scorecard_defaults);
}

Datum
crm_scorecard_fit_combinefn(PG_FUNCTION_ARGS)
{
	return scoring_rows_combine(fcinfo, &scorecard_use);
}

Datum
crm_scorecard_fit_finalfn(PG_FUNCTION_ARGS)
{
	return fit(fcinfo, &scorecard_use);
}

/* ---- asking a scorecard --------------------------------------------------------------- */

static Datum
feature_name(const crm_model *m, uint32 feature, bool *null)
{
	const crm_model_value *names = &m->values[CRM_MODEL_FEATURE_NAMES];

	*null = !names->present;
	return names->present ? PointerGetDatum(cstring_to_text_with_len(names->texts[feature].bytes, (int) names->texts[feature].length)) : (Datum) 0;
}

/* scorecard(m): feature, name, lower, upper, missing, rows, positives, woe, points; feature 0 is the base */
Datum
crm_scorecard(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	crm_model  *m = scoring_model_fetch(PG_GETARG_DATUM(0), CurrentMemoryContext);
	const double *cuts = NULL;
	uint32		bin = 0;
	Datum		values[9];
	bool		nulls[9] = {false, true, true, true, false, false, false, true, false};

	scoring_require_kind(m, &crm_model_scorecard);
	InitMaterializedSRF(fcinfo, 0);
	cuts = crm_model_get(m, CRM_WOE_CUTS)->numbers;
	values[0] = Int32GetDatum(0);
	values[4] = BoolGetDatum(false);
	values[5] = Int64GetDatum(crm_model_get(m, CRM_WOE_ROWS)->integer);
	values[6] = Int64GetDatum(crm_model_get(m, CRM_WOE_POSITIVES)->integer);
	values[8] = Float8GetDatum(crm_scorecard_base(m));
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	for (uint32 j = 0; j < m->features; j++)
	{
		uint32		count = (uint32) crm_model_get(m, CRM_WOE_CUT_COUNTS)->integers[j];

		for (uint32 i = 0; i < count + 2; i++, bin++)
		{
			bool		missing = i == count + 1;
			int64		rows = crm_model_get(m, CRM_WOE_BIN_ROWS)->integers[bin];

			if (missing && rows == 0)
				continue;
			memset(nulls, 0, sizeof(nulls));
			values[0] = Int32GetDatum((int32) j + 1);
			values[1] = feature_name(m, j, &nulls[1]);
			nulls[2] = missing || i == 0;
			nulls[3] = missing || i == count;
			values[2] = Float8GetDatum(nulls[2] ? 0 : cuts[i - 1]);
			values[3] = Float8GetDatum(nulls[3] ? 0 : cuts[i]);
			values[4] = BoolGetDatum(missing);
			values[5] = Int64GetDatum(rows);
			values[6] = Int64GetDatum(crm_model_get(m, CRM_WOE_BIN_POSITIVES)->integers[bin]);
			values[7] = Float8GetDatum(crm_model_get(m, CRM_WOE_WOE)->numbers[bin]);
			values[8] = Float8GetDatum(crm_scorecard_points(m, j, bin));
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
		cuts += count;
	}
	return (Datum) 0;
}

/* Points of each feature of a row into the site's row; the sum with the base. */
static double
row_points(scoring_site *site, const double *x)
{
	const crm_model *m = site->model;
	const double *cuts = crm_model_get(m, CRM_WOE_CUTS)->numbers;
	double		sum = crm_scorecard_base(m);
	uint32		bin = 0;

	for (uint32 j = 0; j < m->features; j++)
	{
		uint32		count = (uint32) crm_model_get(m, CRM_WOE_CUT_COUNTS)->integers[j];

		site->row[j] = crm_scorecard_points(m, j, bin + crm_woe_bin(cuts, count, x[j]));
		sum += site->row[j];
		bin += count + 2;
		cuts += count;
	}
	return sum;
}

/* points(m, features) */
Datum
crm_points(PG_FUNCTION_ARGS)
{
	scoring_site *site = scoring_site_of(fcinfo, 0);

	scoring_require_kind(site->model, &crm_model_scorecard);
	PG_RETURN_FLOAT8(scoring_finite(row_points(site, scoring_row(site, PG_GETARG_ARRAYTYPE_P(1)))));
}

typedef struct reason
{
	uint32		feature;
	double		points;
	double		best;
} reason;

/* Most lost points first; among equals the feature that comes first. */
static int
compare_reasons(const void *a, const void *b)
{
	const reason *x = a;
	const reason *y = b;
	double		lost_x = x->best - x->points;
	double		lost_y = y->best - y->points;

	if (lost_x != lost_y)
		return lost_x > lost_y ? -1 : 1;
	return (x->feature > y->feature) - (x->feature < y->feature);
}

/* reason_codes(m, features, n): reason, feature, name, points, best, lost */
Datum
crm_reason_codes(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	scoring_site *site = scoring_site_of(fcinfo, 0);
	const crm_model *m = site->model;
	int32		n = PG_GETARG_INT32(2);
	reason	   *reasons;
	uint32		bin = 0;

	scoring_require_kind(m, &crm_model_scorecard);
	if (n < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of reasons must be positive: %d", n)));
	row_points(site, scoring_row(site, PG_GETARG_ARRAYTYPE_P(1)));
	reasons = palloc(sizeof(reason) * Max(m->features, 1));
	for (uint32 j = 0; j < m->features; j++)
	{
		uint32		bins = (uint32) crm_model_get(m, CRM_WOE_CUT_COUNTS)->integers[j] + 2;
		double		best = -get_float8_infinity();

		for (uint32 i = bin; i < bin + bins; i++)
			if (crm_model_get(m, CRM_WOE_BIN_ROWS)->integers[i] > 0)
				best = Max(best, crm_scorecard_points(m, j, i));
		reasons[j] = (reason) {j, site->row[j], Max(best, site->row[j])};
		bin += bins;
	}
	qsort(reasons, m->features, sizeof(reason), compare_reasons);
	InitMaterializedSRF(fcinfo, 0);
	for (uint32 i = 0; i < m->features && i < (uint32) n && reasons[i].best > reasons[i].points; i++)
	{
		Datum		values[6];
		bool		nulls[6] = {false};

		values[0] = Int32GetDatum((int32) i + 1);
		values[1] = Int32GetDatum((int32) reasons[i].feature + 1);
		values[2] = feature_name(m, reasons[i].feature, &nulls[2]);
		values[3] = Float8GetDatum(reasons[i].points);
		values[4] = Float8GetDatum(reasons[i].best);
		values[5] = Float8GetDatum(reasons[i].best - reasons[i].points);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
