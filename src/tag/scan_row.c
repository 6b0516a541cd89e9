/*
 * scan_row.c - the type tag_scan_row: what the rules need of one customer, as one
 * value.
 *
 * An engine that sends partial aggregates to other servers must know their
 * arguments' types, and cannot send an aggregate of any arguments at all.  Here
 * a function of any arguments, which it can send, makes one value of them.
 *
 * Nobody can write such a value: it has no text or binary form and no cast, so
 * what the aggregate is given was made by tag_scan_values in the same process.
 */
#include "tag/scan_row.h"

#include "utils/lsyscache.h"

typedef struct scan_row
{
	int32		header;			/* of a varlena */
	int32		count;
	Oid			types[FLEXIBLE_ARRAY_MEMBER];	/* count; then a byte each that says NULL; then the values, aligned */
} scan_row;

static Size
values_offset(int count)
{
	return MAXALIGN(offsetof(scan_row, types) + count * (sizeof(Oid) + 1));
}

static inline char *
nulls_of(const scan_row *row)
{
	return (char *) (row->types + row->count);
}

/* ---- making one ------------------------------------------------------------------- */

typedef struct row_maker
{
	int			count;
	Oid			types[FUNC_MAX_ARGS];
	bool		by_value[FUNC_MAX_ARGS];
} row_maker;

static row_maker *
maker(FunctionCallInfo fcinfo)
{
	row_maker  *m = fcinfo->flinfo->fn_extra;

	if (m != NULL)
		return m;
	m = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(row_maker));
	m->count = PG_NARGS();
	for (int i = 0; i < m->count; i++)
	{
		int16		length;

		m->types[i] = get_fn_expr_argtype(fcinfo->flinfo, i);
		if (!OidIsValid(m->types[i]))
			ereport(ERROR,
					(errcode(ERRCODE_INDETERMINATE_DATATYPE),
					 errmsg("could not determine the type of argument %d", i + 1)));
		get_typlenbyval(m->types[i], &length, &m->by_value[i]);
		if (!m->by_value[i] && length != -1)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("scan plan does not expect type %s as argument %d", format_type_be(m->types[i]), i + 1)));
	}
	fcinfo->flinfo->fn_extra = m;
	return m;
}

CRM_FUNCTION(crm_tag_scan_values);
Datum
crm_tag_scan_values(PG_FUNCTION_ARGS)
{
	row_maker  *m = maker(fcinfo);
	struct varlena *values[FUNC_MAX_ARGS];
	Size		size = values_offset(m->count);
	scan_row   *row;
	char	   *at;

	for (int i = 0; i < m->count; i++)
	{
		if (PG_ARGISNULL(i))
			continue;
		if (m->by_value[i])
			size += sizeof(Datum);
		else
		{
			values[i] = PG_GETARG_VARLENA_PP(i);
			size += MAXALIGN(VARSIZE_ANY(values[i]));
		}
	}
	row = palloc0(size);
	SET_VARSIZE(row, size);
	row->count = m->count;
	memcpy(row->types, m->types, m->count * sizeof(Oid));
	at = (char *) row + values_offset(m->count);
	for (int i = 0; i < m->count; i++)
	{
		nulls_of(row)[i] = PG_ARGISNULL(i);
		if (PG_ARGISNULL(i))
			continue;
		if (m->by_value[i])
		{
			*(Datum *) at = PG_GETARG_DATUM(i);
			at += sizeof(Datum);
		}
		else
		{
			memcpy(at, values[i], VARSIZE_ANY(values[i]));
			at += MAXALIGN(VARSIZE_ANY(values[i]));
		}
	}
	PG_RETURN_POINTER(row);
}

/* ---- reading one ------------------------------------------------------------------------ */

/* Rows of one scan may come from different calls of tag_scan_values: each is held against what the plan was checked for. */
static void
check_row(const scan_row *row, crm_scan_state *state)
{
	if (state->row_types != NULL && row->count == state->row_values &&
		memcmp(row->types, state->row_types, row->count * sizeof(Oid)) == 0)
		return;
	crm_scan_check(state->scan, row->types, row->count);
	if (state->row_types == NULL)
	{
		state->row_types = MemoryContextAlloc(state->context, FUNC_MAX_ARGS * sizeof(Oid));
		state->row_by_value = MemoryContextAlloc(state->context, FUNC_MAX_ARGS * sizeof(bool));
	}
	state->row_values = row->count;
	memcpy(state->row_types, row->types, row->count * sizeof(Oid));
	for (int i = 0; i < row->count; i++)
		state->row_by_value[i] = get_typbyval(row->types[i]);
}

void
crm_scan_row_open(Datum value, crm_scan_state *state, NullableDatum *arguments)
{
	const scan_row *row = (const scan_row *) PG_DETOAST_DATUM(value);
	const char *at = (const char *) row + values_offset(row->count);

	check_row(row, state);
	for (int i = 0; i < row->count; i++)
	{
		arguments[i].isnull = nulls_of(row)[i];
		if (arguments[i].isnull)
			continue;
		if (state->row_by_value[i])
		{
			arguments[i].value = *(const Datum *) at;
			at += sizeof(Datum);
		}
		else
		{
			arguments[i].value = PointerGetDatum(at);
			at += MAXALIGN(VARSIZE_ANY(at));
		}
	}
}

/* ---- no other forms ------------------------------------------------------------------------- */

static void
refuse(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("a value of type tag_scan_row has no text or binary form"),
			 errdetail("It lives between a scan of refresh_tags and its aggregate.")));
}

CRM_FUNCTION(crm_tag_scan_row_in);
Datum
crm_tag_scan_row_in(PG_FUNCTION_ARGS)
{
	refuse();
	PG_RETURN_NULL();
}

CRM_FUNCTION(crm_tag_scan_row_out);
Datum
crm_tag_scan_row_out(PG_FUNCTION_ARGS)
{
	refuse();
	PG_RETURN_NULL();
}
