/*
 * test_reason.c - why a condition came out: random trees against an evaluation
 * of their own, open leaves against every way of closing them, and that the
 * decisive leaves decide alone.
 */
#include "unit.h"

#include "kernel/reason.h"

#define LEAVES 6
#define NODES 40

typedef struct answers
{
	int			outcome[NODES];
} answers;

static int
ask(void *arg, uint32_t leaf)
{
	return ((answers *) arg)->outcome[leaf];
}

static uint64_t state = 20261122;

static int
any(int below)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (int) ((state >> 33) % (uint64_t) below);
}

/* A random tree over the first leaves, which are made before. */
static uint32_t
grow(crm_reason *reason, const crm_env *env, int depth)
{
	uint32_t	children[5];
	uint32_t	node;
	int			kind = depth == 0 ? 0 : any(8);
	int			count = kind == CRM_REASON_NOT || kind == CRM_REASON_IS || kind == CRM_REASON_IS_NOT ? 1 : 1 + any(4);

	if (kind == CRM_REASON_LEAF)
		return (uint32_t) any(LEAVES);
	/* Without an otherwise a choice would be NULL by itself, where no leaf is. */
	if (kind == CRM_REASON_CHOICE)
		count |= 1;
	for (int i = 0; i < count; i++)
		children[i] = grow(reason, env, depth - 1);
	CHECK(crm_reason_join(reason, env, (crm_reason_kind) kind, any(3), children, (uint32_t) count, &node) == CRM_OK);
	return node;
}

/* Three-valued logic by numbers: false 0, NULL 1, true 2; AND is the least, OR the greatest. */
static int
plain(const crm_reason *reason, uint32_t number, const answers *a)
{
	static const int to_rank[] = {0, 2, 1};
	static const int of_rank[] = {CRM_REASON_FALSE, CRM_REASON_NULL, CRM_REASON_TRUE};
	const crm_reason_node *node = &reason->nodes[number];
	int			values[8] = {0};
	int			result;

	if (node->kind == CRM_REASON_LEAF)
		return a->outcome[node->first];
	for (uint32_t i = 0; i < node->count; i++)
		values[i] = plain(reason, reason->children[node->first + i], a);
	switch (node->kind)
	{
		case CRM_REASON_AND:
		case CRM_REASON_OR:
			result = to_rank[values[0]];
			for (uint32_t i = 1; i < node->count; i++)
				if (node->kind == CRM_REASON_AND ? to_rank[values[i]] < result : to_rank[values[i]] > result)
					result = to_rank[values[i]];
			return of_rank[result];
		case CRM_REASON_NOT:
			return of_rank[2 - to_rank[values[0]]];
		case CRM_REASON_IS:
			return values[0] == node->tested;
		case CRM_REASON_IS_NOT:
			return values[0] != node->tested;
		case CRM_REASON_FIRST:
			for (uint32_t i = 0; i < node->count; i++)
				if (values[i] != CRM_REASON_NULL)
					return values[i];
			return CRM_REASON_NULL;
		default:
			for (uint32_t i = 0; i + 1 < node->count; i += 2)
				if (values[i] == CRM_REASON_TRUE)
					return values[i + 1];
			return node->count % 2 == 1 ? values[node->count - 1] : CRM_REASON_NULL;
	}
}

/* All ways to answer the leaves; free[i] says that leaf i is not fixed. */
static bool
every_way_gives(const crm_reason *reason, uint32_t root, const answers *fixed, const bool *is_free, int expected, bool *some_way)
{
	answers		a = *fixed;
	int			ways = 1;
	bool		all = true;

	for (int i = 0; i < LEAVES; i++)
		ways *= is_free[i] ? 3 : 1;
	*some_way = false;
	for (int way = 0; way < ways; way++)
	{
		int			rest = way;

		for (int i = 0; i < LEAVES; i++)
			if (is_free[i])
			{
				a.outcome[i] = rest % 3;
				rest /= 3;
			}
		if (plain(reason, root, &a) == expected)
			*some_way = true;
		else
			all = false;
	}
	return all;
}

