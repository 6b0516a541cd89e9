/*
 * activity_tables.c - tables over the activities of many customers: retention,
 * life cycle, stickiness, active users.
 *
 * Each adds a customer's contribution to counts in cells, so that parts merge
 * by sums, and works out its rows at the end.
 */
#include "behavior/activity_cells.h"

#include "catalog/pg_type.h"
#include "utils/array.h"

CRM_FUNCTION(crm_retention_table_transfn);
CRM_FUNCTION(crm_retention_table_combinefn);
CRM_FUNCTION(crm_retention_table_finalfn);
CRM_FUNCTION(crm_life_cycle_transfn);
CRM_FUNCTION(crm_life_cycle_combinefn);
CRM_FUNCTION(crm_life_cycle_finalfn);
CRM_FUNCTION(crm_stickiness_transfn);
CRM_FUNCTION(crm_stickiness_combinefn);
CRM_FUNCTION(crm_stickiness_finalfn);
CRM_FUNCTION(crm_active_users_transfn);
CRM_FUNCTION(crm_active_users_combinefn);
CRM_FUNCTION(crm_active_users_finalfn);

static void
refuse_24_hours(const activity *a, const char *function)
{
	if (activity_period_of(a) == ACTIVITY_24_HOURS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s needs periods of the calendar, not 24 hours", function),
				 errdetail("The 24 hours of each customer begin at another time."),
				 errhint("Make the activity by 'day', 'week' or 'month'.")));
}

static void
refuse_other_than_days(const activity *a, const char *function)
{
	if (activity_period_of(a) != ACTIVITY_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s needs activities by day, not by %s", function, activity_period_name(a->bytes)),
				 errhint("Make them with activity_agg('day', zone, ts) or activity(timeline, 'day', zone).")));
}

/* The calendar of a state's periods. */
static void
dates_of(const activity_cells *cells, behavior_calendar *calendar)
{
	memset(calendar, 0, sizeof(*calendar));
	activity_dates((const uint8 *) cells->data, calendar);
}

static Datum
empty_table(FunctionCallInfo fcinfo)
{
	crm_result_rows rows = activity_rows(fcinfo, 0);

	return crm_result_rows_end(&rows);
}

/* ---- retention_table ------------------------------------------------------------ */

#define RECURRING 1
#define UNBOUNDED 2
#define ALL_PERIODS ACTIVITY_MAX_NUMBER

static int32
retention_mode(const text *mode)
{
	const char *p = VARDATA_ANY(mode);
	const char *end = p + VARSIZE_ANY_EXHDR(mode);
	int32		flags = 0;

	while (p < end)
	{
		const char *comma;

		while (p < end && *p == ' ')
			p++;
		comma = memchr(p, ',', end - p);
		if (comma == NULL)
			comma = end;
		if (comma - p == 9 && memcmp(p, "recurring", 9) == 0)
			flags |= RECURRING;
		else if (comma - p == 9 && memcmp(p, "unbounded", 9) == 0)
			flags |= UNBOUNDED;
		else
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unknown mode of retention_table: \"%s\"", text_to_cstring(mode)),
					 errhint("A mode is empty or a comma list of recurring and unbounded.")));
		p = comma + 1;
	}
	return flags;
}

/*
 * One cohort of a customer: column 0 counts its size, column k + 1 who came
 * back in period k.  Unbounded, only the last return is counted, and the final
 * function adds up.
 */
static activity_cells *
add_first_cohort(activity_cells *cells, activity *a, int32 periods, int32 mode)
{
	bool		rolling = activity_period_of(a) == ACTIVITY_24_HOURS;
	int64		start = 0;
	int64		row = 0;
	int64		back = -1;
	int64		first = 0;
	bool		started = false;
	bool		any = false;

	while (activity_next(a))
	{
		int64		k;

		if (!any)
			first = a->number;
		any = true;
		if (!started && (a->marks & ACTIVITY_STARTED))
		{
			started = true;
			start = a->number;
			row = rolling ? a->anchor : start;
			cells = activity_cells_add(cells, (int32) row, 0, 1);
		}
		if (!started || !(a->marks & ACTIVITY_BACK))
			continue;
		k = a->number - start;
		if (mode & UNBOUNDED)
			back = k;
		else if (k <= periods)
			cells = activity_cells_add(cells, (int32) row, (int32) k + 1, 1);
	}
	if (back >= 0)
		cells = activity_cells_add(cells, (int32) row, (int32) Min(back, periods) + 1, 1);
	if (any)
		activity_cells_met(cells, (int32) (a->anchor + first), (int32) (a->anchor + a->number));
	return cells;
}

