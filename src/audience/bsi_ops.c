/*
 * bsi_ops.c - questions to crm.bsi, over all customers or over an audience.
 */
#include "audience/bsi.h"

#include "common/bridge.h"
#include "common/decimal.h"
#include "common/hashfn.h"
#include "funcapi.h"

CRM_FUNCTION(crm_bsi_count);
CRM_FUNCTION(crm_bsi_sum);
CRM_FUNCTION(crm_bsi_avg);
CRM_FUNCTION(crm_bsi_min);
CRM_FUNCTION(crm_bsi_max);
CRM_FUNCTION(crm_bsi_quantile);
CRM_FUNCTION(crm_bsi_top);
CRM_FUNCTION(crm_bsi_range);
CRM_FUNCTION(crm_bsi_value);
CRM_FUNCTION(crm_bsi_values);
CRM_FUNCTION(crm_bsi_add);
CRM_FUNCTION(crm_bsi_eq);
CRM_FUNCTION(crm_bsi_ne);
CRM_FUNCTION(crm_bsi_hash);
CRM_FUNCTION(crm_bsi_hash_extended);

/* The audience that the call names, as the kernel takes it; NULL: all customers. */
static const crm_ids *
among_of(crm_audience *audience, crm_ids *set)
{
	if (audience == NULL)
		return NULL;
	*set = crm_audience_ids(audience);
	return set;
}

/* ---- counts and sums -------------------------------------------------------------- */

Datum
crm_bsi_count(PG_FUNCTION_ARGS)
{
	const crm_bsi_open_value *b = crm_bsi_argument(fcinfo);
	crm_audience *audience = crm_bsi_audience_argument(fcinfo, 1);
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_ids		set;

	if (audience == NULL)
		PG_RETURN_INT64((int64) b->datum->cardinality);
	PG_RETURN_INT64((int64) crm_bsi_tally(&env, &b->bsi, among_of(audience, &set)));
}

static crm_bsi_total
sum_argument(FunctionCallInfo fcinfo, uint32 *scale)
{
	const crm_bsi_open_value *b = crm_bsi_argument(fcinfo);
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_ids		set;
	crm_bsi_total total;

	crm_bsi_sum_up(&env, &b->bsi, among_of(crm_bsi_audience_argument(fcinfo, 1), &set), &total);
	*scale = b->bsi.scale;
	return total;
}

Datum
crm_bsi_sum(PG_FUNCTION_ARGS)
{
	uint32		scale;
	crm_bsi_total total = sum_argument(fcinfo, &scale);

	if (total.count == 0)
		PG_RETURN_NULL();
	PG_RETURN_NUMERIC(crm_bsi_total_to_numeric(&total, scale));
}

Datum
crm_bsi_avg(PG_FUNCTION_ARGS)
{
	uint32		scale;
	crm_bsi_total total = sum_argument(fcinfo, &scale);

	if (total.count == 0)
		PG_RETURN_NULL();
	return DirectFunctionCall2(numeric_div, NumericGetDatum(crm_bsi_total_to_numeric(&total, scale)),
							   NumericGetDatum(int64_to_numeric((int64) total.count)));
}

/* ---- order --------------------------------------------------------------------------- */

/* The number at a place of the ascending order, or NULL when there is none. */
static Datum
number_at(FunctionCallInfo fcinfo, bool last)
{
	const crm_bsi_open_value *b = crm_bsi_argument(fcinfo);
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_ids		set;
	const crm_ids *among = among_of(crm_bsi_audience_argument(fcinfo, 1), &set);
	uint64		count = crm_bsi_tally(&env, &b->bsi, among);
	crm_int128	value;

	if (count == 0)
		PG_RETURN_NULL();
	crm_bsi_check(crm_bsi_select(&env, &b->bsi, among, last ? count - 1 : 0, &value));
	PG_RETURN_NUMERIC(crm_bsi_to_numeric(value, b->bsi.scale));
}

