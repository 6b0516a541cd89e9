/*
 * kmeans.h - groups of rows that are alike: k-means, and k-prototypes where some
 * features are categories.
 *
 * Rows are numbers; some may be missing (NaN).  How far a row is from a center:
 * the sum, over the features that the row has, of ((x - center) * scale)^2, and of
 * gamma for each category that is not the center's (Huang 1998, "Extensions to the
 * k-means algorithm for clustering large data sets with categorical values").  A
 * missing feature adds nothing, so that each step still lowers the sum of all
 * distances (k-POD: Chi, Chi & Baraniuk 2016, "k-POD: a method for k-means
 * clustering of missing data").  A center has the mean of the rows' numbers, and
 * the most frequent of their categories.
 *
 * The result depends on the rows and the seed, not on the order of rows: they are
 * sorted by a hash of their numbers before anything else happens, and equal ones
 * become one with a weight.
 */
#ifndef CRM_KERNEL_KMEANS_H
#define CRM_KERNEL_KMEANS_H

#include "kernel/columns.h"

#define CRM_KMEANS_MAX_GROUPS 10000
#define CRM_KMEANS_MAX_FEATURES 5000
/* Different values of a feature that is a category. */
#define CRM_KMEANS_MAX_CATEGORIES 65536

/* Columns of rows: how many rows this one stands for, its weight, then its features. */
#define CRM_KMEANS_COPIES 0
#define CRM_KMEANS_WEIGHT 1
#define CRM_KMEANS_FEATURES 2

/* ---- distances (kmeans_space.c) ------------------------------------------ */

/* Centers, laid out for speed: feature by feature, all centers of each, their number rounded up to CRM_KMEANS_LANES. */
#define CRM_KMEANS_LANES 8

typedef struct crm_kmeans_space
{
	uint32_t	groups;
	uint32_t	padded;
	uint32_t	features;
	double	   *centers;
	const double *scales;		/* NULL: 1 each */
	const uint8_t *categorical; /* NULL: none */
	double		gamma;
} crm_kmeans_space;

/* Room for the centers of so many groups, all 0. */
extern crm_status crm_kmeans_space_open(crm_kmeans_space *space, const crm_env *env, uint32_t groups, uint32_t features);

static inline void
crm_kmeans_space_set(crm_kmeans_space *space, uint32_t group, uint32_t feature, double number)
{
	space->centers[(size_t) feature * space->padded + group] = number;
}

static inline double
crm_kmeans_space_get(const crm_kmeans_space *space, uint32_t group, uint32_t feature)
{
	return space->centers[(size_t) feature * space->padded + group];
}

/*
 * Squared distances of a row from all centers, into room for padded numbers.
 * gaps: the row may lack features.  What a row's distance is does not depend on
 * the processor, nor on the other centers.
 */
extern void crm_kmeans_distances(const crm_kmeans_space *space, const double *x, bool gaps, double *distances);

/* The nearest center of those distances, the first of equals. */
static inline uint32_t
crm_kmeans_nearest(const double *distances, uint32_t groups)
{
	uint32_t	nearest = 0;

	for (uint32_t c = 1; c < groups; c++)
		if (distances[c] < distances[nearest])
			nearest = c;
	return nearest;
}

/* The same, and the nearest but that one; groups where there is none. */
extern uint32_t crm_kmeans_nearest_two(const double *distances, uint32_t groups, uint32_t *second);

/* ---- fitting ------------------------------------------------------------- */

typedef struct crm_kmeans_options
{
	uint32_t	groups;
	uint32_t	starts;
	uint32_t	iterations;		/* at most, of the last run */
	double		tolerance;		/* ends once centers move less, squared, than this share of the features' mean variance */
	uint64_t	seed;
	bool		standardize;	/* features are divided by their standard deviations */
	const uint8_t *categorical; /* marks for each feature; NULL: none */
	double		gamma;			/* of categories; below 0: what makes them weigh as much as numbers do */
	/* called after each step of the last run; may be NULL */
	void		(*step) (void *arg, uint32_t iteration);
	void	   *arg;
} crm_kmeans_options;

typedef struct crm_kmeans_result
{
	uint32_t	groups;			/* fewer than asked for where there are fewer different rows */
	double	   *centers;		/* a group after the other, the largest group first */
	double	   *scales;			/* of features */
	double	   *means;			/* of features; of a category its most frequent value */
	double		gamma;
	uint64_t   *sizes;			/* rows of groups */
	double	   *weights;		/* and their weights */
	double	   *within;			/* weighted sum of squared distances from the group's center */
	double		inertia;		/* of all groups */
	double		total;			/* the same were there one group only */
	double		weight;
	uint64_t	rows;
	uint64_t	different;		/* different rows */
	uint32_t	iterations;
	bool		converged;
	size_t		needed;			/* bytes, when the status is CRM_LIMIT */
} crm_kmeans_result;

/*
 * CRM_LIMIT when it would take more memory than columns may; CRM_OUT_OF_RANGE
 * when squares of the numbers go beyond the range of a double; at least one row.
 */
extern crm_status crm_kmeans_fit(const crm_columns *columns, const crm_kmeans_options *options, const crm_env *env, crm_kmeans_result *result);

/* What it takes at its worst moment besides the columns. */
extern size_t crm_kmeans_fit_bytes(uint64_t rows, uint32_t features);

/* ---- how many groups (kmeans_choice.c) ------------------------------------- */

typedef struct crm_kmeans_choice
{
	uint32_t	groups;
	double		inertia;		/* of all rows */
	double		explained;		/* share of the total that the groups explain, 0 ... 1; NaN where rows are all alike */
	double		silhouette;		/* mean over the sample; NaN for one group */
	double		gap;			/* of the sample; NaN without references */
	double		gap_error;
	bool		elbow;
	bool		best_silhouette;
	bool		gap_choice;
} crm_kmeans_choice;

typedef struct crm_kmeans_choice_options
{
	uint32_t	sample;			/* rows for silhouette and gap */
	uint32_t	references;		/* random sets for the gap, 0: none */
} crm_kmeans_choice_options;

/* From 1 to options->groups groups, or as many as there are different rows; *count of them. */
extern crm_status crm_kmeans_choose(const crm_columns *columns, const crm_kmeans_options *options, const crm_kmeans_choice_options *wanted,
									const crm_env *env, crm_kmeans_choice *choices, uint32_t *count, size_t *needed);

/* ---- rows ---------------------------------------------------------------- */

/* A hash of numbers; equal numbers have equal hashes, -0 is 0, missing ones are equal. */
extern uint64_t crm_kmeans_hash(const double *numbers, uint32_t count);

/*
 * Samples that do not depend on the order of rows, nor on how they are parted:
 * a level keeps the rows, features and weight, whose hashes are in the lowest
 * 2^-level of all.  The level of a set is the least at which there are no more
 * than so many different rows; that of its parts is never higher, so that parts may
 * be thinned before they are joined.
 */
#define CRM_KMEANS_MAX_LEVEL 63

static inline bool
crm_kmeans_is_kept(uint64_t hash, uint8_t level)
{
	return level == 0 || hash >> (64 - level) == 0;
}

/* Rows of that level, or of the one from it on at which there are no more than most; equal rows are one with copies. */
extern crm_status crm_kmeans_thin(const crm_columns *from, uint32_t most, uint8_t *level, const crm_env *env, crm_columns *to);

#endif							/* CRM_KERNEL_KMEANS_H */
