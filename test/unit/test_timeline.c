/*
 * test_timeline.c - timelines against brute force: what is written is read
 * again, in one form whatever the order of the events, and with widths, unit
 * and decimals that no other choice beats; bytes that are not of that form are
 * refused, and damaged ones harm nobody.
 */
#include "timeline_history.h"

#include "kernel/timeline_writer.h"

/* ---- the best choices, by trying all --------------------------------------------------- */

static unsigned
length_of(uint64_t v)
{
	unsigned	length = 0;

	for (; v > 0; v >>= 1)
		length++;
	return length;
}

/* All choices of at most four of the lengths that hold the longest. */
static unsigned
best_widths(const uint64_t *gaps, uint8_t *best)
{
	uint8_t		length[66];
	unsigned	lengths = 0,
				best_count = 0;
	uint64_t	best_bits = UINT64_MAX;

	for (unsigned l = 0; l <= 64; l++)
		if (gaps[l] > 0)
			length[lengths++] = (uint8_t) l;
	if (lengths == 0)
		length[lengths++] = 0;
	/* -1: not taken; the last is always the longest */
	for (int a = -1; a < (int) lengths - 1; a++)
		for (int b = a; b < (int) lengths - 1; b++)
			for (int c = b; c < (int) lengths - 1; c++)
			{
				int			chosen[4] = {a, b, c, (int) lengths - 1};
				uint8_t		width[4];
				unsigned	count = 0;
				uint64_t	bits = 0;
				bool		better;

				if ((a >= 0 && a == b) || (b >= 0 && b == c))
					continue;
				for (int i = 0; i < 4; i++)
					if (chosen[i] >= 0)
						width[count++] = length[chosen[i]];
				for (unsigned l = 0; l <= 64; l++)
				{
					unsigned	class = 0;

					while (class + 1 < count && width[class] < l)
						class++;
					bits += gaps[l] * (width[class] + (count > 2 ? 2 : count - 1));
				}
				bits += 8 * count;
				better = bits < best_bits || (bits == best_bits && count < best_count);
				if (bits == best_bits && count == best_count)
					for (int i = (int) count - 1; i >= 0; i--)
						if (width[i] != best[i])
						{
							better = width[i] < best[i];
							break;
						}
				if (better)
				{
					best_bits = bits;
					best_count = count;
					memcpy(best, width, count);
				}
			}
	if (best_count == 1 && best[0] == 0 && gaps[0] > 0)
		best[0] = 1;
	return best_count;
}

static void
check_steps(const crm_timeline *t, const history *expected)
{
	static const uint64_t units[] = {1, 1000, 1000000, 60000000, UINT64_C(3600000000), UINT64_C(86400000000)};
	uint64_t	unit = 1,
				gaps[65] = {0};
	uint8_t		best[4];
	unsigned	count;

	for (int u = 5; u >= 0; u--)
	{
		bool		divides = true;

		for (size_t i = 1; i < expected->count; i++)
			divides &= ((uint64_t) expected->event[i].at - (uint64_t) expected->event[i - 1].at) % units[u] == 0;
		if (divides)
		{
			unit = units[u];
			break;
		}
	}
	CHECK_EQUAL(t->unit, unit);
	for (size_t i = 1; i < expected->count; i++)
		gaps[length_of(((uint64_t) expected->event[i].at - (uint64_t) expected->event[i - 1].at) / unit)]++;
	count = best_widths(gaps, best);
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQUAL(t->width[i], i < count ? best[i] : 0);
	CHECK_EQUAL(t->class_bits, count == 1 ? 0 : count == 2 ? 1 : 2);
}

/*
 * The fewest decimals by printing and reading again.  Where digits are many,
 * the rule of the format and printing may part: nothing is asked there.
 */
