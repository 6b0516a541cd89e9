/*
 * group_match.h - which group of a new model is which of an old one, so that
 * "group 3" stays group 3.
 */
#ifndef CRM_KERNEL_GROUP_MATCH_H
#define CRM_KERNEL_GROUP_MATCH_H

#include "kernel/model_kmeans.h"

#define CRM_MATCH_NONE UINT32_MAX

/*
 * Pairs rows with columns so that the sum of what they cost is least, as many
 * pairs as there are rows or columns, whichever are fewer (Kuhn 1955, "The
 * Hungarian method for the assignment problem"; with potentials, after Jonker &
 * Volgenant 1987).  costs: row by row, finite.  matched: for each row its column, or
 * CRM_MATCH_NONE.
 */
extern crm_status crm_assign_least(const crm_env *env, const double *costs, uint32_t rows, uint32_t columns, uint32_t *matched);

/* Bytes that costs of so many rows and columns take, and pairing them. */
extern size_t crm_match_bytes(uint32_t rows, uint32_t columns);

/* Squared distances of each center of the old model (rows) from each of the new one, in the new one's measure. */
extern crm_status crm_center_distances(const crm_env *env, const crm_model *old, const crm_model *new_model, double *distances);

/*
 * The new model with numbers of the old one: matched[i] tells which group of the new
 * model is group i of the old one.  Groups that are none of them get numbers that
 * no group of this line of models ever had.  Groups come in order of their
 * numbers.
 */
extern crm_status crm_renumber_groups(const crm_env *env, const crm_model *old, const crm_model *new_model, const uint32_t *matched, crm_model *result);

#endif							/* CRM_KERNEL_GROUP_MATCH_H */
