/*
 * track_trigger.c - the triggers of tracked relations.
 *
 * Statement-level triggers fire for the relation that the statement names, with
 * transition tables that hold the rows of all its partitions.  So the whole tree
 * gets them: whoever writes a partition directly is seen as well.
 */
#include "common/crm.h"

#include "access/table.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "storage/lmgr.h"
#include "tag/readers.h"
#include "tag/track.h"
#include "utils/acl.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

typedef struct event_trigger
{
	const char *name;
	const char *event;
	const char *transitions;
	int16		type;
} event_trigger;

static const event_trigger triggers[] = {
	{"insert", "INSERT", "REFERENCING NEW TABLE AS crm_new ", TRIGGER_TYPE_INSERT},
	{"update", "UPDATE", "REFERENCING OLD TABLE AS crm_old NEW TABLE AS crm_new ", TRIGGER_TYPE_UPDATE},
	{"delete", "DELETE", "REFERENCING OLD TABLE AS crm_old ", TRIGGER_TYPE_DELETE},
	{"truncate", "TRUNCATE", "", TRIGGER_TYPE_TRUNCATE},
};

static char *
trigger_name(const crm_population *population, const crm_tracked *tracked, const event_trigger *trigger)
{
	return psprintf("crm_track_%d_%d_%s", population->id, tracked->number, trigger->name);
}

/* Is the trigger there, as it is made, and does it fire?  *exists: there is one of its name. */
static bool
has_trigger(Relation relation, const char *name, const event_trigger *trigger, const crm_tracked *tracked, bool *exists)
{
	TriggerDesc *desc = relation->trigdesc;

	*exists = false;
	for (int i = 0; desc != NULL && i < desc->numtriggers; i++)
	{
		const Trigger *t = &desc->triggers[i];

		if (strcmp(t->tgname, name) != 0)
			continue;
		*exists = true;
		return t->tgtype == trigger->type && t->tgenabled != TRIGGER_DISABLED && t->tgenabled != TRIGGER_FIRES_ON_REPLICA &&
			t->tgqual == NULL && t->tgnattr == 0 && t->tgnargs == 3 && strcmp(t->tgargs[2], tracked->key_column) == 0;
	}
	return false;
}

static void
run_as_caller(const char *sql)
{
	int			level = crm_caller_begin();
	int			result = SPI_execute(sql, false, 0);

	if (result < 0)
		elog(ERROR, "\"%s\" failed: %s", sql, SPI_result_code_string(result));
	crm_caller_end(level);
}

static const char *
qualified_name(Oid relation)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), get_rel_name(relation));
}

/* A relation and what inherits from it, all locked: find_all_inheritors leaves the first one to its caller. */
static List *
locked_tree(Oid relation, LOCKMODE lockmode)
{
	LockRelationOid(relation, lockmode);
	if (get_rel_name(relation) == NULL)
	{
		UnlockRelationOid(relation, lockmode);
		return NIL;
	}
	return find_all_inheritors(relation, lockmode, NULL);
}

int
crm_track_make_triggers(const crm_population *population, const crm_tracked *tracked)
{
	int			changed = 0;
	ListCell   *cell;

	/* writers are waited for only where something is to be made: CREATE TRIGGER takes its own lock */
	foreach(cell, locked_tree(tracked->relation, AccessShareLock))
	{
		Oid			relid = lfirst_oid(cell);
		bool		lacked = false;

		for (int i = 0; i < lengthof(triggers); i++)
		{
			char	   *name = trigger_name(population, tracked, &triggers[i]);
			Relation	relation = table_open(relid, NoLock);
			bool		exists;
			bool		fine = has_trigger(relation, name, &triggers[i], tracked, &exists);

			table_close(relation, NoLock);
			if (fine)
				continue;
			if (exists)
				run_as_caller(psprintf("DROP TRIGGER %s ON %s", quote_identifier(name), qualified_name(relid)));
			run_as_caller(psprintf("CREATE TRIGGER %s AFTER %s ON %s %sFOR EACH STATEMENT EXECUTE FUNCTION %s.log_change('%d', '%d', %s)",
								   quote_identifier(name), triggers[i].event, qualified_name(relid), triggers[i].transitions, crm_schema(),
								   population->id, tracked->number, quote_literal_cstr(tracked->key_column)));
			lacked = true;
		}
		changed += lacked;
	}
	return changed;
}

void
crm_track_drop_triggers(const crm_population *population, const crm_tracked *tracked)
{
	ListCell   *cell;

	if (get_rel_name(tracked->relation) == NULL)
		return;
	/* whose triggers are not to be dropped needs no more than a look */
	foreach(cell, locked_tree(tracked->relation, crm_owns_relation(tracked->relation, GetUserId()) ? AccessExclusiveLock : AccessShareLock))
	{
		Oid			relid = lfirst_oid(cell);

		CacheInvalidateRelcacheByRelid(relid);	/* sessions have remembered that it was tracked */
		if (!crm_owns_relation(relid, GetUserId()))
			continue;
		for (int i = 0; i < lengthof(triggers); i++)
		{
			char	   *name = trigger_name(population, tracked, &triggers[i]);
			Relation	relation = table_open(relid, NoLock);
			bool		exists;

			(void) has_trigger(relation, name, &triggers[i], tracked, &exists);
			table_close(relation, NoLock);
			if (exists)
				run_as_caller(psprintf("DROP TRIGGER %s ON %s", quote_identifier(name), qualified_name(relid)));
		}
	}
}

int64
crm_track_tree(Oid relation)
{
	List	   *members;
	uint64		hash = 0;
	ListCell   *cell;

	if (get_rel_name(relation) == NULL)
		return 0;
	members = find_all_inheritors(relation, NoLock, NULL);
	/* a sum: the order does not matter */
	foreach(cell, members)
		hash += hash_bytes_uint32_extended(lfirst_oid(cell), 0);
	list_free(members);
	return (int64) hash;
}
