/*
 * timeline.c - reading timelines: the head, names, values and attributes.
 */
#include "kernel/timeline_private.h"

/* How many of the first `count` bits are set; bits beyond the bytes are not. */
static size_t
bits_set(const uint8_t *bits, size_t size, size_t from, size_t to)
{
	size_t		set = 0;

	while (from < to)
	{
		unsigned	n = to - from < 64 ? (unsigned) (to - from) : 64;

		set += (size_t) crm_popcount64(crm_bits_at(bits, size, from, n));
		from += n;
	}
	return set;
}

/*
 * Reads where the values lie, and how they are packed.  Sets *end to the first
 * byte behind them, for which the values present must be counted: only where
 * attributes follow.
 */
static bool
read_values(const crm_timeline *t, crm_timeline_values *values, size_t *end)
{
	size_t		at = t->values_at;
	size_t		present = t->count;
	size_t		packed;
	uint64_t	base;
	uint8_t		head;

	memset(values, 0, sizeof(*values));
	values->timeline = t;
	if ((t->flags & CRM_TIMELINE_VALUES) == 0)
	{
		if (end)
			*end = at;
		return true;
	}
	if (at >= t->size)
		return false;
	head = t->bytes[at++];
	if (head & CRM_TIMELINE_ABSENT)
	{
		size_t		size = (t->count + 7) / 8;

		if (size > t->size - at)
			return false;
		values->present = t->bytes + at;
		at += size;
		if (end)
			present = bits_set(values->present, size, 0, t->count);
	}
	head &= (uint8_t) ~CRM_TIMELINE_ABSENT;
	if (head == CRM_TIMELINE_FLOATS)
	{
		values->scale = -1;
		packed = present * 8;
	}
	else
	{
		if (head > CRM_TIMELINE_MAX_DECIMALS || !crm_read_varint(t->bytes, t->size, &at, &base) || at >= t->size)
			return false;
		values->scale = head;
		values->base = crm_unzigzag(base);
		values->width = t->bytes[at++];
		if (values->width > CRM_TIMELINE_WHOLE_BITS)
			return false;
		packed = (present * values->width + 7) / 8;
	}
	values->packed = t->bytes + at;
	values->packed_size = t->size - at;
	if (end)
	{
		if (packed > t->size - at)
			return false;
		*end = at + packed;
	}
	values->any = true;
	return true;
}

