/*
 * ids_read.c - reading a set where it lies: cursor, membership, runs.
 *
 * Sets read here have been validated or were made by the builder; nothing is
 * checked again.
 */
#include "kernel/ids_words.h"

/* From this many buckets on a lookup keeps a directory of them. */
#define DIRECTORY_FROM 8

/* ---- buckets and containers ---------------------------------------- */

void
crm_ids_open_bucket(const uint8_t *p, crm_ids_bucket *bucket)
{
	uint32_t	cookie = crm_load32(p + 4);

	bucket->key = crm_load32(p);
	bucket->base = p + 4;
	if ((cookie & 0xffff) == CRM_COOKIE_RUNS)
	{
		bucket->containers = (cookie >> 16) + 1;
		bucket->run_flags = bucket->base + 4;
		bucket->descriptors = bucket->run_flags + (bucket->containers + 7) / 8;
		bucket->offsets = bucket->containers < CRM_OFFSETS_FROM ? NULL :
			bucket->descriptors + 4 * (size_t) bucket->containers;
	}
	else
	{
		bucket->containers = crm_load32(p + 8);
		bucket->run_flags = NULL;
		bucket->descriptors = bucket->base + 8;
		bucket->offsets = bucket->descriptors + 4 * (size_t) bucket->containers;
	}
	bucket->payload = (bucket->offsets ? bucket->offsets : bucket->descriptors) + 4 * (size_t) bucket->containers;
}

/* Describes container i whose payload begins at p; returns the byte behind it. */
static inline const uint8_t *
read_container(const crm_ids_bucket *bucket, uint32_t i, const uint8_t *p, crm_container *container)
{
	const uint8_t *descriptor = bucket->descriptors + 4 * (size_t) i;

	container->key = (uint64_t) bucket->key << 16 | crm_load16(descriptor);
	container->cardinality = (uint32_t) crm_load16(descriptor + 2) + 1;
	container->runs = 0;
	container->data = p;
	if (bucket->run_flags && (bucket->run_flags[i >> 3] >> (i & 7)) & 1)
	{
		container->kind = CRM_RUN;
		container->runs = crm_load16(p);
		container->data = p + 2;
		return p + 2 + 4 * (size_t) container->runs;
	}
	if (container->cardinality <= CRM_ARRAY_MAX)
	{
		container->kind = CRM_ARRAY;
		return p + 2 * (size_t) container->cardinality;
	}
	container->kind = CRM_BITMAP;
	return p + CRM_CONTAINER_BYTES;
}

const uint8_t *
crm_ids_read_container(const crm_ids_bucket *bucket, uint32_t i, const uint8_t *p, crm_container *container)
{
	return read_container(bucket, i, p, container);
}

/* The same for any i: by the offset table, or past at most two others. */
static inline const uint8_t *
read_container_at(const crm_ids_bucket *bucket, uint32_t i, crm_container *container)
{
	const uint8_t *p = bucket->payload;

	if (bucket->offsets)
		return read_container(bucket, i, bucket->base + crm_load32(bucket->offsets + 4 * (size_t) i), container);
	for (uint32_t k = 0; k < i; k++)
		p = read_container(bucket, k, p, container);
	return read_container(bucket, i, p, container);
}

const uint8_t *
crm_ids_bucket_end(const crm_ids_bucket *bucket)
{
	crm_container last;

	if (bucket->containers == 0)
		return bucket->payload;
	return read_container_at(bucket, bucket->containers - 1, &last);
}

/*
 * The first container of the bucket at or behind from whose 16-bit key is not
 * below key; the number of containers where there is none.  Dense sets have
 * consecutive keys, so the place at the distance of the keys is tried first.
 */
