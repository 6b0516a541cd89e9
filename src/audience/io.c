/*
 * io.c - the doors of crm.audience: text, binary, Roaring bytes.
 *
 * Every door checks the whole value; behind them bytes are trusted.
 */
#include "audience/audience.h"
#include "audience/literal.h"

#include "common/bridge.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"

CRM_FUNCTION(crm_audience_in);
CRM_FUNCTION(crm_audience_out);
CRM_FUNCTION(crm_audience_recv);
CRM_FUNCTION(crm_audience_send);
CRM_FUNCTION(crm_to_roaring);
CRM_FUNCTION(crm_from_roaring);

#define WIRE_VERSION 1

/* ---- text ---------------------------------------------------------------- */

/* A literal on its way in. */
typedef struct literal
{
	crm_literal text;
	crm_interval *intervals;
	Size		count;
	Size		room;
	bool		ascending;		/* so far each begins behind the one before it */
} literal;

static void
add_interval(literal *in, uint64 first, uint64 last)
{
	if (in->count > 0)
	{
		crm_interval *before = &in->intervals[in->count - 1];

		/* What continues or overlaps the last one widens it. */
		if (first >= before->first && first <= before->last + 1)
		{
			before->last = Max(before->last, last);
			return;
		}
		if (first < before->first)
			in->ascending = false;
	}
	if (in->count == in->room)
	{
		in->room = in->room == 0 ? 16 : in->room * 2;
		in->intervals = in->intervals == NULL ? palloc(in->room * sizeof(crm_interval)) :
			repalloc_huge(in->intervals, in->room * sizeof(crm_interval));
	}
	in->intervals[in->count].first = first;
	in->intervals[in->count].last = last;
	in->count++;
	if (in->count % 4096 == 0)
		CHECK_FOR_INTERRUPTS();
}

static int
compare_intervals(const void *a, const void *b)
{
	uint64		x = ((const crm_interval *) a)->first;
	uint64		y = ((const crm_interval *) b)->first;

	CHECK_FOR_INTERRUPTS();
	return x < y ? -1 : x > y;
}

/* Sorts the intervals and joins those that touch or overlap. */
static void
order_intervals(literal *in)
{
	Size		kept = 0;

	qsort(in->intervals, in->count, sizeof(crm_interval), compare_intervals);
	for (Size i = 1; i < in->count; i++)
	{
		crm_interval *before = &in->intervals[kept];

		if (in->intervals[i].first <= before->last + 1)
			before->last = Max(before->last, in->intervals[i].last);
		else
			in->intervals[++kept] = in->intervals[i];
	}
	in->count = kept + 1;
}

Datum
crm_audience_in(PG_FUNCTION_ARGS)
{
	literal		values = {{PG_GETARG_CSTRING(0), PG_GETARG_CSTRING(0), CRM_AUDIENCE_TYPE, "An audience is written {1,2,5..9}, the empty one {}."}, .ascending = true};
	crm_literal *in = &values.text;
	crm_env		env = crm_env_in(CurrentMemoryContext);
	uint32		population = 0;
	crm_ids_builder *builder;

	crm_literal_space(in);
	if (*in->p >= '0' && *in->p <= '9')
	{
		population = (uint32) crm_literal_number(in, PG_INT32_MAX, "population");
		if (population == 0)
			crm_literal_malformed(in, "Populations are numbered from 1.");
		crm_literal_expect(in, ':', "A colon must follow the number of the population.");
	}
	crm_literal_expect(in, '{', "An opening brace is missing.");
	crm_literal_space(in);
	if (*in->p != '}')
	{
		for (;;)
		{
			uint64		first;
			uint64		last;

			crm_literal_space(in);
			first = last = crm_literal_number(in, CRM_ID_MAX, "id");
			crm_literal_space(in);
			if (in->p[0] == '.' && in->p[1] == '.')
			{
				in->p += 2;
				crm_literal_space(in);
				last = crm_literal_number(in, CRM_ID_MAX, "id");
				if (last < first)
					crm_literal_malformed(in, "A range ends before it begins.");
				crm_literal_space(in);
			}
			add_interval(&values, first, last);
			if (*in->p != ',')
				break;
			in->p++;
		}
	}
	crm_literal_close(in);

	if (!values.ascending)
		order_intervals(&values);
	crm_check(crm_ids_builder_new(&env, &builder), CRM_AUDIENCE_TYPE, false);
	crm_check(crm_ids_builder_intervals(builder, values.intervals, values.count), CRM_AUDIENCE_TYPE, false);
	if (values.intervals)
		pfree(values.intervals);
	PG_RETURN_AUDIENCE(crm_audience_finish(builder, population));
}

