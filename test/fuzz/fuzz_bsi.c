/*
 * fuzz_bsi.c - any bytes as bit-sliced numbers: refused, or good for every
 * question.
 *
 * The first byte says how many slices there are, the second the scale; what
 * passes the check must read the same number by number, be made again from its
 * numbers, and keep the laws of sums and orders.
 */
#include "fuzz.h"

#include "kernel/bsi.h"

static uint64_t
finished_count(crm_ids_builder *builder)
{
	uint64_t	count = crm_ids_builder_cardinality(builder);

	crm_ids_builder_free(builder);
	return count;
}

static uint64_t
between(const crm_bsi *bsi, const crm_int128 *low, const crm_int128 *high)
{
	crm_env		env = unit_env();
	crm_ids_builder *builder;

	REQUIRE(crm_ids_builder_new(&env, &builder) == CRM_OK);
	REQUIRE(crm_bsi_between(&env, bsi, NULL, low, high, builder) == CRM_OK);
	return finished_count(builder);
}

static void
use(const crm_bsi *bsi, uint64_t count)
{
	crm_env		env = unit_env();
	crm_bsi_pair *pairs = malloc((size_t) count * sizeof(crm_bsi_pair) + 1);
	crm_bsi_reader *reader;
	crm_bsi_image image;
	crm_bsi		again;
	crm_bsi_total total;
	crm_ids_builder *builder;
	uint64_t	id;
	uint64_t	n = 0;
	crm_int128	value;
	crm_int128	least = 0;
	crm_int128	greatest = 0;
	crm_int128	middle;
	bool		equal;

	REQUIRE(crm_bsi_reader_new(&env, bsi, &reader) == CRM_OK);
	while (crm_bsi_reader_next(reader, &id, &value))
	{
		REQUIRE(n < count && (n == 0 || id > pairs[n - 1].id));
		if (n % 64 == 0)
		{
			REQUIRE(crm_bsi_lookup(bsi, id, &middle) && middle == value);
		}
		least = n == 0 || value < least ? value : least;
		greatest = n == 0 || value > greatest ? value : greatest;
		crm_bsi_pair_set(&pairs[n++], id, value);
	}
	REQUIRE(n == count);
	crm_bsi_reader_free(reader);

	/* The same numbers make the same value. */
	REQUIRE(crm_bsi_build(&env, pairs, n, bsi->scale, &image) == CRM_OK);
	crm_bsi_image_view(&image, &again);
	REQUIRE(image.slices == bsi->slices && image.scale == bsi->scale && image.cardinality == count);
	REQUIRE(crm_bsi_equal(&env, bsi, &again, &equal) == CRM_OK && equal);
	crm_bsi_image_free(&env, &image);
	free(pairs);

	crm_bsi_sum_up(&env, bsi, NULL, &total);
	REQUIRE(total.count == count);
	if (count > 0)
	{
		REQUIRE(crm_bsi_select(&env, bsi, NULL, 0, &value) == CRM_OK && value == least);
		REQUIRE(crm_bsi_select(&env, bsi, NULL, count - 1, &value) == CRM_OK && value == greatest);
		REQUIRE(crm_bsi_select(&env, bsi, NULL, count / 2, &middle) == CRM_OK);
		REQUIRE(between(bsi, &least, &greatest) == count);
		REQUIRE(between(bsi, &middle, NULL) + between(bsi, NULL, &middle) == count + between(bsi, &middle, &middle));
		REQUIRE(between(bsi, NULL, &middle) > count / 2);
	}
	REQUIRE(crm_ids_builder_new(&env, &builder) == CRM_OK);
	REQUIRE(crm_bsi_greatest(&env, bsi, NULL, count / 3, builder) == CRM_OK);
	REQUIRE(finished_count(builder) == count / 3);

	/* Twice itself, where that fits. */
	if (bsi->slices < CRM_BSI_SLICES)
	{
		crm_bsi_total twice;

		REQUIRE(crm_bsi_plus(&env, bsi, bsi, &image) == CRM_OK);
		crm_bsi_image_view(&image, &again);
		REQUIRE(crm_bsi_validate(&env, &again, &n) == CRM_OK && n == count);
		crm_bsi_sum_up(&env, &again, NULL, &twice);
		REQUIRE(twice.limb[0] == total.limb[0] << 1);
		crm_bsi_image_free(&env, &image);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	crm_env		env = unit_env();
	crm_bsi    *bsi;
	uint8_t    *bytes;
	uint64_t	count;

	if (size < 2)
		return 0;
	/* A block of its own: a sanitizer sees a step beyond it. */
	bytes = malloc(size - 2 + 1);
	memcpy(bytes, data + 2, size - 2);
	bsi = malloc(sizeof(crm_bsi));
	/* Long runs make many numbers of few bytes; a fuzzer has better things to do than to list millions. */
	if (crm_bsi_open(bytes, size - 2, data[0], data[1], bsi) == CRM_OK &&
		crm_bsi_validate(&env, bsi, &count) == CRM_OK && count <= 1 << 18)
		use(bsi, count);
	free(bsi);
	free(bytes);
	return 0;
}
