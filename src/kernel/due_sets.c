/*
 * due_sets.c - a hash table of hours, each with a collector of ids.
 */
#include "kernel/due_sets.h"

#define NO_PLACE UINT32_MAX

typedef struct due_hour
{
	int64_t		hour;
	crm_ids_collector *ids;
} due_hour;

struct crm_due_sets
{
	crm_env		env;
	due_hour   *hours;
	uint32_t	count;
	uint32_t	room;
	uint32_t   *slots;			/* places in hours, NO_PLACE for none; twice the room */
	uint32_t	last;			/* place of the last addition: neighbours are often due together */
	size_t		memory;			/* without the collectors' */
};

static uint32_t
slot_of(const crm_due_sets *sets, int64_t hour)
{
	uint32_t	mask = sets->room * 2 - 1;
	uint32_t	i = (uint32_t) (((uint64_t) hour * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & mask;

	while (sets->slots[i] != NO_PLACE && sets->hours[sets->slots[i]].hour != hour)
		i = (i + 1) & mask;
	return i;
}

static void
fill_slots(crm_due_sets *sets)
{
	memset(sets->slots, 0xff, sizeof(uint32_t) * 2 * sets->room);
	for (uint32_t i = 0; i < sets->count; i++)
		sets->slots[slot_of(sets, sets->hours[i].hour)] = i;
	sets->last = NO_PLACE;
}

crm_status
crm_due_sets_new(const crm_env *env, crm_due_sets **sets)
{
	crm_due_sets *s = env->alloc(env->arg, sizeof(crm_due_sets));

	if (s == NULL)
		return CRM_NO_MEMORY;
	memset(s, 0, sizeof(crm_due_sets));
	s->env = *env;
	s->room = 16;
	s->hours = env->alloc(env->arg, sizeof(due_hour) * s->room);
	s->slots = env->alloc(env->arg, sizeof(uint32_t) * 2 * s->room);
	if (s->hours == NULL || s->slots == NULL)
		return CRM_NO_MEMORY;
	s->memory = sizeof(crm_due_sets) + (sizeof(due_hour) + 2 * sizeof(uint32_t)) * s->room;
	fill_slots(s);
	*sets = s;
	return CRM_OK;
}

void
crm_due_sets_free(crm_due_sets *sets)
{
	crm_env		env = sets->env;

	for (uint32_t i = 0; i < sets->count; i++)
		crm_ids_collector_free(sets->hours[i].ids);
	env.release(env.arg, sets->hours);
	env.release(env.arg, sets->slots);
	env.release(env.arg, sets);
}

static crm_status
enlarge(crm_due_sets *sets)
{
	uint32_t	room = sets->room * 2;
	due_hour   *hours = sets->env.resize(sets->env.arg, sets->hours, sizeof(due_hour) * sets->room, sizeof(due_hour) * room);
	uint32_t   *slots;

	if (hours == NULL)
		return CRM_NO_MEMORY;
	sets->hours = hours;
	slots = sets->env.alloc(sets->env.arg, sizeof(uint32_t) * 2 * room);
	if (slots == NULL)
		return CRM_NO_MEMORY;
	sets->env.release(sets->env.arg, sets->slots);
	sets->slots = slots;
	sets->memory += (sizeof(due_hour) + 2 * sizeof(uint32_t)) * (room - sets->room);
	sets->room = room;
	fill_slots(sets);
	return CRM_OK;
}

/* The collector of an hour, made when it is the first time. */
static crm_status
collector_of(crm_due_sets *sets, int64_t hour, crm_ids_collector **collector)
{
	uint32_t	slot;

	if (sets->last != NO_PLACE && sets->hours[sets->last].hour == hour)
	{
		*collector = sets->hours[sets->last].ids;
		return CRM_OK;
	}
	slot = slot_of(sets, hour);
	if (sets->slots[slot] == NO_PLACE)
	{
		crm_ids_collector *made;

		if (sets->count == CRM_DUE_MAX_HOURS)
			return CRM_LIMIT;
		if (sets->count == sets->room)
		{
			CRM_TRY(enlarge(sets));
			slot = slot_of(sets, hour);
		}
		CRM_TRY(crm_ids_collector_new(&sets->env, &made));
		sets->hours[sets->count] = (due_hour) {hour, made};
		sets->slots[slot] = sets->count++;
	}
	sets->last = sets->slots[slot];
	*collector = sets->hours[sets->last].ids;
	return CRM_OK;
}

crm_status
crm_due_sets_add(crm_due_sets *sets, int64_t hour, uint64_t id)
{
	crm_ids_collector *collector;

	CRM_TRY(collector_of(sets, hour, &collector));
	return crm_ids_collector_add(collector, id);
}

crm_status
crm_due_sets_add_set(crm_due_sets *sets, int64_t hour, crm_ids ids)
{
	crm_ids_collector *collector;

	CRM_TRY(collector_of(sets, hour, &collector));
	return crm_ids_collector_merge(collector, ids);
}

size_t
crm_due_sets_memory(const crm_due_sets *sets)
{
	size_t		memory = sets->memory;

	for (uint32_t i = 0; i < sets->count; i++)
		memory += crm_ids_collector_memory(sets->hours[i].ids);
	return memory;
}

uint32_t
crm_due_sets_hours(const crm_due_sets *sets)
{
	return sets->count;
}

static void
sift_down(due_hour *hours, uint32_t root, uint32_t count)
{
	due_hour	moved = hours[root];

	for (;;)
	{
		uint32_t	child = 2 * root + 1;

		if (child >= count)
			break;
		if (child + 1 < count && hours[child].hour < hours[child + 1].hour)
			child++;
		if (hours[child].hour <= moved.hour)
			break;
		hours[root] = hours[child];
		root = child;
	}
	hours[root] = moved;
}

void
crm_due_sets_sort(crm_due_sets *sets)
{
	due_hour   *hours = sets->hours;

	for (uint32_t i = sets->count / 2; i-- > 0;)
		sift_down(hours, i, sets->count);
	for (uint32_t i = sets->count; i-- > 1;)
	{
		due_hour	last = hours[i];

		hours[i] = hours[0];
		hours[0] = last;
		sift_down(hours, 0, i);
	}
	fill_slots(sets);
}

int64_t
crm_due_sets_hour(const crm_due_sets *sets, uint32_t place)
{
	return sets->hours[place].hour;
}

crm_status
crm_due_sets_build(const crm_due_sets *sets, uint32_t place, crm_ids_builder *out)
{
	return crm_ids_collector_build(sets->hours[place].ids, out);
}

/* ---- between processes ------------------------------------------------------- */

#define ENTRY_HEADER 16			/* hour, size of the set */

crm_status
crm_due_sets_write(crm_due_sets *sets, uint8_t **bytes, size_t *size)
{
	const crm_env *env = &sets->env;
	size_t		room = 1024;
	size_t		used = 0;
	uint8_t    *out = env->alloc(env->arg, room);

	if (out == NULL)
		return CRM_NO_MEMORY;
	crm_due_sets_sort(sets);
	for (uint32_t i = 0; i < sets->count; i++)
	{
		crm_ids_builder *builder;
		size_t		length;

		crm_progress(env);
		CRM_TRY(crm_ids_builder_new(env, &builder));
		CRM_TRY(crm_due_sets_build(sets, i, builder));
		length = crm_ids_builder_size(builder);
		if (used + ENTRY_HEADER + length > room)
		{
			size_t		larger = (used + ENTRY_HEADER + length) * 2;
			uint8_t    *moved = env->resize(env->arg, out, room, larger);

			if (moved == NULL)
				return CRM_NO_MEMORY;
			out = moved;
			room = larger;
		}
		crm_store64(out + used, (uint64_t) sets->hours[i].hour);
		crm_store64(out + used + 8, length);
		crm_ids_builder_write(builder, out + used + ENTRY_HEADER);
		crm_ids_builder_free(builder);
		used += ENTRY_HEADER + length;
	}
	*bytes = out;
	*size = used;
	return CRM_OK;
}

crm_status
crm_due_sets_read(crm_due_sets *sets, const uint8_t *bytes, size_t size)
{
	bool		first = true;
	int64_t		before = 0;

	while (size > 0)
	{
		int64_t		hour;
		uint64_t	length;
		uint64_t	cardinality;
		bool		canonical;

		crm_progress(&sets->env);
		if (size < ENTRY_HEADER)
			return CRM_CORRUPT;
		hour = (int64_t) crm_load64(bytes);
		length = crm_load64(bytes + 8);
		bytes += ENTRY_HEADER;
		size -= ENTRY_HEADER;
		if (length > size || (!first && hour <= before))
			return CRM_CORRUPT;
		CRM_TRY(crm_ids_validate_long(&sets->env, bytes, length, &cardinality, &canonical));
		CRM_TRY(crm_due_sets_add_set(sets, hour, (crm_ids) {bytes, length}));
		bytes += length;
		size -= length;
		before = hour;
		first = false;
	}
	return CRM_OK;
}
