/*
 * inputs.c - what a rule is made from, found in its parsed form.
 *
 * Each input has a definition, which says all that matters of it (a column's
 * type, a hash of a function's body or of a view's query), and a mark: which
 * row of the system's catalogues it was, and by which transaction written.  As
 * long as the mark is the same the definition is, too; so that looking whether
 * anything has changed costs a look into the system's caches for each input.
 * Marks begin with the place, this database of this cluster: restored
 * elsewhere, everything has another mark and is only compared by its type.
 */
#include "common/crm.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xlog.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rewriteSupport.h"
#include "tag/inputs_internal.h"
#include "tag/rule_calls.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

/* ---- marks and definitions ---------------------------------------------------------- */

static char *
place(void)
{
	return psprintf(UINT64_FORMAT ".%u", GetSystemIdentifier(), MyDatabaseId);
}

static TransactionId
writer_of(HeapTuple tuple)
{
	return HeapTupleHeaderGetRawXmin(tuple->t_data);
}

static char *
hash_of(const char *text)
{
	const unsigned char *bytes = (const unsigned char *) text;
	int			length = (int) strlen(text);

	return psprintf("%016llx%016llx", (unsigned long long) hash_bytes_extended(bytes, length, 0),
					(unsigned long long) hash_bytes_extended(bytes, length, 1));
}

/* The type of a column, with its collation where that is not the type's own. */
static char *
column_definition(Form_pg_attribute column)
{
	char	   *type = format_type_extended(column->atttypid, column->atttypmod, FORMAT_TYPE_TYPEMOD_GIVEN);

	if (OidIsValid(column->attcollation) && column->attcollation != get_typcollation(column->atttypid))
		type = psprintf("%s COLLATE %s", type, quote_identifier(get_collation_name(column->attcollation)));
	return type;
}

bool
crm_input_column(Oid relation, const char *name, crm_input *input, bool with_definition)
{
	HeapTuple	tuple = SearchSysCacheAttName(relation, name);
	Form_pg_attribute column;

	if (!HeapTupleIsValid(tuple))
		return false;
	column = (Form_pg_attribute) GETSTRUCT(tuple);
	input->mark = psprintf("%s/%u.%d/%u", place(), relation, column->attnum, writer_of(tuple));
	if (with_definition)
		input->definition = column_definition(column);
	ReleaseSysCache(tuple);
	return true;
}

/* All of a function but what only its speed hangs on. */
static char *
function_definition(HeapTuple tuple)
{
	Form_pg_proc function = (Form_pg_proc) GETSTRUCT(tuple);
	StringInfoData out;
	bool		isnull;
	Datum		value;

	initStringInfo(&out);
	appendStringInfo(&out, "%u %s %c %d %d|", function->prolang, format_type_be_qualified(function->prorettype),
					 function->provolatile, function->proisstrict, function->prosecdef);
	value = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull);
	if (!isnull)
		appendStringInfo(&out, "%s|", TextDatumGetCString(value));
	value = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_probin, &isnull);
	if (!isnull)
		appendStringInfo(&out, "%s|", TextDatumGetCString(value));
	(void) SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosqlbody, &isnull);
	if (!isnull)
		appendStringInfo(&out, "%s|", TextDatumGetCString(DirectFunctionCall1(pg_get_function_sqlbody, ObjectIdGetDatum(function->oid))));
	value = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_proconfig, &isnull);
	if (!isnull)
		appendStringInfoString(&out, OidOutputFunctionCall(F_ARRAY_OUT, value));
	return hash_of(out.data);
}

bool
crm_input_function(Oid oid, crm_input *input, bool with_definition)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));

	if (!HeapTupleIsValid(tuple))
		return false;
	input->name = format_procedure_qualified(oid);
	input->mark = psprintf("%s/%u/%u", place(), oid, writer_of(tuple));
	if (with_definition)
		input->definition = function_definition(tuple);
	ReleaseSysCache(tuple);
	return true;
}

bool
crm_input_view(Oid relation, crm_input *input, bool with_definition)
{
	HeapTuple	rule = SearchSysCache2(RULERELNAME, ObjectIdGetDatum(relation), PointerGetDatum(ViewSelectRuleName));

	if (!HeapTupleIsValid(rule))
		return false;
	input->name = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), get_rel_name(relation));
	input->mark = psprintf("%s/%u/%u", place(), relation, writer_of(rule));
	ReleaseSysCache(rule);
	if (with_definition)
		input->definition = hash_of(TextDatumGetCString(DirectFunctionCall1(pg_get_viewdef, ObjectIdGetDatum(relation))));
	return true;
}

