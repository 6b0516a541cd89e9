/*
 * attribution.c - methods of attribution, and the sums that each of them needs.
 */
#include "kernel/attribution_private.h"

#include <math.h>
#include <stdlib.h>

#include "kernel/rfm.h"

#define FIRST_ROOM 64

/* ---- methods --------------------------------------------------------- */

/* A plain decimal number between 0 and 1; the kernel reads no locale. */
static bool
read_fraction(const char *text, size_t length, double *value)
{
	double		number = 0;
	double		scale = 1;
	bool		point = false;
	int			digits = 0;

	for (size_t i = 0; i < length; i++)
	{
		if (text[i] == '.' && !point)
			point = true;
		else if (text[i] >= '0' && text[i] <= '9' && ++digits <= 15)
		{
			number = number * 10 + (text[i] - '0');
			if (point)
				scale *= 10;
		}
		else
			return false;
	}
	*value = number / scale;
	return digits > 0;
}

crm_status
crm_attribution_parse(const char *text, size_t length, crm_attribution_method *method)
{
	static const struct
	{
		const char *name;
		crm_attribution_rule rule;
	}			rules[] =
	{
		{"first", CRM_ATTRIBUTION_FIRST}, {"last", CRM_ATTRIBUTION_LAST}, {"linear", CRM_ATTRIBUTION_LINEAR},
		{"position", CRM_ATTRIBUTION_POSITION}, {"decay", CRM_ATTRIBUTION_DECAY},
		{"shapley", CRM_ATTRIBUTION_SHAPLEY}, {"markov", CRM_ATTRIBUTION_MARKOV}
	};
	const char *colon = length == 0 ? NULL : memchr(text, ':', length);
	size_t		name_length = colon ? (size_t) (colon - text) : length;
	const char *parameter = colon ? colon + 1 : text;
	size_t		parameter_length = colon ? length - name_length - 1 : 0;

	method->order = 1;
	method->factor = 0.5;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
	{
		if (strlen(rules[i].name) != name_length || memcmp(rules[i].name, text, name_length) != 0)
			continue;
		method->rule = rules[i].rule;
		if (colon == NULL)
			return CRM_OK;
		if (method->rule == CRM_ATTRIBUTION_MARKOV)
		{
			method->order = 0;
			for (size_t k = 0; k < parameter_length; k++)
			{
				if (parameter[k] < '0' || parameter[k] > '9' || method->order > CRM_ATTRIBUTION_MAX_ORDER)
					return CRM_OUT_OF_RANGE;
				method->order = method->order * 10 + (uint32_t) (parameter[k] - '0');
			}
			return method->order >= 1 && method->order <= CRM_ATTRIBUTION_MAX_ORDER ? CRM_OK : CRM_OUT_OF_RANGE;
		}
		if (method->rule == CRM_ATTRIBUTION_DECAY)
		{
			if (!read_fraction(parameter, parameter_length, &method->factor) || method->factor <= 0 || method->factor > 1)
				return CRM_OUT_OF_RANGE;
			return CRM_OK;
		}
		return CRM_CORRUPT;
	}
	return CRM_CORRUPT;
}

/* ---- sums ------------------------------------------------------------ */

/* More than one part: from now on all parts are in memory of their own. */
static crm_status
exact_room(crm_exact *sum, const crm_env *env)
{
	uint32_t	room = sum->room == 0 ? 4 : sum->room * 2;
	double	   *more;

	if (sum->count < sum->room)
		return CRM_OK;
	more = env->resize(env->arg, sum->more, sizeof(double) * sum->room, sizeof(double) * room);
	if (more == NULL)
		return CRM_NO_MEMORY;
	if (sum->room == 0 && sum->count > 0)
		more[0] = sum->first;
	sum->more = more;
	sum->room = room;
	return CRM_OK;
}

crm_status
crm_exact_add(crm_exact *sum, const crm_env *env, double term)
{
	if (term == 0)
		return CRM_OK;
	if (sum->room == 0)
	{
		/* Whole numbers, the usual case, stay one part. */
		double		whole = sum->count == 0 ? term : sum->first + term;
		double		term_in = whole - (sum->count == 0 ? 0 : sum->first);
		bool		exact = sum->count == 0 ||
			((sum->first - (whole - term_in)) == 0 && term - term_in == 0);

		if (exact && isfinite(whole))
		{
			sum->first = whole;
			sum->count = 1;
			return CRM_OK;
		}
	}
	CRM_TRY(exact_room(sum, env));
	return crm_sum_add(sum->more, &sum->count, term);
}

crm_status
crm_exact_merge(crm_exact *sum, const crm_env *env, const crm_exact *other)
{
	const double *parts = other->room == 0 ? &other->first : other->more;

	for (uint32_t i = 0; i < other->count; i++)
		CRM_TRY(crm_exact_add(sum, env, parts[i]));
	return CRM_OK;
}

