/*
 * reason.c - the tree of reason.h.
 */
#include "kernel/reason.h"

static crm_status
grow(const crm_env *env, void **array, uint32_t *room, uint32_t needed, size_t size)
{
	uint32_t	wanted = *room > 0 ? *room : 16;
	void	   *grown;

	if (needed <= *room)
		return CRM_OK;
	while (wanted < needed)
	{
		if (wanted > UINT32_MAX / 4)
			return CRM_LIMIT;
		wanted *= 2;
	}
	grown = *array == NULL ? env->alloc(env->arg, wanted * size) :
		env->resize(env->arg, *array, *room * size, wanted * size);
	if (grown == NULL)
		return CRM_NO_MEMORY;
	*array = grown;
	*room = wanted;
	return CRM_OK;
}

static crm_status
add_node(crm_reason *reason, const crm_env *env, crm_reason_node added, uint32_t *node)
{
	CRM_TRY(grow(env, (void **) &reason->nodes, &reason->node_room, reason->node_count + 1, sizeof(crm_reason_node)));
	*node = reason->node_count;
	reason->nodes[reason->node_count++] = added;
	return CRM_OK;
}

crm_status
crm_reason_leaf(crm_reason *reason, const crm_env *env, uint32_t *node)
{
	crm_reason_node leaf = {CRM_REASON_LEAF, 0, reason->leaf_count, 0};

	CRM_TRY(add_node(reason, env, leaf, node));
	reason->leaf_count++;
	return CRM_OK;
}

crm_status
crm_reason_join(crm_reason *reason, const crm_env *env, crm_reason_kind kind, int tested,
				const uint32_t *children, uint32_t count, uint32_t *node)
{
	crm_reason_node joined = {kind, tested, reason->child_count, count};

	CRM_TRY(grow(env, (void **) &reason->children, &reason->child_room, reason->child_count + count, sizeof(uint32_t)));
	for (uint32_t i = 0; i < count; i++)
		reason->children[reason->child_count++] = children[i];
	return add_node(reason, env, joined, node);
}

/* AND stops at FALSE, OR at TRUE; open children leave it open, NULL ones NULL, in this order. */
static int
join_outcome(const crm_reason *reason, const crm_reason_node *node, int stop, crm_reason_ask ask, void *arg)
{
	int			result = stop == CRM_REASON_FALSE ? CRM_REASON_TRUE : CRM_REASON_FALSE;

	for (uint32_t i = 0; i < node->count; i++)
	{
		int			child = crm_reason_outcome(reason, reason->children[node->first + i], ask, arg);

		if (child == stop)
			return stop;
		if (child == CRM_REASON_OPEN || (child == CRM_REASON_NULL && result != CRM_REASON_OPEN))
			result = child;
	}
	return result;
}

/* The rest of a CHOICE from the given child on; an open condition leaves it open unless both ways agree. */
static int
choice_outcome(const crm_reason *reason, const crm_reason_node *node, uint32_t from, crm_reason_ask ask, void *arg)
{
	int			seen = -1;

	for (uint32_t i = from; i < node->count; i += 2)
	{
		const uint32_t *child = &reason->children[node->first + i];
		int			condition;
		int			result;

		if (i + 1 == node->count)
		{
			result = crm_reason_outcome(reason, child[0], ask, arg);
			return seen < 0 || seen == result ? result : CRM_REASON_OPEN;
		}
		condition = crm_reason_outcome(reason, child[0], ask, arg);
		if (condition != CRM_REASON_TRUE && condition != CRM_REASON_OPEN)
			continue;
		result = crm_reason_outcome(reason, child[1], ask, arg);
		if (seen >= 0 && seen != result)
			return CRM_REASON_OPEN;
		if (condition == CRM_REASON_TRUE)
			return result;
		seen = result;
	}
	return seen < 0 || seen == CRM_REASON_NULL ? CRM_REASON_NULL : CRM_REASON_OPEN;
}

