/*
 * agg.c - aggregates over ids and over audiences.
 *
 * The state is a crm.audience, so that it can be merged anywhere, in one of
 * three shapes:
 *
 *   pending   flags bit 0: the ids as they came, 8 bytes each, in a flat value
 *             with room to grow, changed in place; sets per group of many
 *             groups stay so
 *   flat      an ordinary value
 *   expanded  a collector in an expanded object, once a group has grown
 *
 * A state that changes its shape is made in the current memory: the executor
 * copies what is not an expanded object of its own into the aggregate's.
 */
#include "audience/audience.h"

#include "common/agg_state.h"
#include "common/bridge.h"
#include "utils/expandeddatum.h"

CRM_FUNCTION(crm_audience_agg_transfn);
CRM_FUNCTION(crm_audience_agg_finalfn);
CRM_FUNCTION(crm_audience_union_transfn);
CRM_FUNCTION(crm_audience_intersect_transfn);

/* A group with more ids than this gets a collector. */
#define PENDING_MAX 1024
#define PENDING_FIRST 4

/* ---- the expanded shape ------------------------------------------------------- */

#define GATHERING_MAGIC 0x63726d41

typedef struct gathering
{
	ExpandedObjectHeader hdr;
	int			magic;
	uint32		population;
	crm_ids_collector *collector;
	/* Between asking for the flat size and writing: the finished set. */
	crm_audience *flat;
} gathering;

/* What has been gathered as a flat value, in the current memory. */
static crm_audience *
gathering_value(gathering *g)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_ids_builder *builder;

	crm_check(crm_ids_builder_new(&env, &builder), CRM_AUDIENCE_TYPE, false);
	crm_check(crm_ids_collector_build(g->collector, builder), CRM_AUDIENCE_TYPE, false);
	return crm_audience_finish(builder, g->population);
}

static Size
gathering_flat_size(ExpandedObjectHeader *hdr)
{
	gathering  *g = (gathering *) hdr;
	MemoryContext before = MemoryContextSwitchTo(hdr->eoh_context);

	if (g->flat)
		pfree(g->flat);
	g->flat = NULL;
	g->flat = gathering_value(g);
	MemoryContextSwitchTo(before);
	return VARSIZE(g->flat);
}

static void
gathering_flatten(ExpandedObjectHeader *hdr, void *result, Size allocated)
{
	gathering  *g = (gathering *) hdr;

	Assert(g->flat && allocated == VARSIZE(g->flat));
	memcpy(result, g->flat, allocated);
	pfree(g->flat);
	g->flat = NULL;
}

static const ExpandedObjectMethods gathering_methods = {gathering_flat_size, gathering_flatten};

/* A new collector below the aggregate's memory. */
static gathering *
new_gathering(MemoryContext aggregate, uint32 population)
{
	MemoryContext context = AllocSetContextCreate(aggregate, "audience being gathered", ALLOCSET_DEFAULT_SIZES);
	gathering  *g = MemoryContextAllocZero(context, sizeof(gathering));
	crm_env		env = crm_env_in(context);

	EOH_init_header(&g->hdr, &gathering_methods, context);
	g->magic = GATHERING_MAGIC;
	g->population = population;
	crm_check(crm_ids_collector_new(&env, &g->collector), CRM_AUDIENCE_TYPE, false);
	return g;
}

/* The expanded object behind a datum, NULL for flat ones. */
static inline gathering *
datum_gathering(Datum value)
{
	gathering  *g;

	if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)))
		return NULL;
	g = (gathering *) DatumGetEOHP(value);
	if (g->magic != GATHERING_MAGIC)
		elog(ERROR, "unexpected expanded object in the state of an audience aggregate");
	return g;
}

/* ---- the pending shape ----------------------------------------------------------- */

static inline bool
is_pending(const crm_audience *state)
{
	return (state->flags & CRM_AUDIENCE_PENDING) != 0;
}

static inline uint64 *
pending_ids(crm_audience *state)
{
	return (uint64 *) state->ids;
}

