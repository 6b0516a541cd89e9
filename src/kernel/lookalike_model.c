/*
 * lookalike_model.c - from counts to weights, how good they are, and scores.
 */
#include "kernel/lookalike_private.h"

#include <math.h>
#include <stdlib.h>

/* Texts with a bin of their own: the most frequent, of at least so many customers. */
#define MAX_TEXT_BINS 500
#define MIN_TEXT_CUSTOMERS 10

/* Customers of the seed and others. */
typedef struct totals
{
	double		seed;
	double		other;
} totals;

static totals
totals_of(const uint64_t *n, bool all)
{
	totals		t = {(double) n[1], (double) n[0]};

	if (all)
	{
		t.seed += (double) n[3];
		t.other += (double) n[2];
	}
	return t;
}

static uint64_t
customers_of(const lookalike_counts *counts)
{
	return counts->n[0] + counts->n[1] + counts->n[2] + counts->n[3];
}

static void
add_counts(lookalike_counts *sum, const lookalike_counts *more)
{
	for (int i = 0; i < 4; i++)
		sum->n[i] += more->n[i];
}

static double
weight_of(const lookalike_counts *counts, totals whole, bool all)
{
	totals		bin = totals_of(counts->n, all);
	double		usual = (bin.seed + bin.other) / (whole.seed + whole.other);

	if (!(bin.seed + bin.other > 0))
		return 0;
	return log((bin.seed + CRM_LOOKALIKE_PRIOR * usual) / (whole.seed + CRM_LOOKALIKE_PRIOR)) -
		log((bin.other + CRM_LOOKALIKE_PRIOR * usual) / (whole.other + CRM_LOOKALIKE_PRIOR));
}

/* A feature cut into bins: the weights of all, and those made without the held out. */
typedef struct binned
{
	crm_lookalike_feature *feature;
	double	   *trained;
	double		trained_missing;
	double		trained_other;
	uint32_t   *bins;			/* texts: bin + 1 by code - 1, 0 for the others */
} binned;

static int
compare_cells(const void *a, const void *b)
{
	int64_t		x = (*(const lookalike_cell *const *) a)->key;
	int64_t		y = (*(const lookalike_cell *const *) b)->key;

	return (x > y) - (x < y);
}

static crm_status
bin_numbers(const crm_env *env, const lookalike_feature *from, totals all, totals trained, binned *result)
{
	crm_lookalike_feature *f = result->feature;
	const lookalike_cell **cells = env->alloc(env->arg, (from->used + 1) * sizeof(*cells));
	lookalike_counts *bins = env->alloc(env->arg, CRM_LOOKALIKE_BINS * sizeof(*bins));
	uint64_t	total = 0;
	uint64_t	before = 0;
	uint32_t	n = 0;
	uint32_t	last = 0;

	f->borders = env->alloc(env->arg, CRM_LOOKALIKE_BINS * sizeof(double));
	f->weights = env->alloc(env->arg, CRM_LOOKALIKE_BINS * sizeof(double));
	result->trained = env->alloc(env->arg, CRM_LOOKALIKE_BINS * sizeof(double));
	if (cells == NULL || bins == NULL || f->borders == NULL || f->weights == NULL || result->trained == NULL)
		return CRM_NO_MEMORY;
	memset(bins, 0, CRM_LOOKALIKE_BINS * sizeof(*bins));
	for (uint32_t i = 0; i < from->room; i++)
		if (customers_of(&from->cells[i].counts) > 0)
		{
			cells[n++] = &from->cells[i];
			total += customers_of(&from->cells[i].counts);
		}
	if (n > 1)
		qsort(cells, n, sizeof(*cells), compare_cells);
	for (uint32_t i = 0; i < n; i++)
	{
		/* a cell belongs to the bin in which its middle customer lies */
		uint64_t	here = customers_of(&cells[i]->counts);
		double		middle = ((double) before + (double) here / 2) / (double) total;
		uint32_t	bin = (uint32_t) (middle * CRM_LOOKALIKE_BINS);

		if (i == 0 || bin > last)
		{
			if (i > 0)
				f->borders[f->count - 1] = lookalike_cell_begin(cells[i]->key);
			f->count++;
		}
		last = bin;
		add_counts(&bins[f->count - 1], &cells[i]->counts);
		before += here;
	}
	for (uint32_t b = 0; b < f->count; b++)
	{
		f->weights[b] = weight_of(&bins[b], all, true);
		result->trained[b] = weight_of(&bins[b], trained, false);
	}
	return CRM_OK;
}

