/*
 * unmet_demand.c - what customers looked for and did not buy: the aggregate
 * unmet_demand over timelines.
 *
 * Here are its arguments and what it takes from one timeline; demand_state.c has the
 * rest.
 */
#include "behavior/behavior.h"

#include "behavior/demand_state.h"
#include "behavior/timeline.h"
#include "catalog/pg_collation.h"
#include "common/bridge.h"
#include "common/hashfn.h"
#include "kernel/demands.h"
#include "kernel/value_table.h"
#include "scoring/scoring.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_unmet_demand_transfn);
CRM_FUNCTION(crm_demand_term);

/* Things of one customer that may be compared with each other. */
#define MAX_COMPARED 4096

typedef enum demand_match
{
	MATCH_SAME, MATCH_CONTAINS
} demand_match;

static const char *const match_words[] = {"same", "contains", NULL};

/* What is constant for a group. */
typedef struct demand_options
{
	int64		min_customers;
	int			match;			/* demand_match */
} demand_options;

static const scoring_option known_options[] = {
	{"min_customers", SCORING_WHOLE, offsetof(demand_options, min_customers), 1, 1e15},
	{"match", SCORING_WORD, offsetof(demand_options, match), 0, 0, match_words},
	{NULL}
};

/* ---- terms --------------------------------------------------------------------- */

static bool
is_plain(const char *text, Size size)
{
	for (Size i = 0; i < size; i++)
		if ((signed char) text[i] <= 0)
			return false;
	return true;
}

/* One form for all ways to type it: compatibility forms composed (full-width letters become plain ones), small letters, single blanks. */
static text *
term_of(const char *data, Size size)
{
	text	   *term = cstring_to_text_with_len(data, (int) size);
	char	   *out;
	Size		length = 0;

	if (!is_plain(data, size))
		term = DatumGetTextPP(DirectFunctionCall2(unicode_normalize_func, PointerGetDatum(term), CStringGetTextDatum("NFKC")));
	term = DatumGetTextP(DirectFunctionCall1Coll(lower, DEFAULT_COLLATION_OID, PointerGetDatum(term)));
	out = VARDATA(term);
	for (const char *p = VARDATA(term), *end = p + VARSIZE(term) - VARHDRSZ; p < end; p++)
		if (*p != ' ' && (*p < '\t' || *p > '\r'))
			out[length++] = *p;
		else if (length > 0 && out[length - 1] != ' ')
			out[length++] = ' ';
	if (length > 0 && out[length - 1] == ' ')
		length--;
	SET_VARSIZE(term, VARHDRSZ + length);
	return term;
}

/* demand_term(text) */
Datum
crm_demand_term(PG_FUNCTION_ARGS)
{
	text	   *given = PG_GETARG_TEXT_PP(0);

	PG_RETURN_TEXT_P(term_of(VARDATA_ANY(given), VARSIZE_ANY_EXHDR(given)));
}

/* ---- arguments, read once -------------------------------------------------------- */

typedef struct demand_cache
{
	MemoryContext context;		/* of all that follows */
	int64		within;
	int64		until;
	struct varlena *source[3];	/* wanted, bought, options as given; NULL where not */
	demand_options options;
	uint64		parameters;
	crm_selectors *selectors;
	int			count;			/* of selectors; those of demands come first */
	int			wanted;
	char	   *attribute[CRM_MAX_SELECTORS];	/* that names the thing; NULL: the event itself, or anything bought */
} demand_cache;

/* Adds {"selector": "attribute", ...} to the selectors. */
static void
read_mapping(demand_cache *cache, Jsonb *json, const char *name, crm_text *texts)
{
	JsonbIterator *it = JsonbIteratorInit(&json->root);
	JsonbValue	key;
	JsonbValue	value;
	int			first = cache->count;

	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be an object", name),
				 errhint("Write events and the attributes that name what is meant, as in {\"search\": \"query\", \"abandon\": \"item\"}; null where there is none.")));
	JsonbIteratorNext(&it, &key, false);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		JsonbIteratorNext(&it, &value, true);
		if (value.type != jbvString && value.type != jbvNull)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("attribute of event \"%.*s\" in argument \"%s\" must be a text or null", key.val.string.len, key.val.string.val, name)));
		if (cache->count == CRM_MAX_SELECTORS)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many events wanted and bought"),
					 errdetail("Together there may be at most %d.", CRM_MAX_SELECTORS)));
		texts[cache->count] = (crm_text) {pnstrdup(key.val.string.val, key.val.string.len), key.val.string.len};
		cache->attribute[cache->count++] = value.type == jbvNull ? NULL : pnstrdup(value.val.string.val, value.val.string.len);
	}
	if (cache->count == first)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" names no event", name)));
}

