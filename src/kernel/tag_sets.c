/*
 * tag_sets.c - filling and merging sets under construction.
 */
#include "kernel/tag_sets_private.h"

#define WIDE_FIRST_ROOM 64

static crm_status
take(crm_tag_sets *sets, size_t size, bool zero, void *out)
{
	void	   *p = sets->env.alloc(sets->env.arg, size);

	if (p == NULL)
		return CRM_NO_MEMORY;
	if (zero)
		memset(p, 0, size);
	sets->memory += size;
	*(void **) out = p;
	return CRM_OK;
}

static crm_status
grow(crm_tag_sets *sets, size_t old_size, size_t new_size, void *inout)
{
	void	   *p = sets->env.resize(sets->env.arg, *(void **) inout, old_size, new_size);

	if (p == NULL)
		return CRM_NO_MEMORY;
	memset((char *) p + old_size, 0, new_size - old_size);
	sets->memory += new_size - old_size;
	*(void **) inout = p;
	return CRM_OK;
}

crm_status
crm_tag_sets_new(const crm_env *env, int chunk_bits, int rules, const bool *is_text, crm_tag_sets **out)
{
	crm_tag_sets *sets = env->alloc(env->arg, sizeof(crm_tag_sets));

	if (sets == NULL)
		return CRM_NO_MEMORY;
	memset(sets, 0, sizeof(*sets));
	sets->env = *env;
	sets->bits = chunk_bits;
	sets->rules = rules;
	sets->memory = sizeof(*sets);
	if (chunk_bits < CRM_CHUNK_BITS || chunk_bits > 62 || rules < 0)
		return CRM_OUT_OF_RANGE;
	CRM_TRY(take(sets, (size_t) rules + 1, true, &sets->is_text));
	CRM_TRY(take(sets, (size_t) rules + 1, true, &sets->is_number));
	for (int i = 0; i < rules; i++)
		sets->is_text[i] = is_text[i];
	sets->table_size = 256;
	CRM_TRY(take(sets, sets->table_size * sizeof(uint32_t), true, &sets->table));
	sets->chunk_room = 64;
	CRM_TRY(take(sets, sets->chunk_room * sizeof(tag_chunk *), true, &sets->chunks));
	*out = sets;
	return CRM_OK;
}

uint64_t
crm_tag_sets_customers(const crm_tag_sets *sets)
{
	return sets->customers;
}

size_t
crm_tag_sets_memory(const crm_tag_sets *sets)
{
	return sets->memory;
}

void
tag_sets_note_duplicate(crm_tag_sets *sets, uint64_t id)
{
	if (!sets->has_duplicate || id < sets->duplicate)
		sets->duplicate = id;
	sets->has_duplicate = true;
}

static uint32_t
chunk_hash(uint32_t scope, uint64_t key)
{
	uint64_t	h = (key + 1) * UINT64_C(0x9E3779B97F4A7C15) ^ (uint64_t) scope * UINT64_C(0xC2B2AE3D27D4EB4F);

	return (uint32_t) (h >> 32);
}

static crm_status
grow_table(crm_tag_sets *sets)
{
	uint32_t	size = sets->table_size * 2;
	uint32_t   *table;

	CRM_TRY(take(sets, size * sizeof(uint32_t), true, &table));
	for (int i = 0; i < sets->chunk_count; i++)
	{
		uint32_t	at = chunk_hash(sets->chunks[i]->scope, sets->chunks[i]->key) & (size - 1);

		while (table[at] != 0)
			at = (at + 1) & (size - 1);
		table[at] = (uint32_t) i + 1;
	}
	sets->env.release(sets->env.arg, sets->table);
	sets->memory -= sets->table_size * sizeof(uint32_t);
	sets->table = table;
	sets->table_size = size;
	return CRM_OK;
}

