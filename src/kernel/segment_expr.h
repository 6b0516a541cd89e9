/*
 * segment_expr.h - the segment language: sets of customers by tag names.
 *
 *   expression := term { '|' term }
 *   term       := factor { ('&' | '-') factor }
 *   factor     := '!' factor | '(' expression ')' | condition
 *   condition  := name [ ('=' | '!=' | '<>') value | ('<' | '<=' | '>' | '>=') number ]
 *
 * '!' binds closest, then '&' and '-' from left to right, then '|': the order
 * of SQL's own operators on sets, so 'a | b - c' is 'a | (b - c)'.
 *
 * A name is written as it is when it consists of letters, digits, '_' and
 * bytes above 127, whatever the encoding, and in double quotes otherwise, a
 * quote in it twice.  Upper and lower case differ.  A value is a word, a number,
 * or anything in double or single quotes.
 *
 * The words and, or, not stand for '&', '|', '!' where an operator may stand:
 * "and" and "or" behind a factor, "not" before one.  Everywhere else they are
 * names like others, and in quotes always.
 *
 * The result is a program in postfix order, so that nobody who evaluates it has
 * to recurse.
 */
#ifndef CRM_KERNEL_SEGMENT_EXPR_H
#define CRM_KERNEL_SEGMENT_EXPR_H

#include "kernel/kernel.h"

/* Caps: bytes of an expression, depth of brackets and '!', names in it. */
#define CRM_SEGMENT_MAX_LENGTH (1024 * 1024)
#define CRM_SEGMENT_MAX_DEPTH 500
#define CRM_SEGMENT_MAX_NAMES 10000

typedef enum crm_segment_code
{
	CRM_SEGMENT_TAG,			/* push the customers of a condition */
	CRM_SEGMENT_NOT,			/* replace the top by the population without it */
	CRM_SEGMENT_AND,			/* replace the two topmost by their intersection, ... */
	CRM_SEGMENT_OR,
	CRM_SEGMENT_MINUS
} crm_segment_code;

typedef enum crm_segment_test
{
	CRM_TEST_NONE,				/* the name alone */
	CRM_TEST_EQUAL,
	CRM_TEST_DIFFERENT,
	CRM_TEST_LESS,				/* from here on the value is a number */
	CRM_TEST_LESS_EQUAL,
	CRM_TEST_GREATER,
	CRM_TEST_GREATER_EQUAL
} crm_segment_test;

typedef struct crm_segment_step
{
	crm_segment_code code;
	crm_segment_test test;
	const char *name;			/* CRM_SEGMENT_TAG: without quotes, NUL-terminated */
	const char *value;			/* NULL without a test */
	size_t		position;		/* byte in the expression where the name or operator starts */
	size_t		test_position;	/* ... where the test's sign starts */
} crm_segment_step;

typedef struct crm_segment_program
{
	crm_segment_step *steps;
	size_t		count;
	size_t		depth;			/* values on the stack at most */
	/* owned */
	size_t		room;
	char	   *names;
	size_t		names_size;
} crm_segment_program;

typedef enum crm_segment_fault
{
	CRM_FAULT_NONE,
	CRM_FAULT_EMPTY,			/* nothing but space */
	CRM_FAULT_NO_NAME,			/* a name or bracket was expected */
	CRM_FAULT_NO_OPERATOR,		/* an operator was expected */
	CRM_FAULT_NO_VALUE,			/* a value was expected behind '=' */
	CRM_FAULT_NO_NUMBER,		/* a number was expected behind '<' and the like */
	CRM_FAULT_SINGLE_QUOTES,	/* a name in single quotes */
	CRM_FAULT_OPEN_QUOTE,		/* a quote that is not closed */
	CRM_FAULT_EMPTY_NAME,		/* "" */
	CRM_FAULT_OPEN_BRACKET,		/* '(' without ')' */
	CRM_FAULT_CLOSING_BRACKET,	/* ')' without '(' */
	CRM_FAULT_CHARACTER,		/* a character that means nothing here */
	CRM_FAULT_WIDE_SIGN,		/* a full-width sign or curly quote outside of quotes */
	CRM_FAULT_TOO_LONG,
	CRM_FAULT_TOO_DEEP,
	CRM_FAULT_TOO_MANY
} crm_segment_fault;

typedef struct crm_segment_error
{
	crm_segment_fault fault;
	size_t		position;		/* byte at which the trouble starts; the length at the end */
	size_t		length;			/* bytes of the offending word, 0 at the end */
} crm_segment_error;

/*
 * Parses text of the given length.  CRM_CORRUPT with error filled when it is no
 * expression, CRM_LIMIT with error filled past a cap, CRM_NO_MEMORY.  On
 * success the program is to be freed.
 */
extern crm_status crm_segment_parse(const crm_env *env, const char *text, size_t length,
									crm_segment_program *program, crm_segment_error *error);
extern void crm_segment_free(const crm_env *env, crm_segment_program *program);

#endif							/* CRM_KERNEL_SEGMENT_EXPR_H */
