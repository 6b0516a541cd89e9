/*
 * significance.c - Fisher's exact test and the false discovery rate.
 *
 * Given the margins, a is distributed hypergeometrically.  Weights relative to
 * the mode follow from one another by a simple quotient, so that neither
 * factorials nor their logarithms are needed, whose rounding would grow with the
 * counts.
 */
#include "kernel/significance.h"

#include <math.h>

#include "kernel/sort.h"

/* Weights are relative to the mode's; those below this share of a sum no longer change it. */
#define NEGLIGIBLE 1e-20
/* Below, the probability is 0: long before a double loses digits. */
#define SMALLEST 1e-300
#define TIE (1 + 1e-7)
#define PROGRESS_STEPS 65536

/* The distribution of a: how many of `drawn` customers are among `marked` of all. */
typedef struct table
{
	double		drawn;			/* a + b */
	double		marked;			/* a + c */
	double		neither;		/* all - drawn - marked, which may be negative */
	double		low;			/* the values that a can take */
	double		high;
} table;

/* weight(x + 1) / weight(x) */
static inline double
step_up(const table *t, double x)
{
	return (t->drawn - x) * (t->marked - x) / ((x + 1) * (t->neither + x + 1));
}

static inline double
step_down(const table *t, double x)
{
	return x * (t->neither + x) / ((t->drawn - x + 1) * (t->marked - x + 1));
}

/* The weight of x, walking from the start, whose weight is 1. */
static double
weight_of(const crm_env *env, const table *t, double start, double x)
{
	double		weight = 1;
	uint32_t	steps = 0;

	for (double at = start; at < x && weight > 0; at++)
	{
		weight *= step_up(t, at);
		if (++steps % PROGRESS_STEPS == 0)
			crm_progress(env);
	}
	for (double at = start; at > x && weight > 0; at--)
	{
		weight *= step_down(t, at);
		if (++steps % PROGRESS_STEPS == 0)
			crm_progress(env);
	}
	return weight;
}

/* Adds the weights from x, whose weight is given, to the end on one side: all of them, and those not above the limit. */
static void
add_side(const crm_env *env, const table *t, double x, double weight, bool up, double limit, double *all, double *unlikely)
{
	uint32_t	steps = 0;

	for (;;)
	{
		*all += weight;
		if (weight <= limit)
		{
			*unlikely += weight;
			if (weight < *unlikely * NEGLIGIBLE)
				break;
		}
		if (weight == 0 || isinf(weight) || (up ? x >= t->high : x <= t->low))
			break;
		weight *= up ? step_up(t, x) : step_down(t, x);
		x += up ? 1 : -1;
		if (++steps % PROGRESS_STEPS == 0)
			crm_progress(env);
	}
}

static crm_status
check_counts(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return a > CRM_FISHER_MAX_TOTAL || b > CRM_FISHER_MAX_TOTAL || c > CRM_FISHER_MAX_TOTAL || d > CRM_FISHER_MAX_TOTAL ||
		a + b + c + d > CRM_FISHER_MAX_TOTAL ? CRM_OUT_OF_RANGE : CRM_OK;
}

static table
table_of(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	table		t = {(double) (a + b), (double) (a + c), (double) d - (double) a};

	t.low = t.neither < 0 ? -t.neither : 0;
	t.high = t.drawn < t.marked ? t.drawn : t.marked;
	return t;
}

crm_status
crm_fisher_exact(const crm_env *env, uint64_t a, uint64_t b, uint64_t c, uint64_t d, double *p)
{
	table		t;
	double		total;
	double		mode;
	double		observed;
	double		all = 0;
	double		unlikely = 0;

	CRM_TRY(check_counts(a, b, c, d));
	if (a + b == 0 || c + d == 0 || a + c == 0 || b + d == 0)
	{
		*p = 1;
		return CRM_OK;
	}

	total = (double) (a + b + c + d);
	t = table_of(a, b, c, d);
	/* Rounding may miss the mode by a little, which is as good a place to start from. */
	mode = (double) (uint64_t) ((t.drawn + 1) * ((t.marked + 1) / (total + 2)));
	if (mode < t.low)
		mode = t.low;
	if (mode > t.high)
		mode = t.high;

	observed = weight_of(env, &t, mode, (double) a);
	if (observed < SMALLEST)
	{
		*p = 0;
		return CRM_OK;
	}
	add_side(env, &t, mode, 1, true, observed * TIE, &all, &unlikely);
	if (mode > t.low)
		add_side(env, &t, mode - 1, step_down(&t, mode), false, observed * TIE, &all, &unlikely);
	*p = unlikely >= all ? 1 : unlikely / all;
	return CRM_OK;
}

crm_status
crm_fisher_greater(const crm_env *env, uint64_t a, uint64_t b, uint64_t c, uint64_t d, double *p)
{
	table		t;
	double		all = 0;
	double		tail = 0;
	double		below = 0;

	CRM_TRY(check_counts(a, b, c, d));
	t = table_of(a, b, c, d);
	/* From this table on in both directions, its own likelihood being 1: where those on one side overflow, its share is all. */
	add_side(env, &t, (double) a, 1, true, INFINITY, &all, &tail);
	if ((double) a > t.low)
		add_side(env, &t, (double) a - 1, step_down(&t, (double) a), false, INFINITY, &all, &below);
	*p = isinf(tail) ? 1 : tail / (tail + below);
	return CRM_OK;
}

static bool
smaller(const void *a, const void *b)
{
	return *(const double *) a < *(const double *) b;
}

crm_status
crm_benjamini_hochberg(const crm_env *env, const double *p, size_t count, double *q)
{
	const void **order;
	double		least = 1;

	if (count == 0)
		return CRM_OK;
	order = env->alloc(env->arg, count * sizeof(void *));
	if (order == NULL)
		return CRM_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
		order[i] = &p[i];
	CRM_TRY(crm_sort_pointers(env, order, count, smaller));
	for (size_t rank = count; rank > 0; rank--)
	{
		const double *at = order[rank - 1];
		double		value = *at * (double) count / (double) rank;

		if (value < least)
			least = value;
		q[at - p] = least;
	}
	env->release(env->arg, order);
	return CRM_OK;
}

void
crm_wilson(double share, double rows, double *lower, double *upper)
{
	double		z = 1.9599639845400542355;	/* of the normal distribution 95 % */
	double		middle = (share + z * z / (2 * rows)) / (1 + z * z / rows);
	double		reach = z / (1 + z * z / rows) * sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows));

	*lower = share == 0 || middle < reach ? 0 : middle - reach;
	*upper = share == 1 || middle + reach > 1 ? 1 : middle + reach;
}
