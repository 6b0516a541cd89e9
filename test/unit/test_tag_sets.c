/*
 * test_tag_sets.c - sets under construction against a naive model: a plain list
 * of rows, from which every set is worked out again.
 *
 * Rows come in random order and in batches of random size, over several scopes,
 * dense and wide; parts with numbers of their own for scopes and values are sent
 * and merged in any order.
 */
#include "unit.h"

#include "kernel/tag_sets.h"

/* Under a sanitizer, ten times slower, a part of the rounds has to do: it looks at memory, not at answers. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ROUNDS(n) ((n) / 4)
#endif
#endif
#ifndef ROUNDS
#define ROUNDS(n) (n)
#endif

static uint64_t random_state = 20261121;

static uint64_t
next_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

/* ---- an arena that knows what it holds ------------------------------------------ */

typedef struct block
{
	struct block *next;
	struct block *previous;
	size_t		size;
	size_t		padding;		/* keeps what follows aligned */
} block;

typedef struct arena
{
	block		head;
	size_t		live;
} arena;

static void *
arena_alloc(void *arg, size_t size)
{
	arena	   *a = arg;
	block	   *b = malloc(sizeof(block) + size);

	b->size = size;
	b->previous = &a->head;
	b->next = a->head.next;
	if (b->next != NULL)
		b->next->previous = b;
	a->head.next = b;
	a->live += size;
	return b + 1;
}

static void
arena_release(void *arg, void *ptr)
{
	arena	   *a = arg;
	block	   *b = (block *) ptr - 1;

	b->previous->next = b->next;
	if (b->next != NULL)
		b->next->previous = b->previous;
	a->live -= b->size;
	free(b);
}

static void *
arena_resize(void *arg, void *ptr, size_t old_size, size_t new_size)
{
	void	   *p = arena_alloc(arg, new_size);

	if (ptr != NULL)
	{
		CHECK_EQUAL(((block *) ptr - 1)->size, old_size);
		memcpy(p, ptr, old_size < new_size ? old_size : new_size);
		arena_release(arg, ptr);
	}
	return p;
}

static void
arena_free(arena *a)
{
	while (a->head.next != NULL)
		arena_release(a, a->head.next + 1);
}

static crm_env
arena_env(arena *a)
{
	crm_env		env = {arena_alloc, arena_resize, arena_release, NULL, a};

	return env;
}

/* ---- the model --------------------------------------------------------------------- */

#define MAX_RULES 9
#define MAX_SCOPES 5
#define MAX_CODES 300

typedef struct row
{
	uint32_t	scope;
	uint64_t	id;
	uint16_t	codes[MAX_RULES];	/* of a boolean rule: 0 or 1 */
} row;

typedef struct model
{
	int			bits;
	int			rules;
	bool		is_text[MAX_RULES];
	row		   *rows;
	int			count;
} model;

/* Numbers of a part for the model's scopes and codes; codes from 1 on. */
typedef struct numbering
{
	uint32_t	scope_to_part[MAX_SCOPES];
	uint32_t	scope_of_part[MAX_SCOPES];
	uint16_t	code_to_part[MAX_RULES][MAX_CODES + 1];
	uint16_t	code_of_part[MAX_RULES][MAX_CODES + 1];
} numbering;

static void
new_numbering(numbering *n, bool plain)
{
	for (uint32_t i = 0; i < MAX_SCOPES; i++)
		n->scope_of_part[i] = i;
	for (uint32_t i = MAX_SCOPES - 1; i > 0 && !plain; i--)
	{
		uint32_t	k = next_random() % (i + 1);
		uint32_t	v = n->scope_of_part[i];

		n->scope_of_part[i] = n->scope_of_part[k];
		n->scope_of_part[k] = v;
	}
	for (uint32_t i = 0; i < MAX_SCOPES; i++)
		n->scope_to_part[n->scope_of_part[i]] = i;
	for (int r = 0; r < MAX_RULES; r++)
	{
		for (uint16_t i = 0; i <= MAX_CODES; i++)
			n->code_of_part[r][i] = i;
		for (uint16_t i = MAX_CODES; i > 1 && !plain; i--)
		{
			uint16_t	k = 1 + next_random() % i;
			uint16_t	v = n->code_of_part[r][i];

			n->code_of_part[r][i] = n->code_of_part[r][k];
			n->code_of_part[r][k] = v;
		}
		for (uint16_t i = 0; i <= MAX_CODES; i++)
			n->code_to_part[r][n->code_of_part[r][i]] = i;
	}
}

