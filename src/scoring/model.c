/*
 * model.c - values of type crm.model: made, read, sent and received.
 */
#include "scoring/scoring.h"

#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"

CRM_FUNCTION(crm_model_recv);
CRM_FUNCTION(crm_model_send);

struct varlena *
scoring_model_value(const crm_model *m, MemoryContext context)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	char		room[CRM_MODEL_PROBLEM];
	const char *problem;
	Size		size;
	struct varlena *value;

	if (crm_model_check(m, &env, room, &problem) != CRM_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("these rows do not give a model of kind \"%s\"", m->kind->name),
				 errdetail("%s", problem)));
	size = VARHDRSZ + crm_model_size(m);
	crm_check_size(size, CRM_MODEL_TYPE);
	value = MemoryContextAlloc(context, size);
	SET_VARSIZE(value, size);
	crm_model_write(m, (uint8 *) VARDATA(value));
	return value;
}

/* Text becomes visible to users: it must be valid in the database's encoding, which is UTF8. */
static bool
texts_are_valid(const crm_model *m)
{
	for (int place = 0; place < CRM_MODEL_MAX_FIELDS; place++)
	{
		const crm_model_field *field = crm_model_field_at(m->kind, place);
		const crm_model_value *value = &m->values[place];

		if (field == NULL || !value->present)
			continue;
		if (field->type == CRM_FIELD_TEXT && !pg_verifymbstr(value->text.bytes, value->text.length, true))
			return false;
		for (uint32 i = 0; field->type == CRM_FIELD_TEXTS && i < value->count; i++)
			if (!pg_verifymbstr(value->texts[i].bytes, value->texts[i].length, true))
				return false;
	}
	return true;
}

/* Reads bytes that outlive the model; from_wire as in crm_check. */
static crm_model *
read_model(const char *bytes, Size size, MemoryContext context, bool from_wire)
{
	crm_model  *m = MemoryContextAlloc(context, sizeof(crm_model));
	crm_env		env = crm_env_in(context);
	char		room[CRM_MODEL_PROBLEM];
	const char *problem;
	crm_status	status = crm_model_read(m, &env, (const uint8 *) bytes, size, room, &problem);

	if (status == CRM_OK && !texts_are_valid(m))
	{
		status = CRM_CORRUPT;
		problem = "A text is not valid UTF-8.";
	}
	if (status == CRM_CORRUPT)
		ereport(ERROR,
				(errcode(from_wire ? ERRCODE_INVALID_BINARY_REPRESENTATION : ERRCODE_DATA_CORRUPTED),
				 from_wire ? errmsg("invalid binary value for type %s", CRM_MODEL_TYPE) :
				 errmsg("damaged value of type %s", CRM_MODEL_TYPE),
				 errdetail("%s", problem)));
	crm_check(status, CRM_MODEL_TYPE, from_wire);
	return m;
}

crm_model *
scoring_model_fetch(Datum value, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	struct varlena *bytes = PG_DETOAST_DATUM_COPY(value);

	MemoryContextSwitchTo(old);
	return read_model(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), context, false);
}

/* ---- binary: the stored form, whose numbers are little-endian everywhere --- */

Datum
crm_model_send(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
	StringInfoData buffer;

	pq_begintypsend(&buffer);
	pq_sendbytes(&buffer, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

Datum
crm_model_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buffer = (StringInfo) PG_GETARG_POINTER(0);
	int			size = buffer->len - buffer->cursor;
	struct varlena *value = palloc(size + VARHDRSZ);

	SET_VARSIZE(value, size + VARHDRSZ);
	pq_copymsgbytes(buffer, VARDATA(value), size);
	read_model(VARDATA(value), size, CurrentMemoryContext, true);
	PG_RETURN_POINTER(value);
}
