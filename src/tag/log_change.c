/*
 * log_change.c - the trigger of tracked relations: whose rows did the statement
 * change?
 *
 * It runs in every write of the user's, so it does next to nothing: the keys in
 * the transition tables, each once, go into the log, some hundred to a row.  No
 * rule is evaluated, nothing is looked up that the writer could have to wait for.
 * A write never fails for the sake of tags: where the key column is gone, the
 * log says that everybody may have changed.
 *
 * Keys of customers that the dictionary has not met are numbered here, since a
 * reader, who may be on a standby, cannot.
 */
#include "common/crm.h"

#include "access/xact.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "kernel/ids.h"
#include "tag/log_write.h"
#include "tag/tag.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"
#include "utils/uuid.h"

/* Elements of a row of the log: it stays in its page. */
#define ROW_IDS 200
#define ROW_KEY_BYTES 1500
/* So many keys are gathered, and freed of repetitions, before they are logged. */
#define FLUSH_KEYS 20000

/* ---- is the trigger ours? --------------------------------------------------------- */

/*
 * Anyone may put the trigger on a table of his own, with whatever arguments: it
 * has an effect only where track_population put it.  What was found is kept
 * until the relation changes.
 */
typedef struct checked_trigger
{
	Oid			relation;		/* InvalidOid: none */
	int32		population;
	int32		relation_no;
	bool		tracked;
	bool		customers;
	/* looked up with it, as every write pays for what is not */
	Oid			function;		/* whose schema is the extension's */
	Oid			log;
	AttrNumber	attribute;		/* the key column; InvalidAttrNumber: gone */
	Oid			type;
} checked_trigger;

#define CHECKED 64
static checked_trigger checked[CHECKED];
static int	next_checked;

static void
forget_checked(Datum arg, Oid relation)
{
	for (int i = 0; i < CHECKED; i++)
		if (!OidIsValid(relation) || checked[i].relation == relation)
			checked[i].relation = InvalidOid;
}

static void
look_up_key(checked_trigger *found, Relation relation, const char *key_column)
{
	found->log = get_relname_relid("change_log", get_func_namespace(found->function));
	if (!OidIsValid(found->log))
		found->log = crm_relation("change_log");
	found->attribute = get_attnum(found->relation, key_column);
	if (found->attribute > 0)
		found->type = getBaseType(TupleDescAttr(RelationGetDescr(relation), found->attribute - 1)->atttypid);
}

static checked_trigger
check_trigger(Relation relation, int32 population, int32 relation_no, const char *key_column, Oid function)
{
	static bool registered = false;
	checked_trigger found = {RelationGetRelid(relation), population, relation_no,.function = function};
	crm_catalogue_session session;
	Oid			root = InvalidOid;

	for (int i = 0; i < CHECKED; i++)
		if (checked[i].relation == found.relation && checked[i].population == population &&
			checked[i].relation_no == relation_no && checked[i].function == function)
			return checked[i];
	if (!registered)
	{
		CacheRegisterRelcacheCallback(forget_checked, (Datum) 0);
		registered = true;
	}

	/* the newest state: a REPEATABLE READ transaction may have begun before the tracking */
	PushActiveSnapshot(GetLatestSnapshot());
	crm_catalogue_begin(&session);
	if (crm_catalogue_read("SELECT relation::oid::int, customers FROM @.tracked_relation WHERE population_id = $1 AND relation_no = $2",
						   2, INT4OID, Int32GetDatum(population), false, INT4OID, Int32GetDatum(relation_no), false) > 0)
	{
		root = (Oid) crm_catalogue_number(0, 1, NULL);
		found.customers = crm_catalogue_number(0, 2, NULL) != 0;
	}
	crm_catalogue_end(&session);
	PopActiveSnapshot();
	found.tracked = root == found.relation ||
		(OidIsValid(root) && list_member_oid(find_all_inheritors(root, NoLock, NULL), found.relation));
	if (found.tracked)
		look_up_key(&found, relation, key_column);
	checked[next_checked] = found;
	next_checked = (next_checked + 1) % CHECKED;
	return found;
}

