/*
 * tag_base.c - which tags rest on which others (tag_base.h).
 *
 * A row is direct when the current rule names the base, and has a version when
 * the stored set was evaluated with it, by way of others too: customers who
 * are evaluated between refreshes are judged by the rules of all others.
 */
#include "common/crm.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "tag/tag_base.h"
#include "utils/array.h"

static Datum
tag_ids(List *tags)
{
	Datum	   *ids = palloc((list_length(tags) + 1) * sizeof(Datum));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, tags)
		ids[n++] = Int32GetDatum(((crm_tag *) lfirst(cell))->id);
	return PointerGetDatum(construct_array(ids, n, INT4OID, 4, true, TYPALIGN_INT));
}

void
crm_bases_store(const crm_population *population, const char *name, const crm_rule *rule)
{
	Datum	   *names = palloc((list_length(rule->bases) + 1) * sizeof(Datum));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, rule->bases)
		names[n++] = CStringGetTextDatum(lfirst(cell));
	/* the stored set rests on the earlier ones still */
	(void) crm_catalogue_write("UPDATE @.tag_base SET direct = false WHERE tag_id = (SELECT tag_id FROM @.tag_definition WHERE population_id = $1 AND name = $2)",
							   2, INT4OID, Int32GetDatum(population->id), false, TEXTOID, CStringGetTextDatum(name), false);
	(void) crm_catalogue_write("INSERT INTO @.tag_base (tag_id, base_tag_id, direct) "
							   "SELECT t.tag_id, b.tag_id, true FROM @.tag_definition t, @.tag_definition b "
							   "WHERE t.population_id = $1 AND t.name = $2 AND b.population_id = $1 AND b.name = ANY ($3) "
							   "ON CONFLICT (tag_id, base_tag_id) DO UPDATE SET direct = true",
							   3, INT4OID, Int32GetDatum(population->id), false, TEXTOID, CStringGetTextDatum(name), false,
							   TEXTARRAYOID, PointerGetDatum(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT)), false);
	(void) crm_catalogue_write("DELETE FROM @.tag_base WHERE NOT direct AND refreshed_version IS NULL "
							   "AND tag_id = (SELECT tag_id FROM @.tag_definition WHERE population_id = $1 AND name = $2)",
							   2, INT4OID, Int32GetDatum(population->id), false, TEXTOID, CStringGetTextDatum(name), false);
}

void
crm_bases_store_refreshed(List *tags, List *rules)
{
	crm_catalogue_session session;
	ListCell   *tag_cell;
	ListCell   *rule_cell;

	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("UPDATE @.tag_base SET refreshed_version = NULL WHERE tag_id = ANY ($1)", 1, INT4ARRAYOID, tag_ids(tags), false);
	forboth(tag_cell, tags, rule_cell, rules)
	{
		ListCell   *cell;

		foreach(cell, ((crm_rule *) lfirst(rule_cell))->rests)
		{
			const crm_tag *base = lfirst(cell);

			(void) crm_catalogue_write("INSERT INTO @.tag_base (tag_id, base_tag_id, direct, refreshed_version) VALUES ($1, $2, false, $3) "
									   "ON CONFLICT (tag_id, base_tag_id) DO UPDATE SET refreshed_version = excluded.refreshed_version",
									   3, INT4OID, Int32GetDatum(((crm_tag *) lfirst(tag_cell))->id), false,
									   INT4OID, Int32GetDatum(base->id), false,
									   INT4OID, Int32GetDatum(base->version), false);
		}
	}
	(void) crm_catalogue_write("DELETE FROM @.tag_base WHERE NOT direct AND refreshed_version IS NULL AND tag_id = ANY ($1)",
							   1, INT4ARRAYOID, tag_ids(tags), false);
	crm_catalogue_end(&session);
}

/* Tags that rest on the tag, for an error; NULL when there are none. */
static char *
dependents_of(const crm_tag *tag)
{
	crm_catalogue_session session;
	char	   *dependents;

	crm_catalogue_begin(&session);
	(void) crm_catalogue_read("SELECT string_agg('\"' || d.name || '\"', ', ' ORDER BY d.name COLLATE \"C\") "
							  "FROM @.tag_base b JOIN @.tag_definition d ON d.tag_id = b.tag_id WHERE b.base_tag_id = $1",
							  1, INT4OID, Int32GetDatum(tag->id), false);
	dependents = crm_catalogue_text(&session, 0, 1);
	crm_catalogue_end(&session);
	return dependents;
}

void
crm_bases_require_no_dependents(const crm_tag *tag)
{
	char	   *dependents = dependents_of(tag);

	if (dependents != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop tag \"%s\" because other tags rest on it", tag->name),
				 errdetail("These are: %s.", dependents),
				 errhint("Drop these first, or give them other rules by %s.replace_tag and refresh them.", crm_schema())));
}

void
crm_bases_require_alone(const crm_tag *tag)
{
	char	   *dependents = dependents_of(tag);
	crm_catalogue_session session;
	bool		rests;

	crm_catalogue_begin(&session);
	rests = crm_catalogue_read("SELECT FROM @.tag_base WHERE tag_id = $1 "
							   "UNION ALL SELECT FROM @.tag_list l JOIN @.tag_definition d ON d.population_id = l.population_id AND d.name = l.name WHERE d.tag_id = $1",
							   1, INT4OID, Int32GetDatum(tag->id), false) > 0;
	crm_catalogue_end(&session);
	if (rests || dependents != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the owner of tag \"%s\" cannot change", tag->name),
				 dependents != NULL ? errdetail("Other tags rest on it, and run with the rights of the same owner: %s.", dependents) :
				 errdetail("It rests on other tags or on a list, which belong to the same owner."),
				 errhint("Let the new owner create it anew.")));
}

List *
crm_bases_versions(List *tags)
{
	crm_catalogue_session session;
	List	   *versions = NIL;
	uint64		n;

	crm_catalogue_begin(&session);
	n = crm_catalogue_read("SELECT base_tag_id, max(refreshed_version) FROM @.tag_base WHERE refreshed_version IS NOT NULL AND tag_id = ANY ($1) GROUP BY base_tag_id",
						   1, INT4ARRAYOID, tag_ids(tags), false);
	for (uint64 row = 0; row < n; row++)
	{
		MemoryContext old = MemoryContextSwitchTo(session.caller);
		crm_base_version *version = palloc(sizeof(crm_base_version));

		version->base_tag_id = (int32) crm_catalogue_number(row, 1, NULL);
		version->version = (int32) crm_catalogue_number(row, 2, NULL);
		versions = lappend(versions, version);
		MemoryContextSwitchTo(old);
	}
	crm_catalogue_end(&session);
	return versions;
}

crm_tag *
crm_tag_in_version(const crm_tag *tag, int32 version)
{
	crm_tag		earlier = *tag;

	earlier.refreshed_version = version;
	return crm_tag_as_refreshed(&earlier);
}
