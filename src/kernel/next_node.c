/*
 * next_node.c - the event that comes next after a chain of neighbouring events.
 */
#include "kernel/next_node.h"

#include "kernel/sort.h"

/* The order of two events at one instant. */
static bool
instant_before(const crm_node *a, const crm_node *b)
{
	uint64_t	differ = a->met ^ b->met;
	int			order;

	if (differ != 0)
		return (a->met & differ & (0 - differ)) != 0;
	if (a->base != b->base)
		return a->base;
	if (a->value == NULL || b->value == NULL)
		return a->value != NULL && b->value == NULL;
	order = memcmp(a->value, b->value, a->length < b->length ? a->length : b->length);
	return order != 0 ? order < 0 : a->length < b->length;
}

static bool
forward_before(const void *left, const void *right)
{
	const crm_node *a = left,
			   *b = right;

	return a->at != b->at ? a->at < b->at : instant_before(a, b);
}

static bool
backward_before(const void *left, const void *right)
{
	const crm_node *a = left,
			   *b = right;

	return a->at != b->at ? a->at > b->at : instant_before(a, b);
}

static bool
may_begin(const crm_node *node, int steps)
{
	return node->base && (steps == 0 || (node->met & 1) != 0);
}

/* Where in the list, which is in the order of the chain, the chain begins; count when nowhere. */
static size_t
find_base(const crm_node *const *list, size_t count, int steps, bool backward, crm_node_base base)
{
	bool		from_start = (base == CRM_BASE_HEAD || base == CRM_BASE_FIRST_MATCH) != backward;
	size_t		i;

	if (count == 0)
		return count;
	if (base == CRM_BASE_HEAD || base == CRM_BASE_TAIL)
	{
		i = from_start ? 0 : count - 1;
		return list[i]->base ? i : count;
	}
	if (from_start)
	{
		for (i = 0; i < count && !may_begin(list[i], steps); i++)
			;
		return i;
	}
	for (i = count; i > 0; i--)
		if (may_begin(list[i - 1], steps))
			return i - 1;
	return count;
}

crm_status
crm_next_node(const crm_env *env, const crm_node *nodes, size_t count, int steps,
			  bool backward, crm_node_base base, const crm_node **next)
{
	const crm_node **list = env->alloc(env->arg, count * sizeof(crm_node *));
	size_t		first;
	int			step = 0;

	*next = NULL;
	if (list == NULL)
		return CRM_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
		list[i] = &nodes[i];
	CRM_TRY(crm_sort_pointers(env, (const void **) list, count, backward ? backward_before : forward_before));
	first = find_base(list, count, steps, backward, base);
	while (step < steps && first + step < count && (list[first + step]->met >> step & 1) != 0)
		step++;
	if (step == steps && first + step < count)
		*next = list[first + step];
	env->release(env->arg, list);
	return CRM_OK;
}
