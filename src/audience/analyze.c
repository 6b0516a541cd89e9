/*
 * analyze.c - what ANALYZE notes of a column of audiences: how many members they
 * have, so that a query over stored audiences is planned with more than a guess.
 */
#include "audience/audience.h"

#include "audience/plan.h"
#include "catalog/pg_statistic.h"
#include "commands/vacuum.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/plannodes.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"

CRM_FUNCTION(crm_audience_typanalyze);

/*
 * The slot in pg_statistic, of the codes for private use: numbers mean and
 * largest of the members in the sample.
 */
#define STATISTIC_KIND_MEMBERS 21741

typedef struct standard_analysis
{
	AnalyzeAttrComputeStatsFunc compute;
	void	   *extra;
} standard_analysis;

static void
compute_members(VacAttrStats *stats, AnalyzeAttrFetchFunc fetch, int rows, double total)
{
	standard_analysis *standard = stats->extra_data;
	MemoryContext work;
	MemoryContext caller;
	double		sum = 0;
	double		largest = 0;
	int			count = 0;
	int			slot = 0;

	stats->extra_data = standard->extra;
	standard->compute(stats, fetch, rows, total);
	stats->extra_data = standard;

	work = AllocSetContextCreate(CurrentMemoryContext, "members of audiences", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(work);
	for (int i = 0; i < rows; i++)
	{
		bool		isnull;
		Datum		value = fetch(stats, i, &isnull);
		double		members;

		CHECK_FOR_INTERRUPTS();
		if (isnull)
			continue;
		members = (double) crm_audience_cardinality_of(value, NULL);
		sum += members;
		largest = Max(largest, members);
		count++;
		MemoryContextReset(work);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);

	while (slot < STATISTIC_NUM_SLOTS && stats->stakind[slot] != 0)
		slot++;
	if (stats->stats_valid && count > 0 && slot < STATISTIC_NUM_SLOTS)
	{
		float4	   *numbers = MemoryContextAlloc(stats->anl_context, 2 * sizeof(float4));

		numbers[0] = (float4) (sum / count);
		numbers[1] = (float4) largest;
		stats->stakind[slot] = STATISTIC_KIND_MEMBERS;
		stats->staop[slot] = InvalidOid;
		stats->stacoll[slot] = InvalidOid;
		stats->stanumbers[slot] = numbers;
		stats->numnumbers[slot] = 2;
	}
}

Datum
crm_audience_typanalyze(PG_FUNCTION_ARGS)
{
	VacAttrStats *stats = (VacAttrStats *) PG_GETARG_POINTER(0);
	standard_analysis *standard;

	if (!std_typanalyze(stats))
		PG_RETURN_BOOL(false);
	standard = palloc(sizeof(standard_analysis));
	standard->compute = stats->compute_stats;
	standard->extra = stats->extra_data;
	stats->compute_stats = compute_members;
	stats->extra_data = standard;
	PG_RETURN_BOOL(true);
}

/* ---- for the planner --------------------------------------------------------------- */

/*
 * The column that a sub-SELECT's value comes from: an InitPlan is planned by the
 * time that anything is estimated with its result.
 */
static Node *
column_of_subselect(PlannerInfo **root, const Param *param)
{
	for (PlannerInfo *level = *root; level != NULL; level = level->parent_root)
	{
		ListCell   *cell;

		foreach(cell, level->init_plans)
		{
			SubPlan    *subplan = lfirst_node(SubPlan, cell);
			Plan	   *plan;
			TargetEntry *entry;

			if (!list_member_int(subplan->setParam, param->paramid))
				continue;
			plan = list_nth(level->glob->subplans, subplan->plan_id - 1);
			if (plan->targetlist == NIL)
				return NULL;
			entry = linitial_node(TargetEntry, plan->targetlist);
			*root = list_nth(level->glob->subroots, subplan->plan_id - 1);
			return (Node *) entry->expr;
		}
	}
	return NULL;
}

bool
crm_set_statistics(PlannerInfo *root, Node *set, double *mean, double *largest)
{
	VariableStatData column;
	AttStatsSlot slot;
	bool		known = false;

	if (root != NULL && IsA(set, Param) && ((Param *) set)->paramkind == PARAM_EXEC)
		set = column_of_subselect(&root, (Param *) set);
	if (root == NULL || set == NULL || !IsA(set, Var) ||
		((Var *) set)->varlevelsup > 0 || IS_SPECIAL_VARNO(((Var *) set)->varno) ||
		((Var *) set)->varno >= root->simple_rel_array_size)
		return false;
	examine_variable(root, set, 0, &column);
	if (HeapTupleIsValid(column.statsTuple) &&
		get_attstatsslot(&slot, column.statsTuple, STATISTIC_KIND_MEMBERS, InvalidOid, ATTSTATSSLOT_NUMBERS))
	{
		known = slot.nnumbers == 2;
		if (known)
		{
			*mean = slot.numbers[0];
			*largest = slot.numbers[1];
		}
		free_attstatsslot(&slot);
	}
	ReleaseVariableStats(column);
	return known;
}
