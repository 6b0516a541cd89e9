/*
 * woe.c - weight of evidence and information value of the values of a column.
 *
 * Of each value (a bin), rows and positives are counted.  There are few groups of many rows: the state
 * is an expanded object, and one crm.agg_state on the way to another process.
 * Rows without a value are a bin of their own.
 */
#include "scoring/scoring.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/agg_state.h"
#include "common/expanded_state.h"
#include "common/result_rows.h"
#include "funcapi.h"
#include "kernel/twofold.h"
#include "kernel/value_table.h"
#include "mb/pg_wchar.h"
#include "scoring/measures.h"
#include "utils/float.h"

CRM_FUNCTION(crm_woe_transfn);
CRM_FUNCTION(crm_woe_combinefn);
CRM_FUNCTION(crm_woe_table_finalfn);
CRM_FUNCTION(crm_information_value_finalfn);
CRM_FUNCTION(crm_psi);

#define WOE_STATE_VERSION 1
#define MAX_BINS 10000000

typedef struct bin_counts
{
	uint64		rows;
	uint64		positives;
} bin_counts;

typedef struct woe_state
{
	ExpandedObjectHeader header;
	crm_env		env;
	crm_value_table bins;
	bin_counts *counts;			/* of code 0, the rows without value, 1, 2 ... */
	uint32		room;
	uint64		rows;			/* of all bins */
} woe_state;

/* ---- the state ------------------------------------------------------------- */

/* After the header: number of bins with a value (4 bytes), 4 bytes 0, then rows and positives of each and its text behind its length; those without value first. */
static Size
flat_size(ExpandedObjectHeader *header)
{
	const woe_state *state = (const woe_state *) header;
	Size		size = CRM_AGG_STATE_HEADER + 8 + 16;

	for (uint32 i = 0; i < state->bins.count; i++)
		size += 16 + 4 + state->bins.entries[i].length;
	crm_check_size(size, "crm.agg_state");
	return size;
}

static uint8 *
write_counts(uint8 *out, const bin_counts *counts)
{
	crm_store64(out, counts->rows);
	crm_store64(out + 8, counts->positives);
	return out + 16;
}

static void
flatten_into(ExpandedObjectHeader *header, void *result, Size size)
{
	const woe_state *state = (const woe_state *) header;
	uint8	   *out = (uint8 *) ((crm_agg_state *) result)->data;

	crm_agg_state_init(result, size, CRM_STATE_WOE, WOE_STATE_VERSION);
	crm_store32(out, state->bins.count);
	crm_store32(out + 4, 0);
	out = write_counts(out + 8, &state->counts[0]);
	for (uint32 i = 0; i < state->bins.count; i++)
	{
		out = write_counts(out, &state->counts[i + 1]);
		crm_store32(out, state->bins.entries[i].length);
		memcpy(out + 4, state->bins.entries[i].text, state->bins.entries[i].length);
		out += 4 + state->bins.entries[i].length;
	}
}

static void *add_flat(void *at_hand, Datum value, MemoryContext parent, const void *use);

static const crm_expanded_kind woe_kind = {{flat_size, flatten_into}, add_flat};

static woe_state *
new_state(MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "weight of evidence", ALLOCSET_SMALL_SIZES);
	woe_state  *state = MemoryContextAllocZero(context, sizeof(woe_state));

	EOH_init_header(&state->header, &woe_kind.methods, context);
	state->env = crm_env_in(context);
	state->room = 8;
	state->counts = MemoryContextAllocZero(context, sizeof(bin_counts) * state->room);
	return state;
}

/* Counts of a bin; NULL is that of rows without value. */
static bin_counts *
counts_of(woe_state *state, const char *bin, Size length)
{
	uint32		code = 0;
	crm_status	status = bin == NULL ? CRM_OK : crm_value_add(&state->bins, &state->env, bin, length, MAX_BINS, &code);

	if (status == CRM_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d different bins", MAX_BINS),
				 errhint("Group the values into bins first, for example with width_bucket().")));
	crm_check(status, "crm.agg_state", false);
	if (code >= state->room)
	{
		state->counts = repalloc_huge(state->counts, sizeof(bin_counts) * state->room * 2);
		memset(state->counts + state->room, 0, sizeof(bin_counts) * state->room);
		state->room *= 2;
	}
	return &state->counts[code];
}

