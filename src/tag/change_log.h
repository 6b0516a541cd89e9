/*
 * change_log.h - the log of changed customers: appended to by the triggers of
 * tracked relations, read by every reader of tags, emptied by folding.
 *
 * A row is visible to exactly those snapshots that see the change it speaks of,
 * as both were written by one transaction.  So stored sets and log together are
 * exact in every snapshot.
 */
#ifndef CRM_CHANGE_LOG_H
#define CRM_CHANGE_LOG_H

#include "tag/tag.h"

/* What the log says of one tracked relation. */
typedef struct crm_logged_relation
{
	int32		relation_no;
	int64	   *ids;			/* keys that are their own ids, in any order, some more than once */
	int			id_count;
	int			id_room;
	char	  **keys;			/* all others, likewise */
	int			key_count;
	int			key_room;
} crm_logged_relation;

typedef struct crm_logged
{
	uint64		rows;			/* of the log */
	bool		everybody;
	List	   *relations;		/* crm_logged_relation */
} crm_logged;

/* What the active snapshot sees of the population's log. */
extern void crm_log_read(const crm_population *population, crm_logged *logged);
/* Deletes the rows that the active snapshot sees; the caller holds the population's lock.  40001 where another was first. */
extern void crm_log_delete(const crm_population *population);

#endif							/* CRM_CHANGE_LOG_H */
