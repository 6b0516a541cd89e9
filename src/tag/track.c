/*
 * track.c - crm.track_population and crm.untrack_population.
 */
#include "common/crm.h"

#include "access/xact.h"
#include "utils/timestamp.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "nodes/makefuncs.h"
#include "storage/lmgr.h"
#include "tag/change_log.h"
#include "tag/scan_query.h"
#include "tag/track.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"

/* ---- the list ------------------------------------------------------------------------ */

List *
crm_track_list(const crm_population *population)
{
	crm_catalogue_session session;
	List	   *list = NIL;
	uint64		n;

	crm_catalogue_begin(&session);
	n = crm_catalogue_read("SELECT relation_no, relation::oid::int, key_column::text, customers, coalesce(via::oid, 0)::int, "
						   " via_key::text, via_customer::text, tree "
						   "FROM @.tracked_relation WHERE population_id = $1 ORDER BY relation_no",
						   1, INT4OID, Int32GetDatum(population->id), false);
	for (uint64 row = 0; row < n; row++)
	{
		MemoryContext old = MemoryContextSwitchTo(session.caller);
		crm_tracked *tracked = palloc0(sizeof(crm_tracked));

		tracked->number = (int32) crm_catalogue_number(row, 1, NULL);
		tracked->relation = (Oid) crm_catalogue_number(row, 2, NULL);
		tracked->key_column = crm_catalogue_required(&session, row, 3);
		tracked->customers = crm_catalogue_number(row, 4, NULL) != 0;
		tracked->via = (Oid) crm_catalogue_number(row, 5, NULL);
		if (OidIsValid(tracked->via))
		{
			tracked->via_key = crm_catalogue_required(&session, row, 6);
			tracked->via_customer = crm_catalogue_required(&session, row, 7);
		}
		tracked->tree = crm_catalogue_number(row, 8, NULL);
		list = lappend(list, tracked);
		MemoryContextSwitchTo(old);
	}
	crm_catalogue_end(&session);
	return list;
}

/* ---- what the caller asks for ------------------------------------------------------------ */

static Oid
relation_of_name(const char *name)
{
	return RangeVarGetRelid(makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name))), AccessShareLock, false);
}

/* The key of a relation must be of the form that the population's keys have. */
static void
check_customer_column(const crm_population *population, Oid relation, const char *column)
{
	Oid			type = crm_column_type(relation, column);

	if (!crm_key_form_fits(getBaseType(type), population->key_form))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of relation \"%s\" has type %s and cannot hold keys of population \"%s\"", column,
						get_rel_name(relation), format_type_be(type), population->name),
				 errhint("Name the column that holds the customer's key, or add \"via\" where it is another relation's key.")));
}

static crm_tracked *
add_tracked(List **list, Oid relation, const char *key, bool customers)
{
	crm_tracked *tracked = palloc0(sizeof(crm_tracked));

	tracked->number = list_length(*list) + 1;
	tracked->relation = relation;
	tracked->key_column = pstrdup(key);
	tracked->customers = customers;
	*list = lappend(*list, tracked);
	return tracked;
}

static bool
is_tracked_by(List *list, Oid relation, const char *key)
{
	ListCell   *cell;

	foreach(cell, list)
	{
		const crm_tracked *tracked = lfirst(cell);

		if (tracked->relation == relation && !OidIsValid(tracked->via) && strcmp(tracked->key_column, key) == 0)
			return true;
	}
	return false;
}

/* The relation of events and its key; InvalidOid when there is none. */
static Oid
events_of(const crm_population *population, char **key)
{
	crm_catalogue_session session;
	Oid			events;

	crm_catalogue_begin(&session);
	(void) crm_catalogue_read("SELECT coalesce(events::oid, 0)::int, event_key::text FROM @.population_definition WHERE population_id = $1",
							  1, INT4OID, Int32GetDatum(population->id), false);
	events = (Oid) crm_catalogue_number(0, 1, NULL);
	/* the tables' owner may have emptied it */
	*key = OidIsValid(events) ? crm_catalogue_required(&session, 0, 2) : NULL;
	crm_catalogue_end(&session);
	return get_rel_name(events) == NULL ? InvalidOid : events;
}

