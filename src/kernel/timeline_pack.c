/*
 * timeline_pack.c - the bytes of a timeline, from events in order.
 */
#include "kernel/timeline_writer.h"

/*
 * Division by a unit, odd * 2^shift, without dividing: a multiple of it, times
 * the inverse of the odd part modulo 2^64, rotated right by the shift, is the
 * quotient; what is no multiple comes out greater than any quotient.
 * (Granlund and Montgomery, Division by Invariant Integers using
 * Multiplication, PLDI 1994, section 9.)
 */
typedef struct unit_divisor
{
	uint64_t	inverse;
	uint64_t	greatest;		/* quotient */
	unsigned	shift;
} unit_divisor;

#define DIVISOR(unit, inverse, shift) {UINT64_C(inverse), UINT64_MAX / UINT64_C(unit), shift}

static const unit_divisor divisors[CRM_TIMELINE_UNITS] = {
	DIVISOR(1, 1, 0),
	DIVISOR(1000, 2066035336255469781, 3),
	DIVISOR(1000000, 8723391485480952121, 6),
	DIVISOR(60000000, 17798520567827644983, 8),
	DIVISOR(3600000000, 15943963296822817625, 10),
	DIVISOR(86400000000, 11463569123510789747, 13),
};

static inline uint64_t
divide_by_unit(const unit_divisor *d, uint64_t v)
{
	uint64_t	product = v * d->inverse;

	return product >> d->shift | product << ((64 - d->shift) & 63);
}

/* ---- bits ------------------------------------------------------------------------ */

/* Writes into a buffer with 8 bytes to spare behind what it is given. */
typedef struct bit_sink
{
	uint8_t    *at;
	uint64_t	pending;		/* fewer than 8 bits, written already */
	unsigned	fill;
} bit_sink;

/* Up to 56 bits. */
static inline void
put_bits(bit_sink *sink, uint64_t bits, unsigned count)
{
	unsigned	whole;

	sink->pending |= bits << sink->fill;
	crm_store64(sink->at, sink->pending);
	sink->fill += count;
	whole = sink->fill >> 3;
	sink->at += whole;
	sink->pending >>= whole * 8;
	sink->fill &= 7;
}

static inline void
put_many_bits(bit_sink *sink, uint64_t bits, unsigned count)
{
	if (count > 32)
	{
		put_bits(sink, bits & UINT32_MAX, 32);
		bits >>= 32;
		count -= 32;
	}
	put_bits(sink, bits, count);
}

static inline void
begin_bits(bit_sink *sink, const crm_buffer *buffer)
{
	sink->at = buffer->data + buffer->size;
	sink->pending = 0;
	sink->fill = 0;
}

static inline void
end_bits(const bit_sink *sink, crm_buffer *buffer)
{
	buffer->size = (size_t) (sink->at - buffer->data) + (sink->fill > 0);
}

/* ---- numbers and texts: room for them has been made ------------------------------- */

static inline void
put_varint(crm_buffer *buffer, uint64_t v)
{
	uint8_t    *p = buffer->data + buffer->size;

	while (v >= 0x80)
	{
		*p++ = (uint8_t) (v | 0x80);
		v >>= 7;
	}
	*p++ = (uint8_t) v;
	buffer->size = (size_t) (p - buffer->data);
}

static inline void
put_text(crm_buffer *buffer, crm_text text)
{
	put_varint(buffer, text.size);
	memcpy(buffer->data + buffer->size, text.data, text.size);
	buffer->size += text.size;
}

/* ---- gaps ------------------------------------------------------------------------ */

/*
 * The cheapest choice of 1 ... 4 of the lengths that occur, the greatest always
 * among them.  cost[k][j]: bits of the gaps up to length j when j is the
 * (k + 1)-th width; before[k][j]: the width below it, the smallest at equal
 * cost.  With n lengths, about n^2 steps.
 */
