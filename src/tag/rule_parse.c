/*
 * rule_parse.c - from a rule's text to a checked expression and to the text
 * under which it is stored.
 *
 * A rule is parsed by PostgreSQL's own grammar, in the mode that PL/pgSQL uses
 * for expressions: the text cannot leave the expression, whatever brackets,
 * comments or semicolons stand in it.
 *
 * Parsing runs input functions of literals, so it is to be done with the rights
 * of whoever answers for the text: the author, or the tag's owner when it is
 * read again.
 */
#include "common/crm.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "tag/rule_internal.h"
#include "tag/tag.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

/* How often the stored text may change when it is read and written again. */
#define MAX_ROUNDS 4

typedef struct rule_reading
{
	const char *text;
	Relation	source;
	bool		stored;			/* as_of stands as $1, timeline as $2 */
	bool		with_timeline;	/* the population has events */
	bool		timeline;		/* met in the text */
	bool		in_grammar;		/* raw parsing: errors are the grammar's and lexer's */
	List	   *more;			/* types of the parameters behind the timeline's */
} rule_reading;

/*
 * The rule is no statement of the client's: positions in it must not be shown
 * in the statement that called us.  As PL/pgSQL does, they are moved to the
 * internal query.
 */
static void
rule_error_callback(void *arg)
{
	const rule_reading *reading = arg;
	int			position = geterrposition();

	if (position <= 0 || getinternalerrposition() > 0)
		return;
	if (reading->in_grammar && geterrcode() == ERRCODE_SYNTAX_ERROR)
		errhint("%s", crm_rule_syntax_hint(reading->text, position));
	errposition(0);
	internalerrposition(position);
	internalerrquery(reading->text);
}

static Node *
rule_param(rule_reading *reading, int number, int location)
{
	reading->timeline |= number == CRM_RULE_TIMELINE_PARAM;
	return crm_rule_param(number, number == CRM_RULE_AS_OF_PARAM ? TIMESTAMPTZOID : crm_type("timeline"), location);
}

/* as_of and timeline come before columns; a column of that name is reached as customer.as_of. */
static Node *
pre_columnref(ParseState *pstate, ColumnRef *cref)
{
	rule_reading *reading = pstate->p_ref_hook_state;
	const char *name;

	if (reading->stored || list_length(cref->fields) != 1 || !IsA(linitial(cref->fields), String))
		return NULL;
	name = strVal(linitial(cref->fields));
	if (strcmp(name, "as_of") == 0)
		return rule_param(reading, CRM_RULE_AS_OF_PARAM, cref->location);
	if (reading->with_timeline && strcmp(name, "timeline") == 0)
		return rule_param(reading, CRM_RULE_TIMELINE_PARAM, cref->location);
	return NULL;
}

static Node *
post_columnref(ParseState *pstate, ColumnRef *cref, Node *var)
{
	const rule_reading *reading = pstate->p_ref_hook_state;

	if (var == NULL)
		crm_rule_unknown_column(pstate, reading->source, cref);
	return NULL;
}

static Node *
paramref(ParseState *pstate, ParamRef *pref)
{
	rule_reading *reading = pstate->p_ref_hook_state;

	if (reading->stored && (pref->number == CRM_RULE_AS_OF_PARAM || pref->number == CRM_RULE_TIMELINE_PARAM))
		return rule_param(reading, pref->number, pref->location);
	if (pref->number > CRM_RULE_TIMELINE_PARAM && pref->number - CRM_RULE_TIMELINE_PARAM <= list_length(reading->more))
		return crm_rule_param(pref->number, list_nth_oid(reading->more, pref->number - CRM_RULE_TIMELINE_PARAM - 1), pref->location);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_PARAMETER),
			 errmsg("parameter $%d is not allowed in a rule", pref->number),
			 errhint("Write the value itself; the time of evaluation is as_of."),
			 parser_errposition(pstate, pref->location)));
	return NULL;
}

/* Brings the result to boolean, text or numeric. */
static Node *
coerce_result(ParseState *pstate, Node *expr, Oid *type)
{
	Oid			given = exprType(expr);
	Oid			base = getBaseType(given);
	char		category;
	bool		preferred;
	Node	   *result;

	get_type_category_preferred(base, &category, &preferred);
	switch (base)
	{
		case BOOLOID:
			*type = BOOLOID;
			break;
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			*type = NUMERICOID;
			break;
		default:
			if (category != TYPCATEGORY_STRING && base != UNKNOWNOID)
				ereport(ERROR,
						(errcode(ERRCODE_DATATYPE_MISMATCH),
						 errmsg("a rule cannot have type %s", format_type_be(given)),
						 errdetail("A rule is a condition (boolean), or one of several values (text)."),
						 category == TYPCATEGORY_DATETIME || category == TYPCATEGORY_TIMESPAN ?
						 errhint("Compare it, such as with as_of, or cast it to text.") :
						 type_is_rowtype(base) ?
						 errhint("Name one column of the row, and compare it.") :
						 OidIsValid(get_element_type(base)) ?
						 errhint("Ask for an element, such as 'x' = ANY (column), or join them with array_to_string.") :
						 base == MONEYOID ?
						 errhint("Cast it to numeric and compare it: column::numeric >= 1000.") :
						 errhint("Compare it, or cast it to text."),
						 parser_errposition(pstate, exprLocation(expr))));
			*type = TEXTOID;
			break;
	}
	if (given == *type)
		return expr;
	result = coerce_to_target_type(pstate, expr, given, *type, -1,
								   COERCION_EXPLICIT, COERCE_EXPLICIT_CAST, -1);
	if (result == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_CANNOT_COERCE),
				 errmsg("cannot cast type %s to %s", format_type_be(given), format_type_be(*type)),
				 parser_errposition(pstate, exprLocation(expr))));
	return result;
}

