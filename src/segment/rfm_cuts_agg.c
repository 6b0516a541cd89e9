/*
 * rfm_cuts_agg.c - the aggregate rfm_cuts_agg: borders from the customers
 * themselves.
 *
 * The state is an expanded object, as there are few groups of many customers.
 * It keeps days and numbers of events as counts per different value and the
 * amounts as they are: eight bytes a customer.  To be passed on to another
 * process it becomes one crm.agg_state, whose 1 GB hold 134 million customers.
 */
#include "segment/rfm.h"

#include <math.h>

#include "common/agg_state.h"
#include "common/bridge.h"
#include "common/decimal.h"
#include "common/expanded_state.h"

CRM_FUNCTION(crm_rfm_cuts_agg_transfn);
CRM_FUNCTION(crm_rfm_cuts_agg_parts_transfn);
CRM_FUNCTION(crm_rfm_cuts_agg_numeric_transfn);
CRM_FUNCTION(crm_rfm_cuts_agg_combinefn);
CRM_FUNCTION(crm_rfm_cuts_agg_finalfn);

#define CUTS_STATE_VERSION 1
/* bins and as_of stand before the sample. */
#define CUTS_STATE_HEADER (CRM_AGG_STATE_HEADER + 16)

typedef struct cuts_state
{
	ExpandedObjectHeader header;
	int32		bins;
	TimestampTz as_of;
	crm_rfm_sample sample;
} cuts_state;

/* ---- samples ------------------------------------------------------------ */

void
rfm_check_finite(const rfm_summary *summary)
{
	if (!summary->isnull[RFM_RECENCY] && TIMESTAMP_NOT_FINITE(summary->last_at))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("last_at of a customer must be a finite time")));
	if (!summary->isnull[RFM_MONETARY] && !isfinite(summary->monetary))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("monetary value \"%g\" of a customer is not a finite number", summary->monetary)));
}

void
rfm_summary_from_arguments(FunctionCallInfo fcinfo, int first, bool is_numeric, rfm_summary *summary)
{
	for (int i = 0; i < RFM_MEASURES; i++)
		summary->isnull[i] = PG_ARGISNULL(first + i);
	if (!summary->isnull[RFM_RECENCY])
		summary->last_at = PG_GETARG_TIMESTAMPTZ(first);
	if (!summary->isnull[RFM_FREQUENCY])
		summary->frequency = PG_GETARG_INT64(first + 1);
	if (!summary->isnull[RFM_MONETARY])
		summary->monetary = is_numeric ? crm_numeric_to_float8(PG_GETARG_DATUM(first + 2)) : PG_GETARG_FLOAT8(first + 2);
	rfm_check_finite(summary);
}

void
rfm_check_bins(int32 bins, TimestampTz as_of)
{
	if (bins < 1 || bins > CRM_RFM_MAX_BINS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of bins \"%d\" is out of range", bins),
				 errdetail("It lies between 1 and %d.", CRM_RFM_MAX_BINS)));
	if (TIMESTAMP_NOT_FINITE(as_of))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("as_of must be a finite time")));
}

void
rfm_sample_add(crm_rfm_sample *sample, TimestampTz as_of, const rfm_summary *summary)
{
	crm_status	status = CRM_OK;

	if (!summary->isnull[RFM_RECENCY])
		status = crm_rfm_counts_add(&sample->env, &sample->recency, crm_rfm_days(as_of, summary->last_at), 1);
	if (!summary->isnull[RFM_FREQUENCY] && status == CRM_OK)
		status = crm_rfm_counts_add(&sample->env, &sample->frequency, summary->frequency, 1);
	if (!summary->isnull[RFM_MONETARY] && status == CRM_OK)
		status = crm_rfm_values_add(&sample->env, &sample->monetary, summary->monetary);
	crm_check(status, "crm.agg_state", false);
}