unsigned
crm_timeline_choose_widths(const uint64_t *gaps_of_length, uint8_t *width)
{
	uint8_t		length[65];
	uint64_t	up_to[65];		/* gaps of this length or less */
	uint64_t	cost[CRM_TIMELINE_MAX_WIDTHS][65];
	uint8_t		before[CRM_TIMELINE_MAX_WIDTHS][65];
	uint64_t	gaps = 0,
				best;
	unsigned	lengths = 0,
				widths = 1,
				last;

	for (unsigned l = 0; l <= 64; l++)
		if (gaps_of_length[l] > 0)
		{
			gaps += gaps_of_length[l];
			length[lengths] = (uint8_t) l;
			up_to[lengths++] = gaps;
		}
	if (lengths == 0)
	{
		width[0] = 0;
		return 1;
	}
	last = lengths - 1;
	for (unsigned j = 0; j <= last; j++)
		cost[0][j] = up_to[j] * length[j];
	best = cost[0][last] + 8;
	for (unsigned k = 1; k < CRM_TIMELINE_MAX_WIDTHS && k <= last; k++)
	{
		uint64_t	total;

		/* Of the last row only the last place is asked for. */
		for (unsigned j = k + 1 < CRM_TIMELINE_MAX_WIDTHS ? k : last; j <= last; j++)
		{
			uint64_t	least = UINT64_MAX;
			unsigned	below = 0;

			for (unsigned i = k - 1; i < j; i++)
			{
				uint64_t	bits = cost[k - 1][i] + (up_to[j] - up_to[i]) * length[j];

				if (bits < least)
				{
					least = bits;
					below = i;
				}
			}
			cost[k][j] = least;
			before[k][j] = (uint8_t) below;
		}
		total = cost[k][last] + gaps * crm_timeline_class_bits(k + 1) + 8 * (k + 1);
		if (total < best)
		{
			best = total;
			widths = k + 1;
		}
	}
	for (unsigned k = widths; k-- > 0;)
	{
		width[k] = length[last];
		if (k > 0)
			last = before[k][last];
	}
	/* An event takes a bit at least, so that nobody can promise more of them than there are bits. */
	if (widths == 1 && width[0] == 0)
		width[0] = 1;
	return widths;
}

/* How gaps are stored. */
typedef struct steps
{
	unsigned	unit;
	unsigned	widths;
	unsigned	class_bits;
	unsigned	code_bits;
	uint8_t		width[CRM_TIMELINE_MAX_WIDTHS];
	size_t		size;			/* bytes of the stream */
} steps;

/* Leaves the gaps in units in the scratch buffer. */
static crm_status
plan_steps(crm_timeline_writer *writer, const crm_timeline_event *events, size_t count, steps *plan)
{
	uint64_t	lengths[65] = {0};
	uint64_t   *gaps;
	uint64_t	bits;
	const unit_divisor *divisor;
	unsigned	unit = CRM_TIMELINE_UNITS - 1,
				class = 0;

	writer->numbers.size = 0;
	CRM_TRY(crm_buffer_reserve(&writer->env, &writer->numbers, count * sizeof(uint64_t)));
	gaps = (uint64_t *) (void *) writer->numbers.data;
	for (size_t i = 1; i < count && unit > 0; i++)
	{
		uint64_t	gap = (uint64_t) events[i].at - (uint64_t) events[i - 1].at;

		while (divide_by_unit(&divisors[unit], gap) > divisors[unit].greatest)
			unit--;
	}
	divisor = &divisors[unit];
	for (size_t i = 1; i < count; i++)
	{
		gaps[i] = divide_by_unit(divisor, (uint64_t) events[i].at - (uint64_t) events[i - 1].at);
		lengths[crm_bit_length(gaps[i])]++;
		if (i % CRM_TIMELINE_PROGRESS == 0)
			crm_progress(&writer->env);
	}

	plan->unit = unit;
	plan->widths = crm_timeline_choose_widths(lengths, plan->width);
	plan->class_bits = crm_timeline_class_bits(plan->widths);
	plan->code_bits = crm_bit_length(writer->names.used_count - 1);
	bits = plan->code_bits + (count - 1) * (uint64_t) (plan->class_bits + plan->code_bits);
	for (unsigned l = 0; l <= 64; l++)
	{
		while (plan->width[class] < l && class + 1 < plan->widths)
			class++;
		bits += lengths[l] * plan->width[class];
	}
	plan->size = (bits + 7) / 8;
	return CRM_OK;
}

