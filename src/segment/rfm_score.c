/*
 * rfm_score.c - one customer's scores: from borders, or within a window.
 */
#include "segment/rfm.h"

#include "common/bridge.h"
#include "funcapi.h"
#include "windowapi.h"

CRM_FUNCTION(crm_rfm_score);
CRM_FUNCTION(crm_rfm_score_as_of);
CRM_FUNCTION(crm_rfm_score_parts);
CRM_FUNCTION(crm_rfm_score_numeric);
CRM_FUNCTION(crm_rfm_score_over);

/* Rows of a window that are read between two times of freeing what their evaluation left. */
#define ROWS_PER_RESET 1024

/* ---- the result --------------------------------------------------------- */

typedef struct rfm_score
{
	bool		isnull[RFM_MEASURES];
	int32		value[RFM_MEASURES];
} rfm_score;

/* Kept in fn_extra: the row type, and a row of it without NULLs to copy. */
typedef struct score_form
{
	TupleDesc	tupdesc;
	HeapTupleHeader sample;
	Size		size;
} score_form;

static const score_form *
get_score_form(FunctionCallInfo fcinfo)
{
	score_form *form = fcinfo->flinfo->fn_extra;

	if (form == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		TupleDesc	tupdesc;
		Datum		values[RFM_MEASURES] = {0};
		bool		isnull[RFM_MEASURES] = {false};

		if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE || tupdesc->natts != RFM_MEASURES)
			elog(ERROR, "rfm_score must return a row of three columns");
		form = palloc(sizeof(score_form));
		form->tupdesc = BlessTupleDesc(CreateTupleDescCopy(tupdesc));
		form->sample = DatumGetHeapTupleHeader(heap_copy_tuple_as_datum(heap_form_tuple(form->tupdesc, values, isnull),
																		form->tupdesc));
		form->size = HeapTupleHeaderGetDatumLength(form->sample);
		fcinfo->flinfo->fn_extra = form;
		MemoryContextSwitchTo(old);
	}
	return form;
}

static Datum
score_datum(FunctionCallInfo fcinfo, const rfm_score *score)
{
	const score_form *form = get_score_form(fcinfo);
	HeapTupleHeader row;
	Datum		values[RFM_MEASURES];

	if (score->isnull[RFM_RECENCY] || score->isnull[RFM_FREQUENCY] || score->isnull[RFM_MONETARY])
	{
		for (int i = 0; i < RFM_MEASURES; i++)
			values[i] = Int32GetDatum(score->value[i]);
		return HeapTupleGetDatum(heap_form_tuple(form->tupdesc, values, (bool *) score->isnull));
	}
	/* Three int4 without NULLs always lie at the same places. */
	row = palloc(form->size);
	memcpy(row, form->sample, form->size);
	memcpy((char *) row + row->t_hoff, score->value, sizeof(score->value));
	return HeapTupleHeaderGetDatum(row);
}

/* ---- scoring ------------------------------------------------------------ */

/* A measure that is NULL, or without borders, has no score. */
static void
compute_score(const rfm_summary *summary, const rfm_cuts *cuts, rfm_score *score)
{
	for (int i = 0; i < RFM_MEASURES; i++)
	{
		double		value;
		int			bin;

		score->value[i] = 0;
		score->isnull[i] = summary->isnull[i] || !cuts->present[i];
		if (score->isnull[i])
			continue;
		if (i == RFM_RECENCY)
		{
			if (!cuts->has_as_of)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("borders of recency have no as_of to count days back from"),
						 errhint("Give as_of to rfm_cuts, or as the third argument of rfm_score.")));
			value = (double) crm_rfm_days(cuts->as_of, summary->last_at);
		}
		else
			value = i == RFM_FREQUENCY ? (double) summary->frequency : summary->monetary;
		bin = crm_rfm_bin(cuts->borders[i], cuts->count[i], cuts->inclusive, value);
		/* The fewer days, the better. */
		score->value[i] = i == RFM_RECENCY ? (int) cuts->count[i] + 2 - bin : bin;
	}
}

/* rfm_score(s rfm_summary, cuts rfm_cuts) */
Datum
crm_rfm_score(PG_FUNCTION_ARGS)
{
	rfm_summary summary;
	rfm_cuts	cuts;
	rfm_score	score;

	rfm_summary_read(PG_GETARG_DATUM(0), &summary);
	rfm_cuts_read(PG_GETARG_VARLENA_PP(1), &cuts);
	compute_score(&summary, &cuts, &score);
	return score_datum(fcinfo, &score);
}

/* rfm_score(s rfm_summary, cuts rfm_cuts, as_of timestamptz) */
Datum
crm_rfm_score_as_of(PG_FUNCTION_ARGS)
{
	rfm_summary summary;
	rfm_cuts	cuts;
	rfm_score	score;

	rfm_summary_read(PG_GETARG_DATUM(0), &summary);
	rfm_cuts_read(PG_GETARG_VARLENA_PP(1), &cuts);
	cuts.has_as_of = true;
	cuts.as_of = PG_GETARG_TIMESTAMPTZ(2);
	rfm_check_bins(1, cuts.as_of);
	compute_score(&summary, &cuts, &score);
	return score_datum(fcinfo, &score);
}

