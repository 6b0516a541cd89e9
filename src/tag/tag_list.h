/*
 * tag_list.h - imported lists as rules read them.
 */
#ifndef CRM_TAG_LIST_H
#define CRM_TAG_LIST_H

#include "tag/tag.h"

/*
 * The list of that name: who is on it for ever (crm.audience), and until when
 * the others are (crm.bsi, microseconds since 1970); 0 for none.  42704 for an
 * unknown list, 42501 for one of another owner.
 */
extern void crm_tag_list_read(const crm_population *population, const char *name, Oid owner, Datum *forever, Datum *until);

/* When the list was last changed, and by whom. */
extern char *crm_tag_list_origin(const crm_population *population, const char *name);

#endif							/* CRM_TAG_LIST_H */
