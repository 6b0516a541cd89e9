/*
 * ids_build.c - writing a set in ascending order of containers.
 *
 * Payloads go into one buffer as they come, descriptions into another; the
 * heads of the buckets, whose size depends on what is in them, are written
 * at the end.
 */
#include "kernel/ids_words.h"

/* What is known of a container whose payload is in the buffer. */
typedef struct piece
{
	uint64_t	key;
	uint16_t	cardinality;	/* less one */
	uint16_t	runs;
	uint32_t	kind;
} piece;

struct crm_ids_builder
{
	crm_env		env;
	piece	   *pieces;
	size_t		count;
	size_t		room;
	uint8_t    *payload;
	size_t		used;
	size_t		capacity;
	uint64_t	cardinality;
};

crm_status
crm_ids_builder_new(const crm_env *env, crm_ids_builder **builder)
{
	*builder = env->alloc(env->arg, sizeof(crm_ids_builder));
	if (*builder == NULL)
		return CRM_NO_MEMORY;
	memset(*builder, 0, sizeof(crm_ids_builder));
	(*builder)->env = *env;
	return CRM_OK;
}

void
crm_ids_builder_free(crm_ids_builder *builder)
{
	crm_env		env = builder->env;

	if (builder->pieces)
		env.release(env.arg, builder->pieces);
	if (builder->payload)
		env.release(env.arg, builder->payload);
	env.release(env.arg, builder);
}

/* Adds a description and makes room for its payload, which the caller writes. */
static crm_status
add_piece(crm_ids_builder *builder, uint64_t key, crm_container_kind kind,
		  uint32_t cardinality, uint32_t runs, uint8_t **payload)
{
	const crm_env *env = &builder->env;
	size_t		size = crm_container_payload(kind, cardinality, runs);

	/* Every container takes four bytes in the head as well; the exact size is checked once it is known. */
	if (builder->used + size + 4 * (builder->count + 1) > CRM_IDS_MAX_BYTES)
		return CRM_LIMIT;
	if (builder->count == builder->room)
	{
		size_t		room = builder->room ? builder->room * 2 : 8;
		piece	   *pieces = env->resize(env->arg, builder->pieces, builder->room * sizeof(piece), room * sizeof(piece));

		if (pieces == NULL)
			return CRM_NO_MEMORY;
		builder->pieces = pieces;
		builder->room = room;
	}
	if (builder->used + size > builder->capacity)
	{
		size_t		capacity = builder->capacity ? builder->capacity : 128;
		uint8_t    *bytes;

		while (capacity < builder->used + size)
			capacity *= 2;
		bytes = env->resize(env->arg, builder->payload, builder->capacity, capacity);
		if (bytes == NULL)
			return CRM_NO_MEMORY;
		builder->payload = bytes;
		builder->capacity = capacity;
	}
	builder->pieces[builder->count].key = key;
	builder->pieces[builder->count].kind = kind;
	builder->pieces[builder->count].cardinality = (uint16_t) (cardinality - 1);
	builder->pieces[builder->count].runs = (uint16_t) runs;
	builder->count++;
	if (builder->count % 256 == 0)
		crm_progress(env);
	*payload = builder->payload + builder->used;
	builder->used += size;
	builder->cardinality += cardinality;
	if (kind == CRM_RUN)
	{
		crm_store16(*payload, (uint16_t) runs);
		*payload += 2;
	}
	return CRM_OK;
}

crm_status
crm_ids_builder_words(crm_ids_builder *builder, uint64_t key, const uint64_t *words)
{
	uint32_t	cardinality;
	uint32_t	runs;
	uint8_t    *out;
	crm_container_kind kind;

	crm_words_stats(words, &cardinality, &runs);
	if (cardinality == 0)
		return CRM_OK;
	kind = crm_container_smallest(cardinality, runs);
	CRM_TRY(add_piece(builder, key, kind, cardinality, runs, &out));
	switch (kind)
	{
		case CRM_BITMAP:
			for (int i = 0; i < CRM_CONTAINER_WORDS; i++)
				crm_store64(out + 8 * i, words[i]);
			break;

		case CRM_ARRAY:
			for (int i = 0; i < CRM_CONTAINER_WORDS; i++)
			{
				for (uint64_t w = words[i]; w != 0; w &= w - 1, out += 2)
					crm_store16(out, (uint16_t) (64 * i + crm_ctz64(w)));
			}
			break;

		case CRM_RUN:
			{
				uint32_t	i = 0;
				uint64_t	w = words[0];

				for (uint32_t r = 0; r < runs; r++)
				{
					uint32_t	start;
					uint32_t	end;

					while (w == 0)
						w = words[++i];
					start = 64 * i + crm_ctz64(w);
					/* Ones below the start too, then the first zero ends the run. */
					w |= w - 1;
					while (w == ~UINT64_C(0) && i < CRM_CONTAINER_WORDS - 1)
						w = words[++i];
					end = w == ~UINT64_C(0) ? CRM_CONTAINER_BITS : 64 * i + crm_ctz64(~w);
					w &= w + 1;
					crm_store16(out + 4 * r, (uint16_t) start);
					crm_store16(out + 4 * r + 2, (uint16_t) (end - 1 - start));
				}
				break;
			}
	}
	return CRM_OK;
}

