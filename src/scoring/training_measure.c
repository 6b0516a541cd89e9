/*
 * training_measure.c - how good a model is by rows of a query, and by how much one is
 * better than another.
 */
#include "scoring/training.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "tag/tag.h"
#include "utils/array.h"

#define CLASS_MEASURES \
	"pg_catalog.jsonb_build_object('rows', pg_catalog.count(*), 'positives', pg_catalog.count(*) FILTER (WHERE s.y), " \
	" 'auc', %1$s.auc_agg(s.y, s.p), 'auc_interval', pg_catalog.to_jsonb(%1$s.auc_interval_agg(s.y, s.p)), " \
	" 'ks', %1$s.ks_agg(s.y, s.p), 'log_loss', %1$s.log_loss_agg(s.y, s.p), " \
	" 'log_loss_interval', pg_catalog.to_jsonb(%1$s.log_loss_interval_agg(s.y, s.p)), " \
	" 'brier', %1$s.brier_agg(s.y, s.p), 'brier_interval', pg_catalog.to_jsonb(%1$s.brier_interval_agg(s.y, s.p)), " \
	" 'calibration', pg_catalog.to_jsonb(%1$s.calibration_table(10, s.y, s.p)), " \
	" 'gain', pg_catalog.to_jsonb(%1$s.gain_table(10, s.y, s.p)))"

/* Purchases, too: as many as expected in all?  Mean of what was expected and of what came. */
#define NUMBER_MEASURES \
	"pg_catalog.jsonb_build_object('rows', pg_catalog.count(*), " \
	" 'rmse', pg_catalog.sqrt(pg_catalog.avg(pg_catalog.float8mul(pg_catalog.float8mi(s.y, s.p), pg_catalog.float8mi(s.y, s.p)))), " \
	" 'mae', pg_catalog.avg(pg_catalog.abs(pg_catalog.float8mi(s.y, s.p))), " \
	" 'r2', pg_catalog.float8mi(1, pg_catalog.float8div(pg_catalog.avg(pg_catalog.float8mul(pg_catalog.float8mi(s.y, s.p), " \
	" pg_catalog.float8mi(s.y, s.p))), NULLIF(pg_catalog.var_pop(s.y), 0))), " \
	" 'mean_expected', pg_catalog.avg(s.p), 'mean_observed', pg_catalog.avg(s.y))"

#define SURVIVAL_MEASURES \
	"pg_catalog.jsonb_build_object('rows', pg_catalog.count(*), 'events', pg_catalog.count(*) FILTER (WHERE s.y), " \
	" 'concordance', %1$s.concordance_agg(s.t, s.y, s.p), 'concordance_interval', pg_catalog.to_jsonb(%1$s.concordance_interval_agg(s.t, s.y, s.p)))"

const char *const *
scoring_measure_names(const scoring_algorithm *algorithm)
{
	static const char *const classes[] = {"rows", "positives", "auc", "ks", "log_loss", "brier", NULL};
	static const char *const amounts[] = {"rows", "rmse", "mae", "r2", NULL};
	static const char *const purchases[] = {"rows", "rmse", "mae", "r2", "mean_expected", "mean_observed", NULL};
	static const char *const survival[] = {"rows", "events", "concordance", NULL};

	return algorithm->task == SCORING_YES_OR_NO ? classes : algorithm->task == SCORING_SURVIVAL ? survival :
		algorithm->roles != NULL ? purchases : amounts;
}

char *
scoring_labeled(const scoring_training *t, bool measuring)
{
	StringInfoData condition;

	initStringInfo(&condition);
	if (t->algorithm->groups)
		appendStringInfoString(&condition, "true");
	else
		appendStringInfo(&condition, "q.%s IS NOT NULL", quote_identifier(measuring || t->algorithm->roles == NULL ? t->label : t->algorithm->roles[0]));
	if (t->options.duration != NULL)
		appendStringInfo(&condition, " AND q.%s IS NOT NULL", quote_identifier(t->options.duration));
	for (int i = 0; i < t->algorithm->required; i++)
		appendStringInfo(&condition, " AND q.%s IS NOT NULL", quote_identifier(t->algorithm->roles[i]));
	return condition.data;
}

char *
scoring_score_expression(const scoring_training *t, int model, int encoding)
{
	const char *schema = crm_schema();

	if (t->algorithm->task == SCORING_PURCHASES)
		return psprintf("%1$s.expected_purchases($%2$d, pg_catalog.jsonb_object_field_text($%3$d, 'horizon')::pg_catalog.float8, "
						"q.frequency::pg_catalog.float8, q.recency::pg_catalog.float8, q.age::pg_catalog.float8)", schema, model, encoding);
	/* the encoding stands there for the sake of the parameter's number */
	if (t->algorithm->roles != NULL)
		return psprintf("%1$s.expected_value($%2$d, CASE WHEN $%3$d IS NOT NULL THEN q.frequency::pg_catalog.float8 END, q.mean_value::pg_catalog.float8)",
						schema, model, encoding);
	return psprintf("%1$s.predict($%2$d, %1$s.model_features($%3$d, q))", schema, model, encoding);
}

