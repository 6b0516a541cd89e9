/*
 * refresh.h - evaluating all customers anew, for refresh_tags and for folding
 * where that is what it takes.
 */
#ifndef CRM_REFRESH_H
#define CRM_REFRESH_H

#include "nodes/execnodes.h"
#include "tag/history.h"
#include "tag/store_write.h"
#include "tag/tag.h"

typedef struct crm_refresh
{
	crm_population *population;
	TimestampTz as_of;
	List	   *tags;			/* those to be refreshed */
	bool		columns_today;	/* whatever as_of is */
	bool		whole;			/* all tags: the base set too */
	bool		dictionary;		/* keys are looked up */
	bool		numbered;		/* new keys have got their numbers */
	struct crm_scan_shared *shared;	/* what the scans of the owner at hand share; NULL: nothing */
	bool		fetched;		/* passing ids do not stand for ids on other servers: some were of no key, and the rows come */
	uint64		customers;
	uint64		null_keys;
	uint64		chunks_written;
	int			scans;			/* done */
	int			all_scans;
	double		expected_rows;
	crm_history *history;		/* where the change of the sets is kept; NULL: nowhere */
	ReturnSetInfo *result;
} crm_refresh;

/*
 * All that follows wants the population's lock and an active snapshot taken
 * after it, a copy, since it is brought up to date with what is written.
 *
 * Evaluates r->tags and puts them into the store, notes it, and returns a row for
 * each tag and value.
 */
extern void crm_refresh_run(crm_refresh *r);
/* One owner's tags alone, in as many scans as memory allows; nothing is noted. */
extern void crm_refresh_owner(crm_refresh *r, Oid owner, List *tags, bool base);
/* The lock and the snapshot: the population as it is then. */
extern crm_population *crm_refresh_begin(const char *population);
/* 42501 or 42704 unless the owners of population and tags may be acted for. */
extern void crm_refresh_check_owners(const crm_refresh *r);
extern void crm_refresh_return(crm_refresh *r, const char *tag, const char *value, const crm_value_change *change);

#endif							/* CRM_REFRESH_H */
