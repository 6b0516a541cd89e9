/*
 * optimize.c - BFGS with a line search that halves the step.
 */
#include "kernel/optimize.h"

#include <math.h>

/* A step must win this share of what the slope promises (Armijo). */
#define SUFFICIENT 1e-4
#define MAX_HALVINGS 40
/* So many steps that win next to nothing are a ridge that goes on for ever. */
#define IDLE_STEPS 8
#define NOTHING_WON 1e-10
/* A first step may change a logarithm by this much. */
#define FIRST_STEP 0.5

static double
dot(const double *a, const double *b, int n)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

static double
greatest(const double *a, int n)
{
	double		max = 0;

	for (int i = 0; i < n; i++)
		max = fmax(max, fabs(a[i]));
	return max;
}

static void
identity(double *matrix, int n, double scale)
{
	for (int i = 0; i < n * n; i++)
		matrix[i] = i % (n + 1) == 0 ? scale : 0;
}

/* H becomes the inverse of second derivatives that agrees with the step and what it did to the gradient. */
static void
update(double *h, int n, const double *step, const double *change, double curvature)
{
	double		product[CRM_MINIMIZE_MAX];
	double		factor;

	for (int i = 0; i < n; i++)
		product[i] = dot(h + i * n, change, n);
	factor = (1 + dot(change, product, n) / curvature) / curvature;
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			h[i * n + j] += factor * step[i] * step[j] - (product[i] * step[j] + step[i] * product[j]) / curvature;
}

void
crm_minimize(const crm_env *env, crm_objective objective, void *arg, int n, double *x,
			 double tolerance, int max_iterations, crm_minimum *result)
{
	double		h[CRM_MINIMIZE_MAX * CRM_MINIMIZE_MAX];
	double		gradient[CRM_MINIMIZE_MAX];
	double		next_gradient[CRM_MINIMIZE_MAX];
	double		direction[CRM_MINIMIZE_MAX];
	double		next[CRM_MINIMIZE_MAX];
	double		value = objective(arg, x, gradient);
	bool		fresh = true;
	int			idle = 0;

	result->evaluations = 1;
	result->iterations = 0;
	identity(h, n, 1);
	while (isfinite(value) && result->iterations < max_iterations && idle < IDLE_STEPS)
	{
		double		slope;
		double		step = 1;
		double		next_value = NAN;
		int			halvings;

		crm_progress(env);
		crm_step(env, (uint64_t) result->iterations);
		if (greatest(gradient, n) <= tolerance)
			break;
		for (int i = 0; i < n; i++)
			direction[i] = -dot(h + i * n, gradient, n);
		slope = dot(direction, gradient, n);
		if (!(slope < 0))
		{
			identity(h, n, 1);
			fresh = true;
			for (int i = 0; i < n; i++)
				direction[i] = -gradient[i];
			slope = dot(direction, gradient, n);
		}
		if (fresh)
			step = fmin(1, FIRST_STEP / greatest(direction, n));
		for (halvings = 0; halvings < MAX_HALVINGS; halvings++, step /= 2)
		{
			for (int i = 0; i < n; i++)
				next[i] = x[i] + step * direction[i];
			next_value = objective(arg, next, next_gradient);
			result->evaluations++;
			/* near the minimum values differ by rounding only: then a smaller slope will do */
			if (isfinite(next_value) &&
				(next_value <= value + SUFFICIENT * step * slope ||
				 (next_value <= value + 1e-13 * fabs(value) && greatest(next_gradient, n) < greatest(gradient, n))))
				break;
		}
		if (halvings == MAX_HALVINGS)
		{
			if (fresh)
				break;			/* not even along the gradient */
			identity(h, n, 1);
			fresh = true;
			continue;
		}
		result->iterations++;
		for (int i = 0; i < n; i++)
		{
			direction[i] = next[i] - x[i];
			x[i] = next[i];
			next[i] = next_gradient[i] - gradient[i];
			gradient[i] = next_gradient[i];
		}
		idle = value - next_value > NOTHING_WON * fabs(value) ? 0 : idle + 1;
		value = next_value;
		{
			double		curvature = dot(direction, next, n);

			if (curvature > 1e-12 * sqrt(dot(direction, direction, n) * dot(next, next, n)))
			{
				if (fresh)
					identity(h, n, curvature / dot(next, next, n));
				fresh = false;
				update(h, n, direction, next, curvature);
			}
		}
	}
	result->value = value;
	result->slope = greatest(gradient, n);
	result->converged = isfinite(value) && result->slope <= tolerance;
}

