/*
 * bsi.c - the value crm.bsi: fetching, making, numbers in and out.
 */
#include "audience/bsi.h"

#include "access/detoast.h"
#include "common/bridge.h"
#include "common/decimal.h"

/* ---- errors ------------------------------------------------------------------- */

void
crm_bsi_out_of_range(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("number out of range for type %s", CRM_BSI_TYPE),
			 errdetail("With as many digits behind the point as the number that shows most, at most %d, each number and each "
					   "customer's sum may have 38 digits in all.", CRM_BSI_SCALE),
			 errhint("Round the numbers, for example round(value, 2).")));
}

void
crm_bsi_check(crm_status status)
{
	if (unlikely(status == CRM_OUT_OF_RANGE))
		crm_bsi_out_of_range();
	crm_check(status, CRM_BSI_TYPE, false);
}

/* ---- fetching ------------------------------------------------------------------ */

crm_bsi_datum *
crm_bsi_detoast(Datum value)
{
	crm_bsi_datum *datum = (crm_bsi_datum *) PG_DETOAST_DATUM(value);

	if (unlikely(VARSIZE(datum) < CRM_BSI_HEADER || datum->version != CRM_BSI_VERSION ||
				 ((datum->flags & CRM_BSI_PENDING) &&
				  datum->cardinality > (VARSIZE(datum) - CRM_BSI_HEADER) / sizeof(crm_bsi_pair))))
		crm_check(CRM_CORRUPT, CRM_BSI_TYPE, false);
	return datum;
}

/* An aggregate's list of pairs as the value it stands for. */
static crm_bsi_datum *
settle(const crm_bsi_datum *pending)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	size_t		count = pending->cardinality;
	crm_bsi_pair *pairs = palloc((2 * count + 1) * sizeof(crm_bsi_pair));
	crm_bsi_image image;
	crm_bsi_datum *result;

	memcpy(pairs, pending->data, count * sizeof(crm_bsi_pair));
	crm_bsi_check(crm_bsi_pairs_settle(&env, pairs, pairs + count, &count));
	crm_bsi_check(crm_bsi_build(&env, pairs, count, pending->scale, &image));
	result = crm_bsi_finish(&image);
	crm_bsi_image_free(&env, &image);
	pfree(pairs);
	return result;
}

void
crm_bsi_fetch(Datum value, crm_bsi_open_value *open)
{
	open->datum = crm_bsi_detoast(value);
	if (open->datum->flags & CRM_BSI_PENDING)
		open->datum = settle(open->datum);
	crm_check(crm_bsi_open(open->datum->data, VARSIZE(open->datum) - CRM_BSI_HEADER, open->datum->slices,
						   open->datum->scale, &open->bsi), CRM_BSI_TYPE, false);
}

/* fn_extra of the functions that take a value, and maybe an audience. */
typedef struct call_site
{
	struct varatt_external pointer; /* of the stored value that is kept */
	crm_bsi_open_value kept;
	crm_bsi_open_value passing;	/* what is not stored */
	FmgrInfo	audience;		/* with a call site of its own for the audience */
} call_site;

static call_site *
call_site_of(FunctionCallInfo fcinfo)
{
	FmgrInfo   *flinfo = fcinfo->flinfo;

	if (flinfo->fn_extra == NULL)
	{
		call_site  *site = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(call_site));

		site->audience = *flinfo;
		site->audience.fn_extra = NULL;
		flinfo->fn_extra = site;
	}
	return (call_site *) flinfo->fn_extra;
}

const crm_bsi_open_value *
crm_bsi_argument(FunctionCallInfo fcinfo)
{
	call_site  *site = call_site_of(fcinfo);
	Datum		value = PG_GETARG_DATUM(0);
	struct varatt_external pointer;
	MemoryContext before;

	if (!VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(value)))
	{
		crm_bsi_fetch(value, &site->passing);
		return &site->passing;
	}
	VARATT_EXTERNAL_GET_POINTER(pointer, DatumGetPointer(value));
	if (site->kept.datum && memcmp(&site->pointer, &pointer, sizeof(pointer)) == 0)
		return &site->kept;
	if (site->kept.datum)
		pfree(site->kept.datum);
	site->kept.datum = NULL;
	before = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	crm_bsi_fetch(value, &site->kept);
	MemoryContextSwitchTo(before);
	site->pointer = pointer;
	return &site->kept;
}

