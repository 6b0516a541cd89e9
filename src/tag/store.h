/*
 * store.h - the table tag_set as its readers and its writer see it.
 */
#ifndef CRM_STORE_H
#define CRM_STORE_H

#include "tag/tag.h"

/* Columns of tag_set. */
#define CRM_SET_POPULATION 1
#define CRM_SET_SCOPE 2
#define CRM_SET_CHUNK 3
#define CRM_SET_TAG 4
#define CRM_SET_VALUE 5
#define CRM_SET_MEMBERS 6
#define CRM_SET_COLUMNS 6

/* XX001 for a chunk that does not decode. */
extern CRM_NORETURN void crm_store_damaged(const crm_population *population, int32 tag_id, int64 chunk);

#endif							/* CRM_STORE_H */
