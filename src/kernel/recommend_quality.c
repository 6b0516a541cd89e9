/*
 * recommend_quality.c - how good lists of recommendations are.
 */
#include "kernel/recommend_quality.h"

#include <math.h>

#define ONE 0x1p52
#define VALUE_BYTES (sizeof(crm_value_entry) + 4 * sizeof(uint32_t) + 16)
#define WIRE_HEADER (8 + 16 * CRM_QUALITY_MEASURES + 4)
#define ITEMS_A_STEP 65536

void
crm_quality_init(crm_quality *q, const crm_env *env, uint32_t k, size_t max_bytes)
{
	memset(q, 0, sizeof(*q));
	q->env = *env;
	q->k = k;
	q->max_bytes = max_bytes;
}

/* ---- customers ------------------------------------------------------------- */

static void
add_wide(crm_quality *q, int measure, uint64_t high, uint64_t low)
{
	q->low[measure] += low;
	q->high[measure] += high + (q->low[measure] < low);
}

static bool
same(crm_quality_text a, crm_quality_text b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

static bool
is_among(crm_quality_text text, const crm_quality_text *texts, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (same(text, texts[i]))
			return true;
	return false;
}

/* What a right item at that place, from 0, is worth. */
static double
gain(uint32_t place)
{
	return 1 / log2(place + 2.0);
}

static crm_status
note_item(crm_quality *q, const char *text, size_t length)
{
	uint32_t	code;

	if (crm_value_find(&q->items, text, length) != 0)
		return CRM_OK;
	if (q->bytes + length + VALUE_BYTES > q->max_bytes)
		return CRM_LIMIT;
	CRM_TRY(crm_value_add(&q->items, &q->env, text, length, UINT32_MAX, &code));
	q->bytes += length + VALUE_BYTES;
	return CRM_OK;
}

crm_status
crm_quality_add(crm_quality *q, const crm_quality_text *recommended, uint32_t recommended_count,
				const crm_quality_text *taken, uint32_t taken_count)
{
	double		measures[CRM_QUALITY_MEASURES] = {0};
	double		gained = 0;
	double		best = 0;
	uint32_t	wanted = 0;
	uint32_t	right = 0;

	for (uint32_t i = 0; i < taken_count; i++)
	{
		wanted += !is_among(taken[i], taken, i);
		if (i % 64 == 0)
			crm_progress(&q->env);
	}
	for (uint32_t i = 0; i < recommended_count && i < q->k; i++)
	{
		CRM_TRY(note_item(q, recommended[i].bytes, recommended[i].length));
		if (i % 64 == 0)
			crm_progress(&q->env);
		if (!is_among(recommended[i], taken, taken_count) || is_among(recommended[i], recommended, i))
			continue;
		if (right++ == 0)
			measures[CRM_QUALITY_MRR] = 1 / (i + 1.0);
		gained += gain(i);
	}
	for (uint32_t i = 0; i < wanted && i < q->k; i++)
		best += gain(i);
	measures[CRM_QUALITY_HIT] = right > 0;
	measures[CRM_QUALITY_PRECISION] = (double) right / q->k;
	measures[CRM_QUALITY_RECALL] = (double) right / wanted;
	measures[CRM_QUALITY_NDCG] = gained / best;
	q->customers++;
	for (int i = 0; i < CRM_QUALITY_MEASURES; i++)
		add_wide(q, i, 0, (uint64_t) rint(fmin(measures[i], 1) * ONE));
	return CRM_OK;
}

double
crm_quality_mean(const crm_quality *q, crm_quality_measure measure)
{
	return ((double) q->high[measure] * 0x1p64 + (double) q->low[measure]) / ONE / (double) q->customers;
}

/* ---- to another process ------------------------------------------------------ */

size_t
crm_quality_size(const crm_quality *q)
{
	size_t		size = WIRE_HEADER;

	for (uint32_t i = 0; i < q->items.count; i++)
		size += 4 + (size_t) q->items.entries[i].length;
	return size;
}

void
crm_quality_write(const crm_quality *q, uint8_t *out)
{
	crm_store64(out, q->customers);
	out += 8;
	for (int i = 0; i < CRM_QUALITY_MEASURES; i++, out += 16)
	{
		crm_store64(out, q->high[i]);
		crm_store64(out + 8, q->low[i]);
	}
	crm_store32(out, q->items.count);
	out += 4;
	for (uint32_t i = 0; i < q->items.count; i++)
	{
		crm_store32(out, q->items.entries[i].length);
		memcpy(out + 4, q->items.entries[i].text, q->items.entries[i].length);
		out += 4 + (size_t) q->items.entries[i].length;
	}
}

crm_status
crm_quality_read(crm_quality *q, const uint8_t *bytes, size_t size)
{
	uint64_t	customers;
	uint32_t	items;
	size_t		at = WIRE_HEADER;

	if (size < WIRE_HEADER)
		return CRM_CORRUPT;
	customers = crm_load64(bytes);
	/* So many that the sums of no two states overflow. */
	if (customers > UINT64_MAX / 4 || q->customers > UINT64_MAX / 2)
		return CRM_CORRUPT;
	for (int i = 0; i < CRM_QUALITY_MEASURES; i++)
	{
		uint64_t	high = crm_load64(bytes + 8 + 16 * i);
		uint64_t	low = crm_load64(bytes + 16 + 16 * i);

		/* at most 1 for each customer */
		if (high > customers >> 12 || (high == customers >> 12 && low > customers << 52))
			return CRM_CORRUPT;
		add_wide(q, i, high, low);
	}
	q->customers += customers;
	items = crm_load32(bytes + WIRE_HEADER - 4);
	for (uint32_t i = 0; i < items; i++)
	{
		uint32_t	length;

		if (size - at < 4 || (length = crm_load32(bytes + at)) > size - at - 4)
			return CRM_CORRUPT;
		CRM_TRY(note_item(q, (const char *) bytes + at + 4, length));
		at += 4 + (size_t) length;
		if (i % ITEMS_A_STEP == 0)
			crm_progress(&q->env);
	}
	return at == size ? CRM_OK : CRM_CORRUPT;
}
