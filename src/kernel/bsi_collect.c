/*
 * bsi_collect.c - making bit-sliced numbers: from pairs, by addition, and by
 * gathering in any order.
 */
#include "kernel/bsi_block.h"

#include <stdlib.h>

/* ---- pairs -------------------------------------------------------------------- */

/* Below this many, moving each pair to its place is quicker than counting digits. */
#define INSERTION_BELOW 32

void
crm_bsi_pairs_sort(const crm_env *env, crm_bsi_pair *pairs, crm_bsi_pair *scratch, size_t count)
{
	crm_bsi_pair *from = pairs;
	crm_bsi_pair *to = scratch;
	uint64_t	differing = 0;
	bool		ascending = true;

	for (size_t i = 1; i < count && ascending; i++)
		ascending = pairs[i - 1].id <= pairs[i].id;
	if (ascending)
		return;
	if (count < INSERTION_BELOW)
	{
		for (size_t i = 1; i < count; i++)
		{
			crm_bsi_pair pair = pairs[i];
			size_t		k = i;

			for (; k > 0 && pairs[k - 1].id > pair.id; k--)
				pairs[k] = pairs[k - 1];
			pairs[k] = pair;
		}
		return;
	}
	for (size_t i = 1; i < count; i++)
		differing |= pairs[i].id ^ pairs[0].id;
	for (int digit = 0; digit < 64; digit += 8)
	{
		size_t		place[256] = {0};
		size_t		at = 0;
		crm_bsi_pair *swap = from;

		if ((differing >> digit & 0xff) == 0)
			continue;
		crm_progress(env);
		for (size_t i = 0; i < count; i++)
			place[from[i].id >> digit & 0xff]++;
		for (int value = 0; value < 256; value++)
		{
			size_t		here = place[value];

			place[value] = at;
			at += here;
		}
		for (size_t i = 0; i < count; i++)
			to[place[from[i].id >> digit & 0xff]++] = from[i];
		from = to;
		to = swap;
	}
	if (from != pairs)
		memcpy(pairs, from, count * sizeof(crm_bsi_pair));
}

crm_status
crm_bsi_pairs_settle(const crm_env *env, crm_bsi_pair *pairs, crm_bsi_pair *scratch, size_t *count)
{
	size_t		kept = 0;

	crm_bsi_pairs_sort(env, pairs, scratch, *count);
	for (size_t i = 0; i < *count; i++)
	{
		crm_int128	sum;

		if (kept == 0 || pairs[kept - 1].id != pairs[i].id)
		{
			pairs[kept++] = pairs[i];
			continue;
		}
		if (__builtin_add_overflow(crm_bsi_pair_value(&pairs[kept - 1]), crm_bsi_pair_value(&pairs[i]), &sum))
			return CRM_OUT_OF_RANGE;
		crm_bsi_pair_set(&pairs[kept - 1], pairs[i].id, sum);
	}
	*count = kept;
	return CRM_OK;
}

crm_status
crm_bsi_pairs_rescale(crm_bsi_pair *pairs, size_t count, uint32_t digits)
{
	for (size_t i = 0; i < count; i++)
	{
		crm_int128	value = crm_bsi_pair_value(&pairs[i]);

		if (!crm_bsi_scale_up(&value, digits))
			return CRM_OUT_OF_RANGE;
	}
	for (size_t i = 0; i < count; i++)
	{
		crm_int128	value = crm_bsi_pair_value(&pairs[i]);

		crm_bsi_scale_up(&value, digits);
		crm_bsi_pair_set(&pairs[i], pairs[i].id, value);
	}
	return CRM_OK;
}

