/*
 * key.c - customers' keys and their ids.
 *
 * An integer key that is not negative is its own id.  Other keys are numbered
 * by the dictionary population_key: uuid and text keys 1, 2, 3 ..., negative
 * integers 2^63-1, 2^63-2 ... downwards, so that they keep clear of ordinary
 * integer keys (an integer key that does meet one is found as a duplicate by
 * refresh_tags).  Numbers are never reused.
 */
#include "common/crm.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "tag/tag.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"
#include "utils/uuid.h"

/* Columns of population_key. */
#define KEY_POPULATION 1
#define KEY_ID 2
#define KEY_KEY 3

/* Integer ids from here on may be the dictionary's. */
#define DICTIONARY_FROM (INT64_MAX / 2)

static char *
key_as_text(Datum key, Oid type)
{
	Oid			output;
	bool		is_varlena;

	getTypeOutputInfo(type, &output, &is_varlena);
	return OidOutputFunctionCall(output, key);
}

/* The key in the one spelling that the dictionary knows; 22P02 when it is no value of the key's type. */
static char *
canonical_key(const crm_population *population, Datum key, Oid type)
{
	char	   *text = key_as_text(key, type);

	switch (population->key_form)
	{
		case CRM_KEY_INTEGER:
			return DatumGetCString(DirectFunctionCall1(int8out, DirectFunctionCall1(int8in, CStringGetDatum(text))));
		case CRM_KEY_UUID:
			return DatumGetCString(DirectFunctionCall1(uuid_out, DirectFunctionCall1(uuid_in, CStringGetDatum(text))));
		case CRM_KEY_TEXT:
			break;
	}
	return text;
}

/* Looks one row of the dictionary up by one of its two unique indexes; copies what the caller wants. */
static bool
look_up(const crm_population *population, const char *key, int64 *id, char **key_of_id)
{
	Relation	table = crm_catalogue_open("population_key", AccessShareLock);
	const char *index_name = key != NULL ? "population_key_population_id_key_key" : "population_key_pkey";
	Relation	index = crm_catalogue_index(table, index_name);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found;

	ScanKeyInit(&keys[0], KEY_POPULATION, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(population->id));
	if (key != NULL)
	{
		ScanKeyInit(&keys[1], KEY_KEY, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(key));
		keys[1].sk_collation = DEFAULT_COLLATION_OID;
	}
	else
		ScanKeyInit(&keys[1], KEY_ID, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(*id));
	scan = systable_beginscan_ordered(table, index, GetActiveSnapshot(), 2, keys);
	tuple = systable_getnext_ordered(scan, ForwardScanDirection);
	found = HeapTupleIsValid(tuple);
	if (found)
	{
		bool		isnull;

		if (key != NULL)
			*id = DatumGetInt64(heap_getattr(tuple, KEY_ID, RelationGetDescr(table), &isnull));
		else
			*key_of_id = TextDatumGetCString(heap_getattr(tuple, KEY_KEY, RelationGetDescr(table), &isnull));
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(table, AccessShareLock);
	return found;
}

bool
crm_key_in_dictionary(const crm_population *population, const char *key)
{
	return population->key_form != CRM_KEY_INTEGER || key[0] == '-';
}

bool
crm_key_number(const crm_population *population, const char *key, int64 *id)
{
	if (!crm_key_in_dictionary(population, key))
	{
		*id = DatumGetInt64(DirectFunctionCall1(int8in, CStringGetDatum(key)));
		return true;
	}
	return look_up(population, key, id, NULL);
}

bool
crm_key_id(const crm_population *population, Datum key, Oid type, int64 *id)
{
	return crm_key_number(population, canonical_key(population, key, type), id);
}

char *
crm_key_of_id(const crm_population *population, int64 id)
{
	char	   *key;

	if (id < 0)
		return NULL;
	if ((population->key_form != CRM_KEY_INTEGER || id > DICTIONARY_FROM) &&
		look_up(population, NULL, &id, &key))
		return key;
	if (population->key_form == CRM_KEY_INTEGER)
		return psprintf(INT64_FORMAT, id);
	return NULL;
}

const char *
crm_key_cast(Oid type)
{
	return type == BPCHAROID ? "pg_catalog.bpchar" : format_type_be_qualified(type);
}

bool
crm_key_visible(const crm_population *population, Datum key, Oid type)
{
	StringInfoData sql;
	Oid			types[1] = {TEXTOID};
	Datum		values[1];
	Oid			key_type = getBaseType(crm_population_key_type(population));
	crm_owner_session session;
	bool		visible;

	/* the key is cast, not the column, so that the source's index serves */
	values[0] = CStringGetTextDatum(canonical_key(population, key, type));
	if (population->key_form == CRM_KEY_INTEGER)
		key_type = INT8OID;		/* a key beyond a smallint column is not there, rather than an error */
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT 1 FROM %s WHERE customer.%s OPERATOR(pg_catalog.=) $1::%s LIMIT 1",
					 crm_population_rows(population, "customer", GetCurrentTransactionStartTimestamp()), quote_identifier(population->key_column),
					 crm_key_cast(key_type));
	crm_lookup_begin(&session, population);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args(sql.data, 1, types, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "looking a customer up failed");
	visible = SPI_processed > 0;
	SPI_finish();
	crm_lookup_end(&session);
	return visible;
}

