/*
 * recommend.c - what a model of recommend_fit recommends, and how good that is.
 *
 * A query reads the model once, however many customers it serves.
 */
#include "common/crm.h"

#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "funcapi.h"
#include "kernel/recommend.h"
#include "scoring/scoring.h"
#include "utils/array.h"
#include "utils/tuplestore.h"

CRM_FUNCTION(crm_recommend_items);

/* The numbers of the items that the model knows. */
static uint32 *
known_items(const crm_recommender *r, ArrayType *array, const char *name, uint32 *count)
{
	Datum	   *items;
	bool	   *nulls;
	int			length;
	uint32	   *known;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be an array of one dimension, not %d", name, ARR_NDIM(array))));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &items, &nulls, &length);
	known = palloc(sizeof(uint32) * Max(length, 1));
	*count = 0;
	for (int i = 0; i < length; i++)
		if (!nulls[i])
		{
			text	   *item = (text *) DatumGetPointer(items[i]);
			uint32		number = crm_recommend_item(r, VARDATA_ANY(item), VARSIZE_ANY_EXHDR(item));

			if (number != CRM_RECOMMEND_UNKNOWN)
				known[(*count)++] = number;
		}
	return known;
}

static Datum
item_text(const crm_recommender *r, uint32 item)
{
	crm_model_text value = crm_recommend_text(r, item);

	return PointerGetDatum(cstring_to_text_with_len(value.bytes, (int) value.length));
}

/* recommend(m, items text[], n int [, suppressed text[]]) */
Datum
crm_recommend_items(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	scoring_site *site = scoring_site_of(fcinfo, 0);
	const crm_recommender *r = site->scorer.prepared;
	crm_env		env = crm_env_in(CurrentMemoryContext);
	int32		n = PG_GETARG_INT32(2);
	uint32	   *suppressed = NULL;
	uint32		suppressed_count = 0;
	uint32	   *owned;
	uint32		owned_count;
	crm_recommendation *list;
	uint32		count;

	if (!crm_model_recommends(site->model))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a model of kind \"%s\" recommends nothing", site->model->kind->name),
				 errhint("Models of recommend_fit do.")));
	if (n < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of recommendations must not be negative: %d", n)));
	owned = known_items(r, PG_GETARG_ARRAYTYPE_P(1), "items", &owned_count);
	if (PG_NARGS() > 3)
		suppressed = known_items(r, PG_GETARG_ARRAYTYPE_P(3), "suppressed", &suppressed_count);
	crm_check(crm_recommend(r, &env, owned, owned_count, suppressed, suppressed_count, (uint32) n, &list, &count), CRM_MODEL_TYPE, false);
	InitMaterializedSRF(fcinfo, 0);
	for (uint32 i = 0; i < count; i++)
	{
		Datum		because[CRM_RECOMMEND_REASONS];
		Datum		values[3];
		bool		nulls[3] = {false};

		for (uint32 k = 0; k < list[i].reasons; k++)
			because[k] = item_text(r, list[i].because[k]);
		values[0] = item_text(r, list[i].item);
		values[1] = Float8GetDatum(scoring_finite(list[i].score));
		values[2] = PointerGetDatum(construct_array(because, (int) list[i].reasons, TEXTOID, -1, false, TYPALIGN_INT));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
