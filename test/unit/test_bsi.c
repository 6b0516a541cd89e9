/*
 * test_bsi.c - bit-sliced numbers against plain arrays of numbers.
 */
#include "unit.h"

#include "kernel/bsi.h"

/* ---- memory that is freed as a whole, as the kernels' callers free it ------------- */

static void *blocks[1 << 20];
static size_t block_count;

static void *
arena_alloc(void *arg, size_t size)
{
	void	   *block = malloc(size == 0 ? 1 : size);

	if (block_count == sizeof(blocks) / sizeof(blocks[0]))
		abort();
	blocks[block_count++] = block;
	return block;
}

static void *
arena_resize(void *arg, void *ptr, size_t old_size, size_t new_size)
{
	void	   *block = arena_alloc(arg, new_size);

	if (ptr)
		memcpy(block, ptr, old_size < new_size ? old_size : new_size);
	return block;
}

static void
arena_release(void *arg, void *ptr)
{
}

static void
arena_reset(void)
{
	while (block_count > 0)
		free(blocks[--block_count]);
}

static const crm_env env = {arena_alloc, arena_resize, arena_release, NULL, NULL};

/* ---- numbers, drawn and compared ----------------------------------------------------- */

static uint64_t seed = 1;

static uint64_t
draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return below == 0 ? seed : seed % below;
}

typedef struct number
{
	uint64_t	id;
	crm_int128	value;
} number;

