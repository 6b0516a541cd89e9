/*
 * sort.h - sorting: of pointers by any order, of numbers by their digits.
 */
#ifndef CRM_KERNEL_SORT_H
#define CRM_KERNEL_SORT_H

#include "kernel/kernel.h"

typedef bool (*crm_before) (const void *a, const void *b);

/* Sorts in place, stable, fast for runs that are in order already; can be cancelled. */
extern crm_status crm_sort_pointers(const crm_env *env, const void **items, size_t count, crm_before before);

/* Sorts keys, with their companions where there are any (NULL: none); stable, linear; at most 2^32 - 1 of them. */
extern crm_status crm_sort_keys(const crm_env *env, uint64_t *keys, uint32_t *companions, size_t count);

#endif							/* CRM_KERNEL_SORT_H */
