/*
 * fuzz_baskets.c - any bytes as rows of baskets on the way between processes:
 * refused, or put together, mined and turned into rules without harm, and written
 * again to rows that give the same.
 */
#include "fuzz.h"

#include "kernel/itemsets.h"

#define MEMORY (1 << 20)

/* What is found in the rows; false when they need too much memory. */
static bool
mine(const crm_baskets *b, const crm_env *env, crm_basket_index *index, crm_itemsets *found)
{
	crm_rule_limits limits = {0.1, 0, 2, true, true};
	crm_rule   *rules;
	size_t		count;
	crm_status	status = crm_baskets_index(b, env, true, index);

	if (status != CRM_OK)
	{
		REQUIRE(status == CRM_LIMIT || status == CRM_OUT_OF_RANGE);
		return false;
	}
	status = crm_itemsets_mine(env, index, 1, 5, MEMORY, found);
	if (status == CRM_OK)
		status = crm_itemsets_rules(env, found, &limits, &rules, &count);
	REQUIRE(status == CRM_OK || status == CRM_LIMIT);
	for (size_t i = 0; status == CRM_OK && i < count; i++)
	{
		crm_rule_counts counts = {rules[i].antecedent_baskets, found->sets[rules[i].consequent].baskets, found->sets[rules[i].set].baskets, found->baskets};
		double		measures[CRM_RULE_MEASURES];

		REQUIRE(crm_rule_measure_all(env, &counts, measures) == CRM_OK);
	}
	return status == CRM_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	crm_baskets b;
	crm_baskets again;
	crm_basket_index index;
	crm_basket_index index_again;
	crm_itemsets found;
	crm_itemsets found_again;
	crm_status	status;

	if (size < 1)
		return 0;
	crm_baskets_init(&b, &env, data[0] & 1, data[0] & 2, MEMORY);
	status = crm_baskets_read(&b, data + 1, size - 1);
	REQUIRE(status == CRM_OK || status == CRM_CORRUPT || status == CRM_LIMIT);
	if (status == CRM_OK && mine(&b, &env, &index, &found))
	{
		size_t		written = crm_baskets_size(&b);
		uint8_t    *bytes = malloc(written);

		crm_baskets_write(&b, bytes);
		crm_baskets_init(&again, &env, b.named, b.weighted, MEMORY);
		REQUIRE(crm_baskets_read(&again, bytes, written) == CRM_OK);
		REQUIRE(again.rows == b.rows && mine(&again, &env, &index_again, &found_again));
		REQUIRE(found.count == found_again.count && index.basket_count == index_again.basket_count);
		free(bytes);
	}
	unit_pool_free(&pool);
	return 0;
}
