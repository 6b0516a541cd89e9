/*
 * rfm.h - recency, frequency and monetary value: exact sums, samples whose
 * quantiles are exact, and bins.
 *
 * Hughes, "Strategic Database Marketing" (1994), scores customers by quintiles
 * of the three measures.  The borders here are quantiles of type 7 of Hyndman
 * and Fan, "Sample Quantiles in Statistical Packages" (1996): of n ordered
 * values the quantile k/bins lies at place (n - 1) * k / bins, counted from
 * zero and linear in between.  The place is kept as a whole number and a
 * remainder, never as a rounded float, so that a border that falls on a value
 * is that value.
 */
#ifndef CRM_KERNEL_RFM_H
#define CRM_KERNEL_RFM_H

#include "kernel/kernel.h"

#define CRM_RFM_MAX_BINS 1000
/* Rows of one sample: keeps the places of quantiles within 64 bits. */
#define CRM_RFM_MAX_ROWS (INT64_C(1) << 53)

/* ---- exact sums ------------------------------------------------------ */

/*
 * A sum kept without rounding, as parts of different magnitude that do not
 * overlap (Shewchuk, "Adaptive Precision Floating-Point Arithmetic", 1997).
 * It does not depend on the order in which the terms came.
 *
 * Adds a term in place; parts must have room for one more.
 */
extern crm_status crm_sum_add(double *parts, uint32_t *count, double term);
/* The sum, correctly rounded. */
extern double crm_sum_round(const double *parts, uint32_t count);

/* ---- samples --------------------------------------------------------- */

/* How often a whole number occurred; count 0 marks a free slot of the table. */
typedef struct crm_rfm_entry
{
	int64_t		key;
	int64_t		count;
} crm_rfm_entry;

/* Whole numbers with few different values: a hash table with open addressing. */
typedef struct crm_rfm_counts
{
	crm_rfm_entry *slots;		/* 1 << bits, NULL when nothing was added */
	uint32_t	bits;
	uint64_t	used;			/* slots in use */
	uint64_t	total;			/* sum of the counts */
} crm_rfm_counts;

/* Any numbers: kept as they came, in chunks so that nothing is moved. */
typedef struct crm_rfm_chunk
{
	struct crm_rfm_chunk *next;
	uint32_t	used;
	uint32_t	capacity;
	double		values[];
} crm_rfm_chunk;

typedef struct crm_rfm_values
{
	crm_rfm_chunk *first;
	crm_rfm_chunk *last;
	uint64_t	total;
} crm_rfm_values;

typedef struct crm_rfm_sample
{
	crm_env		env;
	crm_rfm_counts recency;
	crm_rfm_counts frequency;
	crm_rfm_values monetary;
} crm_rfm_sample;

extern void crm_rfm_sample_init(crm_rfm_sample *sample, const crm_env *env);
extern crm_status crm_rfm_counts_add(const crm_env *env, crm_rfm_counts *counts, int64_t key, int64_t count);
/* value must be finite. */
extern crm_status crm_rfm_values_add(const crm_env *env, crm_rfm_values *values, double value);

/* A sample as bytes, little-endian, and a sample added from such bytes, which are not trusted. */
extern size_t crm_rfm_sample_size(const crm_rfm_sample *sample);
extern void crm_rfm_sample_write(const crm_rfm_sample *sample, uint8_t *out);
extern crm_status crm_rfm_sample_read(crm_rfm_sample *sample, const uint8_t *data, size_t size);

/*
 * The bins - 1 borders of a sample that holds at least one value.  A border
 * between two different values lies at or above the lower and below the
 * higher one, rounding included: which value falls into which bin depends on
 * their order alone.
 */
extern crm_status crm_rfm_counts_borders(const crm_env *env, const crm_rfm_counts *counts, uint32_t bins, double *borders);
extern crm_status crm_rfm_values_borders(const crm_env *env, const crm_rfm_values *values, uint32_t bins, double *borders);

/* Sorts by key, ascending; scratch has room for as many entries. */
extern void crm_rfm_sort(const crm_env *env, crm_rfm_entry *entries, crm_rfm_entry *scratch, size_t count);

/* ---- bins ------------------------------------------------------------ */

/* Whole days of 24 hours from last back from as_of (microseconds both), rounded down: negative for a later last. */
static inline int64_t
crm_rfm_days(int64_t as_of, int64_t last)
{
	const uint64_t day = UINT64_C(86400000000);

	if (as_of >= last)
		return (int64_t) (((uint64_t) as_of - (uint64_t) last) / day);
	return -(int64_t) (((uint64_t) last - (uint64_t) as_of + day - 1) / day);
}

/*
 * The bin 1 ... count + 1 of a value: one more than the borders that lie below
 * it or, when a border itself belongs to the bin above it (not inclusive), not
 * above it.  The borders ascend and may lie at any address.
 */
static inline int
crm_rfm_bin(const void *borders, uint32_t count, bool inclusive, double value)
{
	const char *at = borders;
	uint32_t	low = 0;
	uint32_t	below = 0;

	/* Halving, down to the few that are cheaper to count. */
	while (count > 8)
	{
		uint32_t	half = count / 2;
		double		border;

		memcpy(&border, at + (size_t) (low + half) * sizeof(double), sizeof(double));
		if (inclusive ? border < value : border <= value)
		{
			low += half + 1;
			count -= half + 1;
		}
		else
			count = half;
	}

	for (uint32_t i = 0; i < count; i++)
	{
		double		border;

		memcpy(&border, at + (size_t) (low + i) * sizeof(double), sizeof(double));
		below += inclusive ? border < value : border <= value;
	}
	return (int) (low + below + 1);
}

#endif							/* CRM_KERNEL_RFM_H */
