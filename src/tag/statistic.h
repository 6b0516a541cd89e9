/*
 * statistic.h - what rules need to know of the whole population, kept between
 * refreshes in the table tag_statistic.
 */
#ifndef CRM_TAG_STATISTIC_H
#define CRM_TAG_STATISTIC_H

#include "tag/rule_bind.h"

/* Replaces what is kept for the tags by what the bound rules, in the order of the tags, have learned. */
extern void crm_statistics_store(List *tags, List *rules, const crm_bound *bound, TimestampTz as_of);
/* Gives the bound rules what is kept for the tags; of several the one learned last.  What is not kept is NULL. */
extern void crm_statistics_read(List *tags, crm_bound *bound);

#endif							/* CRM_TAG_STATISTIC_H */
