/*
 * pending.h - the customers of a tracked population whose stored tags may be
 * wrong now: those in the change log, and those due by the clock.
 */
#ifndef CRM_PENDING_H
#define CRM_PENDING_H

#include "kernel/ids.h"
#include "tag/tag.h"

typedef struct crm_pending
{
	bool		everybody;		/* then the rest is empty */
	uint64		rows;			/* of the log */
	int			count;
	int64	   *ids;			/* ascending */
	crm_ids		set;			/* the same */
} crm_pending;

/*
 * As the active snapshot sees them, those due up to `until`; NULL when the
 * population is not tracked or nobody is pending.  In the current context.
 */
extern crm_pending *crm_pending_read(const crm_population *population, TimestampTz until);

/*
 * Under the population's lock, before its sets are brought up to date: so are the
 * stored timelines of those pending, which the active snapshot then sees.  NULL: nobody.
 */
extern void crm_pending_store_timelines(const crm_population *population, const crm_pending *pending);

#endif							/* CRM_PENDING_H */
