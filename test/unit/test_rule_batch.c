/*
 * test_rule_batch.c - random programs over random batches, against an
 * evaluation of one row at a time that knows three values.
 */
#include "unit.h"

#include "kernel/rule_batch.h"

#define COLUMNS 4
#define EXPRESSIONS 40

static uint64_t seed = 20240701;

static uint32_t
draw(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t) (seed >> 33) % below;
}

/* Few different keys, the extremes among them. */
static int64_t
draw_key(void)
{
	switch (draw(12))
	{
		case 0:
			return INT64_MIN;
		case 1:
			return INT64_MAX;
		case 2:
			return INT64_MIN + 1 + draw(2);
		case 3:
			return INT64_MAX - 1 - draw(2);
		case 4:
			return (int64_t) draw(5000) * 1000000007;
		case 5:
			return (int64_t) draw(60000) - 30000;
	}
	return (int64_t) draw(40) - 10;
}

/* ---- SQL's three values, one row at a time --------------------------------------- */

typedef enum truth
{
	NO, UNKNOWN, YES
} truth;

typedef struct expression
{
	enum
	{
		RANGES, IS_NULL, AND, OR, NOT, CONSTANT, IS_TRUE
	}			kind;
	uint32_t	column;
	uint32_t	count;
	crm_range	ranges[70];
	uint32_t	parts[3];
	truth		value;
} expression;

static expression expressions[EXPRESSIONS];
static int64_t keys[COLUMNS][CRM_BATCH_ROWS];
static bool nulls[COLUMNS][CRM_BATCH_ROWS];

static truth
evaluate(uint32_t number, int row)
{
	const expression *e = &expressions[number];
	truth		result = e->kind == AND ? YES : NO;

	switch (e->kind)
	{
		case RANGES:
			if (nulls[e->column][row])
				return UNKNOWN;
			for (uint32_t i = 0; i < e->count; i++)
				if (e->ranges[i].low <= keys[e->column][row] && keys[e->column][row] <= e->ranges[i].high)
					return YES;
			return NO;
		case IS_NULL:
			return nulls[e->column][row] ? YES : NO;
		case CONSTANT:
			return e->value;
		case NOT:
			return YES - evaluate(e->parts[0], row);
		case IS_TRUE:
			return evaluate(e->parts[0], row) == YES ? YES : NO;
		case AND:
		case OR:
			for (uint32_t i = 0; i < e->count; i++)
			{
				truth		part = evaluate(e->parts[i], row);

				result = (e->kind == AND) == (part < result) ? part : result;
			}
			return result;
	}
	return UNKNOWN;
}

/* ---- the same as nodes, as the compiler of rules makes them ------------------------- */

static uint32_t
node_of(crm_program *program, const crm_env *env, uint32_t number, bool wanted)
{
	const expression *e = &expressions[number];
	uint32_t	parts[3];
	uint32_t	node = 0;

	switch (e->kind)
	{
		case RANGES:
			CHECK(crm_program_ranges(program, env, e->column, wanted, e->ranges, e->count, &node) == CRM_OK);
			return node;
		case IS_NULL:
			CHECK(crm_program_null(program, env, e->column, wanted, &node) == CRM_OK);
			return node;
		case CONSTANT:
			CHECK(crm_program_constant(program, env, e->value == (wanted ? YES : NO), &node) == CRM_OK);
			return node;
		case NOT:
			return node_of(program, env, e->parts[0], !wanted);
		case IS_TRUE:
			node = node_of(program, env, e->parts[0], true);
			if (!wanted)
				CHECK(crm_program_not(program, env, node, &node) == CRM_OK);
			return node;
		case AND:
		case OR:
			for (uint32_t i = 0; i < e->count; i++)
				parts[i] = node_of(program, env, e->parts[i], wanted);
			CHECK(crm_program_join(program, env, (e->kind == AND) == wanted, parts, e->count, &node) == CRM_OK);
			return node;
	}
	return node;
}

static void
draw_expression(uint32_t number)
{
	expression *e = &expressions[number];

	memset(e, 0, sizeof(*e));
	e->kind = number < 8 ? draw(2) : draw(7);
	e->column = draw(COLUMNS);
	if (e->kind == RANGES)
	{
		/* Ascending, apart by one key at least; mostly few. */
		uint32_t	wanted = draw(8) == 0 ? 1 + draw(70) : draw(4);
		int64_t		low = draw(4) == 0 ? INT64_MIN : draw_key();

		while (e->count < wanted)
		{
			int64_t		room = INT64_MAX - (low < 0 ? 0 : low);
			int64_t		span = draw(6) == 0 ? (int64_t) draw(100000) * 100000007 : draw(3);
			int64_t		high = span > room ? INT64_MAX : low + span;

			e->ranges[e->count++] = (crm_range) {low, high};
			if (high > INT64_MAX - 2000000)
				break;
			low = high + 2 + (draw(20) == 0 ? draw(1000000) : draw(5));
		}
	}
	else if (e->kind == CONSTANT)
		e->value = draw(3);
	else if (e->kind != IS_NULL)
	{
		e->count = e->kind == AND || e->kind == OR ? 2 + draw(2) : 1;
		for (uint32_t i = 0; i < e->count; i++)
			e->parts[i] = draw(number);
	}
}

