/*
 * test_ids.c - the set kernel against brute force: a set is also kept as a
 * sorted list of ids, and every answer is worked out again from the list.
 */
#include "unit.h"

#include "kernel/ids.h"

/* ---- sets as plain lists ---------------------------------------------------- */

typedef struct list
{
	uint64_t   *ids;
	size_t		count;
	size_t		room;
} list;

static uint64_t random_state = 20261121;

/* xorshift64*: the tests are the same each time. */
static uint64_t
next_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

static void
list_add(list *l, uint64_t id)
{
	if (l->count == l->room)
	{
		l->room = l->room ? 2 * l->room : 64;
		l->ids = realloc(l->ids, l->room * sizeof(uint64_t));
	}
	l->ids[l->count++] = id;
}

static int
compare_ids(const void *a, const void *b)
{
	uint64_t	x = *(const uint64_t *) a;
	uint64_t	y = *(const uint64_t *) b;

	return x < y ? -1 : x > y;
}

static void
list_order(list *l)
{
	size_t		kept = 0;

	if (l->count > 1)
		qsort(l->ids, l->count, sizeof(uint64_t), compare_ids);
	for (size_t i = 0; i < l->count; i++)
	{
		if (kept == 0 || l->ids[kept - 1] != l->ids[i])
			l->ids[kept++] = l->ids[i];
	}
	l->count = kept;
}

static bool
list_has(const list *l, uint64_t id)
{
	return l->count > 0 && bsearch(&id, l->ids, l->count, sizeof(uint64_t), compare_ids) != NULL;
}

/* The operation's definition, id by id. */
static list
list_combine(crm_ids_op op, const list *a, const list *b)
{
	list		result = {0};

	for (size_t i = 0; i < a->count; i++)
	{
		bool		both = list_has(b, a->ids[i]);

		if (op == CRM_OR || (op == CRM_AND && both) || ((op == CRM_ANDNOT || op == CRM_XOR) && !both))
			list_add(&result, a->ids[i]);
	}
	for (size_t i = 0; (op == CRM_OR || op == CRM_XOR) && i < b->count; i++)
	{
		if (!list_has(a, b->ids[i]))
			list_add(&result, b->ids[i]);
	}
	list_order(&result);
	return result;
}

/*
 * Random sets of every kind of container: sparse, medium, dense, runs, full
 * containers, far apart buckets, and the ends of the domain.
 */
static list
random_list(void)
{
	list		l = {0};
	int			pieces = (int) (next_random() % 6);

	for (int p = 0; p < pieces; p++)
	{
		static const uint64_t bases[] = {0, 1, 2, 3, 7, 65535, 65536, 65537, UINT64_C(1) << 31,
		(UINT64_C(1) << 47) - 1, (UINT64_C(1) << 47) - 2, (UINT64_C(1) << 47) - 65537};
		uint64_t	key = bases[next_random() % (sizeof(bases) / sizeof(bases[0]))];
		int			count;
		uint64_t	at;

		switch (next_random() % 7)
		{
			case 0:				/* a few */
				count = (int) (next_random() % 9);
				for (int i = 0; i < count; i++)
					list_add(&l, (key << 16) + (next_random() & 0xffff));
				break;
			case 1:				/* around the border between array and bitmap */
				count = 4090 + (int) (next_random() % 600);
				for (int i = 0; i < count; i++)
					list_add(&l, (key << 16) + (next_random() & 0xffff));
				break;
			case 2:				/* exactly at it: every sixteenth, with or without one more */
				for (int i = 0; i < 4096; i++)
					list_add(&l, (key << 16) + 16 * i);
				if (next_random() % 2)
					list_add(&l, (key << 16) + 8);
				break;
			case 3:				/* dense */
				count = 40000;
				for (int i = 0; i < count; i++)
					list_add(&l, (key << 16) + (next_random() & 0xffff));
				break;
			case 4:				/* runs, some over the container's end */
				at = key << 16;
				count = 1 + (int) (next_random() % 300);
				for (int i = 0; i < count; i++)
				{
					uint64_t	length = 1 + next_random() % (next_random() % 8 == 0 ? 3000 : 6);

					at += 1 + next_random() % 400;
					for (; length > 0 && at <= CRM_ID_MAX; length--)
						list_add(&l, at++);
				}
				break;
			case 5:				/* full */
				for (int i = 0; i < 65536; i++)
					list_add(&l, (key << 16) + i);
				break;
			case 6:				/* single ids over the whole domain */
				count = (int) (next_random() % 200);
				for (int i = 0; i < count; i++)
					list_add(&l, next_random() >> 1);
				break;
		}
	}
	if (next_random() % 4 == 0)
		list_add(&l, CRM_ID_MAX);
	if (next_random() % 4 == 0)
		list_add(&l, 0);
	list_order(&l);
	return l;
}

