/*
 * rights.c - who may see, read and define what.
 *
 *   owner of a population   everything (and so members of that role)
 *   grant 'define'          own tags in the population
 *   grant 'approve'         the state of tags, and their definitions
 *   grant 'read'            whole sets, of all scopes or of those named
 *   SELECT on the key column of the source
 *                           the definitions
 *   SELECT on all columns   the tags of customers whose rows he may see; and whole
 *                           sets where the population has no scope and no
 *                           row-level security stands in the way, as such a user
 *                           could count the rows himself
 */
#include "common/crm.h"

#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rewriteHandler.h"
#include "tag/tag.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"

static bool
may_select_key(const crm_population *population)
{
	AttrNumber	attribute;

	if (get_rel_name(population->source) == NULL)
		return false;
	if (pg_class_aclcheck(population->source, GetUserId(), ACL_SELECT) == ACLCHECK_OK)
		return true;
	attribute = get_attnum(population->source, population->key_column);
	return attribute != InvalidAttrNumber &&
		pg_attribute_aclcheck(population->source, attribute, GetUserId(), ACL_SELECT) == ACLCHECK_OK;
}

/* A tag may tell of any column: who may not read one of them learns nothing of it by way of tags. */
static bool
may_select_all(const crm_population *population)
{
	if (get_rel_name(population->source) == NULL)
		return false;
	return pg_class_aclcheck(population->source, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
		pg_attribute_aclcheck_all(population->source, GetUserId(), ACL_SELECT, ACLMASK_ALL) == ACLCHECK_OK;
}

static bool
is_owner(const crm_population *population)
{
	return has_privs_of_role(GetUserId(), population->owner);
}

/* Rows of the grants that hold for the current user, by way of SPI; the session stays open. */
static uint64
read_grants(crm_catalogue_session *session, const crm_population *population, const char *privilege)
{
	return crm_catalogue_read("SELECT all_scopes, s.scope_no "
							  "FROM @.population_grant g "
							  "LEFT JOIN @.population_scope s ON NOT all_scopes AND s.population_id = g.population_id "
							  " AND s.scope IS NOT DISTINCT FROM g.scope "
							  "WHERE g.population_id = $1 AND privilege = $2 "
							  " AND (grantee::oid = 0 OR pg_has_role($3, grantee::oid, 'USAGE')) "
							  "ORDER BY all_scopes DESC, s.scope_no",
							  3, INT4OID, Int32GetDatum(population->id), false,
							  TEXTOID, CStringGetTextDatum(privilege), false,
							  OIDOID, ObjectIdGetDatum(session->saved_user), false);
}

static bool
has_grant(const crm_population *population, const char *privilege)
{
	crm_catalogue_session session;
	bool		result;

	crm_catalogue_begin(&session);
	result = read_grants(&session, population, privilege) > 0;
	crm_catalogue_end(&session);
	return result;
}

/* Do others see other rows than the user in this relation?  Views are looked through. */
static bool row_security_below(Oid relid, List **seen);

/*
 * May the function answer different users differently?  Of PostgreSQL's own
 * those that ask for the user, his rights or his settings; of others all that
 * are not immutable.
 */
static bool
depends_on_user(Oid function, void *context)
{
	static const char *const names[] = {"current_setting", "pg_has_role", "row_security_active", "inet_client_addr", "inet_client_port", "pg_backend_pid"};
	const char *name;
	size_t		length;

	if (func_volatile(function) == PROVOLATILE_IMMUTABLE)
		return false;
	if (function >= FirstNormalObjectId)
		return true;
	name = get_func_name(function);
	if (name == NULL)
		return true;
	for (int i = 0; i < lengthof(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	length = strlen(name);
	return strstr(name, "user") != NULL || (strncmp(name, "has_", 4) == 0 && length > 10 && strcmp(name + length - 10, "_privilege") == 0);
}

static bool
find_row_security(Node *node, List **seen)
{
	if (node == NULL)
		return false;
	if (IsA(node, RangeTblEntry))
	{
		RangeTblEntry *rte = (RangeTblEntry *) node;

		return rte->rtekind == RTE_RELATION && row_security_below(rte->relid, seen);
	}
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, find_row_security, seen, QTW_EXAMINE_RTES_BEFORE);
	/* a view's own way of showing each user his rows */
	if (IsA(node, SQLValueFunction))
	{
		switch (((SQLValueFunction *) node)->op)
		{
			case SVFOP_CURRENT_ROLE:
			case SVFOP_CURRENT_USER:
			case SVFOP_USER:
			case SVFOP_SESSION_USER:
				return true;
			default:
				return false;
		}
	}
	if (check_functions_in_node(node, depends_on_user, NULL))
		return true;
	return expression_tree_walker(node, find_row_security, seen);
}

/*
 * Each relation is looked at once: a view's own query names the view itself,
 * twice, and views over views may name one below them any number of times.
 */
static bool
row_security_below(Oid relid, List **seen)
{
	bool		top = *seen == NIL;
	Relation	relation;
	bool		result;

	if (list_member_oid(*seen, relid))
		return false;
	*seen = lappend_oid(*seen, relid);
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	relation = try_table_open(relid, AccessShareLock);
	if (relation == NULL)
		return false;
	if (relation->rd_rel->relkind == RELKIND_VIEW)
		result = find_row_security((Node *) get_view_query(relation), seen);
	else
		/* below a view the policies of its owner apply: their mere presence asks for a grant */
		result = top ? check_enable_rls(relid, InvalidOid, true) == RLS_ENABLED :
			relation->rd_rel->relrowsecurity && !has_bypassrls_privilege(GetUserId());
	table_close(relation, AccessShareLock);
	return result;
}

/* Do others see other rows than the user in this relation? */
static bool
has_row_security(Oid relid)
{
	List	   *seen = NIL;

	return row_security_below(relid, &seen);
}

static void
refuse_tags(const crm_population *population)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for the tags of population \"%s\"", population->name),
			 errdetail("You have neither a grant on the population nor SELECT on all columns of its source, of which tags may tell."),
			 errhint("Its owner may run %s.grant_population('%s', '%s'%s).", crm_schema(),
					 population->name, GetUserNameFromId(GetUserId(), false),
					 population->scope_column != NULL ? ", scopes => ARRAY[...]" : "")));
}