crm_status
tag_sets_find_chunk(crm_tag_sets *sets, uint32_t scope, uint64_t key, tag_chunk **out)
{
	uint32_t	at;
	tag_chunk  *chunk;

	if (sets->last != NULL && sets->last->key == key && sets->last->scope == scope)
	{
		*out = sets->last;
		return CRM_OK;
	}
	at = chunk_hash(scope, key) & (sets->table_size - 1);
	while (sets->table[at] != 0)
	{
		chunk = sets->chunks[sets->table[at] - 1];
		if (chunk->key == key && chunk->scope == scope)
		{
			*out = sets->last = chunk;
			return CRM_OK;
		}
		at = (at + 1) & (sets->table_size - 1);
	}

	if ((uint32_t) sets->chunk_count * 2 >= sets->table_size)
	{
		CRM_TRY(grow_table(sets));
		at = chunk_hash(scope, key) & (sets->table_size - 1);
		while (sets->table[at] != 0)
			at = (at + 1) & (sets->table_size - 1);
	}
	if (sets->chunk_count == sets->chunk_room)
	{
		CRM_TRY(grow(sets, sets->chunk_room * sizeof(tag_chunk *),
					 2 * sets->chunk_room * sizeof(tag_chunk *), &sets->chunks));
		sets->chunk_room *= 2;
	}
	CRM_TRY(take(sets, sizeof(tag_chunk), true, &chunk));
	chunk->key = key;
	chunk->scope = scope;
	CRM_TRY(take(sets, ((size_t) sets->rules + 1) * sizeof(void *), true, &chunk->cells));
	if (tag_sets_wide(sets))
	{
		chunk->capacity = WIDE_FIRST_ROOM;
		CRM_TRY(take(sets, chunk->capacity * sizeof(uint64_t), false, &chunk->offsets));
	}
	else
	{
		chunk->capacity = CRM_CHUNK_IDS;
		CRM_TRY(take(sets, CRM_CHUNK_IDS / 8, true, &chunk->seen));
	}
	sets->chunks[sets->chunk_count++] = chunk;
	sets->table[at] = (uint32_t) sets->chunk_count;
	*out = sets->last = chunk;
	return CRM_OK;
}

static inline size_t
cell_size(const crm_tag_sets *sets, int rule, uint32_t capacity)
{
	if (sets->is_number[rule])
		return sizeof(number_cell);
	return sets->is_text[rule] ? (size_t) capacity * sizeof(uint16_t) : capacity / 8;
}

crm_status
tag_sets_cell(crm_tag_sets *sets, tag_chunk *chunk, int rule, void **cell)
{
	if (chunk->cells[rule] == NULL)
		CRM_TRY(take(sets, cell_size(sets, rule, chunk->capacity), true, &chunk->cells[rule]));
	*cell = chunk->cells[rule];
	return CRM_OK;
}

void
tag_sets_forget_members(crm_tag_sets *sets, tag_chunk *chunk)
{
	for (int rule = 0; rule < sets->rules; rule++)
	{
		if (chunk->cells[rule] == NULL)
			continue;
		if (sets->is_number[rule])
			tag_numbers_release(sets, chunk->cells[rule], chunk->capacity);
		sets->env.release(sets->env.arg, chunk->cells[rule]);
		sets->memory -= cell_size(sets, rule, chunk->capacity);
	}
	sets->env.release(sets->env.arg, chunk->cells);
	sets->env.release(sets->env.arg, tag_sets_wide(sets) ? chunk->offsets : chunk->seen);
	sets->memory -= ((size_t) sets->rules + 1) * sizeof(void *) +
		(tag_sets_wide(sets) ? (size_t) chunk->capacity * sizeof(uint64_t) : CRM_CHUNK_IDS / 8);
	chunk->cells = NULL;
	chunk->offsets = NULL;
	chunk->seen = NULL;
}

/* Room in a wide chunk for that many customers. */
crm_status
tag_sets_reserve(crm_tag_sets *sets, tag_chunk *chunk, uint32_t customers)
{
	uint32_t	capacity = chunk->capacity;

	if (customers <= capacity)
		return CRM_OK;
	if (customers > UINT32_MAX / 4)
		return CRM_LIMIT;
	while (capacity < customers)
		capacity *= 2;
	CRM_TRY(grow(sets, chunk->capacity * sizeof(uint64_t), capacity * sizeof(uint64_t), &chunk->offsets));
	for (int rule = 0; rule < sets->rules; rule++)
	{
		if (chunk->cells[rule] == NULL)
			continue;
		if (sets->is_number[rule])
			CRM_TRY(tag_numbers_grow(sets, chunk->cells[rule], chunk->capacity, capacity));
		else
			CRM_TRY(grow(sets, cell_size(sets, rule, chunk->capacity),
						 cell_size(sets, rule, capacity), &chunk->cells[rule]));
	}
	chunk->capacity = capacity;
	return CRM_OK;
}

