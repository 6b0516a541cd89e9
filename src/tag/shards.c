/*
 * shards.c - a source in parts that other servers hold.
 *
 * PostgreSQL sends an aggregate to a foreign server whole or not at all, and the
 * planner never asks a foreign partition for a partial state.  So a query that
 * aggregates each leaf by itself and merges what comes back runs where the rows
 * are, where the same query over the partitioned relation fetches every row.
 */
#include "common/crm.h"

#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "miscadmin.h"
#include "tag/tag.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"

/* A relation's own policies and rights hold when it is named in a query, and not when its parent is. */
static bool
reads_alike(Oid leaf, Oid reader)
{
	return pg_class_aclcheck(leaf, reader, ACL_SELECT) == ACLCHECK_OK &&
		check_enable_rls(leaf, reader, true) != RLS_ENABLED;
}

List *
crm_shards_of(Oid relation, Oid reader)
{
	List	   *leaves = NIL;
	bool		foreign = false;
	ListCell   *cell;

	if (get_rel_relkind(relation) != RELKIND_PARTITIONED_TABLE || check_enable_rls(relation, reader, true) == RLS_ENABLED)
		return NIL;
	foreach(cell, find_all_inheritors(relation, AccessShareLock, NULL))
	{
		Oid			leaf = lfirst_oid(cell);
		char		kind = get_rel_relkind(leaf);

		if (kind == RELKIND_PARTITIONED_TABLE)
			continue;
		if (!reads_alike(leaf, reader))
			return NIL;
		foreign = foreign || kind == RELKIND_FOREIGN_TABLE;
		leaves = lappend_oid(leaves, leaf);
	}
	return foreign ? leaves : NIL;
}
