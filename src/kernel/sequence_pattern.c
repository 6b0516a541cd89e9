/*
 * sequence_pattern.c - parsing of patterns.
 *
 *		pattern = { "(?" number ")" | "." | ".*" | "(?t" operator number ")" }
 *		operator = "<=" | "<" | ">=" | ">" | "=="
 *
 * What stands between two events, in any number and order, is gathered into
 * one gap between them: other events may lie in it, and all its times hold.
 */
#include "kernel/sequence.h"

#define MICROSECONDS UINT64_C(1000000)

typedef struct reader
{
	const char *text;
	size_t		length;
	size_t		at;
} reader;

static bool
take(reader *in, const char *token)
{
	size_t		size = strlen(token);

	if (in->length - in->at < size || memcmp(in->text + in->at, token, size) != 0)
		return false;
	in->at += size;
	return true;
}

/* Digits, a plus before them allowed; a number beyond 64 bits is the largest. */
static bool
take_number(reader *in, uint64_t *number)
{
	size_t		first;

	take(in, "+");
	first = in->at;
	*number = 0;
	while (in->at < in->length && in->text[in->at] >= '0' && in->text[in->at] <= '9')
	{
		unsigned	digit = in->text[in->at++] - '0';

		*number = *number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *number * 10 + digit;
	}
	return in->at > first;
}

/* Narrows the time between two events by one condition in seconds. */
static void
narrow(crm_pattern_element *gap, const char *operator, uint64_t seconds)
{
	bool		far = seconds > UINT64_MAX / MICROSECONDS;
	uint64_t	time = far ? UINT64_MAX : seconds * MICROSECONDS;
	uint64_t	least = 0,
				most = UINT64_MAX;

	/* Further than any two times can be apart: shorter for sure, never longer. */
	if (far)
	{
		if (operator[0] != '<')
			least = UINT64_MAX, most = 0;
	}
	else if (operator[0] == '<')
	{
		most = time;
		if (operator[1] != '=')
		{
			if (time == 0)
				least = UINT64_MAX, most = 0;
			else
				most = time - 1;
		}
	}
	else if (operator[0] == '>')
		least = operator[1] == '=' ? time : time + 1;
	else
		least = most = time;
	if (least > gap->least)
		gap->least = least;
	if (most < gap->most)
		gap->most = most;
}

static crm_status
fail(crm_pattern_error *error, crm_pattern_fault fault, size_t position)
{
	error->fault = fault;
	error->position = position;
	return fault == CRM_PATTERN_TOO_LONG ? CRM_LIMIT : CRM_CORRUPT;
}

crm_status
crm_pattern_parse(const char *text, size_t length, int conditions, crm_pattern *pattern, crm_pattern_error *error)
{
	static const char *const operators[] = {"<=", "<", ">=", ">", "=="};
	static const crm_pattern_element adjacent = {0, false, 0, UINT64_MAX};
	reader		in = {text, length, 0};
	crm_pattern_element gap = adjacent;
	bool		timed = false;
	size_t		time_position = 0;

	pattern->count = 0;
	error->number = 0;
	while (in.at < length)
	{
		size_t		start = in.at;
		uint64_t	number;

		if (take(&in, "(?t"))
		{
			const char *operator = NULL;

			for (size_t i = 0; operator == NULL && i < sizeof(operators) / sizeof(operators[0]); i++)
				if (take(&in, operators[i]))
					operator = operators[i];
			if (operator == NULL)
				return fail(error, CRM_PATTERN_NO_OPERATOR, in.at);
			if (!take_number(&in, &number))
				return fail(error, CRM_PATTERN_NO_NUMBER, in.at);
			if (!take(&in, ")"))
				return fail(error, CRM_PATTERN_NO_BRACKET, in.at);
			if (pattern->count == 0)
				return fail(error, CRM_PATTERN_LONELY_TIME, start);
			narrow(&gap, operator, number);
			gap.gap = true;
			timed = true;
			time_position = start;
			continue;
		}
		if (take(&in, ".*"))
		{
			gap.gap = true;
			continue;
		}
		if (take(&in, "(?"))
		{
			size_t		digits = in.at;

			if (!take_number(&in, &number))
				return fail(error, CRM_PATTERN_NO_NUMBER, in.at);
			if (!take(&in, ")"))
				return fail(error, CRM_PATTERN_NO_BRACKET, in.at);
			if (number < 1 || number > (uint64_t) conditions)
			{
				error->number = number;
				return fail(error, CRM_PATTERN_NO_CONDITION, digits);
			}
			gap.condition = (int) number;
		}
		else if (take(&in, "."))
			gap.condition = 0;
		else
			return fail(error, CRM_PATTERN_UNEXPECTED, start);
		if (pattern->count == CRM_PATTERN_MAX_ELEMENTS)
			return fail(error, CRM_PATTERN_TOO_LONG, start);
		pattern->element[pattern->count++] = gap;
		gap = adjacent;
		timed = false;
	}
	if (timed)
		return fail(error, CRM_PATTERN_LONELY_TIME, time_position);

	/* A match begins anywhere. */
	if (pattern->count > 0)
		pattern->element[0].gap = true;
	return CRM_OK;
}
