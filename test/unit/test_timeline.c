/*
 * test_timeline.c - timelines against brute force: what is written is read
 * again, in one form whatever the order of the events, and with widths, unit
 * and decimals that no other choice beats; bytes that are not of that form are
 * refused, and damaged ones harm nobody.
 *
 * The history that should come out is kept as texts in an order of its own
 * making, so that it shares nothing with dictionaries and codes.
 */
#include "unit.h"

#include <float.h>
#include <math.h>

#include "kernel/timeline_write.h"
#include "kernel/timeline_writer.h"

#define MAX_EVENTS 3000
#define MAX_ATTRIBUTES 12

static crm_env env;
static uint64_t random_state = 20261122;

static uint64_t
next_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

static uint64_t
below(uint64_t limit)
{
	return next_random() % limit;
}

static double
fraction(void)
{
	return (double) (next_random() >> 11) / 9007199254740992.0;
}

static crm_text
text_of(const char *s)
{
	crm_text	text = {s, strlen(s)};

	return text;
}

/* ---- histories as plain data ------------------------------------------------------ */

typedef struct plain_event
{
	int64_t		at;
	crm_text	name;
	bool		has_value;
	double		value;
	size_t		attributes;
	crm_attribute attribute[MAX_ATTRIBUTES];	/* ascending by name */
} plain_event;

typedef struct history
{
	size_t		count;
	plain_event event[MAX_EVENTS];
} history;

static void
copy_history(history *to, const history *from)
{
	to->count = from->count;
	memcpy(to->event, from->event, sizeof(plain_event) * from->count);
}

static int
text_order(crm_text a, crm_text b)
{
	for (size_t i = 0; i < a.size && i < b.size; i++)
		if ((uint8_t) a.data[i] != (uint8_t) b.data[i])
			return (uint8_t) a.data[i] < (uint8_t) b.data[i] ? -1 : 1;
	return a.size < b.size ? -1 : a.size > b.size;
}

static int
attribute_order(const crm_attribute_value *a, const crm_attribute_value *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->kind >= CRM_ATTRIBUTE_NUMBER ? text_order(a->text, b->text) : 0;
}

static const crm_attribute *
attribute_of(const plain_event *event, crm_text name)
{
	for (size_t i = 0; i < event->attributes; i++)
		if (text_order(event->attribute[i].name, name) == 0)
			return &event->attribute[i];
	return NULL;
}

/* The order of the format, said once more: channel by channel of all that either event has. */
static int
event_order(const void *left, const void *right)
{
	const plain_event *a = left,
			   *b = right;
	size_t		i = 0,
				j = 0;
	int			order;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if ((order = text_order(a->name, b->name)) != 0)
		return order;
	if (a->has_value != b->has_value)
		return a->has_value ? 1 : -1;
	if (a->has_value && (a->value < b->value || a->value > b->value))
		return a->value < b->value ? -1 : 1;
	if (a->has_value && !!signbit(a->value) != !!signbit(b->value))
		return signbit(a->value) ? -1 : 1;
	while (i < a->attributes || j < b->attributes)
	{
		crm_text	name = i >= a->attributes ? b->attribute[j].name : j >= b->attributes ? a->attribute[i].name :
			text_order(a->attribute[i].name, b->attribute[j].name) < 0 ? a->attribute[i].name : b->attribute[j].name;
		const crm_attribute *x = attribute_of(a, name),
				   *y = attribute_of(b, name);

		if (x == NULL || y == NULL)
			return x == NULL ? -1 : 1;
		if ((order = attribute_order(&x->value, &y->value)) != 0)
			return order;
		i++;
		j++;
	}
	return 0;
}

static void
shuffle(history *h)
{
	for (size_t i = h->count; i > 1; i--)
	{
		size_t		j = below(i);
		plain_event swap = h->event[i - 1];

		h->event[i - 1] = h->event[j];
		h->event[j] = swap;
	}
}

/* ---- random histories ------------------------------------------------------------- */

#define POOL 320

static crm_text pool[POOL];		/* names: known, long, short, empty, with any bytes */
static crm_text channel_pool[MAX_ATTRIBUTES];
static crm_attribute_value value_pool[64];

static crm_text
random_text(size_t size)
{
	char	   *data = malloc(size + 1);
	crm_text	text = {data, size};

	for (size_t i = 0; i < size; i++)
		data[i] = (char) below(256);
	return text;
}

