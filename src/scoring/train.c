/*
 * train.c - models trained from a query, kept by name, measured, compared and
 * replaced by better ones.
 */
#include "scoring/training.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/progress.h"
#include "funcapi.h"
#include "tag/tag.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/numeric.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

CRM_FUNCTION(crm_train);
CRM_FUNCTION(crm_retrain);
CRM_FUNCTION(crm_evaluate_model);

static void
append_report(StringInfo out, const scoring_training *t, const char *name, int32 version, Jsonb *metrics)
{
	const char *comma = "";

	appendStringInfoString(out, "{\"name\": ");
	escape_json(out, name);
	appendStringInfo(out, ", \"version\": %d, \"algorithm\": \"%s\", \"columns\": %d, \"features\": %d, \"rows\": " INT64_FORMAT
					 ", \"held_rows\": " INT64_FORMAT ", \"rows_left_out\": " INT64_FORMAT ", \"rows_without_label\": " INT64_FORMAT ", \"fingerprint\": \"%s\", \"grouped\": {",
					 version, t->algorithm->name, t->encoding->count, t->encoding->features, t->rows, t->held, t->left_out, t->unlabeled, t->fingerprint);
	for (int i = 0; i < t->encoding->count; i++)
		if (t->grouped[i] > 0)
		{
			appendStringInfoString(out, comma);
			escape_json(out, t->encoding->columns[i].name);
			appendStringInfo(out, ": " INT64_FORMAT, t->grouped[i]);
			comma = ", ";
		}
	appendStringInfo(out, "}, \"metrics\": %s", metrics == NULL ? "null" : JsonbToCString(NULL, &metrics->root, VARSIZE(metrics)));
}

/* Looks, fits, measures; within SPI. */
static Jsonb *
train(scoring_training *t, const char *command, const char *name)
{
	Jsonb	   *metrics;

	crm_progress_begin(command, name);
	scoring_open_query(t);
	scoring_look(t);
	crm_progress_phase("training", "rows", t->rows);
	scoring_fit(t);
	crm_progress_phase("profiling", NULL, 0);
	scoring_make_profile(t);
	crm_progress_phase("measuring", "rows", t->held);
	metrics = t->algorithm->groups ? scoring_measure_groups(t) : t->held == 0 ? NULL :
		scoring_measure(t, t->encoding_json, t->split_json, t->model);
	crm_progress_end();
	return metrics;
}

/* Models of purchases learn without a label: it is what came later, and only measures them. */
static void
without_label(scoring_training *t)
{
	if (t->algorithm->roles != NULL && t->label == NULL)
		t->options.holdout = 0;
}

static Datum
jsonb_of(const char *text)
{
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(text));
}

/* train(name, algorithm, query, label, options) */
Datum
crm_train(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	scoring_training t = {0};
	scoring_version version = {0};
	StringInfoData report;
	int32		number;
	int32		in_use;

	for (int i = 0; i < 5; i++)
		if (PG_ARGISNULL(i) && i != 3)
			PG_RETURN_NULL();
	version.name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	t.algorithm = scoring_find_algorithm(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	version.query = t.query = scoring_query_text(PG_GETARG_TEXT_PP(2));
	version.label = t.label = PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3));
	version.options = PG_GETARG_JSONB_P(4);
	scoring_read_train_options(version.options, t.algorithm, &t.options);
	if (t.algorithm->groups)
		scoring_group_options(&t, version.options);
	without_label(&t);
	initStringInfo(&report);
	crm_catalogue_newest();
	/* before the work, not after it */
	(void) scoring_may_replace(version.name);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	version.metrics = train(&t, "train", version.name);
	scoring_close_query(&t);
	version.algorithm = (char *) t.algorithm->name;
	version.encoding = t.encoding_json;
	version.split = t.split_json;
	version.profile = t.profile;
	version.model = t.model;
	version.draft = t.options.draft;
	number = scoring_add_version(&version, t.rows, t.fingerprint, true, &in_use);
	append_report(&report, &t, version.name, number, version.metrics);
	appendStringInfo(&report, ", \"in_use\": %s}", in_use == number ? "true" : "false");
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	PopActiveSnapshot();
	MemoryContextSwitchTo(caller);
	PG_RETURN_DATUM(jsonb_of(report.data));
}

static void
require_trained(const scoring_version *version)
{
	if (version->algorithm == NULL || version->encoding == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("version %d of model \"%s\" was stored, not trained", version->version, version->name),
				 errhint("%s.train(name, algorithm, query, label) trains a model.", crm_schema())));
}