/* The relation of events and the types of the columns that are read of it. */
bool
crm_input_events(const crm_population *population, crm_input *input)
{
	crm_catalogue_session session;
	Oid			relation = InvalidOid;
	char	   *columns[5];
	StringInfoData definition,
				mark;
	bool		found;

	crm_catalogue_begin(&session);
	found = crm_catalogue_read("SELECT events::oid::bigint, event_key, event_time, event_name, event_value FROM @.population_definition "
							   "WHERE population_id = $1 AND events IS NOT NULL", 1, INT4OID, Int32GetDatum(population->id), false) > 0;
	if (found)
	{
		relation = (Oid) crm_catalogue_number(0, 1, NULL);
		for (int i = 0; i < 4; i++)
			columns[i] = crm_catalogue_text(&session, 0, i + 2);
	}
	crm_catalogue_end(&session);
	if (!found || get_rel_name(relation) == NULL)
		return false;
	initStringInfo(&definition);
	initStringInfo(&mark);
	appendStringInfo(&definition, "%s", quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), get_rel_name(relation)));
	appendStringInfo(&mark, "%s/%u", place(), relation);
	for (int i = 0; i < 4; i++)
	{
		crm_input	column = {0};

		if (columns[i] == NULL)
			continue;
		if (!crm_input_column(relation, columns[i], &column, true))
			return false;
		appendStringInfo(&definition, "%s%s %s", i == 0 ? " (" : ", ", quote_identifier(columns[i]), column.definition);
		appendStringInfo(&mark, ".%s", strrchr(column.mark, '.') + 1);
	}
	appendStringInfoChar(&definition, ')');
	input->name = "timeline";
	input->definition = definition.data;
	input->mark = mark.data;
	return true;
}

/* ---- the walk ----------------------------------------------------------------------------- */

typedef struct input_walk
{
	const crm_population *population;
	int			columns;		/* of its source */
	Oid			model;			/* the type of trained models */
	List	   *inputs;
} input_walk;

static void
add_input(input_walk *walk, const crm_input *input)
{
	crm_input  *copy;
	ListCell   *cell;

	foreach(cell, walk->inputs)
	{
		const crm_input *known = lfirst(cell);

		if (strcmp(known->kind, input->kind) == 0 && strcmp(known->name, input->name) == 0)
			return;
	}
	copy = palloc(sizeof(crm_input));
	*copy = *input;
	copy->name = pstrdup(copy->name);
	walk->inputs = lappend(walk->inputs, copy);
}

static void
add_named(input_walk *walk, const char *kind, const char *name)
{
	crm_input	input = {kind, (char *) name};

	add_input(walk, &input);
}

static void
add_column(input_walk *walk, AttrNumber attribute)
{
	crm_input	input = {"column", get_attname(walk->population->source, attribute, false)};

	(void) crm_input_column(walk->population->source, input.name, &input, true);
	add_input(walk, &input);
}

/* Functions of PostgreSQL itself are not worth telling: they do not change under the tag. */
static bool
add_function(Oid function, void *context)
{
	crm_input	input = {"function"};

	if (function >= FirstNormalObjectId && crm_input_function(function, &input, true))
		add_input(context, &input);
	return false;
}

static char *
constant_text(const Node *arg)
{
	return arg != NULL && IsA(arg, Const) && ((const Const *) arg)->consttype == TEXTOID && !((const Const *) arg)->constisnull ?
		TextDatumGetCString(((const Const *) arg)->constvalue) : NULL;
}

/* What a call of ours rests on beside its arguments: models, tags, lists, all customers; and the events that it names. */
static bool
add_call(input_walk *walk, const FuncExpr *call)
{
	crm_rule_call_kind kind = crm_rule_call(call->funcid);
	char	   *symbol = crm_rule_our_function(call->funcid);
	char	   *name;

	if (kind != CRM_CALL_NONE)
	{
		name = crm_rule_call_name(call, kind);
		add_named(walk, name == NULL ? "population" : kind == CRM_CALL_LISTED_UNTIL ? "list" : kind == CRM_CALL_IN_SEGMENT ? "segment" : "tag",
				  name != NULL ? name : get_func_name(call->funcid));
		return true;
	}
	if (symbol == NULL)
		return false;
	name = constant_text(call->args != NIL ? linitial(call->args) : NULL);
	if (name != NULL && (strncmp(symbol, "crm_predict", 11) == 0 || strncmp(symbol, "crm_model", 9) == 0 || strncmp(symbol, "crm_cluster", 11) == 0))
		add_named(walk, "model", name);
	name = constant_text(crm_rule_argument(call, "event"));
	if (name != NULL)
		add_named(walk, "event", name);
	return false;
}

