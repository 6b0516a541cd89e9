/*
 * value_table.c - a dictionary of strings.
 */
#include "kernel/value_table.h"

#define FIRST_CAPACITY 16

static inline uint64_t
load_upto8(const char *p, size_t n)
{
	uint64_t	value = 0;

	/* Two loads that overlap, or single bytes: never past the string's end. */
	if (n >= 4)
	{
		uint32_t	low,
					high;

		memcpy(&low, p, 4);
		memcpy(&high, p + n - 4, 4);
		return ((uint64_t) high << 32) | low;
	}
	if (n > 0)
	{
		value = (uint8_t) p[0];
		value |= (uint64_t) (uint8_t) p[n >> 1] << 8;
		value |= (uint64_t) (uint8_t) p[n - 1] << 16;
	}
	return value;
}

static inline uint64_t
mix(uint64_t h)
{
	h *= UINT64_C(0x9E3779B97F4A7C15);
	return h ^ (h >> 32);
}

static inline uint64_t
hash_text(const char *text, size_t length)
{
	uint64_t	h = length;

	while (length > 8)
	{
		uint64_t	word;

		memcpy(&word, text, 8);
		h = mix(h ^ word);
		text += 8;
		length -= 8;
	}
	return mix(mix(h) ^ load_upto8(text, length));
}

static inline bool
same_text(const crm_value_entry *entry, uint64_t hash, const char *text, size_t length)
{
	/* Up to eight bytes are mixed one to one: equal hashes are equal texts. */
	return entry->hash == hash && entry->length == length &&
		(length <= 8 || memcmp(entry->text, text, length) == 0);
}

uint32_t
crm_value_find(const crm_value_table *table, const char *text, size_t length)
{
	uint64_t	hash;

	if (table->count == 0 || length > table->longest)
		return 0;
	hash = hash_text(text, length);
	for (uint32_t slot = hash & table->mask;; slot = (slot + 1) & table->mask)
	{
		uint32_t	code = table->slots[slot];

		if (code == 0 || same_text(&table->entries[code - 1], hash, text, length))
			return code;
	}
}

/* Room for one more: at most half of the slots are taken. */
static crm_status
grow(crm_value_table *table, const crm_env *env)
{
	uint32_t	capacity = table->capacity == 0 ? FIRST_CAPACITY : table->capacity * 2;
	uint32_t	mask = capacity * 2 - 1;
	crm_value_entry *entries;
	uint32_t   *slots;

	entries = env->resize(env->arg, table->entries, sizeof(crm_value_entry) * table->capacity,
						  sizeof(crm_value_entry) * capacity);
	if (entries == NULL)
		return CRM_NO_MEMORY;
	table->entries = entries;
	slots = env->alloc(env->arg, sizeof(uint32_t) * ((size_t) mask + 1));
	if (slots == NULL)
		return CRM_NO_MEMORY;
	memset(slots, 0, sizeof(uint32_t) * ((size_t) mask + 1));
	for (uint32_t i = 0; i < table->count; i++)
	{
		uint32_t	slot = entries[i].hash & mask;

		while (slots[slot] != 0)
			slot = (slot + 1) & mask;
		slots[slot] = i + 1;
	}
	env->release(env->arg, table->slots);
	table->slots = slots;
	table->mask = mask;
	table->capacity = capacity;
	return CRM_OK;
}

crm_status
crm_value_add(crm_value_table *table, const crm_env *env, const char *text, size_t length,
			  uint32_t cap, uint32_t *code)
{
	crm_value_entry *entry;
	uint32_t	slot;
	char	   *copy;

	*code = crm_value_find(table, text, length);
	if (*code != 0)
		return CRM_OK;
	if (table->count >= cap || table->count >= (UINT32_MAX >> 4) || length >= UINT32_MAX)
		return CRM_LIMIT;
	if (table->count == table->capacity)
		CRM_TRY(grow(table, env));
	copy = env->alloc(env->arg, length + 1);
	if (copy == NULL)
		return CRM_NO_MEMORY;
	memcpy(copy, text, length);
	copy[length] = '\0';

	entry = &table->entries[table->count++];
	entry->hash = hash_text(text, length);
	entry->text = copy;
	entry->length = length;
	if (length > table->longest)
		table->longest = length;
	slot = entry->hash & table->mask;
	while (table->slots[slot] != 0)
		slot = (slot + 1) & table->mask;
	table->slots[slot] = *code = table->count;
	return CRM_OK;
}

void
crm_value_clear(crm_value_table *table, const crm_env *env)
{
	for (uint32_t i = 0; i < table->count; i++)
		env->release(env->arg, (void *) table->entries[i].text);
	if (table->entries)
		env->release(env->arg, table->entries);
	if (table->slots)
		env->release(env->arg, table->slots);
	memset(table, 0, sizeof(*table));
}
