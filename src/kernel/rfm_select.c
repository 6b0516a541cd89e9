/*
 * rfm_select.c - quantiles without sorting everything.
 *
 * Whole numbers are counted per value, so only the different values are
 * sorted.  Of the other numbers a histogram over their leading 16 bits tells
 * in which buckets the wanted places lie; only those buckets are gathered and
 * looked at again, by the next 16 bits, until they are small enough to sort.
 */
#include "kernel/rfm.h"

#include <math.h>

/* So many values are sorted rather than counted; above it places ascend, as there are more values than places. */
#define SORT_BELOW (2 * CRM_RFM_MAX_BINS)
#define INSERTION_BELOW 24
#define DIGITS 65536
#define NOT_WANTED UINT64_MAX

/* ---- sorting --------------------------------------------------------- */

static inline unsigned
digit_of(int64_t key, int byte)
{
	return (unsigned) (((uint64_t) key ^ (UINT64_C(1) << 63)) >> (8 * byte)) & 0xFF;
}

void
crm_rfm_sort(const crm_env *env, crm_rfm_entry *entries, crm_rfm_entry *scratch, size_t count)
{
	crm_rfm_entry *from = entries;
	crm_rfm_entry *to = scratch;

	if (count <= INSERTION_BELOW)
	{
		for (size_t i = 1; i < count; i++)
		{
			crm_rfm_entry entry = entries[i];
			size_t		j = i;

			for (; j > 0 && entries[j - 1].key > entry.key; j--)
				entries[j] = entries[j - 1];
			entries[j] = entry;
		}
		return;
	}

	/* By one byte after the other, lowest first; a byte that all share moves nothing. */
	for (int byte = 0; byte < 8; byte++)
	{
		size_t		start[256] = {0};
		size_t		sum = 0;
		crm_rfm_entry *swap;

		for (size_t i = 0; i < count; i++)
			start[digit_of(from[i].key, byte)]++;
		if (start[digit_of(from[0].key, byte)] == count)
			continue;
		for (int d = 0; d < 256; d++)
		{
			size_t		here = start[d];

			start[d] = sum;
			sum += here;
		}
		for (size_t i = 0; i < count; i++)
			to[start[digit_of(from[i].key, byte)]++] = from[i];

		swap = from;
		from = to;
		to = swap;
		crm_progress(env);
	}
	if (from != entries)
		memcpy(entries, from, count * sizeof(crm_rfm_entry));
}

/* ---- floats as whole numbers of the same order ------------------------ */

static inline int64_t
key_of(double value)
{
	int64_t		bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits < 0 ? bits ^ INT64_MAX : bits;
}

static inline double
value_of(int64_t key)
{
	double		value;

	if (key < 0)
		key ^= INT64_MAX;
	memcpy(&value, &key, sizeof(value));
	return value;
}

/* ---- places ---------------------------------------------------------- */

/* The places of bins - 1 quantiles among total values: two for each, ascending. */
static void
list_places(uint64_t total, uint32_t bins, uint64_t *places)
{
	for (uint32_t k = 1; k < bins; k++)
	{
		uint64_t	at = (total - 1) * k;

		places[2 * k - 2] = at / bins;
		places[2 * k - 1] = at / bins + (at % bins != 0);
	}
}

static double
interpolate(double low, double high, uint64_t total, uint32_t bins, uint32_t k)
{
	double		part = (double) ((total - 1) * k % bins) / bins;
	double		border;

	if (low == high || part == 0)
		return low;
	border = low + part * (high - low);
	if (!isfinite(border))
		border = low * (1 - part) + high * part;
	/*
	 * Rounding must not carry a border onto or beyond the values that it separates,
	 * and borders in the same gap must not step back.
	 */
	if (border >= high)
		return nextafter(high, -INFINITY);
	return border < low ? low : border;
}

/* The keys at places of sorted entries.  With fewer values than bins the places may step back by one. */
static void
pick_places(const crm_rfm_entry *entries, const uint64_t *places, uint32_t count, int64_t *keys)
{
	uint64_t	end = (uint64_t) entries->count;

	for (uint32_t i = 0; i < count; i++)
	{
		while (places[i] >= end)
			end += (uint64_t) (++entries)->count;
		while (places[i] < end - (uint64_t) entries->count)
			end -= (uint64_t) (entries--)->count;
		keys[i] = entries->key;
	}
}