static void
check_decimals(const crm_timeline *t, const history *expected)
{
	crm_timeline_values values;
	int			fewest = -1;

	crm_timeline_values_begin(t, &values);
	for (int decimals = 0; decimals <= 15 && fewest < 0; decimals++)
	{
		bool		fits = true;

		for (size_t i = 0; i < expected->count && fits; i++)
		{
			double		value = expected->event[i].value;
			char		text[400];

			if (!expected->event[i].has_value)
				continue;
			if (fabs(value) * pow(10, decimals) > 1e15)
				return;
			snprintf(text, sizeof(text), "%.*f", decimals, value);
			fits = strtod(text, NULL) == value && !(value == 0 && signbit(value));
		}
		if (fits)
			fewest = decimals;
	}
	if (values.any)
		CHECK_EQUAL(values.scale, fewest);
}

static void
test_widths(void)
{
	for (int round = 0; round < 3000; round++)
	{
		uint64_t	gaps[65] = {0};
		uint8_t		best[4] = {0},
					width[4];
		unsigned	lengths = (unsigned) below(15),
					count;

		for (unsigned i = 0; i < lengths; i++)
			gaps[below(65)] = 1 + below(round % 2 ? 3 : 50);
		count = best_widths(gaps, best);
		CHECK_EQUAL(crm_timeline_choose_widths(gaps, width), count);
		CHECK(memcmp(width, best, count) == 0);
	}
}

/* ---- tests -------------------------------------------------------------------------- */

static history original;
static history expected;
static crm_timeline_event loaded[MAX_EVENTS];

/* One history by every way there is. */
static void
check_history(crm_timeline_writer *shared)
{
	crm_timeline_writer *w;
	crm_timeline t;
	packed		first,
				second;
	size_t		count = 0,
				size = 0;
	uint8_t    *bytes = NULL;

	copy_history(&expected, &original);
	qsort(expected.event, expected.count, sizeof(plain_event), event_order);
	CHECK_EQUAL(crm_timeline_writer_new(&env, &w), CRM_OK);
	first = pack(w, &original, false);
	CHECK_EQUAL(crm_timeline_validate(&env, first.bytes, first.size), CRM_OK);
	CHECK(read_all(first, &found, below(2)));
	check_found(&expected);
	CHECK_EQUAL(crm_timeline_open(first.bytes, first.size, &t), CRM_OK);
	if (t.count > 0)
	{
		check_steps(&t, &expected);
		check_decimals(&t, &expected);
	}

	/* in any order, by a writer that has met other things before, with its own or another's numbers */
	shuffle(&original);
	second = pack(shared, &original, false);
	CHECK(same(first, second));
	free(second.bytes);
	second = pack(w, &expected, false);
	CHECK(same(first, second));
	free(second.bytes);

	/* taken apart and written again; a part of it */
	CHECK_EQUAL(crm_timeline_load(shared, &t, INT64_MIN, INT64_MAX, loaded, &count), CRM_OK);
	CHECK_EQUAL(count, t.count);
	CHECK_EQUAL(crm_timeline_write(shared, loaded, count, false, 0, &bytes, &size), CRM_OK);
	CHECK(size == first.size && memcmp(bytes, first.bytes, size) == 0);
	if (expected.count > 0)
	{
		int64_t		since = expected.event[below(expected.count)].at + (int64_t) below(2),
					until = expected.event[below(expected.count)].at + (int64_t) below(2);
		size_t		kept = 0;

		for (size_t i = 0; i < expected.count; i++)
			if (expected.event[i].at >= since && expected.event[i].at < until)
				original.event[kept++] = expected.event[i];
		original.count = kept;
		CHECK_EQUAL(crm_timeline_load(shared, &t, since, until, loaded, &count), CRM_OK);
		CHECK_EQUAL(count, kept);
		CHECK_EQUAL(crm_timeline_write(shared, loaded, count, false, 0, &bytes, &size), CRM_OK);
		second = copy_of(bytes, size);
		CHECK(read_all(second, &found, false));
		check_found(&original);
		free(second.bytes);
	}
	else
		CHECK_EQUAL(first.size, 2);

	/* without duplicates */
	copy_history(&original, &expected);
	shuffle(&original);
	second = pack(w, &original, true);
	count = 0;
	for (size_t i = 0; i < expected.count; i++)
		if (i == 0 || event_order(&expected.event[i], &expected.event[count - 1]) != 0)
			expected.event[count++] = expected.event[i];
	expected.count = count;
	CHECK(read_all(second, &found, false));
	check_found(&expected);
	free(second.bytes);
	free(first.bytes);
	crm_timeline_writer_free(w);
}

