/*
 * segment_expr.c - tokenizer and parser of the segment language.
 *
 * The parser descends through brackets and '!' only, up to a stated depth; chains
 * of operators are loops.
 */
#include "kernel/segment_expr.h"

typedef enum token_kind
{
	TOKEN_END,
	TOKEN_WORD,					/* letters, digits, '_', bytes above 127 */
	TOKEN_QUOTED,				/* in double quotes */
	TOKEN_SINGLE,				/* in single quotes */
	TOKEN_SIGN,					/* one of ( ) & | - ! */
	TOKEN_TEST					/* one of = != <> < <= > >= */
} token_kind;

typedef struct token
{
	token_kind	kind;
	char		sign;
	crm_segment_test test;
	size_t		start;
	size_t		length;
} token;

typedef struct parser
{
	const crm_env *env;
	const char *text;
	size_t		length;
	size_t		at;				/* behind the current token */
	token		current;
	int			depth;			/* of brackets and '!' */
	size_t		stack;			/* values on the evaluator's stack here */
	size_t		names;			/* operands so far */
	size_t		names_used;		/* bytes */
	crm_segment_program *program;
	crm_segment_error *error;
} parser;

static crm_status parse_expression(parser *p);

static crm_status
fail_at(parser *p, crm_segment_fault fault, size_t position, size_t length)
{
	p->error->fault = fault;
	p->error->position = position;
	p->error->length = length;
	return fault >= CRM_FAULT_TOO_LONG ? CRM_LIMIT : CRM_CORRUPT;
}

static crm_status
fail_here(parser *p, crm_segment_fault fault)
{
	return fail_at(p, fault, p->current.start, p->current.length);
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || (unsigned char) c >= 128;
}

/*
 * The bytes of a sign that an input method writes where the language has an
 * ASCII one, 0 for anything else: the ideographic space and punctuation
 * (U+3000-3002, U+3008-3011), curly quotes (U+2018-201F) and the full-width
 * forms but for letters, digits and '_' (U+FF01-FF0F, FF1A-FF20, FF3B-FF3E,
 * FF40, FF5B-FF65).  Taken for parts of a name, they would make a condition
 * silently another one.
 */
static size_t
wide_sign(const parser *p)
{
	const unsigned char *at = (const unsigned char *) p->text + p->at;
	unsigned int code;

	if (p->length - p->at < 3 || (at[0] & 0xf0) != 0xe0)
		return 0;
	code = (at[0] & 0x0fu) << 12 | (at[1] & 0x3fu) << 6 | (at[2] & 0x3fu);
	if ((code >= 0x3000 && code <= 0x3002) || (code >= 0x3008 && code <= 0x3011) ||
		(code >= 0x2018 && code <= 0x201f) ||
		(code >= 0xff01 && code <= 0xff0f) || (code >= 0xff1a && code <= 0xff20) ||
		(code >= 0xff3b && code <= 0xff3e) || code == 0xff40 || (code >= 0xff5b && code <= 0xff65))
		return 3;
	return 0;
}

/* The end of what a quote opens; a doubled quote stays inside. */
static crm_status
scan_quoted(parser *p, char quote)
{
	size_t		start = p->at++;

	while (p->at < p->length && p->text[p->at] != '\0')
	{
		if (p->text[p->at++] != quote)
			continue;
		if (p->at < p->length && p->text[p->at] == quote)
		{
			p->at++;
			continue;
		}
		p->current.kind = quote == '"' ? TOKEN_QUOTED : TOKEN_SINGLE;
		p->current.start = start;
		p->current.length = p->at - start;
		return CRM_OK;
	}
	return fail_at(p, CRM_FAULT_OPEN_QUOTE, start, p->at - start);
}