crm_status
crm_timeline_open(const uint8_t *bytes, size_t size, crm_timeline *t)
{
	size_t		at = 1;
	uint64_t	number;
	unsigned	steps,
				widths;
	crm_text	name;

	t->bytes = bytes;
	t->size = size;
	if (size < 2 || bytes[0] >> 4 != CRM_TIMELINE_VERSION)
		return CRM_CORRUPT;
	t->flags = bytes[0] & 0x0F;
	if (t->flags & ~(CRM_TIMELINE_VALUES | CRM_TIMELINE_ATTRIBUTES))
		return CRM_CORRUPT;
	if (!crm_read_varint(bytes, size, &at, &number) || number > CRM_TIMELINE_MAX_EVENTS)
		return CRM_CORRUPT;
	t->count = number;
	if (t->count == 0)
	{
		memset(t, 0, sizeof(*t));
		t->bytes = bytes;
		t->size = size;
		t->unit = 1;
		t->names_at = t->channels_at = t->events_at = t->values_at = t->codes_at = size;
		return size == 2 && t->flags == 0 ? CRM_OK : CRM_CORRUPT;
	}

	if (at >= size)
		return CRM_CORRUPT;
	steps = bytes[at++];
	widths = (steps >> 3 & 3) + 1;
	if (steps >> 5 != 0 || (steps & 7) >= CRM_TIMELINE_UNITS || widths > size - at)
		return CRM_CORRUPT;
	t->unit = crm_timeline_unit[steps & 7];
	t->class_bits = crm_timeline_class_bits(widths);
	memset(t->width, 0, sizeof(t->width));
	for (unsigned i = 0; i < widths; i++)
	{
		t->width[i] = bytes[at++];
		if (t->width[i] > 64 || (i > 0 && t->width[i] <= t->width[i - 1]))
			return CRM_CORRUPT;
	}
	if (size - at < 8)
		return CRM_CORRUPT;
	t->first = (int64_t) crm_load64(bytes + at);
	at += 8;
	if (t->first < CRM_TIMELINE_MIN_TIME || t->first >= CRM_TIMELINE_END_TIME)
		return CRM_CORRUPT;

	if (!crm_read_varint(bytes, size, &at, &number) || number == 0 || number > t->count || number > CRM_TIMELINE_MAX_NAMES)
		return CRM_CORRUPT;
	t->names = (uint32_t) number;
	t->code_bits = crm_bit_length(number - 1);
	t->names_at = at;
	for (uint32_t i = 0; i < t->names; i++)
	{
		if (at >= size)
			return CRM_CORRUPT;
		if (bytes[at] < CRM_NAME_LONG)
			at += bytes[at] + (size_t) 1;
		else if (bytes[at] & CRM_NAME_KNOWN)
			at++;
		else if (!crm_read_name(bytes, size, &at, &name))
			return CRM_CORRUPT;
	}
	if (at > size)
		return CRM_CORRUPT;

	t->channels_at = at;
	t->channels = 0;
	if (t->flags & CRM_TIMELINE_ATTRIBUTES)
	{
		if (!crm_read_varint(bytes, size, &at, &number) || number == 0 || number > CRM_TIMELINE_MAX_CHANNELS)
			return CRM_CORRUPT;
		t->channels = (uint32_t) number;
		if (!crm_read_varint(bytes, size, &at, &number) || number > size - at)
			return CRM_CORRUPT;
		t->channels_at = at;
		at += number;
	}

	/* Where nothing follows, the events take the rest. */
	if (t->flags == 0)
		number = size - at;
	else if (!crm_read_varint(bytes, size, &at, &number) || number > size - at)
		return CRM_CORRUPT;
	t->events_at = at;
	t->events_size = number;
	t->values_at = at + t->events_size;
	/* Every event takes a bit at least, so that the bytes there are bound what a damaged count promises. */
	if (t->count > 1 && t->class_bits == 0 && t->width[0] == 0)
		return CRM_CORRUPT;
	if (t->code_bits + (t->count - 1) * (t->class_bits + t->code_bits + t->width[0]) > (uint64_t) t->events_size * 8)
		return CRM_CORRUPT;
	t->codes_at = size;
	if (t->flags & CRM_TIMELINE_VALUES)
	{
		crm_timeline_values values;

		if (!read_values(t, &values, t->channels > 0 ? &t->codes_at : NULL))
			return CRM_CORRUPT;
	}
	else
		t->codes_at = t->values_at;
	return CRM_OK;
}

uint64_t
crm_timeline_far_gap(const crm_timeline *t, size_t bit, uint32_t *code, size_t *bits)
{
	const uint8_t *stream = t->bytes + t->events_at;
	size_t		size = t->events_size;
	size_t		last = size - 8;
	unsigned	width;

	/* The last eight bytes hold most of the last event, with zeros behind them. */
	if (size >= 8 && bit >= last * 8 && bit < size * 8)
	{
		uint64_t	word = crm_load64(stream + last) >> (bit - last * 8);
		unsigned	head = t->class_bits + t->code_bits;

		width = t->width[word & ((1u << t->class_bits) - 1)];
		*code = (uint32_t) (word >> t->class_bits & ((UINT64_C(1) << t->code_bits) - 1));
		*bits = head + width;
		word >>= head;
		return width < 64 ? word & ((UINT64_C(1) << width) - 1) : word;
	}
	width = t->width[crm_bits_at(stream, size, bit, t->class_bits)];

	*code = (uint32_t) crm_bits_at(stream, t->events_size, bit + t->class_bits, t->code_bits);
	*bits = t->class_bits + t->code_bits + width;
	return crm_bits_at(stream, t->events_size, bit + t->class_bits + t->code_bits, width);
}

