/*
 * test_segment_expr.c - the segment language: what is parsed as what, every
 * fault with its place, the caps, and random expressions against an evaluator
 * of their trees that shares nothing with the parser.
 */
#include "unit.h"

#include "kernel/segment_expr.h"

/* The program as text in postfix: names, values in [], operators. */
static const char *
show(const char *text)
{
	static char out[4096];
	static const char *const tests[] = {"", "=", "!=", "<", "<=", ">", ">="};
	crm_env		env = unit_env();
	crm_segment_program program;
	crm_segment_error error;
	size_t		used = 0;

	if (crm_segment_parse(&env, text, strlen(text), &program, &error) != CRM_OK)
	{
		snprintf(out, sizeof(out), "fault %d at %zu+%zu", error.fault, error.position, error.length);
		return out;
	}
	for (size_t i = 0; i < program.count && used < sizeof(out); i++)
	{
		const crm_segment_step *step = &program.steps[i];

		used += snprintf(out + used, sizeof(out) - used, "%s", i > 0 ? " " : "");
		if (step->code == CRM_SEGMENT_TAG)
			used += snprintf(out + used, sizeof(out) - used, "%s%s%s%s%s", step->name, tests[step->test],
							 step->test ? "[" : "", step->test ? step->value : "", step->test ? "]" : "");
		else
			used += snprintf(out + used, sizeof(out) - used, "%c", " !&|-"[step->code]);
	}
	crm_segment_free(&env, &program);
	return out;
}

static void
parses(const char *text, const char *expected)
{
	const char *actual = show(text);

	if (!CHECK(strcmp(actual, expected) == 0))
		fprintf(stderr, "  %s\n    is       %s\n    expected %s\n", text, actual, expected);
}

static void
fails(const char *text, crm_segment_fault fault, size_t position, size_t length)
{
	char		expected[100];

	snprintf(expected, sizeof(expected), "fault %d at %zu+%zu", fault, position, length);
	parses(text, expected);
}

static void
test_forms(void)
{
	parses("vip", "vip");
	parses("  vip\t\n", "vip");
	parses("vip & (recent | new) - opted_out", "vip recent new | & opted_out -");
	parses("a | b & c", "a b c & |");
	parses("a | b - c", "a b c - |");
	parses("a - b - c", "a b - c -");
	parses("a - b & c", "a b - c &");
	parses("a & b - c & d", "a b & c - d &");
	parses("a|b|c", "a b | c |");
	parses("!a & b", "a ! b &");
	parses("!(a & b)", "a b & !");
	parses("!!a", "a ! !");
	parses("a-!b", "a b ! -");
	parses("((a))", "a");
	parses("a-b", "a b -");

	/* names */
	parses("\"Vip Gold\" & \"a \"\"b\"\" c\"", "Vip Gold a \"b\" c &");
	parses("\"a & b\"", "a & b");
	parses("\"it's\"", "it's");
	parses("\xe9\xab\x98\xe5\x80\xbc & \xe6\xb4\xbb\xe8\xb7\x83_30\xe5\xa4\xa9",
		   "\xe9\xab\x98\xe5\x80\xbc \xe6\xb4\xbb\xe8\xb7\x83_30\xe5\xa4\xa9 &");
	parses("\xb8\xdf\xd6\xb5-\xff", "\xb8\xdf\xd6\xb5 \xff -");
	parses("30d_active", "30d_active");
	parses("VIP&Vip", "VIP Vip &");

	/* values */
	parses("risk = \"high\" & !vip", "risk=[high] vip ! &");
	parses("risk='high'", "risk=[high]");
	parses("risk=high-vip", "risk=[high] vip -");
	parses("risk = 'it''s \"so\"'", "risk=[it's \"so\"]");
	parses("risk = \"a\"\"b'\"", "risk=[a\"b']");
	parses("risk = ''", "risk=[]");
	parses("risk != high | risk <> \"low\"", "risk!=[high] risk!=[low] |");
	parses("!risk=high", "risk=[high] !");
	parses("tier = 1", "tier=[1]");
	parses("tier = -1.50", "tier=[-1.50]");
	parses("tier = 30d", "tier=[30d]");
	parses("tier = and", "tier=[and]");
	parses("\"risk\"=\"a=b\"", "risk=[a=b]");

	/* numbers */
	parses("spend >= 1000", "spend>=[1000]");
	parses("spend>1e3", "spend>[1e3]");
	parses("spend<-1.5e-3&a", "spend<[-1.5e-3] a &");
	parses("spend <= +.5", "spend<=[+.5]");
	parses("spend < 5.", "spend<[5.]");
	parses("spend < 5-3", "spend<[5] 3 -");
	parses("a = 1e5", "a=[1e5]");
	parses("a = 1e", "a=[1e]");

	/* words */
	parses("vip and (recent OR new) And not opted_out", "vip recent new | & opted_out ! &");
	parses("not a", "a !");
	parses("NOT not a", "a ! !");
	parses("not (a or b)", "a b | !");
	parses("not \"and\"", "and !");
	parses("not !a", "a ! !");
	parses("not != 1", "not!=[1]");
	parses("not - a", "not a -");
	parses("not", "not");
	parses("not = 'x'", "not=[x]");
	parses("not and b", "not b &");
	parses("and and or", "and or &");
	parses("or or and and not", "or and not & |");
	parses("\"not\" & a", "not a &");
	parses("android | notes", "android notes |");
}