static bool
is_same(struct varlena *given, struct varlena *kept)
{
	return (given == NULL) == (kept == NULL) &&
		(given == NULL || (VARSIZE(given) == VARSIZE(kept) && memcmp(given, kept, VARSIZE(given)) == 0));
}

/* (state, within interval, until timestamptz, wanted jsonb, bought jsonb, t timeline [, segment text [, options jsonb]]) */
static demand_cache *
arguments(FunctionCallInfo fcinfo)
{
	demand_cache *cache = behavior_cache(fcinfo, sizeof(demand_cache));
	int64		within = behavior_interval(PG_ARGISNULL(1) ? NULL : PG_GETARG_INTERVAL_P(1), "within");
	int64		until = PG_ARGISNULL(2) ? PG_INT64_MAX : PG_GETARG_TIMESTAMPTZ(2);
	struct varlena *source[3] = {NULL};
	MemoryContext old;
	crm_text	texts[CRM_MAX_SELECTORS];
	crm_env		env;

	for (int i = 0; i < 3; i++)
	{
		int			argument = i < 2 ? 3 + i : 7;

		if (argument < PG_NARGS() && !PG_ARGISNULL(argument))
			source[i] = (struct varlena *) PG_GETARG_JSONB_P(argument);
		else if (i < 2)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"%s\" must not be null", i == 0 ? "wanted" : "bought")));
	}
	if (cache->selectors != NULL && cache->within == within && cache->until == until && is_same(source[0], cache->source[0]) &&
		is_same(source[1], cache->source[1]) && is_same(source[2], cache->source[2]))
		return cache;

	if (cache->context == NULL)
		cache->context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "unmet demand", ALLOCSET_SMALL_SIZES);
	cache->selectors = NULL;
	MemoryContextReset(cache->context);
	old = MemoryContextSwitchTo(cache->context);
	cache->within = within;
	cache->until = until;
	cache->options = (demand_options) {1, MATCH_SAME};
	cache->count = 0;
	for (int i = 0; i < 3; i++)
		cache->source[i] = source[i] == NULL ? NULL : memcpy(palloc(VARSIZE(source[i])), source[i], VARSIZE(source[i]));
	if (source[2] != NULL)
		scoring_read_options((Jsonb *) cache->source[2], known_options, "unmet_demand", &cache->options);
	read_mapping(cache, (Jsonb *) cache->source[0], "wanted", texts);
	cache->wanted = cache->count;
	read_mapping(cache, (Jsonb *) cache->source[1], "bought", texts);
	env = crm_env_in(cache->context);
	cache->parameters = 0;
	for (int i = 0; i < 2; i++)
		cache->parameters = hash_bytes_extended((const unsigned char *) VARDATA(cache->source[i]), (int) VARSIZE(cache->source[i]) - VARHDRSZ, cache->parameters);
	cache->parameters = hash_combine64(cache->parameters, (uint64) within);
	cache->parameters = hash_combine64(cache->parameters, (uint64) until);
	cache->parameters = hash_combine64(cache->parameters, (uint64) cache->options.match);
	/* last: an error before leaves nothing that would be taken for read */
	cache->selectors = behavior_parse_selectors(&env, texts, cache->count);
	MemoryContextSwitchTo(old);
	return cache;
}

/* ---- one customer ----------------------------------------------------------------------- */

