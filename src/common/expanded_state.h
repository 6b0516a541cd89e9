/*
 * expanded_state.h - the state of an aggregate as an expanded object.
 *
 * Where there are few groups of much data, a state is changed in place; on the
 * way to another process it becomes one crm.agg_state.  What all such aggregates
 * do alike stands here: take the state at hand, combine two, look at the last.
 */
#ifndef CRM_EXPANDED_STATE_H
#define CRM_EXPANDED_STATE_H

#include "common/crm.h"
#include "utils/expandeddatum.h"

/* States of one form.  They begin with an ExpandedObjectHeader that has these methods. */
typedef struct crm_expanded_kind
{
	ExpandedObjectMethods methods;

	/* Adds a flat state, hostile until validated, to one at hand, or to a new one in parent; returns it. */
	void	   *(*add_flat) (void *state, Datum value, MemoryContext parent, const void *use);

	/* Where several aggregates share the form: of a pointer in the state that tells whose it is.  0: there is one. */
	Size		use_offset;
} crm_expanded_kind;

/* The expanded state at hand, or NULL: the only expanded objects with a kind's methods are ours. */
static inline void *
crm_expanded_at_hand(const crm_expanded_kind *kind, const void *use, Datum value)
{
	ExpandedObjectHeader *header;
	const void *its_use;

	if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)))
		return NULL;
	header = DatumGetEOHP(value);
	if (header->eoh_methods != &kind->methods)
		return NULL;
	if (kind->use_offset == 0)
		return header;
	memcpy(&its_use, (const char *) header + kind->use_offset, sizeof(its_use));
	return its_use == use ? header : NULL;
}

/* The state as one that may be changed and lives in the aggregate's memory. */
static inline void *
crm_expanded_writable(const crm_expanded_kind *kind, const void *use, Datum value, MemoryContext aggcontext)
{
	void	   *state = VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(value)) ? crm_expanded_at_hand(kind, use, value) : NULL;

	return state != NULL ? state : kind->add_flat(NULL, value, aggcontext, use);
}

/* A combine function; aggregate is its name in an error. */
extern Datum crm_expanded_combine(FunctionCallInfo fcinfo, const crm_expanded_kind *kind, const void *use, const char *aggregate);

/* The state of a final function, which leaves it as it is; NULL when there was no row. */
extern const void *crm_expanded_final(FunctionCallInfo fcinfo, const crm_expanded_kind *kind, const void *use, const char *aggregate);

#endif							/* CRM_EXPANDED_STATE_H */
