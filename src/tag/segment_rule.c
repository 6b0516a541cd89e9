/*
 * segment_rule.c - a segment expression as a rule over one customer.
 *
 * segment() combines stored sets; a rule asks whether one customer would be in
 * the segment by the tags' rules as they are.
 */
#include "common/crm.h"

#include "kernel/segment_expr.h"
#include "tag/segment_define.h"
#include "tag/segment_read.h"

/* Segments that rest on one another may double in each step: so many bytes are enough. */
#define MAX_TEXT 1000000

static char *segment_text(const crm_population *population, const char *expression, List *path);

static char *
condition_text(const crm_population *population, const crm_segment_step *step, List *path)
{
	static const char *const signs[] = {
		[CRM_TEST_EQUAL] = "=",[CRM_TEST_DIFFERENT] = "<>",[CRM_TEST_LESS] = "<",[CRM_TEST_LESS_EQUAL] = "<=",
		[CRM_TEST_GREATER] = ">",[CRM_TEST_GREATER_EQUAL] = ">="
	};
	crm_defined_segment *segment = crm_defined_segment_find(population, step->name);
	const char *schema = crm_schema();
	char	   *name = quote_literal_cstr(step->name);
	char	   *value;
	const crm_tag *tag;
	ListCell   *cell;

	if (segment != NULL)
	{
		if (step->test != CRM_TEST_NONE)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("segment \"%s\" has no values to compare with", segment->name)));
		if (segment->frozen)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("frozen segment \"%s\" cannot stand in a rule", segment->name),
					 errdetail("Its members do not follow from a customer's row."),
					 errhint("Make a list of it: %s.create_list_tag('name', query => $$SELECT %s.member_keys(%s.segment('...'))$$), and ask has_tag('name').",
							 schema, schema, schema)));
		foreach(cell, path)
			if (strcmp(lfirst(cell), segment->name) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_RECURSION),
						 errmsg("segment \"%s\" rests on itself", segment->name)));
		return segment_text(population, segment->expression, lappend(list_copy(path), segment->name));
	}
	tag = crm_tag_find(population, step->name);
	if (step->test == CRM_TEST_NONE)
		return psprintf("%s.has_tag(%s)", schema, name);
	value = quote_literal_cstr(step->value);
	if (tag->type == CRM_VALUE_NUMERIC)
		return psprintf("(%s.tag_numeric(%s) OPERATOR(pg_catalog.%s) %s::pg_catalog.numeric) IS TRUE", schema, name, signs[step->test], value);
	if (step->test > CRM_TEST_DIFFERENT)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("values of tag \"%s\" are not numbers", tag->name)));
	if (step->test == CRM_TEST_EQUAL)
		return psprintf("%s.has_tag(%s, %s)", schema, name, value);
	return psprintf("%s.has_tag(%s) AND NOT %s.has_tag(%s, %s)", schema, name, schema, name, value);
}

static char *
segment_text(const crm_population *population, const char *expression, List *path)
{
	crm_segment_program program;
	char	  **stack;
	int			top = 0;

	check_stack_depth();
	crm_segment_read(expression, &program);
	stack = palloc(sizeof(char *) * (program.depth + 1));
	for (size_t i = 0; i < program.count; i++)
	{
		const crm_segment_step *step = &program.steps[i];

		CHECK_FOR_INTERRUPTS();
		if (step->code == CRM_SEGMENT_TAG)
		{
			stack[top++] = condition_text(population, step, path);
			continue;
		}
		if (step->code == CRM_SEGMENT_NOT)
		{
			stack[top - 1] = psprintf("NOT (%s)", stack[top - 1]);
			continue;
		}
		top--;
		stack[top - 1] = psprintf("(%s) %s (%s)", stack[top - 1],
								  step->code == CRM_SEGMENT_AND ? "AND" : step->code == CRM_SEGMENT_OR ? "OR" : "AND NOT", stack[top]);
		if (strlen(stack[top - 1]) > MAX_TEXT)
			ereport(ERROR,
					(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
					 errmsg("a segment grows too large for a rule"),
					 errdetail("With the segments that it rests on in it, it has more than %d bytes.", MAX_TEXT),
					 errhint("Make a tag of what many segments share.")));
	}
	return stack[0];
}

char *
crm_segment_rule(const crm_population *population, const char *expression)
{
	return segment_text(population, expression, NIL);
}
