/*
 * isolation_fit.c - the trees of an isolation forest.
 *
 * Liu, Ting & Zhou, "Isolation Forest" (2008): a tree over a small sample of the
 * rows cuts a random feature at a random place, again and again, until rows stand alone
 * or the tree is as deep as a balanced one.  Rows that are soon alone are far from the others.
 *
 * A sample must not hang on the order of the rows: it is made of places in the order of the rows' hashes.  Rows of the
 * same hash are equal, so one of them stands for all.
 */
#include "kernel/outliers.h"

#include <math.h>
#include <stdlib.h>

#include "kernel/logistic_fit.h"

/* Leading bits of a hash by which rows are counted before any is looked at. */
#define BUCKET_BITS 20
#define BUCKETS (1 << BUCKET_BITS)

/* ---- random numbers -------------------------------------------------------------- */

/* splitmix64 (Steele, Lea & Flood 2014). */
static uint64_t
mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xBF58476D1CE4E5B9);
	x ^= x >> 27;
	x *= UINT64_C(0x94D049BB133111EB);
	return x ^ (x >> 31);
}

static uint64_t
next_random(uint64_t *state)
{
	*state += UINT64_C(0x9E3779B97F4A7C15);
	return mix(*state);
}

/* 0 ... below - 1, each as likely to within 2^-64. */
static uint64_t
random_below(uint64_t *state, uint64_t below)
{
	return (uint64_t) (((unsigned __int128) next_random(state) * below) >> 64);
}

static double
random_share(uint64_t *state)
{
	return (double) (next_random(state) >> 11) * 0x1p-53;
}

/* ---- samples ---------------------------------------------------------------------- */

/* A row that stands for all of its hash, in a bucket from which a tree wants one. */
typedef struct row_entry
{
	uint64_t	hash;
	uint64_t	rows;			/* of that hash; 0 marks a free slot */
	uint64_t	row;			/* one of them */
	uint64_t	start;			/* place of the first of them */
} row_entry;

typedef struct sampler
{
	const crm_columns *rows;
	const crm_env *env;
	uint32_t	features;
	uint64_t   *buckets;		/* rows in each; later places where each begins */
	uint8_t    *wanted;			/* bits by bucket */
	row_entry  *entries;		/* a hash table; later sorted by hash */
	size_t		entry_room;
	size_t		entry_count;
} sampler;

/* Hashes of the rows of a part. */
static void
hash_part(const sampler *s, size_t part, uint64_t *hashes)
{
	double		x[CRM_COLUMNS_MAX_BLOCK];
	uint32_t	count = crm_columns_part_rows(s->rows, part);

	for (uint32_t i = 0; i < count; i++)
		hashes[i] = UINT64_C(0x243F6A8885A308D3);
	for (uint32_t j = 0; j < s->features; j++)
	{
		crm_columns_read(s->rows, part, CRM_ROWS_FEATURES + j, x);
		for (uint32_t i = 0; i < count; i++)
		{
			uint64_t	bits = UINT64_C(0x7FF8000000000000);
			double		number = x[i] + 0.0;

			if (!isnan(number))
				memcpy(&bits, &number, sizeof(bits));
			hashes[i] = mix(hashes[i] * UINT64_C(0x9E3779B97F4A7C15) + bits);
		}
	}
	crm_progress(s->env);
}

static crm_status
count_buckets(sampler *s)
{
	uint64_t	hashes[CRM_COLUMNS_MAX_BLOCK];
	uint64_t	before = 0;

	s->buckets = s->env->alloc(s->env->arg, sizeof(uint64_t) * (BUCKETS + 1));
	s->wanted = s->env->alloc(s->env->arg, BUCKETS / 8);
	if (s->buckets == NULL || s->wanted == NULL)
		return CRM_NO_MEMORY;
	memset(s->buckets, 0, sizeof(uint64_t) * (BUCKETS + 1));
	memset(s->wanted, 0, BUCKETS / 8);
	for (size_t part = 0; part < crm_columns_parts(s->rows); part++)
	{
		hash_part(s, part, hashes);
		for (uint32_t i = 0; i < crm_columns_part_rows(s->rows, part); i++)
			s->buckets[hashes[i] >> (64 - BUCKET_BITS)]++;
	}
	for (int i = 0; i <= BUCKETS; i++)
	{
		uint64_t	here = s->buckets[i];

		s->buckets[i] = before;
		before += here;
	}
	return CRM_OK;
}

