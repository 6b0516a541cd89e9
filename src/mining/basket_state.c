/*
 * basket_state.c - who has what as the state of an aggregate.
 *
 * As crm.agg_state: number of the use, size of the constants, whether baskets are
 * texts, whether there are weights (a byte each), 4 bytes 0, the constants, padded
 * to 8 bytes, then the rows as kernel/baskets.c writes them.
 */
#include "mining/basket_state.h"

#include "common/agg_state.h"
#include "common/bridge.h"
#include "common/expanded_state.h"
#include "common/settings.h"
#include "mb/pg_wchar.h"

#define BASKET_STATE_VERSION 1
#define BASKET_HEADER 8
#define NUMBER_ROOM 24

/* ---- errors -------------------------------------------------------------- */

void
basket_state_check(const basket_state *state, crm_status status)
{
	if (status == CRM_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("rows of %s need more than crm_analytics.training_memory", state->use->function),
				 errdetail("%llu rows of %u items are kept; the setting allows %d kB.", (unsigned long long) state->baskets.rows,
						   state->baskets.items.count, crm_training_memory),
				 errhint("Raise crm_analytics.training_memory, or take a sample of the baskets, such as those with hashint8extended(basket, 0) & 7 = 0.")));
	if (status == CRM_OUT_OF_RANGE)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("sum of weights in %s is out of range", state->use->function)));
	if (status == CRM_CORRUPT)
		crm_agg_state_damaged("The rows in a state of baskets are not whole.");
	crm_check(status, "crm.agg_state", false);
}

/* ---- the expanded object --------------------------------------------------- */

static Size
data_offset(const basket_use *use)
{
	return BASKET_HEADER + MAXALIGN(use->constants_size);
}

static Size
flat_size(ExpandedObjectHeader *header)
{
	const basket_state *state = (const basket_state *) header;
	Size		size = CRM_AGG_STATE_HEADER + data_offset(state->use) + crm_baskets_size(&state->baskets);

	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("rows of %s are too many to be handed to another process", state->use->function),
				 errdetail("They take %zu bytes, and %zu can be handed over.", size, (Size) MaxAllocSize),
				 errhint("Set max_parallel_workers_per_gather to 0, or take a sample of the baskets.")));
	return size;
}

static void
flatten_into(ExpandedObjectHeader *header, void *result, Size size)
{
	const basket_state *state = (const basket_state *) header;
	uint8	   *data = (uint8 *) ((crm_agg_state *) result)->data;

	crm_agg_state_init(result, size, CRM_STATE_BASKETS, BASKET_STATE_VERSION);
	memset(data, 0, data_offset(state->use));
	data[0] = state->use->number;
	data[1] = (uint8) state->use->constants_size;
	data[2] = state->baskets.named;
	data[3] = state->baskets.weighted;
	memcpy(data + BASKET_HEADER, state->constants, state->use->constants_size);
	crm_baskets_write(&state->baskets, data + data_offset(state->use));
}

static void *add_flat(void *at_hand, Datum value, MemoryContext parent, const void *of_use);

static const crm_expanded_kind basket_kind = {{flat_size, flatten_into}, add_flat, offsetof(basket_state, use)};

static basket_state *
new_state(MemoryContext parent, const basket_use *use, const void *constants, bool named)
{
	MemoryContext context = AllocSetContextCreate(parent, "crm baskets", ALLOCSET_DEFAULT_SIZES);
	basket_state *state = MemoryContextAllocZero(context, sizeof(basket_state));
	crm_env		env = crm_env_in(context);

	EOH_init_header(&state->header, &basket_kind.methods, context);
	state->use = use;
	memcpy(state->constants, constants, use->constants_size);
	crm_baskets_init(&state->baskets, &env, named, use->weighted, (Size) crm_training_memory * 1024);
	return state;
}

static void
check_same(const basket_state *state, const void *constants)
{
	if (memcmp(state->constants, constants, state->use->constants_size) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("constant arguments of %s change within a group", state->use->function)));
}

/* The bytes may come from anywhere; items become texts. */
static bool
texts_are_valid(const crm_value_table *table, uint32 from)
{
	for (uint32 i = from; i < table->count; i++)
		if (!pg_verifymbstr(table->entries[i].text, (int) table->entries[i].length, true))
			return false;
	return true;
}

