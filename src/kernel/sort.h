/*
 * sort.h - sorting of pointers by any order.
 */
#ifndef CRM_KERNEL_SORT_H
#define CRM_KERNEL_SORT_H

#include "kernel/kernel.h"

typedef bool (*crm_before) (const void *a, const void *b);

/* Sorts in place, stable, fast for runs that are in order already; can be cancelled. */
extern crm_status crm_sort_pointers(const crm_env *env, const void **items, size_t count, crm_before before);

#endif							/* CRM_KERNEL_SORT_H */