static crm_status
next_token(parser *p)
{
	char		c,
				following;

	while (p->at < p->length && is_space(p->text[p->at]))
		p->at++;
	p->current.kind = TOKEN_END;
	p->current.start = p->at;
	p->current.length = 0;
	if (p->at >= p->length)
		return CRM_OK;

	c = p->text[p->at];
	following = p->at + 1 < p->length ? p->text[p->at + 1] : '\0';
	if (is_word(c))
	{
		for (; p->at < p->length && is_word(p->text[p->at]); p->at++)
			if (wide_sign(p) > 0)
				return fail_at(p, CRM_FAULT_WIDE_SIGN, p->at, wide_sign(p));
		p->current.kind = TOKEN_WORD;
		p->current.length = p->at - p->current.start;
		return CRM_OK;
	}

	p->current.kind = TOKEN_TEST;
	p->current.length = 1;
	switch (c)
	{
		case '"':
		case '\'':
			return scan_quoted(p, c);
		case '=':
			p->current.test = CRM_TEST_EQUAL;
			break;
		case '<':
			p->current.test = following == '=' ? CRM_TEST_LESS_EQUAL :
				following == '>' ? CRM_TEST_DIFFERENT : CRM_TEST_LESS;
			p->current.length = following == '=' || following == '>' ? 2 : 1;
			break;
		case '>':
			p->current.test = following == '=' ? CRM_TEST_GREATER_EQUAL : CRM_TEST_GREATER;
			p->current.length = following == '=' ? 2 : 1;
			break;
		case '!':
			if (following == '=')
			{
				p->current.test = CRM_TEST_DIFFERENT;
				p->current.length = 2;
				break;
			}
			/* FALLTHROUGH */
		case '(':
		case ')':
		case '&':
		case '|':
		case '-':
			p->current.kind = TOKEN_SIGN;
			p->current.sign = c;
			break;
		default:
			return fail_at(p, CRM_FAULT_CHARACTER, p->at, 1);
	}
	p->at += p->current.length;
	return CRM_OK;
}

static bool
is_sign(const parser *p, char sign)
{
	return p->current.kind == TOKEN_SIGN && p->current.sign == sign;
}

/* Is the current token this word, in any case of letters? */
static bool
is_keyword(const parser *p, const char *word)
{
	size_t		length = strlen(word);

	if (p->current.kind != TOKEN_WORD || p->current.length != length)
		return false;
	for (size_t i = 0; i < length; i++)
		if ((p->text[p->current.start + i] | 0x20) != word[i])
			return false;
	return true;
}

/* Does a factor start behind the current token?  Then "not" before it is the operator. */
static bool
factor_follows(const parser *p)
{
	size_t		at = p->at;

	while (at < p->length && is_space(p->text[at]))
		at++;
	if (at >= p->length)
		return false;
	if (p->text[at] == '!')
		return at + 1 >= p->length || p->text[at + 1] != '=';
	if (p->text[at] == '(' || p->text[at] == '"')
		return true;
	if (!is_word(p->text[at]))
		return false;

	/* "not and b", "not or b": a tag called "not". */
	{
		parser		ahead = *p;
		crm_segment_error ignored;

		ahead.error = &ignored;
		return next_token(&ahead) == CRM_OK && !is_keyword(&ahead, "and") && !is_keyword(&ahead, "or");
	}
}

/* Copies a name or value without its quotes into the program's own memory. */
static const char *
keep_text(parser *p, size_t start, size_t length)
{
	char	   *copy = p->program->names + p->names_used;
	size_t		n = 0;
	char		quote = p->text[start];

	if (quote != '"' && quote != '\'')
	{
		memcpy(copy, p->text + start, length);
		n = length;
	}
	else
	{
		for (size_t i = 1; i + 1 < length; i++)
		{
			copy[n++] = p->text[start + i];
			if (p->text[start + i] == quote)
				i++;
		}
	}
	copy[n] = '\0';
	p->names_used += n + 1;
	return copy;
}

