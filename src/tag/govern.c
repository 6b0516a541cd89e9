/*
 * govern.c - the state, confidence, description and owner of a tag, and who may
 * change them.
 *
 *   draft      evaluated by refreshes and read as a set, so that its author can
 *              look at it; not shown with customers
 *   approved   as everybody knows tags
 *   retired    neither evaluated nor read; set, versions and history stay
 */
#include "common/crm.h"

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "tag/readers.h"
#include "tag/scan_plan.h"
#include "tag/tag_base.h"
#include "tag/tag.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

static const char *const states[] = {"approved", "draft", "retired"};

crm_tag_state
crm_tag_state_of(const char *name)
{
	for (int i = 0; i < lengthof(states); i++)
		if (strcmp(states[i], name) == 0)
			return (crm_tag_state) i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown state of a tag: \"%s\"", name),
			 errhint("The states are draft, approved and retired.")));
}

List *
crm_tag_list_in_use(const crm_population *population)
{
	List	   *tags = NIL;
	ListCell   *cell;

	foreach(cell, crm_tag_list(population))
		if (((crm_tag *) lfirst(cell))->state != CRM_TAG_RETIRED)
			tags = lappend(tags, lfirst(cell));
	return tags;
}

void
crm_tag_require_in_use(const crm_tag *tag)
{
	if (tag->state == CRM_TAG_RETIRED)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("tag \"%s\" is retired", tag->name),
				 errdetail("A retired tag is neither evaluated nor read."),
				 errhint("%s.alter_tag('%s', state => 'approved') takes it into use again.", crm_schema(), tag->name)));
}

/* Is an approval by somebody else required?  Sets the author of the current version. */
static bool
needs_approval(const crm_population *population, const crm_tag *tag, Oid *author)
{
	crm_catalogue_session session;
	bool		required = false;

	crm_catalogue_begin(&session);
	if (crm_catalogue_read("SELECT p.approval, v.created_by::oid::bigint FROM @.population_definition p, @.tag_version v "
						   "WHERE p.population_id = $1 AND v.tag_id = $2 AND v.version = $3",
						   3, INT4OID, Int32GetDatum(population->id), false, INT4OID, Int32GetDatum(tag->id), false,
						   INT4OID, Int32GetDatum(tag->version), false) > 0)
	{
		required = crm_catalogue_number(0, 1, NULL) != 0;
		*author = (Oid) crm_catalogue_number(0, 2, NULL);
	}
	crm_catalogue_end(&session);
	return required;
}

static void
check_approval(const crm_population *population, const crm_tag *tag)
{
	Oid			author = InvalidOid;

	if (!needs_approval(population, tag, &author))
		return;
	if (!crm_rights_may_approve(population))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to approve tags of population \"%s\"", population->name),
				 errhint("Its owner may run %s.grant_population('%s', '%s', 'approve').", crm_schema(),
						 population->name, GetUserNameFromId(GetUserId(), false))));
	if (author == GetUserId())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the author of a rule cannot approve it"),
				 errdetail("Version %d of tag \"%s\" is yours, and population \"%s\" requires the approval of somebody else.",
						   tag->version, tag->name, population->name)));
}

/* The new owner: the caller must be able to act for him, and he to read what the rule reads. */
static Oid
check_new_owner(const crm_population *population, const crm_tag *tag, const char *name)
{
	Oid			owner = get_role_oid(name, false);
	Relation	source;
	crm_owner_session session;
	crm_rule   *rule;

	if (!has_privs_of_role(GetUserId(), tag->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of tag \"%s\"", tag->name)));
	if (!has_privs_of_role(GetUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be a member of role \"%s\" to give it a tag", name)));
	crm_rights_check_owner(owner);
	if (owner != tag->owner)
		crm_bases_require_alone(tag);
	(void) crm_population_source(population);
	source = relation_open(population->source, AccessShareLock);
	crm_owner_begin(&session, owner);
	rule = crm_rule_read(source, tag->qualified);
	crm_owner_end(&session);
	crm_rule_require_columns(population, rule, owner);
	relation_close(source, NoLock);
	return owner;
}

