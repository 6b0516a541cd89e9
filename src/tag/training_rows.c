/*
 * training_rows.c - crm.training_rows: what was known of each customer at one
 * instant, and what came of him since.
 *
 * Features are rules, evaluated as a refresh as of that instant would: the
 * timeline is cut, a source with history columns gives the rows of then, and
 * everything of which only today's state is known is refused, unless it is asked
 * for.  The outcome is a rule, too, as of the end of its window; it stands in a
 * sub-SELECT of its own, whose timeline reaches further, so that no feature can
 * see it.
 *
 * All of it runs as the caller: he gets the customers that he may see.  Whoever
 * may act for the population's owner, such as a superuser, acts for him here: what
 * the owner's views call must not come by rights that he has not.
 */
#include "common/crm.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "common/query.h"
#include "funcapi.h"
#include "nodes/bitmapset.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "tag/past.h"
#include "tag/readers.h"
#include "tag/rule_bind.h"
#include "tag/rule_internal.h"
#include "utils/acl.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/* Columns of the query: so many before the features, and at most so many features, since a SELECT has up to 1664. */
#define COLUMN_ID 0
#define COLUMN_KEY 1
#define COLUMN_OUTCOME 2
#define FIRST_FEATURE 3
#define MAX_FEATURES 1500

typedef struct feature
{
	char	   *name;
	char	   *text;
	crm_rule   *rule;
} feature;

typedef struct training_rows
{
	crm_population *population;
	Relation	source;
	Oid			owner;			/* as whom the query runs */
	TimestampTz cut;			/* features are as of it */
	TimestampTz end;			/* of the outcome's window; without outcome the cut */
	bool		columns_today;
	int			count;
	feature    *features;
	crm_rule   *outcome;		/* NULL: rows to be scored */
	bool		outcome_columns;	/* it reads columns */
	bool		dictionary;		/* ids by a join with the keys' dictionary, which the caller may read */
	const char *event;			/* NULL: the outcome is a rule of the caller's */
	double		at_least;
	crm_bound  *bound;
	/* the result */
	ReturnSetInfo *result;
	MemoryContext row;
	crm_ids_collector *ids;		/* of the customers so far; a few bits each */
	int64		known;			/* that have one */
	int64		positives;
	int64		rows;
} training_rows;

static bool
has_history(const crm_population *population)
{
	return population->valid_from != NULL || population->valid_to != NULL;
}

/* ---- arguments ---------------------------------------------------------------------- */

static void
read_features(training_rows *t, Jsonb *json)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;

	if (!JB_ROOT_IS_OBJECT(json) || JB_ROOT_COUNT(json) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("features must be a JSON object of rules"),
				 errhint("Write as in '{\"orders\": \"%s.event_count(timeline, ''order'')\"}'.", crm_schema())));
	if (JB_ROOT_COUNT(json) > MAX_FEATURES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("there are more than %d features", MAX_FEATURES)));
	t->features = palloc0(sizeof(feature) * JB_ROOT_COUNT(json));
	iterator = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			t->features[t->count].name = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
		{
			if (value.type != jbvString)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("feature \"%s\" is no rule", t->features[t->count].name),
						 errdetail("A rule is a JSON string.")));
			t->features[t->count++].text = pnstrdup(value.val.string.val, value.val.string.len);
		}
	}
}

static void
rule_of_feature(void *arg)
{
	const char *name = arg;

	if (name != NULL)
		errcontext("feature \"%s\" of training_rows", name);
	else
		errcontext("outcome of training_rows");
}

static crm_rule *
parse_rule(const training_rows *t, const char *name, const char *text)
{
	ErrorContextCallback callback = {error_context_stack, rule_of_feature, (void *) name};
	crm_rule   *rule;

	error_context_stack = &callback;
	rule = crm_rule_parse(t->source, text, t->population->has_events);
	error_context_stack = callback.previous;
	return rule;
}

