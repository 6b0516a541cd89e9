/*
 * rule_batch.c - evaluation of a program over one batch.
 *
 * All nodes are computed in their order, 1,024 rows at a time: keys and results
 * stay in the cache.  A range costs one subtraction and one unsigned comparison
 * a row; where the processor compares eight keys at once the result is already
 * eight bits of the row set.
 */
#include "kernel/rule_batch.h"

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__)) && !defined(CRM_NO_TARGET_CLONES)
#define HAVE_X86_VARIANTS
#include <immintrin.h>
#endif

/* Lists of up to this many ranges are compared one after the other. */
#define LINEAR_RANGES 8
/* Longer ones are looked up in a bitmap while the span of their keys is at most this, else by halving. */
#define BITMAP_SPAN 65536
/* And all bitmaps of one program take at most this many bytes. */
#define BITMAP_BYTES (UINT32_C(16) << 20)

/* ---- rows whose key is in one range ------------------------------------------- */

typedef void (*range_function) (const int64_t *keys, int64_t low, int64_t high, uint64_t *rows, bool first);

/* rows = or |= rows whose key is in low ... high: unsigned, key - low <= high - low. */
static void
range_plain(const int64_t *keys, int64_t low, int64_t high, uint64_t *rows, bool first)
{
	uint64_t	span = (uint64_t) high - (uint64_t) low;

	for (int w = 0; w < CRM_BATCH_WORDS; w++)
	{
		uint64_t	word = 0;

		for (int i = 0; i < 64; i++)
			word |= (uint64_t) ((uint64_t) keys[w * 64 + i] - (uint64_t) low <= span) << i;
		rows[w] = first ? word : rows[w] | word;
	}
}

#ifdef HAVE_X86_VARIANTS

__attribute__((target("avx2")))
static void
range_avx2(const int64_t *keys, int64_t low, int64_t high, uint64_t *rows, bool first)
{
	const __m256i lows = _mm256_set1_epi64x(low);
	const __m256i highs = _mm256_set1_epi64x(high);

	for (int w = 0; w < CRM_BATCH_WORDS; w++)
	{
		uint64_t	outside = 0;

		for (int i = 0; i < 64; i += 4)
		{
			__m256i		key = _mm256_loadu_si256((const __m256i *) (keys + w * 64 + i));
			__m256i		out = _mm256_or_si256(_mm256_cmpgt_epi64(lows, key), _mm256_cmpgt_epi64(key, highs));

			outside |= (uint64_t) _mm256_movemask_pd(_mm256_castsi256_pd(out)) << i;
		}
		rows[w] = first ? ~outside : rows[w] | ~outside;
	}
}

__attribute__((target("avx512f")))
static void
range_avx512(const int64_t *keys, int64_t low, int64_t high, uint64_t *rows, bool first)
{
	const __m512i lows = _mm512_set1_epi64(low);
	const __m512i span = _mm512_set1_epi64((int64_t) ((uint64_t) high - (uint64_t) low));

	for (int w = 0; w < CRM_BATCH_WORDS; w++)
	{
		uint64_t	word = 0;

		for (int i = 0; i < 64; i += 8)
		{
			__m512i		key = _mm512_loadu_si512(keys + w * 64 + i);

			word |= (uint64_t) _mm512_cmple_epu64_mask(_mm512_sub_epi64(key, lows), span) << i;
		}
		rows[w] = first ? word : rows[w] | word;
	}
}

#endif

/* By the width of the processor's vectors. */
static const range_function range_functions[] = {
	range_plain,
#ifdef HAVE_X86_VARIANTS
	range_avx2,
	range_avx512,
#endif
};

static int
best_width(void)
{
#ifdef HAVE_X86_VARIANTS
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f"))
		return 2;
	if (__builtin_cpu_supports("avx2"))
		return 1;
#endif
	return 0;
}

/* ---- rows whose key is in one of many ranges ------------------------------------ */

