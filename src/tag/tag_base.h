/*
 * tag_base.h - which tags rest on which others, and on which versions of their
 * rules.
 */
#ifndef CRM_TAG_TAG_BASE_H
#define CRM_TAG_TAG_BASE_H

#include "tag/rule_bind.h"

/* Notes, within a catalogue session, which tags the rule of a new version of a tag names. */
extern void crm_bases_store(const crm_population *population, const char *name, const crm_rule *rule);
/* Notes on which versions the tags rest from now on, whose bound rules have been evaluated for all customers. */
extern void crm_bases_store_refreshed(List *tags, List *rules);
/* 2BP01 when other tags rest on the tag, by their rule or by their stored set. */
extern void crm_bases_require_no_dependents(const crm_tag *tag);
/* 55000 when the tag rests on others or others on it: they run as one. */
extern void crm_bases_require_alone(const crm_tag *tag);

/* The version of a base on which stored sets rest. */
typedef struct crm_base_version
{
	int32		base_tag_id;
	int32		version;
} crm_base_version;

/* Of the stored sets of the tags; List of crm_base_version *. */
extern List *crm_bases_versions(List *tags);
/* The tag with the rule that it had in an earlier version, which is still kept. */
extern crm_tag *crm_tag_in_version(const crm_tag *tag, int32 version);

#endif							/* CRM_TAG_TAG_BASE_H */