static bool
is_table(Oid relation)
{
	char		kind = get_rel_relkind(relation);

	return kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE;
}

/* One object of the caller's array, as texts; NULL for what it does not have. */
typedef struct asked_relation
{
	char	   *relation;
	char	   *key;
	char	   *customers;
	char	   *via;
	char	   *via_key;
	char	   *via_customer;
} asked_relation;

static List *
read_asked(Datum relations)
{
	crm_catalogue_session session;
	List	   *asked = NIL;
	uint64		n;

	crm_catalogue_begin(&session);
	if (crm_catalogue_read("SELECT k FROM jsonb_array_elements(CASE WHEN jsonb_typeof($1) = 'array' THEN $1 ELSE '[0]' END) r, "
						   "LATERAL (SELECT 'an element that is no object' WHERE jsonb_typeof(r) <> 'object' "
						   " UNION ALL SELECT k FROM jsonb_object_keys(CASE WHEN jsonb_typeof(r) = 'object' THEN r ELSE '{}' END) k "
						   "  WHERE k NOT IN ('relation', 'key', 'customers', 'via') "
						   " UNION ALL SELECT 'via.' || k FROM jsonb_object_keys(CASE WHEN jsonb_typeof(r -> 'via') = 'object' THEN r -> 'via' ELSE '{}' END) k "
						   "  WHERE k NOT IN ('relation', 'key', 'customer') "
						   " UNION ALL SELECT 'via that is no object' WHERE coalesce(jsonb_typeof(r -> 'via'), 'object') <> 'object' "
						   " UNION ALL SELECT 'customers that is no boolean' WHERE coalesce(jsonb_typeof(r -> 'customers'), 'boolean') <> 'boolean' "
						   ") u (k) LIMIT 1", 1, JSONBOID, relations, false) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument relations has %s", crm_catalogue_required(&session, 0, 1)),
				 errhint("It is an array of objects {\"relation\": ..., \"key\": ..., \"customers\": true or false, "
						 "\"via\": {\"relation\": ..., \"key\": ..., \"customer\": ...}}, of which \"customers\" and \"via\" may be left out.")));
	n = crm_catalogue_read("SELECT r ->> 'relation', r ->> 'key', r ->> 'customers', r -> 'via' ->> 'relation', r -> 'via' ->> 'key', r -> 'via' ->> 'customer', "
						   " (r -> 'via' IS NOT NULL)::int FROM jsonb_array_elements($1) r", 1, JSONBOID, relations, false);
	for (uint64 row = 0; row < n; row++)
	{
		MemoryContext old = MemoryContextSwitchTo(session.caller);
		asked_relation *one = palloc0(sizeof(asked_relation));

		one->relation = crm_catalogue_text(&session, row, 1);
		one->key = crm_catalogue_text(&session, row, 2);
		one->customers = crm_catalogue_text(&session, row, 3);
		one->via = crm_catalogue_text(&session, row, 4);
		one->via_key = crm_catalogue_text(&session, row, 5);
		one->via_customer = crm_catalogue_text(&session, row, 6);
		if (one->relation == NULL || one->key == NULL ||
			(crm_catalogue_number(row, 7, NULL) != 0 && (one->via == NULL || one->via_key == NULL || one->via_customer == NULL)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a relation to be tracked is not fully described"),
					 errdetail("Each needs \"relation\" and \"key\"; \"via\" needs \"relation\", \"key\" and \"customer\".")));
		asked = lappend(asked, one);
		MemoryContextSwitchTo(old);
	}
	crm_catalogue_end(&session);
	return asked;
}

