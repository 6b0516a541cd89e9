/*
 * timeline_writer.h - the writer of timelines inside: its dictionaries
 * (timeline_write.c), and what sorts events by them (timeline_sort.c) and packs
 * them (timeline_pack.c).
 */
#ifndef CRM_KERNEL_TIMELINE_WRITER_H
#define CRM_KERNEL_TIMELINE_WRITER_H

#include "kernel/timeline_private.h"
#include "kernel/timeline_write.h"
#include "kernel/value_table.h"

/* Interrupts are served once in so many events. */
#define CRM_TIMELINE_PROGRESS 4096

/* A number in the timeline under way: its code there, valid if marked in this round. */
typedef struct crm_mark
{
	uint32_t	round;
	uint32_t	code;
} crm_mark;

/* Texts or sets by number, and those of the numbers that the timeline under way uses. */
typedef struct crm_dictionary
{
	crm_value_table table;		/* the number is the code less one */
	size_t		texts;			/* bytes of all */
	uint32_t	round;			/* of the timeline under way */
	crm_mark   *marks;			/* by number */
	uint32_t	marks_room;
	uint32_t   *used;			/* numbers; once coded, in order of their codes */
	uint32_t	used_count;
	uint32_t	used_room;
} crm_dictionary;

/* One attribute in a set's key. */
typedef struct crm_attribute_pair
{
	uint32_t	channel;
	uint32_t	value;
} crm_attribute_pair;

typedef struct crm_attribute_set
{
	const crm_attribute *attributes;
	uint32_t	count;
} crm_attribute_set;

typedef struct crm_buffer
{
	uint8_t    *data;
	size_t		size;
	size_t		room;
} crm_buffer;

struct crm_timeline_writer
{
	crm_env		env;
	crm_dictionary names;
	crm_dictionary channels;	/* names of attributes */
	crm_dictionary values;		/* their values: a byte of kind, and the text */
	crm_dictionary sets;		/* keys: pairs in the order of the channels' names */

	/* By number of a name. */
	uint8_t    *known;			/* first byte of its stored form, 0 when the format does not know it */
	uint32_t   *rank;			/* place among the first `ranked` */
	uint32_t	ranked;
	uint32_t	names_room;

	/* By number of a set less one. */
	crm_attribute_set *lists;
	uint32_t	lists_room;
	size_t		lists_size;		/* bytes of the lists' own blocks */

	/* Scratch. */
	crm_buffer	out;
	crm_buffer	dictionary;		/* the channels' part */
	crm_buffer	codes;			/* the channels' codes */
	crm_buffer	numbers;		/* gaps, whole numbers; a set's key under way */
	crm_buffer	more;			/* sorting; places in sets; a value's key under way */
};

/* Room for `more` bytes behind those in use; capacities double. */
extern crm_status crm_buffer_reserve(const crm_env *env, crm_buffer *buffer, size_t more);

/* Nothing is used yet. */
extern void crm_dictionary_begin(crm_dictionary *dictionary);
/* Orders the numbers used by what they stand for and gives them codes from 0; sets from 1. */
extern crm_status crm_timeline_code_names(crm_timeline_writer *writer);
extern crm_status crm_timeline_code_texts(crm_timeline_writer *writer, crm_dictionary *dictionary);
extern crm_status crm_timeline_code_sets(crm_timeline_writer *writer);

/* Puts events in order, their names and sets coded. */
extern crm_status crm_timeline_sort(crm_timeline_writer *writer, crm_timeline_event *events, size_t count);
/* Keeps one of events in order that are equal in everything; how many stay. */
extern size_t crm_timeline_drop_equal(const crm_timeline_writer *writer, crm_timeline_event *events, size_t count);

/* Packs events that are in order, their names and sets coded; head bytes are left free in front. */
extern crm_status crm_timeline_pack(crm_timeline_writer *writer, const crm_timeline_event *events, size_t count, size_t head);

/* Up to CRM_TIMELINE_MAX_WIDTHS widths for gaps with so many of each length: how many, ascending in width. */
extern unsigned crm_timeline_choose_widths(const uint64_t *gaps_of_length, uint8_t *width);

static inline crm_text
crm_dictionary_text(const crm_dictionary *dictionary, uint32_t number)
{
	const crm_value_entry *entry = &dictionary->table.entries[number];
	crm_text	text = {entry->text, entry->length};

	return text;
}

static inline const crm_attribute_pair *
crm_set_pairs(const crm_timeline_writer *writer, uint32_t set, uint32_t *count)
{
	const crm_value_entry *entry = &writer->sets.table.entries[set];

	*count = entry->length / (uint32_t) sizeof(crm_attribute_pair);
	return (const crm_attribute_pair *) (const void *) entry->text;
}

/* Notes that the timeline under way uses a number; room for it has been made. */
static inline void
crm_dictionary_use(crm_dictionary *dictionary, uint32_t number)
{
	if (dictionary->marks[number].round != dictionary->round)
	{
		dictionary->marks[number].round = dictionary->round;
		dictionary->used[dictionary->used_count++] = number;
	}
}

#endif							/* CRM_KERNEL_TIMELINE_WRITER_H */
