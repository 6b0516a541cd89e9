/*
 * bins.c - bins as bytes and as text, and cuts that need no label.
 */
#include "kernel/bins.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- bytes ----------------------------------------------------------------- */

crm_status
crm_bins_open(const uint8_t *bytes, size_t size, crm_bins *bins)
{
	uint16_t	count;

	if (size < CRM_BINS_HEADER || bytes[0] != CRM_BINS_VERSION || bytes[1] > 1)
		return CRM_CORRUPT;
	memcpy(&count, bytes + 2, sizeof(count));
	if (count > CRM_BINS_MAX_CUTS || size != crm_bins_size(count))
		return CRM_CORRUPT;
	bins->inclusive = bytes[1] == 1;
	bins->count = count;
	bins->cuts = bytes + CRM_BINS_HEADER;
	return CRM_OK;
}

const char *
crm_bins_fault(double *cuts, size_t count)
{
	if (count > CRM_BINS_MAX_CUTS)
		return "There are more cuts than 999.";
	for (size_t i = 0; i < count; i++)
	{
		if (!isfinite(cuts[i]))
			return "A cut is not a finite number.";
		if (cuts[i] == 0)
			cuts[i] = 0;		/* not -0, so that equal bins are equal bytes */
		if (i > 0 && cuts[i] <= cuts[i - 1])
			return "The cuts do not ascend.";
	}
	return NULL;
}

void
crm_bins_write(bool inclusive, const double *cuts, uint32_t count, uint8_t *out)
{
	uint16_t	small = (uint16_t) count;

	memset(out, 0, CRM_BINS_HEADER);
	out[0] = CRM_BINS_VERSION;
	out[1] = inclusive;
	memcpy(out + 2, &small, sizeof(small));
	if (count > 0)
		memcpy(out + CRM_BINS_HEADER, cuts, count * sizeof(double));
}

/* ---- text ------------------------------------------------------------------- */

typedef struct scanner
{
	const char *text;
	const char *at;
	char	   *problem;
} scanner;

static void
skip_space(scanner *scan)
{
	while (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r')
		scan->at++;
}

/* Takes a word or sign if it comes next. */
static bool
take(scanner *scan, const char *word)
{
	size_t		length = strlen(word);

	skip_space(scan);
	if (strncmp(scan->at, word, length) != 0)
		return false;
	scan->at += length;
	return true;
}

static crm_status
problem(scanner *scan, const char *sentence)
{
	snprintf(scan->problem, CRM_BINS_PROBLEM, "%s", sentence);
	return CRM_CORRUPT;
}

static crm_status
expected(scanner *scan, const char *what)
{
	skip_space(scan);
	snprintf(scan->problem, CRM_BINS_PROBLEM, "Expected %s at byte %zu.", what, (size_t) (scan->at - scan->text) + 1);
	return CRM_CORRUPT;
}

static crm_status
take_number(scanner *scan, double *number)
{
	size_t		length;
	char	   *end;

	skip_space(scan);
	/* strtod also reads inf, nan and hexadecimal numbers: it must stop where the decimal digits do. */
	length = strspn(scan->at, "+-.0123456789eE");
	errno = 0;
	*number = length == 0 ? 0 : strtod(scan->at, &end);
	if (length == 0 || end != scan->at + length)
		return expected(scan, "a number");
	if (errno == ERANGE && (*number == 0 || isinf(*number)))
	{
		problem(scan, "A cut is out of the range of float8.");
		return CRM_OUT_OF_RANGE;
	}
	scan->at = end;
	return CRM_OK;
}

static crm_status
take_cuts(scanner *scan, double *cuts, uint32_t *count)
{
	const char *fault;

	*count = 0;
	if (!take(scan, "["))
		return expected(scan, "'['");
	if (!take(scan, "]"))
	{
		do
		{
			if (*count == CRM_BINS_MAX_CUTS)
				return problem(scan, "There are more cuts than 999.");
			CRM_TRY(take_number(scan, &cuts[*count]));
			(*count)++;
		} while (take(scan, ","));
		if (!take(scan, "]"))
			return expected(scan, "',' or ']'");
	}
	fault = crm_bins_fault(cuts, *count);
	return fault == NULL ? CRM_OK : problem(scan, fault);
}

crm_status
crm_bins_parse(const char *text, double *cuts, uint32_t *count, bool *inclusive, char *room)
{
	scanner		scan = {text, text, room};
	bool		has_cuts = false;
	bool		has_side = false;

	*count = 0;
	*inclusive = false;
	if (!take(&scan, "{"))
		return expected(&scan, "'{'");
	do
	{
		if (take(&scan, "\"cuts\""))
		{
			if (has_cuts)
				return problem(&scan, "\"cuts\" are given twice.");
			has_cuts = true;
			if (!take(&scan, ":"))
				return expected(&scan, "':'");
			CRM_TRY(take_cuts(&scan, cuts, count));
		}
		else if (take(&scan, "\"inclusive\""))
		{
			if (has_side)
				return problem(&scan, "\"inclusive\" is given twice.");
			has_side = true;
			if (!take(&scan, ":"))
				return expected(&scan, "':'");
			*inclusive = take(&scan, "true");
			if (!*inclusive && !take(&scan, "false"))
				return expected(&scan, "true or false");
		}
		else
			return expected(&scan, "\"cuts\" or \"inclusive\"");
	} while (take(&scan, ","));
	if (!take(&scan, "}"))
		return expected(&scan, "',' or '}'");
	skip_space(&scan);
	if (*scan.at != '\0')
		return expected(&scan, "the end");
	return has_cuts ? CRM_OK : problem(&scan, "\"cuts\" are missing.");
}

/* ---- cuts without labels ------------------------------------------------------- */

crm_status
crm_bins_quantiles(const crm_env *env, const crm_rfm_values *values, uint32_t bins, double *cuts, uint32_t *count)
{
	double		greatest = -INFINITY;
	uint32_t	n = 0;

	CRM_TRY(crm_rfm_values_borders(env, values, bins, cuts));
	for (const crm_rfm_chunk *chunk = values->first; chunk != NULL; chunk = chunk->next)
		for (uint32_t i = 0; i < chunk->used; i++)
			if (chunk->values[i] > greatest)
				greatest = chunk->values[i];
	/* equal quantiles are one cut, and above the greatest value is nothing */
	for (uint32_t i = 0; i + 1 < bins; i++)
		if ((n == 0 || cuts[i] > cuts[n - 1]) && cuts[i] < greatest)
			cuts[n++] = cuts[i] + 0.0;
	*count = n;
	return CRM_OK;
}

void
crm_bins_equal_width(double low, double high, uint32_t bins, double *cuts, uint32_t *count)
{
	uint32_t	n = 0;

	for (uint32_t k = 1; k < bins; k++)
	{
		double		step = (high - low) * k / bins;
		/* too far apart for a float8: by halves */
		double		cut = isfinite(step) ? low + step : 2 * (low / 2 + (high / 2 - low / 2) * ((double) k / bins));

		if (cut > (n == 0 ? low : cuts[n - 1]) && cut <= high)
			cuts[n++] = cut + 0.0;
	}
	*count = n;
}
