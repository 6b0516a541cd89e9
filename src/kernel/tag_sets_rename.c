/*
 * tag_sets_rename.c - sets whose customers had passing ids, such as hashes of their
 * keys, put among those of their own ids.
 */
#include "kernel/tag_sets_private.h"

/* Rows of a chunk with their new ids, and the places that they had. */
typedef struct renamed_rows
{
	int			count;
	uint64_t	ids[CRM_BATCH_ROWS];
	uint32_t	scopes[CRM_BATCH_ROWS];
	uint32_t	places[CRM_BATCH_ROWS];
} renamed_rows;

static crm_status
add_truth(crm_tag_sets *sets, int rule, const renamed_rows *rows, const uint64_t *cell)
{
	uint64_t	truth[CRM_BATCH_WORDS] = {0};

	for (int i = 0; i < rows->count; i++)
		truth[i >> 6] |= ((cell[rows->places[i] >> 6] >> (rows->places[i] & 63)) & 1) << (i & 63);
	return crm_tag_sets_add_truth(sets, rule, truth);
}

static crm_status
add_codes(crm_tag_sets *sets, int rule, const renamed_rows *rows, const uint16_t *cell, const uint16_t *map)
{
	uint16_t	codes[CRM_BATCH_ROWS];

	for (int i = 0; i < rows->count; i++)
	{
		uint16_t	code = cell[rows->places[i]];

		codes[i] = map != NULL ? map[code] : code;
	}
	return crm_tag_sets_add_codes(sets, rule, codes);
}

static crm_status
add_numbers(crm_tag_sets *sets, int rule, const renamed_rows *rows, const number_cell *cell)
{
	crm_tag_number numbers[CRM_BATCH_ROWS];

	for (int i = 0; i < rows->count; i++)
		tag_numbers_get(cell, rows->places[i], &numbers[i]);
	sets->crowded = rule;
	return crm_tag_sets_add_numbers(sets, rule, numbers);
}

static crm_status
add_rows(crm_tag_sets *sets, const tag_chunk *from, uint16_t *const *code_maps, const renamed_rows *rows)
{
	CRM_TRY(crm_tag_sets_place(sets, rows->scopes, rows->ids, rows->count));
	for (int rule = 0; rule < sets->rules; rule++)
	{
		const void *cell = from->cells[rule];

		if (cell == NULL)
			continue;
		if (sets->is_number[rule])
			CRM_TRY(add_numbers(sets, rule, rows, cell));
		else if (sets->is_text[rule])
			CRM_TRY(add_codes(sets, rule, rows, cell, code_maps != NULL ? code_maps[rule] : NULL));
		else
			CRM_TRY(add_truth(sets, rule, rows, cell));
	}
	return CRM_OK;
}

/* Stands anybody at this place of the chunk? */
static inline bool
place_taken(const crm_tag_sets *sets, const tag_chunk *chunk, uint32_t place)
{
	return tag_sets_wide(sets) || (chunk->seen[place >> 6] >> (place & 63) & 1);
}

static inline uint64_t
id_at(const crm_tag_sets *sets, const tag_chunk *chunk, uint32_t place)
{
	return (chunk->key << sets->bits) + (tag_sets_wide(sets) ? chunk->offsets[place] : place);
}

crm_status
crm_tag_sets_merge_renamed(crm_tag_sets *sets, const crm_tag_sets *other,
						   const uint32_t *scope_map, uint16_t *const *code_maps, uint64_t own,
						   bool (*rename) (void *arg, uint64_t passing, uint64_t *id), void *arg,
						   uint64_t *unknown)
{
	uint64_t	twice;

	*unknown = 0;
	if (other->rules != sets->rules || (own > 0 && other->bits != sets->bits))
		return CRM_CORRUPT;
	for (int c = 0; c < other->chunk_count; c++)
	{
		const tag_chunk *from = other->chunks[c];
		uint32_t	places = tag_sets_wide(other) ? from->count : CRM_CHUNK_IDS;
		renamed_rows rows = {0};

		crm_progress(&sets->env);
		if (from->key < own >> other->bits)
		{
			CRM_TRY(tag_sets_merge_chunk(sets, from, scope_map, code_maps));
			sets->customers += from->count;
			continue;
		}
		for (uint32_t place = 0; place < places; place++)
		{
			uint64_t	passing;
			uint64_t	id;

			if (!place_taken(other, from, place))
				continue;
			passing = id = id_at(other, from, place);
			if (passing < own || rename(arg, passing, &id))
			{
				rows.ids[rows.count] = id;
				rows.scopes[rows.count] = scope_map != NULL ? scope_map[from->scope] : from->scope;
				rows.places[rows.count++] = place;
			}
			else
				++*unknown;
			if (rows.count == CRM_BATCH_ROWS)
			{
				crm_progress(&sets->env);
				CRM_TRY(add_rows(sets, from, code_maps, &rows));
				rows.count = 0;
			}
		}
		if (rows.count > 0)
			CRM_TRY(add_rows(sets, from, code_maps, &rows));
	}
	twice = other->duplicate;
	if (other->has_duplicate && (twice < own || rename(arg, other->duplicate, &twice)))
		tag_sets_note_duplicate(sets, twice);
	return CRM_OK;
}
