/*
 * overlay.c - pending customers laid over the stored sets, see overlay.h.
 *
 * A set that is read is the stored one without the pending customers, and those
 * of them who belong to it now.  The tags that a query names are evaluated as
 * they are asked for, those named together in one scan.
 */
#include "common/crm.h"

#include "access/xact.h"
#include "common/bridge.h"
#include "tag/evaluate.h"
#include "tag/fold.h"
#include "tag/number_tag.h"
#include "tag/overlay.h"
#include "tag/readers.h"
#include "utils/timestamp.h"

/* An evaluation, and which of its scopes the reader may read. */
typedef struct readable_evaluation
{
	crm_evaluation *evaluation;
	bool	   *scopes;
} readable_evaluation;

struct crm_overlay
{
	const crm_population *population;
	const crm_scopes *scopes;
	crm_env		env;
	MemoryContext context;
	crm_pending *pending;
	TimestampTz now;
	List	   *evaluations;	/* readable_evaluation */
	List	   *wanted;			/* numbers of the tags evaluated */
};

static crm_overlay *
new_overlay(const crm_population *population, const crm_scopes *scopes, const crm_env *env, crm_pending *pending)
{
	crm_overlay *overlay = palloc0(sizeof(crm_overlay));

	overlay->population = population;
	overlay->scopes = scopes;
	overlay->env = *env;
	overlay->context = CurrentMemoryContext;
	overlay->pending = pending;
	overlay->now = GetCurrentTransactionStartTimestamp();
	return overlay;
}

crm_overlay *
crm_overlay_begin(const crm_population *population, const crm_scopes *scopes, const crm_env *env)
{
	crm_pending *pending = crm_pending_read(population, GetCurrentTransactionStartTimestamp());

	if (pending == NULL)
		return NULL;
	crm_fold_if_long(population, pending->rows);
	return new_overlay(population, scopes, env, pending);
}

crm_overlay *
crm_overlay_begin_one(const crm_population *population, int64 id, const crm_env *env)
{
	static const crm_scopes all = {true, 0, NULL};
	crm_pending *pending = crm_pending_read(population, GetCurrentTransactionStartTimestamp());
	crm_pending *one;

	if (pending == NULL || (!pending->everybody && !crm_ids_contains(pending->set, (uint64) id)))
		return NULL;
	one = palloc0(sizeof(crm_pending));
	one->count = 1;
	one->ids = palloc(sizeof(int64));
	one->ids[0] = id;
	return new_overlay(population, &all, env, one);
}

/* ---- evaluating -------------------------------------------------------------------------- */

static void
evaluate(crm_overlay *overlay, Oid owner, List *tags)
{
	readable_evaluation *readable = palloc(sizeof(readable_evaluation));
	crm_scan_state *state;
	ListCell   *cell;

	readable->evaluation = crm_evaluate(overlay->population, owner, tags, overlay->pending, overlay->now, true, false);
	state = readable->evaluation->state;
	crm_evaluation_finish(overlay->population, state, NULL);
	readable->scopes = palloc((state->scope_count + 1) * sizeof(bool));
	for (uint32 i = 0; i < state->scope_count; i++)
		readable->scopes[i] = crm_rights_may_read_scope(overlay->population, overlay->scopes, state->scope_names[i]);
	overlay->evaluations = lappend(overlay->evaluations, readable);
	foreach(cell, tags)
		overlay->wanted = lappend_int(overlay->wanted, ((crm_tag *) lfirst(cell))->id);
}

void
crm_overlay_want(crm_overlay *overlay, List *tags)
{
	MemoryContext old = MemoryContextSwitchTo(overlay->context);
	List	   *open = NIL;
	ListCell   *cell;

	foreach(cell, tags)
	{
		crm_tag    *tag = lfirst(cell);
		crm_tag    *refreshed;

		if (list_member_int(overlay->wanted, tag->id))
			continue;
		refreshed = crm_tag_as_refreshed(tag);
		if (refreshed != NULL)
			open = lappend(open, refreshed);
	}
	while (open != NIL)
	{
		Oid			owner = ((crm_tag *) linitial(open))->owner;
		List	   *own = NIL;
		List	   *rest = NIL;

		foreach(cell, open)
		{
			crm_tag    *tag = lfirst(cell);

			if (tag->owner != owner)
				rest = lappend(rest, tag);
			else
				own = lappend(own, tag);
		}
		evaluate(overlay, owner, own);
		open = rest;
	}
	MemoryContextSwitchTo(old);
}

