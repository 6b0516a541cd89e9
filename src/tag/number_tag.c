/*
 * number_tag.c - the numbers of numeric tags, see number_tag.h.
 *
 * They are stored as sets of customers, one for each bit.  Slices hold the
 * complement of negative numbers, so that crm.bsi's two's complement is the
 * exclusive or of each with the sign: a few dozen operations on whole sets.
 */
#include "common/crm.h"

#include "common/bridge.h"
#include "common/decimal.h"
#include "tag/number_tag.h"
#include "tag/readers.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

/* ---- from a rule ------------------------------------------------------------------- */

/* Zeros at the end say nothing, and would cost three slices and more each. */
static void
without_zeros(crm_int128 *value, int *scale)
{
	while (*scale > 0 && *value != (int64) *value && *value % 10 == 0)
	{
		*value /= 10;
		(*scale)--;
	}
	if (*value == (int64) *value)
	{
		int64		small = (int64) *value;

		for (; *scale > 0 && small % 10 == 0; (*scale)--)
			small /= 10;
		*value = small;
	}
}

crm_number_fault
crm_number_take(Datum numeric, crm_tag_number *number)
{
	crm_int128	value;
	int			scale;
	crm_decimal_kind kind = crm_numeric_to_integer(numeric, &value, &scale);

	/* so many digits that only those written in vain can be too many */
	if (kind == CRM_DECIMAL_WIDE)
		kind = crm_numeric_to_integer(DirectFunctionCall1(numeric_trim_scale, numeric), &value, &scale);
	if (kind == CRM_DECIMAL_SPECIAL)
		return CRM_NUMBER_SPECIAL;
	if (kind == CRM_DECIMAL_WIDE)
		return CRM_NUMBER_WIDE;
	without_zeros(&value, &scale);
	if (scale > CRM_TAG_SCALE)
		return CRM_NUMBER_WIDE;
	number->low = (uint64) value;
	number->high = (int64) (value >> 64);
	number->scale = (uint8) scale;
	number->present = true;
	return CRM_NUMBER_FINE;
}

int
crm_number_detail(crm_number_fault fault)
{
	return fault == CRM_NUMBER_SPECIAL ?
		errdetail("Numbers of a tag must be finite.") :
		errdetail("With as many digits behind the point as the number that has most, at most %d, each number of a tag "
				  "may have 38 digits in all.", CRM_TAG_SCALE);
}

/* crm.rule_number(number) */
CRM_FUNCTION(crm_rule_number);
Datum
crm_rule_number(PG_FUNCTION_ARGS)
{
	crm_tag_number number;
	crm_number_fault fault = crm_number_take(PG_GETARG_DATUM(0), &number);

	if (fault != CRM_NUMBER_FINE)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("number \"%s\" cannot be kept in a tag",
						DatumGetCString(DirectFunctionCall1(numeric_out, PG_GETARG_DATUM(0)))),
				 crm_number_detail(fault),
				 errhint("Let the rule give NULL there, or round(..., 2).")));
	PG_RETURN_DATUM(DirectFunctionCall1(numeric_trim_scale, PG_GETARG_DATUM(0)));
}

/* ---- in words ------------------------------------------------------------------------- */

char *
crm_number_text(crm_int128 value, int scale)
{
	char	   *text = palloc(CRM_BSI_TEXT);

	without_zeros(&value, &scale);
	crm_bsi_print(value, (uint32) scale, text);
	return text;
}

/* ---- from the stored slices ------------------------------------------------------------ */

crm_bsi *
crm_numbers_assemble(crm_slice_reader read, void *arg, int slices, int scale, const crm_env *env)
{
	crm_bsi    *bsi = palloc0(sizeof(crm_bsi));
	crm_ids		sign;

	bsi->present = read(arg, CRM_SLICE_PRESENT);
	sign = read(arg, CRM_SLICE_SIGN);
	/* in some of the scopes alone, the highest bits may be nobody's */
	for (int slice = slices - 1; slice >= CRM_SLICE_FIRST_BIT; slice--)
	{
		crm_ids    *bits = &bsi->slice[slice - CRM_SLICE_FIRST_BIT];

		CHECK_FOR_INTERRUPTS();
		*bits = read(arg, slice);
		if (bsi->slices == 0 && crm_ids_count(*bits) == 0)
			continue;
		if (bsi->slices == 0)
			bsi->slices = (uint32) (slice - CRM_SLICE_FIRST_BIT + 1);
		if (crm_ids_count(sign) > 0)
		{
			crm_ids		stored = *bits;
			crm_ids_builder *builder;

			crm_check(crm_ids_builder_new(env, &builder), CRM_AUDIENCE_NAME, false);
			crm_check(crm_ids_combine(env, CRM_XOR, stored, sign, builder), CRM_AUDIENCE_NAME, false);
			*bits = crm_ids_take(env, builder);
			env->release(env->arg, (void *) stored.data);
		}
	}
	bsi->slice[bsi->slices++] = sign;
	bsi->scale = crm_ids_count(bsi->present) > 0 ? (uint32) scale : 0;
	return bsi;
}

typedef struct stored_slices
{
	const crm_population *population;
	const crm_past *past;
	const crm_tag *tag;
	const crm_scopes *scopes;
	const crm_env *env;
} stored_slices;

