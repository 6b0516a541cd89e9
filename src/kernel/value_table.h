/*
 * value_table.h - a dictionary of strings: open hashing, codes in the order of
 * arrival.
 */
#ifndef CRM_KERNEL_VALUE_TABLE_H
#define CRM_KERNEL_VALUE_TABLE_H

#include "kernel/kernel.h"

typedef struct crm_value_entry
{
	uint64_t	hash;
	const char *text;			/* ends with a NUL that is not counted */
	uint32_t	length;
} crm_value_entry;

typedef struct crm_value_table
{
	crm_value_entry *entries;	/* of code 1, 2 ... */
	uint32_t	count;
	uint32_t	capacity;
	uint32_t   *slots;			/* codes, 0 for an empty slot */
	uint32_t	mask;			/* slots - 1, a power of two less one; 0 before the first value */
	uint32_t	longest;		/* of the values' lengths */
} crm_value_table;

/* Code of a string, 0 when it is not in the table. */
extern uint32_t crm_value_find(const crm_value_table *table, const char *text, size_t length);
/* Code of a string, added when it is new; CRM_LIMIT when that would be more than `cap` values. */
extern crm_status crm_value_add(crm_value_table *table, const crm_env *env,
								const char *text, size_t length, uint32_t cap, uint32_t *code);
/* Forgets all values and gives their memory back. */
extern void crm_value_clear(crm_value_table *table, const crm_env *env);

#endif							/* CRM_KERNEL_VALUE_TABLE_H */
