/*
 * funnel_value.h - the stored form of crm.funnel: the ways that one customer
 * took through a funnel.  doc/formats.md has it byte by byte.
 */
#ifndef CRM_KERNEL_FUNNEL_VALUE_H
#define CRM_KERNEL_FUNNEL_VALUE_H

#include "kernel/events.h"

#define CRM_FUNNEL_VALUE_VERSION 1

/* What holds for all paths of a value. */
typedef struct crm_funnel_head
{
	int			steps;			/* of the funnel */
	bool		periods;		/* paths are told apart by calendar periods */
	bool		breakdown;		/* paths carry an attribute */
} crm_funnel_head;

typedef struct crm_funnel_entry
{
	int64_t		period;			/* 0 without periods */
	const char *label;			/* NULL: none */
	size_t		label_length;
	int			level;			/* 1 .. steps */
	int64_t		times[CRM_MAX_CONDITIONS];
} crm_funnel_entry;

typedef struct crm_funnel_reader
{
	crm_funnel_head head;
	uint64_t	left;			/* entries not yet read */
	bool		first;
	int64_t		period;			/* of the entry before */
	const uint8_t *at;
	const uint8_t *end;
} crm_funnel_reader;

/* Bytes that a head and an entry take at most. */
#define CRM_FUNNEL_HEAD_SIZE 13
#define CRM_FUNNEL_ENTRY_SIZE(level, label_length) (27 + 10 * (size_t) (level) + (label_length))

/* Both return how many bytes they wrote. */
extern size_t crm_funnel_put_head(uint8_t *to, const crm_funnel_head *head, uint64_t entries);
extern size_t crm_funnel_put_entry(uint8_t *to, const crm_funnel_head *head, const crm_funnel_entry *entry);

/* Reads the head; then there are reader->left entries.  CRM_CORRUPT for anything that the writer would not have written. */
extern crm_status crm_funnel_open(crm_funnel_reader *reader, const void *bytes, size_t size);

/* The next entry; its label points into the bytes.  With the last one the end is checked, too. */
extern crm_status crm_funnel_read(crm_funnel_reader *reader, crm_funnel_entry *entry);

/* One entry without a value around it, from at to at most end; moves at behind it. */
extern crm_status crm_funnel_read_entry(const crm_funnel_head *head, const uint8_t **at, const uint8_t *end, crm_funnel_entry *entry);

#endif							/* CRM_KERNEL_FUNNEL_VALUE_H */
