/*
 * counts.h - the state of aggregates that count rows by a few numbers.
 */
#ifndef CRM_SCORING_COUNTS_H
#define CRM_SCORING_COUNTS_H

#include "common/crm.h"

#include "kernel/count_table.h"
#include "kernel/value_table.h"
#include "utils/expandeddatum.h"

typedef enum counts_family
{
	COUNTS_PURCHASES = 1,		/* frequency, recency, age */
	COUNTS_VALUES,				/* frequency, mean value */
	COUNTS_SURVIVAL,			/* event, duration */
	COUNTS_LOG_RANK				/* group, event, duration */
} counts_family;

/* One for each group of rows; there are few, so an expanded object. */
typedef struct counts_state
{
	ExpandedObjectHeader header;
	MemoryContext context;
	counts_family family;
	double		constant;		/* the same in all rows: confidence, rho; 0 where there is none */
	crm_count_table table;
	crm_value_table groups;		/* of log_rank: names by number */
} counts_state;

/* In a transition function: the state of the first argument, made where it is NULL; errors call the aggregate `name`. */
extern counts_state *counts_of_transition(FunctionCallInfo fcinfo, counts_family family, double constant, const char *name);
extern void counts_add(counts_state *state, const double *key);
/* Number of a group, from 0 on. */
extern double counts_group(counts_state *state, const text *group);
/* In a final function, which leaves the state as it is; NULL where there were no rows. */
extern const counts_state *counts_of_final(FunctionCallInfo fcinfo, counts_family family, const char *name);
/* The relative error of its numbers: 0 unless there were very many different ones. */
extern double counts_rounding(const counts_state *state);

#endif							/* CRM_SCORING_COUNTS_H */
