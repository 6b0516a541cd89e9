/*
 * test_bins.c - bins: text and bytes, and cuts against counting in the plainest way.
 */
#include "unit.h"

#include <math.h>

#include "kernel/bins.h"

static uint64_t seed = 88172645463325252ULL;

static uint64_t
next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* ---- text and bytes ----------------------------------------------------------- */

static void
check_text(void)
{
	static const struct
	{
		const char *text;
		crm_status	status;
		uint32_t	count;
		bool		inclusive;
	}			cases[] = {
		{"{\"cuts\": [1, 2.5]}", CRM_OK, 2, false},
		{" { \"inclusive\" : true , \"cuts\":[ -1e3 ] } ", CRM_OK, 1, true},
		{"{\"cuts\":[]}", CRM_OK, 0, false},
		{"{\"cuts\":[],}", CRM_CORRUPT},
		{"{}", CRM_CORRUPT},
		{"", CRM_CORRUPT},
		{"{\"inclusive\":true}", CRM_CORRUPT},
		{"{\"cuts\":[1],\"cuts\":[1]}", CRM_CORRUPT},
		{"{\"cuts\":[1],\"inclusive\":true,\"inclusive\":true}", CRM_CORRUPT},
		{"{\"cuts\":[1,1]}", CRM_CORRUPT},
		{"{\"cuts\":[-0,0]}", CRM_CORRUPT},
		{"{\"cuts\":[2,1]}", CRM_CORRUPT},
		{"{\"cuts\":[nan]}", CRM_CORRUPT},
		{"{\"cuts\":[inf]}", CRM_CORRUPT},
		{"{\"cuts\":[0x10]}", CRM_CORRUPT},
		{"{\"cuts\":[1e999]}", CRM_OUT_OF_RANGE},
		{"{\"cuts\":[1}", CRM_CORRUPT},
		{"{\"cuts\":[1]", CRM_CORRUPT},
		{"{\"cuts\":[1]} x", CRM_CORRUPT},
		{"{\"cuts\" [1]}", CRM_CORRUPT},
		{"{\"inclusive\":yes,\"cuts\":[1]}", CRM_CORRUPT},
		{"{\"other\":1}", CRM_CORRUPT},
	};
	double		cuts[CRM_BINS_MAX_CUTS];
	uint8_t		bytes[CRM_BINS_HEADER + 8 * CRM_BINS_MAX_CUTS];
	char		problem[CRM_BINS_PROBLEM];
	static char many[16 * 1100];
	crm_bins	bins;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		uint32_t	count;
		bool		inclusive;

		CHECK_EQUAL(crm_bins_parse(cases[i].text, cuts, &count, &inclusive, problem), cases[i].status);
		if (cases[i].status != CRM_OK)
			continue;
		CHECK(count == cases[i].count && inclusive == cases[i].inclusive);
		crm_bins_write(inclusive, cuts, count, bytes);
		CHECK(crm_bins_open(bytes, crm_bins_size(count), &bins) == CRM_OK);
		CHECK(bins.count == count && bins.inclusive == inclusive);
		CHECK(crm_bins_open(bytes, crm_bins_size(count) + 1, &bins) == CRM_CORRUPT);
		CHECK(crm_bins_open(bytes, CRM_BINS_HEADER - 1, &bins) == CRM_CORRUPT);
	}
	/* as many cuts as there may be, and one more */
	for (int n = CRM_BINS_MAX_CUTS; n <= CRM_BINS_MAX_CUTS + 1; n++)
	{
		uint32_t	count;
		bool		inclusive;
		size_t		at = (size_t) sprintf(many, "{\"cuts\":[0");

		for (int i = 1; i < n; i++)
			at += (size_t) sprintf(many + at, ",%d", i);
		sprintf(many + at, "]}");
		CHECK_EQUAL(crm_bins_parse(many, cuts, &count, &inclusive, problem), n > CRM_BINS_MAX_CUTS ? CRM_CORRUPT : CRM_OK);
	}
}

