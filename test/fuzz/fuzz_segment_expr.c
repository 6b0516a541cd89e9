/*
 * fuzz_segment_expr.c - any bytes as a segment expression: a program that can be
 * evaluated within its stated stack, or a fault that lies inside the text.
 */
#include "fuzz.h"

#include "kernel/segment_expr.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	crm_env		env = unit_env();
	crm_segment_program program;
	crm_segment_error error;
	crm_status	status = crm_segment_parse(&env, (const char *) data, size, &program, &error);
	size_t		stack = 0,
				deepest = 0;

	if (status != CRM_OK)
	{
		REQUIRE(status == CRM_CORRUPT || status == CRM_LIMIT);
		REQUIRE(error.fault != CRM_FAULT_NONE);
		REQUIRE((status == CRM_LIMIT) == (error.fault >= CRM_FAULT_TOO_LONG));
		REQUIRE(error.position <= size && error.length <= size - error.position);
		REQUIRE(program.steps == NULL && program.names == NULL);
		return 0;
	}
	for (size_t i = 0; i < program.count; i++)
	{
		const crm_segment_step *step = &program.steps[i];

		REQUIRE(step->position < size);
		switch (step->code)
		{
			case CRM_SEGMENT_TAG:
				REQUIRE(step->name != NULL && step->name[0] != '\0' && strlen(step->name) <= size);
				REQUIRE((step->value != NULL) == (step->test != CRM_TEST_NONE));
				if (step->value != NULL)
					REQUIRE(strlen(step->value) <= size && step->test_position > step->position);
				if (step->test >= CRM_TEST_LESS)
				{
					char	   *end;

					/* What passed as a number is one. */
					strtod(step->value, &end);
					REQUIRE(step->value[0] != '\0' && *end == '\0');
				}
				if (++stack > deepest)
					deepest = stack;
				break;
			case CRM_SEGMENT_NOT:
				REQUIRE(stack >= 1);
				break;
			default:
				REQUIRE(stack >= 2);
				stack--;
		}
	}
	REQUIRE(stack == 1 && deepest == program.depth);
	crm_segment_free(&env, &program);
	return 0;
}