typedef struct counted_text
{
	const crm_value_entry *entry;
	const lookalike_counts *counts;
	uint32_t	code;
} counted_text;

static int
compare_bytes(const char *a, size_t a_length, const char *b, size_t b_length)
{
	int			order = memcmp(a, b, a_length < b_length ? a_length : b_length);

	return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

static int
compare_texts(const void *a, const void *b)
{
	const counted_text *x = a;
	const counted_text *y = b;

	return compare_bytes(x->entry->text, x->entry->length, y->entry->text, y->entry->length);
}

/* The most frequent first. */
static int
compare_frequency(const void *a, const void *b)
{
	uint64_t	x = customers_of(((const counted_text *) a)->counts);
	uint64_t	y = customers_of(((const counted_text *) b)->counts);

	return x != y ? (x < y) - (x > y) : compare_texts(a, b);
}

static crm_status
bin_texts(const crm_env *env, const lookalike_feature *from, totals all, totals trained, binned *result)
{
	crm_lookalike_feature *f = result->feature;
	counted_text *texts = env->alloc(env->arg, (from->used + 1) * sizeof(*texts));
	lookalike_counts rest = {{0}};

	result->bins = env->alloc(env->arg, (from->used + 1) * sizeof(uint32_t));
	if (texts == NULL || result->bins == NULL)
		return CRM_NO_MEMORY;
	memset(result->bins, 0, (from->used + 1) * sizeof(uint32_t));
	for (uint32_t i = 0; i < from->used; i++)
		texts[i] = (counted_text) {&from->texts.entries[i], &from->cells[i].counts, i};
	if (from->used > 1)
		qsort(texts, from->used, sizeof(*texts), compare_frequency);
	while (f->count < from->used && f->count < MAX_TEXT_BINS && customers_of(texts[f->count].counts) >= MIN_TEXT_CUSTOMERS)
		f->count++;
	for (uint32_t i = f->count; i < from->used; i++)
		add_counts(&rest, texts[i].counts);
	if (f->count > 1)
		qsort(texts, f->count, sizeof(*texts), compare_texts);
	f->texts = env->alloc(env->arg, (f->count + 1) * sizeof(crm_feature_value));
	f->weights = env->alloc(env->arg, (f->count + 1) * sizeof(double));
	result->trained = env->alloc(env->arg, (f->count + 1) * sizeof(double));
	if (f->texts == NULL || f->weights == NULL || result->trained == NULL)
		return CRM_NO_MEMORY;
	for (uint32_t i = 0; i < f->count; i++)
	{
		f->texts[i] = (crm_feature_value) {false, 0, texts[i].entry->text, texts[i].entry->length};
		f->weights[i] = weight_of(texts[i].counts, all, true);
		result->trained[i] = weight_of(texts[i].counts, trained, false);
		result->bins[texts[i].code] = i + 1;
	}
	f->other = weight_of(&rest, all, true);
	result->trained_other = weight_of(&rest, trained, false);
	return CRM_OK;
}

/* The bin of a number: as many borders as are not above it. */
static uint32_t
number_bin(const crm_lookalike_feature *f, double value)
{
	uint32_t	bin = 0;

	while (bin + 1 < f->count && value >= f->borders[bin])
		bin++;
	return bin;
}

/* ---- validation ------------------------------------------------------------------ */

typedef struct judged
{
	double		margin;
	bool		seed;
} judged;

static int
compare_margins(const void *a, const void *b)
{
	double		x = ((const judged *) a)->margin;
	double		y = ((const judged *) b)->margin;

	return (x > y) - (x < y);
}

static double
trained_margin(const crm_lookalike *state, const binned *features, const uint64_t *row)
{
	double		margin = 0;

	for (uint32_t i = 0; i < state->count; i++)
	{
		const binned *b = &features[i];
		int64_t		code = (int64_t) row[i + 1];

		if (code == LOOKALIKE_MISSING)
			margin += b->trained_missing;
		else if (b->feature->kind == CRM_FEATURE_NUMBER)
			margin += b->trained[number_bin(b->feature, lookalike_cell_begin(code))];
		else if (b->bins[code - 1] == 0)
			margin += b->trained_other;
		else
			margin += b->trained[b->bins[code - 1] - 1];
	}
	return margin;
}

/* The share of pairs in the right order; equal ones count half. */
static crm_status
validate(crm_lookalike *state, const binned *features, crm_lookalike_model *model)
{
	judged	   *all;
	size_t		n = 0;
	double		right = 0;
	double		others = 0;

	for (int seed = 0; seed < 2; seed++)
		crm_lookalike_prune(state, &state->held[seed]);
	model->held_others = state->held[0].count;
	model->held_seeds = state->held[1].count;
	if (model->held_others == 0 || model->held_seeds == 0)
		return CRM_OK;
	all = state->env.alloc(state->env.arg, (model->held_others + model->held_seeds) * sizeof(judged));
	if (all == NULL)
		return CRM_NO_MEMORY;
	for (int seed = 0; seed < 2; seed++)
		for (uint32_t i = 0; i < state->held[seed].count; i++)
			all[n++] = (judged) {trained_margin(state, features, state->held[seed].rows + (size_t) i * (1 + state->count)), seed != 0};
	qsort(all, n, sizeof(judged), compare_margins);
	for (size_t i = 0; i < n;)
	{
		double		same_seed = 0;
		double		same_other = 0;
		size_t		from = i;

		for (; i < n && all[i].margin == all[from].margin; i++)
			if (all[i].seed)
				same_seed++;
			else
				same_other++;
		right += same_seed * (others + same_other / 2);
		others += same_other;
	}
	model->validated = true;
	model->auc = right / ((double) model->held_others * (double) model->held_seeds);
	return CRM_OK;
}

crm_status
crm_lookalike_finish(crm_lookalike *state, crm_lookalike_model *model, bool *found)
{
	const crm_env *env = &state->env;
	totals		all = totals_of(state->customers, true);
	totals		trained = totals_of(state->customers, false);
	binned	   *features;

	memset(model, 0, sizeof(*model));
	*found = all.seed > 0 && all.other > 0;
	if (!*found)
		return CRM_OK;
	model->seeds = state->customers[1] + state->customers[3];
	model->others = state->customers[0] + state->customers[2];
	model->count = state->count;
	model->features = env->alloc(env->arg, state->count * sizeof(crm_lookalike_feature));
	features = env->alloc(env->arg, state->count * sizeof(binned));
	if (model->features == NULL || features == NULL)
		return CRM_NO_MEMORY;
	memset(model->features, 0, state->count * sizeof(crm_lookalike_feature));
	memset(features, 0, state->count * sizeof(binned));
	for (uint32_t i = 0; i < state->count; i++)
	{
		const lookalike_feature *f = &state->features[i];

		crm_progress(env);
		features[i].feature = &model->features[i];
		model->features[i].kind = f->kind;
		model->features[i].missing = weight_of(&f->missing, all, true);
		features[i].trained_missing = weight_of(&f->missing, trained, false);
		CRM_TRY(f->kind == CRM_FEATURE_NUMBER ? bin_numbers(env, f, all, trained, &features[i]) :
				bin_texts(env, f, all, trained, &features[i]));
	}
	return trained.seed > 0 && trained.other > 0 ? validate(state, features, model) : CRM_OK;
}

/* ---- scores ------------------------------------------------------------------------- */

static double
weight_of_text(const crm_lookalike_feature *f, const crm_feature_value *value)
{
	uint32_t	low = 0;
	uint32_t	high = f->count;

	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;
		int			order = compare_bytes(f->texts[middle].text, f->texts[middle].length, value->text, value->length);

		if (order == 0)
			return f->weights[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return f->other;
}

double
crm_lookalike_score(const crm_lookalike_model *model, const crm_feature_value *values)
{
	double		margin = 0;

	for (uint32_t i = 0; i < model->count; i++)
	{
		const crm_lookalike_feature *f = &model->features[i];

		if (values[i].missing)
			margin += f->missing;
		else if (f->kind == CRM_FEATURE_TEXT)
			margin += weight_of_text(f, &values[i]);
		else if (f->count > 0)
			margin += f->weights[number_bin(f, values[i].number)];
	}
	return 1 / (1 + exp(-margin));
}