static inline Size
pending_room(const crm_audience *state)
{
	return (VARSIZE(state) - CRM_AUDIENCE_HEADER) / sizeof(uint64);
}

static crm_audience *
new_pending(Size room)
{
	Size		size = CRM_AUDIENCE_HEADER + room * sizeof(uint64);
	crm_audience *state = palloc(size);

	memset(state, 0, CRM_AUDIENCE_HEADER);
	SET_VARSIZE(state, size);
	state->version = CRM_AUDIENCE_VERSION;
	state->flags = CRM_AUDIENCE_PENDING;
	return state;
}

/* Sorts a full list and drops what is twice in it. */
static void
compact_pending(crm_audience *state)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	uint64	   *ids = pending_ids(state);
	uint64	   *scratch = palloc(state->cardinality * sizeof(uint64));
	uint64		kept = 0;

	crm_sort_ids(&env, ids, scratch, state->cardinality);
	for (uint64 i = 0; i < state->cardinality; i++)
	{
		if (kept == 0 || ids[kept - 1] != ids[i])
			ids[kept++] = ids[i];
	}
	state->cardinality = kept;
	pfree(scratch);
}

/* ---- adding to a state --------------------------------------------------------------- */

/* Adds a set in whichever shape to a collector. */
static void
gather_value(gathering *g, crm_audience *value)
{
	g->population = crm_audience_common_stamp(g->population, value->population);
	if (is_pending(value))
	{
		if (value->cardinality > pending_room(value))
			crm_check(CRM_CORRUPT, CRM_AUDIENCE_TYPE, false);
		crm_check(crm_ids_collector_add_many(g->collector, pending_ids(value), value->cardinality),
				  CRM_AUDIENCE_TYPE, false);
	}
	else
		crm_check(crm_ids_collector_merge(g->collector, crm_audience_ids(value)), CRM_AUDIENCE_TYPE, false);
}

/* A list that is full: sorted, moved to twice the room, or to a collector. */
static Datum
make_room(MemoryContext aggregate, crm_audience *state, uint64 id)
{
	crm_audience *larger;

	if (state->cardinality > PENDING_FIRST)
		compact_pending(state);
	if (state->cardinality <= pending_room(state) / 2)
	{
		pending_ids(state)[state->cardinality++] = id;
		return PointerGetDatum(state);
	}
	if (state->cardinality >= PENDING_MAX)
	{
		gathering  *g = new_gathering(aggregate, state->population);

		gather_value(g, state);
		crm_check(crm_ids_collector_add(g->collector, id), CRM_AUDIENCE_TYPE, false);
		return EOHPGetRWDatum(&g->hdr);
	}
	larger = new_pending(pending_room(state) * 2);
	larger->population = state->population;
	larger->cardinality = state->cardinality;
	memcpy(larger->ids, state->ids, state->cardinality * sizeof(uint64));
	pending_ids(larger)[larger->cardinality++] = id;
	return PointerGetDatum(larger);
}

Datum
crm_audience_agg_transfn(PG_FUNCTION_ARGS)
{
	MemoryContext aggregate;
	crm_audience *state;
	int64		id;

	if (!AggCheckCallContext(fcinfo, &aggregate))
		elog(ERROR, "audience_agg_transfn called in non-aggregate context");

	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	id = PG_GETARG_INT64(1);
	if (unlikely(id < 0))
		crm_audience_check_id(id);

	if (PG_ARGISNULL(0))
	{
		state = new_pending(PENDING_FIRST);
		pending_ids(state)[state->cardinality++] = (uint64) id;
		PG_RETURN_POINTER(state);
	}
	if (VARATT_IS_EXTERNAL_EXPANDED_RW(PG_GETARG_POINTER(0)))
	{
		gathering  *g = datum_gathering(PG_GETARG_DATUM(0));
		crm_status	status = crm_ids_collector_add(g->collector, (uint64) id);

		if (unlikely(status != CRM_OK))
			crm_check(status, CRM_AUDIENCE_TYPE, false);
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}

	/* Shapes that only another node's state can have here are turned into a collector. */
	if (VARATT_IS_EXTENDED(PG_GETARG_POINTER(0)) || !is_pending((crm_audience *) PG_GETARG_POINTER(0)))
	{
		gathering  *g;

		state = (crm_audience *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0));
		g = new_gathering(aggregate, state->population);
		gather_value(g, state);
		crm_check(crm_ids_collector_add(g->collector, (uint64) id), CRM_AUDIENCE_TYPE, false);
		PG_RETURN_DATUM(EOHPGetRWDatum(&g->hdr));
	}

	state = (crm_audience *) PG_GETARG_POINTER(0);
	if (state->cardinality < pending_room(state))
	{
		pending_ids(state)[state->cardinality++] = (uint64) id;
		PG_RETURN_POINTER(state);
	}
	PG_RETURN_DATUM(make_room(aggregate, state, (uint64) id));
}