static crm_status
add_step(parser *p, crm_segment_step step)
{
	crm_segment_program *program = p->program;

	if (program->count == program->room)
	{
		size_t		room = program->room == 0 ? 16 : program->room * 2;
		void	   *steps;

		steps = p->env->resize(p->env->arg, program->steps,
							   program->room * sizeof(crm_segment_step), room * sizeof(crm_segment_step));
		if (steps == NULL)
			return CRM_NO_MEMORY;
		program->steps = steps;
		program->room = room;
	}
	program->steps[program->count++] = step;
	if (step.code == CRM_SEGMENT_TAG)
	{
		if (++p->stack > program->depth)
			program->depth = p->stack;
	}
	else if (step.code != CRM_SEGMENT_NOT)
		p->stack--;
	return CRM_OK;
}

static crm_status
add_operator(parser *p, crm_segment_code code, size_t position)
{
	crm_segment_step step = {.code = code,.position = position};

	return add_step(p, step);
}

/*
 * Scans a number at the current place, which the tokenizer would cut at its
 * sign and point: 0 when there is none, or when it runs into a word ("30d").
 */
static size_t
number_length(const parser *p, size_t start)
{
	size_t		at = start,
				digits = 0;

	if (at < p->length && (p->text[at] == '-' || p->text[at] == '+'))
		at++;
	for (; at < p->length && is_digit(p->text[at]); at++)
		digits++;
	if (at < p->length && p->text[at] == '.')
		for (at++; at < p->length && is_digit(p->text[at]); at++)
			digits++;
	if (digits == 0)
		return 0;
	if (at < p->length && (p->text[at] == 'e' || p->text[at] == 'E'))
	{
		size_t		exponent = at + 1;

		if (exponent < p->length && (p->text[exponent] == '-' || p->text[exponent] == '+'))
			exponent++;
		if (exponent < p->length && is_digit(p->text[exponent]))
		{
			for (at = exponent; at < p->length && is_digit(p->text[at]); at++)
				;
		}
	}
	return at < p->length && is_word(p->text[at]) ? 0 : at - start;
}

/* The value behind a test; the current token is the test. */
static crm_status
parse_value(parser *p, crm_segment_test test, const char **value)
{
	size_t		start = p->at,
				length;

	while (start < p->length && is_space(p->text[start]))
		start++;
	length = number_length(p, start);
	if (length > 0)
	{
		p->at = start + length;
		*value = keep_text(p, start, length);
		return next_token(p);
	}

	CRM_TRY(next_token(p));
	if (test >= CRM_TEST_LESS)
		return fail_here(p, CRM_FAULT_NO_NUMBER);
	if (p->current.kind != TOKEN_WORD && p->current.kind != TOKEN_QUOTED && p->current.kind != TOKEN_SINGLE)
		return fail_here(p, CRM_FAULT_NO_VALUE);
	*value = keep_text(p, p->current.start, p->current.length);
	return next_token(p);
}

static crm_status
parse_condition(parser *p)
{
	crm_segment_step step = {.code = CRM_SEGMENT_TAG,.position = p->current.start};

	if (p->current.kind == TOKEN_SINGLE)
		return fail_here(p, CRM_FAULT_SINGLE_QUOTES);
	if (p->current.kind != TOKEN_WORD && p->current.kind != TOKEN_QUOTED)
		return fail_here(p, is_sign(p, ')') && p->depth == 0 ? CRM_FAULT_CLOSING_BRACKET : CRM_FAULT_NO_NAME);
	if (p->current.kind == TOKEN_QUOTED && p->current.length == 2)
		return fail_here(p, CRM_FAULT_EMPTY_NAME);
	if (++p->names > CRM_SEGMENT_MAX_NAMES)
		return fail_here(p, CRM_FAULT_TOO_MANY);

	step.name = keep_text(p, p->current.start, p->current.length);
	CRM_TRY(next_token(p));
	if (p->current.kind == TOKEN_TEST)
	{
		step.test = p->current.test;
		step.test_position = p->current.start;
		CRM_TRY(parse_value(p, step.test, &step.value));
	}
	return add_step(p, step);
}

