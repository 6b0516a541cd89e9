/*
 * train.h - models over ordinary columns: rows read by the names of their
 * columns, encoded as features, and models kept by name.
 *
 * A training looks at the rows once and makes an encoding: which columns there
 * are, which categories they had, what stands for a missing number.  From then on
 * training, evaluation and scoring turn rows into features by the same code.
 */
#ifndef CRM_SCORING_TRAIN_H
#define CRM_SCORING_TRAIN_H

#include "scoring/scoring.h"

#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "nodes/pg_list.h"

/* ---- columns of a row (model_row.c) --------------------------------------- */

typedef enum scoring_column_kind
{
	SCORING_COLUMN_NUMBER,
	SCORING_COLUMN_BOOLEAN,
	SCORING_COLUMN_TIME,		/* date, timestamp: days since 2000 */
	SCORING_COLUMN_INSTANT,		/* timestamptz: days since 2000 in UTC */
	SCORING_COLUMN_TEXT
} scoring_column_kind;

extern const char *const scoring_column_kinds[];
#define SCORING_COLUMN_KINDS 5

/* What a row has in a column: a number or a text. */
typedef struct scoring_cell
{
	bool		missing;
	double		number;
	const char *text;			/* no zero behind it */
	int			size;
} scoring_cell;

/* How an attribute of a row becomes a cell. */
typedef struct scoring_reader
{
	int			attribute;		/* from 0 */
	Oid			type;			/* no domain */
	bool		padded;			/* char(n) */
	FmgrInfo	output;			/* where text is what the type prints */
} scoring_reader;

/* What a column of the type may be; false: nothing that a model learns from. */
extern bool scoring_kind_of_type(Oid type, scoring_column_kind *kind);
/* Readers in the current memory; 42703 naming a column that the row lacks, 42804 where its type is of another kind. */
extern void scoring_open_reader(scoring_reader *reader, TupleDesc desc, const char *name, scoring_column_kind kind);
/* 22003 for NaN and infinity, naming the column. */
extern void scoring_read_cell(scoring_reader *reader, const char *name, scoring_column_kind kind, Datum value, bool isnull,
							  scoring_cell *cell);
/* The place of a column; -1. */
extern int	scoring_find_attribute(TupleDesc desc, const char *name);

/* ---- encodings (model_encoding.c) ------------------------------------------- */

typedef struct scoring_column
{
	char	   *name;
	scoring_column_kind kind;
	int			first;			/* place of its first feature */
	int			width;			/* how many it has */
	bool		missing;		/* rows of the training lacked it */
	double		mean;			/* of a number, where features are spread */
	int			count;			/* of a text: its values, ascending by bytes */
	char	  **values;
	int		   *codes;			/* ... and the number of each where features are not spread */
	int			base;			/* the value that has no feature of its own where they are spread; -1 */
	bool		other;			/* rarer values are one */
} scoring_column;

typedef struct scoring_encoding
{
	bool		spread;			/* a text is a feature for each value, a missing number its mean and a mark; else numbers and gaps */
	double		horizon;		/* of models of purchases: the time that scores are for; else 0 */
	int			features;
	int			count;
	scoring_column *columns;
} scoring_encoding;

/* Places and widths, from all the rest; 54000 for too many features. */
extern void scoring_encoding_finish(scoring_encoding *encoding);
extern Jsonb *scoring_encoding_write(const scoring_encoding *encoding);
/* Reads into the current memory; 22023 for what is none. */
extern scoring_encoding *scoring_encoding_read(Jsonb *json);
/* Writes the features of a cell to their places; NaN where there is none. */
extern void scoring_encode_cell(const scoring_encoding *encoding, const scoring_column *column, const scoring_cell *cell, double *features);
/* Place of a text among the values of a column; -1 for one that the training did not list. */
extern int	scoring_find_value(const scoring_column *column, const scoring_cell *cell);
/* {"name": ...} of an object; NULL. */
extern JsonbValue *scoring_member(Jsonb *json, const char *name);

/* ---- rows that are held back (model_split.c) ---------------------------------- */

typedef struct scoring_split
{
	bool		by_time;
	int			count;			/* the column of the time, if it is by time, then columns that are hashed */
	char	  **names;
	scoring_column_kind *kinds;
	int64		seed;
	double		least;			/* of a hash, 0 ... 1: held from here ... */
	double		most;			/* ... to here */
	double		cut;			/* of the time: held from here on */
	double		sample;			/* share of the other rows that is trained on */
} scoring_split;

extern Jsonb *scoring_split_write(const scoring_split *split);
extern scoring_split *scoring_split_read(Jsonb *json);
/* Is a row held back?  Is it trained on?  With a sample, some are neither. */
extern bool scoring_split_holds(const scoring_split *split, const scoring_cell *cells);
extern bool scoring_split_takes(const scoring_split *split, const scoring_cell *cells);
/* A number that depends on the values alone. */
extern uint64 scoring_hash_cells(const scoring_cell *cells, int count, int64 seed);

/* ---- models by name (model_store.c) --------------------------------------------- */

typedef struct scoring_version
{
	char	   *name;
	Oid			owner;
	int32		version;
	bool		champion;
	char	   *algorithm;		/* NULL: the value was stored */
	char	   *query;
	char	   *label;
	Jsonb	   *options;
	Jsonb	   *encoding;		/* NULL: the value was stored */
	Jsonb	   *split;			/* NULL: nothing was held back */
	Jsonb	   *metrics;
	Jsonb	   *profile;		/* how columns and scores were distributed; NULL: the value was stored */
	Datum		model;
	bool		draft;			/* added as one */
	int32		compared;		/* added after a comparison with this one, which has to be there still; 0: with none */
} scoring_version;

/* version 0: the one in use.  42704 with the nearest names, 42501, 55000 for a retired one, and for a draft of another's. */
extern scoring_version *scoring_find_version(const char *name, int32 version);
/* The owner's member, or 42501; false when there is no such model yet. */
extern bool scoring_may_replace(const char *name);
/* 42501 unless the current user is the owner's member; 42704. */
extern void scoring_require_owner(const char *name);

/*
 * The query that a model was trained from may be run by somebody who had no hand in
 * it: as the model's owner, restricted, as a materialized view's is when it is
 * refreshed, and its settings end with it.  Names are looked up on the caller's
 * search_path, as when he trains.  An error may leave between the two.
 */
typedef struct scoring_owner_session
{
	Oid			saved_user;
	int			saved_context;
	int			settings;		/* level for settings changed until the end */
	ErrorContextCallback callback;
} scoring_owner_session;

extern void scoring_owner_begin(scoring_owner_session *session, const scoring_version *version);
extern void scoring_owner_end(scoring_owner_session *session);

extern void scoring_unknown_model(const char *name) CRM_NORETURN;
extern void scoring_not_owner(const char *name) CRM_NORETURN;
/* The number of the new version; promote: it is to be in use, which a draft is not where an approved one is.  in_use: the one that is then; may be NULL. */
extern int32 scoring_add_version(const scoring_version *version, int64 rows, const char *fingerprint, bool promote, int32 *in_use);
extern void scoring_lock_model(const char *name);
/* Keeps what a look at drift found (model_govern.c); cause: by what the version is stale, NULL where it is not. */
extern void scoring_note_drift(const scoring_version *version, Jsonb *drift, const char *cause);

#endif							/* CRM_SCORING_TRAIN_H */
