/*
 * ops.c - operators of crm.audience: set operations, counts, membership,
 * comparison.
 */
#include "audience/audience.h"

#include "audience/paged.h"
#include "common/bridge.h"
#include "common/hashfn.h"

CRM_FUNCTION(crm_audience_union);
CRM_FUNCTION(crm_audience_intersect);
CRM_FUNCTION(crm_audience_except);
CRM_FUNCTION(crm_audience_xor);
CRM_FUNCTION(crm_audience_contains_id);
CRM_FUNCTION(crm_audience_contained_id);
CRM_FUNCTION(crm_audience_contains_int);
CRM_FUNCTION(crm_audience_contained_int);
CRM_FUNCTION(crm_audience_contains_smallint);
CRM_FUNCTION(crm_audience_contained_smallint);
CRM_FUNCTION(crm_audience_contains);
CRM_FUNCTION(crm_audience_contained);
CRM_FUNCTION(crm_audience_overlaps);
CRM_FUNCTION(crm_audience_eq);
CRM_FUNCTION(crm_audience_ne);
CRM_FUNCTION(crm_audience_lt);
CRM_FUNCTION(crm_audience_le);
CRM_FUNCTION(crm_audience_gt);
CRM_FUNCTION(crm_audience_ge);
CRM_FUNCTION(crm_audience_cmp);
CRM_FUNCTION(crm_audience_hash);
CRM_FUNCTION(crm_audience_hash_extended);
CRM_FUNCTION(crm_cardinality);
CRM_FUNCTION(crm_and_cardinality);
CRM_FUNCTION(crm_or_cardinality);
CRM_FUNCTION(crm_andnot_cardinality);
CRM_FUNCTION(crm_xor_cardinality);
CRM_FUNCTION(crm_jaccard);
CRM_FUNCTION(crm_audience_min);
CRM_FUNCTION(crm_audience_max);
CRM_FUNCTION(crm_is_empty);
CRM_FUNCTION(crm_population_stamp);

#define ARG_AUDIENCE(n) crm_audience_fetch(PG_GETARG_DATUM(n), fcinfo->flinfo, n)

/* ---- set operations -------------------------------------------------------- */

static Datum
combine(FunctionCallInfo fcinfo, crm_ids_op op)
{
	crm_audience *a = ARG_AUDIENCE(0);
	crm_audience *b = ARG_AUDIENCE(1);

	PG_RETURN_AUDIENCE(crm_audience_combine(op, a, b));
}

Datum
crm_audience_union(PG_FUNCTION_ARGS)
{
	return combine(fcinfo, CRM_OR);
}

Datum
crm_audience_intersect(PG_FUNCTION_ARGS)
{
	return combine(fcinfo, CRM_AND);
}

Datum
crm_audience_except(PG_FUNCTION_ARGS)
{
	return combine(fcinfo, CRM_ANDNOT);
}

Datum
crm_audience_xor(PG_FUNCTION_ARGS)
{
	return combine(fcinfo, CRM_XOR);
}

/* ---- counts ------------------------------------------------------------------ */

Datum
crm_cardinality(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) crm_audience_cardinality_of(PG_GETARG_DATUM(0), NULL));
}

Datum
crm_is_empty(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(crm_audience_cardinality_of(PG_GETARG_DATUM(0), NULL) == 0);
}

