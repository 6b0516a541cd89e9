/*
 * bsi_block.c - the slices of one container's ids as words, and writing a
 * value block by block.
 */
#include "kernel/bsi_block.h"

/* Up to so many numbers of a word are written bit by bit, more by turning the whole word round. */
#define FEW_PLACES 12

/* ---- universes --------------------------------------------------------------- */

/* The bits of a dense universe, or its first count places. */
static void
mark_all(crm_bsi_universe *u)
{
	u->words = u->ranked ? (u->count + 63) / 64 : CRM_CONTAINER_WORDS;
	if (!u->ranked)
		return;
	for (uint32_t i = 0; i < u->words; i++)
		u->all[i] = ~UINT64_C(0);
	if (u->count % 64 != 0)
		u->all[u->words - 1] = ~UINT64_C(0) >> (64 - u->count % 64);
}

/* Words as a universe: few bits become offsets. */
static void
settle_words(crm_bsi_universe *u)
{
	uint32_t	count = 0;

	for (int i = 0; i < CRM_CONTAINER_WORDS; i++)
		count += crm_popcount64(u->all[i]);
	u->count = count;
	u->ranked = count <= CRM_ARRAY_MAX;
	if (u->ranked)
	{
		uint32_t	n = 0;

		for (int i = 0; i < CRM_CONTAINER_WORDS; i++)
		{
			for (uint64_t w = u->all[i]; w != 0; w &= w - 1)
				u->offsets[n++] = (uint16_t) (64 * i + crm_ctz64(w));
		}
	}
	mark_all(u);
}

/* Lists the offsets of a container of at most 4,096 ids. */
static uint32_t
list_offsets(const crm_container *container, uint16_t *offsets)
{
	uint32_t	n = 0;

	if (container->kind == CRM_ARRAY)
	{
		for (; n < container->cardinality; n++)
			offsets[n] = crm_load16(container->data + 2 * n);
		return n;
	}
	for (uint32_t r = 0; r < container->runs; r++)
	{
		uint32_t	first = crm_load16(container->data + 4 * r);
		uint32_t	last = first + crm_load16(container->data + 4 * r + 2);

		for (uint32_t offset = first; offset <= last; offset++)
			offsets[n++] = (uint16_t) offset;
	}
	return n;
}

void
crm_bsi_universe_of(crm_bsi_universe *u, const crm_container *container)
{
	u->key = container->key;
	u->count = container->cardinality;
	u->ranked = u->count <= CRM_ARRAY_MAX;
	if (u->ranked)
		list_offsets(container, u->offsets);
	else
		crm_container_words(container, u->all);
	mark_all(u);
}

/* Both lists merged; at most twice CRM_ARRAY_MAX. */
static uint32_t
merge_offsets(const uint16_t *a, uint32_t na, const uint16_t *b, uint32_t nb, uint16_t *out)
{
	uint32_t	i = 0;
	uint32_t	j = 0;
	uint32_t	n = 0;

	while (i < na && j < nb)
	{
		uint16_t	x = a[i];
		uint16_t	y = b[j];

		out[n++] = x < y ? x : y;
		i += x <= y;
		j += y <= x;
	}
	while (i < na)
		out[n++] = a[i++];
	while (j < nb)
		out[n++] = b[j++];
	return n;
}

void
crm_bsi_universe_combine(crm_bsi_universe *u, crm_ids_op op, const crm_container *a, const crm_container *b)
{
	u->key = a->key;
	if (op == CRM_AND && (a->cardinality <= CRM_ARRAY_MAX || b->cardinality <= CRM_ARRAY_MAX))
	{
		const crm_container *small = a->cardinality <= b->cardinality ? a : b;
		const crm_container *large = small == a ? b : a;
		uint32_t	listed = list_offsets(small, u->offsets);

		u->count = 0;
		u->ranked = true;
		for (uint32_t i = 0; i < listed; i++)
		{
			uint16_t	offset = u->offsets[i];

			u->offsets[u->count] = offset;
			u->count += crm_container_contains(large, offset);
		}
		mark_all(u);
		return;
	}
	if (op == CRM_OR && a->cardinality + b->cardinality <= CRM_ARRAY_MAX)
	{
		uint16_t	x[CRM_ARRAY_MAX];
		uint16_t	y[CRM_ARRAY_MAX];
		uint32_t	nx = list_offsets(a, x);
		uint32_t	ny = list_offsets(b, y);

		u->count = merge_offsets(x, nx, y, ny, u->offsets);
		u->ranked = true;
		mark_all(u);
		return;
	}
	crm_container_words(a, u->all);
	if (op == CRM_OR)
		crm_container_or_into(b, u->all);
	else
	{
		uint64_t	words[CRM_CONTAINER_WORDS];

		crm_container_words(b, words);
		for (int i = 0; i < CRM_CONTAINER_WORDS; i++)
			u->all[i] &= words[i];
	}
	settle_words(u);
}

