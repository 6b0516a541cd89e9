/*
 * test_attribution.c - attribution against oracles that share no code: rules
 * by their definition, Shapley's value over all orders of the channels, Markov
 * chains by walking every path of a graph without circles and, with circles,
 * by following the journeys step by step until next to none is left.
 */
#include "unit.h"

#include <math.h>

#include "kernel/attribution_private.h"

#define MAX_PATH 8
#define MAX_ROWS 200
#define MAX_CHANNELS 6

static const char *const channel_names[] = {"", "delta", "alpha", "echo", "bravo", "foxtrot", "charlie"};

typedef struct row
{
	int			path[MAX_PATH];
	int			length;
	double		conversions;
	double		nulls;
	double		value;
} row;

static uint64_t seed = 88172645463325252u;

static uint64_t
random_bits(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * UINT64_C(0x2545F4914F6CDD1D);
}

static int
random_below(int n)
{
	return (int) ((random_bits() >> 33) % (uint64_t) n);
}

/* Rows over some channels; without circles the channels of a path ascend. */
static int
random_rows(row *rows, int channels, bool circles, bool fractions, bool empty)
{
	int			count = 1 + random_below(40);

	for (int i = 0; i < count; i++)
	{
		row		   *r = &rows[i];

		r->length = 0;
		if (circles)
		{
			int			length = (empty ? 0 : 1) + random_below(MAX_PATH - 1);

			for (int k = 0; k < length; k++)
				r->path[r->length++] = 1 + random_below(channels);
		}
		else
		{
			for (int c = 1; c <= channels; c++)
				if (random_below(2))
					r->path[r->length++] = c;
			if (r->length == 0)
				r->path[r->length++] = 1 + random_below(channels);
		}
		r->conversions = random_below(4);
		r->nulls = random_below(5);
		r->value = r->conversions * (1 + random_below(20));
		if (fractions)
		{
			r->conversions *= 0.1;
			r->value *= 1.0 / 3;
		}
	}
	return count;
}

/* All that the kernel takes; emptied between rounds. */
static unit_pool pool;

/* ---- calling the kernel ------------------------------------------------ */

static void
begin(crm_attribution *state, const char *method)
{
	crm_env		env = unit_pool_env(&pool);
	crm_attribution_method parsed;

	CHECK_EQUAL(crm_attribution_parse(method, strlen(method), &parsed), CRM_OK);
	crm_attribution_init(state, &env, &parsed);
}

static void
add_row(crm_attribution *state, const row *r)
{
	uint32_t	codes[MAX_PATH];

	for (int i = 0; i < r->length; i++)
	{
		const char *name = channel_names[r->path[i]];

		CHECK_EQUAL(crm_attribution_channel(state, name, strlen(name), &codes[i]), CRM_OK);
	}
	CHECK_EQUAL(crm_attribution_add(state, codes, r->length, r->conversions, r->nulls, r->value), CRM_OK);
}

static uint32_t
answer(const crm_attribution *state, crm_channel_credit **credits)
{
	crm_env		env = unit_pool_env(&pool);
	uint32_t	count = 0;

	CHECK_EQUAL(crm_attribution_credits(state, &env, credits, &count), CRM_OK);
	return count;
}

static uint32_t
credits_of(const char *method, const row *rows, int count, crm_channel_credit **credits)
{
	crm_attribution *state = unit_pool_alloc(&pool, sizeof(*state));

	begin(state, method);
	for (int i = 0; i < count; i++)
		add_row(state, &rows[i]);
	return answer(state, credits);
}

static const crm_channel_credit *
credit_of(const crm_channel_credit *credits, uint32_t count, int channel)
{
	for (uint32_t i = 0; i < count; i++)
		if (credits[i].name && strlen(channel_names[channel]) == credits[i].length &&
			memcmp(credits[i].name, channel_names[channel], credits[i].length) == 0)
			return &credits[i];
	return NULL;
}

