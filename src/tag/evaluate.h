/*
 * evaluate.h - tags of some customers, evaluated now: what readers lay over the
 * stored sets, and what folding puts into them.
 */
#ifndef CRM_EVALUATE_H
#define CRM_EVALUATE_H

#include "tag/pending.h"
#include "tag/scan_query.h"

/* Tags of one owner, with the rules of their stored sets. */
typedef struct crm_evaluation
{
	const crm_population *population;
	Oid			owner;
	List	   *tags;			/* crm_tag; the rule's number in the state is the place in the list */
	crm_scan_state *state;		/* finished: chunks in the order of scopes */
} crm_evaluation;

/*
 * Evaluates tags of one owner, NIL for none, for pending customers in the active
 * snapshot.  within: the caller stands in a query of the user's.  due: find out when
 * they may change by the clock.  23505 for a customer who stands twice in the source.
 */
extern crm_evaluation *crm_evaluate(const crm_population *population, Oid owner, List *tags, const crm_pending *pending,
									TimestampTz as_of, bool within, bool due);

/* Does the dictionary hold any of the population's keys, as the active snapshot sees it? */
extern bool crm_evaluation_has_dictionary(const crm_population *population);
/* Sorts the state's chunks by scopes: by the numbers given, or as they come. */
extern void crm_evaluation_finish(const crm_population *population, crm_scan_state *state, const int32 *scope_numbers);

/* ---- the sets evaluated, in the scopes marked --------------------------------------- */

/* The customers themselves. */
extern void crm_evaluation_base(const crm_evaluation *evaluation, const bool *scopes, crm_ids_collector *collector);
/*
 * Those who have the tag of that number; of a text tag those with the value given
 * (NULL: any), or with any but the value.
 */
extern void crm_evaluation_members(const crm_evaluation *evaluation, int rule, const char *value, bool other,
								   const bool *scopes, crm_ids_collector *collector);
/* Of a numeric tag, whose numbers have been brought to one scale, those with the bit of that slice. */
extern void crm_evaluation_slice(const crm_evaluation *evaluation, int rule, int slice, const bool *scopes,
								 crm_ids_collector *collector);
/* Brings the numbers to one scale, the one wanted where that will do; the number of slices. */
extern int	crm_evaluation_scale(const crm_evaluation *evaluation, int rule, int wanted, uint32 *scale);

#endif							/* CRM_EVALUATE_H */
