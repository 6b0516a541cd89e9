/*
 * compare.c - compare_models: several algorithms on the same rows held back, and
 * whether they can be told apart.
 *
 * Of each row held back the losses of all candidates are at hand together, so that
 * differences are those of pairs: much surer than the difference of two means.
 */
#include "scoring/training.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "tag/tag.h"
#include "utils/array.h"
#include "utils/fmgrprotos.h"
#include "utils/tuplestore.h"

CRM_FUNCTION(crm_compare_models);

#define MOST_CANDIDATES 8

typedef struct comparison
{
	int			count;			/* algorithms, then the baseline */
	const scoring_algorithm *algorithms[MOST_CANDIDATES];
	Jsonb	   *options[MOST_CANDIDATES];	/* of each algorithm */
	scoring_train_options common;
	char	   *query;			/* of the rows that are kept, once they are */
	char	   *label;
	scoring_kept *objects;		/* as in a training */
	scoring_kept *kept;
	bool		repeats;		/* as in a training */
	bool		classes;
	double		rows;
	double		loss[MOST_CANDIDATES];	/* sums */
	double		product[MOST_CANDIDATES][MOST_CANDIDATES];
	double		auc[MOST_CANDIDATES];	/* times the rows that it is of */
	double		auc_rows;
} comparison;

static const char *
candidate_name(const comparison *c, int i)
{
	return i == c->count - 1 ? "baseline" : c->algorithms[i]->name;
}

static void
read_algorithms(comparison *c, ArrayType *array)
{
	Datum	   *names;
	bool	   *nulls;
	int			count;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &count);
	if (count == 0 || count >= MOST_CANDIDATES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there must be 1 to %d algorithms to compare, not %d", MOST_CANDIDATES - 1, count)));
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("an algorithm must not be NULL")));
		c->algorithms[i] = scoring_find_algorithm(TextDatumGetCString(names[i]));
		if (c->algorithms[i]->groups)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("algorithm \"%s\" learns no label", c->algorithms[i]->name),
					 errhint("%s.kmeans_choice compares numbers of groups.", crm_schema())));
		for (int j = 0; j < i; j++)
			if (c->algorithms[j] == c->algorithms[i])
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("algorithm \"%s\" is given twice", c->algorithms[i]->name)));
		if (c->algorithms[i]->task == SCORING_SURVIVAL)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("compare_models does not compare algorithm \"%s\"", c->algorithms[i]->name),
					 errdetail("A row has no loss by itself there: pairs of rows are in the right order, or not."),
					 errhint("Compare scores by %s.concordance_gain_agg(duration, event, score, other).", crm_schema())));
		if (c->algorithms[i]->classes != c->algorithms[0]->classes)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("algorithms \"%s\" and \"%s\" cannot be compared", c->algorithms[0]->name, c->algorithms[i]->name),
					 errdetail("One learns a boolean, the other a number.")));
	}
	c->count = count + 1;
	c->classes = c->algorithms[0]->classes;
}

static void
read_options(comparison *c, Jsonb *json)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;

	scoring_read_train_options(json, NULL, &c->common);
	c->common.folds = (int) scoring_number_option(json, "folds", 2, 20, true, 0);
	if (c->common.folds > 0 && c->common.time != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options \"folds\" and \"time\" exclude each other")));
	if (c->common.holdout == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("models cannot be compared without rows held back"),
				 errhint("Give \"holdout\" above 0, or \"folds\".")));
	if (scoring_member(json, "state") != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"state\" is of train"),
				 errdetail("compare_models keeps no model.")));
	json = scoring_without(c->common.rest, "folds");
	for (int i = 0; i < c->count - 1; i++)
	{
		JsonbValue *own = scoring_member(json, c->algorithms[i]->name);

		if (own != NULL && (own->type != jbvBinary || !JsonContainerIsObject(own->val.binary.data)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("options of \"%s\" must be a JSON object", c->algorithms[i]->name)));
		c->options[i] = own != NULL ? JsonbValueToJsonb(own) :
			DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
	}
	for (int i = 0; i < c->count - 1; i++)
		json = scoring_without(json, c->algorithms[i]->name);
	iterator = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		if (token == WJB_KEY)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unknown option \"%.*s\" of compare_models", value.val.string.len, value.val.string.val),
					 errhint("Known are holdout, folds, seed, key, time, max_categories, and an object of options under the name of each algorithm.")));
}

