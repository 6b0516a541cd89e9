/*
 * kmeans_lloyd.c - from given centers to where they rest.
 *
 * A step of Lloyd's puts each row to its nearest center and each center into the
 * middle of its rows.  Rows whose center cannot have changed are left alone: by the
 * distance they had to it, and to the next one, and by how far the centers moved
 * since (Hamerly 2010, "Making k-means even faster").  The bounds hold with
 * categories, whose mismatches are squared distances of corners of a simplex, and
 * with missing features, where a center moves no farther than in all features.
 */
#include "kernel/kmeans_private.h"

#include <math.h>

/* What a bound must be better by, since distances are rounded. */
#define SAFETY 1e-10
/* Passes over single rows at most: where weights differ so much that sums lose rows, moves might go round in circles. */
#define TRANSFER_PASSES 50

/* ---- memory ---------------------------------------------------------------- */

crm_status
kmeans_lloyd_open(kmeans_lloyd *l, const kmeans_rows *rows, uint32_t k, const crm_env *env)
{
	size_t		n = rows->count;
	size_t		counts = (size_t) k * rows->category_total;

	memset(l, 0, sizeof(*l));
	l->rows = rows;
	l->env = env;
	l->k = k;
	l->d = rows->features;
	l->mixed = rows->gaps || rows->categorical != NULL;
	l->stride = kmeans_stride((size_t) k * l->d);
	CRM_TRY(kmeans_space(&l->space, rows, k, env));
	l->group = kmeans_alloc(env, n, sizeof(uint32_t));
	l->upper = kmeans_alloc(env, n, sizeof(double));
	l->lower = kmeans_alloc(env, n, sizeof(double));
	l->members = kmeans_alloc(env, k, sizeof(uint32_t));
	l->sums = kmeans_alloc(env, (size_t) k * l->d, sizeof(double));
	l->seen = kmeans_alloc(env, (size_t) k * (rows->gaps ? l->d : 1), sizeof(double));
	l->counts = kmeans_alloc(env, counts, sizeof(double));
	l->moved = kmeans_alloc(env, k, sizeof(double));
	l->others_moved = kmeans_alloc(env, k, sizeof(double));
	l->drift = kmeans_alloc(env, k, sizeof(double));
	l->half = kmeans_alloc(env, k, sizeof(double));
	l->distances = kmeans_alloc(env, l->space.padded, sizeof(double));
	l->center = kmeans_alloc(env, l->d, sizeof(double));
	return l->group == NULL || l->upper == NULL || l->lower == NULL || l->members == NULL || l->sums == NULL || l->seen == NULL ||
		l->counts == NULL || l->moved == NULL || l->others_moved == NULL || l->drift == NULL || l->half == NULL ||
		l->distances == NULL || l->center == NULL ? CRM_NO_MEMORY : CRM_OK;
}

void
kmeans_lloyd_close(kmeans_lloyd *l)
{
	void	   *all[] = {l->group, l->upper, l->lower, l->members, l->sums, l->seen, l->counts, l->moved, l->others_moved, l->drift,
	l->half, l->distances, l->center};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] != NULL)
			l->env->release(l->env->arg, all[i]);
}

/* ---- sums of groups ------------------------------------------------------------ */

/* Adds a row to the sums of a group, or takes it out: sign 1 or -1. */
static void
move_row(kmeans_lloyd *l, uint32_t c, uint32_t i, double sign)
{
	const kmeans_rows *rows = l->rows;
	const double *x = rows->x + (size_t) i * l->d;
	double		weight = sign * rows->weights[i];
	double	   *sums = l->sums + (size_t) c * l->d;

	l->members[c] += sign > 0 ? 1 : -1;
	if (!l->mixed)
	{
		l->seen[c] += weight;
		for (uint32_t j = 0; j < l->d; j++)
			sums[j] += weight * (x[j] - rows->means[j]);
		return;
	}
	if (!rows->gaps)
		l->seen[c] += weight;
	for (uint32_t j = 0; j < l->d; j++)
	{
		if (isnan(x[j]))
			continue;
		if (rows->gaps)
			l->seen[(size_t) c * l->d + j] += weight;
		if (rows->category_count[j] > 0)
			l->counts[(size_t) c * rows->category_total + rows->category_first[j] + (uint32_t) x[j]] += weight;
		else
			sums[j] += weight * (x[j] - rows->means[j]);
	}
}