void
crm_bsi_universe_of_pairs(crm_bsi_universe *u, const crm_bsi_pair *pairs, uint32_t count)
{
	u->key = pairs[0].id >> 16;
	u->count = count;
	u->ranked = count <= CRM_ARRAY_MAX;
	if (!u->ranked)
		memset(u->all, 0, sizeof(u->all));
	for (uint32_t i = 0; i < count; i++)
	{
		uint16_t	offset = (uint16_t) pairs[i].id;

		if (u->ranked)
			u->offsets[i] = offset;
		else
			u->all[offset >> 6] |= UINT64_C(1) << (offset & 63);
	}
	mark_all(u);
}

/* ---- words of a slice ----------------------------------------------------------- */

void
crm_bsi_load(const crm_bsi_universe *u, const crm_container *container, uint64_t *words)
{
	uint32_t	i = 0;

	if (container && !u->ranked)
	{
		crm_container_words(container, words);
		return;
	}
	memset(words, 0, u->words * sizeof(uint64_t));
	if (container == NULL)
		return;
	switch (container->kind)
	{
		case CRM_ARRAY:
			for (uint32_t k = 0; i < u->count && k < container->cardinality;)
			{
				uint16_t	x = u->offsets[i];
				uint16_t	y = crm_load16(container->data + 2 * k);

				words[i >> 6] |= (uint64_t) (x == y) << (i & 63);
				i += x <= y;
				k += y <= x;
			}
			break;

		case CRM_RUN:
			for (uint32_t r = 0; i < u->count && r < container->runs; r++)
			{
				uint32_t	first = crm_load16(container->data + 4 * r);
				uint32_t	last = first + crm_load16(container->data + 4 * r + 2);

				for (; i < u->count && u->offsets[i] <= last; i++)
					words[i >> 6] |= (uint64_t) (u->offsets[i] >= first) << (i & 63);
			}
			break;

		case CRM_BITMAP:
			for (; i < u->count; i++)
			{
				uint16_t	offset = u->offsets[i];

				words[i >> 6] |= (uint64_t) ((container->data[offset >> 3] >> (offset & 7)) & 1) << (i & 63);
			}
			break;
	}
}

crm_status
crm_bsi_store(const crm_bsi_universe *u, const uint64_t *words, crm_ids_builder *out)
{
	uint16_t	offsets[CRM_ARRAY_MAX];
	uint32_t	n = 0;

	if (!u->ranked)
		return crm_ids_builder_words(out, u->key, words);
	for (uint32_t i = 0; i < u->words; i++)
	{
		for (uint64_t w = words[i]; w != 0; w &= w - 1)
			offsets[n++] = u->offsets[64 * i + crm_ctz64(w)];
	}
	return crm_ids_builder_array(out, u->key, offsets, n);
}

void
crm_bsi_walk_first(crm_bsi_walk *walk, const crm_bsi *bsi)
{
	walk->bsi = bsi;
	crm_ids_first(&walk->present, bsi->present);
	for (uint32_t i = 0; i < bsi->slices; i++)
		crm_ids_first(&walk->slice[i], bsi->slice[i]);
}

/* ---- numbers and slices ------------------------------------------------------------ */

/*
 * Turns 64 numbers into the 64 words of their bits, and back: bit c of word r
 * changes places with bit r of word c, by halves, quarters and so on (Warren,
 * "Hacker's Delight", 7-3).
 */
static void
transpose(uint64_t *m)
{
	uint64_t	mask = UINT64_C(0x00000000ffffffff);

	for (uint32_t j = 32; j != 0; j >>= 1, mask ^= mask << j)
	{
		for (uint32_t k = 0; k < 64; k = ((k | j) + 1) & ~j)
		{
			uint64_t	t = ((m[k] >> j) ^ m[k | j]) & mask;

			m[k] ^= t << j;
			m[k | j] ^= t;
		}
	}
}

uint32_t
crm_bsi_width(crm_int128 least, crm_int128 greatest)
{
	crm_uint128 bits = (crm_uint128) (least < 0 ? ~least : least) | (crm_uint128) (greatest < 0 ? ~greatest : greatest);
	uint32_t	width = 1;

	for (; bits != 0; bits >>= 1)
		width++;
	return width;
}

