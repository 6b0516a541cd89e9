/*
 * test_selector.c - selectors against an evaluation of what they were written
 * from, on random timelines; what the parser refuses, and where.
 *
 * The oracle keeps events and tests as plain structs and compares numbers as
 * hundredths; it shares no code with the parser or the binding.
 */
#include "unit.h"

#include "kernel/selector.h"
#include "kernel/timeline_write.h"

#define EVENTS 30
#define SELECTORS 8
#define TESTS 3

static const char *const names[] = {"order", "view", "page view", "cart", "", "*", "a[b]", "say \"hi\"", "x=y", "下单", " in ", "login", "u"};
static const char *const channels[] = {"channel", "amount", "value", "a,b", "渠道"};
static const char *const texts[] = {"app", "web", "true", "12", "", "a]b", "null", "1e2"};

#define COUNT(array) ((int) (sizeof(array) / sizeof((array)[0])))

typedef struct attribute
{
	bool		there;
	crm_attribute_kind kind;
	int			hundredths;		/* a number */
	int			text;
} attribute;

typedef struct event
{
	int			name;
	bool		has_value;
	int			hundredths;
	attribute	attributes[COUNT(channels)];
} event;

typedef enum test_kind
{
	EQUAL, NOT_EQUAL, LESS, NOT_MORE, MORE, NOT_LESS, PRESENT, ABSENT
} test_kind;

typedef struct test
{
	int			channel;
	test_kind	kind;
	int			literal;		/* 0 number, 1 text in quotes, 2 true, 3 false, 4 null */
	int			hundredths;
	int			text;
} test;

typedef struct selector
{
	int			name;			/* -1: any */
	int			tests;
	test		test[TESTS];
} selector;

static uint64_t seed = 20260701;

static int
random_below(int n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (int) ((seed * UINT64_C(0x2545F4914F6CDD1D) >> 33) % (unsigned) n);
}

static crm_text
text_of(const char *string)
{
	crm_text	text = {string, strlen(string)};

	return text;
}

/* ---- the oracle ---------------------------------------------------------- */

static bool
compare(test_kind kind, int left, int right)
{
	return kind == EQUAL ? left == right : kind == NOT_EQUAL ? left != right : kind == LESS ? left < right :
		kind == NOT_MORE ? left <= right : kind == MORE ? left > right : left >= right;
}

static bool
passes(const event *e, const test *t, bool value_is_channel)
{
	const attribute *a = &e->attributes[t->channel];
	const char *spelled = t->literal == 1 ? texts[t->text] : t->literal == 2 ? "true" : t->literal == 3 ? "false" : "null";
	bool		own = strcmp(channels[t->channel], "value") == 0 && !value_is_channel;
	bool		there = own ? e->has_value : a->there;

	if (t->kind == PRESENT || t->kind == ABSENT)
		return there == (t->kind == PRESENT);
	if (!there)
		return t->kind == NOT_EQUAL;
	if (own || a->kind == CRM_ATTRIBUTE_NUMBER)
	{
		if (t->literal != 0)
			return t->kind == NOT_EQUAL;
		return compare(t->kind, own ? e->hundredths : a->hundredths, t->hundredths);
	}
	if (t->kind != EQUAL && t->kind != NOT_EQUAL)
		return false;
	if (a->kind == CRM_ATTRIBUTE_TEXT)
	{
		/* No text here is spelled as one of the numbers. */
		return (t->literal != 0 && strcmp(spelled, texts[a->text]) == 0) == (t->kind == EQUAL);
	}
	return ((a->kind == CRM_ATTRIBUTE_TRUE && t->literal == 2) || (a->kind == CRM_ATTRIBUTE_FALSE && t->literal == 3) ||
			(a->kind == CRM_ATTRIBUTE_NULL && t->literal == 4)) == (t->kind == EQUAL);
}

