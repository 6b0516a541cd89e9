/*
 * track_check.c - which relations can be tracked, and whether all are that a
 * population rests on.
 */
#include "common/crm.h"

#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rewriteHandler.h"
#include "tag/track.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* ---- what triggers can see ---------------------------------------------------------- */

/* Rows that logical replication applies fire no statement-level triggers. */
static bool
is_subscribed(Oid relation)
{
	crm_catalogue_session session;
	bool		subscribed;

	crm_catalogue_begin(&session);
	subscribed = crm_catalogue_read("SELECT FROM pg_subscription_rel WHERE srrelid = $1",
									1, OIDOID, ObjectIdGetDatum(relation), false) > 0;
	crm_catalogue_end(&session);
	return subscribed;
}

/* Why its changes cannot be seen; NULL when they can. */
static const char *
obstacle(Oid relation)
{
	if (relation < FirstNormalObjectId)
		return "It is a system catalog.";
	if (get_rel_persistence(relation) == RELPERSISTENCE_TEMP)
		return "It is a temporary table, which other sessions do not see.";
	switch (get_rel_relkind(relation))
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
			break;
		case RELKIND_FOREIGN_TABLE:
			return "It is a foreign table: others write it without this server noticing.";
		case RELKIND_MATVIEW:
			return "It is a materialized view, and refreshing one fires no triggers.";
		case RELKIND_VIEW:
			return "It is a view: the tables below it are to be named.";
		default:
			return "It is not a table.";
	}
	if (is_subscribed(relation))
		return "It is written by a logical subscription, which fires no statement-level triggers.";
	return NULL;
}

void
crm_track_check_relation(Oid relation)
{
	ListCell   *cell;

	foreach(cell, find_all_inheritors(relation, AccessShareLock, NULL))
	{
		const char *why = obstacle(lfirst_oid(cell));

		if (why != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("changes of relation \"%s\" cannot be tracked", get_rel_name(lfirst_oid(cell))),
					 errdetail("%s", why),
					 errhint("Leave the population untracked and call %s.refresh_tags on a schedule, or copy the rows into a table here.",
							 crm_schema())));
	}
}

/* ---- what a population rests on --------------------------------------------------------- */

typedef struct base_walk
{
	List	   *seen;			/* views looked into, and all others met */
	List	   *bases;			/* those that are no views */
} base_walk;

static void add_bases(base_walk *walk, Oid relation);

static bool
find_bases(Node *node, base_walk *walk)
{
	if (node == NULL)
		return false;
	if (IsA(node, RangeTblEntry))
	{
		if (((RangeTblEntry *) node)->rtekind == RTE_RELATION)
			add_bases(walk, ((RangeTblEntry *) node)->relid);
		return false;
	}
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, find_bases, walk, QTW_EXAMINE_RTES_BEFORE);
	return expression_tree_walker(node, find_bases, walk);
}

/* A view's own query names the view as well: each is looked at once. */
static void
add_bases(base_walk *walk, Oid relid)
{
	Relation	relation;

	if (list_member_oid(walk->seen, relid))
		return;
	walk->seen = lappend_oid(walk->seen, relid);
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	relation = try_table_open(relid, AccessShareLock);
	if (relation == NULL)
		return;
	if (relation->rd_rel->relkind == RELKIND_VIEW)
		(void) find_bases((Node *) get_view_query(relation), walk);
	else
		walk->bases = lappend_oid(walk->bases, relid);
	table_close(relation, AccessShareLock);
}

/* Is the table tracked itself, or as a partition of one that is? */
static bool
is_covered(Oid base, List *relations)
{
	ListCell   *cell;

	foreach(cell, relations)
	{
		const crm_tracked *tracked = lfirst(cell);

		if (tracked->relation == base ||
			list_member_oid(find_all_inheritors(tracked->relation, AccessShareLock, NULL), base))
			return true;
	}
	return false;
}

void
crm_track_check_complete(const crm_population *population, Oid events, List *relations)
{
	base_walk	walk = {NIL, NIL};
	StringInfoData missing;
	ListCell   *cell;
	int			count = 0;

	add_bases(&walk, population->source);
	if (OidIsValid(events))
		add_bases(&walk, events);
	initStringInfo(&missing);
	foreach(cell, walk.bases)
	{
		Oid			base = lfirst_oid(cell);

		if (is_covered(base, relations))
			continue;
		crm_track_check_relation(base);	/* the better reason, where it cannot be */
		appendStringInfo(&missing, "%s%s", count++ == 0 ? "" : ", ",
						 quote_qualified_identifier(get_namespace_name(get_rel_namespace(base)), get_rel_name(base)));
	}
	if (count == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("population \"%s\" rests on tables that would not be tracked", population->name),
			 errdetail("Missing: %s.", missing.data),
			 errhint("Name every table with the column that holds the customer's key: "
					 "%s.track_population('%s', '[{\"relation\": \"...\", \"key\": \"...\"}, ...]'); "
					 "where the key is another table's, add \"via\": {\"relation\": \"...\", \"key\": \"...\", \"customer\": \"...\"}.",
					 crm_schema(), population->name)));
}
