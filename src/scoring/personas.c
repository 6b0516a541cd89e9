/*
 * personas.c - what the groups of a model are like: size, typical member, the traits
 * that tell each from all others, and a name made of them.
 *
 * The query runs once, with the caller's rights; each row is put into its group, and
 * the traits of its columns are counted.  What is low and high of a number was fixed
 * when the model was trained, so that words mean the same from day to day.  Whether
 * a trait is more frequent in a group than outside it says Fisher's exact test, and
 * of all tests of all groups those stand that Benjamini and Hochberg let pass.
 */
#include "scoring/personas.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/language.h"
#include "common/query.h"
#include "funcapi.h"
#include "kernel/model_kmeans.h"
#include "kernel/significance.h"
#include "tag/tag.h"
#include "utils/acl.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

CRM_FUNCTION(crm_personas);

/* Traits of a name at first, and at most where groups would have the same one. */
#define NAME_TRAITS 3
#define MOST_NAME_TRAITS 6
/* A trait is in a name if half of the group have it, and it is so much more frequent than among all. */
#define NAME_SHARE 0.5
#define NAME_INDEX 1.2

/* Of a trait of a group: its count, the test, its q among the tests and in its place, and what sorting them takes. */
#define BYTES_A_TEST (sizeof(int64) + 3 * sizeof(double) + 2 * sizeof(void *))

typedef struct persona_group
{
	int64		rows;
	int			gaps;			/* values that the typical member lacks */
	double		least;			/* its distance, squared */
	char	   *key;
	char	   *row;			/* as JSON */
	int		   *order;			/* its traits, the most telling first */
	char	   *name;
} persona_group;

typedef struct persona_pass
{
	scoring_version *version;
	scoring_encoding *encoding;
	crm_scorer	scorer;
	uint32		groups;
	MemoryContext row;
	MemoryContext kept;
	TupleDesc	desc;
	scoring_reader *readers;
	scoring_cell *cells;
	double	   *features;
	int			key;			/* attribute; -1 */
	int		   *first;			/* trait of each column that is its first */
	double	   *low;
	double	   *high;
	int			trait_count;
	persona_trait *traits;
	int64	   *counts;			/* of each group, of each trait */
	int64		rows;
	persona_group *group;
	double	   *q;				/* as counts */
} persona_pass;

/* ---- traits ------------------------------------------------------------------------ */

static void
add_trait(persona_pass *p, int column, persona_level level, int value)
{
	p->traits[p->trait_count++] = (persona_trait) {.column = column, .level = level, .value = value};
}

/* Each column's traits: two levels or the values of a text, then rare values, then gaps. */
static void
make_traits(persona_pass *p)
{
	int			most = 0;

	for (int i = 0; i < p->encoding->count; i++)
		most += p->encoding->columns[i].count + 4;
	p->traits = palloc0(sizeof(persona_trait) * Max(most, 1));
	p->first = palloc(sizeof(int) * Max(p->encoding->count, 1));
	p->low = palloc0(sizeof(double) * Max(p->encoding->count, 1));
	p->high = palloc0(sizeof(double) * Max(p->encoding->count, 1));
	for (int i = 0; i < p->encoding->count; i++)
	{
		const scoring_column *column = &p->encoding->columns[i];

		p->first[i] = p->trait_count;
		if (column->kind == SCORING_COLUMN_TEXT)
		{
			for (int v = 0; v < column->count; v++)
				add_trait(p, i, PERSONA_VALUE, v);
			add_trait(p, i, PERSONA_OTHER, 0);
		}
		else
		{
			bool		boolean = column->kind == SCORING_COLUMN_BOOLEAN;

			add_trait(p, i, boolean ? PERSONA_NO : PERSONA_LOW, 0);
			add_trait(p, i, boolean ? PERSONA_YES : PERSONA_HIGH, 0);
			if (!boolean)
				scoring_number_levels(p->version->profile, p->encoding, i, &p->low[i], &p->high[i]);
		}
		add_trait(p, i, PERSONA_MISSING, 0);
	}
}

