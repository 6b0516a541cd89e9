/*
 * training_groups.c - models of groups from queries: their options, what is told of
 * them, and numbers that stay.
 */
#include "scoring/training.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/query.h"
#include "kernel/group_match.h"
#include "tag/tag.h"
#include "utils/fmgrprotos.h"

CRM_FUNCTION(crm_match_clusters);

/* ---- options ------------------------------------------------------------------- */

static void wrong_option(const scoring_training *t, const char *name, const char *detail) CRM_NORETURN;

static void
wrong_option(const scoring_training *t, const char *name, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("algorithm \"%s\" does not take option \"%s\"", t->algorithm->name, name),
			 errdetail("%s", detail)));
}

void
scoring_group_options(scoring_training *t, Jsonb *given)
{
	JsonbValue *groups = scoring_member(t->options.rest, "k");

	if (t->options.time != NULL || (scoring_member(given, "holdout") != NULL && t->options.holdout > 0))
		wrong_option(t, t->options.time != NULL ? "time" : "holdout", "Without a label there is nothing to measure on rows held back.");
	if (scoring_member(t->options.rest, "categorical") != NULL)
		wrong_option(t, "categorical", "Texts are categories, numbers are none: cast columns in the query.");
	t->options.holdout = 0;
	if (groups == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("algorithm \"%s\" needs the option \"k\", the number of groups", t->algorithm->name),
				 errhint("%s.kmeans_choice tells what speaks for which number.", crm_schema())));
	t->options.groups = (int) scoring_number_option(t->options.rest, "k", 1, CRM_KMEANS_MAX_GROUPS, true, 1);
	/* columns have units of their own, and values that are not known */
	t->options.rest = DatumGetJsonbP(DirectFunctionCall2(jsonb_concat,
														 DirectFunctionCall1(jsonb_in, CStringGetDatum("{\"standardize\": true, \"missing\": \"ignore\"}")),
														 JsonbPGetDatum(scoring_without(t->options.rest, "k"))));
}

/* ---- what came out ---------------------------------------------------------------- */

Jsonb *
scoring_measure_groups(const scoring_training *t)
{
	Oid			types[1] = {crm_type("model")};
	Datum		values[1] = {t->model};
	Datum		result;
	bool		isnull;

	scoring_run(psprintf("SELECT pg_catalog.jsonb_object_agg(e.key, e.value) FROM %s.model_params($1) AS p, pg_catalog.jsonb_each(p) AS e "
						 "WHERE e.key IN ('k', 'rows', 'sizes', 'inertia', 'explained', 'iterations', 'converged')", crm_schema()),
				1, types, values, 1, &result, &isnull);
	return DatumGetJsonbP(result);
}

/* ---- numbers that stay --------------------------------------------------------------- */

/* A value of the new model with the numbers of the old one; in the memory that is current. */
static Datum
renumber(const crm_model *old, const crm_model *new_model, const uint32 *matched)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_model	result;

	crm_check(crm_renumber_groups(&env, old, new_model, matched, &result), CRM_MODEL_TYPE, false);
	return PointerGetDatum(scoring_model_value(&result, CurrentMemoryContext));
}