/* What knows no column: the share of positives, or the mean, of the rows trained on. */
static Datum
fit_baseline(const comparison *c, const scoring_training *t)
{
	const char *schema = crm_schema();
	Oid			types[1] = {JSONBOID};
	Datum		values[1] = {JsonbPGetDatum(t->split_json)};
	Datum		model;
	bool		isnull;

	scoring_run(psprintf("SELECT %1$s.%2$s(%3$s, '{0}'::pg_catalog.float8[]) FROM (%4$s\n) AS q WHERE q.%5$s IS NOT NULL AND %1$s.row_is_taken($1, q)",
						 schema, c->classes ? "logistic_fit" : "linear_fit", scoring_label_expression(c->label, c->classes), t->query,
						 quote_identifier(c->label)), 1, types, values, 1, &model, &isnull);
	return model;
}

/* Sums over the rows held back: their number, each loss, each product of two, then AUCs. */
static void
measure(comparison *c, scoring_training *trained, Datum baseline)
{
	const char *schema = crm_schema();
	Oid			types[2 * MOST_CANDIDATES + 1];
	Datum		values[2 * MOST_CANDIDATES + 1];
	Datum		results[1 + MOST_CANDIDATES * (MOST_CANDIDATES + 3)];
	bool		nulls[1 + MOST_CANDIDATES * (MOST_CANDIDATES + 3)];
	StringInfoData sums;
	StringInfoData losses;
	StringInfoData scores;
	int			columns = 1;
	int			args = 0;
	double		rows;

	initStringInfo(&sums);
	initStringInfo(&losses);
	initStringInfo(&scores);
	appendStringInfoString(&sums, "SELECT pg_catalog.count(*)::pg_catalog.float8");
	for (int i = 0; i < c->count; i++)
	{
		types[args] = crm_type("model");
		if (i < c->count - 1)
		{
			values[args++] = trained[i].model;
			types[args] = JSONBOID;
			values[args++] = JsonbPGetDatum(trained[i].encoding_json);
			appendStringInfo(&scores, ", %s AS p%d", scoring_score_expression(&trained[i], args - 1, args), i);
		}
		else
		{
			values[args++] = baseline;
			appendStringInfo(&scores, ", %1$s.predict($%2$d, '{0}'::pg_catalog.float8[]) AS p%3$d", schema, args, i);
		}
		appendStringInfo(&losses, ", %s AS l%d", scoring_loss(psprintf("p%d", i), c->classes), i);
		appendStringInfo(&sums, ", pg_catalog.sum(s.l%d)", i);
		columns++;
	}
	for (int i = 0; i < c->count; i++)
		for (int j = 0; j <= i; j++, columns++)
			appendStringInfo(&sums, ", pg_catalog.sum(pg_catalog.float8mul(s.l%d, s.l%d))", i, j);
	for (int i = 0; c->classes && i < c->count; i++, columns++)
		appendStringInfo(&sums, ", %s.auc_agg(s.y, s.p%d)", schema, i);
	types[args] = JSONBOID;
	values[args++] = JsonbPGetDatum(trained[0].split_json);
	scoring_run(psprintf("%s FROM (SELECT s.*%s FROM (SELECT %s AS y%s FROM (%s\n) AS q WHERE q.%s IS NOT NULL AND %s.row_is_held($%d, q) OFFSET 0) AS s OFFSET 0) AS s",
						 sums.data, losses.data, scoring_label_expression(c->label, c->classes), scores.data, trained[0].query,
						 quote_identifier(c->label), schema, args), args, types, values, columns, results, nulls);
	rows = DatumGetFloat8(results[0]);
	if (rows == 0)
		return;
	c->rows += rows;
	columns = 1;
	for (int i = 0; i < c->count; i++)
		c->loss[i] += DatumGetFloat8(results[columns++]);
	for (int i = 0; i < c->count; i++)
		for (int j = 0; j <= i; j++)
			c->product[i][j] += DatumGetFloat8(results[columns++]);
	if (c->classes && !nulls[columns])
	{
		c->auc_rows += rows;
		for (int i = 0; i < c->count; i++)
			c->auc[i] += rows * DatumGetFloat8(results[columns++]);
	}
}

