/*
 * literal.h - the text of a value on its way in: what those of crm.audience and
 * crm.bsi have in common.
 */
#ifndef CRM_AUDIENCE_LITERAL_H
#define CRM_AUDIENCE_LITERAL_H

#include "common/crm.h"

typedef struct crm_literal
{
	const char *start;
	const char *p;
	const char *type;			/* as errors name it */
	const char *hint;			/* how its values are written */
} crm_literal;

/* 22P02 at the byte that comes next. */
extern CRM_NORETURN void crm_literal_malformed(const crm_literal *in, const char *detail);

static inline void
crm_literal_space(crm_literal *in)
{
	while (*in->p == ' ' || (*in->p >= '\t' && *in->p <= '\r'))
		in->p++;
}

/* Takes a sign, or raises what is wrong. */
static inline void
crm_literal_expect(crm_literal *in, char sign, const char *detail)
{
	if (*in->p != sign)
		crm_literal_malformed(in, detail);
	in->p++;
}

/* A closing brace, with nothing behind it. */
extern void crm_literal_close(crm_literal *in);

/* A number between 0 and limit; 22003 for any other. */
extern uint64 crm_literal_number(crm_literal *in, uint64 limit, const char *what);

#endif							/* CRM_AUDIENCE_LITERAL_H */