/* The place of the group that has a number. */
static uint32
group_numbered(const crm_model *m, int64 number)
{
	uint32		groups = crm_model_groups(m);
	uint32		low = 0;
	uint32		high = groups;

	while (low + 1 < high)
	{
		uint32		middle = low + (high - low) / 2;

		if (crm_model_group_number(m, middle) <= number)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* 54000 where the costs of all pairs of groups would not fit. */
static void
require_matching(const char *function, uint32 rows, uint32 columns, const char *detail, const char *hint)
{
	scoring_require_work(psprintf("%s of %u groups by %u", function, columns, rows), (double) crm_match_bytes(rows, columns), detail, hint);
}

void
scoring_require_numbers(const scoring_training *t, Datum old_value)
{
	require_matching("retrain", crm_model_groups(scoring_model_fetch(old_value, CurrentMemoryContext)), (uint32) t->options.groups,
					 "The rows that each new group shares with each one before are counted, to keep their numbers; none has been read.",
					 "train anew with a smaller \"k\"");
}

/* Rows that are in one group of the old model and one of the new one. */
typedef struct shared
{
	const crm_model *old;
	const crm_model *new_model;
	double	   *costs;
} shared;

static void
take_shared(TupleTableSlot *slot, void *arg)
{
	shared	   *s = arg;

	slot_getallattrs(slot);
	s->costs[(Size) group_numbered(s->old, DatumGetInt32(slot->tts_values[0])) * crm_model_groups(s->new_model) +
			 group_numbered(s->new_model, DatumGetInt32(slot->tts_values[1]))] = -(double) DatumGetInt64(slot->tts_values[2]);
}

/* Minus the rows that are in each group of the old model and each of the new one: what pairs cost. */
static double *
count_shared(const scoring_training *t, Jsonb *old_encoding, Datum old_value, const crm_model *old, const crm_model *new_model)
{
	Size		pairs = (Size) crm_model_groups(old) * crm_model_groups(new_model);
	shared		s = {old, new_model, palloc_extended(sizeof(double) * pairs, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO)};
	Oid			types[4] = {crm_type("model"), JSONBOID, crm_type("model"), JSONBOID};
	Datum		values[4] = {old_value, JsonbPGetDatum(old_encoding), t->model, JsonbPGetDatum(t->encoding_json)};
	ParamListInfo params = makeParamList(4);
	SPIPlanPtr	plan;

	for (int i = 0; i < 4; i++)
		params->params[i] = (ParamExternData) {values[i], false, PARAM_FLAG_CONST, types[i]};
	plan = SPI_prepare_cursor(psprintf("SELECT c.a, c.b, pg_catalog.count(*) FROM (SELECT %1$s.cluster($1, %1$s.model_features($2, q)) AS a, "
									   "%1$s.cluster($3, %1$s.model_features($4, q)) AS b FROM (%2$s\n) AS q OFFSET 0) AS c GROUP BY c.a, c.b",
									   crm_schema(), t->query), 4, types, CURSOR_OPT_PARALLEL_OK);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	/* pairs may be many: they go by one at a time */
	crm_select_run(plan, params, take_shared, &s);
	return s.costs;
}

char *
scoring_keep_numbers(scoring_training *t, Jsonb *old_encoding, Datum old_value)
{
	crm_model  *old = scoring_model_fetch(old_value, CurrentMemoryContext);
	crm_model  *new_model = scoring_model_fetch(t->model, CurrentMemoryContext);
	uint32		rows = crm_model_groups(old);
	uint32		columns = crm_model_groups(new_model);
	crm_env		env = crm_env_in(CurrentMemoryContext);
	uint32	   *matched = palloc(sizeof(uint32) * rows);
	double	   *costs = count_shared(t, old_encoding, old_value, old, new_model);
	StringInfoData text;

	crm_check(crm_assign_least(&env, costs, rows, columns, matched), CRM_MODEL_TYPE, false);
	initStringInfo(&text);
	appendStringInfoChar(&text, '[');
	for (uint32 i = 0; i < rows; i++)
	{
		double		before = 0;

		/* nobody in common: not the same group */
		if (matched[i] != CRM_MATCH_NONE && costs[(Size) i * columns + matched[i]] == 0)
			matched[i] = CRM_MATCH_NONE;
		for (uint32 j = 0; j < columns; j++)
			before -= costs[(Size) i * columns + j];
		appendStringInfo(&text, "%s{\"cluster\": " INT64_FORMAT ", \"stayed\": %s}", i > 0 ? ", " : "", crm_model_group_number(old, i),
						 before == 0 || matched[i] == CRM_MATCH_NONE ? "null" :
						 psprintf("%.6g", -costs[(Size) i * columns + matched[i]] / before));
	}
	appendStringInfoChar(&text, ']');
	t->model = renumber(old, new_model, matched);
	return text.data;
}

/* match_clusters(old model, new model) -> the new model, with the numbers of the groups whose centers are nearest */
Datum
crm_match_clusters(PG_FUNCTION_ARGS)
{
	crm_model  *old = scoring_model_fetch(PG_GETARG_DATUM(0), CurrentMemoryContext);
	crm_model  *new_model = scoring_model_fetch(PG_GETARG_DATUM(1), CurrentMemoryContext);
	crm_env		env = crm_env_in(CurrentMemoryContext);
	uint32	   *matched;
	double	   *distances;
	crm_status	status;

	scoring_require_groups(old);
	scoring_require_groups(new_model);
	if (old->features != new_model->features)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("the models have %u and %u features", old->features, new_model->features),
				 errdetail("Groups are matched by centers of the same features.")));
	require_matching("match_clusters", crm_model_groups(old), crm_model_groups(new_model),
					 "The distances of each new center from each one before are kept.", "match models of fewer groups");
	matched = palloc(sizeof(uint32) * crm_model_groups(old));
	distances = palloc_extended(sizeof(double) * crm_model_groups(old) * crm_model_groups(new_model), MCXT_ALLOC_HUGE);
	status = crm_center_distances(&env, old, new_model, distances);
	if (status == CRM_OUT_OF_RANGE)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("centers of the models are too far from each other")));
	crm_check(status, CRM_MODEL_TYPE, false);
	crm_check(crm_assign_least(&env, distances, crm_model_groups(old), crm_model_groups(new_model), matched), CRM_MODEL_TYPE, false);
	PG_RETURN_DATUM(renumber(old, new_model, matched));
}
