/*
 * segment_define.h - segments with a name (segment_define.c).
 */
#ifndef CRM_TAG_SEGMENT_DEFINE_H
#define CRM_TAG_SEGMENT_DEFINE_H

#include "common/crm.h"
#include "kernel/ids.h"
#include "tag/tag.h"

typedef struct crm_defined_segment
{
	int32		id;
	char	   *name;
	char	   *expression;
	bool		frozen;
	TimestampTz refreshed_at;	/* frozen: when its members were taken */
	Oid			owner;
} crm_defined_segment;

/* NULL when the population has no segment of that name. */
extern crm_defined_segment *crm_defined_segment_find(const crm_population *population, const char *name);
/* 42704 with the nearest names. */
extern crm_defined_segment *crm_defined_segment_get(const crm_population *population, const char *name);
/* Those whose changes are recorded. */
extern List *crm_defined_segments_followed(const crm_population *population);
extern List *crm_defined_segment_names(const crm_population *population);
/* The members of a frozen segment, of all scopes, in the current context. */
extern crm_ids crm_defined_segment_members(const crm_defined_segment *segment);

#endif							/* CRM_TAG_SEGMENT_DEFINE_H */
