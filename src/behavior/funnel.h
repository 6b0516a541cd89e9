/*
 * funnel.h - the type crm.funnel, for the functions that make and read it.
 */
#ifndef CRM_BEHAVIOR_FUNNEL_H
#define CRM_BEHAVIOR_FUNNEL_H

#include "common/crm.h"

#include "datatype/timestamp.h"
#include "kernel/funnel_value.h"

/* All of a value; the texts point into it. */
typedef struct funnel
{
	crm_funnel_head head;
	int			count;
	crm_funnel_entry *entries;	/* ascending by period */
} funnel;

/* Argument's value, detoasted; XX001 for a damaged one. */
extern funnel *funnel_fetch(Datum value);

/* The value as it is stored. */
extern struct varlena *funnel_write(const funnel *f);

/* The deepest entry, of several the one with the earliest times; NULL when there is none. */
extern const crm_funnel_entry *funnel_best(const funnel *f);

/* A length in microseconds as the difference of two timestamps would have it: days and hours. */
extern Interval *funnel_interval(uint64 width);

#endif							/* CRM_BEHAVIOR_FUNNEL_H */