/* Adds a flat state to one at hand, or to a new one. */
static void *
add_flat(void *at_hand, Datum value, MemoryContext parent, const void *of_use)
{
	basket_state *state = at_hand;
	const basket_use *use = of_use;
	crm_agg_state *flat = crm_agg_state_fetch(value, CRM_STATE_BASKETS, BASKET_STATE_VERSION, CRM_AGG_STATE_HEADER + data_offset(use));
	const uint8 *data = (const uint8 *) flat->data;
	char		constants[BASKET_CONSTANTS];
	uint32		items;
	uint32		names;

	if (data[0] != use->number || data[1] != use->constants_size || data[3] != use->weighted)
		crm_agg_state_damaged("The state belongs to another aggregate.");
	if (data[2] > 1 || (state != NULL && state->baskets.named != data[2]))
		crm_agg_state_damaged("The baskets in the state are of another type.");
	memcpy(constants, data + BASKET_HEADER, use->constants_size);
	if (!use->constants_are_valid(constants))
		crm_agg_state_damaged("The arguments in a state of baskets are not such.");
	if (state == NULL)
		state = new_state(parent, use, constants, data[2]);
	check_same(state, constants);
	items = state->baskets.items.count;
	names = state->baskets.names.count;
	basket_state_check(state, crm_baskets_read(&state->baskets, data + data_offset(use),
											   VARSIZE(flat) - CRM_AGG_STATE_HEADER - data_offset(use)));
	if (!texts_are_valid(&state->baskets.items, items) || !texts_are_valid(&state->baskets.names, names))
		crm_agg_state_damaged("A text in a state of baskets is not one of this database's encoding.");
	return state;
}

/* ---- for the aggregates ------------------------------------------------------ */

Datum
basket_state_add(FunctionCallInfo fcinfo, const basket_use *use, const void *constants, bool named, bool numbered,
				 int basket, double weight)
{
	MemoryContext aggcontext;
	basket_state *state;
	char		number[NUMBER_ROOM];
	const char *item;
	Size		length;
	crm_status	status;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "transition function of %s called in non-aggregate context", use->function);
	if (PG_ARGISNULL(basket) || PG_ARGISNULL(basket + 1))
		return crm_agg_unchanged(fcinfo);
	if (PG_ARGISNULL(0))
		state = new_state(aggcontext, use, constants, named);
	else
	{
		state = crm_expanded_writable(&basket_kind, use, PG_GETARG_DATUM(0), aggcontext);
		check_same(state, constants);
	}
	if (numbered)
	{
		length = (Size) pg_lltoa(PG_GETARG_INT64(basket + 1), number);
		item = number;
	}
	else
	{
		text	   *value = PG_GETARG_TEXT_PP(basket + 1);

		item = VARDATA_ANY(value);
		length = VARSIZE_ANY_EXHDR(value);
	}
	if (named)
	{
		text	   *name = PG_GETARG_TEXT_PP(basket);

		status = crm_baskets_add_named(&state->baskets, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), item, length, weight);
	}
	else
		status = crm_baskets_add(&state->baskets, PG_GETARG_INT64(basket), item, length, weight);
	basket_state_check(state, status);
	return EOHPGetRWDatum(&state->header);
}

Datum
basket_state_combine(FunctionCallInfo fcinfo, const basket_use *use)
{
	return crm_expanded_combine(fcinfo, &basket_kind, use, use->function);
}

const basket_state *
basket_state_final(FunctionCallInfo fcinfo, const basket_use *use)
{
	const basket_state *state = crm_expanded_final(fcinfo, &basket_kind, use, use->function);

	return state != NULL && state->baskets.rows > 0 ? state : NULL;
}

crm_basket_index
basket_state_index(const basket_state *state, bool ordered)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_basket_index index;

	basket_state_check(state, crm_baskets_index(&state->baskets, &env, ordered, &index));
	return index;
}

Size
basket_state_spare(const basket_state *state)
{
	Size		used = crm_baskets_memory(&state->baskets);

	return state->baskets.max_bytes > used ? state->baskets.max_bytes - used : 0;
}
