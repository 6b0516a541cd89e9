/*
 * tag_check.c - what is wrong with rules, and the tests that a tag carries.
 *
 * check_tags (govern.sql) puts this together with the sets: here is what needs
 * the parsed rule, tried as the tag's owner.
 */
#include "common/crm.h"

#include <math.h>

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "tag/explain.h"
#include "tag/inputs.h"
#include "tag/readers.h"
#include "tag/scan_query.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* ---- rules ------------------------------------------------------------------------------- */

typedef struct trial
{
	const crm_population *population;
	const crm_tag *tag;
	Relation	source;
	crm_rule   *rule;
} trial;

static void
try_owner(void *arg)
{
	const trial *t = arg;

	crm_rights_check_tag(t->tag);
}

static void
try_rule(void *arg)
{
	trial	   *t = arg;
	crm_owner_session session;

	(void) crm_population_source(t->population);
	(void) crm_population_key_type(t->population);
	crm_owner_begin(&session, t->tag->owner);
	t->rule = crm_rule_read(t->source, t->tag->qualified);
	crm_owner_end(&session);
	crm_rule_check_type(t->tag, t->rule);
}

static void
try_columns(void *arg)
{
	trial	   *t = arg;

	crm_rule_require_columns(t->population, t->rule, t->tag->owner);
}

static void
put(ReturnSetInfo *rsinfo, const crm_tag *tag, const char *test, const char *problem)
{
	Datum		values[4];
	bool		nulls[4] = {false, false, false, problem == NULL};

	values[0] = Int32GetDatum(tag->id);
	values[1] = CStringGetTextDatum(test);
	values[2] = BoolGetDatum(problem == NULL);
	values[3] = problem != NULL ? CStringGetTextDatum(problem) : (Datum) 0;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* crm.rule_problems(population) */
CRM_FUNCTION(crm_rule_problems);
Datum
crm_rule_problems(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	trial		t = {0};
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	t.population = crm_population_find(crm_text_argument(fcinfo, 0));
	if (!crm_rights_may_define(t.population) && !crm_rights_may_approve(t.population))
		(void) crm_rights_readable(t.population);
	t.source = try_relation_open(t.population->source, AccessShareLock);
	foreach(cell, crm_tag_list_in_use(t.population))
	{
		char	   *problem;

		CHECK_FOR_INTERRUPTS();
		t.tag = lfirst(cell);
		problem = crm_explain_try(try_owner, &t, NULL);
		if (problem == NULL && t.source == NULL)
			problem = psprintf("the source %s no longer exists", t.population->source_name);
		if (problem != NULL)
		{
			put(rsinfo, t.tag, "rule", problem);
			continue;
		}
		t.rule = NULL;
		problem = crm_explain_try(try_rule, &t, NULL);
		put(rsinfo, t.tag, "rule", problem);
		if (problem == NULL)
			put(rsinfo, t.tag, "rights", crm_explain_try(try_columns, &t, NULL));
		put(rsinfo, t.tag, "inputs", crm_inputs_cause(t.population, t.tag->id));
	}
	if (t.source != NULL)
		relation_close(t.source, NoLock);
	return (Datum) 0;
}

/* ---- tests ----------------------------------------------------------------------------------- */

/* The tag of arguments (tag, ..., population), which the caller must own; population gets locked. */
static crm_tag *
own_tag(FunctionCallInfo fcinfo, int population_argument, crm_population **population)
{
	crm_tag    *tag;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument tag must not be NULL")));
	crm_catalogue_newest();
	*population = crm_population_find(crm_text_argument(fcinfo, population_argument));
	crm_population_lock(*population);
	PopActiveSnapshot();
	crm_catalogue_newest();
	tag = crm_tag_find(*population, crm_text_argument(fcinfo, 0));
	if (!has_privs_of_role(GetUserId(), tag->owner) && !has_privs_of_role(GetUserId(), (*population)->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of tag \"%s\"", tag->name)));
	return tag;
}