/* The champion's query on the rows of today, as its owner, and how much better what learned from them is; within SPI. */
static Jsonb *
train_as_owner(scoring_training *t, const scoring_version *champion, char **matched, double *mean, double *error)
{
	scoring_owner_session session;
	Jsonb	   *metrics;

	scoring_owner_begin(&session, champion);
	metrics = train(t, "retrain", champion->name);
	if (t->algorithm->groups)
		*matched = scoring_keep_numbers(t, champion->encoding, champion->model);
	else if (t->held == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no row of the query of model \"%s\" is held back", champion->name)));
	else
		scoring_difference(t, champion->encoding, champion->model, t->encoding_json, t->model, mean, error);
	scoring_close_query(t);
	scoring_owner_end(&session);
	return metrics;
}

/* retrain(name): the champion's algorithm, query and options on the rows of today */
Datum
crm_retrain(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	scoring_training t = {0};
	scoring_version *champion;
	scoring_version challenger = {0};
	StringInfoData report;
	char	   *matched = NULL;
	double		mean = 0;
	double		error = 0;
	int32		number;
	bool		better;
	int32		in_use;

	initStringInfo(&report);
	crm_catalogue_newest();
	champion = scoring_find_version(text_to_cstring(PG_GETARG_TEXT_PP(0)), 0);
	(void) scoring_may_replace(champion->name);
	require_trained(champion);
	t.algorithm = scoring_find_algorithm(champion->algorithm);
	t.query = champion->query;
	t.label = champion->label;
	scoring_read_train_options(champion->options, t.algorithm, &t.options);
	without_label(&t);
	if (t.algorithm->groups)
	{
		scoring_group_options(&t, champion->options);
		scoring_require_numbers(&t, champion->model);
	}
	else if (t.options.holdout == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" holds no rows back to compare by", champion->name),
				 errhint("Train it with the option \"holdout\" above 0.")));
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	challenger.metrics = train_as_owner(&t, champion, &matched, &mean, &error);
	/* groups are not better or worse: those of today are wanted */
	better = t.algorithm->groups || mean > SCORING_CERTAINTY * error;
	challenger.name = champion->name;
	challenger.algorithm = champion->algorithm;
	challenger.query = champion->query;
	challenger.label = champion->label;
	challenger.options = champion->options;
	challenger.encoding = t.encoding_json;
	challenger.split = t.split_json;
	challenger.profile = t.profile;
	challenger.model = t.model;
	challenger.draft = t.options.draft;
	challenger.compared = champion->version;
	number = scoring_add_version(&challenger, t.rows, t.fingerprint, better, &in_use);
	append_report(&report, &t, champion->name, number, challenger.metrics);
	appendStringInfo(&report, ", \"champion\": %d, \"promoted\": %s", in_use, in_use == number ? "true" : "false");
	if (t.algorithm->groups)
		appendStringInfo(&report, ", \"matched\": %s}", matched);
	else
		appendStringInfo(&report, ", \"better\": %s, \"loss_saved\": %s, \"loss_saved_error\": %s}", better ? "true" : "false",
						 float8out_internal(mean), isfinite(error) ? float8out_internal(error) : "null");
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	PopActiveSnapshot();
	MemoryContextSwitchTo(caller);
	PG_RETURN_DATUM(jsonb_of(report.data));
}

/* evaluate(name, query, label) -> (metric, value) */
Datum
crm_evaluate_model(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	scoring_version *version = scoring_find_version(text_to_cstring(PG_GETARG_TEXT_PP(0)), 0);
	scoring_training t = {0};
	Jsonb	   *metrics;
	MemoryContext caller = CurrentMemoryContext;

	require_trained(version);
	t.algorithm = scoring_find_algorithm(version->algorithm);
	if (t.algorithm->groups)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" is one of groups: there is no label to measure it by", version->name),
				 errhint("%s.personas('%s') describes its groups.", crm_schema(), version->name)));
	t.query = scoring_query_text(PG_GETARG_TEXT_PP(1));
	t.label = text_to_cstring(PG_GETARG_TEXT_PP(2));
	scoring_read_train_options(version->options, t.algorithm, &t.options);
	/* which rows were held back is of no matter here */
	t.options.keys = 0;
	t.options.time = NULL;
	t.known = scoring_encoding_read(version->encoding);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	scoring_open_query(&t);
	metrics = scoring_measure(&t, version->encoding, NULL, version->model);
	MemoryContextSwitchTo(caller);
	metrics = memcpy(palloc(VARSIZE(metrics)), metrics, VARSIZE(metrics));
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	MemoryContextSwitchTo(caller);
	InitMaterializedSRF(fcinfo, 0);
	for (const char *const *name = scoring_measure_names(t.algorithm); *name != NULL; name++)
	{
		JsonbValue *value = scoring_member(metrics, *name);
		Datum		values[2] = {CStringGetTextDatum(*name), (Datum) 0};
		bool		nulls[2] = {false, value == NULL || value->type != jbvNumeric};

		if (!nulls[1])
			values[1] = DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
