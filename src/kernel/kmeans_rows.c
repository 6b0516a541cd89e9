/*
 * kmeans_rows.c - the rows of k-means: one order whatever order they came in, one
 * of each, their means and scales.
 */
#include "kernel/kmeans_private.h"

#include <math.h>
#include <stdlib.h>

/* What sorting needs of a row. */
typedef struct row_key
{
	uint64_t	hash;
	uint32_t	row;
} row_key;

#define DIGIT_BITS 11
#define DIGITS (1 << DIGIT_BITS)
/* Rows are sorted by the upper bits of their hashes; the few that these do not tell apart are sorted by the rest afterwards. */
#define LOWER_BITS 31
/* Squares summed must stay far from infinity: distances are up to four times as large. */
#define MAX_TOTAL 1e300
/* How far ahead rows are asked for that lie anywhere. */
#define AHEAD 16

static uint64_t
bits_of(double number)
{
	uint64_t	bits;

	if (isnan(number))
		return UINT64_C(0x7FF8000000000000);
	number += 0.0;				/* -0 becomes 0 */
	memcpy(&bits, &number, sizeof(bits));
	return bits;
}

static inline uint64_t
hash_step(uint64_t hash, double number)
{
	hash = (hash ^ bits_of(number)) * UINT64_C(0x9E3779B97F4A7C15);
	return hash ^ (hash >> 29);
}

uint64_t
crm_kmeans_hash(const double *numbers, uint32_t count)
{
	uint64_t	hash = count;

	for (uint32_t i = 0; i < count; i++)
		hash = hash_step(hash, numbers[i]);
	return kmeans_mix(hash);
}

/* ---- order -------------------------------------------------------------- */

/* By the upper bits of the hash, digit by digit. */
static crm_status
sort_keys(row_key **keys, row_key **spare, uint32_t count, const crm_env *env)
{
	uint32_t   *counts = kmeans_alloc(env, DIGITS, sizeof(uint32_t));

	if (counts == NULL)
		return CRM_NO_MEMORY;
	for (int shift = LOWER_BITS; shift < 64; shift += DIGIT_BITS)
	{
		row_key    *from = *keys;
		row_key    *to = *spare;
		uint32_t	place = 0;

		crm_progress(env);
		memset(counts, 0, sizeof(uint32_t) * DIGITS);
		for (uint32_t i = 0; i < count; i++)
			counts[from[i].hash >> shift & (DIGITS - 1)]++;
		for (int d = 0; d < DIGITS; d++)
		{
			uint32_t	here = counts[d];

			counts[d] = place;
			place += here;
		}
		for (uint32_t i = 0; i < count; i++)
			to[counts[from[i].hash >> shift & (DIGITS - 1)]++] = from[i];
		*keys = to;
		*spare = from;
	}
	env->release(env->arg, counts);
	return CRM_OK;
}

/* By the numbers themselves; missing ones behind the others. */
static int
compare_rows(const double *a, const double *b, uint32_t width)
{
	for (uint32_t j = 0; j < width; j++)
	{
		if (isnan(a[j]) || isnan(b[j]))
		{
			if (isnan(a[j]) != isnan(b[j]))
				return isnan(a[j]) ? 1 : -1;
		}
		else if (a[j] != b[j])
			return a[j] < b[j] ? -1 : 1;
	}
	return 0;
}

static int
compare_keys(const row_key *a, const row_key *b, const double *raw, uint32_t width)
{
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return compare_rows(raw + (size_t) a->row * width, raw + (size_t) b->row * width, width);
}

static void
sift_down(row_key *keys, size_t root, size_t count, const double *raw, uint32_t width)
{
	for (;;)
	{
		size_t		child = 2 * root + 1;
		row_key		kept;

		if (child >= count)
			return;
		if (child + 1 < count && compare_keys(&keys[child], &keys[child + 1], raw, width) < 0)
			child++;
		if (compare_keys(&keys[root], &keys[child], raw, width) >= 0)
			return;
		kept = keys[root];
		keys[root] = keys[child];
		keys[child] = kept;
		root = child;
	}
}

/*
 * Rows whose hashes begin alike are nearly always equal.  Where they are not, the
 * rest of the hash decides, then their numbers, by a sort that no choice of rows
 * makes slow.
 */
