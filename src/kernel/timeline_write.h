/*
 * timeline_write.h - making timelines: from events, and from other timelines.
 */
#ifndef CRM_KERNEL_TIMELINE_WRITE_H
#define CRM_KERNEL_TIMELINE_WRITE_H

#include "kernel/timeline.h"

/* One attribute of an event. */
typedef struct crm_attribute
{
	crm_text	name;
	crm_attribute_value value;
} crm_attribute;

/* An event on its way; names and sets of attributes are numbers that the writer has given. */
typedef struct crm_timeline_event
{
	int64_t		at;
	uint32_t	name;
	uint32_t	attributes;		/* 0: none */
	double		value;
	bool		has_value;
} crm_timeline_event;

/*
 * A writer keeps the dictionaries of names and sets of attributes met so far,
 * for one timeline or for millions of them, and scratch memory.  It belongs to
 * its environment's memory.
 */
typedef struct crm_timeline_writer crm_timeline_writer;

extern crm_status crm_timeline_writer_new(const crm_env *env, crm_timeline_writer **writer);
extern void crm_timeline_writer_free(crm_timeline_writer *writer);
/* The number of a name, from 0: the same for equal bytes.  CRM_LIMIT beyond CRM_TIMELINE_MAX_NAME bytes. */
extern crm_status crm_timeline_writer_name(crm_timeline_writer *writer, crm_text name, uint32_t *number);
/*
 * The number of a set of attributes, in any order, each name once; 0 for none.
 * CRM_LIMIT beyond CRM_TIMELINE_MAX_CHANNELS or a name's CRM_TIMELINE_MAX_NAME
 * bytes; CRM_OUT_OF_RANGE for a name that comes twice.  Texts are copied.
 */
extern crm_status crm_timeline_writer_attributes(crm_timeline_writer *writer, const crm_attribute *attributes, size_t count,
												 uint32_t *number);
/* Bytes that the dictionaries take. */
extern size_t crm_timeline_writer_memory(const crm_timeline_writer *writer);
/* Forgets all names and attributes: numbers given before are void. */
extern void crm_timeline_writer_reset(crm_timeline_writer *writer);

/*
 * Packs events, in any order (they are sorted in place; events already in order
 * cost no sorting), into the canonical form.  With distinct, of events that are
 * equal in everything one is kept.  The bytes belong to the writer and last
 * until it writes again; `head` of them in front, counted in *size, are left free
 * for the caller (a varlena header).  CRM_OUT_OF_RANGE for a time outside the
 * range or a value that is not finite; CRM_LIMIT beyond CRM_TIMELINE_MAX_EVENTS
 * events, _MAX_NAMES names or _MAX_CHANNELS channels.
 */
extern crm_status crm_timeline_write(crm_timeline_writer *writer, crm_timeline_event *events, size_t count, bool distinct,
									 size_t head, uint8_t **bytes, size_t *size);

/*
 * Appends the events of a timeline to an array with place for timeline->count
 * of them, names and attributes numbered by the writer.  Only those with
 * since <= at < until; INT64_MIN and INT64_MAX for all.  Sets how many there
 * were.  CRM_CORRUPT for some kinds of damage that opening does not see.
 */
extern crm_status crm_timeline_load(crm_timeline_writer *writer, const crm_timeline *timeline, int64_t since, int64_t until,
									crm_timeline_event *events, size_t *count);

/* The name, and the attributes in order of their names, behind a number; they last until the writer is reset. */
extern crm_text crm_timeline_writer_name_text(const crm_timeline_writer *writer, uint32_t number);
extern const crm_attribute *crm_timeline_writer_attribute_list(const crm_timeline_writer *writer, uint32_t number, size_t *count);

#endif							/* CRM_KERNEL_TIMELINE_WRITE_H */
