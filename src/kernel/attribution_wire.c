/*
 * attribution_wire.c - sums for attribution as bytes, for the way to another
 * process or server.
 *
 * Little-endian: the number of channels, each its length and bytes; totals and
 * untouched sums; the number of keys (64 bits), each its length, codes and
 * sums.  A sum is the number of its parts and the parts.
 */
#include "kernel/attribution_private.h"

#include <math.h>

/* ---- writing --------------------------------------------------------- */

static size_t
sums_size(const crm_exact *sums)
{
	size_t		size = 0;

	for (int i = 0; i < CRM_ATTRIBUTION_SUMS; i++)
		size += 4 + 8 * (size_t) sums[i].count;
	return size;
}

size_t
crm_attribution_size(const crm_attribution *state)
{
	size_t		size = 4 + 8 + sums_size(state->totals) + sums_size(state->untouched);

	for (uint32_t i = 0; i < state->channels.count; i++)
		size += 4 + (size_t) state->channels.entries[i].length;
	for (uint32_t i = 0; i < state->count; i++)
		size += 4 + 4 * (size_t) state->entries[i].length + sums_size(state->entries[i].sums);
	return size;
}

static uint8_t *
write_sums(uint8_t *out, const crm_exact *sums)
{
	for (int i = 0; i < CRM_ATTRIBUTION_SUMS; i++)
	{
		const double *parts = sums[i].room == 0 ? &sums[i].first : sums[i].more;

		crm_store32(out, sums[i].count);
		out += 4;
		for (uint32_t k = 0; k < sums[i].count; k++, out += 8)
		{
			uint64_t	bits;

			memcpy(&bits, &parts[k], sizeof(bits));
			crm_store64(out, bits);
		}
	}
	return out;
}

void
crm_attribution_write(const crm_attribution *state, uint8_t *out)
{
	crm_store32(out, state->channels.count);
	out += 4;
	for (uint32_t i = 0; i < state->channels.count; i++)
	{
		crm_store32(out, state->channels.entries[i].length);
		memcpy(out + 4, state->channels.entries[i].text, state->channels.entries[i].length);
		out += 4 + state->channels.entries[i].length;
	}
	out = write_sums(out, state->totals);
	out = write_sums(out, state->untouched);
	crm_store64(out, state->count);
	out += 8;
	for (uint32_t i = 0; i < state->count; i++)
	{
		const crm_attribution_entry *entry = &state->entries[i];

		crm_store32(out, entry->length);
		out += 4;
		for (uint32_t k = 0; k < entry->length; k++, out += 4)
			crm_store32(out, state->codes[entry->at + k]);
		out = write_sums(out, entry->sums);
	}
}

/* ---- reading --------------------------------------------------------- */

typedef struct reader
{
	const uint8_t *at;
	size_t		left;
} reader;

static bool
read_number(reader *in, uint32_t *number)
{
	if (in->left < 4)
		return false;
	*number = crm_load32(in->at);
	in->at += 4;
	in->left -= 4;
	return true;
}

/* Three sums, added to those at hand; none may be negative. */
static crm_status
read_sums(reader *in, const crm_env *env, crm_exact *sums)
{
	for (int i = 0; i < CRM_ATTRIBUTION_SUMS; i++)
	{
		crm_exact	sum = {0};
		uint32_t	count;

		if (!read_number(in, &count) || in->left / 8 < count)
			return CRM_CORRUPT;
		for (uint32_t k = 0; k < count; k++)
		{
			uint64_t	bits = crm_load64(in->at);
			double		part;

			memcpy(&part, &bits, sizeof(part));
			if (!isfinite(part))
				return CRM_CORRUPT;
			in->at += 8;
			in->left -= 8;
			CRM_TRY(crm_exact_add(&sum, env, part));
		}
		if (crm_exact_round(&sum) < 0)
			return CRM_CORRUPT;
		CRM_TRY(crm_exact_merge(&sums[i], env, &sum));
		if (sum.room > 0)
			env->release(env->arg, sum.more);
	}
	return CRM_OK;
}

