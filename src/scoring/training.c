/*
 * training.c - a query with a label, by an algorithm: checked, fitted, measured.
 *
 * All statements run with the caller's rights (when a model is trained anew, its
 * owner's) and in one snapshot.  The caller's query is parsed alone, and run once; the
 * statements read what is kept of it (training_kept.c).  Where one run will do, it
 * stands in the statement as a sub-SELECT.  All else in them is qualified, since they
 * are parsed with the caller's search_path.
 */
#include "scoring/training.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/query.h"
#include "tag/tag.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

static const char *const purchase_roles[] = {"frequency", "recency", "age", NULL};
static const char *const value_roles[] = {"frequency", "mean_value", NULL};

static const scoring_algorithm algorithms[] = {
	{"logistic", "logistic_fit", .classes = true, .spread = true, .memory = SCORING_KEEPS_ROWS},
	{"boosted_trees", "boosted_trees_fit", .classes = true, .trees = true, .memory = SCORING_KEEPS_BINS},
	{"naive_bayes", "naive_bayes_fit", .classes = true, .memory = SCORING_KEEPS_ROWS},
	{"scorecard", "scorecard_fit", .classes = true, .memory = SCORING_KEEPS_ROWS},
	{"linear", "linear_fit", .spread = true, .task = SCORING_AMOUNT},
	{"boosted_trees_regression", "boosted_trees_regression_fit", .trees = true, .memory = SCORING_KEEPS_BINS, .task = SCORING_AMOUNT},
	{"cox", "cox_fit", .classes = true, .spread = true, .memory = SCORING_KEEPS_ROWS, .task = SCORING_SURVIVAL},
	{"bg_nbd", "bg_nbd_fit", .task = SCORING_PURCHASES, .roles = purchase_roles, .required = 3},
	{"mbg_nbd", "mbg_nbd_fit", .task = SCORING_PURCHASES, .roles = purchase_roles, .required = 3},
	{"pareto_nbd", "pareto_nbd_fit", .task = SCORING_PURCHASES, .roles = purchase_roles, .required = 3},
	{"gamma_gamma", "gamma_gamma_fit", .task = SCORING_AMOUNT, .roles = value_roles, .required = 1},
	{"k_means", "kmeans_fit", .memory = SCORING_KEEPS_ROWS, .groups = true, .numbers = true},
	{"k_prototypes", "kprototypes_fit", .memory = SCORING_KEEPS_ROWS, .groups = true},
	{NULL}
};

const scoring_algorithm *
scoring_find_algorithm(const char *name)
{
	for (const scoring_algorithm *a = algorithms; a->name != NULL; a++)
		if (strcmp(a->name, name) == 0)
			return a;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown algorithm \"%s\"", name),
			 errhint("It is logistic, boosted_trees, naive_bayes or scorecard for a boolean label, linear or boosted_trees_regression for a number; bg_nbd, mbg_nbd or "
					 "pareto_nbd for purchases, gamma_gamma for what one is worth, cox for who leaves when; k_means or k_prototypes without a label.")));
}

/* ---- options --------------------------------------------------------------------- */

static void wrong_option(const char *name, const char *detail) CRM_NORETURN;

static void
wrong_option(const char *name, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value of option \"%s\" of train", name),
			 errdetail("%s", detail)));
}

double
scoring_number_option(Jsonb *json, const char *name, double least, double most, bool whole, double otherwise)
{
	JsonbValue *value = scoring_member(json, name);
	double		number;

	if (value == NULL)
		return otherwise;
	if (value->type != jbvNumeric)
		wrong_option(name, "It is a number.");
	number = DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric)));
	if (!(number >= least && number <= most) || (whole && number != floor(number)))
		wrong_option(name, psprintf("It is a %snumber from %g to %g.", whole ? "whole " : "", least, most));
	return number;
}

Jsonb *
scoring_without(Jsonb *json, const char *name)
{
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_delete, JsonbPGetDatum(json), CStringGetTextDatum(name)));
}

static char *
string_of(const char *name, const JsonbValue *value)
{
	if (value->type != jbvString)
		wrong_option(name, "It is the name of a column of the query.");
	return pnstrdup(value->val.string.val, value->val.string.len);
}

