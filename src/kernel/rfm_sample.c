/*
 * rfm_sample.c - collecting a sample, and its form as bytes.
 */
#include "kernel/rfm.h"

#include <math.h>

#define MIN_BITS 4
#define FIRST_CHUNK 32
#define LAST_CHUNK 131072		/* values: 1 MB */

void
crm_rfm_sample_init(crm_rfm_sample *sample, const crm_env *env)
{
	memset(sample, 0, sizeof(*sample));
	sample->env = *env;
}

/* ---- counts ---------------------------------------------------------- */

static inline uint64_t
hash_slot(int64_t key, uint32_t bits)
{
	uint64_t	h = (uint64_t) key;

	h ^= h >> 32;
	h *= UINT64_C(0x9E3779B97F4A7C15);
	h ^= h >> 29;
	h *= UINT64_C(0xBF58476D1CE4E5B9);
	return h >> (64 - bits);
}

/* The key's slot, or the free slot where it belongs; there always is a free one. */
static inline crm_rfm_entry *
find_slot(const crm_rfm_counts *counts, int64_t key)
{
	uint64_t	mask = (UINT64_C(1) << counts->bits) - 1;
	uint64_t	slot = hash_slot(key, counts->bits);

	while (counts->slots[slot].count != 0 && counts->slots[slot].key != key)
		slot = (slot + 1) & mask;
	return &counts->slots[slot];
}

static crm_status
grow_counts(const crm_env *env, crm_rfm_counts *counts)
{
	crm_rfm_counts grown = *counts;
	size_t		old_slots = counts->slots ? (size_t) 1 << counts->bits : 0;
	size_t		size;

	grown.bits = counts->slots ? counts->bits + 1 : MIN_BITS;
	size = sizeof(crm_rfm_entry) << grown.bits;
	grown.slots = env->alloc(env->arg, size);
	if (grown.slots == NULL)
		return CRM_NO_MEMORY;
	memset(grown.slots, 0, size);
	for (size_t i = 0; i < old_slots; i++)
	{
		if (counts->slots[i].count != 0)
			*find_slot(&grown, counts->slots[i].key) = counts->slots[i];
	}
	env->release(env->arg, counts->slots);
	*counts = grown;
	return CRM_OK;
}

crm_status
crm_rfm_counts_add(const crm_env *env, crm_rfm_counts *counts, int64_t key, int64_t count)
{
	crm_rfm_entry *entry;

	if (count < 1 || count > CRM_RFM_MAX_ROWS - (int64_t) counts->total)
		return CRM_LIMIT;
	/* At most three quarters full, with room made before anything changes. */
	if (counts->slots == NULL || counts->used >= (UINT64_C(3) << counts->bits) / 4)
		CRM_TRY(grow_counts(env, counts));
	entry = find_slot(counts, key);
	if (entry->count == 0)
	{
		entry->key = key;
		counts->used++;
	}
	entry->count += count;
	counts->total += (uint64_t) count;
	return CRM_OK;
}

/* ---- values ---------------------------------------------------------- */

/* Makes room for at least one more value at the end. */
static crm_status
grow_values(const crm_env *env, crm_rfm_values *values)
{
	uint32_t	capacity = FIRST_CHUNK;
	crm_rfm_chunk *chunk;

	if (values->last != NULL)
		capacity = values->last->capacity < LAST_CHUNK ? values->last->capacity * 4 : LAST_CHUNK;
	if (capacity > LAST_CHUNK)
		capacity = LAST_CHUNK;
	chunk = env->alloc(env->arg, offsetof(crm_rfm_chunk, values) + capacity * sizeof(double));
	if (chunk == NULL)
		return CRM_NO_MEMORY;
	chunk->next = NULL;
	chunk->used = 0;
	chunk->capacity = capacity;
	if (values->last != NULL)
		values->last->next = chunk;
	else
		values->first = chunk;
	values->last = chunk;
	return CRM_OK;
}

