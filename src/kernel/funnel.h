/*
 * funnel.h - how far a customer went through a funnel.
 */
#ifndef CRM_KERNEL_FUNNEL_H
#define CRM_KERNEL_FUNNEL_H

#include "kernel/events.h"

/* Bits of a mode; doc/behavior.md has the meaning of each. */
#define CRM_FUNNEL_DEDUPLICATION 0x01
#define CRM_FUNNEL_ORDER 0x02
#define CRM_FUNNEL_INCREASE 0x04
#define CRM_FUNNEL_ONCE 0x08
#define CRM_FUNNEL_REENTRY 0x10
#define CRM_FUNNEL_MODES 0x1F

/*
 * The largest n such that conditions 1 .. n are met in this order by events no
 * more than "within" after the first of them, as the mode has it.  The events
 * are sorted by time; their order at one instant does not matter.  Events that
 * meet no condition count in mode CRM_FUNNEL_ORDER only.
 */
extern crm_status crm_funnel_level(const crm_env *env, const crm_event *events, size_t count,
								   int conditions, uint64_t within, unsigned mode, int *level);

/* The same without any mode for sorted packed events. */
extern int	crm_funnel_level_packed(const crm_env *env, const uint64_t *packed, size_t count, int conditions, uint64_t within);

/*
 * The same without any mode for events that come one by one: nothing is kept
 * of them.  Of each instant the union of the conditions is asked for.
 */
typedef struct crm_funnel_walk
{
	int			level;
	uint64_t	within;
	int64_t		first[CRM_MAX_CONDITIONS];	/* by condition from 0: when the latest chain that met it began */
} crm_funnel_walk;

static inline void
crm_funnel_instant(crm_funnel_walk *walk, int64_t at, uint64_t met)
{
	for (; met != 0; met &= met - 1)
	{
		int			condition = crm_ctz64(met);
		int64_t		first = at;

		if (condition > walk->level)
			return;
		if (condition > 0)
		{
			first = walk->first[condition - 1];
			if (crm_time_between(first, at) > walk->within)
				continue;
		}
		if (condition == walk->level)
			walk->level++;
		else if (first < walk->first[condition])
			continue;
		walk->first[condition] = first;
	}
}

#endif							/* CRM_KERNEL_FUNNEL_H */