/* The things of one timeline, and what names them. */
typedef struct customer
{
	demand_cache *cache;
	crm_timeline timeline;
	crm_env		env;
	crm_value_table things;		/* terms, as term_of makes them; numbered from 1 */
	crm_text   *names;			/* of events; NULL before one is asked for */
	int			channel[CRM_MAX_SELECTORS]; /* of each selector's attribute; -1: the timeline has none of that name */
	crm_timeline_channel channels[CRM_TIMELINE_MAX_CHANNELS];
	crm_attribute_value *values[CRM_TIMELINE_MAX_CHANNELS];	/* dictionaries, read when they are asked for */
	uint32	   *thing[CRM_TIMELINE_MAX_CHANNELS];	/* number of each value's term and 1; 0: not looked at */
} customer;

#define NO_THING 0				/* numbers of things count from 1 here */

static uint32
number_of(customer *c, const char *data, Size size)
{
	text	   *term = term_of(data, size);
	uint32		number;

	if (VARSIZE(term) == VARHDRSZ)
		return NO_THING;
	crm_check(crm_value_add(&c->things, &c->env, VARDATA(term), VARSIZE(term) - VARHDRSZ, PG_INT32_MAX, &number), CRM_TIMELINE_TYPE, false);
	return number;
}

/* What the cursor's event names by the attribute of a selector. */
static uint32
thing_of(customer *c, int selector, const crm_timeline_cursor *cursor)
{
	int			channel = c->channel[selector];
	crm_attribute_value *value;
	uint32		code;

	if (c->cache->attribute[selector] == NULL)
	{
		if (c->names == NULL)
		{
			c->names = palloc(sizeof(crm_text) * c->timeline.names);
			crm_timeline_names(&c->timeline, c->names);
		}
		return number_of(c, c->names[cursor->code].data, c->names[cursor->code].size);
	}
	if (channel < 0 || (code = crm_timeline_channel_code(&c->channels[channel], cursor->index)) == 0)
		return NO_THING;
	if (c->values[channel] == NULL)
	{
		c->values[channel] = palloc(sizeof(crm_attribute_value) * c->channels[channel].values);
		crm_timeline_channel_values(&c->channels[channel], c->values[channel]);
		c->thing[channel] = palloc0(sizeof(uint32) * c->channels[channel].values);
	}
	if (c->thing[channel][code - 1] == 0)
	{
		value = &c->values[channel][code - 1];
		switch (value->kind)
		{
			case CRM_ATTRIBUTE_NULL:
				c->thing[channel][code - 1] = NO_THING + 1;
				break;
			case CRM_ATTRIBUTE_FALSE:
				c->thing[channel][code - 1] = number_of(c, "false", 5) + 1;
				break;
			case CRM_ATTRIBUTE_TRUE:
				c->thing[channel][code - 1] = number_of(c, "true", 4) + 1;
				break;
			default:
				c->thing[channel][code - 1] = number_of(c, value->text.data, value->text.size) + 1;
		}
	}
	return c->thing[channel][code - 1] - 1;
}

static void
find_channels(customer *c)
{
	if (c->timeline.channels > 0)
		crm_timeline_channels(&c->timeline, c->channels);
	for (int i = 0; i < c->cache->count; i++)
	{
		const char *name = c->cache->attribute[i];

		c->channel[i] = -1;
		for (uint32 k = 0; name != NULL && k < c->timeline.channels; k++)
			if (c->channels[k].name.size == strlen(name) && memcmp(c->channels[k].name.data, name, c->channels[k].name.size) == 0)
				c->channel[i] = (int) k;
	}
}

/* Which things meet a demand for which: those whose term holds its term. */
static uint8 *
contained(const customer *c)
{
	uint32		count = c->things.count;
	uint8	   *matches;

	if (count > MAX_COMPARED)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("one customer names more than %d different things", MAX_COMPARED),
				 errhint("Leave the option \"match\" out: things that are the same are found without comparing each with each.")));
	matches = palloc0(Max((Size) count * count, 1));
	for (uint32 b = 0; b < count; b++)
	{
		CHECK_FOR_INTERRUPTS();
		for (uint32 d = 0; d < count; d++)
			matches[(Size) b * count + d] = strstr(c->things.entries[b].text, c->things.entries[d].text) != NULL;
	}
	return matches;
}

