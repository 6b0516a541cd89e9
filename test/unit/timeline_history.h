/*
 * timeline_history.h - histories of events as plain data, for tests of
 * timelines: random ones, packing them, and reading them out of a timeline.
 *
 * A history is kept as texts, with an order of its own making, so that it
 * shares nothing with the dictionaries and codes of the kernel.
 */
#ifndef CRM_TIMELINE_HISTORY_H
#define CRM_TIMELINE_HISTORY_H

#include "unit.h"

#include <float.h>
#include <math.h>

#include "kernel/timeline_write.h"

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

#endif							/* CRM_TIMELINE_HISTORY_H */
