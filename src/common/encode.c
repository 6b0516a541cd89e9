/*
 * encode.c - PostgreSQL's own base64, for values of any size.
 */
#include "common/crm.h"

#include "common/base64.h"
#include "common/encode.h"

char *
crm_base64_encode(const char *data, Size size)
{
	int			room;
	char	   *text;
	int			length;

	/* four characters for three bytes must fit an allocation */
	if (size > MaxAllocSize / 4 * 3 - 16)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a value of %zu bytes is too long for a text form", size)));
	room = pg_b64_enc_len((int) size);
	text = palloc((Size) room + 1);
	length = pg_b64_encode((const void *) data, (int) size, text, room);
	if (length < 0)
		elog(ERROR, "base64 encoding failed");
	text[length] = '\0';
	return text;
}

char *
crm_base64_decode(const char *text, Size *size)
{
	Size		length = strlen(text);
	int			room = (int) (length / 4 * 3 + 3);
	char	   *data = palloc((Size) room + 1);
	int			n = pg_b64_decode(text, (int) length, (void *) data, room);

	if (n < 0)
	{
		pfree(data);
		return NULL;
	}
	*size = (Size) n;
	return data;
}