void
scoring_read_train_options(Jsonb *json, const scoring_algorithm *algorithm, scoring_train_options *options)
{
	static const char *const own[] = {"holdout", "seed", "max_categories", "key", "time", "state", "sample"};
	JsonbValue *value;

	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options of train must be a JSON object")));
	memset(options, 0, sizeof(*options));
	options->holdout = scoring_number_option(json, "holdout", 0, 0.9, false, 0.2);
	options->seed = (int64) scoring_number_option(json, "seed", 0, 1e15, true, 0);
	options->sample = scoring_number_option(json, "sample", 1e-9, 1, false, 1);
	options->max_categories = (int) scoring_number_option(json, "max_categories", 1, 254, true, 0);
	options->rest = json;
	if (algorithm != NULL && algorithm->task == SCORING_PURCHASES)
	{
		options->horizon = scoring_number_option(json, "horizon", 1e-9, 1e9, false, 1);
		options->rest = scoring_without(options->rest, "horizon");
	}
	if (algorithm != NULL && algorithm->task == SCORING_SURVIVAL)
	{
		value = scoring_member(json, "duration");
		options->duration = value != NULL ? string_of("duration", value) : "duration";
		options->rest = scoring_without(options->rest, "duration");
	}
	if ((value = scoring_member(json, "state")) != NULL)
	{
		char	   *state = value->type == jbvString ? pnstrdup(value->val.string.val, value->val.string.len) : "";

		options->draft = strcmp(state, "draft") == 0;
		if (!options->draft && strcmp(state, "approved") != 0)
			wrong_option("state", "It is \"draft\" or \"approved\".");
	}
	if ((value = scoring_member(json, "time")) != NULL)
		options->time = string_of("time", value);
	if ((value = scoring_member(json, "key")) != NULL)
	{
		JsonbContainer *array = value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data) ? value->val.binary.data : NULL;

		options->keys = array != NULL ? JsonContainerSize(array) : 1;
		options->key_names = palloc(sizeof(char *) * Max(options->keys, 1));
		for (int i = 0; i < options->keys; i++)
			options->key_names[i] = string_of("key", array != NULL ? getIthJsonbValueFromContainer(array, i) : value);
	}
	for (int i = 0; i < lengthof(own); i++)
		options->rest = scoring_without(options->rest, own[i]);
}

/* ---- statements ---------------------------------------------------------------------- */

char *
scoring_query_text(text *query)
{
	char	   *result = text_to_cstring(query);
	Size		size = strlen(result);

	while (size > 0 && (result[size - 1] == ';' || isspace((unsigned char) result[size - 1])))
		result[--size] = '\0';
	return result;
}

char *
scoring_label_expression(const char *label, bool classes)
{
	return psprintf("q.%s::pg_catalog.%s", quote_identifier(label), classes ? "bool" : "float8");
}

/* Runs a statement of one row and gives its columns, in the memory that is current. */
void
scoring_run(const char *statement, int nargs, Oid *types, Datum *values, int columns, Datum *results, bool *nulls)
{
	MemoryContext before = CurrentMemoryContext;
	char	   *null_marks = palloc(nargs + 1);

	for (int i = 0; i < nargs; i++)
		null_marks[i] = types[i] == JSONBOID && DatumGetPointer(values[i]) == NULL ? 'n' : ' ';
	if (SPI_execute_with_args(statement, nargs, types, values, null_marks, true, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "a statement of a training gave no row");
	for (int i = 0; i < columns; i++)
	{
		TupleDesc	desc = SPI_tuptable->tupdesc;
		Datum		value = SPI_getbinval(SPI_tuptable->vals[0], desc, i + 1, &nulls[i]);

		if (!nulls[i])
		{
			MemoryContextSwitchTo(before);
			results[i] = TupleDescAttr(desc, i)->attbyval ? value : PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
		}
	}
	MemoryContextSwitchTo(before);
	SPI_freetuptable(SPI_tuptable);
}

static bool
is_key(const scoring_training *t, const char *name)
{
	for (int i = 0; i < t->options.keys; i++)
		if (strcmp(t->options.key_names[i], name) == 0)
			return true;
	return false;
}

/* A column that the caller named: 42703 with the query's columns. */
static int
require_column(const scoring_training *t, const char *name, const char *role)
{
	int			place = scoring_find_attribute(t->desc, name);

	if (place < 0)
	{
		List	   *names = NIL;
		char	   *nearest;

		for (int i = 0; i < t->desc->natts; i++)
			names = lappend(names, NameStr(TupleDescAttr(t->desc, i)->attname));
		nearest = crm_nearest_names(name, names);
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the query has no column \"%s\" for the %s", name, role),
				 nearest != NULL ? errhint("Nearest names: %s.", nearest) : errhint("Add it to the SELECT list.")));
	}
	return place;
}