static bool
is_near(double found, double expected, double scale)
{
	return fabs(found - expected) <= 1e-10 * fmax(scale, 1);
}

/* Credits equal what was expected by channel; credits of channels without a path are 0. */
static void
check_credits(const char *method, const row *rows, int count, const double *conversions, const double *value)
{
	crm_channel_credit *credits;
	uint32_t	found = credits_of(method, rows, count, &credits);

	for (int c = 1; c <= MAX_CHANNELS; c++)
	{
		const crm_channel_credit *credit = credit_of(credits, found, c);

		if (!CHECK(is_near(credit ? credit->conversions : 0, conversions[c], 100)) ||
			!CHECK(is_near(credit ? credit->value : 0, value[c], 1000)))
			fprintf(stderr, "method %s, channel %d: %g, expected %g\n", method, c, credit ? credit->conversions : 0, conversions[c]);
	}
}

/* ---- rules ------------------------------------------------------------- */

static void
test_rules(void)
{
	static const char *const methods[] = {"first", "last", "linear", "position", "decay", "decay:0.7", "decay:1"};
	row			rows[MAX_ROWS];

	for (int round = 0; round < 2000; round++)
	{
		int			count = random_rows(rows, MAX_CHANNELS, true, round % 2, false);

		for (int m = 0; m < 7; m++)
		{
			double		conversions[MAX_CHANNELS + 1] = {0},
						value[MAX_CHANNELS + 1] = {0};

			for (int i = 0; i < count; i++)
			{
				const row  *r = &rows[i];
				double		weight[MAX_PATH],
							all = 0;

				for (int k = 0; k < r->length; k++)
				{
					int			back = r->length - 1 - k;

					switch (m)
					{
						case 0:
							weight[k] = k == 0;
							break;
						case 1:
							weight[k] = back == 0;
							break;
						case 3:
							weight[k] = r->length <= 2 ? 1 : k == 0 || back == 0 ? 0.4 : 0.2 / (r->length - 2);
							break;
						case 4:
						case 5:
							weight[k] = pow(m == 4 ? 0.5 : 0.7, back);
							break;
						default:
							weight[k] = 1;
					}
					all += weight[k];
				}
				for (int k = 0; k < r->length; k++)
				{
					conversions[r->path[k]] += r->conversions * weight[k] / all;
					value[r->path[k]] += r->value * weight[k] / all;
				}
			}
			check_credits(methods[m], rows, count, conversions, value);
		}
	}
}

/* ---- Shapley's value ---------------------------------------------------- */

/* What the paths within a set of channels convert. */
static double
worth(const row *rows, int count, unsigned set, bool of_value)
{
	double		sum = 0;

	for (int i = 0; i < count; i++)
	{
		bool		within = true;

		for (int k = 0; k < rows[i].length; k++)
			within &= set >> rows[i].path[k] & 1;
		if (within)
			sum += of_value ? rows[i].value : rows[i].conversions;
	}
	return sum;
}

/* All orders in which the channels may come, and what each adds when it comes. */
static int
try_orders(const row *rows, int count, int channels, unsigned present, int placed, double *conversions, double *value)
{
	int			orders = 0;

	if (placed == channels)
		return 1;
	for (int c = 1; c <= channels; c++)
	{
		int			behind;

		if (present >> c & 1)
			continue;
		behind = try_orders(rows, count, channels, present | 1u << c, placed + 1, conversions, value);
		conversions[c] += behind * (worth(rows, count, present | 1u << c, false) - worth(rows, count, present, false));
		value[c] += behind * (worth(rows, count, present | 1u << c, true) - worth(rows, count, present, true));
		orders += behind;
	}
	return orders;
}