static void
clear_groups(kmeans_lloyd *l)
{
	memset(l->members, 0, sizeof(uint32_t) * l->k);
	memset(l->sums, 0, sizeof(double) * l->k * l->d);
	memset(l->seen, 0, sizeof(double) * l->k * (l->rows->gaps ? l->d : 1));
	memset(l->counts, 0, sizeof(double) * l->k * l->rows->category_total);
}

static void
sum_groups(kmeans_lloyd *l)
{
	clear_groups(l);
	for (uint32_t i = 0; i < l->rows->count; i++)
	{
		if (i % l->stride == 0)
			crm_progress(l->env);
		move_row(l, l->group[i], i, 1);
	}
}

/* The middle of a group's rows, into l->center.  A feature that none of them has is as in the mean row. */
static void
find_middle(kmeans_lloyd *l, uint32_t c)
{
	const kmeans_rows *rows = l->rows;

	for (uint32_t j = 0; j < l->d; j++)
	{
		double		seen = rows->gaps ? l->seen[(size_t) c * l->d + j] : l->seen[c];

		l->center[j] = rows->means[j];
		if (rows->category_count[j] > 0)
		{
			const double *counts = l->counts + (size_t) c * rows->category_total + rows->category_first[j];
			uint32_t	mode = (uint32_t) rows->means[j];

			/* the first of the most frequent; rounding may leave a little behind of values that went */
			if (seen > 0)
				for (uint32_t v = 0; v < rows->category_count[j]; v++)
					if (counts[v] > counts[mode] * (1 + SAFETY) || (v < mode && counts[v] >= counts[mode] * (1 - SAFETY) && counts[v] > 0))
						mode = v;
			l->center[j] = mode;
		}
		else if (seen > 0)
			l->center[j] += l->sums[(size_t) c * l->d + j] / seen;
	}
}

/* Puts l->center into its place; the squared distance from where it was. */
static double
place_center(kmeans_lloyd *l, uint32_t c)
{
	double		sum = 0;

	for (uint32_t j = 0; j < l->d; j++)
	{
		double		before = crm_kmeans_space_get(&l->space, c, j);

		if (l->rows->category_count[j] > 0)
			sum += before != l->center[j] ? l->rows->gamma : 0;
		else
		{
			double		difference = (before - l->center[j]) * l->rows->scales[j];

			sum += difference * difference;
		}
		crm_kmeans_space_set(&l->space, c, j, l->center[j]);
	}
	return sum;
}

/* ---- steps --------------------------------------------------------------------------- */

static void
measure_row(kmeans_lloyd *l, uint32_t i)
{
	crm_kmeans_distances(&l->space, l->rows->x + (size_t) i * l->d, l->rows->gaps, l->distances);
}

/* Notes the distances at hand as those of the row's center, the nearest one, and the next one; which it is. */
static uint32_t
note_bounds(kmeans_lloyd *l, uint32_t i)
{
	uint32_t	nearest = 0;
	double		least = l->distances[0];
	double		next = INFINITY;

	/* without a branch: which one is nearer is anybody's guess */
	for (uint32_t c = 1; c < l->k; c++)
	{
		double		distance = l->distances[c];
		double		greater = distance < least ? least : distance;

		nearest = distance < least ? c : nearest;
		least = distance < least ? distance : least;
		next = greater < next ? greater : next;
	}
	l->upper[i] = sqrt(least) - l->moved[nearest];
	l->lower[i] = sqrt(next) + l->others_moved[nearest];
	return nearest;
}