/* ---- keys -------------------------------------------------------------------------- */

/* Keys gathered until they are logged. */
typedef struct collected
{
	Oid			type;			/* of the key column */
	bool		customers;		/* new keys are to be numbered */
	const crm_population *population;	/* looked up when the first key is */
	crm_log_writer *writer;
	int64	   *ids;			/* keys that may be their own ids */
	int			id_count;
	int			id_room;
	char	  **keys;
	int			key_count;
	int			key_room;
} collected;

static int
compare_ids(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return x < y ? -1 : x > y;
}

static int
compare_keys(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static void
distinct_ids(collected *c)
{
	int			n = 0;

	qsort(c->ids, c->id_count, sizeof(int64), compare_ids);
	for (int i = 0; i < c->id_count; i++)
		if (n == 0 || c->ids[n - 1] != c->ids[i])
			c->ids[n++] = c->ids[i];
	c->id_count = n;
}

static void
distinct_keys(collected *c)
{
	int			n = 0;

	qsort(c->keys, c->key_count, sizeof(char *), compare_keys);
	for (int i = 0; i < c->key_count; i++)
		if (n > 0 && strcmp(c->keys[n - 1], c->keys[i]) == 0)
			pfree(c->keys[i]);
		else
			c->keys[n++] = c->keys[i];
	c->key_count = n;
}

static void
collect_key(collected *c, char *key)
{
	if (c->key_count > 0 && strcmp(c->keys[c->key_count - 1], key) == 0)
	{
		pfree(key);
		return;
	}
	if (c->key_count == c->key_room)
	{
		c->key_room = Max(c->key_room * 2, 16);
		c->keys = c->keys == NULL ? palloc(c->key_room * sizeof(char *)) : repalloc(c->keys, c->key_room * sizeof(char *));
	}
	c->keys[c->key_count++] = key;
}

static void
collect_id(collected *c, int64 id)
{
	if (id < 0)
	{
		/* not its own id */
		collect_key(c, psprintf(INT64_FORMAT, id));
		return;
	}
	if (c->id_count > 0 && c->ids[c->id_count - 1] == id)
		return;
	if (c->id_count == c->id_room)
	{
		c->id_room = Max(c->id_room * 2, 16);
		c->ids = c->ids == NULL ? palloc(c->id_room * sizeof(int64)) : repalloc(c->ids, c->id_room * sizeof(int64));
	}
	c->ids[c->id_count++] = id;
}

/* The key in the dictionary's spelling: what a cast to text gives. */
static char *
key_text(Oid type, Datum key)
{
	Oid			output;
	bool		is_varlena;
	char	   *result;

	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
			return TextDatumGetCString(key);
		case UUIDOID:
			return DatumGetCString(DirectFunctionCall1(uuid_out, key));
		default:
			getTypeOutputInfo(type, &output, &is_varlena);
			result = OidOutputFunctionCall(output, key);
			if (type == BPCHAROID)
				for (Size n = strlen(result); n > 0 && result[n - 1] == ' '; n--)
					result[n - 1] = '\0';
			return result;
	}
}

/* ---- the log --------------------------------------------------------------------------- */

/* Customers whom the dictionary has not met get their numbers. */
static void
number_customers(collected *c)
{
	char	  **unknown = palloc((c->key_count + 1) * sizeof(char *));
	int			count = 0;
	int64		id;

	PushActiveSnapshot(GetLatestSnapshot());
	if (c->population == NULL)
		c->population = crm_population_find_by_id(c->writer->population);
	for (int i = 0; i < c->key_count; i++)
		if (!crm_key_number(c->population, c->keys[i], &id))
			unknown[count++] = c->keys[i];
	PopActiveSnapshot();
	if (count > 0)
		crm_keys_number(c->population, unknown, count);
	pfree(unknown);
}

