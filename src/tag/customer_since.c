/*
 * customer_since.c - since when a customer has a tag, from the history.
 *
 * The changes of his chunk are walked backwards until one is met that gave him
 * the tag.  Who only moved to another scope left a set in one and entered it in
 * the other with the same change: the walk goes on in the scope that he left.
 */
#include "common/crm.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "kernel/tag_chunk.h"
#include "tag/customer.h"
#include "tag/number_tag.h"
#include "tag/store.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

typedef struct since_walk
{
	const crm_population *population;
	int64		id;
	Relation	table;
	Relation	by_customer;
	Relation	by_tag;
} since_walk;

/* A change that concerned the customer in one set and scope. */
typedef struct change_seen
{
	int64		change_no;
	int32		value_no;
	int32		scope_no;
	bool		entered;
} change_seen;

typedef struct seen_list
{
	change_seen *seen;
	int			count;
	int			room;
} seen_list;

/* ---- numbers -------------------------------------------------------------------------- */

void
crm_held_number_toggle(crm_held_number *number, int32 value_no)
{
	int			bit = value_no - CRM_SLICE_FIRST_BIT;

	if (value_no == CRM_SLICE_SIGN)
		number->negative = !number->negative;
	else if (bit >= 0 && bit < 127)
		number->bits[bit / 64] ^= UINT64CONST(1) << (bit % 64);
}

char *
crm_held_number_text(const crm_held_number *number, int scale)
{
	crm_uint128 bits = (crm_uint128) number->bits[1] << 64 | number->bits[0];

	return crm_number_text((crm_int128) (number->negative ? ~bits : bits), scale);
}

/* ---- changes -------------------------------------------------------------------------- */

static bool
holds(const since_walk *walk, int32 tag_id, Datum value)
{
	int			bits = walk->population->chunk_bits;
	struct varlena *members = PG_DETOAST_DATUM_PACKED(value);
	bool		found;

	if (crm_chunk_contains((const uint8 *) VARDATA_ANY(members), VARSIZE_ANY_EXHDR(members),
						   (uint64) walk->id & ((UINT64CONST(1) << bits) - 1), &found) != CRM_OK)
		crm_store_damaged(walk->population, tag_id, walk->id >> bits);
	if ((Pointer) members != DatumGetPointer(value))
		pfree(members);
	return found;
}

/* Adds the row of tag_change when it concerns the customer. */
static void
see(const since_walk *walk, HeapTuple tuple, seen_list *list)
{
	Datum		values[CRM_CHANGE_COLUMNS];
	bool		nulls[CRM_CHANGE_COLUMNS];
	int32		tag_id;
	change_seen *seen;
	bool		entered;

	heap_deform_tuple(tuple, RelationGetDescr(walk->table), values, nulls);
	tag_id = DatumGetInt32(values[CRM_CHANGE_TAG - 1]);
	entered = !nulls[CRM_CHANGE_ENTERED - 1] && holds(walk, tag_id, values[CRM_CHANGE_ENTERED - 1]);
	if (!entered && (nulls[CRM_CHANGE_EXITED - 1] || !holds(walk, tag_id, values[CRM_CHANGE_EXITED - 1])))
		return;
	if (list->count == list->room)
	{
		list->room = Max(16, list->room * 2);
		list->seen = list->seen == NULL ? palloc(list->room * sizeof(change_seen)) :
			repalloc(list->seen, list->room * sizeof(change_seen));
	}
	seen = &list->seen[list->count++];
	seen->change_no = DatumGetInt64(values[CRM_CHANGE_NO - 1]);
	seen->value_no = DatumGetInt32(values[CRM_CHANGE_VALUE - 1]);
	seen->scope_no = DatumGetInt32(values[CRM_CHANGE_SCOPE - 1]);
	seen->entered = entered;
}

static int
compare_newest(const void *a, const void *b)
{
	const change_seen *x = a;
	const change_seen *y = b;

	if (x->change_no != y->change_no)
		return x->change_no > y->change_no ? -1 : 1;
	return x->value_no < y->value_no ? -1 : x->value_no > y->value_no;
}