double
crm_exact_round(const crm_exact *sum)
{
	return crm_sum_round(sum->room == 0 ? &sum->first : sum->more, sum->count);
}

/* ---- the table of keys ----------------------------------------------- */

void
crm_attribution_init(crm_attribution *state, const crm_env *env, const crm_attribution_method *method)
{
	memset(state, 0, sizeof(*state));
	state->env = *env;
	state->method = *method;
}

crm_status
crm_attribution_channel(crm_attribution *state, const char *name, size_t length, uint32_t *code)
{
	if (length > CRM_ATTRIBUTION_MAX_NAME)
		return CRM_LIMIT;
	return crm_value_add(&state->channels, &state->env, name, length, CRM_ATTRIBUTION_MAX_CHANNELS, code);
}

static uint64_t
hash_key(const uint32_t *key, uint32_t length)
{
	uint64_t	h = length;

	for (uint32_t i = 0; i < length; i++)
	{
		h = (h ^ key[i]) * UINT64_C(0x9E3779B97F4A7C15);
		h ^= h >> 32;
	}
	return h;
}

static crm_status
grow_table(crm_attribution *state)
{
	const crm_env *env = &state->env;
	uint32_t	room = state->room == 0 ? FIRST_ROOM : state->room * 2;
	uint32_t	mask = room * 2 - 1;
	crm_attribution_entry *entries;
	uint32_t   *slots;

	entries = env->resize(env->arg, state->entries, sizeof(*entries) * state->room, sizeof(*entries) * room);
	if (entries == NULL)
		return CRM_NO_MEMORY;
	state->entries = entries;
	slots = env->alloc(env->arg, sizeof(uint32_t) * ((size_t) mask + 1));
	if (slots == NULL)
		return CRM_NO_MEMORY;
	memset(slots, 0, sizeof(uint32_t) * ((size_t) mask + 1));
	for (uint32_t i = 0; i < state->count; i++)
	{
		uint32_t	slot = entries[i].hash & mask;

		while (slots[slot] != 0)
			slot = (slot + 1) & mask;
		slots[slot] = i + 1;
	}
	env->release(env->arg, state->slots);
	state->slots = slots;
	state->mask = mask;
	state->room = room;
	return CRM_OK;
}

crm_status
crm_attribution_entry_of(crm_attribution *state, const uint32_t *key, uint32_t length, crm_attribution_entry **entry)
{
	const crm_env *env = &state->env;
	uint64_t	hash = hash_key(key, length);
	uint32_t	slot;

	if (state->count == state->room)
		CRM_TRY(grow_table(state));
	for (slot = hash & state->mask; state->slots[slot] != 0; slot = (slot + 1) & state->mask)
	{
		crm_attribution_entry *e = &state->entries[state->slots[slot] - 1];

		if (e->hash == hash && e->length == length &&
			memcmp(state->codes + e->at, key, length * sizeof(uint32_t)) == 0)
		{
			*entry = e;
			return CRM_OK;
		}
	}
	if (state->count >= CRM_ATTRIBUTION_MAX_KEYS || length > CRM_ATTRIBUTION_MAX_CODES - state->codes_used)
		return CRM_LIMIT;
	if (state->codes_room - state->codes_used < length)
	{
		size_t		room = state->codes_room * 2 + length + FIRST_ROOM;
		uint32_t   *codes = env->resize(env->arg, state->codes, state->codes_room * sizeof(uint32_t), room * sizeof(uint32_t));

		if (codes == NULL)
			return CRM_NO_MEMORY;
		state->codes = codes;
		state->codes_room = room;
	}
	memcpy(state->codes + state->codes_used, key, length * sizeof(uint32_t));
	*entry = &state->entries[state->count];
	memset(*entry, 0, sizeof(**entry));
	(*entry)->hash = hash;
	(*entry)->at = state->codes_used;
	(*entry)->length = length;
	state->codes_used += length;
	state->slots[slot] = ++state->count;
	return CRM_OK;
}

crm_status
crm_attribution_scratch(crm_attribution *state, size_t count)
{
	const crm_env *env = &state->env;
	size_t		room = count + count / 2 + FIRST_ROOM;
	uint32_t   *scratch;

	if (count <= state->scratch_room)
		return CRM_OK;
	scratch = env->resize(env->arg, state->scratch, state->scratch_room * sizeof(uint32_t), room * sizeof(uint32_t));
	if (scratch == NULL)
		return CRM_NO_MEMORY;
	state->scratch = scratch;
	state->scratch_room = room;
	return CRM_OK;
}