crm_status
crm_rfm_values_add(const crm_env *env, crm_rfm_values *values, double value)
{
	if (values->last == NULL || values->last->used == values->last->capacity)
		CRM_TRY(grow_values(env, values));
	/* Minus zero becomes zero: equal values are equal bits. */
	values->last->values[values->last->used++] = value + 0.0;
	values->total++;
	return CRM_OK;
}

/* ---- bytes ----------------------------------------------------------- */

/*
 * uint64 entries of recency, uint64 entries of frequency, uint64 values, then
 * the entries (key, count) and the values, eight bytes each.
 */
#define HEADER_SIZE 24

size_t
crm_rfm_sample_size(const crm_rfm_sample *sample)
{
	return HEADER_SIZE + 16 * (sample->recency.used + sample->frequency.used) + 8 * sample->monetary.total;
}

static uint8_t *
write_counts(const crm_rfm_counts *counts, uint8_t *out)
{
	size_t		slots = counts->slots ? (size_t) 1 << counts->bits : 0;

	for (size_t i = 0; i < slots; i++)
	{
		if (counts->slots[i].count == 0)
			continue;
		crm_store64(out, (uint64_t) counts->slots[i].key);
		crm_store64(out + 8, (uint64_t) counts->slots[i].count);
		out += 16;
	}
	return out;
}

void
crm_rfm_sample_write(const crm_rfm_sample *sample, uint8_t *out)
{
	crm_store64(out, sample->recency.used);
	crm_store64(out + 8, sample->frequency.used);
	crm_store64(out + 16, sample->monetary.total);
	out = write_counts(&sample->recency, out + HEADER_SIZE);
	out = write_counts(&sample->frequency, out);
	for (const crm_rfm_chunk *chunk = sample->monetary.first; chunk != NULL; chunk = chunk->next)
	{
		for (uint32_t i = 0; i < chunk->used; i++, out += 8)
		{
			uint64_t	bits;

			memcpy(&bits, &chunk->values[i], sizeof(bits));
			crm_store64(out, bits);
		}
		crm_progress(&sample->env);
	}
}

static crm_status
read_counts(const crm_env *env, crm_rfm_counts *counts, const uint8_t *data, uint64_t entries)
{
	for (uint64_t i = 0; i < entries; i++, data += 16)
	{
		int64_t		count = (int64_t) crm_load64(data + 8);

		if (count < 1 || count > CRM_RFM_MAX_ROWS)
			return CRM_CORRUPT;
		CRM_TRY(crm_rfm_counts_add(env, counts, (int64_t) crm_load64(data), count));
		if (i % 65536 == 0)
			crm_progress(env);
	}
	return CRM_OK;
}

crm_status
crm_rfm_sample_read(crm_rfm_sample *sample, const uint8_t *data, size_t size)
{
	uint64_t	recency;
	uint64_t	frequency;
	uint64_t	values;
	uint64_t	left;

	/* The three numbers must account for every byte; divisions, as products could overflow. */
	if (size < HEADER_SIZE)
		return CRM_CORRUPT;
	left = size - HEADER_SIZE;
	recency = crm_load64(data);
	frequency = crm_load64(data + 8);
	values = crm_load64(data + 16);
	if (recency > left / 16)
		return CRM_CORRUPT;
	left -= recency * 16;
	if (frequency > left / 16)
		return CRM_CORRUPT;
	left -= frequency * 16;
	if (left % 8 != 0 || values != left / 8)
		return CRM_CORRUPT;

	data += HEADER_SIZE;
	CRM_TRY(read_counts(&sample->env, &sample->recency, data, recency));
	data += recency * 16;
	CRM_TRY(read_counts(&sample->env, &sample->frequency, data, frequency));
	data += frequency * 16;
	for (uint64_t i = 0; i < values; i++, data += 8)
	{
		uint64_t	bits = crm_load64(data);
		double		value;

		memcpy(&value, &bits, sizeof(value));
		if (!isfinite(value))
			return CRM_CORRUPT;
		CRM_TRY(crm_rfm_values_add(&sample->env, &sample->monetary, value));
		if (i % 65536 == 0)
			crm_progress(&sample->env);
	}
	return CRM_OK;
}