uint32_t
crm_ids_find_container(const crm_ids_bucket *bucket, uint32_t from, uint32_t key)
{
	uint32_t	low = from;
	uint32_t	high = bucket->containers;
	uint32_t	step = 1;
	uint32_t	here;

	if (low >= high)
		return high;
	here = crm_load16(bucket->descriptors + 4 * (size_t) low);
	if (here >= key)
		return low;
	if (key - here < high - low &&
		crm_load16(bucket->descriptors + 4 * (size_t) (low + (key - here))) == key)
		return low + (key - here);

	/* Gallop, then halve: low is below key throughout. */
	while (step < high - low && crm_load16(bucket->descriptors + 4 * (size_t) (low + step)) < key)
	{
		low += step;
		step *= 2;
	}
	if (step < high - low)
		high = low + step;
	low++;
	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (crm_load16(bucket->descriptors + 4 * (size_t) middle) < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- the cursor ----------------------------------------------------- */

/* Stands on the first container of the bucket that begins at p, or of a later one. */
static void
enter_bucket(crm_ids_cursor *cursor, const uint8_t *p)
{
	while (cursor->buckets_left > 0)
	{
		cursor->buckets_left--;
		crm_ids_open_bucket(p, &cursor->bucket);
		if (cursor->bucket.containers > 0)
		{
			cursor->position = 0;
			cursor->after = read_container(&cursor->bucket, 0, cursor->bucket.payload, &cursor->current);
			cursor->valid = true;
			return;
		}
		p = cursor->bucket.payload;
	}
	cursor->valid = false;
}

void
crm_ids_first(crm_ids_cursor *cursor, crm_ids set)
{
	cursor->buckets_left = crm_load64(set.data);
	enter_bucket(cursor, set.data + 8);
}

void
crm_ids_next(crm_ids_cursor *cursor)
{
	if (cursor->position + 1 < cursor->bucket.containers)
	{
		cursor->position++;
		cursor->after = read_container(&cursor->bucket, cursor->position, cursor->after, &cursor->current);
	}
	else
		enter_bucket(cursor, cursor->after);
}

void
crm_ids_advance(crm_ids_cursor *cursor, uint64_t key)
{
	uint32_t	found;

	while (cursor->valid && cursor->bucket.key < key >> 16)
		enter_bucket(cursor, crm_ids_bucket_end(&cursor->bucket));
	if (!cursor->valid || cursor->current.key >= key)
		return;
	found = crm_ids_find_container(&cursor->bucket, cursor->position + 1, key & 0xffff);
	if (found == cursor->bucket.containers)
		enter_bucket(cursor, crm_ids_bucket_end(&cursor->bucket));
	else
	{
		cursor->position = found;
		cursor->after = read_container_at(&cursor->bucket, found, &cursor->current);
	}
}

void
crm_ids_seek(crm_ids_cursor *cursor, crm_ids set, uint64_t key)
{
	crm_ids_first(cursor, set);
	crm_ids_advance(cursor, key);
}

uint64_t
crm_ids_count(crm_ids set)
{
	crm_ids_cursor cursor;
	uint64_t	count = 0;

	for (crm_ids_first(&cursor, set); cursor.valid; crm_ids_next(&cursor))
		count += cursor.current.cardinality;
	return count;
}

/* ---- one container --------------------------------------------------- */

bool
crm_container_contains(const crm_container *container, uint16_t offset)
{
	const uint8_t *data = container->data;
	uint32_t	low = 0;
	uint32_t	high;

	switch (container->kind)
	{
		case CRM_BITMAP:
			return (data[offset >> 3] >> (offset & 7)) & 1;

		case CRM_ARRAY:
			high = container->cardinality;
			while (low < high)
			{
				uint32_t	middle = (low + high) / 2;
				uint16_t	here = crm_load16(data + 2 * middle);

				if (here == offset)
					return true;
				if (here < offset)
					low = middle + 1;
				else
					high = middle;
			}
			return false;

		case CRM_RUN:
			/* The last run that does not begin behind the offset. */
			high = container->runs;
			while (low < high)
			{
				uint32_t	middle = (low + high) / 2;

				if (crm_load16(data + 4 * middle) <= offset)
					low = middle + 1;
				else
					high = middle;
			}
			return low > 0 &&
				offset - crm_load16(data + 4 * (low - 1)) <= crm_load16(data + 4 * (low - 1) + 2);
	}
	return false;
}

void
crm_container_or_into(const crm_container *container, uint64_t *words)
{
	const uint8_t *data = container->data;

	switch (container->kind)
	{
		case CRM_ARRAY:
			for (uint32_t i = 0; i < container->cardinality; i++)
			{
				uint16_t	offset = crm_load16(data + 2 * i);

				words[offset >> 6] |= UINT64_C(1) << (offset & 63);
			}
			break;
		case CRM_BITMAP:
			crm_words_or_bytes(words, data);
			break;
		case CRM_RUN:
			for (uint32_t i = 0; i < container->runs; i++)
			{
				uint32_t	start = crm_load16(data + 4 * i);

				crm_words_fill(words, start, start + crm_load16(data + 4 * i + 2));
			}
			break;
	}
}

void
crm_container_words(const crm_container *container, uint64_t *words)
{
	if (container->kind == CRM_BITMAP)
	{
		crm_words_load(words, container->data);
		return;
	}
	memset(words, 0, CRM_CONTAINER_BYTES);
	crm_container_or_into(container, words);
}

/* ---- membership ------------------------------------------------------ */

/* Finds the container with that key in a bucket. */
static bool
bucket_find(const crm_ids_bucket *bucket, uint64_t key, crm_container *container)
{
	uint32_t	found = crm_ids_find_container(bucket, 0, key & 0xffff);

	if (found == bucket->containers ||
		crm_load16(bucket->descriptors + 4 * (size_t) found) != (key & 0xffff))
		return false;
	read_container_at(bucket, found, container);
	return true;
}

/* The same in a set, walking over its buckets. */
static bool
set_find(crm_ids set, uint64_t key, crm_container *container)
{
	uint64_t	buckets = crm_load64(set.data);
	const uint8_t *p = set.data + 8;

	for (uint64_t i = 0; i < buckets; i++)
	{
		crm_ids_bucket bucket;

		if (crm_load32(p) > key >> 16)
			return false;
		crm_ids_open_bucket(p, &bucket);
		if (bucket.key == key >> 16)
			return bucket_find(&bucket, key, container);
		p = crm_ids_bucket_end(&bucket);
	}
	return false;
}

bool
crm_ids_contains(crm_ids set, uint64_t id)
{
	crm_container container;

	return set_find(set, id >> 16, &container) && crm_container_contains(&container, (uint16_t) id);
}

crm_status
crm_ids_lookup_init(const crm_env *env, crm_ids_lookup *lookup, crm_ids set)
{
	uint64_t	buckets = crm_load64(set.data);

	lookup->set = set;
	lookup->key = UINT64_MAX;
	lookup->present = false;
	lookup->buckets = 0;
	lookup->directory = NULL;
	if (buckets >= DIRECTORY_FROM)
	{
		const uint8_t *p = set.data + 8;

		lookup->directory = env->alloc(env->arg, buckets * 2 * sizeof(uint64_t));
		if (lookup->directory == NULL)
			return CRM_NO_MEMORY;
		for (uint64_t i = 0; i < buckets; i++)
		{
			crm_ids_bucket bucket;

			crm_ids_open_bucket(p, &bucket);
			lookup->directory[2 * i] = bucket.key;
			lookup->directory[2 * i + 1] = (uint64_t) (p - set.data);
			p = crm_ids_bucket_end(&bucket);
			if (i % 4096 == 0)
				crm_progress(env);
		}
		lookup->buckets = buckets;
	}
	return CRM_OK;
}

void
crm_ids_lookup_find(crm_ids_lookup *lookup, uint64_t key)
{
	size_t		low = 0;
	size_t		high = lookup->buckets;

	lookup->key = key;
	if (high == 0)
	{
		lookup->present = set_find(lookup->set, key, &lookup->current);
		return;
	}
	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (lookup->directory[2 * middle] < key >> 16)
			low = middle + 1;
		else
			high = middle;
	}
	lookup->present = false;
	if (low < lookup->buckets && lookup->directory[2 * low] == key >> 16)
	{
		crm_ids_bucket bucket;

		crm_ids_open_bucket(lookup->set.data + lookup->directory[2 * low + 1], &bucket);
		lookup->present = bucket_find(&bucket, key, &lookup->current);
	}
}

/* ---- ends and runs ---------------------------------------------------- */

/* The container's run at or behind runs->at, in offsets; false at its end. */
static bool
container_run(crm_ids_runs *runs, uint32_t *first, uint32_t *last)
{
	const crm_container *container = &runs->cursor.current;
	const uint8_t *data = container->data;
	uint32_t	at = runs->at;

	switch (container->kind)
	{
		case CRM_ARRAY:
			if (at >= container->cardinality)
				return false;
			*first = *last = crm_load16(data + 2 * at++);
			while (at < container->cardinality && crm_load16(data + 2 * at) == *last + 1)
			{
				(*last)++;
				at++;
			}
			break;

		case CRM_RUN:
			if (at >= container->runs)
				return false;
			*first = crm_load16(data + 4 * at);
			*last = *first + crm_load16(data + 4 * at + 2);
			at++;
			break;

		case CRM_BITMAP:
			{
				uint64_t	word;
				uint32_t	i;

				if (at >= CRM_CONTAINER_BITS)
					return false;
				i = at >> 6;
				word = crm_load64(data + 8 * i) & (~UINT64_C(0) << (at & 63));
				while (word == 0)
				{
					if (++i == CRM_CONTAINER_WORDS)
						return false;
					word = crm_load64(data + 8 * i);
				}
				*first = 64 * i + crm_ctz64(word);

				/* The next clear bit behind it. */
				word = ~crm_load64(data + 8 * i) & (~UINT64_C(0) << (*first & 63));
				while (word == 0)
				{
					if (++i == CRM_CONTAINER_WORDS)
						break;
					word = ~crm_load64(data + 8 * i);
				}
				at = i == CRM_CONTAINER_WORDS ? CRM_CONTAINER_BITS : 64 * i + crm_ctz64(word);
				*last = at - 1;
				break;
			}
	}
	runs->at = at;
	return true;
}

void
crm_ids_runs_first(crm_ids_runs *runs, crm_ids set)
{
	crm_ids_first(&runs->cursor, set);
	runs->at = 0;
	runs->pending = false;
}

/* A run is given out when the one behind it is known not to continue it. */
bool
crm_ids_runs_next(crm_ids_runs *runs, uint64_t *first, uint64_t *last)
{
	while (runs->cursor.valid)
	{
		uint64_t	base = runs->cursor.current.key << 16;
		uint32_t	from;
		uint32_t	to;

		if (!container_run(runs, &from, &to))
		{
			crm_ids_next(&runs->cursor);
			runs->at = 0;
			continue;
		}
		if (runs->pending && runs->last + 1 == base + from)
		{
			runs->last = base + to;
			continue;
		}
		if (runs->pending)
		{
			*first = runs->first;
			*last = runs->last;
			runs->first = base + from;
			runs->last = base + to;
			return true;
		}
		runs->pending = true;
		runs->first = base + from;
		runs->last = base + to;
	}
	if (!runs->pending)
		return false;
	runs->pending = false;
	*first = runs->first;
	*last = runs->last;
	return true;
}

bool
crm_ids_min(crm_ids set, uint64_t *id)
{
	crm_ids_runs runs = {0};
	uint32_t	first;
	uint32_t	last;

	crm_ids_runs_first(&runs, set);
	if (!runs.cursor.valid || !container_run(&runs, &first, &last))
		return false;
	*id = (runs.cursor.current.key << 16) + first;
	return true;
}

bool
crm_ids_max(crm_ids set, uint64_t *id)
{
	uint64_t	buckets = crm_load64(set.data);
	const uint8_t *p = set.data + 8;
	crm_ids_bucket bucket;
	crm_container container;
	uint32_t	offset = 0;

	if (buckets == 0)
		return false;
	for (;;)
	{
		crm_ids_open_bucket(p, &bucket);
		if (--buckets == 0)
			break;
		p = crm_ids_bucket_end(&bucket);
	}
	read_container_at(&bucket, bucket.containers - 1, &container);
	switch (container.kind)
	{
		case CRM_ARRAY:
			offset = crm_load16(container.data + 2 * (container.cardinality - 1));
			break;
		case CRM_RUN:
			offset = crm_load16(container.data + 4 * (container.runs - 1)) +
				crm_load16(container.data + 4 * (container.runs - 1) + 2);
			break;
		case CRM_BITMAP:
			for (uint32_t i = CRM_CONTAINER_WORDS; i-- > 0;)
			{
				uint64_t	word = crm_load64(container.data + 8 * i);

				if (word != 0)
				{
					offset = 64 * i + 63 - (uint32_t) __builtin_clzll(word);
					break;
				}
			}
			break;
	}
	*id = (container.key << 16) + offset;
	return true;
}
