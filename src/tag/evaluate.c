/*
 * evaluate.c - tags of some customers, evaluated now, see evaluate.h.
 */
#include "common/crm.h"

#include "common/bridge.h"
#include "tag/evaluate.h"
#include "tag/readers.h"
#include "tag/scan_query.h"

/* ---- evaluating ---------------------------------------------------------------------- */

static void
check_duplicate(const crm_population *population, const crm_tag_sets *sets)
{
	uint64		id;
	char	   *key;

	if (!crm_tag_sets_duplicate(sets, &id))
		return;
	/* whose that key is, not every reader may know */
	key = crm_scan_is_told(population, population->owner) ? crm_key_of_id(population, (int64) id) : NULL;
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("customer \"%s\" stands more than once in the source of population \"%s\"",
					key != NULL ? key : "?", population->name),
			 errdetail("The source %s has to have one row per customer; column \"%s\" is the key.",
					   population->source_name, population->key_column),
			 errhint("Register a view that groups by the key.")));
}

void
crm_evaluation_finish(const crm_population *population, crm_scan_state *state, const int32 *scope_numbers)
{
	uint32	   *order = palloc((state->scope_count + 1) * sizeof(uint32));

	for (uint32 i = 0; i < state->scope_count; i++)
		order[i] = scope_numbers == NULL ? i : (uint32) scope_numbers[i];
	crm_check(crm_tag_sets_finish(state->sets, order), "crm.agg_state", false);
	check_duplicate(population, state->sets);
	pfree(order);
}

bool
crm_evaluation_has_dictionary(const crm_population *population)
{
	crm_catalogue_session session;
	bool		result;

	crm_catalogue_begin(&session);
	result = crm_catalogue_read("SELECT FROM @.population_key WHERE population_id = $1 LIMIT 1",
								1, INT4OID, Int32GetDatum(population->id), false) > 0;
	crm_catalogue_end(&session);
	return result;
}

/* Does the dictionary hold some of these customers' keys? */
static bool
needs_dictionary(const crm_population *population, const crm_pending *pending)
{
	if (population->key_form != CRM_KEY_INTEGER)
		return true;
	if (pending->everybody)
		return crm_evaluation_has_dictionary(population);
	/* numbers of negative keys are the greatest there are */
	return pending->count > 0 && pending->ids[pending->count - 1] > PG_INT64_MAX / 2 && crm_evaluation_has_dictionary(population);
}

crm_evaluation *
crm_evaluate(const crm_population *population, Oid owner, List *tags, const crm_pending *pending, TimestampTz as_of,
			 bool within, bool due)
{
	crm_evaluation *evaluation = palloc0(sizeof(crm_evaluation));
	crm_scan_job job = {0};
	ListCell   *cell;

	crm_rights_check_owner(owner);
	foreach(cell, tags)
		crm_rights_check_tag(lfirst(cell));
	job.population = population;
	job.owner = owner;
	job.tags = tags;
	job.as_of = as_of;
	job.chunk_bits = population->chunk_bits;
	job.dictionary = needs_dictionary(population, pending);
	job.due = due;
	job.chosen = !pending->everybody;
	job.ids = pending->ids;
	job.id_count = pending->count;
	job.fresh = true;
	job.within = within;
	evaluation->population = population;
	evaluation->owner = owner;
	evaluation->tags = tags;
	evaluation->state = crm_scan_run_job(&job);
	return evaluation;
}

/* ---- sets ------------------------------------------------------------------------------- */

/* Adds an encoded set of one chunk. */
static void
add_encoded(const crm_evaluation *evaluation, uint64 chunk, const uint8 *data, size_t size, crm_ids_collector *collector)
{
	int			bits = evaluation->population->chunk_bits;
	uint64		base = chunk << bits;
	uint64	   *ids;
	size_t		count = 0;

	if (size == 0)
		return;
	if (bits <= CRM_CHUNK_BITS)
	{
		uint64		words[CRM_CHUNK_WORDS];

		crm_check(crm_chunk_decode(data, size, words), CRM_AUDIENCE_NAME, false);
		ids = palloc(CRM_CHUNK_IDS * sizeof(uint64));
		for (int i = 0; i < CRM_CHUNK_WORDS; i++)
			for (uint64 w = words[i]; w != 0; w &= w - 1)
				ids[count++] = base + (uint64) i * 64 + (uint64) crm_ctz64(w);
	}
	else
	{
		ids = MemoryContextAllocHuge(CurrentMemoryContext, (size + 1) * sizeof(uint64));
		crm_check(crm_chunk_decode_wide(data, size, bits, ids, &count), CRM_AUDIENCE_NAME, false);
		for (size_t i = 0; i < count; i++)
			ids[i] |= base;
	}
	crm_check(crm_ids_collector_add_many(collector, ids, count), CRM_AUDIENCE_NAME, false);
	pfree(ids);
}

