/*
 * model_linear.h - fields of the kinds "linear" and "logistic".
 *
 * Both score a row by a sum: base + coefficient * (x - mean) over the features.
 * Written around the means of the rows that the model was trained on, the terms
 * are the reasons of a score: how far it moved from that of an average row, and
 * by which feature.
 */
#ifndef CRM_KERNEL_MODEL_LINEAR_H
#define CRM_KERNEL_MODEL_LINEAR_H

#include "kernel/model.h"

enum
{
	CRM_LINEAR_INTERCEPT,
	CRM_LINEAR_COEFFICIENTS,
	CRM_LINEAR_MEANS,
	CRM_LINEAR_INTERCEPT_ERROR,
	CRM_LINEAR_ERRORS,
	CRM_LINEAR_ROWS,
	CRM_LINEAR_WEIGHT,			/* sum of the rows' weights */
	CRM_LINEAR_SKIPPED,			/* rows left out since a feature was missing */
	CRM_LINEAR_MISSING_AS_MEAN, /* a missing feature counts as its mean, in training and in scoring */
	CRM_LINEAR_CONSTANT,		/* features that had one value only, counted from 1 */
	CRM_LINEAR_COLLINEAR,		/* features that followed from those before them */
	CRM_LINEAR_L1,
	CRM_LINEAR_L2,
	CRM_LINEAR_LOG_LIKELIHOOD,
	CRM_LINEAR_NULL_LOG_LIKELIHOOD,
	CRM_LINEAR_PARAMETERS,		/* how many numbers were fitted, with the intercept */
	CRM_LINEAR_FIELDS,

	/* linear only */
	CRM_LINEAR_RESIDUAL_DF = CRM_LINEAR_FIELDS,
	CRM_LINEAR_RESIDUAL_ERROR,	/* standard deviation of the residuals */
	CRM_LINEAR_R_SQUARED,

	/* logistic only */
	CRM_LOGISTIC_POSITIVES = CRM_LINEAR_FIELDS, /* rows with a true label */
	CRM_LOGISTIC_ITERATIONS,
	CRM_LOGISTIC_CONVERGED,
	CRM_LOGISTIC_SEPARATION		/* none, quasi, complete */
};

#endif							/* CRM_KERNEL_MODEL_LINEAR_H */
