/*
 * audience.c - the value crm.audience: fetching, making, combining.
 */
#include "audience/audience.h"

#include "access/detoast.h"
#include "common/bridge.h"
#include "nodes/primnodes.h"

/* Detoasted values one call site keeps; below the limit in bytes, but always two. */
#define KEPT_VALUES 8
#define KEPT_BYTES (64 * 1024 * 1024)

/* A value that one call site will see again. */
typedef struct kept_value
{
	struct varatt_external pointer; /* of a stored value */
	Datum		constant;		/* or the address of a constant of the plan */
	crm_audience *value;		/* NULL: free */
	Size		size;			/* of our copy */
	uint64		last_use;
	bool		has_lookup;
	crm_ids_lookup lookup;
} kept_value;

/* fn_extra of the functions that take audiences. */
typedef struct kept_values
{
	uint64		clock;
	Size		size;
	kept_value *recent;
	struct varatt_external seen[2]; /* what each argument was in the last call */
	kept_value	entries[KEPT_VALUES];
} kept_values;

/* ---- fetching --------------------------------------------------------- */

/* An aggregate's list of ids as the set it stands for. */
static crm_audience *
settle(const crm_audience *pending)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	Size		room = (VARSIZE(pending) - CRM_AUDIENCE_HEADER) / sizeof(uint64);
	uint64	   *ids;
	uint64	   *scratch;
	crm_ids_builder *builder;
	crm_audience *result;

	if (pending->cardinality > room)
		crm_check(CRM_CORRUPT, CRM_AUDIENCE_TYPE, false);
	ids = palloc((pending->cardinality + 1) * 2 * sizeof(uint64));
	scratch = ids + pending->cardinality + 1;
	memcpy(ids, pending->ids, pending->cardinality * sizeof(uint64));
	crm_sort_ids(&env, ids, scratch, pending->cardinality);
	crm_check(crm_ids_builder_new(&env, &builder), CRM_AUDIENCE_TYPE, false);
	crm_check(crm_ids_builder_ids(builder, ids, pending->cardinality), CRM_AUDIENCE_TYPE, false);
	result = crm_audience_finish(builder, pending->population);
	pfree(ids);
	return result;
}

/* What every reader of a flat value relies on. */
static inline crm_audience *
check_value(crm_audience *audience)
{
	if (unlikely(VARSIZE(audience) < CRM_AUDIENCE_HEADER + sizeof(uint64) ||
				 audience->version != CRM_AUDIENCE_VERSION))
		crm_check(CRM_CORRUPT, CRM_AUDIENCE_TYPE, false);
	if (unlikely(audience->flags & CRM_AUDIENCE_PENDING))
		return settle(audience);
	return audience;
}

static kept_values *
kept_of(FmgrInfo *flinfo)
{
	if (flinfo->fn_extra == NULL)
		flinfo->fn_extra = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(kept_values));
	return (kept_values *) flinfo->fn_extra;
}

static void
drop_kept(kept_values *kept, kept_value *entry)
{
	if (entry->has_lookup && entry->lookup.directory)
		pfree(entry->lookup.directory);
	if (DatumGetPointer(entry->constant) == NULL)
		pfree(entry->value);
	kept->size -= entry->size;
	memset(entry, 0, sizeof(kept_value));
}

/* A free entry; the least recently used values make room, all but the two last used. */
static kept_value *
new_entry(kept_values *kept, Size size)
{
	for (;;)
	{
		kept_value *oldest = NULL;
		kept_value *unused = NULL;
		int			in_use = 0;

		for (int i = 0; i < KEPT_VALUES; i++)
		{
			kept_value *entry = &kept->entries[i];

			if (entry->value == NULL)
				unused = entry;
			else
			{
				in_use++;
				if (oldest == NULL || entry->last_use < oldest->last_use)
					oldest = entry;
			}
		}
		if (unused && (in_use < 2 || kept->size + size <= KEPT_BYTES))
			return unused;
		drop_kept(kept, oldest);
	}
}

/*
 * The stored value's copy in the memory of the call site.  The pointer names
 * the toasted bytes for as long as a snapshot that sees them lives, which the
 * running query does.
 */
