/*
 * funnel_value.c - writes and reads the stored form of crm.funnel.
 *
 * Equal values are equal bytes, so a reader refuses what could have been
 * written shorter.
 */
#include "kernel/funnel_value.h"

#define PERIODS 1
#define BREAKDOWN 2

static size_t
put_number(uint8_t *to, uint64_t number)
{
	size_t		size = 0;

	while (number >= 0x80)
	{
		to[size++] = (uint8_t) (number | 0x80);
		number >>= 7;
	}
	to[size++] = (uint8_t) number;
	return size;
}

static bool
take_number(const uint8_t **at, const uint8_t *end, uint64_t *number)
{
	*number = 0;
	for (int shift = 0; *at < end && shift < 64; shift += 7)
	{
		uint8_t		byte = *(*at)++;

		if (shift == 63 && byte > 1)
			return false;
		*number |= (uint64_t) (byte & 0x7F) << shift;
		if (byte < 0x80)
			return byte > 0 || shift == 0;
	}
	return false;
}

static bool
take_time(const uint8_t **at, const uint8_t *end, int64_t *time)
{
	if (end - *at < 8)
		return false;
	*time = (int64_t) crm_load64(*at);
	*at += 8;
	return true;
}

size_t
crm_funnel_put_head(uint8_t *to, const crm_funnel_head *head, uint64_t entries)
{
	to[0] = CRM_FUNNEL_VALUE_VERSION;
	to[1] = (head->periods ? PERIODS : 0) | (head->breakdown ? BREAKDOWN : 0);
	to[2] = (uint8_t) head->steps;
	return 3 + put_number(to + 3, entries);
}

size_t
crm_funnel_put_entry(uint8_t *to, const crm_funnel_head *head, const crm_funnel_entry *entry)
{
	size_t		size = 0;

	if (head->periods)
	{
		crm_store64(to, (uint64_t) entry->period);
		size += 8;
	}
	if (head->breakdown)
	{
		size += put_number(to + size, entry->label == NULL ? 0 : entry->label_length + 1);
		if (entry->label != NULL)
		{
			memcpy(to + size, entry->label, entry->label_length);
			size += entry->label_length;
		}
	}
	to[size++] = (uint8_t) entry->level;
	crm_store64(to + size, (uint64_t) entry->times[0]);
	size += 8;
	for (int i = 1; i < entry->level; i++)
		size += put_number(to + size, crm_time_between(entry->times[i - 1], entry->times[i]));
	return size;
}

crm_status
crm_funnel_read_entry(const crm_funnel_head *head, const uint8_t **at, const uint8_t *end, crm_funnel_entry *entry)
{
	uint64_t	number;

	entry->period = 0;
	entry->label = NULL;
	entry->label_length = 0;
	if (head->periods && !take_time(at, end, &entry->period))
		return CRM_CORRUPT;
	if (head->breakdown)
	{
		if (!take_number(at, end, &number) || number > (uint64_t) (end - *at))
			return CRM_CORRUPT;
		if (number > 0)
		{
			entry->label = (const char *) *at;
			entry->label_length = number - 1;
			*at += number - 1;
		}
	}
	if (*at >= end)
		return CRM_CORRUPT;
	entry->level = *(*at)++;
	if (entry->level < 1 || entry->level > head->steps || !take_time(at, end, &entry->times[0]))
		return CRM_CORRUPT;
	for (int i = 1; i < entry->level; i++)
	{
		if (!take_number(at, end, &number) || number > crm_time_between(entry->times[i - 1], INT64_MAX))
			return CRM_CORRUPT;
		entry->times[i] = (int64_t) ((uint64_t) entry->times[i - 1] + number);
	}
	return CRM_OK;
}

crm_status
crm_funnel_open(crm_funnel_reader *reader, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	if (size < 4 || at[0] != CRM_FUNNEL_VALUE_VERSION || (at[1] & ~(PERIODS | BREAKDOWN)) != 0 ||
		at[2] < 1 || at[2] > CRM_MAX_CONDITIONS)
		return CRM_CORRUPT;
	reader->head.periods = (at[1] & PERIODS) != 0;
	reader->head.breakdown = (at[1] & BREAKDOWN) != 0;
	reader->head.steps = at[2];
	reader->at = at + 3;
	reader->end = at + size;
	reader->first = true;
	reader->period = 0;
	if (!take_number(&reader->at, reader->end, &reader->left))
		return CRM_CORRUPT;
	/* An entry takes nine bytes at least. */
	if (reader->left > (uint64_t) (reader->end - reader->at) / 9 || (reader->left > 1 && !reader->head.periods) ||
		(reader->left == 0 && reader->at != reader->end))
		return CRM_CORRUPT;
	return CRM_OK;
}

crm_status
crm_funnel_read(crm_funnel_reader *reader, crm_funnel_entry *entry)
{
	CRM_TRY(crm_funnel_read_entry(&reader->head, &reader->at, reader->end, entry));
	if (!reader->first && entry->period <= reader->period)
		return CRM_CORRUPT;
	reader->first = false;
	reader->period = entry->period;
	reader->left--;
	if (reader->left == 0 && reader->at != reader->end)
		return CRM_CORRUPT;
	return CRM_OK;
}
