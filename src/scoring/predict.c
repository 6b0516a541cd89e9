/*
 * predict.c - scores and their reasons, for models of any kind.
 *
 * The model is read once for a query and kept with the call, since reading one
 * of many trees costs more than scoring a row by it.
 */
#include "scoring/scoring.h"

#include <math.h>

#include "funcapi.h"
#include "kernel/model_kmeans.h"
#include "nodes/primnodes.h"
#include "utils/float.h"
#include "utils/tuplestore.h"

CRM_FUNCTION(crm_predict);
CRM_FUNCTION(crm_explain);

/* ---- the model at hand --------------------------------------------------- */

/*
 * What tells a value from others without reading it: where a stored one lies,
 * and the header of one at hand, which has a fingerprint of all its bytes.
 */
static const void *
key_of(struct varlena *value, Size *size)
{
	if (VARATT_IS_EXTERNAL_ONDISK(value) || VARATT_IS_COMPRESSED(value))
	{
		*size = VARSIZE_ANY(value);
		return value;
	}
	*size = Min(VARSIZE_ANY_EXHDR(value), CRM_MODEL_HEADER);
	return VARDATA_ANY(value);
}

scoring_site *
scoring_site_of(FunctionCallInfo fcinfo, int argument)
{
	FmgrInfo   *flinfo = fcinfo->flinfo;
	scoring_site *site = flinfo->fn_extra;
	struct varlena *value = (struct varlena *) PG_GETARG_POINTER(argument);
	const void *key;
	Size		key_size;
	crm_env		env;

	if (VARATT_IS_EXTERNAL(value) && !VARATT_IS_EXTERNAL_ONDISK(value))
		value = (struct varlena *) PG_DETOAST_DATUM_PACKED(PointerGetDatum(value));
	key = key_of(value, &key_size);
	if (site != NULL && site->key != NULL && site->key_size == key_size && memcmp(site->key, key, key_size) == 0)
		return site;
	if (site == NULL)
	{
		site = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(scoring_site));
		site->context = AllocSetContextCreate(flinfo->fn_mcxt, "crm.model", ALLOCSET_DEFAULT_SIZES);
		flinfo->fn_extra = site;
	}
	/* The key comes last: an error before leaves none, and the next call begins anew. */
	site->key = NULL;
	site->fingerprint = 0;
	MemoryContextReset(site->context);
	env = crm_env_in(site->context);
	site->model = scoring_model_fetch(PointerGetDatum(value), site->context);
	crm_check(crm_scorer_open(&site->scorer, site->model, &env), CRM_MODEL_TYPE, false);
	site->row = MemoryContextAlloc(site->context, sizeof(double) * ((Size) site->model->features + 1));
	site->key_size = key_size;
	site->key = MemoryContextAlloc(site->context, key_size);
	memcpy(site->key, key, key_size);
	return site;
}

uint64
scoring_fingerprint(scoring_site *site)
{
	if (site->fingerprint == 0)
	{
		Size		size = crm_model_size(site->model);
		uint8	   *bytes = palloc_extended(size, MCXT_ALLOC_HUGE);

		crm_model_write(site->model, bytes);
		site->fingerprint = crm_load64(bytes + CRM_MODEL_FINGERPRINT);
		pfree(bytes);
	}
	return site->fingerprint;
}

void
scoring_require_kind(const crm_model *m, const crm_model_kind *kind)
{
	if (m->kind != kind)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model is of kind \"%s\", not \"%s\"", m->kind->name, kind->name)));
}

void
scoring_require_groups(const crm_model *m)
{
	if (!crm_model_has_groups(m))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model is of kind \"%s\", and has no groups", m->kind->name),
				 errhint("Groups are made by kmeans_fit and kprototypes_fit.")));
}

/* ---- arguments and results ------------------------------------------------ */

const double *
scoring_row(scoring_site *site, ArrayType *features)
{
	int			count;
	bool		nulls;
	const double *x = scoring_features(features, &count, &nulls);

	if (count != (int) site->scorer.features)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("the model has %u features, the row has %d", site->scorer.features, count),
				 errhint("Give the features that the model was trained on, in the same order.")));
	if (nulls && !site->scorer.takes_missing)
		scoring_feature_missing(x, count, "Replace nulls with coalesce(): the model was not trained with missing features.");
	return x;
}

double
scoring_finite(double score)
{
	if (!isfinite(score))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("score is out of range"),
				 errdetail("The features of the row are too large for the model's coefficients.")));
	return score;
}

static void missing_function(const crm_model_kind *kind, const char *function) CRM_NORETURN;

static void
missing_function(const crm_model_kind *kind, const char *function)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("a model of kind \"%s\" has no %s", kind->name, function)));
}

/* predict(m, features) */
Datum
crm_predict(PG_FUNCTION_ARGS)
{
	scoring_site *site = scoring_site_of(fcinfo, 0);

	if (site->scorer.kind->predict == NULL)
		missing_function(site->scorer.kind, "predict");
	PG_RETURN_FLOAT8(scoring_finite(crm_score(&site->scorer, scoring_row(site, PG_GETARG_ARRAYTYPE_P(1)))));
}

/* explain(m, features) */
Datum
crm_explain(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	scoring_site *site = scoring_site_of(fcinfo, 0);
	crm_env		env = crm_env_in(CurrentMemoryContext);
	const double *x;

	if (site->scorer.kind->explain == NULL)
		missing_function(site->scorer.kind, "explain");
	x = scoring_row(site, PG_GETARG_ARRAYTYPE_P(1));
	crm_check(site->scorer.kind->explain(site->scorer.prepared, &env, x, site->row), CRM_MODEL_TYPE, false);
	InitMaterializedSRF(fcinfo, 0);
	for (uint32 j = 0; j <= site->scorer.features; j++)
	{
		Datum		values[2] = {Int32GetDatum((int32) j), Float8GetDatum(scoring_finite(site->row[j]))};
		bool		nulls[2] = {false, false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
