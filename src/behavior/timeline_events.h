/*
 * timeline_events.h - what the functions that read timelines share: the events
 * that an argument selects, one by one, and scratch memory.
 */
#ifndef CRM_BEHAVIOR_TIMELINE_EVENTS_H
#define CRM_BEHAVIOR_TIMELINE_EVENTS_H

#include "behavior/timeline.h"

#include "access/tupdesc.h"
#include "kernel/events.h"

/* Interrupts are served once in so many events. */
#define BEHAVIOR_INTERRUPT_STEP 4096

/* A loop over events; kept in a local variable that nothing points to, it lives in registers. */
typedef struct behavior_events
{
	crm_timeline_cursor cursor;
	crm_selectors *selectors;
	const crm_selectors_bound *bound;
	behavior_range range;
} behavior_events;

static inline behavior_events
behavior_events_begin(const crm_timeline *timeline, const behavior_selectors *select, behavior_range range)
{
	behavior_events events;

	crm_timeline_begin(timeline, &events.cursor);
	events.selectors = select->selectors;
	events.bound = select->bound;
	events.range = range;
	return events;
}

/* The next event in the range, and the selectors that mean it: those that none means are passed over. */
static pg_attribute_always_inline uint64
behavior_events_next(behavior_events *events)
{
	while (crm_timeline_next(&events->cursor))
	{
		uint64		met;

		if (events->cursor.at >= events->range.until)
			break;
		if (events->cursor.index % BEHAVIOR_INTERRUPT_STEP == BEHAVIOR_INTERRUPT_STEP - 1)
			CHECK_FOR_INTERRUPTS();
		if (events->cursor.at < events->range.since)
			continue;
		met = crm_selectors_met(events->selectors, events->bound, &events->cursor);
		if (met != 0)
			return met;
	}
	return 0;
}

/* All of a timeline. */
#define BEHAVIOR_ALWAYS ((behavior_range) {PG_INT64_MIN, PG_INT64_MAX})

/* Memory that a call site keeps for its next call, unless it is large. */
typedef struct behavior_scratch
{
	void	   *memory;
	Size		size;
} behavior_scratch;

extern void *behavior_scratch_get(FunctionCallInfo fcinfo, behavior_scratch *scratch, Size size);

/* The row type that a function returns, kept at this slot. */
extern TupleDesc behavior_row_type(FunctionCallInfo fcinfo, TupleDesc *slot, int columns);

/* Sums of values that do not depend on their order. */
typedef struct behavior_sum
{
	uint32		parts;
	float8		part[64];		/* non-overlapping parts of float8 are at most 40 */
} behavior_sum;

/* 22003 when the sum is out of range. */
extern void behavior_sum_add(behavior_sum *sum, float8 value);
extern float8 behavior_sum_round(const behavior_sum *sum);

#endif							/* CRM_BEHAVIOR_TIMELINE_EVENTS_H */
