/*
 * ratings.c - answers to surveys: NPS, CSAT and CES, each with its limits.
 *
 * The state counts how often each rating was given; everything follows from
 * the counts, exactly, in any order.
 */
#include "scoring/scoring.h"

#include <math.h>

#include "common/agg_state.h"
#include "kernel/significance.h"
#include "scoring/measures.h"
#include "utils/float.h"

CRM_FUNCTION(crm_nps_transfn);
CRM_FUNCTION(crm_csat_transfn);
CRM_FUNCTION(crm_ces_transfn);
CRM_FUNCTION(crm_ratings_combinefn);
CRM_FUNCTION(crm_nps_finalfn);
CRM_FUNCTION(crm_nps_interval_finalfn);
CRM_FUNCTION(crm_csat_finalfn);
CRM_FUNCTION(crm_csat_interval_finalfn);
CRM_FUNCTION(crm_ces_finalfn);
CRM_FUNCTION(crm_ces_interval_finalfn);

#define RATINGS_STATE_VERSION 1
#define MOST_RATINGS 11			/* 0 to 10 */

typedef struct ratings_state
{
	char		header[CRM_AGG_STATE_HEADER];
	int32		low;			/* of the scale */
	int32		high;
	uint64		counts[MOST_RATINGS];	/* of low, low + 1 ... */
} ratings_state;

static ratings_state *
fetch_state(Datum value)
{
	ratings_state *state = (ratings_state *) crm_agg_state_fetch(value, CRM_STATE_RATINGS, RATINGS_STATE_VERSION, sizeof(ratings_state));

	if (VARSIZE(state) != sizeof(ratings_state) || state->low < 0 || state->low > 1 || state->high <= state->low ||
		state->high - state->low >= MOST_RATINGS)
		crm_agg_state_damaged("A state of ratings is not one.");
	for (int i = 0; i < MOST_RATINGS; i++)
		if (state->counts[i] > SCORING_MAX_ROWS)
			crm_agg_state_damaged("A state of ratings is not one.");
	return state;
}

static Datum
add_rating(FunctionCallInfo fcinfo, const char *name, int32 low, int32 high, int argument)
{
	MemoryContext aggcontext;
	ratings_state *state;
	int32		rating;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "transition function of %s called in non-aggregate context", name);
	if (PG_ARGISNULL(argument))
		return crm_agg_unchanged(fcinfo);
	rating = PG_GETARG_INT32(argument);
	if (rating < low || rating > high)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rating of %s is outside its scale: %d", name, rating),
				 errdetail("Ratings are whole numbers from %d to %d; null where there is no answer.", low, high)));
	if (PG_ARGISNULL(0))
	{
		state = MemoryContextAllocZero(aggcontext, sizeof(ratings_state));
		crm_agg_state_init(state, sizeof(ratings_state), CRM_STATE_RATINGS, RATINGS_STATE_VERSION);
		state->low = low;
		state->high = high;
	}
	else
		state = fetch_state(PG_GETARG_DATUM(0));
	if (state->low != low || state->high != high)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("scale of %s changes within a group: to %d, then to %d", name, state->high, high)));
	state->counts[rating - low]++;
	PG_RETURN_POINTER(state);
}

/* nps_transfn(state, rating int) */
Datum
crm_nps_transfn(PG_FUNCTION_ARGS)
{
	return add_rating(fcinfo, "nps_agg", 0, 10, 1);
}

/* csat_transfn(state, rating int), csat_transfn(state, scale int, rating int) */
Datum
crm_csat_transfn(PG_FUNCTION_ARGS)
{
	int32		scale = 5;

	if (PG_NARGS() == 2)
		return add_rating(fcinfo, "csat_agg", 1, scale, 1);
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("scale of csat_agg must not be null")));
	scale = PG_GETARG_INT32(1);
	if (scale < 3 || scale > 10)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid scale of csat_agg: %d", scale),
				 errdetail("It is the greatest rating, from 3 to 10; the least is 1.")));
	return add_rating(fcinfo, "csat_agg", 1, scale, 2);
}

/* ces_transfn(state, rating int) */
Datum
crm_ces_transfn(PG_FUNCTION_ARGS)
{
	return add_rating(fcinfo, "ces_agg", 1, 7, 1);
}

Datum
crm_ratings_combinefn(PG_FUNCTION_ARGS)
{
	MemoryContext aggcontext;
	ratings_state *state;
	ratings_state *other;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "ratings_combinefn called in non-aggregate context");
	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	other = fetch_state(PG_GETARG_DATUM(1));
	if (PG_ARGISNULL(0))
	{
		state = MemoryContextAlloc(aggcontext, sizeof(ratings_state));
		memcpy(state, other, sizeof(ratings_state));
		PG_RETURN_POINTER(state);
	}
	state = fetch_state(PG_GETARG_DATUM(0));
	if (state->low != other->low || state->high != other->high)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("scale of ratings changes within a group: to %d, then to %d", state->high, other->high)));
	for (int i = 0; i < MOST_RATINGS; i++)
		state->counts[i] += other->counts[i];
	PG_RETURN_POINTER(state);
}

