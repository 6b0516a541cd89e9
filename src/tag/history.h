/*
 * history.h - the stored sets as they were: changes recorded, and undone for
 * readers with as_of.
 *
 * Every refresh or fold is one change of the population's sets and has a number
 * and an instant, both ascending.  For each chunk of a set it is kept who
 * entered and who left.  A set is stored by scope and a customer is in one scope
 * at a time, so a set as of a change is its present members with everything
 * that later changes kept taken as an exclusive or, in whatever order.
 */
#ifndef CRM_TAG_HISTORY_H
#define CRM_TAG_HISTORY_H

#include "tag/tag.h"

/* Columns of tag_change. */
#define CRM_CHANGE_POPULATION 1
#define CRM_CHANGE_SCOPE 2
#define CRM_CHANGE_CHUNK 3
#define CRM_CHANGE_TAG 4
#define CRM_CHANGE_VALUE 5
#define CRM_CHANGE_NO 6
#define CRM_CHANGE_ENTERED 7
#define CRM_CHANGE_EXITED 8
#define CRM_CHANGE_COLUMNS 8

/* ---- recording (history.c, history_write.c) -------------------------------- */

typedef struct crm_history crm_history;

/*
 * Starts a change of the population's sets, whose lock is held.  NULL: the
 * population keeps no history; all functions below take that for nothing to do.
 */
extern crm_history *crm_history_begin(const crm_population *population);
/*
 * One set within one chunk and scope is about to change from old to new; NULL
 * for no members.  The first sets of a tag are no change, its history begins
 * with them.
 */
extern void crm_history_note(crm_history *history, int32 scope_no, int64 chunk, int32 tag_id, int32 value_no,
							 const uint8 *old, Size old_size, const uint8 *new, Size new_size);
/* Writes what was noted so far and closes the table, before anybody reads. */
extern void crm_history_flush(crm_history *history);
/*
 * Ends the change once the tags' definitions say that they are refreshed: gives
 * it its instant, and forgets what is older than the population keeps.  tags:
 * the tags (crm_tag) evaluated, NULL with whole for all of the population.
 */
extern void crm_history_end(crm_history *history, List *tags, bool whole, TimestampTz as_of);
/* Forgets a dropped tag, a dropped population. */
extern void crm_history_forget_tag(int32 tag_id);
extern void crm_history_forget(const crm_population *population);

/* ---- reading (history_read.c) -------------------------------------------------- */

typedef struct crm_past
{
	const crm_population *population;
	TimestampTz as_of;
	int64		change_no;		/* the last change at or before as_of */
} crm_past;

/*
 * The change after which the sets were those of this instant; NULL for the sets
 * of now.  55000 where no history is kept, or not that far back.
 */
extern crm_past *crm_past_find(const crm_population *population, TimestampTz as_of);
/* Sets what the tag's definition says of its stored sets to that instant's; 55000 when its history begins later. */
extern void crm_past_tag(const crm_past *past, crm_tag *tag);
/* The set as of then; past NULL: as it is. */
extern void crm_past_read(const crm_population *population, const crm_past *past, int32 tag_id, int32 value_no,
						  const crm_scopes *scopes, crm_ids_builder *builder);
/* Calls visit as crm_store_sets_of does, for the sets that held the id then. */
extern void crm_past_sets_of(const crm_population *population, const crm_past *past, int64 id,
							 crm_store_visit visit, void *arg);

#endif							/* CRM_TAG_HISTORY_H */