/* One word's numbers, a bit of theirs at a time; the words of the slices are stride apart. */
static void
spread_few(const crm_bsi_pair *pairs, uint64_t places, uint32_t slices, uint64_t *bits, size_t stride)
{
	crm_uint128 wanted = ~(crm_uint128) 0 >> (128 - slices);

	for (uint32_t i = 0; i < slices; i++)
		bits[i * stride] = 0;
	for (; places != 0; places &= places - 1, pairs++)
	{
		uint64_t	place = places & -places;
		uint64_t	low = pairs->low & (uint64_t) wanted;
		uint64_t	high = (uint64_t) pairs->high & (uint64_t) (wanted >> 64);

		for (; low != 0; low &= low - 1)
			bits[(size_t) crm_ctz64(low) * stride] |= place;
		for (; high != 0; high &= high - 1)
			bits[(size_t) (64 + crm_ctz64(high)) * stride] |= place;
	}
}

/* The same, all bits at once. */
static void
spread_many(const crm_bsi_pair *pairs, uint64_t places, uint32_t slices, uint64_t *bits, size_t stride)
{
	for (uint32_t half = 0; 64 * half < slices; half++)
	{
		const crm_bsi_pair *pair = pairs;
		uint64_t	m[64] = {0};

		for (uint64_t left = places; left != 0; left &= left - 1, pair++)
			m[crm_ctz64(left)] = half ? (uint64_t) pair->high : pair->low;
		transpose(m);
		for (uint32_t i = 64 * half; i < slices && i < 64 * (half + 1); i++)
			bits[i * stride] = m[i - 64 * half];
	}
}

crm_status
crm_bsi_writer_values(crm_bsi_writer *writer, const crm_bsi_universe *u, const crm_bsi_pair *pairs)
{
	const crm_env *env = &writer->env;
	/* Words at a distance of 8 kB would all compete for the same few lines of a processor's cache. */
	size_t		stride = u->words + 8;
	size_t		needed = writer->slices * stride;

	if (needed > writer->room)
	{
		if (writer->bits)
			env->release(env->arg, writer->bits);
		writer->bits = env->alloc(env->arg, needed * sizeof(uint64_t));
		if (writer->bits == NULL)
			return CRM_NO_MEMORY;
		writer->room = needed;
	}
	for (uint32_t w = 0; w < u->words; w++)
	{
		uint32_t	count = (uint32_t) crm_popcount64(u->all[w]);

		if (count <= FEW_PLACES)
			spread_few(pairs, u->all[w], writer->slices, writer->bits + w, stride);
		else
			spread_many(pairs, u->all[w], writer->slices, writer->bits + w, stride);
		pairs += count;
	}
	CRM_TRY(crm_bsi_store(u, u->all, writer->present));
	for (uint32_t i = 0; i < writer->slices; i++)
		CRM_TRY(crm_bsi_store(u, writer->bits + i * stride, writer->slice[i]));
	return CRM_OK;
}

/* ---- the writer --------------------------------------------------------------------- */

crm_status
crm_bsi_writer_init(const crm_env *env, crm_bsi_writer *writer, uint32_t slices, uint32_t scale)
{
	writer->env = *env;
	writer->slices = slices;
	writer->scale = scale;
	writer->bits = NULL;
	writer->room = 0;
	CRM_TRY(crm_ids_builder_new(env, &writer->present));
	for (uint32_t i = 0; i < slices; i++)
		CRM_TRY(crm_ids_builder_new(env, &writer->slice[i]));
	return CRM_OK;
}

crm_status
crm_bsi_writer_finish(crm_bsi_writer *writer, crm_bsi_image *image)
{
	const crm_env *env = &writer->env;
	size_t		sizes[CRM_BSI_SLICES + 2];
	size_t		at = 0;
	size_t		total;

	if (writer->bits)
		env->release(env->arg, writer->bits);
	sizes[0] = total = crm_ids_builder_size(writer->present);
	for (uint32_t i = 0; i < writer->slices; i++)
		total += sizes[i + 1] = crm_ids_builder_size(writer->slice[i]);
	if (total > CRM_IDS_MAX_BYTES - CRM_BSI_TABLE(CRM_BSI_SLICES + 1))
		return CRM_LIMIT;

	image->scale = writer->scale;
	image->cardinality = crm_ids_builder_cardinality(writer->present);
	image->data = env->alloc(env->arg, total);
	if (image->data == NULL)
		return CRM_NO_MEMORY;
	for (uint32_t i = 0; i <= writer->slices; i++)
	{
		crm_ids_builder *builder = i == 0 ? writer->present : writer->slice[i - 1];

		crm_ids_builder_write(builder, image->data + at);
		at += sizes[i];
		crm_ids_builder_free(builder);
	}

	/* The last slice is the sign; one before it that is the same says nothing. */
	image->slices = writer->slices;
	while (image->slices > 1 && sizes[image->slices] == sizes[image->slices - 1] &&
		   memcmp(image->data + total - sizes[image->slices],
				  image->data + total - sizes[image->slices] - sizes[image->slices - 1], sizes[image->slices]) == 0)
		total -= sizes[image->slices--];
	if (image->slices > CRM_BSI_SLICES)
	{
		env->release(env->arg, image->data);
		return CRM_OUT_OF_RANGE;
	}
	for (uint32_t i = 0; i <= image->slices; i++)
		image->sizes[i] = (uint32_t) sizes[i];
	image->size = total;
	return CRM_OK;
}

