/*
 * rfm_sum.c - sums of floats that do not depend on the order of their terms.
 */
#include "kernel/rfm.h"

#include <math.h>

crm_status
crm_sum_add(double *parts, uint32_t *count, double term)
{
	uint32_t	kept = 0;

	/*
	 * The term is added to each part, smallest first.  What the rounded sum
	 * leaves over is exact and stays as a part; the sum is carried on.
	 */
	for (uint32_t i = 0; i < *count; i++)
	{
		double		part = parts[i];
		double		sum = term + part;
		double		rest;

		if (fabs(term) >= fabs(part))
			rest = part - (sum - term);
		else
			rest = term - (sum - part);
		if (rest != 0)
			parts[kept++] = rest;
		term = sum;
	}
	if (!isfinite(term))
		return CRM_OUT_OF_RANGE;
	if (term != 0)
		parts[kept++] = term;
	*count = kept;
	return CRM_OK;
}

double
crm_sum_round(const double *parts, uint32_t count)
{
	double		sum = 0;
	double		rest = 0;

	/* From the largest part down, until a part no longer fits. */
	while (count > 0 && rest == 0)
	{
		double		before = sum;
		double		part = parts[--count];

		sum = before + part;
		rest = part - (sum - before);
	}

	/*
	 * The sum was rounded at this last addition.  If that was a tie, the
	 * smaller parts, which have not been looked at, decide it.
	 */
	if (count > 0 && ((rest < 0 && parts[count - 1] < 0) || (rest > 0 && parts[count - 1] > 0)))
	{
		double		twice = 2 * rest;
		double		other = sum + twice;

		if (other - sum == twice)
			sum = other;
	}
	return sum;
}
