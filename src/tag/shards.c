/*
 * shards.c - a source whose rows other servers hold.
 *
 * PostgreSQL sends an aggregate to a foreign server whole or not at all, and the
 * planner never asks a foreign partition for a partial state.  So a query that
 * aggregates each leaf by itself and merges what comes back runs where the rows
 * are, where the same query over the partitioned relation fetches every row.
 * Citus combines partial states by itself, so that a relation that it
 * distributes is one part.
 */
#include "common/crm.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "commands/extension.h"
#include "foreign/fdwapi.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rewriteHandler.h"
#include "tag/tag.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"

/* Columns of pg_dist_partition, Citus's catalogue of relations. */
#define DIST_RELATION 1
#define DIST_METHOD 2
#define DIST_COLOCATION 4
#define DIST_REPLICATION 5

/* A relation's own policies and rights hold when it is named in a query, and not when its parent is. */
static bool
reads_alike(Oid leaf, Oid reader)
{
	return pg_class_aclcheck(leaf, reader, ACL_SELECT) == ACLCHECK_OK &&
		check_enable_rls(leaf, reader, true) != RLS_ENABLED;
}

/* Can the server that holds the table aggregate? */
static bool
aggregates_elsewhere(Oid table)
{
	return get_rel_relkind(table) == RELKIND_FOREIGN_TABLE && GetFdwRoutineByRelId(table)->GetForeignUpperPaths != NULL;
}

/* ---- Citus ------------------------------------------------------------------------ */

/* Distributed by a column, or whole on a server of its own; a reference table is here as well as everywhere. */
static bool
is_distributed(Relation catalogue, Oid relation)
{
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	ScanKeyInit(&key, DIST_RELATION, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relation));
	scan = systable_beginscan(catalogue, InvalidOid, false, NULL, 1, &key);
	if (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		char		method = DatumGetChar(heap_getattr(tuple, DIST_METHOD, RelationGetDescr(catalogue), &isnull));
		char		replication = DatumGetChar(heap_getattr(tuple, DIST_REPLICATION, RelationGetDescr(catalogue), &isnull));
		int32		group = DatumGetInt32(heap_getattr(tuple, DIST_COLOCATION, RelationGetDescr(catalogue), &isnull));

		found = method != 'n' || (replication == 's' && group != 0);
	}
	systable_endscan(scan);
	return found;
}

typedef struct search
{
	Relation	catalogue;
	Oid			view;			/* whose query is searched: its rule names it, too */
} search;

static bool view_reads_distributed(Relation catalogue, Oid view);

static bool
reads_distributed(Node *node, void *arg)
{
	const search *s = arg;
	ListCell   *cell;

	if (node == NULL)
		return false;
	if (!IsA(node, Query))
		return expression_tree_walker(node, reads_distributed, arg);
	foreach(cell, ((Query *) node)->rtable)
	{
		const RangeTblEntry *entry = lfirst(cell);

		if (entry->rtekind == RTE_RELATION && entry->relid != s->view &&
			(is_distributed(s->catalogue, entry->relid) || view_reads_distributed(s->catalogue, entry->relid)))
			return true;
	}
	return query_tree_walker((Query *) node, reads_distributed, arg, 0);
}

static bool
view_reads_distributed(Relation catalogue, Oid view)
{
	search		s = {catalogue, view};
	Relation	relation;
	bool		found;

	if (get_rel_relkind(view) != RELKIND_VIEW)
		return false;
	check_stack_depth();
	relation = relation_open(view, AccessShareLock);
	found = reads_distributed((Node *) get_view_query(relation), &s);
	relation_close(relation, NoLock);
	return found;
}

bool
crm_citus_holds(Oid relation)
{
	Oid			of_citus = OidIsValid(get_extension_oid("citus", true)) ?
		get_relname_relid("pg_dist_partition", PG_CATALOG_NAMESPACE) : InvalidOid;
	Relation	catalogue;
	bool		found;

	if (!OidIsValid(of_citus))
		return false;
	catalogue = table_open(of_citus, AccessShareLock);
	found = is_distributed(catalogue, relation) || view_reads_distributed(catalogue, relation);
	table_close(catalogue, NoLock);
	return found;
}

/* ---- parts ------------------------------------------------------------------------- */

List *
crm_shards_of(Oid relation, Oid reader)
{
	List	   *leaves = NIL;
	bool		foreign = false;
	ListCell   *cell;

	if (aggregates_elsewhere(relation) || crm_citus_holds(relation))
		return list_make1_oid(relation);
	if (get_rel_relkind(relation) != RELKIND_PARTITIONED_TABLE || check_enable_rls(relation, reader, true) == RLS_ENABLED)
		return NIL;
	foreach(cell, find_all_inheritors(relation, AccessShareLock, NULL))
	{
		Oid			leaf = lfirst_oid(cell);

		if (get_rel_relkind(leaf) == RELKIND_PARTITIONED_TABLE)
			continue;
		if (!reads_alike(leaf, reader))
			return NIL;
		foreign = foreign || aggregates_elsewhere(leaf);
		leaves = lappend_oid(leaves, leaf);
	}
	return foreign ? leaves : NIL;
}
