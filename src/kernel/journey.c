/*
 * journey.c - paths of touches: cutting them out of a customer's events, and
 * cleaning them up.
 */
#include "kernel/journey.h"

/* ---- paths from events ------------------------------------------------ */

/* The first of the touches from ... to - 1 that is not too old at an instant. */
static size_t
within_lookback(const crm_touch *events, const size_t *places, size_t from, size_t to, int64_t at, int64_t lookback)
{
	/* The difference of any two times fits 64 bits without a sign. */
	while (from < to && (uint64_t) at - (uint64_t) events[places[from]].at > (uint64_t) lookback)
		from++;
	return from;
}

void
crm_journeys(const crm_env *env, const crm_touch *events, size_t count, int64_t lookback,
			 size_t *places, crm_journey *journeys, size_t *journey_count)
{
	size_t		listed = 0;
	size_t		open = 0;		/* first touch since the last conversion */

	*journey_count = 0;
	for (size_t i = 0, end; i < count; i = end)
	{
		for (end = i; end < count && events[end].at == events[i].at; end++)
			if (events[end].channel > 0)
				places[listed++] = end;
		for (size_t k = i; k < end; k++)
		{
			if (!events[k].converts)
				continue;
			journeys[(*journey_count)++] = (crm_journey) {
				within_lookback(events, places, open, listed, events[k].at, lookback), listed, true, k
			};
			open = listed;
		}
		if (i / 4096 != end / 4096)
			crm_progress(env);
	}
	if (open < listed)
		journeys[(*journey_count)++] = (crm_journey) {
			within_lookback(events, places, open, listed, events[places[listed - 1]].at, lookback), listed, false, 0
		};
}

/* ---- cleaning up ------------------------------------------------------ */

size_t
crm_journey_exposure(const uint32_t *path, size_t count, size_t *places)
{
	size_t		kept = 0;

	for (size_t i = 0; i < count; i++)
		if (i == 0 || path[i] != path[i - 1])
			places[kept++] = i;
	return kept;
}

size_t
crm_journey_first(const uint32_t *path, size_t count, size_t *places, uint32_t *counts, uint32_t greatest)
{
	size_t		kept = 0;

	memset(counts, 0, sizeof(uint32_t) * ((size_t) greatest + 1));
	for (size_t i = 0; i < count; i++)
		if (counts[path[i]]++ == 0)
			places[kept++] = i;
	return kept;
}

size_t
crm_journey_drop(const uint32_t *path, size_t count, uint32_t channel, bool trailing_only, size_t *places)
{
	size_t		kept = 0;
	size_t		end = count;	/* from here on there is nothing but the channel */

	while (end > 0 && path[end - 1] == channel)
		end--;
	if (end == 0)
		end = count;			/* nothing else at all: nothing is dropped */
	else if (!trailing_only)
	{
		for (size_t i = 0; i < end; i++)
			if (path[i] != channel)
				places[kept++] = i;
		return kept;
	}
	for (size_t i = 0; i < end; i++)
		places[kept++] = i;
	return kept;
}