static scoring_column_kind
kind_of(const scoring_training *t, int place)
{
	Form_pg_attribute attribute = TupleDescAttr(t->desc, place);
	scoring_column_kind kind;

	if (!scoring_kind_of_type(attribute->atttypid, &kind))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" is of type %s, from which no model learns", NameStr(attribute->attname), format_type_be(attribute->atttypid)),
				 errdetail("Columns are numbers, booleans, dates, timestamps and texts."),
				 errhint("Cast it in the query, or leave it out.")));
	return kind;
}

static void
check_label(const scoring_training *t)
{
	int			place;
	Oid			type;
	scoring_column_kind kind;
	bool		known;

	/* of purchases it only measures */
	if (t->algorithm->roles == NULL && t->algorithm->groups != (t->label == NULL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 t->label != NULL ? errmsg("algorithm \"%s\" takes no label", t->algorithm->name) :
				 errmsg("algorithm \"%s\" needs a label", t->algorithm->name),
				 t->label != NULL ? errhint("Give NULL for it. Name columns that nothing is to be learned from in the option \"key\".") :
				 errhint("Name the column of the query that is to be learned.")));
	if (t->label == NULL)
		return;
	place = require_column(t, t->label, "label");
	type = TupleDescAttr(t->desc, place)->atttypid;
	known = scoring_kind_of_type(type, &kind);
	if (!known || kind != (t->algorithm->classes ? SCORING_COLUMN_BOOLEAN : SCORING_COLUMN_NUMBER))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("label \"%s\" is of type %s", t->label, format_type_be(type)),
				 t->algorithm->classes ? errdetail("Algorithm \"%s\" learns a boolean.", t->algorithm->name) :
				 errdetail("Algorithm \"%s\" learns a number.", t->algorithm->name),
				 t->algorithm->classes ? errhint("Write as in (answer = 'yes') AS answered.") : errhint("Cast it in the query.")));
}

/* The time from which on rows are held back. */
static double
find_cut(const scoring_training *t, int place)
{
	scoring_reader reader;
	scoring_cell cell;
	Datum		result;
	bool		isnull;
	Oid			types[1] = {FLOAT8OID};
	Datum		values[1];
	const char *name = NameStr(TupleDescAttr(t->desc, place)->attname);
	double		share = 1 - t->options.holdout;
	Datum		kept;

	values[0] = Float8GetDatum(share);
	/* as text: one way for all types of time */
	scoring_run(psprintf("SELECT (pg_catalog.percentile_disc($1) WITHIN GROUP (ORDER BY q.%s))::pg_catalog.timestamptz FROM (%s\n) AS q WHERE q.%s IS NOT NULL",
				 quote_identifier(name), t->query, quote_identifier(t->label)), 1, types, values, 1, &kept, &isnull);
	if (isnull)
		return INFINITY;
	result = kept;
	if (kind_of(t, place) == SCORING_COLUMN_TIME)
		result = DirectFunctionCall1(timestamptz_timestamp, kept);
	memset(&reader, 0, sizeof(reader));
	reader.type = TIMESTAMPOID;
	scoring_read_cell(&reader, name, SCORING_COLUMN_TIME, result, false, &cell);
	return cell.number;
}