bool
crm_invert_definite(double *matrix, int n)
{
	/* L in the lower half, then its inverse, then the product of the inverses */
	for (int j = 0; j < n; j++)
	{
		for (int i = j; i < n; i++)
		{
			double		sum = matrix[i * n + j];

			for (int k = 0; k < j; k++)
				sum -= matrix[i * n + k] * matrix[j * n + k];
			if (i == j)
			{
				if (!(sum > 1e-14 * fabs(matrix[j * n + j])) || !isfinite(sum))
					return false;
				matrix[j * n + j] = sqrt(sum);
			}
			else
				matrix[i * n + j] = sum / matrix[j * n + j];
		}
	}
	for (int j = 0; j < n; j++)
	{
		matrix[j * n + j] = 1 / matrix[j * n + j];
		for (int i = j + 1; i < n; i++)
		{
			double		sum = 0;

			for (int k = j; k < i; k++)
				sum -= matrix[i * n + k] * matrix[k * n + j];
			matrix[i * n + j] = sum / matrix[i * n + i];
		}
	}
	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
		{
			double		sum = 0;

			for (int k = i; k < n; k++)
				sum += matrix[k * n + i] * matrix[k * n + j];
			/* rows below i still need their own L: the result goes above the diagonal */
			matrix[j * n + i] = sum;
		}
	for (int i = 0; i < n; i++)
		for (int j = 0; j < i; j++)
			matrix[i * n + j] = matrix[j * n + i];
	return true;
}

bool
crm_inverse_hessian(const crm_env *env, crm_objective objective, void *arg, int n, const double *x, double *inverse)
{
	double		at[CRM_MINIMIZE_MAX];
	double		up[CRM_MINIMIZE_MAX];
	double		down[CRM_MINIMIZE_MAX];

	for (int i = 0; i < n; i++)
	{
		/* the root of the third power of the rounding of gradients */
		double		step = 1e-5 * fmax(1, fabs(x[i]));

		crm_progress(env);
		memcpy(at, x, sizeof(double) * n);
		at[i] = x[i] + step;
		if (!isfinite(objective(arg, at, up)))
			return false;
		at[i] = x[i] - step;
		if (!isfinite(objective(arg, at, down)))
			return false;
		for (int j = 0; j < n; j++)
			inverse[i * n + j] = (up[j] - down[j]) / (2 * step);
	}
	for (int i = 0; i < n; i++)
		for (int j = 0; j < i; j++)
			inverse[i * n + j] = inverse[j * n + i] = (inverse[i * n + j] + inverse[j * n + i]) / 2;
	return crm_invert_definite(inverse, n);
}

/* A standard error of a logarithm: a parameter known to within a factor of e^+-10 is not known. */
#define UNKNOWN 10.0

void
crm_parameter_uncertainty(const crm_env *env, crm_objective objective, void *arg, int n, const double *x,
						  double rows, double *covariance, bool *converged)
{
	*converged = *converged && crm_inverse_hessian(env, objective, arg, n, x, covariance);
	for (int i = 0; *converged && i < n; i++)
		if (!(covariance[i * (n + 1)] / rows < UNKNOWN * UNKNOWN))
			*converged = false;
	for (int i = 0; i < n * n; i++)
		covariance[i] = *converged ? covariance[i] / rows : NAN;
}
