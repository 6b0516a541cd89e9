/*
 * sessionize.c - the window function sessionize: numbers the sessions of a
 * partition.
 */
#include "behavior/behavior.h"

#include "utils/timestamp.h"
#include "windowapi.h"

CRM_FUNCTION(crm_sessionize);

typedef struct session_memory
{
	bool		started;
	bool		has_direction;
	bool		descending;
	int64		gap;
	int64		session;
	TimestampTz last;			/* the time of the row before */
} session_memory;

/*
 * sessionize(gap interval, ts timestamptz) OVER (... ORDER BY ts)
 *
 * A row begins a new session when it is more than the gap away from the row
 * before.  A row without time belongs to no session and parts none.
 */
Datum
crm_sessionize(PG_FUNCTION_ARGS)
{
	WindowObject window = PG_WINDOW_OBJECT();
	session_memory *memory = WinGetPartitionLocalMemory(window, sizeof(session_memory));
	bool		isnull;
	Datum		value;
	int64		gap;
	TimestampTz at;

	value = WinGetFuncArgCurrent(window, 0, &isnull);
	gap = behavior_interval(isnull ? NULL : DatumGetIntervalP(value), "gap");
	value = WinGetFuncArgCurrent(window, 1, &isnull);
	if (isnull)
		PG_RETURN_NULL();
	at = behavior_finite(DatumGetTimestampTz(value));

	if (!memory->started)
	{
		memory->started = true;
		memory->gap = gap;
		memory->session = 1;
	}
	else
	{
		if (gap != memory->gap)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"%s\" must be the same for all rows of a partition", "gap")));
		if (at != memory->last)
		{
			bool		descending = at < memory->last;

			if (memory->has_direction && descending != memory->descending)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("rows of a partition are not in order of time"),
						 errhint("Write OVER (PARTITION BY ... ORDER BY ts) with the time that sessionize is given.")));
			memory->has_direction = true;
			memory->descending = descending;
			if (crm_time_between(Min(at, memory->last), Max(at, memory->last)) > (uint64) gap)
				memory->session++;
		}
	}
	memory->last = at;
	PG_RETURN_INT64(memory->session);
}