/* An event within the window, which begins behind the cut and holds its end, as a rule. */
static char *
event_rule(const training_rows *t, const char *event, const char *measure)
{
	bool		sum = strcmp(measure, "sum") == 0;

	if (!sum && strcmp(measure, "count") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("measure must be 'count' or 'sum', not \"%s\"", measure),
				 errdetail("How often the event came, or the sum of its values.")));
	if (!t->population->has_events)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("population \"%s\" has no events", t->population->name),
				 errhint("Give an outcome_rule over its columns, or map its events with %s.create_population.", crm_schema())));
	return psprintf("%s%s.%s(timeline, %s, %s::pg_catalog.timestamptz, %s::pg_catalog.timestamptz)%s", sum ? "COALESCE(" : "", crm_schema(),
					sum ? "event_sum" : "event_count", quote_literal_cstr(event), quote_literal_cstr(timestamptz_to_str(t->cut + 1)),
					quote_literal_cstr(timestamptz_to_str(t->end + 1)), sum ? ", 0)" : "");
}

static void
read_window(training_rows *t, FunctionCallInfo fcinfo)
{
	TimestampTz now = GetCurrentTransactionStartTimestamp();

	t->cut = t->end = PG_GETARG_TIMESTAMPTZ(1);
	if (TIMESTAMP_NOT_FINITE(t->cut))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("observation_end must be a finite time")));
	if (PG_ARGISNULL(4) && PG_ARGISNULL(5))
		return;
	if (!PG_ARGISNULL(4) && !PG_ARGISNULL(5))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("outcome and outcome_rule exclude each other"),
				 errdetail("The outcome is an event, or what a rule says as of the end of the window.")));
	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("an outcome needs an outcome_window"),
				 errhint("Write as in outcome_window => '90 days'.")));
	t->end = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval, PG_GETARG_DATUM(1), PG_GETARG_DATUM(2)));
	if (t->end <= t->cut)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("outcome_window must be longer than nothing")));
	if (t->end > now)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the outcome window ends at %s, which is still to come", timestamptz_to_str(t->end)),
				 errdetail("What a customer may yet do would be learned as not done."),
				 errhint("Take an earlier observation_end, or a shorter outcome_window.")));
}

static void
read_outcome(training_rows *t, FunctionCallInfo fcinfo)
{
	const char *text = crm_text_argument(fcinfo, 5);

	if (PG_ARGISNULL(4) && text == NULL)
		return;
	t->at_least = PG_ARGISNULL(7) ? 1 : PG_GETARG_FLOAT8(7);
	if (!isfinite(t->at_least))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("at_least must be finite")));
	if (text == NULL)
	{
		t->event = crm_text_argument(fcinfo, 4);
		text = event_rule(t, t->event, PG_ARGISNULL(6) ? "count" : crm_text_argument(fcinfo, 6));
	}
	t->outcome = parse_rule(t, NULL, text);
	if (t->outcome->type == TEXTOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the outcome is a text"),
				 errdetail("A model learns a yes or no, or a number."),
				 errhint("Compare it, as in status = 'closed'.")));
}

/* ---- what was known then ---------------------------------------------------------------- */

/* A function that may look at more than its arguments and PostgreSQL's own settings. */
static bool
looks_around(Oid function, void *arg)
{
	Oid			first;
	Oid		   *types;
	int			count;

	if (function < FirstNormalObjectId || func_volatile(function) == PROVOLATILE_IMMUTABLE)
		return false;
	(void) get_func_signature(function, &types, &count);
	first = count > 0 ? types[0] : InvalidOid;
	/* ours over a timeline are stable for the sake of time zones alone */
	if (first == crm_type("timeline") && crm_rule_our_function(function) != NULL)
		return false;
	*(Oid *) arg = function;
	return true;
}

static bool
find_function(Node *node, void *found)
{
	if (node == NULL)
		return false;
	check_stack_depth();
	return check_functions_in_node(node, looks_around, found) || expression_tree_walker(node, find_function, found);
}

/* Refuses a rule that reads what is only known as it is today. */
static void
check_past(const training_rows *t, const char *name, const crm_rule *given)
{
	const char *what = name != NULL ? psprintf("feature \"%s\"", name) : "the outcome";
	const char *hint = "Use rules over the timeline, or take what is there today with columns => 'today'; "
		"a population with history columns (valid_from, valid_to) knows the past.";
	crm_owner_session session;
	Bitmapset  *columns = NULL;
	Oid			function = InvalidOid;
	crm_rule   *rule;

	/* a copy with everything that it rests on put in its place */
	crm_owner_begin(&session, t->owner);
	rule = crm_rule_read(t->source, given->qualified);
	crm_rule_bind_alone(t->population, t->source, t->owner, rule);
	pull_varattnos(rule->expr, 1, &columns);
	(void) find_function(rule->expr, &function);
	crm_owner_end(&session);
	if (!bms_is_empty(columns) && !has_history(t->population))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%s cannot be evaluated as of %s: the columns of population \"%s\" are those of today", what,
						timestamptz_to_str(name != NULL ? t->cut : t->end), t->population->name),
				 errdetail("Columns: %s.", crm_past_name_columns(t->population, columns)),
				 errhint("%s", hint)));
	if (OidIsValid(function))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%s cannot be evaluated as of %s: function %s may read what is there today", what,
						timestamptz_to_str(name != NULL ? t->cut : t->end), get_func_name(function)),
				 errdetail("It is not marked IMMUTABLE."),
				 errhint("%s", hint)));
}