static void
fill(crm_batch *batch, int rows)
{
	for (uint32_t column = 0; column < COLUMNS; column++)
	{
		memset(batch->nulls + column * CRM_BATCH_WORDS, 0, sizeof(uint64_t) * CRM_BATCH_WORDS);
		for (int row = 0; row < rows; row++)
		{
			const expression *near = &expressions[draw(EXPRESSIONS)];

			nulls[column][row] = draw(7) == 0;
			keys[column][row] = draw_key();
			/* At the border of a range, or beside it. */
			if (near->kind == RANGES && near->count > 0 && draw(2))
			{
				const crm_range *range = &near->ranges[draw(near->count)];
				uint64_t	border = draw(2) ? range->low : range->high;

				keys[column][row] = (int64_t) (border + draw(3) - 1);
			}
			batch->keys[column * CRM_BATCH_STRIDE + row] = keys[column][row];
			if (nulls[column][row])
				batch->nulls[column * CRM_BATCH_WORDS + row / 64] |= UINT64_C(1) << (row % 64);
		}
	}
}

static void
free_program(crm_program *program)
{
	for (uint32_t i = 0; i < program->string_count; i++)
		free((char *) program->strings[i].text);
	free(program->columns);
	free(program->nodes);
	free(program->ranges);
	free(program->children);
	free(program->arms);
	free(program->strings);
	free(program->rules);
	free(program->node_slots);
}

static void
free_batch(crm_batch *batch)
{
	for (uint32_t i = 0; i < batch->program->node_count; i++)
		free(batch->bitmaps[i]);
	free(batch->keys);
	free(batch->nulls);
	free(batch->rows);
	free(batch->bitmaps);
}

static void
test_random(const crm_env *env)
{
	crm_program program = {0};
	crm_program decoded;
	crm_batch	batch;
	uint8_t    *bytes;
	uint8_t    *exact;
	size_t		size;
	uint32_t	nodes;
	int			rows = draw(3) == 0 ? (int) draw(CRM_BATCH_ROWS + 1) : CRM_BATCH_ROWS;

	for (uint32_t i = 0; i < COLUMNS; i++)
	{
		crm_column	column = {0};
		uint32_t	argument,
					number;

		CHECK(crm_program_add_argument(&program, CRM_ARGUMENT_INT8, &argument) == CRM_OK);
		column.argument = argument;
		CHECK(crm_program_add_column(&program, env, &column, &number) == CRM_OK);
		CHECK_EQUAL(number, i);
	}
	for (uint32_t i = 0; i < EXPRESSIONS; i++)
		draw_expression(i);
	for (uint32_t i = 0; i < EXPRESSIONS * 2; i++)
	{
		crm_program_rule rule = {CRM_RULE_NODE, 0, 0, 0, 0, CRM_PROGRAM_NONE};

		rule.target = node_of(&program, env, i / 2, i % 2 == 0);
		CHECK(crm_program_add_string(&program, env, "tag", 3, &rule.name) == CRM_OK);
		CHECK(crm_program_add_rule(&program, env, &rule) == CRM_OK);
	}
	/* Built once more, everything is there already. */
	nodes = program.node_count;
	for (uint32_t i = 0; i < EXPRESSIONS * 2; i++)
		CHECK_EQUAL(node_of(&program, env, i / 2, i % 2 == 0), program.rules[i].target);
	CHECK_EQUAL(program.node_count, nodes);

	CHECK(crm_program_encode(&program, env, &bytes, &size) == CRM_OK);
	exact = malloc(size);
	memcpy(exact, bytes, size);
	CHECK(crm_program_decode(exact, size, env, &decoded) == CRM_OK);
	memset(exact, 0xee, size);
	free(exact);
	CHECK_EQUAL(decoded.node_count, program.node_count);
	CHECK_EQUAL(decoded.rule_count, program.rule_count);
	CHECK(crm_batch_prepare(&batch, &decoded, env) == CRM_OK);

	/* Again and again, as batches are filled, and by every variant that runs here. */
	for (int round = 0; round < 3; round++)
	{
		if (round > 0 && batch.width > 0)
			batch.width--;
		fill(&batch, rows);
		crm_batch_run(&batch, rows);
		for (uint32_t i = 0; i < EXPRESSIONS * 2; i++)
		{
			const uint64_t *result = batch.rows + (size_t) decoded.rules[i].target * CRM_BATCH_WORDS;
			long		wrong = 0;

			for (int row = 0; row < CRM_BATCH_ROWS; row++)
			{
				bool		got = result[row / 64] >> (row % 64) & 1;
				bool		expected = row < rows && evaluate(i / 2, row) == (i % 2 == 0 ? YES : NO);

				wrong += got != expected;
			}
			CHECK_EQUAL(wrong, 0);
		}
		rows = CRM_BATCH_ROWS;
	}
	free_batch(&batch);
	free_program(&decoded);
	free_program(&program);
	free(bytes);
}

