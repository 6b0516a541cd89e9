/*
 * agg_state.c - the type crm.agg_state: header, text form, binary form.
 */
#include "common/agg_state.h"

#include "common/encode.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"

CRM_FUNCTION(crm_agg_state_in);
CRM_FUNCTION(crm_agg_state_out);
CRM_FUNCTION(crm_agg_state_recv);
CRM_FUNCTION(crm_agg_state_send);

void
crm_agg_state_init(void *state, Size size, crm_state_kind kind, uint8 version)
{
	crm_agg_state *header = state;

	SET_VARSIZE(header, size);
	header->magic = CRM_AGG_STATE_MAGIC;
	header->kind = kind;
	header->version = version;
}

void
crm_agg_state_damaged(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("damaged value of type crm.agg_state"),
			 errdetail("%s", detail)));
}

crm_agg_state *
crm_agg_state_fetch(Datum value, crm_state_kind kind, uint8 version, Size min_size)
{
	crm_agg_state *state = (crm_agg_state *) PG_DETOAST_DATUM(value);

	if (VARSIZE(state) < CRM_AGG_STATE_HEADER || state->magic != CRM_AGG_STATE_MAGIC)
		crm_agg_state_damaged("The header is not that of an aggregate state.");
	if (state->kind != kind)
		crm_agg_state_damaged("The state belongs to another aggregate.");
	if (state->version != version)
		crm_agg_state_damaged("The state was made by another version of the extension.");
	if (VARSIZE(state) < min_size)
		crm_agg_state_damaged("The state is too short.");
	return state;
}

/* Base64 of everything behind the length word. */
Datum
crm_agg_state_out(PG_FUNCTION_ARGS)
{
	struct varlena *state = PG_DETOAST_DATUM(PG_GETARG_DATUM(0));

	PG_RETURN_CSTRING(crm_base64_encode(VARDATA(state), VARSIZE(state) - VARHDRSZ));
}

/* What text and binary input share: size and header of bytes from outside. */
static bool
header_is_valid(const crm_agg_state *state)
{
	return VARSIZE(state) >= CRM_AGG_STATE_HEADER && state->magic == CRM_AGG_STATE_MAGIC;
}

Datum
crm_agg_state_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	Size		size = 0;
	char	   *bytes = crm_base64_decode(text, &size);
	crm_agg_state *state = palloc0(Max(size + VARHDRSZ, CRM_AGG_STATE_HEADER));

	SET_VARSIZE(state, size + VARHDRSZ);
	if (bytes != NULL)
		memcpy(VARDATA(state), bytes, size);
	if (bytes == NULL || !header_is_valid(state))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type crm.agg_state: \"%.*s\"",
						pg_mbcliplen(text, (int) strlen(text), 64), text),
				 errdetail("It is base64 of a state that a server of the same version wrote.")));
	PG_RETURN_POINTER(state);
}

Datum
crm_agg_state_send(PG_FUNCTION_ARGS)
{
	struct varlena *state = PG_DETOAST_DATUM(PG_GETARG_DATUM(0));
	StringInfoData buffer;

	pq_begintypsend(&buffer);
	pq_sendbytes(&buffer, VARDATA(state), VARSIZE(state) - VARHDRSZ);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

Datum
crm_agg_state_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buffer = (StringInfo) PG_GETARG_POINTER(0);
	int			size = buffer->len - buffer->cursor;
	crm_agg_state *state = palloc0(Max(size + VARHDRSZ, (int) CRM_AGG_STATE_HEADER));

	SET_VARSIZE(state, size + VARHDRSZ);
	pq_copymsgbytes(buffer, VARDATA(state), size);
	if (!header_is_valid(state))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary value for type crm.agg_state")));
	PG_RETURN_POINTER(state);
}

Datum
crm_agg_unchanged(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}
