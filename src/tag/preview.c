/*
 * preview.c - crm.preview_tag: what a rule would give, before it becomes a tag.
 *
 * The rule is checked as create_tag checks it, and runs as the caller: one scan
 * of the source, which shows him what he may see.  Nothing is stored.
 */
#include "common/crm.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "common/hashfn.h"
#include "common/settings.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "tag/number_tag.h"
#include "tag/readers.h"
#include "tag/rule_bind.h"
#include "tag/scan_plan.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/rel.h"

#define MAX_SAMPLE 1000
/* Rows fetched at a time. */
#define FETCH_ROWS 4096

typedef struct sampled_key
{
	uint64		hash;
	char	   *key;
} sampled_key;

typedef struct value_preview
{
	const char *value;			/* the hash key; "" for a boolean or numeric rule */
	int64		members;
	int			samples;
	sampled_key *sample;		/* ascending by hash, the smallest ones */
} value_preview;

typedef struct preview
{
	MemoryContext context;		/* outlives SPI */
	bool		boolean;
	crm_bsi_collector *numbers; /* numeric: of each row that has one, by its place; else NULL */
	int			sample;
	int64		customers;
	HTAB	   *values;
} preview;

static uint32
hash_value(const void *key, Size size)
{
	const char *value = *(const char *const *) key;

	return hash_bytes((const unsigned char *) value, (int) strlen(value));
}

static int
match_values(const void *a, const void *b, Size size)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/*
 * The keys with the smallest hashes: a fair sample that is the same whatever
 * the order of rows.
 */
static void
sample_key(preview *p, value_preview *value, const char *key)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) key, (int) strlen(key), 0);
	int			at = value->samples;

	while (at > 0 && (value->sample[at - 1].hash > hash ||
					  (value->sample[at - 1].hash == hash && strcmp(value->sample[at - 1].key, key) > 0)))
		at--;
	if (at == p->sample)
		return;
	if (value->samples == p->sample)
		pfree(value->sample[--value->samples].key);
	memmove(&value->sample[at + 1], &value->sample[at], sizeof(sampled_key) * (value->samples - at));
	value->sample[at].hash = hash;
	value->sample[at].key = MemoryContextStrdup(p->context, key);
	value->samples++;
}

static value_preview *
find_value(preview *p, const char *value)
{
	value_preview *entry;
	bool		found;

	entry = hash_search(p->values, &value, HASH_ENTER, &found);
	if (found)
		return entry;
	entry->value = MemoryContextStrdup(p->context, value);
	entry->members = 0;
	entry->samples = 0;
	entry->sample = MemoryContextAlloc(p->context, sizeof(sampled_key) * (p->sample + 1));
	if (hash_get_num_entries(p->values) > crm_max_tag_values)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the rule gives more than %d different values", crm_max_tag_values),
				 errdetail("A tag with so many values says little about each."),
				 errhint("Group the values in the rule, or raise crm_analytics.max_tag_values.")));
	return entry;
}

/* An error on a row says in which rule. */
static void
show_rule(void *arg)
{
	errcontext("preview of the rule %s", (const char *) arg);
}

static void
note_number(preview *p, Datum result)
{
	crm_tag_number number;
	crm_number_fault fault = crm_number_take(result, &number);

	if (fault == CRM_NUMBER_FINE &&
		crm_bsi_collector_add(p->numbers, (uint64) p->customers, crm_tag_number_value(&number), number.scale) == CRM_OUT_OF_RANGE)
		fault = CRM_NUMBER_WIDE;
	if (fault != CRM_NUMBER_FINE)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("number \"%s\" cannot be kept in a tag", DatumGetCString(DirectFunctionCall1(numeric_out, result))),
				 crm_number_detail(fault),
				 errhint("Let the rule give NULL there, or round(..., 2).")));
}

