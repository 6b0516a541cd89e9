/*
 * scan_chosen.c - the FROM clause of a scan of some customers only.
 *
 * The keys stand in it twice: as a condition on the source, which PostgreSQL
 * pushes below views and into partitions and answers by the key's index, and
 * with their ids as a join, where a key is not its own id.
 */
#include "common/crm.h"

#include "catalog/pg_type.h"
#include "tag/scan_query.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

/* Integer keys that the key's type does not hold are no customers'. */
static bool
fits(const crm_scan_job *job, Oid key_type, int64 id)
{
	return job->population->key_form != CRM_KEY_INTEGER || job->dictionary ||
		(key_type == INT8OID || (key_type == INT4OID ? id <= PG_INT32_MAX : id <= PG_INT16_MAX));
}

/* Are keys text, rather than their own ids? */
static bool
as_text(const crm_scan_job *job)
{
	return job->population->key_form != CRM_KEY_INTEGER || job->dictionary;
}

void
crm_scan_choose(const crm_scan_job *job, ParamListInfo params)
{
	Oid			key_type = getBaseType(crm_population_key_type(job->population));
	Datum	   *keys = MemoryContextAllocHuge(CurrentMemoryContext, (job->id_count + 1) * sizeof(Datum));
	Datum	   *ids = MemoryContextAllocHuge(CurrentMemoryContext, (job->id_count + 1) * sizeof(Datum));
	bool		text_keys = as_text(job);
	ArrayType  *id_array;
	int			count = 0;

	for (int i = 0; i < job->id_count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!fits(job, key_type, job->ids[i]))
			continue;
		ids[count] = Int64GetDatum(job->ids[i]);
		if (text_keys)
		{
			char	   *key = crm_key_of_id(job->population, job->ids[i]);

			if (key != NULL)
				keys[count++] = CStringGetTextDatum(key);
		}
		else
			count++;
	}
	id_array = construct_array(ids, count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
	crm_rule_query_choose(params, text_keys ? PointerGetDatum(construct_array(keys, count, TEXTOID, -1, false, TYPALIGN_INT)) : (Datum) 0,
						  PointerGetDatum(id_array));
}

void
crm_scan_append_chosen(StringInfo sql, const crm_scan_job *job, const char *joins)
{
	const crm_population *population = job->population;
	const char *key = quote_identifier(population->key_column);
	Oid			key_type = getBaseType(crm_population_key_type(population));
	/* negative integers among them: all are compared as bigint, and any key fits */
	const char *type = population->key_form == CRM_KEY_INTEGER && job->dictionary ? "pg_catalog.int8" :
		crm_key_cast(key_type);
	char	   *keys = psprintf("$%d::%s[]", as_text(job) ? CRM_RULE_KEYS_PARAM : CRM_RULE_IDS_PARAM, type);

	appendStringInfo(sql, " FROM %s", crm_scan_rows(job));
	if (job->dictionary)
		appendStringInfo(sql, " JOIN ROWS FROM (pg_catalog.unnest(%s), pg_catalog.unnest($%d)) AS dictionary (key, id) "
						 "ON dictionary.key OPERATOR(pg_catalog.=) customer.%s", keys, CRM_RULE_IDS_PARAM, key);
	appendStringInfoString(sql, joins);
	appendStringInfo(sql, " WHERE customer.%s OPERATOR(pg_catalog.=) ANY (%s)", key, keys);
}