static int
compare_codes(const void *left, const void *right)
{
	uint32_t	a = *(const uint32_t *) left;
	uint32_t	b = *(const uint32_t *) right;

	return (a > b) - (a < b);
}

uint32_t
crm_attribution_set(uint32_t *codes, uint32_t count)
{
	uint32_t	kept = 0;

	qsort(codes, count, sizeof(uint32_t), compare_codes);
	for (uint32_t i = 0; i < count; i++)
		if (i == 0 || codes[i] != codes[i - 1])
			codes[kept++] = codes[i];
	return kept;
}

/* ---- journeys -------------------------------------------------------- */

/* Adds the sums to a key. */
static crm_status
add_key(crm_attribution *state, const uint32_t *key, uint32_t length, const double *numbers)
{
	crm_attribution_entry *entry;

	CRM_TRY(crm_attribution_entry_of(state, key, length, &entry));
	for (int i = 0; i < CRM_ATTRIBUTION_SUMS; i++)
		CRM_TRY(crm_exact_add(&entry->sums[i], &state->env, numbers[i]));
	return CRM_OK;
}

/* The steps of one path: each touch after those it depends on, then the end. */
static crm_status
add_steps(crm_attribution *state, const uint32_t *path, uint32_t length, const double *numbers)
{
	/* Only the end is worth something. */
	const double on_the_way[CRM_ATTRIBUTION_SUMS] = {numbers[CRM_CONVERSIONS], numbers[CRM_NON_CONVERSIONS], 0};
	uint32_t	key[CRM_ATTRIBUTION_MAX_ORDER + 1];

	for (uint32_t i = 0; i <= length; i++)
	{
		uint32_t	depth = i < state->method.order ? i : state->method.order;

		if (i % 1024 == 1023)
			crm_progress(&state->env);
		memcpy(key, path + i - depth, depth * sizeof(uint32_t));
		key[depth] = i < length ? path[i] : CRM_JOURNEY_ENDS;
		CRM_TRY(add_key(state, key, depth + 1, i < length ? on_the_way : numbers));
	}
	return CRM_OK;
}

/* The keys of a rule that looks at each touch by itself. */
static crm_status
add_touches(crm_attribution *state, const uint32_t *path, uint32_t length, const double *numbers)
{
	for (uint32_t i = 0; i < length; i++)
	{
		uint32_t	key[3] = {path[i]};
		uint32_t	key_length = 2;

		if (i % 1024 == 1023)
			crm_progress(&state->env);
		if (state->method.rule == CRM_ATTRIBUTION_LINEAR)
			key[1] = length;
		else if (state->method.rule == CRM_ATTRIBUTION_DECAY)
		{
			key[1] = length - 1 - i;
			key[2] = length;
			key_length = 3;
		}
		else if (length <= 2)
			key[1] = length == 1 ? CRM_POSITION_WHOLE : CRM_POSITION_HALF;
		else
			key[1] = i == 0 || i == length - 1 ? CRM_POSITION_END : length;
		CRM_TRY(add_key(state, key, key_length, numbers));
	}
	return CRM_OK;
}

crm_status
crm_attribution_add(crm_attribution *state, const uint32_t *path, uint32_t length,
					double conversions, double non_conversions, double value)
{
	double		numbers[CRM_ATTRIBUTION_SUMS] = {conversions, non_conversions, value};

	if (!(isfinite(conversions) && conversions >= 0 && isfinite(non_conversions) && non_conversions >= 0 &&
		  isfinite(value) && value >= 0))
		return CRM_OUT_OF_RANGE;
	for (int i = 0; i < CRM_ATTRIBUTION_SUMS; i++)
	{
		CRM_TRY(crm_exact_add(&state->totals[i], &state->env, numbers[i]));
		if (length == 0)
			CRM_TRY(crm_exact_add(&state->untouched[i], &state->env, numbers[i]));
	}
	if (length == 0 || (conversions == 0 && non_conversions == 0))
		return CRM_OK;
	if (state->method.rule == CRM_ATTRIBUTION_MARKOV)
		return add_steps(state, path, length, numbers);

	/* The other methods share out what was converted and look at nothing else. */
	if (conversions == 0)
		return CRM_OK;
	numbers[CRM_NON_CONVERSIONS] = 0;
	switch (state->method.rule)
	{
		case CRM_ATTRIBUTION_FIRST:
			return add_key(state, path, 1, numbers);
		case CRM_ATTRIBUTION_LAST:
			return add_key(state, path + length - 1, 1, numbers);
		case CRM_ATTRIBUTION_SHAPLEY:
			CRM_TRY(crm_attribution_scratch(state, length));
			memcpy(state->scratch, path, length * sizeof(uint32_t));
			return add_key(state, state->scratch, crm_attribution_set(state->scratch, length), numbers);
		default:
			return add_touches(state, path, length, numbers);
	}
}