crm_status
crm_bsi_build(const crm_env *env, const crm_bsi_pair *pairs, size_t count, uint32_t scale, crm_bsi_image *image)
{
	crm_bsi_universe *u = env->alloc(env->arg, sizeof(crm_bsi_universe));
	crm_bsi_writer writer;
	crm_int128	least = 0;
	crm_int128	greatest = 0;

	if (u == NULL)
		return CRM_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
	{
		crm_int128	value = crm_bsi_pair_value(&pairs[i]);

		least = value < least ? value : least;
		greatest = value > greatest ? value : greatest;
	}
	CRM_TRY(crm_bsi_writer_init(env, &writer, crm_bsi_width(least, greatest), count == 0 ? 0 : scale));
	for (size_t first = 0; first < count;)
	{
		size_t		end = first + 1;

		while (end < count && pairs[end].id >> 16 == pairs[first].id >> 16)
			end++;
		crm_bsi_universe_of_pairs(u, pairs + first, (uint32_t) (end - first));
		CRM_TRY(crm_bsi_writer_values(&writer, u, pairs + first));
		crm_progress(env);
		first = end;
	}
	env->release(env->arg, u);
	return crm_bsi_writer_finish(&writer, image);
}

/* ---- arithmetic -------------------------------------------------------------------- */

crm_status
crm_bsi_rescale(const crm_env *env, const crm_bsi *bsi, uint32_t scale, crm_bsi_image *image)
{
	uint32_t	digits = scale - bsi->scale;
	uint64_t	count = crm_ids_count(bsi->present);
	crm_int128	least = 0;
	crm_int128	greatest = 0;
	crm_bsi_reader *reader;
	crm_bsi_writer writer;
	const crm_bsi_universe *u;
	crm_bsi_pair *pairs;

	if (count > 0)
	{
		CRM_TRY(crm_bsi_select(env, bsi, NULL, 0, &least));
		CRM_TRY(crm_bsi_select(env, bsi, NULL, count - 1, &greatest));
	}
	/* When the ends fit, all between them do. */
	if (!crm_bsi_scale_up(&least, digits) || !crm_bsi_scale_up(&greatest, digits))
		return CRM_OUT_OF_RANGE;
	CRM_TRY(crm_bsi_writer_init(env, &writer, crm_bsi_width(least, greatest), count == 0 ? 0 : scale));
	CRM_TRY(crm_bsi_reader_new(env, bsi, &reader));
	while (crm_bsi_reader_block(reader, &u, &pairs))
	{
		CRM_TRY(crm_bsi_pairs_rescale(pairs, u->count, digits));
		CRM_TRY(crm_bsi_writer_values(&writer, u, pairs));
	}
	crm_bsi_reader_free(reader);
	return crm_bsi_writer_finish(&writer, image);
}

/* Scratch of an addition. */
typedef struct addition
{
	crm_bsi_walk a;
	crm_bsi_walk b;
	crm_bsi_universe universe;
	uint64_t	x[CRM_CONTAINER_WORDS];
	uint64_t	y[CRM_CONTAINER_WORDS];
	uint64_t	carry[CRM_CONTAINER_WORDS];
	uint64_t	sum[CRM_CONTAINER_WORDS];
} addition;

/* One slice of a ripple-carry addition. */
static CRM_TARGET_CLONES void
add_step(addition *s, uint32_t words)
{
	for (uint32_t i = 0; i < words; i++)
	{
		uint64_t	x = s->x[i];
		uint64_t	y = s->y[i];
		uint64_t	c = s->carry[i];

		s->sum[i] = x ^ y ^ c;
		s->carry[i] = (x & y) | (c & (x ^ y));
	}
}

/* A container that only one side has: its slices, the sign's repeated up to the result's width. */
static crm_status
copy_block(crm_bsi_walk *walk, crm_bsi_writer *writer)
{
	uint64_t	key = walk->present.current.key;
	const crm_container *container = NULL;

	CRM_TRY(crm_ids_builder_copy(writer->present, &walk->present.current));
	for (uint32_t i = 0; i < writer->slices; i++)
	{
		if (i < walk->bsi->slices)
			container = crm_bsi_walk_slice(walk, i, key);
		if (container)
			CRM_TRY(crm_ids_builder_copy(writer->slice[i], container));
	}
	crm_ids_next(&walk->present);
	return CRM_OK;
}