/* The trait of a cell; -1 for a number that is neither low nor high. */
static int
trait_of(const persona_pass *p, int i)
{
	const scoring_column *column = &p->encoding->columns[i];
	const scoring_cell *cell = &p->cells[i];
	int			first = p->first[i];

	if (column->kind == SCORING_COLUMN_TEXT)
	{
		int			value = cell->missing ? -1 : scoring_find_value(column, cell);

		return cell->missing ? first + column->count + 1 : value >= 0 ? first + value : first + column->count;
	}
	if (cell->missing)
		return first + 2;
	if (column->kind == SCORING_COLUMN_BOOLEAN)
		return first + (cell->number != 0);
	return cell->number <= p->low[i] ? first : cell->number > p->high[i] ? first + 1 : -1;
}

/* ---- rows ------------------------------------------------------------------------------ */

static char *
text_of(const persona_pass *p, TupleTableSlot *slot, int attribute)
{
	Oid			output;
	bool		is_varlena;

	if (slot->tts_isnull[attribute])
		return NULL;
	getTypeOutputInfo(TupleDescAttr(p->desc, attribute)->atttypid, &output, &is_varlena);
	return OidOutputFunctionCall(output, slot->tts_values[attribute]);
}

/* The columns that the model knows, as JSON. */
static char *
row_as_json(const persona_pass *p, TupleTableSlot *slot)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoChar(&text, '{');
	for (int i = 0; i < p->encoding->count; i++)
	{
		const scoring_column *column = &p->encoding->columns[i];
		char	   *value = text_of(p, slot, p->readers[i].attribute);

		appendStringInfoString(&text, i > 0 ? ", " : "");
		escape_json(&text, column->name);
		appendStringInfoString(&text, ": ");
		if (value == NULL)
			appendStringInfoString(&text, "null");
		/* where the model knows a number, a yes or no may stand for 1 or 0 */
		else if (column->kind == SCORING_COLUMN_BOOLEAN ||
				 (column->kind == SCORING_COLUMN_NUMBER && getBaseType(TupleDescAttr(p->desc, p->readers[i].attribute)->atttypid) == BOOLOID))
			appendStringInfoString(&text, p->cells[i].number != 0 ? "true" : "false");
		else if (column->kind == SCORING_COLUMN_NUMBER)
			appendStringInfoString(&text, value);
		else
			escape_json(&text, value);
	}
	appendStringInfoChar(&text, '}');
	return text.data;
}

/*
 * Keeps a row as its group's typical member if fewer of its values are missing, which
 * make it seem near, or else if it is nearer to the center; of rows as near the one
 * whose key, then text, comes first.
 */
static void
consider_member(persona_pass *p, persona_group *group, double distance, TupleTableSlot *slot)
{
	int			gaps = 0;
	char	   *key;
	char	   *row;
	int			order;
	MemoryContext before;

	for (int i = 0; i < p->encoding->count; i++)
		gaps += p->cells[i].missing;
	if (group->row != NULL && (gaps > group->gaps || (gaps == group->gaps && !(distance <= group->least))))
		return;
	key = p->key < 0 ? NULL : text_of(p, slot, p->key);
	row = row_as_json(p, slot);
	if (group->row != NULL && gaps == group->gaps && distance == group->least)
	{
		order = strcmp(key == NULL ? "" : key, group->key == NULL ? "" : group->key);
		if (order > 0 || (order == 0 && strcmp(row, group->row) >= 0))
			return;
	}
	before = MemoryContextSwitchTo(p->kept);
	if (group->row != NULL)
		pfree(group->row);
	if (group->key != NULL)
		pfree(group->key);
	group->gaps = gaps;
	group->least = distance;
	group->key = key == NULL ? NULL : pstrdup(key);
	group->row = pstrdup(row);
	MemoryContextSwitchTo(before);
}