static int
compare_places(const void *a, const void *b)
{
	uint64_t	x = *(const uint64_t *) a;
	uint64_t	y = *(const uint64_t *) b;

	return (x > y) - (x < y);
}

/* Different places 0 ... rows - 1, ascending; each set of them is as likely. */
static void
draw_places(uint64_t rows, uint32_t sample, uint64_t *random, uint64_t *places)
{
	uint32_t	count = 0;

	if (sample == rows)
	{
		for (uint32_t i = 0; i < sample; i++)
			places[i] = i;
		return;
	}
	/* Of few rows each is asked in turn; of many, places are drawn until enough of them differ. */
	if (sample > rows / 2)
	{
		for (uint64_t i = 0; i < rows && count < sample; i++)
			if (random_below(random, rows - i) < sample - count)
				places[count++] = i;
		return;
	}
	while (count < sample)
	{
		uint32_t	kept = 0;

		while (count < sample)
			places[count++] = random_below(random, rows);
		qsort(places, count, sizeof(uint64_t), compare_places);
		for (uint32_t i = 0; i < count; i++)
			if (kept == 0 || places[i] != places[kept - 1])
				places[kept++] = places[i];
		count = kept;
	}
}

/* Marks the buckets of places, which ascend. */
static void
want_buckets(sampler *s, const uint64_t *places, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
	{
		uint32_t	low = 0;
		uint32_t	high = BUCKETS;

		/* the last bucket that begins at or before the place */
		while (high - low > 1)
		{
			uint32_t	middle = low + (high - low) / 2;

			if (s->buckets[middle] <= places[i])
				low = middle;
			else
				high = middle;
		}
		s->wanted[low / 8] |= (uint8_t) (1 << (low % 8));
	}
}

static row_entry *
find_entry(row_entry *entries, size_t room, uint64_t hash)
{
	size_t		slot = (size_t) mix(hash) & (room - 1);

	while (entries[slot].rows != 0 && entries[slot].hash != hash)
		slot = (slot + 1) & (room - 1);
	return &entries[slot];
}

static crm_status
grow_entries(sampler *s)
{
	size_t		room = s->entry_room == 0 ? 1024 : s->entry_room * 2;
	row_entry  *grown;

	if (s->entry_count < s->entry_room / 4 * 3)
		return CRM_OK;
	if (room * sizeof(row_entry) > s->rows->max_bytes)
		return CRM_LIMIT;
	grown = s->env->alloc(s->env->arg, room * sizeof(row_entry));
	if (grown == NULL)
		return CRM_NO_MEMORY;
	memset(grown, 0, room * sizeof(row_entry));
	for (size_t i = 0; i < s->entry_room; i++)
		if (s->entries[i].rows != 0)
			*find_entry(grown, room, s->entries[i].hash) = s->entries[i];
	if (s->entries != NULL)
		s->env->release(s->env->arg, s->entries);
	s->entries = grown;
	s->entry_room = room;
	return CRM_OK;
}

static int
compare_entries(const void *a, const void *b)
{
	uint64_t	x = ((const row_entry *) a)->hash;
	uint64_t	y = ((const row_entry *) b)->hash;

	return (x > y) - (x < y);
}

