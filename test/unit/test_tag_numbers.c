/*
 * test_tag_numbers.c - numeric rules under construction against a plain array of
 * numbers: filled in parts of their own scales, sent, merged in any order, dense
 * and wide, brought to one scale, and read slice by slice.
 */
#include "unit.h"

#include "kernel/tag_sets.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ROUNDS(n) ((n) / 4)
#endif
#endif
#ifndef ROUNDS
#define ROUNDS(n) (n)
#endif

typedef __int128 int128;

#define CUSTOMERS 3000
#define MAX_PARTS 4

static uint64_t random_state = 20261122;

static uint64_t
next_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

/* ---- memory that is freed all at once ---------------------------------------- */

typedef struct block
{
	struct block *next;
	void	   *padding;
} block;

static void *
pool_alloc(void *arg, size_t size)
{
	block	   *b = malloc(sizeof(block) + size);

	/* nothing may count on zeros */
	memset(b, 0x5a, sizeof(block) + size);
	b->next = *(block **) arg;
	*(block **) arg = b;
	return b + 1;
}

static void *
pool_resize(void *arg, void *ptr, size_t old_size, size_t new_size)
{
	void	   *p = pool_alloc(arg, new_size);

	if (ptr != NULL)
		memcpy(p, ptr, old_size < new_size ? old_size : new_size);
	return p;
}

static void
pool_release(void *arg, void *ptr)
{
}

static void
pool_free(block **pool)
{
	while (*pool != NULL)
	{
		block	   *next = (*pool)->next;

		free(*pool);
		*pool = next;
	}
}

static crm_env
pool_env(block **pool)
{
	crm_env		env = {.arg = pool,.alloc = pool_alloc,.resize = pool_resize,.release = pool_release};

	return env;
}

/* ---- the model --------------------------------------------------------------------- */

typedef struct customer
{
	uint64_t	id;
	uint32_t	scope;
	int128		value;
	int			scale;
	bool		present;
	int			found;			/* times */
	int128		bits;			/* as read */
	bool		negative;
	bool		has;
} customer;

static customer customers[CUSTOMERS];

static int
compare_customers(const void *a, const void *b)
{
	uint64_t	x = ((const customer *) a)->id;
	uint64_t	y = ((const customer *) b)->id;

	return x < y ? -1 : x > y;
}

/* Ids without repetition; numbers of every length, those at the ends of their ranges more often. */
static int
make_customers(int bits, int max_bits, int max_scale)
{
	int			n = 0;

	for (int i = 0; i < CUSTOMERS; i++)
	{
		customer   *c = &customers[n++];
		int			length = (int) (next_random() % (uint64_t) (max_bits + 1));
		int128		value = (int128) ((unsigned __int128) next_random() << 64 | next_random());

		memset(c, 0, sizeof(*c));
		c->id = bits == CRM_CHUNK_BITS ? next_random() % 30000 : next_random() >> 20;
		c->scope = (uint32_t) (next_random() % 2);
		c->present = next_random() % 4 != 0;
		c->scale = (int) (next_random() % (uint64_t) (max_scale + 1));
		c->value = (value & (((int128) 1 << length) - 1)) - (next_random() % 8 == 0);
		if (next_random() % 2)
			c->value = -c->value;
	}
	qsort(customers, (size_t) n, sizeof(customer), compare_customers);
	n = 1;
	for (int i = 1; i < CUSTOMERS; i++)
		if (customers[i].id != customers[n - 1].id)
			customers[n++] = customers[i];
	return n;
}

static crm_tag_sets *
new_sets(const crm_env *env, int bits)
{
	bool		is_text[3] = {false, false, true};
	crm_tag_sets *sets;

	CHECK_EQUAL(crm_tag_sets_new(env, bits, 3, is_text, &sets), CRM_OK);
	crm_tag_sets_set_numeric(sets, 1);
	return sets;
}

