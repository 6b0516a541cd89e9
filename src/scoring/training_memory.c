/*
 * training_memory.c - whether a training will fit, said before its rows are read.
 *
 * Trainers keep rows column by column, each number as narrow as it goes, up to
 * crm_analytics.training_memory, and stop there with an error: after minutes, maybe.
 * So they are asked twice: before anything is read, by the planner's number of rows
 * and the types of columns, and after the look at all rows, which keeps none, by what
 * was counted.
 */
#include "scoring/training.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/query.h"
#include "common/settings.h"
#include "kernel/concordance.h"
#include "kernel/kmeans.h"
#include "kernel/trees.h"
#include "utils/lsyscache.h"

/* Bytes of a number of that type, as a rule: what is counted is small, what is measured is not. */
static double
type_bytes(Oid type)
{
	switch (getBaseType(type))
	{
		case INT8OID:
		case DATEOID:
			return 2;
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return 4;
		default:
			return 1;			/* a text is numbers of a byte */
	}
}

double
scoring_range_bytes(const scoring_range *range)
{
	if (!(range->least < range->most))
		return 0;
	if (range->whole && range->most - range->least < 250)
		return 1;
	if (range->whole && range->most - range->least < 65000)
		return 2;
	return range->single ? sizeof(float) : sizeof(double);
}

/* Bytes of a row: of its columns, or, once these are known, of its features. */
static double
row_bytes(const scoring_training *t)
{
	double		bytes = 1;		/* the label */

	for (int i = 0; i < t->encoding->count; i++)
	{
		const scoring_column *column = &t->encoding->columns[i];

		/* marks and values of texts are a byte each */
		bytes += Max(column->width - 1, 0);
		if (t->ranges != NULL && column->kind != SCORING_COLUMN_TEXT)
			bytes += scoring_range_bytes(&t->ranges[i]);
		else
			bytes += type_bytes(TupleDescAttr(t->desc, scoring_find_attribute(t->desc, column->name))->atttypid);
	}
	return bytes;
}

static const char *
bytes_text(double bytes)
{
	double		megabytes = ceil(bytes / (1024 * 1024));

	return megabytes >= 10 * 1024 ? psprintf("%.0f GB", ceil(megabytes / 1024)) : psprintf("%.0f MB", megabytes);
}

void
scoring_require_work(const char *function, double bytes, const char *detail, const char *hint)
{
	double		allowed = (double) crm_training_memory * 1024;

	if (bytes > allowed)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s needs about %s, more than crm_analytics.training_memory allows (%s)", function, bytes_text(bytes), bytes_text(allowed)),
				 errdetail("%s", detail),
				 errhint("Raise crm_analytics.training_memory, or %s.", hint)));
}

/* The concordance of rows keeps a time, who left and two scores of each, and compares all of them. */
static void
require_measuring(const scoring_training *t, double rows, bool estimated)
{
	if (t->algorithm->task == SCORING_SURVIVAL && rows > 0)
		scoring_require_work(psprintf("measuring \"%s\" by %s%.0f rows", t->algorithm->name, estimated ? "about " : "", rows),
							 rows * (3 * sizeof(double) + 1 + (double) crm_concordance_bytes(1000) / 1000),
							 estimated ? "The number of rows is what the planner expects of the query; none has been read." :
							 "The rows held back have been counted, and are not kept yet.",
							 t->known != NULL ? "measure by a sample of the rows" : "hold fewer rows back by the option \"holdout\"");
}

void
scoring_require_memory(const scoring_training *t, double rows, bool estimated)
{
	double		allowed = (double) crm_training_memory * 1024;
	double		needed;
	double		share = t->options.sample;
	double		fits;

	require_measuring(t, estimated ? rows * t->options.holdout : (double) t->held, estimated);
	if (t->algorithm->memory == SCORING_KEEPS_NOTHING || (t->algorithm->groups && scoring_member(t->options.rest, "mini_batch") != NULL))
		return;
	if (estimated)
		rows *= share * (1 - (t->options.folds > 0 ? 1.0 / t->options.folds : t->options.holdout));
	needed = rows * row_bytes(t);
	if (t->algorithm->memory == SCORING_KEEPS_BINS)
		needed += (double) crm_trees_fit_bytes((uint64_t) Min(rows, 1e15), (uint32_t) t->encoding->count);
	if (t->algorithm->groups)
		needed += (double) crm_kmeans_fit_bytes((uint64_t) Min(rows, 1e15), (uint32_t) t->encoding->count);
	if (needed <= allowed)
		return;
	fits = share * allowed / needed * 0.8;
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("training \"%s\" on %s%.0f rows of %d columns needs about %s, more than crm_analytics.training_memory allows (%s)",
					t->algorithm->name, estimated ? "about " : "", rows, t->encoding->count, bytes_text(needed), bytes_text(allowed)),
			 estimated ? errdetail("The number of rows is what the planner expects of the query, less those held back; none has been read.") :
			 errdetail("The rows have been counted, and are not kept yet."),
			 errhint("Train on a part of the rows, as with the option \"sample\": %.*g, or raise crm_analytics.training_memory%s.",
					 fits < 0.001 ? 1 : 2, fits, estimated ? "; ANALYZE the tables if there are far fewer rows" : "")));
}

void
scoring_estimate_measuring(const scoring_training *t)
{
	require_measuring(t, crm_select_rows(t->plan), true);
}

void
scoring_estimate_memory(const scoring_training *t)
{
	scoring_require_memory(t, crm_select_rows(t->plan), true);
}