static crm_status
pack_events(crm_timeline_writer *writer, const crm_timeline_event *events, size_t count, const steps *plan)
{
	const crm_mark *marks = writer->names.marks;
	const uint64_t *gaps = (const uint64_t *) (const void *) writer->numbers.data;
	unsigned	code_bits = plan->code_bits,
				head_bits = plan->class_bits + code_bits;
	uint8_t		class_of[65];
	bit_sink	sink;

	for (unsigned l = 0, class = 0; l <= 64; l++)
	{
		if (plan->width[class] < l && class + 1 < plan->widths)
			class++;
		class_of[l] = (uint8_t) class;
	}
	CRM_TRY(crm_buffer_reserve(&writer->env, &writer->out, plan->size + 8));
	begin_bits(&sink, &writer->out);
	put_bits(&sink, marks[events[0].name].code, code_bits);
	for (size_t i = 1; i < count; i++)
	{
		unsigned	class = class_of[crm_bit_length(gaps[i])],
					width = plan->width[class];
		uint64_t	head = class | (uint64_t) marks[events[i].name].code << plan->class_bits;

		if (head_bits + width <= 56)
			put_bits(&sink, head | gaps[i] << head_bits, head_bits + width);
		else
		{
			put_bits(&sink, head, head_bits);
			put_many_bits(&sink, gaps[i], width);
		}
		if (i % CRM_TIMELINE_PROGRESS == 0)
			crm_progress(&writer->env);
	}
	end_bits(&sink, &writer->out);
	return CRM_OK;
}

/* ---- values ---------------------------------------------------------------------- */

/*
 * The whole number next to value * 10^decimals, halves away from 0: false
 * unless it lies within 2^53 and, divided again, is the value bit for bit.
 */
static inline bool
as_whole(double value, int decimals, int64_t *whole)
{
	double		scaled = value * crm_timeline_power[decimals],
				rest,
				back;

	/* NaN is not within either. */
	if (!(scaled >= (double) -CRM_TIMELINE_MAX_WHOLE && scaled <= (double) CRM_TIMELINE_MAX_WHOLE))
		return false;
	*whole = (int64_t) scaled;
	rest = scaled - (double) *whole;	/* exact */
	*whole += (rest >= 0.5) - (rest <= -0.5);
	back = (double) *whole / crm_timeline_power[decimals];
	return memcmp(&back, &value, sizeof(value)) == 0;
}

/*
 * Whole numbers of all values, with the fewest decimals that do.  When a value
 * asks for more decimals, those before it are looked at again: one may not
 * stand them.  False when there is no such number of decimals.
 */
static bool
find_decimals(crm_timeline_writer *writer, const crm_timeline_event *events, size_t count, int64_t *wholes, int *decimals)
{
	int			tried;

	*decimals = 0;
	do
	{
		size_t		place = 0;

		tried = *decimals;
		for (size_t i = 0; i < count; i++)
		{
			if (!events[i].has_value)
				continue;
			while (!as_whole(events[i].value, *decimals, &wholes[place]))
				if (++*decimals > CRM_TIMELINE_MAX_DECIMALS)
					return false;
			place++;
			if (i % CRM_TIMELINE_PROGRESS == 0)
				crm_progress(&writer->env);
		}
	} while (tried != *decimals);
	return true;
}