/* Taking off what was added leaves what was there, equal nodes still found. */
static void
test_rewind(const crm_env *env)
{
	crm_program program = {0};
	crm_program copy;
	crm_range	first = {1, 5};
	crm_range	second = {7, 9};
	uint32_t	nodes[2],
				both,
				again;

	CHECK(crm_program_ranges(&program, env, 0, true, &first, 1, &nodes[0]) == CRM_OK);
	copy = program;
	CHECK(crm_program_ranges(&program, env, 0, true, &second, 1, &nodes[1]) == CRM_OK);
	CHECK(crm_program_join(&program, env, true, nodes, 2, &both) == CRM_OK);
	crm_program_rewind(&program, &copy);
	CHECK_EQUAL(program.node_count, 1);
	CHECK_EQUAL(program.range_count, 1);
	CHECK_EQUAL(program.child_count, 0);
	CHECK(crm_program_ranges(&program, env, 0, true, &first, 1, &again) == CRM_OK);
	CHECK_EQUAL(again, nodes[0]);
	CHECK(crm_program_ranges(&program, env, 0, true, &second, 1, &again) == CRM_OK);
	CHECK_EQUAL(program.node_count, 2);
	free_program(&program);
}

static void
test_float_keys(void)
{
	static const double ascending[] = {
		-__builtin_inf(), -1.7e308, -1.5, -1, -5e-324, 0, 5e-324, 0.1, 1, 1.5, 1.7e308, __builtin_inf()
	};
	const int	count = sizeof(ascending) / sizeof(ascending[0]);

	for (int i = 0; i + 1 < count; i++)
		CHECK(crm_float_key(ascending[i]) < crm_float_key(ascending[i + 1]));
	CHECK_EQUAL(crm_float_key(-0.0), crm_float_key(0.0));
	CHECK(crm_float_key(__builtin_nan("")) > crm_float_key(__builtin_inf()));
	CHECK_EQUAL(crm_float_key(-__builtin_nan("1")), crm_float_key(__builtin_nan("")));
}

static void
test_values(const crm_env *env)
{
	crm_value_table table = {0};
	char		text[40];
	uint32_t	code;

	CHECK_EQUAL(crm_value_find(&table, "", 0), 0);
	for (uint32_t i = 0; i < 5000; i++)
	{
		/* Of every length up to 30, with equal beginnings and ends. */
		int			length = snprintf(text, sizeof(text), "%.*s%u", (int) (i % 27), "abcabcabcabcabcabcabcabcabc", i / 27);

		CHECK(crm_value_add(&table, env, text, length, UINT32_MAX, &code) == CRM_OK);
		CHECK_EQUAL(code, i + 1);
	}
	for (uint32_t i = 0; i < 5000; i++)
	{
		int			length = snprintf(text, sizeof(text), "%.*s%u", (int) (i % 27), "abcabcabcabcabcabcabcabcabc", i / 27);

		CHECK_EQUAL(crm_value_find(&table, text, length), i + 1);
		CHECK(strcmp(table.entries[i].text, text) == 0);
		text[length - 1] = 'x';
		CHECK_EQUAL(crm_value_find(&table, text, length), 0);
	}
	CHECK(crm_value_add(&table, env, "new", 3, 5000, &code) == CRM_LIMIT);
	CHECK(crm_value_add(&table, env, "0", 1, 5000, &code) == CRM_OK);
	CHECK_EQUAL(code, 1);
	CHECK(crm_value_add(&table, env, "", 0, 5001, &code) == CRM_OK);
	CHECK_EQUAL(crm_value_find(&table, "", 0), 5001);
	for (uint32_t i = 0; i < table.count; i++)
		free((char *) table.entries[i].text);
	free(table.entries);
	free(table.slots);
}

int
main(void)
{
	crm_env		env = unit_env();

	test_float_keys();
	test_values(&env);
	test_rewind(&env);
	for (int i = 0; i < 150; i++)
		test_random(&env);
	return unit_done();
}
