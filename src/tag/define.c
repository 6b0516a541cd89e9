/*
 * define.c - creating, replacing and dropping tags.
 */
#include "common/crm.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/sysattr.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "optimizer/optimizer.h"
#include "tag/due.h"
#include "tag/history.h"
#include "tag/inputs.h"
#include "tag/rule_bind.h"
#include "tag/scan_query.h"
#include "tag/segment_define.h"
#include "tag/tag.h"
#include "tag/tag_base.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#define MAX_TAG_NAME 200

static const char *const kinds[] = {"base", "timeliness", "correlation", "predictive", "personality"};

typedef struct tag_arguments
{
	char	   *name;
	char	   *rule;
	char	   *kind;
	crm_population *population;
	char	   *expires;		/* NULL: never */
} tag_arguments;

/* create_tag and replace_tag: (name, rule, kind, population, valid_for, description, expires) */
static tag_arguments
read_arguments(FunctionCallInfo fcinfo)
{
	static const char *const required[] = {"name", "rule", "kind"};
	tag_arguments arguments;
	bool		known = false;

	for (int i = 0; i < 3; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument %s must not be NULL", required[i])));
	arguments.name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	arguments.rule = text_to_cstring(PG_GETARG_TEXT_PP(1));
	arguments.kind = text_to_cstring(PG_GETARG_TEXT_PP(2));
	arguments.expires = PG_ARGISNULL(6) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(6));
	if (arguments.name[0] == '\0' || strlen(arguments.name) > MAX_TAG_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid name for a tag: \"%s\"", arguments.name),
				 errdetail("A name has 1 to %d bytes.", MAX_TAG_NAME)));
	for (int i = 0; i < lengthof(kinds); i++)
		known |= strcmp(arguments.kind, kinds[i]) == 0;
	if (!known)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown kind of tag: \"%s\"", arguments.kind),
				 errhint("The kinds are base, timeliness, correlation, predictive and personality.")));
	if (!PG_ARGISNULL(4))
	{
		Interval	zero = {0};

		if (!DatumGetBool(DirectFunctionCall2(interval_gt, PG_GETARG_DATUM(4), IntervalPGetDatum(&zero))))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("valid_for must be longer than zero"),
					 errdetail("It is %s.", DatumGetCString(DirectFunctionCall1(interval_out, PG_GETARG_DATUM(4))))));
	}
	arguments.population = crm_population_find(PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3)));
	crm_rights_require_define(arguments.population);
	return arguments;
}

/*
 * Parses and checks the rule with its author's rights and search_path, and
 * plans it once, so that what fails for every customer fails now.
 */
static crm_rule *
check_rule(const tag_arguments *arguments, Oid owner, const char **clock)
{
	Relation	source;
	crm_rule   *rule;
	crm_rule	bound;
	crm_owner_session session;
	bytea	   *plan;
	char	   *scan_arguments;

	(void) crm_population_source(arguments->population);
	source = relation_open(arguments->population->source, AccessShareLock);
	rule = crm_rule_parse(source, arguments->rule, arguments->population->has_events);
	rule->tag_name = arguments->name;
	if (arguments->expires != NULL)
		crm_rule_expire(source, rule, arguments->expires, arguments->population->has_events);

	/* what it rests on is its owner's */
	bound = *rule;
	crm_owner_begin(&session, owner);
	crm_rule_bind_alone(arguments->population, source, owner, &bound);
	crm_owner_end(&session);
	rule->bases = bound.bases;
	crm_scan_plan_make(source, list_make1(&bound), GetCurrentTransactionStartTimestamp(), false, &plan, &scan_arguments);
	*clock = crm_due_judge(source, &bound);
	relation_close(source, AccessShareLock);
	return rule;
}

static void
require_column(const crm_population *population, AttrNumber attribute, Oid owner)
{
	char	   *column = get_attname(population->source, attribute, true);

	if (column != NULL &&
		pg_attribute_aclcheck(population->source, attribute, owner, ACL_SELECT) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for column \"%s\" of relation \"%s\"", column, get_rel_name(population->source)),
				 errdetail("The rule runs with the rights of role \"%s\".", GetUserNameFromId(owner, false))));
}