/* Every period with a start is a cohort that the customer belongs to. */
static activity_cells *
add_every_cohort(activity_cells *cells, activity *a, int32 periods, int32 mode)
{
	int32	   *starts;
	int32	   *backs;
	int			n_starts = 0,
				n_backs = 0,
				from = 0;

	/* An entry has a byte at least. */
	starts = palloc(Max(a->end - a->next, 1) * 2 * sizeof(int32));
	backs = starts + Max(a->end - a->next, 1);
	while (activity_next(a))
	{
		activity_cells_met(cells, (int32) a->number, (int32) a->number);
		if (a->marks & ACTIVITY_STARTED)
			starts[n_starts++] = (int32) a->number;
		if (a->marks & ACTIVITY_BACK)
			backs[n_backs++] = (int32) a->number;
	}
	for (int i = 0; i < n_starts; i++)
	{
		CHECK_FOR_INTERRUPTS();
		cells = activity_cells_add(cells, starts[i], 0, 1);
		while (from < n_backs && backs[from] < starts[i])
			from++;
		if (from == n_backs)
			continue;
		if (mode & UNBOUNDED)
			cells = activity_cells_add(cells, starts[i], Min(backs[n_backs - 1] - starts[i], periods) + 1, 1);
		else
			for (int j = from; j < n_backs && backs[j] - starts[i] <= periods; j++)
				cells = activity_cells_add(cells, starts[i], backs[j] - starts[i] + 1, 1);
	}
	pfree(starts);
	return cells;
}

/* retention_table_transfn(state, [periods int, [mode text,]] a activity) */
Datum
crm_retention_table_transfn(PG_FUNCTION_ARGS)
{
	int			last = PG_NARGS() - 1;
	int32		periods = ALL_PERIODS;
	int32		mode = 0;
	activity	a;
	activity_cells *cells;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "retention_table_transfn called in non-aggregate context");
	for (int i = 1; i < last; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"%s\" must not be null", i == 1 ? "periods" : "mode")));
	if (last > 1)
		periods = PG_GETARG_INT32(1);
	if (last > 2)
		mode = retention_mode(PG_GETARG_TEXT_PP(2));
	if (periods < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of periods must not be negative: %d", periods)));
	periods = Min(periods, ALL_PERIODS);
	if (PG_ARGISNULL(last))
		return crm_agg_unchanged(fcinfo);
	activity_open(PG_GETARG_DATUM(last), &a);
	cells = activity_cells_argument(fcinfo, ACTIVITY_RETENTION, &a, periods, mode);
	if (mode & RECURRING)
	{
		refuse_24_hours(&a, "mode recurring");
		cells = add_every_cohort(cells, &a, periods, mode);
	}
	else
		cells = add_first_cohort(cells, &a, periods, mode);
	PG_RETURN_POINTER(cells);
}

Datum
crm_retention_table_combinefn(PG_FUNCTION_ARGS)
{
	return activity_cells_combine(fcinfo, ACTIVITY_RETENTION);
}

