/*
 * percentile.c - percentile_agg, percentile_at and band: the position of a value
 * among all values, and the band that a value falls into.
 *
 * The aggregate's state is an expanded object, as there are few groups of many
 * customers: eight bytes a value.  To be passed on to another process it
 * becomes one crm.agg_state, whose 1 GB hold 134 million values.
 */
#include "common/crm.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/agg_state.h"
#include "common/bridge.h"
#include "kernel/percentile.h"
#include "utils/array.h"
#include "utils/expandeddatum.h"

CRM_FUNCTION(crm_percentile_agg_transfn);
CRM_FUNCTION(crm_percentile_agg_combinefn);
CRM_FUNCTION(crm_percentile_agg_finalfn);
CRM_FUNCTION(crm_percentile_at_borders);
CRM_FUNCTION(crm_band);

#define PERCENTILE_STATE_VERSION 1

typedef struct percentile_state
{
	ExpandedObjectHeader header;
	crm_env		env;
	crm_rfm_values values;
} percentile_state;

/* ---- the state ------------------------------------------------------------ */

static Size
flat_size(ExpandedObjectHeader *header)
{
	Size		size = CRM_AGG_STATE_HEADER + 8 * ((percentile_state *) header)->values.total;

	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("state of percentile_agg would need %zu bytes", size),
				 errdetail("It is passed on in at most %zu bytes, eight for each value.", (Size) MaxAllocSize),
				 errhint("Take the borders from a sample of the rows, or without parallel workers.")));
	return size;
}

static void
flatten_into(ExpandedObjectHeader *header, void *result, Size size)
{
	const percentile_state *state = (const percentile_state *) header;
	char	   *out = ((crm_agg_state *) result)->data;

	crm_agg_state_init(result, size, CRM_STATE_PERCENTILE, PERCENTILE_STATE_VERSION);
	for (const crm_rfm_chunk *chunk = state->values.first; chunk != NULL; chunk = chunk->next)
	{
		for (uint32 i = 0; i < chunk->used; i++, out += 8)
		{
			uint64		bits;

			memcpy(&bits, &chunk->values[i], sizeof(bits));
			crm_store64(out, bits);
		}
		CHECK_FOR_INTERRUPTS();
	}
}

static const ExpandedObjectMethods percentile_state_methods = {flat_size, flatten_into};

static percentile_state *
new_state(MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "percentile_agg", ALLOCSET_DEFAULT_SIZES);
	percentile_state *state = MemoryContextAllocZero(context, sizeof(percentile_state));

	EOH_init_header(&state->header, &percentile_state_methods, context);
	state->env = crm_env_in(context);
	return state;
}

static void
add_value(percentile_state *state, float8 value)
{
	if (!isfinite(value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value \"%g\" of percentile_agg is not a finite number", value),
				 errhint("Make it NULL: it has no place among the others then.")));
	crm_check(crm_rfm_values_add(&state->env, &state->values, value), "crm.agg_state", false);
}

static percentile_state *
add_flat(percentile_state *state, Datum datum, MemoryContext parent)
{
	crm_agg_state *flat = crm_agg_state_fetch(datum, CRM_STATE_PERCENTILE, PERCENTILE_STATE_VERSION, CRM_AGG_STATE_HEADER);
	Size		size = VARSIZE(flat) - CRM_AGG_STATE_HEADER;

	if (size % 8 != 0)
		crm_agg_state_damaged("A state of percentile_agg ends within a value.");
	if (state == NULL)
		state = new_state(parent);
	for (Size at = 0; at < size; at += 8)
	{
		uint64		bits = crm_load64(flat->data + at);
		float8		value;

		memcpy(&value, &bits, sizeof(value));
		if (!isfinite(value))
			crm_agg_state_damaged("A number in a state of percentile_agg is not finite.");
		add_value(state, value);
		if (at % 1048576 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return state;
}

/* The expanded state at hand, or NULL: the only expanded objects of this type are ours. */
static percentile_state *
expanded_state(Datum value)
{
	ExpandedObjectHeader *header;

	if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)))
		return NULL;
	header = DatumGetEOHP(value);
	return header->eoh_methods == &percentile_state_methods ? (percentile_state *) header : NULL;
}

/* The state as one that may be changed and lives in the aggregate's memory. */
static percentile_state *
writable_state(Datum value, MemoryContext aggcontext)
{
	percentile_state *state = VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(value)) ? expanded_state(value) : NULL;

	return state != NULL ? state : add_flat(NULL, value, aggcontext);
}

/* ---- the aggregate --------------------------------------------------------- */

