/*
 * kmeans.h - what the aggregates over rows to be grouped share: their options and
 * their state (kmeans_state.c).
 */
#ifndef CRM_SEGMENT_KMEANS_H
#define CRM_SEGMENT_KMEANS_H

#include "kernel/model_kmeans.h"
#include "scoring/scoring.h"

/* Features of k-prototypes: marks of their categories are kept in the state. */
#define KMEANS_MARKED_FEATURES 1024

/* Without pointers, and no byte of it left unset: it is compared and sent. */
typedef struct kmeans_options
{
	double		tolerance;
	double		gamma;
	int64		groups;
	int64		starts;
	int64		iterations;
	int64		seed;
	int64		mini_batch;		/* different rows that are kept, 0: all */
	int64		references;		/* of kmeans_choice */
	int64		sample;
	int			missing;
	bool		standardize;
	bool		unused[3];
	uint64		categorical[KMEANS_MARKED_FEATURES / 64 + 1];	/* the last word is 0 */
} kmeans_options;

/* What differs from one of these aggregates to the other. */
typedef struct kmeans_use
{
	scoring_rows_use rows;
	bool		prototypes;
	bool		choice;
} kmeans_use;

extern const kmeans_use kmeans_fit_use;
extern const kmeans_use kprototypes_fit_use;
extern const kmeans_use kmeans_choice_use;

/* A transition: (state, k int, features [, options] | [, weight, options]). */
extern Datum kmeans_transition(FunctionCallInfo fcinfo, const kmeans_use *use);
extern Datum kmeans_combine(FunctionCallInfo fcinfo, const kmeans_use *use);

/*
 * The rows of a final function, thinned where they are a sample, in memory that is
 * current; NULL without rows.  Options as kernel/kmeans.h has them.
 */
typedef struct kmeans_input
{
	const scoring_rows *state;
	kmeans_options options;
	crm_columns columns;
	uint8		level;
	crm_kmeans_options wanted;
} kmeans_input;

extern kmeans_input *kmeans_rows_of(FunctionCallInfo fcinfo, const kmeans_use *use);
/* Raises what belongs to a status of the kernel. */
/* May rows lack features, which then add nothing to distances? */
extern bool kmeans_takes_missing(const kmeans_options *options);
extern void kmeans_check(const kmeans_input *input, crm_status status, Size needed);

#endif							/* CRM_SEGMENT_KMEANS_H */
