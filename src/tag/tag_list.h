/*
 * tag_list.h - imported lists as rules read them.
 */
#ifndef CRM_TAG_LIST_H
#define CRM_TAG_LIST_H

#include "tag/tag.h"

/*
 * The list of that name: who is on it for ever (crm.audience), and until when
 * the others are (crm.bsi, microseconds since 1970); 0 for none; how many they all
 * are.  42704 for an unknown list, 42501 for one of another owner.
 */
extern void crm_tag_list_read(const crm_population *population, const char *name, Oid owner, Datum *forever, Datum *until, int64 *count);

/* The same as two arrays, bigint[]: the members, ascending, and until when each is on it, the greatest number for ever. */
extern void crm_tag_list_members(const crm_population *population, const char *name, Oid owner, Datum *members, Datum *until);

/* When the list was last changed, and by whom. */
extern char *crm_tag_list_origin(const crm_population *population, const char *name);

#endif							/* CRM_TAG_LIST_H */
