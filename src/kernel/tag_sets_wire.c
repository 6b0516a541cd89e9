/*
 * tag_sets_wire.c - sets under construction as bytes, for parallel workers and
 * other nodes.
 *
 * u32 bits, u32 rules, u64 customers, u8 duplicate flag, u64 duplicate,
 * u32 chunks; then each chunk: u32 scope, u64 key, u32 customers, and
 *   dense: its customers as a stored chunk (u16 size, bytes)
 *   wide:  u64 offset of each customer
 * and for each rule that holds for somebody: u32 rule number + 1 and
 *   boolean, dense: a stored chunk (u16 size, bytes)
 *   boolean, wide:  one bit a customer, in whole u64
 *   text:           u32 pairs, then (u32 place, u16 code) of each
 *   numeric:        u32 scale, u32 slices, then each slice as a boolean's set
 * and u32 0 at the end of the chunk.
 */
#include "kernel/tag_sets_private.h"

typedef struct wire
{
	const crm_env *env;
	uint8_t    *data;
	size_t		used;
	size_t		room;
} wire;

static crm_status
reserve(wire *w, size_t more)
{
	size_t		room = w->room;
	uint8_t    *data;

	if (w->used + more <= room)
		return CRM_OK;
	while (room < w->used + more)
		room *= 2;
	data = w->env->resize(w->env->arg, w->data, w->room, room);
	if (data == NULL)
		return CRM_NO_MEMORY;
	w->data = data;
	w->room = room;
	return CRM_OK;
}

static void
put32(wire *w, uint32_t v)
{
	crm_store32(w->data + w->used, v);
	w->used += 4;
}

static void
put64(wire *w, uint64_t v)
{
	crm_store64(w->data + w->used, v);
	w->used += 8;
}

static crm_status
put_dense(wire *w, const uint64_t *words)
{
	size_t		size;

	CRM_TRY(reserve(w, 2 + CRM_CHUNK_MAX));
	size = crm_chunk_encode(words, w->data + w->used + 2);
	crm_store16(w->data + w->used, (uint16_t) size);
	w->used += 2 + size;
	return CRM_OK;
}

static crm_status
put_codes(wire *w, const uint16_t *codes, uint32_t places)
{
	size_t		at = w->used;
	uint32_t	pairs = 0;

	CRM_TRY(reserve(w, 4 + (size_t) places * 6));
	w->used += 4;
	for (uint32_t i = 0; i < places; i++)
		if (codes[i] != 0)
		{
			put32(w, i);
			crm_store16(w->data + w->used, codes[i]);
			w->used += 2;
			pairs++;
		}
	crm_store32(w->data + at, pairs);
	return CRM_OK;
}

/* One bit a place. */
static crm_status
put_bits(wire *w, const uint64_t *bits, uint32_t places, bool wide)
{
	if (!wide)
		return put_dense(w, bits);
	CRM_TRY(reserve(w, (size_t) places / 8 + 8));
	for (uint32_t i = 0; i < (places + 63) / 64; i++)
		put64(w, bits[i]);
	return CRM_OK;
}

static crm_status
put_numbers(wire *w, const number_cell *cell, uint32_t places, bool wide)
{
	CRM_TRY(reserve(w, 8));
	put32(w, cell->scale);
	put32(w, (uint32_t) cell->used);
	for (int i = 0; i < cell->used; i++)
	{
		/* a slice where nobody is: as many zeros as the one of those who have a number is long */
		if (cell->slice[i] != NULL)
			CRM_TRY(put_bits(w, cell->slice[i], places, wide));
		else if (wide)
			for (uint32_t k = 0; k < (places + 63) / 64; k++)
			{
				CRM_TRY(reserve(w, 8));
				put64(w, 0);
			}
		else
		{
			CRM_TRY(reserve(w, 2));
			crm_store16(w->data + w->used, 0);
			w->used += 2;
		}
	}
	return CRM_OK;
}

static crm_status
put_chunk(wire *w, const crm_tag_sets *sets, const tag_chunk *chunk)
{
	bool		wide = tag_sets_wide(sets);
	uint32_t	places = wide ? chunk->count : CRM_CHUNK_IDS;

	CRM_TRY(reserve(w, 16 + (wide ? (size_t) places * 8 : 0)));
	put32(w, chunk->scope);
	put64(w, chunk->key);
	put32(w, chunk->count);
	if (wide)
		for (uint32_t i = 0; i < places; i++)
			put64(w, chunk->offsets[i]);
	else
		CRM_TRY(put_dense(w, chunk->seen));
	for (int rule = 0; rule < sets->rules; rule++)
	{
		if (chunk->cells[rule] == NULL)
			continue;
		CRM_TRY(reserve(w, 4));
		put32(w, (uint32_t) rule + 1);
		if (sets->is_number[rule])
			CRM_TRY(put_numbers(w, chunk->cells[rule], places, wide));
		else if (sets->is_text[rule])
			CRM_TRY(put_codes(w, chunk->cells[rule], places));
		else
			CRM_TRY(put_bits(w, chunk->cells[rule], places, wide));
	}
	CRM_TRY(reserve(w, 4));
	put32(w, 0);
	return CRM_OK;
}

