/*
 * fuzz_rfm_sample.c - any bytes as a sample of recency, frequency and monetary
 * value, which is also the state of percentiles, bins and robust scales: refused,
 * or good for every question, in one part as in two.
 *
 * The first byte says where the rest is cut into two samples, the second into how
 * many bins.
 */
#include "fuzz.h"

#include "kernel/outliers.h"
#include "kernel/percentile.h"
#include "kernel/rfm.h"

static crm_status
read_exactly(crm_rfm_sample *sample, const uint8_t *data, size_t size)
{
	/* a block of its own: a sanitizer sees a step beyond it */
	uint8_t    *bytes = malloc(size ? size : 1);
	crm_status	status;

	memcpy(bytes, data, size);
	status = crm_rfm_sample_read(sample, bytes, size);
	free(bytes);
	return status;
}

static void
ascend(const double *borders, uint32_t bins)
{
	for (uint32_t i = 0; i + 1 < bins; i++)
		REQUIRE(isfinite(borders[i]) && (i == 0 || borders[i - 1] <= borders[i]));
}

static void
use(const crm_rfm_sample *sample, const crm_env *env, uint32_t bins)
{
	const crm_rfm_values *values = &sample->monetary;
	double		borders[256];
	double	   *numbers;
	size_t		count;
	crm_robust_scale scale;

	if (sample->recency.total > 0)
	{
		REQUIRE(crm_rfm_counts_borders(env, &sample->recency, bins, borders) == CRM_OK);
		ascend(borders, bins);
	}
	if (sample->frequency.total > 0)
	{
		REQUIRE(crm_rfm_counts_borders(env, &sample->frequency, bins, borders) == CRM_OK);
		ascend(borders, bins);
	}
	if (values->total == 0)
		return;
	REQUIRE(crm_rfm_values_borders(env, values, bins, borders) == CRM_OK);
	ascend(borders, bins);
	REQUIRE(crm_percentile_borders(env, values, &numbers, &count) == CRM_OK);
	if (crm_robust_scale_of(env, values, &scale) == CRM_OK)
		REQUIRE(scale.lower_quartile <= scale.median && scale.median <= scale.upper_quartile && scale.mad >= 0);
	else
		scale.count = 0;
	for (const crm_rfm_chunk *chunk = values->first; chunk != NULL; chunk = chunk->next)
		for (uint32_t i = 0; i < chunk->used; i++)
		{
			double		value = chunk->values[i];
			double		place = crm_percentile_at(numbers, count, value);
			int			bin = crm_rfm_bin(borders, bins - 1, true, value);

			REQUIRE(place >= 0 && place <= 1);
			REQUIRE(bin >= 1 && bin <= (int) bins);
			if (scale.count > 0)
				REQUIRE(!isnan(crm_robust_z(&scale, value)));
		}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	crm_rfm_sample sample,
				again;
	uint32_t	bins;
	uint8_t    *bytes;
	size_t		cut;
	crm_status	status;

	if (size < 2)
		return 0;
	cut = (size - 2) * data[0] / 255;
	bins = 2 + data[1] % 200;
	data += 2;
	size -= 2;
	crm_rfm_sample_init(&sample, &env);
	status = read_exactly(&sample, data, cut);
	REQUIRE(status == CRM_OK || status == CRM_CORRUPT || status == CRM_LIMIT);
	if (status == CRM_OK)
		use(&sample, &env, bins);
	if (status == CRM_OK && cut < size)
		status = read_exactly(&sample, data + cut, size - cut);
	if (status == CRM_OK)
	{
		size_t		whole = crm_rfm_sample_size(&sample);

		REQUIRE(whole <= size);
		use(&sample, &env, bins);
		bytes = malloc(whole);
		crm_rfm_sample_write(&sample, bytes);
		crm_rfm_sample_init(&again, &env);
		REQUIRE(read_exactly(&again, bytes, whole) == CRM_OK);
		REQUIRE(again.recency.used == sample.recency.used && again.recency.total == sample.recency.total);
		REQUIRE(again.frequency.used == sample.frequency.used && again.frequency.total == sample.frequency.total);
		REQUIRE(again.monetary.total == sample.monetary.total);
		free(bytes);
	}
	unit_pool_free(&pool);
	return 0;
}