static void
test_histories(void)
{
	crm_timeline_writer *shared;

	CHECK_EQUAL(crm_timeline_writer_new(&env, &shared), CRM_OK);
	for (int round = 0; round < 1000; round++)
	{
		random_history(&original, round < 100 ? (size_t) round / 20 : round % 50 == 0 ? below(MAX_EVENTS) : below(60));
		check_history(shared);
		if (crm_timeline_writer_memory(shared) > 400000)
			crm_timeline_writer_reset(shared);
	}
	crm_timeline_writer_free(shared);
}

/* Changes to bytes: refused, or the form of another history; read without asking, they harm nobody. */
static void
check_damaged(packed p, const packed *good)
{
	crm_status	status = crm_timeline_validate(&env, p.bytes, p.size);
	crm_timeline t;

	(void) read_all(p, &found, below(2));
	if (status == CRM_OK)
	{
		crm_timeline_writer *w;
		packed		again;

		CHECK(!same(p, *good));
		CHECK_EQUAL(crm_timeline_writer_new(&env, &w), CRM_OK);
		again = pack(w, &found, false);
		CHECK(same(again, p));
		free(again.bytes);
		crm_timeline_writer_free(w);
	}
	else if (crm_timeline_open(p.bytes, p.size, &t) == CRM_OK && t.count <= MAX_EVENTS)
	{
		crm_timeline_writer *w;
		size_t		count,
					size;
		uint8_t    *bytes;

		CHECK_EQUAL(crm_timeline_writer_new(&env, &w), CRM_OK);
		if (crm_timeline_load(w, &t, INT64_MIN, INT64_MAX, loaded, &count) == CRM_OK)
			(void) crm_timeline_write(w, loaded, count, below(2), 0, &bytes, &size);
		crm_timeline_writer_free(w);
	}
	free(p.bytes);
}

static void
test_damage(void)
{
	crm_timeline_writer *w;

	CHECK_EQUAL(crm_timeline_writer_new(&env, &w), CRM_OK);
	for (int round = 0; round < 100; round++)
	{
		packed		good,
					p;

		random_history(&original, 1 + below(8));
		for (size_t i = 0; i < original.count; i++)
			if (original.event[i].name.size > 200)
				original.event[i].name.size = 2;
		good = pack(w, &original, false);
		for (size_t at = 0; at < good.size; at += good.size > 300 ? 1 + below(9) : 1)
		{
			for (int change = 0; change < 6; change++)
			{
				p = copy_of(good.bytes, good.size);
				p.bytes[at] ^= (uint8_t) (change < 4 ? 1 << below(8) : 1 + below(255));
				check_damaged(p, &good);
			}
			check_damaged(copy_of(good.bytes, at), &good);
			p.size = good.size + 1;
			p.bytes = malloc(p.size);
			memcpy(p.bytes, good.bytes, at);
			p.bytes[at] = (uint8_t) (below(2) ? good.bytes[at] : below(256));
			memcpy(p.bytes + at + 1, good.bytes + at, good.size - at);
			if (!same(p, good))
				check_damaged(p, &good);
		}
		free(good.bytes);
	}
	crm_timeline_writer_free(w);
}

