/*
 * due_customer.c - next_change: until when a customer's tag stays as it is, as
 * far as the clock goes.
 */
#include "common/crm.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "tag/due.h"
#include "tag/scan_query.h"
#include "utils/timestamp.h"

/* Can the changes by the clock of the tag's current rule be told? */
static bool
clock_known(const crm_tag *tag)
{
	crm_catalogue_session session;
	bool		known;

	crm_catalogue_begin(&session);
	known = crm_catalogue_read("SELECT FROM @.tag_version WHERE tag_id = $1 AND version = $2 AND clock <> 'unknown'",
							   2, INT4OID, Int32GetDatum(tag->id), false, INT4OID, Int32GetDatum(tag->version), false) > 0;
	crm_catalogue_end(&session);
	return known;
}

/* (key, tag, population) */
static Datum
next_change(FunctionCallInfo fcinfo, Oid key_type)
{
	crm_population *population;
	crm_tag    *tag;
	crm_scan_job job = {0};
	int64		id;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	population = crm_population_find(PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2)));
	crm_rights_require_tags(population);
	tag = crm_tag_find(population, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	if (!crm_key_visible(population, PG_GETARG_DATUM(0), key_type) ||
		!crm_key_id(population, PG_GETARG_DATUM(0), key_type, &id) || !clock_known(tag))
		PG_RETURN_NULL();
	crm_rights_check_tag(tag);
	job.population = population;
	job.owner = tag->owner;
	job.tags = list_make1(tag);
	job.as_of = GetCurrentTransactionStartTimestamp();
	job.dictionary = population->key_form != CRM_KEY_INTEGER || id > PG_INT64_MAX / 2;
	job.chosen = true;
	job.ids = &id;
	job.id_count = 1;
	job.fresh = population->tracked;
	job.within = true;
	PG_RETURN_TIMESTAMPTZ(crm_scan_next_change(&job));
}

CRM_FUNCTION(crm_next_change_text);
Datum
crm_next_change_text(PG_FUNCTION_ARGS)
{
	return next_change(fcinfo, TEXTOID);
}

CRM_FUNCTION(crm_next_change_bigint);
Datum
crm_next_change_bigint(PG_FUNCTION_ARGS)
{
	return next_change(fcinfo, INT8OID);
}

CRM_FUNCTION(crm_next_change_uuid);
Datum
crm_next_change_uuid(PG_FUNCTION_ARGS)
{
	return next_change(fcinfo, UUIDOID);
}
