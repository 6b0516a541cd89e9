/*
 * evaluate_tag.c - crm.evaluate_tag: what is known now of who had a tag then.
 */
#include "common/crm.h"

#include "access/xact.h"
#include "common/bridge.h"
#include "tag/evaluate.h"
#include "tag/past.h"
#include "tag/readers.h"
#include "utils/timestamp.h"

/* 42804 for a value that the tag cannot have. */
static void
check_value(const crm_tag *tag, const char *value)
{
	if (value != NULL && tag->type != CRM_VALUE_TEXT)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("tag \"%s\" has no values that are text", tag->name),
				 errdetail("Its rule gives %s.", crm_value_type_name(tag->type)),
				 errhint("Leave value out.")));
}

/* crm.evaluate_tag(name, as_of, value, population, columns) */
CRM_FUNCTION(crm_evaluate_tag);
Datum
crm_evaluate_tag(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	crm_population *population;
	crm_scopes *scopes;
	crm_tag    *tag;
	TimestampTz as_of;
	char	   *value;
	crm_scan_job job = {0};
	crm_evaluation evaluation = {0};
	bool	   *readable;
	crm_env		env;
	crm_ids_collector *collector;
	crm_ids_builder *builder;
	crm_audience *audience;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	context = AllocSetContextCreate(caller, "crm evaluate_tag", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	as_of = PG_ARGISNULL(1) ? GetCurrentTransactionStartTimestamp() : PG_GETARG_TIMESTAMPTZ(1);
	if (TIMESTAMP_NOT_FINITE(as_of))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("as_of must be a finite time")));
	value = crm_text_argument(fcinfo, 2);
	population = crm_population_find(crm_text_argument(fcinfo, 3));
	job.columns_today = crm_past_columns_today(crm_text_argument(fcinfo, 4));
	scopes = crm_rights_readable(population);
	tag = crm_tag_find(population, crm_text_argument(fcinfo, 0));
	check_value(tag, value);
	if (population->chunk_bits == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("population \"%s\" has never been refreshed", population->name),
				 errhint("Evaluate its tags first: SELECT * FROM %s.refresh_tags(%s);",
						 crm_schema(), quote_literal_cstr(population->name))));
	if (!job.columns_today)
		crm_past_check(population, list_make1(tag), as_of);
	crm_rights_check_owner(tag->owner);
	crm_rights_check_tag(tag);

	/* as a refresh would, without numbering keys: customers whose keys no refresh has met have no ids yet */
	job.population = population;
	job.owner = tag->owner;
	job.tags = list_make1(tag);
	job.as_of = as_of;
	job.chunk_bits = population->chunk_bits;
	job.dictionary = crm_evaluation_has_dictionary(population);
	evaluation.population = population;
	evaluation.owner = tag->owner;
	evaluation.tags = job.tags;
	evaluation.state = crm_scan_run_job(&job);
	crm_evaluation_finish(population, evaluation.state, NULL);

	readable = palloc((evaluation.state->scope_count + 1) * sizeof(bool));
	for (uint32 i = 0; i < evaluation.state->scope_count; i++)
		readable[i] = crm_rights_may_read_scope(population, scopes, evaluation.state->scope_names[i]);
	env = crm_env_in(context);
	crm_check(crm_ids_collector_new(&env, &collector), CRM_AUDIENCE_NAME, false);
	crm_evaluation_members(&evaluation, 0, value, false, readable, collector);
	crm_check(crm_ids_builder_new(&env, &builder), CRM_AUDIENCE_NAME, false);
	crm_check(crm_ids_collector_build(collector, builder), CRM_AUDIENCE_NAME, false);
	MemoryContextSwitchTo(caller);
	audience = crm_audience_finish(builder, (uint32) population->id);
	MemoryContextDelete(context);
	PG_RETURN_POINTER(audience);
}