/* Lists hold who is on them today. */
static void
check_lists(const training_rows *t)
{
	if (t->bound != NULL && crm_bound_lists(t->bound) != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("features cannot be evaluated as of %s: list \"%s\" is that of today", timestamptz_to_str(t->cut),
						(char *) linitial(crm_bound_lists(t->bound))),
				 errhint("Leave out tags that rest on lists, or take what is there today with columns => 'today'.")));
}

static void
parse_rules(training_rows *t, FunctionCallInfo fcinfo)
{
	bool		past = t->cut < GetCurrentTransactionStartTimestamp() && !t->columns_today;
	crm_owner_session session;
	Bitmapset  *columns = NULL;
	List	   *rules = NIL;

	for (int i = 0; i < t->count; i++)
	{
		feature    *f = &t->features[i];

		f->rule = parse_rule(t, f->name, f->text);
		if (past)
			check_past(t, f->name, f->rule);
		rules = lappend(rules, f->rule);
	}
	read_outcome(t, fcinfo);
	if (t->outcome != NULL)
	{
		crm_owner_begin(&session, t->owner);
		if (crm_rules_bind(t->population, t->source, t->owner, list_make1(t->outcome), NIL) != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("the outcome must not rest on tags, lists or other customers"),
					 errhint("Write out what it is.")));
		crm_owner_end(&session);
		if (past)
			check_past(t, NULL, t->outcome);
		pull_varattnos(t->outcome->expr, 1, &columns);
		t->outcome_columns = !bms_is_empty(columns);
	}
	/* what they rest on runs as its owner, and they with it, as they would as tags */
	crm_owner_begin(&session, t->owner);
	t->bound = crm_rules_bind(t->population, t->source, t->owner, rules, NIL);
	crm_owner_end(&session);
	if (past)
		check_lists(t);
	if (t->bound != NULL)
		crm_rights_require_define(t->population);
}

/* ---- the query ------------------------------------------------------------------------------ */

static bool
any_timeline(const training_rows *t)
{
	for (int i = 0; i < t->count; i++)
		if (t->features[i].rule->timeline)
			return true;
	return false;
}

/* Who is there: of a source without history columns those who had done something by then, where there are events to tell it. */
static bool
needs_event(const training_rows *t)
{
	return t->population->has_events && !has_history(t->population);
}

static Node *
replace_as_of(Node *node, void *at)
{
	if (node == NULL)
		return NULL;
	check_stack_depth();
	if (IsA(node, Param) && ((Param *) node)->paramid == CRM_RULE_AS_OF_PARAM)
		return (Node *) makeConst(TIMESTAMPTZOID, -1, InvalidOid, sizeof(TimestampTz), TimestampTzGetDatum(*(TimestampTz *) at), false, FLOAT8PASSBYVAL);
	return expression_tree_mutator(node, replace_as_of, at);
}

static char *
rows_at(const training_rows *t, const char *alias, TimestampTz at)
{
	return crm_population_rows(t->population, alias, t->columns_today ? GetCurrentTransactionStartTimestamp() : at);
}

static char *
instant(TimestampTz at)
{
	return psprintf("%s::pg_catalog.timestamptz", quote_literal_cstr(timestamptz_to_str(at)));
}

/* An expression for the id of an alias' row; what it needs has been appended. */
static char *
append_ids(StringInfo sql, const training_rows *t, const char *alias)
{
	if (!t->dictionary)
		return crm_population_row_id(t->population, alias);
	appendStringInfo(sql, " LEFT JOIN %s.population_keys(%s) AS dictionary ON dictionary.key OPERATOR(pg_catalog.=) %s.%s::pg_catalog.text", crm_schema(),
					 quote_literal_cstr(t->population->name), alias, quote_identifier(t->population->key_column));
	return "dictionary.id";
}

