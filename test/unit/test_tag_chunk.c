/*
 * test_tag_chunk.c - stored chunks against brute force: what is encoded is
 * decoded, is the smallest of the forms that the format has, and every damaged
 * form is refused or at least read within its bytes.
 */
#include "unit.h"

#include "kernel/tag_chunk.h"

static uint64_t random_state = 20261121;

static uint64_t
next_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

/* ---- dense chunks ------------------------------------------------------------ */

/* The length that the format demands, counted bit by bit. */
static size_t
smallest(const bool *set, uint8_t *kind)
{
	size_t		members = 0;
	size_t		runs = 0;
	size_t		last = 0;

	for (size_t i = 0; i < CRM_CHUNK_IDS; i++)
		if (set[i])
		{
			members++;
			runs += i == 0 || !set[i - 1];
			last = i;
		}
	if (members == 0)
		return 0;
	if (2 * members <= last / 8 + 1 && 2 * members <= 4 * runs)
	{
		*kind = 0x11;
		return 1 + 2 * members;
	}
	if (last / 8 + 1 <= 4 * runs)
	{
		*kind = 0x12;
		return 2 + last / 8;
	}
	*kind = 0x13;
	return 1 + 4 * runs;
}

static void
check_dense(const bool *set)
{
	uint64_t	words[CRM_CHUNK_WORDS] = {0};
	uint64_t	again[CRM_CHUNK_WORDS];
	uint8_t		kind = 0;
	size_t		expected = smallest(set, &kind);
	uint8_t		room[CRM_CHUNK_MAX];
	size_t		size;
	uint8_t    *bytes;
	bool		found;
	size_t		wrong = 0;

	for (int i = 0; i < CRM_CHUNK_IDS; i++)
		if (set[i])
			words[i / 64] |= UINT64_C(1) << (i % 64);
	size = crm_chunk_encode(words, room);
	CHECK_EQUAL(size, expected);
	if (size == 0)
		return;
	CHECK_EQUAL(room[0], kind);

	/* exactly as large as the chunk, so that a sanitizer sees a step beyond it */
	bytes = malloc(size);
	memcpy(bytes, room, size);
	memset(again, 0xAA, sizeof(again));
	CHECK_EQUAL(crm_chunk_decode(bytes, size, again), CRM_OK);
	CHECK(memcmp(words, again, sizeof(words)) == 0);
	for (int i = 0; i < CRM_CHUNK_IDS; i++)
	{
		if (crm_chunk_contains(bytes, size, (uint64_t) i, &found) != CRM_OK || found != set[i])
			wrong++;
	}
	CHECK_EQUAL(wrong, 0);
	for (int shift = 13; shift < 63; shift++)
	{
		CHECK_EQUAL(crm_chunk_contains(bytes, size, UINT64_C(1) << shift, &found), CRM_OK);
		CHECK(!found);
	}
	free(bytes);
}

static void
test_dense(void)
{
	static bool set[CRM_CHUNK_IDS];

	memset(set, false, sizeof(set));
	check_dense(set);
	memset(set, true, sizeof(set));
	check_dense(set);

	/* one member, one hole, at every place where words, bytes and the chunk begin and end */
	for (int i = 0; i < CRM_CHUNK_IDS; i += i % 64 == 0 || i % 64 == 62 ? 1 : i % 64 == 1 ? 5 : 8)
	{
		memset(set, false, sizeof(set));
		set[i] = true;
		check_dense(set);
		memset(set, true, sizeof(set));
		set[i] = false;
		check_dense(set);
	}
	set[CRM_CHUNK_IDS - 1] = false;
	check_dense(set);

	/* every density */
	for (int round = 0; round < 400; round++)
	{
		uint64_t	density = round < 200 ? (uint64_t) round * 5 + 1 : next_random() % 1000;

		for (int i = 0; i < CRM_CHUNK_IDS; i++)
			set[i] = next_random() % 1000 < density;
		check_dense(set);
	}
	/* runs of every length, with the chunk cut short at any place */
	for (int round = 0; round < 400; round++)
	{
		uint64_t	longest = UINT64_C(1) << (next_random() % 13);
		int			end = round % 2 ? CRM_CHUNK_IDS : (int) (next_random() % CRM_CHUNK_IDS);
		bool		on = next_random() % 2;

		memset(set, false, sizeof(set));
		for (int i = 0; i < end; on = !on)
			for (uint64_t n = next_random() % longest + 1; n > 0 && i < end; n--)
				set[i++] = on;
		check_dense(set);
	}
	/* where two forms are equally long: members alone against the bits up to the last one, pairs against runs */
	for (int members = 1; members < 200; members++)
		for (int more = -1; more <= 1; more++)
		{
			int			last = members * 16 - 1 + more * 8;

			memset(set, false, sizeof(set));
			for (int i = 0; i < members - 1; i++)
				set[i * 4] = true;
			if (last > (members - 2) * 4)
				set[last] = true;
			check_dense(set);
			memset(set, false, sizeof(set));
			for (int i = 0; i < members; i++)
				set[i * 41] = set[i * 41 + 1] = true;
			set[8191] = more > 0;
			set[members] = more == 0;
			check_dense(set);
		}
}

