/*
 * bsi_io.c - the doors of crm.bsi: text and binary.
 *
 * Every door checks the whole value; behind them bytes are trusted.
 */
#include "audience/bsi.h"
#include "audience/literal.h"

#include "common/bridge.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"

CRM_FUNCTION(crm_bsi_in);
CRM_FUNCTION(crm_bsi_out);
CRM_FUNCTION(crm_bsi_recv);
CRM_FUNCTION(crm_bsi_send);

#define WIRE_VERSION 1

/* ---- text ---------------------------------------------------------------- */

/* A literal on its way in. */
typedef struct literal
{
	crm_literal text;
	crm_bsi_pair *pairs;
	Size		count;
	Size		room;
	uint32		scale;
} literal;

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Sign, digits, and maybe a point and further digits. */
static crm_int128
read_decimal(crm_literal *in, uint32 *scale)
{
	crm_int128	value = 0;
	bool		negative = *in->p == '-';
	bool		behind_point = false;

	*scale = 0;
	if (*in->p == '-' || *in->p == '+')
		in->p++;
	if (!is_digit(*in->p))
		crm_literal_malformed(in, "A number is missing.");

	/* Summed up below zero, where there is one number more. */
	for (;; in->p++)
	{
		if (*in->p == '.' && !behind_point)
		{
			behind_point = true;
			if (!is_digit(in->p[1]))
			{
				in->p++;
				crm_literal_malformed(in, "Digits must follow the point.");
			}
			continue;
		}
		if (!is_digit(*in->p))
			break;
		if ((behind_point && ++*scale > CRM_BSI_SCALE) ||
			__builtin_mul_overflow(value, (crm_int128) 10, &value) ||
			__builtin_sub_overflow(value, (crm_int128) (*in->p - '0'), &value))
			crm_bsi_out_of_range();
	}
	if (!negative && __builtin_sub_overflow((crm_int128) 0, value, &value))
		crm_bsi_out_of_range();
	return value;
}

static void
add_pair(literal *in, uint64 id, crm_int128 value, uint32 scale)
{
	if (in->count == in->room)
	{
		in->room = in->room == 0 ? 16 : in->room * 2;
		in->pairs = in->pairs == NULL ? palloc(in->room * sizeof(crm_bsi_pair)) :
			repalloc_huge(in->pairs, in->room * sizeof(crm_bsi_pair));
		CHECK_FOR_INTERRUPTS();
	}
	if (scale < in->scale)
	{
		if (!crm_bsi_scale_up(&value, in->scale - scale))
			crm_bsi_out_of_range();
	}
	else if (scale > in->scale)
	{
		crm_bsi_check(crm_bsi_pairs_rescale(in->pairs, in->count, scale - in->scale));
		in->scale = scale;
	}
	crm_bsi_pair_set(&in->pairs[in->count++], id, value);
}

/* Brings the pairs into order; an id can have but one number. */
static void
order_pairs(literal *in)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_bsi_pair *scratch = MemoryContextAllocHuge(CurrentMemoryContext, (in->count + 1) * sizeof(crm_bsi_pair));

	crm_bsi_pairs_sort(&env, in->pairs, scratch, in->count);
	pfree(scratch);
	for (Size i = 1; i < in->count; i++)
	{
		if (in->pairs[i].id == in->pairs[i - 1].id)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("id \"%llu\" occurs twice in a value of type %s", (unsigned long long) in->pairs[i].id, CRM_BSI_TYPE),
					 errhint("Add up the numbers of one customer first, for example with bsi_agg.")));
	}
}