static void
test_faults(void)
{
	fails("", CRM_FAULT_EMPTY, 0, 0);
	fails(" \n ", CRM_FAULT_EMPTY, 3, 0);
	fails("a b", CRM_FAULT_NO_OPERATOR, 2, 1);
	fails("a (b)", CRM_FAULT_NO_OPERATOR, 2, 1);
	fails("a ! b", CRM_FAULT_NO_OPERATOR, 2, 1);
	fails("(a b)", CRM_FAULT_NO_OPERATOR, 3, 1);
	fails("a = b = c", CRM_FAULT_NO_OPERATOR, 6, 1);
	fails("a \"b c\"", CRM_FAULT_NO_OPERATOR, 2, 5);
	fails("a &", CRM_FAULT_NO_NAME, 3, 0);
	fails("a & | b", CRM_FAULT_NO_NAME, 4, 1);
	fails("& a", CRM_FAULT_NO_NAME, 0, 1);
	fails("-a", CRM_FAULT_NO_NAME, 0, 1);
	fails("!", CRM_FAULT_NO_NAME, 1, 0);
	fails("()", CRM_FAULT_NO_NAME, 1, 1);
	fails("= a", CRM_FAULT_NO_NAME, 0, 1);
	fails("a and", CRM_FAULT_NO_NAME, 5, 0);
	fails("a =", CRM_FAULT_NO_VALUE, 3, 0);
	fails("a = & b", CRM_FAULT_NO_VALUE, 4, 1);
	fails("a = (b)", CRM_FAULT_NO_VALUE, 4, 1);
	fails("a = -b", CRM_FAULT_NO_VALUE, 4, 1);
	fails("a == b", CRM_FAULT_NO_VALUE, 3, 1);
	fails("a >= b", CRM_FAULT_NO_NUMBER, 5, 1);
	fails("a >= '5'", CRM_FAULT_NO_NUMBER, 5, 3);
	fails("a < 5x", CRM_FAULT_NO_NUMBER, 4, 2);
	fails("a <", CRM_FAULT_NO_NUMBER, 3, 0);
	fails("a < .", CRM_FAULT_CHARACTER, 4, 1);
	fails("a & 'b'", CRM_FAULT_SINGLE_QUOTES, 4, 3);
	fails("a & \"b", CRM_FAULT_OPEN_QUOTE, 4, 2);
	fails("a = 'b", CRM_FAULT_OPEN_QUOTE, 4, 2);
	fails("\"a\"\"", CRM_FAULT_OPEN_QUOTE, 0, 4);
	fails("a & \"\"", CRM_FAULT_EMPTY_NAME, 4, 2);
	fails("a & (b | (c)", CRM_FAULT_OPEN_BRACKET, 4, 1);
	fails("(", CRM_FAULT_NO_NAME, 1, 0);
	fails("a)", CRM_FAULT_CLOSING_BRACKET, 1, 1);
	fails(")", CRM_FAULT_CLOSING_BRACKET, 0, 1);
	fails("(a) & b)", CRM_FAULT_CLOSING_BRACKET, 7, 1);
	fails("a ; b", CRM_FAULT_CHARACTER, 2, 1);
	fails("a.b", CRM_FAULT_CHARACTER, 1, 1);
	fails("a # b", CRM_FAULT_CHARACTER, 2, 1);
	fails("a & b\\", CRM_FAULT_CHARACTER, 5, 1);
}