/* The layout, byte for byte, as doc/formats.md has it; and the same events in forms that are not canonical. */
static void
test_layout(void)
{
#define TIME 0x00, 0xa0, 0x87, 0x22, 0x68, 0xf0, 0x02, 0x00	/* 827,280,000,000,000: 2026-03-20 */
#define SAMPLE(what, good, ...) {what, good, sizeof((uint8_t[]) {__VA_ARGS__}), {__VA_ARGS__}}
	static const struct
	{
		const char *what;
		bool		good;
		size_t		size;
		uint8_t		bytes[64];
	}			samples[] = {
		SAMPLE("nothing", true, 0x10, 0),
		SAMPLE("nothing, with flags", false, 0x11, 0),
		SAMPLE("nothing, and more", false, 0x10, 0, 0),
		SAMPLE("another version", false, 0x20, 0),
		SAMPLE("one event, a known name", true, 0x10, 1, 5, 0, TIME, 1, 0xf8),
		SAMPLE("one event, a name of its own", true, 0x10, 1, 5, 0, TIME, 1, 1, 'x'),
		SAMPLE("another unit", false, 0x10, 1, 0, 0, TIME, 1, 1, 'x'),
		SAMPLE("a width without need", false, 0x10, 1, 5, 1, TIME, 1, 1, 'x'),
		SAMPLE("a byte behind", false, 0x10, 1, 5, 0, TIME, 1, 1, 'x', 0),
		SAMPLE("a known name spelled", false, 0x10, 1, 5, 0, TIME, 1, 4, 'v', 'i', 'e', 'w'),
		SAMPLE("a long count", false, 0x10, 0x81, 0, 5, 0, TIME, 1, 1, 'x'),
		/* x, y a minute later: code 1 bit; class none, code, gap of 1 bit */
		SAMPLE("two events", true, 0x10, 2, 3, 1, TIME, 2, 1, 'x', 1, 'y', 0x06),
		SAMPLE("spare bits", false, 0x10, 2, 3, 1, TIME, 2, 1, 'x', 1, 'y', 0x0e),
		SAMPLE("seconds where minutes do", false, 0x10, 2, 2, 6, TIME, 2, 1, 'x', 1, 'y', 0xf2),
		SAMPLE("a width too wide", false, 0x10, 2, 3, 2, TIME, 2, 1, 'x', 1, 'y', 0x06),
		SAMPLE("two widths where one does", false, 0x10, 2, 3 | 1 << 3, 0, 1, TIME, 2, 1, 'x', 1, 'y', 0x0e),
		SAMPLE("a name nobody has", false, 0x10, 2, 3, 1, TIME, 2, 1, 'x', 1, 'y', 0x04),
		SAMPLE("names out of order", false, 0x10, 2, 3, 1, TIME, 2, 1, 'y', 1, 'x', 0x06),
		SAMPLE("a name twice", false, 0x10, 2, 3, 1, TIME, 2, 1, 'x', 1, 'x', 0x06),
		/* at once: x before y, gap 0 in the one bit that an event takes at least */
		SAMPLE("two at once", true, 0x10, 2, 5, 1, TIME, 2, 1, 'x', 1, 'y', 0x02),
		SAMPLE("two at once, out of order", false, 0x10, 2, 5, 1, TIME, 2, 1, 'x', 1, 'y', 0x01),
		SAMPLE("no bit for an event", false, 0x10, 2, 5, 0, TIME, 1, 1, 'x', 0),
		SAMPLE("a million events in no bits", false, 0x10, 0xc0, 0x84, 0x3d, 5, 0, TIME, 1, 1, 'x'),
		/* one event with a value: size of events 0 */
		SAMPLE("19.9", true, 0x11, 1, 5, 0, TIME, 1, 1, 'x', 0, 1, 0x8e, 0x03, 0),
		SAMPLE("19.90", false, 0x11, 1, 5, 0, TIME, 1, 1, 'x', 0, 2, 0x8c, 0x1f, 0),
		SAMPLE("a bitmap of ones", false, 0x11, 1, 5, 0, TIME, 1, 1, 'x', 0, 0x81, 1, 0x8e, 0x03, 0),
		SAMPLE("a bitmap of zeros", false, 0x11, 1, 5, 0, TIME, 1, 1, 'x', 0, 0x80, 0, 0, 0),
		SAMPLE("bits without need", false, 0x11, 1, 5, 0, TIME, 1, 1, 'x', 0, 1, 0x8e, 0x03, 1, 0),
		SAMPLE("too many bits", false, 0x11, 1, 5, 0, TIME, 1, 1, 'x', 0, 1, 0x8e, 0x03, 55, 0, 0, 0, 0, 0, 0, 0),
		SAMPLE("16 decimals", false, 0x11, 1, 5, 0, TIME, 1, 1, 'x', 0, 16, 2, 0),
		SAMPLE("-0", true, 0x11, 1, 5, 0, TIME, 1, 1, 'x', 0, 127, 0, 0, 0, 0, 0, 0, 0, 0x80),
		SAMPLE("1 as float8", false, 0x11, 1, 5, 0, TIME, 1, 1, 'x', 0, 127, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f),
		SAMPLE("infinity", false, 0x11, 1, 5, 0, TIME, 1, 1, 'x', 0, 127, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f),
		SAMPLE("not a number", false, 0x11, 1, 5, 0, TIME, 1, 1, 'x', 0, 127, 1, 0, 0, 0, 0, 0, 0xf8, 0x7f),
		/* one event with {"a": true} */
		SAMPLE("true", true, 0x12, 1, 5, 0, TIME, 1, 1, 'x', 1, 4, 1, 'a', 1, 2, 0, 1),
		SAMPLE("an attribute nobody has", false, 0x12, 1, 5, 0, TIME, 1, 1, 'x', 1, 4, 1, 'a', 1, 2, 0, 0),
		SAMPLE("a value of no kind", false, 0x12, 1, 5, 0, TIME, 1, 1, 'x', 1, 4, 1, 'a', 1, 5, 0, 1),
		SAMPLE("channels of another size", false, 0x12, 1, 5, 0, TIME, 1, 1, 'x', 1, 3, 1, 'a', 1, 2, 0, 1),
		SAMPLE("a value twice", false, 0x12, 1, 5, 0, TIME, 1, 1, 'x', 1, 5, 1, 'a', 2, 2, 2, 0, 1),
		SAMPLE("no channels", false, 0x12, 1, 5, 0, TIME, 1, 1, 'x', 0, 0, 0),
		SAMPLE("-7.5", true, 0x12, 1, 5, 0, TIME, 1, 1, 'x', 1, 9, 1, 'a', 1, 3, 4, '-', '7', '.', '5', 0, 1),
		SAMPLE("07.5", false, 0x12, 1, 5, 0, TIME, 1, 1, 'x', 1, 9, 1, 'a', 1, 3, 4, '0', '7', '.', '5', 0, 1),
		SAMPLE("-0.0", false, 0x12, 1, 5, 0, TIME, 1, 1, 'x', 1, 9, 1, 'a', 1, 3, 4, '-', '0', '.', '0', 0, 1),
		SAMPLE("7e+5", false, 0x12, 1, 5, 0, TIME, 1, 1, 'x', 1, 9, 1, 'a', 1, 3, 4, '7', 'e', '+', '5', 0, 1),
		SAMPLE("123.", false, 0x12, 1, 5, 0, TIME, 1, 1, 'x', 1, 9, 1, 'a', 1, 3, 4, '1', '2', '3', '.', 0, 1),
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		packed		p = copy_of(samples[i].bytes, samples[i].size);
		bool		good = crm_timeline_validate(&env, p.bytes, p.size) == CRM_OK;

		if (!CHECK(good == samples[i].good))
			fprintf(stderr, "    %s\n", samples[i].what);
		if (good)
		{
			crm_timeline_writer *w;
			packed		again;

			CHECK(read_all(p, &found, false));
			CHECK_EQUAL(crm_timeline_writer_new(&env, &w), CRM_OK);
			again = pack(w, &found, false);
			CHECK(same(p, again));
			free(again.bytes);
			crm_timeline_writer_free(w);
		}
		free(p.bytes);
	}
}