static const char *
duration_column(const scoring_training *t)
{
	return t->options.duration == NULL ? "" : psprintf(", q.%s::pg_catalog.float8 AS t", quote_identifier(t->options.duration));
}

Jsonb *
scoring_measure(const scoring_training *t, Jsonb *encoding, Jsonb *split, Datum model)
{
	const char *schema = crm_schema();
	Oid			types[3] = {crm_type("model"), JSONBOID, JSONBOID};
	Datum		values[3] = {model, JsonbPGetDatum(encoding), PointerGetDatum(split)};
	Datum		result;
	bool		isnull;
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	if (t->algorithm->task == SCORING_SURVIVAL)
		appendStringInfo(&sql, SURVIVAL_MEASURES, schema);
	else if (t->algorithm->classes)
		appendStringInfo(&sql, CLASS_MEASURES, schema);
	else
		appendStringInfoString(&sql, NUMBER_MEASURES);
	/* OFFSET 0: a score is computed once, however many measures ask for it. */
	appendStringInfo(&sql, " FROM (SELECT %s AS y, %s AS p%s FROM (%s\n) AS q WHERE %s%s OFFSET 0) AS s",
					 scoring_label_expression(t->label, t->algorithm->classes), scoring_score_expression(t, 1, 2), duration_column(t),
					 t->query, scoring_labeled(t, true), split == NULL ? "" : psprintf(" AND %s.row_is_held($3, q)", schema));
	scoring_run(sql.data, split == NULL ? 2 : 3, types, values, 1, &result, &isnull);
	return DatumGetJsonbP(result);
}

const char *
scoring_loss(const char *column, bool classes)
{
	if (!classes)
		return psprintf("pg_catalog.float8mul(pg_catalog.float8mi(s.y, s.%1$s), pg_catalog.float8mi(s.y, s.%1$s))", column);
	return psprintf("pg_catalog.float8um(pg_catalog.ln(pg_catalog.float8larger(CASE WHEN s.y THEN s.%1$s ELSE pg_catalog.float8mi(1, s.%1$s) END, 1e-15)))", column);
}

/* {difference, standard error} as the aggregate gives it. */
static void
read_gain(Datum array, double *mean, double *error)
{
	ArrayType  *numbers = DatumGetArrayTypeP(array);

	if (ArrayGetNItems(ARR_NDIM(numbers), ARR_DIMS(numbers)) != 2)
		elog(ERROR, "concordance_gain_agg gives two numbers");
	*mean = ((double *) ARR_DATA_PTR(numbers))[0];
	*error = ((double *) ARR_DATA_PTR(numbers))[1];
}

void
scoring_difference(const scoring_training *t, Jsonb *encoding_a, Datum a, Jsonb *encoding_b, Datum b, double *mean, double *error)
{
	const char *schema = crm_schema();
	Oid			types[5] = {crm_type("model"), JSONBOID, crm_type("model"), JSONBOID, JSONBOID};
	Datum		values[5] = {a, JsonbPGetDatum(encoding_a), b, JsonbPGetDatum(encoding_b), PointerGetDatum(t->split_json)};
	Datum		results[3];
	bool		nulls[3];
	char	   *scored = psprintf("(SELECT %s AS y, %s AS a, %s AS b%s FROM (%s\n) AS q WHERE %s%s OFFSET 0) AS s",
								  scoring_label_expression(t->label, t->algorithm->classes), scoring_score_expression(t, 1, 2),
								  scoring_score_expression(t, 3, 4), duration_column(t), t->query, scoring_labeled(t, true),
								  t->split == NULL ? "" : psprintf(" AND %s.row_is_held($5, q)", schema));
	int			args = t->split == NULL ? 4 : 5;

	*mean = 0;
	*error = INFINITY;
	if (t->algorithm->task == SCORING_SURVIVAL)
	{
		scoring_run(psprintf("SELECT %s.concordance_gain_agg(s.t, s.y, s.a, s.b) FROM %s", schema, scored), args, types, values, 1, results, nulls);
		if (!nulls[0])
			read_gain(results[0], mean, error);
		return;
	}
	scoring_run(psprintf("SELECT pg_catalog.count(d.d), pg_catalog.avg(d.d), pg_catalog.stddev_samp(d.d) FROM (SELECT pg_catalog.float8mi(%s, %s) AS d FROM %s) AS d",
						 scoring_loss("a", t->algorithm->classes), scoring_loss("b", t->algorithm->classes), scored), args, types, values, 3, results, nulls);
	if (!nulls[1])
		*mean = DatumGetFloat8(results[1]);
	if (!nulls[2])
		*error = DatumGetFloat8(results[2]) / sqrt((double) DatumGetInt64(results[0]));
}
