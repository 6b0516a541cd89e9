/*
 * timeline.h - the events of one customer in a few bytes each: reading.
 *
 * doc/formats.md has the layout.  Events stand in one order that hangs on
 * nothing but their content: by time; at one instant by name (bytes), value
 * (absent first), then attributes.  So equal histories are equal bytes.
 */
#ifndef CRM_KERNEL_TIMELINE_H
#define CRM_KERNEL_TIMELINE_H

#include "kernel/kernel.h"

#define CRM_TIMELINE_VERSION 1
#define CRM_TIMELINE_VALUES 0x01	/* flags: some event has a value */
#define CRM_TIMELINE_ATTRIBUTES 0x02	/* some event has attributes */

#define CRM_TIMELINE_MAX_EVENTS (1 << 27)
#define CRM_TIMELINE_MAX_NAMES (1 << 20)
#define CRM_TIMELINE_MAX_NAME 1023	/* bytes of an event's or channel's name */
#define CRM_TIMELINE_MAX_CHANNELS 64

/* Times lie in PostgreSQL's range: microseconds since 2000-01-01 UTC. */
#define CRM_TIMELINE_MIN_TIME INT64_C(-211813488000000000)
#define CRM_TIMELINE_END_TIME INT64_C(9223371331200000000)

/* A piece of text; not terminated. */
typedef struct crm_text
{
	const char *data;
	size_t		size;
} crm_text;

/* What an attribute's value is, and how it is spelled. */
typedef enum crm_attribute_kind
{
	CRM_ATTRIBUTE_NULL = 0,		/* JSON null; no text */
	CRM_ATTRIBUTE_FALSE = 1,	/* no text */
	CRM_ATTRIBUTE_TRUE = 2,		/* no text */
	CRM_ATTRIBUTE_NUMBER = 3,	/* as numeric spells it */
	CRM_ATTRIBUTE_TEXT = 4
} crm_attribute_kind;

typedef struct crm_attribute_value
{
	crm_attribute_kind kind;
	crm_text	text;
} crm_attribute_value;

/* A timeline as it lies in memory: offsets and numbers of its parts, nothing copied. */
typedef struct crm_timeline
{
	const uint8_t *bytes;		/* behind the varlena header */
	size_t		size;
	size_t		count;			/* events */
	int64_t		first;			/* time of the first event */
	uint64_t	unit;			/* microseconds of one step of a gap */
	unsigned	flags;
	unsigned	class_bits;		/* 0, 1 or 2: which of the widths a gap has */
	unsigned	code_bits;		/* of the number of an event's name */
	uint8_t		width[4];		/* bits of a gap */
	uint32_t	names;			/* codes 0 .. names - 1, in the names' order */
	uint32_t	channels;
	size_t		names_at;		/* offsets from bytes */
	size_t		channels_at;	/* the first channel; where there is none, the end of the names */
	size_t		events_at;		/* bit stream: of the first event the code, of each other class, code, gap */
	size_t		events_size;
	size_t		values_at;
	size_t		codes_at;		/* channels' codes, channel after channel */
} crm_timeline;

/*
 * Reads the head; CRM_CORRUPT unless all parts lie within the bytes.  What
 * comes of a stored value that passes, but is damaged further in, is wrong,
 * never a crash.
 */
extern crm_status crm_timeline_open(const uint8_t *bytes, size_t size, crm_timeline *timeline);

/* Every check there is, for bytes from outside: order, canonical form, text encoding excepted. */
extern crm_status crm_timeline_validate(const crm_env *env, const uint8_t *bytes, size_t size);

/* The names by code, ascending; room for timeline->names.  They point into the value or into static memory. */
extern void crm_timeline_names(const crm_timeline *timeline, crm_text *names);
/* Walks over the names one by one: *position begins with timeline->names_at. */
extern crm_text crm_timeline_next_name(const crm_timeline *timeline, size_t *position);

/* ---- events in order --------------------------------------------------- */

typedef struct crm_timeline_cursor
{
	const crm_timeline *timeline;
	size_t		index;			/* of the current event, from 0 */
	size_t		next;			/* index of the next event */
	size_t		bit;			/* where it begins in the stream */
	int64_t		at;				/* time of the current event */
	uint32_t	code;			/* name of the current event */
	uint32_t	bits;			/* of an event in each class, a byte for each */
	uint32_t	class_mask;
	uint64_t	code_mask;
	const uint8_t *stream;
	size_t		easy;			/* events that begin before this bit have eight bytes to load */
} crm_timeline_cursor;

static inline void
crm_timeline_begin(const crm_timeline *timeline, crm_timeline_cursor *cursor)
{
	cursor->timeline = timeline;
	cursor->index = 0;
	cursor->next = 0;
	cursor->bit = 0;
	cursor->at = timeline->first;
	cursor->code = 0;
	cursor->bits = 0;
	for (unsigned i = 0; i < 4; i++)
		cursor->bits |= (uint32_t) (timeline->class_bits + timeline->code_bits + timeline->width[i]) << 8 * i;
	cursor->class_mask = (1u << timeline->class_bits) - 1;
	cursor->code_mask = (UINT64_C(1) << timeline->code_bits) - 1;
	cursor->stream = timeline->bytes + timeline->events_at;
	cursor->easy = timeline->events_size < 8 ? 0 : (timeline->events_size - 7) * 8;
}