static void
test_shapley(void)
{
	row			rows[MAX_ROWS];

	for (int round = 0; round < 60; round++)
	{
		int			channels = 1 + round % MAX_CHANNELS;
		int			count = random_rows(rows, channels, true, round % 2, false);
		double		conversions[MAX_CHANNELS + 1] = {0},
					value[MAX_CHANNELS + 1] = {0};
		int			orders = try_orders(rows, count, channels, 0, 0, conversions, value);

		for (int c = 1; c <= channels; c++)
		{
			conversions[c] /= orders;
			value[c] /= orders;
		}
		check_credits("shapley", rows, count, conversions, value);
	}
}

/* ---- Markov ------------------------------------------------------------- */

/*
 * Journeys that go on from what was touched last, by the definition: among all
 * places of all paths with the same last touches, the share of each next one.
 * Follows all ways until depth or weight run out; without a removed channel.
 */
static void
follow(const row *rows, int count, int order, const int *history, int depth, double weight, int removed,
	   double *conversions, double *value)
{
	double		all = 0,
				converts = 0,
				earns = 0,
				next[MAX_CHANNELS + 1] = {0};
	int			longer[64];
	int			known = depth < order ? depth : order;

	if (weight < 1e-14 || depth >= 63)
		return;
	for (int i = 0; i < count; i++)
		for (int place = 0; rows[i].length > 0 && place <= rows[i].length; place++)
		{
			double		journeys = rows[i].conversions + rows[i].nulls;
			int			here = place < order ? place : order;

			if (here != known || memcmp(rows[i].path + place - here, history + depth - known, known * sizeof(int)) != 0)
				continue;
			all += journeys;
			if (place < rows[i].length)
				next[rows[i].path[place]] += journeys;
			else
			{
				converts += rows[i].conversions;
				earns += rows[i].value;
			}
		}
	if (all == 0)
		return;
	*conversions += weight * converts / all;
	*value += weight * earns / all;
	memcpy(longer, history, depth * sizeof(int));
	for (int c = 1; c <= MAX_CHANNELS; c++)
	{
		if (next[c] == 0 || c == removed)
			continue;
		longer[depth] = c;
		follow(rows, count, order, longer, depth + 1, weight * next[c] / all, removed, conversions, value);
	}
}

/* No circles: every way has an end, and all are walked. */
static void
test_markov_by_paths(void)
{
	static const char *const methods[] = {"markov", "markov:2", "markov:3"};
	const int	nothing[1] = {0};
	row			rows[MAX_ROWS];

	for (int round = 0; round < 150; round++)
	{
		int			count = random_rows(rows, 2 + random_below(MAX_CHANNELS - 1), false, round % 2, false);
		int			order = 1 + round % 3;
		double		with = 0,
					with_value = 0,
					lost[MAX_CHANNELS + 1],
					lost_value[MAX_CHANNELS + 1],
					sum = 0,
					value_sum = 0,
					total = 0,
					total_value = 0;
		crm_channel_credit *credits;
		uint32_t	found = credits_of(methods[order - 1], rows, count, &credits);

		for (int i = 0; i < count; i++)
		{
			total += rows[i].conversions;
			total_value += rows[i].value;
		}
		follow(rows, count, order, nothing, 0, 1, 0, &with, &with_value);
		for (int c = 1; c <= MAX_CHANNELS; c++)
		{
			double		without = 0,
						without_value = 0;

			follow(rows, count, order, nothing, 0, 1, c, &without, &without_value);
			sum += lost[c] = with - without;
			value_sum += lost_value[c] = with_value - without_value;
		}
		for (int c = 1; c <= MAX_CHANNELS; c++)
		{
			const crm_channel_credit *credit = credit_of(credits, found, c);

			if (credit == NULL || total == 0)
				continue;
			CHECK(is_near(credit->conversion_effect, lost[c] / with, 1));
			CHECK(is_near(credit->value_effect, lost_value[c] / with_value, 1));
			CHECK(is_near(credit->conversions, total * lost[c] / sum, total));
			CHECK(is_near(credit->value, total_value * lost_value[c] / value_sum, total_value));
		}
	}
}

