/*
 * literal.c - errors and numbers of literals.
 */
#include "audience/literal.h"

#include "mb/pg_wchar.h"

void
crm_literal_malformed(const crm_literal *in, const char *detail)
{
	int			length = strlen(in->start);
	int			shown = pg_mbcliplen(in->start, length, 80);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%.*s%s\"", in->type, shown, in->start, shown < length ? "..." : ""),
			 errdetail("%s (at byte %lld)", detail, (long long) (in->p - in->start + 1)),
			 errhint("%s", in->hint)));
}

void
crm_literal_close(crm_literal *in)
{
	crm_literal_expect(in, '}', "A comma or the closing brace is missing.");
	crm_literal_space(in);
	if (*in->p != '\0')
		crm_literal_malformed(in, "Something follows the closing brace.");
}

uint64
crm_literal_number(crm_literal *in, uint64 limit, const char *what)
{
	const char *start = in->p;
	uint64		value = 0;
	bool		fits = true;

	if (*in->p == '-')
	{
		fits = false;
		in->p++;
	}
	if (*in->p < '0' || *in->p > '9')
		crm_literal_malformed(in, "A number is missing.");
	for (; *in->p >= '0' && *in->p <= '9'; in->p++)
	{
		uint64		digit = *in->p - '0';

		if (value > (limit - digit) / 10)
			fits = false;
		else
			value = value * 10 + digit;
	}
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s \"%.*s\" is out of range for type %s", what, (int) Min(in->p - start, 80), start, in->type),
				 errdetail("It must lie between 0 and %llu.", (unsigned long long) limit)));
	return value;
}