/* No rows: the empty audience.  The state stays as it is, for window frames. */
Datum
crm_audience_agg_finalfn(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_AUDIENCE(crm_audience_empty(0));
	PG_RETURN_AUDIENCE(crm_audience_fetch(PG_GETARG_DATUM(0), NULL, 0));
}

/* ---- merging ------------------------------------------------------------------------------ */

/* Transition of union_agg, and the combine function of it and of audience_agg. */
Datum
crm_audience_union_transfn(PG_FUNCTION_ARGS)
{
	MemoryContext aggregate;
	crm_audience *state;
	crm_audience *value;
	gathering  *g;

	if (!AggCheckCallContext(fcinfo, &aggregate))
		elog(ERROR, "audience_union_transfn called in non-aggregate context");

	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);

	/* A flat copy in short-lived memory; pending lists stay lists. */
	value = (crm_audience *) PG_DETOAST_DATUM(PG_GETARG_DATUM(1));
	if (!is_pending(value))
		value = crm_audience_fetch(PointerGetDatum(value), NULL, 1);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(value);

	if (VARATT_IS_EXTERNAL_EXPANDED_RW(PG_GETARG_POINTER(0)))
	{
		gather_value(datum_gathering(PG_GETARG_DATUM(0)), value);
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}

	/* Two small sets stay a small flat one. */
	state = (crm_audience *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0));
	if (state->cardinality + value->cardinality <= PENDING_MAX)
	{
		state = crm_audience_fetch(PointerGetDatum(state), NULL, 0);
		value = crm_audience_fetch(PointerGetDatum(value), NULL, 1);
		PG_RETURN_AUDIENCE(crm_audience_combine(CRM_OR, state, value));
	}
	g = new_gathering(aggregate, 0);
	gather_value(g, state);
	gather_value(g, value);
	PG_RETURN_DATUM(EOHPGetRWDatum(&g->hdr));
}

/* Transition and combine function of intersect_agg; NULL stands for "no set yet". */
Datum
crm_audience_intersect_transfn(PG_FUNCTION_ARGS)
{
	crm_audience *state;
	crm_audience *value;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "audience_intersect_transfn called in non-aggregate context");

	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	if (!PG_ARGISNULL(0))
	{
		state = crm_audience_fetch(PG_GETARG_DATUM(0), NULL, 0);

		/* Nothing comes back into an empty set: of the others only the stamp is read. */
		if (state->cardinality == 0)
		{
			uint32		population;

			crm_audience_cardinality_of(PG_GETARG_DATUM(1), &population);
			population = crm_audience_common_stamp(state->population, population);
			if (population == state->population)
				PG_RETURN_DATUM(PG_GETARG_DATUM(0));
			PG_RETURN_AUDIENCE(crm_audience_empty(population));
		}
		value = crm_audience_fetch(PG_GETARG_DATUM(1), NULL, 1);
		PG_RETURN_AUDIENCE(crm_audience_combine(CRM_AND, state, value));
	}
	PG_RETURN_AUDIENCE(crm_audience_fetch(PG_GETARG_DATUM(1), NULL, 1));
}