static void
take_row(TupleTableSlot *slot, void *arg)
{
	persona_pass *p = arg;
	MemoryContext before = MemoryContextSwitchTo(p->row);
	const crm_kmeans_scorer *scorer = p->scorer.prepared;
	uint32		c;

	slot_getallattrs(slot);
	for (int i = 0; i < p->encoding->count; i++)
	{
		int			place = p->readers[i].attribute;

		scoring_read_cell(&p->readers[i], p->encoding->columns[i].name, p->encoding->columns[i].kind, slot->tts_values[place],
						  slot->tts_isnull[place], &p->cells[i]);
		scoring_encode_cell(p->encoding, &p->encoding->columns[i], &p->cells[i], p->features);
	}
	c = crm_kmeans_score(scorer, p->features);
	p->rows++;
	p->group[c].rows++;
	for (int i = 0; i < p->encoding->count; i++)
	{
		int			trait = trait_of(p, i);

		if (trait >= 0)
		{
			p->traits[trait].rows++;
			p->counts[(Size) c * p->trait_count + trait]++;
		}
	}
	consider_member(p, &p->group[c], scorer->distances[c], slot);
	MemoryContextSwitchTo(before);
	MemoryContextReset(p->row);
}

/* ---- what tells groups apart --------------------------------------------------------------- */

static double
share_in(const persona_pass *p, uint32 c, int trait)
{
	return (double) p->counts[(Size) c * p->trait_count + trait] / (double) p->group[c].rows;
}

static double
base_share(const persona_pass *p, int trait)
{
	return (double) p->traits[trait].rows / (double) p->rows;
}

/*
 * How much a trait tells of a group: its share's part of the divergence from all
 * rows, which is large where it is both frequent and much more frequent than
 * elsewhere; for one that the group lacks, that of not having it.
 */
static double
strength(const persona_pass *p, uint32 c, int trait)
{
	double		share = share_in(p, c, trait);
	double		base = base_share(p, trait);

	return share >= base ? (share > 0 ? share * log(share / base) : 0) : (1 - share) * log((1 - share) / (1 - base));
}

static void
test_traits(persona_pass *p)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	Size		all = (Size) p->groups * p->trait_count;
	double	   *tested = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * Max(all, 1));
	double	   *q = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * Max(all, 1));
	Size		count = 0;

	p->q = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * Max(all, 1));
	/* a trait that all or none have tells nothing, and is no test */
	for (Size i = 0; i < all; i++)
	{
		const persona_group *group = &p->group[i / p->trait_count];
		int64		with = p->counts[i];
		int64		elsewhere = p->traits[i % p->trait_count].rows - with;
		int64		rest = p->rows - group->rows;

		p->q[i] = 1;
		if (with + elsewhere == 0 || with + elsewhere == p->rows || group->rows == 0 || rest == 0)
			continue;
		crm_check(crm_fisher_exact(&env, with, group->rows - with, elsewhere, rest - elsewhere, &tested[count++]), "traits of groups", false);
	}
	crm_check(crm_benjamini_hochberg(&env, tested, count, q), "traits of groups", false);
	count = 0;
	for (Size i = 0; i < all; i++)
	{
		int64		of_all = p->traits[i % p->trait_count].rows;
		int64		in_group = p->group[i / p->trait_count].rows;

		if (of_all > 0 && of_all < p->rows && in_group > 0 && in_group < p->rows)
			p->q[i] = q[count++];
	}
	pfree(q);
	pfree(tested);
}

typedef struct ranked_trait
{
	int			trait;
	double		strength;
} ranked_trait;

static int
compare_ranked(const void *a, const void *b)
{
	const ranked_trait *x = a;
	const ranked_trait *y = b;

	if (x->strength != y->strength)
		return x->strength > y->strength ? -1 : 1;
	return x->trait - y->trait;
}