Datum
crm_population_stamp(PG_FUNCTION_ARGS)
{
	uint32		population;

	crm_audience_cardinality_of(PG_GETARG_DATUM(0), &population);
	if (population == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT32((int32) population);
}

/* What all counts of two sets follow from. */
typedef struct overlap
{
	uint64		a;
	uint64		b;
	uint64		both;
} overlap;

/* An operand of a count: whole in memory, or stored and read in pieces. */
typedef struct operand
{
	crm_audience *head;			/* stamp and cardinality; the value itself where it is whole */
	bool		paged;
	crm_audience_pages pages;
} operand;

static void
open_operand(FunctionCallInfo fcinfo, int argument, operand *o)
{
	Datum		value = PG_GETARG_DATUM(argument);

	o->paged = !crm_audience_is_recurring(value, fcinfo->flinfo, argument) && crm_audience_open_pages(value, &o->pages);
	o->head = o->paged ? o->pages.head : crm_audience_fetch(value, fcinfo->flinfo, argument);
}

static overlap
count_overlap(FunctionCallInfo fcinfo)
{
	operand		a;
	operand		b;
	crm_env		env = crm_env_in(CurrentMemoryContext);
	overlap		result;

	open_operand(fcinfo, 0, &a);
	open_operand(fcinfo, 1, &b);
	crm_audience_common_stamp(a.head->population, b.head->population);
	result.a = a.head->cardinality;
	result.b = b.head->cardinality;
	if (a.paged)
		result.both = crm_ids_and_count_paged(&env, &a.pages.pages, b.paged ? &b.pages.pages : NULL,
											  b.paged ? b.pages.pages.head : crm_audience_ids(b.head));
	else if (b.paged)
		result.both = crm_ids_and_count_paged(&env, &b.pages.pages, NULL, crm_audience_ids(a.head));
	else
		result.both = crm_ids_and_count(&env, crm_audience_ids(a.head), crm_audience_ids(b.head));
	if (a.paged)
		crm_audience_close_pages(&a.pages);
	if (b.paged)
		crm_audience_close_pages(&b.pages);
	return result;
}

Datum
crm_and_cardinality(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) count_overlap(fcinfo).both);
}

Datum
crm_or_cardinality(PG_FUNCTION_ARGS)
{
	overlap		o = count_overlap(fcinfo);

	PG_RETURN_INT64((int64) (o.a + o.b - o.both));
}

Datum
crm_andnot_cardinality(PG_FUNCTION_ARGS)
{
	overlap		o = count_overlap(fcinfo);

	PG_RETURN_INT64((int64) (o.a - o.both));
}

Datum
crm_xor_cardinality(PG_FUNCTION_ARGS)
{
	overlap		o = count_overlap(fcinfo);

	PG_RETURN_INT64((int64) (o.a + o.b - 2 * o.both));
}

