/*
 * rows_state.h - the state of aggregates that read their rows more than once:
 * rows with a label, a weight and features, kept in compact columns
 * (kernel/columns.h).
 *
 * There are few groups of many rows, so the state is an expanded object; it
 * becomes one crm.agg_state on the way to another process.
 */
#ifndef CRM_SCORING_ROWS_STATE_H
#define CRM_SCORING_ROWS_STATE_H

#include "scoring/scoring.h"

#include "common/expanded_state.h"
#include "kernel/columns.h"

#define SCORING_ROWS_LABEL 0	/* columns, as in kernel/logistic_fit.h */
#define SCORING_ROWS_WEIGHT 1
#define SCORING_ROWS_FEATURES 2
#define SCORING_ROWS_OPTIONS 224

/* What an aggregate makes of such a state; one constant for each kind. */
typedef struct scoring_rows_use
{
	uint8		number;			/* in the state: another aggregate's state is refused */
	const char *function;
	int			most_features;
	Size		options_size;	/* of a struct without pointers, at most SCORING_ROWS_OPTIONS */

	/* Are these bytes options that the aggregate may use?  They may come from anywhere. */
	bool		(*options_are_valid) (const void *options);
	bool		labels;			/* the first column is 0 or 1 */
	bool		copies;			/* the first column tells how many rows this one stands for */
} scoring_rows_use;

typedef struct scoring_rows
{
	ExpandedObjectHeader header;
	const scoring_rows_use *use;
	char		options[SCORING_ROWS_OPTIONS];
	uint64		skipped;		/* rows left out since a feature was missing */
	uint8		level;			/* of a sample, as the use understands it; the highest of those put together */
	crm_columns columns;
} scoring_rows;

/*
 * The state of a transition, made at the first row: 22023 when options change,
 * 2202E when the number of features does.
 */
extern scoring_rows *scoring_rows_state(FunctionCallInfo fcinfo, MemoryContext aggcontext, const scoring_rows_use *use,
										const void *options, int features);

/* Adds a row; features may be NaN where missing.  54000 beyond crm_analytics.training_memory. */
extern void scoring_rows_add(scoring_rows *state, double label, double weight, const double *features);

extern Datum scoring_rows_combine(FunctionCallInfo fcinfo, const scoring_rows_use *use);

/* The state of a final function; NULL when there is none, or no row. */
extern const scoring_rows *scoring_rows_final(FunctionCallInfo fcinfo, const scoring_rows_use *use);

static inline int
scoring_rows_features(const scoring_rows *state)
{
	return (int) state->columns.width - SCORING_ROWS_FEATURES;
}

/* Raises 22023 when all labels are the same. */
extern void scoring_require_both_labels(const scoring_rows *state);

/* Raises what belongs to a status of a kernel that worked on the rows: CRM_LIMIT is crm_analytics.training_memory. */
extern void scoring_rows_check(const scoring_rows *state, crm_status status);

#endif							/* CRM_SCORING_ROWS_STATE_H */
