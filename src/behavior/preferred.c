/*
 * preferred.c - the values of an attribute that a customer prefers: shares
 * that fade with time and lean on what is usual.
 */
#include "behavior/personal.h"

#include <math.h>

#include "behavior/behavior.h"
#include "funcapi.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_preferred);
CRM_FUNCTION(crm_preferences);

typedef struct preferred_cache
{
	behavior_selectors select;
} preferred_cache;

/* A value that the customer has had, or that is usual. */
typedef struct candidate
{
	crm_text	value;
	int64		events;
	double		weight;			/* of the events */
	double		prior;			/* share that is usual */
	double		share;
} candidate;

typedef struct candidates
{
	candidate  *list;
	Size		count;
	Size		room;
	double		weight;			/* of all */
} candidates;

static candidate *
add_candidate(candidates *all, crm_text value)
{
	candidate  *c;

	if (all->count == all->room)
	{
		all->room = all->room * 2 + 16;
		all->list = all->list == NULL ? palloc(all->room * sizeof(candidate)) :
			repalloc_huge(all->list, all->room * sizeof(candidate));
	}
	c = &all->list[all->count++];
	*c = (candidate) {.value = value};
	return c;
}

/* An attribute's value as text; false for null, which is no value. */
static bool
value_text(const crm_attribute_value *value, crm_text *text)
{
	switch (value->kind)
	{
		case CRM_ATTRIBUTE_FALSE:
			*text = (crm_text) {"false", 5};
			return true;
		case CRM_ATTRIBUTE_TRUE:
			*text = (crm_text) {"true", 4};
			return true;
		case CRM_ATTRIBUTE_NUMBER:
		case CRM_ATTRIBUTE_TEXT:
			*text = value->text;
			return true;
		default:
			return false;
	}
}

/* The customer's own values, each weighed by its events' age; the texts point into the timeline. */
static void
add_own(candidates *all, const crm_timeline *timeline, const crm_timeline_channel *channel, behavior_events *events, int64 half_life)
{
	crm_attribute_value *values = MemoryContextAllocHuge(CurrentMemoryContext, Max(channel->values, 1) * sizeof(crm_attribute_value));
	int64	   *counts = MemoryContextAllocExtended(CurrentMemoryContext, (channel->values + 1) * sizeof(int64), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	double	   *weights = MemoryContextAllocExtended(CurrentMemoryContext, (channel->values + 1) * sizeof(double), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	crm_timeline_channel_values(channel, values);
	while (behavior_events_next(events) != 0)
	{
		uint32		code = crm_timeline_channel_code(channel, events->cursor.index);

		counts[code]++;
		weights[code] += half_life == 0 ? 1 : behavior_decay(events->cursor.at, events->range.until, half_life);
	}
	for (uint32 code = 1; code <= channel->values; code++)
	{
		crm_text	text;
		candidate  *c;

		if (counts[code] == 0 || !value_text(&values[code - 1], &text))
			continue;
		c = add_candidate(all, text);
		c->events = counts[code];
		c->weight = weights[code];
		all->weight += weights[code];
	}
}

static void
refuse_prior(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" must be a JSON object of shares", "prior"),
			 errdetail("Shares are numbers not below zero, of which some is above."),
			 errhint("Write for example '{\"app\": 0.6, \"web\": 0.4}'; shares are scaled to a sum of one.")));
}

/* The shares that are usual, scaled to a sum of one. */
static void
add_prior(candidates *all, Jsonb *prior)
{
	Size		own = all->count;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;
	double		sum = 0;

	if (!JB_ROOT_IS_OBJECT(prior))
		refuse_prior();
	iterator = JsonbIteratorInit(&prior->root);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		candidate  *c;

		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&iterator, &value, true);
		if (value.type != jbvNumeric)
			refuse_prior();
		c = add_candidate(all, (crm_text) {key.val.string.val, key.val.string.len});
		c->prior = DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value.val.numeric)));
		if (c->prior < 0)
			refuse_prior();
		sum += c->prior;
	}
	if (!(sum > 0) || !isfinite(sum))
		refuse_prior();
	for (Size i = own; i < all->count; i++)
		all->list[i].prior /= sum;
}