/*
 * The customer's changes in one scope up to a number, newest first: of the set,
 * or of all slices of a number.  Of a set one is enough, it gave him the tag.
 */
static seen_list
changes_in_scope(const since_walk *walk, const crm_held_tag *held, int32 scope_no, int64 upto)
{
	int			bits = walk->population->chunk_bits;
	int			n = 4;
	ScanKeyData keys[6];
	seen_list	list = {NULL, 0, 0};
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], CRM_CHANGE_POPULATION, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(walk->population->id));
	ScanKeyInit(&keys[1], CRM_CHANGE_SCOPE, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(scope_no));
	ScanKeyInit(&keys[2], CRM_CHANGE_CHUNK, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(walk->id >> bits));
	ScanKeyInit(&keys[3], CRM_CHANGE_TAG, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(held->tag_id));
	if (!held->is_number)
		ScanKeyInit(&keys[n++], CRM_CHANGE_VALUE, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(held->value_no));
	ScanKeyInit(&keys[n++], CRM_CHANGE_NO, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(upto));
	scan = systable_beginscan_ordered(walk->table, walk->by_customer, GetActiveSnapshot(), n, keys);
	while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, BackwardScanDirection)))
	{
		CHECK_FOR_INTERRUPTS();
		see(walk, tuple, &list);
		if (!held->is_number && list.count > 0)
			break;
	}
	systable_endscan_ordered(scan);
	if (list.count > 1)
		qsort(list.seen, list.count, sizeof(change_seen), compare_newest);
	return list;
}

/* The scope whose set of this tag and value he left with the change; -1: none. */
static int32
scope_left(const since_walk *walk, int32 tag_id, int32 value_no, int64 change_no)
{
	ScanKeyData keys[4];
	seen_list	list = {NULL, 0, 0};
	SysScanDesc scan;
	HeapTuple	tuple;

	if (walk->population->scope_column == NULL)
		return -1;
	ScanKeyInit(&keys[0], CRM_CHANGE_TAG, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(tag_id));
	ScanKeyInit(&keys[1], CRM_CHANGE_VALUE, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(value_no));
	ScanKeyInit(&keys[2], CRM_CHANGE_NO, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(change_no));
	ScanKeyInit(&keys[3], CRM_CHANGE_CHUNK, BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(walk->id >> walk->population->chunk_bits));
	scan = systable_beginscan_ordered(walk->table, walk->by_tag, GetActiveSnapshot(), 4, keys);
	while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
		see(walk, tuple, &list);
	systable_endscan_ordered(scan);
	for (int i = 0; i < list.count; i++)
		if (!list.seen[i].entered)
			return list.seen[i].scope_no;
	return -1;
}

/* Digits behind the point of the tag's numbers as of a change. */
static int
scale_then(int32 tag_id, int64 change_no, int scale_now)
{
	crm_catalogue_session session;
	int			scale = scale_now;

	crm_catalogue_begin(&session);
	if (crm_catalogue_read("SELECT coalesce(number_scale, 0) AS number_scale FROM @.tag_state WHERE tag_id = $1 AND change_no <= $2 "
						   "ORDER BY change_no DESC LIMIT 1",
						   2, INT4OID, Int32GetDatum(tag_id), false, INT8OID, Int64GetDatum(change_no), false) > 0)
		scale = crm_catalogue_within(0, 1, CRM_MAX_NUMBER_SCALE);
	crm_catalogue_end(&session);
	return scale;
}