static void
in_bitmap(const int64_t *keys, const uint64_t *bitmap, int64_t low, int64_t high, uint64_t *rows)
{
	uint64_t	span = (uint64_t) high - (uint64_t) low;

	for (int w = 0; w < CRM_BATCH_WORDS; w++)
	{
		uint64_t	word = 0;

		for (int i = 0; i < 64; i++)
		{
			uint64_t	place = (uint64_t) keys[w * 64 + i] - (uint64_t) low;

			if (place <= span)
				word |= (bitmap[place >> 6] >> (place & 63) & 1) << i;
		}
		rows[w] = word;
	}
}

static void
in_list(const int64_t *keys, const crm_range *ranges, uint32_t count, uint64_t *rows)
{
	for (int w = 0; w < CRM_BATCH_WORDS; w++)
	{
		uint64_t	word = 0;

		for (int i = 0; i < 64; i++)
		{
			int64_t		key = keys[w * 64 + i];
			const crm_range *base = ranges;

			/* The last range that begins at or below the key. */
			for (uint32_t n = count; n > 1;)
			{
				uint32_t	half = n / 2;

				base = base[half].low <= key ? base + half : base;
				n -= half;
			}
			word |= (uint64_t) (base->low <= key && key <= base->high) << i;
		}
		rows[w] = word;
	}
}

/* ---- preparing and running ------------------------------------------------------- */

/* A bitmap over the span of a list's keys; NULL when one is not worth while. */
static crm_status
make_bitmap(const crm_range *ranges, uint32_t count, const crm_env *env, size_t *budget, uint64_t **bitmap)
{
	int64_t		low = ranges[0].low;
	uint64_t	span = (uint64_t) ranges[count - 1].high - (uint64_t) low;

	*bitmap = NULL;
	if (count <= LINEAR_RANGES || span >= BITMAP_SPAN || (span / 64 + 1) * 8 > *budget)
		return CRM_OK;
	*budget -= (span / 64 + 1) * 8;
	*bitmap = env->alloc(env->arg, (span / 64 + 1) * 8);
	if (*bitmap == NULL)
		return CRM_NO_MEMORY;
	memset(*bitmap, 0, (span / 64 + 1) * 8);
	for (uint32_t i = 0; i < count; i++)
	{
		uint64_t	last = (uint64_t) ranges[i].high - (uint64_t) low;

		for (uint64_t key = (uint64_t) ranges[i].low - (uint64_t) low; key <= last; key++)
			(*bitmap)[key >> 6] |= UINT64_C(1) << (key & 63);
	}
	return CRM_OK;
}

crm_status
crm_batch_prepare(crm_batch *batch, const crm_program *program, const crm_env *env)
{
	size_t		keys = sizeof(int64_t) * CRM_BATCH_STRIDE * ((size_t) program->column_count + 1);
	size_t		nulls = sizeof(uint64_t) * CRM_BATCH_WORDS * ((size_t) program->column_count + 1);
	size_t		rows = sizeof(uint64_t) * CRM_BATCH_WORDS * ((size_t) program->node_count + 1);
	size_t		budget = BITMAP_BYTES;
	size_t		bitmaps = sizeof(uint64_t *) * ((size_t) program->node_count + 1);

	batch->program = program;
	batch->width = best_width();
	batch->keys = env->alloc(env->arg, keys);
	batch->nulls = env->alloc(env->arg, nulls);
	batch->rows = env->alloc(env->arg, rows);
	batch->bitmaps = env->alloc(env->arg, bitmaps);
	if (batch->keys == NULL || batch->nulls == NULL || batch->rows == NULL || batch->bitmaps == NULL)
		return CRM_NO_MEMORY;
	memset(batch->keys, 0, keys);
	memset(batch->nulls, 0, nulls);
	memset(batch->rows, 0, rows);
	memset(batch->bitmaps, 0, bitmaps);
	for (uint32_t i = 0; i < program->node_count; i++)
	{
		const crm_node *node = &program->nodes[i];

		if (node->op == CRM_NODE_IN || node->op == CRM_NODE_OUT)
			CRM_TRY(make_bitmap(program->ranges + node->first, node->count, env, &budget, &batch->bitmaps[i]));
	}
	return CRM_OK;
}