static crm_status
pack_values(crm_timeline_writer *writer, const crm_timeline_event *events, size_t count, size_t present)
{
	crm_buffer *out = &writer->out;
	int64_t    *wholes;
	int			decimals;
	uint8_t		absent = present < count ? CRM_TIMELINE_ABSENT : 0;
	uint8_t    *head;
	bit_sink	sink;

	writer->numbers.size = 0;
	CRM_TRY(crm_buffer_reserve(&writer->env, &writer->numbers, present * sizeof(int64_t)));
	wholes = (int64_t *) (void *) writer->numbers.data;
	CRM_TRY(crm_buffer_reserve(&writer->env, out, 1 + count / 8 + CRM_VARINT_MAX + 1 + present * 8 + 16));
	head = out->data + out->size++;
	if (absent)
	{
		begin_bits(&sink, out);
		for (size_t i = 0; i < count; i++)
			put_bits(&sink, events[i].has_value, 1);
		end_bits(&sink, out);
	}
	if (find_decimals(writer, events, count, wholes, &decimals))
	{
		int64_t		least = wholes[0],
					greatest = wholes[0];
		unsigned	width;

		for (size_t i = 1; i < present; i++)
		{
			least = wholes[i] < least ? wholes[i] : least;
			greatest = wholes[i] > greatest ? wholes[i] : greatest;
		}
		width = crm_bit_length((uint64_t) (greatest - least));
		*head = (uint8_t) decimals | absent;
		put_varint(out, crm_zigzag(least));
		out->data[out->size++] = (uint8_t) width;
		begin_bits(&sink, out);
		for (size_t i = 0; i < present; i++)
			put_bits(&sink, (uint64_t) (wholes[i] - least), width);
		end_bits(&sink, out);
		return CRM_OK;
	}

	*head = CRM_TIMELINE_FLOATS | absent;
	for (size_t i = 0; i < count; i++)
	{
		uint64_t	word;

		if (!events[i].has_value)
			continue;
		memcpy(&word, &events[i].value, sizeof(word));
		if ((word >> 52 & 0x7FF) == 0x7FF)
			return CRM_OUT_OF_RANGE;
		crm_store64(out->data + out->size, word);
		out->size += 8;
	}
	return CRM_OK;
}

/* ---- attributes ------------------------------------------------------------------ */

/* One channel: its dictionary goes into one buffer, its codes into another.  place: by set, the pair that comes next. */
static crm_status
pack_channel(crm_timeline_writer *writer, uint32_t channel, const crm_timeline_event *events, size_t count,
			 uint32_t *place, uint32_t *code)
{
	const crm_env *env = &writer->env;
	const crm_dictionary *sets = &writer->sets;
	crm_dictionary *values = &writer->values;
	crm_text	text = crm_dictionary_text(&writer->channels, channel);
	unsigned	bits;
	bit_sink	sink;

	crm_dictionary_begin(values);
	for (uint32_t s = 0; s < sets->used_count; s++)
	{
		uint32_t	pairs;
		const crm_attribute_pair *pair = crm_set_pairs(writer, sets->used[s], &pairs);

		if (place[s] < pairs && pair[place[s]].channel == channel)
			crm_dictionary_use(values, pair[place[s]].value);
	}
	CRM_TRY(crm_timeline_code_texts(writer, values));
	bits = crm_bit_length(values->used_count);

	CRM_TRY(crm_buffer_reserve(env, &writer->dictionary, text.size + 2 * CRM_VARINT_MAX));
	put_text(&writer->dictionary, text);
	put_varint(&writer->dictionary, values->used_count);
	for (uint32_t v = 0; v < values->used_count; v++)
	{
		text = crm_dictionary_text(values, values->used[v]);
		CRM_TRY(crm_buffer_reserve(env, &writer->dictionary, text.size + CRM_VARINT_MAX));
		writer->dictionary.data[writer->dictionary.size++] = (uint8_t) *text.data++;
		text.size--;
		if (writer->dictionary.data[writer->dictionary.size - 1] >= CRM_ATTRIBUTE_NUMBER)
			put_text(&writer->dictionary, text);
	}

	for (uint32_t s = 0; s < sets->used_count; s++)
	{
		uint32_t	pairs;
		const crm_attribute_pair *pair = crm_set_pairs(writer, sets->used[s], &pairs);

		code[s] = 0;
		if (place[s] < pairs && pair[place[s]].channel == channel)
			code[s] = values->marks[pair[place[s]++].value].code + 1;
	}
	CRM_TRY(crm_buffer_reserve(env, &writer->codes, (count * bits + 7) / 8 + 8));
	begin_bits(&sink, &writer->codes);
	for (size_t i = 0; i < count; i++)
	{
		uint32_t	set = events[i].attributes;

		put_bits(&sink, set == 0 ? 0 : code[sets->marks[set - 1].code - 1], bits);
		if (i % CRM_TIMELINE_PROGRESS == 0)
			crm_progress(env);
	}
	end_bits(&sink, &writer->codes);
	return CRM_OK;
}

