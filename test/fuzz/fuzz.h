/*
 * fuzz.h - what several fuzz targets need: a check that holds in every build,
 * numbers taken from the input one by one, and the use of a model that was fitted.
 */
#ifndef CRM_FUZZ_H
#define CRM_FUZZ_H

#include "unit.h"

#include <math.h>

#include "kernel/model.h"

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

/*
 * A model that a trainer made, through its bytes, as a value goes; false where the
 * numbers are not a model, which the bindings say to whoever trains.
 */
static inline bool
fuzz_reread(const crm_model *m, const crm_env *env, crm_model *again)
{
	char		room[CRM_MODEL_PROBLEM];
	const char *problem;
	uint8_t    *bytes;
	size_t		size;

	if (crm_model_check(m, env, room, &problem) != CRM_OK)
		return false;
	size = crm_model_size(m);
	bytes = env->alloc(env->arg, size);
	crm_model_write(m, bytes);
	REQUIRE(crm_model_read(again, env, bytes, size, room, &problem) == CRM_OK);
	return true;
}

#endif							/* CRM_FUZZ_H */