crm_status
crm_tag_sets_write(const crm_tag_sets *sets, uint8_t **data, size_t *size)
{
	wire		w = {&sets->env, NULL, 0, 1024};

	w.data = sets->env.alloc(sets->env.arg, w.room);
	if (w.data == NULL)
		return CRM_NO_MEMORY;
	put32(&w, (uint32_t) sets->bits);
	put32(&w, (uint32_t) sets->rules);
	put64(&w, sets->customers);
	w.data[w.used++] = sets->has_duplicate;
	put64(&w, sets->duplicate);
	put32(&w, (uint32_t) sets->chunk_count);
	for (int i = 0; i < sets->chunk_count; i++)
	{
		crm_progress(&sets->env);
		CRM_TRY(put_chunk(&w, sets, sets->chunks[i]));
	}
	*data = w.data;
	*size = w.used;
	return CRM_OK;
}

/* ---- reading --------------------------------------------------------------- */

typedef struct reader
{
	const uint8_t *p;
	size_t		left;
} reader;

#define NEED(r, n) \
	do { \
		if ((r)->left < (size_t) (n)) \
			return CRM_CORRUPT; \
	} while (0)

static uint32_t
get32(reader *r)
{
	uint32_t	v = crm_load32(r->p);

	r->p += 4;
	r->left -= 4;
	return v;
}

static uint64_t
get64(reader *r)
{
	uint64_t	v = crm_load64(r->p);

	r->p += 8;
	r->left -= 8;
	return v;
}

static crm_status
get_dense(reader *r, uint64_t *words)
{
	size_t		size;

	NEED(r, 2);
	size = crm_load16(r->p);
	r->p += 2;
	r->left -= 2;
	/* an empty set has no bytes: a rule's cell may be allocated and then stay empty */
	if (size == 0)
	{
		memset(words, 0, CRM_CHUNK_WORDS * sizeof(uint64_t));
		return CRM_OK;
	}
	NEED(r, size);
	CRM_TRY(crm_chunk_decode(r->p, size, words));
	r->p += size;
	r->left -= size;
	return CRM_OK;
}

static crm_status
get_codes(reader *r, uint16_t *codes, uint32_t places, uint32_t limit)
{
	uint32_t	pairs;
	int64_t		previous = -1;

	NEED(r, 4);
	pairs = get32(r);
	NEED(r, (uint64_t) pairs * 6);
	while (pairs-- > 0)
	{
		uint32_t	place = get32(r);
		uint16_t	code = crm_load16(r->p);

		r->p += 2;
		r->left -= 2;
		if (place >= places || (int64_t) place <= previous || code == 0 || code > limit)
			return CRM_CORRUPT;
		codes[place] = code;
		previous = place;
	}
	return CRM_OK;
}

/* A bit is set only where a customer is. */
static bool
is_within(const uint64_t *bits, const tag_chunk *chunk, bool wide, uint32_t places)
{
	if (wide)
		return places % 64 == 0 || (bits[places / 64] >> (places % 64)) == 0;
	for (int i = 0; i < CRM_CHUNK_WORDS; i++)
		if ((bits[i] & ~chunk->seen[i]) != 0)
			return false;
	return true;
}

static crm_status
get_bits(reader *r, uint64_t *bits, const tag_chunk *chunk, bool wide, uint32_t places)
{
	if (wide)
	{
		uint32_t	words = (places + 63) / 64;

		NEED(r, (uint64_t) words * 8);
		for (uint32_t i = 0; i < words; i++)
			bits[i] = get64(r);
	}
	else
		CRM_TRY(get_dense(r, bits));
	return is_within(bits, chunk, wide, places) ? CRM_OK : CRM_CORRUPT;
}

/* Only who has a number has bits of it. */
static crm_status
get_numbers(reader *r, crm_tag_sets *sets, const tag_chunk *chunk, number_cell *cell, bool wide, uint32_t places)
{
	uint32_t	words = wide ? (places + 63) / 64 : CRM_CHUNK_WORDS;
	uint32_t	slices;

	NEED(r, 8);
	cell->scale = get32(r);
	slices = get32(r);
	if (cell->scale > CRM_TAG_SCALE || slices > CRM_TAG_SLICES)
		return CRM_CORRUPT;
	for (uint32_t i = 0; i < slices; i++)
	{
		uint64_t   *slice;

		CRM_TRY(tag_numbers_slice(sets, chunk, cell, (int) i, &slice));
		CRM_TRY(get_bits(r, slice, chunk, wide, places));
		for (uint32_t k = 0; k < words; k++)
			if ((slice[k] & ~cell->slice[0][k]) != 0)
				return CRM_CORRUPT;
	}
	return CRM_OK;
}

