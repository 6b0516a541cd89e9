/*
 * selector.c - which events of a timeline are meant.
 *
 * A selector is bound to a timeline in two steps.  The names of the events
 * become, by number of the name, a set of selectors; what was found for a
 * dictionary of names is kept, as timelines of a table share few of them.  The
 * attributes are looked up only where an event may meet a selector with
 * tests: each test becomes a bit for every value of its channel's dictionary,
 * so that testing an event is looking at a bit.
 */
#include "kernel/selector_private.h"

#include <stdlib.h>

#define KEPT_SIZE 4096			/* larger ones are kept one at a time */
#define PROGRESS_STEP 4096
#define MAX_EXPONENT INT64_C(1000000000)

/* ---- parsing ------------------------------------------------------------- */

typedef struct reader
{
	const char *text;
	size_t		size;
	size_t		at;
	crm_selectors *into;
	crm_selector_error *error;
} reader;

static crm_status
fail(reader *in, size_t position, const char *expected)
{
	in->error->position = position;
	in->error->expected = expected;
	return CRM_CORRUPT;
}

static void
skip_blanks(reader *in)
{
	while (in->at < in->size && in->text[in->at] == ' ')
		in->at++;
}

static bool
take(reader *in, char sign)
{
	if (in->at == in->size || in->text[in->at] != sign)
		return false;
	in->at++;
	return true;
}

