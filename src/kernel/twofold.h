/*
 * twofold.h - numbers as an unevaluated sum of two doubles: 31 digits.
 *
 * For sums and small systems of equations where the digits of a double are
 * lost on the way.  Needs products and sums that are rounded one by one (no
 * contraction to fused operations), as the Makefile asks for.
 *
 * Sources: Dekker, "A floating-point technique for extending the available
 * precision", 1971; Knuth, TAOCP 2, 4.2.2; Ogita, Rump, Oishi, "Accurate sum
 * and dot product", 2005.
 */
#ifndef CRM_KERNEL_TWOFOLD_H
#define CRM_KERNEL_TWOFOLD_H

#include "kernel/kernel.h"

#include <math.h>

typedef struct crm_twofold
{
	double		high;			/* the number as a double */
	double		low;			/* what it lacks */
} crm_twofold;

/* The upper 26 bits; what is left has 27. */
static inline double
crm_upper_bits(double x)
{
	uint64_t	bits;

	memcpy(&bits, &x, sizeof(bits));
	bits &= ~UINT64_C(0x7FFFFFF);
	memcpy(&x, &bits, sizeof(bits));
	return x;
}

/* The error of a rounded sum. */
static inline double
crm_sum_error(double a, double b, double sum)
{
	double		b_part = sum - a;

	return (a - (sum - b_part)) + (b - b_part);
}

/* The error of a rounded product, from its factors split in two. */
static inline double
crm_product_error(double a_high, double a_low, double b_high, double b_low, double product)
{
	return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
}

static inline crm_twofold
crm_twofold_of(double x)
{
	return (crm_twofold) {x, 0};
}

/* The sum of two doubles of which the first is not smaller. */
static inline crm_twofold
crm_twofold_join(double high, double low)
{
	double		sum = high + low;

	return (crm_twofold) {sum, low - (sum - high)};
}

static inline crm_twofold
crm_twofold_add(crm_twofold a, crm_twofold b)
{
	double		high = a.high + b.high;
	double		high_error = crm_sum_error(a.high, b.high, high);
	double		low = a.low + b.low;
	double		low_error = crm_sum_error(a.low, b.low, low);
	crm_twofold sum = crm_twofold_join(high, high_error + low);

	return crm_twofold_join(sum.high, sum.low + low_error);
}

static inline crm_twofold
crm_twofold_negative(crm_twofold a)
{
	return (crm_twofold) {-a.high, -a.low};
}

static inline crm_twofold
crm_twofold_subtract(crm_twofold a, crm_twofold b)
{
	return crm_twofold_add(a, crm_twofold_negative(b));
}

static inline crm_twofold
crm_twofold_multiply(crm_twofold a, crm_twofold b)
{
	double		product = a.high * b.high;
	double		a_high = crm_upper_bits(a.high);
	double		b_high = crm_upper_bits(b.high);
	double		error = crm_product_error(a_high, a.high - a_high, b_high, b.high - b_high, product);

	return crm_twofold_join(product, error + (a.high * b.low + a.low * b.high));
}

static inline crm_twofold
crm_twofold_divide(crm_twofold a, crm_twofold b)
{
	double		first = a.high / b.high;
	crm_twofold rest = crm_twofold_subtract(a, crm_twofold_multiply(b, crm_twofold_of(first)));
	double		second = rest.high / b.high;
	double		third;

	rest = crm_twofold_subtract(rest, crm_twofold_multiply(b, crm_twofold_of(second)));
	third = rest.high / b.high;
	return crm_twofold_add(crm_twofold_join(first, second), crm_twofold_of(third));
}

static inline crm_twofold
crm_twofold_root(crm_twofold a)
{
	double		root;
	crm_twofold rest;

	if (a.high <= 0)
		return crm_twofold_of(0);
	root = sqrt(a.high);
	rest = crm_twofold_subtract(a, crm_twofold_multiply(crm_twofold_of(root), crm_twofold_of(root)));
	return crm_twofold_join(root, rest.high / (2 * root));
}

static inline double
crm_twofold_round(crm_twofold a)
{
	return a.high + a.low;
}

#endif							/* CRM_KERNEL_TWOFOLD_H */
