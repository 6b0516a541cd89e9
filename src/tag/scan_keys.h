/*
 * scan_keys.h - keys of numeric values, made from their bytes.
 *
 * PostgreSQL does not publish the layout of numeric, but it is a stored format
 * that cannot change without a dump: a 16-bit header, whose two upper bits say
 * whether it is short (sign, scale and weight in it), long (sign and scale in
 * it, a 16-bit weight behind) or special; then digits to base 10,000, the first
 * worth 10,000^weight.
 */
#ifndef CRM_SCAN_KEYS_H
#define CRM_SCAN_KEYS_H

#include "common/crm.h"

#define CRM_NUMERIC_BASE 10000

#define CRM_NUMERIC_FORM 0xC000
#define CRM_NUMERIC_NEGATIVE_FORM 0x4000	/* 0x0000: positive and long */
#define CRM_NUMERIC_SHORT_FORM 0x8000
#define CRM_NUMERIC_SPECIAL_FORM 0xC000
#define CRM_NUMERIC_SPECIAL_MASK 0xF000
#define CRM_NUMERIC_NAN 0xC000
#define CRM_NUMERIC_PLUS_INFINITY 0xD000
#define CRM_NUMERIC_SHORT_SIGN 0x2000
#define CRM_NUMERIC_SHORT_WEIGHT_SIGN 0x0040
#define CRM_NUMERIC_SHORT_WEIGHT 0x003F

/* |floor(v * 10,000^fraction)| below this has a key of its own; beyond it all numbers of one sign share one. */
#define CRM_NUMERIC_KEY_LIMIT (INT64CONST(1) << 61)

#define CRM_NUMERIC_KEY_NAN PG_INT64_MAX
#define CRM_NUMERIC_KEY_PLUS_INFINITY (PG_INT64_MAX - 1)
#define CRM_NUMERIC_KEY_LARGE (PG_INT64_MAX - 2)
#define CRM_NUMERIC_KEY_SMALL (PG_INT64_MIN + 1)
#define CRM_NUMERIC_KEY_MINUS_INFINITY PG_INT64_MIN

/*
 * 2 * floor(v * 10,000^fraction) + (are there more decimals): odd keys lie
 * strictly between the numbers that have no more decimals than that.
 */
static inline int64
crm_numeric_key(Datum datum, int fraction)
{
	struct varlena *value = (struct varlena *) DatumGetPointer(datum);
	const char *at;
	int			digits;
	uint16		header;
	bool		negative;
	int			weight;
	int			whole;
	uint64		sum = 0;
	uint64		more = 0;

	if (unlikely(VARATT_IS_EXTERNAL(value) || VARATT_IS_COMPRESSED(value)))
		value = pg_detoast_datum_packed(value);
	at = VARDATA_ANY(value);
	digits = (int) VARSIZE_ANY_EXHDR(value) - (int) sizeof(uint16);
	memcpy(&header, at, sizeof(header));
	at += sizeof(header);

	switch (header & CRM_NUMERIC_FORM)
	{
		case CRM_NUMERIC_SHORT_FORM:
			negative = (header & CRM_NUMERIC_SHORT_SIGN) != 0;
			weight = (int) (header & CRM_NUMERIC_SHORT_WEIGHT) -
				(int) (header & CRM_NUMERIC_SHORT_WEIGHT_SIGN);
			break;
		case CRM_NUMERIC_SPECIAL_FORM:
			header &= CRM_NUMERIC_SPECIAL_MASK;
			return header == CRM_NUMERIC_NAN ? CRM_NUMERIC_KEY_NAN :
				header == CRM_NUMERIC_PLUS_INFINITY ? CRM_NUMERIC_KEY_PLUS_INFINITY :
				CRM_NUMERIC_KEY_MINUS_INFINITY;
		default:
			{
				int16		long_weight;

				memcpy(&long_weight, at, sizeof(long_weight));
				at += sizeof(long_weight);
				digits -= sizeof(long_weight);
				negative = (header & CRM_NUMERIC_FORM) == CRM_NUMERIC_NEGATIVE_FORM;
				weight = long_weight;
				break;
			}
	}
	digits /= (int) sizeof(int16);
	if (digits <= 0)
		return 0;

	/* Digits that stand before the cut, of which the last ones may be unwritten zeros. */
	whole = weight + 1 + fraction;
	if (whole > 5)
		return negative ? CRM_NUMERIC_KEY_SMALL : CRM_NUMERIC_KEY_LARGE;
	for (int i = 0; i < whole; i++)
	{
		uint16		digit = 0;

		if (i < digits)
			memcpy(&digit, at + i * sizeof(digit), sizeof(digit));
		if (unlikely(sum > CRM_NUMERIC_KEY_LIMIT / CRM_NUMERIC_BASE))
			return negative ? CRM_NUMERIC_KEY_SMALL : CRM_NUMERIC_KEY_LARGE;
		sum = sum * CRM_NUMERIC_BASE + digit;
	}
	for (int i = Max(whole, 0); i < digits; i++)
	{
		uint16		digit;

		memcpy(&digit, at + i * sizeof(digit), sizeof(digit));
		more |= digit;
	}
	if (unlikely(sum >= CRM_NUMERIC_KEY_LIMIT))
		return negative ? CRM_NUMERIC_KEY_SMALL : CRM_NUMERIC_KEY_LARGE;
	/* -(sum + a part) is rounded down to -(sum + 1), whose key is -2 * sum - 2, and has more. */
	if (negative)
		return -2 * (int64) sum - (more != 0);
	return 2 * (int64) sum + (more != 0);
}

#endif							/* CRM_SCAN_KEYS_H */