static void
sort_alike(row_key *keys, size_t count, const double *raw, uint32_t width, const crm_env *env)
{
	const double *first = raw + (size_t) keys[0].row * width;
	size_t		same = 1;

	while (same < count && compare_rows(first, raw + (size_t) keys[same].row * width, width) == 0)
		same++;
	if (same == count)
		return;
	for (size_t i = count / 2; i-- > 0;)
		sift_down(keys, i, count, raw, width);
	for (size_t i = count; i-- > 1;)
	{
		row_key		kept = keys[0];

		if (i % KMEANS_STRIDE == 0)
			crm_progress(env);
		keys[0] = keys[i];
		keys[i] = kept;
		sift_down(keys, 0, i, raw, width);
	}
}

/* ---- reading -------------------------------------------------------------- */

/* All rows as they came: features, then the weight; copies apart; and their keys. */
static void
read_parts(const crm_columns *columns, uint32_t features, double *raw, uint64_t *copies, row_key *keys, const crm_env *env)
{
	uint32_t	width = features + 1;
	uint32_t	before = 0;
	double		numbers[CRM_COLUMNS_MAX_BLOCK];
	uint64_t	hashes[CRM_COLUMNS_MAX_BLOCK];

	for (size_t part = 0; part < crm_columns_parts(columns); part++)
	{
		uint32_t	count = crm_columns_part_rows(columns, part);
		double	   *rows = raw + (size_t) before * width;

		crm_progress(env);
		for (uint32_t i = 0; i < count; i++)
			hashes[i] = width;
		for (uint32_t j = 0; j < features; j++)
		{
			crm_columns_read(columns, part, CRM_KMEANS_FEATURES + j, numbers);
			for (uint32_t i = 0; i < count; i++)
			{
				rows[(size_t) i * width + j] = numbers[i] + 0.0;
				hashes[i] = hash_step(hashes[i], numbers[i]);
			}
		}
		crm_columns_read(columns, part, CRM_KMEANS_WEIGHT, numbers);
		for (uint32_t i = 0; i < count; i++)
		{
			rows[(size_t) i * width + features] = numbers[i];
			keys[before + i] = (row_key) {kmeans_mix(hash_step(hashes[i], numbers[i])), before + i};
		}
		crm_columns_read(columns, part, CRM_KMEANS_COPIES, numbers);
		for (uint32_t i = 0; i < count; i++)
			copies[before + i] = (uint64_t) numbers[i];
		before += count;
	}
}

/* The rows in order of the keys, equal ones joined. */
static void
gather(kmeans_rows *rows, row_key *keys, uint32_t count, const double *raw, const uint64_t *copies, const crm_env *env)
{
	uint32_t	features = rows->features;
	uint32_t	width = features + 1;
	uint32_t	out = 0;
	const double *previous = NULL;

	for (uint32_t i = 0; i < count; i++)
	{
		const double *row = raw + (size_t) keys[i].row * width;

		if (i % KMEANS_STRIDE == 0)
			crm_progress(env);
		if (i + AHEAD < count)
			for (uint32_t j = 0; j < width; j += 8)
				__builtin_prefetch(raw + (size_t) keys[i + AHEAD].row * width + j);
		if (i == 0 || keys[i].hash >> LOWER_BITS != keys[i - 1].hash >> LOWER_BITS)
		{
			uint32_t	end = i + 1;

			while (end < count && keys[end].hash >> LOWER_BITS == keys[i].hash >> LOWER_BITS)
				end++;
			if (end > i + 1)
			{
				sort_alike(keys + i, end - i, raw, width, env);
				row = raw + (size_t) keys[i].row * width;
			}
		}
		else if (compare_rows(previous, row, width) == 0)
		{
			rows->copies[out - 1] += copies[keys[i].row];
			continue;
		}
		previous = row;
		memcpy(rows->x + (size_t) out * features, row, sizeof(double) * features);
		rows->weights[out] = row[features];
		rows->copies[out++] = copies[keys[i].row];
	}
	rows->count = out;
}

/* ---- categories ------------------------------------------------------------- */

