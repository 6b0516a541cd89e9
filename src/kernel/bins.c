/*
 * bins.c - bins as bytes and as text, and cuts that need no label.
 */
#include "kernel/bins.h"

#include "kernel/scanner.h"

#include <math.h>
#include <stdio.h>

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

static crm_status
problem(char *room, const char *sentence)
{
	snprintf(room, CRM_BINS_PROBLEM, "%s", sentence);
	return CRM_CORRUPT;
}

static crm_status
expected(crm_scanner *scan, char *room, const char *what)
{
	snprintf(room, CRM_BINS_PROBLEM, "Expected %s at byte %zu.", what, crm_scan_place(scan));
	return CRM_CORRUPT;
}

static crm_status
take_number(crm_scanner *scan, char *room, double *number)
{
	size_t		length;
	crm_status	status = crm_scan_number(scan, number, &length);

	if (status == CRM_CORRUPT)
		return expected(scan, room, "a number");
	if (status == CRM_OUT_OF_RANGE)
		problem(room, "A cut is out of the range of float8.");
	return status;
}

static crm_status
take_cuts(crm_scanner *scan, char *room, double *cuts, uint32_t *count)
{
	const char *fault;

	*count = 0;
	if (!crm_scan_take(scan, "["))
		return expected(scan, room, "'['");
	if (!crm_scan_take(scan, "]"))
	{
		do
		{
			if (*count == CRM_BINS_MAX_CUTS)
				return problem(room, "There are more cuts than 999.");
			CRM_TRY(take_number(scan, room, &cuts[*count]));
			(*count)++;
		} while (crm_scan_take(scan, ","));
		if (!crm_scan_take(scan, "]"))
			return expected(scan, room, "',' or ']'");
	}
	fault = crm_bins_fault(cuts, *count);
	return fault == NULL ? CRM_OK : problem(room, fault);
}

crm_status
crm_bins_parse(const char *text, double *cuts, uint32_t *count, bool *inclusive, char *room)
{
	crm_scanner scan = {text, text};
	bool		has_cuts = false;
	bool		has_side = false;

	*count = 0;
	*inclusive = false;
	if (!crm_scan_take(&scan, "{"))
		return expected(&scan, room, "'{'");
	do
	{
		if (crm_scan_take(&scan, "\"cuts\""))
		{
			if (has_cuts)
				return problem(room, "\"cuts\" are given twice.");
			has_cuts = true;
			if (!crm_scan_take(&scan, ":"))
				return expected(&scan, room, "':'");
			CRM_TRY(take_cuts(&scan, room, cuts, count));
		}
		else if (crm_scan_take(&scan, "\"inclusive\""))
		{
			if (has_side)
				return problem(room, "\"inclusive\" is given twice.");
			has_side = true;
			if (!crm_scan_take(&scan, ":"))
				return expected(&scan, room, "':'");
			*inclusive = crm_scan_take(&scan, "true");
			if (!*inclusive && !crm_scan_take(&scan, "false"))
				return expected(&scan, room, "true or false");
		}
		else
			return expected(&scan, room, "\"cuts\" or \"inclusive\"");
	} while (crm_scan_take(&scan, ","));
	if (!crm_scan_take(&scan, "}"))
		return expected(&scan, room, "',' or '}'");
	if (!crm_scan_end(&scan))
		return expected(&scan, room, "the end");
	return has_cuts ? CRM_OK : problem(room, "\"cuts\" are missing.");
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
