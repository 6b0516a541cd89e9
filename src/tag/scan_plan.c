/*
 * scan_plan.c - which rules run over batches and which through the executor,
 * and the arguments that the scan needs for both.
 */
#include "common/crm.h"

#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "tag/rule_internal.h"
#include "utils/rel.h"

static void
check_program(crm_status status)
{
	crm_check(status, "scan plan", false);
}

static uint32
add_string(crm_compiler *compiler, const char *text)
{
	uint32		number;

	check_program(crm_program_add_string(&compiler->program, &compiler->env, text, strlen(text), &number));
	return number;
}

static void
begin(crm_compiler *compiler, Relation source, TimestampTz as_of)
{
	memset(compiler, 0, sizeof(*compiler));
	compiler->source = source;
	compiler->as_of = as_of;
	compiler->env = crm_env_in(CurrentMemoryContext);
}

/* The values that rules name stand together, once all rules have named theirs. */
static void
place_values(crm_compiler *compiler)
{
	ListCell   *cell;

	foreach(cell, compiler->columns)
	{
		const crm_compiled_column *compiled = lfirst(cell);
		crm_column *column = &compiler->program.columns[compiled->number];

		column->first_value = compiler->program.string_count;
		column->value_count = compiled->values.count;
		for (uint32 i = 0; i < compiled->values.count; i++)
			add_string(compiler, compiled->values.entries[i].text);
	}
}

void
crm_scan_plan_make(Relation source, List *rules, TimestampTz as_of, bool force_executor,
				   bytea **plan, char **arguments)
{
	crm_compiler compiler;
	crm_program *program = &compiler.program;
	StringInfoData columns,
				booleans,
				texts,
				numbers;
	uint32		boolean_count = 0,
				text_count = 0,
				number_count = 0,
				ignored;
	ListCell   *cell;
	uint8	   *bytes;
	size_t		size;

	begin(&compiler, source, as_of);
	initStringInfo(&columns);
	initStringInfo(&booleans);
	initStringInfo(&texts);
	initStringInfo(&numbers);

	foreach(cell, rules)
	{
		const crm_rule *rule = lfirst(cell);
		crm_program_rule compiled;

		if (rule->type != BOOLOID && rule->type != TEXTOID && rule->type != NUMERICOID)
			elog(ERROR, "rule of type %u cannot be scanned", rule->type);
		CHECK_FOR_INTERRUPTS();
		memset(&compiled, 0, sizeof(compiled));
		compiled.otherwise = CRM_PROGRAM_NONE;
		if (force_executor || !crm_rule_compile(&compiler, rule, &compiled))
		{
			/*
			 * Two results of different explicit collations cannot stand in one
			 * array, so each takes the same one.
			 */
			if (rule->type == BOOLOID)
			{
				compiled.kind = CRM_RULE_EXECUTOR_BOOLEAN;
				compiled.target = boolean_count++;
				appendStringInfo(&booleans, "%s(%s)", compiled.target > 0 ? ", " : "", rule->qualified);
			}
			else if (rule->type == NUMERICOID)
			{
				compiled.kind = CRM_RULE_EXECUTOR_NUMBER;
				compiled.target = number_count++;
				appendStringInfo(&numbers, "%s(%s)::pg_catalog.numeric", compiled.target > 0 ? ", " : "", rule->qualified);
			}
			else
			{
				compiled.kind = CRM_RULE_EXECUTOR_TEXT;
				compiled.target = text_count++;
				appendStringInfo(&texts, "%s(%s)::pg_catalog.text COLLATE pg_catalog.\"default\"",
								 compiled.target > 0 ? ", " : "", rule->qualified);
			}
		}
		compiled.name = add_string(&compiler, rule->tag_name ? rule->tag_name : "");
		check_program(crm_program_add_rule(program, &compiler.env, &compiled));
	}
	place_values(&compiler);
	if (program->argument_count == 0 && boolean_count == 0 && text_count == 0 && number_count == 0 && rules != NIL)
	{
		/* Rules that need no column; but a variadic call needs an argument. */
		crm_scan_plan_make(source, rules, as_of, true, plan, arguments);
		return;
	}

	for (uint32 i = 0; i < program->argument_count; i++)
		appendStringInfo(&columns, ", customer.%s",
						 quote_identifier(NameStr(TupleDescAttr(RelationGetDescr(source), compiler.attributes[i] - 1)->attname)));
	if (boolean_count > 0)
	{
		check_program(crm_program_add_argument(program, CRM_ARGUMENT_BOOLEANS, &ignored));
		appendStringInfo(&columns, ", ARRAY[%s]::pg_catalog.bool[]", booleans.data);
	}
	if (text_count > 0)
	{
		check_program(crm_program_add_argument(program, CRM_ARGUMENT_TEXTS, &ignored));
		appendStringInfo(&columns, ", ARRAY[%s]::pg_catalog.text[]", texts.data);
	}
	if (number_count > 0)
	{
		check_program(crm_program_add_argument(program, CRM_ARGUMENT_NUMBERS, &ignored));
		appendStringInfo(&columns, ", ARRAY[%s]::pg_catalog.numeric[]", numbers.data);
	}
	*arguments = columns.data;

	check_program(crm_program_encode(program, &compiler.env, &bytes, &size));
	crm_check_size(size + VARHDRSZ, "scan plan");
	*plan = palloc(size + VARHDRSZ);
	SET_VARSIZE(*plan, size + VARHDRSZ);
	memcpy(VARDATA(*plan), bytes, size);
	pfree(bytes);
}

bool
crm_scan_plan_batched(Relation source, crm_rule *rule, TimestampTz as_of)
{
	crm_compiler compiler;
	crm_program_rule compiled;

	begin(&compiler, source, as_of);
	return crm_rule_compile(&compiler, rule, &compiled);
}
