/*
 * rule_functions.c - what SQL may ask about a rule.
 */
#include "common/crm.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "tag/rule_internal.h"
#include "utils/acl.h"
#include "utils/rel.h"

CRM_FUNCTION(crm_rule_qualify);
CRM_FUNCTION(crm_rule_is_batched);

/*
 * Opens a relation whose columns the caller may read, some at least: errors
 * about a rule name columns.
 */
Relation
crm_rule_open_source(Oid relid)
{
	Relation	source = relation_open(relid, AccessShareLock);
	char		kind = source->rd_rel->relkind;

	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE && kind != RELKIND_VIEW &&
		kind != RELKIND_MATVIEW && kind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" has no rows of customers", RelationGetRelationName(source)),
				 errhint("Give a table, a view, a materialized view or a foreign table.")));
	if (pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK &&
		pg_attribute_aclcheck_all(relid, GetUserId(), ACL_SELECT, ACLMASK_ANY) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(kind), RelationGetRelationName(source));
	return source;
}

Datum
crm_rule_qualify(PG_FUNCTION_ARGS)
{
	Relation	source = crm_rule_open_source(PG_GETARG_OID(0));
	crm_rule   *rule = crm_rule_parse(source, text_to_cstring(PG_GETARG_TEXT_PP(1)), false);

	relation_close(source, AccessShareLock);
	PG_RETURN_TEXT_P(cstring_to_text(rule->qualified));
}

Datum
crm_rule_is_batched(PG_FUNCTION_ARGS)
{
	Relation	source = crm_rule_open_source(PG_GETARG_OID(0));
	crm_rule   *rule = crm_rule_parse(source, text_to_cstring(PG_GETARG_TEXT_PP(1)), false);
	bool		batched = crm_scan_plan_batched(source, rule, GetCurrentTransactionStartTimestamp());

	relation_close(source, AccessShareLock);
	PG_RETURN_BOOL(batched);
}