/* A chain that remembers whole paths predicts what happened: without a channel, its paths are lost. */
static void
test_markov_remembers(void)
{
	row			rows[MAX_ROWS];

	for (int round = 0; round < 200; round++)
	{
		int			count = random_rows(rows, MAX_CHANNELS, true, false, false);
		crm_channel_credit *credits;
		uint32_t	found = credits_of("markov:8", rows, count, &credits);
		double		total = 0;

		for (int i = 0; i < count; i++)
			total += rows[i].conversions;
		for (int c = 1; c <= MAX_CHANNELS && total > 0; c++)
		{
			const crm_channel_credit *credit = credit_of(credits, found, c);

			if (credit != NULL)
				CHECK(is_near(credit->conversion_effect, 1 - worth(rows, count, ~0u & ~(1u << c), false) / total, 1));
		}
	}
}

/* With circles: both solvers against each other, and against following journeys while any are left. */
static void
test_markov_solvers(void)
{
	row			rows[MAX_ROWS];
	crm_env		env = unit_pool_env(&pool);

	for (int round = 0; round < 200; round++)
	{
		int			count = random_rows(rows, MAX_CHANNELS, true, round % 2, false);
		char		method[] = "markov:1";
		crm_attribution state;
		crm_attribution_name *names;
		uint32_t   *ranks;
		crm_chain	chain;
		double		one[2][MAX_CHANNELS + 1],
					other[2][MAX_CHANNELS + 1];

		method[7] = (char) ('1' + round % 3);
		begin(&state, method);
		for (int i = 0; i < count; i++)
			add_row(&state, &rows[i]);
		CHECK_EQUAL(crm_attribution_order(&state, &env, &names, &ranks), CRM_OK);
		CHECK_EQUAL(crm_chain_build(&state, &env, ranks, &chain), CRM_OK);
		if (chain.count == 0)
			continue;
		CHECK_EQUAL(crm_chain_eliminate(&env, &chain, state.channels.count, one[0], one[1]), CRM_OK);
		CHECK_EQUAL(crm_chain_iterate(&env, &chain, state.channels.count, other[0], other[1]), CRM_OK);
		for (uint32_t c = 0; c <= state.channels.count; c++)
		{
			CHECK(fabs(one[0][c] - other[0][c]) <= 2e-12 * one[0][0]);
			CHECK(fabs(one[1][c] - other[1][c]) <= 2e-12 * one[1][0]);
		}
	}

	/* One channel that leads to itself, many times before the end. */
	for (int round = 0; round < 20; round++)
	{
		row			circle = {{1, 1, 1, 2, 1, 2, 1}, 7, 1 + round, 2, 3};
		crm_channel_credit *credits;
		uint32_t	found = credits_of("markov", &circle, 1, &credits);

		/* 4 of 5 go on from channel 1, all from channel 2 lead back: everything passes channel 1. */
		CHECK(is_near(credit_of(credits, found, 1)->conversion_effect, 1, 1));
		/* Without channel 2 a journey at 1 converts by x = (2 x + 1 p) / 5, p conversions per journey, instead of p. */
		CHECK(is_near(credit_of(credits, found, 2)->conversion_effect, 1 - 1.0 / 3, 1));
	}
}

/* ---- laws --------------------------------------------------------------- */

static void
check_same(const crm_channel_credit *a, uint32_t a_count, const crm_channel_credit *b, uint32_t b_count)
{
	if (!CHECK_EQUAL(a_count, b_count))
		return;
	for (uint32_t i = 0; i < a_count; i++)
	{
		CHECK((a[i].name == NULL) == (b[i].name == NULL) && a[i].length == b[i].length &&
			  (a[i].name == NULL || memcmp(a[i].name, b[i].name, a[i].length) == 0));
		CHECK(a[i].conversions == b[i].conversions && a[i].value == b[i].value &&
			  a[i].conversion_effect == b[i].conversion_effect && a[i].value_effect == b[i].value_effect);
	}
}