/* Bits from a stream; none beyond its end is touched (they read as 0). */
static inline uint64_t
crm_bits_at(const uint8_t *stream, size_t size, size_t bit, unsigned count)
{
	size_t		byte = bit >> 3;
	unsigned	shift = bit & 7;
	uint64_t	low;

	if (count == 0)
		return 0;
	if (byte + 9 <= size)
	{
		low = crm_load64(stream + byte) >> shift;
		if (shift + count > 64)
			low |= (uint64_t) stream[byte + 8] << (64 - shift);
	}
	else if (byte < size && size >= 8)
		low = crm_load64(stream + size - 8) >> (byte + 8 - size) * 8 >> shift;
	else
	{
		low = 0;
		for (size_t i = byte; i < size; i++)
			low |= (uint64_t) stream[i] << (i - byte) * 8;
		low >>= shift;
	}
	return count == 64 ? low : low & ((UINT64_C(1) << count) - 1);
}

/* The gap of the event that begins at a bit, wherever that is; sets the name's code and the bits that the event takes. */
extern uint64_t crm_timeline_far_gap(const crm_timeline *timeline, size_t bit, uint32_t *code, size_t *bits);

/*
 * The next event; false behind the last.  Inlined by force: a loop whose
 * cursor stays in registers takes a third of the time.  What an event waits
 * for is the length of the one before it, so the way from one length to the
 * next is a load, a few shifts and an addition.
 */
static inline __attribute__((always_inline)) bool
crm_timeline_next(crm_timeline_cursor *cursor)
{
	const crm_timeline *t = cursor->timeline;
	uint32_t	code;

	if (cursor->next >= t->count)
		return false;
	cursor->index = cursor->next++;
	if (cursor->index == 0)
	{
		code = (uint32_t) crm_bits_at(cursor->stream, t->events_size, 0, t->code_bits);
		cursor->bit = t->code_bits;
	}
	else
	{
		unsigned	class_bits = t->class_bits;
		size_t		bit = cursor->bit;

		if (bit < cursor->easy)
		{
			/* The usual case: one load holds all of the event. */
			uint64_t	word = crm_load64(cursor->stream + (bit >> 3)) >> (bit & 7);
			unsigned	bits = cursor->bits >> 8 * (word & cursor->class_mask) & 0xFF;

			if (bits <= 64 - 7)
			{
				cursor->bit = bit + bits;
				word &= (UINT64_C(1) << bits) - 1;
				code = (uint32_t) (word >> class_bits & cursor->code_mask);
				cursor->at = (int64_t) ((uint64_t) cursor->at + (word >> (class_bits + t->code_bits)) * t->unit);
				goto found;
			}
		}
		{
			uint32_t	far_code;
			size_t		far_bits;
			uint64_t	gap = crm_timeline_far_gap(t, bit, &far_code, &far_bits);

			code = far_code;
			cursor->bit = bit + far_bits;
			cursor->at = (int64_t) ((uint64_t) cursor->at + gap * t->unit);
		}
	}
found:
	cursor->code = code < t->names ? code : 0;	/* else damaged */
	return true;
}

/* ---- values and attributes, by an event's index -------------------------- */

/*
 * Values are read through a reader, which knows how they are packed.  Reading
 * in ascending order of index is fast; so is jumping where no value is absent.
 */
typedef struct crm_timeline_values
{
	const crm_timeline *timeline;
	bool		any;			/* false: no event has a value */
	const uint8_t *present;		/* bitmap, or NULL: all have one */
	size_t		seen;			/* events before this index ... */
	size_t		rank;			/* ... hold so many values */
	int			scale;			/* -1: float8 as it is; else whole number / 10^scale */
	unsigned	width;
	int64_t		base;
	const uint8_t *packed;
	size_t		packed_size;
} crm_timeline_values;

extern void crm_timeline_values_begin(const crm_timeline *timeline, crm_timeline_values *values);
/* False when the event has no value. */
extern bool crm_timeline_value(crm_timeline_values *values, size_t index, double *value);

/* One attribute of all events: a dictionary, and a code for each event (0: absent; i: its value i - 1). */
typedef struct crm_timeline_channel
{
	const crm_timeline *timeline;
	crm_text	name;
	uint32_t	values;
	size_t		values_at;		/* the dictionary */
	unsigned	bits;
	const uint8_t *codes;
	size_t		codes_size;
} crm_timeline_channel;

/* All channels, in order of their names; room for timeline->channels. */
extern void crm_timeline_channels(const crm_timeline *timeline, crm_timeline_channel *channels);
/* The dictionary of a channel in its order; room for channel->values. */
extern void crm_timeline_channel_values(const crm_timeline_channel *channel, crm_attribute_value *values);

static inline uint32_t
crm_timeline_channel_code(const crm_timeline_channel *channel, size_t index)
{
	uint32_t	code = (uint32_t) crm_bits_at(channel->codes, channel->codes_size, index * channel->bits, channel->bits);

	return code > channel->values ? 0 : code;
}

#endif							/* CRM_KERNEL_TIMELINE_H */