crm_text
crm_timeline_next_name(const crm_timeline *timeline, size_t *position)
{
	crm_text	name = {"", 0};

	(void) crm_read_name(timeline->bytes, timeline->channels_at, position, &name);
	return name;
}

void
crm_timeline_names(const crm_timeline *timeline, crm_text *names)
{
	size_t		at = timeline->names_at;

	for (uint32_t i = 0; i < timeline->names; i++)
		names[i] = crm_timeline_next_name(timeline, &at);
}

/* ---- values ------------------------------------------------------------------ */

void
crm_timeline_values_begin(const crm_timeline *timeline, crm_timeline_values *values)
{
	/* What opened has passed this before. */
	if (!read_values(timeline, values, NULL))
		values->any = false;
}

bool
crm_timeline_value(crm_timeline_values *values, size_t index, double *value)
{
	const crm_timeline *t = values->timeline;
	size_t		place = index;

	if (!values->any || index >= t->count)
		return false;
	if (values->present)
	{
		size_t		size = (t->count + 7) / 8;

		if ((values->present[index >> 3] >> (index & 7) & 1) == 0)
			return false;
		if (index < values->seen)
			values->seen = values->rank = 0;
		values->rank += bits_set(values->present, size, values->seen, index);
		values->seen = index;
		place = values->rank;
	}
	if (values->scale < 0)
	{
		uint64_t	word = crm_bits_at(values->packed, values->packed_size, place * 64, 64);

		memcpy(value, &word, sizeof(*value));
	}
	else
	{
		uint64_t	whole = (uint64_t) values->base +
			crm_bits_at(values->packed, values->packed_size, place * values->width, values->width);

		*value = (double) (int64_t) whole;
		if (values->scale > 0)
			*value /= crm_timeline_power[values->scale];
	}
	return true;
}

/* ---- attributes -------------------------------------------------------------- */

/*
 * Opening has looked at the size of the channels as a whole only.  A damaged
 * one is read as far as it goes: without values, it is absent everywhere.
 */
void
crm_timeline_channels(const crm_timeline *timeline, crm_timeline_channel *channels)
{
	const uint8_t *bytes = timeline->bytes;
	size_t		at = timeline->channels_at,
				end = timeline->events_at,
				codes = timeline->codes_at;
	bool		good = true;

	for (uint32_t i = 0; i < timeline->channels; i++)
	{
		crm_timeline_channel *channel = &channels[i];
		uint64_t	values = 0;
		size_t		size;

		channel->timeline = timeline;
		channel->name.data = "";
		channel->name.size = 0;
		good = good && crm_read_text(bytes, end, &at, &channel->name) &&
			crm_read_varint(bytes, end, &at, &values) && values <= end - at;
		channel->values_at = at;
		for (uint64_t v = 0; good && v < values; v++)
		{
			crm_attribute_value value;

			good = crm_read_attribute(bytes, end, &at, &value);
		}
		channel->values = good ? (uint32_t) values : 0;
		channel->bits = crm_bit_length(channel->values);
		channel->codes = bytes + codes;
		size = (timeline->count * channel->bits + 7) / 8;
		if (size > timeline->size - codes)
			size = timeline->size - codes;
		channel->codes_size = size;
		codes += size;
	}
}

void
crm_timeline_channel_values(const crm_timeline_channel *channel, crm_attribute_value *values)
{
	const crm_timeline *t = channel->timeline;
	size_t		at = channel->values_at;

	for (uint32_t i = 0; i < channel->values; i++)
		(void) crm_read_attribute(t->bytes, t->events_at, &at, &values[i]);
}
