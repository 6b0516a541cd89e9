/*
 * segment_read.h - reading stored sets and segment expressions (segment.c).
 */
#ifndef CRM_TAG_SEGMENT_READ_H
#define CRM_TAG_SEGMENT_READ_H

#include "common/crm.h"
#include "kernel/ids.h"
#include "tag/tag.h"

/* Sets of one population as the current user may read them, in one memory context. */
typedef struct crm_set_reader
{
	const crm_population *population;
	crm_scopes *scopes;
	const struct crm_past *past;	/* NULL: the sets of now */
	crm_env		env;
	bool		have_base;
	crm_ids		base;			/* the population itself, read when '!' asks for it */
	/* the numbers read last: those of a range are asked for twice */
	int32		numbers_of;		/* number of the tag; 0: none */
	const struct crm_bsi *numbers;
	List	   *defined;		/* defined segments met so far, with their members */
	struct crm_overlay *overlay;	/* customers pending, of a tracked population; NULL: nobody */
} crm_set_reader;

/* NULL name: the only population.  42501 without the right to whole sets, 55000 before the first refresh. */
extern void crm_set_reader_begin(crm_set_reader *reader, const char *population);
/* The same for an audience's population, which it knows where it is stamped; 42804 for another one (segment_tools.c). */
extern void crm_set_reader_begin_stamped(crm_set_reader *reader, const char *population, uint32 stamp);
/* The same as of an earlier instant; NULL: now. */
extern void crm_set_reader_begin_past(crm_set_reader *reader, const char *population, const TimestampTz *as_of);
/* Of what is stored, in all scopes and whoever asks, for the population's own bookkeeping. */
extern void crm_set_reader_begin_stored(crm_set_reader *reader, const struct crm_past *stored);
extern crm_ids crm_set_reader_base(crm_set_reader *reader);
/* Those who have the tag; of a text tag with one value, and its number (-1: nobody has had it). */
extern crm_ids crm_set_reader_tag(crm_set_reader *reader, const crm_tag *tag, int32 value_no, const char *value);
/* The numbers of a numeric tag; kept until another one's are asked for. */
extern const struct crm_bsi *crm_set_reader_numbers(crm_set_reader *reader, const crm_tag *tag);
/* These tags will be asked for: what has to be evaluated of them is evaluated at once. */
extern void crm_set_reader_want(crm_set_reader *reader, List *tags);
/* Values of a text tag that customers have now and may not have had when it was refreshed, each once. */
extern List *crm_set_reader_values(crm_set_reader *reader, const crm_tag *tag);
typedef struct crm_named_value
{
	char	   *value;
	int32		number;			/* -1: nobody has had it when the tags were refreshed */
} crm_named_value;

/* All values of a text tag that anybody had or has, by their bytes (segment_tools.c). */
extern crm_named_value *crm_set_reader_named_values(crm_set_reader *reader, const crm_tag *tag, uint64 *count);
extern crm_ids crm_set_reader_combine(crm_set_reader *reader, crm_ids_op op, crm_ids a, crm_ids b);
extern crm_ids crm_set_reader_segment(crm_set_reader *reader, const char *expression);
extern void crm_set_reader_release(crm_set_reader *reader, crm_ids set);

/*
 * Raises what is wrong with an expression that is to be segment self: its syntax,
 * names that do not exist, comparisons that a tag does not allow, and 42P19 where
 * it rests on itself.  Tags need not be refreshed yet.
 */
extern void crm_segment_check(const crm_population *population, const char *expression, const char *self);

/* Parses an expression; errors have their place in it. */
struct crm_segment_program;
extern void crm_segment_read(const char *expression, struct crm_segment_program *program);
/* The same segment as the text of a rule, evaluated for one customer (segment_rule.c). */
extern char *crm_segment_rule(const crm_population *population, const char *expression);

#endif							/* CRM_TAG_SEGMENT_READ_H */
