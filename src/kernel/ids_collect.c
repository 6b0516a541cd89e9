/*
 * ids_collect.c - gathering ids in any order.
 *
 * A hash table of containers under construction, sixteen bytes a slot: up to
 * four ids lie in the slot itself, up to 512 in a sorted array, more in a
 * bitmap.  An array becomes a bitmap that early because insertion into it
 * moves its tail; 8 kB for 513 ids are two words an id, what a list of ids
 * would take as well.
 */
#include "kernel/ids_words.h"

#define FEW 4
#define MANY 512
#define BITMAP_CODE 0xffff

/* tag: key << 16 | code; code 0: free, up to MANY: that many ids, BITMAP_CODE: a bitmap. */
typedef struct slot
{
	uint64_t	tag;
	union
	{
		uint16_t	few[FEW];
		uint16_t   *many;
		uint64_t   *words;
	}			u;
} slot;

struct crm_ids_collector
{
	/* The bitmap that the last id went to: consecutive ids mostly share it. */
	uint64_t	key;
	uint64_t   *words;			/* NULL: none */

	crm_env		env;
	slot	   *slots;
	size_t		used;
	int			bits;			/* log2 of the number of slots */
	size_t		memory;
};

static void *
allocate(crm_ids_collector *collector, size_t size)
{
	collector->memory += size;
	return collector->env.alloc(collector->env.arg, size);
}

static void
discard(crm_ids_collector *collector, void *p, size_t size)
{
	collector->memory -= size;
	collector->env.release(collector->env.arg, p);
}

/* Room of an array that holds count ids: the next power of two, so it need not be stored. */
static uint32_t
array_room(uint32_t count)
{
	uint32_t	room = 2 * FEW;

	while (room < count)
		room *= 2;
	return room;
}

crm_status
crm_ids_collector_new(const crm_env *env, crm_ids_collector **collector)
{
	crm_ids_collector *c = env->alloc(env->arg, sizeof(crm_ids_collector));

	if (c == NULL)
		return CRM_NO_MEMORY;
	memset(c, 0, sizeof(crm_ids_collector));
	c->env = *env;
	c->bits = 4;
	c->memory = sizeof(crm_ids_collector);
	c->slots = allocate(c, sizeof(slot) << c->bits);
	if (c->slots == NULL)
		return CRM_NO_MEMORY;
	memset(c->slots, 0, sizeof(slot) << c->bits);
	*collector = c;
	return CRM_OK;
}

void
crm_ids_collector_free(crm_ids_collector *collector)
{
	crm_env		env = collector->env;

	for (size_t i = 0; i < (size_t) 1 << collector->bits; i++)
	{
		uint32_t	code = collector->slots[i].tag & 0xffff;

		if (code == BITMAP_CODE)
			env.release(env.arg, collector->slots[i].u.words);
		else if (code > FEW)
			env.release(env.arg, collector->slots[i].u.many);
	}
	env.release(env.arg, collector->slots);
	env.release(env.arg, collector);
}

size_t
crm_ids_collector_memory(const crm_ids_collector *collector)
{
	return collector->memory;
}

/* The slot of a key, or the free one where it belongs. */
static inline slot *
find_slot(slot *slots, int bits, uint64_t key)
{
	size_t		mask = ((size_t) 1 << bits) - 1;
	size_t		i = (size_t) ((key * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - bits));

	while ((slots[i].tag & 0xffff) != 0 && slots[i].tag >> 16 != key)
		i = (i + 1) & mask;
	return &slots[i];
}

static crm_status
enlarge(crm_ids_collector *collector)
{
	int			bits = collector->bits + 1;
	size_t		old = (size_t) 1 << collector->bits;
	slot	   *slots;

	/* Each container takes ten bytes at the least: refuse what could never become a value. */
	if (collector->used > CRM_IDS_MAX_BYTES / 10)
		return CRM_LIMIT;
	slots = allocate(collector, sizeof(slot) << bits);
	if (slots == NULL)
		return CRM_NO_MEMORY;
	memset(slots, 0, sizeof(slot) << bits);
	for (size_t i = 0; i < old; i++)
	{
		if ((collector->slots[i].tag & 0xffff) != 0)
			*find_slot(slots, bits, collector->slots[i].tag >> 16) = collector->slots[i];
		if (i % 65536 == 65535)
			crm_progress(&collector->env);
	}
	discard(collector, collector->slots, sizeof(slot) * old);
	collector->slots = slots;
	collector->bits = bits;
	return CRM_OK;
}

/* Finds or makes the slot; a new one has code 0, which the caller changes. */
static crm_status
need_slot(crm_ids_collector *collector, uint64_t key, slot **where)
{
	*where = find_slot(collector->slots, collector->bits, key);
	if (((*where)->tag & 0xffff) != 0)
		return CRM_OK;
	/* Three quarters full: probes stay short. */
	if ((collector->used + 1) * 4 > ((size_t) 3 << collector->bits))
	{
		CRM_TRY(enlarge(collector));
		*where = find_slot(collector->slots, collector->bits, key);
	}
	collector->used++;
	(*where)->tag = key << 16;
	return CRM_OK;
}