Datum
crm_bsi_min(PG_FUNCTION_ARGS)
{
	return number_at(fcinfo, false);
}

Datum
crm_bsi_max(PG_FUNCTION_ARGS)
{
	return number_at(fcinfo, true);
}

/*
 * Type 7 of Hyndman and Fan, "Sample quantiles in statistical packages" (1996),
 * as percentile_cont, but in decimals throughout: q counts as the decimal that
 * it prints as, the place is (count - 1) * q, and between two numbers the
 * result lies on the straight line.
 */
Datum
crm_bsi_quantile(PG_FUNCTION_ARGS)
{
	const crm_bsi_open_value *b = crm_bsi_argument(fcinfo);
	float8		q = PG_GETARG_FLOAT8(1);
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_ids		set;
	const crm_ids *among = among_of(crm_bsi_audience_argument(fcinfo, 2), &set);
	uint64		count;
	uint64		place;
	Datum		exact;
	Datum		whole;
	Datum		fraction;
	Datum		low;
	Datum		result;
	crm_int128	value;
	crm_int128	next;

	if (!(q >= 0.0 && q <= 1.0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("quantile \"%g\" is not between 0 and 1", q)));
	count = crm_bsi_tally(&env, &b->bsi, among);
	if (count == 0)
		PG_RETURN_NULL();
	exact = DirectFunctionCall2(numeric_mul, NumericGetDatum(int64_to_numeric((int64) count - 1)),
								DirectFunctionCall1(float8_numeric, Float8GetDatum(q)));
	whole = DirectFunctionCall1(numeric_floor, exact);
	fraction = DirectFunctionCall2(numeric_sub, exact, whole);
	place = (uint64) DatumGetInt64(DirectFunctionCall1(numeric_int8, whole));
	crm_bsi_check(crm_bsi_select(&env, &b->bsi, among, place, &value));
	low = NumericGetDatum(crm_bsi_to_numeric(value, b->bsi.scale));
	if (place + 1 == count || DatumGetInt32(DirectFunctionCall1(numeric_sign, fraction)) == 0)
		return low;
	crm_bsi_check(crm_bsi_select(&env, &b->bsi, among, place + 1, &next));
	if (next == value)
		return low;
	result = DirectFunctionCall2(numeric_sub, NumericGetDatum(crm_bsi_to_numeric(next, b->bsi.scale)), low);
	result = DirectFunctionCall2(numeric_add, low, DirectFunctionCall2(numeric_mul, result, fraction));
	return result;
}

/* ---- audiences ------------------------------------------------------------------------- */

Datum
crm_bsi_top(PG_FUNCTION_ARGS)
{
	const crm_bsi_open_value *b = crm_bsi_argument(fcinfo);
	int64		k = PG_GETARG_INT64(1);
	crm_audience *audience = crm_bsi_audience_argument(fcinfo, 2);
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_ids		set;
	crm_ids_builder *builder;

	if (k < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must not be negative, but is \"%lld\"", (long long) k)));
	crm_check(crm_ids_builder_new(&env, &builder), CRM_AUDIENCE_TYPE, false);
	crm_check(crm_bsi_greatest(&env, &b->bsi, among_of(audience, &set), (uint64) k, builder), CRM_AUDIENCE_TYPE, false);
	PG_RETURN_POINTER(crm_audience_finish(builder, audience ? audience->population : 0));
}

/*
 * A bound in units of the value's last digit: the nearest whole number inside.
 * Beyond 128 bits, where no number can lie, a bound is open, or leaves nobody:
 * then the result is false.
 */