static void
scan_source(preview *p, const char *from, const crm_rule *rule, const crm_population *population, crm_bound *bound)
{
	SPIParseOpenOptions options = {0};
	int			level = crm_caller_begin();
	MemoryContext batch = AllocSetContextCreate(CurrentMemoryContext, "preview of a rule", ALLOCSET_DEFAULT_SIZES);
	Portal		portal;

	if (rule->timeline)
		crm_rule_require_timelines(population);
	if (bound != NULL)
		crm_bound_learn_from(bound, from, GetCurrentTransactionStartTimestamp());
	options.params = crm_bound_query_params(GetCurrentTransactionStartTimestamp(), NULL, bound);
	options.read_only = true;
	portal = SPI_cursor_parse_open(NULL, psprintf("SELECT %s, customer.%s::pg_catalog.text%s", rule->qualified,
												  quote_identifier(population->key_column), from), &options);

	for (;;)
	{
		MemoryContext old;

		SPI_cursor_fetch(portal, true, FETCH_ROWS);
		if (SPI_processed == 0)
			break;
		old = MemoryContextSwitchTo(batch);
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			HeapTuple	row = SPI_tuptable->vals[i];
			TupleDesc	desc = SPI_tuptable->tupdesc;
			bool		isnull;
			Datum		result = SPI_getbinval(row, desc, 1, &isnull);
			value_preview *value;

			p->customers++;
			if (isnull || (p->boolean && !DatumGetBool(result)))
				continue;
			if (p->numbers != NULL)
				note_number(p, result);
			value = find_value(p, p->boolean || p->numbers != NULL ? "" : TextDatumGetCString(result));
			value->members++;
			if (p->sample > 0)
				sample_key(p, value, SPI_getvalue(row, desc, 2));
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(batch);
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	crm_caller_end(level);
}

/* Largest first, then by value. */
static int
compare_values(const void *a, const void *b)
{
	const value_preview *x = *(value_preview *const *) a;
	const value_preview *y = *(value_preview *const *) b;

	if (x->members != y->members)
		return x->members > y->members ? -1 : 1;
	return strcmp(x->value, y->value);
}

static Datum
sample_array(const value_preview *value)
{
	Datum	   *keys = palloc(sizeof(Datum) * Max(value->samples, 1));

	for (int i = 0; i < value->samples; i++)
		keys[i] = CStringGetTextDatum(value->sample[i].key);
	return PointerGetDatum(construct_array(keys, value->samples, TEXTOID, -1, false, TYPALIGN_INT));
}

static void
return_values(const preview *p, ReturnSetInfo *rsinfo)
{
	int			count = (int) hash_get_num_entries(p->values);
	value_preview **sorted = palloc(sizeof(value_preview *) * Max(count, 1));
	HASH_SEQ_STATUS status;
	value_preview *entry;
	int			n = 0;

	hash_seq_init(&status, p->values);
	while ((entry = hash_seq_search(&status)) != NULL)
		sorted[n++] = entry;
	qsort(sorted, n, sizeof(value_preview *), compare_values);
	for (int i = 0; i < n; i++)
	{
		Datum		values[4];
		bool		nulls[4] = {false};

		nulls[0] = p->boolean || p->numbers != NULL;
		values[0] = nulls[0] ? (Datum) 0 : CStringGetTextDatum(sorted[i]->value);
		values[1] = Int64GetDatum(sorted[i]->members);
		nulls[2] = p->customers == 0;
		values[2] = Float8GetDatum(nulls[2] ? 0 : (double) sorted[i]->members / p->customers);
		values[3] = sample_array(sorted[i]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

/* The least number, the one in the middle (of two the lower one) and the greatest, each with those who have just it. */
static void
return_numbers(preview *p, ReturnSetInfo *rsinfo)
{
	static const char *const names[] = {"minimum", "median", "maximum"};
	crm_env		env = crm_env_in(CurrentMemoryContext);
	const crm_bsi_image *image;
	crm_bsi		numbers;
	uint64		places[3] = {0};

	crm_check(crm_bsi_collector_build(p->numbers, &image), "preview", false);
	if (image->cardinality == 0)
		return;
	crm_bsi_image_view(image, &numbers);
	places[1] = (image->cardinality - 1) / 2;
	places[2] = image->cardinality - 1;
	for (int i = 0; i < 3; i++)
	{
		crm_int128	value;
		crm_ids_builder *same;
		int64		members;
		Datum		values[4] = {0};
		bool		nulls[4] = {false, false, false, true};

		crm_check(crm_bsi_select(&env, &numbers, NULL, places[i], &value), "preview", false);
		crm_check(crm_ids_builder_new(&env, &same), "preview", false);
		crm_check(crm_bsi_between(&env, &numbers, NULL, &value, &value, same), "preview", false);
		members = (int64) crm_ids_builder_cardinality(same);
		crm_ids_builder_free(same);
		values[0] = CStringGetTextDatum(psprintf("%s %s", names[i], crm_number_text(value, (int) image->scale)));
		values[1] = Int64GetDatum(members);
		values[2] = Float8GetDatum((double) members / p->customers);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

/* crm.preview_tag(rule, population, sample) */
CRM_FUNCTION(crm_preview_tag);
Datum
crm_preview_tag(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	crm_population *population;
	Relation	source;
	crm_rule   *rule;
	StringInfoData query;
	preview		p = {0};
	ErrorContextCallback callback;
	crm_owner_session session;
	crm_bound  *bound;
	Oid			owner;
	HASHCTL		control = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the rule must not be NULL")));
	p.sample = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2);
	if (p.sample < 0 || p.sample > MAX_SAMPLE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("sample must be from 0 to %d, not %d", MAX_SAMPLE, p.sample)));

	population = crm_population_find(crm_text_argument(fcinfo, 1));
	initStringInfo(&query);
	appendStringInfo(&query, " FROM %s", crm_population_rows(population, "customer", GetCurrentTransactionStartTimestamp()));
	source = relation_open(population->source, AccessShareLock);
	rule = crm_rule_parse(source, crm_text_argument(fcinfo, 0), population->has_events);
	/* what it rests on runs as its owner, and the rule with it, as it would as a tag */
	owner = crm_rights_rule_owner(population);
	crm_owner_begin(&session, owner);
	bound = crm_rules_bind(population, source, owner, list_make1(rule), NIL);
	crm_owner_end(&session);
	relation_close(source, NoLock);
	if (rule->timeline)
		crm_rule_join_timelines(&query, population, crm_population_row_id(population, "customer"));
	if (bound != NULL)
	{
		crm_rights_require_define(population);
		crm_bound_join(&query, bound, crm_population_row_id(population, "customer"));
	}

	p.context = CurrentMemoryContext;
	p.boolean = rule->type == BOOLOID;
	control.keysize = sizeof(char *);
	control.entrysize = sizeof(value_preview);
	control.hash = hash_value;
	control.match = match_values;
	control.hcxt = CurrentMemoryContext;
	p.values = hash_create("values of a rule", 64, &control, HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	if (rule->type == NUMERICOID)
	{
		crm_env		env = crm_env_in(CurrentMemoryContext);

		crm_check(crm_bsi_collector_new(&env, &p.numbers), "preview", false);
	}
	if (p.boolean || p.numbers != NULL)
		(void) find_value(&p, "");	/* nobody is an answer, too */

	callback.previous = error_context_stack;
	callback.callback = show_rule;
	callback.arg = (void *) rule->text;
	error_context_stack = &callback;
	appendStringInfo(&query, " WHERE customer.%s IS NOT NULL", quote_identifier(population->key_column));
	/* whoever acts for the population's owner runs nothing of that owner's views with rights of his own */
	crm_owner_begin(&session, owner);
	scan_source(&p, query.data, rule, population, bound);
	crm_owner_end(&session);
	error_context_stack = callback.previous;
	return_values(&p, rsinfo);
	if (p.numbers != NULL)
		return_numbers(&p, rsinfo);
	return (Datum) 0;
}