static crm_ids
read_slice(void *arg, int slice)
{
	stored_slices *stored = arg;
	crm_ids_builder *builder;

	crm_check(crm_ids_builder_new(stored->env, &builder), CRM_AUDIENCE_NAME, false);
	crm_past_read(stored->population, stored->past, stored->tag->id, slice, stored->scopes, builder);
	return crm_ids_take(stored->env, builder);
}

const crm_bsi *
crm_numbers_read(const crm_population *population, const crm_past *past, const crm_tag *tag, const crm_scopes *scopes,
				 const crm_env *env)
{
	stored_slices stored = {population, past, tag, scopes, env};

	return crm_numbers_assemble(read_slice, &stored, tag->number_slices, tag->number_scale, env);
}

/* ---- comparing --------------------------------------------------------------------------- */

/* Digits with a sign, a point and an exponent, as segments write numbers; not NaN, blanks or hexadecimal. */
static bool
is_number(const char *text)
{
	int			digits = 0;

	text += *text == '-' || *text == '+';
	for (; isdigit((unsigned char) *text); text++)
		digits++;
	if (*text == '.')
		for (text++; isdigit((unsigned char) *text); text++)
			digits++;
	if (digits == 0)
		return false;
	if (*text == 'e' || *text == 'E')
	{
		text++;
		text += *text == '-' || *text == '+';
		if (!isdigit((unsigned char) *text))
			return false;
		while (isdigit((unsigned char) *text))
			text++;
	}
	return *text == '\0';
}

void
crm_number_check(const crm_tag *tag, const char *written)
{
	if (!is_number(written))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("\"%s\" is not a number to compare tag \"%s\" with", written, tag->name),
				 errdetail("Its rule gives a number for each customer."),
				 errhint("Write a number: %s >= 1000.", quote_identifier(tag->name))));
}

static Datum
to_numeric(const char *text)
{
	return DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

/* Where a number lies among the multiples of 10^-scale. */
typedef struct place
{
	int			beyond;			/* -1, 1: below, above all that a tag can keep */
	crm_int128	floor;			/* the greatest multiple that is not greater */
	bool		between;		/* it lies above that one */
} place;

static place
locate(Datum number, int scale)
{
	place		result = {0};
	Datum		scaled = DirectFunctionCall2(numeric_mul, number, to_numeric(psprintf("1e%d", scale)));
	Datum		floor = DirectFunctionCall1(numeric_floor, scaled);
	int			ignored;

	result.between = !DatumGetBool(DirectFunctionCall2(numeric_eq, scaled, floor));
	/* the last numbers of 128 bits are left out, so that a step to either side stays among them */
	if (crm_numeric_to_integer(floor, &result.floor, &ignored) != CRM_DECIMAL_EXACT ||
		result.floor >> 125 != (result.floor < 0 ? -1 : 0))
		result.beyond = DatumGetInt32(DirectFunctionCall1(numeric_int4, DirectFunctionCall1(numeric_sign, number)));
	return result;
}

static void
between(const crm_bsi *bsi, const crm_int128 *low, const crm_int128 *high, const crm_env *env, crm_ids_builder *builder)
{
	crm_check(crm_bsi_between(env, bsi, NULL, low, high, builder), CRM_AUDIENCE_NAME, false);
}

crm_ids_builder *
crm_numbers_compare(const crm_bsi *bsi, const crm_tag *tag, crm_segment_test test, const char *written, const crm_env *env)
{
	crm_ids_builder *builder;
	crm_int128	low;
	crm_int128	high;
	bool		everybody = false;
	bool		nobody = false;
	place		at;

	crm_number_check(tag, written);
	at = locate(to_numeric(written), (int) bsi->scale);
	crm_check(crm_ids_builder_new(env, &builder), CRM_AUDIENCE_NAME, false);

	/* customers with multiples from low to high, once a number between two multiples has been moved to one of them */
	low = at.floor + at.between;
	high = at.floor;
	switch (test)
	{
		case CRM_TEST_LESS:
			high = low - 1;
			/* FALLTHROUGH */
		case CRM_TEST_LESS_EQUAL:
			everybody = at.beyond > 0;
			nobody = at.beyond < 0;
			if (!everybody && !nobody)
				between(bsi, NULL, &high, env, builder);
			break;
		case CRM_TEST_GREATER:
			low = high + 1;
			/* FALLTHROUGH */
		case CRM_TEST_GREATER_EQUAL:
			everybody = at.beyond < 0;
			nobody = at.beyond > 0;
			if (!everybody && !nobody)
				between(bsi, &low, NULL, env, builder);
			break;
		case CRM_TEST_DIFFERENT:
			if (at.beyond != 0 || at.between)
				everybody = true;
			else
			{
				crm_ids		equal;

				between(bsi, &low, &high, env, builder);
				equal = crm_ids_take(env, builder);
				crm_check(crm_ids_builder_new(env, &builder), CRM_AUDIENCE_NAME, false);
				crm_check(crm_ids_combine(env, CRM_ANDNOT, bsi->present, equal, builder), CRM_AUDIENCE_NAME, false);
			}
			break;
		case CRM_TEST_EQUAL:
			if (at.beyond == 0 && !at.between)
				between(bsi, &low, &high, env, builder);
			break;
		case CRM_TEST_NONE:
			everybody = true;
			break;
	}
	if (everybody)
		crm_check(crm_ids_builder_set(builder, bsi->present), CRM_AUDIENCE_NAME, false);
	return builder;
}