/* ---- SQL ------------------------------------------------------------------------------------ */

static crm_population *
argument_population(FunctionCallInfo fcinfo, int argument)
{
	return crm_population_find(PG_ARGISNULL(argument) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(argument)));
}

/* Whoever defines tags, or reads whole sets of all scopes, knows the customers. */
static bool
may_know_all_keys(const crm_population *population)
{
	crm_scopes *scopes;

	if (crm_rights_may_define(population))
		return true;
	scopes = crm_rights_try_readable(population);
	return scopes != NULL && scopes->all;
}

/* customer_id(text | bigint | uuid, population text): the first argument's type is read from the call. */
CRM_FUNCTION(crm_customer_id);
Datum
crm_customer_id(PG_FUNCTION_ARGS)
{
	crm_population *population;
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);
	int64		id;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	population = argument_population(fcinfo, 1);
	if (!crm_key_id(population, PG_GETARG_DATUM(0), type, &id))
		PG_RETURN_NULL();
	/* that the dictionary knows a key tells of a customer; that an integer is its own id tells nothing */
	if ((population->key_form != CRM_KEY_INTEGER || id > DICTIONARY_FROM) &&
		!may_know_all_keys(population) && !crm_key_visible(population, PG_GETARG_DATUM(0), type))
		PG_RETURN_NULL();
	PG_RETURN_INT64(id);
}

CRM_FUNCTION(crm_customer_key);
Datum
crm_customer_key(PG_FUNCTION_ARGS)
{
	crm_population *population;
	char	   *key;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	population = argument_population(fcinfo, 1);
	key = crm_key_of_id(population, PG_GETARG_INT64(0));
	if (key == NULL || !crm_key_visible(population, CStringGetTextDatum(key), TEXTOID))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(key));
}

/* population_keys(population): the dictionary, rights asked once rather than for every row. */
CRM_FUNCTION(crm_population_keys);
Datum
crm_population_keys(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	crm_population *population;
	Relation	table;
	Relation	index;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	InitMaterializedSRF(fcinfo, 0);
	population = argument_population(fcinfo, 0);
	/* the second half raises the error that says what is missing */
	if (!may_know_all_keys(population) && !crm_rights_readable(population)->all)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for all keys of population \"%s\"", population->name),
				 errdetail("Only some of its scopes are granted to you."),
				 errhint("Use %s.member_keys, which gives those of your scopes.", crm_schema())));

	table = crm_catalogue_open("population_key", AccessShareLock);
	index = crm_catalogue_index(table, "population_key_pkey");
	ScanKeyInit(&key, KEY_POPULATION, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(population->id));
	scan = systable_beginscan_ordered(table, index, GetActiveSnapshot(), 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		Datum		values[3];
		bool		nulls[3];

		CHECK_FOR_INTERRUPTS();
		heap_deform_tuple(tuple, RelationGetDescr(table), values, nulls);
		tuplestore_putvalues(result->setResult, result->setDesc, values + 1, nulls + 1);
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(table, AccessShareLock);
	return (Datum) 0;
}