crm_status
crm_rfm_counts_borders(const crm_env *env, const crm_rfm_counts *counts, uint32_t bins, double *borders)
{
	size_t		slots = (size_t) 1 << counts->bits;
	size_t		used = 0;
	crm_rfm_entry *entries = env->alloc(env->arg, 2 * counts->used * sizeof(crm_rfm_entry));
	uint64_t   *places = env->alloc(env->arg, (size_t) bins * 2 * sizeof(uint64_t));
	int64_t    *keys = env->alloc(env->arg, (size_t) bins * 2 * sizeof(int64_t));

	if (entries == NULL || places == NULL || keys == NULL)
		return CRM_NO_MEMORY;
	for (size_t i = 0; i < slots; i++)
	{
		if (counts->slots[i].count != 0)
			entries[used++] = counts->slots[i];
	}
	crm_rfm_sort(env, entries, entries + used, used);
	list_places(counts->total, bins, places);
	pick_places(entries, places, 2 * (bins - 1), keys);
	for (uint32_t k = 1; k < bins; k++)
		borders[k - 1] = interpolate((double) keys[2 * k - 2], (double) keys[2 * k - 1], counts->total, bins, k);
	env->release(env->arg, keys);
	env->release(env->arg, places);
	env->release(env->arg, entries);
	return CRM_OK;
}

/* ---- selection ------------------------------------------------------- */

/* Places and what is found there; places are relative to the values at hand. */
typedef struct wanted
{
	uint64_t   *places;
	int64_t    *keys;
	uint32_t	count;
} wanted;

/* A run of wanted places that lie in one bucket, and where its values were gathered. */
typedef struct bucket
{
	uint64_t	start;
	uint64_t	size;
	uint32_t	first;
	uint32_t	count;
} bucket;

static crm_status
select_sorted(const crm_env *env, const int64_t *values, uint64_t total, wanted want)
{
	crm_rfm_entry *entries = env->alloc(env->arg, 2 * total * sizeof(crm_rfm_entry));

	if (entries == NULL)
		return CRM_NO_MEMORY;
	for (uint64_t i = 0; i < total; i++)
		entries[i] = (crm_rfm_entry) {values[i], 1};
	crm_rfm_sort(env, entries, entries + total, total);
	pick_places(entries, want.places, want.count, want.keys);
	env->release(env->arg, entries);
	return CRM_OK;
}

/*
 * From the histogram: lists the buckets that hold wanted places, makes those
 * places relative to them, and turns each number of the histogram into the
 * place in the gathered array where the bucket's next value goes.
 */
static uint64_t
choose_buckets(uint64_t *histogram, wanted want, bucket *buckets, uint32_t *bucket_count)
{
	uint64_t	before = 0;
	uint64_t	gathered = 0;
	uint32_t	next = 0;

	*bucket_count = 0;
	for (uint32_t d = 0; d < DIGITS; d++)
	{
		uint64_t	size = histogram[d];
		uint32_t	first = next;

		histogram[d] = NOT_WANTED;
		while (next < want.count && want.places[next] < before + size)
			want.places[next++] -= before;
		if (next > first)
		{
			histogram[d] = gathered;
			buckets[(*bucket_count)++] = (bucket) {gathered, size, first, next - first};
			gathered += size;
		}
		before += size;
	}
	return gathered;
}

static inline uint32_t
digit16(int64_t key, int shift)
{
	return (uint32_t) (((uint64_t) key ^ (UINT64_C(1) << 63)) >> shift) & 0xFFFF;
}

static crm_status select_keys(const crm_env *env, uint64_t *histogram, const int64_t *values, uint64_t total,
							  int shift, wanted want);

/* Goes on with the gathered buckets; frees them and their list. */
static crm_status
select_in_buckets(const crm_env *env, uint64_t *histogram, int64_t *gathered, bucket *buckets, uint32_t bucket_count,
				  int shift, wanted want)
{
	for (uint32_t b = 0; b < bucket_count; b++)
	{
		wanted		inner = {want.places + buckets[b].first, want.keys + buckets[b].first, buckets[b].count};

		CRM_TRY(select_keys(env, histogram, gathered + buckets[b].start, buckets[b].size, shift, inner));
	}
	env->release(env->arg, gathered);
	env->release(env->arg, buckets);
	return CRM_OK;
}

