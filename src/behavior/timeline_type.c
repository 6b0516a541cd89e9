/*
 * timeline_type.c - crm.timeline: binary form, comparison.
 *
 * Equal histories are equal bytes, so values are compared as such.
 */
#include "behavior/timeline.h"

#include "access/detoast.h"
#include "common/hashfn.h"
#include "libpq/pqformat.h"

CRM_FUNCTION(crm_timeline_recv);
CRM_FUNCTION(crm_timeline_send);
CRM_FUNCTION(crm_timeline_eq);
CRM_FUNCTION(crm_timeline_ne);
CRM_FUNCTION(crm_timeline_lt);
CRM_FUNCTION(crm_timeline_le);
CRM_FUNCTION(crm_timeline_ge);
CRM_FUNCTION(crm_timeline_gt);
CRM_FUNCTION(crm_timeline_cmp);
CRM_FUNCTION(crm_timeline_hash);
CRM_FUNCTION(crm_timeline_hash_extended);

/* ---- bytes -------------------------------------------------------------- */

Datum
crm_timeline_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	int			size = message->len - message->cursor;
	struct varlena *value = palloc(VARHDRSZ + size);

	SET_VARSIZE(value, VARHDRSZ + size);
	pq_copymsgbytes(message, VARDATA(value), size);
	behavior_timeline_check((const uint8_t *) VARDATA(value), size);
	PG_RETURN_POINTER(value);
}

Datum
crm_timeline_send(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
	StringInfoData buffer;

	pq_begintypsend(&buffer);
	pq_sendbytes(&buffer, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

/* ---- comparison --------------------------------------------------------- */

static int
compare(FunctionCallInfo fcinfo)
{
	struct varlena *a = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
	struct varlena *b = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1));
	Size		size_a = VARSIZE_ANY_EXHDR(a);
	Size		size_b = VARSIZE_ANY_EXHDR(b);
	int			order = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), Min(size_a, size_b));

	if (order == 0)
		order = size_a < size_b ? -1 : size_a > size_b;
	/* An index compares more values than memory may hold. */
	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return order;
}

/* Sizes that differ tell of inequality without fetching a value from its TOAST table. */
static bool
same_bytes(FunctionCallInfo fcinfo)
{
	if (toast_raw_datum_size(PG_GETARG_DATUM(0)) != toast_raw_datum_size(PG_GETARG_DATUM(1)))
		return false;
	return compare(fcinfo) == 0;
}

Datum
crm_timeline_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(same_bytes(fcinfo));
}

Datum
crm_timeline_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!same_bytes(fcinfo));
}

Datum
crm_timeline_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) < 0);
}

Datum
crm_timeline_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) <= 0);
}

Datum
crm_timeline_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) >= 0);
}

Datum
crm_timeline_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) > 0);
}

Datum
crm_timeline_cmp(PG_FUNCTION_ARGS)
{
	int			order = compare(fcinfo);

	PG_RETURN_INT32(order < 0 ? -1 : order > 0);
}

Datum
crm_timeline_hash(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));

	return hash_any((const unsigned char *) VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

Datum
crm_timeline_hash_extended(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));

	return hash_any_extended((const unsigned char *) VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), PG_GETARG_INT64(1));
}