static void
make_split(scoring_training *t)
{
	scoring_split *split = palloc0(sizeof(scoring_split));
	int			natts = t->desc->natts;

	if (t->options.holdout == 0 && t->options.sample >= 1)
		return;
	split->names = palloc(sizeof(char *) * (natts + 1));
	split->kinds = palloc(sizeof(scoring_column_kind) * (natts + 1));
	split->sample = t->options.sample;
	split->seed = t->options.seed;
	split->most = t->options.holdout;
	if (t->options.folds > 0)
	{
		split->least = (double) t->options.fold / t->options.folds;
		split->most = (double) (t->options.fold + 1) / t->options.folds;
	}
	if (t->options.time != NULL && t->options.holdout > 0)
	{
		int			place = require_column(t, t->options.time, "time");

		split->by_time = true;
		split->count = 1;
		split->names[0] = t->options.time;
		split->kinds[0] = kind_of(t, place);
		if (split->kinds[0] != SCORING_COLUMN_TIME && split->kinds[0] != SCORING_COLUMN_INSTANT)
			wrong_option("time", "It is a column of type date or timestamp.");
	}
	if (!split->by_time || split->sample < 1)
		for (int i = 0; i < natts; i++)
		{
			const char *name = NameStr(TupleDescAttr(t->desc, i)->attname);

			/* not the label: of rows alike but for it, the ones would be trained on and the others asked for */
			if (t->options.keys > 0 ? !is_key(t, name) : t->label != NULL && strcmp(name, t->label) == 0)
				continue;
			split->names[split->count] = pstrdup(name);
			split->kinds[split->count++] = kind_of(t, i);
		}
	t->split = split;
}

void
scoring_cut_split(scoring_training *t)
{
	if (t->split == NULL)
		return;
	if (t->split->by_time)
	{
		t->split->cut = find_cut(t, scoring_find_attribute(t->desc, t->options.time));
		if (isinf(t->split->cut))
			wrong_option("time", "No row has a time.");
	}
	t->split_json = scoring_split_write(t->split);
}

/* Purchase models have no options of their own. */
static void
check_no_options(const scoring_training *t)
{
	JsonbIterator *iterator = JsonbIteratorInit(&t->options.rest->root);
	JsonbIteratorToken token;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		if (token == WJB_KEY)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unknown option \"%.*s\" of %s", value.val.string.len, value.val.string.val, t->algorithm->name),
					 errhint("Known options are holdout, seed, sample, key, time, state%s.", t->algorithm->task == SCORING_PURCHASES ? ", horizon" : "")));
}

/* A column that the algorithm takes by its name. */
static void
take_role(const scoring_training *t, scoring_column *column, const char *name)
{
	int			place = require_column(t, name, psprintf("algorithm \"%s\"", t->algorithm->name));

	if (kind_of(t, place) != SCORING_COLUMN_NUMBER)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" is of type %s", name, format_type_be(TupleDescAttr(t->desc, place)->atttypid)),
				 errdetail("Algorithm \"%s\" takes a number there.", t->algorithm->name)));
	column->name = pstrdup(name);
	column->kind = SCORING_COLUMN_NUMBER;
	column->base = -1;
}

void
scoring_open_query(scoring_training *t)
{
	int			count = 0;

	t->plan = scoring_prepare(&t->query, "SELECT age, city, left_us FROM customers", t->known, &t->desc, &t->objects);
	for (int i = 0; i < t->desc->natts; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(NameStr(TupleDescAttr(t->desc, i)->attname), NameStr(TupleDescAttr(t->desc, j)->attname)) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("the query has two columns \"%s\"", NameStr(TupleDescAttr(t->desc, i)->attname)),
						 errhint("Name them apart with AS.")));
	check_label(t);
	for (int i = 0; i < t->options.keys; i++)
		(void) require_column(t, t->options.key_names[i], "key");
	t->encoding = palloc0(sizeof(scoring_encoding));
	t->encoding->spread = t->algorithm->spread;
	t->encoding->columns = palloc0(sizeof(scoring_column) * (t->desc->natts + 3));
	for (int i = 0; t->algorithm->roles != NULL && t->algorithm->roles[i] != NULL; i++)
		take_role(t, &t->encoding->columns[count++], t->algorithm->roles[i]);
	t->encoding->horizon = t->options.horizon;
	if (t->options.duration != NULL && kind_of(t, require_column(t, t->options.duration, "duration")) != SCORING_COLUMN_NUMBER)
		wrong_option("duration", "It is a column of numbers: the time until the event, or until the customer was last seen.");
	for (int i = 0; t->algorithm->roles == NULL && i < t->desc->natts; i++)
	{
		char	   *name = pstrdup(NameStr(TupleDescAttr(t->desc, i)->attname));

		if ((t->label != NULL && strcmp(name, t->label) == 0) || is_key(t, name) || (t->options.time != NULL && strcmp(name, t->options.time) == 0) ||
			(t->options.duration != NULL && strcmp(name, t->options.duration) == 0))
			continue;
		t->encoding->columns[count].name = name;
		t->encoding->columns[count].base = -1;
		t->encoding->columns[count].kind = kind_of(t, i);
		if (t->algorithm->numbers && t->encoding->columns[count].kind == SCORING_COLUMN_TEXT)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("algorithm \"%s\" takes numbers, and column \"%s\" is a text", t->algorithm->name, name),
					 errhint("Take k_prototypes, leave the column out, or name it in the option \"key\".")));
		count++;
	}
	t->encoding->count = count;
	if (count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query of a model has no column to learn from"),
				 errdetail("The label, keys and the time are not learned from.")));
	t->grouped = palloc0(sizeof(int64) * count);
	/* what is only measured is not trained on */
	if (t->known != NULL)
	{
		scoring_estimate_measuring(t);
		return;
	}
	if (t->objects == NULL && t->kept == NULL)
		scoring_estimate_memory(t);
	if (t->algorithm->roles != NULL)
		check_no_options(t);
	make_split(t);
}

