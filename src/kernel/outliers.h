/*
 * outliers.h - how far a value, or a row of values, is from the others.
 *
 * One value: by median and median absolute deviation, which half of the values
 * cannot move.  Rows: by an isolation forest (Liu, Ting & Zhou 2008), a kind of
 * model.
 */
#ifndef CRM_KERNEL_OUTLIERS_H
#define CRM_KERNEL_OUTLIERS_H

#include "kernel/columns.h"
#include "kernel/model.h"
#include "kernel/rfm.h"

/* ---- one value ----------------------------------------------------------------- */

typedef struct crm_robust_scale
{
	int64_t		count;
	double		median;			/* these three are quantiles of type 7 */
	double		lower_quartile;
	double		upper_quartile;
	double		mad;			/* median of the distances from the median */
	double		mean_deviation; /* mean of them */
} crm_robust_scale;

/* Of at least one value.  CRM_OUT_OF_RANGE where values lie too far apart for their distance to be a float8. */
extern crm_status crm_robust_scale_of(const crm_env *env, const crm_rfm_values *values, crm_robust_scale *scale);

/*
 * The modified z-score of Iglewicz and Hoaglin, "How to Detect and Handle
 * Outliers" (1993): the distance from the median over the deviation that a normal
 * distribution of that MAD has, negative below the median.  Where more than half of the values are
 * equal the MAD is 0, and the mean deviation stands for it; where all are equal, another value is
 * infinitely far.
 */
extern double crm_robust_z(const crm_robust_scale *scale, double value);

/* ---- rows ----------------------------------------------------------------------- */

#define CRM_ISOLATION_MAX_FEATURES 1000
#define CRM_ISOLATION_MAX_TREES 10000
#define CRM_ISOLATION_MAX_SAMPLE 65536

typedef struct crm_isolation_options
{
	int			trees;
	int			sample;			/* rows for each tree */
	int64_t		seed;
} crm_isolation_options;

/*
 * Fits a model of kind crm_model_isolation_forest into m, whose arrays are in
 * env.  Rows as in logistic_fit.h; labels and weights are not used, features may be
 * missing.  At least two rows.  The same rows in any order give the same model: each tree samples places
 * in the order of the rows' hashes.  CRM_LIMIT where the sampled rows take more than the rows may.
 */
extern crm_status crm_isolation_fit(const crm_columns *rows, const crm_isolation_options *options, const crm_env *env, crm_model *m);

enum
{
	CRM_ISOLATION_TREES,
	CRM_ISOLATION_SAMPLE,
	CRM_ISOLATION_SEED,
	CRM_ISOLATION_ROWS,
	CRM_ISOLATION_NODES,
	CRM_ISOLATION_THRESHOLDS,
	CRM_ISOLATION_LEAF_SIZES
};

/* Mean number of steps to a row in a search tree of so many (Liu, Ting & Zhou). */
extern double crm_isolation_path(double rows);

#endif							/* CRM_KERNEL_OUTLIERS_H */