static void
open_candidate(comparison *c, int i, int fold, scoring_training *t)
{
	scoring_train_options own;

	t->algorithm = c->algorithms[i];
	t->options = c->common;
	t->options.fold = fold;
	scoring_read_train_options(c->options[i], t->algorithm, &own);
	t->options.rest = own.rest;
	t->options.horizon = own.horizon;
	t->query = c->query;
	t->label = c->label;
	t->objects = c->objects;
	t->kept = c->kept;
	t->repeats = c->repeats;
	scoring_open_query(t);
}

/* All are checked before the rows are read, once for all of them. */
static void
read_rows(comparison *c)
{
	scoring_training *t = palloc0(sizeof(scoring_training) * c->count);
	int			last = c->count - 2;

	for (int i = 0; i <= last; i++)
	{
		open_candidate(c, i, 0, &t[i]);
		c->query = t[i].query;
		c->objects = t[i].objects;
	}
	scoring_keep_query(&t[last]);
	c->query = t[last].query;
	c->objects = t[last].objects;
	c->kept = t[last].kept;
	c->repeats = t[last].repeats;
}

static void
run_fold(comparison *c, int fold)
{
	scoring_training *trained = palloc0(sizeof(scoring_training) * c->count);

	for (int i = 0; i < c->count - 1; i++)
	{
		open_candidate(c, i, fold, &trained[i]);
		scoring_look(&trained[i]);
		scoring_fit(&trained[i]);
	}
	measure(c, trained, fit_baseline(c, &trained[0]));
}

/* The standard error of the mean of losses of a, less those of b unless b is -1. */
static double
error_of(const comparison *c, int a, int b)
{
	double		mean = (c->loss[a] - (b < 0 ? 0 : c->loss[b])) / c->rows;
	double		square = c->product[a][a];

	if (b >= 0)
		square += c->product[b][b] - 2 * c->product[Max(a, b)][Min(a, b)];
	/* what is left of equal losses is rounding */
	return c->rows < 2 ? INFINITY : sqrt(fmax(square / c->rows - mean * mean, 0) / (c->rows - 1));
}

/* compare_models(algorithms, query, label, options) */
Datum
crm_compare_models(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	comparison *c = palloc0(sizeof(comparison));
	MemoryContext caller = CurrentMemoryContext;
	int			order[MOST_CANDIDATES];

	read_algorithms(c, PG_GETARG_ARRAYTYPE_P(0));
	c->query = scoring_query_text(PG_GETARG_TEXT_PP(1));
	c->label = text_to_cstring(PG_GETARG_TEXT_PP(2));
	read_options(c, PG_GETARG_JSONB_P(3));
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	read_rows(c);
	for (int fold = 0; fold < Max(c->common.folds, 1); fold++)
		run_fold(c, fold);
	scoring_drop_rows(&c->kept);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	MemoryContextSwitchTo(caller);
	if (c->rows == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no row of the query is held back to compare by")));
	for (int i = 0; i < c->count; i++)
	{
		int			place = i;

		for (; place > 0 && c->loss[order[place - 1]] > c->loss[i]; place--)
			order[place] = order[place - 1];
		order[place] = i;
	}
	InitMaterializedSRF(fcinfo, 0);
	for (int place = 0; place < c->count; place++)
	{
		int			i = order[place];
		double		mean = c->loss[i] / c->rows;
		double		error = error_of(c, i, -1);
		double		worse = (c->loss[i] - c->loss[order[0]]) / c->rows;
		double		worse_error = error_of(c, i, order[0]);
		Datum		values[11] = {CStringGetTextDatum(candidate_name(c, i)), Int64GetDatum((int64) c->rows),
			CStringGetTextDatum(c->classes ? "log_loss" : "squared_error"), Float8GetDatum(mean), Float8GetDatum(error),
			Float8GetDatum(mean - SCORING_CERTAINTY * error), Float8GetDatum(mean + SCORING_CERTAINTY * error),
			Float8GetDatum(c->auc_rows > 0 ? c->auc[i] / c->auc_rows : 0), Float8GetDatum(worse), Float8GetDatum(worse_error),
		BoolGetDatum(worse <= SCORING_CERTAINTY * worse_error)};
		bool		nulls[11] = {false};

		nulls[4] = nulls[5] = nulls[6] = nulls[9] = nulls[10] = isinf(error);
		nulls[7] = c->auc_rows == 0;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