static crm_status
get_chunk(reader *r, crm_tag_sets *sets, uint32_t scopes, const uint32_t *codes)
{
	bool		wide = tag_sets_wide(sets);
	uint32_t	scope;
	uint64_t	key;
	uint32_t	count;
	uint32_t	places;
	uint32_t	previous = 0;
	int			before = sets->chunk_count;
	tag_chunk  *chunk;

	NEED(r, 16);
	scope = get32(r);
	key = get64(r);
	count = get32(r);
	if (scope >= scopes || key >> (63 - sets->bits) != 0 || count == 0 ||
		(!wide && count > CRM_CHUNK_IDS))
		return CRM_CORRUPT;
	if (wide)
		NEED(r, (uint64_t) count * 8);
	CRM_TRY(tag_sets_find_chunk(sets, scope, key, &chunk));
	if (sets->chunk_count == before)
		return CRM_CORRUPT;		/* twice the same chunk */
	if (wide)
	{
		CRM_TRY(tag_sets_reserve(sets, chunk, count));
		for (uint32_t i = 0; i < count; i++)
		{
			chunk->offsets[i] = get64(r);
			if (chunk->offsets[i] >> sets->bits != 0)
				return CRM_CORRUPT;
		}
	}
	else
	{
		uint32_t	seen = 0;

		CRM_TRY(get_dense(r, chunk->seen));
		for (int i = 0; i < CRM_CHUNK_WORDS; i++)
			seen += (uint32_t) crm_popcount64(chunk->seen[i]);
		if (seen != count)
			return CRM_CORRUPT;
	}
	chunk->count = count;
	places = wide ? count : CRM_CHUNK_IDS;

	for (;;)
	{
		uint32_t	rule;
		void	   *cell;

		NEED(r, 4);
		rule = get32(r);
		if (rule == 0)
			return CRM_OK;
		if (rule <= previous || rule > (uint32_t) sets->rules)
			return CRM_CORRUPT;
		previous = rule;
		rule--;
		CRM_TRY(tag_sets_cell(sets, chunk, (int) rule, &cell));
		if (sets->is_number[rule])
		{
			CRM_TRY(get_numbers(r, sets, chunk, cell, wide, places));
			continue;
		}
		if (sets->is_text[rule])
		{
			CRM_TRY(get_codes(r, cell, places, codes[rule]));
			if (!wide)
				for (uint32_t i = 0; i < places; i++)
					if (((uint16_t *) cell)[i] != 0 && ((chunk->seen[i >> 6] >> (i & 63)) & 1) == 0)
						return CRM_CORRUPT;
			continue;
		}
		CRM_TRY(get_bits(r, cell, chunk, wide, places));
	}
}

/* Where what is read goes on to. */
typedef struct merge_target
{
	crm_tag_sets *sets;
	const uint32_t *scope_map;
	uint16_t   *const *code_maps;
} merge_target;

static crm_status
read_all(crm_tag_sets *sets, const uint8_t *data, size_t size, uint32_t scopes, const uint32_t *codes, const merge_target *target)
{
	reader		r = {data, size};
	uint32_t	chunks;
	uint64_t	places = 0;

	NEED(&r, 29);
	if (get32(&r) != (uint32_t) sets->bits || get32(&r) != (uint32_t) sets->rules)
		return CRM_CORRUPT;
	sets->customers = get64(&r);
	if (*r.p > 1)
		return CRM_CORRUPT;
	sets->has_duplicate = *r.p == 1;
	r.p++;
	r.left--;
	sets->duplicate = get64(&r);
	if (!sets->has_duplicate && sets->duplicate != 0)
		return CRM_CORRUPT;
	chunks = get32(&r);
	while (chunks-- > 0)
	{
		crm_progress(&sets->env);
		CRM_TRY(get_chunk(&r, sets, scopes, codes));
		if (target != NULL)
		{
			tag_chunk  *chunk = sets->chunks[sets->chunk_count - 1];

			CRM_TRY(tag_sets_merge_chunk(target->sets, chunk, target->scope_map, target->code_maps));
			tag_sets_forget_members(sets, chunk);
		}
	}
	/* more customers than places only where one stands twice */
	for (int i = 0; i < sets->chunk_count; i++)
		places += sets->chunks[i]->count;
	if (sets->customers < places || (sets->customers > places && !sets->has_duplicate))
		return CRM_CORRUPT;
	if (r.left != 0)
		return CRM_CORRUPT;
	if (target != NULL)
		tag_sets_merge_totals(target->sets, sets);
	return CRM_OK;
}

crm_status
crm_tag_sets_read(crm_tag_sets *sets, const uint8_t *data, size_t size, uint32_t scopes, const uint32_t *codes)
{
	return read_all(sets, data, size, scopes, codes, NULL);
}

crm_status
crm_tag_sets_merge_read(crm_tag_sets *sets, const uint32_t *scope_map, uint16_t *const *code_maps,
						crm_tag_sets *empty, const uint8_t *data, size_t size, uint32_t scopes, const uint32_t *codes)
{
	merge_target target = {sets, scope_map, code_maps};

	if (sets->bits != empty->bits || sets->rules != empty->rules)
		return CRM_CORRUPT;
	return read_all(empty, data, size, scopes, codes, &target);
}
