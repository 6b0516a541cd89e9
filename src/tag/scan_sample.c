/*
 * scan_sample.c - what a refresh asks of its source before the scan: how many
 * rows, which keys.
 */
#include "common/crm.h"

#include "common/query.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "tag/scan_query.h"
#include "tag/scan_run.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

double
crm_scan_expected_rows(const crm_scan_job *job)
{
	crm_owner_session session;
	StringInfoData sql;
	SPIPlanPtr	plan;
	double		rows;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT FROM %s", crm_scan_rows(job));
	crm_owner_begin(&session, job->owner);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	plan = SPI_prepare(sql.data, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	rows = crm_select_rows(plan);
	SPI_finish();
	crm_owner_end(&session);
	return rows;
}

typedef struct key_sample
{
	int64	   *keys;
	int			count;
	int			room;
} key_sample;

static void
take_key(TupleTableSlot *slot, void *arg)
{
	key_sample *sample = arg;
	bool		isnull;
	int64		key = DatumGetInt64(slot_getattr(slot, 1, &isnull));

	/* far more than asked for means that the planner was far off: enough of a sample all the same */
	if (isnull || sample->count >= 10000000)
		return;
	if (sample->count == sample->room)
	{
		sample->room *= 2;
		sample->keys = repalloc(sample->keys, sample->room * sizeof(int64));
	}
	sample->keys[sample->count++] = key;
}

int64 *
crm_scan_sample_keys(const crm_scan_job *job, int64 one_in, int *count)
{
	const char *key = quote_identifier(job->population->key_column);
	key_sample	sample = {palloc(1024 * sizeof(int64)), 0, 1024};
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT customer.%s::pg_catalog.int8 FROM %s WHERE customer.%s OPERATOR(pg_catalog.>=) 0",
					 key, crm_scan_rows(job), key);
	if (one_in > 1)
		appendStringInfo(&sql, " AND pg_catalog.hashint8extended(customer.%s::pg_catalog.int8, 1) OPERATOR(pg_catalog.&) " INT64_FORMAT " OPERATOR(pg_catalog.=) 0",
						 key, one_in - 1);
	crm_scan_run_query(job, sql.data, NULL, take_key, &sample);
	*count = sample.count;
	return sample.keys;
}

int64 *
crm_scan_key_quantiles(const crm_scan_job *job, int *count)
{
	const crm_population *population = job->population;
	key_sample	sample = {palloc(1024 * sizeof(int64)), 0, 1024};
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT bound FROM pg_catalog.pg_stats, "
					 "pg_catalog.unnest(histogram_bounds::pg_catalog.text::pg_catalog.int8[]) WITH ORDINALITY AS u (bound, n) "
					 "WHERE schemaname OPERATOR(pg_catalog.=) %s AND tablename OPERATOR(pg_catalog.=) %s AND attname OPERATOR(pg_catalog.=) %s "
					 "AND bound OPERATOR(pg_catalog.>=) 0 ORDER BY n",
					 quote_literal_cstr(get_namespace_name(get_rel_namespace(population->source))),
					 quote_literal_cstr(get_rel_name(population->source)),
					 quote_literal_cstr(population->key_column));
	crm_scan_run_query(job, sql.data, NULL, take_key, &sample);
	*count = sample.count;
	return sample.count > 0 ? sample.keys : NULL;
}

static void
take_new_key(TupleTableSlot *slot, void *arg)
{
	tuplestore_puttupleslot(arg, slot);
}

Tuplestorestate *
crm_scan_new_keys(const crm_scan_job *job)
{
	const char *key = quote_identifier(job->population->key_column);
	Tuplestorestate *keys = tuplestore_begin_heap(false, false, work_mem);
	crm_scan_job with_dictionary = *job;
	StringInfoData sql;

	with_dictionary.dictionary = true;
	with_dictionary.new_keys = true;
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT DISTINCT customer.%s::pg_catalog.text COLLATE pg_catalog.\"C\"", key);
	crm_scan_append_from(&sql, &with_dictionary, false, false);
	appendStringInfo(&sql, " WHERE dictionary.id IS NULL AND customer.%s IS NOT NULL", key);
	if (job->population->key_form == CRM_KEY_INTEGER)
		appendStringInfo(&sql, " AND customer.%s OPERATOR(pg_catalog.<) 0", key);
	appendStringInfoString(&sql, " ORDER BY 1");
	crm_scan_run_query(&with_dictionary, sql.data, NULL, take_new_key, keys);
	return keys;
}
