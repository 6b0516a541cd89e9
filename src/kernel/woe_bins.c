/*
 * woe_bins.c - bins of numbers, and the fit of models upon them.
 *
 * A feature is cut into fine bins of nearly as many rows; neighbours are merged until
 * the rate of positives is monotone (pool adjacent violators; Ayer et al. 1955), each bin has
 * enough rows and both labels, and there are few enough: always the two whose merging loses
 * least information.
 */
#include "kernel/woe_bins.h"

#include <math.h>

#include "kernel/logistic_fit.h"
#include "kernel/scores.h"

static crm_status
allocate(const crm_env *env, void **place, size_t size)
{
	*place = env->alloc(env->arg, size == 0 ? 1 : size);
	if (*place == NULL)
		return CRM_NO_MEMORY;
	memset(*place, 0, size);
	return CRM_OK;
}

/* ---- evidence ------------------------------------------------------------------ */

typedef struct labels
{
	double		positives;		/* of all rows */
	double		negatives;
} labels;

/* A count of 0, which a bin of missing numbers may have, counts as 0.99: evidence without end is none. */
static double
evidence(const labels *all, uint64_t rows, uint64_t positives, double *information)
{
	double		positive_share = (positives == 0 ? 0.99 : (double) positives) / all->positives;
	double		negative_share = (positives == rows ? 0.99 : (double) (rows - positives)) / all->negatives;
	double		woe = log(positive_share / negative_share);

	*information = (positive_share - negative_share) * woe;
	return woe;
}

/* Towards the overall rate by so many rows of it. */
static double
smoothed_evidence(const labels *all, uint64_t rows, uint64_t positives, double smoothing)
{
	double		rate = all->positives / (all->positives + all->negatives);
	double		yes = (double) positives + smoothing * rate;
	double		no = (double) (rows - positives) + smoothing * (1 - rate);

	return log(yes / no) - log(all->positives / all->negatives);
}

/* ---- merging --------------------------------------------------------------------- */

static void
merge(crm_label_bins *b, uint32_t at)
{
	b->rows[at] += b->rows[at + 1];
	b->positives[at] += b->positives[at + 1];
	b->count--;
	for (uint32_t i = at + 1; i < b->count; i++)
	{
		b->starts[i] = b->starts[i + 1];
		b->rows[i] = b->rows[i + 1];
		b->positives[i] = b->positives[i + 1];
	}
}

/* The order of two rates, exactly: that of a / b and c / d. */
static int
compare_rates(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	unsigned __int128 left = (unsigned __int128) a * d;
	unsigned __int128 right = (unsigned __int128) c * b;

	return (left > right) - (left < right);
}

static double
lost_information(const crm_label_bins *b, const labels *all, uint32_t at)
{
	double		one;
	double		other;
	double		both;

	evidence(all, b->rows[at], b->positives[at], &one);
	evidence(all, b->rows[at + 1], b->positives[at + 1], &other);
	evidence(all, b->rows[at] + b->rows[at + 1], b->positives[at] + b->positives[at + 1], &both);
	return one + other - both;
}

/* Does the rate rise with the number?  By the covariance of the bins' places and their positives. */
static bool
rises(const crm_label_bins *b)
{
	double		rows = 0;
	double		positives = 0;
	double		places = 0;
	double		product = 0;

	for (uint32_t i = 0; i < b->count; i++)
	{
		rows += (double) b->rows[i];
		positives += (double) b->positives[i];
		places += i * (double) b->rows[i];
		product += i * (double) b->positives[i];
	}
	return product * rows >= places * positives;
}

static void
make_monotone(crm_label_bins *b)
{
	bool		rising = rises(b);

	for (uint32_t i = 0; i + 1 < b->count;)
	{
		int			order = compare_rates(b->positives[i], b->rows[i], b->positives[i + 1], b->rows[i + 1]);

		if (rising ? order < 0 : order > 0)
			i++;
		else
		{
			merge(b, i);
			if (i > 0)
				i--;
		}
	}
}

