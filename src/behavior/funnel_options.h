/*
 * funnel_options.h - what a call of funnel_agg asks for, as its state keeps it.
 */
#ifndef CRM_BEHAVIOR_FUNNEL_OPTIONS_H
#define CRM_BEHAVIOR_FUNNEL_OPTIONS_H

#include "common/crm.h"

#include "datatype/timestamp.h"
#include "kernel/funnel_summary.h"
#include "utils/jsonb.h"

typedef enum funnel_unit
{
	FUNNEL_NO_PERIODS,
	FUNNEL_DAY,
	FUNNEL_WEEK,
	FUNNEL_MONTH,
	FUNNEL_QUARTER,
	FUNNEL_YEAR
} funnel_unit;

#define FUNNEL_UNITS 6

/* Flat, and compared by its bytes, so without gaps; behind the pairs, the name of the zone. */
typedef struct funnel_options
{
	int64		within;
	uint8		steps;
	uint8		conditions;
	int8		breakdown;		/* as in crm_funnel_plan */
	uint8		hold;
	uint8		unit;			/* funnel_unit */
	uint8		week_start;		/* 1 is Monday */
	uint8		needs_attribute;
	uint8		zone_length;
	crm_funnel_pair pair[FLEXIBLE_ARRAY_MEMBER];	/* steps - 1 of them */
} funnel_options;

extern Size funnel_options_size(const funnel_options *options);

/* Refuses what is wrong with the options, naming the known ones; NULL for none. */
extern funnel_options *funnel_options_parse(int64 within, const Jsonb *json, int conditions);

/* The options in a state, all of them checked, and the plan for the kernel. */
extern const funnel_options *funnel_options_fetch(const void *bytes, Size size, crm_funnel_plan *plan);

/* The beginning of the calendar period that holds the time. */
extern TimestampTz funnel_period(const funnel_options *options, TimestampTz at);

#endif							/* CRM_BEHAVIOR_FUNNEL_OPTIONS_H */
