/*
 * fuzz_scores.c - any numbers with labels, as states of measures, of bins and of
 * scorecards may hold them: measures within their bounds, bins that hold each row
 * once, models that check and score.
 */
#include "fuzz.h"

#include "kernel/bins.h"
#include "kernel/logistic_fit.h"
#include "kernel/scores.h"
#include "kernel/woe_bins.h"

#define MOST_ROWS 48
#define MOST_FEATURES 3

typedef struct rows
{
	size_t		count;
	uint32_t	features;
	double		x[MOST_ROWS][MOST_FEATURES];
	bool		label[MOST_ROWS];
} rows;

static void
ascend(const double *cuts, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		REQUIRE(isfinite(cuts[i]) && (i == 0 || cuts[i - 1] < cuts[i]));
}

static void
use_measures(const rows *r, const crm_env *env, uint32_t bins, double share)
{
	double		positives[MOST_ROWS],
				negatives[MOST_ROWS],
				cuts[MOST_ROWS],
				auc,
				ks;
	crm_scores	s = {positives, negatives, 0, 0};
	crm_score_bin out[MOST_ROWS];
	crm_label_bins fine;
	uint32_t	count;

	for (size_t i = 0; i < r->count; i++)
		if (r->label[i])
			positives[s.positive_count++] = r->x[i][0];
		else
			negatives[s.negative_count++] = r->x[i][0];
	REQUIRE(crm_scores_sort(env, &s) == CRM_OK);
	auc = crm_scores_auc(env, &s);
	ks = crm_scores_ks(env, &s);
	if (s.positive_count > 0 && s.negative_count > 0)
		REQUIRE(auc >= 0 && auc <= 1 && ks >= 0 && ks <= 1);
	else
		REQUIRE(isnan(auc) && isnan(ks));
	REQUIRE(!(crm_scores_auc_error(env, &s, auc) < 0));
	for (int descending = 0; descending < 2; descending++)
	{
		uint64_t	all = 0,
					positive = 0;

		crm_scores_bins(env, &s, descending, bins, out);
		for (uint32_t i = 0; i < bins; i++)
		{
			REQUIRE(out[i].positives <= out[i].rows && (out[i].rows == 0 || out[i].low <= out[i].high));
			all += out[i].rows;
			positive += out[i].positives;
		}
		REQUIRE(all == r->count && positive == s.positive_count);
	}
	REQUIRE(crm_bins_tree(env, &s, bins, share, cuts, &count) == CRM_OK);
	REQUIRE(count < bins || count == 0);
	ascend(cuts, count);
	REQUIRE(crm_bins_monotone(env, &s, bins, share, cuts, &count) == CRM_OK);
	REQUIRE(count < bins || count == 0);
	ascend(cuts, count);
	if (s.positive_count > 0 && s.negative_count > 0)
	{
		crm_woe_options options = {.fine_bins = (int) bins, .max_bins = 2 + (int) bins / 3, .min_share = share, .monotone = bins % 2};
		uint64_t	all = 0;

		REQUIRE(crm_label_bins_room(env, options.fine_bins, &fine) == CRM_OK);
		crm_label_bins_cut(&s, options.fine_bins, &fine);
		crm_label_bins_merge(&fine, &options);
		REQUIRE(fine.count >= 1);
		for (uint32_t i = 0; i < fine.count; i++)
		{
			REQUIRE(fine.positives[i] <= fine.rows[i] && fine.rows[i] > 0);
			all += fine.rows[i];
		}
		REQUIRE(all == r->count);
	}
}

static void
use_evidence(const rows *r, const crm_env *env, uint32_t bins, double share, bool scorecard)
{
	crm_woe_options options = {.scorecard = scorecard, .fine_bins = (int) bins, .max_bins = 2 + (int) bins / 3, .min_share = share,
	.monotone = bins % 2, .smoothing = bins % 3, .l2 = bins % 5, .pdo = 20, .base_points = 600, .base_odds = 50};
	crm_columns columns;
	crm_model	m,
				read;
	crm_scorer	scorer;
	bool		both[2] = {false};
	crm_status	status;

	crm_columns_init(&columns, env, r->features + CRM_ROWS_FEATURES, 1 << 24);
	for (size_t i = 0; i < r->count; i++)
	{
		double	   *row;

		REQUIRE(crm_columns_add(&columns, &row) == CRM_OK);
		row[CRM_ROWS_LABEL] = r->label[i];
		row[CRM_ROWS_WEIGHT] = 1;
		for (uint32_t j = 0; j < r->features; j++)
			row[CRM_ROWS_FEATURES + j] = i % 7 == 3 && bins % 4 == 0 ? NAN : r->x[i][j];
		both[r->label[i]] = true;
		crm_columns_added(&columns);
	}
	if (!both[0] || !both[1])
		return;
	status = crm_woe_fit(&columns, &options, env, &m);
	REQUIRE(status == CRM_OK || status == CRM_OUT_OF_RANGE);
	if (status != CRM_OK || !fuzz_reread(&m, env, &read))
		return;
	REQUIRE(crm_scorer_open(&scorer, &read, env) == CRM_OK);
	for (size_t i = 0; i < r->count; i++)
	{
		double		score = crm_score(&scorer, r->x[i]);

		REQUIRE(score >= 0 && score <= 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	fuzz_input	in = {data, size};
	rows		r = {0};
	uint32_t	bins = 2 + (uint32_t) fuzz_take(&in, 1) % 20;
	double		share = (double) (fuzz_take(&in, 1) % 50) / 100;

	r.features = 1 + (uint32_t) fuzz_take(&in, 1) % MOST_FEATURES;
	for (; in.left > 0 && r.count < MOST_ROWS; r.count++)
	{
		r.label[r.count] = fuzz_take(&in, 1) & 1;
		for (uint32_t j = 0; j < r.features; j++)
			r.x[r.count][j] = fuzz_finite(&in);
	}
	if (r.count > 0)
	{
		use_measures(&r, &env, bins, share);
		use_evidence(&r, &env, bins, share, false);
		use_evidence(&r, &env, bins, share, true);
	}
	unit_pool_free(&pool);
	return 0;
}
