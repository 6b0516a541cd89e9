/*
 * ids_paged.c - counting what two sets share while their payloads stay where
 * they are stored: only containers that both have are read.
 */
#include "kernel/ids_words.h"

/* The set begins with the number of its buckets and the key of the first one. */
#define BASE 12

/* Either kind of set, seen container by container. */
typedef struct walker
{
	const crm_ids_pages *pages; /* NULL: flat, by the cursor */
	crm_ids_cursor cursor;
	crm_ids_bucket bucket;
	uint32_t	position;
	uint64_t	key;
	bool		valid;
} walker;

bool
crm_ids_can_page(crm_ids head)
{
	uint32_t	cookie;
	uint64_t	containers;
	crm_ids_bucket bucket;

	/* Count, key, cookie and number of containers. */
	if (head.size < BASE + 8 || crm_load64(head.data) != 1)
		return false;
	cookie = crm_load32(head.data + BASE);
	containers = (cookie & 0xffff) == CRM_COOKIE_RUNS ? (cookie >> 16) + 1 : crm_load32(head.data + BASE + 4);
	/* Each takes a descriptor, an offset and perhaps a flag. */
	if (containers < CRM_OFFSETS_FROM || BASE + 8 + 9 * containers > head.size)
		return false;
	crm_ids_open_bucket(head.data + 8, &bucket);
	return bucket.offsets != NULL;
}

static void
stand(walker *w)
{
	if (w->pages == NULL)
	{
		w->valid = w->cursor.valid;
		w->key = w->cursor.current.key;
		return;
	}
	w->valid = w->position < w->bucket.containers;
	if (w->valid)
		w->key = (uint64_t) w->bucket.key << 16 | crm_load16(w->bucket.descriptors + 4 * (size_t) w->position);
}

static void
walk_first(walker *w, const crm_ids_pages *pages, crm_ids flat)
{
	memset(w, 0, sizeof(walker));
	w->pages = pages;
	if (pages)
		crm_ids_open_bucket(pages->head.data + 8, &w->bucket);
	else
		crm_ids_first(&w->cursor, flat);
	stand(w);
}

/* To the first container whose key is not below key. */
static void
walk_advance(walker *w, uint64_t key)
{
	if (w->pages == NULL)
		crm_ids_advance(&w->cursor, key);
	else if (w->bucket.key < key >> 16)
		w->position = w->bucket.containers;
	else if (w->bucket.key == key >> 16)
		w->position = crm_ids_find_container(&w->bucket, w->position, key & 0xffff);
	stand(w);
}

static void
walk_next(walker *w)
{
	if (w->pages == NULL)
		crm_ids_next(&w->cursor);
	else
		w->position++;
	stand(w);
}

/* The container it stands on; a paged one is read now. */
static const crm_container *
walk_container(walker *w, crm_container *place)
{
	const crm_ids_pages *pages = w->pages;
	size_t		from;
	size_t		to;

	if (pages == NULL)
		return &w->cursor.current;
	from = BASE + crm_load32(w->bucket.offsets + 4 * (size_t) w->position);
	to = w->position + 1 < w->bucket.containers ?
		BASE + crm_load32(w->bucket.offsets + 4 * (size_t) (w->position + 1)) : pages->size;
	crm_ids_read_container(&w->bucket, w->position, pages->read(pages->arg, from, to - from), place);
	return place;
}

uint64_t
crm_ids_and_count_paged(const crm_env *env, const crm_ids_pages *a, const crm_ids_pages *b, crm_ids flat)
{
	walker		x;
	walker		y;
	uint64_t	count = 0;

	walk_first(&x, a, flat);
	walk_first(&y, b, flat);
	while (x.valid && y.valid)
	{
		crm_container one;
		crm_container other;

		if (x.key < y.key)
			walk_advance(&x, y.key);
		else if (x.key > y.key)
			walk_advance(&y, x.key);
		else
		{
			count += crm_container_and_count(walk_container(&x, &one), walk_container(&y, &other));
			walk_next(&x);
			walk_next(&y);
			crm_progress(env);
		}
	}
	return count;
}