static crm_status
parse_factor(parser *p)
{
	size_t		position = p->current.start;

	if (is_sign(p, '!') || (is_keyword(p, "not") && factor_follows(p)))
	{
		if (++p->depth > CRM_SEGMENT_MAX_DEPTH)
			return fail_here(p, CRM_FAULT_TOO_DEEP);
		CRM_TRY(next_token(p));
		CRM_TRY(parse_factor(p));
		p->depth--;
		return add_operator(p, CRM_SEGMENT_NOT, position);
	}
	if (is_sign(p, '('))
	{
		if (++p->depth > CRM_SEGMENT_MAX_DEPTH)
			return fail_here(p, CRM_FAULT_TOO_DEEP);
		CRM_TRY(next_token(p));
		CRM_TRY(parse_expression(p));
		if (p->current.kind == TOKEN_END)
			return fail_at(p, CRM_FAULT_OPEN_BRACKET, position, 1);
		if (!is_sign(p, ')'))
			return fail_here(p, CRM_FAULT_NO_OPERATOR);
		p->depth--;
		return next_token(p);
	}
	return parse_condition(p);
}

static crm_status
parse_term(parser *p)
{
	CRM_TRY(parse_factor(p));
	for (;;)
	{
		size_t		position = p->current.start;
		crm_segment_code code;

		if (is_sign(p, '&') || is_keyword(p, "and"))
			code = CRM_SEGMENT_AND;
		else if (is_sign(p, '-'))
			code = CRM_SEGMENT_MINUS;
		else
			return CRM_OK;
		CRM_TRY(next_token(p));
		CRM_TRY(parse_factor(p));
		CRM_TRY(add_operator(p, code, position));
	}
}

static crm_status
parse_expression(parser *p)
{
	CRM_TRY(parse_term(p));
	while (is_sign(p, '|') || is_keyword(p, "or"))
	{
		size_t		position = p->current.start;

		crm_progress(p->env);
		CRM_TRY(next_token(p));
		CRM_TRY(parse_term(p));
		CRM_TRY(add_operator(p, CRM_SEGMENT_OR, position));
	}
	return CRM_OK;
}

static crm_status
parse_all(parser *p)
{
	CRM_TRY(next_token(p));
	if (p->current.kind == TOKEN_END)
		return fail_here(p, CRM_FAULT_EMPTY);
	CRM_TRY(parse_expression(p));
	if (is_sign(p, ')'))
		return fail_here(p, CRM_FAULT_CLOSING_BRACKET);
	if (p->current.kind != TOKEN_END)
		return fail_here(p, CRM_FAULT_NO_OPERATOR);
	return CRM_OK;
}

crm_status
crm_segment_parse(const crm_env *env, const char *text, size_t length,
				  crm_segment_program *program, crm_segment_error *error)
{
	parser		p = {.env = env,.text = text,.length = length,.program = program,.error = error};
	crm_status	status;

	memset(program, 0, sizeof(*program));
	memset(error, 0, sizeof(*error));
	if (length > CRM_SEGMENT_MAX_LENGTH)
		return fail_at(&p, CRM_FAULT_TOO_LONG, CRM_SEGMENT_MAX_LENGTH, length - CRM_SEGMENT_MAX_LENGTH);

	/* Names and values lie apart in the text, each takes its bytes and a NUL: twice the text holds all. */
	program->names_size = 2 * length + 1;
	program->names = env->alloc(env->arg, program->names_size);
	if (program->names == NULL)
		return CRM_NO_MEMORY;

	status = parse_all(&p);
	if (status != CRM_OK)
		crm_segment_free(env, program);
	return status;
}

void
crm_segment_free(const crm_env *env, crm_segment_program *program)
{
	if (program->steps != NULL)
		env->release(env->arg, program->steps);
	if (program->names != NULL)
		env->release(env->arg, program->names);
	memset(program, 0, sizeof(*program));
}
