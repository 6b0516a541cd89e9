/*
 * events.h - one customer's events, each a time and the set of conditions that
 * it meets: what funnels and sequences are searched in.
 */
#ifndef CRM_KERNEL_EVENTS_H
#define CRM_KERNEL_EVENTS_H

#include "kernel/kernel.h"

#define CRM_MAX_CONDITIONS 64

typedef struct crm_event
{
	int64_t		at;				/* microseconds */
	uint64_t	met;			/* bit i: condition i + 1 is met */
} crm_event;

/*
 * The order of events, which hangs on nothing but their content: by time; at
 * one instant, of two events, the one that meets the lowest condition that the
 * other does not meet comes first.
 */
static inline bool
crm_event_before(const crm_event *a, const crm_event *b)
{
	uint64_t	differ = a->met ^ b->met;

	if (a->at != b->at)
		return a->at < b->at;
	return (a->met & differ & (0 - differ)) != 0;
}

/* How long after an earlier event a later one is; differences of far times do not fit a signed number. */
static inline uint64_t
crm_time_between(int64_t earlier, int64_t later)
{
	return (uint64_t) later - (uint64_t) earlier;
}

/* Sorts in place by the order above: fast for runs that are in order already, as merged partial states are. */
extern crm_status crm_events_sort(const crm_env *env, crm_event *events, size_t count);

#endif							/* CRM_KERNEL_EVENTS_H */