/* Parses one text; checks are left out for text that was checked when it was stored. */
static Node *
read_rule(Relation source, const char *text, bool stored, bool with_timeline, List *more, crm_rule *rule)
{
	rule_reading reading = {text, source, stored, with_timeline, false, false, more};
	ErrorContextCallback callback = {error_context_stack, rule_error_callback, &reading};
	ParseState *pstate;
	ParseNamespaceItem *nsitem;
	List	   *statements;
	List	   *literals;
	Node	   *raw;
	Node	   *expr;

	error_context_stack = &callback;

	pstate = make_parsestate(NULL);
	pstate->p_sourcetext = text;
	pstate->p_pre_columnref_hook = pre_columnref;
	pstate->p_post_columnref_hook = post_columnref;
	pstate->p_paramref_hook = paramref;
	pstate->p_ref_hook_state = &reading;
	nsitem = addRangeTableEntryForRelation(pstate, source, AccessShareLock,
										   makeAlias("customer", NIL), false, true);
	addNSItemToQuery(pstate, nsitem, false, true, true);

	reading.in_grammar = true;
	statements = raw_parser(text, RAW_PARSE_PLPGSQL_EXPR);
	reading.in_grammar = false;
	raw = crm_rule_check_raw(pstate, statements);
	literals = crm_rule_literals(raw);

	/* The kind of expression that PostgreSQL restricts least: the restrictions are ours. */
	expr = transformExpr(pstate, raw, EXPR_KIND_SELECT_TARGET);
	crm_rule_check(pstate, literals, expr);
	expr = coerce_result(pstate, expr, &rule->type);
	assign_expr_collations(pstate, expr);

	error_context_stack = callback.previous;
	rule->timeline = reading.timeline;
	return expr;
}

char *
crm_rule_write(Relation source, Node *expr)
{
	List	   *context = deparse_context_for("customer", RelationGetRelid(source));

	return deparse_expression(expr, context, true, false);
}

int
crm_rule_enter(void)
{
	/* Everything that changes how an expression is written as text or read from it. */
	static const char *const settings[][2] = {
		{"search_path", "pg_catalog, pg_temp"},
		{"DateStyle", "ISO, YMD"},
		{"IntervalStyle", "postgres"},
		{"extra_float_digits", "1"},
		{"bytea_output", "hex"},
		{"array_nulls", "on"},
		{"quote_all_identifiers", "off"},
		{"standard_conforming_strings", "on"},
		{"transform_null_equals", "off"},
		{"xmloption", "content"},
		{"lc_monetary", "C"},
	};
	int			level = NewGUCNestLevel();

	for (int i = 0; i < lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	return level;
}

void
crm_rule_leave(int level)
{
	AtEOXact_GUC(true, level);
}

crm_rule *
crm_rule_read(Relation source, const char *qualified)
{
	return crm_rule_read_bound(source, qualified, NIL);
}

crm_rule *
crm_rule_read_bound(Relation source, const char *qualified, List *types)
{
	crm_rule   *rule = palloc0(sizeof(crm_rule));
	int			level = crm_rule_enter();

	rule->text = qualified;
	rule->qualified = pstrdup(qualified);
	rule->expr = read_rule(source, qualified, true, false, types, rule);
	crm_rule_leave(level);
	return rule;
}

crm_rule *
crm_rule_parse(Relation source, const char *text, bool with_timeline)
{
	crm_rule   *rule = palloc0(sizeof(crm_rule));
	Node	   *expr;
	int			level;

	if (strlen(text) > CRM_RULE_MAX_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("rule is too long"),
				 errdetail("It has %zu bytes, at most %d are allowed.", strlen(text), CRM_RULE_MAX_BYTES),
				 errhint("Put long lists into a table, and the join into the population's view.")));

	rule->text = text;
	expr = read_rule(source, text, false, with_timeline, NIL, rule);

	/*
	 * The stored text is what counts.  Read again, a few expressions take
	 * another shape once (a list over varchar, for one); what is returned is
	 * the shape that the stored text keeps.
	 */
	level = crm_rule_enter();
	for (int round = 0; round < MAX_ROUNDS; round++)
	{
		rule->qualified = crm_rule_write(source, expr);
		rule->expr = read_rule(source, rule->qualified, true, false, NIL, rule);
		if (equal(rule->expr, expr))
			break;
		expr = rule->expr;
	}
	crm_rule_leave(level);
	return rule;
}