static bool
find_inputs(Node *node, void *context)
{
	input_walk *walk = context;

	if (node == NULL)
		return false;
	CHECK_FOR_INTERRUPTS();
	if (IsA(node, Var))
	{
		AttrNumber	attribute = ((Var *) node)->varattno;

		if (attribute != InvalidAttrNumber)
			add_column(walk, attribute);
		else					/* the whole row */
			for (int i = 1; i <= walk->columns; i++)
				if (OidIsValid(get_atttype(walk->population->source, (AttrNumber) i)))	/* not dropped */
					add_column(walk, (AttrNumber) i);
	}
	else if (IsA(node, Const) && ((Const *) node)->consttype == walk->model)
		add_named(walk, "model", "written in the rule");
	else if (IsA(node, Param))
	{
		crm_input	events = {"events", "timeline"};

		if (((Param *) node)->paramid == CRM_RULE_AS_OF_PARAM)
			add_named(walk, "moment", "as_of");
		else if (((Param *) node)->paramid == CRM_RULE_TIMELINE_PARAM)
		{
			(void) crm_input_events(walk->population, &events);
			add_input(walk, &events);
		}
	}
	else if (IsA(node, FuncExpr) && add_call(walk, (FuncExpr *) node))
		return expression_tree_walker(node, find_inputs, context);
	(void) check_functions_in_node(node, add_function, context);
	return expression_tree_walker(node, find_inputs, context);
}

/* ---- what lies below a view ------------------------------------------------------------------- */

static void add_view(input_walk *walk, Oid relation, List **seen);

/* What the view's query names: columns of tables, further views, functions. */
static void
add_below(input_walk *walk, Oid rule, Oid view, List **seen)
{
	Relation	depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyData key[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	List	   *views = NIL;
	ListCell   *cell;

	ScanKeyInit(&key[0], Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(RewriteRelationId));
	ScanKeyInit(&key[1], Anum_pg_depend_objid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(rule));
	scan = systable_beginscan(depend, DependDependerIndexId, true, NULL, 2, key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend row = (Form_pg_depend) GETSTRUCT(tuple);

		if (row->refclassid == ProcedureRelationId)
			(void) add_function(row->refobjid, walk);
		if (row->refclassid != RelationRelationId || row->refobjid == view)
			continue;
		if (get_rel_relkind(row->refobjid) == RELKIND_VIEW)
			views = list_append_unique_oid(views, row->refobjid);
		else if (row->refobjsubid > 0)
		{
			crm_input	column = {"table column"};
			char	   *name = get_attname(row->refobjid, (AttrNumber) row->refobjsubid, true);

			if (name == NULL || !crm_input_column(row->refobjid, name, &column, true))
				continue;
			column.name = psprintf("%s.%s", quote_qualified_identifier(get_namespace_name(get_rel_namespace(row->refobjid)), get_rel_name(row->refobjid)),
								   quote_identifier(name));
			add_input(walk, &column);
		}
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	foreach(cell, views)
		add_view(walk, lfirst_oid(cell), seen);
}

static void
add_view(input_walk *walk, Oid relation, List **seen)
{
	crm_input	input = {"view"};
	HeapTuple	rule;
	Oid			oid;

	check_stack_depth();
	if (list_member_oid(*seen, relation))
		return;
	*seen = lappend_oid(*seen, relation);
	if (!crm_input_view(relation, &input, true))
		return;
	add_input(walk, &input);
	rule = SearchSysCache2(RULERELNAME, ObjectIdGetDatum(relation), PointerGetDatum(ViewSelectRuleName));
	oid = ((Form_pg_rewrite) GETSTRUCT(rule))->oid;
	ReleaseSysCache(rule);
	add_below(walk, oid, relation, seen);
}

static int
compare_inputs(const ListCell *a, const ListCell *b)
{
	const crm_input *x = lfirst(a);
	const crm_input *y = lfirst(b);
	int			order = strcmp(x->kind, y->kind);

	return order != 0 ? order : strcmp(x->name, y->name);
}

List *
crm_rule_inputs(const crm_population *population, const crm_rule *rule)
{
	input_walk	walk = {population};
	Relation	source = relation_open(population->source, AccessShareLock);
	List	   *seen = NIL;

	walk.columns = RelationGetNumberOfAttributes(source);
	relation_close(source, NoLock);
	walk.model = crm_type("model");
	(void) find_inputs(rule->expr, &walk);
	if (get_rel_relkind(population->source) == RELKIND_VIEW)
		add_view(&walk, population->source, &seen);
	list_sort(walk.inputs, compare_inputs);
	return walk.inputs;
}
