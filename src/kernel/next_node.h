/*
 * next_node.h - the event that comes next after a chain of neighbouring events.
 */
#ifndef CRM_KERNEL_NEXT_NODE_H
#define CRM_KERNEL_NEXT_NODE_H

#include "kernel/events.h"

typedef struct crm_node
{
	int64_t		at;				/* microseconds */
	uint64_t	met;			/* bit i: the event meets step i + 1 */
	bool		base;			/* the chain may begin here */
	const char *value;			/* NULL: none */
	size_t		length;
} crm_node;

typedef enum crm_node_base
{
	CRM_BASE_HEAD,				/* the first event in time */
	CRM_BASE_TAIL,				/* the last */
	CRM_BASE_FIRST_MATCH,		/* the first that may be a base and meets step 1 */
	CRM_BASE_LAST_MATCH
} crm_node_base;

/*
 * The event behind the chain that begins at the base and meets the steps one
 * by one, forward or backward in time; NULL when there is no such chain or
 * nothing lies behind it.  Without steps it is the base itself.
 *
 * Of two events at one instant, in the direction of the chain, the one that
 * meets the lowest step that the other does not meet comes first; then the one
 * that may be a base; then the lesser value in the order of bytes, none last.
 * Events that are equal in all of this cannot be told apart.
 */
extern crm_status crm_next_node(const crm_env *env, const crm_node *nodes, size_t count, int steps,
								bool backward, crm_node_base base, const crm_node **next);

#endif							/* CRM_KERNEL_NEXT_NODE_H */
