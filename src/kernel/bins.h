/*
 * bins.h - bins of numbers as a value: ascending cuts, and which side a cut
 * itself belongs to.
 *
 * With n cuts there are n + 1 bins, counted from 1.  A number that equals a cut
 * lies in the bin above it or, where bins are inclusive, in the one below.
 */
#ifndef CRM_KERNEL_BINS_H
#define CRM_KERNEL_BINS_H

#include "kernel/rfm.h"
#include "kernel/scores.h"

#define CRM_BINS_MAX_CUTS (CRM_RFM_MAX_BINS - 1)

/* ---- the stored form ----------------------------------------------------- */

/*
 * In the machine's byte order: version (a byte), flags (a byte: 1 inclusive),
 * number of cuts (2 bytes), 4 bytes 0, then the cuts as float8: finite, not -0,
 * each above the one before.
 */
#define CRM_BINS_VERSION 1
#define CRM_BINS_HEADER 8

typedef struct crm_bins
{
	bool		inclusive;
	uint32_t	count;			/* of cuts */
	const uint8_t *cuts;		/* float8s at any address */
} crm_bins;

/* Reads a header and compares it with the size: what every lookup can afford.  The bytes must outlive bins. */
extern crm_status crm_bins_open(const uint8_t *bytes, size_t size, crm_bins *bins);
/* What is wrong with cuts, as a sentence, or NULL; turns -0 into 0. */
extern const char *crm_bins_fault(double *cuts, size_t count);
static inline size_t
crm_bins_size(uint32_t count)
{
	return CRM_BINS_HEADER + count * sizeof(double);
}
/* Cuts without fault as bytes. */
extern void crm_bins_write(bool inclusive, const double *cuts, uint32_t count, uint8_t *out);

static inline double
crm_bins_cut(const crm_bins *bins, uint32_t i)
{
	double		cut;

	memcpy(&cut, bins->cuts + i * sizeof(cut), sizeof(cut));
	return cut;
}

/* The bin of a number that is not NaN. */
static inline int
crm_bins_find(const crm_bins *bins, double value)
{
	return crm_rfm_bin(bins->cuts, bins->count, bins->inclusive, value);
}

/* ---- the text form -------------------------------------------------------- */

#define CRM_BINS_PROBLEM 100

/*
 * Reads {"cuts": [1, 2.5], "inclusive": false}, in any order, inclusive optional.
 * cuts have room for CRM_BINS_MAX_CUTS.  On CRM_CORRUPT or CRM_OUT_OF_RANGE
 * problem, of CRM_BINS_PROBLEM bytes, says what is wrong.
 */
extern crm_status crm_bins_parse(const char *text, double *cuts, uint32_t *count, bool *inclusive, char *problem);

/* ---- making cuts ---------------------------------------------------------- */

/* All of these write at most bins - 1 cuts, fewer where some would be equal or separate nothing; they are without fault. */

/* Quantiles of type 7, for inclusive bins, of at least one value. */
extern crm_status crm_bins_quantiles(const crm_env *env, const crm_rfm_values *values, uint32_t bins, double *cuts, uint32_t *count);
/* Equal parts from low to high. */
extern void crm_bins_equal_width(double low, double high, uint32_t bins, double *cuts, uint32_t *count);

/*
 * Supervised ones, of sorted numbers with labels, each bin with that share of the rows.  None when there
 * is one label only.
 *
 * A tree: of all bins so far and all places in them the cut by which the likelihood of the
 * labels rises most, again and again; as long as twice the rise of its logarithm is
 * above the logarithm of the number of rows, the price of one more rate (Schwarz 1978,
 * "Estimating the Dimension of a Model").
 */
extern crm_status crm_bins_tree(const crm_env *env, const crm_scores *sorted, uint32_t bins, double min_share, double *cuts, uint32_t *count);
/* Bins whose rate of positives rises, or falls, from each to the next (woe_bins.h). */
extern crm_status crm_bins_monotone(const crm_env *env, const crm_scores *sorted, uint32_t bins, double min_share, double *cuts, uint32_t *count);

#endif							/* CRM_KERNEL_BINS_H */