/* Is that a key that the method makes?  The codes are the sender's, 1 to channels. */
static bool
key_is_valid(const crm_attribution_method *method, const uint32_t *key, uint32_t length, uint32_t channels)
{
	uint32_t	codes = length;

	switch (method->rule)
	{
		case CRM_ATTRIBUTION_FIRST:
		case CRM_ATTRIBUTION_LAST:
			if (length != 1)
				return false;
			break;
		case CRM_ATTRIBUTION_LINEAR:
			if (length != 2 || key[1] == 0)
				return false;
			codes = 1;
			break;
		case CRM_ATTRIBUTION_POSITION:
			if (length != 2)
				return false;
			codes = 1;
			break;
		case CRM_ATTRIBUTION_DECAY:
			if (length != 3 || key[1] >= key[2])
				return false;
			codes = 1;
			break;
		case CRM_ATTRIBUTION_SHAPLEY:
			for (uint32_t i = 1; i < length; i++)
				if (key[i] <= key[i - 1])
					return false;
			break;
		case CRM_ATTRIBUTION_MARKOV:
			if (length > method->order + 1)
				return false;
			/* The first touch is a channel: a journey without any is not in the chain. */
			if (length > 1 && key[length - 1] == CRM_JOURNEY_ENDS)
				codes--;
			break;
	}
	if (length == 0)
		return false;
	for (uint32_t i = 0; i < codes; i++)
		if (key[i] < 1 || key[i] > channels)
			return false;
	return true;
}

/* How many of a key's elements are codes of channels that have to be renamed. */
static uint32_t
codes_of_key(const crm_attribution_method *method, uint32_t length)
{
	switch (method->rule)
	{
		case CRM_ATTRIBUTION_LINEAR:
		case CRM_ATTRIBUTION_POSITION:
		case CRM_ATTRIBUTION_DECAY:
			return 1;
		default:
			return length;
	}
}

static crm_status
read_key(crm_attribution *state, reader *in, const uint32_t *renamed, uint32_t channels)
{
	crm_attribution_entry *entry;
	uint32_t	length;
	uint32_t	codes;

	if (!read_number(in, &length) || in->left / 4 < length)
		return CRM_CORRUPT;
	CRM_TRY(crm_attribution_scratch(state, length));
	for (uint32_t i = 0; i < length; i++)
		if (!read_number(in, &state->scratch[i]))
			return CRM_CORRUPT;
	if (!key_is_valid(&state->method, state->scratch, length, channels))
		return CRM_CORRUPT;
	codes = codes_of_key(&state->method, length);
	for (uint32_t i = 0; i < codes; i++)
		state->scratch[i] = renamed[state->scratch[i]];
	/* The order within a set is that of the codes, which are others now. */
	if (state->method.rule == CRM_ATTRIBUTION_SHAPLEY && crm_attribution_set(state->scratch, length) != length)
		return CRM_CORRUPT;
	CRM_TRY(crm_attribution_entry_of(state, state->scratch, length, &entry));
	return read_sums(in, &state->env, entry->sums);
}

crm_status
crm_attribution_read(crm_attribution *state, const uint8_t *data, size_t size)
{
	const crm_env *env = &state->env;
	reader		in = {data, size};
	uint32_t	channels;
	uint32_t   *renamed;
	uint64_t	keys;

	if (!read_number(&in, &channels) || in.left / 4 < channels)
		return CRM_CORRUPT;
	if (channels > CRM_ATTRIBUTION_MAX_CHANNELS)
		return CRM_LIMIT;
	renamed = env->alloc(env->arg, sizeof(uint32_t) * ((size_t) channels + 1));
	if (renamed == NULL)
		return CRM_NO_MEMORY;
	renamed[0] = 0;
	for (uint32_t i = 1; i <= channels; i++)
	{
		uint32_t	length;

		if (!read_number(&in, &length) || in.left < length)
			return CRM_CORRUPT;
		CRM_TRY(crm_attribution_channel(state, (const char *) in.at, length, &renamed[i]));
		in.at += length;
		in.left -= length;
	}
	CRM_TRY(read_sums(&in, env, state->totals));
	CRM_TRY(read_sums(&in, env, state->untouched));
	if (in.left < 8)
		return CRM_CORRUPT;
	keys = crm_load64(in.at);
	in.at += 8;
	in.left -= 8;
	for (uint64_t i = 0; i < keys; i++)
	{
		if (i % 1024 == 1023)
			crm_progress(env);
		CRM_TRY(read_key(state, &in, renamed, channels));
	}
	env->release(env->arg, renamed);
	return in.left == 0 ? CRM_OK : CRM_CORRUPT;
}
