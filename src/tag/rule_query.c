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
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "parser/parse_expr.h"
#include "parser/parse_node.h"
#include "tag/rule_bind.h"
#include "tag/rule_internal.h"
#include "tag/tag.h"

#define TIMELINE_ALIAS "crm_timeline"
#define TIMELINE_COLUMN "timeline"
#define NEXT_EVENT_COLUMN "next_event"
#define LATER_COLUMN "later"

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
		case CRM_RULE_KEYS_PARAM:
			return crm_rule_param(pref->number, TEXTARRAYOID, pref->location);
		case CRM_RULE_IDS_PARAM:
			return crm_rule_param(pref->number, INT8ARRAYOID, pref->location);
		case CRM_RULE_NEXT_EVENT_PARAM:
			{
				ColumnRef  *column = makeNode(ColumnRef);

				column->fields = list_make2(makeString(TIMELINE_ALIAS), makeString(NEXT_EVENT_COLUMN));
				column->location = pref->location;
				return transformExpr(pstate, (Node *) column, pstate->p_expr_kind);
			}
		case CRM_RULE_TIMELINE_PARAM:
			{
				ColumnRef  *column = makeNode(ColumnRef);
				CoalesceExpr *coalesce = makeNode(CoalesceExpr);
				A_Const    *empty = makeNode(A_Const);
				TypeCast   *cast = makeNode(TypeCast);

				/* who never did anything has the empty timeline, so that rules can say "did not" */
				column->fields = list_make2(makeString(TIMELINE_ALIAS), makeString(TIMELINE_COLUMN));
				column->location = pref->location;
				empty->val.sval = *makeString("[]");
				empty->location = -1;
				cast->arg = (Node *) empty;
				cast->typeName = makeTypeNameFromOid(crm_type("timeline"), -1);
				cast->location = -1;
				coalesce->args = list_make2(column, cast);
				coalesce->location = pref->location;
				return transformExpr(pstate, (Node *) coalesce, pstate->p_expr_kind);
			}
	}
	return crm_bound_resolve(pstate->p_ref_hook_state, pstate, pref);
}

static void
set_hooks(ParseState *pstate, void *arg)
{
	pstate->p_paramref_hook = resolve_param;
	pstate->p_ref_hook_state = arg;
}

static void
set_param(ParamListInfo params, int number, Oid type, Datum value, bool isnull)
{
	ParamExternData *param = &params->params[number - 1];

	param->value = value;
	param->isnull = isnull;
	param->pflags = PARAM_FLAG_CONST;
	param->ptype = type;
}

ParamListInfo
crm_rule_query_params(TimestampTz as_of, const bytea *plan)
{
	return crm_bound_query_params(as_of, plan, NULL);
}

ParamListInfo
crm_bound_query_params(TimestampTz as_of, const bytea *plan, const crm_bound *bound)
{
	int			count = crm_bound_params(bound);
	ParamListInfo params = makeParamList(CRM_RULE_FIRST_BOUND - 1 + count);

	params->parserSetup = set_hooks;
	params->parserSetupArg = (void *) bound;
	for (int i = 0; i < count; i++)
		crm_bound_param(bound, i, &params->params[CRM_RULE_FIRST_BOUND - 1 + i]);
	set_param(params, CRM_RULE_AS_OF_PARAM, TIMESTAMPTZOID, TimestampTzGetDatum(as_of), false);
	/* never read: columns take their places */
	set_param(params, CRM_RULE_TIMELINE_PARAM, InvalidOid, (Datum) 0, true);
	set_param(params, CRM_RULE_NEXT_EVENT_PARAM, InvalidOid, (Datum) 0, true);
	set_param(params, CRM_RULE_PLAN_PARAM, BYTEAOID, PointerGetDatum(plan), plan == NULL);
	crm_rule_query_choose(params, (Datum) 0, (Datum) 0);
	return params;
}

void
crm_rule_query_choose(ParamListInfo params, Datum keys, Datum ids)
{
	set_param(params, CRM_RULE_KEYS_PARAM, TEXTARRAYOID, keys, keys == (Datum) 0);
	set_param(params, CRM_RULE_IDS_PARAM, INT8ARRAYOID, ids, ids == (Datum) 0);
}

void
crm_rule_join_timelines(StringInfo sql, const crm_population *population, const char *id)
{
	crm_rule_join_timelines_at(sql, population, id, psprintf("$%d", CRM_RULE_AS_OF_PARAM));
}

/* What an expression gives for the stored timelines cut at another one. */
static char *
cut_timeline(const char *at)
{
	return psprintf("CASE WHEN stored.last_at OPERATOR(pg_catalog.<=) %2$s THEN stored." TIMELINE_COLUMN
					" ELSE %1$s.timeline_slice(stored." TIMELINE_COLUMN ", NULL, %2$s OPERATOR(pg_catalog.+) '1 microsecond'::pg_catalog.interval) END",
					crm_schema(), at);
}