static void
refused(const char *hex)
{
	uint8_t		bytes[64];
	size_t		size = 0;
	uint64_t	words[CRM_CHUNK_WORDS];
	uint8_t    *exact;

	for (; hex[0] != '\0'; hex += 2)
	{
		unsigned	byte;

		if (sscanf(hex, "%2x", &byte) != 1)
			abort();
		bytes[size++] = (uint8_t) byte;
	}
	exact = malloc(size ? size : 1);
	memcpy(exact, bytes, size);
	if (!CHECK_EQUAL(crm_chunk_decode(exact, size, words), CRM_CORRUPT))
		fprintf(stderr, "not refused: %zu bytes that begin with %02x\n", size, bytes[0]);
	free(exact);
}

static void
test_dense_damaged(void)
{
	uint64_t	words[CRM_CHUNK_WORDS];
	uint8_t		large[CRM_CHUNK_MAX + 8];
	bool		found;

	refused("");
	refused("11");
	refused("12");
	refused("13");
	refused("140000");			/* a wide one */
	refused("100000");			/* unknown kinds and versions */
	refused("150000");
	refused("210000");
	refused("010000");
	refused("110000ff");		/* half an offset */
	refused("110020");			/* offset 8192 */
	refused("1105000500");		/* twice the same */
	refused("1105000400");		/* descending */
	refused("1200");			/* ends with a zero byte */
	refused("12ff0000");
	refused("13000001");		/* half a run */
	refused("13ff1f0100");		/* beyond the chunk */
	refused("1300200000");
	refused("1300000000" "01000000");	/* touching */
	refused("1305000300" "06000000");	/* overlapping */
	refused("1305000300" "00000000");	/* descending */
	refused("130000ffff");

	/* a bitmap longer than a chunk */
	memset(large, 0xff, sizeof(large));
	large[0] = 0x12;
	CHECK_EQUAL(crm_chunk_decode(large, CRM_CHUNK_MAX, words), CRM_OK);
	CHECK_EQUAL(crm_chunk_decode(large, CRM_CHUNK_MAX + 1, words), CRM_CORRUPT);

	CHECK_EQUAL(crm_chunk_contains(large, 0, 0, &found), CRM_CORRUPT);
	CHECK_EQUAL(crm_chunk_contains(large, 1, 0, &found), CRM_CORRUPT);
	large[0] = 0x15;
	CHECK_EQUAL(crm_chunk_contains(large, 9, 0, &found), CRM_CORRUPT);
}

/* ---- wide chunks ---------------------------------------------------------------- */

static int
compare_offsets(const void *a, const void *b)
{
	uint64_t	x = *(const uint64_t *) a;
	uint64_t	y = *(const uint64_t *) b;

	return x < y ? -1 : x > y;
}

static void
check_wide(uint64_t *offsets, size_t count, int bits)
{
	uint8_t    *room = malloc(CRM_CHUNK_WIDE_MAX(count));
	size_t		size;
	uint8_t    *bytes;
	uint64_t   *again;
	size_t		n = 0;
	bool		found;

	qsort(offsets, count, sizeof(uint64_t), compare_offsets);
	for (size_t i = 0; i < count; i++)
		if (n == 0 || offsets[n - 1] != offsets[i])
			offsets[n++] = offsets[i];
	count = n;

	size = crm_chunk_encode_wide(offsets, count, room);
	CHECK(size <= CRM_CHUNK_WIDE_MAX(count));
	bytes = malloc(size ? size : 1);
	memcpy(bytes, room, size);
	free(room);
	if (count == 0)
	{
		CHECK_EQUAL(size, 0);
		free(bytes);
		return;
	}
	again = malloc(size * sizeof(uint64_t));
	n = 0;
	CHECK_EQUAL(crm_chunk_decode_wide(bytes, size, bits, again, &n), CRM_OK);
	CHECK_EQUAL(n, count);
	if (n == count)
		CHECK(memcmp(offsets, again, n * sizeof(uint64_t)) == 0);

	/* fewer bits than the last offset needs: refused */
	for (int fewer = 13; fewer < bits; fewer++)
		CHECK_EQUAL(crm_chunk_decode_wide(bytes, size, fewer, again, &n),
					offsets[count - 1] >> fewer == 0 ? CRM_OK : CRM_CORRUPT);
	for (size_t i = 0; i < count; i += count > 300 ? count / 100 : 1)
	{
		uint64_t	around[3] = {offsets[i], offsets[i] + 1, offsets[i] - 1};

		for (int k = 0; k < (offsets[i] > 0 ? 3 : 2); k++)
		{
			CHECK_EQUAL(crm_chunk_contains(bytes, size, around[k], &found), CRM_OK);
			CHECK_EQUAL(found, bsearch(&around[k], offsets, count, sizeof(uint64_t), compare_offsets) != NULL);
		}
	}
	/* cut anywhere: the members before the cut, or refused within a number */
	for (size_t cut = 1; cut < size; cut += size > 300 ? size / 100 : 1)
	{
		uint8_t    *part = malloc(cut);
		crm_status	status;

		memcpy(part, bytes, cut);
		status = crm_chunk_decode_wide(part, cut, bits, again, &n);
		CHECK_EQUAL(status, cut == 1 || (part[cut - 1] & 0x80) != 0 ? CRM_CORRUPT : CRM_OK);
		if (status == CRM_OK)
			CHECK(n < count && memcmp(offsets, again, n * sizeof(uint64_t)) == 0);
		free(part);
	}
	free(bytes);
	free(again);
}

