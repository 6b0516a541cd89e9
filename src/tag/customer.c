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
#include "common/bridge.h"
#include "funcapi.h"
#include "tag/customer.h"
#include "tag/inputs.h"
#include "tag/number_tag.h"
#include "tag/overlay.h"
#include "tag/readers.h"
#include "utils/array.h"

/* The sets that hold the customer. */
typedef struct found_sets
{
	int			count;
	int			room;
	crm_held_tag *held;
	int32		scope;			/* of the population's own set; -1 when he is not in it */
	char	  **texts;			/* of an evaluation: values of text and numeric tags; NULL: as stored */
} found_sets;

static void
remember_set(void *arg, int32 tag_id, int32 value_no, int32 scope_no)
{
	found_sets *found = arg;
	crm_held_tag *last = found->count > 0 ? &found->held[found->count - 1] : NULL;

	if (tag_id < 0)
	{
		found->scope = scope_no;
		return;
	}
	if (value_no != CRM_NO_VALUE && last != NULL && last->tag_id == tag_id && last->value_no == CRM_NO_VALUE)
	{
		crm_held_number_toggle(&last->number, value_no);
		return;
	}
	if (found->count == found->room)
	{
		found->room *= 2;
		found->held = repalloc(found->held, sizeof(crm_held_tag) * found->room);
	}
	last = &found->held[found->count++];
	memset(last, 0, sizeof(crm_held_tag));
	last->tag_id = tag_id;
	last->value_no = value_no;
	last->scope_no = scope_no;
	last->stored = true;
}

/* ---- what he has now, of a tracked population ---------------------------------------- */

static void
remember_evaluated(void *arg, const crm_tag *tag, char *value)
{
	found_sets *found = arg;
	crm_held_tag *held = &found->held[found->count];

	memset(held, 0, sizeof(crm_held_tag));
	held->tag_id = tag->id;
	held->value_no = CRM_NO_VALUE;
	if (tag->type == CRM_VALUE_TEXT)
		held->value_no = crm_tag_value_no(tag, value);
	found->texts[found->count++] = value;
}

/* Replaces the stored sets by those he is in now, where that may differ. */
static void
evaluate_now(const crm_population *population, crm_customer *customer, found_sets *found)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_overlay *overlay = crm_overlay_begin_one(population, customer->id, &env);
	found_sets	stored = *found;
	List	   *tags;

	if (overlay == NULL)
		return;
	tags = crm_tag_list_in_use(population);
	found->count = 0;
	found->held = palloc((list_length(tags) + 1) * sizeof(crm_held_tag));
	found->texts = palloc((list_length(tags) + 1) * sizeof(char *));
	crm_overlay_want(overlay, tags);
	crm_overlay_each_tag(overlay, remember_evaluated, found);
	customer->stored = crm_overlay_is_customer(overlay);

	/* since when he has what he had already, the history can tell */
	for (int i = 0; i < found->count; i++)
		for (int j = 0; j < stored.count; j++)
			if (found->held[i].tag_id == stored.held[j].tag_id && found->held[i].value_no == stored.held[j].value_no)
			{
				found->held[i] = stored.held[j];
				found->held[i].stored = true;
			}
}

static Datum
text_array(char **texts, int count)
{
	Datum	   *values = palloc((count + 1) * sizeof(Datum));
	bool	   *nulls = palloc((count + 1) * sizeof(bool));
	int			lower = 1;

	for (int i = 0; i < count; i++)
	{
		nulls[i] = texts[i] == NULL;
		values[i] = nulls[i] ? (Datum) 0 : CStringGetTextDatum(texts[i]);
	}
	return PointerGetDatum(construct_md_array(values, nulls, 1, &count, &lower, TEXTOID, -1, false, TYPALIGN_INT));
}

