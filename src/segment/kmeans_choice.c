/*
 * kmeans_choice.c - the aggregate kmeans_choice.
 */
#include "segment/kmeans.h"

#include <math.h>

#include "common/progress.h"
#include "common/result_rows.h"

CRM_FUNCTION(crm_kmeans_choice_transfn);
CRM_FUNCTION(crm_kmeans_choice_combinefn);
CRM_FUNCTION(crm_kmeans_choice_finalfn);

/* kmeans_choice_transfn(state, k_max int, features float8[] [, options jsonb]) */
Datum
crm_kmeans_choice_transfn(PG_FUNCTION_ARGS)
{
	return kmeans_transition(fcinfo, &kmeans_choice_use);
}

Datum
crm_kmeans_choice_combinefn(PG_FUNCTION_ARGS)
{
	return kmeans_combine(fcinfo, &kmeans_choice_use);
}

Datum
crm_kmeans_choice_finalfn(PG_FUNCTION_ARGS)
{
	kmeans_input *input = kmeans_rows_of(fcinfo, &kmeans_choice_use);
	crm_env		env = crm_progress_env(CurrentMemoryContext);
	crm_kmeans_choice_options wanted;
	crm_kmeans_choice *choices;
	crm_result_rows table;
	uint32		count;
	Size		needed = 0;

	if (input == NULL)
		PG_RETURN_NULL();
	choices = palloc0(sizeof(crm_kmeans_choice) * input->wanted.groups);
	wanted = (crm_kmeans_choice_options) {.sample = (uint32) input->options.sample, .references = (uint32) input->options.references};
	crm_progress_begin("kmeans_choice", NULL);
	crm_progress_phase("grouping rows", "numbers", input->wanted.groups);
	kmeans_check(input, crm_kmeans_choose(&input->columns, &input->wanted, &wanted, &env, choices, &count, &needed), needed);
	crm_progress_end();
	table = crm_result_rows_begin(fcinfo, count);
	for (uint32 i = 0; i < count; i++)
	{
		const crm_kmeans_choice *c = &choices[i];
		Datum		values[9] = {Int32GetDatum((int32) c->groups), Float8GetDatum(c->inertia), Float8GetDatum(c->explained), Float8GetDatum(c->silhouette),
		Float8GetDatum(c->gap), Float8GetDatum(c->gap_error), BoolGetDatum(c->elbow), BoolGetDatum(c->best_silhouette), BoolGetDatum(c->gap_choice)};
		bool		nulls[9] = {false, false, isnan(c->explained), isnan(c->silhouette), isnan(c->gap), isnan(c->gap_error), false, false, false};

		crm_result_rows_add(&table, values, nulls);
	}
	PG_RETURN_DATUM(crm_result_rows_end(&table));
}