static uint64_t
expected(const event *e, const selector *s, int count, bool value_is_channel)
{
	uint64_t	met = 0;

	for (int i = 0; i < count; i++)
	{
		bool		good = s[i].name < 0 || s[i].name == e->name;

		for (int k = 0; k < s[i].tests; k++)
			good = good && passes(e, &s[i].test[k], value_is_channel);
		met |= (uint64_t) good << i;
	}
	return met;
}

/* ---- writing ------------------------------------------------------------- */

static char *
write_word(char *at, const char *word)
{
	size_t		size = strlen(word);
	bool		quoted = size == 0 || strcmp(word, "*") == 0 || strpbrk(word, "[],=!<>\"") != NULL || word[0] == ' ' ||
		word[size - 1] == ' ' || random_below(4) == 0;

	if (!quoted)
		return at + sprintf(at, "%s%s", word, random_below(3) == 0 ? " " : "");
	*at++ = '"';
	for (; *word != '\0'; word++)
	{
		if (*word == '"')
			*at++ = '"';
		*at++ = *word;
	}
	*at++ = '"';
	return at;
}

/* The same number in some of its spellings. */
static char *
write_number(char *at, int hundredths, bool literal)
{
	int			way = random_below(literal ? 4 : 2);
	int			whole = abs(hundredths) / 100;
	int			rest = abs(hundredths) % 100;
	const char *sign = hundredths < 0 ? "-" : literal && random_below(3) == 0 ? "+" : "";

	if (way == 0)
		return at + sprintf(at, "%s%d.%02d", sign, whole, rest);
	if (way == 1)
		return at + sprintf(at, "%s%d.%02d000", sign, whole, rest);
	if (way == 2)
		return at + sprintf(at, "%s000%d%02de-2", sign, whole, rest);
	return at + sprintf(at, "%s.%04dE+2", sign, abs(hundredths));
}

static void
write_selector(const selector *s, char *at)
{
	static const char *const operators[] = {"=", "!=", "<", "<=", ">", ">="};

	if (s->name < 0)
		*at++ = '*';
	else
		at = write_word(at, names[s->name]);
	for (int k = 0; k < s->tests; k++)
	{
		const test *t = &s->test[k];

		*at++ = k == 0 ? '[' : ',';
		if (random_below(3) == 0)
			*at++ = ' ';
		if (t->kind == ABSENT)
			*at++ = '!';
		at = write_word(at, channels[t->channel]);
		if (t->kind < PRESENT)
		{
			at += sprintf(at, "%s", operators[t->kind]);
			if (t->literal == 0)
				at = write_number(at, t->hundredths, true);
			else if (t->literal == 1)
			{
				/* In quotes, so that it is neither a number nor a word of its own. */
				*at++ = '"';
				at += sprintf(at, "%s\"", texts[t->text]);
			}
			else
				at += sprintf(at, "%s", t->literal == 2 ? "true" : t->literal == 3 ? "false" : "null");
		}
	}
	if (s->tests > 0)
		*at++ = ']';
	*at = '\0';
}

static void
random_selectors(const crm_env *env, selector *s, int count, crm_selectors **parsed)
{
	static char spelled[SELECTORS][512];
	crm_text	given[SELECTORS];
	crm_selector_error error;

	for (int i = 0; i < count; i++)
	{
		s[i].name = random_below(COUNT(names) + 2) - 2;
		s[i].tests = random_below(2) * random_below(TESTS + 1);
		for (int k = 0; k < s[i].tests; k++)
		{
			test	   *t = &s[i].test[k];

			t->channel = random_below(COUNT(channels));
			t->kind = random_below(8);
			t->literal = t->kind >= LESS ? 0 : random_below(5);
			t->hundredths = random_below(7) * 50 - 150;
			t->text = random_below(COUNT(texts));
		}
		write_selector(&s[i], spelled[i]);
		given[i] = text_of(spelled[i]);
	}
	if (!CHECK_EQUAL(crm_selectors_parse(env, given, count, parsed, &error), CRM_OK))
	{
		fprintf(stderr, "%s: at %zu %s\n", spelled[error.selector], error.position, error.expected);
		exit(EXIT_FAILURE);
	}
}

