/*
 * tag_numbers.c - the numbers of numeric rules under construction, as bit slices
 * of each chunk.
 *
 * A number stands for itself divided by 10^scale, the scale being that of the
 * chunk until all chunks get the same.  Slice 0 holds the customers who have a
 * number, slice 1 those whose number is negative, slice 2 + i those whose
 * number v, or ~v where it is negative, has bit i set.  Taking the complement
 * instead of the absolute value makes bit i of the two's complement the
 * exclusive or of slice 2 + i with the sign, without a carry, and leaves nothing
 * to be written above a number's own bits: a greater number elsewhere changes
 * nothing here.
 */
#include "kernel/tag_sets_private.h"

#include "kernel/bsi.h"

#define PRESENT 0
#define SIGN 1
#define FIRST_BIT 2

static inline bool
has_bit(const uint64_t *words, uint32_t place)
{
	return words != NULL && ((words[place >> 6] >> (place & 63)) & 1) != 0;
}

/* A slice, made when it is not there. */
crm_status
tag_numbers_slice(crm_tag_sets *sets, const tag_chunk *chunk, number_cell *cell, int i, uint64_t **slice)
{
	if (cell->slice[i] == NULL)
	{
		size_t		size = chunk->capacity / 8;

		cell->slice[i] = sets->env.alloc(sets->env.arg, size);
		if (cell->slice[i] == NULL)
			return CRM_NO_MEMORY;
		memset(cell->slice[i], 0, size);
		sets->memory += size;
		if (i >= cell->used)
			cell->used = i + 1;
	}
	*slice = cell->slice[i];
	return CRM_OK;
}

void
tag_numbers_release(crm_tag_sets *sets, number_cell *cell, uint32_t capacity)
{
	for (int i = 0; i < cell->used; i++)
		if (cell->slice[i] != NULL)
		{
			sets->env.release(sets->env.arg, cell->slice[i]);
			sets->memory -= capacity / 8;
		}
}

static crm_int128
number_at(const number_cell *cell, uint32_t place)
{
	crm_uint128 bits = 0;

	for (int i = cell->used - 1; i >= FIRST_BIT; i--)
		bits = bits << 1 | has_bit(cell->slice[i], place);
	return (crm_int128) (has_bit(cell->slice[SIGN], place) ? ~bits : bits);
}

void
tag_numbers_get(const number_cell *cell, uint32_t place, crm_tag_number *number)
{
	crm_int128	value;

	number->present = has_bit(cell->slice[PRESENT], place);
	if (!number->present)
		return;
	value = number_at(cell, place);
	number->low = (uint64_t) (crm_uint128) value;
	number->high = (int64_t) (value >> 64);
	number->scale = (uint8_t) cell->scale;
}

/* At a place where none of the cell's bits is set yet. */
static crm_status
put_number(crm_tag_sets *sets, const tag_chunk *chunk, number_cell *cell, uint32_t place, crm_int128 value)
{
	crm_uint128 bits = (crm_uint128) (value < 0 ? ~value : value);
	uint64_t	mask = UINT64_C(1) << (place & 63);
	uint64_t   *slice;

	CRM_TRY(tag_numbers_slice(sets, chunk, cell, PRESENT, &slice));
	slice[place >> 6] |= mask;
	if (value < 0)
	{
		CRM_TRY(tag_numbers_slice(sets, chunk, cell, SIGN, &slice));
		slice[place >> 6] |= mask;
	}
	for (int half = 0; half < 2; half++)
		for (uint64_t w = (uint64_t) (bits >> (64 * half)); w != 0; w &= w - 1)
		{
			CRM_TRY(tag_numbers_slice(sets, chunk, cell, FIRST_BIT + 64 * half + crm_ctz64(w), &slice));
			slice[place >> 6] |= mask;
		}
	return CRM_OK;
}

static inline uint32_t
places_of(const crm_tag_sets *sets, const tag_chunk *chunk)
{
	return tag_sets_wide(sets) ? chunk->count : CRM_CHUNK_IDS;
}

/* Brings a chunk's numbers to a scale that is not smaller; CRM_OUT_OF_RANGE, and nothing changed, when one would not fit. */
static crm_status
scale_cell(crm_tag_sets *sets, const tag_chunk *chunk, number_cell *cell, uint32_t scale)
{
	uint32_t	digits = scale - cell->scale;
	uint32_t	places = places_of(sets, chunk);

	for (int pass = 0; pass < 2 && digits > 0; pass++)
		for (uint32_t place = 0; place < places; place++)
		{
			crm_int128	value;

			if (!has_bit(cell->slice[PRESENT], place))
				continue;
			value = number_at(cell, place);
			if (!crm_bsi_scale_up(&value, digits))
				return CRM_OUT_OF_RANGE;
			if (pass == 0)
				continue;
			for (int i = 0; i < cell->used; i++)
				if (cell->slice[i] != NULL)
					cell->slice[i][place >> 6] &= ~(UINT64_C(1) << (place & 63));
			CRM_TRY(put_number(sets, chunk, cell, place, value));
		}
	cell->scale = scale;
	return CRM_OK;
}