/* A container that both have. */
static crm_status
add_block(addition *s, crm_bsi_writer *writer)
{
	crm_bsi_universe *u = &s->universe;

	crm_bsi_universe_combine(u, CRM_OR, &s->a.present.current, &s->b.present.current);
	CRM_TRY(crm_bsi_store(u, u->all, writer->present));
	memset(s->carry, 0, u->words * sizeof(uint64_t));
	for (uint32_t i = 0; i < writer->slices; i++)
	{
		/* Above its last slice a number's sign goes on: the words stay. */
		if (i < s->a.bsi->slices)
			crm_bsi_load(u, crm_bsi_walk_slice(&s->a, i, u->key), s->x);
		if (i < s->b.bsi->slices)
			crm_bsi_load(u, crm_bsi_walk_slice(&s->b, i, u->key), s->y);
		add_step(s, u->words);
		CRM_TRY(crm_bsi_store(u, s->sum, writer->slice[i]));
	}
	crm_ids_next(&s->a.present);
	crm_ids_next(&s->b.present);
	return CRM_OK;
}

static crm_status
add_same_scale(const crm_env *env, const crm_bsi *a, const crm_bsi *b, crm_bsi_image *image)
{
	addition   *s = env->alloc(env->arg, sizeof(addition));
	crm_bsi_writer writer;

	if (s == NULL)
		return CRM_NO_MEMORY;
	crm_bsi_walk_first(&s->a, a);
	crm_bsi_walk_first(&s->b, b);
	CRM_TRY(crm_bsi_writer_init(env, &writer, (a->slices > b->slices ? a->slices : b->slices) + 1, a->scale));
	while (s->a.present.valid || s->b.present.valid)
	{
		crm_progress(env);
		if (!s->b.present.valid || (s->a.present.valid && s->a.present.current.key < s->b.present.current.key))
			CRM_TRY(copy_block(&s->a, &writer));
		else if (!s->a.present.valid || s->b.present.current.key < s->a.present.current.key)
			CRM_TRY(copy_block(&s->b, &writer));
		else
			CRM_TRY(add_block(s, &writer));
	}
	env->release(env->arg, s);
	return crm_bsi_writer_finish(&writer, image);
}

crm_status
crm_bsi_plus(const crm_env *env, const crm_bsi *a, const crm_bsi *b, crm_bsi_image *image)
{
	const crm_bsi *coarse = a->scale <= b->scale ? a : b;
	const crm_bsi *fine = coarse == a ? b : a;
	crm_bsi_image scaled;
	crm_bsi		view;
	crm_status	status;

	if (a->scale == b->scale)
		return add_same_scale(env, a, b, image);
	CRM_TRY(crm_bsi_rescale(env, coarse, fine->scale, &scaled));
	crm_bsi_image_view(&scaled, &view);
	view.scale = fine->scale;
	status = add_same_scale(env, &view, fine, image);
	crm_bsi_image_free(env, &scaled);
	return status;
}

/* ---- gathering -------------------------------------------------------------------------
 *
 * Pairs are gathered in a list.  A full list is sorted and turned into slices;
 * those are added up as a binary counter counts, like with like, so that a
 * number takes part in few additions and the memory stays near the result's.
 */

/* A list of 1.5 MB, which a processor keeps close. */
#define PAIRS_MAX 65536
#define PAIRS_FIRST 1024
/* 2^47 full lists would be more than there are ids. */
#define LEVELS 48

/* Sums of all ids of a key, where whole sets are added: SUM_ABSENT for those without. */
typedef struct dense_chunk
{
	uint64_t	key;
	int64_t    *sums;			/* NULL: a free slot */
} dense_chunk;

#define CHUNK_IDS 65536
#define SUM_ABSENT INT64_MIN
/* Fewer ids of a key are added one by one, so that sums take at most 128 bytes an id. */
#define DENSE_FROM 4096
/* So many numbers up to so large stay below 2^62. */
#define DENSE_SETS (UINT32_C(1) << 22)
#define DENSE_MOST ((crm_int128) 1 << 40)

