/*
 * query.c - a query that a caller gives as text: checked, and run as him.
 */
#include "common/query.h"

#include "access/transam.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "tcop/dest.h"
#include "utils/plancache.h"
#include "utils/resowner.h"

TupleDesc
crm_select_columns(SPIPlanPtr plan, const char *whose, const char *example)
{
	List	   *sources = SPI_plan_get_plan_sources(plan);
	CachedPlanSource *statement = NULL;
	Query	   *query = NULL;

	if (list_length(sources) == 1)
	{
		statement = linitial(sources);
		if (list_length(statement->query_list) == 1)
			query = linitial_node(Query, statement->query_list);
	}
	if (query == NULL || query->commandType != CMD_SELECT || statement->resultDesc == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query of %s must be exactly one SELECT", whose),
				 errhint("Write as in '%s'.", example)));
	if (query->hasModifyingCTE || query->rowMarks != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query of %s must not change or lock rows", whose),
				 errhint("It may neither have INSERT, UPDATE or DELETE in a WITH clause, nor FOR UPDATE or FOR SHARE.")));
	return statement->resultDesc;
}

/* An estimate fits an integer, however wild it is. */
#define MOST_ROWS 1e15
/* How many times what reading a copy costs a query may cost that is run again. */
#define AS_DEAR 3

/* The plan that it will be run by, until ReleaseCachedPlan; NULL where that depends on parameters, whose values are not known. */
static PlannedStmt *
open_plan(SPIPlanPtr plan, CachedPlan **cached)
{
	CachedPlanSource *statement = linitial(SPI_plan_get_plan_sources(plan));

	*cached = NULL;
	if (statement->num_params == 0 && statement->parserSetup == NULL)
		*cached = SPI_plan_get_cached_plan(plan);
	return *cached == NULL ? NULL : linitial_node(PlannedStmt, (*cached)->stmt_list);
}

static void
close_plan(SPIPlanPtr plan, CachedPlan *cached)
{
	CachedPlanSource *statement = linitial(SPI_plan_get_plan_sources(plan));

	ReleaseCachedPlan(cached, statement->is_saved ? CurrentResourceOwner : NULL);
}

double
crm_select_rows(SPIPlanPtr plan)
{
	CachedPlan *cached;
	PlannedStmt *planned = open_plan(plan, &cached);
	double		rows;

	if (planned == NULL)
		return 0;
	rows = planned->planTree->plan_rows;
	close_plan(plan, cached);
	return Min(rows, MOST_ROWS);
}

/* The server's own functions are what they say they are; others may be costly, and are what their authors say. */
static bool
is_not_built_in(Oid function, void *context)
{
	return function >= FirstUnpinnedObjectId;
}

static bool
calls_others(Node *node, void *context)
{
	if (node == NULL)
		return false;
	/* a domain has checks of its own */
	if (IsA(node, CoerceToDomain) || check_functions_in_node(node, is_not_built_in, NULL))
		return true;
	return expression_tree_walker(node, calls_others, context);
}

/* Reads relations of the server as they lie, and computes with what is built in. */
static bool
is_scan(const Plan *plan)
{
	const Node *expressions[] = {(const Node *) plan->targetlist, (const Node *) plan->qual};
	ListCell   *cell;

	/* foreign and distributed relations are read by other nodes, and have snapshots of their own */
	if (!IsA(plan, SeqScan) && !IsA(plan, Append) && !IsA(plan, Gather))
		return false;
	for (int i = 0; i < lengthof(expressions); i++)
		if (contain_volatile_functions((Node *) expressions[i]) || calls_others((Node *) expressions[i], NULL))
			return false;
	if (IsA(plan, Append))
		foreach(cell, ((const Append *) plan)->appendplans)
			if (!is_scan(lfirst(cell)))
				return false;
	return outerPlan(plan) == NULL || is_scan(outerPlan(plan));
}

bool
crm_select_repeats(SPIPlanPtr plan)
{
	CachedPlan *cached;
	PlannedStmt *planned = open_plan(plan, &cached);
	const Plan *tree;
	bool		repeats;

	if (planned == NULL)
		return false;
	tree = planned->planTree;
	/* of few columns of wide rows, or few rows of many, a copy is read sooner */
	repeats = planned->subplans == NIL && is_scan(tree) &&
		tree->total_cost <= AS_DEAR * tree->plan_rows * (cpu_tuple_cost + seq_page_cost * tree->plan_width / BLCKSZ);
	close_plan(plan, cached);
	return repeats;
}

typedef struct row_receiver
{
	DestReceiver pub;
	void		(*take) (TupleTableSlot *slot, void *arg);
	void	   *arg;
} row_receiver;

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	row_receiver *receiver = (row_receiver *) self;

	receiver->take(slot, receiver->arg);
	return true;
}

static void
receiver_startup(DestReceiver *self, int operation, TupleDesc desc)
{
}

static void
receiver_nothing(DestReceiver *self)
{
}

void
crm_select_run(SPIPlanPtr plan, ParamListInfo params, void (*take) (TupleTableSlot *slot, void *arg), void *arg)
{
	row_receiver receiver = {{receive_row, receiver_startup, receiver_nothing, receiver_nothing, DestNone}, take, arg};
	SPIExecuteOptions options = {0};

	options.params = params;
	options.read_only = true;	/* the active snapshot */
	options.dest = &receiver.pub;
	if (SPI_execute_plan_extended(plan, &options) < 0)
		elog(ERROR, "a query failed");
}