static void
make_pools(void)
{
	for (int i = 0; i < POOL; i++)
	{
		static const char *usual[] = {"view", "order", "login", "view_item", "views", "vie", "zz", "", "a"};

		if (i < 9)
			pool[i] = text_of(usual[i]);
		else
			pool[i] = random_text(i % 40 == 0 ? 120 + below(10) : i % 41 == 0 ? 1023 - below(3) : 2 + below(12));
	}
	for (int i = 0; i < MAX_ATTRIBUTES; i++)
		channel_pool[i] = i == 0 ? text_of("") : i == 1 ? random_text(1023) : random_text(1 + below(3));
	for (int i = 0; i < 64; i++)
	{
		static const char *numbers[] = {"0", "-1", "0.50", "12345678901234567890.123", "1.0"};

		value_pool[i].kind = i < 3 ? (crm_attribute_kind) i : i < 8 ? CRM_ATTRIBUTE_NUMBER : CRM_ATTRIBUTE_TEXT;
		value_pool[i].text = i < 3 ? text_of("") : i < 8 ? text_of(numbers[i - 3]) :
			i < 13 ? text_of(numbers[i - 8]) : random_text(i == 63 ? 5000 : below(20));
	}
}

static double
random_value(int mode)
{
	static const double odd[] = {0.0, -0.0, DBL_MIN, DBL_TRUE_MIN, -DBL_MAX, 9007199254740992.0, 9007199254740993.0, 0.1, 1e15, 1e22,
	4503599627370497.5, 2251799813685248.25};
	uint64_t	bits;
	double		value;

	switch (mode)
	{
		case 0:
			return (double) (int64_t) below(1000);
		case 1:
			return (double) ((int64_t) below(2000000) - 1000000) / 100;
		case 2:
			return (double) ((int64_t) below(200)) / pow(10, (double) below(6));
		case 3:
			return fraction();
		case 4:
			return (double) (int64_t) (next_random() >> 11) / (below(2) ? 1 : 1000);
		case 5:
			return odd[below(sizeof(odd) / sizeof(odd[0]))];
		case 6:
			return 42.5;
		default:
			do
			{
				bits = next_random();
				memcpy(&value, &bits, sizeof(value));
			} while (!isfinite(value));
			return value;
	}
}

static void
random_history(history *h, size_t count)
{
	static const uint64_t units[] = {1, 1000, 1000000, 60000000, UINT64_C(3600000000), UINT64_C(86400000000)};
	uint64_t	unit = units[below(6)],
				spread = UINT64_C(1) << below(44);
	int			shape = (int) below(6),
				values = (int) below(4),
				mode = (int) below(8);
	size_t		names = below(3) == 0 ? 1 + below(POOL) : 1 + below(12),
				channels = below(2) ? 0 : 1 + below(MAX_ATTRIBUTES),
				kinds = 1 + below(64);
	int64_t		at = (int64_t) below(UINT64_C(1) << 50) - (INT64_C(1) << 49);

	h->count = count;
	for (size_t i = 0; i < count; i++)
	{
		plain_event *event = &h->event[i];
		uint64_t	gap = below(spread);

		if (shape == 1)			/* bursts */
			gap = below(10) == 0 ? spread : below(5);
		else if (shape == 2)	/* many at once */
			gap = below(4) == 0 ? gap : 0;
		else if (shape == 3)
			gap = 0;
		else if (shape == 4)	/* every length */
			gap = next_random() >> (20 + below(44));
		gap %= (UINT64_C(1) << 50) / unit;
		at += (int64_t) (gap * unit);
		event->at = at;
		if (shape == 5 && count > 1 && below(3) == 0)
			event->at = below(2) ? CRM_TIMELINE_MIN_TIME : CRM_TIMELINE_END_TIME - 1;
		event->name = pool[below(names)];
		event->has_value = values == 1 || (values == 2 && below(2)) || (values == 3 && below(20) == 0);
		event->value = event->has_value ? random_value(mode) : 0;
		event->attributes = 0;
		for (size_t c = 0; c < channels; c++)
		{
			crm_attribute attribute;
			size_t		place = event->attributes;

			if (below(3) == 0)
				continue;
			attribute.name = channel_pool[below(channels)];
			attribute.value = value_pool[below(kinds)];
			if (attribute_of(event, attribute.name))
				continue;
			for (; place > 0 && text_order(event->attribute[place - 1].name, attribute.name) > 0; place--)
				event->attribute[place] = event->attribute[place - 1];
			event->attribute[place] = attribute;
			event->attributes++;
		}
		/* exact duplicates */
		if (i > 0 && below(8) == 0)
			*event = h->event[below(i)];
	}
}

/* ---- packing and unpacking ---------------------------------------------------------- */

