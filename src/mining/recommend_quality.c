/*
 * recommend_quality.c - the aggregate recommendation_quality_agg.
 */
#include "common/crm.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/agg_state.h"
#include "common/bridge.h"
#include "common/expanded_state.h"
#include "common/settings.h"
#include "funcapi.h"
#include "kernel/recommend_quality.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

CRM_FUNCTION(crm_recommendation_quality_transfn);
CRM_FUNCTION(crm_recommendation_quality_combinefn);
CRM_FUNCTION(crm_recommendation_quality_finalfn);

#define QUALITY_STATE_VERSION 1
/* k stands before what the kernel writes, padded to 8 bytes. */
#define QUALITY_HEADER 8

typedef struct quality_state
{
	ExpandedObjectHeader header;
	crm_quality quality;
} quality_state;

static void
check(crm_status status)
{
	if (status == CRM_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("items of recommendation_quality_agg need more than crm_analytics.training_memory"),
				 errhint("Raise crm_analytics.training_memory.")));
	if (status == CRM_CORRUPT)
		crm_agg_state_damaged("The sums in a state of recommendation_quality_agg are not whole.");
	crm_check(status, "crm.agg_state", false);
}

/* ---- the state ------------------------------------------------------------- */

static Size
flat_size(ExpandedObjectHeader *header)
{
	Size		size = CRM_AGG_STATE_HEADER + QUALITY_HEADER + crm_quality_size(&((quality_state *) header)->quality);

	crm_check_size(size, "crm.agg_state");
	return size;
}

static void
flatten_into(ExpandedObjectHeader *header, void *result, Size size)
{
	const quality_state *state = (const quality_state *) header;
	uint8	   *data = (uint8 *) ((crm_agg_state *) result)->data;

	crm_agg_state_init(result, size, CRM_STATE_RECOMMENDED, QUALITY_STATE_VERSION);
	crm_store64(data, state->quality.k);
	crm_quality_write(&state->quality, data + QUALITY_HEADER);
}

static void *add_flat(void *at_hand, Datum value, MemoryContext parent, const void *use);

static const crm_expanded_kind quality_kind = {{flat_size, flatten_into}, add_flat};

static quality_state *
new_state(MemoryContext parent, uint32 k)
{
	MemoryContext context = AllocSetContextCreate(parent, "crm recommendation quality", ALLOCSET_SMALL_SIZES);
	quality_state *state = MemoryContextAllocZero(context, sizeof(quality_state));
	crm_env		env = crm_env_in(context);

	EOH_init_header(&state->header, &quality_kind.methods, context);
	crm_quality_init(&state->quality, &env, k, (Size) crm_training_memory * 1024);
	return state;
}

static void
check_same(const quality_state *state, uint32 k)
{
	if (state->quality.k != k)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k of recommendation_quality_agg changes within a group: %u, then %u", state->quality.k, k)));
}

static void *
add_flat(void *at_hand, Datum value, MemoryContext parent, const void *use)
{
	quality_state *state = at_hand;
	crm_agg_state *flat = crm_agg_state_fetch(value, CRM_STATE_RECOMMENDED, QUALITY_STATE_VERSION, CRM_AGG_STATE_HEADER + QUALITY_HEADER);
	const uint8 *data = (const uint8 *) flat->data;
	uint64		k = crm_load64(data);
	uint32		items;

	if (k < 1 || k > CRM_QUALITY_MAX_K)
		crm_agg_state_damaged("The k in a state of recommendation_quality_agg is not one.");
	if (state == NULL)
		state = new_state(parent, (uint32) k);
	check_same(state, (uint32) k);
	items = state->quality.items.count;
	check(crm_quality_read(&state->quality, data + QUALITY_HEADER, VARSIZE(flat) - CRM_AGG_STATE_HEADER - QUALITY_HEADER));
	for (; items < state->quality.items.count; items++)
		if (!pg_verifymbstr(state->quality.items.entries[items].text, (int) state->quality.items.entries[items].length, true))
			crm_agg_state_damaged("An item in a state of recommendation_quality_agg is not a text of this database's encoding.");
	return state;
}

