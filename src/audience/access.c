/*
 * access.c - getting at members: rows, arrays, slices, samples.
 */
#include "audience/audience.h"

#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "funcapi.h"
#include "utils/array.h"

CRM_FUNCTION(crm_members);
CRM_FUNCTION(crm_slice);
CRM_FUNCTION(crm_sample);
CRM_FUNCTION(crm_audience_from_bigint_array);
CRM_FUNCTION(crm_audience_from_int_array);
CRM_FUNCTION(crm_audience_to_bigint_array);
CRM_FUNCTION(crm_audience_to_int_array);

/* ---- rows ---------------------------------------------------------------------- */

/* Where members() stands: within a run of consecutive ids. */
typedef struct member_walk
{
	crm_ids_runs runs;
	uint64		next;
	uint64		last;
	bool		open;
} member_walk;

Datum
crm_members(PG_FUNCTION_ARGS)
{
	FuncCallContext *funcctx;
	member_walk *walk;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext before;
		crm_audience *audience;

		funcctx = SRF_FIRSTCALL_INIT();
		before = MemoryContextSwitchTo(funcctx->multi_call_memory_ctx);
		walk = palloc0(sizeof(member_walk));
		/* The argument may live no longer than the first row, so what is not ours yet is copied. */
		audience = crm_audience_fetch(PG_GETARG_DATUM(0), NULL, 0);
		if ((Pointer) audience == PG_GETARG_POINTER(0))
		{
			audience = palloc(VARSIZE(audience));
			memcpy(audience, PG_GETARG_POINTER(0), VARSIZE(PG_GETARG_POINTER(0)));
		}
		crm_ids_runs_first(&walk->runs, crm_audience_ids(audience));
		walk->open = crm_ids_runs_next(&walk->runs, &walk->next, &walk->last);
		funcctx->user_fctx = walk;
		MemoryContextSwitchTo(before);
	}

	funcctx = SRF_PERCALL_SETUP();
	walk = (member_walk *) funcctx->user_fctx;
	if (walk->open)
	{
		uint64		id = walk->next;

		if (id == walk->last)
			walk->open = crm_ids_runs_next(&walk->runs, &walk->next, &walk->last);
		else
			walk->next++;
		SRF_RETURN_NEXT(funcctx, Int64GetDatum((int64) id));
	}
	SRF_RETURN_DONE(funcctx);
}

/* ---- parts ------------------------------------------------------------------------ */

static int64
count_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	int64		count = PG_GETARG_INT64(argument);

	if (count < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative, but is \"%lld\"", name, (long long) count)));
	return count;
}

Datum
crm_slice(PG_FUNCTION_ARGS)
{
	crm_audience *audience = crm_audience_fetch(PG_GETARG_DATUM(0), fcinfo->flinfo, 0);
	int64		skip = count_argument(fcinfo, 1, "skip");
	int64		take = count_argument(fcinfo, 2, "take");
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_ids_builder *builder;

	crm_check(crm_ids_builder_new(&env, &builder), CRM_AUDIENCE_TYPE, false);
	crm_check(crm_ids_slice(&env, crm_audience_ids(audience), skip, take, builder), CRM_AUDIENCE_TYPE, false);
	PG_RETURN_AUDIENCE(crm_audience_finish(builder, audience->population));
}

Datum
crm_sample(PG_FUNCTION_ARGS)
{
	crm_audience *audience = crm_audience_fetch(PG_GETARG_DATUM(0), fcinfo->flinfo, 0);
	int64		n = count_argument(fcinfo, 1, "n");
	uint64		seed = (uint64) PG_GETARG_INT64(2);
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_ids_builder *builder;

	crm_check(crm_ids_builder_new(&env, &builder), CRM_AUDIENCE_TYPE, false);
	crm_check(crm_ids_sample(&env, crm_audience_ids(audience), n, seed, builder), CRM_AUDIENCE_TYPE, false);
	PG_RETURN_AUDIENCE(crm_audience_finish(builder, audience->population));
}

/* ---- arrays -------------------------------------------------------------------------- */

static Datum
from_array(ArrayType *array, Oid element)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	int			count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	crm_ids_builder *builder;
	uint64	   *ids;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("an array of ids must have one dimension, but has %d", ARR_NDIM(array))));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("an array of ids must not contain NULL"),
				 errhint("Remove them with array_remove(ids, NULL).")));

	ids = MemoryContextAllocHuge(CurrentMemoryContext, ((Size) count * 2 + 1) * sizeof(uint64));
	for (int i = 0; i < count; i++)
	{
		int64		id = element == INT8OID ? ((int64 *) ARR_DATA_PTR(array))[i] : ((int32 *) ARR_DATA_PTR(array))[i];

		crm_audience_check_id(id);
		ids[i] = (uint64) id;
	}
	crm_sort_ids(&env, ids, ids + count, count);
	crm_check(crm_ids_builder_new(&env, &builder), CRM_AUDIENCE_TYPE, false);
	crm_check(crm_ids_builder_ids(builder, ids, count), CRM_AUDIENCE_TYPE, false);
	pfree(ids);
	PG_RETURN_AUDIENCE(crm_audience_finish(builder, 0));
}

Datum
crm_audience_from_bigint_array(PG_FUNCTION_ARGS)
{
	return from_array(PG_GETARG_ARRAYTYPE_P(0), INT8OID);
}

Datum
crm_audience_from_int_array(PG_FUNCTION_ARGS)
{
	return from_array(PG_GETARG_ARRAYTYPE_P(0), INT4OID);
}

static Datum
to_array(crm_audience *audience, Oid element)
{
	Size		width = element == INT8OID ? sizeof(int64) : sizeof(int32);
	Size		size;
	ArrayType  *array;
	crm_ids_runs runs;
	uint64		first;
	uint64		last;
	Size		i = 0;

	if (audience->cardinality == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(element));
	if (audience->cardinality > Min(MaxArraySize, (MaxAllocSize - ARR_OVERHEAD_NONULLS(1)) / width))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("an array cannot hold the %llu members of the audience",
						(unsigned long long) audience->cardinality),
				 errhint("Read them as rows with members().")));

	size = ARR_OVERHEAD_NONULLS(1) + audience->cardinality * width;
	array = palloc(size);
	memset(array, 0, ARR_OVERHEAD_NONULLS(1));
	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->elemtype = element;
	ARR_DIMS(array)[0] = (int) audience->cardinality;
	ARR_LBOUND(array)[0] = 1;
	crm_ids_runs_first(&runs, crm_audience_ids(audience));
	while (crm_ids_runs_next(&runs, &first, &last))
	{
		CHECK_FOR_INTERRUPTS();
		if (element == INT4OID && last > PG_INT32_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("id \"%llu\" is out of range for type integer",
							(unsigned long long) Max(first, (uint64) PG_INT32_MAX + 1)),
					 errhint("Cast to bigint[].")));
		for (uint64 id = first; id <= last; id++)
		{
			if (element == INT8OID)
				((int64 *) ARR_DATA_PTR(array))[i++] = (int64) id;
			else
				((int32 *) ARR_DATA_PTR(array))[i++] = (int32) id;
		}
	}
	PG_RETURN_ARRAYTYPE_P(array);
}

Datum
crm_audience_to_bigint_array(PG_FUNCTION_ARGS)
{
	return to_array(crm_audience_fetch(PG_GETARG_DATUM(0), fcinfo->flinfo, 0), INT8OID);
}

Datum
crm_audience_to_int_array(PG_FUNCTION_ARGS)
{
	return to_array(crm_audience_fetch(PG_GETARG_DATUM(0), fcinfo->flinfo, 0), INT4OID);
}