/* What a writer refuses, and that its numbers stay. */
static void
test_limits(void)
{
	crm_timeline_writer *w;
	char		name[10];
	crm_text	long_name = random_text(CRM_TIMELINE_MAX_NAME + 1);
	crm_attribute attribute[CRM_TIMELINE_MAX_CHANNELS + 1];
	crm_timeline_event events[2] = {{0, 0, 0, 0, false}, {0, 0, 0, 0, false}};
	const crm_attribute *list;
	uint32_t	number = 99;
	uint8_t    *bytes;
	size_t		size;

	CHECK_EQUAL(crm_timeline_writer_new(&env, &w), CRM_OK);
	CHECK_EQUAL(crm_timeline_writer_name(w, long_name, &number), CRM_LIMIT);
	CHECK_EQUAL(crm_timeline_writer_name(w, text_of("b"), &events[0].name), CRM_OK);
	CHECK_EQUAL(crm_timeline_writer_name(w, text_of("a"), &events[1].name), CRM_OK);
	CHECK(text_order(crm_timeline_writer_name_text(w, events[1].name), text_of("a")) == 0);
	for (int i = 0; i <= CRM_TIMELINE_MAX_CHANNELS; i++)
	{
		snprintf(name, sizeof(name), "n%d", i);
		attribute[i].name = text_of(strdup(name));
		attribute[i].value.kind = CRM_ATTRIBUTE_TEXT;
		attribute[i].value.text = text_of("v");
	}
	CHECK_EQUAL(crm_timeline_writer_attributes(w, attribute, CRM_TIMELINE_MAX_CHANNELS + 1, &number), CRM_LIMIT);
	CHECK_EQUAL(crm_timeline_writer_attributes(w, attribute, CRM_TIMELINE_MAX_CHANNELS, &events[0].attributes), CRM_OK);
	list = crm_timeline_writer_attribute_list(w, events[0].attributes, &size);
	CHECK_EQUAL(size, CRM_TIMELINE_MAX_CHANNELS);
	for (size_t i = 1; i < size; i++)
		CHECK(text_order(list[i - 1].name, list[i].name) < 0);
	CHECK_EQUAL(crm_timeline_write(w, events, 2, false, 0, &bytes, &size), CRM_OK);
	CHECK_EQUAL(events[0].name, 1);
	CHECK_EQUAL(crm_timeline_writer_attributes(w, attribute + CRM_TIMELINE_MAX_CHANNELS, 1, &events[0].attributes), CRM_OK);
	CHECK_EQUAL(crm_timeline_write(w, events, 2, false, 0, &bytes, &size), CRM_LIMIT);
	free((void *) attribute[1].name.data);
	attribute[1].name = attribute[0].name;
	CHECK_EQUAL(crm_timeline_writer_attributes(w, attribute, 2, &number), CRM_OUT_OF_RANGE);

	events[0].attributes = events[1].attributes = 0;
	events[1].has_value = true;
	events[1].value = INFINITY;
	CHECK_EQUAL(crm_timeline_write(w, events, 2, false, 0, &bytes, &size), CRM_OUT_OF_RANGE);
	events[0].has_value = events[1].has_value = false;
	events[1].at = CRM_TIMELINE_END_TIME;
	CHECK_EQUAL(crm_timeline_write(w, events, 2, false, 0, &bytes, &size), CRM_OUT_OF_RANGE);
	events[1].at = CRM_TIMELINE_MIN_TIME - 1;
	CHECK_EQUAL(crm_timeline_write(w, events, 2, false, 0, &bytes, &size), CRM_OUT_OF_RANGE);
	events[0].at = CRM_TIMELINE_MIN_TIME;
	events[1].at = CRM_TIMELINE_END_TIME - 1;
	CHECK_EQUAL(crm_timeline_write(w, events, 2, false, 0, &bytes, &size), CRM_OK);
	CHECK_EQUAL(crm_timeline_validate(&env, bytes, size), CRM_OK);
	for (int i = 0; i <= CRM_TIMELINE_MAX_CHANNELS; i++)
		if (i != 1)
			free((void *) attribute[i].name.data);
	free((void *) long_name.data);
	crm_timeline_writer_free(w);
}

