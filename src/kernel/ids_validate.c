/*
 * ids_validate.c - checking a set that comes from outside.
 *
 * Readers trust a set that passed here with their memory, so every count is
 * held against the remaining bytes before it is used.
 */
#include "kernel/ids_words.h"

/* Bytes not yet looked at. */
typedef struct input
{
	const uint8_t *p;
	size_t		left;
} input;

static bool
take(input *in, size_t size, const uint8_t **bytes)
{
	if (size > in->left)
		return false;
	*bytes = in->p;
	in->p += size;
	in->left -= size;
	return true;
}

/* The payload of one container: order, bounds, cardinality as announced. */
static crm_status
validate_container(input *in, bool is_run, uint32_t cardinality, bool *canonical)
{
	const uint8_t *data;
	uint32_t	runs = 0;

	if (is_run)
	{
		uint32_t	total = 0;
		uint32_t	end = 0;	/* the last run's last offset */

		if (!take(in, 2, &data))
			return CRM_CORRUPT;
		runs = crm_load16(data);
		if (runs == 0 || !take(in, 4 * (size_t) runs, &data))
			return CRM_CORRUPT;
		for (uint32_t i = 0; i < runs; i++)
		{
			uint32_t	start = crm_load16(data + 4 * i);
			uint32_t	length = (uint32_t) crm_load16(data + 4 * i + 2) + 1;

			/* Touching runs would be one. */
			if (start + length > CRM_CONTAINER_BITS || (i > 0 && start <= end + 1))
				return CRM_CORRUPT;
			end = start + length - 1;
			total += length;
		}
		if (total != cardinality)
			return CRM_CORRUPT;
		if (crm_container_smallest(cardinality, runs) != CRM_RUN)
			*canonical = false;
		return CRM_OK;
	}

	if (cardinality <= CRM_ARRAY_MAX)
	{
		uint32_t	before = 0;

		if (!take(in, 2 * (size_t) cardinality, &data))
			return CRM_CORRUPT;
		for (uint32_t i = 0; i < cardinality; i++)
		{
			uint32_t	offset = crm_load16(data + 2 * i);

			if (i > 0 && offset <= before)
				return CRM_CORRUPT;
			if (i == 0 || offset != before + 1)
				runs++;
			before = offset;
		}
	}
	else
	{
		uint64_t	words[CRM_CONTAINER_WORDS];
		uint32_t	bits;

		if (!take(in, CRM_CONTAINER_BYTES, &data))
			return CRM_CORRUPT;
		crm_words_load(words, data);
		crm_words_stats(words, &bits, &runs);
		if (bits != cardinality)
			return CRM_CORRUPT;
	}
	if (crm_container_smallest(cardinality, runs) == CRM_RUN)
		*canonical = false;
	return CRM_OK;
}

/* One 32-bit bitmap. */
static crm_status
validate_bitmap(const crm_env *env, input *in, uint64_t *total, bool *canonical)
{
	const uint8_t *base = in->p;
	const uint8_t *bytes;
	const uint8_t *run_flags = NULL;
	const uint8_t *descriptors;
	const uint8_t *offsets = NULL;
	uint32_t	cookie;
	uint32_t	containers;
	bool		has_runs = false;

	if (!take(in, 4, &bytes))
		return CRM_CORRUPT;
	cookie = crm_load32(bytes);
	if ((cookie & 0xffff) == CRM_COOKIE_RUNS)
	{
		containers = (cookie >> 16) + 1;
		if (!take(in, (containers + 7) / 8, &run_flags))
			return CRM_CORRUPT;
		/* Flags of containers that do not exist. */
		if (containers % 8 != 0 && run_flags[containers / 8] >> (containers % 8) != 0)
			*canonical = false;
	}
	else
	{
		if (cookie != CRM_COOKIE_PLAIN || !take(in, 4, &bytes))
			return CRM_CORRUPT;
		containers = crm_load32(bytes);
		if (containers > CRM_CONTAINER_BITS)
			return CRM_CORRUPT;
		if (containers == 0)
			*canonical = false;
	}
	if (!take(in, 4 * (size_t) containers, &descriptors))
		return CRM_CORRUPT;
	if ((run_flags == NULL || containers >= CRM_OFFSETS_FROM) &&
		!take(in, 4 * (size_t) containers, &offsets))
		return CRM_CORRUPT;

	for (uint32_t i = 0; i < containers; i++)
	{
		const uint8_t *descriptor = descriptors + 4 * (size_t) i;
		uint32_t	cardinality = (uint32_t) crm_load16(descriptor + 2) + 1;
		bool		is_run = run_flags && (run_flags[i >> 3] >> (i & 7)) & 1;

		if (env && i % 256 == 255)
			crm_progress(env);
		if (i > 0 && crm_load16(descriptor) <= crm_load16(descriptor - 4))
			return CRM_CORRUPT;
		if (offsets && crm_load32(offsets + 4 * (size_t) i) != (uint64_t) (in->p - base))
			return CRM_CORRUPT;
		CRM_TRY(validate_container(in, is_run, cardinality, canonical));
		has_runs |= is_run;
		*total += cardinality;
	}
	if (run_flags && !has_runs)
		*canonical = false;
	return CRM_OK;
}

crm_status
crm_ids_validate(const uint8_t *data, size_t size, uint64_t *cardinality, bool *canonical)
{
	return crm_ids_validate_long(NULL, data, size, cardinality, canonical);
}

crm_status
crm_ids_validate_long(const crm_env *env, const uint8_t *data, size_t size,
					  uint64_t *cardinality, bool *canonical)
{
	input		in = {data, size};
	const uint8_t *bytes;
	uint64_t	buckets;
	uint32_t	before = 0;

	*cardinality = 0;
	*canonical = true;
	if (!take(&in, 8, &bytes))
		return CRM_CORRUPT;
	buckets = crm_load64(bytes);
	for (uint64_t i = 0; i < buckets; i++)
	{
		uint32_t	key;

		/* The shortest bucket takes 12 bytes, so a false count ends here. */
		if (!take(&in, 4, &bytes))
			return CRM_CORRUPT;
		key = crm_load32(bytes);
		if (i > 0 && key <= before)
			return CRM_CORRUPT;
		if (key > (uint32_t) (CRM_ID_MAX >> 32))
			return CRM_OUT_OF_RANGE;
		before = key;
		CRM_TRY(validate_bitmap(env, &in, cardinality, canonical));
		if (env && i % 256 == 255)
			crm_progress(env);
	}
	return in.left == 0 ? CRM_OK : CRM_CORRUPT;
}