crm_status
crm_tag_sets_place(crm_tag_sets *sets, const uint32_t *scopes, const uint64_t *ids, int rows)
{
	bool		wide = tag_sets_wide(sets);
	uint64_t	mask = (UINT64_C(1) << sets->bits) - 1;
	placed_run *run = NULL;

	sets->rows = rows;
	sets->run_count = 0;
	for (int i = 0; i < rows; i++)
	{
		uint64_t	key = ids[i] >> sets->bits;
		tag_chunk  *chunk = sets->last;
		uint32_t	place;

		if (chunk == NULL || chunk->key != key || chunk->scope != scopes[i])
			CRM_TRY(tag_sets_find_chunk(sets, scopes[i], key, &chunk));
		if (wide)
		{
			CRM_TRY(tag_sets_reserve(sets, chunk, chunk->count + 1));
			place = chunk->count;
			chunk->offsets[place] = ids[i] & mask;
		}
		else
		{
			uint64_t	bit = UINT64_C(1) << (ids[i] & 63);
			uint64_t   *word;

			place = (uint32_t) (ids[i] & mask);
			word = &chunk->seen[place >> 6];
			if (*word & bit)
			{
				tag_sets_note_duplicate(sets, ids[i]);
				chunk->count--;
			}
			*word |= bit;
		}
		chunk->count++;
		sets->row_chunk[i] = chunk;
		sets->row_place[i] = place;
		if (run != NULL && run->chunk == chunk && run->place + run->length == place)
			run->length++;
		else
		{
			run = &sets->runs[sets->run_count++];
			run->chunk = chunk;
			run->row = (uint32_t) i;
			run->length = 1;
			run->place = place;
		}
	}
	sets->customers += (uint64_t) rows;
	return CRM_OK;
}

/* 64 bits of a row of words from any bit on. */
static inline uint64_t
bits_at(const uint64_t *words, uint32_t bit, uint32_t end_word)
{
	uint32_t	word = bit >> 6;
	uint32_t	shift = bit & 63;
	uint64_t	v = words[word] >> shift;

	if (shift != 0 && word + 1 < end_word)
		v |= words[word + 1] << (64 - shift);
	return v;
}

void
tag_sets_or_bits(uint64_t *target, uint32_t to, const uint64_t *source, uint32_t from,
				 uint32_t length, uint32_t source_words)
{
	while (length > 0)
	{
		uint32_t	room = 64 - (to & 63);
		uint32_t	n = length < room ? length : room;
		uint64_t	v = bits_at(source, from, source_words);

		if (n < 64)
			v &= (UINT64_C(1) << n) - 1;
		target[to >> 6] |= v << (to & 63);
		to += n;
		from += n;
		length -= n;
	}
}

static bool
any_bit(const uint64_t *words, uint32_t from, uint32_t length, uint32_t end_word)
{
	while (length > 0)
	{
		uint32_t	n = length < 64 ? length : 64;
		uint64_t	v = bits_at(words, from, end_word);

		if (n < 64)
			v &= (UINT64_C(1) << n) - 1;
		if (v != 0)
			return true;
		from += n;
		length -= n;
	}
	return false;
}

crm_status
crm_tag_sets_add_truth(crm_tag_sets *sets, int rule, const uint64_t *truth)
{
	int			words = (sets->rows + 63) / 64;

	/* long runs go word by word, scattered customers one by one */
	if (sets->run_count * 16 <= sets->rows)
	{
		for (int r = 0; r < sets->run_count; r++)
		{
			placed_run *run = &sets->runs[r];
			void	   *cell = run->chunk->cells[rule];

			if (cell == NULL)
			{
				if (!any_bit(truth, run->row, run->length, CRM_BATCH_WORDS))
					continue;
				CRM_TRY(tag_sets_cell(sets, run->chunk, rule, &cell));
			}
			tag_sets_or_bits(cell, run->place, truth, run->row, run->length, CRM_BATCH_WORDS);
		}
		return CRM_OK;
	}
	for (int i = 0; i < words; i++)
		for (uint64_t w = truth[i]; w != 0; w &= w - 1)
		{
			int			row = i * 64 + crm_ctz64(w);
			uint32_t	place = sets->row_place[row];
			void	   *cell = sets->row_chunk[row]->cells[rule];

			if (cell == NULL)
				CRM_TRY(tag_sets_cell(sets, sets->row_chunk[row], rule, &cell));
			((uint64_t *) cell)[place >> 6] |= UINT64_C(1) << (place & 63);
		}
	return CRM_OK;
}

