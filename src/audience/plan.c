/*
 * plan.c - what the planner is told about audiences: how many rows a
 * membership test leaves, and how many members() returns.
 */
#include "audience/audience.h"

#include "access/htup_details.h"
#include "audience/plan.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"

CRM_FUNCTION(crm_audience_idsel);
CRM_FUNCTION(crm_audience_idjoinsel);
CRM_FUNCTION(crm_audience_setsel);
CRM_FUNCTION(crm_audience_setjoinsel);
CRM_FUNCTION(crm_members_support);

/*
 * Where a set is not known at planning time: guesses.  A segment worth a name
 * is often about a tenth of the customers; sets of sets are anyone's guess, so
 * they take contsel's order of magnitude.
 */
#define DEFAULT_ID_SELECTIVITY 0.1
#define DEFAULT_SET_SELECTIVITY 0.01

/* ---- estimates ------------------------------------------------------------------- */

bool
crm_known_set(PlannerInfo *root, Node *node, bool *isnull, uint64 *cardinality)
{
	Node	   *value = root ? estimate_expression_value(root, node) : node;

	if (value == NULL || !IsA(value, Const))
		return false;
	*isnull = ((Const *) value)->constisnull;
	*cardinality = *isnull ? 0 : crm_audience_cardinality_of(((Const *) value)->constvalue, NULL);
	return true;
}

bool
crm_is_id_type(Oid type)
{
	return type == INT8OID || type == INT4OID || type == INT2OID;
}

double
crm_different_ids(PlannerInfo *root, Node *id, int relation, double *present)
{
	VariableStatData column;
	bool		isdefault;
	double		different;

	examine_variable(root, id, relation, &column);
	different = get_variable_numdistinct(&column, &isdefault);
	/* Without statistics an id is taken to be a key. */
	if (isdefault && column.rel && column.rel->tuples > different)
		different = column.rel->tuples;
	*present = 1.0;
	if (HeapTupleIsValid(column.statsTuple))
		*present -= ((Form_pg_statistic) GETSTRUCT(column.statsTuple))->stanullfrac;
	ReleaseVariableStats(column);
	return Max(different, 1.0);
}

/* id <@ set, set @> id: members of the set over different ids of the column. */
static double
id_selectivity(PlannerInfo *root, Oid operator, List *args, int relation)
{
	double		selectivity = DEFAULT_ID_SELECTIVITY;
	Oid			left;
	Oid			right;
	Node	   *id;
	Node	   *set;
	bool		isnull;
	uint64		cardinality;
	double		mean;
	double		largest;
	double		members = -1;

	if (list_length(args) != 2)
		return selectivity;
	op_input_types(operator, &left, &right);
	id = crm_is_id_type(left) ? linitial(args) : lsecond(args);
	set = crm_is_id_type(left) ? lsecond(args) : linitial(args);

	if (crm_known_set(root, set, &isnull, &cardinality))
		members = isnull ? 0 : (double) cardinality;
	else if (crm_set_statistics(root, set, &mean, &largest))
		members = mean;
	if (members == 0)
		return 0.0;
	if (members > 0)
	{
		double		present;
		double		different = crm_different_ids(root, id, relation, &present);

		selectivity = Min(members / different, 1.0) * present;
	}
	CLAMP_PROBABILITY(selectivity);
	return selectivity;
}

Datum
crm_audience_idsel(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(id_selectivity((PlannerInfo *) PG_GETARG_POINTER(0), PG_GETARG_OID(1),
									(List *) PG_GETARG_POINTER(2), PG_GETARG_INT32(3)));
}

/* Between two relations the set is a column, of which the statistics may tell. */
Datum
crm_audience_idjoinsel(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(id_selectivity((PlannerInfo *) PG_GETARG_POINTER(0), PG_GETARG_OID(1),
									(List *) PG_GETARG_POINTER(2), 0));
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
		if (!crm_known_set(root, list_nth(args, side), &isnull, &cardinality))
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

			if (crm_known_set(rows->root, set, &isnull, &cardinality))
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