/* Values that agree in all bits above shift + 16. */
static crm_status
select_keys(const crm_env *env, uint64_t *histogram, const int64_t *values, uint64_t total, int shift, wanted want)
{
	bucket	   *buckets;
	uint32_t	bucket_count;
	uint64_t	gathered_count;
	int64_t    *gathered;

	if (shift < 0)
	{
		for (uint32_t i = 0; i < want.count; i++)
			want.keys[i] = values[0];
		return CRM_OK;
	}
	if (total <= SORT_BELOW)
		return select_sorted(env, values, total, want);

	memset(histogram, 0, DIGITS * sizeof(uint64_t));
	for (uint64_t i = 0; i < total; i++)
		histogram[digit16(values[i], shift)]++;
	crm_progress(env);
	buckets = env->alloc(env->arg, want.count * sizeof(bucket));
	if (buckets == NULL)
		return CRM_NO_MEMORY;
	gathered_count = choose_buckets(histogram, want, buckets, &bucket_count);
	if (bucket_count == 1 && gathered_count == total)
	{
		/* All share these bits: nothing to gather. */
		env->release(env->arg, buckets);
		return select_keys(env, histogram, values, total, shift - 16, want);
	}
	gathered = env->alloc(env->arg, gathered_count * sizeof(int64_t));
	if (gathered == NULL)
		return CRM_NO_MEMORY;
	for (uint64_t i = 0; i < total; i++)
	{
		uint32_t	d = digit16(values[i], shift);

		if (histogram[d] != NOT_WANTED)
			gathered[histogram[d]++] = values[i];
	}
	crm_progress(env);
	return select_in_buckets(env, histogram, gathered, buckets, bucket_count, shift - 16, want);
}

/* The same for the first 16 bits, from the chunks. */
static crm_status
select_values(const crm_env *env, const crm_rfm_values *values, wanted want)
{
	uint64_t   *histogram = NULL;
	bucket	   *buckets;
	uint32_t	bucket_count;
	int64_t    *gathered;
	uint64_t	at = 0;

	if (values->total <= SORT_BELOW)
	{
		gathered = env->alloc(env->arg, values->total * sizeof(int64_t));
		if (gathered == NULL)
			return CRM_NO_MEMORY;
		for (const crm_rfm_chunk *chunk = values->first; chunk != NULL; chunk = chunk->next)
		{
			for (uint32_t i = 0; i < chunk->used; i++)
				gathered[at++] = key_of(chunk->values[i]);
		}
		CRM_TRY(select_sorted(env, gathered, values->total, want));
		env->release(env->arg, gathered);
		return CRM_OK;
	}

	histogram = env->alloc(env->arg, DIGITS * sizeof(uint64_t));
	buckets = env->alloc(env->arg, want.count * sizeof(bucket));
	if (histogram == NULL || buckets == NULL)
		return CRM_NO_MEMORY;
	memset(histogram, 0, DIGITS * sizeof(uint64_t));
	for (const crm_rfm_chunk *chunk = values->first; chunk != NULL; chunk = chunk->next)
	{
		for (uint32_t i = 0; i < chunk->used; i++)
			histogram[digit16(key_of(chunk->values[i]), 48)]++;
		crm_progress(env);
	}
	gathered = env->alloc(env->arg, choose_buckets(histogram, want, buckets, &bucket_count) * sizeof(int64_t));
	if (gathered == NULL)
		return CRM_NO_MEMORY;
	for (const crm_rfm_chunk *chunk = values->first; chunk != NULL; chunk = chunk->next)
	{
		for (uint32_t i = 0; i < chunk->used; i++)
		{
			int64_t		key = key_of(chunk->values[i]);
			uint32_t	d = digit16(key, 48);

			if (histogram[d] != NOT_WANTED)
				gathered[histogram[d]++] = key;
		}
		crm_progress(env);
	}
	CRM_TRY(select_in_buckets(env, histogram, gathered, buckets, bucket_count, 32, want));
	env->release(env->arg, histogram);
	return CRM_OK;
}

crm_status
crm_rfm_values_borders(const crm_env *env, const crm_rfm_values *values, uint32_t bins, double *borders)
{
	wanted		want;

	want.count = 2 * (bins - 1);
	want.places = env->alloc(env->arg, (size_t) bins * 2 * sizeof(uint64_t));
	want.keys = env->alloc(env->arg, (size_t) bins * 2 * sizeof(int64_t));
	if (want.places == NULL || want.keys == NULL)
		return CRM_NO_MEMORY;
	list_places(values->total, bins, want.places);
	CRM_TRY(select_values(env, values, want));
	for (uint32_t k = 1; k < bins; k++)
		borders[k - 1] = interpolate(value_of(want.keys[2 * k - 2]), value_of(want.keys[2 * k - 1]),
									 values->total, bins, k);
	env->release(env->arg, want.keys);
	env->release(env->arg, want.places);
	return CRM_OK;
}
