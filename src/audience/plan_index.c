/*
 * plan_index.c - a membership test as an index condition.
 *
 * "id <@ set" becomes "id = ANY (the set's members)" where an index on the id
 * answers it.  A small constant set stands in the plan member by member.  Any
 * other whose size can be told at planning time, such as that of crm.tag, is
 * read when the scan begins:
 *
 *     id = ANY ((audience_index_keys(set, cost)).keys)
 *
 * The planner takes an array that it cannot see to have ten elements, and would
 * look up a million customers in an index.  So what the other look-ups cost,
 * worked out here for this index and this table, is a constant of the call, and
 * the support function of audience_index_keys hands it back as the cost of
 * evaluating it.  Whether index or whole table is then the planner's own choice.
 */
#include "audience/audience.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "audience/plan.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "parser/parse_func.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/spccache.h"

CRM_FUNCTION(crm_audience_id_support);
CRM_FUNCTION(crm_audience_index_keys);
CRM_FUNCTION(crm_audience_index_keys_support);

/* Constant sets up to this many members stand in the plan itself. */
#define PLAN_MEMBERS 1000

/* Sets beyond this are not looked up one by one: their array would have to be kept and sorted. */
#define LOOKUP_MEMBERS 1000000

/* A range of ids is read whole where at least one id in so many is a member. */
#define DENSE_RANGE 4

/* How many elements the planner takes an array to have that it cannot see (estimate_array_length). */
#define UNSEEN_ARRAY_LENGTH 10

/* The planner's price of visiting a page of an index, in operators (DEFAULT_PAGE_CPU_MULTIPLIER). */
#define PAGE_OPERATORS 50

/* ---- conditions ----------------------------------------------------------------- */

/* "id = ANY (array)". */
static List *
any_condition(SupportRequestIndexCondition *request, Node *id, Expr *array)
{
	Oid			equal = get_opfamily_member(request->opfamily, exprType(id), INT8OID, BTEqualStrategyNumber);
	ScalarArrayOpExpr *any;

	if (!OidIsValid(equal))
		return NIL;
	any = makeNode(ScalarArrayOpExpr);
	any->opno = equal;
	any->opfuncid = get_opcode(equal);
	any->useOr = true;
	any->args = list_make2(id, array);
	any->location = -1;
	request->lossy = false;
	return list_make1(any);
}

