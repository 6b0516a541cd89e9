/*
 * bsi_agg.c - aggregates that make and merge bit-sliced numbers.
 *
 * The state is a crm.bsi, so that it can be merged anywhere, in one of three
 * shapes, as those of audience_agg:
 *
 *   pending   flags bit 0: pairs as they came, 24 bytes each, in a flat value
 *             with room to grow, changed in place; values per group of many
 *             groups stay so
 *   flat      an ordinary value
 *   expanded  a collector in an expanded object, once a group has grown
 */
#include "audience/bsi.h"

#include "common/bridge.h"
#include "utils/expandeddatum.h"

CRM_FUNCTION(crm_bsi_agg_numeric_transfn);
CRM_FUNCTION(crm_bsi_agg_bigint_transfn);
CRM_FUNCTION(crm_bsi_agg_int_transfn);
CRM_FUNCTION(crm_bsi_agg_finalfn);
CRM_FUNCTION(crm_bsi_merge_transfn);
CRM_FUNCTION(crm_points_agg_transfn);

/* A group with more pairs than this gets a collector. */
#define PENDING_MAX 1024
#define PENDING_FIRST 4

/* ---- the expanded shape ------------------------------------------------------- */

#define GATHERING_MAGIC 0x63726d42

typedef struct gathering
{
	ExpandedObjectHeader hdr;
	int			magic;
	crm_bsi_collector *collector;
	const crm_bsi_image *image; /* between asking for the flat size and writing; the collector's */
} gathering;

static Size
gathering_flat_size(ExpandedObjectHeader *hdr)
{
	gathering  *g = (gathering *) hdr;

	crm_bsi_check(crm_bsi_collector_build(g->collector, &g->image));
	return crm_bsi_flat_size(g->image);
}

static void
gathering_flatten(ExpandedObjectHeader *hdr, void *result, Size allocated)
{
	gathering  *g = (gathering *) hdr;

	Assert(g->image && allocated == crm_bsi_flat_size(g->image));
	crm_bsi_write(g->image, result);
}

static const ExpandedObjectMethods gathering_methods = {gathering_flat_size, gathering_flatten};

static gathering *
new_gathering(MemoryContext aggregate)
{
	MemoryContext context = AllocSetContextCreate(aggregate, "bsi being gathered", ALLOCSET_DEFAULT_SIZES);
	gathering  *g = MemoryContextAllocZero(context, sizeof(gathering));
	crm_env		env = crm_env_in(context);

	EOH_init_header(&g->hdr, &gathering_methods, context);
	g->magic = GATHERING_MAGIC;
	crm_bsi_check(crm_bsi_collector_new(&env, &g->collector));
	return g;
}

static inline gathering *
datum_gathering(Datum value)
{
	gathering  *g = (gathering *) DatumGetEOHP(value);

	if (g->magic != GATHERING_MAGIC)
		elog(ERROR, "unexpected expanded object in the state of a bsi aggregate");
	return g;
}

/* Adds a value in either flat shape to a collector. */
static void
gather_value(gathering *g, crm_bsi_datum *value)
{
	crm_bsi_open_value open;

	if (value->flags & CRM_BSI_PENDING)
	{
		const crm_bsi_pair *pairs = (const crm_bsi_pair *) value->data;

		for (uint64 i = 0; i < value->cardinality; i++)
			crm_bsi_check(crm_bsi_collector_add(g->collector, pairs[i].id, crm_bsi_pair_value(&pairs[i]), value->scale));
		return;
	}
	crm_bsi_fetch(PointerGetDatum(value), &open);
	crm_bsi_check(crm_bsi_collector_merge(g->collector, &open.bsi));
}

/* ---- the pending shape ----------------------------------------------------------- */

static inline crm_bsi_pair *
pending_pairs(crm_bsi_datum *state)
{
	return (crm_bsi_pair *) state->data;
}

static inline Size
pending_room(const crm_bsi_datum *state)
{
	return (VARSIZE(state) - CRM_BSI_HEADER) / sizeof(crm_bsi_pair);
}

static crm_bsi_datum *
new_pending(Size room)
{
	Size		size = CRM_BSI_HEADER + room * sizeof(crm_bsi_pair);
	crm_bsi_datum *state = palloc(size);

	memset(state, 0, CRM_BSI_HEADER);
	SET_VARSIZE(state, size);
	state->version = CRM_BSI_VERSION;
	state->flags = CRM_BSI_PENDING;
	return state;
}

