/*
 * isolation_forest.c - the aggregate isolation_forest_fit.
 */
#include "scoring/rows_state.h"

#include "common/agg_state.h"
#include "common/progress.h"
#include "kernel/outliers.h"

CRM_FUNCTION(crm_isolation_forest_fit_transfn);
CRM_FUNCTION(crm_isolation_forest_fit_combinefn);
CRM_FUNCTION(crm_isolation_forest_fit_finalfn);

typedef struct forest_options
{
	int64		trees;
	int64		sample;
	int64		seed;
} forest_options;

static const scoring_option known_options[] = {
	{"trees", SCORING_WHOLE, offsetof(forest_options, trees), 1, CRM_ISOLATION_MAX_TREES},
	{"sample", SCORING_WHOLE, offsetof(forest_options, sample), 2, CRM_ISOLATION_MAX_SAMPLE},
	{"seed", SCORING_WHOLE, offsetof(forest_options, seed), -9e15, 9e15},
	{NULL}
};

/* As the authors found enough. */
static const forest_options default_options = {100, 256, 0};

static bool
options_are_valid(const void *bytes)
{
	forest_options o;

	memcpy(&o, bytes, sizeof(o));
	return o.trees >= 1 && o.trees <= CRM_ISOLATION_MAX_TREES && o.sample >= 2 && o.sample <= CRM_ISOLATION_MAX_SAMPLE;
}

static const scoring_rows_use forest_use = {
	.number = 30,
	.function = "isolation_forest_fit",
	.most_features = CRM_ISOLATION_MAX_FEATURES,
	.options_size = sizeof(forest_options),
	.options_are_valid = options_are_valid
};

/* isolation_forest_fit_transfn(state, features float8[] [, options jsonb]) */
Datum
crm_isolation_forest_fit_transfn(PG_FUNCTION_ARGS)
{
	MemoryContext aggcontext;
	const forest_options *options = &default_options;
	scoring_rows *state;
	const double *features;
	int			count;
	bool		nulls;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "isolation_forest_fit_transfn called in non-aggregate context");
	if (PG_NARGS() > 2)
		options = scoring_options_of(fcinfo, 2, known_options, "isolation_forest_fit", &default_options, sizeof(forest_options));
	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	features = scoring_features(PG_GETARG_ARRAYTYPE_P(1), &count, &nulls);
	if (count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("isolation_forest_fit needs at least one feature")));
	state = scoring_rows_state(fcinfo, aggcontext, &forest_use, options, count);
	scoring_rows_add(state, 0, 1, features);
	return EOHPGetRWDatum(&state->header);
}

Datum
crm_isolation_forest_fit_combinefn(PG_FUNCTION_ARGS)
{
	return scoring_rows_combine(fcinfo, &forest_use);
}

/* NULL of fewer than two rows: nobody stands apart from nobody. */
Datum
crm_isolation_forest_fit_finalfn(PG_FUNCTION_ARGS)
{
	const scoring_rows *state = scoring_rows_final(fcinfo, &forest_use);
	MemoryContext work;
	MemoryContext old;
	forest_options o;
	crm_isolation_options options;
	crm_env		env;
	crm_model	m;
	struct varlena *value;

	if (state == NULL || state->columns.rows < 2 || scoring_rows_features(state) < 1)
		PG_RETURN_NULL();
	memcpy(&o, state->options, sizeof(o));
	options = (crm_isolation_options) {(int) o.trees, (int) o.sample, o.seed};
	work = AllocSetContextCreate(CurrentMemoryContext, "crm isolation forest", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(work);
	env = crm_progress_env(work);
	crm_progress_begin("isolation_forest_fit", NULL);
	crm_progress_phase("growing trees", "trees", options.trees);
	scoring_rows_check(state, crm_isolation_fit(&state->columns, &options, &env, &m));
	crm_progress_end();
	value = scoring_model_value(&m, old);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);
	PG_RETURN_POINTER(value);
}