/* The same without making a row first. */
static Datum
score_arguments(FunctionCallInfo fcinfo, bool is_numeric)
{
	rfm_summary summary;
	rfm_cuts	cuts;
	rfm_score	score;

	if (PG_ARGISNULL(3))
		PG_RETURN_NULL();
	rfm_summary_from_arguments(fcinfo, 0, is_numeric, &summary);
	rfm_cuts_read(PG_GETARG_VARLENA_PP(3), &cuts);
	compute_score(&summary, &cuts, &score);
	return score_datum(fcinfo, &score);
}

/* rfm_score(last_at timestamptz, frequency bigint, monetary float8, cuts rfm_cuts) */
Datum
crm_rfm_score_parts(PG_FUNCTION_ARGS)
{
	return score_arguments(fcinfo, false);
}

/* rfm_score(last_at timestamptz, frequency bigint, monetary numeric, cuts rfm_cuts) */
Datum
crm_rfm_score_numeric(PG_FUNCTION_ARGS)
{
	return score_arguments(fcinfo, true);
}

/* ---- the window function ---------------------------------------------------- */

/* Of one partition; zeroed by the executor when it begins. */
typedef struct partition
{
	bool		measured;
	int32		bins;
	TimestampTz as_of;
	rfm_cuts	cuts;
} partition;

/* The constant arguments of the current row. */
static void
get_parameters(WindowObject window, int32 *bins, TimestampTz *as_of)
{
	bool		no_as_of;
	bool		no_bins;
	Datum		as_of_value = WinGetFuncArgCurrent(window, 1, &no_as_of);
	Datum		bins_value = WinGetFuncArgCurrent(window, 2, &no_bins);

	if (no_as_of || no_bins)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("as_of and bins of rfm_score must not be NULL")));
	*as_of = DatumGetTimestampTz(as_of_value);
	*bins = DatumGetInt32(bins_value);
}

/* Reads all customers of the partition once and keeps the borders for as long as it lasts. */
static void
measure_partition(WindowObject window, partition *part)
{
	MemoryContext partition_context = GetMemoryChunkContext(part);
	MemoryContext sample_context = AllocSetContextCreate(CurrentMemoryContext, "rfm_score", ALLOCSET_DEFAULT_SIZES);
	MemoryContext row_context = AllocSetContextCreate(sample_context, "rfm_score row", ALLOCSET_DEFAULT_SIZES);
	crm_env		env = crm_env_in(sample_context);
	int64		rows = WinGetPartitionRowCount(window);
	crm_rfm_sample sample;
	MemoryContext caller;

	rfm_check_bins(part->bins, part->as_of);
	if (rows > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a partition of rfm_score holds at most %d rows", PG_INT32_MAX),
				 errhint("Take the borders with rfm_cuts_agg.")));
	crm_rfm_sample_init(&sample, &env);
	caller = MemoryContextSwitchTo(row_context);
	for (int64 i = 0; i < rows; i++)
	{
		bool		isnull;
		bool		isout;
		Datum		value = WinGetFuncArgInPartition(window, 0, (int) i, WINDOW_SEEK_HEAD, false, &isnull, &isout);
		rfm_summary summary;

		if (!isnull)
		{
			rfm_summary_read(value, &summary);
			rfm_sample_add(&sample, part->as_of, &summary);
		}
		if (i % ROWS_PER_RESET == ROWS_PER_RESET - 1)
		{
			MemoryContextReset(row_context);
			CHECK_FOR_INTERRUPTS();
		}
	}
	MemoryContextSwitchTo(partition_context);
	rfm_sample_cuts(&sample, part->bins, part->as_of, &part->cuts);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(sample_context);
	part->measured = true;
}

/* rfm_score(s rfm_summary, as_of timestamptz, bins int) OVER (...): borders of the whole partition, whatever the frame */
Datum
crm_rfm_score_over(PG_FUNCTION_ARGS)
{
	WindowObject window = PG_WINDOW_OBJECT();
	partition  *part = WinGetPartitionLocalMemory(window, sizeof(partition));
	rfm_summary summary;
	rfm_score	score;
	int32		bins;
	TimestampTz as_of;
	Datum		value;
	bool		isnull;

	get_parameters(window, &bins, &as_of);
	if (!part->measured)
	{
		part->bins = bins;
		part->as_of = as_of;
		measure_partition(window, part);
	}
	else if (part->bins != bins || part->as_of != as_of)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("as_of and bins of rfm_score must be the same for all rows of a partition")));

	value = WinGetFuncArgCurrent(window, 0, &isnull);
	if (isnull)
		PG_RETURN_NULL();
	rfm_summary_read(value, &summary);
	compute_score(&summary, &part->cuts, &score);
	return score_datum(fcinfo, &score);
}