/* Rows and positives of a bin from elsewhere; false where there were never so many. */
static bool
add_counts(woe_state *state, bin_counts *counts, const uint8 *in)
{
	uint64		rows = crm_load64(in);
	uint64		positives = crm_load64(in + 8);

	if (positives > rows || rows > SCORING_MAX_ROWS - state->rows)
		return false;
	state->rows += rows;
	counts->rows += rows;
	counts->positives += positives;
	return true;
}

static void *
add_flat(void *at_hand, Datum value, MemoryContext parent, const void *use)
{
	woe_state  *state = at_hand;
	crm_agg_state *flat = crm_agg_state_fetch(value, CRM_STATE_WOE, WOE_STATE_VERSION, CRM_AGG_STATE_HEADER + 24);
	const uint8 *in = (const uint8 *) flat->data;
	const uint8 *end = (const uint8 *) flat + VARSIZE(flat);
	uint32		count = crm_load32(in);

	if (state == NULL)
		state = new_state(parent);
	if (!add_counts(state, counts_of(state, NULL, 0), in + 8))
		crm_agg_state_damaged("The counts of a bin are impossible.");
	in += 24;
	for (uint32 i = 0; i < count; i++)
	{
		uint32		length;

		if (end - in < 20 || end - in - 20 < (length = crm_load32(in + 16)))
			crm_agg_state_damaged("The bins in a state are not whole.");
		if (!pg_verifymbstr((const char *) in + 20, (int) length, true))
			crm_agg_state_damaged("A bin in a state is not a text of this database's encoding.");
		if (!add_counts(state, counts_of(state, (const char *) in + 20, length), in))
			crm_agg_state_damaged("The counts of a bin are impossible.");
		in += 20 + length;
		CHECK_FOR_INTERRUPTS();
	}
	if (in != end)
		crm_agg_state_damaged("The bins in a state are not whole.");
	return state;
}

/* woe_transfn(state, label boolean, bin text) */
Datum
crm_woe_transfn(PG_FUNCTION_ARGS)
{
	MemoryContext aggcontext;
	woe_state  *state;
	bin_counts *counts;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "woe_transfn called in non-aggregate context");
	state = PG_ARGISNULL(0) ? new_state(aggcontext) : crm_expanded_writable(&woe_kind, NULL, PG_GETARG_DATUM(0), aggcontext);
	if (!PG_ARGISNULL(1))
	{
		text	   *bin = PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2);

		counts = bin == NULL ? counts_of(state, NULL, 0) : counts_of(state, VARDATA_ANY(bin), VARSIZE_ANY_EXHDR(bin));
		counts->rows++;
		state->rows++;
		counts->positives += PG_GETARG_BOOL(1);
	}
	return EOHPGetRWDatum(&state->header);
}

Datum
crm_woe_combinefn(PG_FUNCTION_ARGS)
{
	return crm_expanded_combine(fcinfo, &woe_kind, NULL, "woe_table");
}

/* ---- results ----------------------------------------------------------------- */

typedef struct woe_bin
{
	const char *text;			/* NULL: without value */
	uint32		length;
	bin_counts	counts;
	double		woe;
	double		iv;
} woe_bin;

/* By the bytes of the text, so that no collation matters; the bin without value last. */
static int
compare_bins(const void *a, const void *b)
{
	const woe_bin *x = a;
	const woe_bin *y = b;
	int			order;

	if (x->text == NULL || y->text == NULL)
		return (x->text == NULL) - (y->text == NULL);
	order = memcmp(x->text, y->text, Min(x->length, y->length));
	return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

/* A count of 0 counts as 0.99, in its bin and in the total, as in R's package scorecard: evidence without end is none. */
static double
counted(uint64 count)
{
	return count == 0 ? 0.99 : (double) count;
}

/* The bins of a final function, in order, with their weights of evidence; NULL without rows or with labels of one kind. */
static woe_bin *
bins_of(FunctionCallInfo fcinfo, uint32 *count)
{
	const woe_state *state;
	uint64		positives = 0;
	uint64		negatives = 0;
	double		all_positives = 0;
	double		all_negatives = 0;
	woe_bin    *bins;

	*count = 0;
	state = crm_expanded_final(fcinfo, &woe_kind, NULL, "woe_table");
	if (state == NULL)
		return NULL;
	bins = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(woe_bin) * ((Size) state->bins.count + 1));
	for (uint32 code = 0; code <= state->bins.count; code++)
	{
		woe_bin    *bin = &bins[*count];

		if (state->counts[code].rows == 0)
			continue;
		bin->text = code == 0 ? NULL : state->bins.entries[code - 1].text;
		bin->length = code == 0 ? 0 : state->bins.entries[code - 1].length;
		bin->counts = state->counts[code];
		positives += bin->counts.positives;
		negatives += bin->counts.rows - bin->counts.positives;
		all_positives += counted(bin->counts.positives);
		all_negatives += counted(bin->counts.rows - bin->counts.positives);
		(*count)++;
	}
	qsort(bins, *count, sizeof(woe_bin), compare_bins);
	for (uint32 i = 0; i < *count; i++)
	{
		double		positive_share = counted(bins[i].counts.positives) / all_positives;
		double		negative_share = counted(bins[i].counts.rows - bins[i].counts.positives) / all_negatives;

		bins[i].woe = log(positive_share / negative_share);
		bins[i].iv = (positive_share - negative_share) * bins[i].woe;
		CHECK_FOR_INTERRUPTS();
	}
	return positives > 0 && negatives > 0 ? bins : NULL;
}