/* The rows of the wanted buckets, by hash, with their places. */
static crm_status
collect_rows(sampler *s)
{
	uint64_t	hashes[CRM_COLUMNS_MAX_BLOCK];
	uint64_t	row = 0;
	size_t		count = 0;

	for (size_t part = 0; part < crm_columns_parts(s->rows); part++)
	{
		hash_part(s, part, hashes);
		for (uint32_t i = 0; i < crm_columns_part_rows(s->rows, part); i++, row++)
		{
			uint32_t	bucket = (uint32_t) (hashes[i] >> (64 - BUCKET_BITS));
			row_entry  *entry;

			if (!(s->wanted[bucket / 8] >> (bucket % 8) & 1))
				continue;
			CRM_TRY(grow_entries(s));
			entry = find_entry(s->entries, s->entry_room, hashes[i]);
			if (entry->rows == 0)
			{
				*entry = (row_entry) {.hash = hashes[i], .row = row};
				s->entry_count++;
			}
			entry->rows++;
		}
	}
	for (size_t i = 0; i < s->entry_room; i++)
		if (s->entries[i].rows != 0)
			s->entries[count++] = s->entries[i];
	qsort(s->entries, count, sizeof(row_entry), compare_entries);
	for (size_t i = 0; i < count; i++)
	{
		uint32_t	bucket = (uint32_t) (s->entries[i].hash >> (64 - BUCKET_BITS));
		bool		first = i == 0 || (s->entries[i - 1].hash >> (64 - BUCKET_BITS)) != bucket;

		s->entries[i].start = first ? s->buckets[bucket] : s->entries[i - 1].start + s->entries[i - 1].rows;
	}
	return CRM_OK;
}

/* The entry whose rows have that place. */
static uint32_t
entry_at(const sampler *s, uint64_t place)
{
	size_t		low = 0;
	size_t		high = s->entry_count;

	while (high - low > 1)
	{
		size_t		middle = low + (high - low) / 2;

		if (s->entries[middle].start <= place)
			low = middle;
		else
			high = middle;
	}
	return (uint32_t) low;
}

typedef struct wanted_row
{
	uint64_t	row;
	uint32_t	entry;
} wanted_row;

static int
compare_wanted(const void *a, const void *b)
{
	uint64_t	x = ((const wanted_row *) a)->row;
	uint64_t	y = ((const wanted_row *) b)->row;

	return (x > y) - (x < y);
}

/* Features of the rows that samples hold; slots tells the place of each entry among them. */
static crm_status
fetch_rows(const sampler *s, const uint32_t *samples, size_t sample_count, uint32_t **slots, double **features)
{
	const crm_env *env = s->env;
	wanted_row *wanted = env->alloc(env->arg, sizeof(wanted_row) * sample_count);
	double		x[CRM_COLUMNS_MAX_BLOCK];
	size_t		count = 0;
	size_t		at = 0;
	uint64_t	first = 0;

	*slots = env->alloc(env->arg, sizeof(uint32_t) * s->entry_count);
	if (wanted == NULL || *slots == NULL)
		return CRM_NO_MEMORY;
	memset(*slots, 0, sizeof(uint32_t) * s->entry_count);
	for (size_t i = 0; i < sample_count; i++)
		if ((*slots)[samples[i]] == 0)
		{
			(*slots)[samples[i]] = 1;
			wanted[count++] = (wanted_row) {s->entries[samples[i]].row, samples[i]};
		}
	if (count * s->features * sizeof(double) > s->rows->max_bytes)
		return CRM_LIMIT;
	*features = env->alloc(env->arg, count * s->features * sizeof(double));
	if (*features == NULL)
		return CRM_NO_MEMORY;
	qsort(wanted, count, sizeof(wanted_row), compare_wanted);
	for (size_t i = 0; i < count; i++)
		(*slots)[wanted[i].entry] = (uint32_t) i;
	for (size_t part = 0; part < crm_columns_parts(s->rows); part++)
	{
		uint64_t	end = first + crm_columns_part_rows(s->rows, part);
		size_t		next = at;

		while (next < count && wanted[next].row < end)
			next++;
		for (uint32_t j = 0; next > at && j < s->features; j++)
		{
			crm_columns_read(s->rows, part, CRM_ROWS_FEATURES + j, x);
			for (size_t i = at; i < next; i++)
				(*features)[i * s->features + j] = x[wanted[i].row - first];
		}
		at = next;
		first = end;
		crm_progress(env);
	}
	env->release(env->arg, wanted);
	return CRM_OK;
}