/* The customers of one part, every so many, in batches; a boolean and a text rule stand beside. */
static crm_tag_sets *
fill(const crm_env *env, int bits, int n, int part, int parts)
{
	crm_tag_sets *sets = new_sets(env, bits);
	bool		backwards = next_random() % 2;
	int			rows = 0;
	uint32_t	scopes[CRM_BATCH_ROWS];
	uint64_t	ids[CRM_BATCH_ROWS];
	uint64_t	truth[CRM_BATCH_WORDS] = {0};
	uint16_t	codes[CRM_BATCH_ROWS];
	crm_tag_number numbers[CRM_BATCH_ROWS];

	for (int i = 0; i < n; i++)
	{
		const customer *c = &customers[backwards ? n - 1 - i : i];

		if (c->id % (uint64_t) parts == (uint64_t) part)
		{
			scopes[rows] = c->scope;
			ids[rows] = c->id;
			codes[rows] = 1;
			truth[rows / 64] |= UINT64_C(1) << (rows % 64);
			numbers[rows].present = c->present;
			numbers[rows].low = (uint64_t) c->value;
			numbers[rows].high = (int64_t) (c->value >> 64);
			numbers[rows].scale = (uint8_t) c->scale;
			rows++;
		}
		if (rows == CRM_BATCH_ROWS || i + 1 == n)
		{
			CHECK_EQUAL(crm_tag_sets_place(sets, scopes, ids, rows), CRM_OK);
			CHECK_EQUAL(crm_tag_sets_add_truth(sets, 0, truth), CRM_OK);
			CHECK_EQUAL(crm_tag_sets_add_numbers(sets, 1, numbers), CRM_OK);
			CHECK_EQUAL(crm_tag_sets_add_codes(sets, 2, codes), CRM_OK);
			memset(truth, 0, sizeof(truth));
			rows = 0;
		}
	}
	return sets;
}

/* As a worker sends it. */
static crm_tag_sets *
sent(const crm_env *env, const crm_tag_sets *sets, int bits)
{
	crm_tag_sets *other = new_sets(env, bits);
	uint32_t	codes[3] = {0, 0, 1};
	uint8_t    *data;
	size_t		size;

	CHECK_EQUAL(crm_tag_sets_write(sets, &data, &size), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_read(other, data, size, 2, codes), CRM_OK);
	return other;
}

/* The same, merged as it arrives. */
static void
merge_sent(const crm_env *env, crm_tag_sets *whole, const crm_tag_sets *sets, int bits)
{
	uint32_t	codes[3] = {0, 0, 1};
	uint8_t    *data;
	size_t		size;

	CHECK_EQUAL(crm_tag_sets_write(sets, &data, &size), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_merge_read(whole, NULL, NULL, new_sets(env, bits), data, size, 2, codes), CRM_OK);
}

static void
note(int n, int bits, uint64_t key, uint64_t offset, int slice)
{
	customer	wanted = {.id = (key << bits) + offset};
	customer   *c = bsearch(&wanted, customers, (size_t) n, sizeof(customer), compare_customers);

	if (!CHECK(c != NULL))
		return;
	if (slice == 0)
	{
		c->has = true;
		c->found++;
	}
	else if (slice == 1)
		c->negative = true;
	else
		c->bits |= (int128) 1 << (slice - 2);
}

static void
read_all(crm_tag_sets *sets, int n, int bits, const crm_env *env)
{
	for (int chunk = 0; chunk < crm_tag_sets_chunks(sets); chunk++)
	{
		uint32_t	scope;
		uint64_t	key;
		uint32_t	count;
		uint8_t    *out = pool_alloc(env->arg, crm_tag_sets_bound(sets, chunk));

		crm_tag_sets_chunk(sets, chunk, &scope, &key, &count);
		for (int slice = 0; slice < crm_tag_sets_slices(sets, chunk, 1); slice++)
		{
			uint32_t	members;
			size_t		size = crm_tag_sets_encode_slice(sets, chunk, 1, slice, out, &members);
			uint32_t	seen = 0;

			if (members == 0)
				continue;
			if (bits == CRM_CHUNK_BITS)
			{
				uint64_t	words[CRM_CHUNK_WORDS];

				CHECK_EQUAL(crm_chunk_decode(out, size, words), CRM_OK);
				for (uint64_t i = 0; i < CRM_CHUNK_IDS; i++)
					if (words[i / 64] >> (i % 64) & 1)
					{
						note(n, bits, key, i, slice);
						seen++;
					}
			}
			else
			{
				uint64_t   *offsets = pool_alloc(env->arg, (size + 1) * sizeof(uint64_t));
				size_t		k;

				CHECK_EQUAL(crm_chunk_decode_wide(out, size, bits, offsets, &k), CRM_OK);
				for (size_t i = 0; i < k; i++)
					note(n, bits, key, offsets[i], slice);
				seen = (uint32_t) k;
			}
			CHECK_EQUAL(members, seen);
		}
	}
}