Datum
crm_bsi_in(PG_FUNCTION_ARGS)
{
	literal		values = {{PG_GETARG_CSTRING(0), PG_GETARG_CSTRING(0), CRM_BSI_TYPE, "Numbers of customers are written {1:12.50,2:-3.00}, those of none {}."}};
	crm_literal *in = &values.text;
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_bsi_image image;

	crm_literal_space(in);
	crm_literal_expect(in, '{', "An opening brace is missing.");
	crm_literal_space(in);
	if (*in->p != '}')
	{
		for (;;)
		{
			uint64		id;
			crm_int128	value;
			uint32		scale;

			crm_literal_space(in);
			id = crm_literal_number(in, CRM_ID_MAX, "id");
			crm_literal_space(in);
			crm_literal_expect(in, ':', "A colon must follow the id.");
			crm_literal_space(in);
			value = read_decimal(in, &scale);
			add_pair(&values, id, value, scale);
			crm_literal_space(in);
			if (*in->p != ',')
				break;
			in->p++;
		}
	}
	crm_literal_close(in);

	order_pairs(&values);
	crm_bsi_check(crm_bsi_build(&env, values.pairs, values.count, values.scale, &image));
	PG_RETURN_POINTER(crm_bsi_finish(&image));
}

Datum
crm_bsi_out(PG_FUNCTION_ARGS)
{
	crm_bsi_open_value *open = palloc(sizeof(crm_bsi_open_value));
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_bsi_reader *reader;
	StringInfoData out;
	uint64_t	id;
	crm_int128	value;

	crm_bsi_fetch(PG_GETARG_DATUM(0), open);
	crm_bsi_check(crm_bsi_reader_new(&env, &open->bsi, &reader));
	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	while (crm_bsi_reader_next(reader, &id, &value))
	{
		/* An id of 19 digits, the number, and what stands between them. */
		enlargeStringInfo(&out, 24 + CRM_BSI_TEXT);
		if (out.len > 1)
			out.data[out.len++] = ',';
		out.len += pg_lltoa((int64) id, out.data + out.len);
		out.data[out.len++] = ':';
		out.len += crm_bsi_print(value, open->bsi.scale, out.data + out.len);
	}
	appendStringInfoChar(&out, '}');
	PG_RETURN_CSTRING(out.data);
}

/* ---- bytes ------------------------------------------------------------------ */

static void
malformed_bytes(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid binary value for type %s", CRM_BSI_TYPE),
			 errdetail("%s", detail)));
}

Datum
crm_bsi_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			version = pq_getmsgbyte(buf);
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_bsi    *bsi = palloc(sizeof(crm_bsi));
	crm_bsi_datum *result;
	int			slices;
	int			scale;
	int			size;
	const char *bytes;
	uint64_t	cardinality = 0;
	crm_status	status;

	if (version != WIRE_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unknown version %d of the binary form of type %s", version, CRM_BSI_TYPE)));
	slices = pq_getmsgbyte(buf);
	scale = pq_getmsgbyte(buf);
	if (pq_getmsgint(buf, 4) != 0)
		malformed_bytes("No population is known to this version.");
	size = buf->len - buf->cursor;
	bytes = pq_getmsgbytes(buf, size);

	status = crm_bsi_open((const uint8 *) bytes, size, slices, scale, bsi);
	if (status == CRM_OK)
		status = crm_bsi_validate(&env, bsi, &cardinality);
	if (status == CRM_OUT_OF_RANGE)
		malformed_bytes("Ids lie between 0 and 9223372036854775807.");
	crm_check(status, CRM_BSI_TYPE, true);

	crm_check_size(CRM_BSI_HEADER + size, CRM_BSI_TYPE);
	result = palloc(CRM_BSI_HEADER + size);
	memset(result, 0, CRM_BSI_HEADER);
	SET_VARSIZE(result, CRM_BSI_HEADER + size);
	result->version = CRM_BSI_VERSION;
	result->slices = slices;
	result->scale = scale;
	result->cardinality = cardinality;
	memcpy(result->data, bytes, size);
	PG_RETURN_POINTER(result);
}

Datum
crm_bsi_send(PG_FUNCTION_ARGS)
{
	crm_bsi_open_value *open = palloc(sizeof(crm_bsi_open_value));
	StringInfoData buf;

	crm_bsi_fetch(PG_GETARG_DATUM(0), open);
	pq_begintypsend(&buf);
	pq_sendbyte(&buf, WIRE_VERSION);
	pq_sendbyte(&buf, open->datum->slices);
	pq_sendbyte(&buf, open->datum->scale);
	pq_sendint32(&buf, open->datum->population);
	pq_sendbytes(&buf, (const char *) open->datum->data, VARSIZE(open->datum) - CRM_BSI_HEADER);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