/* ---- trees -------------------------------------------------------------------------- */

typedef struct grower
{
	const double *features;		/* row by row */
	uint32_t	width;
	uint32_t	limit;			/* depth */
	uint64_t	random;
	uint32_t   *order;			/* of features, to draw from */
	int64_t    *nodes;
	uint32_t	node_count;
	double	   *thresholds;
	uint32_t	split_count;
	int64_t    *leaf_sizes;
	uint32_t	leaf_count;
} grower;

/* The least and the greatest number of a feature; false when it does not vary. */
static bool
range_of(const grower *g, const uint32_t *rows, uint32_t count, uint32_t feature, double *low, double *high)
{
	*low = INFINITY;
	*high = -INFINITY;
	for (uint32_t i = 0; i < count; i++)
	{
		double		x = g->features[(size_t) rows[i] * g->width + feature];

		if (x < *low)
			*low = x;
		if (x > *high)
			*high = x;
	}
	return *low < *high;
}

/* A feature that varies, each as likely; false when none does. */
static bool
draw_feature(grower *g, const uint32_t *rows, uint32_t count, uint32_t *feature, double *low, double *high)
{
	for (uint32_t left = g->width; left > 0; left--)
	{
		uint32_t	at = (uint32_t) random_below(&g->random, left);

		*feature = g->order[at];
		if (range_of(g, rows, count, *feature, low, high))
			return true;
		g->order[at] = g->order[left - 1];
		g->order[left - 1] = *feature;
	}
	return false;
}

/* Above low, at most high: both parts have a row. */
static double
draw_threshold(grower *g, double low, double high)
{
	double		share = random_share(&g->random);
	double		threshold = isfinite(high - low) ? high - share * (high - low) : high * (1 - share) + low * share;

	return threshold > low ? threshold : high;
}

static void
grow(grower *g, uint32_t *rows, uint32_t count, uint32_t depth)
{
	uint32_t	feature;
	uint32_t	left = 0;
	uint32_t	right = 0;
	double		low;
	double		high;
	double		threshold;
	bool		missing_left;

	if (depth >= g->limit || count < 2 || !draw_feature(g, rows, count, &feature, &low, &high))
	{
		g->nodes[g->node_count++] = 0;
		g->leaf_sizes[g->leaf_count++] = count;
		return;
	}
	threshold = draw_threshold(g, low, high);
	g->nodes[g->node_count++] = feature + 1;
	g->thresholds[g->split_count++] = threshold + 0.0;
	for (uint32_t i = 0; i < count; i++)
	{
		double		x = g->features[(size_t) rows[i] * g->width + feature];

		left += x < threshold;
		right += x >= threshold;
	}
	/* rows without the feature go to the larger part, so that the sizes of the parts alone tell where later ones go */
	missing_left = left >= right;
	left = 0;
	for (uint32_t i = 0; i < count; i++)
	{
		double		x = g->features[(size_t) rows[i] * g->width + feature];

		if (isnan(x) ? missing_left : x < threshold)
		{
			uint32_t	row = rows[i];

			rows[i] = rows[left];
			rows[left++] = row;
		}
	}
	grow(g, rows, left, depth + 1);
	grow(g, rows + left, count - left, depth + 1);
}

