/*
 * set_numbers.h - what the catalogue keeps beside the sets of a refresh.
 */
#ifndef CRM_SET_NUMBERS_H
#define CRM_SET_NUMBERS_H

#include "tag/scan_state.h"
#include "tag/store_write.h"
#include "utils/hsearch.h"

/* The number of each scope of the state, by its index; new ones are added, in byte order. */
extern int32 *crm_number_scopes(const crm_population *population, crm_scan_state *state);
/* The value number of each code of a text rule; new values are added in byte order. */
extern int32 *crm_number_values(const crm_tag *tag, const crm_scan_state *state, int rule, int *highest);

/* Brings a numeric rule's numbers to one scale, at least that of the stored ones where all fit, and notes it. */
extern void crm_number_slices(const crm_tag *tag, crm_scan_state *state, int rule);

/* Members by tag, value and scope: an empty table, what counts into it (crm_store_change.on_size), and storing it. */
extern HTAB *crm_sizes_new(void);
extern void crm_sizes_count(void *arg, int32 tag_id, int32 value_no, int32 scope_no, uint32 members);
extern void crm_sizes_store(const crm_population *population, const crm_store_change *change, HTAB *sizes);

/* The same of what sets gained or lost: counts into the table, and brings what is stored up to date. */
extern void crm_sizes_count_delta(void *arg, int32 tag_id, int32 value_no, int32 scope_no, int64 delta);
extern void crm_sizes_add(const crm_population *population, HTAB *sizes);

#endif							/* CRM_SET_NUMBERS_H */
