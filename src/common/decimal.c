/*
 * decimal.c - numeric to float8 without the way through text.
 */
#include "common/decimal.h"

/*
 * A numeric's header is 16 bits, of which the highest two tell the form: 10
 * the short form, 11 NaN or infinity, else the long form.  Digits to the base
 * 10,000 follow; the first one counts 10,000 to the power of the weight.
 */
#define FORM_MASK 0xC000
#define FORM_SHORT 0x8000
#define FORM_SPECIAL 0xC000
#define LONG_NEGATIVE 0x4000
#define SHORT_NEGATIVE 0x2000
#define SHORT_WEIGHT_NEGATIVE 0x0040
#define SHORT_WEIGHT_MASK 0x003F

#define BASE 10000
#define MAX_DIGITS 5			/* 20 decimal digits at most: no overflow of 64 bits */
#define EXACT (UINT64CONST(1) << 53)

static float8
by_cast(Datum value)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8, value));
}

float8
crm_numeric_to_float8(Datum value)
{
	/* Powers of the base that a float8 holds exactly; 10^22 is the last exact power of ten. */
	static const float8 powers[] = {1e0, 1e4, 1e8, 1e12, 1e16, 1e20};
	struct varlena *packed = PG_DETOAST_DATUM_PACKED(value);
	const char *data = VARDATA_ANY(packed);
	int			size = VARSIZE_ANY_EXHDR(packed);
	uint16		header;
	int16		weight;
	bool		negative;
	int			digits;
	int			scale;
	uint64		mantissa = 0;
	float8		result;

	memcpy(&header, data, sizeof(header));
	data += sizeof(header);
	size -= sizeof(header);
	if ((header & FORM_MASK) == FORM_SPECIAL)
		return by_cast(value);
	if ((header & FORM_MASK) == FORM_SHORT)
	{
		negative = (header & SHORT_NEGATIVE) != 0;
		weight = header & SHORT_WEIGHT_MASK;
		if (header & SHORT_WEIGHT_NEGATIVE)
			weight |= ~SHORT_WEIGHT_MASK;
	}
	else
	{
		negative = (header & FORM_MASK) == LONG_NEGATIVE;
		memcpy(&weight, data, sizeof(weight));
		data += sizeof(weight);
		size -= sizeof(weight);
	}
	digits = size / (int) sizeof(int16);
	/* Digits of the base behind the point; negative: zeros before it. */
	scale = digits - 1 - weight;
	if (digits > MAX_DIGITS || scale >= (int) lengthof(powers) || scale <= -(int) lengthof(powers))
		return by_cast(value);

	for (int i = 0; i < digits; i++)
	{
		int16		digit;

		memcpy(&digit, data + i * sizeof(digit), sizeof(digit));
		if (mantissa > (PG_UINT64_MAX - (uint64) digit) / BASE)
			return by_cast(value);
		mantissa = mantissa * BASE + (uint64) digit;
	}
	if (mantissa > EXACT)
		return by_cast(value);
	/* One operation on two exact numbers rounds once. */
	result = scale > 0 ? (float8) mantissa / powers[scale] : (float8) mantissa * powers[-scale];
	return negative && mantissa != 0 ? -result : result;
}
