/*
 * due_sets.h - sets of ids by the hour in which each is due.
 *
 * Filled in any order, merged with others, and then read hour by hour.  An hour
 * is any number; who counts hours from when is the caller's business.
 */
#ifndef CRM_KERNEL_DUE_SETS_H
#define CRM_KERNEL_DUE_SETS_H

#include "kernel/ids.h"

typedef struct crm_due_sets crm_due_sets;

/* More hours than a century has. */
#define CRM_DUE_MAX_HOURS 1000000

extern crm_status crm_due_sets_new(const crm_env *env, crm_due_sets **sets);
/* CRM_LIMIT beyond CRM_DUE_MAX_HOURS different hours. */
extern crm_status crm_due_sets_add(crm_due_sets *sets, int64_t hour, uint64_t id);
/* Adds a validated set. */
extern crm_status crm_due_sets_add_set(crm_due_sets *sets, int64_t hour, crm_ids ids);
extern void crm_due_sets_free(crm_due_sets *sets);
extern size_t crm_due_sets_memory(const crm_due_sets *sets);

/* Different hours so far. */
extern uint32_t crm_due_sets_hours(const crm_due_sets *sets);
/* Puts the hours in ascending order; places are good until the next addition. */
extern void crm_due_sets_sort(crm_due_sets *sets);
extern int64_t crm_due_sets_hour(const crm_due_sets *sets, uint32_t place);
extern crm_status crm_due_sets_build(const crm_due_sets *sets, uint32_t place, crm_ids_builder *out);

/* The bytes in which they go to another process: hour, size, set, hours ascending; nothing but. */
extern crm_status crm_due_sets_write(crm_due_sets *sets, uint8_t **bytes, size_t *size);
/* Adds what such bytes hold; CRM_CORRUPT, with some of it added, for any others. */
extern crm_status crm_due_sets_read(crm_due_sets *sets, const uint8_t *bytes, size_t size);

#endif							/* CRM_KERNEL_DUE_SETS_H */
