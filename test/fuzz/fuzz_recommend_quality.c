/*
 * fuzz_recommend_quality.c - any bytes as what is known of how good lists of
 * recommendations are: refused, or means between 0 and 1, before and after more is
 * added, and the same bytes when it is written and read again.
 */
#include "fuzz.h"

#include "kernel/recommend_quality.h"

#define MOST_BYTES 100000

static void
use(const crm_quality *q)
{
	if (q->customers == 0)
		return;
	for (int i = 0; i < CRM_QUALITY_MEASURES; i++)
	{
		double		mean = crm_quality_mean(q, i);

		/* the quotient is rounded */
		REQUIRE(mean >= 0 && mean <= 1 + 1e-15);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	uint8_t    *bytes = malloc(size ? size : 1);	/* a sanitizer sees a step beyond it */
	crm_quality q,
				again;
	crm_status	status;

	memcpy(bytes, data, size);
	crm_quality_init(&q, &env, 5, MOST_BYTES);
	status = crm_quality_read(&q, bytes, size);
	REQUIRE(status == CRM_OK || status == CRM_CORRUPT || status == CRM_LIMIT);
	if (status == CRM_OK)
	{
		crm_quality_text texts[4] = {{"a", 1}, {"", 0}, {"a", 1}, {(const char *) bytes, size < 20 ? size : 20}};
		size_t		whole = crm_quality_size(&q);
		uint8_t    *copy = malloc(whole);

		use(&q);
		REQUIRE(whole <= size && q.bytes <= MOST_BYTES);
		crm_quality_write(&q, copy);
		/* items that came twice are one */
		REQUIRE(whole < size || memcmp(copy, bytes, size) == 0);
		crm_quality_init(&again, &env, 5, MOST_BYTES);
		REQUIRE(crm_quality_read(&again, copy, whole) == CRM_OK);
		REQUIRE(again.customers == q.customers && again.items.count == q.items.count && again.bytes == q.bytes);
		free(copy);

		/* twice the same: the same means, the same items */
		REQUIRE(crm_quality_read(&again, bytes, size) == CRM_OK);
		REQUIRE(again.customers == 2 * q.customers && again.items.count == q.items.count);
		use(&again);
		status = crm_quality_add(&again, texts, 4, texts + 1, 3);
		REQUIRE(status == CRM_OK || status == CRM_LIMIT);
		use(&again);
	}
	unit_pool_free(&pool);
	free(bytes);
	return 0;
}
