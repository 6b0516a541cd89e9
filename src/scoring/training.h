/*
 * training.h - what train, compare_models and their like share: a query looked at,
 * its encoding, and the statements that fit and measure.
 */
#ifndef CRM_SCORING_TRAINING_H
#define CRM_SCORING_TRAINING_H

#include "scoring/train.h"

#include "executor/spi.h"

/* What a trainer keeps of its rows. */
typedef enum scoring_memory
{
	SCORING_KEEPS_NOTHING,		/* sums, or counts of rows that are alike */
	SCORING_KEEPS_ROWS,
	SCORING_KEEPS_BINS			/* rows, then bins of them */
} scoring_memory;

/* What a model tells, and so how it is measured. */
typedef enum scoring_task
{
	SCORING_YES_OR_NO,
	SCORING_AMOUNT,
	SCORING_PURCHASES,			/* an amount: how many there are in a time behind the training's */
	SCORING_SURVIVAL			/* who leaves sooner; the label says who left */
} scoring_task;

typedef struct scoring_algorithm
{
	const char *name;
	const char *function;		/* the aggregate */
	bool		classes;		/* of a yes or no; else of a number */
	bool		spread;			/* features as scoring_encoding says */
	bool		trees;
	scoring_memory memory;
	bool		groups;			/* learns no label; its score is the number of a group */
	bool		numbers;		/* takes no texts */
	scoring_task task;
	const char *const *roles;	/* the columns that it takes, by their names, ended by NULL; NULL: all are features */
	int			required;		/* roles that a row must have */
} scoring_algorithm;

/* 22023, listing the known ones. */
extern const scoring_algorithm *scoring_find_algorithm(const char *name);

/* Options of a training itself; the others go to the aggregate. */
typedef struct scoring_train_options
{
	double		holdout;
	int64		seed;
	int			max_categories; /* 0: as the algorithm bears */
	int			keys;			/* columns that identify rows: the split hangs on them, nothing is learned from them */
	char	  **key_names;
	int			folds;			/* above 0: not a share of the rows is held back, but the part `fold` of so many */
	int			fold;
	double		sample;			/* share of the rows that are not held back to train on */
	bool		draft;			/* the version begins as one */
	int			groups;			/* how many, of an algorithm that makes groups */
	double		horizon;		/* purchases: the time behind the training's that the label is of, and that scores are for */
	char	   *duration;		/* survival: the column of the time until the event, or until a customer was last seen */
	char	   *time;			/* the column by which rows are held back; NULL: by hash */
	Jsonb	   *rest;
} scoring_train_options;

extern void scoring_read_train_options(Jsonb *json, const scoring_algorithm *algorithm, scoring_train_options *options);

/* What a column's numbers are like. */
typedef struct scoring_range
{
	double		least;
	double		most;
	bool		whole;			/* all of them */
	bool		single;			/* all are floats, too */
} scoring_range;

/* Rows of a query that are read once (training_kept.c). */
typedef struct scoring_kept scoring_kept;

/* A query, looked at once. */
typedef struct scoring_training
{
	const scoring_algorithm *algorithm;
	scoring_train_options options;
	char	   *query;			/* ordinary columns only: scoring_open_query wraps the caller's where it has others; once they are kept, of the rows that are */
	char	   *label;			/* NULL: there is none */
	const scoring_encoding *known;	/* of a trained model whose columns are to be found; NULL: all are learned from */
	SPIPlanPtr	plan;
	TupleDesc	desc;
	scoring_kept *objects;		/* the rows with columns of type jsonb, until those with their members are kept; NULL */
	scoring_kept *kept;			/* the rows, once they are read; set before where another training has read them */
	bool		repeats;		/* they are not kept: each run of the query gives them; set before where another training found that */
	scoring_split *split;		/* NULL: nothing is held back; by time, from scoring_look on */
	Jsonb	   *split_json;
	scoring_encoding *encoding;
	Jsonb	   *encoding_json;
	Jsonb	   *fit_options;
	int64		rows;			/* trained on */
	int64		held;
	int64		left_out;		/* neither: not in the sample */
	int64		unlabeled;
	scoring_range *ranges;		/* of each column's numbers; NULL before the look */
	int64	   *grouped;		/* of each column, values that became "other" */
	char		fingerprint[17];
	Datum		model;
	Jsonb	   *profile;
} scoring_training;

/* Within SPI: checks the query and its columns, and reads nothing but for members of objects. */
extern void scoring_open_query(scoring_training *t);
/*
 * Runs the query, unless its rows are kept already, or each run gives the same as
 * cheaply: in memory up to work_mem, then in a temporary file.  From here on query and
 * plan read these.
 */