struct crm_bsi_collector
{
	crm_env		env;
	uint32_t	scale;			/* of the pairs */
	size_t		count;
	size_t		room;
	crm_bsi_pair *pairs;
	crm_bsi_image level[LEVELS];	/* data NULL: free */
	dense_chunk *chunks;		/* a hash table, NULL keys' sums: free */
	size_t		chunk_room;
	size_t		chunk_count;
	uint32_t	dense_scale;
	uint32_t	dense_sets;		/* added since the sums were last turned into slices */
};

crm_status
crm_bsi_collector_new(const crm_env *env, crm_bsi_collector **collector)
{
	*collector = env->alloc(env->arg, sizeof(crm_bsi_collector));
	if (*collector == NULL)
		return CRM_NO_MEMORY;
	memset(*collector, 0, sizeof(crm_bsi_collector));
	(*collector)->env = *env;
	return CRM_OK;
}

/* Puts a value to its level, adding it to those that are in the way. */
static crm_status
push_image(crm_bsi_collector *collector, crm_bsi_image *image, uint32_t level)
{
	const crm_env *env = &collector->env;
	crm_bsi_image value = *image;

	for (;; level++)
	{
		crm_bsi_image *here = &collector->level[level];
		crm_bsi_image sum;
		crm_bsi		a;
		crm_bsi		b;

		if (here->data == NULL)
		{
			*here = value;
			return CRM_OK;
		}
		crm_bsi_image_view(here, &a);
		crm_bsi_image_view(&value, &b);
		CRM_TRY(crm_bsi_plus(env, &a, &b, &sum));
		crm_bsi_image_free(env, here);
		crm_bsi_image_free(env, &value);
		value = sum;
		if (level == LEVELS - 1)
		{
			*here = value;
			return CRM_OK;
		}
	}
}

/* Sorts the list and adds up what is there for one id. */
static crm_status
settle(crm_bsi_collector *collector)
{
	const crm_env *env = &collector->env;
	crm_bsi_pair *scratch = env->alloc(env->arg, collector->count * sizeof(crm_bsi_pair));
	crm_status	status;

	if (scratch == NULL)
		return CRM_NO_MEMORY;
	status = crm_bsi_pairs_settle(env, collector->pairs, scratch, &collector->count);
	env->release(env->arg, scratch);
	return status;
}

/* Turns a settled list into slices. */
static crm_status
flush(crm_bsi_collector *collector)
{
	crm_bsi_image image;

	CRM_TRY(crm_bsi_build(&collector->env, collector->pairs, collector->count, collector->scale, &image));
	collector->count = 0;
	collector->scale = 0;
	return push_image(collector, &image, 0);
}

static crm_status
make_room(crm_bsi_collector *collector)
{
	const crm_env *env = &collector->env;
	size_t		room = collector->room ? collector->room * 4 : PAIRS_FIRST;
	crm_bsi_pair *pairs;

	if (collector->room == PAIRS_MAX)
	{
		CRM_TRY(settle(collector));
		return collector->count > PAIRS_MAX / 2 ? flush(collector) : CRM_OK;
	}
	pairs = env->resize(env->arg, collector->pairs, collector->room * sizeof(crm_bsi_pair), room * sizeof(crm_bsi_pair));
	if (pairs == NULL)
		return CRM_NO_MEMORY;
	collector->pairs = pairs;
	collector->room = room;
	return CRM_OK;
}

crm_status
crm_bsi_collector_add(crm_bsi_collector *collector, uint64_t id, crm_int128 value, uint32_t scale)
{
	if (collector->count == collector->room)
		CRM_TRY(make_room(collector));
	if (scale != collector->scale)
	{
		if (scale > collector->scale)
		{
			CRM_TRY(crm_bsi_pairs_rescale(collector->pairs, collector->count, scale - collector->scale));
			collector->scale = scale;
		}
		else if (!crm_bsi_scale_up(&value, collector->scale - scale))
			return CRM_OUT_OF_RANGE;
	}
	crm_bsi_pair_set(&collector->pairs[collector->count++], id, value);
	return CRM_OK;
}

