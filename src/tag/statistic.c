/*
 * statistic.c - what rules need to know of the whole population, in the
 * catalogue.
 *
 * A refresh learns it anew.  Whoever evaluates single customers in between
 * takes what the last refresh of the tag has learned: the position of one
 * customer among all others does not change their tags until then.
 */
#include "common/crm.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "tag/statistic.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

static ArrayType *
ids_of(List *tags)
{
	Datum	   *ids = palloc((list_length(tags) + 1) * sizeof(Datum));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, tags)
		ids[n++] = Int32GetDatum(((crm_tag *) lfirst(cell))->id);
	return construct_array(ids, n, INT4OID, 4, true, TYPALIGN_INT);
}

/* The text under which a value is kept. */
static char *
value_text(const crm_bound_statistic *statistic)
{
	Oid			output;
	bool		is_varlena;

	getTypeOutputInfo(statistic->type, &output, &is_varlena);
	return OidOutputFunctionCall(output, statistic->value);
}

void
crm_statistics_store(List *tags, List *rules, const crm_bound *bound, TimestampTz as_of)
{
	crm_catalogue_session session;
	ListCell   *tag_cell;
	ListCell   *rule_cell;
	ListCell   *cell;

	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("DELETE FROM @.tag_statistic WHERE tag_id = ANY ($1)",
							   1, INT4ARRAYOID, PointerGetDatum(ids_of(tags)), false);
	if (bound != NULL)
		forboth(tag_cell, tags, rule_cell, rules)
		{
			foreach(cell, ((crm_rule *) lfirst(rule_cell))->statistics)
			{
				const crm_bound_statistic *statistic = lfirst(cell);

				(void) crm_catalogue_write("INSERT INTO @.tag_statistic (tag_id, statistic_no, kind, call, as_of, value) VALUES ($1, $2, $3, $4, $5, $6)",
										   6, INT4OID, Int32GetDatum(((crm_tag *) lfirst(tag_cell))->id), false,
										   INT4OID, Int32GetDatum(foreach_current_index(cell) + 1), false,
										   TEXTOID, CStringGetTextDatum(statistic->kind), false,
										   TEXTOID, CStringGetTextDatum(statistic->call), false,
										   TIMESTAMPTZOID, TimestampTzGetDatum(as_of), false,
										   TEXTOID, statistic->isnull ? (Datum) 0 : CStringGetTextDatum(value_text(statistic)), statistic->isnull);
			}
		}
	crm_catalogue_end(&session);
}

void
crm_statistics_read(List *tags, crm_bound *bound)
{
	List	   *wanted = crm_bound_list(bound);
	ArrayType  *ids = ids_of(tags);
	ListCell   *cell;

	foreach(cell, wanted)
	{
		crm_bound_statistic *statistic = lfirst(cell);
		crm_catalogue_session session;
		char	   *text = NULL;

		crm_catalogue_begin(&session);
		if (crm_catalogue_read("SELECT value FROM @.tag_statistic WHERE tag_id = ANY ($1) AND call = $2 ORDER BY learned_at DESC, tag_id LIMIT 1",
							   2, INT4ARRAYOID, PointerGetDatum(ids), false,
							   TEXTOID, CStringGetTextDatum(statistic->call), false) > 0)
			text = crm_catalogue_text(&session, 0, 1);
		crm_catalogue_end(&session);
		if (text == NULL)
			crm_bound_learn(bound, statistic, (Datum) 0, true);
		else
		{
			Oid			input;
			Oid			parameter;

			getTypeInputInfo(statistic->type, &input, &parameter);
			crm_bound_learn(bound, statistic, OidInputFunctionCall(input, text, parameter, -1), false);
		}
	}
}

/* crm.tag_statistic_value(tag_id, statistic_no): NULL for others than the tag's owner */
CRM_FUNCTION(crm_tag_statistic_value);
Datum
crm_tag_statistic_value(PG_FUNCTION_ARGS)
{
	crm_catalogue_session session;
	Oid			owner = InvalidOid;
	char	   *value = NULL;

	crm_catalogue_begin(&session);
	if (crm_catalogue_read("SELECT d.owner::pg_catalog.oid::int, s.value FROM @.tag_statistic s JOIN @.tag_definition d ON d.tag_id = s.tag_id "
						   "WHERE s.tag_id = $1 AND s.statistic_no = $2",
						   2, INT4OID, PG_GETARG_DATUM(0), false, INT4OID, PG_GETARG_DATUM(1), false) > 0)
	{
		owner = (Oid) crm_catalogue_number(0, 1, NULL);
		value = crm_catalogue_text(&session, 0, 2);
	}
	crm_catalogue_end(&session);
	if (value == NULL || !has_privs_of_role(GetUserId(), owner))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(value));
}
