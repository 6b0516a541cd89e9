/*
 * due_exact.c - what the clock does to a tag, told when it is created: nothing,
 * changes at times that can be told, or changes that nobody sees coming; and
 * tags that end at an instant.
 */
#include "common/crm.h"

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "tag/due.h"
#include "tag/due_plan.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/timestamp.h"

/* A part of a rule as its author would write it. */
static char *
as_written(Relation source, Node *expr)
{
	static const char *const names[] = {[CRM_RULE_AS_OF_PARAM] = "as_of",[CRM_RULE_TIMELINE_PARAM] = "timeline"};
	char	   *text = deparse_expression(expr, deparse_context_for("customer", RelationGetRelid(source)), false, false);
	StringInfoData written;
	bool		quoted = false;

	initStringInfo(&written);
	for (const char *c = text; *c != '\0'; c++)
	{
		quoted ^= *c == '\'';
		if (!quoted && c[0] == '$' && (c[1] == '0' + CRM_RULE_AS_OF_PARAM || c[1] == '0' + CRM_RULE_TIMELINE_PARAM) &&
			!isdigit((unsigned char) c[2]))
			appendStringInfoString(&written, names[*++c - '0']);
		else
			appendStringInfoChar(&written, *c);
	}
	return written.data;
}

const char *
crm_due_judge(Relation source, const crm_rule *rule)
{
	crm_due_plan plan = {NIL};
	bool		by_clock = crm_due_derive(&plan, rule);

	/* what rests on the whole population is found anew by a refresh only, and said so in its own description */
	if (rule->statistics != NIL)
		return "unknown";
	if (plan.underivable == NULL)
		return by_clock ? "known" : "never";
	ereport(NOTICE,
			(errmsg("tag \"%s\" may change by the clock without being noticed until its next refresh", rule->tag_name),
			 errdetail("It cannot be told when this changes: %s", as_written(source, plan.underivable)),
			 errhint("Compare times, such as as_of - interval '90 days' with a column; where days will do, compute with as_of::date.")));
	return "unknown";
}

void
crm_due_note(const crm_population *population, const char *tag, const char *clock, const char *expires)
{
	(void) crm_catalogue_write("UPDATE @.tag_version v SET clock = $3, expires = $4 FROM @.tag_definition d "
							   "WHERE d.population_id = $1 AND d.name = $2 AND v.tag_id = d.tag_id AND v.version = d.version",
							   4, INT4OID, Int32GetDatum(population->id), false, TEXTOID, CStringGetTextDatum(tag), false,
							   TEXTOID, CStringGetTextDatum(clock), false,
							   TEXTOID, expires != NULL ? CStringGetTextDatum(expires) : (Datum) 0, expires == NULL);
}

/* ---- a tag given until an instant ------------------------------------------------ */

/* The rule of the instant: a time as such, or an expression over the customer's row. */
static Node *
read_instant(Relation source, const char *expires, bool with_timeline)
{
	/* a time is no expression: 2027-01-01 would be a subtraction */
	bool		constant = isdigit((unsigned char) expires[0]);
	char	   *text = constant ? psprintf("as_of < %s::pg_catalog.timestamptz", quote_literal_cstr(expires)) :
		psprintf("as_of < (%s\n)", expires);
	crm_rule   *rule;

	/* by itself first: what is in brackets must be one expression */
	if (constant)
		(void) DirectFunctionCall3(timestamptz_in, CStringGetDatum(expires), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	else
		(void) crm_rule_parse(source, psprintf("(%s\n) IS NULL", expires), with_timeline);
	rule = crm_rule_parse(source, text, with_timeline);
	return rule->expr;
}

static void
instant_of_tag(void *arg)
{
	errcontext("expires of tag \"%s\"", (const char *) arg);
}

void
crm_rule_expire(Relation source, crm_rule *rule, const char *expires, bool with_timeline)
{
	ErrorContextCallback callback = {error_context_stack, instant_of_tag, (void *) rule->tag_name};
	Node	   *instant;
	CoalesceExpr *lasting = makeNode(CoalesceExpr);
	crm_rule   *ending;
	Node	   *expr;
	int			level;

	error_context_stack = &callback;
	instant = read_instant(source, expires, with_timeline);
	/* who has no instant has the tag without end */
	lasting->coalescetype = BOOLOID;
	lasting->args = list_make2(instant, makeBoolConst(true, false));
	lasting->location = -1;
	if (rule->type == BOOLOID)
		expr = (Node *) makeBoolExpr(AND_EXPR, list_make2(rule->expr, lasting), -1);
	else
	{
		CaseExpr   *ends = makeNode(CaseExpr);
		CaseWhen   *when = makeNode(CaseWhen);

		when->expr = (Expr *) lasting;
		when->result = (Expr *) rule->expr;
		when->location = -1;
		ends->casetype = rule->type;
		ends->casecollid = exprCollation(rule->expr);
		ends->args = list_make1(when);
		ends->defresult = (Expr *) makeNullConst(rule->type, -1, ends->casecollid);
		ends->location = -1;
		expr = (Node *) ends;
	}
	/* as it will be read */
	level = crm_rule_enter();
	ending = crm_rule_read(source, crm_rule_write(source, expr));
	rule->qualified = crm_rule_write(source, ending->expr);
	rule->expr = crm_rule_read(source, rule->qualified)->expr;
	rule->timeline |= ending->timeline;
	crm_rule_leave(level);
	error_context_stack = callback.previous;
}