static void
rank_traits(persona_pass *p)
{
	ranked_trait *ranked = palloc(sizeof(ranked_trait) * Max(p->trait_count, 1));

	for (uint32 c = 0; c < p->groups; c++)
	{
		p->group[c].order = palloc(sizeof(int) * Max(p->trait_count, 1));
		for (int t = 0; t < p->trait_count; t++)
			ranked[t] = (ranked_trait) {t, p->group[c].rows > 0 && p->traits[t].rows > 0 && p->traits[t].rows < p->rows ? strength(p, c, t) : 0};
		qsort(ranked, p->trait_count, sizeof(ranked_trait), compare_ranked);
		for (int t = 0; t < p->trait_count; t++)
			p->group[c].order[t] = ranked[t].trait;
	}
	pfree(ranked);
}

/* ---- names -------------------------------------------------------------------------------------- */

/* A name of so many traits, of different columns, as far as there are such. */
static char *
make_name(const persona_pass *p, uint32 c, int traits, double fdr, const persona_words *words)
{
	const persona_group *group = &p->group[c];
	bool	   *used = palloc0(sizeof(bool) * Max(p->encoding->count, 1));
	StringInfoData name;
	int			count = 0;

	initStringInfo(&name);
	for (int i = 0; i < p->trait_count && count < traits && group->rows > 0; i++)
	{
		int			trait = group->order[i];
		int			column = p->traits[trait].column;
		double		share = share_in(p, c, trait);

		if (used[column] || p->q[(Size) c * p->trait_count + trait] > fdr || share < NAME_SHARE || share < NAME_INDEX * base_share(p, trait) ||
			p->traits[trait].level == PERSONA_OTHER)
			continue;
		used[column] = true;
		if (count++ > 0)
			appendStringInfoString(&name, words->chinese ? "、" : ", ");
		appendStringInfoString(&name, scoring_trait_words(words, &p->encoding->columns[column], &p->traits[trait]));
	}
	if (count == 0 && group->rows == 0)
		appendStringInfoString(&name, words->chinese ? "空" : "empty");
	else if (count == 0)
		appendStringInfoString(&name, words->chinese ? "普通" : "average");
	pfree(used);
	return name.data;
}

static bool
is_shared(const persona_pass *p, uint32 c)
{
	for (uint32 other = 0; other < p->groups; other++)
		if (other != c && strcmp(p->group[other].name, p->group[c].name) == 0)
			return true;
	return false;
}

/* Groups of one name get longer ones; where that does not tell them apart, their numbers do. */
static void
name_groups(persona_pass *p, const crm_model *m, double fdr, const persona_words *words)
{
	bool	   *shared = palloc(sizeof(bool) * p->groups);

	for (uint32 c = 0; c < p->groups; c++)
		p->group[c].name = make_name(p, c, NAME_TRAITS, fdr, words);
	for (int traits = NAME_TRAITS + 1; traits <= MOST_NAME_TRAITS; traits++)
	{
		for (uint32 c = 0; c < p->groups; c++)
			shared[c] = is_shared(p, c);
		for (uint32 c = 0; c < p->groups; c++)
			if (shared[c])
				p->group[c].name = make_name(p, c, traits, fdr, words);
	}
	for (uint32 c = 0; c < p->groups; c++)
		shared[c] = is_shared(p, c);
	for (uint32 c = 0; c < p->groups; c++)
		if (shared[c])
			p->group[c].name = psprintf(words->chinese ? "%s（" INT64_FORMAT "）" : "%s (" INT64_FORMAT ")", p->group[c].name, crm_model_group_number(m, c));
}

/* ---- rows of the result ---------------------------------------------------------------------------- */

