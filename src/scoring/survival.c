/*
 * survival.c - the aggregates kaplan_meier and log_rank.
 */
#include "scoring/scoring.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "kernel/survival.h"
#include "miscadmin.h"
#include "scoring/counts.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

CRM_FUNCTION(crm_kaplan_meier_transfn);
CRM_FUNCTION(crm_kaplan_meier_finalfn);
CRM_FUNCTION(crm_log_rank_transfn);
CRM_FUNCTION(crm_log_rank_finalfn);

#define DEFAULT_CONFIDENCE 0.95

static double
duration_argument(FunctionCallInfo fcinfo, int argument)
{
	double		duration = scoring_number(PG_GETARG_FLOAT8(argument), "duration");

	if (duration < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("duration must not be negative: %s", DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(duration)))),
				 errdetail("It is the time from a customer's beginning to his leaving, or to when he was last seen.")));
	return duration;
}

/* The constant in front of the rows' arguments. */
static double
constant_argument(FunctionCallInfo fcinfo, const char *name)
{
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	return scoring_number(PG_GETARG_FLOAT8(1), name);
}

/* Counted rows as the kernel wants them, ascending by duration; rank: the group of each number, by name. */
static crm_survival_count *
counts_of(const counts_state *state, const uint32 *rank, uint32 *count)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_count  *entries;
	crm_survival_count *counts;
	int			at = rank == NULL ? 0 : 1;

	crm_check(crm_counts_sorted(&state->table, &env, &entries, count), "crm.agg_state", false);
	counts = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(crm_survival_count) * Max(*count, 1));
	for (uint32 i = 0; i < *count; i++)
	{
		bool		event = entries[i].key[at] != 0;

		counts[i].group = rank == NULL ? 0 : rank[(uint32) entries[i].key[0]];
		counts[i].time = entries[i].key[at + 1];
		counts[i].events = event ? entries[i].rows : 0;
		counts[i].censored = event ? 0 : entries[i].rows;
	}
	pfree(entries);
	return counts;
}

static int
compare_counts(const void *a, const void *b)
{
	const crm_survival_count *x = a;
	const crm_survival_count *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return x->events > 0 ? (y->events > 0 ? 0 : -1) : y->events > 0;
}

/* ---- kaplan_meier ------------------------------------------------------------------ */

/* kaplan_meier_transfn(state, [confidence float8,] duration float8, event boolean) */
Datum
crm_kaplan_meier_transfn(PG_FUNCTION_ARGS)
{
	int			first = PG_NARGS() - 2;
	double		confidence = first > 1 ? constant_argument(fcinfo, "confidence") : DEFAULT_CONFIDENCE;
	counts_state *state;

	if (!(confidence > 0 && confidence < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("confidence must lie between 0 and 1: %g", confidence)));
	state = counts_of_transition(fcinfo, COUNTS_SURVIVAL, confidence, "kaplan_meier");
	if (!PG_ARGISNULL(first) && !PG_ARGISNULL(first + 1))
	{
		double		key[2] = {PG_GETARG_BOOL(first + 1), duration_argument(fcinfo, first)};

		counts_add(state, key);
	}
	return EOHPGetRWDatum(&state->header);
}

/* The curve as an array of crm.survival_point; without an event an empty one. */
Datum
crm_kaplan_meier_finalfn(PG_FUNCTION_ARGS)
{
	const counts_state *state = counts_of_final(fcinfo, COUNTS_SURVIVAL, "kaplan_meier");
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_survival_count *counts;
	uint32		count;
	crm_survival_point *points;
	size_t		point_count;
	Oid			type = get_element_type(get_func_rettype(fcinfo->flinfo->fn_oid));
	TupleDesc	desc;
	Datum	   *rows;

	if (state == NULL)
		PG_RETURN_NULL();
	desc = lookup_rowtype_tupdesc_copy(type, -1);
	counts = counts_of(state, NULL, &count);
	qsort(counts, count, sizeof(crm_survival_count), compare_counts);
	if (!(state->constant > 0 && state->constant < 1))
		elog(ERROR, "state of kaplan_meier has no confidence");
	crm_check(crm_kaplan_meier(&env, counts, count, state->constant, &points, &point_count), "crm.agg_state", false);
	if (point_count == 0)
		PG_RETURN_POINTER(construct_empty_array(type));
	rows = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * point_count);
	for (size_t i = 0; i < point_count; i++)
	{
		Datum		values[6] = {Float8GetDatum(points[i].time), Int64GetDatum((int64) points[i].at_risk), Int64GetDatum((int64) points[i].events),
		Float8GetDatum(points[i].survival), Float8GetDatum(points[i].lower), Float8GetDatum(points[i].upper)};
		bool		nulls[6] = {false, false, false, false, isnan(points[i].lower), isnan(points[i].upper)};

		if (i % 1000 == 0)
			CHECK_FOR_INTERRUPTS();
		rows[i] = HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
	}
	PG_RETURN_POINTER(construct_array(rows, (int) point_count, type, -1, false, TYPALIGN_DOUBLE));
}