/* Merges the bin at that place with the neighbour by which less information is lost. */
static void
merge_with_neighbour(crm_label_bins *b, const labels *all, uint32_t at)
{
	if (at == 0)
		merge(b, 0);
	else if (at == b->count - 1 || lost_information(b, all, at - 1) <= lost_information(b, all, at))
		merge(b, at - 1);
	else
		merge(b, at);
}

static void
make_few(crm_label_bins *b, const labels *all, const crm_woe_options *options, uint64_t rows)
{
	for (;;)
	{
		uint32_t	smallest = 0;
		uint32_t	pair = 0;
		double		least = INFINITY;

		for (uint32_t i = 1; i < b->count; i++)
			if (b->rows[i] < b->rows[smallest])
				smallest = i;
		if (b->count > 1 && (double) b->rows[smallest] < options->min_share * (double) rows)
		{
			merge_with_neighbour(b, all, smallest);
			continue;
		}
		if (b->count <= (uint32_t) options->max_bins)
			break;
		for (uint32_t i = 0; i + 1 < b->count; i++)
		{
			double		lost = lost_information(b, all, i);

			if (lost < least)
			{
				least = lost;
				pair = i;
			}
		}
		merge(b, pair);
	}
	/* A bin of one label only has evidence without end. */
	for (uint32_t i = 0; options->scorecard && i < b->count && b->count > 1;)
		if (b->positives[i] == 0 || b->positives[i] == b->rows[i])
		{
			merge_with_neighbour(b, all, i);
			i = 0;
		}
		else
			i++;
}

/* ---- one feature ------------------------------------------------------------------- */

/* Splits a column into numbers of positives and of negatives, sorted; counts the missing ones. */
static crm_status
sort_column(const crm_columns *rows, uint32_t column, const crm_env *env, double *room, crm_scores *scores,
			uint64_t *missing, uint64_t *missing_positives)
{
	double		x[CRM_COLUMNS_MAX_BLOCK];
	double		y[CRM_COLUMNS_MAX_BLOCK];
	uint64_t	low = 0;
	uint64_t	high = rows->rows;

	*missing = *missing_positives = 0;
	for (size_t part = 0; part < crm_columns_parts(rows); part++)
	{
		crm_columns_read(rows, part, column, x);
		crm_columns_read(rows, part, CRM_ROWS_LABEL, y);
		for (uint32_t i = 0; i < crm_columns_part_rows(rows, part); i++)
			if (isnan(x[i]))
			{
				(*missing)++;
				*missing_positives += y[i] > 0;
			}
			else if (y[i] > 0)
				room[low++] = x[i];
			else
				room[--high] = x[i];
		crm_progress(env);
	}
	scores->positives = room;
	scores->positive_count = low;
	scores->negatives = room + high;
	scores->negative_count = rows->rows - high;
	return crm_scores_sort(env, scores);
}

crm_status
crm_label_bins_room(const crm_env *env, int fine_bins, crm_label_bins *b)
{
	b->count = 0;
	CRM_TRY(allocate(env, (void **) &b->starts, sizeof(double) * ((size_t) fine_bins + 1)));
	CRM_TRY(allocate(env, (void **) &b->rows, sizeof(uint64_t) * ((size_t) fine_bins + 1)));
	return allocate(env, (void **) &b->positives, sizeof(uint64_t) * ((size_t) fine_bins + 1));
}

void
crm_label_bins_cut(const crm_scores *s, int fine_bins, crm_label_bins *b)
{
	uint64_t	rows = s->positive_count + s->negative_count;
	uint64_t	i = 0;
	uint64_t	j = 0;

	b->count = 0;
	while (i < s->positive_count || j < s->negative_count)
	{
		double		x = j == s->negative_count || (i < s->positive_count && s->positives[i] < s->negatives[j]) ? s->positives[i] : s->negatives[j];
		uint64_t	before = i + j;
		uint64_t	positives = i;

		while (i < s->positive_count && s->positives[i] == x)
			i++;
		while (j < s->negative_count && s->negatives[j] == x)
			j++;
		/* a new bin begins where the one before has its share of the rows */
		if (b->count == 0 || before * (uint64_t) fine_bins >= b->count * rows)
		{
			b->starts[b->count] = x;
			b->rows[b->count] = b->positives[b->count] = 0;
			b->count++;
		}
		b->rows[b->count - 1] += i + j - before;
		b->positives[b->count - 1] += i - positives;
	}
	if (b->count == 0)
	{
		b->rows[0] = b->positives[0] = 0;
		b->count = 1;
	}
}

