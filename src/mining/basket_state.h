/*
 * basket_state.h - the state of aggregates over who has what: rows of a basket (an
 * order, a customer) and an item, collected as kernel/baskets.h does.
 *
 * There are few groups of many rows, so the state is an expanded object; it becomes
 * one crm.agg_state on the way to another process.
 */
#ifndef CRM_MINING_BASKET_STATE_H
#define CRM_MINING_BASKET_STATE_H

#include "common/crm.h"

#include "kernel/baskets.h"
#include "utils/expandeddatum.h"

#define BASKET_CONSTANTS 96

/* What an aggregate makes of such a state; one constant for each kind. */
typedef struct basket_use
{
	uint8		number;			/* in the state: another aggregate's state is refused */
	const char *function;
	bool		weighted;
	Size		constants_size; /* of a struct without pointers and padding, at most BASKET_CONSTANTS */

	/* Are these bytes arguments that the aggregate may use?  They may come from anywhere. */
	bool		(*constants_are_valid) (const void *constants);
} basket_use;

typedef struct basket_state
{
	ExpandedObjectHeader header;
	const basket_use *use;
	char		constants[BASKET_CONSTANTS];
	crm_baskets baskets;
} basket_state;

/*
 * Adds a row of arguments basket and item to the state of a transition, made at the
 * first one; a NULL of them is no row.  How the arguments are read, the caller says:
 * baskets are bigint, or text where named; items are text, or bigint where numbered.
 * 22023 when the constants change within a group.
 */
extern Datum basket_state_add(FunctionCallInfo fcinfo, const basket_use *use, const void *constants, bool named, bool numbered,
							  int basket, double weight);

extern Datum basket_state_combine(FunctionCallInfo fcinfo, const basket_use *use);

/* The state of a final function; NULL when there is none, or no row. */
extern const basket_state *basket_state_final(FunctionCallInfo fcinfo, const basket_use *use);

/* The rows basket by basket; see crm_baskets_index. */
extern crm_basket_index basket_state_index(const basket_state *state, bool ordered);

/* Bytes that the work on a state may take beside its rows. */
extern Size basket_state_spare(const basket_state *state);

/* Raises what belongs to a status of a kernel that worked on the rows: CRM_LIMIT is crm_analytics.training_memory. */
extern void basket_state_check(const basket_state *state, crm_status status);

#endif							/* CRM_MINING_BASKET_STATE_H */