int
crm_reason_outcome(const crm_reason *reason, uint32_t number, crm_reason_ask ask, void *arg)
{
	const crm_reason_node *node = &reason->nodes[number];
	int			child;

	switch (node->kind)
	{
		case CRM_REASON_LEAF:
			return ask(arg, node->first);
		case CRM_REASON_AND:
			return join_outcome(reason, node, CRM_REASON_FALSE, ask, arg);
		case CRM_REASON_OR:
			return join_outcome(reason, node, CRM_REASON_TRUE, ask, arg);
		case CRM_REASON_NOT:
			child = crm_reason_outcome(reason, reason->children[node->first], ask, arg);
			return child == CRM_REASON_TRUE ? CRM_REASON_FALSE : child == CRM_REASON_FALSE ? CRM_REASON_TRUE : child;
		case CRM_REASON_IS:
		case CRM_REASON_IS_NOT:
			child = crm_reason_outcome(reason, reason->children[node->first], ask, arg);
			if (child == CRM_REASON_OPEN)
				return child;
			return (child == node->tested) == (node->kind == CRM_REASON_IS) ? CRM_REASON_TRUE : CRM_REASON_FALSE;
		case CRM_REASON_FIRST:
			for (uint32_t i = 0; i < node->count; i++)
			{
				child = crm_reason_outcome(reason, reason->children[node->first + i], ask, arg);
				if (child != CRM_REASON_NULL)
					return child;
			}
			return CRM_REASON_NULL;
		case CRM_REASON_CHOICE:
			return choice_outcome(reason, node, 0, ask, arg);
	}
	return CRM_REASON_OPEN;
}

/* Of an AND or OR: all children when it came out by none alone, else those that say what it says. */
static void
mark_join(const crm_reason *reason, const crm_reason_node *node, int outcome, crm_reason_ask ask, void *arg, bool *marks)
{
	bool		all = outcome == (node->kind == CRM_REASON_AND ? CRM_REASON_TRUE : CRM_REASON_FALSE);

	for (uint32_t i = 0; i < node->count; i++)
	{
		uint32_t	child = reason->children[node->first + i];

		if (all || crm_reason_outcome(reason, child, ask, arg) == outcome)
			crm_reason_decisive(reason, child, ask, arg, marks);
	}
}

void
crm_reason_decisive(const crm_reason *reason, uint32_t number, crm_reason_ask ask, void *arg, bool *marks)
{
	const crm_reason_node *node = &reason->nodes[number];
	/* of a leaf, the first is no place among the children, of which there may be none */
	const uint32_t *children = node->kind == CRM_REASON_LEAF ? NULL : reason->children + node->first;

	switch (node->kind)
	{
		case CRM_REASON_LEAF:
			marks[node->first] = true;
			break;
		case CRM_REASON_AND:
		case CRM_REASON_OR:
			mark_join(reason, node, crm_reason_outcome(reason, number, ask, arg), ask, arg, marks);
			break;
		case CRM_REASON_NOT:
		case CRM_REASON_IS:
		case CRM_REASON_IS_NOT:
			crm_reason_decisive(reason, children[0], ask, arg, marks);
			break;
		case CRM_REASON_FIRST:
			for (uint32_t i = 0; i < node->count; i++)
			{
				crm_reason_decisive(reason, children[i], ask, arg, marks);
				if (crm_reason_outcome(reason, children[i], ask, arg) != CRM_REASON_NULL)
					break;
			}
			break;
		case CRM_REASON_CHOICE:
			for (uint32_t i = 0; i < node->count; i += 2)
			{
				crm_reason_decisive(reason, children[i], ask, arg, marks);
				if (i + 1 == node->count)
					break;
				if (crm_reason_outcome(reason, children[i], ask, arg) == CRM_REASON_TRUE)
				{
					crm_reason_decisive(reason, children[i + 1], ask, arg, marks);
					break;
				}
			}
			break;
	}
}
