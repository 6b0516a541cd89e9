/*
 * tag_sets_read.c - finished sets, chunk by chunk in stored form.
 */
#include "kernel/tag_sets_private.h"

/* Ascending by scope (in the order given) and chunk: bottom-up merge sort, as qsort has no argument for the order. */
static bool
comes_before(const tag_chunk *a, const tag_chunk *b, const uint32_t *scope_order)
{
	if (a->scope != b->scope)
		return scope_order[a->scope] < scope_order[b->scope];
	return a->key < b->key;
}

static crm_status
sort_chunks(crm_tag_sets *sets, const uint32_t *scope_order)
{
	int			n = sets->chunk_count;
	tag_chunk **a = sets->chunks;
	tag_chunk **b;

	if (n < 2)
		return CRM_OK;
	b = sets->env.alloc(sets->env.arg, (size_t) n * sizeof(tag_chunk *));
	if (b == NULL)
		return CRM_NO_MEMORY;
	for (int width = 1; width < n; width *= 2)
	{
		tag_chunk **swap;

		for (int low = 0; low < n; low += 2 * width)
		{
			int			middle = low + width < n ? low + width : n;
			int			high = low + 2 * width < n ? low + 2 * width : n;
			int			i = low;
			int			j = middle;

			for (int k = low; k < high; k++)
				b[k] = i < middle && (j >= high || !comes_before(a[j], a[i], scope_order)) ? a[i++] : a[j++];
		}
		swap = a;
		a = b;
		b = swap;
	}
	if (a != sets->chunks)
	{
		memcpy(sets->chunks, a, (size_t) n * sizeof(tag_chunk *));
		b = a;
	}
	sets->env.release(sets->env.arg, b);
	return CRM_OK;
}

/* Numbers of a wide chunk by ascending offset: merge sort again. */
static crm_status
sort_wide(crm_tag_sets *sets, tag_chunk *chunk)
{
	uint32_t	n = chunk->count;
	uint32_t   *a = sets->env.alloc(sets->env.arg, (size_t) n * 2 * sizeof(uint32_t));
	uint32_t   *b;

	if (a == NULL)
		return CRM_NO_MEMORY;
	chunk->order = a;
	b = a + n;
	for (uint32_t i = 0; i < n; i++)
		a[i] = i;
	for (uint32_t width = 1; width < n; width *= 2)
	{
		uint32_t   *swap;

		for (uint32_t low = 0; low < n; low += 2 * width)
		{
			uint32_t	middle = low + width < n ? low + width : n;
			uint32_t	high = low + 2 * width < n ? low + 2 * width : n;
			uint32_t	i = low;
			uint32_t	j = middle;

			for (uint32_t k = low; k < high; k++)
				b[k] = i < middle && (j >= high || chunk->offsets[a[i]] <= chunk->offsets[a[j]]) ? a[i++] : a[j++];
		}
		swap = a;
		a = b;
		b = swap;
	}
	if (a != chunk->order)
		memcpy(chunk->order, a, n * sizeof(uint32_t));
	for (uint32_t i = 1; i < n; i++)
		if (chunk->offsets[chunk->order[i]] == chunk->offsets[chunk->order[i - 1]])
			tag_sets_note_duplicate(sets, (chunk->key << sets->bits) + chunk->offsets[chunk->order[i]]);
	return CRM_OK;
}