static void
check_find(void)
{
	for (int round = 0; round < 300; round++)
	{
		double		cuts[CRM_BINS_MAX_CUTS];
		uint32_t	count = (uint32_t) (next_random() % (round < 250 ? 12 : 999));
		uint8_t		bytes[CRM_BINS_HEADER + 8 * CRM_BINS_MAX_CUTS];
		crm_bins	bins;

		for (uint32_t i = 0; i < count; i++)
			cuts[i] = (i == 0 ? -20 : cuts[i - 1]) + 1 + (double) (next_random() % 3);
		CHECK(crm_bins_fault(cuts, count) == NULL);
		crm_bins_write(round % 2, cuts, count, bytes);
		CHECK(crm_bins_open(bytes, crm_bins_size(count), &bins) == CRM_OK);
		for (double x = -25; x < 60; x += 0.5)
		{
			int			bin = 1;

			for (uint32_t i = 0; i < count; i++)
				bin += round % 2 ? x > cuts[i] : x >= cuts[i];
			CHECK_EQUAL(crm_bins_find(&bins, x), bin);
		}
		CHECK_EQUAL(crm_bins_find(&bins, INFINITY), count + 1);
		CHECK_EQUAL(crm_bins_find(&bins, -INFINITY), 1);
	}
}

/* ---- cuts ---------------------------------------------------------------------- */