static crm_status
grow_trees(const sampler *s, const crm_isolation_options *options, uint32_t sample, uint32_t *samples, crm_model *m)
{
	const crm_env *env = s->env;
	size_t		leaves = (size_t) options->trees * sample;
	uint32_t   *slots;
	double	   *features;
	grower		g = {.width = s->features};

	CRM_TRY(fetch_rows(s, samples, leaves, &slots, &features));
	g.features = features;
	while ((UINT32_C(1) << g.limit) < sample)
		g.limit++;
	g.order = env->alloc(env->arg, sizeof(uint32_t) * (s->features + 1));
	g.nodes = env->alloc(env->arg, sizeof(int64_t) * 2 * leaves);
	g.thresholds = env->alloc(env->arg, sizeof(double) * leaves);
	g.leaf_sizes = env->alloc(env->arg, sizeof(int64_t) * leaves);
	if (g.order == NULL || g.nodes == NULL || g.thresholds == NULL || g.leaf_sizes == NULL)
		return CRM_NO_MEMORY;
	for (int tree = 0; tree < options->trees; tree++)
	{
		uint32_t   *rows = samples + (size_t) tree * sample;

		for (uint32_t i = 0; i < sample; i++)
			rows[i] = slots[rows[i]];
		for (uint32_t j = 0; j < s->features; j++)
			g.order[j] = j;
		g.random = mix(mix((uint64_t) options->seed) + UINT64_C(0x9E3779B97F4A7C15) * (2 * (uint64_t) tree + 1));
		grow(&g, rows, sample, 0);
		crm_progress(env);
		crm_step(env, (uint64_t) tree + 1);
	}
	crm_model_begin(m, &crm_model_isolation_forest, s->features);
	crm_model_set_integer(m, CRM_ISOLATION_TREES, options->trees);
	crm_model_set_integer(m, CRM_ISOLATION_SAMPLE, sample);
	crm_model_set_integer(m, CRM_ISOLATION_SEED, options->seed);
	crm_model_set_integer(m, CRM_ISOLATION_ROWS, (int64_t) s->rows->rows);
	crm_model_set_integers(m, CRM_ISOLATION_NODES, g.nodes, g.node_count);
	crm_model_set_numbers(m, CRM_ISOLATION_THRESHOLDS, g.thresholds, g.split_count);
	crm_model_set_integers(m, CRM_ISOLATION_LEAF_SIZES, g.leaf_sizes, g.leaf_count);
	return CRM_OK;
}

crm_status
crm_isolation_fit(const crm_columns *rows, const crm_isolation_options *options, const crm_env *env, crm_model *m)
{
	sampler		s = {.rows = rows, .env = env, .features = rows->width - CRM_ROWS_FEATURES};
	uint32_t	sample = (uint64_t) options->sample < rows->rows ? (uint32_t) options->sample : (uint32_t) rows->rows;
	size_t		count = (size_t) options->trees * sample;
	uint64_t   *places;
	uint32_t   *samples;

	if (count * (sizeof(uint64_t) + sizeof(uint32_t) + 4 * sizeof(int64_t)) > rows->max_bytes)
		return CRM_LIMIT;
	places = env->alloc(env->arg, sizeof(uint64_t) * count);
	samples = env->alloc(env->arg, sizeof(uint32_t) * count);
	if (places == NULL || samples == NULL)
		return CRM_NO_MEMORY;
	CRM_TRY(count_buckets(&s));
	for (int tree = 0; tree < options->trees; tree++)
	{
		uint64_t	random = mix(mix((uint64_t) options->seed) + UINT64_C(0x9E3779B97F4A7C15) * 2 * ((uint64_t) tree + 1));

		draw_places(rows->rows, sample, &random, places + (size_t) tree * sample);
		want_buckets(&s, places + (size_t) tree * sample, sample);
		crm_progress(env);
	}
	CRM_TRY(collect_rows(&s));
	for (size_t i = 0; i < count; i++)
	{
		if (i % 65536 == 0)
			crm_progress(env);
		samples[i] = entry_at(&s, places[i]);
	}
	env->release(env->arg, places);
	return grow_trees(&s, options, sample, samples, m);
}
