/*
 * customer.h - one customer and the tags he has.
 */
#ifndef CRM_TAG_CUSTOMER_H
#define CRM_TAG_CUSTOMER_H

#include "common/crm.h"
#include "tag/history.h"
#include "tag/tag.h"

/* The number of a numeric tag, which follows the set of those who have one bit by bit. */
typedef struct crm_held_number
{
	uint64		bits[2];
	bool		negative;
} crm_held_number;

/* A set that holds the customer; of a numeric tag the set of those who have a number. */
typedef struct crm_held_tag
{
	int32		tag_id;
	int32		value_no;
	int32		scope_no;
	bool		stored;			/* false: evaluated now, and not so in the stored sets */
	bool		is_number;
	int			scale;
	crm_held_number number;
} crm_held_tag;

typedef struct crm_customer_tag
{
	crm_held_tag held;
	bool		since_known;	/* set by crm_customer_since */
	TimestampTz since;
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
	/* in the language asked for (crm_customer_read_titles); NULL: none */
	char	   *title;
	char	   *title_description;
	char	   *value_title;
} crm_customer_tag;

typedef struct crm_customer
{
	int64		id;
	bool		stored;			/* was there at the last refresh */
	int			count;
	crm_customer_tag *tags;
} crm_customer;

/* past: as of an earlier instant; NULL: now. */
extern crm_customer *crm_customer_read(const crm_population *population, const crm_past *past, Datum key, Oid key_type,
									   const crm_scopes *sizes_of);

/* Customers in the scopes given as of then. */
extern int64 crm_customers_then(const crm_past *past, const crm_scopes *scopes);

/*
 * Since when he has each of the tags without a break, in whatever scope, and of
 * a numeric one this number, as far as the history tells (customer_since.c).
 */
extern void crm_customer_since(const crm_population *population, const crm_past *past, crm_customer *customer);

/* He is now in a slice of the number's that he was not in, or the other way round. */
extern void crm_held_number_toggle(crm_held_number *number, int32 value_no);
extern char *crm_held_number_text(const crm_held_number *number, int scale);

/* Fills in what his tags and their values are called in a language. */
extern void crm_customer_read_titles(const crm_population *population, crm_customer *customer, const char *language);

#endif							/* CRM_TAG_CUSTOMER_H */