static Datum
members_array(const crm_audience *set)
{
	Datum	   *members;
	Datum		array;
	int			count = 0;
	crm_ids_runs runs;
	uint64		first;
	uint64		last;

	if (set->cardinality >= MaxAllocSize / sizeof(Datum) - 8)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("audience has too many members to be looked up in an index"),
				 errdetail("It has " UINT64_FORMAT " members.", set->cardinality),
				 errhint("The plan was made when the audience was small: plan the statement anew.")));
	members = palloc((set->cardinality + 1) * sizeof(Datum));
	crm_ids_runs_first(&runs, crm_audience_ids(set));
	while (crm_ids_runs_next(&runs, &first, &last))
	{
		CHECK_FOR_INTERRUPTS();
		for (uint64 member = first; member <= last; member++)
			members[count++] = Int64GetDatum((int64) member);
	}
	array = PointerGetDatum(construct_array(members, count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	pfree(members);
	return array;
}

static Expr *
bigint_constant(uint64 value)
{
	return (Expr *) makeConst(INT8OID, -1, InvalidOid, sizeof(int64), Int64GetDatum((int64) value), false, FLOAT8PASSBYVAL);
}

/* "id >= smallest AND id <= largest": what the index returns is tested again. */
static List *
range_condition(SupportRequestIndexCondition *request, Node *id, const crm_audience *set)
{
	Oid			from = get_opfamily_member(request->opfamily, exprType(id), INT8OID, BTGreaterEqualStrategyNumber);
	Oid			to = get_opfamily_member(request->opfamily, exprType(id), INT8OID, BTLessEqualStrategyNumber);
	uint64		smallest;
	uint64		largest;

	if (!OidIsValid(from) || !OidIsValid(to) ||
		!crm_ids_min(crm_audience_ids(set), &smallest) || !crm_ids_max(crm_audience_ids(set), &largest))
		return NIL;
	request->lossy = true;
	return list_make2(make_opclause(from, BOOLOID, false, (Expr *) id, bigint_constant(smallest), InvalidOid, InvalidOid),
					  make_opclause(to, BOOLOID, false, (Expr *) copyObject(id), bigint_constant(largest), InvalidOid, InvalidOid));
}

/* Do the ids lie so close together that what the index has between the first and the last is about the set? */
static bool
is_dense(const crm_audience *set)
{
	uint64		smallest = 0;
	uint64		largest = 0;

	return !crm_ids_min(crm_audience_ids(set), &smallest) || !crm_ids_max(crm_audience_ids(set), &largest) ||
		(largest - smallest) / DENSE_RANGE <= set->cardinality;
}

/* ---- what look-ups cost ------------------------------------------------------------ */

/*
 * The cost of finding the members of a set in the index and fetching their rows
 * in the order of ids, priced as cost_index and btcostestimate price one look-up
 * and cost_bitmap_heap_scan prices pages read in order.
 */
static double
lookup_cost(PlannerInfo *root, IndexOptInfo *index, double members, double rows)
{
	RelOptInfo *rel = index->rel;
	double		random_cost;
	double		page_cost;
	double		pages = Max(rel->pages, 1.0);
	double		leaves;
	double		heap;
	double		descent;

	get_tablespace_page_costs(index->reltablespace, &random_cost, &page_cost);
	leaves = index_pages_fetched(Max(Min(members, index->tuples), 1.0), Max(index->pages, 1), index->pages, root);
	descent = (ceil(log(Max(index->tuples, 2.0)) / log(2.0)) + (index->tree_height + 1) * PAGE_OPERATORS) * cpu_operator_cost;

	heap = index_pages_fetched(Max(rows, 1.0), rel->pages, index->pages, root);
	return members * descent
		+ leaves * (random_cost - (random_cost - page_cost) * sqrt(leaves / Max(index->pages, 1.0)))
		+ rows * (cpu_index_tuple_cost + cpu_tuple_cost + cpu_operator_cost)
		+ heap * (random_cost - (random_cost - page_cost) * sqrt(Min(heap / pages, 1.0)));
}

/* "id = ANY ((audience_index_keys(set, cost)).keys)", for a set of about so many members. */
static List *
keys_condition(SupportRequestIndexCondition *request, Node *id, Node *set, double members)
{
	IndexOptInfo *index = request->index;
	Oid			arguments[] = {getBaseType(exprType(set)), FLOAT8OID};
	Oid			keys;
	FieldSelect *array;
	double		present;
	double		rows;
	double		cost;

	if (members > LOOKUP_MEMBERS)
		return NIL;
	keys = LookupFuncName(list_make2(makeString(get_namespace_name(get_func_namespace(request->funcid))),
									 makeString("audience_index_keys")),
						  lengthof(arguments), arguments, true);
	if (!OidIsValid(keys))
		return NIL;
	rows = members / crm_different_ids(request->root, id, index->rel->relid, &present);
	rows = Min(rows, 1.0) * present * index->rel->tuples;
	cost = lookup_cost(request->root, index, members, rows);
	/* The planner prices the first ten itself. */
	cost *= members > UNSEEN_ARRAY_LENGTH ? 1 - UNSEEN_ARRAY_LENGTH / members : 0;
	array = makeNode(FieldSelect);
	array->arg = (Expr *) makeFuncExpr(keys, RECORDOID,
									   list_make2(copyObject(set),
												  makeConst(FLOAT8OID, -1, InvalidOid, sizeof(float8),
															Float8GetDatum(rint(cost)), false, FLOAT8PASSBYVAL)),
									   InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
	array->fieldnum = 1;
	array->resulttype = INT8ARRAYOID;
	array->resulttypmod = -1;
	return any_condition(request, id, (Expr *) array);
}

Datum
crm_audience_id_support(PG_FUNCTION_ARGS)
{
	Node	   *raw = (Node *) PG_GETARG_POINTER(0);
	SupportRequestIndexCondition *request;
	List	   *args = NIL;
	Node	   *id;
	Node	   *set;
	bool		ordered;
	bool		isnull;
	uint64		cardinality;
	double		mean;
	double		largest;

	if (!IsA(raw, SupportRequestIndexCondition))
		PG_RETURN_POINTER(NULL);
	request = (SupportRequestIndexCondition *) raw;
	if (IsA(request->node, OpExpr))
		args = ((OpExpr *) request->node)->args;
	else if (IsA(request->node, FuncExpr))
		args = ((FuncExpr *) request->node)->args;
	if (list_length(args) != 2 || request->index->relam != BTREE_AM_OID)
		PG_RETURN_POINTER(NULL);

	id = list_nth(args, request->indexarg);
	set = list_nth(args, 1 - request->indexarg);
	if (!crm_is_id_type(exprType(id)) || !is_pseudo_constant_for_index(request->root, set, request->index))
		PG_RETURN_POINTER(NULL);

	/*
	 * Before PostgreSQL 17 an array behind the index's first column makes the
	 * scan come out of order, which the planner knows of conditions written by
	 * the user only.
	 */
#if PG_VERSION_NUM >= 170000
	ordered = true;
#else
	ordered = request->indexcol == 0;
#endif

	if (IsA(set, Const))
	{
		crm_audience *audience;

		if (((Const *) set)->constisnull)
			PG_RETURN_POINTER(NULL);
		audience = crm_audience_fetch(((Const *) set)->constvalue, NULL, 0);
		if (!ordered)
			PG_RETURN_POINTER(range_condition(request, id, audience));
		if (audience->cardinality <= PLAN_MEMBERS)
			PG_RETURN_POINTER(any_condition(request, id,
											(Expr *) makeConst(INT8ARRAYOID, -1, InvalidOid, -1, members_array(audience), false, false)));
		if (is_dense(audience) || audience->cardinality > LOOKUP_MEMBERS)
			PG_RETURN_POINTER(range_condition(request, id, audience));
		PG_RETURN_POINTER(keys_condition(request, id, set, (double) audience->cardinality));
	}
	if (!ordered)
		PG_RETURN_POINTER(NULL);
	if (crm_known_set(request->root, set, &isnull, &cardinality))
		PG_RETURN_POINTER(isnull ? NIL : keys_condition(request, id, set, (double) cardinality));
	/* Of many sets the largest must be worth it, whichever it will be. */
	if (crm_set_statistics(request->root, set, &mean, &largest))
		PG_RETURN_POINTER(keys_condition(request, id, set, largest));
	PG_RETURN_POINTER(NULL);
}

/* ---- the members as keys -------------------------------------------------------------- */

/* audience_index_keys(set, cost): the members in ascending order, and how many. */
Datum
crm_audience_index_keys(PG_FUNCTION_ARGS)
{
	crm_audience *set = crm_audience_fetch(PG_GETARG_DATUM(0), NULL, 0);
	TupleDesc	desc = fcinfo->flinfo->fn_extra;
	Datum		values[2];
	bool		nulls[2] = {false, false};

	if (desc == NULL)
	{
		MemoryContext before = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		desc = BlessTupleDesc(desc);
		fcinfo->flinfo->fn_extra = desc;
		MemoryContextSwitchTo(before);
	}
	values[0] = members_array(set);
	values[1] = Int64GetDatum((int64) set->cardinality);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/* The cost of the look-ups, as the index condition wrote it down. */
Datum
crm_audience_index_keys_support(PG_FUNCTION_ARGS)
{
	Node	   *raw = (Node *) PG_GETARG_POINTER(0);
	SupportRequestCost *request;
	Node	   *cost;

	if (!IsA(raw, SupportRequestCost))
		PG_RETURN_POINTER(NULL);
	request = (SupportRequestCost *) raw;
	if (request->node == NULL || !IsA(request->node, FuncExpr) || list_length(((FuncExpr *) request->node)->args) != 2)
		PG_RETURN_POINTER(NULL);
	cost = lsecond(((FuncExpr *) request->node)->args);
	if (!IsA(cost, Const) || ((Const *) cost)->constisnull)
		PG_RETURN_POINTER(NULL);
	request->startup = 0;
	request->per_tuple = Max(DatumGetFloat8(((Const *) cost)->constvalue), 0.0);
	PG_RETURN_POINTER(request);
}