/* The relations to be tracked: those asked for, or the source and the events. */
static List *
choose_relations(const crm_population *population, FunctionCallInfo fcinfo)
{
	List	   *list = NIL;
	char	   *event_key;
	Oid			events = events_of(population, &event_key);
	ListCell   *cell;

	if (PG_ARGISNULL(1))
	{
		/* what lies below views has to be named: the check for completeness says so */
		if (is_table(population->source))
			(void) add_tracked(&list, population->source, population->key_column, true);
	}
	else
	{
		List	   *asked = read_asked(PG_GETARG_DATUM(1));

		foreach(cell, asked)
		{
			const asked_relation *one = lfirst(cell);
			Oid			relation = relation_of_name(one->relation);
			bool		customers = one->customers != NULL ? strcmp(one->customers, "true") == 0 :
				one->via == NULL && relation != events;
			crm_tracked *tracked = add_tracked(&list, relation, one->key, customers);

			crm_track_check_relation(relation);
			(void) crm_column_type(relation, one->key);
			if (one->via == NULL)
			{
				check_customer_column(population, relation, one->key);
				continue;
			}
			tracked->customers = false;
			tracked->via = relation_of_name(one->via);
			tracked->via_key = one->via_key;
			tracked->via_customer = one->via_customer;
			crm_track_check_relation(tracked->via);
			(void) crm_column_type(tracked->via, one->via_key);
			check_customer_column(population, tracked->via, one->via_customer);
		}
		/* whom a key leads to changes with the relation in between */
		foreach(cell, list)
		{
			const crm_tracked *tracked = lfirst(cell);

			if (OidIsValid(tracked->via) && !is_tracked_by(list, tracked->via, tracked->via_customer))
				(void) add_tracked(&list, tracked->via, tracked->via_customer, false);
		}
	}
	if (OidIsValid(events) && is_table(events) && !is_tracked_by(list, events, event_key))
		(void) add_tracked(&list, events, event_key, false);
	foreach(cell, list)
		crm_track_check_relation(((const crm_tracked *) lfirst(cell))->relation);
	crm_track_check_complete(population, events, list);
	return list;
}

/* ---- beginning and ending ------------------------------------------------------------------ */

static void
store_tracked(const crm_population *population, const crm_tracked *tracked)
{
	crm_catalogue_session session;
	bool		via = OidIsValid(tracked->via);

	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("INSERT INTO @.tracked_relation (population_id, relation_no, relation, key_column, customers, via, via_key, via_customer, tree) "
							   "VALUES ($1, $2, $3, $4::name, $5, $6, $7::name, $8::name, $9)",
							   9, INT4OID, Int32GetDatum(population->id), false,
							   INT4OID, Int32GetDatum(tracked->number), false,
							   REGCLASSOID, ObjectIdGetDatum(tracked->relation), false,
							   TEXTOID, CStringGetTextDatum(tracked->key_column), false,
							   BOOLOID, BoolGetDatum(tracked->customers), false,
							   REGCLASSOID, ObjectIdGetDatum(tracked->via), !via,
							   TEXTOID, via ? CStringGetTextDatum(tracked->via_key) : (Datum) 0, !via,
							   TEXTOID, via ? CStringGetTextDatum(tracked->via_customer) : (Datum) 0, !via,
							   INT8OID, Int64GetDatum(crm_track_tree(tracked->relation)), false);
	crm_catalogue_end(&session);
}

void
crm_track_end(const crm_population *population)
{
	List	   *list = crm_track_list(population);
	crm_catalogue_session session;
	ListCell   *cell;

	foreach(cell, list)
		crm_track_drop_triggers(population, lfirst(cell));
	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("DELETE FROM @.tracked_relation WHERE population_id = $1", 1, INT4OID, Int32GetDatum(population->id), false);
	(void) crm_catalogue_write("DELETE FROM @.change_log WHERE population_id = $1", 1, INT4OID, Int32GetDatum(population->id), false);
	crm_catalogue_end(&session);
}

