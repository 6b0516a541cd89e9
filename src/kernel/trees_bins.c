/*
 * trees_bins.c - before the first tree: the rows' canonical order, the cuts of
 * each feature, and the rows as bins.
 */
#include "kernel/sort.h"
#include "kernel/trees_private.h"

#include <math.h>

/* Cuts of numbers come from so many rows, the first in the canonical order. */
#define SAMPLE_ROWS 200000
/* Numbers of the sample held at once. */
#define SAMPLE_ROOM (UINT32_C(1) << 22)

/* Whole numbers in the order of the doubles, and back. */
static uint64_t
order_key(double number)
{
	uint64_t	bits;

	memcpy(&bits, &number, sizeof(bits));
	return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static double
key_number(uint64_t key)
{
	uint64_t	bits = key >> 63 ? key & ~(UINT64_C(1) << 63) : ~key;
	double		number;

	memcpy(&number, &bits, sizeof(number));
	return number;
}

/* ---- the order of rows ----------------------------------------------- */

/* A hash of each row's content. */
static crm_status
hash_rows(const crm_env *env, const crm_columns *rows, uint64_t *keys)
{
	double	   *numbers;

	CRM_ALLOC(numbers, env, sizeof(double) * CRM_COLUMNS_MAX_BLOCK);
	for (size_t part = 0; part < crm_columns_parts(rows); part++)
	{
		uint32_t	count = crm_columns_part_rows(rows, part);

		crm_progress(env);
		memset(keys, 0, sizeof(uint64_t) * count);
		for (uint32_t c = 0; c < rows->width; c++)
		{
			crm_columns_read(rows, part, c, numbers);
			for (uint32_t i = 0; i < count; i++)
			{
				uint64_t	bits = isnan(numbers[i]) ? 0x7ff8 : order_key(numbers[i]);

				keys[i] = ((keys[i] << 23 | keys[i] >> 41) ^ bits) * UINT64_C(0x9e3779b97f4a7c15);
			}
		}
		for (uint32_t i = 0; i < count; i++)
			keys[i] = trees_mix(keys[i]);
		keys += count;
	}
	env->release(env->arg, numbers);
	return CRM_OK;
}

/*
 * The place of each row: by the hash of its content, held rows behind the
 * others.  Rows that are the same get the same places in any order.  Whether
 * a row is held hangs on its content and its number among rows that are the
 * same.
 */
static crm_status
place_rows(const crm_env *env, const crm_columns *rows, const crm_trees_options *options, uint32_t **places,
		   uint32_t *train)
{
	uint32_t	count = (uint32_t) rows->rows;
	uint64_t   *keys;
	uint32_t   *order;
	uint8_t    *held;
	uint32_t	next_train = 0,
				next_held;

	CRM_ALLOC(keys, env, sizeof(uint64_t) * count);
	CRM_ALLOC(order, env, sizeof(uint32_t) * count);
	CRM_ALLOC(held, env, count);
	CRM_ALLOC(*places, env, sizeof(uint32_t) * count);
	CRM_TRY(hash_rows(env, rows, keys));
	for (uint32_t i = 0; i < count; i++)
		order[i] = i;
	CRM_TRY(crm_sort_keys(env, keys, order, count));
	*train = count;
	memset(held, 0, count);
	if (options->early_stopping > 0)
		for (uint32_t i = 0, same = 0; i < count; i++)
		{
			same = i > 0 && keys[i] == keys[i - 1] ? same + 1 : 0;
			held[i] = trees_unit(trees_mix(keys[i] + trees_mix(options->seed + same))) < options->held_out;
			*train -= held[i];
		}
	next_held = *train;
	for (uint32_t i = 0; i < count; i++)
		(*places)[order[i]] = held[i] ? next_held++ : next_train++;
	env->release(env->arg, keys);
	env->release(env->arg, order);
	env->release(env->arg, held);
	return CRM_OK;
}

/* ---- cuts ------------------------------------------------------------ */

/* A number between two others that belongs to the upper side. */
static double
between(double low, double high)
{
	double		middle = low / 2 + high / 2;

	return middle > low && middle <= high ? middle : high;
}

/*
 * Cuts of sorted numbers: one between any two where there are few, else so
 * that bins have about the same number of rows and frequent numbers have one of
 * their own.
 */
static uint16_t
cut_numbers(const uint64_t *sorted, size_t count, uint32_t bins, double *cuts)
{
	size_t		distinct = 0,
				heavy_rows = 0,
				rest_rows,
				bin_rows = 0;
	uint32_t	heavy = 0,
				rest_bins;
	uint16_t	made = 0;
	double		least;

	for (size_t i = 0, end; i < count; i = end)
	{
		for (end = i + 1; end < count && sorted[end] == sorted[i]; end++)
			;
		distinct++;
		if ((end - i) * bins >= count)
		{
			heavy++;
			heavy_rows += end - i;
		}
	}
	rest_rows = count - heavy_rows;
	rest_bins = bins > heavy ? bins - heavy : 1;
	least = (double) rest_rows / rest_bins;
	for (size_t i = 0, end; i < count && made + 1 < bins; i = end)
	{
		bool		is_heavy,
					next_heavy = false;

		for (end = i + 1; end < count && sorted[end] == sorted[i]; end++)
			;
		if (end == count)
			break;
		is_heavy = (end - i) * bins >= count;
		if (distinct > bins)
		{
			size_t		next = end + 1;

			while (next < count && sorted[next] == sorted[end])
				next++;
			next_heavy = (next - end) * bins >= count;
		}
		bin_rows += end - i;
		if (!is_heavy)
			rest_rows -= end - i;
		if (distinct > bins && !is_heavy && bin_rows < least && !(next_heavy && bin_rows * 2 >= least))
			continue;
		cuts[made++] = between(key_number(sorted[i]), key_number(sorted[end]));
		bin_rows = 0;
		if (!is_heavy && rest_bins > 1)
			least = (double) rest_rows / --rest_bins;
	}
	return made;
}

/* The most frequent values, ascending; of equally frequent ones the smallest. */
static crm_status
choose_values(const crm_env *env, const uint64_t *sorted, size_t count, double *values, uint16_t *chosen)
{
	uint64_t   *keys;
	uint32_t   *starts;
	size_t		distinct = 0;

	CRM_ALLOC(keys, env, sizeof(uint64_t) * count);
	CRM_ALLOC(starts, env, sizeof(uint32_t) * count);
	for (size_t i = 0, end; i < count; i = end)
	{
		for (end = i + 1; end < count && sorted[end] == sorted[i]; end++)
			;
		keys[distinct] = UINT64_MAX - (end - i);
		starts[distinct++] = (uint32_t) i;
	}
	CRM_TRY(crm_sort_keys(env, keys, starts, distinct));
	if (distinct > CRM_TREES_MAX_CUTS)
		distinct = CRM_TREES_MAX_CUTS;
	for (size_t i = 0; i < distinct; i++)
		keys[i] = sorted[starts[i]];
	CRM_TRY(crm_sort_keys(env, keys, NULL, distinct));
	for (size_t i = 0; i < distinct; i++)
		values[i] = key_number(keys[i]);
	*chosen = (uint16_t) distinct;
	env->release(env->arg, keys);
	env->release(env->arg, starts);
	return CRM_OK;
}

/* Reads a column's numbers at places below the limit as keys, without missing ones. */
static size_t
read_keys(const crm_columns *rows, uint32_t column, const uint32_t *places, uint32_t limit, double *numbers,
		  uint64_t *keys)
{
	size_t		count = 0;

	for (size_t part = 0; part < crm_columns_parts(rows); part++)
	{
		uint32_t	part_rows = crm_columns_part_rows(rows, part);

		crm_columns_read(rows, part, column, numbers);
		for (uint32_t i = 0; i < part_rows; i++)
			if (places[i] < limit && !isnan(numbers[i]))
				keys[count++] = order_key(numbers[i]);
		places += part_rows;
	}
	return count;
}

/*
 * The cuts of all features.  Those of numbers come from the first training
 * rows in the canonical order, which are as good as drawn by lot; values of
 * categories from all rows to train on.
 */
static crm_status
cut_features(const crm_env *env, const crm_columns *rows, const crm_trees_options *options, const uint32_t *places,
			 uint32_t train, crm_trees *trees)
{
	double	   *numbers,
				cuts[CRM_TREES_MAX_CUTS];
	uint64_t   *keys;

	CRM_ALLOC(numbers, env, sizeof(double) * CRM_COLUMNS_MAX_BLOCK);
	CRM_ALLOC(keys, env, sizeof(uint64_t) * train);
	for (uint32_t f = 0; f < trees->features; f++)
	{
		crm_trees_feature *feature = &trees->feature[f];
		size_t		count;

		crm_progress(env);
		feature->category = options->categorical != NULL && options->categorical[f];
		count = read_keys(rows, f, places, feature->category || train < SAMPLE_ROWS ? train : SAMPLE_ROWS, numbers, keys);
		CRM_TRY(crm_sort_keys(env, keys, NULL, count));
		if (feature->category)
			CRM_TRY(choose_values(env, keys, count, cuts, &feature->count));
		else
			feature->count = cut_numbers(keys, count, options->bins, cuts);
		CRM_ALLOC(feature->cuts, env, sizeof(double) * (feature->count + 1));
		memcpy(feature->cuts, cuts, sizeof(double) * feature->count);
	}
	env->release(env->arg, numbers);
	env->release(env->arg, keys);
	return CRM_OK;
}

/* ---- bins ------------------------------------------------------------ */

uint8_t
crm_trees_bin_of(const crm_trees_feature *feature, double number)
{
	uint32_t	bin;

	if (isnan(number))
		return TREES_MISSING;
	bin = trees_count_cuts(feature->cuts, feature->count, number);
	if (!feature->category)
		return (uint8_t) bin;
	return bin > 0 && feature->cuts[bin - 1] == number ? (uint8_t) (bin - 1) : TREES_MISSING;
}

/* A column's numbers of a part as bins, stride apart. */
static void
bin_part(const crm_trees_feature *feature, uint8_t missing, const double *numbers, uint32_t count, uint8_t *bins,
		 uint32_t stride)
{
	for (uint32_t i = 0; i < count; i++)
	{
		uint8_t		bin = crm_trees_bin_of(feature, numbers[i]);

		bins[(size_t) i * stride] = bin == TREES_MISSING ? missing : bin;
	}
}

static crm_status
fill_bins(const crm_env *env, const crm_columns *rows, const crm_trees *trees, const uint32_t *places, trees_data *data)
{
	uint32_t	features = trees->features;
	double	   *numbers;
	uint8_t    *bins;

	CRM_ALLOC(numbers, env, sizeof(double) * CRM_COLUMNS_MAX_BLOCK);
	CRM_ALLOC(bins, env, (size_t) CRM_COLUMNS_MAX_BLOCK * features);
	for (size_t part = 0; part < crm_columns_parts(rows); part++)
	{
		uint32_t	count = crm_columns_part_rows(rows, part);

		crm_progress(env);
		for (uint32_t f = 0; f < features; f++)
		{
			crm_columns_read(rows, part, f, numbers);
			bin_part(&trees->feature[f], data->missing[f], numbers, count, bins + f, features);
		}
		for (uint32_t i = 0; i < count; i++)
			memcpy(data->by_row + (size_t) places[i] * features, bins + (size_t) i * features, features);
		crm_columns_read(rows, part, features, numbers);
		for (uint32_t i = 0; i < count; i++)
			data->label[places[i]] = numbers[i];
		crm_columns_read(rows, part, features + 1, numbers);
		for (uint32_t i = 0; i < count; i++)
			data->weight[places[i]] = (float) numbers[i];
		places += count;
	}
	/* The same by columns, a few rows at a time. */
	for (uint32_t begin = 0; begin < data->rows; begin += 64)
	{
		uint32_t	end = data->rows - begin < 64 ? data->rows : begin + 64;

		if (begin % 65536 == 0)
			crm_progress(env);
		for (uint32_t f = 0; f < features; f++)
			for (uint32_t i = begin; i < end; i++)
				data->by_column[(size_t) f * data->rows + i] = data->by_row[(size_t) i * features + f];
	}
	env->release(env->arg, numbers);
	env->release(env->arg, bins);
	return CRM_OK;
}

crm_status
crm_trees_bin(const crm_env *env, const crm_columns *rows, const crm_trees_options *options, trees_data *data,
			  crm_trees *trees)
{
	uint32_t	features = trees->features;
	uint32_t   *places;

	memset(data, 0, sizeof(*data));
	data->rows = (uint32_t) rows->rows;
	data->features = features;
	CRM_TRY(place_rows(env, rows, options, &places, &data->train));
	if (data->train == 0)
		return CRM_OUT_OF_RANGE;
	CRM_TRY(cut_features(env, rows, options, places, data->train, trees));

	CRM_ALLOC(data->missing, env, features);
	CRM_ALLOC(data->first_entry, env, sizeof(uint32_t) * (features + 1));
	data->first_entry[0] = 0;
	for (uint32_t f = 0; f < features; f++)
	{
		uint32_t	bins = trees_bins(&trees->feature[f]);

		data->missing[f] = (uint8_t) bins;
		data->first_entry[f + 1] = data->first_entry[f] + bins + 1;
	}
	CRM_ALLOC(data->by_row, env, (size_t) data->rows * features);
	CRM_ALLOC(data->by_column, env, (size_t) data->rows * features);
	CRM_ALLOC(data->label, env, sizeof(double) * data->rows);
	CRM_ALLOC(data->weight, env, sizeof(float) * data->rows);
	CRM_TRY(fill_bins(env, rows, trees, places, data));
	env->release(env->arg, places);
	return CRM_OK;
}
