/*
 * scan_state.h - the state of tag_scan_agg: the sets of all rules, built in one
 * scan, as an expanded object of type crm.agg_state.
 */
#ifndef CRM_SCAN_STATE_H
#define CRM_SCAN_STATE_H

#include "common/crm.h"
#include "kernel/tag_sets.h"
#include "kernel/value_table.h"
#include "tag/scan_plan.h"
#include "utils/expandeddatum.h"

typedef struct crm_scan_state
{
	ExpandedObjectHeader header;
	int			magic;
	MemoryContext context;
	crm_env		env;
	bytea	   *plan;
	int			chunk_bits;
	crm_scan   *scan;
	crm_tag_sets *sets;
	crm_value_table scopes;		/* code - 1 is the scope's index; the NULL scope stands apart */
	uint32		null_scope;		/* its index, or UINT32_MAX */
	uint32		scope_count;
	const char **scope_names;	/* by index; NULL for the NULL scope */
	bool		scoped;			/* rows come with scopes: of this process's rows alone */
	Oid		   *row_types;		/* of rows that come as one value: what they hold */
	bool	   *row_by_value;
	int			row_values;

	int			rows;			/* in the batch, not yet evaluated */
	uint64		ids[CRM_BATCH_ROWS];
	uint32		row_scopes[CRM_BATCH_ROWS];

	uint64		null_keys;		/* rows without a key: counted, else ignored */
	uint64		negative_keys;	/* integer keys that the dictionary has to number first */
	int64		negative_key;	/* the greatest of them */

	uint64		unknown_keys;	/* of the null keys: passing ids that are of no key (scan_passing.c) */

	struct crm_due_sets *due;	/* after a scan with due: who is due when */

	char	   *flat;			/* the flat form while it is being asked for */
	Size		flat_size;
} crm_scan_state;

extern crm_scan_state *crm_scan_state_new(MemoryContext parent, const bytea *plan, int chunk_bits);
/* Index of a scope (NULL: the NULL scope), added when it is new. */
extern uint32 crm_scan_state_scope(crm_scan_state *state, const char *text, Size length);
/* The state behind a datum of type crm.agg_state, flat or expanded; in_context for a copy. */
extern crm_scan_state *crm_scan_state_get(Datum value, MemoryContext in_context);
/* Adds what another state holds, flat or expanded; returns how many customers that are. */
extern uint64 crm_scan_state_merge(crm_scan_state *state, Datum other);
/* What another state's scopes and codes are here, added where they are new; in the current context. */
extern void crm_scan_state_maps(crm_scan_state *state, const crm_scan_state *other, uint32 **scope_map, uint16 ***code_maps);
/* Evaluates what stands in the batch. */
extern void crm_scan_state_flush(crm_scan_state *state);
/* Raises what went wrong with the numbers of a rule, with the tag's name. */
extern void crm_scan_check_numbers(const crm_scan_state *state, int rule, crm_status status);

#endif							/* CRM_SCAN_STATE_H */