/* Each row to its nearest center, and the sums of groups. */
static void
assign_all(kmeans_lloyd *l)
{
	for (uint32_t c = 0; c < l->k; c++)
		l->moved[c] = l->others_moved[c] = 0;
	clear_groups(l);
	for (uint32_t i = 0; i < l->rows->count; i++)
	{
		if (i % l->stride == 0)
			crm_progress(l->env);
		measure_row(l, i);
		l->group[i] = note_bounds(l, i);
		move_row(l, l->group[i], i, 1);
	}
}

/*
 * Half the distance of each center from the nearest other one: a row nearer to
 * its center than that stays.  Not so where features are missing: in those that
 * a row has the centers may be nearer to each other.
 */
static void
measure_centers(kmeans_lloyd *l)
{
	for (uint32_t c = 0; c < l->k; c++)
	{
		double		least = INFINITY;

		l->half[c] = 0;
		if (l->rows->gaps)
			continue;

		crm_progress(l->env);
		for (uint32_t j = 0; j < l->d; j++)
			l->center[j] = crm_kmeans_space_get(&l->space, c, j);
		crm_kmeans_distances(&l->space, l->center, false, l->distances);
		for (uint32_t other = 0; other < l->k; other++)
			if (other != c && l->distances[other] < least)
				least = l->distances[other];
		l->half[c] = sqrt(least) / 2;
	}
}

/* Puts rows to their nearest centers; how many changed. */
static uint32_t
assign_changed(kmeans_lloyd *l)
{
	uint32_t	changed = 0;

	measure_centers(l);
	for (uint32_t i = 0; i < l->rows->count; i++)
	{
		uint32_t	c = l->group[i];
		double		upper = l->upper[i] + l->moved[c];
		double		bound = l->lower[i] - l->others_moved[c];
		uint32_t	nearest;

		if (i % l->stride == 0)
			crm_progress(l->env);
		if (bound < l->half[c])
			bound = l->half[c];
		if (upper + SAFETY * (upper + l->moved[c] + l->others_moved[c]) < bound)
			continue;
		measure_row(l, i);
		nearest = note_bounds(l, i);
		if (nearest != c)
		{
			move_row(l, c, i, -1);
			move_row(l, nearest, i, 1);
			l->group[i] = nearest;
			changed++;
		}
	}
	return changed;
}

/* A group that lost its rows takes the row that is farthest from its own center; the first of such rows. */
static void
mend_empty(kmeans_lloyd *l)
{
	for (uint32_t c = 0; c < l->k; c++)
	{
		double		farthest = 0;
		uint32_t	found = 0;
		uint32_t	from;

		if (l->members[c] > 0)
			continue;
		for (uint32_t i = 0; i < l->rows->count; i++)
		{
			if (i % l->stride == 0)
				crm_progress(l->env);
			if (l->members[l->group[i]] < 2)
				continue;
			measure_row(l, i);
			if (l->distances[l->group[i]] > farthest)
			{
				farthest = l->distances[l->group[i]];
				found = i;
			}
		}
		if (farthest == 0)
			continue;
		from = l->group[found];
		move_row(l, from, found, -1);
		/* what rounding left in the sums of nobody goes */
		memset(l->sums + (size_t) c * l->d, 0, sizeof(double) * l->d);
		memset(l->seen + (size_t) c * (l->rows->gaps ? l->d : 1), 0, sizeof(double) * (l->rows->gaps ? l->d : 1));
		memset(l->counts + (size_t) c * l->rows->category_total, 0, sizeof(double) * l->rows->category_total);
		move_row(l, c, found, 1);
		l->group[found] = c;
		l->upper[found] = INFINITY;	/* looked at in the next step, whatever it may be */
	}
}