static Datum
traits_as_json(const persona_pass *p, uint32 c, int most, double fdr, const persona_words *words)
{
	const persona_group *group = &p->group[c];
	StringInfoData text;
	int			count = 0;

	initStringInfo(&text);
	appendStringInfoChar(&text, '[');
	for (int i = 0; i < p->trait_count && count < most; i++)
	{
		int			place = group->order[i];
		const persona_trait *trait = &p->traits[place];
		const scoring_column *column = &p->encoding->columns[trait->column];
		double		q = p->q[(Size) c * p->trait_count + place];

		if (q > fdr || group->rows == 0)
			continue;
		/* that fewer say no is told by more who say yes */
		if (column->kind == SCORING_COLUMN_BOOLEAN && share_in(p, c, place) < base_share(p, place))
			continue;
		appendStringInfoString(&text, count++ > 0 ? ", {\"trait\": " : "{\"trait\": ");
		escape_json(&text, scoring_trait_words(words, column, trait));
		appendStringInfoString(&text, ", \"column\": ");
		escape_json(&text, column->name);
		appendStringInfoString(&text, ", \"level\": ");
		escape_json(&text, scoring_trait_level(column, trait));
		appendStringInfo(&text, ", \"share\": %.6g, \"base\": %.6g, \"index\": %.6g, \"q\": %.6g}", share_in(p, c, place), base_share(p, place),
						 share_in(p, c, place) / base_share(p, place), q);
	}
	appendStringInfoChar(&text, ']');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data));
}

static void
put_group(const persona_pass *p, ReturnSetInfo *rsinfo, const crm_model *m, uint32 c, int most, double fdr, const persona_words *words)
{
	const persona_group *group = &p->group[c];
	Datum		values[8] = {0};
	bool		nulls[8] = {false, false, false, p->rows == 0, group->key == NULL, group->row == NULL, group->row == NULL, false};

	values[0] = Int32GetDatum((int32) crm_model_group_number(m, c));
	values[1] = CStringGetTextDatum(group->name);
	values[2] = Int64GetDatum(group->rows);
	values[3] = Float8GetDatum(p->rows == 0 ? 0 : (double) group->rows / (double) p->rows);
	if (group->key != NULL)
		values[4] = CStringGetTextDatum(group->key);
	if (group->row != NULL)
	{
		values[5] = DirectFunctionCall1(jsonb_in, CStringGetDatum(group->row));
		values[6] = Float8GetDatum(scoring_finite(sqrt(group->least)));
	}
	values[7] = traits_as_json(p, c, most, fdr, words);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* ---- the function --------------------------------------------------------------------------------------- */

/* The query of the model is its owner's to run; others bring one. */
static char *
query_of(const scoring_version *version, FunctionCallInfo fcinfo)
{
	if (!PG_ARGISNULL(1))
		return scoring_query_text(PG_GETARG_TEXT_PP(1));
	if (!has_privs_of_role(GetUserId(), version->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of model \"%s\" to run its query", version->name),
				 errhint("Give a query of your own as the second argument.")));
	return version->query;
}

/* The column that tells whose row it is: the one given, or the first of the training's. */
static int
key_of(const scoring_version *version, FunctionCallInfo fcinfo, TupleDesc desc)
{
	char	   *name = NULL;
	int			place;

	if (!PG_ARGISNULL(2))
		name = text_to_cstring(PG_GETARG_TEXT_PP(2));
	else
	{
		scoring_train_options options;

		scoring_read_train_options(version->options, NULL, &options);
		if (options.keys == 0)
			return -1;
		name = options.key_names[0];
	}
	place = scoring_find_attribute(desc, name);
	if (place < 0 && !PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the query has no column \"%s\" for the key", name),
				 errhint("Add it to the SELECT list.")));
	return place;
}