/* ---- the aggregate's functions ------------------------------------------------ */

static crm_quality_text *
texts_of(ArrayType *array, const char *name, uint32 *count)
{
	Datum	   *items;
	bool	   *nulls;
	int			length;
	crm_quality_text *texts;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be an array of one dimension, not %d", name, ARR_NDIM(array))));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &items, &nulls, &length);
	texts = palloc(sizeof(crm_quality_text) * Max(length, 1));
	*count = 0;
	for (int i = 0; i < length; i++)
		if (!nulls[i])
		{
			text	   *item = (text *) DatumGetPointer(items[i]);

			texts[(*count)++] = (crm_quality_text) {VARDATA_ANY(item), VARSIZE_ANY_EXHDR(item)};
		}
	return texts;
}

/* recommendation_quality_transfn(state, k int, recommended text[], taken text[]) */
Datum
crm_recommendation_quality_transfn(PG_FUNCTION_ARGS)
{
	MemoryContext aggcontext;
	quality_state *state;
	crm_quality_text *recommended = NULL;
	crm_quality_text *taken = NULL;
	uint32		recommended_count = 0;
	uint32		taken_count = 0;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "recommendation_quality_transfn called in non-aggregate context");
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("k of recommendation_quality_agg must not be null")));
	if (PG_GETARG_INT32(1) < 1 || PG_GETARG_INT32(1) > CRM_QUALITY_MAX_K)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k of recommendation_quality_agg must be from 1 to %d: %d", CRM_QUALITY_MAX_K, PG_GETARG_INT32(1)),
				 errdetail("It is how many of the recommendations are looked at.")));
	if (PG_ARGISNULL(0))
		state = new_state(aggcontext, (uint32) PG_GETARG_INT32(1));
	else
	{
		state = crm_expanded_writable(&quality_kind, NULL, PG_GETARG_DATUM(0), aggcontext);
		check_same(state, (uint32) PG_GETARG_INT32(1));
	}
	if (!PG_ARGISNULL(3))
		taken = texts_of(PG_GETARG_ARRAYTYPE_P(3), "taken", &taken_count);
	if (!PG_ARGISNULL(2))
		recommended = texts_of(PG_GETARG_ARRAYTYPE_P(2), "recommended", &recommended_count);
	/* Nothing could have been right for a customer who took nothing. */
	if (taken_count > 0)
		check(crm_quality_add(&state->quality, recommended, recommended_count, taken, taken_count));
	return EOHPGetRWDatum(&state->header);
}

Datum
crm_recommendation_quality_combinefn(PG_FUNCTION_ARGS)
{
	return crm_expanded_combine(fcinfo, &quality_kind, NULL, "recommendation_quality_agg");
}

/* (customers, hit_rate, precision, recall, ndcg, mrr, items); without customers the means are NULL. */
Datum
crm_recommendation_quality_finalfn(PG_FUNCTION_ARGS)
{
	const quality_state *state = crm_expanded_final(fcinfo, &quality_kind, NULL, "recommendation_quality_agg");
	TupleDesc	desc = lookup_rowtype_tupdesc_copy(get_func_rettype(fcinfo->flinfo->fn_oid), -1);
	Datum		values[CRM_QUALITY_MEASURES + 2] = {0};
	bool		nulls[CRM_QUALITY_MEASURES + 2] = {false};
	uint64		customers = 0;

	if (state != NULL)
		customers = state->quality.customers;
	values[0] = Int64GetDatum((int64) customers);
	for (int i = 0; i < CRM_QUALITY_MEASURES; i++)
	{
		nulls[i + 1] = customers == 0;
		if (customers > 0)
			values[i + 1] = Float8GetDatum(crm_quality_mean(&state->quality, (crm_quality_measure) i));
	}
	values[CRM_QUALITY_MEASURES + 1] = Int64GetDatum(state == NULL ? 0 : (int64) state->quality.items.count);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