static const char *const all_methods[] = {"first", "last", "linear", "position", "decay", "decay:0.3", "shapley", "markov", "markov:2", "markov:5"};
#define METHODS ((int) (sizeof(all_methods) / sizeof(all_methods[0])))

/* Shuffled rows, and rows divided into parts that travel as bytes, give the same floats. */
static void
test_order_and_merging(void)
{
	row			rows[MAX_ROWS];
	crm_env		env = unit_pool_env(&pool);

	for (int round = 0; round < 600; round++)
	{
		const char *method = all_methods[round % METHODS];
		int			count = random_rows(rows, MAX_CHANNELS, true, round % 3 > 0, round % 2);
		crm_channel_credit *whole,
				   *other;
		uint32_t	whole_count = credits_of(method, rows, count, &whole),
					other_count;
		crm_attribution merged;

		for (int i = count; i > 1; i--)
		{
			int			k = random_below(i);
			row			kept = rows[k];

			rows[k] = rows[i - 1];
			rows[i - 1] = kept;
		}
		other_count = credits_of(method, rows, count, &other);
		check_same(whole, whole_count, other, other_count);

		begin(&merged, method);
		for (int i = 0; i < count;)
		{
			crm_attribution part;
			int			end = i + random_below(count - i + 1);
			size_t		size;
			uint8_t    *bytes;

			begin(&part, method);
			for (; i < end; i++)
				add_row(&part, &rows[i]);
			size = crm_attribution_size(&part);
			bytes = malloc(size);
			crm_attribution_write(&part, bytes);
			CHECK_EQUAL(crm_attribution_read(&merged, bytes, size), CRM_OK);
			/* No shorter bytes are a state. */
			for (size_t k = 0; k < size; k += 1 + size / 40)
			{
				crm_attribution cut;

				begin(&cut, method);
				CHECK_EQUAL(crm_attribution_read(&cut, bytes, k), CRM_CORRUPT);
			}
			free(bytes);
		}
		other_count = answer(&merged, &other);
		check_same(whole, whole_count, other, other_count);
		unit_pool_free(&pool);
	}
	(void) env;
}

/* Credits add up to the totals in any order of the channels, and none is negative. */
static void
test_totals(void)
{
	row			rows[MAX_ROWS];
	crm_env		env = unit_pool_env(&pool);

	for (int round = 0; round < 1000; round++)
	{
		const char *method = all_methods[round % METHODS];
		int			count = random_rows(rows, MAX_CHANNELS, true, round % 3 > 0, true);
		crm_channel_credit *credits;
		crm_exact	conversions = {0},
					value = {0};
		double		forward[2] = {0, 0},
					backward[2] = {0, 0};
		uint32_t	found;

		/* Far from 1, down to where floats have few places left. */
		if (round % 10 >= 8)
			for (int i = 0; i < count; i++)
			{
				rows[i].conversions = ldexp(rows[i].conversions, round % 10 == 8 ? 900 : -1074 - random_below(3) + 2);
				rows[i].value = rows[i].conversions * 3;
			}
		for (int i = 0; i < count; i++)
		{
			if (rows[i].conversions == 0)
				rows[i].value = 0;
			CHECK_EQUAL(crm_exact_add(&conversions, &env, rows[i].conversions), CRM_OK);
			CHECK_EQUAL(crm_exact_add(&value, &env, rows[i].value), CRM_OK);
		}
		if (round % 10 >= 8 && strncmp(method, "markov", 6) == 0)
			continue;
		found = credits_of(method, rows, count, &credits);
		for (uint32_t i = 0; i < found; i++)
		{
			CHECK(credits[i].conversions >= 0 && credits[i].value >= 0);
			forward[0] += credits[i].conversions;
			forward[1] += credits[i].value;
			backward[0] += credits[found - 1 - i].conversions;
			backward[1] += credits[found - 1 - i].value;
		}
		CHECK(forward[0] == crm_exact_round(&conversions) && backward[0] == forward[0]);
		CHECK(forward[1] == crm_exact_round(&value) && backward[1] == forward[1]);
	}
}

