/*
 * fuzz_tag_sets.c - any bytes as sets on their way between processes: refused,
 * or good for merging, finishing and encoding.
 *
 * The first byte gives the width of chunks (0: dense), the second which of the
 * rules are text, the third how many there are.
 */
#include "fuzz.h"

#include "kernel/tag_sets.h"

#define SCOPES 3
#define CODES 9

/* The kernel's memory is freed as a whole: a list of its blocks. */
typedef struct block
{
	struct block *next;
	struct block *previous;
} block;

static block all = {&all, &all};

static void
link_block(block *b)
{
	b->next = all.next;
	b->previous = &all;
	b->next->previous = b;
	all.next = b;
}

static void
unlink_block(block *b)
{
	b->previous->next = b->next;
	b->next->previous = b->previous;
}

static void *
block_alloc(void *arg, size_t size)
{
	block	   *b = malloc(sizeof(block) + size);

	if (b == NULL)
		return NULL;
	link_block(b);
	return b + 1;
}

static void
block_release(void *arg, void *ptr)
{
	unlink_block((block *) ptr - 1);
	free((block *) ptr - 1);
}

static void *
block_resize(void *arg, void *ptr, size_t old_size, size_t new_size)
{
	void	   *p = block_alloc(arg, new_size);

	if (p == NULL)
		return NULL;
	if (ptr != NULL)
	{
		memcpy(p, ptr, old_size < new_size ? old_size : new_size);
		block_release(arg, ptr);
	}
	return p;
}

static void
use(crm_tag_sets *sets, int bits, int rules, const bool *is_text)
{
	static const uint32_t order[SCOPES] = {2, 0, 1};
	static uint16_t codes[65536];
	uint64_t	last_key = 0;
	uint32_t	last_scope = 0;

	REQUIRE(crm_tag_sets_finish(sets, order) == CRM_OK);
	for (int c = 0; c < crm_tag_sets_chunks(sets); c++)
	{
		uint32_t	scope;
		uint64_t	key;
		uint32_t	customers;
		uint32_t	members;
		uint8_t    *out = malloc(crm_tag_sets_bound(sets, c));
		uint64_t	words[CRM_CHUNK_WORDS];
		size_t		size;
		uint64_t	id;

		crm_tag_sets_chunk(sets, c, &scope, &key, &customers);
		REQUIRE(scope < SCOPES && key >> (63 - bits) == 0 && customers > 0);
		REQUIRE(c == 0 || order[last_scope] < order[scope] || (last_scope == scope && last_key < key));
		last_scope = scope;
		last_key = key;
		size = crm_tag_sets_encode_base(sets, c, out);
		REQUIRE(size > 1 && size <= crm_tag_sets_bound(sets, c));
		/* a customer who stands twice is an error later on; his chunks need not make sense */
		if (crm_tag_sets_duplicate(sets, &id))
		{
			free(out);
			return;
		}
		if (bits == CRM_CHUNK_BITS)
			REQUIRE(crm_chunk_decode(out, size, words) == CRM_OK);
		for (int r = 0; r < rules; r++)
			if (is_text[r])
			{
				int			present = crm_tag_sets_codes_present(sets, c, r, codes);

				for (int i = 0; i < present; i++)
				{
					REQUIRE(codes[i] > 0 && codes[i] <= CODES && (i == 0 || codes[i - 1] < codes[i]));
					size = crm_tag_sets_encode_code(sets, c, i, out, &members);
					REQUIRE(size > 1 && size <= crm_tag_sets_bound(sets, c) && members > 0 && members <= customers);
				}
			}
			else
			{
				size = crm_tag_sets_encode_rule(sets, c, r, out, &members);
				REQUIRE(size <= crm_tag_sets_bound(sets, c) && members <= customers && (size > 0) == (members > 0));
			}
		free(out);
	}
}

/* A customer in four is nobody; two may be the same. */
static bool
rename_id(void *arg, uint64_t passing, uint64_t *id)
{
	*id = passing >> 1;
	return passing % 4 != 3;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	crm_env		env = {block_alloc, block_resize, block_release, NULL, NULL};
	bool		is_text[8];
	uint32_t	codes[8];
	int			bits;
	int			rules;
	crm_tag_sets *sets;
	crm_tag_sets *whole;
	crm_tag_sets *empty;
	uint8_t    *bytes;

	/* a text rule's cell takes 16 kB for a few bytes of input: a long one would take gigabytes */
	if (size < 3 || size > 4096)
		return 0;
	bits = CRM_CHUNK_BITS + data[0] % 50;
	rules = data[2] % 9;
	for (int r = 0; r < 8; r++)
	{
		is_text[r] = data[1] >> r & 1;
		codes[r] = CODES;
	}
	bytes = malloc(size > 3 ? size - 3 : 1);
	memcpy(bytes, data + 3, size - 3);
	REQUIRE(crm_tag_sets_new(&env, bits, rules, is_text, &sets) == CRM_OK);
	if (crm_tag_sets_read(sets, bytes, size - 3, SCOPES, codes) == CRM_OK)
	{
		uint8_t    *first;
		uint8_t    *second;
		size_t		first_size;
		size_t		second_size;
		uint64_t	id;

		REQUIRE(crm_tag_sets_new(&env, bits, rules, is_text, &whole) == CRM_OK);
		REQUIRE(crm_tag_sets_merge(whole, sets, NULL, NULL) == CRM_OK);
		REQUIRE(crm_tag_sets_write(sets, &first, &first_size) == CRM_OK);
		REQUIRE(crm_tag_sets_write(whole, &second, &second_size) == CRM_OK);
		REQUIRE(crm_tag_sets_customers(whole) == crm_tag_sets_customers(sets));
		if (!crm_tag_sets_duplicate(sets, &id))
			REQUIRE(first_size == second_size && memcmp(first, second, first_size) == 0);
		/* all customers a second time: noticed */
		REQUIRE(crm_tag_sets_merge(whole, sets, NULL, NULL) == CRM_OK);
		use(sets, bits, rules, is_text);
		use(whole, bits, rules, is_text);
		REQUIRE(crm_tag_sets_chunks(sets) == 0 || crm_tag_sets_duplicate(whole, &id));
		/* chunk by chunk: as all of them at once */
		REQUIRE(crm_tag_sets_new(&env, bits, rules, is_text, &whole) == CRM_OK);
		REQUIRE(crm_tag_sets_new(&env, bits, rules, is_text, &empty) == CRM_OK);
		REQUIRE(crm_tag_sets_merge_read(whole, NULL, NULL, empty, bytes, size - 3, SCOPES, codes) == CRM_OK);
		REQUIRE(crm_tag_sets_customers(whole) == crm_tag_sets_customers(sets));
		use(whole, bits, rules, is_text);
		if (bits > CRM_CHUNK_BITS)
		{
			REQUIRE(crm_tag_sets_new(&env, bits, rules, is_text, &whole) == CRM_OK);
			REQUIRE(crm_tag_sets_merge_renamed(whole, sets, NULL, NULL, data[1], rename_id, NULL, &id) == CRM_OK);
			use(whole, bits, rules, is_text);
		}
	}
	else
	{
		REQUIRE(crm_tag_sets_new(&env, bits, rules, is_text, &whole) == CRM_OK);
		REQUIRE(crm_tag_sets_new(&env, bits, rules, is_text, &empty) == CRM_OK);
		REQUIRE(crm_tag_sets_merge_read(whole, NULL, NULL, empty, bytes, size - 3, SCOPES, codes) != CRM_OK);
	}
	free(bytes);
	while (all.next != &all)
		block_release(NULL, all.next + 1);
	return 0;
}
