/*
 * training.h - what train, compare_models and their like share: a query looked at,
 * its encoding, and the statements that fit and measure.
 */
#ifndef CRM_SCORING_TRAINING_H
#define CRM_SCORING_TRAINING_H

#include "scoring/train.h"

#include "executor/spi.h"

typedef struct scoring_algorithm
{
	const char *name;
	const char *function;		/* the aggregate */
	bool		classes;		/* of a yes or no; else of a number */
	bool		spread;			/* features as scoring_encoding says */
	bool		trees;
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
	bool		draft;			/* the version begins as one */
	char	   *time;			/* the column by which rows are held back; NULL: by hash */
	Jsonb	   *rest;
} scoring_train_options;

extern void scoring_read_train_options(Jsonb *json, scoring_train_options *options);

/* A query, looked at once. */
typedef struct scoring_training
{
	const scoring_algorithm *algorithm;
	scoring_train_options options;
	char	   *query;			/* ordinary columns only: scoring_open_query wraps the caller's where it has others */
	char	   *label;
	const scoring_encoding *known;	/* of a trained model whose columns are to be found; NULL: all are learned from */
	SPIPlanPtr	plan;
	TupleDesc	desc;
	scoring_split *split;		/* NULL: nothing is held back */
	Jsonb	   *split_json;
	scoring_encoding *encoding;
	Jsonb	   *encoding_json;
	Jsonb	   *fit_options;
	int64		rows;			/* trained on */
	int64		held;
	int64		unlabeled;
	int64	   *grouped;		/* of each column, values that became "other" */
	char		fingerprint[17];
	Datum		model;
	Jsonb	   *profile;
} scoring_training;

/* Within SPI: checks the query and its columns. */
extern void scoring_open_query(scoring_training *t);
/*
 * A query with the members of objects in columns of type jsonb as columns: all that
 * rows have, or those of a trained model (training_members.c).  Within SPI; the query
 * as it is where there are no such columns.
 */
extern char *scoring_without_objects(char *query, TupleDesc desc, const scoring_encoding *known);
/* Prepares such a query, checked to be one SELECT, as the example shows in a hint; the query is replaced where it has to be. */
extern SPIPlanPtr scoring_prepare(char **query, const char *example, const scoring_encoding *known, TupleDesc *desc);
/* Reads its rows, and makes split and encoding (training_look.c). */
extern void scoring_look(scoring_training *t);
/* Trains on what is not held back. */
extern void scoring_fit(scoring_training *t);
/* How columns and scores are distributed, for model_drift (profile.c). */
extern void scoring_make_profile(scoring_training *t);
/*
 * The measures of a model over rows of a query as jsonb: those that the split
 * holds, all where it is NULL.
 */
extern Jsonb *scoring_measure(const char *query, const char *label, bool classes, Jsonb *encoding, Jsonb *split, Datum model);
/* Where two models differ: mean of a's loss less b's, by row, with its standard error; rows. */
extern int64 scoring_difference(const char *query, const char *label, bool classes, Jsonb *split, Jsonb *encoding_a, Datum a,
								Jsonb *encoding_b, Datum b, double *mean, double *error);
/* Runs a statement of one row and gives its columns , detoasted, in the memory that is current; a jsonb that is no pointer is a NULL. */
extern void scoring_run(const char *statement, int nargs, Oid *types, Datum *values, int columns, Datum *results, bool *nulls);
extern double scoring_number_option(Jsonb *json, const char *name, double least, double most, bool whole, double otherwise);
extern Jsonb *scoring_without(Jsonb *json, const char *name);
/* What a row loses by the score in a column of s, beside its label s.y: minus the logarithm of the probability of what came, or the squared error. */
extern const char *scoring_loss(const char *column, bool classes);
/* Without blanks and semicolons at its end. */
extern char *scoring_query_text(text *query);
/* What stands for the label in a statement. */
extern char *scoring_label_expression(const char *label, bool classes);

#endif							/* CRM_SCORING_TRAINING_H */