/* woe_table(label, bin): bin, rows, positives, woe, iv */
Datum
crm_woe_table_finalfn(PG_FUNCTION_ARGS)
{
	uint32		count;
	woe_bin    *bins = bins_of(fcinfo, &count);
	crm_result_rows table;

	if (bins == NULL)
		PG_RETURN_NULL();
	table = crm_result_rows_begin(fcinfo, count);
	for (uint32 i = 0; i < count; i++)
	{
		Datum		values[5];
		bool		nulls[5] = {bins[i].text == NULL, false, false, false, false};

		values[0] = bins[i].text == NULL ? (Datum) 0 : PointerGetDatum(cstring_to_text_with_len(bins[i].text, (int) bins[i].length));
		values[1] = Int64GetDatum((int64) bins[i].counts.rows);
		values[2] = Int64GetDatum((int64) bins[i].counts.positives);
		values[3] = Float8GetDatum(bins[i].woe);
		values[4] = Float8GetDatum(bins[i].iv);
		crm_result_rows_add(&table, values, nulls);
	}
	PG_RETURN_DATUM(crm_result_rows_end(&table));
}

/* information_value(label, bin) */
Datum
crm_information_value_finalfn(PG_FUNCTION_ARGS)
{
	uint32		count;
	woe_bin    *bins = bins_of(fcinfo, &count);
	crm_twofold sum = crm_twofold_of(0);

	if (bins == NULL)
		PG_RETURN_NULL();
	for (uint32 i = 0; i < count; i++)
		sum = crm_twofold_add(sum, crm_twofold_of(bins[i].iv));
	PG_RETURN_FLOAT8(crm_twofold_round(sum));
}

/* ---- population stability ------------------------------------------------------- */

/* Counts or shares, not negative; their sum. */
static const double *
psi_argument(ArrayType *array, int *count, double *sum)
{
	bool		nulls;
	const double *numbers = scoring_features(array, count, &nulls);

	*sum = 0;
	for (int i = 0; i < *count; i++)
	{
		if (isnan(numbers[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("counts of psi must not contain null")));
		if (numbers[i] < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("counts of psi must not be negative: %s", DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(numbers[i]))))));
		*sum += numbers[i];
	}
	if (isinf(*sum))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("counts of psi are too large")));
	return numbers;
}

double
scoring_psi(const double *expected, double expected_sum, const double *actual, double actual_sum, int count)
{
	double		psi = 0;

	for (int i = 0; i < count; i++)
	{
		/* An empty bin counts as a share of 0.0001: its logarithm would be infinite. */
		double		e = expected[i] > 0 ? expected[i] / expected_sum : 1e-4;
		double		a = actual[i] > 0 ? actual[i] / actual_sum : 1e-4;

		psi += (a - e) * log(a / e);
	}
	return psi;
}

/* psi(expected float8[], actual float8[]) */
Datum
crm_psi(PG_FUNCTION_ARGS)
{
	int			count;
	int			other;
	double		expected_sum;
	double		actual_sum;
	const double *expected = psi_argument(PG_GETARG_ARRAYTYPE_P(0), &count, &expected_sum);
	const double *actual = psi_argument(PG_GETARG_ARRAYTYPE_P(1), &other, &actual_sum);

	if (count != other)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("psi compares as many bins on both sides, not %d and %d", count, other)));
	if (!(expected_sum > 0) || !(actual_sum > 0))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(scoring_finite(scoring_psi(expected, expected_sum, actual, actual_sum, count)));
}
