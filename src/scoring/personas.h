/*
 * personas.h - traits of groups, and the words for them.
 */
#ifndef CRM_SCORING_PERSONAS_H
#define CRM_SCORING_PERSONAS_H

#include "scoring/training.h"

/* What a column may tell of a row. */
typedef enum persona_level
{
	PERSONA_LOW,				/* of numbers and times */
	PERSONA_HIGH,
	PERSONA_YES,				/* of booleans */
	PERSONA_NO,
	PERSONA_VALUE,				/* of texts: one of their values */
	PERSONA_OTHER,				/* ... a rare one */
	PERSONA_MISSING
} persona_level;

typedef struct persona_trait
{
	int			column;			/* of the encoding */
	persona_level level;
	int			value;			/* of a text */
	int64		rows;			/* of all groups */
} persona_trait;

typedef struct persona_words
{
	bool		chinese;
	Jsonb	   *given;			/* {"column": {"low": "young", "high": ..., "yes", "no", "missing", "other", "label", or a value: ...}} */
} persona_words;

/* Raises 22023 unless it is an object of objects of strings. */
extern void scoring_check_words(Jsonb *words);
/* "high balance", "app only": in the memory that is current. */
extern char *scoring_trait_words(const persona_words *words, const scoring_column *column, const persona_trait *trait);
/* low, high, yes, no, missing, other, or the value itself. */
extern const char *scoring_trait_level(const scoring_column *column, const persona_trait *trait);

#endif							/* CRM_SCORING_PERSONAS_H */
