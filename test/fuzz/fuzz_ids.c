/*
 * fuzz_ids.c - any bytes as a set: refused, or good for every operation.
 *
 * The first byte says where the rest is cut into two sets; what passes the
 * check is used as an operand and must keep the laws of sets.
 */
#include "fuzz.h"

#include "kernel/ids.h"

/* The builder's set in memory of exactly its size. */
static crm_ids
finish(crm_ids_builder *builder, uint64_t *cardinality)
{
	size_t		size = crm_ids_builder_size(builder);
	uint8_t    *bytes = malloc(size);
	crm_ids		set = {bytes, size};
	bool		canonical;

	crm_ids_builder_write(builder, bytes);
	REQUIRE(crm_ids_validate(bytes, size, cardinality, &canonical) == CRM_OK);
	REQUIRE(canonical && *cardinality == crm_ids_builder_cardinality(builder));
	crm_ids_builder_free(builder);
	return set;
}

/* The bytes as a canonical set; false if they are refused. */
static bool
decode(const uint8_t *data, size_t size, crm_ids *set, uint64_t *cardinality)
{
	crm_env		env = unit_env();
	/* A block of its own: a sanitizer sees a step beyond it. */
	uint8_t    *bytes = malloc(size ? size : 1);
	crm_ids		raw = {bytes, size};
	crm_ids_builder *builder;
	crm_ids_runs runs;
	uint64_t	first,
				last,
				total = 0,
				again;
	bool		canonical;

	memcpy(bytes, data, size);
	if (crm_ids_validate(bytes, size, cardinality, &canonical) != CRM_OK)
	{
		free(bytes);
		return false;
	}
	REQUIRE(crm_ids_count(raw) == *cardinality);
	crm_ids_runs_first(&runs, raw);
	while (crm_ids_runs_next(&runs, &first, &last))
	{
		REQUIRE(first <= last && last <= CRM_ID_MAX);
		REQUIRE(crm_ids_contains(raw, first) && crm_ids_contains(raw, last));
		total += last - first + 1;
	}
	REQUIRE(total == *cardinality);
	REQUIRE(crm_ids_builder_new(&env, &builder) == CRM_OK);
	REQUIRE(crm_ids_builder_set(builder, raw) == CRM_OK);
	*set = finish(builder, &again);
	REQUIRE(again == *cardinality);
	REQUIRE(canonical == (set->size == size && memcmp(set->data, bytes, size) == 0));
	free(bytes);
	return true;
}

static uint64_t
combined(crm_ids_op op, crm_ids a, crm_ids b)
{
	crm_env		env = unit_env();
	crm_ids_builder *builder;
	uint64_t	cardinality;
	crm_ids		set;

	REQUIRE(crm_ids_builder_new(&env, &builder) == CRM_OK);
	REQUIRE(crm_ids_combine(&env, op, a, b, builder) == CRM_OK);
	set = finish(builder, &cardinality);
	free((void *) set.data);
	return cardinality;
}

/* Collected ids give the same bytes; parts have the sizes asked for. */
static void
use(crm_ids set, uint64_t cardinality)
{
	crm_env		env = unit_env();
	crm_ids_collector *collector;
	crm_ids_builder *builder;
	crm_ids_lookup lookup;
	crm_ids		other;
	uint64_t	id,
				count;

	REQUIRE(crm_ids_collector_new(&env, &collector) == CRM_OK);
	REQUIRE(crm_ids_collector_merge(collector, set) == CRM_OK);
	REQUIRE(crm_ids_builder_new(&env, &builder) == CRM_OK);
	REQUIRE(crm_ids_collector_build(collector, builder) == CRM_OK);
	other = finish(builder, &count);
	REQUIRE(other.size == set.size && memcmp(other.data, set.data, set.size) == 0);
	free((void *) other.data);
	crm_ids_collector_free(collector);

	REQUIRE(crm_ids_builder_new(&env, &builder) == CRM_OK);
	REQUIRE(crm_ids_slice(&env, set, cardinality / 3, cardinality / 2, builder) == CRM_OK);
	other = finish(builder, &count);
	REQUIRE(count == cardinality / 2 && crm_ids_is_subset(other, set));
	free((void *) other.data);

	REQUIRE(crm_ids_builder_new(&env, &builder) == CRM_OK);
	REQUIRE(crm_ids_sample(&env, set, cardinality / 4, 1, builder) == CRM_OK);
	other = finish(builder, &count);
	REQUIRE(count == cardinality / 4 && crm_ids_is_subset(other, set));
	free((void *) other.data);

	REQUIRE(crm_ids_lookup_init(&env, &lookup, set) == CRM_OK);
	REQUIRE(crm_ids_min(set, &id) == (cardinality > 0));
	if (cardinality > 0)
		REQUIRE(crm_ids_lookup_contains(&lookup, id) && (id == 0 || !crm_ids_lookup_contains(&lookup, id - 1)));
	REQUIRE(crm_ids_max(set, &id) == (cardinality > 0));
	if (cardinality > 0)
		REQUIRE(crm_ids_lookup_contains(&lookup, id) && !crm_ids_lookup_contains(&lookup, id + 1));
	free(lookup.directory);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	crm_env		env = unit_env();
	crm_ids		a,
				b;
	uint64_t	na,
				nb,
				both;
	size_t		cut;

	if (size < 1)
		return 0;
	cut = (size - 1) * data[0] / 255;
	if (!decode(data + 1, cut, &a, &na))
		return 0;
	use(a, na);
	if (decode(data + 1 + cut, size - 1 - cut, &b, &nb))
	{
		both = crm_ids_and_count(&env, a, b);
		REQUIRE(both == crm_ids_and_count(&env, b, a));
		REQUIRE(combined(CRM_AND, a, b) == both);
		REQUIRE(combined(CRM_OR, a, b) == na + nb - both);
		REQUIRE(combined(CRM_ANDNOT, a, b) == na - both);
		REQUIRE(combined(CRM_XOR, a, b) == na + nb - 2 * both);
		REQUIRE(crm_ids_intersects(a, b) == (both > 0));
		REQUIRE(crm_ids_is_subset(a, b) == (both == na));
		free((void *) b.data);
	}
	free((void *) a.data);
	return 0;
}