/* The channels that the sets used have, and their codes, into the buffers beside the output. */
static crm_status
pack_channels(crm_timeline_writer *writer, const crm_timeline_event *events, size_t count)
{
	const crm_dictionary *sets = &writer->sets;
	crm_dictionary *channels = &writer->channels;
	uint32_t   *place;

	crm_dictionary_begin(channels);
	for (uint32_t s = 0; s < sets->used_count; s++)
	{
		uint32_t	pairs;
		const crm_attribute_pair *pair = crm_set_pairs(writer, sets->used[s], &pairs);

		for (uint32_t i = 0; i < pairs; i++)
			crm_dictionary_use(channels, pair[i].channel);
		if (channels->used_count > CRM_TIMELINE_MAX_CHANNELS)
			return CRM_LIMIT;
	}
	CRM_TRY(crm_timeline_code_texts(writer, channels));

	writer->numbers.size = writer->dictionary.size = writer->codes.size = 0;
	CRM_TRY(crm_buffer_reserve(&writer->env, &writer->numbers, 2 * sizeof(uint32_t) * sets->used_count));
	place = (uint32_t *) (void *) writer->numbers.data;
	memset(place, 0, sizeof(uint32_t) * sets->used_count);
	for (uint32_t c = 0; c < channels->used_count; c++)
		CRM_TRY(pack_channel(writer, channels->used[c], events, count, place, place + sets->used_count));
	return CRM_OK;
}

/* ---- all of it ------------------------------------------------------------------- */

static crm_status
pack_names(crm_timeline_writer *writer)
{
	const crm_dictionary *names = &writer->names;
	crm_buffer *out = &writer->out;

	put_varint(out, names->used_count);
	for (uint32_t i = 0; i < names->used_count; i++)
	{
		uint8_t		known = writer->known[names->used[i]];
		crm_text	text = crm_dictionary_text(names, names->used[i]);

		CRM_TRY(crm_buffer_reserve(&writer->env, out, text.size + 1 + CRM_VARINT_MAX));
		if (known)
		{
			out->data[out->size++] = known;
			continue;
		}
		if (text.size >= CRM_NAME_LONG)
			out->data[out->size++] = CRM_NAME_LONG;
		put_text(out, text);
	}
	return CRM_OK;
}

crm_status
crm_timeline_pack(crm_timeline_writer *writer, const crm_timeline_event *events, size_t count, size_t head)
{
	crm_buffer *out = &writer->out;
	bool		attributes = count > 0 && writer->sets.used_count > 0;
	size_t		values = 0;
	steps		plan;

	for (size_t i = 0; i < count; i++)
		values += events[i].has_value;
	if (attributes)
		CRM_TRY(pack_channels(writer, events, count));

	out->size = 0;
	CRM_TRY(crm_buffer_reserve(&writer->env, out, head + 64));
	out->size = head;
	out->data[out->size++] = (uint8_t) (CRM_TIMELINE_VERSION << 4 | (values > 0 ? CRM_TIMELINE_VALUES : 0) |
										(attributes ? CRM_TIMELINE_ATTRIBUTES : 0));
	put_varint(out, count);
	if (count == 0)
		return CRM_OK;

	CRM_TRY(plan_steps(writer, events, count, &plan));
	out->data[out->size++] = (uint8_t) (plan.unit | (plan.widths - 1) << 3);
	memcpy(out->data + out->size, plan.width, plan.widths);
	out->size += plan.widths;
	crm_store64(out->data + out->size, (uint64_t) events[0].at);
	out->size += 8;
	CRM_TRY(pack_names(writer));
	CRM_TRY(crm_buffer_reserve(&writer->env, out, writer->dictionary.size + 4 * CRM_VARINT_MAX));
	if (attributes)
	{
		put_varint(out, writer->channels.used_count);
		put_varint(out, writer->dictionary.size);
		memcpy(out->data + out->size, writer->dictionary.data, writer->dictionary.size);
		out->size += writer->dictionary.size;
	}
	if (attributes || values > 0)
		put_varint(out, plan.size);
	CRM_TRY(pack_events(writer, events, count, &plan));
	if (values > 0)
		CRM_TRY(pack_values(writer, events, count, values));
	if (attributes)
	{
		CRM_TRY(crm_buffer_reserve(&writer->env, out, writer->codes.size));
		memcpy(out->data + out->size, writer->codes.data, writer->codes.size);
		out->size += writer->codes.size;
	}
	return CRM_OK;
}