/* A word as it stands or in quotes, copied. */
static crm_status
take_word(reader *in, const char *expected, crm_text *word, bool *quoted)
{
	crm_selectors *into = in->into;
	char	   *copy = into->text + into->text_used;
	size_t		size = 0,
				start;

	skip_blanks(in);
	start = in->at;
	*quoted = take(in, '"');
	if (*quoted)
	{
		for (;;)
		{
			if (in->at == in->size)
				return fail(in, start, "a double quote at the end of what one begins");
			if (!take(in, '"'))
				copy[size++] = in->text[in->at++];
			else if (take(in, '"'))
				copy[size++] = '"';
			else
				break;
		}
	}
	else
	{
		while (in->at < in->size && strchr("[],=!<>\"", in->text[in->at]) == NULL)
			copy[size++] = in->text[in->at++];
		while (size > 0 && copy[size - 1] == ' ')
			size--;
		if (size == 0)
			return fail(in, start, expected);
	}
	copy[size] = '\0';
	into->text_used += size + 1;
	word->data = copy;
	word->size = size;
	skip_blanks(in);
	return CRM_OK;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads [+-] digits [. digits] [e [+-] digits], and nothing else. */
static bool
read_number(crm_text text, decimal *number)
{
	const char *at = text.data,
			   *end = text.data + text.size;
	bool		any = false,
				point = false;
	int64_t		before = 0,		/* digits before the point, from the first that is not 0 */
				power = 0;

	memset(number, 0, sizeof(*number));
	number->zero = true;
	if (at < end && (*at == '-' || *at == '+'))
		number->negative = *at++ == '-';
	for (; at < end && (is_digit(*at) || (*at == '.' && !point)); at++)
	{
		if (*at == '.')
		{
			point = true;
			continue;
		}
		any = true;
		if (number->zero && *at != '0')
		{
			number->zero = false;
			number->digits = at;
		}
		if (!point && !number->zero)
			before++;
		else if (point && number->zero)
			before--;
	}
	if (!any)
		return false;
	if (!number->zero)
		number->size = at - number->digits;
	if (at < end && (*at == 'e' || *at == 'E'))
	{
		bool		down = false;

		at++;
		if (at < end && (*at == '-' || *at == '+'))
			down = *at++ == '-';
		if (at == end)
			return false;
		for (; at < end && is_digit(*at); at++)
			power = power >= MAX_EXPONENT ? MAX_EXPONENT : power * 10 + (*at - '0');
		if (down)
			power = -power;
	}
	number->exponent = before + power;
	return at == end;
}

/* Less than 0, 0 or more than 0, exactly. */
static int
compare_numbers(const decimal *a, const decimal *b)
{
	int			sign;
	size_t		i = 0,
				j = 0;

	if (a->zero || b->zero)
		return a->zero ? (b->zero ? 0 : b->negative ? 1 : -1) : a->negative ? -1 : 1;
	if (a->negative != b->negative)
		return a->negative ? -1 : 1;
	sign = a->negative ? -1 : 1;
	if (a->exponent != b->exponent)
		return a->exponent < b->exponent ? -sign : sign;
	for (;;)
	{
		char		left,
					right;

		if (i < a->size && a->digits[i] == '.')
			i++;
		if (j < b->size && b->digits[j] == '.')
			j++;
		if (i >= a->size && j >= b->size)
			return 0;
		left = i < a->size ? a->digits[i++] : '0';
		right = j < b->size ? b->digits[j++] : '0';
		if (left != right)
			return left < right ? -sign : sign;
	}
}

static crm_status
take_test(reader *in, selector_test *test)
{
	bool		quoted;
	size_t		start;

	memset(test, 0, sizeof(*test));
	test->kind = -1;
	skip_blanks(in);
	if (take(in, '!'))
	{
		test->operator = TEST_ABSENT;
		return take_word(in, "the name of an attribute", &test->channel, &quoted);
	}
	CRM_TRY(take_word(in, "the name of an attribute, or ! before one", &test->channel, &quoted));
	if (take(in, '='))
		test->operator = TEST_EQUAL;
	else if (take(in, '<'))
		test->operator = take(in, '=') ? TEST_NOT_MORE : TEST_LESS;
	else if (take(in, '>'))
		test->operator = take(in, '=') ? TEST_NOT_LESS : TEST_MORE;
	else if (take(in, '!'))
	{
		if (!take(in, '='))
			return fail(in, in->at, "= behind the !");
		test->operator = TEST_NOT_EQUAL;
	}
	else
	{
		test->operator = TEST_PRESENT;
		return CRM_OK;
	}
	skip_blanks(in);
	start = in->at;
	CRM_TRY(take_word(in, "a value", &test->literal, &quoted));
	if (!quoted)
	{
		test->is_number = read_number(test->literal, &test->number);
		if (test->is_number)
			test->rounded = strtod(test->literal.data, NULL);
		else if (strcmp(test->literal.data, "true") == 0)
			test->kind = CRM_ATTRIBUTE_TRUE;
		else if (strcmp(test->literal.data, "false") == 0)
			test->kind = CRM_ATTRIBUTE_FALSE;
		else if (strcmp(test->literal.data, "null") == 0)
			test->kind = CRM_ATTRIBUTE_NULL;
	}
	if (test->operator >= TEST_LESS && !test->is_number)
		return fail(in, start, "a number: only numbers are less or more");
	return CRM_OK;
}

static crm_status
take_selector(reader *in, selector *selector)
{
	crm_selectors *s = in->into;
	bool		quoted;

	CRM_TRY(take_word(in, "the name of an event, or *", &selector->name, &quoted));
	selector->any = !quoted && selector->name.size == 1 && selector->name.data[0] == '*';
	selector->first = s->tests;
	selector->tests = 0;
	if (in->at == in->size)
		return CRM_OK;
	if (!take(in, '['))
		return fail(in, in->at, "[ or the end");
	for (;;)
	{
		if (s->tests == s->tests_room)
		{
			int			room = s->tests_room == 0 ? 4 : s->tests_room * 2;
			selector_test *larger = s->env.resize(s->env.arg, s->test, s->tests_room * sizeof(selector_test),
												  room * sizeof(selector_test));

			if (larger == NULL)
				return CRM_NO_MEMORY;
			s->test = larger;
			s->tests_room = room;
		}
		CRM_TRY(take_test(in, &s->test[s->tests]));
		s->tests++;
		selector->tests++;
		if (take(in, ']'))
			break;
		if (!take(in, ','))
			return fail(in, in->at, ", or ]");
	}
	skip_blanks(in);
	return in->at == in->size ? CRM_OK : fail(in, in->at, "nothing behind the ]");
}

crm_status
crm_selectors_parse(const crm_env *env, const crm_text *texts, int count, crm_selectors **selectors,
					crm_selector_error *error)
{
	crm_selectors *s;
	size_t		room = 1;
	crm_status	status = CRM_OK;

	memset(error, 0, sizeof(*error));
	*selectors = NULL;
	if (count > CRM_MAX_SELECTORS)
		return CRM_LIMIT;

	/* A word is at least a byte of the text, and its copy a byte longer than it. */
	for (int i = 0; i < count; i++)
		room += 2 * texts[i].size + 1;
	s = env->alloc(env->arg, sizeof(*s));
	if (s == NULL)
		return CRM_NO_MEMORY;
	memset(s, 0, sizeof(*s));
	s->env = *env;
	s->count = count;
	s->selectors = env->alloc(env->arg, count * sizeof(selector));
	s->text = env->alloc(env->arg, room);
	if (s->selectors == NULL || s->text == NULL)
		status = CRM_NO_MEMORY;
	for (int i = 0; status == CRM_OK && i < count; i++)
	{
		reader		in = {texts[i].data, texts[i].size, 0, s, error};

		error->selector = i;
		status = take_selector(&in, &s->selectors[i]);
		if (status == CRM_OK && s->selectors[i].tests > 0)
			s->bound.tested |= UINT64_C(1) << i;
	}
	if (status == CRM_OK)
		*selectors = s;
	else
		crm_selectors_free(s);
	return status;
}

void
crm_selectors_free(crm_selectors *s)
{
	const crm_env *env;

	if (s == NULL)
		return;
	env = &s->env;
	for (int i = 0; i < s->tests; i++)
		if (s->test[i].met != NULL)
			env->release(env->arg, s->test[i].met);
	for (int i = 0; i < KEPT_DICTIONARIES; i++)
		if (s->kept[i] != NULL)
			env->release(env->arg, s->kept[i]);
	if (s->large != NULL)
		env->release(env->arg, s->large);
	if (s->channels != NULL)
		env->release(env->arg, s->channels);
	if (s->entries != NULL)
		env->release(env->arg, s->entries);
	if (s->test != NULL)
		env->release(env->arg, s->test);
	if (s->selectors != NULL)
		env->release(env->arg, s->selectors);
	if (s->text != NULL)
		env->release(env->arg, s->text);
	env->release(env->arg, s);
}

int
crm_selectors_count(const crm_selectors *selectors)
{
	return selectors->count;
}

const crm_selectors_bound *
crm_selectors_current(const crm_selectors *selectors)
{
	return &selectors->bound;
}

/* ---- binding of names ---------------------------------------------------- */

static inline const uint8_t *
dictionary_names(const dictionary *d)
{
	return (const uint8_t *) (d->by_code + ((size_t) 1 << d->code_bits));
}

/* Names say where they end, so equal bytes for as many of them are the same names. */
static inline bool
is_dictionary(const dictionary *d, const crm_timeline *t)
{
	return d != NULL && d->names == t->names && d->size <= t->channels_at - t->names_at &&
		memcmp(dictionary_names(d), t->bytes + t->names_at, d->size) == 0;
}

static size_t
names_size(const crm_timeline *t)
{
	size_t		position = t->names_at;

	/* Without attributes, what follows the names follows at once. */
	if (t->channels == 0)
		return t->channels_at - t->names_at;
	for (uint32_t code = 0; code < t->names; code++)
		(void) crm_timeline_next_name(t, &position);
	return position - t->names_at;
}

/* A number for the bytes of the names that spreads well; a clash only costs time. */
static inline size_t
dictionary_place(const uint8_t *bytes, size_t size)
{
	uint64_t	hash = size;
	size_t		i = 0;

	for (; i + 8 <= size; i += 8)
		hash = (hash ^ crm_load64(bytes + i)) * UINT64_C(0x9E3779B97F4A7C15);
	for (; i < size; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x9E3779B97F4A7C15);
	return (hash >> 40) & (KEPT_DICTIONARIES - 1);
}

static crm_status
resolve_names(crm_selectors *s, const crm_timeline *t, dictionary *d)
{
	size_t		position = t->names_at;
	uint64_t	any = 0;

	for (int i = 0; i < s->count; i++)
		if (s->selectors[i].any)
			any |= UINT64_C(1) << i;
	memset(d->by_code, 0, sizeof(uint64_t) << t->code_bits);
	d->possible = 0;
	for (uint32_t code = 0; code < t->names; code++)
	{
		crm_text	name = crm_timeline_next_name(t, &position);
		uint64_t	met = any;

		for (int i = 0; i < s->count; i++)
			if (!s->selectors[i].any && s->selectors[i].name.size == name.size &&
				memcmp(s->selectors[i].name.data, name.data, name.size) == 0)
				met |= UINT64_C(1) << i;
		d->by_code[code] = met;
		d->possible |= met;
		if (code % PROGRESS_STEP == PROGRESS_STEP - 1)
			crm_progress(&s->env);
	}
	return CRM_OK;
}

static crm_status
bind_names(crm_selectors *s, const crm_timeline *t)
{
	const crm_env *env = &s->env;
	const uint8_t *bytes = t->bytes + t->names_at;
	size_t		size,
				needed;
	dictionary **slot;
	dictionary *d;

	if (is_dictionary(s->current, t))
		return CRM_OK;
	size = names_size(t);
	needed = sizeof(dictionary) + (sizeof(uint64_t) << t->code_bits) + size;
	slot = needed > KEPT_SIZE ? &s->large : &s->kept[dictionary_place(bytes, size)];
	d = *slot;
	if (!is_dictionary(d, t))
	{
		s->current = NULL;
		if (d == NULL || d->room < needed)
		{
			size_t		room = needed + needed / 2;

			if (d != NULL)
			{
				*slot = NULL;
				env->release(env->arg, d);
			}
			d = env->alloc(env->arg, room);
			if (d == NULL)
				return CRM_NO_MEMORY;
			d->room = room;
			*slot = d;
		}
		d->size = SIZE_MAX;		/* not to be found before it is whole */
		d->names = t->names;
		d->code_bits = t->code_bits;
		CRM_TRY(resolve_names(s, t, d));
		memcpy((uint8_t *) dictionary_names(d), bytes, size);
		d->size = size;
	}
	s->current = d;
	s->bound.by_code = d->by_code;
	s->bound.possible = d->possible;
	return CRM_OK;
}

/* ---- binding of attributes, and testing ----------------------------------- */

bool
crm_selector_attribute_meets(const selector_test *test, const crm_attribute_value *value)
{
	bool		equal;
	decimal		number;

	if (test->operator == TEST_PRESENT || test->operator == TEST_ABSENT)
		return test->operator == TEST_PRESENT;
	switch (value->kind)
	{
		case CRM_ATTRIBUTE_NUMBER:
			if (!test->is_number || !read_number(value->text, &number))
				return test->operator == TEST_NOT_EQUAL;
			return crm_selector_order_meets(test->operator, compare_numbers(&number, &test->number));
		case CRM_ATTRIBUTE_TEXT:
			equal = value->text.size == test->literal.size &&
				memcmp(value->text.data, test->literal.data, value->text.size) == 0;
			break;
		default:
			equal = test->kind == (int) value->kind;
			break;
	}
	return test->operator == TEST_EQUAL ? equal : test->operator == TEST_NOT_EQUAL && !equal;
}

/*
 * Memory for so many units, whose contents need not be kept; false when there
 * is none.  The old piece goes last, as the allocator may leave by longjmp.
 */
static bool
make_room(const crm_env *env, void *place, size_t *room, size_t needed, size_t unit)
{
	void	   *old,
			   *larger;

	memcpy(&old, place, sizeof(old));
	if (old != NULL && needed <= *room)
		return true;
	needed += needed / 2;
	larger = env->alloc(env->arg, needed * unit);
	if (larger == NULL)
		return false;
	memcpy(place, &larger, sizeof(larger));
	*room = needed;
	if (old != NULL)
		env->release(env->arg, old);
	return true;
}

/* The tests of the selectors in the set. */
static crm_status
bind_tests(crm_selectors *s, const crm_timeline *t, uint64_t selectors)
{
	const crm_env *env = &s->env;

	if (!make_room(env, &s->channels, &s->channels_room, t->channels, sizeof(crm_timeline_channel)))
		return CRM_NO_MEMORY;
	if (t->channels > 0)
		crm_timeline_channels(t, s->channels);
	crm_timeline_values_begin(t, &s->values);
	for (; selectors != 0; selectors &= selectors - 1)
	{
		const selector *one = &s->selectors[crm_ctz64(selectors)];

		for (int i = one->first; i < one->first + one->tests; i++)
		{
			selector_test *test = &s->test[i];
			const crm_timeline_channel *channel = NULL;

			for (uint32_t c = 0; c < t->channels; c++)
				if (s->channels[c].name.size == test->channel.size &&
					memcmp(s->channels[c].name.data, test->channel.data, test->channel.size) == 0)
					channel = &s->channels[c];
			test->at = channel;
			test->absent_met = test->operator == TEST_ABSENT || test->operator == TEST_NOT_EQUAL;
			test->is_value = channel == NULL && test->channel.size == 5 && memcmp(test->channel.data, "value", 5) == 0;
			if (channel == NULL)
				continue;
			if (!make_room(env, &test->met, &test->met_room, channel->values / 64 + 1, sizeof(uint64_t)) ||
				!make_room(env, &s->entries, &s->entries_room, channel->values, sizeof(crm_attribute_value)))
				return CRM_NO_MEMORY;
			crm_timeline_channel_values(channel, s->entries);
			memset(test->met, 0, (channel->values / 64 + 1) * sizeof(uint64_t));
			test->met[0] = test->absent_met;
			for (uint32_t v = 0; v < channel->values; v++)
			{
				if (crm_selector_attribute_meets(test, &s->entries[v]))
					test->met[(v + 1) / 64] |= UINT64_C(1) << (v + 1) % 64;
				if (v % PROGRESS_STEP == PROGRESS_STEP - 1)
					crm_progress(env);
			}
		}
	}
	return CRM_OK;
}

crm_status
crm_selectors_bind(crm_selectors *selectors, const crm_timeline *timeline)
{
	static const uint64_t none = 0;

	if (timeline->count == 0)
	{
		selectors->current = NULL;
		selectors->bound.by_code = &none;
		selectors->bound.possible = 0;
		return CRM_OK;
	}
	CRM_TRY(bind_names(selectors, timeline));
	if (selectors->bound.tested & selectors->bound.possible)
		CRM_TRY(bind_tests(selectors, timeline, selectors->bound.tested & selectors->bound.possible));
	return CRM_OK;
}

static bool
test_event(crm_selectors *s, const selector_test *test, size_t index)
{
	uint32_t	code;
	double		value;

	if (test->at != NULL)
	{
		code = crm_timeline_channel_code(test->at, index);
		return test->met[code / 64] >> code % 64 & 1;
	}
	if (!test->is_value || !crm_timeline_value(&s->values, index, &value))
		return test->absent_met;
	if (test->operator == TEST_PRESENT || test->operator == TEST_ABSENT)
		return test->operator == TEST_PRESENT;
	if (!test->is_number)
		return test->operator == TEST_NOT_EQUAL;
	return crm_selector_order_meets(test->operator, value < test->rounded ? -1 : value > test->rounded);
}

uint64_t
crm_selectors_test(crm_selectors *selectors, uint64_t candidates, size_t index)
{
	uint64_t	met = candidates;

	for (uint64_t rest = candidates; rest != 0; rest &= rest - 1)
	{
		const selector *one = &selectors->selectors[crm_ctz64(rest)];

		for (int i = one->first; i < one->first + one->tests; i++)
			if (!test_event(selectors, &selectors->test[i], index))
			{
				met &= ~(rest & (0 - rest));
				break;
			}
	}
	return met;
}
