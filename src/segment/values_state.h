/*
 * values_state.h - the state of aggregates that look at all of their numbers
 * at the end: positions, quantiles, bins, medians.
 *
 * It is an expanded object, as there are few groups of many rows: eight bytes a
 * number.  To be passed on to another process it becomes one crm.agg_state, whose
 * 1 GB hold 134 million numbers.
 */
#ifndef CRM_SEGMENT_VALUES_STATE_H
#define CRM_SEGMENT_VALUES_STATE_H

#include "common/crm.h"

#include "common/agg_state.h"
#include "common/bridge.h"
#include "common/expanded_state.h"
#include "kernel/rfm.h"

/* What an aggregate makes of such a state; one constant for each. */
typedef struct segment_values_use
{
	crm_state_kind kind;
	uint8		version;
	const char *function;
	bool		bins;			/* bins and min_share are arguments, checked here */
} segment_values_use;

typedef struct segment_values
{
	ExpandedObjectHeader header;
	const segment_values_use *use;
	crm_env		env;
	int32		bins;			/* 0 where there are none */
	float8		min_share;
	crm_rfm_values values[2];	/* without label all in the first; else those of false, of true */
} segment_values;

/* The state of a transition, made at the first row: 22023 for bins and shares out of range, or not the same as before. */
extern segment_values *segment_values_state(FunctionCallInfo fcinfo, const segment_values_use *use, int32 bins, float8 min_share);
/* Adds a number: 22003 unless it is finite. */
extern Datum segment_values_add(segment_values *state, bool label, float8 value);
extern Datum segment_values_combine(FunctionCallInfo fcinfo, const segment_values_use *use);
/* The state of a final function; NULL when there is no number. */
extern const segment_values *segment_values_final(FunctionCallInfo fcinfo, const segment_values_use *use);

/* Checks a number of bins: 22023. */
extern void segment_check_bins(int32 bins, const char *function);

#endif							/* CRM_SEGMENT_VALUES_STATE_H */
