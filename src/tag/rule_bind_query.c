/*
 * rule_bind_query.c - queries that evaluate bound rules.
 */
#include "common/crm.h"

#include "executor/spi.h"
#include "nodes/makefuncs.h"
#include "parser/parse_expr.h"
#include "parser/parser.h"
#include "tag/rule_bind_internal.h"
#include "tag/rule_internal.h"

/* ---- some of the rules ------------------------------------------------------------------- */

/* Marks what a text names, the bases' own texts being looked at afterwards. */
static bool
mark_named(crm_bound *bound, const char *text)
{
	bool		any = false;
	ListCell   *cell;

	for (const char *p = strchr(text, '$'); p != NULL; p = strchr(p + 1, '$'))
	{
		int			number = isdigit((unsigned char) p[1]) ? atoi(p + 1) : 0;

		if (number < CRM_RULE_FIRST_BOUND)
			continue;
		any = true;
		foreach(cell, bound->bases)
			((crm_bound_base *) lfirst(cell))->used |= ((crm_bound_base *) lfirst(cell))->param == number;
		foreach(cell, bound->lists)
			((crm_bound_asked *) lfirst(cell))->used |= ((crm_bound_asked *) lfirst(cell))->param == number;
	}
	return any;
}

/* Bases rest on those that stand before them alone. */
static void
mark_bases_of_bases(crm_bound *bound)
{
	for (int i = list_length(bound->bases) - 1; i >= 0; i--)
	{
		const crm_bound_base *base = list_nth(bound->bases, i);

		if (base->used)
			(void) mark_named(bound, base->text);
	}
}

/* The base that the rule itself is, where its text is that base's column. */
static crm_bound_base *
base_of_rule(const crm_bound *bound, const crm_rule *rule)
{
	crm_bound_base *base = rule->tag_name != NULL ? crm_bound_find_base(bound, rule->tag_name) : NULL;

	return base != NULL && strcmp(rule->qualified, psprintf("$%d", base->param)) == 0 ? base : NULL;
}

crm_bound *
crm_bound_choose(crm_bound *bound, List *rules)
{
	bool		any = false;
	ListCell   *cell;

	foreach(cell, bound->bases)
		((crm_bound_base *) lfirst(cell))->used = false;
	foreach(cell, bound->lists)
		((crm_bound_asked *) lfirst(cell))->used = false;
	foreach(cell, rules)
	{
		const crm_rule *rule = lfirst(cell);
		ListCell   *statistic;

		any |= crm_rule_has_call(rule->expr, NULL);
		if (base_of_rule(bound, rule) == NULL)
			(void) mark_named(bound, rule->qualified);
		foreach(statistic, rule->statistics)
			(void) mark_named(bound, ((crm_bound_statistic *) lfirst(statistic))->aggregate);
	}
	mark_bases_of_bases(bound);
	/* a column that no other rule reads is not worth a join */
	foreach(cell, rules)
	{
		crm_rule   *rule = lfirst(cell);
		const crm_bound_base *base = base_of_rule(bound, rule);

		if (base == NULL || base->used)
			continue;
		rule->qualified = base->text;
		any |= mark_named(bound, rule->qualified);
	}
	mark_bases_of_bases(bound);
	return any ? bound : NULL;
}

/* ---- queries ---------------------------------------------------------------------------- */

bool
crm_bound_named(const crm_bound *bound, const char *text)
{
	if (bound == NULL || bound->levels == 0)
		return false;
	for (const char *p = strchr(text, '$'); p != NULL; p = strchr(p + 1, '$'))
		if (isdigit((unsigned char) p[1]) && atoi(p + 1) >= CRM_RULE_FIRST_BOUND)
			return true;		/* one in a literal does no harm */
	return false;
}

void
crm_bound_join(StringInfo sql, const crm_bound *bound, const char *id)
{
	static const char *const casts[] = {"", "::pg_catalog.text COLLATE pg_catalog.\"default\"", "::pg_catalog.numeric"};
	ListCell   *cell;

	/* OFFSET keeps the planner from putting the columns' expressions in their place, each as often as it is used */
	for (int level = 0; level < bound->levels; level++)
	{
		int			n = 0;

		appendStringInfoString(sql, " CROSS JOIN LATERAL (SELECT ");
		if (level == 0)
			foreach(cell, bound->lists)
			{
				const crm_bound_asked *list = lfirst(cell);

				if (!list->used)
					continue;
				appendStringInfo(sql, "%s%s.list_expiry($%d, $%d, %s) AS b%d", n++ > 0 ? ", " : "", crm_schema(),
								 list->forever, list->until, id, list->param);
			}
		foreach(cell, bound->bases)
		{
			const crm_bound_base *base = lfirst(cell);

			if (base->used && base->level == level)
				appendStringInfo(sql, "%s(%s)%s AS b%d", n++ > 0 ? ", " : "", base->text, casts[base->tag->type], base->param);
		}
		appendStringInfo(sql, "%s OFFSET 0) AS crm_bases%d", n == 0 ? "NULL" : "", level);
	}
}

/* The parser's hook for parameters that were bound. */
Node *
crm_bound_resolve(const crm_bound *bound, ParseState *pstate, ParamRef *pref)
{
	int			place = pref->number - CRM_RULE_FIRST_BOUND;
	const crm_bound_slot *param;

	if (bound == NULL || place < 0 || place >= list_length(bound->params))
		return NULL;
	param = list_nth(bound->params, place);
	if (param->level == CRM_BOUND_PASSING)
		return transformExpr(pstate, crm_rule_check_raw(pstate, raw_parser(bound->passing, RAW_PARSE_PLPGSQL_EXPR)), pstate->p_expr_kind);
	if (param->level >= 0)
	{
		ColumnRef  *column = makeNode(ColumnRef);

		column->fields = list_make2(makeString(psprintf("crm_bases%d", param->level)), makeString(psprintf("b%d", pref->number)));
		column->location = pref->location;
		return transformExpr(pstate, (Node *) column, pstate->p_expr_kind);
	}
	return crm_bound_node(bound, pref->number);
}

int
crm_bound_params(const crm_bound *bound)
{
	return bound == NULL ? 0 : list_length(bound->params);
}

void
crm_bound_param(const crm_bound *bound, int place, ParamExternData *data)
{
	const crm_bound_slot *param = list_nth(bound->params, place);

	data->value = param->value;
	data->isnull = param->isnull;
	data->pflags = PARAM_FLAG_CONST;
	/* a column, or an expression of one, takes the place of the others */
	data->ptype = param->level == CRM_BOUND_VALUE ? param->type : InvalidOid;
}

void
crm_bound_learn_from(crm_bound *bound, const char *from, TimestampTz as_of)
{
	ListCell   *cell;

	foreach(cell, crm_bound_list(bound))
	{
		crm_bound_statistic *statistic = lfirst(cell);
		SPIExecuteOptions options = {.params = crm_bound_query_params(as_of, NULL, bound),.read_only = true};
		bool		isnull;
		Datum		value;

		if (SPI_execute_extended(psprintf("SELECT %s%s", statistic->aggregate, from), &options) != SPI_OK_SELECT || SPI_processed != 1)
			elog(ERROR, "a look at the population failed");
		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
		crm_bound_learn(bound, statistic, value, isnull);
		SPI_freetuptable(SPI_tuptable);
	}
}