void
crm_rule_require_columns(const crm_population *population, const crm_rule *rule, Oid owner)
{
	Bitmapset  *columns = NULL;
	int			column = -1;

	if (pg_class_aclcheck(population->source, owner, ACL_SELECT) == ACLCHECK_OK)
		return;
	require_column(population, get_attnum(population->source, population->key_column), owner);
	if (population->scope_column != NULL)
		require_column(population, get_attnum(population->source, population->scope_column), owner);
	pull_varattnos(rule->expr, 1, &columns);
	while ((column = bms_next_member(columns, column)) >= 0)
	{
		AttrNumber	attribute = (AttrNumber) (column + FirstLowInvalidHeapAttributeNumber);

		if (attribute != InvalidAttrNumber)
			require_column(population, attribute, owner);
		else					/* the whole row */
			for (int i = 1; i <= MaxHeapAttributeNumber; i++)
				require_column(population, (AttrNumber) i, owner);
	}
}

static const char *
value_type(const crm_rule *rule)
{
	return crm_value_type_name(crm_rule_value_type(rule));
}

/* What the rule is made from, as it is now, with the tag that was just written. */
static void
keep_inputs(const tag_arguments *arguments, const crm_rule *rule, Oid owner)
{
	crm_owner_session session;
	List	   *inputs;

	crm_owner_begin(&session, owner);
	inputs = crm_rule_inputs(arguments->population, rule);
	crm_owner_end(&session);
	UpdateActiveSnapshotCommandId();
	crm_inputs_store(crm_tag_find(arguments->population, arguments->name)->id, inputs);
}

CRM_FUNCTION(crm_create_tag);
Datum
crm_create_tag(PG_FUNCTION_ARGS)
{
	tag_arguments arguments;
	crm_rule   *rule;
	crm_catalogue_session session;
	const char *clock;
	Oid			owner;

	crm_catalogue_newest();
	arguments = read_arguments(fcinfo);

	/* the population's owner where he may be acted for, so that one scan serves all tags */
	owner = crm_rights_rule_owner(arguments.population);
	rule = check_rule(&arguments, owner, &clock);
	crm_rule_require_columns(arguments.population, rule, owner);
	if (crm_defined_segment_find(arguments.population, arguments.name) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("population \"%s\" has a segment named \"%s\"", arguments.population->name, arguments.name),
				 errdetail("Tags and segments of a population share their names: both stand in segment expressions.")));

	crm_catalogue_begin(&session);
	if (crm_catalogue_write("INSERT INTO @.tag_definition (population_id, name, kind, value_type, owner, valid_for, description, state) "
							"SELECT $1, $2, $3, $4, $5::oid, $6, $7, CASE WHEN approval THEN 'draft' ELSE 'approved' END "
							"FROM @.population_definition WHERE population_id = $1 ON CONFLICT (population_id, name) DO NOTHING",
							7, INT4OID, Int32GetDatum(arguments.population->id), false,
							TEXTOID, PG_GETARG_DATUM(0), false,
							TEXTOID, PG_GETARG_DATUM(2), false,
							TEXTOID, CStringGetTextDatum(value_type(rule)), false,
							OIDOID, ObjectIdGetDatum(owner), false,
							INTERVALOID, PG_GETARG_DATUM(4), PG_ARGISNULL(4),
							TEXTOID, PG_GETARG_DATUM(5), PG_ARGISNULL(5)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("tag \"%s\" already exists in population \"%s\"", arguments.name, arguments.population->name),
				 errhint("%s.replace_tag('%s', ...) gives it a new rule.", crm_schema(), arguments.name)));
	crm_catalogue_write("INSERT INTO @.tag_version (tag_id, version, rule, rule_qualified, created_by) "
						"SELECT tag_id, 1, $3, $4, $5::oid FROM @.tag_definition WHERE population_id = $1 AND name = $2",
						5, INT4OID, Int32GetDatum(arguments.population->id), false,
						TEXTOID, PG_GETARG_DATUM(0), false,
						TEXTOID, PG_GETARG_DATUM(1), false,
						TEXTOID, CStringGetTextDatum(rule->qualified), false,
						OIDOID, ObjectIdGetDatum(session.saved_user), false);
	crm_bases_store(arguments.population, arguments.name, rule);
	crm_due_note(arguments.population, arguments.name, clock, arguments.expires);
	crm_catalogue_end(&session);
	keep_inputs(&arguments, rule, owner);
	PopActiveSnapshot();
	PG_RETURN_VOID();
}

