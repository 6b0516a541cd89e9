/*
 * fuzz.h - what several fuzz targets need: a check that holds in every build,
 * and numbers taken from the input one by one.
 */
#ifndef CRM_FUZZ_H
#define CRM_FUZZ_H

#include "unit.h"

#include <math.h>

#define REQUIRE(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct fuzz_input
{
	const uint8_t *data;
	size_t		left;
} fuzz_input;

/* The next so many bytes as a number; zeros behind the end. */
static inline uint64_t
fuzz_take(fuzz_input *in, unsigned bytes)
{
	uint64_t	value = 0;

	for (unsigned i = 0; i < bytes && in->left > 0; i++, in->left--)
		value |= (uint64_t) *in->data++ << 8 * i;
	return value;
}

/*
 * The next number.  A byte chooses: most are small and whole, so that ties and
 * equal rows turn up; some are any float8 at all.
 */
static inline double
fuzz_number(fuzz_input *in)
{
	uint8_t		first = (uint8_t) fuzz_take(in, 1);
	uint64_t	bits;
	double		value;

	if (first < 128)
		return first - 64;
	if (first < 192)
		return (first - 160) / 7.0;
	if (first < 250)
		return ldexp((int8_t) fuzz_take(in, 1), ((int) first - 220) * 34);
	if (first < 252)
		return NAN;
	bits = fuzz_take(in, 8);
	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* The next number that is finite; 0 in place of one that is not. */
static inline double
fuzz_finite(fuzz_input *in)
{
	double		value = fuzz_number(in);

	return isfinite(value) ? value : 0;
}

#endif							/* CRM_FUZZ_H */