static void
test_places(void)
{
	crm_env		env = unit_env();
	crm_segment_program program;
	crm_segment_error error;
	const char *text = "vip & \"b c\" <> 5 - !x";

	if (!CHECK(crm_segment_parse(&env, text, strlen(text), &program, &error) == CRM_OK))
		return;
	CHECK_EQUAL(program.count, 6);
	CHECK_EQUAL(program.depth, 2);
	CHECK_EQUAL(program.steps[0].position, 0);
	CHECK_EQUAL(program.steps[1].position, 6);
	CHECK_EQUAL(program.steps[1].test_position, 12);
	CHECK_EQUAL(program.steps[2].position, 4);
	CHECK_EQUAL(program.steps[3].position, 20);
	CHECK_EQUAL(program.steps[4].position, 19);
	CHECK_EQUAL(program.steps[5].position, 17);
	crm_segment_free(&env, &program);

	/* Bytes of zero mean nothing anywhere. */
	CHECK(crm_segment_parse(&env, "a\0b", 3, &program, &error) == CRM_CORRUPT);
	CHECK_EQUAL(error.fault, CRM_FAULT_CHARACTER);
	CHECK(crm_segment_parse(&env, "\"a\0\"", 4, &program, &error) == CRM_CORRUPT);
	CHECK_EQUAL(error.fault, CRM_FAULT_OPEN_QUOTE);
}

static void
test_caps(void)
{
	crm_env		env = unit_env();
	crm_segment_program program;
	crm_segment_error error;
	size_t		size = CRM_SEGMENT_MAX_LENGTH + 1;
	char	   *text = malloc(size);

	/* Brackets: the deepest that is allowed, and one more. */
	for (int extra = 0; extra <= 1; extra++)
	{
		int			depth = CRM_SEGMENT_MAX_DEPTH + extra;

		memset(text, '(', depth);
		text[depth] = 'a';
		memset(text + depth + 1, ')', depth);
		CHECK_EQUAL(crm_segment_parse(&env, text, 2 * depth + 1, &program, &error), extra ? CRM_LIMIT : CRM_OK);
		if (extra)
		{
			CHECK_EQUAL(error.fault, CRM_FAULT_TOO_DEEP);
			CHECK_EQUAL(error.position, CRM_SEGMENT_MAX_DEPTH);
		}
		else
			crm_segment_free(&env, &program);

		memset(text, '!', depth);
		CHECK_EQUAL(crm_segment_parse(&env, text, depth + 1, &program, &error), extra ? CRM_LIMIT : CRM_OK);
		if (!extra)
			crm_segment_free(&env, &program);
	}

	/* Names, in a chain that must not recurse and keeps a stack of two. */
	for (int extra = 0; extra <= 1; extra++)
	{
		int			names = CRM_SEGMENT_MAX_NAMES + extra;

		for (int i = 0; i < names; i++)
			memcpy(text + 2 * i, i % 2 ? "a|" : "b|", 2);
		CHECK_EQUAL(crm_segment_parse(&env, text, 2 * names - 1, &program, &error), extra ? CRM_LIMIT : CRM_OK);
		if (extra)
			CHECK_EQUAL(error.fault, CRM_FAULT_TOO_MANY);
		else
		{
			CHECK_EQUAL(program.count, 2 * names - 1);
			CHECK_EQUAL(program.depth, 2);
			crm_segment_free(&env, &program);
		}
	}

	/* Length. */
	memset(text, 'x', size);
	CHECK_EQUAL(crm_segment_parse(&env, text, size - 1, &program, &error), CRM_OK);
	CHECK_EQUAL(strlen(program.steps[0].name), size - 1);
	crm_segment_free(&env, &program);
	CHECK_EQUAL(crm_segment_parse(&env, text, size, &program, &error), CRM_LIMIT);
	CHECK_EQUAL(error.fault, CRM_FAULT_TOO_LONG);
	free(text);
}

/* ---- random expressions ------------------------------------------------ */

static uint64_t seed = 20261121;

static unsigned
pick(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned) (seed >> 33) % n;
}

