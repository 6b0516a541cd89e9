/*
 * lineage.c - what a tag is made from, found in its parsed rule.
 */
#include "common/crm.h"

#include "access/relation.h"
#include "funcapi.h"
#include "tag/inputs.h"
#include "tag/readers.h"

/* The rule that is read, for errors. */
static void
rule_of_tag(void *arg)
{
	errcontext("rule of tag \"%s\"", ((crm_tag *) arg)->name);
}

/* crm.tag_lineage(tag, population) */
CRM_FUNCTION(crm_tag_lineage);
Datum
crm_tag_lineage(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	crm_owner_session session;
	ErrorContextCallback callback = {error_context_stack, rule_of_tag, NULL};
	crm_population *population;
	crm_tag    *tag;
	Relation	source;
	List	   *inputs;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	population = crm_population_find(crm_text_argument(fcinfo, 1));
	tag = crm_tag_find(population, crm_text_argument(fcinfo, 0));
	(void) crm_population_source(population);

	/* Parsing runs input functions of types: as the tag's owner, like every evaluation of the rule. */
	crm_rights_check_owner(tag->owner);
	crm_owner_begin(&session, tag->owner);
	source = relation_open(population->source, AccessShareLock);
	callback.arg = tag;
	error_context_stack = &callback;
	inputs = crm_rule_inputs(population, crm_rule_read(source, tag->qualified));
	error_context_stack = callback.previous;
	relation_close(source, AccessShareLock);
	crm_owner_end(&session);

	foreach(cell, inputs)
	{
		const crm_input *input = lfirst(cell);
		Datum		values[2] = {CStringGetTextDatum(input->kind), CStringGetTextDatum(input->name)};
		bool		nulls[2] = {false, false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