static kept_value *
keep_stored(Datum value, FmgrInfo *flinfo)
{
	kept_values *kept = kept_of(flinfo);
	struct varatt_external pointer;
	kept_value *entry;
	crm_audience *fetched;
	MemoryContext before;

	VARATT_EXTERNAL_GET_POINTER(pointer, DatumGetPointer(value));
	if (kept->recent && memcmp(&kept->recent->pointer, &pointer, sizeof(pointer)) == 0)
		return kept->recent;
	for (int i = 0; i < KEPT_VALUES; i++)
	{
		entry = &kept->entries[i];
		if (entry->value && memcmp(&entry->pointer, &pointer, sizeof(pointer)) == 0)
		{
			entry->last_use = ++kept->clock;
			kept->recent = entry;
			return entry;
		}
	}

	before = MemoryContextSwitchTo(flinfo->fn_mcxt);
	kept->recent = NULL;
	entry = new_entry(kept, VARATT_EXTERNAL_GET_EXTSIZE(pointer));
	fetched = check_value((crm_audience *) PG_DETOAST_DATUM(value));
	MemoryContextSwitchTo(before);
	entry->pointer = pointer;
	entry->value = fetched;
	entry->size = VARSIZE(fetched);
	entry->last_use = ++kept->clock;
	kept->size += entry->size;
	kept->recent = entry;
	return entry;
}

crm_audience *
crm_audience_fetch(Datum value, FmgrInfo *flinfo, int argument)
{
	struct varlena *raw = (struct varlena *) DatumGetPointer(value);

	if (flinfo && VARATT_IS_EXTERNAL_ONDISK(raw))
		return keep_stored(value, flinfo)->value;
	return check_value((crm_audience *) PG_DETOAST_DATUM(value));
}

bool
crm_audience_is_recurring(Datum value, FmgrInfo *flinfo, int argument)
{
	kept_values *kept;
	struct varatt_external pointer;
	bool		seen;

	if (!VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(value)))
		return false;
	kept = kept_of(flinfo);
	VARATT_EXTERNAL_GET_POINTER(pointer, DatumGetPointer(value));
	seen = memcmp(&kept->seen[argument], &pointer, sizeof(pointer)) == 0;
	kept->seen[argument] = pointer;
	for (int i = 0; !seen && i < KEPT_VALUES; i++)
		seen = kept->entries[i].value && memcmp(&kept->entries[i].pointer, &pointer, sizeof(pointer)) == 0;
	return seen;
}

crm_ids
crm_audience_ids(const crm_audience *audience)
{
	crm_ids		set = {audience->ids, VARSIZE(audience) - CRM_AUDIENCE_HEADER};

	return set;
}

uint64
crm_audience_cardinality_of(Datum value, uint32 *population)
{
	struct varlena *raw = (struct varlena *) DatumGetPointer(value);
	crm_audience *audience;
	uint64		cardinality;

	if (VARATT_IS_EXTERNAL_ONDISK(raw) || VARATT_IS_COMPRESSED(raw))
	{
		audience = (crm_audience *) PG_DETOAST_DATUM_SLICE(value, 0, CRM_AUDIENCE_HEADER - VARHDRSZ);
		if (VARSIZE(audience) < CRM_AUDIENCE_HEADER || audience->version != CRM_AUDIENCE_VERSION)
			crm_check(CRM_CORRUPT, CRM_AUDIENCE_TYPE, false);
		if (audience->flags & CRM_AUDIENCE_PENDING)
			audience = crm_audience_fetch(value, NULL, 0);
	}
	else
		audience = crm_audience_fetch(value, NULL, 0);
	if (population)
		*population = audience->population;
	cardinality = audience->cardinality;
	if ((struct varlena *) audience != raw)
		pfree(audience);
	return cardinality;
}

/* ---- membership --------------------------------------------------------- */