static int
by_id(const void *a, const void *b)
{
	const number *x = a;
	const number *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static int
by_value_then_id(const void *a, const void *b)
{
	const number *x = a;
	const number *y = b;

	return x->value < y->value ? -1 : x->value > y->value ? 1 : by_id(a, b);
}

typedef struct shape
{
	uint64_t	ids;			/* ids are drawn below */
	uint64_t	step;			/* and multiplied by */
	int			bits;			/* numbers have at most */
	bool		negative;
} shape;

static crm_int128
draw_value(const shape *s)
{
	crm_int128	value = (crm_int128) (((crm_uint128) draw(0) << 64 | draw(0)) >> (128 - s->bits));

	if (draw(8) == 0)
		value = (crm_int128) draw(3);
	return s->negative && draw(2) ? -value : value;
}

/* Numbers in the order drawn, ids repeated, and added up in the order of ids. */
static size_t
draw_numbers(const shape *s, size_t count, number *drawn, number *plain)
{
	size_t		kept = 0;

	for (size_t i = 0; i < count; i++)
	{
		drawn[i].id = draw(s->ids) * s->step;
		drawn[i].value = draw_value(s);
	}
	memcpy(plain, drawn, count * sizeof(number));
	qsort(plain, count, sizeof(number), by_id);
	for (size_t i = 0; i < count; i++)
	{
		if (kept > 0 && plain[kept - 1].id == plain[i].id)
			plain[kept - 1].value += plain[i].value;
		else
			plain[kept++] = plain[i];
	}
	return kept;
}

/* A copy of the image's stored bytes in a block of exactly that size, opened and checked. */
static void
stored(const crm_bsi_image *image, crm_bsi *bsi)
{
	size_t		size = crm_bsi_image_size(image);
	uint8_t    *bytes = arena_alloc(NULL, size);
	uint64_t	cardinality = 0;

	crm_bsi_image_write(image, bytes);
	CHECK_EQUAL(crm_bsi_open(bytes, size, image->slices, image->scale, bsi), CRM_OK);
	CHECK_EQUAL(crm_bsi_validate(&env, bsi, &cardinality), CRM_OK);
	CHECK_EQUAL(cardinality, image->cardinality);
}

static void
gather(const number *numbers, size_t count, uint32_t scale, crm_bsi *bsi)
{
	crm_bsi_collector *collector;
	const crm_bsi_image *image;

	CHECK_EQUAL(crm_bsi_collector_new(&env, &collector), CRM_OK);
	for (size_t i = 0; i < count; i++)
		CHECK_EQUAL(crm_bsi_collector_add(collector, numbers[i].id, numbers[i].value, scale), CRM_OK);
	CHECK_EQUAL(crm_bsi_collector_build(collector, &image), CRM_OK);
	stored(image, bsi);
}

static bool
same_bytes(const crm_bsi *a, const crm_bsi *b)
{
	bool		same = a->slices == b->slices && a->scale == b->scale && a->present.size == b->present.size &&
		memcmp(a->present.data, b->present.data, a->present.size) == 0;

	for (uint32_t i = 0; same && i < a->slices; i++)
		same = a->slice[i].size == b->slice[i].size && memcmp(a->slice[i].data, b->slice[i].data, a->slice[i].size) == 0;
	return same;
}

static void
check_content(const crm_bsi *bsi, const number *plain, size_t count)
{
	crm_bsi_reader *reader;
	uint64_t	id;
	crm_int128	value;
	size_t		n = 0;

	CHECK_EQUAL(crm_bsi_reader_new(&env, bsi, &reader), CRM_OK);
	while (crm_bsi_reader_next(reader, &id, &value))
	{
		if (!CHECK(n < count && plain[n].id == id && plain[n].value == value))
			break;
		n++;
	}
	CHECK_EQUAL(n, count);
}

static crm_ids
finish(crm_ids_builder *builder)
{
	size_t		size = crm_ids_builder_size(builder);
	uint8_t    *bytes = arena_alloc(NULL, size);
	crm_ids		set = {bytes, size};
	uint64_t	cardinality;
	bool		canonical;

	crm_ids_builder_write(builder, bytes);
	CHECK(crm_ids_validate(bytes, size, &cardinality, &canonical) == CRM_OK && canonical);
	return set;
}

static crm_ids_builder *
new_builder(void)
{
	crm_ids_builder *builder = NULL;

	CHECK_EQUAL(crm_ids_builder_new(&env, &builder), CRM_OK);
	return builder;
}

/* The set holds the ids of just these numbers. */
static void
check_ids(crm_ids set, number *numbers, size_t count)
{
	crm_ids_builder *builder = new_builder();
	uint64_t   *ids = arena_alloc(NULL, count * sizeof(uint64_t));
	crm_ids		expected;

	qsort(numbers, count, sizeof(number), by_id);
	for (size_t i = 0; i < count; i++)
		ids[i] = numbers[i].id;
	CHECK_EQUAL(crm_ids_builder_ids(builder, ids, count), CRM_OK);
	expected = finish(builder);
	CHECK(expected.size == set.size && memcmp(expected.data, set.data, set.size) == 0);
}

/* All questions, with and without an audience; plain are the numbers in question. */
static void
check_questions(const crm_bsi *bsi, const crm_ids *among, const number *plain, size_t count, const shape *s)
{
	number	   *sorted = arena_alloc(NULL, (count + 1) * sizeof(number));
	number	   *some = arena_alloc(NULL, (count + 1) * sizeof(number));
	crm_int128	sum = 0;
	crm_int128	value;
	crm_bsi_total total;
	char		text[CRM_BSI_TEXT];
	char		expected[CRM_BSI_TEXT];

	CHECK_EQUAL(crm_bsi_tally(&env, bsi, among), count);
	for (size_t i = 0; i < count; i++)
		sum += plain[i].value;
	crm_bsi_sum_up(&env, bsi, among, &total);
	CHECK_EQUAL(total.count, count);
	crm_bsi_print_total(&total, bsi->scale, text);
	crm_bsi_print(sum, bsi->scale, expected);
	CHECK(strcmp(text, expected) == 0);

	memcpy(sorted, plain, count * sizeof(number));
	qsort(sorted, count, sizeof(number), by_value_then_id);
	CHECK_EQUAL(crm_bsi_select(&env, bsi, among, count, &value), CRM_OUT_OF_RANGE);
	for (int i = 0; i < 12 && count > 0; i++)
	{
		size_t		place = i == 0 ? 0 : i == 1 ? count - 1 : draw(count);

		CHECK_EQUAL(crm_bsi_select(&env, bsi, among, place, &value), CRM_OK);
		CHECK(value == sorted[place].value);
	}
	for (int i = 0; i < 12; i++)
	{
		uint64_t	k = i == 0 ? 0 : i == 1 ? count + 3 : i == 2 ? count : draw(count + 1);
		crm_ids_builder *builder = new_builder();
		size_t		n = 0;

		/* From the greatest down; among equals the lowest ids, which stand first. */
		for (size_t end = count; end > 0 && n < k;)
		{
			size_t		first = end - 1;

			while (first > 0 && sorted[first - 1].value == sorted[end - 1].value)
				first--;
			for (size_t j = first; j < end && n < k; j++)
				some[n++] = sorted[j];
			end = first;
		}
		CHECK_EQUAL(crm_bsi_greatest(&env, bsi, among, k, builder), CRM_OK);
		check_ids(finish(builder), some, n);
	}
	for (int i = 0; i < 24; i++)
	{
		crm_ids_builder *builder = new_builder();
		crm_int128	low = count > 0 && draw(2) ? plain[draw(count)].value : draw_value(s);
		crm_int128	high = count > 0 && draw(2) ? plain[draw(count)].value : draw_value(s);
		bool		has_low = draw(4) > 0;
		bool		has_high = draw(4) > 0;
		size_t		n = 0;

		if (draw(3) && low > high)
		{
			crm_int128	swap = low;

			low = high;
			high = swap;
		}
		for (size_t k = 0; k < count; k++)
		{
			if ((!has_low || plain[k].value >= low) && (!has_high || plain[k].value <= high))
				some[n++] = plain[k];
		}
		CHECK_EQUAL(crm_bsi_between(&env, bsi, among, has_low ? &low : NULL, has_high ? &high : NULL, builder), CRM_OK);
		check_ids(finish(builder), some, n);
	}
}

static void
test_shape(const shape *s, size_t count)
{
	number	   *drawn = arena_alloc(NULL, (count + 1) * sizeof(number));
	number	   *plain = arena_alloc(NULL, (count + 1) * sizeof(number));
	number	   *part = arena_alloc(NULL, (count + 1) * sizeof(number));
	size_t		kept = draw_numbers(s, count, drawn, plain);
	size_t		cut = count > 0 ? draw(count) : 0;
	crm_bsi		whole;
	crm_bsi		left;
	crm_bsi		right;
	crm_bsi		other;
	crm_bsi_image image;
	crm_bsi_collector *collector;
	const crm_bsi_image *built;
	crm_ids_builder *builder = new_builder();
	crm_ids		among;
	size_t		n = 0;
	bool		equal;

	gather(drawn, count, 2, &whole);
	check_content(&whole, plain, kept);

	/* Each id by itself, and its neighbour. */
	for (int i = 0; i < 20 && kept > 0; i++)
	{
		size_t		at = draw(kept);
		crm_int128	value;

		CHECK(crm_bsi_lookup(&whole, plain[at].id, &value) && value == plain[at].value);
		if (at + 1 == kept || plain[at + 1].id != plain[at].id + 1)
			CHECK(!crm_bsi_lookup(&whole, plain[at].id + 1, &value));
	}

	check_questions(&whole, NULL, plain, kept, s);
	/* An audience of some of them and of others. */
	{
		uint64_t   *ids = arena_alloc(NULL, 2 * (kept + 1) * sizeof(uint64_t));
		size_t		chosen = 0;
		bool		dense = draw(2);

		for (size_t i = 0; i < kept; i++)
		{
			bool		is_in = draw(dense ? 2 : 40) == 0;

			if (is_in)
			{
				part[n++] = plain[i];
				ids[chosen++] = plain[i].id;
			}
			if (draw(5) == 0 && (i + 1 == kept || plain[i + 1].id > plain[i].id + 1))
				ids[chosen++] = plain[i].id + 1;
		}
		CHECK_EQUAL(crm_ids_builder_ids(builder, ids, chosen), CRM_OK);
		among = finish(builder);
	}
	check_questions(&whole, &among, part, n, s);

	/* Parts add up to the whole, by addition and by merging, in either order. */
	gather(drawn, cut, 2, &left);
	gather(drawn + cut, count - cut, 2, &right);
	CHECK_EQUAL(crm_bsi_plus(&env, &left, &right, &image), CRM_OK);
	stored(&image, &other);
	CHECK(same_bytes(&other, &whole));
	CHECK_EQUAL(crm_bsi_plus(&env, &right, &left, &image), CRM_OK);
	stored(&image, &other);
	CHECK(same_bytes(&other, &whole));
	CHECK_EQUAL(crm_bsi_collector_new(&env, &collector), CRM_OK);
	CHECK_EQUAL(crm_bsi_collector_merge(collector, &right), CRM_OK);
	CHECK_EQUAL(crm_bsi_collector_build(collector, &built), CRM_OK);
	for (size_t i = 0; i < cut; i++)
		CHECK_EQUAL(crm_bsi_collector_add(collector, drawn[i].id, drawn[i].value, 2), CRM_OK);
	CHECK_EQUAL(crm_bsi_collector_build(collector, &built), CRM_OK);
	stored(built, &other);
	CHECK(same_bytes(&other, &whole));
	CHECK_EQUAL(crm_bsi_collector_build(collector, &built), CRM_OK);
	stored(built, &other);
	CHECK(same_bytes(&other, &whole));

	/* Another scale, where it fits: equal, and the questions' answers in other units. */
	if (s->bits <= 100)
	{
		CHECK_EQUAL(crm_bsi_rescale(&env, &whole, 5, &image), CRM_OK);
		stored(&image, &other);
		for (size_t i = 0; i < kept; i++)
		{
			part[i] = plain[i];
			part[i].value *= 1000;
		}
		check_content(&other, part, kept);
		CHECK(crm_bsi_equal(&env, &whole, &other, &equal) == CRM_OK && equal);
		CHECK(crm_bsi_equal(&env, &other, &whole, &equal) == CRM_OK && equal);
		if (kept > 0)
		{
			bool		all_zero = true;

			for (size_t i = 0; i < kept; i++)
				all_zero &= plain[i].value == 0;
			gather(part, kept, 3, &right);
			CHECK(crm_bsi_equal(&env, &whole, &right, &equal) == CRM_OK && equal == all_zero);
			gather(plain, kept - 1, 2, &right);
			CHECK(crm_bsi_equal(&env, &whole, &right, &equal) == CRM_OK && !equal);
		}
		/* One collector for several scales. */
		CHECK_EQUAL(crm_bsi_collector_new(&env, &collector), CRM_OK);
		for (size_t i = 0; i < count; i++)
			CHECK_EQUAL(crm_bsi_collector_add(collector, drawn[i].id, drawn[i].value * (i % 3 ? 1000 : 1), i % 3 ? 5 : 2), CRM_OK);
		CHECK_EQUAL(crm_bsi_collector_build(collector, &built), CRM_OK);
		stored(built, &right);
		CHECK(crm_bsi_equal(&env, &right, &whole, &equal) == CRM_OK && equal);
	}
}

/* ---- ends of the domain ---------------------------------------------------------------- */

static void
test_limits(void)
{
	crm_int128	greatest = (crm_int128) (~(crm_uint128) 0 >> 1);
	number		ends[] = {{7, ~greatest}, {9, greatest}, {CRM_ID_MAX, 0}};
	crm_bsi		bsi;
	crm_bsi		again;
	crm_bsi_image image;
	crm_bsi_total total;
	crm_bsi_collector *collector;
	const crm_bsi_image *built;
	crm_int128	value;
	char		text[CRM_BSI_TEXT];
	bool		equal;

	gather(ends, 3, 0, &bsi);
	CHECK_EQUAL(bsi.slices, 128);
	check_content(&bsi, ends, 3);
	crm_bsi_sum_up(&env, &bsi, NULL, &total);
	crm_bsi_print_total(&total, 0, text);
	CHECK(strcmp(text, "-1") == 0);
	CHECK_EQUAL(crm_bsi_plus(&env, &bsi, &bsi, &image), CRM_OUT_OF_RANGE);
	CHECK_EQUAL(crm_bsi_rescale(&env, &bsi, 1, &image), CRM_OUT_OF_RANGE);
	gather(ends, 3, 1, &again);
	CHECK(crm_bsi_equal(&env, &bsi, &again, &equal) == CRM_OK && !equal);
	crm_bsi_print(~greatest, 38, text);
	CHECK(strcmp(text, "-1.70141183460469231731687303715884105728") == 0);
	crm_bsi_print(greatest, 0, text);
	CHECK(strcmp(text, "170141183460469231731687303715884105727") == 0);
	crm_bsi_print(-5, 3, text);
	CHECK(strcmp(text, "-0.005") == 0);
	crm_bsi_print(0, 0, text);
	CHECK(strcmp(text, "0") == 0);
	crm_bsi_print(0, 2, text);
	CHECK(strcmp(text, "0.00") == 0);

	/* A sum that leaves 128 bits. */
	CHECK_EQUAL(crm_bsi_collector_new(&env, &collector), CRM_OK);
	CHECK_EQUAL(crm_bsi_collector_add(collector, 9, greatest, 0), CRM_OK);
	CHECK_EQUAL(crm_bsi_collector_add(collector, 9, 1, 0), CRM_OK);
	CHECK_EQUAL(crm_bsi_collector_build(collector, &built), CRM_OUT_OF_RANGE);
	/* Scales that do not go together. */
	CHECK_EQUAL(crm_bsi_collector_new(&env, &collector), CRM_OK);
	CHECK_EQUAL(crm_bsi_collector_add(collector, 1, greatest, 0), CRM_OK);
	CHECK_EQUAL(crm_bsi_collector_add(collector, 1, 1, 1), CRM_OUT_OF_RANGE);
	/* 2^63 greatest numbers would still fit a total. */
	memset(&total, 0, sizeof(total));
	total.limb[2] = UINT64_C(1) << 62;
	crm_bsi_print_total(&total, 0, text);
	CHECK(strcmp(text, "1569275433846670190958947355801916604025588861116008628224") == 0);

	/* Only zeros, only minus ones, nothing. */
	ends[0].value = ends[1].value = 0;
	gather(ends, 3, 4, &bsi);
	CHECK(bsi.slices == 1 && bsi.scale == 4);
	check_content(&bsi, ends, 3);
	ends[0].value = ends[1].value = ends[2].value = -1;
	gather(ends, 3, 0, &bsi);
	CHECK_EQUAL(bsi.slices, 1);
	check_content(&bsi, ends, 3);
	gather(ends, 0, 4, &bsi);
	CHECK(bsi.slices == 1 && bsi.scale == 0);
	CHECK_EQUAL(crm_bsi_select(&env, &bsi, NULL, 0, &value), CRM_OUT_OF_RANGE);
	CHECK(!crm_bsi_lookup(&bsi, 1, &value));
}

/* ---- bytes that are not ours --------------------------------------------------------------- */

static void
test_refusals(void)
{
	number		numbers[] = {{1, 5}, {2, -3}, {70000, 12}};
	crm_bsi_collector *collector;
	const crm_bsi_image *image;
	crm_bsi		bsi;
	uint8_t    *bytes;
	size_t		size;
	uint64_t	cardinality;
	int			survived = 0;

	CHECK_EQUAL(crm_bsi_collector_new(&env, &collector), CRM_OK);
	for (int i = 0; i < 3; i++)
		CHECK_EQUAL(crm_bsi_collector_add(collector, numbers[i].id, numbers[i].value, 0), CRM_OK);
	CHECK_EQUAL(crm_bsi_collector_build(collector, &image), CRM_OK);
	size = crm_bsi_image_size(image);
	bytes = arena_alloc(NULL, size);
	crm_bsi_image_write(image, bytes);
	CHECK_EQUAL(crm_bsi_open(bytes, size, image->slices, 0, &bsi), CRM_OK);
	for (size_t cut = 0; cut < size; cut++)
		CHECK_EQUAL(crm_bsi_open(bytes, cut, image->slices, 0, &bsi), CRM_CORRUPT);
	CHECK_EQUAL(crm_bsi_open(bytes, size, 0, 0, &bsi), CRM_CORRUPT);
	CHECK_EQUAL(crm_bsi_open(bytes, size, 129, 0, &bsi), CRM_CORRUPT);
	CHECK_EQUAL(crm_bsi_open(bytes, size, image->slices, 39, &bsi), CRM_CORRUPT);

	/* Any bit changed is refused, or makes other numbers of the same form. */
	for (size_t bit = 0; bit < 8 * size; bit++)
	{
		bytes[bit / 8] ^= 1 << bit % 8;
		if (crm_bsi_open(bytes, size, image->slices, 0, &bsi) == CRM_OK &&
			crm_bsi_validate(&env, &bsi, &cardinality) == CRM_OK)
		{
			crm_bsi_reader *reader;
			uint64_t	id;
			crm_int128	value;
			uint64_t	n = 0;

			CHECK_EQUAL(crm_bsi_reader_new(&env, &bsi, &reader), CRM_OK);
			while (crm_bsi_reader_next(reader, &id, &value))
				n++;
			CHECK_EQUAL(n, cardinality);
			survived++;
		}
		bytes[bit / 8] ^= 1 << bit % 8;
	}
	CHECK(survived < (int) size);

	/* A slice with an id that has no number; a slice that repeats the sign; a scale without numbers. */
	CHECK_EQUAL(crm_bsi_open(bytes, size, image->slices, 0, &bsi), CRM_OK);
	CHECK_EQUAL(crm_bsi_validate(&env, &bsi, &cardinality), CRM_OK);
	bsi.present = bsi.slice[0];
	CHECK_EQUAL(crm_bsi_validate(&env, &bsi, &cardinality), CRM_CORRUPT);
	CHECK_EQUAL(crm_bsi_open(bytes, size, image->slices, 0, &bsi), CRM_OK);
	bsi.slice[bsi.slices] = bsi.slice[bsi.slices - 1];
	bsi.slices++;
	CHECK_EQUAL(crm_bsi_validate(&env, &bsi, &cardinality), CRM_CORRUPT);
	gather(numbers, 0, 0, &bsi);
	bsi.scale = 1;
	CHECK_EQUAL(crm_bsi_validate(&env, &bsi, &cardinality), CRM_CORRUPT);
}

int
main(void)
{
	static const shape shapes[] = {
		{300000, 1, 20, false}, /* dense */
		{300000, 1, 20, true},
		{70000, 1, 1, true},
		{100000, 37, 64, true}, /* a few in every container */
		{2000, UINT64_C(4000000007), 40, true}, /* every id a bucket of its own */
		{50, 1, 63, true},		/* many for one id */
		{5000, 3, 118, true},
		{100000, 1, 65, false},
		{10, 6554, 8, true}
	};
	static const size_t counts[] = {0, 1, 2, 63, 64, 65, 1000, 1025, 30000, 150000};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
	{
		for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++)
		{
			/* Sums of the widest numbers must stay within 128 bits. */
			if (shapes[i].bits > 110 && counts[k] > 500)
				continue;
			if (i > 2 && counts[k] > 30000)
				continue;
			test_shape(&shapes[i], counts[k]);
			arena_reset();
		}
	}
	test_limits();
	test_refusals();
	arena_reset();
	return unit_done();
}