void
rfm_sample_cuts(const crm_rfm_sample *sample, int32 bins, TimestampTz as_of, rfm_cuts *cuts)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	double	   *borders = palloc(RFM_MEASURES * bins * sizeof(double));

	memset(cuts, 0, sizeof(*cuts));
	cuts->has_as_of = true;
	cuts->as_of = as_of;
	/* Quantiles are the highest values of their bins. */
	cuts->inclusive = true;
	cuts->present[RFM_RECENCY] = sample->recency.total > 0;
	cuts->present[RFM_FREQUENCY] = sample->frequency.total > 0;
	cuts->present[RFM_MONETARY] = sample->monetary.total > 0;
	for (int i = 0; i < RFM_MEASURES; i++, borders += bins)
	{
		if (!cuts->present[i])
			continue;
		cuts->count[i] = bins - 1;
		cuts->borders[i] = (const char *) borders;
		if (i == RFM_MONETARY)
			crm_check(crm_rfm_values_borders(&env, &sample->monetary, bins, borders), "crm.agg_state", false);
		else
			crm_check(crm_rfm_counts_borders(&env, i == RFM_RECENCY ? &sample->recency : &sample->frequency,
											 bins, borders), "crm.agg_state", false);
	}
}

/* ---- the state ------------------------------------------------------------ */

static Size
flat_size(ExpandedObjectHeader *header)
{
	Size		size = CUTS_STATE_HEADER + crm_rfm_sample_size(&((cuts_state *) header)->sample);

	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("state of rfm_cuts_agg would need %zu bytes", size),
				 errdetail("It is passed on in at most %zu bytes: eight for each customer, 16 for each different number of days and of events.",
						   (Size) MaxAllocSize),
				 errhint("Take the borders from a sample of the customers, or without parallel workers.")));
	return size;
}

static void
flatten_into(ExpandedObjectHeader *header, void *result, Size size)
{
	const cuts_state *state = (const cuts_state *) header;
	uint8	   *data = (uint8 *) ((crm_agg_state *) result)->data;

	crm_agg_state_init(result, size, CRM_STATE_RFM_CUTS, CUTS_STATE_VERSION);
	crm_store64(data, (uint64) state->bins);
	crm_store64(data + 8, (uint64) state->as_of);
	crm_rfm_sample_write(&state->sample, data + 16);
}

static void *add_flat(void *at_hand, Datum value, MemoryContext parent, const void *use);

static const crm_expanded_kind cuts_kind = {{flat_size, flatten_into}, add_flat};

static cuts_state *
new_state(MemoryContext parent, int32 bins, TimestampTz as_of)
{
	MemoryContext context = AllocSetContextCreate(parent, "rfm_cuts_agg", ALLOCSET_DEFAULT_SIZES);
	cuts_state *state = MemoryContextAlloc(context, sizeof(cuts_state));
	crm_env		env = crm_env_in(context);

	EOH_init_header(&state->header, &cuts_kind.methods, context);
	state->bins = bins;
	state->as_of = as_of;
	crm_rfm_sample_init(&state->sample, &env);
	return state;
}

static void
check_parameters(const cuts_state *state, int32 bins, TimestampTz as_of)
{
	if (state->bins != bins || state->as_of != as_of)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bins and as_of must be the same for all customers of one group")));
}

/* Adds the sample of a flat state to one at hand, or to a new one. */
static void *
add_flat(void *at_hand, Datum value, MemoryContext parent, const void *use)
{
	cuts_state *state = at_hand;
	crm_agg_state *flat = crm_agg_state_fetch(value, CRM_STATE_RFM_CUTS, CUTS_STATE_VERSION, CUTS_STATE_HEADER);
	const uint8 *data = (const uint8 *) flat->data;
	int64		bins = (int64) crm_load64(data);
	TimestampTz as_of = (TimestampTz) crm_load64(data + 8);

	if (bins < 1 || bins > CRM_RFM_MAX_BINS || !IS_VALID_TIMESTAMP(as_of))
		crm_agg_state_damaged("A number in a state of rfm_cuts_agg is out of its range.");
	if (state == NULL)
		state = new_state(parent, (int32) bins, as_of);
	check_parameters(state, (int32) bins, as_of);
	crm_check(crm_rfm_sample_read(&state->sample, data + 16, VARSIZE(flat) - CUTS_STATE_HEADER), "crm.agg_state", false);
	return state;
}

