/*
 * kmeans_refine.c - the aggregate kmeans_refine: one step of k-means over all rows.
 *
 * The state is flat and changed in place: after the header of crm.agg_state number of
 * groups, number of features, bytes of the model and 4 bytes 0 (4 bytes each), the
 * model, padded to 8 bytes, and the sums of kernel/kmeans_step.h.
 */
#include "scoring/scoring.h"

#include <math.h>

#include "common/agg_state.h"
#include "kernel/kmeans_step.h"

CRM_FUNCTION(crm_kmeans_refine_transfn);
CRM_FUNCTION(crm_kmeans_refine_combinefn);
CRM_FUNCTION(crm_kmeans_refine_finalfn);

#define STEP_STATE_VERSION 1
#define STEP_HEADER 16

typedef struct step_state
{
	uint32		groups;
	uint32		features;
	uint32		model_size;
	const uint8 *model;
	double	   *sums;
} step_state;

static Size
sums_at(Size model_size)
{
	return STEP_HEADER + MAXALIGN(model_size);
}

/* The parts of a state that was checked. */
static step_state
parts_of(crm_agg_state *state)
{
	uint8	   *data = (uint8 *) state->data;

	return (step_state) {
		crm_load32(data), crm_load32(data + 4), crm_load32(data + 8), data + STEP_HEADER, (double *) (data + sums_at(crm_load32(data + 8)))
	};
}

/*
 * A state whose parts lie within it: its bytes may come from anywhere, for whoever
 * makes an aggregate of the transition function says where it begins.
 */
static crm_agg_state *
fetch_state(Datum value)
{
	crm_agg_state *state = crm_agg_state_fetch(value, CRM_STATE_KMEANS_STEP, STEP_STATE_VERSION, CRM_AGG_STATE_HEADER + STEP_HEADER);
	step_state	s = parts_of(state);

	if (s.groups < 1 || s.groups > CRM_KMEANS_MAX_GROUPS || s.features < 1 || s.features > CRM_KMEANS_MAX_FEATURES ||
		s.model_size < CRM_MODEL_FINGERPRINT + sizeof(uint64) ||
		VARSIZE(state) != CRM_AGG_STATE_HEADER + sums_at(s.model_size) + sizeof(double) * crm_kmeans_step_count(s.groups, s.features))
		crm_agg_state_damaged("The sums in a state of kmeans_refine are not such.");
	return state;
}

/* A copy of a state from anywhere, aligned and checked; what its model is, the final function sees. */
static crm_agg_state *
copy_state(Datum value, MemoryContext context)
{
	crm_agg_state *flat = fetch_state(value);
	crm_agg_state *state = MemoryContextAlloc(context, VARSIZE(flat));
	step_state	s;

	memcpy(state, flat, VARSIZE(flat));
	s = parts_of(state);
	if (!crm_kmeans_step_is_valid(s.sums, s.groups, s.features))
		crm_agg_state_damaged("The sums in a state of kmeans_refine are not such.");
	return state;
}

static crm_agg_state *
new_state(scoring_site *site, MemoryContext context)
{
	const crm_model *m = site->model;
	Size		model_size = crm_model_size(m);
	Size		sums = sizeof(double) * crm_kmeans_step_count(crm_model_groups(m), m->features);
	Size		size = CRM_AGG_STATE_HEADER + sums_at(model_size) + sums;
	crm_agg_state *state;
	uint8	   *data;

	crm_check_size(size, "crm.agg_state");
	state = MemoryContextAllocZero(context, size);
	data = (uint8 *) state->data;
	crm_agg_state_init(state, size, CRM_STATE_KMEANS_STEP, STEP_STATE_VERSION);
	crm_store32(data, crm_model_groups(m));
	crm_store32(data + 4, m->features);
	crm_store32(data + 8, (uint32) model_size);
	crm_model_write(m, data + STEP_HEADER);
	return state;
}

static void different_models(void) CRM_NORETURN;

static void
different_models(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the model of kmeans_refine changes within a group")));
}

/* kmeans_refine_transfn(state, m, features [, weight]) */
Datum
crm_kmeans_refine_transfn(PG_FUNCTION_ARGS)
{
	MemoryContext aggcontext;
	scoring_site *site;
	crm_agg_state *state;
	step_state	s;
	double		weight = 1;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "kmeans_refine_transfn called in non-aggregate context");
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the model of kmeans_refine must not be null")));
	site = scoring_site_of(fcinfo, 1);
	scoring_require_kind(site->model, &crm_model_k_means);
	/* Without features or weight it is not an observation. */
	if (PG_ARGISNULL(2) || (PG_NARGS() == 4 && PG_ARGISNULL(3)))
		return crm_agg_unchanged(fcinfo);
	if (PG_NARGS() == 4)
		weight = scoring_weight(PG_GETARG_FLOAT8(3));
	state = PG_ARGISNULL(0) ? new_state(site, aggcontext) : fetch_state(PG_GETARG_DATUM(0));
	s = parts_of(state);
	if (s.groups != crm_model_groups(site->model) || s.features != site->model->features ||
		crm_load64(s.model + CRM_MODEL_FINGERPRINT) != scoring_fingerprint(site))
		different_models();
	if (weight > 0)
		crm_kmeans_step_add(s.sums, site->scorer.prepared, scoring_row(site, PG_GETARG_ARRAYTYPE_P(2)), weight);
	PG_RETURN_POINTER(state);
}

Datum
crm_kmeans_refine_combinefn(PG_FUNCTION_ARGS)
{
	MemoryContext aggcontext;
	crm_agg_state *state;
	step_state	a;
	step_state	b;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "kmeans_refine_combinefn called in non-aggregate context");
	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(copy_state(PG_GETARG_DATUM(1), aggcontext));
	/* the first may have come from elsewhere, too */
	state = copy_state(PG_GETARG_DATUM(0), aggcontext);
	a = parts_of(state);
	b = parts_of(copy_state(PG_GETARG_DATUM(1), CurrentMemoryContext));
	if (a.groups != b.groups || a.features != b.features || a.model_size != b.model_size || memcmp(a.model, b.model, a.model_size) != 0)
		different_models();
	crm_kmeans_step_merge(a.sums, b.sums, a.groups, a.features);
	PG_RETURN_POINTER(state);
}

Datum
crm_kmeans_refine_finalfn(PG_FUNCTION_ARGS)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	step_state	s;
	struct varlena *value;
	crm_model  *m;
	crm_model	result;
	crm_status	status;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "kmeans_refine_finalfn called in non-aggregate context");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	s = parts_of(copy_state(PG_GETARG_DATUM(0), CurrentMemoryContext));
	value = palloc(VARHDRSZ + s.model_size);
	SET_VARSIZE(value, VARHDRSZ + s.model_size);
	memcpy(VARDATA(value), s.model, s.model_size);
	m = scoring_model_fetch(PointerGetDatum(value), CurrentMemoryContext);
	if (m->kind != &crm_model_k_means || crm_model_groups(m) != s.groups || m->features != s.features)
		crm_agg_state_damaged("The model in a state of kmeans_refine is another one.");
	status = crm_kmeans_step_finish(&env, s.sums, m, &result);
	if (status == CRM_OUT_OF_RANGE)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("features or weights of kmeans_refine are too large"),
				 errdetail("Their squares, summed, are beyond the range of double precision."),
				 errhint("Divide them by a large number first.")));
	crm_check(status, CRM_MODEL_TYPE, false);
	PG_RETURN_POINTER(scoring_model_value(&result, CurrentMemoryContext));
}
