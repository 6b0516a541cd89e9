/*
 * rule_calls.c - the functions that mean something in a rule only.
 *
 * They are told by their C symbol: whoever may create functions in the
 * extension's schema can give his own their names, but not what they do.
 */
#include "common/crm.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "tag/rule_calls.h"
#include "tag/rule_internal.h"
#include "tag/tag.h"
#include "utils/lsyscache.h"

static const struct
{
	const char *symbol;
	crm_rule_call_kind kind;
}			calls[] = {
	{"crm_rule_has_tag", CRM_CALL_HAS_TAG},
	{"crm_rule_has_value", CRM_CALL_HAS_VALUE},
	{"crm_rule_tag_value", CRM_CALL_TAG_VALUE},
	{"crm_rule_tag_numeric", CRM_CALL_TAG_NUMERIC},
	{"crm_rule_percentile", CRM_CALL_PERCENTILE},
	{"crm_rule_rfm_in_population", CRM_CALL_RFM},
	{"crm_rule_lookalike", CRM_CALL_LOOKALIKE},
	{"crm_rule_in_segment", CRM_CALL_IN_SEGMENT},
	{"crm_rule_listed_until", CRM_CALL_LISTED_UNTIL},
};

crm_rule_call_kind
crm_rule_call(Oid function)
{
	char	   *symbol = function >= FirstNormalObjectId ? crm_rule_our_function(function) : NULL;

	for (int i = 0; symbol != NULL && i < lengthof(calls); i++)
		if (strcmp(symbol, calls[i].symbol) == 0)
			return calls[i].kind;
	return CRM_CALL_NONE;
}

static bool
names_something(crm_rule_call_kind kind)
{
	return kind == CRM_CALL_HAS_TAG || kind == CRM_CALL_HAS_VALUE || kind == CRM_CALL_TAG_VALUE ||
		kind == CRM_CALL_TAG_NUMERIC || kind == CRM_CALL_LISTED_UNTIL || kind == CRM_CALL_IN_SEGMENT;
}

char *
crm_rule_call_name(const FuncExpr *call, crm_rule_call_kind kind)
{
	const Const *name;

	if (!names_something(kind))
		return NULL;
	name = linitial(call->args);
	if (!IsA(name, Const) || name->constisnull || name->consttype != TEXTOID)
		elog(ERROR, "a rule names a tag by an expression");
	return TextDatumGetCString(name->constvalue);
}

/* A name in a variable or column would make what a rule rests on a matter of the row. */
void
crm_rule_check_call(ParseState *pstate, FuncExpr *call, int location)
{
	crm_rule_call_kind kind = crm_rule_call(call->funcid);
	const Const *name;

	if (kind == CRM_CALL_RFM && list_length(call->args) > 1 && !IsA(lsecond(call->args), Const))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the bins of %s in a rule must be a number that is written out", get_func_name(call->funcid)),
				 errhint("All customers are divided into the same number of bins, such as 5."),
				 parser_errposition(pstate, exprLocation(lsecond(call->args)))));
	if (!names_something(kind) && !(kind == CRM_CALL_LOOKALIKE && exprType(linitial(call->args)) == TEXTOID))
		return;
	name = linitial(call->args);
	if (IsA(name, Const) && !name->constisnull && name->consttype == TEXTOID)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("%s in a rule needs a name that is written out", get_func_name(call->funcid)),
			 errdetail("What a rule rests on is known before any customer is looked at."),
			 errhint("Write it as a literal, such as %s('vip'); several are combined with AND, OR and CASE.", get_func_name(call->funcid)),
			 parser_errposition(pstate, location)));
}

/* ---- outside of a rule ------------------------------------------------------------------ */

static CRM_NORETURN void
refuse_outside(FunctionCallInfo fcinfo, const char *remedy)
{
	const char *name = get_func_name(fcinfo->flinfo->fn_oid);

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("%s can be called in the rule of a tag only", name != NULL ? name : "this function"),
			 errhint("%s", remedy)));
}

CRM_FUNCTION(crm_rule_has_tag);
Datum
crm_rule_has_tag(PG_FUNCTION_ARGS)
{
	refuse_outside(fcinfo, psprintf("Elsewhere ask the stored set: customer_id <@ %s.tag('name').", crm_schema()));
}

CRM_FUNCTION(crm_rule_has_value);
Datum
crm_rule_has_value(PG_FUNCTION_ARGS)
{
	refuse_outside(fcinfo, psprintf("Elsewhere ask the stored set: customer_id <@ %s.tag('name', 'value').", crm_schema()));
}

CRM_FUNCTION(crm_rule_tag_value);
Datum
crm_rule_tag_value(PG_FUNCTION_ARGS)
{
	refuse_outside(fcinfo, psprintf("Elsewhere read the value from %s.customer_tag_long or %s.tags_of(key).", crm_schema(), crm_schema()));
}

CRM_FUNCTION(crm_rule_tag_numeric);
Datum
crm_rule_tag_numeric(PG_FUNCTION_ARGS)
{
	refuse_outside(fcinfo, psprintf("Elsewhere read the number with %s.bsi_value(%s.tag_number('name'), customer_id).", crm_schema(), crm_schema()));
}

CRM_FUNCTION(crm_rule_percentile);
Datum
crm_rule_percentile(PG_FUNCTION_ARGS)
{
	refuse_outside(fcinfo, psprintf("Elsewhere use percent_rank() OVER (ORDER BY ...), or %s.percentile_at(value, borders) with the borders that %s.percentile_agg(value) gives.",
									crm_schema(), crm_schema()));
}

CRM_FUNCTION(crm_rule_rfm_in_population);
Datum
crm_rule_rfm_in_population(PG_FUNCTION_ARGS)
{
	refuse_outside(fcinfo, psprintf("Elsewhere use %s.rfm_score(summary, as_of, bins) OVER ().", crm_schema()));
}

CRM_FUNCTION(crm_rule_lookalike);
Datum
crm_rule_lookalike(PG_FUNCTION_ARGS)
{
	refuse_outside(fcinfo, psprintf("Elsewhere use %s.lookalike_score(model, features) with a model that %s.lookalike_fit(seed, key, features) gives, or %s.lookalike(seed, population) with an audience as seed.",
									crm_schema(), crm_schema(), crm_schema()));
}

CRM_FUNCTION(crm_rule_in_segment);
Datum
crm_rule_in_segment(PG_FUNCTION_ARGS)
{
	refuse_outside(fcinfo, psprintf("Elsewhere ask the stored sets: customer_id <@ %s.segment('expression').", crm_schema()));
}

CRM_FUNCTION(crm_rule_listed_until);
Datum
crm_rule_listed_until(PG_FUNCTION_ARGS)
{
	refuse_outside(fcinfo, psprintf("Elsewhere read the table %s.tag_list_member.", crm_schema()));
}