/* ---- results ----------------------------------------------------------------- */

static const ratings_state *
final_state(FunctionCallInfo fcinfo)
{
	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "final function of ratings called in non-aggregate context");
	return PG_ARGISNULL(0) ? NULL : fetch_state(PG_GETARG_DATUM(0));
}

/* Number, mean and sum of squares about the mean of what each rating is worth. */
static double
moments(const ratings_state *state, double (*worth) (const ratings_state *state, int rating), double *mean, double *squares)
{
	double		rows = 0;
	double		sum = 0;

	for (int i = 0; i <= state->high - state->low; i++)
	{
		rows += (double) state->counts[i];
		sum += (double) state->counts[i] * worth(state, state->low + i);
	}
	*mean = sum / rows;
	*squares = 0;
	for (int i = 0; i <= state->high - state->low; i++)
	{
		double		d = worth(state, state->low + i) - *mean;

		*squares += (double) state->counts[i] * d * d;
	}
	return rows;
}

/* Reichheld, "The one number you need to grow", 2003: promoters 9 and 10, detractors 0 to 6. */
static double
nps_worth(const ratings_state *state, int rating)
{
	return rating >= 9 ? 100 : rating <= 6 ? -100 : 0;
}

/* The two highest ratings are satisfied. */
static double
csat_worth(const ratings_state *state, int rating)
{
	return rating >= state->high - 1 ? 1 : 0;
}

static double
ces_worth(const ratings_state *state, int rating)
{
	return rating;
}

/* nps_agg(rating) */
Datum
crm_nps_finalfn(PG_FUNCTION_ARGS)
{
	const ratings_state *state = final_state(fcinfo);
	double		mean;
	double		squares;

	if (state == NULL)
		PG_RETURN_NULL();
	moments(state, nps_worth, &mean, &squares);
	PG_RETURN_FLOAT8(mean);
}

/* nps_interval_agg(rating): the variance is that of three shares, a multinomial */
Datum
crm_nps_interval_finalfn(PG_FUNCTION_ARGS)
{
	const ratings_state *state = final_state(fcinfo);
	double		mean;
	double		squares;
	double		rows;

	if (state == NULL)
		PG_RETURN_NULL();
	rows = moments(state, nps_worth, &mean, &squares);
	return scoring_estimate(fcinfo, mean, rows < 2 ? get_float8_nan() : sqrt(squares) / rows, -100, 100);
}

/* csat_agg(rating), csat_agg(scale, rating): percent */
Datum
crm_csat_finalfn(PG_FUNCTION_ARGS)
{
	const ratings_state *state = final_state(fcinfo);
	double		mean;
	double		squares;

	if (state == NULL)
		PG_RETURN_NULL();
	moments(state, csat_worth, &mean, &squares);
	PG_RETURN_FLOAT8(100 * mean);
}

/* csat_interval_agg: limits by Wilson, 1927, which hold near 0 and 100 percent, too */
Datum
crm_csat_interval_finalfn(PG_FUNCTION_ARGS)
{
	const ratings_state *state = final_state(fcinfo);
	double		share;
	double		squares;
	double		rows;
	double		lower;
	double		upper;

	if (state == NULL)
		PG_RETURN_NULL();
	rows = moments(state, csat_worth, &share, &squares);
	crm_wilson(share, rows, &lower, &upper);
	return scoring_estimate_of(fcinfo, 100 * share, 100 * sqrt(share * (1 - share) / rows), 100 * lower, 100 * upper);
}

/* ces_agg(rating) */
Datum
crm_ces_finalfn(PG_FUNCTION_ARGS)
{
	const ratings_state *state = final_state(fcinfo);
	double		mean;
	double		squares;

	if (state == NULL)
		PG_RETURN_NULL();
	moments(state, ces_worth, &mean, &squares);
	PG_RETURN_FLOAT8(mean);
}

/* ces_interval_agg(rating) */
Datum
crm_ces_interval_finalfn(PG_FUNCTION_ARGS)
{
	const ratings_state *state = final_state(fcinfo);
	double		mean;
	double		squares;
	double		rows;

	if (state == NULL)
		PG_RETURN_NULL();
	rows = moments(state, ces_worth, &mean, &squares);
	return scoring_estimate(fcinfo, mean, rows < 2 ? get_float8_nan() : sqrt(squares / (rows - 1) / rows), 1, 7);
}
