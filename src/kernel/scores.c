/*
 * scores.c - sorting of scores, and measures from them.
 */
#include "kernel/scores.h"

#include <math.h>

/* ---- sorting ------------------------------------------------------------- */

#define DIGIT_BITS 11
#define DIGITS 6
#define DIGIT_VALUES (1 << DIGIT_BITS)

/* Bits whose order as whole numbers is that of the numbers. */
static uint64_t
key_of(double number)
{
	uint64_t	bits;

	number += 0.0;				/* -0 becomes 0 */
	memcpy(&bits, &number, sizeof(bits));
	return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static double
number_of(uint64_t key)
{
	double		number;

	key = key >> 63 ? key & ~(UINT64_C(1) << 63) : ~key;
	memcpy(&number, &key, sizeof(number));
	return number;
}

crm_status
crm_sort_numbers(const crm_env *env, double *numbers, uint64_t count)
{
	uint64_t   *keys = (uint64_t *) numbers;
	uint64_t   *from = keys;
	uint64_t   *to;
	uint64_t   *other;
	uint64_t  (*counts)[DIGIT_VALUES];

	if (count == 0)
		return CRM_OK;
	other = to = env->alloc(env->arg, sizeof(uint64_t) * count);
	counts = env->alloc(env->arg, sizeof(*counts) * DIGITS);
	if (other == NULL || counts == NULL)
		return CRM_NO_MEMORY;
	memset(counts, 0, sizeof(*counts) * DIGITS);
	for (uint64_t i = 0; i < count; i++)
	{
		double		number;

		memcpy(&number, &numbers[i], sizeof(number));
		keys[i] = key_of(number);
		for (int d = 0; d < DIGITS; d++)
			counts[d][(keys[i] >> (d * DIGIT_BITS)) % DIGIT_VALUES]++;
		if (i % 65536 == 65535)
			crm_progress(env);
	}
	for (int d = 0; d < DIGITS; d++)
	{
		uint64_t	at = 0;
		uint64_t   *swap = from;

		/* all keys have the same digit: nothing to do */
		if (counts[d][(from[0] >> (d * DIGIT_BITS)) % DIGIT_VALUES] == count)
			continue;
		for (int v = 0; v < DIGIT_VALUES; v++)
		{
			uint64_t	n = counts[d][v];

			counts[d][v] = at;
			at += n;
		}
		for (uint64_t i = 0; i < count; i++)
		{
			to[counts[d][(from[i] >> (d * DIGIT_BITS)) % DIGIT_VALUES]++] = from[i];
			if (i % 65536 == 65535)
				crm_progress(env);
		}
		from = to;
		to = swap;
	}
	for (uint64_t i = 0; i < count; i++)
	{
		double		number = number_of(from[i]);

		memcpy(&numbers[i], &number, sizeof(number));
	}
	env->release(env->arg, other);
	env->release(env->arg, counts);
	return CRM_OK;
}

crm_status
crm_scores_sort(const crm_env *env, crm_scores *scores)
{
	CRM_TRY(crm_sort_numbers(env, scores->positives, scores->positive_count));
	return crm_sort_numbers(env, scores->negatives, scores->negative_count);
}

/* ---- the walk -------------------------------------------------------------- */

typedef struct walk
{
	const crm_scores *scores;
	bool		descending;
	uint64_t	positives;		/* met so far */
	uint64_t	negatives;
	/* rows of the next score */
	double		score;
	uint64_t	tied_positives;
	uint64_t	tied_negatives;
} walk;

static uint64_t
tied(const double *sorted, uint64_t count, uint64_t met, bool descending, double score)
{
	uint64_t	n = 0;

	while (met + n < count && sorted[descending ? count - 1 - met - n : met + n] == score)
		n++;
	return n;
}

/* Goes on to the next score; the counts then leave out its rows. */
static bool
next_score(walk *w, const crm_env *env)
{
	const crm_scores *s = w->scores;
	bool		any = false;

	w->positives += w->tied_positives;
	w->negatives += w->tied_negatives;
	if (w->positives < s->positive_count)
	{
		w->score = s->positives[w->descending ? s->positive_count - 1 - w->positives : w->positives];
		any = true;
	}
	if (w->negatives < s->negative_count)
	{
		double		other = s->negatives[w->descending ? s->negative_count - 1 - w->negatives : w->negatives];

		if (!any || (w->descending ? other > w->score : other < w->score))
			w->score = other;
		any = true;
	}
	if (!any)
		return false;
	w->tied_positives = tied(s->positives, s->positive_count, w->positives, w->descending, w->score);
	w->tied_negatives = tied(s->negatives, s->negative_count, w->negatives, w->descending, w->score);
	if ((w->positives + w->negatives) % 1024 == 0)
		crm_progress(env);
	return true;
}

double
crm_scores_auc(const crm_env *env, const crm_scores *scores)
{
	walk		w = {.scores = scores};
	unsigned __int128 twice = 0;	/* pairs in the right order, ties half */

	if (scores->positive_count == 0 || scores->negative_count == 0)
		return NAN;
	while (next_score(&w, env))
		twice += (unsigned __int128) w.tied_positives * (2 * w.negatives + w.tied_negatives);
	return (double) twice / 2 / ((double) scores->positive_count * (double) scores->negative_count);
}

double
crm_scores_auc_error(const crm_env *env, const crm_scores *scores, double auc)
{
	double		positives = (double) scores->positive_count;
	double		negatives = (double) scores->negative_count;
	walk		w = {.scores = scores};
	double		of_positives = 0;
	double		of_negatives = 0;

	if (scores->positive_count < 2 || scores->negative_count < 2)
		return NAN;
	while (next_score(&w, env))
	{
		/* share of negatives below such a positive, and of positives above such a negative */
		double		below = ((double) w.negatives + (double) w.tied_negatives / 2) / negatives - auc;
		double		above = (positives - (double) w.positives - (double) w.tied_positives / 2) / positives - auc;

		of_positives += (double) w.tied_positives * below * below;
		of_negatives += (double) w.tied_negatives * above * above;
	}
	return sqrt(of_positives / (positives - 1) / positives + of_negatives / (negatives - 1) / negatives);
}

double
crm_scores_ks(const crm_env *env, const crm_scores *scores)
{
	walk		w = {.scores = scores};
	double		largest = 0;

	if (scores->positive_count == 0 || scores->negative_count == 0)
		return NAN;
	while (next_score(&w, env))
	{
		double		difference = fabs((double) (w.positives + w.tied_positives) / (double) scores->positive_count -
									  (double) (w.negatives + w.tied_negatives) / (double) scores->negative_count);

		largest = difference > largest ? difference : largest;
	}
	return largest;
}

void
crm_scores_bins(const crm_env *env, const crm_scores *scores, bool descending, uint64_t bins, crm_score_bin *out)
{
	walk		w = {.scores = scores, .descending = descending};
	uint64_t	rows = scores->positive_count + scores->negative_count;
	uint64_t	bin = 0;

	memset(out, 0, sizeof(*out) * bins);
	while (next_score(&w, env))
	{
		uint64_t	met = w.positives + w.negatives;
		uint64_t	tied_rows = w.tied_positives + w.tied_negatives;

		/* the last bin that begins at or before the first of these rows */
		while (bin + 1 < bins && (uint64_t) ((unsigned __int128) (bin + 1) * rows / bins) <= met)
			bin++;
		if (out[bin].rows == 0)
			out[bin].low = out[bin].high = w.score;
		out[bin].low = w.score < out[bin].low ? w.score : out[bin].low;
		out[bin].high = w.score > out[bin].high ? w.score : out[bin].high;
		out[bin].rows += tied_rows;
		out[bin].positives += w.tied_positives;
		out[bin].sum += w.score * (double) tied_rows;
	}
}