static void
merge_bins(crm_label_bins *b, const labels *all, const crm_woe_options *options, uint64_t rows)
{
	if (options->monotone)
		make_monotone(b);
	make_few(b, all, options, rows);
	if (options->monotone)
		make_monotone(b);
}

void
crm_label_bins_merge(crm_label_bins *b, const crm_woe_options *options)
{
	labels		all = {0};
	uint64_t	rows = 0;

	for (uint32_t i = 0; i < b->count; i++)
	{
		rows += b->rows[i];
		all.positives += (double) b->positives[i];
	}
	all.negatives = (double) rows - all.positives;
	merge_bins(b, &all, options, rows);
}

static crm_status
bin_feature(const crm_columns *rows, uint32_t column, const crm_woe_options *options, const labels *all, const crm_env *env,
			double *room, crm_label_bins *b, crm_woe_feature *out)
{
	crm_scores	scores;
	uint64_t	missing;
	uint64_t	missing_positives;
	uint32_t	count;

	CRM_TRY(sort_column(rows, column, env, room, &scores, &missing, &missing_positives));
	crm_label_bins_cut(&scores, options->fine_bins, b);
	merge_bins(b, all, options, rows->rows);

	count = b->count + 1;
	out->cut_count = b->count - 1;
	CRM_TRY(allocate(env, (void **) &out->cuts, sizeof(double) * out->cut_count));
	CRM_TRY(allocate(env, (void **) &out->rows, sizeof(uint64_t) * count));
	CRM_TRY(allocate(env, (void **) &out->positives, sizeof(uint64_t) * count));
	CRM_TRY(allocate(env, (void **) &out->woe, sizeof(double) * count));
	for (uint32_t i = 1; i < b->count; i++)
		out->cuts[i - 1] = b->starts[i];
	memcpy(out->rows, b->rows, sizeof(uint64_t) * b->count);
	memcpy(out->positives, b->positives, sizeof(uint64_t) * b->count);
	out->rows[b->count] = missing;
	out->positives[b->count] = missing_positives;
	out->information = 0;
	for (uint32_t i = 0; i < count; i++)
	{
		double		information;
		double		woe;

		/* what never occurred says nothing */
		if (out->rows[i] == 0)
			continue;
		woe = evidence(all, out->rows[i], out->positives[i], &information);
		out->information += information;
		out->woe[i] = options->scorecard ? woe : smoothed_evidence(all, out->rows[i], out->positives[i], options->smoothing);
	}
	return CRM_OK;
}

uint32_t
crm_woe_bin(const double *cuts, uint32_t cut_count, double x)
{
	uint32_t	low = 0;

	if (isnan(x))
		return cut_count + 1;
	/* number of cuts not above x */
	while (cut_count > 0)
	{
		uint32_t	half = cut_count / 2;

		if (cuts[low + half] <= x)
		{
			low += half + 1;
			cut_count -= half + 1;
		}
		else
			cut_count = half;
	}
	return low;
}

/* ---- the fit -------------------------------------------------------------------------- */

