/*
 * plan.h - what the two halves of the planner's support share.
 */
#ifndef CRM_AUDIENCE_PLAN_H
#define CRM_AUDIENCE_PLAN_H

#include "common/crm.h"

#include "nodes/pathnodes.h"

/* The set that an expression stands for at planning time, by its size: false if it is not known. */
extern bool crm_known_set(PlannerInfo *root, Node *node, bool *isnull, uint64 *cardinality);
/* How many members the sets of a column have, from its statistics, on average and at most (analyze.c). */
extern bool crm_set_statistics(PlannerInfo *root, Node *set, double *mean, double *largest);
/* Is it a type of ids: bigint, int, smallint? */
extern bool crm_is_id_type(Oid type);
/* How many different ids the column of a relation has, and in which share of its rows there is one. */
extern double crm_different_ids(PlannerInfo *root, Node *id, int relation, double *present);

#endif							/* CRM_AUDIENCE_PLAN_H */
