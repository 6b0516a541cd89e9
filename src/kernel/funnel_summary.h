/*
 * funnel_summary.h - the way that a customer took through a funnel, with
 * restrictions on gaps, on what lies between, and on an attribute.
 */
#ifndef CRM_KERNEL_FUNNEL_SUMMARY_H
#define CRM_KERNEL_FUNNEL_SUMMARY_H

#include "kernel/events.h"

#define CRM_FUNNEL_NO_LABEL UINT32_MAX

/* Instants times steps; each takes 12 bytes while the answer is looked for. */
#define CRM_FUNNEL_MAX_CELLS (UINT64_C(1) << 26)

/* What is asked of two consecutive steps. */
typedef struct crm_funnel_pair
{
	uint64_t	least;			/* microseconds between them */
	uint64_t	most;
	uint64_t	excluded;		/* conditions that must not be met strictly between them, by events of the chain's attribute if that is held */
	uint64_t	excluded_any;	/* the same, by any event */
} crm_funnel_pair;

typedef struct crm_funnel_plan
{
	int			steps;			/* conditions 1 .. steps */
	int			breakdown;		/* the step whose attribute is told, or one of these */
#define CRM_FUNNEL_NO_BREAKDOWN 0
#define CRM_FUNNEL_BREAKDOWN_LAST (-1)
	bool		hold;			/* all steps of a chain have one attribute */
	uint64_t	within;			/* microseconds from the first step to the last */
	crm_funnel_pair pair[CRM_MAX_CONDITIONS];	/* [k]: between steps k + 1 and k + 2 */
} crm_funnel_plan;

typedef struct crm_funnel_event
{
	int64_t		at;
	uint64_t	met;
	int64_t		period;			/* of an event that meets step 1: what a chain from here is counted under */
	uint32_t	label;			/* the attribute as a number in the order of its values, or CRM_FUNNEL_NO_LABEL */
} crm_funnel_event;

typedef struct crm_funnel_path
{
	int64_t		period;
	uint32_t	label;			/* CRM_FUNNEL_NO_LABEL without breakdown, or where its step was not reached */
	int			level;			/* at least 1 */
	int64_t    *times;			/* level of them */
} crm_funnel_path;

/*
 * For each period in which step 1 was met, ascending: of all chains of events
 * that begin in it and meet steps 1 .. level in order of time, obeying the
 * plan, the deepest; of those the one that begins first, then takes step 2
 * first, and so on, then has the least label.  An event may fill several
 * steps; events of one instant may be used in any order.
 *
 * Exact.  Time is events times steps squared, memory as above; CRM_LIMIT
 * beyond.  The paths live in the environment's memory.
 */
extern crm_status crm_funnel_search(const crm_env *env, const crm_funnel_plan *plan, const crm_funnel_event *events,
								   size_t count, crm_funnel_path **paths, size_t *found);

#endif							/* CRM_KERNEL_FUNNEL_SUMMARY_H */
