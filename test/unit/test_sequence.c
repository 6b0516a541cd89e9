/*
 * test_sequence.c - patterns against a search of all chains, on random and on
 * all short sequences; what the parser refuses; patterns and data that send a
 * backtracking matcher astray.
 *
 * The oracle writes a pattern's text from its own list of parts and tries all
 * chains of events; it shares no code with the parser or the matcher.
 */
#include "unit.h"

#include <time.h>

#include "kernel/sequence.h"

#define SECOND INT64_C(1000000)
#define MAX_PARTS 6
#define MAX_EVENTS 10

typedef struct part
{
	int			condition;		/* 0: any event */
	bool		star;			/* .* before it */
	int			times;			/* conditions on the time before it */
	int			operator[2];
	int			seconds[2];
} part;

static const char *const operators[] = {"<=", "<", ">=", ">", "=="};

static uint64_t seed = 20260601;

static uint64_t
random_bits(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * UINT64_C(0x2545F4914F6CDD1D);
}

static bool
part_fits(const part *parts, int i, const crm_event *events, int k, int at)
{
	if (parts[i].condition > 0 && !(events[at].met >> (parts[i].condition - 1) & 1))
		return false;
	if (i == 0)
		return true;
	if (!parts[i].star && parts[i].times == 0)
		return at == k + 1;
	for (int t = 0; t < parts[i].times; t++)
	{
		int64_t		between = events[at].at - events[k].at;
		int64_t		time = parts[i].seconds[t] * SECOND;
		bool		good = parts[i].operator[t] == 0 ? between <= time : parts[i].operator[t] == 1 ? between < time :
			parts[i].operator[t] == 2 ? between >= time : parts[i].operator[t] == 3 ? between > time : between == time;

		if (!good)
			return false;
	}
	return true;
}

/* The best chain of the first "length" parts: it ends first, then each event is the earliest, seen from the end. */
static void
try_chains(const part *parts, int length, const crm_event *events, int from, int count, int done, int *chain, int *best)
{
	if (done == length)
	{
		for (int i = length - 1; i >= 0 && best[0] >= 0; i--)
			if (chain[i] != best[i])
			{
				if (chain[i] > best[i])
					return;
				break;
			}
		memcpy(best, chain, length * sizeof(int));
		return;
	}
	for (int at = done == 0 ? from : chain[done - 1] + 1; at < count; at++)
		if (part_fits(parts, done, events, done == 0 ? 0 : chain[done - 1], at))
		{
			chain[done] = at;
			try_chains(parts, length, events, from, count, done + 1, chain, best);
		}
}

static void
write_pattern(const part *parts, int length, char *text)
{
	*text = '\0';
	for (int i = 0; i < length; i++)
	{
		int			star_at = parts[i].times > 0 ? (parts[i].seconds[0] + i) % (parts[i].times + 1) : 0;

		for (int t = 0; t <= parts[i].times; t++)
		{
			if (parts[i].star && t == star_at)
				text += sprintf(text, ".*");
			if (t < parts[i].times)
				text += sprintf(text, "(?t%s%s%d)", operators[parts[i].operator[t]], i % 2 ? "+" : "", parts[i].seconds[t]);
		}
		text += parts[i].condition > 0 ? sprintf(text, "(?%d)", parts[i].condition) : sprintf(text, ".");
	}
}

static void
check_pattern(const part *parts, int length, const crm_event *events, int count)
{
	crm_env		env = unit_env();
	static crm_pattern pattern;
	crm_pattern_error error;
	char		text[512];
	int			chain[MAX_PARTS],
				best[MAX_PARTS],
				longest = length;
	int64_t		times[CRM_PATTERN_MAX_ELEMENTS];
	int			found,
				expected = 0;
	uint64_t	matches,
				expected_matches = 0;
	bool		good = true;

	write_pattern(parts, length, text);
	CHECK_EQUAL(crm_pattern_parse(text, strlen(text), 64, &pattern, &error), CRM_OK);
	for (int from = 0; from < count;)
	{
		best[0] = -1;
		try_chains(parts, length, events, from, count, 0, chain, best);
		if (best[0] < 0)
			break;
		expected_matches++;
		from = best[length - 1] + 1;
	}
	CHECK_EQUAL(crm_sequence_count(&env, &pattern, events, count, UINT64_MAX, &matches), CRM_OK);
	good &= CHECK_EQUAL(matches, expected_matches);
	CHECK_EQUAL(crm_sequence_count(&env, &pattern, events, count, 1, &matches), CRM_OK);
	good &= CHECK_EQUAL(matches, expected_matches > 0);

	for (; longest > 0; longest--)
	{
		best[0] = -1;
		try_chains(parts, longest, events, 0, count, 0, chain, best);
		if (best[0] >= 0)
			break;
	}
	CHECK_EQUAL(crm_sequence_events(&env, &pattern, events, count, times, &found), CRM_OK);
	for (int i = 0; i < longest; i++)
		if (parts[i].condition > 0)
		{
			good &= CHECK(expected < found && times[expected] == events[best[i]].at);
			expected++;
		}
	good &= CHECK_EQUAL(found, expected);
	if (!good)
	{
		fprintf(stderr, "%s:", text);
		for (int i = 0; i < count; i++)
			fprintf(stderr, " %d:%x", (int) (events[i].at / (SECOND / 2)), (int) events[i].met);
		fprintf(stderr, " (times in half seconds)\n");
	}
}

