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
 * is nearly any, fits one word: half the place is twice the customers in the
 * same cache.  Words ascend as events do: above stands the time, from the
 * earliest that fits; below the conditions that are not met, the first of them
 * in the highest bit.
 */
#define CRM_PACKED_CONDITIONS 8
#define CRM_PACKED_MAX_TIME ((INT64_C(1) << 55) - 1)
#define CRM_PACKED_MASK ((UINT64_C(1) << CRM_PACKED_CONDITIONS) - 1)
#define CRM_PACKED_BIAS (UINT64_C(1) << 63)

static inline bool
crm_event_packs(const crm_event *event)
{
	return event->at >= -CRM_PACKED_MAX_TIME - 1 && event->at <= CRM_PACKED_MAX_TIME && event->met >> CRM_PACKED_CONDITIONS == 0;
}

/* The bits of a byte from the other end: five copies of it, of which two bits each are taken to where they belong. */
static inline uint64_t
crm_reverse_byte(uint64_t byte)
{
	return ((byte * UINT64_C(0x80200802)) & UINT64_C(0x0884422110)) * UINT64_C(0x0101010101) >> 32 & 0xFF;
}

static inline uint64_t
crm_event_pack(const crm_event *event)
{
	return ((uint64_t) event->at << CRM_PACKED_CONDITIONS ^ CRM_PACKED_BIAS) | (crm_reverse_byte(event->met) ^ CRM_PACKED_MASK);
}

static inline crm_event
crm_event_unpack(uint64_t packed)
{
	crm_event	event = {(int64_t) (packed ^ CRM_PACKED_BIAS) >> CRM_PACKED_CONDITIONS, crm_reverse_byte(~packed & CRM_PACKED_MASK)};

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

/* The same for packed events; fast, too, where each is near its place, as rows are that were written when things happened. */
extern crm_status crm_events_sort_packed(const crm_env *env, uint64_t *packed, size_t count);

#endif							/* CRM_KERNEL_EVENTS_H */