/* The evaluation that has the tag, and its number there; evaluated now when nobody wanted it before. */
static readable_evaluation *
find_evaluation(crm_overlay *overlay, const crm_tag *tag, int *rule)
{
	ListCell   *cell;

	crm_overlay_want(overlay, list_make1(unconstify(crm_tag *, tag)));
	foreach(cell, overlay->evaluations)
	{
		readable_evaluation *readable = lfirst(cell);
		ListCell   *other;

		foreach(other, readable->evaluation->tags)
			if (((crm_tag *) lfirst(other))->id == tag->id)
			{
				*rule = foreach_current_index(other);
				return readable;
			}
	}
	return NULL;				/* never refreshed: the caller has raised that */
}

/* The rows that the population's owner sees are the population. */
static readable_evaluation *
find_base(crm_overlay *overlay)
{
	MemoryContext old;
	ListCell   *cell;

	foreach(cell, overlay->evaluations)
		if (((readable_evaluation *) lfirst(cell))->evaluation->owner == overlay->population->owner)
			return lfirst(cell);
	old = MemoryContextSwitchTo(overlay->context);
	evaluate(overlay, overlay->population->owner, NIL);
	MemoryContextSwitchTo(old);
	return llast(overlay->evaluations);
}

/* ---- sets ----------------------------------------------------------------------------------- */

static crm_ids_collector *
new_collector(crm_overlay *overlay)
{
	crm_ids_collector *collector;

	crm_check(crm_ids_collector_new(&overlay->env, &collector), CRM_AUDIENCE_NAME, false);
	return collector;
}

static crm_ids
take(crm_overlay *overlay, crm_ids_collector *collector)
{
	crm_ids_builder *builder;

	crm_check(crm_ids_builder_new(&overlay->env, &builder), CRM_AUDIENCE_NAME, false);
	crm_check(crm_ids_collector_build(collector, builder), CRM_AUDIENCE_NAME, false);
	crm_ids_collector_free(collector);
	return crm_ids_take(&overlay->env, builder);
}

static crm_ids
combine(crm_overlay *overlay, crm_ids_op op, crm_ids a, crm_ids b)
{
	crm_ids_builder *builder;

	crm_check(crm_ids_builder_new(&overlay->env, &builder), CRM_AUDIENCE_NAME, false);
	crm_check(crm_ids_combine(&overlay->env, op, a, b, builder), CRM_AUDIENCE_NAME, false);
	return crm_ids_take(&overlay->env, builder);
}

/* The stored set without those pending. */
static crm_ids
without_pending(crm_overlay *overlay, crm_ids stored)
{
	return overlay->pending->everybody ? take(overlay, new_collector(overlay)) :
		combine(overlay, CRM_ANDNOT, stored, overlay->pending->set);
}

static crm_ids_builder *
lay_over(crm_overlay *overlay, crm_ids_builder *stored, crm_ids_collector *collector)
{
	crm_ids		rest = without_pending(overlay, crm_ids_take(&overlay->env, stored));
	crm_ids		now = take(overlay, collector);
	crm_ids_builder *builder;

	crm_check(crm_ids_builder_new(&overlay->env, &builder), CRM_AUDIENCE_NAME, false);
	crm_check(crm_ids_combine(&overlay->env, CRM_OR, rest, now, builder), CRM_AUDIENCE_NAME, false);
	overlay->env.release(overlay->env.arg, (void *) rest.data);
	overlay->env.release(overlay->env.arg, (void *) now.data);
	return builder;
}

crm_ids_builder *
crm_overlay_base(crm_overlay *overlay, crm_ids_builder *stored)
{
	readable_evaluation *base = find_base(overlay);
	crm_ids_collector *collector = new_collector(overlay);

	crm_evaluation_base(base->evaluation, base->scopes, collector);
	return lay_over(overlay, stored, collector);
}

crm_ids_builder *
crm_overlay_members(crm_overlay *overlay, const crm_tag *tag, const char *value, bool other, crm_ids_builder *stored)
{
	int			rule = 0;
	readable_evaluation *readable = find_evaluation(overlay, tag, &rule);
	crm_ids_collector *collector;

	if (readable == NULL)
		return stored;
	collector = new_collector(overlay);
	crm_evaluation_members(readable->evaluation, rule, value, other, readable->scopes, collector);
	return lay_over(overlay, stored, collector);
}

List *
crm_overlay_values(crm_overlay *overlay, const crm_tag *tag)
{
	int			rule = 0;
	readable_evaluation *readable = find_evaluation(overlay, tag, &rule);
	List	   *values = NIL;
	int			count = readable == NULL || tag->type != CRM_VALUE_TEXT ? 0 :
		crm_scan_value_count(readable->evaluation->state->scan, rule);

	for (int code = 1; code <= count; code++)
		values = lappend(values, pstrdup(crm_scan_value(readable->evaluation->state->scan, rule, code)));
	return values;
}