crm_audience *
crm_bsi_audience_argument(FunctionCallInfo fcinfo, int argument)
{
	if (PG_NARGS() <= argument)
		return NULL;
	return crm_audience_fetch(PG_GETARG_DATUM(argument), &call_site_of(fcinfo)->audience, argument);
}

/* ---- making ---------------------------------------------------------------------- */

Size
crm_bsi_flat_size(const crm_bsi_image *image)
{
	Size		size = CRM_BSI_HEADER + crm_bsi_image_size(image);

	crm_check_size(size, CRM_BSI_TYPE);
	return size;
}

void
crm_bsi_write(const crm_bsi_image *image, crm_bsi_datum *out)
{
	memset(out, 0, CRM_BSI_HEADER);
	SET_VARSIZE(out, crm_bsi_flat_size(image));
	out->version = CRM_BSI_VERSION;
	out->slices = image->slices;
	out->scale = image->scale;
	out->cardinality = image->cardinality;
	crm_bsi_image_write(image, out->data);
}

crm_bsi_datum *
crm_bsi_finish(const crm_bsi_image *image)
{
	crm_bsi_datum *result = palloc(crm_bsi_flat_size(image));

	crm_bsi_write(image, result);
	return result;
}

crm_bsi_datum *
crm_bsi_empty(void)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_bsi_image image;

	crm_bsi_check(crm_bsi_build(&env, NULL, 0, 0, &image));
	return crm_bsi_finish(&image);
}

void *
crm_bsi_of_sets(const crm_bsi *bsi)
{
	crm_bsi_image image = {.slices = bsi->slices,.scale = bsi->scale,.cardinality = crm_ids_count(bsi->present)};
	crm_bsi_datum *result;

	for (uint32 i = 0; i <= bsi->slices; i++)
	{
		const crm_ids *set = i == 0 ? &bsi->present : &bsi->slice[i - 1];

		crm_check_size(set->size, CRM_BSI_TYPE);
		image.sizes[i] = (uint32) set->size;
		image.size += set->size;
	}
	crm_check_size(CRM_BSI_HEADER + crm_bsi_image_size(&image), CRM_BSI_TYPE);
	image.data = palloc(image.size);
	for (uint32 i = 0, at = 0; i <= bsi->slices; at += image.sizes[i++])
		memcpy(image.data + at, i == 0 ? bsi->present.data : bsi->slice[i - 1].data, image.sizes[i]);
	result = crm_bsi_finish(&image);
	pfree(image.data);
	return result;
}

/* ---- numbers ----------------------------------------------------------------------- */

static Numeric
text_to_numeric(char *text)
{
	return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

Numeric
crm_bsi_to_numeric(crm_int128 value, uint32 scale)
{
	char		text[CRM_BSI_TEXT];

	if (value == (int64) value && scale > 0)
		return int64_div_fast_to_numeric((int64) value, scale);
	if (value == (int64) value)
		return int64_to_numeric((int64) value);
	crm_bsi_print(value, scale, text);
	return text_to_numeric(text);
}

Numeric
crm_bsi_total_to_numeric(const crm_bsi_total *total, uint32 scale)
{
	char		text[CRM_BSI_TEXT];

	crm_bsi_print_total(total, scale, text);
	return text_to_numeric(text);
}

crm_int128
crm_bsi_from_numeric(Datum value, uint32 *scale)
{
	crm_int128	result = 0;
	int			digits = 0;

	switch (crm_numeric_to_integer(value, &result, &digits))
	{
		case CRM_DECIMAL_EXACT:
			if (digits <= CRM_BSI_SCALE)
				break;
			crm_bsi_out_of_range();
		case CRM_DECIMAL_WIDE:
			crm_bsi_out_of_range();
		case CRM_DECIMAL_SPECIAL:
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("number \"%s\" is out of range for type %s",
							DatumGetCString(DirectFunctionCall1(numeric_out, value)), CRM_BSI_TYPE),
					 errdetail("Numbers must be finite."),
					 errhint("Leave such rows out with FILTER, or turn them into NULL.")));
	}
	*scale = (uint32) digits;
	return result;
}
