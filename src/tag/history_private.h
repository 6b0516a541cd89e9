/*
 * history_private.h - a change on its way, for the files that record it.
 */
#ifndef CRM_TAG_HISTORY_PRIVATE_H
#define CRM_TAG_HISTORY_PRIVATE_H

#include "catalog/indexing.h"
#include "executor/tuptable.h"
#include "tag/history.h"
#include "utils/relcache.h"

#define CRM_HISTORY_BATCH 100

struct crm_history
{
	const crm_population *population;
	int64		change_no;
	TimestampTz last;			/* instant of the change before; no later one may bear it */
	int32	   *tags;			/* those whose history has begun, ascending; the population's own set among them */
	int			tag_count;
	uint64		noted;			/* chunks of sets that have changed */

	/* rows on their way; the table is open while table is not NULL */
	MemoryContext context;
	MemoryContext row_context;
	Relation	table;
	CatalogIndexState indexes;
	TupleTableSlot *slots[CRM_HISTORY_BATCH];
	int			pending;
};

#endif							/* CRM_TAG_HISTORY_PRIVATE_H */