static bool
same_id(void *arg, uint64_t passing, uint64_t *id)
{
	*id = passing;
	return true;
}

static void
test_against_model(void)
{
	static const int shapes[][3] = {{0, 0, 0}, {1, 0, 0}, {8, 2, 0}, {30, 4, 2}, {63, 0, 5}, {64, 12, 0}, {70, 15, 16}, {126, 0, 0}, {30, 15, 26}};

	for (int round = 0; round < ROUNDS(60) + 9; round++)
	{
		block	   *pool = NULL;
		crm_env		env = pool_env(&pool);
		const int  *shape = shapes[round % 9];
		int			bits = round % 2 ? 40 : CRM_CHUNK_BITS;
		int			n = make_customers(bits, shape[0], shape[1]);
		int			parts = 1 + (int) (next_random() % MAX_PARTS);
		crm_tag_sets *whole = NULL;
		uint32_t	order[2] = {1, 0};
		uint32_t	scale;
		int			most = 0;

		for (int p = 0; p < parts; p++)
		{
			crm_tag_sets *part = fill(&env, bits, n, p, parts);

			if (next_random() % 2)
				part = sent(&env, part, bits);
			if (next_random() % 3 == 0)
			{
				/* the same by way of passing ids */
				uint64_t	unknown;

				part = new_sets(&env, bits);
				CHECK_EQUAL(crm_tag_sets_merge_renamed(part, fill(&env, 62, n, p, parts), NULL, NULL, 0, same_id, NULL, &unknown), CRM_OK);
				CHECK_EQUAL(unknown, 0);
			}
			if (whole == NULL)
				whole = part;
			else if (next_random() % 2)
				CHECK_EQUAL(crm_tag_sets_merge(whole, part, NULL, NULL), CRM_OK);
			else if (next_random() % 2)
				merge_sent(&env, whole, part, bits);
			else
			{
				CHECK_EQUAL(crm_tag_sets_merge(part, whole, NULL, NULL), CRM_OK);
				whole = part;
			}
		}
		CHECK_EQUAL(crm_tag_sets_finish(whole, order), CRM_OK);
		CHECK_EQUAL(crm_tag_sets_same_scale(whole, 1, (uint32_t) shape[2], &scale), CRM_OK);
		for (int i = 0; i < n; i++)
			if (customers[i].present && customers[i].scale > most)
				most = customers[i].scale;
		CHECK_EQUAL(scale, most > shape[2] ? most : shape[2]);
		read_all(whole, n, bits, &env);
		for (int i = 0; i < n; i++)
		{
			const customer *c = &customers[i];
			int128		expected = c->value;

			for (int s = c->scale; s < (int) scale; s++)
				expected *= 10;
			CHECK(c->has == c->present && c->found == c->present);
			CHECK(!c->present || (c->negative ? ~c->bits : c->bits) == expected);
			CHECK(c->present || (!c->negative && c->bits == 0));
		}
		pool_free(&pool);
	}
}

