/*
 * select.c - arguments that say which events of a timeline are meant.
 */
#include "behavior/timeline.h"

#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"

/* The texts of an argument, pointing into it. */
static int
selector_texts(struct varlena *source, bool is_array, crm_text *texts)
{
	ArrayType  *array;
	Datum	   *elements;
	bool	   *nulls;
	int			count;

	if (source == NULL)
	{
		texts[0] = (crm_text) {"*", 1};
		return 1;
	}
	if (!is_array)
	{
		texts[0] = (crm_text) {VARDATA_ANY(source), VARSIZE_ANY_EXHDR(source)};
		return 1;
	}
	array = DatumGetArrayTypeP(PointerGetDatum(source));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	if (ARR_NDIM(array) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("array of events must have one dimension and at least one element"),
				 errhint("Write as in ARRAY['view', 'order[channel=app]'].")));
	if (count > CRM_MAX_SELECTORS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many events: %d", count),
				 errdetail("There may be at most %d.", CRM_MAX_SELECTORS)));
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("element %d of an array of events must not be null", i + 1),
					 errhint("\"*\" means any event.")));
		texts[i] = (crm_text) {VARDATA_ANY(DatumGetPointer(elements[i])), VARSIZE_ANY_EXHDR(DatumGetPointer(elements[i]))};
	}
	return count;
}

crm_selectors *
behavior_parse_selectors(const crm_env *env, const crm_text *texts, int count)
{
	crm_selectors *selectors;
	crm_selector_error error;
	crm_status	status = crm_selectors_parse(env, texts, count, &selectors, &error);

	if (status == CRM_CORRUPT)
	{
		const crm_text *bad = &texts[error.selector];
		int			shown = pg_mbcliplen(bad->data, (int) bad->size, 200);

		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid selector of events \"%.*s\" at position %d", shown, bad->data,
						pg_mbstrlen_with_len(bad->data, (int) error.position) + 1),
				 errdetail("Expected %s.", error.expected),
				 errhint("A selector is the name of an event, as in order, with tests of its attributes where needed, as in order[channel=app,amount>=100]; * is any event.  A name or value with one of [ ] , = ! < > in it stands in double quotes.")));
	}
	crm_check(status, "crm.timeline", false);
	return selectors;
}

static void
parse_selectors(FunctionCallInfo fcinfo, struct varlena *source, bool is_array, behavior_selectors *slot)
{
	crm_env		env = crm_env_in(fcinfo->flinfo->fn_mcxt);
	crm_selectors *selectors = slot->selectors;
	struct varlena *kept = slot->source;
	crm_text	texts[CRM_MAX_SELECTORS];
	int			count;

	/* An error leaves the slot empty, never half of one and half of the other. */
	memset(slot, 0, sizeof(*slot));
	crm_selectors_free(selectors);
	if (kept != NULL)
		pfree(kept);

	count = selector_texts(source, is_array, texts);
	selectors = behavior_parse_selectors(&env, texts, count);
	if (source != NULL)
	{
		kept = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, VARSIZE_ANY(source));
		memcpy(kept, source, VARSIZE_ANY(source));
		slot->source = kept;
	}
	slot->selectors = selectors;
	slot->bound = crm_selectors_current(selectors);
	slot->ready = true;
}

void
behavior_select(FunctionCallInfo fcinfo, int argument, bool is_array, const crm_timeline *timeline,
				behavior_selectors *slot)
{
	struct varlena *source = NULL;

	if (!PG_ARGISNULL(argument))
		source = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(argument));
	else if (is_array)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("array of events must not be null")));
	if (!slot->ready || (source == NULL) != (slot->source == NULL) ||
		(source != NULL && (VARSIZE_ANY(source) != VARSIZE_ANY(slot->source) ||
							memcmp(source, slot->source, VARSIZE_ANY(source)) != 0)))
		parse_selectors(fcinfo, source, is_array, slot);
	crm_check(crm_selectors_bind(slot->selectors, timeline), "crm.timeline", false);
}