static persona_pass *
open_pass(scoring_version *version, const crm_model *m, scoring_encoding *encoding, TupleDesc desc)
{
	persona_pass *p = palloc0(sizeof(persona_pass));
	crm_env		env = crm_env_in(CurrentMemoryContext);

	p->version = version;
	p->encoding = encoding;
	p->desc = desc;
	p->kept = CurrentMemoryContext;
	p->row = AllocSetContextCreate(CurrentMemoryContext, "crm row of a persona", ALLOCSET_SMALL_SIZES);
	crm_check(crm_scorer_open(&p->scorer, m, &env), CRM_MODEL_TYPE, false);
	if (p->scorer.features != (uint32) encoding->features)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("model \"%s\" and its encoding have different numbers of features", version->name)));
	p->groups = crm_model_groups(m);
	p->readers = palloc(sizeof(scoring_reader) * Max(encoding->count, 1));
	p->cells = palloc(sizeof(scoring_cell) * Max(encoding->count, 1));
	p->features = palloc(sizeof(double) * Max(encoding->features, 1));
	for (int i = 0; i < encoding->count; i++)
		scoring_open_reader(&p->readers[i], desc, encoding->columns[i].name, encoding->columns[i].kind);
	make_traits(p);
	scoring_require_work("personas", (double) p->groups * p->trait_count * BYTES_A_TEST,
						 psprintf("Of each of %u groups, %d traits are counted and tested. No row has been read.", p->groups, p->trait_count),
						 "train fewer groups, or keep fewer values of texts apart by the option \"max_categories\"");
	p->group = palloc0(sizeof(persona_group) * p->groups);
	p->counts = palloc_extended(sizeof(int64) * Max((Size) p->groups * p->trait_count, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	return p;
}

/* personas(name, query, key, lang, words, fdr, most) */
Datum
crm_personas(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller = CurrentMemoryContext;
	scoring_version *version;
	scoring_owner_session session;
	crm_model  *m;
	scoring_encoding *encoding;
	persona_pass *p;
	persona_words words = {0};
	char	   *query;
	TupleDesc	desc;
	SPIPlanPtr	plan;
	double		fdr;
	int32		most;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < 7; i++)
		if (PG_ARGISNULL(i) && i != 1 && i != 2)
			return (Datum) 0;
	words.chinese = crm_language_is_chinese(text_to_cstring(PG_GETARG_TEXT_PP(3)));
	words.given = PG_GETARG_JSONB_P(4);
	scoring_check_words(words.given);
	fdr = PG_GETARG_FLOAT8(5);
	if (!(fdr > 0 && fdr <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("fdr is out of range: %s", float8out_internal(fdr)),
				 errdetail("It is the share of false discoveries to bear, above 0 and at most 1.")));
	most = PG_GETARG_INT32(6);
	if (most < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of traits must not be negative: %d", most)));
	version = scoring_find_version(text_to_cstring(PG_GETARG_TEXT_PP(0)), 0);
	m = scoring_model_fetch(version->model, CurrentMemoryContext);
	scoring_require_groups(m);
	if (version->encoding == NULL || version->profile == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" knows no names of columns", version->name),
				 errdetail("Its value was stored, not trained from a query."),
				 errhint("%s.train('%s', 'k_prototypes', query, options => '{\"k\": 5}') trains one.", crm_schema(), version->name)));
	query = query_of(version, fcinfo);
	encoding = scoring_encoding_read(version->encoding);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	/* a query of the caller's own needs his rights, the model's those of its owner */
	if (PG_ARGISNULL(1))
		scoring_owner_begin(&session, version);
	plan = scoring_prepare(&query, "SELECT age, city FROM customers", encoding, &desc, NULL);
	p = open_pass(version, m, encoding, desc);
	p->key = key_of(version, fcinfo, desc);
	crm_select_run(plan, NULL, take_row, p);
	if (PG_ARGISNULL(1))
		scoring_owner_end(&session);
	test_traits(p);
	rank_traits(p);
	name_groups(p, m, fdr, &words);
	MemoryContextSwitchTo(caller);
	for (uint32 c = 0; c < p->groups; c++)
		put_group(p, rsinfo, m, c, most, fdr, &words);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	MemoryContextSwitchTo(caller);
	return (Datum) 0;
}