/* Names a ... f stand for the bits of one byte's truth tables; the tree is written and evaluated at once. */
static uint64_t
random_tree(char **out, int depth, int binding)
{
	static const uint64_t sets[] = {
		0xaaaaaaaaaaaaaaaa, 0xcccccccccccccccc, 0xf0f0f0f0f0f0f0f0,
		0xff00ff00ff00ff00, 0xffff0000ffff0000, 0xffffffff00000000
	};
	unsigned	choice = depth == 0 ? 0 : pick(6);
	uint64_t	value;
	bool		brackets;

	switch (choice)
	{
		case 0:
		case 1:
			{
				unsigned	name = pick(6);

				*out += sprintf(*out, pick(3) ? "%c" : "\"%c\"", 'a' + name);
				return sets[name];
			}
		case 2:
			*out += sprintf(*out, pick(4) ? "!" : " not ");
			return ~random_tree(out, depth - 1, 3);
		case 3:
			brackets = binding > 1 || pick(4) == 0;
			*out += sprintf(*out, brackets ? "(" : "");
			value = random_tree(out, depth - 1, 1);
			*out += sprintf(*out, pick(4) ? "|" : " OR ");
			value |= random_tree(out, depth - 1, 2);
			break;
		default:
			brackets = binding > 2 || pick(4) == 0;
			*out += sprintf(*out, brackets ? "(" : "");
			value = random_tree(out, depth - 1, 2);
			if (choice == 4)
			{
				*out += sprintf(*out, pick(4) ? " & " : " and ");
				value &= random_tree(out, depth - 1, 3);
			}
			else
			{
				*out += sprintf(*out, pick(2) ? "-" : " - ");
				value &= ~random_tree(out, depth - 1, 3);
			}
	}
	*out += sprintf(*out, brackets ? ")" : "");
	return value;
}

static void
test_random(void)
{
	static char text[1 << 20];
	static uint64_t stack[1000];
	crm_env		env = unit_env();

	for (int round = 0; round < 20000; round++)
	{
		char	   *end = text;
		uint64_t	expected = random_tree(&end, 1 + pick(8), 1);
		crm_segment_program program;
		crm_segment_error error;
		size_t		top = 0;
		uint64_t	names[256];

		for (int i = 0; i < 6; i++)
		{
			/* The sets once more, by their definition: bit k of set i is bit i of k. */
			names['a' + i] = 0;
			for (int k = 0; k < 64; k++)
				names['a' + i] |= (uint64_t) (k >> i & 1) << k;
		}
		if (!CHECK(crm_segment_parse(&env, text, end - text, &program, &error) == CRM_OK))
		{
			fprintf(stderr, "  %.*s\n", (int) (end - text), text);
			return;
		}
		CHECK(program.depth < 1000);
		for (size_t i = 0; i < program.count; i++)
		{
			switch (program.steps[i].code)
			{
				case CRM_SEGMENT_TAG:
					stack[top++] = names[(unsigned char) program.steps[i].name[0]];
					continue;
				case CRM_SEGMENT_NOT:
					stack[top - 1] = ~stack[top - 1];
					continue;
				case CRM_SEGMENT_AND:
					stack[top - 2] &= stack[top - 1];
					break;
				case CRM_SEGMENT_OR:
					stack[top - 2] |= stack[top - 1];
					break;
				case CRM_SEGMENT_MINUS:
					stack[top - 2] &= ~stack[top - 1];
					break;
			}
			top--;
		}
		CHECK_EQUAL(top, 1);
		if (!CHECK(stack[0] == expected))
			fprintf(stderr, "  %.*s\n", (int) (end - text), text);
		crm_segment_free(&env, &program);
	}
}

/* An allocator that fails at the n-th call: the status says so and nothing leaks (ASan looks). */
static int	allocations_left;

static void *
failing_alloc(void *arg, size_t size)
{
	return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void *
failing_resize(void *arg, void *ptr, size_t old_size, size_t new_size)
{
	return allocations_left-- > 0 ? realloc(ptr, new_size) : NULL;
}

static void
test_memory(void)
{
	crm_env		env = unit_env();
	crm_segment_program program;
	crm_segment_error error;
	const char *text = "a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q|r|s|t|u|v|w";
	int			calls;

	env.alloc = failing_alloc;
	env.resize = failing_resize;
	for (calls = 0; calls < 10; calls++)
	{
		crm_status	status;

		allocations_left = calls;
		status = crm_segment_parse(&env, text, strlen(text), &program, &error);
		if (status == CRM_OK)
			break;
		CHECK_EQUAL(status, CRM_NO_MEMORY);
	}
	CHECK_EQUAL(calls, 3 + 1);
	crm_segment_free(&env, &program);
}

int
main(void)
{
	test_forms();
	test_faults();
	test_places();
	test_caps();
	test_random();
	test_memory();
	return unit_done();
}
