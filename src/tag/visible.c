/*
 * visible.c - what the row-level security of the catalogue tables asks.
 *
 * A policy asks for every row; the answer is worked out once for each population
 * and kept for the query.
 */
#include "common/crm.h"

#include "tag/kept.h"
#include "tag/readers.h"

/* crm.can_see_population(population_id) */
CRM_FUNCTION(crm_can_see_population);
Datum
crm_can_see_population(PG_FUNCTION_ARGS)
{
	bool	   *known = crm_kept_find(fcinfo, 1, 0);

	if (known == NULL)
	{
		known = MemoryContextAlloc(crm_kept_context(fcinfo, 1, 0), sizeof(bool));
		*known = crm_rights_may_see(crm_population_find_by_id(PG_GETARG_INT32(0)));
		crm_kept_store(fcinfo, known);
	}
	PG_RETURN_BOOL(*known);
}

/* What is kept of a population whose sets may be read in some scopes, or not at all. */
typedef struct readable
{
	crm_scopes *scopes;			/* NULL: not at all */
} readable;

/* crm.can_read_sets(population_id, scope_no); a NULL scope asks for any. */
CRM_FUNCTION(crm_can_read_sets);
Datum
crm_can_read_sets(PG_FUNCTION_ARGS)
{
	readable   *known;

	if (PG_ARGISNULL(0))
		PG_RETURN_BOOL(false);
	known = crm_kept_find(fcinfo, 1, 0);
	if (known == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(crm_kept_context(fcinfo, 1, 0));

		known = palloc(sizeof(readable));
		known->scopes = crm_rights_try_readable(crm_population_find_by_id(PG_GETARG_INT32(0)));
		MemoryContextSwitchTo(old);
		crm_kept_store(fcinfo, known);
	}
	PG_RETURN_BOOL(known->scopes != NULL &&
				   (PG_ARGISNULL(1) || crm_scopes_include(known->scopes, PG_GETARG_INT32(1))));
}
