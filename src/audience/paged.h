/*
 * paged.h - reading a stored audience piece by piece; for this room alone.
 */
#ifndef CRM_AUDIENCE_PAGED_H
#define CRM_AUDIENCE_PAGED_H

#include "audience/audience.h"

#include "utils/relcache.h"

typedef struct crm_audience_pages
{
	crm_ids_pages pages;
	struct varatt_external pointer;
	Relation	toast;
	crm_audience *head;			/* stamp and cardinality, then the set's first bytes */
	struct varlena *window;
	Size		window_from;	/* bytes of the set that lie in the window */
	Size		window_to;
} crm_audience_pages;

/* False, and nothing to close, for values that are better fetched whole. */
extern bool crm_audience_open_pages(Datum value, crm_audience_pages *pages);
extern void crm_audience_close_pages(crm_audience_pages *pages);

#endif							/* CRM_AUDIENCE_PAGED_H */