crm_status
crm_tag_sets_add_codes(crm_tag_sets *sets, int rule, const uint16_t *codes)
{
	for (int i = 0; i < sets->rows; i++)
	{
		void	   *cell;

		if (codes[i] == 0)
			continue;
		cell = sets->row_chunk[i]->cells[rule];
		if (cell == NULL)
			CRM_TRY(tag_sets_cell(sets, sets->row_chunk[i], rule, &cell));
		((uint16_t *) cell)[sets->row_place[i]] = codes[i];
	}
	return CRM_OK;
}

/* ---- merging -------------------------------------------------------------- */

crm_status
tag_sets_merge_chunk(crm_tag_sets *sets, const tag_chunk *from, const uint32_t *scope_map, uint16_t *const *code_maps)
{
	bool		wide = tag_sets_wide(sets);
	uint32_t	shift = 0;
	tag_chunk  *to;

	CRM_TRY(tag_sets_find_chunk(sets, scope_map != NULL ? scope_map[from->scope] : from->scope, from->key, &to));
	if (wide)
	{
		shift = to->count;
		CRM_TRY(tag_sets_reserve(sets, to, to->count + from->count));
		memcpy(to->offsets + shift, from->offsets, from->count * sizeof(uint64_t));
		to->count += from->count;
	}
	else
	{
		uint32_t	both = 0;

		for (int i = 0; i < CRM_CHUNK_WORDS; i++)
		{
			uint64_t	twice = to->seen[i] & from->seen[i];

			if (twice != 0)
			{
				tag_sets_note_duplicate(sets, (to->key << sets->bits) + (uint64_t) i * 64 + (uint64_t) crm_ctz64(twice));
				both += (uint32_t) crm_popcount64(twice);
			}
			to->seen[i] |= from->seen[i];
		}
		to->count += from->count - both;
	}
	for (int rule = 0; rule < sets->rules; rule++)
	{
		void	   *cell;
		uint32_t	places = wide ? from->count : CRM_CHUNK_IDS;

		if (from->cells[rule] == NULL)
			continue;
		CRM_TRY(tag_sets_cell(sets, to, rule, &cell));
		if (sets->is_number[rule])
		{
			sets->crowded = rule;
			CRM_TRY(tag_numbers_merge(sets, to, cell, from, from->cells[rule], shift));
		}
		else if (sets->is_text[rule])
		{
			const uint16_t *source = from->cells[rule];
			const uint16_t *map = code_maps != NULL ? code_maps[rule] : NULL;
			uint16_t   *target = (uint16_t *) cell + shift;

			for (uint32_t i = 0; i < places; i++)
				if (source[i] != 0)
					target[i] = map != NULL ? map[source[i]] : source[i];
		}
		else
			tag_sets_or_bits(cell, shift, from->cells[rule], 0, places, from->capacity / 64);
	}
	return CRM_OK;
}

int
crm_tag_sets_crowded(const crm_tag_sets *sets)
{
	return sets->crowded;
}

void
tag_sets_merge_totals(crm_tag_sets *sets, const crm_tag_sets *other)
{
	sets->customers += other->customers;
	if (other->has_duplicate)
		tag_sets_note_duplicate(sets, other->duplicate);
}

crm_status
crm_tag_sets_merge(crm_tag_sets *sets, const crm_tag_sets *other,
				   const uint32_t *scope_map, uint16_t *const *code_maps)
{
	if (sets->bits != other->bits || sets->rules != other->rules)
		return CRM_CORRUPT;
	for (int i = 0; i < other->chunk_count; i++)
	{
		crm_progress(&sets->env);
		CRM_TRY(tag_sets_merge_chunk(sets, other->chunks[i], scope_map, code_maps));
	}
	tag_sets_merge_totals(sets, other);
	return CRM_OK;
}