/* The change that gave him the tag, or the number; 0 when there is none in the history. */
static int64
change_that_gave(const since_walk *walk, const crm_held_tag *held, int64 upto)
{
	int32		scope_no = held->scope_no;
	crm_held_number number = held->number;
	char	   *text = held->is_number ? crm_held_number_text(&held->number, held->scale) : NULL;

	/* each round, in another scope, begins before the one before it */
	for (;;)
	{
		seen_list	list = changes_in_scope(walk, held, scope_no, upto);
		int			i = 0;
		int32		left = -1;

		while (i < list.count && left < 0)
		{
			int64		change_no = list.seen[i].change_no;
			bool		entered = false;

			for (; i < list.count && list.seen[i].change_no == change_no; i++)
			{
				/* of a set: the set itself; of a number: those who have one */
				if (!held->is_number || list.seen[i].value_no == CRM_SLICE_PRESENT)
					entered = true;
				crm_held_number_toggle(&number, list.seen[i].value_no);
			}
			if (entered)
			{
				left = scope_left(walk, held->tag_id, held->value_no, change_no);
				if (left < 0)
					return change_no;
				if (held->is_number)
				{
					/* his number in the scope that he left */
					crm_held_tag there = *held;
					seen_list	before;

					memset(&number, 0, sizeof(number));
					before = changes_in_scope(walk, &there, left, change_no);
					for (int k = 0; k < before.count && before.seen[k].change_no == change_no; k++)
						if (!before.seen[k].entered)
							crm_held_number_toggle(&number, before.seen[k].value_no);
				}
				scope_no = left;
			}
			upto = change_no - 1;
			if (held->is_number &&
				strcmp(crm_held_number_text(&number, scale_then(held->tag_id, upto, held->scale)), text) != 0)
				return change_no;
		}
		if (left < 0)
			return 0;
	}
}

/* ---- all tags --------------------------------------------------------------------------- */

/* The instants: of the changes found, else of the first sets, where history reaches back to them. */
static void
find_instants(const crm_population *population, crm_customer *customer, const int64 *changes)
{
	crm_catalogue_session session;
	Datum	   *tags = palloc(customer->count * sizeof(Datum));
	Datum	   *numbers = palloc(customer->count * sizeof(Datum));
	uint64		found;

	for (int i = 0; i < customer->count; i++)
	{
		tags[i] = Int32GetDatum(customer->tags[i].held.tag_id);
		numbers[i] = Int64GetDatum(changes[i]);
		customer->tags[i].since_known = false;
	}
	crm_catalogue_begin(&session);
	/* one question for all tags: of a thousand of them each would cost as much */
	found = crm_catalogue_read("SELECT u.n, c.changed_at FROM unnest($2, $3) WITH ORDINALITY AS u (tag_id, change_no, n) "
							   "LEFT JOIN (SELECT s.tag_id, min(s.change_no) AS change_no FROM @.tag_state s "
							   " WHERE s.tag_id = ANY ($2) AND s.first GROUP BY s.tag_id) f ON f.tag_id = u.tag_id "
							   "JOIN @.population_change c ON c.population_id = $1 AND c.change_no = "
							   " CASE WHEN u.change_no > 0 THEN u.change_no ELSE f.change_no END "
							   "WHERE u.change_no >= 0",
							   3, INT4OID, Int32GetDatum(population->id), false,
							   INT4ARRAYOID, PointerGetDatum(construct_array(tags, customer->count, INT4OID, 4, true, TYPALIGN_INT)), false,
							   INT8ARRAYOID, PointerGetDatum(construct_array(numbers, customer->count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)), false);
	for (uint64 row = 0; row < found; row++)
	{
		int64		n = crm_catalogue_number(row, 1, NULL);
		bool		unknown;

		if (n < 1 || n > customer->count)
			continue;
		customer->tags[n - 1].since = crm_catalogue_number(row, 2, &unknown);
		customer->tags[n - 1].since_known = !unknown;
	}
	crm_catalogue_end(&session);
}

void
crm_customer_since(const crm_population *population, const crm_past *past, crm_customer *customer)
{
	since_walk	walk = {.population = population,.id = customer->id};
	int64	   *changes = palloc((customer->count + 1) * sizeof(int64));

	if (customer->count == 0)
		return;
	walk.table = crm_catalogue_open("tag_change", AccessShareLock);
	walk.by_customer = crm_catalogue_index(walk.table, "tag_change_pkey");
	walk.by_tag = crm_catalogue_index(walk.table, "tag_change_by_tag");
	for (int i = 0; i < customer->count; i++)
		changes[i] = !customer->tags[i].held.stored ? -1 :
			change_that_gave(&walk, &customer->tags[i].held, past != NULL ? past->change_no : PG_INT64_MAX);
	index_close(walk.by_tag, AccessShareLock);
	index_close(walk.by_customer, AccessShareLock);
	table_close(walk.table, AccessShareLock);
	find_instants(population, customer, changes);
}