/*
 * An outcome over columns, of every customer of the cut, by his key, as of the end.
 * Who has no row any more by then has one of nulls.
 */
static void
append_outcome(StringInfo sql, const training_rows *t, const char *outcome)
{
	const char *key = quote_identifier(t->population->key_column);

	appendStringInfo(sql, " LEFT JOIN (SELECT crm_then.%1$s AS key, (%2$s) AS outcome FROM (SELECT crm_then.%1$s FROM %3$s) AS crm_then LEFT JOIN (%4$s) "
					 "ON customer.%1$s OPERATOR(pg_catalog.=) crm_then.%1$s", key, outcome, rows_at(t, "crm_then", t->cut), rows_at(t, "customer", t->end));
	if (t->outcome->timeline)
		crm_rule_join_timelines_at(sql, t->population, append_ids(sql, t, "crm_then"), instant(t->end));
	appendStringInfo(sql, ") AS crm_outcome ON crm_outcome.key OPERATOR(pg_catalog.=) customer.%s", key);
}

static char *
make_from(const training_rows *t, char **id)
{
	bool		later = t->outcome != NULL && t->outcome->timeline && !t->outcome_columns;
	TimestampTz end = t->end;
	char	   *outcome = t->outcome == NULL ? NULL : crm_rule_write(t->source, replace_as_of(t->outcome->expr, &end));
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, " FROM %s", rows_at(t, "customer", t->cut));
	*id = append_ids(&sql, t, "customer");
	if (later)
		crm_rule_join_two_timelines(&sql, t->population, *id, instant(t->end));
	else if (any_timeline(t) || needs_event(t))
		crm_rule_join_timelines(&sql, t->population, *id);
	if (t->bound != NULL)
		crm_bound_join(&sql, t->bound, *id);
	if (later)
	{
		crm_rule_append_later(&sql, outcome, "outcome");
		appendStringInfoString(&sql, " AS crm_outcome");
	}
	else if (outcome != NULL && t->outcome_columns)
		append_outcome(&sql, t, outcome);
	else if (outcome != NULL)
		appendStringInfo(&sql, " CROSS JOIN (SELECT (%s) AS outcome) AS crm_outcome", outcome);
	appendStringInfo(&sql, " WHERE customer.%s IS NOT NULL", quote_identifier(t->population->key_column));
	if (needs_event(t))
		appendStringInfo(&sql, " AND %s.event_count(crm_timeline.timeline) OPERATOR(pg_catalog.>) 0", crm_schema());
	return sql.data;
}

static char *
make_query(const training_rows *t, const char *from, const char *id)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT %s, customer.%s::pg_catalog.text, %s", id,
					 quote_identifier(t->population->key_column), t->outcome == NULL ? "NULL::pg_catalog.numeric" : "crm_outcome.outcome");
	for (int i = 0; i < t->count; i++)
		appendStringInfo(&sql, ", (%s)", t->features[i].rule->qualified);
	appendStringInfoString(&sql, from);
	return sql.data;
}

/* Says so where events may be missing at the end of the window. */
static void
check_last_event(const training_rows *t)
{
	bool		isnull;
	TimestampTz last;

	if (t->outcome == NULL || !t->outcome->timeline)
		return;
	if (SPI_execute(psprintf("SELECT pg_catalog.max(last_at) FROM %s.customer_timeline WHERE population_id OPERATOR(pg_catalog.=) %d", crm_schema(),
							 t->population->id), true, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "cannot look for the last event");
	last = DatumGetTimestampTz(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	if (!isnull && last < t->end)
	{
		/* the function has one buffer for all its answers */
		char	   *end = pstrdup(timestamptz_to_str(t->end));

		ereport(WARNING,
				(errmsg("the outcome window ends at %s, the last event known is of %s", end, timestamptz_to_str(last)),
				 errdetail("What came after that, if anything did, is learned as not done."),
				 errhint("Call %s.refresh_timelines('%s') if there are newer events, else take an earlier observation_end or a shorter outcome_window.",
						 crm_schema(), t->population->name)));
	}
}

/* ---- rows ---------------------------------------------------------------------------------------- */

static double
outcome_number(Datum value)
{
	double		number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));

	if (!isfinite(number))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("an outcome is not finite")));
	return number;
}