static void
random_parts(part *parts, int length, int conditions)
{
	memset(parts, 0, MAX_PARTS * sizeof(part));
	for (int i = 0; i < length; i++)
	{
		parts[i].condition = random_bits() % (conditions + 1);
		parts[i].star = random_bits() % 3 == 0;
		if (i == 0)
			continue;
		parts[i].times = random_bits() % 5 == 0 ? 2 : random_bits() % 2;
		for (int t = 0; t < 2; t++)
		{
			parts[i].operator[t] = random_bits() % 5;
			parts[i].seconds[t] = random_bits() % 5;
		}
	}
}

static void
check_random(void)
{
	part		parts[MAX_PARTS];
	crm_event	events[MAX_EVENTS];

	for (int round = 0; round < 60000; round++)
	{
		int			length = 1 + random_bits() % 5;
		int			count = random_bits() % (MAX_EVENTS + 1);
		int			conditions = 1 + random_bits() % 3;
		int64_t		at = 0;

		random_parts(parts, length, conditions);
		for (int i = 0; i < count; i++)
		{
			at += random_bits() % 4 * (SECOND / 2);
			events[i].at = at;
			events[i].met = 1 + random_bits() % ((1 << conditions) - 1 + (conditions == 1));
		}
		check_pattern(parts, length, events, count);
	}
}

/* All sequences of five events over two conditions and three gaps, for some patterns of every kind. */
static void
check_all(void)
{
	part		parts[24][MAX_PARTS];
	int			lengths[24];
	crm_event	events[5];

	for (int p = 0; p < 24; p++)
	{
		lengths[p] = 2 + p % 2;
		random_parts(parts[p], lengths[p], 2);
	}
	for (long n = 0; n < 3 * 3 * 3 * 3 * 3 * 3 * 3 * 3 * 3; n++)
	{
		long		rest = n;
		int64_t		at = 0;

		for (int i = 0; i < 5; i++)
		{
			events[i].met = 1 + rest % 3;
			rest /= 3;
			if (i > 0)
			{
				at += rest % 3 * SECOND;
				rest /= 3;
			}
			events[i].at = at;
		}
		check_pattern(parts[n % 24], lengths[n % 24], events, 5);
		check_pattern(parts[(n + 7) % 24], lengths[(n + 7) % 24], events, 4);
	}
}

static void
check_refused(void)
{
	static const struct
	{
		const char *text;
		crm_pattern_fault fault;
		size_t		position;
	}			cases[] = {
		{"(?0)", CRM_PATTERN_NO_CONDITION, 2}, {"(?1)(?0)", CRM_PATTERN_NO_CONDITION, 6}, {"(?4)", CRM_PATTERN_NO_CONDITION, 2},
		{"(?99999999999999999999)", CRM_PATTERN_NO_CONDITION, 2}, {"(?+)", CRM_PATTERN_NO_NUMBER, 3}, {"(?-1)", CRM_PATTERN_NO_NUMBER, 2},
		{"(?1", CRM_PATTERN_NO_BRACKET, 3}, {"(?1 )", CRM_PATTERN_NO_BRACKET, 3}, {"(?", CRM_PATTERN_NO_NUMBER, 2},
		{"a", CRM_PATTERN_UNEXPECTED, 0}, {"(?1)*", CRM_PATTERN_UNEXPECTED, 4}, {" (?1)", CRM_PATTERN_UNEXPECTED, 0},
		{"(", CRM_PATTERN_UNEXPECTED, 0}, {"(?1)(?t1)(?2)", CRM_PATTERN_NO_OPERATOR, 7}, {"(?1)(?t=1)(?2)", CRM_PATTERN_NO_OPERATOR, 7},
		{"(?1)(?t>+)(?2)", CRM_PATTERN_NO_NUMBER, 9}, {"(?1)(?t==+)(?2)", CRM_PATTERN_NO_NUMBER, 10}, {"(?1)(?t>1.5)(?2)", CRM_PATTERN_NO_BRACKET, 9},
		{"(?t>1)(?2)", CRM_PATTERN_LONELY_TIME, 0}, {".*(?t>1)(?2)", CRM_PATTERN_LONELY_TIME, 2}, {"(?1)(?t>1)", CRM_PATTERN_LONELY_TIME, 4},
		{"(?1)(?t>1).*", CRM_PATTERN_LONELY_TIME, 4}
	};
	static crm_pattern pattern;
	crm_pattern_error error;
	char		text[CRM_PATTERN_MAX_ELEMENTS + 1];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		CHECK_EQUAL(crm_pattern_parse(cases[i].text, strlen(cases[i].text), 3, &pattern, &error), CRM_CORRUPT);
		if (!CHECK(error.fault == cases[i].fault) || !CHECK_EQUAL(error.position, cases[i].position))
			fprintf(stderr, "%s\n", cases[i].text);
	}
	memset(text, '.', sizeof(text));
	CHECK_EQUAL(crm_pattern_parse(text, CRM_PATTERN_MAX_ELEMENTS, 1, &pattern, &error), CRM_OK);
	CHECK_EQUAL(crm_pattern_parse(text, CRM_PATTERN_MAX_ELEMENTS + 1, 1, &pattern, &error), CRM_LIMIT);
	CHECK_EQUAL(error.position, CRM_PATTERN_MAX_ELEMENTS);
}