static Datum
int_array(Datum *numbers, int count)
{
	return PointerGetDatum(construct_array(numbers, count, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

/* Members of a set in the scopes given as of then. */
static int64
count_then(const crm_past *past, int32 tag_id, int32 value_no, const crm_scopes *scopes)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_ids_builder *builder;
	int64		members;

	crm_check(crm_ids_builder_new(&env, &builder), CRM_AUDIENCE_NAME, false);
	crm_past_read(past->population, past, tag_id, value_no, scopes, builder);
	members = (int64) crm_ids_builder_cardinality(builder);
	crm_ids_builder_free(builder);
	return members;
}

int64
crm_customers_then(const crm_past *past, const crm_scopes *scopes)
{
	return count_then(past, CRM_BASE_TAG(past->population), CRM_NO_VALUE, scopes);
}

/*
 * What the catalogue says of the sets: $1 and $2 tags and values, $3 and $4
 * whether and in which scopes to count members, $5 and $6 the change and the
 * instant of the past, NULL for now, $7 values of text and numeric tags that
 * were evaluated now, NULL for stored sets, $8 whether changes are taken into
 * account.  What stood behind each tag as of then is asked in another way now:
 * one statement for both would be planned for both.
 */
#define TAGS_OF_SETS(state) \
	"SELECT d.name, coalesce(s.value, v.value), d.kind, r.refreshed_at, CASE WHEN e.exact THEN now() ELSE r.refreshed_at END + d.valid_for, " \
	"       d.description, d.version IS DISTINCT FROM r.version, " \
	"       CASE WHEN $3 THEN (SELECT sum(z.members)::bigint FROM @.tag_size z " \
	"             WHERE z.tag_id = d.tag_id AND z.value_no = s.value_no " \
	"               AND ($4::int[] IS NULL OR z.scope_no = ANY ($4))) END, " \
	"       r.as_of, CASE WHEN d.value_type = 'numeric' THEN r.number_scale END, s.n " \
	"FROM ROWS FROM (unnest($1::int[]), unnest($2::int[]), unnest($7::text[])) WITH ORDINALITY AS s (tag_id, value_no, value, n) " \
	"     JOIN @.tag_definition d ON d.tag_id = s.tag_id " \
	"     LEFT JOIN @.tag_value v ON v.tag_id = s.tag_id AND v.value_no = s.value_no " \
	"     JOIN LATERAL (" state ") r ON true " \
	"     CROSS JOIN LATERAL (SELECT $8 AND d.valid_for IS NOT NULL AND EXISTS (SELECT FROM @.tag_version w " \
	"       WHERE w.tag_id = d.tag_id AND w.version = r.version AND w.clock <> 'unknown') AS exact) e " \
	"WHERE (d.state = 'approved' OR (d.state = 'retired' AND $5 IS NOT NULL)) AND (d.valid_for IS NULL OR e.exact OR r.refreshed_at + d.valid_for > coalesce($6, now())) " \
	"ORDER BY d.name COLLATE \"C\", v.value COLLATE \"C\""

#define STATE_NOW \
	"SELECT CASE WHEN $7 IS NULL THEN d.refreshed_at ELSE now() END AS refreshed_at, " \
	"       CASE WHEN $7 IS NULL THEN d.as_of ELSE now() END AS as_of, d.refreshed_version AS version, d.number_scale"

#define STATE_THEN \
	"SELECT coalesce(c.refreshed_at, t.refreshed_at) AS refreshed_at, coalesce(c.as_of, t.as_of) AS as_of, t.version, t.number_scale " \
	"FROM (SELECT * FROM @.tag_state t WHERE t.tag_id = d.tag_id AND t.change_no <= $5 ORDER BY t.change_no DESC LIMIT 1) t " \
	"     LEFT JOIN LATERAL (SELECT c.refreshed_at, c.as_of FROM @.population_change c WHERE c.population_id = d.population_id " \
	"       AND c.change_no BETWEEN t.change_no AND $5 AND (c.tags IS NULL OR d.tag_id = ANY (c.tags)) " \
	"      ORDER BY c.change_no DESC LIMIT 1) c ON true"

/*
 * The tags of the customer with this key, by name: those whose evaluation is
 * still valid.  With sizes, each with the number of customers in the scopes
 * given who have it.  NULL when there is no such customer, or the caller may
 * not see him.
 */
crm_customer *
crm_customer_read(const crm_population *population, const crm_past *past, Datum key, Oid key_type, const crm_scopes *sizes_of)
{
	crm_catalogue_session session;
	crm_customer *customer;
	found_sets	found = {.room = 64,.scope = -1};
	Datum		scopes = (Datum) 0;
	Datum	   *tags;
	Datum	   *values;

	crm_rights_require_tags(population);
	if (!crm_key_visible(population, key, key_type))
		return NULL;

	customer = palloc0(sizeof(crm_customer));
	if (!crm_key_id(population, key, key_type, &customer->id))
		return customer;

	found.held = palloc(sizeof(crm_held_tag) * found.room);
	crm_past_sets_of(population, past, customer->id, remember_set, &found);
	customer->stored = found.scope >= 0;
	if (past == NULL && population->tracked && population->chunk_bits > 0)
		evaluate_now(population, customer, &found);
	tags = palloc(sizeof(Datum) * (found.count + 1));
	values = palloc(sizeof(Datum) * (found.count + 1));
	for (int i = 0; i < found.count; i++)
	{
		tags[i] = Int32GetDatum(found.held[i].tag_id);
		values[i] = Int32GetDatum(found.held[i].value_no);
	}
	if (sizes_of != NULL && !sizes_of->all)
	{
		Datum	   *numbers = palloc(sizeof(Datum) * Max(sizes_of->count, 1));

		for (int i = 0; i < sizes_of->count; i++)
			numbers[i] = Int32GetDatum(sizes_of->numbers[i]);
		scopes = int_array(numbers, sizes_of->count);
	}

	crm_catalogue_begin(&session);
	customer->count =
		crm_catalogue_read(past == NULL ? TAGS_OF_SETS(STATE_NOW) : TAGS_OF_SETS(STATE_THEN),
						   8,
						   INT4ARRAYOID, int_array(tags, found.count), false,
						   INT4ARRAYOID, int_array(values, found.count), false,
						   BOOLOID, BoolGetDatum(sizes_of != NULL && past == NULL), false,
						   INT4ARRAYOID, scopes, scopes == (Datum) 0,
						   INT8OID, Int64GetDatum(past != NULL ? past->change_no : 0), past == NULL,
						   TIMESTAMPTZOID, TimestampTzGetDatum(past != NULL ? past->as_of : 0), past == NULL,
						   TEXTARRAYOID, found.texts != NULL ? text_array(found.texts, found.count) : (Datum) 0, found.texts == NULL,
						   BOOLOID, BoolGetDatum(past == NULL && population->tracked), false);
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
		(void) crm_catalogue_number(i, 10, &isnull);
		scale = crm_catalogue_within(i, 10, CRM_MAX_NUMBER_SCALE);
		tag->held = found.held[crm_catalogue_number(i, 11, NULL) - 1];
		if (!isnull)
		{
			MemoryContext old = MemoryContextSwitchTo(session.caller);

			tag->held.is_number = true;
			tag->held.scale = scale;
			if (found.texts == NULL)
				tag->value = crm_held_number_text(&tag->held.number, scale);
			else if (tag->held.stored && strcmp(tag->value, crm_held_number_text(&tag->held.number, scale)) != 0)
				tag->held.stored = false;	/* he has another number now */
			MemoryContextSwitchTo(old);
		}
	}
	crm_catalogue_end(&session);
	if (past != NULL && sizes_of != NULL)
		for (int i = 0; i < customer->count; i++)
			customer->tags[i].members = count_then(past, customer->tags[i].held.tag_id, customer->tags[i].held.value_no, sizes_of);
	if (past == NULL)
		crm_inputs_warn(population, tags, found.count);
	return customer;
}

/* crm.tags_of(key, population, as_of) */
static Datum
tags_of(FunctionCallInfo fcinfo, Oid key_type)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	crm_population *population;
	crm_past   *past;
	crm_customer *customer;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	population = crm_population_find(crm_text_argument(fcinfo, 1));
	past = PG_ARGISNULL(2) ? NULL : crm_past_find(population, PG_GETARG_TIMESTAMPTZ(2));
	customer = crm_customer_read(population, past, PG_GETARG_DATUM(0), key_type, NULL);
	if (customer != NULL)
		crm_customer_since(population, past, customer);
	for (int i = 0; customer != NULL && i < customer->count; i++)
	{
		const crm_customer_tag *tag = &customer->tags[i];
		Datum		values[5];
		bool		nulls[5] = {false};

		values[0] = CStringGetTextDatum(tag->name);
		nulls[1] = tag->value == NULL;
		values[1] = nulls[1] ? (Datum) 0 : CStringGetTextDatum(tag->value);
		values[2] = CStringGetTextDatum(tag->kind);
		nulls[3] = !tag->since_known;
		values[3] = TimestampTzGetDatum(tag->since);
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