crm_status
crm_ids_builder_array(crm_ids_builder *builder, uint64_t key, const uint16_t *offsets, uint32_t count)
{
	uint32_t	runs = 1;
	uint8_t    *out;
	crm_container_kind kind;

	if (count == 0)
		return CRM_OK;
	for (uint32_t i = 1; i < count; i++)
		runs += offsets[i] != offsets[i - 1] + 1;
	kind = crm_container_smallest(count, runs);
	if (kind == CRM_BITMAP)
	{
		uint64_t	words[CRM_CONTAINER_WORDS] = {0};

		for (uint32_t i = 0; i < count; i++)
			words[offsets[i] >> 6] |= UINT64_C(1) << (offsets[i] & 63);
		return crm_ids_builder_words(builder, key, words);
	}
	CRM_TRY(add_piece(builder, key, kind, count, runs, &out));
	if (kind == CRM_ARRAY)
	{
		for (uint32_t i = 0; i < count; i++)
			crm_store16(out + 2 * i, offsets[i]);
		return CRM_OK;
	}
	for (uint32_t i = 0; i < count; out += 4)
	{
		uint32_t	start = i++;

		while (i < count && offsets[i] == offsets[i - 1] + 1)
			i++;
		crm_store16(out, offsets[start]);
		crm_store16(out + 2, (uint16_t) (i - 1 - start));
	}
	return CRM_OK;
}

crm_status
crm_ids_builder_runs(crm_ids_builder *builder, uint64_t key, const uint16_t *runs, uint32_t count)
{
	uint32_t	cardinality = 0;
	uint8_t    *out;
	crm_container_kind kind;

	if (count == 0)
		return CRM_OK;
	for (uint32_t i = 0; i < count; i++)
		cardinality += (uint32_t) runs[2 * i + 1] + 1;
	kind = crm_container_smallest(cardinality, count);
	if (kind == CRM_BITMAP)
	{
		uint64_t	words[CRM_CONTAINER_WORDS] = {0};

		for (uint32_t i = 0; i < count; i++)
			crm_words_fill(words, runs[2 * i], (uint32_t) runs[2 * i] + runs[2 * i + 1]);
		return crm_ids_builder_words(builder, key, words);
	}
	CRM_TRY(add_piece(builder, key, kind, cardinality, count, &out));
	for (uint32_t i = 0; i < count; i++)
	{
		if (kind == CRM_RUN)
		{
			crm_store16(out + 4 * i, runs[2 * i]);
			crm_store16(out + 4 * i + 2, runs[2 * i + 1]);
			continue;
		}
		for (uint32_t k = 0; k <= runs[2 * i + 1]; k++, out += 2)
			crm_store16(out, (uint16_t) (runs[2 * i] + k));
	}
	return CRM_OK;
}

crm_status
crm_ids_builder_copy(crm_ids_builder *builder, const crm_container *container)
{
	uint8_t    *out;

	CRM_TRY(add_piece(builder, container->key, container->kind, container->cardinality, container->runs, &out));
	memcpy(out, container->data,
		   crm_container_payload(container->kind, container->cardinality, container->runs) -
		   (container->kind == CRM_RUN ? 2 : 0));
	return CRM_OK;
}

crm_status
crm_ids_builder_ids(crm_ids_builder *builder, const uint64_t *ids, size_t count)
{
	size_t		i = 0;

	while (i < count)
	{
		uint64_t	key = ids[i] >> 16;
		uint16_t	few[64];
		uint32_t	n = 0;

		while (i < count && ids[i] >> 16 == key && n < 64)
		{
			if (n == 0 || few[n - 1] != (uint16_t) ids[i])
				few[n++] = (uint16_t) ids[i];
			i++;
		}
		if (i < count && ids[i] >> 16 == key)
		{
			uint64_t	words[CRM_CONTAINER_WORDS] = {0};

			for (uint32_t k = 0; k < n; k++)
				words[few[k] >> 6] |= UINT64_C(1) << (few[k] & 63);
			for (; i < count && ids[i] >> 16 == key; i++)
				words[(ids[i] & 0xffff) >> 6] |= UINT64_C(1) << (ids[i] & 63);
			CRM_TRY(crm_ids_builder_words(builder, key, words));
		}
		else
			CRM_TRY(crm_ids_builder_array(builder, key, few, n));
	}
	return CRM_OK;
}

