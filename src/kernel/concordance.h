/*
 * concordance.h - do scores tell who leaves sooner?  Harrell's C (1982) of pairs of
 * rows, and how sure it is.
 */
#ifndef CRM_KERNEL_CONCORDANCE_H
#define CRM_KERNEL_CONCORDANCE_H

#include "kernel/kernel.h"

typedef struct crm_survivor
{
	double		time;
	double		score;			/* higher: sooner */
	double		other;			/* by another model, where two are compared */
	bool		event;			/* left at that time; else last seen then */
} crm_survivor;

typedef struct crm_concordance
{
	double		value;			/* NaN where no two rows can be compared */
	double		error;			/* standard error, infinitesimal jackknife */
	double		other;			/* of the other scores */
	double		gain;			/* other - value, by the same pairs */
	double		gain_error;
	double		pairs;
	uint64_t	events;
} crm_concordance;

/* What putting so many rows in order and counting their pairs takes, the rows themselves included. */
extern size_t crm_concordance_bytes(size_t count);
/*
 * Of two rows, one with an event before the other's time: has the one with the
 * event the higher score?  Equal scores count a half.  Who is last seen at the time
 * of an event outlived it.  Rows are put into one order; with compare the other
 * scores are looked at, too.
 */
extern crm_status crm_concordance_of(const crm_env *env, crm_survivor *rows, size_t count, bool compare, crm_concordance *result);

#endif							/* CRM_KERNEL_CONCORDANCE_H */
