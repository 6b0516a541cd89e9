/*
 * persona_words.c - what traits of groups are called, in English and Chinese.
 */
#include "scoring/personas.h"

static const char *const level_names[] = {"low", "high", "yes", "no", NULL, "other", "missing"};

/* Columns whose levels have words of their own wherever they stand. */
typedef struct known_column
{
	const char *name;
	const char *low[2];			/* English, Chinese */
	const char *high[2];
} known_column;

static const known_column known_columns[] = {
	{"age", {"young", "年轻"}, {"older", "年长"}},
	{"年龄", {"young", "年轻"}, {"older", "年长"}},
	{"tenure", {"new", "新客户"}, {"long-standing", "老客户"}},
	{"tenure_months", {"new", "新客户"}, {"long-standing", "老客户"}},
	{NULL}
};

/* Around the column's label; then those of times. */
static const char *const patterns[2][7] = {
	{"low %s", "high %s", "%s", "not %s", NULL, "rare %s", "unknown %s"},
	{"%s低", "%s高", "%s", "非%s", NULL, "少见%s", "%s未知"}
};
static const char *const time_patterns[2][2] = {{"early %s", "recent %s"}, {"%s较早", "%s较近"}};

void
scoring_check_words(Jsonb *words)
{
	JsonbIterator *iterator = JsonbIteratorInit(&words->root);
	JsonbValue	value;
	JsonbIteratorToken token;
	int			depth = 0;

	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		if (token == WJB_BEGIN_OBJECT)
			depth++;
		else if (token == WJB_END_OBJECT)
			depth--;
		if (token == WJB_BEGIN_ARRAY || depth > 2 || (token == WJB_VALUE && (depth != 2 || value.type != jbvString)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("words must be an object of objects of strings"),
					 errhint("Write as in '{\"age\": {\"low\": \"young\"}, \"channel\": {\"label\": \"way\", \"app\": \"app only\"}}'.")));
	}
}

/* The word given for a column, or NULL. */
static char *
word_given(const persona_words *words, const char *column, const char *key)
{
	JsonbValue *of_column = scoring_member(words->given, column);
	JsonbValue *word;

	if (of_column == NULL || of_column->type != jbvBinary)
		return NULL;
	word = getKeyJsonValueFromContainer(of_column->val.binary.data, key, strlen(key), NULL);
	return word == NULL || word->type != jbvString ? NULL : pnstrdup(word->val.string.val, word->val.string.len);
}

const char *
scoring_trait_level(const scoring_column *column, const persona_trait *trait)
{
	return trait->level == PERSONA_VALUE ? column->values[trait->value] : level_names[trait->level];
}

/* A column's label: what was given, or its name with blanks. */
static char *
label_of(const persona_words *words, const char *column)
{
	char	   *label = word_given(words, column, "label");

	if (label == NULL)
	{
		label = pstrdup(column);
		for (char *at = label; *at != '\0'; at++)
			if (*at == '_')
				*at = ' ';
	}
	return label;
}

/* One "%s" of a pattern of ours, replaced. */
static char *
fill(const char *pattern, const char *label)
{
	const char *at = strstr(pattern, "%s");

	return psprintf("%.*s%s%s", (int) (at - pattern), pattern, label, at + 2);
}

char *
scoring_trait_words(const persona_words *words, const scoring_column *column, const persona_trait *trait)
{
	char	   *given = word_given(words, column->name, scoring_trait_level(column, trait));
	char	   *label;
	bool		time = column->kind == SCORING_COLUMN_TIME || column->kind == SCORING_COLUMN_INSTANT;

	if (given != NULL)
		return given;
	for (const known_column *known = known_columns; known->name != NULL && trait->level <= PERSONA_HIGH; known++)
		if (pg_strcasecmp(known->name, column->name) == 0)
			return pstrdup((trait->level == PERSONA_LOW ? known->low : known->high)[words->chinese]);
	label = label_of(words, column->name);
	if (trait->level == PERSONA_VALUE)
		return words->chinese ? psprintf("%s：%s", label, column->values[trait->value]) : psprintf("%s %s", label, column->values[trait->value]);
	if (trait->level <= PERSONA_HIGH && time)
		return fill(time_patterns[words->chinese][trait->level], label);
	return fill(patterns[words->chinese][trait->level], label);
}