/* Readers that trust a stored value are not led to read events that take no bits. */
static void
test_promises(void)
{
	static const uint8_t bytes[] = {0x10, 0xc0, 0x84, 0x3d, 5, 0, TIME, 1, 1, 'x'};
	crm_timeline t;

	CHECK_EQUAL(crm_timeline_open(bytes, sizeof(bytes), &t), CRM_CORRUPT);
}

/* ---- memory that runs out ------------------------------------------------------------ */

typedef struct scarce
{
	long		left;			/* allocations that succeed */
	void	  **blocks;
	size_t		count;
} scarce;

static void *
scarce_resize(void *arg, void *ptr, size_t old_size, size_t new_size)
{
	scarce	   *s = arg;
	void	   *block;

	if (s->left-- <= 0)
		return NULL;
	block = malloc(new_size ? new_size : 1);
	if (ptr)
		memcpy(block, ptr, old_size < new_size ? old_size : new_size);
	s->blocks = realloc(s->blocks, sizeof(void *) * (s->count + 1));
	s->blocks[s->count++] = block;
	return block;
}

static void *
scarce_alloc(void *arg, size_t size)
{
	return scarce_resize(arg, NULL, 0, size);
}

/* All is freed at the end, as an owner does whose kernel left half way. */
static void
scarce_release(void *arg, void *ptr)
{
}

