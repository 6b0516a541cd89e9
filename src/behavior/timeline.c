/*
 * timeline.c - what the functions on timelines share: fetching and making a
 * value, what a call site keeps, the arguments that most of them have.
 */
#include "behavior/timeline.h"

#include "common/bridge.h"
#include "mb/pg_wchar.h"
#include "utils/timestamp.h"

/* Dictionaries beyond this size are emptied: they have seen many customers' own words. */
#define WRITER_MEMORY (1024 * 1024)

/* Digits that numeric has at most before and behind the point. */
#define NUMERIC_MAX_WHOLE 131072
#define NUMERIC_MAX_DECIMALS 16383

void
behavior_timeline_open(Datum value, crm_timeline *timeline)
{
	struct varlena *bytes = PG_DETOAST_DATUM_PACKED(value);

	crm_check(crm_timeline_open((const uint8_t *) VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), timeline),
			  CRM_TIMELINE_TYPE, false);
}

Datum
behavior_timeline_datum(const uint8_t *bytes, Size size)
{
	struct varlena *value;

	crm_check_size(size, CRM_TIMELINE_TYPE);
	value = palloc(size);
	memcpy(value, bytes, size);
	SET_VARSIZE(value, size);
	return PointerGetDatum(value);
}

Datum
behavior_timeline_write(crm_timeline_writer *writer, crm_timeline_event *events, size_t count, bool distinct)
{
	uint8_t    *bytes;
	size_t		size;
	crm_status	status = crm_timeline_write(writer, events, count, distinct, VARHDRSZ, &bytes, &size);

	if (status == CRM_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("events exceed a limit of type %s", CRM_TIMELINE_TYPE),
				 errdetail("A timeline of %zu events would have more than %d events, more than %d different attributes, more than %d different names of events, or more than 1 GB.",
						   count, CRM_TIMELINE_MAX_EVENTS, CRM_TIMELINE_MAX_CHANNELS, CRM_TIMELINE_MAX_NAMES),
				 errhint("What differs from event to event belongs into an attribute's value, not into its name.")));
	crm_check(status, CRM_TIMELINE_TYPE, false);
	return behavior_timeline_datum(bytes, size);
}

/* ---- checks --------------------------------------------------------------- */

static bool
is_encoded(crm_text text)
{
	return text.size <= MaxAllocSize && pg_verify_mbstr(GetDatabaseEncoding(), text.data, (int) text.size, true);
}

bool
behavior_name_is_valid(crm_text name)
{
	return name.size <= CRM_TIMELINE_MAX_NAME && is_encoded(name);
}

/* What numeric's output writes of a finite number: -12.30, no zeros in front, no minus before a zero. */
static bool
is_number(crm_text text)
{
	const char *p = text.data;
	const char *end = p + text.size;
	const char *whole;
	bool		negative = p < end && *p == '-';
	bool		zero = true;

	if (negative)
		p++;
	for (whole = p; p < end && *p >= '0' && *p <= '9'; p++)
		zero = zero && *p == '0';
	if (p == whole || (*whole == '0' && p > whole + 1) || p - whole > NUMERIC_MAX_WHOLE)
		return false;
	if (p < end)
	{
		const char *decimals = ++p;

		if (decimals[-1] != '.')
			return false;
		for (; p < end && *p >= '0' && *p <= '9'; p++)
			zero = zero && *p == '0';
		if (p == decimals || p - decimals > NUMERIC_MAX_DECIMALS)
			return false;
	}
	return p == end && !(zero && negative);
}

bool
behavior_attribute_is_valid(const crm_attribute_value *value)
{
	switch (value->kind)
	{
		case CRM_ATTRIBUTE_NUMBER:
			return is_number(value->text);
		case CRM_ATTRIBUTE_TEXT:
			return is_encoded(value->text);
		default:
			return value->text.size == 0;
	}
}

bool
behavior_texts_are_valid(const crm_timeline *timeline)
{
	size_t		at = timeline->names_at;
	crm_timeline_channel channels[CRM_TIMELINE_MAX_CHANNELS];

	for (uint32 code = 0; code < timeline->names; code++)
		if (!behavior_name_is_valid(crm_timeline_next_name(timeline, &at)))
			return false;
	if (timeline->channels == 0)
		return true;
	crm_timeline_channels(timeline, channels);
	for (uint32 c = 0; c < timeline->channels; c++)
	{
		crm_attribute_value *values;
		bool		valid = behavior_name_is_valid(channels[c].name);

		values = MemoryContextAllocHuge(CurrentMemoryContext, Max(channels[c].values, 1) * sizeof(crm_attribute_value));
		crm_timeline_channel_values(&channels[c], values);
		for (uint32 v = 0; valid && v < channels[c].values; v++)
			valid = behavior_attribute_is_valid(&values[v]);
		pfree(values);
		if (!valid)
			return false;
	}
	return true;
}

void
behavior_timeline_check(const uint8_t *bytes, Size size)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_timeline timeline;
	crm_status	status = crm_timeline_validate(&env, bytes, size);

	if (status == CRM_OK)
		status = crm_timeline_open(bytes, size, &timeline);
	if (status == CRM_OK && !behavior_texts_are_valid(&timeline))
		status = CRM_CORRUPT;
	crm_check(status, CRM_TIMELINE_TYPE, true);
}

/* ---- what a call site keeps ------------------------------------------------ */

void *
behavior_cache(FunctionCallInfo fcinfo, Size size)
{
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, size);
	return fcinfo->flinfo->fn_extra;
}

crm_timeline_writer *
behavior_writer(FunctionCallInfo fcinfo, crm_timeline_writer **slot)
{
	if (*slot == NULL)
	{
		crm_env		env = crm_env_in(fcinfo->flinfo->fn_mcxt);

		crm_check(crm_timeline_writer_new(&env, slot), CRM_TIMELINE_TYPE, false);
	}
	else if (crm_timeline_writer_memory(*slot) > WRITER_MEMORY)
		crm_timeline_writer_reset(*slot);
	return *slot;
}

behavior_range
behavior_range_arguments(FunctionCallInfo fcinfo, int since, int until)
{
	behavior_range range = {PG_INT64_MIN, PG_INT64_MAX};

	/* Infinity is the far end of the range of numbers: it needs no case of its own. */
	if (!PG_ARGISNULL(since))
		range.since = PG_GETARG_TIMESTAMPTZ(since);
	if (!PG_ARGISNULL(until))
		range.until = PG_GETARG_TIMESTAMPTZ(until);
	return range;
}
