/*
 * test_next_node.c - the next node against a list that is put together event by
 * event, in time's order, and walked through by hand.
 */
#include "unit.h"

#include "kernel/next_node.h"

#define MAX_NODES 9

static uint64_t seed = 88172645463325252u;

static uint64_t
random_bits(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * UINT64_C(0x2545F4914F6CDD1D);
}

/* Is a nearer to the chain's beginning than b, both at one instant?  A rank for each property in turn. */
static int
rank_difference(const crm_node *a, const crm_node *b)
{
	for (int step = 0; step < 64; step++)
		if ((a->met >> step & 1) != (b->met >> step & 1))
			return a->met >> step & 1 ? -1 : 1;
	if (a->base != b->base)
		return a->base ? -1 : 1;
	if (a->value == NULL || b->value == NULL)
		return (a->value == NULL) - (b->value == NULL);
	return strcmp(a->value, b->value);
}

/* The answer's value, "-" for none. */
static const char *
expected_next(const crm_node *nodes, int count, int steps, bool backward, crm_node_base base)
{
	const crm_node *row[MAX_NODES];
	int			length = 0;
	int			place = -1;

	/* In the order of time: backward, the nearest to the chain's beginning is the latest. */
	for (int i = 0; i < count; i++)
	{
		int			at = length++;

		while (at > 0 && (row[at - 1]->at > nodes[i].at || (row[at - 1]->at == nodes[i].at &&
															(backward ? rank_difference(&nodes[i], row[at - 1]) > 0 :
															 rank_difference(&nodes[i], row[at - 1]) < 0))))
		{
			row[at] = row[at - 1];
			at--;
		}
		row[at] = &nodes[i];
	}
	for (int i = 0; i < length; i++)
	{
		bool		good = row[i]->base;

		if (base == CRM_BASE_HEAD)
			good = good && i == 0;
		else if (base == CRM_BASE_TAIL)
			good = good && i == length - 1;
		else
			good = good && (steps == 0 || (row[i]->met & 1));
		if (good && (base != CRM_BASE_FIRST_MATCH || place < 0))
			place = i;
	}
	if (place < 0)
		return "-";
	for (int step = 0; step < steps; step++)
	{
		if (place < 0 || place >= length || !(row[place]->met >> step & 1))
			return "-";
		place += backward ? -1 : 1;
	}
	if (place < 0 || place >= length || row[place]->value == NULL)
		return "-";
	return row[place]->value;
}

static void
check_nodes(const crm_node *nodes, int count, int steps)
{
	crm_env		env = unit_env();

	for (int backward = 0; backward <= 1; backward++)
		for (int base = CRM_BASE_HEAD; base <= CRM_BASE_LAST_MATCH; base++)
		{
			const crm_node *next;
			const char *expected = expected_next(nodes, count, steps, backward, base);
			const char *answer;

			CHECK_EQUAL(crm_next_node(&env, nodes, count, steps, backward, base, &next), CRM_OK);
			answer = next == NULL || next->value == NULL ? "-" : next->value;
			if (!CHECK(strcmp(answer, expected) == 0))
				fprintf(stderr, "%d nodes, %d steps, backward %d, base %d: %s, expected %s\n", count, steps, backward, base,
						answer, expected);
		}
}

/* All rows of so many nodes: times 0 and 1 in any order, two steps, base or not, two values and none. */
static void
check_all(int count)
{
	static const char *const values[] = {"a", "b", NULL};
	crm_node	nodes[MAX_NODES];
	long		total = 1;

	for (int i = 0; i < count; i++)
		total *= 2 * 4 * 2 * 3;
	for (long n = 0; n < total; n++)
	{
		long		rest = n;

		for (int i = 0; i < count; i++)
		{
			nodes[i].at = rest % 2;
			nodes[i].met = rest / 2 % 4;
			nodes[i].base = rest / 8 % 2;
			nodes[i].value = values[rest / 16 % 3];
			nodes[i].length = nodes[i].value == NULL ? 0 : 1;
			rest /= 48;
		}
		for (int steps = 0; steps <= 2; steps++)
			check_nodes(nodes, count, steps);
	}
}

static void
check_random(void)
{
	static const char *const values[] = {"", "a", "ab", "b", "\xE9\xA1\xBE", NULL};
	crm_node	nodes[MAX_NODES];

	for (int round = 0; round < 20000; round++)
	{
		int			count = random_bits() % (MAX_NODES + 1);
		int			range = 1 + random_bits() % 8;

		for (int i = 0; i < count; i++)
		{
			nodes[i].at = (int64_t) (random_bits() % range) - 3;
			nodes[i].met = random_bits() | random_bits();
			nodes[i].base = random_bits() % 4 > 0;
			nodes[i].value = values[random_bits() % 6];
			nodes[i].length = nodes[i].value == NULL ? 0 : strlen(nodes[i].value);
		}
		check_nodes(nodes, count, random_bits() % 5);
	}
}

int
main(void)
{
	for (int count = 0; count <= 3; count++)
		check_all(count);
	check_random();
	return unit_done();
}
