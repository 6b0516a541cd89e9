/*
 * pending.c - whose stored tags may be wrong now, see pending.h.
 *
 * Keys of other relations are led to customers here, in the reader's snapshot,
 * and not where they are written: when one transaction books on an account
 * while another gives the account to a new owner, neither sees the other, but
 * who sees both sees the new owner.
 */
#include "common/crm.h"

#include "behavior/behavior.h"
#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "executor/spi.h"
#include "tag/change_log.h"
#include "tag/due.h"
#include "tag/pending.h"
#include "tag/readers.h"
#include "tag/track.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

/* Beyond so many a scan of all customers costs less than looking each of them up. */
#define MOST_PENDING 300000

typedef struct pending_walk
{
	const crm_population *population;
	crm_ids_collector *collector;
} pending_walk;

static void
add_ids(pending_walk *walk, const uint64 *ids, size_t count)
{
	crm_check(crm_ids_collector_add_many(walk->collector, ids, count), CRM_AUDIENCE_NAME, false);
}

static int
compare_keys(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Each key once. */
static int
distinct_keys(char **keys, int count)
{
	int			n = 0;

	qsort(keys, count, sizeof(char *), compare_keys);
	for (int i = 0; i < count; i++)
		if (n == 0 || strcmp(keys[n - 1], keys[i]) != 0)
			keys[n++] = keys[i];
	return n;
}

/* A key that has no number is no customer's: his own row would have brought it. */
static void
add_keys(pending_walk *walk, char **keys, int count)
{
	for (int i = 0; i < count; i++)
	{
		int64		id;
		uint64		one;

		CHECK_FOR_INTERRUPTS();
		if (!crm_key_number(walk->population, keys[i], &id))
			continue;
		one = (uint64) id;
		add_ids(walk, &one, 1);
	}
}

/* The customers to whom keys of another relation lead, as the population's owner sees it. */
static void
add_led_to(pending_walk *walk, const crm_tracked *tracked, char **keys, int count)
{
	Datum	   *elements = palloc(count * sizeof(Datum));
	char	  **customers;
	uint64		found;
	MemoryContext caller = CurrentMemoryContext;
	crm_owner_session session;
	const char *customer = quote_identifier(tracked->via_customer);
	char	   *sql;
	Oid			type = TEXTARRAYOID;
	Datum		argument;

	if (get_rel_name(tracked->via) == NULL)
		return;					/* nobody is led to any more */
	for (int i = 0; i < count; i++)
		elements[i] = CStringGetTextDatum(keys[i]);
	argument = PointerGetDatum(construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT));
	sql = psprintf("SELECT DISTINCT via.%1$s::pg_catalog.text FROM %2$s AS via "
				   "WHERE via.%3$s OPERATOR(pg_catalog.=) ANY ($1::%4$s[]) AND via.%1$s IS NOT NULL",
				   customer, quote_qualified_identifier(get_namespace_name(get_rel_namespace(tracked->via)), get_rel_name(tracked->via)),
				   quote_identifier(tracked->via_key),
				   crm_key_cast(getBaseType(crm_column_type(tracked->via, tracked->via_key))));
	crm_rights_check_owner(walk->population->owner);
	crm_owner_begin(&session, walk->population->owner);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args(sql, 1, &type, &argument, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "looking customers up failed");
	found = SPI_processed;
	customers = MemoryContextAllocHuge(caller, (found + 1) * sizeof(char *));
	for (uint64 row = 0; row < found; row++)
		customers[row] = MemoryContextStrdup(caller, SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1));
	SPI_finish();
	crm_owner_end(&session);
	add_keys(walk, customers, (int) found);
}

static void
add_relation(pending_walk *walk, const crm_tracked *tracked, crm_logged_relation *logged)
{
	int			keys = distinct_keys(logged->keys, logged->key_count);

	if (!OidIsValid(tracked->via))
	{
		add_ids(walk, (const uint64 *) logged->ids, logged->id_count);
		add_keys(walk, logged->keys, keys);
		return;
	}
	if (logged->id_count > 0)
	{
		char	  **all = MemoryContextAllocHuge(CurrentMemoryContext, (logged->id_count + keys) * sizeof(char *));

		for (int i = 0; i < logged->id_count; i++)
			all[i] = psprintf(INT64_FORMAT, logged->ids[i]);
		if (keys > 0)
			memcpy(all + logged->id_count, logged->keys, keys * sizeof(char *));
		add_led_to(walk, tracked, all, distinct_keys(all, logged->id_count + keys));
	}
	else
		add_led_to(walk, tracked, logged->keys, keys);
}

/* Partitions that came or went brought or took rows which no trigger saw. */
static bool
trees_changed(List *list)
{
	ListCell   *cell;

	foreach(cell, list)
	{
		const crm_tracked *tracked = lfirst(cell);

		if (crm_track_tree(tracked->relation) != tracked->tree)
			return true;
	}
	return false;
}

static void
take_set(pending_walk *walk, crm_pending *pending)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_ids_builder *builder;
	crm_ids_runs runs;
	uint64		first;
	uint64		last;
	uint64		count;

	crm_check(crm_ids_builder_new(&env, &builder), CRM_AUDIENCE_NAME, false);
	crm_check(crm_ids_collector_build(walk->collector, builder), CRM_AUDIENCE_NAME, false);
	crm_ids_collector_free(walk->collector);
	count = crm_ids_builder_cardinality(builder);
	pending->set = crm_ids_take(&env, builder);
	pending->everybody = count > MOST_PENDING;
	if (pending->everybody)
		return;
	pending->ids = palloc((count + 1) * sizeof(int64));
	crm_ids_runs_first(&runs, pending->set);
	while (crm_ids_runs_next(&runs, &first, &last))
		for (uint64 id = first; id <= last; id++)
			pending->ids[pending->count++] = (int64) id;
}

crm_pending *
crm_pending_read(const crm_population *population, TimestampTz until)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	pending_walk walk = {population, NULL};
	crm_pending *pending;
	crm_logged	logged;
	List	   *list;
	ListCell   *cell;

	if (!population->tracked)
		return NULL;
	pending = palloc0(sizeof(crm_pending));
	list = crm_track_list(population);
	crm_log_read(population, &logged);
	pending->rows = logged.rows;
	pending->everybody = logged.everybody || trees_changed(list);
	if (pending->everybody)
		return pending;

	crm_check(crm_ids_collector_new(&env, &walk.collector), CRM_AUDIENCE_NAME, false);
	foreach(cell, list)
	{
		const crm_tracked *tracked = lfirst(cell);
		ListCell   *other;

		foreach(other, logged.relations)
			if (((crm_logged_relation *) lfirst(other))->relation_no == tracked->number)
				add_relation(&walk, tracked, lfirst(other));
	}
	crm_due_read(population, until, walk.collector);
	take_set(&walk, pending);
	return pending->everybody || pending->count > 0 ? pending : NULL;
}

void
crm_pending_store_timelines(const crm_population *population, const crm_pending *pending)
{
	if (population->has_events && pending != NULL)
		crm_timelines_rebuild(population, pending->everybody ? NULL : pending->ids, pending->count);
}