/* Whichever allocation fails, it is told, and with enough of them the bytes are right. */
static void
test_memory(void)
{
	crm_status	status = CRM_NO_MEMORY;
	packed		good;
	crm_timeline_writer *w;

	random_history(&original, 0);
	while (original.count < 40)
		random_history(&original, 40 + below(30));
	CHECK_EQUAL(crm_timeline_writer_new(&env, &w), CRM_OK);
	good = pack(w, &original, false);
	crm_timeline_writer_free(w);
	for (long left = 0; status != CRM_OK && left < 100000; left++)
	{
		scarce		s = {left, NULL, 0};
		crm_env		poor = {scarce_alloc, scarce_resize, scarce_release, NULL, &s};
		uint8_t    *bytes;
		size_t		size,
					count;
		crm_timeline t;

		CHECK_EQUAL(crm_timeline_open(good.bytes, good.size, &t), CRM_OK);
		status = crm_timeline_writer_new(&poor, &w);
		if (status == CRM_OK)
			status = crm_timeline_load(w, &t, INT64_MIN, INT64_MAX, loaded, &count);
		if (status == CRM_OK)
		{
			/* so that there is something to sort */
			crm_timeline_event swap = loaded[0];

			loaded[0] = loaded[count - 1];
			loaded[count - 1] = swap;
			status = crm_timeline_write(w, loaded, count, false, 0, &bytes, &size);
		}
		CHECK(status == CRM_OK || status == CRM_NO_MEMORY);
		if (status == CRM_OK)
			CHECK(size == good.size && memcmp(bytes, good.bytes, size) == 0);
		s.left = left;
		if (left % 7 == 0)
			CHECK(crm_timeline_validate(&poor, good.bytes, good.size) != CRM_CORRUPT);
		for (size_t i = 0; i < s.count; i++)
			free(s.blocks[i]);
		free(s.blocks);
	}
	CHECK_EQUAL(status, CRM_OK);
	free(good.bytes);
}

static void
test_known_names(void)
{
	for (int i = 0; i < CRM_TIMELINE_KNOWN_NAMES; i++)
	{
		CHECK_EQUAL(crm_timeline_known_name(crm_timeline_known_names[i]), i);
		CHECK(i == 0 || text_order(crm_timeline_known_names[i - 1], crm_timeline_known_names[i]) < 0);
	}
	CHECK_EQUAL(crm_timeline_known_name(text_of("")), -1);
	CHECK_EQUAL(crm_timeline_known_name(text_of("vie")), -1);
	CHECK_EQUAL(crm_timeline_known_name(text_of("zzz")), -1);
}

int
main(void)
{
	env = unit_env();
	make_pools();
	test_known_names();
	test_widths();
	test_layout();
	test_promises();
	test_limits();
	for (int i = 0; i < 10; i++)
		test_memory();
	test_histories();
	test_damage();
	return unit_done();
}