static crm_status
add_number(crm_tag_sets *sets, const tag_chunk *chunk, number_cell *cell, uint32_t place, crm_int128 value, uint32_t scale)
{
	/* a customer met twice is an error later on; his first number stays */
	if (has_bit(cell->slice[PRESENT], place))
		return CRM_OK;
	if (scale > cell->scale)
		CRM_TRY(scale_cell(sets, chunk, cell, scale));
	else if (!crm_bsi_scale_up(&value, cell->scale - scale))
		return CRM_OUT_OF_RANGE;
	return put_number(sets, chunk, cell, place, value);
}

void
crm_tag_sets_set_numeric(crm_tag_sets *sets, int rule)
{
	sets->is_number[rule] = true;
}

crm_status
crm_tag_sets_add_numbers(crm_tag_sets *sets, int rule, const crm_tag_number *numbers)
{
	for (int i = 0; i < sets->rows; i++)
	{
		void	   *cell;

		if (!numbers[i].present)
			continue;
		CRM_TRY(tag_sets_cell(sets, sets->row_chunk[i], rule, &cell));
		CRM_TRY(add_number(sets, sets->row_chunk[i], cell, sets->row_place[i],
						   crm_tag_number_value(&numbers[i]), numbers[i].scale));
	}
	return CRM_OK;
}

/* Room for more customers of a wide chunk. */
crm_status
tag_numbers_grow(crm_tag_sets *sets, number_cell *cell, uint32_t old_capacity, uint32_t capacity)
{
	for (int i = 0; i < cell->used; i++)
	{
		uint64_t   *slice;

		if (cell->slice[i] == NULL)
			continue;
		slice = sets->env.resize(sets->env.arg, cell->slice[i], old_capacity / 8, capacity / 8);
		if (slice == NULL)
			return CRM_NO_MEMORY;
		memset((char *) slice + old_capacity / 8, 0, (capacity - old_capacity) / 8);
		sets->memory += (capacity - old_capacity) / 8;
		cell->slice[i] = slice;
	}
	return CRM_OK;
}

/* Adds a chunk's numbers, the places shifted. */
crm_status
tag_numbers_merge(crm_tag_sets *sets, const tag_chunk *to, number_cell *target,
				  const tag_chunk *from, const number_cell *source, uint32_t shift)
{
	uint32_t	places = places_of(sets, from);

	if (target->used == 0)
		target->scale = source->scale;
	if (target->scale == source->scale)
	{
		for (int i = 0; i < source->used; i++)
		{
			uint64_t   *slice;

			if (source->slice[i] == NULL)
				continue;
			CRM_TRY(tag_numbers_slice(sets, to, target, i, &slice));
			tag_sets_or_bits(slice, shift, source->slice[i], 0, places, from->capacity / 64);
		}
		return CRM_OK;
	}
	for (uint32_t place = 0; place < places; place++)
		if (has_bit(source->slice[PRESENT], place))
			CRM_TRY(add_number(sets, to, target, place + shift, number_at(source, place), source->scale));
	return CRM_OK;
}

/* Would every number of the cell fit at this scale?  Its highest bit tells nearly so, and on the safe side. */
static bool
surely_fits(const number_cell *cell, uint32_t scale)
{
	int			bits = cell->used > FIRST_BIT ? cell->used - FIRST_BIT : 0;

	/* a factor of ten takes less than 10/3 bits and a bit of rounding */
	return scale <= cell->scale || bits + ((scale - cell->scale) * 10 + 2) / 3 + 1 <= 126;
}

crm_status
crm_tag_sets_same_scale(crm_tag_sets *sets, int rule, uint32_t wanted, uint32_t *scale)
{
	bool		fits = true;

	*scale = 0;
	for (int c = 0; c < sets->chunk_count; c++)
	{
		const number_cell *cell = sets->chunks[c]->cells[rule];

		if (cell == NULL)
			continue;
		if (cell->scale > *scale)
			*scale = cell->scale;
		fits &= surely_fits(cell, wanted);
	}
	if (fits && wanted > *scale)
		*scale = wanted;
	for (int c = 0; c < sets->chunk_count; c++)
	{
		crm_progress(&sets->env);
		if (sets->chunks[c]->cells[rule] != NULL)
			CRM_TRY(scale_cell(sets, sets->chunks[c], sets->chunks[c]->cells[rule], *scale));
	}
	return CRM_OK;
}

int
crm_tag_sets_slices(const crm_tag_sets *sets, int chunk, int rule)
{
	const number_cell *cell = sets->chunks[chunk]->cells[rule];

	return cell == NULL ? 0 : cell->used;
}

size_t
crm_tag_sets_encode_slice(crm_tag_sets *sets, int chunk, int rule, int slice, uint8_t *out, uint32_t *members)
{
	const number_cell *cell = sets->chunks[chunk]->cells[rule];

	*members = 0;
	if (cell == NULL || slice >= cell->used || cell->slice[slice] == NULL)
		return 0;
	return tag_sets_encode_bits(sets, chunk, cell->slice[slice], out, members);
}