static void
test_wide(void)
{
	uint64_t	offsets[5000];

	check_wide(offsets, 0, 14);
	for (int bits = 14; bits <= 62; bits++)
	{
		uint64_t	top = (UINT64_C(1) << bits) - 1;

		offsets[0] = 0;
		check_wide(offsets, 1, bits);
		offsets[0] = top;
		check_wide(offsets, 1, bits);
		offsets[0] = 0;
		offsets[1] = top;
		offsets[2] = top - 1;
		check_wide(offsets, 3, bits);
		for (int round = 0; round < 20; round++)
		{
			size_t		count = next_random() % (round < 15 ? 50 : 5000) + 1;
			uint64_t	spread = UINT64_C(1) << (next_random() % (uint64_t) bits + 1);

			for (size_t i = 0; i < count; i++)
				offsets[i] = next_random() % spread & top;
			check_wide(offsets, count, bits);
		}
	}
}

static void
test_wide_damaged(void)
{
	static const struct
	{
		uint8_t		bytes[16];
		size_t		size;
	}			bad[] = {
		{{0x14}, 1},
		{{0x14, 0x80}, 2},
		{{0x12, 0x01}, 2},
		{{0x14, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 11},	/* ten bytes */
		{{0x14, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, 12},
		{{0x14, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, 10},	/* 2^63 - 1 */
		{{0x14, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f, 0x00}, 11},	/* 2^62 - 1, then 2^62 */
		{{0x14, 0x80, 0x00}, 3},	/* zero in two bytes: equal sets would differ */
		{{0x14, 0x85, 0x80, 0x00}, 4},
	};
	uint64_t	out[16];
	size_t		count;
	bool		found;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		uint8_t    *exact = malloc(bad[i].size);

		memcpy(exact, bad[i].bytes, bad[i].size);
		if (!CHECK_EQUAL(crm_chunk_decode_wide(exact, bad[i].size, 62, out, &count), CRM_CORRUPT))
			fprintf(stderr, "not refused: number %zu\n", i);
		(void) crm_chunk_contains(exact, bad[i].size, 77, &found);
		free(exact);
	}
	CHECK_EQUAL(crm_chunk_decode_wide((const uint8_t *) "", 0, 62, out, &count), CRM_CORRUPT);
}

/* Any bytes: never a step beyond them, and both ways of reading agree where the chunk is sound. */
static void
test_any_bytes(void)
{
	for (int round = 0; round < 20000; round++)
	{
		size_t		size = next_random() % 40;
		uint8_t    *bytes = malloc(size ? size : 1);
		uint64_t	words[CRM_CHUNK_WORDS];
		uint64_t	offsets[40];
		size_t		count;
		bool		found;
		uint64_t	id = next_random() % 300;

		for (size_t i = 0; i < size; i++)
			bytes[i] = (uint8_t) (next_random() % 4 ? next_random() % 32 : next_random());
		if (size > 0)
			bytes[0] = 0x11 + next_random() % 4;
		if (crm_chunk_decode(bytes, size, words) == CRM_OK)
		{
			CHECK_EQUAL(crm_chunk_contains(bytes, size, id, &found), CRM_OK);
			CHECK_EQUAL(found, words[id / 64] >> (id % 64) & 1);
		}
		if (crm_chunk_decode_wide(bytes, size, 20, offsets, &count) == CRM_OK)
		{
			CHECK(count > 0 && count < size);
			CHECK_EQUAL(crm_chunk_contains(bytes, size, id, &found), CRM_OK);
			CHECK_EQUAL(found, bsearch(&id, offsets, count, sizeof(uint64_t), compare_offsets) != NULL);
		}
		(void) crm_chunk_contains(bytes, size, id, &found);
		free(bytes);
	}
}

int
main(void)
{
	test_dense();
	test_dense_damaged();
	test_wide();
	test_wide_damaged();
	test_any_bytes();
	return unit_done();
}