void
crm_rights_require_tags(const crm_population *population)
{
	if (!is_owner(population) && !may_select_all(population) &&
		!has_grant(population, "read") && !has_grant(population, "define"))
		refuse_tags(population);
}

bool
crm_rights_may_see(const crm_population *population)
{
	return is_owner(population) || may_select_key(population) ||
		has_grant(population, "read") || has_grant(population, "define") || has_grant(population, "approve");
}

bool
crm_rights_may_approve(const crm_population *population)
{
	return is_owner(population) || has_grant(population, "approve");
}

/* The scopes whose whole sets the user may read; NULL, or an error that says why, when there are none. */
static crm_scopes *
readable_scopes(const crm_population *population, bool missing_ok)
{
	crm_scopes *scopes = palloc0(sizeof(crm_scopes));
	crm_catalogue_session session;
	uint64		n;

	if (is_owner(population))
	{
		scopes->all = true;
		return scopes;
	}

	crm_catalogue_begin(&session);
	n = read_grants(&session, population, "read");
	scopes->numbers = MemoryContextAlloc(session.caller, (n + 1) * sizeof(int32));
	for (uint64 row = 0; row < n; row++)
	{
		bool		isnull;
		int32		number = (int32) crm_catalogue_number(row, 2, &isnull);

		if (crm_catalogue_number(row, 1, NULL) != 0)
			scopes->all = true;
		else if (!isnull &&		/* a scope that no customer is in has no number yet */
				 (scopes->count == 0 || scopes->numbers[scopes->count - 1] != number))
			scopes->numbers[scopes->count++] = number;
	}
	crm_catalogue_end(&session);
	if (n > 0)
		return scopes;

	if (missing_ok && (!may_select_all(population) || population->scope_column != NULL ||
					   has_row_security(population->source)))
		return NULL;
	if (!may_select_all(population))
		refuse_tags(population);
	if (population->scope_column != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for the sets of population \"%s\"", population->name),
				 errdetail("The population has scopes, and none of them is granted to you."),
				 errhint("Its owner may run %s.grant_population('%s', '%s', scopes => ARRAY[...]).", crm_schema(),
						 population->name, GetUserNameFromId(GetUserId(), false))));
	if (has_row_security(population->source))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for the whole sets of population \"%s\"", population->name),
				 errdetail("Row-level security, or a view that asks who is looking, restricts its source, and a whole set tells of every customer."),
				 errhint("Its owner may run %s.grant_population('%s', '%s'), or give the population a scope column and grant scopes.",
						 crm_schema(), population->name, GetUserNameFromId(GetUserId(), false))));
	scopes->all = true;
	return scopes;
}

crm_scopes *
crm_rights_readable(const crm_population *population)
{
	return readable_scopes(population, false);
}