static void
run_ranges(const crm_batch *batch, uint32_t number, range_function in_range, uint64_t *rows)
{
	const crm_program *program = batch->program;
	const crm_node *node = &program->nodes[number];
	const crm_range *ranges = program->ranges + node->first;
	const int64_t *keys = batch->keys + (size_t) node->column * CRM_BATCH_STRIDE;
	const uint64_t *nulls = batch->nulls + (size_t) node->column * CRM_BATCH_WORDS;
	uint64_t	flip = node->op == CRM_NODE_OUT ? ~UINT64_C(0) : 0;

	if (batch->bitmaps[number])
		in_bitmap(keys, batch->bitmaps[number], ranges[0].low, ranges[node->count - 1].high, rows);
	else if (node->count > LINEAR_RANGES)
		in_list(keys, ranges, node->count, rows);
	else
		for (uint32_t i = 0; i < node->count; i++)
			in_range(keys, ranges[i].low, ranges[i].high, rows, i == 0);
	for (int w = 0; w < CRM_BATCH_WORDS; w++)
		rows[w] = (rows[w] ^ flip) & ~nulls[w];
}

static void
run_join(const crm_batch *batch, const crm_node *node, uint64_t *rows)
{
	const uint32_t *children = batch->program->children + node->first;

	memcpy(rows, batch->rows + (size_t) children[0] * CRM_BATCH_WORDS, sizeof(uint64_t) * CRM_BATCH_WORDS);
	for (uint32_t i = 1; i < node->count; i++)
	{
		const uint64_t *child = batch->rows + (size_t) children[i] * CRM_BATCH_WORDS;

		if (node->op == CRM_NODE_AND)
			for (int w = 0; w < CRM_BATCH_WORDS; w++)
				rows[w] &= child[w];
		else
			for (int w = 0; w < CRM_BATCH_WORDS; w++)
				rows[w] |= child[w];
	}
	if (node->op == CRM_NODE_NOT)
		for (int w = 0; w < CRM_BATCH_WORDS; w++)
			rows[w] = ~rows[w];
}

void
crm_batch_run(crm_batch *batch, int rows)
{
	const crm_program *program = batch->program;
	range_function in_range = range_functions[batch->width];
	uint64_t	valid[CRM_BATCH_WORDS];

	for (int w = 0; w < CRM_BATCH_WORDS; w++)
	{
		int			here = rows - w * 64;

		valid[w] = here >= 64 ? ~UINT64_C(0) : here <= 0 ? 0 : (UINT64_C(1) << here) - 1;
	}
	for (uint32_t i = 0; i < program->node_count; i++)
	{
		const crm_node *node = &program->nodes[i];
		uint64_t   *result = batch->rows + (size_t) i * CRM_BATCH_WORDS;
		const uint64_t *nulls = batch->nulls + (size_t) node->column * CRM_BATCH_WORDS;

		switch ((crm_node_op) node->op)
		{
			case CRM_NODE_NEVER:
				memset(result, 0, sizeof(valid));
				break;
			case CRM_NODE_ALWAYS:
				memset(result, 0xff, sizeof(valid));
				break;
			case CRM_NODE_IN:
			case CRM_NODE_OUT:
				run_ranges(batch, i, in_range, result);
				break;
			case CRM_NODE_NULL:
				memcpy(result, nulls, sizeof(valid));
				break;
			case CRM_NODE_NOT_NULL:
				for (int w = 0; w < CRM_BATCH_WORDS; w++)
					result[w] = ~nulls[w];
				break;
			case CRM_NODE_AND:
			case CRM_NODE_OR:
			case CRM_NODE_NOT:
				run_join(batch, node, result);
				break;
		}
		for (int w = 0; w < CRM_BATCH_WORDS; w++)
			result[w] &= valid[w];
	}
}
