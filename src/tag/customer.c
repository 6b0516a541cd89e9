/*
 * customer.c - crm.tags_of: the tags of one customer.
 *
 * The customer's row is looked up with the caller's own rights; who may see the
 * row may see its tags, whole sets need more (rights.c).  The stored chunks hold
 * one customer's tags side by side, so the answer takes a few pages and one read
 * of the catalogue however large the sets are.
 */
#include "common/crm.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "tag/customer.h"
#include "tag/number_tag.h"
#include "tag/readers.h"
#include "utils/array.h"

/* The number of a numeric tag, which follows the set of those who have one bit by bit. */
typedef struct found_number
{
	uint64		bits[2];
	bool		negative;
} found_number;

/* The sets that hold the customer. */
typedef struct found_sets
{
	int			count;
	int			room;
	Datum	   *tags;
	Datum	   *values;
	found_number *numbers;
	int32		scope;			/* of the population's own set; -1 when he is not in it */
} found_sets;

static void
remember_set(void *arg, int32 tag_id, int32 value_no, int32 scope_no)
{
	found_sets *found = arg;

	if (tag_id < 0)
	{
		found->scope = scope_no;
		return;
	}
	if (value_no != CRM_NO_VALUE && found->count > 0 && DatumGetInt32(found->tags[found->count - 1]) == tag_id &&
		DatumGetInt32(found->values[found->count - 1]) == CRM_NO_VALUE)
	{
		found_number *number = &found->numbers[found->count - 1];
		int			bit = value_no - CRM_SLICE_FIRST_BIT;

		if (value_no == CRM_SLICE_SIGN)
			number->negative = true;
		else if (bit < 127)
			number->bits[bit / 64] |= UINT64CONST(1) << (bit % 64);
		return;
	}
	if (found->count == found->room)
	{
		found->room *= 2;
		found->numbers = repalloc(found->numbers, sizeof(found_number) * found->room);
		found->tags = repalloc(found->tags, sizeof(Datum) * found->room);
		found->values = repalloc(found->values, sizeof(Datum) * found->room);
	}
	memset(&found->numbers[found->count], 0, sizeof(found_number));
	found->tags[found->count] = Int32GetDatum(tag_id);
	found->values[found->count++] = Int32GetDatum(value_no);
}

static char *
number_text(const found_number *number, int scale)
{
	crm_uint128 bits = (crm_uint128) number->bits[1] << 64 | number->bits[0];

	return crm_number_text((crm_int128) (number->negative ? ~bits : bits), scale);
}

