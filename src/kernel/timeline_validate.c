/*
 * timeline_validate.c - checks of timelines from outside.
 *
 * The events are written anew: only the canonical form of a history gives its
 * own bytes again, and what has no such form, as times out of range, is not
 * written.  Beyond that, numbers among the attributes must be spelled as
 * numeric does.
 */
#include "kernel/timeline_private.h"
#include "kernel/timeline_write.h"

/* What numeric can hold. */
#define MAX_WHOLE_DIGITS 131072
#define MAX_DECIMALS 16383

/* As numeric spells numbers: no plus, no exponent, no leading zeros, no negative zero. */
static bool
is_number(crm_text text)
{
	size_t		at = 0,
				start;
	bool		negative = false,
				zero = true;

	if (at < text.size && text.data[at] == '-')
	{
		negative = true;
		at++;
	}
	for (start = at; at < text.size && text.data[at] >= '0' && text.data[at] <= '9'; at++)
		zero &= text.data[at] == '0';
	if (at == start || at - start > MAX_WHOLE_DIGITS || (at - start > 1 && text.data[start] == '0'))
		return false;
	if (at < text.size && text.data[at] == '.')
	{
		for (start = ++at; at < text.size && text.data[at] >= '0' && text.data[at] <= '9'; at++)
			zero &= text.data[at] == '0';
		if (at == start || at - start > MAX_DECIMALS)
			return false;
	}
	return at == text.size && !(negative && zero);
}

static bool
check_numbers(const crm_timeline *timeline)
{
	crm_timeline_channel channels[CRM_TIMELINE_MAX_CHANNELS];

	crm_timeline_channels(timeline, channels);
	for (uint32_t c = 0; c < timeline->channels; c++)
	{
		size_t		at = channels[c].values_at;

		for (uint32_t v = 0; v < channels[c].values; v++)
		{
			crm_attribute_value value;

			if (!crm_read_attribute(timeline->bytes, timeline->events_at, &at, &value) ||
				(value.kind == CRM_ATTRIBUTE_NUMBER && !is_number(value.text)))
				return false;
		}
	}
	return true;
}

static crm_status
check_rewritten(crm_timeline_writer *writer, const crm_timeline *timeline, crm_timeline_event *events)
{
	uint8_t    *bytes;
	size_t		size,
				count;

	CRM_TRY(crm_timeline_load(writer, timeline, INT64_MIN, INT64_MAX, events, &count));
	if (count != timeline->count)
		return CRM_CORRUPT;
	CRM_TRY(crm_timeline_write(writer, events, count, false, 0, &bytes, &size));
	return size == timeline->size && memcmp(bytes, timeline->bytes, size) == 0 ? CRM_OK : CRM_CORRUPT;
}

crm_status
crm_timeline_validate(const crm_env *env, const uint8_t *bytes, size_t size)
{
	crm_timeline timeline;
	crm_timeline_writer *writer;
	crm_timeline_event *events;
	crm_status	status;

	CRM_TRY(crm_timeline_open(bytes, size, &timeline));
	if (!check_numbers(&timeline))
		return CRM_CORRUPT;

	events = env->alloc(env->arg, sizeof(crm_timeline_event) * (timeline.count + 1));
	if (events == NULL)
		return CRM_NO_MEMORY;
	status = crm_timeline_writer_new(env, &writer);
	if (status == CRM_OK)
	{
		status = check_rewritten(writer, &timeline, events);
		crm_timeline_writer_free(writer);
	}
	env->release(env->arg, events);
	return status == CRM_NO_MEMORY || status == CRM_OK ? status : CRM_CORRUPT;
}