static void
require_tag_owner(const crm_tag *tag)
{
	if (!has_privs_of_role(GetUserId(), tag->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of tag \"%s\"", tag->name)));
}

CRM_FUNCTION(crm_replace_tag);
Datum
crm_replace_tag(PG_FUNCTION_ARGS)
{
	tag_arguments arguments;
	crm_rule   *rule;
	crm_tag    *tag;
	crm_catalogue_session session;
	const char *clock;

	crm_catalogue_newest();
	arguments = read_arguments(fcinfo);
	crm_population_lock(arguments.population);
	PopActiveSnapshot();
	crm_catalogue_newest();
	tag = crm_tag_find(arguments.population, arguments.name);
	require_tag_owner(tag);
	rule = check_rule(&arguments, tag->owner, &clock);
	crm_rule_require_columns(arguments.population, rule, tag->owner);
	if (crm_rule_value_type(rule) != tag->type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the new rule of tag \"%s\" gives %s, the old one %s", tag->name, value_type(rule),
						crm_value_type_name(tag->type)),
				 errhint("Drop the tag and create it anew, or give the new rule another name.")));

	crm_catalogue_begin(&session);
	crm_catalogue_write("UPDATE @.tag_definition d SET version = version + 1, kind = $2, valid_for = $3, "
						" description = coalesce($4, description), "
						" state = CASE WHEN state = 'approved' AND (SELECT approval FROM @.population_definition p WHERE p.population_id = d.population_id) "
						" THEN 'draft' ELSE state END WHERE tag_id = $1",
						4, INT4OID, Int32GetDatum(tag->id), false,
						TEXTOID, PG_GETARG_DATUM(2), false,
						INTERVALOID, PG_GETARG_DATUM(4), PG_ARGISNULL(4),
						TEXTOID, PG_GETARG_DATUM(5), PG_ARGISNULL(5));
	crm_catalogue_write("INSERT INTO @.tag_version (tag_id, version, rule, rule_qualified, created_by) "
						"SELECT tag_id, version, $2, $3, $4::oid FROM @.tag_definition WHERE tag_id = $1",
						4, INT4OID, Int32GetDatum(tag->id), false,
						TEXTOID, PG_GETARG_DATUM(1), false,
						TEXTOID, CStringGetTextDatum(rule->qualified), false,
						OIDOID, ObjectIdGetDatum(session.saved_user), false);
	crm_bases_store(arguments.population, arguments.name, rule);
	crm_due_note(arguments.population, arguments.name, clock, arguments.expires);
	crm_catalogue_end(&session);
	keep_inputs(&arguments, rule, tag->owner);
	PopActiveSnapshot();
	PG_RETURN_VOID();
}

CRM_FUNCTION(crm_drop_tag);
Datum
crm_drop_tag(PG_FUNCTION_ARGS)
{
	crm_population *population;
	crm_tag    *tag;
	crm_catalogue_session session;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument name must not be NULL")));
	crm_catalogue_newest();
	population = crm_population_find(PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1)));
	crm_population_lock(population);
	PopActiveSnapshot();
	crm_catalogue_newest();
	tag = crm_tag_find(population, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	require_tag_owner(tag);
	crm_bases_require_no_dependents(tag);

	crm_catalogue_begin(&session);
	crm_catalogue_write("DELETE FROM @.tag_set WHERE tag_id = $1", 1, INT4OID, Int32GetDatum(tag->id), false);
	crm_catalogue_write("DELETE FROM @.tag_size WHERE tag_id = $1", 1, INT4OID, Int32GetDatum(tag->id), false);
	crm_catalogue_write("DELETE FROM @.tag_definition WHERE tag_id = $1", 1, INT4OID, Int32GetDatum(tag->id), false);
	crm_catalogue_write("DELETE FROM @.tag_list WHERE population_id = $1 AND name = $2",
						2, INT4OID, Int32GetDatum(population->id), false, TEXTOID, CStringGetTextDatum(tag->name), false);
	crm_catalogue_end(&session);
	crm_history_forget_tag(tag->id);
	PopActiveSnapshot();
	PG_RETURN_VOID();
}
