/*
 * oracle_ids.c - our bytes against libroaring's.
 *
 * The packaged library knows 32-bit bitmaps only, so each bucket is one of
 * its bitmaps, run_optimized, behind the count and the high halves that
 * RoaringFormatSpec puts around them.
 */
#include <roaring/roaring.h>

#include "unit.h"

#include "kernel/ids.h"

#define BUCKETS 5

static const uint32_t bucket_keys[BUCKETS] = {0, 1, 77, 0x7ffffffe, 0x7fffffff};

static uint64_t random_state = 64;

static uint64_t
next_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

typedef struct wide
{
	roaring_bitmap_t *buckets[BUCKETS];
} wide;

/* Ids of a random density in random buckets, into both. */
static void
fill(wide *w, crm_ids_collector *collector)
{
	for (int b = 0; b < BUCKETS; b++)
	{
		int			pieces = (int) (next_random() % 4);

		w->buckets[b] = roaring_bitmap_create();
		for (int p = 0; p < pieces; p++)
		{
			uint32_t	key = next_random() % 3 == 0 ? 65535 : (uint32_t) (next_random() % 6);
			uint32_t	count = (uint32_t) (next_random() % 3 == 0 ? next_random() % 60000 : next_random() % 5000);
			uint32_t	step = 1 + (uint32_t) (next_random() % 3);
			uint32_t	at = (uint32_t) (next_random() & 0xffff);
			bool		runs = next_random() % 2;

			for (uint32_t i = 0; i < count; i++)
			{
				at = runs ? at + (next_random() % 50 == 0 ? step : 1) : (uint32_t) next_random();
				roaring_bitmap_add(w->buckets[b], key << 16 | (at & 0xffff));
				CHECK_EQUAL(crm_ids_collector_add(collector, (uint64_t) bucket_keys[b] << 32 | key << 16 | (at & 0xffff)), CRM_OK);
			}
		}
	}
}

/* The library's bytes in the 64-bit frame. */
static uint8_t *
wide_bytes(const wide *w, size_t *size)
{
	uint64_t	used = 0;
	uint8_t    *bytes;
	uint8_t    *p;

	*size = 8;
	for (int b = 0; b < BUCKETS; b++)
	{
		if (roaring_bitmap_is_empty(w->buckets[b]))
			continue;
		roaring_bitmap_run_optimize(w->buckets[b]);
		*size += 4 + roaring_bitmap_portable_size_in_bytes(w->buckets[b]);
		used++;
	}
	p = bytes = malloc(*size);
	memcpy(p, &used, 8);
	p += 8;
	for (int b = 0; b < BUCKETS; b++)
	{
		if (roaring_bitmap_is_empty(w->buckets[b]))
			continue;
		memcpy(p, &bucket_keys[b], 4);
		p += 4 + roaring_bitmap_portable_serialize(w->buckets[b], (char *) p + 4);
	}
	return bytes;
}

static uint64_t
wide_cardinality(const wide *w)
{
	uint64_t	count = 0;

	for (int b = 0; b < BUCKETS; b++)
		count += roaring_bitmap_get_cardinality(w->buckets[b]);
	return count;
}

static void
check_same(const wide *w, crm_ids_builder *builder)
{
	size_t		expected_size;
	uint8_t    *expected = wide_bytes(w, &expected_size);
	size_t		size = crm_ids_builder_size(builder);
	uint8_t    *bytes = malloc(size);
	uint64_t	cardinality;
	bool		canonical;

	CHECK_EQUAL(crm_ids_builder_cardinality(builder), wide_cardinality(w));
	crm_ids_builder_write(builder, bytes);
	CHECK_EQUAL(size, expected_size);
	CHECK(size == expected_size && memcmp(bytes, expected, size) == 0);

	/* What the library wrote passes our door, and is canonical. */
	CHECK_EQUAL(crm_ids_validate(expected, expected_size, &cardinality, &canonical), CRM_OK);
	CHECK(canonical);
	CHECK_EQUAL(cardinality, wide_cardinality(w));
	free(expected);
	free(bytes);
}

static crm_ids
finished(crm_ids_builder *builder)
{
	size_t		size = crm_ids_builder_size(builder);
	uint8_t    *bytes = malloc(size);
	crm_ids		set = {bytes, size};

	crm_ids_builder_write(builder, bytes);
	return set;
}

int
main(void)
{
	crm_env		env = unit_env();

	for (int round = 0; round < 60; round++)
	{
		wide		w[2];
		crm_ids		sets[2];

		for (int i = 0; i < 2; i++)
		{
			crm_ids_collector *collector;
			crm_ids_builder *builder;

			CHECK_EQUAL(crm_ids_collector_new(&env, &collector), CRM_OK);
			CHECK_EQUAL(crm_ids_builder_new(&env, &builder), CRM_OK);
			fill(&w[i], collector);
			CHECK_EQUAL(crm_ids_collector_build(collector, builder), CRM_OK);
			check_same(&w[i], builder);
			sets[i] = finished(builder);
			crm_ids_builder_free(builder);
			crm_ids_collector_free(collector);
		}

		for (int op = CRM_OR; op <= CRM_XOR; op++)
		{
			wide		result;
			crm_ids_builder *builder;

			for (int b = 0; b < BUCKETS; b++)
			{
				roaring_bitmap_t *x = w[0].buckets[b];
				roaring_bitmap_t *y = w[1].buckets[b];
				roaring_bitmap_t *r = op == CRM_OR ? roaring_bitmap_or(x, y) : op == CRM_AND ? roaring_bitmap_and(x, y) :
					op == CRM_ANDNOT ? roaring_bitmap_andnot(x, y) : roaring_bitmap_xor(x, y);
				uint32_t   *ids = malloc((roaring_bitmap_get_cardinality(r) + 1) * sizeof(uint32_t));

				/* Made anew from its ids: on a tie the library keeps whichever form an operation left behind. */
				roaring_bitmap_to_uint32_array(r, ids);
				result.buckets[b] = roaring_bitmap_of_ptr(roaring_bitmap_get_cardinality(r), ids);
				free(ids);
				roaring_bitmap_free(r);
			}
			CHECK_EQUAL(crm_ids_builder_new(&env, &builder), CRM_OK);
			CHECK_EQUAL(crm_ids_combine(&env, op, sets[0], sets[1], builder), CRM_OK);
			check_same(&result, builder);
			if (op == CRM_AND)
				CHECK_EQUAL(crm_ids_and_count(&env, sets[0], sets[1]), wide_cardinality(&result));
			crm_ids_builder_free(builder);
			for (int b = 0; b < BUCKETS; b++)
				roaring_bitmap_free(result.buckets[b]);
		}
		for (int i = 0; i < 2; i++)
		{
			for (int b = 0; b < BUCKETS; b++)
				roaring_bitmap_free(w[i].buckets[b]);
			free((void *) sets[i].data);
		}
	}
	return unit_done();
}