/* For each cohort a row for each period that the data reach. */
Datum
crm_retention_table_finalfn(PG_FUNCTION_ARGS)
{
	const activity_cells *cells;
	activity_count *counts;
	crm_result_rows rows;
	behavior_calendar calendar;
	int			n;
	int64		room = 0;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "retention_table_finalfn called in non-aggregate context");
	if (PG_ARGISNULL(0))
		PG_RETURN_DATUM(empty_table(fcinfo));
	cells = activity_cells_fetch(PG_GETARG_DATUM(0), ACTIVITY_RETENTION);
	counts = activity_cells_sorted(cells, &n);
	dates_of(cells, &calendar);
	for (int i = 0; i < n; i++)
		if (counts[i].column == 0)
			room += Max(Min((int64) cells->option, (int64) cells->last - counts[i].row), 0) + 1;
	rows = activity_rows(fcinfo, room);

	for (int i = 0; i < n;)
	{
		int32		row = counts[i].row;
		int64		last = Max(Min((int64) cells->option, (int64) cells->last - row), 0);
		int64		size = counts[i].customers;
		int64		later = 0;
		int			next = i + 1;

		if (counts[i].column != 0)
			crm_agg_state_damaged("A cohort has no size.");
		for (int j = next; j < n && counts[j].row == row; j++)
			later += counts[j].customers;
		for (int64 k = 0; k <= last; k++)
		{
			bool		met = next < n && counts[next].row == row && counts[next].column == k + 1;
			int64		customers = met ? counts[next].customers : 0;
			Datum		values[5];
			bool		nulls[5] = {false};

			if (cells->option2 & UNBOUNDED)
			{
				/* Whose last return is in this period or later. */
				int64		now = later;

				later -= customers;
				customers = now;
			}
			next += met;
			values[0] = DateADTGetDatum(behavior_calendar_date(&calendar, row));
			values[1] = Int64GetDatum(size);
			values[2] = Int32GetDatum((int32) k);
			values[3] = Int64GetDatum(customers);
			values[4] = Float8GetDatum((double) customers / (double) size);
			crm_result_rows_add(&rows, values, nulls);
		}
		while (next < n && counts[next].row == row)
			next++;
		i = next;
	}
	PG_RETURN_DATUM(crm_result_rows_end(&rows));
}

/* ---- life_cycle ----------------------------------------------------------------- */

enum
{
	LIFE_NEW, LIFE_RETAINED, LIFE_RESURRECTED, LIFE_LOST
};

/* life_cycle_transfn(state, a activity) */
Datum
crm_life_cycle_transfn(PG_FUNCTION_ARGS)
{
	activity	a;
	activity_cells *cells;
	int64		before = 0;
	bool		any = false;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "life_cycle_transfn called in non-aggregate context");
	if (PG_ARGISNULL(1))
		return crm_agg_unchanged(fcinfo);
	activity_open(PG_GETARG_DATUM(1), &a);
	refuse_24_hours(&a, "life_cycle");
	cells = activity_cells_argument(fcinfo, ACTIVITY_LIFE_CYCLE, &a, 0, 0);
	while (activity_next(&a))
	{
		if (!any)
		{
			cells = activity_cells_add(cells, (int32) a.number, LIFE_NEW, 1);
			activity_cells_met(cells, (int32) a.number, (int32) a.number);
		}
		else if (a.number == before + 1)
			cells = activity_cells_add(cells, (int32) a.number, LIFE_RETAINED, 1);
		else
		{
			cells = activity_cells_add(cells, (int32) before + 1, LIFE_LOST, 1);
			cells = activity_cells_add(cells, (int32) a.number, LIFE_RESURRECTED, 1);
		}
		any = true;
		before = a.number;
	}
	if (any)
	{
		cells = activity_cells_add(cells, (int32) before + 1, LIFE_LOST, 1);
		activity_cells_met(cells, (int32) before, (int32) before);
	}
	PG_RETURN_POINTER(cells);
}

Datum
crm_life_cycle_combinefn(PG_FUNCTION_ARGS)
{
	return activity_cells_combine(fcinfo, ACTIVITY_LIFE_CYCLE);
}

