/*
 * ids_set.c - union, intersection, difference and their counts, by merging
 * two cursors over the stored bytes.
 */
#include "kernel/ids_words.h"

/* Arrays whose sizes differ by more are searched, not merged. */
#define GALLOP_FROM 32
/* Merging this many containers is soon done; then interrupts are looked at. */
#define PROGRESS_EVERY 64

/* ---- counting within a pair of containers ------------------------------ */

/* The first place at or behind from whose offset is not below value. */
static uint32_t
gallop(const uint8_t *data, uint32_t from, uint32_t count, uint16_t value)
{
	uint32_t	step = 1;
	uint32_t	low = from;
	uint32_t	high;

	if (low >= count || crm_load16(data + 2 * low) >= value)
		return low;
	while (step < count - low && crm_load16(data + 2 * (low + step)) < value)
	{
		low += step;
		step *= 2;
	}
	high = step < count - low ? low + step : count;
	low++;
	while (low < high)
	{
		uint32_t	middle = (low + high) / 2;

		if (crm_load16(data + 2 * middle) < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Offsets in both arrays; written to out where it is not NULL. */
static uint32_t
array_and_array(const crm_container *a, const crm_container *b, uint16_t *out)
{
	uint32_t	i = 0;
	uint32_t	j = 0;
	uint32_t	count = 0;

	if (a->cardinality > b->cardinality)
	{
		const crm_container *swap = a;

		a = b;
		b = swap;
	}
	if (b->cardinality / GALLOP_FROM > a->cardinality)
	{
		for (; i < a->cardinality; i++)
		{
			uint16_t	value = crm_load16(a->data + 2 * i);

			j = gallop(b->data, j, b->cardinality, value);
			if (j == b->cardinality)
				break;
			if (crm_load16(b->data + 2 * j) == value)
			{
				if (out)
					out[count] = value;
				count++;
			}
		}
		return count;
	}

	/* Steps that depend on data only, not on jumps a processor would have to guess. */
	while (i < a->cardinality && j < b->cardinality)
	{
		uint16_t	x = crm_load16(a->data + 2 * i);
		uint16_t	y = crm_load16(b->data + 2 * j);

		if (out)
			out[count] = x;
		count += x == y;
		i += x <= y;
		j += y <= x;
	}
	return count;
}

static uint32_t
run_and_run(const crm_container *a, const crm_container *b)
{
	uint32_t	i = 0;
	uint32_t	j = 0;
	uint32_t	count = 0;

	while (i < a->runs && j < b->runs)
	{
		uint32_t	a_first = crm_load16(a->data + 4 * i);
		uint32_t	a_last = a_first + crm_load16(a->data + 4 * i + 2);
		uint32_t	b_first = crm_load16(b->data + 4 * j);
		uint32_t	b_last = b_first + crm_load16(b->data + 4 * j + 2);
		uint32_t	first = a_first > b_first ? a_first : b_first;
		uint32_t	last = a_last < b_last ? a_last : b_last;

		if (first <= last)
			count += last - first + 1;
		i += a_last <= b_last;
		j += b_last <= a_last;
	}
	return count;
}

static uint32_t
run_and_array(const crm_container *run, const crm_container *array)
{
	uint32_t	i = 0;
	uint32_t	count = 0;

	for (uint32_t r = 0; r < run->runs && i < array->cardinality; r++)
	{
		uint16_t	first = crm_load16(run->data + 4 * r);
		uint32_t	last = (uint32_t) first + crm_load16(run->data + 4 * r + 2);
		uint32_t	from = gallop(array->data, i, array->cardinality, first);

		i = last == 0xffff ? array->cardinality :
			gallop(array->data, from, array->cardinality, (uint16_t) (last + 1));
		count += i - from;
	}
	return count;
}

static uint32_t
run_and_bitmap(const crm_container *run, const crm_container *bitmap)
{
	uint32_t	count = 0;

	for (uint32_t r = 0; r < run->runs; r++)
	{
		uint32_t	first = crm_load16(run->data + 4 * r);

		count += crm_words_count_between(bitmap->data, first, first + crm_load16(run->data + 4 * r + 2));
	}
	return count;
}

static uint32_t
array_and_bitmap(const crm_container *array, const crm_container *bitmap)
{
	uint32_t	count = 0;

	for (uint32_t i = 0; i < array->cardinality; i++)
	{
		uint16_t	offset = crm_load16(array->data + 2 * i);

		count += (bitmap->data[offset >> 3] >> (offset & 7)) & 1;
	}
	return count;
}

uint32_t
crm_container_and_count(const crm_container *a, const crm_container *b)
{
	/* A full container leaves the other as it is. */
	if (a->cardinality == CRM_CONTAINER_BITS)
		return b->cardinality;
	if (b->cardinality == CRM_CONTAINER_BITS)
		return a->cardinality;
	if (a->kind > b->kind)
	{
		const crm_container *swap = a;

		a = b;
		b = swap;
	}
	switch (a->kind)
	{
		case CRM_ARRAY:
			if (b->kind == CRM_ARRAY)
				return array_and_array(a, b, NULL);
			return b->kind == CRM_BITMAP ? array_and_bitmap(a, b) : run_and_array(b, a);
		case CRM_BITMAP:
			return b->kind == CRM_BITMAP ? crm_words_and_count(a->data, b->data) : run_and_bitmap(b, a);
		case CRM_RUN:
			break;
	}
	return run_and_run(a, b);
}

/* ---- questions to two sets ----------------------------------------------- */

uint64_t
crm_ids_and_count(const crm_env *env, crm_ids a, crm_ids b)
{
	crm_ids_cursor x;
	crm_ids_cursor y;
	uint64_t	count = 0;
	uint32_t	steps = 0;

	crm_ids_first(&x, a);
	crm_ids_first(&y, b);
	while (x.valid && y.valid)
	{
		if (++steps % PROGRESS_EVERY == 0)
			crm_progress(env);
		if (x.current.key < y.current.key)
			crm_ids_advance(&x, y.current.key);
		else if (x.current.key > y.current.key)
			crm_ids_advance(&y, x.current.key);
		else
		{
			count += crm_container_and_count(&x.current, &y.current);
			crm_ids_next(&x);
			crm_ids_next(&y);
		}
	}
	return count;
}

bool
crm_ids_intersects(crm_ids a, crm_ids b)
{
	crm_ids_cursor x;
	crm_ids_cursor y;

	crm_ids_first(&x, a);
	crm_ids_first(&y, b);
	while (x.valid && y.valid)
	{
		if (x.current.key < y.current.key)
			crm_ids_advance(&x, y.current.key);
		else if (x.current.key > y.current.key)
			crm_ids_advance(&y, x.current.key);
		else
		{
			if (crm_container_and_count(&x.current, &y.current) > 0)
				return true;
			crm_ids_next(&x);
			crm_ids_next(&y);
		}
	}
	return false;
}

bool
crm_ids_is_subset(crm_ids a, crm_ids b)
{
	crm_ids_cursor x;
	crm_ids_cursor y;

	crm_ids_first(&x, a);
	crm_ids_first(&y, b);
	for (; x.valid; crm_ids_next(&x))
	{
		crm_ids_advance(&y, x.current.key);
		if (!y.valid || y.current.key != x.current.key ||
			x.current.cardinality > y.current.cardinality ||
			crm_container_and_count(&x.current, &y.current) != x.current.cardinality)
			return false;
	}
	return true;
}

/* ---- building the result --------------------------------------------------- */

/* Scratch of one set operation. */
typedef struct scratch
{
	uint64_t	a[CRM_CONTAINER_WORDS];
	uint64_t	b[CRM_CONTAINER_WORDS];
	uint16_t	offsets[2 * CRM_ARRAY_MAX];
} scratch;

/* Union, difference and symmetric difference of two arrays. */
static uint32_t
merge_arrays(crm_ids_op op, const crm_container *a, const crm_container *b, uint16_t *out)
{
	uint32_t	i = 0;
	uint32_t	j = 0;
	uint32_t	count = 0;

	while (i < a->cardinality && j < b->cardinality)
	{
		uint16_t	x = crm_load16(a->data + 2 * i);
		uint16_t	y = crm_load16(b->data + 2 * j);

		if (x < y)
		{
			out[count++] = x;
			i++;
		}
		else if (y < x)
		{
			if (op != CRM_ANDNOT)
				out[count++] = y;
			j++;
		}
		else
		{
			if (op == CRM_OR)
				out[count++] = x;
			i++;
			j++;
		}
	}
	for (; i < a->cardinality; i++)
		out[count++] = crm_load16(a->data + 2 * i);
	for (; op != CRM_ANDNOT && j < b->cardinality; j++)
		out[count++] = crm_load16(b->data + 2 * j);
	return count;
}

/* The offsets of an array that another container has, or has not. */
static uint32_t
filter_array(const crm_container *array, const crm_container *by, bool keep, uint16_t *out)
{
	uint32_t	count = 0;

	for (uint32_t i = 0; i < array->cardinality; i++)
	{
		uint16_t	offset = crm_load16(array->data + 2 * i);

		out[count] = offset;
		count += crm_container_contains(by, offset) == keep;
	}
	return count;
}

static crm_status
combine_containers(crm_ids_op op, const crm_container *a, const crm_container *b,
				   crm_ids_builder *out, scratch *s)
{
	uint32_t	count;

	/* A full container settles union, intersection and difference. */
	if (b->cardinality == CRM_CONTAINER_BITS && op != CRM_XOR)
	{
		if (op == CRM_ANDNOT)
			return CRM_OK;
		return crm_ids_builder_copy(out, op == CRM_OR ? b : a);
	}
	if (a->cardinality == CRM_CONTAINER_BITS && (op == CRM_OR || op == CRM_AND))
		return crm_ids_builder_copy(out, op == CRM_OR ? a : b);

	if (a->kind == CRM_ARRAY && b->kind == CRM_ARRAY)
	{
		count = op == CRM_AND ? array_and_array(a, b, s->offsets) : merge_arrays(op, a, b, s->offsets);
		return crm_ids_builder_array(out, a->key, s->offsets, count);
	}
	if (a->kind == CRM_ARRAY && (op == CRM_AND || op == CRM_ANDNOT))
	{
		count = filter_array(a, b, op == CRM_AND, s->offsets);
		return crm_ids_builder_array(out, a->key, s->offsets, count);
	}
	if (b->kind == CRM_ARRAY && op == CRM_AND)
	{
		count = filter_array(b, a, true, s->offsets);
		return crm_ids_builder_array(out, a->key, s->offsets, count);
	}
	crm_container_words(a, s->a);
	if (op == CRM_OR)
		crm_container_or_into(b, s->a);
	else
	{
		crm_container_words(b, s->b);
		crm_words_combine(op, s->a, s->b);
	}
	return crm_ids_builder_words(out, a->key, s->a);
}

crm_status
crm_ids_combine(const crm_env *env, crm_ids_op op, crm_ids a, crm_ids b, crm_ids_builder *out)
{
	crm_ids_cursor x;
	crm_ids_cursor y;
	scratch		s;
	uint32_t	steps = 0;

	crm_ids_first(&x, a);
	crm_ids_first(&y, b);
	while (x.valid || y.valid)
	{
		if (++steps % PROGRESS_EVERY == 0)
			crm_progress(env);
		if (x.valid && y.valid && x.current.key == y.current.key)
		{
			CRM_TRY(combine_containers(op, &x.current, &y.current, out, &s));
			crm_ids_next(&x);
			crm_ids_next(&y);
		}
		else if (x.valid && (!y.valid || x.current.key < y.current.key))
		{
			/* Only in a. */
			if (op == CRM_AND)
			{
				if (!y.valid)
					break;
				crm_ids_advance(&x, y.current.key);
				continue;
			}
			CRM_TRY(crm_ids_builder_copy(out, &x.current));
			crm_ids_next(&x);
		}
		else
		{
			/* Only in b. */
			if (op == CRM_AND || op == CRM_ANDNOT)
			{
				if (!x.valid)
					break;
				crm_ids_advance(&y, x.current.key);
				continue;
			}
			CRM_TRY(crm_ids_builder_copy(out, &y.current));
			crm_ids_next(&y);
		}
	}
	return CRM_OK;
}