bool
crm_track_renew(const crm_population *population)
{
	List	   *list = crm_track_list(population);
	bool		changed = false;
	ListCell   *cell;

	foreach(cell, list)
	{
		const crm_tracked *tracked = lfirst(cell);
		crm_owner_session owner;
		crm_catalogue_session session;
		bool		lacked;

		if (get_rel_name(tracked->relation) == NULL)
			continue;			/* the refresh says what is missing */
		crm_rights_check_owner(population->owner);
		crm_owner_begin(&owner, population->owner);
		lacked = crm_track_make_triggers(population, tracked) > 0;
		crm_owner_end(&owner);
		if (!lacked && crm_track_tree(tracked->relation) == tracked->tree)
			continue;
		changed = true;
		crm_catalogue_begin(&session);
		(void) crm_catalogue_write("UPDATE @.tracked_relation SET tree = $3 WHERE population_id = $1 AND relation_no = $2",
								   3, INT4OID, Int32GetDatum(population->id), false,
								   INT4OID, Int32GetDatum(tracked->number), false,
								   INT8OID, Int64GetDatum(crm_track_tree(tracked->relation)), false);
		crm_catalogue_end(&session);
	}
	if (changed)
		crm_log_everybody(population->id);
	return changed;
}

void
crm_track_refreshed(const crm_population *population, TimestampTz as_of)
{
	crm_log_delete(population);
	/* sets of the future are nobody's now */
	if (as_of > GetCurrentTransactionStartTimestamp())
		crm_log_everybody(population->id);
}

/* The population, its lock taken, as everybody's newest work has it; a snapshot to be popped. */
static crm_population *
lock_population(FunctionCallInfo fcinfo)
{
	crm_population *population;

	crm_catalogue_newest();
	population = crm_population_find(PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0)));
	crm_rights_require_owner(population);
	crm_population_lock(population);
	PopActiveSnapshot();
	crm_catalogue_newest();
	return crm_population_find_by_id(population->id);
}

/* All customers there are get their numbers now; those who come later bring theirs. */
static void
number_customers(crm_population *population)
{
	crm_scan_job job = {0};
	bool		any;

	PopActiveSnapshot();
	CommandCounterIncrement();
	/* whoever had written meanwhile has committed: CREATE TRIGGER waited for him */
	PushCopiedSnapshot(GetLatestSnapshot());
	any = population->key_form != CRM_KEY_INTEGER || crm_keys_any(population);
	job.population = population;
	job.owner = population->owner;
	job.dictionary = true;
	crm_keys_clear_sequence(population);
	population->tracked = true;
	if (any || population->key_form == CRM_KEY_INTEGER)
		(void) crm_keys_add(population, crm_scan_new_keys(&job));
}

CRM_FUNCTION(crm_track_population);
Datum
crm_track_population(PG_FUNCTION_ARGS)
{
	crm_population *population = lock_population(fcinfo);
	List	   *list;
	ListCell   *cell;

	crm_rights_check_owner(population->owner);
	(void) crm_population_key_type(population);
	/* rows that begin and end to be valid without a write are no triggers' matter, nor on the due list */
	if (population->valid_from != NULL || population->valid_to != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("population \"%s\" has history columns and cannot be tracked", population->name),
				 errdetail("Its rows begin and end to be valid by the clock, without a write."),
				 errhint("Refresh it on a schedule, or register a view of the rows that are valid now as another population.")));
	list = choose_relations(population, fcinfo);
	if (population->tracked)
		crm_track_end(population);
	foreach(cell, list)
	{
		(void) crm_track_make_triggers(population, lfirst(cell));
		store_tracked(population, lfirst(cell));
	}
	number_customers(population);
	/* what happened since the last refresh nobody has noted */
	crm_log_everybody(population->id);
	PopActiveSnapshot();
	PG_RETURN_VOID();
}

CRM_FUNCTION(crm_untrack_population);
Datum
crm_untrack_population(PG_FUNCTION_ARGS)
{
	crm_population *population = lock_population(fcinfo);

	crm_track_end(population);
	PopActiveSnapshot();
	PG_RETURN_VOID();
}
