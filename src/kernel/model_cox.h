/*
 * model_cox.h - the kind "cox" of models: by how much a row's features raise or
 * lower its risk to leave.
 */
#ifndef CRM_KERNEL_MODEL_COX_H
#define CRM_KERNEL_MODEL_COX_H

#include "kernel/model.h"

enum
{
	CRM_COX_COEFFICIENTS,
	CRM_COX_MEANS,
	CRM_COX_ERRORS,
	CRM_COX_ROBUST_ERRORS,
	CRM_COX_COLLINEAR,			/* features that are constant or follow from those before them */
	CRM_COX_INFINITE,			/* features whose coefficients run off to infinity */
	CRM_COX_ROWS,
	CRM_COX_EVENTS,
	CRM_COX_SKIPPED,
	CRM_COX_TIES,
	CRM_COX_LOG_LIKELIHOOD,
	CRM_COX_NULL_LOG_LIKELIHOOD,
	CRM_COX_CONCORDANCE,
	CRM_COX_ITERATIONS,
	CRM_COX_CONVERGED,
	CRM_COX_TIMES,				/* with an event, ascending */
	CRM_COX_HAZARDS				/* cumulated until then, of a row whose features are the means */
};

/* The probability that a row of that hazard ratio stays longer than a time. */
extern double crm_cox_survival(const crm_model *m, double ratio, double time);

#endif							/* CRM_KERNEL_MODEL_COX_H */