Datum
crm_life_cycle_finalfn(PG_FUNCTION_ARGS)
{
	const activity_cells *cells;
	activity_count *counts;
	crm_result_rows rows;
	behavior_calendar calendar;
	int64		dormant = 0;
	int			n;
	int			next = 0;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "life_cycle_finalfn called in non-aggregate context");
	if (PG_ARGISNULL(0))
		PG_RETURN_DATUM(empty_table(fcinfo));
	cells = activity_cells_fetch(PG_GETARG_DATUM(0), ACTIVITY_LIFE_CYCLE);
	counts = activity_cells_sorted(cells, &n);
	dates_of(cells, &calendar);
	rows = activity_rows(fcinfo, Max((int64) cells->last - cells->first + 1, 0));
	for (int64 period = cells->first; period <= cells->last; period++)
	{
		int64		met[4] = {0};
		Datum		values[7];
		bool		nulls[7] = {false};

		for (; next < n && counts[next].row == period; next++)
			if (counts[next].column <= LIFE_LOST)
				met[counts[next].column] = counts[next].customers;
		dormant += met[LIFE_LOST] - met[LIFE_RESURRECTED];
		values[0] = DateADTGetDatum(behavior_calendar_date(&calendar, period));
		values[1] = Int64GetDatum(met[LIFE_NEW] + met[LIFE_RETAINED] + met[LIFE_RESURRECTED]);
		values[2] = Int64GetDatum(met[LIFE_NEW]);
		values[3] = Int64GetDatum(met[LIFE_RETAINED]);
		values[4] = Int64GetDatum(met[LIFE_RESURRECTED]);
		values[5] = Int64GetDatum(met[LIFE_LOST]);
		values[6] = Int64GetDatum(dormant);
		crm_result_rows_add(&rows, values, nulls);
	}
	PG_RETURN_DATUM(crm_result_rows_end(&rows));
}

/* ---- stickiness ----------------------------------------------------------------- */

/* stickiness_transfn(state, period text, a activity): days of activity in each longer period */
Datum
crm_stickiness_transfn(PG_FUNCTION_ARGS)
{
	activity	a;
	activity_cells *cells;
	activity_maker *longer = fcinfo->flinfo->fn_extra;
	int64		period = 0;
	int32		days = 0;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "stickiness_transfn called in non-aggregate context");
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", "period")));
	if (PG_ARGISNULL(2))
		return crm_agg_unchanged(fcinfo);
	if (longer == NULL)
		longer = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(activity_maker));
	activity_longer_period(longer, PG_GETARG_TEXT_PP(1));
	activity_open(PG_GETARG_DATUM(2), &a);
	refuse_other_than_days(&a, "stickiness");
	cells = activity_cells_argument(fcinfo, ACTIVITY_STICKINESS, &a, longer->period, longer->head.bytes[2]);
	while (activity_next(&a))
	{
		/* The activity's days are those of its zone already: here is a calendar of days. */
		int64		number = behavior_calendar_number(&longer->calendar, a.number * USECS_PER_DAY);

		if (days > 0 && number != period)
		{
			cells = activity_cells_add(cells, (int32) period, days, 1);
			days = 0;
		}
		period = number;
		days++;
		activity_cells_met(cells, (int32) a.number, (int32) a.number);
	}
	if (days > 0)
		cells = activity_cells_add(cells, (int32) period, days, 1);
	PG_RETURN_POINTER(cells);
}

Datum
crm_stickiness_combinefn(PG_FUNCTION_ARGS)
{
	return activity_cells_combine(fcinfo, ACTIVITY_STICKINESS);
}

