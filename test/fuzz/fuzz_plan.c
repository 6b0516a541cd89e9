/*
 * fuzz_plan.c - any bytes as a program of rules: refused, or good to run.
 *
 * What passes the check is run over a batch whose keys lie at the borders of
 * its own ranges, and must give for every row what the nodes say one by one;
 * written again it must be the same bytes.
 */
#include "fuzz.h"

#include "kernel/rule_batch.h"

static bool
holds(const crm_batch *batch, const crm_node *node, int row)
{
	const crm_program *program = batch->program;
	const uint64_t *nulls = batch->nulls + (size_t) node->column * CRM_BATCH_WORDS;
	bool		inside = false;
	bool		result = node->op != CRM_NODE_OR;

	switch ((crm_node_op) node->op)
	{
		case CRM_NODE_NEVER:
			return false;
		case CRM_NODE_ALWAYS:
			return true;
		case CRM_NODE_NULL:
			return nulls[row / 64] >> (row % 64) & 1;
		case CRM_NODE_NOT_NULL:
			return !(nulls[row / 64] >> (row % 64) & 1);
		case CRM_NODE_IN:
		case CRM_NODE_OUT:
			for (uint32_t i = 0; i < node->count; i++)
			{
				const crm_range *range = &program->ranges[node->first + i];
				int64_t		key = batch->keys[(size_t) node->column * CRM_BATCH_STRIDE + row];

				inside = inside || (range->low <= key && key <= range->high);
			}
			return inside == (node->op == CRM_NODE_IN) && !(nulls[row / 64] >> (row % 64) & 1);
		case CRM_NODE_AND:
		case CRM_NODE_OR:
		case CRM_NODE_NOT:
			for (uint32_t i = 0; i < node->count; i++)
			{
				uint32_t	child = program->children[node->first + i];
				bool		part = batch->rows[(size_t) child * CRM_BATCH_WORDS + row / 64] >> (row % 64) & 1;

				result = node->op == CRM_NODE_OR ? result || part : result && part;
			}
			return node->op == CRM_NODE_NOT ? !result : result;
	}
	return false;
}

static void
fill(const crm_batch *batch, size_t seed)
{
	const crm_program *program = batch->program;
	uint64_t	state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;

	for (uint32_t column = 0; column < program->column_count; column++)
		for (int row = 0; row < CRM_BATCH_ROWS; row++)
		{
			int64_t		key;

			state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			key = (int64_t) (state >> (state >> 58));
			if (program->range_count > 0 && (row & 3))
			{
				const crm_range *range = &program->ranges[(state >> 33) % program->range_count];

				key = (int64_t) ((uint64_t) (row & 4 ? range->low : range->high) + (row & 3) - 2);
			}
			batch->keys[(size_t) column * CRM_BATCH_STRIDE + row] = key;
			if ((state >> 20 & 7) == 0)
				batch->nulls[(size_t) column * CRM_BATCH_WORDS + row / 64] |= UINT64_C(1) << (row % 64);
		}
}

static void
run(const crm_program *program, const crm_env *env, size_t seed)
{
	crm_batch	batch;
	int			rows = seed % 3 == 0 ? CRM_BATCH_ROWS : (int) (seed % CRM_BATCH_ROWS);

	REQUIRE(crm_batch_prepare(&batch, program, env) == CRM_OK);
	fill(&batch, seed);
	crm_batch_run(&batch, rows);
	for (uint32_t i = 0; i < program->node_count; i++)
	{
		const uint64_t *result = batch.rows + (size_t) i * CRM_BATCH_WORDS;

		for (int row = 0; row < CRM_BATCH_ROWS; row += row < rows ? 13 : 1)
			REQUIRE((result[row / 64] >> (row % 64) & 1) == (row < rows && holds(&batch, &program->nodes[i], row)));
		free(batch.bitmaps[i]);
	}
	free(batch.keys);
	free(batch.nulls);
	free(batch.rows);
	free(batch.bitmaps);
}

/* Frees also what a refused program had got so far: its lists are in order of the bytes. */
static void
release(crm_program *program)
{
	for (uint32_t i = 0; program->strings && i < program->string_count; i++)
		free((char *) program->strings[i].text);
	free(program->strings);
	free(program->columns);
	free(program->ranges);
	free(program->children);
	free(program->nodes);
	free(program->arms);
	free(program->rules);
}

static void *
zeroed(void *arg, size_t size)
{
	return calloc(1, size == 0 ? 1 : size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	crm_env		env = unit_env();
	/* A block of its own: a sanitizer sees a step beyond it. */
	uint8_t    *bytes = malloc(size ? size : 1);
	uint8_t    *again;
	size_t		again_size;
	crm_program program;

	/* Strings that were not reached are then NULL. */
	env.alloc = zeroed;
	memcpy(bytes, data, size);
	if (crm_program_decode(bytes, size, &env, &program) == CRM_OK)
	{
		REQUIRE(crm_program_encode(&program, &env, &again, &again_size) == CRM_OK);
		REQUIRE(again_size == size && memcmp(again, bytes, size) == 0);
		free(again);
		for (uint32_t i = 0; i < program.column_count; i++)
			REQUIRE(program.columns[i].argument < program.argument_count);
		for (uint32_t i = 0; i < program.rule_count; i++)
			REQUIRE(program.rules[i].name < program.string_count);
		/* Long ones only cost time. */
		if (program.node_count < 2000 && program.column_count < 100)
			run(&program, &env, size);
	}
	release(&program);
	free(bytes);
	return 0;
}