static int
compare_numbers(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

static void
check_quantiles(crm_env *env)
{
	for (int round = 0; round < 200; round++)
	{
		size_t		n = 1 + next_random() % 400;
		uint32_t	bins = 1 + (uint32_t) (next_random() % 20);
		crm_rfm_values values = {0};
		double		copy[400];
		double		cuts[CRM_BINS_MAX_CUTS];
		uint32_t	count;
		uint32_t	at = 0;

		for (size_t i = 0; i < n; i++)
		{
			copy[i] = (double) (next_random() % (round % 3 == 0 ? 5 : 1000)) - 2;
			CHECK(crm_rfm_values_add(env, &values, copy[i]) == CRM_OK);
		}
		CHECK(crm_bins_quantiles(env, &values, bins, cuts, &count) == CRM_OK);
		CHECK(count < bins && crm_bins_fault(cuts, count) == NULL);
		qsort(copy, n, sizeof(double), compare_numbers);
		/* each quantile is a cut, unless it is the one before or the greatest value */
		for (uint32_t k = 1; k < bins; k++)
		{
			double		place = (double) ((n - 1) * k) / bins;
			size_t		low = (size_t) place;
			double		quantile = copy[low] + (low + 1 < n ? (place - (double) low) * (copy[low + 1] - copy[low]) : 0);

			if (quantile >= copy[n - 1] - 1e-9 || (at > 0 && fabs(quantile - cuts[at - 1]) < 1e-9))
				continue;
			if (CHECK(at < count))
				CHECK(fabs(cuts[at] - quantile) < 1e-9);
			at++;
		}
		CHECK_EQUAL(at, count);
	}
}

static void
check_equal_width(void)
{
	double		cuts[CRM_BINS_MAX_CUTS];
	uint32_t	count;

	crm_bins_equal_width(0, 100, 10, cuts, &count);
	CHECK_EQUAL(count, 9);
	for (uint32_t i = 0; i < 9; i++)
		CHECK(cuts[i] == 10 * (i + 1));
	crm_bins_equal_width(5, 5, 10, cuts, &count);
	CHECK_EQUAL(count, 0);
	crm_bins_equal_width(-1.7e308, 1.7e308, 4, cuts, &count);
	CHECK(count == 3 && cuts[1] == 0 && crm_bins_fault(cuts, 3) == NULL && fabs(cuts[2] / 0.85e308 - 1) < 1e-12);
	/* neighbouring numbers: no room for more than one cut */
	crm_bins_equal_width(1, nextafter(1, 2), 999, cuts, &count);
	CHECK(count == 1 && cuts[0] == nextafter(1, 2));
}

typedef struct labelled
{
	double		value;
	bool		label;
} labelled;

static double
entropy(const labelled *rows, size_t n, double low, double high, size_t *count)
{
	double		yes = 0;
	double		no = 0;

	for (size_t i = 0; i < n; i++)
		if (rows[i].value >= low && rows[i].value < high)
		{
			if (rows[i].label)
				yes++;
			else
				no++;
		}
	*count = (size_t) (yes + no);
	return (yes > 0 ? yes * log(yes / (yes + no)) : 0) + (no > 0 ? no * log(no / (yes + no)) : 0);
}

/* Splits and splits again, trying every value in every bin. */
static uint32_t
grow_tree(const labelled *rows, size_t n, uint32_t bins, double min_share, double *cuts)
{
	uint32_t	count = 0;

	while (count + 1 < bins)
	{
		double		best = log((double) n) / 2;
		double		cut = 0;
		bool		found = false;

		for (uint32_t b = 0; b <= count; b++)
		{
			double		low = b == 0 ? -INFINITY : cuts[b - 1];
			double		high = b == count ? INFINITY : cuts[b];

			for (size_t i = 0; i < n; i++)
			{
				double		at = rows[i].value;
				size_t		all;
				size_t		left;
				size_t		right;
				double		gain;

				if (at <= low || at >= high)
					continue;
				gain = entropy(rows, n, low, at, &left) + entropy(rows, n, at, high, &right) - entropy(rows, n, low, high, &all);
				if ((double) left < min_share * (double) n || (double) right < min_share * (double) n || left == 0)
					continue;
				if (gain > best + 1e-9 || (found && gain > best - 1e-9 && at < cut))
				{
					best = gain > best ? gain : best;
					cut = at;
					found = true;
				}
			}
		}
		if (!found)
			break;
		cuts[count++] = cut;
		qsort(cuts, count, sizeof(double), compare_numbers);
	}
	return count;
}

static crm_scores
split(crm_env *env, const labelled *rows, size_t n)
{
	crm_scores	s = {env->alloc(env->arg, n * sizeof(double)), env->alloc(env->arg, n * sizeof(double)), 0, 0};

	for (size_t i = 0; i < n; i++)
		if (rows[i].label)
			s.positives[s.positive_count++] = rows[i].value;
		else
			s.negatives[s.negative_count++] = rows[i].value;
	CHECK(crm_scores_sort(env, &s) == CRM_OK);
	return s;
}

static void
check_supervised(crm_env *env)
{
	int			cut_trees = 0;

	for (int round = 0; round < 120; round++)
	{
		size_t		n = 2 + next_random() % 200;
		uint32_t	bins = 1 + (uint32_t) (next_random() % 6);
		double		min_share = (double) (next_random() % 4) * 0.05;
		labelled	rows[202];
		crm_scores	s;
		double		cuts[CRM_BINS_MAX_CUTS];
		double		plain[CRM_BINS_MAX_CUTS];
		uint32_t	count;
		double		previous = 0;
		int			direction = 0;

		for (size_t i = 0; i < n; i++)
		{
			rows[i].value = (double) (next_random() % (round % 2 ? 30 : 400));
			rows[i].label = next_random() % 100 < (round % 3 == 0 ? 50 : rows[i].value > 12 && rows[i].value < 200 ? 85 : 15);
		}
		s = split(env, rows, n);
		CHECK(crm_bins_tree(env, &s, bins, min_share, cuts, &count) == CRM_OK);
		CHECK_EQUAL(count, grow_tree(rows, n, bins, min_share, plain));
		for (uint32_t i = 0; i < count; i++)
			CHECK(cuts[i] == plain[i]);
		cut_trees += count > 0;

		CHECK(crm_bins_monotone(env, &s, bins, min_share, cuts, &count) == CRM_OK);
		CHECK(count < bins && crm_bins_fault(cuts, count) == NULL);
		for (uint32_t b = 0; b <= count; b++)
		{
			double		yes = 0;
			double		all = 0;

			for (size_t i = 0; i < n; i++)
				if ((b == 0 || rows[i].value >= cuts[b - 1]) && (b == count || rows[i].value < cuts[b]))
				{
					all++;
					yes += rows[i].label;
				}
			CHECK(all >= min_share * (double) n);
			CHECK(count == 0 || (yes > 0 && yes < all));
			if (b > 0)
			{
				int			step = (yes / all > previous) - (yes / all < previous);

				CHECK(step != 0 && (direction == 0 || step == direction));
				direction = step;
			}
			previous = yes / all;
		}
	}
	CHECK(cut_trees > 30);
}

/* Labels that chance made: few trees see something in them, since the best of many places is looked at. */
static void
check_noise(crm_env *env)
{
	static labelled rows[5000];
	int			cut = 0;

	for (int round = 0; round < 100; round++)
	{
		double		cuts[CRM_BINS_MAX_CUTS];
		uint32_t	count;
		crm_scores	s;

		for (size_t i = 0; i < 5000; i++)
			rows[i] = (labelled) {(double) (next_random() % 1000000), next_random() % 10 == 0};
		s = split(env, rows, 5000);
		CHECK(crm_bins_tree(env, &s, 10, 0.05, cuts, &count) == CRM_OK);
		cut += count > 0;
	}
	CHECK(cut <= 15);
}

int
main(void)
{
	unit_pool	pool = {0};
	crm_env		env = unit_pool_env(&pool);

	check_text();
	check_find();
	check_quantiles(&env);
	check_equal_width();
	check_supervised(&env);
	check_noise(&env);
	unit_pool_free(&pool);
	return unit_done();
}