/* Rows again, with evidence in place of the features; for naive Bayes its sum. */
static crm_status
weigh_rows(const crm_columns *rows, const crm_woe_options *options, const crm_woe_feature *features, uint32_t count,
		   const crm_env *env, crm_columns *weighed)
{
	double	   *x;
	uint32_t	stride = CRM_COLUMNS_MAX_BLOCK;
	uint32_t	width = count + CRM_ROWS_FEATURES;

	CRM_TRY(allocate(env, (void **) &x, sizeof(double) * stride * width));
	crm_columns_init(weighed, env, options->scorecard ? width : CRM_ROWS_FEATURES + 1, rows->max_bytes);
	for (size_t part = 0; part < crm_columns_parts(rows); part++)
	{
		for (uint32_t j = 0; j < width; j++)
			crm_columns_read(rows, part, j, x + (size_t) j * stride);
		for (uint32_t i = 0; i < crm_columns_part_rows(rows, part); i++)
		{
			double	   *row;

			CRM_TRY(crm_columns_add(weighed, &row));
			row[CRM_ROWS_LABEL] = x[i];
			row[CRM_ROWS_WEIGHT] = 1;
			if (!options->scorecard)
				row[CRM_ROWS_FEATURES] = 0;
			for (uint32_t j = 0; j < count; j++)
			{
				const crm_woe_feature *f = &features[j];
				double		woe = f->woe[crm_woe_bin(f->cuts, f->cut_count, x[(size_t) (j + CRM_ROWS_FEATURES) * stride + i])];

				if (options->scorecard)
					row[CRM_ROWS_FEATURES + j] = woe;
				else
					row[CRM_ROWS_FEATURES] += woe;
			}
			crm_columns_added(weighed);
		}
		crm_progress(env);
	}
	env->release(env->arg, x);
	return CRM_OK;
}

/* Coefficients of the evidence: of each feature, or for naive Bayes one for all, which undoes what is counted twice. */
static crm_status
fit_evidence(const crm_columns *rows, const crm_woe_options *options, const crm_woe_feature *features, uint32_t count,
			 const crm_env *env, crm_logistic_result *result, double *coefficients)
{
	crm_columns weighed;
	crm_logistic_options wanted = {true, true, 0, options->l2, 1e-8, 100};
	uint32_t	width = options->scorecard ? count : 1;
	crm_env		within = *env;

	/* the steps are the features */
	within.step = NULL;
	CRM_TRY(weigh_rows(rows, options, features, count, env, &weighed));
	memset(result, 0, sizeof(*result));
	CRM_TRY(allocate(env, (void **) &result->coefficients, sizeof(double) * width));
	CRM_TRY(allocate(env, (void **) &result->means, sizeof(double) * width));
	CRM_TRY(allocate(env, (void **) &result->errors, sizeof(double) * width));
	CRM_TRY(allocate(env, (void **) &result->constant, width));
	CRM_TRY(allocate(env, (void **) &result->collinear, width));
	CRM_TRY(crm_logistic_fit(&weighed, &wanted, &within, result));
	for (uint32_t j = 0; j < count; j++)
		coefficients[j] = result->coefficients[options->scorecard ? j : 0];
	return CRM_OK;
}

typedef struct all_bins
{
	int64_t    *cut_counts;
	double	   *cuts;
	double	   *woe;
	int64_t    *rows;
	int64_t    *positives;
	double	   *information;
} all_bins;

static crm_status
gather(const crm_woe_feature *features, uint32_t count, const crm_env *env, all_bins *all, uint32_t *cut_total, uint32_t *bin_total)
{
	uint32_t	cut = 0;
	uint32_t	bin = 0;

	*cut_total = *bin_total = 0;
	for (uint32_t j = 0; j < count; j++)
	{
		*cut_total += features[j].cut_count;
		*bin_total += features[j].cut_count + 2;
	}
	CRM_TRY(allocate(env, (void **) &all->cut_counts, sizeof(int64_t) * count));
	CRM_TRY(allocate(env, (void **) &all->cuts, sizeof(double) * *cut_total));
	CRM_TRY(allocate(env, (void **) &all->woe, sizeof(double) * *bin_total));
	CRM_TRY(allocate(env, (void **) &all->rows, sizeof(int64_t) * *bin_total));
	CRM_TRY(allocate(env, (void **) &all->positives, sizeof(int64_t) * *bin_total));
	CRM_TRY(allocate(env, (void **) &all->information, sizeof(double) * count));
	for (uint32_t j = 0; j < count; j++)
	{
		const crm_woe_feature *f = &features[j];

		all->cut_counts[j] = f->cut_count;
		all->information[j] = f->information;
		for (uint32_t i = 0; i < f->cut_count; i++)
			all->cuts[cut++] = f->cuts[i];
		for (uint32_t i = 0; i < f->cut_count + 2; i++, bin++)
		{
			all->woe[bin] = f->woe[i];
			all->rows[bin] = (int64_t) f->rows[i];
			all->positives[bin] = (int64_t) f->positives[i];
		}
	}
	return CRM_OK;
}

