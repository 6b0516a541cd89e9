/*
 * kmeans_private.h - what the files of k-means share.
 */
#ifndef CRM_KERNEL_KMEANS_PRIVATE_H
#define CRM_KERNEL_KMEANS_PRIVATE_H

#include "kernel/kmeans.h"

/* Different rows, sorted by a hash. */
typedef struct kmeans_rows
{
	uint32_t	features;
	uint32_t	count;
	double	   *x;				/* row by row */
	double	   *weights;		/* of all rows that are one here */
	uint64_t   *copies;			/* how many they are */
	bool		gaps;			/* features are missing in some row */
	const uint8_t *categorical;
	double		gamma;
	double	   *means;
	double	   *scales;
	bool		scaled;			/* some scale is not 1 */
	double		weight;			/* sum of weights */
	double		total;			/* weighted sum of squared distances from the means */
	/* categories are 0, 1, ... here; what they were */
	uint32_t   *category_count; /* of each feature, 0 of numbers */
	uint32_t   *category_first; /* where a feature's counts begin among those of a group */
	double	  **category_values;
	uint32_t	category_total;
} kmeans_rows;

/* Sorts, joins equal rows, and finds means and scales (kmeans_rows.c). */
extern crm_status kmeans_rows_load(kmeans_rows *rows, const crm_columns *columns, const crm_kmeans_options *options, const crm_env *env, size_t *needed);

/* So many of the rows, evenly spread, in memory of their own; all of them where there are no more. */
extern crm_status kmeans_rows_sample(const kmeans_rows *rows, uint32_t most, const crm_env *env, kmeans_rows *sample);
extern void kmeans_rows_free(kmeans_rows *rows, const crm_env *env);

/* The measure of these rows, for so many groups. */
extern crm_status kmeans_space(crm_kmeans_space *space, const kmeans_rows *rows, uint32_t groups, const crm_env *env);
/* A row as the center of a group; what it lacks is as in the mean row. */
extern void kmeans_space_take(crm_kmeans_space *space, uint32_t group, const kmeans_rows *rows, const double *x);

typedef struct kmeans_run
{
	crm_kmeans_space space;
	double		inertia;
	uint32_t	iterations;
	bool		converged;
	uint32_t   *groups;			/* of each row */
	bool		unmeasured;		/* whoever asks measures the groups himself: of all rows, inertia and groups are left out where nothing else needs them */
} kmeans_run;

/* ---- steps (kmeans_lloyd.c) -------------------------------------------------- */

/* Rows that starts are made on. */
#define KMEANS_START_ROWS 16384
/* Rows between two looks at the progress callback. */
#define KMEANS_STRIDE 4096

/* The same where each row takes so many operations. */
static inline uint32_t
kmeans_stride(size_t operations)
{
	size_t		rows = (size_t) 4000000 / (operations + 1);

	return rows < 1 ? 1 : rows > KMEANS_STRIDE ? KMEANS_STRIDE : (uint32_t) rows;
}

typedef struct kmeans_lloyd
{
	const kmeans_rows *rows;
	const crm_env *env;
	crm_kmeans_space space;		/* the centers */
	uint32_t	k;
	uint32_t	d;
	bool		mixed;			/* categories or gaps */
	uint32_t	stride;			/* rows between two looks at the progress callback */
	/* of rows */
	uint32_t   *group;
	double	   *upper;			/* distance from the center, less what the center had moved then */
	double	   *lower;			/* distance from the next center, and what the others had moved */
	/* of groups */
	uint32_t   *members;
	double	   *sums;			/* of weighted differences from the means */
	double	   *seen;			/* weights of those that have the feature; of all where nothing is missing (then one a group) */
	double	   *counts;			/* of each value of each category */
	double	   *moved;			/* so far */
	double	   *others_moved;
	double	   *drift;			/* of the last step */
	double	   *half;			/* half the distance to the nearest other center */
	double	   *distances;
	double	   *center;
} kmeans_lloyd;

extern crm_status kmeans_lloyd_open(kmeans_lloyd *l, const kmeans_rows *rows, uint32_t k, const crm_env *env);
/* All but the centers, which the caller has taken. */
extern void kmeans_lloyd_close(kmeans_lloyd *l);
/* From the centers in l->space to where they rest. */
extern void kmeans_iterate(kmeans_lloyd *l, const crm_kmeans_options *options, bool last, kmeans_run *run);

/* ---- starts (kmeans_fit.c) ---------------------------------------------------- */

/* Starts, and the best of them carried on with all rows.  run->groups is filled where it is not NULL. */
extern crm_status kmeans_solve(const kmeans_rows *rows, const crm_kmeans_options *options, const crm_env *env, kmeans_run *run);

/* ---- random numbers: splitmix64 (Steele, Lea & Flood 2014) -------------------- */

static inline uint64_t
kmeans_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
	return x ^ (x >> 31);
}

static inline double
kmeans_random(uint64_t *state)
{
	*state += UINT64_C(0x9E3779B97F4A7C15);
	return (double) (kmeans_mix(*state) >> 11) * 0x1p-53;
}

static inline void *
kmeans_alloc(const crm_env *env, size_t count, size_t size)
{
	return env->alloc(env->arg, (count == 0 ? 1 : count) * size);
}

#endif							/* CRM_KERNEL_KMEANS_PRIVATE_H */
