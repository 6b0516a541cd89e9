/*
 * activity.h - crm.activity: in which periods one customer started and came
 * back.
 *
 * The value, behind its varlena header, is bytes without alignment:
 *
 *		version, period, week_start, length of zone, zone	the head
 *		anchor												24 hours: day of the first start, zigzag varint
 *		entry ...											ascending by number
 *
 * The first entry is varint(zigzag(number) * 4 + marks), each further one
 * varint(distance from the one before * 4 + marks).  Numbers are those of
 * calendar.h; with 24 hours, of the periods since the first start, from 0.
 * A value has entries or nothing behind its head.
 */
#ifndef CRM_BEHAVIOR_ACTIVITY_H
#define CRM_BEHAVIOR_ACTIVITY_H

#include "common/crm.h"

#include "behavior/calendar.h"
#include "kernel/events.h"

#define ACTIVITY_VERSION 1
#define ACTIVITY_STARTED 1
#define ACTIVITY_BACK 2
#define ACTIVITY_MARKS 3
#define ACTIVITY_HEAD 4			/* bytes before the zone */
#define ACTIVITY_MAX_HEAD (ACTIVITY_HEAD + TZ_STRLEN_MAX)
#define ACTIVITY_MAX_NUMBER TIMESTAMP_END_JULIAN	/* the days of a timestamp: no number, nor a difference of two, is larger */

/* Stored, so never renumbered; each is one of calendar.h's, but for the last. */
typedef enum activity_period
{
	ACTIVITY_DAY = 1, ACTIVITY_WEEK, ACTIVITY_MONTH, ACTIVITY_QUARTER, ACTIVITY_YEAR, ACTIVITY_24_HOURS
} activity_period;

/* What all activities that are counted together have in common. */
typedef struct activity_head
{
	uint8		bytes[ACTIVITY_MAX_HEAD];
	Size		size;
} activity_head;

/* A value that is being read. */
typedef struct activity
{
	const uint8 *bytes;
	Size		head_size;
	const uint8 *next;
	const uint8 *end;
	bool		any;			/* there are entries */
	bool		begun;
	int64		anchor;			/* with 24 hours */
	int64		number;			/* of the current entry */
	unsigned	marks;
} activity;

/* Opens a value, detoasted where needed; XX001 for a head that is none. */
extern void activity_open(Datum value, activity *a);
/* Is that a whole head and nothing else? */
extern bool activity_head_is_valid(const uint8 *head, Size size);
extern void activity_damaged(const char *detail) CRM_NORETURN;

/* What a counter of a customer's periods keeps with its call site. */
typedef struct activity_maker
{
	behavior_calendar calendar;
	activity_head head;
	activity_period period;
	char		period_text[16];	/* as given; empty: nothing is prepared */
} activity_maker;

/* Prepares unless it is prepared so already; 22023 listing the periods. */
extern void activity_maker_set(activity_maker *maker, const text *period, const text *zone);

/* The same for a period of which days are parts, by a calendar of dates. */
extern void activity_longer_period(activity_maker *maker, const text *period);

/* A value under construction; the buffer may serve many. */
typedef struct activity_writer
{
	uint8	   *bytes;			/* VARHDRSZ bytes stay free in front */
	Size		size;
	Size		room;
	MemoryContext context;
	bool		begun;
	int64		number;
} activity_writer;

extern void activity_write_head(activity_writer *writer, const uint8 *head, Size size);
extern void activity_write_anchor(activity_writer *writer, int64 anchor);
extern void activity_write_entry(activity_writer *writer, int64 number, unsigned marks);
/* The value, in the current context. */
extern Datum activity_written(activity_writer *writer);

/* Events (times, or numbers where they are periods) in order of time, with marks for conditions: the value's entries. */
extern void activity_write_events(activity_writer *writer, activity_maker *maker, const crm_event *events, Size count);

/* The beginning of a period: 'day', 'week:7' ..., for output. */
extern const char *activity_period_name(const uint8 *head);
extern behavior_period activity_calendar_period(activity_period period);

static inline activity_period
activity_period_of(const activity *a)
{
	return (activity_period) a->bytes[1];
}

/* A calendar that knows the dates of a head's periods, whatever zone they were counted in. */
extern void activity_dates(const uint8 *head, behavior_calendar *calendar);

/* A varint that ends within the bytes and has 64 bits at most. */
static inline bool
activity_varint(const uint8 **next, const uint8 *end, uint64 *value)
{
	uint64		result = 0;

	for (unsigned shift = 0; shift < 64 && *next < end; shift += 7)
	{
		uint8		byte = *(*next)++;

		result |= (uint64) (byte & 0x7F) << shift;
		if (byte < 0x80)
		{
			*value = result;
			return true;
		}
	}
	return false;
}

static inline int64
activity_unzigzag(uint64 value)
{
	return (int64) (value >> 1) ^ -(int64) (value & 1);
}

/* The next entry; false behind the last. */
static inline bool
activity_next(activity *a)
{
	uint64		value;

	if (a->next == a->end)
		return false;
	/* The usual case: one byte. */
	if (*a->next < 0x80)
		value = *a->next++;
	else if (!activity_varint(&a->next, a->end, &value))
		activity_damaged("An entry does not end.");
	a->marks = value & ACTIVITY_MARKS;
	value >>= 2;
	if (a->begun)
		a->number += (int64) value;
	else
	{
		a->number = activity_unzigzag(value);
		a->begun = true;
	}
	if (a->number > ACTIVITY_MAX_NUMBER || a->number < -ACTIVITY_MAX_NUMBER)
		activity_damaged("A period is out of its range.");
	return true;
}

#endif							/* CRM_BEHAVIOR_ACTIVITY_H */
