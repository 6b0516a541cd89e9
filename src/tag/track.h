/*
 * track.h - tracked populations: which relations, and their triggers.
 */
#ifndef CRM_TRACK_H
#define CRM_TRACK_H

#include "tag/tag.h"

/* A relation whose changes are logged. */
typedef struct crm_tracked
{
	int32		number;
	Oid			relation;
	char	   *key_column;
	bool		customers;		/* its keys are customers', and new ones are numbered */
	Oid			via;			/* InvalidOid: the key is a customer's */
	char	   *via_key;
	char	   *via_customer;
	int64		tree;			/* crm_track_tree when the triggers were made */
} crm_tracked;

/* The tracked relations of a population, as the active snapshot sees them, by number. */
extern List *crm_track_list(const crm_population *population);
/* A number for a relation's partitions and children, another one when there are others. */
extern int64 crm_track_tree(Oid relation);

/* ---- what may be tracked (track_check.c) ------------------------------------------------ */

/* 42809, with a hint at the remedy, for a relation, or a partition of it, whose changes triggers cannot see. */
extern void crm_track_check_relation(Oid relation);
/* 55000, naming those that are missing, unless every table below the population's source and events is in the list. */
extern void crm_track_check_complete(const crm_population *population, Oid events, List *relations);

/* ---- the triggers (track_trigger.c) -------------------------------------------------------- */

/*
 * Gives a relation and all its partitions and children the triggers that they
 * lack, as the current user, whose right it takes; waits for writers.  Returns how
 * many relations lacked some.
 */
extern int	crm_track_make_triggers(const crm_population *population, const crm_tracked *tracked);
/* Drops them where the current user may; others have no effect any more. */
extern void crm_track_drop_triggers(const crm_population *population, const crm_tracked *tracked);
/*
 * Before the snapshot of a refresh or fold: gives partitions that came meanwhile
 * their triggers, as the population's owner.  True when rows may have come or gone
 * that no trigger saw.
 */
extern bool crm_track_renew(const crm_population *population);
/* After a refresh of all tags as of a time: what the active snapshot sees of the log has been dealt with. */
extern void crm_track_refreshed(const crm_population *population, TimestampTz as_of);
/* Ends the tracking of a population, whose lock the caller holds. */
extern void crm_track_end(const crm_population *population);

#endif							/* CRM_TRACK_H */