static void
append_collected(collected *c)
{
	crm_log_writer *writer = c->writer;
	Datum		batch[ROW_IDS];
	int			count = 0;
	Size		bytes = 0;

	for (int i = 0; i < c->id_count; i++)
	{
		batch[count++] = Int64GetDatum(c->ids[i]);
		if (count == ROW_IDS || i + 1 == c->id_count)
		{
			crm_log_append(writer, false, batch, count, NULL, 0);
			count = 0;
		}
	}
	for (int i = 0; i < c->key_count; i++)
	{
		batch[count++] = CStringGetTextDatum(c->keys[i]);
		bytes += strlen(c->keys[i]) + 8;
		if (count == ROW_IDS || bytes >= ROW_KEY_BYTES || i + 1 == c->key_count)
		{
			crm_log_append(writer, false, NULL, 0, batch, count);
			for (int k = 0; k < count; k++)
				pfree(DatumGetPointer(batch[k]));
			count = 0;
			bytes = 0;
		}
	}
}

/* Logs what was gathered; of a large statement in several parts, so that memory does not grow. */
static void
flush(collected *c)
{
	if (c->id_count > 1)
		distinct_ids(c);
	if (c->key_count > 1)
		distinct_keys(c);
	if (c->key_count > 0 && c->customers)
		number_customers(c);
	append_collected(c);
	for (int i = 0; i < c->key_count; i++)
		pfree(c->keys[i]);
	c->id_count = c->key_count = 0;
}

static void
collect_rows(collected *c, Relation relation, AttrNumber attribute, Tuplestorestate *rows)
{
	TupleTableSlot *slot;

	if (rows == NULL)
		return;
	/* other readers of the transition table choose their own place before they read */
	tuplestore_select_read_pointer(rows, tuplestore_alloc_read_pointer(rows, EXEC_FLAG_REWIND));
	tuplestore_rescan(rows);
	slot = MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsMinimalTuple);
	while (tuplestore_gettupleslot(rows, true, false, slot))
	{
		bool		isnull;
		Datum		key = slot_getattr(slot, attribute, &isnull);

		CHECK_FOR_INTERRUPTS();
		if (isnull)
			continue;			/* nobody's */
		switch (c->type)
		{
			case INT2OID:
				collect_id(c, DatumGetInt16(key));
				break;
			case INT4OID:
				collect_id(c, DatumGetInt32(key));
				break;
			case INT8OID:
				collect_id(c, DatumGetInt64(key));
				break;
			default:
				collect_key(c, key_text(c->type, key));
		}
		if (c->id_count + c->key_count >= FLUSH_KEYS)
			flush(c);
	}
	ExecDropSingleTupleTableSlot(slot);
}

/* ---- the trigger ------------------------------------------------------------------------ */

CRM_FUNCTION(crm_log_change);
Datum
crm_log_change(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	int32		population_id;
	int32		relation_no;
	checked_trigger trigger;
	collected	c = {0};
	crm_log_writer writer;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_STATEMENT(data->tg_event) ||
		!TRIGGER_FIRED_AFTER(data->tg_event) || data->tg_trigger->tgnargs != 3)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function log_change is a trigger that track_population makes"),
				 errhint("Call %s.track_population.", crm_schema())));
	population_id = pg_strtoint32(data->tg_trigger->tgargs[0]);
	relation_no = pg_strtoint32(data->tg_trigger->tgargs[1]);
	trigger = check_trigger(data->tg_relation, population_id, relation_no, data->tg_trigger->tgargs[2], fcinfo->flinfo->fn_oid);
	if (!trigger.tracked)
		return PointerGetDatum(NULL);

	crm_log_open(&writer, trigger.log, population_id, relation_no);
	if (TRIGGER_FIRED_BY_TRUNCATE(data->tg_event) || trigger.attribute <= 0)
		crm_log_append(&writer, true, NULL, 0, NULL, 0);
	else
	{
		c.writer = &writer;
		c.type = trigger.type;
		c.customers = trigger.customers;
		collect_rows(&c, data->tg_relation, trigger.attribute, data->tg_oldtable);
		collect_rows(&c, data->tg_relation, trigger.attribute, data->tg_newtable);
		flush(&c);
	}
	crm_log_close(&writer);
	return PointerGetDatum(NULL);
}