/* Chunks of one key in several scopes must not share a customer. */
static crm_status
find_in_two_scopes(crm_tag_sets *sets)
{
	bool		several = false;
	crm_tag_sets *all;
	bool		none = false;

	for (int i = 1; i < sets->chunk_count; i++)
		several |= sets->chunks[i]->scope != sets->chunks[0]->scope;
	if (!several)
		return CRM_OK;

	/* their union under one scope finds what stands twice */
	CRM_TRY(crm_tag_sets_new(&sets->env, sets->bits, 0, &none, &all));
	for (int i = 0; i < sets->chunk_count; i++)
	{
		const tag_chunk *from = sets->chunks[i];
		tag_chunk  *to;

		crm_progress(&sets->env);
		CRM_TRY(tag_sets_find_chunk(all, 0, from->key, &to));
		if (tag_sets_wide(sets))
		{
			CRM_TRY(tag_sets_reserve(all, to, to->count + from->count));
			memcpy(to->offsets + to->count, from->offsets, from->count * sizeof(uint64_t));
			to->count += from->count;
			continue;
		}
		for (int w = 0; w < CRM_CHUNK_WORDS; w++)
		{
			uint64_t	twice = to->seen[w] & from->seen[w];

			if (twice != 0)
				tag_sets_note_duplicate(sets, (from->key << sets->bits) + (uint64_t) w * 64 + (uint64_t) crm_ctz64(twice));
			to->seen[w] |= from->seen[w];
		}
	}
	for (int i = 0; i < all->chunk_count; i++)
	{
		tag_chunk  *chunk = all->chunks[i];

		if (tag_sets_wide(sets))
		{
			CRM_TRY(sort_wide(all, chunk));
			sets->env.release(sets->env.arg, chunk->order);
			sets->env.release(sets->env.arg, chunk->offsets);
		}
		else
			sets->env.release(sets->env.arg, chunk->seen);
		sets->env.release(sets->env.arg, chunk->cells);
		sets->env.release(sets->env.arg, chunk);
	}
	if (all->has_duplicate)
		tag_sets_note_duplicate(sets, all->duplicate);
	sets->env.release(sets->env.arg, all->chunks);
	sets->env.release(sets->env.arg, all->table);
	sets->env.release(sets->env.arg, all->is_text);
	sets->env.release(sets->env.arg, all->is_number);
	sets->env.release(sets->env.arg, all);
	return CRM_OK;
}

crm_status
crm_tag_sets_finish(crm_tag_sets *sets, const uint32_t *scope_order)
{
	CRM_TRY(sort_chunks(sets, scope_order));
	sets->last = NULL;
	if (tag_sets_wide(sets))
		for (int i = 0; i < sets->chunk_count; i++)
		{
			crm_progress(&sets->env);
			CRM_TRY(sort_wide(sets, sets->chunks[i]));
		}
	return find_in_two_scopes(sets);
}

bool
crm_tag_sets_duplicate(const crm_tag_sets *sets, uint64_t *id)
{
	*id = sets->duplicate;
	return sets->has_duplicate;
}

int
crm_tag_sets_chunks(const crm_tag_sets *sets)
{
	return sets->chunk_count;
}

void
crm_tag_sets_chunk(const crm_tag_sets *sets, int chunk, uint32_t *scope, uint64_t *key, uint32_t *customers)
{
	*scope = sets->chunks[chunk]->scope;
	*key = sets->chunks[chunk]->key;
	*customers = sets->chunks[chunk]->count;
}

size_t
crm_tag_sets_bound(const crm_tag_sets *sets, int chunk)
{
	return tag_sets_wide(sets) ? CRM_CHUNK_WIDE_MAX(sets->chunks[chunk]->count) : CRM_CHUNK_MAX;
}

/* The wide form of the customers whose number has its bit set (NULL: all), without a copy of the offsets. */
static size_t
encode_wide(const tag_chunk *chunk, const uint64_t *bits, uint8_t *out, uint32_t *members)
{
	crm_wide_writer writer;

	crm_wide_begin(&writer, out);
	*members = 0;
	for (uint32_t i = 0; i < chunk->count; i++)
	{
		uint32_t	number = chunk->order[i];

		if (bits != NULL && ((bits[number >> 6] >> (number & 63)) & 1) == 0)
			continue;
		crm_wide_put(&writer, chunk->offsets[number]);
		(*members)++;
	}
	return crm_wide_size(&writer);
}

size_t
crm_tag_sets_encode_base(const crm_tag_sets *sets, int chunk, uint8_t *out)
{
	uint32_t	members;

	if (tag_sets_wide(sets))
		return encode_wide(sets->chunks[chunk], NULL, out, &members);
	return crm_chunk_encode(sets->chunks[chunk]->seen, out);
}

