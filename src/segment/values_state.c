/*
 * values_state.c - the state of aggregates that look at all of their numbers at
 * the end.
 */
#include "segment/values_state.h"

#include <math.h>

/* After the header: bins (4 bytes), 4 bytes 0, min_share, numbers without or with label false (8 bytes), and all numbers. */
#define VALUES_STATE_HEADER (CRM_AGG_STATE_HEADER + 24)

/* ---- the state ------------------------------------------------------------ */

static Size
flat_size(ExpandedObjectHeader *header)
{
	const segment_values *state = (const segment_values *) header;
	Size		size = VALUES_STATE_HEADER + 8 * (state->values[0].total + state->values[1].total);

	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("state of %s would need %zu bytes", state->use->function, size),
				 errdetail("It is passed on in at most %zu bytes, eight for each value.", (Size) MaxAllocSize),
				 errhint("Take a sample of the rows, or do without parallel workers.")));
	return size;
}

static uint64
bits_of(float8 value)
{
	uint64		bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static float8
float_of(uint64 bits)
{
	float8		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static void
flatten_into(ExpandedObjectHeader *header, void *result, Size size)
{
	const segment_values *state = (const segment_values *) header;
	char	   *out = ((crm_agg_state *) result)->data;

	crm_agg_state_init(result, size, state->use->kind, state->use->version);
	crm_store32(out, (uint32) state->bins);
	crm_store32(out + 4, 0);
	crm_store64(out + 8, bits_of(state->min_share));
	crm_store64(out + 16, state->values[0].total);
	out += 24;
	for (int label = 0; label < 2; label++)
		for (const crm_rfm_chunk *chunk = state->values[label].first; chunk != NULL; chunk = chunk->next)
		{
			for (uint32 i = 0; i < chunk->used; i++, out += 8)
				crm_store64(out, bits_of(chunk->values[i]));
			CHECK_FOR_INTERRUPTS();
		}
}

static void *add_flat(void *at_hand, Datum value, MemoryContext parent, const void *of_use);

static const crm_expanded_kind values_kind = {{flat_size, flatten_into}, add_flat, offsetof(segment_values, use)};

static segment_values *
new_state(MemoryContext parent, const segment_values_use *use, int32 bins, float8 min_share)
{
	MemoryContext context = AllocSetContextCreate(parent, "crm values", ALLOCSET_DEFAULT_SIZES);
	segment_values *state = MemoryContextAllocZero(context, sizeof(segment_values));

	EOH_init_header(&state->header, &values_kind.methods, context);
	state->use = use;
	state->env = crm_env_in(context);
	state->bins = bins;
	state->min_share = min_share;
	return state;
}

static bool
is_share(float8 share)
{
	return share >= 0 && share <= 0.5;
}

void
segment_check_bins(int32 bins, const char *function)
{
	if (bins < 1 || bins > CRM_RFM_MAX_BINS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of bins \"%d\" of %s is out of range", bins, function),
				 errdetail("It lies between 1 and %d.", CRM_RFM_MAX_BINS)));
}

static void
check_same(const segment_values *state, int32 bins, float8 min_share)
{
	if (state->bins != bins || state->min_share != min_share)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number and share of bins of %s must be the same for all rows of one group", state->use->function)));
}

static void
add_number(segment_values *state, bool label, float8 value)
{
	crm_check(crm_rfm_values_add(&state->env, &state->values[label], value), "crm.agg_state", false);
}

static void *
add_flat(void *at_hand, Datum value, MemoryContext parent, const void *of_use)
{
	segment_values *state = at_hand;
	const segment_values_use *use = of_use;
	crm_agg_state *flat = crm_agg_state_fetch(value, use->kind, use->version, VALUES_STATE_HEADER);
	const char *data = flat->data;
	Size		count = (VARSIZE(flat) - VALUES_STATE_HEADER) / 8;
	int32		bins = (int32) crm_load32(data);
	float8		min_share = float_of(crm_load64(data + 8));
	uint64		first = crm_load64(data + 16);

	if ((VARSIZE(flat) - VALUES_STATE_HEADER) % 8 != 0 || first > count || crm_load32(data + 4) != 0)
		crm_agg_state_damaged("A state of numbers ends within one.");
	if (use->bins ? bins < 1 || bins > CRM_RFM_MAX_BINS || !is_share(min_share) : bins != 0 || min_share != 0)
		crm_agg_state_damaged("A parameter in a state of numbers is out of its range.");
	if (state == NULL)
		state = new_state(parent, use, bins, min_share);
	check_same(state, bins, min_share);
	data += 24;
	for (Size i = 0; i < count; i++)
	{
		float8		value = float_of(crm_load64(data + 8 * i));

		if (!isfinite(value))
			crm_agg_state_damaged("A number in a state is not finite.");
		add_number(state, i >= first, value);
		if (i % 131072 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return state;
}

/* ---- the aggregates -------------------------------------------------------- */

segment_values *
segment_values_state(FunctionCallInfo fcinfo, const segment_values_use *use, int32 bins, float8 min_share)
{
	MemoryContext aggcontext;
	segment_values *state;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "transition function of %s called in non-aggregate context", use->function);
	if (!PG_ARGISNULL(0))
	{
		state = crm_expanded_writable(&values_kind, use, PG_GETARG_DATUM(0), aggcontext);
		check_same(state, bins, min_share);
		return state;
	}
	if (use->bins)
		segment_check_bins(bins, use->function);
	if (!is_share(min_share))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_share \"%g\" of %s is out of range", min_share, use->function),
				 errdetail("It is a share of the rows, from 0 to 0.5.")));
	return new_state(aggcontext, use, bins, min_share);
}

Datum
segment_values_add(segment_values *state, bool label, float8 value)
{
	if (!isfinite(value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value \"%g\" of %s is not a finite number", value, state->use->function),
				 errhint("Make it NULL: it has no place among the others then.")));
	add_number(state, label, value);
	return EOHPGetRWDatum(&state->header);
}

Datum
segment_values_combine(FunctionCallInfo fcinfo, const segment_values_use *use)
{
	return crm_expanded_combine(fcinfo, &values_kind, use, use->function);
}

const segment_values *
segment_values_final(FunctionCallInfo fcinfo, const segment_values_use *use)
{
	const segment_values *state = crm_expanded_final(fcinfo, &values_kind, use, use->function);

	return state != NULL && state->values[0].total + state->values[1].total > 0 ? state : NULL;
}