Datum
crm_stickiness_finalfn(PG_FUNCTION_ARGS)
{
	const activity_cells *cells;
	activity_count *counts;
	crm_result_rows rows;
	behavior_calendar calendar;
	int			n;
	int64		room = 0;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "stickiness_finalfn called in non-aggregate context");
	if (PG_ARGISNULL(0))
		PG_RETURN_DATUM(empty_table(fcinfo));
	cells = activity_cells_fetch(PG_GETARG_DATUM(0), ACTIVITY_STICKINESS);
	if (cells->option < ACTIVITY_DAY || cells->option >= ACTIVITY_24_HOURS || cells->option2 < 1 || cells->option2 > 7)
		crm_agg_state_damaged("A number in a state of counts is out of its range.");
	counts = activity_cells_sorted(cells, &n);
	memset(&calendar, 0, sizeof(calendar));
	behavior_calendar_set(&calendar, activity_calendar_period((activity_period) cells->option), cstring_to_text("UTC"),
						  cells->option2);
	for (int i = 0; i < n; i++)
		room += i == 0 || counts[i].row != counts[i - 1].row;
	rows = activity_rows(fcinfo, room);

	for (int i = 0; i < n;)
	{
		int32		period = counts[i].row;
		int64		from = Max(behavior_calendar_date(&calendar, period), cells->first);
		int64		until = Min(behavior_calendar_date(&calendar, (int64) period + 1), (int64) cells->last + 1);
		int64		days = until - from;
		int64		customers = 0;
		int64		active_days = 0;
		int			end = i;
		int			longest;
		Datum	   *histogram;
		Datum		values[7];
		bool		nulls[7] = {false};

		while (end < n && counts[end].row == period)
			end++;
		longest = counts[end - 1].column;
		if (days < 1 || longest > 366 || counts[i].column < 1)
			crm_agg_state_damaged("A customer was active on more days than there are.");
		histogram = palloc(longest * sizeof(Datum));
		for (int d = 0; d < longest; d++)
			histogram[d] = Int64GetDatum(0);
		for (; i < end; i++)
		{
			customers += counts[i].customers;
			active_days += counts[i].customers * counts[i].column;
			histogram[counts[i].column - 1] = Int64GetDatum(counts[i].customers);
		}
		values[0] = DateADTGetDatum(behavior_calendar_date(&calendar, period));
		values[1] = Int32GetDatum((int32) days);
		values[2] = Int64GetDatum(customers);
		values[3] = Int64GetDatum(active_days);
		values[4] = Float8GetDatum((double) active_days / (double) days);
		values[5] = Float8GetDatum((double) active_days / (double) days / (double) customers);
		values[6] = PointerGetDatum(construct_array(histogram, longest, INT8OID, sizeof(int64), true, TYPALIGN_DOUBLE));
		crm_result_rows_add(&rows, values, nulls);
	}
	PG_RETURN_DATUM(crm_result_rows_end(&rows));
}

/* ---- active_users ---------------------------------------------------------------- */

enum
{
	USERS_DAY, USERS_7_DAYS, USERS_30_DAYS, USERS_WEEK, USERS_MONTH, USERS_NEW
};

/* The windows that hold an activity's days, as +1 on the day where they begin to and -1 behind the last. */
typedef struct user_window
{
	int32		column;
	int32		width;
	int64		end;			/* not included */
	bool		open;
} user_window;

static inline activity_cells *
move_window(activity_cells *cells, user_window *window, int64 day)
{
	if (!window->open || day > window->end)
	{
		if (window->open)
			cells = activity_cells_add(cells, (int32) window->end, window->column, -1);
		cells = activity_cells_add(cells, (int32) day, window->column, 1);
		window->open = true;
	}
	window->end = day + window->width;
	return cells;
}

/* What a call site keeps. */
typedef struct user_calendars
{
	bool		ready;
	behavior_calendar week;
	behavior_calendar month;
} user_calendars;

static void
prepare_calendars(user_calendars *calendars, int week_start)
{
	text	   *utc;

	if (calendars->ready && calendars->week.week_start == week_start)
		return;
	utc = cstring_to_text("UTC");
	behavior_calendar_set(&calendars->week, BEHAVIOR_WEEK, utc, week_start);
	behavior_calendar_set(&calendars->month, BEHAVIOR_MONTH, utc, 1);
	calendars->ready = true;
	pfree(utc);
}