static int
compare_numbers(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* Numbers the values of the features that are categories, ascending, and puts the numbers in their place. */
static crm_status
number_categories(kmeans_rows *rows, const crm_env *env)
{
	rows->category_count = kmeans_alloc(env, rows->features, sizeof(uint32_t));
	rows->category_first = kmeans_alloc(env, rows->features, sizeof(uint32_t));
	rows->category_values = kmeans_alloc(env, rows->features, sizeof(double *));
	if (rows->category_count == NULL || rows->category_first == NULL || rows->category_values == NULL)
		return CRM_NO_MEMORY;
	for (uint32_t j = 0; j < rows->features; j++)
	{
		double	   *values;
		uint32_t	found = 0;
		uint32_t	different = 0;

		rows->category_first[j] = rows->category_total;
		rows->category_count[j] = 0;
		rows->category_values[j] = NULL;
		if (rows->categorical == NULL || !rows->categorical[j])
			continue;
		crm_progress(env);
		values = kmeans_alloc(env, rows->count, sizeof(double));
		if (values == NULL)
			return CRM_NO_MEMORY;
		for (uint32_t i = 0; i < rows->count; i++)
			if (!isnan(rows->x[(size_t) i * rows->features + j]))
				values[found++] = rows->x[(size_t) i * rows->features + j];
		qsort(values, found, sizeof(double), compare_numbers);
		for (uint32_t i = 0; i < found; i++)
			if (i == 0 || values[i] != values[different - 1])
				values[different++] = values[i];
		if (different > CRM_KMEANS_MAX_CATEGORIES)
			return CRM_LIMIT;
		for (uint32_t i = 0; i < rows->count; i++)
		{
			double	   *x = &rows->x[(size_t) i * rows->features + j];
			uint32_t	low = 0;
			uint32_t	high = different;

			if (isnan(*x))
				continue;
			while (low + 1 < high)
			{
				uint32_t	middle = low + (high - low) / 2;

				if (values[middle] <= *x)
					low = middle;
				else
					high = middle;
			}
			*x = low;
		}
		rows->category_values[j] = values;
		rows->category_count[j] = different;
		rows->category_total += different;
	}
	return CRM_OK;
}

/* ---- means, scales, gamma --------------------------------------------------------- */

/* Sums over the rows that have the feature: weights, numbers, then squared differences from the mean. */
static crm_status
measure_numbers(kmeans_rows *rows, bool standardize, double *variances, const crm_env *env)
{
	uint32_t	d = rows->features;
	double	   *weights = kmeans_alloc(env, d, sizeof(double));
	double		total = 0;

	if (weights == NULL)
		return CRM_NO_MEMORY;
	for (uint32_t j = 0; j < d; j++)
		weights[j] = rows->means[j] = variances[j] = 0;
	for (uint32_t i = 0; i < rows->count; i++)
	{
		const double *x = rows->x + (size_t) i * d;

		if (i % KMEANS_STRIDE == 0)
			crm_progress(env);
		for (uint32_t j = 0; j < d; j++)
			if (isnan(x[j]))
				rows->gaps = true;
			else
			{
				weights[j] += rows->weights[i];
				rows->means[j] += rows->weights[i] * x[j];
			}
		rows->weight += rows->weights[i];
	}
	for (uint32_t j = 0; j < d; j++)
		rows->means[j] = weights[j] > 0 ? rows->means[j] / weights[j] : 0;
	for (uint32_t i = 0; i < rows->count; i++)
	{
		const double *x = rows->x + (size_t) i * d;

		if (i % KMEANS_STRIDE == 0)
			crm_progress(env);
		for (uint32_t j = 0; j < d; j++)
			if (!isnan(x[j]))
			{
				double		difference = x[j] - rows->means[j];

				variances[j] += rows->weights[i] * (difference * difference);
			}
	}
	for (uint32_t j = 0; j < d; j++)
	{
		bool		number = rows->category_count[j] == 0;
		double		variance = weights[j] > 0 ? variances[j] / weights[j] : 0;

		if (number && !isfinite(variance))
			return CRM_OUT_OF_RANGE;
		rows->scales[j] = 1;
		if (number && standardize && variance > 0 && isfinite(1 / sqrt(variance)))
		{
			rows->scales[j] = 1 / sqrt(variance);
			rows->scaled = rows->scaled || rows->scales[j] != 1;
		}
		if (number)
			total += variances[j] * rows->scales[j] * rows->scales[j];
		variances[j] = variance * rows->scales[j] * rows->scales[j];
	}
	rows->total = total;
	env->release(env->arg, weights);
	return isfinite(rows->weight) && total <= MAX_TOTAL ? CRM_OK : CRM_OUT_OF_RANGE;
}

/*
 * The most frequent value of each category as its mean, and gamma: the mean
 * variance of the numbers by the mean chance that two rows differ in a category
 * (Szepannek 2018, "clustMixType"), so that both kinds of features weigh alike.
 */
static crm_status
measure_categories(kmeans_rows *rows, const double *variances, double gamma, const crm_env *env)
{
	double	   *counts = kmeans_alloc(env, rows->category_total, sizeof(double));
	double		mixed = 0;
	double		varied = 0;
	double		mismatches = 0;
	uint32_t	categories = 0;
	uint32_t	numbers = 0;

	if (counts == NULL)
		return CRM_NO_MEMORY;
	memset(counts, 0, sizeof(double) * rows->category_total);
	for (uint32_t i = 0; i < rows->count; i++)
	{
		const double *x = rows->x + (size_t) i * rows->features;

		if (i % KMEANS_STRIDE == 0)
			crm_progress(env);
		for (uint32_t j = 0; j < rows->features; j++)
			if (rows->category_count[j] > 0 && !isnan(x[j]))
				counts[rows->category_first[j] + (uint32_t) x[j]] += rows->weights[i];
	}
	for (uint32_t j = 0; j < rows->features; j++)
	{
		const double *of_feature = counts + rows->category_first[j];
		double		sum = 0;
		double		squares = 0;
		uint32_t	mode = 0;

		if (rows->category_count[j] == 0)
		{
			bool		number = rows->categorical == NULL || !rows->categorical[j];

			varied += number ? variances[j] : 0;
			numbers += number;
			continue;
		}
		for (uint32_t v = 0; v < rows->category_count[j]; v++)
		{
			sum += of_feature[v];
			if (of_feature[v] > of_feature[mode])
				mode = v;
		}
		for (uint32_t v = 0; v < rows->category_count[j]; v++)
			squares += of_feature[v] / sum * (of_feature[v] / sum);
		rows->means[j] = mode;
		mismatches += sum - of_feature[mode];
		mixed += 1 - squares;
		categories++;
	}
	rows->gamma = gamma;
	if (gamma < 0)
		rows->gamma = numbers > 0 && varied > 0 && mixed > 0 ? varied / numbers / (mixed / categories) : 1;
	rows->total += rows->gamma * mismatches;
	env->release(env->arg, counts);
	return rows->total <= MAX_TOTAL ? CRM_OK : CRM_OUT_OF_RANGE;
}

/* ---- all of it ------------------------------------------------------------------------ */

/* Rows as they came, their keys twice, and rows in order. */
size_t
crm_kmeans_fit_bytes(uint64_t rows, uint32_t features)
{
	return rows * (2 * sizeof(double) * ((size_t) features + 1) + 2 * sizeof(row_key) + 2 * sizeof(uint64_t));
}

/* The rows in order, equal ones joined; weights are those of one row. */
static crm_status
order_rows(kmeans_rows *rows, const crm_columns *columns, const crm_env *env)
{
	uint32_t	features = columns->width - CRM_KMEANS_FEATURES;
	uint32_t	count = (uint32_t) columns->rows;
	double	   *raw;
	uint64_t   *copies;
	row_key    *keys;
	row_key    *spare;

	memset(rows, 0, sizeof(*rows));
	rows->features = features;
	rows->x = kmeans_alloc(env, (size_t) count * features, sizeof(double));
	rows->weights = kmeans_alloc(env, count, sizeof(double));
	rows->copies = kmeans_alloc(env, count, sizeof(uint64_t));
	raw = kmeans_alloc(env, (size_t) count * (features + 1), sizeof(double));
	copies = kmeans_alloc(env, count, sizeof(uint64_t));
	keys = kmeans_alloc(env, count, sizeof(row_key));
	spare = kmeans_alloc(env, count, sizeof(row_key));
	if (rows->x == NULL || rows->weights == NULL || rows->copies == NULL || raw == NULL || copies == NULL || keys == NULL || spare == NULL)
		return CRM_NO_MEMORY;
	read_parts(columns, features, raw, copies, keys, env);
	CRM_TRY(sort_keys(&keys, &spare, count, env));
	env->release(env->arg, spare);
	gather(rows, keys, count, raw, copies, env);
	env->release(env->arg, keys);
	env->release(env->arg, raw);
	env->release(env->arg, copies);
	return CRM_OK;
}

crm_status
kmeans_rows_load(kmeans_rows *rows, const crm_columns *columns, const crm_kmeans_options *options, const crm_env *env, size_t *needed)
{
	uint32_t	features = columns->width - CRM_KMEANS_FEATURES;
	double	   *variances;

	*needed = columns->bytes + crm_kmeans_fit_bytes(columns->rows, features);
	if (columns->rows > UINT32_MAX / 2 || *needed > columns->max_bytes)
		return CRM_LIMIT;
	CRM_TRY(order_rows(rows, columns, env));
	for (uint32_t i = 0; i < rows->count; i++)
		rows->weights[i] *= (double) rows->copies[i];
	rows->categorical = options->categorical;
	rows->means = kmeans_alloc(env, features, sizeof(double));
	rows->scales = kmeans_alloc(env, features, sizeof(double));
	variances = kmeans_alloc(env, features, sizeof(double));
	if (rows->means == NULL || rows->scales == NULL || variances == NULL)
		return CRM_NO_MEMORY;
	CRM_TRY(number_categories(rows, env));
	CRM_TRY(measure_numbers(rows, options->standardize, variances, env));
	CRM_TRY(measure_categories(rows, variances, options->gamma, env));
	env->release(env->arg, variances);
	return CRM_OK;
}

/* ---- samples ----------------------------------------------------------------------------- */

crm_status
crm_kmeans_thin(const crm_columns *from, uint32_t most, uint8_t *level, const crm_env *env, crm_columns *to)
{
	kmeans_rows rows;
	double	   *row;
	uint32_t	kept = 0;

	CRM_TRY(order_rows(&rows, from, env));
	row = kmeans_alloc(env, rows.features + 1, sizeof(double));
	if (row == NULL)
		return CRM_NO_MEMORY;
	/* in order of their hashes: those of a level come first */
	for (bool enough = false; !enough; *level += !enough)
	{
		uint32_t	low = 0;
		uint32_t	high = rows.count;

		while (low < high)
		{
			uint32_t	middle = low + (high - low) / 2;

			memcpy(row, rows.x + (size_t) middle * rows.features, sizeof(double) * rows.features);
			row[rows.features] = rows.weights[middle];
			if (crm_kmeans_is_kept(crm_kmeans_hash(row, rows.features + 1), *level))
				low = middle + 1;
			else
				high = middle;
		}
		kept = low;
		enough = kept <= most || *level == CRM_KMEANS_MAX_LEVEL;
	}
	crm_columns_init(to, &from->env, from->width, from->max_bytes);
	for (uint32_t i = 0; i < kept; i++)
	{
		double	   *out;

		if (i % KMEANS_STRIDE == 0)
			crm_progress(env);
		CRM_TRY(crm_columns_add(to, &out));
		out[CRM_KMEANS_COPIES] = (double) rows.copies[i];
		out[CRM_KMEANS_WEIGHT] = rows.weights[i];
		memcpy(out + CRM_KMEANS_FEATURES, rows.x + (size_t) i * rows.features, sizeof(double) * rows.features);
		crm_columns_added(to);
	}
	kmeans_rows_free(&rows, env);
	env->release(env->arg, row);
	return CRM_OK;
}

crm_status
kmeans_rows_sample(const kmeans_rows *rows, uint32_t most, const crm_env *env, kmeans_rows *sample)
{
	uint32_t	count = rows->count < most ? rows->count : most;
	size_t		size = sizeof(double) * rows->features;

	*sample = *rows;
	sample->count = count;
	sample->weight = 0;
	sample->x = kmeans_alloc(env, count, size);
	sample->weights = kmeans_alloc(env, count, sizeof(double));
	sample->copies = kmeans_alloc(env, count, sizeof(uint64_t));
	if (sample->x == NULL || sample->weights == NULL || sample->copies == NULL)
		return CRM_NO_MEMORY;
	for (uint32_t i = 0; i < count; i++)
	{
		size_t		from = (size_t) ((uint64_t) i * rows->count / count);

		memcpy(sample->x + (size_t) i * rows->features, rows->x + from * rows->features, size);
		sample->weights[i] = rows->weights[from];
		sample->copies[i] = rows->copies[from];
		sample->weight += rows->weights[from];
	}
	return CRM_OK;
}

void
kmeans_rows_free(kmeans_rows *rows, const crm_env *env)
{
	env->release(env->arg, rows->x);
	env->release(env->arg, rows->weights);
	env->release(env->arg, rows->copies);
}

crm_status
kmeans_space(crm_kmeans_space *space, const kmeans_rows *rows, uint32_t groups, const crm_env *env)
{
	CRM_TRY(crm_kmeans_space_open(space, env, groups, rows->features));
	space->scales = rows->scaled ? rows->scales : NULL;
	space->categorical = rows->categorical;
	space->gamma = rows->gamma;
	return CRM_OK;
}

void
kmeans_space_take(crm_kmeans_space *space, uint32_t group, const kmeans_rows *rows, const double *x)
{
	for (uint32_t j = 0; j < rows->features; j++)
		crm_kmeans_space_set(space, group, j, isnan(x[j]) ? rows->means[j] : x[j]);
}