typedef size_t (*encode_chunk) (const crm_evaluation *evaluation, int chunk, int rule, int part, uint8 *out);

static size_t
encode_base(const crm_evaluation *evaluation, int chunk, int rule, int part, uint8 *out)
{
	return crm_tag_sets_encode_base(evaluation->state->sets, chunk, out);
}

static size_t
encode_boolean(const crm_evaluation *evaluation, int chunk, int rule, int part, uint8 *out)
{
	uint32		members;

	return crm_tag_sets_encode_rule(evaluation->state->sets, chunk, rule, out, &members);
}

static size_t
encode_slice(const crm_evaluation *evaluation, int chunk, int rule, int part, uint8 *out)
{
	uint32		members;

	if (part >= crm_tag_sets_slices(evaluation->state->sets, chunk, rule))
		return 0;
	return crm_tag_sets_encode_slice(evaluation->state->sets, chunk, rule, part, out, &members);
}

static void
collect(const crm_evaluation *evaluation, encode_chunk encode, int rule, int part, const bool *scopes,
		crm_ids_collector *collector)
{
	crm_tag_sets *sets = evaluation->state->sets;

	for (int chunk = 0; chunk < crm_tag_sets_chunks(sets); chunk++)
	{
		uint32		scope;
		uint64		number;
		uint32		customers;
		uint8	   *out;

		CHECK_FOR_INTERRUPTS();
		crm_tag_sets_chunk(sets, chunk, &scope, &number, &customers);
		if (!scopes[scope])
			continue;
		out = palloc(crm_tag_sets_bound(sets, chunk));
		add_encoded(evaluation, number, out, encode(evaluation, chunk, rule, part, out), collector);
		pfree(out);
	}
}

void
crm_evaluation_base(const crm_evaluation *evaluation, const bool *scopes, crm_ids_collector *collector)
{
	collect(evaluation, encode_base, 0, 0, scopes, collector);
}

void
crm_evaluation_slice(const crm_evaluation *evaluation, int rule, int slice, const bool *scopes, crm_ids_collector *collector)
{
	collect(evaluation, encode_slice, rule, slice, scopes, collector);
}

/* The code of a value; 0 when none of them has it. */
static int
code_of(const crm_evaluation *evaluation, int rule, const char *value)
{
	int			count = crm_scan_value_count(evaluation->state->scan, rule);

	for (int code = 1; code <= count; code++)
		if (strcmp(crm_scan_value(evaluation->state->scan, rule, code), value) == 0)
			return code;
	return 0;
}

static void
collect_texts(const crm_evaluation *evaluation, int rule, const char *value, bool other, const bool *scopes,
			  crm_ids_collector *collector)
{
	crm_tag_sets *sets = evaluation->state->sets;
	int			wanted = value == NULL ? 0 : code_of(evaluation, rule, value);
	uint16	   *codes;

	if (value != NULL && !other && wanted == 0)
		return;
	codes = palloc(65536 * sizeof(uint16));
	for (int chunk = 0; chunk < crm_tag_sets_chunks(sets); chunk++)
	{
		uint32		scope;
		uint64		number;
		uint32		customers;
		uint8	   *out;
		int			present;

		CHECK_FOR_INTERRUPTS();
		crm_tag_sets_chunk(sets, chunk, &scope, &number, &customers);
		if (!scopes[scope])
			continue;
		out = palloc(crm_tag_sets_bound(sets, chunk));
		present = crm_tag_sets_codes_present(sets, chunk, rule, codes);
		for (int i = 0; i < present; i++)
			if (value == NULL || (codes[i] == wanted) != other)
				add_encoded(evaluation, number, out, crm_tag_sets_encode_code(sets, chunk, i, out, &customers), collector);
		pfree(out);
	}
	pfree(codes);
}

void
crm_evaluation_members(const crm_evaluation *evaluation, int rule, const char *value, bool other, const bool *scopes,
					   crm_ids_collector *collector)
{
	switch (((const crm_tag *) list_nth(evaluation->tags, rule))->type)
	{
		case CRM_VALUE_BOOLEAN:
			collect(evaluation, encode_boolean, rule, 0, scopes, collector);
			break;
		case CRM_VALUE_TEXT:
			collect_texts(evaluation, rule, value, other, scopes, collector);
			break;
		case CRM_VALUE_NUMERIC:
			collect(evaluation, encode_slice, rule, 0, scopes, collector);
			break;
	}
}

int
crm_evaluation_scale(const crm_evaluation *evaluation, int rule, int wanted, uint32 *scale)
{
	crm_tag_sets *sets = evaluation->state->sets;
	int			slices = 0;

	crm_scan_check_numbers(evaluation->state, rule, crm_tag_sets_same_scale(sets, rule, (uint32) wanted, scale));
	for (int chunk = 0; chunk < crm_tag_sets_chunks(sets); chunk++)
		slices = Max(slices, crm_tag_sets_slices(sets, chunk, rule));
	return slices;
}