/* active_users_transfn(state, [week_start int,] a activity) */
Datum
crm_active_users_transfn(PG_FUNCTION_ARGS)
{
	int			last = PG_NARGS() - 1;
	int			week_start = 1;
	activity	a;
	activity_cells *cells;
	user_calendars *calendars = fcinfo->flinfo->fn_extra;
	user_window windows[2] = {{USERS_7_DAYS, 7}, {USERS_30_DAYS, 30}};
	int64		week = 0,
				month = 0;
	bool		any = false;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "active_users_transfn called in non-aggregate context");
	if (last > 1)
	{
		if (PG_ARGISNULL(1))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"%s\" must not be null", "week_start")));
		week_start = PG_GETARG_INT32(1);
	}
	if (calendars == NULL)
		calendars = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(user_calendars));
	prepare_calendars(calendars, week_start);
	if (PG_ARGISNULL(last))
		return crm_agg_unchanged(fcinfo);
	activity_open(PG_GETARG_DATUM(last), &a);
	refuse_other_than_days(&a, "active_users");
	cells = activity_cells_argument(fcinfo, ACTIVITY_USERS, &a, week_start, 0);
	while (activity_next(&a))
	{
		/* The activity's days are those of its zone already: here are calendars of days. */
		int64		this_week = behavior_calendar_number(&calendars->week, a.number * USECS_PER_DAY);
		int64		this_month = behavior_calendar_number(&calendars->month, a.number * USECS_PER_DAY);

		cells = activity_cells_add(cells, (int32) a.number, USERS_DAY, 1);
		for (int i = 0; i < lengthof(windows); i++)
			cells = move_window(cells, &windows[i], a.number);
		if (!any || this_week != week)
			cells = activity_cells_add(cells, behavior_calendar_date(&calendars->week, this_week), USERS_WEEK, 1);
		if (!any || this_month != month)
			cells = activity_cells_add(cells, behavior_calendar_date(&calendars->month, this_month), USERS_MONTH, 1);
		if (!any)
			cells = activity_cells_add(cells, (int32) a.number, USERS_NEW, 1);
		activity_cells_met(cells, (int32) a.number, (int32) a.number);
		any = true;
		week = this_week;
		month = this_month;
	}
	for (int i = 0; i < lengthof(windows); i++)
		if (windows[i].open)
			cells = activity_cells_add(cells, (int32) windows[i].end, windows[i].column, -1);
	PG_RETURN_POINTER(cells);
}

Datum
crm_active_users_combinefn(PG_FUNCTION_ARGS)
{
	return activity_cells_combine(fcinfo, ACTIVITY_USERS);
}

Datum
crm_active_users_finalfn(PG_FUNCTION_ARGS)
{
	const activity_cells *cells;
	activity_count *counts;
	crm_result_rows rows;
	user_calendars calendars = {0};
	int64		now[USERS_NEW + 1] = {0};
	int			n;
	int			next = 0;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "active_users_finalfn called in non-aggregate context");
	if (PG_ARGISNULL(0))
		PG_RETURN_DATUM(empty_table(fcinfo));
	cells = activity_cells_fetch(PG_GETARG_DATUM(0), ACTIVITY_USERS);
	if (cells->option < 1 || cells->option > 7)
		crm_agg_state_damaged("A number in a state of counts is out of its range.");
	prepare_calendars(&calendars, cells->option);
	counts = activity_cells_sorted(cells, &n);
	rows = activity_rows(fcinfo, Max((int64) cells->last - cells->first + 1, 0));
	for (int64 day = cells->first; day <= cells->last; day++)
	{
		Datum		values[7];
		bool		nulls[7] = {false};

		now[USERS_DAY] = now[USERS_NEW] = 0;
		if (behavior_calendar_date(&calendars.week, behavior_calendar_number(&calendars.week, day * USECS_PER_DAY)) == day)
			now[USERS_WEEK] = 0;
		if (behavior_calendar_date(&calendars.month, behavior_calendar_number(&calendars.month, day * USECS_PER_DAY)) == day)
			now[USERS_MONTH] = 0;
		/* The first week and month may have begun before the first day. */
		for (; next < n && counts[next].row <= day; next++)
			if (counts[next].column <= USERS_NEW)
				now[counts[next].column] += counts[next].customers;
		values[0] = DateADTGetDatum((DateADT) day);
		values[1] = Int64GetDatum(now[USERS_DAY]);
		values[2] = Int64GetDatum(now[USERS_7_DAYS]);
		values[3] = Int64GetDatum(now[USERS_30_DAYS]);
		values[4] = Int64GetDatum(now[USERS_WEEK]);
		values[5] = Int64GetDatum(now[USERS_MONTH]);
		values[6] = Int64GetDatum(now[USERS_NEW]);
		crm_result_rows_add(&rows, values, nulls);
	}
	PG_RETURN_DATUM(crm_result_rows_end(&rows));
}