crm_status
crm_bsi_collector_merge(crm_bsi_collector *collector, const crm_bsi *bsi)
{
	const crm_env *env = &collector->env;
	uint64_t	count = crm_ids_count(bsi->present);
	crm_bsi_image image = {bsi->slices, bsi->scale, count, {0}, NULL, 0};
	uint32_t	level = 0;

	if (count <= PAIRS_FIRST)
	{
		crm_bsi_reader *reader;
		uint64_t	id;
		crm_int128	value;

		CRM_TRY(crm_bsi_reader_new(env, bsi, &reader));
		while (crm_bsi_reader_next(reader, &id, &value))
			CRM_TRY(crm_bsi_collector_add(collector, id, value, bsi->scale));
		crm_bsi_reader_free(reader);
		return CRM_OK;
	}
	for (uint32_t i = 0; i <= bsi->slices; i++)
		image.size += i == 0 ? bsi->present.size : bsi->slice[i - 1].size;
	image.data = env->alloc(env->arg, image.size);
	if (image.data == NULL)
		return CRM_NO_MEMORY;
	image.size = 0;
	for (uint32_t i = 0; i <= bsi->slices; i++)
	{
		crm_ids		set = i == 0 ? bsi->present : bsi->slice[i - 1];

		memcpy(image.data + image.size, set.data, set.size);
		image.sizes[i] = (uint32_t) set.size;
		image.size += set.size;
	}
	while (level < LEVELS - 1 && count > (uint64_t) PAIRS_MAX << level)
		level++;
	return push_image(collector, &image, level);
}

/* ---- whole sets --------------------------------------------------------------- */

