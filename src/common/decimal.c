/*
 * decimal.c - numeric to float8, or to an integer and a scale, without the way
 * through text.
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
#define SHORT_SCALE_MASK 0x1F80
#define SHORT_SCALE_SHIFT 7
#define LONG_SCALE_MASK 0x3FFF

#define BASE 10000
#define MAX_DIGITS 5			/* 20 decimal digits at most: no overflow of 64 bits */
#define EXACT (UINT64CONST(1) << 53)

/* The parts of a numeric. */
typedef struct decimal
{
	bool		special;		/* NaN or infinite, without the rest */
	bool		negative;
	int			weight;
	int			scale;			/* digits shown behind the point */
	int			digits;			/* to the base */
	const char *data;
} decimal;

static inline decimal
open_numeric(Datum value)
{
	struct varlena *packed = PG_DETOAST_DATUM_PACKED(value);
	const char *data = VARDATA_ANY(packed);
	int			size = VARSIZE_ANY_EXHDR(packed);
	uint16		header;
	decimal		d = {0};

	memcpy(&header, data, sizeof(header));
	data += sizeof(header);
	size -= sizeof(header);
	if ((header & FORM_MASK) == FORM_SPECIAL)
	{
		d.special = true;
		return d;
	}
	if ((header & FORM_MASK) == FORM_SHORT)
	{
		d.negative = (header & SHORT_NEGATIVE) != 0;
		d.scale = (header & SHORT_SCALE_MASK) >> SHORT_SCALE_SHIFT;
		d.weight = header & SHORT_WEIGHT_MASK;
		if (header & SHORT_WEIGHT_NEGATIVE)
			d.weight |= ~SHORT_WEIGHT_MASK;
	}
	else
	{
		int16		weight;

		d.negative = (header & FORM_MASK) == LONG_NEGATIVE;
		d.scale = header & LONG_SCALE_MASK;
		memcpy(&weight, data, sizeof(weight));
		d.weight = weight;
		data += sizeof(weight);
		size -= sizeof(weight);
	}
	d.digits = size / (int) sizeof(int16);
	d.data = data;
	return d;
}

static inline int
digit_at(const decimal *d, int i)
{
	int16		digit;

	memcpy(&digit, d->data + i * sizeof(digit), sizeof(digit));
	return digit;
}

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
	decimal		d = open_numeric(value);
	int			scale;
	uint64		mantissa = 0;
	float8		result;

	if (d.special)
		return by_cast(value);
	/* Digits of the base behind the point; negative: zeros before it. */
	scale = d.digits - 1 - d.weight;
	if (d.digits > MAX_DIGITS || scale >= (int) lengthof(powers) || scale <= -(int) lengthof(powers))
		return by_cast(value);

	for (int i = 0; i < d.digits; i++)
	{
		uint64		digit = (uint64) digit_at(&d, i);

		if (mantissa > (PG_UINT64_MAX - digit) / BASE)
			return by_cast(value);
		mantissa = mantissa * BASE + digit;
	}
	if (mantissa > EXACT)
		return by_cast(value);
	/* One operation on two exact numbers rounds once. */
	result = scale > 0 ? (float8) mantissa / powers[scale] : (float8) mantissa * powers[-scale];
	return d.negative && mantissa != 0 ? -result : result;
}

crm_decimal_kind
crm_numeric_to_integer(Datum value, __int128 *integer, int *scale)
{
	static const int powers[] = {1, 10, 100, 1000};
	decimal		d = open_numeric(value);
	int			missing;
	__int128	sum = 0;

	if (d.special)
		return CRM_DECIMAL_SPECIAL;
	*scale = d.scale;
	/* Decimal digits that the base's digits leave to the scale; negative: so many zeros too many at the end. */
	missing = d.scale - 4 * (d.digits - 1 - d.weight);

	/* Summed up below zero, where there is one number more. */
	for (int i = 0; i < d.digits; i++)
	{
		int			digit = digit_at(&d, i);
		int			base = BASE;

		if (i == d.digits - 1 && missing < 0)
		{
			/* A numeric ends with a digit other than 0, so at most three of its four places are too many. */
			if (missing < -3)
				return CRM_DECIMAL_WIDE;
			digit /= powers[-missing];
			base /= powers[-missing];
			missing = 0;
		}
		if (__builtin_mul_overflow(sum, (__int128) base, &sum) || __builtin_sub_overflow(sum, (__int128) digit, &sum))
			return CRM_DECIMAL_WIDE;
	}
	for (; missing > 0 && sum != 0; missing--)
	{
		if (__builtin_mul_overflow(sum, (__int128) 10, &sum))
			return CRM_DECIMAL_WIDE;
	}
	if (!d.negative && __builtin_sub_overflow((__int128) 0, sum, &sum))
		return CRM_DECIMAL_WIDE;
	*integer = sum;
	return CRM_DECIMAL_EXACT;
}