static uint64_t
count_of(const char *text, const crm_event *events, size_t count)
{
	crm_env		env = unit_env();
	static crm_pattern pattern;
	crm_pattern_error error;
	uint64_t	matches = 0;

	CHECK_EQUAL(crm_pattern_parse(text, strlen(text), 8, &pattern, &error), CRM_OK);
	CHECK_EQUAL(crm_sequence_count(&env, &pattern, events, count, UINT64_MAX, &matches), CRM_OK);
	return matches;
}

/* A million events: published answers, and patterns with no match whose ways to fail are endless. */
static void
check_large(void)
{
	enum {COUNT = 1000002};
	crm_event  *events = malloc(COUNT * sizeof(crm_event));
	crm_env		env = unit_env();
	static crm_pattern pattern;
	crm_pattern_error error;
	int64_t		times[CRM_PATTERN_MAX_ELEMENTS];
	int			found;
	char		text[2000] = "";
	clock_t		started = clock();

	/* A at 0, B at 1 .. 999,999, C at 1,000,000, D far away. */
	for (int i = 0; i < COUNT - 1; i++)
		events[i] = (crm_event) {i * SECOND, i == 0 ? 1 : i < 1000000 ? 2 : 4};
	events[COUNT - 1] = (crm_event) {INT64_C(9000000000) * SECOND, 8};
	CHECK_EQUAL(count_of("(?1).*(?2).*(?3)", events, COUNT), 1);
	CHECK_EQUAL(count_of("(?1).*(?2).*(?1)", events, COUNT), 0);
	CHECK_EQUAL(count_of("(?1).*(?2).*(?2).*(?3)", events, COUNT), 1);
	CHECK_EQUAL(count_of("(?3)(?t>=8000000000)(?4)", events, COUNT), 1);
	CHECK_EQUAL(count_of("(?2)(?2)", events, COUNT), 499999);
	CHECK_EQUAL(count_of("(?2)(?t==1)(?2)", events, COUNT), 499999);
	CHECK_EQUAL(count_of("(?2)(?t>=10)(?t<=500000)(?2)(?t>=10)(?t<=500000)(?2)(?5)", events, COUNT), 0);
	CHECK_EQUAL(count_of("(?2)(?t<=900000)(?2)(?t<=900000)(?2)(?t<=900000)(?2)(?t<=900000)(?2)(?1)", events, COUNT), 0);
	CHECK_EQUAL(count_of("", events, COUNT), COUNT);
	CHECK_EQUAL(count_of(".*.*.*", events, COUNT), COUNT);
	for (int i = 0; i < 100; i++)
		strcat(text, ".*(?2)(?t>=1).");
	strcat(text, "(?5)");
	CHECK_EQUAL(count_of(text, events, 200000), 0);
	CHECK_EQUAL(crm_pattern_parse(text, strlen(text), 8, &pattern, &error), CRM_OK);
	CHECK_EQUAL(crm_sequence_events(&env, &pattern, events, 200000, times, &found), CRM_OK);
	CHECK_EQUAL(found, 100);
	/* The bound is generous: a run under a sanitizer on a busy machine. */
	CHECK(clock() - started < 120 * (int64_t) CLOCKS_PER_SEC);

	/* Times as far apart as they can be. */
	events[0] = (crm_event) {INT64_MIN, 1};
	events[1] = (crm_event) {INT64_MAX, 2};
	CHECK_EQUAL(count_of("(?1)(?t>=18446744073709)(?2)", events, 2), 1);
	CHECK_EQUAL(count_of("(?1)(?t>18446744073709)(?2)", events, 2), 1);
	CHECK_EQUAL(count_of("(?1)(?t>18446744073710)(?2)", events, 2), 0);
	CHECK_EQUAL(count_of("(?1)(?t==18446744073710)(?2)", events, 2), 0);
	CHECK_EQUAL(count_of("(?1)(?t<=99999999999999999999)(?2)", events, 2), 1);
	CHECK_EQUAL(count_of("(?1)(?t<0)(?2)", events, 2), 0);
	free(events);
}

int
main(void)
{
	check_refused();
	check_all();
	check_random();
	check_large();
	return unit_done();
}