/* ---- the aggregate --------------------------------------------------------- */

/* The state, made on the first row. */
static cuts_state *
begin_row(FunctionCallInfo fcinfo)
{
	MemoryContext aggcontext;
	cuts_state *state;
	int32		bins;
	TimestampTz as_of;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "transition function of rfm_cuts_agg called in non-aggregate context");
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bins and as_of of rfm_cuts_agg must not be NULL")));
	bins = PG_GETARG_INT32(1);
	as_of = PG_GETARG_TIMESTAMPTZ(2);
	if (PG_ARGISNULL(0))
	{
		rfm_check_bins(bins, as_of);
		return new_state(aggcontext, bins, as_of);
	}
	state = crm_expanded_writable(&cuts_kind, NULL, PG_GETARG_DATUM(0), aggcontext);
	check_parameters(state, bins, as_of);
	return state;
}

/* A row without a customer leaves the state as it is, even absent. */

/* One customer; one without any measure leaves the state as it is. */
static Datum
add_customer(FunctionCallInfo fcinfo, const rfm_summary *summary)
{
	cuts_state *state;

	if (summary->isnull[RFM_RECENCY] && summary->isnull[RFM_FREQUENCY] && summary->isnull[RFM_MONETARY])
		return crm_agg_unchanged(fcinfo);
	state = begin_row(fcinfo);
	rfm_sample_add(&state->sample, state->as_of, summary);
	return EOHPGetRWDatum(&state->header);
}

/* rfm_cuts_agg_transfn(state, bins int, as_of timestamptz, s rfm_summary) */
Datum
crm_rfm_cuts_agg_transfn(PG_FUNCTION_ARGS)
{
	rfm_summary summary;

	if (PG_ARGISNULL(3))
		return crm_agg_unchanged(fcinfo);
	rfm_summary_read(PG_GETARG_DATUM(3), &summary);
	return add_customer(fcinfo, &summary);
}

/* rfm_cuts_agg_transfn(state, bins int, as_of timestamptz, last_at timestamptz, frequency bigint, monetary float8) */
Datum
crm_rfm_cuts_agg_parts_transfn(PG_FUNCTION_ARGS)
{
	rfm_summary summary;

	rfm_summary_from_arguments(fcinfo, 3, false, &summary);
	return add_customer(fcinfo, &summary);
}

/* rfm_cuts_agg_transfn(state, bins int, as_of timestamptz, last_at timestamptz, frequency bigint, monetary numeric) */
Datum
crm_rfm_cuts_agg_numeric_transfn(PG_FUNCTION_ARGS)
{
	rfm_summary summary;

	rfm_summary_from_arguments(fcinfo, 3, true, &summary);
	return add_customer(fcinfo, &summary);
}

Datum
crm_rfm_cuts_agg_combinefn(PG_FUNCTION_ARGS)
{
	return crm_expanded_combine(fcinfo, &cuts_kind, NULL, "rfm_cuts_agg");
}

/* No customers: NULL. */
Datum
crm_rfm_cuts_agg_finalfn(PG_FUNCTION_ARGS)
{
	const cuts_state *state;
	rfm_cuts	cuts;

	state = crm_expanded_final(fcinfo, &cuts_kind, NULL, "rfm_cuts_agg");
	if (state == NULL)
		PG_RETURN_NULL();
	rfm_sample_cuts(&state->sample, state->bins, state->as_of, &cuts);
	PG_RETURN_POINTER(rfm_cuts_write(&cuts));
}