/* ---- numbers ----------------------------------------------------------------------------------- */

typedef struct evaluated_slices
{
	crm_overlay *overlay;
	readable_evaluation *readable;
	int			rule;
} evaluated_slices;

static crm_ids
evaluated_slice(void *arg, int slice)
{
	evaluated_slices *slices = arg;
	crm_ids_collector *collector = new_collector(slices->overlay);

	crm_evaluation_slice(slices->readable->evaluation, slices->rule, slice, slices->readable->scopes, collector);
	return take(slices->overlay, collector);
}

const crm_bsi *
crm_overlay_numbers(crm_overlay *overlay, const crm_tag *tag, const crm_bsi *stored)
{
	evaluated_slices slices = {overlay, NULL, 0};
	crm_bsi    *rest;
	crm_bsi    *now;
	crm_bsi    *sum;
	crm_bsi_image image;
	uint32		scale;
	int			count;

	slices.readable = find_evaluation(overlay, tag, &slices.rule);
	if (slices.readable == NULL)
		return stored;
	count = crm_evaluation_scale(slices.readable->evaluation, slices.rule, tag->number_scale, &scale);
	now = crm_numbers_assemble(evaluated_slice, &slices, count, (int) scale, &overlay->env);
	if (overlay->pending->everybody)
		return now;
	rest = palloc(sizeof(crm_bsi));
	*rest = *stored;
	rest->present = without_pending(overlay, stored->present);
	for (uint32 i = 0; i < stored->slices; i++)
		rest->slice[i] = without_pending(overlay, stored->slice[i]);
	if (crm_ids_count(now->present) == 0)
		return rest;
	/* nobody has a number in both: their sum is both together */
	if (crm_bsi_plus(&overlay->env, rest, now, &image) == CRM_OUT_OF_RANGE)
		crm_scan_check_numbers(slices.readable->evaluation->state, slices.rule, CRM_OUT_OF_RANGE);
	sum = palloc0(sizeof(crm_bsi));
	crm_bsi_image_view(&image, sum);
	return sum;
}

/* ---- one customer ---------------------------------------------------------------------------------- */

bool
crm_overlay_is_customer(crm_overlay *overlay)
{
	return crm_tag_sets_customers(find_base(overlay)->evaluation->state->sets) > 0;
}

/* The value that the one customer evaluated has; false when he does not have the tag. */
static bool
value_of_one(crm_overlay *overlay, readable_evaluation *readable, int rule, const crm_tag *tag, char **value)
{
	crm_scan_state *state = readable->evaluation->state;
	uint64		id = (uint64) overlay->pending->ids[0];
	evaluated_slices slices = {overlay, readable, rule};
	crm_ids_collector *collector = new_collector(overlay);
	crm_int128	number;
	uint32		scale;
	int			count;

	*value = NULL;
	crm_evaluation_members(readable->evaluation, rule, NULL, false, readable->scopes, collector);
	if (crm_ids_count(take(overlay, collector)) == 0)
		return false;
	switch (tag->type)
	{
		case CRM_VALUE_BOOLEAN:
			break;
		case CRM_VALUE_TEXT:
			for (int code = 1; code <= crm_scan_value_count(state->scan, rule) && *value == NULL; code++)
			{
				collector = new_collector(overlay);
				crm_evaluation_members(readable->evaluation, rule, crm_scan_value(state->scan, rule, code), false,
									   readable->scopes, collector);
				if (crm_ids_count(take(overlay, collector)) > 0)
					*value = pstrdup(crm_scan_value(state->scan, rule, code));
			}
			break;
		case CRM_VALUE_NUMERIC:
			count = crm_evaluation_scale(readable->evaluation, rule, tag->number_scale, &scale);
			if (crm_bsi_lookup(crm_numbers_assemble(evaluated_slice, &slices, count, (int) scale, &overlay->env), id, &number))
				*value = crm_number_text(number, (int) scale);
			break;
	}
	return true;
}

void
crm_overlay_each_tag(crm_overlay *overlay, void (*visit) (void *arg, const crm_tag *tag, char *value), void *arg)
{
	ListCell   *cell;

	foreach(cell, overlay->evaluations)
	{
		readable_evaluation *readable = lfirst(cell);
		ListCell   *other;

		foreach(other, readable->evaluation->tags)
		{
			const crm_tag *tag = lfirst(other);
			char	   *value;

			if (value_of_one(overlay, readable, foreach_current_index(other), tag, &value))
				visit(arg, tag, value);
		}
	}
}