Datum
crm_audience_out(PG_FUNCTION_ARGS)
{
	crm_audience *audience = crm_audience_fetch(PG_GETARG_DATUM(0), NULL, 0);
	StringInfoData out;
	crm_ids_runs runs;
	uint64		first;
	uint64		last;
	uint32		steps = 0;

	initStringInfo(&out);
	/* The stamp belongs to the value: a dump, or a shard, must not lose it. */
	if (audience->population != 0)
		appendStringInfo(&out, "%u:", audience->population);
	appendStringInfoChar(&out, '{');
	crm_ids_runs_first(&runs, crm_audience_ids(audience));
	while (crm_ids_runs_next(&runs, &first, &last))
	{
		/* Two numbers of 19 digits with what stands between them. */
		enlargeStringInfo(&out, 48);
		if (steps > 0)
			out.data[out.len++] = ',';
		out.len += pg_lltoa((int64) first, out.data + out.len);
		if (last > first)
		{
			if (last == first + 1)
				out.data[out.len++] = ',';
			else
			{
				out.data[out.len++] = '.';
				out.data[out.len++] = '.';
			}
			out.len += pg_lltoa((int64) last, out.data + out.len);
		}
		steps = steps % 4096 + 1;
		if (steps == 4096)
			CHECK_FOR_INTERRUPTS();
	}
	appendStringInfoChar(&out, '}');
	PG_RETURN_CSTRING(out.data);
}

/* ---- bytes ------------------------------------------------------------------ */

/* Checked bytes as a value; what is valid but not in our canonical form is written anew. */
static crm_audience *
from_bytes(const uint8 *bytes, Size size, uint32 population)
{
	uint64		cardinality;
	bool		canonical;
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_status	status = crm_ids_validate_long(&env, bytes, size, &cardinality, &canonical);
	crm_audience *result;

	if (status == CRM_OUT_OF_RANGE)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("id out of range for type %s", CRM_AUDIENCE_TYPE),
				 errdetail("Ids lie between 0 and 9223372036854775807.")));
	crm_check(status, CRM_AUDIENCE_TYPE, true);
	if (!canonical)
	{
		crm_ids		set = {bytes, size};
		crm_ids_builder *builder;

		crm_check(crm_ids_builder_new(&env, &builder), CRM_AUDIENCE_TYPE, false);
		crm_check(crm_ids_builder_set(builder, set), CRM_AUDIENCE_TYPE, false);
		return crm_audience_finish(builder, population);
	}
	crm_check_size(CRM_AUDIENCE_HEADER + size, CRM_AUDIENCE_TYPE);
	result = palloc(CRM_AUDIENCE_HEADER + size);
	memset(result, 0, CRM_AUDIENCE_HEADER);
	SET_VARSIZE(result, CRM_AUDIENCE_HEADER + size);
	result->version = CRM_AUDIENCE_VERSION;
	result->population = population;
	result->cardinality = cardinality;
	memcpy(result->ids, bytes, size);
	return result;
}

Datum
crm_audience_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			version = pq_getmsgbyte(buf);
	uint32		population;
	int			size;
	const char *bytes;

	if (version != WIRE_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unknown version %d of the binary form of type %s", version, CRM_AUDIENCE_TYPE)));
	population = pq_getmsgint(buf, 4);
	if (population > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid population \"%u\" in binary value for type %s", population, CRM_AUDIENCE_TYPE)));
	size = buf->len - buf->cursor;
	bytes = pq_getmsgbytes(buf, size);
	PG_RETURN_AUDIENCE(from_bytes((const uint8 *) bytes, size, population));
}

Datum
crm_audience_send(PG_FUNCTION_ARGS)
{
	crm_audience *audience = crm_audience_fetch(PG_GETARG_DATUM(0), NULL, 0);
	crm_ids		set = crm_audience_ids(audience);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, WIRE_VERSION);
	pq_sendint32(&buf, audience->population);
	pq_sendbytes(&buf, (const char *) set.data, set.size);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

Datum
crm_to_roaring(PG_FUNCTION_ARGS)
{
	crm_ids		set = crm_audience_ids(crm_audience_fetch(PG_GETARG_DATUM(0), fcinfo->flinfo, 0));
	bytea	   *result = palloc(VARHDRSZ + set.size);

	SET_VARSIZE(result, VARHDRSZ + set.size);
	memcpy(VARDATA(result), set.data, set.size);
	PG_RETURN_BYTEA_P(result);
}

Datum
crm_from_roaring(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);

	PG_RETURN_AUDIENCE(from_bytes((const uint8 *) VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), 0));
}
