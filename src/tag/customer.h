/*
 * customer.h - one customer and the tags he has.
 */
#ifndef CRM_TAG_CUSTOMER_H
#define CRM_TAG_CUSTOMER_H

#include "common/crm.h"
#include "tag/tag.h"

typedef struct crm_customer_tag
{
	char	   *name;
	char	   *value;			/* NULL for a boolean tag */
	char	   *kind;
	char	   *description;	/* NULL: none */
	TimestampTz refreshed_at;
	TimestampTz as_of;			/* the moment that the refresh looked from */
	bool		expires;		/* until is known */
	TimestampTz until;
	bool		outdated;		/* the rule has changed since the refresh */
	int64		members;		/* customers who have it; -1: not asked for, or not known */
} crm_customer_tag;

typedef struct crm_customer
{
	int64		id;
	bool		stored;			/* was there at the last refresh */
	int			count;
	crm_customer_tag *tags;
} crm_customer;

extern crm_customer *crm_customer_read(const crm_population *population, Datum key, Oid key_type,
									   const crm_scopes *sizes_of);

#endif							/* CRM_TAG_CUSTOMER_H */