static bool
read_bound(Datum argument, const char *name, uint32 scale, bool low, crm_int128 *bound, bool *is_open)
{
	char		factor[8];
	Datum		scaled;
	int			digits;

	snprintf(factor, sizeof(factor), "1e%u", scale);
	if (crm_numeric_to_integer(argument, bound, &digits) == CRM_DECIMAL_SPECIAL)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("bound %s must be finite, but is \"%s\"", name,
						DatumGetCString(DirectFunctionCall1(numeric_out, argument))),
				 errhint("A bound that is NULL is open.")));
	scaled = DirectFunctionCall2(numeric_mul, argument,
								 DirectFunctionCall3(numeric_in, CStringGetDatum(factor), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	scaled = DirectFunctionCall1(low ? numeric_ceil : numeric_floor, scaled);
	if (crm_numeric_to_integer(scaled, bound, &digits) == CRM_DECIMAL_EXACT)
		return true;
	if ((DatumGetInt32(DirectFunctionCall1(numeric_int4, DirectFunctionCall1(numeric_sign, argument))) > 0) == low)
		return false;
	*is_open = true;
	return true;
}

/* Not strict, since a NULL bound is open; all else that is NULL gives NULL. */
Datum
crm_bsi_range(PG_FUNCTION_ARGS)
{
	const crm_bsi_open_value *b;
	crm_audience *audience;
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_ids		set;
	crm_ids_builder *builder;
	crm_int128	low;
	crm_int128	high;
	bool		low_open = PG_ARGISNULL(1);
	bool		high_open = PG_ARGISNULL(2);
	bool		possible = true;

	if (PG_ARGISNULL(0) || (PG_NARGS() > 3 && PG_ARGISNULL(3)))
		PG_RETURN_NULL();
	b = crm_bsi_argument(fcinfo);
	audience = crm_bsi_audience_argument(fcinfo, 3);
	if (!low_open)
		possible &= read_bound(PG_GETARG_DATUM(1), "lo", b->bsi.scale, true, &low, &low_open);
	if (!high_open)
		possible &= read_bound(PG_GETARG_DATUM(2), "hi", b->bsi.scale, false, &high, &high_open);
	if (!possible)
		PG_RETURN_POINTER(crm_audience_empty(audience ? audience->population : 0));
	crm_check(crm_ids_builder_new(&env, &builder), CRM_AUDIENCE_TYPE, false);
	crm_check(crm_bsi_between(&env, &b->bsi, among_of(audience, &set), low_open ? NULL : &low, high_open ? NULL : &high, builder),
			  CRM_AUDIENCE_TYPE, false);
	PG_RETURN_POINTER(crm_audience_finish(builder, audience ? audience->population : 0));
}

/* ---- number by number --------------------------------------------------------------------- */

Datum
crm_bsi_value(PG_FUNCTION_ARGS)
{
	const crm_bsi_open_value *b = crm_bsi_argument(fcinfo);
	int64		id = PG_GETARG_INT64(1);
	crm_int128	value;

	if (id < 0 || !crm_bsi_lookup(&b->bsi, (uint64) id, &value))
		PG_RETURN_NULL();
	PG_RETURN_NUMERIC(crm_bsi_to_numeric(value, b->bsi.scale));
}

/* Where bsi_values() stands. */
typedef struct value_walk
{
	crm_bsi_open_value open;
	crm_bsi_reader *reader;
} value_walk;

Datum
crm_bsi_values(PG_FUNCTION_ARGS)
{
	FuncCallContext *funcctx;
	value_walk *walk;
	uint64_t	id;
	crm_int128	value;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext before;
		crm_env		env;
		struct varlena *copy;

		funcctx = SRF_FIRSTCALL_INIT();
		before = MemoryContextSwitchTo(funcctx->multi_call_memory_ctx);
		env = crm_env_in(CurrentMemoryContext);
		if (get_call_result_type(fcinfo, NULL, &funcctx->tuple_desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "bsi_values must return rows");
		funcctx->tuple_desc = BlessTupleDesc(funcctx->tuple_desc);
		walk = palloc(sizeof(value_walk));
		/* The argument may live no longer than the first row. */
		copy = PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0));
		crm_bsi_fetch(PointerGetDatum(copy), &walk->open);
		crm_bsi_check(crm_bsi_reader_new(&env, &walk->open.bsi, &walk->reader));
		funcctx->user_fctx = walk;
		MemoryContextSwitchTo(before);
	}

	funcctx = SRF_PERCALL_SETUP();
	walk = (value_walk *) funcctx->user_fctx;
	if (crm_bsi_reader_next(walk->reader, &id, &value))
	{
		Datum		columns[2];
		bool		nulls[2] = {false, false};

		columns[0] = Int64GetDatum((int64) id);
		columns[1] = NumericGetDatum(crm_bsi_to_numeric(value, walk->open.bsi.scale));
		SRF_RETURN_NEXT(funcctx, HeapTupleGetDatum(heap_form_tuple(funcctx->tuple_desc, columns, nulls)));
	}
	SRF_RETURN_DONE(funcctx);
}

