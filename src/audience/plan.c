/*
 * plan.c - what the planner is told about audiences: how many rows a
 * membership test leaves, how many members() returns, and that a small
 * constant set can be looked up in an index.
 */
#include "audience/audience.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"

CRM_FUNCTION(crm_audience_idsel);
CRM_FUNCTION(crm_audience_idjoinsel);
CRM_FUNCTION(crm_audience_setsel);
CRM_FUNCTION(crm_audience_setjoinsel);
CRM_FUNCTION(crm_members_support);
CRM_FUNCTION(crm_audience_id_support);

/*
 * Where a set is not known at planning time: guesses.  A segment worth a name
 * is often about a tenth of the customers; sets of sets are anyone's guess, so
 * they take contsel's order of magnitude.
 */
#define DEFAULT_ID_SELECTIVITY 0.1
#define DEFAULT_SET_SELECTIVITY 0.01

/* Sets up to this many members become "id = ANY (...)" for an index; larger ones a range. */
#define INDEX_MEMBERS 1000

/* ---- estimates ------------------------------------------------------------------- */

/* The set that an expression stands for at planning time: false if it is not known. */
static bool
known_set(PlannerInfo *root, Node *node, bool *isnull, uint64 *cardinality)
{
	Node	   *value = root ? estimate_expression_value(root, node) : node;

	if (value == NULL || !IsA(value, Const))
		return false;
	*isnull = ((Const *) value)->constisnull;
	*cardinality = *isnull ? 0 : crm_audience_cardinality_of(((Const *) value)->constvalue, NULL);
	return true;
}

static bool
is_integer(Oid type)
{
	return type == INT8OID || type == INT4OID || type == INT2OID;
}

/* id <@ set, set @> id: members of the set over different ids of the column. */
Datum
crm_audience_idsel(PG_FUNCTION_ARGS)
{
	PlannerInfo *root = (PlannerInfo *) PG_GETARG_POINTER(0);
	Oid			operator = PG_GETARG_OID(1);
	List	   *args = (List *) PG_GETARG_POINTER(2);
	int			relation = PG_GETARG_INT32(3);
	double		selectivity = DEFAULT_ID_SELECTIVITY;
	Oid			left;
	Oid			right;
	Node	   *id;
	Node	   *set;
	bool		isnull;
	uint64		cardinality;

	if (list_length(args) != 2)
		PG_RETURN_FLOAT8(selectivity);
	op_input_types(operator, &left, &right);
	id = is_integer(left) ? linitial(args) : lsecond(args);
	set = is_integer(left) ? lsecond(args) : linitial(args);

	if (known_set(root, set, &isnull, &cardinality))
	{
		VariableStatData column;
		bool		isdefault;
		double		different;
		double		present = 1.0;

		if (isnull || cardinality == 0)
			PG_RETURN_FLOAT8(0.0);
		examine_variable(root, id, relation, &column);
		different = get_variable_numdistinct(&column, &isdefault);
		/* Without statistics an id is taken to be a key. */
		if (isdefault && column.rel && column.rel->tuples > different)
			different = column.rel->tuples;
		if (HeapTupleIsValid(column.statsTuple))
			present -= ((Form_pg_statistic) GETSTRUCT(column.statsTuple))->stanullfrac;
		selectivity = (double) cardinality / Max(different, 1.0);
		selectivity = Min(selectivity, 1.0) * present;
		ReleaseVariableStats(column);
	}
	CLAMP_PROBABILITY(selectivity);
	PG_RETURN_FLOAT8(selectivity);
}

/* Between two relations the set is a column: its sizes are not known. */
Datum
crm_audience_idjoinsel(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(DEFAULT_ID_SELECTIVITY);
}

/* Two sets.  The empty set settles some of the questions. */
Datum
crm_audience_setsel(PG_FUNCTION_ARGS)
{
	PlannerInfo *root = (PlannerInfo *) PG_GETARG_POINTER(0);
	char	   *name = get_opname(PG_GETARG_OID(1));
	List	   *args = (List *) PG_GETARG_POINTER(2);
	bool		isnull;
	uint64		cardinality;

	if (name == NULL || list_length(args) != 2)
		PG_RETURN_FLOAT8(DEFAULT_SET_SELECTIVITY);
	for (int side = 0; side < 2; side++)
	{
		if (!known_set(root, list_nth(args, side), &isnull, &cardinality))
			continue;
		if (isnull)
			PG_RETURN_FLOAT8(0.0);
		if (cardinality > 0)
			continue;
		/* Nothing overlaps the empty set, everything contains it. */
		if (strcmp(name, "&&") == 0)
			PG_RETURN_FLOAT8(0.0);
		if (strcmp(name, side == 0 ? "<@" : "@>") == 0)
			PG_RETURN_FLOAT8(1.0);
	}
	PG_RETURN_FLOAT8(DEFAULT_SET_SELECTIVITY);
}