/* A timeline of some of the names and channels, so that dictionaries differ. */
static void
random_timeline(crm_timeline_writer *writer, event *events, int count, int first_name, int some_names, crm_timeline *timeline,
				bool *value_is_channel)
{
	crm_timeline_event packed[EVENTS];
	uint8_t    *bytes;
	size_t		size;
	bool		attributes = random_below(3) > 0;
	bool		values = random_below(2) > 0;

	*value_is_channel = false;
	for (int i = 0; i < count; i++)
	{
		event	   *e = &events[i];
		crm_attribute list[COUNT(channels)];
		char		spelled[COUNT(channels)][32];
		size_t		listed = 0;

		e->name = (first_name + random_below(some_names)) % COUNT(names);
		e->has_value = values && random_below(2) == 0;
		e->hundredths = random_below(7) * 50 - 150;
		for (int c = 0; c < COUNT(channels); c++)
		{
			attribute  *a = &e->attributes[c];

			a->there = attributes && random_below(c == 2 ? 40 : 2) == 0;
			a->kind = random_below(5);
			a->hundredths = random_below(7) * 50 - 150;
			a->text = random_below(COUNT(texts));
			if (!a->there)
				continue;
			*value_is_channel |= c == 2;
			list[listed].name = text_of(channels[c]);
			list[listed].value.kind = a->kind;
			list[listed].value.text = text_of(a->kind == CRM_ATTRIBUTE_TEXT ? texts[a->text] : "");
			if (a->kind == CRM_ATTRIBUTE_NUMBER)
			{
				write_number(spelled[c], a->hundredths, false);
				list[listed].value.text = text_of(spelled[c]);
			}
			listed++;
		}
		memset(&packed[i], 0, sizeof(packed[i]));
		packed[i].at = 1000 + i;
		packed[i].has_value = e->has_value;
		packed[i].value = e->has_value ? e->hundredths / 100.0 : 0;
		CHECK_EQUAL(crm_timeline_writer_name(writer, text_of(names[e->name]), &packed[i].name), CRM_OK);
		CHECK_EQUAL(crm_timeline_writer_attributes(writer, list, listed, &packed[i].attributes), CRM_OK);
	}
	CHECK_EQUAL(crm_timeline_write(writer, packed, count, false, 0, &bytes, &size), CRM_OK);
	CHECK_EQUAL(crm_timeline_open(bytes, size, timeline), CRM_OK);
}

static void
test_random(void)
{
	crm_env		env = unit_env();
	crm_timeline_writer *writer;
	long		met_at_all = 0;

	CHECK_EQUAL(crm_timeline_writer_new(&env, &writer), CRM_OK);
	for (int round = 0; round < 500; round++)
	{
		selector	selectors[SELECTORS];
		crm_selectors *parsed;
		const crm_selectors_bound *bound;
		int			count = 1 + random_below(SELECTORS);

		random_selectors(&env, selectors, count, &parsed);
		CHECK_EQUAL(crm_selectors_count(parsed), count);
		bound = crm_selectors_current(parsed);

		/* One set of selectors over many timelines: few dictionaries that come again, and many. */
		for (int k = 0; k < 40; k++)
		{
			event		events[EVENTS];
			crm_timeline timeline;
			crm_timeline_cursor cursor;
			bool		value_is_channel;
			int			number = random_below(EVENTS + 1);

			random_timeline(writer, events, number, random_below(COUNT(names)), 1 + random_below(5), &timeline, &value_is_channel);
			CHECK_EQUAL(crm_selectors_bind(parsed, &timeline), CRM_OK);
			crm_timeline_begin(&timeline, &cursor);
			for (int i = 0; i < number; i++)
			{
				uint64_t	met;

				CHECK(crm_timeline_next(&cursor));
				met = crm_selectors_met(parsed, bound, &cursor);
				CHECK_EQUAL(met, expected(&events[i], selectors, count, value_is_channel));
				CHECK((met & ~bound->possible) == 0);
				met_at_all += met != 0;
			}
			CHECK(!crm_timeline_next(&cursor));
		}
		crm_selectors_free(parsed);
	}
	CHECK(met_at_all > 10000);
	crm_timeline_writer_free(writer);
}