#define RETURN_UNCHANGED() \
	do { \
		if (PG_ARGISNULL(0)) \
			PG_RETURN_NULL(); \
		PG_RETURN_DATUM(PG_GETARG_DATUM(0)); \
	} while (0)

/* percentile_agg_transfn(state, value float8); NULL has no place */
Datum
crm_percentile_agg_transfn(PG_FUNCTION_ARGS)
{
	MemoryContext aggcontext;
	percentile_state *state;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "percentile_agg_transfn called in non-aggregate context");
	if (PG_ARGISNULL(1))
		RETURN_UNCHANGED();
	state = PG_ARGISNULL(0) ? new_state(aggcontext) : writable_state(PG_GETARG_DATUM(0), aggcontext);
	add_value(state, PG_GETARG_FLOAT8(1));
	return EOHPGetRWDatum(&state->header);
}

Datum
crm_percentile_agg_combinefn(PG_FUNCTION_ARGS)
{
	MemoryContext aggcontext;
	percentile_state *state;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "percentile_agg_combinefn called in non-aggregate context");
	if (PG_ARGISNULL(1))
		RETURN_UNCHANGED();
	state = PG_ARGISNULL(0) ? NULL : writable_state(PG_GETARG_DATUM(0), aggcontext);
	state = add_flat(state, PG_GETARG_DATUM(1), aggcontext);
	return EOHPGetRWDatum(&state->header);
}

/* No values: NULL. */
Datum
crm_percentile_agg_finalfn(PG_FUNCTION_ARGS)
{
	MemoryContext aggcontext;
	percentile_state *state;
	crm_env		env = crm_env_in(CurrentMemoryContext);
	double	   *numbers;
	size_t		count;
	Datum	   *elements;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "percentile_agg_finalfn called in non-aggregate context");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = expanded_state(PG_GETARG_DATUM(0));
	if (state == NULL)
		state = add_flat(NULL, PG_GETARG_DATUM(0), CurrentMemoryContext);
	if (state->values.total == 0)
		PG_RETURN_NULL();
	crm_check(crm_percentile_borders(&env, &state->values, &numbers, &count), "crm.agg_state", false);
	elements = palloc(count * sizeof(Datum));
	for (size_t i = 0; i < count; i++)
		elements[i] = Float8GetDatum(numbers[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, (int) count, FLOAT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* ---- asking ----------------------------------------------------------------- */

static const float8 *
numbers_of(ArrayType *array, int *count)
{
	*count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (ARR_NDIM(array) > 1 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("borders must be a list of numbers without NULL")));
	return (const float8 *) ARR_DATA_PTR(array);
}

/* percentile_at(value float8, borders float8[]) */
Datum
crm_percentile_at_borders(PG_FUNCTION_ARGS)
{
	float8		value = PG_GETARG_FLOAT8(0);
	int			count;
	const float8 *numbers = numbers_of(PG_GETARG_ARRAYTYPE_P(1), &count);

	if (count < CRM_PERCENTILE_HEADER + 2 || count % 2 != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("these are no borders of percentiles"),
				 errdetail("They have %d numbers.", count),
				 errhint("Give what percentile_agg gives.")));
	if (isnan(value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("NaN has no place among numbers")));
	PG_RETURN_FLOAT8(crm_percentile_at(numbers, (size_t) count, value));
}

/* band(value float8, borders float8[], labels text[]) */
Datum
crm_band(PG_FUNCTION_ARGS)
{
	const float8 *borders;
	float8		value;
	int			count;
	int			band = 0;
	ArrayType  *labels;
	Datum		label;
	bool		isnull;
	int			place;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	value = PG_GETARG_FLOAT8(0);
	borders = numbers_of(PG_GETARG_ARRAYTYPE_P(1), &count);
	for (int i = 0; i < count; i++)
	{
		if (isnan(borders[i]) || (i > 0 && borders[i] <= borders[i - 1]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("borders must ascend"),
					 errdetail("Border %d is %g.", i + 1, borders[i])));
		band += value >= borders[i] || isnan(value);
	}
	if (PG_ARGISNULL(2))
		PG_RETURN_TEXT_P(cstring_to_text(psprintf("%d", band + 1)));
	labels = PG_GETARG_ARRAYTYPE_P(2);
	if (ARR_NDIM(labels) != 1 || ARR_DIMS(labels)[0] != count + 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%d borders make %d bands, and there are %d labels", count, count + 1,
						ArrayGetNItems(ARR_NDIM(labels), ARR_DIMS(labels))),
				 errhint("Give one label more than borders, from the lowest band.")));
	place = ARR_LBOUND(labels)[0] + band;
	label = array_get_element(PointerGetDatum(labels), 1, &place, -1, -1, false, TYPALIGN_INT, &isnull);
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(label);
}