static int
compare_texts(const candidate *a, const candidate *b)
{
	int			order = memcmp(a->value.data, b->value.data, Min(a->value.size, b->value.size));

	return order != 0 ? order : a->value.size < b->value.size ? -1 : a->value.size > b->value.size;
}

static int
by_text(const void *left, const void *right)
{
	CHECK_FOR_INTERRUPTS();
	return compare_texts(left, right);
}

static int
by_share(const void *left, const void *right)
{
	const candidate *a = left;
	const candidate *b = right;

	CHECK_FOR_INTERRUPTS();
	return a->share > b->share ? -1 : a->share < b->share ? 1 : compare_texts(a, b);
}

/*
 * The candidates of (t, attribute, event, half_life, prior, strength, as_of),
 * the most preferred first.  "at" numbers the arguments behind event.
 */
static candidates
find_candidates(FunctionCallInfo fcinfo, int at)
{
	preferred_cache *cache = behavior_cache(fcinfo, sizeof(preferred_cache));
	candidates	all = {0};
	crm_timeline timeline;
	crm_timeline_channel channel;
	behavior_range range;
	int64		half_life = 0;
	double		strength = 0;
	Size		kept = 0;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", "attribute")));
	if (!PG_ARGISNULL(at))
		half_life = behavior_positive_interval(PG_GETARG_INTERVAL_P(at), "half_life");
	if (PG_ARGISNULL(at + 2) || !(PG_GETARG_FLOAT8(at + 2) >= 0) || !isfinite(PG_GETARG_FLOAT8(at + 2)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be a finite number not below zero", "strength")));
	range = behavior_as_of_argument(fcinfo, at + 3);

	behavior_timeline_open(PG_GETARG_DATUM(0), &timeline);
	behavior_select(fcinfo, 2, false, &timeline, &cache->select);
	if (behavior_channel(&timeline, PG_GETARG_TEXT_PP(1), &channel))
	{
		behavior_events events = behavior_events_begin(&timeline, &cache->select, range);

		add_own(&all, &timeline, &channel, &events, half_life);
	}
	if (!PG_ARGISNULL(at + 1))
	{
		strength = PG_GETARG_FLOAT8(at + 2);
		add_prior(&all, PG_GETARG_JSONB_P(at + 1));
	}
	if (all.count == 0 || !(all.weight + strength > 0))
	{
		all.count = 0;
		return all;
	}

	/* A number and a text that are spelled alike are one value, and so is a usual one. */
	qsort(all.list, all.count, sizeof(candidate), by_text);
	for (Size i = 1; i < all.count; i++)
	{
		candidate  *last = &all.list[kept];
		const candidate *next = &all.list[i];

		if (compare_texts(last, next) != 0)
			all.list[++kept] = *next;
		else
		{
			last->events += next->events;
			last->weight += next->weight;
			last->prior += next->prior;
		}
	}
	all.count = kept + 1;
	for (Size i = 0; i < all.count; i++)
		all.list[i].share = (all.list[i].weight + strength * all.list[i].prior) / (all.weight + strength);
	qsort(all.list, all.count, sizeof(candidate), by_share);
	return all;
}

/* preferred(t, attribute, event, half_life, prior, strength, as_of) */
Datum
crm_preferred(PG_FUNCTION_ARGS)
{
	candidates	all;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	all = find_candidates(fcinfo, 3);
	if (all.count == 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(all.list[0].value.data, all.list[0].value.size));
}

/* preferences(t, attribute, event, n, half_life, prior, strength, as_of) */
Datum
crm_preferences(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	candidates	all;
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	if (PG_ARGISNULL(3) || PG_GETARG_INT32(3) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be at least 1", "n")));
	n = PG_GETARG_INT32(3);
	all = find_candidates(fcinfo, 4);
	for (Size i = 0; i < all.count && i < n; i++)
	{
		Datum		row[4];
		bool		nulls[4] = {false};

		row[0] = PointerGetDatum(cstring_to_text_with_len(all.list[i].value.data, all.list[i].value.size));
		row[1] = Float8GetDatum(all.list[i].share);
		row[2] = Float8GetDatum(all.list[i].weight);
		row[3] = Int64GetDatum(all.list[i].events);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, nulls);
	}
	return (Datum) 0;
}
