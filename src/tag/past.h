/*
 * past.h - refreshing as of an earlier instant.
 */
#ifndef CRM_TAG_PAST_H
#define CRM_TAG_PAST_H

#include "nodes/bitmapset.h"
#include "tag/tag.h"

/* What the argument columns asks for: those of today?  NULL: no; 22023 for anything else than 'today'. */
extern bool crm_past_columns_today(const char *columns);
/* 55000 when as_of is before now() and rules among the tags' read columns, whose past is not known. */
extern void crm_past_check(const crm_population *population, List *tags, TimestampTz as_of);

/* Names of columns as pull_varattnos numbers them, the first ones of many. */
extern char *crm_past_name_columns(const crm_population *population, const Bitmapset *columns);

#endif							/* CRM_TAG_PAST_H */
