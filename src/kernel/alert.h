/*
 * alert.h - days on which a daily number is far from what its past promises.
 */
#ifndef CRM_KERNEL_ALERT_H
#define CRM_KERNEL_ALERT_H

#include "kernel/kernel.h"

typedef struct crm_alert_point
{
	int32_t		day;
	double		value;
	double		noise;			/* deviation that sampling alone makes; 0: not known */
} crm_alert_point;

typedef struct crm_alert_rule
{
	int			weeks;			/* the same weekdays looked back at */
	double		threshold;		/* deviations from which an alert begins */
	double		least_share;	/* of the expected value: smaller deviations count as that large */
} crm_alert_rule;

typedef struct crm_alert
{
	int32_t		started;
	int32_t		ended;			/* the last day, included */
	int			days;			/* with data */
	double		expected;		/* means over its days */
	double		observed;
	double		severity;		/* greatest distance, in deviations */
} crm_alert;

/* Points in ascending order of different days, finite; room for a point's number of alerts.  Sets their number. */
extern crm_status crm_alerts_find(const crm_env *env, const crm_alert_rule *rule, const crm_alert_point *points, size_t count,
								  crm_alert *alerts, size_t *found);

#endif							/* CRM_KERNEL_ALERT_H */