static dense_chunk *
find_chunk(dense_chunk *chunks, size_t room, uint64_t key)
{
	size_t		slot = (size_t) ((key * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (room - 1);

	while (chunks[slot].sums != NULL && chunks[slot].key != key)
		slot = (slot + 1) & (room - 1);
	return &chunks[slot];
}

/* The sums of a key; NULL where it has none and cardinality is too small for them. */
static crm_status
chunk_sums(crm_bsi_collector *collector, uint64_t key, uint32_t cardinality, int64_t **sums)
{
	const crm_env *env = &collector->env;
	dense_chunk *chunk = collector->chunk_room == 0 ? NULL : find_chunk(collector->chunks, collector->chunk_room, key);

	*sums = chunk == NULL ? NULL : chunk->sums;
	if (*sums != NULL || cardinality < DENSE_FROM)
		return CRM_OK;
	if (collector->chunk_count >= collector->chunk_room / 2)
	{
		size_t		room = collector->chunk_room == 0 ? 64 : collector->chunk_room * 2;
		dense_chunk *grown = env->alloc(env->arg, room * sizeof(dense_chunk));

		if (grown == NULL)
			return CRM_NO_MEMORY;
		memset(grown, 0, room * sizeof(dense_chunk));
		for (size_t i = 0; i < collector->chunk_room; i++)
			if (collector->chunks[i].sums != NULL)
				*find_chunk(grown, room, collector->chunks[i].key) = collector->chunks[i];
		if (collector->chunks != NULL)
			env->release(env->arg, collector->chunks);
		collector->chunks = grown;
		collector->chunk_room = room;
		chunk = find_chunk(grown, room, key);
	}
	*sums = env->alloc(env->arg, CHUNK_IDS * sizeof(int64_t));
	if (*sums == NULL)
		return CRM_NO_MEMORY;
	for (uint32_t i = 0; i < CHUNK_IDS; i++)
		(*sums)[i] = SUM_ABSENT;
	*chunk = (dense_chunk) {key, *sums};
	collector->chunk_count++;
	return CRM_OK;
}

static int
compare_chunks(const void *a, const void *b)
{
	uint64_t	x = ((const dense_chunk *) a)->key;
	uint64_t	y = ((const dense_chunk *) b)->key;

	return (x > y) - (x < y);
}

/* Turns the sums into pairs, and frees them. */
static crm_status
flush_sums(crm_bsi_collector *collector)
{
	const crm_env *env = &collector->env;
	size_t		count = 0;

	for (size_t i = 0; i < collector->chunk_room; i++)
		if (collector->chunks[i].sums != NULL)
			collector->chunks[count++] = collector->chunks[i];
	if (count > 1)
		qsort(collector->chunks, count, sizeof(dense_chunk), compare_chunks);
	for (size_t i = 0; i < count; i++)
	{
		const int64_t *sums = collector->chunks[i].sums;

		for (uint32_t k = 0; k < CHUNK_IDS; k++)
			if (sums[k] != SUM_ABSENT)
				CRM_TRY(crm_bsi_collector_add(collector, collector->chunks[i].key << 16 | k, sums[k], collector->dense_scale));
		env->release(env->arg, collector->chunks[i].sums);
		crm_progress(env);
	}
	if (collector->chunks != NULL)
		env->release(env->arg, collector->chunks);
	collector->chunks = NULL;
	collector->chunk_room = collector->chunk_count = 0;
	collector->dense_sets = 0;
	return CRM_OK;
}

static inline void
add_to_sum(int64_t *sum, int64_t value)
{
	*sum = *sum == SUM_ABSENT ? value : *sum + value;
}

crm_status
crm_bsi_collector_add_set(crm_bsi_collector *collector, crm_ids set, crm_int128 value, uint32_t scale)
{
	bool		dense = value <= DENSE_MOST && value >= -DENSE_MOST;
	crm_ids_cursor cursor;

	if (dense && collector->chunk_count > 0 && (scale != collector->dense_scale || collector->dense_sets == DENSE_SETS))
		CRM_TRY(flush_sums(collector));
	if (dense)
	{
		collector->dense_scale = scale;
		collector->dense_sets++;
	}
	for (crm_ids_first(&cursor, set); cursor.valid; crm_ids_next(&cursor))
	{
		int64_t    *sums = NULL;
		uint64_t	words[CHUNK_IDS / 64];

		if (dense)
			CRM_TRY(chunk_sums(collector, cursor.current.key, cursor.current.cardinality, &sums));
		crm_container_words(&cursor.current, words);
		for (uint32_t w = 0; w < CHUNK_IDS / 64; w++)
			for (uint64_t left = words[w]; left != 0; left &= left - 1)
			{
				uint32_t	offset = w * 64 + (uint32_t) crm_ctz64(left);

				if (sums != NULL)
					add_to_sum(&sums[offset], (int64_t) value);
				else
					CRM_TRY(crm_bsi_collector_add(collector, cursor.current.key << 16 | offset, value, scale));
			}
		crm_progress(&collector->env);
	}
	return CRM_OK;
}

crm_status
crm_bsi_collector_build(crm_bsi_collector *collector, const crm_bsi_image **image)
{
	int			last = -1;

	CRM_TRY(flush_sums(collector));
	for (int i = 0; i < LEVELS; i++)
		last = collector->level[i].data ? i : last;
	if (collector->count > 0 || last < 0)
	{
		CRM_TRY(settle(collector));
		CRM_TRY(flush(collector));
	}

	/* Everything into the highest level. */
	for (int i = 0; i < LEVELS; i++)
	{
		if (collector->level[i].data == NULL)
			continue;
		*image = &collector->level[i];
		for (int k = i + 1; k < LEVELS; k++)
		{
			if (collector->level[k].data)
			{
				crm_bsi_image value = collector->level[i];

				collector->level[i].data = NULL;
				CRM_TRY(push_image(collector, &value, (uint32_t) k));
				break;
			}
		}
	}
	return CRM_OK;
}