/* Brings the list, or the number, to the greater scale of the two. */
static inline crm_int128
align_scale(crm_bsi_datum *state, crm_int128 value, uint32 scale)
{
	if (scale == state->scale)
		return value;
	if (scale < state->scale)
	{
		if (!crm_bsi_scale_up(&value, state->scale - scale))
			crm_bsi_out_of_range();
		return value;
	}
	crm_bsi_check(crm_bsi_pairs_rescale(pending_pairs(state), state->cardinality, scale - state->scale));
	state->scale = (uint8) scale;
	return value;
}

static inline void
pending_add(crm_bsi_datum *state, uint64 id, crm_int128 value, uint32 scale)
{
	value = align_scale(state, value, scale);
	crm_bsi_pair_set(&pending_pairs(state)[state->cardinality++], id, value);
}

/* A list that is full: settled, moved to twice the room, or to a collector. */
static Datum
make_room(MemoryContext aggregate, crm_bsi_datum *state, uint64 id, crm_int128 value, uint32 scale)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_bsi_datum *larger;

	if (state->cardinality > PENDING_FIRST)
	{
		crm_bsi_pair *scratch = palloc(state->cardinality * sizeof(crm_bsi_pair));
		size_t		count = state->cardinality;

		crm_bsi_check(crm_bsi_pairs_settle(&env, pending_pairs(state), scratch, &count));
		state->cardinality = count;
		pfree(scratch);
	}
	if (state->cardinality <= pending_room(state) / 2)
	{
		pending_add(state, id, value, scale);
		return PointerGetDatum(state);
	}
	if (state->cardinality >= PENDING_MAX)
	{
		gathering  *g = new_gathering(aggregate);

		gather_value(g, state);
		crm_bsi_check(crm_bsi_collector_add(g->collector, id, value, scale));
		return EOHPGetRWDatum(&g->hdr);
	}
	larger = new_pending(Min(pending_room(state) * 2, PENDING_MAX));
	larger->scale = state->scale;
	larger->cardinality = state->cardinality;
	memcpy(larger->data, state->data, state->cardinality * sizeof(crm_bsi_pair));
	pending_add(larger, id, value, scale);
	return PointerGetDatum(larger);
}

/* ---- adding numbers ------------------------------------------------------------------- */

static Datum
add_number(FunctionCallInfo fcinfo, MemoryContext aggregate, crm_int128 value, uint32 scale)
{
	int64		id = PG_GETARG_INT64(1);
	crm_bsi_datum *state;

	if (unlikely(id < 0))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("id \"%lld\" is out of range for type %s", (long long) id, CRM_BSI_TYPE),
				 errdetail("Ids lie between 0 and 9223372036854775807.")));
	if (PG_ARGISNULL(0))
	{
		state = new_pending(PENDING_FIRST);
		pending_add(state, (uint64) id, value, scale);
		PG_RETURN_POINTER(state);
	}
	if (VARATT_IS_EXTERNAL_EXPANDED_RW(PG_GETARG_POINTER(0)))
	{
		crm_status	status = crm_bsi_collector_add(datum_gathering(PG_GETARG_DATUM(0))->collector, (uint64) id, value, scale);

		if (unlikely(status != CRM_OK))
			crm_bsi_check(status);
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}

	state = (crm_bsi_datum *) PG_GETARG_POINTER(0);
	/* Shapes that only another node's state can have here are turned into a collector. */
	if (VARATT_IS_EXTENDED(state) || !(state->flags & CRM_BSI_PENDING))
	{
		gathering  *g = new_gathering(aggregate);

		gather_value(g, crm_bsi_detoast(PG_GETARG_DATUM(0)));
		crm_bsi_check(crm_bsi_collector_add(g->collector, (uint64) id, value, scale));
		PG_RETURN_DATUM(EOHPGetRWDatum(&g->hdr));
	}
	if (state->cardinality < pending_room(state))
	{
		pending_add(state, (uint64) id, value, scale);
		PG_RETURN_POINTER(state);
	}
	PG_RETURN_DATUM(make_room(aggregate, state, (uint64) id, value, scale));
}

/* The aggregate's memory, after the call was checked; true when the row counts. */
static inline bool
row_counts(FunctionCallInfo fcinfo, MemoryContext *aggregate)
{
	if (!AggCheckCallContext(fcinfo, aggregate))
		elog(ERROR, "bsi_agg_transfn called in non-aggregate context");
	return !PG_ARGISNULL(1) && !PG_ARGISNULL(2);
}