/* ---- arguments ---------------------------------------------------------- */

static crm_status
parse(const char *text, crm_attribution_method *method)
{
	return crm_attribution_parse(text, strlen(text), method);
}

static void
test_arguments(void)
{
	static const char *const unknown[] = {"", "First", "markov2", "last:", "last:1", "shapley:3", "marko", "linear "};
	static const char *const outside[] = {"markov:", "markov:0", "markov:11", "markov:1.5", "markov:99999999999", "markov:-1",
	"decay:", "decay:0", "decay:1.1", "decay:-0.5", "decay:.", "decay:0.5.5", "decay:nan", "decay:1e-3"};
	crm_attribution_method method;
	crm_attribution state;
	uint32_t	path[1];

	for (int i = 0; i < (int) (sizeof(unknown) / sizeof(unknown[0])); i++)
		CHECK_EQUAL(parse(unknown[i], &method), CRM_CORRUPT);
	for (int i = 0; i < (int) (sizeof(outside) / sizeof(outside[0])); i++)
		CHECK_EQUAL(parse(outside[i], &method), CRM_OUT_OF_RANGE);
	CHECK(parse("markov", &method) == CRM_OK && method.rule == CRM_ATTRIBUTION_MARKOV && method.order == 1);
	CHECK(parse("markov:10", &method) == CRM_OK && method.order == 10);
	CHECK(parse("decay", &method) == CRM_OK && method.factor == 0.5);
	CHECK(parse("decay:.25", &method) == CRM_OK && method.factor == 0.25);

	begin(&state, "markov");
	CHECK_EQUAL(crm_attribution_channel(&state, "a", 1, &path[0]), CRM_OK);
	{
		static char long_name[CRM_ATTRIBUTION_MAX_NAME + 1];
		uint32_t	code;

		CHECK_EQUAL(crm_attribution_channel(&state, long_name, sizeof(long_name) - 1, &code), CRM_OK);
		CHECK_EQUAL(crm_attribution_channel(&state, long_name, sizeof(long_name), &code), CRM_LIMIT);
		for (uint32_t i = state.channels.count; i < CRM_ATTRIBUTION_MAX_CHANNELS; i++)
			CHECK_EQUAL(crm_attribution_channel(&state, (char *) &i, sizeof(i), &code), CRM_OK);
		CHECK_EQUAL(crm_attribution_channel(&state, "one more", 8, &code), CRM_LIMIT);
	}
	CHECK_EQUAL(crm_attribution_add(&state, path, 1, -1, 0, 0), CRM_OUT_OF_RANGE);
	CHECK_EQUAL(crm_attribution_add(&state, path, 1, NAN, 0, 0), CRM_OUT_OF_RANGE);
	CHECK_EQUAL(crm_attribution_add(&state, path, 1, 1, INFINITY, 0), CRM_OUT_OF_RANGE);
	CHECK_EQUAL(crm_attribution_add(&state, path, 1, 1, 0, -0.5), CRM_OUT_OF_RANGE);
	CHECK_EQUAL(crm_attribution_add(&state, path, 1, 1e308, 0, 0), CRM_OK);
	CHECK_EQUAL(crm_attribution_add(&state, path, 1, 1e308, 0, 0), CRM_OUT_OF_RANGE);
}

int
main(void)
{
	test_rules();
	unit_pool_free(&pool);
	test_shapley();
	unit_pool_free(&pool);
	test_markov_by_paths();
	unit_pool_free(&pool);
	test_markov_remembers();
	unit_pool_free(&pool);
	test_markov_solvers();
	unit_pool_free(&pool);
	test_order_and_merging();
	unit_pool_free(&pool);
	test_totals();
	unit_pool_free(&pool);
	test_arguments();
	unit_pool_free(&pool);
	return unit_done();
}
