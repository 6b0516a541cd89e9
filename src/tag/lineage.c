/*
 * lineage.c - what a tag is made from, found in its parsed rule.
 */
#include "common/crm.h"

#include "access/relation.h"
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "funcapi.h"
#include "nodes/nodeFuncs.h"
#include "tag/readers.h"
#include "tag/rule_calls.h"
#include "tag/scan_plan.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/rel.h"

typedef struct input
{
	const char *kind;
	char	   *name;
} input;

typedef struct lineage
{
	const crm_population *population;
	int			columns;		/* of its source */
	List	   *inputs;			/* of input *, each once */
} lineage;

/* The rule that is read, for errors. */
static void
rule_of_tag(void *arg)
{
	errcontext("rule of tag \"%s\"", ((crm_tag *) arg)->name);
}

static void
add_input(lineage *l, const char *kind, const char *name)
{
	input	   *in;
	ListCell   *cell;

	foreach(cell, l->inputs)
	{
		in = lfirst(cell);
		if (strcmp(in->kind, kind) == 0 && strcmp(in->name, name) == 0)
			return;
	}
	in = palloc(sizeof(input));
	in->kind = kind;
	in->name = pstrdup(name);
	l->inputs = lappend(l->inputs, in);
}

/* Functions of PostgreSQL itself are not worth telling: they do not change under the tag. */
static bool
add_function(Oid function, void *context)
{
	if (function >= FirstNormalObjectId)
		add_input(context, "function", format_procedure_qualified(function));
	return false;
}

static bool
find_inputs(Node *node, void *context)
{
	lineage    *l = context;
	crm_rule_call_kind kind;

	if (node == NULL)
		return false;
	CHECK_FOR_INTERRUPTS();
	if (IsA(node, FuncExpr) && (kind = crm_rule_call(((FuncExpr *) node)->funcid)) != CRM_CALL_NONE)
	{
		char	   *name = crm_rule_call_name((FuncExpr *) node, kind);

		if (name != NULL)
			add_input(l, kind == CRM_CALL_LISTED_UNTIL ? "list" : "tag", name);
		else
			add_input(l, "population", get_func_name(((FuncExpr *) node)->funcid));
		return expression_tree_walker(node, find_inputs, context);
	}
	if (IsA(node, Var))
	{
		AttrNumber	attribute = ((Var *) node)->varattno;

		if (attribute != InvalidAttrNumber)
			add_input(l, "column", get_attname(l->population->source, attribute, false));
		else					/* the whole row */
			for (int i = 1; i <= l->columns; i++)
				if (OidIsValid(get_atttype(l->population->source, (AttrNumber) i)))	/* not dropped */
					add_input(l, "column", get_attname(l->population->source, (AttrNumber) i, false));
	}
	else if (IsA(node, Param))
	{
		int			number = ((Param *) node)->paramid;

		if (number == CRM_RULE_AS_OF_PARAM)
			add_input(l, "moment", "as_of");
		else if (number == CRM_RULE_TIMELINE_PARAM)
			add_input(l, "events", "timeline");
	}
	(void) check_functions_in_node(node, add_function, context);
	return expression_tree_walker(node, find_inputs, context);
}

static int
compare_inputs(const ListCell *a, const ListCell *b)
{
	const input *x = lfirst(a);
	const input *y = lfirst(b);
	int			order = strcmp(x->kind, y->kind);

	return order != 0 ? order : strcmp(x->name, y->name);
}

/* crm.tag_lineage(tag, population) */
CRM_FUNCTION(crm_tag_lineage);
Datum
crm_tag_lineage(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	lineage		l = {NULL, 0, NIL};
	crm_owner_session session;
	ErrorContextCallback callback = {error_context_stack, rule_of_tag, NULL};
	crm_tag    *tag;
	crm_rule   *rule;
	Relation	source;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	l.population = crm_population_find(crm_text_argument(fcinfo, 1));
	tag = crm_tag_find(l.population, crm_text_argument(fcinfo, 0));
	(void) crm_population_source(l.population);

	/* Parsing runs input functions of types: as the tag's owner, like every evaluation of the rule. */
	crm_rights_check_owner(tag->owner);
	crm_owner_begin(&session, tag->owner);
	source = relation_open(l.population->source, AccessShareLock);
	l.columns = RelationGetNumberOfAttributes(source);
	callback.arg = tag;
	error_context_stack = &callback;
	rule = crm_rule_read(source, tag->qualified);
	error_context_stack = callback.previous;
	(void) find_inputs(rule->expr, &l);
	relation_close(source, AccessShareLock);
	crm_owner_end(&session);

	list_sort(l.inputs, compare_inputs);
	foreach(cell, l.inputs)
	{
		const input *in = lfirst(cell);
		Datum		values[2] = {CStringGetTextDatum(in->kind), CStringGetTextDatum(in->name)};
		bool		nulls[2] = {false, false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
