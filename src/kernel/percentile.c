/*
 * percentile.c - the position of a value among all values.
 */
#include "kernel/percentile.h"

/* Order of unsigned keys is order of the numbers; minus zero is none (crm_rfm_values_add). */
static inline uint64_t
key_of(double value)
{
	uint64_t	bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits ^ ((bits >> 63) != 0 ? ~UINT64_C(0) : UINT64_C(1) << 63);
}

static inline double
value_of(uint64_t key)
{
	uint64_t	bits = key ^ ((key >> 63) != 0 ? UINT64_C(1) << 63 : ~UINT64_C(0));
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* Sorts by bytes, from the lowest; a byte that all keys share is passed over. Returns where the keys are. */
static uint64_t *
sort_keys(const crm_env *env, uint64_t *keys, uint64_t *scratch, size_t count)
{
	for (int shift = 0; shift < 64; shift += 8)
	{
		size_t		places[256] = {0};
		size_t		before = 0;
		uint64_t   *other;

		for (size_t i = 0; i < count; i++)
			places[(keys[i] >> shift) & 255]++;
		crm_progress(env);
		if (places[(keys[0] >> shift) & 255] == count)
			continue;
		for (int i = 0; i < 256; i++)
		{
			size_t		here = places[i];

			places[i] = before;
			before += here;
		}
		for (size_t i = 0; i < count; i++)
		{
			scratch[places[(keys[i] >> shift) & 255]++] = keys[i];
			if ((i & 0xFFFFF) == 0)
				crm_progress(env);
		}
		other = keys;
		keys = scratch;
		scratch = other;
	}
	return keys;
}

static void
add_border(double *numbers, size_t *count, uint64_t key, uint64_t less, uint64_t total)
{
	numbers[(*count)++] = value_of(key);
	numbers[(*count)++] = total > 1 ? (double) less / (double) (total - 1) : 0;
}

crm_status
crm_percentile_borders(const crm_env *env, const crm_rfm_values *values, double **numbers, size_t *count)
{
	size_t		total = values->total;
	uint64_t   *first = env->alloc(env->arg, total * sizeof(uint64_t));
	uint64_t   *second = env->alloc(env->arg, total * sizeof(uint64_t));
	uint64_t   *keys;
	size_t		different = 0;
	size_t		borders;
	bool		exact;
	uint64_t	step = 0;
	size_t		n = 0;

	if (first == NULL || second == NULL)
		return CRM_NO_MEMORY;
	for (const crm_rfm_chunk *chunk = values->first; chunk != NULL; chunk = chunk->next)
		for (uint32_t i = 0; i < chunk->used; i++)
			first[n++] = key_of(chunk->values[i]);
	keys = sort_keys(env, first, second, total);
	for (size_t i = 0; i < total; i++)
		different += i == 0 || keys[i] != keys[i - 1];

	exact = different <= CRM_PERCENTILE_STEPS;
	borders = exact ? different : CRM_PERCENTILE_STEPS + 1;
	*numbers = env->alloc(env->arg, (CRM_PERCENTILE_HEADER + 2 * borders) * sizeof(double));
	if (*numbers == NULL)
		return CRM_NO_MEMORY;
	(*numbers)[0] = (double) total;
	(*numbers)[1] = exact;
	*count = CRM_PERCENTILE_HEADER;
	for (size_t i = 0; i < total; i++)
	{
		if (i > 0 && keys[i] == keys[i - 1])
			continue;
		if (!exact && (unsigned __int128) i * CRM_PERCENTILE_STEPS < (unsigned __int128) step * (total - 1))
			continue;
		add_border(*numbers, count, keys[i], i, total);
		if (!exact)
			step = (uint64_t) ((unsigned __int128) i * CRM_PERCENTILE_STEPS / (total - 1)) + 1;
	}
	env->release(env->arg, first);
	env->release(env->arg, second);
	return CRM_OK;
}

double
crm_percentile_at(const double *numbers, size_t count, double value)
{
	const double *borders = numbers + CRM_PERCENTILE_HEADER;
	size_t		low = 0;
	size_t		high = (count - CRM_PERCENTILE_HEADER) / 2;
	size_t		end = high;

	/* low: borders that are not above the value */
	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (borders[2 * middle] <= value)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return 0;
	if (borders[2 * (low - 1)] == value || numbers[1] == 0)
		return borders[2 * (low - 1) + 1];
	/* between two borders that are all values there are: below it are those below the next */
	return low < end ? borders[2 * low + 1] : 1;
}