/* Turns whatever the slot holds into a bitmap. */
static crm_status
make_bitmap(crm_ids_collector *collector, slot *here)
{
	uint32_t	count = here->tag & 0xffff;
	uint64_t   *words;
	const uint16_t *offsets = count > FEW ? here->u.many : here->u.few;

	if (count == BITMAP_CODE)
		return CRM_OK;
	words = allocate(collector, CRM_CONTAINER_BYTES);
	if (words == NULL)
		return CRM_NO_MEMORY;
	memset(words, 0, CRM_CONTAINER_BYTES);
	for (uint32_t i = 0; i < count; i++)
		words[offsets[i] >> 6] |= UINT64_C(1) << (offsets[i] & 63);
	if (count > FEW)
		discard(collector, here->u.many, array_room(count) * sizeof(uint16_t));
	here->u.words = words;
	here->tag |= BITMAP_CODE;
	return CRM_OK;
}

/* Inserts into a slot of at most MANY ids. */
static crm_status
insert_offset(crm_ids_collector *collector, slot *here, uint16_t offset)
{
	uint32_t	count = here->tag & 0xffff;
	uint16_t   *offsets = count > FEW ? here->u.many : here->u.few;
	uint32_t	place = count;

	if (count > 0 && offsets[count - 1] >= offset)
	{
		uint32_t	low = 0;
		uint32_t	high = count - 1;

		while (low < high)
		{
			uint32_t	middle = (low + high) / 2;

			if (offsets[middle] < offset)
				low = middle + 1;
			else
				high = middle;
		}
		if (offsets[low] == offset)
			return CRM_OK;
		place = low;
	}
	if (count == MANY)
	{
		CRM_TRY(make_bitmap(collector, here));
		here->u.words[offset >> 6] |= UINT64_C(1) << (offset & 63);
		collector->key = here->tag >> 16;
		collector->words = here->u.words;
		return CRM_OK;
	}
	if (count >= FEW && (count == FEW || count == array_room(count)))
	{
		uint16_t   *more = allocate(collector, array_room(count + 1) * sizeof(uint16_t));

		if (more == NULL)
			return CRM_NO_MEMORY;
		memcpy(more, offsets, count * sizeof(uint16_t));
		if (count > FEW)
			discard(collector, offsets, array_room(count) * sizeof(uint16_t));
		here->u.many = more;
		offsets = more;
	}
	memmove(offsets + place + 1, offsets + place, (count - place) * sizeof(uint16_t));
	offsets[place] = offset;
	here->tag++;
	return CRM_OK;
}

static crm_status
add_slowly(crm_ids_collector *collector, uint64_t id)
{
	slot	   *here;

	CRM_TRY(need_slot(collector, id >> 16, &here));
	if ((here->tag & 0xffff) != BITMAP_CODE)
		return insert_offset(collector, here, (uint16_t) id);
	collector->key = id >> 16;
	collector->words = here->u.words;
	here->u.words[(id & 0xffff) >> 6] |= UINT64_C(1) << (id & 63);
	return CRM_OK;
}

crm_status
crm_ids_collector_add(crm_ids_collector *collector, uint64_t id)
{
	if (collector->key == id >> 16 && collector->words)
	{
		collector->words[(id & 0xffff) >> 6] |= UINT64_C(1) << (id & 63);
		return CRM_OK;
	}
	return add_slowly(collector, id);
}

crm_status
crm_ids_collector_add_many(crm_ids_collector *collector, const uint64_t *ids, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		CRM_TRY(crm_ids_collector_add(collector, ids[i]));
		if (i % 65536 == 65535)
			crm_progress(&collector->env);
	}
	return CRM_OK;
}

crm_status
crm_ids_collector_merge(crm_ids_collector *collector, crm_ids set)
{
	crm_ids_cursor cursor;
	uint32_t	steps = 0;

	for (crm_ids_first(&cursor, set); cursor.valid; crm_ids_next(&cursor))
	{
		const crm_container *container = &cursor.current;
		slot	   *here;

		if (++steps % 64 == 0)
			crm_progress(&collector->env);
		CRM_TRY(need_slot(collector, container->key, &here));
		if (container->kind == CRM_ARRAY && (here->tag & 0xffff) + container->cardinality <= MANY)
		{
			for (uint32_t i = 0; i < container->cardinality; i++)
				CRM_TRY(insert_offset(collector, here, crm_load16(container->data + 2 * i)));
			continue;
		}
		CRM_TRY(make_bitmap(collector, here));
		crm_container_or_into(container, here->u.words);
	}
	return CRM_OK;
}

crm_status
crm_ids_collector_build(crm_ids_collector *collector, crm_ids_builder *out)
{
	const crm_env *env = &collector->env;
	size_t		count = 0;
	uint64_t   *keys = env->alloc(env->arg, 2 * collector->used * sizeof(uint64_t));
	crm_status	status = CRM_OK;

	if (keys == NULL)
		return CRM_NO_MEMORY;
	for (size_t i = 0; i < (size_t) 1 << collector->bits; i++)
	{
		if ((collector->slots[i].tag & 0xffff) != 0)
			keys[count++] = collector->slots[i].tag >> 16;
	}
	crm_sort_ids(env, keys, keys + count, count);
	for (size_t i = 0; i < count && status == CRM_OK; i++)
	{
		const slot *here = find_slot(collector->slots, collector->bits, keys[i]);
		uint32_t	code = here->tag & 0xffff;

		if (code == BITMAP_CODE)
			status = crm_ids_builder_words(out, keys[i], here->u.words);
		else
			status = crm_ids_builder_array(out, keys[i], code > FEW ? here->u.many : here->u.few, code);
	}
	env->release(env->arg, keys);
	return status;
}
