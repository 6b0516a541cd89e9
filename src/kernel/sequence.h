/*
 * sequence.h - patterns over one customer's events: (?1).*(?t<=3600)(?2).
 */
#ifndef CRM_KERNEL_SEQUENCE_H
#define CRM_KERNEL_SEQUENCE_H

#include "kernel/events.h"

#define CRM_PATTERN_MAX_ELEMENTS 256

/* One event of the pattern, and how it follows the one before. */
typedef struct crm_pattern_element
{
	int			condition;		/* 1 .. 64, or 0 for any event */
	bool		gap;			/* other events may lie between */
	uint64_t	least;			/* microseconds between the two; least > most: never */
	uint64_t	most;
} crm_pattern_element;

typedef struct crm_pattern
{
	int			count;
	crm_pattern_element element[CRM_PATTERN_MAX_ELEMENTS];
} crm_pattern;

typedef enum crm_pattern_fault
{
	CRM_PATTERN_UNEXPECTED,		/* neither (?, .* nor . */
	CRM_PATTERN_NO_OPERATOR,	/* (?t without one of <= < >= > == */
	CRM_PATTERN_NO_NUMBER,
	CRM_PATTERN_NO_BRACKET,		/* no closing bracket */
	CRM_PATTERN_NO_CONDITION,	/* a number that is no condition's */
	CRM_PATTERN_LONELY_TIME,	/* a time with no event before or none behind it */
	CRM_PATTERN_TOO_LONG
} crm_pattern_fault;

typedef struct crm_pattern_error
{
	crm_pattern_fault fault;
	size_t		position;		/* in bytes from 0 */
	uint64_t	number;			/* for CRM_PATTERN_NO_CONDITION */
} crm_pattern_error;

/* CRM_CORRUPT or CRM_LIMIT with the error filled in. */
extern crm_status crm_pattern_parse(const char *text, size_t length, int conditions,
									crm_pattern *pattern, crm_pattern_error *error);

/*
 * How many matches there are that do not overlap: the one that ends first,
 * then of the events behind it again; at most as many as asked for.  Events
 * are sorted and meet a condition each.
 */
extern crm_status crm_sequence_count(const crm_env *env, const crm_pattern *pattern, const crm_event *events,
									 size_t count, uint64_t most, uint64_t *matches);

/*
 * The times of the events that meet the pattern's conditions in the match that
 * ends first; without a match, in the longest beginning of one that ends
 * first.  Where several chains end there, each event is the earliest that is
 * possible, seen from the end.  Room for CRM_PATTERN_MAX_ELEMENTS times.
 */
extern crm_status crm_sequence_events(const crm_env *env, const crm_pattern *pattern, const crm_event *events,
									  size_t count, int64_t *times, int *found);

#endif							/* CRM_KERNEL_SEQUENCE_H */