/* Is this argument of the call a constant of the plan? */
static bool
argument_is_constant(FmgrInfo *flinfo, int argument)
{
	Node	   *call = flinfo->fn_expr;
	List	   *args = NIL;

	if (call && IsA(call, OpExpr))
		args = ((OpExpr *) call)->args;
	else if (call && IsA(call, FuncExpr))
		args = ((FuncExpr *) call)->args;
	return argument < list_length(args) && IsA(list_nth(args, argument), Const);
}

/* The entry of a constant of the plan, whose address stays what it is. */
static kept_value *
keep_constant(Datum value, FmgrInfo *flinfo)
{
	kept_values *kept = kept_of(flinfo);
	kept_value *entry = new_entry(kept, 0);
	MemoryContext before = MemoryContextSwitchTo(flinfo->fn_mcxt);

	entry->value = check_value((crm_audience *) PG_DETOAST_DATUM(value));
	MemoryContextSwitchTo(before);
	entry->constant = value;
	entry->last_use = ++kept->clock;
	kept->recent = entry;
	return entry;
}

bool
crm_audience_probe(Datum value, FmgrInfo *flinfo, int argument, int64 id)
{
	kept_values *kept = (kept_values *) flinfo->fn_extra;
	kept_value *entry;

	if (id < 0)
		return false;
	if (kept && kept->recent && kept->recent->constant == value)
		entry = kept->recent;
	else if (VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(value)))
		entry = keep_stored(value, flinfo);
	else if (argument_is_constant(flinfo, argument))
		entry = keep_constant(value, flinfo);
	else
		return crm_ids_contains(crm_audience_ids(crm_audience_fetch(value, NULL, argument)), (uint64) id);

	if (!entry->has_lookup)
	{
		crm_env		env = crm_env_in(flinfo->fn_mcxt);

		crm_check(crm_ids_lookup_init(&env, &entry->lookup, crm_audience_ids(entry->value)), CRM_AUDIENCE_TYPE, false);
		entry->has_lookup = true;
	}
	return crm_ids_lookup_contains(&entry->lookup, (uint64) id);
}

/* ---- making ---------------------------------------------------------------- */

crm_audience *
crm_audience_finish(crm_ids_builder *builder, uint32 population)
{
	Size		size = CRM_AUDIENCE_HEADER + crm_ids_builder_size(builder);
	crm_audience *result;

	crm_check_size(size, CRM_AUDIENCE_TYPE);
	result = palloc(size);
	memset(result, 0, CRM_AUDIENCE_HEADER);
	SET_VARSIZE(result, size);
	result->version = CRM_AUDIENCE_VERSION;
	result->population = population;
	result->cardinality = crm_ids_builder_cardinality(builder);
	crm_ids_builder_write(builder, result->ids);
	crm_ids_builder_free(builder);
	return result;
}

crm_audience *
crm_audience_empty(uint32 population)
{
	crm_audience *result = palloc0(CRM_AUDIENCE_HEADER + sizeof(uint64));

	SET_VARSIZE(result, CRM_AUDIENCE_HEADER + sizeof(uint64));
	result->version = CRM_AUDIENCE_VERSION;
	result->population = population;
	return result;
}

uint32
crm_audience_common_stamp(uint32 a, uint32 b)
{
	if (a != 0 && b != 0 && a != b)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("cannot combine audiences of different populations"),
				 errdetail("One belongs to population %u, the other to population %u.", a, b),
				 errhint("Combine audiences of one population, or carry the ids over with a join of their members.")));
	return a != 0 ? a : b;
}

void
crm_audience_check_id(int64 id)
{
	if (id < 0)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("id \"%lld\" is out of range for type %s", (long long) id, CRM_AUDIENCE_TYPE),
				 errdetail("Ids lie between 0 and 9223372036854775807.")));
}

crm_audience *
crm_audience_combine(crm_ids_op op, const crm_audience *a, const crm_audience *b)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	uint32		population = crm_audience_common_stamp(a->population, b->population);
	crm_ids_builder *builder;

	crm_check(crm_ids_builder_new(&env, &builder), CRM_AUDIENCE_TYPE, false);
	crm_check(crm_ids_combine(&env, op, crm_audience_ids(a), crm_audience_ids(b), builder), CRM_AUDIENCE_TYPE, false);
	return crm_audience_finish(builder, population);
}
