/*
 * woe_bins.h - cutting numbers into bins by what they say about a label, and
 * models that add up the evidence of bins: naive Bayes and scorecards.
 */
#ifndef CRM_KERNEL_WOE_BINS_H
#define CRM_KERNEL_WOE_BINS_H

#include "kernel/columns.h"
#include "kernel/model.h"
#include "kernel/scores.h"

#define CRM_WOE_MAX_FEATURES 1000

typedef struct crm_woe_options
{
	bool		scorecard;		/* else naive Bayes */
	int			fine_bins;		/* to begin with, of nearly as many rows each */
	int			max_bins;		/* merged down to as many */
	double		min_share;		/* of the rows, in a bin */
	bool		monotone;		/* the rate of positives rises or falls over all bins of a feature */
	double		smoothing;		/* naive Bayes: so many rows of the overall rate are added to each bin */
	double		l2;				/* of the regression upon the evidence */
	double		pdo;			/* scorecard: points that double the odds */
	double		base_points;
	double		base_odds;		/* negatives for a positive, at base_points */
} crm_woe_options;

/* Neighbouring bins of sorted numbers with labels, as they are cut and merged. */
typedef struct crm_label_bins
{
	uint32_t	count;
	double	   *starts;			/* least number of each; of the first, of no matter once bins are merged */
	uint64_t   *rows;
	uint64_t   *positives;
} crm_label_bins;

/* Room for fine bins. */
extern crm_status crm_label_bins_room(const crm_env *env, int fine_bins, crm_label_bins *b);
/* Fine bins, nearly equally large: equal numbers are in one, and each number has its own where rows are not more than bins. */
extern void crm_label_bins_cut(const crm_scores *sorted, int fine_bins, crm_label_bins *b);
/* Merges them as the options say; there must be both labels. */
extern void crm_label_bins_merge(crm_label_bins *b, const crm_woe_options *options);

/* Bins of one feature: bin i holds what is below cuts[i] and not below cuts[i - 1]; behind the last the bin of missing ones. */
typedef struct crm_woe_feature
{
	uint32_t	cut_count;
	double	   *cuts;
	uint64_t   *rows;			/* cut_count + 2 */
	uint64_t   *positives;
	double	   *woe;			/* logarithm of share of positives over share of negatives */
	double		information;
} crm_woe_feature;

/*
 * Fits a model of kind crm_model_scorecard or crm_model_naive_bayes into m, whose
 * arrays are in env.  Columns of the rows as in logistic_fit.h; weights are not
 * used.  There must be both labels.  CRM_LIMIT where the rows, with evidence in place of
 * their features, take more than the rows may.
 */
extern crm_status crm_woe_fit(const crm_columns *rows, const crm_woe_options *options, const crm_env *env, crm_model *m);

/* ---- the kinds ----------------------------------------------------------------- */

enum
{
	CRM_WOE_INTERCEPT,
	CRM_WOE_COEFFICIENTS,		/* of the evidence of each feature */
	CRM_WOE_CUT_COUNTS,			/* of each feature */
	CRM_WOE_CUTS,				/* of all features, one after the other */
	CRM_WOE_WOE,				/* of all bins of all features, those of missing ones last in each */
	CRM_WOE_BIN_ROWS,
	CRM_WOE_BIN_POSITIVES,
	CRM_WOE_INFORMATION,
	CRM_WOE_ROWS,
	CRM_WOE_POSITIVES,
	CRM_WOE_LOG_LIKELIHOOD,
	CRM_WOE_CONVERGED,
	CRM_WOE_FIELDS,

	/* scorecard only */
	CRM_WOE_PDO = CRM_WOE_FIELDS,
	CRM_WOE_BASE_POINTS,
	CRM_WOE_BASE_ODDS
};

/* Bin of a number, or of a missing one, among those of its feature. */
extern uint32_t crm_woe_bin(const double *cuts, uint32_t cut_count, double x);

/* Points of a bin, for a scorecard; and those that every row begins with. */
extern double crm_scorecard_points(const crm_model *m, uint32_t feature, uint32_t bin);
extern double crm_scorecard_base(const crm_model *m);

#endif							/* CRM_KERNEL_WOE_BINS_H */