/* A value that the tag can have: 42804 for any of a boolean one, 22P02 for text that is no number of a numeric one. */
static void
check_value(const crm_tag *tag, FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument))
		return;
	if (tag->type == CRM_VALUE_BOOLEAN)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("tag \"%s\" has no values", tag->name),
				 errhint("Leave value out: a customer has the tag or not.")));
	if (tag->type == CRM_VALUE_NUMERIC)
		(void) DirectFunctionCall3(numeric_in, CStringGetDatum(crm_text_argument(fcinfo, argument)), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

typedef struct new_test
{
	const char *kind;
	char	   *customer;
	Datum		value;
	bool		value_is_null;
	bool		has;
	double		low,
				high;
} new_test;

static int32
add_test(const crm_tag *tag, const new_test *test)
{
	crm_catalogue_session session;
	bool		coverage = test->customer == NULL;
	int32		number;

	crm_catalogue_begin(&session);
	crm_catalogue_write("INSERT INTO @.tag_test (tag_id, test_no, kind, customer, value, has, low, high, created_by) "
						"SELECT $1, coalesce(max(test_no), 0) + 1, $2, $3, $4, $5, $6, $7, pg_get_userbyid($8) FROM @.tag_test WHERE tag_id = $1 RETURNING test_no",
						8, INT4OID, Int32GetDatum(tag->id), false,
						TEXTOID, CStringGetTextDatum(test->kind), false,
						TEXTOID, coverage ? (Datum) 0 : CStringGetTextDatum(test->customer), coverage,
						TEXTOID, test->value, test->value_is_null,
						BOOLOID, BoolGetDatum(test->has), coverage,
						FLOAT8OID, Float8GetDatum(test->low), !coverage,
						FLOAT8OID, Float8GetDatum(test->high), !coverage,
						OIDOID, ObjectIdGetDatum(session.saved_user), false);
	number = (int32) crm_catalogue_number(0, 1, NULL);
	crm_catalogue_end(&session);
	return number;
}

/* crm.expect_tag(tag, customer, value, has, population) */
CRM_FUNCTION(crm_expect_tag);
Datum
crm_expect_tag(PG_FUNCTION_ARGS)
{
	Oid			key_type = get_fn_expr_argtype(fcinfo->flinfo, 1);
	crm_population *population;
	crm_tag    *tag = own_tag(fcinfo, 4, &population);
	new_test	test = {.kind = "customer"};
	Oid			output;
	bool		is_varlena;
	int64		id;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument %s must not be NULL", PG_ARGISNULL(1) ? "customer" : "has")));
	check_value(tag, fcinfo, 2);
	/* a key that is none of the population's is an error now, not at each check */
	(void) crm_key_id(population, PG_GETARG_DATUM(1), key_type, &id);
	getTypeOutputInfo(key_type, &output, &is_varlena);
	test.customer = OidOutputFunctionCall(output, PG_GETARG_DATUM(1));
	test.value = PG_ARGISNULL(2) ? (Datum) 0 : PG_GETARG_DATUM(2);
	test.value_is_null = PG_ARGISNULL(2);
	test.has = PG_GETARG_BOOL(3);
	id = add_test(tag, &test);
	PopActiveSnapshot();
	PG_RETURN_INT32((int32) id);
}

/* crm.expect_coverage(tag, low, high, value, population) */
CRM_FUNCTION(crm_expect_coverage);
Datum
crm_expect_coverage(PG_FUNCTION_ARGS)
{
	crm_population *population;
	crm_tag    *tag = own_tag(fcinfo, 4, &population);
	new_test	test = {.kind = "coverage"};
	int32		number;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument %s must not be NULL", PG_ARGISNULL(1) ? "low" : "high")));
	check_value(tag, fcinfo, 3);
	test.low = PG_GETARG_FLOAT8(1);
	test.high = PG_GETARG_FLOAT8(2);
	if (!(test.low >= 0 && test.low <= test.high && test.high <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid bounds of coverage: %g to %g", test.low, test.high),
				 errdetail("Coverage is the share of customers who have the tag, from 0 to 1."),
				 errhint("For between 5 and 20 percent give 0.05 and 0.2.")));
	test.value = PG_ARGISNULL(3) ? (Datum) 0 : PG_GETARG_DATUM(3);
	test.value_is_null = PG_ARGISNULL(3);
	number = add_test(tag, &test);
	PopActiveSnapshot();
	PG_RETURN_INT32(number);
}

/* crm.drop_tag_test(tag, test, population) */
CRM_FUNCTION(crm_drop_tag_test);
Datum
crm_drop_tag_test(PG_FUNCTION_ARGS)
{
	crm_population *population;
	crm_tag    *tag = own_tag(fcinfo, 2, &population);
	crm_catalogue_session session;
	bool		found;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument test must not be NULL")));
	crm_catalogue_begin(&session);
	found = crm_catalogue_write("DELETE FROM @.tag_test WHERE tag_id = $1 AND test_no = $2",
								2, INT4OID, Int32GetDatum(tag->id), false, INT4OID, PG_GETARG_DATUM(1), false) > 0;
	crm_catalogue_end(&session);
	if (!found)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("tag \"%s\" has no test %d", tag->name, PG_GETARG_INT32(1)),
				 errhint("%s.check_tags lists the tests with their numbers.", crm_schema())));
	PopActiveSnapshot();
	PG_RETURN_VOID();
}
