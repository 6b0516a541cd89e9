/*
 * store_write.h - replacing stored sets (refresh.c) and patching them (fold.c).
 */
#ifndef CRM_STORE_WRITE_H
#define CRM_STORE_WRITE_H

#include "kernel/tag_sets.h"
#include "tag/history.h"
#include "tag/store.h"

/* What became of one set, over all chunks and scopes. */
typedef struct crm_value_change
{
	uint64		members;
	uint64		entered;
	uint64		exited;
	/* who entered in some scope and left in some, while that is collected; NULL for nobody */
	crm_ids_collector *came;
	crm_ids_collector *left;
} crm_value_change;

/*
 * Counts the change of one set within one chunk and scope; NULL data stands for
 * no set.  moves: where to collect ids when a customer may change his scope.
 */
extern void crm_value_change_count(crm_value_change *value, const crm_population *population, int32 tag_id, int64 chunk,
								   const uint8 *old, Size old_size, const uint8 *new, Size new_size,
								   MemoryContext moves);
/* Takes back those who were counted twice for changing their scope. */
extern void crm_value_change_settle(crm_value_change *value);

typedef struct crm_tag_change
{
	int32		tag_id;
	int			rule;			/* its rule's number in the sets; -1 for the population itself */
	int32	   *value_numbers;	/* text: value number of each code; NULL otherwise */
	bool		number;			/* numeric: bit slices, of which the first alone counts members */
	crm_value_change *values;	/* by value number */
	int			value_count;	/* room in values; at least 1, and grows */
} crm_tag_change;

typedef struct crm_store_change
{
	crm_tag_change *tags;		/* the tags replaced, ascending by tag_id */
	int			tag_count;
	int32	   *scope_numbers;	/* scope number of each scope index of the sets */
	uint64		chunks_written;
	crm_history *history;		/* where the change is kept; NULL: nowhere */
	/* members of a set within one chunk and scope; may be NULL */
	void		(*on_size) (void *arg, int32 tag_id, int32 value_no, int32 scope_no, uint32 members);
	void	   *arg;
} crm_store_change;

/*
 * Replaces the stored sets of the tags named by finished sets.  Old sets are
 * those that the active snapshot sees.
 */
extern void crm_store_replace(const crm_population *population, crm_tag_sets *sets, crm_store_change *change);

/*
 * Of the customers evaluated alone: they leave every set of these tags, and enter
 * those that the finished sets hold them in.  ids ascend.  on_delta tells how
 * many members a set gained.
 */
extern void crm_store_patch(const crm_population *population, crm_tag_sets *sets, crm_store_change *change,
							const int64 *ids, int count,
							void (*on_delta) (void *arg, int32 tag_id, int32 value_no, int32 scope_no, int64 delta), void *arg);

#endif							/* CRM_STORE_WRITE_H */
