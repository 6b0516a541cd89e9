/*
 * rule_query.c - what the parameters of a rule stand for in a query that
 * evaluates it.
 *
 * as_of and the plan of the scan are parameters of the query.  The timeline is
 * another value for each customer, so its parameter is a column of the join
 * that fetches it: the name of that column cannot clash with the source's, as
 * no text of a user's is ever resolved against it.
 */
#include "common/crm.h"

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "parser/parse_expr.h"
#include "parser/parse_node.h"
#include "tag/rule_internal.h"
#include "tag/tag.h"

#define TIMELINE_ALIAS "crm_timeline"
#define TIMELINE_COLUMN "timeline"

Node *
crm_rule_param(int number, Oid type, int location)
{
	Param	   *param = makeNode(Param);

	param->paramkind = PARAM_EXTERN;
	param->paramid = number;
	param->paramtype = type;
	param->paramtypmod = -1;
	param->paramcollid = InvalidOid;
	param->location = location;
	return (Node *) param;
}

static Node *
resolve_param(ParseState *pstate, ParamRef *pref)
{
	switch (pref->number)
	{
		case CRM_RULE_AS_OF_PARAM:
			return crm_rule_param(pref->number, TIMESTAMPTZOID, pref->location);
		case CRM_RULE_PLAN_PARAM:
			return crm_rule_param(pref->number, BYTEAOID, pref->location);
		case CRM_RULE_TIMELINE_PARAM:
			{
				ColumnRef  *column = makeNode(ColumnRef);

				column->fields = list_make2(makeString(TIMELINE_ALIAS), makeString(TIMELINE_COLUMN));
				column->location = pref->location;
				return transformExpr(pstate, (Node *) column, pstate->p_expr_kind);
			}
	}
	return NULL;
}

static void
set_hooks(ParseState *pstate, void *arg)
{
	pstate->p_paramref_hook = resolve_param;
}

ParamListInfo
crm_rule_query_params(TimestampTz as_of, const bytea *plan)
{
	ParamListInfo params = makeParamList(CRM_RULE_PLAN_PARAM);

	params->parserSetup = set_hooks;
	params->params[CRM_RULE_AS_OF_PARAM - 1].value = TimestampTzGetDatum(as_of);
	params->params[CRM_RULE_AS_OF_PARAM - 1].pflags = PARAM_FLAG_CONST;
	params->params[CRM_RULE_AS_OF_PARAM - 1].ptype = TIMESTAMPTZOID;
	/* never read: a column takes its place */
	params->params[CRM_RULE_TIMELINE_PARAM - 1].isnull = true;
	params->params[CRM_RULE_PLAN_PARAM - 1].value = PointerGetDatum(plan);
	params->params[CRM_RULE_PLAN_PARAM - 1].isnull = plan == NULL;
	params->params[CRM_RULE_PLAN_PARAM - 1].pflags = PARAM_FLAG_CONST;
	params->params[CRM_RULE_PLAN_PARAM - 1].ptype = BYTEAOID;
	return params;
}