static void
add_event(crm_demand_event **events, Size *count, Size *room, int64 at, uint32 thing)
{
	if (*count == *room)
	{
		*room = *room == 0 ? 64 : *room * 2;
		*events = *events == NULL ? palloc(*room * sizeof(crm_demand_event)) : repalloc_huge(*events, *room * sizeof(crm_demand_event));
	}
	(*events)[(*count)++] = (crm_demand_event) {at, thing};
}

/* Counts the demands of one timeline into the state. */
static void
add_timeline(demand_state *state, demand_cache *cache, Datum value, const text *segment)
{
	customer   *c = palloc0(sizeof(customer));
	const crm_selectors_bound *bound;
	crm_timeline_cursor cursor;
	crm_demand_event *wanted = NULL;
	crm_demand_event *bought = NULL;
	Size		wanted_count = 0;
	Size		wanted_room = 0;
	Size		bought_count = 0;
	Size		bought_room = 0;
	crm_demand_tally *tallies;

	c->cache = cache;
	c->env = crm_env_in(CurrentMemoryContext);
	behavior_timeline_open(value, &c->timeline);
	crm_check(crm_selectors_bind(cache->selectors, &c->timeline), CRM_TIMELINE_TYPE, false);
	bound = crm_selectors_current(cache->selectors);
	find_channels(c);
	crm_timeline_begin(&c->timeline, &cursor);
	while (crm_timeline_next(&cursor))
	{
		uint64		met = crm_selectors_met(cache->selectors, bound, &cursor);
		bool		is_wanted = false;
		bool		is_bought = false;

		if (cursor.index % 4096 == 4095)
			CHECK_FOR_INTERRUPTS();
		/* an event is one demand and one purchase at most: by the first of its selectors that names something */
		for (; met != 0; met &= met - 1)
		{
			int			selector = crm_ctz64(met);
			bool		demand = selector < cache->wanted;
			uint32		thing;

			if (demand ? is_wanted : is_bought)
				continue;
			if (!demand && cache->attribute[selector] == NULL)
			{
				add_event(&bought, &bought_count, &bought_room, cursor.at, CRM_ANYTHING);
				is_bought = true;
				continue;
			}
			thing = thing_of(c, selector, &cursor);
			if (thing == NO_THING)
				continue;
			if (demand)
				add_event(&wanted, &wanted_count, &wanted_room, cursor.at, thing - 1);
			else
				add_event(&bought, &bought_count, &bought_room, cursor.at, thing - 1);
			is_wanted = is_wanted || demand;
			is_bought = is_bought || !demand;
		}
	}
	if (wanted_count == 0)
		return;
	tallies = palloc0(sizeof(crm_demand_tally) * c->things.count);
	crm_check(crm_demands_judge(&c->env, wanted, wanted_count, bought, bought_count, c->things.count,
								cache->options.match == MATCH_CONTAINS ? contained(c) : NULL, cache->within, cache->until, tallies),
			  CRM_TIMELINE_TYPE, false);
	for (uint32 i = 0; i < c->things.count; i++)
	{
		const crm_demand_tally *t = &tallies[i];
		demand_counts counts = {t->demands, t->met, 1, t->met > 0, t->first, t->last};

		if (t->demands > 0)
			behavior_demand_add(state, segment, (crm_text) {c->things.entries[i].text, c->things.entries[i].length}, &counts);
	}
}

/* ---- the aggregate ------------------------------------------------------------------------ */

Datum
crm_unmet_demand_transfn(PG_FUNCTION_ARGS)
{
	MemoryContext aggcontext;
	demand_cache *cache;
	demand_state *state;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "unmet_demand_transfn called in non-aggregate context");
	cache = arguments(fcinfo);
	if (PG_ARGISNULL(5))
		return crm_agg_unchanged(fcinfo);
	state = behavior_demand_state(fcinfo, aggcontext, cache->parameters, cache->options.min_customers);
	add_timeline(state, cache, PG_GETARG_DATUM(5), PG_NARGS() > 6 && !PG_ARGISNULL(6) ? PG_GETARG_TEXT_PP(6) : NULL);
	return behavior_demand_datum(state);
}
