/*
 * decimal.h - numeric to float8, or to an integer and a scale, without the way
 * through text.
 *
 * Amounts are numeric in most tables, and PostgreSQL's own cast prints the
 * number and reads it again: 0.24 microseconds for each.  Numbers of up to 15
 * digits, nearly all amounts, are two whole numbers that a float8 holds
 * exactly, divided once: correctly rounded, the same float8 as the cast's
 * (Clinger, "How to Read Floating Point Numbers Accurately", 1990).  All
 * others go through the cast.
 *
 * The layout read here is that of numeric on disk, unchanged since
 * PostgreSQL 9.1 and kept by pg_upgrade.
 */
#ifndef CRM_DECIMAL_H
#define CRM_DECIMAL_H

#include "common/crm.h"

#include "utils/numeric.h"

/* NaN and infinities come out as such. */
extern float8 crm_numeric_to_float8(Datum value);

typedef enum crm_decimal_kind
{
	CRM_DECIMAL_EXACT,
	CRM_DECIMAL_SPECIAL,		/* NaN or infinite */
	CRM_DECIMAL_WIDE			/* more than 128 bits */
} crm_decimal_kind;

/* The number times 10^scale, where scale is the number of digits that it shows behind the point. */
extern crm_decimal_kind crm_numeric_to_integer(Datum value, __int128 *integer, int *scale);

#endif							/* CRM_DECIMAL_H */
