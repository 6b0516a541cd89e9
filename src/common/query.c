/*
 * query.c - a query that a caller gives as text: checked, and run as him.
 */
#include "common/query.h"

#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
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

double
crm_select_rows(SPIPlanPtr plan)
{
	CachedPlanSource *statement = linitial(SPI_plan_get_plan_sources(plan));
	CachedPlan *cached;
	double		rows;

	/* a plan that knows no values of parameters is another one than will be run */
	if (statement->num_params > 0 || statement->parserSetup != NULL)
		return 0;
	cached = SPI_plan_get_cached_plan(plan);
	if (cached == NULL)
		return 0;
	rows = linitial_node(PlannedStmt, cached->stmt_list)->planTree->plan_rows;
	ReleaseCachedPlan(cached, statement->is_saved ? CurrentResourceOwner : NULL);
	return Min(rows, MOST_ROWS);
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