/* Joins what `columns` makes of the stored timelines, computed inside the join, once for a customer however many rules read it. */
static void
join_stored(StringInfo sql, const crm_population *population, const char *id, const char *columns)
{
	appendStringInfo(sql,
					 " LEFT JOIN (SELECT stored.customer_id, %4$s"
					 " FROM (SELECT customer_id, last_at, CASE WHEN archived THEN %1$s.whole_timeline(population_id, customer_id, events) ELSE events END AS " TIMELINE_COLUMN
					 " FROM %1$s.customer_timeline WHERE population_id OPERATOR(pg_catalog.=) %2$d) AS stored) AS " TIMELINE_ALIAS
					 " ON " TIMELINE_ALIAS ".customer_id OPERATOR(pg_catalog.=) %3$s",
					 crm_schema(), population->id, id, columns);
}

void
crm_rule_join_timelines_at(StringInfo sql, const crm_population *population, const char *id, const char *at)
{
	/*
	 * What happened after as_of is cut off; at as_of itself it counts, so that
	 * a row inserted with now() counts in its own transaction.
	 */
	join_stored(sql, population, id,
				psprintf("%3$s AS " TIMELINE_COLUMN ", CASE WHEN stored.last_at OPERATOR(pg_catalog.>) %2$s THEN %1$s.first_event(stored." TIMELINE_COLUMN
						 ", NULL, %2$s OPERATOR(pg_catalog.+) '1 microsecond'::pg_catalog.interval, NULL) END AS " NEXT_EVENT_COLUMN,
						 crm_schema(), at, cut_timeline(at)));
}

void
crm_rule_join_two_timelines(StringInfo sql, const crm_population *population, const char *id, const char *later)
{
	join_stored(sql, population, id, psprintf("%s AS " TIMELINE_COLUMN ", %s AS " LATER_COLUMN, cut_timeline(psprintf("$%d", CRM_RULE_AS_OF_PARAM)),
											  cut_timeline(later)));
}

void
crm_rule_append_later(StringInfo sql, const char *expression, const char *name)
{
	appendStringInfo(sql, " CROSS JOIN LATERAL (SELECT (%s) AS %s FROM (SELECT " TIMELINE_ALIAS "." LATER_COLUMN " AS " TIMELINE_COLUMN ") AS " TIMELINE_ALIAS ")",
					 expression, name);
}

/* timelines_now gives customer_id, timeline, cut at as_of, and next_event, the time of the first event behind it. */
void
crm_rule_join_fresh_timelines(StringInfo sql, const crm_population *population, bool chosen, const char *id)
{
	appendStringInfo(sql, " LEFT JOIN %s.timelines_now(%d, $%d, ", crm_schema(), population->id, CRM_RULE_AS_OF_PARAM);
	if (chosen)
		appendStringInfo(sql, "$%d", CRM_RULE_IDS_PARAM);
	else
		appendStringInfoString(sql, "NULL");
	appendStringInfo(sql, ") AS " TIMELINE_ALIAS " ON " TIMELINE_ALIAS ".customer_id OPERATOR(pg_catalog.=) %s", id);
}

static void
look_for_timelines(const crm_population *population, bool *stored, bool *readable)
{
	char	   *sql = psprintf("SELECT EXISTS (SELECT FROM %1$s.timeline_store WHERE population_id OPERATOR(pg_catalog.=) %2$d), "
							   "%2$d OPERATOR(pg_catalog.=) ANY (%1$s.readable_timelines())", crm_schema(), population->id);
	bool		isnull;

	crm_require_alone("readable_timelines");
	if (SPI_execute(sql, true, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "cannot look for timelines");
	*stored = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	*readable = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
}

bool
crm_rule_may_read_timelines(const crm_population *population)
{
	bool		stored;
	bool		readable;

	look_for_timelines(population, &stored, &readable);
	return readable;
}

void
crm_rule_require_timelines(const crm_population *population)
{
	bool		stored;
	bool		readable;

	look_for_timelines(population, &stored, &readable);
	if (!stored)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the timelines of population \"%s\" are not stored yet", population->name),
				 errhint("Call %s.refresh_timelines('%s') first, and again whenever new events are to count.", crm_schema(), population->name)));
	/* Row-level security would show none of them, and every rule would say no. */
	if (!readable)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for the timelines of population \"%s\"", population->name),
				 errdetail("A rule that reads timelines needs SELECT on the mapped columns of the events, for all rows, or the right to read whole sets of all scopes."),
				 errhint("The population's owner may run %s.grant_population('%s', '%s').", crm_schema(), population->name,
						 GetUserNameFromId(GetUserId(), false))));
}