crm_scopes *
crm_rights_try_readable(const crm_population *population)
{
	return readable_scopes(population, true);
}

bool
crm_scopes_include(const crm_scopes *scopes, int32 scope)
{
	if (scopes->all)
		return true;
	for (int i = 0; i < scopes->count; i++)
		if (scopes->numbers[i] == scope)
			return true;
	return false;
}

bool
crm_rights_may_read_scope(const crm_population *population, const crm_scopes *scopes, const char *scope)
{
	crm_catalogue_session session;
	bool		granted;

	if (scopes->all)
		return true;
	crm_catalogue_begin(&session);
	granted = crm_catalogue_read("SELECT FROM @.population_grant "
								 "WHERE population_id = $1 AND privilege = 'read' AND NOT all_scopes AND scope IS NOT DISTINCT FROM $2 "
								 " AND (grantee::oid = 0 OR pg_has_role($3, grantee::oid, 'USAGE')) LIMIT 1",
								 3, INT4OID, Int32GetDatum(population->id), false,
								 TEXTOID, scope != NULL ? CStringGetTextDatum(scope) : (Datum) 0, scope == NULL,
								 OIDOID, ObjectIdGetDatum(session.saved_user), false) > 0;
	crm_catalogue_end(&session);
	return granted;
}

void
crm_rights_require_owner(const crm_population *population)
{
	if (!is_owner(population))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of population \"%s\"", population->name)));
}

bool
crm_rights_may_define(const crm_population *population)
{
	return is_owner(population) || has_grant(population, "define");
}

void
crm_rights_require_define(const crm_population *population)
{
	if (!crm_rights_may_define(population))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to define tags of population \"%s\"", population->name),
				 errhint("Its owner may run %s.grant_population('%s', '%s', 'define').", crm_schema(),
						 population->name, GetUserNameFromId(GetUserId(), false))));
}

/*
 * The catalogue's tables say whose rights rules and queries run with, and their owner may
 * write them.  Unless he is a superuser, he must not come by rights in this way
 * that SET ROLE would not give him.
 */
void
crm_rights_check_owner(Oid owner)
{
	Oid			catalogue = crm_catalogue_owner();

	if (!superuser_arg(catalogue) && !is_member_of_role(catalogue, owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to run queries as role \"%s\"", GetUserNameFromId(owner, false)),
				 errdetail("The catalogue of crm_analytics belongs to role \"%s\", which is neither a superuser nor a member of \"%s\".",
						   GetUserNameFromId(catalogue, false), GetUserNameFromId(owner, false)),
				 errhint("GRANT %s TO %s, or let a superuser install the extension.",
						 quote_identifier(GetUserNameFromId(owner, false)), quote_identifier(GetUserNameFromId(catalogue, false)))));
}

/* The same for the owner of a tag, who may be gone. */
void
crm_rights_check_tag(const crm_tag *tag)
{
	if (GetUserNameFromId(tag->owner, true) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the owner of tag \"%s\" no longer exists", tag->name),
				 errhint("Drop the tag and create it anew.")));
	crm_rights_check_owner(tag->owner);
}

Oid
crm_rights_rule_owner(const crm_population *population)
{
	Oid			owner = population->owner;

	if (owner == GetUserId() || !has_privs_of_role(GetUserId(), owner) || GetUserNameFromId(owner, true) == NULL)
		return GetUserId();
	crm_rights_check_owner(owner);
	return owner;
}

bool
crm_rights_may_read_all(const crm_population *population, Oid relation, int columns, char **column_names)
{
	crm_catalogue_session session;
	bool		granted = false;

	if (is_owner(population))
		return true;
	crm_catalogue_begin(&session);
	if (read_grants(&session, population, "read") > 0)
		granted = crm_catalogue_number(0, 1, NULL) != 0;	/* all_scopes comes first */
	crm_catalogue_end(&session);
	if (granted)
		return true;
	if (get_rel_name(relation) == NULL)
		return false;
	for (int i = 0; i < columns; i++)
	{
		AttrNumber	attribute = get_attnum(relation, column_names[i]);

		if (attribute == InvalidAttrNumber)
			return false;
		if (pg_class_aclcheck(relation, GetUserId(), ACL_SELECT) != ACLCHECK_OK &&
			pg_attribute_aclcheck(relation, attribute, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
			return false;
	}
	return !has_row_security(relation);
}

bool
crm_rights_may_read_some(const crm_population *population)
{
	return has_grant(population, "read");
}