Datum
crm_audience_setjoinsel(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(DEFAULT_SET_SELECTIVITY);
}

/* ---- members() ------------------------------------------------------------------------ */

/* The constant count that bounds slice(a, skip, take) and sample(a, n, seed). */
static bool
part_bound(PlannerInfo *root, Node *node, Oid members, double *rows)
{
	FuncExpr   *part;
	char	   *name;
	int			argument;
	Node	   *count;

	if (!IsA(node, FuncExpr) || list_length(((FuncExpr *) node)->args) != 3)
		return false;
	part = (FuncExpr *) node;
	if (get_func_namespace(part->funcid) != get_func_namespace(members))
		return false;
	name = get_func_name(part->funcid);
	if (strcmp(name, "slice") == 0)
		argument = 2;
	else if (strcmp(name, "sample") == 0)
		argument = 1;
	else
		return false;
	count = list_nth(part->args, argument);
	if (root)
		count = estimate_expression_value(root, count);
	if (!IsA(count, Const) || ((Const *) count)->constisnull)
		return false;
	*rows = Max((double) DatumGetInt64(((Const *) count)->constvalue), 1.0);
	return true;
}

Datum
crm_members_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);

	if (IsA(request, SupportRequestRows))
	{
		SupportRequestRows *rows = (SupportRequestRows *) request;

		if (rows->node && IsA(rows->node, FuncExpr))
		{
			Node	   *set = linitial(((FuncExpr *) rows->node)->args);
			bool		isnull;
			uint64		cardinality;

			if (known_set(rows->root, set, &isnull, &cardinality))
			{
				rows->rows = (double) cardinality;
				PG_RETURN_POINTER(rows);
			}
			if (part_bound(rows->root, set, rows->funcid, &rows->rows))
				PG_RETURN_POINTER(rows);
		}
	}
	PG_RETURN_POINTER(NULL);
}

/* ---- membership by index ----------------------------------------------------------------- */

/* "id = ANY (members)", exact. */
static List *
members_condition(SupportRequestIndexCondition *request, Node *id, const crm_audience *set)
{
	Oid			equal = get_opfamily_member(request->opfamily, exprType(id), INT8OID,
											BTEqualStrategyNumber);
	Datum	   *members;
	int			count = 0;
	crm_ids_runs runs;
	uint64		first;
	uint64		last;
	ScalarArrayOpExpr *any;

	if (!OidIsValid(equal))
		return NIL;
	members = palloc((set->cardinality + 1) * sizeof(Datum));
	crm_ids_runs_first(&runs, crm_audience_ids(set));
	while (crm_ids_runs_next(&runs, &first, &last))
	{
		for (uint64 member = first; member <= last; member++)
			members[count++] = Int64GetDatum((int64) member);
	}
	any = makeNode(ScalarArrayOpExpr);
	any->opno = equal;
	any->opfuncid = get_opcode(equal);
	any->useOr = true;
	any->args = list_make2(id,
						   makeConst(INT8ARRAYOID, -1, InvalidOid, -1,
									 PointerGetDatum(construct_array(members, count, INT8OID, sizeof(int64),
																	 FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)),
									 false, false));
	any->location = -1;
	request->lossy = false;
	return list_make1(any);
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
	return list_make2(make_opclause(from, BOOLOID, false, (Expr *) id,
									(Expr *) makeConst(INT8OID, -1, InvalidOid, sizeof(int64),
													   Int64GetDatum((int64) smallest), false, FLOAT8PASSBYVAL),
									InvalidOid, InvalidOid),
					  make_opclause(to, BOOLOID, false, (Expr *) copyObject(id),
									(Expr *) makeConst(INT8OID, -1, InvalidOid, sizeof(int64),
													   Int64GetDatum((int64) largest), false, FLOAT8PASSBYVAL),
									InvalidOid, InvalidOid));
}

Datum
crm_audience_id_support(PG_FUNCTION_ARGS)
{
	Node	   *raw = (Node *) PG_GETARG_POINTER(0);
	SupportRequestIndexCondition *request;
	List	   *args = NIL;
	Node	   *id;
	Const	   *set;
	crm_audience *audience;

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
	if (!is_integer(exprType(id)) || !IsA(list_nth(args, 1 - request->indexarg), Const))
		PG_RETURN_POINTER(NULL);
	set = (Const *) list_nth(args, 1 - request->indexarg);
	if (set->constisnull)
		PG_RETURN_POINTER(NULL);
	audience = crm_audience_fetch(set->constvalue, NULL, 0);
	if (audience->cardinality <= INDEX_MEMBERS)
		PG_RETURN_POINTER(members_condition(request, id, audience));
	PG_RETURN_POINTER(range_condition(request, id, audience));
}