/* crm.alter_tag(name, population, state, confidence, description, owner) */
CRM_FUNCTION(crm_alter_tag);
Datum
crm_alter_tag(PG_FUNCTION_ARGS)
{
	crm_population *population;
	crm_tag    *tag;
	crm_tag_state state;
	crm_catalogue_session session;
	Oid			owner;
	bool		owns;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument name must not be NULL")));
	crm_catalogue_newest();
	population = crm_population_find(crm_text_argument(fcinfo, 1));
	crm_population_lock(population);
	PopActiveSnapshot();
	crm_catalogue_newest();
	tag = crm_tag_find(population, crm_text_argument(fcinfo, 0));
	owns = has_privs_of_role(GetUserId(), tag->owner) || has_privs_of_role(GetUserId(), population->owner);
	state = PG_ARGISNULL(2) ? tag->state : crm_tag_state_of(crm_text_argument(fcinfo, 2));
	if (!owns && (PG_ARGISNULL(2) || !crm_rights_may_approve(population) || !PG_ARGISNULL(3) || !PG_ARGISNULL(4) || !PG_ARGISNULL(5)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of tag \"%s\"", tag->name),
				 crm_rights_may_approve(population) ? errdetail("The right to approve tags is one to change their state.") : 0));
	if (!PG_ARGISNULL(3) && !(PG_GETARG_FLOAT8(3) >= 0 && PG_GETARG_FLOAT8(3) <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument confidence must be from 0 to 1, not %g", PG_GETARG_FLOAT8(3))));
	if (state == CRM_TAG_APPROVED && !PG_ARGISNULL(2))
		check_approval(population, tag);
	owner = PG_ARGISNULL(5) ? tag->owner : check_new_owner(population, tag, NameStr(*PG_GETARG_NAME(5)));

	crm_catalogue_begin(&session);
	crm_catalogue_write("UPDATE @.tag_definition SET state = $2, confidence = coalesce($3, confidence), description = coalesce($4, description), owner = $5::oid, "
						" approved_by = CASE WHEN $6 THEN pg_get_userbyid($7)::text WHEN $2 = 'approved' THEN approved_by END, "
						" approved_at = CASE WHEN $6 THEN now() WHEN $2 = 'approved' THEN approved_at END WHERE tag_id = $1",
						7, INT4OID, Int32GetDatum(tag->id), false,
						TEXTOID, CStringGetTextDatum(states[state]), false,
						FLOAT8OID, PG_GETARG_DATUM(3), PG_ARGISNULL(3),
						TEXTOID, PG_GETARG_DATUM(4), PG_ARGISNULL(4),
						OIDOID, ObjectIdGetDatum(owner), false,
						BOOLOID, BoolGetDatum(state == CRM_TAG_APPROVED && !PG_ARGISNULL(2)), false,
						OIDOID, ObjectIdGetDatum(session.saved_user), false);
	crm_catalogue_end(&session);
	/* what changed while it was retired was folded for the others only */
	if (population->tracked && tag->state == CRM_TAG_RETIRED && state != CRM_TAG_RETIRED)
		crm_log_everybody(population->id);
	PopActiveSnapshot();
	PG_RETURN_VOID();
}

/* crm.alter_population(name, approval, description) */
CRM_FUNCTION(crm_alter_population);
Datum
crm_alter_population(PG_FUNCTION_ARGS)
{
	crm_population *population;
	crm_catalogue_session session;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument name must not be NULL")));
	crm_catalogue_newest();
	population = crm_population_find(crm_text_argument(fcinfo, 0));
	crm_rights_require_owner(population);
	crm_catalogue_begin(&session);
	crm_catalogue_write("UPDATE @.population_definition SET approval = coalesce($2, approval), description = coalesce($3, description) WHERE population_id = $1",
						3, INT4OID, Int32GetDatum(population->id), false,
						BOOLOID, PG_GETARG_DATUM(1), PG_ARGISNULL(1), TEXTOID, PG_GETARG_DATUM(2), PG_ARGISNULL(2));
	crm_catalogue_end(&session);
	PopActiveSnapshot();
	PG_RETURN_VOID();
}
