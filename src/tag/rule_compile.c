/*
 * rule_compile.c - rules that are comparisons of columns with constants become
 * nodes of a program over batches.
 */
#include "common/crm.h"

#include "tag/rule_internal.h"

bool
crm_rule_compile(crm_compiler *compiler, const crm_rule *rule, crm_program_rule *compiled)
{
	return false;
}