static inline Datum
unchanged_state(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

Datum
crm_bsi_agg_numeric_transfn(PG_FUNCTION_ARGS)
{
	MemoryContext aggregate;
	crm_int128	value;
	uint32		scale;

	if (!row_counts(fcinfo, &aggregate))
		return unchanged_state(fcinfo);
	value = crm_bsi_from_numeric(PG_GETARG_DATUM(2), &scale);
	return add_number(fcinfo, aggregate, value, scale);
}

Datum
crm_bsi_agg_bigint_transfn(PG_FUNCTION_ARGS)
{
	MemoryContext aggregate;

	if (!row_counts(fcinfo, &aggregate))
		return unchanged_state(fcinfo);
	return add_number(fcinfo, aggregate, PG_GETARG_INT64(2), 0);
}

Datum
crm_bsi_agg_int_transfn(PG_FUNCTION_ARGS)
{
	MemoryContext aggregate;

	if (!row_counts(fcinfo, &aggregate))
		return unchanged_state(fcinfo);
	return add_number(fcinfo, aggregate, PG_GETARG_INT32(2), 0);
}

/* No rows: a value without numbers.  The state stays as it is, for window frames. */
Datum
crm_bsi_agg_finalfn(PG_FUNCTION_ARGS)
{
	crm_bsi_open_value *open = palloc(sizeof(crm_bsi_open_value));

	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(crm_bsi_empty());
	crm_bsi_fetch(PG_GETARG_DATUM(0), open);
	PG_RETURN_POINTER(open->datum);
}

/* ---- merging ------------------------------------------------------------------------------ */

/* Transition of bsi_merge_agg, and the combine function of it and of bsi_agg. */
Datum
crm_bsi_merge_transfn(PG_FUNCTION_ARGS)
{
	MemoryContext aggregate;
	crm_bsi_datum *state;
	crm_bsi_datum *value;
	gathering  *g;

	if (!AggCheckCallContext(fcinfo, &aggregate))
		elog(ERROR, "bsi_merge_transfn called in non-aggregate context");
	if (PG_ARGISNULL(1))
		return unchanged_state(fcinfo);

	/* A flat copy in short-lived memory; lists stay lists. */
	value = crm_bsi_detoast(PG_GETARG_DATUM(1));
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(value);
	if (VARATT_IS_EXTERNAL_EXPANDED_RW(PG_GETARG_POINTER(0)))
	{
		gather_value(datum_gathering(PG_GETARG_DATUM(0)), value);
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}

	/* Two small ones stay a small flat one. */
	state = crm_bsi_detoast(PG_GETARG_DATUM(0));
	if (state->cardinality + value->cardinality <= PENDING_MAX)
	{
		crm_env		env = crm_env_in(CurrentMemoryContext);
		crm_bsi_open_value *a = palloc(sizeof(crm_bsi_open_value));
		crm_bsi_open_value *b = palloc(sizeof(crm_bsi_open_value));
		crm_bsi_image image;

		crm_bsi_fetch(PointerGetDatum(state), a);
		crm_bsi_fetch(PointerGetDatum(value), b);
		crm_bsi_check(crm_bsi_plus(&env, &a->bsi, &b->bsi, &image));
		PG_RETURN_POINTER(crm_bsi_finish(&image));
	}
	g = new_gathering(aggregate);
	gather_value(g, state);
	gather_value(g, value);
	PG_RETURN_DATUM(EOHPGetRWDatum(&g->hdr));
}

/* points_agg_transfn(state, members audience, points numeric): there are few groups of large sets, so the state is gathered at once */
Datum
crm_points_agg_transfn(PG_FUNCTION_ARGS)
{
	MemoryContext aggregate;
	crm_int128	value;
	uint32		scale;
	gathering  *g;
	crm_audience *members;

	if (!AggCheckCallContext(fcinfo, &aggregate))
		elog(ERROR, "points_agg_transfn called in non-aggregate context");
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return unchanged_state(fcinfo);
	value = crm_bsi_from_numeric(PG_GETARG_DATUM(2), &scale);
	members = crm_audience_fetch(PG_GETARG_DATUM(1), NULL, 1);
	if (!PG_ARGISNULL(0) && VARATT_IS_EXTERNAL_EXPANDED_RW(PG_GETARG_POINTER(0)))
		g = datum_gathering(PG_GETARG_DATUM(0));
	else
	{
		g = new_gathering(aggregate);
		if (!PG_ARGISNULL(0))
			gather_value(g, crm_bsi_detoast(PG_GETARG_DATUM(0)));
	}
	crm_bsi_check(crm_bsi_collector_add_set(g->collector, crm_audience_ids(members), value, scale));
	PG_RETURN_DATUM(EOHPGetRWDatum(&g->hdr));
}