typedef struct packed
{
	uint8_t    *bytes;			/* a block of exactly this size */
	size_t		size;
} packed;

static packed
copy_of(const uint8_t *bytes, size_t size)
{
	packed		p = {malloc(size ? size : 1), size};

	memcpy(p.bytes, bytes, size);
	return p;
}

static packed
pack(crm_timeline_writer *w, const history *h, bool distinct)
{
	crm_timeline_event *events = malloc(sizeof(crm_timeline_event) * (h->count + 1));
	size_t		head = below(6),
				size = 0;
	uint8_t    *bytes = NULL;
	packed		p;

	for (size_t i = 0; i < h->count; i++)
	{
		const plain_event *from = &h->event[i];
		crm_attribute attributes[MAX_ATTRIBUTES];
		size_t		turn = below(MAX_ATTRIBUTES);

		for (size_t a = 0; a < from->attributes; a++)
			attributes[(a + turn) % from->attributes] = from->attribute[a];
		events[i].at = from->at;
		events[i].has_value = from->has_value;
		events[i].value = from->has_value ? from->value : fraction();
		CHECK_EQUAL(crm_timeline_writer_name(w, from->name, &events[i].name), CRM_OK);
		CHECK_EQUAL(crm_timeline_writer_attributes(w, attributes, from->attributes, &events[i].attributes), CRM_OK);
	}
	CHECK_EQUAL(crm_timeline_write(w, events, h->count, distinct, head, &bytes, &size), CRM_OK);
	p = copy_of(bytes + head, size - head);
	free(events);
	return p;
}

static bool
same(packed a, packed b)
{
	return a.size == b.size && memcmp(a.bytes, b.bytes, a.size) == 0;
}

/* Reads all of a timeline by its readers; the texts point into it.  Values are asked for in the given order. */
static void
unpack(const crm_timeline *t, history *h, crm_text *names, crm_timeline_channel *channels, crm_attribute_value **values, bool backwards)
{
	crm_timeline_cursor cursor;
	crm_timeline_values reader;

	crm_timeline_names(t, names);
	crm_timeline_channels(t, channels);
	for (uint32_t c = 0; c < t->channels; c++)
	{
		values[c] = malloc(sizeof(crm_attribute_value) * (channels[c].values + (size_t) 1));
		crm_timeline_channel_values(&channels[c], values[c]);
	}
	crm_timeline_begin(t, &cursor);
	h->count = 0;
	while (h->count < MAX_EVENTS && crm_timeline_next(&cursor))
	{
		plain_event *event = &h->event[h->count++];

		event->at = cursor.at;
		event->name = t->names > 0 ? names[cursor.code] : text_of("");
		event->attributes = 0;
		for (uint32_t c = 0; c < t->channels; c++)
		{
			uint32_t	code = crm_timeline_channel_code(&channels[c], cursor.index);

			if (code == 0 || event->attributes == MAX_ATTRIBUTES)
				continue;
			event->attribute[event->attributes].name = channels[c].name;
			event->attribute[event->attributes++].value = values[c][code - 1];
		}
	}
	crm_timeline_values_begin(t, &reader);
	for (size_t i = 0; i < h->count; i++)
	{
		size_t		index = backwards ? h->count - 1 - i : i;

		h->event[index].value = 0;
		h->event[index].has_value = crm_timeline_value(&reader, index, &h->event[index].value);
	}
	for (uint32_t c = 0; c < t->channels; c++)
		free(values[c]);
}

static history found;

/* Opens and reads bytes whatever they are; false when they do not open. */
static bool
read_all(packed p, history *h, bool backwards)
{
	static crm_text *names = NULL;
	static uint32_t names_room = 0;
	crm_timeline_channel channels[CRM_TIMELINE_MAX_CHANNELS];
	crm_attribute_value *values[CRM_TIMELINE_MAX_CHANNELS];
	crm_timeline t;

	if (crm_timeline_open(p.bytes, p.size, &t) != CRM_OK)
		return false;
	if (t.names >= names_room)
	{
		names_room = t.names + 1;
		names = realloc(names, sizeof(crm_text) * names_room);
	}
	unpack(&t, h, names, channels, values, backwards);
	return true;
}

static void
check_found(const history *expected)
{
	size_t		wrong = 0;

	CHECK_EQUAL(found.count, expected->count);
	for (size_t i = 0; i < expected->count && i < found.count; i++)
		wrong += event_order(&found.event[i], &expected->event[i]) != 0;
	CHECK_EQUAL(wrong, 0);
}

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
	test_limits();
	test_histories();
	test_damage();
	return unit_done();
}
