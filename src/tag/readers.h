/*
 * readers.h - what the reading half of the tag room shares.
 */
#ifndef CRM_TAG_READERS_H
#define CRM_TAG_READERS_H

#include "common/crm.h"
#include "tag/tag.h"

/* The name of the type in messages, without a schema: that is the installer's choice. */
#define CRM_AUDIENCE_NAME "audience"

/* The builder's set in memory, in the form that the set operations read.  The builder is gone afterwards. */
extern crm_ids crm_ids_take(const crm_env *env, crm_ids_builder *builder);

/* A text argument as a C string; NULL for NULL. */
extern char *crm_text_argument(FunctionCallInfo fcinfo, int argument);
/* The numbers of a text tag's values. */
extern int32 *crm_tag_value_numbers(const crm_tag *tag, int *count);

/*
 * SPI as the caller himself, with nothing but pg_catalog on the search_path: the
 * texts that run are fully qualified.  Returns the level for crm_caller_end.
 */
extern int	crm_caller_begin(void);
extern void crm_caller_end(int guc_level);

#endif							/* CRM_TAG_READERS_H */