/* ---- log_rank ------------------------------------------------------------------------ */

/* log_rank_transfn(state, [rho float8,] grouping text, duration float8, event boolean) */
Datum
crm_log_rank_transfn(PG_FUNCTION_ARGS)
{
	int			first = PG_NARGS() - 3;
	double		rho = first > 1 ? constant_argument(fcinfo, "rho") : 0;
	counts_state *state;

	if (rho < 0 || rho > 10)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rho must be from 0 to 10: %g", rho),
				 errdetail("0 is the log-rank test, 1 the test of Peto and Peto, which looks at early leaving.")));
	state = counts_of_transition(fcinfo, COUNTS_LOG_RANK, rho, "log_rank");
	if (!PG_ARGISNULL(first) && !PG_ARGISNULL(first + 1) && !PG_ARGISNULL(first + 2))
	{
		double		key[3] = {0, PG_GETARG_BOOL(first + 2), duration_argument(fcinfo, first + 1)};

		key[0] = counts_group(state, PG_GETARG_TEXT_PP(first));
		counts_add(state, key);
	}
	return EOHPGetRWDatum(&state->header);
}

static int
compare_groups(const void *a, const void *b, void *entries)
{
	const crm_value_entry *groups = entries;

	return strcmp(groups[*(const uint32 *) a].text, groups[*(const uint32 *) b].text);
}

static Datum
float_array(const double *numbers, uint32 count)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(count, 1));

	for (uint32 i = 0; i < count; i++)
		elements[i] = Float8GetDatum(numbers[i]);
	return PointerGetDatum(construct_array(elements, (int) count, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* (chi_square, degrees, p_value, groups, customers, observed, expected), groups in byte order of their names */
Datum
crm_log_rank_finalfn(PG_FUNCTION_ARGS)
{
	const counts_state *state = counts_of_final(fcinfo, COUNTS_LOG_RANK, "log_rank");
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_survival_count *counts;
	uint32		count;
	uint32		groups;
	uint32	   *order;
	uint32	   *rank;
	Datum	   *names;
	Datum	   *customers;
	uint64	   *sizes;
	crm_log_rank test;
	TupleDesc	desc;
	Datum		values[7];
	bool		nulls[7] = {false};

	if (state == NULL)
		PG_RETURN_NULL();
	groups = state->groups.count;
	order = palloc(sizeof(uint32) * groups);
	rank = palloc(sizeof(uint32) * groups);
	names = palloc(sizeof(Datum) * groups);
	customers = palloc(sizeof(Datum) * groups);
	sizes = palloc0(sizeof(uint64) * groups);
	for (uint32 i = 0; i < groups; i++)
		order[i] = i;
	qsort_arg(order, groups, sizeof(uint32), compare_groups, state->groups.entries);
	for (uint32 i = 0; i < groups; i++)
		rank[order[i]] = i;
	counts = counts_of(state, rank, &count);
	qsort(counts, count, sizeof(crm_survival_count), compare_counts);
	crm_check(crm_log_rank_test(&env, counts, count, groups, state->constant, &test), "crm.agg_state", false);
	for (uint32 i = 0; i < count; i++)
		sizes[counts[i].group] += counts[i].events + counts[i].censored;
	for (uint32 i = 0; i < groups; i++)
	{
		const crm_value_entry *name = &state->groups.entries[order[i]];

		names[i] = PointerGetDatum(cstring_to_text_with_len(name->text, (int) name->length));
		customers[i] = Int64GetDatum((int64) sizes[i]);
	}
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "log_rank returns a row");
	nulls[0] = nulls[2] = isnan(test.chi_square);
	values[0] = Float8GetDatum(test.chi_square);
	values[1] = Int32GetDatum((int32) test.degrees);
	values[2] = Float8GetDatum(test.p_value);
	values[3] = PointerGetDatum(construct_array(names, (int) groups, TEXTOID, -1, false, TYPALIGN_INT));
	values[4] = PointerGetDatum(construct_array(customers, (int) groups, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	values[5] = float_array(test.observed, groups);
	values[6] = float_array(test.expected, groups);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