/* A dictionary too large to be kept among others. */
static void
test_many_names(void)
{
	crm_env		env = unit_env();
	crm_timeline_writer *writer;
	crm_text	given[2] = {{"name 777", 8}, {"name 1999[value>1]", 18}};
	crm_selectors *parsed;
	crm_selector_error error;

	CHECK_EQUAL(crm_timeline_writer_new(&env, &writer), CRM_OK);
	CHECK_EQUAL(crm_selectors_parse(&env, given, 2, &parsed, &error), CRM_OK);
	for (int round = 0; round < 4; round++)
	{
		static crm_timeline_event events[2000];
		crm_timeline timeline;
		crm_timeline_cursor cursor;
		uint8_t    *bytes;
		size_t		size;
		int			number = round % 2 == 0 ? 2000 : 800;

		for (int i = 0; i < number; i++)
		{
			char		name[16];

			sprintf(name, "name %d", i);
			memset(&events[i], 0, sizeof(events[i]));
			events[i].at = i;
			events[i].has_value = true;
			events[i].value = round;
			CHECK_EQUAL(crm_timeline_writer_name(writer, text_of(name), &events[i].name), CRM_OK);
		}
		CHECK_EQUAL(crm_timeline_write(writer, events, number, false, 0, &bytes, &size), CRM_OK);
		CHECK_EQUAL(crm_timeline_open(bytes, size, &timeline), CRM_OK);
		CHECK_EQUAL(crm_selectors_bind(parsed, &timeline), CRM_OK);
		crm_timeline_begin(&timeline, &cursor);
		for (int i = 0; crm_timeline_next(&cursor); i++)
			CHECK_EQUAL(crm_selectors_met(parsed, crm_selectors_current(parsed), &cursor),
						i == 777 ? 1 : i == 1999 && round > 1 ? 2 : 0);
	}
	crm_selectors_free(parsed);
	crm_timeline_writer_free(writer);
}

static void
refuse(const char *text, size_t position, const char *what)
{
	crm_env		env = unit_env();
	crm_text	given[2] = {text_of("good[channel]"), text_of(text)};
	crm_selectors *parsed;
	crm_selector_error error;

	if (!CHECK_EQUAL(crm_selectors_parse(&env, given, 2, &parsed, &error), CRM_CORRUPT))
	{
		fprintf(stderr, "taken: %s\n", text);
		return;
	}
	CHECK_EQUAL(error.selector, 1);
	if (!CHECK_EQUAL(error.position, position) || !CHECK(strstr(error.expected, what) != NULL))
		fprintf(stderr, "%s: at %zu %s\n", text, error.position, error.expected);
}

static void
test_refused(void)
{
	crm_env		env = unit_env();
	crm_text	many[CRM_MAX_SELECTORS + 1];
	crm_selectors *parsed;
	crm_selector_error error;

	refuse("", 0, "name of an event");
	refuse("   ", 3, "name of an event");
	refuse("[a=1]", 0, "name of an event");
	refuse("a]", 1, "[ or the end");
	refuse("a=1", 1, "[ or the end");
	refuse("\"a\"b", 3, "[ or the end");
	refuse("\"a", 0, "double quote");
	refuse("a[", 2, "name of an attribute");
	refuse("a[]", 2, "name of an attribute");
	refuse("a[b", 3, ", or ]");
	refuse("a[b=]", 4, "a value");
	refuse("a[b==1]", 4, "a value");
	refuse("a[b=1", 5, ", or ]");
	refuse("a[b=1,]", 6, "name of an attribute");
	refuse("a[b!1]", 4, "=");
	refuse("a[b!", 4, "=");
	refuse("a[!]", 3, "name of an attribute");
	refuse("a[!b=1]", 4, ", or ]");
	refuse("a[b<x]", 4, "a number");
	refuse("a[b>=\"1\"]", 5, "a number");
	refuse("a[b<1e]", 4, "a number");
	refuse("a[b<.]", 4, "a number");
	refuse("a[b<1.2.3]", 4, "a number");
	refuse("a[b<>1]", 4, "a value");
	refuse("a[b=1]x", 6, "nothing behind");
	refuse("a[b=\"1]", 4, "double quote");
	refuse("a[b=1 \"2\"]", 6, ", or ]");

	for (int i = 0; i <= CRM_MAX_SELECTORS; i++)
		many[i] = text_of("*");
	CHECK_EQUAL(crm_selectors_parse(&env, many, CRM_MAX_SELECTORS + 1, &parsed, &error), CRM_LIMIT);
	CHECK_EQUAL(crm_selectors_parse(&env, many, CRM_MAX_SELECTORS, &parsed, &error), CRM_OK);
	crm_selectors_free(parsed);
}

