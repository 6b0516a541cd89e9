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

#endif							/* CRM_KERNEL_FUNNEL_H */