extern void scoring_keep_query(scoring_training *t);
/* Forgets the rows; before the end of SPI. */
extern void scoring_close_query(scoring_training *t);
extern void scoring_drop_rows(scoring_kept **kept);
/*
 * A query with the members of objects in columns of type jsonb as columns: all that
 * rows have, or those of a trained model (training_members.c).  Within SPI.
 */
extern bool scoring_has_objects(TupleDesc desc);
extern char *scoring_without_objects(const char *query, TupleDesc desc, const scoring_encoding *known);
/*
 * Prepares a query, checked to be one SELECT, as the example shows in a hint; it is
 * replaced where it has objects.  All members that rows have can only be told by these:
 * they are kept then, for the caller to drop; objects may be NULL with a known encoding.
 */
extern SPIPlanPtr scoring_prepare(char **query, const char *example, const scoring_encoding *known, TupleDesc *desc, scoring_kept **objects);
/*
 * 54000 where keeping so many rows would take more than crm_analytics.training_memory:
 * those that the planner expects, or those that were counted (training_memory.c).
 */
extern void scoring_require_memory(const scoring_training *t, double rows, bool estimated);
extern void scoring_estimate_memory(const scoring_training *t);
/* The same of what is only measured. */
extern void scoring_estimate_measuring(const scoring_training *t);
/* 54000 where work would take so many bytes, and the setting allows less; the detail says of what, the hint what else there is to do than to raise it. */
extern void scoring_require_work(const char *function, double bytes, const char *detail, const char *hint);
/* Bytes that a number of such a column takes where rows are kept. */
extern double scoring_range_bytes(const scoring_range *range);
/* Where rows are held back by time, from when on; once they are kept. */
extern void scoring_cut_split(scoring_training *t);
/* Reads and keeps its rows, and makes split and encoding (training_look.c). */
extern void scoring_look(scoring_training *t);
/* Trains on what is not held back. */
extern void scoring_fit(scoring_training *t);
/* How columns and scores are distributed, for model_drift (profile.c). */
extern void scoring_make_profile(scoring_training *t);
/* Of a number column of a profile: low are those up to *low, high those above *high; infinite where there is no such border. */
extern void scoring_number_levels(Jsonb *profile, const scoring_encoding *encoding, int place, double *low, double *high);
/* ---- algorithms that make groups (training_groups.c) ---- */

/* What such a training takes its options to be; 22023 for those that need a label. */
extern void scoring_group_options(scoring_training *t, Jsonb *given);
/* What is told of the groups that came out. */
extern Jsonb *scoring_measure_groups(const scoring_training *t);
/* 54000 where that would take more than crm_analytics.training_memory; before anything is read. */
extern void scoring_require_numbers(const scoring_training *t, Datum old_model);
/*
 * Gives the groups of a training the numbers of those of an earlier version that they
 * share most rows with, of the rows of today; the pairs as a JSON array.
 */
extern char *scoring_keep_numbers(scoring_training *t, Jsonb *old_encoding, Datum old_model);

/* ---- measuring (training_measure.c) -------------------------------------------- */

/* The measures of a model over rows of the query as jsonb: those that the split holds, all where it is NULL. */
extern Jsonb *scoring_measure(const scoring_training *t, Jsonb *encoding, Jsonb *split, Datum model);
/* Their names in the order of evaluate, ended by NULL. */
extern const char *const *scoring_measure_names(const scoring_algorithm *algorithm);
/*
 * How much is won by b: mean of a's loss less b's, by row, or what the concordance is
 * greater by; with its standard error.
 */
extern void scoring_difference(const scoring_training *t, Jsonb *encoding_a, Datum a, Jsonb *encoding_b, Datum b, double *mean, double *error);
/* The score of q by the model and the encoding that are parameters of these numbers. */
extern char *scoring_score_expression(const scoring_training *t, int model, int encoding);
/* Which rows of q can be learned from, and, with measuring, measured by: models of purchases learn without label. */
extern char *scoring_labeled(const scoring_training *t, bool measuring);
/* What a row loses by the score in a column of s, beside its label s.y: minus the logarithm of the probability of what came, or the squared error. */
extern const char *scoring_loss(const char *column, bool classes);

/* Runs a statement of one row and gives its columns , detoasted, in the memory that is current; a jsonb that is no pointer is a NULL. */
extern void scoring_run(const char *statement, int nargs, Oid *types, Datum *values, int columns, Datum *results, bool *nulls);
extern double scoring_number_option(Jsonb *json, const char *name, double least, double most, bool whole, double otherwise);
extern Jsonb *scoring_without(Jsonb *json, const char *name);
/* Without blanks and semicolons at its end. */
extern char *scoring_query_text(text *query);
/* What stands for the label in a statement. */
extern char *scoring_label_expression(const char *label, bool classes);

#endif							/* CRM_SCORING_TRAINING_H */