/* ---- fitting ------------------------------------------------------------------------------ */

static Jsonb *
fit_options(const scoring_training *t)
{
	StringInfoData more;
	const char *comma = "";

	initStringInfo(&more);
	appendStringInfoChar(&more, '{');
	if (t->algorithm->trees || t->algorithm->groups)
	{
		appendStringInfo(&more, "\"seed\": " INT64_FORMAT, t->options.seed);
		for (int i = 0; i < t->encoding->count; i++)
			if (t->encoding->columns[i].kind == SCORING_COLUMN_TEXT)
			{
				appendStringInfo(&more, "%s%d", comma[0] == '\0' ? ", \"categorical\": [" : comma, t->encoding->columns[i].first + 1);
				comma = ", ";
			}
		if (comma[0] != '\0')
			appendStringInfoChar(&more, ']');
	}
	appendStringInfoChar(&more, '}');
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(t->options.rest),
											  DirectFunctionCall1(jsonb_in, CStringGetDatum(more.data))));
}

/* What the aggregate is called with; every parameter has to stand somewhere. */
static char *
fit_arguments(const scoring_training *t)
{
	StringInfoData arguments;

	if (t->algorithm->groups)
		return psprintf("%d, %s.model_features($1, q), $2", t->options.groups, crm_schema());
	if (t->algorithm->roles == NULL)
		return psprintf("%s%s, %s.model_features($1, q), $2", t->options.duration != NULL ?
						psprintf("q.%s::pg_catalog.float8, ", quote_identifier(t->options.duration)) : "",
						scoring_label_expression(t->label, t->algorithm->classes), crm_schema());
	initStringInfo(&arguments);
	for (int i = 0; t->algorithm->roles[i] != NULL; i++)
		appendStringInfo(&arguments, "%sq.%s::pg_catalog.float8", i > 0 ? ", " : "", quote_identifier(t->algorithm->roles[i]));
	return arguments.data;
}

void
scoring_fit(scoring_training *t)
{
	const char *schema = crm_schema();
	Oid			types[3] = {JSONBOID, JSONBOID, JSONBOID};
	Datum		values[3];
	bool		isnull;
	char	   *statement;

	t->fit_options = fit_options(t);
	values[0] = JsonbPGetDatum(t->encoding_json);
	values[1] = JsonbPGetDatum(t->fit_options);
	values[2] = PointerGetDatum(t->split_json);
	statement = psprintf("SELECT %1$s.%2$s(%3$s) FROM (%4$s\n) AS q WHERE %5$s%6$s",
						 schema, t->algorithm->function, fit_arguments(t), t->query, scoring_labeled(t, false),
						 t->split == NULL ? "" : psprintf(" AND %s.row_is_taken($3, q)", schema));
	scoring_run(statement, t->split == NULL ? 2 : 3, types, values, 1, &t->model, &isnull);
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query of a model has no rows to train on")));
}
