/*
 * demands.h - which of a customer's demands a purchase followed.
 */
#ifndef CRM_KERNEL_DEMANDS_H
#define CRM_KERNEL_DEMANDS_H

#include "kernel/kernel.h"

/* What was wanted or bought, by its number; a purchase may be of anything. */
#define CRM_ANYTHING UINT32_MAX

typedef struct crm_demand_event
{
	int64_t		at;
	uint32_t	thing;
} crm_demand_event;

/* Of one thing. */
typedef struct crm_demand_tally
{
	uint64_t	demands;
	uint64_t	met;
	int64_t		first;			/* time of the first and last demand */
	int64_t		last;
} crm_demand_tally;

/*
 * Counts the demands of each thing, and those that were met: by a purchase of
 * anything, or of a thing that matches, at the same time or at most within later.  Only demands
 * at or before until - within count, so that each had the whole time.  Both lists ascend by time; things are below
 * count, and matches[b * count + d] says that purchase b meets demand d (NULL: when they are the same).
 * tallies are zeros at first.
 */
extern crm_status crm_demands_judge(const crm_env *env, const crm_demand_event *wanted, size_t wanted_count,
									const crm_demand_event *bought, size_t bought_count, uint32_t count, const uint8_t *matches,
									int64_t within, int64_t until, crm_demand_tally *tallies);

#endif							/* CRM_KERNEL_DEMANDS_H */
