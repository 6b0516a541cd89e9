/*
 * timeline_private.h - what the readers and the writer of timelines share:
 * the numbers of the format in doc/formats.md.
 */
#ifndef CRM_KERNEL_TIMELINE_PRIVATE_H
#define CRM_KERNEL_TIMELINE_PRIVATE_H

#include "kernel/timeline.h"
#include "kernel/timeline_names.h"

#define CRM_TIMELINE_UNITS 6
#define CRM_TIMELINE_MAX_WIDTHS 4
#define CRM_TIMELINE_MAX_DECIMALS 15
#define CRM_TIMELINE_FLOATS 127		/* in place of the number of decimals */
#define CRM_TIMELINE_ABSENT 0x80	/* with it: some event has no value */
#define CRM_TIMELINE_MAX_WHOLE (INT64_C(1) << 53)
#define CRM_TIMELINE_WHOLE_BITS 54
#define CRM_NAME_KNOWN 0x80			/* a name's first byte: the number of a known one */
#define CRM_NAME_LONG 127			/* or: its length follows */
#define CRM_VARINT_MAX 10			/* bytes */

/* Microseconds. */
static const uint64_t crm_timeline_unit[CRM_TIMELINE_UNITS] = {
	1, 1000, 1000000, UINT64_C(60000000), UINT64_C(3600000000), UINT64_C(86400000000)
};

static const double crm_timeline_power[CRM_TIMELINE_MAX_DECIMALS + 1] = {
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15
};

/* Bits that a number needs; none for 0. */
static inline unsigned
crm_bit_length(uint64_t v)
{
	return v == 0 ? 0 : 64 - (unsigned) __builtin_clzll(v);
}

static inline uint64_t
crm_zigzag(int64_t v)
{
	return ((uint64_t) v << 1) ^ (v < 0 ? UINT64_MAX : 0);
}

static inline int64_t
crm_unzigzag(uint64_t v)
{
	return (int64_t) ((v >> 1) ^ (0 - (v & 1)));
}

/* Class bits that choose among so many widths. */
static inline unsigned
crm_timeline_class_bits(unsigned widths)
{
	return widths > 2 ? 2 : widths - 1;
}

/* Reads a LEB128 number and moves *at behind it; false when it does not end before `end`, or in 64 bits. */
static inline bool
crm_read_varint(const uint8_t *bytes, size_t end, size_t *at, uint64_t *value)
{
	uint64_t	v = 0;

	if (*at < end && bytes[*at] < 0x80)
	{
		*value = bytes[(*at)++];
		return true;
	}
	for (unsigned shift = 0; shift < 64 && *at < end; shift += 7)
	{
		uint8_t		byte = bytes[(*at)++];

		v |= (uint64_t) (byte & 0x7F) << shift;
		if (byte < 0x80)
		{
			*value = v;
			return shift < 63 || byte <= 1;
		}
	}
	return false;
}

/* Reads a length and the bytes that it counts. */
static inline bool
crm_read_text(const uint8_t *bytes, size_t end, size_t *at, crm_text *text)
{
	uint64_t	size;

	if (!crm_read_varint(bytes, end, at, &size) || size > end - *at)
		return false;
	text->data = (const char *) bytes + *at;
	text->size = size;
	*at += size;
	return true;
}

/* Reads the name of an event. */
static inline bool
crm_read_name(const uint8_t *bytes, size_t end, size_t *at, crm_text *name)
{
	uint8_t		byte;

	if (*at >= end)
		return false;
	byte = bytes[*at];
	if (byte & CRM_NAME_KNOWN)
	{
		*name = crm_timeline_known_names[byte & ~CRM_NAME_KNOWN];
		(*at)++;
		return true;
	}
	if (byte == CRM_NAME_LONG)
		(*at)++;
	return crm_read_text(bytes, end, at, name) && name->size <= CRM_TIMELINE_MAX_NAME;
}

/* Reads a value of a channel's dictionary. */
static inline bool
crm_read_attribute(const uint8_t *bytes, size_t end, size_t *at, crm_attribute_value *value)
{
	value->text.data = NULL;
	value->text.size = 0;
	if (*at >= end || bytes[*at] > CRM_ATTRIBUTE_TEXT)
		return false;
	value->kind = (crm_attribute_kind) bytes[(*at)++];
	return value->kind < CRM_ATTRIBUTE_NUMBER || crm_read_text(bytes, end, at, &value->text);
}

#endif							/* CRM_KERNEL_TIMELINE_PRIVATE_H */