static void
make_model(model *m, int bits, int rules, int count, uint64_t id_limit, int scopes, uint16_t codes)
{
	m->bits = bits;
	m->rules = rules;
	m->count = count;
	m->rows = calloc((size_t) count + 1, sizeof(row));
	for (int r = 0; r < rules; r++)
		m->is_text[r] = next_random() % 2;
	for (int i = 0; i < count; i++)
	{
		row		   *w = &m->rows[i];

		w->scope = (uint32_t) (next_random() % (uint64_t) scopes);
		w->id = next_random() % id_limit;
		for (int r = 0; r < rules; r++)
		{
			/* each rule with a frequency of its own, the first never true */
			bool		holds = next_random() % (uint64_t) rules < (uint64_t) r;

			w->codes[r] = !holds ? 0 : m->is_text[r] ? (uint16_t) (1 + next_random() % codes) : 1;
		}
	}
}

static int
compare_rows(const void *a, const void *b)
{
	const row  *x = a;
	const row  *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* Sorts by id and leaves one row of each; returns how many there are. */
static void
without_duplicates(model *m)
{
	int			kept = 0;

	qsort(m->rows, (size_t) m->count, sizeof(row), compare_rows);
	for (int i = 0; i < m->count; i++)
		if (kept == 0 || m->rows[kept - 1].id != m->rows[i].id)
			m->rows[kept++] = m->rows[i];
	m->count = kept;
}

/* All orders: shuffled, ascending (long runs), or ascending with odd places exchanged. */
static void
order_rows(model *m)
{
	uint64_t	how = next_random() % 3;

	if (how > 0)
		qsort(m->rows, (size_t) m->count, sizeof(row), compare_rows);
	for (int i = m->count - 1; i > 0 && how != 1; i--)
		if (how == 0 || next_random() % 50 == 0)
		{
			int			k = (int) (next_random() % ((uint64_t) i + 1));
			row			w = m->rows[i];

			m->rows[i] = m->rows[k];
			m->rows[k] = w;
		}
}

/* ---- filling -------------------------------------------------------------------------- */

static crm_tag_sets *
fill(const model *m, const crm_env *env, int from, int to, const numbering *n)
{
	crm_tag_sets *sets;

	CHECK_EQUAL(crm_tag_sets_new(env, m->bits, m->rules, m->is_text, &sets), CRM_OK);
	while (from < to)
	{
		uint32_t	scopes[CRM_BATCH_ROWS];
		uint64_t	ids[CRM_BATCH_ROWS];
		int			rows = next_random() % 3 == 0 ? CRM_BATCH_ROWS : (int) (1 + next_random() % CRM_BATCH_ROWS);

		if (rows > to - from)
			rows = to - from;
		for (int i = 0; i < rows; i++)
		{
			scopes[i] = n->scope_to_part[m->rows[from + i].scope];
			ids[i] = m->rows[from + i].id;
		}
		CHECK_EQUAL(crm_tag_sets_place(sets, scopes, ids, rows), CRM_OK);
		for (int r = 0; r < m->rules; r++)
		{
			uint64_t	truth[CRM_BATCH_WORDS] = {0};
			uint16_t	codes[CRM_BATCH_ROWS] = {0};

			for (int i = 0; i < rows; i++)
			{
				uint16_t	code = m->rows[from + i].codes[r];

				codes[i] = n->code_to_part[r][code];
				truth[i / 64] |= (uint64_t) (code != 0) << (i % 64);
			}
			CHECK_EQUAL(m->is_text[r] ? crm_tag_sets_add_codes(sets, r, codes) :
						crm_tag_sets_add_truth(sets, r, truth), CRM_OK);
		}
		from += rows;
	}
	return sets;
}

/* ---- comparing --------------------------------------------------------------------------- */

/* What was read of one chunk is ticked off on the model's rows, by rule. */
typedef struct reading
{
	const model *m;				/* its rows ascend by id */
	uint16_t  (*found)[MAX_RULES + 1];	/* codes; the last one counts the base set */
	uint32_t	scope;
	uint64_t	key;
	uint64_t	strange;		/* members that are no customers, or stand twice */
} reading;

static void
tick(reading *r, const uint8_t *bytes, size_t size, int rule, uint16_t code, uint32_t members)
{
	int			bits = r->m->bits;
	uint8_t    *exact = malloc(size ? size : 1);
	uint64_t   *offsets = malloc((size + CRM_CHUNK_IDS) * sizeof(uint64_t));
	size_t		count = 0;

	memcpy(exact, bytes, size);
	if (bits > CRM_CHUNK_BITS)
		CHECK_EQUAL(crm_chunk_decode_wide(exact, size, bits, offsets, &count), CRM_OK);
	else
	{
		uint64_t	words[CRM_CHUNK_WORDS];

		CHECK_EQUAL(crm_chunk_decode(exact, size, words), CRM_OK);
		for (uint64_t i = 0; i < CRM_CHUNK_IDS; i++)
			if (words[i / 64] >> (i % 64) & 1)
				offsets[count++] = i;
	}
	CHECK_EQUAL(count, members);
	for (size_t i = 0; i < count; i++)
	{
		row			wanted = {.id = (r->key << bits) + offsets[i]};
		row		   *at = bsearch(&wanted, r->m->rows, (size_t) r->m->count, sizeof(row), compare_rows);

		if (at == NULL || at->scope != r->scope || r->found[at - r->m->rows][rule] != 0)
			r->strange++;
		else
			r->found[at - r->m->rows][rule] = code;
	}
	free(exact);
	free(offsets);
}

/* Every set that comes out is the model's, of its one customer each. */
static void
compare(model *m, crm_tag_sets *sets, const numbering *n)
{
	reading		r = {m};
	uint32_t	scope_order[MAX_SCOPES];
	uint64_t	id;
	uint64_t	wrong = 0;
	uint64_t	last_key = 0;
	int64_t		last_order = -1;
	uint64_t	customers = 0;

	qsort(m->rows, (size_t) m->count, sizeof(row), compare_rows);
	r.found = calloc((size_t) m->count + 1, sizeof(*r.found));
	/* the order asked for is that of the model's numbers, backwards */
	for (uint32_t i = 0; i < MAX_SCOPES; i++)
		scope_order[i] = MAX_SCOPES - n->scope_of_part[i];
	CHECK_EQUAL(crm_tag_sets_customers(sets), m->count);
	CHECK_EQUAL(crm_tag_sets_finish(sets, scope_order), CRM_OK);
	CHECK(!crm_tag_sets_duplicate(sets, &id));
	for (int c = 0; c < crm_tag_sets_chunks(sets); c++)
	{
		uint32_t	scope;
		uint32_t	count;
		uint32_t	members;
		size_t		bound = crm_tag_sets_bound(sets, c);
		uint8_t    *out = malloc(bound);
		uint16_t   *codes = malloc(65536 * sizeof(uint16_t));
		size_t		size;

		crm_tag_sets_chunk(sets, c, &scope, &r.key, &count);
		CHECK(last_order < (int64_t) scope_order[scope] || (last_order == scope_order[scope] && last_key < r.key));
		last_order = scope_order[scope];
		last_key = r.key;
		customers += count;
		r.scope = n->scope_of_part[scope];
		size = crm_tag_sets_encode_base(sets, c, out);
		CHECK(size > 0 && size <= bound);
		tick(&r, out, size, m->rules, 1, count);
		for (int rule = 0; rule < m->rules; rule++)
		{
			if (m->is_text[rule])
			{
				int			present = crm_tag_sets_codes_present(sets, c, rule, codes);

				for (int i = 0; i < present; i++)
				{
					CHECK(i == 0 || codes[i - 1] < codes[i]);
					size = crm_tag_sets_encode_code(sets, c, i, out, &members);
					CHECK(size > 0 && size <= bound && members > 0);
					tick(&r, out, size, rule, n->code_of_part[rule][codes[i]], members);
				}
			}
			else if ((size = crm_tag_sets_encode_rule(sets, c, rule, out, &members)) > 0)
			{
				CHECK(size <= bound && members > 0);
				tick(&r, out, size, rule, 1, members);
			}
			else
				CHECK_EQUAL(members, 0);
		}
		free(out);
		free(codes);
	}
	for (int i = 0; i < m->count; i++)
	{
		wrong += r.found[i][m->rules] != 1;
		for (int rule = 0; rule < m->rules; rule++)
			wrong += r.found[i][rule] != m->rows[i].codes[rule];
	}
	CHECK_EQUAL(customers, m->count);
	CHECK_EQUAL(r.strange, 0);
	CHECK_EQUAL(wrong, 0);
	free(r.found);
}

/* The smallest id that stands twice. */
static bool
smallest_duplicate(model *m, uint64_t *id)
{
	qsort(m->rows, (size_t) m->count, sizeof(row), compare_rows);
	for (int i = 1; i < m->count; i++)
		if (m->rows[i - 1].id == m->rows[i].id)
		{
			*id = m->rows[i].id;
			return true;
		}
	return false;
}

/* ---- sending ------------------------------------------------------------------------------- */

/* Writes, reads into new sets, writes those again: the same bytes. */
static crm_tag_sets *
send(const model *m, const crm_env *env, const crm_tag_sets *sets)
{
	uint8_t    *data;
	uint8_t    *again;
	size_t		size;
	size_t		size_again;
	uint32_t	codes[MAX_RULES];
	crm_tag_sets *other;
	uint8_t    *exact;

	for (int r = 0; r < MAX_RULES; r++)
		codes[r] = MAX_CODES;
	CHECK_EQUAL(crm_tag_sets_write(sets, &data, &size), CRM_OK);
	exact = malloc(size);
	memcpy(exact, data, size);
	CHECK_EQUAL(crm_tag_sets_new(env, m->bits, m->rules, m->is_text, &other), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_read(other, exact, size, MAX_SCOPES, codes), CRM_OK);
	free(exact);
	CHECK_EQUAL(crm_tag_sets_customers(other), crm_tag_sets_customers(sets));
	CHECK_EQUAL(crm_tag_sets_write(other, &again, &size_again), CRM_OK);
	CHECK(size == size_again && memcmp(data, again, size) == 0);
	env->release(env->arg, data);
	env->release(env->arg, again);
	return other;
}

/* Sends, and merges what arrives chunk by chunk. */
static void
merge_sent(const model *m, const crm_env *env, crm_tag_sets *sets, const crm_tag_sets *part,
		   const uint32_t *scope_map, uint16_t *const *code_maps)
{
	uint8_t    *data;
	uint8_t    *exact;
	size_t		size;
	uint32_t	codes[MAX_RULES];
	crm_tag_sets *empty;

	for (int r = 0; r < MAX_RULES; r++)
		codes[r] = MAX_CODES;
	CHECK_EQUAL(crm_tag_sets_write(part, &data, &size), CRM_OK);
	exact = malloc(size);
	memcpy(exact, data, size);
	CHECK_EQUAL(crm_tag_sets_new(env, m->bits, m->rules, m->is_text, &empty), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_merge_read(sets, scope_map, code_maps, empty, exact, size, MAX_SCOPES, codes), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_customers(empty), crm_tag_sets_customers(part));
	free(exact);
	env->release(env->arg, data);
}

/* Parts of the rows, numbered each in its own way, sent or not, merged in any order. */
static crm_tag_sets *
in_parts(const model *m, const crm_env *env, const numbering *whole)
{
	enum {PARTS = 6};
	crm_tag_sets *parts[PARTS];
	numbering  *numbers = calloc(PARTS, sizeof(numbering));
	crm_tag_sets *sets;
	int			from = 0;

	CHECK_EQUAL(crm_tag_sets_new(env, m->bits, m->rules, m->is_text, &sets), CRM_OK);
	for (int p = 0; p < PARTS; p++)
	{
		/* some parts are empty */
		int			to = p == PARTS - 1 ? m->count :
			from + (int) (next_random() % 3 == 0 ? 0 : next_random() % ((uint64_t) (m->count - from) + 1));

		new_numbering(&numbers[p], false);
		parts[p] = fill(m, env, from, to, &numbers[p]);
		if (next_random() % 2)
			parts[p] = send(m, env, parts[p]);
		from = to;
	}
	for (int p = PARTS - 1; p >= 0; p--)
	{
		int			k = (int) (next_random() % ((uint64_t) p + 1));
		const numbering *n = &numbers[k];
		uint32_t	scope_map[MAX_SCOPES];
		uint16_t   *code_maps[MAX_RULES];

		for (uint32_t i = 0; i < MAX_SCOPES; i++)
			scope_map[i] = whole->scope_to_part[n->scope_of_part[i]];
		for (int r = 0; r < m->rules; r++)
		{
			code_maps[r] = NULL;
			if (!m->is_text[r])
				continue;
			code_maps[r] = malloc((MAX_CODES + 1) * sizeof(uint16_t));
			for (uint16_t c = 0; c <= MAX_CODES; c++)
				code_maps[r][c] = whole->code_to_part[r][n->code_of_part[r][c]];
		}
		if (next_random() % 2)
			CHECK_EQUAL(crm_tag_sets_merge(sets, parts[k], scope_map, code_maps), CRM_OK);
		else
			merge_sent(m, env, sets, parts[k], scope_map, code_maps);
		for (int r = 0; r < m->rules; r++)
			free(code_maps[r]);
		parts[k] = parts[p];
		numbers[k] = numbers[p];
	}
	free(numbers);
	return sets;
}

/* Passing ids are places in this, times an odd number; every seventh place is nobody's. */
#define PASSING_FACTOR UINT64_C(2654435761)
#define PASSING_MASK ((UINT64_C(1) << 62) - 1)

typedef struct passing
{
	const uint64_t *ids;
	uint64_t	count;
	uint64_t	own;			/* ids below are no passing ones */
} passing;

static bool
rename_place(void *arg, uint64_t id, uint64_t *renamed)
{
	const passing *p = arg;
	uint64_t	inverse = PASSING_FACTOR;
	uint64_t	place;

	/* Newton: twice as many bits are right each time */
	for (int i = 0; i < 6; i++)
		inverse *= 2 - PASSING_FACTOR * inverse;
	if (p->own > 0 && CHECK(id > PASSING_MASK))
		id -= PASSING_MASK + 1;
	place = (id * inverse) & PASSING_MASK;
	if (!CHECK(place < p->count) || place % 7 == 6)
		return false;
	*renamed = p->ids[place];
	return true;
}

/* Sets that were filled under passing ids, all or those from `own` on, in which nobody's customers stand among the others. */
static crm_tag_sets *
renamed(const model *m, const crm_env *env, const numbering *n, uint64_t own)
{
	model		passed = *m;
	uint64_t   *ids = malloc(((size_t) m->count * 2 + 1) * sizeof(uint64_t));
	passing		p = {ids, 0, own};
	uint64_t	nobody = 0;
	uint64_t	unknown;
	crm_tag_sets *sets;
	crm_tag_sets *other;

	if (own == 0)
		passed.bits = 62;
	passed.rows = malloc(((size_t) m->count * 2 + 1) * sizeof(row));
	for (int i = 0; i < m->count; p.count++)
	{
		passed.rows[p.count] = m->rows[i];
		ids[p.count] = m->rows[i].id;
		if (p.count % 7 == 6 || m->rows[i].id >= own)
			passed.rows[p.count].id = ((p.count * PASSING_FACTOR) & PASSING_MASK) + (own > 0 ? PASSING_MASK + 1 : 0);
		if (p.count % 7 == 6)
			nobody++;
		else
			i++;
	}
	passed.count = (int) p.count;
	order_rows(&passed);
	other = fill(&passed, env, 0, passed.count, n);
	if (next_random() % 2)
		other = send(&passed, env, other);
	CHECK_EQUAL(crm_tag_sets_new(env, m->bits, m->rules, m->is_text, &sets), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_merge_renamed(sets, other, NULL, NULL, own, rename_place, &p, &unknown), CRM_OK);
	CHECK_EQUAL(unknown, nobody);
	free(passed.rows);
	free(ids);
	return sets;
}

/* ---- tests ------------------------------------------------------------------------------------ */

static const struct
{
	int			bits;
	uint64_t	id_limit;
}			worlds[] = {
	{13, 100},
	{13, 8192},
	{13, 8193},
	{13, 40000},
	{13, 1000000},
	{13, (uint64_t) INT64_MAX},
	{14, 20000},
	{14, (uint64_t) INT64_MAX},
	{20, 5000000},
	{40, UINT64_C(1) << 50},
	{50, (uint64_t) INT64_MAX},
	{62, (uint64_t) INT64_MAX},
};

static void
test_against_model(void)
{
	for (size_t w = 0; w < sizeof(worlds) / sizeof(worlds[0]); w++)
		for (int round = 0; round < ROUNDS(12); round++)
		{
			arena		a = {{NULL}};
			crm_env		env = arena_env(&a);
			model		m;
			numbering	n;
			crm_tag_sets *sets;
			int			count = (int) (next_random() % (round < 2 ? 5 : worlds[w].id_limit > 100000 && worlds[w].bits == 13 ? 600 : 9000));

			make_model(&m, worlds[w].bits, (int) (next_random() % (MAX_RULES + 1)), count,
					   worlds[w].id_limit, 1 + (int) (next_random() % MAX_SCOPES),
					   (uint16_t) (1 + next_random() % MAX_CODES));
			without_duplicates(&m);
			new_numbering(&n, round % 2);

			order_rows(&m);
			sets = fill(&m, &env, 0, m.count, &n);
			CHECK_EQUAL(crm_tag_sets_memory(sets), a.live);
			compare(&m, sets, &n);
			arena_free(&a);

			order_rows(&m);
			sets = send(&m, &env, fill(&m, &env, 0, m.count, &n));
			compare(&m, sets, &n);
			arena_free(&a);

			order_rows(&m);
			sets = in_parts(&m, &env, &n);
			compare(&m, sets, &n);
			arena_free(&a);

			order_rows(&m);
			sets = renamed(&m, &env, &n, 0);
			compare(&m, sets, &n);
			arena_free(&a);

			order_rows(&m);
			sets = renamed(&m, &env, &n, 1 + next_random() % (worlds[w].id_limit < PASSING_MASK ? worlds[w].id_limit : PASSING_MASK));
			compare(&m, sets, &n);
			arena_free(&a);
			free(m.rows);
		}
}

/* One or a few customers twice: found whatever the order, the parts and the scopes, and always the same one. */
static void
test_duplicates(void)
{
	for (size_t w = 0; w < sizeof(worlds) / sizeof(worlds[0]); w++)
		for (int round = 0; round < ROUNDS(20); round++)
		{
			arena		a = {{NULL}};
			crm_env		env = arena_env(&a);
			model		m;
			numbering	n;
			int			scopes = 1 + round % 3;
			uint64_t	expected = 0;
			int			twice = 1 + (int) (next_random() % 3);
			static const uint32_t order[MAX_SCOPES] = {0, 1, 2, 3, 4};

			make_model(&m, worlds[w].bits, 2, 300, worlds[w].id_limit, scopes, 3);
			without_duplicates(&m);
			m.rows = realloc(m.rows, ((size_t) m.count + 3) * sizeof(row));
			for (int i = 0; i < twice; i++)
			{
				m.rows[m.count] = m.rows[next_random() % (uint64_t) m.count];
				m.rows[m.count++].scope = (uint32_t) (next_random() % (uint64_t) scopes);
			}
			CHECK(smallest_duplicate(&m, &expected));
			for (int way = 0; way < 3; way++)
			{
				crm_tag_sets *sets;
				uint64_t	id = 0;

				order_rows(&m);
				new_numbering(&n, false);
				sets = way == 2 ? in_parts(&m, &env, &n) : fill(&m, &env, 0, m.count, &n);
				if (way == 1)
					sets = send(&m, &env, sets);
				CHECK_EQUAL(crm_tag_sets_finish(sets, order), CRM_OK);
				CHECK(crm_tag_sets_duplicate(sets, &id));
				CHECK_EQUAL(id, expected);
				arena_free(&a);
			}
			free(m.rows);
		}
}

/* Every byte changed, every cut: refused, or sets that can be finished and encoded. */
static void
use(crm_tag_sets *sets, int rules, const bool *is_text)
{
	static const uint32_t order[MAX_SCOPES] = {4, 3, 2, 1, 0};
	uint16_t   *codes = malloc(65536 * sizeof(uint16_t));

	CHECK_EQUAL(crm_tag_sets_finish(sets, order), CRM_OK);
	for (int c = 0; c < crm_tag_sets_chunks(sets); c++)
	{
		uint8_t    *out = malloc(crm_tag_sets_bound(sets, c));
		uint32_t	members;

		CHECK(crm_tag_sets_encode_base(sets, c, out) > 0);
		for (int r = 0; r < rules; r++)
			if (!is_text[r])
				(void) crm_tag_sets_encode_rule(sets, c, r, out, &members);
			else
				for (int i = crm_tag_sets_codes_present(sets, c, r, codes); i > 0; i--)
					CHECK(crm_tag_sets_encode_code(sets, c, i - 1, out, &members) > 0);
		free(out);
	}
	free(codes);
}

static void
test_damaged(void)
{
	for (int wide = 0; wide < 2; wide++)
	{
		arena		a = {{NULL}};
		crm_env		env = arena_env(&a);
		model		m;
		numbering	n;
		uint8_t    *data;
		size_t		size;
		uint8_t    *sound;
		uint32_t	codes[MAX_RULES];
		long		accepted = 0;

		make_model(&m, wide ? 40 : 13, 4, 40, wide ? UINT64_C(1) << 42 : 20000, 2, 5);
		m.is_text[1] = m.is_text[2] = true;
		m.is_text[3] = false;
		for (int i = 0; i < m.count; i++)
			m.rows[i].codes[3] = m.rows[i].codes[3] != 0;
		without_duplicates(&m);
		new_numbering(&n, true);
		for (int r = 0; r < MAX_RULES; r++)
			codes[r] = 5;
		CHECK_EQUAL(crm_tag_sets_write(fill(&m, &env, 0, m.count, &n), &data, &size), CRM_OK);
		sound = malloc(size);
		memcpy(sound, data, size);
		arena_free(&a);
		for (int round = 0; round < ROUNDS(6000); round++)
		{
			size_t		length = (size_t) round < size ? (size_t) round : size;
			uint8_t    *exact = malloc(length ? length : 1);
			crm_tag_sets *sets;
			crm_status	status;

			memcpy(exact, sound, length);
			if (length == size)
				for (uint64_t k = next_random() % 2 + 1; k > 0; k--)
					exact[next_random() % size] ^= (uint8_t) (1 << next_random() % 8);
			CHECK_EQUAL(crm_tag_sets_new(&env, m.bits, m.rules, m.is_text, &sets), CRM_OK);
			status = crm_tag_sets_read(sets, exact, length, 2, codes);
			free(exact);
			CHECK(status == CRM_OK || status == CRM_CORRUPT);
			if (length < size)
				CHECK_EQUAL(status, CRM_CORRUPT);
			if (status == CRM_OK)
			{
				uint64_t	counted = 0;
				uint64_t	id;

				accepted++;
				use(sets, m.rules, m.is_text);
				for (int c = 0; c < crm_tag_sets_chunks(sets); c++)
				{
					uint32_t	scope;
					uint32_t	count;
					uint64_t	key;

					crm_tag_sets_chunk(sets, c, &scope, &key, &count);
					CHECK(scope < 2);
					counted += count;
				}
				/* more rows than places only where a customer stands twice */
				if (!crm_tag_sets_duplicate(sets, &id))
					CHECK_EQUAL(crm_tag_sets_customers(sets), counted);
			}
			arena_free(&a);
		}
		CHECK(accepted > 0);	/* other members are no damage: the test reaches the reading of sets */
		free(sound);
		free(m.rows);
	}
}

static void
test_arguments(void)
{
	arena		a = {{NULL}};
	crm_env		env = arena_env(&a);
	crm_tag_sets *sets;
	crm_tag_sets *other;
	bool		none = false;
	uint8_t    *data;
	size_t		size;
	uint32_t	scope = 0;
	uint64_t	id = (uint64_t) INT64_MAX;
	uint64_t	unknown;

	CHECK_EQUAL(crm_tag_sets_new(&env, 12, 0, &none, &sets), CRM_OUT_OF_RANGE);
	CHECK_EQUAL(crm_tag_sets_new(&env, 63, 0, &none, &sets), CRM_OUT_OF_RANGE);
	CHECK_EQUAL(crm_tag_sets_new(&env, 13, -1, &none, &sets), CRM_OUT_OF_RANGE);

	/* nothing at all */
	CHECK_EQUAL(crm_tag_sets_new(&env, 13, 0, &none, &sets), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_write(sets, &data, &size), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_new(&env, 13, 0, &none, &other), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_read(other, data, size, 0, NULL), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_finish(other, &scope), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_chunks(other), 0);

	/* sets of another shape are neither merged nor read */
	CHECK_EQUAL(crm_tag_sets_new(&env, 14, 0, &none, &other), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_merge(sets, other, NULL, NULL), CRM_CORRUPT);
	CHECK_EQUAL(crm_tag_sets_read(other, data, size, 0, NULL), CRM_CORRUPT);
	CHECK_EQUAL(crm_tag_sets_new(&env, 13, 1, &none, &other), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_merge(sets, other, NULL, NULL), CRM_CORRUPT);
	CHECK_EQUAL(crm_tag_sets_read(other, data, size, 0, NULL), CRM_CORRUPT);
	CHECK_EQUAL(crm_tag_sets_merge_renamed(other, sets, NULL, NULL, 0, rename_place, NULL, &unknown), CRM_CORRUPT);
	/* nor are they renamed, where chunks of some go as they are */
	CHECK_EQUAL(crm_tag_sets_new(&env, 14, 0, &none, &other), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_merge_renamed(other, sets, NULL, NULL, 1, rename_place, NULL, &unknown), CRM_CORRUPT);

	/* the largest id; a number of scope that is not below the limit */
	CHECK_EQUAL(crm_tag_sets_place(sets, &scope, &id, 1), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_write(sets, &data, &size), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_new(&env, 13, 0, &none, &other), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_read(other, data, size, 0, NULL), CRM_CORRUPT);
	CHECK_EQUAL(crm_tag_sets_new(&env, 13, 0, &none, &other), CRM_OK);
	CHECK_EQUAL(crm_tag_sets_read(other, data, size, 1, NULL), CRM_OK);
	arena_free(&a);
}

/* Memory: one rule more over n dense customers costs a bit each, a text rule two bytes, a rule that nobody has nothing. */
static void
test_memory(void)
{
	enum {CUSTOMERS = 10 * CRM_CHUNK_IDS};
	size_t		used[4];

	for (int kind = 0; kind < 4; kind++)
	{
		arena		a = {{NULL}};
		crm_env		env = arena_env(&a);
		bool		is_text = kind >= 2;
		model		m;
		numbering	n;

		m.bits = CRM_CHUNK_BITS;
		m.rules = 1;
		m.is_text[0] = is_text;
		m.count = CUSTOMERS;
		m.rows = calloc(CUSTOMERS, sizeof(row));
		new_numbering(&n, true);
		for (int i = 0; i < CUSTOMERS; i++)
		{
			m.rows[i].id = (uint64_t) i;
			m.rows[i].codes[0] = kind % 2 == 1 && i % 3 == 0;
		}
		used[kind] = crm_tag_sets_memory(fill(&m, &env, 0, CUSTOMERS, &n));
		arena_free(&a);
		free(m.rows);
	}
	CHECK_EQUAL(used[0], used[2]);
	CHECK_EQUAL(used[1] - used[0], CUSTOMERS / 8);
	CHECK_EQUAL(used[3] - used[2], CUSTOMERS * 2);
}

int
main(void)
{
	test_against_model();
	test_duplicates();
	test_damaged();
	test_arguments();
	test_memory();
	return unit_done();
}
