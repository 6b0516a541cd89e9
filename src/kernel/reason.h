/*
 * reason.h - why a condition came out as it did: the logic of a rule as a tree
 * of three-valued conditions.
 *
 * The leaves are answered by a callback, in the order and only as far as SQL's
 * own short-circuit evaluation needs them.  A leaf may answer "open", when what
 * it would say is not known; the tree is open then unless its other leaves
 * decide it alone, so that an answer is never a guess.
 */
#ifndef CRM_KERNEL_REASON_H
#define CRM_KERNEL_REASON_H

#include "kernel/kernel.h"

/* Outcomes of leaves and nodes; numbers from CRM_REASON_VALUE on are values that a rule can give. */
#define CRM_REASON_FALSE 0
#define CRM_REASON_TRUE 1
#define CRM_REASON_NULL 2
#define CRM_REASON_OPEN 3
#define CRM_REASON_VALUE 4

/* Deepest nesting; what lies deeper is to be made one leaf. */
#define CRM_REASON_MAX_DEPTH 200

typedef enum crm_reason_kind
{
	CRM_REASON_LEAF,
	CRM_REASON_AND,
	CRM_REASON_OR,
	CRM_REASON_NOT,
	CRM_REASON_IS,				/* is the child's outcome the tested one: TRUE or FALSE, never NULL */
	CRM_REASON_IS_NOT,
	CRM_REASON_FIRST,			/* the first child that is not NULL (COALESCE) */
	CRM_REASON_CHOICE			/* condition, result, condition, result, ..., otherwise (CASE) */
} crm_reason_kind;

typedef struct crm_reason_node
{
	crm_reason_kind kind;
	int			tested;			/* IS, IS_NOT */
	uint32_t	first;			/* LEAF: its number; others: place of the first child in children */
	uint32_t	count;			/* children */
} crm_reason_node;

typedef struct crm_reason
{
	crm_reason_node *nodes;		/* children come before their parent: the root is the last */
	uint32_t	node_count;
	uint32_t	node_room;
	uint32_t   *children;
	uint32_t	child_count;
	uint32_t	child_room;
	uint32_t	leaf_count;
} crm_reason;

/* The outcome of a leaf. */
typedef int (*crm_reason_ask) (void *arg, uint32_t leaf);

/* Adds a leaf, numbered from 0, or a node over nodes made before. */
extern crm_status crm_reason_leaf(crm_reason *reason, const crm_env *env, uint32_t *node);
extern crm_status crm_reason_join(crm_reason *reason, const crm_env *env, crm_reason_kind kind, int tested,
								  const uint32_t *children, uint32_t count, uint32_t *node);

/* The outcome of a node. */
extern int	crm_reason_outcome(const crm_reason *reason, uint32_t node, crm_reason_ask ask, void *arg);

/*
 * Marks the leaves that decided a node's outcome: where an AND is false the
 * false ones, where it is true all of them, where it is NULL the NULL ones, an
 * OR the other way round; of a CHOICE the conditions up to the one taken, and
 * its result.
 */
extern void crm_reason_decisive(const crm_reason *reason, uint32_t node, crm_reason_ask ask, void *arg, bool *marks);

#endif							/* CRM_KERNEL_REASON_H */