static void
push_feature(JsonbParseState **state, const feature *f, Datum value, bool isnull)
{
	JsonbValue	json = {.type = jbvString};

	json.val.string.val = f->name;
	json.val.string.len = (int) strlen(f->name);
	(void) pushJsonbValue(state, WJB_KEY, &json);
	if (isnull)
		json.type = jbvNull;
	else if (f->rule->type == BOOLOID)
	{
		json.type = jbvBool;
		json.val.boolean = DatumGetBool(value);
	}
	else if (f->rule->type == NUMERICOID)
	{
		json.type = jbvNumeric;
		json.val.numeric = DatumGetNumeric(value);
		if (numeric_is_nan(json.val.numeric) || numeric_is_inf(json.val.numeric))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("feature \"%s\" is not finite", f->name),
					 errhint("Let the rule give NULL there.")));
	}
	else
	{
		text	   *bytes = DatumGetTextPP(value);

		json.type = jbvString;
		json.val.string.val = VARDATA_ANY(bytes);
		json.val.string.len = VARSIZE_ANY_EXHDR(bytes);
	}
	(void) pushJsonbValue(state, WJB_VALUE, &json);
}

static void
take_row(TupleTableSlot *slot, void *arg)
{
	training_rows *t = arg;
	MemoryContext before = MemoryContextSwitchTo(t->row);
	JsonbParseState *state = NULL;
	Datum		values[5] = {0};
	bool		nulls[5] = {false};

	slot_getallattrs(slot);
	values[0] = slot->tts_values[COLUMN_ID];
	nulls[0] = slot->tts_isnull[COLUMN_ID];
	if (!nulls[0])
	{
		crm_check(crm_ids_collector_add(t->ids, (uint64) DatumGetInt64(values[0])), "crm.audience", false);
		t->known++;
	}
	values[1] = slot->tts_values[COLUMN_KEY];
	/* a condition that is NULL is none: who has no row by then answers no question about it */
	nulls[2] = nulls[3] = t->outcome == NULL || slot->tts_isnull[COLUMN_OUTCOME];
	if (!nulls[2] && t->outcome->type == BOOLOID)
	{
		values[2] = slot->tts_values[COLUMN_OUTCOME];
		nulls[3] = true;
	}
	else if (!nulls[2])
	{
		double		amount = outcome_number(slot->tts_values[COLUMN_OUTCOME]);

		values[2] = BoolGetDatum(amount >= t->at_least);
		values[3] = Float8GetDatum(amount);
	}
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < t->count; i++)
		push_feature(&state, &t->features[i], slot->tts_values[FIRST_FEATURE + i], slot->tts_isnull[FIRST_FEATURE + i]);
	values[4] = JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
	tuplestore_putvalues(t->result->setResult, t->result->setDesc, values, nulls);
	t->rows++;
	t->positives += !nulls[2] && DatumGetBool(values[2]);
	MemoryContextSwitchTo(before);
	MemoryContextReset(t->row);
}

/* Two rows of a customer at one time: as for a refresh, an error. */
static void
require_different(const training_rows *t)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_ids_builder *builder;

	crm_check(crm_ids_builder_new(&env, &builder), "crm.audience", false);
	crm_check(crm_ids_collector_build(t->ids, builder), "crm.audience", false);
	if ((int64) crm_ids_builder_cardinality(builder) != t->known)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("population \"%s\" has several rows of one customer as of %s", t->population->name, timestamptz_to_str(t->cut)),
				 errhint("Let the source have one row for each customer at a time.")));
	crm_ids_builder_free(builder);
}