crm_status
crm_woe_fit(const crm_columns *rows, const crm_woe_options *options, const crm_env *env, crm_model *m)
{
	uint32_t	count = rows->width - CRM_ROWS_FEATURES;
	crm_woe_feature *features;
	crm_logistic_result result;
	double	   *coefficients;
	double	   *room;
	double		y[CRM_COLUMNS_MAX_BLOCK];
	labels		all = {0};
	crm_label_bins b;
	all_bins	gathered;
	uint32_t	cuts;
	uint32_t	bin_total;

	CRM_TRY(allocate(env, (void **) &features, sizeof(crm_woe_feature) * count));
	CRM_TRY(allocate(env, (void **) &coefficients, sizeof(double) * count));
	CRM_TRY(allocate(env, (void **) &room, sizeof(double) * rows->rows));
	CRM_TRY(crm_label_bins_room(env, options->fine_bins, &b));
	for (size_t part = 0; part < crm_columns_parts(rows); part++)
	{
		crm_columns_read(rows, part, CRM_ROWS_LABEL, y);
		for (uint32_t i = 0; i < crm_columns_part_rows(rows, part); i++)
			all.positives += y[i];
	}
	all.negatives = (double) rows->rows - all.positives;
	for (uint32_t j = 0; j < count; j++)
	{
		CRM_TRY(bin_feature(rows, CRM_ROWS_FEATURES + j, options, &all, env, room, &b, &features[j]));
		crm_step(env, j + 1);
	}
	env->release(env->arg, room);
	CRM_TRY(fit_evidence(rows, options, features, count, env, &result, coefficients));
	CRM_TRY(gather(features, count, env, &gathered, &cuts, &bin_total));

	crm_model_begin(m, options->scorecard ? &crm_model_scorecard : &crm_model_naive_bayes, count);
	crm_model_set_number(m, CRM_WOE_INTERCEPT, result.intercept);
	crm_model_set_numbers(m, CRM_WOE_COEFFICIENTS, coefficients, count);
	crm_model_set_integers(m, CRM_WOE_CUT_COUNTS, gathered.cut_counts, count);
	crm_model_set_numbers(m, CRM_WOE_CUTS, gathered.cuts, cuts);
	crm_model_set_numbers(m, CRM_WOE_WOE, gathered.woe, bin_total);
	crm_model_set_integers(m, CRM_WOE_BIN_ROWS, gathered.rows, bin_total);
	crm_model_set_integers(m, CRM_WOE_BIN_POSITIVES, gathered.positives, bin_total);
	crm_model_set_numbers(m, CRM_WOE_INFORMATION, gathered.information, count);
	crm_model_set_integer(m, CRM_WOE_ROWS, (int64_t) rows->rows);
	crm_model_set_integer(m, CRM_WOE_POSITIVES, (int64_t) all.positives);
	crm_model_set_number(m, CRM_WOE_LOG_LIKELIHOOD, result.log_likelihood);
	crm_model_set_integer(m, CRM_WOE_CONVERGED, result.converged);
	if (options->scorecard)
	{
		crm_model_set_number(m, CRM_WOE_PDO, options->pdo);
		crm_model_set_number(m, CRM_WOE_BASE_POINTS, options->base_points);
		crm_model_set_number(m, CRM_WOE_BASE_ODDS, options->base_odds);
	}
	return CRM_OK;
}