/* ---- from lists to sets and back ----------------------------------------------- */

static crm_ids
finish(crm_ids_builder *builder, uint64_t cardinality)
{
	size_t		size = crm_ids_builder_size(builder);
	uint8_t    *bytes = malloc(size);
	crm_ids		set = {bytes, size};
	uint64_t	counted = 0;
	bool		canonical = false;

	CHECK_EQUAL(crm_ids_builder_cardinality(builder), cardinality);
	crm_ids_builder_write(builder, bytes);
	crm_ids_builder_free(builder);
	CHECK_EQUAL(crm_ids_validate(bytes, size, &counted, &canonical), CRM_OK);
	CHECK(canonical);
	CHECK_EQUAL(counted, cardinality);
	return set;
}

static crm_ids_builder *
new_builder(void)
{
	crm_env		env = unit_env();
	crm_ids_builder *builder;

	CHECK_EQUAL(crm_ids_builder_new(&env, &builder), CRM_OK);
	return builder;
}

static crm_ids
set_of(const list *l)
{
	crm_ids_builder *builder = new_builder();

	CHECK_EQUAL(crm_ids_builder_ids(builder, l->ids, l->count), CRM_OK);
	return finish(builder, l->count);
}

static bool
same_bytes(crm_ids a, crm_ids b)
{
	return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

static void
drop(crm_ids set)
{
	free((void *) set.data);
}

/* ---- one set ------------------------------------------------------------------------ */

static void
check_reading(crm_ids set, const list *l)
{
	crm_env		env = unit_env();
	crm_ids_runs runs;
	crm_ids_cursor cursor;
	crm_ids_lookup lookup;
	uint64_t	first,
				last,
				id;
	size_t		at = 0;
	bool		more = false;

	/* Runs: maximal, ascending, all ids. */
	crm_ids_runs_first(&runs, set);
	while ((more = crm_ids_runs_next(&runs, &first, &last)))
	{
		if (!CHECK(at < l->count && l->ids[at] == first) ||
			!CHECK(last - first < l->count - at && l->ids[at + (last - first)] == last))
			break;
		at += last - first + 1;
		CHECK(at == l->count || l->ids[at] > last + 1);
	}
	CHECK(!more);
	CHECK_EQUAL(at, l->count);
	CHECK_EQUAL(crm_ids_count(set), l->count);

	CHECK_EQUAL(crm_ids_min(set, &id), l->count > 0);
	if (l->count > 0)
		CHECK_EQUAL(id, l->ids[0]);
	CHECK_EQUAL(crm_ids_max(set, &id), l->count > 0);
	if (l->count > 0)
		CHECK_EQUAL(id, l->ids[l->count - 1]);

	/* Words of each container hold the ids of that container and no others. */
	at = 0;
	for (crm_ids_first(&cursor, set); cursor.valid; crm_ids_next(&cursor))
	{
		uint64_t	words[CRM_CONTAINER_WORDS];
		uint32_t	bits = 0;
		bool		good = true;

		crm_container_words(&cursor.current, words);
		for (int i = 0; i < CRM_CONTAINER_WORDS; i++)
			bits += crm_popcount64(words[i]);
		CHECK_EQUAL(bits, cursor.current.cardinality);
		for (uint32_t i = 0; i < bits && at < l->count; i++, at++)
		{
			uint32_t	offset = l->ids[at] & 0xffff;

			good &= l->ids[at] >> 16 == cursor.current.key &&
				(words[offset >> 6] >> (offset & 63) & 1) == 1;
		}
		CHECK(good);
	}

	/* Membership: members, their neighbours, strangers; ascending and jumping. */
	CHECK_EQUAL(crm_ids_lookup_init(&env, &lookup, set), CRM_OK);
	for (int i = 0; i < 2000; i++)
	{
		uint64_t	ask = next_random() >> 1;

		if (l->count > 0 && i % 4 != 0)
			ask = l->ids[i % 2 ? next_random() % l->count : ((size_t) i * 37) % l->count] + (i % 3) - 1;
		if (ask > CRM_ID_MAX)
			ask = CRM_ID_MAX;
		CHECK_EQUAL(crm_ids_contains(set, ask), list_has(l, ask));
		CHECK_EQUAL(crm_ids_lookup_contains(&lookup, ask), list_has(l, ask));
	}
	free(lookup.directory);

	/* Seeking finds the first container at or behind a key. */
	for (int i = 0; i < 200; i++)
	{
		uint64_t	key = l->count > 0 && i % 3 ? (l->ids[next_random() % l->count] >> 16) + (i % 3) - 1 : next_random() >> 17;
		size_t		low = 0;
		size_t		high = l->count;

		crm_ids_seek(&cursor, set, key);
		while (low < high)
		{
			size_t		middle = (low + high) / 2;

			if (l->ids[middle] >> 16 < key)
				low = middle + 1;
			else
				high = middle;
		}
		CHECK_EQUAL(cursor.valid, low < l->count);
		if (cursor.valid && low < l->count)
			CHECK_EQUAL(cursor.current.key, l->ids[low] >> 16);
	}
}

/* The same set by every other way of building it. */
static void
check_building(crm_ids set, const list *l)
{
	crm_env		env = unit_env();
	crm_ids_builder *builder = new_builder();
	crm_ids_collector *collector;
	crm_ids_cursor cursor;
	crm_ids_runs runs;
	crm_interval *intervals = malloc((l->count + 1) * sizeof(crm_interval));
	size_t		count = 0;
	crm_ids		again;
	list		shuffled = {0};

	/* As words. */
	for (crm_ids_first(&cursor, set); cursor.valid; crm_ids_next(&cursor))
	{
		uint64_t	words[CRM_CONTAINER_WORDS];

		crm_container_words(&cursor.current, words);
		CHECK_EQUAL(crm_ids_builder_words(builder, cursor.current.key, words), CRM_OK);
	}
	again = finish(builder, l->count);
	CHECK(same_bytes(set, again));
	drop(again);

	/* As intervals. */
	crm_ids_runs_first(&runs, set);
	while (crm_ids_runs_next(&runs, &intervals[count].first, &intervals[count].last))
		count++;
	builder = new_builder();
	CHECK_EQUAL(crm_ids_builder_intervals(builder, intervals, count), CRM_OK);
	again = finish(builder, l->count);
	CHECK(same_bytes(set, again));
	drop(again);
	free(intervals);

	/* Collected in any order with repetitions, then the set itself merged in. */
	for (size_t i = 0; i < l->count; i++)
		list_add(&shuffled, l->ids[i]);
	for (size_t i = l->count; i > 1; i--)
	{
		size_t		k = next_random() % i;
		uint64_t	swap = shuffled.ids[i - 1];

		shuffled.ids[i - 1] = shuffled.ids[k];
		shuffled.ids[k] = swap;
	}
	CHECK_EQUAL(crm_ids_collector_new(&env, &collector), CRM_OK);
	CHECK_EQUAL(crm_ids_collector_add_many(collector, shuffled.ids, shuffled.count), CRM_OK);
	CHECK_EQUAL(crm_ids_collector_add_many(collector, shuffled.ids, shuffled.count / 2), CRM_OK);
	for (int round = 0; round < 2; round++)
	{
		builder = new_builder();
		CHECK_EQUAL(crm_ids_collector_build(collector, builder), CRM_OK);
		again = finish(builder, l->count);
		CHECK(same_bytes(set, again));
		drop(again);
		CHECK_EQUAL(crm_ids_collector_merge(collector, set), CRM_OK);
	}
	CHECK(crm_ids_collector_memory(collector) > 0);
	crm_ids_collector_free(collector);

	/* Sorting undoes the shuffling. */
	{
		uint64_t   *scratch = malloc((shuffled.count + 1) * sizeof(uint64_t));

		crm_sort_ids(&env, shuffled.ids, scratch, shuffled.count);
		CHECK(l->count == 0 || memcmp(shuffled.ids, l->ids, l->count * sizeof(uint64_t)) == 0);
		free(scratch);
	}
	free(shuffled.ids);
}

static void
check_parts(crm_ids set, const list *l)
{
	crm_env		env = unit_env();

	for (int i = 0; i < 8; i++)
	{
		uint64_t	skip = i == 0 ? 0 : next_random() % (l->count + 2);
		uint64_t	take = i == 1 ? UINT64_MAX / 2 : next_random() % (l->count + 2);
		uint64_t	from = skip < l->count ? skip : l->count;
		uint64_t	some = take < l->count - from ? take : l->count - from;
		list		part = {some > 0 ? l->ids + from : NULL, some, 0};
		crm_ids		expected = set_of(&part);
		crm_ids_builder *builder = new_builder();
		crm_ids		got;

		CHECK_EQUAL(crm_ids_slice(&env, set, skip, take, builder), CRM_OK);
		got = finish(builder, some);
		CHECK(same_bytes(got, expected));
		drop(got);
		drop(expected);
	}

	/* Samples are subsets of the stated size, the same each time, nested in larger ones. */
	{
		crm_ids		smaller = {0};

		for (uint64_t n = 0; n <= l->count + 10; n = 3 * n + 1)
		{
			uint64_t	size = n < l->count ? n : l->count;
			crm_ids_builder *builder = new_builder();
			crm_ids		got;

			CHECK_EQUAL(crm_ids_sample(&env, set, n, 42, builder), CRM_OK);
			got = finish(builder, size);
			CHECK(crm_ids_is_subset(got, set));
			if (smaller.data)
			{
				CHECK(crm_ids_is_subset(smaller, got));
				drop(smaller);
			}
			smaller = got;
		}
		drop(smaller);
	}
}

/* ---- two sets -------------------------------------------------------------------------- */

/* A set read in pieces: each piece in a block of its own, which the next one replaces. */
typedef struct paged
{
	crm_ids_pages pages;
	crm_ids		set;
	uint8_t    *piece;
	size_t		bytes_read;
} paged;

static const uint8_t *
read_piece(void *arg, size_t from, size_t length)
{
	paged	   *p = arg;

	CHECK(from <= p->set.size && length <= p->set.size - from);
	free(p->piece);
	p->piece = malloc(length);
	memcpy(p->piece, p->set.data + from, length);
	p->bytes_read += length;
	return p->piece;
}

static bool
open_paged(paged *p, crm_ids set)
{
	size_t		head = set.size < 400 ? set.size : 400;
	uint8_t    *bytes = malloc(head);

	memcpy(bytes, set.data, head);
	p->set = set;
	p->piece = NULL;
	p->bytes_read = 0;
	p->pages.head.data = bytes;
	p->pages.head.size = head;
	p->pages.size = set.size;
	p->pages.read = read_piece;
	p->pages.arg = p;
	return crm_ids_can_page(p->pages.head);
}

static void
close_paged(paged *p)
{
	free(p->piece);
	drop(p->pages.head);
}

static long paged_pairs = 0;

static void
check_paged(crm_ids a, crm_ids b, uint64_t both)
{
	crm_env		env = unit_env();
	paged		x;
	paged		y;
	bool		a_paged = open_paged(&x, a);
	bool		b_paged = open_paged(&y, b);

	if (a_paged)
	{
		CHECK_EQUAL(crm_ids_and_count_paged(&env, &x.pages, NULL, b), both);
		CHECK(x.bytes_read <= a.size);
	}
	if (b_paged)
		CHECK_EQUAL(crm_ids_and_count_paged(&env, &y.pages, NULL, a), both);
	if (a_paged && b_paged)
	{
		CHECK_EQUAL(crm_ids_and_count_paged(&env, &x.pages, &y.pages, a), both);
		paged_pairs++;
	}
	close_paged(&x);
	close_paged(&y);
}

static void
check_pair(crm_ids a, const list *la, crm_ids b, const list *lb)
{
	crm_env		env = unit_env();
	uint64_t	both = 0;

	for (int op = CRM_OR; op <= CRM_XOR; op++)
	{
		list		expected = list_combine(op, la, lb);
		crm_ids		reference = set_of(&expected);
		crm_ids_builder *builder = new_builder();
		crm_ids		got;

		CHECK_EQUAL(crm_ids_combine(&env, op, a, b, builder), CRM_OK);
		got = finish(builder, expected.count);
		CHECK(same_bytes(got, reference));
		if (op == CRM_AND)
		{
			both = expected.count;
			CHECK(crm_ids_is_subset(got, a) && crm_ids_is_subset(got, b));
		}
		if (op == CRM_OR)
			CHECK(crm_ids_is_subset(a, got) && crm_ids_is_subset(b, got));
		drop(got);
		drop(reference);
		free(expected.ids);
	}
	CHECK_EQUAL(crm_ids_and_count(&env, a, b), both);
	CHECK_EQUAL(crm_ids_and_count(&env, b, a), both);
	check_paged(a, b, both);
	CHECK_EQUAL(crm_ids_intersects(a, b), both > 0);
	CHECK_EQUAL(crm_ids_is_subset(a, b), both == la->count);
	CHECK_EQUAL(crm_ids_is_subset(b, a), both == lb->count);
}

/* Damaged bytes: refused, or a set that can be used without harm. */
static void
check_damage(crm_ids set)
{
	crm_env		env = unit_env();

	for (int i = 0; i < 60; i++)
	{
		size_t		size = set.size;
		uint8_t    *bytes = malloc(size + 1);
		uint64_t	cardinality;
		bool		canonical;

		memcpy(bytes, set.data, size);
		switch (next_random() % 4)
		{
			case 0:
				size = next_random() % size;
				break;
			case 1:
				bytes[size++] = (uint8_t) next_random();
				break;
			default:
				/* Heads are where most can go wrong. */
				bytes[next_random() % (next_random() % 2 && size > 40 ? 40 : size)] ^= 1 << (next_random() & 7);
				break;
		}
		/* In a block of its own, so that a sanitizer sees a step too far. */
		bytes = realloc(bytes, size ? size : 1);
		if (crm_ids_validate(bytes, size, &cardinality, &canonical) == CRM_OK)
		{
			crm_ids		damaged = {bytes, size};
			crm_ids_builder *builder = new_builder();
			crm_ids		again;

			CHECK_EQUAL(crm_ids_count(damaged), cardinality);
			CHECK_EQUAL(crm_ids_builder_set(builder, damaged), CRM_OK);
			again = finish(builder, cardinality);
			CHECK_EQUAL(crm_ids_and_count(&env, damaged, again), cardinality);
			CHECK_EQUAL(same_bytes(damaged, again), canonical);
			drop(again);
		}
		free(bytes);
	}
}

/* Bytes written down by hand from RoaringFormatSpec. */
static void
check_known_bytes(void)
{
	/* {}: no bucket. */
	static const uint8_t empty[] = {0, 0, 0, 0, 0, 0, 0, 0};
	/* {1, 3}: one bucket, plain cookie 0x303a, one container, key 0, 2 ids, offset 16. */
	static const uint8_t two[] = {1, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0,
		0x3a, 0x30, 0, 0,  1, 0, 0, 0,  0, 0, 1, 0,  16, 0, 0, 0,  1, 0, 3, 0};
	/* {2^32 + 10 ... 2^32 + 19}: bucket 1, run cookie 0x303b, flag, key 0, ten ids, one run (10, 9). */
	static const uint8_t ten[] = {1, 0, 0, 0, 0, 0, 0, 0,  1, 0, 0, 0,
		0x3b, 0x30, 0, 0,  1,  0, 0, 9, 0,  1, 0, 10, 0, 9, 0};
	uint64_t	cardinality;
	bool		canonical;
	list		l = {0};
	crm_ids		set;

	set = set_of(&l);
	CHECK(set.size == sizeof(empty) && memcmp(set.data, empty, sizeof(empty)) == 0);
	drop(set);
	list_add(&l, 1);
	list_add(&l, 3);
	set = set_of(&l);
	CHECK(set.size == sizeof(two) && memcmp(set.data, two, sizeof(two)) == 0);
	drop(set);
	l.count = 0;
	for (uint64_t id = 10; id < 20; id++)
		list_add(&l, (UINT64_C(1) << 32) + id);
	set = set_of(&l);
	CHECK(set.size == sizeof(ten) && memcmp(set.data, ten, sizeof(ten)) == 0);
	drop(set);
	free(l.ids);

	/* Valid, but not the smallest form: two neighbours as a run. */
	{
		static const uint8_t run[] = {1, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0,
			0x3b, 0x30, 0, 0,  1,  0, 0, 1, 0,  1, 0, 10, 0, 1, 0};

		CHECK_EQUAL(crm_ids_validate(run, sizeof(run), &cardinality, &canonical), CRM_OK);
		CHECK_EQUAL(cardinality, 2);
		CHECK(!canonical);
	}
	/* Ids from 2^63 on. */
	{
		uint8_t		far[sizeof(two)];

		memcpy(far, two, sizeof(two));
		far[11] = 0x80;
		CHECK_EQUAL(crm_ids_validate(far, sizeof(far), &cardinality, &canonical), CRM_OUT_OF_RANGE);
	}
	/* Touching runs, an offset that points elsewhere, ids out of order, a count beyond the bytes. */
	{
		static const uint8_t touching[] = {1, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0,
			0x3b, 0x30, 0, 0,  1,  0, 0, 3, 0,  2, 0, 10, 0, 1, 0, 12, 0, 1, 0};
		uint8_t		bad[sizeof(two)];

		CHECK_EQUAL(crm_ids_validate(touching, sizeof(touching), &cardinality, &canonical), CRM_CORRUPT);
		memcpy(bad, two, sizeof(two));
		bad[24] = 15;
		CHECK_EQUAL(crm_ids_validate(bad, sizeof(bad), &cardinality, &canonical), CRM_CORRUPT);
		memcpy(bad, two, sizeof(two));
		bad[28] = 3;
		CHECK_EQUAL(crm_ids_validate(bad, sizeof(bad), &cardinality, &canonical), CRM_CORRUPT);
		memcpy(bad, two, sizeof(two));
		bad[7] = 0xff;
		CHECK_EQUAL(crm_ids_validate(bad, sizeof(bad), &cardinality, &canonical), CRM_CORRUPT);
	}
}

static void
check_limits(void)
{
	crm_interval all = {0, CRM_ID_MAX};
	crm_ids_builder *builder = new_builder();

	/* Refused before anything is written. */
	CHECK_EQUAL(crm_ids_builder_intervals(builder, &all, 1), CRM_LIMIT);
	CHECK_EQUAL(crm_ids_builder_cardinality(builder), 0);
	crm_ids_builder_free(builder);
}

int
main(void)
{
	enum
	{
		SETS = 24
	};
	list		lists[SETS];
	crm_ids		sets[SETS];

	check_known_bytes();
	check_limits();
	for (int i = 0; i < SETS; i++)
	{
		lists[i] = random_list();
		sets[i] = set_of(&lists[i]);
		check_reading(sets[i], &lists[i]);
		check_building(sets[i], &lists[i]);
		check_parts(sets[i], &lists[i]);
		check_damage(sets[i]);
	}
	for (int i = 0; i < SETS; i++)
	{
		for (int k = i; k < SETS; k += 3)
			check_pair(sets[i], &lists[i], sets[k], &lists[k]);
	}
	/* Sets of one bucket, as most are, some with too many containers for a short head. */
	for (int i = 0; i < 12; i++)
	{
		list		l[2] = {{0}};
		crm_ids		s[2];

		for (int k = 0; k < 2; k++)
		{
			for (int c = 0; c < 4 + i * 4; c++)
			{
				uint64_t	key = next_random() % 60;
				int			n = (int) (next_random() % (c % 3 == 0 ? 6000 : 50));
				uint64_t	at = next_random() & 0xffff;

				for (int m = 0; m < n; m++)
					list_add(&l[k], key << 16 | (c % 2 ? at + m : next_random()) % 65536);
			}
			list_order(&l[k]);
			s[k] = set_of(&l[k]);
		}
		check_pair(s[0], &l[0], s[1], &l[1]);
		for (int k = 0; k < 2; k++)
		{
			drop(s[k]);
			free(l[k].ids);
		}
	}
	CHECK(paged_pairs > 5);
	/* Each kind of container against each, where they touch the container's last offset. */
	{
		list		l[4] = {{0}};
		crm_ids		s[4];

		for (uint64_t id = 65000; id < 65536; id++)
			list_add(&l[0], id);
		for (uint64_t id = 3; id < 65536; id += 4)
			list_add(&l[1], id);
		for (uint64_t id = 65535 % 400; id < 65536; id += 400)
			list_add(&l[2], id);
		for (uint64_t id = 0; id < 65536; id++)
			list_add(&l[3], id);
		for (int i = 0; i < 4; i++)
			s[i] = set_of(&l[i]);
		for (int i = 0; i < 4; i++)
		{
			for (int k = 0; k < 4; k++)
				check_pair(s[i], &l[i], s[k], &l[k]);
		}
		for (int i = 0; i < 4; i++)
		{
			drop(s[i]);
			free(l[i].ids);
		}
	}
	/* A large set against one of its own small parts, where searching takes the place of merging. */
	for (int i = 0; i < SETS; i++)
	{
		list		few = {0};
		crm_ids		part;

		for (int k = 0; k < 20 && lists[i].count > 0; k++)
			list_add(&few, lists[i].ids[next_random() % lists[i].count] + k % 2);
		list_order(&few);
		if (few.count > 0 && few.ids[few.count - 1] > CRM_ID_MAX)
			few.count--;
		part = set_of(&few);
		check_pair(sets[i], &lists[i], part, &few);
		drop(part);
		free(few.ids);
	}
	for (int i = 0; i < SETS; i++)
	{
		drop(sets[i]);
		free(lists[i].ids);
	}
	return unit_done();
}