static Datum
int_array(Datum *numbers, int count)
{
	return PointerGetDatum(construct_array(numbers, count, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

/*
 * The tags of the customer with this key, by name: those whose evaluation is
 * still valid.  With sizes, each with the number of customers in the scopes
 * given who have it.  NULL when there is no such customer, or the caller may
 * not see him.
 */
crm_customer *
crm_customer_read(const crm_population *population, Datum key, Oid key_type, const crm_scopes *sizes_of)
{
	crm_catalogue_session session;
	crm_customer *customer;
	found_sets	found = {.room = 64,.scope = -1};
	Datum		scopes = (Datum) 0;

	crm_rights_require_tags(population);
	if (!crm_key_visible(population, key, key_type))
		return NULL;

	customer = palloc0(sizeof(crm_customer));
	if (!crm_key_id(population, key, key_type, &customer->id))
		return customer;

	found.tags = palloc(sizeof(Datum) * found.room);
	found.values = palloc(sizeof(Datum) * found.room);
	found.numbers = palloc(sizeof(found_number) * found.room);
	crm_store_sets_of(population, customer->id, remember_set, &found);
	customer->stored = found.scope >= 0;
	if (sizes_of != NULL && !sizes_of->all)
	{
		Datum	   *numbers = palloc(sizeof(Datum) * Max(sizes_of->count, 1));

		for (int i = 0; i < sizes_of->count; i++)
			numbers[i] = Int32GetDatum(sizes_of->numbers[i]);
		scopes = int_array(numbers, sizes_of->count);
	}

	crm_catalogue_begin(&session);
	customer->count =
		crm_catalogue_read("SELECT d.name, v.value, d.kind, d.refreshed_at, d.refreshed_at + d.valid_for, "
							  "       d.description, d.version IS DISTINCT FROM d.refreshed_version, "
							  "       CASE WHEN $3 THEN (SELECT sum(z.members)::bigint FROM @.tag_size z "
							  "             WHERE z.tag_id = d.tag_id AND z.value_no = s.value_no "
							  "               AND ($4::int[] IS NULL OR z.scope_no = ANY ($4))) END, "
							  "       d.as_of, CASE WHEN d.value_type = 'numeric' THEN d.number_scale END, s.n "
							  "FROM ROWS FROM (unnest($1::int[]), unnest($2::int[])) WITH ORDINALITY AS s (tag_id, value_no, n) "
							  "     JOIN @.tag_definition d ON d.tag_id = s.tag_id "
							  "     LEFT JOIN @.tag_value v ON v.tag_id = s.tag_id AND v.value_no = s.value_no "
							  "WHERE d.valid_for IS NULL OR d.refreshed_at + d.valid_for > now() "
							  "ORDER BY d.name COLLATE \"C\", v.value COLLATE \"C\"",
							  4,
							  INT4ARRAYOID, int_array(found.tags, found.count), false,
							  INT4ARRAYOID, int_array(found.values, found.count), false,
							  BOOLOID, BoolGetDatum(sizes_of != NULL), false,
							  INT4ARRAYOID, scopes, scopes == (Datum) 0);
	customer->tags = MemoryContextAllocZero(session.caller, sizeof(crm_customer_tag) * Max(customer->count, 1));
	for (int i = 0; i < customer->count; i++)
	{
		crm_customer_tag *tag = &customer->tags[i];
		bool		isnull;
		int			scale;

		tag->name = crm_catalogue_required(&session, i, 1);
		tag->value = crm_catalogue_text(&session, i, 2);
		tag->kind = crm_catalogue_required(&session, i, 3);
		tag->refreshed_at = crm_catalogue_number(i, 4, NULL);
		tag->until = crm_catalogue_number(i, 5, &isnull);
		tag->expires = !isnull;
		tag->description = crm_catalogue_text(&session, i, 6);
		tag->outdated = crm_catalogue_number(i, 7, NULL) != 0;
		tag->members = crm_catalogue_number(i, 8, &isnull);
		if (isnull)
			tag->members = -1;
		tag->as_of = crm_catalogue_number(i, 9, NULL);
		scale = (int) crm_catalogue_number(i, 10, &isnull);
		if (!isnull)
		{
			MemoryContext old = MemoryContextSwitchTo(session.caller);

			tag->value = number_text(&found.numbers[crm_catalogue_number(i, 11, NULL) - 1], scale);
			MemoryContextSwitchTo(old);
		}
	}
	crm_catalogue_end(&session);
	return customer;
}

/* crm.tags_of(key, population, as_of) */
static Datum
tags_of(FunctionCallInfo fcinfo, Oid key_type)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	crm_customer *customer;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	if (!PG_ARGISNULL(2))
		crm_refuse_as_of();

	customer = crm_customer_read(crm_population_find(crm_text_argument(fcinfo, 1)),
								 PG_GETARG_DATUM(0), key_type, NULL);
	for (int i = 0; customer != NULL && i < customer->count; i++)
	{
		const crm_customer_tag *tag = &customer->tags[i];
		Datum		values[5];
		bool		nulls[5] = {false};

		values[0] = CStringGetTextDatum(tag->name);
		nulls[1] = tag->value == NULL;
		values[1] = nulls[1] ? (Datum) 0 : CStringGetTextDatum(tag->value);
		values[2] = CStringGetTextDatum(tag->kind);
		/* Not known: the stored sets say who has a tag now, not since when. */
		nulls[3] = true;
		nulls[4] = !tag->expires;
		values[4] = TimestampTzGetDatum(tag->until);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

CRM_FUNCTION(crm_tags_of_text);
Datum
crm_tags_of_text(PG_FUNCTION_ARGS)
{
	return tags_of(fcinfo, TEXTOID);
}

CRM_FUNCTION(crm_tags_of_bigint);
Datum
crm_tags_of_bigint(PG_FUNCTION_ARGS)
{
	return tags_of(fcinfo, INT8OID);
}

CRM_FUNCTION(crm_tags_of_uuid);
Datum
crm_tags_of_uuid(PG_FUNCTION_ARGS)
{
	return tags_of(fcinfo, UUIDOID);
}