crm_status
crm_ids_builder_intervals(crm_ids_builder *builder, const crm_interval *intervals, size_t count)
{
	uint64_t	containers = 0;
	uint16_t   *runs;
	uint32_t	used = 0;
	uint64_t	key = 0;
	crm_status	status = CRM_OK;

	/* A full container takes 14 bytes: a range too long for any value is refused before the first is written. */
	for (size_t i = 0; i < count; i++)
	{
		containers += (intervals[i].last >> 16) - (intervals[i].first >> 16);
		if (containers > CRM_IDS_MAX_BYTES / 14)
			return CRM_LIMIT;
	}

	/* A container has at most 32,768 runs. */
	runs = builder->env.alloc(builder->env.arg, CRM_CONTAINER_BITS * sizeof(uint16_t));
	if (runs == NULL)
		return CRM_NO_MEMORY;
	for (size_t i = 0; i < count && status == CRM_OK; i++)
	{
		uint64_t	first = intervals[i].first;

		while (status == CRM_OK)
		{
			uint64_t	end = first | 0xffff;

			if (end > intervals[i].last)
				end = intervals[i].last;
			if (used > 0 && key != first >> 16)
			{
				status = crm_ids_builder_runs(builder, key, runs, used);
				used = 0;
			}
			key = first >> 16;
			runs[2 * used] = (uint16_t) first;
			runs[2 * used + 1] = (uint16_t) (end - first);
			used++;
			if (end == intervals[i].last)
				break;
			first = end + 1;
		}
	}
	if (status == CRM_OK)
		status = crm_ids_builder_runs(builder, key, runs, used);
	builder->env.release(builder->env.arg, runs);
	return status;
}

crm_status
crm_ids_builder_set(crm_ids_builder *builder, crm_ids set)
{
	crm_ids_cursor cursor;

	for (crm_ids_first(&cursor, set); cursor.valid; crm_ids_next(&cursor))
	{
		uint64_t	words[CRM_CONTAINER_WORDS];

		crm_container_words(&cursor.current, words);
		CRM_TRY(crm_ids_builder_words(builder, cursor.current.key, words));
	}
	return CRM_OK;
}

uint64_t
crm_ids_builder_cardinality(const crm_ids_builder *builder)
{
	return builder->cardinality;
}

/* ---- the finished set ------------------------------------------------- */

/* The pieces of the bucket that begins at from: their end, their bytes, whether one is a run container. */
static size_t
scan_bucket(const crm_ids_builder *builder, size_t from, size_t *payload, bool *has_runs)
{
	size_t		i = from;

	*payload = 0;
	*has_runs = false;
	do
	{
		const piece *here = &builder->pieces[i];

		*payload += crm_container_payload(here->kind, (uint32_t) here->cardinality + 1, here->runs);
		*has_runs |= here->kind == CRM_RUN;
		i++;
	} while (i < builder->count && builder->pieces[i].key >> 16 == builder->pieces[from].key >> 16);
	return i;
}

/* Bytes of a bucket's head. */
static size_t
head_size(size_t containers, bool has_runs)
{
	size_t		size = 4 + 4 + (has_runs ? (containers + 7) / 8 : 4) + 4 * containers;

	return !has_runs || containers >= CRM_OFFSETS_FROM ? size + 4 * containers : size;
}

size_t
crm_ids_builder_size(crm_ids_builder *builder)
{
	size_t		size = 8;

	for (size_t i = 0; i < builder->count;)
	{
		size_t		payload;
		bool		has_runs;
		size_t		end = scan_bucket(builder, i, &payload, &has_runs);

		size += head_size(end - i, has_runs) + payload;
		i = end;
	}
	return size;
}

void
crm_ids_builder_write(crm_ids_builder *builder, uint8_t *out)
{
	uint8_t    *count_at = out;
	uint64_t	buckets = 0;
	const uint8_t *from = builder->payload;

	out += 8;
	for (size_t i = 0; i < builder->count; buckets++)
	{
		size_t		payload;
		bool		has_runs;
		size_t		end = scan_bucket(builder, i, &payload, &has_runs);
		uint32_t	containers = (uint32_t) (end - i);
		uint32_t	offset = (uint32_t) head_size(containers, has_runs) - 4;
		uint8_t    *flags = NULL;
		uint8_t    *offsets;

		crm_store32(out, (uint32_t) (builder->pieces[i].key >> 16));
		if (has_runs)
		{
			crm_store32(out + 4, CRM_COOKIE_RUNS | (containers - 1) << 16);
			flags = out + 8;
			memset(flags, 0, (containers + 7) / 8);
			out = flags + (containers + 7) / 8;
		}
		else
		{
			crm_store32(out + 4, CRM_COOKIE_PLAIN);
			crm_store32(out + 8, containers);
			out += 12;
		}
		offsets = has_runs && containers < CRM_OFFSETS_FROM ? NULL : out + 4 * (size_t) containers;
		for (uint32_t k = 0; k < containers; k++, i++, out += 4)
		{
			const piece *here = &builder->pieces[i];

			crm_store16(out, (uint16_t) here->key);
			crm_store16(out + 2, here->cardinality);
			if (here->kind == CRM_RUN)
				flags[k >> 3] |= 1 << (k & 7);
			if (offsets)
				crm_store32(offsets + 4 * (size_t) k, offset);
			offset += (uint32_t) crm_container_payload(here->kind, (uint32_t) here->cardinality + 1, here->runs);
		}
		if (offsets)
			out += 4 * (size_t) containers;
		memcpy(out, from, payload);
		out += payload;
		from += payload;
	}
	crm_store64(count_at, buckets);
}