/* ---- reading number by number ----------------------------------------------------------- */

struct crm_bsi_reader
{
	crm_env		env;
	crm_bsi		bsi;
	crm_bsi_walk walk;
	crm_bsi_universe universe;
	crm_bsi_pair *pairs;		/* of one container */
	uint64_t   *bits;			/* its slices */
	uint32_t	room;			/* pairs that fit */
	uint32_t	count;
	uint32_t	next;
};

crm_status
crm_bsi_reader_new(const crm_env *env, const crm_bsi *bsi, crm_bsi_reader **reader)
{
	crm_ids_cursor cursor;
	crm_bsi_reader *r;
	uint32_t	largest = 0;

	for (crm_ids_first(&cursor, bsi->present); cursor.valid; crm_ids_next(&cursor))
	{
		if (cursor.current.cardinality > largest)
			largest = cursor.current.cardinality;
	}
	*reader = r = env->alloc(env->arg, sizeof(crm_bsi_reader));
	if (r == NULL)
		return CRM_NO_MEMORY;
	r->env = *env;
	r->bsi = *bsi;
	r->room = largest;
	r->count = r->next = 0;
	r->pairs = env->alloc(env->arg, largest * sizeof(crm_bsi_pair));
	r->bits = env->alloc(env->arg, (size_t) bsi->slices * sizeof(uint64_t) *
						 (largest <= CRM_ARRAY_MAX ? (largest + 63) / 64 : CRM_CONTAINER_WORDS));
	if (r->pairs == NULL || r->bits == NULL)
		return CRM_NO_MEMORY;
	crm_bsi_walk_first(&r->walk, &r->bsi);
	return CRM_OK;
}

void
crm_bsi_reader_free(crm_bsi_reader *reader)
{
	crm_env		env = reader->env;

	env.release(env.arg, reader->pairs);
	env.release(env.arg, reader->bits);
	env.release(env.arg, reader);
}

/* Turns the container where the walk stands into pairs. */
static void
read_block(crm_bsi_reader *reader)
{
	crm_bsi_universe *u = &reader->universe;
	uint32_t	slices = reader->bsi.slices;
	uint32_t	n = 0;

	crm_bsi_universe_of(u, &reader->walk.present.current);
	for (uint32_t i = 0; i < slices; i++)
		crm_bsi_load(u, crm_bsi_walk_slice(&reader->walk, i, u->key), reader->bits + (size_t) i * u->words);
	for (uint32_t w = 0; w < u->words; w++)
	{
		uint64_t	sign = reader->bits[(size_t) (slices - 1) * u->words + w];
		uint64_t	low[64];
		uint64_t	high[64];

		/* Above the last slice the sign goes on. */
		for (uint32_t i = 0; i < 64; i++)
		{
			low[i] = i < slices ? reader->bits[(size_t) i * u->words + w] : sign;
			high[i] = 64 + i < slices ? reader->bits[(size_t) (64 + i) * u->words + w] : sign;
		}
		transpose(low);
		if (slices > 64)
			transpose(high);
		for (uint64_t left = u->all[w]; left != 0; left &= left - 1, n++)
		{
			uint32_t	bit = (uint32_t) crm_ctz64(left);

			reader->pairs[n].id = u->key << 16 | (u->ranked ? u->offsets[n] : 64 * w + bit);
			reader->pairs[n].low = low[bit];
			reader->pairs[n].high = slices > 64 ? (int64_t) high[bit] : -(int64_t) (sign >> bit & 1);
		}
	}
	reader->count = n;
	reader->next = 0;
	crm_progress(&reader->env);
}

bool
crm_bsi_reader_block(crm_bsi_reader *reader, const crm_bsi_universe **u, crm_bsi_pair **pairs)
{
	if (!reader->walk.present.valid)
		return false;
	read_block(reader);
	crm_ids_next(&reader->walk.present);
	*u = &reader->universe;
	*pairs = reader->pairs;
	return true;
}

bool
crm_bsi_reader_next(crm_bsi_reader *reader, uint64_t *id, crm_int128 *value)
{
	const crm_bsi_universe *u;
	crm_bsi_pair *pairs;

	if (reader->next == reader->count && !crm_bsi_reader_block(reader, &u, &pairs))
		return false;
	*id = reader->pairs[reader->next].id;
	*value = crm_bsi_pair_value(&reader->pairs[reader->next]);
	reader->next++;
	return true;
}