/* Numbers that a float8 cannot tell apart, and literals far out. */
static void
test_numbers(void)
{
	static const struct
	{
		const char *attribute;
		const char *selector;
		bool		met;
	}			cases[] = {
		{"9007199254740993", "e[n=9007199254740993]", true},
		{"9007199254740993", "e[n=9007199254740992]", false},
		{"9007199254740993", "e[n>9007199254740992]", true},
		{"0.1", "e[n=1e-1]", true},
		{"0.10000000000000000001", "e[n>.1]", true},
		{"-0.10000000000000000001", "e[n<-.1]", true},
		{"0.00", "e[n=-0]", true},
		{"0", "e[n<1e-999999999999]", true},
		{"5", "e[n<1e999999999999]", true},
		{"-5", "e[n>-1e400]", true},
		{"100", "e[n=1E2]", true},
		{"100.0", "e[n<=100]", true},
		{"99.99", "e[n<100]", true},
		{"1000", "e[n<999.99]", false},
		{"1000", "e[n=\"1000\"]", false},
	};
	crm_env		env = unit_env();
	crm_timeline_writer *writer;

	CHECK_EQUAL(crm_timeline_writer_new(&env, &writer), CRM_OK);
	for (int i = 0; i < COUNT(cases); i++)
	{
		crm_attribute attribute = {text_of("n"), {CRM_ATTRIBUTE_NUMBER, text_of(cases[i].attribute)}};
		crm_timeline_event one = {0, 0, 0, 0, false};
		crm_text	given = text_of(cases[i].selector);
		crm_selectors *parsed;
		crm_selector_error error;
		crm_timeline timeline;
		crm_timeline_cursor cursor;
		uint8_t    *bytes;
		size_t		size;

		CHECK_EQUAL(crm_timeline_writer_name(writer, text_of("e"), &one.name), CRM_OK);
		CHECK_EQUAL(crm_timeline_writer_attributes(writer, &attribute, 1, &one.attributes), CRM_OK);
		CHECK_EQUAL(crm_timeline_write(writer, &one, 1, false, 0, &bytes, &size), CRM_OK);
		CHECK_EQUAL(crm_timeline_open(bytes, size, &timeline), CRM_OK);
		CHECK_EQUAL(crm_selectors_parse(&env, &given, 1, &parsed, &error), CRM_OK);
		CHECK_EQUAL(crm_selectors_bind(parsed, &timeline), CRM_OK);
		crm_timeline_begin(&timeline, &cursor);
		CHECK(crm_timeline_next(&cursor));
		if (!CHECK_EQUAL(crm_selectors_met(parsed, crm_selectors_current(parsed), &cursor), cases[i].met))
			fprintf(stderr, "%s with %s\n", cases[i].selector, cases[i].attribute);
		crm_selectors_free(parsed);
	}
	crm_timeline_writer_free(writer);
}

int
main(void)
{
	test_random();
	test_many_names();
	test_refused();
	test_numbers();
	return unit_done();
}