static void
test_random_trees(void)
{
	crm_env		env = unit_env();
	int			decided = 0,
				closed = 0;

	for (int round = 0; round < 3000; round++)
	{
		crm_reason	reason = {0};
		answers		a = {{0}};
		bool		marks[LEAVES] = {false};
		bool		is_free[LEAVES];
		bool		some_way;
		uint32_t	root;
		int			outcome;

		for (int i = 0; i < LEAVES; i++)
		{
			uint32_t	node;

			CHECK(crm_reason_leaf(&reason, &env, &node) == CRM_OK && node == (uint32_t) i);
			a.outcome[i] = any(3);
		}
		root = grow(&reason, &env, 4);
		outcome = crm_reason_outcome(&reason, root, ask, &a);
		CHECK(outcome == plain(&reason, root, &a));

		/* Whatever the leaves that did not decide say, it comes out the same. */
		crm_reason_decisive(&reason, root, ask, &a, marks);
		for (int i = 0; i < LEAVES; i++)
			is_free[i] = !marks[i];
		/* NULL in an AND is kept up by those that are not false: only where no NULL joins are decisive leaves enough. */
		if (outcome != CRM_REASON_NULL)
		{
			bool		with_null = false;

			for (int i = 0; i < LEAVES; i++)
				with_null |= a.outcome[i] == CRM_REASON_NULL;
			if (!with_null)
			{
				CHECK(every_way_gives(&reason, root, &a, is_free, outcome, &some_way));
				decided++;
			}
		}

		/* Open leaves: what is said holds for every way of closing them. */
		for (int i = 0; i < LEAVES; i++)
		{
			is_free[i] = any(3) == 0;
			if (is_free[i])
				a.outcome[i] = CRM_REASON_OPEN;
		}
		outcome = crm_reason_outcome(&reason, root, ask, &a);
		if (outcome != CRM_REASON_OPEN)
		{
			CHECK(every_way_gives(&reason, root, &a, is_free, outcome, &some_way));
			closed++;
		}
		unit_release(NULL, reason.nodes);
		unit_release(NULL, reason.children);
	}
	CHECK(decided > 200 && closed > 1000);
}

/* Of a choice between values, the one taken; an open condition between equal values does not matter. */
static void
test_values(void)
{
	crm_env		env = unit_env();
	crm_reason	reason = {0};
	answers		a = {{CRM_REASON_FALSE, CRM_REASON_VALUE, CRM_REASON_TRUE, CRM_REASON_VALUE + 1, CRM_REASON_VALUE}};
	bool		marks[5] = {false};
	uint32_t	leaves[5];
	uint32_t	root;

	for (int i = 0; i < 5; i++)
		CHECK(crm_reason_leaf(&reason, &env, &leaves[i]) == CRM_OK);
	CHECK(crm_reason_join(&reason, &env, CRM_REASON_CHOICE, 0, leaves, 5, &root) == CRM_OK);
	CHECK(crm_reason_outcome(&reason, root, ask, &a) == CRM_REASON_VALUE + 1);
	crm_reason_decisive(&reason, root, ask, &a, marks);
	CHECK(marks[0] && !marks[1] && marks[2] && marks[3] && !marks[4]);
	a.outcome[0] = CRM_REASON_OPEN;
	CHECK(crm_reason_outcome(&reason, root, ask, &a) == CRM_REASON_OPEN);
	a.outcome[2] = CRM_REASON_FALSE;
	CHECK(crm_reason_outcome(&reason, root, ask, &a) == CRM_REASON_VALUE);
	a.outcome[2] = CRM_REASON_OPEN;
	CHECK(crm_reason_outcome(&reason, root, ask, &a) == CRM_REASON_OPEN);
	a.outcome[3] = CRM_REASON_VALUE;
	CHECK(crm_reason_outcome(&reason, root, ask, &a) == CRM_REASON_VALUE);
	unit_release(NULL, reason.nodes);
	unit_release(NULL, reason.children);
}

int
main(void)
{
	test_random_trees();
	test_values();
	return unit_done();
}
