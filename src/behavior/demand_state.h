/*
 * demand_state.h - the state of unmet_demand: demands and customers of each
 * segment and term.
 */
#ifndef CRM_BEHAVIOR_DEMAND_STATE_H
#define CRM_BEHAVIOR_DEMAND_STATE_H

#include "common/crm.h"

#include "kernel/timeline.h"

typedef struct demand_counts
{
	uint64		demands;
	uint64		met;
	uint64		customers;
	uint64		met_customers;	/* who bought after at least one of their demands for it */
	int64		first;
	int64		last;
} demand_counts;

typedef struct demand_state demand_state;

/* The state of a transition, made at the first row; 22023 when parameters change within a group. */
extern demand_state *behavior_demand_state(FunctionCallInfo fcinfo, MemoryContext aggcontext, uint64 parameters, int64 min_customers);
/* Adds what one customer's timeline says of a term; segment NULL where none was given. */
extern void behavior_demand_add(demand_state *state, const text *segment, crm_text term, const demand_counts *counts);
extern Datum behavior_demand_datum(demand_state *state);

#endif							/* CRM_BEHAVIOR_DEMAND_STATE_H */
