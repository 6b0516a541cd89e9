/*
 * due_agg.c - the aggregate tag_due_agg(id, next): who is due in which hour.
 *
 * It stands beside tag_scan_agg in the scan of a refresh; its state merges like
 * that one's.
 */
#include "common/crm.h"

#include "common/agg_state.h"
#include "common/bridge.h"
#include "common/settings.h"
#include "tag/due.h"
#include "tag/due_plan.h"
#include "utils/expandeddatum.h"

#define STATE_MAGIC 0x44554553	/* of the expanded object */
#define FLAT_VERSION 1
#define TYPE_NAME "crm.agg_state"
/* How many customers between two looks at the memory. */
#define LOOK_AFTER 65536

typedef struct due_state
{
	ExpandedObjectHeader header;
	int			magic;
	MemoryContext context;
	crm_due_sets *sets;
	uint32		taken;
	uint8	   *flat;			/* while the flat form is being asked for */
	Size		flat_size;
} due_state;

static Size
get_flat_size(ExpandedObjectHeader *header)
{
	due_state  *state = (due_state *) header;

	Assert(state->magic == STATE_MAGIC);
	if (state->flat == NULL)
	{
		size_t		size;

		crm_check(crm_due_sets_write(state->sets, &state->flat, &size), TYPE_NAME, false);
		state->flat_size = CRM_AGG_STATE_HEADER + size;
		crm_check_size(state->flat_size, TYPE_NAME);
	}
	return state->flat_size;
}

static void
flatten_into(ExpandedObjectHeader *header, void *result, Size size)
{
	due_state  *state = (due_state *) header;

	Assert(size == state->flat_size);
	crm_agg_state_init(result, size, CRM_STATE_TAG_DUE, FLAT_VERSION);
	memcpy(((crm_agg_state *) result)->data, state->flat, size - CRM_AGG_STATE_HEADER);
	pfree(state->flat);
	state->flat = NULL;
}

static const ExpandedObjectMethods methods = {get_flat_size, flatten_into};

static due_state *
new_state(MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "crm tag due", ALLOCSET_DEFAULT_SIZES);
	due_state  *state = MemoryContextAllocZero(context, sizeof(due_state));
	crm_env		env = crm_env_in(context);

	EOH_init_header(&state->header, &methods, context);
	state->magic = STATE_MAGIC;
	state->context = context;
	crm_check(crm_due_sets_new(&env, &state->sets), TYPE_NAME, false);
	return state;
}

/* The state behind a datum: a flat one is read into the context given. */
static due_state *
get_state(Datum value, MemoryContext context)
{
	crm_agg_state *flat;
	due_state  *state;

	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)))
	{
		state = (due_state *) DatumGetEOHP(value);
		if (state->header.eoh_methods != &methods || state->magic != STATE_MAGIC)
			elog(ERROR, "not the state of tag_due_agg");
		return state;
	}
	flat = crm_agg_state_fetch(value, CRM_STATE_TAG_DUE, FLAT_VERSION, CRM_AGG_STATE_HEADER);
	state = new_state(context);
	crm_check(crm_due_sets_read(state->sets, (const uint8 *) flat->data, VARSIZE(flat) - CRM_AGG_STATE_HEADER), TYPE_NAME, true);
	return state;
}

static void
check_memory(const due_state *state)
{
	if (crm_due_sets_memory(state->sets) / 1024 > (Size) crm_refresh_memory)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the due list of one scan needs more than crm_analytics.refresh_memory (%d kB)", crm_refresh_memory),
				 errhint("Raise crm_analytics.refresh_memory.")));
}

static int64
hour_of(TimestampTz at)
{
	int64		hour = at / CRM_DUE_HOUR;

	return at % CRM_DUE_HOUR < 0 ? hour - 1 : hour;
}

CRM_FUNCTION(crm_tag_due_transfn);
Datum
crm_tag_due_transfn(PG_FUNCTION_ARGS)
{
	MemoryContext aggregate_context;
	due_state  *state;

	if (!AggCheckCallContext(fcinfo, &aggregate_context))
		elog(ERROR, "crm_tag_due_transfn called in non-aggregate context");
	state = PG_ARGISNULL(0) ? new_state(aggregate_context) : get_state(PG_GETARG_DATUM(0), aggregate_context);
	/* negative keys are numbered first, and the scan begins anew */
	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2) && PG_GETARG_INT64(1) >= 0 && !TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(2)))
	{
		crm_check(crm_due_sets_add(state->sets, hour_of(PG_GETARG_TIMESTAMPTZ(2)), (uint64) PG_GETARG_INT64(1)), TYPE_NAME, false);
		if (++state->taken % LOOK_AFTER == 0)
			check_memory(state);
	}
	PG_RETURN_DATUM(EOHPGetRWDatum(&state->header));
}

CRM_FUNCTION(crm_tag_due_combinefn);
Datum
crm_tag_due_combinefn(PG_FUNCTION_ARGS)
{
	MemoryContext aggregate_context;
	MemoryContext scratch;
	MemoryContext old;
	due_state  *state;
	due_state  *other;
	uint8	   *bytes;
	size_t		size;

	if (!AggCheckCallContext(fcinfo, &aggregate_context))
		elog(ERROR, "crm_tag_due_combinefn called in non-aggregate context");
	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	state = PG_ARGISNULL(0) ? new_state(aggregate_context) : get_state(PG_GETARG_DATUM(0), aggregate_context);
	if (!PG_ARGISNULL(1))
	{
		scratch = AllocSetContextCreate(CurrentMemoryContext, "crm tag due merge", ALLOCSET_DEFAULT_SIZES);
		old = MemoryContextSwitchTo(scratch);
		other = get_state(PG_GETARG_DATUM(1), scratch);
		crm_check(crm_due_sets_write(other->sets, &bytes, &size), TYPE_NAME, false);
		crm_check(crm_due_sets_read(state->sets, bytes, size), TYPE_NAME, false);
		check_memory(state);
		MemoryContextSwitchTo(old);
		MemoryContextDelete(scratch);
	}
	PG_RETURN_DATUM(EOHPGetRWDatum(&state->header));
}

/* Only the state itself is of use, within the process: see crm_due_sets_of. */
CRM_FUNCTION(crm_tag_due_finalfn);
Datum
crm_tag_due_finalfn(PG_FUNCTION_ARGS)
{
	Datum		state;
	void	   *pointer;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = PG_GETARG_DATUM(0);
	if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(state)))
		PG_RETURN_DATUM(state);
	/* not a flat copy, which PostgreSQL 15 makes of every result that does not lie in the current context */
	pointer = palloc(EXPANDED_POINTER_SIZE);
	memcpy(pointer, DatumGetPointer(MakeExpandedObjectReadOnly(state, false, -1)), EXPANDED_POINTER_SIZE);
	PG_RETURN_POINTER(pointer);
}

crm_due_sets *
crm_due_sets_of(Datum value, MemoryContext context)
{
	due_state  *state = get_state(value, context);

	MemoryContextSetParent(state->context, context);
	return state->sets;
}
