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

/*
 * An event of at most eight conditions within 1,142 years of the epoch, which
 * is nearly any, fits one word: the time above the conditions.  Half the place
 * is twice the customers in the same cache.
 */
#define CRM_PACKED_CONDITIONS 8
#define CRM_PACKED_MAX_TIME ((INT64_C(1) << 55) - 1)

static inline bool
crm_event_packs(const crm_event *event)
{
	return event->at >= -CRM_PACKED_MAX_TIME - 1 && event->at <= CRM_PACKED_MAX_TIME && event->met >> CRM_PACKED_CONDITIONS == 0;
}

static inline uint64_t
crm_event_pack(const crm_event *event)
{
	return (uint64_t) event->at << CRM_PACKED_CONDITIONS | event->met;
}

static inline crm_event
crm_event_unpack(uint64_t packed)
{
	crm_event	event = {(int64_t) packed >> CRM_PACKED_CONDITIONS, packed & ((UINT64_C(1) << CRM_PACKED_CONDITIONS) - 1)};

	return event;
}

/* How long after an earlier event a later one is; differences of far times do not fit a signed number. */
static inline uint64_t
crm_time_between(int64_t earlier, int64_t later)
{
	return (uint64_t) later - (uint64_t) earlier;
}

/* Unpacks so many events. */
extern void crm_events_unpack(const crm_env *env, const uint64_t *packed, size_t count, crm_event *events);

/* Sorts in place by the order above: fast for runs that are in order already, as merged partial states are. */
extern crm_status crm_events_sort(const crm_env *env, crm_event *events, size_t count);

#endif							/* CRM_KERNEL_EVENTS_H */
