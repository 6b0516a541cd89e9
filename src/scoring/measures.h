/*
 * measures.h - composite results of the aggregates that judge scores.
 */
#ifndef CRM_SCORING_MEASURES_H
#define CRM_SCORING_MEASURES_H

#include "scoring/scoring.h"

/* A crm.estimate: the estimate, its standard error and limits of 95 %, within a range; NULL but for the first where the error is NaN. */
extern Datum scoring_estimate(FunctionCallInfo fcinfo, double estimate, double error, double least, double most);

/* The same with limits at hand. */
extern Datum scoring_estimate_of(FunctionCallInfo fcinfo, double estimate, double error, double lower, double upper);

#endif							/* CRM_SCORING_MEASURES_H */