static void
run(training_rows *t)
{
	int			settings = crm_rule_enter();
	crm_owner_session session;
	ParamListInfo params;
	SPIPlanPtr	plan;
	char	   *from;
	char	   *id;

	/* what the functions of timelines do takes longer than what could be won, and compiling longer still */
	(void) set_config_option("jit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	crm_require_alone("timeline_slice");
	crm_require_alone("whole_timeline");
	crm_require_alone("event_count");
	crm_require_alone("population_keys");
	crm_owner_begin(&session, t->owner);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (any_timeline(t) || needs_event(t) || (t->outcome != NULL && t->outcome->timeline))
		crm_rule_require_timelines(t->population);
	check_last_event(t);
	from = make_from(t, &id);
	if (t->bound != NULL)
		crm_bound_learn_from(t->bound, from, t->cut);
	params = crm_bound_query_params(t->cut, NULL, t->bound);
	plan = SPI_prepare_params(make_query(t, from, id), params->parserSetup, params->parserSetupArg, CURSOR_OPT_PARALLEL_OK);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_params failed: %s", SPI_result_code_string(SPI_result));
	crm_select_run(plan, params, take_row, t);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	crm_owner_end(&session);
	crm_rule_leave(settings);
}

/* May the caller read the dictionary of keys as a whole?  Else each id is looked up by itself. */
static bool
may_know_keys(const crm_population *population)
{
	const crm_scopes *scopes;

	if (crm_rights_may_define(population))
		return true;
	scopes = crm_rights_try_readable(population);
	return scopes != NULL && scopes->all;
}

/* crm.training_rows(population, observation_end, outcome_window, features, outcome, outcome_rule, measure, at_least, columns) */
CRM_FUNCTION(crm_training_rows);
Datum
crm_training_rows(PG_FUNCTION_ARGS)
{
	static const char *const required[] = {"population", "observation_end", NULL, "features"};
	training_rows t = {0};
	crm_env		env;

	for (int i = 0; i < lengthof(required); i++)
		if (required[i] != NULL && PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument %s must not be NULL", required[i])));
	InitMaterializedSRF(fcinfo, 0);
	t.result = (ReturnSetInfo *) fcinfo->resultinfo;
	t.row = AllocSetContextCreate(CurrentMemoryContext, "crm row of training_rows", ALLOCSET_DEFAULT_SIZES);
	env = crm_env_in(CurrentMemoryContext);
	crm_check(crm_ids_collector_new(&env, &t.ids), "crm.audience", false);
	t.population = crm_population_find(crm_text_argument(fcinfo, 0));
	t.columns_today = crm_past_columns_today(crm_text_argument(fcinfo, 8));
	t.owner = crm_rights_rule_owner(t.population);
	t.dictionary = t.population->key_form != CRM_KEY_INTEGER && may_know_keys(t.population);
	read_window(&t, fcinfo);
	read_features(&t, PG_GETARG_JSONB_P(3));
	(void) crm_population_source(t.population);
	t.source = relation_open(t.population->source, AccessShareLock);
	parse_rules(&t, fcinfo);
	run(&t);
	require_different(&t);
	relation_close(t.source, NoLock);
	if (t.event != NULL && t.rows > 0 && t.positives == 0)
		ereport(NOTICE,
				(errmsg("none of " INT64_FORMAT " customers has the outcome \"%s\" in the window", t.rows, t.event)));
	return (Datum) 0;
}

/* ---- for the planner ---------------------------------------------------------------------------- */

/* As many rows as the source of the population has, where that is known; a name that is unknown is the call's error. */
static double
expected_rows(const char *population)
{
	crm_catalogue_session session;
	Oid			source = InvalidOid;
	HeapTuple	tuple;
	double		rows = 0;

	crm_catalogue_begin(&session);
	if (crm_catalogue_read("SELECT source::oid FROM @.population_definition WHERE name = $1", 1, TEXTOID, CStringGetTextDatum(population), false) > 0)
		source = (Oid) crm_catalogue_number(0, 1, NULL);
	crm_catalogue_end(&session);
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(source));
	if (HeapTupleIsValid(tuple))
	{
		rows = ((Form_pg_class) GETSTRUCT(tuple))->reltuples;
		ReleaseSysCache(tuple);
	}
	return rows;
}

CRM_FUNCTION(crm_training_rows_support);
Datum
crm_training_rows_support(PG_FUNCTION_ARGS)
{
	SupportRequestRows *request = (SupportRequestRows *) PG_GETARG_POINTER(0);
	const Const *name;
	double		rows;

	if (!IsA(request, SupportRequestRows) || !is_funcclause(request->node) || !ActiveSnapshotSet())
		PG_RETURN_POINTER(NULL);
	name = linitial(((FuncExpr *) request->node)->args);
	if (!IsA(name, Const) || name->constisnull || name->consttype != TEXTOID)
		PG_RETURN_POINTER(NULL);
	rows = expected_rows(TextDatumGetCString(name->constvalue));
	if (!(rows > 0))
		PG_RETURN_POINTER(NULL);
	request->rows = rows;
	PG_RETURN_POINTER(request);
}
