/*
 * timeline_names.h - names of events that the format of timelines knows.
 */
#ifndef CRM_KERNEL_TIMELINE_NAMES_H
#define CRM_KERNEL_TIMELINE_NAMES_H

#include "kernel/timeline.h"

#define CRM_TIMELINE_KNOWN_NAMES 128

extern const crm_text crm_timeline_known_names[CRM_TIMELINE_KNOWN_NAMES];

/* By bytes, a beginning before what goes on: the order of all texts in a timeline. */
static inline int
crm_text_compare(crm_text a, crm_text b)
{
	size_t		shorter = a.size < b.size ? a.size : b.size;
	int			order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);

	if (order != 0)
		return order;
	return (a.size > b.size) - (a.size < b.size);
}

/* The number of a name in the table, -1 when it is not there. */
extern int	crm_timeline_known_name(crm_text name);

#endif							/* CRM_KERNEL_TIMELINE_NAMES_H */