/* Two empty sets have no members to be alike in: NULL. */
Datum
crm_jaccard(PG_FUNCTION_ARGS)
{
	overlap		o = count_overlap(fcinfo);

	if (o.a + o.b == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8((double) o.both / (double) (o.a + o.b - o.both));
}

Datum
crm_audience_min(PG_FUNCTION_ARGS)
{
	uint64		id;

	if (!crm_ids_min(crm_audience_ids(ARG_AUDIENCE(0)), &id))
		PG_RETURN_NULL();
	PG_RETURN_INT64((int64) id);
}

Datum
crm_audience_max(PG_FUNCTION_ARGS)
{
	uint64		id;

	if (!crm_ids_max(crm_audience_ids(ARG_AUDIENCE(0)), &id))
		PG_RETURN_NULL();
	PG_RETURN_INT64((int64) id);
}

/* ---- membership ---------------------------------------------------------------- */

/* audience @> bigint */
Datum
crm_audience_contains_id(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(crm_audience_probe(PG_GETARG_DATUM(0), fcinfo->flinfo, 0, PG_GETARG_INT64(1)));
}

/* bigint <@ audience */
Datum
crm_audience_contained_id(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(crm_audience_probe(PG_GETARG_DATUM(1), fcinfo->flinfo, 1, PG_GETARG_INT64(0)));
}

/*
 * The same for the narrower integers: a column of those keeps its statistics
 * and its index, which it would lose behind a cast.
 */
Datum
crm_audience_contains_int(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(crm_audience_probe(PG_GETARG_DATUM(0), fcinfo->flinfo, 0, PG_GETARG_INT32(1)));
}

Datum
crm_audience_contained_int(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(crm_audience_probe(PG_GETARG_DATUM(1), fcinfo->flinfo, 1, PG_GETARG_INT32(0)));
}

Datum
crm_audience_contains_smallint(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(crm_audience_probe(PG_GETARG_DATUM(0), fcinfo->flinfo, 0, PG_GETARG_INT16(1)));
}

Datum
crm_audience_contained_smallint(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(crm_audience_probe(PG_GETARG_DATUM(1), fcinfo->flinfo, 1, PG_GETARG_INT16(0)));
}

static bool
is_subset(const crm_audience *a, const crm_audience *b)
{
	crm_audience_common_stamp(a->population, b->population);
	return a->cardinality <= b->cardinality && crm_ids_is_subset(crm_audience_ids(a), crm_audience_ids(b));
}

Datum
crm_audience_contains(PG_FUNCTION_ARGS)
{
	crm_audience *a = ARG_AUDIENCE(0);

	PG_RETURN_BOOL(is_subset(ARG_AUDIENCE(1), a));
}

Datum
crm_audience_contained(PG_FUNCTION_ARGS)
{
	crm_audience *a = ARG_AUDIENCE(0);

	PG_RETURN_BOOL(is_subset(a, ARG_AUDIENCE(1)));
}

Datum
crm_audience_overlaps(PG_FUNCTION_ARGS)
{
	crm_audience *a = ARG_AUDIENCE(0);
	crm_audience *b = ARG_AUDIENCE(1);

	crm_audience_common_stamp(a->population, b->population);
	PG_RETURN_BOOL(crm_ids_intersects(crm_audience_ids(a), crm_audience_ids(b)));
}

/* ---- comparison ------------------------------------------------------------------
 *
 * Members only: the canonical form makes equal sets equal bytes, and a stamp
 * is no member.  The order is by size, then by bytes: total, good for sorting
 * and grouping, and without further meaning.
 *
 * These functions sit in operator classes, whose call sites outlive queries,
 * so they keep no fetched values.
 */

static void
free_copy(crm_audience *audience, Datum value)
{
	if ((Pointer) audience != DatumGetPointer(value))
		pfree(audience);
}

static int
compare(FunctionCallInfo fcinfo)
{
	Datum		left = PG_GETARG_DATUM(0);
	Datum		right = PG_GETARG_DATUM(1);
	uint64		a_count = crm_audience_cardinality_of(left, NULL);
	uint64		b_count = crm_audience_cardinality_of(right, NULL);
	crm_audience *a;
	crm_audience *b;
	crm_ids		x;
	crm_ids		y;
	int			order;

	if (a_count != b_count)
		return a_count < b_count ? -1 : 1;
	a = crm_audience_fetch(left, NULL, 0);
	b = crm_audience_fetch(right, NULL, 1);
	x = crm_audience_ids(a);
	y = crm_audience_ids(b);
	order = memcmp(x.data, y.data, Min(x.size, y.size));
	if (order == 0 && x.size != y.size)
		order = x.size < y.size ? -1 : 1;

	/* A sort compares many times before its memory is reset. */
	free_copy(a, left);
	free_copy(b, right);
	return order < 0 ? -1 : order > 0;
}

Datum
crm_audience_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) == 0);
}

Datum
crm_audience_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) != 0);
}

Datum
crm_audience_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) < 0);
}

Datum
crm_audience_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) <= 0);
}

Datum
crm_audience_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) > 0);
}

Datum
crm_audience_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) >= 0);
}

Datum
crm_audience_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare(fcinfo));
}

Datum
crm_audience_hash(PG_FUNCTION_ARGS)
{
	crm_audience *audience = crm_audience_fetch(PG_GETARG_DATUM(0), NULL, 0);
	crm_ids		set = crm_audience_ids(audience);
	Datum		hash = hash_any(set.data, (int) set.size);

	free_copy(audience, PG_GETARG_DATUM(0));
	return hash;
}

Datum
crm_audience_hash_extended(PG_FUNCTION_ARGS)
{
	crm_audience *audience = crm_audience_fetch(PG_GETARG_DATUM(0), NULL, 0);
	crm_ids		set = crm_audience_ids(audience);
	Datum		hash = hash_any_extended(set.data, (int) set.size, PG_GETARG_INT64(1));

	free_copy(audience, PG_GETARG_DATUM(0));
	return hash;
}