CRM_TARGET_CLONES static uint32_t
count_words(const uint64_t *words, int n)
{
	uint32_t	count = 0;

	for (int i = 0; i < n; i++)
		count += (uint32_t) crm_popcount64(words[i]);
	return count;
}

/* The set of the places with their bit set. */
size_t
tag_sets_encode_bits(const crm_tag_sets *sets, int chunk, const uint64_t *bits, uint8_t *out, uint32_t *members)
{
	if (tag_sets_wide(sets))
		return encode_wide(sets->chunks[chunk], bits, out, members);
	*members = count_words(bits, CRM_CHUNK_WORDS);
	return crm_chunk_encode(bits, out);
}

size_t
crm_tag_sets_encode_rule(crm_tag_sets *sets, int chunk, int rule, uint8_t *out, uint32_t *members)
{
	tag_chunk  *c = sets->chunks[chunk];

	*members = 0;
	if (c->cells[rule] == NULL)
		return 0;
	return tag_sets_encode_bits(sets, chunk, c->cells[rule], out, members);
}

static crm_status
room_for(crm_tag_sets *sets, uint32_t **array, uint32_t *room, uint32_t need)
{
	if (*room >= need)
		return CRM_OK;
	*array = sets->env.resize(sets->env.arg, *array, *room * sizeof(uint32_t), need * sizeof(uint32_t));
	if (*array == NULL)
		return CRM_NO_MEMORY;
	*room = need;
	return CRM_OK;
}

int
crm_tag_sets_codes_present(crm_tag_sets *sets, int chunk, int rule, uint16_t *codes)
{
	tag_chunk  *c = sets->chunks[chunk];
	const uint16_t *cell = c->cells[rule];
	uint32_t	places = tag_sets_wide(sets) ? c->count : CRM_CHUNK_IDS;
	uint32_t	at = 0;
	uint32_t	present = 0;
	uint32_t	highest = 0;
	uint32_t   *count;

	if (cell == NULL)
		return 0;
	/* counting sort by code; within a code the places stay in ascending order of id */
	for (uint32_t i = 0; i < places; i++)
		if (cell[i] > highest)
			highest = cell[i];
	if (room_for(sets, &sets->by_code, &sets->by_code_room, places) != CRM_OK ||
		room_for(sets, &sets->code_start, &sets->code_room, 2 * (highest + 2)) != CRM_OK)
		return -1;
	count = sets->code_start + highest + 2;
	memset(count, 0, (highest + 1) * sizeof(uint32_t));
	for (uint32_t i = 0; i < places; i++)
		count[cell[i]]++;
	for (uint32_t code = 1; code <= highest; code++)
		if (count[code] != 0)
		{
			uint32_t	n = count[code];

			codes[present] = (uint16_t) code;
			sets->code_start[present++] = at;
			count[code] = at;
			at += n;
		}
	sets->code_start[present] = at;
	for (uint32_t i = 0; i < places; i++)
	{
		uint32_t	place = c->order != NULL ? c->order[i] : i;

		if (cell[place] != 0)
			sets->by_code[count[cell[place]]++] = place;
	}
	return (int) present;
}

size_t
crm_tag_sets_encode_code(crm_tag_sets *sets, int chunk, int present, uint8_t *out, uint32_t *members)
{
	tag_chunk  *c = sets->chunks[chunk];
	uint32_t	from = sets->code_start[present];
	uint32_t	to = sets->code_start[present + 1];

	*members = to - from;
	if (tag_sets_wide(sets))
	{
		crm_wide_writer writer;

		crm_wide_begin(&writer, out);
		for (uint32_t i = from; i < to; i++)
			crm_wide_put(&writer, c->offsets[sets->by_code[i]]);
		return crm_wide_size(&writer);
	}
	else
	{
		uint64_t	words[CRM_CHUNK_WORDS];

		memset(words, 0, sizeof(words));
		for (uint32_t i = from; i < to; i++)
			words[sets->by_code[i] >> 6] |= UINT64_C(1) << (sets->by_code[i] & 63);
		return crm_chunk_encode(words, out);
	}
}