/* ---- two values ------------------------------------------------------------------------------ */

Datum
crm_bsi_add(PG_FUNCTION_ARGS)
{
	const crm_bsi_open_value *a = crm_bsi_argument(fcinfo);
	crm_bsi_open_value *b = palloc(sizeof(crm_bsi_open_value));
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_bsi_image image;

	crm_bsi_fetch(PG_GETARG_DATUM(1), b);
	crm_bsi_check(crm_bsi_plus(&env, &a->bsi, &b->bsi, &image));
	PG_RETURN_POINTER(crm_bsi_finish(&image));
}

/*
 * Equal are the same numbers for the same customers, whatever their scale.
 * These functions sit in an operator class, whose call sites outlive queries,
 * so they keep no fetched values.
 */
static bool
are_equal(FunctionCallInfo fcinfo)
{
	crm_bsi_open_value *a = palloc(sizeof(crm_bsi_open_value));
	crm_bsi_open_value *b = palloc(sizeof(crm_bsi_open_value));
	crm_env		env = crm_env_in(CurrentMemoryContext);
	bool		equal = false;

	crm_bsi_fetch(PG_GETARG_DATUM(0), a);
	crm_bsi_fetch(PG_GETARG_DATUM(1), b);
	if (a->datum->cardinality == b->datum->cardinality)
		crm_bsi_check(crm_bsi_equal(&env, &a->bsi, &b->bsi, &equal));
	if ((Pointer) a->datum != PG_GETARG_POINTER(0))
		pfree(a->datum);
	if ((Pointer) b->datum != PG_GETARG_POINTER(1))
		pfree(b->datum);
	pfree(a);
	pfree(b);
	return equal;
}

Datum
crm_bsi_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(are_equal(fcinfo));
}

Datum
crm_bsi_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!are_equal(fcinfo));
}

/* Of the customers and the sum: both are the same at every scale. */
static uint64
hash_value(FunctionCallInfo fcinfo, uint64 seed)
{
	crm_bsi_open_value *b = palloc(sizeof(crm_bsi_open_value));
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_bsi_total total;
	uint64		hash;

	crm_bsi_fetch(PG_GETARG_DATUM(0), b);
	crm_bsi_sum_up(&env, &b->bsi, NULL, &total);
	hash = DatumGetUInt64(hash_any_extended(b->bsi.present.data, (int) b->bsi.present.size, seed));
	hash ^= DatumGetUInt64(DirectFunctionCall2(hash_numeric_extended,
											   NumericGetDatum(crm_bsi_total_to_numeric(&total, b->bsi.scale)),
											   Int64GetDatum((int64) seed)));
	if ((Pointer) b->datum != PG_GETARG_POINTER(0))
		pfree(b->datum);
	pfree(b);
	return hash;
}

Datum
crm_bsi_hash(PG_FUNCTION_ARGS)
{
	PG_RETURN_UINT32((uint32) hash_value(fcinfo, 0));
}

Datum
crm_bsi_hash_extended(PG_FUNCTION_ARGS)
{
	PG_RETURN_UINT64(hash_value(fcinfo, (uint64) PG_GETARG_INT64(1)));
}