/* Centers into the middle of their rows; the sum of how far they moved, squared. */
static double
move_centers(kmeans_lloyd *l)
{
	double		sum = 0;
	double		most = 0;
	double		next = 0;
	uint32_t	farthest = 0;

	mend_empty(l);
	for (uint32_t c = 0; c < l->k; c++)
	{
		double		squared;

		find_middle(l, c);
		squared = place_center(l, c);
		sum += squared;
		l->drift[c] = sqrt(squared);
		if (l->drift[c] > most)
		{
			next = most;
			most = l->drift[c];
			farthest = c;
		}
		else if (l->drift[c] > next)
			next = l->drift[c];
	}
	for (uint32_t c = 0; c < l->k; c++)
	{
		l->moved[c] += l->drift[c];
		l->others_moved[c] += c == farthest ? next : most;
	}
	return sum;
}

/*
 * Sends single rows to other groups where that lowers the sum, with what it does
 * to both centers taken into account, until none is left: no step of Lloyd's finds
 * these, and all it can find are among what is left (Hartigan 1975; Telgarsky &
 * Vattani 2010, "Hartigan's method: k-means clustering without Voronoi").
 */
static void
transfer_rows(kmeans_lloyd *l)
{
	uint32_t	moves = 1;

	for (int pass = 0; pass < TRANSFER_PASSES && moves > 0; pass++)
	{
		moves = 0;
		sum_groups(l);
		for (uint32_t i = 0; i < l->rows->count; i++)
		{
			uint32_t	from = l->group[i];
			uint32_t	to = from;
			double		weight = l->rows->weights[i];
			double		least;

			if (i % l->stride == 0)
				crm_progress(l->env);
			if (l->members[from] < 2 || !(l->seen[from] > weight))
				continue;
			measure_row(l, i);
			/* what it adds where it is, and would add elsewhere; a little less would be rounding */
			least = l->distances[from] * l->seen[from] / (l->seen[from] - weight) * (1 - SAFETY);
			for (uint32_t c = 0; c < l->k; c++)
				if (c != from && l->distances[c] * l->seen[c] / (l->seen[c] + weight) < least)
				{
					least = l->distances[c] * l->seen[c] / (l->seen[c] + weight);
					to = c;
				}
			if (to == from)
				continue;
			move_row(l, from, i, -1);
			move_row(l, to, i, 1);
			l->group[i] = to;
			find_middle(l, from);
			(void) place_center(l, from);
			find_middle(l, to);
			(void) place_center(l, to);
			moves++;
		}
	}
}

/* Each row to its nearest center, and what is left. */
static double
finish(kmeans_lloyd *l)
{
	double		inertia = 0;

	for (uint32_t i = 0; i < l->rows->count; i++)
	{
		if (i % l->stride == 0)
			crm_progress(l->env);
		measure_row(l, i);
		l->group[i] = crm_kmeans_nearest(l->distances, l->k);
		inertia += l->rows->weights[i] * l->distances[l->group[i]];
	}
	return inertia;
}

void
kmeans_iterate(kmeans_lloyd *l, const crm_kmeans_options *options, bool last, kmeans_run *run)
{
	double		variance = l->d > 0 && l->rows->weight > 0 ? l->rows->total / l->rows->weight / l->d : 0;
	double		enough = options->tolerance * variance;

	assign_all(l);
	run->converged = false;
	for (run->iterations = 1;; run->iterations++)
	{
		double		shift = move_centers(l);

		if (last && options->step != NULL)
			options->step(options->arg, run->iterations);
		if (shift <= enough)
			run->converged = true;
		if (run->converged || run->iterations >= options->iterations)
			break;
		if (assign_changed(l) == 0)
		{
			run->converged = true;
			break;
		}
	}
	if (run->converged && last && !l->mixed && l->rows->count <= KMEANS_START_ROWS)
		transfer_rows(l);
	/* the sums have been added to and taken from many times: the centers come from fresh ones */
	sum_groups(l);
	(void) move_centers(l);
	if (!run->unmeasured)
		run->inertia = finish(l);
}