/* Numbers without a common scale; a wanted scale that is too large; a customer met twice. */
static void
test_limits(void)
{
	block	   *pool = NULL;
	crm_env		env = pool_env(&pool);
	crm_tag_sets *a = new_sets(&env, CRM_CHUNK_BITS);
	crm_tag_sets *b = new_sets(&env, CRM_CHUNK_BITS);
	uint32_t	scopes[2] = {0, 0};
	uint64_t	ids[2] = {5, 100000};
	crm_tag_number huge[2] = {{~UINT64_C(0), INT64_MAX, 0, true}, {0, INT64_MIN, 0, true}};
	crm_tag_number small[2] = {{1, 0, 38, true}, {1, 0, 1, true}};
	uint32_t	scale;
	uint32_t	order[1] = {0};
	uint64_t	twice;

	CHECK_EQUAL(crm_tag_sets_place(a, scopes, ids, 2), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_add_numbers(a, 1, huge), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_same_scale(a, 1, 38, &scale), CRM_OK);
	CHECK_EQUAL(scale, 0);
	CHECK_EQUAL(crm_tag_sets_slices(a, 0, 1), CRM_TAG_SLICES);

	/* the first number stays */
	CHECK_EQUAL(crm_tag_sets_place(a, scopes, ids, 2), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_add_numbers(a, 1, small), CRM_OK);
	CHECK(crm_tag_sets_duplicate(a, &twice));

	ids[0] = 6;
	ids[1] = 100001;
	CHECK_EQUAL(crm_tag_sets_place(b, scopes, ids, 2), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_add_numbers(b, 1, small), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_merge(a, b, NULL, NULL), CRM_OUT_OF_RANGE);
	CHECK_EQUAL(crm_tag_sets_crowded(a), 1);

	/* in one chunk they meet at once, in two when they are brought to one scale */
	a = new_sets(&env, CRM_CHUNK_BITS);
	ids[1] = 7;
	huge[1] = small[0];
	CHECK_EQUAL(crm_tag_sets_place(a, scopes, ids, 2), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_add_numbers(a, 1, huge), CRM_OUT_OF_RANGE);
	a = new_sets(&env, CRM_CHUNK_BITS);
	ids[1] = 700000;
	CHECK_EQUAL(crm_tag_sets_place(a, scopes, ids, 2), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_add_numbers(a, 1, huge), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_finish(a, order), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_same_scale(a, 1, 0, &scale), CRM_OUT_OF_RANGE);
	pool_free(&pool);
}

/* Whatever the bytes: an error, or something that can be read. */
static void
test_damaged(void)
{
	for (int round = 0; round < ROUNDS(2000); round++)
	{
		block	   *pool = NULL;
		crm_env		env = pool_env(&pool);
		int			bits = round % 2 ? 40 : CRM_CHUNK_BITS;
		uint32_t	codes[3] = {0, 0, 1};
		crm_tag_sets *sets = new_sets(&env, bits);
		crm_tag_sets *other = new_sets(&env, bits);
		uint32_t	scopes[40] = {0};
		uint64_t	ids[40];
		crm_tag_number numbers[40];
		uint32_t	order[2] = {0, 1};
		uint32_t	scale;
		uint8_t    *data;
		uint8_t    *exact;
		size_t		size;

		for (int i = 0; i < 40; i++)
		{
			ids[i] = (uint64_t) i * 3;
			numbers[i] = (crm_tag_number) {next_random() >> 40, -(int64_t) (next_random() % 2), (uint8_t) (i % 4), i % 3 != 0};
		}
		CHECK_EQUAL(crm_tag_sets_place(sets, scopes, ids, 40), CRM_OK);
		CHECK_EQUAL(crm_tag_sets_add_numbers(sets, 1, numbers), CRM_OK);
		CHECK_EQUAL(crm_tag_sets_write(sets, &data, &size), CRM_OK);
		for (int k = (int) (next_random() % 4); k >= 0; k--)
			data[next_random() % size] ^= (uint8_t) (1 << next_random() % 8);
		if (next_random() % 4 == 0)
			size = next_random() % size;
		exact = malloc(size + 1);
		memcpy(exact, data, size);
		if (crm_tag_sets_read(other, exact, size, 2, codes) == CRM_OK &&
			crm_tag_sets_finish(other, order) == CRM_OK &&
			crm_tag_sets_same_scale(other, 1, 6, &scale) == CRM_OK)
			for (int chunk = 0; chunk < crm_tag_sets_chunks(other); chunk++)
				for (int slice = 0; slice < crm_tag_sets_slices(other, chunk, 1); slice++)
				{
					uint32_t	members;

					(void) crm_tag_sets_encode_slice(other, chunk, 1, slice,
													 pool_alloc(&pool, crm_tag_sets_bound(other, chunk)), &members);
				}
		free(exact);
		pool_free(&pool);
	}
}

int
main(void)
{
	test_against_model();
	test_limits();
	test_damaged();
	return unit_done();
}
