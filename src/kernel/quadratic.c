/*
 * quadratic.c - factors, solutions and coordinate descent.
 */
#include "kernel/quadratic.h"

#include <math.h>

void
crm_factor(const crm_env *env, double *a, size_t n, double tolerance, bool *use)
{
	for (size_t j = 0; j < n; j++)
	{
		double	   *row = a + j * n;
		double		before = row[j];
		double		pivot = before;

		/* row[k] becomes L[j][k] * D[k], then L[j][k] */
		for (size_t k = 0; k < j; k++)
		{
			const double *other = a + k * n;
			double		sum = row[k];

			if (!use[k])
			{
				row[k] = 0;
				continue;
			}
			for (size_t i = 0; i < k; i++)
				sum -= row[i] * other[i];
			row[k] = sum;
		}
		for (size_t k = 0; k < j; k++)
			if (use[k])
			{
				double		factor = row[k] / a[k * n + k];

				pivot -= factor * row[k];
				row[k] = factor;
			}
		if (!use[j] || !(before > 0) || !(pivot > tolerance * before))
		{
			use[j] = false;
			pivot = 0;
		}
		row[j] = pivot;
		crm_progress(env);
	}
}

void
crm_solve_factored(const double *factors, size_t n, const bool *use, double *c)
{
	for (size_t j = 0; j < n; j++)
	{
		if (!use[j])
		{
			c[j] = 0;
			continue;
		}
		for (size_t k = 0; k < j; k++)
			c[j] -= factors[j * n + k] * c[k];
	}
	for (size_t j = 0; j < n; j++)
		if (use[j])
			c[j] /= factors[j * n + j];
	for (size_t j = n; j-- > 0;)
		if (use[j])
			for (size_t k = 0; k < j; k++)
				c[k] -= factors[j * n + k] * c[j];
	for (size_t j = 0; j < n; j++)
		if (!use[j])
			c[j] = 0;
}

void
crm_inverse_diagonal(const crm_env *env, const double *factors, size_t n, const bool *use, double *diagonal, double *work)
{
	for (size_t j = 0; j < n; j++)
		diagonal[j] = 0;
	/* Column i of L's inverse; the diagonal of L^-T D^-1 L^-1 sums its squares over D. */
	for (size_t i = 0; i < n; i++)
	{
		if (!use[i])
			continue;
		for (size_t j = i; j < n; j++)
		{
			double		sum = j == i ? 1 : 0;

			if (!use[j])
			{
				work[j] = 0;
				continue;
			}
			for (size_t k = i; k < j; k++)
				sum -= factors[j * n + k] * work[k];
			work[j] = sum;
			diagonal[i] += sum * sum / factors[j * n + j];
		}
		crm_progress(env);
	}
}

bool
crm_descend(const crm_env *env, const double *a, const double *c, size_t n, const double *l1, const double *l2,
			const bool *use, double tolerance, int max_rounds, double *b, double *work)
{
	/* work: the gradient of the quadratic part, c - Ab */
	for (size_t j = 0; j < n; j++)
	{
		work[j] = c[j];
		for (size_t k = 0; k < n; k++)
			work[j] -= a[j * n + k] * b[k];
	}
	for (int round = 0; round < max_rounds; round++)
	{
		double		largest = 0;

		for (size_t j = 0; j < n; j++)
		{
			double		curvature = a[j * n + j];
			double		pull = work[j] + curvature * b[j];
			double		step;

			if (!use[j] || !(curvature + l2[j] > 0))
				continue;
			pull = pull > l1[j] ? pull - l1[j] : pull < -l1[j] ? pull + l1[j] : 0;
			step = pull / (curvature + l2[j]) - b[j];
			if (step == 0)
				continue;
			b[j] += step;
			for (size_t k = 0; k < n; k++)
				work[k] -= a[k * n + j] * step;
			step = fabs(step) * sqrt(curvature);
			largest = step > largest ? step : largest;
		}
		crm_progress(env);
		if (largest <= tolerance)
			return true;
	}
	return false;
}
